/** Locks: one at a time, in the order of arrival, and never lost. */
import { expect } from 'chai'
import * as fc from 'fast-check'
import { CancelScope, Effect, Exit, Lock, Runtime, type Task, TaskGroup } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { byHand, growth, start, turnsOf } from '../../support/byHand.js'
import { sameAsModel, scenario } from '../../support/permitModel.js'
import { afterTurns, settle, type Trial, underAllSchedules } from '../../support/schedules.js'
import { expectAll, type Fx, show } from '../../support/seeds.js'

const { gen } = Effect

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(show)(Effect.exit(fx))

const reentered =
  'Die(TypeError: The task owns this Lock already, and would wait for itself. A Lock is not re-entrant.)'
const notOwned = 'Die(TypeError: A Lock can be released only by the task that has acquired it. Use withLock.)'

/** Who owns it, and how many wait. */
const state = (lock: Lock.Lock): Fx<string> =>
  Effect.map(
    ({ owner, tasksWaiting }: Lock.LockStatistics) =>
      `${owner._tag === 'Some' ? owner.value : '-'} ${tasksWaiting}`
  )(lock.statistics)

describe('Lock', () => {
  it('SY-06 a second task enters only when the first has left, which it does on failure and cancellation too', () => {
    for (const inside of [
      Effect.sleep(10),
      Effect.andThen(Effect.fail('no'))(Effect.sleep(10)),
      Effect.never
    ]) {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const lock = yield* Lock.make()
              const first = yield* group.spawn(
                Effect.exit(lock.withLock(Effect.andThen(inside as Fx<void, string>)(log('first in'))))
              )
              yield* settle
              yield* group.spawn(lock.withLock(log('second in')))
              yield* Effect.sleep(9)
              yield* first.cancel()
            })
          ),
        { log: ['first in@0', 'second in@10'] }
      )
    }
  })

  it('SY-07 acquireNow takes a free lock, and blocks when another task owns it', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            const free = yield* ending(lock.acquireNow)
            const other = yield* group.spawn(ending(lock.acquireNow))
            const exit = yield* other.wait
            yield* lock.release
            return [free, show(exit), yield* state(lock)]
          })
        ),
      { exit: 'ok(["ok()","ok(Fail(WouldBlock))","- 0"])' }
    )
  })

  it('acquireNow does not overtake a task that was handed the lock', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            yield* lock.acquire
            yield* group.spawn(lock.withLock(Effect.unit), { name: 'waiter' })
            yield* settle
            yield* lock.release
            return [yield* ending(lock.acquireNow), yield* state(lock)]
          })
        ),
      { exit: 'ok(["Fail(WouldBlock)","waiter 0"])' }
    )
  })

  it('SY-08 a task that takes the lock it owns ends with a defect, and never waits for itself', () => {
    expectAll(
      () =>
        gen(function* () {
          const lock = yield* Lock.make()
          const ends = yield* lock.withLock(
            gen(function* () {
              return [
                yield* ending(lock.acquire),
                yield* ending(lock.acquireNow),
                yield* ending(lock.withLock(Effect.unit))
              ]
            })
          )
          return [...new Set(ends), yield* state(lock)]
        }),
      { exit: `ok(${JSON.stringify([reentered, '- 0'])})` }
    )
  })

  it('SY-09 a task that does not own the lock cannot release it; it stays held', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            const free = yield* ending(lock.release)
            yield* lock.acquire
            const other = yield* group.spawn(ending(lock.release))
            const exit = yield* other.wait
            return [free, show(exit), yield* state(lock), yield* lock.isOwned]
          })
        ),
      { exit: `ok(${JSON.stringify([notOwned, `ok(${notOwned})`, 'main 0', true])})` }
    )
  })

  it('SY-09 leaving withLock after somebody else has taken the lock is a defect; it stays held by the other', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            const ended = yield* ending(
              lock.withLock(
                gen(function* () {
                  yield* group.spawn(Effect.andThen(Effect.sleep(10))(lock.acquire), { name: 'other' })
                  yield* settle
                  yield* lock.release
                })
              )
            )
            return [ended, yield* state(lock)]
          })
        ),
      { exit: `ok(${JSON.stringify([notOwned, 'other 0'])})` }
    )
  })

  it('SY-14 taking a free lock does not yield', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            yield* group.spawn(log('other'))
            yield* lock.withLock(log('inside'))
            yield* log('outside')
          })
        ),
      { log: ['inside@0', 'outside@0', 'other@0'] }
    )
  })

  it('SY-16 the statistics name the owner and count those that wait, at once', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            const seen = [yield* state(lock)]
            const tasks: Array<Task.Task<never, void>> = []
            for (const name of ['a', 'b', 'c']) {
              tasks.push(yield* group.spawn(lock.withLock(Effect.never), { name }))
              yield* settle
              seen.push(yield* state(lock))
            }
            yield* tasks[1]!.cancel()
            seen.push(yield* state(lock))
            yield* tasks[0]!.cancel()
            yield* tasks[0]!.wait
            seen.push(yield* state(lock))
            yield* group.cancelAll()
            return seen
          })
        ),
      { exit: 'ok(["- 0","a 0","a 1","a 2","a 1","c 0"])' }
    )
  })

  it('SY-17 in a cancelled scope a free lock is not taken', () => {
    expectAll(
      () =>
        gen(function* () {
          const lock = yield* Lock.make()
          yield* CancelScope.open((scope) => Effect.andThen(lock.acquire)(scope.cancel()))
          yield* CancelScope.open((scope) => Effect.andThen(lock.withLock(Effect.unit))(scope.cancel()))
          return yield* state(lock)
        }),
      { exit: 'ok(- 0)' }
    )
  })

  it('isOwned says whether this task owns it', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            const before = yield* lock.isOwned
            yield* lock.acquire
            const other = yield* group.spawn(lock.isOwned)
            return [before, yield* lock.isOwned, show(yield* other.wait)]
          })
        ),
      { exit: 'ok([false,true,"ok(false)"])' }
    )
  })

  it('a task that is cancelled while it waits gives up its place', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            yield* lock.acquire
            const tasks: Array<Task.Task<never, void>> = []
            for (const name of ['a', 'b', 'c']) {
              tasks.push(yield* group.spawn(lock.withLock(log(name))))
              yield* settle
            }
            yield* tasks[0]!.cancel()
            yield* tasks[1]!.cancel()
            yield* lock.release
          })
        ),
      { log: ['c@3'] }
    )
  })

  it('a task that was handed the lock owns it, also when it is cancelled in the same turn, and must release', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            yield* lock.acquire
            const first = yield* group.spawn(
              Effect.ensuring(Effect.flatMap((owned: boolean) => log(`owned ${owned}`))(lock.isOwned))(
                Effect.andThen(Effect.andThen(log('never'))(Effect.checkpoint))(lock.acquire)
              ),
              { name: 'first' }
            )
            yield* settle
            yield* lock.release
            yield* first.cancel()
            yield* first.wait
            // It was not released, so it is held for ever.
            return yield* state(lock)
          })
        ),
      { exit: 'ok(first 0)', log: ['owned true@1'] }
    )
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            yield* lock.acquire
            const first = yield* group.spawn(
              lock.withLock(Effect.andThen(Effect.andThen(log('never'))(Effect.checkpoint))(log('first in')))
            )
            yield* settle
            yield* group.spawn(lock.withLock(log('second in')))
            yield* settle
            yield* lock.release
            yield* first.cancel()
          })
        ),
      { log: ['first in@2', 'second in@2'] }
    )
  })

  it('is shared by fibers of two runs', () => {
    const [one, two] = [byHand(), byHand()]
    const lock = Runtime.runSync(Lock.make())
    const log: Array<string> = []
    const region = (name: string) =>
      lock.withLock(
        gen(function* () {
          log.push(`${name} in`)
          yield* Effect.yieldNow
          log.push(`${name} out`)
        })
      )
    const ends = [start(one, region('a')), start(two, region('b')), start(one, region('c'))]
    for (let i = 0; i < 10; i++) {
      one.turn()
      two.turn()
    }
    expect(log).to.deep.equal(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
    expect(ends.map((end) => end())).to.deep.equal(ends.map(() => Exit.succeed(undefined)))
  })

  describe('conservation', () => {
    const trial = (count: number, victims: ReadonlyArray<number>, delay: number) => (): Trial => {
      const log: Array<string> = []
      const done: Array<number> = []
      let left = ''
      const program = TaskGroup.open()((group) =>
        gen(function* () {
          const lock = yield* Lock.make()
          const tasks: Array<Task.Task<never, void>> = []
          for (let i = 0; i < count; i++) {
            const region = Effect.ensuring(Effect.sync(() => log.push('out')))(
              Effect.andThen(Effect.checkpoint)(Effect.sync(() => log.push('in')))
            )
            tasks.push(yield* group.spawn(Effect.map(() => void done.push(i))(lock.withLock(region))))
          }
          yield* group.spawn(afterTurns(delay, Effect.forEach((v: number) => tasks[v]!.cancel())(victims)))
          for (const task of tasks) yield* task.wait
          left = yield* state(lock)
        })
      )
      const wrong = (): string | undefined => {
        const said = JSON.stringify({ count, victims, delay, log, done, left })
        if (log.some((entry, i) => entry !== (i % 2 === 0 ? 'in' : 'out'))) return `two were inside: ${said}`
        if (left !== '- 0') return `the lock is lost: ${said}`
        for (let i = 0; i < count; i++) {
          if (!victims.includes(i) && !done.includes(i)) return `forgotten: ${said}`
        }
        return undefined
      }
      return { program, wrong }
    }

    it('three tasks, one or two cancelled at every turn, under every schedule', function () {
      this.timeout(60_000)
      for (const victims of [[], [0], [1], [2], [0, 1], [1, 0], [2, 0], [2, 1]]) {
        for (let delay = 0; delay < 5; delay++) {
          underAllSchedules({ base: 3, length: 5 }, trial(3, victims, delay))
        }
      }
    })

    it('any sequence of entering, leaving and cancelling does what a naive model does', function () {
      this.timeout(60_000)
      const subject = sameAsModel(() =>
        Effect.map((lock: Lock.Lock) => ({
          heaviest: 1,
          within: () => lock.withLock,
          now: Effect.match(
            () => false,
            () => true
          )(Effect.andThen(lock.release)(lock.acquireNow)),
          statistics: Effect.map(
            ({ owner, tasksWaiting }: Lock.LockStatistics) =>
              [owner._tag === 'None' ? 1 : 0, tasksWaiting] as const
          )(lock.statistics)
        }))(Lock.make())
      )
      fc.assert(
        fc.property(scenario(1), fc.nat(), (script, seed) => {
          const exit = TestRuntime.runExit(subject(script), { seed })
          if (exit._tag === 'Left') throw exit.left._tag === 'Die' ? exit.left.defect : new Error(show(exit))
        }),
        { numRuns: 300 }
      )
    })
  })

  it('100,000 tasks that wait on one lock are served in order, in linear time', function () {
    this.timeout(120_000)
    const served = (n: number) => {
      const order: Array<number> = []
      const { turns } = turnsOf(
        TaskGroup.open()((group) =>
          gen(function* () {
            const lock = yield* Lock.make()
            yield* lock.acquire
            for (let i = 0; i < n; i++) {
              yield* group.spawn(
                lock.withLock(Effect.andThen(Effect.yieldNow)(Effect.sync(() => order.push(i))))
              )
            }
            yield* Effect.yieldNow
            expect((yield* lock.statistics).tasksWaiting).to.equal(n)
            yield* lock.release
          })
        )
      )
      expect(order.length).to.equal(n)
      expect(order.every((i, at) => i === at)).to.equal(true)
      // To start, to be handed the lock, and to give way.
      expect(turns).to.be.lessThan(3 * n + n / 100 + 10)
    }
    expect(growth(10_000, served)).to.be.lessThan(50)
  })
})
