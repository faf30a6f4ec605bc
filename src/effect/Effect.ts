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
import * as environments from './internal/environments.js'
import * as failures from './internal/failures.js'
import type { Fiber } from './internal/fiber.js'
import { Frame } from './internal/frame.js'
import * as finalizers from './internal/finalizers.js'
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
 * `Effect<unknown, never, A>` needs nothing and cannot fail in a way that callers should handle; it can still
 * die of a bug, and it can be cancelled.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * interface HasPrices { readonly prices: ReadonlyMap<string, number> }
 * interface NotSold { readonly _tag: 'NotSold'; readonly article: string }
 *
 * const priceOf = (article: string): Effect.Effect<HasPrices, NotSold, number> =>
 *   pipe(
 *     Effect.asks((env: HasPrices) => env.prices.get(article)),
 *     Effect.flatMap((price) =>
 *       price === undefined ? Effect.fail({ _tag: 'NotSold', article }) : Effect.succeed(price)
 *     )
 *   )
 *
 * const program = pipe(
 *   priceOf('tea'),
 *   Effect.orElse(() => Effect.succeed(0)),
 *   Effect.provide({ prices: new Map([['tea', 3]]) })
 * )
 * assert.equal(Runtime.runSync(program), 3)
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

/**
 * `Op` as the constructor of effects. What `map(f)` and its like give does nothing but call it, below 27 bytes of bytecode, which
 * is what V8 inlines in any case, with the codes of `op.ts` as literals: a step of a chain then costs its node and no closure.
 * Anything that may have to go back to slower code, as using an import does, would make V8 keep the closure for that.
 */
const Instruction: new <R, E, A>(code: number, a: Untyped, b: Untyped, c: Untyped) => Effect<R, E, A> =
  Op as Untyped

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A value that is there already. The argument is evaluated once, while the program is built; what has to be
 * computed or read when the effect runs belongs in `sync`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * let reads = 0
 * const read = () => ++reads
 *
 * const built = Effect.succeed(read())
 * assert.deepEqual([Runtime.runSync(built), Runtime.runSync(built)], [1, 1])
 *
 * const run = Effect.sync(read)
 * assert.deepEqual([Runtime.runSync(run), Runtime.runSync(run)], [2, 3])
 *
 * @category constructors
 * @since 0.1.0
 */
export const succeed = <A>(a: A): Effect<unknown, never, A> =>
  new Instruction(0 /* Succeed */, a, undefined, undefined)

/**
 * The same as {@link succeed}, under the name that fp-ts's instances use.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of: <A>(a: A) => Effect<unknown, never, A> = succeed

/**
 * An expected failure: it shows in `E`, and callers handle it. For what no caller can do anything about use
 * `die`.
 *
 * Literals keep their types, so `{ _tag: 'NotFound', id }` needs no `as const`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * interface NotFound { readonly _tag: 'NotFound'; readonly id: number }
 * const find = (id: number): Effect.Effect<unknown, NotFound, string> =>
 *   id === 1 ? Effect.succeed('Ada') : Effect.fail({ _tag: 'NotFound', id })
 *
 * assert.deepEqual(Runtime.runSyncExit(find(2)), Exit.fail({ _tag: 'NotFound', id: 2 }))
 *
 * const orNobody = pipe(
 *   find(2),
 *   Effect.catchTag('NotFound', ({ id }) => Effect.succeed(`nobody has number ${id}`))
 * )
 * assert.equal(Runtime.runSync(orNobody), 'nobody has number 2')
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = <const E>(error: E): Effect<unknown, E, never> =>
  new Instruction(3 /* Raise */, op.Fail, error, undefined)

/**
 * A defect: a bug, which no caller is expected to handle, and which therefore is not in `E`. What a function
 * given to `sync`, `map` and the like throws is the same. Handlers of failures do not see it; `catchCause`,
 * `exit` and finalizers do.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const bug = new Error('unreachable')
 * const program = pipe(
 *   Effect.die(bug),
 *   Effect.orElse(() => Effect.succeed('handled'))
 * )
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.die(bug))
 *
 * @category constructors
 * @since 0.1.0
 */
export const die = (defect: unknown): Effect<unknown, never, never> =>
  new Instruction(3 /* Raise */, op.Die, defect, undefined)

/**
 * Raises a cause that was observed before, all of it and with the same leaves, so that it is counted once
 * wherever it meets itself again. To fail with one error use `fail`.
 *
 * **Errors.** The defect `CancelledElsewhere` for a cause that holds a `Cancelled` while no scope around is
 * cancelled: a cancellation cannot be made up, nor carried out of the scope that it belongs to.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Cause, Effect, Exit, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const logged = pipe(
 *   Effect.fail('disk full'),
 *   Effect.catchCause((cause) => {
 *     lines.push(Cause.pretty(cause))
 *     return Effect.failCause(cause)
 *   })
 * )
 * assert.deepEqual(Runtime.runSyncExit(logged), Exit.fail('disk full'))
 * assert.deepEqual(lines, ['Fail: "disk full"'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const failCause = <E>(cause: Cause<E>): Effect<unknown, E, never> =>
  typed(primitives.primitive(failures.raiseCause, cause))

/**
 * Ends as another effect has ended: the way back from `exit` and `task.wait`.
 *
 * **Errors.** `CancelledElsewhere`, as of {@link failCause}: the exit of something that was cancelled can be
 * raised only where a scope around is cancelled too. `task.join` has a failure for that case.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const program = pipe(Effect.exit(Effect.fail('no')), Effect.flatMap(Effect.fromExit))
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail('no'))
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromExit = <E, A>(exit: Exit<E, A>): Effect<unknown, E, A> =>
  exit._tag === 'Right' ? succeed(exit.right) : failCause(exit.left)

/**
 * Runs a function each time the effect runs: the way to side effects that do not wait. For a function that
 * throws as a matter of course use `tryCatch`; for one that returns a promise `Promises.fromPromise`, since
 * `sync` would give the promise itself.
 *
 * **Errors.** What the function throws is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const log = (line: string) => Effect.sync(() => { lines.push(line) })
 *
 * const hello = log('hello')
 * assert.deepEqual(lines, [])
 * Runtime.runSync(hello)
 * assert.deepEqual(lines, ['hello'])
 *
 * const bug = new RangeError('index -1')
 * assert.deepEqual(Runtime.runSyncExit(Effect.sync(() => { throw bug })), Exit.die(bug))
 *
 * @category constructors
 * @since 0.1.0
 */
export const sync = <A>(f: () => A): Effect<unknown, never, A> =>
  new Instruction(1 /* Sync */, f, undefined, undefined)

/**
 * Runs a function that may throw, and makes a failure of what it throws. For a promise use
 * `Promises.tryPromise`.
 *
 * **Errors.** What `onThrow` makes of it. What `onThrow` throws itself is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const parse = (text: string) =>
 *   Effect.tryCatch(
 *     (): unknown => JSON.parse(text),
 *     () => ({ _tag: 'NoJson' as const, text })
 *   )
 *
 * assert.deepEqual(Runtime.runSync(parse('[1]')), [1])
 * assert.deepEqual(Runtime.runSyncExit(parse('[1')), Exit.fail({ _tag: 'NoJson', text: '[1' }))
 *
 * @category constructors
 * @since 0.1.0
 */
export const tryCatch = <A, const E>(f: () => A, onThrow: (thrown: unknown) => E): Effect<unknown, E, A> =>
  suspend(() => {
    let a: A
    try {
      a = f()
    } catch (thrown) {
      return new Instruction<unknown, E, never>(3 /* Raise */, op.Fail, onThrow(thrown), undefined)
    }
    return succeed(a)
  })

/**
 * Makes the effect anew each time it runs. For effects that keep state of their own, and for recursion:
 * without it a function that calls itself would build an endless effect before anything runs.
 *
 * **Errors.** What the function throws is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const sumTo = (n: number): Effect.Effect<unknown, never, number> =>
 *   n === 0
 *     ? Effect.succeed(0)
 *     : pipe(
 *         Effect.suspend(() => sumTo(n - 1)),
 *         Effect.map((sum) => sum + n)
 *       )
 *
 * // No recursion of the host: depth costs memory, not stack.
 * assert.equal(Runtime.runSync(sumTo(100_000)), 5_000_050_000)
 *
 * @category constructors
 * @since 0.1.0
 */
export const suspend = <F extends Any>(f: () => F): Effect<EnvOf<F>, ErrorOf<F>, ValueOf<F>> =>
  new Instruction(8 /* Suspend */, f, undefined, undefined)

/**
 * Does nothing, and gives `undefined`. For a branch in which there is nothing to do.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unit: Effect<unknown, never, void> = /*#__PURE__*/ succeed(undefined)

