/**
 * Laws of the fp-ts instances of `Effect`, and that what is derivable agrees with its derivation. They hold in every
 * context, also in a cancelled scope, since nothing but a wait is a cancellation point.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { apFirst, apSecond } from 'fp-ts/lib/Apply.js'
import { bind, chainFirst } from 'fp-ts/lib/Chain.js'
import * as E from 'fp-ts/lib/Either.js'
import { identity, pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as S from 'fp-ts/lib/string.js'
import { CancelScope, Cause, Concurrent, Effect, type Exit } from 'millrace'
import {
  type ContextName,
  equation,
  equationOfSets,
  everywhere,
  expectExit,
  invariant,
  noEquation,
  refinement,
  unaccompanied
} from './Equality.js'
import { type Law, lawSet, type LawSet } from './LawSet.js'
import {
  type Arrow,
  arrows,
  concurrent,
  interpret as build,
  interpretArrow as buildArrow,
  printInputs,
  type Program,
  pure,
  pures,
  sequential,
  short,
  small,
  unfailing
} from './Program.js'
import { show } from './Show.js'
import { type Sides, sidesOf } from './Sides.js'
import { type Environment, type Fx, unmixed, type World } from './World.js'

const { Functor, ApplySeq, ApplicativeSeq, ApplicativePar, Chain, Monad, MonadThrow, Alt, Bifunctor } = Effect

const sides = <T extends object>(
  group: string,
  name: string,
  inputs: { readonly [K in keyof T]: fc.Arbitrary<T[K]> },
  ways: Sides<T>,
  contexts: ReadonlyArray<ContextName> = everywhere
): Law => sidesOf(group)<T>(name, inputs, ways, contexts)

// -------------------------------------------------------------------------------------
// functor, apply, chain, monad
// -------------------------------------------------------------------------------------

const e = concurrent
const f = arrows(sequential)

interface OneFx {
  readonly e: Program
}
interface TwoPures extends OneFx {
  readonly f: number
  readonly g: number
}
interface FxArrow extends OneFx {
  readonly f: Arrow
}
interface FxArrows extends FxArrow {
  readonly g: Arrow
}
interface ThreeFx {
  readonly x: Program
  readonly y: Program
  readonly z: Program
}

const made = (w: World, name: string, program: Program): Fx => build(w, name, program)
const functions = (
  w: World,
  name: string,
  program: Program
): Effect.Effect<Environment, unknown, (value: unknown) => unknown> =>
  Effect.map((x: unknown) => (y: unknown) => [x, y])(build(w, name, program))
const exitOf = (fx: Fx): Effect.Effect<Environment, never, Exit.Exit<unknown, unknown>> => Effect.exit(fx)
const apply = (to: unknown) => (of: (value: unknown) => unknown) => of(to)
const compose = (bc: (b: unknown) => unknown) => (ab: (a: unknown) => unknown) => (a: unknown) => bc(ab(a))

/**
 * `Functor`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const functor: LawSet = lawSet('functor', [
  sides<OneFx>('functor', 'F1 map(e, identity) = e', { e }, [
    ({ e }) =>
      (w) =>
        Functor.map(made(w, 'e', e), identity),
    ({ e }) =>
      (w) =>
        made(w, 'e', e)
  ]),
  sides<TwoPures>(
    'functor',
    'F2 map(map(e, f), g) = map(e, g ∘ f), also where one throws',
    { e, f: pures, g: pures },
    [
      ({ e, f, g }) =>
        (w) =>
          Functor.map(Functor.map(made(w, 'e', e), pure(f, 'f')), pure(g, 'g')),
      ({ e, f, g }) =>
        (w) =>
          Functor.map(made(w, 'e', e), (a) => pure(g, 'g')(pure(f, 'f')(a)))
    ]
  )
])

/**
 * `Apply` and `Applicative`, one after another.
 *
 * @category law sets
 * @since 0.1.0
 */
