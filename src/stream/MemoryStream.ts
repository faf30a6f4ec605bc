/**
 * `MemoryStream`: a channel between tasks, with an end for those that send and one for those that receive.
 *
 * By default it is a rendezvous: a send waits for its receiver. With a capacity it buffers, and then a send waits only when
 * the buffer is full; what else may happen then is the `overflow` policy. Each end can be cloned, and counts as open until
 * all of its clones are closed: receivers find the end of the stream when the last sender has closed, and senders find it
 * broken when the last receiver has. So give each task a clone of its own, and close what you keep.
 *
 * Waiting senders and receivers are served in the order of their arrival. An item that was handed over is received: no
 * cancellation loses, doubles or reorders one.
 *
 * @since 0.1.0
 */
import { type Attributes, empty as noAttributes } from '../attributes/Attributes.js'
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'
import * as ParkingLot from '../effect/ParkingLot.js'
import type { BrokenResource, ClosedResource, WouldBlock } from '../scope/ResourceError.js'
import { Deque } from './internal/deque.js'
import { badMax, isMax } from './internal/many.js'
import { type Arrival, type Selectable, selectable } from './internal/selectable.js'
import { closedInTime, warnWhenForgotten, type Watched } from './internal/forgotten.js'
import type { DuplexStream, ReceiveStream, SendStream } from './ObjectStream.js'
import { type EndOfStream, endOfStream } from './StreamError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a stream looks like at the moment; the same from all of its ends.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<string>(2)
 *   yield* send.send('a')
 *   const { buffered, capacity, openReceiveStreams } = yield* receive.statistics
 *   return [buffered, capacity, openReceiveStreams]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 2, 1]))
 *
 * @category model
 * @since 0.1.0
 */
export interface MemoryStreamStatistics {
  /** Items in the buffer. */
  readonly buffered: number
  readonly capacity: number
  readonly openSendStreams: number
  readonly openReceiveStreams: number
  readonly tasksWaitingSend: number
  readonly tasksWaitingReceive: number
  /** Items that the overflow policy has dropped. */
  readonly dropped: number
}

/**
 * The end that sends. `E`: what the overflow policy adds to the failures.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<string>(3)
 *   yield* send.send('waits if need be')
 *   yield* send.sendNow('never waits')
 *   assert.equal(send.sendUnsafe('from a plain callback'), true)
 *   assert.equal(send.sendUnsafe('there is no room'), false)
 *   yield* send.close
 *   return yield* Stream.collect(receive)
 * })
 * assert.deepEqual(
 *   TestRuntime.runExit(program),
 *   Exit.succeed(['waits if need be', 'never waits', 'from a plain callback'])
 * )
 *
 * @category model
 * @since 0.1.0
 */
export interface MemorySendStream<in A, out E = never> extends SendStream<
  A,
  E | ClosedResource | BrokenResource
> {
  /**
   * Hands the item to a receiver or to the buffer, and waits while that is not possible.
   *
   * **Errors.** `ClosedResource`: this end was closed, also while it waited. `BrokenResource`: all receivers have closed.
   * **Cancellation.** Nothing was sent.
   */
  readonly send: (a: A) => Effect.Effect<unknown, E | ClosedResource | BrokenResource, void>
  /** The same without waiting: `WouldBlock` when it would have to. */
  readonly sendNow: (a: A) => Effect.Effect<unknown, ClosedResource | BrokenResource | WouldBlock, void>
  /**
   * For plain callbacks: whether the item was taken, by a receiver, the buffer or a policy that drops. False when it would
   * have to wait, and when either side is closed. Never waits, never throws.
   */
  readonly sendUnsafe: (a: A) => boolean
  /** Another end of the same stream, to be closed by itself. */
  readonly clone: Effect.Effect<unknown, ClosedResource, MemorySendStream<A, E>>
  /** For plain callbacks. */
  readonly closeUnsafe: () => void
  readonly statistics: Effect.Effect<unknown, never, MemoryStreamStatistics>
}

/**
 * The end that receives.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<number>(5)
 *   for (const n of [1, 2, 3, 4]) yield* send.send(n)
 *   const one = yield* receive.receive
 *   const two = yield* receive.receiveMany(2)
 *   const last = yield* receive.receiveNow
 *   const none = yield* Effect.either(receive.receiveNow)
 *   return [one, two, last, none._tag]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, [2, 3], 4, 'Left']))
 *
 * @category model
 * @since 0.1.0
 */
