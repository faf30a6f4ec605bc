/** Semaphores: permits are conserved, and those that wait are served in order. */
import { expect } from 'chai'
import * as fc from 'fast-check'
import { CancelScope, Concurrent, Effect, Semaphore, type Task, TaskGroup } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { growth, turnsOf } from '../../support/byHand.js'
import { sameAsModel, scenario } from '../../support/permitModel.js'
import { afterTurns, settle, type Trial, underAllSchedules } from '../../support/schedules.js'
import { defectOf, expectAll, type Fx, show } from '../../support/seeds.js'

const { gen } = Effect

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(show)(Effect.exit(fx))

const available = (semaphore: Semaphore.Semaphore): Fx<number> =>
  Effect.map((statistics: Semaphore.SemaphoreStatistics) => statistics.available)(semaphore.statistics)

describe('Semaphore', () => {
  it('SY-26 with two permits never more than two are inside, and both are back at the end', () => {
    expectAll(
      () =>
        gen(function* () {
          const semaphore = yield* Semaphore.make(2)
          let inside = 0
          let most = 0
          const work = semaphore.withPermit(
            gen(function* () {
              most = Math.max(most, ++inside)
              const left = yield* available(semaphore)
              expect(left).to.be.within(0, 2)
              yield* Effect.sleep(10)
              inside--
            })
          )
          yield* Concurrent.all([work, work, work, work, work])
          return [most, yield* available(semaphore)]
        }),
      { exit: 'ok([2,2])', took: 30 }
    )
  })

  it('SY-27 acquireNow takes a permit, and blocks at 0 and while somebody waits', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const semaphore = yield* Semaphore.make(2)
            const ends = [yield* ending(semaphore.acquireNow), yield* ending(semaphore.acquireNow)]
            ends.push(yield* ending(semaphore.acquireNow))
            const two = yield* group.spawn(semaphore.withPermits(2)(Effect.unit))
            yield* settle
            yield* semaphore.release
            // There is one, but the task that waits for two came first.
            ends.push(yield* ending(semaphore.acquireNow), String(yield* available(semaphore)))
            yield* semaphore.release
            yield* two.wait
            return [...ends, (yield* semaphore.statistics).available]
          })
        ),
      { exit: 'ok(["ok()","ok()","Fail(WouldBlock)","Fail(WouldBlock)","1",2])' }
    )
  })

  it('SY-28 a number of permits that is negative or not whole, or above max, is a defect', () => {
    const made = (permits: number, max?: number) =>
      defectOf(TestRuntime.runExit(Semaphore.make(permits, max === undefined ? {} : { max })))
    for (const permits of [-1, 1.5, NaN, Infinity]) {
      expect(made(permits)).to.equal(
        `RangeError: A Semaphore needs a whole number of permits from 0 to Infinity, but was given ${String(permits)}.`
      )
    }
    expect(made(3, 2)).to.equal(
      'RangeError: A Semaphore needs a whole number of permits from 0 to 2, but was given 3.'
    )
    expect(made(2, 2)).to.equal('no defect')
    expect(made(0)).to.equal('no defect')
  })

  it('SY-28 releasing above max is a defect, and changes nothing; without max there is no bound', () => {
    expectAll(
      () =>
        gen(function* () {
          const bounded = yield* Semaphore.make(1, { max: 2 })
          const free = yield* Semaphore.make(0)
          yield* bounded.release
          const above = yield* ending(bounded.release)
          for (let i = 0; i < 5; i++) yield* free.release
          return [above, yield* available(bounded), yield* available(free)]
        }),
      {
        exit: `ok(${JSON.stringify([
          'Die(TypeError: More permits were released than acquired: the Semaphore has 2 at most.)',
          2,
          5
        ])})`
      }
    )
  })

  it('SY-28 leaving withPermit with more permits than max is a defect', () => {
    expectAll(
      () =>
        gen(function* () {
          const semaphore = yield* Semaphore.make(1, { max: 1 })
          const ended = yield* ending(semaphore.withPermit(semaphore.release))
          return [ended.slice(0, 53), yield* available(semaphore)]
        }),
      { exit: `ok(${JSON.stringify(['Die(TypeError: More permits were released than acquir', 1])})` }
    )
  })

  it('withPermits of a number that there can never be is a defect, and waits for nothing', () => {
    for (const n of [-1, 0.5, NaN, 3]) {
      expectAll(
        () =>
          gen(function* () {
            const semaphore = yield* Semaphore.make(0, { max: 2 })
            return (yield* ending(semaphore.withPermits(n)(Effect.unit))).slice(0, 14)
          }),
        { exit: 'ok(Die(RangeError)' },
        1
      )
    }
  })

  it('a permit is given back on failure, defect and cancellation', () => {
    expectAll(
      () =>
        gen(function* () {
          const semaphore = yield* Semaphore.make(3)
          const inside = semaphore.withPermits(3)
          yield* Effect.exit(inside(Effect.fail('no')))
          yield* Effect.exit(inside(Effect.die('bug')))
          yield* CancelScope.open((scope) => inside(Effect.andThen(Effect.never)(scope.cancel())))
          return yield* available(semaphore)
        }),
      { exit: 'ok(3)' }
    )
  })

  it('acquire in a cancelled scope takes nothing, also when there is a permit', () => {
    expectAll(
      () =>
        gen(function* () {
          const semaphore = yield* Semaphore.make(1)
          yield* CancelScope.open((scope) => Effect.andThen(semaphore.acquire)(scope.cancel()))
          yield* CancelScope.open((scope) =>
            Effect.andThen(semaphore.withPermits(1)(Effect.unit))(scope.cancel())
          )
          return yield* available(semaphore)
        }),
      { exit: 'ok(1)' }
    )
  })

  it('one that wants many is not overtaken by those that want few', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const semaphore = yield* Semaphore.make(2)
            yield* semaphore.acquire
            for (const n of [2, 1, 1]) {
              yield* group.spawn(
                semaphore.withPermits(n)(Effect.andThen(Effect.sleep(10))(log(`takes ${n}`)))
              )
              yield* Effect.sleep(1)
            }
            yield* log(`${(yield* semaphore.statistics).tasksWaiting} wait`)
            yield* semaphore.release
          })
        ),
      { log: ['3 wait@3', 'takes 2@3', 'takes 1@13', 'takes 1@13'] }
    )
  })

  it('a cancelled head that wanted many lets in those behind it', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const semaphore = yield* Semaphore.make(2)
            yield* semaphore.acquire
            const head = yield* group.spawn(semaphore.withPermits(2)(log('never')))
            yield* settle
            for (const name of ['a', 'b']) {
              yield* group.spawn(semaphore.withPermit(Effect.andThen(Effect.sleep(5))(log(name))))
              yield* settle
            }
            yield* head.cancel()
            yield* Effect.sleep(20)
            const { available: left, tasksWaiting } = yield* semaphore.statistics
            return [left, tasksWaiting]
          })
        ),
      { exit: 'ok([1,0])', log: ['a@3', 'b@8'] }
    )
  })

  it('a permit that was handed over belongs to the task, also when it is cancelled in the same turn', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const semaphore = yield* Semaphore.make(0)
            const task = yield* group.spawn(
              semaphore.withPermit(
                Effect.andThen(Effect.andThen(log('never'))(Effect.checkpoint))(log('inside'))
              )
            )
            yield* settle
            yield* semaphore.release
            yield* task.cancel()
            yield* task.wait
            return yield* available(semaphore)
          })
        ),
      { exit: 'ok(1)', log: ['inside@1'] }
    )
  })

  it('the statistics say what is left and how many wait', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const semaphore = yield* Semaphore.make(1)
            const tasks: Array<Task.Task<never, void>> = []
            for (let i = 0; i < 3; i++) {
              tasks.push(yield* group.spawn(semaphore.withPermit(Effect.never)))
              yield* settle
            }
            const full = yield* semaphore.statistics
            yield* tasks[1]!.cancel()
            const fewer = yield* semaphore.statistics
            yield* group.cancelAll()
            for (const task of tasks) yield* task.wait
            return [full, fewer, yield* semaphore.statistics]
          })
        ),
      {
        exit: `ok(${JSON.stringify([
          { available: 0, tasksWaiting: 2 },
          { available: 0, tasksWaiting: 1 },
          { available: 1, tasksWaiting: 0 }
        ])})`
      }
    )
  })

  it('the name is shown with what waits', () => {
    const exit = TestRuntime.runExit(
      Effect.flatMap((semaphore: Semaphore.Semaphore) => semaphore.acquire)(Semaphore.make(0, { name: 'db' }))
    )
    expect(exit).to.have.nested.property('left._tag', 'Die')
    expect(exit).to.have.nested.property('left.defect.tree').which.includes('Semaphore.acquire "db"')
  })

  describe('conservation', () => {
    const trial =
      (permits: number, weights: ReadonlyArray<number>, victims: ReadonlyArray<number>, delay: number) =>
      (): Trial => {
        let inside = 0
        let most = 0
        const done: Array<number> = []
        let left: Semaphore.SemaphoreStatistics | undefined
        const program = TaskGroup.open()((group) =>
          gen(function* () {
            const semaphore = yield* Semaphore.make(permits)
            const tasks: Array<Task.Task<never, void>> = []
            for (const [i, weight] of weights.entries()) {
              const region = Effect.ensuring(
                Effect.sync(() => {
                  inside -= weight
                })
              )(
                Effect.andThen(Effect.checkpoint)(
                  Effect.sync(() => {
                    most = Math.max(most, (inside += weight))
                  })
                )
              )
              const work = Effect.map(() => void done.push(i))(semaphore.withPermits(weight)(region))
              tasks.push(yield* group.spawn(work))
            }
            yield* group.spawn(afterTurns(delay, Effect.forEach((v: number) => tasks[v]!.cancel())(victims)))
            for (const task of tasks) yield* task.wait
            left = yield* semaphore.statistics
          })
        )
        const wrong = (): string | undefined => {
          const said = JSON.stringify({ permits, weights, victims, delay, most, done, left })
          if (most > permits) return `too many inside: ${said}`
          if (left?.available !== permits || left.tasksWaiting !== 0) return `permits are lost: ${said}`
          if (weights.some((_, i) => !victims.includes(i) && !done.includes(i))) return `forgotten: ${said}`
          return undefined
        }
        return { program, wrong }
      }

    it('three tasks, one or two cancelled at every turn, under every schedule', function () {
      this.timeout(60_000)
      for (const [permits, weights] of [
        [1, [1, 1, 1]],
        [2, [2, 1, 1]],
        [2, [1, 2, 1]]
      ] as const) {
        for (const victims of [[], [0], [1], [2], [0, 1], [1, 0], [2, 0], [2, 1]]) {
          for (let delay = 0; delay < 5; delay++) {
            underAllSchedules({ base: 3, length: 4 }, trial(permits, weights, victims, delay))
          }
        }
      }
    })

    it('any sequence of entering, leaving and cancelling does what a naive model does', function () {
      this.timeout(60_000)
      const subject = sameAsModel((total) =>
        Effect.map((semaphore: Semaphore.Semaphore) => ({
          heaviest: Math.min(total, 3),
          within: (_: number, weight: number) => semaphore.withPermits(weight),
          now: Effect.match(
            () => false,
            () => true
          )(Effect.andThen(semaphore.release)(semaphore.acquireNow)),
          statistics: Effect.map(
            (statistics: Semaphore.SemaphoreStatistics) =>
              [statistics.available, statistics.tasksWaiting] as const
          )(semaphore.statistics)
        }))(Semaphore.make(total))
      )
      fc.assert(
        fc.property(scenario(4), fc.nat(), (script, seed) => {
          const exit = TestRuntime.runExit(subject(script), { seed })
          if (exit._tag === 'Left') throw exit.left._tag === 'Die' ? exit.left.defect : new Error(show(exit))
        }),
        { numRuns: 300 }
      )
    })
  })

  it('100,000 waiting tasks are served, or cancelled, in linear time', function () {
    this.timeout(120_000)
    const crowd =
      (then: (group: TaskGroup.TaskGroup<never>, semaphore: Semaphore.Semaphore) => Fx<unknown>) =>
      (n: number) =>
        turnsOf(
          TaskGroup.open()((group) =>
            gen(function* () {
              const semaphore = yield* Semaphore.make(0)
              for (let i = 0; i < n; i++) yield* group.spawn(semaphore.withPermit(Effect.unit))
              yield* Effect.yieldNow
              expect((yield* semaphore.statistics).tasksWaiting).to.equal(n)
              yield* then(group, semaphore)
            })
          )
        )
    expect(
      growth(
        10_000,
        crowd((_, semaphore) => semaphore.release)
      )
    ).to.be.lessThan(50)
    expect(
      growth(
        10_000,
        crowd((group) => group.cancelAll())
      )
    ).to.be.lessThan(50)
  })
})
