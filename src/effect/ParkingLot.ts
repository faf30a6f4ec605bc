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
import { admit } from './internal/failures.js'
import { Fiber } from './internal/fiber.js'
import { Fail, Fault, Return, type Untyped } from './internal/op.js'
import { primitive, type PrimitiveFunction } from './internal/primitives.js'
import { type Waiter, WaitList } from './internal/waiting.js'
import type * as LowLevel from './LowLevel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A queue of fibers that wait. They bring an `I` and are resumed with a value `A` or a failure `E`.
 *
 * The members with `Unsafe` act at once; use them in a `LowLevel.operation`, inside `Effect.sync`, or from a plain callback.
 * A fiber that was resumed has its value, whatever is cancelled afterwards.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, LowLevel, ParkingLot, Runtime, TaskGroup } from 'millrace'
 *
 * // A gate that lets in whoever waits.
 * const lot = ParkingLot.make<undefined, never, void>('gate')
 * const enter = LowLevel.operation((self) =>
 *   LowLevel.isSelfCancelled(self) ? LowLevel.cancelSelf(self) : ParkingLot.parkSelf(self, lot, undefined)
 * )
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     yield* group.spawn(enter)
 *     yield* group.spawn(enter)
 *     yield* Effect.yieldNow
 *     const waiting = lot.size()
 *     lot.unparkAllUnsafe({ _tag: 'Right', right: undefined })
 *     return [waiting, lot.size()]
 *   })
 * )
 * assert.deepEqual(await Runtime.runPromise(program), [2, 0])
 *
 * @category model
 * @since 0.1.0
 */
export interface ParkingLot<in out I, in out E, in out A> {
  /** How many fibers wait. */
  size(): number
  /** What the first one brought; throws when nobody waits. */
  firstUnsafe(): I
  /** What all of them brought, in order. */
  items(): ReadonlyArray<I>
  /** Resumes the first one with a value; throws when nobody waits. */
  succeedUnsafe(a: A): void
  /**
   * The same by a callback of the host, in which the fiber may run at once, instead of in a turn of its own later: so call
   * it last. In a fiber that runs it is `succeedUnsafe`.
   */
  wakeUnsafe(a: A): void
  /** Resumes the first one with a failure; throws when nobody waits. */
  failUnsafe(e: E): void
  /** Resumes the first one with an exit; throws when nobody waits. */
  unparkUnsafe(exit: Exit<E, A>): void
  /** Resumes all of them, in order. A failure is one leaf, however many share it. */
  unparkAllUnsafe(exit: Exit<E, A>): void
  /** Resumes those whose item fits, in order; how many these were. */
  unparkWhereUnsafe(fits: (item: I) => boolean, exit: Exit<E, A>): number
  /**
   * A place in the queue for something that is not one fiber, such as a wait in several queues. It is served as a fiber
   * would be: `resume` is called once, with the exit. The result gives the place up, if it still has it.
   */
  standInUnsafe(item: I, resume: (exit: Exit<E, A>) => void): () => void
}

/**
 * How a lot is made.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, ParkingLot, Runtime, TaskGroup } from 'millrace'
 *
 * const left: Array<string> = []
 * const options: ParkingLot.ParkingLotOptions<string> = { onWithdraw: (name) => { left.push(name) } }
 * const lot = ParkingLot.make<string, never, void>('turn', options)
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const task = yield* group.spawn(ParkingLot.park(lot, 'Ada'))
 *     yield* Effect.yieldNow
 *     yield* task.cancel('lost patience')
 *   })
 * )
 * await Runtime.runPromise(program)
 * assert.deepEqual(left, ['Ada'])
 *
 * @category model
 * @since 0.1.0
 */
export interface ParkingLotOptions<in I = unknown> {
  /**
   * Called when a waiting fiber was cancelled and has left, with what it brought: whoever stands behind it may now have what
   * they wait for.
   */
  readonly onWithdraw?: (item: I) => void
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const exitOf = (mode: number, value: Untyped): Exit<Untyped, Untyped> =>
  mode === Return
    ? { _tag: 'Right', right: value }
    : { _tag: 'Left', left: mode === Fault ? value : { _tag: 'Fail', error: value } }

class Lot extends WaitList implements ParkingLot<Untyped, Untyped, Untyped> {
  private readonly onWithdraw: ((item: Untyped) => void) | undefined

