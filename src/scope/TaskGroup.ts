/**
 * `TaskGroup`: tasks that live no longer than a block. The group ends when its body and all of its tasks have ended; if one
 * fails, the others are cancelled and awaited, and the group fails with everything that went wrong.
 *
 * There is no other way to start something that goes on by itself, so nothing is ever left behind. For a fixed number of
 * effects side by side, `Concurrent.all` and `Concurrent.traverse` are shorter.
 *
 * @since 0.1.0
 */
import type { Option } from 'fp-ts/lib/Option.js'
import * as Cause from '../effect/Cause.js'
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'
import * as ParkingLot from '../effect/ParkingLot.js'
import { type CancelScope, fromNode } from './CancelScope.js'
import { fromFiber, started as startedTask, type StartedTask, type Task, type TaskCancelled } from './Task.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A group of tasks. `E`: the failures that its tasks may have; a group that accepts more can be used where less is needed.
 *
 * Spawning into a group that has ended is a defect.
 *
 * @category model
 * @since 0.1.0
 */
export interface TaskGroup<in E> {
  readonly name: string
  /**
   * Starts a supervised task: its failure fails the group. The task begins on a later turn, and always
   * begins, also in a cancelled group, up to its first checkpoint; so it can be given something to close. It
   * inherits the environment and the fiber-locals of its spawner. No checkpoint.
   *
   * A shield opened inside of the group's body does not protect its tasks; one around the group does.
   *
   * **Errors.** None expected. A defect when the group has ended.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { pipe } from 'fp-ts/lib/function.js'
   * import { Effect, Exit, TaskGroup } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * const lines: Array<string> = []
   * const program = TaskGroup.open<string>()((group) =>
   *   Effect.gen(function* () {
   *     yield* group.spawn(pipe(Effect.sleep(10), Effect.andThen(Effect.fail('disk full'))))
   *     const goodbye = Effect.sync(() => { lines.push('cancelled') })
   *     yield* group.spawn(pipe(Effect.never, Effect.onCancel(goodbye)))
   *     yield* Effect.sleep(1000)
   *     return 'never reached'
   *   })
   * )
   * assert.deepEqual(TestRuntime.runExit(program), Exit.fail('disk full'))
   * assert.deepEqual(lines, ['cancelled'])
   */
  readonly spawn: <R, E2 extends E, A>(
    fx: Effect.Effect<R, E2, A>,
    options?: SpawnOptions
  ) => Effect.Effect<R, never, Task<E2, A>>
  /**
   * Starts a task whose failure belongs to whoever joins it, so its `E` is not in that of the group. A defect
   * of it fails the group at once; a failure at which nobody has looked (by `join`, `wait` or `poll`) when
   * all have ended fails the group as the defect `UnjoinedFailure`.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { pipe } from 'fp-ts/lib/function.js'
   * import { Effect, Exit, TaskGroup } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * const program = TaskGroup.open()((group) =>
   *   Effect.gen(function* () {
   *     const mirror = yield* group.spawnOwned(Effect.fail('mirror is down'))
   *     return yield* pipe(
   *       mirror.join,
   *       Effect.orElse(() => Effect.succeed('without the mirror'))
   *     )
   *   })
   * )
   * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('without the mirror'))
   */
  readonly spawnOwned: <R, E2, A>(
    fx: Effect.Effect<R, E2, A>,
    options?: SpawnOptions
  ) => Effect.Effect<R, never, Task<E2, A>>
  /**
   * Starts a task and waits until it is ready. Annotate the parameter to be ready with a value:
   * `group.start((started: Started<number>) => …)`. Afterwards the task is supervised.
   *
   * **Errors.** What the task fails with before it is ready, and then the group does not fail.
   * `TaskCancelled`: the task was cancelled before it was ready, the caller was not. Ending without being
   * ready is a defect.
   * **Cancellation.** Of the caller while it waits: the task is cancelled and its end awaited; the group goes
   * on. The task begins also when the caller is cancelled already.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { Effect, Exit, TaskGroup } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * const server = (started: TaskGroup.Started<number>) =>
   *   Effect.gen(function* () {
   *     yield* Effect.sleep(20) // binds
   *     yield* started(8080)
   *     return yield* Effect.never // serves
   *   })
   *
   * const program = TaskGroup.open()((group) =>
   *   Effect.gen(function* () {
   *     const listening = yield* group.start(server, { name: 'server' })
   *     yield* listening.cancel('done')
   *     return listening.startValue
   *   })
   * )
   * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(8080))
   */
  readonly start: <R, E2 extends E, A, S = void>(
    body: (started: Started<S>) => Effect.Effect<R, E2, A>,
    options?: SpawnOptions
  ) => Effect.Effect<R, E2 | TaskCancelled, StartedTask<S, E2, A>>
  /**
   * Cancels every task, those spawned later too. The body goes on, so the group still has its value. Does not
   * wait for the ends; the group does.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { Effect, Exit, TaskGroup } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * const program = TaskGroup.open()((group) =>
   *   Effect.gen(function* () {
   *     yield* group.spawn(Effect.never)
   *     yield* group.cancelAll('enough')
   *     return 'the value of the body'
   *   })
   * )
   * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('the value of the body'))
   */
  readonly cancelAll: (reason?: unknown) => Effect.Effect<unknown, never, void>
  /** The tasks that have not ended, in the order in which they were started. */
  readonly tasks: Effect.Effect<unknown, never, ReadonlyArray<Task<unknown, unknown>>>
}

