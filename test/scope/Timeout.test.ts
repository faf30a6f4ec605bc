/**
 * Timeouts, shields with a bound, and what is left over when the time is up.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Cause, Effect, TaskGroup, Timeout } from 'millrace'
import { at, cancellationsOf, defectOf, expectAll, type Fx, observe } from '../support/seeds.js'

const { sleep, gen } = Effect
const late = () => 'late'

/** The four timeouts, `ms` from the start of the run. A timeout is shown as `None` or as the failure. */
const timeouts = (ms: number, options?: Timeout.TimeoutOptions) =>
  [
    ['moveOnAfter', Timeout.moveOnAfter(ms, options), 'ok(None)'],
    ['moveOnAt', Timeout.moveOnAt(at(ms), options), 'ok(None)'],
    ['failAfter', fail(Timeout.failAfter(ms, late, options)), 'Fail(late)'],
    ['failAt', fail(Timeout.failAt(at(ms), late, options)), 'Fail(late)']
  ] as const

const fail =
  (timeout: <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E | string, A>) =>
  <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E | string, O.Option<A>> =>
    Effect.map(O.some)(timeout(fx)) as Effect.Effect<R, E | string, O.Option<A>>

describe('Timeout', () => {
  it('CS-11 a block that takes too long is left early without error, its rest is not run', () => {
    expectAll(
      (log) =>
        pipe(
          gen(function* () {
            yield* sleep(100)
            yield* log('not reached')
          }),
          Timeout.moveOnAfter(10),
          Effect.tap((value) => log(value._tag))
        ),
      { exit: 'ok(None)', log: ['None@10'], took: 10 }
    )
  })

  it('CS-14 failAfter fails after its block has been left, clean-up included', () => {
    expectAll(
      (log) =>
        pipe(
          sleep(100),
          Effect.ensuring(Effect.andThen(log('cleaned'))(sleep(5))),
          Timeout.failAfter(10, () => ({ _tag: 'TooSlow' })),
          Effect.catchTag('TooSlow', () => log('handled'))
        ),
      { exit: 'ok()', log: ['cleaned@15', 'handled@15'] }
    )
  })

  it('a block that ends in time keeps its value, its failure, its defect', () => {
    for (const [name, timeout] of timeouts(10)) {
      expectAll(() => timeout(Effect.as(name)(sleep(9))), { exit: `ok(Some(${name}))`, took: 9 })
      expectAll(() => timeout(Effect.andThen(Effect.fail('no'))(sleep(9))), { exit: 'Fail(no)' })
      expectAll(() => timeout(Effect.andThen(Effect.die('bug'))(sleep(9))), { exit: 'Die(bug)' })
    }
  })

  it('CS-12 a timeout of 0 or in the past runs the body up to its first checkpoint', () => {
    for (const ms of [0, -5, -Infinity]) {
      for (const [, timeout, exit] of timeouts(ms)) {
        expectAll(
          (log) =>
            timeout(
              gen(function* () {
                yield* log('runs')
                yield* Effect.checkCancelled
                yield* log('not reached')
              })
            ),
          { exit, log: ['runs@0'], took: 0 }
        )
      }
    }
  })

  it('CS-13 a timeout of 0 whose body does not wait keeps the value of the body', () => {
    for (const [, timeout] of timeouts(0)) {
      expectAll(() => timeout(Effect.succeed('value')), { exit: 'ok(Some(value))' })
    }
    expectAll(
      () =>
        CancelScope.open(
          (scope) =>
            gen(function* () {
              return [yield* scope.isCancelled, O.isSome(yield* scope.cancelledCaught)]
            }),
          { deadline: at(0) }
        ),
      { exit: 'ok(Some([true,false]))' }
    )
  })

  it('CS-15 a timeout of Infinity never comes, for all four', () => {
    for (const [name, timeout] of timeouts(Infinity)) {
      expectAll(() => timeout(Effect.as(name)(sleep(1e15))), { exit: `ok(Some(${name}))`, took: 1e15 })
    }
  })

  it('CS-16 the absolute timeouts are the relative ones with a time of the clock', () => {
    for (const [, timeout, exit] of timeouts(10)) {
      expectAll(() => timeout(Effect.never), { exit, took: 10 })
    }
    expectAll(() => pipe(sleep(100), Timeout.moveOnAt(at(30)), Effect.andThen(sleep(0))), { took: 30 })
  })

  it('NaN is a defect that says what was wrong', () => {
    for (const [, timeout] of timeouts(NaN)) {
      expect(defectOf(observe(() => timeout(Effect.unit)).exit)).to.match(/^TypeError: .*NaN/)
    }
    expect(defectOf(observe(() => Timeout.shieldedFor(NaN)(Effect.unit)).exit)).to.match(/NaN/)
    expect(defectOf(observe(() => Timeout.moveOnAfter(5, { grace: NaN })(Effect.unit)).exit)).to.match(/NaN/)
    expect(defectOf(observe(() => Timeout.moveOnAfter('5' as never)(Effect.unit)).exit)).to.match(/5/)
  })

  it('a timeout counts from entry, each time anew', () => {
    expectAll(
      (log) => {
        const once = pipe(sleep(100), Timeout.moveOnAfter(10), Effect.andThen(log('timeout')))
        return gen(function* () {
          yield* sleep(7)
          yield* once
          yield* once
        })
      },
      { log: ['timeout@17', 'timeout@27'] }
    )
  })

  it('CS-19 no residue: an absorbed cancellation does not disturb a later timeout, nor the scope around it', () => {
    expectAll(
      (log) =>
        gen(function* () {
          yield* CancelScope.open((scope) => Effect.andThen(sleep(1))(scope.cancel()))
          const value = yield* Effect.either(Timeout.failAfter(10, late)(sleep(100)))
          yield* log(value._tag)
          yield* CancelScope.open((outer) =>
            gen(function* () {
              yield* Timeout.moveOnAfter(5)(sleep(100))
              yield* outer.cancel()
              yield* sleep(1)
            })
          )
          yield* sleep(1)
          yield* log('free')
        }),
      { exit: 'ok()', log: ['Left@10', 'free@16'] }
    )
  })

  it('the deadline wins a tie with a sleep that ends at the same time', () => {
    for (const [, timeout, exit] of timeouts(10)) expectAll(() => timeout(sleep(10)), { exit })
    // Also with two sleeps that end there together.
    expectAll(() => Timeout.moveOnAfter(10)(Effect.andThen(sleep(5))(sleep(5))), { exit: 'ok(None)' })
  })

  it('a deadline that is not positive enough for its sleep: 1,000 pairs', () => {
    fc.assert(
      fc.property(fc.integer({ min: -3, max: 20 }), fc.integer({ min: -3, max: 20 }), (deadline, ms) => {
        const { shown, took } = observe(() => Timeout.moveOnAfter(deadline)(Effect.as(1)(sleep(ms))))
        const intime = Math.max(ms, 0) < Math.max(deadline, 0)
        expect(shown).to.equal(intime ? 'ok(Some(1))' : 'ok(None)')
        expect(took).to.equal(Math.max(0, Math.min(deadline, ms)))
      }),
      { numRuns: 1000 }
    )
  })

  describe('left over', () => {
    const cleaning = (cleanUp: Fx<unknown, string>) => Effect.ensuring(cleanUp)(sleep(100))

    it('failAfter with something left over fails with the timeout, then the rest', () => {
      expectAll(() => Timeout.failAfter(10, late)(cleaning(Effect.fail('clean-up'))), {
        exit: 'Then(Fail(late), Fail(clean-up))'
      })
      expectAll(() => Timeout.failAt(at(10), late)(cleaning(Effect.die('bug'))), {
        exit: 'Then(Fail(late), Die(bug))'
      })
      expectAll(() => Timeout.failAfter(10, late, { grace: 5 })(cleaning(sleep(50))), {
        exit: 'Then(Fail(late), Die(CleanupOverran))',
        took: 15
      })
    })

    it('moveOnAfter with something left over fails with that', () => {
      expectAll(() => Timeout.moveOnAfter(10)(cleaning(Effect.fail('clean-up'))), { exit: 'Fail(clean-up)' })
      expectAll(() => Timeout.moveOnAfter(10, { grace: 5 })(cleaning(sleep(50))), {
        exit: 'Die(CleanupOverran)'
      })
    })

    it('the timeout can be handled by its tag, and what is left over still surfaces', () => {
      expectAll(
        (log) =>
          pipe(
            cleaning(Effect.fail('clean-up')),
            Effect.mapError((message) => ({ _tag: 'CleanUp' as const, message })),
            Timeout.failAfter(10, () => ({ _tag: 'TooSlow' as const })),
            Effect.catchTag('TooSlow', () => log('handled'))
          ),
        { exit: 'Fail(CleanUp)', log: ['handled@10'] }
      )
    })

    it('onTimeout is called once, when the time is up, and not otherwise', () => {
      let calls = 0
      const count = () => {
        calls++
        return 'late'
      }
      expectAll(() => Timeout.failAfter(10, count)(sleep(5)), { exit: 'ok()' }, 1)
      expect(calls).to.equal(0)
      expectAll(() => Timeout.failAfter(10, count)(sleep(50)), { exit: 'Fail(late)' }, 1)
      expect(calls).to.equal(1)
    })

    it('an onTimeout that throws is a defect in the place of the timeout, and the rest is not lost', () => {
      const broken = (): never => {
        throw new Error('onTimeout')
      }
      expectAll(() => Timeout.failAfter(10, broken)(sleep(50)), { exit: 'Die(Error: onTimeout)' })
      expectAll(() => Timeout.failAfter(10, broken)(cleaning(Effect.fail('clean-up'))), {
        exit: 'Then(Die(Error: onTimeout), Fail(clean-up))'
      })
    })
  })

  describe('cancellation from outside', () => {
    it('passes through a timeout, and is no timeout', () => {
      for (const [, timeout] of timeouts(10)) {
        expectAll((log) => pipe(timeout(Effect.onCancel(log('cut'))(sleep(100))), Timeout.moveOnAfter(5)), {
          exit: 'ok(None)',
          log: ['cut@5'],
          took: 5
        })
      }
    })

    it('stays outside with { shield: true }; the timeout works', () => {
      for (const [, timeout, exit] of timeouts(20, { shield: true })) {
        expectAll((log) => pipe(timeout(Effect.onCancel(log('cut'))(sleep(100))), Timeout.moveOnAfter(5)), {
          exit: exit === 'ok(None)' ? 'ok(Some(None))' : 'Fail(late)',
          log: ['cut@20']
        })
      }
    })

    it('both at the same instant: the outer one counts', () => {
      expectAll(
        () =>
          pipe(
            sleep(100),
            Timeout.failAfter(10, () => 'inner'),
            Timeout.failAfter(10, () => 'outer')
          ),
        { exit: 'Fail(outer)' }
      )
    })
  })

  describe('shielded', () => {
    it('holds off cancellation from outside, and the first checkpoint after it sees it', () => {
      expectAll(
        (log) =>
          pipe(
            Timeout.shielded(Effect.andThen(log('done'))(sleep(20))),
            Effect.andThen(log('after')),
            Effect.andThen(Effect.checkCancelled),
            Effect.andThen(log('not reached')),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: ['done@20', 'after@20'] }
      )
    })

    it('twice is once', () => {
      expectAll(() => pipe(sleep(20), Timeout.shielded, Timeout.shielded, Timeout.moveOnAfter(5)), {
        exit: 'ok(Some())'
      })
    })

    it('gives values, failures and defects as they are', () => {
      expectAll(() => Timeout.shielded(Effect.succeed(1)), { exit: 'ok(1)' })
      expectAll(() => Timeout.shielded(Effect.fail('no')), { exit: 'Fail(no)' })
      expectAll(() => Timeout.shielded(Effect.die('bug')), { exit: 'Die(bug)' })
    })

    it('shieldedFor lasts that long at most', () => {
      expectAll(() => pipe(Effect.as(1)(sleep(20)), Timeout.shieldedFor(30), Timeout.moveOnAfter(5)), {
        exit: 'ok(Some(Some(1)))',
        took: 20
      })
      expectAll(() => pipe(Effect.as(1)(sleep(100)), Timeout.shieldedFor(30), Timeout.moveOnAfter(5)), {
        exit: 'ok(Some(None))',
        took: 30
      })
    })
  })

  it('T2 timeouts in each other are the least of them, up to flatten: values and times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 12 }),
        (times, ms) => {
          const slow: Fx<O.Option<number>> = Effect.map(() => O.some(1))(sleep(ms))
          const nested = times.reduce(
            (fx, time) => pipe(fx, Timeout.moveOnAfter(time), Effect.map(O.flatten)),
            slow
          )
          const a = observe(() => nested)
          const b = observe(() => Timeout.moveOnAfter(Math.min(...times))(Effect.as(1)(sleep(ms))))
          expect([a.shown, a.took]).to.deep.equal([b.shown, b.took])
        }
      )
    )
  })

  it('the name of a timeout stands in the cancellation; a default one says which it is', () => {
    const seen = (timeout: (fx: Fx<void>) => Fx<unknown, unknown>): string => {
      let scope = ''
      observe(() =>
        timeout(
          pipe(
            sleep(100),
            Effect.onExit((exit) =>
              Effect.sync(() => {
                scope = cancellationsOf(exit)[0]?.scope ?? ''
              })
            )
          )
        )
      )
      return scope
    }
    for (const [name, timeout] of timeouts(5)) expect(seen(timeout)).to.equal(name)
    for (const [, timeout] of timeouts(5, { name: 'mine' })) expect(seen(timeout)).to.equal('mine')
    expect(seen(Timeout.shieldedFor(5))).to.equal('shieldedFor')
  })

  it('a timeout around tasks awaits the clean-up of all of them', () => {
    expectAll(
      (log) =>
        pipe(
          TaskGroup.open()((group) =>
            gen(function* () {
              for (const ms of [3, 6]) {
                yield* group.spawn(
                  Effect.ensuring(Effect.andThen(log(`cleaned ${ms}`))(sleep(ms)))(Effect.never)
                )
              }
            })
          ),
          Timeout.failAfter(10, late)
        ),
      { exit: 'Fail(late)', log: ['cleaned 3@13', 'cleaned 6@16'], took: 16 }
    )
  })

  it('the cause of a timeout that was observed prints as a deadline', () => {
    const { exit } = observe(() =>
      pipe(
        sleep(100),
        Effect.catchCause((cause) => Effect.succeed(Cause.pretty(cause))),
        Timeout.moveOnAfter(10, { name: 'poll' })
      )
    )
    expect(exit)
      .to.have.nested.property('right.value')
      .that.matches(/poll/)
      .and.matches(/deadline/i)
  })
})
