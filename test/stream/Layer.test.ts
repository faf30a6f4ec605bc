// Layers: put on streams; fused; claims; closing; cancellation of sends; text and its errors.
import { expect } from 'chai'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import type { StreamError } from 'millrace'
import {
  Attribute,
  Attributes,
  Cause,
  Codec,
  Effect,
  Exit,
  Json,
  Layer,
  Lines,
  MemoryStream,
  ObjectStream,
  Provider,
  Resource,
  Stapled,
  Stream,
  TaskGroup,
  Text,
  Timeout,
  Transducer
} from 'millrace'
import { MemoryByteStream, TestRuntime } from 'millrace/testing'
import { expectAll, show } from '../support/seeds.js'

const { gen } = Effect

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const run = <A>(fx: Effect.Effect<unknown, unknown, A>): A => {
  const exit = TestRuntime.runExit(fx)
  if (exit._tag === 'Left') throw new Error(show(exit))
  return exit.right
}

const ending = (fx: Effect.Effect<unknown, unknown, unknown>): Effect.Effect<unknown, never, string> =>
  Effect.map(show)(Effect.exit(fx))

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

  it('a stack that nobody has used is one stream; a layer on a used one goes on from there', () => {
    const program = gen(function* () {
      const source = yield* Stream.fromIterable([1, 2, 3, 4])
      const lower = pipe(source, Layer.through(plusOne))
      const first = yield* lower.receive
      const upper = pipe(lower, Layer.through(plusOne))
      return [first, yield* Stream.collect(upper)]
    })
    expect(run(program)).to.deep.equal([2, [4, 5, 6]])
  })

  it('what a layer was put on belongs to it: another layer, and the stream of the lower layer itself, are defects', () => {
    const program = gen(function* () {
      const source = yield* Stream.fromIterable([1, 2, 3])
      const lower = pipe(source, Layer.through(plusOne))
      const upper = pipe(lower, Layer.through(plusOne))
      const second = pipe(source, Layer.through(plusOne))
      const third = pipe(lower, Layer.through(plusOne))
      const got = yield* upper.receive
      return [
        got,
        ...[yield* ending(second.receive), yield* ending(lower.receive), yield* ending(third.receive)].map(
          (end) => /^Die\(.*belongs to the layer/.test(end)
        )
      ]
    })
    expect(run(program)).to.deep.equal([3, true, true, true])
  })

  it('the two directions are claimed by themselves', () => {
    const program = gen(function* () {
      const [here, there] = yield* MemoryStream.pair<number>(5)
      const receiving = pipe(here, Layer.through(plusOne))
      const sending = Stream.into(Transducer.map((n: number) => n * 10))(here)
      yield* there.send(1)
      yield* sending.send(1)
      return [yield* receiving.receive, yield* there.receive, (yield* ending(receiving.send(1))).slice(0, 3)]
    })
    expect(run(program)).to.deep.equal([2, 10, 'Die'])
  })

  it('closing wakes a wait on the layer above and on the stream below, and drops what was decoded', () => {
    for (const which of ['above', 'below', 'between'] as const) {
      expectAll(
        () =>
          TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              const [here] = yield* MemoryByteStream.pair()
              const text = pipe(here, Layer.through(Text.layer()))
              const lines = pipe(text, Layer.through(Lines.layer()))
              const waiting = yield* group.spawn(ending(lines.receive))
              yield* Effect.sleep(1)
              yield* { above: lines, below: here, between: text }[which].close
              return yield* waiting.join
            })
          ),
        { exit: 'ok(Fail(ClosedResource))' }
      )
    }
    const dropped = gen(function* () {
      const { stream } = yield* MemoryByteStream.scripted(['a\nb\n'])
      const lines = pipe(stream, Layer.through(Text.layer()), Layer.through(Lines.layer()))
      const first = yield* lines.receive
      yield* lines.close
      return [
        first,
        yield* ending(lines.receive),
        yield* ending(lines.send('x')),
        yield* ending(lines.sendEof)
      ]
    })
    expect(run(dropped)).to.deep.equal(['a', ...Array.from({ length: 3 }, () => 'Fail(ClosedResource)')])
  })

  it('sendEof sends what the encoder holds, once; a plain close drops it', () => {
    const program = (end: 'sendEof' | 'close') =>
      gen(function* () {
        const [here, there] = yield* MemoryStream.pair<ReadonlyArray<number>>(9)
        const pairs = pipe(
          here,
          Layer.through(
            Layer.fromTransducers({
              decode: Transducer.identity<ReadonlyArray<number>>(),
              encode: Transducer.chunksOf<number>(2)
            })
          )
        )
        for (const n of [1, 2, 3]) yield* pairs.send(n)
        yield* pairs[end]
        if (end === 'sendEof') yield* pairs.sendEof
        return yield* Stream.collect(there)
      })
    expect(run(program('sendEof'))).to.deep.equal([[1, 2], [3]])
    expect(run(program('close'))).to.deep.equal([[1, 2]])
  })

  it('a send that is cancelled was not sent, and has not moved the encoder; half of an item goes before the next', () => {
    const program = gen(function* () {
      const [send, receive] = yield* MemoryStream.make<number>(0)
      const sums = pipe(
        send,
        Stream.into(
          pipe(
            Transducer.scan(0, (sum: number, n: number) => sum + n),
            Transducer.compose(
              Transducer.flush(
                0,
                (_: number, n: number): readonly [number, ReadonlyArray<number>] => [n, [n, -n]],
                () => []
              )
            )
          )
        )
      )
      const cut = yield* pipe(sums.send(100), Timeout.moveOnAfter(10))
      return yield* TaskGroup.open<unknown>()((group) =>
        gen(function* () {
          const half = yield* group.spawn(pipe(sums.send(1), Timeout.moveOnAfter(10)))
          const one = yield* receive.receive
          yield* half.wait
          yield* group.spawn(sums.send(2))
          return [cut, one, yield* receive.receive, yield* receive.receive, yield* receive.receive]
        })
      )
    })
    expect(run(program)).to.deep.equal([O.none, 1, -1, 3, -3])
  })

  it('senders wait in line: their items are not mixed', () => {
    expectAll(
      () =>
        gen(function* () {
          const [send, receive] = yield* MemoryStream.make<string>(0)
          const doubled = pipe(
            send,
            Stream.into(
              Transducer.flush(
                '',
                (_: string, s: string): readonly [string, ReadonlyArray<string>] => [s, [s, s]],
                () => []
              )
            )
          )
          const got = yield* TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              yield* group.spawn(doubled.send('a'))
              yield* group.spawn(doubled.send('b'))
              const all: Array<string> = []
              for (let i = 0; i < 4; i++) all.push(yield* receive.receive)
              return all.join('')
            })
          )
          return got === 'aabb' || got === 'bbaa'
        }),
      { exit: 'ok(true)' }
    )
  })

  it('receivers wait in line, also under a layer', () => {
    expectAll(
      () =>
        TaskGroup.open<unknown>()((group) =>
          gen(function* () {
            const [send, receive] = yield* MemoryStream.make<number>(0)
            const above = pipe(receive, Stream.via(Transducer.filter((n: number) => n > 1)))
            const got: Array<number> = []
            const tasks = []
            for (let i = 0; i < 3; i++) {
              tasks.push(
                yield* group.spawn(
                  Effect.map((n: number) => {
                    got.push(n)
                  })(above.receive)
                )
              )
              yield* Effect.sleep(1)
            }
            yield* tasks[1]?.cancel() ?? Effect.unit
            for (const n of [1, 2, 3]) yield* send.send(n)
            for (const task of tasks) yield* task.wait
            return got.join()
          })
        ),
      { exit: 'ok(2,3)' }
    )
  })

  it('a function that throws is a defect, now and later', () => {
    const program = gen(function* () {
      const source = yield* Stream.fromIterable([1, 2])
      const above = pipe(
        source,
        Stream.map((n: number) => {
          if (n === 1) throw new Error('oops')
          return n
        })
      )
      return [yield* ending(above.receive), yield* ending(above.receive)]
    })
    expect(run(program)).to.deep.equal(['Die(Error: oops)', 'Die(Error: oops)'])
  })

  it('take receives no more than it gives, and take(0) nothing', () => {
    const program = gen(function* () {
      const source = yield* Stream.fromIterable([1, 2, 3])
      const none = yield* Stream.collect(Stream.take(0)(source))
      const [, rest] = [none, yield* Stream.fromIterable([1, 2, 3])]
      const two = yield* pipe(rest, Stream.take(2), (stream) => stream.receiveMany(10))
      return [none, two, yield* rest.receive]
    })
    expect(run(program)).to.deep.equal([[], [1], 2])
  })

  it('mapError changes the failures of the layer, not those from below', () => {
    const program = gen(function* () {
      const failing = ObjectStream.receiveStream({ receive: Effect.fail({ _tag: 'Below' as const }) })
      const short = pipe(
        Lines.layer({ maxLength: 1 }),
        Layer.mapError((_: StreamError.DelimiterNotFound) => ({ _tag: 'TooLong' as const }))
      )
      const long = yield* Stream.fromIterable(['abc'])
      return [
        yield* ending(pipe(failing, Layer.through(short)).receive),
        yield* ending(pipe(long, Layer.through(short)).receive)
      ]
    })
    expect(run(program)).to.deep.equal(['Fail(Below)', 'Fail(TooLong)'])
  })

  it('mapError of a layer with a set-up leaves what its user fails with alone', () => {
    const refusing = Layer.duplex((_: Layer.Wire<number>) =>
      Resource.fromEffect(Effect.fail('refused') as Effect.Effect<unknown, string, Layer.Wire<number>>)
    )
    const program = gen(function* () {
      const [here] = yield* MemoryStream.pair<number>(1)
      const [there] = yield* MemoryStream.pair<number>(1)
      const renamed = pipe(
        refusing,
        Layer.mapError((e: string) => `${e}!`)
      )
      const open = pipe(
        Layer.duplex((wire: Layer.Wire<number>) => Resource.of(wire)),
        Layer.mapError((_: never) => 'never')
      )
      return [
        yield* ending(
          pipe(
            here,
            Layer.through(renamed),
            Resource.use(() => Effect.unit)
          )
        ),
        yield* ending(
          pipe(
            there,
            Layer.through(open),
            Resource.use(() => Effect.fail('mine'))
          )
        ),
        yield* ending(here.receive),
        yield* ending(there.receive)
      ]
    })
    expect(run(program)).to.deep.equal([
      'Fail(refused!)',
      'Fail(mine)',
      'Fail(ClosedResource)',
      'Fail(ClosedResource)'
    ])
  })
})

