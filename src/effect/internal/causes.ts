/**
 * What a `Cause` is made of: its model, the walks over it, and the joins that keep each leaf once.
 * `Cause.ts` shows the model to users; the interpreter works with this file directly.
 *
 * **Promises.** A cause nests as deep as a program fails, so no walk here recurses, and each is linear in the
 * number of nodes. A leaf stands for one thing that went wrong: it is compared by reference, never by the
 * value it carries.
 *
 * @since 0.1.0
 */
import type { Option } from 'fp-ts/lib/Option.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An expected, typed failure. Made by `Cause.fail`, found by `Cause.isFail` and `Cause.failures`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const failed: Cause.Fail<string> = { _tag: 'Fail', error: 'not found' }
 *
 * assert.deepEqual(Cause.failures(failed), ['not found'])
 *
 * @category model
 * @since 0.1.0
 */
export interface Fail<out E> {
  readonly _tag: 'Fail'
  readonly error: E
}

/**
 * A bug: what was thrown. Made by `Cause.die`, found by `Cause.isDie` and `Cause.defects`. What callers
 * should be able to handle belongs into a `Fail`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const crashed: Cause.Die = { _tag: 'Die', defect: new TypeError('x is not a function') }
 *
 * assert.equal(Cause.pretty(crashed), 'Die: TypeError: x is not a function')
 *
 * @category model
 * @since 0.1.0
 */
export interface Die {
  readonly _tag: 'Die'
  readonly defect: unknown
}

declare const CancelledBrand: unique symbol

/**
 * Stopped by a cancelled scope. Only the runtime makes it (hence the brand); one that was observed may be
 * raised again inside the scope that was cancelled.
 *
 * @example
 * import type { Cause } from 'millrace'
 *
 * // a cancellation is read as data: who, why, and because of what
 * export const summary = ({ scope, reason }: Cause.Cancelled): string => `${scope}: ${reason._tag}`
 *
 * @category model
 * @since 0.1.0
 */
export interface Cancelled {
  readonly _tag: 'Cancelled'
  readonly [CancelledBrand]: true
  /** Name of the scope that was cancelled. */
  readonly scope: string
  readonly reason: CancelReason
  /** Name of the task that called `cancel`, when a task did. */
  readonly by: Option<string>
  /** The cancellation that led to this one, when a scope was cancelled because of another. */
  readonly because: Option<Cancelled>
}

/**
 * One after another: `right` happened while cleaning up after `left`. Made by `Cause.SemigroupThen`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.SemigroupThen<string>().concat(Cause.fail('query'), Cause.fail('rollback'))
 *
 * assert.ok(Cause.isThen(cause))
 * assert.deepEqual(cause.left, Cause.fail('query'))
 *
 * @category model
 * @since 0.1.0
 */
export interface Then<out E> {
  readonly _tag: 'Then'
  readonly left: Cause<E>
  readonly right: Cause<E>
}

/**
 * Side by side: several tasks of a group failed. Made by `Cause.SemigroupBoth`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.SemigroupBoth<string>().concat(Cause.fail('left task'), Cause.fail('right task'))
 *
 * assert.ok(Cause.isBoth(cause))
 * assert.deepEqual(cause.right, Cause.fail('right task'))
 *
 * @category model
 * @since 0.1.0
 */
export interface Both<out E> {
  readonly _tag: 'Both'
  readonly left: Cause<E>
  readonly right: Cause<E>
}

/**
 * Why an effect did not succeed: a tree with what went wrong at its leaves. `E` is the type of the expected
 * failures alone; bugs and cancellations are in no type.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const { concat } = Cause.SemigroupThen<string>()
 * const cause: Cause.Cause<string> = concat(Cause.fail('disk full'), Cause.die('bug'))
 *
 * assert.deepEqual(Cause.failures(cause), ['disk full'])
 * assert.deepEqual(Cause.defects(cause), ['bug'])
 *
 * @category model
 * @since 0.1.0
 */
export type Cause<E> = Fail<E> | Die | Cancelled | Then<E> | Both<E>

/**
 * Why a scope was cancelled. The first reason given to a scope wins. Open at `Explicit`, which holds any
 * value.
 *
 * @example
 * import type { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const explain = (reason: Cause.CancelReason): string => {
 *   switch (reason._tag) {
 *     case 'Deadline':
 *       return `too late at ${reason.time}`
 *     case 'SiblingFailed':
 *       return `because ${reason.task} failed`
 *     case 'Explicit':
 *       return `asked for: ${String(reason.value)}`
 *     case 'Aborted':
 *       return 'by a signal'
 *     case 'Shutdown':
 *       return reason.signal
 *   }
 * }
 *
 * assert.equal(explain({ _tag: 'Deadline', time: 1500 }), 'too late at 1500')
 *
 * @category model
 * @since 0.1.0
 */
