/**
 * A program cancelled at each point: what it leaves behind is found, and nothing is found where it leaves nothing.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  Cause,
  Concurrent,
  Effect,
  Exit,
  Lock,
  MemoryStream,
  ParkingLot,
  Promises,
  Resource,
  TaskGroup,
  Timeout
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { Ledger } from '../../support/ledger.js'
import type { Fx } from '../../support/seeds.js'

const { everyCancelPoint } = TestRuntime

const failed = <E>(found: TestRuntime.Exploration<E>): TestRuntime.Failed<E> => {
  if (found._tag === 'Failed') return found
  throw new Error(TestRuntime.pretty(found))
}

const tagOf = (found: TestRuntime.Exploration<unknown>): string =>
  found._tag === 'Passed' ? 'Passed' : `${found._tag}\n${TestRuntime.pretty(found)}`

/** Counts of one run, looked at by `check` and made anew for the next. */
const account = <E, A>(program: (ledger: Ledger) => Fx<A, E>) => {
  let ledger = new Ledger()
  const balances: Array<ReadonlyArray<string>> = []
  return {
    program: Effect.suspend(() => {
      ledger = new Ledger()
      return program(ledger)
    }),
    check: () => {
      balances.push(ledger.balance())
      expect(ledger.balance()).to.deep.equal([])
    },
    balances
  }
}

/** A pool that hands its connection over to the first who waits. */
const pool = (ledger: Ledger) => {
  const waiting = ParkingLot.make<void, never, string>('Pool.take')
  const take = Effect.tap(() => Effect.sync(() => ledger.acquire('connection')))(
    ParkingLot.park(waiting, undefined)
  )
  const put = Effect.sync(() => {
    ledger.release('connection')
  })
  const fill = Effect.sync(() => {
    if (waiting.size() > 0) waiting.succeedUnsafe('connection')
  })
  return { take, put, fill }
}

const beside = (one: Fx<unknown>, other: Fx<unknown>): Fx<void> =>
  TaskGroup.open()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(one, { name: 'user' })
      yield* group.spawn(other, { name: 'pool' })
    })
  )

