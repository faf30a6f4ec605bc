/**
 * Suites for instances of the classes of fp-ts: yours, and ours. Each takes an instance, then a kit that samples its type.
 *
 * What is generated is whatever the kit generates, and functions are tables, so a counterexample prints and gets smaller.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import type { URIS, URIS2, URIS3 } from 'fp-ts/HKT'
import type { Alt, Alt1, Alt2, Alt2C, Alt3 } from 'fp-ts/lib/Alt.js'
import type {
  Applicative,
  Applicative1,
  Applicative2,
  Applicative2C,
  Applicative3
} from 'fp-ts/lib/Applicative.js'
import type { Apply, Apply1, Apply2, Apply2C, Apply3 } from 'fp-ts/lib/Apply.js'
import type { Bifunctor2, Bifunctor3 } from 'fp-ts/lib/Bifunctor.js'
import type { Chain, Chain1, Chain2, Chain2C, Chain3 } from 'fp-ts/lib/Chain.js'
import type { Eq } from 'fp-ts/lib/Eq.js'
import { identity } from 'fp-ts/lib/function.js'
import type { Functor, Functor1, Functor2, Functor2C, Functor3 } from 'fp-ts/lib/Functor.js'
import type { Monad, Monad1, Monad2, Monad2C, Monad3 } from 'fp-ts/lib/Monad.js'
import type { MonadIO, MonadIO1, MonadIO2, MonadIO2C, MonadIO3 } from 'fp-ts/lib/MonadIO.js'
import type { MonadTask, MonadTask1, MonadTask2, MonadTask2C, MonadTask3 } from 'fp-ts/lib/MonadTask.js'
import type { MonadThrow, MonadThrow1, MonadThrow2, MonadThrow2C, MonadThrow3 } from 'fp-ts/lib/MonadThrow.js'
import type { Monoid } from 'fp-ts/lib/Monoid.js'
import type { Semigroup } from 'fp-ts/lib/Semigroup.js'
import { compareBy, int, type Kit, type Kit1, type Kit2, type Kit3, type Sample, showOf, str } from './Kit.js'
import { type Answer, law, type Law, type LawSet, lawSet, type Params, wrong } from './LawSet.js'
import { show } from './Show.js'

// -------------------------------------------------------------------------------------
// what is generated
// -------------------------------------------------------------------------------------

/** A generated input of a law. */
interface Input<A> {
  readonly arb: fc.Arbitrary<A>
  readonly show: (a: A) => string
}

const one = <A>(sample: Sample<A>): Input<A> => ({ arb: sample.arb, show: (a) => showOf(sample, a) })

/** A function as a table: which entry it gives depends on how its argument prints. */
interface Table<B> {
  readonly entries: ReadonlyArray<B>
}

const table = <B>(to: Sample<B>): Input<Table<B>> => ({
  arb: fc.record({ entries: fc.array(to.arb, { minLength: 1, maxLength: 3 }) }),
  show: ({ entries }) => `a function to ${entries.map((b) => showOf(to, b)).join(' or ')}`
})

const entryOf = (text: string, width: number): number => {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) >>> 0
  return hash % width
}

const call =
  <B>({ entries }: Table<B>) =>
  (a: unknown): B =>
    entries[entryOf(show(a), entries.length)]!

type Inputs<T> = { readonly [K in keyof T]: Input<T[K]> }

// -------------------------------------------------------------------------------------
// how laws are made
// -------------------------------------------------------------------------------------

const numbers = new WeakMap<object, number>()
let known = 0

/** Laws of other kits are other laws, though they have the same name. */
const numberOf = (kit: object): number => {
  const number = numbers.get(kit) ?? ++known
  numbers.set(kit, number)
  return number
}

type Make = <T extends object>(
  name: string,
  inputs: Inputs<T>,
  holds: (input: T, seed: number, params: Params) => Answer
) => Law

