/** Capacity limiters: tokens that belong to borrowers, under a total that changes. */
import { expect } from 'chai'
import * as fc from 'fast-check'
import { CancelScope, CapacityLimiter, Concurrent, Effect, Runtime, type Task, TaskGroup } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { growth, turnsOf } from '../../support/byHand.js'
import { sameAsModel, scenario } from '../../support/permitModel.js'
import { afterTurns, settle, type Trial, underAllSchedules } from '../../support/schedules.js'
import { defectOf, expectAll, type Fx, show } from '../../support/seeds.js'

const { gen } = Effect

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(show)(Effect.exit(fx))

const twice =
  'Die(TypeError: The borrower has a token of this CapacityLimiter already, or waits for one. Borrow for something else with acquireFor.)'
const notBorrowed =
  'Die(TypeError: A token of a CapacityLimiter can be released only by the borrower that has it.)'

describe('CapacityLimiter', () => {
  it('SY-32 SY-44 the statistics say what is borrowed, by whom, of how much, and how many wait', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const limiter = yield* CapacityLimiter.make(2)
            const seen = [yield* limiter.statistics]
            for (const name of ['a', 'b', 'c']) {
              yield* group.spawn(limiter.withToken(Effect.sleep(10)), { name })
              yield* settle
              seen.push(yield* limiter.statistics)
            }
            yield* Effect.sleep(30)
            seen.push(yield* limiter.statistics)
            return seen
          })
        ),
      {
        exit: `ok(${JSON.stringify([
          { total: 2, borrowed: 0, borrowers: [], tasksWaiting: 0 },
          { total: 2, borrowed: 1, borrowers: ['a'], tasksWaiting: 0 },
          { total: 2, borrowed: 2, borrowers: ['a', 'b'], tasksWaiting: 0 },
          { total: 2, borrowed: 2, borrowers: ['a', 'b'], tasksWaiting: 1 },
          { total: 2, borrowed: 0, borrowers: [], tasksWaiting: 0 }
        ])})`
      }
    )
  })

  it('SY-33 with a total of one never two are inside', () => {
    expectAll(
      () =>
        gen(function* () {
          const limiter = yield* CapacityLimiter.make(1)
          let inside = 0
          let most = 0
          const work = limiter.withToken(
            gen(function* () {
              most = Math.max(most, ++inside)
              yield* Effect.checkpoint
              inside--
            })
          )
          yield* Concurrent.all([work, work, work])
          return most
        }),
      { exit: 'ok(1)' }
    )
  })

  it('SY-34 a borrower that has a token gets no second one, and releasing without having is a defect', () => {
    expectAll(
      () =>
        gen(function* () {
          const limiter = yield* CapacityLimiter.make(5)
          const ends = [yield* ending(limiter.release)]
          yield* limiter.acquire
          ends.push(yield* ending(limiter.acquire), yield* ending(limiter.acquireNow))
          ends.push(yield* ending(limiter.withToken(Effect.unit)))
          yield* limiter.release
          ends.push(yield* ending(limiter.release), yield* ending(limiter.releaseFor('x')))
          return [...ends, (yield* limiter.statistics).borrowed]
        }),
      { exit: `ok(${JSON.stringify([notBorrowed, twice, twice, twice, notBorrowed, notBorrowed, 0])})` }
    )
  })

  it('SY-34 a borrower that waits is not queued twice, and may wait again after a cancellation', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const limiter = yield* CapacityLimiter.make(1)
            yield* limiter.acquire
            const task = yield* group.spawn(limiter.acquireFor('x'))
            yield* settle
            const ends = [yield* ending(limiter.acquireFor('x'))]
            yield* task.cancel()
            yield* limiter.release
            ends.push(yield* ending(limiter.acquireFor('x')))
            yield* limiter.releaseFor('x')
            return ends
          })
        ),
      { exit: `ok(${JSON.stringify([twice, 'ok()'])})` }
    )
  })

  it('SY-35 a token is accounted to the borrower that it was taken for', () => {
    const [one, two] = [{ connection: 1 }, { connection: 2 }]
    expectAll(
      () =>
        gen(function* () {
          const limiter = yield* CapacityLimiter.make(3)
          yield* limiter.acquireFor(one)
          const inside = yield* limiter.withTokenFor(two)(limiter.statistics)
          const after = yield* limiter.statistics
          return [inside.borrowers, after.borrowers, after.borrowers[0] === one]
        }),
      { exit: 'ok([[{"connection":1},{"connection":2}],[{"connection":1}],true])' }
    )
  })

  it('SY-36 the total is a whole number from 0, or Infinity, inside of a run and outside', () => {
    for (const total of [-1, 1.5, NaN, -Infinity, '2' as unknown as number]) {
      const said = `RangeError: The total of a CapacityLimiter is a whole number from 0, or Infinity, but was given ${String(total)}.`
      expect(defectOf(TestRuntime.runExit(CapacityLimiter.make(total)))).to.equal(said)
      expect(() => Runtime.runSync(CapacityLimiter.make(total))).to.throw('The total of a CapacityLimiter')
      expectAll(
        () =>
          gen(function* () {
            const limiter = yield* CapacityLimiter.make(2)
            const ended = yield* ending(limiter.setTotal(total))
            return [ended, (yield* limiter.statistics).total]
          }),
        { exit: `ok(${JSON.stringify([`Die(${said})`, 2])})` },
        1
      )
    }
    for (const total of [0, 3, Infinity]) {
      const limiter = Runtime.runSync(CapacityLimiter.make(total))
      expect(Runtime.runSync(limiter.statistics).total).to.equal(total)
    }
  })

  it('SY-36 with a total of 0 nobody gets in, with Infinity everybody', () => {
    expectAll(
      () =>
        gen(function* () {
          const none = yield* CapacityLimiter.make(0)
          const all = yield* CapacityLimiter.make(Infinity)
          for (let i = 0; i < 100; i++) yield* all.acquireFor(i)
          return [yield* ending(none.acquireNow), (yield* all.statistics).borrowed]
        }),
      { exit: 'ok(["Fail(WouldBlock)",100])' }
    )
  })

  it('SY-37 raising the total lets that many in at once; lowering it revokes nothing', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const limiter = yield* CapacityLimiter.make(1)
            for (let i = 0; i < 5; i++) yield* group.spawn(limiter.withToken(Effect.sleep(10)))
            yield* settle
            const seen: Array<string> = []
            const note = Effect.map(
              ({ borrowed, tasksWaiting }: CapacityLimiter.CapacityLimiterStatistics) => {
                seen.push(`${borrowed} ${tasksWaiting}`)
              }
            )(limiter.statistics)
            yield* note
            yield* limiter.setTotal(3)
            yield* note
            yield* limiter.setTotal(0)
            yield* note
            yield* Effect.sleep(20)
            yield* note
            yield* limiter.setTotal(Infinity)
            yield* note
            return seen
          })
        ),
      { exit: 'ok(["1 4","3 2","3 2","0 2","2 0"])' }
    )
  })

  it('SY-42 those that wait are served in the order of their arrival', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const limiter = yield* CapacityLimiter.make(1)
            yield* limiter.acquire
            for (const name of ['a', 'b', 'c']) {
              yield* group.spawn(limiter.withToken(log(name)))
              yield* settle
            }
            yield* limiter.release
          })
        ),
      { log: ['a@3', 'b@3', 'c@3'] }
    )
  })

  it('SY-43 acquireNow blocks without a token, and while somebody waits', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const limiter = yield* CapacityLimiter.make(1)
            yield* limiter.acquireFor('x')
            const ends = [yield* ending(limiter.acquireNow)]
            yield* group.spawn(limiter.acquireFor('y'))
            yield* settle
            yield* limiter.releaseFor('x')
            ends.push(yield* ending(limiter.acquireNow))
            yield* limiter.releaseFor('y')
            ends.push(yield* ending(limiter.acquireNow))
            return ends
          })
        ),
      { exit: 'ok(["Fail(WouldBlock)","Fail(WouldBlock)","ok()"])' }
    )
  })

  it('in a cancelled scope nothing is borrowed', () => {
    expectAll(
      () =>
        gen(function* () {
          const limiter = yield* CapacityLimiter.make(1)
          for (const fx of [limiter.acquire, limiter.acquireFor('x'), limiter.withToken(Effect.unit)]) {
            yield* CancelScope.open((scope) => Effect.andThen(fx)(scope.cancel()))
          }
          return (yield* limiter.statistics).borrowed
        }),
      { exit: 'ok(0)' }
    )
  })

  it('three tasks, one or two cancelled at every turn, under every schedule', function () {
    this.timeout(60_000)
    const trial = (victims: ReadonlyArray<number>, delay: number, raise: boolean) => (): Trial => {
      let inside = 0
      let most = 0
      const done: Array<number> = []
      let left: CapacityLimiter.CapacityLimiterStatistics | undefined
      const program = TaskGroup.open()((group) =>
        gen(function* () {
          const limiter = yield* CapacityLimiter.make(1)
          const tasks: Array<Task.Task<never, void>> = []
          for (let i = 0; i < 3; i++) {
            const region = Effect.ensuring(
              Effect.sync(() => {
                inside--
              })
            )(
              Effect.andThen(Effect.checkpoint)(
                Effect.sync(() => {
                  most = Math.max(most, ++inside)
                })
              )
            )
            tasks.push(yield* group.spawn(Effect.map(() => void done.push(i))(limiter.withToken(region))))
          }
          const cut = Effect.forEach((v: number) => tasks[v]!.cancel())(victims)
          yield* group.spawn(afterTurns(delay, raise ? Effect.andThen(limiter.setTotal(2))(cut) : cut))
          for (const task of tasks) yield* task.wait
          left = yield* limiter.statistics
        })
      )
      const wrong = (): string | undefined => {
        const said = JSON.stringify({ victims, delay, most, done, left })
        if (most > (raise ? 2 : 1)) return `too many inside: ${said}`
        if (left?.borrowed !== 0 || left.tasksWaiting !== 0) return `tokens are lost: ${said}`
        for (let i = 0; i < 3; i++) {
          if (!victims.includes(i) && !done.includes(i)) return `forgotten: ${said}`
        }
        return undefined
      }
      return { program, wrong }
    }
    for (const raise of [false, true]) {
      for (const victims of [[], [0], [1], [2], [1, 0], [2, 1]]) {
        for (let delay = 0; delay < 4; delay++) {
          underAllSchedules({ base: 3, length: 4 }, trial(victims, delay, raise))
        }
      }
    }
  })

  it('any sequence of entering, leaving, cancelling and changing the total does what a naive model does', function () {
    this.timeout(60_000)
    const subject = sameAsModel((total) =>
      Effect.map((limiter: CapacityLimiter.CapacityLimiter) => ({
        heaviest: 1,
        within: (id: number) => (id % 2 === 0 ? limiter.withToken : limiter.withTokenFor(id)),
        now: Effect.match(
          () => false,
          () => true
        )(Effect.andThen(limiter.release)(limiter.acquireNow)),
        setTotal: limiter.setTotal,
        statistics: Effect.map(
          ({ total: of, borrowed, tasksWaiting }: CapacityLimiter.CapacityLimiterStatistics) =>
            [of - borrowed, tasksWaiting] as const
        )(limiter.statistics)
      }))(CapacityLimiter.make(total))
    )
    fc.assert(
      fc.property(scenario(4), fc.nat(), (script, seed) => {
        const exit = TestRuntime.runExit(subject(script), { seed })
        if (exit._tag === 'Left') throw exit.left._tag === 'Die' ? exit.left.defect : new Error(show(exit))
      }),
      { numRuns: 300 }
    )
  })

  it('100,000 waiting tasks are served, or cancelled, in linear time', function () {
    this.timeout(120_000)
    const crowd =
      (then: (group: TaskGroup.TaskGroup<never>, limiter: CapacityLimiter.CapacityLimiter) => Fx<unknown>) =>
      (n: number) =>
        turnsOf(
          TaskGroup.open()((group) =>
            gen(function* () {
              const limiter = yield* CapacityLimiter.make(0)
              for (let i = 0; i < n; i++) yield* group.spawn(limiter.withToken(Effect.unit))
              yield* Effect.yieldNow
              expect((yield* limiter.statistics).tasksWaiting).to.equal(n)
              yield* then(group, limiter)
            })
          )
        )
    expect(
      growth(
        5_000,
        crowd((_, limiter) => limiter.setTotal(1))
      )
    ).to.be.lessThan(50)
    expect(
      growth(
        5_000,
        crowd((group) => group.cancelAll())
      )
    ).to.be.lessThan(50)
  })
})
