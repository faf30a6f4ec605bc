/**
 * Sockets that listen, as one queue of connections.
 *
 * @internal
 */
import { createServer, type Server, type Socket } from 'node:net'
import * as Effect from '../../../effect/Effect.js'
import * as LowLevel from '../../../effect/LowLevel.js'
import * as ParkingLot from '../../../effect/ParkingLot.js'
import type { BrokenResource, ClosedResource, ResourceError } from '../../../scope/ResourceError.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

/** What one socket listens on. */
export interface Binding {
  readonly host: string
  readonly port: number
  readonly ipv6Only: boolean
  readonly backlog: number
  readonly reusePort: boolean
}

const closed: ClosedResource = { _tag: 'ClosedResource', resource: 'TcpListener' }

/** Accepting goes on after these: the machine is short of something for a while, or that one connection was lost. */
const passing = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'ECONNABORTED',
  'EINTR',
  'EPROTO',
  'EPERM',
  'ENETDOWN',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENONET',
  'ENOPROTOOPT',
  'EOPNOTSUPP'
])

/**
 * The connections of some listening sockets. The host takes a connection as soon as it can and cannot be told to wait, so
 * those that nobody has taken yet wait here, unread. When there are `capacity` of them, further ones are reset at once.
 */
export class Listening<S> {
  readonly servers: Array<Server> = []
  private readonly capacity: number
  private readonly open: (socket: Socket) => S
  private readonly waiting = new Set<Socket>()
  private readonly acceptors: ParkingLot.ParkingLot<undefined, ResourceError, S> =
    ParkingLot.make('Tcp.accept')
  private isClosed = false
  private stopped = false
  private broken: BrokenResource | null = null

  readonly accept: Fx<ResourceError, S>
  readonly close: Fx<never, void>

  constructor(capacity: number, open: (socket: Socket) => S) {
    this.capacity = capacity
    this.open = open
    this.accept = LowLevel.operation(acceptNext<S>, this)
    this.close = Effect.sync(() => {
      this.closeUnsafe()
    })
  }

  /** Adds a socket that listens, and gives its port. */
  bind(binding: Binding): Fx<unknown, number> {
    return LowLevel.park<unknown, number>('Tcp.listen', (resume) => {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
      const onBindError = (error: Error): void => {
        resume({ _tag: 'Left', left: { _tag: 'Fail', error } })
      }
      server.on('error', onBindError)
      const { host, port, ipv6Only, backlog, reusePort } = binding
      // Without a port of one's own a worker of a cluster would be given that of another.
      const options = { host, port, ipv6Only, backlog, exclusive: reusePort, reusePort }
      let abandoned = false
      server.listen(options, () => {
        server.off('error', onBindError)
        if (abandoned) {
          server.close()
          return
        }
        server.on('error', this.onError)
        server.on('connection', this.onConnection)
        this.servers.push(server)
        resume({ _tag: 'Right', right: (server.address() as { readonly port: number }).port })
      })
      return () => {
        // The host may listen all the same, a turn later.
        abandoned = true
        server.close()
        return true
      }
    })
  }

  acceptUnsafe(self: LowLevel.Self): S | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.isClosed) return LowLevel.failSelf(self, closed)
    for (const socket of this.waiting) {
      this.waiting.delete(socket)
      return this.open(socket)
    }
    if (this.broken !== null) return LowLevel.failSelf(self, this.broken)
    return ParkingLot.parkSelf(self, this.acceptors, undefined)
  }

  closeUnsafe(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.stopUnsafe()
    this.acceptors.unparkAllUnsafe({ _tag: 'Left', left: { _tag: 'Fail', error: closed } })
  }

  /**
   * Takes no more connections; those that nobody has taken are reset. Whoever waits for one goes on waiting: it ends by the
   * drain itself, or when this is closed.
   */
  stopUnsafe(): void {
    this.stopped = true
    // The port is free at once. What the servers still wait for are the connections that others have.
    for (const server of this.servers) server.close()
    for (const socket of this.waiting) reset(socket)
    this.waiting.clear()
  }

  private readonly onConnection = (socket: Socket): void => {
    if (this.stopped || this.waiting.size >= this.capacity) {
      reset(socket)
    } else if (this.acceptors.size() > 0) {
      this.acceptors.succeedUnsafe(this.open(socket))
    } else {
      this.waiting.add(socket)
    }
  }

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    if (passing.has(error.code ?? '') || this.stopped) return
    this.broken = { _tag: 'BrokenResource', resource: closed.resource, cause: error }
    this.stopUnsafe()
    this.acceptors.unparkAllUnsafe({ _tag: 'Left', left: { _tag: 'Fail', error: this.broken } })
  }
}

const acceptNext = <S>(self: LowLevel.Self, listening: Listening<S>): S | LowLevel.Suspended =>
  listening.acceptUnsafe(self)

/** A connection that will not be served: the peer learns so at once. */
const reset = (socket: Socket): void => {
  socket.on('error', () => undefined)
  socket.resetAndDestroy()
}