export const applicative: LawSet = lawSet(
  'applicative',
  [
    sides<ThreeFx>('applicative', 'Ap1 composition', { x: sequential, y: sequential, z: concurrent }, [
      ({ x, y, z }) =>
        (w) => {
          const composed = Functor.map(functions(w, 'x', x), compose)
          return ApplySeq.ap(ApplySeq.ap(composed, functions(w, 'y', y)), made(w, 'z', z))
        },
      ({ x, y, z }) =>
        (w) =>
          ApplySeq.ap(functions(w, 'x', x), ApplySeq.ap(functions(w, 'y', y), made(w, 'z', z)))
    ]),
    sides<OneFx>('applicative', 'Ap2 identity', { e }, [
      ({ e }) =>
        (w) =>
          ApplicativeSeq.ap(ApplicativeSeq.of(identity), made(w, 'e', e)),
      ({ e }) =>
        (w) =>
          made(w, 'e', e)
    ]),
    sides<{ readonly f: number; readonly a: number }>(
      'applicative',
      'Ap3 homomorphism',
      { f: pures, a: fc.nat(3) },
      [
        ({ f, a }) =>
          () =>
            ApplicativeSeq.ap(ApplicativeSeq.of(pure(f, 'f')), ApplicativeSeq.of(a)),
        ({ f, a }) =>
          () =>
            Functor.map(Effect.of(a), pure(f, 'f'))
      ]
    ),
    sides<OneFx & { readonly a: number }>('applicative', 'Ap4 interchange', { e, a: fc.nat(3) }, [
      ({ e, a }) =>
        (w) =>
          ApplicativeSeq.ap(functions(w, 'e', e), ApplicativeSeq.of(a)),
      ({ e, a }) =>
        (w) =>
          ApplicativeSeq.ap(ApplicativeSeq.of(apply(a)), functions(w, 'e', e))
    ]),
    sides<TwoPures>('applicative', 'Ap5 map(e, f) = ap(of f, e)', { e, f: pures, g: pures }, [
      ({ e, f }) =>
        (w) =>
          Functor.map(made(w, 'e', e), pure(f, 'f')),
      ({ e, f }) =>
        (w) =>
          ApplicativeSeq.ap(ApplicativeSeq.of(pure(f, 'f')), made(w, 'e', e))
    ])
  ],
  [functor]
)

const pair = { x: sequential, y: concurrent }
interface Pair {
  readonly x: Program
  readonly y: Program
}

/**
 * `Chain` and `Monad`, and the coherence of what can be derived.
 *
 * @category law sets
 * @since 0.1.0
 */
