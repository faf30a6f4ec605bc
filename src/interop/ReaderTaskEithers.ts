/**
 * For code that stays in fp-ts's `ReaderTaskEither`: conversions both ways, and the drop-ins of `TaskEithers`. The scope of a
 * run travels beside `R`, not in it, so no environment type changes.
 *
 * @since 0.1.0
 */
import type { Applicative3 } from 'fp-ts/lib/Applicative.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { LazyArg } from 'fp-ts/lib/function.js'
import type { ReaderTaskEither, URI } from 'fp-ts/lib/ReaderTaskEither.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import type { RunOptions } from '../effect/Runtime.js'
import * as Concurrent from '../scope/Concurrent.js'
import * as TaskEithers from './TaskEithers.js'

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/**
 * The same function as `Effect.fromReaderTaskEither`, for code that looks for it beside `to`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
 * import { Effect, ReaderTaskEithers, Runtime } from 'millrace'
 *
 * const greeting = RTE.asks((env: { readonly name: string }) => `hello ${env.name}`)
 * const program = pipe(ReaderTaskEithers.from(greeting), Effect.provide({ name: 'Ada' }))
 * assert.equal(await Runtime.runPromise(program), 'hello Ada')
 *
 * @category conversions
 * @since 0.1.0
 */
export const from: <R, E, A>(rte: ReaderTaskEither<R, E, A>) => Effect.Effect<R, E, A> = (rte) =>
  Effect.fromReaderTaskEither(rte)

/** The environment of a reader, whatever it is: a `ReaderTaskEither` need not read a record. */
const given = <R, E, A>(fx: Effect.Effect<R, E, A>, r: R): Effect.Effect<unknown, E, A> =>
  Effect.local(() => r)(fx)

/**
 * Runs the effect with the environment that the reader is given. Failures are a `Left`; defects and cancellation reject.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Effect, ReaderTaskEithers } from 'millrace'
 *
 * const greeting = ReaderTaskEithers.to(Effect.asks((env: { readonly name: string }) => `hello ${env.name}`))
 * assert.deepEqual(await greeting({ name: 'Ada' })(), E.right('hello Ada'))
 *
 * @category conversions
 * @since 0.1.0
 */
export const to =
  <R, E, A>(fx: Effect.Effect<R, E, A>, options?: RunOptions): ReaderTaskEither<R, E, A> =>
  (r) =>
    TaskEithers.to(given(fx, r), options)

/**
 * As fp-ts's `tryCatch` of `TaskEither`, with the environment and the signal of the wait that it runs in; see
 * `TaskEithers.tryCatch`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { ReaderTaskEithers } from 'millrace'
 *
 * interface HasFetch { readonly load: (path: string, signal: AbortSignal) => Promise<string> }
 * const page = (path: string) =>
 *   ReaderTaskEithers.tryCatch(({ load }: HasFetch, signal) => load(path, signal), String)
 *
 * assert.deepEqual(await page('/')({ load: (path) => Promise.resolve(`page ${path}`) })(), E.right('page /'))
 * assert.deepEqual(await page('/')({ load: () => Promise.reject(new Error('404')) })(), E.left('Error: 404'))
 *
 * @category conversions
 * @since 0.1.0
 */
export const tryCatch =
  <R, E, A>(
    f: (r: R, signal: AbortSignal) => Promise<A>,
    onRejected: (reason: unknown) => E
  ): ReaderTaskEither<R, E, A> =>
  (r) =>
    TaskEithers.tryCatch((signal) => f(r, signal), onRejected)

// -------------------------------------------------------------------------------------
// drop-ins
// -------------------------------------------------------------------------------------

/**
 * As fp-ts's, and released also when `use` throws, rejects or is cancelled; see `TaskEithers.bracket`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
 * import { ReaderTaskEithers } from 'millrace'
 *
 * let released = 0
 * const crashing = ReaderTaskEithers.bracket(
 *   RTE.of<object, string, string>('connection'),
 *   (): RTE.ReaderTaskEither<object, string, number> => { throw new Error('a bug') },
 *   () => RTE.fromIO(() => { released++ })
 * )
 * await assert.rejects(crashing({})())
 * assert.equal(released, 1)
 *
 * @category drop-ins
 * @since 0.1.0
 */
export function bracket<R, E, A, B>(
  acquire: ReaderTaskEither<R, E, A>,
  use: (a: A) => ReaderTaskEither<R, E, B>,
  release: (a: A, e: Either<E, B>) => ReaderTaskEither<R, E, void>
): ReaderTaskEither<R, E, B> {
  return (r) =>
    TaskEithers.bracket(
      acquire(r),
      (a) => use(a)(r),
      (a, e: Either<E, B>) => release(a, e)(r)
    )
}

