/**
 * `Lines`: lines over text. On receipt `\n` and `\r\n` end a line; sending ends it with `\n`. A last line without an end is a
 * line too.
 *
 * @since 0.1.0
 */
import { fromTransducers, type Symmetric } from '../Layer.js'
import type { DelimiterNotFound } from '../StreamError.js'
import { type Emitter, map, type Run, type Transducer, type Verdict } from '../Transducer.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What bounds a line.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  /**
   * The most characters (UTF-16 code units) of a line that is received, without its end: a whole number from 0, 1,048,576 when
   * absent; `Infinity` for no bound.
   */
  readonly maxLength?: number
}

const defaultMaxLength = 1_048_576

const lineFeed = '\n'
const carriageReturn = 13

class LinesRun implements Run<string, string, DelimiterNotFound> {
  /** The beginning of a line whose end has not come. */
  private rest = ''
  private readonly maxLength: number

  constructor(maxLength: number) {
    this.maxLength = maxLength
  }

  step(input: ArrayLike<string>, count: number, out: Emitter<string>): Verdict<DelimiterNotFound> {
    const { maxLength } = this
    let { rest } = this
    for (let k = 0; k < count; k++) {
      const text = input[k] as string
      let from = 0
      // Only what is new is looked through: a line in many pieces costs no more than one in a single piece.
      for (let at = text.indexOf(lineFeed); at >= 0; at = text.indexOf(lineFeed, from)) {
        let line = text.slice(from, at)
        if (rest !== '') {
          line = rest + line
          rest = ''
        }
        if (line.charCodeAt(line.length - 1) === carriageReturn) line = line.slice(0, -1)
        if (line.length > maxLength) return tooLong(maxLength)
        out.push(line)
        from = at + 1
      }
      if (from < text.length) rest += from === 0 ? text : text.slice(from)
      if (rest.length > maxLength && !this.mayEnd(rest)) return tooLong(maxLength)
    }
    this.rest = rest
    return 'more'
  }

  /** One character too many may be half of the end. */
  private mayEnd(rest: string): boolean {
    return rest.length === this.maxLength + 1 && rest.charCodeAt(rest.length - 1) === carriageReturn
  }

  end(out: Emitter<string>): Verdict<DelimiterNotFound> {
    const { rest } = this
    if (rest.length > this.maxLength) return tooLong(this.maxLength)
    if (rest !== '') out.push(rest)
    return 'more'
  }
}

const tooLong = (maxBytes: number): Verdict<DelimiterNotFound> => ({
  _tag: 'failed',
  error: { _tag: 'DelimiterNotFound', maxBytes }
})

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Lines over text, in both directions. An item that is sent with a line end in it is several lines to the receiver.
 *
 * **Errors.** `DelimiterNotFound`: a line is longer than the bound. It fails as soon as that is sure, and holds no more than the
 * bound and a piece of text.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Layer, Lines, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const text = yield* Stream.fromIterable(['on', 'e\r', '\ntwo\nthr', 'ee'])
 *   return yield* pipe(text, Layer.through(Lines.layer()), Stream.collect)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['one', 'two', 'three']))
 *
 * @category constructors
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Symmetric<string, string, DelimiterNotFound> =>
  fromTransducers({ decode: decode(options), encode: encode() })

/**
 * The receiving half: `Stream.via(Lines.decode())`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Lines, Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Lines.decode({ maxLength: 3 }))(['one\nthree\n']), {
 *   outputs: ['one'],
 *   end: E.left({ _tag: 'DelimiterNotFound', maxBytes: 3 })
 * })
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = ({ maxLength = defaultMaxLength }: Options = {}): Transducer<
  string,
  string,
  DelimiterNotFound
> => {
  if (maxLength !== Infinity && (!Number.isInteger(maxLength) || maxLength < 0))
    throw new RangeError(
      `The maxLength of Lines is a whole number from 0, or Infinity, but was given ${String(maxLength)}.`
    )
  return { open: () => new LinesRun(maxLength) }
}

/**
 * The sending half: `Stream.into(Lines.encode())`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Lines, Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Lines.encode())(['one', 'two']).outputs, ['one\n', 'two\n'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const encode = (): Transducer<string, string> => map((line: string) => line + lineFeed)
