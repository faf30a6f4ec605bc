/**
 * `MemoryByteStream`: byte streams without a socket, for tests. They behave as sockets do: a chunk may be cut anywhere, sending
 * waits while the peer does not receive, each direction has one user at a time, and either end may close, half-close or break.
 *
 * @since 0.1.0
 */
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import { type Attributes, empty as noAttributes } from '../../attributes/Attributes.js'
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as ParkingLot from '../../effect/ParkingLot.js'
import type {
  BrokenResource,
  BusyResource,
  ClosedResource,
  ResourceError
} from '../../scope/ResourceError.js'
import type { Bytes, ByteStream } from '../ByteStream.js'
import { ByteQueue } from '../internal/byteReader.js'
import { badMax, isMax } from '../internal/many.js'
import { type EndOfStream, endOfStream } from '../StreamError.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

// -------------------------------------------------------------------------------------
// one direction
// -------------------------------------------------------------------------------------

const closed: ClosedResource = { _tag: 'ClosedResource', resource: 'MemoryByteStream' }
const broken: BrokenResource = { _tag: 'BrokenResource', resource: 'MemoryByteStream' }
const reading: BusyResource = { _tag: 'BusyResource', action: 'reading from' }
const writing: BusyResource = { _tag: 'BusyResource', action: 'writing to' }

/**
 * How the two ends are connected. Everything holds for each direction by itself.
 *
 * @category model
 * @since 0.1.0
 */
export interface PairOptions {
  /** How many bytes may be under way, a whole number from 0, 65,536 when absent; with 0 a send waits for its receivers. */
  readonly capacity?: number
  /** No chunk that is received is longer, as when packets are small. */
  readonly maxChunk?: number
  /** The connection breaks when that many bytes were received: both ends fail with `BrokenResource` then. */
  readonly breakAfter?: number
}

/** From one end to the other. */
class Direction {
  readonly queue = new ByteQueue()
  /** What the sender that waits has not got rid of. The queue is full then. */
  private rest: Bytes | null = null
  /** One at most waits in each. */
  private readonly sender: ParkingLot.ParkingLot<undefined, ResourceError, undefined>
  private readonly receiver: ParkingLot.ParkingLot<number, ResourceError | EndOfStream, Bytes>
  private isBroken = false
  private hasEnded = false
  private senderClosed = false
  private receiverClosed = false
  private left: number
  private readonly capacity: number
  private readonly maxChunk: number
  private readonly onBreak: () => void

  constructor(
    { capacity = 65_536, maxChunk = Infinity, breakAfter = Infinity }: PairOptions,
    onBreak: () => void
  ) {
    check('capacity', 0, capacity)
    check('maxChunk', 1, maxChunk)
    check('breakAfter', 0, breakAfter)
    this.capacity = capacity
    this.maxChunk = maxChunk
    this.left = breakAfter
    this.onBreak = onBreak
    this.sender = ParkingLot.make('MemoryByteStream.send', {
      onWithdraw: () => {
        this.rest = null
      }
    })
    this.receiver = ParkingLot.make('MemoryByteStream.receive')
  }

