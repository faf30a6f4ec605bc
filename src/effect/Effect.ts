/**
 * `Effect<R, E, A>`: a lazy, immutable description of work that needs the services `R`, may fail with `E` and gives an `A`.
 *
 * Building one runs nothing, and running it twice does the work twice. `Runtime` runs it at the edge of a program, `Main`
 * (in `millrace/node`) is the edge of a whole process. The order of the type parameters is that of fp-ts's
 * `ReaderTaskEither<R, E, A>`.
 *
 * A failure that callers should handle is in `E`. What is thrown is a defect, and a cancellation is neither: handlers of
 * failures do not see it, finalizers do. Only operations that may wait are cancelled; between two of them a program is not.
 *
 * For work that must be released use `Resource`, for work side by side `Concurrent` and `TaskGroup`, for timeouts `Timeout`.
 *
 * @since 0.1.0
 */
import type { Alt3 } from 'fp-ts/lib/Alt.js'
import type { Applicative3 } from 'fp-ts/lib/Applicative.js'
import type { Apply3 } from 'fp-ts/lib/Apply.js'
import type { Bifunctor3 } from 'fp-ts/lib/Bifunctor.js'
import type { Chain3 } from 'fp-ts/lib/Chain.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { FromEither3 } from 'fp-ts/lib/FromEither.js'
import type { FromIO3 } from 'fp-ts/lib/FromIO.js'
import type { FromReader3 } from 'fp-ts/lib/FromReader.js'
import type { FromTask3 } from 'fp-ts/lib/FromTask.js'
import type { Functor3 } from 'fp-ts/lib/Functor.js'
import type { IO } from 'fp-ts/lib/IO.js'
import type { IOEither } from 'fp-ts/lib/IOEither.js'
import type { Monad3 } from 'fp-ts/lib/Monad.js'
import type { MonadIO3 } from 'fp-ts/lib/MonadIO.js'
import type { MonadTask3 } from 'fp-ts/lib/MonadTask.js'
import type { MonadThrow3 } from 'fp-ts/lib/MonadThrow.js'
import type { Monoid } from 'fp-ts/lib/Monoid.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Pointed3 } from 'fp-ts/lib/Pointed.js'
import type { Predicate } from 'fp-ts/lib/Predicate.js'
import type { Reader } from 'fp-ts/lib/Reader.js'
import type { ReaderTaskEither } from 'fp-ts/lib/ReaderTaskEither.js'
import type { Refinement } from 'fp-ts/lib/Refinement.js'
import type { Semigroup } from 'fp-ts/lib/Semigroup.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Cause } from './Cause.js'
import type { Exit } from './Exit.js'
import { partitionFails } from './internal/causes.js'
import * as generators from './internal/generator.js'
import * as op from './internal/op.js'
import { Op, type Untyped } from './internal/op.js'
import { All } from './internal/parallel.js'
import * as primitives from './internal/primitives.js'
import { settlePromise } from './internal/promise.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

declare const EffectTypeId: unique symbol
declare const writeYieldStar: unique symbol

/**
 * A description of work. See the head of the module.
 *
 * @category model
 * @since 0.1.0
 */
export interface Effect<in R, out E, out A> {
  readonly [EffectTypeId]: {
    readonly R: (env: R) => void
    readonly E: () => E
    readonly A: () => A
  }
  /** For `yield*` in `gen` and `fn`. */
  [Symbol.iterator](): Iterator<Step<R, E>, A, unknown>
}

/**
 * What `yield*` of an effect gives to `gen`. It is not an effect, so a `yield` without the star does not compile.
 *
 * @category model
 * @since 0.1.0
 */
export interface Step<in R, out E> {
  readonly [writeYieldStar]: { readonly R: (env: R) => void; readonly E: () => E }
}

