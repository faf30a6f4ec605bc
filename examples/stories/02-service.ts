// A service is an entry of the environment; failures are tagged data, and the compiler counts both.
import { pipe } from 'fp-ts/lib/function.js'
import { Effect } from 'millrace'
import { Main } from 'millrace/node'

interface User {
  readonly id: number
  readonly name: string
  readonly active: boolean
}
interface NotFound {
  readonly _tag: 'NotFound'
  readonly id: number
}
interface Inactive {
  readonly _tag: 'Inactive'
  readonly name: string
}

interface Users {
  readonly find: (id: number) => Effect.Effect<unknown, NotFound, User>
}
interface HasUsers {
  readonly users: Users
}

const findUser = Effect.fn('findUser')(function* (id: number) {
  const users = yield* Effect.asks((env: HasUsers) => env.users)
  return yield* users.find(id)
})

// (id: number) => Effect<HasUsers, NotFound | Inactive, string>
const greeting = (id: number) =>
  pipe(
    findUser(id),
    Effect.filterOrElse(
      (user) => user.active,
      (user): Inactive => ({ _tag: 'Inactive', name: user.name })
    ),
    Effect.map((user) => `hello ${user.name}`)
  )

const polite = (id: number) =>
  pipe(
    greeting(id),
    Effect.catchTag('NotFound', (e) => Effect.succeed(`nobody has number ${e.id}`)),
    Effect.catchTag('Inactive', (e) => Effect.succeed(`${e.name} has left`)),
    Effect.flatMap((line) => Effect.sync(() => console.log(line)))
  )

const table: ReadonlyArray<User> = [
  { id: 1, name: 'Ada', active: true },
  { id: 2, name: 'Bob', active: false }
]
const memoryUsers: Users = {
  find: (id) => {
    const user = table.find((u) => u.id === id)
    return user === undefined ? Effect.fail({ _tag: 'NotFound', id }) : Effect.succeed(user)
  }
}

Main.run(pipe([1, 2, 3], Effect.forEach(polite), Effect.provide({ users: memoryUsers })))

// Output:
// hello Ada
// Bob has left
// nobody has number 3
