/**
 * The laws of Functor, Apply, Chain, Monad, MonadThrow, Alt and Bifunctor, on effects that may fail, die, wait and be
 * cancelled, compared by all that can be observed: exit, trace and end time; in four contexts and under several seeds.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, LowLevel } from 'millrace'
import { type Fx, inCancelled, run, shown, trace } from '../support/kernel.js'

type Small = Fx<number, string>

/** A small effect as data, so that a counterexample can be read; `log` is the trace of the run. */
type Recipe = (log: (line: string) => void) => Small
type AnyRecipe = (log: (line: string) => void) => Fx<unknown, string>

const named = (name: string, recipe: Recipe): Recipe => Object.assign(recipe, { toString: () => name })

const leaf: fc.Arbitrary<Recipe> = fc.oneof(
  fc.nat({ max: 3 }).map((n) => named(`of ${n}`, () => Effect.succeed(n))),
  fc.nat({ max: 3 }).map((n) =>
    named(`sync ${n}`, (log) =>
      Effect.sync(() => {
        log(`sync ${n}`)
        return n
      })
    )
  ),
  fc.constantFrom('a', 'b').map((e) => named(`fail ${e}`, () => Effect.fail(e))),
  fc.constant(named('die', () => Effect.die('bug'))),
  fc.constant(
    named('throw', () =>
      Effect.sync(() => {
        throw new Error('thrown')
      })
    )
  ),
  fc.nat({ max: 3 }).map((ms) => named(`sleep ${ms}`, () => pipe(Effect.sleep(ms), Effect.as(ms)))),
  fc.constant(named('checkpoint', () => pipe(Effect.checkpoint, Effect.as(7)))),
  fc.constant(named('yieldNow', () => pipe(Effect.yieldNow, Effect.as(8))))
)

const recipe: fc.Arbitrary<Recipe> = fc.letrec<{ recipe: Recipe }>((tie) => ({
  recipe: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(tie('recipe'), tie('recipe'))
      .map(([x, y]) =>
        named(`then(${String(x)}, ${String(y)})`, (log) => pipe(x(log), Effect.andThen(y(log))))
      ),
    fc
      .tuple(tie('recipe'), tie('recipe'))
      .map(([x, y]) =>
        named(`ensuring(${String(x)}, ${String(y)})`, (log) => pipe(x(log), Effect.ensuring(y(log))))
      ),
    fc.tuple(tie('recipe'), tie('recipe')).map(([x, y]) =>
      named(`orElse(${String(x)}, ${String(y)})`, (log) =>
        pipe(
          x(log),
          Effect.orElse(() => y(log))
        )
      )
    )
  )
})).recipe

/** Continuations. */
const kleisli: fc.Arbitrary<(log: (line: string) => void) => (n: number) => Small> = recipe.map((x) =>
  Object.assign(
    (log: (line: string) => void) => (n: number) =>
      pipe(
        x(log),
        Effect.map((m) => m + n)
      ),
    { toString: () => `n => ${String(x)} + n` }
  )
)

const functions: fc.Arbitrary<(n: number) => number> = fc.constantFrom(
  (n: number) => n + 1,
  (n: number) => n * 10,
  (n: number): number => {
    throw new Error(`thrown at ${n}`)
  }
)

const contexts: ReadonlyArray<readonly [string, (fx: Fx<unknown, string>) => Fx<unknown, string>]> = [
  ['at the root', (fx) => fx],
  ['in a cancelled scope', (fx) => Effect.map(shown)(inCancelled(fx))],
  ['with a deadline', (fx) => LowLevel.withinScope({ name: 's', after: 2 })(fx)],
  [
    'in a finalizer',
    (fx) => pipe(Effect.fail('before'), Effect.ensuring(fx), (inner) => inCancelled(inner), Effect.map(shown))
  ]
]

/** What can be observed of an effect in a context. */
const observe = (
  make: AnyRecipe,
  context: (fx: Fx<unknown, string>) => Fx<unknown, string>,
  seed: number
): string => {
  const log = trace()
  const program = Effect.gen(function* () {
    const before = yield* Effect.currentTime
    const exit = yield* Effect.exit(context(make((line) => log.lines.push(line))))
    return `${shown(exit)} after ${(yield* Effect.currentTime) - before}`
  })
  return `${run(program, seed)} [${log.lines.join(', ')}]`
}

const same = (left: AnyRecipe, right: AnyRecipe): void => {
  for (const [name, context] of contexts) {
    for (const seed of [0, 1])
      expect(observe(left, context, seed), name).to.equal(observe(right, context, seed))
  }
}

const { Monad, MonadThrow, Alt, Bifunctor, ApplicativeSeq } = Effect

