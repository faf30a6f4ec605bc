// A request that ends by half-close: the server reads to the end, then answers on the direction that is still open.
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Layer, Provider, Resource, SocketAttribute, Stream, Text } from 'millrace'
import { Main, Tcp } from 'millrace/node'

const server = (listener: Tcp.TcpListener) =>
  pipe(
    pipe(listener, Layer.through(Text.layer())).accept,
    Resource.use((stream) =>
      Effect.gen(function* () {
        // Ends with the client's sendEof.
        const request = yield* pipe(
          stream,
          Stream.fold('', (all: string, piece: string) => all + piece)
        )
        yield* stream.send(`${request.length} characters`)
        yield* stream.sendEof
      })
    )
  )

const client = (port: number) =>
  pipe(
    Tcp.connect({ host: '127.0.0.1', port }),
    Layer.through(Text.layer()),
    Resource.use((stream) =>
      Effect.gen(function* () {
        yield* stream.send('one, ')
        yield* stream.send('two')
        yield* stream.sendEof
        const late = yield* pipe(
          stream.send('three'),
          Effect.as('sent'),
          Effect.catchTag('ClosedResource', () => Effect.succeed('refused'))
        )
        const answer = yield* pipe(
          Stream.collect(stream),
          Effect.map((pieces) => pieces.join(''))
        )
        yield* Effect.sync(() => console.log(late, '|', answer))
      })
    )
  )

const program = pipe(
  Tcp.listen({ host: '127.0.0.1', port: 0 }),
  Resource.use((listener) =>
    pipe(client(Provider.extra(SocketAttribute.localPort)(listener)), Concurrent.both(server(listener)))
  )
)

Main.run(program)

// Output:
// refused | 8 characters
