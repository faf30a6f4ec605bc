/**
 * `CapacityLimiter`: tokens that belong to borrowers; the total can change while they are in use. A borrower has one token
 * at most, so what is borrowed can be listed. For anonymous permits see `Semaphore`.
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
 * What a limiter looks like at the moment.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { CapacityLimiter, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const limiter = yield* CapacityLimiter.make(5)
 *   return yield* limiter.withTokenFor('connection 7')(limiter.statistics)
 * })
 * assert.deepEqual(
 *   TestRuntime.runExit(program),
 *   Exit.succeed({ total: 5, borrowed: 1, borrowers: ['connection 7'], tasksWaiting: 0 })
 * )
 *
 * @category model
 * @since 0.1.0
 */
export interface CapacityLimiterStatistics {
  readonly total: number
  readonly borrowed: number
  /** Who has a token: a task by its name, other borrowers as they are. */
  readonly borrowers: ReadonlyArray<unknown>
  readonly tasksWaiting: number
}

/**
 * A limiter. It never lends more than its total; lowering the total revokes nothing. It may be shared by fibers of different
 * runs.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { CapacityLimiter, Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const limiter = yield* CapacityLimiter.make(2)
 *   let inside = 0
 *   let most = 0
 *   const work = limiter.withToken(
 *     Effect.gen(function* () {
 *       most = Math.max(most, ++inside)
 *       yield* Effect.sleep(10)
 *       inside--
 *     })
 *   )
 *   yield* TaskGroup.open()((group) =>
 *     Effect.gen(function* () {
 *       for (let i = 0; i < 9; i++) yield* group.spawn(work)
 *     })
 *   )
 *   return most
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(2))
 *
 * @category model
 * @since 0.1.0
 */
export interface CapacityLimiter {
  /** Runs `fx` with a token of this task. */
  readonly withToken: <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>
  /** Runs `fx` with a token of that borrower. */
  readonly withTokenFor: (
    borrower: unknown
  ) => <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>
  /**
   * Borrows a token for this task, and waits for one if need be. A defect when the task has one already.
   *
   * **Cancellation.** If cancelled while waiting, nothing is borrowed and the place in the queue is given up.
   */
  readonly acquire: Effect.Effect<unknown, never, void>
  /** Borrows a token if there is one and nobody waits; never waits. */
  readonly acquireNow: Effect.Effect<unknown, WouldBlock, void>
  readonly acquireFor: (borrower: unknown) => Effect.Effect<unknown, never, void>
  /** Gives back the token of this task. A defect when it has none. */
  readonly release: Effect.Effect<unknown, never, void>
  readonly releaseFor: (borrower: unknown) => Effect.Effect<unknown, never, void>
  /** A whole number from 0, or `Infinity`; anything else is a defect. Raising it lets that many waiting tasks in. */
  readonly setTotal: (total: number) => Effect.Effect<unknown, never, void>
  readonly statistics: Effect.Effect<unknown, never, CapacityLimiterStatistics>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const wouldBlock: WouldBlock = { _tag: 'WouldBlock' }

/** A borrower, and its name when it is a task. */
interface Loan {
  readonly borrower: unknown
  readonly shown: () => unknown
}

const ofTask = (self: LowLevel.Self): Loan => ({ borrower: self, shown: () => LowLevel.selfName(self) })
const ofOther = (borrower: unknown): Loan => ({ borrower, shown: () => borrower })

const checkTotal = (total: number): void => {
  if (total !== Infinity && (!Number.isInteger(total) || total < 0)) {
    throw new RangeError(
      `The total of a CapacityLimiter is a whole number from 0, or Infinity, but was given ${String(total)}.`
    )
  }
}

class FairLimiter implements CapacityLimiter {
  private total: number
  private readonly loans = new Map<unknown, Loan>()
  private readonly waiting = new Set<unknown>()
  private readonly lot: ParkingLot.ParkingLot<Loan, never, void>
  readonly acquire: Effect.Effect<unknown, never, void>
  readonly acquireNow: Effect.Effect<unknown, WouldBlock, void>
  readonly release: Effect.Effect<unknown, never, void>
  readonly statistics: Effect.Effect<unknown, never, CapacityLimiterStatistics>

