/** Waiting for a promise that is already resolved. */
import { Effect as Peer } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Effect, Promises, Runtime } from 'millrace'
import { numbers, right } from './results.js'
import type { Row } from './row.js'

const count = 10_000

const promise = Promise.resolve(1)

const millrace = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* Promises.fromPromise(() => promise)
  return sum
})

const peer = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* Peer.promise(() => promise)
  return sum
})

const native = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) sum += await promise
  return sum
}

const fptsNumbers = numbers(count)
const fpts = pipe(
  fptsNumbers,
  TE.traverseSeqArray(() => TE.fromTask<number>(() => promise)),
  TE.map((values) => values.reduce((a, b) => a + b, 0))
)

export const rows: ReadonlyArray<Row> = [
  {
    id: '11P',
    title: 'resolved promise 10k',
    operations: count,
    target: 0.5,
    expected: count,
    native: 'await',
    systems: {
      millrace: () => Runtime.runPromise(millrace),
      effect: () => Peer.runPromise(peer),
      native,
      fpts: () => right(fpts)
    }
  }
]
