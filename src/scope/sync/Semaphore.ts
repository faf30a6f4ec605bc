/**
 * `Semaphore`: a number of permits that are taken and given back, by anyone. Waiting fibers are served in the order of their
 * arrival, also when a later one would need fewer. For one permit a user, accounted to that user, see `CapacityLimiter`.
 *
 * @since 0.1.0
 */
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
 * What a semaphore looks like at the moment.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Semaphore } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const semaphore = yield* Semaphore.make(5)
 *   return yield* semaphore.withPermits(3)(semaphore.statistics)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ available: 2, tasksWaiting: 0 }))
 *
 * @category model
 * @since 0.1.0
 */
export interface SemaphoreStatistics {
  readonly available: number
  readonly tasksWaiting: number
}

/**
 * A semaphore. It may be shared by fibers of different runs.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Semaphore, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Permits may be given by one task and taken by another: a count of what is ready.
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const ready = yield* Semaphore.make(0)
 *     yield* group.spawn(Effect.forEach(() => Effect.andThen(ready.release)(Effect.sleep(10)))([1, 2, 3]))
 *     const before = yield* Effect.currentTime
 *     for (let i = 0; i < 3; i++) yield* ready.acquire
 *     return (yield* Effect.currentTime) - before
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(30))
 *
 * @category model
 * @since 0.1.0
 */
export interface Semaphore {
  /** Runs `fx` with one permit, which is given back however that ends. */
  readonly withPermit: <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>
  /** Runs `fx` with `n` permits. A defect when there can never be so many. */
  readonly withPermits: (n: number) => <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>
  /**
   * Takes a permit, and waits for one if need be. Prefer `withPermit`, which gives it back.
   *
   * **Cancellation.** If cancelled while waiting, no permit is taken and the place in the queue is given up.
   */
  readonly acquire: Effect.Effect<unknown, never, void>
  /** Takes a permit if there is one and nobody waits; never waits. */
  readonly acquireNow: Effect.Effect<unknown, WouldBlock, void>
  /** Gives a permit back. A defect when there would be more than `max`. */
  readonly release: Effect.Effect<unknown, never, void>
  readonly statistics: Effect.Effect<unknown, never, SemaphoreStatistics>
}

/**
 * How a semaphore is made.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Cause, Effect, Semaphore } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const options: Semaphore.SemaphoreOptions = { max: 1 }
 * const program = Effect.flatMap((semaphore: Semaphore.Semaphore) => semaphore.release)(Semaphore.make(1, options))
 * const exit = TestRuntime.runExit(program)
 * assert.ok(exit._tag === 'Left')
 * assert.match(Cause.pretty(exit.left), /More permits were released than acquired/)
 *
 * @category model
 * @since 0.1.0
 */
export interface SemaphoreOptions extends NameOptions {
  /** Releasing above this is a defect; no bound when absent. */
  readonly max?: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const wouldBlock: WouldBlock = { _tag: 'WouldBlock' }

const take = (self: LowLevel.Self, semaphore: FairSemaphore, n: number): undefined | LowLevel.Suspended => {
  if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  // Nobody overtakes those that wait.
  if (semaphore.available >= n && semaphore.lot.size() === 0) {
    semaphore.available -= n
    return undefined
  }
  return ParkingLot.parkSelf(self, semaphore.lot, n)
}

const takeNow = (self: LowLevel.Self, semaphore: FairSemaphore): undefined | LowLevel.Suspended => {
  if (semaphore.available < 1 || semaphore.lot.size() > 0) return LowLevel.failSelf(self, wouldBlock)
  semaphore.available--
  return undefined
}

const giveBack = (
  self: LowLevel.Self,
  semaphore: FairSemaphore,
  n: number
): undefined | LowLevel.Suspended => {
  if (semaphore.available + n > semaphore.max) return LowLevel.misuseSelf(self, tooMany(semaphore))
  semaphore.available += n
  semaphore.serve()
  return undefined
}

const tooMany = ({ max }: FairSemaphore): string =>
  `More permits were released than acquired: the Semaphore has ${max} at most.`

class FairSemaphore implements Semaphore {
  available: number
  readonly max: number
  /** Those that wait bring the number of permits that they need. */
  readonly lot: ParkingLot.ParkingLot<number, never, void>
  readonly acquire: Effect.Effect<unknown, never, void>
  readonly acquireNow: Effect.Effect<unknown, WouldBlock, void>
  readonly release: Effect.Effect<unknown, never, void>
  readonly statistics: Effect.Effect<unknown, never, SemaphoreStatistics>
  /** Gives one back at the end of `withPermit`. The run loop runs a plain function there without a frame. */
  private readonly leave: () => Effect.Effect<unknown, never, void>

  constructor(permits: number, options: SemaphoreOptions | undefined) {
    this.available = permits
    this.max = options?.max ?? Infinity
    this.lot = ParkingLot.make(waitLabel('Semaphore.acquire', options), {
      // The one behind may need fewer.
      onWithdraw: () => {
        this.serve()
      }
    })
    this.acquire = LowLevel.operation(take, this, 1)
    this.acquireNow = LowLevel.operation(takeNow, this)
    this.release = LowLevel.operation(giveBack, this, 1)
    this.statistics = Effect.sync(() => ({ available: this.available, tasksWaiting: this.lot.size() }))
    const leave = Effect.sync(() => {
      if (this.available >= this.max) throw new TypeError(tooMany(this))
      this.available++
      this.serve()
    })
    this.leave = () => leave
  }

  serve(): void {
    const { lot } = this
    while (lot.size() > 0 && lot.firstUnsafe() <= this.available) {
      this.available -= lot.firstUnsafe()
      lot.succeedUnsafe(undefined)
    }
  }

  readonly withPermit = <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
    Effect.bracket(this.acquire, () => fx, this.leave)

  readonly withPermits = (n: number): (<R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>) => {
    const acquire = LowLevel.operation(take, this, n)
    const release = LowLevel.operation(giveBack, this, n)
    return (fx) =>
      Effect.bracket(
        Effect.andThen(acquire)(
          Effect.sync(() => {
            if (!Number.isInteger(n) || n < 0 || n > this.max) {
              throw new RangeError(
                `withPermits takes a whole number from 0 to ${this.max}, but was given ${String(n)}.`
              )
            }
          })
        ),
        () => fx,
        () => release
      )
  }
}

/**
 * A semaphore with that many permits. A defect when the number is negative or not whole, or above `max`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Concurrent, Effect, Exit, Semaphore } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const semaphore = yield* Semaphore.make(2)
 *   const work = semaphore.withPermit(Effect.sleep(10))
 *   const before = yield* Effect.currentTime
 *   yield* Concurrent.all([work, work, work])
 *   return (yield* Effect.currentTime) - before
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(20))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (permits: number, options?: SemaphoreOptions): Effect.Effect<unknown, never, Semaphore> =>
  Effect.sync(() => {
    const max = options?.max ?? Infinity
    if (!Number.isInteger(permits) || permits < 0 || permits > max) {
      throw new RangeError(
        `A Semaphore needs a whole number of permits from 0 to ${String(max)}, but was given ${String(permits)}.`
      )
    }
    return new FairSemaphore(permits, options)
  })
