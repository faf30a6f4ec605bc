/**
 * Receiving several items at once.
 *
 * @internal
 */
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import * as Effect from '../../effect/Effect.js'

export const isMax = (max: number): boolean => max === Infinity || (Number.isInteger(max) && max >= 1)

export const badMax = (max: number): Effect.Effect<unknown, never, never> =>
  Effect.die(
    new RangeError(
      `receiveMany takes a whole number of items from 1, or Infinity, but was given ${String(max)}.`
    )
  )

/** `receiveMany` of a stream that has one item at a time. */
export const manyFrom = <A, E>(
  receive: Effect.Effect<unknown, E, A>
): ((max: number) => Effect.Effect<unknown, E, ReadonlyNonEmptyArray<A>>) => {
  const one = Effect.map((a: A): ReadonlyNonEmptyArray<A> => [a])(receive)
  return (max) => (isMax(max) ? one : badMax(max))
}
