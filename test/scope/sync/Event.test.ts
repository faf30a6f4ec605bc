/** Events: set once, and all that wait go on. */
import { expect } from 'chai'
import {
  CancelScope,
  Condition,
  CapacityLimiter,
  Effect,
  Event,
  Exit,
  Future,
  Lock,
  Runtime,
  Semaphore,
  type Task,
  TaskGroup
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { byHand, growth, start, turnsOf } from '../../support/byHand.js'
import { afterTurns, settle, type Trial, underAllSchedules } from '../../support/schedules.js'
import { expectAll, type Fx } from '../../support/seeds.js'

const { gen } = Effect

const waiting = (event: Event.Event): Fx<number> =>
  Effect.map(({ tasksWaiting }: Event.EventStatistics) => tasksWaiting)(event.statistics)

describe('Event', () => {
  it('SY-01 wait suspends until set, which lets all go on that wait; isSet is true from then on', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const event = yield* Event.make()
            for (const name of ['a', 'b', 'c']) yield* group.spawn(Effect.andThen(log(name))(event.wait))
            yield* Effect.sleep(10)
            const before = yield* event.isSet
            yield* event.set
            return [before, yield* event.isSet]
          })
        ),
      { exit: 'ok([false,true])', lines: ['a@10', 'b@10', 'c@10'] }
    )
  })

  it('those that wait are resumed in the order of their arrival', () => {
    const log: Array<number> = []
    turnsOf(
      TaskGroup.open()((group) =>
        gen(function* () {
          const event = yield* Event.make()
          for (let i = 0; i < 5; i++) yield* group.spawn(Effect.map(() => log.push(i))(event.wait))
          yield* Effect.yieldNow
          yield* event.set
        })
      )
    )
    expect(log).to.deep.equal([0, 1, 2, 3, 4])
  })

  it('SY-02 wait on an event that is set goes on without yielding, and is cancelled in a cancelled scope', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const event = yield* Event.make()
            yield* event.set
            yield* group.spawn(log('other'))
            yield* event.wait
            yield* log('went on')
            const ended = yield* CancelScope.open((scope) => Effect.andThen(event.wait)(scope.cancel()))
            return ended._tag
          })
        ),
      { exit: 'ok(None)', log: ['went on@0', 'other@0'] }
    )
  })

  it('SY-03 there is no reset, and setting it again does nothing', () => {
    expectAll(
      () =>
        gen(function* () {
          const event = yield* Event.make()
          yield* event.set
          yield* event.set
          event.setUnsafe()
          yield* event.wait
          return [yield* event.isSet, Object.keys(event).filter((key) => /reset|clear|unset/i.test(key))]
        }),
      { exit: 'ok([true,[]])' }
    )
  })

  it('SY-04 the statistics count those that wait, 0 after set', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const event = yield* Event.make()
            const tasks: Array<Task.Task<never, void>> = []
            for (let i = 0; i < 3; i++) tasks.push(yield* group.spawn(event.wait))
            yield* settle
            const seen = [yield* waiting(event)]
            yield* tasks[1]!.cancel()
            seen.push(yield* waiting(event))
            yield* event.set
            seen.push(yield* waiting(event))
            return seen
          })
        ),
      { exit: 'ok([3,2,0])' }
    )
  })

  it('SY-05 what is made outside of a running program is used later', () => {
    const event = Runtime.runSync(Event.make())
    const future = Runtime.runSync(Future.make<never, number>())
    const lock = Runtime.runSync(Lock.make())
    const semaphore = Runtime.runSync(Semaphore.make(1))
    const limiter = Runtime.runSync(CapacityLimiter.make(1))
    const condition = Runtime.runSync(Condition.make())
    for (const { statistics } of [event, future, lock, semaphore, limiter, condition]) {
      expect(Runtime.runSync(statistics).tasksWaiting).to.equal(0)
    }
    event.setUnsafe()
    expect(future.completeUnsafe(Exit.succeed(42))).to.equal(true)
    const program = gen(function* () {
      yield* event.wait
      yield* lock.withLock(semaphore.withPermit(limiter.withToken(Effect.unit)))
      yield* condition.withLock(condition.notifyAll)
      return yield* future.wait
    })
    expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed(42))
    expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed(42))
  })

  it('setUnsafe from a plain callback wakes fibers of several runs, each through its own scheduler', () => {
    const hands = [byHand(), byHand()]
    const event = Runtime.runSync(Event.make())
    const ends = hands.map((hand) => start(hand, event.wait))
    hands.forEach(({ settle: rest }) => rest())
    event.setUnsafe()
    expect(ends.map((end) => end())).to.deep.equal([undefined, undefined])
    hands[1]!.settle()
    expect(ends.map((end) => end())).to.deep.equal([undefined, Exit.succeed(undefined)])
    hands[0]!.settle()
    expect(ends[0]!()).to.deep.equal(Exit.succeed(undefined))
  })

  it('nobody is forgotten, and nobody that was woken is cancelled, under every schedule', function () {
    this.timeout(60_000)
    const trial = (victims: ReadonlyArray<number>, delay: number) => (): Trial => {
      const ends = new Map<number, string>()
      let left = -1
      const program = TaskGroup.open()((group) =>
        gen(function* () {
          const event = yield* Event.make()
          const tasks: Array<Task.Task<never, void>> = []
          for (let i = 0; i < 3; i++) {
            const work = Effect.onCancel(Effect.sync(() => ends.set(i, 'cancelled')))(
              Effect.map(() => void ends.set(i, 'woken'))(event.wait)
            )
            tasks.push(yield* group.spawn(work))
          }
          yield* group.spawn(Effect.andThen(event.set)(Effect.yieldNow))
          yield* group.spawn(afterTurns(delay, Effect.forEach((v: number) => tasks[v]!.cancel())(victims)))
          for (const task of tasks) yield* task.wait
          left = yield* waiting(event)
        })
      )
      const wrong = (): string | undefined => {
        const said = JSON.stringify([...ends])
        if (left !== 0) return `${left} still wait`
        for (let i = 0; i < 3; i++) {
          if (ends.get(i) !== 'woken' && !victims.includes(i)) return `forgotten: ${said}`
        }
        return undefined
      }
      return { program, wrong }
    }
    for (const victims of [[], [0], [2], [0, 1], [2, 1]]) {
      for (let delay = 0; delay < 4; delay++) underAllSchedules({ base: 3, length: 4 }, trial(victims, delay))
    }
  })

  it('wakes 100,000 tasks in linear time', function () {
    this.timeout(120_000)
    const work = (n: number) =>
      turnsOf(
        TaskGroup.open()((group) =>
          gen(function* () {
            const event = yield* Event.make()
            for (let i = 0; i < n; i++) yield* group.spawn(event.wait)
            yield* Effect.yieldNow
            expect(yield* waiting(event)).to.equal(n)
            yield* event.set
          })
        )
      )
    expect(growth(10_000, work)).to.be.lessThan(50)
  })
})
