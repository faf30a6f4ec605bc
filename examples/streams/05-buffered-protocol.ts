// `SET key length`, a line end, and that many bytes: a protocol of lines and counted bytes. A read that times out has lost
// nothing.
import { pipe } from 'fp-ts/lib/function.js'
import { Buffered, type ByteStream, Effect, type ObjectStream, TaskGroup, Timeout } from 'millrace'
import { Main } from 'millrace/node'
import { MemoryByteStream } from 'millrace/testing'

interface Malformed {
  readonly _tag: 'Malformed'
  readonly line: string
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const print = (line: string) => Effect.sync(() => console.log(line))

const command = <E>(stream: Buffered.BufferedReceiveStream<E>) =>
  Effect.gen(function* () {
    const line = text(yield* stream.receiveUntil('\n', 200))
    const [, key, length] = /^SET (\w+) (\d+)$/.exec(line) ?? []
    if (key === undefined) return yield* Effect.fail<Malformed>({ _tag: 'Malformed', line })
    return { key, value: yield* patiently(stream, Number(length)) }
  })

/** Waits at most 100 ms at a time for the body, and says so in between: the buffer keeps what has come. */
const patiently = <E>(stream: Buffered.BufferedReceiveStream<E>, n: number) =>
  Effect.gen(function* () {
    for (;;) {
      const got = yield* pipe(stream.receiveExactly(n), Timeout.moveOnAfter(100))
      if (got._tag === 'Some') return got.value
      const soFar = yield* stream.buffered
      yield* print(`still waiting, ${soFar.length} of ${n}`)
    }
  })

/** `EndOfStream`: the peer has left between two commands. `IncompleteRead`: in the middle of one. */
const session = (socket: ByteStream.ByteStream) =>
  pipe(
    Buffered.make(socket),
    Effect.flatMap((stream) =>
      Effect.forever(
        pipe(
          command(stream),
          Effect.tap(({ key, value }) => print(`${key} = ${text(value)}`))
        )
      )
    ),
    Effect.catchTag('EndOfStream', () => print('done')),
    Effect.catchTag('IncompleteRead', (e) => print(`cut off after ${e.received} bytes`))
  )

const slowPeer = <E>(stream: ObjectStream.SendStream<Uint8Array, E>) =>
  pipe(
    ['SET name 3\nAda', 'SET city 6\nLon', 'don', 'SET half'],
    Effect.forEach((piece) => Effect.andThen(stream.send(new TextEncoder().encode(piece)))(Effect.sleep(150)))
  )

const program = Effect.gen(function* () {
  const [client, server] = yield* MemoryByteStream.pair()
  yield* TaskGroup.open<unknown>()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(Effect.ensuring(client.close)(slowPeer(client)))
      yield* session(server)
    })
  )
})

Main.run(program)

// Output:
// name = Ada
// still waiting, 3 of 6
// city = London
// cut off after 8 bytes
