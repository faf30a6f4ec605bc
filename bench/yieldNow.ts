/** Giving way to the others 10,000 times. */
import { Effect as Peer } from 'effect'
import { Effect, Runtime } from 'millrace'
import type { Row } from './row.js'

const count = 10_000

const millrace = Effect.gen(function* () {
  let turns = 0
  for (let i = 0; i < count; i++) {
    yield* Effect.yieldNow
    turns++
  }
  return turns
})

const peer = Peer.gen(function* () {
  let turns = 0
  for (let i = 0; i < count; i++) {
    yield* Peer.yieldNow
    turns++
  }
  return turns
})

// `await null` would be faster, but a loop of it keeps timers and I/O waiting, which none of the others does.
const native = async (): Promise<number> => {
  let turns = 0
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
    turns++
  }
  return turns
}

export const rows: ReadonlyArray<Row> = [
  {
    id: '11Y',
    title: 'yieldNow 10k',
    operations: count,
    target: 0.09,
    expected: count,
    native: 'await setImmediate',
    systems: {
      millrace: () => Runtime.runPromise(millrace),
      effect: () => Peer.runPromise(peer),
      native
    }
  }
]
