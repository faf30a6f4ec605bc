/**
 * The typed failures of streams.
 *
 * @since 0.1.0
 */
import type { Errors } from 'io-ts'

export type { BrokenResource, BusyResource, ClosedResource, WouldBlock } from '../scope/ResourceError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * There is nothing more to come, and never will be. The normal end of a stream.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = pipe(
 *   Stream.fromIterable<number>([]),
 *   Effect.flatMap((stream) => stream.receive),
 *   Effect.catchTag('EndOfStream', () => Effect.succeed('nothing left'))
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('nothing left'))
 *
 * @category model
 * @since 0.1.0
 */
export interface EndOfStream {
  readonly _tag: 'EndOfStream'
}

/**
 * A subscriber was too slow, and that many items were dropped for it.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   return yield* pipe(
 *     yield* Stream.fromIterable([1, 2, 3, 4, 5]),
 *     Stream.broadcast({ lag: 2 }),
 *     Resource.flatMap((hub) => hub.subscribe),
 *     Resource.use((slow) => pipe(Effect.sleep(10), Effect.andThen(Effect.either(slow.receive))))
 *   )
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'Left', left: { _tag: 'Lagged', dropped: 3 } }))
 *
 * @category model
 * @since 0.1.0
 */
export interface Lagged {
  readonly _tag: 'Lagged'
  readonly dropped: number
}

/**
 * The stream has ended in the middle of something: an exact read, a line that needs its end, a frame, a character. What was
 * received of it stays where it is.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { StreamError } from 'millrace'
 *
 * const cutOff: StreamError.IncompleteRead = StreamError.incompleteRead(3, 8)
 * assert.deepEqual([cutOff.received, cutOff.expected, cutOff.missing], [3, 8, 5])
 *
 * @category model
 * @since 0.1.0
 */
export interface IncompleteRead {
  readonly _tag: 'IncompleteRead'
  /** How many bytes, or characters of a text, of the unfinished item were there. */
  readonly received: number
  /** How many it has in all, where that is known. */
  readonly expected: number | undefined
  /** How many are missing; at least one, where that is not known. */
  readonly missing: number
}

/**
 * No delimiter came within the bound. What was received stays where it is.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Buffered, Effect, Exit, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const chunks = yield* Stream.fromIterable([new Uint8Array(100)])
 *   const stream = yield* Buffered.makeReceive(chunks)
 *   return yield* Effect.either(stream.receiveUntil('\n', 10))
 * })
 * assert.deepEqual(
 *   TestRuntime.runExit(program),
 *   Exit.succeed({ _tag: 'Left', left: { _tag: 'DelimiterNotFound', maxBytes: 10 } })
 * )
 *
 * @category model
 * @since 0.1.0
 */
export interface DelimiterNotFound {
  readonly _tag: 'DelimiterNotFound'
  /** The bound: bytes, or for a text characters (UTF-16 code units), without the delimiter. */
  readonly maxBytes: number
}

/**
 * The header of a frame announces more than the bound. Nothing of the frame was buffered.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Framing, Layer, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const wire = yield* Stream.fromIterable([new Uint8Array([0, 0, 1, 0])])
 *   const frames = pipe(wire, Layer.through(Framing.lengthPrefixed({ maxBytes: 100 })))
 *   return yield* Effect.either(frames.receive)
 * })
 * assert.deepEqual(
 *   TestRuntime.runExit(program),
 *   Exit.succeed({ _tag: 'Left', left: { _tag: 'FrameTooLarge', announced: 256, maxBytes: 100 } })
 * )
 *
 * @category model
 * @since 0.1.0
 */
export interface FrameTooLarge {
  readonly _tag: 'FrameTooLarge'
  /** Bytes, without the header. */
  readonly announced: number
  readonly maxBytes: number
}

