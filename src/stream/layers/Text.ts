/**
 * `Text`: characters over bytes. A text is not framed: the pieces are as they come, never empty, and never cut inside a
 * character. `Lines` frames it.
 *
 * A byte order mark at the beginning is dropped; none is sent.
 *
 * @since 0.1.0
 */
import type { Bytes } from '../ByteStream.js'
import { decoderFor, encoderFor } from '../internal/encodings.js'
import { fromTransducers, type Symmetric } from '../Layer.js'
import type { DecodeFailed, IncompleteRead } from '../StreamError.js'
import type { Transducer } from '../Transducer.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How characters are encoded, and what is done about those that are not right.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  /**
   * `utf-8` when absent. `utf-8`, `utf-16le`, `utf-16be` and `latin1` (ISO 8859-1) go both ways; every other name that the
   * host's `TextDecoder` knows can be decoded only. A name that is unknown, or cannot be encoded, throws.
   */
  readonly encoding?: 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1' | (string & {})
  /**
   * `strict`, the default: what is not right fails. `replace`: it becomes U+FFFD, as in `TextDecoder` and `TextEncoder`; a
   * character that `latin1` has not got is sent as `?`.
   */
  readonly errors?: 'strict' | 'replace'
}

const optionsOf = (options: string | Options): Required<Options> => {
  const { encoding = 'utf-8', errors = 'strict' } =
    typeof options === 'string' ? { encoding: options } : options
  return { encoding, errors }
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Characters over bytes, in both directions.
 *
 * **Errors.** `DecodeFailed`: bytes that are no text in this encoding, or a text that has no bytes in it (a lone surrogate).
 * `IncompleteRead`: the stream has ended inside a character.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Layer, Stream, Text } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const euro = new TextEncoder().encode('1 €')
 *   const { stream, sent } = yield* MemoryByteStream.scripted([euro.subarray(0, 3), euro.subarray(3)])
 *   const text = pipe(stream, Layer.through(Text.layer()))
 *   yield* text.send('2 €')
 *   return [yield* Stream.collect(text), (yield* sent).length]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([['1 ', '€'], 5]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const layer = (
  encodingOrOptions: string | Options = {}
): Symmetric<Bytes, string, DecodeFailed | IncompleteRead> =>
  fromTransducers({ decode: decode(encodingOrOptions), encode: encode(encodingOrOptions) })

/**
 * The receiving half: `Stream.via(Text.decode())`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Text, Transducer } from 'millrace'
 *
 * const bytes = new Uint8Array([0x68, 0xff, 0x69])
 * assert.deepEqual(Transducer.run(Text.decode({ errors: 'replace' }))([bytes]).outputs, ['h\uFFFDi'])
 * assert.equal(Transducer.run(Text.decode())([bytes]).end._tag, 'Left')
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (
  encodingOrOptions: string | Options = {}
): Transducer<Bytes, string, DecodeFailed | IncompleteRead> => {
  const { encoding, errors } = optionsOf(encodingOrOptions)
  return { open: decoderFor(encoding, errors === 'strict') }
}

/**
 * The sending half: `Stream.into(Text.encode())`. A surrogate pair may be cut between two pieces.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Text, Transducer } from 'millrace'
 *
 * const [first] = Transducer.run(Text.encode('utf-16le'))(['h']).outputs
 * assert.deepEqual(first, new Uint8Array([0x68, 0]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const encode = (encodingOrOptions: string | Options = {}): Transducer<string, Bytes, DecodeFailed> => {
  const { encoding, errors } = optionsOf(encodingOrOptions)
  return { open: encoderFor(encoding, errors === 'strict') }
}
