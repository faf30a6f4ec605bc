/**
 * What a fiber waits on, and the one list that waiting fibers stand in. A fiber waits on one thing at a time, so the fiber
 * itself is the node of the list, and waiting allocates nothing.
 *
 * @internal
 */
import type { Untyped } from './op.js'

export interface Wait {
  /** For people: `sleep`, `Task.join`. */
  readonly label: string
  /** Ends by something outside of the runtime, such as a promise: no reason to call it a deadlock. */
  readonly foreign: boolean
  /**
   * The waiting fiber was cancelled. True: the wait is withdrawn, nothing happened, and the fiber is cancelled now.
   * False: the wait goes on and ends by itself. When `forced` (a grace has ended) it must be let go if that is possible.
   */
  abandon(waiter: Waiter, forced: boolean): boolean
}

export interface Waiter {
  waitPrevious: Waiter | null
  /** A fiber stands in one queue at a time: in the list of what it waits for, or in that of the scheduler. */
  next: Waiter | null
  /** What a waiter brought (an item to send) or asked for. */
  waitItem: Untyped
  resume(mode: number, value: Untyped): void
  /** The same by a call from outside, inside of which it may run. */
  wake(mode: number, value: Untyped): void
}

/** First in, first out; leaving from the middle is O(1). */
export class WaitList implements Wait {
  readonly label: string
  readonly foreign: boolean
  head: Waiter | null
  tail: Waiter | null
  length: number

  constructor(label: string) {
    this.label = label
    this.foreign = false
    this.head = null
    this.tail = null
    this.length = 0
  }

  add(waiter: Waiter, item: Untyped): void {
    waiter.waitItem = item
    waiter.waitPrevious = this.tail
    waiter.next = null
    if (this.tail === null) this.head = waiter
    else this.tail.next = waiter
    this.tail = waiter
    this.length++
  }

  remove(waiter: Waiter): void {
    const { waitPrevious, next } = waiter
    if (waitPrevious === null) this.head = next
    else waitPrevious.next = next
    if (next === null) this.tail = waitPrevious
    else next.waitPrevious = waitPrevious
    waiter.waitPrevious = null
    waiter.next = null
    waiter.waitItem = undefined
    this.length--
  }

  abandon(waiter: Waiter): boolean {
    this.remove(waiter)
    return true
  }
}

/** A wait that only a cancellation ends. */
export const never: Wait = { label: 'never', foreign: false, abandon: () => true }
