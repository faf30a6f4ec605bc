/**
 * Laws (f) of layers: they form a category, being put on is natural, attributes shine through, and where bytes are cut is nothing that
 * can be seen.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import {
  Attribute,
  Attributes,
  Connectable,
  Effect,
  type Exit,
  Framing,
  Layer,
  Lines,
  Listener,
  MemoryStream,
  ObjectStream,
  Provider,
  Resource,
  Stapled,
  Stream,
  Text,
  Transducer
} from 'millrace'
import { type Check, endOf, firstOf, lawsOf, same } from './Check.js'
import { type LawSet, lawSet } from './LawSet.js'

type Fx<A> = Effect.Effect<unknown, unknown, A>
type Numbers = Layer.Symmetric<number, number, string>
type Duplex = ObjectStream.DuplexStream<number, number, unknown, object>

const group = 'layers'

/** Layers with memory, that filter, double, gather, add, and fail. */
const someLayers: ReadonlyArray<readonly [string, Numbers]> = [
  ['identity', Layer.identity<number>()],
  [
    'plus one',
    Layer.fromTransducers({
      decode: Transducer.map((n: number) => n + 1),
      encode: Transducer.map((n: number) => n - 1)
    })
  ],
  [
    'sums',
    Layer.fromTransducers({
      decode: Transducer.scan(0, (sum: number, n: number) => sum + n),
      encode: Transducer.scan(0, (sum: number, n: number) => sum + n)
    })
  ],
  [
    'odd ones',
    Layer.fromTransducers({
      decode: Transducer.filter((n: number) => n % 2 !== 0),
      encode: Transducer.filter((n: number) => n % 2 !== 0)
    })
  ],
  [
    'twice, and the last at the end',
    Layer.fromTransducers({
      decode: Transducer.flush(
        0,
        (_: number, n: number): readonly [number, ReadonlyArray<number>] => [n, [n, n]],
        (n) => [n]
      ),
      encode: Transducer.flush(
        0,
        (_: number, n: number): readonly [number, ReadonlyArray<number>] => [n, [n, n]],
        (n) => [n]
      )
    })
  ],
  [
    'the first three',
    Layer.fromTransducers({ decode: Transducer.take<number>(3), encode: Transducer.take<number>(3) })
  ],
  [
    'none above seven',
    Layer.fromTransducers({
      decode: Transducer.mapEither((n: number) =>
        n > 7 ? { _tag: 'Left', left: `${n} came` } : { _tag: 'Right', right: n }
      ),
      encode: Transducer.mapEither((n: number) =>
        n > 7 ? { _tag: 'Left', left: `${n} was sent` } : { _tag: 'Right', right: n }
      )
    })
  ]
]

const someLayer = fc.nat(someLayers.length - 1)
const pick = (i: number): Numbers => (someLayers[i] as readonly [string, Numbers])[1]
const numbers = fc.array(fc.nat(9), { maxLength: 8 })

interface Trace {
  readonly received: ReadonlyArray<unknown>
  readonly sent: ReadonlyArray<unknown>
  readonly closes: number
}

/** What a stack does on a stream with a script: what is received and sent, how each ends, and how often it is closed. */
const traceOf = (
  put: (wire: Duplex) => Duplex,
  incoming: ReadonlyArray<number>,
  outgoing: ReadonlyArray<number>
): Fx<Trace> =>
  Effect.gen(function* () {
    const source = yield* Stream.fromIterable(incoming)
    const sent: Array<unknown> = []
    let closes = 0
    const above = put(
      ObjectStream.duplexStream({
        receive: source.receive,
        send: (n: number) =>
          Effect.sync(() => {
            sent.push(n)
          }),
        sendEof: Effect.sync(() => {
          sent.push('eof')
        }),
        close: Effect.sync(() => {
          closes++
        })
      })
    )
    const received: Array<unknown> = []
    for (const n of outgoing) {
      const exit = yield* Effect.exit(above.send(n))
      if (exit._tag === 'Left') sent.push(endOf(exit))
    }
    const eof = yield* Effect.exit(above.sendEof)
    sent.push(endOf(eof))
    for (;;) {
      const got: Exit.Exit<unknown, number> = yield* Effect.exit(above.receive)
      received.push(got._tag === 'Right' ? got.right : endOf(got))
      if (got._tag === 'Left') break
    }
    yield* above.close
    yield* above.close
    return { received, sent, closes }
  })

const on =
  (...layers: ReadonlyArray<Numbers>) =>
  (wire: Duplex): Duplex =>
    layers.reduce((stream: Duplex, it) => it.both(stream), wire)

/** Two ways to put layers on, which nobody can tell apart. */
const equal = (
  name: string,
  sides: (pick: () => Numbers) => readonly [(wire: Duplex) => Duplex, (wire: Duplex) => Duplex]
): Check => ({
  name,
  on: (draw) =>
    Effect.gen(function* () {
      const [left, right] = sides(() => pick(draw(someLayer)))
      const [incoming, outgoing] = [draw(numbers), draw(numbers)]
      return same(yield* traceOf(left, incoming, outgoing), yield* traceOf(right, incoming, outgoing))
    })
})

