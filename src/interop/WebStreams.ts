/**
 * Streams of the web (WHATWG) in and out: bodies of `fetch` and `Response`, transform streams, `WebTransport`. Items are asked
 * for when they are wanted, and room is waited for. A stream is locked while the resource is open, and unlocked after it.
 *
 * @since 0.1.0
 */
import * as Cause from '../effect/Cause.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'
import * as Concurrent from '../scope/Concurrent.js'
import * as Resource from '../scope/Resource.js'
import type { BrokenResource, ClosedResource } from '../scope/ResourceError.js'
import * as Layer from '../stream/Layer.js'
import * as ObjectStream from '../stream/ObjectStream.js'
import type { DuplexStream, ReceiveStream, SendStream } from '../stream/ObjectStream.js'
import type { EndOfStream } from '../stream/StreamError.js'
import { Reading, type ReadFailure, Writing, type WriteFailure } from './internal/webHandles.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * `BrokenResource`: the web stream has failed, and `cause` says with what. `ClosedResource`: it was closed here.
 *
 * @category model
 * @since 0.1.0
 */
export type WebFailure = ClosedResource | BrokenResource

/**
 * Both directions of one connection, or both ends of a transformation.
 *
 * @category model
 * @since 0.1.0
 */
export interface Pair<out In, in Out> {
  readonly readable: ReadableStream<In>
  readonly writable: WritableStream<Out>
}

// -------------------------------------------------------------------------------------
// in
// -------------------------------------------------------------------------------------

/** How a use has ended, for those on the other side: undefined when well. */
const failureOf = (exit: Exit<unknown, unknown>): unknown =>
  exit._tag === 'Left' ? Cause.toError(exit.left) : undefined

/**
 * Receives from a readable stream. What was not read to its end is cancelled when the resource is released, so that its source
 * can let go.
 *
 * **Errors.** `BrokenResource` with the `cause` that the stream failed with, once; then it has ended.
 * **Cancellation.** A read cannot be taken back: the next receive gets what it gives, and nothing is lost. A stream that is
 * locked is a defect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Resource, Runtime, Stream, Text, WebStreams } from 'millrace'
 *
 * const response = new Response('grüße')
 * const program = pipe(
 *   WebStreams.fromReadable(() => response.body as ReadableStream<Uint8Array>),
 *   Resource.map(Stream.via(Text.decode())),
 *   Resource.use(Stream.collect)
 * )
 * assert.equal((await Runtime.runPromise(program)).join(''), 'grüße')
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromReadable = <A>(
  readable: () => ReadableStream<A>
): Resource.Resource<unknown, never, ReceiveStream<A, WebFailure>> =>
  Resource.closing(
    Effect.sync(() => {
      const reading = new Reading(readable())
      return ObjectStream.receiveStream<A, ReadFailure>({ receive: reading.receive, close: reading.close })
    })
  )

/**
 * Sends to a writable stream. It is closed at the end, after all that was sent; when the use failed or was cancelled it is
 * aborted with that, so that whoever reads does not take a part for the whole.
 *
 * **Errors.** `BrokenResource` with the `cause` that the stream failed with. `send` is over when the stream has taken the item.
 * **Cancellation.** While there is no room, nothing was sent. Afterwards the item is sent, and the cancellation is seen at the
 * next checkpoint.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime, Stream, WebStreams } from 'millrace'
 *
 * const lines: Array<string> = []
 * const page = () => new WritableStream<string>({
 *   write: (line) => { lines.push(line) },
 *   close: () => { lines.push('closed') }
 * })
 * const program = Effect.gen(function* () {
 *   const words = yield* Stream.fromIterable(['a', 'b'])
 *   yield* pipe(WebStreams.fromWritable(page), Resource.use((send) => pipe(words, Stream.pipeTo(send))))
 * })
 * await Runtime.runPromise(program)
 * assert.deepEqual(lines, ['a', 'b', 'closed'])
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromWritable = <A>(
  writable: () => WritableStream<A>
): Resource.Resource<unknown, never, SendStream<A, WebFailure>> =>
  Resource.map(({ stream }: { readonly stream: SendStream<A, WebFailure> }) => stream)(
    Resource.make(
      Effect.sync(() => {
        const writing = new Writing(writable())
        const { send, closeWith } = writing
        return {
          writing,
          stream: ObjectStream.sendStream<A, WriteFailure>({ send, close: closeWith(undefined) })
        }
      }),
      ({ writing }, exit) => writing.closeWith(failureOf(exit))
    )
  )

/**
 * Both directions of one connection, such as `WebSocketStream`, `WebTransport`, or the sockets of Deno. `sendEof` ends the
 * writable side and waits until all is written; receiving goes on.
 *
 * **Errors.** As those of {@link fromReadable} and {@link fromWritable}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime, Stream, WebStreams } from 'millrace'
 *
 * // What is written is read again.
 * const echo = () => new TransformStream<string, string>(undefined, { highWaterMark: 8 }, { highWaterMark: 8 })
 * const program = pipe(
 *   WebStreams.fromPair(echo),
 *   Resource.use((stream) =>
 *     pipe(
 *       ['a', 'b'],
 *       Effect.forEach((word: string) => stream.send(word)),
 *       Effect.andThen(stream.sendEof),
 *       Effect.andThen(Stream.collect(stream))
 *     )
 *   )
 * )
 * assert.deepEqual(await Runtime.runPromise(program), ['a', 'b'])
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromPair = <In, Out>(
  pair: () => Pair<In, Out>
): Resource.Resource<unknown, never, DuplexStream<In, Out, WebFailure>> =>
  Resource.map(({ stream }: { readonly stream: DuplexStream<In, Out, WebFailure> }) => stream)(
    Resource.make(
      Effect.sync(() => {
        const { readable, writable } = pair()
        const reading = new Reading(readable)
        const writing = new Writing(writable)
        const close = (failure: unknown): Fx<never, void> =>
          Effect.ensuring(reading.close)(writing.closeWith(failure))
        return {
          close,
          stream: ObjectStream.duplexStream<In, Out, ReadFailure, WriteFailure, WriteFailure>({
            receive: reading.receive,
            send: writing.send,
            sendEof: writing.sendEof,
            close: close(undefined)
          })
        }
      }),
      ({ close }, exit) => close(failureOf(exit))
    )
  )

// -------------------------------------------------------------------------------------
// out
// -------------------------------------------------------------------------------------

/** Runs effects for callbacks of the host until the resource is released, then cancels them. */
const running = <A>(
  make: (run: <E, B>(fx: Fx<E, B>) => Promise<Exit<E, B>>) => {
    readonly value: A
    readonly release: Fx<never, void>
  }
): Resource.Resource<unknown, never, A> =>
  Resource.fromUse((use) =>
    LowLevel.openNursery({ name: 'WebStreams' }, (nursery) =>
      Effect.flatMap((fork: LowLevel.ForkUnsafe<unknown>) => {
        const { value, release } = make(
          (fx) =>
            new Promise((resolve) => {
              // After the release nobody waits for this any more.
              fork(Effect.map(resolve)(Effect.exit(fx)))
            })
        )
        const cancelAll = LowLevel.cancelScope(LowLevel.childrenScope(nursery), 'the web stream was released')
        return Effect.ensuring(Effect.andThen(release)(cancelAll))(use(value))
      })(LowLevel.forkUnsafe<unknown>(nursery))
    )
  )

