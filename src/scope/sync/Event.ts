/**
 * `Event`: a flag that is set once; many can wait for it. There is no reset: make a new one. To hand over a value use
 * `Future`.
 *
 * @since 0.1.0
 */
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as ParkingLot from '../../effect/ParkingLot.js'
import { waitLabel } from '../internal/waitLabel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What an event looks like at the moment.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Event, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.flatMap((ready: Event.Event) => ready.statistics)(Event.make())
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ isSet: false, tasksWaiting: 0 }))
 *
 * @category model
 * @since 0.1.0
 */
export interface EventStatistics {
  readonly isSet: boolean
  readonly tasksWaiting: number
}

/**
 * An event. It may be shared by fibers of different runs.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Event, Runtime } from 'millrace'
 *
 * // Set by a plain callback.
 * const program = Effect.gen(function* () {
 *   const fired = yield* Event.make()
 *   setTimeout(fired.setUnsafe, 1)
 *   yield* fired.wait
 *   return yield* fired.isSet
 * })
 * assert.equal(await Runtime.runPromise(program), true)
 *
 * @category model
 * @since 0.1.0
 */
export interface Event {
  /** Sets the flag and wakes all that wait. Setting it again does nothing. */
  readonly set: Effect.Effect<unknown, never, void>
  /** The same from a plain callback. */
  readonly setUnsafe: () => void
  readonly isSet: Effect.Effect<unknown, never, boolean>
  /**
   * Waits until the flag is set; goes on at once when it is.
   *
   * **Cancellation.** A cancelled scope is seen also when the flag is set.
   */
  readonly wait: Effect.Effect<unknown, never, void>
  readonly statistics: Effect.Effect<unknown, never, EventStatistics>
}

/**
 * How a primitive is made.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Event } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.flatMap((ready: Event.Event) => ready.wait)(Event.make({ name: 'ready' }))
 * // Nobody sets it: the report names the event.
 * assert.match(JSON.stringify(TestRuntime.runExit(program)), /Event.wait .*ready/)
 *
 * @category model
 * @since 0.1.0
 */
export interface NameOptions {
  /** Shown with what waits on it in the task tree. */
  readonly name?: string
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const done = { _tag: 'Right', right: undefined } as const

class Flag implements Event {
  private isUp = false
  private readonly lot: ParkingLot.ParkingLot<undefined, never, void>
  readonly set: Effect.Effect<unknown, never, void>
  readonly isSet: Effect.Effect<unknown, never, boolean>
  readonly wait: Effect.Effect<unknown, never, void>
  readonly statistics: Effect.Effect<unknown, never, EventStatistics>

  constructor(options: NameOptions | undefined) {
    this.lot = ParkingLot.make(waitLabel('Event.wait', options))
    this.set = Effect.sync(this.setUnsafe)
    this.isSet = Effect.sync(() => this.isUp)
    this.wait = LowLevel.operation((self) => {
      if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
      return this.isUp ? undefined : ParkingLot.parkSelf(self, this.lot, undefined)
    })
    this.statistics = Effect.sync(() => ({ isSet: this.isUp, tasksWaiting: this.lot.size() }))
  }

  readonly setUnsafe = (): void => {
    this.isUp = true
    this.lot.unparkAllUnsafe(done)
  }
}

/**
 * An event that is not set.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Event, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const ready = yield* Event.make()
 *     const task = yield* group.spawn(Effect.as('went on')(ready.wait))
 *     yield* Effect.sleep(10)
 *     yield* ready.set
 *     return yield* task.join
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('went on'))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: NameOptions): Effect.Effect<unknown, never, Event> =>
  Effect.sync(() => new Flag(options))
