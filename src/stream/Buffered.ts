/**
 * `Buffered`: exact and delimited reads of a stream of bytes.
 *
 * The buffer belongs to the stream and not to a read. A read takes from it in its last step only, so one that is cancelled or
 * fails leaves every byte for the next one.
 *
 * @since 0.1.0
 */
import * as Effect from '../effect/Effect.js'
import type { ByteReceiveStream, Bytes, ByteStream } from './ByteStream.js'
import { ByteReader } from './internal/byteReader.js'
import type { DuplexStream, ReceiveStream } from './ObjectStream.js'
import type { DelimiterNotFound, EndOfStream, IncompleteRead } from './StreamError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A receive stream with a buffer. `receive` gives what is buffered first, chunk by chunk. Several readers wait in line.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Buffered, Effect, Exit } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * // `SET key length\n<bytes>`
 * const command = <E>(stream: Buffered.BufferedReceiveStream<E>) =>
 *   Effect.gen(function* () {
 *     const line = new TextDecoder().decode(yield* stream.receiveUntil('\n', 100))
 *     const [, key, length] = line.split(' ')
 *     return [key, (yield* stream.receiveExactly(Number(length))).length]
 *   })
 * const program = Effect.gen(function* () {
 *   const { stream } = yield* MemoryByteStream.scripted(['SET a', ' 5\nhe', 'llo and more'])
 *   return yield* command(yield* Buffered.make(stream))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['a', 5]))
 *
 * @category model
 * @since 0.1.0
 */
export interface BufferedReceiveStream<out E, out Attrs extends object = {}> extends ByteReceiveStream<
  E,
  Attrs
> {
  /**
   * Exactly `n` bytes: a view when one chunk has them all, a copy otherwise. `n` is a whole number from 0, else a defect.
   *
   * **Errors.** `EndOfStream`: the stream has ended, and not one byte was there. `IncompleteRead`: some were, and stay.
   * **Cancellation.** Nothing was received.
   */
  readonly receiveExactly: (n: number) => Effect.Effect<unknown, E | EndOfStream | IncompleteRead, Bytes>
  /**
   * The bytes before the delimiter, which is received too. `maxBytes` is the bound without it. A delimiter that is a string
   * stands for its UTF-8.
   *
   * **Errors.** `DelimiterNotFound`: there is none within the bound. `EndOfStream`: the stream has ended, and not one byte was
   * there. `IncompleteRead`: some were. In each case what is buffered stays.
   * **Cancellation.** Nothing was received.
   */
  readonly receiveUntil: (
    delimiter: Bytes | string,
    maxBytes: number
  ) => Effect.Effect<unknown, E | EndOfStream | IncompleteRead | DelimiterNotFound, Bytes>
  /**
   * Puts bytes behind those that are buffered and before those that will come. A read that waits already sees them with the
   * next chunk.
   */
  readonly feed: (bytes: Bytes) => Effect.Effect<unknown, never, void>
  /** A copy of what is buffered, which stays. */
  readonly buffered: Effect.Effect<unknown, never, Bytes>
}

/**
 * Both directions, with a buffer for what is received.
 *
 * @category model
 * @since 0.1.0
 */
export interface BufferedStream<out E, out Attrs extends object = {}>
  extends ByteStream<E, Attrs>, BufferedReceiveStream<E, Attrs> {
  /** Closes both directions, and drops what is buffered. Closing twice does nothing. */
  readonly close: Effect.Effect<unknown, never, void>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Puts a buffer on a stream and takes it over.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Buffered, Effect, Exit } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const { stream } = yield* MemoryByteStream.scripted(['ab', 'cd'])
 *   const buffered = yield* Buffered.make(stream)
 *   const three = yield* buffered.receiveExactly(3)
 *   return [three.length, (yield* buffered.receive).length]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([3, 1]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <E, Attrs extends object>(
  stream: DuplexStream<Bytes, Bytes, E, Attrs>
): Effect.Effect<unknown, never, BufferedStream<E, Attrs>> =>
  Effect.sync(() => {
    const reader = new ByteReader<E, Attrs>(stream)
    return {
      delivery: 'reliable',
      receive: reader.receive,
      receiveMany: reader.receiveMany,
      receiveUpTo: reader.receiveUpTo,
      receiveExactly: reader.receiveExactly,
      receiveUntil: reader.receiveUntil,
      feed: reader.feed,
      buffered: reader.buffered,
      send: stream.send,
      sendEof: stream.sendEof,
      close: reader.close,
      attributes: stream.attributes
    }
  })

/**
 * The same for a receive stream, such as a file.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Buffered, Effect, Exit, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const chunks = yield* Stream.fromIterable([new Uint8Array([1, 2]), new Uint8Array([3, 0, 4])])
 *   const buffered = yield* Buffered.makeReceive(chunks)
 *   return [...(yield* buffered.receiveUntil(new Uint8Array([0]), 10))]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 2, 3]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeReceive = <E, Attrs extends object>(
  stream: ReceiveStream<Bytes, E, Attrs>
): Effect.Effect<unknown, never, BufferedReceiveStream<E, Attrs>> => Effect.sync(() => new ByteReader(stream))
