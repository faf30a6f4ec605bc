/** Futures: the first completion counts, and all that wait get it. */
import { expect } from 'chai'
import { CancelScope, Cause, Effect, Exit, Future, Runtime, type Task, TaskGroup } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { afterTurns, settle, type Trial, underAllSchedules } from '../../support/schedules.js'
import { expectAll, type Fx, show } from '../../support/seeds.js'

const { gen } = Effect

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(show)(Effect.exit(fx))
const make = Future.make<string, number>()

describe('Future', () => {
  it('SY-46 everybody gets the value, whether they wait before it is there or after', () => {
    expectAll(
      (log) =>
        TaskGroup.open<string>()((group) =>
          gen(function* () {
            const future = yield* make
            for (const name of ['a', 'b']) {
              yield* group.spawn(Effect.flatMap((n: number) => log(`${name} ${n}`))(future.wait))
            }
            yield* Effect.sleep(5)
            yield* future.succeed(42)
            yield* Effect.sleep(5)
            yield* log(`late ${yield* future.wait}`)
          })
        ),
      { lines: ['a 42@5', 'b 42@5', 'late 42@10'] }
    )
  })

  it('SY-47 while it is pending poll gives nothing; each completion says whether it was the first', () => {
    expectAll(
      () =>
        gen(function* () {
          const future = yield* make
          const pending = (yield* future.poll)._tag
          const firsts = [yield* future.succeed(1), yield* future.succeed(2), yield* future.fail('late')]
          firsts.push(yield* future.complete(Exit.die('late')), future.completeUnsafe(Exit.succeed(3)))
          const polled = yield* future.poll
          return [pending, ...firsts, polled._tag === 'Some' ? show(polled.value) : 'None']
        }),
      { exit: 'ok(["None",true,false,false,false,false,"ok(1)"])' }
    )
  })

  it('SY-47 a wait that is cancelled leaves the future to the others', () => {
    expectAll(
      () =>
        TaskGroup.open<string>()((group) =>
          gen(function* () {
            const future = yield* make
            const first = yield* group.spawn(future.wait)
            const second = yield* group.spawn(future.wait)
            yield* settle
            yield* first.cancel()
            const { tasksWaiting } = yield* future.statistics
            yield* future.succeed(7)
            return [tasksWaiting, show(yield* first.wait), show(yield* second.wait)]
          })
        ),
      { exit: 'ok([1,"Cancelled","ok(7)"])' }
    )
  })

  it('SY-48 a failure is typed; everybody that waits fails with it', () => {
    expectAll(
      () =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const future = yield* make
            const early = yield* group.spawn(ending(future.wait))
            yield* settle
            const first = yield* future.fail('no')
            return [first, show(yield* early.wait), yield* ending(future.wait)]
          })
        ),
      { exit: 'ok([true,"ok(Fail(no))","Fail(no)"])' }
    )
  })

  it('the failure of a future is one leaf, however many fail with it', () => {
    const exit = TestRuntime.runExit(
      TaskGroup.open<string>()((group) =>
        gen(function* () {
          const future = yield* make
          yield* group.spawn(future.wait)
          yield* group.spawn(future.wait)
          yield* settle
          yield* future.fail('no')
        })
      )
    )
    expect(show(exit)).to.equal('Fail(no)')
  })

  it('SY-50 completes with any exit: a defect is a defect, and a cancellation from elsewhere cannot be forged', () => {
    expectAll(
      () =>
        gen(function* () {
          const [dead, cancelled] = [yield* make, yield* make]
          yield* dead.complete(Exit.die('bug'))
          const elsewhere: Array<Exit.Exit<never, never>> = []
          yield* CancelScope.open((scope) =>
            Effect.onExit((exit: Exit.Exit<never, void>) =>
              Effect.sync(() => {
                if (exit._tag === 'Left') elsewhere.push(exit)
              })
            )(Effect.andThen(Effect.checkCancelled)(scope.cancel()))
          )
          yield* cancelled.complete(elsewhere[0]!)
          return [yield* ending(dead.wait), yield* ending(cancelled.wait)]
        }),
      { exit: 'ok(["Die(bug)","Die(CancelledElsewhere)"])' }
    )
  })

  it('SY-50 the statistics say whether it is done and how many wait', () => {
    expectAll(
      () =>
        TaskGroup.open<string>()((group) =>
          gen(function* () {
            const future = yield* make
            yield* group.spawn(future.wait)
            yield* settle
            const before = yield* future.statistics
            yield* future.succeed(1)
            return [before, yield* future.statistics]
          })
        ),
      { exit: 'ok([{"isDone":false,"tasksWaiting":1},{"isDone":true,"tasksWaiting":0}])' }
    )
  })

  it('wait on a complete future goes on without yielding, and is cancelled in a cancelled scope', () => {
    expectAll(
      (log) =>
        TaskGroup.open<string>()((group) =>
          gen(function* () {
            const future = yield* make
            yield* future.succeed(1)
            yield* group.spawn(log('other'))
            yield* future.wait
            yield* log('went on')
            return (yield* CancelScope.open((scope) => Effect.andThen(future.wait)(scope.cancel())))._tag
          })
        ),
      { exit: 'ok(None)', log: ['went on@0', 'other@0'] }
    )
  })

  it('completeUnsafe completes it from a plain callback', async () => {
    const program = gen(function* () {
      const future = yield* make
      queueMicrotask(() => void future.completeUnsafe(Exit.fail('no')))
      return yield* Effect.exit(future.wait)
    })
    expect(await Runtime.runPromise(program)).to.deep.equal(Exit.failCause(Cause.fail('no')))
  })

  it('the first of several completions wins under every schedule, and nobody is forgotten', function () {
    this.timeout(60_000)
    const trial = (victim: number, delay: number) => (): Trial => {
      const got: Array<number> = []
      const won: Array<number> = []
      const program = TaskGroup.open<string>()((group) =>
        gen(function* () {
          const future = yield* make
          const tasks: Array<Task.Task<string, void>> = []
          for (let i = 0; i < 2; i++) {
            tasks.push(yield* group.spawn(Effect.map((n: number) => void got.push(n))(future.wait)))
          }
          for (const n of [1, 2]) {
            yield* group.spawn(
              Effect.map((first: boolean) => {
                if (first) won.push(n)
              })(future.succeed(n))
            )
          }
          yield* group.spawn(afterTurns(delay, Effect.forEach((v: number) => tasks[v]!.cancel())([victim])))
        })
      )
      const wrong = (): string | undefined => {
        const said = JSON.stringify({ victim, delay, got, won })
        if (won.length !== 1) return `not one first: ${said}`
        if (got.length < 1 || got.some((n) => n !== won[0])) return `wrong value: ${said}`
        return undefined
      }
      return { program, wrong }
    }
    for (const victim of [0, 1]) {
      for (let delay = 0; delay < 4; delay++) underAllSchedules({ base: 4, length: 4 }, trial(victim, delay))
    }
  })
})
