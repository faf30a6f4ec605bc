/**
 * Connecting to a name and a port: looking up, choosing, connecting.
 *
 * @internal
 */
import { lookup as lookUpOfHost } from 'node:dns'
import { isIP, Socket } from 'node:net'
import * as Effect from '../../../effect/Effect.js'
import type { Exit } from '../../../effect/Exit.js'
import * as LowLevel from '../../../effect/LowLevel.js'
import type { ConnectionFailed } from '../../../stream/StreamError.js'
import { type Address, first, interleave } from '../../../stream/HappyEyeballs.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

/** The addresses of a name, in any order. */
export type Lookup = (host: string) => Fx<unknown, ReadonlyArray<Address>>

/** What the machine says, as programs without a resolver of their own see it. */
export const systemLookup: Lookup = (host) =>
  LowLevel.park<unknown, ReadonlyArray<Address>>('dns.lookup', (resume) => {
    lookUpOfHost(host, { all: true }, (error, addresses) => {
      if (error !== null) resume({ _tag: 'Left', left: { _tag: 'Fail', error } })
      else resume({ _tag: 'Right', right: addresses as ReadonlyArray<Address> })
    })
    // The host cannot be told to stop; its answer is not listened to.
    return () => true
  })

/** An address as it is, without asking anybody; anything else by `lookup`. */
export const addressesOf = (host: string, lookup: Lookup): Fx<unknown, ReadonlyArray<Address>> => {
  const family = isIP(host)
  if (family !== 0) return Effect.succeed([{ address: host, family: family as 4 | 6 }])
  return Effect.flatMap((addresses: ReadonlyArray<Address>): Fx<unknown, ReadonlyArray<Address>> =>
    addresses.length > 0 ? Effect.succeed(addresses) : Effect.fail(new Error(`${host} has no address.`))
  )(Effect.suspend(() => lookup(host)))
}

/** Where one attempt goes from and to. */
export interface Target extends Address {
  readonly port: number
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  readonly noDelay: boolean
}

/** Destroys the socket, and waits until the host has let go of it. */
export const destroyed = (socket: Socket): Fx<never, void> =>
  LowLevel.park('close', (resume) => {
    if (socket.closed) resume(done)
    else socket.once('close', () => resume(done))
    socket.destroy()
    return (forced) => forced
  })

const done: Exit<never, void> = { _tag: 'Right', right: undefined }

/** One attempt. When it fails or is cancelled, its socket is gone. */
export const connectTo = (target: Target): Fx<unknown, Socket> =>
  Effect.suspend(() => {
    const socket = new Socket({ allowHalfOpen: true })
    const connected = LowLevel.park<unknown, Socket>('Tcp.connect', (resume) => {
      const onConnect = (): void => {
        stop()
        resume({ _tag: 'Right', right: socket })
      }
      const onError = (error: Error): void => {
        resume({ _tag: 'Left', left: { _tag: 'Fail', error } })
      }
      const stop = (): void => {
        socket.off('connect', onConnect)
        socket.off('error', onError)
      }
      socket.on('connect', onConnect)
      // Kept when the attempt fails or is given up: what the host reports later must not go unheard, or Node throws it.
      socket.on('error', onError)
      socket.setNoDelay(target.noDelay)
      // Paused, it is not read before somebody receives.
      socket.pause()
      socket.connect({
        host: target.address,
        port: target.port,
        family: target.family,
        autoSelectFamily: false,
        ...(target.localAddress === undefined ? {} : { localAddress: target.localAddress }),
        ...(target.localPort === undefined ? {} : { localPort: target.localPort })
      })
      return () => true
    })
    return Effect.onExit((exit: Exit<unknown, Socket>) =>
      exit._tag === 'Right' ? Effect.unit : destroyed(socket)
    )(connected)
  })

export interface Connecting<A> {
  readonly endpoint: string
  readonly host: string
  readonly port: number
  readonly localHost: string | undefined
  readonly localPort: number | undefined
  readonly delay: number
  readonly noDelay: boolean
  readonly lookup: Lookup
  readonly attempt: (target: Target) => Fx<unknown, A>
  readonly discard: (connection: A) => Fx<never, unknown>
}

/** A connection to one of the addresses of the host. */
export const connectFirst = <A>(connecting: Connecting<A>): Fx<ConnectionFailed, A> => {
  const { endpoint, host, port, localHost, localPort, delay, noDelay, lookup, attempt, discard } = connecting
  const failed = (errors: ReadonlyArray<unknown>): ConnectionFailed => ({
    _tag: 'ConnectionFailed',
    endpoint,
    errors
  })
  const found = Effect.mapError((error: unknown) => failed([error]))
  const locals: Fx<unknown, ReadonlyArray<Address> | undefined> =
    localHost === undefined ? Effect.succeed(undefined) : addressesOf(localHost, lookup)
  return Effect.gen(function* () {
    const local = yield* found(locals)
    const addresses = interleave(yield* found(addressesOf(host, lookup)))
    const targets = addresses.flatMap(({ address, family }): ReadonlyArray<Target> => {
      const from = local?.find((each) => each.family === family)
      // There is no way from an address of one family to one of the other.
      if (local !== undefined && from === undefined) return []
      return [{ address, family, port, localAddress: from?.address, localPort, noDelay }]
    })
    if (targets.length === 0) {
      const message = `${host} has no address that can be reached from ${String(localHost)}.`
      return yield* Effect.fail(failed([new Error(message)]))
    }
    return yield* Effect.mapError(failed)(first({ targets, delay, attempt, discard }))
  })
}
