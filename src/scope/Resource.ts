/**
 * `Resource<R, E, A>`: a value that knows how to acquire and release itself; the monad of brackets.
 *
 * Resources compose: what is acquired last is released first, whatever ends the use. `use` says how long one lives; an
 * effect cannot touch it otherwise. A service layer is a resource of a record of services, see {@link provide}.
 *
 * @since 0.1.0
 */
import type { Applicative3 } from 'fp-ts/lib/Applicative.js'
import type { Apply3 } from 'fp-ts/lib/Apply.js'
import type { Chain3 } from 'fp-ts/lib/Chain.js'
import type { Functor3 } from 'fp-ts/lib/Functor.js'
import type { Monad3 } from 'fp-ts/lib/Monad.js'
import type { Pointed3 } from 'fp-ts/lib/Pointed.js'
import * as Effect from '../effect/Effect.js'
import type { Accepts, Without } from '../effect/Effect.js'
import * as Exit from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'
import { runPromise, type RunOptions } from '../effect/Runtime.js'
import { sideBySide } from './internal/sideBySide.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

declare const ResourceTypeId: unique symbol
declare const writeYieldStar: unique symbol

/**
 * A description of something with a lifetime. Building one acquires nothing.
 *
 * @category model
 * @since 0.1.0
 */
export interface Resource<in R, out E, out A> {
  readonly [ResourceTypeId]: {
    readonly R: (env: R) => void
    readonly E: () => E
    readonly A: () => A
  }
  /** For `yield*` in `Resource.gen`; in `Effect.gen` it does not compile: say with `use` how long it lives. */
  [Symbol.iterator](): Iterator<Step<R, E>, A, unknown>
}

/**
 * What `yield*` of a resource gives to `Resource.gen`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Step<in R, out E> {
  readonly [writeYieldStar]: { readonly resource: true; readonly R: (env: R) => void; readonly E: () => E }
}

/**
 * Any resource; a constraint only.
 *
 * @category model
 * @since 0.1.0
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Any = Resource<any, any, any>

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type AnyStep = Step<any, any>
type StepEnv<Y> = [Y] extends [never] ? unknown : [Y] extends [Step<infer R, infer _E>] ? R : never
type StepError<Y> = [Y] extends [never] ? never : [Y] extends [Step<infer _R, infer E>] ? E : never
type EnvOf<T> = [T] extends [never]
  ? unknown
  : [T] extends [Resource<infer R, infer _E, infer _A>]
    ? R
    : never
type ErrorOf<T> = [T] extends [never]
  ? never
  : [T] extends [Resource<infer _R, infer E, infer _A>]
    ? E
    : never
type ValueOf<T> = [T] extends [never]
  ? never
  : [T] extends [Resource<infer _R, infer _E, infer A>]
    ? A
    : never

/** Where this module composes effects whose types it has lost. */
type AnyEffect = Effect.Effect<object, unknown, unknown>

/** Inside, a resource is the function that brackets a use. Its types are attached by the signatures below. */
type Use = (a: never) => Effect.Any

class Bracketed {
  readonly run: (use: Use) => Effect.Any

  constructor(run: (use: Use) => Effect.Any) {
    this.run = run
  }

  *[Symbol.iterator](): Generator<this, unknown, unknown> {
    return yield this
  }
}

const typed = <R, E, A>(run: (use: Use) => Effect.Any): Resource<R, E, A> =>
  new Bracketed(run) as unknown as Resource<R, E, A>