export const monad: LawSet = lawSet(
  'monad',
  [
    sides<FxArrows>('monad', 'Ch1 chain(chain(e, f), g) = chain(e, a => chain(f(a), g))', { e, f, g: f }, [
      ({ e, f, g }) =>
        (w) =>
          Chain.chain(Chain.chain(made(w, 'e', e), buildArrow(w, 'f', f)), buildArrow(w, 'g', g)),
      ({ e, f, g }) =>
        (w) =>
          Chain.chain(made(w, 'e', e), (a) => Chain.chain(buildArrow(w, 'f', f)(a), buildArrow(w, 'g', g)))
    ]),
    sides<{ readonly a: number; readonly f: Arrow }>(
      'monad',
      'M1 chain(of a, f) = f(a)',
      { a: fc.nat(3), f: arrows(e) },
      [
        ({ a, f }) =>
          (w) =>
            Monad.chain(Monad.of(a), buildArrow(w, 'f', f)),
        ({ a, f }) =>
          (w) =>
            buildArrow(w, 'f', f)(a)
      ]
    ),
    sides<OneFx>('monad', 'M2 chain(e, of) = e', { e }, [
      ({ e }) =>
        (w) =>
          Monad.chain(made(w, 'e', e), Monad.of),
      ({ e }) =>
        (w) =>
          made(w, 'e', e)
    ]),
    sides<Pair>('monad', 'coherence: ap(x, y) = chain(x, f => map(y, f))', pair, [
      ({ x, y }) =>
        (w) =>
          ApplySeq.ap(functions(w, 'x', x), made(w, 'y', y)),
      ({ x, y }) =>
        (w) =>
          Chain.chain(functions(w, 'x', x), (of) => Functor.map(made(w, 'y', y), of))
    ]),
    sides<Pair>('monad', 'coherence: apFirst', pair, [
      ({ x, y }) =>
        (w) =>
          pipe(made(w, 'x', x), apFirst(ApplySeq)(made(w, 'y', y))),
      ({ x, y }) =>
        (w) =>
          Chain.chain(made(w, 'x', x), (a) => Functor.map(made(w, 'y', y), () => a))
    ]),
    sides<Pair>('monad', 'coherence: apSecond = andThen', pair, [
      ({ x, y }) =>
        (w) =>
          pipe(made(w, 'x', x), apSecond(ApplySeq)(made(w, 'y', y))),
      ({ x, y }) =>
        (w) =>
          Effect.andThen(made(w, 'y', y))(made(w, 'x', x))
    ]),
    sides<FxArrow>('monad', 'coherence: tap = chainFirst', { e, f }, [
      ({ e, f }) =>
        (w) =>
          Effect.tap(buildArrow(w, 'f', f))(made(w, 'e', e)),
      ({ e, f }) =>
        (w) =>
          pipe(made(w, 'e', e), chainFirst(Chain)(buildArrow(w, 'f', f)))
    ]),
    sides<FxArrow>('monad', 'coherence: Do, bindTo, bind and gen', { e, f }, [
      ({ e, f }) =>
        (w) =>
          pipe(
            Effect.Do,
            Effect.bind('a', () => made(w, 'e', e)),
            Effect.bind('b', ({ a }) => buildArrow(w, 'f', f)(a))
          ),
      ({ e, f }) =>
        (w) =>
          pipe(
            made(w, 'e', e),
            Effect.bindTo('a'),
            bind(Chain)('b', ({ a }) => buildArrow(w, 'f', f)(a))
          )
    ]),
    sides<FxArrow>('monad', 'coherence: gen = chain', { e, f }, [
      ({ e, f }) =>
        (w) =>
          Effect.gen(function* () {
            const a: unknown = yield* made(w, 'e', e)
            return yield* buildArrow(w, 'f', f)(a)
          }),
      ({ e, f }) =>
        (w) =>
          Chain.chain(made(w, 'e', e), buildArrow(w, 'f', f))
    ]),
    sides<ThreeFx>(
      'monad',
      'coherence: sequenceArray = the fold with ap',
      { x: sequential, y: sequential, z: sequential },
      [
        ({ x, y, z }) =>
          (w) =>
            Effect.sequenceArray([made(w, 'x', x), made(w, 'y', y), made(w, 'z', z)]),
        ({ x, y, z }) =>
          (w) =>
            RA.sequence(ApplicativeSeq)<Environment, unknown, unknown>([
              made(w, 'x', x),
              made(w, 'y', y),
              made(w, 'z', z)
            ])
      ]
    ),
    invariant({
      name: 'M3 ten thousand steps need no stack, nested to the left, to the right and through map',
      group: 'monad',
      input: fc.constant({}),
      show: printInputs,
      effort: 0.01,
      run: () => () => {
        let left: Effect.Effect<unknown, never, number> = Effect.of(0)
        for (let i = 0; i < 10_000; i++) left = Functor.map(Chain.chain(left, Effect.of), (n) => n + 1)
        const right = (n: number): Fx => (n === 0 ? left : Effect.flatMap(() => right(n - 1))(Effect.unit))
        return right(10_000)
      },
      check: expectExit('Right(10000)')
    })
  ],
  [applicative]
)

// -------------------------------------------------------------------------------------
// failures
// -------------------------------------------------------------------------------------

const orElse = (handler: (error: unknown) => Fx) => (fx: Fx) => Effect.orElse(handler)(fx)

/** Leaves the law alone unless the cause, if there is one, is a single failure or none. */
const oneFailure =
  (w: World) =>
  (fx: Fx): Fx =>
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (exit._tag !== 'Left' || Cause.isFail(exit.left)) return
        if (Cause.failures(exit.left).length > 0) w.outside = true
      })
    )(fx)

/**
 * `MonadThrow`, and what makes failures.
 *
 * @category law sets
 * @since 0.1.0
 */
