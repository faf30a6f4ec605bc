/**
 * What an io-ts codec makes of an input.
 *
 * @internal
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Type } from 'io-ts'
import { type DecodeFailed, decodeFailed } from '../StreamError.js'

/** That the stack has overflowed, in the words of the engines. */
const overflow = /call stack|recursion/i

/**
 * Codecs of recursive types go as deep as their input does, and how deep that is a peer decides: that is no bug of the codec.
 */
const guarded = <A>(
  layer: string,
  input: unknown,
  f: () => Either<DecodeFailed, A>
): Either<DecodeFailed, A> => {
  try {
    return f()
  } catch (thrown) {
    if (thrown instanceof Error && overflow.test(thrown.message))
      return { _tag: 'Left', left: decodeFailed(layer, input, 'This is nested too deeply.') }
    throw thrown
  }
}

export const decodeWith =
  <A, I>(type: Type<A, unknown, I>) =>
  (input: I): Either<DecodeFailed, A> =>
    guarded(type.name, input, () => {
      const decoded = type.decode(input)
      return decoded._tag === 'Right'
        ? decoded
        : { _tag: 'Left', left: { _tag: 'DecodeFailed', layer: type.name, input, errors: decoded.left } }
    })

export const encodeWith =
  <A, O, I>(type: Type<A, O, I>) =>
  (a: A): Either<DecodeFailed, O> =>
    guarded(type.name, a, () => ({ _tag: 'Right', right: type.encode(a) }))
