/**
 * Waiting for a promise, by the rules for what a cancellation does to it: abort the signal if there is one, then wait until
 * the promise settles, so that nothing runs on unobserved.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import { toError } from '../Cause.js'
import { LazySignal, withAmbient } from './ambient.js'
import { joinThen } from './causes.js'
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

const isAbort = (reason: unknown, signal: AbortSignal | null): boolean => {
  if (signal !== null && reason === signal.reason) return true
  if (typeof reason !== 'object' || reason === null) return false
  try {
    const { name, cause } = reason as { readonly name?: unknown; readonly cause?: unknown }
    return name === 'AbortError' || (signal !== null && cause !== undefined && cause === signal.reason)
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
  let cancelled = false

  const callback = new Callback(
    fiber,
    label,
    true,
    (forced) => abandon || forced,
    () => {
      if (cancelled) return
      cancelled = true
      lazy?.abort(toError(fiber.causeOf(Cancel, undefined)))
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
      if (cancelled && outcome.mode === Fail) {
        discard(fiber, value)
        outcome = { mode: Cancel, value: undefined }
      }
    }
    callback.resume(outcome.mode, outcome.value)
  }
  const rejected = (reason: unknown): void => {
    const aborted = cancelled && isAbort(reason, lazy === null ? null : lazy.made)
    if (callback.settled) {
      if (!aborted) discard(fiber, reason)
      return
    }
    if (aborted) {
      callback.resume(Cancel, undefined)
      return
    }
    const outcome = mapped(onReject, reason)
    if (cancelled) {
      const cause = joinThen(
        fiber.causeOf(Cancel, undefined),
        fiber.causeOf(outcome.mode, outcome.value) as Cause<unknown>
      )
      callback.resume(Fault, cause)
    } else callback.resume(outcome.mode, outcome.value)
  }

  if (abandon && promise instanceof Promise && fiber.runOf.instruments === null) {
    return callback.registered(whenSettled(promise, settled, rejected))
  }
  // Where instruments watch, what comes late is told to them, so nobody leaves.
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
