/**
 * `TaskTree`: the tree of tasks, groups and scopes of a run, as data and as text. It is the live tree itself, so it costs
 * nothing until somebody asks.
 *
 * @since 0.1.0
 */
import * as Effect from '../effect/Effect.js'
import * as LowLevel from '../effect/LowLevel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A task: its status, what it waits on (such as `sleep` or `MemoryStream.receive`) and since when, in the time of the run's
 * clock, and the scopes and groups that it has opened. `starting`: a task of `group.start` that is not ready yet.
 *
 * @category model
 * @since 0.1.0
 */
export type TaskNode = LowLevel.TaskTreeTask

/**
 * A scope: whether it is shielded, its deadline (a time of the run's clock; `Infinity` for none), and why it was cancelled.
 *
 * @category model
 * @since 0.1.0
 */
export type ScopeNode = LowLevel.TaskTreeScope

/**
 * A group, or a composition of `Concurrent`: what its body has opened is in its scope, and its tasks are beside that.
 *
 * @category model
 * @since 0.1.0
 */
export type GroupNode = LowLevel.TaskTreeGroup

/**
 * A whole run, from its main task, at a time of its clock.
 *
 * @category model
 * @since 0.1.0
 */
export type TaskTree = LowLevel.TaskTreeData

// -------------------------------------------------------------------------------------
// inspection
// -------------------------------------------------------------------------------------

/**
 * The tree of this run, now.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime, TaskGroup, TaskTree } from 'millrace'
 *
 * const program = TaskGroup.open({ name: 'jobs' })((group) =>
 *   Effect.gen(function* () {
 *     yield* group.spawn(Effect.never, { name: 'poll', service: true })
 *     yield* TaskTree.waitAllTasksBlocked
 *     const { root } = yield* TaskTree.current
 *     const jobs = root.children[0]
 *     return jobs?._tag === 'GroupNode' ? jobs.tasks.map((task) => task.name) : []
 *   })
 * )
 * assert.deepEqual(await Runtime.runPromise(program), ['poll'])
 *
 * @category inspection
 * @since 0.1.0
 */
export const current: Effect.Effect<unknown, never, TaskTree> = /*#__PURE__*/ Effect.map(
  (run: LowLevel.RunView) => run.tree()
)(LowLevel.currentRun)

/**
 * The tree as text, a line a node.
 *
 * @category inspection
 * @since 0.1.0
 */
export const pretty: (tree: TaskTree) => string = LowLevel.printTaskTree

/**
 * Waits until every other task of the run waits for something: for tests that need the others to have come as far as they
 * can. Several tasks may do so at a time. It answers in the same turn when all wait already.
 *
 * **Cancellation.** It is a checkpoint.
 *
 * @category inspection
 * @since 0.1.0
 */
export const waitAllTasksBlocked: Effect.Effect<unknown, never, void> = LowLevel.waitAllBlocked
