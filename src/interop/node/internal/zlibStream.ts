/**
 * One direction through Node's zlib. What is written is worked on a piece at a time, and only as far as its output is taken:
 * a small input that unpacks to very much never lies in memory as a whole.
 *
 * @internal
 */
import type { BrotliCompress, BrotliDecompress, Deflate, Gunzip, Gzip, Inflate } from 'node:zlib'
import * as Effect from '../../../effect/Effect.js'
import type { Exit } from '../../../effect/Exit.js'
import * as LowLevel from '../../../effect/LowLevel.js'
import type { ClosedResource } from '../../../scope/ResourceError.js'
import type { Bytes } from '../../../stream/ByteStream.js'
import type { Below } from '../../../stream/Layer.js'
import * as ObjectStream from '../../../stream/ObjectStream.js'
import {
  type DecodeFailed,
  decodeFailed,
  type EndOfStream,
  endOfStream,
  type IncompleteRead,
  incompleteRead
} from '../../../stream/StreamError.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

export type Zlib = Gzip | Gunzip | Deflate | Inflate | BrotliCompress | BrotliDecompress
export type Failure = DecodeFailed | IncompleteRead | ClosedResource

const closed = (name: string): ClosedResource => ({ _tag: 'ClosedResource', resource: `${name} stream` })
const nothing: Exit<never, void> = { _tag: 'Right', right: undefined }

/** The engine, and what is to be known of it between its events. */
class Engine {
  private readonly name: string
  private readonly make: () => Zlib
  private zlib: Zlib | null = null
  private received = 0
  private last: Bytes | undefined
  /** Writes that are not worked through. */
  private working = 0
  private hasEnded = false
  private isClosed = false
  private error: Error | null = null
  private wake: (() => void) | null = null
  /** Something has happened while nobody waited: who has looked may have had to let the host have its turn before it waits. */
  private hasStirred = false

  constructor(name: string, make: () => Zlib) {
    this.name = name
    this.make = make
  }

  private open(): Zlib {
    if (this.zlib !== null) return this.zlib
    const zlib = this.make()
    zlib.on('readable', this.look)
    zlib.on('end', () => {
      this.hasEnded = true
      this.look()
    })
    zlib.on('error', (error: Error) => {
      this.error = error
      this.look()
    })
    return (this.zlib = zlib)
  }

  private readonly look = (): void => {
    const { wake } = this
    this.wake = null
    if (wake === null) this.hasStirred = true
    else wake()
  }

  get isUntouched(): boolean {
    return this.received === 0
  }

  get isWorking(): boolean {
    return this.working > 0
  }

  get failure(): Failure | null {
    if (this.isClosed) return closed(this.name)
    const { error } = this
    if (error === null) return null
    // What zlib calls a buffer error is an input that is not over.
    return 'code' in error && error.code === 'Z_BUF_ERROR'
      ? incompleteRead(this.received)
      : decodeFailed(this.name, this.last, error.message)
  }

  get isOver(): boolean {
    return this.hasEnded
  }

  private readonly worked = (): void => {
    this.working--
    this.look()
  }

  write(bytes: Bytes): void {
    this.received += bytes.length
    this.last = bytes
    this.working++
    this.open().write(bytes, this.worked)
  }

  flush(kind: number): void {
    this.working++
    this.open().flush(kind, this.worked)
  }

  end(): void {
    this.open().end()
  }

  read(): Bytes | null {
    return this.zlib === null || this.error !== null ? null : (this.zlib.read() as Bytes | null)
  }

  /** Waits until something has happened. It may have been seen already, so who waits looks again. */
  readonly event: Fx<never, void> = LowLevel.park('Compression', (resume) => {
    if (this.hasStirred) {
      this.hasStirred = false
      resume(nothing)
      return () => true
    }
    this.wake = () => {
      resume(nothing)
    }
    return () => {
      this.wake = null
      return true
    }
  })

  close(): void {
    this.isClosed = true
    this.zlib?.destroy()
    this.look()
  }
}

const isEnd = (error: { readonly _tag: string }): boolean => error._tag === 'EndOfStream'

