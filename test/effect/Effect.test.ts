/**
 * Effects: making them, converting to them, composing them, and the instances of fp-ts.
 */
import { expect } from 'chai'
import * as Alt from 'fp-ts/lib/Alt.js'
import * as Apply from 'fp-ts/lib/Apply.js'
import * as Chain from 'fp-ts/lib/Chain.js'
import * as E from 'fp-ts/lib/Either.js'
import * as FromEither from 'fp-ts/lib/FromEither.js'
import * as FromIO from 'fp-ts/lib/FromIO.js'
import * as FromReader from 'fp-ts/lib/FromReader.js'
import * as FromTask from 'fp-ts/lib/FromTask.js'
import { flow, pipe } from 'fp-ts/lib/function.js'
import * as Functor from 'fp-ts/lib/Functor.js'
import * as N from 'fp-ts/lib/number.js'
import * as O from 'fp-ts/lib/Option.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as RR from 'fp-ts/lib/ReadonlyRecord.js'
import type { ReaderTaskEither } from 'fp-ts/lib/ReaderTaskEither.js'
import * as S from 'fp-ts/lib/string.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Cause, Concurrent, Effect, Exit, LowLevel, Runtime, TaskGroup } from 'millrace'
import {
  bothAll,
  defectOf,
  type Fx,
  inCancelled,
  run,
  shown,
  thenAll,
  timed,
  trace,
  value,
  wrong
} from '../support/kernel.js'
import { TestRuntime } from 'millrace/testing'

const bug = new Error('bug')
const thrower = (): never => {
  throw bug
}

