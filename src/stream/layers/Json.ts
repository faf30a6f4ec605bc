/**
 * `Json`: JSON that io-ts checks.
 *
 * @since 0.1.0
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Type } from 'io-ts'
import type { Bytes } from '../ByteStream.js'
import { decodeWith, encodeWith } from '../internal/decodeWith.js'
import { compose, fromTransducers, type SidedLayer } from '../Layer.js'
import {
  type DecodeFailed,
  decodeFailed,
  type DelimiterNotFound,
  type IncompleteRead
} from '../StreamError.js'
import { map, mapEither, type Transducer } from '../Transducer.js'
import * as Lines from './Lines.js'
import * as Text from './Text.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A codec for each direction: `{ receive: Response, send: Request }`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Directions<In, Out> {
  readonly receive: Type<In, unknown>
  readonly send: Type<Out, unknown>
}

/**
 * What bounds a line; see `Lines.Options`.
 *
 * @category model
 * @since 0.1.0
 */
export type LinesOptions = Lines.Options

// -------------------------------------------------------------------------------------
// documents
// -------------------------------------------------------------------------------------

const layerName = 'Json'

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

const parse = (document: string): Either<DecodeFailed, unknown> => {
  try {
    return { _tag: 'Right', right: JSON.parse(document) as unknown }
  } catch (thrown) {
    return { _tag: 'Left', left: decodeFailed(layerName, document, messageOf(thrown)) }
  }
}

const decodeDocument = <A>(type: Type<A, unknown>): ((document: string) => Either<DecodeFailed, A>) => {
  const decode = decodeWith(type)
  return (document) => {
    const parsed = parse(document)
    return parsed._tag === 'Left' ? parsed : decode(parsed.right)
  }
}

const stringify = (encoded: unknown): Either<DecodeFailed, string> => {
  try {
    // `undefined` and functions have no JSON, which the types of the host do not say.
    const document = JSON.stringify(encoded) as string | undefined
    return document === undefined
      ? { _tag: 'Left', left: decodeFailed(layerName, encoded, 'This has no JSON.') }
      : { _tag: 'Right', right: document }
  } catch (thrown) {
    return { _tag: 'Left', left: decodeFailed(layerName, encoded, messageOf(thrown)) }
  }
}

const encodeDocument = <A>(type: Type<A, unknown>): Transducer<A, string, DecodeFailed> => {
  const encode = encodeWith(type)
  return mapEither((a: A) => {
    const encoded = encode(a)
    return encoded._tag === 'Left' ? encoded : stringify(encoded.right)
  })
}

/** The signatures say what each direction has; inside it is one type. */
const directions = <A>(types: Type<A, unknown> | Directions<A, A>): Directions<A, A> =>
  'receive' in types ? types : { receive: types, send: types }

/**
 * Over strings that are one document each, as `Lines` gives them. Decodes what is received and encodes what is sent.
 *
 * **Errors.** `DecodeFailed`: what came is no JSON, or not what the codec describes; or what is to be sent has no JSON. What is
 * nested too deeply, as a peer may try, is that as well.
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
 *   const documents = yield* Stream.fromIterable(['{"id":1}', '{"id":2}'])
 *   return yield* pipe(documents, Layer.through(Json.layer(t.type({ id: t.number }))), Stream.collect)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([{ id: 1 }, { id: 2 }]))
 *
 * @category documents
 * @since 0.1.0
 */
export const layer: {
  <A>(type: Type<A, unknown>): SidedLayer<string, string, A, A, DecodeFailed>
  <In, Out>(types: Directions<In, Out>): SidedLayer<string, string, In, Out, DecodeFailed>
} = <A>(types: Type<A, unknown> | Directions<A, A>): never => {
  const { receive, send } = directions(types)
  return fromTransducers({
    decode: mapEither(decodeDocument(receive)),
    encode: encodeDocument(send)
  }) as never
}

/**
 * The same, with failures to decode as items: for a stream that goes on after one.
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
 *   const documents = yield* Stream.fromIterable(['1', 'one', '2'])
 *   const numbers = yield* pipe(documents, Layer.through(Json.layerEither(t.number)), Stream.collect)
 *   return numbers.map((n) => n._tag)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['Right', 'Left', 'Right']))
 *
 * @category documents
 * @since 0.1.0
 */
export const layerEither = <A>(
  type: Type<A, unknown>
): SidedLayer<string, string, Either<DecodeFailed, A>, A, DecodeFailed> =>
  fromTransducers({ decode: map(decodeDocument(type)), encode: encodeDocument(type) })

// -------------------------------------------------------------------------------------
// lines
// -------------------------------------------------------------------------------------

/**
 * A document a line, over bytes: the whole stack of text in UTF-8, lines, and JSON.
 *
 * **Errors.** Those of the three: `DecodeFailed`, `DelimiterNotFound` (a line is too long), `IncompleteRead`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as t from 'io-ts'
 * import { Effect, Exit, Json, Layer } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const protocol = Json.lines({ receive: t.type({ sum: t.number }), send: t.array(t.number) })
 * const program = Effect.gen(function* () {
 *   const { stream, sent } = yield* MemoryByteStream.scripted(['{"sum":', '3}\n'])
 *   const calculator = pipe(stream, Layer.through(protocol))
 *   yield* calculator.send([1, 2])
 *   const { sum } = yield* calculator.receive
 *   return [sum, new TextDecoder().decode(yield* sent)]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([3, '[1,2]\n']))
 *
 * @category lines
 * @since 0.1.0
 */
export const lines: {
  <A>(
    type: Type<A, unknown>,
    options?: LinesOptions
  ): SidedLayer<Bytes, Bytes, A, A, DecodeFailed | DelimiterNotFound | IncompleteRead>
  <In, Out>(
    types: Directions<In, Out>,
    options?: LinesOptions
  ): SidedLayer<Bytes, Bytes, In, Out, DecodeFailed | DelimiterNotFound | IncompleteRead>
} = <A>(types: Type<A, unknown> | Directions<A, A>, options: LinesOptions = {}): never =>
  compose(layer(directions(types)))(compose(Lines.layer(options))(Text.layer())) as never
