/**
 * Where a program can be cancelled: at operations that may wait, and nowhere else. Time, sleeping and callbacks.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  CancelScope,
  Concurrent,
  Effect,
  Exit,
  FiberLocal,
  LowLevel,
  ParkingLot,
  Resource,
  Runtime,
  TaskGroup,
  Timeout
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { byHand, defectOf, type Fx, inCancelled, run, shown, timed, trace, value } from '../support/kernel.js'

const ran: Array<string> = []
const ranNever = (): never => {
  ran.push('ran')
  throw new Error('this should not run')
}
const local = FiberLocal.make(0)
const once: (status: Effect.RetryStatus) => O.Option<number> = (status) =>
  status.iterNumber === 0 ? O.some(0) : O.none
const ended = LowLevel.openNursery({}, (nursery) => LowLevel.fork(nursery, Effect.succeed(1)))

/** In a cancelled scope these fail with `Cancelled`. */
const checkpoints: ReadonlyArray<readonly [string, Fx<unknown, unknown>]> = [
  ['checkCancelled', Effect.checkCancelled],
  ['checkpoint', Effect.checkpoint],
  ['sleep(1)', Effect.sleep(1)],
  ['sleep(0)', Effect.sleep(0)],
  ['sleep(-1)', Effect.sleep(-1)],
  ['sleep(Infinity)', Effect.sleep(Infinity)],
  ['sleepUntil of the past', Effect.sleepUntil(0)],
  ['sleepUntil of the future', Effect.sleepUntil(1e12)],
  ['never', Effect.never],
  ['async, which does not register', Effect.async(ranNever)],
  ['fromTask, which does not start', Effect.fromTask(ranNever)],
  ['fromTaskEither, which does not start', Effect.fromTaskEither(ranNever)],
  ['fromReaderTaskEither, which does not start', Effect.fromReaderTaskEither(() => ranNever)],
  ['LowLevel.park, which does not register', LowLevel.park('test', ranNever)],
  ['LowLevel.awaitPromise, which does not start', LowLevel.awaitPromise(ranNever, { label: 'test' })],
  [
    'ParkingLot.park',
    Effect.suspend(() => ParkingLot.park(ParkingLot.make<void, never, void>('test'), undefined))
  ],
  ['awaitExit of a child that has ended', pipe(ended, Effect.flatMap(LowLevel.awaitExit))],
  ['join of a child that has ended', pipe(ended, Effect.flatMap(LowLevel.join))],
  ['forever, between its turns', Effect.forever(Effect.unit)],
  ['repeatN, between its turns', pipe(Effect.unit, Effect.repeatN(2))],
  ['whilst, between its turns', pipe(Effect.unit, Effect.whilst(Effect.succeed(true)))],
  ['repeat, between its turns', pipe(Effect.unit, Effect.repeat(once))],
  ['retry, between its turns', pipe(Effect.fail('a'), Effect.retry(once))],
  ['in a scope inside', LowLevel.withinScope({ name: 'inner' })(Effect.checkCancelled)],
  ['in a group inside', LowLevel.openNursery({}, () => Effect.checkCancelled)],
  ['in an arm', Concurrent.all([Effect.checkCancelled])],
  ['in a child', LowLevel.openNursery({}, (nursery) => LowLevel.fork(nursery, Effect.checkCancelled))]
]

