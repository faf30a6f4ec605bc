/** A small program of five binds, a map, a sync and a catch, built and run by itself a thousand times. */
import { Effect as Peer } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Effect, Runtime } from 'millrace'
import { right } from './results.js'
import type { Row } from './row.js'

const count = 1_000

interface Negative {
  readonly _tag: 'Negative'
  readonly value: number
}
const negative = (value: number): Negative => ({ _tag: 'Negative', value })

const millraceCheck = (value: number): Effect.Effect<unknown, Negative, number> =>
  value < 0 ? Effect.fail(negative(value)) : Effect.succeed(value)

const millraceProgram = (i: number): Effect.Effect<unknown, never, number> => {
  const start = Effect.succeed(i)
  const increased = Effect.flatMap((a: number) => Effect.succeed(a + 1))(start)
  const doubled = Effect.flatMap((a: number) => Effect.sync(() => a * 2))(increased)
  const checked = Effect.flatMap(millraceCheck)(doubled)
  const decreased = Effect.map((a: number) => a - 1)(checked)
  const added = Effect.flatMap((a: number) => Effect.succeed(a + i))(decreased)
  const handled = Effect.orElse((e: Negative) => Effect.succeed(-e.value))(added)
  return Effect.flatMap((a: number) => Effect.succeed(a + 1))(handled)
}

const millracePiped = (i: number): Effect.Effect<unknown, never, number> =>
  pipe(
    Effect.succeed(i),
    Effect.flatMap((a) => Effect.succeed(a + 1)),
    Effect.flatMap((a) => Effect.sync(() => a * 2)),
    Effect.flatMap(millraceCheck),
    Effect.map((a) => a - 1),
    Effect.flatMap((a) => Effect.succeed(a + i)),
    Effect.orElse((e) => Effect.succeed(-e.value)),
    Effect.flatMap((a) => Effect.succeed(a + 1))
  )

const millrace = (program: (i: number) => Effect.Effect<unknown, never, number>): number => {
  let sum = 0
  for (let i = 0; i < count; i++) sum += Runtime.runSync(program(i))
  return sum
}

const peerCheck = (value: number): Peer.Effect<number, Negative> =>
  value < 0 ? Peer.fail(negative(value)) : Peer.succeed(value)

const peerProgram = (i: number): Peer.Effect<number> => {
  const start = Peer.succeed(i)
  const increased = Peer.flatMap(start, (a) => Peer.succeed(a + 1))
  const doubled = Peer.flatMap(increased, (a) => Peer.sync(() => a * 2))
  const checked = Peer.flatMap(doubled, peerCheck)
  const decreased = Peer.map(checked, (a) => a - 1)
  const added = Peer.flatMap(decreased, (a) => Peer.succeed(a + i))
  const handled = Peer.catch(added, (e) => Peer.succeed(-e.value))
  return Peer.flatMap(handled, (a) => Peer.succeed(a + 1))
}

const peerPiped = (i: number): Peer.Effect<number> =>
  Peer.succeed(i).pipe(
    Peer.flatMap((a) => Peer.succeed(a + 1)),
    Peer.flatMap((a) => Peer.sync(() => a * 2)),
    Peer.flatMap(peerCheck),
    Peer.map((a) => a - 1),
    Peer.flatMap((a) => Peer.succeed(a + i)),
    Peer.catch((e) => Peer.succeed(-e.value)),
    Peer.flatMap((a) => Peer.succeed(a + 1))
  )

const peer = (program: (i: number) => Peer.Effect<number>): number => {
  let sum = 0
  for (let i = 0; i < count; i++) sum += Peer.runSync(program(i))
  return sum
}

const nativeCheck = (value: number): Promise<number> =>
  value < 0 ? Promise.reject(negative(value)) : Promise.resolve(value)

const nativeProgram = (i: number): Promise<number> =>
  Promise.resolve(i)
    .then((a) => Promise.resolve(a + 1))
    .then((a) => a * 2)
    .then(nativeCheck)
    .then((a) => a - 1)
    .then((a) => Promise.resolve(a + i))
    .catch((e: unknown) => Promise.resolve(-(e as Negative).value))
    .then((a) => Promise.resolve(a + 1))

const native = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) sum += await nativeProgram(i)
  return sum
}

const fptsCheck = (value: number): TE.TaskEither<Negative, number> =>
  value < 0 ? TE.left(negative(value)) : TE.right(value)

const fptsProgram = (i: number): TE.TaskEither<never, number> =>
  pipe(
    TE.of<Negative, number>(i),
    TE.flatMap((a) => TE.of(a + 1)),
    TE.flatMap((a) => TE.fromIO(() => a * 2)),
    TE.flatMap(fptsCheck),
    TE.map((a) => a - 1),
    TE.flatMap((a) => TE.of(a + i)),
    TE.orElse((e) => TE.of<never, number>(-e.value)),
    TE.flatMap((a) => TE.of(a + 1))
  )

const fpts = async (): Promise<number> => {
  let sum = 0
  for (let i = 0; i < count; i++) sum += await right(fptsProgram(i))
  return sum
}

// The sum of (i + 1) * 2 - 1 + i + 1.
const expected = (3 * count * (count - 1)) / 2 + 2 * count

export const rows: ReadonlyArray<Row> = [
  {
    id: '1S',
    title: 'small program 1k, each run alone',
    operations: count,
    target: 0.25,
    expected,
    native: 'promise.then',
    systems: {
      millrace: () => millrace(millraceProgram),
      effect: () => peer(peerProgram),
      native,
      fpts
    }
  },
  {
    id: '1Sp',
    title: 'the same with pipe',
    operations: count,
    expected,
    systems: { millrace: () => millrace(millracePiped), effect: () => peer(peerPiped) }
  }
]