export const monadThrow: LawSet = lawSet(
  'monadThrow',
  [
    sides<{ readonly f: Arrow }>('monadThrow', 'MT1 chain(throw ε, f) = throw ε', { f }, [
      ({ f }) =>
        (w) =>
          MonadThrow.chain(MonadThrow.throwError('ε'), buildArrow(w, 'f', f)),
      () => () => MonadThrow.throwError('ε')
    ]),
    sides<{ readonly a: number }>('monadThrow', 'MT2 fromEither and fromOption', { a: fc.nat(3) }, [
      ({ a }) =>
        () =>
          a % 2 === 0
            ? Effect.fromEither(E.left('ε'))
            : a === 1
              ? Effect.fromEither(E.right(a))
              : Effect.fromOption(() => 'ε')(O.some(a)),
      ({ a }) =>
        () =>
          a % 2 === 0 ? Effect.fromOption(() => 'ε')(O.none) : Effect.of(a)
    ]),
    sides<OneFx>('monadThrow', 'MT3 filterOrElse = chain with a failure', { e }, [
      ({ e }) =>
        (w) =>
          pipe(
            made(w, 'e', e),
            Effect.filterOrElse(
              (value: unknown) => value !== 0,
              () => 'ε'
            )
          ),
      ({ e }) =>
        (w) =>
          Chain.chain(made(w, 'e', e), (value: unknown): Fx =>
            value === 0 ? Effect.fail('ε') : Effect.of(value)
          )
    ])
  ],
  [monad]
)

