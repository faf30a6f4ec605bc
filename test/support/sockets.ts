/** For tests with real sockets: peers of Node's own, and what is left afterwards. Everything waits for events. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type AddressInfo, connect, createServer, type Server, type SocketConstructorOpts } from 'node:net'
import { pipe } from 'fp-ts/lib/function.js'
import {
  Cause,
  Effect,
  Exit,
  Listener,
  Provider,
  Resource,
  Runtime,
  SocketAttribute,
  TaskGroup
} from 'millrace'
import { Tcp } from 'millrace/node'
import { turn } from './host.js'

export type Fx<E, A> = Effect.Effect<unknown, E, A>

export const run = <E, A>(fx: Effect.Effect<{}, E, A>): Promise<A> => Runtime.runPromise(fx)

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const textOf = (...chunks: ReadonlyArray<Uint8Array>): string => Buffer.concat(chunks).toString()

/** Some bytes that do not repeat soon. */
export const noise = (length: number): Buffer => {
  const buffer = Buffer.allocUnsafe(length)
  let x = 0x9e3779b9
  for (let i = 0; i < length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    buffer[i] = x
  }
  return buffer
}

/** A promise as an effect; a rejection is a defect. */
export const awaiting = <A>(promise: () => PromiseLike<A>): Fx<never, A> =>
  Effect.async<never, A>((resume) => {
    promise().then(
      (a) => resume(Exit.succeed(a)),
      (defect: unknown) => resume(Exit.failCause(Cause.die(defect)))
    )
  })

/** The next event of that name from now on, whatever else happens. */
export const event = (source: NodeJS.EventEmitter, name: string): Fx<never, unknown> => {
  const next = new Promise<unknown>((resolve) => source.once(name, resolve))
  return awaiting(() => next)
}

/** A server of `node:net` for as long as the use; its connections are destroyed then. */
export const peerServer = (
  onConnection: (socket: Socket) => void = () => undefined,
  host = '127.0.0.1'
): Resource.Resource<unknown, never, { readonly server: Server; readonly port: number }> =>
  Resource.make(
    awaiting(async () => {
      const sockets = new Set<Socket>()
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket)
        socket.on('error', () => undefined)
        onConnection(socket)
      })
      server.listen(0, host)
      await once(server, 'listening')
      return { server, sockets, port: (server.address() as AddressInfo).port }
    }),
    ({ server, sockets }) =>
      awaiting(async () => {
        for (const socket of sockets) socket.destroy()
        server.close()
        await once(server, 'close')
      })
  )

/** A connected socket of `node:net`. */
export const peerSocket = (
  port: number,
  options: SocketConstructorOpts = {},
  host = '127.0.0.1'
): Resource.Resource<unknown, never, Socket> =>
  Resource.make(
    awaiting(async () => {
      const socket = connect({ port, host, allowHalfOpen: true, ...options })
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      return socket
    }),
    (socket) =>
      awaiting(async () => {
        if (!socket.closed) {
          socket.destroy()
          await once(socket, 'close')
        }
      })
  )

export const portOf = (listener: Provider.Provider<SocketAttribute.LocalRow>): number =>
  Provider.extra(SocketAttribute.localPort)(listener)

/** Our stream, and the socket of a peer of `node:net` at its other end, which has not been read. */
export const pair: Resource.Resource<unknown, never, readonly [Tcp.TcpStream, Socket]> = Resource.gen(
  function* () {
    const arrived: Array<Socket> = []
    const { port, server } = yield* peerServer((socket) => {
      socket.pause()
      arrived.push(socket)
      server.emit('arrived')
    })
    const waiting = once(server, 'arrived')
    const stream = yield* orDie(Tcp.connect({ host: '127.0.0.1', port }))
    yield* Resource.fromEffect(awaiting(() => waiting))
    return [stream, arrived[0] as Socket] as const
  }
)

/** Two streams of ours, connected. */
export const ours: Resource.Resource<unknown, never, readonly [Tcp.TcpStream, Tcp.TcpStream]> = Resource.gen(
  function* () {
    const listener = yield* orDie(Tcp.listen({ host: '127.0.0.1', port: 0 }))
    return yield* orDie(
      pipe(Tcp.connect({ host: '127.0.0.1', port: portOf(listener) }), Resource.par(listener.accept))
    )
  }
)

/** The failures of the acquisition are defects. */
export const orDie = <E, A>(
  resource: Resource.Resource<unknown, E, A>
): Resource.Resource<unknown, never, A> =>
  Resource.fromUse((use) =>
    pipe(
      resource,
      Resource.use((a) => Effect.exit(use(a))),
      Effect.orDie,
      Effect.flatMap(Effect.fromExit)
    )
  )

/** A listener that is served while the body runs with its port. */
export const serving = <E, A>(
  handler: (stream: Tcp.TcpStream) => Fx<unknown, unknown>,
  body: (
    port: number,
    listener: Listener.Listener<Tcp.TcpStream, never, SocketAttribute.LocalRow>
  ) => Fx<E, A>,
  options: Listener.ReportOptions = {}
): Fx<unknown, A> =>
  pipe(
    Tcp.listen({ host: '127.0.0.1', port: 0 }),
    Resource.use((listener) =>
      TaskGroup.open<unknown>()((group) =>
        Effect.gen(function* () {
          yield* group.spawn(pipe(listener, Listener.serve(handler, options)), { service: true })
          return yield* body(portOf(listener), listener)
        })
      )
    )
  )

/** What keeps the process alive, as far as sockets and look-ups go. */
export const openHandles = (): ReadonlyArray<string> =>
  process.getActiveResourcesInfo().filter((name) => /TCP|GetAddr|Connect/.test(name))

/**
 * For `afterEach`: nothing is left. The host closes handles at the end of a turn; a look-up that nobody waits for any more
 * takes as long as it takes.
 */
export const nothingLeft = async (): Promise<void> => {
  const end = performance.now() + 3000
  while (openHandles().length > 0) {
    if (performance.now() > end) throw new Error(`left open: ${openHandles().join(', ')}`)
    await turn()
  }
}

/** The tag of the failure, or the value. */
export const tagOr = <E extends { readonly _tag: string }, A>(fx: Fx<E, A>): Fx<never, A | E['_tag']> =>
  Effect.match(
    (e: E): A | E['_tag'] => e._tag,
    (a: A): A | E['_tag'] => a
  )(fx)
