/** Services: looking one up 10,000 times, and providing one to each of a thousand small effects. */
import { Context as PeerContext, Effect as Peer } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
import { Effect, Runtime } from 'millrace'
import { numbers, right } from './results.js'
import type { Row } from './row.js'

const count = 10_000
const provisions = 1_000

interface Counter {
  readonly step: number
}
interface CounterEnv {
  readonly counter: Counter
}
const one: Counter = { step: 1 }

const millraceCounter = Effect.asks((env: CounterEnv) => env.counter)
class PeerCounter extends PeerContext.Service<PeerCounter, Counter>()('bench/Counter') {}

const millraceLookup = pipe(
  Effect.gen(function* () {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const counter = yield* millraceCounter
      sum += counter.step
    }
    return sum
  }),
  Effect.provide({ counter: one })
)

const peerLookup = Peer.provideService(
  Peer.gen(function* () {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const counter = yield* PeerCounter
      sum += counter.step
    }
    return sum
  }),
  PeerCounter,
  one
)

const fptsNumbers = numbers(count)
const fptsLookup = pipe(
  fptsNumbers,
  RTE.traverseSeqArray(() => RTE.asks<CounterEnv, number>((env) => env.counter.step)),
  RTE.map((values) => values.reduce((a, b) => a + b, 0))
)

const millraceProvided = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < provisions; i++) {
    const counter = yield* Effect.provide({ counter: one })(millraceCounter)
    sum += counter.step
  }
  return sum
})

const peerProvided = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < provisions; i++) {
    const counter = yield* Peer.provideService(PeerCounter, PeerCounter, one)
    sum += counter.step
  }
  return sum
})

export const rows: ReadonlyArray<Row> = [
  {
    id: '12',
    title: 'service lookup 10k',
    operations: count,
    target: 0.4,
    expected: count,
    systems: {
      millrace: () => Runtime.runSync(millraceLookup),
      effect: () => Peer.runSync(peerLookup),
      fpts: () => right(fptsLookup({ counter: one }))
    }
  },
  {
    id: '12P',
    title: 'provide and lookup 1k',
    operations: provisions,
    target: 0.2,
    expected: provisions,
    systems: {
      millrace: () => Runtime.runSync(millraceProvided),
      effect: () => Peer.runSync(peerProvided)
    }
  }
]
