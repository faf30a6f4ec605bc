/**
 * `Codec`: an io-ts codec as a layer: decodes what is received, encodes what is sent.
 *
 * @since 0.1.0
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Type } from 'io-ts'
import { decodeWith, encodeWith } from '../internal/decodeWith.js'
import { fromTransducers, type SidedLayer } from '../Layer.js'
import type { DecodeFailed } from '../StreamError.js'
import { map, mapEither } from '../Transducer.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A codec for each direction: `{ receive: Response, send: Request }`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Directions<In, WireIn, Out, WireOut, Unused = unknown> {
  readonly receive: Type<In, unknown, WireIn>
  readonly send: Type<Out, WireOut, Unused>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Decodes what is received and encodes what is sent, by one codec or by one a direction. The stream below speaks what the codec
 * reads and writes.
 *
 * **Errors.** `DecodeFailed`: what came is not what the codec describes, or is nested too deeply for it; that is the end. To go
 * on after it, see {@link layerEither}.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as t from 'io-ts'
 * import { Codec, Effect, Exit, Layer, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const User = t.type({ name: t.string })
 * const program = Effect.gen(function* () {
 *   const messages = yield* Stream.fromIterable<unknown>([{ name: 'Ada' }, { name: 7 }])
 *   const users = pipe(messages, Layer.through(Codec.layer(User)))
 *   return [yield* users.receive, (yield* Effect.either(users.receive))._tag]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([{ name: 'Ada' }, 'Left']))
 *
 * @category constructors
 * @since 0.1.0
 */
export const layer: {
  <A, O, I>(type: Type<A, O, I>): SidedLayer<I, O, A, A, DecodeFailed>
  <In, WireIn, Out, WireOut, Unused>(
    types: Directions<In, WireIn, Out, WireOut, Unused>
  ): SidedLayer<WireIn, WireOut, In, Out, DecodeFailed>
} = <A, O, I>(types: Type<A, O, I> | Directions<A, I, A, O, I>): never => {
  // The signatures say what each direction has; inside it is one type.
  const { receive, send }: Directions<A, I, A, O, I> =
    'receive' in types ? types : { receive: types, send: types }
  return fromTransducers({
    decode: mapEither(decodeWith(receive)),
    encode: mapEither(encodeWith(send))
  }) as never
}

/**
 * The same, with failures to decode as items: for a stream that goes on after one.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as E from 'fp-ts/lib/Either.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as t from 'io-ts'
 * import { Codec, Effect, Exit, Layer, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const messages = yield* Stream.fromIterable<unknown>([1, 'two', 3])
 *   const numbers = yield* pipe(messages, Layer.through(Codec.layerEither(t.number)), Stream.collect)
 *   return numbers.map(E.getOrElse(() => 0))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 0, 3]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const layerEither = <A, O, I>(type: Type<A, O, I>): SidedLayer<I, O, Either<DecodeFailed, A>, A> =>
  fromTransducers({ decode: map(decodeWith(type)), encode: map((a: A) => type.encode(a)) })