  receive(self: LowLevel.Self, max: number): Bytes | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.receiverClosed) return LowLevel.failSelf(self, closed)
    if (this.receiver.size() > 0) return LowLevel.failSelf(self, reading)
    if (this.left === 0) this.breakNow()
    if (this.isBroken) return LowLevel.failSelf(self, broken)
    const { queue, rest } = this
    if (queue.length > 0) {
      const chunk = queue.take(this.part(max, queue.firstLength))
      this.refill()
      return chunk
    }
    if (rest !== null) {
      const size = this.part(max, rest.length)
      this.keep(rest, size)
      return rest.subarray(0, size)
    }
    return this.hasEnded
      ? LowLevel.failSelf(self, endOfStream)
      : ParkingLot.parkSelf(self, this.receiver, max)
  }

  /** How much of so many bytes is received at once. */
  private part(max: number, size: number): number {
    const part = Math.min(max, size, this.maxChunk, this.left)
    this.left -= part
    return part
  }

  /** What remains of the chunk of the sender that waits; nothing: it was sent. */
  private keep(chunk: Bytes, from: number): void {
    this.rest = from === chunk.length ? null : chunk.subarray(from)
    if (this.rest === null) this.sender.succeedUnsafe(undefined)
  }

  private refill(): void {
    const { rest, queue } = this
    if (rest === null) return
    const size = Math.min(rest.length, this.capacity - queue.length)
    if (size <= 0) return
    queue.push(rest.subarray(0, size))
    this.keep(rest, size)
  }

  send(self: LowLevel.Self, chunk: Bytes): undefined | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.senderClosed || this.hasEnded) return LowLevel.failSelf(self, closed)
    if (this.isBroken || this.receiverClosed) return LowLevel.failSelf(self, broken)
    if (this.sender.size() > 0) return LowLevel.failSelf(self, writing)
    if (chunk.length === 0) return undefined
    let rest = chunk
    if (this.receiver.size() > 0) {
      const size = this.part(this.receiver.firstUnsafe(), rest.length)
      if (size > 0) this.receiver.succeedUnsafe(rest.subarray(0, size))
      rest = rest.subarray(size)
    }
    const size = Math.min(rest.length, this.capacity - this.queue.length)
    this.queue.push(rest.subarray(0, size))
    if (size === rest.length) return undefined
    this.rest = rest.subarray(size)
    return ParkingLot.parkSelf(self, this.sender, undefined)
  }

  end(self: LowLevel.Self): undefined | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.senderClosed) return LowLevel.failSelf(self, closed)
    if (this.hasEnded) return undefined
    if (this.isBroken || this.receiverClosed) return LowLevel.failSelf(self, broken)
    if (this.sender.size() > 0) return LowLevel.failSelf(self, writing)
    this.endNow()
    return undefined
  }

  endNow(): void {
    this.hasEnded = true
    if (this.receiver.size() > 0) this.receiver.failUnsafe(endOfStream)
  }

  closeSender(): void {
    this.senderClosed = true
    this.rest = null
    if (this.sender.size() > 0) this.sender.failUnsafe(closed)
    this.endNow()
  }

  closeReceiver(): void {
    this.receiverClosed = true
    this.rest = null
    this.queue.clear()
    if (this.receiver.size() > 0) this.receiver.failUnsafe(closed)
    if (this.sender.size() > 0) this.sender.failUnsafe(broken)
  }

  private breakNow(): void {
    this.left = Infinity
    this.onBreak()
  }

  break(): void {
    if (this.isBroken) return
    this.isBroken = true
    this.rest = null
    this.queue.clear()
    if (this.receiver.size() > 0) this.receiver.failUnsafe(broken)
    if (this.sender.size() > 0) this.sender.failUnsafe(broken)
  }
}

const check = (name: string, least: number, n: number): void => {
  if (n !== Infinity && (!Number.isInteger(n) || n < least))
    throw new RangeError(
      `The ${name} of a MemoryByteStream is a whole number from ${least}, or Infinity, but was given ${String(n)}.`
    )
}

const receiveFrom = (self: LowLevel.Self, direction: Direction, max: number): Bytes | LowLevel.Suspended =>
  direction.receive(self, max)

const sendInto = (self: LowLevel.Self, direction: Direction, chunk: Bytes): undefined | LowLevel.Suspended =>
  direction.send(self, chunk)

const endOf = (self: LowLevel.Self, direction: Direction): undefined | LowLevel.Suspended =>
  direction.end(self)

// -------------------------------------------------------------------------------------
// an end
// -------------------------------------------------------------------------------------

class End implements ByteStream {
  readonly delivery = 'reliable'
  readonly receive: Fx<ResourceError | EndOfStream, Bytes>
  readonly sendEof: Fx<ResourceError, void>
  readonly close: Fx<never, void>
  private readonly input: Direction
  private readonly output: Direction

  constructor(input: Direction, output: Direction) {
    this.input = input
    this.output = output
    this.receive = this.receiveAtMost(Infinity)
    this.sendEof = LowLevel.operation<ResourceError, undefined, Direction>(endOf, output)
    this.close = Effect.sync(() => {
      output.closeSender()
      input.closeReceiver()
    })
  }

  get attributes(): Attributes {
    return noAttributes
  }

