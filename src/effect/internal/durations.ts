/**
 * Durations that users give, checked where they are used.
 *
 * @internal
 */
export const checkDuration = (what: string, ms: number): void => {
  if (typeof ms !== 'number' || Number.isNaN(ms)) {
    throw new TypeError(`${what} must be a number of milliseconds, but is ${String(ms)}.`)
  }
}