/**
 * A group that can be cancelled as a whole, its body too.
 *
 * @category model
 * @since 0.1.0
 */
export interface CancellableTaskGroup<in E> extends TaskGroup<E> {
  readonly scope: CancelScope
  /** The same as `scope.cancel`. */
  readonly cancel: (reason?: unknown) => Effect.Effect<unknown, never, void>
}

/**
 * Says that a task is ready. A second call is a defect.
 *
 * @category model
 * @since 0.1.0
 */
export type Started<S = void> = (value: S) => Effect.Effect<unknown, never, void>

/**
 * How a task is started.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * let beats = 0
 * const heartbeat = Effect.forever(Effect.andThen(Effect.sync(() => { beats++ }))(Effect.sleep(10)))
 *
 * // The heartbeat ends with the work, which it would keep open for ever if it were no service.
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     yield* group.spawn(heartbeat, { name: 'heartbeat', service: true })
 *     yield* Effect.sleep(35)
 *     return 'done'
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('done'))
 * assert.equal(beats, 3)
 *
 * @category model
 * @since 0.1.0
 */
export interface SpawnOptions {
  /** The name in causes, reasons and the task tree; that of `Effect.fn` when absent. */
  readonly name?: string
  /** A service: cancelled when the body and all other tasks have ended, so that it does not keep the group open. */
  readonly service?: boolean
}

/**
 * How a group is opened.
 *
 * @category model
 * @since 0.1.0
 */
export interface TaskGroupOptions {
  readonly name?: string
  /** Ms that clean-up may take once the group is effectively cancelled. */
  readonly grace?: number
}

/**
 * The defect of a group in which an owned task failed and nobody looked at it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Cause, Effect, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const exit = TestRuntime.runExit(
 *   TaskGroup.open()((group) => group.spawnOwned(Effect.fail('no'), { name: 'mirror' }))
 * )
 * assert.ok(exit._tag === 'Left')
 * const defect = { _tag: 'UnjoinedFailure', task: 'mirror', cause: Cause.fail('no') }
 * assert.deepEqual(Cause.defects(exit.left), [defect])
 *
 * @category model
 * @since 0.1.0
 */
