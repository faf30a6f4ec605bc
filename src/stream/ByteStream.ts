/**
 * Bytes in chunks of any size.
 *
 * A chunk is never empty, and ownership moves with it, so that nothing is copied: a received chunk is the receiver's, nobody
 * writes into it again; a sent chunk must not be written to until `send` is over.
 *
 * @since 0.1.0
 */
import { type Attributes, extend } from '../attributes/Attributes.js'
import type { Effect } from '../effect/Effect.js'
import type { ResourceError } from '../scope/ResourceError.js'
import { ByteReader } from './internal/byteReader.js'
import { sameStream } from './internal/claims.js'
import type { DuplexStream, ReceiveStream, SendStream } from './ObjectStream.js'
import type { EndOfStream } from './StreamError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * `Uint8Array` under a short name: the two are interchangeable, and an editor shows this one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Bytes extends Uint8Array {}

/**
 * Gives bytes. `receive` gives a chunk as it came.
 *
 * @category model
 * @since 0.1.0
 */
export interface ByteReceiveStream<
  out E = ResourceError,
  out Attrs extends object = {}
> extends ReceiveStream<Bytes, E, Attrs> {
  /**
   * As `receive`, but at most `maxBytes`; the rest of a larger chunk stays for the next call. A view, not a copy. `maxBytes`
   * that is no whole number from 1 is a defect, before anything is received.
   */
  readonly receiveUpTo: (maxBytes: number) => Effect<unknown, E | EndOfStream, Bytes>
}

/**
 * Takes bytes. `send` is over when the chunk was handed to the host, or earlier receivers have made room for it.
 *
 * @category model
 * @since 0.1.0
 */
export interface ByteSendStream<out E = ResourceError, out Attrs extends object = {}> extends SendStream<
  Bytes,
  E,
  Attrs
> {}

/**
 * Both directions: a socket, a TLS connection, a pipe.
 *
 * @category model
 * @since 0.1.0
 */
export interface ByteStream<out E = ResourceError, out Attrs extends object = {}>
  extends DuplexStream<Bytes, Bytes, E, Attrs>, ByteReceiveStream<E, Attrs> {
  /** Closes both directions. Closing twice does nothing. */
  readonly close: Effect<unknown, never, void>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Gives any receive stream of bytes `receiveUpTo`, and takes it over. Frames, if they were frames, are frames no longer. A
 * stream that has it already is given back as it is.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { ByteStream, Effect, Exit, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const chunks = yield* Stream.fromIterable([new Uint8Array([1, 2, 3])])
 *   const bytes = ByteStream.fromReceiveStream(chunks)
 *   return [[...(yield* bytes.receiveUpTo(2))], [...(yield* bytes.receive)]]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([[1, 2], [3]]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromReceiveStream = <E, Attrs extends object>(
  stream: ReceiveStream<Bytes, E, Attrs>
): ByteReceiveStream<E, Attrs> => (isByteStream(stream) ? stream : new ByteReader(stream))

/**
 * The same for both directions.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { ByteStream, Effect, Exit, Framing, Layer } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const { stream } = yield* MemoryByteStream.scripted([new Uint8Array([3, 7, 8, 9])])
 *   const frames = pipe(stream, Layer.through(Framing.lengthPrefixed({ maxBytes: 100, header: 'uint8' })))
 *   const bytes = ByteStream.fromStream(frames)
 *   return [...(yield* bytes.receiveUpTo(2))]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([7, 8]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromStream = <E, Attrs extends object>(
  stream: DuplexStream<Bytes, Bytes, E, Attrs>
): ByteStream<E, Attrs> => {
  if (isByteStream(stream)) return stream
  const reader = new ByteReader<E, Attrs>(stream)
  return {
    delivery: 'reliable',
    receive: reader.receive,
    receiveMany: reader.receiveMany,
    receiveUpTo: reader.receiveUpTo,
    send: stream.send,
    sendEof: stream.sendEof,
    close: reader.close,
    attributes: stream.attributes
  }
}

const isByteStream = <E, Attrs extends object>(
  stream: ReceiveStream<Bytes, E, Attrs>
): stream is ByteReceiveStream<E, Attrs> => 'receiveUpTo' in stream

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The byte stream `S` with more attributes.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type WithAttributes<S, Added extends object> =
  S extends ByteStream<infer E, infer Row>
    ? ByteStream<E, Row & Added>
    : S extends ByteReceiveStream<infer E, infer Row>
      ? ByteReceiveStream<E, Row & Added>
      : S extends ByteSendStream<infer E, infer Row>
        ? ByteSendStream<E, Row & Added>
        : never

/**
 * The stream with attributes of one's own, which win over those that it has. It is the same stream under another handle.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes, ByteStream, Effect, Provider, Runtime } from 'millrace'
 * import { MemoryByteStream } from 'millrace/testing'
 *
 * const peer = Attribute.attribute<string>()('acme/peer')
 * const program = pipe(
 *   MemoryByteStream.scripted(['hello']),
 *   Effect.map(({ stream }) => pipe(stream, ByteStream.withAttributes(Attributes.of(peer, () => 'a script')))),
 *   Effect.flatMap((stream) =>
 *     Effect.map((bytes: Uint8Array) => [Provider.extra(peer)(stream), bytes.length])(stream.receiveUpTo(2))
 *   )
 * )
 * assert.deepEqual(Runtime.runSync(program), ['a script', 2])
 *
 * @category combinators
 * @since 0.1.0
 */
export const withAttributes =
  <Added extends object>(attributes: Attributes<Added>) =>
  <S extends ByteReceiveStream<unknown> | ByteSendStream<unknown>>(stream: S): WithAttributes<S, Added> => {
    const { receive, receiveMany, receiveUpTo, send, sendEof } = stream as Partial<ByteStream<unknown>>
    const other = {
      delivery: 'reliable',
      ...(receive === undefined ? {} : { receive, receiveMany, receiveUpTo }),
      ...(send === undefined ? {} : { send }),
      ...(sendEof === undefined ? {} : { sendEof }),
      close: stream.close,
      attributes: extend(attributes)(stream.attributes)
    }
    sameStream(other, stream)
    // The type says which of the members are there.
    return other as unknown as WithAttributes<S, Added>
  }
