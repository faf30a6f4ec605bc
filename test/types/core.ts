// What is inferred (`Expect<Equal<…>>`), and what must not compile (`@ts-expect-error`). Compiling it is the test.
import type { Applicative3 } from 'fp-ts/lib/Applicative.js'
import { sequenceS } from 'fp-ts/lib/Apply.js'
import type * as E from 'fp-ts/lib/Either.js'
import { flow, pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as Retry from 'retry-ts'
import {
  CancelScope,
  type Cause,
  Concurrent,
  Effect,
  type Exit,
  FiberLocal,
  Promises,
  Resource,
  Runtime,
  Scope,
  type Task,
  TaskGroup,
  Timeout
} from 'millrace'
import { Main } from 'millrace/node'
import { TestRuntime } from 'millrace/testing'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T
type Fx<R, E, A> = Effect.Effect<R, E, A>

interface Db {
  readonly query: (sql: string) => string
}
interface Log {
  readonly info: (line: string) => void
}
interface HasDb {
  readonly db: Db
}
interface HasLog {
  readonly log: Log
}
interface DbError {
  readonly _tag: 'DbError'
  readonly sql: string
}
interface LogError {
  readonly _tag: 'LogError'
}
interface TooMany {
  readonly _tag: 'TooMany'
  readonly n: number
}
declare const query: Fx<HasDb, DbError, number>
declare const info: Fx<HasLog, LogError, string>
declare const db: Db
declare const logger: Log
declare const maybeDb: { readonly db?: Db }
/** Takes what is only there to be compiled. */
declare const sink: (...args: ReadonlyArray<unknown>) => void

// ---- generators

// Environments intersect, failures unite, the value is returned.
const g1 = Effect.gen(function* () {
  const n = yield* query
  const s = yield* info
  if (n > 1) yield* Effect.fail({ _tag: 'TooMany', n })
  return [n, s] as const
})
export type G1 = Expect<
  Equal<typeof g1, Fx<HasDb & HasLog, DbError | LogError | TooMany, readonly [number, string]>>
>

// Without a yield it is pure.
const g2 = Effect.gen(function* () {
  return 1
})
export type G2 = Expect<Equal<typeof g2, Fx<unknown, never, number>>>

// In generic code it stays precise.
export const g3 = <R, E, A>(fx: Fx<R, E, A>): Fx<R & HasDb, E | DbError, A> =>
  Effect.gen(function* () {
    yield* query
    return yield* fx
  })

// One that never returns, and one whose branches return different things.
const g4 = Effect.gen(function* () {
  for (;;) yield* query
})
export type G4 = Expect<Equal<typeof g4, Fx<HasDb, DbError, never>>>
const g5 = Effect.gen(function* () {
  if ((yield* query) > 1) return 'many'
  return undefined
})
export type G5 = Expect<Equal<typeof g5, Fx<HasDb, DbError, 'many' | undefined>>>

// Failing is a return as well: what comes after is not reached, and the checker knows what is left.
const g6 = Effect.gen(function* () {
  const n: number | undefined = (yield* query) > 1 ? 1 : undefined
  if (n === undefined) return yield* Effect.fail({ _tag: 'Empty' })
  return n
})
export type G6 = Expect<Equal<typeof g6, Fx<HasDb, DbError | { readonly _tag: 'Empty' }, number>>>

// @ts-expect-error a yield without the star
Effect.gen(function* () {
  yield query
})
// @ts-expect-error a resource: say with `use` how long it lives
Effect.gen(function* () {
  yield* Resource.of(1)
})
Effect.gen(function* () {
  // @ts-expect-error a promise: Promises.fromPromise
  yield* Promise.resolve(1)
})
// @ts-expect-error an async generator
Effect.gen(async function* () {
  yield* query
})

// fn keeps its arguments, also optional, generic and rest ones.
const f1 = Effect.fn('f')(function* (a: number, b?: string) {
  yield* query
  return b ?? String(a)
})
export type F1 = Expect<Equal<typeof f1, (a: number, b?: string) => Fx<HasDb, DbError, string>>>
const f2 = Effect.fn('g')(function* <X>(x: X) {
  yield* info
  return [x] as const
})
export const f2date: Fx<HasLog, LogError, readonly [Date]> = f2(new Date())
const f3 = Effect.fn('h')(function* (...all: ReadonlyArray<number>) {
  return all.length
})
export type F3 = Expect<Equal<typeof f3, (...all: ReadonlyArray<number>) => Fx<unknown, never, number>>>

// ---- constructors

// fail, and all that make a failure from a value, keep literal tags.
const k1 = Effect.fail({ _tag: 'NotFound' })
export type K1 = Expect<Equal<typeof k1, Fx<unknown, { readonly _tag: 'NotFound' }, never>>>
const k2 = Effect.tryCatch(
  () => JSON.parse('1') as number,
  (thrown) => ({ _tag: 'BadJson', thrown })
)
export type K2 = Expect<
  Equal<typeof k2, Fx<unknown, { readonly _tag: 'BadJson'; readonly thrown: unknown }, number>>
>
const k3 = Promises.tryPromise(
  (signal) => fetch('http://localhost', { signal }),
  (reason) => ({ _tag: 'HttpError', reason })
)
export type K3 = Expect<
  Equal<typeof k3, Fx<unknown, { readonly _tag: 'HttpError'; readonly reason: unknown }, Response>>
>
const k4 = pipe(
  query,
  Effect.mapError((e) => ({ _tag: 'Wrapped', e }))
)
export type K4 = Expect<
  Equal<typeof k4, Fx<HasDb, { readonly _tag: 'Wrapped'; readonly e: DbError }, number>>
>
const k5 = pipe(
  query,
  Effect.filterOrElse(
    (n): n is 1 => n === 1,
    () => ({ _tag: 'NotOne' })
  )
)
export type K5 = Expect<Equal<typeof k5, Fx<HasDb, DbError | { readonly _tag: 'NotOne' }, 1>>>
const k6 = Effect.fromOption(() => ({ _tag: 'None' }))
export type K6 = Expect<Equal<typeof k6, <A>(fa: Option<A>) => Fx<unknown, { readonly _tag: 'None' }, A>>>
const k7 = Effect.fromPredicate(
  (s: string) => s !== '',
  () => ({ _tag: 'Empty' })
)
export type K7 = Expect<Equal<typeof k7, (a: string) => Fx<unknown, { readonly _tag: 'Empty' }, string>>>
// A failure whose type was written down keeps it.
const k8 = pipe(
  query,
  Effect.mapError((e): Error => new Error(e.sql))
)
export type K8 = Expect<Equal<typeof k8, Fx<HasDb, Error, number>>>

// async: what cannot be inferred has a safe default.
const a1 = Effect.async((resume) => resume({ _tag: 'Right', right: undefined }))
export type A1 = Expect<Equal<typeof a1, Fx<unknown, never, void>>>
// @ts-expect-error without the annotation it cannot fail
Effect.async((resume) => resume(Exit_fail))
declare const Exit_fail: Exit.Exit<DbError, void>
const a2 = Effect.async<DbError, number>((resume) => {
  resume({ _tag: 'Right', right: 1 })
  return () => undefined
})
export type A2 = Expect<Equal<typeof a2, Fx<unknown, DbError, number>>>

// Promises without a mapping have no failure; what fp-ts has comes in with its types.
const p1 = Promises.fromPromise((_signal) => Promise.resolve(1))
export type P1 = Expect<Equal<typeof p1, Fx<unknown, never, number>>>
declare const te: TE.TaskEither<DbError, number>
declare const rte: RTE.ReaderTaskEither<HasDb, DbError, number>
export const p2: Fx<unknown, DbError, number> = Effect.fromTaskEither(te, { abandonOnCancel: true })
export const p3: Fx<HasDb, DbError, number> = Effect.fromReaderTaskEither(rte)
// @ts-expect-error a function that gives no promise
Promises.fromPromise(() => 1)
// @ts-expect-error options have no other names
Promises.fromPromise(() => Promise.resolve(1), { abandon: true })

// ---- sequence

// flatMap: branches may give different effects.
const s1 = pipe(
  query,
  Effect.flatMap((n) => (n > 1 ? info : n > 0 ? Effect.fail({ _tag: 'A' }) : Effect.fail({ _tag: 'B', n })))
)
export type S1 = Expect<
  Equal<
    typeof s1,
    Fx<
      HasDb & HasLog,
      DbError | LogError | { readonly _tag: 'A' } | { readonly _tag: 'B'; readonly n: number },
      string
    >
  >
>
// A branch that ends adds nothing to the value, one that needs nothing nothing to the environment.
const s2 = pipe(
  query,
  Effect.flatMap((n) => (n > 1 ? Effect.never : n > 0 ? Effect.succeed('one') : Effect.unit))
)
export type S2 = Expect<Equal<typeof s2, Fx<HasDb, DbError, string | void>>>
const s3 = pipe(
  query,
  Effect.flatMap(() => Effect.die('bug'))
)
export type S3 = Expect<Equal<typeof s3, Fx<HasDb, DbError, never>>>
export const s4: (n: number) => Fx<HasDb, DbError, string> = flow(
  (_: number) => query,
  Effect.map(String),
  Effect.tap(() => Effect.unit)
)
// @ts-expect-error the function gives no effect
pipe(query, Effect.flatMap(String))
pipe(
  query,
  // @ts-expect-error nor does this one
  Effect.tap(() => Promise.resolve(1))
)

// Do notation widens, and a name is bound once.
const d1 = pipe(
  Effect.Do,
  Effect.bind('n', () => query),
  Effect.bind('s', ({ n }) => Effect.as(n)(info)),
  Effect.let('b', ({ s }) => s > 1),
  Effect.apS('u', Effect.unit)
)
export type D1 = Expect<
  Equal<
    typeof d1,
    Fx<
      HasDb & HasLog,
      DbError | LogError,
      { readonly n: number; readonly s: number; readonly b: boolean; readonly u: void }
    >
  >
>
pipe(
  Effect.Do,
  Effect.bind('n', () => query),
  // @ts-expect-error it is bound already
  Effect.bind('n', () => info)
)

// ---- failures

// catchTag narrows the argument and takes the tag out of E; an unknown tag does not compile.
const c1 = pipe(
  g1,
  Effect.catchTag('DbError', (e) => Effect.succeed(e.sql))
)
export type C1 = Expect<Equal<Effect.ErrorOf<typeof c1>, LogError | TooMany>>
export type C1value = Expect<Equal<Effect.ValueOf<typeof c1>, string | readonly [number, string]>>
pipe(
  query,
  // @ts-expect-error there is no such tag
  Effect.catchTag('DbErrr', () => Effect.unit)
)
export const c2: Fx<HasDb, never, number> = pipe(
  query,
  Effect.catchTag('DbError', () => Effect.succeed(0))
)
// Handlers in a row, one of them with failures and needs of its own.
const c3 = pipe(
  g1,
  Effect.catchTag('DbError', () => info),
  Effect.catchTag('LogError', () => Effect.fail({ _tag: 'Worse' })),
  Effect.catchTag('TooMany', ({ n }) => Effect.succeed(n))
)
export type C3 = Expect<Equal<Effect.ErrorOf<typeof c3>, { readonly _tag: 'Worse' }>>
// Failures without a tag stay, and classes have tags too.
class Refused extends Error {
  readonly _tag = 'Refused'
  readonly code = 3
}
declare const mixed: Fx<unknown, Refused | 'text' | 7 | DbError, number>
const c4 = pipe(
  mixed,
  Effect.catchTag('Refused', (e) => Effect.succeed(e.code))
)
export type C4 = Expect<Equal<typeof c4, Fx<unknown, 'text' | 7 | DbError, number>>>
// Members of one tag are handled together.
declare const twice: Fx<
  unknown,
  { readonly _tag: 'A'; readonly x: 1 } | { readonly _tag: 'A'; readonly y: 2 },
  1
>
const c5 = pipe(
  twice,
  Effect.catchTag('A', (e) => Effect.succeed('x' in e ? e.x : e.y))
)
export type C5 = Expect<Equal<typeof c5, Fx<unknown, never, 1 | 2>>>

// Handlers take E out; what is observed only stays.
const h1 = pipe(
  query,
  Effect.orElse((e) => (e.sql === '' ? Effect.succeed('empty') : info))
)
export type H1 = Expect<Equal<typeof h1, Fx<HasDb & HasLog, LogError, string | number>>>
const h2 = Effect.exit(query)
export type H2 = Expect<Equal<typeof h2, Fx<HasDb, never, Exit.Exit<DbError, number>>>>
const h3 = Effect.either(query)
export type H3 = Expect<Equal<typeof h3, Fx<HasDb, never, E.Either<DbError, number>>>>
const h4 = Effect.option(query)
export type H4 = Expect<Equal<typeof h4, Fx<HasDb, never, Option<number>>>>
const h5 = Effect.orDie(query)
export type H5 = Expect<Equal<typeof h5, Fx<HasDb, never, number>>>
const h6 = pipe(
  query,
  Effect.match(
    (e) => e.sql,
    (n) => n > 1
  )
)
export type H6 = Expect<Equal<typeof h6, Fx<HasDb, never, string | boolean>>>
const h7 = pipe(
  query,
  Effect.matchEffect(
    () => info,
    (n) => Effect.fail({ _tag: 'TooMany', n })
  )
)
export type H7 = Expect<Equal<typeof h7, Fx<HasDb & HasLog, LogError | TooMany, string>>>
const h8 = pipe(
  query,
  Effect.tapError((e) => (e.sql === '' ? info : Effect.unit))
)
export type H8 = Expect<Equal<typeof h8, Fx<HasDb & HasLog, DbError | LogError, number>>>

// A cancellation cannot be made, an observed one can be raised again.
// @ts-expect-error the brand is missing
export const x1: Cause.Cause<never> = {
  _tag: 'Cancelled',
  scope: 's',
  reason: { _tag: 'Explicit', value: 1 }
}
export const x2 = pipe(
  query,
  Effect.catchCause((cause) => Effect.failCause(cause))
)
export type X2 = Expect<Equal<typeof x2, Fx<HasDb, DbError, number>>>
export const x3 = (exit: Exit.Exit<DbError, number>): E.Either<Cause.Cause<DbError>, number> => exit

// ---- environment

// provide takes services out of R, one or all; the order does not matter, and what is not asked for is no error.
const r1 = pipe(g1, Effect.provide({ db }))
export type R1 = Expect<Equal<Effect.EnvOf<typeof r1>, { readonly log: Log }>>
const r2 = pipe(r1, Effect.provide({ log: logger }))
export type R2 = Expect<Equal<Effect.EnvOf<typeof r2>, unknown>>
const r3 = pipe(g1, Effect.provide({ log: logger, db, extra: 1 }))
export type R3 = Expect<Equal<Effect.EnvOf<typeof r3>, unknown>>
const r4 = pipe(g1, Effect.provide({ extra: 1 }))
export type R4 = Expect<Equal<Effect.EnvOf<typeof r4>, HasDb & HasLog>>

// A service that does not fit does not compile, one that is wider does.
// @ts-expect-error a service of another type
pipe(query, Effect.provide({ db: { query: 1 } }))
// @ts-expect-error one of the two does not fit
pipe(g1, Effect.provide({ db, log: { info: 1 } }))
// @ts-expect-error a service that may be missing
pipe(query, Effect.provide(maybeDb))
export const r5: Fx<unknown, DbError, number> = pipe(
  query,
  Effect.provide({ db: { query: () => '', close: () => {} } })
)

// What still needs a service cannot be run; what may need one can.
// @ts-expect-error
sink(() => Runtime.runPromise(query))
// @ts-expect-error
sink(() => Runtime.runSync(query))
// @ts-expect-error
sink(() => Runtime.runCallback(query, () => undefined))
// @ts-expect-error
sink(() => Main.run(query))
// @ts-expect-error
sink(() => TestRuntime.runExit(query))
// @ts-expect-error
sink(() => Promises.toPromise(query))
sink(() => Runtime.runPromise(r2))
declare const optional: Fx<{ readonly log?: Log }, never, number>
sink(() => Runtime.runPromise(optional))

// local is the precise tool in generic code.
export const r6 = <R, E, A>(fx: Fx<R & HasDb, E, A>): Fx<R, E, A> =>
  pipe(
    fx,
    Effect.local((r: R) => ({ ...r, db }))
  )

const currentUser = FiberLocal.make('nobody')
const r7 = pipe(query, currentUser.locally('Ada'))
export type R7 = Expect<Equal<typeof r7, Fx<HasDb, DbError, number>>>

// ---- groups

// Only infallible tasks without the annotation, the declared failures with it.
sink(
  TaskGroup.open()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(Effect.unit)
      // @ts-expect-error it can fail
      yield* group.spawn(query)
      yield* group.spawnOwned(query)
    })
  )
)
const t1 = TaskGroup.open<DbError | LogError>()((group) =>
  Effect.gen(function* () {
    const task = yield* group.spawn(query)
    yield* group.spawn(info)
    return task
  })
)
export type T1 = Expect<Equal<typeof t1, Fx<HasDb & HasLog, DbError | LogError, Task.Task<DbError, number>>>>
const t2 = TaskGroup.openCancellable<DbError>()((group) =>
  pipe(group.spawn(query), Effect.andThen(group.cancel('enough')), Effect.andThen(group.scope.isCancelled))
)
export type T2 = Expect<Equal<typeof t2, Fx<HasDb, DbError, Option<boolean>>>>

