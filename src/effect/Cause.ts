/**
 * Why an effect did not succeed. Nothing that went wrong is dropped: a second error joins the first, so a
 * cause is a tree.
 *
 * ```ts
 * type Cause<E> = Fail<E> | Die | Cancelled | Then<E> | Both<E>
 * ```
 *
 * `Fail` is expected and typed, `Die` is a bug, `Cancelled` was stopped by a scope; `Then` joins what
 * happened one after another, `Both` what happened side by side.
 *
 * **Promises.** Each leaf is made once, where a failure first leaves a fiber, and a join keeps the same leaf
 * once. All functions here are loops, and linear in the size of the cause, whatever its shape (`getEq` has
 * one exception): a cause of a million nested nodes overflows no stack.
 *
 * To handle the failures of an effect use `Effect.orElse`, `Effect.catchTag` or `Effect.match`; a cause is
 * what `Effect.onExit`, `Effect.catchCause` and `Effect.exit` show when a program also wants to see bugs and
 * cancellations.
 *
 * @since 0.1.0
 */
import type { Eq } from 'fp-ts/lib/Eq.js'
import type { Functor1 } from 'fp-ts/lib/Functor.js'
import type { Semigroup } from 'fp-ts/lib/Semigroup.js'
import * as _ from './internal/causes.js'
import { causeText, errorMessage, errorName, isError } from './internal/causeText.js'
import type { Both, Cancelled, Cause, Die, Fail, Then } from './internal/causes.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

export type {
  Aborted,
  Both,
  CancelReason,
  Cancelled,
  Cause,
  CleanupOverran,
  Deadline,
  Die,
  Explicit,
  Fail,
  Shutdown,
  SiblingFailed,
  Then
} from './internal/causes.js'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * An expected failure. Use it where a cause is needed as data, as by `Effect.failCause`; in a program,
 * `Effect.fail` is shorter.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.fail({ _tag: 'NotFound', id: 3 })
 *
 * assert.deepEqual(Cause.failures(cause), [{ _tag: 'NotFound', id: 3 }])
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = <const E>(error: E): Cause<E> => ({ _tag: 'Fail', error })

/**
 * A bug, with what was thrown. Use it for what no caller can be expected to handle.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.die(new RangeError('index -1'))
 *
 * assert.equal(Cause.pretty(cause), 'Die: RangeError: index -1')
 *
 * @category constructors
 * @since 0.1.0
 */
export const die = (defect: unknown): Cause<never> => ({ _tag: 'Die', defect })

// -------------------------------------------------------------------------------------
// guards
// -------------------------------------------------------------------------------------

/**
 * Is the cause a single expected failure? To find the failures anywhere in a cause use `failures`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(Cause.isFail(Cause.fail('not found')), true)
 * assert.equal(Cause.isFail(Cause.die('bug')), false)
 *
 * @category guards
 * @since 0.1.0
 */
export const isFail = <E>(cause: Cause<E>): cause is Fail<E> => cause._tag === 'Fail'

/**
 * Is the cause a single bug? To find the bugs anywhere in a cause use `defects`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(Cause.isDie(Cause.die('bug')), true)
 * assert.equal(Cause.isDie(Cause.fail('not found')), false)
 *
 * @category guards
 * @since 0.1.0
 */
export const isDie = <E>(cause: Cause<E>): cause is Die => cause._tag === 'Die'

/**
 * Is the cause a single cancellation? `isCancelledOnly` looks into joined causes too, and is what most
 * programs want.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const scopeOf = (cause: Cause.Cause<unknown>) => (Cause.isCancelled(cause) ? cause.scope : undefined)
 *
 * assert.equal(scopeOf(Cause.fail('not found')), undefined)
 *
 * @category guards
 * @since 0.1.0
 */
export const isCancelled = <E>(cause: Cause<E>): cause is Cancelled => cause._tag === 'Cancelled'

/**
 * Is the cause a join of what happened one after another?
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.SemigroupThen<string>().concat(Cause.fail('write'), Cause.fail('close'))
 *
 * assert.equal(Cause.isThen(cause), true)
 * assert.equal(Cause.isThen(Cause.fail('write')), false)
 *
 * @category guards
 * @since 0.1.0
 */
