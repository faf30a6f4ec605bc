/**
 * Bounded work and bounded clean-up. A timeout cancels what is inside and waits for its clean-up; `grace` bounds that too.
 *
 * Times count from entry, in ms. What ends with a value in time, or before its first wait, keeps it.
 *
 * @since 0.1.0
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { Effect } from '../effect/Effect.js'
import * as LowLevel from '../effect/LowLevel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What all timeouts take.
 *
 * @category model
 * @since 0.1.0
 */
export interface TimeoutOptions {
  /** Cancellation from outside does not come in; the timeout still works. */
  readonly shield?: boolean
  /** Ms that clean-up may take once the time is over; then its shields end, and what was cut is reported as a defect. */
  readonly grace?: number
  readonly name?: string
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

// Opening a timeout is a hot path. The options always have the same keys in the same order, and `moveOnAfter` has less than 27 bytes
// of bytecode, so that V8 sees through it in any case, and what it gives is no object either.

const withinScope = LowLevel.withinScope

const spec = (
  name: string,
  after: number | undefined,
  at: number | undefined,
  options: TimeoutOptions | undefined
): LowLevel.ScopeOptions => ({
  name: options?.name ?? name,
  after,
  at,
  shield: options?.shield,
  grace: options?.grace
})

const movingOnAfter = (ms: number, options: TimeoutOptions | undefined): LowLevel.ScopeOptions =>
  spec('moveOnAfter', ms, undefined, options)

/**
 * `None` when `fx` has not ended after `ms`. `Infinity` never times out; a time that is not positive ends
 * `fx` at its first checkpoint. To fail instead use `failAfter`.
 *
 * **Errors.** Those of `fx`, also of its clean-up after the time was over. `NaN` is a defect.
 * **Cancellation.** From outside it passes through, unless `shield` is set. The end of `fx` is awaited: what
 * shields itself for longer takes longer, unless there is a `grace`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const slow = pipe(Effect.sleep(100), Timeout.moveOnAfter(10))
 * assert.deepEqual(TestRuntime.runExit(slow), Exit.succeed({ _tag: 'None' }))
 *
 * @category combinators
 * @since 0.1.0
 */
export const moveOnAfter = (
  ms: number,
  options?: TimeoutOptions
): (<R, E, A>(fx: Effect<R, E, A>) => Effect<R, E, Option<A>>) => withinScope(movingOnAfter(ms, options))

/**
 * `None` when `fx` has not ended at `time`, a time of the run's clock as `Effect.currentTime` gives it. For
 * several steps that share one deadline; otherwise `moveOnAfter` is shorter.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const deadline = (yield* Effect.currentTime) + 100
 *   const first = yield* pipe(Effect.as('a')(Effect.sleep(60)), Timeout.moveOnAt(deadline))
 *   const second = yield* pipe(Effect.as('b')(Effect.sleep(60)), Timeout.moveOnAt(deadline))
 *   return [first._tag, second._tag]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['Some', 'None']))
 *
 * @category combinators
 * @since 0.1.0
 */
export const moveOnAt = (
  time: number,
  options?: TimeoutOptions
): (<R, E, A>(fx: Effect<R, E, A>) => Effect<R, E, Option<A>>) =>
  withinScope(spec('moveOnAt', undefined, time, options))

/**
 * Fails with `onTimeout()` when `fx` has not ended after `ms`. Times are as those of `moveOnAfter`.
 *
 * **Errors.** Those of `fx`, and that of `onTimeout`, after which comes what the clean-up failed with. `NaN`
 * is a defect.
 * **Cancellation.** From outside it passes through, unless `shield` is set, and is no timeout.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const slow = pipe(Effect.sleep(100), Timeout.failAfter(10, () => ({ _tag: 'TooSlow' })))
 * assert.deepEqual(TestRuntime.runExit(slow), Exit.fail({ _tag: 'TooSlow' }))
 *
 * @category combinators
 * @since 0.1.0
 */
export const failAfter = <const E2>(
  ms: number,
  onTimeout: () => E2,
  options?: TimeoutOptions
): (<R, E, A>(fx: Effect<R, E, A>) => Effect<R, E | E2, A>) =>
  LowLevel.withinScopeOrFail(spec('failAfter', ms, undefined, options), onTimeout)

/**
 * Fails with `onTimeout()` when `fx` has not ended at `time`, a time of the run's clock.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // The time is over already: the effect ends at its first checkpoint.
 * const program = pipe(
 *   Effect.currentTime,
 *   Effect.flatMap((now) => pipe(Effect.sleep(1), Timeout.failAt(now, () => 'too late')))
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.fail('too late'))
 *
 * @category combinators
 * @since 0.1.0
 */
export const failAt = <const E2>(
  time: number,
  onTimeout: () => E2,
  options?: TimeoutOptions
): (<R, E, A>(fx: Effect<R, E, A>) => Effect<R, E | E2, A>) =>
  LowLevel.withinScopeOrFail(spec('failAt', undefined, time, options), onTimeout)

/**
 * Cancellation from outside does not reach `fx`; the first checkpoint after it sees it. For steps that must
 * not be cut in two. Finalizers are shielded by themselves; a shield around work that may take long holds up
 * every shutdown, so prefer `shieldedFor` there.
 *
 * **Cancellation.** Held off until `fx` has ended, or until a `grace` around it is over. Scopes inside work
 * as anywhere.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const lines: Array<string> = []
 * const log = (line: string) => Effect.sync(() => { lines.push(line) })
 * const transfer = pipe(
 *   log('debit'),
 *   Effect.andThen(Effect.sleep(20)),
 *   Effect.andThen(log('credit')),
 *   Timeout.shielded
 * )
 * const program = pipe(transfer, Effect.andThen(Effect.sleep(20)), Effect.andThen(log('report')))
 *
 * TestRuntime.runExit(pipe(program, Timeout.moveOnAfter(10)))
 * assert.deepEqual(lines, ['debit', 'credit'])
 *
 * @category combinators
 * @since 0.1.0
 */
export const shielded: <R, E, A>(fx: Effect<R, E, A>) => Effect<R, E, A> = LowLevel.shieldScope

/**
 * A shield that lasts `ms` at most: afterwards `fx` is cancelled and the value is `None`. For a polite
 * goodbye that may take a moment, but not for ever.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const goodbye = (ms: number) => pipe(Effect.as('acknowledged')(Effect.sleep(ms)), Timeout.shieldedFor(100))
 *
 * assert.deepEqual(
 *   TestRuntime.runExit(Effect.tuple([goodbye(50), goodbye(500)])),
 *   Exit.succeed([{ _tag: 'Some', value: 'acknowledged' }, { _tag: 'None' }])
 * )
 *
 * @category combinators
 * @since 0.1.0
 */
export const shieldedFor = (ms: number): (<R, E, A>(fx: Effect<R, E, A>) => Effect<R, E, Option<A>>) =>
  moveOnAfter(ms, { shield: true, name: 'shieldedFor' })

// -------------------------------------------------------------------------------------
// inspection
// -------------------------------------------------------------------------------------

/**
 * The earliest deadline that holds here, as a time of the run's clock: `Infinity` without one, `-Infinity` in
 * a cancelled scope. Deadlines outside of a shield do not count. For telling a server how long an answer is
 * of use, or for not starting what cannot end in time.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const remaining = Effect.gen(function* () {
 *   return (yield* Timeout.currentEffectiveDeadline) - (yield* Effect.currentTime)
 * })
 * const program = pipe(
 *   remaining,
 *   Timeout.failAfter(500, () => 'inner'),
 *   Timeout.failAfter(200, () => 'outer')
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(200))
 *
 * @category inspection
 * @since 0.1.0
 */
export const currentEffectiveDeadline: Effect<unknown, never, number> = LowLevel.effectiveDeadline