export interface UnjoinedFailure {
  readonly _tag: 'UnjoinedFailure'
  readonly task: string
  readonly cause: Cause.Cause<unknown>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * For a task written for `start` that is run directly.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime, TaskGroup } from 'millrace'
 *
 * const job = (started: TaskGroup.Started) => Effect.as('done')(started(undefined))
 * assert.equal(Runtime.runSync(job(TaskGroup.ignoreStarted)), 'done')
 *
 * @category constructors
 * @since 0.1.0
 */
export const ignoreStarted: Started<unknown> = () => Effect.unit

/** A task that is being started: whether it is ready. */
interface Starting<S> {
  readiness: 'waiting' | 'ready' | 'ended' | 'abandoned'
  value: S | undefined
}

const start = <R, E, A, S>(
  nursery: LowLevel.Nursery,
  body: (started: Started<S>) => Effect.Effect<R, E, A>,
  options: SpawnOptions | undefined
): Effect.Effect<R, E | TaskCancelled, StartedTask<S, E, A>> =>
  Effect.suspend(() => {
    const state: Starting<S> = { readiness: 'waiting', value: undefined }
    let fiber: LowLevel.Fiber<E, A> | undefined

    const caller = ParkingLot.make<undefined, never, void>('TaskGroup.start', {
      onWithdraw: () => {
        // Before anything else runs: now it is too late to be ready.
        state.readiness = 'abandoned'
      }
    })

    const tellCaller = (readiness: 'ready' | 'ended'): void => {
      state.readiness = readiness
      caller.unparkAllUnsafe({ _tag: 'Right', right: undefined })
    }

    const started: Started<S> = (value) =>
      Effect.suspend(() => {
        if (state.readiness === 'ready') {
          return Effect.die(
            new TypeError('A task said twice that it has started; only the first call of `started` counts.')
          )
        }
        if (state.readiness === 'waiting') {
          state.value = value
          if (fiber !== undefined) LowLevel.supervise(fiber)
          tellCaller('ready')
        }
        return Effect.unit
      })

    // Built by the caller, as what `spawn` is given is.
    const work = body(started)
    const task = Effect.onExit((_exit: Exit<E, A>) =>
      Effect.sync(() => {
        if (state.readiness === 'waiting') tellCaller('ended')
      })
    )(work)

    const waitUntilReady = Effect.suspend(() =>
      state.readiness === 'waiting' ? ParkingLot.park(caller, undefined) : Effect.unit
    )

    /** A grace has ended, and the caller does not wait any longer: what the task fails with is the group's after all. */
    const handOver =
      (child: LowLevel.Fiber<E, A>) =>
      (waited: Exit<never, Exit<E, A>>): Effect.Effect<unknown, never, void> =>
        Effect.sync(() => {
          if (waited._tag === 'Left') LowLevel.supervise(child)
        })

    /** The caller was cancelled: so is the task, because of that, and what it fails with belongs to the caller. */
    const abandon = (
      child: LowLevel.Fiber<E, A>,
      why: Cause.Cause<never>
    ): Effect.Effect<unknown, E, void> => {
      state.readiness = 'abandoned'
      const cancel = LowLevel.cancelFiber(child, Cause.cancellations(why)[0])
      const end = Effect.onExit(handOver(child))(LowLevel.awaitExit(child))
      return Effect.flatMap((exit: Exit<E, A>): Effect.Effect<unknown, E, void> => {
        const left = exit._tag === 'Left' ? Cause.withoutCancelled(exit.left) : null
        return left === null ? Effect.unit : Effect.failCause(left)
      })(Effect.andThen(end)(cancel))
    }

    /** A finalizer of the wait: by now nobody but the caller hears of a failure of the task. */
    const settle =
      (child: LowLevel.Fiber<E, A>) =>
      (exit: Exit<never, void>): Effect.Effect<unknown, E | TaskCancelled, void> => {
        if (exit._tag === 'Left') return abandon(child, exit.left)
        if (state.readiness === 'ready') return Effect.unit
        return Effect.flatMap(() =>
          Effect.die(
            new TypeError(
              `The task "${LowLevel.fiberName(child)}" ended without having started. A task for \`start\` must call its ` +
                'parameter when it is ready; use `spawn` for one that is never ready.'
            )
          )
        )(LowLevel.join(child))
      }

    const name = options?.name ?? LowLevel.effectName(work)
    const forkOptions: LowLevel.ForkOptions = {
      ...options,
      ...(name === undefined ? {} : { name }),
      supervision: 'held'
    }
    return Effect.flatMap((child: LowLevel.Fiber<E, A>) => {
      fiber = child
      return Effect.map(() => startedTask(child, state.value as S))(
        Effect.onExit(settle(child))(waitUntilReady)
      )
    })(LowLevel.fork(nursery, task, forkOptions))
  })

