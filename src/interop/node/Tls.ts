/**
 * TLS over any stream of bytes, and over TCP ready-made. Verification is on unless it is switched off by name.
 *
 * A stream that ends without the closing alert of TLS may have been cut short by somebody else, and is `BrokenResource`. Many
 * peers leave that way; where a protocol says itself where it ends, as HTTP does, `standardCompatible: false` takes it as the
 * end.
 *
 * @since 0.1.0
 */
import { type Attributes, extend, fromRecord } from '../../attributes/Attributes.js'
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as Resource from '../../scope/Resource.js'
import type { ResourceError } from '../../scope/ResourceError.js'
import * as Timeout from '../../scope/Timeout.js'
import type { ByteStream, Bytes } from '../../stream/ByteStream.js'
import * as Connectable from '../../stream/Connectable.js'
import * as Layer from '../../stream/Layer.js'
import type { Listener } from '../../stream/Listener.js'
import type { PeerCertificate, TlsFailed, TlsRow } from '../../stream/layers/Tls.js'
import type { DuplexStream } from '../../stream/ObjectStream.js'
import type { LocalRow, SocketRow } from '../../stream/SocketAttribute.js'
import type { BindFailed, ConnectionFailed } from '../../stream/StreamError.js'
import { type Checked, checkOptions, type TlsOptions } from './internal/tlsOptions.js'
import { Session } from './internal/tlsSession.js'
import * as Tcp from './Tcp.js'
import type { TLSSocket } from 'node:tls'

export * from '../../stream/layers/Tls.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

export type { TlsOptions } from './internal/tlsOptions.js'

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

const certificateOf = (socket: TLSSocket): PeerCertificate | null => {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return null
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
    raw: certificate.raw
  }
}

/** Node forgets all this when the connection is over, so it is asked at once; only the certificate is taken apart later. */
const attributesOf = (socket: TLSSocket, options: Checked): Attributes<TlsRow> => {
  const suite = socket.getCipher().standardName
  const version = socket.getProtocol() ?? 'unknown'
  const alpn = typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null
  const certificate = certificateOf(socket)
  return fromRecord<TlsRow>({
    'tls/cipher': () => suite,
    'tls/protocolVersion': () => version,
    'tls/alpnProtocol': () => alpn,
    'tls/peerCertificate': () => certificate,
    'tls/serverSide': () => options.side === 'server',
    'tls/standardCompatible': () => options.standardCompatible
  })
}

const wholeFrom1 = (n: number): boolean => n === Infinity || (Number.isInteger(n) && n >= 1)
const misuse = (message: string): Effect.Effect<unknown, never, never> => Effect.die(new RangeError(message))

const open =
  (options: Checked) =>
  <E, Row extends object>(
    wire: DuplexStream<Bytes, Bytes, E, Row>
  ): Resource.Resource<unknown, TlsFailed, ByteStream<E | TlsFailed | ResourceError, Row & TlsRow>> =>
    Resource.fromUse((use) =>
      LowLevel.openNursery({ name: 'Tls' }, (nursery) =>
        Effect.flatMap((fork: LowLevel.ForkUnsafe<unknown>) => {
          const tasks = LowLevel.childrenScope(nursery)
          // They end with the stream, and not when its user is cancelled, who may have a last word to say.
          LowLevel.setScopeShield(tasks, true)
          const session = new Session(wire, fork, options)
          const stream = (socket: TLSSocket): ByteStream<E | TlsFailed | ResourceError, Row & TlsRow> => ({
            delivery: 'reliable',
            receive: session.receive,
            receiveMany: (max) =>
              wholeFrom1(max)
                ? session.receiving(() => session.takeMany(max) as never)
                : misuse(
                    `receiveMany takes a whole number of items from 1, or Infinity, but was given ${String(max)}.`
                  ),
            receiveUpTo: (maxBytes) =>
              wholeFrom1(maxBytes)
                ? session.receiving(() => session.takeUpTo(maxBytes))
                : misuse(
                    `receiveUpTo takes a whole number of bytes from 1, but was given ${String(maxBytes)}.`
                  ),
            send: session.send,
            sendEof: session.sendEof,
            close: session.close,
            attributes: extend(attributesOf(socket, options))(wire.attributes)
          })
          const handshake = Timeout.failAfter(options.handshakeTimeout, (): TlsFailed => ({
            _tag: 'TlsFailed',
            reason: 'timeout',
            cause: new Error(`The handshake was not over after ${options.handshakeTimeout} ms.`)
          }))(session.handshake)
          return Effect.ensuring(
            Effect.andThen(LowLevel.cancelScope(tasks, 'the TLS stream was closed'))(session.close)
          )(Effect.flatMap((socket: TLSSocket) => use(stream(socket)))(handshake))
        })(LowLevel.forkUnsafe<unknown>(nursery))
      )
    )

