/** A race that its first arm wins at once, a thousand times. */
import { Effect as Peer } from 'effect'
import { Concurrent, Effect, Runtime } from 'millrace'
import { sumTo } from './results.js'
import type { Row } from './row.js'

const count = 1_000

const millrace = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* Concurrent.race(Effect.never)(Effect.succeed(i))
  return sum
})

// `race` of effect is the first to succeed, `raceFirst` the first to end, as ours.
const peer = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* Peer.raceFirst(Peer.succeed(i), Peer.never)
  return sum
})

const native = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += await Promise.race([Promise.resolve(i), new Promise<never>(() => undefined)])
  }
  return sum
}

export const rows: ReadonlyArray<Row> = [
  {
    id: '10R',
    title: 'race(succeed, never) 1k',
    operations: count,
    target: 0.2,
    expected: sumTo(count),
    native: 'Promise.race',
    systems: {
      millrace: () => Runtime.runPromise(millrace),
      effect: () => Peer.runPromise(peer),
      native
    }
  }
]