export type CancelReason = Deadline | SiblingFailed | Explicit | Aborted | Shutdown

/**
 * A deadline passed.
 *
 * @example
 * import type { Cause } from 'millrace'
 *
 * export const isTimeout = (cancelled: Cause.Cancelled): boolean => cancelled.reason._tag === 'Deadline'
 *
 * @category model
 * @since 0.1.0
 */
export interface Deadline {
  readonly _tag: 'Deadline'
  /** The deadline that passed, in the time of the run's clock. */
  readonly time: number
}

/**
 * Another task of the group failed, and took the group with it.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const reason: Cause.SiblingFailed = { _tag: 'SiblingFailed', task: 'a', cause: Cause.fail('disk full') }
 *
 * assert.deepEqual(Cause.failures(reason.cause), ['disk full'])
 *
 * @category model
 * @since 0.1.0
 */
export interface SiblingFailed {
  readonly _tag: 'SiblingFailed'
  /** Name of the task that failed. */
  readonly task: string
  /** Why it failed. */
  readonly cause: Cause<unknown>
}

/**
 * A program asked for it, by `cancel(value)`.
 *
 * @example
 * import type { Cause } from 'millrace'
 *
 * export const reasons: ReadonlyArray<Cause.Explicit> = [
 *   { _tag: 'Explicit', value: 'the user typed on' },
 *   { _tag: 'Explicit', value: { _tag: 'Superseded', by: 3 } }
 * ]
 *
 * @category model
 * @since 0.1.0
 */
export interface Explicit {
  readonly _tag: 'Explicit'
  readonly value: unknown
}

/**
 * An `AbortSignal` from outside was aborted.
 *
 * @example
 * import type { Cause } from 'millrace'
 *
 * export const aborted: Cause.Aborted = { _tag: 'Aborted', reason: AbortSignal.abort().reason }
 *
 * @category model
 * @since 0.1.0
 */
export interface Aborted {
  readonly _tag: 'Aborted'
  /** The `reason` of the signal. */
  readonly reason: unknown
}

/**
 * The process was asked to end.
 *
 * @example
 * import type { Cause } from 'millrace'
 *
 * export const shutdown: Cause.Shutdown = { _tag: 'Shutdown', signal: 'SIGTERM' }
 *
 * @category model
 * @since 0.1.0
 */
export interface Shutdown {
  readonly _tag: 'Shutdown'
  /** Name of the signal, such as `SIGINT`. */
  readonly signal: string
}

/**
 * The defect that joins the cause when a clean-up was cut short by `grace`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const overran: Cause.CleanupOverran = { _tag: 'CleanupOverran', task: 'metrics', grace: 1000 }
 *
 * assert.equal(Cause.pretty(Cause.die(overran)), 'Die: CleanupOverran, task "metrics", grace 1000 ms')
 *
 * @category model
 * @since 0.1.0
 */
export interface CleanupOverran {
  readonly _tag: 'CleanupOverran'
  /** Name of the task whose clean-up was cut. */
  readonly task: string
  /** The time that it had, in milliseconds. */
  readonly grace: number
}

/**
 * One thing that went wrong.
 *
 * @internal
 */
export type Leaf<E> = Fail<E> | Die | Cancelled

/**
 * A run of `Then` or of `Both` without its nesting: no member is a run of the same kind.
 *
 * @internal
 */
export interface Run<E> {
  readonly _tag: 'Then' | 'Both'
  readonly members: Array<Leaf<E> | Run<E>>
  /** How many leaves it has, at any depth. */
  size: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The only way to a `Cancelled`: the brand is a promise that a scope really was cancelled.
 *
 * @internal
 */
export const cancelled = (
  scope: string,
  reason: CancelReason,
  by: Option<string>,
  because: Option<Cancelled>
  // the brand exists in the types only, so that a printed or compared leaf shows nothing of it
): Cancelled => ({ _tag: 'Cancelled', scope, reason, by, because }) as Cancelled

// -------------------------------------------------------------------------------------
// walks
// -------------------------------------------------------------------------------------

/** @internal */
export const isLeaf = <E>(cause: Cause<E>): cause is Leaf<E> => cause._tag !== 'Then' && cause._tag !== 'Both'

/**
 * Does a leaf satisfy the predicate? Asks from left to right and stops at the first that does.
 *
 * @internal
 */
export const someLeaf = <E>(cause: Cause<E>, predicate: (leaf: Leaf<E>) => boolean): boolean => {
  const pending = [cause]
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    if (!isLeaf(current)) pending.push(current.right, current.left)
    else if (predicate(current)) return true
  }
  return false
}

