/**
 * Cancelling 10,000 blocked tasks and waiting until all have ended. Spawning them and letting them start is not
 * measured.
 */
import { setMaxListeners } from 'node:events'
import { Effect as Peer, Fiber as PeerFiber } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Runtime, TaskGroup } from 'millrace'
import type { Row, Watch } from './row.js'

const count = 10_000

const millrace = (watch: Watch): Promise<number> => {
  let started = 0
  const blocked = pipe(
    Effect.sync(() => {
      started++
    }),
    Effect.flatMap(() => Effect.never)
  )
  return Runtime.runPromise(
    pipe(
      TaskGroup.open()((group) =>
        Effect.gen(function* () {
          for (let i = 0; i < count; i++) yield* group.spawn(blocked)
          while (started < count) yield* Effect.yieldNow
          watch.start()
          yield* group.cancelAll()
        })
      ),
      Effect.map(() => {
        watch.stop()
        return started
      })
    )
  )
}

const peer = (watch: Watch): Promise<number> => {
  let started = 0
  const blocked = Peer.flatMap(
    Peer.sync(() => {
      started++
    }),
    () => Peer.never
  )
  return Peer.runPromise(
    Peer.gen(function* () {
      const fibers: Array<PeerFiber.Fiber<never>> = []
      for (let i = 0; i < count; i++) fibers.push(yield* Peer.forkChild(blocked))
      while (started < count) yield* Peer.yieldNow
      watch.start()
      yield* PeerFiber.interruptAll(fibers)
      watch.stop()
      return started
    })
  )
}

const native = async (watch: Watch): Promise<number> => {
  let started = 0
  const controller = new AbortController()
  const { signal } = controller
  setMaxListeners(0, signal)
  const blocked = async (): Promise<never> => {
    started++
    return new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }
  const promises: Array<Promise<never>> = []
  for (let i = 0; i < count; i++) promises.push(blocked())
  watch.start()
  controller.abort()
  await Promise.allSettled(promises)
  watch.stop()
  return started
}

export const rows: ReadonlyArray<Row> = [
  {
    id: '10',
    title: 'cancel and await 10k blocked',
    operations: count,
    target: 0.2,
    expected: count,
    native: 'AbortSignal',
    systems: { millrace, effect: peer, native }
  }
]
