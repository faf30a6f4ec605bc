// A service in stock fp-ts, as it is written today. It reads well, and has five faults that no type shows:
//
// 1. A bug (`cents` throws) leaves the transaction open: TE.bracket releases after a Left, not after a throw.
// 2. One reservation fails, and the others go on: stock is reserved for an order that was rolled back.
// 3. An order of 500 lines sends 500 requests at once.
// 4. A payment that is never answered keeps the transaction open for ever.
// 5. A busy warehouse fails the order, though it would have had time a moment later.
//
// after.ts is the same service with the imports swapped.
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import {
  Busy,
  demo,
  type Env,
  isMain,
  type Line,
  type Order,
  type Reservation,
  type Transaction
} from './world.js'

// ---- failures

export interface OutOfStock {
  readonly _tag: 'OutOfStock'
  readonly sku: string
}
export interface WarehouseBusy {
  readonly _tag: 'WarehouseBusy'
}
export interface PaymentFailed {
  readonly _tag: 'PaymentFailed'
  readonly message: string
}
export interface DatabaseFailed {
  readonly _tag: 'DatabaseFailed'
  readonly message: string
}
export type OrderFailed = OutOfStock | WarehouseBusy | PaymentFailed | DatabaseFailed

const databaseFailed = (reason: unknown): OrderFailed => ({ _tag: 'DatabaseFailed', message: String(reason) })

// ---- calls

type App<A> = RTE.ReaderTaskEither<Env, OrderFailed, A>

export interface Receipt {
  readonly order: string
  readonly cents: number
  readonly payment: string
}

const reserve =
  (line: Line): App<Reservation> =>
  ({ warehouse }) =>
    TE.tryCatch(
      () => warehouse.reserve(line),
      (reason): OrderFailed =>
        reason instanceof Busy ? { _tag: 'WarehouseBusy' } : { _tag: 'OutOfStock', sku: line.sku }
    )

const charge =
  (amount: number): App<string> =>
  ({ payments }) =>
    TE.tryCatch(
      () => payments.charge(amount),
      (reason): OrderFailed => ({ _tag: 'PaymentFailed', message: String(reason) })
    )

const begin: App<Transaction> = ({ database }) => TE.tryCatch(() => database.begin(), databaseFailed)

const insert =
  (transaction: Transaction, row: Receipt): App<void> =>
  () =>
    TE.tryCatch(() => transaction.insert(JSON.stringify(row)), databaseFailed)

const end =
  (transaction: Transaction, result: E.Either<OrderFailed, unknown>): App<void> =>
  () =>
    TE.tryCatch(() => (E.isRight(result) ? transaction.commit() : transaction.rollback()), databaseFailed)

// ---- prices

/** Throws when a price is no number: a bug of ours, and no failure of the order. */
const cents = (price: string): number => {
  const amount = Math.round(Number(price) * 100)
  if (Number.isNaN(amount)) throw new RangeError(`not a price: ${price}`)
  return amount
}

const total = (order: Order, reservations: ReadonlyArray<Reservation>): number =>
  pipe(
    RA.zip(order.lines)(reservations),
    RA.reduce(0, (sum, [{ price }, { quantity }]) => sum + cents(price) * quantity)
  )

// ---- the service

const reserveAll = (order: Order): App<ReadonlyArray<Reservation>> =>
  pipe(order.lines, RA.traverse(RTE.ApplicativePar)(reserve))

const pay = (order: Order, reservations: ReadonlyArray<Reservation>): App<Receipt> =>
  pipe(
    RTE.Do,
    RTE.let('cents', () => total(order, reservations)),
    RTE.bind('payment', ({ cents }) => charge(cents)),
    RTE.map(({ cents, payment }) => ({ order: order.id, cents, payment }))
  )

const inTransaction =
  (order: Order) =>
  (transaction: Transaction): App<Receipt> =>
    pipe(
      reserveAll(order),
      RTE.flatMap((reservations) => pay(order, reservations)),
      RTE.chainFirst((receipt) => insert(transaction, receipt))
    )

export const placeOrder = (order: Order): App<Receipt> => RTE.bracket(begin, inTransaction(order), end)

// ---- the program

if (isMain(import.meta.url)) void demo(placeOrder)()

// Output:
// pen, ink
//   reserve ink: answered
//   reserve pen: answered
//   charge 5000: answered
//   commit
//   Right
// gone, slow
//   reserve gone: answered
//   reserve slow: answered
//   rollback
//   Left
// odd
//   reserve odd: answered
//   crashed, 1 transactions open
