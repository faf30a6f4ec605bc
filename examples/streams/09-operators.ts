// Operators: four look-ups at a time in order, and a feed for two readers of whom the slow one may not hold up the other.
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Resource, Stream, Transducer } from 'millrace'
import { Main } from 'millrace/node'

interface NotFound {
  readonly _tag: 'NotFound'
  readonly id: number
}
interface Api {
  readonly fetchUser: (
    id: number
  ) => Effect.Effect<unknown, NotFound, { readonly id: number; readonly name: string }>
}

const fetchUser = (id: number) =>
  pipe(
    Effect.asks((env: { readonly api: Api }) => env.api),
    Effect.flatMap((api) => api.fetchUser(id))
  )

const evens = pipe(
  Transducer.filter((n: number) => n % 2 === 0),
  Transducer.compose(Transducer.take(5))
)

const names = pipe(
  Stream.fromIterable([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
  Effect.map(Stream.via(evens)),
  Effect.flatMap((ids) =>
    pipe(
      ids,
      Stream.mapEffect(fetchUser, { concurrency: 4, ordered: true }),
      Resource.use(Stream.fold('', (line: string, user: { readonly name: string }) => `${line} ${user.name}`))
    )
  )
)

const feed = pipe(
  Stream.fromIterable(Array.from({ length: 100 }, (_, i) => i)),
  Resource.fromEffect,
  Resource.flatMap(Stream.broadcast({ lag: 10 })),
  Resource.flatMap((hub) => pipe(hub.subscribe, Resource.par(hub.subscribe))),
  Resource.use(([fast, slow]) =>
    pipe(
      fast,
      Stream.forEach(() => Effect.unit),
      Effect.catchTag('Lagged', () => Effect.unit),
      Concurrent.both(
        pipe(
          slow,
          Stream.forEach(() => Effect.sleep(10)),
          Effect.catchTag('Lagged', () => Effect.sync(() => console.log('the slow one has missed some')))
        )
      )
    )
  )
)

const api: Api = {
  fetchUser: (id) => Effect.as({ id, name: `user${id}` })(Effect.sleep(20 - id))
}

const program = Effect.gen(function* () {
  console.log(yield* names)
  yield* feed
})

Main.run(pipe(program, Effect.provide({ api })))

// Output:
//  user2 user4 user6 user8 user10
// the slow one has missed some