/**
 * Any effect; a constraint only, never a result.
 *
 * @category model
 * @since 0.1.0
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Any = Effect<any, any, any>

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type AnyStep = Step<any, any>

// -------------------------------------------------------------------------------------
// type helpers
// -------------------------------------------------------------------------------------

/**
 * The environment of an effect, the intersection of those of a union.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type EnvOf<T> = [T] extends [never]
  ? unknown
  : [T] extends [Effect<infer R, infer _E, infer _A>]
    ? R
    : never

/**
 * The failures of an effect or of a union of them.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type ErrorOf<T> = [T] extends [never]
  ? never
  : [T] extends [Effect<infer _R, infer E, infer _A>]
    ? E
    : never

/**
 * The value of an effect or of a union of them.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type ValueOf<T> = [T] extends [never]
  ? never
  : [T] extends [Effect<infer _R, infer _E, infer A>]
    ? A
    : never

type StepEnv<Y> = [Y] extends [never] ? unknown : [Y] extends [Step<infer R, infer _E>] ? R : never
type StepError<Y> = [Y] extends [never] ? never : [Y] extends [Step<infer _R, infer E>] ? E : never

/**
 * `R` less the services of `P`; `unknown` when none is left.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type Without<R, P> = [keyof R] extends [keyof P]
  ? unknown
  : [keyof R & keyof P] extends [never]
    ? R
    : { readonly [K in Exclude<keyof R, keyof P>]: R[K] }

/**
 * What `R` must extend so that the services of `P` fit it.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type Accepts<R, P> = {
  readonly [K in keyof R]: K extends keyof P
    ? P[K] extends R[K]
      ? R[K]
      : ServiceDoesNotFit<R[K], P[K]>
    : R[K]
}

/**
 * Only ever seen in a compiler message: a service of the wrong type was provided.
 *
 * @category type helpers
 * @since 0.1.0
 */
export interface ServiceDoesNotFit<Needed, Given> {
  readonly needed: Needed
  readonly given: Given
}

/**
 * The tags of the tagged members of `E`.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type TagOf<E> = E extends { readonly _tag: infer K extends string } ? K : never

// -------------------------------------------------------------------------------------
// the typed edge: the only two places where instructions get and lose their types
// -------------------------------------------------------------------------------------

const typed = <R, E, A>(instruction: Op): Effect<R, E, A> => instruction as Untyped
const untyped = (fx: Any): Op => fx as Untyped

const build = <R, E, A>(code: number, a: Untyped, b?: Untyped, c?: Untyped): Effect<R, E, A> =>
  typed(new Op(code, a, b, c))

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** @category constructors @since 0.1.0 */
export const succeed = <A>(a: A): Effect<unknown, never, A> => build(op.Succeed, a)

/** @category constructors @since 0.1.0 */
export const of: <A>(a: A) => Effect<unknown, never, A> = succeed

/** @category constructors @since 0.1.0 */
export const fail = <const E>(error: E): Effect<unknown, E, never> => build(op.Raise, op.Fail, error)

/** @category constructors @since 0.1.0 */
export const die = (defect: unknown): Effect<unknown, never, never> => build(op.Raise, op.Die, defect)

/** @category constructors @since 0.1.0 */
export const failCause = <E>(cause: Cause<E>): Effect<unknown, E, never> => build(op.Raise, op.Fault, cause)

/** @category constructors @since 0.1.0 */
export const fromExit = <E, A>(exit: Exit<E, A>): Effect<unknown, E, A> =>
  exit._tag === 'Right' ? succeed(exit.right) : failCause(exit.left)

/** @category constructors @since 0.1.0 */
export const sync = <A>(f: () => A): Effect<unknown, never, A> => build(op.Sync, f)

/** @category constructors @since 0.1.0 */
export const tryCatch = <A, const E>(f: () => A, onThrow: (thrown: unknown) => E): Effect<unknown, E, A> =>
  suspend(() => {
    let a: A
    try {
      a = f()
    } catch (thrown) {
      return build<unknown, E, never>(op.Raise, op.Fail, onThrow(thrown))
    }
    return succeed(a)
  })

/** @category constructors @since 0.1.0 */
export const suspend = <F extends Any>(f: () => F): Effect<EnvOf<F>, ErrorOf<F>, ValueOf<F>> =>
  build(op.Suspend, f)

/** @category constructors @since 0.1.0 */
export const unit: Effect<unknown, never, void> = succeed(undefined)

/** @category constructors @since 0.1.0 */
export const never: Effect<unknown, never, never> = typed(primitives.never)

