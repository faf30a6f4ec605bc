/**
 * `FiberLocal`: a value that a fiber carries along and its children inherit, such as a request id. A child starts with what
 * its spawner has at that moment; later changes of one are not seen by the other.
 *
 * A service that a program cannot do without belongs into the environment `R`, where the compiler sees it.
 *
 * @since 0.1.0
 */
import type { Effect } from './Effect.js'
import * as environments from './internal/environments.js'
import type { Fiber } from './internal/fiber.js'
import { opened } from './internal/frame.js'
import type { Untyped } from './internal/op.js'
import { primitive } from './internal/primitives.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A key with an initial value. Made once, beside the code that uses it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, FiberLocal, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const user = FiberLocal.make('nobody')
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     yield* user.set('Ada')
 *     const task = yield* group.spawn(user.get)
 *     yield* user.set('Bob')
 *     return yield* task.wait
 *   })
 * )
 * // The task has what its spawner had when it was spawned.
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(Exit.succeed('Ada')))
 *
 * @category model
 * @since 0.1.0
 */
export interface FiberLocal<in out A> {
  /** The value of this fiber: what was set last, or what it has inherited, or the initial one. */
  readonly get: Effect<unknown, never, A>
  /**
   * Sets it for the rest of this fiber, and for what it spawns from now on. Inside of `locally` it lasts as
   * long as that does. For a value with an end prefer `locally`.
   */
  readonly set: (a: A) => Effect<unknown, never, void>
  /** The value for `fx` and all that it spawns; the one before is back afterwards, however `fx` ends. */
  readonly locally: (a: A) => <R, E, B>(fx: Effect<R, E, B>) => Effect<R, E, B>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const getPrimitive = (fiber: Fiber, key: object, initial: Untyped): Untyped =>
  fiber.locals !== null && fiber.locals.has(key) ? fiber.locals.get(key) : initial

const setPrimitive = (fiber: Fiber, key: object, value: Untyped): void => {
  environments.setLocal(fiber, key, value)
}

/**
 * A new key. Pure: two calls make two keys.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, FiberLocal, Runtime } from 'millrace'
 *
 * const requestId = FiberLocal.make('none')
 *
 * const program = Effect.gen(function* () {
 *   const inside = yield* requestId.locally('r-1')(requestId.get)
 *   const outside = yield* requestId.get
 *   return [inside, outside]
 * })
 *
 * assert.deepEqual(Runtime.runSync(program), ['r-1', 'none'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(initial: A): FiberLocal<A> => {
  const key = {}
  return {
    get: primitive(getPrimitive, key, initial) as Untyped,
    set: (a) => primitive(setPrimitive, key, a) as Untyped,
    locally: (a) => (fx) => opened(environments.locally, { key, value: a }, fx as Untyped) as Untyped
  }
}
