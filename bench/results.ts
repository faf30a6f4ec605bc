/** What the workloads share: the expected sums, and the value of a `TaskEither`. */
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** The numbers from 0 to `count - 1`. */
export const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

/** The sum of the numbers from 0 to `count - 1`. */
export const sumTo = (count: number): number => (count * (count - 1)) / 2

/** Runs a `TaskEither` that does not fail. */
export const right = async <E, A>(task: TaskEither<E, A>): Promise<A> => {
  const either = await task()
  if (either._tag === 'Right') return either.right
  throw new Error(`a failure was not expected: ${String(either.left)}`)
}
