/**
 * What finalizers leave on the stack. A finalizer runs masked, so that no cancellation from outside is seen in it; what it
 * raises joins what came before.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import type { Exit } from '../Exit.js'
import { hasCancelled, joinThen, withoutCancelled } from './causes.js'
import { attempt, exitOf, type Saved } from './failures.js'
import type { Fiber } from './fiber.js'
import { Frame, framed } from './frame.js'
import {
  Bracket,
  Cancel,
  Evaluate,
  Fault,
  Op,
  Return,
  type Signal,
  Succeed,
  Sync,
  type Untyped
} from './op.js'

/** Cancelled in a finalizer: only a grace that has ended can do that. */
const cutFinalizer = (fiber: Fiber, cause: Cause<Untyped>): Cause<Untyped> => {
  const { cut } = fiber.scope
  if (cut < 0 || !hasCancelled(cause)) return cause
  const rest = withoutCancelled(cause)
  const defect = { _tag: 'CleanupOverran', task: fiber.name, grace: cut }
  return rest === null ? { _tag: 'Die', defect } : joinThen(rest, { _tag: 'Die', defect })
}

/** A finalizer has failed: its cause joins what came before. */
export const afterFinalizer = (fiber: Fiber, before: Saved, mode: number, value: Untyped): Cause<Untyped> => {
  const cause = cutFinalizer(fiber, fiber.causeOf(mode, value))
  return before.mode === Return ? cause : joinThen(fiber.causeOf(before.mode, before.value), cause)
}

const finalizing = /*#__PURE__*/ new Frame(
  null,
  (fiber, before: Saved) => {
    fiber.mask--
    return before.mode === Return ? before.value : fiber.signal(before.mode, before.value)
  },
  (fiber, before: Saved, mode, value) => {
    fiber.mask--
    return fiber.signal(Fault, afterFinalizer(fiber, before, mode, value))
  }
)

const finalize = (fiber: Fiber, finalizer: Op, mode: number, value: Untyped): typeof Signal => {
  const before: Saved = { mode, value }
  fiber.mask++
  return fiber.signal(Evaluate, framed(finalizer, before, finalizing))
}

/** After a value, a finalizer that cannot wait needs no frame: what it throws is all there is to raise. */
const finalizeValue = (fiber: Fiber, finalizer: Op, value: Untyped): Untyped => {
  if (finalizer instanceof Op) {
    if (finalizer.op === Sync) {
      ;(0, finalizer.a)()
      return value
    }
    if (finalizer.op === Succeed) return value
  }
  return finalize(fiber, finalizer, Return, value)
}

/** The data is the finalizer. */
export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, finalize)

/** The data makes the finalizer. */
export const onExit = /*#__PURE__*/ new Frame(
  null,
  (fiber, finalizer: (exit: Exit<Untyped, Untyped>) => Op, value) =>
    finalizeValue(fiber, finalizer({ _tag: 'Right', right: value }), value),
  (fiber, finalizer: (exit: Exit<Untyped, Untyped>) => Op, mode, value) => {
    const exit = exitOf(fiber, mode, value)
    return finalize(fiber, attempt(finalizer, exit), Fault, exit.left)
  }
)

/** The data is the finalizer. */
export const onCancel = /*#__PURE__*/ new Frame(null, null, (fiber, finalizer: Op, mode, value) =>
  mode === Cancel || (mode === Fault && hasCancelled(value as Cause<Untyped>))
    ? finalize(fiber, finalizer, mode, value)
    : fiber.signal(mode, value)
)

type Release = (resource: Untyped, exit: Exit<Untyped, Untyped>) => Op

/** How one bracket releases. The run loop calls `release` itself after a value, and asks for the rest only if that waits. */
class Releasing {
  readonly release: Release
  readonly returned: (fiber: Fiber, finalizer: Op, value: Untyped) => Untyped
  readonly raised: (fiber: Fiber, frame: Op, mode: number, value: Untyped) => typeof Signal

  constructor(release: Release) {
    this.release = release
    this.returned = finalizeValue
    this.raised = releaseRaising
  }
}

/** The data is the frame, which has the resource. */
const releaseRaising = (
  fiber: Fiber,
  { b: resource, c }: Op,
  mode: number,
  value: Untyped
): typeof Signal => {
  const exit = exitOf(fiber, mode, value)
  const finalizer = attempt((each: Exit<Untyped, Untyped>) => (c as Releasing).release(resource, each), exit)
  return finalize(fiber, finalizer, Fault, exit.left)
}

export const bracket = (acquire: Op, use: (resource: Untyped) => Op, release: Release): Op =>
  new Op(Bracket, acquire, use, new Releasing(release))