describe('Text', () => {
  const decoded = (chunks: ReadonlyArray<Uint8Array>, options: Text.Options = {}) =>
    gen(function* () {
      const source = yield* Stream.fromIterable(chunks)
      const above = pipe(source, Layer.through(Text.layer(options)))
      const got: Array<string> = []
      for (;;) {
        const exit = yield* Effect.exit(above.receive)
        if (exit._tag === 'Left') return [...got, show(exit)]
        got.push(exit.right)
      }
    })

  it('ST-19: half a character waits for the rest; what is complete is given at once; never an empty string', () => {
    const euro = bytes('a€b')
    const chunks = [euro.subarray(0, 2), euro.subarray(2, 3), euro.subarray(3, 4), euro.subarray(4)]
    expect(run(decoded(chunks))).to.deep.equal(['a', '€', 'b', 'Fail(EndOfStream)'])
  })

  it('ST-20: sends in the chosen encoding; goes both ways over a stapled pair, and attributes pass', () => {
    const side = Attribute.attribute<string>()('test/side')
    const program = gen(function* () {
      const [input, output] = [
        yield* MemoryByteStream.scripted([new Uint8Array([0xe9])]),
        yield* MemoryByteStream.scripted([])
      ]
      const stapled = Stapled.bytes(input.stream, output.stream)
      const text = pipe(
        stapled,
        ObjectStream.withAttributes(Attributes.of(side, () => 'left')),
        Layer.through(Text.layer('latin1'))
      )
      yield* text.send('ü')
      return [yield* text.receive, [...(yield* output.sent)], Provider.extra(side)(text)]
    })
    expect(run(program)).to.deep.equal(['é', [0xfc], 'left'])
  })

  it('ST-21: strict fails and replace substitutes, on decoding and on encoding', () => {
    const sent = (options: Text.Options, ...texts: ReadonlyArray<string>) =>
      gen(function* () {
        const { stream, sent } = yield* MemoryByteStream.scripted([])
        const text = pipe(stream, Layer.through(Text.layer(options)))
        for (const item of texts) {
          const end = yield* ending(text.send(item))
          if (end !== 'ok()') return end
        }
        const end = yield* ending(text.sendEof)
        return end === 'ok()' ? [...(yield* sent)] : end
      })
    expect(run(decoded([new Uint8Array([0x61, 0xff, 0x62])]))).to.deep.equal(['a', 'Fail(DecodeFailed)'])
    expect(run(decoded([new Uint8Array([0x61, 0xff, 0x62])], { errors: 'replace' }))).to.deep.equal([
      'a\uFFFDb',
      'Fail(EndOfStream)'
    ])
    expect(run(decoded([bytes('€').subarray(0, 2)]))).to.deep.equal(['Fail(IncompleteRead)'])
    expect(run(decoded([bytes('€').subarray(0, 2)], { errors: 'replace' }))).to.deep.equal([
      '\uFFFD',
      'Fail(EndOfStream)'
    ])
    expect(run(sent({}, 'a\ud800b'))).to.equal('Fail(DecodeFailed)')
    expect(run(sent({}, '\ud83d', '\ude00'))).to.deep.equal([...bytes('😀')])
    expect(run(sent({}, 'a\ud83d'))).to.equal('Fail(DecodeFailed)')
    expect(run(sent({ errors: 'replace' }, 'a\ud800b'))).to.deep.equal([...bytes('a\uFFFDb')])
    expect(run(sent({ encoding: 'latin1' }, '€'))).to.equal('Fail(DecodeFailed)')
    expect(run(sent({ encoding: 'latin1', errors: 'replace' }, '€😀'))).to.deep.equal([0x3f, 0x3f])
    expect(run(sent({ encoding: 'utf-16le', errors: 'replace' }, '\udc00a'))).to.deep.equal([
      0xfd, 0xff, 0x61, 0
    ])
  })

  it('drops a byte order mark at the beginning only; other encodings decode only; unknown ones throw', () => {
    expect(run(decoded([bytes('\uFEFFa\uFEFF')]))).to.deep.equal(['a\uFEFF', 'Fail(EndOfStream)'])
    expect(
      Transducer.run(Text.decode('shift_jis'))([new Uint8Array([0x82]), new Uint8Array([0xa0])]).outputs
    ).to.deep.equal(['あ'])
    expect(() => Text.layer('shift_jis')).to.throw(RangeError, 'only utf-8')
    expect(() => Text.decode('klingon')).to.throw(RangeError)
  })
})

