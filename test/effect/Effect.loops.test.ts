/**
 * Loops, and `retry` and `repeat` over the policies of retry-ts, with the exact delays of virtual time.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Cause, Concurrent, Effect, Runtime, Timeout } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import * as Retry from 'retry-ts'
import {
  bothAll,
  cancelledBy,
  defectOf,
  type Fx,
  inCancelled,
  run,
  shown,
  thenAll,
  timed,
  trace,
  value
} from '../support/kernel.js'

/** Counts its runs. */
const counting = (max = Infinity) => {
  const counter = { runs: 0 }
  const fx: Fx<number, string> = Effect.suspend(() => {
    counter.runs++
    return counter.runs > max ? Effect.fail(`run ${counter.runs}`) : Effect.succeed(counter.runs)
  })
  return Object.assign(counter, { fx })
}

/** Fails with the number of the run until the last, and leaves the virtual times of its runs. */
const failing = (until: number, log = trace()) => {
  let runs = 0
  const fx: Fx<number, string> = Effect.suspend(() => {
    runs++
    const n = runs
    return pipe(log.at('run'), Effect.andThen(n < until ? Effect.fail(`e${n}`) : Effect.succeed(n)))
  })
  return { fx, log }
}

describe('Effect: loops', () => {
  describe('forever', () => {
    it('goes on until a failure', () => {
      const { fx } = counting(1000)
      expect(run(Effect.forever(fx))).to.equal('Fail run 1001')
    })

    it('can be cancelled between two turns, and nowhere else', () => {
      const log = trace()
      const program = CancelScope.open((scope) =>
        Effect.forever(pipe(log.add('a'), Effect.andThen(scope.cancel()), Effect.andThen(log.add('b'))))
      )
      expect(run(program)).to.equal('ok None')
      expect(log.lines).to.deep.equal(['a', 'b'])
    })

    it('lets other fibers run, though its body never waits', () => {
      const program = pipe(
        Effect.forever(Effect.unit),
        Concurrent.race(pipe(Effect.yieldNow, Effect.as('other')))
      )
      expect(run(program)).to.equal('ok other')
    })
  })

  describe('repeatN', () => {
    it('runs n times', () => {
      for (const [n, runs] of [
        [0, 0],
        [-1, 0],
        [1, 1],
        [3, 3],
        [10_000, 10_000]
      ] as const) {
        const counter = counting()
        expect(run(pipe(counter.fx, Effect.repeatN(n)))).to.equal('ok undefined')
        expect(counter.runs).to.equal(runs)
      }
    })

    it('counts anew in each run', () => {
      const counter = counting()
      const program = pipe(counter.fx, Effect.repeatN(2))
      run(Effect.tuple([program, program]))
      expect(counter.runs).to.equal(4)
    })

    it('stops at a failure', () => {
      expect(run(pipe(counting(2).fx, Effect.repeatN(5)))).to.equal('Fail run 3')
    })

    it('looks for a cancellation between its turns, not before the first nor after the last', () => {
      const counter = counting()
      expect(shown(value(inCancelled(pipe(counter.fx, Effect.repeatN(1)))))).to.equal('ok undefined')
      expect(shown(value(inCancelled(pipe(counter.fx, Effect.repeatN(2)))))).to.equal('Cancelled')
      expect(counter.runs).to.equal(2)
    })

    it('NaN is a defect', () => {
      expect(defectOf(TestRuntime.runExit(pipe(Effect.unit, Effect.repeatN(NaN)))).message).to.contain('NaN')
    })
  })

  describe('whilst', () => {
    it('runs the body as long as the condition holds', () => {
      let n = 3
      const seen: Array<number> = []
      const program = pipe(
        Effect.sync(() => seen.push(n--)),
        Effect.whilst(Effect.sync(() => n > 0))
      )
      expect(run(program)).to.equal('ok undefined')
      expect(seen).to.deep.equal([3, 2, 1])
    })

    it('ends with the failure of the condition or of the body', () => {
      expect(run(pipe(Effect.unit, Effect.whilst(Effect.fail('c'))))).to.equal('Fail c')
      expect(run(pipe(Effect.fail('b'), Effect.whilst(Effect.succeed(true))))).to.equal('Fail b')
    })

    it('can be cancelled between its turns', () => {
      const counter = counting()
      expect(shown(value(inCancelled(pipe(counter.fx, Effect.whilst(Effect.succeed(true))))))).to.equal(
        'Cancelled'
      )
      expect(counter.runs).to.equal(1)
    })
  })

  describe('retry', () => {
    it('waits as the policy says, for each try', () => {
      const cases: ReadonlyArray<readonly [string, Retry.RetryPolicy, ReadonlyArray<number>, string]> = [
        ['constantDelay', Retry.constantDelay(10), [0, 10, 20, 30, 40], 'ok 5'],
        ['exponentialBackoff', Retry.exponentialBackoff(10), [0, 10, 30, 70, 150], 'ok 5'],
        ['capDelay', Retry.capDelay(25, Retry.exponentialBackoff(10)), [0, 10, 30, 55, 80], 'ok 5'],
        ['limitRetries', Retry.limitRetries(2), [0, 0, 0], 'Fail e3'],
        [
          'the Monoid of both',
          Retry.Monoid.concat(Retry.exponentialBackoff(10), Retry.limitRetries(3)),
          [0, 10, 30, 70],
          'Fail e4'
        ],
        [
          'limitRetriesByDelay',
          Retry.limitRetriesByDelay(35, Retry.exponentialBackoff(10)),
          [0, 10, 30],
          'Fail e3'
        ]
      ]
      for (const [name, policy, times, expected] of cases) {
        const { fx, log } = failing(5)
        expect(run(pipe(fx, Effect.retry(policy))), name).to.equal(expected)
        expect(log.lines, name).to.deep.equal(times.map((time) => `run@${time}`))
      }
    })

    it('asks the policy with the status of retry-ts', () => {
      const asked: Array<Retry.RetryStatus> = []
      const policy: Retry.RetryPolicy = (status) => {
        asked.push(status)
        return Retry.Monoid.concat(Retry.exponentialBackoff(10), Retry.limitRetries(3))(status)
      }
      const expected = [Retry.defaultRetryStatus]
      for (let i = 0; i < 3; i++) expected.push(Retry.applyPolicy(Retry.exponentialBackoff(10), expected[i]!))
      run(pipe(Effect.fail('a'), Effect.retry(policy)))
      expect(asked).to.deep.equal(expected)
    })

    it('begins anew with each run', () => {
      const program = pipe(
        Effect.fail('a'),
        Effect.retry(Retry.Monoid.concat(Retry.constantDelay(10), Retry.limitRetries(2)))
      )
      expect(timed(program)).to.deep.equal(['Fail a', 20])
      expect(timed(pipe(Effect.exit(program), Effect.andThen(program)))).to.deep.equal(['Fail a', 40])
    })

    it('tries nothing again after a value', () => {
      const { fx, log } = failing(1)
      expect(run(pipe(fx, Effect.retry(Retry.constantDelay(1))))).to.equal('ok 1')
      expect(log.lines).to.have.length(1)
    })

    it('acts only if every leaf is a failure', () => {
      const a = Cause.fail('a')
      const tries = (make: (c: Cause.Cause<string>) => Cause.Cause<string>): readonly [string, number] => {
        let runs = 0
        const exit = value(
          cancelledBy((leaf) =>
            pipe(
              Effect.suspend(() => {
                runs++
                return Effect.failCause(make(leaf))
              }),
              Effect.retry((status) => (status.iterNumber < 2 ? O.some(-1) : O.none)),
              // Behind a shield, so that it is not the check between the turns that ends it.
              Timeout.shielded
            )
          )
        )
        return [shown(exit), runs]
      }
      expect(tries(() => a)).to.deep.equal(['Fail a', 3])
      expect(tries(() => bothAll<string>(a, Cause.fail('b')))).to.deep.equal(['Both(Fail a, Fail b)', 3])
      expect(tries(() => Cause.die('x'))).to.deep.equal(['Die x', 1])
      expect(tries(() => bothAll<string>(a, Cause.die('x')))).to.deep.equal(['Both(Fail a, Die x)', 1])
      expect(tries((c) => c)).to.deep.equal(['Cancelled', 1])
      expect(tries((c) => thenAll<string>(a, c))).to.deep.equal(['Then(Fail a, Cancelled)', 1])
    })

    it('with `when` asks for the first failure', () => {
      const seen: Array<string> = []
      const { fx, log } = failing(9)
      const policy = Retry.constantDelay(1)
      const when = (e: string) => {
        seen.push(e)
        return e !== 'e3'
      }
      expect(run(pipe(fx, Effect.retry(policy, { when })))).to.equal('Fail e3')
      expect(seen).to.deep.equal(['e1', 'e2', 'e3'])
      expect(log.lines).to.have.length(3)
    })

    it('a cancellation during the delay ends it', () => {
      const { fx, log } = failing(9)
      expect(run(pipe(fx, Effect.retry(Retry.constantDelay(10)), Timeout.moveOnAfter(25)))).to.equal(
        'ok None'
      )
      expect(log.lines).to.deep.equal(['run@0', 'run@10', 'run@20'])
    })

    it('without a delay can be cancelled between its tries', () => {
      let runs = 0
      const fx = Effect.suspend(() => {
        runs++
        return Effect.fail('a')
      })
      expect(shown(value(inCancelled(pipe(fx, Effect.retry(Retry.constantDelay(0))))))).to.equal('Cancelled')
      expect(runs).to.equal(1)
    })

    it('a delay of NaN is a defect, one of Infinity waits for ever', () => {
      expect(
        defectOf(
          TestRuntime.runExit(
            pipe(
              Effect.fail('a'),
              Effect.retry(() => O.some(NaN))
            )
          )
        ).message
      ).to.contain('NaN')
      expect(
        defectOf(
          TestRuntime.runExit(
            pipe(
              Effect.fail('a'),
              Effect.retry(() => O.some(Infinity))
            )
          )
        )._tag
      ).to.equal('Deadlock')
    })
  })

  describe('repeat', () => {
    it('waits as the policy says, and gives the last value', () => {
      const log = trace()
      const counter = counting()
      const policy = Retry.Monoid.concat(Retry.exponentialBackoff(10), Retry.limitRetries(3))
      expect(run(pipe(log.at('run'), Effect.andThen(counter.fx), Effect.repeat(policy)))).to.equal('ok 4')
      expect(log.lines).to.deep.equal(['run@0', 'run@10', 'run@30', 'run@70'])
    })

    it('ends with the first failure', () => {
      expect(run(pipe(counting(2).fx, Effect.repeat(Retry.limitRetries(9))))).to.equal('Fail run 3')
    })

    it('a policy that stops at once means one run', () => {
      const counter = counting()
      expect(run(pipe(counter.fx, Effect.repeat(Retry.limitRetries(0))))).to.equal('ok 1')
      expect(counter.runs).to.equal(1)
    })

    it('can be cancelled in its delays and between its turns', () => {
      expect(
        run(pipe(Effect.unit, Effect.repeat(Retry.constantDelay(10)), Timeout.moveOnAfter(25)))
      ).to.equal('ok None')
      const counter = counting()
      expect(shown(value(inCancelled(pipe(counter.fx, Effect.repeat(Retry.limitRetries(9))))))).to.equal(
        'Cancelled'
      )
      expect(counter.runs).to.equal(1)
    })
  })

  it('loops of a million turns take no stack', () => {
    const million = 1_000_000
    const counter = counting()
    Runtime.runSync(pipe(counter.fx, Effect.repeatN(million)))
    expect(counter.runs).to.equal(million)
    expect(shown(Runtime.runSyncExit(Effect.forever(counting(million).fx)))).to.equal('Fail run 1000001')
    expect(Runtime.runSync(pipe(counting().fx, Effect.repeat(Retry.limitRetries(million))))).to.equal(
      1_000_001
    )
    let runs = 0
    const last = Effect.suspend((): Fx<number, string> =>
      ++runs < million ? Effect.fail('a') : Effect.succeed(runs)
    )
    expect(Runtime.runSync(pipe(last, Effect.retry(Retry.constantDelay(0))))).to.equal(million)
  })
})
