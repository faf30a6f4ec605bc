/** examples/adopt: each fault of the service in stock fp-ts, and its absence after the one-day path. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Either } from 'fp-ts/lib/Either.js'
import { Cause, type Runtime } from 'millrace'
import { VirtualClock } from 'millrace/testing'
import * as after from '../../examples/adopt/after.js'
import * as before from '../../examples/adopt/before.js'
import { Busy, type Env, type Order, type Reservation } from '../../examples/adopt/world.js'
import { deferred, type Deferred, turns, withDefault } from '../support/host.js'
import { checkProgram, root } from '../support/program.js'

/** A world that the test answers for, and that notes what happens. */
class World implements Env {
  readonly log: Array<string> = []
  private readonly calls = new Map<string, Deferred<never>>()
  running = 0
  most = 0

  private call<A>(name: string, signal?: AbortSignal): Promise<A> {
    this.log.push(name)
    this.most = Math.max(this.most, ++this.running)
    const call = deferred<never>()
    this.calls.set(name, call)
    signal?.addEventListener('abort', () => {
      this.log.push(`${name} aborted`)
      call.reject(signal.reason)
    })
    return call.promise.finally(() => this.running--)
  }

  readonly warehouse: Env['warehouse'] = {
    reserve: ({ sku }, signal) => this.call<Reservation>(`reserve ${sku}`, signal)
  }

  readonly payments: Env['payments'] = { charge: (cents, signal) => this.call(`charge ${cents}`, signal) }

  readonly database: Env['database'] = {
    begin: () => {
      this.log.push('begin')
      const noting = (line: string) => () => {
        this.log.push(line)
        return Promise.resolve()
      }
      return Promise.resolve({
        insert: noting('insert'),
        commit: noting('commit'),
        rollback: noting('rollback')
      })
    }
  }

  async inStock(sku: string, price = '12.50'): Promise<void> {
    this.calls.get(`reserve ${sku}`)?.resolve({ sku, price } as never)
    await turns()
  }

  async refuse(call: string, reason: unknown): Promise<void> {
    this.calls.get(call)?.reject(reason)
    await turns()
  }

  async paid(cents: number): Promise<void> {
    this.calls.get(`charge ${cents}`)?.resolve('paid' as never)
    await turns()
  }
}

interface Placed {
  readonly world: World
  readonly clock: VirtualClock.VirtualClock
  /** `pending` until the service has answered. */
  readonly state: () => string
}

const orderOf = (skus: ReadonlyArray<string>): Order => ({
  id: 'o-1',
  lines: skus.map((sku) => ({ sku, quantity: 1 }))
})

const place = async (
  { placeOrder }: typeof before | typeof after,
  skus: ReadonlyArray<string>,
  body: (placed: Placed) => Promise<void>
): Promise<void> => {
  const clock = VirtualClock.make()
  const options: Runtime.RuntimeOptions = { clock, asyncContext: true }
  await withDefault(options, async () => {
    const world = new World()
    let state = 'pending'
    void placeOrder(orderOf(skus))(world)().then(
      (result: Either<after.OrderFailed, after.Receipt>) => {
        state =
          result._tag === 'Right' ? `Right ${result.right.cents}` : `Left ${JSON.stringify(result.left)}`
      },
      (reason: unknown) => {
        const bug = reason instanceof Cause.CauseError ? reason.cause : reason
        state = `crashed: ${String(bug)}`
      }
    )
    await turns()
    await body({ world, clock, state: () => state })
  })
}