// A group that accepts more can be lent to code that needs less; not the other way round.
declare const wide: TaskGroup.TaskGroup<DbError | LogError>
declare const narrow: TaskGroup.TaskGroup<DbError>
export const t3: TaskGroup.TaskGroup<DbError> = wide
// @ts-expect-error
export const t4: TaskGroup.TaskGroup<DbError | LogError> = narrow

// start: the value is inferred from the annotation; without one there is none to give.
const t5 = wide.start((started: TaskGroup.Started<number>) => pipe(query, Effect.tap(started)))
export type T5 = Expect<
  Equal<typeof t5, Fx<HasDb, DbError | Task.TaskCancelled, Task.StartedTask<number, DbError, number>>>
>
const t6 = wide.start((started) => pipe(started(), Effect.andThen(query)))
export type T6 = Expect<
  Equal<typeof t6, Fx<HasDb, DbError | Task.TaskCancelled, Task.StartedTask<void, DbError, number>>>
>
// @ts-expect-error no annotation, so there is no value to give
wide.start((started) => started(8080))
// @ts-expect-error the value has the annotated type
wide.start((started: TaskGroup.Started<number>) => started('8080'))
// @ts-expect-error the group does not accept this failure
narrow.start((started) => pipe(started(), Effect.andThen(info)))
// A task that was written for start runs by itself as well.
const serve = (started: TaskGroup.Started<number>) => pipe(query, Effect.tap(started))
export const t7: Fx<HasDb, DbError, number> = serve(TaskGroup.ignoreStarted)

