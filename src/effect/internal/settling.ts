/**
 * Waiting for a promise in a way that can be taken back. `then` cannot: a promise that never settles keeps what each call
 * was given for ever. So all who wait for one promise share one call, and stand in a set that they can leave.
 *
 * @internal
 */

interface Waiting {
  readonly onValue: (value: unknown) => void
  readonly onReason: (reason: unknown) => void
}

const shared = new WeakMap<PromiseLike<unknown>, Set<Waiting>>()

/** What throws at the end of one run, such as the callback of `runCallback`, keeps nobody else from being told. */
const apart = (call: () => void): void => {
  try {
    call()
  } catch (thrown) {
    // As if each had called `then` for itself. It may be no error: whoever threw it chose.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    void Promise.reject(thrown)
  }
}

/** Calls back once when the promise settles; the result takes that back. A rejection is observed in any case. */
export const whenSettled = (
  promise: Promise<unknown>,
  onValue: (value: unknown) => void,
  onReason: (reason: unknown) => void
): (() => void) => {
  let all = shared.get(promise)
  if (all === undefined) {
    const waiting = new Set<Waiting>()
    shared.set(promise, waiting)
    // Those that come after it has settled start anew: they are called in a later turn, as with any promise.
    promise.then(
      (value) => {
        shared.delete(promise)
        for (const each of waiting) apart(() => each.onValue(value))
      },
      (reason: unknown) => {
        shared.delete(promise)
        for (const each of waiting) apart(() => each.onReason(reason))
      }
    )
    all = waiting
  }
  const own: Waiting = { onValue, onReason }
  const those = all
  those.add(own)
  return () => {
    those.delete(own)
  }
}
