/**
 * The receiving side of one of Node's streams. Nothing is read before somebody receives. From then on it is read ahead by a
 * little, so that who receives in a loop does not wait for the stream to be started each time, and no more than that.
 *
 * @internal
 */
import type { Readable } from 'node:stream'
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import * as Effect from '../../../effect/Effect.js'
import * as LowLevel from '../../../effect/LowLevel.js'
import * as ParkingLot from '../../../effect/ParkingLot.js'
import type {
  BrokenResource,
  BusyResource,
  ClosedResource,
  ResourceError
} from '../../../scope/ResourceError.js'
import { type EndOfStream, endOfStream } from '../../../stream/StreamError.js'
import type { Direction, Lifetime } from './lifetime.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

/** How much is read ahead: this many bytes or chunks, and what arrives in one go with the last of them. */
const bytesAhead = 65_536
const chunksAhead = 16

/** Makes an item of what the stream gives; null for what is to be skipped. */
export type Convert<A> = (chunk: unknown) => A | null

/** What a receiver takes of the items that are there; there is one at least. */
interface Request<A> {
  readonly take: (receiving: Receiving<A>) => unknown
}

const next: Request<unknown> = { take: (receiving) => receiving.shift() }

const busy: BusyResource = { _tag: 'BusyResource', action: 'reading from' }

export class Receiving<A> implements Direction {
  private readonly source: Readable
  private readonly lifetime: Lifetime
  private readonly convert: Convert<A>
  private readonly sizeOf: (item: A) => number
  private readonly receivers: ParkingLot.ParkingLot<Request<A>, ResourceError | EndOfStream, unknown>
  private items: Array<A> = []
  private size = 0
  private ended = false
  private flowing = false

  readonly receive: Fx<ResourceError | EndOfStream, A>

  constructor(
    source: Readable,
    lifetime: Lifetime,
    label: string,
    convert: Convert<A>,
    sizeOf: (item: A) => number
  ) {
    this.source = source
    this.lifetime = lifetime
    this.convert = convert
    this.sizeOf = sizeOf
    this.receivers = ParkingLot.make(label)
    this.receive = this.operation(next as Request<A>)
    // Paused explicitly, it is not set going by the listener.
    source.pause()
    source.on('data', this.onData)
    source.on('end', this.onEnd)
    if (source.readableEnded) this.ended = true
    lifetime.add(this)
  }

  readonly receiveMany = (max: number): Fx<ResourceError | EndOfStream, ReadonlyNonEmptyArray<A>> =>
    isCount(max)
      ? this.operation({ take: (receiving) => receiving.shiftMany(max) })
      : misuse(`receiveMany takes a whole number of items from 1, or Infinity, but was given ${String(max)}.`)

  /** Gives what `take` takes. */
  operation<B>(request: Request<A>): Fx<ResourceError | EndOfStream, B> {
    return LowLevel.operation(receiveItem<A>, this, request) as Fx<ResourceError | EndOfStream, B>
  }

  shift(): A {
    const item = this.items.shift() as A
    this.size -= this.sizeOf(item)
    return item
  }

  shiftMany(max: number): ReadonlyArray<A> {
    if (max < this.items.length) return Array.from({ length: max }, () => this.shift())
    const { items } = this
    this.items = []
    this.size = 0
    return items
  }

  /** Puts back what was not taken of the first item. */
  unshift(item: A): void {
    this.items.unshift(item)
    this.size += this.sizeOf(item)
  }

  receiveUnsafe(self: LowLevel.Self, request: Request<A>): unknown {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    const { lifetime } = this
    if (lifetime.isClosed) return LowLevel.failSelf(self, lifetime.closed)
    if (this.receivers.size() > 0) return LowLevel.failSelf(self, busy)
    if (this.items.length > 0) {
      const taken = request.take(this)
      if (!this.flowing && this.items.length === 0) this.flow()
      return taken
    }
    if (this.ended) return LowLevel.failSelf(self, endOfStream)
    if (lifetime.broken !== null) return LowLevel.failSelf(self, lifetime.broken)
    if (!this.flowing) this.flow()
    return ParkingLot.parkSelf(self, this.receivers, request)
  }

  isOver(): boolean {
    return this.ended
  }

  giveUp(failure: ClosedResource | BrokenResource): void {
    if (failure._tag === 'ClosedResource') {
      this.items = []
      this.size = 0
      this.forget()
    }
    if (!this.ended && this.receivers.size() > 0) this.receivers.failUnsafe(failure)
  }

  private flow(): void {
    if (this.ended || this.lifetime.broken !== null) return
    this.flowing = true
    this.source.resume()
  }

  private keep(item: A): void {
    this.items.push(item)
    this.size += this.sizeOf(item)
    if (this.flowing && (this.size >= bytesAhead || this.items.length >= chunksAhead)) {
      this.flowing = false
      this.source.pause()
    }
  }

  private forget(): void {
    this.source.off('data', this.onData)
    this.source.off('end', this.onEnd)
  }

  private readonly onData = (chunk: unknown): void => {
    let item: A | null
    try {
      item = this.convert(chunk)
    } catch (error) {
      this.lifetime.breakWith(error)
      this.source.destroy()
      return
    }
    if (item === null) return
    const { receivers } = this
    if (receivers.size() === 0) {
      this.keep(item)
      return
    }
    const request = receivers.firstUnsafe()
    // Nothing is kept while somebody waits, so the next item is this one.
    let taken: unknown = item
    if (request !== next) {
      this.keep(item)
      taken = request.take(this)
    }
    // Last: the receiver may run inside of this, and close the stream.
    receivers.wakeUnsafe(taken)
  }

  private readonly onEnd = (): void => {
    this.ended = true
    this.forget()
    if (this.receivers.size() > 0) this.receivers.failUnsafe(endOfStream)
  }
}

const receiveItem = <A>(self: LowLevel.Self, receiving: Receiving<A>, request: Request<A>): unknown =>
  receiving.receiveUnsafe(self, request)

export const isCount = (n: number): boolean => n === Infinity || (Number.isInteger(n) && n >= 1)

const misuse = (message: string): Fx<never, never> => Effect.die(new RangeError(message))

/** At most so many bytes, as a view; the rest of a larger chunk stays. */
export const receiveUpTo =
  (receiving: Receiving<Uint8Array>) =>
  (maxBytes: number): Fx<ResourceError | EndOfStream, Uint8Array> =>
    isCount(maxBytes)
      ? receiving.operation({
          take: () => {
            const chunk = receiving.shift()
            if (chunk.length <= maxBytes) return chunk
            receiving.unshift(chunk.subarray(maxBytes))
            return chunk.subarray(0, maxBytes)
          }
        })
      : misuse(`receiveUpTo takes a whole number of bytes from 1, but was given ${String(maxBytes)}.`)
