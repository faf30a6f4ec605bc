/**
 * A program as a user of fp-ts writes it: over the instances, with nothing but stock functions of fp-ts between them. It
 * prices an order; prices come from code that stays in `TaskEither`, and so does whoever asks for the invoice.
 */
import { expect } from 'chai'
import * as Alt from 'fp-ts/lib/Alt.js'
import * as Apply from 'fp-ts/lib/Apply.js'
import * as Chain from 'fp-ts/lib/Chain.js'
import * as E from 'fp-ts/lib/Either.js'
import { reduceM } from 'fp-ts/lib/Foldable.js'
import * as FromEither from 'fp-ts/lib/FromEither.js'
import * as FromIO from 'fp-ts/lib/FromIO.js'
import * as FromReader from 'fp-ts/lib/FromReader.js'
import * as FromTask from 'fp-ts/lib/FromTask.js'
import { flow, pipe } from 'fp-ts/lib/function.js'
import * as Functor from 'fp-ts/lib/Functor.js'
import type { Kind3, URIS3 } from 'fp-ts/HKT'
import type { MonadThrow3 } from 'fp-ts/lib/MonadThrow.js'
import { concatAll } from 'fp-ts/lib/Monoid.js'
import * as N from 'fp-ts/lib/number.js'
import * as O from 'fp-ts/lib/Option.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as RR from 'fp-ts/lib/ReadonlyRecord.js'
import * as S from 'fp-ts/lib/string.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Concurrent, Effect, Exit, Promises } from 'millrace'
import { TestRuntime } from 'millrace/testing'

// ---- model

type OrderError =
  | { readonly _tag: 'UnknownItem'; readonly sku: string }
  | { readonly _tag: 'NoCustomer'; readonly id: number }
  | { readonly _tag: 'Empty' }

interface Line {
  readonly sku: string
  readonly count: number
}

interface Order {
  readonly customer: number
  readonly lines: ReadonlyArray<Line>
  readonly coupon: O.Option<string>
}

interface Invoice {
  readonly name: string
  readonly total: number
  readonly discount: O.Option<number>
}

/** What the program needs. */
interface Shop {
  readonly price: (sku: string) => Effect.Effect<unknown, OrderError, number>
  readonly customers: ReadonlyMap<number, string>
  readonly audit: Array<string>
}

type Fx<A> = Effect.Effect<Shop, OrderError, A>

const unknownItem = (sku: string): OrderError => ({ _tag: 'UnknownItem', sku })
const noCustomer = (id: number): OrderError => ({ _tag: 'NoCustomer', id })

// ---- the program

const sequenceS = Apply.sequenceS(Effect.ApplyPar)
const bind = Chain.bind(Effect.Chain)
const assign = Functor.let(Effect.Functor)
const chainFirstIO = FromIO.chainFirstIOK(Effect.FromIO, Effect.Chain)
const asks = FromReader.asks(Effect.FromReader)
const filterOrElse = FromEither.filterOrElse(Effect.FromEither, Effect.Chain)
const fromOption = FromEither.fromOption(Effect.FromEither)
const altAll = Alt.altAll(Effect.Alt)

const shop: Fx<Shop> = asks((env: Shop) => env)

const audit =
  (line: string) =>
  <A>(fx: Fx<A>): Fx<A> =>
    pipe(
      fx,
      Effect.flatMap((a) =>
        pipe(
          shop,
          chainFirstIO((env) => () => env.audit.push(line)),
          Effect.as(a)
        )
      )
    )

const customerName = (id: number): Fx<string> =>
  pipe(
    shop,
    Effect.flatMap(({ customers }) =>
      pipe(
        O.fromNullable(customers.get(id)),
        fromOption(() => noCustomer(id))
      )
    )
  )

const lineTotal = ({ sku, count }: Line): Fx<number> =>
  pipe(
    shop,
    Effect.flatMap(({ price }) => price(sku)),
    Effect.map((price) => price * count)
  )

const total = (lines: ReadonlyArray<Line>): Fx<number> =>
  pipe(
    Effect.of<ReadonlyArray<Line>>(lines) as Fx<ReadonlyArray<Line>>,
    filterOrElse(RA.isNonEmpty, (): OrderError => ({ _tag: 'Empty' })),
    Effect.flatMap(RA.traverse(Concurrent.getApplicativePar(2))(lineTotal)),
    Effect.map(concatAll(N.MonoidSum))
  )

/** Written for any such monad, before anybody knew of effects. */
const parsePercent =
  <M extends URIS3>(M: MonadThrow3<M>) =>
  <R>(coupon: string): Kind3<M, R, OrderError, number> =>
    coupon.startsWith('P') ? M.of(Number(coupon.slice(1))) : M.throwError(unknownItem(coupon))

