/** Drop-ins for code that stays in ReaderTaskEither: those of TaskEithers, and the environment reaches every part. */
import { expect } from 'chai'
import fc from 'fast-check'
import { sequenceS } from 'fp-ts/lib/Apply.js'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { AbortSignals, Effect, type Exit, ReaderTaskEithers, Runtime } from 'millrace'
import { describeEndings, type DropIn } from '../support/endings.js'
import { Job, turn, turns, withDefault } from '../support/host.js'
import { show } from '../support/seeds.js'

interface Env {
  readonly base: number
  readonly log: Array<string>
}

type Rte<A = number> = RTE.ReaderTaskEither<Env, string, A>

const env = (): Env => ({ base: 100, log: [] })
const lift =
  <A>(te: TaskEither<string, A>): Rte<A> =>
  () =>
    te
const nothing: Rte<void> = RTE.of(undefined)

/** Notes what it is, and the environment that it was given. */
const noted =
  <A>(name: string, result: E.Either<string, A>): Rte<A> =>
  ({ base, log }) =>
  () => {
    log.push(`${name} ${base}`)
    return Promise.resolve(result)
  }

const around =
  (f: (rte: Rte) => Rte): DropIn =>
  (te) =>
    f(lift(te))(env())

const first = RTE.map((all: ReadonlyArray<number>) => all[0] as number)

const dropIns: Readonly<Record<string, DropIn>> = {
  bracket: around((rte) =>
    ReaderTaskEithers.bracket(
      RTE.of(0),
      () => rte,
      () => nothing
    )
  ),
  bracketExit: around((rte) =>
    ReaderTaskEithers.bracketExit(
      RTE.of(0),
      () => rte,
      () => nothing
    )
  ),
  sequenceArray: around((rte) => first(ReaderTaskEithers.sequenceArray([rte]))),
  traverseArray: around((rte) =>
    pipe(
      [rte],
      ReaderTaskEithers.traverseArray((each) => each),
      first
    )
  ),
  getApplicativePar: around((rte) => pipe([rte], RA.sequence(ReaderTaskEithers.getApplicativePar(2)), first)),
  withTimeout: around(ReaderTaskEithers.withTimeout(1_000_000, () => 'late')),
  'to after from': around((rte) => ReaderTaskEithers.to(ReaderTaskEithers.from(rte)))
}

const either: fc.Arbitrary<E.Either<string, number>> = fc.oneof(
  fc.nat(9).map((n) => E.right(n)),
  fc.constantFrom('a', 'b', 'c').map((e) => E.left(e))
)

