/**
 * The search for a schedule under which a program fails: it finds, it shrinks, what it found replays, and it finds nothing where
 * there is nothing.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import {
  Cause,
  Concurrent,
  Condition,
  Effect,
  Exit,
  Lock,
  MemoryStream,
  ParkingLot,
  Promises,
  Resource,
  Semaphore,
  Stream,
  TaskGroup,
  Timeout
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { defectOf, type Fx } from '../../support/seeds.js'

const { explore, runExit } = TestRuntime

const expectThat = (holds: boolean, message: string): Fx<void> =>
  Effect.sync(() => {
    if (!holds) throw new Error(message)
  })

const yields = (count: number): Fx<void> => Effect.repeatN(count)(Effect.yieldNow)

const failed = <E>(found: TestRuntime.Exploration<E>): TestRuntime.Failed<E> => {
  if (found._tag === 'Failed') return found
  throw new Error(TestRuntime.pretty(found))
}

const tagOf = (found: TestRuntime.Exploration<unknown>): string =>
  found._tag === 'Passed' ? 'Passed' : `${found._tag}\n${TestRuntime.pretty(found)}`

/** Deposits that read, let others run, and write. */
const deposits = (exclusive: Lock.Lock['withLock'], amounts: ReadonlyArray<number>): Fx<void> =>
  Effect.suspend(() => {
    let balance = 0
    const deposit = (amount: number) =>
      Effect.gen(function* () {
        const before = balance
        yield* Effect.checkpoint
        balance = before + amount
      })
    return pipe(
      Concurrent.all(amounts.map((amount) => exclusive(deposit(amount)))),
      Effect.flatMap(() =>
        Effect.suspend(() =>
          expectThat(balance === amounts.reduce((sum, amount) => sum + amount, 0), `balance ${balance}`)
        )
      )
    )
  })

/** A condition made by hand: it looks at the flag, and then lets others run before it waits. */
const lostWakeUp: Fx<void> = Effect.suspend(() => {
  let open = false
  const lot = ParkingLot.make<void, never, void>('gate')
  const wait = Effect.gen(function* () {
    if (open) return
    yield* Effect.yieldNow
    yield* ParkingLot.park(lot, undefined)
  })
  const notify = Effect.gen(function* () {
    yield* Effect.yieldNow
    open = true
    lot.unparkAllUnsafe(Exit.succeed(undefined))
  })
  return TaskGroup.open()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(wait, { name: 'waiter' })
      yield* group.spawn(notify, { name: 'notifier' })
    })
  )
})

/** Four tasks of twenty turns each; it is wrong if another one has not begun when they have ended. */
const starvation: Fx<void> = Effect.suspend(() => {
  let ended = 0
  let begun = false
  const busy = Effect.gen(function* () {
    yield* yields(20)
    ended++
    yield* expectThat(begun || ended < 4, 'it has not begun')
  })
  const slow = Effect.sync(() => {
    begun = true
  })
  return TaskGroup.open()((group) =>
    Effect.gen(function* () {
      for (let i = 1; i <= 4; i++) yield* group.spawn(busy, { name: `busy ${i}` })
      yield* group.spawn(slow, { name: 'slow' })
    })
  )
})

