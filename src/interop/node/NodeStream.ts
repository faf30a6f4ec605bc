/**
 * Node's own streams, in and out. What comes in belongs to the stream that is made of it: it is read only while somebody
 * receives, and destroyed when that is closed. What goes out belongs to whom it is given, and takes the stream over: when one
 * is destroyed or has ended, the other one is closed.
 *
 * @since 0.1.0
 */
import { Socket } from 'node:net'
import { type Duplex, Readable, Writable } from 'node:stream'
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import { empty as noAttributes } from '../../attributes/Attributes.js'
import { isCancelledOnly, toError } from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as Resource from '../../scope/Resource.js'
import type { ResourceError } from '../../scope/ResourceError.js'
import type { ByteReceiveStream, ByteSendStream, ByteStream, Bytes } from '../../stream/ByteStream.js'
import type { DuplexStream, ReceiveStream, SendStream } from '../../stream/ObjectStream.js'
import type { EndOfStream } from '../../stream/StreamError.js'
import { Lifetime } from './internal/lifetime.js'
import { Receiving, receiveUpTo } from './internal/receiving.js'
import { Sending } from './internal/sending.js'
import { HostByteStream, sizeOfChunk } from './internal/socket.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

// -------------------------------------------------------------------------------------
// from Node
// -------------------------------------------------------------------------------------

/** Whether a stream says when it is really closed; sockets do so on their own. */
const announcesClose = (stream: Readable | Writable): boolean => {
  if (stream instanceof Socket) return true
  const { _readableState, _writableState } = stream as unknown as {
    readonly _readableState?: { readonly emitClose?: boolean }
    readonly _writableState?: { readonly emitClose?: boolean }
  }
  return (_readableState ?? _writableState)?.emitClose !== false
}

const lifetimeOf = (stream: Readable | Writable): Lifetime =>
  new Lifetime(stream, 'NodeStream', announcesClose(stream))

/** Bytes as they are; text, which a stream may have been told to make of them, as bytes again. */
const bytesOf =
  (readable: Readable) =>
  (chunk: unknown): Uint8Array | null => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, readable.readableEncoding ?? 'utf8') : chunk
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(
        'The Readable gave something else than bytes or text. Use NodeStream.objectsFromReadable.'
      )
    }
    return bytes.length === 0 ? null : bytes
  }

/**
 * The bytes of a `Readable`. Nothing is read before somebody receives; then a little ahead, and no more.
 *
 * **Errors.** Of the operations: those of any receive stream. The error of a `Readable` is the `cause` of a `BrokenResource`,
 * after what came before it, and so is one that is closed before its end.
 * **Cancellation.** Of a `receive`: no byte is lost. When the stream is closed the `Readable` is destroyed, and nothing of ours
 * listens to it any more.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Readable } from 'node:stream'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime, Stream } from 'millrace'
 * import { NodeStream } from 'millrace/node'
 *
 * const program = pipe(
 *   NodeStream.fromReadable(() => Readable.from(['one, ', 'two'])),
 *   Resource.use(Stream.collect),
 *   Effect.map((chunks) => Buffer.concat(chunks).toString())
 * )
 * assert.equal(await Runtime.runPromise(program), 'one, two')
 *
 * @category from Node
 * @since 0.1.0
 */
export const fromReadable = (
  readable: () => Readable
): Resource.Resource<unknown, never, ByteReceiveStream> =>
  Resource.closing(
    Effect.sync(() => {
      const source = readable()
      const lifetime = lifetimeOf(source)
      const receiving = new Receiving(source, lifetime, 'NodeStream.receive', bytesOf(source), sizeOfChunk)
      return {
        delivery: 'reliable',
        receive: receiving.receive,
        receiveMany: receiving.receiveMany,
        receiveUpTo: receiveUpTo(receiving),
        close: lifetime.close,
        attributes: noAttributes
      } satisfies ByteReceiveStream
    })
  )

/**
 * A `Writable` to send bytes to. `send` is over when it has taken the chunk, as its callback tells.
 *
 * Closing ends it properly when nothing is under way, and waits until it has finished; otherwise, and when that is cancelled,
 * it is destroyed. It is closed when the use has succeeded, and destroyed at once when the use has failed or was cancelled, so
 * that what was written in part does not look whole. To hear of a failure at the end use `sendEof`.
 *
 * **Errors.** Of the operations: those of any send stream. The error of the `Writable` is the `cause` of a `BrokenResource`.
 * **Cancellation.** Of a `send`: when the `Writable` was given the chunk, it goes on and takes all of it; the next `send` waits
 * for that.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Writable } from 'node:stream'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Resource, Runtime } from 'millrace'
 * import { NodeStream } from 'millrace/node'
 *
 * const written: Array<string> = []
 * const writable = new Writable({ write: (chunk, _, done) => { written.push(String(chunk)); done() } })
 * const program = pipe(
 *   NodeStream.fromWritable(() => writable),
 *   Resource.use((stream) => stream.send(new TextEncoder().encode('hello')))
 * )
 * await Runtime.runPromise(program)
 * assert.deepEqual([written, writable.writableFinished], [['hello'], true])
 *
 * @category from Node
 * @since 0.1.0
 */
