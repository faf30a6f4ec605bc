/**
 * How an effect ended.
 *
 * ```ts
 * type Exit<E, A> = Either<Cause<E>, A>
 * ```
 *
 * It is the `Either` of fp-ts, so that everything known about `Either` works: `E.isLeft`, `E.match`, `E.map`,
 * `Do` notation. This module adds the constructors that know about causes, and an equality.
 *
 * @since 0.1.0
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Eq } from 'fp-ts/lib/Eq.js'
import * as Cause from './Cause.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A value, or the cause why there is none.
 *
 * @example
 * import * as E from 'fp-ts/lib/Either.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Cause, Exit } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const report = (exit: Exit.Exit<string, number>): string =>
 *   pipe(
 *     exit,
 *     E.match(Cause.pretty, (n) => `got ${n}`)
 *   )
 *
 * assert.equal(report(Exit.succeed(42)), 'got 42')
 * assert.equal(report(Exit.fail('not found')), 'Fail: "not found"')
 *
 * @category model
 * @since 0.1.0
 */
export type Exit<E, A> = Either<Cause.Cause<E>, A>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Ended with a value.
 *
 * @example
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Exit } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * assert.deepEqual(Exit.succeed(1), E.right(1))
 *
 * @category constructors
 * @since 0.1.0
 */
export const succeed = <A>(a: A): Exit<never, A> => ({ _tag: 'Right', right: a })

/**
 * Ended with an expected failure.
 *
 * @example
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Cause, Exit } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * assert.deepEqual(Exit.fail('not found'), E.left(Cause.fail('not found')))
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = <const E>(e: E): Exit<E, never> => failCause(Cause.fail(e))

/**
 * Ended with a bug.
 *
 * @example
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Cause, Exit } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const bug = new Error('bug')
 *
 * assert.deepEqual(Exit.die(bug), E.left(Cause.die(bug)))
 *
 * @category constructors
 * @since 0.1.0
 */
export const die = (defect: unknown): Exit<never, never> => failCause(Cause.die(defect))

/**
 * Ended with a cause. Use it to pass on one that was observed or joined.
 *
 * @example
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Cause, Exit } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const cause = Cause.SemigroupThen<string>().concat(Cause.fail('write'), Cause.fail('close'))
 *
 * assert.deepEqual(Exit.failCause(cause), E.left(cause))
 *
 * @category constructors
 * @since 0.1.0
 */
export const failCause = <E = never>(cause: Cause.Cause<E>): Exit<E, never> => ({ _tag: 'Left', left: cause })

// -------------------------------------------------------------------------------------
// guards
// -------------------------------------------------------------------------------------

/**
 * Was the effect stopped, and did nothing else go wrong? True when all leaves of the cause are `Cancelled`.
 *
 * @example
 * import { Exit } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(Exit.isCancelled(Exit.succeed(1)), false)
 * assert.equal(Exit.isCancelled(Exit.fail('not found')), false)
 *
 * @category guards
 * @since 0.1.0
 */
export const isCancelled = (exit: Exit<unknown, unknown>): boolean =>
  exit._tag === 'Left' && Cause.isCancelledOnly(exit.left)

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * Did two effects end in the same way? Causes are compared as by `Cause.getEq`, values by `A`.
 *
 * @example
 * import * as N from 'fp-ts/lib/number.js'
 * import * as S from 'fp-ts/lib/string.js'
 * import { Exit } from 'millrace'
 * import assert from 'node:assert/strict'
 *
 * const { equals } = Exit.getEq(S.Eq, N.Eq)
 *
 * assert.ok(equals(Exit.fail('not found'), Exit.fail('not found')))
 * assert.ok(!equals(Exit.fail('not found'), Exit.succeed(1)))
 *
 * @category instances
 * @since 0.1.0
 */
export const getEq = <E, A>(E: Eq<E>, A: Eq<A>): Eq<Exit<E, A>> => {
  const C = Cause.getEq(E)
  return {
    equals: (x, y) =>
      x._tag === 'Left'
        ? y._tag === 'Left' && C.equals(x.left, y.left)
        : y._tag === 'Right' && A.equals(x.right, y.right)
  }
}
