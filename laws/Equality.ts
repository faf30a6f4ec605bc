/**
 * When two effects are equal: when nobody can tell them apart, whatever is around them.
 *
 * A run is observed in virtual time: its exit (up to the equality of causes), what it noted and when, when it ended, and
 * whether anything was left behind. Two effects are compared inside of contexts, and under the same schedules or under
 * all of them.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import {
  CancelScope,
  Concurrent,
  Effect,
  type Exit,
  Runtime,
  type Scheduler,
  TaskGroup,
  Timeout
} from 'millrace'
import { VirtualClock } from 'millrace/testing'
import { type Answer, irrelevant, type Law, law, type Params, refuted, unsure, wrong } from './LawSet.js'
import { show } from './Show.js'
import { type Facts, type Fx, World } from './World.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** One side of an equation: it builds its effect anew in each world. */
export type Side = (world: World) => Fx

/**
 * What is seen of a run.
 *
 * @category model
 * @since 0.1.0
 */
export interface Observation {
  /** The exit as text, or why there is none. */
  readonly exit: string
  readonly result: Exit.Exit<unknown, unknown> | null
  readonly trace: ReadonlyArray<string>
  /** Virtual ms. */
  readonly time: number
  /** What was left behind, or null. */
  readonly leak: string | null
  readonly facts: Facts
  readonly outside: boolean
}

/** The choices of a run: which of so many ready fibers is next. */
export type Choose = (width: number) => number

// -------------------------------------------------------------------------------------
// running
// -------------------------------------------------------------------------------------

/** A small generator of good quality (mulberry32). */
export const chooseBy = (seed: number): Choose => {
  let state = seed >>> 0
  return (width) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((((t ^ (t >>> 14)) >>> 0) * width) / 2 ** 32) | 0
  }
}

export interface RunOptions {
  readonly watched?: boolean
  /** When the clock starts. */
  readonly start?: number
  /** Steps before a fiber yields. */
  readonly maxSteps?: number
  readonly signal?: AbortSignal
  /** Called between any two turns, with how many there were. */
  readonly beforeTurn?: (turns: number) => void
}

const maxTurns = 20_000

/** Runs an effect to its end, synchronously. */
export const observe = (side: Side, choose: Choose, options: RunOptions = {}): Observation => {
  const clock = VirtualClock.make(options.start === undefined ? {} : { start: options.start })
  const world = new World(clock, options.watched === true)
  const ready: Array<Scheduler.Turn> = []
  const scheduler: Scheduler.Scheduler = {
    schedule: (turn) => {
      ready.push(turn)
    },
    maxSteps: options.maxSteps ?? 512
  }
  let alive = 1
  const runtime = Runtime.make({
    clock,
    scheduler,
    instruments: [
      {
        onSpawn: () => {
          alive++
        },
        onExit: () => {
          alive--
        }
      }
    ]
  })
  let result: Exit.Exit<unknown, unknown> | null = null
  const main = Effect.suspend(() => side(world)) as Effect.Effect<unknown, unknown, unknown>
  Runtime.runCallback(
    main,
    (exit) => {
      result = exit
    },
    { runtime, ...(options.signal === undefined ? {} : { signal: options.signal }) }
  )
  let stuck: string | null = null
  for (let turns = 0; result === null; turns++) {
    if (turns > maxTurns) {
      stuck = 'Livelock'
      break
    }
    options.beforeTurn?.(turns)
    if (ready.length > 0) {
      const [turn] = ready.splice(ready.length === 1 ? 0 : choose(ready.length), 1)
      turn?.run()
    } else if (!clock.advance()) {
      stuck = 'Deadlock'
      break
    }
  }
  const leaks: Array<string> = []
  if (stuck === null) {
    if (alive !== 0) leaks.push(`${alive} fibers are alive`)
    if (clock.pending() !== 0) leaks.push(`${clock.pending()} timers are set`)
    if (ready.length !== 0) leaks.push(`${ready.length} turns are ready`)
    for (const [label, { acquired, released }] of world.ledger) {
      if (acquired !== released)
        leaks.push(`${label} was acquired ${acquired} and released ${released} times`)
    }
  }
  return {
    exit: stuck ?? show(result),
    result,
    trace: world.trace,
    time: world.elapsed(),
    leak: leaks.length === 0 ? null : leaks.join(', '),
    facts: world.facts,
    outside: world.outside
  }
}