const lawsOf =
  (group: string, effort = 1): Make =>
  <T extends object>(
    name: string,
    inputs: Inputs<T>,
    holds: (input: T, seed: number, params: Params) => Answer
  ) => {
    const names = Object.keys(inputs) as ReadonlyArray<string> as ReadonlyArray<keyof T & string>
    const arbs = Object.fromEntries(names.map((key) => [key, inputs[key].arb])) as {
      readonly [K in keyof T]: fc.Arbitrary<T[K]>
    }
    return law<{ readonly input: T; readonly seed: number }>({
      name,
      group,
      effort,
      input: fc.record({ input: fc.record(arbs) as fc.Arbitrary<T>, seed: fc.nat(1_000_000) }),
      show: ({ input }) => names.map((key) => `  ${key} = ${inputs[key].show(input[key])}`).join('\n'),
      holds: ({ input, seed }, params) => holds(input, seed, params)
    })
  }

const nameOf = (of: string, F: { readonly URI: unknown }): string => `${of} of ${String(F.URI)}`

const groupOf = (of: string, F: { readonly URI: unknown }, kit: object): string =>
  `${nameOf(of, F)} ${numberOf(kit)} ${numberOf(F)}`

/** Both sides of an equation whose sides are of a sampled type. */
const same =
  <T, A>(of: Sample<A>, left: (input: T) => A, right: (input: T) => A) =>
  (input: T, seed: number, params: Params): Answer =>
    compareBy(of, left(input), right(input), seed, params)

// -------------------------------------------------------------------------------------
// functor, apply, chain, monad
// -------------------------------------------------------------------------------------

/**
 * Laws of a `Functor`.
 *
 * @category type classes
 * @since 0.1.0
 */
export function functor<F extends URIS3>(F: Functor3<F>): <R, E>(kit: Kit3<F, R, E>) => LawSet
export function functor<F extends URIS2>(F: Functor2<F>): <E>(kit: Kit2<F, E>) => LawSet
export function functor<F extends URIS2, E>(F: Functor2C<F, E>): (kit: Kit2<F, E>) => LawSet
export function functor<F extends URIS>(F: Functor1<F>): (kit: Kit1<F>) => LawSet
export function functor<F>(F: Functor<F>): (kit: Kit<F>) => LawSet
export function functor<F>(F: Functor<F>): (kit: Kit<F>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('functor', F, kit))
    const x = one(kit.lift(int))
    const [f, g] = [table(str), table(int)]
    return lawSet(nameOf('functor', F), [
      make(
        'functor identity: map(x, a => a) = x',
        { x },
        same(
          kit.lift(int),
          ({ x }) => F.map(x, identity),
          ({ x }) => x
        )
      ),
      make(
        'functor composition: map(map(x, f), g) = map(x, g ∘ f)',
        { x, f, g },
        same(
          kit.lift(int),
          ({ x, f, g }) => F.map(F.map(x, call(f)), call(g)),
          ({ x, f, g }) => F.map(x, (a) => call(g)(call(f)(a)))
        )
      )
    ])
  }
}

const compose =
  (bc: (b: string) => number) =>
  (ab: (a: number) => string) =>
  (a: number): number =>
    bc(ab(a))

/**
 * Laws of an `Apply`, with those of its functor.
 *
 * @category type classes
 * @since 0.1.0
 */
export function apply<F extends URIS3>(F: Apply3<F>): <R, E>(kit: Kit3<F, R, E>) => LawSet
export function apply<F extends URIS2>(F: Apply2<F>): <E>(kit: Kit2<F, E>) => LawSet
export function apply<F extends URIS2, E>(F: Apply2C<F, E>): (kit: Kit2<F, E>) => LawSet
export function apply<F extends URIS>(F: Apply1<F>): (kit: Kit1<F>) => LawSet
export function apply<F>(F: Apply<F>): (kit: Kit<F>) => LawSet
export function apply<F>(F: Apply<F>): (kit: Kit<F>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('apply', F, kit))
    return lawSet(
      nameOf('apply', F),
      [
        make(
          'apply composition: ap(ap(map(x, compose), y), z) = ap(x, ap(y, z))',
          {
            x: one(kit.lift(int)),
            y: one(kit.lift(int)),
            z: one(kit.lift(int)),
            f: table(int),
            g: table(str)
          },
          same(
            kit.lift(int),
            ({ x, y, z, f, g }) => {
              const [bc, ab] = [F.map(x, (n) => after(call(f), n)), F.map(y, (n) => tagged(call(g), n))]
              return F.ap(F.ap(F.map(bc, compose), ab), z)
            },
            ({ x, y, z, f, g }) => {
              const [bc, ab] = [F.map(x, (n) => after(call(f), n)), F.map(y, (n) => tagged(call(g), n))]
              return F.ap(bc, F.ap(ab, z))
            }
          )
        )
      ],
      [functor(F)(kit)]
    )
  }
}

