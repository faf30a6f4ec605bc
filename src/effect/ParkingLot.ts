/**
 * `ParkingLot` is the one wait queue under every primitive that makes fibers wait: fair (first in, first out), cancellable,
 * and counted. Locks, events and channels are a few lines of state over one or two of these.
 *
 * A fiber that parks brings an item along, which whoever unparks it can read: a channel's waiting sender brings what it
 * sends.
 *
 * @since 0.1.0
 */
import type { Effect } from './Effect.js'
import type { Exit } from './Exit.js'
import type { Fiber } from './internal/fiber.js'
import type { Untyped } from './internal/op.js'
import { modeOf, primitive, type PrimitiveFunction } from './internal/primitives.js'
import { WaitList } from './internal/waiting.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A queue of fibers that wait. They bring an `I` and are resumed with a value `A` or a failure `E`.
 *
 * The members with `Unsafe` act at once; use them inside `Effect.sync` or from a plain callback.
 *
 * @category model
 * @since 0.1.0
 */
export interface ParkingLot<in out I, in E, in A> {
  /** How many fibers wait. */
  readonly size: () => number
  /** What the first one brought; throws when nobody waits. */
  readonly firstUnsafe: () => I
  /** Resumes the first one. From then on its operation has happened: a cancellation cannot take it back. */
  readonly unparkUnsafe: (exit: Exit<E, A>) => void
  /** Resumes all of them, in order. */
  readonly unparkAllUnsafe: (exit: Exit<E, A>) => void
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

class Lot implements ParkingLot<Untyped, Untyped, Untyped> {
  readonly waiters: WaitList

  constructor(label: string) {
    this.waiters = new WaitList(label)
  }

  readonly size = (): number => this.waiters.length

  readonly firstUnsafe = (): Untyped => {
    const { head } = this.waiters
    if (head === null) throw new Error(`millrace: nobody waits for ${this.waiters.label}`)
    return head.waitItem
  }

  readonly unparkUnsafe = (exit: Exit<Untyped, Untyped>): void => {
    const { head } = this.waiters
    if (head === null) throw new Error(`millrace: nobody waits for ${this.waiters.label}`)
    this.waiters.remove(head)
    head.resume(modeOf(exit), exit._tag === 'Right' ? exit.right : exit.left)
  }

  readonly unparkAllUnsafe = (exit: Exit<Untyped, Untyped>): void => {
    while (this.waiters.head !== null) this.unparkUnsafe(exit)
  }
}

/**
 * An empty lot. `label` names the wait in the task tree, such as `Lock.acquire`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, ParkingLot, Runtime, TaskGroup } from 'millrace'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const lot = ParkingLot.make<string, never, number>('answer')
 *     const task = yield* group.spawn(ParkingLot.park(lot, 'a question'))
 *     yield* Effect.yieldNow
 *     assert.equal(lot.firstUnsafe(), 'a question')
 *     lot.unparkUnsafe(Exit.succeed(42))
 *     return yield* task.join
 *   })
 * )
 *
 * assert.equal(await Runtime.runPromise(program), 42)
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <I, E, A>(label: string): ParkingLot<I, E, A> => new Lot(label)

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

const parkPrimitive: PrimitiveFunction = (fiber: Fiber, lot: Lot, item: Untyped): Untyped => {
  if (fiber.isCancelled()) return fiber.raiseCancelled()
  lot.waiters.add(fiber, item)
  return fiber.park(lot.waiters)
}

/**
 * Waits in the lot until somebody unparks this fiber. The item is for whoever does: what is sent, how many
 * permits are wanted.
 *
 * **Errors.** Those of the exit that it is unparked with.
 * **Cancellation.** A cancelled scope is seen before the fiber joins the queue. If cancelled while waiting,
 * the place in the queue is given up and nothing else happened. A fiber that was unparked has its value,
 * whatever is cancelled then.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, ParkingLot, Runtime, TaskGroup } from 'millrace'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const lot = ParkingLot.make<string, never, number>('turn')
 *     const first = yield* group.spawn(ParkingLot.park(lot, 'first'))
 *     const second = yield* group.spawn(ParkingLot.park(lot, 'second'))
 *     yield* Effect.yieldNow
 *     yield* first.cancel('lost patience')
 *     assert.equal(lot.firstUnsafe(), 'second')
 *
 *     lot.unparkUnsafe(Exit.succeed(42))
 *     yield* second.cancel('too late: it has been given its number')
 *     return yield* second.wait
 *   })
 * )
 * assert.deepEqual(await Runtime.runPromise(program), Exit.succeed(42))
 *
 * @category combinators
 * @since 0.1.0
 */
export const park = <I, E, A>(lot: ParkingLot<I, E, A>, item: I): Effect<unknown, E, A> =>
  primitive(parkPrimitive, lot, item) as Untyped
