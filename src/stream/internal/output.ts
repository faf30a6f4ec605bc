/**
 * A counted buffer that keeps its backing store from chunk to chunk, and lets go of what it has given out: setting `length` to
 * 0 would give the store back each time, and a used slot would keep an old chunk alive.
 *
 * @internal
 */
export class Output<in out O> {
  readonly items: Array<O | undefined> = []
  /** Up to here it was given out. */
  first = 0
  size = 0

  push(o: O): void {
    this.items[this.size++] = o
  }

  get isEmpty(): boolean {
    return this.first === this.size
  }

  /** The next item, which stays; there must be one. */
  peek(): O {
    return this.items[this.first] as O
  }

  /** The next item; there must be one. */
  shift(): O {
    const { items } = this
    const o = items[this.first] as O
    items[this.first++] = undefined
    if (this.first === this.size) this.first = this.size = 0
    return o
  }

  /** The next items, up to `max`. */
  take(max: number): Array<O> {
    const { items, first } = this
    const last = Math.min(this.size, first + max)
    const taken = items.slice(first, last) as Array<O>
    items.fill(undefined, first, last)
    if (last === this.size) this.first = this.size = 0
    else this.first = last
    return taken
  }

  clear(): void {
    this.items.fill(undefined, this.first, this.size)
    this.first = this.size = 0
  }
}
