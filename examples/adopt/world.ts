// What the order service talks to, and a small world to run it in. Neither knows of fp-ts or of millrace: the calls are
// plain promises that take a signal, as those of fetch and of database drivers do.
import { fileURLToPath } from 'node:url'

export interface Line {
  readonly sku: string
  readonly quantity: number
}

export interface Order {
  readonly id: string
  readonly lines: ReadonlyArray<Line>
}

export interface Reservation {
  readonly sku: string
  readonly price: string
}

export interface Transaction {
  readonly insert: (row: string) => Promise<void>
  readonly commit: () => Promise<void>
  readonly rollback: () => Promise<void>
}

export interface Env {
  readonly warehouse: { readonly reserve: (line: Line, signal?: AbortSignal) => Promise<Reservation> }
  readonly payments: { readonly charge: (cents: number, signal?: AbortSignal) => Promise<string> }
  readonly database: { readonly begin: () => Promise<Transaction> }
}

/** What the warehouse answers when it is asked too much at once. */
export class Busy extends Error {
  override readonly name = 'Busy'
}

/** Whether this module was started as a program. */
export const isMain = (url: string): boolean => process.argv[1] === fileURLToPath(url)

const answer = <A>(what: string, ms: number, value: () => A, signal?: AbortSignal): Promise<A> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      console.log(`  ${what}: answered`)
      try {
        resolve(value())
      } catch (error) {
        reject(error)
      }
    }, ms)
    const abort = () => {
      clearTimeout(timer)
      console.log(`  ${what}: aborted`)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort)
  })

/** A world on the console. `gone` is not in stock, `odd` has no price, `slow` takes its time. */
export const demoEnv = (): Env & { readonly open: () => number } => {
  let open = 0
  return {
    open: () => open,
    warehouse: {
      reserve: ({ sku }, signal) =>
        answer(
          `reserve ${sku}`,
          sku === 'slow' ? 60 : 10,
          () => {
            if (sku === 'gone') throw new Error('out of stock')
            return { sku, price: sku === 'odd' ? 'n/a' : '12.50' }
          },
          signal
        )
    },
    payments: { charge: (cents, signal) => answer(`charge ${cents}`, 10, () => 'paid', signal) },
    database: {
      begin: () => {
        open++
        const end = (how: string) => () => {
          open--
          console.log(`  ${how}`)
          return Promise.resolve()
        }
        return Promise.resolve({
          insert: () => Promise.resolve(),
          commit: end('commit'),
          rollback: end('rollback')
        })
      }
    }
  }
}

/** Three orders, one after the other: a good one, one that cannot be had, one that finds a bug. */
export const demo =
  (placeOrder: (order: Order) => (env: Env) => () => Promise<{ readonly _tag: 'Left' | 'Right' }>) =>
  async (): Promise<void> => {
    const env = demoEnv()
    for (const skus of [['pen', 'ink'], ['gone', 'slow'], ['odd']]) {
      console.log(skus.join(', '))
      const order = { id: skus.join('-'), lines: skus.map((sku) => ({ sku, quantity: 2 })) }
      await placeOrder(order)(env)().then(
        (result) => {
          console.log(`  ${result._tag}`)
        },
        () => {
          console.log(`  crashed, ${env.open()} transactions open`)
        }
      )
    }
  }
