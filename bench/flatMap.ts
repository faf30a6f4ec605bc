/** Chains of 10,000 binds, nested to the left and to the right. */
import { Effect as Peer, pipe as peerPipe } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Effect, Runtime } from 'millrace'
import { right } from './results.js'
import type { Row } from './row.js'

const count = 10_000

const millraceLeft = (): Effect.Effect<unknown, never, number> => {
  let fx: Effect.Effect<unknown, never, number> = Effect.succeed(0)
  for (let i = 0; i < count; i++) fx = Effect.flatMap((n: number) => Effect.succeed(n + 1))(fx)
  return fx
}

const millraceLeftPiped = (): Effect.Effect<unknown, never, number> => {
  let fx: Effect.Effect<unknown, never, number> = Effect.succeed(0)
  for (let i = 0; i < count; i++) {
    fx = pipe(
      fx,
      Effect.flatMap((n) => Effect.succeed(n + 1))
    )
  }
  return fx
}

const peerLeft = (): Peer.Effect<number> => {
  let fx: Peer.Effect<number> = Peer.succeed(0)
  for (let i = 0; i < count; i++) fx = Peer.flatMap(fx, (n) => Peer.succeed(n + 1))
  return fx
}

const peerLeftPiped = (): Peer.Effect<number> => {
  let fx: Peer.Effect<number> = Peer.succeed(0)
  for (let i = 0; i < count; i++) {
    fx = peerPipe(
      fx,
      Peer.flatMap((n) => Peer.succeed(n + 1))
    )
  }
  return fx
}

const nativeLeft = (): Promise<number> => {
  let promise = Promise.resolve(0)
  for (let i = 0; i < count; i++) promise = promise.then((n) => n + 1)
  return promise
}

const fptsLeft = (): TE.TaskEither<never, number> => {
  let fx: TE.TaskEither<never, number> = TE.of(0)
  for (let i = 0; i < count; i++) {
    fx = pipe(
      fx,
      TE.chain((n) => TE.of(n + 1))
    )
  }
  return fx
}

const millraceRight = (): Effect.Effect<unknown, never, number> => {
  let fx: Effect.Effect<unknown, never, number> = Effect.succeed(count)
  for (let i = 0; i < count; i++) {
    const next = fx
    fx = Effect.flatMap(() => next)(Effect.succeed(i))
  }
  return fx
}

const millraceRightPiped = (): Effect.Effect<unknown, never, number> => {
  let fx: Effect.Effect<unknown, never, number> = Effect.succeed(count)
  for (let i = 0; i < count; i++) {
    const next = fx
    fx = pipe(
      Effect.succeed(i),
      Effect.flatMap(() => next)
    )
  }
  return fx
}

const peerRight = (): Peer.Effect<number> => {
  let fx: Peer.Effect<number> = Peer.succeed(count)
  for (let i = 0; i < count; i++) {
    const next = fx
    fx = Peer.flatMap(Peer.succeed(i), () => next)
  }
  return fx
}

const peerRightPiped = (): Peer.Effect<number> => {
  let fx: Peer.Effect<number> = Peer.succeed(count)
  for (let i = 0; i < count; i++) {
    const next = fx
    fx = peerPipe(
      Peer.succeed(i),
      Peer.flatMap(() => next)
    )
  }
  return fx
}

const nativeRight = (): Promise<number> => {
  let task = () => Promise.resolve(count)
  for (let i = 0; i < count; i++) {
    const next = task
    task = () => Promise.resolve(i).then(() => next())
  }
  return task()
}

const fptsRight = (): TE.TaskEither<never, number> => {
  let fx: TE.TaskEither<never, number> = TE.of(count)
  for (let i = 0; i < count; i++) {
    const next = fx
    fx = pipe(
      TE.of<never, number>(i),
      TE.chain(() => next)
    )
  }
  return fx
}

const builtMillrace = millraceLeft()
const builtPeer = peerLeft()

export const rows: ReadonlyArray<Row> = [
  {
    id: '1L',
    title: 'flatMap left 10k build+run',
    operations: count,
    target: 0.55,
    expected: count,
    native: 'promise.then',
    systems: {
      millrace: () => Runtime.runSync(millraceLeft()),
      effect: () => Peer.runSync(peerLeft()),
      native: nativeLeft,
      fpts: () => right(fptsLeft())
    }
  },
  {
    id: '1Lp',
    title: 'the same with pipe',
    operations: count,
    expected: count,
    systems: {
      millrace: () => Runtime.runSync(millraceLeftPiped()),
      effect: () => Peer.runSync(peerLeftPiped())
    }
  },
  {
    id: '1l',
    title: 'flatMap left 10k run only',
    operations: count,
    target: 0.36,
    expected: count,
    systems: {
      millrace: () => Runtime.runSync(builtMillrace),
      effect: () => Peer.runSync(builtPeer)
    }
  },
  {
    id: '1R',
    title: 'flatMap right 10k build+run',
    operations: count,
    target: 0.3,
    expected: count,
    native: 'promise.then',
    systems: {
      millrace: () => Runtime.runSync(millraceRight()),
      effect: () => Peer.runSync(peerRight()),
      native: nativeRight,
      fpts: () => right(fptsRight())
    }
  },
  {
    id: '1Rp',
    title: 'the same with pipe',
    operations: count,
    expected: count,
    systems: {
      millrace: () => Runtime.runSync(millraceRightPiped()),
      effect: () => Peer.runSync(peerRightPiped())
    }
  }
]