describe('TestRuntime.everyCancelPoint', () => {
  describe('finds', () => {
    it('what is lost between the end of a wait and the next look, and nowhere else', () => {
      const careless = account((ledger) => {
        const { take, put, fill } = pool(ledger)
        // Between the two there is a checkpoint, so what was handed over can be lost.
        const use = Effect.andThen(
          Effect.bracket(
            Effect.unit,
            () => Effect.yieldNow,
            () => put
          )
        )(Effect.tap(() => Effect.checkpoint)(take))
        return beside(use, fill)
      })
      const found = failed(everyCancelPoint(careless.program, { check: careless.check }))
      expect(found.trace.split('\n')).to.deep.equal([
        '0 ms  main  starts; spawns user, pool; waits on TaskGroup',
        '0 ms  user  starts; waits on Pool.take  [1st of 2 that are ready, choice 0]',
        '0 ms  pool  starts; wakes user; ends',
        '0 ms        cancelled from outside (point 4)',
        '0 ms  user  yields',
        '0 ms  user  ends with Cancelled; wakes main',
        '0 ms  main  ends with Cancelled'
      ])
      expect(TestRuntime.showSchedule(found.schedule)).to.equal('cancel:4')
      const [defect] = Cause.defects(found.cause) as ReadonlyArray<{ readonly actual: unknown }>
      expect(defect?.actual).to.deep.equal(['connection: 1 acquired, 0 released'])
      // While it waited, and before it had begun, nothing was lost.
      expect(careless.balances.slice(0, -1).flat()).to.deep.equal([])

      const careful = account((ledger) => {
        const { take, put, fill } = pool(ledger)
        return beside(
          Effect.bracket(
            take,
            () => Effect.yieldNow,
            () => put
          ),
          fill
        )
      })
      expect(tagOf(everyCancelPoint(careful.program, { check: careful.check }))).to.equal('Passed')
    })

    it('a timer that is set and never taken back', () => {
      const timers: Array<ReturnType<typeof setTimeout>> = []
      const program = Effect.gen(function* () {
        const timer = setTimeout(() => undefined, 60_000)
        timers.push(timer)
        yield* Effect.sleep(5)
        clearTimeout(timer)
      })
      const found = failed(everyCancelPoint(program))
      timers.forEach(clearTimeout)
      expect(Cause.defects(found.cause)).to.deep.equal([{ _tag: 'Leak', tasks: [], timers: 1 }])
      // Also when it is cancelled before it begins: it runs up to its first wait.
      expect(found.schedule.cancelAt).to.equal(0)
    })

    it('a cancellation between two waits that are there at once, in the same turn', () => {
      const points: Array<string> = []
      let state = ''
      const program = Effect.gen(function* () {
        state = 'begun'
        yield* Effect.checkCancelled
        state = 'one'
        yield* Effect.checkCancelled
        state = 'two'
      })
      const check = () => points.push(state)
      expect(tagOf(everyCancelPoint(program, { check: () => void check() }))).to.equal('Passed')
      expect(points).to.deep.equal(['begun', 'begun', 'one'])
    })

    it('an end that is neither its own nor cancelled', () => {
      const swallows = pipe(
        Effect.sleep(5),
        Effect.exit,
        Effect.map((exit) => (exit._tag === 'Right' ? 'whole' : 'half'))
      )
      const found = failed(everyCancelPoint(swallows))
      expect(Cause.defects(found.cause)).to.deep.equal([
        { _tag: 'UnexpectedExit', uncancelled: Exit.succeed('whole'), exit: Exit.succeed('half') }
      ])
      const allow = (exit: Exit.Exit<never, string>) => exit._tag === 'Right' && exit.right === 'half'
      expect(tagOf(everyCancelPoint(swallows, { allow }))).to.equal('Passed')
    })

    it('a failure that only a cancelled run has', () => {
      const program = pipe(Effect.sleep(5), Effect.onCancel(Effect.fail('rollback failed')))
      expect(Cause.failures(failed(everyCancelPoint(program as Fx<void, string>)).cause)).to.deep.equal([
        'rollback failed'
      ])
    })

    it('a run that does not end when it is cancelled', () => {
      expect(tagOf(everyCancelPoint(Timeout.shielded(Effect.sleep(5))))).to.equal('Passed')
      const waitsForEver = pipe(Effect.sleep(5), Effect.onCancel(Effect.never))
      const found = failed(everyCancelPoint(waitsForEver))
      expect((Cause.defects(found.cause)[0] as TestRuntime.Deadlock)._tag).to.equal('Deadlock')
      const spins = pipe(
        Effect.sleep(5),
        Effect.onCancel(
          Effect.gen(function* () {
            for (;;) yield* Effect.yieldNow
          })
        )
      )
      const spinning = failed(everyCancelPoint(spins, { maxTurns: 100 }))
      expect((Cause.defects(spinning.cause)[0] as TestRuntime.Livelock)._tag).to.equal('Livelock')
    })

    it('that the program is stuck without any cancellation', () => {
      const found = failed(everyCancelPoint(Promises.fromPromise(() => Promise.resolve(1))))
      expect((Cause.defects(found.cause)[0] as TestRuntime.ForeignWait).names).to.deep.equal(['main'])
      expect([found.runs, found.schedule.cancelAt]).to.deep.equal([1, undefined])
    })
  })

  it('what it found replays: the same end, the same steps', () => {
    const program = pipe(
      Concurrent.all([Effect.yieldNow, Effect.yieldNow, Effect.sleep(3)]),
      Effect.onCancel(Effect.die('in clean-up'))
    )
    for (const seed of [1, 2, 3]) {
      const found = failed(everyCancelPoint(program, { seed }))
      const schedule = TestRuntime.schedule(TestRuntime.showSchedule(found.schedule))
      const exit = TestRuntime.runExit(program, { schedule })
      expect(exit._tag === 'Left' && Cause.pretty(exit.left)).to.equal(Cause.pretty(found.cause))
      expect(TestRuntime.timeline(program, { schedule })).to.equal(found.trace)
      expect(found.replay).to.match(/schedule: TestRuntime\.schedule\('.*cancel:\d+'\) \}\)$/)
    }
  })

  it('a failure of the program itself may remain, alone or with the cancellation', () => {
    const program = pipe(Effect.sleep(1), Effect.andThen(Effect.fail('no')), Effect.ensuring(Effect.sleep(1)))
    expect(tagOf(everyCancelPoint(program))).to.equal('Passed')
  })

  it('values that are made anew by each run are no other end', () => {
    const program = pipe(
      Lock.make(),
      Effect.map((lock) => ({ lock, f: () => 1, list: [new Map([[1, 2]])] })),
      Effect.tap(() => Effect.sleep(1))
    )
    expect(tagOf(everyCancelPoint(program))).to.equal('Passed')
  })

  it('says so when a run is another one before it is cancelled', () => {
    let runs = 0
    const program = Effect.suspend(() => (runs++ % 2 === 0 ? Effect.yieldNow : Effect.sleep(2)))
    const found = everyCancelPoint(program)
    expect(found._tag).to.equal('NonDeterministic')
    expect(found._tag === 'NonDeterministic' && found.difference).to.match(/yields|waits on sleep/)
  })

  it('cancels at each point once, and at some of them when there are more than it may', () => {
    const points: Array<number> = []
    const program = Effect.repeatN(20)(Effect.yieldNow)
    const check = ({ point }: { readonly point: number }) => void points.push(point)
    const all = everyCancelPoint(program, { check })
    expect(points).to.deep.equal(points.map((_, i) => i))
    expect(all).to.deep.equal({
      _tag: 'Passed',
      runs: points.length + 1,
      distinct: points.length + 1,
      complete: true
    })
    points.length = 0
    expect(everyCancelPoint(program, { check, runs: 4 })).to.deep.include({ runs: 5, complete: false })
    expect(points).to.have.length(4)
    expect(points[0]).to.equal(0)
  })

  it('a seed and a schedule decide which run is cancelled', () => {
    const orders = new Set<string>()
    const words: Array<string> = []
    const say = (word: string) => Effect.andThen(Effect.sync(() => words.push(word)))(Effect.yieldNow)
    const program = Effect.suspend(() => {
      words.length = 0
      return Concurrent.all(['a', 'b', 'c'].map(say))
    })
    const check = () => {
      if (words.length === 3) orders.add(words.join(''))
    }
    everyCancelPoint(program, { check })
    expect([...orders]).to.deep.equal(['abc'])
    everyCancelPoint(program, { check, schedule: TestRuntime.schedule('0:2') })
    expect([...orders]).to.deep.equal(['abc', 'cab'])
    for (let seed = 0; seed < 20; seed++) everyCancelPoint(program, { check, seed })
    expect(orders.size).to.equal(6)
  })

  describe('finds nothing in', () => {
    const programs: ReadonlyArray<readonly [string, (ledger: Ledger) => Fx<unknown, unknown>]> = [
      [
        'tasks of a group that hold a lock and something else',
        (ledger) =>
          pipe(
            Lock.make(),
            Effect.flatMap((lock) =>
              TaskGroup.open()((group) =>
                Effect.gen(function* () {
                  for (let i = 0; i < 3; i++)
                    yield* group.spawn(lock.withLock(ledger.hold(`${i}`)(Effect.sleep(1))))
                })
              )
            )
          )
      ],
      [
        'items that go through a stream, with both ends closed',
        (ledger) =>
          pipe(
            MemoryStream.make<number>(1),
            Effect.flatMap(([send, receive]) =>
              Concurrent.all([
                pipe(
                  [1, 2, 3],
                  Effect.forEach((n: number) => send.send(n)),
                  Effect.ensuring(send.close)
                ),
                pipe(
                  Effect.forever(receive.receive),
                  Effect.catchTag('EndOfStream', () => Effect.unit),
                  ledger.hold('receiver'),
                  Effect.ensuring(receive.close)
                )
              ])
            )
          )
      ],
      [
        'resources in each other and side by side',
        (ledger) => {
          const held = (name: string) =>
            Resource.fromUse<unknown, never, string>((use) =>
              ledger.hold(name)(Effect.suspend(() => use(name)))
            )
          return pipe(
            held('a'),
            Resource.flatMap(() => pipe(held('b'), Resource.par(held('c')))),
            Resource.use(() => Effect.yieldNow)
          )
        }
      ],
      [
        'a race under a timeout, with a started task',
        (ledger) =>
          TaskGroup.open()((group) =>
            Effect.gen(function* () {
              yield* group.start((started: TaskGroup.Started) =>
                ledger.hold('server')(Effect.andThen(Effect.sleep(1))(started()))
              )
              yield* pipe(
                ledger.hold('slow')(Effect.sleep(9)),
                Concurrent.race(ledger.hold('fast')(Effect.sleep(2))),
                Timeout.moveOnAfter(6)
              )
            })
          )
      ]
    ]
    for (const [name, make] of programs) {
      it(name, () => {
        for (const seed of [undefined, 1, 2, 3]) {
          const { program, check, balances } = account(make)
          const found = everyCancelPoint(program, { check, ...(seed === undefined ? {} : { seed }) })
          expect(tagOf(found)).to.equal('Passed')
          expect(balances.length).to.be.above(15)
        }
      })
    }
  })
})
