/**
 * Side by side: all of several effects, the first of several, a bounded number at a time. Everything here behaves as if it
 * were written with task groups, and leaves nothing behind: what is not needed any more is cancelled and awaited.
 *
 * Arms start at once and in order, each as a task of its own that inherits the fiber-locals. For tasks whose number is not
 * known in advance use `TaskGroup`.
 *
 * @since 0.1.0
 */
import type { Applicative3 } from 'fp-ts/lib/Applicative.js'
import type { Monoid } from 'fp-ts/lib/Monoid.js'
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import * as Effect from '../effect/Effect.js'
import type { Any, EnvOf, ErrorOf, URI, ValueOf } from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'
import { boundedApplicative } from './internal/boundedApplicative.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How many at a time.
 *
 * @category model
 * @since 0.1.0
 */
export interface ConcurrencyOptions {
  /** How many at a time, at least 1; all when absent. */
  readonly concurrency?: number
}

// -------------------------------------------------------------------------------------
// all of them
// -------------------------------------------------------------------------------------

const identity = <A>(a: A): A => a

const overArray = <A>(
  kind: string,
  as: ReadonlyArray<A>,
  f: (a: A) => Any,
  options: ConcurrencyOptions | undefined
): LowLevel.ArmsOptions => ({
  kind,
  ...options,
  arm: (index) => (index < as.length ? f(as[index] as A) : null)
})

/**
 * `f` for each of `as`, side by side; the values in the order of `as`. The first failure cancels the rest.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = pipe([3, 1, 2], Concurrent.traverse((n) => Effect.as(n * 10)(Effect.sleep(n)), { concurrency: 2 }))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([30, 10, 20]))
 *
 * @category all of them
 * @since 0.1.0
 */
export const traverse =
  <A, F extends Any>(f: (a: A) => F, options?: ConcurrencyOptions) =>
  (as: ReadonlyArray<A>): Effect.Effect<EnvOf<F>, ErrorOf<F>, ReadonlyArray<ValueOf<F>>> =>
    LowLevel.all(() => overArray('traverse', as, f, options))

/**
 * `f` for each item, side by side. The items are taken one by one as there is room, so an endless iterable is fine when
 * something ends it.
 *
 * @category all of them
 * @since 0.1.0
 */
export const forEach =
  <A, F extends Any>(f: (a: A) => F, options?: ConcurrencyOptions) =>
  (as: Iterable<A>): Effect.Effect<EnvOf<F>, ErrorOf<F>, void> =>
    Effect.suspend(() => {
      const items = as[Symbol.iterator]()
      const arms: LowLevel.ArmsOptions = {
        kind: 'forEach',
        ...options,
        arm: () => {
          const item = items.next()
          return item.done === true ? null : f(item.value)
        }
      }
      const run: Effect.Effect<EnvOf<F>, ErrorOf<F>, void> = Effect.asUnit(LowLevel.all(() => arms))
      // An iterable may hold something open, as a generator does.
      return Effect.ensuring(Effect.sync(() => items.return?.()))(run)
    })

/**
 * All of a tuple, an array or a record of effects, side by side. The first failure cancels the rest. The tasks of a record
 * are named after its keys.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const both = Concurrent.all({ a: Effect.succeed(1), b: Effect.as('x')(Effect.sleep(10)) })
 * assert.deepEqual(TestRuntime.runExit(both), Exit.succeed({ a: 1, b: 'x' }))
 *
 * @category all of them
 * @since 0.1.0
 */
export const all: {
  <T extends ReadonlyArray<Any>>(
    items: readonly [...T],
    options?: ConcurrencyOptions
  ): Effect.Effect<EnvOf<T[number]>, ErrorOf<T[number]>, { readonly [K in keyof T]: ValueOf<T[K]> }>
  <T extends { readonly [key: string]: Any }>(
    fields: T,
    options?: ConcurrencyOptions
  ): Effect.Effect<EnvOf<T[keyof T]>, ErrorOf<T[keyof T]>, { readonly [K in keyof T]: ValueOf<T[K]> }>
} = (fields: ReadonlyArray<Any> | { readonly [key: string]: Any }, options?: ConcurrencyOptions): never => {
  // The overloads say what comes out; inside, a tuple, an array and a record are the same list of arms.
  if (isArray(fields)) return LowLevel.all(() => overArray('all', fields, identity, options)) as never
  const keys = Object.keys(fields)
  const values: Effect.Effect<never, unknown, ReadonlyArray<unknown>> = LowLevel.all(() => ({
    ...overArray('all', keys, (key) => fields[key] as Any, options),
    name: (index) => keys[index] as string
  }))
  return Effect.map((of: ReadonlyArray<unknown>) => Object.fromEntries(keys.map((key, i) => [key, of[i]])))(
    values
  ) as never
}

const isArray = <A, B extends object>(value: ReadonlyArray<A> | B): value is ReadonlyArray<A> =>
  Array.isArray(value)

/**
 * Both effects, side by side.
 *
 * @category all of them
 * @since 0.1.0
 */
export const both =
  <R2, E2, B>(that: Effect.Effect<R2, E2, B>) =>
  <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R & R2, E | E2, readonly [A, B]> =>
    // Two arms give two values; a list of arms has no type for that.
    LowLevel.all(() => overArray<Any>('both', [fx, that], identity, undefined)) as never

