/**
 * One run in virtual time, driven to its end synchronously.
 *
 * @internal
 */
import type { Cause } from '../../Cause.js'
import type { Effect } from '../../Effect.js'
import type { Exit } from '../../Exit.js'
import { abandonRun } from '../../internal/abandon.js'
import { joinThen } from '../../internal/causes.js'
import { Done, emptyEnvironment, Fiber } from '../../internal/fiber.js'
import type { Op, Untyped } from '../../internal/op.js'
import { Run } from '../../internal/run.js'
import { cancellation } from '../../internal/scopeTree.js'
import { describeRun, fibersOf, waitsOn } from '../../internal/tree.js'
import type { Instrument } from '../../Instrument.js'
import { host, type Turn } from '../../Scheduler.js'
import * as VirtualClock from '../VirtualClock.js'
import type { Deadlock, ForeignWait, Leak, Livelock } from './model.js'
import type { Policy } from './policies.js'
import { ProbedFiber } from './probe.js'
import { ReadyQueue } from './readyQueue.js'

/** Somebody who is told of everything. */
export interface Observer extends Instrument {
  /** The run begins; the function tells the virtual ms since then. */
  readonly onBegin: (elapsed: () => number) => void
  /** The next turn is that of this fiber, chosen out of so many. */
  readonly onTurn: (fiber: Fiber, choice: number, width: number, place: number) => void
  readonly onTurnEnd: (fiber: Fiber) => void
  /** The fiber became ready. */
  readonly onReady: (fiber: Fiber) => void
  readonly onCancelPoint: (point: number, fiber: Fiber | null) => void
  /** The run cannot go on. */
  readonly onStuck: (why: string) => void
}

/** Where a run may be cancelled from outside. */
export interface CancelPoints {
  /** The point to cancel at; a run that comes to none is not cancelled. */
  readonly at: number
  /** Called at each point up to that one, with what is known of the way there. */
  readonly onPoint: (point: number, way: number) => void
}

export interface DriveOptions {
  readonly policy: Policy
  readonly name: string
  readonly maxTurns: number
  readonly maxSteps: number
  readonly points: CancelPoints | null
  readonly observer: Observer | null
}

export interface Driven<E, A> {
  readonly exit: Exit<E, A>
  readonly choices: ReadonlyArray<number>
  /** How many there were to choose from. */
  readonly widths: ReadonlyArray<number>
  /** The same for runs that did the same in the same order. */
  readonly way: number
  readonly turns: number
  /** Points at which it could have been cancelled. */
  readonly points: number
}

/** Two sums of 26 bits in one number, so that two of a hundred thousand ways are taken for one hardly ever. */
export class Way {
  private a = 0x811c9dc5
  private b = 0x1b873593

  add(step: number): void {
    this.a = Math.imul(this.a ^ step, 0x01000193)
    this.b = Math.imul(this.b ^ (step + 0x9e37), 0x85ebca6b) ^ (this.b >>> 13)
  }

  get sum(): number {
    return (this.a >>> 6) * 2 ** 26 + (this.b >>> 6)
  }
}

/** Timers of the host that keep it alive. */
const hostTimers = (): number => {
  const { process } = globalThis as { readonly process?: { getActiveResourcesInfo?: () => Array<string> } }
  let count = 0
  for (const name of process?.getActiveResourcesInfo?.() ?? []) if (name === 'Timeout') count++
  return count
}

const stuck = (run: Run): Deadlock | ForeignWait => {
  const tree = describeRun(run)
  const foreign = fibersOf(run).filter((fiber) => waitsOn(fiber) !== null && fiber.wait?.foreign === true)
  return foreign.length === 0
    ? { _tag: 'Deadlock', tree }
    : { _tag: 'ForeignWait', names: foreign.map((fiber) => fiber.name), tree }
}

