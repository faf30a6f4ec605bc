/**
 * A suite for layers over bytes of your own: however the bytes are cut, the same items come out.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Layer, StreamError } from 'millrace'
import { Attribute, Attributes, Effect, ObjectStream, Provider, Stream, Timeout } from 'millrace'
import { MemoryByteStream } from 'millrace/testing'
import { type Check, endOf, firstOf, lawsOf, same } from './Check.js'
import { type LawSet, lawSet } from './LawSet.js'

type Fx<A> = Effect.Effect<unknown, unknown, A>
type Bytes = Uint8Array

/**
 * What a layer claims.
 *
 * @category model
 * @since 0.1.0
 */
export interface LayerClaims<Item> {
  /** Of the set. */
  readonly name?: string
  readonly layer: Layer.SidedLayer<Bytes, Bytes, Item, Item, unknown, object>
  /** What can be sent. */
  readonly items: fc.Arbitrary<ReadonlyArray<Item>>
  /** Bytes that nobody has encoded, of which the layer may make what it likes; any bytes when absent. */
  readonly garbage?: fc.Arbitrary<Bytes>
  /** Where items are not framed: what counts is what they are together. */
  readonly join?: (items: ReadonlyArray<Item>) => unknown
  /** A failure is final; true when absent. */
  readonly final?: boolean
}