/** @category constructors @since 0.1.0 */
export const async = <E = never, A = void>(
  register: (resume: (exit: Exit<E, A>) => void) => IO<void> | void
): Effect<unknown, E, A> => typed(primitives.primitive(primitives.asyncPrimitive, register))

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/** @category conversions @since 0.1.0 */
export const fromEither = <E, A>(fa: Either<E, A>): Effect<unknown, E, A> =>
  fa._tag === 'Right' ? succeed(fa.right) : build(op.Raise, op.Fail, fa.left)

/** @category conversions @since 0.1.0 */
export const fromOption =
  <const E>(onNone: () => E) =>
  <A>(fa: Option<A>): Effect<unknown, E, A> =>
    fa._tag === 'Some' ? succeed(fa.value) : suspend(() => fail(onNone()))

/** @category conversions @since 0.1.0 */
export const fromIO: <A>(fa: IO<A>) => Effect<unknown, never, A> = sync

/** @category conversions @since 0.1.0 */
export const fromIOEither = <E, A>(fa: IOEither<E, A>): Effect<unknown, E, A> =>
  suspend(() => fromEither(fa()))

/** @category conversions @since 0.1.0 */
export const fromReader = <R, A>(fa: Reader<R, A>): Effect<R, never, A> => asks(fa)

/** What the `from…` of promises take. @category model @since 0.1.0 */
export interface TaskOptions {
  /** Let go at once when cancelled, instead of waiting until the task settles. */
  readonly abandonOnCancel?: boolean
}

/** @category conversions @since 0.1.0 */
export const fromTask = <A>(fa: Task<A>, options?: TaskOptions): Effect<unknown, never, A> =>
  typed(settlePromise('fromTask', () => fa(), null, null, options?.abandonOnCancel === true))

/** @category conversions @since 0.1.0 */
export const fromTaskEither = <E, A>(fa: TaskEither<E, A>, options?: TaskOptions): Effect<unknown, E, A> =>
  typed(settlePromise('fromTaskEither', () => fa(), null, eitherToExit, options?.abandonOnCancel === true))

/** @category conversions @since 0.1.0 */
export const fromReaderTaskEither = <R, E, A>(
  fa: ReaderTaskEither<R, E, A>,
  options?: TaskOptions
): Effect<R, E, A> => flatMap((env: R) => fromTaskEither(fa(env), options))(ask<R>())

const eitherToExit = (either: Either<unknown, unknown>): { mode: number; value: unknown } =>
  either._tag === 'Right' ? { mode: op.Return, value: either.right } : { mode: op.Fail, value: either.left }

/** @category conversions @since 0.1.0 */
export const fromPredicate: {
  <A, B extends A, const E>(
    refinement: Refinement<A, B>,
    onFalse: (a: A) => E
  ): (a: A) => Effect<unknown, E, B>
  <A, const E>(predicate: Predicate<A>, onFalse: (a: A) => E): (a: A) => Effect<unknown, E, A>
} =
  <A, E>(predicate: Predicate<A>, onFalse: (a: A) => E) =>
  (a: A): Effect<unknown, E, A> =>
    suspend((): Effect<unknown, E, A> => (predicate(a) ? succeed(a) : fail(onFalse(a))))

// -------------------------------------------------------------------------------------
// generators
// -------------------------------------------------------------------------------------

/** @category generators @since 0.1.0 */
export const gen = <Y extends AnyStep, A>(
  body: () => Generator<Y, A, never>
): Effect<StepEnv<Y>, StepError<Y>, A> => build(op.Generate, body)

/** @category generators @since 0.1.0 */
export const fn =
  (name: string) =>
  <Args extends ReadonlyArray<unknown>, Y extends AnyStep, A>(
    body: (...args: Args) => Generator<Y, A, never>
  ): ((...args: Args) => Effect<StepEnv<Y>, StepError<Y>, A>) =>
  (...args) =>
    build(op.GenerateWith, body, args, name)

// -------------------------------------------------------------------------------------
// sequence
// -------------------------------------------------------------------------------------

/** @category sequence @since 0.1.0 */
export const map =
  <A, B>(f: (a: A) => B) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R, E, B> =>
    build(op.Map, fx, f)

/** @category sequence @since 0.1.0 */
export const flatMap =
  <A, F extends Any>(f: (a: A) => F) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, E | ErrorOf<F>, ValueOf<F>> =>
    build(op.FlatMap, fx, f)

