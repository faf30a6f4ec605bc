/**
 * Looking for a run that fails: systematically first, then at random; and making what was found small.
 *
 * @internal
 */
import type { Cause } from '../../Cause.js'
import type { Effect } from '../../Effect.js'
import { host } from '../../Scheduler.js'
import { checkCount, defaults, drive, type Driven, type DriveOptions } from './driver.js'
import { kindOf } from './failures.js'
import type { Exploration, ExploreOptions, Failed, NonDeterministic, Schedule } from './model.js'
import {
  fewDeviations,
  firstComeFirstServed,
  following,
  type Policy,
  priorities,
  uniform
} from './policies.js'
import { randomFrom } from './random.js'
import { scheduleText, trimmed } from './scheduleText.js'
import { Timeline } from './timeline.js'

export interface RunSettings {
  readonly name?: string
  readonly maxTurns?: number
  readonly maxSteps?: number
}

/** No point of cancellation: the run is not cancelled. */
const nowhere = { onPoint: () => undefined }

/** The run that a schedule describes, first come, first served after its end. */
export const follow = <E, A>(
  fx: Effect<{}, E, A>,
  schedule: Schedule,
  settings: RunSettings,
  then: Policy = firstComeFirstServed,
  observer: DriveOptions['observer'] = null
): Driven<E, A> =>
  drive(fx, {
    ...defaults(settings),
    policy: following(schedule.choices, then),
    points: schedule.cancelAt === undefined ? null : { ...nowhere, at: schedule.cancelAt },
    observer
  })

export const scheduleOf = (choices: ReadonlyArray<number>, cancelAt?: number): Schedule => ({
  _tag: 'Schedule',
  choices: trimmed(choices),
  ...(cancelAt === undefined ? {} : { cancelAt })
})

// ---- reports

const replayText = (schedule: Schedule, settings: RunSettings): string => {
  const { name, maxTurns, maxSteps } = settings
  const options = [
    ...(name === undefined ? [] : [`name: ${JSON.stringify(name)}`]),
    ...(maxTurns === undefined ? [] : [`maxTurns: ${maxTurns}`]),
    ...(maxSteps === undefined || maxSteps === host.maxSteps ? [] : [`maxSteps: ${maxSteps}`]),
    `schedule: TestRuntime.schedule('${scheduleText(schedule)}')`
  ]
  return `TestRuntime.runExit(fx, { ${options.join(', ')} })`
}

const traced = <E, A>(fx: Effect<{}, E, A>, schedule: Schedule, settings: RunSettings) => {
  const timeline = new Timeline()
  const ran = follow(fx, schedule, settings, firstComeFirstServed, timeline)
  return { ran, lines: timeline.lines() }
}

/** Where two runs with the same schedule part. */
export const partings = <E, A>(
  fx: Effect<{}, E, A>,
  schedule: Schedule,
  settings: RunSettings,
  kinds: readonly [string, string]
): string => {
  const one = traced(fx, schedule, settings)
  const other = traced(fx, schedule, settings)
  const length = Math.max(one.lines.length, other.lines.length)
  for (let i = 0; i < length; i++) {
    if (one.lines[i] !== other.lines[i]) {
      return `line ${i + 1} of one run:    ${one.lines[i] ?? '(it had ended)'}\nline ${i + 1} of the other: ${other.lines[i] ?? '(it had ended)'}`
    }
  }
  return `one run ended with ${kinds[0]}, the other with ${kinds[1]}`
}

export interface Found {
  readonly schedule: Schedule
  readonly runs: number
  readonly seed: number
}

/** The report of a failure that has come again under its schedule. */
export const reportOf = <E, A>(
  fx: Effect<{}, E, A>,
  { schedule, runs, seed }: Found,
  settings: RunSettings,
  cause: Cause<E>
): Failed<E> => ({
  _tag: 'Failed',
  runs,
  seed,
  schedule,
  cause,
  trace: traced(fx, schedule, settings).lines.join('\n'),
  replay: replayText(schedule, settings)
})

export const nonDeterministic = (
  runs: number,
  seed: number,
  schedule: Schedule,
  difference: string
): NonDeterministic => ({ _tag: 'NonDeterministic', runs, seed, schedule, difference })

// ---- shrinking

/** Shrinking is worth so many turns, however long a run is. */
const shrinkTurns = 2_000_000
const shrinkRuns = 2_000

interface Deviation {
  readonly place: number
  readonly choice: number
}

const deviationsOf = (choices: ReadonlyArray<number>): ReadonlyArray<Deviation> =>
  [...choices.entries()].filter(([, choice]) => choice !== 0).map(([place, choice]) => ({ place, choice }))

const choicesOf = (deviations: ReadonlyArray<Deviation>): ReadonlyArray<number> => {
  const choices: Array<number> = []
  for (const { place, choice } of deviations) {
    while (choices.length < place) choices.push(0)
    choices[place] = choice
  }
  return choices
}

/**
 * Fewer deviations from first come, first served, then earlier ones, then lower choices, as long as the run fails in the same
 * way. Each try is one run.
 */