/** Functions that depend on a value as well, so that the values of all three effects count. */
const after =
  (f: (b: unknown) => number, n: number) =>
  (b: string): number =>
    f(`${b}${n}`)
const tagged =
  (g: (a: unknown) => string, n: number) =>
  (a: number): string =>
    `${g(a)}${n}`

/**
 * Laws of an `Applicative`, with those of its `Apply`.
 *
 * @category type classes
 * @since 0.1.0
 */
export function applicative<F extends URIS3>(F: Applicative3<F>): <R, E>(kit: Kit3<F, R, E>) => LawSet
export function applicative<F extends URIS2>(F: Applicative2<F>): <E>(kit: Kit2<F, E>) => LawSet
export function applicative<F extends URIS2, E>(F: Applicative2C<F, E>): (kit: Kit2<F, E>) => LawSet
export function applicative<F extends URIS>(F: Applicative1<F>): (kit: Kit1<F>) => LawSet
export function applicative<F>(F: Applicative<F>): (kit: Kit<F>) => LawSet
export function applicative<F>(F: Applicative<F>): (kit: Kit<F>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('applicative', F, kit))
    const ints = kit.lift(int)
    return lawSet(
      nameOf('applicative', F),
      [
        make(
          'applicative identity: ap(of(a => a), x) = x',
          { x: one(ints) },
          same(
            ints,
            ({ x }) =>
              F.ap(
                F.of((a: number) => a),
                x
              ),
            ({ x }) => x
          )
        ),
        make(
          'applicative homomorphism: ap(of f, of a) = of(f(a))',
          { a: one(int), f: table(int) },
          same(
            ints,
            ({ a, f }) => F.ap(F.of(call(f)), F.of(a)),
            ({ a, f }) => F.of(call(f)(a))
          )
        ),
        make(
          'applicative interchange: ap(x, of a) = ap(of(f => f(a)), x)',
          { x: one(ints), a: one(str), f: table(int) },
          same(
            ints,
            ({ x, a, f }) =>
              F.ap(
                F.map(x, (n) => after(call(f), n)),
                F.of(a)
              ),
            ({ x, a, f }) =>
              F.ap(
                F.of((of: (b: string) => number) => of(a)),
                F.map(x, (n) => after(call(f), n))
              )
          )
        ),
        make(
          'applicative map: map(x, f) = ap(of f, x)',
          { x: one(ints), f: table(int) },
          same(
            ints,
            ({ x, f }) => F.map(x, call(f)),
            ({ x, f }) => F.ap(F.of(call(f)), x)
          )
        )
      ],
      [apply(F)(kit)]
    )
  }
}

/**
 * Laws of a `Chain`, with those of its `Apply`: `ap` has to be the one of `chain`, so a parallel `ap` fails here.
 *
 * @category type classes
 * @since 0.1.0
 */
export function chain<F extends URIS3>(F: Chain3<F>): <R, E>(kit: Kit3<F, R, E>) => LawSet
export function chain<F extends URIS2>(F: Chain2<F>): <E>(kit: Kit2<F, E>) => LawSet
export function chain<F extends URIS2, E>(F: Chain2C<F, E>): (kit: Kit2<F, E>) => LawSet
export function chain<F extends URIS>(F: Chain1<F>): (kit: Kit1<F>) => LawSet
export function chain<F>(F: Chain<F>): (kit: Kit<F>) => LawSet
export function chain<F>(F: Chain<F>): (kit: Kit<F>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('chain', F, kit))
    const ints = kit.lift(int)
    return lawSet(
      nameOf('chain', F),
      [
        make(
          'chain associativity: chain(chain(x, f), g) = chain(x, a => chain(f(a), g))',
          { x: one(ints), f: table(kit.lift(str)), g: table(ints) },
          same(
            ints,
            ({ x, f, g }) => F.chain(F.chain(x, call(f)), call(g)),
            ({ x, f, g }) => F.chain(x, (a) => F.chain(call(f)(a), call(g)))
          )
        ),
        make(
          'chain coherence: ap(x, y) = chain(x, f => map(y, f))',
          { x: one(ints), y: one(kit.lift(str)), f: table(int) },
          same(
            ints,
            ({ x, y, f }) =>
              F.ap(
                F.map(x, (n) => after(call(f), n)),
                y
              ),
            ({ x, y, f }) =>
              F.chain(
                F.map(x, (n) => after(call(f), n)),
                (of) => F.map(y, of)
              )
          )
        )
      ],
      [apply(F)(kit)]
    )
  }
}

