/**
 * Signals that follow others: short-lived ones for single operations, so that what listens to them does not pile up on a
 * signal that lives longer.
 *
 * @internal
 */
import type { Effect } from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import { runPromise, type RunOptions } from '../../effect/Runtime.js'

export interface Following {
  readonly signal: AbortSignal
  /** The operation is over: leaves no listener behind. */
  readonly end: () => void
}

/** A signal that aborts, with the same reason, as soon as one of these does. */
export const follow = (...signals: ReadonlyArray<AbortSignal>): Following => {
  const controller = LowLevel.makeAbortController()
  const leave: Array<() => void> = []
  for (const signal of signals) {
    const abort = () => {
      controller.abort(signal.reason)
    }
    if (signal.aborted) abort()
    else leave.push(LowLevel.onAbort(signal, abort))
  }
  return {
    signal: controller.signal,
    end: () => {
      for (const each of leave) each()
    }
  }
}

/** A run that is cancelled by its own signal, and by that of the wait in which it is started. */
export const runWithin = <E, A>(fx: Effect<{}, E, A>, options: RunOptions): Promise<A> => {
  const ambient = LowLevel.ambientSignal()
  if (ambient === undefined) return runPromise(fx, options)
  if (options.signal === undefined) return runPromise(fx, { ...options, signal: ambient })
  const { signal, end } = follow(options.signal, ambient)
  return runPromise(fx, { ...options, signal }).finally(end)
}
