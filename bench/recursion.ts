/** Recursion 100,000 deep, in tail position and not. */
import { Effect as Peer } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Effect, Runtime } from 'millrace'
import { right } from './results.js'
import type { Row } from './row.js'

const depth = 100_000

const millraceTail = (n: number): Effect.Effect<unknown, never, number> =>
  n === 0 ? Effect.succeed(depth) : Effect.flatMap(millraceTail)(Effect.succeed(n - 1))

const peerTail = (n: number): Peer.Effect<number> =>
  n === 0 ? Peer.succeed(depth) : Peer.flatMap(Peer.succeed(n - 1), peerTail)

const nativeTail = (n: number): Promise<number> =>
  n === 0 ? Promise.resolve(depth) : Promise.resolve(n - 1).then(nativeTail)

const fptsTail = (n: number): TE.TaskEither<never, number> =>
  n === 0 ? TE.of(depth) : pipe(TE.of<never, number>(n - 1), TE.flatMap(fptsTail))

const millraceNonTail = (n: number): Effect.Effect<unknown, never, number> =>
  n === 0 ? Effect.succeed(0) : Effect.map((m: number) => m + 1)(Effect.suspend(() => millraceNonTail(n - 1)))

const peerNonTail = (n: number): Peer.Effect<number> =>
  n === 0
    ? Peer.succeed(0)
    : Peer.map(
        Peer.suspend(() => peerNonTail(n - 1)),
        (m) => m + 1
      )

const nativeNonTail = (n: number): Promise<number> =>
  n === 0
    ? Promise.resolve(0)
    : Promise.resolve(n - 1)
        .then(nativeNonTail)
        .then((m) => m + 1)

export const rows: ReadonlyArray<Row> = [
  {
    id: '3',
    title: 'deep tail recursion 100k',
    operations: depth,
    target: 0.36,
    expected: depth,
    native: 'promise.then',
    systems: {
      millrace: () => Runtime.runSync(millraceTail(depth)),
      effect: () => Peer.runSync(peerTail(depth)),
      native: () => nativeTail(depth),
      fpts: () => right(fptsTail(depth))
    }
  },
  {
    id: '3N',
    title: 'non-tail recursion 100k',
    operations: depth,
    target: 0.95,
    expected: depth,
    native: 'promise.then',
    systems: {
      millrace: () => Runtime.runSync(millraceNonTail(depth)),
      effect: () => Peer.runSync(peerNonTail(depth)),
      native: () => nativeNonTail(depth)
    }
  }
]
