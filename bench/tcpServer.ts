/**
 * An echo server in a process of its own, for `tcp.ts`: `node tcpServer.js SYSTEM`. It tells its port, and ends when its
 * standard input does.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Effect as Peer, Scope as PeerScope } from 'effect'
import type { Socket as PeerSocket } from 'effect/socket/Socket'
import type { SocketServer as PeerServer } from 'effect/socket/SocketServer'
import type { Tcp as OurTcp } from 'millrace/node'

export type TcpSystem = 'millrace' | 'effect' | 'callbacks' | 'for await'

/** Listens, and gives the port. */
type Start = () => Promise<number>

const onSocket = (handler: (socket: Socket) => void): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy())
      handler(socket)
    })
    server.listen({ port: 0, host: '127.0.0.1' }, () => resolve((server.address() as AddressInfo).port))
  })

const callbacks: Start = () =>
  onSocket((socket) => {
    socket.on('data', (chunk) => {
      if (socket.write(chunk)) return
      socket.pause()
      socket.once('drain', () => socket.resume())
    })
  })

const forAwait: Start = () =>
  onSocket((socket) => {
    const echo = async (): Promise<void> => {
      for await (const chunk of socket) {
        if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve))
      }
    }
    echo().catch(() => socket.destroy())
  })

const millrace: Start = async () => {
  const { Effect, Listener, Provider, Resource, Runtime, SocketAttribute, Stream } = await import('millrace')
  const { Tcp } = await import('millrace/node')
  const { pipe } = await import('fp-ts/lib/function.js')
  return new Promise((resolve) => {
    const program = pipe(
      Tcp.listen({ host: '127.0.0.1', port: 0 }),
      Resource.use((listener) => {
        resolve(Provider.extra(SocketAttribute.localPort)(listener))
        const echo = (stream: OurTcp.TcpStream) => pipe(stream, Stream.pipeTo(stream))
        return pipe(listener, Listener.serve(echo, { onError: () => Effect.unit }))
      })
    )
    void Runtime.runPromise(program)
  })
}

/** Its socket server is a package of its own, and no dependency of ours: left out where it is not installed. */
const effect: Start = async () => {
  const { Effect } = await import('effect')
  const name = '@effect/platform-node-shared/NodeSocketServer'
  const { make } = (await import(name)) as {
    readonly make: (options: object) => Peer.Effect<PeerServer['Service'], unknown, PeerScope.Scope>
  }
  return new Promise((resolve) => {
    const echo = (socket: PeerSocket) =>
      Effect.scoped(
        Effect.gen(function* () {
          const { pull } = yield* socket.reader
          const { write } = yield* socket.writer
          for (;;) for (const chunk of yield* pull) yield* write(chunk)
        })
      )
    const program = Effect.scoped(
      Effect.gen(function* () {
        const server = yield* make({ port: 0, host: '127.0.0.1', noDelay: true })
        resolve((server.address as unknown as { readonly port: number }).port)
        // A connection that was closed is a failure there; it is not what is measured.
        return yield* server.run((socket) => Effect.ignore(echo(socket)))
      })
    )
    void Effect.runPromise(program)
  })
}

const systems: Readonly<Record<TcpSystem, Start>> = { millrace, effect, callbacks, 'for await': forAwait }

process.stdin.on('end', () => process.exit()).resume()
process.stdout.write(`${String(await systems[process.argv[2] as TcpSystem]())}\n`)
