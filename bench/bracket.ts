/** Clean-up: brackets inside brackets, brackets in sequence, and finalizers in sequence. */
import { Effect as Peer } from 'effect'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Effect, Runtime } from 'millrace'
import { numbers, right } from './results.js'
import type { Row } from './row.js'

const count = 1_000

/** Released resources: the result of every program here. */
let released = 0
const release = (): void => {
  released++
}

// One a system, so that the call of `release` is nobody's alone.
const millraceRelease = Effect.sync(release)
const peerRelease = Peer.sync(release)

const millraceNest = (depth: number): Effect.Effect<unknown, never, number> =>
  depth === 0
    ? Effect.succeed(0)
    : Effect.bracket(
        Effect.succeed(depth),
        (n) => millraceNest(n - 1),
        () => millraceRelease
      )

const peerNest = (depth: number): Peer.Effect<number> =>
  depth === 0
    ? Peer.succeed(0)
    : Peer.acquireUseRelease(
        Peer.succeed(depth),
        (n) => peerNest(n - 1),
        () => peerRelease
      )

const millraceSequence = Effect.gen(function* () {
  for (let i = 0; i < count; i++) {
    yield* Effect.bracket(
      Effect.succeed(i),
      (n) => Effect.succeed(n),
      () => millraceRelease
    )
  }
})

const peerSequence = Peer.gen(function* () {
  for (let i = 0; i < count; i++) {
    yield* Peer.acquireUseRelease(
      Peer.succeed(i),
      (n) => Peer.succeed(n),
      () => peerRelease
    )
  }
})

const nativeAcquire = async (i: number): Promise<number> => i
const nativeSequence = async (): Promise<void> => {
  for (let i = 0; i < count; i++) {
    const n = await nativeAcquire(i)
    try {
      await nativeAcquire(n)
    } finally {
      release()
    }
  }
}

const fptsNumbers = numbers(count)
const fptsSequence = pipe(
  fptsNumbers,
  TE.traverseSeqArray((i) =>
    TE.bracket(
      TE.of<never, number>(i),
      (n) => TE.of(n),
      () => TE.fromIO(release)
    )
  )
)

const millraceEnsuring = Effect.gen(function* () {
  for (let i = 0; i < count; i++) yield* Effect.ensuring(millraceRelease)(Effect.succeed(i))
})

const peerEnsuring = Peer.gen(function* () {
  for (let i = 0; i < count; i++) yield* Peer.ensuring(Peer.succeed(i), peerRelease)
})

const nativeEnsuring = async (): Promise<void> => {
  for (let i = 0; i < count; i++) {
    try {
      await nativeAcquire(i)
    } finally {
      release()
    }
  }
}

const counting = (run: () => unknown) => (): number => {
  released = 0
  run()
  return released
}

const countingLater = (run: () => Promise<unknown>) => async (): Promise<number> => {
  released = 0
  await run()
  return released
}

export const rows: ReadonlyArray<Row> = [
  {
    id: '13N',
    title: 'bracket nest 1k deep',
    operations: count,
    target: 0.14,
    expected: count,
    systems: {
      millrace: counting(() => Runtime.runSync(millraceNest(count))),
      effect: counting(() => Peer.runSync(peerNest(count)))
    }
  },
  {
    id: '13S',
    title: 'bracket sequence 1k',
    operations: count,
    target: 0.17,
    expected: count,
    native: 'await, try/finally',
    systems: {
      millrace: counting(() => Runtime.runSync(millraceSequence)),
      effect: counting(() => Peer.runSync(peerSequence)),
      native: countingLater(nativeSequence),
      fpts: countingLater(() => right(fptsSequence))
    }
  },
  {
    id: '13E',
    title: 'ensuring sequence 1k',
    operations: count,
    target: 0.24,
    expected: count,
    native: 'await, try/finally',
    systems: {
      millrace: counting(() => Runtime.runSync(millraceEnsuring)),
      effect: counting(() => Peer.runSync(peerEnsuring)),
      native: countingLater(nativeEnsuring)
    }
  }
]
