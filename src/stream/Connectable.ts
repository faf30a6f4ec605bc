/**
 * `Connectable<S, E>`: where streams come from. A resource with a name; each use is a connection of its own.
 *
 * @since 0.1.0
 */
import * as Resource from '../scope/Resource.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import type { ConnectionFailed } from './StreamError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Something that can be connected to. Code that is written against one runs with a socket, with TLS, and with a mock.
 *
 * @category model
 * @since 0.1.0
 */
export interface Connectable<out S, out E = ConnectionFailed> extends Resource.Resource<unknown, E, S> {
  /** The connection alone, without the name. */
  readonly connect: Resource.Resource<unknown, E, S>
  /** For messages: `tcp://localhost:4000`. */
  readonly endpoint: string
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A resource with a name.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Connectable, Effect, Exit, Resource } from 'millrace'
 * import { MemoryByteStream, TestRuntime } from 'millrace/testing'
 *
 * const mock = Connectable.make(
 *   'mock://time',
 *   pipe(MemoryByteStream.scripted(['12:30']), Effect.map(({ stream }) => stream), Resource.closing)
 * )
 * const program = pipe(
 *   mock,
 *   Resource.use((stream) => stream.receive),
 *   Effect.map((bytes) => `${mock.endpoint} says ${new TextDecoder().decode(bytes)}`)
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('mock://time says 12:30'))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <S, E>(endpoint: string, connect: Resource.Resource<unknown, E, S>): Connectable<S, E> =>
  // A new resource, since this one gets a name.
  Object.assign(Resource.map((stream: S) => stream)(connect), { connect, endpoint })

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The first one, or, when no connection can be made there, the second one.
 *
 * **Errors.** Those of the second; its cause has those of the first before them.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Connectable, Effect, Exit, Resource } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const main = Connectable.make('mock://main', Resource.fromEffect(Effect.fail({ _tag: 'Down' })))
 * const spare = Connectable.make('mock://spare', Resource.of('spare'))
 * const program = pipe(main, Connectable.orElse(spare), Resource.use(Effect.succeed))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('spare'))
 *
 * @category combinators
 * @since 0.1.0
 */
export const orElse =
  <S2, E2>(that: Connectable<S2, E2>) =>
  <S, E>(self: Connectable<S, E>): Connectable<S | S2, E2> =>
    make(
      `${self.endpoint} or ${that.endpoint}`,
      Resource.fromUse(<R, E3, B>(use: (stream: S | S2) => Effect.Effect<R, E3, B>) => {
        // The exit of the use passes as a value, so that only the failure to connect leads to the second one.
        const used = (stream: S | S2): Effect.Effect<R, never, Exit<E3, B>> => Effect.exit(use(stream))
        return Effect.flatMap((exit: Exit<E3, B>) => Effect.fromExit(exit))(
          Effect.orElse(() => Resource.use(used)(that.connect))(Resource.use(used)(self.connect))
        )
      })
    )
