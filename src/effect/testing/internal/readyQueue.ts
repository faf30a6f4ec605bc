/**
 * The ready turns in the order in which they became ready, of which any may be taken out.
 *
 * @internal
 */
import type { Turn } from '../../Scheduler.js'

/** Taking one out of the middle moves the rest of its part only, so that ten thousand ready tasks cost little. */
const partLength = 512

export class ReadyQueue {
  private readonly parts: Array<Array<Turn>> = [[]]
  length = 0

  push(turn: Turn): void {
    let last = this.parts[this.parts.length - 1] as Array<Turn>
    if (last.length === partLength) {
      last = []
      this.parts.push(last)
    }
    last.push(turn)
    this.length++
  }

  /** Takes the turn at this place out; the order of the others stays, so that a place means the same in every run. */
  take(place: number): Turn {
    let at = 0
    let within = place
    let part = this.parts[0] as Array<Turn>
    while (within >= part.length) {
      within -= part.length
      part = this.parts[++at] as Array<Turn>
    }
    const [turn] = part.splice(within, 1)
    if (part.length === 0 && this.parts.length > 1) this.parts.splice(at, 1)
    this.length--
    return turn as Turn
  }

  /** The first turns, at most so many. */
  *first(count: number): Iterable<Turn> {
    let left = count
    for (const part of this.parts) {
      for (const turn of part) {
        if (left-- === 0) return
        yield turn
      }
    }
  }
}
