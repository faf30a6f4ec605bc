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
 * **Errors.** `TlsFailed` when the handshake fails, also when the stream below ends or fails in it; that is closed then. Later
 * `TlsFailed` is what the peer or the protocol objects to, `BrokenResource` a stream that was cut, and what the stream below
 * fails with passes through. A second receiver or sender at a time finds `BusyResource`. `sendEof` needs TLS 1.3; before, it
 * fails with the reason `halfClose` and changes nothing. Options that cannot work throw a `TypeError` at once.
 * **Cancellation.** During the handshake it closes the stream. A receive that is cancelled has received nothing. A send that is
 * cancelled may have been sent, in whole; the stream can still be used.
 *
 * Closing says goodbye by the closing alert where that needs no wait for the peer. To be sure that all has arrived, `sendEof`
 * and receive to the end.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { readFileSync } from 'node:fs'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Layer, Provider, Resource, Runtime } from 'millrace'
 * import { Tls } from 'millrace/node'
 * import { MemoryByteStream } from 'millrace/testing'
 *
 * const text = (file: string) => readFileSync(file, 'utf8')
 * const server = Tls.layer({ side: 'server', cert: text('server.pem'), key: text('server.key') })
 * const client = Tls.layer({ side: 'client', serverName: 'localhost', ca: text('ca.pem') })
 *
 * const program = Effect.gen(function* () {
 *   const [here, there] = yield* MemoryByteStream.pair()
 *   const ask = pipe(
 *     here,
 *     Layer.through(client),
 *     Resource.use((stream) =>
 *       Effect.map((answer: Uint8Array) => [Provider.extra(Tls.protocolVersion)(stream), answer.toString()])(stream.receive)
 *     )
 *   )
 *   const answer = pipe(
 *     there,
 *     Layer.through(server),
 *     Resource.use((stream) => stream.send(Buffer.from('hello')))
 *   )
 *   const [seen] = yield* pipe(ask, Concurrent.both(answer))
 *   return seen
 * })
 * assert.deepEqual(await Runtime.runPromise(program), ['TLSv1.3', 'hello'])
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
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 * import { Tls } from 'millrace/node'
 *
 * // Nobody listens there.
 * const server = Tls.connect({ host: 'localhost', port: 1, alpn: ['board/1'] })
 * assert.equal(server.endpoint, 'tls://localhost:1')
 *
 * const program = pipe(
 *   server,
 *   Resource.use((stream) => stream.send(Buffer.from('hello'))),
 *   Effect.as('sent'),
 *   Effect.catchTag('ConnectionFailed', () => Effect.succeed('not there')),
 *   Effect.catchTag('TlsFailed', ({ reason }) => Effect.succeed(`not to be trusted: ${reason}`))
 * )
 * assert.equal(await Runtime.runPromise(program), 'not there')
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
 * @example
 * import assert from 'node:assert/strict'
 * import { readFileSync } from 'node:fs'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Listener, Provider, Resource, Runtime, SocketAttribute, Stream, TaskGroup } from 'millrace'
 * import { Tls } from 'millrace/node'
 *
 * const text = (file: string) => readFileSync(file, 'utf8')
 * const listening = Tls.listen({ host: 'localhost', port: 0, cert: text('server.pem'), key: text('server.key') })
 *
 * const program = pipe(
 *   listening,
 *   Resource.use((listener) =>
 *     TaskGroup.open<unknown>()((group) =>
 *       Effect.gen(function* () {
 *         const echo = Listener.serve((client: Tls.TlsStream) => pipe(client, Stream.pipeTo(client)))
 *         yield* group.spawn(echo(listener), { service: true })
 *         const port = Provider.extra(SocketAttribute.localPort)(listener)
 *         return yield* pipe(
 *           Tls.connect({ host: 'localhost', port, ca: text('ca.pem') }),
 *           Resource.use((server) => pipe(server.send(Buffer.from('hello')), Effect.andThen(server.receive)))
 *         )
 *       })
 *     )
 *   )
 * )
 * assert.equal(Buffer.from(await Runtime.runPromise(program)).toString(), 'hello')
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