/** @category sequence @since 0.1.0 */
export const flatten = <R, E, R2, E2, A>(fx: Effect<R, E, Effect<R2, E2, A>>): Effect<R & R2, E | E2, A> =>
  build(op.FlatMap, fx, identity)

const identity = <A>(a: A): A => a

/** @category sequence @since 0.1.0 */
export const tap =
  <A, F extends Any>(f: (a: A) => F) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, E | ErrorOf<F>, A> =>
    build(op.Tap, fx, f)

/** @category sequence @since 0.1.0 */
export const as =
  <B>(b: B) =>
  <R, E>(fx: Effect<R, E, unknown>): Effect<R, E, B> =>
    build(op.Map, fx, () => b)

const discard = (): void => undefined

/** @category sequence @since 0.1.0 */
export const asUnit = <R, E>(fx: Effect<R, E, unknown>): Effect<R, E, void> => build(op.Map, fx, discard)

/** @category sequence @since 0.1.0 */
export const andThen =
  <R2, E2, B>(that: Effect<R2, E2, B>) =>
  <R, E>(fx: Effect<R, E, unknown>): Effect<R & R2, E | E2, B> =>
    build(op.FlatMap, fx, () => that)

/** @category sequence @since 0.1.0 */
export const ap =
  <R2, E2, A>(fa: Effect<R2, E2, A>) =>
  <R, E, B>(fab: Effect<R, E, (a: A) => B>): Effect<R & R2, E | E2, B> =>
    build(op.FlatMap, fab, (f: (a: A) => B) => new Op(op.Map, fa, f, undefined))

// -------------------------------------------------------------------------------------
// do notation
// -------------------------------------------------------------------------------------

/** @category do notation @since 0.1.0 */
export const Do: Effect<unknown, never, {}> = succeed({})

/** @category do notation @since 0.1.0 */
export const bindTo =
  <N extends string>(name: N) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E, { readonly [K in N]: A }> =>
    build(op.Map, fx, (a: A) => ({ [name]: a }))

/** @category do notation @since 0.1.0 */
export const bind =
  <N extends string, A extends object, F extends Any>(name: Exclude<N, keyof A>, f: (a: A) => F) =>
  <R, E>(
    fx: Effect<R, E, A>
  ): Effect<
    R & EnvOf<F>,
    E | ErrorOf<F>,
    { readonly [K in keyof A | N]: K extends keyof A ? A[K] : ValueOf<F> }
  > =>
    build(op.FlatMap, fx, (a: A) => new Op(op.Map, f(a), (b: unknown) => ({ ...a, [name]: b }), undefined))

const let_ =
  <N extends string, A extends object, B>(name: Exclude<N, keyof A>, f: (a: A) => B) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R, E, { readonly [K in keyof A | N]: K extends keyof A ? A[K] : B }> =>
    build(op.Map, fx, (a: A) => ({ ...a, [name]: f(a) }))
export {
  /** @category do notation @since 0.1.0 */
  let_ as let
}

/** @category do notation @since 0.1.0 */
export const apS = <N extends string, A extends object, R2, E2, B>(
  name: Exclude<N, keyof A>,
  fb: Effect<R2, E2, B>
): (<R, E>(
  fx: Effect<R, E, A>
) => Effect<R & R2, E | E2, { readonly [K in keyof A | N]: K extends keyof A ? A[K] : B }>) =>
  bind(name, () => fb)

// -------------------------------------------------------------------------------------
// failures
// -------------------------------------------------------------------------------------

/** @category failures @since 0.1.0 */
export const mapError =
  <E, const E2>(f: (e: E) => E2) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R, E2, A> =>
    build(op.MapError, fx, f)

/** @category failures @since 0.1.0 */
export const bimap =
  <E, const E2, A, B>(f: (e: E) => E2, g: (a: A) => B) =>
  <R>(fx: Effect<R, E, A>): Effect<R, E2, B> =>
    mapError(f)(map(g)(fx))

/** @category failures @since 0.1.0 */
export const orElse =
  <E, F extends Any>(f: (e: E) => F) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, ErrorOf<F>, A | ValueOf<F>> =>
    build(op.Handle, fx, f, null)