/**
 * Waits for ever. For a service that lives until it is cancelled, and as the neutral element of
 * `Concurrent.race`.
 *
 * **Cancellation.** Ends it, and nothing else does.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = pipe(Effect.never, Timeout.moveOnAfter(1000))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 *
 * @category constructors
 * @since 0.1.0
 */
export const never: Effect<unknown, never, never> = /*#__PURE__*/ typed(primitives.never)

/**
 * Waits for a callback. `register` is called each time the effect runs; the first call of `resume`, also one
 * inside of `register`, ends the wait, and later ones are ignored. The clean-up that `register` returns runs
 * exactly once, however the wait ends; take listeners and timers back there.
 *
 * For a promise use `Promises.fromPromise`, which also knows how to abort it.
 *
 * **Errors.** The exit given to `resume`. What `register` or the clean-up throws is a defect.
 * **Cancellation.** In a cancelled scope `register` is not called. If cancelled while waiting, the clean-up
 * runs and calls of `resume` are ignored from then on; what the outside has done by then is not undone.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { EventEmitter } from 'node:events'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const emitter = new EventEmitter()
 * const nextLine = Effect.async<never, string>((resume) => {
 *   const listener = (line: string) => resume(Exit.succeed(line))
 *   emitter.on('line', listener)
 *   return () => { emitter.off('line', listener) }
 * })
 *
 * const line = Runtime.runPromise(nextLine)
 * emitter.emit('line', 'hello')
 * assert.equal(await line, 'hello')
 * assert.equal(emitter.listenerCount('line'), 0)
 *
 * @category constructors
 * @since 0.1.0
 */
export const async = <E = never, A = void>(
  register: (resume: (exit: Exit<E, A>) => void) => IO<void> | void
): Effect<unknown, E, A> => typed(primitives.primitive(primitives.asyncPrimitive, register))

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/**
 * A `Right` as a value, a `Left` as a failure.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * assert.equal(Runtime.runSync(Effect.fromEither(E.right(1))), 1)
 * assert.deepEqual(Runtime.runSyncExit(Effect.fromEither(E.left('no'))), Exit.fail('no'))
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromEither = <E, A>(fa: Either<E, A>): Effect<unknown, E, A> =>
  fa._tag === 'Right' ? succeed(fa.right) : new Instruction(3 /* Raise */, op.Fail, fa.left, undefined)

/**
 * A `Some` as its value, `None` as the failure that `onNone` makes.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as RA from 'fp-ts/lib/ReadonlyArray.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const first = (lines: ReadonlyArray<string>) =>
 *   pipe(lines, RA.head, Effect.fromOption(() => 'no lines' as const))
 *
 * assert.equal(Runtime.runSync(first(['a', 'b'])), 'a')
 * assert.deepEqual(Runtime.runSyncExit(first([])), Exit.fail('no lines'))
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromOption =
  <const E>(onNone: () => E) =>
  <A>(fa: Option<A>): Effect<unknown, E, A> =>
    fa._tag === 'Some' ? succeed(fa.value) : suspend(() => fail(onNone()))

/**
 * The same as {@link sync}, for a value that is an `IO` of fp-ts.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromIO: <A>(fa: IO<A>) => Effect<unknown, never, A> = sync

/**
 * Runs an `IOEither`; a `Left` is a failure.
 *
 * **Errors.** The `Left`. What the function throws is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as IOE from 'fp-ts/lib/IOEither.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const parse = (text: string) => IOE.tryCatch((): unknown => JSON.parse(text), () => 'no JSON')
 *
 * assert.deepEqual(Runtime.runSyncExit(Effect.fromIOEither(parse('['))), Exit.fail('no JSON'))
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromIOEither = <E, A>(fa: IOEither<E, A>): Effect<unknown, E, A> =>
  suspend(() => fromEither(fa()))

/**
 * What a `Reader` makes of the environment. The same as {@link asks}, for a value that is a `Reader` of
 * fp-ts.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import type { Reader } from 'fp-ts/lib/Reader.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * interface HasHost { readonly host: string }
 * const url: Reader<HasHost, string> = ({ host }) => `https://${host}/`
 *
 * const program = pipe(Effect.fromReader(url), Effect.provide({ host: 'example.org' }))
 * assert.equal(Runtime.runSync(program), 'https://example.org/')
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromReader = <R, A>(fa: Reader<R, A>): Effect<R, never, A> => asks(fa)

/**
 * How the `from…` of promises wait when they are cancelled.
 *
 * @category model
 * @since 0.1.0
 */
export interface TaskOptions {
  /** Let go at once when cancelled, instead of waiting until the task settles. */
  readonly abandonOnCancel?: boolean
}

/**
 * Waits for a `Task` of fp-ts, which is started each time the effect runs.
 *
 * A `Task` is not told of a cancellation. Where the work can be aborted, use `Promises.fromPromise`, whose
 * function takes an `AbortSignal`.
 *
 * **Errors.** None expected: a rejection is a defect.
 * **Cancellation.** In a cancelled scope the task is not started. Afterwards its end is awaited, so that
 * nothing runs on unobserved, and its value is kept. With `abandonOnCancel` the wait ends at once; the task
 * runs on, and its outcome is dropped.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as T from 'fp-ts/lib/Task.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * assert.equal(await Runtime.runPromise(Effect.fromTask(T.of(42))), 42)
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromTask = <A>(fa: Task<A>, options?: TaskOptions): Effect<unknown, never, A> =>
  typed(settlePromise(() => fa(), { label: 'fromTask', abandonOnCancel: options?.abandonOnCancel === true }))

/**
 * Waits for a `TaskEither` of fp-ts, which is started each time the effect runs; a `Left` is a failure.
 *
 * **Errors.** The `Left`. A rejection is a defect.
 * **Cancellation.** As of {@link fromTask}; a `Left` that comes after the cancellation counts as the
 * cancellation.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const refused = TE.tryCatch(
 *   () => Promise.reject(new Error('ECONNREFUSED')),
 *   () => 'refused' as const
 * )
 * assert.deepEqual(await Runtime.runExit(Effect.fromTaskEither(refused)), Exit.fail('refused'))
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromTaskEither = <E, A>(fa: TaskEither<E, A>, options?: TaskOptions): Effect<unknown, E, A> =>
  typed(
    settlePromise(() => fa(), {
      label: 'fromTaskEither',
      onValue: eitherToExit,
      abandonOnCancel: options?.abandonOnCancel === true
    })
  )

/**
 * Waits for a `ReaderTaskEither` of fp-ts, which is given the environment of the effect.
 *
 * **Errors.** The `Left`. A rejection is a defect.
 * **Cancellation.** As of {@link fromTaskEither}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * interface HasRate { readonly rate: number }
 * const inEuro = (dollars: number): RTE.ReaderTaskEither<HasRate, never, number> =>
 *   RTE.asks(({ rate }) => dollars * rate)
 *
 * const program = pipe(Effect.fromReaderTaskEither(inEuro(10)), Effect.provide({ rate: 0.5 }))
 * assert.equal(await Runtime.runPromise(program), 5)
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromReaderTaskEither = <R, E, A>(
  fa: ReaderTaskEither<R, E, A>,
  options?: TaskOptions
): Effect<R, E, A> => flatMap((env: R) => fromTaskEither(fa(env), options))(ask<R>())

const eitherToExit = (either: Either<unknown, unknown>): { mode: number; value: unknown } =>
  either._tag === 'Right' ? { mode: op.Return, value: either.right } : { mode: op.Fail, value: either.left }

/**
 * A function that lets values pass of which the predicate holds, and fails with the others. To check the
 * value of an effect use `filterOrElse`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const port = Effect.fromPredicate(
 *   (n: number) => Number.isInteger(n) && n > 0 && n < 65_536,
 *   (n) => `${n} is no port`
 * )
 * assert.equal(Runtime.runSync(port(8080)), 8080)
 * assert.deepEqual(Runtime.runSyncExit(port(0)), Exit.fail('0 is no port'))
 *
 * @category conversions
 * @since 0.1.0
 */
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

/**
 * Effects one after the other, as a generator: `yield*` of an effect gives its value. The usual way to write
 * a program; each run makes a fresh generator.
 *
 * A failure or a cancellation at a `yield*` ends the generator as `return` would: `finally` blocks run, and
 * effects yielded in them run as finalizers. `catch` never sees a failure of an effect, only what the
 * generator's own code throws; handle failures with `orElse`, `catchTag` and `match`. A value returned from a
 * `finally` is ignored.
 *
 * **Errors.** Those of the effects yielded. What the generator throws is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const log = (line: string) => Effect.sync(() => { lines.push(line) })
 *
 * const program = Effect.gen(function* () {
 *   const n = yield* Effect.succeed(20)
 *   try {
 *     if (n > 10) yield* Effect.fail({ _tag: 'TooMuch', n })
 *     return n
 *   } finally {
 *     yield* log('finally')
 *   }
 * })
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail({ _tag: 'TooMuch', n: 20 }))
 * assert.deepEqual(lines, ['finally'])
 *
 * @category generators
 * @since 0.1.0
 */
