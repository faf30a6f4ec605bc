// Exact and delimited reads, and byte streams over other streams.
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  Attribute,
  Attributes,
  Buffered,
  ByteStream,
  type Cause,
  Connectable,
  Effect,
  Layer,
  ObjectStream,
  Provider,
  Resource,
  Stream,
  TaskGroup,
  Text,
  Timeout
} from 'millrace'
import { MemoryByteStream, TestRuntime } from 'millrace/testing'
import { expectAll, show } from '../support/seeds.js'

const { gen } = Effect

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (chunk: Uint8Array): string => new TextDecoder().decode(chunk)

const buffered = (...chunks: ReadonlyArray<string>) =>
  pipe(
    MemoryByteStream.scripted(chunks),
    Effect.flatMap(({ stream }) => Buffered.make(stream))
  )

/** How it ends, with the text of what it gives. */
const shown = <E>(fx: Effect.Effect<unknown, E, Uint8Array>): Effect.Effect<unknown, never, string> =>
  Effect.match(
    (cause: E) => show({ _tag: 'Left', left: { _tag: 'Fail', error: cause } }),
    (chunk: Uint8Array) => text(chunk)
  )(
    Effect.catchCause((cause: Cause.Cause<E>) =>
      cause._tag === 'Die' ? Effect.succeed(bytes('Die(')) : Effect.failCause(cause)
    )(fx)
  )

const run = <A>(fx: Effect.Effect<unknown, unknown, A>): A => {
  const exit = TestRuntime.runExit(fx)
  if (exit._tag === 'Left') throw new Error(show(exit))
  return exit.right
}