  private receiveAtMost(max: number): Fx<ResourceError | EndOfStream, Bytes> {
    return LowLevel.operation<ResourceError | EndOfStream, Bytes, Direction, number>(
      receiveFrom,
      this.input,
      max
    )
  }

  readonly receiveMany = (max: number): Fx<ResourceError | EndOfStream, ReadonlyNonEmptyArray<Bytes>> =>
    isMax(max)
      ? Effect.map((chunk: Bytes): ReadonlyNonEmptyArray<Bytes> => [chunk])(this.receive)
      : badMax(max)

  readonly receiveUpTo = (maxBytes: number): Fx<ResourceError | EndOfStream, Bytes> =>
    isMax(maxBytes)
      ? this.receiveAtMost(maxBytes)
      : Effect.die(
          new RangeError(
            `receiveUpTo takes a whole number of bytes from 1, but was given ${String(maxBytes)}.`
          )
        )

  readonly send = (chunk: Bytes): Fx<ResourceError, void> =>
    LowLevel.operation<ResourceError, undefined, Direction, Bytes>(sendInto, this.output, chunk)
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Two ends that are connected: what one sends the other receives, in chunks of any size.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [client, server] = yield* MemoryByteStream.pair({ maxChunk: 2 })
 *   yield* client.send(new Uint8Array([1, 2, 3]))
 *   yield* client.sendEof
 *   const first = yield* server.receive
 *   const second = yield* server.receive
 *   const third = yield* Effect.either(server.receive)
 *   return [[...first], [...second], third._tag]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([[1, 2], [3], 'Left']))
 *
 * @category constructors
 * @since 0.1.0
 */
export const pair = (options: PairOptions = {}): Fx<never, readonly [ByteStream, ByteStream]> =>
  Effect.sync(() => {
    const breakBoth = (): void => {
      there.break()
      back.break()
    }
    const there = new Direction(options, breakBoth)
    const back = new Direction(options, breakBoth)
    return [new End(back, there), new End(there, back)] as const
  })

/**
 * A pair without a buffer: a send waits until its last byte was received.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [client] = yield* MemoryByteStream.lockstep
 *   return yield* pipe(client.send(new Uint8Array(1)), Timeout.moveOnAfter(1000))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 *
 * @category constructors
 * @since 0.1.0
 */
export const lockstep: Fx<never, readonly [ByteStream, ByteStream]> = pair({ capacity: 0 })

/**
 * A pair that breaks after so many bytes, and gives one byte at a time until then: what a protocol should survive, or fail at
 * cleanly.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [client, server] = yield* MemoryByteStream.faulty(1)
 *   yield* client.send(new Uint8Array([1, 2]))
 *   const one = yield* server.receive
 *   const then = yield* Effect.either(server.receive)
 *   return [one.length, then._tag === 'Left' && then.left._tag]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 'BrokenResource']))
 *
 * @category constructors
 * @since 0.1.0
 */
export const faulty = (breakAfter: number): Fx<never, readonly [ByteStream, ByteStream]> =>
  pair({ maxChunk: 1, breakAfter })

/**
 * A stream with a script.
 *
 * @category model
 * @since 0.1.0
 */
export interface Scripted {
  readonly stream: ByteStream
  /** All that it was sent so far. */
  readonly sent: Fx<never, Bytes>
}

/**
 * A stream that gives these chunks, then the end, and takes all that it is sent. A string stands for its UTF-8.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const { stream, sent } = yield* MemoryByteStream.scripted(['HELLO'])
 *   yield* stream.send(yield* stream.receive)
 *   return new TextDecoder().decode(yield* sent)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('HELLO'))
 *
 * @category constructors
 * @since 0.1.0
 */
export const scripted = (chunks: Iterable<Bytes | string>): Fx<never, Scripted> =>
  Effect.sync(() => {
    const nothing = (): void => undefined
    const input = new Direction({ capacity: Infinity }, nothing)
    const output = new Direction({ capacity: Infinity }, nothing)
    for (const chunk of chunks) {
      input.queue.push(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk)
    }
    input.endNow()
    return { stream: new End(input, output), sent: Effect.sync(() => output.queue.peek()) }
  })