/** In a cancelled scope these do what they always do. */
const others: ReadonlyArray<readonly [string, Effect.Effect<{}, unknown, unknown>, string]> = [
  ['succeed', Effect.succeed(1), 'ok 1'],
  ['unit', Effect.unit, 'ok undefined'],
  ['fail', Effect.fail('a'), 'Fail a'],
  ['die', Effect.die('x'), 'Die x'],
  ['sync', Effect.sync(() => 1), 'ok 1'],
  ['suspend', Effect.suspend(() => Effect.succeed(1)), 'ok 1'],
  ['tryCatch', Effect.tryCatch(() => 1, String), 'ok 1'],
  [
    'map',
    pipe(
      Effect.succeed(1),
      Effect.map((n) => n + 1)
    ),
    'ok 2'
  ],
  [
    'flatMap',
    pipe(
      Effect.succeed(1),
      Effect.flatMap((n) => Effect.succeed(n + 1))
    ),
    'ok 2'
  ],
  [
    'flatMap of flatMaps',
    pipe(Effect.unit, Effect.andThen(Effect.unit), Effect.andThen(Effect.succeed(1))),
    'ok 1'
  ],
  [
    'tap',
    pipe(
      Effect.succeed(1),
      Effect.tap(() => Effect.unit)
    ),
    'ok 1'
  ],
  [
    'gen',
    Effect.gen(function* () {
      return (yield* Effect.succeed(1)) + 1
    }),
    'ok 2'
  ],
  ['traverseArray', Effect.traverseArray((n: number) => Effect.succeed(n))([1, 2]), 'ok [1,2]'],
  ['forEach', Effect.forEach(Effect.succeed)([1, 2]), 'ok undefined'],
  ['struct', Effect.struct({ a: Effect.succeed(1) }), 'ok {"a":1}'],
  ['yieldNow', Effect.yieldNow, 'ok undefined'],
  ['currentTime', pipe(Effect.currentTime, Effect.as(1)), 'ok 1'],
  [
    'orElse',
    pipe(
      Effect.fail('a'),
      Effect.orElse(() => Effect.succeed(1))
    ),
    'ok 1'
  ],
  [
    'catchCause',
    pipe(
      Effect.die('a'),
      Effect.catchCause(() => Effect.succeed(1))
    ),
    'ok 1'
  ],
  [
    'mapError',
    pipe(
      Effect.fail('a'),
      Effect.mapError((e) => `${e}!`)
    ),
    'Fail a!'
  ],
  [
    'tapError',
    pipe(
      Effect.fail('a'),
      Effect.tapError(() => Effect.unit)
    ),
    'Fail a'
  ],
  ['either', Effect.either(Effect.succeed(1)), 'ok Right'],
  ['option', Effect.option(Effect.fail('a')), 'ok None'],
  ['exit', Effect.exit(Effect.succeed(1)), 'ok Right'],
  ['orDie', Effect.orDie(Effect.fail('a')), 'Die a'],
  ['ensuring', pipe(Effect.succeed(1), Effect.ensuring(Effect.checkpoint)), 'ok 1'],
  [
    'onExit',
    pipe(
      Effect.succeed(1),
      Effect.onExit(() => Effect.sleep(1))
    ),
    'ok 1'
  ],
  ['onCancel', pipe(Effect.succeed(1), Effect.onCancel(Effect.unit)), 'ok 1'],
  ['bracket', Effect.bracket(Effect.succeed(1), Effect.succeed, () => Effect.sleep(1)), 'ok 1'],
  ['ask', Effect.ask<{}>(), 'ok {}'],
  ['asks', Effect.asks(() => 1), 'ok 1'],
  ['provide', pipe(Effect.succeed(1), Effect.provide({})), 'ok 1'],
  [
    'local',
    pipe(
      Effect.succeed(1),
      Effect.local((env: {}) => env)
    ),
    'ok 1'
  ],
  [
    'FiberLocal get, set and locally',
    pipe(local.set(1), Effect.andThen(pipe(local.get, local.locally(2)))),
    'ok 2'
  ],
  ['repeatN(1)', pipe(Effect.unit, Effect.repeatN(1)), 'ok undefined'],
  ['repeatN(0)', pipe(Effect.checkCancelled, Effect.repeatN(0)), 'ok undefined'],
  ['whilst that ends at once', pipe(Effect.unit, Effect.whilst(Effect.succeed(false))), 'ok undefined'],
  ['retry of a success', pipe(Effect.succeed(1), Effect.retry(once)), 'ok 1'],
  [
    'repeat that is not repeated',
    pipe(
      Effect.succeed(1),
      Effect.repeat(() => O.none)
    ),
    'ok 1'
  ],
  ['opening and leaving a scope', CancelScope.open(() => Effect.succeed(1)), 'ok Some'],
  [
    'opening and leaving a scope whose deadline is over',
    pipe(Effect.succeed(1), Timeout.moveOnAfter(-1)),
    'ok Some'
  ],
  ['a shield', Timeout.shielded(Effect.sleep(1)), 'ok undefined'],
  ['cancelling a scope', CancelScope.open((scope) => pipe(scope.cancel(), Effect.as(1))), 'ok Some'],
  ['opening and leaving a group without tasks', TaskGroup.open()(() => Effect.succeed(1)), 'ok 1'],
  ['a group with a task', TaskGroup.open()((group) => pipe(group.spawn(Effect.unit), Effect.as(1))), 'ok 1'],
  ['poll', pipe(ended, Effect.flatMap(LowLevel.poll)), 'ok Some'],
  [
    'cancelFiber',
    pipe(
      ended,
      Effect.flatMap((fiber) => LowLevel.cancelFiber(fiber))
    ),
    'ok undefined'
  ],
  ['parallel arms that do not wait', Concurrent.all([Effect.succeed(1), Effect.succeed(2)]), 'ok [1,2]'],
  ['a race of an arm that does not wait', pipe(Effect.succeed(1), Concurrent.race(Effect.never)), 'ok 1'],
  [
    'using a resource',
    Resource.use(Effect.succeed)(Resource.make(Effect.succeed(1), () => Effect.sleep(1))),
    'ok 1'
  ],
  ['effectiveDeadline', Effect.map(String)(LowLevel.effectiveDeadline), 'ok -Infinity'],
  ['currentRun', pipe(LowLevel.currentRun, Effect.as(1)), 'ok 1'],
  ['ten thousand steps, which yield to others', loop(10_000), 'ok 0']
]