describe('Buffered', () => {
  it('ST-07: receiveExactly gives exactly n bytes over chunks of other sizes; the rest stays', () => {
    const program = gen(function* () {
      const stream = yield* buffered('a', 'bcd', 'efgh')
      const got = [text(yield* stream.receiveExactly(2)), text(yield* stream.receiveExactly(4))]
      return [...got, text(yield* stream.buffered), text(yield* stream.receive)]
    })
    expect(run(program)).to.deep.equal(['ab', 'cdef', 'gh', 'gh'])
  })

  it('ST-07: receiveExactly of nothing gives nothing, and receives nothing', () => {
    const program = gen(function* () {
      const stream = yield* buffered('a')
      return [(yield* stream.receiveExactly(0)).length, text(yield* stream.buffered)]
    })
    expect(run(program)).to.deep.equal([0, ''])
  })

  it('ST-08: a stream that ends inside is IncompleteRead and keeps its bytes; one that has ended is EndOfStream', () => {
    const program = gen(function* () {
      const stream = yield* buffered('ab', 'c')
      const cut = yield* Effect.either(stream.receiveExactly(8))
      const rest = text(yield* stream.receiveExactly(3))
      return [cut, rest, yield* shown(stream.receiveExactly(1)), yield* shown(stream.receiveUntil('x', 3))]
    })
    expect(run(program)).to.deep.equal([
      { _tag: 'Left', left: { _tag: 'IncompleteRead', received: 3, expected: 8, missing: 5 } },
      'abc',
      'Fail(EndOfStream)',
      'Fail(EndOfStream)'
    ])
  })

  it('ST-10: receiveUntil gives what is before the delimiter and takes that too, also over the border of chunks', () => {
    const program = gen(function* () {
      const stream = yield* buffered('one\r', '\ntwo\r', 'x\r\n', '\r\n')
      return [
        text(yield* stream.receiveUntil('\r\n', 100)),
        text(yield* stream.receiveUntil('\r\n', 100)),
        text(yield* stream.receiveUntil(bytes('\r\n'), 100))
      ]
    })
    expect(run(program)).to.deep.equal(['one', 'two\rx', ''])
  })

  it('ST-12: without a delimiter to the end it is IncompleteRead, and the bytes stay', () => {
    const program = gen(function* () {
      const stream = yield* buffered('no ', 'end')
      return [yield* shown(stream.receiveUntil('\n', 100)), text(yield* stream.buffered)]
    })
    expect(run(program)).to.deep.equal(['Fail(IncompleteRead)', 'no end'])
  })

  it('receiveUntil: the bound counts without the delimiter, exactly; what was read stays', () => {
    const program = gen(function* () {
      const fits = yield* buffered('abc\r\n')
      const tooLong = yield* buffered('abcd\r\n')
      const early = yield* buffered('abcde', 'never read')
      return [
        yield* shown(fits.receiveUntil('\r\n', 3)),
        yield* shown(tooLong.receiveUntil('\r\n', 3)),
        text(yield* tooLong.receiveUntil('\r\n', 4)),
        yield* shown(early.receiveUntil('\r\n', 3)),
        text(yield* early.buffered)
      ]
    })
    expect(run(program)).to.deep.equal([
      'abc',
      'Fail(DelimiterNotFound)',
      'abcd',
      'Fail(DelimiterNotFound)',
      'abcde'
    ])
  })

  it('ST-15: fed bytes come behind what is buffered and before what will come, in their order', () => {
    const program = gen(function* () {
      const stream = yield* buffered('ab', 'e')
      yield* stream.receiveUpTo(1)
      yield* stream.feed(bytes('c'))
      yield* stream.feed(bytes('d'))
      return text(yield* stream.receiveExactly(4))
    })
    expect(run(program)).to.equal('bcde')
  })

  it('ST-16: over an object stream the surplus of a large chunk stays for later', () => {
    const program = gen(function* () {
      const chunks = yield* Stream.fromIterable([bytes('abcdef')])
      const stream = yield* Buffered.makeReceive(chunks)
      const first = text(yield* stream.receiveUpTo(4))
      return [
        first,
        text(yield* stream.buffered),
        text(yield* stream.receiveUpTo(9)),
        yield* shown(stream.receive)
      ]
    })
    expect(run(program)).to.deep.equal(['abcd', 'ef', 'ef', 'Fail(EndOfStream)'])
  })

  it('ST-17: sendEof ends the sending only, close both', () => {
    const program = gen(function* () {
      const [here, there] = yield* MemoryByteStream.pair()
      const stream = yield* Buffered.make(here)
      yield* stream.sendEof
      const end = yield* shown(there.receive)
      yield* there.send(bytes('still'))
      const still = text(yield* stream.receive)
      yield* stream.close
      return [end, still, yield* shown(stream.receive), yield* shown(there.receive)]
    })
    expect(run(program)).to.deep.equal([
      'Fail(EndOfStream)',
      'still',
      'Fail(ClosedResource)',
      'Fail(EndOfStream)'
    ])
  })

  it('ST-05: sizes that are none are defects before anything is received', () => {
    const program = gen(function* () {
      const stream = yield* buffered('a')
      const ends = [
        yield* shown(stream.receiveUpTo(0)),
        yield* shown(stream.receiveUpTo(1.5)),
        yield* shown(stream.receiveExactly(-1)),
        yield* shown(stream.receiveUntil('', 10)),
        yield* shown(
          Effect.map((many: ReadonlyArray<Uint8Array>) => many[0] ?? bytes(''))(stream.receiveMany(0))
        )
      ]
      return [ends.map((end) => end.slice(0, 4)), text(yield* stream.buffered), text(yield* stream.receive)]
    })
    expect(run(program)).to.deep.equal([Array.from({ length: 5 }, () => 'Die('), '', 'a'])
  })

  it('a read that is cancelled leaves every byte, and looks through none of them twice', () => {
    const program = gen(function* () {
      const [here, there] = yield* MemoryByteStream.pair()
      const stream = yield* Buffered.make(there)
      yield* here.send(bytes('abc'))
      const cut = yield* pipe(stream.receiveUntil('\n', 100), Timeout.moveOnAfter(10))
      const soFar = text(yield* stream.buffered)
      yield* here.send(bytes('d\ne'))
      return [cut, soFar, text(yield* stream.receiveUntil('\n', 100)), text(yield* stream.buffered)]
    })
    expect(run(program)).to.deep.equal([O.none, 'abc', 'abcd', 'e'])
  })

  it('readers wait in line, and one that is cancelled passes its turn on', () => {
    expectAll(
      () =>
        TaskGroup.open<unknown>()((group) =>
          gen(function* () {
            const [here, there] = yield* MemoryByteStream.pair()
            const stream = yield* Buffered.make(there)
            const first = yield* group.spawn(shown(stream.receiveExactly(2)))
            yield* Effect.sleep(1)
            const second = yield* group.spawn(shown(stream.receiveExactly(2)))
            yield* Effect.sleep(1)
            const third = yield* group.spawn(shown(stream.receiveExactly(2)))
            yield* Effect.sleep(1)
            yield* second.cancel()
            yield* here.send(bytes('abcd'))
            return [yield* first.join, yield* third.join].join(' ')
          })
        ),
      { exit: 'ok(ab cd)' }
    )
  })

  it('ST-02: the end is found again and again, and never an empty chunk', () => {
    const program = gen(function* () {
      const stream = yield* buffered('', 'a', '')
      return [yield* shown(stream.receive), yield* shown(stream.receive), yield* shown(stream.receiveUpTo(1))]
    })
    expect(run(program)).to.deep.equal(['a', 'Fail(EndOfStream)', 'Fail(EndOfStream)'])
  })

  it('many small chunks are read in linear time', () => {
    const program = gen(function* () {
      const n = 50_000
      const chunks = yield* Stream.fromIterable(Array.from({ length: n }, () => bytes('a')))
      const stream = yield* Buffered.makeReceive(chunks)
      const end = yield* shown(stream.receiveUntil('\n', Infinity))
      return [end, (yield* stream.receiveExactly(n)).length]
    })
    expect(run(program)).to.deep.equal(['Fail(IncompleteRead)', 50_000])
  }).timeout(4000)

  it('ST-32: a connectable of a layer gives the stream of the connectable with it', () => {
    const program = gen(function* () {
      const there = Connectable.make(
        'mock://there',
        pipe(
          MemoryByteStream.scripted(['hé']),
          Effect.map(({ stream }) => stream),
          Resource.closing
        )
      )
      const layered = pipe(there, Layer.through(Text.layer()))
      const plain = pipe(
        there,
        Resource.flatMap((stream) => Resource.fromEffect(Buffered.make(stream)))
      )
      return [
        layered.endpoint,
        yield* pipe(
          layered,
          Resource.use((stream) => stream.receive)
        ),
        text(
          yield* pipe(
            plain,
            Resource.use((stream) => stream.receiveExactly(1))
          )
        )
      ]
    })
    expect(run(program)).to.deep.equal(['mock://there', 'hé', 'h'])
  })
})

