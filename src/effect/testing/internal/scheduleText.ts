/**
 * Schedules as text: `3:1 12:2 cancel:7`. Only what differs from first come, first served is said, each as place:choice.
 *
 * @internal
 */
import type { Schedule } from './model.js'

/** The choices up to the last that is none of first come, first served. */
export const trimmed = (choices: ReadonlyArray<number>): ReadonlyArray<number> => {
  let length = choices.length
  while (length > 0 && choices[length - 1] === 0) length--
  return choices.slice(0, length)
}

export const scheduleText = ({ choices, cancelAt }: Schedule): string => {
  const words: Array<string> = []
  for (const [place, choice] of choices.entries()) if (choice !== 0) words.push(`${place}:${choice}`)
  if (cancelAt !== undefined) words.push(`cancel:${cancelAt}`)
  return words.join(' ')
}

/** Longer ones are made by nobody, and would only fill the memory. */
const longest = 2 ** 24

const bad = (text: string, why: string): TypeError =>
  new TypeError(
    `${JSON.stringify(text)} is no schedule: ${why}. A schedule is written as place:choice, place:choice … by ` +
      'rising places, such as "3:1 12:2", with cancel:point at the end if the run was cancelled.'
  )

export const parseSchedule = (text: string): Schedule => {
  const choices: Array<number> = []
  let cancelAt: number | undefined
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const match = /^(cancel|\d{1,15}):(\d{1,15})$/.exec(word)
    if (match === null) throw bad(text, `${JSON.stringify(word)} is none of its parts`)
    if (cancelAt !== undefined) throw bad(text, 'something follows on the cancellation')
    const value = Number(match[2])
    if (match[1] === 'cancel') {
      cancelAt = value
      continue
    }
    const place = Number(match[1])
    if (place < choices.length) throw bad(text, `place ${place} comes too late`)
    if (place >= longest) throw bad(text, `place ${place} is beyond all that a run can have`)
    while (choices.length < place) choices.push(0)
    choices.push(value)
  }
  return { _tag: 'Schedule', choices: trimmed(choices), ...(cancelAt === undefined ? {} : { cancelAt }) }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

/** A schedule that was made by hand may be wrong; a wrong one must not be followed as if it were another. */
export const checkSchedule = (schedule: Schedule): void => {
  const { choices, cancelAt } = schedule
  const at = choices.findIndex((choice) => !isCount(choice))
  if (at !== -1)
    throw new TypeError(`Choice ${at} of a schedule is ${String(choices[at])}, but must be 0, 1, 2, …`)
  if (cancelAt !== undefined && !isCount(cancelAt))
    throw new TypeError(`The cancel point of a schedule is ${String(cancelAt)}, but must be 0, 1, 2, …`)
}
