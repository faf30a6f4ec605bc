/**
 * What test runs are described and reported with; `TestRuntime` shows it to users.
 *
 * @since 0.1.0
 */
import type { Cause } from '../../Cause.js'
import type { Exit } from '../../Exit.js'

/**
 * Which run it was: the choices that it made, and where it was cancelled. `showSchedule` prints one, `schedule` reads it
 * again, and `runExit` follows it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Schedule {
  readonly _tag: 'Schedule'
  /**
   * Which of the ready fibers was next, wherever there was more than one: 0 is the one that became ready first. What comes after
   * the last choice is first come, first served, or up to the seed if there is one.
   */
  readonly choices: ReadonlyArray<number>
  /** The point at which the run was cancelled from outside, as `everyCancelPoint` counts them. */
  readonly cancelAt?: number
}

/**
 * How a test run is made.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Concurrent, Effect } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Two tasks that do not wait for each other come in either order, and each seed gives always the same one.
 * const orderOf = (seed: number): string => {
 *   const order: Array<string> = []
 *   const task = (name: string) => Effect.andThen(Effect.sync(() => { order.push(name) }))(Effect.yieldNow)
 *   TestRuntime.runExit(Concurrent.all([task('a'), task('b')]), { seed })
 *   return order.join('')
 * }
 * const orders = new Set(Array.from({ length: 20 }, (_, seed) => orderOf(seed)))
 * assert.deepEqual([...orders].sort(), ['ab', 'ba'])
 * assert.equal(orderOf(7), orderOf(7))
 *
 * @category model
 * @since 0.1.0
 */
export interface TestOptions {
  /** Decides which ready fiber runs next; 0 when neither this nor a schedule is given. */
  readonly seed?: number
  /** Choices to follow before the seed decides; without a seed, first come, first served. */
  readonly schedule?: Schedule
  /** Name of the main task; `main` when absent. */
  readonly name?: string
  /** Turns in which no virtual time passes and no fiber ends, before the run is a `Livelock`; 1,000,000 when absent. */
  readonly maxTurns?: number
  /**
   * Steps that a fiber takes before it yields to the others; as many as on the host when absent. With 1 the others may come
   * in after each step, as they may on the host once in some hundred steps.
   */
  readonly maxSteps?: number
}

/**
 * The defect of a run in which nothing is ready, no timer is set, and all waits are ours: nothing can end
 * them any more.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) => group.spawn(Effect.never, { name: 'server' }))
 * const tree = [
 *   'main running, waits on TaskGroup since 0 ms',
 *   '└─ group "group"',
 *   '   └─ server running, waits on never since 0 ms'
 * ].join('\n')
 * assert.deepEqual(TestRuntime.runExit(program), Exit.die({ _tag: 'Deadlock', tree }))
 *
 * @category model
 * @since 0.1.0
 */
export interface Deadlock {
  readonly _tag: 'Deadlock'
  /** What is alive and what it waits on, a line each. */
  readonly tree: string
}

/**
 * The defect of a run that waits for a promise or a callback, which can never settle in a synchronous run.
 * Give the program a service that answers at once, or test it with `Runtime.runPromise`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Cause, Promises } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const exit = TestRuntime.runExit(Promises.fromPromise(() => Promise.resolve(1)))
 * assert.ok(exit._tag === 'Left')
 * const [defect] = Cause.defects(exit.left)
 * assert.deepEqual(defect, { _tag: 'ForeignWait', names: ['main'], tree: 'main running, waits on fromPromise since 0 ms' })
 *
 * @category model
 * @since 0.1.0
 */
export interface ForeignWait {
  readonly _tag: 'ForeignWait'
  /** The tasks that wait for something outside. */
  readonly names: ReadonlyArray<string>
  readonly tree: string
}

/**
 * The defect of a run that goes on and on without time passing or a fiber ending, such as a loop that polls.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Cause, Effect } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const exit = TestRuntime.runExit(Effect.forever(Effect.yieldNow), { maxTurns: 100 })
 * assert.ok(exit._tag === 'Left')
 * assert.match(Cause.pretty(exit.left), /Livelock/)
 *
 * @category model
 * @since 0.1.0
 */
export interface Livelock {
  readonly _tag: 'Livelock'
  readonly turns: number
  readonly tree: string
}