describe('Json', () => {
  it('DecodeFailed carries the errors of io-ts, and is final; layerEither goes on', () => {
    const Row = t.type({ id: t.number })
    const program = gen(function* () {
      const { stream } = yield* MemoryByteStream.scripted(['{"id":"x"}\n{"id":1}\n'])
      const rows = pipe(stream, Layer.through(Json.lines(Row)))
      const failure = yield* Effect.either(rows.receive)
      const again = yield* ending(rows.receive)
      const lines = yield* Stream.fromIterable(['oops', '{"id":2}'])
      const either = yield* pipe(lines, Layer.through(Json.layerEither(Row)), Stream.collect)
      return [
        failure._tag === 'Left' && failure.left._tag === 'DecodeFailed'
          ? failure.left.errors[0]?.value
          : null,
        again,
        either.map(({ _tag }) => _tag)
      ]
    })
    expect(run(program)).to.deep.equal(['x', 'Fail(DecodeFailed)', ['Left', 'Right']])
  })

  it('what has no JSON fails the send', () => {
    const program = gen(function* () {
      const [send] = yield* MemoryStream.make<string>(1)
      const loop: { self?: unknown } = {}
      loop.self = loop
      const json = pipe(send, Layer.through(Json.layer(t.unknown)))
      return yield* ending(json.send(loop))
    })
    expect(run(program)).to.equal('Fail(DecodeFailed)')
  })
})