/** Cuts at these places, with empty chunks here and there. */
const cutAt = (bytes: Bytes, places: ReadonlyArray<number>): ReadonlyArray<Bytes> => {
  const borders = [0, ...[...places].map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return borders.slice(1).map((to, i) => bytes.subarray(borders[i], to))
}

const oneByOne = (bytes: Bytes): ReadonlyArray<Bytes> => Array.from(bytes, (byte) => new Uint8Array([byte]))

interface Outcome<Item> {
  readonly items: ReadonlyArray<Item>
  readonly end: string
}

/** All that a stream gives, and how it ends. */
const drain = <Item>(stream: ObjectStream.ReceiveStream<Item, unknown, object>): Fx<Outcome<Item>> =>
  Effect.gen(function* () {
    const items: Array<Item> = []
    for (;;) {
      const got = yield* Effect.exit(stream.receive)
      if (got._tag === 'Left') return { items, end: endOf(got) }
      items.push(got.right)
    }
  })

const counter = Attribute.attribute<number>()('laws/counter')

/**
 * The checks by themselves.
 *
 * @category checks
 * @since 0.1.0
 */
export const layerChecks = <Item>(claims: LayerClaims<Item>): ReadonlyArray<Check> => {
  const { layer, items, garbage = fc.uint8Array({ maxLength: 40 }), join, final = true } = claims
  const shown = ({ items, end }: Outcome<Item>): unknown => [join === undefined ? items : join(items), end]
  const decode = (chunks: ReadonlyArray<Bytes>): Fx<Outcome<Item>> =>
    Effect.flatMap((wire: ObjectStream.ReceiveStream<Bytes>) => drain(layer.receiving(wire)))(
      Stream.fromIterable(chunks)
    )
  const encode = (all: ReadonlyArray<Item>): Fx<Bytes> =>
    Effect.gen(function* () {
      const { stream, sent } = yield* MemoryByteStream.scripted([])
      const above = layer.sending(stream)
      yield* Effect.forEach((item: Item) => above.send(item))(all)
      yield* Stream.finish(above)
      return yield* sent
    })
  const places = fc.array(fc.nat(200), { maxLength: 12 })

  return [
    {
      name: 'V1 what is sent is received',
      on: (draw) =>
        Effect.gen(function* () {
          const all = draw(items)
          const got = yield* decode([yield* encode(all)])
          return same(shown(got), shown({ items: all, end: 'EndOfStream' }))
        })
    },
    {
      name: 'V2 however the bytes are cut, the same items come out, and the same end',
      on: (draw) =>
        Effect.gen(function* () {
          const good = yield* encode(draw(items))
          const kind = draw(fc.nat(2))
          const bytes =
            kind === 0 ? good : kind === 1 ? good.subarray(0, draw(fc.nat(good.length))) : draw(garbage)
          const whole = shown(yield* decode([bytes]))
          return firstOf([
            same(shown(yield* decode(cutAt(bytes, draw(places)))), whole),
            same(shown(yield* decode(oneByOne(bytes))), whole, 'byte by byte')
          ])
        })
    },
    {
      name: 'V3 an end in the middle is a typed failure, and what came before it is received',
      on: (draw) =>
        Effect.gen(function* () {
          const all = draw(items)
          const bytes = yield* encode(all)
          const { items: got, end } = yield* decode([bytes.subarray(0, draw(fc.nat(bytes.length)))])
          if (end === 'defect' || end === 'cancelled' || end === 'value') return `it ended with ${end}`
          return join === undefined
            ? same(got.slice(0, got.length - 1), all.slice(0, Math.max(0, got.length - 1)))
            : null
        })
    },
    {
      name: 'V4 a receive that was cancelled has taken nothing',
      on: (draw) =>
        Effect.gen(function* () {
          const bytes = yield* encode(draw(items))
          const chunks = cutAt(bytes, draw(places))
          const source = yield* Stream.fromIterable(chunks)
          const slow = ObjectStream.receiveStream({
            receive: Effect.andThen(source.receive)(Effect.sleep(3)),
            close: source.close
          })
          const above = layer.receiving(slow)
          const got: Array<Item> = []
          for (;;) {
            // Cut short in the middle of most waits.
            const some = yield* Effect.exit(
              Timeout.moveOnAfter(draw(fc.integer({ min: 1, max: 8 })))(above.receive)
            )
            if (some._tag === 'Left')
              return same(shown({ items: got, end: endOf(some) }), shown(yield* decode([bytes])))
            const item: Option<Item> = some.right
            if (item._tag === 'Some') got.push(item.value)
          }
        })
    },
    {
      name: 'V5 nothing is read ahead: an item costs no more receives below than it needs',
      on: (draw) =>
        Effect.gen(function* () {
          const chunks = cutAt(yield* encode(draw(items)), draw(places))
          let received = 0
          const source = yield* Stream.fromIterable(chunks)
          const counted = ObjectStream.receiveStream({
            receive: Effect.map((chunk: Bytes) => {
              received++
              return chunk
            })(source.receive)
          })
          const above = layer.receiving(counted)
          for (let wanted = 1; ; wanted++) {
            const got = yield* Effect.exit(above.receive)
            if (got._tag === 'Left') return null
            const before = received - 1
            if (before < 0) return 'an item out of nothing'
            // With one chunk less there were not as many items.
            const { items: fewer } = yield* decodePrefix(chunks.slice(0, before))
            if (fewer >= wanted) return `${received} chunks for ${wanted} items, where ${before} do`
          }
        })
    },
    {
      name: 'V6 a failure is final',
      on: (draw) =>
        Effect.gen(function* () {
          if (!final) return null
          const source = yield* Stream.fromIterable([draw(garbage), draw(garbage)])
          const above = layer.receiving(source)
          const { end } = yield* drain(above)
          const again = [
            endOf(yield* Effect.exit(above.receive)),
            endOf(yield* Effect.exit(above.receiveMany(2)))
          ]
          return same(again, [end, end])
        })
    },
    {
      name: 'V7 closing closes what is below, and every operation fails as closed then',
      on: (draw) =>
        Effect.gen(function* () {
          const bytes = yield* encode(draw(items))
          const [here] = yield* MemoryByteStream.pair()
          const { stream } = yield* MemoryByteStream.scripted([bytes])
          const above = layer.receiving(stream)
          yield* Effect.exit(above.receive)
          yield* above.close
          yield* above.close
          const both = layer.both(here)
          yield* both.close
          return same(
            [
              endOf(yield* Effect.exit(above.receive)),
              endOf(yield* Effect.exit(stream.receive)),
              endOf(yield* Effect.exit(both.receive)),
              endOf(yield* Effect.exit(both.sendEof))
            ],
            ['ClosedResource', 'ClosedResource', 'ClosedResource', 'ClosedResource']
          )
        })
    },
    {
      name: 'V8 attributes shine through, and none is computed before it is asked for',
      on: () =>
        Effect.gen(function* () {
          let asked = 0
          const [here] = yield* MemoryByteStream.pair()
          const wire = pipe(here, ObjectStream.withAttributes(Attributes.of(counter, () => ++asked)))
          const above = layer.both(wire)
          const before = asked
          return same(
            [before, pipe(above as Provider.Provider, Provider.lookup(counter))],
            [0, { _tag: 'Some', value: 1 }]
          )
        })
    },
    {
      name: 'V9 what it was put on belongs to it',
      on: () =>
        Effect.gen(function* () {
          const wire = yield* Stream.fromIterable([new Uint8Array([1])])
          const [first, second] = [layer.receiving(wire), layer.receiving(wire)]
          yield* Effect.exit(first.receive)
          return same(endOf(yield* Effect.exit(second.receive)), 'defect')
        })
    }
  ]

  /** How many items come of these chunks while more may follow. */
  function decodePrefix(chunks: ReadonlyArray<Bytes>): Fx<{ readonly items: number }> {
    return Effect.gen(function* () {
      const source = yield* Stream.fromIterable(chunks)
      const stalled = ObjectStream.receiveStream({
        receive: Effect.orElse((_: StreamError.EndOfStream) => Effect.never)(source.receive)
      })
      const above = layer.receiving(stalled)
      let n = 0
      for (;;) {
        const got = yield* Timeout.moveOnAfter(1)(above.receive)
        if (got._tag === 'None') return { items: n }
        n++
      }
    })
  }
}

/**
 * The suite as laws.
 *
 * @category law sets
 * @since 0.1.0
 */
export const layer = <Item>(claims: LayerClaims<Item>): LawSet => {
  const name = claims.name ?? 'layer'
  return lawSet(name, lawsOf(name, layerChecks(claims)))
}
