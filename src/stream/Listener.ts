/**
 * `Listener<S, E, Attrs>`: where streams arrive. `Attrs` are the listener's own, such as the port that it has; its connections
 * have theirs.
 *
 * @since 0.1.0
 */
import { type Attributes, empty as noAttributes, extend } from '../attributes/Attributes.js'
import type { Provider } from '../attributes/Provider.js'
import * as Cause from '../effect/Cause.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as CancelScope from '../scope/CancelScope.js'
import * as Resource from '../scope/Resource.js'
import type { ResourceError } from '../scope/ResourceError.js'
import { once } from './internal/queue.js'
import { accepting, type Arrival, arrivals, arrivalsOf, type Arriving, serving } from './internal/serving.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How connections are served.
 *
 * @category model
 * @since 0.1.0
 */
export interface ServeOptions<in E> {
  /** At most so many at once, their set-up included; further ones wait in the backlog. A whole number from 1; no limit when absent. */
  readonly concurrency?: number
  /** What is done about a connection that failed: its handler, or the set-up of one of its layers. It is closed by then. */
  readonly onError?: (cause: Cause.Cause<E>) => Effect.Effect<unknown, never, void>
}

/**
 * Where streams arrive. `E`: what the set-up of one connection can fail with; `never` for a plain socket.
 *
 * @category model
 * @since 0.1.0
 */
export interface Listener<out S, out E = never, out Attrs extends object = {}> extends Provider<Attrs> {
  /**
   * Waits for a connection and makes it ready; closes it when released. A peer that is slow in the set-up keeps this caller
   * waiting; `serve` has no such problem.
   *
   * **Errors.** `E`: the set-up failed, and that connection is closed. `ClosedResource`: the listener was closed, also while
   * this waited, or a scope around this drains. `BrokenResource`: it cannot accept any more. `BusyResource`: somebody else
   * accepts, and the listener has only one place for that.
   * **Cancellation.** No connection was taken, or it was closed.
   */
  readonly accept: Resource.Resource<unknown, E | ResourceError, S>
  /** What {@link serve} stands on: a layer on a listener sets each connection up inside of its task. */
  readonly serveWith: <R, E2>(
    handler: (stream: S) => Effect.Effect<R, E2, unknown>,
    options: ServeOptions<E | E2>
  ) => Effect.Effect<R, ResourceError, void>
  /** Takes no more connections; those that are there go on. Closing twice does nothing. */
  readonly close: Effect.Effect<unknown, never, void>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A listener from the act of taking one connection: what a new transport implements. `accept` wakes with `ClosedResource` when
 * the listener is closed, and gets over failures that pass (such as no free file descriptors) by itself.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, Listener, MemoryStream, ResourceError } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Connections come out of a channel.
 * const program = Effect.gen(function* () {
 *   const [arrive, arrivals] = yield* MemoryStream.make<{ readonly name: string }>(10)
 *   const listener = Listener.make({
 *     accept: Effect.mapError((): ResourceError.ClosedResource => ({ _tag: 'ClosedResource', resource: 'arrivals' }))(
 *       arrivals.receive
 *     ),
 *     closeStream: () => Effect.unit,
 *     close: arrivals.close
 *   })
 *   const seen: Array<string> = []
 *   yield* arrive.send({ name: 'a' })
 *   yield* arrive.send({ name: 'b' })
 *   yield* arrive.close
 *   yield* Effect.either(Listener.serve(({ name }: { readonly name: string }) => Effect.sync(() => { seen.push(name) }))(listener))
 *   return seen
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['a', 'b']))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <S, Attrs extends object = {}>(spec: {
  readonly accept: Effect.Effect<unknown, ResourceError, S>
  readonly closeStream: (stream: S) => Effect.Effect<unknown, never, unknown>
  readonly close: Effect.Effect<unknown, never, unknown>
  readonly attributes?: Attributes<Attrs>
}): Listener<S, never, Attrs> => {
  const take = Effect.map((stream: S): Arrival<S, never> => {
    const closing = Effect.asUnit(Effect.suspend(() => spec.closeStream(stream)))
    return { connection: Resource.make(Effect.succeed(stream), () => closing), discard: closing }
  })(spec.accept)
  const listener: Listener<S, never, Attrs> & Arriving<S, never> = {
    attributes: spec.attributes ?? (noAttributes as Attributes<Attrs>),
    accept: accepting(take),
    serveWith: (handler, options) => serving(take, handler, options),
    close: once(spec.close),
    [arrivals]: take
  }
  return listener
}

// -------------------------------------------------------------------------------------
// serving
// -------------------------------------------------------------------------------------

/**
 * What {@link serve} does about a connection that failed.
 *
 * @category model
 * @since 0.1.0
 */
export interface ReportOptions {
  readonly concurrency?: number
  /** `'report'`, the default, writes the cause to the console; a function decides for itself. The others go on. */
  readonly onError?: 'report' | ((cause: Cause.Cause<unknown>) => Effect.Effect<unknown, never, void>)
}

