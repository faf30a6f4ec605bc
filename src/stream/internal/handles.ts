/**
 * Other handles of a stream.
 *
 * @internal
 */
import * as Effect from '../../effect/Effect.js'
import { claimReceiving, claimSending, sameStream, takenOver } from './claims.js'
import type { DuplexStream } from '../ObjectStream.js'
import { once } from './queue.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>
type AnyStream = Partial<DuplexStream<unknown, never, unknown>>

/** The same stream, whose `close` reaches it once. */
export const onceClosed = <S extends object>(stream: S): S => {
  const { close } = stream as AnyStream
  const handle = { ...membersOf(stream), close: once(close ?? Effect.unit) }
  sameStream(handle, stream)
  return handle as unknown as S
}

/** A handle for whoever is put on the stream: its first operation in a direction claims that, and nobody else can then. */
export const claimed = <S extends object>(stream: S): S => {
  const owner = {}
  const receiving = <A>(fx: Fx<unknown, A>): Fx<unknown, A> =>
    Effect.suspend(() =>
      claimReceiving(stream, owner) ? fx : Effect.die(new TypeError(takenOver('receiving')))
    )
  const sending = (fx: Fx<unknown, void>): Fx<unknown, void> =>
    Effect.suspend(() => (claimSending(stream, owner) ? fx : Effect.die(new TypeError(takenOver('sending')))))
  const { receive, receiveMany, send, sendEof, ...rest } = membersOf(stream)
  const handle = {
    ...rest,
    ...(receive === undefined ? {} : { receive: receiving(receive) }),
    ...(receiveMany === undefined ? {} : { receiveMany: (max: number) => receiving(receiveMany(max)) }),
    ...(send === undefined ? {} : { send: (a: never) => sending(send(a)) }),
    ...(sendEof === undefined ? {} : { sendEof: sending(sendEof) })
  }
  return handle as unknown as S
}

const isEnd = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && '_tag' in error && error._tag === 'EndOfStream'

/** The same stream with other failures; the end stays. */
export const withFailure = <S extends object>(f: (error: unknown) => unknown, stream: S): S => {
  const mapped = <A>(fx: Fx<unknown, A>): Fx<unknown, A> =>
    Effect.mapError((error: unknown) => (isEnd(error) ? error : f(error)))(fx)
  const { receive, receiveMany, send, sendEof, ...rest } = membersOf(stream)
  const handle = {
    ...rest,
    ...(receive === undefined ? {} : { receive: mapped(receive) }),
    ...(receiveMany === undefined ? {} : { receiveMany: (max: number) => mapped(receiveMany(max)) }),
    ...(send === undefined ? {} : { send: (a: never) => mapped(send(a)) }),
    ...(sendEof === undefined ? {} : { sendEof: mapped(sendEof) })
  }
  sameStream(handle, stream)
  return handle as unknown as S
}

const membersOf = (stream: object): AnyStream & { readonly receiveUpTo?: unknown } => {
  const members: { [key: string]: unknown } = {}
  for (const key of [
    'delivery',
    'receive',
    'receiveMany',
    'receiveUpTo',
    'send',
    'sendEof',
    'close',
    'attributes'
  ]) {
    if (key in stream) members[key] = (stream as { readonly [key: string]: unknown })[key]
  }
  return members
}