describe('what is nested too deeply for the stack', () => {
  interface Tree extends ReadonlyArray<Tree> {}
  const Tree: t.Type<Tree, unknown> = t.recursion('Tree', (self) => t.readonlyArray(self))
  const depth = 100_000
  const document = '['.repeat(depth) + ']'.repeat(depth)
  const deep = (): Tree => {
    let tree: Tree = []
    for (let i = 0; i < depth; i++) tree = [tree]
    return tree
  }

  const received = <I, A, E>(
    layer: Layer.SidedLayer<I, unknown, A, never, E>,
    items: ReadonlyArray<I>
  ): string =>
    run(
      gen(function* () {
        const stream = yield* Stream.fromIterable(items)
        const exit = yield* Effect.exit(pipe(stream, Layer.through(layer), Stream.collect))
        return exit._tag === 'Left' ? Cause.pretty(exit.left).replace(/ \{.*/s, '') : 'ok'
      })
    )
  const eithers = <I>(
    layer: Layer.SidedLayer<I, unknown, Either<unknown, unknown>, never, unknown>,
    items: ReadonlyArray<I>
  ): ReadonlyArray<string> =>
    run(
      gen(function* () {
        const stream = yield* Stream.fromIterable(items)
        return (yield* pipe(stream, Layer.through(layer), Stream.collect)).map(({ _tag }) => _tag)
      })
    )

  it('is DecodeFailed when it comes from a peer, and layerEither goes on', () => {
    expect(received(Json.layer(Tree), [document])).to.equal('Fail: DecodeFailed')
    expect(received(Codec.layer(Tree), [deep()])).to.equal('Fail: DecodeFailed')
    expect(received(Json.lines(Tree), [bytes(`[]\n${document}\n`)])).to.equal('Fail: DecodeFailed')
    expect(eithers(Json.layerEither(Tree), [document, '[]'])).to.deep.equal(['Left', 'Right'])
    expect(eithers(Codec.layerEither(Tree), [deep(), []])).to.deep.equal(['Left', 'Right'])
  })

  it('is no matter for a codec that does not go into it', () => {
    expect(received(Json.layer(t.unknown), [document])).to.equal('ok')
  })

  it('fails the send, for good as every failure of a layer', () => {
    const sent = (layer: Layer.SidedLayer<never, unknown, unknown, Tree, unknown>) =>
      run(
        gen(function* () {
          const [send, receive] = yield* MemoryStream.make<unknown>(1)
          const trees = pipe(send, Layer.through(layer))
          const seen = [yield* ending(trees.send(deep())), yield* ending(trees.send([]))]
          yield* Effect.andThen(receive.close)(trees.close)
          return seen
        })
      )
    for (const layer of [Json.layer(Tree), Json.layer(t.unknown), Codec.layer(Tree)]) {
      expect(sent(layer)).to.deep.equal(['Fail(DecodeFailed)', 'Fail(DecodeFailed)'])
    }
  })

  it('other errors of a codec stay defects', () => {
    const broken = new t.Type<number>(
      'broken',
      t.number.is,
      () => {
        throw new RangeError('Invalid array length')
      },
      t.identity
    )
    expect(received(Codec.layer(broken), [1])).to.match(/^Die: RangeError: Invalid array length/)
  })
})

describe('Stapled', () => {
  it('ST-28: sends to one and receives from the other; attributes of both, those of the receiving side win', () => {
    const key = Attribute.attribute<string>()('test/key')
    const only = Attribute.attribute<string>()('test/only')
    const program = gen(function* () {
      const [send, receive] = yield* MemoryStream.make<number>(1)
      const stapled = Stapled.objects(
        pipe(receive, ObjectStream.withAttributes(Attributes.of(key, () => 'receiving'))),
        pipe(
          send,
          ObjectStream.withAttributes(
            pipe(
              Attributes.of(key, () => 'sending'),
              Attributes.extend(Attributes.of(only, () => 'sent'))
            )
          )
        )
      )
      yield* stapled.send(1)
      const got = yield* stapled.receive
      yield* stapled.sendEof
      const end = yield* ending(stapled.receive)
      yield* stapled.close
      return [
        got,
        end,
        Provider.extra(key)(stapled),
        Provider.extra(only)(stapled),
        yield* ending(send.send(2))
      ]
    })
    expect(run(program)).to.deep.equal([1, 'Fail(EndOfStream)', 'receiving', 'sent', 'Fail(ClosedResource)'])
  })
})
