// Out to the platform and back: a web stream from `fetch`, an async generator, a `Response`, a `TransformStream` as a layer.
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { AsyncIterables, Effect, Json, Layer, Promises, Resource, Stream, Text, WebStreams } from 'millrace'
import { Main } from 'millrace/node'

const Row = t.type({ id: t.number })
const bodyOf = (response: Response) => (): ReadableStream<Uint8Array<ArrayBuffer>> =>
  response.body ?? new ReadableStream()

// The body of a response, as rows that are checked when they come.
const sum = (response: Response) =>
  pipe(
    WebStreams.fromReadable(bodyOf(response)),
    Resource.map(Layer.through(Json.lines(Row))),
    Resource.use(Stream.fold(0, (total: number, row: t.TypeOf<typeof Row>) => total + row.id))
  )

async function* pages() {
  try {
    yield 'a'
    yield 'b'
    yield 'c'
  } finally {
    console.log('the generator is closed')
  }
}

// In and out again: the loop leaves early, and that closes the generator.
const letters = pipe(
  AsyncIterables.from(pages(), (thrown) => ({ _tag: 'PagesFailed' as const, thrown })),
  Resource.flatMap(AsyncIterables.to),
  Resource.use((letters) =>
    Promises.tryPromise(
      async () => {
        for await (const letter of letters) {
          console.log(letter)
          if (letter === 'b') break
        }
      },
      (thrown) => ({ _tag: 'LoopFailed' as const, thrown })
    )
  )
)

// A response body that is made while it is read.
const respond = pipe(
  Resource.fromEffect(Stream.fromIterable([{ id: 1 }, { id: 41 }])),
  Resource.map(Stream.map((row) => `${JSON.stringify(row)}\n`)),
  Resource.map(Stream.via(Text.encode())),
  Resource.flatMap(WebStreams.toReadable),
  Resource.map((body) => new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>))
)

const inflate = WebStreams.layer({
  receiving: () => new DecompressionStream('deflate'),
  sending: () => new CompressionStream('deflate')
})
const unpacked = (response: Response) =>
  pipe(
    WebStreams.fromReadable(bodyOf(response)),
    Resource.map(Layer.through(inflate)),
    Resource.use(Stream.collect),
    Effect.map((chunks) => Buffer.concat(chunks).toString())
  )

const program = Effect.gen(function* () {
  const print = (line: unknown) => Effect.sync(() => console.log(line))
  yield* print(yield* pipe(respond, Resource.use(sum)))
  yield* letters
  const packed = new Blob(['packed']).stream().pipeThrough(new CompressionStream('deflate'))
  yield* print(yield* unpacked(new Response(packed)))
})

Main.run(program)

// Output:
// 42
// a
// b
// the generator is closed
// packed