describe('ReaderTaskEithers', () => {
  for (const [name, dropIn] of Object.entries(dropIns)) {
    describe(`${name}, however it ends`, () => {
      describeEndings(dropIn)
    })
  }

  describe('the environment', () => {
    it('reaches acquire, use and release', async () => {
      const given = env()
      const rte = ReaderTaskEithers.bracket(
        noted('acquire', E.right(1)),
        (n) => noted('use', E.right(n + 1)),
        (n, e) => noted(`release ${n} ${JSON.stringify(e)}`, E.right(undefined))
      )
      expect(await rte(given)()).to.deep.equal(E.right(2))
      expect(given.log).to.deep.equal(['acquire 100', 'use 100', 'release 1 {"_tag":"Right","right":2} 100'])
    })

    it('reaches the release of bracketExit when use throws', async () => {
      const given = env()
      const rte = ReaderTaskEithers.bracketExit(
        noted('acquire', E.right(1)),
        (): Rte => () => {
          throw new Error('a bug')
        },
        (_, exit: Exit.Exit<string, number>) => noted(`release ${show(exit)}`, E.right(undefined))
      )
      await rte(given)().catch(() => undefined)
      expect(given.log).to.deep.equal(['acquire 100', 'release Die(Error: a bug) 100'])
    })

    it('reaches every item of sequenceArray, traverseArray, traverse and sequenceS', async () => {
      const items = ['a', 'b'].map((name, i) => noted(name, E.right(i)))
      const A = ReaderTaskEithers.getApplicativePar(1)
      const expected = ['a 100', 'b 100']
      for (const rte of [
        ReaderTaskEithers.sequenceArray(items),
        ReaderTaskEithers.traverseArray((rte: Rte) => rte)(items),
        RA.sequence(A)(items)
      ]) {
        const given = env()
        expect(await rte(given)()).to.deep.equal(E.right([0, 1]))
        expect(given.log).to.deep.equal(expected)
      }
      const given = env()
      const [a, b] = items as [Rte, Rte]
      expect(await sequenceS(A)({ a, b })(given)()).to.deep.equal(E.right({ a: 0, b: 1 }))
      expect(given.log).to.deep.equal(expected)
    })

    it('reaches what withTimeout and tryCatch are around', async () => {
      const given = env()
      const call = ReaderTaskEithers.tryCatch(
        ({ base }: Env, signal) => Promise.resolve(signal.aborted ? -1 : base),
        String
      )
      const rte = pipe(
        call,
        ReaderTaskEithers.withTimeout(1_000_000, () => 'late'),
        RTE.chainFirst(() => noted('next', E.right(0)))
      )
      expect(await rte(given)()).to.deep.equal(E.right(100))
      expect(given.log).to.deep.equal(['next 100'])
    })

    it('need not be a record', async () => {
      const half: RTE.ReaderTaskEither<number, string, number> = RTE.asks((n) => n / 2)
      expect(await ReaderTaskEithers.to(ReaderTaskEithers.from(half))(42)()).to.deep.equal(E.right(21))
      expect(await RA.sequence(ReaderTaskEithers.getApplicativePar(2))([half, half])(42)()).to.deep.equal(
        E.right([21, 21])
      )
    })

    it('each call has its own: two at a time do not mix', async () => {
      const rte = ReaderTaskEithers.to(
        pipe(
          Effect.ask<Env>(),
          Effect.tap(() => Effect.checkpoint),
          Effect.map(({ base }) => base)
        )
      )
      const results = await Promise.all([rte({ base: 1, log: [] })(), rte({ base: 2, log: [] })()])
      expect(results).to.deep.equal([E.right(1), E.right(2)])
    })
  })

  describe('against fp-ts', () => {
    it('bracket gives the same and does the same, unless use and release both fail', () =>
      fc.assert(
        fc.asyncProperty(either, either, either, async (acquire, use, release) => {
          fc.pre(E.isRight(use) || E.isRight(release))
          const results = []
          for (const bracket of [RTE.bracket, ReaderTaskEithers.bracket]) {
            const given = env()
            const rte = bracket(
              noted('acquire', acquire),
              (n: number) => noted(`use ${n}`, use),
              (n: number, e: E.Either<string, number>) =>
                noted(
                  `release ${n} ${JSON.stringify(e)}`,
                  pipe(
                    release,
                    E.map(() => undefined)
                  )
                )
            )
            results.push({ result: await rte(given)(), log: given.log })
          }
          expect(results[1]).to.deep.equal(results[0])
        })
      ))

    it('sequenceArray, traverseArray and getApplicativePar give the same', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(either, { maxLength: 8 }),
          fc.integer({ min: 1, max: 9 }),
          async (all, n) => {
            const rtes = all.map((each, i) => noted(String(i), each))
            const expected = await RTE.sequenceArray(rtes)(env())()
            expect(await ReaderTaskEithers.sequenceArray(rtes)(env())()).to.deep.equal(expected)
            expect(await ReaderTaskEithers.traverseArray((rte: Rte) => rte)(rtes)(env())()).to.deep.equal(
              expected
            )
            expect(await RA.sequence(ReaderTaskEithers.getApplicativePar(n))(rtes)(env())()).to.deep.equal(
              expected
            )
          }
        )
      ))
  })

  it('from is Effect.fromReaderTaskEither: the environment of the effect, by its services', async () => {
    const given = env()
    const exit = await Runtime.runExit(
      pipe(ReaderTaskEithers.from(noted('a', E.right(1))), Effect.provide(given))
    )
    expect([show(exit), given.log]).to.deep.equal(['ok(1)', ['a 100']])
  })

  it('getApplicativePar takes 10,000 items and holds its bound', async () => {
    let running = 0
    let most = 0
    const items = RA.makeBy(10_000, (i) => i)
    const work =
      (n: number): Rte =>
      () =>
      async () => {
        most = Math.max(most, ++running)
        await Promise.resolve()
        running--
        return E.right(n)
      }
    expect(
      await pipe(items, RA.traverse(ReaderTaskEithers.getApplicativePar(8))(work))(env())()
    ).to.deep.equal(E.right(items))
    expect(most).to.equal(8)
  })

  it('a failure aborts the others through the ambient signal, and waits for them', () =>
    withDefault({ asyncContext: true }, async () => {
      const log: Array<string> = []
      const [a, b] = [new Job('a', log), new Job('b', log)]
      const result = ReaderTaskEithers.sequenceArray([lift(a.te), lift(b.te)])(env())()
      await turns()
      a.fail('no')
      expect(await result).to.deep.equal(E.left('no'))
      expect(log).to.deep.equal(['a starts', 'b starts', 'b aborted', 'b stops'])
    }))

  it('release is not cut by the cancellation', () =>
    withDefault({ asyncContext: true }, async () => {
      const controller = new AbortController()
      const given = env()
      const rte = ReaderTaskEithers.bracket(
        RTE.of<Env, string, number>(1),
        () => lift(new Job('use', given.log).te),
        (): Rte<void> =>
          ({ log }) =>
          async () => {
            await turn()
            log.push(`released, aborted: ${AbortSignals.current().aborted}`)
            return E.right(undefined)
          }
      )
      const exit = Runtime.runExit(Effect.fromTaskEither(rte(given)), { signal: controller.signal })
      await turns()
      controller.abort()
      expect(show(await exit)).to.equal('Cancelled')
      expect(given.log).to.deep.equal(['use starts', 'use aborted', 'use stops', 'released, aborted: false'])
    }))
})
