/**
 * One stream for many subscribers.
 *
 * @internal
 */
import type { Attributes } from '../../attributes/Attributes.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as Resource from '../../scope/Resource.js'
import * as TaskGroup from '../../scope/TaskGroup.js'
import * as MemoryStream from '../MemoryStream.js'
import type { ReceiveStream } from '../ObjectStream.js'
import type { ClosedResource, EndOfStream, Lagged } from '../StreamError.js'
import { end, handingOn, source } from './filled.js'

type Ends<A> = readonly [MemoryStream.MemorySendStream<A>, MemoryStream.MemoryReceiveStream<A>]

export interface Subscribable<A, E, Attrs extends object> {
  readonly subscribe: Resource.Resource<unknown, never, ReceiveStream<A, E | Lagged, Attrs>>
}

class Hub<A, E, Attrs extends object> {
  private readonly subscribers = new Set<MemoryStream.MemorySendStream<A>>()
  private ended = false
  /** The failure that the stream has ended with. Each subscriber finds it at its end, so that it needs no room in a buffer. */
  failure: Exit<E, never> | null = null
  private readonly lag: number | undefined
  private readonly attributes: Attributes<Attrs>

  constructor(lag: number | undefined, attributes: Attributes<Attrs>) {
    this.lag = lag
    this.attributes = attributes
  }

  readonly tell = (a: A): Effect.Effect<unknown, never, void> =>
    Effect.suspend(() =>
      // A subscriber may leave at any moment.
      Effect.forEach((subscriber: MemoryStream.MemorySendStream<A>) =>
        Effect.orElse(() => Effect.unit)(subscriber.send(a))
      )([...this.subscribers])
    )

  readonly finish: Effect.Effect<unknown, never, void> = Effect.sync(() => {
    this.ended = true
    for (const subscriber of this.subscribers) subscriber.closeUnsafe()
  })

  private readonly join = ([send]: Ends<A>): Effect.Effect<unknown, never, void> =>
    Effect.sync(() => {
      if (this.ended) send.closeUnsafe()
      else this.subscribers.add(send)
    })

  private readonly ends = Resource.make(
    Effect.suspend(() =>
      Effect.tap(this.join)(
        MemoryStream.make<A>(this.lag ?? 1, {
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

  readonly subscribe: Resource.Resource<unknown, never, ReceiveStream<A, E | Lagged, Attrs>> = Resource.map(
    ([, receive]: Ends<A>) => {
      let failure: Exit<E, never> | null = null
      let ended = false
      // The failure once, then the end.
      const atEnd = Effect.suspend((): Effect.Effect<unknown, E | EndOfStream, never> => {
        failure = ended ? null : this.failure
        ended = true
        return failure === null ? end : Effect.fromExit(failure)
      })
      const next = Effect.orElse((error: ClosedResource | EndOfStream) =>
        error._tag === 'EndOfStream' ? atEnd : end
      )(receive.receive)
      let told = 0
      const checkLag = Effect.flatMap(
        ({ dropped }: MemoryStream.MemoryStreamStatistics): Effect.Effect<unknown, Lagged, void> => {
          const missed = dropped - told
          told = dropped
          return missed === 0 ? Effect.unit : Effect.fail({ _tag: 'Lagged', dropped: missed })
        }
      )(receive.statistics)
      return source<A, E | Lagged, Attrs>(
        this.lag === undefined ? next : Effect.andThen(next)(checkLag),
        receive.close,
        this.attributes
      )
    }
  )(this.ends)
}

export const broadcastTo = <A, E, Attrs extends object>(
  stream: ReceiveStream<A, E, Attrs>,
  lag: number | undefined,
  forEach: (f: (a: A) => Effect.Effect<unknown, never, void>) => Effect.Effect<unknown, E, void>
): Resource.Resource<unknown, never, Subscribable<A, E, Attrs>> =>
  Resource.fromUse(<R, E2, B>(use: (hub: Subscribable<A, E, Attrs>) => Effect.Effect<R, E2, B>) =>
    TaskGroup.open({ name: 'Stream.broadcast' })((group) =>
      Effect.gen(function* () {
        const hub = new Hub<A, E, Attrs>(lag, stream.attributes)
        const fail = (failure: Exit<E, never>) =>
          Effect.sync(() => {
            hub.failure = failure
          })
        const work = handingOn<E>(fail)(forEach(hub.tell))
        // After a defect there is no end: the group cancels whoever waits for one.
        yield* group.spawn(Effect.andThen(hub.finish)(work), { name: 'Stream.broadcast', service: true })
        return yield* Effect.ensuring(stream.close)(use(hub))
      })
    )
  )
