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

interface Outcome {
  readonly mode: number
  readonly value: unknown
}

/** How a promise is waited for; shared by all waits that are alike. */
export interface PromiseSpec {
  readonly label: string
  /** Typed failures of a rejection; without it a rejection is a defect. */
  readonly onReject?: (reason: unknown) => unknown
  /** What a settled value means; without it, it is the value. */
  readonly onValue?: (value: Untyped) => Outcome
  readonly abandonOnCancel?: boolean
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

const outcomeOfRejection = ({ onReject }: PromiseSpec, reason: unknown): Outcome => {
  if (onReject === undefined) return { mode: Die, value: reason }
  try {
    return { mode: Fail, value: onReject(reason) }
  } catch (defect) {
    return { mode: Die, value: defect }
  }
}

const outcomeOfValue = (onValue: (value: Untyped) => Outcome, value: unknown): Outcome => {
  try {
    return onValue(value)
  } catch (defect) {
    return { mode: Die, value: defect }
  }
}

class PromiseWait extends Callback {
  private readonly spec: PromiseSpec
  private readonly lazy: LazySignal | null
  /** The cancellation, once it came. */
  private cancelled: Cause<unknown> | null

  constructor(fiber: Fiber, spec: PromiseSpec, lazy: LazySignal | null) {
    super(fiber)
    this.spec = spec
    this.lazy = lazy
    this.cancelled = null
  }

  get label(): string {
    return this.spec.label
  }

  get foreign(): boolean {
    return true
  }

  /** The promise may be left before it settles. */
  get leaves(): boolean {
    return this.spec.abandonOnCancel === true
  }

  get audience(): object | null {
    return this.fiber.runOf.instruments
  }

  protected letsGo(forced: boolean): boolean {
    return forced || this.leaves
  }

  protected abort(): void {
    if (this.cancelled !== null) return
    this.cancelled = this.fiber.causeOf(Cancel, undefined)
    if (this.lazy !== null) this.lazy.abort(toError(this.cancelled))
  }

  onFulfilled(value: unknown): void {
    const { fiber } = this
    // A promise that was let go is observed, so that its rejection is no unhandled one.
    if (this.settled) {
      discard(fiber, value)
      return
    }
    const { onValue } = this.spec
    if (onValue === undefined) {
      this.resume(Return, value)
      return
    }
    const outcome = outcomeOfValue(onValue, value)
    if (this.cancelled !== null && outcome.mode === Fail) {
      // A Left after the abort is how such code says that it has stopped.
      discard(fiber, value)
      this.resume(Cancel, undefined)
    } else this.resume(outcome.mode, outcome.value)
  }

  onRejected(reason: unknown): void {
    const { fiber, cancelled } = this
    const aborted = cancelled !== null && isAbort(reason, cancelled)
    if (this.settled) {
      if (!aborted) discard(fiber, reason)
      return
    }
    if (aborted) {
      this.resume(Cancel, undefined)
      return
    }
    const outcome = outcomeOfRejection(this.spec, reason)
    if (this.cancelled !== null) {
      const rest: Cause<unknown> = fiber.causeOf(outcome.mode, outcome.value)
      this.resume(Fault, joinThen(fiber.causeOf(Cancel, undefined), rest))
    } else this.resume(outcome.mode, outcome.value)
  }
}

const promisePrimitive: PrimitiveFunction = (
  fiber,
  start: (signal: AbortSignal) => PromiseLike<unknown>,
  spec: PromiseSpec
) => {
  if (fiber.isCancelled()) return fiber.raiseCancelled()
  const { asyncContext } = fiber.runOf
  // A signal costs microseconds, so it is made only for a function that takes one.
  const wantsSignal = start.length > 0
  const lazy = wantsSignal || asyncContext ? new LazySignal() : null
  const wait = new PromiseWait(fiber, spec, lazy)
  // The cast is for functions that take no signal, and so never see that there is none.
  const signal = wantsSignal && lazy !== null ? lazy.signal : (undefined as Untyped)
  const promise = asyncContext && lazy !== null ? withAmbient(lazy, () => start(signal)) : start(signal)
  if (promise === null || typeof promise !== 'object' || typeof promise.then !== 'function') {
    throw new TypeError(`${spec.label}: expected a promise from the function, but got ${typeof promise}.`)
  }
  return wait.begin(subscribe, promise)
}

const subscribe = (wait: PromiseWait, promise: PromiseLike<unknown>): (() => void) | void => {
  // One context for both, and apart from where the promise is made, so that what is given away holds the wait and nothing else.
  const onFulfilled = (value: unknown): void => {
    wait.onFulfilled(value)
  }
  const onRejected = (reason: unknown): void => {
    wait.onRejected(reason)
  }
  if (wait.leaves && promise instanceof Promise) {
    // Where instruments watch, what comes late is told to them.
    return whenSettled(promise, onFulfilled, onRejected, wait.audience)
  }
  promise.then(onFulfilled, onRejected)
}

/** An effect that starts a promise each time it runs, and waits for it. */
export const settlePromise = (start: (signal: AbortSignal) => PromiseLike<unknown>, spec: PromiseSpec): Op =>
  primitive(promisePrimitive, start, spec)
