/**
 * Streams that background tasks fill.
 *
 * @internal
 */
import { empty as noAttributes } from '../../attributes/Attributes.js'
import * as Cause from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as Resource from '../../scope/Resource.js'
import * as TaskGroup from '../../scope/TaskGroup.js'
import * as MemoryStream from '../MemoryStream.js'
import type { ReceiveStream } from '../ObjectStream.js'
import { type EndOfStream, endOfStream } from '../StreamError.js'

export const end: Effect.Effect<unknown, EndOfStream, never> = Effect.fail(endOfStream)

export const source = <A, E>(
  receive: Effect.Effect<unknown, E | EndOfStream, A>,
  close: Effect.Effect<unknown, never, void> = Effect.unit
): ReceiveStream<A, E> => ({ receive, close, attributes: noAttributes })

/** What a task hands to the receiver: an item, or the failure that ends the stream. */
export type Handed<A, E> = Exit<E, A>

/** Receives what was handed. Closing either end is the end of the stream. */
export const receiveHanded = <A, E>(
  stream: MemoryStream.MemoryReceiveStream<Handed<A, E>>
): Effect.Effect<unknown, E | EndOfStream, A> => {
  const handed = Effect.orElse(() => end)(stream.receive)
  return Effect.flatMap((exit: Handed<A, E>): Effect.Effect<unknown, E, A> => Effect.fromExit(exit))(handed)
}

/** Hands a typed failure on; a defect fails the task, and so whoever uses the stream. */
export const handingOn =
  <E>(hand: (failure: Exit<E, never>) => Effect.Effect<unknown, never, unknown>) =>
  <R>(work: Effect.Effect<R, E, unknown>): Effect.Effect<R, never, unknown> =>
    Effect.catchCause((cause: Cause.Cause<E>) =>
      Cause.failures(cause).length > 0
        ? hand({ _tag: 'Left', left: cause })
        : (Effect.failCause(cause) as Effect.Effect<unknown, never, never>)
    )(work)

/**
 * A stream that a task fills with `send` from what `sources` closes: these belong to it. What the task fails with is received
 * after the items before it, and is the end of the stream. The task is cancelled and awaited when the resource is released.
 */
export const filled = <R, E, A>(
  name: string,
  capacity: number,
  sources: Effect.Effect<unknown, never, void>,
  fill: (send: (a: A) => Effect.Effect<unknown, never, void>) => Effect.Effect<R, E, unknown>
): Resource.Resource<R, never, ReceiveStream<A, E>> =>
  Resource.fromUse(<R2, E2, B>(use: (stream: ReceiveStream<A, E>) => Effect.Effect<R2, E2, B>) =>
    TaskGroup.open({ name })((group) =>
      Effect.gen(function* () {
        const [send, receive] = yield* MemoryStream.make<Handed<A, E>>(capacity, { name })
        // Closed means that nobody wants more: the task stops where it is, until it is cancelled.
        const hand = (exit: Handed<A, E>) => Effect.orElse(() => Effect.never)(send.send(exit))
        const work = handingOn<E>(hand)(Effect.suspend(() => fill((a) => hand({ _tag: 'Right', right: a }))))
        yield* group.spawn(Effect.ensuring(send.close)(work), { name, service: true })
        const close = Effect.andThen(sources)(receive.close)
        return yield* Effect.ensuring(close)(use(source(receiveHanded(receive), close)))
      })
    )
  )
