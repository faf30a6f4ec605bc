/**
 * `Lock` lets one fiber at a time into a region. Waiting fibers enter in the order of their arrival. To limit to `n` fibers
 * use `Semaphore`; to find out about a second user instead of waiting, `ResourceGuard`.
 *
 * @since 0.1.0
 */
import type { Option } from 'fp-ts/lib/Option.js'
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as ParkingLot from '../../effect/ParkingLot.js'
import type { WouldBlock } from '../ResourceError.js'
import { waitLabel } from '../internal/waitLabel.js'
import type { NameOptions } from './Event.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a lock looks like at the moment.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Lock } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const lock = yield* Lock.make()
 *   return yield* lock.withLock(lock.statistics)
 * })
 * assert.deepEqual(
 *   TestRuntime.runExit(program),
 *   Exit.succeed({ owner: { _tag: 'Some', value: 'main' }, tasksWaiting: 0 })
 * )
 *
 * @category model
 * @since 0.1.0
 */
export interface LockStatistics {
  /** The name of the task that owns it. */
  readonly owner: Option<string>
  readonly tasksWaiting: number
}

/**
 * A lock. It belongs to the fiber that took it, and may be shared by fibers of different runs.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Lock, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const lock = yield* Lock.make()
 *     yield* group.spawn(lock.withLock(Effect.sleep(10)))
 *     yield* Effect.sleep(1)
 *     const busy = yield* Effect.either(lock.acquireNow)
 *     yield* lock.acquire
 *     const owned = yield* lock.isOwned
 *     yield* lock.release
 *     return [busy._tag, owned]
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['Left', true]))
 *
 * @category model
 * @since 0.1.0
 */
export interface Lock {
  /** Runs `fx` as the owner; the lock is free again however that ends. */
  readonly withLock: <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>
  /**
   * Waits until the lock is free, then owns it. Prefer `withLock`, which also releases. A fiber that owns it already ends
   * with a defect: it would wait for itself.
   *
   * **Cancellation.** If cancelled while waiting, the lock is untouched and the place in the queue is given up.
   */
  readonly acquire: Effect.Effect<unknown, never, void>
  /** Owns the lock if it is free and nobody waits; never waits. */
  readonly acquireNow: Effect.Effect<unknown, WouldBlock, void>
  /** Hands the lock to the one that waits longest. A defect for a fiber that does not own it. */
  readonly release: Effect.Effect<unknown, never, void>
  /** Whether this task owns it. */
  readonly isOwned: Effect.Effect<unknown, never, boolean>
  readonly statistics: Effect.Effect<unknown, never, LockStatistics>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const wouldBlock: WouldBlock = { _tag: 'WouldBlock' }

/** Operations on the lock in the operand, so that a lock is a few objects. This one gives the new owner. */
const enterLock = (self: LowLevel.Self, lock: FairLock): LowLevel.Self | LowLevel.Suspended => {
  if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  if (lock.owner === null) {
    lock.owner = self
    return self
  }
  if (lock.owner === self) return reentered(self)
  return ParkingLot.parkSelf(self, lock.lot, self)
}

const acquireLockNow = (self: LowLevel.Self, lock: FairLock): undefined | LowLevel.Suspended => {
  if (lock.owner === self) return reentered(self)
  if (lock.owner !== null) return LowLevel.failSelf(self, wouldBlock)
  lock.owner = self
  return undefined
}

const releaseLock = (self: LowLevel.Self, lock: FairLock): undefined | LowLevel.Suspended => {
  if (lock.owner !== self) return LowLevel.misuseSelf(self, notOwned)
  lock.handOver()
  return undefined
}

const notOwned = 'A Lock can be released only by the task that has acquired it. Use withLock.'

const reentered = (self: LowLevel.Self): LowLevel.Suspended =>
  LowLevel.misuseSelf(
    self,
    'The task owns this Lock already, and would wait for itself. A Lock is not re-entrant.'
  )

class FairLock implements Lock {
  owner: LowLevel.Self | null
  /** Those that wait bring themselves, the next owner, and are given that. */
  readonly lot: ParkingLot.ParkingLot<LowLevel.Self, never, LowLevel.Self>
  readonly acquire: Effect.Effect<unknown, never, void>
  readonly acquireNow: Effect.Effect<unknown, WouldBlock, void>
  readonly release: Effect.Effect<unknown, never, void>
  readonly isOwned: Effect.Effect<unknown, never, boolean>
  readonly statistics: Effect.Effect<unknown, never, LockStatistics>
  private readonly enter: Effect.Effect<unknown, never, LowLevel.Self>
  /** Releases at the end of `withLock`. The run loop runs a plain function there without a frame. */
  private readonly leave: (owner: LowLevel.Self) => Effect.Effect<unknown, never, void>

  constructor(options: NameOptions | undefined) {
    this.owner = null
    this.lot = ParkingLot.make(waitLabel('Lock.acquire', options))
    this.enter = LowLevel.operation<never, LowLevel.Self, FairLock>(enterLock, this)
    this.acquire = Effect.asUnit(this.enter)
    this.acquireNow = LowLevel.operation(acquireLockNow, this)
    this.release = LowLevel.operation(releaseLock, this)
    this.isOwned = LowLevel.operation((self) => this.owner === self)
    this.statistics = Effect.sync(() => ({
      owner: this.owner === null ? { _tag: 'None' } : { _tag: 'Some', value: LowLevel.selfName(this.owner) },
      tasksWaiting: this.lot.size()
    }))
    const leave = Effect.sync(() => {
      this.handOver()
    })
    this.leave = (owner) => (this.owner === owner ? leave : this.release)
  }

  handOver(): void {
    const { lot } = this
    if (lot.size() === 0) this.owner = null
    else {
      this.owner = lot.firstUnsafe()
      lot.succeedUnsafe(this.owner)
    }
  }

  readonly withLock = <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
    Effect.bracket(this.enter, () => fx, this.leave)
}

/**
 * A lock that nobody owns.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Concurrent, Effect, Exit, Lock } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const lock = yield* Lock.make()
 *   let balance = 0
 *   const deposit = (amount: number) =>
 *     lock.withLock(
 *       Effect.gen(function* () {
 *         const before = balance
 *         yield* Effect.checkpoint
 *         balance = before + amount
 *       })
 *     )
 *   yield* Concurrent.all([deposit(10), deposit(20)])
 *   return balance
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(30))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: NameOptions): Effect.Effect<unknown, never, Lock> =>
  Effect.sync(() => new FairLock(options))