const shrink = <E, A>(fx: Effect<{}, E, A>, failing: Driven<E, A>, settings: RunSettings): Driven<E, A> => {
  const kind = kindOf(failing.exit)
  let best = failing
  let deviations = deviationsOf(failing.choices)
  let turns = shrinkTurns
  let runs = shrinkRuns

  const fails = (candidate: ReadonlyArray<Deviation>): boolean => {
    if (runs-- <= 0 || turns <= 0) return false
    const ran = follow(fx, scheduleOf(choicesOf(candidate)), settings)
    turns -= ran.turns
    if (kindOf(ran.exit) !== kind) return false
    best = ran
    // As the run made them: a choice that was too high was taken for the last, one behind the end for none.
    deviations = deviationsOf(ran.choices)
    return true
  }

  /** Leaves out parts, from halves down to single ones. */
  const fewer = (): boolean => {
    let some = false
    if (deviations.length > 0 && fails([])) return true
    for (let size = deviations.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at < deviations.length;) {
        const before = deviations.length
        const tried = [...deviations.slice(0, at), ...deviations.slice(at + size)]
        if (fails(tried) && deviations.length < before) some = true
        else at += size
      }
    }
    return some
  }

  /** Moves one to the earliest place at which it still fails, and takes the lowest choice there. */
  const earlier = (): boolean => {
    for (let i = 0; i < deviations.length; i++) {
      const { place, choice } = deviations[i] as Deviation
      const from = i === 0 ? 0 : (deviations[i - 1] as Deviation).place + 1
      const before = deviations.slice(0, i)
      const after = deviations.slice(i + 1)
      const places = place - from > 32 ? halves(from, place) : range(from, place)
      for (const earlier of places)
        if (fails([...before, { place: earlier, choice: 1 }, ...after])) return true
      for (let lower = 1; lower < choice && lower < 32; lower++) {
        if (fails([...before, { place, choice: lower }, ...after])) return true
      }
    }
    return false
  }

  while (runs > 0 && turns > 0 && (fewer() || earlier()));
  return best
}

const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, i) => from + i)

/** The first, then nearer and nearer to `to`. */
const halves = (from: number, to: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let at = from; at < to; at += Math.max(1, (to - at) >> 1)) found.push(at)
  return found
}

// ---- searching

/** A schedule that another one with one deviation less leads to. */
interface Step {
  readonly before: Step | null
  readonly place: number
  readonly choice: number
  /** How many there were to choose from. */
  readonly width: number
}

const choicesOfStep = (step: Step | null): ReadonlyArray<number> => {
  const deviations: Array<Deviation> = []
  for (let each = step; each !== null; each = each.before) deviations.push(each)
  return choicesOf(deviations.reverse())
}

/** Each kind of search gets its turn. */
const policyOf = (index: number, seed: number, length: number): Policy => {
  const random = randomFrom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b))
  const depth = (index / 3) | 0
  switch (index % 3) {
    case 0:
      return uniform(random)
    case 1:
      return priorities(random, depth % 4, length)
    default:
      return fewDeviations(random, 1 + (depth % 4), length)
  }
}

export const search = <E, A>(fx: Effect<{}, E, A>, options: ExploreOptions): Exploration<E> => {
  checkCount('runs', options.runs, 0)
  checkCount('exhaustive', options.exhaustive, 0)
  const seed = options.seed ?? 0
  const settings: RunSettings = options
  const inOrder = Math.min(options.runs, options.exhaustive ?? Math.ceil(options.runs / 2))
  const ways = new Set<number>()
  let runs = 0

  const made = (policy: Policy): Driven<E, A> => {
    runs++
    const ran = drive(fx, { ...defaults(settings), policy, points: null, observer: null })
    ways.add(ran.way)
    return ran
  }

  const differs = (choices: ReadonlyArray<number>, one: string, other: string): NonDeterministic => {
    const schedule = scheduleOf(choices)
    return nonDeterministic(runs, seed, schedule, partings(fx, schedule, settings, [one, other]))
  }

  const failed = (ran: Driven<E, A>): Exploration<E> => {
    const again = follow(fx, scheduleOf(ran.choices), settings)
    const kind = kindOf(ran.exit)
    if (again.way !== ran.way || kindOf(again.exit) !== kind)
      return differs(ran.choices, kind, kindOf(again.exit))
    const shrunk = shrink(fx, again, settings)
    const last = follow(fx, scheduleOf(shrunk.choices), settings)
    if (last.way !== shrunk.way || last.exit._tag === 'Right')
      return differs(shrunk.choices, kind, kindOf(last.exit))
    const schedule = scheduleOf(shrunk.choices)
    return reportOf(fx, { schedule, runs, seed }, settings, last.exit.left)
  }

  const passed = (complete: boolean): Exploration<E> => ({
    _tag: 'Passed',
    runs,
    distinct: ways.size,
    complete
  })

  if (options.runs === 0) return passed(false)
  const first = made(firstComeFirstServed)
  if (first.exit._tag === 'Left') return failed(first)
  const second = follow(fx, scheduleOf([]), settings)
  if (second.way !== first.way || second.exit._tag === 'Left')
    return differs([], kindOf(first.exit), kindOf(second.exit))

  // In order of the number of deviations, so that what is found first needs the fewest.
  const steps: Array<Step> = []
  let cut = false
  const leadOn = (step: Step | null, { widths }: Driven<E, A>): void => {
    for (let place = step === null ? 0 : step.place + 1; place < widths.length; place++) {
      const width = widths[place] as number
      for (let choice = 1; choice < width; choice++) {
        // What will never be run needs no room.
        if (1 + steps.length >= inOrder) {
          cut = true
          return
        }
        steps.push({ before: step, place, choice, width })
      }
    }
  }
  leadOn(null, first)
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at] as Step
    const choices = choicesOfStep(step)
    const ran = made(following(choices, firstComeFirstServed))
    if (ran.widths[step.place] !== step.width)
      return differs(
        choices,
        `${step.width} to choose from at choice ${step.place}`,
        `${ran.widths[step.place] ?? 0}`
      )
    if (ran.exit._tag === 'Left') return failed(ran)
    leadOn(step, ran)
  }
  if (!cut) return passed(true)

  for (let index = 0; runs < options.runs; index++) {
    const ran = made(policyOf(index, seed, first.widths.length))
    if (ran.exit._tag === 'Left') return failed(ran)
  }
  return passed(false)
}