  constructor(total: number, options: NameOptions | undefined) {
    this.total = total
    this.lot = ParkingLot.make(waitLabel('CapacityLimiter.acquire', options), {
      onWithdraw: (loan) => {
        this.waiting.delete(loan.borrower)
      }
    })
    this.acquire = LowLevel.operation((self) => this.borrow(self, ofTask(self)))
    this.acquireNow = LowLevel.operation((self) => this.borrowNow(self, ofTask(self)))
    this.release = LowLevel.operation((self) => this.giveBack(self, self))
    this.statistics = Effect.sync(() => ({
      total: this.total,
      borrowed: this.loans.size,
      borrowers: [...this.loans.values()].map((loan) => loan.shown()),
      tasksWaiting: this.lot.size()
    }))
  }

  private borrow(self: LowLevel.Self, loan: Loan): undefined | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.loans.has(loan.borrower) || this.waiting.has(loan.borrower)) return this.borrowedTwice(self)
    if (this.lot.size() === 0 && this.loans.size < this.total) {
      this.loans.set(loan.borrower, loan)
      return undefined
    }
    this.waiting.add(loan.borrower)
    return ParkingLot.parkSelf(self, this.lot, loan)
  }

  private borrowNow(self: LowLevel.Self, loan: Loan): undefined | LowLevel.Suspended {
    if (this.loans.has(loan.borrower)) return this.borrowedTwice(self)
    if (this.lot.size() > 0 || this.loans.size >= this.total) return LowLevel.failSelf(self, wouldBlock)
    this.loans.set(loan.borrower, loan)
    return undefined
  }

  private giveBack(self: LowLevel.Self, borrower: unknown): undefined | LowLevel.Suspended {
    if (!this.loans.delete(borrower)) {
      return LowLevel.misuseSelf(
        self,
        'A token of a CapacityLimiter can be released only by the borrower that has it.'
      )
    }
    this.serve()
    return undefined
  }

  private borrowedTwice(self: LowLevel.Self): LowLevel.Suspended {
    return LowLevel.misuseSelf(
      self,
      'The borrower has a token of this CapacityLimiter already, or waits for one. Borrow for something else with acquireFor.'
    )
  }

  private serve(): void {
    while (this.lot.size() > 0 && this.loans.size < this.total) {
      const loan = this.lot.firstUnsafe()
      this.waiting.delete(loan.borrower)
      this.loans.set(loan.borrower, loan)
      this.lot.succeedUnsafe(undefined)
    }
  }

  readonly acquireFor = (borrower: unknown): Effect.Effect<unknown, never, void> =>
    LowLevel.operation((self) => this.borrow(self, ofOther(borrower)))

  readonly releaseFor = (borrower: unknown): Effect.Effect<unknown, never, void> =>
    LowLevel.operation((self) => this.giveBack(self, borrower))

  readonly withToken = <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
    Effect.bracket(
      this.acquire,
      () => fx,
      () => this.release
    )

  readonly withTokenFor =
    (borrower: unknown) =>
    <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
      Effect.bracket(
        this.acquireFor(borrower),
        () => fx,
        () => this.releaseFor(borrower)
      )

  readonly setTotal = (total: number): Effect.Effect<unknown, never, void> =>
    Effect.sync(() => {
      checkTotal(total)
      this.total = total
      this.serve()
    })
}

/**
 * A limiter with that total: a whole number from 0, or `Infinity`; anything else is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Concurrent, Effect, Exit, CapacityLimiter } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const limiter = yield* CapacityLimiter.make(1)
 *   const work = limiter.withToken(Effect.sleep(10))
 *   const before = yield* Effect.currentTime
 *   yield* Concurrent.all([work, work, limiter.setTotal(2)])
 *   return (yield* Effect.currentTime) - before
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(10))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (total: number, options?: NameOptions): Effect.Effect<unknown, never, CapacityLimiter> =>
  Effect.sync(() => {
    checkTotal(total)
    return new FairLimiter(total, options)
  })
