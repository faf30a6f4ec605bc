/**
 * Handlers of failures, on causes of one leaf and on joined ones: what is handled is taken out, the rest is raised again.
 */
import { expect } from 'chai'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { Cause, Concurrent, Effect, type Exit, LowLevel } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import {
  bothAll,
  cancelledBy,
  type Fx,
  inCancelled,
  run,
  shown,
  thenAll,
  trace,
  value
} from '../support/kernel.js'

const a = Cause.fail('a')
const b = Cause.fail('b')
const x = Cause.die('x')

/** Causes by what they are called in a title, made of the `Cancelled` of the scope around. */
const causes: ReadonlyArray<readonly [string, (c: Cause.Cause<string>) => Cause.Cause<string>]> = [
  ['Fail a', () => a],
  ['Die x', () => x],
  ['Cancelled', (c) => c],
  ['Then(Fail a, Fail b)', () => thenAll<string>(a, b)],
  ['Then(Fail a, Die x)', () => thenAll<string>(a, x)],
  ['Then(Die x, Fail a)', () => thenAll<string>(x, a)],
  ['Then(Fail a, Cancelled)', (c) => thenAll<string>(a, c)],
  ['Both(Fail a, Fail b)', () => bothAll<string>(a, b)],
  ['Both(Die x, Cancelled)', (c) => bothAll<string>(x, c)],
  ['Both(Fail a, Die x)', () => bothAll<string>(a, x)],
  ['Both(Cancelled, Fail b, Die x)', (c) => bothAll<string>(c, b, x)],
  [
    'Then(Both(Fail a, Die x), Both(Fail b, Cancelled))',
    (c) => thenAll(bothAll<string>(a, x), bothAll<string>(b, c))
  ],
  [
    'Both(Then(Fail a, Die x), Then(Fail b, Fail a))',
    () => bothAll(thenAll<string>(a, x), thenAll<string>(b, Cause.fail('a')))
  ]
]

/** What is left of each when the failures are gone, in the same order; null when nothing is. */
const rests: ReadonlyArray<string | null> = [
  null,
  'Die x',
  'Cancelled',
  null,
  'Die x',
  'Die x',
  'Cancelled',
  null,
  'Both(Die x, Cancelled)',
  'Die x',
  'Both(Cancelled, Die x)',
  'Then(Die x, Cancelled)',
  'Die x'
]

/** The failure that a handler gets, in the same order; null when there is none. */
const firsts: ReadonlyArray<string | null> = [
  'a',
  null,
  null,
  'a',
  'a',
  'a',
  'a',
  'a',
  null,
  'a',
  'b',
  'a',
  'a'
]

const after = (rest: string, cause: string): string => {
  const parts = cause.startsWith('Then(') ? cause.slice(5, -1) : cause
  return rest.startsWith('Then(') ? `${rest.slice(0, -1)}, ${parts})` : `Then(${rest}, ${parts})`
}

/** Raises the cause in a cancelled scope, handles it there, and shows the exit. */
const handled = (
  make: (c: Cause.Cause<string>) => Cause.Cause<string>,
  handler: (fx: Fx<number, string>) => Fx<unknown, unknown>
): string => shown(value(cancelledBy((leaf) => handler(Effect.failCause(make(leaf))))))

interface Handler {
  readonly name: string
  /** Handles with an effect, and says what it was called with. */
  readonly handle: (
    called: (error: string) => void,
    outcome: Fx<unknown, string>
  ) => (fx: Fx<number, string>) => Fx<unknown, string>
}

const handlers: ReadonlyArray<Handler> = [
  {
    name: 'orElse',
    handle: (called, outcome) =>
      Effect.orElse((e: string) => {
        called(e)
        return outcome
      })
  },
  {
    name: 'matchEffect',
    handle: (called, outcome) =>
      Effect.matchEffect(
        (e: string) => {
          called(e)
          return outcome
        },
        (n: number) => Effect.succeed(n)
      )
  },
  {
    name: 'alt',
    handle: (called, outcome) => (fx) =>
      Effect.Alt.alt(fx, () => {
        called('')
        return outcome as Fx<any, string>
      })
  }
]

