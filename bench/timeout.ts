/** Timeouts that never pass, around work that does not suspend and around work that yields once. */
import { Effect as Peer, Option as PeerOption } from 'effect'
import { Effect, Runtime, Timeout } from 'millrace'
import { sumTo } from './results.js'
import type { Row } from './row.js'

const count = 1_000
const limit = 1_000

const millraceLimited = (work: (i: number) => Effect.Effect<unknown, never, number>) =>
  Effect.gen(function* () {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const value = yield* Timeout.moveOnAfter(limit)(work(i))
      if (value._tag === 'Some') sum += value.value
    }
    return sum
  })

const peerLimited = (work: (i: number) => Peer.Effect<number>) =>
  Peer.gen(function* () {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const value = yield* Peer.timeoutOption(work(i), limit)
      if (PeerOption.isSome(value)) sum += value.value
    }
    return sum
  })

const nativeLimited = async (work: (i: number) => Promise<number>): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) {
    let timer: NodeJS.Timeout | number | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, limit)
    })
    const value = await Promise.race([work(i), late])
    clearTimeout(timer)
    if (value !== undefined) sum += value
  }
  return sum
}

const millraceSync = millraceLimited((i) => Effect.sync(() => i))
const peerSync = peerLimited((i) => Peer.sync(() => i))
const nativeSync = async (i: number): Promise<number> => i

const millraceYielding = millraceLimited((i) => Effect.as(i)(Effect.yieldNow))
const peerYielding = peerLimited((i) => Peer.as(Peer.yieldNow, i))
const nativeYielding = (i: number): Promise<number> =>
  new Promise((resolve) => {
    setImmediate(resolve, i)
  })

export const rows: ReadonlyArray<Row> = [
  {
    id: '10T',
    title: 'timeout(sync) 1k',
    operations: count,
    target: 0.2,
    expected: sumTo(count),
    native: 'race + setTimeout',
    systems: {
      millrace: () => Runtime.runPromise(millraceSync),
      effect: () => Peer.runPromise(peerSync),
      native: () => nativeLimited(nativeSync)
    }
  },
  {
    id: '10Y',
    title: 'timeout(yield) 1k',
    operations: count,
    target: 0.08,
    expected: sumTo(count),
    native: 'race + setTimeout',
    systems: {
      millrace: () => Runtime.runPromise(millraceYielding),
      effect: () => Peer.runPromise(peerYielding),
      native: () => nativeLimited(nativeYielding)
    }
  }
]