// join adds TaskCancelled to the failures, wait adds none.
declare const task: Task.Task<DbError, number>
export type T8 = [
  Expect<Equal<typeof task.join, Fx<unknown, DbError | Task.TaskCancelled, number>>>,
  Expect<Equal<typeof task.wait, Fx<unknown, never, Exit.Exit<DbError, number>>>>,
  Expect<Equal<typeof task.poll, Fx<unknown, never, Option<Exit.Exit<DbError, number>>>>>
]
const t9 = pipe(
  task.join,
  Effect.catchTag('TaskCancelled', ({ task: name }) => Effect.succeed(name))
)
export type T9 = Expect<Equal<typeof t9, Fx<unknown, DbError, string | number>>>

// ---- side by side

// all over a tuple, an array and a record; tuple and struct in order.
const all = Concurrent.all([query, info, Effect.succeed(true)], { concurrency: 2 })
export type All = Expect<
  Equal<typeof all, Fx<HasDb & HasLog, DbError | LogError, readonly [number, string, boolean]>>
>
const allFields = Concurrent.all({ a: query, b: info })
export type AllFields = Expect<
  Equal<typeof allFields, Fx<HasDb & HasLog, DbError | LogError, { readonly a: number; readonly b: string }>>
>
declare const many: ReadonlyArray<typeof query>
export const allOf: Fx<HasDb, DbError, ReadonlyArray<number>> = Concurrent.all(many)
const none = Concurrent.all([])
export type None = Expect<Equal<typeof none, Fx<unknown, never, readonly []>>>
export const struct: Fx<HasDb & HasLog, DbError | LogError, { readonly a: number; readonly b: string }> =
  Effect.struct({ a: query, b: info })
