/**
 * Side by side: all, the first, a bounded number at a time. All leave nothing behind.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { sequenceS, sequenceT } from 'fp-ts/lib/Apply.js'
import { pipe } from 'fp-ts/lib/function.js'
import { concatAll } from 'fp-ts/lib/Monoid.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { CancelScope, Cause, Concurrent, Effect, type Exit, FiberLocal, TaskGroup, Timeout } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import {
  cancellationsOf,
  defectOf,
  expectAll,
  type Fx,
  type Log,
  observe,
  observeAll,
  outcomes,
  show
} from '../support/seeds.js'

const { sleep, sync, gen } = Effect

const after = <R, E, A>(ms: number, fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
  Effect.andThen(fx)(sleep(ms))
const value = <A>(ms: number, a: A): Fx<A> => after(ms, Effect.succeed(a))

/** Notes its beginning, its end and its cancellation. */
const noted =
  (log: Log, name: string) =>
  <E, A>(fx: Fx<A, E>): Fx<A, E> =>
    pipe(
      log(`${name} begins`),
      Effect.andThen(fx),
      Effect.onExit((exit) => log(`${name} ${exit._tag === 'Right' ? 'ends' : show(exit)}`))
    )

/** All that runs a list of effects to the end of all of them. */
const alls: ReadonlyArray<
  readonly [string, <E>(fxs: ReadonlyArray<Fx<unknown, E>>, n?: number) => Fx<unknown, unknown>]
> = [
  ['all', (fxs, n) => Concurrent.all([...fxs], n === undefined ? {} : { concurrency: n })],
  [
    'all of a record',
    (fxs, n) =>
      Concurrent.all(
        Object.fromEntries(fxs.map((fx, i) => [`k${i}`, fx])),
        n === undefined ? {} : { concurrency: n }
      )
  ],
  [
    'traverse',
    (fxs, n) =>
      Concurrent.traverse((fx: Fx<unknown, unknown>) => fx, n === undefined ? {} : { concurrency: n })(fxs)
  ],
  [
    'forEach',
    (fxs, n) =>
      Concurrent.forEach((fx: Fx<unknown, unknown>) => fx, n === undefined ? {} : { concurrency: n })(fxs)
  ],
  [
    'validate',
    (fxs, n) =>
      Concurrent.validate((fx: Fx<unknown, unknown>) => fx, n === undefined ? {} : { concurrency: n })(fxs)
  ],
  [
    'getApplicativePar',
    (fxs, n) => pipe(fxs, RA.sequence(Concurrent.getApplicativePar(n ?? Infinity)) as never)
  ]
]

/** Those that a single typed failure ends. */
const failFast = alls.filter(([name]) => name !== 'validate')

/** All that give the first of a list of effects. */
const firsts: ReadonlyArray<readonly [string, <E, A>(fxs: ReadonlyArray<Fx<A, E>>) => Fx<A, E>]> = [
  ['race', <E, A>(fxs: ReadonlyArray<Fx<A, E>>) => fxs.reduce((x, y) => Concurrent.race(y)(x))],
  ['raceAll', (fxs) => Concurrent.raceAll(fxs)],
  ['firstSuccess', (fxs) => Concurrent.firstSuccess(fxs)],
  [
    'getRaceMonoid',
    <E, A>(fxs: ReadonlyArray<Fx<A, E>>) => concatAll(Concurrent.getRaceMonoid<unknown, E, A>())(fxs)
  ]
]

