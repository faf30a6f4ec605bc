/** Arms that wait for their place when the scope is cancelled. */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Exit, Timeout } from 'millrace'
import { TestRuntime } from 'millrace/testing'

function* endless() {
  for (let i = 0; ; i++) yield i
}

describe('a bounded composition that is cancelled', () => {
  it('does not begin the arms that wait for their place', () => {
    const begun: Array<number> = []
    const program = pipe(
      [0, 1, 2, 3, 4, 5],
      Concurrent.forEach((i) => Effect.suspend(() => (begun.push(i), Effect.sleep(10))), { concurrency: 2 }),
      Timeout.moveOnAfter(15)
    )
    expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed({ _tag: 'None' }))
    expect(begun).to.deep.equal([0, 1, 2, 3])
  })

  it('ends, also when its items never do', () => {
    const program = pipe(
      endless(),
      Concurrent.forEach(() => Effect.sleep(10), { concurrency: 2 }),
      Timeout.moveOnAfter(15)
    )
    expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed({ _tag: 'None' }))
  })

  it('has no value when arms were left, although those that ran ended with one', () => {
    const program = pipe(
      [1, 2, 3],
      Concurrent.traverse((n) => Timeout.shielded(Effect.as(n)(Effect.sleep(10))), { concurrency: 2 }),
      Timeout.moveOnAfter(5)
    )
    expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed({ _tag: 'None' }))
  })

  it('keeps its value when no arm was left', () => {
    const program = pipe(
      [1, 2],
      Concurrent.traverse((n) => Timeout.shielded(Effect.as(n)(Effect.sleep(10))), { concurrency: 2 }),
      Timeout.moveOnAfter(5)
    )
    expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed({ _tag: 'Some', value: [1, 2] }))
  })

  it('begins as many arms as have a place, also in a scope that was cancelled before', () => {
    const begun: Array<number> = []
    const program = pipe(
      [0, 1, 2, 3],
      Concurrent.forEach((i) => Effect.suspend(() => (begun.push(i), Effect.checkpoint)), { concurrency: 2 }),
      Timeout.moveOnAfter(0)
    )
    expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed({ _tag: 'None' }))
    expect(begun).to.deep.equal([0, 1])
  })
})
