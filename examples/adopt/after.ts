// The service of before.ts after a day. The types of its functions are the same, and so is most of its text; what changed:
//
// 1. `bracket` of millrace releases after a throw and a cancellation, too.
// 2. `tryCatch` hands a signal to each call, and `getApplicativePar` aborts what runs when one fails, and waits for it.
// 3. `getApplicativePar(4)` sends four requests at a time.
// 4. `withTimeout` bounds the payment.
// 5. A policy of retry-ts asks a busy warehouse again.
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { exponentialBackoff, limitRetries, Monoid } from 'retry-ts'
import { Effect, ReaderTaskEithers, Runtime } from 'millrace'
import { Main } from 'millrace/node'
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

/** Asks again when `f` says so: from a ReaderTaskEither to an effect, and back. */
const retrying =
  (when: (e: OrderFailed) => boolean) =>
  <A>(app: App<A>): App<A> =>
    pipe(
      ReaderTaskEithers.from(app),
      Effect.retry(Monoid.concat(exponentialBackoff(20), limitRetries(5)), { when }),
      ReaderTaskEithers.to
    )

const reserve = (line: Line): App<Reservation> =>
  pipe(
    ReaderTaskEithers.tryCatch(
      ({ warehouse }: Env, signal) => warehouse.reserve(line, signal),
      (reason): OrderFailed =>
        reason instanceof Busy ? { _tag: 'WarehouseBusy' } : { _tag: 'OutOfStock', sku: line.sku }
    ),
    retrying((e) => e._tag === 'WarehouseBusy')
  )

const charge = (amount: number): App<string> =>
  pipe(
    ReaderTaskEithers.tryCatch(
      ({ payments }: Env, signal) => payments.charge(amount, signal),
      (reason): OrderFailed => ({ _tag: 'PaymentFailed', message: String(reason) })
    ),
    ReaderTaskEithers.withTimeout(5000, (): OrderFailed => ({ _tag: 'PaymentFailed', message: 'no answer' }))
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
  pipe(order.lines, RA.traverse(ReaderTaskEithers.getApplicativePar(4))(reserve))

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

export const placeOrder = (order: Order): App<Receipt> =>
  ReaderTaskEithers.bracket(begin, inTransaction(order), end)

// ---- the program

if (isMain(import.meta.url)) {
  // Once, where the program starts: code inside of a TaskEither hears when it is cancelled.
  Runtime.setDefault(Runtime.make({ asyncContext: true }))
  // And Ctrl-C cancels, waits for the rollback, and ends the program.
  Main.run(pipe(placeOrder, demo, Effect.fromTask))
}

// Output:
// pen, ink
//   reserve pen: answered
//   reserve ink: answered
//   charge 5000: answered
//   commit
//   Right
// gone, slow
//   reserve gone: answered
//   reserve slow: aborted
//   rollback
//   Left
// odd
//   reserve odd: answered
//   rollback
//   crashed, 0 transactions open
