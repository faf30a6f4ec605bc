/**
 * `gen` and `fn`: what a failure or a cancellation does to a generator, and what its finally blocks are.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, LowLevel, TaskGroup } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { defectOf, type Fx, inCancelled, run, shown, trace, value, wrong } from '../support/kernel.js'

const failed = (error: string): Fx<void, string> => Effect.fail(error)

describe('Effect.gen', () => {
  it('yields values and returns one', () => {
    const program = Effect.gen(function* () {
      const a = yield* Effect.succeed(1)
      yield* Effect.sleep(1)
      const b = yield* Effect.sync(() => 'b')
      const c = yield* pipe(
        Effect.succeed(2),
        Effect.flatMap((n) => Effect.succeed(n * 2))
      )
      return [a, b, c]
    })
    expect(value(program)).to.deep.equal([1, 'b', 4])
  })

  it('without a yield is pure', () => {
    expect(
      value(
        Effect.gen(function* () {
          return 1
        })
      )
    ).to.equal(1)
  })

  it('makes a fresh generator with each run', () => {
    let runs = 0
    const program = Effect.gen(function* () {
      let local = 0
      runs++
      yield* Effect.unit
      local++
      return local
    })
    expect([value(program), value(program)]).to.deep.equal([1, 1])
    expect(value(Effect.tuple([program, program]))).to.deep.equal([1, 1])
    expect(runs).to.equal(4)
  })

  it('two runs of it at once do not share a generator', () => {
    const program = Effect.gen(function* () {
      let local = 0
      for (let i = 0; i < 3; i++) {
        local++
        yield* Effect.yieldNow
      }
      return local
    })
    const both = TaskGroup.open()((group) =>
      Effect.gen(function* () {
        const one = yield* group.spawn(program)
        const two = yield* group.spawn(program)
        return [yield* Effect.orDie(one.join), yield* Effect.orDie(two.join)]
      })
    )
    expect(value(both)).to.deep.equal([3, 3])
  })

  it('ends with the failure at a yield, and nothing after it runs', () => {
    const log = trace()
    const program = Effect.gen(function* () {
      yield* log.add('before')
      yield* failed('a')
      yield* log.add('after')
    })
    expect(run(program)).to.equal('Fail a')
    expect(log.lines).to.deep.equal(['before'])
  })

  it('what its code throws is a defect, and finally blocks have run', () => {
    const log = trace()
    const program = Effect.gen(function* () {
      try {
        yield* Effect.unit
        throw new Error('bug')
      } finally {
        yield* log.add('finally')
      }
    })
    expect(run(program)).to.equal('Die bug')
    expect(log.lines).to.deep.equal(['finally'])
  })

  it('what its code throws can be caught by its code, as anywhere', () => {
    const program = Effect.gen(function* () {
      try {
        yield* Effect.unit
        throw new Error('bug')
      } catch (e) {
        return (e as Error).message
      }
    })
    expect(run(program)).to.equal('ok bug')
  })

  describe('catch', () => {
    it('never sees a failure, a defect or a cancellation', () => {
      const caught: Array<unknown> = []
      const around = <E>(fx: Fx<unknown, E>) =>
        Effect.gen(function* () {
          try {
            yield* fx
          } catch (e) {
            caught.push(e)
          }
        })
      expect(run(around(failed('a')))).to.equal('Fail a')
      expect(run(around(Effect.die('b')))).to.equal('Die b')
      expect(shown(value(inCancelled(around(Effect.sleep(1)))))).to.equal('Cancelled')
      expect(caught).to.deep.equal([])
    })
  })

  describe('finally', () => {
    const ending = <E>(fx: Fx<unknown, E>, log: { add: (line: string) => Fx<void> }, ms = 5) =>
      Effect.gen(function* () {
        try {
          yield* fx
        } finally {
          yield* log.add('begin')
          yield* Effect.sleep(ms)
          yield* log.add('end')
        }
      })

    it('runs after a value, a failure, a defect and a cancellation, to its end', () => {
      for (const [fx, expected] of [
        [Effect.succeed(1), 'ok undefined'],
        [failed('a'), 'Fail a'],
        [Effect.die('b'), 'Die b']
      ] as ReadonlyArray<readonly [Fx<unknown, string>, string]>) {
        const log = trace()
        expect(run(ending(fx, log))).to.equal(expected)
        expect(log.lines, expected).to.deep.equal(['begin', 'end'])
      }
    })

    it('is a shielded finalizer of a cancelled generator', () => {
      const log = trace()
      expect(run(LowLevel.withinScope({ name: 's', after: 10 })(ending(Effect.never, log)))).to.equal(
        'ok None'
      )
      expect(log.lines).to.deep.equal(['begin', 'end'])
      const inside = trace()
      expect(shown(value(inCancelled(ending(Effect.sleep(1), inside))))).to.equal('Cancelled')
      expect(inside.lines).to.deep.equal(['begin', 'end'])
    })

    it('is shielded after a failure too', () => {
      const log = trace()
      expect(shown(value(inCancelled(ending(failed('a'), log))))).to.equal('Fail a')
      expect(log.lines).to.deep.equal(['begin', 'end'])
    })

    it('the shield ends with it', () => {
      const program = pipe(
        ending(failed('a'), trace()),
        Effect.orElse(() => Effect.checkCancelled)
      )
      expect(shown(value(inCancelled(program)))).to.equal('Cancelled')
    })

    it('its failures join by Then, and the rest of it does not run', () => {
      const log = trace()
      const program = Effect.gen(function* () {
        try {
          yield* failed('a')
        } finally {
          yield* failed('b')
          yield* log.add('not reached')
        }
      })
      expect(run(program)).to.equal('Then(Fail a, Fail b)')
      expect(log.lines).to.deep.equal([])
    })

    it('what it throws joins as well, before or after a yield in it', () => {
      const throwing = (before: boolean) =>
        Effect.gen(function* () {
          try {
            yield* failed('a')
          } finally {
            if (!before) yield* Effect.unit
            // eslint-disable-next-line no-unsafe-finally
            throw new Error('bug')
          }
        })
      expect(run(throwing(true))).to.equal('Then(Fail a, Die bug)')
      expect(run(throwing(false))).to.equal('Then(Fail a, Die bug)')
    })

    it('the shield ends also when it throws', () => {
      const throwing = (before: boolean) =>
        Effect.gen(function* () {
          try {
            yield* failed('a')
          } finally {
            if (!before) yield* Effect.unit
            // eslint-disable-next-line no-unsafe-finally
            throw new Error('bug')
          }
        })
      for (const before of [true, false]) {
        const program = pipe(Effect.exit(throwing(before)), Effect.andThen(Effect.checkCancelled))
        expect(shown(value(inCancelled(program)))).to.equal('Cancelled')
      }
    })

    it('all of them run, inner ones first, and all their errors are kept', () => {
      const log = trace()
      const program = Effect.gen(function* () {
        try {
          try {
            try {
              yield* failed('a')
            } finally {
              yield* log.add('1')
              yield* failed('b')
            }
          } finally {
            yield* log.add('2')
          }
        } finally {
          yield* log.add('3')
          yield* failed('c')
        }
      })
      expect(run(program)).to.equal('Then(Fail a, Fail b, Fail c)')
      expect(log.lines).to.deep.equal(['1', '2', '3'])
    })

    it('what it throws is kept while effects of the blocks around it run', () => {
      const log = trace()
      const program = Effect.gen(function* () {
        try {
          try {
            yield* failed('a')
          } finally {
            // eslint-disable-next-line no-unsafe-finally
            throw new Error('bug')
          }
        } finally {
          yield* Effect.sleep(1)
          yield* log.add('outer')
        }
      })
      expect(run(program)).to.equal('Then(Fail a, Die bug)')
      expect(log.lines).to.deep.equal(['outer'])
    })

    it('a value that it returns is ignored', () => {
      const program = Effect.gen(function* () {
        try {
          yield* failed('a')
        } finally {
          yield* Effect.unit
          // eslint-disable-next-line no-unsafe-finally
          return 1
        }
      })
      expect(run(program)).to.equal('Fail a')
      const atOnce = Effect.gen(function* () {
        try {
          yield* failed('a')
        } finally {
          // eslint-disable-next-line no-unsafe-finally
          return 1
        }
      })
      expect(run(atOnce)).to.equal('Fail a')
    })

    it('gets the values of what it yields', () => {
      const log = trace()
      const program = Effect.gen(function* () {
        try {
          yield* failed('a')
        } finally {
          const one = yield* Effect.succeed(1)
          const two = yield* pipe(Effect.yieldNow, Effect.as(2))
          yield* log.add(`${one + two}`)
        }
      })
      expect(run(program)).to.equal('Fail a')
      expect(log.lines).to.deep.equal(['3'])
    })

    it('runs once, also when the generator around it fails in it', () => {
      const log = trace()
      const inner = Effect.gen(function* () {
        try {
          yield* failed('a')
        } finally {
          yield* log.add('inner')
        }
      })
      const outer = Effect.gen(function* () {
        try {
          yield* inner
        } finally {
          yield* log.add('outer')
        }
      })
      expect(run(outer)).to.equal('Fail a')
      expect(log.lines).to.deep.equal(['inner', 'outer'])
    })
  })

  describe('what is no effect', () => {
    const message = (body: () => Generator<any>) =>
      defectOf(TestRuntime.runExit(Effect.gen(body as () => Generator<never, unknown, never>))).message

    it('a yield without star of a value is a defect that says so', () => {
      expect(
        message(function* () {
          yield 1
        })
      ).to.match(/Expected an Effect, but got 1\..*yield\* effect/)
      expect(
        message(function* () {
          yield undefined
        })
      ).to.contain('but got undefined')
      expect(
        message(function* () {
          yield Promise.resolve(1)
        })
      ).to.contain('a promise')
      expect(
        message(function* () {
          yield () => Effect.unit
        })
      ).to.contain('a function')
    })

    it('is a defect also in a finally block, and the first cause is kept', () => {
      const body = function* (): Generator<any, void> {
        try {
          yield* failed('a') as any
        } finally {
          yield 1
        }
      }
      expect(run(Effect.gen(body as () => Generator<never, void, never>))).to.match(
        /^Then\(Fail a, Die Expected an Effect/
      )
    })

    it('an iterator made by hand is closed once, also when it throws each time', () => {
      const bug = (name: string) => () => {
        throw new Error(name)
      }
      const body = (
        closing: () => IteratorResult<unknown, unknown>,
        next: () => IteratorResult<unknown, unknown>
      ) => {
        let begun = false
        return () => ({
          next: () => {
            if (begun) return next()
            begun = true
            return { done: false, value: failed('a') }
          },
          return: closing
        })
      }
      const inFinally = () => ({ done: false, value: Effect.unit })
      const failsInFinally = () => ({ done: false, value: failed('b') })
      expect(run(Effect.gen(wrong(body(bug('return'), bug('next')))))).to.equal('Then(Fail a, Die return)')
      expect(run(Effect.gen(wrong(body(inFinally, bug('next')))))).to.equal('Then(Fail a, Die next)')
      let closings = 0
      const failsThenThrows = () => (closings++ === 0 ? failsInFinally() : bug('return')())
      expect(run(Effect.gen(wrong(body(failsThenThrows, bug('next')))))).to.equal(
        'Then(Fail a, Fail b, Die return)'
      )
    })

    it('a body that is no generator is a defect', () => {
      for (const body of [() => undefined, () => null, () => 1, () => ({}), async () => 1]) {
        expect(run(Effect.gen(wrong(body)))).to.match(/^Die /)
      }
      expect(
        run(
          pipe(
            Effect.gen(wrong(() => undefined)),
            Effect.catchCause(() => Effect.succeed('on'))
          )
        )
      ).to.equal('ok on')
    })
  })
})

describe('Effect.fn', () => {
  it('makes a function of a generator function', () => {
    const add = Effect.fn('add')(function* (a: number, b: number) {
      yield* Effect.yieldNow
      return a + (yield* Effect.succeed(b))
    })
    const sum = add(1, 2)
    expect([value(sum), value(sum)]).to.deep.equal([3, 3])
    expect(value(add(3, 4))).to.equal(7)
  })

  it('its failures and finally blocks are those of gen', () => {
    const log = trace()
    const f = Effect.fn('f')(function* (error: string) {
      try {
        yield* failed(error)
      } finally {
        yield* log.add('finally')
      }
    })
    expect(run(f('a'))).to.equal('Fail a')
    expect(log.lines).to.deep.equal(['finally'])
  })

  it('its name is that of a task that runs it', () => {
    const worker = Effect.fn('worker')(function* () {
      yield* Effect.yieldNow
    })
    const program = TaskGroup.open()((group) =>
      pipe(
        group.spawn(worker()),
        Effect.map((task) => task.name)
      )
    )
    expect(value(program)).to.equal('worker')
  })
})
