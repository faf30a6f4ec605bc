/**
 * What is alive in a run: data made from the live tree, when somebody asks.
 *
 * @internal
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { CancelReason } from '../Cause.js'
import { Fiber, Waiting } from './fiber.js'
import { statusOf, type Status } from './primitives.js'
import { Held } from './owner.js'
import type { Run } from './run.js'
import { RoleArms, RoleGroup, RoleOwn, RoleRoot, RoleTasks, type ScopeNode, walk } from './scopeTree.js'

export interface TaskTreeTask {
  readonly _tag: 'TaskNode'
  readonly id: number
  readonly name: string
  readonly status: Status | 'starting'
  readonly waitsOn: Option<string>
  readonly since: Option<number>
  readonly children: ReadonlyArray<TaskTreeScope | TaskTreeGroup>
}

export interface TaskTreeScope {
  readonly _tag: 'ScopeNode'
  readonly name: string
  readonly shield: boolean
  readonly deadline: number
  readonly cancelled: Option<CancelReason>
  readonly draining: boolean
  readonly children: ReadonlyArray<TaskTreeScope | TaskTreeGroup>
}

export interface TaskTreeGroup {
  readonly _tag: 'GroupNode'
  readonly name: string
  readonly scope: TaskTreeScope
  readonly tasks: ReadonlyArray<TaskTreeTask>
}

export interface TaskTreeData {
  readonly root: TaskTreeTask
  readonly time: number
}

/** All fibers of a run that have not ended, in the order in which they were started. */
export const fibersOf = (run: Run): ReadonlyArray<Fiber> => {
  const fibers: Array<Fiber> = []
  walk(run.root, (node) => {
    for (let each = node.firstFiber; each !== null; each = each.scopeNext) {
      if (each instanceof Fiber) fibers.push(each)
    }
    return true
  })
  return fibers.sort((a, b) => a.id - b.id)
}

export const waitsOn = (fiber: Fiber): string | null =>
  fiber.status === Waiting && fiber.wait !== null ? fiber.wait.label : null

const some = <A>(value: A): Option<A> => ({ _tag: 'Some', value })
const none: Option<never> = { _tag: 'None' }

type Children = Array<TaskTreeScope | TaskTreeGroup>

const taskOf = (fiber: Fiber, children: Children): TaskTreeTask => {
  const label = waitsOn(fiber)
  return {
    _tag: 'TaskNode',
    id: fiber.id,
    name: fiber.name,
    status: (fiber.flags & Held) !== 0 ? 'starting' : statusOf(fiber),
    waitsOn: label === null ? none : some(label),
    since: label === null || fiber.since === null ? none : some(fiber.since.ms),
    children
  }
}

const scopeOf = (node: ScopeNode, children: Children): TaskTreeScope => ({
  _tag: 'ScopeNode',
  name: node.name,
  shield: node.shield || node.mask > 0,
  deadline: node.deadline?.time ?? Infinity,
  cancelled: node.why === null ? none : some(node.why.reason),
  draining: node.hooks?.draining === true,
  children
})

/** The scope that a user would name as the parent: scopes of single tasks do not show. */
const shownParent = (node: ScopeNode): ScopeNode => {
  let parent = node.parent as ScopeNode
  while (parent.role === RoleOwn) parent = parent.parent as ScopeNode
  return parent
}

