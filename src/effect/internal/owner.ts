/**
 * Whoever waits for child fibers: a task group or a parallel composition. Both account for exits in the same way.
 *
 * @internal
 */
import type { Cancelled, Cause } from '../Cause.js'
import { joinAllBoth, joinBoth, joinThen, withoutCancelled } from './causes.js'
import type { Untyped } from './op.js'
import type { ScopeNode } from './scopeTree.js'

// What a child is, and what happened to it.

export const Service = 1
/** Its failure belongs to whoever asks for its exit. */
export const Owned = 2
/** Somebody was given its exit. */
export const Looked = 4
/** Its own scope was cancelled, and nothing from outside: nobody else is concerned. */
export const SelfCancelled = 8
/** Not ready yet: its failure belongs to whoever starts it. */
export const Held = 16

/** A child fiber, as its owner sees it. */
export interface Child {
  readonly id: number
  readonly owner: Owner | null
  /** How it ended: a mode of `op.ts`, and its value. */
  readonly mode: number
  readonly value: Untyped
  /** The place among the arms, or a name. */
  readonly label: string | number | null
  readonly name: string
  /** Of the flags below. */
  readonly flags: number
  /** Why it failed; null after a value. The leaf is made once. */
  failure(): Cause<unknown> | null
}

export interface Owner {
  /** Where children start. */
  readonly scope: ScopeNode
  /** What a child without a name of its own is called. */
  childName(label: number): string
  childEnded(child: Child): void
}

/** Exits as they come in: failures in the order of arrival, cancellations folded into one. */
export class Exits {
  readonly failures: Array<Cause<unknown>>
  cancelled: Cancelled | null
  /** How many failures had come in when the cancellation did. */
  before: number

  constructor() {
    this.failures = []
    this.cancelled = null
    this.before = 0
  }

  /** What is left of the cause without its cancellations, or null. */
  add(cause: Cause<unknown>): Cause<unknown> | null {
    if (cause._tag === 'Cancelled') {
      this.note(cause)
      return null
    }
    const rest = withoutCancelled(cause)
    // Whichever came first inside of the cause stays first, however many owners it passes.
    const failedFirst = rest !== null && leftmost(cause)._tag !== 'Cancelled'
    if (failedFirst) this.failures.push(rest)
    if (rest !== cause) this.note(firstCancelled(cause))
    if (rest !== null && !failedFirst) this.failures.push(rest)
    return rest
  }

  private note(cancelled: Cancelled | null): void {
    if (this.cancelled !== null) return
    this.cancelled = cancelled
    this.before = this.failures.length
  }

  /**
   * All that went wrong, with one `Cancelled` at most, and none if the cancellations are absorbed. What came in later than
   * the cancellation happened after it: most often in clean-ups.
   */
  cause(absorbed: boolean): Cause<unknown> | null {
    const { failures, cancelled, before } = this
    if (cancelled === null || absorbed) return joinAllBoth(failures)
    const earlier = joinAllBoth(failures.slice(0, before))
    const later = joinAllBoth(failures.slice(before))
    const ended = later === null ? cancelled : joinThen(cancelled, later)
    return earlier === null ? ended : joinBoth(earlier, ended)
  }
}

const firstCancelled = (cause: Cause<unknown>): Cancelled | null => {
  const rest: Array<Cause<unknown>> = [cause]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (next._tag === 'Cancelled') return next
    if (next._tag === 'Then' || next._tag === 'Both') rest.push(next.right, next.left)
  }
  return null
}

const leftmost = (cause: Cause<unknown>): Cause<unknown> => {
  let leaf = cause
  while (leaf._tag === 'Then' || leaf._tag === 'Both') leaf = leaf.left
  return leaf
}