function loop(n: number): Fx<number> {
  return n === 0
    ? Effect.succeed(0)
    : pipe(
        Effect.succeed(n),
        Effect.flatMap((m) => loop(m - 1))
      )
}

describe('Effect: checkpoints', () => {
  describe('in a cancelled scope', () => {
    for (const [name, fx] of checkpoints) {
      it(`is a checkpoint: ${name}`, () => {
        ran.length = 0
        expect(shown(value(inCancelled(fx)))).to.equal('Cancelled')
        expect(ran).to.deep.equal([])
      })
    }

    for (const [name, fx, expected] of others) {
      it(`is none: ${name}`, () => {
        expect(shown(value(inCancelled(fx)))).to.equal(expected)
      })
    }
  })

  it('RT-08 checkpoint lets the other ready fibers run first, and then looks', () => {
    const log = trace()
    const program = Concurrent.all([
      pipe(log.add('1'), Effect.andThen(Effect.checkpoint), Effect.andThen(log.add('3'))),
      log.add('2')
    ])
    run(program)
    expect(log.lines).to.deep.equal(['1', '2', '3'])
    // It yields first: what cancels meanwhile is seen.
    const cancelledMeanwhile = CancelScope.open((scope) =>
      Concurrent.all([pipe(Effect.checkpoint, Effect.ensuring(log.add('checkpoint'))), scope.cancel()])
    )
    expect(run(cancelledMeanwhile)).to.equal('ok None')
    const yieldOnly = CancelScope.open((scope) => Concurrent.all([Effect.yieldNow, scope.cancel()]))
    expect(run(yieldOnly)).to.equal('ok Some')
  })

  it('checkCancelled does not yield', () => {
    const log = trace()
    run(
      Concurrent.all([
        pipe(log.add('1'), Effect.andThen(Effect.checkCancelled), Effect.andThen(log.add('2'))),
        log.add('3')
      ])
    )
    expect(log.lines).to.deep.equal(['1', '2', '3'])
  })

  it('a fiber that goes on after its wait was satisfied keeps the value; the next checkpoint is cancelled', () => {
    const log = trace()
    const program = CancelScope.open((scope) =>
      Effect.gen(function* () {
        const lot = ParkingLot.make<void, never, string>('test')
        yield* Concurrent.all([
          Effect.gen(function* () {
            yield* log.add(yield* ParkingLot.park(lot, undefined))
            yield* Effect.checkCancelled
            yield* log.add('not reached')
          }),
          Effect.gen(function* () {
            lot.unparkUnsafe(Exit.succeed('item'))
            yield* scope.cancel()
          })
        ])
      })
    )
    expect(run(program)).to.equal('ok None')
    expect(log.lines).to.deep.equal(['item'])
  })
})