/** @category failures @since 0.1.0 */
export const catchTag =
  <E, K extends TagOf<E>, F extends Any>(tag: K, f: (e: Extract<E, { readonly _tag: K }>) => F) =>
  <R, A>(
    fx: Effect<R, E, A>
  ): Effect<R & EnvOf<F>, Exclude<E, { readonly _tag: K }> | ErrorOf<F>, A | ValueOf<F>> =>
    build(op.Handle, fx, f, tag)

/** @category failures @since 0.1.0 */
export const catchCause =
  <E, F extends Any>(f: (cause: Cause<E>) => F) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, ErrorOf<F>, A | ValueOf<F>> =>
    build(op.CatchCause, fx, f)

/** @category failures @since 0.1.0 */
export const tapError =
  <E, F extends Any>(f: (e: E) => F) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, E | ErrorOf<F>, A> =>
    build(op.TapError, fx, f)

/** @category failures @since 0.1.0 */
export const match =
  <E, B, A, C>(onFailure: (e: E) => B, onSuccess: (a: A) => C) =>
  <R>(fx: Effect<R, E, A>): Effect<R, never, B | C> =>
    matchEffect(
      (e: E) => succeed(onFailure(e)),
      (a: A) => succeed(onSuccess(a))
    )(fx)

/** @category failures @since 0.1.0 */
export const matchEffect =
  <E, F extends Any, A, G extends Any>(onFailure: (e: E) => F, onSuccess: (a: A) => G) =>
  <R>(
    fx: Effect<R, E, A>
  ): Effect<R & EnvOf<F> & EnvOf<G>, ErrorOf<F> | ErrorOf<G>, ValueOf<F> | ValueOf<G>> =>
    build(op.Match, fx, onFailure, onSuccess)

/** @category failures @since 0.1.0 */
export const exit = <R, E, A>(fx: Effect<R, E, A>): Effect<R, never, Exit<E, A>> => build(op.ToExit, fx)

/** @category failures @since 0.1.0 */
export const either = <R, E, A>(fx: Effect<R, E, A>): Effect<R, never, Either<E, A>> =>
  match(
    (left: E): Either<E, A> => ({ _tag: 'Left', left }),
    (right: A): Either<E, A> => ({ _tag: 'Right', right })
  )(fx)

/** @category failures @since 0.1.0 */
export const option = <R, E, A>(fx: Effect<R, E, A>): Effect<R, never, Option<A>> =>
  match(
    (): Option<A> => ({ _tag: 'None' }),
    (value: A): Option<A> => ({ _tag: 'Some', value })
  )(fx)

/** @category failures @since 0.1.0 */
export const orDie = <R, E, A>(fx: Effect<R, E, A>): Effect<R, never, A> => build(op.OrDie, fx)

/** @category failures @since 0.1.0 */
export const filterOrElse: {
  <A, B extends A, const E2>(
    refinement: Refinement<A, B>,
    onFalse: (a: A) => E2
  ): <R, E>(fx: Effect<R, E, A>) => Effect<R, E | E2, B>
  <A, const E2>(
    predicate: Predicate<A>,
    onFalse: (a: A) => E2
  ): <R, E>(fx: Effect<R, E, A>) => Effect<R, E | E2, A>
} =
  <A, E2>(predicate: Predicate<A>, onFalse: (a: A) => E2) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R, E | E2, A> =>
    build(op.FlatMap, fx, (a: A): Effect<unknown, E2, A> => (predicate(a) ? succeed(a) : fail(onFalse(a))))

// -------------------------------------------------------------------------------------
// environment
// -------------------------------------------------------------------------------------

/** @category environment @since 0.1.0 */
export const ask = <R>(): Effect<R, never, R> => typed(primitives.ask)

/** @category environment @since 0.1.0 */
export const asks = <R, A>(f: (env: R) => A): Effect<R, never, A> =>
  typed(primitives.primitive(primitives.asksPrimitive, f))

/** @category environment @since 0.1.0 */
export const local =
  <R2, R>(f: (env: R2) => R) =>
  <E, A>(fx: Effect<R, E, A>): Effect<R2, E, A> =>
    build(op.Local, fx, f)

/** @category environment @since 0.1.0 */
export const provide =
  <const P extends object>(services: P) =>
  <R extends Accepts<R, P>, E, A>(fx: Effect<R, E, A>): Effect<Without<R, P>, E, A> =>
    build(op.Provide, fx, services)

