/**
 * For code that stays in fp-ts's `TaskEither`: the way there, and drop-ins with fp-ts's own signatures that release on throw
 * and cancel, stop siblings, and end in time. The way in is `Effect.fromTaskEither`.
 *
 * A drop-in that runs inside another one (or inside an effect) is cancelled with it when the runtime of the outer one has
 * `asyncContext`, and then so are the ones inside of it; see `AbortSignals.current`.
 *
 * `TaskEither` has no place for a defect or a cancellation, so these reject, as `Runtime.runPromise` does.
 *
 * @since 0.1.0
 */
import type { Applicative2 } from 'fp-ts/lib/Applicative.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { LazyArg } from 'fp-ts/lib/function.js'
import type { TaskEither, URI } from 'fp-ts/lib/TaskEither.js'
import * as Cause from '../effect/Cause.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import { ambientSignal } from '../effect/LowLevel.js'
import type { RunOptions } from '../effect/Runtime.js'
import * as Concurrent from '../scope/Concurrent.js'
import * as Timeout from '../scope/Timeout.js'
import * as AbortSignals from './AbortSignals.js'
import { follow, runWithin } from './internal/following.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a drop-in does with a `TaskEither` that goes on when it is cancelled.
 *
 * @category model
 * @since 0.1.0
 */
export interface TaskEitherOptions {
  /** Let go at once, for work that does not look at a signal; a late rejection is still observed. */
  readonly abandonOnCancel?: boolean
}

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/**
 * Runs the effect each time the `TaskEither` is called. Failures are a `Left` (the first one, when there are several);
 * defects and cancellation reject.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Effect, TaskEithers } from 'millrace'
 *
 * assert.deepEqual(await TaskEithers.to(Effect.succeed(42))(), E.right(42))
 * assert.deepEqual(await TaskEithers.to(Effect.fail('no'))(), E.left('no'))
 * await assert.rejects(TaskEithers.to(Effect.die(new Error('a bug')))())
 *
 * @category conversions
 * @since 0.1.0
 */
export const to =
  <E, A>(fx: Effect.Effect<{}, E, A>, options: RunOptions = {}): TaskEither<E, A> =>
  () =>
    runWithin(Effect.either(fx), options)

/**
 * As fp-ts's, with a signal that aborts when the wait that it runs in is cancelled; outside of a run, and without
 * `asyncContext`, it never does. The signal is of this call alone: what listens to it and forgets to stop leaves nothing
 * behind.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { TaskEithers } from 'millrace'
 *
 * const refused = TaskEithers.tryCatch((_signal) => Promise.reject(new Error('no')), String)
 * assert.deepEqual(await refused(), E.left('Error: no'))
 *
 * @category conversions
 * @since 0.1.0
 */
export const tryCatch =
  <E, A>(f: (signal: AbortSignal) => Promise<A>, onRejected: (reason: unknown) => E): TaskEither<E, A> =>
  async () => {
    const ambient = ambientSignal()
    const following = ambient === undefined ? undefined : follow(ambient)
    try {
      return { _tag: 'Right', right: await f(following?.signal ?? AbortSignals.current()) }
    } catch (reason) {
      return { _tag: 'Left', left: onRejected(reason) }
    } finally {
      following?.end()
    }
  }

// -------------------------------------------------------------------------------------
// drop-ins
// -------------------------------------------------------------------------------------

/**
 * As fp-ts's, and released also when `use` throws, rejects or is cancelled. There is no `E` then, so `release` is given a
 * `Left` that holds the `CauseError`; to tell the cases apart use {@link bracketExit}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 * import { TaskEithers } from 'millrace'
 *
 * let released = 0
 * const leaky = TaskEithers.bracket(
 *   TE.of<string, string>('connection'),
 *   (): TE.TaskEither<string, number> => { throw new Error('a bug') },
 *   () => TE.fromIO(() => { released++ })
 * )
 * await assert.rejects(leaky())
 * assert.equal(released, 1)
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const bracket = <E, A, B>(
  acquire: TaskEither<E, A>,
  use: (a: A) => TaskEither<E, B>,
  release: (a: A, e: Either<E, B>) => TaskEither<E, void>
): TaskEither<E, B> => bracketExit(acquire, use, (a, exit) => release(a, eitherOf(exit)))

/** What fp-ts's `release` can be told. Of a defect or a cancellation it can only be told that there is no value. */
const eitherOf = <E, B>(exit: Exit<E, B>): Either<E, B> => {
  if (exit._tag === 'Right') return exit
  const failures = Cause.failures(exit.left)
  return {
    _tag: 'Left',
    left: failures.length > 0 ? (failures[0] as E) : (Cause.toError(exit.left) as never)
  }
}