/**
 * Laws of a `Monad`, with those of its `Applicative` and `Chain`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import fc from 'fast-check'
 * import * as O from 'fp-ts/lib/Option.js'
 * import { assertLaws, type kit, monad } from 'millrace/laws'
 *
 * const option: kit.Kit1<O.URI> = {
 *   lift: (a) => ({ arb: fc.oneof(fc.constant(O.none), a.arb.map(O.some)), eq: O.getEq(a.eq) })
 * }
 *
 * assertLaws(monad(O.Monad)(option))
 *
 * const forgetful: typeof O.Monad = { ...O.Monad, map: () => O.none }
 * assert.throws(() => assertLaws(monad(forgetful)(option)), /functor identity/)
 *
 * @category type classes
 * @since 0.1.0
 */
export function monad<F extends URIS3>(F: Monad3<F>): <R, E>(kit: Kit3<F, R, E>) => LawSet
export function monad<F extends URIS2>(F: Monad2<F>): <E>(kit: Kit2<F, E>) => LawSet
export function monad<F extends URIS2, E>(F: Monad2C<F, E>): (kit: Kit2<F, E>) => LawSet
export function monad<F extends URIS>(F: Monad1<F>): (kit: Kit1<F>) => LawSet
export function monad<F>(F: Monad<F>): (kit: Kit<F>) => LawSet
export function monad<F>(F: Monad<F>): (kit: Kit<F>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('monad', F, kit))
    const ints = kit.lift(int)
    return lawSet(
      nameOf('monad', F),
      [
        make(
          'monad left identity: chain(of a, f) = f(a)',
          { a: one(int), f: table(ints) },
          same(
            ints,
            ({ a, f }) => F.chain(F.of(a), call(f)),
            ({ a, f }) => call(f)(a)
          )
        ),
        make(
          'monad right identity: chain(x, of) = x',
          { x: one(ints) },
          same(
            ints,
            ({ x }) => F.chain(x, F.of),
            ({ x }) => x
          )
        ),
        make(
          'monad coherence: map(x, f) = chain(x, a => of(f(a)))',
          { x: one(ints), f: table(int) },
          same(
            ints,
            ({ x, f }) => F.map(x, call(f)),
            ({ x, f }) => F.chain(x, (a) => F.of(call(f)(a)))
          )
        )
      ],
      [applicative(F)(kit), chain(F)(kit)]
    )
  }
}

// -------------------------------------------------------------------------------------
// failures and choice
// -------------------------------------------------------------------------------------

/** What fails needs samples of the failures too. */
type WithError<K, E> = K & { readonly error: Sample<E> }

/**
 * Laws of a `MonadThrow`, with those of its monad.
 *
 * @category type classes
 * @since 0.1.0
 */
export function monadThrow<F extends URIS3>(
  F: MonadThrow3<F>
): <R, E>(kit: WithError<Kit3<F, R, E>, E>) => LawSet
export function monadThrow<F extends URIS2>(F: MonadThrow2<F>): <E>(kit: WithError<Kit2<F, E>, E>) => LawSet
export function monadThrow<F extends URIS2, E>(
  F: MonadThrow2C<F, E>
): (kit: WithError<Kit2<F, E>, E>) => LawSet
export function monadThrow<F extends URIS>(F: MonadThrow1<F>): <E>(kit: WithError<Kit1<F>, E>) => LawSet
export function monadThrow<F>(F: MonadThrow<F>): <E>(kit: WithError<Kit<F>, E>) => LawSet
export function monadThrow<F>(F: MonadThrow<F>): <E>(kit: WithError<Kit<F>, E>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('monadThrow', F, kit))
    const ints = kit.lift(int)
    return lawSet(
      nameOf('monadThrow', F),
      [
        make(
          'monadThrow left zero: chain(throw ε, f) = throw ε',
          { ε: one(kit.error), f: table(ints) },
          same(
            ints,
            ({ ε, f }) => F.chain(F.throwError<unknown, number>(ε), call(f)),
            ({ ε }) => F.throwError<unknown, number>(ε)
          )
        )
      ],
      [monad(F)(kit)]
    )
  }
}