/**
 * The defect of a run that has ended and left something behind. Timers of the host are seen where the host can list them, as
 * Node does.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const timers: Array<ReturnType<typeof setTimeout>> = []
 * const program = Effect.sync(() => { timers.push(setTimeout(() => {}, 60_000)) })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.die({ _tag: 'Leak', tasks: [], timers: 1 }))
 * timers.forEach(clearTimeout)
 *
 * @category model
 * @since 0.1.0
 */
export interface Leak {
  readonly _tag: 'Leak'
  /** Names of the tasks that have not ended. */
  readonly tasks: ReadonlyArray<string>
  /** How many timers are still set. */
  readonly timers: number
}

/**
 * The defect of a run that was cancelled and ended in a way in which it neither ends uncancelled, nor was it just cancelled.
 *
 * @category model
 * @since 0.1.0
 */
export interface UnexpectedExit {
  readonly _tag: 'UnexpectedExit'
  /** How the run ends when nobody cancels it. */
  readonly uncancelled: Exit<unknown, unknown>
  readonly exit: Exit<unknown, unknown>
}

/**
 * Every run was as it should be.
 *
 * @category model
 * @since 0.1.0
 */
export interface Passed {
  readonly _tag: 'Passed'
  readonly runs: number
  /** Interleavings that really differed. */
  readonly distinct: number
  /** Whether these were all there are. */
  readonly complete: boolean
}

/**
 * The first run that was not, shrunk.
 *
 * @category model
 * @since 0.1.0
 */
export interface Failed<out E> {
  readonly _tag: 'Failed'
  /** Runs until it was found. */
  readonly runs: number
  /** The seed of the search: with it and the same options the search finds the same again. */
  readonly seed: number
  /** The run that failed, as little away from first come, first served as could be found. */
  readonly schedule: Schedule
  readonly cause: Cause<E>
  /** One line a step: when, who, what it did and what it waits on. */
  readonly trace: string
  /** The call that makes this run again, to be pasted where the effect is called `fx`. */
  readonly replay: string
}

/**
 * The program did not do the same under the same schedule, so that nothing found in it could be trusted: it keeps state
 * between runs, or asks the host for the time or for random numbers. Make the state inside the effect, as
 * `Effect.suspend` does, and take time from `Effect.currentTime`.
 *
 * @category model
 * @since 0.1.0
 */
export interface NonDeterministic {
  readonly _tag: 'NonDeterministic'
  readonly runs: number
  readonly seed: number
  readonly schedule: Schedule
  /** Where two runs with this schedule parted. */
  readonly difference: string
}

/**
 * What a search has found.
 *
 * @category model
 * @since 0.1.0
 */
export type Exploration<E> = Passed | Failed<E> | NonDeterministic

/**
 * How far `explore` looks.
 *
 * @category model
 * @since 0.1.0
 */
export interface ExploreOptions {
  /** At most so many runs. */
  readonly runs: number
  /** Of the part of the search that is random; 0 when absent. */
  readonly seed?: number
  /**
   * So many of the runs, at most, go through the schedules in order: first those with one deviation from first come, first
   * served, then those with two, and so on until there is none left. The rest is random. Half of the runs when absent.
   */
  readonly exhaustive?: number
  readonly name?: string
  readonly maxTurns?: number
  readonly maxSteps?: number
}

/**
 * One run that was cancelled at one point.
 *
 * @category model
 * @since 0.1.0
 */
export interface CancelledRun<E, A> {
  readonly point: number
  readonly exit: Exit<E, A>
}

/**
 * How `everyCancelPoint` runs a program and what it asks of it.
 *
 * @category model
 * @since 0.1.0
 */
export interface CancelPointOptions<E, A> {
  /** Decides which ready fiber runs next; first come, first served when absent. */
  readonly seed?: number
  /** The choices of the run that is cancelled, before the seed decides. */
  readonly schedule?: Schedule
  /** Called after each cancelled run; what it throws is the failure of that run. */
  readonly check?: (run: CancelledRun<E, A>) => void
  /** Other exits of a cancelled run that are right. */
  readonly allow?: (exit: Exit<E, A>) => boolean
  /** At most so many runs are cancelled, spread over the points if there are more; 2,000 when absent. */
  readonly runs?: number
  readonly name?: string
  readonly maxTurns?: number
  readonly maxSteps?: number
}