  constructor(label: string, onWithdraw: ((item: Untyped) => void) | undefined) {
    super(label)
    this.onWithdraw = onWithdraw
  }

  size(): number {
    return this.length
  }

  firstUnsafe(): Untyped {
    return this.first().waitItem
  }

  items(): ReadonlyArray<Untyped> {
    return this.waiters().map((waiter) => waiter.waitItem as unknown)
  }

  succeedUnsafe(a: Untyped): void {
    this.takeFirst().resume(Return, a)
  }

  wakeUnsafe(a: Untyped): void {
    this.takeFirst().wake(Return, a)
  }

  failUnsafe(e: Untyped): void {
    this.takeFirst().resume(Fail, e)
  }

  unparkUnsafe(exit: Exit<Untyped, Untyped>): void {
    wake(this.takeFirst(), exit)
  }

  unparkAllUnsafe(exit: Exit<Untyped, Untyped>): void {
    while (this.head !== null) this.unparkUnsafe(exit)
  }

  unparkWhereUnsafe(fits: (item: Untyped) => boolean, exit: Exit<Untyped, Untyped>): number {
    const fitting = this.waiters().filter((waiter) => fits(waiter.waitItem))
    // All leave before one is resumed: what it does then may change the list.
    for (const waiter of fitting) this.remove(waiter)
    for (const waiter of fitting) wake(waiter, exit)
    return fitting.length
  }

  standInUnsafe(item: Untyped, resume: (exit: Exit<Untyped, Untyped>) => void): () => void {
    const served = (mode: number, value: Untyped): void => {
      resume(exitOf(mode, value))
    }
    const place: Waiter = {
      waitPrevious: null,
      next: null,
      waitItem: undefined,
      resume: served,
      wake: served
    }
    this.add(place, item)
    return () => {
      if (this.head === place || place.waitPrevious !== null) this.abandon(place)
    }
  }

  override abandon(waiter: Waiter): boolean {
    const { waitItem } = waiter
    this.remove(waiter)
    this.onWithdraw?.(waitItem)
    return true
  }

  private first(): Waiter {
    if (this.head === null) throw new Error(`millrace: nobody waits for ${this.label}`)
    return this.head
  }

  private waiters(): ReadonlyArray<Waiter> {
    const waiters: Array<Waiter> = []
    for (let waiter = this.head; waiter !== null; waiter = waiter.next) waiters.push(waiter)
    return waiters
  }

  private takeFirst(): Waiter {
    const first = this.first()
    this.remove(first)
    return first
  }
}

const wake = (waiter: Waiter, exit: Exit<Untyped, Untyped>): void => {
  if (exit._tag === 'Right') waiter.resume(Return, exit.right)
  // Whoever something else stands in the list for looks at the cause itself.
  else waiter.resume(Fault, waiter instanceof Fiber ? admit(waiter, exit.left) : exit.left)
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
export const make = <I, E, A>(label: string, options?: ParkingLotOptions<I>): ParkingLot<I, E, A> =>
  new Lot(label, options?.onWithdraw)

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * For a `LowLevel.operation`: the running fiber waits in the lot. Looks at no cancellation; the operation has done that.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, LowLevel, ParkingLot } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // A latch: waits while it is closed.
 * let open = false
 * const lot = ParkingLot.make<undefined, never, string>('latch')
 * const pass = LowLevel.operation((self) => {
 *   if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
 *   return open ? 'passed at once' : ParkingLot.parkSelf(self, lot, undefined)
 * })
 * const unlatch = Effect.sync(() => {
 *   open = true
 *   lot.unparkAllUnsafe(Exit.succeed('passed'))
 * })
 * const program = Effect.gen(function* () {
 *   yield* unlatch
 *   return yield* pass
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('passed at once'))
 *
 * @category combinators
 * @since 0.1.0
 */
export const parkSelf = <I, E, A>(
  self: LowLevel.Self,
  lot: ParkingLot<I, E, A>,
  item: I
): LowLevel.Suspended => {
  const fiber: Fiber = self as Untyped
  const list: Lot = lot as Untyped
  list.add(fiber, item)
  return fiber.park(list) as Untyped
}

const parkPrimitive: PrimitiveFunction = (fiber: Fiber, lot: Untyped, item: Untyped): Untyped =>
  fiber.isCancelled() ? fiber.raiseCancelled() : parkSelf(fiber as Untyped, lot, item)

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