export const gen = <Y extends AnyStep, A>(
  body: () => Generator<Y, A, never>
): Effect<StepEnv<Y>, StepError<Y>, A> => typed(generators.generate(body))

/**
 * A function that returns an effect, written as a generator. The name is what a task is called that is
 * spawned with it, in causes and in lists of what is alive. Prefer it to a function whose body is `return
 * Effect.gen(…)`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const countdown = Effect.fn('countdown')(function* (from: number) {
 *   for (let n = from; n > 0; n--) yield* Effect.sleep(1000)
 *   return 'lift-off'
 * })
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const task = yield* group.spawn(countdown(3))
 *     return [task.name, yield* task.wait]
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['countdown', Exit.succeed('lift-off')]))
 *
 * @category generators
 * @since 0.1.0
 */
export const fn =
  (name: string) =>
  <Args extends ReadonlyArray<unknown>, Y extends AnyStep, A>(
    body: (...args: Args) => Generator<Y, A, never>
  ): ((...args: Args) => Effect<StepEnv<Y>, StepError<Y>, A>) => {
    const frame = generators.named(name)
    return (...args) => new Instruction(9 /* Generate */, body, args, frame)
  }

// -------------------------------------------------------------------------------------
// sequence
// -------------------------------------------------------------------------------------

/**
 * Another value, by a function that does nothing else. For one that returns an effect use `flatMap`.
 *
 * **Errors.** What the function throws is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const program = pipe(
 *   Effect.succeed(20),
 *   Effect.map((n) => n + 1)
 * )
 * assert.equal(Runtime.runSync(program), 21)
 *
 * @category sequence
 * @since 0.1.0
 */
export const map =
  <A, B>(f: (a: A) => B) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R, E, B> =>
    new Instruction(5 /* Map */, fx, f, undefined)

/**
 * Goes on with an effect that depends on the value. What the two need and how they may fail is joined; the
 * branches of `f` may fail in different ways. With more than two in a row `gen` reads better.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const half = (n: number) => (n % 2 === 0 ? Effect.succeed(n / 2) : Effect.fail({ _tag: 'Odd', n }))
 *
 * const quarter = (n: number) => pipe(half(n), Effect.flatMap(half))
 * assert.equal(Runtime.runSync(quarter(12)), 3)
 * assert.deepEqual(Runtime.runSyncExit(quarter(6)), Exit.fail({ _tag: 'Odd', n: 3 }))
 *
 * @category sequence
 * @since 0.1.0
 */
export const flatMap =
  <A, F extends Any>(f: (a: A) => F) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, E | ErrorOf<F>, ValueOf<F>> =>
    new Instruction(4 /* FlatMap */, fx, f, undefined)

/**
 * Runs the effect that an effect has given.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * const choose = Effect.sync(() => Effect.succeed(42))
 * assert.equal(Runtime.runSync(Effect.flatten(choose)), 42)
 *
 * @category sequence
 * @since 0.1.0
 */
export const flatten = <R, E, R2, E2, A>(fx: Effect<R, E, Effect<R2, E2, A>>): Effect<R & R2, E | E2, A> =>
  new Instruction(4 /* FlatMap */, fx, identity, undefined)

const identity = <A>(a: A): A => a

/**
 * Runs an effect with the value and keeps the value: for logging, checks and other steps whose own value is
 * of no interest.
 *
 * **Errors.** Those of the second effect fail the whole. To look at a failure use `tapError`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const program = pipe(
 *   Effect.succeed(42),
 *   Effect.tap((n) => Effect.sync(() => { lines.push(`got ${n}`) }))
 * )
 * assert.equal(Runtime.runSync(program), 42)
 * assert.deepEqual(lines, ['got 42'])
 *
 * @category sequence
 * @since 0.1.0
 */
export const tap =
  <A, F extends Any>(f: (a: A) => F) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, E | ErrorOf<F>, A> =>
    new Instruction(6 /* Tap */, fx, f, undefined)

/**
 * A fixed value in place of the one that comes.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * assert.deepEqual(TestRuntime.runExit(pipe(Effect.sleep(10), Effect.as('awake'))), Exit.succeed('awake'))
 *
 * @category sequence
 * @since 0.1.0
 */
export const as =
  <B>(b: B) =>
  <R, E>(fx: Effect<R, E, unknown>): Effect<R, E, B> =>
    new Instruction(11 /* Framed */, fx, b, given)

const given = /*#__PURE__*/ new Frame(null, (_fiber, b: Untyped) => b, null)

const discard = (): void => undefined

/**
 * Drops the value.
 *
 * @category sequence
 * @since 0.1.0
 */
export const asUnit = <R, E>(fx: Effect<R, E, unknown>): Effect<R, E, void> =>
  new Instruction(5 /* Map */, fx, discard, undefined)

/**
 * Goes on with a fixed effect, and drops the value before it. For one that depends on the value use
 * `flatMap`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = pipe(Effect.sleep(10), Effect.andThen(Effect.fail('late')))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.fail('late'))
 *
 * @category sequence
 * @since 0.1.0
 */
export const andThen =
  <R2, E2, B>(that: Effect<R2, E2, B>) =>
  <R, E>(fx: Effect<R, E, unknown>): Effect<R & R2, E | E2, B> =>
    new Instruction(4 /* FlatMap */, fx, () => that, undefined)

/**
 * Applies the function of one effect to the value of another; one after the other, functions first. Side by
 * side it is {@link ApplyPar}; for a record of effects `struct` is shorter.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const program = pipe(
 *   Effect.succeed((a: number) => (b: number) => a - b),
 *   Effect.ap(Effect.succeed(5)),
 *   Effect.ap(Effect.succeed(3))
 * )
 * assert.equal(Runtime.runSync(program), 2)
 *
 * @category sequence
 * @since 0.1.0
 */
export const ap =
  <R2, E2, A>(fa: Effect<R2, E2, A>) =>
  <R, E, B>(fab: Effect<R, E, (a: A) => B>): Effect<R & R2, E | E2, B> =>
    new Instruction(4 /* FlatMap */, fab, (f: (a: A) => B) => new Op(op.Map, fa, f, undefined), undefined)

// -------------------------------------------------------------------------------------
// do notation
// -------------------------------------------------------------------------------------

/**
 * The start of a pipeline that names its values as it goes. `gen` does the same with ordinary variables.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const program = pipe(
 *   Effect.Do,
 *   Effect.bind('width', () => Effect.succeed(3)),
 *   Effect.bind('height', ({ width }) => Effect.succeed(width + 1)),
 *   Effect.let('area', ({ width, height }) => width * height)
 * )
 * assert.deepEqual(Runtime.runSync(program), { width: 3, height: 4, area: 12 })
 *
 * @category do notation
 * @since 0.1.0
 */
export const Do: Effect<unknown, never, {}> = /*#__PURE__*/ succeed({})

/**
 * Names the value of an effect, which then is the start of a `Do` pipeline.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const program = pipe(
 *   Effect.succeed(3),
 *   Effect.bindTo('width'),
 *   Effect.let('area', ({ width }) => width * width)
 * )
 * assert.deepEqual(Runtime.runSync(program), { width: 3, area: 9 })
 *
 * @category do notation
 * @since 0.1.0
 */
export const bindTo =
  <N extends string>(name: N) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E, { readonly [K in N]: A }> =>
    new Instruction(5 /* Map */, fx, (a: A) => ({ [name]: a }), undefined)

/**
 * Runs an effect that may depend on the values so far, and names its value. A name that is taken does not
 * compile.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const program = pipe(
 *   Effect.Do,
 *   Effect.bind('user', () => Effect.succeed({ id: 7 })),
 *   Effect.bind('orders', ({ user }) => Effect.fail(`no orders of ${user.id}`))
 * )
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail('no orders of 7'))
 *
 * @category do notation
 * @since 0.1.0
 */
export const bind =
  <N extends string, A extends object, F extends Any>(name: Exclude<N, keyof A>, f: (a: A) => F) =>
  <R, E>(
    fx: Effect<R, E, A>
  ): Effect<
    R & EnvOf<F>,
    E | ErrorOf<F>,
    { readonly [K in keyof A | N]: K extends keyof A ? A[K] : ValueOf<F> }
  > =>
    new Instruction(
      4 /* FlatMap */,
      fx,
      (a: A) => new Op(op.Map, f(a), (b: unknown) => ({ ...a, [name]: b }), undefined),
      undefined
    )

