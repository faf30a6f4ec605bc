/**
 * `TestRuntime` drives an effect to its end synchronously: virtual time, and a seed that decides which ready fiber runs
 * next. The same seed gives the same run. A program that waits for something that can never come is not a hanging test but
 * a defect that says who waits for what.
 *
 * `explore` looks for the order of tasks in which a program fails, and `everyCancelPoint` for the moment at which it must not
 * be cancelled. What they find comes with a schedule that makes the same run again.
 *
 * They control what goes through the runtime: which task is next, and time. Promises and callbacks of the host cannot settle
 * inside of a synchronous run: a program that waits for one fails with `ForeignWait`. What a program takes from elsewhere, such
 * as `Math.random` or state that outlives the run, makes it another program in each run, which they report as
 * `NonDeterministic`.
 *
 * @since 0.1.0
 */
import { pretty as prettyCause, toError } from '../Cause.js'
import type { Effect } from '../Effect.js'
import type { Exit } from '../Exit.js'
import { cancelEverywhere } from './internal/cancelPoints.js'
import type {
  CancelPointOptions,
  Exploration,
  ExploreOptions,
  Schedule,
  TestOptions
} from './internal/model.js'
import { type Policy, firstComeFirstServed, uniform } from './internal/policies.js'
import { randomFrom } from './internal/random.js'
import { checkSchedule, parseSchedule, scheduleText } from './internal/scheduleText.js'
import { follow, search } from './internal/search.js'
import { Timeline } from './internal/timeline.js'

export type {
  CancelledRun,
  CancelPointOptions,
  Deadlock,
  Exploration,
  ExploreOptions,
  Failed,
  ForeignWait,
  Leak,
  Livelock,
  NonDeterministic,
  Passed,
  Schedule,
  TestOptions,
  UnexpectedExit
} from './internal/model.js'

// -------------------------------------------------------------------------------------
// runs
// -------------------------------------------------------------------------------------

const empty: Schedule = { _tag: 'Schedule', choices: [] }

const followed = (options: TestOptions): { readonly schedule: Schedule; readonly then: Policy } => {
  const { schedule, seed } = options
  if (schedule === undefined) return { schedule: empty, then: uniform(randomFrom(seed ?? 0)) }
  checkSchedule(schedule)
  return { schedule, then: seed === undefined ? firstComeFirstServed : uniform(randomFrom(seed)) }
}

/**
 * Runs the effect to its end and returns its exit. A deadlock, a wait for something outside and a livelock are defects;
 * then the run is cancelled, its finalizers are driven, and later callbacks are ignored. What a run leaves behind is the
 * defect `Leak`.
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
  const { schedule, then } = followed(options)
  return follow(fx, schedule, options, then).exit
}

/**
 * Runs the effect as `runExit` does and tells what happened, a line a turn: the virtual time since the start, the name of the
 * task, what it did and what it waits on then, and which of the ready tasks it was where there was a choice. A long run is
 * shown by its beginning and its end.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = TaskGroup.open()((group) => group.spawn(Effect.sleep(5), { name: 'nap' }))
 * assert.equal(
 *   TestRuntime.timeline(program),
 *   [
 *     '0 ms  main  starts; spawns nap; waits on TaskGroup',
 *     '0 ms  nap   starts; waits on sleep',
 *     '5 ms        wakes nap',
 *     '5 ms  nap   ends; wakes main',
 *     '5 ms  main  ends'
 *   ].join('\n')
 * )
 *
 * @category runs
 * @since 0.1.0
 */
export const timeline = (fx: Effect<{}, unknown, unknown>, options: TestOptions = {}): string => {
  const { schedule, then } = followed(options)
  const observer = new Timeline()
  follow(fx, schedule, options, then, observer)
  return observer.lines().join('\n')
}

// -------------------------------------------------------------------------------------
// schedules
// -------------------------------------------------------------------------------------

/**
 * The schedule that a text describes, as `showSchedule` and the reports of `explore` write it: `place:choice` for each choice that
 * was not the first of the ready fibers, by rising places, and `cancel:point` at the end for a run that was cancelled from
 * outside. The empty text is first come, first served. Throws a `TypeError` for any other text.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { TestRuntime } from 'millrace/testing'
 *
 * assert.deepEqual(TestRuntime.schedule('1:2 3:1'), { _tag: 'Schedule', choices: [0, 2, 0, 1] })
 * assert.throws(() => TestRuntime.schedule('third'), /is no schedule/)
 *
 * @category schedules
 * @since 0.1.0
 */
export const schedule = (text: string): Schedule => parseSchedule(text)

/**
 * A schedule as text, which `schedule` reads again.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { TestRuntime } from 'millrace/testing'
 *
 * assert.equal(TestRuntime.showSchedule({ _tag: 'Schedule', choices: [0, 2, 0, 1], cancelAt: 5 }), '1:2 3:1 cancel:5')
 *
 * @category schedules
 * @since 0.1.0
 */
export const showSchedule = (self: Schedule): string => scheduleText(self)

// -------------------------------------------------------------------------------------
// search
// -------------------------------------------------------------------------------------