// -------------------------------------------------------------------------------------
// finalizers
// -------------------------------------------------------------------------------------

/** @category finalizers @since 0.1.0 */
export const ensuring =
  <R2, E2>(finalizer: Effect<R2, E2, unknown>) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R & R2, E | E2, A> =>
    build(op.Ensuring, fx, finalizer)

/** @category finalizers @since 0.1.0 */
export const onExit =
  <E, A, R2, E2>(finalizer: (exit: Exit<E, A>) => Effect<R2, E2, unknown>) =>
  <R>(fx: Effect<R, E, A>): Effect<R & R2, E | E2, A> =>
    build(op.OnExit, fx, finalizer)

/** @category finalizers @since 0.1.0 */
export const onCancel =
  <R2, E2>(finalizer: Effect<R2, E2, unknown>) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R & R2, E | E2, A> =>
    build(op.OnCancel, fx, finalizer)

/** @category finalizers @since 0.1.0 */
export const bracket = <R, E, A, R2, E2, B, R3, E3>(
  acquire: Effect<R, E, A>,
  use: (a: A) => Effect<R2, E2, B>,
  release: (a: A, exit: Exit<E2, B>) => Effect<R3, E3, unknown>
): Effect<R & R2 & R3, E | E2 | E3, B> => build(op.Bracket, acquire, use, release)

// -------------------------------------------------------------------------------------
// time and checkpoints
// -------------------------------------------------------------------------------------

/** @category time and checkpoints @since 0.1.0 */
export const checkpoint: Effect<unknown, never, void> = typed(primitives.checkpoint)

/** @category time and checkpoints @since 0.1.0 */
export const checkCancelled: Effect<unknown, never, void> = typed(primitives.checkCancelled)

/** @category time and checkpoints @since 0.1.0 */
export const yieldNow: Effect<unknown, never, void> = typed(primitives.yieldNow)

/** @category time and checkpoints @since 0.1.0 */
export const sleep = (ms: number): Effect<unknown, never, void> =>
  typed(primitives.primitive(primitives.sleepPrimitive, ms))

/** @category time and checkpoints @since 0.1.0 */
export const sleepUntil = (time: number): Effect<unknown, never, void> =>
  typed(primitives.primitive(primitives.sleepUntilPrimitive, time))

/** @category time and checkpoints @since 0.1.0 */
export const currentTime: Effect<unknown, never, number> = typed(primitives.currentTime)

// -------------------------------------------------------------------------------------
// loops
// -------------------------------------------------------------------------------------

/** @category loops @since 0.1.0 */
export const forever = <R, E>(fx: Effect<R, E, unknown>): Effect<R, E, never> => {
  const turn: Effect<R, E, never> = flatMap(() => again)(fx)
  const again: Effect<R, E, never> = flatMap(() => turn)(checkCancelled)
  return turn
}

/** @category loops @since 0.1.0 */
export const repeatN =
  (n: number) =>
  <R, E>(fx: Effect<R, E, unknown>): Effect<R, E, void> =>
    suspend(() => {
      if (Number.isNaN(n)) throw new TypeError('The number of turns of Effect.repeatN is NaN.')
      let left = n
      const turn: Effect<R, E, void> = suspend((): Effect<R, E, void> =>
        left-- > 0 ? flatMap(() => (left > 0 ? again : unit))(fx) : unit
      )
      const again: Effect<R, E, void> = flatMap(() => turn)(checkCancelled)
      return turn
    })

/** @category loops @since 0.1.0 */
export const whilst =
  <R2, E2>(condition: Effect<R2, E2, boolean>) =>
  <R, E>(body: Effect<R, E, unknown>): Effect<R & R2, E | E2, void> => {
    const turn: Effect<R & R2, E | E2, void> = flatMap((goOn: boolean): Effect<R & R2, E | E2, void> =>
      goOn ? flatMap(() => again)(body) : unit
    )(condition)
    const again: Effect<R & R2, E | E2, void> = flatMap(() => turn)(checkCancelled)
    return turn
  }

/** What a policy is asked with; that of `retry-ts`. @category loops @since 0.1.0 */
export interface RetryStatus {
  /** Turns that have been run again so far. */
  readonly iterNumber: number
  /** Ms of delay so far. */
  readonly cumulativeDelay: number
  /** Ms of the delay before this one. */
  readonly previousDelay: Option<number>
}

