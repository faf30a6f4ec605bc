/**
 * The operations that look at the fiber: checkpoints, time, callbacks, joining. Each is a static function with two
 * operands, so that running one allocates no closure.
 *
 * A primitive that may wait looks first whether its scope is cancelled; if so it does nothing else.
 *
 * @internal
 */
import { toError, type Cause } from '../Cause.js'
import type { Exit } from '../Exit.js'
import { LazySignal, withAmbient } from './ambient.js'
import { joinThen, withoutCancelled } from './causes.js'
import type { Timer } from './deadlines.js'
import { checkDuration } from './durations.js'
import { admit } from './failures.js'
import { Done, New, Waiting, type Fiber } from './fiber.js'
import {
  Cancel,
  Check,
  Die,
  Evaluate,
  Fail,
  Fault,
  Op,
  Primitive,
  Return,
  Signal,
  type Untyped
} from './op.js'
import { Looked } from './owner.js'
import { walk } from './scopeTree.js'
import { type Wait, type Waiter, WaitList, never as neverEnds } from './waiting.js'

export type PrimitiveFunction = (fiber: Fiber, b: Untyped, c: Untyped) => Untyped

export const primitive = (f: PrimitiveFunction, b?: Untyped, c?: Untyped): Op => new Op(Primitive, f, b, c)

// ---- checkpoints

export const yieldNow = /*#__PURE__*/ primitive((fiber) => fiber.reschedule(Return, undefined))

export const checkCancelled = /*#__PURE__*/ primitive((fiber) =>
  fiber.isCancelled() ? fiber.raiseCancelled() : undefined
)

const checkpointPrimitive: PrimitiveFunction = (fiber) => fiber.reschedule(Check, undefined)

export const checkpoint = /*#__PURE__*/ primitive(checkpointPrimitive)

export const never = /*#__PURE__*/ primitive((fiber) =>
  fiber.isCancelled() ? fiber.raiseCancelled() : fiber.park(neverEnds)
)

// ---- time

class Sleep implements Timer, Wait {
  readonly label: string
  readonly foreign: boolean
  time: number
  readonly order: number
  index: number
  private readonly fiber: Fiber

  constructor(fiber: Fiber, time: number) {
    this.label = 'sleep'
    this.foreign = false
    this.time = time
    this.order = fiber.runOf.timers.nextOrder()
    this.index = -1
    this.fiber = fiber
  }

  fire(): void {
    this.fiber.resume(Return, undefined)
  }

  abandon(): boolean {
    this.fiber.runOf.timers.remove(this)
    return true
  }
}

const sleepUntilTime = (fiber: Fiber, time: number): typeof Signal => {
  if (fiber.isCancelled()) return fiber.raiseCancelled()
  if (time === Infinity) return fiber.park(neverEnds)
  const sleep = new Sleep(fiber, time)
  fiber.runOf.timers.add(sleep)
  return fiber.park(sleep)
}

export const sleepPrimitive: PrimitiveFunction = (fiber, ms: number) => {
  checkDuration('The duration of a sleep', ms)
  return ms <= 0
    ? checkpointPrimitive(fiber, undefined, undefined)
    : sleepUntilTime(fiber, fiber.runOf.now() + ms)
}

export const sleepUntilPrimitive: PrimitiveFunction = (fiber, time: number) => {
  checkDuration('The time of a sleep', time)
  return time <= fiber.runOf.now()
    ? checkpointPrimitive(fiber, undefined, undefined)
    : sleepUntilTime(fiber, time)
}

export const currentTime = /*#__PURE__*/ primitive((fiber) => fiber.runOf.now())

// ---- callbacks

/**
 * A wait on somebody who calls back once. What kinds of it differ in are methods, so that a wait is one small object. Until
 * the fiber waits, and where a clean-up has its say, what the wait ended with is in the mode and the value of the fiber.
 */
export abstract class Callback implements Wait {
  abstract get label(): string
  abstract get foreign(): boolean
  protected readonly fiber: Fiber
  /** Set when the first `resume` came, or the wait was withdrawn. */
  settled: boolean
  /** Undone however the wait ends. */
  private cleanUp: (() => void) | null

  constructor(fiber: Fiber) {
    this.fiber = fiber
    this.settled = false
    this.cleanUp = null
  }

  /** Whether a cancellation withdraws the wait at once. */
  protected abstract letsGo(forced: boolean): boolean
  /** Tells the outside of a cancellation. */
  protected abstract abort(): void