export interface MemoryReceiveStream<out A> extends ReceiveStream<A, ClosedResource> {
  /**
   * The next item; what is buffered comes first.
   *
   * **Errors.** `EndOfStream`: all senders have closed and nothing is left. `ClosedResource`: this end was closed, also while
   * it waited.
   * **Cancellation.** Nothing was received.
   */
  readonly receive: Effect.Effect<unknown, ClosedResource | EndOfStream, A>
  /** The same without waiting: `WouldBlock` when it would have to. */
  readonly receiveNow: Effect.Effect<unknown, ClosedResource | EndOfStream | WouldBlock, A>
  /** Waits for one, then takes what is there, up to `max`: a whole number from 1, or `Infinity`; else a defect. */
  readonly receiveMany: (
    max: number
  ) => Effect.Effect<unknown, ClosedResource | EndOfStream, ReadonlyNonEmptyArray<A>>
  /** Another end of the same stream, to be closed by itself. Each item goes to one of them. */
  readonly clone: Effect.Effect<unknown, ClosedResource, MemoryReceiveStream<A>>
  /** For plain callbacks. */
  readonly closeUnsafe: () => void
  readonly statistics: Effect.Effect<unknown, never, MemoryStreamStatistics>
}

/**
 * What happens to an item when the buffer is full and nobody waits for it.
 *
 * - `wait`: the sender waits;
 * - `dropOldest`: the item that was buffered first makes room; without a buffer, as `dropNewest`;
 * - `dropNewest`: the item is dropped;
 * - `fail`: `send` fails with `WouldBlock`.
 *
 * What was dropped is counted in the statistics.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Only the newest reading is of interest.
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<number>(1, { overflow: 'dropOldest' })
 *   for (const reading of [20.1, 20.4, 20.7]) yield* send.send(reading)
 *   yield* send.close
 *   const { dropped } = yield* receive.statistics
 *   return [dropped, yield* Stream.collect(receive)]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([2, [20.7]]))
 *
 * @category model
 * @since 0.1.0
 */
export type Overflow = 'wait' | 'dropOldest' | 'dropNewest' | 'fail'

/**
 * How a stream is made.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, MemoryStream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const options: MemoryStream.MemoryStreamOptions = { name: 'jobs' }
 * const program = Effect.gen(function* () {
 *   const [, receive] = yield* MemoryStream.make<string>(0, { ...options, overflow: 'wait' })
 *   return yield* receive.receive
 * })
 * // Nobody sends: the report names the stream.
 * assert.match(JSON.stringify(TestRuntime.runExit(program)), /MemoryStream.receive .*jobs/)
 *
 * @category model
 * @since 0.1.0
 */
export interface MemoryStreamOptions {
  readonly overflow?: Overflow
  /** Shown with what waits on it in the task tree. */
  readonly name?: string
}

// -------------------------------------------------------------------------------------
// the channel
// -------------------------------------------------------------------------------------

const closed: ClosedResource = { _tag: 'ClosedResource', resource: 'MemoryStream' }
const broken: BrokenResource = { _tag: 'BrokenResource', resource: 'MemoryStream' }
const wouldBlock: WouldBlock = { _tag: 'WouldBlock' }

const failure = <E>(error: E): Exit<E, never> => ({ _tag: 'Left', left: { _tag: 'Fail', error } })

/** A sender that waits, with what it sends. */
interface Offer<A> {
  readonly end: SendEnd<A>
  readonly item: A
}

/** What both ends share. Each end counts its own waits, so that closing one of many clones does not look at the others. */
class Channel<A> implements Watched {
  readonly capacity: number
  readonly overflow: Overflow
  readonly title: string
  buffer = new Deque<A>()
  readonly senders: ParkingLot.ParkingLot<Offer<A>, ClosedResource | BrokenResource, void>
  readonly receivers: ParkingLot.ParkingLot<ReceiveEnd<A>, ClosedResource | EndOfStream, A>
  openSend = 0
  openReceive = 0
  dropped = 0