const isEnd = (cause: Cause.Cause<unknown>): boolean =>
  cause._tag === 'Fail' &&
  typeof cause.error === 'object' &&
  cause.error !== null &&
  '_tag' in cause.error &&
  cause.error._tag === 'EndOfStream'

const released = (): Error => new Error('The resource that this web stream came from was released.')

/**
 * A readable stream of what is received, for the platform: the body of a `Response`, say. It takes the stream over. An item is
 * received when it is read, and no earlier. Whoever cancels it closes the stream, and so does the release of the resource,
 * which is an error for whoever has not read it to its end.
 *
 * **Errors.** A failure of the stream is an error of the readable one, as `Cause.toError` makes it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Promises, Resource, Runtime, Stream, Text, WebStreams } from 'millrace'
 *
 * const program = pipe(
 *   Resource.fromEffect(Stream.fromIterable(['one', 'two'])),
 *   Resource.map(Stream.via(Text.encode())),
 *   Resource.flatMap(WebStreams.toReadable),
 *   Resource.use((body) => Promises.fromPromise(() => new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text()))
 * )
 * assert.equal(await Runtime.runPromise(program), 'onetwo')
 *
 * @category conversions
 * @since 0.1.0
 */
export const toReadable = <A, E, Attrs extends object>(
  stream: ReceiveStream<A, E, Attrs>
): Resource.Resource<unknown, never, ReadableStream<A>> =>
  running((run) => {
    let controller!: ReadableStreamDefaultController<A>
    let open = true
    const value = new ReadableStream<A>(
      {
        start: (its) => {
          controller = its
        },
        pull: async () => {
          const exit = await run(stream.receive)
          if (!open) return
          if (exit._tag === 'Right') {
            controller.enqueue(exit.right)
            return
          }
          open = false
          if (isEnd(exit.left)) controller.close()
          else controller.error(Cause.toError(exit.left))
        },
        cancel: async () => {
          open = false
          await run(stream.close)
        }
      },
      // Nothing is received before somebody reads.
      { highWaterMark: 0 }
    )
    const release = Effect.andThen(stream.close)(
      Effect.sync(() => {
        if (open) controller.error(released())
        open = false
      })
    )
    return { value, release }
  })

