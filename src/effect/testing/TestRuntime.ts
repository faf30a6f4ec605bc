/**
 * `TestRuntime` drives an effect to its end synchronously: virtual time, and a seed that decides which ready fiber runs
 * next. The same seed gives the same run. A program that waits for something that can never come is not a hanging test but
 * a defect that says who waits for what.
 *
 * @since 0.1.0
 */
import type { Effect } from '../Effect.js'
import type { Exit } from '../Exit.js'
import { abandonRun } from '../internal/abandon.js'
import { Done, emptyEnvironment, Fiber } from '../internal/fiber.js'
import type { Op, Untyped } from '../internal/op.js'
import { Run } from '../internal/run.js'
import { describeRun, fibersOf, waitsOn } from '../internal/tree.js'
import * as SeededScheduler from './SeededScheduler.js'
import * as VirtualClock from './VirtualClock.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The choices that a run made, replayable and printable: which of the ready fibers was next, wherever there
 * was more than one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Schedule {
  readonly _tag: 'Schedule'
  readonly choices: ReadonlyArray<number>
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
  /** Decides which ready fiber runs next; 0 when absent. */
  readonly seed?: number
  /** Choices to follow before the seed decides. */
  readonly schedule?: Schedule
  /** Name of the main task; `main` when absent. */
  readonly name?: string
  /** Turns in which no virtual time passes and no fiber ends, before the run is a `Livelock`; 1,000,000 when absent. */
  readonly maxTurns?: number
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

// -------------------------------------------------------------------------------------
// runs
// -------------------------------------------------------------------------------------

const stuck = (run: Run): Deadlock | ForeignWait => {
  const tree = describeRun(run)
  const foreign = fibersOf(run).filter((fiber) => waitsOn(fiber) !== null && fiber.wait?.foreign === true)
  return foreign.length === 0
    ? { _tag: 'Deadlock', tree }
    : { _tag: 'ForeignWait', names: foreign.map((fiber) => fiber.name), tree }
}

/**
 * Runs the effect to its end and returns its exit. A deadlock, a wait for something outside and a livelock are defects;
 * then the run is cancelled, its finalizers are driven, and later callbacks are ignored.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const nap = Effect.gen(function* () {
 *   const before = yield* Effect.currentTime
 *   yield* Effect.sleep(3_600_000)
 *   return (yield* Effect.currentTime) - before
 * })
 *
 * assert.deepEqual(TestRuntime.runExit(nap), Exit.succeed(3_600_000))
 *
 * @category runs
 * @since 0.1.0
 */
export const runExit = <E, A>(fx: Effect<{}, E, A>, options: TestOptions = {}): Exit<E, A> => {
  const clock = VirtualClock.make()
  const scheduler = SeededScheduler.make(options.seed ?? 0, options.schedule?.choices)
  const maxTurns = options.maxTurns ?? 1_000_000
  const name = options.name ?? 'main'
  let turns = 0
  /** A turn that used all its steps is as long as that many short ones. */
  const spent = (): number => turns + scheduler.exhaustions() * scheduler.maxSteps
  let restAt = 0
  const run = new Run(
    clock,
    scheduler,
    [
      {
        onExit: () => {
          restAt = spent()
        }
      }
    ],
    name,
    false
  )
  const main = new Fiber(run, run.root, null, fx as Untyped as Op, emptyEnvironment, null, name, 0)
  scheduler.schedule(main)

  /** Until the main fiber has ended, or something is wrong. */
  const drive = (): Deadlock | ForeignWait | Livelock | null => {
    restAt = spent()
    while (main.status !== Done) {
      if (scheduler.advance()) {
        turns++
        if (spent() - restAt > maxTurns) {
          return { _tag: 'Livelock', turns: spent() - restAt, tree: describeRun(run) }
        }
      } else if (clock.advance()) restAt = spent()
      else return stuck(run)
    }
    return null
  }

  const defect = drive()
  if (defect === null) {
    run.close()
    return main.exit()
  }
  const left = abandonRun(main, defect, `the test run is over: ${defect._tag}`, drive)
  run.close()
  return { _tag: 'Left', left }
}