const invoice = (order: Order): Fx<Invoice> =>
  pipe(
    sequenceS({
      name: customerName(order.customer),
      sum: total(order.lines),
      percent: pipe(
        order.coupon,
        O.traverse(Effect.ApplicativeSeq)((coupon): Fx<number> => parsePercent(Effect.MonadThrow)(coupon))
      )
    }),
    assign('discount', ({ percent, sum }) =>
      pipe(
        percent,
        O.map((p) => (sum * p) / 100)
      )
    ),
    bind('after', ({ sum, discount }): Fx<number> =>
      Effect.of(
        sum -
          pipe(
            discount,
            O.getOrElse(() => 0)
          )
      )
    ),
    audit(`order of ${order.customer}`),
    Effect.map(({ name, after, discount }) => ({ name, total: after, discount }))
  )

// ---- the world around it

const prices: { readonly [sku: string]: number } = { apple: 2, pear: 3, fig: 5 }

/** Old code: it gives its prices after a turn of the host. */
const priceOf = (sku: string): TE.TaskEither<OrderError, number> =>
  pipe(
    TE.fromOption(() => unknownItem(sku))(RR.lookup(sku)(prices)),
    TE.chainFirstTaskK(() => () => new Promise((done) => setImmediate(done)))
  )

const shopOf = (price: Shop['price']): Shop => ({
  price,
  customers: new Map([[1, 'Ada']]),
  audit: []
})

const order: Order = {
  customer: 1,
  lines: [
    { sku: 'apple', count: 3 },
    { sku: 'pear', count: 2 },
    { sku: 'fig', count: 1 }
  ],
  coupon: O.some('P10')
}

/** Out again, as a `TaskEither`: callers do not see what it is made of. */
const invoiceTE = (env: Shop): ((of: Order) => TE.TaskEither<OrderError, Invoice>) =>
  flow(invoice, Effect.provide({ ...env }), Effect.either, Promises.toPromise)