export const unpacking = (
  name: string,
  make: () => Zlib,
  wire: ObjectStream.ReceiveStream<Bytes, Below>
): ObjectStream.ReceiveStream<Bytes, Below | Failure> => {
  const engine = new Engine(name, make)
  let isFed = false
  const feed = Effect.match(
    (error: Below | EndOfStream): Exit<Below, void> => {
      if (!isEnd(error)) return { _tag: 'Left', left: { _tag: 'Fail', error: error as Below } }
      isFed = true
      // Without a byte there was nothing that could be cut short.
      if (!engine.isUntouched) engine.end()
      return nothing
    },
    (bytes: Bytes): Exit<Below, void> => {
      if (bytes.length > 0) engine.write(bytes)
      return nothing
    }
  )(wire.receive)
  const step = Effect.suspend((): Fx<Below | Failure | EndOfStream, Bytes> => {
    const { failure } = engine
    if (failure?._tag === 'ClosedResource') return Effect.fail(failure)
    const bytes = engine.read()
    if (bytes !== null) return Effect.succeed(bytes)
    // The read may have found it.
    const found = engine.failure
    if (found !== null) return Effect.fail(found)
    if (engine.isOver || (isFed && engine.isUntouched)) return Effect.fail(endOfStream)
    if (isFed || engine.isWorking) return Effect.flatMap(() => step)(engine.event)
    return Effect.flatMap((exit: Exit<Below, void>): Fx<Below | Failure | EndOfStream, Bytes> =>
      exit._tag === 'Right' ? step : (Effect.fromExit(exit) as Fx<Below, never>)
    )(feed)
  })
  const close = Effect.ensuring(wire.close)(
    Effect.sync(() => {
      engine.close()
    })
  )
  const receive = Effect.andThen(step)(Effect.checkCancelled)
  return ObjectStream.receiveStream<Bytes, Below | Failure | EndOfStream>({ receive, close })
}

export const packing = (
  name: string,
  make: () => Zlib,
  /** How to bring out what was sent so far; null to leave that to the end. */
  flush: number | null,
  wire: ObjectStream.SendStream<Bytes, Below>
): ObjectStream.DuplexStream<never, Bytes, Below | Failure> => {
  const engine = new Engine(name, make)
  /** Came out, and was not sent: it goes first. */
  let held: Bytes | null = null
  let hasEnded = false
  /** Sends on what comes out until the engine has nothing to do, or is over. */
  const pump = Effect.suspend((): Fx<Below | Failure, void> => {
    held ??= engine.read()
    if (held !== null) {
      return Effect.flatMap(() => {
        held = null
        return pump
      })(wire.send(held))
    }
    const { failure } = engine
    if (failure !== null) return Effect.fail(failure)
    if (hasEnded ? engine.isOver : !engine.isWorking) return Effect.unit
    return Effect.flatMap(() => pump)(engine.event)
  })
  const send = (bytes: Bytes): Fx<Below | Failure, void> =>
    Effect.flatMap((): Fx<Below | Failure, void> => {
      if (hasEnded) return Effect.fail(closed(name))
      if (bytes.length === 0) return Effect.unit
      engine.write(bytes)
      if (flush !== null) engine.flush(flush)
      return pump
      // What a cancelled send has left goes first.
    })(Effect.andThen(pump)(Effect.checkCancelled))
  const endOfWire = (wire as Partial<ObjectStream.DuplexStream<never, Bytes, Below>>).sendEof ?? wire.close
  const sendEof = Effect.flatMap((): Fx<Below | Failure, void> => {
    if (!hasEnded) engine.end()
    hasEnded = true
    return Effect.flatMap(() => endOfWire)(pump)
  })(pump)
  const drop = Effect.sync(() => {
    engine.close()
  })
  // A lone stream has no other way to be ended: what is left goes out first. With both directions that is `sendEof`.
  const finish = 'receive' in wire ? Effect.unit : Effect.asUnit(Effect.either(sendEof))
  const close = Effect.ensuring(wire.close)(Effect.ensuring(drop)(finish))
  return ObjectStream.duplexStream({ receive: Effect.never, send, sendEof, close })
}