/** All runs of an effect, one for each schedule; false when there are more than `cap`, and then the first of them. */
export const explore = (side: Side, cap: number, each: (observation: Observation) => void): boolean => {
  let prefix: Array<number> = []
  for (let runs = 0; ; runs++) {
    if (runs === cap) return false
    const choices: Array<number> = []
    const widths: Array<number> = []
    const choose: Choose = (width) => {
      const choice = prefix[choices.length] ?? 0
      choices.push(choice)
      widths.push(width)
      return choice
    }
    each(observe(side, choose))
    let last = choices.length - 1
    while (last >= 0 && choices[last]! + 1 === widths[last]!) last--
    if (last < 0) return true
    prefix = choices.slice(0, last)
    prefix.push(choices[last]! + 1)
  }
}

/** The observation as one text; what two equal effects have in common. When nothing can go on, time says nothing. */
export const keyOf = ({ exit, trace, time, leak }: Observation): string =>
  `${exit}${exit === 'Deadlock' ? '' : ` after ${time} ms`}: ${trace.join(', ')}${leak === null ? '' : ` LEAK ${leak}`}`

// -------------------------------------------------------------------------------------
// contexts
// -------------------------------------------------------------------------------------

type Wrap = (n: number, world: World) => (fx: Fx) => Fx

const cancelledScope =
  (inside: (scope: CancelScope.CancelScope, fx: Fx) => Fx): ((fx: Fx) => Fx) =>
  (fx) =>
    CancelScope.open((scope) => Effect.andThen(inside(scope, fx))(scope.cancel()))

const cancelledBeside =
  (wait: Fx): ((fx: Fx) => Fx) =>
  (fx) =>
    CancelScope.open((scope) =>
      TaskGroup.open<unknown>()((group) =>
        pipe(group.spawn(Effect.andThen(scope.cancel())(wait), { service: true }), Effect.andThen(fx))
      )
    )

const turns = (n: number): Fx => {
  let wait: Fx = Effect.yieldNow
  for (let i = 0; i < n; i++) wait = Effect.andThen(wait)(Effect.yieldNow)
  return wait
}

const wraps = {
  /** Nothing around it. */
  alone: () => (fx) => fx,
  /** In a scope that is cancelled. */
  cancelled: () => cancelledScope((_scope, fx) => fx),
  /** There, and its end is swallowed: the next checkpoint ends the scope. */
  swallowed: (_n, world) =>
    cancelledScope((_scope, fx) =>
      pipe(
        Effect.exit(fx),
        Effect.flatMap((exit) => world.tick(`swallowed ${show(exit)}`)),
        Effect.andThen(Effect.checkpoint),
        Effect.andThen(world.tick('not reached'))
      )
    ),
  /** Behind a shield in a cancelled scope. */
  shielded: (_n, world) =>
    cancelledScope((_scope, fx) =>
      pipe(
        Timeout.shielded(fx),
        Effect.tap(() => world.tick('unshielded')),
        Effect.tap(() => Effect.checkpoint)
      )
    ),
  /** As a finalizer of what was cancelled. */
  finalizer: () => cancelledScope((_scope, fx) => Effect.ensuring(fx)(Effect.checkpoint)),
  /** Cancelled after `n` ms. */
  cancelledAt: (n) => cancelledBeside(Effect.sleep(n)),
  /** Cancelled after `n` turns. */
  cancelledIn: (n) => cancelledBeside(turns(n)),
  /** Under a deadline. */
  deadline: (n) => Timeout.moveOnAfter(n),
  /** Beside a task that fails after `n` ms. */
  failing: (n) => (fx) =>
    TaskGroup.open<unknown>()((group) =>
      pipe(
        group.spawn(Effect.andThen(Effect.fail('sibling'))(Effect.sleep(n))),
        Effect.flatMap(() => fx)
      )
    ),
  /** In a race with a sleep. */
  raced: (n) => (fx) => Concurrent.race(Effect.sleep(n))(fx)
} satisfies Record<string, Wrap>

/** @category contexts */
export type ContextName = keyof typeof wraps

/**
 * What is around an effect.
 *
 * @category contexts
 * @since 0.1.0
 */
export interface Context {
  readonly name: ContextName
  readonly n: number
}

