/**
 * What the model can do: all of its outcomes, or whether one outcome is among them.
 */
import { show } from '../Show.js'
import { type Code, exitOfRun, initial, keyOfState, type State } from './State.js'
import { type Grain, step } from './Step.js'

/** What is left behind in a state in which the run has ended; null when nothing is. */
const leakOf = (state: State): string | null => {
  const leaks: Array<string> = []
  const alive = Object.values(state.fibers).filter(({ status }) => status !== 'ended').length
  if (alive !== 0) leaks.push(`${alive} fibers are alive`)
  if (state.timers.length !== 0) leaks.push(`${state.timers.length} timers are set`)
  if (Object.keys(state.scopes).length !== 0) leaks.push('scopes are open')
  for (const [label, { acquired, released }] of Object.entries(state.ledger)) {
    if (acquired !== released) leaks.push(`${label} was acquired ${acquired} and released ${released} times`)
  }
  return leaks.length === 0 ? null : leaks.join(', ')
}

/** An outcome, as `keyOf` of `Equality.ts` writes that of the real interpreter. */
export const outcomeOf = (state: State): string => {
  const exit = exitOfRun(state)
  const trace = state.trace.join(', ')
  if (exit === null) return `Deadlock: ${trace}`
  const leak = leakOf(state)
  return `${show(exit)} after ${state.now} ms: ${trace}${leak === null ? '' : ` LEAK ${leak}`}`
}

/** What a search found; not all of it when it gave up. */
export interface Found {
  readonly outcomes: ReadonlySet<string>
  readonly complete: boolean
}

/** Depth first, each state once; `promising` says which states may lead to what is looked for. */
const search = (
  code: Code,
  grain: Grain,
  cap: number,
  promising: (state: State) => boolean,
  over: (state: State) => boolean
): boolean => {
  const next = step(code, grain)
  const seen = new Set<string>()
  const pending: Array<State> = [initial]
  for (let steps = 0; pending.length > 0; steps++) {
    if (steps === cap) return false
    const state = pending.pop()!
    const successors = exitOfRun(state) === null ? next(state) : []
    if (successors.length === 0) {
      if (over(state)) return true
    } else if (successors.length === 1) {
      if (promising(successors[0]!)) pending.push(successors[0]!)
    } else {
      for (const successor of successors.toReversed()) {
        if (!promising(successor)) continue
        const key = keyOfState(successor)
        if (!seen.has(key)) {
          seen.add(key)
          pending.push(successor)
        }
      }
    }
  }
  return true
}

/** All outcomes, if that takes no more than so many steps. */
export const outcomes = (code: Code, grain: Grain, cap: number): Found => {
  const found = new Set<string>()
  const complete = search(
    code,
    grain,
    cap,
    () => true,
    (state) => {
      found.add(outcomeOf(state))
      return false
    }
  )
  return { outcomes: found, complete }
}

/**
 * Whether the outcome is one of the model: only states are followed whose trace is the beginning of the trace that is
 * looked for. Null when that takes more steps than `cap`.
 */
export const accepts = (
  code: Code,
  grain: Grain,
  outcome: string,
  trace: ReadonlyArray<string>,
  cap: number
): boolean | null => {
  let accepted = false
  const complete = search(
    code,
    grain,
    cap,
    (state) => {
      const last = state.trace.length - 1
      return last < 0 || state.trace[last] === trace[last]
    },
    (state) => {
      accepted = outcomeOf(state) === outcome
      return accepted
    }
  )
  return complete ? accepted : null
}
