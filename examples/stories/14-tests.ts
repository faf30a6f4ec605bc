// Tests without waiting and without luck: virtual time, and all the interleavings that a seed can find.
import assert from 'node:assert/strict'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Lock, Resource } from 'millrace'
import { it, withResource } from 'millrace/mocha'
import { TestRuntime } from 'millrace/testing'

/** Reads, lets others run, writes: a lost update, unless something keeps the others out. */
const deposits = (exclusive: Lock.Lock['withLock']) =>
  Effect.suspend(() => {
    let balance = 0
    const deposit = (amount: number) =>
      Effect.gen(function* () {
        const before = balance
        yield* Effect.checkpoint
        balance = before + amount
      })
    return pipe(
      exclusive(deposit(10)),
      Concurrent.both(exclusive(deposit(20))),
      Effect.andThen(Effect.sync(() => assert.equal(balance, 30)))
    )
  })

describe('account', () => {
  it.virtual('an hour passes at once', () =>
    Effect.gen(function* () {
      const before = yield* Effect.currentTime
      yield* Effect.sleep(3_600_000)
      assert.equal((yield* Effect.currentTime) - before, 3_600_000)
    })
  )

  it('explore finds the lost update, and the failing schedule replays', () => {
    const found = TestRuntime.explore(
      deposits((fx) => fx),
      { runs: 100, seed: 1 }
    )
    assert.ok(found._tag === 'Failed')
    assert.equal(
      TestRuntime.runExit(
        deposits((fx) => fx),
        { schedule: found.schedule }
      )._tag,
      'Left'
    )
  })

  it.virtual('with a lock no interleaving fails', () =>
    Effect.gen(function* () {
      const lock = yield* Lock.make()
      yield* deposits(lock.withLock)
    })
  )
})

withResource('a shared list', Resource.of<Array<number>>([]), (get) => {
  it.effect('is there', () => Effect.sync(() => get().push(1)))
})

// Output:
//   account
//     ✔ an hour passes at once
//     ✔ explore finds the lost update, and the failing schedule replays
//     ✔ with a lock no interleaving fails
//   a shared list
//     ✔ is there