/**
 * `Alt`, `orElse` and `catchCause`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const alt: LawSet = lawSet(
  'alt',
  [
    sides<ThreeFx>('alt', 'A1 alt is associative', { x: concurrent, y: sequential, z: sequential }, [
      ({ x, y, z }) =>
        (w) =>
          Alt.alt(
            Alt.alt(made(w, 'x', x), () => made(w, 'y', y)),
            () => made(w, 'z', z)
          ),
      ({ x, y, z }) =>
        (w) =>
          Alt.alt(made(w, 'x', x), () => Alt.alt(made(w, 'y', y), () => made(w, 'z', z)))
    ]),
    sides<{ readonly a: number }>(
      'alt',
      'A2 alt(of a, _) = of a, and the second is not evaluated',
      { a: fc.nat(3) },
      [
        ({ a }) =>
          () =>
            Alt.alt(Effect.of(a), () => {
              throw new Error('evaluated')
            }),
        ({ a }) =>
          () =>
            Effect.of(a)
      ]
    ),
    sides<OneFx>('alt', 'A3 alt(throw ε, () => e) = e', { e }, [
      ({ e }) =>
        (w) =>
          Alt.alt(MonadThrow.throwError('ε'), () => made(w, 'e', e)),
      ({ e }) =>
        (w) =>
          made(w, 'e', e)
    ]),
    sides<Pair & { readonly f: number }>(
      'alt',
      'A4 alt(map(x, f), map(y, f)) = map(alt(x, y), f)',
      { x: concurrent, y: sequential, f: fc.nat(8) },
      [
        ({ x, y, f }) =>
          (w) =>
            Alt.alt(Functor.map(made(w, 'x', x), pure(f, 'f')), () =>
              Functor.map(made(w, 'y', y), pure(f, 'f'))
            ),
        ({ x, y, f }) =>
          (w) =>
            Functor.map(
              Alt.alt(made(w, 'x', x), () => made(w, 'y', y)),
              pure(f, 'f')
            )
      ]
    ),
    sides<{ readonly a: number; readonly f: Arrow }>(
      'alt',
      'C1 orElse(of a, k) = of a',
      { a: fc.nat(3), f },
      [
        ({ a, f }) =>
          (w) =>
            orElse(buildArrow(w, 'f', f))(Effect.of(a)),
        ({ a }) =>
          () =>
            Effect.of(a)
      ]
    ),
    sides<{ readonly a: number; readonly f: Arrow }>(
      'alt',
      'C2 orElse(throw ε, k) = k(ε)',
      { a: fc.nat(3), f },
      [
        ({ a, f }) =>
          (w) =>
            orElse(buildArrow(w, 'f', f))(Effect.fail(a)),
        ({ a, f }) =>
          (w) =>
            buildArrow(w, 'f', f)(a)
      ]
    ),
    sides<OneFx>('alt', 'C3 orElse(e, throw) = e, where the cause is one failure or has none', { e }, [
      ({ e }) =>
        (w) =>
          orElse(Effect.fail)(oneFailure(w)(made(w, 'e', e))),
      ({ e }) =>
        (w) =>
          oneFailure(w)(made(w, 'e', e))
    ]),
    sides<FxArrows>('alt', 'C4 orElse(orElse(e, k), l) = orElse(e, ε => orElse(k(ε), l))', { e, f, g: f }, [
      ({ e, f, g }) =>
        (w) =>
          orElse(buildArrow(w, 'g', g))(orElse(buildArrow(w, 'f', f))(made(w, 'e', e))),
      ({ e, f, g }) =>
        (w) =>
          orElse((error) => orElse(buildArrow(w, 'g', g))(buildArrow(w, 'f', f)(error)))(made(w, 'e', e))
    ]),
    sides<{ readonly f: Arrow }>('alt', 'C5 orElse sees no cancellation', { f }, [
      ({ f }) =>
        (w) =>
          CancelScope.open((scope) =>
            pipe(scope.cancel(), Effect.andThen(orElse(buildArrow(w, 'f', f))(Effect.checkpoint)))
          ),
      () => () => CancelScope.open((scope) => pipe(scope.cancel(), Effect.andThen(Effect.checkpoint)))
    ]),
    sides<{ readonly f: Arrow }>('alt', 'C6 orElse sees no defect', { f }, [
      ({ f }) =>
        (w) =>
          orElse(buildArrow(w, 'f', f))(Effect.die('bug')),
      () => () => Effect.die('bug')
    ]),
    sides<OneFx>('alt', 'C7 catchCause(e, failCause) = e', { e }, [
      ({ e }) =>
        (w) =>
          Effect.catchCause(Effect.failCause)(made(w, 'e', e)),
      ({ e }) =>
        (w) =>
          made(w, 'e', e)
    ]),
    sides<OneFx>('alt', 'C8 chain(exit(e), fromExit) = e', { e }, [
      ({ e }) =>
        (w) =>
          Chain.chain(exitOf(made(w, 'e', e)), (exit): Fx => Effect.fromExit(exit)),
      ({ e }) =>
        (w) =>
          made(w, 'e', e)
    ]),
    sides<FxArrow>(
      'alt',
      'C9 matchEffect = orElse and chain, where the handler does not fail',
      { e, f: arrows(unfailing) },
      [
        ({ e, f }) =>
          (w) =>
            Effect.matchEffect(buildArrow(w, 'f', f), (value: unknown) => Effect.of(['value', value]))(
              made(w, 'e', e)
            ),
        ({ e, f }) =>
          (w) =>
            pipe(
              made(w, 'e', e),
              Effect.map((value: unknown) => ['value', value]),
              orElse(buildArrow(w, 'f', f))
            )
      ]
    ),
    sides<OneFx>('alt', 'C10 either and option are matches', { e }, [
      ({ e }) =>
        (w) =>
          Functor.map(Effect.either(made(w, 'e', e)), (either): unknown => O.fromEither(either)),
      ({ e }) =>
        (w) =>
          Effect.option(made(w, 'e', e))
    ])
  ],
  [monadThrow]
)

/**
 * `Bifunctor`. A failure that is mapped is a new leaf, so `mapError(identity)` is not the identity for a cause in which the
 * same leaf comes again.
 *
 * @category law sets
 * @since 0.1.0
 */
