/**
 * The algebra of scopes: descriptions as plain data, composed from the outside in. They form a monoid, and running an effect
 * within one is a homomorphism: `within(concat(b)(a)) = within(a) ∘ within(b)`, `within(empty) = id`.
 *
 * For a live handle that can be cancelled use `CancelScope`; for a timeout whose failure you choose, `Timeout`.
 *
 * @since 0.1.0
 */
import type { Eq as EqOf } from 'fp-ts/lib/Eq.js'
import type { Monoid as MonoidOf } from 'fp-ts/lib/Monoid.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Effect } from '../effect/Effect.js'
import * as LowLevel from '../effect/LowLevel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A description of a scope, as plain data: it can be kept in a configuration, compared and composed before
 * anything runs.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Scope } from 'millrace'
 *
 * assert.deepEqual(Scope.deadlineIn(500), { deadline: { _tag: 'Some', value: 500 }, shield: false })
 *
 * @category model
 * @since 0.1.0
 */
export interface Scope {
  /** Milliseconds from entry. */
  readonly deadline: Option<number>
  /** Cancellation from outside does not come in. */
  readonly shield: boolean
}

/**
 * What {@link within} fails with when the deadline of its description ended the effect.
 *
 * @category model
 * @since 0.1.0
 */
export interface TimedOut {
  readonly _tag: 'TimedOut'
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const none: Option<never> = { _tag: 'None' }

/**
 * No deadline and no shield: changes nothing.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Scope } from 'millrace'
 *
 * const work = Effect.sleep(10)
 * assert.equal(Scope.within(Scope.empty)(work), work)
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Scope = { deadline: none, shield: false }

/**
 * A deadline, in ms from entry. `Infinity` is no deadline; a time that is not positive has come on entry, so
 * the effect runs up to its first checkpoint.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Scope } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const quick = pipe(Effect.as('in time')(Effect.sleep(5)), Scope.within(Scope.deadlineIn(10)))
 * assert.deepEqual(TestRuntime.runExit(quick), Exit.succeed('in time'))
 *
 * @category constructors
 * @since 0.1.0
 */
export const deadlineIn = (ms: number): Scope =>
  ms === Infinity ? empty : { deadline: { _tag: 'Some', value: ms }, shield: false }

/**
 * A shield: cancellation from outside does not come in. With `concat` a deadline can be set inside of it, so
 * that it does not hold for ever.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Scope, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const save = Effect.as('saved')(Effect.sleep(50))
 * const program = pipe(save, Scope.within(Scope.shield), Timeout.moveOnAfter(10))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'Some', value: 'saved' }))
 *
 * @category constructors
 * @since 0.1.0
 */
export const shield: Scope = { deadline: none, shield: true }

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

const milliseconds = (scope: Scope): number =>
  scope.deadline._tag === 'None' ? Infinity : scope.deadline.value

/**
 * `inner` inside of `outer`: `pipe(outer, concat(inner))`. An inner shield hides the outer deadline; otherwise the earlier
 * one counts.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Scope } from 'millrace'
 *
 * const five = Scope.deadlineIn(5)
 * assert.deepEqual(pipe(five, Scope.concat(Scope.deadlineIn(9))), five)
 * assert.deepEqual(pipe(five, Scope.concat(Scope.shield)), Scope.shield)
 *
 * @category combinators
 * @since 0.1.0
 */
export const concat =
  (inner: Scope) =>
  (outer: Scope): Scope => {
    if (inner.shield) return inner
    const least = Math.min(milliseconds(outer), milliseconds(inner))
    return { ...deadlineIn(least), shield: outer.shield }
  }

/**
 * Runs an effect within a scope of that description.
 *
 * **Errors.** `TimedOut` when the deadline of this scope ended the effect. What its clean-up failed with comes after it.
 * **Cancellation.** From outside it passes, unless the scope is shielded.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Scope } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const slow = pipe(Effect.sleep(100), Scope.within(Scope.deadlineIn(10)))
 * assert.deepEqual(TestRuntime.runExit(slow), Exit.fail({ _tag: 'TimedOut' }))
 *
 * @category combinators
 * @since 0.1.0
 */
export const within =
  (scope: Scope) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E | TimedOut, A> => {
    // Nothing to open: `within(empty)` is the identity.
    if (scope.deadline._tag === 'None') return scope.shield ? LowLevel.shieldScope(fx) : fx
    const options = { name: 'Scope.within', after: scope.deadline.value, shield: scope.shield }
    return LowLevel.withinScopeOrFail(options, timedOut)(fx)
  }

const timedOut = (): TimedOut => ({ _tag: 'TimedOut' })

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * Composition from the outside in: `concat(outer, inner)`. Not commutative: an inner shield hides what is
 * outside.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { concatAll } from 'fp-ts/lib/Monoid.js'
 * import { Scope } from 'millrace'
 *
 * const layers = [Scope.deadlineIn(1000), Scope.shield, Scope.deadlineIn(50)]
 * assert.deepEqual(concatAll(Scope.Monoid)(layers), { deadline: { _tag: 'Some', value: 50 }, shield: true })
 *
 * @category instances
 * @since 0.1.0
 */
export const Monoid: MonoidOf<Scope> = { concat: (outer, inner) => concat(inner)(outer), empty }

/**
 * The same deadline and the same shield.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Scope } from 'millrace'
 *
 * assert.ok(Scope.Eq.equals(Scope.deadlineIn(Infinity), Scope.empty))
 * assert.ok(!Scope.Eq.equals(Scope.shield, Scope.empty))
 *
 * @category instances
 * @since 0.1.0
 */
export const Eq: EqOf<Scope> = {
  equals: (x, y) => x.shield === y.shield && Object.is(milliseconds(x), milliseconds(y))
}