describe('Effect: time', () => {
  it('RT-06 sleep ends not before its time', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (ms) => {
        const [exit, took] = timed(Effect.sleep(ms))
        expect(exit).to.equal('ok undefined')
        expect(took).to.be.closeTo(ms, 1e-3)
      })
    )
  })

  it('RT-06 sleep(0) and negative sleeps take no time and let others run', () => {
    for (const ms of [0, -0, -1, -Infinity]) {
      const log = trace()
      const program = Concurrent.all([
        pipe(Effect.sleep(ms), Effect.andThen(log.at('slept'))),
        log.at('other')
      ])
      expect(run(program)).to.match(/^ok/)
      expect(log.lines).to.deep.equal(['other@0', 'slept@0'])
    }
  })

  it('RT-06 sleep(Infinity) ends only by cancellation', () => {
    const stuck = { _tag: 'Deadlock', tree: 'main running, waits on never since 0 ms' }
    expect(defectOf(TestRuntime.runExit(Effect.sleep(Infinity)))).to.deep.equal(stuck)
    expect(defectOf(TestRuntime.runExit(Effect.sleepUntil(Infinity)))).to.deep.equal(stuck)
    expect(run(pipe(Effect.sleep(Infinity), Timeout.moveOnAfter(1e15)))).to.equal('ok None')
  })

  it('sleep(NaN) is a defect, where it runs', () => {
    const program = Effect.sleep(NaN)
    expect(defectOf(TestRuntime.runExit(program))).to.be.instanceOf(TypeError)
    expect(defectOf(TestRuntime.runExit(program)).message).to.contain('NaN')
    expect(defectOf(TestRuntime.runExit(Effect.sleepUntil(NaN))).message).to.contain('NaN')
    expect(defectOf(TestRuntime.runExit(Effect.sleep('1' as never))).message).to.contain('must be a number')
  })

  it('sleeps longer than a timer of the host can hold', () => {
    expect(timed(Effect.sleep(2 ** 31))).to.deep.equal(['ok undefined', 2 ** 31])
    expect(timed(Effect.sleep(2 ** 40))).to.deep.equal(['ok undefined', 2 ** 40])
  })

  it('RT-06 sleepUntil of the past is sleep(0)', () => {
    expect(timed(Effect.sleepUntil(0))).to.deep.equal(['ok undefined', 0])
    expect(timed(Effect.sleepUntil(-Infinity))).to.deep.equal(['ok undefined', 0])
  })

  it('RT-07 sleepUntil takes a time of the clock that currentTime reads, and so do deadlines', () => {
    const program = Effect.gen(function* () {
      const now = yield* Effect.currentTime
      yield* Effect.sleepUntil(now + 10)
      const then = yield* Effect.currentTime
      const out = yield* pipe(Effect.never, Timeout.moveOnAt(then + 5))
      return [then - now, out._tag, (yield* Effect.currentTime) - then]
    })
    expect(value(program)).to.deep.equal([10, 'None', 5])
  })

  it('sleeps of many fibers end in the order of their times, and of their starts in a tie', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5 }), { maxLength: 20 }), (delays) => {
        const order: Array<number> = []
        const program = Concurrent.all(
          delays.map((ms, i) =>
            pipe(
              LowLevel.park('setup', (resume) => {
                resume(Exit.succeed(undefined))
                return () => true
              }),
              Effect.andThen(Effect.sleep(ms + 1)),
              Effect.andThen(Effect.sync(() => order.push(i)))
            )
          )
        )
        run(program)
        // Those of one time are made ready together, and the seed picks among them.
        expect(order.map((i) => delays[i])).to.deep.equal([...delays].sort((x, y) => x - y))
      })
    )
  })

  it('a deadline wins a tie with a sleep inside it', () => {
    expect(run(pipe(Effect.sleep(10), Timeout.moveOnAfter(10)))).to.equal('ok None')
    expect(run(pipe(Effect.sleep(9), Timeout.moveOnAfter(10)))).to.equal('ok Some')
    // Also when the deadline is queued after the sleep: its number was taken on entry.
    const slow = pipe(Effect.sleep(4), Effect.andThen(Effect.sleep(6)), Timeout.moveOnAfter(10))
    expect(run(slow)).to.equal('ok None')
  })

  it('a deadline that is moved wins a tie with a sleep that began after its scope was entered', () => {
    const log = trace()
    const program = CancelScope.open((scope) =>
      Concurrent.all([
        pipe(Effect.sleep(10), Effect.andThen(log.add('slept'))),
        pipe(
          Effect.currentTime,
          Effect.flatMap((now) => scope.setDeadline(now + 10)),
          Effect.andThen(Effect.never)
        )
      ])
    )
    expect(run(program)).to.equal('ok None')
    expect(log.lines).to.deep.equal([])
  })

  it('a sleep that was cancelled leaves no timer', () => {
    const { runtime, clock, drive } = byHand()
    let exit = ''
    Runtime.runCallback(
      pipe(Effect.sleep(1e9), Timeout.moveOnAfter(1)),
      (ended) => {
        exit = shown(ended)
      },
      { runtime }
    )
    drive()
    expect(exit).to.equal('ok None')
    expect(clock.pending()).to.equal(0)
    expect(clock.now()).to.be.lessThan(1e9)
  })
})

