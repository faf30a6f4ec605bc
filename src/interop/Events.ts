/**
 * Events of targets (`addEventListener`) and emitters (`on`), as effects and streams, without leaving listeners behind. Any
 * number of waits for one event of one target share one listener.
 *
 * @since 0.1.0
 */
import * as Effect from '../effect/Effect.js'
import * as Resource from '../scope/Resource.js'
import * as MemoryStream from '../stream/MemoryStream.js'
import type { ClosedResource } from '../scope/ResourceError.js'
import type { ReceiveStream } from '../stream/ObjectStream.js'
import { type EmitterLike, type EventTargetLike, listen } from './internal/eventHub.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An event target or an emitter.
 *
 * @category model
 * @since 0.1.0
 */
export type Source = EventTargetLike | EmitterLike

/**
 * What happens to events that nobody receives in time.
 *
 * @category model
 * @since 0.1.0
 */
export interface EventsOptions {
  /** How many are kept, at least 1; all when absent. */
  readonly capacity?: number
  /** Which one goes when there is no room: the oldest, which is the default, or the newest. */
  readonly overflow?: 'dropOldest' | 'dropNewest'
}

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/**
 * Waits for the next event, and gives its first argument. An event that comes before the wait begins is not seen; use
 * {@link receive} to miss none.
 *
 * **Cancellation.** The listener is gone when the wait ends, however that is.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { EventEmitter } from 'node:events'
 * import { Events, Runtime } from 'millrace'
 *
 * const emitter = new EventEmitter()
 * const next = Runtime.runPromise(Events.once<number>(emitter, 'job'))
 * emitter.emit('job', 1)
 * assert.equal(await next, 1)
 * assert.equal(emitter.listenerCount('job'), 0)
 *
 * @category conversions
 * @since 0.1.0
 */
export const once = <A>(source: Source, name: string | symbol): Effect.Effect<unknown, never, A> =>
  Effect.async<never, A>((resume) =>
    listen(source, name, (event) => {
      resume({ _tag: 'Right', right: event as A })
    })
  )

/**
 * All events from now on, as a stream of their first arguments, for as long as the resource is held. The stream does not end
 * by itself.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Events, Resource, Runtime } from 'millrace'
 *
 * const target = new EventTarget()
 * const program = pipe(
 *   Events.receive<Event>(target, 'job'),
 *   Resource.use((events) =>
 *     Effect.gen(function* () {
 *       target.dispatchEvent(new Event('job'))
 *       return (yield* events.receive).type
 *     })
 *   )
 * )
 * assert.equal(await Runtime.runPromise(pipe(program, Effect.orDie)), 'job')
 *
 * @category conversions
 * @since 0.1.0
 */
export const receive = <A>(
  source: Source,
  name: string | symbol,
  options: EventsOptions = {}
): Resource.Resource<unknown, never, ReceiveStream<A, ClosedResource>> => {
  const { capacity = Infinity, overflow = 'dropOldest' } = options
  const open = Effect.map(
    ([send, stream]: readonly [MemoryStream.MemorySendStream<A>, MemoryStream.MemoryReceiveStream<A>]) => {
      const stop = listen(source, name, (event) => {
        send.sendUnsafe(event as A)
      })
      return { send, stream, stop }
    }
  )(MemoryStream.make<A>(capacity, { overflow, name: String(name) }))
  return Resource.map(({ stream }: { readonly stream: MemoryStream.MemoryReceiveStream<A> }) => stream)(
    Resource.make(open, ({ send, stream, stop }) =>
      Effect.sync(() => {
        stop()
        send.closeUnsafe()
        stream.closeUnsafe()
      })
    )
  )
}
