// Three services, each a resource that says what it needs. Released in reverse order, whatever happens.
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Resource } from 'millrace'
import { Main } from 'millrace/node'

interface HasConfig {
  readonly config: { readonly url: string }
}
interface HasDb {
  readonly db: { readonly query: (sql: string) => Effect.Effect<unknown, QueryFailed, ReadonlyArray<string>> }
}
interface HasUsers {
  readonly users: { readonly names: Effect.Effect<unknown, QueryFailed, ReadonlyArray<string>> }
}

interface ConfigMissing {
  readonly _tag: 'ConfigMissing'
}
interface QueryFailed {
  readonly _tag: 'QueryFailed'
  readonly sql: string
}

const log = (line: string) => Effect.sync(() => console.log(line))

const configLive: Resource.Resource<unknown, ConfigMissing, HasConfig> = Resource.fromEffect(
  pipe(
    Effect.sync(() => process.env['DB_URL'] ?? 'memory:'),
    Effect.filterOrElse(
      (url) => url !== '',
      (): ConfigMissing => ({ _tag: 'ConfigMissing' })
    ),
    Effect.map((url) => ({ config: { url } }))
  )
)

const dbLive = Resource.make(
  Effect.gen(function* () {
    const { url } = yield* Effect.asks((env: HasConfig) => env.config)
    yield* log(`connect ${url}`)
    const services: HasDb = { db: { query: () => Effect.succeed(['Ada', 'Bob']) } }
    return services
  }),
  () => log('disconnect')
)

const usersLive = Resource.fromEffect(
  Effect.asks(({ db }: HasDb): HasUsers => ({ users: { names: db.query('select name from users') } }))
)

// Effect<HasUsers, QueryFailed, void>
const report = Effect.gen(function* () {
  const { users } = yield* Effect.ask<HasUsers>()
  for (const name of yield* users.names) yield* log(name)
})

// Effect<unknown, ConfigMissing | QueryFailed, void>
const program = pipe(
  report,
  Resource.provide(usersLive),
  Resource.provide(dbLive),
  Resource.provide(configLive)
)

Main.run(program)

// Output:
// connect memory:
// Ada
// Bob
// disconnect