/** Parents come first in a walk, so each node finds where it belongs. No recursion: a tree is as deep as a program. */
export const treeOf = (run: Run, time: number): TaskTreeData => {
  /** What stands inside of a scope, of a task, of a group. */
  const inScope = new Map<ScopeNode, Children>()
  const inTask = new Map<unknown, Children>()
  const inGroup = new Map<ScopeNode, Array<TaskTreeTask>>()
  const fibers = fibersOf(run)
  for (const fiber of fibers) inTask.set(fiber, [])

  walk(run.root, (node) => {
    if (node.role === RoleRoot || node.role === RoleOwn) return true
    const parent = shownParent(node)
    if (node.role === RoleTasks) {
      inGroup.set(node, inGroup.get(parent) as Array<TaskTreeTask>)
      return true
    }
    const siblings = inScope.get(parent) ?? inTask.get(node.opener)
    const children: Children = []
    const scope = scopeOf(node, children)
    if (node.role === RoleGroup || node.role === RoleArms) {
      const tasks: Array<TaskTreeTask> = []
      inGroup.set(node, tasks)
      siblings?.push({ _tag: 'GroupNode', name: node.name, scope, tasks })
    } else siblings?.push(scope)
    // Arms stand in their scope themselves; what they open is in the arms.
    if (node.role !== RoleArms) inScope.set(node, children)
    return true
  })

  let root: TaskTreeTask | null = null
  for (const fiber of fibers) {
    const task = taskOf(fiber, inTask.get(fiber) as Children)
    if (fiber.id === 1) root = task
    else if (fiber.owner !== null) inGroup.get(fiber.owner.scope)?.push(task)
  }
  return { root: root ?? nobody, time }
}

/** The main task has ended. */
const nobody: TaskTreeTask = {
  _tag: 'TaskNode',
  id: 1,
  name: 'main',
  status: 'finished',
  waitsOn: none,
  since: none,
  children: []
}

// ---- printing

const sinceText = (since: Option<number>, time: number): string =>
  since._tag === 'None' ? '' : ` since ${Math.max(0, Math.round(time - since.value))} ms`

const taskText = (task: TaskTreeTask, time: number): string =>
  `${task.name} ${task.status}${
    task.waitsOn._tag === 'None' ? '' : `, waits on ${task.waitsOn.value}${sinceText(task.since, time)}`
  }`

const marks = (scope: TaskTreeScope, time: number): string =>
  [
    scope.shield ? ', shielded' : '',
    scope.deadline === Infinity ? '' : `, deadline in ${Math.round(scope.deadline - time)} ms`,
    scope.draining ? ', draining' : '',
    scope.cancelled._tag === 'None' ? '' : `, cancelled: ${scope.cancelled.value._tag}`
  ].join('')

type AnyNode = TaskTreeTask | TaskTreeScope | TaskTreeGroup

const textOf = (node: AnyNode, time: number): string => {
  switch (node._tag) {
    case 'TaskNode':
      return taskText(node, time)
    case 'ScopeNode':
      return `scope ${JSON.stringify(node.name)}${marks(node, time)}`
    case 'GroupNode':
      return `group ${JSON.stringify(node.name)}${marks(node.scope, time)}`
  }
}

/** The group's body first, as it is the older part, then its tasks. */
const below = (node: AnyNode): ReadonlyArray<AnyNode> =>
  node._tag === 'GroupNode' ? [...node.scope.children, ...node.tasks] : node.children

/** Indents no further below this depth, or a tree that is all depth would print its square. */
const deepest = 64

export const printTree = (tree: TaskTreeData): string => {
  const lines: Array<string> = []
  const rest: Array<{
    readonly node: AnyNode
    readonly prefix: string
    readonly mark: string
    readonly depth: number
  }> = [{ node: tree.root, prefix: '', mark: '', depth: 0 }]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { node, prefix, mark, depth } = next
    lines.push(`${prefix}${mark}${textOf(node, tree.time)}`)
    const inner = mark === '' || depth > deepest ? prefix : `${prefix}${mark === '└─ ' ? '   ' : '│  '}`
    const children = below(node)
    for (let i = children.length - 1; i >= 0; i--) {
      const last = i === children.length - 1
      rest.push({ node: children[i] as AnyNode, prefix: inner, mark: last ? '└─ ' : '├─ ', depth: depth + 1 })
    }
  }
  return lines.join('\n')
}

/** For those outside of the run, who have a time of their own. */
export const describeRun = (run: Run): string => printTree(treeOf(run, run.now()))
