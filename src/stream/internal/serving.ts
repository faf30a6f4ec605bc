/**
 * Taking connections and serving them: what every listener is made of.
 *
 * @internal
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Option } from 'fp-ts/lib/Option.js'
import * as Cause from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import * as CancelScope from '../../scope/CancelScope.js'
import * as Resource from '../../scope/Resource.js'
import type { ClosedResource, ResourceError } from '../../scope/ResourceError.js'
import * as Semaphore from '../../scope/sync/Semaphore.js'
import * as TaskGroup from '../../scope/TaskGroup.js'

type Fx<R, E, A> = Effect.Effect<R, E, A>

/** A connection that was taken, and has an owner from now on: it is either used, which closes it at the end, or discarded. */
export interface Arrival<out S, out E> {
  readonly connection: Resource.Resource<unknown, E, S>
  readonly discard: Fx<unknown, never, void>
}

/** How to take one connection without making it ready. */
export const arrivals: unique symbol = Symbol('millrace/arrivals')

export interface Arriving<out S, out E> {
  readonly [arrivals]: Fx<unknown, ResourceError, Arrival<S, E>>
}

export const arrivalsOf = <S, E>(listener: object): Arriving<S, E>[typeof arrivals] | null =>
  arrivals in listener ? (listener as Arriving<S, E>)[arrivals] : null

const closed: ClosedResource = { _tag: 'ClosedResource', resource: 'Listener' }

/** Waits for a connection, ends like a closed listener when a scope around it drains, and closes it when released. */
export const accepting = <S, E>(
  take: Fx<unknown, ResourceError, Arrival<S, E>>
): Resource.Resource<unknown, E | ResourceError, S> =>
  Resource.fromUse(<R, E2, B>(use: (stream: S) => Fx<R, E2, B>) =>
    Effect.flatMap((arrival: Option<Arrival<S, E>>): Fx<R, E | E2 | ResourceError, B> =>
      // From the taking to here there is no checkpoint.
      arrival._tag === 'Some' ? Resource.use(use)(arrival.value.connection) : Effect.fail(closed)
    )(CancelScope.untilDrain(take))
  )

export interface Serving<in E> {
  readonly concurrency?: number
  readonly onError?: (cause: Cause.Cause<E>) => Fx<unknown, never, void>
}

/**
 * A task a connection, until a scope around it drains or the taking fails; the connections that are there go on to their end.
 */
export const serving = <S, E, R, E2>(
  take: Fx<unknown, ResourceError, Arrival<S, E>>,
  handler: (stream: S) => Fx<R, E2, unknown>,
  { concurrency = Infinity, onError = report }: Serving<E | E2>
): Fx<R, ResourceError, void> =>
  Effect.flatMap((room: Semaphore.Semaphore) => {
    const served = TaskGroup.open({ name: 'Listener.serve' })((group) => {
      const serveOne = ({ connection }: Arrival<S, E>): Fx<R, never, void> =>
        Effect.catchCause((cause: Cause.Cause<E | E2>): Fx<unknown, never, void> => {
          const why = Cause.withoutCancelled(cause)
          // A connection that was cancelled has not failed.
          return why === null ? (Effect.failCause(cause) as Fx<unknown, never, never>) : onError(why)
        })(Effect.asUnit(Resource.use((stream: S) => Effect.suspend(() => handler(stream)))(connection)))
      const next: Fx<R, ResourceError, void> = Effect.flatMap(
        (place: Option<void>): Fx<R, ResourceError, void> => (place._tag === 'None' ? Effect.unit : takeOne)
      )(CancelScope.untilDrain(room.acquire))
      // From the taking to the task there is no checkpoint, and a task always starts: what was taken will be closed.
      const takeOne: Fx<R, ResourceError, void> = Effect.flatMap(
        (arrival: Option<Arrival<S, E>>): Fx<R, ResourceError, void> =>
          arrival._tag === 'None'
            ? Effect.unit
            : Effect.flatMap(() => next)(
                group.spawn(Effect.ensuring(room.release)(serveOne(arrival.value)), { name: 'connection' })
              )
      )(CancelScope.untilDrain(take))
      // As a value: a failure of the body would cancel the connections.
      return Effect.either(next)
    })
    return Effect.flatMap((end: Either<ResourceError, void>) => Effect.fromEither(end))(served)
  })(roomFor(concurrency))

const roomFor = (concurrency: number): Fx<unknown, never, Semaphore.Semaphore> =>
  concurrency === Infinity || (Number.isInteger(concurrency) && concurrency >= 1)
    ? Semaphore.make(Math.min(concurrency, Number.MAX_SAFE_INTEGER))
    : Effect.die(
        new RangeError(
          `The concurrency of a server is a whole number from 1, or Infinity, but was given ${String(concurrency)}.`
        )
      )

/** Where nobody says what to do about a connection that failed, it must not pass unseen. */
const report = (cause: Cause.Cause<unknown>): Fx<unknown, never, void> =>
  Effect.sync(() => {
    console.error(`A connection has failed, and was closed; the server goes on.\n${Cause.pretty(cause)}`)
  })
