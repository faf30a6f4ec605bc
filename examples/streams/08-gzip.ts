// Compressed text over TCP: three layers, one value, used by the server, the client, and a proxy in between.
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Framing, Layer, Listener, Provider, Resource, SocketAttribute } from 'millrace'
import { Stream, TaskGroup, Text } from 'millrace'
import { Compression, Main, Tcp } from 'millrace/node'

const framed = Framing.lengthPrefixed({ maxBytes: 1 << 20 })
const zipped = pipe(
  framed,
  Layer.compose(Compression.gzip({ level: 6, flush: 'eachSend' })),
  Layer.compose(Text.layer())
)

const listening = Tcp.listen({ host: 'localhost', port: 0 })
const portOf = Provider.extra(SocketAttribute.localPort)
const shouters = pipe(listening, Resource.map(Layer.through(zipped)))
// The proxy moves frames without looking into them: the bottom layer alone.
const relays = pipe(listening, Resource.map(Layer.through(framed)))

const client = (port: number) =>
  pipe(
    Tcp.connect({ host: 'localhost', port }),
    Layer.through(zipped),
    Resource.use((stream) => pipe(stream.send('grüße'), Effect.andThen(stream.receive))),
    Effect.catchTag('FrameTooLarge', (e) => Effect.succeed(`refused: ${e.announced} bytes`)),
    Effect.tap((line) => Effect.sync(() => console.log(line)))
  )

const program = pipe(
  shouters,
  Resource.par(relays),
  Resource.use(([server, proxy]) => {
    const shout = pipe(
      server,
      Listener.serve((stream) =>
        pipe(
          stream,
          Stream.map((text) => text.toUpperCase()),
          Stream.pipeTo(stream)
        )
      )
    )
    const relay = pipe(
      proxy,
      Listener.serve((down) =>
        pipe(
          Tcp.connect({ host: 'localhost', port: portOf(server) }),
          Layer.through(framed),
          Resource.use((up) =>
            pipe(
              down,
              Stream.pipeTo(up),
              Effect.andThen(up.sendEof),
              Concurrent.both(pipe(up, Stream.pipeTo(down)))
            )
          )
        )
      )
    )
    return TaskGroup.open()((group) =>
      pipe(
        group.spawn(Effect.orDie(shout), { name: 'server', service: true }),
        Effect.andThen(group.spawn(Effect.orDie(relay), { name: 'proxy', service: true })),
        Effect.andThen(client(portOf(proxy)))
      )
    )
  })
)

Main.run(program)

// Output:
// GRÜSSE