/** All of them. */
export const everywhere: ReadonlyArray<ContextName> = Object.keys(wraps) as ReadonlyArray<ContextName>

/** Those in which nothing else runs. */
export const unaccompanied: ReadonlyArray<ContextName> = [
  'alone',
  'cancelled',
  'swallowed',
  'shielded',
  'finalizer',
  'deadline'
]

/** Those in which nothing outside is cancelled. */
export const uncancelled: ReadonlyArray<ContextName> = ['alone', 'shielded', 'finalizer']

export const contexts = (names: ReadonlyArray<ContextName>): fc.Arbitrary<Context> =>
  fc.record({ name: fc.constantFrom(...names), n: fc.nat(5) })

export const within =
  (context: Context) =>
  (side: Side): Side =>
  (world) =>
    wraps[context.name](context.n, world)(side(world))

export const showContext = ({ name, n }: Context): string => `${name}(${n})`

// -------------------------------------------------------------------------------------
// equality
// -------------------------------------------------------------------------------------

/** An equation about generated values. */
export interface Equation<T> {
  readonly name: string
  readonly group: string
  readonly tags?: ReadonlyArray<string>
  readonly input: fc.Arbitrary<T>
  readonly show: (input: T) => string
  readonly left: (input: T) => Side
  readonly right: (input: T) => Side
  /** Where it is claimed; everywhere when absent. */
  readonly contexts?: ReadonlyArray<ContextName>
  readonly effort?: number
}

interface Placed<T> {
  readonly value: T
  readonly context: Context
  readonly seed: number
}

const placed = <T>(input: fc.Arbitrary<T>, names: ReadonlyArray<ContextName>): fc.Arbitrary<Placed<T>> =>
  fc.record({ value: input, context: contexts(names), seed: fc.nat(1_000_000) })

const leakOf = (side: string, { leak }: Observation): string | null =>
  leak === null ? null : `${side} leaves something behind: ${leak}`

const differ = (left: Observation, right: Observation): Answer => {
  if (left.outside || right.outside) return irrelevant
  const leak = leakOf('left', left) ?? leakOf('right', right)
  if (leak !== null) return wrong(`${leak}\nleft:  ${keyOf(left)}\nright: ${keyOf(right)}`)
  return keyOf(left) === keyOf(right) ? null : wrong(`left:  ${keyOf(left)}\nright: ${keyOf(right)}`)
}

/** Both sides under the same choices. Sound where they have the same scheduling points. */
export const equalBySeed = (
  left: Side,
  right: Side,
  seed: number,
  params: Params,
  options?: RunOptions
): Answer => {
  for (let i = 0; i < params.schedules; i++) {
    const answer = differ(
      observe(left, chooseBy(seed + i), options),
      observe(right, chooseBy(seed + i), options)
    )
    if (answer !== null) return answer
  }
  return null
}

const outcomes = (
  name: string,
  side: Side,
  cap: number
): {
  readonly keys: Set<string>
  readonly all: boolean
  readonly leak: string | null
  readonly outside: boolean
} => {
  const keys = new Set<string>()
  let leak: string | null = null
  let outside = false
  const all = explore(side, cap, (observation) => {
    keys.add(keyOf(observation))
    leak ??= leakOf(name, observation)
    outside ||= observation.outside
  })
  return { keys, all, leak, outside }
}

const minus = (keys: Set<string>, others: Set<string>): ReadonlyArray<string> =>
  [...keys].filter((key) => !others.has(key))

/** The sets of what can be observed under all schedules. */
export const compareSets = (left: Side, right: Side, cap: number, how: 'equal' | 'included'): Answer => {
  const l = outcomes('left', left, cap)
  const r = outcomes('right', right, cap)
  if (l.outside || r.outside) return irrelevant
  const leak = l.leak ?? r.leak
  if (leak !== null) return wrong(leak)
  if (!l.all || !r.all) return unsure(`more than ${cap} schedules`)
  const onlyLeft = minus(l.keys, r.keys)
  const onlyRight = how === 'equal' ? minus(r.keys, l.keys) : []
  if (onlyLeft.length === 0 && onlyRight.length === 0) return null
  const lines = [
    ...onlyLeft.slice(0, 3).map((key) => `only left:  ${key}`),
    ...onlyRight.slice(0, 3).map((key) => `only right: ${key}`)
  ]
  return wrong(`of ${l.keys.size} outcomes of the left and ${r.keys.size} of the right\n${lines.join('\n')}`)
}