/**
 * A writable stream that sends, for the platform: the end of a `pipeTo`, say. It takes the stream over. `close` ends the
 * sending, by `sendEof` where there is one; `abort` closes the stream, and so does the release of the resource.
 *
 * **Errors.** A failure of the stream is an error of the writable one, as `Cause.toError` makes it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, MemoryStream, Promises, Resource, Runtime, Stream, WebStreams } from 'millrace'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<string>(8)
 *   yield* pipe(
 *     WebStreams.toWritable(send),
 *     Resource.use((writable) =>
 *       Promises.fromPromise(() => new Blob(['text']).stream().pipeThrough(new TextDecoderStream()).pipeTo(writable))
 *     )
 *   )
 *   return yield* Stream.collect(receive)
 * })
 * assert.deepEqual(await Runtime.runPromise(program), ['text'])
 *
 * @category conversions
 * @since 0.1.0
 */
export const toWritable = <A, E, Attrs extends object>(
  stream: SendStream<A, E, Attrs>
): Resource.Resource<unknown, never, WritableStream<A>> =>
  running((run) => {
    let controller!: WritableStreamDefaultController
    let open = true
    const finish: Fx<E, void> = endOf(stream)
    const done = async (fx: Fx<E, void>): Promise<void> => {
      const exit = await run(fx)
      if (exit._tag === 'Right') return
      open = false
      throw Cause.toError(exit.left)
    }
    const value = new WritableStream<A>({
      start: (its) => {
        controller = its
      },
      write: (chunk) => done(stream.send(chunk)),
      close: async () => {
        await done(finish)
        open = false
      },
      abort: async () => {
        open = false
        await run(stream.close)
      }
    })
    const release = Effect.andThen(stream.close)(
      Effect.sync(() => {
        if (open) controller.error(released())
        open = false
      })
    )
    return { value, release }
  })

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

/** The end of one direction: by `sendEof` where there is one. */
const endOf = <E>(wire: SendStream<never, E>): Fx<E, void> =>
  (wire as Partial<DuplexStream<unknown, never, E>>).sendEof ?? wire.close

/** Receives what comes out, and feeds what comes from the stream below, both at once: a transformation may keep some back. */
const receivingThrough = <WireIn, In>(
  make: () => Pair<In, WireIn>,
  wire: ReceiveStream<WireIn, Layer.Below>
): ReceiveStream<In, Layer.Below | WebFailure> => {
  let ends: readonly [Reading<In>, Writing<WireIn>] | null = null
  let fed: 'more' | 'over' | Cause.Cause<Layer.Below> = 'more'
  const open = (): readonly [Reading<In>, Writing<WireIn>] => {
    if (ends !== null) return ends
    const { readable, writable } = make()
    return (ends = [new Reading(readable), new Writing(writable)])
  }
  const receive = Effect.suspend((): Fx<ReadFailure | Layer.Below, In> => {
    const [output, input] = open()
    const feed: Fx<never, void> = Effect.flatMap((): Fx<never, void> => {
      if (fed !== 'more') return Effect.never
      return Effect.flatMap((exit: Exit<Layer.Below | EndOfStream, WireIn>): Fx<never, void> => {
        if (exit._tag === 'Right') return Effect.flatMap(() => feed)(input.put(exit.right))
        // Cancelled, or the other side has won.
        if (Cause.failures(exit.left).length === 0) return Effect.failCause(exit.left) as Fx<never, never>
        fed = isEnd(exit.left) ? 'over' : (exit.left as Cause.Cause<Layer.Below>)
        return fed === 'over' ? Effect.flatMap(() => feed)(input.putEnd) : Effect.unit
      })(Effect.exit(wire.receive))
    })(Effect.orElse(() => Effect.unit)(input.room))
    // Neither side of the race takes anything with it: an item is taken after it, or was fed inside of it.
    return Effect.flatMap((): Fx<ReadFailure | Layer.Below, In> =>
      typeof fed === 'string' || output.isReady ? output.receive : Effect.failCause(fed)
    )(Concurrent.race(feed)(output.ready))
  })
  const close = Effect.ensuring(wire.close)(
    Effect.suspend(() => {
      if (ends === null) return Effect.unit
      const [output, input] = ends
      return Effect.ensuring(output.close)(input.closeWith(closedHere()))
    })
  )
  return ObjectStream.receiveStream<In, ReadFailure | Layer.Below>({ receive, close })
}

