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

/** Always the same keys in the same order: opening a timeout is a hot path, and spreading options would slow it. */
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

/**
 * `None` when `fx` has not ended after `ms`. `Infinity` never times out; a time that is not positive ends `fx` at its first
 * checkpoint; `NaN` is a defect.
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
export const moveOnAfter =
  (ms: number, options?: TimeoutOptions) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E, Option<A>> =>
    LowLevel.withinScope(spec('moveOnAfter', ms, undefined, options), fx)

/**
 * `None` when `fx` has not ended at `time`, a time of the run's clock as `Effect.currentTime` gives it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const moveOnAt =
  (time: number, options?: TimeoutOptions) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E, Option<A>> =>
    LowLevel.withinScope(spec('moveOnAt', undefined, time, options), fx)

/**
 * Fails with `onTimeout()` when `fx` has not ended after `ms`. What its clean-up failed with comes after that failure.
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
export const failAfter =
  <const E2>(ms: number, onTimeout: () => E2, options?: TimeoutOptions) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E | E2, A> =>
    LowLevel.withinScopeOrFail(spec('failAfter', ms, undefined, options), onTimeout, fx)

/**
 * Fails with `onTimeout()` when `fx` has not ended at `time`, a time of the run's clock.
 *
 * @category combinators
 * @since 0.1.0
 */
export const failAt =
  <const E2>(time: number, onTimeout: () => E2, options?: TimeoutOptions) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E | E2, A> =>
    LowLevel.withinScopeOrFail(spec('failAt', undefined, time, options), onTimeout, fx)

/**
 * Cancellation from outside does not reach `fx`; the first checkpoint after it sees it. Finalizers are shielded by
 * themselves.
 *
 * @category combinators
 * @since 0.1.0
 */
export const shielded: <R, E, A>(fx: Effect<R, E, A>) => Effect<R, E, A> = LowLevel.shieldScope

/**
 * A shield that lasts `ms` at most: afterwards `fx` is cancelled and the value is `None`.
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
 * The earliest deadline that holds here, as a time of the run's clock: `Infinity` without one, `-Infinity` in a cancelled
 * scope. Deadlines outside of a shield do not count.
 *
 * @category inspection
 * @since 0.1.0
 */
export const currentEffectiveDeadline: Effect<unknown, never, number> = LowLevel.effectiveDeadline