/**
 * Serves each connection in a task of its own, in a group of its own: set-up, handler, close. A failing connection is closed
 * and reported, the others go on; `onError: 'fail'` lets it fail the server, which cancels the others.
 *
 * Ends normally when a scope around it drains, after the connections that are there. Else it goes on until it is cancelled.
 *
 * **Errors.** `ClosedResource`: the listener was closed. `BrokenResource`: it cannot accept any more. `BusyResource`: somebody
 * else accepts. Each after the connections that are there. With `onError: 'fail'` also what a connection fails with.
 * **Cancellation.** Every connection is cancelled, and closed before this ends.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { CancelScope, Effect, Exit, Listener, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Somebody comes every 10 ms.
 * const door = Listener.make({
 *   accept: Effect.as('somebody')(Effect.sleep(10)),
 *   closeStream: () => Effect.unit,
 *   close: Effect.unit
 * })
 * const program = Effect.gen(function* () {
 *   let served = 0
 *   const handler = () => Effect.map(() => { served++ })(Effect.sleep(25))
 *   yield* CancelScope.open((scope) =>
 *     TaskGroup.open<unknown>()((group) =>
 *       Effect.gen(function* () {
 *         yield* group.spawn(pipe(door, Listener.serve(handler, { concurrency: 2 })))
 *         yield* Effect.sleep(35)
 *         yield* scope.drain('shutting down', { grace: 1000 })
 *       })
 *     )
 *   )
 *   return served
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(2))
 *
 * @category serving
 * @since 0.1.0
 */
export const serve: {
  <S, R, E2>(
    handler: (stream: S) => Effect.Effect<R, E2, unknown>,
    options: { readonly concurrency?: number; readonly onError: 'fail' }
  ): <E, Attrs extends object>(
    listener: Listener<S, E, Attrs>
  ) => Effect.Effect<R, E | E2 | ResourceError, void>
  <S, R, E2>(
    handler: (stream: S) => Effect.Effect<R, E2, unknown>,
    options?: ReportOptions
  ): <E, Attrs extends object>(listener: Listener<S, E, Attrs>) => Effect.Effect<R, ResourceError, void>
} =
  <S, R, E2>(
    handler: (stream: S) => Effect.Effect<R, E2, unknown>,
    options: Omit<ReportOptions, 'onError'> & {
      readonly onError?: 'fail' | ReportOptions['onError']
    } = {}
  ) =>
  <E, Attrs extends object>(listener: Listener<S, E, Attrs>): Effect.Effect<R, never, void> => {
    const { concurrency, onError = 'report' } = options
    const limit = concurrency === undefined ? {} : { concurrency }
    // The overloads say what it can fail with.
    const served = (fx: Effect.Effect<R, unknown, void>) => fx as Effect.Effect<R, never, void>
    if (onError === 'report') return served(listener.serveWith(handler, limit))
    if (onError !== 'fail') return served(listener.serveWith(handler, { ...limit, onError }))
    return served(
      Effect.suspend(() => {
        let failure: Cause.Cause<E | E2> | null = null
        const serving = CancelScope.open((scope) =>
          listener.serveWith(handler, {
            ...limit,
            onError: (cause) => {
              failure = failure === null ? cause : Cause.SemigroupBoth<E | E2>().concat(failure, cause)
              return scope.cancel({ _tag: 'SiblingFailed', cause })
            }
          })
        )
        // A connection may fail after the listener has, or while this is cancelled: nothing is dropped.
        return Effect.flatMap((exit: Exit<ResourceError, unknown>): Effect.Effect<unknown, unknown, void> => {
          if (failure === null) return Effect.asUnit(Effect.fromExit(exit))
          return Effect.failCause(
            exit._tag === 'Left' ? Cause.SemigroupBoth<unknown>().concat(exit.left, failure) : failure
          )
        })(Effect.exit(serving))
      })
    )
  }

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The listener with attributes of one's own, which win over those that it has.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes, Effect, Listener, Provider } from 'millrace'
 *
 * const since = Attribute.attribute<number>()('acme/since')
 * const door = pipe(
 *   Listener.make({ accept: Effect.never, closeStream: () => Effect.unit, close: Effect.unit }),
 *   Listener.withAttributes(Attributes.of(since, () => 1_700_000_000))
 * )
 * assert.equal(Provider.extra(since)(door), 1_700_000_000)
 *
 * @category combinators
 * @since 0.1.0
 */
export const withAttributes =
  <Added extends object>(attributes: Attributes<Added>) =>
  <S, E, Attrs extends object>(listener: Listener<S, E, Attrs>): Listener<S, E, Attrs & Added> => {
    const take = arrivalsOf(listener)
    return {
      accept: listener.accept,
      serveWith: listener.serveWith,
      close: listener.close,
      attributes: extend(attributes)(listener.attributes),
      ...(take === null ? {} : { [arrivals]: take })
    }
  }