describe('examples/adopt', () => {
  for (const file of ['before', 'after']) {
    it(`${file}.ts runs, and shows what its comment says`, async () => {
      const source = readFileSync(join(root, `examples/adopt/${file}.ts`), 'utf8')
      await checkProgram(`build/examples/adopt/${file}.js`, source)
    }).timeout(20_000)
  }

  for (const [name, service] of Object.entries({ before, after })) {
    it(`${name}: an order that can be had is paid and committed`, () =>
      place(service, ['pen', 'ink'], async ({ world, state }) => {
        await world.inStock('ink')
        await world.inStock('pen')
        await world.paid(2500)
        expect(state()).to.equal('Right 2500')
        expect(world.log.slice(0, 3)).to.have.members(['begin', 'reserve pen', 'reserve ink'])
        expect(world.log.slice(3)).to.deep.equal(['charge 2500', 'insert', 'commit'])
      }))

    it(`${name}: a Left rolls back`, () =>
      place(service, ['pen'], async ({ world, state }) => {
        await world.inStock('pen')
        await world.refuse('charge 1250', new Error('no funds'))
        expect(state()).to.equal('Left {"_tag":"PaymentFailed","message":"Error: no funds"}')
        expect(world.log.slice(-1)).to.deep.equal(['rollback'])
      }))
  }

  describe('1. a bug in the use of the transaction', () => {
    it('before: leaves it open', () =>
      place(before, ['odd'], async ({ world, state }) => {
        await world.inStock('odd', 'n/a')
        expect(state()).to.equal('crashed: RangeError: not a price: n/a')
        expect(world.log).to.deep.equal(['begin', 'reserve odd'])
      }))

    it('after: rolls it back', () =>
      place(after, ['odd'], async ({ world, state }) => {
        await world.inStock('odd', 'n/a')
        expect(state()).to.equal('crashed: RangeError: not a price: n/a')
        expect(world.log).to.deep.equal(['begin', 'reserve odd', 'rollback'])
      }))
  })

  describe('2. a reservation that fails while others run', () => {
    it('before: they are not told', () =>
      place(before, ['gone', 'pen', 'ink'], async ({ world }) => {
        await world.refuse('reserve gone', new Error('out of stock'))
        expect(world.log).to.have.members(['begin', 'reserve gone', 'reserve pen', 'reserve ink'])
        expect(world.running).to.equal(2)
      }))

    it('after: they are aborted and awaited before the rollback', () =>
      place(after, ['gone', 'pen', 'ink'], async ({ world, state }) => {
        await world.refuse('reserve gone', new Error('out of stock'))
        expect(state()).to.equal('Left {"_tag":"OutOfStock","sku":"gone"}')
        expect(world.log.slice(4)).to.deep.equal(['reserve pen aborted', 'reserve ink aborted', 'rollback'])
        expect(world.running).to.equal(0)
      }))
  })

  describe('3. an order of 500 lines', () => {
    const skus = Array.from({ length: 500 }, (_, i) => `sku-${i}`)

    it('before: is 500 requests at once', () =>
      place(before, skus, ({ world }) => {
        expect(world.most).to.equal(500)
        return Promise.resolve()
      }))

    it('after: is four requests at a time', () =>
      place(after, skus, async ({ world, state }) => {
        expect(world.running).to.equal(4)
        for (const sku of skus) await world.inStock(sku, '1')
        await world.paid(50_000)
        expect([state(), world.most]).to.deep.equal(['Right 50000', 4])
      })).timeout(20_000)
  })

  describe('4. a payment that is never answered', () => {
    it('before: nothing is waiting for a time to come', () =>
      place(before, ['pen'], async ({ world, clock, state }) => {
        await world.inStock('pen')
        expect(clock.advance()).to.equal(false)
        expect([state(), world.log.at(-1)]).to.deep.equal(['pending', 'charge 1250'])
      }))

    it('after: it is aborted in time, and the order rolled back', () =>
      place(after, ['pen'], async ({ world, clock, state }) => {
        await world.inStock('pen')
        const start = clock.now()
        expect(clock.advance()).to.equal(true)
        await turns()
        expect(clock.now() - start).to.equal(5000)
        expect(state()).to.equal('Left {"_tag":"PaymentFailed","message":"no answer"}')
        expect(world.log.slice(-2)).to.deep.equal(['charge 1250 aborted', 'rollback'])
      }))
  })

  describe('5. a warehouse that is busy', () => {
    it('before: fails the order', () =>
      place(before, ['pen'], async ({ world, state }) => {
        await world.refuse('reserve pen', new Busy())
        expect(state()).to.equal('Left {"_tag":"WarehouseBusy"}')
      }))

    it('after: is asked again, a little later each time', () =>
      place(after, ['pen'], async ({ world, clock, state }) => {
        const start = clock.now()
        const delays: Array<number> = []
        for (let i = 0; i < 3; i++) {
          await world.refuse('reserve pen', new Busy())
          clock.advance()
          delays.push(clock.now() - start)
          await turns()
        }
        expect(delays).to.deep.equal([20, 60, 140])
        await world.inStock('pen')
        await world.paid(1250)
        expect(state()).to.equal('Right 1250')
      }))

    it('after: but not for ever', () =>
      place(after, ['pen'], async ({ world, clock, state }) => {
        for (let i = 0; i < 6; i++) {
          await world.refuse('reserve pen', new Busy())
          clock.advance()
          await turns()
        }
        expect(state()).to.equal('Left {"_tag":"WarehouseBusy"}')
        expect(world.log.filter((line) => line === 'reserve pen')).to.have.length(6)
        expect(world.log.at(-1)).to.equal('rollback')
      }))

    it('after: what is not busy is not asked again', () =>
      place(after, ['gone'], async ({ world, clock, state }) => {
        await world.refuse('reserve gone', new Error('out of stock'))
        expect(state()).to.equal('Left {"_tag":"OutOfStock","sku":"gone"}')
        expect(clock.pending()).to.equal(0)
      }))
  })
})