export const tuple: Fx<HasDb & HasLog, DbError | LogError, readonly [number, string]> = Effect.tuple([
  query,
  info
])
// @ts-expect-error 1 is no effect
Concurrent.all([query, 1])

const raced = Concurrent.raceAll([query, info])
export type Raced = Expect<Equal<typeof raced, Fx<HasDb & HasLog, DbError | LogError, number | string>>>
const raced2 = pipe(query, Concurrent.race(info))
export type Raced2 = Expect<Equal<typeof raced2, Fx<HasDb & HasLog, DbError | LogError, number | string>>>
const both = pipe(query, Concurrent.both(info))
export type Both = Expect<
  Equal<typeof both, Fx<HasDb & HasLog, DbError | LogError, readonly [number, string]>>
>

// Branches of the function may give different effects here too.
const traversed = pipe(
  [1, 2],
  Concurrent.traverse((n) => (n > 1 ? query : info), { concurrency: 2 })
)
export type Traversed = Expect<
  Equal<typeof traversed, Fx<HasDb & HasLog, DbError | LogError, ReadonlyArray<number | string>>>
>
const validated = pipe(
  [1, 2],
  Concurrent.validate(() => query)
)
export type Validated = Expect<
  Equal<typeof validated, Fx<HasDb, ReadonlyNonEmptyArray<DbError>, ReadonlyArray<number>>>
