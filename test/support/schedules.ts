/** Programs of a few tasks under every schedule up to a bound, with one task cut short at every moment. */
import { expect } from 'chai'
import { Effect } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { type Fx, show } from './seeds.js'

/** All sequences of that length of the numbers below `base`. */
export function* schedules(base: number, length: number): Generator<ReadonlyArray<number>> {
  const choices = Array.from({ length }, () => 0)
  for (;;) {
    yield [...choices]
    let place = length - 1
    while (place >= 0 && choices[place] === base - 1) choices[place--] = 0
    if (place < 0) return
    choices[place]!++
  }
}

/** What a program has seen of itself, and what it says is wrong with it. */
export interface Trial {
  readonly program: Fx<unknown, unknown>
  /** After the run: what is wrong, or undefined. */
  readonly wrong: () => string | undefined
}

export interface Bound {
  /** The next of so many ready tasks may be chosen. */
  readonly base: number
  /** At so many places; after them the seed decides. */
  readonly length: number
}

/** How many runs that were. Each must end with a value, and nothing may be wrong with it. */
export const underAllSchedules = ({ base, length }: Bound, make: () => Trial): number => {
  let runs = 0
  for (const choices of schedules(base, length)) {
    const { program, wrong } = make()
    const exit = TestRuntime.runExit(program, {
      schedule: { _tag: 'Schedule', choices },
      maxTurns: 10_000
    })
    const fault = exit._tag === 'Left' ? show(exit) : wrong()
    if (fault !== undefined) expect.fail(`${fault}\nunder the schedule ${choices.join(' ')}`)
    runs++
  }
  return runs
}

/** `fx` after giving way so many times. */
export const afterTurns = (turns: number, fx: Fx<unknown>): Fx<void> =>
  Effect.gen(function* () {
    for (let i = 0; i < turns; i++) yield* Effect.yieldNow
    yield* fx
  })

/** Nothing else can go on: virtual time passes only then. */
export const settle: Fx<void> = Effect.sleep(1)

export const sorted = <A>(as: Iterable<A>): ReadonlyArray<A> =>
  [...as].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
