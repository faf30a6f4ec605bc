/**
 * `Framing`: frames of bytes over a stream of bytes, each received as it was sent.
 *
 * @since 0.1.0
 */
import type { Bytes } from '../ByteStream.js'
import { ByteQueue } from '../internal/byteReader.js'
import { fromTransducers, type Symmetric } from '../Layer.js'
import {
  type DecodeFailed,
  decodeFailed,
  type DelimiterNotFound,
  type FrameTooLarge,
  type IncompleteRead,
  incompleteRead
} from '../StreamError.js'
import { type Emitter, mapEither, type Run, type Transducer, type Verdict } from '../Transducer.js'

const checkBound = (layer: string, maxBytes: number): void => {
  if (maxBytes !== Infinity && (!Number.isInteger(maxBytes) || maxBytes < 0))
    throw new RangeError(
      `The maxBytes of ${layer} is a whole number from 0, or Infinity, but was given ${String(maxBytes)}.`
    )
}

const failed = <E>(error: E): Verdict<E> => ({ _tag: 'failed', error })

// -------------------------------------------------------------------------------------
// delimited
// -------------------------------------------------------------------------------------

class DelimitedRun implements Run<Bytes, Bytes, DelimiterNotFound | IncompleteRead> {
  private readonly queue = new ByteQueue()
  private readonly delimiter: Bytes
  private readonly maxBytes: number

  constructor(delimiter: Bytes, maxBytes: number) {
    this.delimiter = delimiter
    this.maxBytes = maxBytes
  }

  step(input: ArrayLike<Bytes>, count: number, out: Emitter<Bytes>): Verdict<DelimiterNotFound> {
    const { queue, delimiter, maxBytes } = this
    for (let i = 0; i < count; i++) {
      queue.push(input[i] as Bytes)
      for (;;) {
        const at = queue.indexOf(delimiter)
        if (at > maxBytes || (at < 0 && queue.length >= maxBytes + delimiter.length))
          return failed({ _tag: 'DelimiterNotFound', maxBytes })
        if (at < 0) break
        out.push(queue.take(at))
        queue.skip(delimiter.length)
      }
    }
    return 'more'
  }

  end(): Verdict<IncompleteRead> {
    const { length } = this.queue
    return length === 0 ? 'more' : failed(incompleteRead(length))
  }
}

/**
 * Frames that end with a delimiter. A string stands for its UTF-8.
 *
 * **Errors.** `DelimiterNotFound`: a frame that is received is longer than `maxBytes`, which counts it without the delimiter.
 * `IncompleteRead`: the stream has ended inside a frame. `DecodeFailed`: a frame to be sent has the delimiter in it, or is
 * longer than `maxBytes`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Framing, Layer, Stream } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const { stream } = yield* MemoryByteStream.scripted(['ab\0', 'c', 'd\0'])
 *   const frames = pipe(stream, Layer.through(Framing.delimited({ delimiter: '\0', maxBytes: 100 })))
 *   return (yield* Stream.collect(frames)).map((frame) => new TextDecoder().decode(frame))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['ab', 'cd']))
 *
 * @category constructors
 * @since 0.1.0
 */
export const delimited = (options: {
  readonly delimiter: Bytes | string
  readonly maxBytes: number
}): Symmetric<Bytes, Bytes, DelimiterNotFound | IncompleteRead | DecodeFailed> => {
  const { maxBytes } = options
  checkBound('Framing.delimited', maxBytes)
  const delimiter: Bytes =
    typeof options.delimiter === 'string' ? new TextEncoder().encode(options.delimiter) : options.delimiter
  if (delimiter.length === 0)
    throw new RangeError('The delimiter of Framing.delimited has one byte at least.')
  const decodeDelimited: Transducer<Bytes, Bytes, DelimiterNotFound | IncompleteRead> = {
    open: () => new DelimitedRun(delimiter, maxBytes)
  }
  return fromTransducers({
    decode: decodeDelimited,
    encode: mapEither((frame: Bytes) => {
      const whole = new Uint8Array(frame.length + delimiter.length)
      whole.set(frame)
      whole.set(delimiter, frame.length)
      const queue = new ByteQueue()
      queue.push(whole)
      const problem =
        frame.length > maxBytes
          ? `The frame is longer than ${maxBytes} bytes.`
          : queue.indexOf(delimiter) < frame.length
            ? 'The frame has the delimiter in it.'
            : null
      return problem === null
        ? { _tag: 'Right', right: whole }
        : { _tag: 'Left', left: decodeFailed('Framing.delimited', frame, problem) }
    })
  })
}

// -------------------------------------------------------------------------------------
// with a length before them
// -------------------------------------------------------------------------------------

/**
 * How the length of a frame is written before it: unsigned, the larger ones with the high byte first; `varint` has seven bits a
 * byte, the low ones first.
 *
 * @category model
 * @since 0.1.0
 */
export type Header = 'uint8' | 'uint16be' | 'uint32be' | 'varint'