describe('Effect: failures', () => {
  for (const { name, handle } of handlers) {
    describe(name, () => {
      it('leaves a value alone', () => {
        const fail = () => {
          throw new Error('called')
        }
        expect(run(handle(fail, Effect.unit)(Effect.succeed(1)))).to.equal('ok 1')
      })

      causes.forEach(([title, make], i) => {
        const first = firsts[i]
        const rest = rests[i] ?? null
        for (const [outcome, ended] of [
          [Effect.succeed('handled'), 'ok handled'],
          [Effect.fail('h'), 'Fail h'],
          [Effect.die('h'), 'Die h'],
          [Effect.failCause(thenAll<string>(Cause.fail('h'), Cause.die('i'))), 'Then(Fail h, Die i)'],
          [Effect.checkpoint, 'Cancelled']
        ] as ReadonlyArray<readonly [Fx<unknown, string>, string]>) {
          const expected =
            first === null
              ? title
              : rest === null
                ? ended
                : ended.startsWith('ok')
                  ? rest
                  : // The same cancellation joins once.
                    ended === 'Cancelled' && rest.includes('Cancelled')
                    ? rest
                    : after(rest, ended)
          it(`of ${title}, ending in ${ended}: ${expected}`, () => {
            const calls: Array<string> = []
            expect(
              handled(
                make,
                handle((e) => calls.push(e), outcome)
              )
            ).to.equal(expected)
            expect(calls).to.deep.equal(first === null ? [] : [name === 'alt' ? '' : first])
          })
        }
      })

      it('what it ends with is not handled again', () => {
        const calls: Array<string> = []
        expect(run(handle((e) => calls.push(e), Effect.fail('h'))(Effect.fail('a')))).to.equal('Fail h')
        expect(calls).to.have.length(1)
      })
    })
  }

  describe('match, either and option', () => {
    it('give values for values and for failures', () => {
      const ok: Fx<number, string> = Effect.succeed(1)
      const no: Fx<number, string> = Effect.fail('a')
      const match = Effect.match(
        (e: string) => `failed ${e}`,
        (n: number) => `got ${n}`
      )
      expect([run(match(ok)), run(match(no))]).to.deep.equal(['ok got 1', 'ok failed a'])
      expect([value(Effect.either(ok)), value(Effect.either(no))]).to.deep.equal([E.right(1), E.left('a')])
      expect([value(Effect.option(ok)), value(Effect.option(no))]).to.deep.equal([O.some(1), O.none])
    })

    causes.forEach(([title, make], i) => {
      const rest = rests[i]
      it(`of ${title}: ${rest ?? 'a value'}`, () => {
        const match = Effect.match((e: string) => `failed ${e}`, String)
        expect(handled(make, match)).to.equal(rest ?? `ok failed ${firsts[i]}`)
        expect(handled(make, Effect.either)).to.equal(rest ?? 'ok Left')
        expect(handled(make, Effect.option)).to.equal(rest ?? 'ok None')
      })
    })

    it('the success side of matchEffect is not handled by its failure side', () => {
      const program = pipe(
        Effect.succeed(1) as Fx<number, string>,
        Effect.matchEffect(
          () => Effect.succeed('wrong'),
          () => Effect.fail('right')
        )
      )
      expect(run(program)).to.equal('Fail right')
    })
  })

  describe('catchTag', () => {
    interface A {
      readonly _tag: 'A'
      readonly n: number
    }
    interface B {
      readonly _tag: 'B'
    }
    const A = (n = 0): A => ({ _tag: 'A', n })
    const B: B = { _tag: 'B' }
    const catchA = <C, E2>(f: (e: A) => Fx<C, E2>) =>
      Effect.catchTag('A', f)<unknown, number> as (fx: Fx<number, A | B>) => Fx<number | C, B | E2>

    it('handles the failures with the tag, and no others', () => {
      const recovered = catchA((e) => Effect.succeed(e.n))
      expect(run(recovered(Effect.fail(A(7))))).to.equal('ok 7')
      expect(run(recovered(Effect.fail(B)))).to.equal('Fail B')
      expect(run(recovered(Effect.die(A())))).to.equal('Die A')
      expect(run(recovered(Effect.succeed(1)))).to.equal('ok 1')
    })

    it('of several with the tag it gets the first, and takes all', () => {
      const calls: Array<number> = []
      const recovered = catchA((e) => Effect.sync(() => calls.push(e.n)))
      const cause = bothAll<A | B>(Cause.fail(A(1)), Cause.fail(A(2)))
      expect(run(recovered(Effect.failCause(cause)))).to.equal('ok 1')
      expect(calls).to.deep.equal([1])
    })

    it('leaves other tags, defects and cancellations; what the handler fails with comes after', () => {
      const cause = (c: Cause.Cause<never>): Cause.Cause<A | B> =>
        thenAll<A | B>(
          bothAll<A | B>(Cause.fail(A(1)), Cause.fail(B)),
          bothAll<A | B>(x, Cause.fail(A(2)), c)
        )
      const at = (f: (e: A) => Fx<number, string>) =>
        shown(value(cancelledBy((leaf) => catchA(f)(Effect.failCause(cause(leaf))))))
      expect(at(() => Effect.succeed(1))).to.equal('Then(Fail B, Both(Die x, Cancelled))')
      expect(at(() => Effect.fail('h'))).to.equal('Then(Fail B, Both(Die x, Cancelled), Fail h)')
    })

    it('is not called when no failure has the tag', () => {
      const called = (): never => {
        throw new Error('called')
      }
      expect(run(catchA(called)(Effect.failCause(bothAll<A | B>(Cause.fail(B), x))))).to.equal(
        'Both(Fail B, Die x)'
      )
    })

    it('looks into errors that are no objects, and finds no tag', () => {
      for (const error of [undefined, null, 1, 'A', Symbol('A')]) {
        const program = catchA(() => Effect.succeed(1))(Effect.fail(error as unknown as A))
        const exit = TestRuntime.runExit(program)
        expect(exit._tag === 'Left' && Cause.failures(exit.left)).to.deep.equal([error])
      }
    })

    it('finds the failure of a task among those of its siblings', () => {
      const both = Concurrent.all([
        pipe(Effect.never, Effect.ensuring(Effect.fail(A(1)))),
        pipe(Effect.sleep(1), Effect.andThen(Effect.fail(B)))
      ])
      expect(run(both)).to.equal('Both(Fail B, Fail A)')
      expect(
        run(
          pipe(
            both,
            Effect.catchTag('A', () => Effect.succeed('a'))
          )
        )
      ).to.equal('Fail B')
      expect(
        run(
          pipe(
            both,
            Effect.catchTag('B', () => Effect.succeed('b'))
          )
        )
      ).to.equal('Fail A')
      expect(
        run(
          pipe(
            both,
            Effect.catchTag('A', () => Effect.unit),
            Effect.catchTag('B', () => Effect.succeed('all'))
          )
        )
      ).to.equal('ok all')
    })
  })

  describe('mapError, bimap and orDie', () => {
    const up = (s: string) => s.toUpperCase()

    causes.forEach(([title, make]) => {
      it(`act on each failure of ${title}`, () => {
        const mapped = title.replace(/Fail (.)/g, (_, e: string) => `Fail ${up(e)}`)
        expect(handled(make, Effect.mapError(up))).to.equal(mapped)
        expect(handled(make, Effect.bimap(up, String))).to.equal(mapped)
        expect(handled(make, Effect.orDie)).to.equal(title.replace(/Fail/g, 'Die'))
      })
    })

    it('leave a value alone, but for the right side of bimap', () => {
      const ok: Fx<number, string> = Effect.succeed(1)
      expect(run(Effect.mapError(up)(ok))).to.equal('ok 1')
      expect(run(Effect.bimap(up, (n: number) => n + 1)(ok))).to.equal('ok 2')
      expect(run(Effect.orDie(ok))).to.equal('ok 1')
    })

    it('the left side of bimap does not see what the right side throws', () => {
      const thrower = () => {
        throw new Error('bug')
      }
      expect(run(Effect.bimap(up, thrower)(Effect.succeed(1)))).to.equal('Die bug')
    })

    it('a mapper that throws at one failure loses none of the others', () => {
      const picky = (s: string) => {
        if (s === 'a') throw new Error('bug')
        return up(s)
      }
      expect(run(Effect.mapError(picky)(Effect.failCause(bothAll<string>(a, b, x))))).to.equal(
        'Both(Die bug, Fail B, Die x)'
      )
      expect(run(Effect.mapError(picky)(Effect.fail('a')))).to.equal('Die bug')
    })
  })

  describe('tapError', () => {
    it('runs once with the first failure, and the cause goes on', () => {
      causes.forEach(([title, make], i) => {
        const calls: Array<string> = []
        const tapped = Effect.tapError((e: string) => Effect.sync(() => calls.push(e)))
        expect(handled(make, tapped), title).to.equal(title)
        expect(calls, title).to.deep.equal(firsts[i] === null ? [] : [firsts[i]])
      })
    })

    it('what it fails with comes after', () => {
      const failing = Effect.tapError(() => Effect.fail('t'))
      expect(handled(() => a, failing)).to.equal('Then(Fail a, Fail t)')
      expect(handled(() => bothAll<string>(a, x), failing)).to.equal('Then(Both(Fail a, Die x), Fail t)')
      expect(run(failing(Effect.succeed(1)))).to.equal('ok 1')
    })

    it('is no finalizer: it can be cancelled', () => {
      const program = pipe(
        Effect.fail('a'),
        Effect.tapError(() => Effect.checkpoint)
      )
      expect(shown(value(inCancelled(program)))).to.equal('Then(Fail a, Cancelled)')
    })
  })

  describe('catchCause and exit', () => {
    it('see everything as it is', () => {
      causes.forEach(([title, make]) => {
        let seen: Cause.Cause<string> | undefined
        const catching = Effect.catchCause((cause: Cause.Cause<string>) => {
          seen = cause
          return Effect.succeed('on')
        })
        expect(handled(make, catching), title).to.equal('ok on')
        expect(seen === undefined ? '' : shown({ _tag: 'Left', left: seen })).to.equal(title)
        const program = cancelledBy((leaf) => Effect.map(shown)(Effect.exit(Effect.failCause(make(leaf)))))
        expect(shown(value(program)), title).to.equal(`ok ${title}`)
      })
    })

    it('exit gives the exit of a value too', () => {
      expect(value(Effect.exit(Effect.succeed(1)))).to.deep.equal(E.right(1))
    })

    it('end no cancellation: the next checkpoint fails again', () => {
      const log = trace()
      const stubborn = Effect.gen(function* () {
        for (let i = 0; i < 3; i++) {
          const seen = yield* Effect.exit(Effect.sleep(1))
          yield* log.add(shown(seen))
        }
        yield* Effect.sleep(1)
        yield* log.add('not reached')
      })
      expect(
        run(
          LowLevel.withinScope({ name: 's', after: 1 })(
            pipe(
              Effect.never,
              Effect.catchCause(() => stubborn)
            )
          )
        )
      ).to.equal('ok None')
      expect(log.lines).to.deep.equal(['Cancelled', 'Cancelled', 'Cancelled'])
    })

    it('a leaf is made once: raised again it joins itself once', () => {
      const again = pipe(
        Effect.fail('a'),
        Effect.onExit((exit) => Effect.fromExit(exit as Exit.Exit<string, never>)),
        Effect.exit
      )
      expect(shown(value(again))).to.equal('Fail a')
      // An equal error that was raised elsewhere is another failure.
      expect(run(pipe(Effect.fail('a'), Effect.ensuring(Effect.fail('a'))))).to.equal('Then(Fail a, Fail a)')
    })
  })

  describe('filterOrElse', () => {
    it('fails when the predicate does not hold', () => {
      const positive = Effect.filterOrElse(
        (n: number) => n > 0,
        (n) => `${n} is not positive`
      )
      expect(run(positive(Effect.succeed(1)))).to.equal('ok 1')
      expect(run(positive(Effect.succeed(-1)))).to.equal('Fail -1 is not positive')
      expect(run(positive(Effect.die('x')))).to.equal('Die x')
    })

    it('refines the type', () => {
      const some = Effect.filterOrElse(
        (o: O.Option<number>): o is O.Some<number> => O.isSome(o),
        () => 'none'
      )
      const program = pipe(
        Effect.succeed(O.some(1)),
        some,
        Effect.map((o) => o.value)
      )
      expect(run(program)).to.equal('ok 1')
    })
  })
})