export const bifunctor: LawSet = lawSet('bifunctor', [
  sides<OneFx>('bifunctor', 'Bi1 bimap(e, identity, identity) = e', { e }, [
    ({ e }) =>
      (w) =>
        Bifunctor.bimap(made(w, 'e', e), identity, identity),
    ({ e }) =>
      (w) =>
        made(w, 'e', e)
  ]),
  sides<TwoPures>('bifunctor', 'Bi2 bimap composes', { e, f: fc.nat(8), g: fc.nat(8) }, [
    ({ e, f, g }) =>
      (w) =>
        Bifunctor.bimap(
          Bifunctor.bimap(made(w, 'e', e), (x) => [f, x], pure(f, 'f')),
          (x) => [g, x],
          pure(g, 'g')
        ),
    ({ e, f, g }) =>
      (w) =>
        Bifunctor.bimap(
          made(w, 'e', e),
          (x) => [g, [f, x]],
          (a) => pure(g, 'g')(pure(f, 'f')(a))
        )
  ]),
  sides<{ readonly a: number }>(
    'bifunctor',
    'Bi3 mapError(throw ε, g) = throw g(ε), and it passes a defect',
    { a: fc.nat(1) },
    [
      ({ a }) =>
        () =>
          Bifunctor.mapLeft(a === 0 ? Effect.fail(1) : Effect.die('bug'), (x: unknown) => ['mapped', x]),
      ({ a }) =>
        () =>
          a === 0 ? Effect.fail(['mapped', 1]) : Effect.die('bug')
    ]
  ),
  sides<OneFx>('bifunctor', 'Bi4 mapError(e, g) maps the failures of the cause and nothing else', { e }, [
    ({ e }) =>
      (w) =>
        exitOf(Effect.mapError((x: unknown) => ['mapped', x])(made(w, 'e', e))),
    ({ e }) =>
      (w) =>
        Functor.map(exitOf(made(w, 'e', e)), (exit): unknown =>
          E.mapLeft(Cause.map((x: unknown) => ['mapped', x]))(exit)
        )
  ])
])

// -------------------------------------------------------------------------------------
// environment, effects from functions, monoids
// -------------------------------------------------------------------------------------

const twice = (environment: Environment): Environment => ({
  depth: (environment.depth ?? 0) * 2 + 1
})
const more = (environment: Environment): Environment => ({
  depth: (environment.depth ?? 0) + 3
})

/**
 * The environment as a reader.
 *
 * @category law sets
 * @since 0.1.0
 */
export const reader: LawSet = lawSet('reader', [
  sides<OneFx>('reader', 'Rd1 local(f) ∘ local(g) = local(g ∘ f): the outer changes it first', { e }, [
    ({ e }) =>
      (w) =>
        Effect.local(twice)(Effect.local(more)(made(w, 'e', e))),
    ({ e }) =>
      (w) =>
        Effect.local((environment: Environment) => more(twice(environment)))(made(w, 'e', e))
  ]),
  sides<OneFx>('reader', 'Rd2 local(identity) = identity', { e }, [
    ({ e }) =>
      (w) =>
        Effect.local((environment: Environment) => environment)(made(w, 'e', e)),
    ({ e }) =>
      (w) =>
        made(w, 'e', e)
  ]),
  sides<{ readonly f: number }>('reader', 'Rd3 asks(f) = map(ask, f)', { f: pures }, [
    ({ f }) =>
      () =>
        Effect.asks((environment: Environment) => pure(f, 'f')(environment.depth)),
    ({ f }) =>
      () =>
        Effect.map((environment: Environment) => pure(f, 'f')(environment.depth))(Effect.ask<Environment>())
  ]),
  sides<OneFx>('reader', 'Rd4 local goes into scopes', { e }, [
    ({ e }) =>
      (w) =>
        Effect.local(more)(CancelScope.open(() => made(w, 'e', e))),
    ({ e }) =>
      (w) =>
        CancelScope.open(() => Effect.local(more)(made(w, 'e', e)))
  ]),
  sides<Pair>('reader', 'Rd5 local goes into an effect and its finalizer', { x: concurrent, y: sequential }, [
    ({ x, y }) =>
      (w) =>
        Effect.local(more)(Effect.ensuring(made(w, 'y', y))(made(w, 'x', x))),
    ({ x, y }) =>
      (w) =>
        Effect.ensuring(Effect.local(more)(made(w, 'y', y)))(Effect.local(more)(made(w, 'x', x)))
  ]),
  sides<Pair>('reader', 'Rd6 local goes into fibers', { x: short, y: short }, [
    ({ x, y }) =>
      (w) =>
        Effect.local(more)(Concurrent.both(made(w, 'y', y))(made(w, 'x', x))),
    ({ x, y }) =>
      (w) =>
        Concurrent.both(Effect.local(more)(made(w, 'y', y)))(Effect.local(more)(made(w, 'x', x)))
  ])
])

