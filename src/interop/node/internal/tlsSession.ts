/**
 * One TLS connection over any stream of bytes. Node's own implementation does the work: it is given a `Duplex` whose far side
 * is the stream below.
 *
 * What moves ciphertext are tasks of the session and not of its users, since a record that was sent in part cannot be taken
 * back: a `send` that is cancelled lets go, and its record is still written whole.
 *
 * @internal
 */
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Cause } from '../../../effect/Cause.js'
import * as Effect from '../../../effect/Effect.js'
import type { Exit } from '../../../effect/Exit.js'
import * as LowLevel from '../../../effect/LowLevel.js'
import * as ParkingLot from '../../../effect/ParkingLot.js'
import type { BusyResource, ClosedResource, ResourceError } from '../../../scope/ResourceError.js'
import type { Bytes } from '../../../stream/ByteStream.js'
import type { DuplexStream } from '../../../stream/ObjectStream.js'
import { type EndOfStream, endOfStream } from '../../../stream/StreamError.js'
import type { TlsFailed } from '../../../stream/layers/Tls.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

/** What starts the handshake over the ciphertext, and tells how it went. */
export type Handshake = (
  ciphertext: Duplex,
  done: (socket: TLSSocket) => void,
  failed: (error: unknown) => void
) => void

export interface SessionOptions {
  readonly standardCompatible: boolean
  readonly handshake: Handshake
}

const fail = <E>(error: E): { readonly _tag: 'Left'; readonly left: Cause<E> } => ({
  _tag: 'Left',
  left: { _tag: 'Fail', error }
})
const succeed = <A>(a: A): Exit<never, A> => ({ _tag: 'Right', right: a })
const nothing = succeed(undefined)

const closed: ClosedResource = { _tag: 'ClosedResource', resource: 'TLS stream' }
const reading: BusyResource = { _tag: 'BusyResource', action: 'reading from' }
const writing: BusyResource = { _tag: 'BusyResource', action: 'writing to' }
const truncated = (): ResourceError => ({
  _tag: 'BrokenResource',
  resource: 'TLS stream',
  cause: new Error(
    'The connection ended without the closing alert of TLS: what was received may be cut short.'
  )
})

/** Names in OpenSSL's errors, and codes of its verification, that are about a certificate. */
const aboutCertificates =
  /CERT|UNKNOWN_CA|CHAIN|ISSUER|CRL|INVALID_(CA|PURPOSE)|PATH_LENGTH|LEAF_SIGNATURE|(UN|RE)(TRUSTED|JECTED)/

const tlsFailed = (cause: unknown): TlsFailed => {
  const code: unknown = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : cause
  const name = typeof code === 'string' ? code : ''
  return {
    _tag: 'TlsFailed',
    reason:
      name === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? 'hostName'
        : aboutCertificates.test(name)
          ? 'certificate'
          : 'protocol',
    cause
  }
}

const isEnd = (cause: Cause<unknown>): boolean =>
  cause._tag === 'Fail' &&
  typeof cause.error === 'object' &&
  cause.error !== null &&
  '_tag' in cause.error &&
  cause.error._tag === 'EndOfStream'

/** What a cause is about, for the `cause` of a failure that replaces it. */
const inside = (cause: Cause<unknown>): unknown => (cause._tag === 'Fail' ? cause.error : cause)

/** How many turns of the host the closing alert is given to leave. */
const closingTurns = 8

/** A sender that waits; `bytes` is null when they were given to Node. */
interface Sender {
  bytes: Bytes | null
}

type Take = () => unknown

/** How a direction ends. */
type End = Extract<Exit<unknown, never>, { readonly _tag: 'Left' }>

export class Session<E> {
  readonly receive: Fx<E | TlsFailed | ResourceError | EndOfStream, Bytes>
  readonly sendEof: Fx<E | TlsFailed | ResourceError, void>
  private readonly options: SessionOptions
  private readonly wire: DuplexStream<Bytes, Bytes, E>
  private readonly fork: LowLevel.ForkUnsafe<unknown>
  private readonly ciphertext: Duplex
  private tls: TLSSocket | null = null
  private isClosed = false
  /** TLS itself has failed, and may have an alert to send. */
  private hasFailed = false
  /** Whether the end of what is sent was given to Node, and has left. */
  private ending: 'no' | 'begun' | 'done' = 'no'