const let_ =
  <N extends string, A extends object, B>(name: Exclude<N, keyof A>, f: (a: A) => B) =>
  <R, E>(fx: Effect<R, E, A>): Effect<R, E, { readonly [K in keyof A | N]: K extends keyof A ? A[K] : B }> =>
    new Instruction(5 /* Map */, fx, (a: A) => ({ ...a, [name]: f(a) }), undefined)
export {
  /**
   * Names a value that is computed from those so far, without an effect.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { pipe } from 'fp-ts/lib/function.js'
   * import { Effect, Runtime } from 'millrace'
   *
   * const program = pipe(
   *   Effect.Do,
   *   Effect.apS('net', Effect.succeed(100)),
   *   Effect.let('gross', ({ net }) => net + 19)
   * )
   * assert.deepEqual(Runtime.runSync(program), { net: 100, gross: 119 })
   *
   * @category do notation
   * @since 0.1.0
   */
  let_ as let
}

/**
 * Runs an effect that needs none of the values so far, and names its value. One after the other; to run
 * several side by side use `Concurrent.all` with a record.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const program = pipe(Effect.Do, Effect.apS('a', Effect.succeed(1)), Effect.apS('b', Effect.succeed('x')))
 * assert.deepEqual(Runtime.runSync(program), { a: 1, b: 'x' })
 *
 * @category do notation
 * @since 0.1.0
 */
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

/**
 * Another failure, by a function; every typed failure of a joined cause is mapped. To go on after a failure
 * use `orElse`.
 *
 * **Errors.** What `f` makes of them. What `f` throws is a defect, in the place of that failure.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const program = pipe(
 *   Effect.fail('ENOENT'),
 *   Effect.mapError((code) => ({ _tag: 'FileFailed' as const, code }))
 * )
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail({ _tag: 'FileFailed', code: 'ENOENT' }))
 *
 * @category failures
 * @since 0.1.0
 */
export const mapError =
  <E, const E2>(f: (e: E) => E2) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R, E2, A> =>
    new Instruction(11 /* Framed */, fx, f, failures.mapError)

/**
 * Another failure and another value, by two functions. `match` makes a value of both.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const named = Effect.bimap(
 *   (code: number) => `code ${code}`,
 *   (n: number) => `number ${n}`
 * )
 * assert.equal(Runtime.runSync(pipe(Effect.succeed(1), named)), 'number 1')
 * assert.deepEqual(Runtime.runSyncExit(pipe(Effect.fail(2), named)), Exit.fail('code 2'))
 *
 * @category failures
 * @since 0.1.0
 */
export const bimap =
  <E, const E2, A, B>(f: (e: E) => E2, g: (a: A) => B) =>
  <R>(fx: Effect<R, E, A>): Effect<R, E2, B> =>
    mapError(f)(map(g)(fx))

/**
 * Goes on with another effect after a typed failure, whichever it is. For one of several tags use `catchTag`,
 * which leaves the others in `E`; to look at defects and cancellations as well, `catchCause`.
 *
 * Of a joined cause the handler is given the first failure and runs once. What is no typed failure stays: a
 * defect beside the failure is raised after the handler, joined by `Then` with what the handler fails with.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const handled = Effect.orElse((e: string) => Effect.succeed(`instead of ${e}`))
 * assert.equal(Runtime.runSync(pipe(Effect.fail('a'), handled)), 'instead of a')
 *
 * // The clean-up crashed as well, and that is not hidden.
 * const bug = new Error('close')
 * const crashed = pipe(Effect.fail('a'), Effect.ensuring(Effect.die(bug)))
 * assert.deepEqual(Runtime.runSyncExit(pipe(crashed, handled)), Exit.die(bug))
 *
 * @category failures
 * @since 0.1.0
 */
export const orElse =
  <E, F extends Any>(f: (e: E) => F) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, ErrorOf<F>, A | ValueOf<F>> =>
    new Instruction(10 /* Handle */, fx, f, failures.orElse)

/**
 * Handles the failures of one tag and takes the tag out of `E`. It is sound for groups: of a joined cause
 * every failure of the tag is taken out, and the handler runs once, with the first; other tags and defects
 * stay.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * interface NotFound { readonly _tag: 'NotFound'; readonly id: number }
 * interface Forbidden { readonly _tag: 'Forbidden' }
 * const read = (id: number): Effect.Effect<unknown, NotFound | Forbidden, string> =>
 *   id === 0 ? Effect.fail({ _tag: 'Forbidden' }) : Effect.fail({ _tag: 'NotFound', id })
 *
 * const readOrEmpty = (id: number): Effect.Effect<unknown, Forbidden, string> =>
 *   pipe(
 *     read(id),
 *     Effect.catchTag('NotFound', () => Effect.succeed(''))
 *   )
 * assert.equal(Runtime.runSync(readOrEmpty(1)), '')
 * assert.deepEqual(Runtime.runSyncExit(readOrEmpty(0)), Exit.fail({ _tag: 'Forbidden' }))
 *
 * @category failures
 * @since 0.1.0
 */
export const catchTag =
  <E, K extends TagOf<E>, F extends Any>(tag: K, f: (e: Extract<E, { readonly _tag: K }>) => F) =>
  <R, A>(
    fx: Effect<R, E, A>
  ): Effect<R & EnvOf<F>, Exclude<E, { readonly _tag: K }> | ErrorOf<F>, A | ValueOf<F>> =>
    new Instruction(11 /* Framed */, fx, { tag, f }, failures.catchTag)

/**
 * Goes on with another effect after anything that is not a value: failures, defects, cancellations. For
 * reporting at a border, such as around a request. Failures that callers expect are better handled by
 * `orElse`, `catchTag` or `match`, which let bugs pass; clean-up belongs in `ensuring` or `onExit`, which are
 * shielded.
 *
 * **Cancellation.** The handler sees it, but ends nothing by that: the scope stays cancelled, and the handler
 * runs up to its first checkpoint.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Cause, Effect, Runtime } from 'millrace'
 *
 * const request = Effect.sync((): string => {
 *   throw new TypeError('undefined is not a function')
 * })
 * const reported = pipe(
 *   request,
 *   Effect.catchCause((cause) => Effect.succeed(`500 ${Cause.pretty(cause)}`))
 * )
 * assert.equal(Runtime.runSync(reported), '500 Die: TypeError: undefined is not a function')
 *
 * @category failures
 * @since 0.1.0
 */
export const catchCause =
  <E, F extends Any>(f: (cause: Cause<E>) => F) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, ErrorOf<F>, A | ValueOf<F>> =>
    new Instruction(11 /* Framed */, fx, f, failures.catchCause)

/**
 * Runs an effect with the first typed failure, then raises the cause again, all of it. For logging and
 * counting; to act on defects and cancellations too use `onExit`.
 *
 * **Errors.** What the second effect fails with joins the cause by `Then`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const program = pipe(
 *   Effect.fail('no'),
 *   Effect.tapError((e) => Effect.sync(() => { lines.push(`failed: ${e}`) }))
 * )
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail('no'))
 * assert.deepEqual(lines, ['failed: no'])
 *
 * @category failures
 * @since 0.1.0
 */
export const tapError =
  <E, F extends Any>(f: (e: E) => F) =>
  <R, A>(fx: Effect<R, E, A>): Effect<R & EnvOf<F>, E | ErrorOf<F>, A> =>
    new Instruction(11 /* Framed */, fx, f, failures.tapError)

/**
 * A value of either outcome, by two functions. Only typed failures are handled, the first of several; defects
 * and cancellations pass, as they do with `orElse`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const show = Effect.match(
 *   (e: string) => `failed: ${e}`,
 *   (n: number) => `got ${n}`
 * )
 * assert.equal(Runtime.runSync(pipe(Effect.succeed(1), show)), 'got 1')
 * assert.equal(Runtime.runSync(pipe(Effect.fail('no'), show)), 'failed: no')
 *
 * @category failures
 * @since 0.1.0
 */
export const match =
  <E, B, A, C>(onFailure: (e: E) => B, onSuccess: (a: A) => C) =>
  <R>(fx: Effect<R, E, A>): Effect<R, never, B | C> =>
    matchEffect(
      (e: E) => succeed(onFailure(e)),
      (a: A) => succeed(onSuccess(a))
    )(fx)

