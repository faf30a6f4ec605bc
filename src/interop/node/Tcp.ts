/**
 * TCP: connections, and listeners for them. A connection is a byte stream that half-closes, with the addresses of both ends
 * as attributes.
 *
 * A stream is read only while somebody receives, and a little ahead (64 KiB, or 16 chunks, and what the host has in hand), so
 * a peer that sends faster than we receive has to wait. In the other direction `send` is over when the kernel has taken the
 * chunk, so a peer that does not receive keeps `send` waiting, and no memory fills.
 *
 * @since 0.1.0
 */
import { isIPv6, type Server, Socket } from 'node:net'
import { type Attributes, fromRecord } from '../../attributes/Attributes.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as Resource from '../../scope/Resource.js'
import type { ResourceError } from '../../scope/ResourceError.js'
import type { ByteStream } from '../../stream/ByteStream.js'
import * as Connectable from '../../stream/Connectable.js'
import * as Listener from '../../stream/Listener.js'
import { type Address, interleave } from '../../stream/HappyEyeballs.js'
import type { LocalRow, SocketRow } from '../../stream/SocketAttribute.js'
import type { BindFailed } from '../../stream/StreamError.js'
import { addressesOf, connectFirst, connectTo, type Lookup, systemLookup } from './internal/connecting.js'
import { type Binding, Listening } from './internal/listening.js'
import { streamOf } from './internal/socket.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A connection.
 *
 * **Errors.** Of `receive` and its variants: `EndOfStream` when the peer has ended its direction, now and at every later call;
 * `BrokenResource` when the connection was reset or lost, with the error of the host as `cause`, after what had been read by
 * then; `BusyResource` when another task receives. Of `send` and `sendEof`: `BrokenResource`; `BusyResource` when another task
 * sends; `ClosedResource` after one's own `sendEof`. Of all of them, after one's own `close`: `ClosedResource`. One task may
 * receive while another one sends. A reset that finds bytes of the peer unread may look like the end after them, since that is
 * what Node makes of it on Unix; a protocol that says itself where it ends, such as TLS, knows the difference.
 *
 * **Cancellation.** A `receive` that is cancelled has received nothing, and no byte is lost. A `send` that is cancelled before
 * the host was given the chunk has sent nothing; afterwards the host goes on and sends all of it, unless the stream is closed
 * or breaks, so do not write to the chunk any more. The stream stays usable: the next `send` first waits until the host has
 * taken what the cancelled one left.
 *
 * **Closing** never waits for the peer. The kernel delivers what `send` gave to it, with one exception, which is TCP's: if
 * bytes of the peer have arrived that nobody received, the connection is reset and the peer may lose what it had not read. So
 * who answers early and closes should `sendEof` first, and receive to the end.
 *
 * @category model
 * @since 0.1.0
 */
export interface TcpStream extends ByteStream<ResourceError, SocketRow> {}

/**
 * Where connections arrive. Its attributes are those of its own end, such as the port.
 *
 * @category model
 * @since 0.1.0
 */
export interface TcpListener extends Listener.Listener<TcpStream, never, LocalRow> {}

/**
 * How to connect.
 *
 * @category model
 * @since 0.1.0
 */
export interface ConnectOptions {
  /** A name, or an IP address, which is not looked up. */
  readonly host: string
  /** From 1 to 65535; anything else is refused at once, with a `RangeError`. */
  readonly port: number
  /** The address, or a name of it, that the connection goes out from. Only families that it has are tried. */
  readonly localHost?: string
  /** The port that the connection goes out from; one that is free when absent or 0. */
  readonly localPort?: number
  /** Ms that an address has to answer before the next one is tried beside it; 250 when absent. */
  readonly happyEyeballsDelay?: number
  /** False lets the kernel hold small chunks back until it has more (Nagle's algorithm). True when absent. */
  readonly noDelay?: boolean
  /** The addresses of a name, in any order; when absent, what the machine says. What it fails with is the error of the attempt. */
  readonly lookup?: (host: string) => Effect.Effect<unknown, unknown, ReadonlyArray<Address>>
}

/**
 * Where to listen.
 *
 * @category model
 * @since 0.1.0
 */