export const fromWritable = (writable: () => Writable): Resource.Resource<unknown, never, WritableStream> =>
  Resource.fromUse(<R, E, B>(use: (stream: WritableStream) => Effect.Effect<R, E, B>) =>
    Effect.bracket(
      Effect.sync(() => {
        const target = writable()
        const lifetime = lifetimeOf(target)
        const sending = new Sending(target, lifetime, 'NodeStream.send', false)
        const stream: WritableStream = {
          delivery: 'reliable',
          send: sending.send,
          sendEof: sending.sendEof,
          close: Effect.ensuring(lifetime.close)(sending.finish),
          attributes: noAttributes
        }
        return { lifetime, stream }
      }),
      ({ stream }) => Effect.flatMap((b: B) => Effect.as(b)(stream.close))(use(stream)),
      ({ lifetime }) => lifetime.close
    )
  )

/**
 * The sending side of a `Writable`.
 *
 * @category from Node
 * @since 0.1.0
 */
export interface WritableStream extends ByteSendStream {
  /** Ends the `Writable`, and waits until it has finished. Twice does nothing; a `send` afterwards fails with `ClosedResource`. */
  readonly sendEof: Effect.Effect<unknown, ResourceError, void>
}

/**
 * Both directions of a `Duplex`. For a socket of `node:net` see `Tcp.fromSocket`, which knows its addresses.
 *
 * **Errors.** As {@link fromReadable} and {@link fromWritable}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { PassThrough } from 'node:stream'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 * import { NodeStream } from 'millrace/node'
 *
 * const program = pipe(
 *   NodeStream.fromDuplex(() => new PassThrough()),
 *   Resource.use((stream) => pipe(stream.send(new Uint8Array([1, 2, 3])), Effect.andThen(stream.receiveUpTo(2))))
 * )
 * assert.deepEqual([...(await Runtime.runPromise(program))], [1, 2])
 *
 * @category from Node
 * @since 0.1.0
 */
export const fromDuplex = (duplex: () => Duplex): Resource.Resource<unknown, never, ByteStream> =>
  Resource.closing(
    Effect.sync((): ByteStream => {
      const both = duplex()
      return new HostByteStream(both, lifetimeOf(both), 'NodeStream', bytesOf(both), noAttributes, false)
    })
  )

/**
 * The items of a `Readable` in object mode. Their type is the caller's word; a codec layer on top checks it.
 *
 * **Errors.** As {@link fromReadable}.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Readable } from 'node:stream'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Resource, Runtime, Stream } from 'millrace'
 * import { NodeStream } from 'millrace/node'
 *
 * const program = pipe(
 *   NodeStream.objectsFromReadable<number>(() => Readable.from([1, 2, 3])),
 *   Resource.use(Stream.fold(0, (sum: number, n: number) => sum + n))
 * )
 * assert.equal(await Runtime.runPromise(program), 6)
 *
 * @category from Node
 * @since 0.1.0
 */
export const objectsFromReadable = <A = unknown>(
  readable: () => Readable
): Resource.Resource<unknown, never, ReceiveStream<A, ResourceError>> =>
  Resource.closing(
    Effect.sync((): ReceiveStream<A, ResourceError> => {
      const source = readable()
      const lifetime = lifetimeOf(source)
      const receiving = new Receiving<A>(
        source,
        lifetime,
        'NodeStream.receive',
        (item) => item as A,
        () => 1
      )
      return {
        delivery: 'reliable',
        receive: receiving.receive,
        receiveMany: receiving.receiveMany,
        close: lifetime.close,
        attributes: noAttributes
      }
    })
  )

// -------------------------------------------------------------------------------------
// to Node
// -------------------------------------------------------------------------------------

/** What Node's streams call back with. */
type Callback = (error?: Error | null) => void

/**
 * Runs what one of Node's streams asks for. It asks for one thing at a time, and may be destroyed meanwhile.
 */
class Worker {
  private readonly fork: LowLevel.ForkUnsafe<unknown>
  private readonly close: Fx<never, void>
  private running: LowLevel.Fiber<unknown, unknown> | null = null
  private isClosed = false

  constructor(fork: LowLevel.ForkUnsafe<unknown>, close: Fx<never, void>) {
    this.fork = fork
    this.close = close
  }

  /** Tells how it ended, unless it was cut short: then nobody asks any more, or the resource is being released. */
  run<E, A>(fx: Fx<E, A>, onExit: (exit: Exit<E, A>) => void): void {
    if (this.isClosed) return
    this.running = this.fork(
      Effect.map((exit: Exit<E, A>) => {
        this.running = null
        if (!this.isClosed && (exit._tag === 'Right' || !isCancelledOnly(exit.left))) onExit(exit)
      })(Effect.exit(fx))
    )
  }

  /** Closes the stream. What runs on it is woken by that. */
  stop(onClosed: () => void): void {
    const { running } = this
    const cut: Fx<never, unknown> =
      running === null ? Effect.unit : LowLevel.cancelFiber(running, 'the stream was destroyed')
    const closing = Effect.ensuring(Effect.ensuring(Effect.sync(onClosed))(Effect.andThen(this.close)(cut)))(
      Effect.unit
    )
    if (this.isClosed || this.fork(closing) === null) onClosed()
    this.isClosed = true
  }
}