export const isThen = <E>(cause: Cause<E>): cause is Then<E> => cause._tag === 'Then'

/**
 * Is the cause a join of what happened side by side?
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.SemigroupBoth<string>().concat(Cause.fail('reader'), Cause.fail('writer'))
 *
 * assert.equal(Cause.isBoth(cause), true)
 * assert.equal(Cause.isBoth(Cause.fail('reader')), false)
 *
 * @category guards
 * @since 0.1.0
 */
export const isBoth = <E>(cause: Cause<E>): cause is Both<E> => cause._tag === 'Both'

/**
 * Are all leaves `Cancelled`? Use it to tell "it was stopped" from "something went wrong", for instance to
 * keep quiet in a log.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const worthLogging = (cause: Cause.Cause<unknown>) => !Cause.isCancelledOnly(cause)
 *
 * assert.equal(worthLogging(Cause.die('bug')), true)
 *
 * @category guards
 * @since 0.1.0
 */
export const isCancelledOnly = (cause: Cause<unknown>): boolean => _.isCancelledOnly(cause)

// -------------------------------------------------------------------------------------
// inspection
// -------------------------------------------------------------------------------------

/**
 * The expected failures, left to right. Use it to report all of them, where a handler of an effect sees the
 * first.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const { concat } = Cause.SemigroupBoth<string>()
 * const cause = concat(Cause.fail('a'), concat(Cause.die('bug'), Cause.fail('b')))
 *
 * assert.deepEqual(Cause.failures(cause), ['a', 'b'])
 *
 * @category inspection
 * @since 0.1.0
 */
export const failures = <E>(cause: Cause<E>): ReadonlyArray<E> => {
  const found: Array<E> = []
  _.forEachLeaf(cause, (leaf) => {
    if (leaf._tag === 'Fail') found.push(leaf.error)
  })
  return found
}

/**
 * The bugs, left to right: what was thrown.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.SemigroupThen<string>().concat(Cause.fail('a'), Cause.die('bug'))
 *
 * assert.deepEqual(Cause.defects(cause), ['bug'])
 *
 * @category inspection
 * @since 0.1.0
 */
export const defects = (cause: Cause<unknown>): ReadonlyArray<unknown> => {
  const found: Array<unknown> = []
  _.forEachLeaf(cause, (leaf) => {
    if (leaf._tag === 'Die') found.push(leaf.defect)
  })
  return found
}

/**
 * The cause without its cancellations; null when there was nothing else. What a handler does that has dealt
 * with them.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * assert.deepEqual(Cause.withoutCancelled(Cause.fail('no')), Cause.fail('no'))
 *
 * @category inspection
 * @since 0.1.0
 */
export const withoutCancelled = <E>(cause: Cause<E>): Cause<E> | null => _.withoutCancelled(cause)

/**
 * The cancellations, left to right. Use it to learn who cancelled, and why.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const timedOut = (cause: Cause.Cause<unknown>) =>
 *   Cause.cancellations(cause).some((cancelled) => cancelled.reason._tag === 'Deadline')
 *
 * assert.equal(timedOut(Cause.fail('not found')), false)
 *
 * @category inspection
 * @since 0.1.0
 */
export const cancellations = (cause: Cause<unknown>): ReadonlyArray<Cancelled> => {
  const found: Array<Cancelled> = []
  _.forEachLeaf(cause, (leaf) => {
    if (leaf._tag === 'Cancelled') found.push(leaf)
  })
  return found
}

/**
 * Folds a cause from its leaves, left before right. Use it for summaries that the functions above do not
 * give.
 *
 * Equal causes give equal results only if `onThen` and `onBoth` are associative and `onBoth` is commutative
 * (see `getEq`).
 *
 * @example
 * import { Cause } from 'millrace'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import assert from 'node:assert/strict'
 *
 * const size = Cause.match<unknown, number>({
 *   onFail: () => 1,
 *   onDie: () => 1,
 *   onCancelled: () => 1,
 *   onThen: (left, right) => left + right,
 *   onBoth: (left, right) => left + right
 * })
 *
 * assert.equal(pipe(Cause.SemigroupThen<string>().concat(Cause.fail('a'), Cause.die('bug')), size), 2)
 *
 * @category inspection
 * @since 0.1.0
 */