/**
 * Goes on with one of two effects. Unlike `flatMap` followed by `orElse`, a failure of `onSuccess` is not
 * handled by `onFailure`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const program = pipe(
 *   Effect.succeed(0),
 *   Effect.matchEffect(
 *     () => Effect.succeed('fallback'),
 *     (n) => (n === 0 ? Effect.fail('zero') : Effect.succeed(`${n}`))
 *   )
 * )
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail('zero'))
 *
 * @category failures
 * @since 0.1.0
 */
export const matchEffect =
  <E, F extends Any, A, G extends Any>(onFailure: (e: E) => F, onSuccess: (a: A) => G) =>
  <R>(
    fx: Effect<R, E, A>
  ): Effect<R & EnvOf<F> & EnvOf<G>, ErrorOf<F> | ErrorOf<G>, ValueOf<F> | ValueOf<G>> =>
    new Instruction(11 /* Framed */, fx, { onFailure, onSuccess }, failures.match)

/**
 * The exit as a value: this effect does not fail, whatever happens inside. For code that keeps or forwards
 * exits. `either` and `option` handle typed failures only, which is what most programs want.
 *
 * **Cancellation.** It is in the exit too, but the scope stays cancelled: the next checkpoint ends this
 * effect as well.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * assert.deepEqual(Runtime.runSync(Effect.exit(Effect.succeed(1))), Exit.succeed(1))
 * assert.deepEqual(Runtime.runSync(Effect.exit(Effect.die('bug'))), Exit.die('bug'))
 *
 * @category failures
 * @since 0.1.0
 */
export const exit = <R, E, A>(fx: Effect<R, E, A>): Effect<R, never, Exit<E, A>> =>
  new Instruction(11 /* Framed */, fx, undefined, failures.toExit)

/**
 * Typed failures as a `Left`, values as a `Right`. Defects and cancellations pass.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * assert.deepEqual(Runtime.runSync(Effect.either(Effect.succeed(1))), E.right(1))
 * assert.deepEqual(Runtime.runSync(Effect.either(Effect.fail('no'))), E.left('no'))
 *
 * @category failures
 * @since 0.1.0
 */
export const either = <R, E, A>(fx: Effect<R, E, A>): Effect<R, never, Either<E, A>> =>
  match(
    (left: E): Either<E, A> => ({ _tag: 'Left', left }),
    (right: A): Either<E, A> => ({ _tag: 'Right', right })
  )(fx)

/**
 * Values as a `Some`, any typed failure as `None`. Defects and cancellations pass. The failure is lost;
 * `either` keeps it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as O from 'fp-ts/lib/Option.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * assert.deepEqual(Runtime.runSync(Effect.option(Effect.succeed(1))), O.some(1))
 * assert.deepEqual(Runtime.runSync(Effect.option(Effect.fail('no'))), O.none)
 *
 * @category failures
 * @since 0.1.0
 */
export const option = <R, E, A>(fx: Effect<R, E, A>): Effect<R, never, Option<A>> =>
  match(
    (): Option<A> => ({ _tag: 'None' }),
    (value: A): Option<A> => ({ _tag: 'Some', value })
  )(fx)

/**
 * Makes defects of all typed failures, and `E` empty. For failures that mean a bug where they are met, such
 * as a configuration that was checked before.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const program = Effect.orDie(Effect.fail({ _tag: 'NotFound', id: 1 }))
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.die({ _tag: 'NotFound', id: 1 }))
 *
 * @category failures
 * @since 0.1.0
 */
export const orDie = <R, E, A>(fx: Effect<R, E, A>): Effect<R, never, A> =>
  new Instruction(11 /* Framed */, fx, undefined, failures.orDie)

/**
 * Fails when the predicate does not hold of the value; a refinement narrows its type. Literals of the failure
 * keep their types.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const withdraw = (amount: number) =>
 *   pipe(
 *     Effect.succeed(100 - amount),
 *     Effect.filterOrElse(
 *       (rest) => rest >= 0,
 *       (rest) => ({ _tag: 'NotEnough', missing: -rest })
 *     )
 *   )
 * assert.equal(Runtime.runSync(withdraw(30)), 70)
 * assert.deepEqual(Runtime.runSyncExit(withdraw(130)), Exit.fail({ _tag: 'NotEnough', missing: 30 }))
 *
 * @category failures
 * @since 0.1.0
 */
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
    new Instruction(
      4 /* FlatMap */,
      fx,
      (a: A): Effect<unknown, E2, A> => (predicate(a) ? succeed(a) : fail(onFalse(a))),
      undefined
    )

// -------------------------------------------------------------------------------------
// environment
// -------------------------------------------------------------------------------------

/**
 * The environment, of a type that the caller says. To take one service out of it use `asks`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * interface HasGreeting { readonly greeting: string }
 *
 * const program = Effect.gen(function* () {
 *   const { greeting } = yield* Effect.ask<HasGreeting>()
 *   return `${greeting}, Ada`
 * })
 * assert.equal(Runtime.runSync(pipe(program, Effect.provide({ greeting: 'hello' }))), 'hello, Ada')
 *
 * @category environment
 * @since 0.1.0
 */
export const ask = <R>(): Effect<R, never, R> => typed(primitives.ask)

/**
 * Something out of the environment. Annotate the parameter with the services that are used, and no more:
 * environments are joined by intersection, so a function asks for what it needs itself.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * interface HasTax { readonly tax: (net: number) => number }
 * interface HasCurrency { readonly currency: string }
 *
 * const program = Effect.gen(function* () {
 *   const gross = yield* Effect.asks(({ tax }: HasTax) => 100 + tax(100))
 *   const currency = yield* Effect.asks((env: HasCurrency) => env.currency)
 *   return `${gross} ${currency}`
 * })
 * const services = { tax: (net: number) => net / 5, currency: 'EUR' }
 * assert.equal(Runtime.runSync(pipe(program, Effect.provide(services))), '120 EUR')
 *
 * @category environment
 * @since 0.1.0
 */
export const asks = <R, A>(f: (env: R) => A): Effect<R, never, A> =>
  typed(primitives.primitive(primitives.asksPrimitive, f))

/**
 * Runs an effect with another environment, made from the one around. To add services use `provide`, which the
 * compiler checks one by one.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const where = Effect.asks((env: { readonly path: string }) => env.path)
 * const program = pipe(
 *   where,
 *   Effect.local((env: { readonly path: string }) => ({ path: `${env.path}/images` })),
 *   Effect.provide({ path: '/var' })
 * )
 * assert.equal(Runtime.runSync(program), '/var/images')
 *
 * @category environment
 * @since 0.1.0
 */
export const local =
  <R2, R>(f: (env: R2) => R) =>
  <E, A>(fx: Effect<R, E, A>): Effect<R2, E, A> =>
    new Instruction(12 /* Opened */, environments.local, f, fx)

/**
 * Gives services to an effect, and takes them out of what it needs; a service that does not fit does not
 * compile. Tasks that the effect spawns have them too. Services that must be acquired and released are a
 * `Resource`, see `Resource.provide`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * interface Users { readonly find: (id: number) => Effect.Effect<unknown, never, string> }
 * interface HasUsers { readonly users: Users }
 *
 * const greet = (id: number) =>
 *   pipe(
 *     Effect.asks((env: HasUsers) => env.users),
 *     Effect.flatMap((users) => users.find(id)),
 *     Effect.map((name) => `hello ${name}`)
 *   )
 * const program = pipe(greet(1), Effect.provide({ users: { find: () => Effect.succeed('Ada') } }))
 * assert.equal(Runtime.runSync(program), 'hello Ada')
 *
 * @category environment
 * @since 0.1.0
 */
export const provide =
  <const P extends object>(services: P) =>
  <R extends Accepts<R, P>, E, A>(fx: Effect<R, E, A>): Effect<Without<R, P>, E, A> =>
    new Instruction(12 /* Opened */, environments.provide, services, fx)

// -------------------------------------------------------------------------------------
// finalizers
// -------------------------------------------------------------------------------------

/**
 * Runs a finalizer at the end, however it comes: after a value, a failure, a defect or a cancellation. A
 * finalizer that needs to know which uses `onExit`; one that releases what was acquired, `bracket` or
 * `Resource`.
 *
 * **Errors.** Those of the finalizer join the cause by `Then`; after a value they take its place.
 * **Cancellation.** The finalizer is shielded: it runs to its end, unless a `grace` around it is over.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const lines: Array<string> = []
 * const goodbye = pipe(Effect.sleep(5), Effect.andThen(Effect.sync(() => { lines.push('closed') })))
 *
 * const program = pipe(Effect.sleep(1000), Effect.ensuring(goodbye), Timeout.moveOnAfter(10))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 * assert.deepEqual(lines, ['closed'])
 *
 * @category finalizers
 * @since 0.1.0
 */
