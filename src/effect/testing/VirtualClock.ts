/**
 * `VirtualClock`: time that stands still until it is moved, and then jumps. An hour of sleeping takes no time.
 *
 * @since 0.1.0
 */
import type { Clock } from '../Clock.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A clock that is moved by hand.
 *
 * @category model
 * @since 0.1.0
 */
export interface VirtualClock extends Clock {
  /** Jumps to the next timer and fires it; false when there is none. */
  readonly advance: () => boolean
  /** How many timers are set. */
  readonly pending: () => number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

interface Entry {
  readonly time: number
  readonly wake: () => void
}

/**
 * A clock that starts at `start` ms. The default is no round number, so that code which takes the time for
 * something else shows at once. `TestRuntime` makes its own; this is for a runtime that is driven by hand.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 * import { VirtualClock } from 'millrace/testing'
 *
 * const clock = VirtualClock.make({ start: 0 })
 * const nap = Runtime.runPromise(Effect.sleep(3_600_000), { runtime: Runtime.make({ clock }) })
 *
 * assert.equal(clock.advance(), true)
 * await nap
 * assert.equal(clock.now(), 3_600_000)
 * assert.equal(clock.advance(), false)
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: { readonly start?: number } = {}): VirtualClock => {
  let now = options.start ?? 86_413
  const entries = new Set<Entry>()
  return {
    now: () => now,
    at: (time, wake) => {
      const entry: Entry = { time, wake }
      entries.add(entry)
      return () => {
        entries.delete(entry)
      }
    },
    advance: () => {
      let first: Entry | undefined
      for (const entry of entries) if (first === undefined || entry.time < first.time) first = entry
      if (first === undefined) return false
      entries.delete(first)
      now = Math.max(now, first.time)
      first.wake()
      return true
    },
    pending: () => entries.size
  }
}