/**
 * Visits the leaves from left to right.
 *
 * @internal
 */
export const forEachLeaf = <E>(cause: Cause<E>, visit: (leaf: Leaf<E>) => void): void => {
  someLeaf(cause, (leaf) => {
    visit(leaf)
    return false
  })
}

/**
 * Folds from the leaves, left before right.
 *
 * @internal
 */
export const fold = <E, B>(
  cause: Cause<E>,
  onLeaf: (leaf: Leaf<E>) => B,
  onNode: (node: Then<E> | Both<E>, left: B, right: B) => B
): B => {
  if (isLeaf(cause)) return onLeaf(cause)
  // Parents before children and right before left: read from its end, this is the order of a fold.
  const order: Array<Cause<E>> = []
  const pending = [cause as Cause<E>]
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    order.push(current)
    if (!isLeaf(current)) pending.push(current.left, current.right)
  }
  const results: Array<B> = []
  for (let current = order.pop(); current !== undefined; current = order.pop()) {
    if (isLeaf(current)) {
      results.push(onLeaf(current))
    } else {
      // Both sides of a node have been folded before the node is reached.
      const right = results.pop() as B
      const left = results.pop() as B
      results.push(onNode(current, left, right))
    }
  }
  return results.pop() as B
}

/**
 * The cause without its nesting of equal kinds, so that what reads it does not depend on how it was
 * associated.
 *
 * @internal
 */
export const flatten = <E>(cause: Cause<E>): Leaf<E> | Run<E> => {
  if (isLeaf(cause)) return cause
  const root: Run<E> = { _tag: cause._tag, members: [], size: 0 }
  const runs = [root]
  const pending: Array<{ readonly part: Cause<E>; readonly into: Run<E> }> = [{ part: cause, into: root }]
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    const { part, into } = current
    if (isLeaf(part)) {
      into.members.push(part)
      continue
    }
    let run = into
    if (part._tag !== into._tag) {
      run = { _tag: part._tag, members: [], size: 0 }
      into.members.push(run)
      runs.push(run)
    }
    pending.push({ part: part.right, into: run }, { part: part.left, into: run })
  }
  // A run is opened after the run that holds it, so from the last to the first all members are measured
  // before.
  for (const run of runs.reverse()) {
    for (const member of run.members) run.size += isRun(member) ? member.size : 1
  }
  return root
}

/** @internal */
export const isRun = <E>(part: Leaf<E> | Run<E>): part is Run<E> =>
  part._tag === 'Then' || part._tag === 'Both'

// -------------------------------------------------------------------------------------
// questions
// -------------------------------------------------------------------------------------

/** @internal */
export const hasCancelled = (cause: Cause<unknown>): boolean =>
  someLeaf(cause, (leaf) => leaf._tag === 'Cancelled')

/** @internal */
export const isCancelledOnly = (cause: Cause<unknown>): boolean =>
  !someLeaf(cause, (leaf) => leaf._tag !== 'Cancelled')

// -------------------------------------------------------------------------------------
// changes
// -------------------------------------------------------------------------------------

const rebuilt = <E>(node: Then<unknown> | Both<unknown>, left: Cause<E>, right: Cause<E>): Cause<E> =>
  // When nothing changed the node itself has this type, since its sides have.
  left === node.left && right === node.right ? (node as Cause<E>) : { _tag: node._tag, left, right }

/**
 * Puts a cause in the place of each leaf. A part in which `f` gives back the same leaves stays the same
 * object. It does not look for leaves that `f` gives twice.
 *
 * @internal
 */
export const mapLeaves = <E, E2>(cause: Cause<E>, f: (leaf: Leaf<E>) => Cause<E2>): Cause<E2> =>
  fold<E, Cause<E2>>(cause, f, rebuilt)

/**
 * The cause with only those leaves that satisfy the predicate, which is asked once for each, from left to
 * right; `null` when none does. A part that loses nothing stays the same object.
 *
 * @internal
 */
export const filterLeaves = <E>(cause: Cause<E>, keep: (leaf: Leaf<E>) => boolean): Cause<E> | null =>
  fold<E, Cause<E> | null>(
    cause,
    (leaf) => (keep(leaf) ? leaf : null),
    (node, left, right) => (left === null ? right : right === null ? left : rebuilt(node, left, right))
  )

/**
 * What is left after a scope absorbed its cancellation.
 *
 * @internal
 */
