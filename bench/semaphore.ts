/** A permit taken and given back: 10,000 times by one task, and by 1,000 tasks that wait for each other. */
import { Effect as Peer, Fiber as PeerFiber, Semaphore as PeerSemaphore } from 'effect'
import { Effect, Lock, Runtime, Semaphore, TaskGroup } from 'millrace'
import { PromiseSemaphore } from './promises.js'
import { sumTo } from './results.js'
import type { Row } from './row.js'

// ---- nobody else wants it

const count = 10_000

interface Guard {
  readonly with: <E, A>(fx: Effect.Effect<unknown, E, A>) => Effect.Effect<unknown, E, A>
}

const permits = Effect.map((semaphore: Semaphore.Semaphore): Guard => ({ with: semaphore.withPermit }))(
  Semaphore.make(1)
)
const ownership = Effect.map((lock: Lock.Lock): Guard => ({ with: lock.withLock }))(Lock.make())

const millraceAlone = (make: Effect.Effect<unknown, never, Guard>) =>
  Effect.gen(function* () {
    const guard = yield* make
    let sum = 0
    for (let i = 0; i < count; i++) sum += yield* guard.with(Effect.succeed(i))
    return sum
  })

const peerAlone = Peer.gen(function* () {
  const semaphore = yield* PeerSemaphore.make(1)
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* semaphore.withPermits(1)(Peer.succeed(i))
  return sum
})

const nativeAlone = async (): Promise<number> => {
  const semaphore = new PromiseSemaphore(1)
  let sum = 0
  for (let i = 0; i < count; i++) sum += await semaphore.withPermit(async () => i)
  return sum
}

// ---- all want it

const tasks = 1_000

const millraceTogether = (make: Effect.Effect<unknown, never, Guard>) =>
  Effect.gen(function* () {
    const guard = yield* make
    let sum = 0
    const work = (i: number) =>
      guard.with(
        Effect.andThen(
          Effect.sync(() => {
            sum += i
          })
        )(Effect.yieldNow)
      )
    yield* TaskGroup.open()((group) =>
      Effect.gen(function* () {
        for (let i = 0; i < tasks; i++) yield* group.spawn(work(i))
      })
    )
    return sum
  })

const peerTogether = Peer.gen(function* () {
  const semaphore = yield* PeerSemaphore.make(1)
  let sum = 0
  const work = (i: number) =>
    semaphore.withPermits(1)(
      Peer.andThen(
        Peer.yieldNow,
        Peer.sync(() => {
          sum += i
        })
      )
    )
  const fibers: Array<PeerFiber.Fiber<void>> = []
  for (let i = 0; i < tasks; i++) fibers.push(yield* Peer.forkChild(work(i)))
  for (const fiber of fibers) yield* PeerFiber.join(fiber)
  return sum
})

const nativeTogether = async (): Promise<number> => {
  const semaphore = new PromiseSemaphore(1)
  let sum = 0
  const work = (i: number): Promise<void> =>
    semaphore.withPermit(async () => {
      await Promise.resolve()
      sum += i
    })
  const all: Array<Promise<void>> = []
  for (let i = 0; i < tasks; i++) all.push(work(i))
  await Promise.all(all)
  return sum
}

const semaphoreAlone = millraceAlone(permits)
const semaphoreTogether = millraceTogether(permits)
const lockAlone = millraceAlone(ownership)
const lockTogether = millraceTogether(ownership)

export const rows: ReadonlyArray<Row> = [
  {
    id: '9S',
    title: 'semaphore uncontended 10k',
    operations: count,
    target: 0.33,
    expected: sumTo(count),
    native: 'promise semaphore',
    systems: {
      millrace: () => Runtime.runPromise(semaphoreAlone),
      effect: () => Peer.runPromise(peerAlone),
      native: nativeAlone
    }
  },
  {
    id: '9C',
    title: 'semaphore contended 1k tasks',
    operations: tasks,
    target: 0.05,
    expected: sumTo(tasks),
    native: 'promise semaphore',
    systems: {
      millrace: () => Runtime.runPromise(semaphoreTogether),
      effect: () => Peer.runPromise(peerTogether),
      native: nativeTogether
    }
  },
  {
    // The peer has no lock; its semaphore of one permit is what one takes instead.
    id: '9L',
    title: 'lock uncontended 10k',
    operations: count,
    target: 0.33,
    expected: sumTo(count),
    native: 'promise semaphore',
    systems: {
      millrace: () => Runtime.runPromise(lockAlone),
      effect: () => Peer.runPromise(peerAlone),
      native: nativeAlone
    }
  },
  {
    id: '9K',
    title: 'lock contended 1k tasks',
    operations: tasks,
    target: 0.05,
    expected: sumTo(tasks),
    native: 'promise semaphore',
    systems: {
      millrace: () => Runtime.runPromise(lockTogether),
      effect: () => Peer.runPromise(peerTogether),
      native: nativeTogether
    }
  }
]