describe('ByteStream', () => {
  it('ST-03: going through a stream ends at its end, and passes every other failure on', () => {
    const program = gen(function* () {
      const { stream } = yield* MemoryByteStream.scripted(['a', 'b'])
      const got: Array<string> = []
      const note = (chunk: Uint8Array) =>
        Effect.sync(() => {
          got.push(text(chunk))
        })
      yield* Stream.forEach(note)(stream)
      const [here, there] = yield* MemoryByteStream.faulty(1)
      yield* here.send(bytes('cd'))
      const end = show(yield* Effect.exit(Stream.forEach(note)(there)))
      return [got.join(''), end]
    })
    expect(run(program)).to.deep.equal(['abc', 'Fail(BrokenResource)'])
  })

  it('ST-04: as a resource it is closed however its use ends', () => {
    const program = gen(function* () {
      const ends: Array<string> = []
      for (const use of [Effect.unit, Effect.fail('x'), Effect.die('y'), Effect.never]) {
        const [here, there] = yield* MemoryByteStream.pair()
        yield* Effect.exit(
          pipe(
            Resource.closing(Effect.succeed(here)),
            Resource.use((): Effect.Effect<unknown, string, void> => use),
            Timeout.moveOnAfter(10)
          )
        )
        ends.push(yield* shown(here.receive), yield* shown(there.receive))
      }
      return ends
    })
    const closed = ['Fail(ClosedResource)', 'Fail(EndOfStream)']
    expect(run(program)).to.deep.equal([...closed, ...closed, ...closed, ...closed])
  })

  it('ST-01: object streams of bytes become byte streams; byte streams stay what they are', () => {
    const program = gen(function* () {
      const { stream } = yield* MemoryByteStream.scripted(['abc'])
      const objects = ObjectStream.duplexStream({
        receive: stream.receive,
        send: stream.send,
        sendEof: stream.sendEof
      })
      const made = ByteStream.fromStream(objects)
      yield* made.send(bytes('x'))
      return [
        ByteStream.fromStream(stream) === stream,
        text(yield* made.receiveUpTo(2)),
        text(yield* made.receive)
      ]
    })
    expect(run(program)).to.deep.equal([true, 'ab', 'c'])
  })

  it('withAttributes keeps the operations of bytes, and is the same stream under another handle', () => {
    const peer = Attribute.attribute<string>()('test/peer')
    const program = gen(function* () {
      const { stream } = yield* MemoryByteStream.scripted(['abc'])
      const named = pipe(stream, ByteStream.withAttributes(Attributes.of(peer, () => 'me')))
      const first = text(yield* named.receiveUpTo(1))
      const above = yield* Buffered.make(named)
      yield* above.receiveExactly(1)
      const other = yield* Buffered.make(stream)
      return [Provider.extra(peer)(above), first, (yield* shown(other.receive)).slice(0, 4)]
    })
    expect(run(program)).to.deep.equal(['me', 'a', 'Die('])
  })
})
