/**
 * `Task<E, A>`: the handle of a task of a group. Its status is the real state of the task.
 *
 * @since 0.1.0
 */
import type { Option } from 'fp-ts/lib/Option.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What `join` fails with when the task was cancelled, and `start` when that was before it was ready.
 *
 * @category model
 * @since 0.1.0
 */
export type TaskCancelled = LowLevel.TaskCancelled

/**
 * - `pending`: spawned, and its first turn has not come;
 * - `running`: it runs or waits;
 * - `cancelling`: its scope is cancelled, and it has not ended yet;
 * - `finished`, `failed`, `cancelled`: it has ended.
 *
 * @category model
 * @since 0.1.0
 */
export type TaskStatus = 'pending' | 'running' | 'cancelling' | 'finished' | 'failed' | 'cancelled'

/**
 * A task. Its members are effects, so they can be used wherever the handle has been given to, also after the
 * task has ended.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const task = yield* group.spawn(Effect.sleep(60_000), { name: 'poller' })
 *     const before = yield* task.status
 *     yield* task.cancel('not needed')
 *     yield* task.wait
 *     return [task.name, before, yield* task.status]
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['poller', 'pending', 'cancelled']))
 *
 * @category model
 * @since 0.1.0
 */
export interface Task<out E, out A> {
  /** Unique within the run. */
  readonly id: number
  readonly name: string
  /**
   * Waits for the end, whatever it is. For the value itself use `join`.
   *
   * **Cancellation.** Of the caller: ends the wait; the task goes on.
   */
  readonly wait: Effect.Effect<unknown, never, Exit<E, A>>
  /**
   * Waits for the value.
   *
   * **Errors.** Those of the task; a defect of it is a defect here, too. `TaskCancelled` if the task was
   * cancelled and nothing else happened: a cancellation of the task is none of the caller.
   * **Cancellation.** Of the caller: ends the wait; the task goes on.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { pipe } from 'fp-ts/lib/function.js'
   * import { Effect, Exit, TaskGroup } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * const program = TaskGroup.open()((group) =>
   *   Effect.gen(function* () {
   *     const task = yield* group.spawn(Effect.never)
   *     yield* task.cancel('not needed')
   *     return yield* pipe(
   *       task.join,
   *       Effect.catchTag('TaskCancelled', ({ reason }) => Effect.succeed(`cancelled: ${reason._tag}`))
   *     )
   *   })
   * )
   * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('cancelled: Explicit'))
   */
  readonly join: Effect.Effect<unknown, E | TaskCancelled, A>
  /** The exit, once there is one. Never waits. */
  readonly poll: Effect.Effect<unknown, never, Option<Exit<E, A>>>
  /**
   * Cancels this task alone. Does not wait for its end: that is `wait`. Nothing happens when it has ended. No
   * checkpoint.
   */
  readonly cancel: (reason?: unknown) => Effect.Effect<unknown, never, void>
  /**
   * What the task is doing now. By the time somebody reads it that may have changed; to wait for the end use
   * `wait`.
   */
  readonly status: Effect.Effect<unknown, never, TaskStatus>
}

/**
 * A task that said that it is ready.
 *
 * @category model
 * @since 0.1.0
 */
export interface StartedTask<out S, out E, out A> extends Task<E, A> {
  /** What the task was ready with. */
  readonly startValue: S
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** Spawning is a hot path, so the handle makes its members when they are asked for. */
class FiberTask<out E, out A> implements Task<E, A> {
  protected readonly fiber: LowLevel.Fiber<E, A>

  constructor(fiber: LowLevel.Fiber<E, A>) {
    this.fiber = fiber
  }

  get id(): number {
    return LowLevel.fiberId(this.fiber)
  }

  get name(): string {
    return LowLevel.fiberName(this.fiber)
  }

  get wait(): Effect.Effect<unknown, never, Exit<E, A>> {
    return LowLevel.awaitExit(this.fiber)
  }

  get join(): Effect.Effect<unknown, E | TaskCancelled, A> {
    return LowLevel.join(this.fiber)
  }

  get poll(): Effect.Effect<unknown, never, Option<Exit<E, A>>> {
    return LowLevel.poll(this.fiber)
  }

  get cancel(): (reason?: unknown) => Effect.Effect<unknown, never, void> {
    return (reason) => LowLevel.cancelFiber(this.fiber, reason)
  }

  get status(): Effect.Effect<unknown, never, TaskStatus> {
    return Effect.sync(() => LowLevel.fiberStatus(this.fiber))
  }

  toString(): string {
    return `Task(${this.name}, ${LowLevel.fiberStatus(this.fiber)})`
  }

  toJSON(): {
    readonly _tag: 'Task'
    readonly id: number
    readonly name: string
    readonly status: TaskStatus
  } {
    return { _tag: 'Task', id: this.id, name: this.name, status: LowLevel.fiberStatus(this.fiber) }
  }
}

class StartedFiberTask<out S, out E, out A> extends FiberTask<E, A> implements StartedTask<S, E, A> {
  readonly startValue: S

  constructor(fiber: LowLevel.Fiber<E, A>, startValue: S) {
    super(fiber)
    this.startValue = startValue
  }
}

/**
 * The handle of a fiber that was started with `LowLevel.fork`. For libraries that start tasks in a nursery of
 * their own.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel, Task } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const task = Task.fromFiber(yield* LowLevel.fork(nursery, Effect.succeed(42)))
 *     return yield* task.join
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(42))
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromFiber = <E, A>(fiber: LowLevel.Fiber<E, A>): Task<E, A> => new FiberTask(fiber)

/**
 * The handle of a fiber that was ready with a value. What `group.start` gives.
 *
 * @category constructors
 * @since 0.1.0
 */
export const started = <S, E, A>(fiber: LowLevel.Fiber<E, A>, startValue: S): StartedTask<S, E, A> =>
  new StartedFiberTask(fiber, startValue)
