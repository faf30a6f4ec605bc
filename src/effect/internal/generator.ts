/**
 * Generators as effects: how one is left early, and loops over collections that drive the same frame without a generator.
 *
 * @internal
 */
import { Generate, Op, type Untyped } from './op.js'

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
export const closeIterator = (iterator: EffectIterator | null | undefined): Result =>
  // A function that is no generator may give anything.
  typeof iterator?.return === 'function' ? iterator.return(undefined) : ended

/** Stands for a generator while it runs: one that throws has ended, and is not closed again. */
export const running: EffectIterator = { next: () => ended }

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
  new Op(Generate, () => new Each(items[Symbol.iterator](), f, []), undefined, undefined)

/** `f` for each item, in order; no values. */
export const forEach = (items: Iterable<Untyped>, f: (item: Untyped) => Op): Op =>
  new Op(Generate, () => new Each(items[Symbol.iterator](), f, null), undefined, undefined)