export const ensuring =
  <R2, E2>(finalizer: Effect<R2, E2, unknown>) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R & R2, E | E2, A> =>
    new Instruction(11 /* Framed */, fx, finalizer, finalizers.ensuring)

/**
 * Runs a finalizer that is given the exit: to commit or roll back, to count successes and failures. It cannot
 * change the outcome, but by failing itself.
 *
 * **Errors.** Those of the finalizer join the cause by `Then`; after a value they take its place.
 * **Cancellation.** The finalizer is shielded, as that of {@link ensuring}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const transaction = Effect.onExit((exit) =>
 *   Effect.sync(() => { lines.push(exit._tag === 'Right' ? 'commit' : 'rollback') })
 * )
 * Runtime.runSyncExit(pipe(Effect.succeed(1), transaction))
 * Runtime.runSyncExit(pipe(Effect.fail('no'), transaction))
 * assert.deepEqual(lines, ['commit', 'rollback'])
 *
 * @category finalizers
 * @since 0.1.0
 */
export const onExit =
  <E, A, R2, E2>(finalizer: (exit: Exit<E, A>) => Effect<R2, E2, unknown>) =>
  <R>(fx: Effect<R, E, A>): Effect<R & R2, E | E2, A> =>
    new Instruction(11 /* Framed */, fx, finalizer, finalizers.onExit)

/**
 * Runs a finalizer only when the effect was cancelled: to take back a request whose answer nobody wants any
 * more.
 *
 * **Errors.** Those of the finalizer join the cause by `Then`.
 * **Cancellation.** The finalizer is shielded, as that of {@link ensuring}; then the cancellation goes on.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const lines: Array<string> = []
 * const query = (ms: number) =>
 *   pipe(Effect.sleep(ms), Effect.onCancel(Effect.sync(() => { lines.push(`query of ${ms} ms withdrawn`) })))
 *
 * TestRuntime.runExit(pipe(query(5), Timeout.moveOnAfter(10)))
 * TestRuntime.runExit(pipe(query(50), Timeout.moveOnAfter(10)))
 * assert.deepEqual(lines, ['query of 50 ms withdrawn'])
 *
 * @category finalizers
 * @since 0.1.0
 */
export const onCancel =
  <R2, E2>(finalizer: Effect<R2, E2, unknown>) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R & R2, E | E2, A> =>
    new Instruction(11 /* Framed */, fx, finalizer, finalizers.onCancel)

/**
 * Acquires, uses, and releases exactly once, whatever ended the use; `release` is given how. Where more than
 * one thing is acquired, or where it is returned to others, `Resource` composes better.
 *
 * **Errors.** Those of all three. A failure of `release` joins the cause by `Then`; if `acquire` fails
 * nothing is released.
 * **Cancellation.** `acquire` can be cancelled while it waits, and then has acquired nothing. Between its
 * value and `use` there is no checkpoint, so nothing is lost. `release` is shielded.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const log = (line: string) => Effect.sync(() => { lines.push(line) })
 *
 * const program = Effect.bracket(
 *   Effect.as('file')(log('open')),
 *   () => Effect.fail('unreadable'),
 *   (file, exit) => log(`close ${file} after a ${exit._tag === 'Left' ? 'failure' : 'value'}`)
 * )
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail('unreadable'))
 * assert.deepEqual(lines, ['open', 'close file after a failure'])
 *
 * @category finalizers
 * @since 0.1.0
 */
export const bracket = <R, E, A, R2, E2, B, R3, E3>(
  acquire: Effect<R, E, A>,
  use: (a: A) => Effect<R2, E2, B>,
  release: (a: A, exit: Exit<E2, B>) => Effect<R3, E3, unknown>
): Effect<R & R2 & R3, E | E2 | E3, B> =>
  typed(finalizers.bracket(untyped(acquire), use as Untyped, release as Untyped))

// -------------------------------------------------------------------------------------
// time and checkpoints
// -------------------------------------------------------------------------------------

/**
 * Lets the other fibers run, then looks whether this one is cancelled. For long computations, which are
 * otherwise never cancelled: between two operations that may wait a fiber is not.
 *
 * **Cancellation.** Seen after the others have run; nothing else happened.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { CancelScope, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * let turns = 0
 * const program = CancelScope.open((scope) =>
 *   Effect.gen(function* () {
 *     for (;;) {
 *       yield* Effect.checkpoint
 *       turns++
 *       if (turns === 3) yield* scope.cancel('enough')
 *     }
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 * assert.equal(turns, 3)
 *
 * @category time and checkpoints
 * @since 0.1.0
 */
export const checkpoint: Effect<unknown, never, void> = /*#__PURE__*/ typed(primitives.checkpoint)

/**
 * Looks whether this fiber is cancelled, without letting the others run. Cheap enough for a tight loop;
 * `checkpoint` is fairer to the others.
 *
 * **Cancellation.** Seen at once; nothing else happened.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { CancelScope, Effect, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const log = (line: string) => Effect.sync(() => { lines.push(line) })
 *
 * const program = CancelScope.open((scope) =>
 *   pipe(
 *     scope.cancel(),
 *     Effect.andThen(log('cancelled, but at no checkpoint yet')),
 *     Effect.andThen(Effect.checkCancelled),
 *     Effect.andThen(log('never reached'))
 *   )
 * )
 * Runtime.runSync(program)
 * assert.deepEqual(lines, ['cancelled, but at no checkpoint yet'])
 *
 * @category time and checkpoints
 * @since 0.1.0
 */
export const checkCancelled: Effect<unknown, never, void> = /*#__PURE__*/ typed(primitives.checkCancelled)

/**
 * Lets the other fibers that are ready run. It is no point of cancellation; where it should be one use
 * `checkpoint`. The interpreter yields by itself after a number of steps, so this is about order, not about
 * fairness.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime, TaskGroup } from 'millrace'
 *
 * const lines: Array<string> = []
 * const log = (line: string) => Effect.sync(() => { lines.push(line) })
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     yield* group.spawn(log('task'))
 *     yield* log('spawned')
 *     yield* Effect.yieldNow
 *     yield* log('after the task')
 *   })
 * )
 * await Runtime.runPromise(program)
 * assert.deepEqual(lines, ['spawned', 'task', 'after the task'])
 *
 * @category time and checkpoints
 * @since 0.1.0
 */
export const yieldNow: Effect<unknown, never, void> = /*#__PURE__*/ typed(primitives.yieldNow)

/**
 * Waits for `ms` milliseconds of the run's clock. `Infinity` waits for ever; a time that is not positive is a
 * `checkpoint`. For a timeout use `Timeout`, not a race against a sleep.
 *
 * **Errors.** `NaN` is a defect.
 * **Cancellation.** Ends the wait, and no timer is left.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const before = yield* Effect.currentTime
 *   yield* Effect.sleep(500)
 *   return (yield* Effect.currentTime) - before
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(500))
 *
 * @category time and checkpoints
 * @since 0.1.0
 */
export const sleep = (ms: number): Effect<unknown, never, void> =>
  typed(primitives.primitive(primitives.sleepPrimitive, ms))

/**
 * Waits until a time of the run's clock, as `currentTime` gives it: for steps at fixed times, which a
 * sequence of `sleep` would drift from. A time that has come is a `checkpoint`.
 *
 * **Errors.** `NaN` is a defect.
 * **Cancellation.** Ends the wait, and no timer is left.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const start = yield* Effect.currentTime
 *   for (let n = 1; n <= 3; n++) {
 *     yield* Effect.sleep(30) // the work of one turn
 *     yield* Effect.sleepUntil(start + n * 100)
 *   }
 *   return (yield* Effect.currentTime) - start
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(300))
 *
 * @category time and checkpoints
 * @since 0.1.0
 */
export const sleepUntil = (time: number): Effect<unknown, never, void> =>
  typed(primitives.primitive(primitives.sleepUntilPrimitive, time))

/**
 * The time of the run's clock, in ms. The scale is monotonic and starts anywhere, so only differences mean
 * something; for the date take `Date` in a `sync`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const timed = <R, E, A>(fx: Effect.Effect<R, E, A>) =>
 *   Effect.gen(function* () {
 *     const before = yield* Effect.currentTime
 *     const value = yield* fx
 *     return { value, ms: (yield* Effect.currentTime) - before }
 *   })
 * const program = timed(Effect.as('done')(Effect.sleep(250)))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ value: 'done', ms: 250 }))
 *
 * @category time and checkpoints
 * @since 0.1.0
 */
export const currentTime: Effect<unknown, never, number> = /*#__PURE__*/ typed(primitives.currentTime)

// -------------------------------------------------------------------------------------
// loops
// -------------------------------------------------------------------------------------

