/**
 * The scope of one task alone, for those who cancel one task. They bring it along, and a fiber knows only the place for it.
 *
 * @internal
 */
import { type Fiber, Running } from './fiber.js'
import type { Owner } from './owner.js'
import { RoleArms, RoleOwn, ScopeNode } from './scopeTree.js'

/** Puts a new scope between `parent` and `child` (or around nothing, when there is no child yet). */
export const insert = (parent: ScopeNode, child: ScopeNode | null, name: string): ScopeNode => {
  const between = new ScopeNode(parent.host, parent, name, 0, RoleOwn)
  if (child !== null) {
    parent.disown(child)
    between.adopt(child)
  }
  return between
}

/** The scope of this task alone, between its owner's scope and all that it has opened. */
export const ownScope = (fiber: Fiber): ScopeNode => {
  if (fiber.own !== null) return fiber.own
  const home = (fiber.owner as Owner).scope
  if (fiber.scope === home) {
    fiber.own = insert(home, armsIn(home, fiber), fiber.name)
    home.removeFiber(fiber)
    fiber.scope = fiber.own
    fiber.own.addFiber(fiber)
  } else {
    let outermost = fiber.scope
    while (outermost.parent !== home) outermost = outermost.parent as ScopeNode
    fiber.own = insert(home, outermost, fiber.name)
  }
  return fiber.own
}

/** The scope of the arms that a fiber waits for, or is starting: the one thing it opens without being in it. */
const armsIn = (home: ScopeNode, fiber: Fiber): ScopeNode | null => {
  const { wait } = fiber
  // The class of arms stays out of programs that have none.
  if (wait !== null && 'scope' in wait && wait.scope instanceof ScopeNode && wait.scope.role === RoleArms)
    return wait.scope
  if (fiber.status !== Running) return null
  // Most often the youngest: what runs is an arm that has just begun.
  let node = home.lastChild
  while (node !== null && (node.role !== RoleArms || node.opener !== fiber)) node = node.previous
  return node
}
