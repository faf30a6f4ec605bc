// Layers: put on streams, listeners and connectables; attributes; claims; closing.
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Exit, Layer, Stream, Transducer } from 'millrace'
import { TestRuntime } from 'millrace/testing'

const plusOne = Layer.fromTransducers({
  decode: Transducer.map((n: number) => n + 1),
  encode: Transducer.map((n: number) => n - 1)
})

describe('Layer', () => {
  it('goes on a receive stream, twice', () => {
    const program = pipe(
      Stream.fromIterable([1, 2, 3]),
      Effect.map(Layer.through(plusOne)),
      Effect.map(Layer.through(pipe(plusOne, Layer.compose(plusOne)))),
      Effect.flatMap(Stream.collect)
    )
    expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed([4, 5, 6]))
  })
})