/** The delay in ms before the next turn, or `None` to stop; that of `retry-ts`. @category loops @since 0.1.0 */
export interface RetryPolicy {
  (status: RetryStatus): Option<number>
}

const firstStatus: RetryStatus = { iterNumber: 0, cumulativeDelay: 0, previousDelay: { _tag: 'None' } }

/** Asks the policy; waits and goes on with the next status, or stops. */
const nextTurn = <R, E, A>(
  policy: RetryPolicy,
  status: RetryStatus,
  again: (status: RetryStatus) => Effect<R, E, A>,
  stop: Effect<R, E, A>
): Effect<R, E, A> => {
  const previousDelay = policy(status)
  if (previousDelay._tag === 'None') return stop
  const delay = previousDelay.value
  const next: RetryStatus = {
    iterNumber: status.iterNumber + 1,
    cumulativeDelay: status.cumulativeDelay + delay,
    previousDelay
  }
  // A policy without delay must not turn each run into a yield, but the loop can be cancelled between its turns.
  return flatMap(() => again(next))(delay > 0 || Number.isNaN(delay) ? sleep(delay) : checkCancelled)
}

/** @category loops @since 0.1.0 */
export const retry: {
  (policy: RetryPolicy): <R, E, A>(fx: Effect<R, E, A>) => Effect<R, E, A>
  <E>(
    policy: RetryPolicy,
    options: { readonly when: (e: E) => boolean }
  ): <R, A>(fx: Effect<R, E, A>) => Effect<R, E, A>
} =
  <E>(policy: RetryPolicy, options?: { readonly when: (e: E) => boolean }) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R, E, A> => {
    const turn = (status: RetryStatus): Effect<R, E, A> =>
      catchCause((cause: Cause<E>): Effect<R, E, A> => {
        const stop: Effect<R, E, A> = failCause(cause)
        const error = onlyFailures(cause)
        if (error === null || (options !== undefined && !options.when(error.first))) return stop
        return nextTurn(policy, status, turn, stop)
      })(fx)
    return turn(firstStatus)
  }

/** The first failure of a cause that has no other leaves. */
const onlyFailures = <E>(cause: Cause<E>): { readonly first: E } | null => {
  const split = partitionFails(cause, () => true)
  return split === null || split.rest !== null ? null : { first: split.first as E }
}

/** @category loops @since 0.1.0 */
export const repeat =
  (policy: RetryPolicy) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E, A> => {
    const turn = (status: RetryStatus): Effect<R, E, A> =>
      flatMap((a: A) => nextTurn(policy, status, turn, succeed(a)))(fx)
    return turn(firstStatus)
  }

// -------------------------------------------------------------------------------------
// collections, one after the other
// -------------------------------------------------------------------------------------

/** @category collections @since 0.1.0 */
export const traverseArray =
  <A, F extends Any>(f: (a: A) => F) =>
  (as: ReadonlyArray<A>): Effect<EnvOf<F>, ErrorOf<F>, ReadonlyArray<ValueOf<F>>> =>
    typed(generators.traverse(as, f as Untyped))

/** @category collections @since 0.1.0 */
export const sequenceArray: <F extends Any>(
  fxs: ReadonlyArray<F>
) => Effect<EnvOf<F>, ErrorOf<F>, ReadonlyArray<ValueOf<F>>> = traverseArray(identity)

/** @category collections @since 0.1.0 */
export const forEach =
  <A, F extends Any>(f: (a: A) => F) =>
  (as: Iterable<A>): Effect<EnvOf<F>, ErrorOf<F>, void> =>
    typed(generators.forEach(as, f as Untyped))

/** @category collections @since 0.1.0 */
export const struct = <T extends { readonly [key: string]: Any }>(
  fields: T
): Effect<EnvOf<T[keyof T]>, ErrorOf<T[keyof T]>, { readonly [K in keyof T]: ValueOf<T[K]> }> => {
  const keys = Object.keys(fields)
  return build(op.Map, sequenceArray(keys.map((key) => fields[key] as Any)), (values: Array<unknown>) =>
    Object.fromEntries(keys.map((key, i) => [key, values[i]]))
  )
}

