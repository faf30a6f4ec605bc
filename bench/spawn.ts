/** Spawning 10,000 tasks and joining each of them. */
import { Effect as Peer, Fiber as PeerFiber } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Effect, Runtime, type Task, TaskGroup } from 'millrace'
import { numbers, right, sumTo } from './results.js'
import type { Row } from './row.js'

const count = 10_000

const millraceJoined = (work: (i: number) => Effect.Effect<unknown, never, number>) =>
  TaskGroup.open()((group) =>
    Effect.gen(function* () {
      const tasks: Array<Task.Task<never, number>> = []
      for (let i = 0; i < count; i++) tasks.push(yield* group.spawn(work(i)))
      let sum = 0
      for (const task of tasks) sum += yield* task.join
      return sum
    })
  )

const peerJoined = (work: (i: number) => Peer.Effect<number>) =>
  Peer.gen(function* () {
    const fibers: Array<PeerFiber.Fiber<number>> = []
    for (let i = 0; i < count; i++) fibers.push(yield* Peer.forkChild(work(i)))
    let sum = 0
    for (const fiber of fibers) sum += yield* PeerFiber.join(fiber)
    return sum
  })

const nativeJoined = async (work: (i: number) => Promise<number>): Promise<number> => {
  const promises: Array<Promise<number>> = []
  for (let i = 0; i < count; i++) promises.push(work(i))
  let sum = 0
  for (const value of await Promise.all(promises)) sum += value
  return sum
}

const millracePure = millraceJoined((i) => Effect.succeed(i))
const peerPure = peerJoined((i) => Peer.succeed(i))
const nativePure = async (i: number): Promise<number> => i

const millraceYielding = millraceJoined((i) => Effect.as(i)(Effect.yieldNow))
const peerYielding = peerJoined((i) => Peer.as(Peer.yieldNow, i))
const nativeYielding = async (i: number): Promise<number> => {
  await Promise.resolve()
  return i
}

const fptsNumbers = numbers(count)
const fptsPure = pipe(
  fptsNumbers,
  TE.traverseArray((i) => TE.of<never, number>(i)),
  TE.map((values) => values.reduce((a, b) => a + b, 0))
)

export const rows: ReadonlyArray<Row> = [
  {
    id: '6',
    title: 'spawn/join 10k',
    operations: count,
    target: 0.33,
    expected: sumTo(count),
    native: 'Promise.all',
    systems: {
      millrace: () => Runtime.runPromise(millracePure),
      effect: () => Peer.runPromise(peerPure),
      native: () => nativeJoined(nativePure),
      fpts: () => right(fptsPure)
    }
  },
  {
    id: '6Y',
    title: 'spawn/join 10k with a yield',
    operations: count,
    target: 0.15,
    expected: sumTo(count),
    native: 'Promise.all',
    systems: {
      millrace: () => Runtime.runPromise(millraceYielding),
      effect: () => Peer.runPromise(peerYielding),
      native: () => nativeJoined(nativeYielding)
    }
  }
]
