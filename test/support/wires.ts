/** Two connected streams of bytes in memory, that can be cut, tampered with, stalled, and counted. */
import { Attributes, Effect, MemoryStream, ObjectStream } from 'millrace'
import type { ByteStream, ResourceError, SocketAttribute } from 'millrace'
import type { Fx } from './kernel.js'

type Bytes = ByteStream.Bytes
export type Wire = ObjectStream.DuplexStream<
  Bytes,
  Bytes,
  ResourceError.ResourceError,
  Pick<SocketAttribute.SocketRow, 'socket/remoteAddress'>
>

export interface WireEnd {
  readonly wire: Wire
  /** How often it was closed. */
  closed: number
  /** Bytes that it has sent. */
  sent: number
  /** Bytes that it has received. */
  received: number
}

export interface Wires {
  readonly client: WireEnd
  readonly server: WireEnd
  /** Ends both directions between them, without a word. */
  readonly cut: Fx<void>
  /** Puts bytes of one's own among those that the client receives. */
  readonly toClient: (bytes: Bytes) => Fx<void>
  readonly toServer: (bytes: Bytes) => Fx<void>
}

export interface WireOptions {
  /** Chunks that are on their way at most. */
  readonly capacity?: number
  /** What becomes of a chunk on its way. */
  readonly split?: (chunk: Bytes) => ReadonlyArray<Bytes>
}

export const oneByOne = (chunk: Bytes): ReadonlyArray<Bytes> =>
  Array.from({ length: chunk.length }, (_, i) => chunk.subarray(i, i + 1))

type Sender = MemoryStream.MemorySendStream<Bytes>
type Receiver = MemoryStream.MemoryReceiveStream<Bytes>

export const makeWires = ({ capacity = 16, split = (chunk) => [chunk] }: WireOptions = {}): Fx<Wires> =>
  Effect.gen(function* () {
    const [up, upEnd] = yield* MemoryStream.make<Bytes>(capacity)
    const [down, downEnd] = yield* MemoryStream.make<Bytes>(capacity)
    const endOf = (out: Sender, into: Receiver, remoteAddress: string): WireEnd => {
      const end: WireEnd = {
        closed: 0,
        sent: 0,
        received: 0,
        wire: ObjectStream.duplexStream({
          receive: Effect.map((chunk: Bytes) => {
            end.received += chunk.length
            return chunk
          })(into.receive),
          send: (chunk: Bytes) =>
            Effect.forEach((part: Bytes) =>
              Effect.map(() => {
                end.sent += part.length
              })(out.send(part))
            )(split(chunk)),
          sendEof: out.close,
          close: Effect.andThen(into.close)(
            Effect.andThen(out.close)(
              Effect.sync(() => {
                end.closed++
              })
            )
          ),
          attributes: Attributes.fromRecord({ 'socket/remoteAddress': () => remoteAddress })
        })
      }
      return end
    }
    return {
      client: endOf(up, downEnd, 'the server'),
      server: endOf(down, upEnd, 'the client'),
      cut: Effect.andThen(down.close)(up.close),
      toClient: (bytes) => Effect.orDie(down.send(bytes)),
      toServer: (bytes) => Effect.orDie(up.send(bytes))
    }
  })