export interface ListenOptions {
  /** A name, or an IP address. All interfaces, of both families, when absent. */
  readonly host?: string
  /** From 0 to 65535; anything else is refused at once, with a `RangeError`. 0 takes one that is free. */
  readonly port: number
  /**
   * How many connections may wait for being accepted: in the kernel, which may allow fewer, and as many again in this process.
   * Further ones are reset at once. 4096 when absent.
   */
  readonly backlog?: number
  /** Lets other sockets listen on the same port; the kernel spreads the connections over them. Needs Node 22.12 or later. */
  readonly reusePort?: boolean
  /** As that of {@link ConnectOptions}. */
  readonly lookup?: (host: string) => Effect.Effect<unknown, unknown, ReadonlyArray<Address>>
}

// -------------------------------------------------------------------------------------
// connecting
// -------------------------------------------------------------------------------------

const checkPort = (what: string, port: number, lowest: 0 | 1): void => {
  if (Number.isInteger(port) && port >= lowest && port <= 65_535) return
  throw new RangeError(
    `The ${what} is a whole number from ${String(lowest)} to 65535, but was given ${String(port)}.`
  )
}

const endpointOf = (host: string, port: number): string =>
  isIPv6(host) ? `tcp://[${host}]:${String(port)}` : `tcp://${host}:${String(port)}`

/**
 * A connection to a host and a port, which is closed when it is released. Use it as a resource, or hand it to code that takes
 * any `Connectable`.
 *
 * When the name has several addresses, IPv6 and IPv4 take turns, each gets a while to answer before the next one is tried
 * beside it, one that fails makes room for the next one at once, and the first one that answers is taken (RFC 8305).
 *
 * **Errors.** `ConnectionFailed`, with the error of each address that was tried, or that of looking the name up.
 * **Cancellation.** At any moment; every socket that was opened meanwhile is closed before it ends.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Provider, Resource, Runtime, SocketAttribute } from 'millrace'
 * import { Tcp } from 'millrace/node'
 *
 * const program = pipe(
 *   Tcp.listen({ host: '127.0.0.1', port: 0 }),
 *   Resource.use((listener) => {
 *     const port = Provider.extra(SocketAttribute.localPort)(listener)
 *     const server = pipe(listener.accept, Resource.use((stream) => stream.send(new TextEncoder().encode('hello'))))
 *     const client = pipe(
 *       Tcp.connect({ host: '127.0.0.1', port }),
 *       Resource.use((stream) => stream.receive),
 *       Effect.map((bytes) => new TextDecoder().decode(bytes))
 *     )
 *     return pipe(client, Concurrent.both(server), Effect.map(([text]) => text))
 *   })
 * )
 * assert.equal(await Runtime.runPromise(program), 'hello')
 *
 * @category connecting
 * @since 0.1.0
 */
export const connect = (options: ConnectOptions): Connectable.Connectable<TcpStream> => {
  const { host, port, localHost, localPort, happyEyeballsDelay = 250, noDelay = true } = options
  const lookup: Lookup = options.lookup ?? systemLookup
  checkPort('port to connect to', port, 1)
  if (localPort !== undefined) checkPort('local port', localPort, 0)
  if (!(happyEyeballsDelay >= 0)) {
    throw new RangeError(
      `happyEyeballsDelay is a number of ms from 0, but was given ${String(happyEyeballsDelay)}.`
    )
  }
  const endpoint = endpointOf(host, port)
  const connection = connectFirst<TcpStream>({
    endpoint,
    host,
    port,
    localHost,
    localPort,
    delay: happyEyeballsDelay,
    noDelay,
    lookup,
    attempt: (target) => Effect.map(streamOf)(connectTo(target)),
    discard: (stream) => stream.close
  })
  return Connectable.make(endpoint, Resource.closing(connection))
}

