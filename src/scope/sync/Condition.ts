/**
 * `Condition`: waiting for a change that is made under a lock. When a plain flag will do, use `Event`; to hand over values,
 * a memory stream.
 *
 * @since 0.1.0
 */
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as ParkingLot from '../../effect/ParkingLot.js'
import { waitLabel } from '../internal/waitLabel.js'
import type { NameOptions } from './Event.js'
import * as Lock from './Lock.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a condition looks like at the moment.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Condition, Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const changed = yield* Condition.make()
 *     yield* group.spawn(changed.withLock(changed.wait), { service: true })
 *     yield* Effect.sleep(1)
 *     return yield* changed.statistics
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ tasksWaiting: 1 }))
 *
 * @category model
 * @since 0.1.0
 */
export interface ConditionStatistics {
  readonly tasksWaiting: number
}

/**
 * A condition with its lock. `wait` and `notify` are for the owner of the lock; for others they are defects.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Condition, Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const changed = yield* Condition.make()
 *     const jobs: Array<string> = []
 *     const worker = yield* group.spawn(changed.withLock(changed.waitFor(() => jobs.shift())))
 *     yield* Effect.sleep(10)
 *     yield* changed.withLock(Effect.andThen(changed.notify(1))(Effect.sync(() => { jobs.push('job 1') })))
 *     return yield* worker.join
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('job 1'))
 *
 * @category model
 * @since 0.1.0
 */
export interface Condition {
  readonly lock: Lock.Lock
  readonly withLock: <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>
  /**
   * Releases the lock, waits for a notification, and takes the lock again.
   *
   * **Cancellation.** If cancelled while waiting, the lock is taken again before the cancellation goes on, so that the
   * region around it can leave. A notification that came first is never lost: the cancellation is then seen at the next
   * checkpoint.
   */
  readonly wait: Effect.Effect<unknown, never, void>
  /**
   * Waits until the predicate gives something truthy, which is the result; looks at it first, and after each notification.
   *
   * **Cancellation.** As of `wait`. When the predicate holds after a notification, that counts, and a cancellation is seen at
   * the next checkpoint.
   */
  readonly waitFor: <A>(predicate: () => A) => Effect.Effect<unknown, never, Truthy<A>>
  /** Wakes up to `n` of those that wait, in the order of their arrival. */
  readonly notify: (n: number) => Effect.Effect<unknown, never, void>
  readonly notifyAll: Effect.Effect<unknown, never, void>
  readonly statistics: Effect.Effect<unknown, never, ConditionStatistics>
}

/**
 * A type without what is falsy.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Condition, Effect, Runtime } from 'millrace'
 *
 * const find = (name: string): string | undefined => (name === 'Ada' ? 'Lovelace' : undefined)
 * const found: Condition.Truthy<ReturnType<typeof find>> = Runtime.runSync(
 *   Effect.gen(function* () {
 *     const changed = yield* Condition.make()
 *     return yield* changed.withLock(changed.waitFor(() => find('Ada')))
 *   })
 * )
 * assert.equal(found.length, 8)
 *
 * @category type helpers
 * @since 0.1.0
 */
export type Truthy<A> = Exclude<A, false | null | undefined | 0 | 0n | ''>

/**
 * How a condition is made.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Condition, Effect, Lock, Runtime } from 'millrace'
 *
 * // Two conditions of one queue.
 * const program = Effect.gen(function* () {
 *   const lock = yield* Lock.make()
 *   const options: Condition.ConditionOptions = { lock }
 *   const [filled, emptied] = [yield* Condition.make(options), yield* Condition.make(options)]
 *   return filled.lock === emptied.lock
 * })
 * assert.equal(Runtime.runSync(program), true)
 *
 * @category model
 * @since 0.1.0
 */
export interface ConditionOptions extends NameOptions {
  /** The lock to use; one of its own when absent. */
  readonly lock?: Lock.Lock
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const build = (lock: Lock.Lock, options: ConditionOptions | undefined): Condition => {
  const lot = ParkingLot.make<undefined, never, void>(waitLabel('Condition.wait', options))

  // Releasing is the check that the task owns the lock; nobody can come between it and the parking.
  const releaseAndPark = Effect.andThen(
    LowLevel.operation((self): undefined | LowLevel.Suspended => ParkingLot.parkSelf(self, lot, undefined))
  )(lock.release)
  // Taking the lock again is a finalizer: shielded, whatever ended the wait.
  const wait = Effect.andThen(whenOwned(lock, Effect.ensuring(lock.acquire)(releaseAndPark)))(
    Effect.checkCancelled
  )

  // After a notification the predicate is asked before any cancellation: a notification that brought the change must not be
  // lost with this task while others wait for one.
  const waitFor = <A>(predicate: () => A): Effect.Effect<unknown, never, Truthy<A>> => {
    const turn: Effect.Effect<unknown, never, Truthy<A>> = Effect.suspend(() => {
      const seen = predicate()
      return seen ? Effect.succeed(seen as Truthy<A>) : again
    })
    const again = Effect.flatMap(() => turn)(wait)
    return Effect.andThen(whenOwned(lock, turn))(Effect.checkCancelled)
  }

  const notify = (n: number): Effect.Effect<unknown, never, void> =>
    whenOwned(
      lock,
      Effect.sync(() => {
        if (Number.isNaN(n))
          throw new TypeError('Condition.notify takes a number of tasks to wake, but was given NaN.')
        for (let left = n; left > 0 && lot.size() > 0; left--) lot.succeedUnsafe(undefined)
      })
    )

  return {
    lock,
    withLock: lock.withLock,
    wait,
    waitFor,
    notify,
    notifyAll: notify(Infinity),
    statistics: Effect.sync(() => ({ tasksWaiting: lot.size() }))
  }
}

/** Runs `fx` if this task owns the lock, and otherwise says what is wrong. */
const whenOwned = <A>(
  lock: Lock.Lock,
  fx: Effect.Effect<unknown, never, A>
): Effect.Effect<unknown, never, A> =>
  Effect.flatMap((owned: boolean): Effect.Effect<unknown, never, A> =>
    owned
      ? fx
      : Effect.die(
          new TypeError('A Condition is used by the owner of its lock. Put this into condition.withLock(…).')
        )
  )(lock.isOwned)

/**
 * A condition, with a lock of its own or a given one.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Condition, Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const changed = yield* Condition.make()
 *     let stock = 0
 *     const buyer = yield* group.spawn(
 *       changed.withLock(Effect.andThen(Effect.sync(() => stock))(changed.waitFor(() => stock >= 3)))
 *     )
 *     for (let i = 0; i < 3; i++) {
 *       yield* Effect.sleep(10)
 *       yield* changed.withLock(Effect.andThen(changed.notifyAll)(Effect.sync(() => { stock++ })))
 *     }
 *     return yield* buyer.join
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(3))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: ConditionOptions): Effect.Effect<unknown, never, Condition> =>
  options?.lock === undefined
    ? Effect.map((lock: Lock.Lock) => build(lock, options))(Lock.make(options))
    : Effect.succeed(build(options.lock, options))
