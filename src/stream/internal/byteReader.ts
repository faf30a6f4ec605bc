/**
 * A buffer of bytes over a stream of chunks: at most, exact and delimited reads.
 *
 * @internal
 */
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { Attributes } from '../../attributes/Attributes.js'
import * as Effect from '../../effect/Effect.js'
import type { ReceiveStream } from '../ObjectStream.js'
import {
  type DelimiterNotFound,
  type EndOfStream,
  type IncompleteRead,
  incompleteRead
} from '../StreamError.js'
import { badMax, isMax } from './many.js'
import { Failing, pending, Puller, type Request } from './puller.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>
type Bytes = Uint8Array

const empty = new Uint8Array(0)

const sameBytes = (a: Bytes, b: Bytes): boolean =>
  a === b || (a.length === b.length && a.every((byte, i) => byte === b[i]))

/** Chunks behind each other, of which the first may have been read in part. */
export class ByteQueue {
  private chunks: Array<Bytes> = []
  /** The first chunk that has not been read, and how much of it has. */
  private first = 0
  private offset = 0
  /** Before this there is no `scannedFor`. */
  private scanned = 0
  private scannedFor: Bytes = empty
  /** The chunk in which the search goes on, and where in the queue that begins; -1: it goes on from the first. */
  private scanChunk = -1
  private scanBase = 0
  length = 0

  push(chunk: Bytes): void {
    if (chunk.length === 0) return
    this.chunks.push(chunk)
    this.length += chunk.length
  }

  /** The rest of the first chunk; there must be one. */
  shift(): Bytes {
    const chunk = this.chunks[this.first] as Bytes
    return this.take(chunk.length - this.offset)
  }

  get firstLength(): number {
    return (this.chunks[this.first] as Bytes).length - this.offset
  }

  /** The next `n` bytes, which must be there: a view when one chunk has them all, a copy otherwise. */
  take(n: number): Bytes {
    const chunk = this.chunks[this.first]
    if (chunk === undefined || n === 0) return new Uint8Array(0)
    if (n <= chunk.length - this.offset) {
      const whole = this.offset === 0 && n === chunk.length
      const taken = whole ? chunk : chunk.subarray(this.offset, this.offset + n)
      this.skip(n)
      return taken
    }
    const taken = new Uint8Array(n)
    this.copyTo(taken, n)
    this.skip(n)
    return taken
  }

  /** The byte at this position, which must be there. */
  at(position: number): number {
    let i = this.first
    let at = this.offset + position
    for (;;) {
      const chunk = this.chunks[i] as Bytes
      if (at < chunk.length) return chunk[at] as number
      at -= chunk.length
      i++
    }
  }

  /** A copy of all of it, which stays. */
  peek(): Bytes {
    const all = new Uint8Array(this.length)
    this.copyTo(all, this.length)
    return all
  }

  private copyTo(target: Bytes, n: number): void {
    let done = 0
    let { offset } = this
    for (let i = this.first; done < n; i++) {
      const chunk = this.chunks[i] as Bytes
      const part = Math.min(n - done, chunk.length - offset)
      target.set(part === chunk.length ? chunk : chunk.subarray(offset, offset + part), done)
      done += part
      offset = 0
    }
  }

  skip(count: number): void {
    let n = count
    this.length -= n
    this.scanned = Math.max(0, this.scanned - n)
    this.scanChunk = -1
    while (n > 0) {
      const rest = (this.chunks[this.first] as Bytes).length - this.offset
      if (n < rest) {
        this.offset += n
        return
      }
      n -= rest
      this.offset = 0
      // A chunk that was read is let go at once; the array is shortened now and then.
      this.chunks[this.first++] = empty
      if (this.first === this.chunks.length) {
        this.chunks.length = 0
        this.first = 0
      } else if (this.first >= 64 && this.first * 2 >= this.chunks.length) {
        this.chunks.splice(0, this.first)
        this.first = 0
      }
    }
  }

  clear(): void {
    this.chunks = []
    this.first = 0
    this.offset = 0
    this.length = 0
    this.scanned = 0
    this.scanChunk = -1
  }

  /** Where `delimiter` begins; -1 when it is not there. What was looked through is not looked through again. */
  indexOf(delimiter: Bytes): number {
    if (this.scanned > 0 && !sameBytes(delimiter, this.scannedFor)) this.scanned = 0
    const at = this.find(delimiter, this.scanned)
    this.scanned = at >= 0 ? at : Math.max(0, this.length - delimiter.length + 1)
    this.scannedFor = delimiter
    return at
  }

  private find(delimiter: Bytes, from: number): number {
    const head = delimiter[0] as number
    const last = this.length - delimiter.length
    let i = this.first
    let base = 0
    if (this.scanChunk >= 0 && from > 0) {
      i = this.scanChunk
      base = this.scanBase
    }
    for (; i < this.chunks.length; i++) {
      const chunk = this.chunks[i] as Bytes
      const offset = i === this.first ? this.offset : 0
      const size = chunk.length - offset
      if (base <= last + 1) {
        this.scanChunk = i
        this.scanBase = base
      }
      let at = Math.max(0, from - base)
      while (at < size && base + at <= last) {
        const hit = chunk.indexOf(head, offset + at)
        if (hit < 0) break
        at = hit - offset
        if (base + at > last) break
        if (this.matches(delimiter, i, hit)) return base + at
        at++
      }
      base += size
    }
    return -1
  }

  private matches(delimiter: Bytes, chunkIndex: number, position: number): boolean {
    let i = chunkIndex
    let at = position
    for (let k = 0; k < delimiter.length; k++, at++) {
      while (at >= (this.chunks[i] as Bytes).length) {
        at = 0
        i++
      }
      if ((this.chunks[i] as Bytes)[at] !== delimiter[k]) return false
    }
    return true
  }
}

