// Attributes of one's own: a key with a string, a key with a symbol, a layer that adds them, a listener that has some.
import { pipe } from 'fp-ts/lib/function.js'
import {
  Attribute,
  Attributes,
  Effect,
  Layer,
  Lines,
  Listener,
  ObjectStream,
  Provider,
  Resource,
  SocketAttribute,
  TaskGroup,
  Text
} from 'millrace'
import { Main, Tcp } from 'millrace/node'

interface User {
  readonly name: string
}
const user = Attribute.attribute<User>()('acme/user')
type UserRow = Attribute.RowOf<typeof user>

// Cannot collide with anybody's.
const bornKey: unique symbol = Symbol('acme/born')
const born = Attribute.attribute<number>()(bornKey)

interface Denied {
  readonly _tag: 'Denied'
}

// Reads the first line as the name of the user, and gives the rest with the attribute `acme/user`.
const login: Layer.Layer<string, string, string, string, Denied, UserRow> = Layer.duplex(
  (wire: Layer.Wire<string>) =>
    pipe(
      wire.receive,
      Effect.catchTag('EndOfStream', () => Effect.fail<Denied>({ _tag: 'Denied' })),
      Resource.fromEffect,
      Resource.map((name) => pipe(wire, ObjectStream.withAttributes(Attributes.of(user, () => ({ name })))))
    )
)

const lines = pipe(Text.layer(), Layer.compose(Lines.layer()))

const client = (port: number) =>
  pipe(
    Tcp.connect({ host: '127.0.0.1', port }),
    Layer.through(lines),
    Resource.use((stream) =>
      pipe(
        stream.send('Ada'),
        Effect.andThen(stream.receive),
        Effect.flatMap((line) => Effect.sync(() => console.log(line)))
      )
    )
  )

const program = pipe(
  Tcp.listen({ host: '127.0.0.1', port: 0 }),
  Resource.map((listener) =>
    pipe(
      listener,
      Listener.withAttributes(Attributes.of(born, () => 1_700_000_000)),
      Layer.through(lines),
      Layer.through(login)
    )
  ),
  Resource.use((listener) =>
    TaskGroup.open<unknown>()((group) =>
      Effect.gen(function* () {
        // The listener's own, untouched by layers.
        const port = Provider.extra(SocketAttribute.localPort)(listener)
        yield* Effect.sync(() => console.log(`port ${port > 0}, since ${Provider.extra(born)(listener)}`))
        const server = pipe(
          listener,
          Listener.serve((c) =>
            c.send(
              `hello ${Provider.extra(user)(c).name} from ${Provider.extra(SocketAttribute.remoteAddress)(c)}`
            )
          )
        )
        yield* group.spawn(server, { service: true })
        yield* client(port)
      })
    )
  )
)

Main.run(program)

// Output:
// port true, since 1700000000
// hello Ada from 127.0.0.1
