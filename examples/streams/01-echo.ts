// An echo server that says when it is ready, and a client of it, in one program.
import { pipe } from 'fp-ts/lib/function.js'
import {
  Buffered,
  Effect,
  Listener,
  type ObjectStream,
  Provider,
  Resource,
  SocketAttribute,
  Stream,
  TaskGroup
} from 'millrace'
import { Main, Tcp } from 'millrace/node'

const echo = <E, Row extends object>(stream: ObjectStream.DuplexStream<Uint8Array, Uint8Array, E, Row>) =>
  pipe(stream, Stream.pipeTo(stream))

const server = (ready: TaskGroup.Started<number>) =>
  pipe(
    Tcp.listen({ host: '127.0.0.1', port: 0 }),
    Resource.use((listener) =>
      pipe(
        ready(Provider.extra(SocketAttribute.localPort)(listener)),
        Effect.andThen(pipe(listener, Listener.serve(echo)))
      )
    )
  )

const program = TaskGroup.open()((group) =>
  Effect.gen(function* () {
    const { startValue: port } = yield* group.start((ready: TaskGroup.Started<number>) =>
      pipe(server(ready), Effect.orDie)
    )
    const answer = yield* pipe(
      Tcp.connect({ host: '127.0.0.1', port }),
      Resource.use((socket) =>
        Effect.gen(function* () {
          const buffered = yield* Buffered.make(socket)
          yield* buffered.send(new TextEncoder().encode('hello'))
          return yield* buffered.receiveExactly(5)
        })
      )
    )
    yield* Effect.sync(() => console.log(new TextDecoder().decode(answer)))
    yield* group.cancelAll()
  })
)

Main.run(program)

// Output:
// hello
