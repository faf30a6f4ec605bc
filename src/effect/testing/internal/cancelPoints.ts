/**
 * A program cancelled at each point at which somebody could cancel it.
 *
 * @internal
 */
import type { Cause } from '../../Cause.js'
import type { Effect } from '../../Effect.js'
import type { Exit } from '../../Exit.js'
import { checkCount, defaults, drive, type Driven } from './driver.js'
import { endsAsItShould, isStuckOrLeaks, kindOf } from './failures.js'
import type { CancelPointOptions, Exploration, UnexpectedExit } from './model.js'
import { firstComeFirstServed, following, uniform } from './policies.js'
import { randomFrom } from './random.js'
import { follow, nonDeterministic, partings, reportOf, type RunSettings, scheduleOf } from './search.js'

const defaultRuns = 2_000

/** What is wrong with a cancelled run, or null. */
const faultOf = <E, A>(
  point: number,
  uncancelled: Exit<E, A>,
  exit: Exit<E, A>,
  { check, allow }: CancelPointOptions<E, A>
): Cause<E> | null => {
  if (exit._tag === 'Left' && isStuckOrLeaks(exit)) return exit.left
  try {
    if (!endsAsItShould(uncancelled, exit) && allow?.(exit) !== true) {
      if (exit._tag === 'Left') return exit.left
      const defect: UnexpectedExit = { _tag: 'UnexpectedExit', uncancelled, exit }
      return { _tag: 'Die', defect }
    }
    check?.({ point, exit })
    return null
  } catch (defect) {
    return { _tag: 'Die', defect }
  }
}

export const cancelEverywhere = <E, A>(
  fx: Effect<{}, E, A>,
  options: CancelPointOptions<E, A>
): Exploration<E> => {
  checkCount('runs', options.runs, 0)
  const seed = options.seed ?? 0
  const settings: RunSettings = options
  const policy = () =>
    following(
      options.schedule?.choices ?? [],
      options.seed === undefined ? firstComeFirstServed : uniform(randomFrom(options.seed))
    )
  const ways = new Set<number>()
  let runs = 0
  const made = (at: number, onPoint: (point: number, way: number) => void): Driven<E, A> => {
    runs++
    const ran = drive(fx, {
      ...defaults(settings),
      policy: policy(),
      points: { at, onPoint },
      observer: null
    })
    ways.add(ran.way)
    return ran
  }

  /** What the way was at each point of the run that nobody cancels. */
  const recorded: Array<number> = []
  const uncancelled = made(Infinity, (_point, way) => recorded.push(way))
  const { exit } = uncancelled
  if (exit._tag === 'Left' && isStuckOrLeaks(exit)) {
    const schedule = scheduleOf(uncancelled.choices)
    return reportOf(fx, { schedule, runs, seed }, settings, exit.left)
  }

  const points = recorded.length
  const second = follow(fx, scheduleOf(uncancelled.choices, points), settings)
  if (second.way !== uncancelled.way || second.points !== points) {
    const same = scheduleOf(uncancelled.choices)
    return nonDeterministic(
      runs,
      seed,
      same,
      partings(fx, same, settings, [`${points} points`, `${second.points}`])
    )
  }
  const bound = Math.min(points, options.runs ?? defaultRuns)
  for (let i = 0; i < bound; i++) {
    const point = Math.floor((i * points) / bound)
    let reached = -1
    const ran = made(point, (at, way) => {
      if (way === recorded[at]) reached = at
    })
    const schedule = scheduleOf(ran.choices, point)
    if (reached !== point) {
      const same = scheduleOf(uncancelled.choices)
      const kinds = [`${points} points`, `another way to point ${point}`] as const
      return nonDeterministic(runs, seed, same, partings(fx, same, settings, kinds))
    }
    const fault = faultOf(point, exit, ran.exit, options)
    if (fault === null) continue
    const again = follow(fx, schedule, settings)
    return again.way === ran.way && kindOf(again.exit) === kindOf(ran.exit)
      ? reportOf(fx, { schedule, runs, seed }, settings, fault)
      : nonDeterministic(
          runs,
          seed,
          schedule,
          partings(fx, schedule, settings, [kindOf(ran.exit), kindOf(again.exit)])
        )
  }
  return { _tag: 'Passed', runs, distinct: ways.size, complete: bound === points }
}
