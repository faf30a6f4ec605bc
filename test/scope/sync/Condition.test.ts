/** Conditions: waiting for a change under a lock, without losing a notification. */
import { expect } from 'chai'
import { CancelScope, Condition, Effect, Lock, type Task, TaskGroup, Timeout } from 'millrace'
import { afterTurns, settle, type Trial, underAllSchedules } from '../../support/schedules.js'
import { expectAll, type Fx, show } from '../../support/seeds.js'

const { gen } = Effect

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(show)(Effect.exit(fx))

const misuse =
  'Die(TypeError: A Condition is used by the owner of its lock. Put this into condition.withLock(…).)'

const waiting = (condition: Condition.Condition): Fx<number> =>
  Effect.map(({ tasksWaiting }: Condition.ConditionStatistics) => tasksWaiting)(condition.statistics)

describe('Condition', () => {
  it('SY-18 the lock is free during a wait, and held again when it ends', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const condition = yield* Condition.make()
            yield* group.spawn(
              condition.withLock(
                gen(function* () {
                  yield* condition.wait
                  yield* log(`owned ${yield* condition.lock.isOwned}`)
                })
              )
            )
            yield* Effect.sleep(5)
            yield* condition.lock.acquireNow
            yield* condition.notify(1)
            yield* Effect.sleep(5)
            yield* log('releases')
            yield* condition.lock.release
          })
        ),
      { log: ['releases@10', 'owned true@10'] }
    )
  })

  it('SY-19 wait, waitFor and notify of a task that does not own the lock are defects', () => {
    expectAll(
      () =>
        gen(function* () {
          const condition = yield* Condition.make()
          const ends = [
            yield* ending(condition.wait),
            yield* ending(condition.waitFor(() => true)),
            yield* ending(condition.notify(1)),
            yield* ending(condition.notifyAll)
          ]
          return [...new Set(ends)]
        }),
      { exit: `ok(${JSON.stringify([misuse])})` }
    )
  })

  it('SY-20 SY-21 notify wakes up to n in the order of arrival, notifyAll all; the statistics follow', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const condition = yield* Condition.make()
            for (let i = 0; i < 6; i++) {
              yield* group.spawn(condition.withLock(Effect.andThen(log(`${i}`))(condition.wait)))
              yield* settle
            }
            const seen = [yield* waiting(condition)]
            for (const notify of [
              condition.notify(0),
              condition.notify(-1),
              condition.notify(1),
              condition.notify(2),
              condition.notifyAll,
              condition.notify(9)
            ]) {
              yield* condition.withLock(notify)
              seen.push(yield* waiting(condition))
              yield* Effect.sleep(10)
            }
            return seen
          })
        ),
      { exit: 'ok([6,6,6,5,3,0,0])', lines: ['0@26', '1@36', '2@36', '3@46', '4@46', '5@46'] }
    )
  })

  it('notify of NaN is a defect', () => {
    expectAll(
      () =>
        gen(function* () {
          const condition = yield* Condition.make()
          return yield* ending(condition.withLock(condition.notify(NaN)))
        }),
      { exit: 'ok(Die(TypeError: Condition.notify takes a number of tasks to wake, but was given NaN.))' }
    )
  })

  it('SY-24 waitFor goes on over notifications while the predicate is falsy, and gives what is truthy', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const condition = yield* Condition.make()
            const stock: Array<string> = []
            let asked = 0
            const buyer = yield* group.spawn(
              condition.withLock(
                condition.waitFor(() => {
                  asked++
                  return stock[2]
                })
              )
            )
            for (const item of ['a', 'b', 'c']) {
              yield* Effect.sleep(10)
              yield* condition.withLock(
                Effect.andThen(condition.notifyAll)(Effect.sync(() => void stock.push(item)))
              )
            }
            const exit = yield* buyer.wait
            yield* log(show(exit))
            return asked
          })
        ),
      { exit: 'ok(4)', log: ['ok(c)@30'] }
    )
  })

  it('SY-24 waitFor does not wait when the predicate holds; in a cancelled scope it is cancelled all the same', () => {
    expectAll(
      () =>
        gen(function* () {
          const condition = yield* Condition.make()
          const value = yield* condition.withLock(condition.waitFor(() => 7))
          const ended = yield* condition.withLock(
            CancelScope.open((scope) => Effect.andThen(condition.waitFor(() => true))(scope.cancel()))
          )
          return [value, ended._tag]
        }),
      { exit: 'ok([7,"None"])' }
    )
  })

  it('SY-25 a lock may be given and shared by several conditions; acquireNow is that of the lock', () => {
    expectAll(
      () =>
        gen(function* () {
          const lock = yield* Lock.make()
          const [full, empty] = [yield* Condition.make({ lock }), yield* Condition.make({ lock })]
          yield* lock.acquireNow
          yield* full.notifyAll
          yield* empty.notifyAll
          return [full.lock === lock, empty.lock === lock]
        }),
      { exit: 'ok([true,true])' }
    )
  })

  it('a wait that is cancelled takes the lock again before the cancellation goes on', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const condition = yield* Condition.make()
            const task = yield* group.spawn(
              condition.withLock(
                Effect.ensuring(
                  Effect.flatMap((owned: boolean) => log(`owned ${owned}`))(condition.lock.isOwned)
                )(condition.wait)
              )
            )
            yield* settle
            yield* condition.lock.acquire
            yield* task.cancel()
            yield* Effect.sleep(10)
            yield* log('releases')
            yield* condition.lock.release
            yield* task.wait
            return [yield* task.status, yield* waiting(condition)]
          })
        ),
      { exit: 'ok(["cancelled",0])', log: ['releases@11', 'owned true@11'] }
    )
  })

  it('a wait in a cancelled scope keeps the lock', () => {
    expectAll(
      () =>
        gen(function* () {
          const condition = yield* Condition.make()
          return yield* condition.withLock(
            gen(function* () {
              const ended = yield* CancelScope.open((scope) => Effect.andThen(condition.wait)(scope.cancel()))
              return [ended._tag, yield* condition.lock.isOwned]
            })
          )
        }),
      { exit: 'ok(["None",true])' }
    )
  })

  it('a wait that was notified has happened: a cancellation is seen at the next checkpoint', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const condition = yield* Condition.make()
            const task = yield* group.spawn(
              condition.withLock(
                gen(function* () {
                  yield* condition.wait
                  yield* log('notified')
                  yield* Effect.checkpoint
                  yield* log('never')
                })
              )
            )
            yield* settle
            yield* condition.withLock(condition.notify(1))
            yield* task.cancel()
            yield* task.wait
            return yield* task.status
          })
        ),
      { exit: 'ok(cancelled)', log: ['notified@1'] }
    )
  })

  it('waitFor that was notified and then cancelled has happened when its predicate holds', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const condition = yield* Condition.make()
            let stock = 0
            const task = yield* group.spawn(
              condition.withLock(
                Effect.andThen(Effect.flatMap(() => log(`takes, ${--stock} left`))(Effect.unit))(
                  condition.waitFor(() => stock > 0)
                )
              )
            )
            yield* settle
            yield* condition.withLock(
              Effect.andThen(condition.notify(1))(
                Effect.sync(() => {
                  stock = 1
                })
              )
            )
            yield* task.cancel()
            yield* task.wait
            return stock
          })
        ),
      { exit: 'ok(0)', log: ['takes, 0 left@1'] }
    )
  })

  it('a deadline around a wait ends it with the lock held', () => {
    expectAll(
      () =>
        gen(function* () {
          const condition = yield* Condition.make()
          return yield* condition.withLock(
            gen(function* () {
              const ended = yield* Timeout.moveOnAfter(10)(condition.wait)
              return [ended._tag, yield* condition.lock.isOwned]
            })
          )
        }),
      { exit: 'ok(["None",true])', took: 10 }
    )
  })

  it('a queue that is built on two conditions loses nothing, one or two cancelled at every turn', function () {
    this.timeout(60_000)
    const trial = (victims: ReadonlyArray<number>, delay: number) => (): Trial => {
      const put: Array<number> = []
      const got: Array<number> = []
      const held: Array<number> = []
      const seen = { heldAtRest: -1, consumersWait: -1, producersWait: -1, owner: '', locksWait: -1 }
      const program = TaskGroup.open()((group) =>
        gen(function* () {
          const lock = yield* Lock.make()
          const [filled, emptied] = [yield* Condition.make({ lock }), yield* Condition.make({ lock })]
          const produce = (item: number) =>
            lock.withLock(
              gen(function* () {
                yield* emptied.waitFor(() => held.length < 1)
                held.push(item)
                put.push(item)
                yield* filled.notify(1)
              })
            )
          const consume = lock.withLock(
            gen(function* () {
              yield* filled.waitFor(() => held.length > 0)
              got.push(held.shift()!)
              yield* emptied.notify(1)
            })
          )
          const tasks: Array<Task.Task<never, void>> = []
          for (const work of [produce(1), produce(2), consume, consume]) tasks.push(yield* group.spawn(work))
          yield* group.spawn(afterTurns(delay, Effect.forEach((v: number) => tasks[v]!.cancel())(victims)))
          yield* settle
          seen.heldAtRest = held.length
          seen.consumersWait = yield* waiting(filled)
          seen.producersWait = yield* waiting(emptied)
          yield* group.cancelAll()
          for (const task of tasks) yield* task.wait
          const { owner, tasksWaiting } = yield* lock.statistics
          seen.owner = owner._tag
          seen.locksWait = tasksWaiting
        })
      )
      const wrong = (): string | undefined => {
        const said = JSON.stringify({ victims, delay, put, got, held, seen })
        if ([...got, ...held].join() !== put.join()) return `lost or reordered: ${said}`
        if (seen.heldAtRest > 0 && seen.consumersWait > 0) return `a consumer is forgotten: ${said}`
        if (seen.heldAtRest < 1 && seen.producersWait > 0) return `a producer is forgotten: ${said}`
        if (seen.owner !== 'None' || seen.locksWait !== 0) return `the lock is lost: ${said}`
        return undefined
      }
      return { program, wrong }
    }
    let runs = 0
    for (const victims of [[], [0], [2], [3], [0, 2], [3, 1], [2, 0]]) {
      for (let delay = 0; delay < 5; delay++) {
        runs += underAllSchedules({ base: 3, length: 4 }, trial(victims, delay))
      }
    }
    expect(runs).to.equal(7 * 5 * 81)
  })
})
