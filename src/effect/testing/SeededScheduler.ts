/**
 * `SeededScheduler`: picks the next ready fiber by a seed, so that the same seed gives the same run and another seed another
 * interleaving. It runs nothing by itself: whoever made it calls `advance`.
 *
 * @since 0.1.0
 */
import { host, type Scheduler, type Turn } from '../Scheduler.js'
import { following, uniform } from './internal/policies.js'
import { randomFrom } from './internal/random.js'
import { ReadyQueue } from './internal/readyQueue.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A scheduler that is driven by hand.
 *
 * @category model
 * @since 0.1.0
 */
export interface SeededScheduler extends Scheduler {
  /** Runs one ready turn; false when there is none. */
  readonly advance: () => boolean
  /** The choices so far: which of the ready turns was taken, wherever there was more than one. */
  readonly choices: () => ReadonlyArray<number>
  /** Turns that have used up all their steps so far. */
  readonly exhaustions: () => number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A scheduler that follows `choices` as long as they last, then the seed. `TestRuntime` makes its own; this
 * is for a runtime that is driven by hand.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 * import { SeededScheduler } from 'millrace/testing'
 *
 * const scheduler = SeededScheduler.make(1)
 * let exit: Exit.Exit<never, string> | undefined
 * Runtime.runCallback(Effect.as('done')(Effect.yieldNow), (e) => { exit = e }, {
 *   runtime: Runtime.make({ scheduler })
 * })
 * assert.equal(exit, undefined)
 * while (scheduler.advance()) {}
 * assert.deepEqual(exit, Exit.succeed('done'))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (seed: number, choices: ReadonlyArray<number> = []): SeededScheduler => {
  const policy = following(choices, uniform(randomFrom(seed)))
  const ready = new ReadyQueue()
  const made: Array<number> = []
  let exhaustions = 0
  const schedule = (turn: Turn): void => {
    ready.push(turn)
  }
  const choose = (): number => {
    const choice = policy(ready, made.length)
    made.push(choice)
    return choice
  }
  return {
    schedule,
    exhausted: (turn) => {
      exhaustions++
      schedule(turn)
    },
    maxSteps: host.maxSteps,
    advance: () => {
      if (ready.length === 0) return false
      ready.take(ready.length === 1 ? 0 : choose()).run()
      return true
    },
    choices: () => made,
    exhaustions: () => exhaustions
  }
}
