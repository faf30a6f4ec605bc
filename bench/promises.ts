/** What one writes by hand over native promises: a bounded queue and a lock, fair, and without cancellation. */

/** First in, first out; taking from the front is O(1) on average. */
class Fifo<A> {
  private items: Array<A> = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  push(a: A): void {
    this.items.push(a)
  }

  shift(): A | undefined {
    if (this.head === this.items.length) return undefined
    const first = this.items[this.head++]
    if (this.head > 32 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    return first
  }
}

interface Sender<A> {
  readonly item: A
  readonly taken: () => void
}

/** A queue whose `send` waits while it is full; with a capacity of 0, for its receiver. */
export class PromiseQueue<A> {
  private readonly buffer = new Fifo<A>()
  private readonly receivers = new Fifo<(a: A) => void>()
  private readonly senders = new Fifo<Sender<A>>()

  constructor(private readonly capacity: number) {}

  async send(item: A): Promise<void> {
    const receiver = this.receivers.shift()
    if (receiver !== undefined) receiver(item)
    else if (this.buffer.length < this.capacity) this.buffer.push(item)
    else {
      await new Promise<void>((taken) => {
        this.senders.push({ item, taken })
      })
    }
  }

  async receive(): Promise<A> {
    if (this.buffer.length > 0) {
      const item = this.buffer.shift() as A
      const sender = this.senders.shift()
      if (sender !== undefined) {
        this.buffer.push(sender.item)
        sender.taken()
      }
      return item
    }
    const sender = this.senders.shift()
    if (sender !== undefined) {
      sender.taken()
      return sender.item
    }
    return new Promise((resolve) => {
      this.receivers.push(resolve)
    })
  }
}

/** A number of permits, taken by a chain of promises. */
export class PromiseSemaphore {
  private readonly waiting = new Fifo<() => void>()

  constructor(private available: number) {}

  async withPermit<A>(work: () => Promise<A>): Promise<A> {
    if (this.available > 0) this.available--
    else {
      await new Promise<void>((enter) => {
        this.waiting.push(enter)
      })
    }
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.available++
      else next()
    }
  }
}
