/** Waiting on callbacks: called by the event loop, at once, and as a microtask. */
import { Effect as Peer } from 'effect'
import { Effect, Exit, Runtime } from 'millrace'
import { sumTo } from './results.js'
import type { Row } from './row.js'

const count = 10_000

const millraceImmediate = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += yield* Effect.async<never, number>((resume) => {
      setImmediate(() => {
        resume(Exit.succeed(i))
      })
    })
  }
  return sum
})

const peerImmediate = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += yield* Peer.callback<number>((resume) => {
      setImmediate(() => {
        resume(Peer.succeed(i))
      })
    })
  }
  return sum
})

const nativeImmediate = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += await new Promise<number>((resolve) => {
      setImmediate(() => {
        resolve(i)
      })
    })
  }
  return sum
}

const millraceSync = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += yield* Effect.async<never, number>((resume) => {
      resume(Exit.succeed(i))
    })
  }
  return sum
})

const peerSync = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += yield* Peer.callback<number>((resume) => {
      resume(Peer.succeed(i))
    })
  }
  return sum
})

const nativeSync = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += await new Promise<number>((resolve) => {
      resolve(i)
    })
  }
  return sum
}

const millraceMicrotask = Effect.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += yield* Effect.async<never, number>((resume) => {
      queueMicrotask(() => {
        resume(Exit.succeed(i))
      })
    })
  }
  return sum
})

const peerMicrotask = Peer.gen(function* () {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += yield* Peer.callback<number>((resume) => {
      queueMicrotask(() => {
        resume(Peer.succeed(i))
      })
    })
  }
  return sum
})

const nativeMicrotask = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += await new Promise<number>((resolve) => {
      queueMicrotask(() => {
        resolve(i)
      })
    })
  }
  return sum
}

export const rows: ReadonlyArray<Row> = [
  {
    id: '11I',
    title: 'setImmediate callback 10k',
    operations: count,
    target: 0.9,
    expected: sumTo(count),
    native: 'await new Promise',
    systems: {
      millrace: () => Runtime.runPromise(millraceImmediate),
      effect: () => Peer.runPromise(peerImmediate),
      native: nativeImmediate
    }
  },
  {
    id: '11S',
    title: 'callback at once 10k',
    operations: count,
    target: 0.42,
    expected: sumTo(count),
    native: 'await new Promise',
    systems: {
      millrace: () => Runtime.runPromise(millraceSync),
      effect: () => Peer.runPromise(peerSync),
      native: nativeSync
    }
  },
  {
    id: '11M',
    title: 'microtask callback 10k',
    operations: count,
    target: 0.6,
    expected: sumTo(count),
    native: 'await new Promise',
    systems: {
      millrace: () => Runtime.runPromise(millraceMicrotask),
      effect: () => Peer.runPromise(peerMicrotask),
      native: nativeMicrotask
    }
  }
]