/**
 * Runs a program under many schedules, to find one under which it fails: each exit that is a `Left` is a failure, so assert
 * inside of the effect, and make its state there too, so that each run begins anew.
 *
 * The search begins with first come, first served, goes on in order (all schedules with one deviation from it, then all with two,
 * …) and then at random: uniform choices, few deviations, and random priorities, which find what needs a task to be slow for
 * long. When the schedules come to an end before the runs do, the answer is `complete`. The first failure is shrunk: to few and
 * early deviations. `explore` varies which ready task is next; timers that are due at the same time keep their order.
 *
 * A program that does not do the same under the same schedule is reported as `NonDeterministic`, and one that waits for a promise
 * or a callback as `Failed` with the defect `ForeignWait`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Concurrent, Effect } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.suspend(() => {
 *   let last = ''
 *   const say = (word: string) => Effect.andThen(Effect.sync(() => { last = word }))(Effect.yieldNow)
 *   return Effect.andThen(Effect.sync(() => { assert.equal(last, 'b') }))(Concurrent.all([say('a'), say('b')]))
 * })
 *
 * const found = TestRuntime.explore(program, { runs: 100 })
 * assert.ok(found._tag === 'Failed')
 * assert.equal(found.replay, "TestRuntime.runExit(fx, { schedule: TestRuntime.schedule('0:1') })")
 * assert.equal(TestRuntime.runExit(program, { schedule: found.schedule })._tag, 'Left')
 *
 * @category search
 * @since 0.1.0
 */
export const explore = <E, A>(fx: Effect<{}, E, A>, options: ExploreOptions): Exploration<E> =>
  search(fx, options)

/**
 * Runs a program once without and then once for each point at which somebody outside could cancel it, cancelled there: before
 * each turn (so before the first one, while it waits, and between the moment that a wait was satisfied and the turn of the task
 * that waited), and wherever a task looks whether it is cancelled.
 *
 * A run fails if it is stuck or leaves a task or a timer behind, if it ends in a way in which the program does not end by itself (a
 * cancellation may join, and `allow` lets others pass), or if `check` throws. `check` is where the resources of the
 * program are counted.
 *
 * The run up to each point must be the same as in the run that nobody cancels, or the answer is `NonDeterministic`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * let open = 0
 * const connect = Effect.andThen(Effect.sync(() => { open++ }))(Effect.sleep(1))
 * const close = Effect.sync(() => { open-- })
 * const check = () => { assert.equal(open, 0) }
 *
 * const careful = Effect.bracket(connect, () => Effect.sleep(1), () => close)
 * assert.equal(TestRuntime.everyCancelPoint(careful, { check })._tag, 'Passed')
 *
 * const careless = Effect.andThen(close)(Effect.andThen(Effect.sleep(1))(connect))
 * const found = TestRuntime.everyCancelPoint(careless, { check })
 * assert.ok(found._tag === 'Failed')
 * assert.match(TestRuntime.pretty(found), /cancelled from outside/)
 *
 * @category search
 * @since 0.1.0
 */
export const everyCancelPoint = <E, A>(
  fx: Effect<{}, E, A>,
  options: CancelPointOptions<E, A> = {}
): Exploration<E> => {
  if (options.schedule !== undefined) checkSchedule(options.schedule)
  return cancelEverywhere(fx, options)
}

/**
 * What a search has found, for people: for a failure its cause, what happened, and how to make it happen again.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * assert.equal(TestRuntime.pretty(TestRuntime.explore(Effect.unit, { runs: 10 })), 'passed: 1 run, that is all there are')
 *
 * @category search
 * @since 0.1.0
 */
export const pretty = (self: Exploration<unknown>): string => {
  const runs = `${self.runs} ${self.runs === 1 ? 'run' : 'runs'}`
  switch (self._tag) {
    case 'Passed':
      return `passed: ${runs}, ${self.complete ? 'that is all there are' : `${self.distinct} of them different`}`
    case 'Failed':
      return [
        prettyCause(self.cause),
        '',
        self.trace,
        '',
        `found in ${runs} with seed ${self.seed}; again by`,
        self.replay
      ].join('\n')
    case 'NonDeterministic':
      return [
        'The program does not do the same under the same schedule, so nothing that is found could be trusted. It keeps state',
        'between runs, or asks the host for the time or for random numbers.',
        '',
        self.difference
      ].join('\n')
  }
}

/**
 * Throws an `Error` that says what `pretty` says, unless the search has passed. Its `cause` is the first error of the
 * failure, if that is an `Error`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * TestRuntime.assertPassed(TestRuntime.explore(Effect.unit, { runs: 10 }))
 * assert.throws(() => TestRuntime.assertPassed(TestRuntime.explore(Effect.fail('no'), { runs: 10 })), /Fail: "no"/)
 *
 * @category search
 * @since 0.1.0
 */
export const assertPassed = (self: Exploration<unknown>): void => {
  if (self._tag === 'Passed') return
  const cause = self._tag === 'Failed' ? toError(self.cause).cause : undefined
  throw new Error(pretty(self), cause instanceof Error ? { cause } : {})
}
