/**
 * A connected socket as a stream, and the steps that make one.
 *
 * @internal
 */
import { isIPv6, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import { type Attributes, fromRecord } from '../../../attributes/Attributes.js'
import type { Effect } from '../../../effect/Effect.js'
import type { ResourceError } from '../../../scope/ResourceError.js'
import type { ByteStream } from '../../../stream/ByteStream.js'
import type { SocketRow } from '../../../stream/SocketAttribute.js'
import type { EndOfStream } from '../../../stream/StreamError.js'
import { Lifetime } from './lifetime.js'
import { Receiving, receiveUpTo } from './receiving.js'
import { Sending } from './sending.js'

type Fx<E, A> = Effect<unknown, E, A>

/** Both directions of a stream of bytes. */
export class HostByteStream<out Attrs extends object> implements ByteStream<ResourceError, Attrs> {
  readonly delivery = 'reliable'
  readonly receive: Fx<ResourceError | EndOfStream, Uint8Array>
  readonly receiveMany: (max: number) => Fx<ResourceError | EndOfStream, ReadonlyNonEmptyArray<Uint8Array>>
  readonly receiveUpTo: (maxBytes: number) => Fx<ResourceError | EndOfStream, Uint8Array>
  readonly send: (chunk: Uint8Array) => Fx<ResourceError, void>
  readonly sendEof: Fx<ResourceError, void>
  readonly close: Fx<never, void>
  readonly attributes: Attributes<Attrs>

  constructor(
    duplex: Duplex,
    lifetime: Lifetime,
    label: string,
    convert: (chunk: unknown) => Uint8Array | null,
    attributes: Attributes<Attrs>,
    markable: boolean
  ) {
    const receiving = new Receiving(duplex, lifetime, `${label}.receive`, convert, sizeOfChunk)
    const sending = new Sending(duplex, lifetime, `${label}.send`, markable)
    this.receive = receiving.receive
    this.receiveMany = receiving.receiveMany
    this.receiveUpTo = receiveUpTo(receiving)
    this.send = sending.send
    this.sendEof = sending.sendEof
    this.close = lifetime.close
    this.attributes = attributes
  }
}

export const sizeOfChunk = (chunk: Uint8Array): number => chunk.length

/** A socket gives chunks that are its own and never empty. */
const chunkOfSocket = (chunk: unknown): Uint8Array => chunk as Uint8Array

/** Node forgets the addresses of a socket that has ended, so they are read at once. */
const attributesOf = (socket: Socket): Attributes<SocketRow> => {
  const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = socket
  const family = isIPv6(localAddress) ? 'ipv6' : 'ipv4'
  return fromRecord<SocketRow>({
    'socket/family': () => family,
    'socket/localAddress': () => localAddress,
    'socket/localPort': () => localPort,
    'socket/remoteAddress': () => remoteAddress,
    'socket/remotePort': () => remotePort,
    'socket/raw': () => socket
  })
}

/** The socket must be connected, and is the stream's from now on. */
export const streamOf = (socket: Socket): HostByteStream<SocketRow> => {
  // Otherwise Node ends our direction as soon as the peer has ended its own.
  socket.allowHalfOpen = true
  const lifetime = new Lifetime(socket, 'TcpStream', true)
  return new HostByteStream(socket, lifetime, 'TcpStream', chunkOfSocket, attributesOf(socket), true)
}