export const match =
  <E, B>(cases: {
    readonly onFail: (error: E) => B
    readonly onDie: (defect: unknown) => B
    readonly onCancelled: (cancelled: Cancelled) => B
    readonly onThen: (left: B, right: B) => B
    readonly onBoth: (left: B, right: B) => B
  }) =>
  (cause: Cause<E>): B =>
    _.fold<E, B>(
      cause,
      (leaf) => {
        switch (leaf._tag) {
          case 'Fail':
            return cases.onFail(leaf.error)
          case 'Die':
            return cases.onDie(leaf.defect)
          case 'Cancelled':
            return cases.onCancelled(leaf)
        }
      },
      (node, left, right) => (node._tag === 'Then' ? cases.onThen(left, right) : cases.onBoth(left, right))
    )

/**
 * One `Error` for the world outside, such as a rejected promise. Made by `toError`.
 *
 * `message` is what `pretty` says, cut after some lines. `cause` is what failed first: the first expected
 * failure, else the first bug, else the cancellation. `errors` holds all the others, left to right, and
 * `source` the whole cause.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.SemigroupThen<string>().concat(Cause.die('bug'), Cause.fail('not found'))
 * const error = Cause.toError(cause)
 *
 * assert.ok(error instanceof Cause.CauseError)
 * assert.equal(error.cause, 'not found')
 * assert.deepEqual(error.errors, ['bug'])
 *
 * @category model
 * @since 0.1.0
 */
export class CauseError extends Error {
  declare readonly source: Cause<unknown>
  declare readonly errors: ReadonlyArray<unknown>

  /** Use `toError`, which gives the same error for the same cause. */
  constructor(source: Cause<unknown>) {
    const leaves: Array<_.Leaf<unknown>> = []
    _.forEachLeaf(source, (leaf) => leaves.push(leaf))
    const first = leaves.find(isFail) ?? leaves.find(isDie) ?? leaves[0]!
    super(causeText(source, 10, 4000), { cause: contentOf(first) })
    leaves.splice(leaves.indexOf(first), 1)
    // Not enumerable, as `cause` and `message` are not: hosts print the fields of an uncaught error below its
    // stack, and there the message has said it all before.
    Object.defineProperties(this, { source: { value: source }, errors: { value: leaves.map(contentOf) } })
  }

  // On the prototype, where the host looks for it when it writes the first line of `stack`.
  override get name(): 'CauseError' {
    return 'CauseError'
  }
}

const contentOf = (leaf: _.Leaf<unknown>): unknown =>
  leaf._tag === 'Fail' ? leaf.error : leaf._tag === 'Die' ? leaf.defect : leaf

const asErrors = /*#__PURE__*/ new WeakMap<Cause<unknown>, CauseError>()

/**
 * The cause as one `Error`, to be thrown or to reject a promise with. `Runtime.runPromise` does so.
 *
 * The same cause gives the same error. A cause that is nothing but a `CauseError` that was thrown (the
 * promise of another run was awaited) gives that error, with no second one around it.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const bug = new TypeError('x is not a function')
 * const error = Cause.toError(Cause.die(bug))
 *
 * assert.equal(error.message, 'Die: TypeError: x is not a function')
 * assert.equal(error.cause, bug)
 *
 * @category conversions
 * @since 0.1.0
 */
export const toError = (cause: Cause<unknown>): CauseError => {
  // Asked for an error first, since a defect may be anything, a proxy that refuses to be asked too.
  if (cause._tag === 'Die' && isError(cause.defect) && cause.defect instanceof CauseError) return cause.defect
  const error = asErrors.get(cause) ?? new CauseError(cause)
  asErrors.set(cause, error)
  return error
}