>

// ---- resources

// Failures of a release count, provide builds environments.
const o1 = Resource.make(query, () => info)
export type O1 = Expect<Equal<typeof o1, Resource.Resource<HasDb & HasLog, DbError | LogError, number>>>
declare const dbLive: Resource.Resource<HasLog, 'NoDb', HasDb>
const o2 = pipe(query, Resource.provide(dbLive))
export type O2 = Expect<Equal<typeof o2, Fx<HasLog, 'NoDb' | DbError, number>>>
// @ts-expect-error a number is no record of services
pipe(query, Resource.provide(Resource.of(1)))
// @ts-expect-error a service of another type
pipe(query, Resource.provide(Resource.of({ db: 1 })))
const o3 = pipe(
  o1,
  Resource.use((n) => Effect.fail({ _tag: 'TooMany', n }))
)
export type O3 = Expect<Equal<typeof o3, Fx<HasDb & HasLog, DbError | LogError | TooMany, never>>>
const o4 = pipe(o1, Resource.par(dbLive))
export type O4 = Expect<
  Equal<typeof o4, Resource.Resource<HasDb & HasLog, DbError | LogError | 'NoDb', readonly [number, HasDb]>>
>

// gen: as that of effects, for resources.
const o5 = Resource.gen(function* () {
  const n = yield* o1
  const env = yield* dbLive
  return { n, env }
})
export type O5 = Expect<
  Equal<typeof o5, Resource.Resource<HasDb & HasLog, DbError | LogError | 'NoDb', { n: number; env: HasDb }>>