  /** Plaintext that nobody has received. */
  private readonly chunks: Array<Bytes> = []
  private readonly readers = ParkingLot.make<Take, never, Exit<unknown, unknown>>('Tls.receive')
  /** What comes after the plaintext. */
  private over: End | null = null
  /** The stream below has ended. Plaintext of what came before may be on its way. */
  private wireOver: End | null = null
  private closingAlert = false

  private readonly senders = ParkingLot.make<Sender, never, Exit<unknown, void>>('Tls.send')
  /** Bytes that were given to Node and have not left. Whose sender was cancelled, the next one waits for them. */
  private inFlight = false
  private sendOver: End | null = null
  /** Ciphertext that the stream below has not taken. */
  private leaving = 0

  private endHandshake: ((exit: Exit<TlsFailed, TLSSocket>) => void) | null = null
  private readonly whenClosed: Array<() => void> = []
  private closing: 'no' | 'begun' | 'done' = 'no'

  constructor(
    wire: DuplexStream<Bytes, Bytes, E>,
    fork: LowLevel.ForkUnsafe<unknown>,
    options: SessionOptions
  ) {
    this.wire = wire
    this.fork = fork
    this.options = options
    this.receive = this.receiving(() => this.chunks.shift())
    this.sendEof = unwrap(LowLevel.operation(sendEofPrimitive, this))
    this.ciphertext = new Duplex({
      allowHalfOpen: true,
      // Node would destroy the secured socket with it when both directions have ended, and plaintext that nobody has received
      // yet with that. `close` destroys them.
      autoDestroy: false,
      // One chunk at a time, when it is asked for.
      readableHighWaterMark: 0,
      read: () => {
        this.pull()
      },
      write: (chunk: Buffer, _encoding, done) => {
        this.push(chunk, done)
      },
      writev: (chunks, done) => {
        this.push(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done)
      },
      final: (done) => {
        // The closing alert has said it already: a stream below that cannot end one direction is no failure.
        this.run(wire.sendEof, () => {
          done()
        })
      }
    })
    // Before Node listens, so that what it makes of the end can be told from a closing alert.
    this.ciphertext.on('end', () => {
      const end = this.wireOver ?? fail(endOfStream)
      this.wireOver = end
      this.handshakeFailed({
        _tag: 'TlsFailed',
        reason: 'protocol',
        cause: inside(end.left)
      })
    })
  }

  // ---- ciphertext

  private run<E2, A>(fx: Fx<E2, A>, done: (exit: Exit<E2, A>) => void): void {
    this.fork(Effect.map(done)(Effect.exit(fx)), { name: 'Tls' })
  }

  private pull(): void {
    this.run(this.wire.receive, (exit) => {
      if (this.ciphertext.destroyed) return
      if (exit._tag === 'Right') {
        this.ciphertext.push(exit.right)
        return
      }
      this.wireOver = exit
      this.ciphertext.push(null)
    })
  }

  private push(bytes: Bytes, done: () => void): void {
    this.leaving++
    this.run(this.wire.send(bytes), (exit) => {
      if (exit._tag === 'Left') {
        this.leaving--
        this.sendFailed(exit)
        return
      }
      done()
      // Node waits for a turn as well, and then gives what it has held back: this is never 0 in between.
      setImmediate(() => {
        this.leaving--
      })
    })
  }

  // ---- the handshake

  readonly handshake: Fx<TlsFailed, TLSSocket> = LowLevel.park('Tls.handshake', (resume) => {
    this.endHandshake = resume
    this.options.handshake(
      this.ciphertext,
      (socket) => {
        this.secured(socket)
      },
      (error) => {
        this.hasFailed = true
        this.handshakeFailed(tlsFailed(error))
      }
    )
    return () => {
      this.endHandshake = null
      return true
    }
  })

  private handshakeFailed(failure: TlsFailed): void {
    this.endHandshake?.(fail(failure))
    this.endHandshake = null
  }