const showPlaced =
  <T>(showInput: (input: T) => string) =>
  ({ value, context, seed }: Placed<T>): string =>
    `in the context ${showContext(context)}, seed ${seed}\n${showInput(value)}`

const question = <T>(
  equation: Equation<T>,
  compare: (left: Side, right: Side, seed: number, params: Params) => Answer
) => ({
  name: equation.name,
  group: equation.group,
  tags: equation.tags ?? [],
  input: placed(equation.input, equation.contexts ?? everywhere),
  show: showPlaced(equation.show),
  holds: ({ value, context, seed }: Placed<T>, params: Params) =>
    compare(within(context)(equation.left(value)), within(context)(equation.right(value)), seed, params),
  effort: equation.effort ?? 1
})

/** A law whose sides have the same scheduling points. */
export const equation = <T>(spec: Equation<T>): Law => law(question(spec, equalBySeed))

/** A law that compares all outcomes. */
export const equationOfSets = <T>(spec: Equation<T>): Law =>
  law(
    question({ effort: 0.4, ...spec }, (left, right, _seed, { cap }) =>
      compareSets(left, right, cap, 'equal')
    )
  )

/** A law that says that what the left does the right may do as well. */
export const refinement = <T>(spec: Equation<T>): Law =>
  law(
    question({ effort: 0.4, ...spec }, (left, right, _seed, { cap }) =>
      compareSets(left, right, cap, 'included')
    )
  )

/** An equation that some input must refute. */
export const noEquation = <T>(spec: Equation<T>): Law => refuted(question(spec, equalBySeed))

/** Something that holds of every run. */
export interface Invariant<T> {
  readonly name: string
  readonly group: string
  readonly tags?: ReadonlyArray<string>
  readonly input: fc.Arbitrary<T>
  readonly show: (input: T) => string
  readonly run: (input: T) => Side
  /** What is wrong with a run, or null. */
  readonly check: (observation: Observation, input: T) => string | null
  readonly contexts?: ReadonlyArray<ContextName>
  readonly effort?: number
}

/** A law about every single run: all schedules if they are few, else some. */
export const invariant = <T>(spec: Invariant<T>): Law =>
  law({
    name: spec.name,
    group: spec.group,
    tags: spec.tags ?? [],
    input: placed(spec.input, spec.contexts ?? ['alone']),
    show: showPlaced(spec.show),
    effort: spec.effort ?? 0.4,
    holds: ({ value, context, seed }, params) => {
      const side = within(context)(spec.run(value))
      let answer: Answer = null
      const look = (observation: Observation): void => {
        if (answer !== null) return
        if (observation.outside) {
          answer = irrelevant
          return
        }
        const fault = spec.check(observation, value) ?? leakOf('the run', observation)
        if (fault !== null) answer = wrong(`${fault}\n${keyOf(observation)}`)
      }
      if (!explore(side, Math.min(params.cap, 60), look)) {
        for (let i = 0; i < 10 * params.schedules; i++) look(observe(side, chooseBy(seed + i)))
      }
      return answer
    }
  })

// -------------------------------------------------------------------------------------
// helpers for checks
// -------------------------------------------------------------------------------------

/** The trace without its times. */
export const lines = ({ trace }: Observation): ReadonlyArray<string> =>
  trace.map((line) => line.slice(0, line.lastIndexOf('@')))

/** What is wrong when the exit is not this one. */
export const expectExit =
  (exit: string) =>
  (observation: Observation): string | null =>
    observation.exit === exit ? null : `expected the exit ${exit}`

/** What is wrong when the trace is not this one, with times. */
export const expectTrace =
  (...trace: ReadonlyArray<string>) =>
  (observation: Observation): string | null =>
    observation.trace.join(', ') === trace.join(', ') ? null : `expected the trace ${trace.join(', ')}`

/** The first fault of several checks. */
export const allOf =
  (...checks: ReadonlyArray<(observation: Observation) => string | null>) =>
  (observation: Observation): string | null => {
    for (const check of checks) {
      const fault = check(observation)
      if (fault !== null) return fault
    }
    return null
  }
