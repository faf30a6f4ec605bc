/**
 * Depth is bounded by memory alone, and no fiber keeps the others from running.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type { Exit } from 'millrace'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Cause, Concurrent, Effect, LowLevel, Runtime, type Scheduler, Timeout } from 'millrace'
import { VirtualClock } from 'millrace/testing'
import { byHand, type Fx, inCancelled, run, shown, value } from '../support/kernel.js'

const million = 1_000_000
const hundredThousand = 100_000

/** `wrap` around `wrap` around … `inner`. */
const nested = <A, E>(
  n: number,
  inner: Fx<A, E>,
  wrap: (fx: Fx<A, E>, depth: number) => Fx<A, E>
): Fx<A, E> => {
  let fx = inner
  for (let i = 0; i < n; i++) fx = wrap(fx, i)
  return fx
}

const inc = (n: number): Fx<number> => Effect.succeed(n + 1)

/** Virtual time, first ready first run: a seeded choice among a hundred thousand fibers would take most of the time. */
const exitOf = <E, A>(fx: Fx<A, E>): Exit.Exit<E, A> => {
  const clock = VirtualClock.make()
  let ready: Array<Scheduler.Turn> = []
  const scheduler: Scheduler.Scheduler = { schedule: (turn) => ready.push(turn), maxSteps: 512 }
  let ended: Exit.Exit<E, A> | undefined
  Runtime.runCallback(fx, (exit) => (ended = exit), { runtime: Runtime.make({ clock, scheduler }) })
  do {
    while (ready.length > 0) {
      const turns = ready
      ready = []
      for (const turn of turns) turn.run()
    }
  } while (clock.advance())
  if (ended === undefined) throw new Error('the run has not ended')
  return ended
}