describe('Effect', () => {
  describe('an effect', () => {
    it('does nothing before it is run, and does the work again with each run', () => {
      let runs = 0
      const count = Effect.map((n: number) => n * 10)(Effect.sync(() => ++runs))
      expect(runs).to.equal(0)
      expect(value(count)).to.equal(10)
      expect(value(count)).to.equal(20)
      expect(value(Effect.tuple([count, count]))).to.deep.equal([30, 40])
    })
  })

  describe('constructors', () => {
    it('succeed and of give a value', () => {
      const a = {}
      expect(value(Effect.succeed(a))).to.equal(a)
      expect(Effect.of).to.equal(Effect.succeed)
    })

    it('unit gives nothing', () => {
      expect(TestRuntime.runExit(Effect.unit)).to.deep.equal(Exit.succeed(undefined))
    })

    it('fail, die and failCause end with their causes', () => {
      const cause = bothAll<string>(Cause.fail('a'), Cause.die(bug))
      expect(TestRuntime.runExit(Effect.fail('a'))).to.deep.equal(Exit.fail('a'))
      expect(TestRuntime.runExit(Effect.die(bug))).to.deep.equal(Exit.die(bug))
      const exit = TestRuntime.runExit(Effect.failCause(cause))
      expect(exit._tag === 'Left' && exit.left).to.equal(cause)
    })

    it('fromExit ends as the exit says', () => {
      expect(run(Effect.fromExit(Exit.succeed(1)))).to.equal('ok 1')
      expect(run(Effect.fromExit(Exit.fail('a')))).to.equal('Fail a')
      expect(run(Effect.fromExit(Exit.die('bug')))).to.equal('Die bug')
    })

    it('a Cancelled that is raised where no scope is cancelled is Die(CancelledElsewhere)', () => {
      const escaped = TestRuntime.runExit(inCancelled(Effect.checkCancelled))
      expect(escaped._tag).to.equal('Right')
      const forged = escaped._tag === 'Right' ? escaped.right : escaped
      expect(shown(forged)).to.equal('Cancelled')
      const cause = forged._tag === 'Left' ? forged.left : wrong(null)
      for (const raise of [
        Effect.fromExit(forged),
        Effect.failCause(cause),
        Effect.async((resume: (exit: Exit.Exit<never, void>) => void) => resume(forged)),
        LowLevel.park('test', (resume: (exit: Exit.Exit<never, void>) => void) => {
          resume(forged)
          return () => true
        })
      ]) {
        expect(defectOf(TestRuntime.runExit(raise))).to.deep.equal({ _tag: 'CancelledElsewhere', cause })
        // Also where handlers of E are: it is a defect, not a failure.
        expect(run(Effect.option(raise))).to.equal('Die CancelledElsewhere')
      }
      const joined = thenAll<string>(Cause.fail('a'), cause)
      expect(defectOf(TestRuntime.runExit(Effect.failCause(joined)))).to.deep.equal({
        _tag: 'CancelledElsewhere',
        cause: joined
      })
    })

    it('a Cancelled may be raised again inside its scope, also behind a shield', () => {
      const again = pipe(
        Effect.checkCancelled,
        Effect.catchCause((cause) => Effect.failCause(cause))
      )
      expect(shown(value(inCancelled(again)))).to.equal('Cancelled')
      expect(
        shown(
          value(
            inCancelled(
              pipe(
                Effect.exit(Effect.checkCancelled),
                Effect.flatMap((exit) => LowLevel.shieldScope(Effect.fromExit(exit)))
              )
            )
          )
        )
      ).to.equal('Cancelled')
    })

    it('sync gives what the function returns; a throw is a defect', () => {
      expect(run(Effect.sync(() => 1))).to.equal('ok 1')
      expect(run(Effect.sync(thrower))).to.equal('Die bug')
    })

    it('tryCatch makes a failure of what is thrown', () => {
      expect(run(Effect.tryCatch(() => 1, String))).to.equal('ok 1')
      expect(run(Effect.tryCatch(thrower, (e) => (e as Error).message.length))).to.equal('Fail 3')
      expect(run(Effect.tryCatch(thrower, thrower))).to.equal('Die bug')
    })

    it('suspend makes the effect of each run when it runs', () => {
      let made = 0
      const fx = Effect.suspend(() => Effect.succeed(++made))
      expect(made).to.equal(0)
      expect([value(fx), value(fx)]).to.deep.equal([1, 2])
      expect(run(Effect.suspend(thrower))).to.equal('Die bug')
    })

    it('never ends only by cancellation', () => {
      expect(
        timed(pipe(Effect.never, (fx) => LowLevel.withinScope({ name: 's', after: 1e9 })(fx)))
      ).to.deep.equal(['ok None', 1e9])
    })

    it('anything else in the place of an effect is a defect that says what it was', () => {
      const message = (fx: Effect.Effect<unknown, unknown, unknown>) =>
        defectOf(TestRuntime.runExit(fx)).message
      expect(message(Effect.suspend(() => wrong(undefined)))).to.contain('but got undefined')
      expect(message(Effect.suspend(() => wrong(null)))).to.contain('but got null')
      expect(message(Effect.suspend(() => wrong(1)))).to.contain('but got 1')
      expect(
        message(
          pipe(
            Effect.unit,
            Effect.flatMap(() => wrong(Promise.resolve()))
          )
        )
      ).to.contain('a promise')
      expect(
        message(
          pipe(
            Effect.unit,
            Effect.tap(() => wrong(() => Effect.unit))
          )
        )
      ).to.contain('a function')
      expect(message(pipe(Effect.unit, Effect.andThen(wrong({ a: 1, b: 2 }))))).to.contain('the keys a, b')
      expect(message(pipe(Effect.unit, Effect.ensuring(wrong(undefined))))).to.contain('but got undefined')
      expect(
        message(
          pipe(
            Effect.fail('a'),
            Effect.orElse(() => wrong('x'))
          )
        )
      ).to.contain('but got x')
      expect(message(LowLevel.openScope({ name: 's' }, () => wrong([])))).to.contain('an object')
    })
  })

  describe('conversions', () => {
    it('fromEither, fromOption and fromPredicate', () => {
      expect(run(Effect.fromEither(E.right(1)))).to.equal('ok 1')
      expect(run(Effect.fromEither(E.left('a')))).to.equal('Fail a')
      const orNone = Effect.fromOption(() => 'none')
      expect(run(orNone(O.some(1)))).to.equal('ok 1')
      expect(run(orNone(O.none))).to.equal('Fail none')
      const positive = Effect.fromPredicate(
        (n: number) => n > 0,
        (n) => `not ${n}`
      )
      expect(run(positive(1))).to.equal('ok 1')
      expect(run(positive(-1))).to.equal('Fail not -1')
      expect(run(Effect.fromPredicate(thrower, () => 'a')(1))).to.equal('Die bug')
      expect(run(Effect.fromOption(thrower)(O.none))).to.equal('Die bug')
    })

    it('fromIO and fromIOEither run once a run', () => {
      let runs = 0
      const io = Effect.fromIO(() => ++runs)
      expect([value(io), value(io)]).to.deep.equal([1, 2])
      expect(run(Effect.fromIOEither(() => E.left('a')))).to.equal('Fail a')
      expect(run(Effect.fromIOEither(() => E.right(1)))).to.equal('ok 1')
      expect(run(Effect.fromIOEither(thrower))).to.equal('Die bug')
    })

    it('fromReader reads the environment', () => {
      const length = Effect.fromReader((env: { readonly name: string }) => env.name.length)
      expect(value(pipe(length, Effect.provide({ name: 'abc' })))).to.equal(3)
    })

    it('fromTask waits; a rejection or a throw is a defect', async () => {
      expect(shown(await Runtime.runExit(Effect.fromTask(async () => 1)))).to.equal('ok 1')
      expect(shown(await Runtime.runExit(Effect.fromTask(() => Promise.reject(bug))))).to.equal('Die bug')
      expect(shown(await Runtime.runExit(Effect.fromTask(thrower)))).to.equal('Die bug')
    })

    it('fromTask of something that gives no promise is a defect that says so', () => {
      expect(defectOf(TestRuntime.runExit(Effect.fromTask(() => wrong(1)))).message).to.contain(
        'expected a promise'
      )
    })

    it('fromTaskEither makes a failure of a Left', async () => {
      expect(shown(await Runtime.runExit(Effect.fromTaskEither(TE.right(1))))).to.equal('ok 1')
      expect(shown(await Runtime.runExit(Effect.fromTaskEither(TE.left('a'))))).to.equal('Fail a')
      expect(shown(await Runtime.runExit(Effect.fromTaskEither(() => Promise.reject(bug))))).to.equal(
        'Die bug'
      )
    })

    it('fromTaskEither starts the task with each run', async () => {
      let runs = 0
      const fx = Effect.fromTaskEither(async () => E.right(++runs))
      expect(runs).to.equal(0)
      expect(await Runtime.runPromise(Effect.tuple([fx, fx]))).to.deep.equal([1, 2])
    })

    it('fromReaderTaskEither gives it the environment', async () => {
      const rte: ReaderTaskEither<{ readonly n: number }, string, number> = ({ n }) =>
        n > 0 ? TE.right(n) : TE.left('not positive')
      const at = (n: number) => Runtime.runExit(pipe(Effect.fromReaderTaskEither(rte), Effect.provide({ n })))
      expect(shown(await at(1))).to.equal('ok 1')
      expect(shown(await at(0))).to.equal('Fail not positive')
    })

    it('a task that was cancelled is awaited, and its value dropped only with abandonOnCancel', async () => {
      const late = (abandonOnCancel: boolean) => {
        let settle: (n: number) => void = () => undefined
        let ended = ''
        const cancel = Runtime.runCallback(
          Effect.fromTask(() => new Promise<number>((resolve) => (settle = resolve)), { abandonOnCancel }),
          (exit) => {
            ended = shown(exit)
          }
        )
        cancel()
        return { ended: () => ended, settle: (n: number) => settle(n) }
      }
      const turn = () => new Promise((resolve) => setImmediate(resolve))
      const kept = late(false)
      const dropped = late(true)
      await turn()
      expect([kept.ended(), dropped.ended()]).to.deep.equal(['', 'Cancelled'])
      kept.settle(1)
      dropped.settle(1)
      await turn()
      expect([kept.ended(), dropped.ended()]).to.deep.equal(['ok 1', 'Cancelled'])
    })
  })

  describe('sequence', () => {
    it('map, as and asUnit change the value', () => {
      expect(
        run(
          pipe(
            Effect.succeed(1),
            Effect.map((n) => n + 1)
          )
        )
      ).to.equal('ok 2')
      expect(run(pipe(Effect.succeed(1), Effect.as('b')))).to.equal('ok b')
      expect(TestRuntime.runExit(pipe(Effect.succeed(1), Effect.asUnit))).to.deep.equal(
        Exit.succeed(undefined)
      )
      expect(run(pipe(Effect.succeed(1), Effect.map(thrower)))).to.equal('Die bug')
    })

    it('flatMap, flatten, tap, andThen and ap run in order', () => {
      const log = trace()
      const step = (name: string): Fx<string> => pipe(log.add(name), Effect.as(name))
      const program = pipe(
        step('a'),
        Effect.flatMap((a) => step(`${a}b`)),
        Effect.tap((ab) => step(`${ab}!`)),
        Effect.map((ab) => step(`${ab}c`)),
        Effect.flatten,
        Effect.andThen(step('d')),
        Effect.map((d) => (e: string) => d + e),
        Effect.ap(step('e'))
      )
      expect(value(program)).to.equal('de')
      expect(log.lines).to.deep.equal(['a', 'ab', 'ab!', 'abc', 'd', 'e'])
    })

    it('a failure skips what follows', () => {
      const skipped = Effect.sync(() => {
        throw new Error('ran')
      })
      const program = pipe(
        Effect.fail('a'),
        Effect.map(thrower),
        Effect.flatMap(() => skipped),
        Effect.tap(() => skipped),
        Effect.andThen(skipped),
        Effect.as(1)
      )
      expect(run(program)).to.equal('Fail a')
      expect(
        run(
          pipe(
            Effect.succeed(1),
            Effect.tap(() => Effect.fail('t'))
          )
        )
      ).to.equal('Fail t')
      expect(run(pipe(Effect.fail('f'), Effect.ap(skipped)))).to.equal('Fail f')
      expect(run(pipe(Effect.succeed(String), Effect.ap(Effect.fail('x'))))).to.equal('Fail x')
    })

    it('a throw in any callback is a defect', () => {
      const one = Effect.succeed(1)
      const failed: Fx<never, string> = Effect.fail('a')
      const programs: ReadonlyArray<Effect.Effect<unknown, unknown, unknown>> = [
        pipe(one, Effect.flatMap(thrower)),
        pipe(one, Effect.tap(thrower)),
        pipe(one, Effect.bindTo('a'), Effect.bind('b', thrower)),
        pipe(one, Effect.bindTo('a'), Effect.let('b', thrower)),
        pipe(
          one,
          Effect.filterOrElse(thrower, () => 'a')
        ),
        pipe(one, Effect.match(String, thrower)),
        pipe(one, Effect.matchEffect(Effect.fail, thrower)),
        pipe(failed, Effect.mapError(thrower)),
        pipe(failed, Effect.bimap(thrower, String)),
        pipe(failed, Effect.orElse(thrower)),
        pipe(failed, Effect.catchCause(thrower)),
        pipe(failed, Effect.match(thrower, String)),
        pipe(failed, Effect.matchEffect(thrower, Effect.succeed)),
        pipe(Effect.fail({ _tag: 'A' }), Effect.catchTag('A', thrower)),
        Effect.asks(thrower),
        pipe(one, Effect.local(thrower)),
        Effect.async(thrower),
        Effect.traverseArray(thrower)([1]),
        Effect.forEach(thrower)([1]),
        pipe(one, Effect.repeat(thrower)),
        pipe(failed, Effect.retry(thrower)),
        LowLevel.openScope({ name: 's' }, thrower),
        LowLevel.openNursery({}, thrower)
      ]
      programs.forEach((program, i) => expect(run(program), `program ${i}`).to.equal('Die bug'))
      expect(run(pipe(failed, Effect.tapError(thrower)))).to.equal('Then(Fail a, Die bug)')
    })
  })

  describe('do notation', () => {
    it('Do, bind, let, apS and bindTo build a record', () => {
      const program = pipe(
        Effect.Do,
        Effect.bind('a', () => Effect.succeed(1)),
        Effect.let('b', ({ a }) => a + 1),
        Effect.apS('c', Effect.succeed(3)),
        Effect.bind('d', ({ a, b, c }) => Effect.succeed(a + b + c))
      )
      expect(value(program)).to.deep.equal({ a: 1, b: 2, c: 3, d: 6 })
      expect(value(pipe(Effect.succeed(1), Effect.bindTo('x')))).to.deep.equal({ x: 1 })
      expect(
        run(
          pipe(
            Effect.Do,
            Effect.bind('a', () => Effect.fail('no'))
          )
        )
      ).to.equal('Fail no')
    })

    it('leaves the records on the way as they were', () => {
      const seen: Array<object> = []
      const keep = <A extends object>(a: A): A => {
        seen.push(a)
        return a
      }
      const program = pipe(
        Effect.Do,
        Effect.map(keep),
        Effect.let('a', () => 1),
        Effect.map(keep),
        Effect.apS('b', Effect.succeed(2))
      )
      expect(value(program)).to.deep.equal({ a: 1, b: 2 })
      expect(seen).to.deep.equal([{}, { a: 1 }])
    })
  })

  describe('environment', () => {
    interface Db {
      readonly db: string
    }
    interface Log {
      readonly log: string
    }

    it('ask gives all of it, asks a part', () => {
      expect(value(pipe(Effect.ask<Db>(), Effect.provide({ db: 'x' })))).to.deep.equal({ db: 'x' })
      expect(
        value(
          pipe(
            Effect.asks((env: Db) => env.db),
            Effect.provide({ db: 'x' })
          )
        )
      ).to.equal('x')
    })

    it('is empty at the root', () => {
      expect(value(Effect.ask<{}>())).to.deep.equal({})
    })

    it('provide gives some services, and the rest is still asked from outside', () => {
      const both = Effect.asks((env: Db & Log) => env.db + env.log)
      const program = pipe(both, Effect.provide({ db: 'd' }), Effect.provide({ log: 'l' }))
      expect(value(program)).to.equal('dl')
      expect(value(pipe(both, Effect.provide({ log: 'l' }), Effect.provide({ db: 'd' })))).to.equal('dl')
    })

    it('of two provisions of the same service the inner one is seen', () => {
      const program = pipe(
        Effect.asks((env: Db) => env.db),
        Effect.provide({ db: 'inner' }),
        Effect.provide({ db: 'outer' })
      )
      expect(value(program)).to.equal('inner')
    })

    it('provide holds for its effect only, however that ends', () => {
      const db = Effect.asks((env: Db) => env.db)
      const program = Effect.gen(function* () {
        const before = yield* db
        const inner = yield* pipe(db, Effect.provide({ db: 'inner' }))
        yield* pipe(Effect.fail('a'), Effect.provide({ db: 'inner' }), Effect.option)
        yield* pipe(Effect.die('b'), Effect.provide({ db: 'inner' }), Effect.exit)
        return [before, inner, yield* db]
      })
      expect(value(pipe(program, Effect.provide({ db: 'outer' })))).to.deep.equal(['outer', 'inner', 'outer'])
    })

    it('provide copies nothing into the record that was given', () => {
      const given = { db: 'd' }
      value(pipe(Effect.unit, Effect.provide({ log: 'l' }), Effect.provide(given)))
      expect(given).to.deep.equal({ db: 'd' })
    })

    it('local makes the environment out of the one outside, and only that', () => {
      const program = pipe(
        Effect.ask<Db>(),
        Effect.local((env: Log) => ({ db: env.log.toUpperCase() })),
        Effect.provide({ log: 'l' })
      )
      expect(value(program)).to.deep.equal({ db: 'L' })
      const around = Effect.gen(function* () {
        yield* pipe(
          Effect.fail('a'),
          Effect.local((env: Db) => env),
          Effect.option
        )
        yield* pipe(
          Effect.unit,
          Effect.local((_: Db) => ({ other: 1 }))
        )
        return yield* Effect.ask<Db>()
      })
      expect(value(pipe(around, Effect.provide({ db: 'd' })))).to.deep.equal({ db: 'd' })
    })

    it('a finalizer outside of provide does not see it, one inside does', () => {
      const seen: Array<string> = []
      const see = Effect.asks((env: Db) => {
        seen.push(env.db)
      })
      value(
        pipe(
          Effect.unit,
          Effect.ensuring(see),
          Effect.provide({ db: 'in' }),
          Effect.ensuring(see),
          Effect.provide({ db: 'out' })
        )
      )
      expect(seen).to.deep.equal(['in', 'out'])
    })

    it('children and arms have that of their spawner', () => {
      const db = Effect.asks((env: Db) => env.db)
      const program = TaskGroup.open()((group) =>
        Effect.gen(function* () {
          const one = yield* group.spawn(db)
          const two = yield* pipe(group.spawn(db), Effect.provide({ db: 'inner' }))
          const arms = yield* Concurrent.all([pipe(Effect.yieldNow, Effect.andThen(db)), db])
          return [yield* Effect.orDie(one.join), yield* Effect.orDie(two.join), ...arms]
        })
      )
      expect(value(pipe(program, Effect.provide({ db: 'd' })))).to.deep.equal(['d', 'inner', 'd', 'd'])
    })
  })

  describe('collections', () => {
    const half = (n: number): Fx<number, string> =>
      n % 2 === 0 ? Effect.succeed(n / 2) : Effect.fail(`odd ${n}`)

    it('traverseArray and sequenceArray run one after the other and keep the order', () => {
      const log = trace()
      const program = Effect.traverseArray((n: number) =>
        pipe(Effect.sleep(10 - n), Effect.andThen(log.at(`${n}`)), Effect.as(n * 2))
      )([1, 2, 3])
      expect(value(program)).to.deep.equal([2, 4, 6])
      expect(log.lines).to.deep.equal(['1@0', '2@8', '3@15'])
      expect(value(Effect.sequenceArray([Effect.succeed(1), Effect.succeed('b')]))).to.deep.equal([1, 'b'])
      expect(value(Effect.sequenceArray([]))).to.deep.equal([])
    })

    it('the first failure ends them', () => {
      const seen: Array<number> = []
      const see = (n: number) => {
        seen.push(n)
        return half(n)
      }
      expect(run(Effect.traverseArray(see)([2, 3, 4]))).to.equal('Fail odd 3')
      expect(run(Effect.forEach(see)([2, 5, 4]))).to.equal('Fail odd 5')
      expect(seen).to.deep.equal([2, 3, 2, 5])
    })

    it('each run has values of its own', () => {
      const fx = Effect.traverseArray(half)([2, 4])
      const one = value(fx)
      expect(value(fx)).to.deep.equal([1, 2])
      expect(one).to.deep.equal([1, 2])
    })

    it('forEach takes any iterable and closes it when a turn fails', () => {
      let closed = 0
      function* numbers() {
        try {
          yield 2
          yield 3
          yield 4
        } finally {
          closed++
        }
      }
      expect(run(Effect.suspend(() => Effect.forEach(half)(numbers())))).to.equal('Fail odd 3')
      expect(closed).to.equal(1)
      const sum: Array<number> = []
      expect(run(Effect.forEach((n: number) => Effect.sync(() => sum.push(n)))(new Set([1, 2])))).to.equal(
        'ok undefined'
      )
      expect(sum).to.deep.equal([1, 2])
    })

    it('an iterable that throws is a defect, also when it throws on being closed', () => {
      const iterable = (next: () => IteratorResult<number>): Iterable<number> => ({
        [Symbol.iterator]: () => ({ next, return: thrower })
      })
      expect(run(Effect.forEach(half)({ [Symbol.iterator]: thrower }))).to.equal('Die bug')
      expect(run(Effect.forEach(half)(iterable(() => ({ done: false, value: 1 }))))).to.equal(
        'Then(Fail odd 1, Die bug)'
      )
    })

    it('struct and tuple keep keys and places', () => {
      expect(value(Effect.struct({ a: half(2), b: Effect.succeed('x') }))).to.deep.equal({ a: 1, b: 'x' })
      expect(value(Effect.struct({}))).to.deep.equal({})
      expect(run(Effect.struct({ a: half(1), b: half(3) }))).to.equal('Fail odd 1')
      const pair: readonly [number, string] = value(Effect.tuple([half(2), Effect.succeed('x')]))
      expect(pair).to.deep.equal([1, 'x'])
    })
  })

  describe('with stock functions of fp-ts', () => {
    const slow = (ms: number): Fx<number> => pipe(Effect.sleep(ms), Effect.as(ms))

    it('Functor: flap, bindTo', () => {
      expect(
        value(Functor.flap(Effect.Functor)(2)(Effect.succeed((n: number) => n * 3)) as Fx<number>)
      ).to.equal(6)
      expect(value(Functor.bindTo(Effect.Functor)('a')(Effect.succeed(1)) as Fx<object>)).to.deep.equal({
        a: 1
      })
    })

    it('Apply.sequenceS and sequenceT: ApplySeq takes the sum of the times, ApplyPar the longest', () => {
      const fields = { a: slow(10), b: slow(20), c: slow(30) }
      expect(value(Apply.sequenceS(Effect.ApplySeq)(fields))).to.deep.equal({ a: 10, b: 20, c: 30 })
      expect(value(Apply.sequenceS(Effect.ApplyPar)(fields))).to.deep.equal({ a: 10, b: 20, c: 30 })
      expect(timed(Apply.sequenceS(Effect.ApplySeq)(fields))[1]).to.equal(60)
      expect(timed(Apply.sequenceS(Effect.ApplyPar)(fields))[1]).to.equal(30)
      expect(value(Apply.sequenceT(Effect.ApplyPar)(slow(1), slow(2)))).to.deep.equal([1, 2])
    })

    it('ReadonlyArray.traverse with ApplicativeSeq and ApplicativePar', () => {
      const numbers = RA.makeBy(50, (i) => i)
      const seq = pipe(numbers, RA.traverse(Effect.ApplicativeSeq)(slow))
      const par = pipe(numbers, RA.traverse(Effect.ApplicativePar)(slow))
      expect(value(seq)).to.deep.equal(numbers)
      expect(value(par)).to.deep.equal(numbers)
      expect([timed(seq)[1], timed(par)[1]]).to.deep.equal([49 * 25, 49])
      expect(value(RA.sequence(Effect.ApplicativePar)([]))).to.deep.equal([])
    })

    it('ApplicativePar: a failure cancels the other side, and both failures are kept', () => {
      const log = trace()
      const cancelled: Fx<number, string> = pipe(slow(100), Effect.onCancel(log.at('cancelled')))
      const program = pipe(
        log.at('start'),
        Effect.andThen(
          Apply.sequenceT(Effect.ApplyPar)(cancelled, pipe(slow(5), Effect.andThen(Effect.fail('a'))))
        )
      )
      expect(run(program)).to.equal('Fail a')
      expect(log.lines).to.deep.equal(['start@0', 'cancelled@5'])
      const failing = (name: string) =>
        pipe(slow(5), Effect.andThen(Effect.fail(name)), Effect.ensuring(Effect.fail(`${name}!`)))
      expect(run(Apply.sequenceT(Effect.ApplyPar)(failing('a'), failing('b')))).to.match(
        /^Both\(Then\(Fail (a|b), Fail \1!\), (Then\(Fail (a|b), )?Fail (a|b)!\)?\)$/
      )
    })

    it('ReadonlyRecord, Option and Either traverse with it', () => {
      expect(value(RR.traverse(Effect.ApplicativeSeq)(slow)({ a: 1, b: 2 }))).to.deep.equal({
        a: 1,
        b: 2
      })
      expect(value(O.traverse(Effect.ApplicativeSeq)(slow)(O.some(1)))).to.deep.equal(O.some(1))
      expect(value(E.traverse(Effect.ApplicativeSeq)(slow)(E.left('a')))).to.deep.equal(E.left('a'))
    })

    it('Chain: chainFirst and bind', () => {
      const log = trace()
      const first = Chain.chainFirst(Effect.Chain)((n: number) => log.add(`saw ${n}`))
      expect(value(first(Effect.succeed(1)) as Fx<number>)).to.equal(1)
      expect(log.lines).to.deep.equal(['saw 1'])
      const bound = Chain.bind(Effect.Chain)('b', ({ a }: { a: number }) => Effect.succeed(a + 1))
      expect(value(bound(Effect.succeed({ a: 1 })) as Fx<object>)).to.deep.equal({ a: 1, b: 2 })
    })

    it('Monad, MonadIO, MonadTask and MonadThrow', async () => {
      expect(value(Effect.Monad.chain(Effect.Monad.of(1), (n) => Effect.Monad.of(n + 1)))).to.equal(2)
      expect(value(Effect.MonadIO.fromIO(() => 1))).to.equal(1)
      expect(await Runtime.runPromise(Effect.MonadTask.fromTask(async () => 1))).to.equal(1)
      expect(run(Effect.MonadThrow.throwError('a'))).to.equal('Fail a')
      const checked = pipe(
        RA.makeBy(3, (i) => i),
        RA.traverse(Effect.MonadThrow)((n) =>
          n < 2 ? Effect.MonadThrow.of(n) : Effect.MonadThrow.throwError(`${n}`)
        )
      )
      expect(run(checked)).to.equal('Fail 2')
    })

    it('FromEither, FromIO, FromTask and FromReader', async () => {
      expect(
        run(FromEither.fromOption(Effect.FromEither)(() => 'none')(O.none) as Fx<never, string>)
      ).to.equal('Fail none')
      expect(value(FromIO.fromIOK(Effect.FromIO)((n: number) => () => n + 1)(1) as Fx<number>)).to.equal(2)
      const task = FromTask.fromTaskK(Effect.FromTask)((n: number) => async () => n + 1)(1)
      expect(await Runtime.runPromise(task as Fx<number>)).to.equal(2)
      const asked = FromReader.asks(Effect.FromReader)((env: { readonly n: number }) => env.n + 1)
      expect(
        value(pipe(asked as Effect.Effect<{ readonly n: number }, never, number>, Effect.provide({ n: 1 })))
      ).to.equal(2)
    })

    it('Alt: altAll takes the first success, and makes no alternative before it is needed', () => {
      const never: Fx<number, string> = Effect.sync(() => {
        throw new Error('tried')
      })
      const all = Alt.altAll(Effect.Alt)<unknown, string, number>(Effect.fail('a'))
      expect(run(all([Effect.fail('b'), Effect.succeed(1), never]))).to.equal('ok 1')
      expect(run(all([Effect.fail('b')]))).to.equal('Fail b')
      expect(run(Effect.Alt.alt(Effect.succeed(1), thrower))).to.equal('ok 1')
      expect(run(Effect.Alt.alt(Effect.die('bug'), () => Effect.succeed(1)))).to.equal('Die bug')
    })

    it('Bifunctor: bimap and mapLeft', () => {
      const up = (s: string) => s.toUpperCase()
      const failed: Fx<number, string> = Effect.fail('a')
      expect(run(Effect.Bifunctor.bimap(failed, up, String))).to.equal('Fail A')
      expect(run(Effect.Bifunctor.bimap(Effect.succeed(1), up, (n) => n + 1))).to.equal('ok 2')
      expect(run(Effect.Bifunctor.mapLeft(failed, up))).to.equal('Fail A')
    })

    it('getSemigroup and getMonoid: one after the other', () => {
      const log = trace()
      const text = (s: string): Fx<string> => pipe(log.add(s), Effect.as(s))
      const monoid = Effect.getMonoid<unknown, never, string>(S.Monoid)
      const program = [text('a'), text('b'), text('c')].reduce(monoid.concat, monoid.empty)
      expect(value(program)).to.equal('abc')
      expect(log.lines).to.deep.equal(['a', 'b', 'c'])
      const sum = Effect.getSemigroup<unknown, string, number>(N.SemigroupSum)
      expect(run(sum.concat(Effect.succeed(1), Effect.succeed(2)))).to.equal('ok 3')
      expect(run(sum.concat(Effect.fail('a'), Effect.die('not run')))).to.equal('Fail a')
    })

    it('a whole program of them, generic in the applicative', () => {
      interface Store {
        readonly get: (key: string) => O.Option<number>
      }
      const get = (key: string): Effect.Effect<Store, string, number> =>
        pipe(
          Effect.asks((store: Store) => store.get(key)),
          Effect.flatMap(flow(Effect.fromOption(() => `no ${key}`)))
        )
      const total = (F: typeof Effect.ApplicativeSeq) =>
        flow(RA.traverse(F)(get), (fx: Effect.Effect<Store, string, ReadonlyArray<number>>) =>
          pipe(fx, Effect.map(RA.reduce(0, (a, b) => a + b)))
        )
      const store: Store = { get: (key) => RR.lookup(key)({ a: 1, b: 2 }) }
      for (const F of [Effect.ApplicativeSeq, Effect.ApplicativePar]) {
        expect(run(pipe(['a', 'b'], total(F), Effect.provide(store)))).to.equal('ok 3')
        expect(run(pipe(['a', 'x'], total(F), Effect.provide(store)))).to.equal('Fail no x')
      }
    })
  })
})