/**
 * Runs the effect again and again, until it fails or is cancelled.
 *
 * **Cancellation.** Also seen between two turns, so a body that never waits can be cancelled too; the turn
 * before is complete.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * let ticks = 0
 * const tick = pipe(Effect.sleep(10), Effect.andThen(Effect.sync(() => { ticks++ })))
 *
 * TestRuntime.runExit(pipe(Effect.forever(tick), Timeout.moveOnAfter(35)))
 * assert.equal(ticks, 3)
 *
 * @category loops
 * @since 0.1.0
 */
export const forever = <R, E>(fx: Effect<R, E, unknown>): Effect<R, E, never> => {
  const turn: Effect<R, E, never> = flatMap(() => again)(fx)
  const again: Effect<R, E, never> = flatMap(() => turn)(checkCancelled)
  return turn
}

/**
 * Runs the effect `n` times, and drops its values. To collect values use `traverseArray`; for delays between
 * the turns `repeat`.
 *
 * **Errors.** The first failure ends it. `NaN` is a defect.
 * **Cancellation.** Also seen between two turns.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * let turns = 0
 * Runtime.runSync(pipe(Effect.sync(() => { turns++ }), Effect.repeatN(3)))
 * assert.equal(turns, 3)
 *
 * @category loops
 * @since 0.1.0
 */
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

/**
 * Runs the effect as long as the condition, which is asked before each turn, gives `true`.
 *
 * **Cancellation.** Also seen between two turns.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const queue = ['a', 'b', 'c']
 * const taken: Array<string | undefined> = []
 * const takeAll = pipe(
 *   Effect.sync(() => { taken.push(queue.shift()) }),
 *   Effect.whilst(Effect.sync(() => queue.length > 0))
 * )
 * Runtime.runSync(takeAll)
 * assert.deepEqual(taken, ['a', 'b', 'c'])
 *
 * @category loops
 * @since 0.1.0
 */
export const whilst =
  <R2, E2>(condition: Effect<R2, E2, boolean>) =>
  <R, E>(body: Effect<R, E, unknown>): Effect<R & R2, E | E2, void> => {
    const turn: Effect<R & R2, E | E2, void> = flatMap((goOn: boolean): Effect<R & R2, E | E2, void> =>
      goOn ? flatMap(() => again)(body) : unit
    )(condition)
    const again: Effect<R & R2, E | E2, void> = flatMap(() => turn)(checkCancelled)
    return turn
  }

/**
 * What a policy is asked with. The same record as that of `retry-ts`.
 *
 * @category loops
 * @since 0.1.0
 */
export interface RetryStatus {
  /** Turns that have been run again so far. */
  readonly iterNumber: number
  /** Ms of delay so far. */
  readonly cumulativeDelay: number
  /** Ms of the delay before this one. */
  readonly previousDelay: Option<number>
}

/**
 * Gives the delay in ms before the next turn, or `None` to stop. The same type as that of `retry-ts`, so the
 * policies and the monoid of that package can be used here; a policy is also quickly written as a function.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as O from 'fp-ts/lib/Option.js'
 * import { Effect } from 'millrace'
 *
 * const threeTimes: Effect.RetryPolicy = ({ iterNumber }) => (iterNumber < 3 ? O.some(100) : O.none)
 *
 * assert.deepEqual(threeTimes({ iterNumber: 3, cumulativeDelay: 300, previousDelay: O.some(100) }), O.none)
 *
 * @category loops
 * @since 0.1.0
 */
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

/**
 * Runs the effect again after a typed failure, as long as the policy gives a delay and `when`, if it is
 * there, says that the failure is worth it. A cause with a defect or a cancellation is never tried again:
 * neither goes away by that.
 *
 * **Errors.** Those of the last turn; the failures of the turns before it are dropped. To keep them use
 * `tapError` inside.
 * **Cancellation.** Also seen between two turns, and ends a delay.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { exponentialBackoff, limitRetries, Monoid } from 'retry-ts'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * let attempts = 0
 * const connect = Effect.suspend(() =>
 *   ++attempts < 3 ? Effect.fail('refused') : Effect.succeed('connected')
 * )
 *
 * // At most 5 more attempts, after 50 ms, 100 ms, 200 ms …
 * const policy = Monoid.concat(exponentialBackoff(50), limitRetries(5))
 *
 * assert.deepEqual(TestRuntime.runExit(pipe(connect, Effect.retry(policy))), Exit.succeed('connected'))
 * assert.equal(attempts, 3)
 *
 * @category loops
 * @since 0.1.0
 */
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
  return split === null || split.rest !== null ? null : { first: split.first }
}

/**
 * Runs the effect again after each value, as long as the policy gives a delay, and gives the last value. The
 * first turn is not asked for: a policy that stops at once makes one turn. For an endless loop without a
 * delay use `forever`.
 *
 * **Errors.** The first failure ends it.
 * **Cancellation.** Also seen between two turns, and ends a delay.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as O from 'fp-ts/lib/Option.js'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * let polls = 0
 * const poll = Effect.sync(() => ++polls)
 * const twiceMore: Effect.RetryPolicy = ({ iterNumber }) => (iterNumber < 2 ? O.some(1000) : O.none)
 *
 * assert.deepEqual(TestRuntime.runExit(pipe(poll, Effect.repeat(twiceMore))), Exit.succeed(3))
 *
 * @category loops
 * @since 0.1.0
 */
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

/**
 * `f` for each item, one after the other; the values as an array. Side by side it is `Concurrent.traverse`,
 * and without the values `forEach`.
 *
 * **Errors.** The first failure ends it; the items after it are not visited.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const half = (n: number) => (n % 2 === 0 ? Effect.succeed(n / 2) : Effect.fail(`${n} is odd`))
 *
 * assert.deepEqual(Runtime.runSync(pipe([2, 4], Effect.traverseArray(half))), [1, 2])
 * assert.deepEqual(Runtime.runSyncExit(pipe([2, 3, 5], Effect.traverseArray(half))), Exit.fail('3 is odd'))
 *
 * @category collections
 * @since 0.1.0
 */
export const traverseArray =
  <A, F extends Any>(f: (a: A) => F) =>
  (as: ReadonlyArray<A>): Effect<EnvOf<F>, ErrorOf<F>, ReadonlyArray<ValueOf<F>>> =>
    typed(generators.traverse(as, f as Untyped))

/**
 * Runs the effects one after the other; the values as an array. For a tuple, whose types are kept one by one,
 * use `tuple`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * assert.deepEqual(Runtime.runSync(Effect.sequenceArray([Effect.succeed(1), Effect.succeed(2)])), [1, 2])
 *
 * @category collections
 * @since 0.1.0
 */
export const sequenceArray: <F extends Any>(
  fxs: ReadonlyArray<F>
) => Effect<EnvOf<F>, ErrorOf<F>, ReadonlyArray<ValueOf<F>>> = /*#__PURE__*/ traverseArray(identity)

/**
 * `f` for each item, one after the other, without the values. The items are taken one by one as they are
 * needed, so an endless iterable is fine, and one that is left early is closed. Side by side it is
 * `Concurrent.forEach`.
 *
 * **Errors.** The first failure ends it; no further item is taken.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * function* naturals() {
 *   for (let n = 1; ; n++) yield n
 * }
 * const program = pipe(
 *   naturals(),
 *   Effect.forEach((n) => (n * n > 50 ? Effect.fail(n) : Effect.unit))
 * )
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail(8))
 *
 * @category collections
 * @since 0.1.0
 */
export const forEach =
  <A, F extends Any>(f: (a: A) => F) =>
  (as: Iterable<A>): Effect<EnvOf<F>, ErrorOf<F>, void> =>
    typed(generators.forEach(as, f as Untyped))

/**
 * Runs the effects of a record one after the other, in the order of its keys; the values as a record. Side by
 * side it is `Concurrent.all`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * const program = Effect.struct({ id: Effect.succeed(1), name: Effect.succeed('Ada') })
 * assert.deepEqual(Runtime.runSync(program), { id: 1, name: 'Ada' })
 *
 * @category collections
 * @since 0.1.0
 */
export const struct = <T extends { readonly [key: string]: Any }>(
  fields: T
): Effect<EnvOf<T[keyof T]>, ErrorOf<T[keyof T]>, { readonly [K in keyof T]: ValueOf<T[K]> }> => {
  const keys = Object.keys(fields)
  return new Instruction(
    5 /* Map */,
    sequenceArray(keys.map((key) => fields[key] as Any)),
    (values: Array<unknown>) => Object.fromEntries(keys.map((key, i) => [key, values[i]])),
    undefined
  )
}