/**
 * The cause as text, for people: one line a leaf, with the names of scope and task and the reason of a
 * cancellation.
 *
 * What happened one after another stands on consecutive lines, later ones while cleaning up; what happened
 * side by side stands as a tree below a line that says so. Values are shown like JSON, shortened, and
 * whatever they are: cycles and getters that throw included. Levels of the tree beyond the sixteenth are
 * numbered and indented no further.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const both = Cause.SemigroupBoth<unknown>().concat
 * const then = Cause.SemigroupThen<unknown>().concat
 * const cause = both(
 *   then(Cause.fail({ _tag: 'NotFound', id: 3 }), Cause.die(new Error('rollback failed'))),
 *   Cause.fail('disk full')
 * )
 *
 * assert.equal(
 *   Cause.pretty(cause),
 *   [
 *     'Both, 2 side by side',
 *     '├─ Fail: NotFound { id: 3 }',
 *     '│  Die: Error: rollback failed',
 *     '└─ Fail: "disk full"'
 *   ].join('\n')
 * )
 *
 * @category inspection
 * @since 0.1.0
 */
export const pretty = (cause: Cause<unknown>): string =>
  // Well below the longest string that a host can hold, so that it never throws.
  causeText(cause, Infinity, 2 ** 28)

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Changes the expected failures. Bugs and cancellations stay the same leaves; a failure becomes a new one.
 *
 * @example
 * import { Cause } from 'millrace'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import assert from 'node:assert/strict'
 *
 * assert.deepEqual(
 *   pipe(
 *     Cause.fail(404),
 *     Cause.map((status) => `status ${status}`)
 *   ),
 *   Cause.fail('status 404')
 * )
 *
 * @category combinators
 * @since 0.1.0
 */
export const map =
  <E, E2>(f: (e: E) => E2) =>
  (cause: Cause<E>): Cause<E2> =>
    _.mapLeaves<E, E2>(cause, (leaf) => (leaf._tag === 'Fail' ? fail(f(leaf.error)) : leaf))

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * The name of `Cause` among the type constructors of fp-ts.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(Cause.Functor.URI, Cause.URI)
 *
 * @category instances
 * @since 0.1.0
 */
export const URI = 'millrace/Cause'

/**
 * The type of the value `URI`.
 *
 * @example
 * import type { Cause } from 'millrace'
 * import type { Kind } from 'fp-ts/HKT'
 *
 * export const failures: ReadonlyArray<Kind<Cause.URI, string>> = []
 *
 * @category instances
 * @since 0.1.0
 */
export type URI = typeof URI

declare module 'fp-ts/HKT' {
  interface URItoKind<A> {
    readonly 'millrace/Cause': Cause<A>
  }
}

/**
 * Maps the expected failures, for code that is written over `Functor`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * assert.deepEqual(
 *   Cause.Functor.map(Cause.fail(1), (n) => n + 1),
 *   Cause.fail(2)
 * )
 *
 * @category instances
 * @since 0.1.0
 */
export const Functor: Functor1<URI> = {
  URI,
  map: (fa, f) => map(f)(fa)
}

/**
 * Are two causes the same, for a program? Use it in tests and laws.
 *
 * - How runs of `Then` and of `Both` are associated makes no difference, nor does the order of what happened
 *   side by side.
 * - Expected failures are compared by `E`.
 * - Bugs are equal when they are the same value (`Object.is`), or when both are errors with equal name and
 *   message.
 * - All cancellations are equal: where one came from is for people.
 *
 * It is linear when what happened side by side stands in the same order in both causes, and quadratic at
 * worst.
 *
 * @example
 * import { Cause } from 'millrace'
 * import { Eq } from 'fp-ts/lib/string.js'
 * import assert from 'node:assert/strict'
 *
 * const { equals } = Cause.getEq(Eq)
 * const { concat } = Cause.SemigroupBoth<string>()
 *
 * assert.ok(equals(concat(Cause.fail('a'), Cause.fail('b')), concat(Cause.fail('b'), Cause.fail('a'))))
 * assert.ok(equals(Cause.die(new Error('bug')), Cause.die(new Error('bug'))))
 * assert.ok(!equals(Cause.fail('a'), Cause.die('a')))
 *
 * @category instances
 * @since 0.1.0
 */
