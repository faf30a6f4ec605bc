/**
 * A queue in a ring: adding at the end and taking from the front are O(1), and a queue that was long does not keep its
 * memory.
 *
 * @internal
 */
export class Deque<A> {
  private ring: Array<A | undefined>
  private head: number
  length: number

  constructor() {
    this.ring = []
    this.head = 0
    this.length = 0
  }

  push(a: A): void {
    if (this.length === this.ring.length) this.resize(Math.max(16, this.length * 2))
    this.ring[(this.head + this.length) & (this.ring.length - 1)] = a
    this.length++
  }

  /** The first item; there must be one. */
  shift(): A {
    const first = this.ring[this.head] as A
    this.ring[this.head] = undefined
    this.head = (this.head + 1) & (this.ring.length - 1)
    this.length--
    if (this.ring.length > 1024 && this.length < this.ring.length / 8) this.resize(this.ring.length / 4)
    return first
  }

  /** Capacities are powers of two, so that a place is found by masking. */
  private resize(capacity: number): void {
    const ring = new Array<A | undefined>(capacity)
    for (let i = 0; i < this.length; i++) ring[i] = this.ring[(this.head + i) & (this.ring.length - 1)]
    this.ring = ring
    this.head = 0
  }
}
