/**
 * Promises in and out. An effect made here starts its promise each time it runs.
 *
 * A cancellation aborts the signal, then waits for the promise to settle, so that nothing runs on unobserved. Then a value
 * is kept, since the work was done; a rejection that comes from the abort is the cancellation; any other rejection joins it.
 * For a promise that cannot be aborted, `abandonOnCancel` lets go at once and still observes a late rejection.
 *
 * Out of effects: `Runtime.runPromise`, or {@link toPromise} for code that wants an fp-ts `Task`.
 *
 * @since 0.1.0
 */
import type { Task } from 'fp-ts/lib/Task.js'
import type { Effect } from '../effect/Effect.js'
import * as LowLevel from '../effect/LowLevel.js'
import type { RunOptions } from '../effect/Runtime.js'
import { runWithin } from './internal/following.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How to wait for a promise.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Promises, Runtime, Timeout } from 'millrace'
 *
 * // It can neither be aborted nor does it settle, so the timeout has to let go of it.
 * const stuck = Promises.fromPromise(() => new Promise<number>(() => {}), { abandonOnCancel: true })
 * assert.deepEqual(await Runtime.runPromise(pipe(stuck, Timeout.moveOnAfter(1))), { _tag: 'None' })
 *
 * @category model
 * @since 0.1.0
 */
export interface PromiseOptions {
  /** Let go at once when cancelled, for a promise that cannot be aborted. */
  readonly abandonOnCancel?: boolean
}

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/**
 * Waits for the promise of `f`. The signal aborts when the effect is cancelled; it is made only for a
 * function that declares the parameter.
 *
 * **Errors.** None expected: a rejection is a defect. For typed failures use {@link tryPromise}.
 * **Cancellation.** Before `f` was called, nothing happens. Afterwards see the head of the module.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { setTimeout as delay } from 'node:timers/promises'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Promises, Runtime, Timeout } from 'millrace'
 *
 * const answer = Promises.fromPromise(() => Promise.resolve(42))
 * assert.equal(await Runtime.runPromise(answer), 42)
 *
 * const slow = Promises.fromPromise((signal) => delay(60_000, 'late', { signal }))
 * assert.deepEqual(await Runtime.runPromise(pipe(slow, Timeout.moveOnAfter(1))), { _tag: 'None' })
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromPromise = <A>(
  f: (signal: AbortSignal) => PromiseLike<A>,
  options?: PromiseOptions
): Effect<unknown, never, A> =>
  LowLevel.awaitPromise(f, options === undefined ? plain : { ...plain, ...options })

const plain = { label: 'fromPromise' }

/**
 * Waits for the promise of `f`, whose rejections are failures.
 *
 * **Errors.** What `onReject` makes of a rejection. What `f` itself throws is a defect.
 * **Cancellation.** A rejection that comes from the abort (`signal.reason`, an error with it as `cause`, or one named
 * `AbortError`) is the cancellation and is not mapped.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Cause, Promises, Runtime } from 'millrace'
 *
 * const refused = Promises.tryPromise(
 *   () => Promise.reject(new Error('no')),
 *   (reason) => ({ _tag: 'Refused', reason })
 * )
 * const exit = await Runtime.runExit(refused)
 * assert.ok(exit._tag === 'Left')
 * assert.equal(Cause.failures(exit.left)[0]?._tag, 'Refused')
 *
 * @category conversions
 * @since 0.1.0
 */
export const tryPromise = <A, const E>(
  f: (signal: AbortSignal) => PromiseLike<A>,
  onReject: (reason: unknown) => E,
  options?: PromiseOptions
): Effect<unknown, E, A> => LowLevel.awaitPromise(f, { label: 'tryPromise', onReject, ...options })

/**
 * A lazy promise of the effect, an fp-ts `Task`, which rejects as `Runtime.runPromise` does. Where it is called inside of
 * another wait, and that has a signal (see `AbortSignals.current`), it is cancelled with it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Promises } from 'millrace'
 *
 * const task = Promises.toPromise(Effect.succeed(42))
 * assert.equal(await task(), 42)
 *
 * @category conversions
 * @since 0.1.0
 */
export const toPromise =
  <E, A>(fx: Effect<{}, E, A>, options: RunOptions = {}): Task<A> =>
  () =>
    runWithin(fx, options)