/**
 * What was received is not what the layer decodes, or what is to be sent cannot be encoded. `errors` are those of io-ts,
 * which `PathReporter` prints; for text and JSON syntax there is one, with the message of the host.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as t from 'io-ts'
 * import { Effect, Exit, Json, Layer, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const documents = yield* Stream.fromIterable(['{"id":"seven"}'])
 *   const rows = pipe(documents, Layer.through(Json.layer(t.type({ id: t.number }))))
 *   return yield* pipe(
 *     rows.receive,
 *     Effect.map((row) => `row ${row.id}`),
 *     Effect.catchTag('DecodeFailed', (e) => Effect.succeed(e.errors[0]?.context.map((c) => c.key).join('.')))
 *   )
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('.id'))
 *
 * @category model
 * @since 0.1.0
 */
export interface DecodeFailed {
  readonly _tag: 'DecodeFailed'
  /** Which layer, such as `Text` or the name of the io-ts type. */
  readonly layer: string
  readonly input: unknown
  readonly errors: Errors
}

/**
 * No connection could be made. One error an address that was tried, or that of looking the name up.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Connectable, Effect, Exit, Resource, type StreamError } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const refused: StreamError.ConnectionFailed = { _tag: 'ConnectionFailed', endpoint: 'mock://shop', errors: ['refused'] }
 * const shop = Connectable.make('mock://shop', Resource.fromEffect(Effect.fail(refused)))
 * const program = pipe(
 *   shop,
 *   Resource.use(() => Effect.succeed('open')),
 *   Effect.catchTag('ConnectionFailed', (e) => Effect.succeed(`${e.endpoint} is closed`))
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('mock://shop is closed'))
 *
 * @category model
 * @since 0.1.0
 */
export interface ConnectionFailed {
  readonly _tag: 'ConnectionFailed'
  /** Where to, as it was asked for: `tcp://localhost:4000`. */
  readonly endpoint: string
  readonly errors: ReadonlyArray<unknown>
}

/**
 * The address cannot be listened on: it is in use, not one of this machine, or not allowed.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import type { StreamError } from 'millrace'
 *
 * const inUse: StreamError.BindFailed = { _tag: 'BindFailed', endpoint: 'tcp://0.0.0.0:80', cause: 'EADDRINUSE' }
 * assert.equal(inUse.endpoint, 'tcp://0.0.0.0:80')
 *
 * @category model
 * @since 0.1.0
 */
export interface BindFailed {
  readonly _tag: 'BindFailed'
  readonly endpoint: string
  readonly cause: unknown
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The end of a stream.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, ObjectStream, Stream, StreamError } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const nothing = ObjectStream.receiveStream({ receive: Effect.fail(StreamError.endOfStream) })
 * assert.deepEqual(TestRuntime.runExit(Stream.collect(nothing)), Exit.succeed([]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const endOfStream: EndOfStream = { _tag: 'EndOfStream' }

/**
 * The end in the middle of something: how many were there, and how many there should have been, where that is known.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { StreamError } from 'millrace'
 *
 * assert.deepEqual(StreamError.incompleteRead(2), { _tag: 'IncompleteRead', received: 2, expected: undefined, missing: 1 })
 *
 * @category constructors
 * @since 0.1.0
 */
export const incompleteRead = (received: number, expected?: number): IncompleteRead => ({
  _tag: 'IncompleteRead',
  received,
  expected,
  missing: expected === undefined ? 1 : expected - received
})

/**
 * What was not decoded, with one error for the whole of it.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { StreamError } from 'millrace'
 *
 * const failure = StreamError.decodeFailed('Port', '99999', 'a port is below 65536')
 * assert.equal(failure.errors[0]?.message, 'a port is below 65536')
 *
 * @category constructors
 * @since 0.1.0
 */
export const decodeFailed = (layer: string, input: unknown, message: string): DecodeFailed => ({
  _tag: 'DecodeFailed',
  layer,
  input,
  errors: [{ value: input, context: [], message }]
})