const untyped = (resource: Any): Bracketed => resource as unknown as Bracketed

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * From an effect that acquires and one that releases, which is given how the use ended.
 *
 * **Errors.** The failures of both; those of `release` join the cause with `Then`.
 * **Cancellation.** `acquire` can be cancelled while it waits; when it has a value, `release` will run, exactly once,
 * shielded. So an acquire of several steps is better composed from several resources.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const log = (line: string) => Effect.sync(() => lines.push(line))
 * const file = Resource.make(Effect.as('file')(log('open')), () => log('close'))
 *
 * Runtime.runSync(pipe(file, Resource.use((name) => log(`read ${name}`))))
 * assert.deepEqual(lines, ['open', 'read file', 'close'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <R, E, A, R2, E2>(
  acquire: Effect.Effect<R, E, A>,
  release: (a: A, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<R2, E2, unknown>
): Resource<R & R2, E | E2, A> => fromUse((use) => Effect.bracket(acquire, use, release))

/**
 * From a function that brackets `use` itself: the way to a resource that owns scopes, groups and background tasks. `run`
 * calls `use` once at most, and must not end before that has ended.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // A counter that a background task moves as long as somebody uses it.
 * const ticks = Resource.fromUse<unknown, never, { count: number }>((use) =>
 *   TaskGroup.open()((group) =>
 *     Effect.gen(function* () {
 *       const counter = { count: 0 }
 *       const tick = Effect.sync(() => { counter.count++ })
 *       yield* group.spawn(Effect.forever(Effect.andThen(tick)(Effect.sleep(10))), { service: true })
 *       return yield* use(counter)
 *     })
 *   )
 * )
 *
 * const program = pipe(ticks, Resource.use((counter) => Effect.map(() => counter.count)(Effect.sleep(35))))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(3))
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromUse = <R, E, A>(
  run: <R2, E2, B>(use: (a: A) => Effect.Effect<R2, E2, B>) => Effect.Effect<R & R2, E | E2, B>
): Resource<R, E, A> => typed(run as (use: Use) => Effect.Any)

/**
 * A value that needs neither acquire nor release: for the branch of a composition in which nothing has to be
 * opened.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * assert.equal(Runtime.runSync(pipe(Resource.of(42), Resource.use(Effect.succeed))), 42)
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = <A>(a: A): Resource<unknown, never, A> => fromUse((use) => use(a))

/**
 * The value of an effect, which needs no release: configuration that is read, a service that is made of
 * others.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const config = Resource.fromEffect(Effect.sync(() => ({ url: 'memory:' })))
 * const program = pipe(
 *   Effect.asks((env: { readonly url: string }) => env.url),
 *   Resource.provide(config)
 * )
 * assert.equal(Runtime.runSync(program), 'memory:')
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromEffect = <R, E, A>(fx: Effect.Effect<R, E, A>): Resource<R, E, A> =>
  fromUse((use) => Effect.flatMap(use)(fx))

/**
 * What has a `close`, closed at the end.
 *
 * **Cancellation.** As of {@link make}: once there is a value, its `close` runs.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const connect = Effect.sync(() => ({ name: 'c1', close: Effect.sync(() => { lines.push('closed c1') }) }))
 *
 * const program = pipe(
 *   Resource.closing(connect),
 *   Resource.use(({ name }) => Effect.fail(`${name} is broken`))
 * )
 * assert.deepEqual(Runtime.runSyncExit(program), Exit.fail('c1 is broken'))
 * assert.deepEqual(lines, ['closed c1'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const closing = <R, E, A extends { readonly close: Effect.Effect<unknown, never, void> }>(
  fx: Effect.Effect<R, E, A>
): Resource<R, E, A> => make(fx, (a) => a.close)

/**
 * What has an `asyncDispose`, disposed of at the end, and that is awaited.
 *
 * **Errors.** Those of `fx`. A rejection of the disposal is a defect, which joins the cause.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const open = Effect.sync(() => ({
 *   read: () => 'text',
 *   [Symbol.asyncDispose]: () => Promise.resolve(lines.push('disposed')).then(() => undefined)
 * }))
 *
 * const program = pipe(Resource.fromAsyncDisposable(open), Resource.use((file) => Effect.sync(file.read)))
 * assert.equal(await Runtime.runPromise(program), 'text')
 * assert.deepEqual(lines, ['disposed'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromAsyncDisposable = <R, E, A extends AsyncDisposable>(
  fx: Effect.Effect<R, E, A>
): Resource<R, E, A> =>
  make(fx, (a) => LowLevel.awaitPromise(async () => a[Symbol.asyncDispose](), { label: 'asyncDispose' }))

/**
 * Acquires a resource for code outside of effects: `await using held = await Resource.toAsyncDisposable(resource)`. It is
 * released when the result is disposed of, and the promise of that rejects as `Runtime.runPromise` does when the release
 * failed. The promise of this function rejects when the resource cannot be acquired.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Resource } from 'millrace'
 *
 * const lines: Array<string> = []
 * const file = Resource.make(Effect.succeed('file'), () => Effect.sync(() => lines.push('closed')))
 * const held = await Resource.toAsyncDisposable(file)
 * assert.equal(held.value, 'file')
 * await held[Symbol.asyncDispose]()
 * assert.deepEqual(lines, ['closed'])
 *
 * @category conversions
 * @since 0.1.0
 */
export const toAsyncDisposable = <E, A>(
  resource: Resource<{}, E, A>,
  options?: RunOptions
): Promise<AsyncDisposable & { readonly value: A }> =>
  new Promise((resolve, reject) => {
    const hold = (value: A): Effect.Effect<unknown, never, void> =>
      LowLevel.park('Resource.toAsyncDisposable', (resume) => {
        resolve({
          value,
          [Symbol.asyncDispose]: () => {
            resume(Exit.succeed(undefined))
            return ended
          }
        })
        return () => true
      })
    const ended = runPromise(use(hold)(resource), options)
    // Before it is acquired this rejects; afterwards whoever disposes of it is told.
    ended.catch(reject)
  })

/**
 * Resources one after the other, as a generator: each `yield*` acquires one, and all are released at the end, the last one
 * first.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const named = (name: string) =>
 *   Resource.make(Effect.sync(() => name), () => Effect.sync(() => lines.push(`close ${name}`)))
 * const both = Resource.gen(function* () {
 *   return [yield* named('a'), yield* named('b')]
 * })
 *
 * assert.deepEqual(Runtime.runSync(pipe(both, Resource.use(Effect.succeed))), ['a', 'b'])
 * assert.deepEqual(lines, ['close b', 'close a'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const gen = <Y extends AnyStep, A>(
  body: () => Generator<Y, A, never>
): Resource<StepEnv<Y>, StepError<Y>, A> =>
  typed((use) =>
    Effect.suspend(() => {
      const iterator = body() as Generator<unknown, unknown, unknown>
      const step = (sent: unknown): Effect.Any => {
        const result = iterator.next(sent)
        if (result.done === true) return use(result.value as never)
        if (!(result.value instanceof Bracketed)) {
          return Effect.die(
            new TypeError('In Resource.gen every resource is yielded with a star: yield* resource.')
          )
        }
        return result.value.run(step)
      }
      // Left early, its finally blocks still run.
      return Effect.ensuring(Effect.sync(() => void iterator.return(undefined)))(
        Effect.suspend(() => step(undefined))
      )
    })
  )

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Another value of the same lifetime.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const port = pipe(
 *   Resource.of({ host: 'localhost', port: 8080 }),
 *   Resource.map((address) => address.port)
 * )
 * assert.equal(Runtime.runSync(pipe(port, Resource.use(Effect.succeed))), 8080)
 *
 * @category combinators
 * @since 0.1.0
 */
export const map =
  <A, B>(f: (a: A) => B) =>
  <R, E>(resource: Resource<R, E, A>): Resource<R, E, B> =>
    typed((use) => untyped(resource).run((a: A) => use(f(a) as never)))

/**
 * A resource that needs the value of another, and is released before it. With more than two in a row `gen`
 * reads better; two that do not need each other can be acquired side by side with `par`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const log = (line: string) => Effect.sync(() => { lines.push(line) })
 * const opened = (name: string) =>
 *   Resource.make(Effect.as(name)(log(`open ${name}`)), () => log(`close ${name}`))
 *
 * const statement = pipe(
 *   opened('connection'),
 *   Resource.flatMap((connection) => opened(`statement of ${connection}`))
 * )
 * Runtime.runSync(pipe(statement, Resource.use(() => log('query'))))
 * assert.deepEqual(lines, [
 *   'open connection',
 *   'open statement of connection',
 *   'query',
 *   'close statement of connection',
 *   'close connection'
 * ])
 *
 * @category combinators
 * @since 0.1.0
 */
export const flatMap =
  <A, F extends Any>(f: (a: A) => F) =>
  <R, E>(resource: Resource<R, E, A>): Resource<R & EnvOf<F>, E | ErrorOf<F>, ValueOf<F>> =>
    typed((use) => untyped(resource).run((a: A) => untyped(f(a)).run(use)))

/**
 * The function of one resource applied to the value of another; one after the other, released in reverse.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const label = pipe(
 *   Resource.of((host: string) => (port: number) => `${host}:${port}`),
 *   Resource.ap(Resource.of('localhost')),
 *   Resource.ap(Resource.of(8080))
 * )
 * assert.equal(Runtime.runSync(pipe(label, Resource.use(Effect.succeed))), 'localhost:8080')
 *
 * @category combinators
 * @since 0.1.0
 */
export const ap =
  <R2, E2, A>(fa: Resource<R2, E2, A>) =>
  <R, E, B>(fab: Resource<R, E, (a: A) => B>): Resource<R & R2, E | E2, B> =>
    flatMap((f: (a: A) => B) => map(f)(fa))(fab)

/**
 * Acquires and releases two resources side by side. When one cannot be acquired, the acquire of the other is
 * cancelled, or what it got is released. Both releases are awaited.
 *
 * **Errors.** All failures of both, joined.
 * **Cancellation.** Of the use: it has ended before either side is released. Of a side, such as by a failure
 * in its background: the use is cancelled, and then both are released.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const slow = (name: string) => Resource.make(Effect.as(name)(Effect.sleep(100)), () => Effect.sleep(100))
 * const program = Effect.gen(function* () {
 *   const before = yield* Effect.currentTime
 *   const names = yield* pipe(slow('a'), Resource.par(slow('b')), Resource.use(Effect.succeed))
 *   return [names, (yield* Effect.currentTime) - before]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([['a', 'b'], 200]))
 *
 * @category combinators
 * @since 0.1.0
 */
export const par =
  <R2, E2, B>(that: Resource<R2, E2, B>) =>
  <R, E, A>(resource: Resource<R, E, A>): Resource<R & R2, E | E2, readonly [A, B]> =>
    typed((use) =>
      sideBySide(
        [untyped(resource).run, untyped(that).run],
        use as (values: ReadonlyArray<unknown>) => Effect.Any
      )
    )

// -------------------------------------------------------------------------------------
// do notation
// -------------------------------------------------------------------------------------

/**
 * The start of a pipeline that names its resources as it goes. `gen` does the same with ordinary variables.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const services = pipe(
 *   Resource.Do,
 *   Resource.bind('config', () => Resource.of({ url: 'memory:' })),
 *   Resource.bind('db', ({ config }) => Resource.of(`connection to ${config.url}`)),
 *   Resource.apS('cache', Resource.of(new Map<string, string>()))
 * )
 * const program = pipe(
 *   services,
 *   Resource.use(({ db, cache }) => Effect.succeed(`${db}, ${cache.size} cached`))
 * )
 * assert.equal(Runtime.runSync(program), 'connection to memory:, 0 cached')
 *
 * @category do notation
 * @since 0.1.0
 */
export const Do: Resource<unknown, never, {}> = /*#__PURE__*/ of({})

/**
 * Names the value, which then is the start of a `Do` pipeline.
 *
 * @category do notation
 * @since 0.1.0
 */
export const bindTo = <N extends string>(
  name: N
): (<R, E, A>(resource: Resource<R, E, A>) => Resource<R, E, { readonly [K in N]: A }>) =>
  map((a: unknown) => ({ [name]: a })) as never

/**
 * Acquires another resource, which may need what is there, and names its value. It is released before those
 * that it may need.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const released: Array<string> = []
 * const named = (name: string) =>
 *   Resource.make(Effect.succeed(name), () => Effect.sync(() => { released.push(name) }))
 *
 * const services = pipe(
 *   named('pool'),
 *   Resource.bindTo('pool'),
 *   Resource.bind('connection', ({ pool }) => named(`connection of ${pool}`))
 * )
 * Runtime.runSync(pipe(services, Resource.use(() => Effect.unit)))
 * assert.deepEqual(released, ['connection of pool', 'pool'])
 *
 * @category do notation
 * @since 0.1.0
 */
export const bind =
  <N extends string, A extends object, F extends Any>(name: Exclude<N, keyof A>, f: (a: A) => F) =>
  <R, E>(
    resource: Resource<R, E, A>
  ): Resource<
    R & EnvOf<F>,
    E | ErrorOf<F>,
    { readonly [K in keyof A | N]: K extends keyof A ? A[K] : ValueOf<F> }
  > =>
    flatMap((a: A) => map((b: unknown) => ({ ...a, [name]: b }))(f(a)))(resource) as never

/**
 * Acquires another resource that needs nothing of what is there, and names its value.
 *
 * @category do notation
 * @since 0.1.0
 */
export const apS = <N extends string, A extends object, R2, E2, B>(
  name: Exclude<N, keyof A>,
  that: Resource<R2, E2, B>
): (<R, E>(
  resource: Resource<R, E, A>
) => Resource<R & R2, E | E2, { readonly [K in keyof A | N]: K extends keyof A ? A[K] : B }>) =>
  bind(name, () => that)

// -------------------------------------------------------------------------------------
// use
// -------------------------------------------------------------------------------------

/**
 * Acquires the resource, runs `f` with its value, and releases it, whatever ended `f`. What is returned must
 * not hold on to the value: it is released by then.
 *
 * **Errors.** Those of acquire, `f` and release; a failure of the release joins the cause by `Then`.
 * **Cancellation.** The acquire and `f` can be cancelled; the release is shielded.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const lines: Array<string> = []
 * const lock = Resource.make(Effect.unit, () => Effect.sync(() => { lines.push('released') }))
 *
 * TestRuntime.runExit(pipe(lock, Resource.use(() => Effect.sleep(1000)), Timeout.moveOnAfter(10)))
 * assert.deepEqual(lines, ['released'])
 *
 * @category use
 * @since 0.1.0
 */
export const use =
  <A, R2, E2, B>(f: (a: A) => Effect.Effect<R2, E2, B>) =>
  <R, E>(resource: Resource<R, E, A>): Effect.Effect<R & R2, E | E2, B> =>
    // Suspended, so that a resource whose `run` throws is a defect of the run and not of whoever composes.
    Effect.suspend(() => untyped(resource).run(f)) as Effect.Effect<R & R2, E | E2, B>

/**
 * Builds services, gives them to an effect, and releases them after it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * interface HasGreeting { readonly greeting: string }
 * const live = Resource.make(Effect.succeed<HasGreeting>({ greeting: 'hello' }), () => Effect.unit)
 * const program = Effect.asks((env: HasGreeting) => env.greeting)
 *
 * assert.equal(Runtime.runSync(pipe(program, Resource.provide(live))), 'hello')
 *
 * @category use
 * @since 0.1.0
 */
export const provide =
  <R2, E2, P extends object>(resource: Resource<R2, E2, P>) =>
  <R extends Accepts<R, P>, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R2 & Without<R, P>, E | E2, A> =>
    use((services: P) => Effect.provide(services)(fx))(resource)

/**
 * As {@link provide}, for a resource that needs services of another. The services last as long as it does.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * interface HasUrl { readonly url: string }
 * interface HasDb { readonly db: string }
 *
 * const config = Resource.of<HasUrl>({ url: 'memory:' })
 * const db = Resource.fromEffect(Effect.asks(({ url }: HasUrl): HasDb => ({ db: `connection to ${url}` })))
 *
 * const live = pipe(db, Resource.provideTo(config))
 * const program = pipe(
 *   Effect.asks((env: HasDb) => env.db),
 *   Resource.provide(live)
 * )
 * assert.equal(Runtime.runSync(program), 'connection to memory:')
 *
 * @category use
 * @since 0.1.0
 */
export const provideTo =
  <R2, E2, P extends object>(services: Resource<R2, E2, P>) =>
  <R extends Accepts<R, P>, E, A>(resource: Resource<R, E, A>): Resource<R2 & Without<R, P>, E | E2, A> =>
    typed((inner) =>
      Effect.flatMap((outer: object) =>
        untyped(services).run((provided: P) => {
          // The use runs with the environment of the user; only the resource itself is given the services.
          const restored = (a: never): Effect.Any => Effect.local(() => outer)(inner(a) as AnyEffect)
          return Effect.provide(provided)(untyped(resource).run(restored) as AnyEffect)
        })
      )(Effect.ask<object>())
    )

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * The name of `Resource` among the type constructors of fp-ts: as a value in instances, as a type in `Kind3`.
 *
 * @category instances
 * @since 0.1.0
 */
export const URI = 'millrace/Resource'

/**
 * The name of `Resource` as a type, for `Kind3`.
 *
 * @category instances
 * @since 0.1.0
 */
export type URI = typeof URI

declare module 'fp-ts/HKT' {
  interface URItoKind3<R, E, A> {
    readonly 'millrace/Resource': Resource<R, E, A>
  }
}

const map_: Functor3<URI>['map'] = (fa, f) => map(f)(fa)
const ap_: Apply3<URI>['ap'] = (fab, fa) => ap(fa)(fab)
const chain_: Chain3<URI>['chain'] = (fa, f) => flatMap(f)(fa)
const apPar_: Apply3<URI>['ap'] = (fab, fa) =>
  map(([f, a]: readonly [never, never]) => (f as (a: never) => never)(a))(par(fa)(fab) as never)

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
export const Apply: Apply3<URI> = { URI, map: map_, ap: ap_ }

/**
 * One after the other, released in reverse.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as RA from 'fp-ts/lib/ReadonlyArray.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const named = (name: string) =>
 *   Resource.make(Effect.succeed(name), () => Effect.sync(() => { lines.push(name) }))
 *
 * const all = pipe(['a', 'b', 'c'], RA.traverse(Resource.Applicative)(named))
 * assert.deepEqual(Runtime.runSync(pipe(all, Resource.use(Effect.succeed))), ['a', 'b', 'c'])
 * assert.deepEqual(lines, ['c', 'b', 'a'])
 *
 * @category instances
 * @since 0.1.0
 */
export const Applicative: Applicative3<URI> = { URI, map: map_, ap: ap_, of }

/**
 * Side by side, as {@link par}: for collections of resources that do not need each other.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as RA from 'fp-ts/lib/ReadonlyArray.js'
 * import { Effect, Exit, Resource } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const connect = (host: string) => Resource.make(Effect.as(host)(Effect.sleep(100)), () => Effect.unit)
 * const program = Effect.gen(function* () {
 *   const before = yield* Effect.currentTime
 *   const all = pipe(['a', 'b', 'c'], RA.traverse(Resource.ApplicativePar)(connect))
 *   const hosts = yield* pipe(all, Resource.use(Effect.succeed))
 *   return [hosts, (yield* Effect.currentTime) - before]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([['a', 'b', 'c'], 100]))
 *
 * @category instances
 * @since 0.1.0
 */
export const ApplicativePar: Applicative3<URI> = { URI, map: map_, ap: apPar_, of }

/**
 * `flatMap`, for what is written for any chain.
 *
 * @category instances
 * @since 0.1.0
 */
export const Chain: Chain3<URI> = { URI, map: map_, ap: ap_, chain: chain_ }

/**
 * `flatMap` and `of`, for what is written for any monad.
 *
 * @category instances
 * @since 0.1.0
 */
export const Monad: Monad3<URI> = { URI, map: map_, ap: ap_, of, chain: chain_ }
