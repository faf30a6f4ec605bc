// A server says when it is ready, and on which port. The client starts only then.
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, MemoryStream, Resource, TaskGroup } from 'millrace'
import type { StreamError } from 'millrace'
import { Main } from 'millrace/node'

interface PortTaken {
  readonly _tag: 'PortTaken'
  readonly port: number
}

const log = (line: string) => Effect.sync(() => console.log(line))

const bind = (port: number) =>
  Resource.make(
    pipe(
      Effect.sleep(20),
      Effect.andThen(port === 80 ? Effect.fail<PortTaken>({ _tag: 'PortTaken', port }) : Effect.unit),
      Effect.andThen(MemoryStream.make<string>()),
      Effect.map(([send, receive]) => ({ port, send, receive }))
    ),
    ({ receive }) => pipe(receive.close, Effect.andThen(log('unbound')))
  )

interface Ready {
  readonly port: number
  readonly inbox: MemoryStream.MemorySendStream<string>
}

const server = (port: number) => (started: TaskGroup.Started<Ready>) =>
  pipe(
    bind(port),
    Resource.use(({ port, send, receive }) =>
      Effect.gen(function* () {
        yield* started({ port, inbox: send })
        while (true) yield* log(`server got ${yield* receive.receive}`)
      })
    )
  )

type ServerFailed = PortTaken | StreamError.ClosedResource | StreamError.EndOfStream

const program = TaskGroup.open<ServerFailed>({ name: 'app' })((group) =>
  Effect.gen(function* () {
    const listening = yield* group.start(server(8080), { name: 'server' })
    const { port, inbox } = listening.startValue
    yield* log(`listening on ${port}`)
    yield* inbox.send('one')
    yield* inbox.send('two')
    yield* listening.cancel('done')
  })
)

Main.run(program)

// Output:
// listening on 8080
// server got one
// server got two
// unbound