  resume(mode: number, value: Untyped): void {
    if (this.settled) return
    this.settled = true
    const { fiber, cleanUp } = this
    if (cleanUp !== null) {
      this.cleanUp = null
      endWith(fiber, mode, value, cleanUp)
      fiber.wake(fiber.mode, fiber.value)
    } else if (fiber.wait === this) fiber.wake(mode, value)
    else fiber.signal(mode, value)
  }

  resumeWith(exit: Exit<unknown, unknown>): void {
    if (exit._tag === 'Right') this.resume(Return, exit.right)
    else this.resume(Fault, admit(this.fiber, exit.left))
  }

  /** For the primitive: registers, then waits unless that has called back already. What `register` gives cleans up. */
  begin<A>(register: (wait: this, a: A) => (() => void) | void, a: A): Untyped {
    let cleanUp: (() => void) | void
    try {
      cleanUp = register(this, a)
    } catch (defect) {
      // The fiber goes on with the defect: nobody may resume it any more.
      this.settled = true
      throw defect
    }
    return this.settled ? endAtOnce(this.fiber, cleanUp) : this.wait(cleanUp)
  }

  /** For the primitive, after registering. */
  wait(cleanUp: (() => void) | void): Untyped {
    const { fiber } = this
    if (typeof cleanUp === 'function') this.cleanUp = cleanUp
    fiber.park(this)
    // Registering ran code of the user, which may have cancelled the scope while the fiber did not wait yet.
    fiber.cancelDelivered()
    return Signal
  }

  private asks(forced: boolean): boolean {
    try {
      return this.letsGo(forced)
    } catch (defect) {
      // The fiber goes on with the defect: nobody may resume it any more.
      this.settled = true
      throw defect
    }
  }

  abandon(_waiter: Waiter, forced: boolean): boolean {
    const goes = this.asks(forced)
    // What was told may call back at once: that is the end of a wait that goes on, and too late for one that does not.
    if (!goes || this.settled) {
      this.abort()
      return false
    }
    this.settled = true
    this.abort()
    const { cleanUp } = this
    this.cleanUp = null
    if (cleanUp !== null) cleanUp()
    return true
  }
}

/** A clean-up that throws is a defect, which joins what the wait ended with. */
const endWith = (fiber: Fiber, mode: number, value: Untyped, cleanUp: () => void): void => {
  try {
    cleanUp()
    fiber.signal(mode, value)
  } catch (defect) {
    const before = mode === Return ? null : fiber.causeOf(mode, value)
    const die: Cause<never> = { _tag: 'Die', defect }
    fiber.signal(Fault, before === null ? die : joinThen(before, die))
  }
}

/** What was called back while it registered has left its end in the fiber. */
const endAtOnce = (fiber: Fiber, cleanUp: (() => void) | void): Untyped => {
  if (typeof cleanUp === 'function') endWith(fiber, fiber.mode, fiber.value, cleanUp)
  if (fiber.mode !== Return) return Signal
  const { value } = fiber
  fiber.value = undefined
  return value
}

class AsyncWait extends Callback {
  get label(): string {
    return 'async'
  }

  get foreign(): boolean {
    return true
  }

  protected letsGo(): boolean {
    return true
  }

  protected abort(): void {
    // The clean-up that `register` returned tells it.
  }
}

/** With an ambient signal, where the runtime has them. */
class AmbientWait extends AsyncWait {
  private readonly ambient: LazySignal

  constructor(fiber: Fiber, ambient: LazySignal) {
    super(fiber)
    this.ambient = ambient
  }

  protected override abort(): void {
    this.ambient.abort(toError(this.fiber.causeOf(Cancel, undefined)))
  }
}

type Register = (resume: (exit: Exit<unknown, unknown>) => void) => (() => void) | void

const registerWith = (
  ambient: LazySignal,
  register: Register,
  resume: Parameters<Register>[0]
): (() => void) | void => withAmbient(ambient, () => register(resume))

export const asyncPrimitive: PrimitiveFunction = (fiber, register: Register) => {
  if (fiber.isCancelled()) return fiber.raiseCancelled()
  const ambient = fiber.runOf.asyncContext ? new LazySignal() : null
  // A wait is made when the callback has not come at once. Whoever keeps `resume` keeps what it uses and nothing else.
  let wait: AsyncWait | null = null
  let settled = false
  const resume = (exit: Exit<unknown, unknown>): void => {
    if (wait !== null) wait.resumeWith(exit)
    else if (!settled) {
      settled = true
      if (exit._tag === 'Right') fiber.signal(Return, exit.right)
      else fiber.signal(Fault, admit(fiber, exit.left))
    }
  }
  let cleanUp: (() => void) | void
  try {
    cleanUp = ambient === null ? register(resume) : registerWith(ambient, register, resume)
  } catch (defect) {
    settled = true
    throw defect
  }
  // The compiler does not see that `resume` was called.
  if (settled as boolean) return endAtOnce(fiber, cleanUp)
  wait = ambient === null ? new AsyncWait(fiber) : new AmbientWait(fiber, ambient)
  return wait.wait(cleanUp)
}