  constructor(capacity: number, overflow: Overflow, name: string | undefined) {
    this.capacity = capacity
    this.overflow = overflow
    this.title = name === undefined ? '' : ` ${JSON.stringify(name)}`
    this.senders = ParkingLot.make(`MemoryStream.send${this.title}`, { onWithdraw: senderLeft })
    this.receivers = ParkingLot.make(`MemoryStream.receive${this.title}`, { onWithdraw: receiverLeft })
  }

  /** Hands the item on without waiting; false when there is no room for it. */
  offer(item: A): boolean {
    const { receivers, buffer } = this
    // Receivers wait only while the buffer is empty, so the order is kept.
    if (receivers.size() > 0) {
      receivers.firstUnsafe().waiting--
      receivers.succeedUnsafe(item)
    } else if (buffer.length < this.capacity) buffer.push(item)
    else if (this.overflow === 'wait' || this.overflow === 'fail') return false
    else {
      this.dropped++
      if (this.overflow === 'dropOldest' && this.capacity > 0) {
        buffer.shift()
        buffer.push(item)
      }
    }
    return true
  }

  /** Whether there is an item to take now. */
  get ready(): boolean {
    return this.buffer.length > 0 || this.senders.size() > 0
  }

  /** The next item; there must be one. */
  take(): A {
    const { buffer } = this
    if (buffer.length === 0) return this.accept()
    const item = buffer.shift()
    if (this.senders.size() > 0) buffer.push(this.accept())
    return item
  }

  /** Takes the item of the sender that waits longest: its send has happened. */
  private accept(): A {
    const { item, end } = this.senders.firstUnsafe()
    end.waiting--
    this.senders.succeedUnsafe(undefined)
    return item
  }

  closeSend(end: SendEnd<A>): void {
    if (end.waiting > 0) {
      this.senders.unparkWhereUnsafe((offer) => offer.end === end, failure(closed))
    }
    if (--this.openSend > 0) return
    // Receivers wait only when nothing is left to take. The failure of each is its own.
    const { receivers } = this
    while (receivers.size() > 0) receivers.failUnsafe(endOfStream)
  }

  closeReceive(end: ReceiveEnd<A>): void {
    if (end.waiting > 0) {
      this.receivers.unparkWhereUnsafe((waiting) => waiting === end, failure(closed))
    }
    if (--this.openReceive > 0) return
    const { senders } = this
    while (senders.size() > 0) senders.failUnsafe(broken)
    this.buffer = new Deque()
  }
}

const senderLeft = <A>({ end }: Offer<A>): void => {
  end.waiting--
}

const receiverLeft = <A>(end: ReceiveEnd<A>): void => {
  end.waiting--
}

const statisticsOf = <A>(_self: LowLevel.Self, channel: Channel<A>): MemoryStreamStatistics => ({
  buffered: channel.buffer.length,
  capacity: channel.capacity,
  openSendStreams: channel.openSend,
  openReceiveStreams: channel.openReceive,
  tasksWaitingSend: channel.senders.size(),
  tasksWaitingReceive: channel.receivers.size(),
  dropped: channel.dropped
})

// -------------------------------------------------------------------------------------
// the ends
// -------------------------------------------------------------------------------------

const sendItem = <A>(self: LowLevel.Self, end: SendEnd<A>, item: A): undefined | LowLevel.Suspended => {
  if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  const { channel } = end
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (channel.openReceive === 0) return LowLevel.failSelf(self, broken)
  if (channel.offer(item)) return undefined
  if (channel.overflow === 'fail') return LowLevel.failSelf(self, wouldBlock)
  end.waiting++
  return ParkingLot.parkSelf(self, channel.senders, { end, item })
}

const sendItemNow = <A>(self: LowLevel.Self, end: SendEnd<A>, item: A): undefined | LowLevel.Suspended => {
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (end.channel.openReceive === 0) return LowLevel.failSelf(self, broken)
  return end.channel.offer(item) ? undefined : LowLevel.failSelf(self, wouldBlock)
}

class SendEnd<A> implements MemorySendStream<A> {
  readonly channel: Channel<A>
  isClosed: boolean
  /** How many sends of this end wait; not kept when all waits of a side end, as none comes after that. */
  waiting: number

