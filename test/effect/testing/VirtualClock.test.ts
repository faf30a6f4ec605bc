/**
 * Time that stands still until it is moved.
 */
import { expect } from 'chai'
import { VirtualClock } from 'millrace/testing'

describe('VirtualClock', () => {
  it('starts where it is told, and at no round number otherwise', () => {
    expect(VirtualClock.make({ start: 5 }).now()).to.equal(5)
    expect(VirtualClock.make().now() % 100).to.not.equal(0)
  })

  it('stands still until it is moved', () => {
    const clock = VirtualClock.make({ start: 0 })
    clock.at(10, () => undefined)
    expect([clock.now(), clock.pending()]).to.deep.equal([0, 1])
  })

  it('jumps from timer to timer, in the order of their times, and of their making in a tie', () => {
    const clock = VirtualClock.make({ start: 0 })
    const log: Array<string> = []
    clock.at(20, () => log.push(`c@${clock.now()}`))
    clock.at(10, () => log.push(`a@${clock.now()}`))
    clock.at(10, () => log.push(`b@${clock.now()}`))
    while (clock.advance());
    expect(log).to.deep.equal(['a@10', 'b@10', 'c@20'])
    expect([clock.now(), clock.pending(), clock.advance()]).to.deep.equal([20, 0, false])
  })

  it('one call to advance fires one timer', () => {
    const clock = VirtualClock.make({ start: 0 })
    let fired = 0
    clock.at(10, () => fired++)
    clock.at(10, () => fired++)
    expect([clock.advance(), fired, clock.pending()]).to.deep.equal([true, 1, 1])
  })

  it('a timer in the past fires without moving the time back', () => {
    const clock = VirtualClock.make({ start: 100 })
    let fired = 0
    clock.at(50, () => fired++)
    clock.advance()
    expect([fired, clock.now()]).to.deep.equal([1, 100])
  })

  it('a timer that was taken back does not fire', () => {
    const clock = VirtualClock.make({ start: 0 })
    const takeBack = clock.at(10, () => {
      throw new Error('fired')
    })
    takeBack()
    takeBack()
    expect([clock.advance(), clock.now()]).to.deep.equal([false, 0])
  })

  it('a timer may set others while it fires', () => {
    const clock = VirtualClock.make({ start: 0 })
    const log: Array<number> = []
    clock.at(10, () => clock.at(15, () => log.push(clock.now())))
    while (clock.advance());
    expect(log).to.deep.equal([15])
  })
})