describe('Effect: laws', () => {
  it('tells different effects apart, so that these laws can fail', () => {
    expect(() =>
      same(
        () => Effect.succeed(1),
        () => Effect.succeed(2)
      )
    ).to.throw()
    expect(() =>
      same(
        () => Effect.unit,
        () => Effect.sleep(1)
      )
    ).to.throw()
    expect(() =>
      same(
        () => Effect.yieldNow,
        () => Effect.checkpoint
      )
    ).to.throw()
  })

  it('Functor: identity and composition', () => {
    fc.assert(
      fc.property(recipe, functions, functions, (x, f, g) => {
        same((log) => Monad.map(x(log), (n) => n), x)
        same(
          (log) => Monad.map(Monad.map(x(log), f), g),
          (log) => Monad.map(x(log), (n) => g(f(n)))
        )
      })
    )
  })

  it('Monad: left and right identity, associativity', () => {
    fc.assert(
      fc.property(recipe, kleisli, kleisli, fc.nat({ max: 3 }), (x, f, g, n) => {
        same(
          (log) => Monad.chain(Monad.of(n), f(log)),
          (log) => f(log)(n)
        )
        same((log) => Monad.chain(x(log), (m) => Monad.of(m)), x)
        same(
          (log) => Monad.chain(Monad.chain(x(log), f(log)), g(log)),
          (log) => Monad.chain(x(log), (m) => Monad.chain(f(log)(m), g(log)))
        )
      })
    )
  })

  it('Apply: what it derives from Chain, and composition', () => {
    fc.assert(
      fc.property(recipe, recipe, recipe, (x, y, z) => {
        const add = (of: Recipe) => (log: (line: string) => void) =>
          Monad.map(of(log), (n) => (m: number) => n + m)
        same(
          (log) => Monad.ap(add(x)(log), y(log)),
          (log) => Monad.chain(x(log), (n) => Monad.map(y(log), (m) => n + m))
        )
        same(
          (log) =>
            ApplicativeSeq.ap(
              ApplicativeSeq.ap(
                ApplicativeSeq.map(add(x)(log), (f) => (g: (m: number) => number) => (m: number) => f(g(m))),
                add(y)(log)
              ),
              z(log)
            ),
          (log) => ApplicativeSeq.ap(add(x)(log), ApplicativeSeq.ap(add(y)(log), z(log)))
        )
      })
    )
  })

  it('gen, do notation and tuple are flatMap', () => {
    fc.assert(
      fc.property(recipe, recipe, (x, y) => {
        const byChain: Recipe = (log) => Monad.chain(x(log), (n) => Monad.map(y(log), (m) => n + m))
        same(
          (log) =>
            Effect.gen(function* () {
              return (yield* x(log)) + (yield* y(log))
            }),
          byChain
        )
        same(
          (log) =>
            pipe(
              Effect.Do,
              Effect.bind('n', () => x(log)),
              Effect.apS('m', y(log)),
              Effect.map(({ n, m }) => n + m)
            ),
          byChain
        )
        same(
          (log) => Effect.map(([n, m]: readonly [number, number]) => n + m)(Effect.tuple([x(log), y(log)])),
          byChain
        )
      })
    )
  })

  it('MonadThrow: a failure is a left zero of chain', () => {
    fc.assert(
      fc.property(kleisli, (f) => {
        same(
          (log) => MonadThrow.chain(MonadThrow.throwError<unknown, string, number>('e'), f(log)),
          () => MonadThrow.throwError('e')
        )
      })
    )
  })

  it('Alt: associativity, left identity, distributivity over map', () => {
    fc.assert(
      fc.property(recipe, recipe, recipe, (x, y, z) => {
        const one = (n: number) => n + 1
        same(
          (log) =>
            Alt.alt(
              Alt.alt(x(log), () => y(log)),
              () => z(log)
            ),
          (log) => Alt.alt(x(log), () => Alt.alt(y(log), () => z(log)))
        )
        same((log) => Alt.alt(Effect.fail('e'), () => x(log)), x)
        same(
          (log) =>
            Alt.map(
              Alt.alt(x(log), () => y(log)),
              one
            ),
          (log) => Alt.alt(Alt.map(x(log), one), () => Alt.map(y(log), one))
        )
      })
    )
  })

  it('Bifunctor: identity and composition', () => {
    const f = (e: string) => `${e}!`
    const g = (e: string) => `${e}?`
    fc.assert(
      fc.property(recipe, functions, functions, (x, h, i) => {
        same(
          (log) =>
            Bifunctor.bimap(
              x(log),
              (e) => e,
              (n) => n
            ),
          x
        )
        // Where the right sides throw, the left ones see nothing of it.
        same(
          (log) => Bifunctor.bimap(Bifunctor.bimap(x(log), f, h), g, i),
          (log) =>
            Bifunctor.bimap(
              x(log),
              (e) => g(f(e)),
              (n) => i(h(n))
            )
        )
        same(
          (log) => Bifunctor.mapLeft(x(log), f),
          (log) => Bifunctor.bimap(x(log), f, (n) => n)
        )
      })
    )
  })

  it('catchCause and failCause are inverse, exit and fromExit are', () => {
    fc.assert(
      fc.property(recipe, (x) => {
        same(
          (log) =>
            pipe(
              x(log),
              Effect.catchCause((cause) => Effect.failCause(cause))
            ),
          x
        )
        same(
          (log) =>
            pipe(
              x(log),
              Effect.exit,
              Effect.flatMap((exit) => Effect.fromExit(exit))
            ),
          x
        )
      })
    )
  })

  it('a finalizer that does nothing changes nothing', () => {
    fc.assert(
      fc.property(recipe, (x) => {
        same((log) => pipe(x(log), Effect.ensuring(Effect.unit)), x)
        same(
          (log) =>
            Effect.bracket(
              Effect.unit,
              () => x(log),
              () => Effect.unit
            ),
          x
        )
      })
    )
  })

  it('a scope without a deadline and a shield in a shield change nothing', () => {
    fc.assert(
      fc.property(recipe, (x) => {
        same(
          (log) =>
            pipe(
              LowLevel.withinScope({ name: 's' })(x(log)),
              Effect.map((some) => (some._tag === 'Some' ? some.value : -1))
            ),
          x
        )
        same(
          (log) => LowLevel.shieldScope(LowLevel.shieldScope(x(log))),
          (log) => LowLevel.shieldScope(x(log))
        )
      })
    )
  })
})