describe('TestRuntime.explore', () => {
  describe('finds', () => {
    it('a lost update, in the first run if first come, first served shows it', () => {
      const found = failed(
        explore(
          deposits((fx) => fx, [10, 20]),
          { runs: 100 }
        )
      )
      expect([found.runs, TestRuntime.showSchedule(found.schedule)]).to.deep.equal([1, ''])
      expect(Cause.pretty(found.cause)).to.equal('Die: Error: balance 20')
    })

    it('a lost wake-up, as a deadlock that says who waits', () => {
      expect(runExit(lostWakeUp, { schedule: TestRuntime.schedule('') })).to.deep.equal(
        Exit.succeed(undefined)
      )
      const found = failed(explore(lostWakeUp, { runs: 200 }))
      const [defect] = Cause.defects(found.cause) as ReadonlyArray<TestRuntime.Deadlock>
      expect(defect?._tag).to.equal('Deadlock')
      expect(defect?.tree).to.contain('waiter running, waits on gate')
    })

    it('what needs one task to be slow for long, by priorities, where uniform choices do not', () => {
      const uniform = Array.from({ length: 200 }, (_, seed) => runExit(starvation, { seed })._tag)
      expect(uniform.filter((tag) => tag === 'Left')).to.deep.equal([])
      const found = failed(explore(starvation, { runs: 200, exhaustive: 0, seed: 1 }))
      expect(Cause.pretty(found.cause)).to.equal('Die: Error: it has not begun')
    })

    it('what needs a fiber to be stopped between two steps, when each step is a turn', () => {
      const program = Effect.suspend(() => {
        let count = 0
        const add = Effect.gen(function* () {
          const before = yield* Effect.sync(() => count)
          yield* Effect.suspend(() => {
            count = before + 1
            return Effect.unit
          })
        })
        return pipe(
          Concurrent.all([Effect.andThen(add)(Effect.yieldNow), Effect.andThen(add)(Effect.yieldNow)]),
          Effect.flatMap(() => Effect.suspend(() => expectThat(count === 2, `count ${count}`)))
        )
      })
      expect(explore(program, { runs: 1000 })).to.deep.include({ _tag: 'Passed', complete: true })
      const found = failed(explore(program, { runs: 1000, maxSteps: 1 }))
      expect(found.replay).to.contain('maxSteps: 1, schedule:')
      expect(runExit(program, { maxSteps: 1, schedule: found.schedule })._tag).to.equal('Left')
    })

    it('a wait for something outside, by name', () => {
      const program = TaskGroup.open()((group) =>
        group.spawn(
          Promises.fromPromise(() => Promise.resolve(1)),
          { name: 'fetcher' }
        )
      )
      const found = failed(explore(program, { runs: 10 }))
      expect(Cause.defects(found.cause)).to.deep.equal([
        {
          _tag: 'ForeignWait',
          names: ['fetcher'],
          tree: 'main running, waits on TaskGroup since 0 ms\n└─ group "group"\n   └─ fetcher running, waits on fromPromise since 0 ms'
        }
      ])
    })

    it('a livelock, as soon as its bound says', () => {
      const found = failed(explore(Effect.forever(Effect.yieldNow), { runs: 3, maxTurns: 50 }))
      expect(Cause.pretty(found.cause)).to.contain('Livelock')
      expect(found.replay).to.contain('maxTurns: 50')
    })

    it('TST-18: a timer of the host that is left', () => {
      const timers: Array<ReturnType<typeof setTimeout>> = []
      const program = Effect.sync(() => {
        timers.push(setTimeout(() => undefined, 60_000))
      })
      const found = failed(explore(program, { runs: 3 }))
      timers.forEach(clearTimeout)
      expect(Cause.defects(found.cause)).to.deep.equal([{ _tag: 'Leak', tasks: [], timers: 1 }])
    })
  })

  describe('shrinks', () => {
    it('to one deviation where one is enough, whatever was found first', () => {
      const inOrder = failed(explore(lostWakeUp, { runs: 200, exhaustive: 200 }))
      expect(TestRuntime.showSchedule(inOrder.schedule)).to.equal('0:1')
      for (let seed = 0; seed < 20; seed++) {
        const atRandom = failed(explore(lostWakeUp, { runs: 200, exhaustive: 0, seed }))
        expect(TestRuntime.showSchedule(atRandom.schedule), `seed ${seed}`).to.equal('0:1')
      }
    })

    it('also when most of the deviations found have nothing to do with it', () => {
      const noisy = Concurrent.all([lostWakeUp, yields(6), yields(6), yields(6)])
      for (let seed = 0; seed < 10; seed++) {
        const { schedule } = failed(explore(noisy, { runs: 400, exhaustive: 0, seed }))
        const deviations = schedule.choices.filter((choice) => choice !== 0)
        expect(deviations, `seed ${seed}: ${TestRuntime.showSchedule(schedule)}`).to.have.length(1)
      }
    })

    it('and does not slide into another failure that takes less', () => {
      const program = Effect.suspend(() => {
        const order: Array<string> = []
        const say = (word: string) =>
          Effect.andThen(
            Effect.sync(() => {
              order.push(word)
            })
          )(Effect.yieldNow)
        const judged: Readonly<Record<string, Fx<void>>> = {
          acb: Effect.die(new TypeError('swapped')),
          cba: Effect.die('reversed')
        }
        return pipe(
          Concurrent.all([say('a'), say('b'), say('c')]),
          Effect.flatMap(() => judged[order.join('')] ?? Effect.unit)
        )
      })
      const seeds = Array.from({ length: 20 }, (_, seed) => seed)
      const found = seeds.map((seed) => failed(explore(program, { runs: 50, exhaustive: 0, seed })))
      const reversed = found.filter(({ cause }) => Cause.pretty(cause) === 'Die: "reversed"')
      expect(reversed.length).to.be.within(1, 19)
      for (const { schedule } of reversed) expect(TestRuntime.showSchedule(schedule)).to.equal('0:2 1:1')
    })
  })

  describe('reports', () => {
    it('a schedule that makes the same run again, as text too', () => {
      for (const [program, runs] of [
        [lostWakeUp, 200],
        [starvation, 400]
      ] as const) {
        const found = failed(explore(program, { runs }))
        const text = TestRuntime.showSchedule(found.schedule)
        const again = runExit(program, { schedule: TestRuntime.schedule(text) })
        expect(again._tag === 'Left' && Cause.pretty(again.left)).to.equal(Cause.pretty(found.cause))
        expect(TestRuntime.timeline(program, { schedule: found.schedule })).to.equal(found.trace)
        expect(found.replay).to.equal(
          `TestRuntime.runExit(fx, { schedule: TestRuntime.schedule('${text}') })`
        )
      }
    })

    it('who ran when and what each waits on', () => {
      const found = failed(explore(lostWakeUp, { runs: 200 }))
      expect(found.trace.split('\n')).to.deep.equal([
        '0 ms  main      starts; spawns waiter, notifier; waits on TaskGroup',
        '0 ms  notifier  starts; yields  [2nd of 2 that are ready, choice 0]',
        '0 ms  waiter    starts; yields  [1st of 2 that are ready, choice 1]',
        '0 ms  notifier  ends  [1st of 2 that are ready, choice 2]',
        '0 ms  waiter    waits on gate',
        '0 ms            Deadlock: the run is given up; cancels waiter',
        '0 ms  waiter    is cancelled; ends with Cancelled; wakes main',
        '0 ms  main      ends with Cancelled'
      ])
    })

    it('the same again with the same seed', () => {
      const look = (seed: number) => explore(starvation, { runs: 300, exhaustive: 0, seed })
      expect(look(3)).to.deep.equal(look(3))
      expect(failed(look(3)).seed).to.equal(3)
    })

    it('an error for those who assert, with the cause', () => {
      const found = explore(
        deposits((fx) => fx, [10, 20]),
        { runs: 10 }
      )
      expect(() => TestRuntime.assertPassed(found)).to.throw(
        Error,
        /^Die: Error: balance 20\n\n0 ms {2}main .*found in 1 run with seed 0; again by\nTestRuntime\.runExit/s
      )
      try {
        TestRuntime.assertPassed(found)
      } catch (error) {
        expect((error as Error).cause)
          .to.be.an('Error')
          .with.property('message', 'balance 20')
      }
    })

    it('how many runs there were, how many differed, and whether that is all', () => {
      const three = Concurrent.all(['a', 'b', 'c'].map(() => Effect.yieldNow))
      expect(explore(three, { runs: 100 })).to.deep.equal({
        _tag: 'Passed',
        runs: 6,
        distinct: 6,
        complete: true
      })
      expect(explore(three, { runs: 6 })).to.deep.include({ runs: 6, complete: false })
      expect(explore(three, { runs: 6, exhaustive: 6 })).to.deep.include({ runs: 6, complete: true })
      expect(explore(Effect.sleep(5), { runs: 100 })).to.deep.include({ runs: 1, complete: true })
      expect(explore(three, { runs: 0 })).to.deep.include({ runs: 0, complete: false })
      const many = Concurrent.all(Array.from({ length: 20 }, () => yields(3)))
      expect(explore(many, { runs: 60 })).to.deep.include({ runs: 60, complete: false })
    })

    it('a long run by its beginning and its end', () => {
      const lines = TestRuntime.timeline(yields(10_000)).split('\n')
      expect(lines.length).to.be.below(250)
      expect(lines[0]).to.equal('0 ms  main  starts; yields')
      expect(lines.at(-1)).to.equal('0 ms  main  ends')
      expect(lines.some((line) => /lines left out/.test(line))).to.equal(true)
    })
  })

  describe('says so when a program is not the same under the same schedule', () => {
    it('state that is shared between runs', () => {
      let balance = 0
      const deposit = Effect.sync(() => {
        balance += 10
      })
      const program = pipe(
        Concurrent.all([deposit, deposit]),
        Effect.flatMap(() => Effect.suspend(() => expectThat(balance === 20, `balance ${balance}`)))
      )
      expect(explore(program, { runs: 100 })._tag).to.equal('NonDeterministic')
    })

    it('a failure that does not come again', () => {
      let runs = 0
      const program = Effect.suspend(() =>
        pipe(
          Concurrent.all([Effect.yieldNow, Effect.yieldNow, Effect.yieldNow]),
          Effect.flatMap(() => (++runs === 5 ? Effect.fail('now and then') : Effect.unit))
        )
      )
      const found = explore(program, { runs: 100 })
      expect(found._tag).to.equal('NonDeterministic')
      expect(TestRuntime.pretty(found)).to.contain('ended with')
    })

    it('another way at random, with the line where two runs part', () => {
      let random = 0
      const program = Effect.suspend(() =>
        Concurrent.all([random++ % 2 === 0 ? Effect.yieldNow : Effect.sleep(1), Effect.yieldNow])
      )
      const found = explore(program, { runs: 100 })
      expect(found._tag === 'NonDeterministic' && found.difference).to.match(
        /^line \d+ of one run: +0 ms .*all\[0\].*\nline \d+ of the other: 0 ms .*all\[0\]/
      )
    })
  })

  describe('finds nothing in', () => {
    const programs: ReadonlyArray<readonly [string, Fx<unknown, unknown>]> = [
      [
        'deposits with a lock',
        pipe(
          Lock.make(),
          Effect.flatMap((lock) => deposits(lock.withLock, [1, 2, 3]))
        )
      ],
      [
        'producers and consumers of a stream',
        pipe(
          MemoryStream.make<number>(1),
          Effect.flatMap(([send, receive]) =>
            Effect.suspend(() => {
              let sum = 0
              const produce = Effect.gen(function* () {
                for (const item of [1, 2, 3]) yield* send.send(item)
                yield* send.close
              })
              const consume = pipe(
                receive,
                Stream.forEach((item: number) =>
                  Effect.sync(() => {
                    sum += item
                  })
                ),
                Effect.ensuring(receive.close)
              )
              return pipe(
                Concurrent.all([produce, consume]),
                Effect.flatMap(() => Effect.suspend(() => expectThat(sum === 6, `sum ${sum}`)))
              )
            })
          )
        )
      ],
      [
        'resources side by side that are released',
        Effect.suspend(() => {
          let open = 0
          const held = Resource.make(
            Effect.andThen(
              Effect.sync(() => {
                open++
              })
            )(Effect.yieldNow),
            () =>
              Effect.andThen(
                Effect.sync(() => {
                  open--
                })
              )(Effect.yieldNow)
          )
          return pipe(
            held,
            Resource.par(held),
            Resource.use(() => Effect.suspend(() => expectThat(open === 2, `open ${open}`))),
            Effect.flatMap(() => Effect.suspend(() => expectThat(open === 0, `open ${open}`)))
          )
        })
      ],
      [
        'a group with a deadline, a service and a started task',
        TaskGroup.open()((group) =>
          Effect.gen(function* () {
            yield* group.spawn(Effect.never, { service: true })
            const port = yield* group.start((started: TaskGroup.Started<number>) =>
              Effect.andThen(Effect.yieldNow)(started(80))
            )
            yield* expectThat(port.startValue === 80, 'port')
            yield* Timeout.moveOnAfter(3)(Effect.sleep(5))
          })
        )
      ],
      [
        'a condition of ours',
        Effect.gen(function* () {
          const condition = yield* Condition.make()
          let open = false
          yield* TaskGroup.open()((group) =>
            Effect.gen(function* () {
              yield* group.spawn(
                condition.withLock(
                  Effect.gen(function* () {
                    while (!open) yield* condition.wait
                  })
                )
              )
              yield* group.spawn(
                condition.withLock(
                  Effect.gen(function* () {
                    open = true
                    yield* condition.notifyAll
                  })
                )
              )
            })
          )
        })
      ],
      [
        'permits that are fewer than the tasks',
        pipe(
          Semaphore.make(2),
          Effect.flatMap((permits) =>
            Effect.suspend(() => {
              let inside = 0
              const task = permits.withPermit(
                Effect.gen(function* () {
                  inside++
                  yield* expectThat(inside <= 2, `inside ${inside}`)
                  yield* Effect.yieldNow
                  inside--
                })
              )
              return Concurrent.all([task, task, task])
            })
          )
        )
      ]
    ]
    for (const [name, program] of programs) {
      it(name, () => {
        expect(tagOf(explore(program, { runs: 300, seed: 5 }))).to.equal('Passed')
        expect(tagOf(explore(program, { runs: 100, seed: 6, maxSteps: 1 }))).to.equal('Passed')
      })
    }

    it('a task that polls, which priorities would starve for ever', () => {
      const program = Effect.suspend(() => {
        let ready = false
        const poll = Effect.gen(function* () {
          while (!ready) yield* Effect.yieldNow
        })
        const prepare = Effect.andThen(
          Effect.sync(() => {
            ready = true
          })
        )(yields(3))
        return Concurrent.all([poll, prepare])
      })
      expect(tagOf(explore(program, { runs: 300, exhaustive: 0, maxTurns: 2_000 }))).to.equal('Passed')
    })

    it('a program of ten thousand tasks', () => {
      const program = TaskGroup.open()((group) =>
        Effect.gen(function* () {
          for (let i = 0; i < 10_000; i++) yield* group.spawn(Effect.yieldNow)
        })
      )
      expect(tagOf(explore(program, { runs: 4 }))).to.equal('Passed')
    })
  })

  it('counts of runs that are none are refused', () => {
    expect(() => explore(Effect.unit, { runs: NaN })).to.throw(TypeError, /runs must be a whole number/)
    expect(() => explore(Effect.unit, { runs: 1, exhaustive: -1 })).to.throw(TypeError, /exhaustive/)
    expect(() => TestRuntime.everyCancelPoint(Effect.unit, { runs: 0.5 })).to.throw(TypeError, /runs must be/)
    expect(() => runExit(Effect.unit, { maxSteps: 0 })).to.throw(
      TypeError,
      /maxSteps must be a whole number, 1 or/
    )
    expect(() => runExit(Effect.unit, { maxTurns: NaN })).to.throw(TypeError, /maxTurns/)
  })
})