/**
 * A socket that somebody else has connected, such as one of an `upgrade` of Node's HTTP server. It belongs to the stream from
 * then on, and is closed when it is released. What it has buffered is received first.
 *
 * **Errors.** None. A socket that is not connected, or that decodes text, is a defect, and is left as it is; one that was
 * destroyed gives a stream that is broken.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { once } from 'node:events'
 * import { connect, createServer, type AddressInfo } from 'node:net'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 * import { Tcp } from 'millrace/node'
 *
 * const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
 * await once(server, 'listening')
 * const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
 * await once(socket, 'connect')
 *
 * const program = pipe(
 *   Tcp.fromSocket(() => socket),
 *   Resource.use((stream) => stream.receive),
 *   Effect.map((bytes) => new TextDecoder().decode(bytes))
 * )
 * assert.equal(await Runtime.runPromise(program), 'hello')
 * server.close()
 *
 * @category connecting
 * @since 0.1.0
 */
export const fromSocket = (socket: () => Socket): Resource.Resource<unknown, never, TcpStream> =>
  Resource.closing(
    Effect.sync((): TcpStream => {
      const given: unknown = socket()
      if (!(given instanceof Socket)) throw new TypeError('Tcp.fromSocket takes a Socket of node:net.')
      if (given.pending && !given.destroyed) {
        throw new TypeError(
          'Tcp.fromSocket takes a socket that is connected. Wait for its event "connect", or use Tcp.connect.'
        )
      }
      if (given.readableEncoding !== null) {
        throw new TypeError('Tcp.fromSocket takes a socket of bytes, but setEncoding was called on this one.')
      }
      return streamOf(given)
    })
  )

// -------------------------------------------------------------------------------------
// listening
// -------------------------------------------------------------------------------------

/** Node 20 takes the option and does nothing about it. */
const canReusePort = ((): boolean => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)
})()

/** How often another free port is looked for when an address has the first one in use. */
const searches = 32

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

/** There is no IPv6 on this machine. */
const lacksFamily = (error: unknown): boolean =>
  ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL', 'EPROTONOSUPPORT'].includes(String(codeOf(error)))

/**
 * A machine, or a container, without IPv6 often knows its name by an IPv6 address all the same. That address is passed over
 * when there are others.
 */
const unlessMissing =
  ({ host }: Binding, port: number) =>
  (error: unknown): Fx<unknown, number> =>
    isIPv6(host) && lacksFamily(error) && (codeOf(error) !== 'EADDRNOTAVAIL' || host === '::1')
      ? Effect.succeed(port)
      : Effect.fail(error)

const localAttributes = (server: Server): Attributes<LocalRow> => {
  const { address, port } = server.address() as { readonly address: string; readonly port: number }
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return fromRecord<LocalRow>({
    'socket/family': () => family,
    'socket/localAddress': () => address,
    'socket/localPort': () => port,
    'socket/raw': () => server
  })
}

/**
 * Listens for as long as it is held. A name with several addresses (`localhost` mostly has one of each family) is listened on
 * at all of them, at the same port, as one listener; its attributes are those of the first.
 *
 * Serve it with `Listener.serve`, or take connections one by one with `accept`. Connections that have arrived and were not
 * taken are reset when the listener is closed. When a scope around it drains, it stops to listen at once, so that clients go
 * elsewhere, while the connections that were taken go on.
 *
 * When the process runs out of file descriptors, Node drops the connections that arrive meanwhile, and the listener goes on
 * when there are some again.
 *
 * **Errors.** `BindFailed`: the address is in use, not one of this machine, not allowed, or cannot be looked up.
 * **Cancellation.** Nothing is left listening.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Listener, Provider, Resource, Runtime, SocketAttribute, Stream, TaskGroup } from 'millrace'
 * import { Tcp } from 'millrace/node'
 *
 * const program = pipe(
 *   Tcp.listen({ host: '127.0.0.1', port: 0 }),
 *   Resource.use((listener) =>
 *     TaskGroup.open<unknown>()((group) =>
 *       Effect.gen(function* () {
 *         const echo = (stream: Tcp.TcpStream) => pipe(stream, Stream.pipeTo(stream))
 *         yield* group.spawn(pipe(listener, Listener.serve(echo)), { service: true })
 *         const port = Provider.extra(SocketAttribute.localPort)(listener)
 *         return yield* pipe(
 *           Tcp.connect({ host: '127.0.0.1', port }),
 *           Resource.use((stream) => pipe(stream.send(new Uint8Array([1, 2, 3])), Effect.andThen(stream.receive)))
 *         )
 *       })
 *     )
 *   )
 * )
 * assert.deepEqual([...(await Runtime.runPromise(program))], [1, 2, 3])
 *
 * @category listening
 * @since 0.1.0
 */