const named = Attribute.attribute<string>()('laws/name')
const other = Attribute.attribute<number>()('laws/other')

const category = [
  equal('F1 compose(identity)(x) = x', (pick) => {
    const x = pick()
    return [on(pipe(x, Layer.compose(Layer.identity<number>()))), on(x)]
  }),
  equal('F2 compose(x)(identity) = x', (pick) => {
    const x = pick()
    return [on(pipe(Layer.identity<number>(), Layer.compose(x))), on(x)]
  }),
  equal('F3 compose(z)(compose(y)(x)) = compose(compose(z)(y))(x)', (pick) => {
    const [x, y, z] = [pick(), pick(), pick()]
    return [
      on(pipe(x, Layer.compose(y), Layer.compose(z))),
      on(pipe(x, Layer.compose(pipe(y, Layer.compose(z)))))
    ]
  }),
  equal('F4 through(compose(y)(x)) = through(x) and then through(y)', (pick) => {
    const [x, y] = [pick(), pick()]
    return [on(pipe(x, Layer.compose(y))), on(x, y)]
  }),
  equal('F5 stapled halves with a layer each = the layer on stapled halves', (pick) => {
    const x = pick()
    return [(wire) => Stapled.objects(x.receiving(wire), x.sending(wire)), on(x)]
  }),
  equal('F6 a layer that was used by hand before another is put on it = both at once', (pick) => {
    const [x, y] = [pick(), pick()]
    // Receiving in the stack below is what a fused stack does not do; here nothing was received yet.
    return [(wire) => y.both(Stapled.objects(x.both(wire), x.both(wire))), on(x, y)]
  })
]

const naturality: ReadonlyArray<Check> = [
  {
    name: 'F7 connect(through(x)(c)) = through(x)(connect(c))',
    on: (draw) =>
      Effect.gen(function* () {
        const [x, items] = [pick(draw(someLayer)), draw(numbers)]
        const there = Connectable.make(
          'memory://there',
          Resource.fromEffect(
            Effect.map((stream: ObjectStream.ReceiveStream<number>) => stream)(Stream.fromIterable(items))
          )
        )
        const all = (stream: ObjectStream.ReceiveStream<number, unknown>) =>
          Effect.exit(Stream.collect(stream))
        const left = yield* pipe(there, Layer.through(x), Resource.use(all))
        const right = yield* pipe(there, Resource.map(Layer.through(x)), Resource.use(all))
        return same(left, right)
      })
  },
  {
    name: 'F8 serve(h)(through(x)(l)) = serve(s => h(through(x)(s)))(l)',
    on: (draw) =>
      Effect.gen(function* () {
        const [x, items] = [pick(draw(someLayer)), draw(numbers)]
        const serve = (
          run: (
            listener: Listener.Listener<ObjectStream.DuplexStream<number, number, unknown>>,
            handler: (stream: ObjectStream.DuplexStream<number, number, unknown>) => Fx<unknown>
          ) => Fx<unknown>
        ): Fx<unknown> =>
          Effect.gen(function* () {
            const [arrive, arrivals] =
              yield* MemoryStream.make<ObjectStream.DuplexStream<number, number, unknown>>(3)
            const [here, there] = yield* MemoryStream.pair<number>(20)
            yield* Effect.forEach(here.send)(items)
            yield* here.sendEof
            yield* arrive.send(there)
            yield* arrive.close
            const listener = Listener.make({
              accept: Effect.mapError(() => ({ _tag: 'ClosedResource', resource: 'l' }) as const)(
                arrivals.receive
              ),
              closeStream: (stream: ObjectStream.DuplexStream<number, number, unknown>) => stream.close,
              close: arrivals.close
            })
            const seen: Array<unknown> = []
            yield* Effect.exit(
              run(listener, (stream) =>
                Effect.map((exit) => {
                  seen.push(exit)
                })(Effect.exit(Stream.collect(stream)))
              )
            )
            // The handler has ended, so its connection is closed.
            return [seen, endOf(yield* Effect.exit(here.receive))]
          })
        return same(
          yield* serve((listener, handler) => pipe(listener, Layer.through(x), Listener.serve(handler))),
          yield* serve((listener, handler) =>
            pipe(
              listener,
              Listener.serve((stream) => handler(pipe(stream, Layer.through(x))))
            )
          )
        )
      })
  },
  {
    name: 'F9 a set-up that fails closes what is below, once, and fails that connection only',
    on: () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const refusing = Layer.duplex((_: Layer.Wire<number>) =>
          Resource.fromEffect(
            Effect.andThen(Effect.fail('refused') as Effect.Effect<unknown, string, Layer.Wire<number>>)(
              Effect.sleep(1)
            )
          )
        )
        let left = 2
        const listener = Listener.make({
          accept: Effect.suspend(
            (): Effect.Effect<
              unknown,
              { readonly _tag: 'ClosedResource'; readonly resource: string },
              Duplex
            > =>
              left-- > 0
                ? Effect.succeed(
                    ObjectStream.duplexStream({
                      receive: Effect.never,
                      send: () => Effect.unit,
                      sendEof: Effect.unit,
                      close: Effect.sync(() => log.push('closed'))
                    })
                  )
                : Effect.fail({ _tag: 'ClosedResource', resource: 'l' })
          ),
          closeStream: (stream) => stream.close,
          close: Effect.unit
        })
        const served = yield* Effect.exit(
          pipe(
            listener as Listener.Listener<ObjectStream.DuplexStream<number, number, unknown>>,
            Layer.through(refusing),
            Listener.serve(() => Effect.unit, {
              onError: (cause) =>
                Effect.sync(() => {
                  log.push(`failed ${endOf({ _tag: 'Left', left: cause })}`)
                })
            })
          )
        )
        return firstOf([
          same([...log].sort(), ['closed', 'closed', 'failed "refused"', 'failed "refused"']),
          same(endOf(served), 'ClosedResource')
        ])
      })
  }
]