describe('TestRuntime.schedule', () => {
  const schedules: fc.Arbitrary<TestRuntime.Schedule> = fc
    .record({ choices: fc.array(fc.nat(4)), cancelAt: fc.option(fc.nat(100), { nil: undefined }) })
    .map(({ choices, cancelAt }) => ({
      _tag: 'Schedule',
      choices,
      ...(cancelAt === undefined ? {} : { cancelAt })
    }))

  it('reads what showSchedule writes', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        const text = TestRuntime.showSchedule(schedule)
        const read = TestRuntime.schedule(text)
        expect(TestRuntime.showSchedule(read)).to.equal(text)
        expect(read.cancelAt).to.equal(schedule.cancelAt)
        const length = Math.max(read.choices.length, schedule.choices.length)
        for (let i = 0; i < length; i++) expect(read.choices[i] ?? 0).to.equal(schedule.choices[i] ?? 0)
      })
    )
  })

  it('refuses what is none, and says what one looks like', () => {
    for (const text of [
      'a',
      '1',
      '1:',
      '1:2:3',
      '-1:2',
      '1:1 1:2',
      '2:1 1:1',
      'cancel:1 2:1',
      '99999999999:1'
    ]) {
      expect(() => TestRuntime.schedule(text), text).to.throw(TypeError, /is no schedule: .*"3:1 12:2"/)
    }
    for (const choices of [[-1], [0.5], [NaN]]) {
      const schedule: TestRuntime.Schedule = { _tag: 'Schedule', choices }
      expect(() => runExit(Effect.unit, { schedule })).to.throw(TypeError, /Choice 0 of a schedule/)
    }
  })

  it('after its end it is first come, first served, unless a seed decides', () => {
    const order = (options: TestRuntime.TestOptions): string => {
      const words: Array<string> = []
      const say = (word: string) =>
        Effect.andThen(
          Effect.sync(() => {
            words.push(word)
          })
        )(Effect.yieldNow)
      expect(defectOf(runExit(Concurrent.all(['a', 'b', 'c', 'd', 'e'].map(say)), options))).to.equal(
        'no defect'
      )
      return words.join('')
    }
    expect(order({ schedule: TestRuntime.schedule('0:2') })).to.equal('cabde')
    const seeds = [1, 2, 3, 4, 5]
    const orders = seeds.map((seed) => order({ schedule: TestRuntime.schedule('0:2'), seed }))
    expect(orders.every((each) => each.startsWith('c'))).to.equal(true)
    expect(new Set(orders).size).to.be.above(1)
  })
})
