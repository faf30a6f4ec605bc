/**
 * What an io-ts codec makes of an input.
 *
 * @internal
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Type } from 'io-ts'
import type { DecodeFailed } from '../StreamError.js'

export const decodeWith =
  <A, I>(type: Type<A, unknown, I>) =>
  (input: I): Either<DecodeFailed, A> => {
    const decoded = type.decode(input)
    return decoded._tag === 'Right'
      ? decoded
      : { _tag: 'Left', left: { _tag: 'DecodeFailed', layer: type.name, input, errors: decoded.left } }
  }
