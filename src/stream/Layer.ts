/**
 * `Layer<WireIn, WireOut, In, Out, E, Attrs>`: a transformation of streams as a value. Below it `WireIn` comes in and
 * `WireOut` goes out; above it `In` comes in and `Out` goes out. It may fail with `E`, and adds the attributes `Attrs`.
 *
 * There are two strengths. A `Layer` may need both directions at once and a set-up, as a TLS handshake is; it goes on duplex
 * streams and on what yields them. A `SidedLayer` treats each direction by itself and needs no set-up; so it goes on a lone
 * receive stream or send stream as well. Every sided layer is a layer.
 *
 * A layer is put on with {@link through}, and on another layer with {@link compose}. The failures of a layer are final: after
 * one, every operation of that direction fails with it. What a layer was put on belongs to it.
 *
 * @since 0.1.0
 */
import type { Category4 } from 'fp-ts/lib/Category.js'
import { type Attributes, empty as noAttributes, extend } from '../attributes/Attributes.js'
import * as Effect from '../effect/Effect.js'
import * as Resource from '../scope/Resource.js'
import * as Connectable from './Connectable.js'
import { claimed, onceClosed, withFailure } from './internal/handles.js'
import { type Arrival, arrivals, arrivalsOf } from './internal/serving.js'
import { Decoding, Encoding, joined } from './internal/transduced.js'
import type { Listener } from './Listener.js'
import type { DuplexStream, ReceiveStream, SendStream } from './ObjectStream.js'
import * as Transducer from './Transducer.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

declare const LayerTypeId: unique symbol

/**
 * A transformation of duplex streams.
 *
 * @category model
 * @since 0.1.0
 */
export interface Layer<in WireIn, out WireOut, out In, in Out, out E = never, out Attrs extends object = {}> {
  /** Never there at run time: says the types once, plainly. */
  readonly [LayerTypeId]: readonly [
    (a: WireIn) => void,
    () => WireOut,
    () => In,
    (a: Out) => void,
    () => E,
    () => Attrs
  ]
  /**
   * Puts the layer on a stream and takes that over, also when the set-up fails: the stream is closed then, and at the end of
   * the resource.
   */
  readonly open: <E0, Row extends object>(
    wire: DuplexStream<WireIn, WireOut, E0, Row>
  ) => Resource.Resource<unknown, E0 | E, DuplexStream<In, Out, E0 | E, Row & Attrs>>
}

/**
 * A transformation of each direction by itself.
 *
 * @category model
 * @since 0.1.0
 */
export interface SidedLayer<
  in WireIn,
  out WireOut,
  out In,
  in Out,
  out E = never,
  out Attrs extends object = {}
> extends Layer<WireIn, WireOut, In, Out, E, Attrs> {
  readonly receiving: <E0, Row extends object>(
    wire: ReceiveStream<WireIn, E0, Row>
  ) => ReceiveStream<In, E0 | E, Row & Attrs>
  readonly sending: <E0, Row extends object>(
    wire: SendStream<WireOut, E0, Row>
  ) => SendStream<Out, E0 | E, Row & Attrs>
  readonly both: <E0, Row extends object>(
    wire: DuplexStream<WireIn, WireOut, E0, Row>
  ) => DuplexStream<In, Out, E0 | E, Row & Attrs>
}

/**
 * A sided layer with the same types in both directions, the common case: `Symmetric<Uint8Array, string>`.
 *
 * @category model
 * @since 0.1.0
 */
export type Symmetric<Wire, Item, E = never, Attrs extends object = {}> = SidedLayer<
  Wire,
  Wire,
  Item,
  Item,
  E,
  Attrs
>

/**
 * Whatever the stream below a layer fails with, as the inside of the layer sees it: it is passed on, and nobody can look into
 * it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Below {
  readonly _tag: 'Below'
}

/**
 * What a layer is put on, as its inside sees it: `(wire: Layer.Wire<string>) => …`.
 *
 * @category model
 * @since 0.1.0
 */
export type Wire<In, Out = In> = DuplexStream<In, Out, Below>

/** Where streams travel without their types; the signatures say them. */
type AnyReceive = ReceiveStream<unknown, unknown>
type AnySend = SendStream<never, unknown>
type AnyDuplexStream = DuplexStream<unknown, never, unknown>
type AnyResource = Resource.Resource<unknown, unknown, AnyDuplexStream>

