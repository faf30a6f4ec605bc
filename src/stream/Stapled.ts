/**
 * `Stapled`: halves joined to a whole, and many listeners as one.
 *
 * @since 0.1.0
 */
import { type Attributes, empty as noAttributes, extend } from '../attributes/Attributes.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as Concurrent from '../scope/Concurrent.js'
import type { ResourceError } from '../scope/ResourceError.js'
import type { ByteReceiveStream, ByteSendStream, ByteStream } from './ByteStream.js'
import { once } from './internal/queue.js'
import { accepting, type Arrival, arrivals, arrivalsOf, type Arriving, serving } from './internal/serving.js'
import { finish } from './internal/transduced.js'
import type { Listener } from './Listener.js'
import type { DuplexStream, ReceiveStream, SendStream } from './ObjectStream.js'

// -------------------------------------------------------------------------------------
// streams
// -------------------------------------------------------------------------------------

/**
 * Receives from one stream and sends to the other. It has the attributes of both; where both have one, that of the receiving
 * side wins. `sendEof` ends the sending side, by closing it where it has no other way. `close` closes both.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream, Stapled } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<string>(1)
 *   const mirror = Stapled.objects(receive, send)
 *   yield* mirror.send('hello')
 *   return yield* mirror.receive
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('hello'))
 *
 * @category streams
 * @since 0.1.0
 */
export const objects = <In, E, Attrs extends object, Out, E2, Attrs2 extends object>(
  receive: ReceiveStream<In, E, Attrs>,
  send: SendStream<Out, E2, Attrs2>
): DuplexStream<In, Out, E | E2, Attrs2 & Attrs> => ({
  delivery: 'reliable',
  receive: receive.receive,
  receiveMany: receive.receiveMany,
  send: send.send,
  sendEof: finish(send),
  close: Effect.ensuring(receive.close)(send.close),
  attributes: extend(receive.attributes)(send.attributes)
})

/**
 * The same for bytes.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Stapled } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const input = yield* MemoryByteStream.scripted(['question'])
 *   const output = yield* MemoryByteStream.scripted([])
 *   const stream = Stapled.bytes(input.stream, output.stream)
 *   yield* stream.send(yield* stream.receiveUpTo(5))
 *   return new TextDecoder().decode(yield* output.sent)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('quest'))
 *
 * @category streams
 * @since 0.1.0
 */
export const bytes = <E, Attrs extends object, E2, Attrs2 extends object>(
  receive: ByteReceiveStream<E, Attrs>,
  send: ByteSendStream<E2, Attrs2>
): ByteStream<E | E2, Attrs2 & Attrs> => ({ ...objects(receive, send), receiveUpTo: receive.receiveUpTo })

// -------------------------------------------------------------------------------------
// listeners
// -------------------------------------------------------------------------------------

type AnyListener = Listener<unknown, unknown>

/**
 * What a listener of several listeners gives, fails with, and has for attributes.
 *
 * @category type helpers
 * @since 0.1.0
 */
export type StreamOf<L> = L extends Listener<infer S, infer _E, infer _Row> ? S : never

/**
 * @category type helpers
 * @since 0.1.0
 */
export type FailureOf<L> = L extends Listener<infer _S, infer E, infer _Row> ? E : never

/**
 * @category type helpers
 * @since 0.1.0
 */
export type RowsOf<Ls extends ReadonlyArray<unknown>> = Ls extends readonly [
  Listener<infer _S, infer _E, infer Row>,
  ...infer Rest
]
  ? Row & RowsOf<Rest>
  : {}

/**
 * Many listeners as one: takes connections from all of them, and closes all of them. Later attributes win over earlier ones. A
 * connection that arrives at a listener while another one is taken waits for the next `accept`; none is lost.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Listener, Resource, Stapled } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const door = (name: string, ms: number) =>
 *   Listener.make({ accept: Effect.as(name)(Effect.sleep(ms)), closeStream: () => Effect.unit, close: Effect.unit })
 * const house = Stapled.listeners(door('front', 20), door('back', 10))
 * const program = Resource.use((who: string) => Effect.succeed(who))(house.accept)
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('back'))
 *
 * @category listeners
 * @since 0.1.0
 */
export const listeners = <const Ls extends readonly [AnyListener, ...ReadonlyArray<AnyListener>]>(
  ...all: Ls
): Listener<StreamOf<Ls[number]>, FailureOf<Ls[number]>, RowsOf<Ls>> => {
  type Taken = Arrival<StreamOf<Ls[number]>, FailureOf<Ls[number]>>
  // Whoever takes a connection puts it here first: of two that come at the same moment, one waits.
  const taken: Array<Taken> = []
  const first: Effect.Effect<unknown, ResourceError, Taken> = Effect.suspend(() => {
    const waiting = taken.shift()
    return waiting === undefined ? race : Effect.succeed(waiting)
  })
  const arms = all.map((listener) => {
    const take = arrivalsOf<StreamOf<Ls[number]>, FailureOf<Ls[number]>>(listener)
    if (take === null)
      throw new TypeError(
        'Stapled.listeners takes listeners that Listener.make has made, with or without layers.'
      )
    return Effect.map((arrival: Taken) => {
      taken.push(arrival)
    })(take)
  })
  const race: Effect.Effect<unknown, ResourceError, Taken> = Effect.flatMap(
    (exit: Exit<ResourceError, void>): Effect.Effect<unknown, ResourceError, Taken> => {
      const arrival = taken.shift()
      if (arrival !== undefined) return Effect.succeed(arrival)
      return Effect.flatMap(() => first)(Effect.fromExit(exit))
    }
  )(Effect.exit(Concurrent.raceAll(arms)))
  const discard = Effect.suspend(() => Effect.forEach(({ discard }: Taken) => discard)(taken.splice(0)))
  const listener: Listener<StreamOf<Ls[number]>, FailureOf<Ls[number]>, RowsOf<Ls>> &
    Arriving<StreamOf<Ls[number]>, FailureOf<Ls[number]>> = {
    // The type says which rows these are.
    attributes: all.reduce<Attributes>(
      (below, { attributes }) => extend(attributes)(below),
      noAttributes
    ) as Attributes<RowsOf<Ls>>,
    accept: accepting(first),
    serveWith: (handler, options) => serving(first, handler, options),
    close: once(
      all.reduce<Effect.Effect<unknown, never, void>>(
        (before, { close }) => Effect.ensuring(close)(before),
        discard
      )
    ),
    [arrivals]: first
  }
  return listener
}