describe('Concurrent', () => {
  describe('all of them', () => {
    it('CC-01 the values are in the order of the arguments, whichever ends first, with their types', () => {
      expectAll(
        () =>
          gen(function* () {
            const tuple: readonly [string, number, boolean] = yield* Concurrent.all([
              value(3, 'a'),
              value(2, 1),
              value(1, true)
            ])
            const record: { readonly x: string; readonly y: number } = yield* Concurrent.all({
              x: value(2, 'x'),
              y: value(1, 2)
            })
            return [tuple, record]
          }),
        { exit: 'ok([["a",1,true],{"x":"x","y":2}])', took: 5 }
      )
      expectAll(() => Concurrent.both(value(1, 'b'))(value(2, 'a')), { exit: 'ok(["a","b"])', took: 2 })
    })

    it('CC-03 nothing gives nothing, at once', () => {
      const empties: ReadonlyArray<readonly [Fx<unknown, unknown>, string]> = [
        [Concurrent.all([]), 'ok([])'],
        [Concurrent.all({}), 'ok({})'],
        [Concurrent.traverse(() => Effect.unit)([]), 'ok([])'],
        [Concurrent.forEach(() => Effect.unit)([]), 'ok()'],
        [Concurrent.validate(() => Effect.unit)([]), 'ok([])'],
        [pipe([], RA.sequence(Concurrent.getApplicativePar(2))), 'ok([])']
      ]
      for (const [fx, exit] of empties) {
        expectAll(
          (log) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                yield* group.spawn(log('other'))
                const result = yield* fx
                yield* log('no yield')
                return result
              })
            ),
          { exit, log: ['no yield@0', 'other@0'] }
        )
      }
    })

    it('CC-04 traverse keeps the order of its inputs, and a failure cancels the rest', () => {
      expectAll(
        () =>
          pipe(
            [3, 1, 2],
            Concurrent.traverse((n) => value(n, n * 10))
          ),
        {
          exit: 'ok([30,10,20])',
          took: 3
        }
      )
      expectAll(
        (log) =>
          pipe(
            [3, 1, 2],
            Concurrent.traverse((n) =>
              noted(log, `${n}`)(after(n, n === 1 ? Effect.fail('no') : Effect.succeed(n)))
            )
          ),
        {
          exit: 'Fail(no)',
          lines: ['3 begins@0', '1 begins@0', '2 begins@0', '1 Fail(no)@1', '2 Cancelled@1', '3 Cancelled@1'],
          took: 1
        }
      )
    })

    it('arms start inline and in order, up to their first wait, before anything else runs', () => {
      for (const [name, all] of alls) {
        expectAll(
          (log) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                yield* group.spawn(log('other'))
                yield* all(['a', 'b', 'c'].map((arm) => noted(log, arm)(sleep(1))))
                yield* log(name)
              })
            ),
          {}
        )
        for (const { log } of observeAll((log) =>
          TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              yield* group.spawn(log('other'))
              yield* all(['a', 'b', 'c'].map((arm) => noted(log, arm)(sleep(1))))
            })
          )
        )) {
          expect(log.slice(0, 4), name).to.deep.equal(['a begins@0', 'b begins@0', 'c begins@0', 'other@0'])
        }
      }
    })

    it('arms that end without waiting cost no yield', () => {
      for (const [name, all] of alls) {
        expectAll(
          (log) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                yield* group.spawn(log('other'))
                yield* all([Effect.succeed(1), Effect.unit, Effect.succeed(2)])
                yield* log(name)
              })
            ),
          { log: [`${name}@0`, 'other@0'] }
        )
      }
    })

    it('an arm that fails without waiting: those after it never start', () => {
      for (const [, all] of failFast) {
        expectAll((log) => all([log('a'), Effect.fail('no'), log('not reached')]), {
          exit: 'Fail(no)',
          log: ['a@0']
        })
      }
    })

    it('a failure cancels the others, which are awaited; what fails in their clean-up joins', () => {
      for (const [, all] of failFast) {
        expectAll(
          (log) =>
            all([
              Effect.ensuring(after(5, log('cleaned')))(Effect.never),
              after(2, Effect.fail('first')),
              Effect.ensuring(Effect.fail('clean-up'))(Effect.never)
            ]),
          { exit: 'Both(Fail(first), Fail(clean-up))', log: ['cleaned@7'], took: 7 }
        )
      }
    })

    it('several failures are joined by Both, each once, in the order they came; a defect is like a failure', () => {
      for (const [, all] of failFast) {
        expectAll(
          () =>
            all([
              Timeout.shielded(after(3, Effect.fail('3'))),
              Timeout.shielded(after(1, Effect.die('1'))),
              Timeout.shielded(after(2, Effect.fail('2')))
            ]),
          { exit: 'Both(Both(Die(1), Fail(2)), Fail(3))' }
        )
      }
    })

    it('the losers see the failure as the reason SiblingFailed', () => {
      let seen: Cause.Cancelled | undefined
      observe(() =>
        pipe(
          [0, 1],
          Concurrent.traverse((n) =>
            n === 0
              ? Effect.onExit((exit) =>
                  sync(() => {
                    seen = cancellationsOf(exit)[0]
                  })
                )(sleep(100))
              : after(1, Effect.fail('no'))
          )
        )
      )
      expect(seen?.reason).to.deep.equal({
        _tag: 'SiblingFailed',
        task: 'traverse[1]',
        cause: Cause.fail('no')
      })
    })

    it('outer cancellation reaches every arm, waits for their clean-up, and passes as one Cancelled', () => {
      for (const [, all] of alls) {
        expectAll(
          (log) =>
            pipe(
              all([1, 2, 3].map((n) => Effect.ensuring(after(n, log(`${n}`)))(Effect.never))),
              Effect.onExit((exit) => log(`${show(exit)} ${cancellationsOf(exit).length}`)),
              Timeout.moveOnAfter(5)
            ),
          { exit: 'ok(None)', log: ['1@6', '2@7', '3@8', 'Cancelled 1@8'] }
        )
      }
    })

    it('in a scope that is cancelled already the first arm runs to its first checkpoint, and no more start', () => {
      for (const [name, all] of alls) {
        expectAll(
          (log) =>
            CancelScope.open((scope) =>
              pipe(
                scope.cancel(),
                Effect.andThen(all([noted(log, 'a')(sleep(1)), noted(log, 'b')(sleep(1))])),
                Effect.andThen(log(`${name} not reached`))
              )
            ),
          { exit: 'ok(None)', log: ['a begins@0', 'a Cancelled@0'] }
        )
      }
    })

    it('arms that end with values in a cancelled scope give their values', () => {
      for (const [, all] of alls) {
        expectAll(
          () =>
            CancelScope.open((scope) =>
              pipe(scope.cancel(), Effect.andThen(all([Effect.succeed(1)])), Effect.as('values'))
            ),
          { exit: 'ok(Some(values))' }
        )
      }
    })

    it('each arm has its own copy of the fiber-locals, and inherits the environment', () => {
      const local = FiberLocal.make(0)
      for (const [, all] of alls) {
        expectAll(
          (log) =>
            local.locally(7)(
              gen(function* () {
                yield* all(
                  [1, 2].map((n) =>
                    gen(function* () {
                      const before = yield* local.get
                      yield* local.set(n)
                      yield* sleep(1)
                      yield* log(`${before} ${yield* local.get}`)
                    })
                  )
                )
                return yield* local.get
              })
            ),
          { exit: 'ok(7)', lines: ['7 1@1', '7 2@1'] }
        )
      }
      expectAll(
        () =>
          pipe(
            [1, 2],
            Concurrent.traverse((n) => Effect.asks((env: { readonly k: number }) => env.k * n)),
            Effect.provide({ k: 3 })
          ),
        { exit: 'ok([3,6])' }
      )
    })
  })

  describe('concurrency', () => {
    const peak = (n: number | undefined, times: ReadonlyArray<number>) => {
      const seen: Array<readonly [string, number, string]> = []
      for (const [name, all] of alls) {
        let now = 0
        let most = 0
        const { shown } = observe(() =>
          all(
            times.map((ms) =>
              Effect.bracket(
                sync(() => {
                  most = Math.max(most, ++now)
                }),
                () => sleep(ms),
                () =>
                  sync(() => {
                    now--
                  })
              )
            ),
            n
          )
        )
        seen.push([name, most, shown])
      }
      return seen
    }

    it('CC-09 at most so many run at a time, and so many do', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 6 }),
          fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }),
          (n, times) => {
            for (const [name, most, shown] of peak(n, times)) {
              expect(shown, name).to.match(/^ok/)
              expect(most, name).to.equal(Math.min(n, times.length))
            }
          }
        ),
        { numRuns: 100 }
      )
    })

    it('without a bound all run at once', () => {
      for (const [name, most] of peak(undefined, [1, 2, 3, 4, 5])) expect(most, name).to.equal(5)
    })

    it('arms are started in order as there is room', () => {
      for (const [, all] of alls) {
        expectAll(
          (log) =>
            all(
              [3, 1, 1, 1].map((ms, i) => Effect.andThen(sleep(ms))(log(`${i}`))),
              2
            ),
          { log: ['0@0', '1@0', '2@1', '3@2'], took: 3 }
        )
      }
    })

    it('a bound of 1 is one after the other', () => {
      for (const [, all] of alls) {
        expectAll(
          (log) =>
            all(
              [2, 1].map((ms) => noted(log, `${ms}`)(sleep(ms))),
              1
            ),
          {
            log: ['2 begins@0', '2 ends@2', '1 begins@2', '1 ends@3']
          }
        )
      }
    })

    it('after a failure no more start', () => {
      for (const [, all] of failFast) {
        expectAll(
          (log) => all([after(1, Effect.fail('no')), sleep(5), log('not reached'), log('not reached')], 2),
          { exit: 'Fail(no)', log: [] }
        )
      }
    })

    it('after a cancellation from outside no more start', () => {
      for (const [, all] of alls) {
        expectAll(
          (log) =>
            Timeout.moveOnAfter(5)(
              all(
                [1, 2, 3, 4].map((n) => noted(log, `${n}`)(Effect.never)),
                2
              )
            ),
          {
            exit: 'ok(None)',
            lines: ['1 begins@0', '2 begins@0', '1 Cancelled@5', '2 Cancelled@5']
          }
        )
      }
    })

    it('an arm that waits for its place in a cancelled scope does not begin, also when those before it end well', () => {
      for (const [, all] of alls) {
        expectAll(
          (log) =>
            pipe(
              all(
                [1, 2, 3].map((n) => noted(log, `${n}`)(Timeout.shielded(sleep(10)))),
                2
              ),
              Timeout.moveOnAfter(5)
            ),
          { exit: 'ok(None)', lines: ['1 begins@0', '2 begins@0', '1 ends@10', '2 ends@10'] }
        )
      }
    })

    it('a bound that is 0, negative or NaN is a defect that says so, also when there is nothing to do', () => {
      for (const n of [0, -1, NaN]) {
        for (const [name, all] of alls) {
          for (const fxs of [[Effect.unit], []]) {
            if (fxs.length === 0 && name === 'getApplicativePar') continue
            const { exit } = observe(() => all(fxs, n))
            expect(defectOf(exit), name).to.match(
              new RegExp(`^RangeError: The concurrency of .* must be at least 1, but is ${n}`)
            )
          }
        }
      }
    })

    it('100,000 items through a bound of 10 need no stack', () => {
      const items = Array.from({ length: 100_000 }, (_, i) => i)
      let sum = 0
      const { shown } = observe(() =>
        pipe(
          items,
          Concurrent.forEach((i) => Effect.andThen(sync(() => (sum += i)))(Effect.yieldNow), {
            concurrency: 10
          })
        )
      )
      expect(shown).to.equal('ok()')
      expect(sum).to.equal((100_000 * 99_999) / 2)
    }).timeout(20_000)
  })

  describe('traverse and forEach', () => {
    const mappers: ReadonlyArray<
      readonly [
        string,
        (f: (n: number) => Fx<unknown, string>) => (ns: ReadonlyArray<number>) => Fx<unknown, unknown>
      ]
    > = [
      ['traverse', (f) => Concurrent.traverse(f)],
      ['forEach', (f) => Concurrent.forEach(f)],
      ['validate', (f) => Concurrent.validate(f)]
    ]

    it('a mapper that throws is a defect; what runs is cancelled and awaited', () => {
      for (const [, mapper] of mappers) {
        expectAll(
          (log) =>
            pipe(
              [1, 2, 3],
              mapper((n) => {
                if (n === 2) throw new Error('mapper')
                return noted(log, `${n}`)(Effect.ensuring(sleep(5))(Effect.never))
              })
            ),
          { exit: 'Die(Error: mapper)', log: ['1 begins@0', '1 Cancelled@5'], took: 5 }
        )
      }
    })

    it('a mapper that throws when there is room for the next', () => {
      expectAll(
        () =>
          pipe(
            [1, 2, 3],
            Concurrent.traverse(
              (n) => {
                if (n === 3) throw new Error('mapper')
                return sleep(n * 10)
              },
              { concurrency: 2 }
            )
          ),
        { exit: 'Die(Error: mapper)', took: 10 }
      )
    })

    it('a mapper that gives no effect is a defect', () => {
      for (const [name, mapper] of mappers) {
        const { exit } = observe(() => mapper(() => 42 as never)([1]))
        expect(defectOf(exit), name).to.match(/^TypeError: Expected an Effect, but got 42/)
      }
    })

    it('the description can run twice, and does the work twice', () => {
      const calls: Array<number> = []
      const program = pipe(
        [1, 2],
        Concurrent.traverse((n) => sync(() => calls.push(n)))
      )
      expectAll(() => Effect.andThen(program)(program), { exit: 'ok([3,4])' }, 1)
      expect(calls).to.deep.equal([1, 2, 1, 2])
    })

    it('forEach takes items as there is room, from any iterable, and closes it at the end', () => {
      expectAll(
        (log) => {
          const taken: Array<string> = []
          function* items() {
            try {
              for (let i = 0; i < 3; i++) {
                taken.push(`take ${i}`)
                yield i
              }
            } finally {
              taken.push('closed')
            }
          }
          return pipe(
            items(),
            Concurrent.forEach((i) => Effect.andThen(sleep(10))(log(`${i}: ${taken.join(' ')}`)), {
              concurrency: 2
            }),
            Effect.andThen(Effect.suspend(() => log(taken.join(' '))))
          )
        },
        {
          lines: [
            '0: take 0@0',
            '1: take 0 take 1@0',
            '2: take 0 take 1 take 2@10',
            'take 0 take 1 take 2 closed@20'
          ]
        },
        1
      )
    })

    it('forEach over an endless iterable ends when something ends it, and closes the iterable', () => {
      const endless = (note: () => void) =>
        (function* () {
          try {
            for (let i = 0; ; i++) yield i
          } finally {
            note()
          }
        })()
      for (const concurrency of [1, 3]) {
        let closed = 0
        const count = () => {
          closed++
        }
        expectAll(
          () =>
            pipe(
              Effect.suspend(() => Concurrent.forEach(() => sleep(1), { concurrency })(endless(count))),
              Timeout.moveOnAfter(10)
            ),
          { exit: 'ok(None)', took: 10 },
          4
        )
        expectAll(
          () =>
            Concurrent.forEach((i: number) => after(1, i < 5 ? Effect.unit : Effect.fail('enough')), {
              concurrency
            })(endless(count)),
          { exit: 'Fail(enough)' },
          4
        )
        expect(closed).to.equal(8)
      }
    })

    it('an iterable that throws is a defect, and what runs is cancelled', () => {
      expectAll(
        (log) =>
          Concurrent.forEach((n: number) => noted(log, `${n}`)(Effect.never))(
            (function* () {
              yield 1
              throw new Error('iterable')
            })()
          ),
        { exit: 'Die(Error: iterable)', log: ['1 begins@0', '1 Cancelled@0'] }
      )
    })
  })

  describe('validate', () => {
    it('collects all typed failures in the order of the inputs, and stops nobody', () => {
      expectAll(
        (log) =>
          pipe(
            [3, 2, 1],
            Concurrent.validate((n) =>
              Effect.andThen(n === 2 ? log('fine') : Effect.fail(`no ${n}`))(sleep(n))
            )
          ),
        { exit: 'Fail(["no 3","no 1"])', log: ['fine@2'], took: 3 }
      )
    })

    it('gives the values when nothing failed', () => {
      expectAll(
        () =>
          pipe(
            [2, 1],
            Concurrent.validate((n) => value(n, n))
          ),
        { exit: 'ok([2,1])' }
      )
    })

    it('a defect still cancels the rest; the failures so far are kept', () => {
      expectAll(
        (log) =>
          pipe(
            [1, 2, 3],
            Concurrent.validate((n) =>
              n === 1
                ? after(1, Effect.fail('one'))
                : n === 2
                  ? after(2, Effect.die('bug'))
                  : Effect.onCancel(log('cancelled'))(Effect.never)
            )
          ),
        { log: ['cancelled@2'], took: 2 }
      )
      const { exit } = observe(() =>
        pipe(
          [1, 2],
          Concurrent.validate((n) => after(n, n === 1 ? Effect.fail('one') : Effect.die('bug')))
        )
      )
      if (exit._tag === 'Right') throw new Error('it ought to fail')
      expect(Cause.failures(exit.left)).to.deep.equal([['one']])
      expect(Cause.defects(exit.left)).to.deep.equal(['bug'])
    })

    it('of an arm that fails several times all failures count, and its defects too', () => {
      expectAll(
        () =>
          pipe(
            [1],
            Concurrent.validate(() => Effect.ensuring(Effect.fail('two'))(Effect.fail('one')))
          ),
        { exit: 'Fail(["one","two"])' }
      )
    })
  })

  describe('asCompleted', () => {
    it('CC-05 the exits come in the order in which the effects end, with their places', () => {
      expectAll(
        (log) =>
          pipe(
            [value(3, 'a'), value(1, 'b'), after(2, Effect.fail('c'))] as ReadonlyArray<Fx<string, string>>,
            Concurrent.asCompleted((exit: Exit.Exit<string, string>, index) => log(`${index} ${show(exit)}`))
          ),
        { exit: 'ok()', log: ['1 ok(b)@1', '2 Fail(c)@2', '0 ok(a)@3'] }
      )
    })

    it('CC-07 of nothing ends at once, and calls nothing', () => {
      expectAll((log) => Concurrent.asCompleted(() => log('not reached'))([]), {
        exit: 'ok()',
        log: [],
        took: 0
      })
    })

    it('handles one at a time, while the others go on', () => {
      expectAll(
        (log) =>
          pipe(
            [1, 2, 3].map((n) => value(n, n)),
            Concurrent.asCompleted((_, index) =>
              pipe(log(`${index} handled`), Effect.andThen(sleep(10)), Effect.andThen(log(`${index} done`)))
            )
          ),
        {
          log: ['0 handled@1', '0 done@11', '1 handled@11', '1 done@21', '2 handled@21', '2 done@31'],
          took: 31
        }
      )
    })

    it('effects that end without waiting are all handled', () => {
      expectAll(
        (log) =>
          pipe(
            [Effect.succeed(1), Effect.succeed(2)],
            Concurrent.asCompleted((exit) => log(show(exit)))
          ),
        { log: ['ok(1)@0', 'ok(2)@0'] }
      )
    })

    it('a failure of the handler cancels what still runs', () => {
      expectAll(
        (log) =>
          pipe(
            [value(1, 'a'), Effect.onCancel(log('cancelled'))(Effect.never)],
            Concurrent.asCompleted(() => Effect.fail('handler'))
          ),
        { exit: 'Fail(handler)', log: ['cancelled@1'], took: 1 }
      )
    })

    it('a handler that throws is a defect', () => {
      expectAll(
        () =>
          pipe(
            [value(1, 'a'), Effect.never],
            Concurrent.asCompleted((): Fx<void> => {
              throw new Error('handler')
            })
          ),
        { exit: 'Die(Error: handler)' }
      )
    })

    it('outer cancellation ends everything, and the handler is not called for it', () => {
      expectAll(
        (log) =>
          pipe(
            [value(1, 'a'), Effect.never as Fx<string>],
            Concurrent.asCompleted((exit) => log(show(exit))),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: ['ok(a)@1'] },
        40
      )
    })

    it('with a bound', () => {
      expectAll(
        (log) =>
          pipe(
            [2, 1, 1].map((ms) => value(ms, ms)),
            Concurrent.asCompleted((_, index) => log(`${index}`), { concurrency: 2 })
          ),
        { lines: ['0@2', '1@1', '2@2'], took: 2 }
      )
    })
  })

  describe('the first of them', () => {
    it('gives the value of the first to end; the others are cancelled and awaited', () => {
      for (const [name, first] of firsts) {
        expectAll(
          (log) =>
            gen(function* () {
              const winner = yield* first([
                Effect.ensuring(after(5, log('cleaned')))(value(20, 'slow')),
                value(10, 'fast'),
                value(30, 'slower')
              ])
              yield* log(`${name} ended`)
              return winner
            }),
          { exit: 'ok(fast)', log: ['cleaned@15', `${name} ended@15`] }
        )
      }
    })

    it('an arm that ends without waiting ends it, and those after it never start', () => {
      for (const [, first] of firsts) {
        expectAll((log) => first([Effect.succeed('now'), Effect.as('x')(log('not reached'))]), {
          exit: 'ok(now)',
          log: [],
          took: 0
        })
      }
      for (const first of [Concurrent.raceAll, Concurrent.firstSuccess]) {
        expectAll(
          (log) => first([noted(log, 'a')(value(1, 'a')), Effect.succeed('now'), Effect.as('x')(log('no'))]),
          { exit: 'ok(now)', log: ['a begins@0', 'a Cancelled@0'], took: 0 }
        )
      }
    })

    it('a failure that comes first ends a race, and the others are cancelled', () => {
      for (const [name, first] of firsts) {
        if (name === 'firstSuccess') continue
        expectAll((log) => first([noted(log, 'a')(value(20, 'a')), after(10, Effect.fail('no'))]), {
          exit: 'Fail(no)',
          log: ['a begins@0', 'a Cancelled@10'],
          took: 10
        })
        expectAll(() => first([value(20, 'a'), after(10, Effect.die('bug'))]), { exit: 'Die(bug)' })
      }
    })

    it('what fails in the clean-up of a loser: its cause after a value, Then after a failure', () => {
      for (const [name, first] of firsts) {
        const loser = Effect.ensuring(Effect.fail('clean-up'))(Effect.never)
        expectAll(() => first([loser, value(5, 'a')]), { exit: 'Fail(clean-up)' })
        if (name === 'firstSuccess') continue
        expectAll(() => first([loser, after(5, Effect.fail('no'))]), {
          exit: 'Then(Fail(no), Fail(clean-up))'
        })
      }
      expectAll(
        () =>
          Concurrent.raceAll([
            Effect.ensuring(Effect.fail('one'))(Effect.never),
            value(5, 'a'),
            Effect.ensuring(after(1, Effect.die('two')))(Effect.never)
          ]),
        { exit: 'Both(Fail(one), Die(two))' }
      )
    })

    it('a loser that cannot be cancelled is awaited, and its value dropped', () => {
      for (const [, first] of firsts) {
        expectAll(() => first([Timeout.shielded(value(30, 'shielded')), value(10, 'fast')]), {
          exit: 'ok(fast)',
          took: 30
        })
      }
    })

    it('two that end at the same instant: one wins, whichever, and nothing fails', () => {
      for (const [, first] of firsts) {
        const seen = outcomes(() => first([value(5, 'a'), value(5, 'b')]))
        expect(seen).to.deep.equal(['ok(a)', 'ok(b)'])
      }
    })

    it('outer cancellation reaches every arm, and passes as one Cancelled', () => {
      for (const [, first] of firsts) {
        for (const { shown, log } of observeAll((log) =>
          pipe(
            first([1, 2].map((n) => Effect.ensuring(log(`${n}`))(Effect.never))),
            Effect.onExit((exit) => log(`${show(exit)} ${cancellationsOf(exit).length}`)),
            Timeout.moveOnAfter(5)
          )
        )) {
          expect(shown).to.equal('ok(None)')
          expect([...log].sort()).to.deep.equal(['1@5', '2@5', 'Cancelled 1@5'])
        }
      }
    })

    it('in a scope that is cancelled already the first arm runs to its first checkpoint, and no more start', () => {
      for (const [, first] of firsts) {
        expectAll(
          (log) =>
            CancelScope.open((scope) =>
              pipe(
                scope.cancel(),
                Effect.andThen(first([noted(log, 'a')(sleep(1)), noted(log, 'b')(sleep(1))]))
              )
            ),
          { exit: 'ok(None)', log: ['a begins@0', 'a Cancelled@0'] }
        )
      }
    })

    it('each arm has its own fiber-locals', () => {
      const local = FiberLocal.make(0)
      for (const [, first] of firsts) {
        expectAll(
          () =>
            Effect.andThen(local.get)(
              first([Effect.andThen(sleep(2))(local.set(1)), Effect.andThen(sleep(1))(local.set(2))])
            ),
          { exit: 'ok(0)' }
        )
      }
    })

    it('race gives the type of both, and is data last', () => {
      const either: Fx<string | number> = pipe(value(1, 'a'), Concurrent.race(value(2, 1)))
      expectAll(() => either, { exit: 'ok(a)' })
    })

    it('raceAll([]) and the empty of the race monoid never end', () => {
      expectAll(() => Timeout.moveOnAfter(5)(Concurrent.raceAll([])), { exit: 'ok(None)', took: 5 })
      const { concat, empty } = Concurrent.getRaceMonoid<unknown, string, string>()
      for (const fx of [value(5, 'a'), after(5, Effect.fail('no'))]) {
        const { shown, took } = observe(() => fx)
        expectAll(() => concat(empty, fx), { exit: shown, took })
        expectAll(() => concat(fx, empty), { exit: shown, took })
      }
      // A unit in every context, such as a scope that is cancelled already.
      for (const fx of [
        (log: Log) => concat(empty, noted(log, 'a')(value(1, 'a'))),
        (log: Log) => noted(log, 'a')(value(1, 'a'))
      ]) {
        expectAll((log) => CancelScope.open((scope) => Effect.andThen(fx(log))(scope.cancel())), {
          exit: 'ok(None)',
          log: ['a begins@0', 'a Cancelled@0']
        })
      }
    })

    it('the reason of the losers says who was first', () => {
      let seen: Cause.Cancelled | undefined
      observe(() =>
        Concurrent.race(
          Effect.onExit((exit) =>
            sync(() => {
              seen = cancellationsOf(exit)[0]
            })
          )(Effect.never)
        )(value(5, 'a'))
      )
      expect(seen?.reason).to.deep.equal({ _tag: 'Explicit', value: 'race[0] was first' })
      expect(seen?.by).to.deep.equal({ _tag: 'Some', value: 'race[0]' })
    })
  })

  describe('firstSuccess', () => {
    it('gives the first value; failures before it are forgotten', () => {
      expectAll(
        () =>
          Concurrent.firstSuccess([after(1, Effect.fail('no')), value(3, 'a'), after(2, Effect.fail('no'))]),
        { exit: 'ok(a)', took: 3 }
      )
    })

    it('when none succeeds all failures are joined by Both, in the order they came', () => {
      expectAll(
        () =>
          Concurrent.firstSuccess([
            after(3, Effect.fail('3')),
            after(1, Effect.fail('1')),
            after(2, Effect.fail('2'))
          ]),
        { exit: 'Both(Both(Fail(1), Fail(2)), Fail(3))' }
      )
      expectAll(() => Concurrent.firstSuccess([Effect.fail('only')]), { exit: 'Fail(only)' })
    })

    it('a defect ends it, also one that joins a failure', () => {
      expectAll(
        (log) =>
          Concurrent.firstSuccess([
            after(1, Effect.die('bug')),
            Effect.onCancel(log('cancelled'))(value(5, 1))
          ]),
        { exit: 'Die(bug)', log: ['cancelled@1'], took: 1 }
      )
      expectAll(
        () =>
          Concurrent.firstSuccess([
            after(1, Effect.ensuring(Effect.die('bug'))(Effect.fail('no'))),
            value(5, 1)
          ]),
        { exit: 'Then(Fail(no), Die(bug))' }
      )
    })

    it('of nothing is a defect', () => {
      const { exit } = observe(() => Concurrent.firstSuccess([]))
      expect(defectOf(exit)).to.match(/^RangeError: Concurrent.firstSuccess/)
    })
  })

  describe('getApplicativePar', () => {
    it('runs the stock functions of fp-ts side by side, with the bound for the whole chain', () => {
      const par = Concurrent.getApplicativePar(2)
      expectAll(() => sequenceT(par)(value(3, 'a'), value(2, 1), value(1, true)), {
        exit: 'ok(["a",1,true])',
        took: 3
      })
      expectAll(() => sequenceS(par)({ a: value(5, 1), b: value(5, 2), c: value(5, 3) }), {
        exit: 'ok({"a":1,"b":2,"c":3})',
        took: 10
      })
      expectAll(
        () =>
          pipe(
            [1, 2, 3, 4],
            RA.traverse(par)((n) => value(5, n))
          ),
        { exit: 'ok([1,2,3,4])', took: 10 }
      )
      expectAll(
        () =>
          pipe(
            [1, 2, 3, 4],
            RA.wilt(par)((n) =>
              value(
                1,
                n % 2 === 0 ? { _tag: 'Right' as const, right: n } : { _tag: 'Left' as const, left: n }
              )
            )
          ),
        { exit: 'ok({"left":[1,3],"right":[2,4]})', took: 2 }
      )
    })

    it('what it has built is an effect like any other, and can be used twice and composed', () => {
      const par = Concurrent.getApplicativePar(3)
      const pair = par.ap(
        par.map(value(2, 'a'), (a) => (b: string) => a + b),
        value(1, 'b')
      )
      expectAll(() => pair, { exit: 'ok(ab)', took: 2 })
      expectAll(() => Effect.andThen(pair)(pair), { exit: 'ok(ab)', took: 4 })
      expectAll(
        () =>
          par.ap(
            par.map(pair, (x) => (y: string) => x + y),
            pair
          ),
        { exit: 'ok(abab)', took: 2 }
      )
      expectAll(() => par.of(1), { exit: 'ok(1)' })
    })

    it('a function that throws is a defect', () => {
      const par = Concurrent.getApplicativePar(2)
      expectAll(
        () =>
          par.map(Effect.succeed(1), () => {
            throw new Error('f')
          }),
        { exit: 'Die(Error: f)' }
      )
    })

    it('10,000 effects in one chain need no stack', () => {
      const { exit } = observe(() =>
        pipe(
          Array.from({ length: 10_000 }, (_, i) => i),
          RA.traverse(Concurrent.getApplicativePar(5))(Effect.succeed)
        )
      )
      expect(exit._tag === 'Right' && exit.right.length).to.equal(10_000)
    })
  })

  it('B1 both: the time is the longer one, and with a pure side it is the other', () => {
    expectAll(() => Concurrent.both(sleep(3))(sleep(5)), { took: 5 })
    expectAll(() => Concurrent.both(Effect.succeed('b'))(value(2, 'a')), { exit: 'ok(["a","b"])', took: 2 })
  })

  it('the tasks of a record are named after its keys, others after their places', () => {
    const names: Array<string> = []
    const note = Effect.onExit((exit) => sync(() => names.push(...cancellationsOf(exit).map((c) => c.scope))))
    observe(() =>
      pipe(
        Concurrent.all({ users: note(Effect.never), orders: after(1, Effect.fail('no')) }),
        Effect.catchCause(() => Effect.unit)
      )
    )
    let by: string | undefined
    observe(() =>
      pipe(
        Concurrent.all({
          users: Effect.onExit((exit) =>
            sync(() => {
              const leaf = cancellationsOf(exit)[0]
              by = leaf?.by._tag === 'Some' ? leaf.by.value : undefined
            })
          )(Effect.never),
          orders: after(1, Effect.fail('no'))
        }),
        Effect.either
      )
    )
    expect(by).to.equal('orders')
    expect(names).to.deep.equal(['all'])
  })

  it('a cancellation that an arm observed and raises again behind a shield stops the others, and is not lost', () => {
    for (const [, run] of [...alls, ...firsts]) {
      expectAll(
        (log) =>
          CancelScope.open((outer) =>
            gen(function* () {
              yield* outer.cancel()
              const exit = yield* Effect.exit(Effect.checkpoint)
              yield* Timeout.shielded(
                pipe(
                  run([after(5, Effect.fromExit(exit)), Effect.onCancel(log('other'))(Effect.never)]),
                  Effect.onExit((end) => log(show(end)))
                )
              )
            })
          ),
        { exit: 'ok(None)', log: ['other@5', 'Cancelled@5'] }
      )
    }
  })

  it('arms that are cut short from outside see that cancellation, not that of a sibling', () => {
    for (const [name, run] of [...alls, ...firsts]) {
      const seen: Array<string> = []
      observe(() =>
        pipe(
          run(
            [1, 2, 3].map(() =>
              Effect.onExit((exit: Exit.Exit<never, never>) =>
                sync(() => seen.push(...cancellationsOf(exit).map((leaf) => leaf.scope)))
              )(Effect.never)
            )
          ),
          Timeout.moveOnAfter(5, { name: 'outer' })
        )
      )
      expect(seen, name).to.deep.equal(['outer', 'outer', 'outer'])
    }
  })

  it('in a finalizer they work as anywhere else', () => {
    expectAll(
      (log) =>
        pipe(
          Effect.never,
          Effect.ensuring(
            gen(function* () {
              yield* Concurrent.all([after(1, log('a')), after(2, log('b'))])
              const first = yield* Concurrent.race(value(1, 'x'))(value(50, 'y'))
              yield* log(first)
            })
          ),
          Timeout.moveOnAfter(5)
        ),
      { exit: 'ok(None)', log: ['a@6', 'b@7', 'x@8'] }
    )
  })

  it('a failure and a cancellation stay in the order in which they came, through any number of compositions', () => {
    const both = <E, A>(fx: Effect.Effect<unknown, E, A>) => Concurrent.both(fx)(Effect.unit)
    const failing = Concurrent.both(Effect.die('bug'))(Effect.andThen(Effect.never)(Effect.yieldNow))
    const tagOf = (fx: Effect.Effect<unknown, never, unknown>): string => {
      let tag = ''
      const seen = Effect.onExit((exit: Exit.Exit<never, unknown>) =>
        Effect.sync(() => {
          tag = exit._tag === 'Left' ? exit.left._tag : 'value'
        })
      )(fx)
      TestRuntime.runExit(CancelScope.open((scope) => Effect.andThen(seen)(scope.cancel())))
      return tag
    }
    expect(tagOf(failing)).to.equal('Both')
    expect(tagOf(both(failing))).to.equal('Both')
    expect(tagOf(both(both(failing)))).to.equal('Both')
  })
})
