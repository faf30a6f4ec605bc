// A chat over TLS and line-delimited JSON. The handlers speak in messages; what TCP and TLS know is still at hand.
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import {
  Effect,
  Json,
  Layer,
  Listener,
  Provider,
  Resource,
  SocketAttribute,
  Stream,
  TaskGroup
} from 'millrace'
import { Main, Tcp, Tls } from 'millrace/node'
import { makeAuthority } from '../support/certificates.js'

const Message = t.type({ from: t.string, text: t.string }, 'Message')

// One stack for both sides; only the TLS options differ.
const chat = (options: Tls.TlsOptions) =>
  pipe(Tls.layer(options), Layer.compose(Json.lines(Message, { maxLength: 10_000 })))

const authority = makeAuthority()
const identity = authority.issue({ names: ['localhost'] })
const host = '127.0.0.1'

const listening = pipe(
  Tcp.listen({ host, port: 0 }),
  Resource.map(Layer.through(chat({ side: 'server', ...identity })))
)

const client = (port: number) =>
  pipe(
    Tcp.connect({ host, port }),
    Layer.through(chat({ side: 'client', serverName: 'localhost', ca: authority.ca })),
    Resource.use((stream) =>
      Effect.gen(function* () {
        const welcome = yield* stream.receive
        yield* Effect.sync(() => console.log(welcome.text))
        yield* stream.send({ from: 'ann', text: 'hi' })
        return (yield* stream.receive).text
      })
    ),
    Effect.catchTag('DecodeFailed', (e) => Effect.succeed(`not a message: ${e.errors.length} errors`)),
    Effect.catchTag('EndOfStream', () => Effect.succeed('the server has left')),
    Effect.tap((line) => Effect.sync(() => console.log(line)))
  )

const program = pipe(
  listening,
  Resource.use((listener) => {
    const serving = pipe(
      listener,
      Listener.serve((guest) =>
        Effect.gen(function* () {
          const from = Provider.extra(SocketAttribute.remoteAddress)(guest) // from TCP, two layers below
          const cipher = Provider.extra(Tls.cipher)(guest) // from TLS, one layer below
          yield* guest.send({ from: 'server', text: `welcome ${from}, you speak ${cipher}` })
          yield* pipe(
            guest,
            Stream.forEach((said) => guest.send({ from: 'server', text: `${said.from} said ${said.text}` }))
          )
        })
      )
    )
    return TaskGroup.open()((group) =>
      pipe(
        group.spawn(Effect.orDie(serving), { name: 'server', service: true }),
        Effect.andThen(client(Provider.extra(SocketAttribute.localPort)(listener)))
      )
    )
  })
)

Main.run(program)

// Output:
// welcome 127.0.0.1, you speak TLS_AES_256_GCM_SHA384
// ann said hi