>
const o6 = Resource.gen(function* () {
  return 1
})
export type O6 = Expect<Equal<typeof o6, Resource.Resource<unknown, never, number>>>
export const o7 = <R, E, A>(r: Resource.Resource<R, E, A>): Resource.Resource<R & HasLog, E | 'NoDb', A> =>
  Resource.gen(function* () {
    yield* dbLive
    return yield* r
  })
// @ts-expect-error a yield without the star
Resource.gen(function* () {
  yield o1
})
// @ts-expect-error an effect: Resource.fromEffect
Resource.gen(function* () {
  yield* query
})
// @ts-expect-error a resource is no effect, it cannot be run
sink(() => Runtime.runPromise(Resource.of(1)))
// @ts-expect-error what is closed needs a `close`
Resource.closing(query)

// ---- scopes and timeouts

const m1 = pipe(query, Timeout.moveOnAfter(50, { grace: 10 }))
export type M1 = Expect<Equal<typeof m1, Fx<HasDb, DbError, Option<number>>>>
const m2 = pipe(
  query,
  Timeout.failAfter(50, () => ({ _tag: 'TooSlow' }))
)
export type M2 = Expect<Equal<Effect.ErrorOf<typeof m2>, DbError | { readonly _tag: 'TooSlow' }>>
const m3 = pipe(query, Scope.within(Scope.deadlineIn(5)))
export type M3 = Expect<Equal<Effect.ErrorOf<typeof m3>, DbError | Scope.TimedOut>>
const m4 = CancelScope.open(
  (scope) =>
    pipe(
      query,
      Effect.tap(() => scope.cancel())
    ),
  { name: 'x' }
)
export type M4 = Expect<Equal<typeof m4, Fx<HasDb, DbError, Option<number>>>>
// @ts-expect-error exactOptionalPropertyTypes: leave an option out instead of giving undefined
pipe(query, Timeout.moveOnAfter(50, { grace: undefined }))

