// The suite for byte streams: ours pass it, and it finds what is broken.
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type { StreamError } from 'millrace'
import { type ByteStream, Effect, Resource } from 'millrace'
import { MemoryByteStream } from 'millrace/testing'
import { byteStream } from 'millrace/laws/ByteStreamSuite'
import { flatten } from 'millrace/laws/LawSet'
import { checkAll } from 'millrace/laws'
import { params } from './profile.js'

type Pair = readonly [ByteStream.ByteStream, ByteStream.ByteStream]
type Broken = (stream: ByteStream.ByteStream) => ByteStream.ByteStream

const closingBoth = (make: Effect.Effect<unknown, never, Pair>): Resource.Resource<unknown, never, Pair> =>
  Resource.make(make, ([a, b]) => Effect.andThen(b.close)(a.close))

checkAll(byteStream({ name: 'MemoryByteStream', pair: closingBoth(MemoryByteStream.pair()) }))
checkAll(
  byteStream({
    name: 'MemoryByteStream of 3 bytes',
    pair: closingBoth(MemoryByteStream.pair({ capacity: 3 }))
  })
)
checkAll(
  byteStream({
    name: 'MemoryByteStream byte by byte',
    pair: closingBoth(MemoryByteStream.pair({ maxChunk: 1 }))
  })
)
checkAll(
  byteStream({ name: 'MemoryByteStream lockstep', pair: closingBoth(MemoryByteStream.lockstep), most: 500 })
)

describe('byteStream: what is broken fails', () => {
  const broken: Record<string, Broken> = {
    'W1 loses a byte of a large chunk': (s) => ({
      ...s,
      send: (chunk) => s.send(chunk.length > 50 ? chunk.subarray(1) : chunk)
    }),
    'W1 gives an empty chunk': (s) => ({
      ...s,
      receive: Effect.orElse(
        (
          e:
            | StreamError.EndOfStream
            | StreamError.ClosedResource
            | StreamError.BrokenResource
            | StreamError.BusyResource
        ) => (e._tag === 'EndOfStream' ? Effect.succeed(new Uint8Array(0)) : Effect.fail(e))
      )(s.receive)
    }),
    'W1 receiveUpTo gives too much': (s) => ({ ...s, receiveUpTo: () => s.receive }),
    'W4 a cancelled receive takes what comes next': (s) => ({
      ...s,
      receive: Effect.onCancel(Effect.option(Effect.asUnit(s.receive)))(s.receive)
    }),
    'W6 receiveUpTo takes any number': (s) => ({
      ...s,
      receiveUpTo: (n) => s.receiveUpTo(Math.max(1, Math.floor(n)))
    }),
    'W7 closing does nothing': (s) => ({ ...s, close: Effect.unit }),
    'W11 half-close closes both': (s) => ({ ...s, sendEof: s.close }),
    'W12 the second sendEof fails': (s) => {
      let done = false
      return {
        ...s,
        sendEof: Effect.suspend(
          (): Effect.Effect<
            unknown,
            StreamError.ClosedResource | StreamError.BrokenResource | StreamError.BusyResource,
            void
          > => {
            if (done) return Effect.fail({ _tag: 'ClosedResource', resource: 'x' })
            done = true
            return s.sendEof
          }
        )
      }
    }
  }
  for (const [name, spoil] of Object.entries(broken)) {
    it(name, () => {
      const pair = closingBoth(
        pipe(
          MemoryByteStream.pair(),
          Effect.map(([a, b]): Pair => [
            spoil({ ...a, attributes: a.attributes }),
            spoil({ ...b, attributes: b.attributes })
          ])
        )
      )
      const verdicts = flatten(byteStream({ pair })).map(
        ({ name, check }) => [name, check(params)._tag] as const
      )
      const falsified = verdicts
        .filter(([, verdict]) => verdict === 'Falsified')
        .map(([law]) => law.split(' ')[0])
      expect(falsified).to.include(name.split(' ')[0])
    })
  }
})