const closedHere = (): Error => new Error('The stream was closed.')

/** Feeds what is sent, and sends on what comes out. */
const sendingThrough = <Out, WireOut>(
  make: () => Pair<WireOut, Out>,
  wire: SendStream<WireOut, Layer.Below>
): DuplexStream<never, Out, Layer.Below | WebFailure> => {
  let ends: readonly [Reading<WireOut>, Writing<Out>] | null = null
  /** Has come out, and was not sent. */
  let held: { readonly item: WireOut } | null = null
  const open = (): readonly [Reading<WireOut>, Writing<Out>] => {
    if (ends !== null) return ends
    const { readable, writable } = make()
    return (ends = [new Reading(readable), new Writing(writable)])
  }
  /** Sends what comes out until `until` is done, or to the end. */
  const pump = (
    output: Reading<WireOut>,
    until: Fx<WriteFailure, void> | null
  ): Fx<Layer.Below | ReadFailure, void> =>
    Effect.suspend((): Fx<Layer.Below | ReadFailure, void> => {
      const again = Effect.suspend(() => pump(output, until))
      if (held !== null) {
        return Effect.flatMap(() => {
          held = null
          return again
        })(wire.send(held.item))
      }
      const take = Effect.flatMap((item: WireOut) => {
        held = { item }
        return again
      })(output.receive)
      if (output.isReady || until === null) return take
      return Effect.flatMap((): Fx<Layer.Below | ReadFailure, void> => (output.isReady ? take : Effect.unit))(
        Concurrent.race(until)(output.ready)
      )
    })
  const send = (a: Out): Fx<Layer.Below | ReadFailure, void> =>
    Effect.suspend(() => {
      const [output, input] = open()
      // The room is waited for, and what is written is waited for, and both while output is sent on: without a reader no
      // transformation goes on.
      return Effect.flatMap(() => pump(output, input.settled))(
        Effect.flatMap(() => input.put(a))(pump(output, input.room))
      )
    })
  const sendEof = Effect.suspend((): Fx<Layer.Below | ReadFailure, void> => {
    const [output, input] = open()
    const rest = Effect.flatMap(() => pump(output, null))(input.putEnd)
    return Effect.orElse((error: Layer.Below | ReadFailure): Fx<Layer.Below | ReadFailure, void> =>
      error._tag === 'EndOfStream' ? endOf(wire) : Effect.fail(error)
    )(rest)
  })
  const drop = Effect.suspend(() => {
    if (ends === null) return Effect.unit
    const [output, input] = ends
    return Effect.ensuring(output.close)(input.closeWith(closedHere()))
  })
  return ObjectStream.duplexStream({
    receive: Effect.never,
    send,
    sendEof,
    close: Effect.ensuring(wire.close)(drop)
  }) as DuplexStream<never, Out, Layer.Below | WebFailure>
}

/**
 * Any transform streams as a layer: `CompressionStream`, `TextDecoderStream`. Each direction has a pair of its own, made when
 * it is first used. `sendEof` brings out what the sending one still holds; a plain close drops it.
 *
 * **Errors.** `BrokenResource` with the `cause` that a transformation failed with; it is final.
 * **Cancellation.** Of a receive: nothing was received. Of a send: as that of the stream below.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Layer, Resource, Runtime, Stream, WebStreams } from 'millrace'
 *
 * const inflate = WebStreams.layer({
 *   receiving: () => new DecompressionStream('deflate'),
 *   sending: () => new CompressionStream('deflate')
 * })
 * const packed = new Blob(['mill', 'race']).stream().pipeThrough(new CompressionStream('deflate'))
 * const program = pipe(
 *   WebStreams.fromReadable(() => packed),
 *   Layer.through(inflate),
 *   Resource.use(Stream.collect)
 * )
 * assert.equal(Buffer.concat(await Runtime.runPromise(program)).toString(), 'millrace')
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <WireIn, In, Out, WireOut>(transforms: {
  readonly receiving: () => Pair<In, WireIn>
  readonly sending: () => Pair<WireOut, Out>
}): Layer.SidedLayer<WireIn, WireOut, In, Out, WebFailure> =>
  Layer.sided({
    receiving: (wire: ReceiveStream<WireIn, Layer.Below>) => receivingThrough(transforms.receiving, wire),
    sending: (wire: SendStream<WireOut, Layer.Below>) => sendingThrough(transforms.sending, wire)
  })
