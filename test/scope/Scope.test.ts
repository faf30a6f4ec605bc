/**
 * The algebra of scopes: a monoid of descriptions, and `within` as a homomorphism into effects.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { concatAll } from 'fp-ts/lib/Monoid.js'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Effect, Scope, TaskGroup, Timeout } from 'millrace'
import { at, expectAll, type Fx, type Log, observe } from '../support/seeds.js'

const { sleep, gen } = Effect

const scopes: fc.Arbitrary<Scope.Scope> = fc.record({
  deadline: fc.oneof(
    { weight: 1, arbitrary: fc.constant<O.Option<number>>(O.none) },
    { weight: 3, arbitrary: fc.integer({ min: -1, max: 8 }).map((ms): O.Option<number> => O.some(ms)) }
  ),
  shield: fc.boolean()
})

// ---- small effects as data, so that they shrink and print

type Program =
  | { readonly op: 'succeed' | 'fail' | 'die' | 'checkpoint' | 'cancelOuter' }
  | { readonly op: 'sleep'; readonly ms: number }
  | { readonly op: 'seq' | 'group'; readonly first: Program; readonly second: Program }
  | { readonly op: 'finally'; readonly fx: Program; readonly cleanUp: Program }
  | { readonly op: 'exit' | 'bracket' | 'orElse'; readonly fx: Program }

const programs: fc.Arbitrary<Program> = fc.letrec<{ program: Program }>((tie) => ({
  program: fc.oneof(
    { maxDepth: 4, withCrossShrink: true, depthIdentifier: 'program' },
    fc.record({
      op: fc.constantFrom('succeed', 'fail', 'die', 'checkpoint', 'cancelOuter')
    }),
    fc.record({ op: fc.constant('sleep' as const), ms: fc.constantFrom(0, 1, 2, 3, 5) }),
    fc.record({
      op: fc.constantFrom('seq', 'seq', 'group'),
      first: tie('program'),
      second: tie('program')
    }),
    fc.record({ op: fc.constant('finally' as const), fx: tie('program'), cleanUp: tie('program') }),
    fc.record({ op: fc.constantFrom('exit', 'bracket', 'orElse'), fx: tie('program') })
  )
})).program

interface Context {
  readonly log: Log
  readonly outer: CancelScope.CancelScope
  next: number
}

const build = (program: Program, context: Context): Fx<unknown, unknown> => {
  const label = `${program.op}${context.next++}`
  const { log, outer } = context
  switch (program.op) {
    case 'succeed':
      return log(label)
    case 'fail':
      return Effect.fail(label)
    case 'die':
      return Effect.die(label)
    case 'checkpoint':
      return Effect.andThen(log(label))(Effect.checkpoint)
    case 'cancelOuter':
      return outer.cancel()
    case 'sleep':
      return Effect.andThen(log(label))(sleep(program.ms))
    case 'seq':
      return pipe(build(program.first, context), Effect.andThen(build(program.second, context)))
    case 'group':
      return TaskGroup.open<unknown>()((group) =>
        pipe(group.spawn(build(program.first, context)), Effect.andThen(build(program.second, context)))
      )
    case 'finally':
      return pipe(
        build(program.fx, context),
        Effect.ensuring(Effect.andThen(build(program.cleanUp, context))(log(`clean-up ${label}`)))
      )
    case 'exit':
      return pipe(build(program.fx, context), Effect.exit, Effect.andThen(log(label)))
    case 'orElse':
      return pipe(
        build(program.fx, context),
        Effect.orElse(() => log(label))
      )
    case 'bracket':
      return Effect.bracket(
        log(`acquire ${label}`),
        () => build(program.fx, context),
        (_, exit) => log(`release ${label} ${exit._tag}`)
      )
  }
}

/** How the program is surrounded; equal in all of them is equal. */
const contexts: ReadonlyArray<
  readonly [string, (c: Context, fx: Fx<unknown, unknown>) => Fx<unknown, unknown>]
> = [
  ['alone', (_, fx) => fx],
  ['cancelled before', ({ outer }, fx) => Effect.andThen(fx)(outer.cancel())],
  [
    'cancelled before, swallowed, and a checkpoint after it',
    ({ outer, log }, fx) =>
      pipe(
        outer.cancel(),
        Effect.andThen(Effect.exit(fx)),
        Effect.andThen(Effect.checkpoint),
        Effect.andThen(log('B'))
      )
  ],
  ['shielded in a cancelled scope', ({ outer }, fx) => Effect.andThen(Timeout.shielded(fx))(outer.cancel())],
  [
    'beside a canceller',
    ({ outer }, fx) =>
      TaskGroup.open<unknown>()((group) =>
        Effect.andThen(fx)(group.spawn(Effect.andThen(outer.cancel())(sleep(3))))
      )
  ],
  ['with a deadline', (_, fx) => Timeout.failAfter(4, () => 'outer deadline')(fx)],
  ['in a finalizer', (_, fx) => Effect.ensuring(fx)(Effect.fail('before'))]
]