/**
 * Runs the effects of a tuple one after the other; the values as a tuple. Side by side it is
 * `Concurrent.all`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * const [id, name] = Runtime.runSync(Effect.tuple([Effect.succeed(1), Effect.succeed('Ada')]))
 * assert.equal(`${name} has number ${id.toFixed()}`, 'Ada has number 1')
 *
 * @category collections
 * @since 0.1.0
 */
export const tuple = <T extends ReadonlyArray<Any>>(
  items: readonly [...T]
): Effect<EnvOf<T[number]>, ErrorOf<T[number]>, { readonly [K in keyof T]: ValueOf<T[K]> }> =>
  typed(untyped(sequenceArray(items)))

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * The name of `Effect` among the type constructors of fp-ts: as a value in instances, as a type in `Kind3`.
 *
 * @category instances
 * @since 0.1.0
 */
export const URI = 'millrace/Effect'

/**
 * The name of `Effect` as a type, for `Kind3`.
 *
 * @category instances
 * @since 0.1.0
 */
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
  const open = (fiber: Fiber): All => new All(fiber, 'ApplicativePar', Infinity, (i) => arms[i] ?? null, null)
  const both = new Op(op.Parallel, open, undefined, undefined)
  return new Instruction(5 /* Map */, both, applyFirst, undefined)
}
const applyFirst = ([f, a]: Array<Untyped>): Untyped => f(a)

/**
 * `map`, for what is written for any functor.
 *
 * @category instances
 * @since 0.1.0
 */
export const Functor: Functor3<URI> = { URI, map: map_ }

/**
 * `of`, for what is written for any pointed functor.
 *
 * @category instances
 * @since 0.1.0
 */
export const Pointed: Pointed3<URI> = { URI, of }

/**
 * One after the other.
 *
 * @category instances
 * @since 0.1.0
 */
export const ApplySeq: Apply3<URI> = { URI, map: map_, ap: ap_ }

/**
 * Side by side; the first failure cancels the other.
 *
 * @category instances
 * @since 0.1.0
 */
export const ApplyPar: Apply3<URI> = { URI, map: map_, ap: apPar_ }

/**
 * One after the other: for `traverse` and `sequence` of fp-ts. For arrays `traverseArray` is shorter and
 * faster.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as O from 'fp-ts/lib/Option.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const program = pipe(
 *   O.some(3),
 *   O.traverse(Effect.ApplicativeSeq)((n) => Effect.succeed(n + 1))
 * )
 * assert.deepEqual(Runtime.runSync(program), O.some(4))
 *
 * @category instances
 * @since 0.1.0
 */
export const ApplicativeSeq: Applicative3<URI> = { URI, map: map_, ap: ap_, of }

/**
 * Side by side, all at once; the first failure cancels the rest. With a bound on how many run it is
 * `Concurrent.getApplicativePar`; for arrays and records `Concurrent.traverse` and `Concurrent.all` are
 * shorter and faster.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as R from 'fp-ts/lib/ReadonlyRecord.js'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const before = yield* Effect.currentTime
 *   const traverse = R.traverse(Effect.ApplicativePar)
 *   yield* pipe({ a: 10, b: 30, c: 20 }, traverse(Effect.sleep))
 *   return (yield* Effect.currentTime) - before
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(30))
 *
 * @category instances
 * @since 0.1.0
 */
export const ApplicativePar: Applicative3<URI> = { URI, map: map_, ap: apPar_, of }

/**
 * `flatMap`, for what is written for any chain. Its types do not widen: both effects have the same `R` and
 * `E`.
 *
 * @category instances
 * @since 0.1.0
 */
export const Chain: Chain3<URI> = { URI, map: map_, ap: ap_, chain: chain_ }

/**
 * `flatMap` and `of`, for what is written for any monad. Its `ap` is the sequential one, as the laws ask for.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as RA from 'fp-ts/lib/ReadonlyArray.js'
 * import { reduceM } from 'fp-ts/lib/Foldable.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const sum = reduceM(Effect.Monad, RA.Foldable)(0, (acc: number, n: number) => Effect.succeed(acc + n))
 * assert.equal(Runtime.runSync(sum([1, 2, 3])), 6)
 *
 * @category instances
 * @since 0.1.0
 */
export const Monad: Monad3<URI> = { URI, map: map_, ap: ap_, of, chain: chain_ }

/**
 * The monad, and `fromIO`.
 *
 * @category instances
 * @since 0.1.0
 */
export const MonadIO: MonadIO3<URI> = { URI, map: map_, ap: ap_, of, chain: chain_, fromIO }

/**
 * The monad, and `fromTask`.
 *
 * @category instances
 * @since 0.1.0
 */
export const MonadTask: MonadTask3<URI> = {
  URI,
  map: map_,
  ap: ap_,
  of,
  chain: chain_,
  fromIO,
  fromTask: (fa) => fromTask(fa)
}

/**
 * The monad, and `throwError`, which is `fail`: for libraries that are written for any monad with failures.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import type { Kind3, URIS3 } from 'fp-ts/HKT'
 * import type { MonadThrow3 } from 'fp-ts/lib/MonadThrow.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const positive =
 *   <F extends URIS3>(M: MonadThrow3<F>) =>
 *   (n: number): Kind3<F, unknown, string, number> =>
 *     n > 0 ? M.of(n) : M.throwError(`${n} is not positive`)
 *
 * const program = positive(Effect.MonadThrow)(-1)
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail('-1 is not positive'))
 *
 * @category instances
 * @since 0.1.0
 */
export const MonadThrow: MonadThrow3<URI> = {
  URI,
  map: map_,
  ap: ap_,
  of,
  chain: chain_,
  throwError: (e) => new Instruction(3 /* Raise */, op.Fail, e, undefined)
}

/**
 * `fromEither`, for the helpers of fp-ts's `FromEither` module.
 *
 * @category instances
 * @since 0.1.0
 */
export const FromEither: FromEither3<URI> = { URI, fromEither }

/**
 * `fromIO`, for the helpers of fp-ts's `FromIO` module.
 *
 * @category instances
 * @since 0.1.0
 */
export const FromIO: FromIO3<URI> = { URI, fromIO }

/**
 * `fromTask`, for the helpers of fp-ts's `FromTask` module.
 *
 * @category instances
 * @since 0.1.0
 */
export const FromTask: FromTask3<URI> = { URI, fromIO, fromTask: (fa) => fromTask(fa) }

/**
 * `fromReader`, for the helpers of fp-ts's `FromReader` module.
 *
 * @category instances
 * @since 0.1.0
 */
export const FromReader: FromReader3<URI> = { URI, fromReader }

/**
 * The second effect where the first one fails; defects and cancellations pass. `Concurrent.firstSuccess`
 * tries side by side.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { altAll } from 'fp-ts/lib/Alt.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const first = altAll(Effect.Alt)(Effect.fail('cache') as Effect.Effect<unknown, string, number>)
 * assert.equal(Runtime.runSync(first([Effect.fail('disk'), Effect.succeed(42)])), 42)
 *
 * @category instances
 * @since 0.1.0
 */
export const Alt: Alt3<URI> = { URI, map: map_, alt: (fa, that) => orElse(() => that())(fa) }

/**
 * `bimap` and `mapError`, for what is written for any bifunctor.
 *
 * @category instances
 * @since 0.1.0
 */
export const Bifunctor: Bifunctor3<URI> = {
  URI,
  bimap: (fea, f, g) => bimap(f, g)(fea),
  mapLeft: (fea, f) => mapError(f)(fea)
}

/**
 * Runs both, one after the other, and joins their values.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as N from 'fp-ts/lib/number.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const { concat } = Effect.getSemigroup<unknown, never, number>(N.SemigroupSum)
 * assert.equal(Runtime.runSync(concat(Effect.succeed(1), Effect.succeed(2))), 3)
 *
 * @category instances
 * @since 0.1.0
 */
export const getSemigroup = <R, E, A>(S: Semigroup<A>): Semigroup<Effect<R, E, A>> => ({
  concat: (x, y) => flatMap((a: A) => map((b: A) => S.concat(a, b))(y))(x)
})

/**
 * Runs one after the other and joins the values; the empty one gives the empty value.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { concatAll } from 'fp-ts/lib/Monoid.js'
 * import * as S from 'fp-ts/lib/string.js'
 * import { Effect, Runtime } from 'millrace'
 *
 * const joinAll = concatAll(Effect.getMonoid<unknown, never, string>(S.Monoid))
 * assert.equal(Runtime.runSync(joinAll([Effect.succeed('mill'), Effect.succeed('race')])), 'millrace')
 *
 * @category instances
 * @since 0.1.0
 */
export const getMonoid = <R, E, A>(M: Monoid<A>): Monoid<Effect<R, E, A>> => ({
  ...getSemigroup<R, E, A>(M),
  empty: succeed(M.empty)
})
