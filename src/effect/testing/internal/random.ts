/**
 * Random numbers from a seed.
 *
 * @internal
 */

/** Which of so many. */
export type Random = (below: number) => number

/** A small generator of good quality (mulberry32); its whole state is one 32-bit number. */
export const randomFrom = (seed: number): Random => {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((((t ^ (t >>> 14)) >>> 0) * below) / 2 ** 32) | 0
  }
}
