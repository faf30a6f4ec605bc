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

interface Shared {
  readonly waiting: Set<Waiting>
  /** Of those who have left, the last one for each audience, told all the same: one, since this must not grow. */
  readonly left: Map<object, Waiting>
}

const shared = new WeakMap<PromiseLike<unknown>, Shared>()

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

const subscribe = (promise: Promise<unknown>): Shared => {
  const waiting = new Set<Waiting>()
  const left = new Map<object, Waiting>()
  const tell = (call: (each: Waiting) => void): void => {
    // Those that come after it has settled start anew: they are called in a later turn, as with any promise.
    shared.delete(promise)
    const late = [...left.values()]
    for (const each of waiting) apart(() => call(each))
    for (const each of late) apart(() => call(each))
  }
  promise.then(
    (value) => {
      tell(({ onValue }) => onValue(value))
    },
    (reason: unknown) => {
      tell(({ onReason }) => onReason(reason))
    }
  )
  const all = { waiting, left }
  shared.set(promise, all)
  return all
}

/**
 * Calls back once when the promise settles; the result takes that back. A rejection is observed in any case. Where there is
 * an audience (the instruments of a run), the last of those who have left for it is called back as well.
 */
export const whenSettled = (
  promise: Promise<unknown>,
  onValue: (value: unknown) => void,
  onReason: (reason: unknown) => void,
  audience: object | null
): (() => void) => {
  const { waiting, left } = shared.get(promise) ?? subscribe(promise)
  const own: Waiting = { onValue, onReason }
  waiting.add(own)
  return () => {
    waiting.delete(own)
    if (audience !== null) left.set(audience, own)
  }
}