  constructor(channel: Channel<A>) {
    this.channel = channel
    this.isClosed = false
    this.waiting = 0
    channel.openSend++
    warnWhenForgotten(this, 'send', channel)
  }

  get delivery(): 'reliable' {
    return 'reliable'
  }

  get attributes(): Attributes {
    return noAttributes
  }

  readonly send = (item: A): Effect.Effect<unknown, ClosedResource | BrokenResource, void> =>
    LowLevel.operation(sendItem, this, item)

  readonly sendNow = (item: A): Effect.Effect<unknown, ClosedResource | BrokenResource | WouldBlock, void> =>
    LowLevel.operation(sendItemNow, this, item)

  readonly sendUnsafe = (item: A): boolean =>
    !this.isClosed && this.channel.openReceive > 0 && this.channel.offer(item)

  get clone(): Effect.Effect<unknown, ClosedResource, MemorySendStream<A>> {
    return Effect.suspend(() =>
      this.isClosed ? Effect.fail(closed) : Effect.succeed(new SendEnd(this.channel))
    )
  }

  readonly closeUnsafe = (): void => {
    if (this.isClosed) return
    this.isClosed = true
    closedInTime(this)
    this.channel.closeSend(this)
  }

  get close(): Effect.Effect<unknown, never, void> {
    return Effect.sync(this.closeUnsafe)
  }

  get statistics(): Effect.Effect<unknown, never, MemoryStreamStatistics> {
    return LowLevel.operation(statisticsOf, this.channel)
  }
}

const receiveItem = <A>(self: LowLevel.Self, end: ReceiveEnd<A>): A | LowLevel.Suspended => {
  if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  const { channel } = end
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (channel.ready) return channel.take()
  if (channel.openSend === 0) return LowLevel.failSelf(self, endOfStream)
  end.waiting++
  return ParkingLot.parkSelf(self, channel.receivers, end)
}

const receiveItemNow = <A>(self: LowLevel.Self, end: ReceiveEnd<A>): A | LowLevel.Suspended => {
  const { channel } = end
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (channel.ready) return channel.take()
  return LowLevel.failSelf(self, channel.openSend === 0 ? endOfStream : wouldBlock)
}

class ReceiveEnd<A> implements MemoryReceiveStream<A>, Selectable<A, ClosedResource | EndOfStream> {
  readonly channel: Channel<A>
  isClosed: boolean
  /** How many receives of this end wait; not kept when all waits of a side end, as none comes after that. */
  waiting: number
  readonly receive: Effect.Effect<unknown, ClosedResource | EndOfStream, A>

  constructor(channel: Channel<A>) {
    this.channel = channel
    this.isClosed = false
    this.waiting = 0
    channel.openReceive++
    this.receive = LowLevel.operation<ClosedResource | EndOfStream, A, ReceiveEnd<A>>(receiveItem, this)
    warnWhenForgotten(this, 'receive', channel)
  }

  get delivery(): 'reliable' {
    return 'reliable'
  }

  get attributes(): Attributes {
    return noAttributes
  }

  get receiveNow(): Effect.Effect<unknown, ClosedResource | EndOfStream | WouldBlock, A> {
    return LowLevel.operation<ClosedResource | EndOfStream | WouldBlock, A, ReceiveEnd<A>>(
      receiveItemNow,
      this
    )
  }

  readonly receiveMany = (
    max: number
  ): Effect.Effect<unknown, ClosedResource | EndOfStream, ReadonlyNonEmptyArray<A>> =>
    isMax(max)
      ? Effect.map((first: A): ReadonlyNonEmptyArray<A> => {
          const items: [A, ...Array<A>] = [first]
          // This end may have been closed since the first one was handed over.
          while (items.length < max && !this.isClosed && this.channel.ready) items.push(this.channel.take())
          return items
        })(this.receive)
      : badMax(max)

  get clone(): Effect.Effect<unknown, ClosedResource, MemoryReceiveStream<A>> {
    return Effect.suspend(() =>
      this.isClosed ? Effect.fail(closed) : Effect.succeed(new ReceiveEnd(this.channel))
    )
  }

  readonly closeUnsafe = (): void => {
    if (this.isClosed) return
    this.isClosed = true
    closedInTime(this)
    this.channel.closeReceive(this)
  }