/**
 * Laws of an `Alt`, with those of its functor.
 *
 * @category type classes
 * @since 0.1.0
 */
export function alt<F extends URIS3>(F: Alt3<F>): <R, E>(kit: Kit3<F, R, E>) => LawSet
export function alt<F extends URIS2>(F: Alt2<F>): <E>(kit: Kit2<F, E>) => LawSet
export function alt<F extends URIS2, E>(F: Alt2C<F, E>): (kit: Kit2<F, E>) => LawSet
export function alt<F extends URIS>(F: Alt1<F>): (kit: Kit1<F>) => LawSet
export function alt<F>(F: Alt<F>): (kit: Kit<F>) => LawSet
export function alt<F>(F: Alt<F>): (kit: Kit<F>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('alt', F, kit))
    const ints = kit.lift(int)
    return lawSet(
      nameOf('alt', F),
      [
        make(
          'alt associativity: alt(alt(x, y), z) = alt(x, alt(y, z))',
          { x: one(ints), y: one(ints), z: one(ints) },
          same(
            ints,
            ({ x, y, z }) =>
              F.alt(
                F.alt(x, () => y),
                () => z
              ),
            ({ x, y, z }) => F.alt(x, () => F.alt(y, () => z))
          )
        ),
        make(
          'alt distributivity: map(alt(x, y), f) = alt(map(x, f), map(y, f))',
          { x: one(ints), y: one(ints), f: table(int) },
          same(
            ints,
            ({ x, y, f }) =>
              F.map(
                F.alt(x, () => y),
                call(f)
              ),
            ({ x, y, f }) => F.alt(F.map(x, call(f)), () => F.map(y, call(f)))
          )
        )
      ],
      [functor(F)(kit)]
    )
  }
}

/**
 * Laws of a `Bifunctor`. Failures are mapped to what the samples of failures hold.
 *
 * @category type classes
 * @since 0.1.0
 */
export function bifunctor<F extends URIS3>(
  F: Bifunctor3<F>
): <R, E>(kit: WithError<Kit3<F, R, E>, E>) => LawSet
export function bifunctor<F extends URIS2>(F: Bifunctor2<F>): <E>(kit: WithError<Kit2<F, E>, E>) => LawSet
export function bifunctor<F extends URIS2>(F: Bifunctor2<F>): <E>(kit: WithError<Kit2<F, E>, E>) => LawSet {
  return <E>(kit: WithError<Kit2<F, E>, E>) => {
    const make = lawsOf(groupOf('bifunctor', F, kit))
    const ints = kit.lift(int)
    const { error } = kit
    const x = one(ints)
    return lawSet(nameOf('bifunctor', F), [
      make(
        'bifunctor identity: bimap(x, e => e, a => a) = x',
        { x },
        same(
          ints,
          ({ x }) => F.bimap(x, identity, identity),
          ({ x }) => x
        )
      ),
      make(
        'bifunctor composition: bimap(bimap(x, f, g), h, k) = bimap(x, h ∘ f, k ∘ g)',
        { x, f: table(error), g: table(str), h: table(error), k: table(int) },
        same(
          ints,
          ({ x, f, g, h, k }) => F.bimap(F.bimap(x, call(f), call(g)), call(h), call(k)),
          ({ x, f, g, h, k }) =>
            F.bimap(
              x,
              (e) => call(h)(call(f)(e)),
              (a) => call(k)(call(g)(a))
            )
        )
      ),
      make(
        'bifunctor coherence: mapLeft(x, f) = bimap(x, f, a => a)',
        { x, f: table(error) },
        same(
          ints,
          ({ x, f }) => F.mapLeft(x, call(f)),
          ({ x, f }) => F.bimap(x, call(f), identity)
        )
      )
    ])
  }
}

// -------------------------------------------------------------------------------------
// effects from functions
// -------------------------------------------------------------------------------------

/**
 * Laws of `fromIO`, with those of its monad. The equality of the kit has to run what it compares.
 *
 * @category type classes
 * @since 0.1.0
 */
