/**
 * The timers of a run: one heap, and at most one timer of the clock. Timers fire in the order of (time, number), where
 * the number is taken when a sleep starts or a scope is entered, even if the timer is queued later. So a deadline wins a
 * tie with a sleep inside it.
 *
 * @internal
 */
import type { Clock } from '../Clock.js'

export interface Timer {
  time: number
  readonly order: number
  /** Place in the heap; -1 when it is in none. */
  index: number
  fire(): void
}

const before = (a: Timer, b: Timer): boolean => a.time < b.time || (a.time === b.time && a.order < b.order)

export class Timers {
  private readonly clock: Clock
  private readonly heap: Array<Timer>
  private orders: number
  /** When the clock will wake us; Infinity when it will not. */
  private armed: number
  private disarm: (() => void) | null
  private readonly wake: () => void

  constructor(clock: Clock) {
    this.clock = clock
    this.heap = []
    this.orders = 0
    this.armed = Infinity
    this.disarm = null
    this.wake = () => this.serve()
  }

  /** How many are set. */
  get length(): number {
    return this.heap.length
  }

  nextOrder(): number {
    return ++this.orders
  }

  add(timer: Timer): void {
    this.heap.push(timer)
    this.settle(timer, this.heap.length - 1)
    if (timer.time < this.armed) this.arm(timer.time)
  }

  /**
   * The clock's timer is left armed even if it was for this one: programs that open a timeout in a loop would pay for
   * arming each time. It finds nothing to do, or what came later.
   */
  remove(timer: Timer): void {
    const at = timer.index
    if (at === -1) return
    timer.index = -1
    const last = this.heap.pop() as Timer
    if (last !== timer) this.settle(last, at)
  }

  close(): void {
    this.heap.length = 0
    this.arm(Infinity)
  }

  /** Has the clock wake us at this time and at no other; Infinity: not at all. */
  private arm(time: number): void {
    this.disarm?.()
    this.armed = time
    this.disarm = time === Infinity ? null : this.clock.at(time, this.wake)
  }

  private serve(): void {
    this.armed = Infinity
    this.disarm = null
    const now = this.clock.now()
    for (let first = this.heap[0]; first !== undefined && first.time <= now; first = this.heap[0]) {
      this.remove(first)
      first.fire()
    }
    const next = this.heap[0]
    if (next !== undefined && next.time < this.armed) this.arm(next.time)
  }

  /** Gives the timer its place in the heap, looking from one that is free. */
  private settle(timer: Timer, free: number): void {
    const { heap } = this
    let at = free
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above] as Timer
      if (!before(timer, parent)) break
      this.put(parent, at)
      at = above
    }
    for (let below = 2 * at + 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && before(heap[below + 1] as Timer, heap[below] as Timer)) below++
      const child = heap[below] as Timer
      if (!before(child, timer)) break
      this.put(child, at)
      at = below
    }
    this.put(timer, at)
  }

  private put(timer: Timer, at: number): void {
    this.heap[at] = timer
    timer.index = at
  }
}