/** Node wants an `Error`; the failure is its cause. */
const errorOf = (exit: { readonly _tag: 'Left'; readonly left: Parameters<typeof toError>[0] }): Error =>
  toError(exit.left)

/**
 * Owns what `make` makes of the stream: when the use ends, it is destroyed and the stream closed.
 */
const outside = <S extends Readable | Writable>(
  stream: { readonly close: Fx<never, void> },
  make: (worker: Worker) => S
): Resource.Resource<unknown, never, S> =>
  Resource.fromUse((use) =>
    LowLevel.openNursery({ name: 'NodeStream' }, (nursery) =>
      Effect.flatMap((fork: LowLevel.ForkUnsafe<unknown>) => {
        const made = make(new Worker(fork, stream.close))
        const release = Effect.andThen(
          Effect.sync(() => {
            made.destroy()
          })
        )(stream.close)
        return Effect.ensuring(release)(use(made))
      })(LowLevel.forkUnsafe<unknown>(nursery))
    )
  )

/**
 * A `Readable` that gives what is received, one item for each read, and only when it is read. It takes the stream over: when
 * the `Readable` is destroyed the stream is closed, and both when the resource is released.
 *
 * **Errors.** The failure of the stream destroys the `Readable`, with an `Error` that has it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { text } from 'node:stream/consumers'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Promises, Resource, Runtime, Stream } from 'millrace'
 * import { NodeStream } from 'millrace/node'
 *
 * const program = pipe(
 *   Stream.fromIterable(['one, ', 'two']),
 *   Effect.flatMap((stream) =>
 *     pipe(NodeStream.toReadable(stream), Resource.use((readable) => Promises.fromPromise(() => text(readable))))
 *   )
 * )
 * assert.equal(await Runtime.runPromise(program), 'one, two')
 *
 * @category to Node
 * @since 0.1.0
 */
export const toReadable = <E, Attrs extends object>(
  stream: ReceiveStream<Bytes | string, E, Attrs>
): Resource.Resource<unknown, never, Readable> =>
  outside(stream, (worker) => {
    const take = Effect.matchEffect(
      (error: E | EndOfStream): Fx<E, null> => (isEnd(error) ? Effect.succeed(null) : Effect.fail(error)),
      (items: ReadonlyNonEmptyArray<Bytes | string>): Fx<never, ReadonlyNonEmptyArray<Bytes | string>> =>
        Effect.succeed(items)
    )(stream.receiveMany(1))
    const read = (readable: Readable): void => {
      worker.run(take, (exit) => {
        if (exit._tag === 'Left') readable.destroy(errorOf(exit))
        else if (exit.right === null) readable.push(null)
        // An empty text is no item for Node: it would not ask again.
        else if (exit.right[0].length === 0) read(readable)
        else readable.push(exit.right[0])
      })
    }
    return new Readable({
      read() {
        read(this)
      },
      destroy(error, done) {
        worker.stop(() => {
          done(error)
        })
      }
    })
  })

const isEnd = (error: unknown): error is EndOfStream =>
  typeof error === 'object' && error !== null && '_tag' in error && error._tag === 'EndOfStream'

/**
 * A `Writable` that sends what is written to it, one chunk after the other. When it ends, the stream gets `sendEof` if it has
 * that, and is closed otherwise; when it is destroyed, and when the resource is released, the stream is closed.
 *
 * **Errors.** The failure of the stream destroys the `Writable`, with an `Error` that has it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Readable } from 'node:stream'
 * import { pipeline } from 'node:stream/promises'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, MemoryStream, Promises, Resource, Runtime, Stream } from 'millrace'
 * import { NodeStream } from 'millrace/node'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<Uint8Array>(10)
 *   yield* pipe(
 *     NodeStream.toWritable(send),
 *     Resource.use((writable) => Promises.fromPromise(() => pipeline(Readable.from(['one, ', 'two']), writable)))
 *   )
 *   return Buffer.concat(yield* Stream.collect(receive)).toString()
 * })
 * assert.equal(await Runtime.runPromise(program), 'one, two')
 *
 * @category to Node
 * @since 0.1.0
 */
export const toWritable = <E, Attrs extends object>(
  stream: SendStream<Bytes, E, Attrs> & Partial<Pick<DuplexStream<unknown, Bytes, E>, 'sendEof'>>
): Resource.Resource<unknown, never, Writable> =>
  outside(stream, (worker) => {
    const finish: Fx<E, void> = stream.sendEof ?? stream.close
    const then =
      (done: Callback) =>
      (exit: Exit<E, void>): void => {
        done(exit._tag === 'Left' ? errorOf(exit) : null)
      }
    return new Writable({
      write(chunk: Bytes, _encoding, done) {
        worker.run(stream.send(chunk), then(done))
      },
      final(done) {
        worker.run(finish, then(done))
      },
      destroy(error, done) {
        worker.stop(() => {
          done(error)
        })
      }
    })
  })