export const withoutCancelled = <E>(cause: Cause<E>): Cause<E> | null =>
  // Asked for each task of a group that is cancelled.
  cause._tag === 'Cancelled' ? null : filterLeaves(cause, notCancelled)

const notCancelled = (leaf: Cause<unknown>): boolean => leaf._tag !== 'Cancelled'

/**
 * Splits off the failures that a handler takes: `first` is the error of the leftmost of them, `rest` all that
 * it does not take. `null` when it takes none.
 *
 * @internal
 */
export const partitionFails = <E>(
  cause: Cause<E>,
  matches: (error: E) => boolean
): { readonly first: E; readonly rest: Cause<E> | null } | null => {
  let first: { readonly error: E } | null = null
  const rest = filterLeaves(cause, (leaf) => {
    if (leaf._tag !== 'Fail' || !matches(leaf.error)) return true
    first ??= leaf
    return false
  })
  // The compiler does not see the assignment inside the callback.
  const found = first as { readonly error: E } | null
  return found === null ? null : { first: found.error, rest }
}

// -------------------------------------------------------------------------------------
// joins
// -------------------------------------------------------------------------------------

/**
 * The leaves of a cause: those of `index` with a number below `size`. A cause that grows by joins shares one
 * index with all that it grew from, each of which knows how much of it was there at its time; so a join adds
 * to the index what is new, and reads nothing again.
 */
interface Members {
  readonly index: Map<Leaf<unknown>, number>
  readonly size: number
}

/** Up to here, reading the leaves again costs less than remembering them. */
const smallCause = 32

const remembered = /*#__PURE__*/ new WeakMap<Cause<unknown>, Members>()

const membersOf = (cause: Cause<unknown>): Members => {
  const known = remembered.get(cause)
  if (known !== undefined) return known
  const index: Members['index'] = new Map()
  forEachLeaf(cause, (leaf) => {
    enter(index, leaf)
  })
  const members = { index, size: index.size }
  if (members.size > smallCause) remembered.set(cause, members)
  return members
}

const enter = (index: Members['index'], leaf: Leaf<unknown>): void => {
  if (!index.has(leaf)) index.set(leaf, index.size)
}

const includes = (members: Members, leaf: Leaf<unknown>): boolean => {
  const position = members.index.get(leaf)
  return position !== undefined && position < members.size
}

/** Stops at the first member for which `visit` gives `true`. */
const someMember = (members: Members, visit: (leaf: Leaf<unknown>) => boolean): boolean => {
  for (const [leaf, position] of members.index) {
    // A map is read in the order in which it was filled, so all that follow came later as well.
    if (position >= members.size) return false
    if (visit(leaf)) return true
  }
  return false
}

const join = <E, E2>(tag: 'Then' | 'Both', left: Cause<E>, right: Cause<E2>): Cause<E | E2> => {
  const whole: Cause<E | E2> = right
  if (left === whole) return left
  if (isLeaf(left) && isLeaf(right)) return { _tag: tag, left, right }
  const known = membersOf(left)
  const added = membersOf(right)
  const [small, large] = known.size < added.size ? [known, added] : [added, known]
  const shared = someMember(small, (leaf) => includes(large, leaf))
  const fresh = shared ? filterLeaves(right, (leaf) => !includes(known, leaf)) : right
  if (fresh === null) return left
  const joined: Cause<E | E2> = { _tag: tag, left, right: fresh }
  // When another cause has already grown from the larger side, what it added is not in this one: read it when it is needed.
  if (small.size + large.size > smallCause && large.index.size === large.size) {
    const { index } = large
    someMember(small, (leaf) => {
      enter(index, leaf)
      return false
    })
    remembered.set(joined, { index, size: index.size })
  }
  return joined
}

/**
 * `right` happened after `left`. Leaves of `right` that are in `left` already are dropped; when none is left
 * over, the result is `left`. Joining one leaf at a time to a growing cause, on either side, is linear
 * altogether.
 *
 * @internal
 */
export const joinThen = <E, E2>(left: Cause<E>, right: Cause<E2>): Cause<E | E2> => join('Then', left, right)

/**
 * `left` and `right` happened side by side; leaves in both are kept once, as by `joinThen`.
 *
 * @internal
 */
export const joinBoth = <E, E2>(left: Cause<E>, right: Cause<E2>): Cause<E | E2> => join('Both', left, right)

/**
 * All causes side by side, in their order, each leaf once; `null` when there are none.
 *
 * @internal
 */
export const joinAllBoth = <E>(causes: ReadonlyArray<Cause<E>>): Cause<E> | null => {
  let joined: Cause<E> | null = null
  for (const cause of causes) joined = joined === null ? cause : joinBoth(joined, cause)
  return joined
}
