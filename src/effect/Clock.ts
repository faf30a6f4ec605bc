/**
 * `Clock` is where a run gets its time from: what time it is, and a call at a later time. The runtime of the host uses
 * {@link host}; tests use the virtual clock of `millrace/testing`. Times are milliseconds on a monotonic scale; only
 * their differences mean anything.
 *
 * @since 0.1.0
 */
import type { IO } from 'fp-ts/lib/IO.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A source of time. Write one to slow a simulation down or to read another timer; in tests the virtual clock
 * is there already.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Clock, Effect, Runtime } from 'millrace'
 *
 * // A minute of the program is about a millisecond of the host.
 * const fast: Clock.Clock = {
 *   now: () => Clock.host.now() * 60_000,
 *   at: (time, wake) => Clock.host.at(time / 60_000, wake)
 * }
 * await Runtime.runPromise(Effect.sleep(60_000), { runtime: Runtime.make({ clock: fast }) })
 * assert.ok(fast.now() > Clock.host.now())
 *
 * @category model
 * @since 0.1.0
 */
export interface Clock {
  /** The time, in ms. Never goes back. */
  readonly now: IO<number>
  /** Calls `wake` once, at `time` or later; the result takes the call back. */
  readonly at: (time: number, wake: () => void) => IO<void>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** What a host's timer can hold; longer delays are split. */
const longest = 2 ** 31 - 1

/**
 * The clock of the host: `performance.now()` and `setTimeout`. Delays beyond 2³¹−1 ms are split, and a timer of the host
 * that fires early is set again.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Clock } from 'millrace'
 *
 * const before = Clock.host.now()
 * assert.ok(Clock.host.now() >= before)
 *
 * @category constructors
 * @since 0.1.0
 */
export const host: Clock = {
  now: () => performance.now(),
  at: (time, wake) => {
    const arm = () => setTimeout(fire, Math.min(Math.max(0, Math.ceil(time - performance.now())), longest))
    const fire = () => {
      if (performance.now() < time) handle = arm()
      else wake()
    }
    let handle = arm()
    return () => {
      clearTimeout(handle)
    }
  }
}
