/**
 * How groups are opened. The effects bring these functions along, and the run loop itself knows none, so that the bundle of a
 * program that uses none is smaller.
 *
 * @internal
 */
import { checkDuration } from './durations.js'
import type { Fiber } from './fiber.js'
import { Frame } from './frame.js'
import { Nursery } from './nursery.js'
import { Return, type Untyped } from './op.js'
import { enterScope, RoleGroup, ScopeNode } from './scopeTree.js'

interface GroupOptions {
  readonly name?: string
  readonly grace?: number
}

const open = (fiber: Fiber, { name, grace }: GroupOptions, optional: boolean): Nursery => {
  if (grace !== undefined) checkDuration('A grace', grace)
  const outer = new ScopeNode(fiber.runOf, fiber.scope, name ?? 'group', fiber.mask, RoleGroup)
  enterScope(fiber, outer)
  if (grace !== undefined) outer.setGrace(grace)
  return new Nursery(fiber, outer, outer.name, optional)
}

const leave = (fiber: Fiber, nursery: Nursery, mode: number, value: Untyped): Untyped => {
  const outcome = nursery.bodyEnded(mode, value)
  return outcome === null ? fiber.park(nursery) : fiber.signal(outcome.mode, outcome.value)
}

const leaveReturning = (fiber: Fiber, nursery: Nursery, value: Untyped): Untyped =>
  leave(fiber, nursery, Return, value)

/** A group whose value is that of the body. */
export const group = /*#__PURE__*/ new Frame(
  (fiber, options: GroupOptions) => open(fiber, options, false),
  leaveReturning,
  leave
)

/** A group whose body may be cancelled with its tasks, so that there is a value or none. */
export const cancellableGroup = /*#__PURE__*/ new Frame(
  (fiber, options: GroupOptions) => open(fiber, options, true),
  leaveReturning,
  leave
)
