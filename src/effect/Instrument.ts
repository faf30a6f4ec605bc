/**
 * `Instrument`: read-only hooks into a runtime, for metrics, traces and tests. A runtime without instruments pays nothing
 * for them. A hook must not throw and must not run effects: it is called in the middle of the run loop.
 *
 * @since 0.1.0
 */
import type { Exit } from './Exit.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Who a fiber is. Two calls about the same fiber are given the same object.
 *
 * @category model
 * @since 0.1.0
 */
export interface FiberInfo {
  /** Unique within its run; the main fiber is 1. */
  readonly id: number
  readonly name: string
}

/**
 * What a runtime reports. Give them to `Runtime.make`; leave out the hooks that are not needed.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, type Instrument, Runtime, TaskGroup } from 'millrace'
 *
 * const lines: Array<string> = []
 * const trace: Instrument.Instrument = {
 *   onSpawn: (fiber, parent) => { lines.push(`${parent.name} spawned ${fiber.name}`) },
 *   onPark: (fiber, waitsOn) => { lines.push(`${fiber.name} waits on ${waitsOn}`) },
 *   onExit: (fiber, exit) => { lines.push(`${fiber.name} ended with ${exit._tag}`) }
 * }
 *
 * const program = TaskGroup.open()((group) => group.spawn(Effect.sleep(1), { name: 'nap' }))
 * await Runtime.runPromise(program, { runtime: Runtime.make({ instruments: [trace] }) })
 * assert.deepEqual(lines, [
 *   'main spawned nap',
 *   'main waits on TaskGroup',
 *   'nap waits on sleep',
 *   'nap ended with Right',
 *   'main ended with Right'
 * ])
 *
 * @category model
 * @since 0.1.0
 */
export interface Instrument {
  /** A child was made; it has not begun. */
  readonly onSpawn?: (fiber: FiberInfo, parent: FiberInfo) => void
  /** The fiber waits, on something with this name. */
  readonly onPark?: (fiber: FiberInfo, waitsOn: string) => void
  /** The fiber has its turn, for the first time or again. */
  readonly onResume?: (fiber: FiberInfo) => void
  /** The fiber has ended. Its owner has not been told yet. */
  readonly onExit?: (fiber: FiberInfo, exit: Exit<unknown, unknown>) => void
  /**
   * What a promise came to that is part of no exit: the `Left` that a `TaskEither` gave after it was aborted, or the value or
   * the reason of a promise that was let go. A rejection that comes from the abort is not reported.
   */
  readonly onDiscard?: (fiber: FiberInfo, value: unknown) => void
}