export function fromIO<F extends URIS3>(F: MonadIO3<F>): <R, E>(kit: Kit3<F, R, E>) => LawSet
export function fromIO<F extends URIS2>(F: MonadIO2<F>): <E>(kit: Kit2<F, E>) => LawSet
export function fromIO<F extends URIS2, E>(F: MonadIO2C<F, E>): (kit: Kit2<F, E>) => LawSet
export function fromIO<F extends URIS>(F: MonadIO1<F>): (kit: Kit1<F>) => LawSet
export function fromIO<F>(F: MonadIO<F>): (kit: Kit<F>) => LawSet
export function fromIO<F>(F: MonadIO<F>): (kit: Kit<F>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('fromIO', F, kit))
    const ints = kit.lift(int)
    const strs = kit.lift(str)
    return lawSet(
      nameOf('fromIO', F),
      [
        make(
          'fromIO value: fromIO(() => a) = of a',
          { a: one(int) },
          same(
            ints,
            ({ a }) => F.fromIO(() => a),
            ({ a }) => F.of(a)
          )
        ),
        make(
          'fromIO order: what is sequenced runs in order, and as often as it is sequenced',
          { times: one(int) },
          same(
            strs,
            ({ times }) => {
              let log: ReadonlyArray<string> = []
              const note = (line: string) =>
                F.fromIO(() => {
                  log = [...log, line]
                })
              const again = note('again')
              let all = F.chain(
                F.fromIO(() => {
                  log = []
                }),
                () => note('first')
              )
              for (let i = 0; i < times; i++) all = F.chain(all, () => again)
              return F.chain(all, () => F.fromIO(() => log.join()))
            },
            ({ times }) =>
              F.of(['first', ...Array.from({ length: Math.max(0, times) }, () => 'again')].join())
          )
        ),
        make(
          'fromIO laziness: what is only built does not run',
          { x: one(ints), f: table(int) },
          ({ x, f }) => {
            let runs = 0
            const io = F.fromIO(() => ++runs)
            F.chain(x, () =>
              F.map(
                F.chain(io, () => io),
                call(f)
              )
            )
            return runs === 0 ? null : wrong(`it ran ${runs} times`)
          }
        ),
        make(
          'fromIO composition: chain(fromIO(io), f) sees what io gave',
          { a: one(int), f: table(ints) },
          same(
            ints,
            ({ a, f }) =>
              F.chain(
                F.fromIO(() => a),
                call(f)
              ),
            ({ a, f }) => call(f)(a)
          )
        )
      ],
      [monad(F)(kit)]
    )
  }
}

/**
 * Laws of `fromTask`, with those of `fromIO`. Nothing here waits for a promise, since laws are synchronous: it is about tasks that are not run.
 *
 * @category type classes
 * @since 0.1.0
 */
export function fromTask<F extends URIS3>(F: MonadTask3<F>): <R, E>(kit: Kit3<F, R, E>) => LawSet
export function fromTask<F extends URIS2>(F: MonadTask2<F>): <E>(kit: Kit2<F, E>) => LawSet
export function fromTask<F extends URIS2, E>(F: MonadTask2C<F, E>): (kit: Kit2<F, E>) => LawSet
export function fromTask<F extends URIS>(F: MonadTask1<F>): (kit: Kit1<F>) => LawSet
export function fromTask<F>(F: MonadTask<F>): (kit: Kit<F>) => LawSet
export function fromTask<F>(F: MonadTask<F>): (kit: Kit<F>) => LawSet {
  return (kit) => {
    const make = lawsOf(groupOf('fromTask', F, kit))
    return lawSet(
      nameOf('fromTask', F),
      [
        make(
          'fromTask laziness: a task is not started by what is built of it, only by what runs',
          { x: one(kit.lift(int)), f: table(int) },
          ({ x, f }) => {
            let started = 0
            const task = F.fromTask(() => {
              started++
              return Promise.resolve(1)
            })
            F.chain(x, () =>
              F.map(
                F.chain(task, () => task),
                call(f)
              )
            )
            return started === 0 ? null : wrong(`the task was started ${started} times`)
          }
        )
      ],
      [fromIO(F)(kit)]
    )
  }
}

// -------------------------------------------------------------------------------------
// values
// -------------------------------------------------------------------------------------