type Spawn = <R, E, A>(
  fx: Effect.Effect<R, E, A>,
  options?: SpawnOptions
) => Effect.Effect<R, never, Task<E, A>>

const spawnAs = (nursery: LowLevel.Nursery, supervision: LowLevel.Supervision): Spawn => {
  const plain = LowLevel.forkAs(nursery, fromFiber, { supervision })
  const spawn = <R>(fx: Effect.Effect<R, unknown, unknown>, options?: SpawnOptions) =>
    options === undefined ? plain(fx) : LowLevel.forkAs(nursery, fromFiber, { ...options, supervision })(fx)
  // The handle is of the fiber that runs `fx`, so its types are those of `fx`.
  return spawn as Spawn
}

const group = <E>(nursery: LowLevel.Nursery): TaskGroup<E> => ({
  name: LowLevel.nurseryName(nursery),
  spawn: spawnAs(nursery, 'supervised'),
  spawnOwned: spawnAs(nursery, 'owned'),
  start: (body, options) => start(nursery, body, options),
  cancelAll: (reason) => LowLevel.cancelScope(LowLevel.childrenScope(nursery), reason),
  tasks: Effect.sync(() => LowLevel.childrenOf(nursery).map((fiber) => fromFiber(fiber)))
})

/**
 * Opens a group around a body and gives the body's value. Without `E` only tasks that cannot fail can be spawned.
 *
 * **Errors.** All failures of the body and of supervised tasks, joined; one failure leaves as it is.
 * **Cancellation.** From outside it reaches body and tasks; the group ends as cancelled when all have ended.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const one = yield* group.spawn(Effect.as(1)(Effect.sleep(10)))
 *     const two = yield* group.spawn(Effect.as(2)(Effect.sleep(20)))
 *     return [yield* one.join, yield* two.join]
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 2]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const open =
  <E = never>(options: TaskGroupOptions = {}) =>
  <R, E2, A>(body: (group: TaskGroup<E>) => Effect.Effect<R, E2, A>): Effect.Effect<R, E | E2, A> =>
    LowLevel.openNursery(options, (nursery) => body(group(nursery)))

/**
 * As {@link open}, with the group's own scope in hand: `None` if it was cancelled before the body had a
 * value. Use it to end the whole from one of its tasks; to end the tasks and keep the value, `cancelAll` is
 * enough.
 *
 * **Errors.** As of {@link open}; what the clean-up fails with is not absorbed.
 * **Cancellation.** From outside it passes through, and is no `None`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.openCancellable({ name: 'server' })((group) =>
 *   Effect.gen(function* () {
 *     yield* group.spawn(pipe(Effect.sleep(10), Effect.andThen(group.cancel('asked to stop'))))
 *     return yield* Effect.never
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 *
 * @category constructors
 * @since 0.1.0
 */
export const openCancellable =
  <E = never>(options: TaskGroupOptions = {}) =>
  <R, E2, A>(
    body: (group: CancellableTaskGroup<E>) => Effect.Effect<R, E2, A>
  ): Effect.Effect<R, E | E2, Option<A>> =>
    LowLevel.openCancellableNursery(options, (nursery) => {
      const scope = fromNode(LowLevel.nurseryName(nursery), LowLevel.nurseryScope(nursery))
      return body({ ...group<E>(nursery), scope, cancel: scope.cancel })
    })