const sizes = { uint8: 1, uint16be: 2, uint32be: 4 } as const

/** The most that a header can say. A varint says what a number holds exactly. */
const most = (header: Header): number =>
  header === 'varint' ? Number.MAX_SAFE_INTEGER : 256 ** sizes[header] - 1

/** What a header in the buffer says, and how long it is; null when it is not complete. */
const readHeader = (
  queue: ByteQueue,
  header: Header
): { readonly size: number; readonly length: number } | null => {
  if (header !== 'varint') {
    const size = sizes[header]
    if (queue.length < size) return null
    let length = 0
    for (let i = 0; i < size; i++) length = length * 256 + queue.at(i)
    return { size, length }
  }
  let length = 0
  for (let i = 0; i < queue.length; i++) {
    const byte = queue.at(i)
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { size: i + 1, length }
    // More bits than any length has.
    if (i === 8) return { size: i + 1, length: Infinity }
  }
  return null
}

const writeHeader = (header: Header, length: number): ReadonlyArray<number> => {
  const bytes: Array<number> = []
  let rest = length
  if (header === 'varint') {
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
    return [...bytes, rest]
  }
  for (let i = 0; i < sizes[header]; i++) {
    bytes.unshift(rest % 256)
    rest = Math.floor(rest / 256)
  }
  return bytes
}

class PrefixedRun implements Run<Bytes, Bytes, FrameTooLarge | IncompleteRead> {
  private readonly queue = new ByteQueue()
  /** The length that was announced; its header is not in the queue any more. */
  private announced: number | null = null
  private readonly header: Header
  private readonly maxBytes: number

  constructor(header: Header, maxBytes: number) {
    this.header = header
    this.maxBytes = maxBytes
  }

  step(input: ArrayLike<Bytes>, count: number, out: Emitter<Bytes>): Verdict<FrameTooLarge> {
    const { queue, maxBytes } = this
    for (let i = 0; i < count; i++) {
      queue.push(input[i] as Bytes)
      for (;;) {
        if (this.announced === null) {
          const header = readHeader(queue, this.header)
          if (header === null) break
          if (header.length > maxBytes)
            return failed({ _tag: 'FrameTooLarge', announced: header.length, maxBytes })
          queue.skip(header.size)
          this.announced = header.length
        }
        if (queue.length < this.announced) break
        out.push(queue.take(this.announced))
        this.announced = null
      }
    }
    return 'more'
  }

  end(): Verdict<IncompleteRead> {
    const { length } = this.queue
    if (this.announced !== null) return failed(incompleteRead(length, this.announced))
    return length === 0 ? 'more' : failed(incompleteRead(length))
  }
}

/**
 * Frames with their length before them: any bytes, also none.
 *
 * **Errors.** `FrameTooLarge`: a header announces more than `maxBytes`, which counts the frame without its header, or a varint
 * more than 2⁵³ − 1; or a frame to be sent is longer than `maxBytes`, or than the header can say. `IncompleteRead`: the stream has
 * ended inside a frame. A header or bound that there is not throws a `RangeError` at once.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Framing, Layer } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const frames = Framing.lengthPrefixed({ maxBytes: 1000, header: 'uint16be' })
 * const program = Effect.gen(function* () {
 *   const { stream, sent } = yield* MemoryByteStream.scripted([new Uint8Array([0, 2, 7]), new Uint8Array([8])])
 *   const framed = pipe(stream, Layer.through(frames))
 *   yield* framed.send(new Uint8Array([9]))
 *   return [[...(yield* framed.receive)], [...(yield* sent)]]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([[7, 8], [0, 1, 9]]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const lengthPrefixed = ({
  maxBytes,
  header = 'uint32be'
}: {
  readonly maxBytes: number
  /** `uint32be` when absent. */
  readonly header?: Header
}): Symmetric<Bytes, Bytes, FrameTooLarge | IncompleteRead> => {
  checkBound('Framing.lengthPrefixed', maxBytes)
  if (header !== 'varint' && !(header in sizes))
    throw new RangeError(
      `The header of Framing.lengthPrefixed is uint8, uint16be, uint32be or varint, but was given ${header}.`
    )
  const longest = Math.min(maxBytes, most(header))
  const decodePrefixed: Transducer<Bytes, Bytes, FrameTooLarge | IncompleteRead> = {
    // Also without a bound there is a longest one: what can never come whole would be waited for, and kept, for ever.
    open: () => new PrefixedRun(header, longest)
  }
  return fromTransducers({
    decode: decodePrefixed,
    encode: mapEither((frame: Bytes) => {
      if (frame.length > longest) {
        const tooLarge: FrameTooLarge = { _tag: 'FrameTooLarge', announced: frame.length, maxBytes: longest }
        return { _tag: 'Left', left: tooLarge }
      }
      const head = writeHeader(header, frame.length)
      const whole: Bytes = new Uint8Array(head.length + frame.length)
      whole.set(head)
      whole.set(frame, head.length)
      return { _tag: 'Right', right: whole }
    })
  })
}