describe('a program over the instances, with stock functions of fp-ts', () => {
  const run = async (of: Order) => {
    const env = shopOf((sku) => Effect.fromTaskEither(priceOf(sku)))
    const result = await pipe(
      invoiceTE(env)(of),
      TE.map(({ name, total, discount }) => `${name} pays ${total}, ${String(O.isSome(discount))}`)
    )()
    return { result, audit: env.audit }
  }

  it('runs, with TaskEithers on its inside and its outside', async () => {
    expect(await run(order)).to.deep.equal({
      result: E.right('Ada pays 15.3, true'),
      audit: ['order of 1']
    })
    expect(await run({ ...order, coupon: O.none })).to.deep.equal({
      result: E.right('Ada pays 17, false'),
      audit: ['order of 1']
    })
  })

  it('fails with the errors of each of its parts', async () => {
    const failure = async (of: Order) => {
      const { result, audit } = await run(of)
      expect(audit).to.deep.equal([])
      return result
    }
    const withLine = { ...order, lines: [...order.lines, { sku: 'plum', count: 1 }] }
    expect(await failure(withLine)).to.deep.equal(E.left(unknownItem('plum')))
    expect(await failure({ ...order, customer: 2 })).to.deep.equal(E.left(noCustomer(2)))
    expect(await failure({ ...order, lines: [] })).to.deep.equal(E.left({ _tag: 'Empty' }))
    expect(await failure({ ...order, coupon: O.some('X') })).to.deep.equal(E.left(unknownItem('X')))
  })

  describe('in virtual time', () => {
    const timed = <A>(fx: Fx<A>, env: Shop) =>
      TestRuntime.runExit(
        pipe(
          Effect.Do,
          Effect.bind('before', () => Effect.currentTime),
          Effect.bind('value', () => fx),
          Effect.bind('after', () => Effect.currentTime),
          Effect.map(({ before, value, after }) => [value, after - before] as const),
          Effect.provide({ ...env })
        )
      )
    const slow = (ms: number): Shop['price'] =>
      flow(
        (sku: string) => Effect.fromEither(E.fromNullable(unknownItem(sku))(prices[sku])),
        (price) => pipe(Effect.sleep(ms), Effect.andThen(price))
      )

    it('prices are asked for two at a time', () => {
      expect(timed(total(order.lines), shopOf(slow(100)))).to.deep.equal(Exit.succeed([17, 200]))
    })

    it('the instances decide what runs side by side', () => {
      const env = shopOf(slow(100))
      const counts: RR.ReadonlyRecord<string, Line> = {
        a: { sku: 'apple', count: 1 },
        b: { sku: 'pear', count: 1 }
      }
      const totals = { a: 2, b: 3 }
      expect(timed(RR.traverse(Effect.ApplicativePar)(lineTotal)(counts), env)).to.deep.equal(
        Exit.succeed([totals, 100])
      )
      expect(timed(RR.traverse(Effect.ApplicativeSeq)(lineTotal)(counts), env)).to.deep.equal(
        Exit.succeed([totals, 200])
      )
    })

    it('a failure stops what runs beside it', () => {
      const env: Shop = {
        ...shopOf((sku) =>
          sku === 'plum'
            ? pipe(Effect.sleep(10), Effect.andThen(Effect.fail(unknownItem(sku))))
            : pipe(
                Effect.sleep(1000),
                Effect.as(1),
                Effect.onCancel(Effect.sync(() => env.audit.push(`${sku} was not needed`)))
              )
        )
      }
      const both = pipe(
        [
          { sku: 'apple', count: 1 },
          { sku: 'plum', count: 1 }
        ],
        RA.traverse(Effect.ApplicativePar)(lineTotal)
      )
      expect(timed(both, env)).to.deep.equal(Exit.fail(unknownItem('plum')))
      expect(env.audit).to.deep.equal(['apple was not needed'])
    })

    it('alternatives, folds and monoids work as for any other monad', () => {
      const env = shopOf(slow(1))
      const firstOf = (skus: ReadonlyArray<string>): Fx<number> =>
        altAll<Shop, OrderError, number>(Effect.MonadThrow.throwError({ _tag: 'Empty' }))(
          skus.map((sku) => lineTotal({ sku, count: 1 }))
        )
      expect(timed(firstOf(['plum', 'quince', 'fig']), env)).to.deep.equal(Exit.succeed([5, 3]))

      const sum = reduceM(Effect.Monad, RA.Foldable)(0, (acc: number, line: Line) =>
        pipe(
          lineTotal(line),
          Effect.map((n) => acc + n)
        )
      )
      expect(timed(sum(order.lines), env)).to.deep.equal(Exit.succeed([17, 3]))

      const M = Effect.getMonoid<Shop, OrderError, number>(N.MonoidSum)
      expect(timed(concatAll(M)(order.lines.map(lineTotal)), env)).to.deep.equal(Exit.succeed([17, 3]))

      const parallel = Apply.getApplySemigroup(Effect.ApplyPar)<number, Shop, OrderError>(N.SemigroupSum)
      const [a, b] = [lineTotal({ sku: 'apple', count: 1 }), lineTotal({ sku: 'fig', count: 1 })]
      expect(timed(parallel.concat(a, b), env)).to.deep.equal(Exit.succeed([7, 1]))
    })

    it('Do notation of fp-ts and of the library give the same', () => {
      const env = shopOf(slow(1))
      const ours = pipe(
        Effect.Do,
        Effect.bind('a', () => lineTotal({ sku: 'apple', count: 1 })),
        Effect.let('b', ({ a }) => a * 10),
        Effect.bind('c', ({ b }) => lineTotal({ sku: 'pear', count: b }))
      )
      const theirs = pipe(
        lineTotal({ sku: 'apple', count: 1 }),
        Functor.bindTo(Effect.Functor)('a'),
        assign('b', ({ a }) => a * 10),
        bind('c', ({ b }) => lineTotal({ sku: 'pear', count: b }))
      )
      expect(timed(ours, env)).to.deep.equal(Exit.succeed([{ a: 2, b: 20, c: 60 }, 2]))
      expect(timed(theirs, env)).to.deep.equal(timed(ours, env))
    })
  })

  it('lifts the functions of others', async () => {
    const increment = FromIO.fromIOK(Effect.FromIO)((n: number) => () => n + 1)
    const later = FromTask.fromTaskK(Effect.FromTask)((n: number) => () => Promise.resolve(n * 10))
    const large = FromEither.fromEitherK(Effect.FromEither)((n: number): E.Either<string, number> =>
      n > 5 ? E.right(n) : E.left('small')
    )
    type Lifted = Effect.Effect<unknown, string, number>
    const program = (n: number) =>
      pipe(
        Effect.of(n),
        Effect.flatMap((a): Lifted => increment(a)),
        Effect.flatMap((a): Lifted => later(a)),
        Effect.flatMap((a): Lifted => large(a)),
        (fx) => Effect.Bifunctor.bimap(fx, S.toUpperCase, (a) => a + 1),
        Effect.either,
        Promises.toPromise
      )()
    expect(await program(1)).to.deep.equal(E.right(21))
    expect(await program(-1)).to.deep.equal(E.left('SMALL'))
  })
})