describe('Effect: depth', function () {
  this.timeout(60_000)

  describe('a million flatMaps', () => {
    it('nested to the left', () => {
      expect(Runtime.runSync(nested(million, Effect.succeed(0), Effect.flatMap(inc)))).to.equal(million)
    })

    it('nested to the right', () => {
      const down = (n: number): Fx<number> =>
        n === 0 ? Effect.succeed(0) : pipe(Effect.succeed(n - 1), Effect.flatMap(down))
      expect(Runtime.runSync(down(million))).to.equal(0)
    })

    it('not in tail position', () => {
      const depth = (n: number): Fx<number> =>
        n === 0
          ? Effect.succeed(0)
          : pipe(
              Effect.suspend(() => depth(n - 1)),
              Effect.flatMap(inc)
            )
      expect(Runtime.runSync(depth(million))).to.equal(million)
    })

    it('not in tail position, in a generator', () => {
      const depth = (n: number): Fx<number> =>
        Effect.gen(function* () {
          return n === 0 ? 0 : (yield* depth(n - 1)) + 1
        })
      expect(Runtime.runSync(depth(hundredThousand))).to.equal(hundredThousand)
    })

    it('that wait at the bottom, in a child and in an arm', () => {
      const deep = nested(million, pipe(Effect.sleep(1), Effect.as(0)), Effect.flatMap(inc))
      expect(shown(exitOf(deep))).to.equal(`ok ${million}`)
      expect(shown(exitOf(Concurrent.all([deep, Effect.succeed(1)])))).to.equal(`ok [${million},1]`)
      const child = LowLevel.openNursery({}, (nursery) =>
        pipe(LowLevel.fork(nursery, deep), Effect.flatMap(LowLevel.join))
      )
      expect(shown(exitOf(child))).to.equal(`ok ${million}`)
    })

    it('that fail at the bottom', () => {
      const failing: Fx<number, string> = Effect.fail('a')
      expect(shown(Runtime.runSyncExit(nested(million, failing, Effect.flatMap(inc))))).to.equal('Fail a')
    })
  })

  it('a million maps, taps, mapErrors, orElses and matches', () => {
    const start: Fx<number, number> = Effect.succeed(0)
    expect(
      Runtime.runSync(
        nested(
          million,
          start,
          Effect.map((n) => n + 1)
        )
      )
    ).to.equal(million)
    expect(Runtime.runSync(nested(million, start, Effect.tap(inc)))).to.equal(0)
    const failing: Fx<number, number> = Effect.fail(0)
    expect(
      shown(
        Runtime.runSyncExit(
          nested(
            million,
            failing,
            Effect.mapError((n) => n + 1)
          )
        )
      )
    ).to.equal(`Fail ${million}`)
    expect(
      shown(
        Runtime.runSyncExit(
          nested(
            million,
            failing,
            Effect.orElse((n) => Effect.fail(n + 1))
          )
        )
      )
    ).to.equal(`Fail ${million}`)
    const swap = Effect.matchEffect(
      (n: number) => Effect.succeed(n + 1),
      (n: number) => Effect.fail(n + 1)
    )
    expect(Runtime.runSync(nested<number, number>(million - 1, failing, swap))).to.equal(million - 1)
  })

  it('a hundred thousand suspends, environments, local values, generators and brackets', () => {
    const start: Fx<number> = Effect.succeed(1)
    expect(Runtime.runSync(nested(hundredThousand, start, (fx) => Effect.suspend(() => fx)))).to.equal(1)
    expect(
      Runtime.runSync(nested(hundredThousand, start, (fx) => pipe(fx, Effect.provide({ a: 1 }))))
    ).to.equal(1)
    expect(
      Runtime.runSync(
        nested(hundredThousand, start, (fx) =>
          Effect.gen(function* () {
            return yield* fx
          })
        )
      )
    ).to.equal(1)
    let released = 0
    const release = () =>
      Effect.sync(() => {
        released++
      })
    expect(
      Runtime.runSync(nested(hundredThousand, start, (fx) => Effect.bracket(Effect.unit, () => fx, release)))
    ).to.equal(1)
    expect(released).to.equal(hundredThousand)
  })

  describe('a hundred thousand scopes', () => {
    const scopes = (inner: Fx<unknown>, options: LowLevel.ScopeOptions): Fx<unknown> =>
      nested(hundredThousand, inner, (fx) => LowLevel.withinScope(options)(fx))

    it('around a value', () => {
      expect(shown(exitOf(scopes(Effect.succeed(1), { name: 's' })))).to.equal('ok Some')
    })

    it('around a wait, with deadlines and without', () => {
      expect(shown(exitOf(scopes(Effect.sleep(10), { name: 's' })))).to.equal('ok Some')
      expect(shown(exitOf(scopes(Effect.sleep(10), { name: 's', after: 20 })))).to.equal('ok Some')
    })

    it('that all time out', () => {
      // All deadlines are at the same time; the outermost is the first of them, and its cancellation passes the others.
      expect(shown(exitOf(scopes(Effect.never, { name: 's', after: 20 })))).to.equal('ok None')
      const failing = nested<unknown, string>(hundredThousand, Effect.never, (fx) =>
        pipe(
          fx,
          Timeout.failAfter(20, () => 'late')
        )
      )
      expect(shown(exitOf(failing))).to.equal('Fail late')
    })

    it('cancelled from outside', () => {
      const program = CancelScope.open((scope) =>
        Concurrent.all([
          scopes(Effect.never, { name: 's' }),
          pipe(Effect.sleep(1), Effect.andThen(scope.cancel()))
        ])
      )
      expect(shown(exitOf(program))).to.equal('ok None')
    })

    it('that shield', () => {
      const deep = nested(hundredThousand, Effect.succeed(1) as Fx<number>, LowLevel.shieldScope)
      expect(shown(exitOf(deep))).to.equal('ok 1')
      expect(
        shown(
          exitOf(
            inCancelled(pipe(Effect.sleep(1), (fx) => nested(hundredThousand, fx, LowLevel.shieldScope)))
          )
        )
      ).to.equal('ok Right')
    })
  })

  it('a hundred thousand groups', () => {
    const deep = nested(hundredThousand, pipe(Effect.sleep(1), Effect.as(1)), (fx) =>
      LowLevel.openNursery({}, () => fx)
    )
    expect(shown(exitOf(deep))).to.equal('ok 1')
  })

  describe('a hundred thousand finalizers', () => {
    const finalizer: Fx<unknown, string> = Effect.fail('f')

    it('that all fail: every failure is kept', () => {
      for (const attach of [
        Effect.ensuring(finalizer),
        Effect.onExit(() => finalizer),
        (fx: Fx<unknown, string>) =>
          Effect.bracket(
            Effect.unit,
            () => fx,
            () => finalizer
          )
      ] as ReadonlyArray<(fx: Fx<unknown, string>) => Fx<unknown, string>>) {
        const exit = exitOf(nested<unknown, string>(hundredThousand, Effect.fail('a'), attach))
        const failures = exit._tag === 'Left' ? Cause.failures(exit.left) : []
        expect(failures).to.have.length(hundredThousand + 1)
        expect(failures[0]).to.equal('a')
      }
    })

    it('that all fail after a cancellation', () => {
      const deep = nested<unknown, string>(hundredThousand, Effect.never, Effect.ensuring(finalizer))
      const exit = exitOf(pipe(deep, Timeout.moveOnAfter(1)))
      expect(exit._tag === 'Left' && Cause.failures(exit.left).length).to.equal(hundredThousand)
      expect(exit._tag === 'Left' && Cause.cancellations(exit.left).length).to.equal(0)
    })

    it('each inside of the one before', () => {
      const deep = nested<unknown, string>(hundredThousand, Effect.fail('f'), (fx) =>
        pipe(Effect.fail('a'), Effect.ensuring(fx))
      )
      const exit = exitOf(deep)
      expect(exit._tag === 'Left' && Cause.failures(exit.left).length).to.equal(hundredThousand + 1)
    })
  })

  describe('a hundred thousand parallel compositions', () => {
    const one: Fx<number> = Effect.succeed(1)

    it('races around a value and around a wait', () => {
      expect(shown(exitOf(nested(hundredThousand, one, Concurrent.race(Effect.never))))).to.equal('ok 1')
      expect(
        shown(
          exitOf(nested(hundredThousand, pipe(Effect.sleep(1), Effect.as(1)), Concurrent.race(Effect.never)))
        )
      ).to.equal('ok 1')
    })

    it('all of two around a value and around a wait', () => {
      const first = Effect.map(([a]: readonly [number, unknown]) => a)
      const both = (fx: Fx<number>) => first(Concurrent.all([fx, Effect.sleep(1)]))
      expect(shown(exitOf(nested(hundredThousand, one, both)))).to.equal('ok 1')
      expect(shown(exitOf(nested(hundredThousand, pipe(Effect.sleep(2), Effect.as(1)), both)))).to.equal(
        'ok 1'
      )
    })

    it('that fail, cancelled from inside and from outside', () => {
      const failing = nested<unknown, string>(
        hundredThousand,
        pipe(Effect.sleep(1), Effect.andThen(Effect.fail('a'))),
        (fx) => Concurrent.all([fx, Effect.never])
      )
      expect(shown(exitOf(failing))).to.equal('Fail a')
      const waiting = nested<unknown, never>(hundredThousand, Effect.never, (fx) =>
        Concurrent.all([Effect.never, fx])
      )
      expect(shown(exitOf(pipe(waiting, Timeout.moveOnAfter(1))))).to.equal('ok None')
    })

    it('and as many arms side by side', () => {
      const arms = Array.from({ length: hundredThousand }, (_, i) => pipe(Effect.yieldNow, Effect.as(i)))
      const exit = exitOf(Concurrent.all(arms))
      expect(exit._tag === 'Right' && exit.right.length).to.equal(hundredThousand)
      const waiting = arms.map(() => Effect.never)
      expect(shown(exitOf(Concurrent.raceAll([...waiting, Effect.sleep(1)])))).to.equal('ok undefined')
    })
  })

  it('runs inside of runs, as deep as the stack of the host', () => {
    const deep = (n: number): Fx<number> =>
      n === 0 ? Effect.succeed(0) : Effect.sync(() => Runtime.runSync(deep(n - 1)) + 1)
    expect(Runtime.runSync(deep(100))).to.equal(100)
  })
})

