/**
 * One stream for many subscribers.
 *
 * @internal
 */
import * as Effect from '../../effect/Effect.js'
import * as Resource from '../../scope/Resource.js'
import * as TaskGroup from '../../scope/TaskGroup.js'
import * as MemoryStream from '../MemoryStream.js'
import type { ReceiveStream } from '../ObjectStream.js'
import { type EndOfStream, endOfStream, type Lagged } from '../StreamError.js'
import { type Handed, handingOn, receiveHanded, source } from './filled.js'

type SendEnd<A, E> = MemoryStream.MemorySendStream<Handed<A, E>>
type ReceiveEnd<A, E> = MemoryStream.MemoryReceiveStream<Handed<A, E>>

export interface Subscribable<A, E> {
  readonly subscribe: Resource.Resource<unknown, never, ReceiveStream<A, E | Lagged>>
}

class Hub<A, E> {
  private readonly subscribers = new Set<SendEnd<A, E>>()
  /** How the stream ended, for those that come later. */
  private ended: Handed<A, E> | EndOfStream | null = null
  private readonly lag: number | undefined

  constructor(lag: number | undefined) {
    this.lag = lag
  }

  readonly tell = (handed: Handed<A, E>): Effect.Effect<unknown, never, void> =>
    Effect.suspend(() =>
      // A subscriber may leave at any moment.
      Effect.forEach((subscriber: SendEnd<A, E>) =>
        Effect.orElse(() => Effect.unit)(subscriber.send(handed))
      )([...this.subscribers])
    )

  readonly fail = (failure: Handed<A, E>): Effect.Effect<unknown, never, void> => {
    this.ended = failure
    return this.tell(failure)
  }

  readonly finish: Effect.Effect<unknown, never, void> = Effect.suspend(() => {
    this.ended ??= endOfStream
    return Effect.forEach((subscriber: SendEnd<A, E>) => subscriber.close)([...this.subscribers])
  })

  private readonly join = ([send]: readonly [SendEnd<A, E>, ReceiveEnd<A, E>]): Effect.Effect<
    unknown,
    never,
    void
  > =>
    Effect.suspend(() => {
      if (this.ended === null) {
        this.subscribers.add(send)
        return Effect.unit
      }
      if (this.ended !== endOfStream) send.sendUnsafe(this.ended as Handed<A, E>)
      return send.close
    })

  private readonly ends = Resource.make(
    Effect.suspend(() =>
      Effect.tap(this.join)(
        MemoryStream.make<Handed<A, E>>(this.lag ?? 1, {
          name: 'Stream.broadcast',
          overflow: this.lag === undefined ? 'wait' : 'dropOldest'
        })
      )
    ),
    ([send, receive]) => {
      this.subscribers.delete(send)
      return Effect.andThen(receive.close)(send.close)
    }
  )

  readonly subscribe: Resource.Resource<unknown, never, ReceiveStream<A, E | Lagged>> = Resource.map(
    ([, receive]: readonly [SendEnd<A, E>, ReceiveEnd<A, E>]) => {
      let told = 0
      const checkLag = Effect.flatMap(
        ({ dropped }: MemoryStream.MemoryStreamStatistics): Effect.Effect<unknown, Lagged, void> => {
          const missed = dropped - told
          told = dropped
          return missed === 0 ? Effect.unit : Effect.fail({ _tag: 'Lagged', dropped: missed })
        }
      )(receive.statistics)
      const next = receiveHanded(receive)
      return source<A, E | Lagged>(
        this.lag === undefined ? next : Effect.andThen(next)(checkLag),
        receive.close
      )
    }
  )(this.ends)
}

export const broadcastTo = <A, E>(
  stream: ReceiveStream<A, E>,
  lag: number | undefined,
  forEach: (f: (a: A) => Effect.Effect<unknown, never, void>) => Effect.Effect<unknown, E, void>
): Resource.Resource<unknown, never, Subscribable<A, E>> =>
  Resource.fromUse(<R, E2, B>(use: (hub: Subscribable<A, E>) => Effect.Effect<R, E2, B>) =>
    TaskGroup.open({ name: 'Stream.broadcast' })((group) =>
      Effect.gen(function* () {
        const hub = new Hub<A, E>(lag)
        const work = handingOn<E>(hub.fail)(forEach((a) => hub.tell({ _tag: 'Right', right: a })))
        yield* group.spawn(Effect.ensuring(hub.finish)(work), { name: 'Stream.broadcast', service: true })
        return yield* Effect.ensuring(stream.close)(use(hub))
      })
    )
  )
