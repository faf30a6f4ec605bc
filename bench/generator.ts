/** Do-notation: loops of `yield*`, and generators that call generators. */
import { Effect as Peer } from 'effect'
import { Effect, Runtime } from 'millrace'
import { sumTo } from './results.js'
import type { Row } from './row.js'

const count = 10_000
const calls = 1_000

const millraceLoop = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* Effect.succeed(i)
  return sum
})

const peerLoop = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* Peer.succeed(i)
  return sum
})

const nativeValue = async (i: number): Promise<number> => i
const nativeLoop = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) sum += await nativeValue(i)
  return sum
}

const millraceSync = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* Effect.sync(() => i)
  return sum
})

const peerSync = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) sum += yield* Peer.sync(() => i)
  return sum
})

// Closures made by each call: what a function that returns `gen(…)` does.

const millraceInner = (i: number): Effect.Effect<unknown, never, number> =>
  Effect.gen(function* () {
    const a = yield* Effect.succeed(i)
    return a + 1
  })
const millraceMiddle = (i: number): Effect.Effect<unknown, never, number> =>
  Effect.gen(function* () {
    const a = yield* millraceInner(i)
    return a + 1
  })
const millraceOuter = (i: number): Effect.Effect<unknown, never, number> =>
  Effect.gen(function* () {
    const a = yield* millraceMiddle(i)
    return a + 1
  })
const millraceNested = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < calls; i++) sum += yield* millraceOuter(i)
  return sum
})

const peerInner = (i: number): Peer.Effect<number> =>
  Peer.gen(function* () {
    const a = yield* Peer.succeed(i)
    return a + 1
  })
const peerMiddle = (i: number): Peer.Effect<number> =>
  Peer.gen(function* () {
    const a = yield* peerInner(i)
    return a + 1
  })
const peerOuter = (i: number): Peer.Effect<number> =>
  Peer.gen(function* () {
    const a = yield* peerMiddle(i)
    return a + 1
  })
const peerNested = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < calls; i++) sum += yield* peerOuter(i)
  return sum
})

const nativeInner = (i: number): Promise<number> =>
  (async () => {
    const a = await nativeValue(i)
    return a + 1
  })()
const nativeMiddle = (i: number): Promise<number> =>
  (async () => {
    const a = await nativeInner(i)
    return a + 1
  })()
const nativeOuter = (i: number): Promise<number> =>
  (async () => {
    const a = await nativeMiddle(i)
    return a + 1
  })()
const nativeNested = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < calls; i++) sum += await nativeOuter(i)
  return sum
}

// One generator function for all calls. The `fn` of effect opens a tracing span each call, which ours does not, so
// the fair peer is the one without.

const millraceHoistedInner = Effect.fn('inner')(function* (i: number) {
  const a = yield* Effect.succeed(i)
  return a + 1
})
const millraceHoistedMiddle = Effect.fn('middle')(function* (i: number) {
  const a = yield* millraceHoistedInner(i)
  return a + 1
})
const millraceHoistedOuter = Effect.fn('outer')(function* (i: number) {
  const a = yield* millraceHoistedMiddle(i)
  return a + 1
})
const millraceHoisted = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < calls; i++) sum += yield* millraceHoistedOuter(i)
  return sum
})

const peerHoistedInner = Peer.fnUntraced(function* (i: number) {
  const a = yield* Peer.succeed(i)
  return a + 1
})
const peerHoistedMiddle = Peer.fnUntraced(function* (i: number) {
  const a = yield* peerHoistedInner(i)
  return a + 1
})
const peerHoistedOuter = Peer.fnUntraced(function* (i: number) {
  const a = yield* peerHoistedMiddle(i)
  return a + 1
})
const peerHoisted = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < calls; i++) sum += yield* peerHoistedOuter(i)
  return sum
})

const nativeHoistedInner = async (i: number): Promise<number> => {
  const a = await nativeValue(i)
  return a + 1
}
const nativeHoistedMiddle = async (i: number): Promise<number> => {
  const a = await nativeHoistedInner(i)
  return a + 1
}
const nativeHoistedOuter = async (i: number): Promise<number> => {
  const a = await nativeHoistedMiddle(i)
  return a + 1
}
const nativeHoisted = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < calls; i++) sum += await nativeHoistedOuter(i)
  return sum
}

export const rows: ReadonlyArray<Row> = [
  {
    id: '4',
    title: 'gen loop 10k succeed',
    operations: count,
    target: 0.75,
    expected: sumTo(count),
    native: 'await async fn',
    systems: {
      millrace: () => Runtime.runSync(millraceLoop),
      effect: () => Peer.runSync(peerLoop),
      native: nativeLoop
    }
  },
  {
    id: '4S',
    title: 'gen loop 10k sync',
    operations: count,
    target: 0.48,
    expected: sumTo(count),
    systems: {
      millrace: () => Runtime.runSync(millraceSync),
      effect: () => Peer.runSync(peerSync)
    }
  },
  {
    id: '4N',
    title: 'gen nested 3 deep, 1k calls',
    operations: calls,
    target: 0.8,
    expected: sumTo(calls) + 3 * calls,
    native: 'await async fn',
    systems: {
      millrace: () => Runtime.runSync(millraceNested),
      effect: () => Peer.runSync(peerNested),
      native: nativeNested
    }
  },
  {
    id: '4F',
    title: 'hoisted fn nested 3 deep, 1k calls',
    operations: calls,
    target: 0.65,
    expected: sumTo(calls) + 3 * calls,
    native: 'await async fn',
    systems: {
      millrace: () => Runtime.runSync(millraceHoisted),
      effect: () => Peer.runSync(peerHoisted),
      native: nativeHoisted
    }
  }
]
