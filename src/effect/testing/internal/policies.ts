/**
 * Ways to choose the next of the ready turns. Each finds other mistakes: a uniform choice mixes everything, few deviations
 * from first come, first served find what needs one unlucky moment, and priorities find what needs a task to be slow for long.
 *
 * @internal
 */
import type { Turn } from '../../Scheduler.js'
import type { Random } from './random.js'
import type { ReadyQueue } from './readyQueue.js'

/** The place of the next turn; `at` counts the choices so far. Asked only where more than one is ready. */
export type Policy = (ready: ReadyQueue, at: number) => number

export const firstComeFirstServed: Policy = () => 0

export const uniform =
  (random: Random): Policy =>
  (ready) =>
    random(ready.length)

/** First come, first served but for so many of about `length` choices. */
export const fewDeviations = (random: Random, count: number, length: number): Policy => {
  const at = new Set<number>()
  for (let i = 0; i < count; i++) at.add(random(Math.max(1, length)))
  return (ready, choice) => (at.has(choice) ? 1 + random(ready.length - 1) : 0)
}

/** As many of the ready turns as priorities are compared of. */
const compared = 256

/** A task that had the best priority so often has it no more: a task that polls would keep the others out for ever. */
const patience = 64

/**
 * Each task has a random priority and the best one runs, and at `changes` places the best one becomes the worst. A mistake
 * that needs `changes + 1` orders to come together is found with a probability that does not fall with the number of tasks
 * as that of a uniform choice does.
 */
export const priorities = (random: Random, changes: number, length: number): Policy => {
  const of = new Map<Turn, { priority: number; chosen: number }>()
  const changeAt = new Set<number>()
  for (let i = 0; i < changes; i++) changeAt.add(random(Math.max(1, length)))
  let worst = 0
  const entryOf = (turn: Turn) => {
    let entry = of.get(turn)
    if (entry === undefined) {
      entry = { priority: 1 + random(2 ** 30), chosen: 0 }
      of.set(turn, entry)
    }
    return entry
  }
  const best = (ready: ReadyQueue) => {
    let place = 0
    let found = { priority: -Infinity, chosen: 0 }
    let i = 0
    for (const turn of ready.first(compared)) {
      const entry = entryOf(turn)
      if (entry.priority > found.priority) {
        place = i
        found = entry
      }
      i++
    }
    return { place, entry: found }
  }
  return (ready, at) => {
    let { place, entry } = best(ready)
    if (changeAt.has(at)) {
      entry.priority = --worst
      ;({ place, entry } = best(ready))
    }
    if (++entry.chosen % patience === 0) entry.priority = --worst
    return place
  }
}

/** A recorded choice that is too high for this run takes the last. */
export const following =
  (choices: ReadonlyArray<number>, then: Policy): Policy =>
  (ready, at) => {
    const asked = choices[at]
    return asked === undefined ? then(ready, at) : Math.min(asked, ready.length - 1)
  }
