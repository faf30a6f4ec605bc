/**
 * `Future`: a value or a failure that comes once; many can wait for it. Each completion says whether it was the first.
 *
 * @since 0.1.0
 */
import * as Effect from '../../effect/Effect.js'
import * as Exit from '../../effect/Exit.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as ParkingLot from '../../effect/ParkingLot.js'
import type { Option } from 'fp-ts/lib/Option.js'
import { waitLabel } from '../internal/waitLabel.js'
import type { NameOptions } from './Event.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a future looks like at the moment.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Future } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const answer = yield* Future.make<never, number>()
 *   yield* answer.succeed(42)
 *   return yield* answer.statistics
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ isDone: true, tasksWaiting: 0 }))
 *
 * @category model
 * @since 0.1.0
 */
export interface FutureStatistics {
  readonly isDone: boolean
  readonly tasksWaiting: number
}

/**
 * A future. It may be shared by fibers of different runs.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Future, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open<string>()((group) =>
 *   Effect.gen(function* () {
 *     const answer = yield* Future.make<string, number>()
 *     const both = [yield* group.spawnOwned(answer.wait), yield* group.spawnOwned(answer.wait)]
 *     yield* answer.fail('no')
 *     return [yield* both[0]!.wait, yield* both[1]!.wait]
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([Exit.fail('no'), Exit.fail('no')]))
 *
 * @category model
 * @since 0.1.0
 */
export interface Future<in out E, in out A> {
  /** Completes it with a value; false when it was complete. */
  readonly succeed: (a: A) => Effect.Effect<unknown, never, boolean>
  /** Completes it with a failure; false when it was complete. */
  readonly fail: (e: E) => Effect.Effect<unknown, never, boolean>
  /** Completes it with an exit; false when it was complete. */
  readonly complete: (exit: Exit.Exit<E, A>) => Effect.Effect<unknown, never, boolean>
  /** The same from a plain callback. */
  readonly completeUnsafe: (exit: Exit.Exit<E, A>) => boolean
  /**
   * Waits for the value; goes on at once when it is there.
   *
   * **Errors.** The failure that it was completed with.
   * **Cancellation.** A cancelled scope is seen also when it is complete.
   */
  readonly wait: Effect.Effect<unknown, E, A>
  /** The exit, once there is one. Never waits. */
  readonly poll: Effect.Effect<unknown, never, Option<Exit.Exit<E, A>>>
  readonly statistics: Effect.Effect<unknown, never, FutureStatistics>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

class Cell<E, A> implements Future<E, A> {
  private exit: Exit.Exit<E, A> | null = null
  private readonly lot: ParkingLot.ParkingLot<undefined, never, void>
  readonly wait: Effect.Effect<unknown, E, A>
  readonly poll: Effect.Effect<unknown, never, Option<Exit.Exit<E, A>>>
  readonly statistics: Effect.Effect<unknown, never, FutureStatistics>

  constructor(options: NameOptions | undefined) {
    this.lot = ParkingLot.make(waitLabel('Future.wait', options))
    const arrival = LowLevel.operation((self) => {
      if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
      return this.exit === null ? ParkingLot.parkSelf(self, this.lot, undefined) : undefined
    })
    // By `fromExit`, so that an exit from another scope cannot pass off its cancellation as one of this fiber.
    this.wait = Effect.flatMap(() => Effect.fromExit(this.exit as Exit.Exit<E, A>))(arrival)
    this.poll = Effect.sync(() =>
      this.exit === null ? { _tag: 'None' } : { _tag: 'Some', value: this.exit }
    )
    this.statistics = Effect.sync(() => ({ isDone: this.exit !== null, tasksWaiting: this.lot.size() }))
  }

  readonly completeUnsafe = (exit: Exit.Exit<E, A>): boolean => {
    if (this.exit !== null) return false
    this.exit = exit
    this.lot.unparkAllUnsafe(Exit.succeed(undefined))
    return true
  }

  readonly complete = (exit: Exit.Exit<E, A>): Effect.Effect<unknown, never, boolean> =>
    Effect.sync(() => this.completeUnsafe(exit))

  readonly succeed = (a: A): Effect.Effect<unknown, never, boolean> => this.complete(Exit.succeed(a))

  readonly fail = (e: E): Effect.Effect<unknown, never, boolean> =>
    this.complete({ _tag: 'Left', left: { _tag: 'Fail', error: e } })
}

/**
 * A future that is not complete.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Future } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const answer = yield* Future.make<never, number>()
 *   assert.equal(yield* answer.succeed(42), true)
 *   assert.equal(yield* answer.succeed(43), false)
 *   return yield* answer.wait
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(42))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <E = never, A = void>(
  options?: NameOptions
): Effect.Effect<unknown, never, Future<E, A>> => Effect.sync(() => new Cell<E, A>(options))