interface Opening {
  readonly open: (wire: AnyDuplexStream) => AnyResource
}

interface Sided extends Opening {
  readonly receiving: (wire: AnyReceive) => AnyReceive
  readonly sending: (wire: AnySend) => AnySend
  readonly both: (wire: AnyDuplexStream) => AnyDuplexStream
}

const typed = <L>(layer: Opening): L => layer as unknown as L
const untyped = (layer: object): Opening | Sided => layer as Opening | Sided
const isSided = (layer: Opening | Sided): layer is Sided => 'receiving' in layer

const sidedLayer = (
  receiving: (wire: AnyReceive) => AnyReceive,
  sending: (wire: AnySend) => AnySend
): Sided => {
  const both = (wire: AnyDuplexStream): AnyDuplexStream => {
    const above = sending(wire)
    const below = receiving(wire)
    // Each half closes the wire, which happens once.
    const close = Effect.ensuring(below.close)(above.close)
    return joined(below, above as SendStream<unknown, unknown>, close, below.attributes)
  }
  return {
    receiving,
    sending,
    both,
    open: (wire) => Resource.closing(Effect.sync(() => both(onceClosed(wire))))
  }
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Changes nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const identity = <In, Out = In>(): SidedLayer<In, Out, In, Out> =>
  fromTransducers({ decode: Transducer.identity<In>(), encode: Transducer.identity<Out>() })

/**
 * A transducer a direction: for what is pure. Layers made of these fuse when they are composed or put on each other.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Layer, Stream, Transducer } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const celsius = Layer.fromTransducers({
 *   decode: Transducer.map((fahrenheit: number) => ((fahrenheit - 32) * 5) / 9),
 *   encode: Transducer.map((celsius: number) => (celsius * 9) / 5 + 32)
 * })
 * const program = Effect.gen(function* () {
 *   const readings = yield* Stream.fromIterable([32, 212])
 *   return yield* pipe(readings, Layer.through(celsius), Stream.collect)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([0, 100]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromTransducers = <WireIn, In, E, Out, WireOut, E2, Attrs extends object = {}>(spec: {
  readonly decode: Transducer.Transducer<WireIn, In, E>
  readonly encode: Transducer.Transducer<Out, WireOut, E2>
  readonly attributes?: Attributes<Attrs>
}): SidedLayer<WireIn, WireOut, In, Out, E | E2, Attrs> => {
  const added: Attributes = spec.attributes ?? noAttributes
  return typed(
    sidedLayer(
      (wire) =>
        new Decoding(wire as ReceiveStream<WireIn, unknown>, spec.decode, extend(added)(wire.attributes)),
      (wire) =>
        new Encoding(
          wire as SendStream<WireOut, unknown>,
          spec.encode,
          extend(added)(wire.attributes)
        ) as AnySend
    )
  )
}

/**
 * A function of streams a direction: for directions that are independent, but not pure, such as a compressor of the host. What
 * each function returns has taken its wire over: its `close` closes the wire. The attributes of these streams are those that
 * are added.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Layer, ObjectStream, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Waits a while after each item that comes in.
 * const slow = Layer.sided({
 *   receiving: (wire: ObjectStream.ReceiveStream<string, Layer.Below>) =>
 *     ObjectStream.receiveStream({ receive: Effect.tap(() => Effect.sleep(10))(wire.receive), close: wire.close }),
 *   sending: (wire: ObjectStream.SendStream<string, Layer.Below>) => wire
 * })
 * const program = Effect.gen(function* () {
 *   const [letters, before] = [yield* Stream.fromIterable(['a', 'b']), yield* Effect.currentTime]
 *   yield* pipe(letters, Layer.through(slow), Stream.drain)
 *   return (yield* Effect.currentTime) - before
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(20))
 *
 * @category constructors
 * @since 0.1.0
 */
export const sided = <WireIn, In, E, Out, WireOut, E2, Attrs extends object = {}>(spec: {
  readonly receiving: (wire: ReceiveStream<WireIn, Below>) => ReceiveStream<In, E>
  readonly sending: (wire: SendStream<WireOut, Below>) => SendStream<Out, E2>
  readonly attributes?: Attributes<Attrs>
}): SidedLayer<WireIn, WireOut, In, Out, Exclude<E | E2, Below>, Attrs> => {
  const added: Attributes = spec.attributes ?? noAttributes
  return typed(
    sidedLayer(
      (wire) => {
        const above = spec.receiving(claimed(wire) as ReceiveStream<WireIn, Below>)
        return {
          delivery: 'reliable',
          receive: above.receive,
          receiveMany: above.receiveMany,
          close: above.close,
          attributes: extend(added)(wire.attributes)
        }
      },
      (wire) => {
        const above = spec.sending(claimed(wire) as SendStream<WireOut>)
        return {
          delivery: 'reliable',
          send: above.send,
          ...('sendEof' in above ? { sendEof: above.sendEof } : {}),
          close: above.close,
          attributes: extend(added)(wire.attributes)
        }
      }
    )
  )
}

/**
 * For a layer that needs both directions or a set-up. `open` gets the stream below and gives the stream above, whose own
 * attributes are those that are added. When the set-up fails or is cancelled, and at the end of the resource, the stream below
 * is closed, once.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes, Effect, Exit, Layer, MemoryStream, ObjectStream, Provider, Resource } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const version = Attribute.attribute<number>()('acme/version')
 *
 * // Both sides say which version they speak, and the lower one counts.
 * const negotiated = (ours: number) =>
 *   Layer.duplex((wire: Layer.Wire<string>) =>
 *     pipe(
 *       wire.send(String(ours)),
 *       Effect.flatMap(() => wire.receive),
 *       Effect.catchTag('EndOfStream', () => Effect.fail({ _tag: 'NobodyThere' })),
 *       Effect.map((theirs) =>
 *         pipe(wire, ObjectStream.withAttributes(Attributes.of(version, () => Math.min(ours, Number(theirs)))))
 *       ),
 *       Resource.fromEffect
 *     )
 *   )
 *
 * const program = Effect.gen(function* () {
 *   const [here, there] = yield* MemoryStream.pair<string, string>(1)
 *   yield* there.send('2')
 *   return yield* pipe(
 *     here,
 *     Layer.through(negotiated(3)),
 *     Resource.use((stream) => Effect.succeed(Provider.extra(version)(stream)))
 *   )
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(2))
 *
 * @category constructors
 * @since 0.1.0
 */
export const duplex = <WireIn, WireOut, E, In, Out, E2, Attrs extends object>(
  open: (
    wire: DuplexStream<WireIn, WireOut, Below>
  ) => Resource.Resource<unknown, E, DuplexStream<In, Out, E2, Attrs>>
): Layer<WireIn, WireOut, In, Out, Exclude<E | E2, Below>, Attrs> =>
  typed({
    open: (below) => {
      const wire = onceClosed(below)
      const above = Resource.map((stream: DuplexStream<In, Out, E2, Attrs>): AnyDuplexStream =>
        joined(
          stream,
          stream as SendStream<never, E2>,
          // Whoever forgets the stream below has it closed nevertheless.
          Effect.ensuring(wire.close)(stream.close),
          extend(stream.attributes)(below.attributes)
        )
      )(open(claimed(wire) as DuplexStream<never, unknown> as DuplexStream<WireIn, WireOut, Below>))
      return Resource.fromUse((use) => Effect.ensuring(wire.close)(Resource.use(use)(above)))
    }
  })

// -------------------------------------------------------------------------------------
// application
// -------------------------------------------------------------------------------------

type ReceiveOnly<A> = ReceiveStream<A, unknown> & { readonly send?: undefined }
type SendOnly<A> = SendStream<A, unknown> & { readonly receive?: undefined }
type AnyDuplex<WireIn, WireOut> = DuplexStream<WireIn, WireOut, unknown>

/**
 * What a sided layer goes on.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type Sides<WireIn, WireOut> =
  | AnyDuplex<WireIn, WireOut>
  | ReceiveOnly<WireIn>
  | SendOnly<WireOut>
  | Resource.Resource<never, unknown, AnyDuplex<WireIn, WireOut> | ReceiveOnly<WireIn> | SendOnly<WireOut>>
  | Listener<AnyDuplex<WireIn, WireOut>, unknown>

/**
 * What any layer goes on.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type Duplexes<WireIn, WireOut> =
  | AnyDuplex<WireIn, WireOut>
  | Resource.Resource<never, unknown, AnyDuplex<WireIn, WireOut>>
  | Listener<AnyDuplex<WireIn, WireOut>, unknown>

/**
 * The stream `S` with a layer on it.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type Layered<S, In, Out, E, Attrs extends object> =
  S extends DuplexStream<infer _In, infer _Out, infer E0, infer Row>
    ? DuplexStream<In, Out, E0 | E, Row & Attrs>
    : S extends ReceiveStream<infer _A, infer E0, infer Row>
      ? ReceiveStream<In, E0 | E, Row & Attrs>
      : S extends SendStream<infer _A, infer E0, infer Row>
        ? SendStream<Out, E0 | E, Row & Attrs>
        : never

/**
 * What a sided layer gives: the same kind of thing.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type ThroughSided<S, In, Out, E, Attrs extends object> =
  S extends Connectable.Connectable<infer T, infer E0>
    ? Connectable.Connectable<Layered<T, In, Out, E, Attrs>, E0>
    : S extends Resource.Resource<infer R, infer E0, infer T>
      ? Resource.Resource<R, E0, Layered<T, In, Out, E, Attrs>>
      : S extends Listener<infer T, infer E0, infer Row>
        ? Listener<Layered<T, In, Out, E, Attrs>, E0, Row>
        : Layered<S, In, Out, E, Attrs>

type FailureOf<S> = S extends ReceiveStream<infer _A, infer E, infer _Row> ? E : never

/**
 * What any layer gives: the same kind of thing, and for a stream a resource, since the set-up can fail and must be undone.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type Through<S, In, Out, E, Attrs extends object> =
  S extends Connectable.Connectable<infer T, infer E0>
    ? Connectable.Connectable<Layered<T, In, Out, E, Attrs>, E0 | E | FailureOf<T>>
    : S extends Resource.Resource<infer R, infer E0, infer T>
      ? Resource.Resource<R, E0 | E | FailureOf<T>, Layered<T, In, Out, E, Attrs>>
      : S extends Listener<infer T, infer E0, infer Row>
        ? Listener<Layered<T, In, Out, E, Attrs>, E0 | E | FailureOf<T>, Row>
        : Resource.Resource<unknown, E | FailureOf<S>, Layered<S, In, Out, E, Attrs>>

/**
 * Puts a layer on a receive stream, a send stream, a duplex stream, a resource or connectable that yields one, or a listener,
 * whose connections then have it. Attributes below shine through, those of the layer win. On a stream, a layer with a set-up
 * gives a resource.
 *
 * Under a listener, the set-up of a connection is part of `accept`; `serve` runs it in the task of that connection, so a peer
 * that stalls in it holds nobody up.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Layer, Lines, Stream, Text } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const { stream, sent } = yield* MemoryByteStream.scripted(['one\ntw', 'o\n'])
 *   const lines = pipe(stream, Layer.through(Text.layer()), Layer.through(Lines.layer()))
 *   const received = yield* Stream.collect(lines)
 *   yield* lines.send('three')
 *   return [received, new TextDecoder().decode(yield* sent)]
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([['one', 'two'], 'three\n']))
 *
 * @category application
 * @since 0.1.0
 */
export const through: {
  <WireIn, WireOut, In, Out, E, Attrs extends object>(
    layer: SidedLayer<WireIn, WireOut, In, Out, E, Attrs>
  ): <S extends Sides<WireIn, WireOut>>(below: S) => ThroughSided<S, In, Out, E, Attrs>
  <WireIn, WireOut, In, Out, E, Attrs extends object>(
    layer: Layer<WireIn, WireOut, In, Out, E, Attrs>
  ): <S extends Duplexes<WireIn, WireOut>>(below: S) => Through<S, In, Out, E, Attrs>
} =
  (layer: object) =>
  (below: object): never =>
    applied(untyped(layer), below) as never

type AnyListener = Listener<AnyDuplexStream, unknown>

const applied = (layer: Opening | Sided, below: object): unknown => {
  if ('serveWith' in below) return onListener(layer, below as AnyListener)
  if ('endpoint' in below) {
    const { endpoint, connect } = below as Connectable.Connectable<AnyDuplexStream, unknown>
    return Connectable.make(endpoint, onResource(layer, connect))
  }
  if ('receive' in below || 'send' in below)
    return isSided(layer) ? onStream(layer, below) : layer.open(below as AnyDuplexStream)
  return onResource(layer, below as AnyResource)
}

const onStream = (layer: Sided, below: object): AnyReceive | AnySend =>
  'receive' in below
    ? 'send' in below
      ? layer.both(below as AnyDuplexStream)
      : layer.receiving(below as AnyReceive)
    : layer.sending(below as AnySend)

/** What is on the stream of a resource is closed with it, since it may hold something of its own. */
const opened = (layer: Opening | Sided, stream: AnyDuplexStream): AnyResource =>
  isSided(layer)
    ? (Resource.closing(Effect.sync(() => onStream(layer, stream))) as unknown as AnyResource)
    : layer.open(stream)

const onResource = (layer: Opening | Sided, below: AnyResource): AnyResource =>
  Resource.flatMap((stream: AnyDuplexStream) => opened(layer, stream))(below)

const onListener = (layer: Opening | Sided, below: AnyListener): AnyListener => {
  const take = arrivalsOf<AnyDuplexStream, unknown>(below)
  return {
    attributes: below.attributes,
    accept: onResource(layer, below.accept),
    serveWith: (handler, options) =>
      below.serveWith((stream) => Resource.use(handler)(opened(layer, stream)), options),
    close: below.close,
    ...(take === null
      ? {}
      : {
          [arrivals]: Effect.map(
            ({
              connection,
              discard
            }: Arrival<AnyDuplexStream, unknown>): Arrival<AnyDuplexStream, unknown> => ({
              connection: onResource(layer, connection),
              discard
            })
          )(take)
        })
  }
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

type AnyLayer<In, Out> = Layer<never, unknown, In, Out, unknown>

/**
 * The layer `First` with another one on it.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type Compose<First, In, Out, E2, Attrs2 extends object> =
  First extends SidedLayer<infer WireIn, infer WireOut, infer _In, infer _Out, infer E, infer Attrs>
    ? SidedLayer<WireIn, WireOut, In, Out, E | E2, Attrs & Attrs2>
    : First extends Layer<infer WireIn, infer WireOut, infer _In, infer _Out, infer E, infer Attrs>
      ? Layer<WireIn, WireOut, In, Out, E | E2, Attrs & Attrs2>
      : never

/**
 * `first` with `second` on top of it, as one layer; sided if both are.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as t from 'io-ts'
 * import { Effect, Exit, Json, Layer, Lines, Stream, Text } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const messages = pipe(
 *   Text.layer(),
 *   Layer.compose(Lines.layer({ maxLength: 1000 })),
 *   Layer.compose(Json.layer(t.type({ id: t.number })))
 * )
 * const program = Effect.gen(function* () {
 *   const { stream } = yield* MemoryByteStream.scripted(['{"id":1}\n{"id":2}\n'])
 *   return yield* pipe(stream, Layer.through(messages), Stream.collect)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([{ id: 1 }, { id: 2 }]))
 *
 * @category combinators
 * @since 0.1.0
 */
export const compose: {
  <MidIn, MidOut, In, Out, E2, Attrs2 extends object>(
    second: SidedLayer<MidIn, MidOut, In, Out, E2, Attrs2>
  ): <L extends AnyLayer<MidIn, MidOut>>(first: L) => Compose<L, In, Out, E2, Attrs2>
  <MidIn, MidOut, In, Out, E2, Attrs2 extends object>(
    second: Layer<MidIn, MidOut, In, Out, E2, Attrs2>
  ): <WireIn, WireOut, E, Attrs extends object>(
    first: Layer<WireIn, WireOut, MidIn, MidOut, E, Attrs>
  ) => Layer<WireIn, WireOut, In, Out, E | E2, Attrs & Attrs2>
} =
  (second: object) =>
  (first: object): never =>
    composed(untyped(first), untyped(second)) as never

const composed = (below: Opening | Sided, above: Opening | Sided): Opening | Sided =>
  isSided(below) && isSided(above)
    ? sidedLayer(
        (wire) => above.receiving(below.receiving(wire)),
        (wire) => above.sending(below.sending(wire))
      )
    : { open: (wire) => onResource(above, below.open(wire)) }

/**
 * Another failure of the layer itself; those of the stream below pass as they are.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Layer, Lines, Stream, type StreamError } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const commands = pipe(
 *   Lines.layer({ maxLength: 5 }),
 *   Layer.mapError((e: StreamError.DelimiterNotFound) => ({ _tag: 'CommandTooLong' as const, limit: e.maxBytes }))
 * )
 * const program = Effect.gen(function* () {
 *   const pieces = yield* Stream.fromIterable(['a very long command\n'])
 *   return yield* Effect.either(pipe(pieces, Layer.through(commands)).receive)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'Left', left: { _tag: 'CommandTooLong', limit: 5 } }))
 *
 * @category combinators
 * @since 0.1.0
 */
export const mapError =
  <E, E2>(f: (e: E) => E2) =>
  <L extends Layer<never, unknown, unknown, never, E>>(layer: L): MapError<L, E2> => {
    const inner = untyped(layer)
    const inside = (error: unknown) => new Passed(error)
    const outside = (error: unknown) => (error instanceof Passed ? error.error : f(error as E))
    return (isSided(inner)
      ? sidedLayer(
          (wire) => withFailure(outside, inner.receiving(withFailure(inside, wire))),
          (wire) => withFailure(outside, inner.sending(withFailure(inside, wire)))
        )
      : {
          open: (wire: AnyDuplexStream) =>
            Resource.fromUse((use) =>
              Effect.suspend(() => {
                // What the use fails with is not the layer's.
                const used = (stream: AnyDuplexStream) => Effect.exit(use(withFailure(outside, stream)))
                return Effect.flatMap((exit: Effect.ValueOf<ReturnType<typeof used>>) =>
                  Effect.fromExit(exit)
                )(Effect.mapError(outside)(Resource.use(used)(inner.open(withFailure(inside, wire)))))
              })
            )
        }) as unknown as MapError<L, E2>
  }

/** A failure from below the layer. */
class Passed {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/**
 * The layer `L` with another failure.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type MapError<L, E2> =
  L extends SidedLayer<infer WireIn, infer WireOut, infer In, infer Out, infer _E, infer Attrs>
    ? SidedLayer<WireIn, WireOut, In, Out, E2, Attrs>
    : L extends Layer<infer WireIn, infer WireOut, infer In, infer Out, infer _E, infer Attrs>
      ? Layer<WireIn, WireOut, In, Out, E2, Attrs>
      : never

/**
 * The layer `L` with more attributes.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type WithAttributes<L, Added extends object> =
  L extends SidedLayer<infer WireIn, infer WireOut, infer In, infer Out, infer E, infer Attrs>
    ? SidedLayer<WireIn, WireOut, In, Out, E, Attrs & Added>
    : L extends Layer<infer WireIn, infer WireOut, infer In, infer Out, infer E, infer Attrs>
      ? Layer<WireIn, WireOut, In, Out, E, Attrs & Added>
      : never

/**
 * The layer with more attributes, which win over those that it has.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes, Effect, Layer, Lines, Provider, Runtime, Stream } from 'millrace'
 *
 * const protocol = Attribute.attribute<string>()('acme/protocol')
 * const layer = pipe(Lines.layer(), Layer.withAttributes(Attributes.of(protocol, () => 'lines/1')))
 * const program = pipe(Stream.fromIterable(['a\n']), Effect.map(Layer.through(layer)), Effect.map(Provider.extra(protocol)))
 * assert.equal(Runtime.runSync(program), 'lines/1')
 *
 * @category combinators
 * @since 0.1.0
 */
export const withAttributes =
  <Added extends object>(attributes: Attributes<Added>) =>
  <L extends Layer<never, unknown, unknown, never, unknown>>(layer: L): WithAttributes<L, Added> =>
    compose(
      fromTransducers({
        decode: Transducer.identity<unknown>(),
        encode: Transducer.identity<never>(),
        attributes
      }) as never
    )(layer as never)

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * @category instances
 * @since 0.1.0
 */
export const URI = 'millrace/Layer'

/**
 * @category instances
 * @since 0.1.0
 */
export type URI = typeof URI

declare module 'fp-ts/HKT' {
  interface URItoKind4<S, R, E, A> {
    readonly [URI]: Layer<E, E, A, A, R, S & object>
  }
}

/**
 * The symmetric layers over one failure and one row of attributes; {@link compose} is the same operation, and joins both.
 *
 * @category instances
 * @since 0.1.0
 */
export const Category: Category4<URI> = {
  URI,
  id: () => typed(untyped(identity())),
  compose: (second, first) => typed(composed(untyped(first), untyped(second)))
}