/**
 * TLS on any stream of bytes. It needs a handshake, so on a stream it gives a resource; on a listener each connection has its
 * handshake in its own task.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: TlsOptions
): Layer.Layer<Bytes, Bytes, Bytes, Bytes, TlsFailed | ResourceError, TlsRow> => {
  const checked = checkOptions(options)
  return Layer.duplex((wire: Layer.Wire<Bytes>) => open(checked)(wire))
}

// -------------------------------------------------------------------------------------
// over TCP
// -------------------------------------------------------------------------------------

/**
 * A TLS connection over TCP.
 *
 * @category model
 * @since 0.1.0
 */
export interface TlsStream extends ByteStream<TlsFailed | ResourceError, SocketRow & TlsRow> {}

type Side<Options> = Omit<Options, 'side'>

/**
 * Connects by TCP and speaks TLS. `serverName` is the `host` when absent.
 *
 * **Errors.** `ConnectionFailed` as of `Tcp.connect`; `TlsFailed` when the handshake fails, with the connection closed.
 * **Cancellation.** Leaves neither an attempt nor a socket.
 *
 * @category over TCP
 * @since 0.1.0
 */
export const connect = (
  options: Tcp.ConnectOptions & Side<TlsOptions>
): Connectable.Connectable<TlsStream, ConnectionFailed | TlsFailed> => {
  const checked = checkOptions({ serverName: options.host, ...options, side: 'client' })
  const tcp = Tcp.connect(options)
  return Connectable.make(
    tcp.endpoint.replace(/^tcp:/, 'tls:'),
    Resource.flatMap((stream: Tcp.TcpStream) => open(checked)(stream))(tcp.connect)
  )
}

/**
 * Listens by TCP and speaks TLS with whoever connects. Each connection has its handshake in its own task: one that stalls
 * holds up nobody else, and is closed after `handshakeTimeout`.
 *
 * **Errors.** `BindFailed` as of `Tcp.listen`. A handshake that fails is a `TlsFailed` of that connection: `accept` fails with
 * it, and `Listener.serve` reports it to `onError`.
 *
 * @category over TCP
 * @since 0.1.0
 */
export const listen = (
  options: Tcp.ListenOptions & Side<TlsOptions>
): Resource.Resource<unknown, BindFailed, Listener<TlsStream, TlsFailed, LocalRow>> => {
  const checked = checkOptions({ ...options, side: 'server' })
  return Resource.map(
    (tcp: Listener<Tcp.TcpStream, never, LocalRow>): Listener<TlsStream, TlsFailed, LocalRow> => ({
      attributes: tcp.attributes,
      accept: Resource.flatMap((stream: Tcp.TcpStream) => open(checked)(stream))(tcp.accept),
      serveWith: (handler, serving) =>
        tcp.serveWith((stream) => Resource.use(handler)(open(checked)(stream)), serving),
      close: tcp.close
    })
  )(Tcp.listen(options))
}
