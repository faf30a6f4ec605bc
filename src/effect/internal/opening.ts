/**
 * How the run loop opens groups and parallel compositions. The effects bring these functions along, and the loop itself
 * knows neither, so that the bundle of a program that uses none is smaller.
 *
 * @internal
 */
import { checkDuration, type Fiber } from './fiber.js'
import { Nursery } from './nursery.js'
import { Arms, type Strategy } from './parallel.js'
import { RoleArms, RoleGroup, ScopeNode } from './scopeTree.js'

interface GroupOptions {
  readonly name?: string
  readonly grace?: number
}

const open = (fiber: Fiber, { name, grace }: GroupOptions, optional: boolean): Nursery => {
  if (grace !== undefined) checkDuration('A grace', grace)
  const outer = new ScopeNode(fiber.runOf, fiber.scope, name ?? 'group', fiber.mask, RoleGroup)
  fiber.enterScope(outer)
  if (grace !== undefined) outer.setGrace(grace)
  return new Nursery(fiber, outer, outer.name, optional)
}

/** Opens a group whose value is that of the body. */
export const openGroup = (fiber: Fiber, options: GroupOptions): Nursery => open(fiber, options, false)

/** Opens a group whose body may be cancelled with its tasks, so that there is a value or none. */
export const openCancellableGroup = (fiber: Fiber, options: GroupOptions): Nursery =>
  open(fiber, options, true)

/** Opens the arms of a strategy, in a scope of their own. */
export const openArms = <B>(fiber: Fiber, strategyOf: (arms: B) => Strategy, arms: B): Arms => {
  const strategy = strategyOf(arms)
  const scope = new ScopeNode(fiber.runOf, fiber.scope, strategy.kind, fiber.mask, RoleArms)
  scope.opener = fiber
  return new Arms(fiber, scope, strategy)
}