/**
 * Laws of an `Eq`. The name says whose it is. The sample needs `arb` and, to print, `show`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { assertLaws, eq, kit } from 'millrace/laws'
 *
 * const near = { equals: (x: number, y: number) => Math.abs(x - y) <= 1 }
 * assert.throws(() => assertLaws(eq(near)(kit.int)), /transitivity/)
 *
 * @category type classes
 * @since 0.1.0
 */
export const eq =
  <A>(E: Eq<A>) =>
  (sample: Pick<Sample<A>, 'arb' | 'show'>, name = 'values'): LawSet => {
    const make = lawsOf(`eq of ${name} ${numberOf(sample)} ${numberOf(E)}`)
    const of: Sample<A> = { ...sample, eq: E }
    const copies: Input<readonly [A, A]> = {
      arb: fc.clone(sample.arb, 2),
      show: ([x]) => `two copies of ${showOf(of, x)}`
    }
    const x = one(of)
    // Several at a time: two that are equal are rare, three are rarer.
    const all: Input<ReadonlyArray<A>> = {
      arb: fc.array(sample.arb, { minLength: 1, maxLength: 8 }),
      show: (values) => values.map((value) => showOf(of, value)).join(', ')
    }
    const claim = (holds: boolean, fault: string): Answer => (holds ? null : wrong(fault))
    return lawSet(`eq of ${name}`, [
      make('eq reflexivity: x = x', { x }, ({ x }) => claim(E.equals(x, x), 'x is not equal to itself')),
      make('eq copies: what is made in the same way is equal', { copies }, ({ copies: [x, y] }) =>
        claim(E.equals(x, y) && E.equals(y, x), 'the copies are not equal')
      ),
      make('eq symmetry: x = y iff y = x', { all }, ({ all }) =>
        claim(
          all.every((x) => all.every((y) => E.equals(x, y) === E.equals(y, x))),
          'for two of them it depends on which is first'
        )
      ),
      make('eq transitivity: x = y and y = z only if x = z', { all }, ({ all }) =>
        claim(
          all.every((x) =>
            all.every((y) => !E.equals(x, y) || all.every((z) => !E.equals(y, z) || E.equals(x, z)))
          ),
          'for three of them x = y and y = z, but not x = z'
        )
      )
    ])
  }

/**
 * Laws of a `Semigroup`.
 *
 * @category type classes
 * @since 0.1.0
 */
export const semigroup =
  <A>(S: Semigroup<A>) =>
  (sample: Sample<A>, name = 'values'): LawSet => {
    const make = lawsOf(`semigroup of ${name} ${numberOf(sample)} ${numberOf(S)}`)
    const [x, y, z] = [one(sample), one(sample), one(sample)]
    return lawSet(`semigroup of ${name}`, [
      make(
        'semigroup associativity: (x <> y) <> z = x <> (y <> z)',
        { x, y, z },
        same(
          sample,
          ({ x, y, z }) => S.concat(S.concat(x, y), z),
          ({ x, y, z }) => S.concat(x, S.concat(y, z))
        )
      )
    ])
  }

/**
 * Laws of a `Monoid`, with those of its semigroup.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as N from 'fp-ts/lib/number.js'
 * import { assertLaws, kit, monoid } from 'millrace/laws'
 *
 * assertLaws(monoid(N.MonoidSum)(kit.int))
 * assert.throws(() => assertLaws(monoid({ ...N.MonoidSum, empty: 1 })(kit.int)), /left identity/)
 *
 * @category type classes
 * @since 0.1.0
 */
export const monoid =
  <A>(M: Monoid<A>) =>
  (sample: Sample<A>, name = 'values'): LawSet => {
    const make = lawsOf(`monoid of ${name} ${numberOf(sample)} ${numberOf(M)}`)
    const x = one(sample)
    return lawSet(
      `monoid of ${name}`,
      [
        make(
          'monoid left identity: empty <> x = x',
          { x },
          same(
            sample,
            ({ x }) => M.concat(M.empty, x),
            ({ x }) => x
          )
        ),
        make(
          'monoid right identity: x <> empty = x',
          { x },
          same(
            sample,
            ({ x }) => M.concat(x, M.empty),
            ({ x }) => x
          )
        )
      ],
      [semigroup(M)(sample, name)]
    )
  }
