/**
 * Exits: the `Either` of fp-ts with causes on its left side.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as N from 'fp-ts/lib/number.js'
import * as O from 'fp-ts/lib/Option.js'
import * as S from 'fp-ts/lib/string.js'
import { Cause, Exit } from 'millrace'

/** Only the runtime makes cancellations, and this test is about what is done with them. */
const cancelled = (scope: string): Cause.Cancelled =>
  ({
    _tag: 'Cancelled',
    scope,
    reason: { _tag: 'Deadline', time: 1 },
    by: O.none,
    because: O.none
  }) as Cause.Cancelled

const exit: fc.Arbitrary<Exit.Exit<string, number>> = fc.oneof(
  fc.nat({ max: 2 }).map(Exit.succeed),
  fc.constantFrom('a', 'b').map((e) => Exit.fail(e)),
  fc.constantFrom('a', 'b').map(Exit.die),
  fc.constantFrom('a', 'b').map((scope) => Exit.failCause(cancelled(scope))),
  fc
    .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('a', 'b'))
    .map(([x, y]) => Exit.failCause(Cause.SemigroupBoth<string>().concat(Cause.fail(x), Cause.fail(y))))
)

describe('Exit', () => {
  it('succeed, fail, die and failCause are values of Either', () => {
    const cause = Cause.SemigroupThen<string>().concat(Cause.fail('write'), Cause.die('bug'))
    expect(Exit.succeed(1)).to.deep.equal(E.right(1))
    expect(Exit.fail('a')).to.deep.equal(E.left(Cause.fail('a')))
    expect(Exit.die('bug')).to.deep.equal(E.left(Cause.die('bug')))
    expect(Exit.failCause(cause)).to.deep.equal(E.left(cause))
  })

  it('fail keeps the literal types of its error', () => {
    const failed: Exit.Exit<{ readonly _tag: 'NotFound' }, never> = Exit.fail({ _tag: 'NotFound' })
    expect(E.isLeft(failed)).to.equal(true)
  })

  it('works with the functions of Either', () => {
    const report = (result: Exit.Exit<string, number>): string =>
      pipe(
        result,
        E.map((n) => n + 1),
        E.match(Cause.pretty, String)
      )
    expect(report(Exit.succeed(1))).to.equal('2')
    expect(report(Exit.fail('a'))).to.equal('Fail: "a"')
  })

  it('isCancelled demands that nothing else went wrong', () => {
    const { concat } = Cause.SemigroupThen<string>()
    expect(Exit.isCancelled(Exit.failCause(cancelled('s')))).to.equal(true)
    expect(Exit.isCancelled(Exit.failCause(concat(cancelled('s'), cancelled('t'))))).to.equal(true)
    expect(Exit.isCancelled(Exit.failCause(concat(cancelled('s'), Cause.die('bug'))))).to.equal(false)
    expect(Exit.isCancelled(Exit.fail('a'))).to.equal(false)
    expect(Exit.isCancelled(Exit.succeed(1))).to.equal(false)
  })

  describe('getEq', () => {
    const { equals } = Exit.getEq(S.Eq, N.Eq)

    it('is an equivalence', () => {
      fc.assert(
        fc.property(exit, exit, exit, (x, y, z) => {
          expect(equals(x, x)).to.equal(true)
          expect(equals(x, y)).to.equal(equals(y, x))
          if (equals(x, y) && equals(y, z)) expect(equals(x, z)).to.equal(true)
        })
      )
    })

    it('compares values by the one equality, causes by Cause.getEq', () => {
      expect(equals(Exit.succeed(1), Exit.succeed(1))).to.equal(true)
      expect(equals(Exit.succeed(1), Exit.succeed(2))).to.equal(false)
      expect(equals(Exit.succeed(1), Exit.fail('a'))).to.equal(false)
      expect(equals(Exit.fail('a'), Exit.succeed(1))).to.equal(false)
      expect(equals(Exit.fail('a'), Exit.fail('b'))).to.equal(false)
      expect(equals(Exit.failCause(cancelled('s')), Exit.failCause(cancelled('t')))).to.equal(true)
      const { concat } = Cause.SemigroupBoth<string>()
      expect(
        equals(
          Exit.failCause(concat(Cause.fail('a'), Cause.fail('b'))),
          Exit.failCause(concat(Cause.fail('b'), Cause.fail('a')))
        )
      ).to.equal(true)
    })
  })
})
