/**
 * The interfaces of streams of objects. A stream is a live handle: what operates on it is a member, and each is an effect.
 *
 * `E` is what can go wrong in either direction, `EndOfStream` apart, which only `receive` can have.
 *
 * @since 0.1.0
 */
import type { Provider } from '../attributes/Provider.js'
import type { Effect } from '../effect/Effect.js'
import type { EndOfStream } from './StreamError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Gives items, each once and in order.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attributes, Effect, Exit, Stream, StreamError } from 'millrace'
 * import type { ObjectStream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // A stream of one's own: a position, and an effect that moves it.
 * const countdown = (from: number): ObjectStream.ReceiveStream<number> => {
 *   let left = from
 *   return {
 *     receive: Effect.suspend(() => (left > 0 ? Effect.succeed(left--) : Effect.fail(StreamError.endOfStream))),
 *     close: Effect.sync(() => { left = 0 }),
 *     attributes: Attributes.empty
 *   }
 * }
 * assert.deepEqual(TestRuntime.runExit(Stream.collect(countdown(3))), Exit.succeed([3, 2, 1]))
 *
 * @category model
 * @since 0.1.0
 */
export interface ReceiveStream<out A, out E = never, out Attrs extends object = {}> extends Provider<Attrs> {
  /**
   * The next item; `EndOfStream` when there will be none.
   *
   * **Cancellation.** Nothing was received.
   */
  readonly receive: Effect<unknown, E | EndOfStream, A>
  /** Closes this side. Closing twice does nothing; works in a cancelled scope too. */
  readonly close: Effect<unknown, never, void>
}

/**
 * Takes items, each once and in order.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attributes, Effect, Runtime, Stream } from 'millrace'
 * import type { ObjectStream } from 'millrace'
 *
 * const lines: Array<string> = []
 * const printer: ObjectStream.SendStream<string> = {
 *   send: (line) => Effect.sync(() => { lines.push(line) }),
 *   close: Effect.unit,
 *   attributes: Attributes.empty
 * }
 * Runtime.runSync(pipe(Stream.fromIterable(['a', 'b']), Effect.flatMap(Stream.pipeTo(printer))))
 * assert.deepEqual(lines, ['a', 'b'])
 *
 * @category model
 * @since 0.1.0
 */
export interface SendStream<in A, out E = never, out Attrs extends object = {}> extends Provider<Attrs> {
  /**
   * Hands the item over.
   *
   * **Cancellation.** Nothing was sent.
   */
  readonly send: (a: A) => Effect<unknown, E, void>
  /** Closes this side: the receiver finds the end of the stream. Closing twice does nothing. */
  readonly close: Effect<unknown, never, void>
}

/**
 * Both directions.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream } from 'millrace'
 * import type { ObjectStream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Two memory streams, seen from one side.
 * const program = Effect.gen(function* () {
 *   const [toServer, requests] = yield* MemoryStream.make<string>(1)
 *   const [toClient, responses] = yield* MemoryStream.make<number>(1)
 *   const client: ObjectStream.DuplexStream<number, string, unknown> = {
 *     receive: responses.receive,
 *     send: toServer.send,
 *     sendEof: toServer.close,
 *     close: Effect.andThen(responses.close)(toServer.close),
 *     attributes: responses.attributes
 *   }
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
  /** No more will be sent; receiving goes on. */
  readonly sendEof: Effect<unknown, E, void>
}
