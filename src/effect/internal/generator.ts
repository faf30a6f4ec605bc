/**
 * Generators as effects: how one is left early, and loops over collections that drive the same frame without a generator.
 *
 * @internal
 */
import { afterFinalizer } from './finalizers.js'
import type { Saved } from './failures.js'
import type { Fiber } from './fiber.js'
import { Frame, framed } from './frame.js'
import { Die, Evaluate, Fault, Generate, Op, type Signal, type Untyped } from './op.js'

interface Result {
  readonly done?: boolean
  readonly value: Untyped
}

interface EffectIterator {
  next(sent: Untyped): Result
  return?(value?: Untyped): Result
}

const ended: Result = { done: true, value: undefined }

/** Runs the finally blocks of a generator up to the first effect in one of them. */
const close = (iterator: EffectIterator | null | undefined): Result =>
  // A function that is no generator may give anything.
  typeof iterator?.return === 'function' ? iterator.return(undefined) : ended

/** A generator that was left, and what is raised when its finally blocks have run: as finalizers. */
interface Unwinding {
  readonly iterator: EffectIterator
  readonly before: Saved
}

/** One step of the finally blocks, which may throw: then they have ended. */
const unwind = (
  fiber: Fiber,
  unwinding: Unwinding,
  step: (iterator: EffectIterator) => Result
): typeof Signal => {
  const { iterator, before } = unwinding
  let result: Result
  try {
    result = step(iterator)
  } catch (defect) {
    fiber.mask--
    return fiber.signal(Fault, afterFinalizer(fiber, before, Die, defect))
  }
  if (result.done !== true) return fiber.signal(Evaluate, framed(result.value, unwinding, unwound))
  fiber.mask--
  return fiber.signal(before.mode, before.value)
}

/** Around an effect in a finally block. */
const unwound = /*#__PURE__*/ new Frame(
  null,
  (fiber, unwinding: Unwinding, sent) => unwind(fiber, unwinding, (iterator) => iterator.next(sent)),
  // The finally blocks around the one that has failed still run.
  (fiber, { iterator, before }: Unwinding, mode, value) =>
    unwind(
      fiber,
      { iterator, before: { mode: Fault, value: afterFinalizer(fiber, before, mode, value) } },
      close
    )
)

const leaveGenerator = (
  fiber: Fiber,
  iterator: EffectIterator,
  mode: number,
  value: Untyped
): typeof Signal => {
  fiber.mask++
  return unwind(fiber, { iterator, before: { mode, value } }, close)
}

const anonymous = /*#__PURE__*/ new Frame(null, null, leaveGenerator)

/** What the effects of a function share that has a name. */
export const named = (name: string): Frame => new Frame(null, null, leaveGenerator, name)

export const generate = (body: () => Iterator<Untyped>): Op => new Op(Generate, body, undefined, anonymous)

/**
 * One effect after the other, made by `f`; the values go to `collect`. Its own result object, like the iterator of an
 * effect, so that a turn allocates nothing of ours.
 */
class Each implements EffectIterator {
  done: boolean
  value: Untyped
  private readonly items: Iterator<Untyped>
  private readonly f: (item: Untyped) => Op
  private readonly collected: Array<Untyped> | null
  private started: boolean

  constructor(items: Iterator<Untyped>, f: (item: Untyped) => Op, collected: Array<Untyped> | null) {
    this.done = false
    this.value = undefined
    this.items = items
    this.f = f
    this.collected = collected
    this.started = false
  }

  next(sent: Untyped): this {
    if (!this.started) this.started = true
    else if (this.collected !== null) this.collected.push(sent)
    const item = this.items.next()
    if (item.done === true) {
      this.done = true
      this.value = this.collected === null ? undefined : this.collected
    } else this.value = (0, this.f)(item.value)
    return this
  }

  return(): Result {
    // An iterable may hold something open, as a generator does.
    this.items.return?.()
    return ended
  }
}

/** `f` for each item, in order; the values as an array. */
export const traverse = (items: Iterable<Untyped>, f: (item: Untyped) => Op): Op =>
  generate(() => new Each(items[Symbol.iterator](), f, []))

/** `f` for each item, in order; no values. */
export const forEach = (items: Iterable<Untyped>, f: (item: Untyped) => Op): Op =>
  generate(() => new Each(items[Symbol.iterator](), f, null))
