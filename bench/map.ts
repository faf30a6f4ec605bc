/** A chain of 10,000 maps, applied to the effect directly and in a pipe. */
import { Effect as Peer, pipe as peerPipe } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Effect, Runtime } from 'millrace'
import { right } from './results.js'
import type { Row } from './row.js'

const count = 10_000

const millrace = (): number => {
  let fx: Effect.Effect<unknown, never, number> = Effect.succeed(0)
  for (let i = 0; i < count; i++) fx = Effect.map((n: number) => n + 1)(fx)
  return Runtime.runSync(fx)
}

const millracePiped = (): number => {
  let fx: Effect.Effect<unknown, never, number> = Effect.succeed(0)
  for (let i = 0; i < count; i++) {
    fx = pipe(
      fx,
      Effect.map((n) => n + 1)
    )
  }
  return Runtime.runSync(fx)
}

const peer = (): number => {
  let fx: Peer.Effect<number> = Peer.succeed(0)
  for (let i = 0; i < count; i++) fx = Peer.map(fx, (n) => n + 1)
  return Peer.runSync(fx)
}

const peerPiped = (): number => {
  let fx: Peer.Effect<number> = Peer.succeed(0)
  for (let i = 0; i < count; i++) {
    fx = peerPipe(
      fx,
      Peer.map((n) => n + 1)
    )
  }
  return Peer.runSync(fx)
}

const native = (): Promise<number> => {
  let promise = Promise.resolve(0)
  for (let i = 0; i < count; i++) promise = promise.then((n) => n + 1)
  return promise
}

const fpts = (): Promise<number> => {
  let fx: TE.TaskEither<never, number> = TE.of(0)
  for (let i = 0; i < count; i++) {
    fx = pipe(
      fx,
      TE.map((n) => n + 1)
    )
  }
  return right(fx)
}

export const rows: ReadonlyArray<Row> = [
  {
    id: '2',
    title: 'map chain 10k build+run',
    operations: count,
    target: 0.38,
    expected: count,
    native: 'promise.then',
    systems: { millrace, effect: peer, native, fpts }
  },
  {
    id: '2p',
    title: 'the same with pipe',
    operations: count,
    expected: count,
    systems: { millrace: millracePiped, effect: peerPiped }
  }
]