  get close(): Effect.Effect<unknown, never, void> {
    return Effect.sync(this.closeUnsafe)
  }

  get statistics(): Effect.Effect<unknown, never, MemoryStreamStatistics> {
    return LowLevel.operation(statisticsOf, this.channel)
  }

  get [selectable](): this {
    return this
  }

  arrival(): Arrival<A, ClosedResource | EndOfStream> | null {
    if (this.isClosed) return failure(closed)
    if (this.channel.ready) return { _tag: 'Right', right: this.channel.take() }
    return this.channel.openSend === 0 ? failure(endOfStream) : null
  }

  watch(watcher: (arrival: Arrival<A, ClosedResource | EndOfStream>) => void): () => void {
    this.waiting++
    return this.channel.receivers.standInUnsafe(this, watcher)
  }
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A new stream. `capacity`: how many items are buffered, a whole number from 0 (the default: a send waits for its receiver)
 * or `Infinity`; anything else is a defect. With `overflow: 'fail'`, `send` never waits and may fail with `WouldBlock`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, MemoryStream, Stream, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<number>()
 *   return yield* TaskGroup.open<unknown>()((group) =>
 *     Effect.gen(function* () {
 *       yield* group.spawn(Effect.ensuring(send.close)(Effect.forEach(send.send)([1, 2, 3])))
 *       return yield* Stream.collect(receive)
 *     })
 *   )
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 2, 3]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  <A>(
    capacity?: number,
    options?: MemoryStreamOptions & { readonly overflow?: 'wait' | 'dropOldest' | 'dropNewest' }
  ): Effect.Effect<unknown, never, readonly [MemorySendStream<A>, MemoryReceiveStream<A>]>
  <A>(
    capacity: number,
    options: MemoryStreamOptions & { readonly overflow: 'fail' }
  ): Effect.Effect<unknown, never, readonly [MemorySendStream<A, WouldBlock>, MemoryReceiveStream<A>]>
} = <A>(
  capacity = 0,
  options: MemoryStreamOptions = {}
): Effect.Effect<unknown, never, readonly [MemorySendStream<A>, MemoryReceiveStream<A>]> =>
  Effect.sync(() => {
    if (capacity !== Infinity && (!Number.isInteger(capacity) || capacity < 0)) {
      throw new RangeError(
        `The capacity of a MemoryStream is a whole number from 0, or Infinity, but was given ${String(capacity)}.`
      )
    }
    const channel = new Channel<A>(capacity, options.overflow ?? 'wait', options.name)
    return [new SendEnd(channel), new ReceiveEnd(channel)] as const
  })

/**
 * Two ends that are connected: what one sends the other receives. `capacity`: as that of {@link make}, for each direction.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [client, server] = yield* MemoryStream.pair<string, number>(1)
 *   yield* client.send(6)
 *   yield* server.send(`got ${yield* server.receive}`)
 *   return yield* client.receive
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('got 6'))
 *
 * @category constructors
 * @since 0.1.0
 */
export const pair = <A, B = A>(
  capacity = 0,
  options: MemoryStreamOptions & { readonly overflow?: 'wait' } = {}
): Effect.Effect<
  unknown,
  never,
  readonly [
    DuplexStream<A, B, ClosedResource | BrokenResource>,
    DuplexStream<B, A, ClosedResource | BrokenResource>
  ]
> =>
  Effect.flatMap(([toA, fromB]: readonly [MemorySendStream<A>, MemoryReceiveStream<A>]) =>
    Effect.map(
      ([toB, fromA]: readonly [MemorySendStream<B>, MemoryReceiveStream<B>]) =>
        [joinEnds(fromB, toB), joinEnds(fromA, toA)] as const
    )(make<B>(capacity, options))
  )(make<A>(capacity, options))

const joinEnds = <In, Out>(
  receive: MemoryReceiveStream<In>,
  send: MemorySendStream<Out>
): DuplexStream<In, Out, ClosedResource | BrokenResource> => ({
  delivery: 'reliable',
  receive: receive.receive,
  receiveMany: receive.receiveMany,
  send: send.send,
  sendEof: send.close,
  close: Effect.andThen(receive.close)(send.close),
  attributes: noAttributes
})