/** Apart from where it is used, so that what is given away holds the wait and nothing else. */
export const resumeOf =
  (wait: Callback) =>
  (exit: Exit<unknown, unknown>): void => {
    wait.resumeWith(exit)
  }

// ---- tasks

interface Answer {
  readonly mode: number
  readonly value: Untyped
}

const giveExit = (child: Fiber): Answer => {
  child.flags |= Looked
  return { mode: Return, value: child.exit() }
}

const endAlike = (child: Fiber): Answer => {
  child.flags |= Looked
  const cause = child.failure()
  if (cause === null) return { mode: Return, value: child.value }
  const rest = withoutCancelled(cause)
  if (rest !== null) return { mode: Fault, value: rest }
  const reason = cause._tag === 'Cancelled' ? cause.reason : { _tag: 'Explicit', value: undefined }
  return { mode: Fail, value: { _tag: 'TaskCancelled', task: child.name, reason } }
}

const awaitEnd = (fiber: Fiber, child: Fiber, label: string, ask: (child: Fiber) => Answer): Untyped => {
  if (child.status !== Done) {
    child.joiners ??= new WaitList(label)
    child.joiners.add(fiber, ask)
    return fiber.park(child.joiners)
  }
  const { mode, value } = ask(child)
  return mode === Return ? value : fiber.signal(mode, value)
}

export const waitPrimitive: PrimitiveFunction = (fiber, child: Fiber) =>
  fiber.isCancelled() ? fiber.raiseCancelled() : awaitEnd(fiber, child, 'Task.wait', giveExit)

export const joinPrimitive: PrimitiveFunction = (fiber, child: Fiber) => {
  if (fiber.isCancelled()) return fiber.raiseCancelled()
  if (child.status !== Done || child.mode !== Return) return awaitEnd(fiber, child, 'Task.join', endAlike)
  child.flags |= Looked
  return child.value
}

export const pollPrimitive: PrimitiveFunction = (_fiber, child: Fiber) =>
  child.status === Done ? { _tag: 'Some', value: giveExit(child).value } : { _tag: 'None' }

export type Status = 'pending' | 'running' | 'cancelling' | 'finished' | 'failed' | 'cancelled'

export const statusOf = (fiber: Fiber): Status => {
  if (fiber.status === Done) {
    const cause = fiber.failure()
    if (cause === null) return 'finished'
    return withoutCancelled(cause) === null ? 'cancelled' : 'failed'
  }
  if (fiber.status === New) return 'pending'
  // The scope that the task as a whole lives in: scopes, shields and finalizers of its own say nothing about it.
  const home = fiber.own ?? fiber.owner?.scope ?? fiber.runOf.root
  return home.effective ? 'cancelling' : 'running'
}

// ---- seeing the others

/** Marks a fiber that only waits for the others to wait. */
const othersBlocked: Wait = { label: 'waitAllTasksBlocked', foreign: false, abandon: () => true }

/** Yields as long as another fiber of the run can go on. */
export const waitAllBlocked: Op = /*#__PURE__*/ primitive((fiber) => {
  if (fiber.isCancelled()) return fiber.raiseCancelled()
  if (!othersCanRun(fiber)) {
    fiber.wait = null
    return undefined
  }
  const signal = fiber.reschedule(Evaluate, waitAllBlocked)
  fiber.wait = othersBlocked
  return signal
})

const othersCanRun = (fiber: Fiber): boolean => {
  let found = false
  walk(fiber.runOf.root, (node) => {
    for (let each = node.firstFiber; each !== null && !found; each = each.scopeNext) {
      const other = each as Fiber
      found = other !== fiber && other.status !== Waiting && other.wait !== othersBlocked
    }
    return !found
  })
  return found
}

// ---- environment and locals

export const ask = /*#__PURE__*/ primitive((fiber) => fiber.environment)

export const asksPrimitive: PrimitiveFunction = (fiber, f: (environment: Untyped) => Untyped) =>
  f(fiber.environment)

export const isDone = (fiber: Fiber): boolean => fiber.status === Done

/** A defect that teaches. */
export const misuse = (fiber: Fiber, message: string): typeof Signal =>
  fiber.signal(Die, new TypeError(message))