export const listen = (options: ListenOptions): Resource.Resource<unknown, BindFailed, TcpListener> => {
  const { host, port, backlog = 4096, reusePort = false, lookup = systemLookup } = options
  checkPort('port to listen on', port, 0)
  if (!Number.isInteger(backlog) || backlog < 1 || backlog > 2 ** 31 - 1) {
    throw new RangeError(
      `The backlog is a whole number of connections from 1, but was given ${String(backlog)}.`
    )
  }
  const binding = { port, backlog, reusePort }
  const endpoint = endpointOf(host ?? '*', port)
  const failed = (cause: unknown): BindFailed => ({ _tag: 'BindFailed', endpoint, cause })

  /** Listens on all of them at one port, or on none. */
  const bindAll = (bindings: ReadonlyArray<Binding>): Fx<unknown, Listening<TcpStream>> =>
    Effect.suspend(() => {
      const listening = new Listening<TcpStream>(backlog, streamOf)
      const bound = Effect.gen(function* () {
        let shared = port
        for (const each of bindings) {
          const bind = listening.bind({ ...each, port: shared })
          shared = yield* bindings.length === 1 ? bind : Effect.orElse(unlessMissing(each, shared))(bind)
        }
        if (listening.servers.length > 0) return listening
        return yield* Effect.fail(new Error(`${String(host)} has no address of this machine.`))
      })
      return Effect.onExit((exit: Exit<unknown, Listening<TcpStream>>) =>
        exit._tag === 'Left' ? listening.close : Effect.unit
      )(bound)
    })

  const everywhere = Effect.orElse((error: unknown): Fx<unknown, Listening<TcpStream>> =>
    lacksFamily(error) ? bindAll([{ ...binding, host: '0.0.0.0', ipv6Only: false }]) : Effect.fail(error)
  )(bindAll([{ ...binding, host: '::', ipv6Only: false }]))

  const somewhere = (name: string): Fx<unknown, Listening<TcpStream>> =>
    Effect.flatMap((found: ReadonlyArray<Address>) => {
      const addresses = interleave(found)
      const bindings = addresses.map(({ address }): Binding => ({
        ...binding,
        host: address,
        ipv6Only: addresses.length > 1
      }))
      const search = (left: number): Fx<unknown, Listening<TcpStream>> =>
        Effect.orElse((error: unknown) =>
          // The port that was free for the first address is not for another one.
          port === 0 && bindings.length > 1 && codeOf(error) === 'EADDRINUSE' && left > 1
            ? search(left - 1)
            : Effect.fail(error)
        )(bindAll(bindings))
      return search(searches)
    })(addressesOf(name, lookup))

  const listening: Fx<unknown, Listening<TcpStream>> = reusePort && !canReusePort
    ? Effect.fail(new Error(`reusePort needs Node 22.12 or later; this is ${process.versions.node}.`))
    : host === undefined
      ? everywhere
      : somewhere(host)

  return Resource.flatMap((opened: Listening<TcpStream>) =>
    Resource.map((): TcpListener =>
      Listener.make({
        accept: opened.accept,
        closeStream: (stream) => stream.close,
        close: opened.close,
        attributes: localAttributes(opened.servers[0] as Server)
      })
    )(closedOnDrain(opened))
  )(Resource.make(Effect.mapError(failed)(listening), (opened) => opened.close))
}

/** When a scope around the use drains, nobody will accept any more, and clients should not wait for that. */
const closedOnDrain = (listening: Listening<TcpStream>): Resource.Resource<unknown, never, unknown> =>
  Resource.fromUse((use) =>
    Effect.map((result: { readonly _tag: string; readonly value?: unknown }) => result.value as never)(
      LowLevel.openScope({ name: 'Tcp.listen' }, (scope) => {
        LowLevel.onScopeDrain(scope, () => {
          listening.stopUnsafe()
        })
        return use(undefined)
      })
    )
  )
