/**
 * Choices by a seed, and the same again.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { SeededScheduler } from 'millrace/testing'

/** So many turns are ready from the beginning, and each makes `more` others ready once; the order in which they ran. */
const orderOf = (
  scheduler: SeededScheduler.SeededScheduler,
  count: number,
  more = 0
): ReadonlyArray<string> => {
  const order: Array<string> = []
  const schedule = (name: string, deep: number) =>
    scheduler.schedule({
      next: null,
      run: () => {
        order.push(name)
        for (let i = 0; i < deep; i++) schedule(`${name}.${i}`, 0)
      }
    })
  for (let i = 0; i < count; i++) schedule(`${i}`, more)
  while (scheduler.advance());
  return order
}

describe('SeededScheduler', () => {
  it('runs nothing by itself, one turn a call, and says when there is none', () => {
    const scheduler = SeededScheduler.make(0)
    let ran = 0
    const turn = {
      next: null,
      run: () => {
        ran++
      }
    }
    scheduler.schedule(turn)
    scheduler.schedule(turn)
    expect(ran).to.equal(0)
    expect([scheduler.advance(), ran]).to.deep.equal([true, 1])
    expect([scheduler.advance(), ran]).to.deep.equal([true, 2])
    expect([scheduler.advance(), ran]).to.deep.equal([false, 2])
  })

  it('runs each turn once, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat({ max: 20 }), fc.nat({ max: 3 }), (seed, count, more) => {
        const order = orderOf(SeededScheduler.make(seed), count, more)
        expect(new Set(order).size).to.equal(order.length)
        expect(order.length).to.equal(count * (1 + more))
      })
    )
  })

  it('the same seed gives the same order', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(orderOf(SeededScheduler.make(seed), 10, 2)).to.deep.equal(
          orderOf(SeededScheduler.make(seed), 10, 2)
        )
      })
    )
  })

  it('different seeds give all orders', () => {
    const orders = new Set<string>()
    for (let seed = 0; seed < 300; seed++) orders.add(orderOf(SeededScheduler.make(seed), 4).join())
    expect(orders.size).to.equal(24)
  })

  it('notes a choice only where there was one', () => {
    const scheduler = SeededScheduler.make(0)
    orderOf(scheduler, 1)
    expect(scheduler.choices()).to.deep.equal([])
    orderOf(scheduler, 3)
    expect(scheduler.choices()).to.have.length(2)
  })

  it('choices can be followed under any seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (seed, other) => {
        const first = SeededScheduler.make(seed)
        const order = orderOf(first, 6, 1)
        const again = SeededScheduler.make(other, first.choices())
        expect(orderOf(again, 6, 1)).to.deep.equal(order)
        expect(again.choices()).to.deep.equal(first.choices())
      })
    )
  })

  it('a choice of 0 is the one that was ready first', () => {
    expect(orderOf(SeededScheduler.make(7, [0, 0, 0, 0]), 5)).to.deep.equal(['0', '1', '2', '3', '4'])
    expect(orderOf(SeededScheduler.make(7, [2, 1]), 3)).to.deep.equal(['2', '1', '0'])
  })

  it('a choice beyond what is ready is the last one; after the last choice the seed decides', () => {
    expect(orderOf(SeededScheduler.make(0, [99, 99]), 3)).to.deep.equal(['2', '1', '0'])
    const orders = new Set<string>()
    for (let seed = 0; seed < 50; seed++) orders.add(orderOf(SeededScheduler.make(seed, [1]), 3).join())
    expect([...orders].sort()).to.deep.equal(['1,0,2', '1,2,0'])
  })

  it('counts the turns that have used up their steps', () => {
    const scheduler = SeededScheduler.make(0)
    scheduler.exhausted?.({ next: null, run: () => undefined })
    expect(scheduler.exhaustions()).to.equal(1)
    expect(scheduler.advance()).to.equal(true)
  })
})
