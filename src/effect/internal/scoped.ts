/**
 * Scopes around effects: how they are entered and left.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import { joinThen, withoutCancelled } from './causes.js'
import { checkDuration } from './durations.js'
import type { Fiber } from './fiber.js'
import { Frame } from './frame.js'
import { Cancel, Fault, type Untyped } from './op.js'
import { absorb, enterDeadline, enterScope, leaveScope, RoleScope, ScopeNode } from './scopeTree.js'
import { setShield } from './shields.js'

export interface ScopeOptions {
  readonly name: string
  /** Milliseconds from entry. */
  readonly after?: number | undefined
  /** A time of the clock. */
  readonly at?: number | undefined
  readonly shield?: boolean | undefined
  readonly grace?: number | undefined
}

const open = (fiber: Fiber, options: ScopeOptions): ScopeNode => {
  const { after, at, grace } = options
  if (after !== undefined) checkDuration('A timeout', after)
  if (at !== undefined) checkDuration('A deadline', at)
  if (grace !== undefined) checkDuration('A grace', grace)
  const node = new ScopeNode(fiber.runOf, fiber.scope, options.name, fiber.mask, RoleScope)
  enterScope(fiber, node)
  if (options.shield === true) setShield(node, true)
  if (grace !== undefined) node.setGrace(grace)
  if (after !== undefined) enterDeadline(node, after, true)
  if (at !== undefined) enterDeadline(node, at, false)
  return node
}

/** The failure of a timeout. What the user's function throws must not lose the rest of the cause. */
const failureOf = (onTimeout: () => unknown): Cause<unknown> => {
  try {
    return { _tag: 'Fail', error: onTimeout() }
  } catch (defect) {
    return { _tag: 'Die', defect }
  }
}

/** Leaving by raising: absorbs what is the scope's own. */
const leaveRaising = (
  fiber: Fiber,
  node: ScopeNode,
  mode: number,
  value: Untyped,
  onTimeout: (() => unknown) | null
): Untyped => {
  let rest: Cause<Untyped> | null = null
  let absorbed = false
  if (node.absorbs()) {
    if (mode === Cancel) absorbed = true
    else if (mode === Fault) {
      rest = withoutCancelled(value as Cause<Untyped>)
      absorbed = rest !== value
    }
  }
  leaveScope(fiber, node)
  if (!absorbed) return fiber.signal(mode, value)
  const caught = absorb(node)
  if (onTimeout !== null && caught.reason._tag === 'Deadline') {
    const timeout = failureOf(onTimeout)
    return fiber.signal(Fault, rest === null ? timeout : joinThen(timeout, rest))
  }
  if (rest !== null) return fiber.signal(Fault, rest)
  // A plain scope has no handle and no deadline, so nothing but its own option can be absorbed without a rest.
  return { _tag: 'None' }
}

const leave = (fiber: Fiber, node: ScopeNode, value: Untyped): Untyped => {
  leaveScope(fiber, node)
  return value
}

/** Gives an option: `None` when the scope absorbed its own cancellation. */
export const optionScope = /*#__PURE__*/ new Frame(
  open,
  (fiber, node: ScopeNode, value) => {
    leaveScope(fiber, node)
    return { _tag: 'Some', value }
  },
  (fiber, node: ScopeNode, mode, value) => leaveRaising(fiber, node, mode, value, null)
)

/** For a scope that nobody can cancel. */
export const plainScope = /*#__PURE__*/ new Frame(open, leave, (fiber, node: ScopeNode, mode, value) =>
  leaveRaising(fiber, node, mode, value, null)
)

interface FailingScopeOptions {
  readonly options: ScopeOptions
  readonly onTimeout: () => unknown
}

interface FailingScope {
  readonly node: ScopeNode
  readonly onTimeout: () => unknown
}

/** Fails with what `onTimeout` gives when its deadline ended it. */
export const failingScope = /*#__PURE__*/ new Frame(
  (fiber, { options, onTimeout }: FailingScopeOptions): FailingScope => ({
    node: open(fiber, options),
    onTimeout
  }),
  (fiber, { node }: FailingScope, value) => leave(fiber, node, value),
  (fiber, { node, onTimeout }: FailingScope, mode, value) => leaveRaising(fiber, node, mode, value, onTimeout)
)
