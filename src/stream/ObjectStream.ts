/**
 * The interfaces of streams of objects. A stream is a live handle with an owner: what operates on it is a member, and each is
 * an effect. Closing it closes what it stands on; what is put on top of it (a layer, `Buffered`, an operator of `Stream`) takes
 * it over.
 *
 * `E` is what can go wrong in either direction, `EndOfStream` apart, which only `receive` can have.
 *
 * @since 0.1.0
 */
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import { type Attributes, empty as noAttributes, extend } from '../attributes/Attributes.js'
import type { Provider } from '../attributes/Provider.js'
import * as Effect from '../effect/Effect.js'
import { sameStream } from './internal/claims.js'
import { manyFrom } from './internal/many.js'
import { once, Queue } from './internal/queue.js'
import { type EndOfStream, endOfStream } from './StreamError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Gives items, which may be lost, doubled, or in another order, as datagrams are. What relies on order and completeness, such
 * as framing, takes no such stream; see {@link ReceiveStream}.
 *
 * @category model
 * @since 0.1.0
 */
export interface UnreliableReceiveStream<
  out A,
  out E = never,
  out Attrs extends object = {}
> extends Provider<Attrs> {
  readonly delivery: 'reliable' | 'unreliable'
  /**
   * The next item; `EndOfStream` when there will be none, now and at every later call.
   *
   * **Cancellation.** Nothing was received.
   */
  readonly receive: Effect.Effect<unknown, E | EndOfStream, A>
  /**
   * Waits for one item, then takes those that are there, up to `max`: a whole number from 1, or `Infinity`; else a defect.
   *
   * **Cancellation.** Nothing was received.
   */
  readonly receiveMany: (max: number) => Effect.Effect<unknown, E | EndOfStream, ReadonlyNonEmptyArray<A>>
  /**
   * Closes the stream, and wakes whoever waits for it with `ClosedResource`. Closing twice does nothing; works in a cancelled
   * scope too; over when the resource is really closed, but never waits for the peer.
   */
  readonly close: Effect.Effect<unknown, never, void>
}

/**
 * Takes items that may be lost, doubled, or arrive in another order.
 *
 * @category model
 * @since 0.1.0
 */
export interface UnreliableSendStream<
  in A,
  out E = never,
  out Attrs extends object = {}
> extends Provider<Attrs> {
  readonly delivery: 'reliable' | 'unreliable'
  /** Hands the item over. */
  readonly send: (a: A) => Effect.Effect<unknown, E, void>
  /** As that of {@link UnreliableReceiveStream}. */
  readonly close: Effect.Effect<unknown, never, void>
}

/**
 * Both directions of a stream without guarantees, such as a UDP socket.
 *
 * @category model
 * @since 0.1.0
 */
export interface UnreliableDuplexStream<out In, in Out, out E = never, out Attrs extends object = {}>
  extends UnreliableReceiveStream<In, E, Attrs>, UnreliableSendStream<Out, E, Attrs> {}

/**
 * Gives items, each once and in order. {@link receiveStream} makes one from its `receive`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, ObjectStream, Stream, StreamError } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // A stream of one's own: a position, and an effect that moves it.
 * const countdown = (from: number): ObjectStream.ReceiveStream<number> => {
 *   let left = from
 *   return ObjectStream.receiveStream({
 *     receive: Effect.suspend(() => (left > 0 ? Effect.succeed(left--) : Effect.fail(StreamError.endOfStream)))
 *   })
 * }
 * assert.deepEqual(TestRuntime.runExit(Stream.collect(countdown(3))), Exit.succeed([3, 2, 1]))
 *
 * @category model
 * @since 0.1.0
 */
export interface ReceiveStream<
  out A,
  out E = never,
  out Attrs extends object = {}
> extends UnreliableReceiveStream<A, E, Attrs> {
  readonly delivery: 'reliable'
}

/**
 * Takes items, each once and in order. {@link sendStream} makes one from its `send`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, ObjectStream, Runtime, Stream } from 'millrace'
 *
 * const lines: Array<string> = []
 * const printer: ObjectStream.SendStream<string> = ObjectStream.sendStream({
 *   send: (line: string) => Effect.sync(() => { lines.push(line) })
 * })
 * Runtime.runSync(pipe(Stream.fromIterable(['a', 'b']), Effect.flatMap(Stream.pipeTo(printer))))
 * assert.deepEqual(lines, ['a', 'b'])
 *
 * @category model
 * @since 0.1.0
 */
export interface SendStream<in A, out E = never, out Attrs extends object = {}> extends UnreliableSendStream<
  A,
  E,
  Attrs
