/**
 * What the operators on failures leave on the stack.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import { hasCancelled, joinThen, mapLeaves, partitionFails } from './causes.js'
import type { Fiber } from './fiber.js'
import { Frame, framed } from './frame.js'
import { Die, Evaluate, Fail, Fault, type Op, raise, Return, type Signal, type Untyped } from './op.js'

/** A way to raise, kept while something else runs. */
export interface Saved {
  readonly mode: number
  readonly value: Untyped
}

/** The effect that a function of the user makes; what it throws instead is raised where the effect would run. */
export const attempt = <A>(f: (a: A) => Op, a: A): Op => {
  try {
    return f(a)
  } catch (defect) {
    return raise(Die, defect)
  }
}

export const exitOf = (fiber: Fiber, mode: number, value: Untyped): Untyped =>
  mode === Return ? { _tag: 'Right', right: value } : { _tag: 'Left', left: fiber.causeOf(mode, value) }

/** Around what runs before it is raised: what a handler did not handle, or what was only looked at. */
const again = /*#__PURE__*/ new Frame(
  null,
  (fiber, { mode, value }: Saved) => fiber.signal(mode, value),
  (fiber, saved: Saved, mode, value) =>
    fiber.signal(Fault, joinThen(fiber.causeOf(saved.mode, saved.value), fiber.causeOf(mode, value)))
)

// ---- handlers

const handle = (
  fiber: Fiber,
  f: (error: Untyped) => Op,
  mode: number,
  value: Untyped,
  handles: (error: Untyped) => boolean
): typeof Signal => {
  if (mode === Fail && handles(value)) return fiber.signal(Evaluate, f(value))
  if (mode === Fault) {
    const split = partitionFails(value as Cause<Untyped>, handles)
    if (split !== null) {
      if (split.rest === null) return fiber.signal(Evaluate, f(split.first))
      const rest: Saved = { mode: Fault, value: split.rest }
      return fiber.signal(Evaluate, framed(attempt(f, split.first), rest, again))
    }
  }
  return fiber.signal(mode, value)
}

const every = (): boolean => true

/** The data is the handler. */
export const orElse = /*#__PURE__*/ new Frame(null, null, (fiber, f: (error: Untyped) => Op, mode, value) =>
  handle(fiber, f, mode, value, every)
)

interface TagHandler {
  readonly tag: string
  readonly f: (error: Untyped) => Op
}

export const catchTag = /*#__PURE__*/ new Frame(null, null, (fiber, { tag, f }: TagHandler, mode, value) =>
  handle(
    fiber,
    f,
    mode,
    value,
    (error: Untyped) => error !== null && error !== undefined && error._tag === tag
  )
)

interface Matching {
  readonly onFailure: (error: Untyped) => Op
  readonly onSuccess: (value: Untyped) => Op
}

export const match = /*#__PURE__*/ new Frame(
  null,
  (fiber, { onSuccess }: Matching, value) => fiber.signal(Evaluate, onSuccess(value)),
  (fiber, { onFailure }: Matching, mode, value) => handle(fiber, onFailure, mode, value, every)
)

/** The data is the handler. */
export const catchCause = /*#__PURE__*/ new Frame(
  null,
  null,
  (fiber, f: (cause: Cause<Untyped>) => Op, mode, value) =>
    fiber.signal(Evaluate, f(fiber.causeOf(mode, value)))
)

export const toExit = /*#__PURE__*/ new Frame(
  null,
  (_fiber, _data, right: Untyped) => ({ _tag: 'Right', right }),
  (fiber, _data, mode, value) => exitOf(fiber, mode, value)
)

// ---- what looks at failures, or changes them

/** The data is what is to be done. */
export const tapError = /*#__PURE__*/ new Frame(
  null,
  null,
  (fiber, f: (error: Untyped) => Op, mode, value) => {
    const split =
      mode === Fail
        ? { first: value }
        : mode === Fault
          ? partitionFails(value as Cause<Untyped>, every)
          : null
    if (split === null) return fiber.signal(mode, value)
    const saved: Saved = { mode, value }
    return fiber.signal(Evaluate, framed(attempt(f, split.first), saved, again))
  }
)

const mapFails = (cause: Cause<Untyped>, f: (error: Untyped) => Cause<Untyped>): Cause<Untyped> =>
  mapLeaves(cause, (leaf) => {
    if (leaf._tag !== 'Fail') return leaf
    try {
      return f(leaf.error)
    } catch (defect) {
      // The mapper of one failure must not lose the others.
      return { _tag: 'Die', defect }
    }
  })

/** The data is the mapper. */
export const mapError = /*#__PURE__*/ new Frame(
  null,
  null,
  (fiber, f: (error: Untyped) => Untyped, mode, value) => {
    if (mode === Fail) return fiber.signal(Fail, f(value))
    if (mode === Fault)
      return fiber.signal(
        Fault,
        mapFails(value, (error) => ({ _tag: 'Fail', error: f(error) }))
      )
    return fiber.signal(mode, value)
  }
)

export const orDie = /*#__PURE__*/ new Frame(null, null, (fiber, _data, mode, value) => {
  if (mode === Fail) return fiber.signal(Die, value)
  if (mode === Fault)
    return fiber.signal(
      Fault,
      mapFails(value, (defect) => ({ _tag: 'Die', defect }))
    )
  return fiber.signal(mode, value)
})

// ---- causes from elsewhere

/** `Cancelled` may be raised again inside its scope, and nowhere else. */
export const admit = (fiber: Fiber, cause: Cause<Untyped>): Cause<Untyped> => {
  if (!hasCancelled(cause) || fiber.scope.nearestCancelled() !== null) return cause
  return { _tag: 'Die', defect: { _tag: 'CancelledElsewhere', cause } }
}

/** For `failCause`: raises a cause that somebody holds. */
export const raiseCause = (fiber: Fiber, cause: Cause<Untyped>): typeof Signal =>
  fiber.signal(Fault, admit(fiber, cause))
