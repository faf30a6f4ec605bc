// Client code against a connectable runs unchanged without a network.
import assert from 'node:assert/strict'
import { pipe } from 'fp-ts/lib/function.js'
import { Connectable, Effect, Layer, Lines, type ObjectStream, Resource, Text } from 'millrace'
import { Main } from 'millrace/node'
import { MemoryByteStream } from 'millrace/testing'

type Wire<E> = ObjectStream.DuplexStream<Uint8Array, Uint8Array, E>

/** The code under test: asks for the time, by lines of text. */
const askTime = <E, E2>(where: Connectable.Connectable<Wire<E>, E2>) =>
  pipe(
    where,
    Layer.through(pipe(Text.layer(), Layer.compose(Lines.layer({ maxLength: 80 })))),
    Resource.use((lines) =>
      pipe(
        lines.send('TIME'),
        Effect.flatMap(() => lines.receive)
      )
    )
  )

const test = Effect.gen(function* () {
  const { stream, sent } = yield* MemoryByteStream.scripted(['12:', '30\r\nrest'])
  const mock = Connectable.make('mock://time', Resource.of(stream))
  const time = yield* askTime(mock)
  const request = yield* sent
  yield* Effect.sync(() => {
    assert.equal(time, '12:30')
    assert.equal(new TextDecoder().decode(request), 'TIME\n')
    console.log('ok', time)
  })
})

Main.run(test)

// Output:
// ok 12:30
