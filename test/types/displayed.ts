/**
 * What an editor shows for inferred types. A comment above a constant says it, and displayed.test.ts compares; a helper type
 * that shows through, or a lost name, is a difference.
 */
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Promises, Resource, type Task, TaskGroup, Timeout } from 'millrace'

interface HasDb {
  readonly db: { readonly query: (sql: string) => string }
}
interface HasLog {
  readonly log: { readonly info: (line: string) => void }
}
interface DbError {
  readonly _tag: 'DbError'
  readonly sql: string
}
interface LogError {
  readonly _tag: 'LogError'
}
declare const query: Effect.Effect<HasDb, DbError, number>
declare const info: Effect.Effect<HasLog, LogError, string>
declare const live: Resource.Resource<HasLog, 'NoDb', HasDb>
declare const task: Task.Task<DbError, number>

// Effect.Effect<HasDb & HasLog, DbError | LogError, string>
export const generated = Effect.gen(function* () {
  const n = yield* query
  return `${n} ${yield* info}`
})

// (id: number) => Effect.Effect<HasDb, DbError, number>
export const named = Effect.fn('named')(function* (id: number) {
  return id + (yield* query)
})

// Effect.Effect<unknown, { readonly _tag: "NotFound"; readonly id: 3; }, never>
export const failed = Effect.fail({ _tag: 'NotFound', id: 3 })

// Effect.Effect<HasDb & HasLog, DbError | LogError, string>
export const branches = pipe(
  query,
  Effect.flatMap((n) => (n > 1 ? info : Effect.succeed('none')))
)

// Effect.Effect<HasDb & HasLog, LogError, string>
export const caught = pipe(
  generated,
  Effect.catchTag('DbError', (e) => Effect.succeed(e.sql))
)

// Effect.Effect<{ readonly log: { readonly info: (line: string) => void; }; }, DbError | LogError, string>
export const provided = pipe(generated, Effect.provide({ db: { query: () => '' } }))

// Effect.Effect<unknown, DbError, number>
export const providedAll = pipe(query, Effect.provide({ db: { query: () => '' } }))

// Effect.Effect<HasDb & HasLog, DbError | LogError, { readonly n: number; readonly s: string; }>
export const bound = pipe(
  Effect.Do,
  Effect.bind('n', () => query),
  Effect.bind('s', () => info)
)

// Effect.Effect<HasDb & HasLog, DbError | LogError, readonly [number, string]>
export const all = Concurrent.all([query, info])

// Effect.Effect<HasDb & HasLog, DbError | LogError, { readonly a: number; readonly b: string; }>
export const allFields = Concurrent.all({ a: query, b: info })

// Effect.Effect<HasDb, DbError, readonly number[]>
export const traversed = pipe(
  [1, 2],
  Concurrent.traverse(() => query)
)

// Effect.Effect<HasDb, DbError, Task.Task<DbError, number>>
export const group = TaskGroup.open<DbError>()((g) => g.spawn(query))

// Effect.Effect<unknown, DbError | TaskCancelled, number>
export const joined = task.join

// Effect.Effect<HasDb, DbError, Option<number>>
export const bounded = pipe(query, Timeout.moveOnAfter(10))

// Effect.Effect<HasDb, DbError | { readonly _tag: "TooSlow"; }, number>
export const boundedOrFailed = pipe(
  query,
  Timeout.failAfter(10, () => ({ _tag: 'TooSlow' }))
)

// Effect.Effect<HasLog, DbError | "NoDb", number>
export const withResource = pipe(query, Resource.provide(live))

// Resource.Resource<HasDb & HasLog, DbError | "NoDb", { n: number; env: HasDb; }>
export const resources = Resource.gen(function* () {
  return { n: yield* Resource.fromEffect(query), env: yield* live }
})

// Effect.Effect<unknown, { readonly _tag: "HttpError"; readonly reason: unknown; }, Response>
export const fetched = Promises.tryPromise(
  (signal) => fetch('http://localhost', { signal }),
  (reason) => ({ _tag: 'HttpError', reason })
)
