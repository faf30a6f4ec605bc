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
 * One after the other it is `Effect.traverseArray`; for all the failures use `validate`, for an iterable
 * `forEach`.
 *
 * **Errors.** The first failure, joined by what fails while the rest ends. A `concurrency` below 1 is a
 * defect.
 * **Cancellation.** It reaches all that run, and their ends are awaited; those that have not started never
 * start.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const tenfold = (n: number) => Effect.as(n * 10)(Effect.sleep(n))
 * const program = pipe([3, 1, 2], Concurrent.traverse(tenfold, { concurrency: 2 }))
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
 * `f` for each item, side by side, without the values. The items are taken one by one as there is room, so an
 * endless iterable is fine when `concurrency` bounds it and something ends it; one that is left early is
 * closed.
 *
 * **Errors.** As of {@link traverse}. What the iterable throws is a defect, and cancels the rest.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * function* pages() {
 *   for (let page = 1; ; page++) yield page
 * }
 * const loaded: Array<number> = []
 * const load = (page: number) =>
 *   pipe(Effect.sleep(10), Effect.andThen(Effect.sync(() => { loaded.push(page) })))
 *
 * TestRuntime.runExit(pipe(pages(), Concurrent.forEach(load, { concurrency: 2 }), Timeout.moveOnAfter(25)))
 * assert.deepEqual(loaded.sort(), [1, 2, 3, 4])
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
 * Both effects, side by side; the first failure cancels the other. For more than two use `all`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = pipe(Effect.as(1)(Effect.sleep(10)), Concurrent.both(Effect.as('x')(Effect.sleep(20))))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 'x']))
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
 * Like {@link traverse}, but a typed failure stops nobody: all the failures are collected, in the order of
 * `as`. A defect still cancels the rest. For forms and batches, where the caller wants to hear of everything
 * at once.
 *
 * **Errors.** The failures as one array, which is never empty.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const check = Effect.fromPredicate(
 *   (field: string) => field !== '',
 *   () => 'empty'
 * )
 * const program = pipe(['a', '', ''], Concurrent.validate(check))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.fail(['empty', 'empty']))
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
 * Handles each exit when it comes, one at a time, with the index of its effect. A failure of `f` cancels what
 * still runs; a failure of one of the effects is only an exit, which `f` judges.
 *
 * **Errors.** Those of `f`.
 * **Cancellation.** It reaches the effects that run and `f`, and their ends are awaited.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const lines: Array<string> = []
 * const program = pipe(
 *   [Effect.as('slow')(Effect.sleep(20)), Effect.as('quick')(Effect.sleep(10))],
 *   Concurrent.asCompleted((exit, index) =>
 *     Effect.sync(() => { lines.push(`${index}: ${exit._tag === 'Right' ? exit.right : 'failed'}`) })
 *   )
 * )
 * TestRuntime.runExit(program)
 * assert.deepEqual(lines, ['1: quick', '0: slow'])
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
export const race: <R2, E2, B>(
  that: Effect.Effect<R2, E2, B>
) => <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R & R2, E | E2, A | B> = LowLevel.race

/**
 * The first of all to end, in a value or a failure; see {@link race} for what not to race. `raceAll([])` is
 * `never`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const answer = (ms: number) => Effect.as(ms)(Effect.sleep(ms))
 * const program = Concurrent.raceAll([answer(30), answer(10), answer(20)])
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(10))
 *
 * @category the first of them
 * @since 0.1.0
 */
export const raceAll = <F extends Any>(
  fxs: ReadonlyArray<F>
): Effect.Effect<EnvOf<F>, ErrorOf<F>, ValueOf<F>> =>
  fxs.length === 0 ? Effect.never : LowLevel.firstToEnd(fxs)

/**
 * The first value; the others are cancelled and awaited. For mirrors, where a failure only means that another
 * one may do better. `Effect.orElse` tries one after the other.
 *
 * **Errors.** When none succeeds, all the failures joined by `Both`. A defect or a cancellation of one ends
 * it. `firstSuccess([])` is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Cause, Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const down = (name: string) => Effect.fail(`${name} is down`)
 * const answer = Effect.as('answer')(Effect.sleep(10))
 * const program = Concurrent.firstSuccess([down('a') as Effect.Effect<unknown, string, string>, answer])
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('answer'))
 *
 * const exit = TestRuntime.runExit(Concurrent.firstSuccess([down('a'), down('b')]))
 * assert.ok(exit._tag === 'Left')
 * assert.deepEqual(Cause.failures(exit.left), ['a is down', 'b is down'])
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
 * @example
 * import assert from 'node:assert/strict'
 * import { concatAll } from 'fp-ts/lib/Monoid.js'
 * import { Concurrent, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const fastest = concatAll(Concurrent.getRaceMonoid<unknown, never, string>())
 * const program = fastest([Effect.as('a')(Effect.sleep(20)), Effect.as('b')(Effect.sleep(10))])
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('b'))
 *
 * @category instances
 * @since 0.1.0
 */
export const getRaceMonoid = <R, E, A>(): Monoid<Effect.Effect<R, E, A>> => ({
  // A race against `never` would begin with a wait; so `empty` is a unit in cancelled scopes too.
  concat: (x, y) => (x === Effect.never ? y : y === Effect.never ? x : race(y)(x)),
  empty: Effect.never
})