> {
  readonly delivery: 'reliable'
  /**
   * Hands the item over.
   *
   * **Cancellation.** Nothing was sent; of a chunk of bytes part may have been.
   */
  readonly send: (a: A) => Effect.Effect<unknown, E, void>
  /** Closes this side: the receiver finds the end of the stream. Closing twice does nothing. */
  readonly close: Effect.Effect<unknown, never, void>
}

/**
 * Both directions. {@link duplexStream} makes one from its operations, and `Stapled.objects` from two streams.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream, type ObjectStream, Stapled } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Two memory streams, seen from one side.
 * const program = Effect.gen(function* () {
 *   const [toServer, requests] = yield* MemoryStream.make<string>(1)
 *   const [toClient, responses] = yield* MemoryStream.make<number>(1)
 *   const client: ObjectStream.DuplexStream<number, string, unknown> = Stapled.objects(responses, toServer)
 *   yield* client.send('how long?')
 *   yield* toClient.send((yield* requests.receive).length)
 *   return yield* client.receive
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(9))
 *
 * @category model
 * @since 0.1.0
 */
export interface DuplexStream<out In, in Out, out E = never, out Attrs extends object = {}>
  extends ReceiveStream<In, E, Attrs>, SendStream<Out, E, Attrs> {
  readonly delivery: 'reliable'
  /** No more will be sent; receiving goes on. Twice does nothing; a `send` afterwards fails with `ClosedResource`. */
  readonly sendEof: Effect.Effect<unknown, E, void>
  /** Closes both directions. Closing twice does nothing. */
  readonly close: Effect.Effect<unknown, never, void>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * What a stream of one's own may have beside its operations.
 *
 * @category model
 * @since 0.1.0
 */
export interface Own<out Attrs extends object = {}> {
  /**
   * Runs once at most, shielded. It should wake whoever waits in the other operations, and what these give afterwards is
   * their own affair: a stream to the outside fails with `ClosedResource`, one that only has a position ends.
   */
  readonly close?: Effect.Effect<unknown, never, unknown>
  readonly attributes?: Attributes<Attrs>
}

/** The receiving half of a stream of one's own. `closed` is told when that is closed: then it is that, and not at its end. */
const receiving = <A, E>(
  receive: Effect.Effect<unknown, E | EndOfStream, A>
): {
  readonly half: Pick<ReceiveStream<A, Exclude<E, EndOfStream>>, 'receive' | 'receiveMany'>
  readonly closed: Effect.Effect<unknown, never, void>
} => {
  const queue = new Queue('receive')
  let state: 'open' | 'ended' | 'closed' = 'open'
  const next = Effect.tapError((error: E | EndOfStream) => {
    if (isEnd(error) && state === 'open') state = 'ended'
    return Effect.unit
  })(receive)
  const guarded = queue.use(
    Effect.suspend((): Effect.Effect<unknown, E | EndOfStream, A> =>
      state === 'ended' ? Effect.fail(endOfStream) : next
    )
  ) as Effect.Effect<unknown, Exclude<E, EndOfStream> | EndOfStream, A>
  const closed = Effect.sync(() => {
    state = 'closed'
  })
  return { half: { receive: guarded, receiveMany: manyFrom(guarded) }, closed }
}

const isEnd = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && '_tag' in error && error._tag === 'EndOfStream'

const owned = <Attrs extends object>(
  { close, attributes }: Own<Attrs>,
  closed: Effect.Effect<unknown, never, void> = Effect.unit
): {
  readonly close: Effect.Effect<unknown, never, void>
  readonly attributes: Attributes<Attrs>
} => ({
  close: close === undefined ? Effect.unit : once(Effect.andThen(close)(closed)),
  // Without attributes the row is the empty one.
  attributes: attributes ?? (noAttributes as Attributes<Attrs>)
})

/**
 * A receive stream from its `receive`. Several receivers wait in line, the end is remembered, and closing happens once.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, ObjectStream, Stream, StreamError } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const letters = ['a', 'b']
 * const stream = ObjectStream.receiveStream({
 *   receive: Effect.suspend(() => {
 *     const letter = letters.shift()
 *     return letter === undefined ? Effect.fail(StreamError.endOfStream) : Effect.succeed(letter)
 *   })
 * })
 * assert.deepEqual(TestRuntime.runExit(Stream.collect(stream)), Exit.succeed(['a', 'b']))
 *
 * @category constructors
 * @since 0.1.0
 */
export const receiveStream = <A, E, Attrs extends object = {}>(
  own: Own<Attrs> & { readonly receive: Effect.Effect<unknown, E, A> }
): ReceiveStream<A, Exclude<E, EndOfStream>, Attrs> => {
  const { half, closed } = receiving<A, E>(own.receive)
  return { delivery: 'reliable', ...half, ...owned(own, closed) }
}

/**
 * A send stream from its `send`. Several senders wait in line, and closing happens once.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, ObjectStream, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const stream = ObjectStream.sendStream({
 *   send: (line: string) => Effect.sync(() => { lines.push(line) }),
 *   close: Effect.sync(() => { lines.push('closed') })
 * })
 * Runtime.runSync(Effect.sequenceArray([stream.send('a'), stream.close, stream.close]))
 * assert.deepEqual(lines, ['a', 'closed'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const sendStream = <A, E, Attrs extends object = {}>(
  own: Own<Attrs> & { readonly send: (a: A) => Effect.Effect<unknown, E, void> }
): SendStream<A, E, Attrs> => {
  const queue = new Queue('send')
  return { delivery: 'reliable', send: (a) => queue.use(Effect.suspend(() => own.send(a))), ...owned(own) }
}

/**
 * A duplex stream from its operations. The two directions are independent; in each, several users wait in line. The end is
 * remembered, `sendEof` that succeeded and closing happen once.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, ObjectStream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // An oracle: each question is answered at the next receive.
 * const oracle = (): ObjectStream.DuplexStream<string, string> => {
 *   let question = ''
 *   return ObjectStream.duplexStream({
 *     send: (asked: string) => Effect.sync(() => { question = asked }),
 *     receive: Effect.sync(() => `${question} Perhaps.`),
 *     sendEof: Effect.unit
 *   })
 * }
 * const program = Effect.gen(function* () {
 *   const stream = oracle()
 *   yield* stream.send('Will it rain?')
 *   return yield* stream.receive
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('Will it rain? Perhaps.'))
 *
 * @category constructors
 * @since 0.1.0
 */
export const duplexStream = <In, Out, E, E2, E3, Attrs extends object = {}>(
  own: Own<Attrs> & {
    readonly receive: Effect.Effect<unknown, E, In>
    readonly send: (a: Out) => Effect.Effect<unknown, E2, void>
    readonly sendEof: Effect.Effect<unknown, E3, void>
  }
): DuplexStream<In, Out, Exclude<E, EndOfStream> | E2 | E3, Attrs> => {
  const queue = new Queue('send')
  let ended = false
  const sendEof = Effect.suspend((): Effect.Effect<unknown, E3, void> =>
    ended
      ? Effect.unit
      : Effect.map(() => {
          ended = true
        })(own.sendEof)
  )
  const { half, closed } = receiving<In, E>(own.receive)
  return {
    delivery: 'reliable',
    ...half,
    send: (a) => queue.use(Effect.suspend(() => own.send(a))),
    sendEof: queue.use(sendEof),
    ...owned(own, closed)
  }
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The stream `S` with more attributes.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type WithAttributes<S, Added extends object> =
  S extends DuplexStream<infer In, infer Out, infer E, infer Row>
    ? DuplexStream<In, Out, E, Row & Added>
    : S extends ReceiveStream<infer A, infer E, infer Row>
      ? ReceiveStream<A, E, Row & Added>
      : S extends SendStream<infer A, infer E, infer Row>
        ? SendStream<A, E, Row & Added>
        : never

/**
 * The stream with attributes of one's own, which win over those that it has. It is the same stream under another handle:
 * neither takes the other over. For bytes see `ByteStream.withAttributes`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes, Effect, ObjectStream, Provider, Runtime, Stream } from 'millrace'
 *
 * const source = Attribute.attribute<string>()('acme/source')
 * const program = pipe(
 *   Stream.fromIterable([1, 2]),
 *   Effect.map(ObjectStream.withAttributes(Attributes.of(source, () => 'a list'))),
 *   Effect.map(Provider.extra(source))
 * )
 * assert.equal(Runtime.runSync(program), 'a list')
 *
 * @category combinators
 * @since 0.1.0
 */
export const withAttributes =
  <Added extends object>(attributes: Attributes<Added>) =>
  <S extends ReceiveStream<unknown, unknown> | SendStream<never, unknown>>(
    stream: S
  ): WithAttributes<S, Added> => {
    const { receive, receiveMany, send, sendEof } = stream as Partial<DuplexStream<unknown, never, unknown>>
    const other = {
      delivery: 'reliable',
      ...(receive === undefined ? {} : { receive, receiveMany }),
      ...(send === undefined ? {} : { send }),
      ...(sendEof === undefined ? {} : { sendEof }),
      close: stream.close,
      attributes: extend(attributes)(stream.attributes)
    }
    sameStream(other, stream)
    // The type says which of the members are there.
    return other as unknown as WithAttributes<S, Added>
  }