/**
 * `FromIO`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const fromIO: LawSet = lawSet('fromIO', [
  sides<{ readonly a: number }>('fromIO', 'IO1 fromIO(() => a) = of a', { a: fc.nat(3) }, [
    ({ a }) =>
      () =>
        Effect.fromIO(() => a),
    ({ a }) =>
      () =>
        Effect.of(a)
  ]),
  sides<{ readonly a: number }>('fromIO', 'IO2 fromIO keeps the order', { a: fc.nat(3) }, [
    () =>
      ({ note }) =>
        Effect.fromIO(() => {
          note('first')
          note('second')
        }),
    () =>
      ({ note }) =>
        Effect.andThen(Effect.fromIO(() => note('second')))(Effect.fromIO(() => note('first')))
  ]),
  sides<{ readonly a: number }>('fromIO', 'IO3 fromIO(throw x) = die x', { a: fc.nat(3) }, [
    ({ a }) =>
      () =>
        Effect.fromIO(() => {
          throw a
        }),
    ({ a }) =>
      () =>
        Effect.die(a)
  ]),
  invariant({
    name: 'IO4 it runs as often as it is sequenced, and never by being built',
    group: 'fromIO',
    input: fc.record({ times: fc.nat(5) }),
    show: printInputs,
    run:
      ({ times }) =>
      (w) => {
        let runs = 0
        const io = Effect.fromIO(() => ++runs)
        let all: Fx = Effect.unit
        for (let i = 0; i < times; i++) all = Effect.andThen(io)(all)
        return Effect.andThen(Effect.suspend(() => w.tick(`${runs}`)))(all)
      },
    check: ({ trace }, { times }) => (trace.join() === `${times}@0` ? null : `expected ${times} runs`)
  })
])

const strings = (w: World, name: string, program: Program): Effect.Effect<Environment, unknown, string> =>
  Effect.map(show)(build(w, name, program))

/**
 * `getSemigroup` and `getMonoid`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const monoid: LawSet = lawSet('monoid', [
  sides<ThreeFx>(
    'monoid',
    'Mo1 getSemigroup is associative',
    { x: sequential, y: sequential, z: concurrent },
    [
      ({ x, y, z }) =>
        (w) => {
          const { concat } = Effect.getSemigroup<Environment, unknown, string>(S.Semigroup)
          return concat(concat(strings(w, 'x', x), strings(w, 'y', y)), strings(w, 'z', z))
        },
      ({ x, y, z }) =>
        (w) => {
          const { concat } = Effect.getSemigroup<Environment, unknown, string>(S.Semigroup)
          return concat(strings(w, 'x', x), concat(strings(w, 'y', y), strings(w, 'z', z)))
        }
    ]
  ),
  sides<OneFx & { readonly left: boolean }>('monoid', 'Mo2 getMonoid has a unit', { e, left: fc.boolean() }, [
    ({ e, left }) =>
      (w) => {
        const { concat, empty } = Effect.getMonoid<Environment, unknown, string>(S.Monoid)
        return left ? concat(empty, strings(w, 'e', e)) : concat(strings(w, 'e', e), empty)
      },
    ({ e }) =>
      (w) =>
        strings(w, 'e', e)
  ]),
  equation({
    name: 'Mo3 never is the unit of race, where nothing cancels from outside',
    group: 'monoid',
    contexts: ['alone'],
    input: fc.record({ e: sequential, left: fc.boolean() }),
    show: printInputs,
    left:
      ({ e, left }) =>
      (w) => {
        const { concat, empty } = Concurrent.getRaceMonoid<Environment, unknown, unknown>()
        return left ? concat(empty, made(w, 'e', e)) : concat(made(w, 'e', e), empty)
      },
    right:
      ({ e }) =>
      (w) =>
        made(w, 'e', e)
  })
])

// -------------------------------------------------------------------------------------
// side by side
// -------------------------------------------------------------------------------------

const parallelOf = Concurrent.both

/**
 * The parallel applicative: a lawful applicative of its own, and not the one of the monad.
 *
 * @category law sets
 * @since 0.1.0
 */