/** Everything that a program shows under two seeds in all the contexts. */
const observed = (transform: (fx: Fx<unknown, unknown>) => Fx<unknown, unknown>, program: Program) =>
  contexts.flatMap(([name, surround]) =>
    [0, 1].map((seed) => {
      const { shown, log, took } = observe(
        (log) =>
          CancelScope.open((outer) => {
            const context: Context = { log, outer, next: 0 }
            return surround(context, transform(build(program, context)))
          }),
        seed
      )
      return { name, seed, shown, log, took }
    })
  )

describe('Scope', () => {
  describe('the monoid', () => {
    const { concat, empty } = Scope.Monoid
    const equal = (x: Scope.Scope, y: Scope.Scope) =>
      expect(Scope.Eq.equals(x, y), JSON.stringify([x, y])).to.equal(true)

    it('is associative, with the empty description as its unit', () => {
      fc.assert(
        fc.property(scopes, scopes, scopes, (a, b, c) => {
          equal(concat(concat(a, b), c), concat(a, concat(b, c)))
          equal(concat(a, empty), a)
          equal(concat(empty, a), a)
        }),
        { numRuns: 1000 }
      )
    })

    it('is a right-regular band: a a = a, a b a = b a, and a shield hides what is outside', () => {
      fc.assert(
        fc.property(scopes, scopes, (a, b) => {
          equal(concat(a, a), a)
          equal(concat(concat(a, b), a), concat(b, a))
          equal(concat(a, { ...b, shield: true }), { ...b, shield: true })
        }),
        { numRuns: 1000 }
      )
    })

    it('is not commutative', () => {
      equal(concat(Scope.deadlineIn(5), Scope.shield), Scope.shield)
      expect(Scope.Eq.equals(concat(Scope.shield, Scope.deadlineIn(5)), Scope.shield)).to.equal(false)
    })

    it('concat is data last: the inner one is given first', () => {
      equal(pipe(Scope.deadlineIn(5), Scope.concat(Scope.shield)), Scope.shield)
      equal(pipe(Scope.shield, Scope.concat(Scope.deadlineIn(5))), { deadline: O.some(5), shield: true })
      equal(
        concatAll(Scope.Monoid)([Scope.deadlineIn(9), Scope.deadlineIn(5), Scope.deadlineIn(7)]),
        Scope.deadlineIn(5)
      )
    })

    it('a deadline of Infinity is none, in the data and to Eq', () => {
      equal(Scope.deadlineIn(Infinity), Scope.empty)
      expect(Scope.deadlineIn(Infinity).deadline).to.deep.equal(O.none)
      equal({ deadline: O.some(Infinity), shield: true }, Scope.shield)
    })

    it('Eq is an equivalence that tells deadlines and shields apart', () => {
      fc.assert(
        fc.property(scopes, scopes, (a, b) => {
          const same = a.shield === b.shield && O.toUndefined(a.deadline) === O.toUndefined(b.deadline)
          expect(Scope.Eq.equals(a, b)).to.equal(same)
          expect(Scope.Eq.equals(b, a)).to.equal(same)
        }),
        { numRuns: 1000 }
      )
    })
  })

  describe('within', () => {
    it('fails with TimedOut when its own deadline ended the effect', () => {
      expectAll(() => Scope.within(Scope.deadlineIn(5))(sleep(10)), { exit: 'Fail(TimedOut)', took: 5 })
      expectAll(() => Scope.within(Scope.deadlineIn(5))(Effect.as(1)(sleep(4))), { exit: 'ok(1)' })
      expectAll(() => Scope.within(Scope.deadlineIn(0))(Effect.succeed(1)), { exit: 'ok(1)' })
      expectAll(() => Scope.within(Scope.deadlineIn(-1))(Effect.checkCancelled), { exit: 'Fail(TimedOut)' })
    })

    it('with something left over: TimedOut, then the rest', () => {
      expectAll(
        () => Scope.within(Scope.deadlineIn(5))(Effect.ensuring(Effect.fail('clean-up'))(sleep(10))),
        {
          exit: 'Then(Fail(TimedOut), Fail(clean-up))'
        }
      )
    })

    it('shields, if its description does', () => {
      expectAll(() => pipe(Effect.as(1)(sleep(10)), Scope.within(Scope.shield), Timeout.moveOnAfter(5)), {
        exit: 'ok(Some(1))'
      })
      expectAll(
        () => pipe(sleep(10), Scope.within({ deadline: O.some(7), shield: true }), Timeout.moveOnAfter(5)),
        { exit: 'Fail(TimedOut)', took: 7 }
      )
    })

    it('of a NaN deadline is a defect', () => {
      expectAll(() => Scope.within({ deadline: O.some(NaN), shield: false })(Effect.unit), {}, 1)
      const { exit } = observe(() => Scope.within(Scope.deadlineIn(NaN))(Effect.unit))
      expect(exit).to.have.nested.property('left.defect.message').that.matches(/NaN/)
    })

    it('of the empty description is the identity', () => {
      fc.assert(
        fc.property(programs, (program) => {
          expect(observed(Scope.within(Scope.empty), program)).to.deep.equal(observed((fx) => fx, program))
        }),
        { numRuns: 300 }
      )
    })

    it('is a homomorphism: within(a ∘ b) = within(a) ∘ within(b), in every context', () => {
      let timeouts = 0
      let shields = 0
      fc.assert(
        fc.property(scopes, scopes, programs, (outer, inner, program) => {
          const nested = observed((fx) => Scope.within(outer)(Scope.within(inner)(fx)), program)
          const joined = observed(Scope.within(Scope.Monoid.concat(outer, inner)), program)
          expect(joined).to.deep.equal(nested)
          if (joined.some(({ shown }) => shown.includes('TimedOut'))) timeouts++
          if (outer.shield !== inner.shield) shields++
        }),
        { numRuns: 1000 }
      )
      // The law says something only if these happen.
      expect(timeouts).to.be.above(150)
      expect(shields).to.be.above(150)
    })

    it('of many descriptions is that of their concatenation: the effective deadline agrees with the algebra', () => {
      fc.assert(
        fc.property(fc.array(scopes, { maxLength: 5 }), (descriptions) => {
          const total = concatAll(Scope.Monoid)(descriptions)
          const fx = descriptions.reduceRight<Fx<number, unknown>>(
            (inner, scope) => Scope.within(scope)(inner),
            Timeout.currentEffectiveDeadline
          )
          const deadline = O.isSome(total.deadline) ? at(total.deadline.value) : Infinity
          expect(observe(() => fx).exit).to.deep.equal({
            _tag: 'Right',
            right: deadline <= at(0) ? -Infinity : deadline
          })
        }),
        { numRuns: 500 }
      )
    })

    it('a shield twice is one, and a pure value is not touched by any description (L5, L13)', () => {
      fc.assert(
        fc.property(scopes, programs, (scope, program) => {
          const shield = Scope.within(Scope.shield)
          expect(observed((fx) => shield(shield(fx)), program)).to.deep.equal(observed(shield, program))
          expect(observed(Scope.within(scope), { op: 'succeed' })).to.deep.equal(
            observed((fx) => fx, { op: 'succeed' })
          )
        }),
        { numRuns: 200 }
      )
    })

    it('of a sequence is not the sequence: the deadline is for the whole', () => {
      const five = Scope.within(Scope.deadlineIn(5))
      expectAll(() => five(Effect.andThen(sleep(3))(sleep(3))), { exit: 'Fail(TimedOut)' })
      expectAll(() => Effect.andThen(five(sleep(3)))(five(sleep(3))), { exit: 'ok()' })
    })
  })

  it('descriptions are plain data', () => {
    expect(Scope.empty).to.deep.equal({ deadline: O.none, shield: false })
    expect(Scope.shield).to.deep.equal({ deadline: O.none, shield: true })
    expect(Scope.deadlineIn(5)).to.deep.equal({ deadline: O.some(5), shield: false })
  })

  it('L4 a scope that was cancelled is one whose deadline is past', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const cancelled = (fx: Fx<unknown, unknown>) =>
          CancelScope.open((scope) => Effect.andThen(fx)(scope.cancel()))
        const past = (fx: Fx<unknown, unknown>) => CancelScope.open(() => fx, { deadline: -Infinity })
        expect(observed(cancelled, program)).to.deep.equal(observed(past, program))
      }),
      { numRuns: 300 }
    )
  })

  it('L2 in a cancelled scope a checkpoint fails however often the failure was swallowed', () => {
    fc.assert(
      fc.property(fc.nat(6), programs, (n, program) => {
        const { log } = observe((log) =>
          CancelScope.open((outer) =>
            gen(function* () {
              yield* outer.cancel()
              for (let i = 0; i < n; i++) yield* Effect.exit(build(program, { log, outer, next: 0 }))
              yield* Effect.checkpoint
              yield* log('BAD')
            })
          )
        )
        expect(log.some((line) => line.startsWith('BAD'))).to.equal(false)
      }),
      { numRuns: 300 }
    )
  })
})
