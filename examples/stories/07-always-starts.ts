// A spawned task takes charge of a connection. It is cancelled before its first turn, and still closes it.
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, TaskGroup } from 'millrace'
import { Main } from 'millrace/node'

interface Connection {
  readonly id: number
  readonly close: Effect.Effect<unknown, never, void>
}

const log = (line: string) => Effect.sync(() => console.log(line))

const accept = (id: number): Effect.Effect<unknown, never, Connection> =>
  Effect.as({ id, close: log(`closed ${id}`) })(log(`accepted ${id}`))

const handle = (connection: Connection) =>
  pipe(Effect.sleep(1000), Effect.andThen(log(`served ${connection.id}`)), Effect.ensuring(connection.close))

const program = TaskGroup.open({ name: 'server' })((group) =>
  Effect.gen(function* () {
    const connection = yield* accept(1)
    const task = yield* group.spawn(handle(connection))
    yield* log(yield* task.status)
    yield* task.cancel('shutting down')
    yield* task.wait
    yield* log(yield* task.status)
  })
)

Main.run(program)

// Output:
// accepted 1
// pending
// closed 1
// cancelled
