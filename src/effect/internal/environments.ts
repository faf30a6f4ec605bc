/**
 * Effects that run with other services, or other fiber-locals, than what is around them.
 *
 * @internal
 */
import { emptyEnvironment, type Fiber } from './fiber.js'
import { Frame } from './frame.js'
import type { Untyped } from './op.js'

const provided = (environment: Untyped, services: Untyped): Untyped =>
  // Copying is what `provide` costs; at the root of a program there is nothing to copy. The look at `constructor` says
  // nothing new, but after it V8 knows the shape, and takes the prototype from there in place of calling a function for it.
  environment === emptyEnvironment &&
  services.constructor === Object &&
  Object.getPrototypeOf(services) === Object.prototype
    ? services
    : { ...environment, ...services }

const restored = (fiber: Fiber, before: Untyped, value: Untyped): Untyped => {
  fiber.environment = before
  return value
}

const restoredRaising = (fiber: Fiber, before: Untyped, mode: number, value: Untyped): Untyped => {
  fiber.environment = before
  return fiber.signal(mode, value)
}

/** Opened with services. */
export const provide = /*#__PURE__*/ new Frame(
  (fiber, services: Untyped) => {
    const before = fiber.environment
    fiber.environment = provided(before, services)
    return before
  },
  restored,
  restoredRaising
)

/** Opened with a function of the environment. */
export const local = /*#__PURE__*/ new Frame(
  (fiber, f: (environment: Untyped) => Untyped) => {
    const before = fiber.environment
    fiber.environment = f(before)
    return before
  },
  restored,
  restoredRaising
)

export const setLocal = (fiber: Fiber, key: object, value: unknown): void => {
  fiber.locals = new Map(fiber.locals).set(key, value)
}

interface Setting {
  readonly key: object
  readonly value: unknown
}

interface Before extends Setting {
  readonly wasSet: boolean
}

const restoreLocal = (fiber: Fiber, { key, value, wasSet }: Before): void => {
  const locals = new Map(fiber.locals)
  if (wasSet) locals.set(key, value)
  else locals.delete(key)
  fiber.locals = locals
}

/** Opened with a key and its value. */
export const locally = /*#__PURE__*/ new Frame(
  (fiber, { key, value }: Setting): Before => {
    const { locals } = fiber
    setLocal(fiber, key, value)
    return { key, value: locals?.get(key), wasSet: locals !== null && locals.has(key) }
  },
  (fiber, before: Before, value) => {
    restoreLocal(fiber, before)
    return value
  },
  (fiber, before: Before, mode, value) => {
    restoreLocal(fiber, before)
    return fiber.signal(mode, value)
  }
)