describe('Effect: fairness', () => {
  /** Busy for so many steps, without waiting. */
  const busy = (steps: number, each: () => void): Fx<void> => {
    const step: Fx<void> = Effect.suspend(() => {
      each()
      return steps-- > 0 ? step : Effect.unit
    })
    return step
  }

  it('two busy fibers take turns', () => {
    const turns: Array<string> = []
    const mark = (name: string) => () => {
      if (turns.at(-1) !== name) turns.push(name)
    }
    run(Concurrent.all([busy(20_000, mark('a')), busy(20_000, mark('b'))]))
    expect(turns.length).to.be.greaterThan(10)
  })

  it('the first arm of a composition is not kept busy either', () => {
    const log: Array<string> = []
    const program = Concurrent.all([
      busy(10_000, () => {
        log.push('busy')
      }),
      Effect.sync(() => {
        log.push('other')
      })
    ])
    run(program)
    expect(log.indexOf('other')).to.be.lessThan(10_000)
  })

  it('every kind of loop lets the others run', () => {
    let done = false
    const again = (): O.Option<number> => (done ? O.none : O.some(0))
    const suspended: Fx<void> = Effect.suspend(() => (done ? Effect.unit : suspended))
    const caught = (): Fx<unknown> =>
      pipe(
        Effect.die('a'),
        Effect.catchCause(() => (done ? Effect.unit : caught()))
      )
    const matched = (): Fx<unknown> =>
      pipe(
        Effect.succeed(1),
        Effect.matchEffect(Effect.die, () => (done ? Effect.unit : matched()))
      )
    const joined: Fx<never, string> = Effect.failCause(
      Cause.SemigroupBoth<string>().concat(Cause.fail('a'), Cause.fail('b'))
    )
    const matchedFailure = (fx: Fx<unknown, string>) => {
      const loop = (): Fx<unknown> =>
        pipe(
          fx,
          Effect.matchEffect(() => (done ? Effect.unit : loop()), Effect.die)
        )
      return Effect.suspend(loop)
    }
    const handledFailure = (fx: Fx<unknown, string>) => {
      const loop = (): Fx<unknown> =>
        pipe(
          fx,
          Effect.orElse(() => (done ? Effect.unit : loop()))
        )
      return Effect.suspend(loop)
    }
    const chained = (fx: Fx<unknown>) => {
      const loop = (): Fx<unknown> =>
        pipe(
          fx,
          Effect.flatMap(() => (done ? Effect.unit : loop()))
        )
      return Effect.suspend(loop)
    }
    const tapped = (): Fx<unknown> =>
      pipe(
        Effect.unit,
        Effect.tap(() => (done ? Effect.unit : tapped()))
      )
    function* untilDone() {
      while (!done) yield 1
    }
    const loops: ReadonlyArray<readonly [string, Fx<unknown, unknown>]> = [
      ['suspend', suspended],
      ['orElse', handledFailure(Effect.fail('a'))],
      ['catchCause', Effect.suspend(caught)],
      ['matchEffect', Effect.suspend(matched)],
      ['flatMap of a value', chained(Effect.unit)],
      ['flatMap of sync', chained(Effect.sync(() => 1))],
      ['flatMap of an operation', chained(Effect.currentTime)],
      [
        'flatMap of a map',
        chained(
          pipe(
            Effect.unit,
            Effect.map(() => 1)
          )
        )
      ],
      ['tap', Effect.suspend(tapped)],
      ['orElse of a joined cause', handledFailure(joined)],
      ['matchEffect of a failure', matchedFailure(Effect.fail('a'))],
      ['matchEffect of a joined cause', matchedFailure(joined)],
      [
        'gen',
        Effect.gen(function* () {
          while (!done) yield* Effect.unit
        })
      ],
      ['forEach', Effect.suspend(() => Effect.forEach(() => Effect.unit)(untilDone()))],
      ['forever', Effect.forever(Effect.suspend(() => (done ? Effect.fail('done') : Effect.unit)))],
      ['whilst', pipe(Effect.unit, Effect.whilst(Effect.sync(() => !done)))],
      ['repeat', pipe(Effect.unit, Effect.repeat(again))],
      ['retry', pipe(Effect.fail('a'), Effect.retry(again))]
    ]
    for (const [name, loop] of loops) {
      done = false
      const other = Effect.sync(() => {
        done = true
      })
      // The other one is not there before the loop has given a turn away.
      expect(run(Concurrent.all([Effect.exit(loop), other])), name).to.match(/^ok/)
    }
  })

  it('the turn that a fiber gives away is no cancellation point', () => {
    let steps = 0
    const program = CancelScope.open((scope) =>
      Concurrent.all([
        pipe(
          busy(100_000, () => {
            steps++
          }),
          Effect.tap(() => Effect.sync(() => expect(steps).to.equal(100_001)))
        ),
        scope.cancel()
      ])
    )
    expect(run(program)).to.equal('ok Some')
    expect(steps).to.equal(100_001)
  })

  it('on the host a busy loop lets the timers of the host fire, and is ended by its deadline', async () => {
    const turns: Array<string> = []
    const immediate = setImmediate(() => turns.push('immediate'))
    const exit = await Runtime.runExit(
      pipe(Effect.forever(Effect.sync(() => turns.length)), Timeout.moveOnAfter(15))
    )
    clearImmediate(immediate)
    expect(shown(exit)).to.equal('ok None')
    expect(turns).to.deep.equal(['immediate'])
  })

  it('on the host two runs take turns', async () => {
    let done = false
    const waiter = pipe(
      Effect.sleep(1),
      Effect.andThen(
        Effect.sync(() => {
          done = true
        })
      )
    )
    const loop = pipe(Effect.yieldNow, Effect.whilst(Effect.sync(() => !done)))
    const ended = await Promise.all([Runtime.runExit(loop), Runtime.runExit(waiter)])
    expect(ended.map(shown)).to.deep.equal(['ok undefined', 'ok undefined'])
  })

  it('a fiber in a composition keeps its place when its parent goes on', () => {
    // An arm that used up its steps goes on where it was, whatever ran on the same stack meanwhile.
    const arm = (name: string): Fx<string> =>
      nested(600, Effect.succeed(name), (fx) =>
        pipe(
          fx,
          Effect.flatMap((s) => Effect.succeed(s))
        )
      )
    expect(value(Concurrent.all([arm('a'), arm('b'), arm('c')]))).to.deep.equal(['a', 'b', 'c'])
    const { runtime, drive } = byHand()
    let exit = ''
    Runtime.runCallback(
      Concurrent.all([arm('x'), Concurrent.all([arm('y'), arm('z')])]),
      (e) => (exit = shown(e)),
      { runtime }
    )
    drive()
    expect(exit).to.equal('ok ["x",["y","z"]]')
  })
})
