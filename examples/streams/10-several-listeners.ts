// Two addresses served as one listener. One connection fails; the others go on.
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import {
  Cause,
  Effect,
  Json,
  Layer,
  Listener,
  Provider,
  Resource,
  SocketAttribute,
  Stapled,
  TaskGroup
} from 'millrace'
import { Main, Tcp } from 'millrace/node'

const Ping = t.type({ ping: t.number })
const messages = Json.lines(Ping)

const everywhere = pipe(
  Tcp.listen({ host: '127.0.0.1', port: 0 }),
  Resource.par(Tcp.listen({ host: '127.0.0.1', port: 0 }))
)

const ask = (port: number, ...pings: ReadonlyArray<number>) =>
  pipe(
    Tcp.connect({ host: '127.0.0.1', port }),
    Layer.through(messages),
    Resource.use((stream) =>
      pipe(
        pings,
        Effect.traverseArray((ping) =>
          pipe(
            stream.send({ ping }),
            Effect.andThen(stream.receive),
            Effect.map((answer) => String(answer.ping)),
            Effect.orElse(() => Effect.succeed('no answer'))
          )
        )
      )
    )
  )

const program = pipe(
  everywhere,
  Resource.use(([one, two]) =>
    TaskGroup.open<unknown>()((group) =>
      Effect.gen(function* () {
        const serving = pipe(
          Stapled.listeners(one, two),
          Layer.through(messages),
          Listener.serve(
            (client) =>
              Effect.gen(function* () {
                for (;;) {
                  const { ping } = yield* client.receive
                  if (ping < 0) return yield* Effect.fail({ _tag: 'Negative' as const, ping })
                  yield* client.send({ ping })
                }
              }),
            {
              concurrency: 1000,
              onError: (cause) =>
                Effect.sync(() => {
                  const [failure] = Cause.failures(cause)
                  if ((failure as { readonly _tag: string })._tag === 'Negative') console.log('Negative')
                })
            }
          )
        )
        yield* group.spawn(serving, { service: true })
        const port = Provider.extra(SocketAttribute.localPort)
        const bad = yield* ask(port(one), 1, -1)
        const good = yield* ask(port(two), 2, 3)
        yield* Effect.sync(() => console.log(bad.join(', '), '|', good.join(', ')))
      })
    )
  )
)

Main.run(program)

// Output:
// Negative
// 1, no answer | 2, 3