/**
 * Like {@link traverse}, but a typed failure stops nobody: all the failures are collected, in the order of `as`. A defect
 * still cancels the rest.
 *
 * @category all of them
 * @since 0.1.0
 */
export const validate =
  <A, F extends Any>(f: (a: A) => F, options?: ConcurrencyOptions) =>
  (
    as: ReadonlyArray<A>
  ): Effect.Effect<EnvOf<F>, ReadonlyNonEmptyArray<ErrorOf<F>>, ReadonlyArray<ValueOf<F>>> =>
    LowLevel.validateAll(() => overArray('validate', as, f, options))

const nothing = (): void => undefined

/**
 * Handles each exit when it comes, one at a time. A failure of `f` cancels what still runs.
 *
 * @category all of them
 * @since 0.1.0
 */
export const asCompleted =
  <E, A, R2, E2>(
    f: (exit: Exit<E, A>, index: number) => Effect.Effect<R2, E2, unknown>,
    options?: ConcurrencyOptions
  ) =>
  <R>(fxs: ReadonlyArray<Effect.Effect<R, E, A>>): Effect.Effect<R & R2, E2, void> =>
    Effect.suspend(() => {
      const ended: Array<readonly [Exit<E, A>, number]> = []
      let wake: () => void = nothing
      const report = (fx: Effect.Effect<R, E, A>, index: number): Effect.Effect<R, never, void> =>
        Effect.map((exit: Exit<E, A>) => {
          ended.push([exit, index])
          wake()
        })(Effect.exit(fx))

      const next: Effect.Effect<unknown, never, void> = LowLevel.park('Concurrent.asCompleted', (resume) => {
        wake = () => {
          resume({ _tag: 'Right', right: undefined })
        }
        return () => {
          wake = nothing
          return true
        }
      })

      const handleAll = Effect.gen(function* () {
        for (let handled = 0; handled < fxs.length; handled++) {
          if (ended.length === handled) yield* next
          const [exit, index] = ended[handled] as readonly [Exit<E, A>, number]
          yield* f(exit, index)
        }
      })
      // The handler is the first arm, beside as many others as are asked for.
      const runAll: Effect.Effect<R, never, unknown> = LowLevel.all(() => ({
        ...overArray('asCompleted', fxs, identity, options),
        arm: (index) => (index < fxs.length ? report(fxs[index] as Effect.Effect<R, E, A>, index) : null)
      }))
      return Effect.asUnit(both(runAll)(handleAll))
    })

// -------------------------------------------------------------------------------------
// the first of them
// -------------------------------------------------------------------------------------

/**
 * The first to end, in a value or a failure; the other is cancelled and awaited. What fails in its clean-up joins.
 *
 * The value of a loser is dropped, so never race what must not be lost, such as receives of a stream. An arm that cannot be
 * cancelled is awaited: this is no way to abandon it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const slow = Effect.as('slow')(Effect.sleep(20))
 * const fast = Effect.as('fast')(Effect.sleep(10))
 * assert.deepEqual(TestRuntime.runExit(pipe(slow, Concurrent.race(fast))), Exit.succeed('fast'))
 *
 * @category the first of them
 * @since 0.1.0
 */
export const race =
  <R2, E2, B>(that: Effect.Effect<R2, E2, B>) =>
  <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R & R2, E | E2, A | B> =>
    LowLevel.firstToEnd([fx, that] as ReadonlyArray<Effect.Effect<R & R2, E | E2, A | B>>)

/**
 * The first of all to end; `raceAll([])` is `never`.
 *
 * @category the first of them
 * @since 0.1.0
 */
export const raceAll = <F extends Any>(
  fxs: ReadonlyArray<F>
): Effect.Effect<EnvOf<F>, ErrorOf<F>, ValueOf<F>> =>
  fxs.length === 0 ? Effect.never : LowLevel.firstToEnd(fxs)

/**
 * The first value; the others are cancelled and awaited. When none succeeds, all the failures are joined by `Both`. A defect
 * or a cancellation of one ends it. `firstSuccess([])` is a defect.
 *
 * @category the first of them
 * @since 0.1.0
 */
export const firstSuccess = <F extends Any>(
  fxs: ReadonlyArray<F>
): Effect.Effect<EnvOf<F>, ErrorOf<F>, ValueOf<F>> =>
  fxs.length === 0
    ? Effect.die(new RangeError('Concurrent.firstSuccess needs at least one effect.'))
    : LowLevel.firstToSucceed(fxs)

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * For fp-ts's `traverse` and `sequence`: at most `concurrency` effects at a time. The chain of applications that these build
 * is run as one composition, so that the bound holds for all of it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as RA from 'fp-ts/lib/ReadonlyArray.js'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = pipe([1, 2, 3], RA.traverse(Concurrent.getApplicativePar(2))((n) => Effect.as(n)(Effect.sleep(n))))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 2, 3]))
 *
 * @category instances
 * @since 0.1.0
 */
export const getApplicativePar = (concurrency: number): Applicative3<URI> => boundedApplicative(concurrency)

/**
 * `concat` races, `empty` is `never`.
 *
 * @category instances
 * @since 0.1.0
 */
export const getRaceMonoid = <R, E, A>(): Monoid<Effect.Effect<R, E, A>> => ({
  // A race against `never` would begin with a wait; so `empty` is a unit in cancelled scopes too.
  concat: (x, y) => (x === Effect.never ? y : y === Effect.never ? x : race(y)(x)),
  empty: Effect.never
})