export const getEq = <E>(E: Eq<E>): Eq<Cause<E>> => {
  const equalLeaves = (x: _.Leaf<E>, y: _.Leaf<E>): boolean => {
    if (x._tag === 'Fail') return y._tag === 'Fail' && E.equals(x.error, y.error)
    if (x._tag === 'Die') return y._tag === 'Die' && equalDefects(x.defect, y.defect)
    return y._tag === 'Cancelled'
  }
  return { equals: (x, y) => x === y || equalParts(equalLeaves, _.flatten(x), _.flatten(y)) }
}

const equalDefects = (x: unknown, y: unknown): boolean =>
  Object.is(x, y) ||
  (isError(x) && isError(y) && errorName(x) === errorName(y) && errorMessage(x) === errorMessage(y))

/** The comparison of two runs of one kind, as far as it got. */
interface Comparison<E> {
  readonly left: _.Run<E>
  readonly right: _.Run<E>
  /** The members below this one are partners, on both sides. */
  position: number
  /** The member of `right` that may be the partner of the one at `position` in `left`. */
  candidate: number
}

const equalParts = <E>(
  equalLeaves: (x: _.Leaf<E>, y: _.Leaf<E>) => boolean,
  x: _.Leaf<E> | _.Run<E>,
  y: _.Leaf<E> | _.Run<E>
): boolean => {
  const open: Array<Comparison<E>> = []
  const begin = (a: _.Leaf<E> | _.Run<E>, b: _.Leaf<E> | _.Run<E>): boolean | null => {
    if (!_.isRun(a) || !_.isRun(b)) return !_.isRun(a) && !_.isRun(b) && equalLeaves(a, b)
    if (a._tag !== b._tag || a.size !== b.size) return false
    open.push({ left: a, right: b, position: 0, candidate: 0 })
    return null
  }

  // The answer to the latest question; null while it is being worked out by the comparison opened last.
  let answer = begin(x, y)
  for (let current = open.at(-1); current !== undefined; current = open.at(-1)) {
    const { left, right, position, candidate } = current
    if (answer === true) {
      // Equality is transitive, so a partner once found need never be given back. In a `Then` this changes
      // nothing: there the member at the same place is the only candidate.
      const partner = right.members[candidate]!
      right.members[candidate] = right.members[position]!
      right.members[position] = partner
      current.position = position + 1
      current.candidate = position + 1
    } else if (answer === false) {
      current.candidate = left._tag === 'Both' ? candidate + 1 : right.members.length
    }
    if (current.position === left.members.length) {
      open.pop()
      answer = true
    } else if (current.candidate === right.members.length) {
      open.pop()
      answer = false
    } else {
      answer = begin(left.members[current.position]!, right.members[current.candidate]!)
    }
  }
  return answer === true
}

/**
 * Joins what happened one after another: the second while cleaning up after the first. Associative.
 *
 * Leaves that both sides share are kept once, on the left; they are recognised by reference, so two equal
 * failures of different origin stay two.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const { concat } = Cause.SemigroupThen<string>()
 * const write = Cause.fail('write failed')
 * const close = Cause.fail('close failed')
 *
 * assert.deepEqual(Cause.failures(concat(write, close)), ['write failed', 'close failed'])
 * assert.deepEqual(Cause.failures(concat(concat(write, close), write)), ['write failed', 'close failed'])
 *
 * @category instances
 * @since 0.1.0
 */
export const SemigroupThen = <E>(): Semigroup<Cause<E>> => ({ concat: _.joinThen })

/**
 * Joins what happened side by side. Associative, and commutative up to `getEq` for causes that share no leaf.
 *
 * Leaves that both sides share are kept once, as by `SemigroupThen`.
 *
 * @example
 * import { Cause } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const { concat } = Cause.SemigroupBoth<string>()
 * const reader = Cause.fail('reader')
 *
 * assert.deepEqual(Cause.failures(concat(reader, Cause.fail('writer'))), ['reader', 'writer'])
 * assert.equal(concat(reader, reader), reader)
 *
 * @category instances
 * @since 0.1.0
 */
export const SemigroupBoth = <E>(): Semigroup<Cause<E>> => ({ concat: _.joinBoth })