// ---- retries

// Policies of retry-ts as they are; `when` knows E.
export const y1: Fx<HasDb, DbError, number> = pipe(
  query,
  Effect.retry(Retry.limitRetries(3), { when: (e) => e.sql !== '' })
)
const y2 = Effect.retry(Retry.limitRetries(3))(query)
export type Y2 = Expect<Equal<typeof y2, Fx<HasDb, DbError, number>>>
// @ts-expect-error the failures have no such field
pipe(query, Effect.retry(Retry.limitRetries(3), { when: (e) => e.status === 503 }))

// ---- fp-ts

// Instances work with generic functions of fp-ts.
export const i1: Fx<HasDb, DbError, ReadonlyArray<number>> = pipe(
  [1, 2],
  RA.traverse(Concurrent.getApplicativePar(4))(() => query)
)
export const i2: Fx<HasDb, DbError, { readonly a: number; readonly b: number }> = sequenceS(Effect.ApplyPar)({
  a: query,
  b: query
})
export const i3: Applicative3<Effect.URI> = Effect.ApplicativePar
// @ts-expect-error sequenceS of fp-ts does not widen; Effect.struct does
sequenceS(Effect.ApplyPar)({ a: query, b: info })

// ---- variance

// An effect that needs less, fails less or gives more can stand for another; not the other way round.
export const v1: Fx<HasDb & HasLog, DbError | LogError, number | string> = query
// @ts-expect-error
export const v2: Fx<unknown, DbError, number> = query
// @ts-expect-error
export const v3: Fx<HasDb, never, number> = query
// @ts-expect-error
export const v4: Fx<HasDb, DbError, 1> = query