  private secured(socket: TLSSocket): void {
    if (this.endHandshake === null) {
      socket.destroy()
      return
    }
    this.tls = socket
    const push = socket.push.bind(socket)
    // Node ends its stream on the closing alert, and also where the connection was cut: here the two look different.
    socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && this.wireOver === null) this.closingAlert = true
      return push(chunk, encoding)
    }
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
      this.serve()
    })
    socket.on('end', () => {
      this.finish(this.endOfPlaintext())
    })
    socket.on('error', (error: unknown) => {
      this.keepRest(socket)
      const failure = fail(tlsFailed(error))
      this.sendFailed(failure)
      this.finish(failure)
    })
    socket.on('close', () => {
      this.finish(this.endOfPlaintext())
    })
    socket.pause()
    this.endHandshake(succeed(socket))
    this.endHandshake = null
  }

  private endOfPlaintext(): End {
    if (this.closingAlert) return fail(endOfStream)
    const end = this.wireOver
    if (end !== null && !isEnd(end.left)) return end
    return fail(this.options.standardCompatible ? truncated() : endOfStream)
  }

  /** What was decrypted before a failure still counts. */
  private keepRest(socket: TLSSocket): void {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      this.chunks.push(chunk)
    }
  }

  // ---- receiving

  private finish(end: End): void {
    this.over ??= end
    this.serve()
  }

  private serve(): void {
    if (this.readers.size() > 0) {
      if (this.chunks.length > 0) this.readers.succeedUnsafe(succeed(this.readers.firstUnsafe()()))
      else if (this.over !== null) this.readers.succeedUnsafe(this.over)
      else return
    }
    this.tls?.pause()
  }

  receiving<A>(take: () => A | undefined): Fx<E | TlsFailed | ResourceError | EndOfStream, A> {
    return unwrap(LowLevel.operation(receivePrimitive, this, take))
  }

  receiveUnsafe(self: LowLevel.Self, take: Take): Exit<unknown, unknown> | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.isClosed) return fail(closed)
    if (this.readers.size() > 0) return fail(reading)
    if (this.chunks.length > 0) return succeed(take())
    if (this.over !== null) return this.over
    const waiting = ParkingLot.parkSelf(self, this.readers, take)
    this.tls?.resume()
    return waiting
  }

  /** The chunks that are there. */
  takeMany(max: number): ReadonlyArray<Bytes> {
    return this.chunks.splice(0, max)
  }

  /** Not more than that many bytes of the first chunk. */
  takeUpTo(maxBytes: number): Bytes {
    const first = this.chunks[0] as Bytes
    if (first.length <= maxBytes) return this.chunks.shift() as Bytes
    this.chunks[0] = first.subarray(maxBytes)
    return first.subarray(0, maxBytes)
  }

  // ---- sending

  readonly send = (bytes: Bytes): Fx<E | TlsFailed | ResourceError, void> =>
    unwrap(LowLevel.operation(sendPrimitive, this, bytes))

  sendUnsafe(self: LowLevel.Self, bytes: Bytes): Exit<unknown, void> | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.isClosed || this.ending !== 'no') return fail(closed)
    if (this.senders.size() > 0) return fail(writing)
    if (this.sendOver !== null) return this.sendOver
    if (bytes.length === 0) return nothing
    const sender: Sender = { bytes }
    const waiting = ParkingLot.parkSelf(self, this.senders, sender)
    if (!this.inFlight) this.write(sender)
    return waiting
  }

  private write(sender: Sender): void {
    const { bytes } = sender
    sender.bytes = null
    this.inFlight = true
    this.tls?.write(bytes as Bytes, () => {
      this.inFlight = false
      this.left(sender)
    })
  }

  /** What `sender` gave has left. It may have been cancelled meanwhile, and another one may wait for its turn. */
  private left(sender: Sender): void {
    if (this.senders.size() === 0) return
    const first = this.senders.firstUnsafe()
    if (first === sender) this.senders.succeedUnsafe(nothing)
    else if (first.bytes !== null) this.write(first)
  }

  sendEofUnsafe(self: LowLevel.Self): Exit<unknown, void> | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.isClosed) return fail(closed)
    if (this.senders.size() > 0) return fail(writing)
    if (this.ending === 'done') return nothing
    if (this.sendOver !== null) return this.sendOver
    const socket = this.tls as TLSSocket
    if (socket.getProtocol() !== 'TLSv1.3') return fail(noHalfClose())
    const waiting = ParkingLot.parkSelf(self, this.senders, { bytes: null })
    if (this.ending === 'no') {
      this.ending = 'begun'
      socket.end((error?: Error | null) => {
        if (error === undefined || error === null) this.ended()
        else this.sendFailed(fail(tlsFailed(error)))
      })
    }
    return waiting
  }

  /** Who asked for the end first may have been cancelled meanwhile: whoever waits now, waits for this. */
  private ended(): void {
    this.ending = 'done'
    if (this.senders.size() > 0) this.senders.succeedUnsafe(nothing)
  }

  private sendFailed(failure: End): void {
    this.sendOver ??= failure
    this.inFlight = false
    this.senders.unparkAllUnsafe(succeed(this.sendOver))
  }

  // ---- closing

  /**
   * Says goodbye if it can do so without waiting for the peer, and closes the stream below. A finalizer, so that it runs in a
   * cancelled scope too.
   */
  readonly close: Fx<never, void> = Effect.ensuring(
    Effect.suspend((): Fx<never, void> => {
      if (this.closing === 'done') return Effect.unit
      if (this.closing === 'begun') {
        return LowLevel.park('Tls.close', (resume) => {
          this.whenClosed.push(() => {
            resume(nothing)
          })
          return () => true
        })
      }
      this.closing = 'begun'
      this.sayGoodbye()
      return Effect.map(() => {
        this.closing = 'done'
        for (const wake of this.whenClosed) wake()
      })(
        Effect.ensuring(
          Effect.andThen(this.wire.close)(
            Effect.sync(() => {
              this.tls?.destroy()
              this.ciphertext.destroy()
            })
          )
        )(this.flush)
      )
    })
  )(Effect.unit)

  private sayGoodbye(): void {
    this.isClosed = true
    this.chunks.length = 0
    this.handshakeFailed({ _tag: 'TlsFailed', reason: 'protocol', cause: closed })
    const wasInFlight = this.inFlight
    this.readers.unparkAllUnsafe(succeed(fail(closed)))
    this.senders.unparkAllUnsafe(succeed(fail(closed)))
    const { tls } = this
    if (tls === null || tls.destroyed) return
    // Behind bytes that do not leave, the alert would not leave either.
    if (this.options.standardCompatible && !wasInFlight && this.sendOver === null && this.ending === 'no')
      tls.end()
  }

  /** A few turns of the host, until all ciphertext has left: enough where nobody has to be waited for. */
  private readonly flush: Fx<never, void> = LowLevel.park('Tls.close', (resume) => {
    let turns = 0
    const look = (): void => {
      // A handshake that was given up has nothing more to say.
      const silent = this.tls === null && !this.hasFailed
      if (silent || this.leaving === 0 || turns++ === closingTurns) resume(nothing)
      else setImmediate(look)
    }
    look()
    return (forced) => forced
  })
}

const noHalfClose = (): TlsFailed => ({
  _tag: 'TlsFailed',
  reason: 'halfClose',
  cause: new Error(
    'Before TLS 1.3 the end of one direction ends the other one too. Use close, or minVersion: "TLSv1.3".'
  )
})

const unwrap = <E, A>(operation: Fx<never, Exit<unknown, unknown>>): Fx<E, A> =>
  Effect.flatMap((exit: Exit<unknown, unknown>) => Effect.fromExit(exit))(operation) as Fx<E, A>

const receivePrimitive = (
  self: LowLevel.Self,
  session: Session<unknown>,
  take: Take
): Exit<unknown, unknown> | LowLevel.Suspended => session.receiveUnsafe(self, take)

const sendPrimitive = (
  self: LowLevel.Self,
  session: Session<unknown>,
  bytes: Bytes
): Exit<unknown, unknown> | LowLevel.Suspended => session.sendUnsafe(self, bytes)

const sendEofPrimitive = (
  self: LowLevel.Self,
  session: Session<unknown>
): Exit<unknown, unknown> | LowLevel.Suspended => session.sendEofUnsafe(self)
