/**
 * Waiting for a promise, by the rules for what a cancellation does to it: abort the signal if there is one, then wait until
 * the promise settles, so that nothing runs on unobserved.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import { CauseError, toError } from '../Cause.js'
import { LazySignal, withAmbient } from './ambient.js'
import { isCancelledOnly, joinThen } from './causes.js'
import type { Fiber } from './fiber.js'
import { Cancel, Die, Fail, Fault, type Op, Return, type Untyped } from './op.js'
import { Callback, primitive, type PrimitiveFunction } from './primitives.js'
import { whenSettled } from './settling.js'

/** Typed failures of a rejection; null when a rejection is a defect. */
export type OnReject = ((reason: unknown) => unknown) | null

/** What a settled value means; null when it is the value. */
export type OnValue = ((value: Untyped) => { readonly mode: number; readonly value: unknown }) | null

interface PromiseOp {
  readonly label: string
  readonly start: (signal: AbortSignal) => PromiseLike<unknown>
  readonly onReject: OnReject
  readonly onValue: OnValue
  readonly abandon: boolean
  /** A signal costs microseconds, so it is made only for a function that takes one. */
  readonly wantsSignal: boolean
}

/** What says that the cancellation has arrived: our own error for it, or the reason of the signal that we were given. */
const saysCancelled = (reason: unknown, cancelled: Cause<unknown>): boolean =>
  (reason instanceof CauseError && isCancelledOnly(reason.source)) ||
  (cancelled._tag === 'Cancelled' &&
    cancelled.reason._tag === 'Aborted' &&
    reason === cancelled.reason.reason)

/** Whether a rejection after a cancellation comes from it: it is the reason of the abort, has it as `cause`, or is named so. */
const isAbort = (reason: unknown, cancelled: Cause<unknown>): boolean => {
  if (typeof reason !== 'object' || reason === null) return saysCancelled(reason, cancelled)
  try {
    if (saysCancelled(reason, cancelled)) return true
    const { name, cause } = reason as { readonly name?: unknown; readonly cause?: unknown }
    return name === 'AbortError' || (cause !== undefined && saysCancelled(cause, cancelled))
  } catch {
    // What was thrown may be anything, a proxy that refuses to be read too.
    return false
  }
}

/** Nobody waits for it any more, but somebody may want to know. */
const discard = (fiber: Fiber, value: unknown): void => {
  for (const instrument of fiber.runOf.instruments ?? []) instrument.onDiscard?.(fiber, value)
}

const mapped = (onReject: OnReject, reason: unknown): { readonly mode: number; readonly value: unknown } => {
  if (onReject === null) return { mode: Die, value: reason }
  try {
    return { mode: Fail, value: onReject(reason) }
  } catch (defect) {
    return { mode: Die, value: defect }
  }
}

const promisePrimitive: PrimitiveFunction = (
  fiber,
  { label, start, onReject, onValue, abandon, wantsSignal }: PromiseOp
) => {
  if (fiber.isCancelled()) return fiber.raiseCancelled()
  const { asyncContext } = fiber.runOf
  const lazy = wantsSignal || asyncContext ? new LazySignal() : null
  /** The cancellation, once it came. */
  let cancelled: Cause<unknown> | null = null

  const callback = new Callback(
    fiber,
    label,
    true,
    (forced) => abandon || forced,
    () => {
      if (cancelled !== null) return
      cancelled = fiber.causeOf(Cancel, undefined)
      lazy?.abort(toError(cancelled))
    }
  )

  // The cast is for functions that take no signal, and so never see that there is none.
  const signal = wantsSignal && lazy !== null ? lazy.signal : (undefined as Untyped)
  const promise = asyncContext && lazy !== null ? withAmbient(lazy, () => start(signal)) : start(signal)
  if (promise === null || typeof promise !== 'object' || typeof promise.then !== 'function') {
    throw new TypeError(`${label}: expected a promise from the function, but got ${typeof promise}.`)
  }

  // A promise that was let go is observed, so that its rejection is no unhandled one.
  const settled = (value: unknown): void => {
    if (callback.settled) {
      discard(fiber, value)
      return
    }
    let outcome: { readonly mode: number; readonly value: unknown } = { mode: Return, value }
    if (onValue !== null) {
      try {
        outcome = onValue(value)
      } catch (defect) {
        outcome = { mode: Die, value: defect }
      }
      // A Left after the abort is how such code says that it has stopped.
      if (cancelled !== null && outcome.mode === Fail) {
        discard(fiber, value)
        outcome = { mode: Cancel, value: undefined }
      }
    }
    callback.resume(outcome.mode, outcome.value)
  }
  const rejected = (reason: unknown): void => {
    const aborted = cancelled !== null && isAbort(reason, cancelled)
    if (callback.settled) {
      if (!aborted) discard(fiber, reason)
      return
    }
    if (aborted) {
      callback.resume(Cancel, undefined)
      return
    }
    const outcome = mapped(onReject, reason)
    if (cancelled !== null) {
      const rest: Cause<unknown> = fiber.causeOf(outcome.mode, outcome.value)
      callback.resume(Fault, joinThen(fiber.causeOf(Cancel, undefined), rest))
    } else callback.resume(outcome.mode, outcome.value)
  }

  if (abandon && promise instanceof Promise) {
    // Where instruments watch, what comes late is told to them.
    return callback.registered(whenSettled(promise, settled, rejected, fiber.runOf.instruments))
  }
  promise.then(settled, rejected)
  return callback.registered(undefined)
}

/** An effect that starts a promise each time it runs, and waits for it. */
export const settlePromise = (
  label: string,
  start: (signal: AbortSignal) => PromiseLike<unknown>,
  onReject: OnReject,
  onValue: OnValue,
  abandon: boolean
): Op => {
  const wait: PromiseOp = { label, start, onReject, onValue, abandon, wantsSignal: start.length > 0 }
  return primitive(promisePrimitive, wait)
}
