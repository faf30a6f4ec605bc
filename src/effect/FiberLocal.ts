/**
 * `FiberLocal`: a value that a fiber carries along and its children inherit, such as a request id. A child starts with what
 * its spawner has at that moment; later changes of one are not seen by the other.
 *
 * A service that a program cannot do without belongs into the environment `R`, where the compiler sees it.
 *
 * @since 0.1.0
 */
import type { Effect } from './Effect.js'
import type { Fiber } from './internal/fiber.js'
import { setLocal } from './internal/fiber.js'
import { Locally, Op, type Untyped } from './internal/op.js'
import { primitive } from './internal/primitives.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A key with an initial value. Made once, beside the code that uses it.
 *
 * @category model
 * @since 0.1.0
 */
export interface FiberLocal<in out A> {
  /** The value of this fiber. */
  readonly get: Effect<unknown, never, A>
  /** Sets it for the rest of this fiber, and for what it spawns from now on. */
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
  setLocal(fiber, key, value)
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
    locally: (a) => (fx) => new Op(Locally, fx, key, a) as Untyped
  }
}