/** @category collections @since 0.1.0 */
export const tuple = <T extends ReadonlyArray<Any>>(
  items: readonly [...T]
): Effect<EnvOf<T[number]>, ErrorOf<T[number]>, { readonly [K in keyof T]: ValueOf<T[K]> }> =>
  typed(untyped(sequenceArray(items)))

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/** @category instances @since 0.1.0 */
export const URI = 'millrace/Effect'

/** @category instances @since 0.1.0 */
export type URI = typeof URI

declare module 'fp-ts/HKT' {
  interface URItoKind3<R, E, A> {
    readonly 'millrace/Effect': Effect<R, E, A>
  }
}

const map_: Functor3<URI>['map'] = (fa, f) => map(f)(fa)
const ap_: Apply3<URI>['ap'] = (fab, fa) => ap(fa)(fab)
const chain_: Chain3<URI>['chain'] = (fa, f) => flatMap(f)(fa)
const apPar_: Apply3<URI>['ap'] = (fab, fa) => {
  const arms = [untyped(fab), untyped(fa)]
  const both = new Op(
    op.Parallel,
    () => new All('ApplicativePar', Infinity, (i) => arms[i] ?? null, null),
    undefined,
    undefined
  )
  return build(op.Map, both, applyFirst)
}
const applyFirst = ([f, a]: Array<Untyped>): Untyped => f(a)

/** @category instances @since 0.1.0 */
export const Functor: Functor3<URI> = { URI, map: map_ }

/** @category instances @since 0.1.0 */
export const Pointed: Pointed3<URI> = { URI, of }

/** @category instances @since 0.1.0 */
export const ApplySeq: Apply3<URI> = { URI, map: map_, ap: ap_ }

/** @category instances @since 0.1.0 */
export const ApplyPar: Apply3<URI> = { URI, map: map_, ap: apPar_ }

/** @category instances @since 0.1.0 */
export const ApplicativeSeq: Applicative3<URI> = { URI, map: map_, ap: ap_, of }

/** @category instances @since 0.1.0 */
export const ApplicativePar: Applicative3<URI> = { URI, map: map_, ap: apPar_, of }

/** @category instances @since 0.1.0 */
export const Chain: Chain3<URI> = { URI, map: map_, ap: ap_, chain: chain_ }

/** @category instances @since 0.1.0 */
export const Monad: Monad3<URI> = { URI, map: map_, ap: ap_, of, chain: chain_ }

/** @category instances @since 0.1.0 */
export const MonadIO: MonadIO3<URI> = { ...Monad, fromIO }

/** @category instances @since 0.1.0 */
export const MonadTask: MonadTask3<URI> = { ...MonadIO, fromTask: (fa) => fromTask(fa) }

/** @category instances @since 0.1.0 */
export const MonadThrow: MonadThrow3<URI> = { ...Monad, throwError: (e) => build(op.Raise, op.Fail, e) }

/** @category instances @since 0.1.0 */
export const FromEither: FromEither3<URI> = { URI, fromEither }

/** @category instances @since 0.1.0 */
export const FromIO: FromIO3<URI> = { URI, fromIO }

/** @category instances @since 0.1.0 */
export const FromTask: FromTask3<URI> = { URI, fromIO, fromTask: (fa) => fromTask(fa) }

/** @category instances @since 0.1.0 */
export const FromReader: FromReader3<URI> = { URI, fromReader }

/** @category instances @since 0.1.0 */
export const Alt: Alt3<URI> = { URI, map: map_, alt: (fa, that) => orElse(() => that())(fa) }

/** @category instances @since 0.1.0 */
export const Bifunctor: Bifunctor3<URI> = {
  URI,
  bimap: (fea, f, g) => bimap(f, g)(fea),
  mapLeft: (fea, f) => mapError(f)(fea)
}

/** @category instances @since 0.1.0 */
export const getSemigroup = <R, E, A>(S: Semigroup<A>): Semigroup<Effect<R, E, A>> => ({
  concat: (x, y) => flatMap((a: A) => map((b: A) => S.concat(a, b))(y))(x)
})

/** @category instances @since 0.1.0 */
export const getMonoid = <R, E, A>(M: Monoid<A>): Monoid<Effect<R, E, A>> => ({
  ...getSemigroup<R, E, A>(M),
  empty: succeed(M.empty)
})
