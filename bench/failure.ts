/** Typed failures: raised and handled in sequence, and raised through ten maps. */
import { Effect as Peer } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Effect, Runtime } from 'millrace'
import { numbers, right, sumTo } from './results.js'
import type { Row } from './row.js'

const count = 10_000
const passes = 1_000

interface Refused {
  readonly _tag: 'Refused'
  readonly value: number
}
const refused = (value: number): Refused => ({ _tag: 'Refused', value })
const total = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)

const millraceHandled = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += yield* Effect.orElse((e: Refused) => Effect.succeed(e.value))(Effect.fail(refused(i)))
  }
  return sum
})

const peerHandled = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += yield* Peer.catch(Peer.fail(refused(i)), (e) => Peer.succeed(e.value))
  }
  return sum
})

const nativeRefuse = async (i: number): Promise<number> => {
  throw refused(i)
}
const nativeHandled = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) {
    try {
      sum += await nativeRefuse(i)
    } catch (e) {
      sum += (e as Refused).value
    }
  }
  return sum
}

const fptsNumbers = numbers(count)
const fptsHandled = pipe(
  fptsNumbers,
  TE.traverseSeqArray((i) =>
    pipe(
      TE.left<Refused, number>(refused(i)),
      TE.orElse((e) => TE.of<never, number>(e.value))
    )
  ),
  TE.map(total)
)

const increment = (n: number): number => n + 1

const millracePassed = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < passes; i++) {
    let fx: Effect.Effect<unknown, Refused, number> = Effect.fail(refused(i))
    for (let level = 0; level < 10; level++) fx = Effect.map(increment)(fx)
    sum += yield* Effect.orElse((e: Refused) => Effect.succeed(e.value))(fx)
  }
  return sum
})

const peerPassed = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < passes; i++) {
    let fx: Peer.Effect<number, Refused> = Peer.fail(refused(i))
    for (let level = 0; level < 10; level++) fx = Peer.map(fx, increment)
    sum += yield* Peer.catch(fx, (e) => Peer.succeed(e.value))
  }
  return sum
})

const nativePassed = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < passes; i++) {
    let promise: Promise<number> = Promise.reject(refused(i))
    for (let level = 0; level < 10; level++) promise = promise.then(increment)
    sum += await promise.catch((e: unknown) => (e as Refused).value)
  }
  return sum
}

const fptsPassNumbers = numbers(passes)
const fptsPassed = pipe(
  fptsPassNumbers,
  TE.traverseSeqArray((i) => {
    let fx = TE.left<Refused, number>(refused(i))
    for (let level = 0; level < 10; level++) fx = pipe(fx, TE.map(increment))
    return pipe(
      fx,
      TE.orElse((e) => TE.of<never, number>(e.value))
    )
  }),
  TE.map(total)
)

export const rows: ReadonlyArray<Row> = [
  {
    id: '5',
    title: 'fail/catch 10k in sequence',
    operations: count,
    target: 0.28,
    expected: sumTo(count),
    native: 'await, try/catch',
    systems: {
      millrace: () => Runtime.runSync(millraceHandled),
      effect: () => Peer.runSync(peerHandled),
      native: nativeHandled,
      fpts: () => right(fptsHandled)
    }
  },
  {
    id: '5P',
    title: 'fail through 10 maps, 1k',
    operations: passes,
    target: 0.28,
    expected: sumTo(passes),
    native: 'promise.then',
    systems: {
      millrace: () => Runtime.runSync(millracePassed),
      effect: () => Peer.runSync(peerPassed),
      native: nativePassed,
      fpts: () => right(fptsPassed)
    }
  }
]
