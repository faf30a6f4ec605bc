/**
 * Compression as layers, by the host's zlib. Each direction has a state of its own, made when it is first used and freed when
 * the stream closes. Output is made as it is taken, so an input that unpacks to very much needs no more memory than another.
 *
 * @since 0.1.0
 */
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createGunzip,
  createGzip,
  createInflate
} from 'node:zlib'
import type { Bytes } from '../../stream/ByteStream.js'
import * as Layer from '../../stream/Layer.js'
import type { ClosedResource, DecodeFailed, IncompleteRead } from '../../stream/StreamError.js'
import { packing, unpacking, type Zlib } from './internal/zlibStream.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How to compress.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  /** How hard to try: 0 to 9, for brotli 0 to 11. A whole number outside of that is refused at once, with a `RangeError`. */
  readonly level?: number
  /**
   * When what was sent comes out. `atEnd`, the default: when there is enough of it, and at the latest with `sendEof`, which
   * compresses best. `eachSend`: all of it with each `send`, for a peer that answers.
   */
  readonly flush?: 'eachSend' | 'atEnd'
}

/**
 * A layer from bytes to bytes. It goes on both directions, and on a lone stream, such as that of a file.
 *
 * @category model
 * @since 0.1.0
 */
export type Compression = Layer.SidedLayer<
  Bytes,
  Bytes,
  Bytes,
  Bytes,
  DecodeFailed | IncompleteRead | ClosedResource
>

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

interface Format {
  readonly name: string
  readonly levels: number
  readonly flush: number
  readonly pack: (level: number | undefined) => Zlib
  readonly unpack: () => Zlib
}

const layerOf =
  ({ name, levels, flush, pack, unpack }: Format) =>
  (options: Options = {}): Compression => {
    const { level, flush: when = 'atEnd' } = options
    if (level !== undefined && !(Number.isInteger(level) && level >= 0 && level <= levels)) {
      throw new RangeError(
        `The level of ${name} is a whole number from 0 to ${levels}, but was given ${level}.`
      )
    }
    return Layer.sided({
      receiving: (wire) => unpacking(name, unpack, wire),
      sending: (wire) => packing(name, () => pack(level), when === 'eachSend' ? flush : null, wire)
    })
  }

const levelOf = (level: number | undefined) => (level === undefined ? {} : { level })

/**
 * The format of gzip files (RFC 1952). Several files one after the other are one on receipt.
 *
 * **Errors.** `IncompleteRead`: the input ends before its end. `DecodeFailed`: it is not in this format, or damaged. Both are
 * final; what was unpacked before was received. `ClosedResource` after `close`.
 * **Cancellation.** Of a receive: nothing was received. Of a send: the bytes may have been taken; what they became goes out with
 * the next `send` or `sendEof`.
 *
 * `sendEof` brings out what is left; closing both directions drops it. A lone send stream brings it out when it is closed.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { gunzipSync } from 'node:zlib'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Layer, MemoryStream, Runtime, Stream } from 'millrace'
 * import type { ByteStream } from 'millrace'
 * import { Compression } from 'millrace/node'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<ByteStream.Bytes>(16)
 *   const zipped = pipe(send, Layer.through(Compression.gzip()))
 *   yield* zipped.send(Buffer.from('mill'))
 *   yield* zipped.send(Buffer.from('race'))
 *   yield* zipped.close
 *   return yield* Stream.collect(receive)
 * })
 * const file = Buffer.concat(await Runtime.runPromise(program))
 * assert.equal(gunzipSync(file).toString(), 'millrace')
 *
 * @category layers
 * @since 0.1.0
 */
export const gzip: (options?: Options) => Compression = layerOf({
  name: 'gzip',
  levels: 9,
  flush: constants.Z_SYNC_FLUSH,
  pack: (level) => createGzip(levelOf(level)),
  unpack: () => createGunzip()
})

/**
 * The format that the web calls `deflate` (zlib, RFC 1950). What comes after its end is not looked at.
 *
 * **Errors.** As those of {@link gzip}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { deflateSync } from 'node:zlib'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Layer, Runtime, Stream } from 'millrace'
 * import { Compression } from 'millrace/node'
 *
 * const packed = deflateSync('millrace')
 * const unpack = (input: Iterable<Uint8Array>) =>
 *   Effect.gen(function* () {
 *     const stream = pipe(yield* Stream.fromIterable(input), Layer.through(Compression.deflate()))
 *     return Buffer.concat(yield* Stream.collect(stream)).toString()
 *   })
 * assert.equal(await Runtime.runPromise(unpack([packed])), 'millrace')
 *
 * const cut = pipe(unpack([packed.subarray(0, 9)]), Effect.catchTag('IncompleteRead', () => Effect.succeed('cut short')))
 * assert.equal(await Runtime.runPromise(cut), 'cut short')
 *
 * @category layers
 * @since 0.1.0
 */
export const deflate: (options?: Options) => Compression = layerOf({
  name: 'deflate',
  levels: 9,
  flush: constants.Z_SYNC_FLUSH,
  pack: (level) => createDeflate(levelOf(level)),
  unpack: () => createInflate()
})

/**
 * The format of Brotli (RFC 7932), which packs text better than the others and takes longer.
 *
 * **Errors.** As those of {@link gzip}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { brotliCompressSync } from 'node:zlib'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Layer, Runtime, Stream } from 'millrace'
 * import { Compression } from 'millrace/node'
 *
 * const program = Effect.gen(function* () {
 *   const packed = yield* Stream.fromIterable([brotliCompressSync('millrace')])
 *   return Buffer.concat(yield* pipe(packed, Layer.through(Compression.brotli()), Stream.collect)).toString()
 * })
 * assert.equal(await Runtime.runPromise(program), 'millrace')
 *
 * @category layers
 * @since 0.1.0
 */
export const brotli: (options?: Options) => Compression = layerOf({
  name: 'brotli',
  levels: 11,
  flush: constants.BROTLI_OPERATION_FLUSH,
  pack: (level) =>
    createBrotliCompress(level === undefined ? {} : { params: { [constants.BROTLI_PARAM_QUALITY]: level } }),
  unpack: () => createBrotliDecompress()
})
