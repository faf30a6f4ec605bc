/**
 * Synchronous runs in virtual time: the same again, and what is stuck says so.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { Cause, Concurrent, Effect, Exit, LowLevel, ParkingLot, Runtime, TaskGroup, Timeout } from 'millrace'
import { SeededScheduler, TestRuntime, VirtualClock } from 'millrace/testing'
import { defectOf, type Fx, shown, trace } from '../../support/kernel.js'

const { runExit } = TestRuntime

/** Four fibers that take turns, and what was seen of that. */
const interleaving = () => {
  const log = trace()
  const steps = (name: string): Fx<void> =>
    Effect.forEach((i: number) =>
      pipe(log.at(`${name}${i}`), Effect.andThen(i === 2 ? Effect.sleep(1) : Effect.yieldNow))
    )([1, 2, 3])
  return { log, program: Concurrent.all(['a', 'b', 'c', 'd'].map(steps)) }
}

const traceOf = (options: TestRuntime.TestOptions): string => {
  const { log, program } = interleaving()
  runExit(program, options)
  return log.lines.join(' ')
}

describe('TestRuntime.runExit', () => {
  it('gives the exit, synchronously, in no time', () => {
    const year = 365 * 24 * 3_600_000
    expect(runExit(pipe(Effect.sleep(year), Effect.as(1)))).to.deep.equal(Exit.succeed(1))
    expect(runExit(Effect.fail('a'))).to.deep.equal(Exit.fail('a'))
  })

  it('the same seed gives the same trace', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(traceOf({ seed })).to.equal(traceOf({ seed }))
      })
    )
    expect(traceOf({})).to.equal(traceOf({ seed: 0 }))
  })

  it('other seeds give other traces', () => {
    const traces = new Set(Array.from({ length: 40 }, (_, seed) => traceOf({ seed })))
    expect(traces.size).to.be.greaterThan(30)
  })

  it('a schedule that was recorded replays under any seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (seed, other) => {
        const { log, program } = interleaving()
        const clock = VirtualClock.make()
        const scheduler = SeededScheduler.make(seed)
        Runtime.runCallback(program, () => undefined, { runtime: Runtime.make({ clock, scheduler }) })
        while (scheduler.advance() || clock.advance());
        const schedule: TestRuntime.Schedule = { _tag: 'Schedule', choices: scheduler.choices() }
        expect(traceOf({ seed: other, schedule })).to.equal(log.lines.join(' '))
        expect(traceOf({ seed })).to.equal(log.lines.join(' '))
      })
    )
  })

  it('runs begin at the same time, and share nothing', () => {
    expect(runExit(Effect.currentTime)).to.deep.equal(
      runExit(pipe(Effect.unit, Effect.andThen(Effect.currentTime)))
    )
  })

  it('names the main task', () => {
    expect(defectOf(runExit(Effect.never, { name: 'program' })).tree).to.equal(
      'program running, waits on never since 0 ms'
    )
  })

  it('TST-12: can run inside of a run', () => {
    const inner = pipe(Effect.sleep(5), Effect.as(1))
    expect(
      runExit(
        pipe(
          Effect.sync(() => shown(runExit(inner))),
          Effect.tap(() => Effect.sleep(1))
        )
      )
    ).to.deep.equal(Exit.succeed('ok 1'))
  })

  describe('Deadlock', () => {
    it('says who waits on what', () => {
      const lot = ParkingLot.make<void, never, void>('the test lot')
      const program = TaskGroup.open()((group) =>
        group.spawn(ParkingLot.park(lot, undefined), { name: 'waiter' })
      )
      expect(defectOf(runExit(program))).to.deep.equal({
        _tag: 'Deadlock',
        tree: 'main running, waits on TaskGroup since 0 ms\n└─ group "group"\n   └─ waiter running, waits on the test lot since 0 ms'
      })
    })

    it('the run is then cancelled, and its finalizers are driven, in virtual time', () => {
      const log = trace()
      const program = pipe(
        log.at('begin'),
        Effect.andThen(Effect.never),
        Effect.ensuring(
          pipe(Effect.sleep(10), Effect.andThen(log.at('cleaned up')), Effect.andThen(Effect.fail('f')))
        )
      )
      expect(shown(runExit(program))).to.equal('Then(Die Deadlock, Fail f)')
      expect(log.lines).to.deep.equal(['begin@0', 'cleaned up@10'])
    })

    it('a finalizer that waits for ever does not hang it', () => {
      const log = trace()
      const program = pipe(
        Effect.never,
        Effect.ensuring(pipe(Effect.never, Effect.ensuring(log.add('let go'))))
      )
      expect(shown(runExit(program))).to.match(/^(Then\()?Die Deadlock/)
      expect(log.lines).to.deep.equal(['let go'])
    })

    it('no deadlock as long as a timer is set', () => {
      expect(shown(runExit(pipe(Effect.never, Timeout.moveOnAfter(1e12))))).to.equal('ok None')
    })
  })

  describe('ForeignWait', () => {
    it('a wait for a callback or a promise can never end here; it says who waits', () => {
      const program = TaskGroup.open()((group) =>
        pipe(
          group.spawn(
            Effect.async(() => undefined),
            { name: 'listener' }
          ),
          Effect.andThen(group.spawn(Effect.never, { name: 'idle' })),
          Effect.andThen(
            group.spawn(
              Effect.fromTask(() => new Promise<void>(() => undefined)),
              { name: 'fetcher' }
            )
          )
        )
      )
      const defect = defectOf(runExit(program))
      expect([defect._tag, defect.names]).to.deep.equal(['ForeignWait', ['listener', 'fetcher']])
      expect(defect.tree).to.contain('idle running, waits on never since 0 ms')
    })

    it('later callbacks are ignored', async () => {
      const log = trace()
      let resume: (exit: Exit.Exit<never, void>) => void = () => undefined
      const program = pipe(
        Effect.async((callback) => {
          resume = callback
        }),
        Effect.andThen(log.add('went on'))
      )
      expect(shown(runExit(program))).to.equal('Die ForeignWait')
      resume(Exit.succeed(undefined))
      const settled = Promise.resolve()
      expect(
        shown(
          runExit(
            pipe(
              Effect.fromTask(() => settled),
              Effect.andThen(log.add('went on'))
            )
          )
        )
      ).to.match(/Die ForeignWait/)
      await settled
      await Promise.resolve()
      expect(log.lines).to.deep.equal([])
    })

    it('a callback that comes while the run is on is no foreign wait', () => {
      let resume: (exit: Exit.Exit<never, number>) => void = () => undefined
      const program = Concurrent.all([
        Effect.async<never, number>((callback) => {
          resume = callback
        }),
        pipe(Effect.sleep(1), Effect.andThen(Effect.sync(() => resume(Exit.succeed(1)))))
      ])
      expect(shown(runExit(program))).to.equal('ok [1,null]')
    })

    it('LowLevel.park is ours: a deadlock', () => {
      expect(shown(runExit(LowLevel.park('test', () => () => true)))).to.equal('Die Deadlock')
    })
  })

  describe('Livelock', () => {
    const busy = Effect.forever(Effect.yieldNow)

    it('turns in which no time passes and no fiber ends', () => {
      const defect = defectOf(runExit(busy, { maxTurns: 100 }))
      expect([defect._tag, defect.turns, defect.tree]).to.deep.equal(['Livelock', 101, 'main running'])
    })

    it('also without a yield', () => {
      expect(shown(runExit(Effect.forever(Effect.unit), { maxTurns: 10_000 }))).to.equal('Die Livelock')
    })

    it('the bound is a million', () => {
      expect(defectOf(runExit(busy)).turns).to.equal(1_000_001)
    })

    it('the passing of time and the end of a fiber begin the count anew', () => {
      const turns = pipe(Effect.yieldNow, Effect.repeatN(80))
      const program = pipe(
        turns,
        Effect.andThen(Effect.sleep(1)),
        Effect.andThen(turns),
        Effect.andThen(Concurrent.all([Effect.unit])),
        Effect.andThen(turns)
      )
      expect(shown(runExit(program, { maxTurns: 100 }))).to.equal('ok undefined')
      expect(shown(runExit(pipe(turns, Effect.andThen(turns)), { maxTurns: 100 }))).to.equal('Die Livelock')
    })

    it('a loop that cannot be cancelled does not hang it', () => {
      const stubborn = Effect.gen(function* () {
        for (;;) yield* Effect.yieldNow
      })
      expect(shown(runExit(stubborn, { maxTurns: 100 }))).to.equal('Die Livelock')
    })

    it('finalizers run then', () => {
      const log = trace()
      expect(shown(runExit(pipe(busy, Effect.ensuring(log.add('cleaned up'))), { maxTurns: 100 }))).to.equal(
        'Die Livelock'
      )
      expect(log.lines).to.deep.equal(['cleaned up'])
    })
  })

  it('what went wrong before is no part of a defect of the run', () => {
    const program = pipe(
      Effect.fail('a'),
      Effect.orElse(() => Effect.never)
    )
    const exit = runExit(program)
    expect(exit._tag === 'Left' && Cause.failures(exit.left)).to.deep.equal([])
  })
})
