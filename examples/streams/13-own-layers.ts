// Layers of one's own: a pure pair of transducers, which serves every side, and one that negotiates first.
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import {
  Attribute,
  Attributes,
  Effect,
  Layer,
  MemoryStream,
  ObjectStream,
  Provider,
  Resource,
  Stream,
  Transducer
} from 'millrace'
import { Main } from 'millrace/node'

interface BadChecksum {
  readonly _tag: 'BadChecksum'
  readonly at: string
}

/** `text#length`: sided, so it composes, fuses, and goes on files. */
const checked = Layer.fromTransducers({
  decode: Transducer.mapEither((line: string): E.Either<BadChecksum, string> => {
    const [text = '', sum = ''] = line.split('#')
    return Number(sum) === text.length ? E.right(text) : E.left({ _tag: 'BadChecksum', at: line })
  }),
  encode: Transducer.map((text: string) => `${text}#${text.length}`)
})

const version = Attribute.attribute<number>()('acme/version')
interface VersionRow extends Attribute.RowOf<typeof version> {}
interface Unsupported {
  readonly _tag: 'Unsupported'
}

/** Says its version, hears the other's, and fails before the first message when they do not fit. */
const negotiated = (ours: number): Layer.Layer<string, string, string, string, Unsupported, VersionRow> =>
  Layer.duplex((wire: Layer.Wire<string>) =>
    pipe(
      wire.send(String(ours)),
      Effect.flatMap(() => wire.receive),
      Effect.catchTag('EndOfStream', () => Effect.fail<Unsupported>({ _tag: 'Unsupported' })),
      Effect.flatMap((theirs) =>
        Number(theirs) >= ours ? Effect.succeed(ours) : Effect.fail<Unsupported>({ _tag: 'Unsupported' })
      ),
      Effect.map((agreed) => pipe(wire, ObjectStream.withAttributes(Attributes.of(version, () => agreed)))),
      Resource.fromEffect
    )
  )

const talk = <E2, Row extends object>(wire: ObjectStream.DuplexStream<string, string, E2, Row>) =>
  pipe(
    wire,
    Layer.through(checked),
    Layer.through(negotiated(2)),
    Resource.use((stream) =>
      pipe(
        stream,
        Stream.forEach((line) => stream.send(`v${Provider.extra(version)(stream)}: ${line}`))
      )
    )
  )

const program = Effect.gen(function* () {
  const [here, there] = yield* MemoryStream.pair<string>(10)
  yield* there.send('2#1')
  yield* there.send('hi#2')
  yield* there.sendEof
  yield* talk(here)
  yield* pipe(
    there,
    Stream.forEach((line) => Effect.sync(() => console.log(line)))
  )
})

Main.run(program)

// Output:
// 2#1
// v2: hi#6