/**
 * {@link bracket} whose `release` sees defects and cancellation too; see `TaskEithers.bracketExit`.
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const bracketExit =
  <R, E, A, B>(
    acquire: ReaderTaskEither<R, E, A>,
    use: (a: A) => ReaderTaskEither<R, E, B>,
    release: (a: A, exit: Exit<E, B>) => ReaderTaskEither<R, E, void>
  ): ReaderTaskEither<R, E, B> =>
  (r) =>
    TaskEithers.bracketExit(
      acquire(r),
      (a) => use(a)(r),
      (a, exit: Exit<E, B>) => release(a, exit)(r)
    )

/**
 * As fp-ts's, side by side; a failure cancels the others and waits for them.
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const sequenceArray = <R, E, A>(
  arr: ReadonlyArray<ReaderTaskEither<R, E, A>>
): ReaderTaskEither<R, E, ReadonlyArray<A>> => traverseArray((rte: ReaderTaskEither<R, E, A>) => rte)(arr)

/**
 * As fp-ts's, side by side; a failure cancels the others and waits for them. For a bound on how many run use
 * {@link getApplicativePar}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
 * import { ReaderTaskEithers } from 'millrace'
 *
 * const scaled = pipe(
 *   [1, 2],
 *   ReaderTaskEithers.traverseArray((n) => RTE.asks((env: { readonly factor: number }) => n * env.factor))
 * )
 * assert.deepEqual(await scaled({ factor: 10 })(), E.right([10, 20]))
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const traverseArray =
  <R, E, A, B>(f: (a: A) => ReaderTaskEither<R, E, B>) =>
  (as: ReadonlyArray<A>): ReaderTaskEither<R, E, ReadonlyArray<B>> =>
  (r) =>
    TaskEithers.traverseArray((a: A) => f(a)(r))(as)

/**
 * For fp-ts's `traverse` and `sequence`: at most `concurrency` at a time; a failure cancels the rest and
 * waits for it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as RA from 'fp-ts/lib/ReadonlyArray.js'
 * import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
 * import { ReaderTaskEithers } from 'millrace'
 *
 * const scale = (n: number) => RTE.asks<{ readonly factor: number }, number, string>((env) => n * env.factor)
 * const scaled = pipe([1, 2], RA.traverse(ReaderTaskEithers.getApplicativePar(8))(scale))
 * assert.deepEqual(await scaled({ factor: 10 })(), E.right([10, 20]))
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const getApplicativePar = (concurrency: number): Applicative3<URI> => {
  const { of, map, ap } = Concurrent.getApplicativePar(concurrency)
  /** The effects behind what this instance has built, so that a whole chain shares one bound. */
  const built = new WeakMap<object, Effect.Effect<never, never, never>>()
  const effectOf = <R, E, A>(rte: ReaderTaskEither<R, E, A>): Effect.Effect<R, E, A> =>
    (built.get(rte) as Effect.Effect<R, E, A> | undefined) ?? Effect.fromReaderTaskEither(rte)
  const build = <R, E, A>(fx: Effect.Effect<R, E, A>): ReaderTaskEither<R, E, A> => {
    const rte = to(fx)
    built.set(rte, fx as never)
    return rte
  }
  return {
    URI: 'ReaderTaskEither',
    of: (a) => build(of(a)),
    map: (fa, f) => build(map(effectOf(fa), f)),
    ap: (fab, fa) => build(ap(effectOf(fab), effectOf(fa)))
  }
}

/**
 * `Left(onTimeout())` when the work has not ended after `ms` milliseconds; see `TaskEithers.withTimeout`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import type { ReaderTaskEither } from 'fp-ts/lib/ReaderTaskEither.js'
 * import { ReaderTaskEithers } from 'millrace'
 *
 * const never: ReaderTaskEither<object, never, number> = () => () => new Promise(() => {})
 * const bounded = pipe(
 *   never,
 *   ReaderTaskEithers.withTimeout(1, () => 'too slow', { abandonOnCancel: true })
 * )
 * assert.deepEqual(await bounded({})(), E.left('too slow'))
 *
 * @category drop-ins
 * @since 0.1.0
 */
export const withTimeout =
  <const E2>(ms: number, onTimeout: LazyArg<E2>, options?: TaskEithers.TaskEitherOptions) =>
  <R, E, A>(rte: ReaderTaskEither<R, E, A>): ReaderTaskEither<R, E | E2, A> =>
  (r) =>
    TaskEithers.withTimeout(ms, onTimeout, options)(rte(r))
