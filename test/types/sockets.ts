// What programs on sockets infer. Compiling it is the test.
import type { Readable } from 'node:stream'
import { pipe } from 'fp-ts/lib/function.js'
import {
  type ByteStream,
  type Connectable,
  Effect,
  Layer,
  Listener,
  Provider,
  Resource,
  type ResourceError,
  SocketAttribute,
  Stream,
  type StreamError,
  Text
} from 'millrace'
import { NodeStream, Tcp } from 'millrace/node'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T

const client = Tcp.connect({ host: 'localhost', port: 4000 })
const listener = Tcp.listen({ port: 4000 })

const first = pipe(
  client,
  Resource.use((stream) => stream.receive)
)
type First = Effect.Effect<
  unknown,
  StreamError.ConnectionFailed | StreamError.EndOfStream | ResourceError.ResourceError,
  ByteStream.Bytes
>

// The end of the stream is that of the echo, and a listener fails by itself only.
const server = pipe(listener, Resource.use(Listener.serve((stream) => pipe(stream, Stream.pipeTo(stream)))))
type Server = Effect.Effect<unknown, StreamError.BindFailed | ResourceError.ResourceError, void>

// Attributes shine through layers, with their types.
const remotePort = pipe(
  client,
  Layer.through(Text.layer()),
  Resource.use((stream) => Effect.succeed(Provider.extra(SocketAttribute.remotePort)(stream)))
)

const ofListener = pipe(
  listener,
  Resource.use((it) => {
    // @ts-expect-error a listener has no peer
    Provider.extra(SocketAttribute.remotePort)(it)
    return Effect.succeed(Provider.extra(SocketAttribute.localPort)(it))
  })
)

declare const readable: () => Readable
const lone = NodeStream.fromReadable(readable)
// A lone Readable cannot be sent to.
type Sends =
  typeof lone extends Resource.Resource<unknown, never, infer S>
    ? 'send' extends keyof S
      ? true
      : false
    : never

// @ts-expect-error the host says where to
Tcp.connect({ port: 4000 })

export type Checks = [
  Expect<Equal<Sends, false>>,
  Expect<Equal<typeof client, Connectable.Connectable<Tcp.TcpStream>>>,
  Expect<Equal<typeof first, First>>,
  Expect<Equal<typeof server, Server>>,
  Expect<Equal<typeof remotePort, Effect.Effect<unknown, StreamError.ConnectionFailed, number>>>,
  Expect<Equal<typeof ofListener, Effect.Effect<unknown, StreamError.BindFailed, number>>>
]