export const drive = <E, A>(fx: Effect<{}, E, A>, options: DriveOptions): Driven<E, A> => {
  const { policy, name, maxTurns, maxSteps, points, observer } = options
  const timersBefore = hostTimers()
  const clock = VirtualClock.make()
  const start = clock.now()
  const ready = new ReadyQueue()
  const choices: Array<number> = []
  const widths: Array<number> = []
  const way = new Way()
  let turns = 0
  let exhaustions = 0
  /** A turn that used all its steps is as long as that many short ones. */
  const spent = (): number => turns + exhaustions * maxSteps
  let restAt = 0
  const onExit = (): void => {
    restAt = spent()
  }
  const schedule = (turn: Turn): void => {
    ready.push(turn)
    if (observer !== null) observer.onReady(turn as Fiber)
  }
  const exhausted = (turn: Turn): void => {
    exhaustions++
    ready.push(turn)
  }
  const run = new Run(
    clock,
    { schedule, exhausted, maxSteps },
    observer === null ? [{ onExit }] : [{ onExit }, observer],
    name,
    false
  )

  let point = 0
  let over = false
  const atPoint = (fiber: Fiber | null): void => {
    if (points === null || over || point > points.at) return
    points.onPoint(point, way.sum)
    if (point === points.at) {
      if (observer !== null) observer.onCancelPoint(point, fiber)
      // Counted before: cancelling makes fibers look.
      point++
      way.add(-1)
      run.root.cancel(cancellation({ _tag: 'Explicit', value: `cancel point ${points.at}` }))
    } else point++
  }
  const looks = (fiber: Fiber): void => {
    way.add(-fiber.id)
    atPoint(fiber)
  }
  const effect = fx as Untyped as Op
  const main =
    points === null
      ? new Fiber(run, run.root, null, effect, emptyEnvironment, null, name, 0)
      : new ProbedFiber(looks, run, run.root, null, effect, emptyEnvironment, null, name, 0)
  if (observer !== null) observer.onBegin(() => clock.now() - start)
  ready.push(main)

  const choose = (): number => {
    const choice = policy(ready, choices.length)
    choices.push(choice)
    widths.push(ready.length)
    return choice
  }

  /** Until the main fiber has ended, or something is wrong. */
  const toTheEnd = (): Deadlock | ForeignWait | Livelock | null => {
    restAt = spent()
    while (main.status !== Done) {
      atPoint(null)
      const width = ready.length
      if (width > 0) {
        const choice = width === 1 ? 0 : choose()
        const fiber = ready.take(choice) as Fiber
        way.add(fiber.id)
        if (observer !== null) observer.onTurn(fiber, choice, width, choices.length - 1)
        fiber.run()
        if (observer !== null) observer.onTurnEnd(fiber)
        turns++
        if (spent() - restAt > maxTurns) {
          return { _tag: 'Livelock', turns: spent() - restAt, tree: describeRun(run) }
        }
      } else if (clock.advance()) {
        restAt = spent()
        way.add(clock.now() - start)
      } else return stuck(run)
    }
    return null
  }

  const exitOf = (): Exit<E, A> => {
    const defect = toTheEnd()
    over = true
    if (defect !== null) {
      if (observer !== null) observer.onStuck(defect._tag)
      const left = abandonRun(main, defect, `the test run is over: ${defect._tag}`, toTheEnd)
      return { _tag: 'Left', left }
    }
    const timers = run.pendingTimers() + Math.max(0, hostTimers() - timersBefore)
    const tasks = fibersOf(run).map((fiber) => fiber.name)
    if (timers === 0 && tasks.length === 0) return main.exit()
    const leak: Leak = { _tag: 'Leak', tasks, timers }
    const cause = main.failure() as Cause<E> | null
    const die: Cause<never> = { _tag: 'Die', defect: leak }
    return { _tag: 'Left', left: cause === null ? die : joinThen(cause, die) }
  }

  const exit = exitOf()
  run.close()
  return { exit, choices, widths, way: way.sum, turns, points: point }
}

export const checkCount = (what: string, value: number | undefined, least: number): void => {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return
  throw new TypeError(`${what} must be a whole number, ${least} or more, but is ${String(value)}.`)
}

/** What a run with these options is when nothing is said. */
export const defaults = (options: {
  readonly name?: string
  readonly maxTurns?: number
  readonly maxSteps?: number
}): Pick<DriveOptions, 'name' | 'maxTurns' | 'maxSteps'> => {
  const { name = 'main', maxTurns = 1_000_000, maxSteps = host.maxSteps } = options
  checkCount('maxTurns', maxTurns, 1)
  checkCount('maxSteps', maxSteps, 1)
  return { name, maxTurns, maxSteps }
}