/**
 * {@link bracket} whose `release` sees defects and cancellation too, so that it can tell a rollback from a
 * bug.
 *
 * **Errors.** The `Left` of all three. A throw or a rejection in `use` rejects, after the release.
 * **Cancellation.** `release` runs to its end.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 * import { Cause, TaskEithers } from 'millrace'
 *
 * const ends: Array<string> = []
 * const crashing = TaskEithers.bracketExit(
 *   TE.of<string, string>('connection'),
 *   (): TE.TaskEither<string, number> => () => Promise.reject(new Error('a bug')),
 *   (_, exit) => TE.fromIO(() => { if (exit._tag === 'Left') ends.push(Cause.pretty(exit.left)) })
 * )
 * await assert.rejects(crashing())
 * assert.deepEqual(ends, ['Die: Error: a bug'])
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const bracketExit = <E, A, B>(
  acquire: TaskEither<E, A>,
  use: (a: A) => TaskEither<E, B>,
  release: (a: A, exit: Exit<E, B>) => TaskEither<E, void>
): TaskEither<E, B> =>
  to(
    Effect.bracket(
      Effect.fromTaskEither(acquire),
      (a) => Effect.fromTaskEither(use(a)),
      (a, exit: Exit<E, B>) => Effect.fromTaskEither(release(a, exit))
    )
  )

/**
 * As fp-ts's, side by side; a failure cancels the others and waits for them, so nothing runs on behind the
 * result.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 * import { TaskEithers } from 'millrace'
 *
 * assert.deepEqual(await TaskEithers.sequenceArray([TE.of(1), TE.of(2)])(), E.right([1, 2]))
 * assert.deepEqual(await TaskEithers.sequenceArray([TE.of(1), TE.left('no')])(), E.left('no'))
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const sequenceArray = <A, E>(arr: ReadonlyArray<TaskEither<E, A>>): TaskEither<E, ReadonlyArray<A>> =>
  traverseArray((te: TaskEither<E, A>) => te)(arr)

/**
 * As fp-ts's, side by side; a failure cancels the others and waits for them.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { TaskEithers } from 'millrace'
 *
 * const doubled = pipe([1, 2], TaskEithers.traverseArray((n) => TE.of<string, number>(n * 2)))
 * assert.deepEqual(await doubled(), E.right([2, 4]))
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const traverseArray =
  <A, B, E>(f: (a: A) => TaskEither<E, B>) =>
  (as: ReadonlyArray<A>): TaskEither<E, ReadonlyArray<B>> =>
    to(Concurrent.traverse((a: A) => Effect.fromTaskEither(f(a)))(as))

/**
 * For fp-ts's `traverse` and `sequence`: at most `concurrency` at a time; a failure cancels the rest and waits for it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import * as RA from 'fp-ts/lib/ReadonlyArray.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { TaskEithers } from 'millrace'
 *
 * const doubled = pipe([1, 2], RA.traverse(TaskEithers.getApplicativePar(8))((n) => TE.of<string, number>(n * 2)))
 * assert.deepEqual(await doubled(), E.right([2, 4]))
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const getApplicativePar = (concurrency: number): Applicative2<URI> => {
  const { of, map, ap } = Concurrent.getApplicativePar(concurrency)
  /** The effects behind what this instance has built, so that a whole chain shares one bound. */
  const built = new WeakMap<object, Effect.Effect<unknown, never, never>>()
  const effectOf = <E, A>(te: TaskEither<E, A>): Effect.Effect<unknown, E, A> =>
    built.get(te) ?? Effect.fromTaskEither(te)
  const build = <E, A>(fx: Effect.Effect<unknown, E, A>): TaskEither<E, A> => {
    const te = to(fx)
    built.set(te, fx as never)
    return te
  }
  return {
    URI: 'TaskEither',
    of: (a) => build(of(a)),
    map: (fa, f) => build(map(effectOf(fa), f)),
    ap: (fab, fa) => build(ap(effectOf(fab), effectOf(fa)))
  }
}

/**
 * `Left(onTimeout())` when the `TaskEither` has not ended after `ms`. It is cancelled, and its end awaited, unless
 * `abandonOnCancel` is set: for work that does not look at a signal.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { TaskEithers } from 'millrace'
 *
 * const never: TE.TaskEither<never, number> = () => new Promise(() => {})
 * const bounded = pipe(never, TaskEithers.withTimeout(1, () => 'too slow', { abandonOnCancel: true }))
 * assert.deepEqual(await bounded(), E.left('too slow'))
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const withTimeout =
  <const E2>(ms: number, onTimeout: LazyArg<E2>, options?: TaskEitherOptions) =>
  <E, A>(te: TaskEither<E, A>): TaskEither<E | E2, A> =>
    to(Timeout.failAfter(ms, onTimeout)(Effect.fromTaskEither(te, options)))