const attributes: ReadonlyArray<Check> = [
  {
    name: 'F10 attributes below shine through, those of a layer win, the upper layer over the lower',
    on: (draw) =>
      Effect.gen(function* () {
        const x = pipe(pick(draw(someLayer)), Layer.withAttributes(Attributes.of(named, () => 'lower')))
        const y = pipe(pick(draw(someLayer)), Layer.withAttributes(Attributes.of(named, () => 'upper')))
        const wire = pipe(
          yield* Stream.fromIterable([1]),
          ObjectStream.withAttributes(
            pipe(
              Attributes.of(named, (): string => {
                throw new Error('an overridden attribute was computed')
              }),
              Attributes.extend(Attributes.of(other, () => 1))
            )
          )
        )
        const one = pipe(wire, Layer.through(x))
        const two = pipe(one, Layer.through(y))
        return same(
          [Provider.extra(named)(one), Provider.extra(named)(two), Provider.extra(other)(two)],
          ['lower', 'upper', 1]
        )
      })
  },
  {
    name: 'F11 putting a layer on computes no attribute',
    on: (draw) =>
      Effect.gen(function* () {
        let asked = 0
        const wire = pipe(
          yield* Stream.fromIterable([1]),
          ObjectStream.withAttributes(Attributes.of(other, () => ++asked))
        )
        const above = pipe(wire, Layer.through(pick(draw(someLayer))), Layer.through(pick(draw(someLayer))))
        yield* Effect.exit(Stream.collect(above))
        return same([asked, Provider.extra(other)(above), Provider.extra(other)(above)], [0, 1, 2])
      })
  }
]

/** All that a layer receives from these chunks, and how it ends. */
const receivedFrom = <A, E>(
  layer: Layer.Symmetric<Uint8Array, A, E>,
  chunks: ReadonlyArray<Uint8Array>
): Fx<readonly [items: ReadonlyArray<A>, end: string]> =>
  Effect.gen(function* () {
    const above = pipe(yield* Stream.fromIterable(chunks), Layer.through(layer))
    const items: Array<A> = []
    for (;;) {
      const got: Exit.Exit<unknown, A> = yield* Effect.exit(above.receive)
      if (got._tag === 'Left') return [items, endOf(got)] as const
      items.push(got.right)
    }
  })

/** Pieces of characters of one to four bytes, of line ends, and of headers. */
const piecesOfText = fc.array(
  fc.constantFrom(
    [97],
    [10],
    [13, 10],
    [0xe2, 0x82, 0xac],
    [0xf0, 0x9f, 0x98, 0x80],
    [2, 97, 98],
    [0xe2],
    [0x80]
  ),
  { maxLength: 8 }
)

const chunks: ReadonlyArray<Check> = [
  {
    name: 'F12 however the bytes are cut, text, lines and frames are the same, and so is the end',
    on: (draw) =>
      Effect.gen(function* () {
        const whole = Uint8Array.from(draw(piecesOfText).flat())
        const cuts = draw(fc.array(fc.nat(whole.length), { maxLength: 8 }))
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length]
        const pieces = at.slice(1).map((end, i) => whole.subarray(at[i], end))
        const cut = pieces.filter(({ length }) => length > 0)
        const uncut = whole.length > 0 ? [whole] : []
        const text = (bytes: ReadonlyArray<Uint8Array>) =>
          Effect.map(([items, end]: readonly [ReadonlyArray<string>, string]) => [items.join(''), end])(
            receivedFrom(Text.layer(), bytes)
          )
        const lines = pipe(Text.layer({ errors: 'replace' }), Layer.compose(Lines.layer({ maxLength: 4 })))
        const frames = Framing.lengthPrefixed({ header: 'uint8', maxBytes: 100 })
        return firstOf([
          same(yield* text(cut), yield* text(uncut), 'text'),
          same(yield* receivedFrom(lines, cut), yield* receivedFrom(lines, uncut), 'lines'),
          same(yield* receivedFrom(frames, cut), yield* receivedFrom(frames, uncut), 'frames')
        ])
      })
  }
]

/**
 * What holds for every layer.
 *
 * @category law sets
 * @since 0.1.0
 */
export const layers: LawSet = lawSet(
  group,
  lawsOf(group, [...category, ...naturality, ...attributes, ...chunks])
)
