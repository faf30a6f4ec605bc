/**
 * Runs at the edge: their exits, their signals, runs inside of runs, and what is left of them.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { CancelScope, Cause, Clock, Concurrent, Effect, Exit, ParkingLot, Runtime, TaskGroup } from 'millrace'
import { VirtualClock } from 'millrace/testing'
import { turn, turns, withDefault } from '../support/host.js'
import { byHand, defectOf, type Fx, shown, trace } from '../support/kernel.js'

const thrownBy = (f: () => unknown): any => {
  try {
    f()
  } catch (thrown) {
    return thrown
  }
  throw new Error('nothing was thrown')
}

const rejection = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    () => {
      throw new Error('not rejected')
    },
    (reason: unknown) => reason
  )

const failed: Fx<number, string> = Effect.fail('a')
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

describe('Runtime', () => {
  describe('runExit', () => {
    it('RT-01 gives the exit of the main effect, whatever it is', async () => {
      expect(await Runtime.runExit(Effect.succeed(1))).to.deep.equal(Exit.succeed(1))
      expect(await Runtime.runExit(failed)).to.deep.equal(Exit.fail('a'))
      expect(await Runtime.runExit(Effect.die('x'))).to.deep.equal(Exit.die('x'))
      expect(shown(await Runtime.runExit(pipe(Effect.sleep(1), Effect.as(1))))).to.equal('ok 1')
    })

    it('starts at once, up to the first wait', async () => {
      const log = trace()
      const promise = Runtime.runExit(
        pipe(log.add('first'), Effect.andThen(Effect.sleep(1)), Effect.andThen(log.add('second')))
      )
      log.lines.push('caller')
      await promise
      expect(log.lines).to.deep.equal(['first', 'caller', 'second'])
    })

    it('settles after all clean-up', async () => {
      const log = trace()
      const controller = new AbortController()
      const promise = Runtime.runExit(
        pipe(Effect.never, Effect.ensuring(pipe(Effect.sleep(1), Effect.andThen(log.add('cleaned up'))))),
        { signal: controller.signal }
      )
      controller.abort()
      expect(shown(await promise)).to.equal('Cancelled')
      expect(log.lines).to.deep.equal(['cleaned up'])
    })
  })

  describe('runPromise', () => {
    it('RT-01 resolves with the value', async () => {
      expect(await Runtime.runPromise(Effect.succeed(1))).to.equal(1)
    })

    it('RT-05 rejects with Cause.toError of the failure of the main effect', async () => {
      const error = await rejection(Runtime.runPromise(failed))
      expect(error).to.be.instanceOf(Cause.CauseError)
      expect(error.source).to.deep.equal(Cause.fail('a'))
      const bug = new Error('bug')
      expect((await rejection(Runtime.runPromise(Effect.die(bug)))).cause).to.equal(bug)
    })

    it('RT-05 a defect of a child ends the run with it', async () => {
      const program = TaskGroup.open()((group) =>
        pipe(group.spawn(Effect.die('x')), Effect.andThen(Effect.never))
      )
      expect((await rejection(Runtime.runPromise(program))).source).to.deep.equal(Cause.die('x'))
    })
  })

  describe('runSync and runSyncExit', () => {
    it('give the value and the exit of what does not wait', () => {
      expect(Runtime.runSync(Effect.succeed(1))).to.equal(1)
      expect(Runtime.runSyncExit(failed)).to.deep.equal(Exit.fail('a'))
      const error = thrownBy(() => Runtime.runSync(failed))
      expect(error).to.be.instanceOf(Cause.CauseError)
      expect(error.source).to.deep.equal(Cause.fail('a'))
    })

    it('yields, sleeps of no time, arms and tasks are no waiting', () => {
      const program = Effect.gen(function* () {
        yield* Effect.yieldNow
        yield* Effect.sleep(0)
        yield* Effect.checkpoint
        const arms = yield* Concurrent.all([pipe(Effect.yieldNow, Effect.as(1)), Effect.succeed(2)])
        const task = yield* TaskGroup.open()((group) =>
          pipe(
            group.spawn(Effect.succeed(3)),
            Effect.flatMap((spawned) => Effect.orDie(spawned.join))
          )
        )
        return [...arms, task]
      })
      expect(Runtime.runSync(program)).to.deep.equal([1, 2, 3])
    })

    it('what would wait is the defect WouldWait, which names who waits on what', () => {
      const exit = Runtime.runSyncExit(Effect.sleep(1), { name: 'sleepy' })
      expect(defectOf(exit)._tag).to.equal('WouldWait')
      expect(defectOf(exit).tree).to.match(/^sleepy running, waits on sleep since/)
      expect(thrownBy(() => Runtime.runSync(Effect.never)).message).to.contain('WouldWait')
      const task = TaskGroup.open()((group) =>
        group.spawn(
          Effect.async(() => undefined),
          { name: 'child' }
        )
      )
      expect(defectOf(Runtime.runSyncExit(task)).tree).to.match(
        /^main running, waits on TaskGroup since .*\n.*\n.*child running, waits on async since/
      )
    })

    it('what would wait is cancelled, and its finalizers run as far as they do not wait', () => {
      const log = trace()
      const program = pipe(
        Effect.never,
        Effect.ensuring(
          pipe(Effect.yieldNow, Effect.andThen(log.add('cleaned up')), Effect.andThen(Effect.fail('f')))
        )
      )
      expect(shown(Runtime.runSyncExit(program))).to.equal('Then(Die WouldWait, Fail f)')
      expect(log.lines).to.deep.equal(['cleaned up'])
      const stubborn = pipe(
        Effect.never,
        Effect.ensuring(
          pipe(log.add('begin'), Effect.andThen(Effect.sleep(1)), Effect.andThen(log.add('not reached')))
        ),
        Effect.ensuring(log.add('end'))
      )
      expect(shown(Runtime.runSyncExit(stubborn))).to.match(/^(Then\()?Die WouldWait/)
      expect(log.lines).to.deep.equal(['cleaned up', 'begin', 'end'])
    })

    it('leaves no timer behind', () => {
      const clock = VirtualClock.make()
      const runtime = Runtime.make({ clock })
      Runtime.runSyncExit(Effect.sleep(1), { runtime })
      Runtime.runSyncExit(pipe(Effect.never, Effect.ensuring(Effect.sleep(1))), { runtime })
      expect(clock.pending()).to.equal(0)
    })

    it('what was given up does not go on when it is resumed later', () => {
      const lot = ParkingLot.make<void, never, void>('test')
      const log = trace()
      const program = pipe(
        ParkingLot.park(lot, undefined),
        Effect.ensuring(log.add('ended')),
        Effect.andThen(log.add('went on'))
      )
      expect(shown(Runtime.runSyncExit(program))).to.equal('Die WouldWait')
      expect(log.lines).to.deep.equal(['ended'])
      if (lot.size() > 0) lot.unparkAllUnsafe(Exit.succeed(undefined))
      Runtime.runSync(Effect.yieldNow)
      expect(log.lines).to.deep.equal(['ended'])
    })

    it('with a signal that was aborted is cancelled at its first checkpoint', () => {
      const signal = AbortSignal.abort('enough')
      const log = trace()
      const program = pipe(log.add('started'), Effect.andThen(Effect.checkCancelled))
      expect(shown(Runtime.runSyncExit(program, { signal }))).to.equal('Cancelled')
      expect(Runtime.runSync(Effect.succeed(1), { signal })).to.equal(1)
      expect(log.lines).to.deep.equal(['started'])
    })
  })

  describe('RT-02 a run inside of a run is a root of its own', () => {
    it('runSync in a fiber leaves the frames of the fiber alone', () => {
      const inner = pipe(
        Effect.succeed(1),
        Effect.map((n) => n + 4),
        Effect.map((n) => n * 2)
      )
      const outer = pipe(
        Effect.succeed(11),
        Effect.map((n) => n + 1),
        Effect.map((n) => n + Runtime.runSync(inner))
      )
      expect(Runtime.runSync(outer)).to.equal(22)
      expect(
        Runtime.runSync(
          pipe(
            outer,
            Effect.flatMap((n) => Effect.sync(() => n + Runtime.runSync(outer)))
          )
        )
      ).to.equal(44)
    })

    it('also when the inner run yields, fails, has arms, or would wait', async () => {
      const inners: ReadonlyArray<Fx<unknown, string>> = [
        Effect.yieldNow,
        pipe(Effect.yieldNow, Effect.andThen(failed)),
        Concurrent.all([Effect.yieldNow, Effect.yieldNow]),
        pipe(Effect.sleep(1), Effect.ensuring(Effect.yieldNow))
      ]
      for (const inner of inners) {
        const program = pipe(
          Effect.succeed(1),
          Effect.map((n) => n + 1),
          Effect.tap(() => Effect.sync(() => Runtime.runSyncExit(inner))),
          Effect.tap(() => Effect.yieldNow),
          Effect.map((n) => n + 1)
        )
        expect(Runtime.runSync(program)).to.equal(3)
        expect(await Runtime.runPromise(Concurrent.all([program, program]))).to.deep.equal([3, 3])
      }
    })

    it('the fibers around it have no turn meanwhile', () => {
      const log = trace()
      const program = Concurrent.all([
        pipe(
          Effect.yieldNow,
          Effect.andThen(Effect.sync(() => Runtime.runSync(Effect.yieldNow))),
          Effect.andThen(log.add('a'))
        ),
        pipe(Effect.yieldNow, Effect.andThen(log.add('b')))
      ])
      Runtime.runSync(program)
      expect(log.lines).to.deep.equal(['a', 'b'])
    })

    it('the finalizers of a run that is given up may run others', () => {
      const log = trace()
      const inner = Effect.sync(() =>
        Runtime.runSync(pipe(Effect.yieldNow, Effect.andThen(log.add('inner'))))
      )
      const program = Concurrent.all([
        pipe(Effect.never, Effect.ensuring(pipe(inner, Effect.andThen(log.add('a'))))),
        pipe(Effect.never, Effect.ensuring(log.add('b')))
      ])
      expect(shown(Runtime.runSyncExit(program))).to.equal('Die WouldWait')
      expect(log.lines).to.deep.equal(['inner', 'a', 'b'])
    })

    it('runExit in a fiber starts at once, and is not ended with it', async () => {
      const log = trace()
      let inner: Promise<unknown> = Promise.resolve()
      await Runtime.runExit(
        Effect.sync(() => {
          inner = Runtime.runExit(
            pipe(log.add('inner'), Effect.andThen(Effect.sleep(1)), Effect.andThen(log.add('inner ended')))
          )
          log.lines.push('outer')
        })
      )
      expect(log.lines).to.deep.equal(['inner', 'outer'])
      await inner
      expect(log.lines).to.deep.equal(['inner', 'outer', 'inner ended'])
    })

    it('inherits nothing: no environment, no cancellation', () => {
      const program = CancelScope.open((scope) =>
        pipe(
          scope.cancel(),
          Effect.andThen(
            Effect.sync(() =>
              shown(Runtime.runSyncExit(pipe(Effect.checkpoint, Effect.andThen(Effect.ask<{}>()))))
            )
          ),
          Effect.provide({ a: 1 })
        )
      )
      expect(shown(Runtime.runSyncExit(Effect.map((o: any) => o.value)(program)))).to.equal('ok ok {}')
    })
  })

  describe('runCallback', () => {
    it('calls back once, with the exit', async () => {
      const exits: Array<string> = []
      Runtime.runCallback(Effect.succeed(1), (exit) => exits.push(shown(exit)))
      // It did not wait, so it has ended.
      expect(exits).to.deep.equal(['ok 1'])
      const cancel = Runtime.runCallback(Effect.fromTask(turn), (exit) => exits.push(shown(exit)))
      expect(exits).to.deep.equal(['ok 1'])
      await turns()
      cancel()
      await turn()
      expect(exits).to.deep.equal(['ok 1', 'ok undefined'])
    })

    it('its result cancels with a reason, and does not wait', async () => {
      const exits: Array<Exit.Exit<never, never>> = []
      const cancel = Runtime.runCallback(Effect.never, (exit) => exits.push(exit), { name: 'program' })
      cancel('enough')
      cancel('again')
      expect(exits).to.deep.equal([])
      await turn()
      const [exit] = exits
      const leaf = exit?._tag === 'Left' && exit.left._tag === 'Cancelled' ? exit.left : undefined
      expect([exits.length, leaf?.scope, leaf?.reason]).to.deep.equal([
        1,
        'program',
        { _tag: 'Explicit', value: 'enough' }
      ])
    })

    it('its result takes a reason of the library as it is', async () => {
      const exits: Array<Exit.Exit<never, never>> = []
      Runtime.runCallback(Effect.never, (exit) => exits.push(exit))({ _tag: 'Shutdown', signal: 'SIGTERM' })
      await turn()
      const [exit] = exits
      expect(exit?._tag === 'Left' && exit.left._tag === 'Cancelled' && exit.left.reason).to.deep.equal({
        _tag: 'Shutdown',
        signal: 'SIGTERM'
      })
    })
  })

  describe('with a signal', () => {
    it('aborted before: the effect still runs to its first checkpoint', async () => {
      const log = trace()
      const program = pipe(
        log.add('started'),
        Effect.andThen(Effect.sleep(0)),
        Effect.andThen(log.add('not reached'))
      )
      const signal = AbortSignal.abort('enough')
      expect(shown(await Runtime.runExit(program, { signal }))).to.equal('Cancelled')
      expect(await Runtime.runPromise(Effect.succeed(1), { signal })).to.equal(1)
      expect(log.lines).to.deep.equal(['started'])
      expect(listeners(signal)).to.equal(0)
    })

    it('aborted during: it is cancelled, by an Aborted with the reason', async () => {
      const controller = new AbortController()
      const promise = Runtime.runExit(Effect.never, { signal: controller.signal })
      expect(listeners(controller.signal)).to.equal(1)
      controller.abort('enough')
      const exit = await promise
      expect(exit._tag === 'Left' && exit.left._tag === 'Cancelled' && exit.left.reason).to.deep.equal({
        _tag: 'Aborted',
        reason: 'enough'
      })
      expect(listeners(controller.signal)).to.equal(0)
    })

    it('aborted after: nothing happens, and no listener was left', async () => {
      const controller = new AbortController()
      const { signal } = controller
      const programs: ReadonlyArray<Fx<unknown, string>> = [
        Effect.unit,
        failed,
        Effect.sleep(1),
        Effect.die('x')
      ]
      for (const program of programs) {
        const run = Runtime.runExit(program, { signal })
        await run
        expect(listeners(signal)).to.equal(0)
      }
      let calls = 0
      Runtime.runCallback(Effect.unit, () => calls++, { signal })
      controller.abort()
      await turns()
      expect([calls, listeners(signal)]).to.deep.equal([1, 0])
    })

    it('many runs on one signal are all cancelled, and leave no listener', async () => {
      const controller = new AbortController()
      const { signal } = controller
      const runs = Array.from({ length: 20 }, () => Runtime.runExit(Effect.never, { signal }))
      const short = await Runtime.runExit(Effect.yieldNow, { signal })
      controller.abort()
      expect((await Promise.all(runs)).map(shown)).to.deep.equal(runs.map(() => 'Cancelled'))
      expect([shown(short), listeners(signal)]).to.deep.equal(['ok undefined', 0])
    })

    it('runPromise that was cancelled only by its own signal rejects with signal.reason', async () => {
      const reason = new Error('mine')
      const controller = new AbortController()
      const promise = Runtime.runPromise(Effect.never, { signal: controller.signal })
      controller.abort(reason)
      expect(await rejection(promise)).to.equal(reason)
      const before = await rejection(Runtime.runPromise(Effect.never, { signal: AbortSignal.abort() }))
      expect(before.name).to.equal('AbortError')
    })

    it('runPromise in which more went wrong rejects with all of it', async () => {
      const controller = new AbortController()
      const promise = Runtime.runPromise(pipe(Effect.never, Effect.ensuring(failed)), {
        signal: controller.signal
      })
      controller.abort('mine')
      const error = await rejection(promise)
      expect(error).to.be.instanceOf(Cause.CauseError)
      expect(shown({ _tag: 'Left', left: error.source })).to.equal('Then(Cancelled, Fail a)')
    })

    it('a value that was there in time is kept', async () => {
      const controller = new AbortController()
      const promise = Runtime.runPromise(
        pipe(
          Effect.sync(() => controller.abort()),
          Effect.as(1)
        ),
        { signal: controller.signal }
      )
      expect(await promise).to.equal(1)
    })
  })

  describe('with a grace', () => {
    it('clean-up after a cancellation is cut when it is over', () => {
      const { runtime, drive } = byHand()
      const log = trace()
      let exit = ''
      const cancel = Runtime.runCallback(
        pipe(
          log.at('start'),
          Effect.andThen(Effect.never),
          Effect.ensuring(pipe(Effect.sleep(100), Effect.ensuring(log.at('cut'))))
        ),
        (ended) => {
          exit = shown(ended)
        },
        { runtime, grace: 10 }
      )
      drive()
      cancel()
      drive()
      expect(exit).to.equal('Then(Cancelled, Die CleanupOverran)')
      expect(log.lines).to.deep.equal(['start@0', 'cut@10'])
    })
  })

  describe('make and setDefault', () => {
    it('a runtime has the clock and the scheduler that it was made with', () => {
      const { runtime, clock, drive } = byHand()
      let seen = 0
      Runtime.runCallback(
        pipe(Effect.sleep(1000), Effect.andThen(Effect.currentTime)),
        (exit) => {
          seen = exit._tag === 'Right' ? exit.right : -1
        },
        { runtime }
      )
      const start = clock.now()
      drive()
      expect(seen).to.equal(start + 1000)
    })

    it('without options it is the host', async () => {
      const before = Clock.host.now()
      const now = await Runtime.runPromise(Effect.currentTime, { runtime: Runtime.make() })
      expect(now).to.be.within(before, Clock.host.now())
    })

    it('the default is what runs without a runtime use', async () => {
      const clock = VirtualClock.make({ start: 12345 })
      await withDefault({ clock }, async () => {
        expect(Runtime.runSync(Effect.currentTime)).to.equal(12345)
        expect(await Runtime.runPromise(Effect.currentTime)).to.equal(12345)
        expect(Runtime.runSync(Effect.currentTime, { runtime: Runtime.defaultRuntime })).to.not.equal(12345)
      })
      expect(Runtime.runSync(Effect.currentTime)).to.not.equal(12345)
    })

    it('a scheduler that only schedules is enough', async () => {
      const queue: Array<{ run: () => void }> = []
      const runtime = Runtime.make({ scheduler: { schedule: (ready) => queue.push(ready), maxSteps: 3 } })
      const promise = Runtime.runPromise(
        Concurrent.all([
          pipe(Effect.unit, Effect.repeatN(10), Effect.as(1)),
          pipe(Effect.yieldNow, Effect.as(2))
        ]),
        { runtime }
      )
      expect(queue).to.have.length(1)
      let count = 0
      for (let ready = queue.shift(); ready !== undefined; ready = queue.shift()) {
        count++
        ready.run()
      }
      expect(await promise).to.deep.equal([1, 2])
      expect(count).to.be.greaterThan(5)
    })
  })

  describe('after a run', () => {
    it('RT-14 what it held can be collected', async () => {
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      const refs: Array<WeakRef<object>> = []
      const start = () => {
        const held = { big: new Array(1000).fill(0) }
        refs.push(new WeakRef(held))
        return pipe(
          Effect.sleep(0),
          Effect.flatMap(() => Concurrent.all([Effect.sync(() => held.big.length), Effect.yieldNow])),
          Effect.provide({ held }),
          Effect.andThen(Effect.async<never, number>((resume) => resume(Exit.succeed(held.big.length))))
        )
      }
      await Runtime.runExit(start())
      Runtime.runSync(start())
      await Runtime.runExit(pipe(start(), Effect.andThen(Effect.fail('a'))))
      // Later runs use the same stack and the same queues.
      for (let i = 0; i < 3; i++) await Runtime.runExit(Effect.sleep(0))
      for (let i = 0; i < 5; i++) {
        await turn()
        collect()
      }
      expect(refs.map((ref) => ref.deref() === undefined)).to.deep.equal([true, true, true])
    })

    it('RT-14 nor do its frames hold anything, however deep they were, before another run writes over them', async () => {
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      const refs: Array<WeakRef<object>> = []
      // Frames of their own, the effect as frame with what was opened below it, and arms on the stack of their host.
      const start = (depth: number) => {
        const held = { big: new Array(1000).fill(0) }
        refs.push(new WeakRef(held))
        let fx: Effect.Effect<unknown, string, number> = Effect.sync(() => held.big.length)
        for (let i = 0; i < depth; i++) {
          fx = Effect.map((n: number) => n + held.big.length)(fx)
          if (i % 10 === 0) fx = pipe(fx, Effect.provide({ held }), Concurrent.race(Effect.never))
          const inner = fx
          if (i % 10 === 5)
            fx = Effect.bracket(
              Effect.succeed(held),
              () => inner,
              () => Effect.unit
            )
        }
        return fx
      }
      for (const depth of [20, 200, 2000]) Runtime.runSync(Effect.exit(start(depth)))
      for (let i = 0; i < 5; i++) {
        await turn()
        collect()
      }
      expect(refs.map((ref) => ref.deref() === undefined)).to.deep.equal([true, true, true])
    })
  })

  it('NaN as the grace of a run is a defect of the run, of every runner', async () => {
    const options = { grace: NaN }
    expect(JSON.stringify(await Runtime.runExit(Effect.unit, options))).to.contain('"Die"')
    expect(JSON.stringify(Runtime.runSyncExit(Effect.unit, options))).to.contain('"Die"')
    expect(() => Runtime.runSync(Effect.unit, options)).to.throw(/grace of a run .* is NaN/)
  })
})