export const applicativePar: LawSet = lawSet('applicativePar', [
  equationOfSets<OneFx>({
    name: 'P1 identity: ap(of identity, e) = e, where nothing else runs, up to where a cancellation stands in a cause',
    group: 'applicativePar',
    contexts: unaccompanied,
    input: fc.record({ e: small }),
    show: printInputs,
    left:
      ({ e }) =>
      (w) =>
        ApplicativePar.ap(ApplicativePar.of(identity), unmixed(w)(made(w, 'e', e))),
    right:
      ({ e }) =>
      (w) =>
        unmixed(w)(made(w, 'e', e))
  }),
  refinement<OneFx>({
    name: 'P2 identity elsewhere: what e does, ap(of identity, e) may do (it takes one turn more)',
    group: 'applicativePar',
    input: fc.record({ e: short }),
    show: printInputs,
    left:
      ({ e }) =>
      (w) =>
        unmixed(w)(made(w, 'e', e)),
    right:
      ({ e }) =>
      (w) =>
        ApplicativePar.ap(ApplicativePar.of(identity), unmixed(w)(made(w, 'e', e)))
  }),
  sides<{ readonly f: number; readonly a: number }>(
    'applicativePar',
    'P3 homomorphism',
    { f: pures, a: fc.nat(3) },
    [
      ({ f, a }) =>
        () =>
          ApplicativePar.ap(ApplicativePar.of(pure(f, 'f')), ApplicativePar.of(a)),
      ({ f, a }) =>
        () =>
          Functor.map(ApplicativePar.of(a), pure(f, 'f'))
    ]
  ),
  equationOfSets<OneFx & { readonly a: number }>({
    name: 'P4 interchange',
    group: 'applicativePar',
    input: fc.record({ e: small, a: fc.nat(3) }),
    show: printInputs,
    left:
      ({ e, a }) =>
      (w) =>
        ApplicativePar.ap(functions(w, 'e', e), ApplicativePar.of(a)),
    right:
      ({ e, a }) =>
      (w) =>
        ApplicativePar.ap(ApplicativePar.of(apply(a)), functions(w, 'e', e))
  }),
  equationOfSets<ThreeFx>({
    name: 'P5 composition, of effects that do not fail',
    group: 'applicativePar',
    contexts: ['alone'],
    input: fc.record({ x: unfailing, y: unfailing, z: unfailing }),
    show: printInputs,
    left:
      ({ x, y, z }) =>
      (w) => {
        const composed = Functor.map(functions(w, 'x', x), compose)
        return ApplicativePar.ap(ApplicativePar.ap(composed, functions(w, 'y', y)), made(w, 'z', z))
      },
    right:
      ({ x, y, z }) =>
      (w) =>
        ApplicativePar.ap(functions(w, 'x', x), ApplicativePar.ap(functions(w, 'y', y), made(w, 'z', z)))
  }),
  invariant<Pair>({
    name: 'P6 on success it gives the value that one after another gives, in the longer of the times',
    group: 'applicativePar',
    input: fc.record({ x: unfailing, y: unfailing }),
    show: printInputs,
    run:
      ({ x, y }) =>
      (w) => {
        const quiet = (program: Program, name: string): Fx => made(w, name, program)
        const timedOf = (fx: Fx): Effect.Effect<Environment, unknown, readonly [unknown, number]> =>
          Effect.suspend(() => {
            const start = w.elapsed()
            return Effect.map((value: unknown) => [value, w.elapsed() - start] as const)(fx)
          })
        return Effect.gen(function* () {
          const [xs, xTime] = yield* timedOf(quiet(x, 'x'))
          const [ys, yTime] = yield* timedOf(quiet(y, 'y'))
          const [both, time] = yield* timedOf(parallelOf(quiet(y, 'y'))(quiet(x, 'x')))
          return show(both) === show([xs, ys]) && time === Math.max(xTime, yTime)
        })
      },
    check: expectExit('Right(true)')
  }),
  noEquation<Pair>({
    name: 'P7 it is not the applicative of the monad',
    group: 'applicativePar',
    input: fc.record({ x: short, y: short }),
    show: printInputs,
    left:
      ({ x, y }) =>
      (w) =>
        ApplicativePar.ap(functions(w, 'x', x), made(w, 'y', y)),
    right:
      ({ x, y }) =>
      (w) =>
        ApplicativeSeq.ap(functions(w, 'x', x), made(w, 'y', y))
  })
])

/**
 * All of them.
 *
 * @category law sets
 * @since 0.1.0
 */
export const typeClasses: LawSet = lawSet(
  'type classes',
  [],
  [functor, applicative, monad, monadThrow, alt, bifunctor, reader, fromIO, monoid, applicativePar]
)