const wholeFrom = (least: number, n: number): boolean => Number.isInteger(n) && n >= least

class NextChunk implements Request {
  private readonly queue: ByteQueue

  constructor(queue: ByteQueue) {
    this.queue = queue
  }

  take(): unknown {
    return this.queue.length === 0 ? pending : this.queue.shift()
  }

  atEnd(end: Fx<unknown, never>): Fx<unknown, unknown> {
    return end
  }
}

class UpTo implements Request {
  private readonly queue: ByteQueue
  private readonly max: number

  constructor(queue: ByteQueue, max: number) {
    this.queue = queue
    this.max = max
  }

  take(): unknown {
    const { queue } = this
    return queue.length === 0 ? pending : queue.take(Math.min(this.max, queue.firstLength))
  }

  atEnd(end: Fx<unknown, never>): Fx<unknown, unknown> {
    return end
  }
}

/** The chunks that are there. */
class Many implements Request {
  private readonly queue: ByteQueue
  private readonly max: number

  constructor(queue: ByteQueue, max: number) {
    this.queue = queue
    this.max = max
  }

  take(): unknown {
    const { queue } = this
    if (queue.length === 0) return pending
    const chunks: Array<Bytes> = []
    while (queue.length > 0 && chunks.length < this.max) chunks.push(queue.shift())
    return chunks
  }

  atEnd(end: Fx<unknown, never>): Fx<unknown, unknown> {
    return end
  }
}

class Exactly implements Request {
  private readonly queue: ByteQueue
  private readonly n: number

  constructor(queue: ByteQueue, n: number) {
    this.queue = queue
    this.n = n
  }

  take(): unknown {
    return this.queue.length < this.n ? pending : this.queue.take(this.n)
  }

  atEnd(end: Fx<unknown, never>): Fx<unknown, unknown> {
    return this.queue.length === 0 ? end : Effect.fail(incompleteRead(this.queue.length, this.n))
  }
}

class Until implements Request {
  private readonly queue: ByteQueue
  private readonly delimiter: Bytes
  private readonly maxBytes: number

  constructor(queue: ByteQueue, delimiter: Bytes, maxBytes: number) {
    this.queue = queue
    this.delimiter = delimiter
    this.maxBytes = maxBytes
  }

  take(): unknown {
    const { queue, delimiter, maxBytes } = this
    const at = queue.indexOf(delimiter)
    if (at >= 0 && at <= maxBytes) {
      const taken = queue.take(at)
      queue.skip(delimiter.length)
      return taken
    }
    return at >= 0 || queue.length >= maxBytes + delimiter.length
      ? new Failing({ _tag: 'DelimiterNotFound', maxBytes } satisfies DelimiterNotFound)
      : pending
  }

  atEnd(end: Fx<unknown, never>): Fx<unknown, unknown> {
    return this.queue.length === 0 ? end : Effect.fail(incompleteRead(this.queue.length))
  }
}

export class ByteReader<out E, out Attrs extends object = {}> extends Puller<Bytes> {
  readonly delivery = 'reliable'
  readonly queue = new ByteQueue()
  readonly attributes: Attributes<Attrs>
  readonly receive: Fx<E | EndOfStream, Bytes>
  readonly buffered: Fx<never, Bytes>

  constructor(wire: ReceiveStream<Bytes, E, Attrs>) {
    super(wire)
    this.attributes = wire.attributes
    this.receive = this.operation(new NextChunk(this.queue))
    this.buffered = Effect.sync(() => this.queue.peek())
  }

  readonly receiveMany = (max: number): Fx<E | EndOfStream, ReadonlyNonEmptyArray<Bytes>> =>
    isMax(max) ? this.operation(new Many(this.queue, max)) : badMax(max)

  readonly receiveUpTo = (maxBytes: number): Fx<E | EndOfStream, Bytes> =>
    maxBytes === Infinity || wholeFrom(1, maxBytes)
      ? this.operation(new UpTo(this.queue, maxBytes))
      : misuse(`receiveUpTo takes a whole number of bytes from 1, but was given ${String(maxBytes)}.`)

  readonly receiveExactly = (n: number): Fx<E | EndOfStream | IncompleteRead, Bytes> =>
    wholeFrom(0, n)
      ? this.operation(new Exactly(this.queue, n))
      : misuse(`receiveExactly takes a whole number of bytes from 0, but was given ${String(n)}.`)

  readonly receiveUntil = (
    delimiter: Bytes | string,
    maxBytes: number
  ): Fx<E | EndOfStream | IncompleteRead | DelimiterNotFound, Bytes> => {
    const bytes = typeof delimiter === 'string' ? new TextEncoder().encode(delimiter) : delimiter
    if (bytes.length === 0) return misuse('receiveUntil takes a delimiter of one byte at least.')
    return maxBytes === Infinity || wholeFrom(0, maxBytes)
      ? this.operation(new Until(this.queue, bytes, maxBytes))
      : misuse(`receiveUntil takes a whole number of bytes from 0, but was given ${String(maxBytes)}.`)
  }

  readonly feed = (bytes: Bytes): Fx<never, void> =>
    Effect.sync(() => {
      if (!this.isClosed) this.queue.push(bytes)
    })

  protected override absorb(chunk: Bytes): void {
    this.queue.push(chunk)
  }

  protected override finish(): void {
    // What is buffered is still there: the end counts for what needs more.
  }

  protected override clear(): void {
    this.queue.clear()
  }
}

const misuse = (message: string): Fx<never, never> => Effect.die(new RangeError(message))