describe('Effect.async', () => {
  type Resume = (exit: Exit.Exit<string, number>) => void

  /** A wait whose callback is at hand, in a run that is driven by hand. */
  const waiting = (options: { readonly cleanUp?: () => void } = {}) => {
    const { runtime, drive } = byHand()
    const log: Array<string> = []
    let resume: Resume = () => undefined
    const cancel = Runtime.runCallback(
      pipe(
        Effect.async<string, number>((callback) => {
          resume = callback
          return () => {
            log.push('cleaned up')
            options.cleanUp?.()
          }
        }),
        Effect.tap((n) => Effect.sync(() => log.push(`went on with ${n}`)))
      ),
      (exit) => log.push(shown(exit)),
      { runtime }
    )
    drive()
    return { log, drive, cancel, resume: (exit: Exit.Exit<string, number>) => resume(exit) }
  }

  it('waits for resume, cleans up once, and goes on', () => {
    for (const [exit, lines] of [
      [Exit.succeed(1), ['cleaned up', 'went on with 1', 'ok 1']],
      [Exit.fail('a'), ['cleaned up', 'Fail a']],
      [Exit.die('x'), ['cleaned up', 'Die x']]
    ] as ReadonlyArray<readonly [Exit.Exit<string, number>, ReadonlyArray<string>]>) {
      const { log, drive, resume } = waiting()
      expect(log).to.deep.equal([])
      resume(exit)
      drive()
      expect(log).to.deep.equal(lines)
    }
  })

  it('only the first resume counts', () => {
    const { log, drive, resume } = waiting()
    resume(Exit.succeed(1))
    resume(Exit.succeed(2))
    resume(Exit.fail('a'))
    drive()
    resume(Exit.succeed(3))
    drive()
    expect(log).to.deep.equal(['cleaned up', 'went on with 1', 'ok 1'])
  })

  it('after a cancellation it has cleaned up once, and resume is ignored', () => {
    const { log, drive, resume, cancel } = waiting()
    cancel()
    resume(Exit.succeed(1))
    drive()
    resume(Exit.succeed(2))
    drive()
    expect(log).to.deep.equal(['cleaned up', 'Cancelled'])
  })

  it('a cancellation after resume does not take the value back', () => {
    const { log, drive, resume, cancel } = waiting()
    resume(Exit.succeed(1))
    cancel()
    drive()
    expect(log).to.deep.equal(['cleaned up', 'went on with 1', 'ok 1'])
  })

  it('may be resumed while it registers; it then does not wait, and cleans up', () => {
    const log: Array<string> = []
    const program = Effect.async<string, number>((resume) => {
      resume(Exit.succeed(1))
      resume(Exit.succeed(2))
      return () => {
        log.push('cleaned up')
      }
    })
    expect(Runtime.runSync(program)).to.equal(1)
    expect(run(program)).to.equal('ok 1')
    expect(log).to.deep.equal(['cleaned up', 'cleaned up'])
  })

  it('without a clean-up works as well', () => {
    expect(run(Effect.async<never, number>((resume) => resume(Exit.succeed(1))))).to.equal('ok 1')
    expect(
      run(
        pipe(
          Effect.async(() => undefined),
          Timeout.moveOnAfter(1)
        )
      )
    ).to.equal('ok None')
  })

  it('a register that throws is a defect, and a callback that it gave away is ignored', () => {
    const { runtime, drive } = byHand()
    const log: Array<string> = []
    let resume: Resume = () => undefined
    Runtime.runCallback(
      Effect.async<string, number>((callback) => {
        resume = callback
        throw new Error('bug')
      }),
      (exit) => log.push(shown(exit)),
      { runtime }
    )
    drive()
    resume(Exit.succeed(1))
    drive()
    expect(log).to.deep.equal(['Die bug'])
  })

  it('a callback that a register gave away before it threw is ignored while the fiber does something else', () => {
    let stale: Resume = () => undefined
    const program = pipe(
      Effect.async<string, number>((callback) => {
        stale = callback
        throw new Error('bug')
      }),
      Effect.catchCause(() =>
        Effect.async<string, number>((resume) => {
          resume(Exit.succeed(2))
          stale(Exit.succeed(1))
        })
      )
    )
    expect(run(program)).to.equal('ok 2')
  })

  it('a register that resumes and then throws is a defect', () => {
    const program = Effect.async<string, number>((resume) => {
      resume(Exit.succeed(1))
      throw new Error('bug')
    })
    expect(run(program)).to.equal('Die bug')
  })

  it('a clean-up that throws is a defect, which joins what the wait ended with', () => {
    const cleanUp = () => {
      throw new Error('bug')
    }
    const resumed = waiting({ cleanUp })
    resumed.resume(Exit.succeed(1))
    resumed.drive()
    expect(resumed.log).to.deep.equal(['cleaned up', 'Die bug'])

    const failed = waiting({ cleanUp })
    failed.resume(Exit.fail('a'))
    failed.drive()
    expect(failed.log).to.deep.equal(['cleaned up', 'Then(Fail a, Die bug)'])

    const cancelled = waiting({ cleanUp })
    cancelled.cancel()
    cancelled.drive()
    expect(cancelled.log).to.deep.equal(['cleaned up', 'Then(Cancelled, Die bug)'])

    const atOnce = Effect.async<string, number>((resume) => {
      resume(Exit.fail('a'))
      return cleanUp
    })
    expect(run(atOnce)).to.equal('Then(Fail a, Die bug)')
  })

  it('a register that cancels the scope around it ends at once, and cleans up', () => {
    let cleaned = 0
    const program = CancelScope.open((scope) =>
      Effect.async(() => {
        scope.cancelUnsafe('enough')
        return () => {
          cleaned++
        }
      })
    )
    expect(run(program)).to.equal('ok None')
    expect(cleaned).to.equal(1)
  })

  it('a register that cancels and then resumes keeps the value', () => {
    const program = CancelScope.open((scope) =>
      Effect.async<never, number>((resume) => {
        scope.cancelUnsafe('enough')
        resume(Exit.succeed(1))
      })
    )
    expect(value(program)).to.deep.equal(O.some(1))
  })

  it('a clean-up that cancels the scope around it does not take the value back', () => {
    const { runtime, drive } = byHand()
    const log: Array<string> = []
    let resume: Resume = () => undefined
    Runtime.runCallback(
      CancelScope.open((scope) =>
        pipe(
          Effect.async<string, number>((callback) => {
            resume = callback
            return () => scope.cancelUnsafe('enough')
          }),
          Effect.tap((n) => Effect.sync(() => log.push(`went on with ${n}`))),
          Effect.tap(() => Effect.checkCancelled)
        )
      ),
      (exit) => log.push(shown(exit)),
      { runtime }
    )
    drive()
    resume(Exit.succeed(1))
    drive()
    expect(log).to.deep.equal(['went on with 1', 'ok None'])
  })

  it('each run registers anew', () => {
    let registered = 0
    const program = Effect.async<never, number>((resume) => resume(Exit.succeed(++registered)))
    expect(value(Effect.tuple([program, program]))).to.deep.equal([1, 2])
  })

  it('in a run that was given up, resume is ignored', () => {
    const log: Array<string> = []
    let resume: Resume = () => undefined
    const program = pipe(
      Effect.async<string, number>((callback) => {
        resume = callback
      }),
      Effect.tap(() => Effect.sync(() => log.push('went on')))
    )
    expect(shown(Runtime.runSyncExit(program))).to.equal('Die WouldWait')
    resume(Exit.succeed(1))
    expect(run(program)).to.equal('Die ForeignWait')
    resume(Exit.succeed(1))
    expect(log).to.deep.equal([])
  })

  it('the wait of a promise that cancels its own scope when it starts ends', async () => {
    const program = CancelScope.open((scope) =>
      Effect.fromTask(
        () => {
          scope.cancelUnsafe('enough')
          return new Promise<never>(() => undefined)
        },
        { abandonOnCancel: true }
      )
    )
    expect(await Runtime.runPromise(program)).to.deep.equal(O.none)
  })
})
