// Run by mocha as a child process, see Mocha.test.ts.
import { expect } from 'chai'
import assert from 'node:assert/strict'
import { Cause, Concurrent, Effect } from 'millrace'
import { it } from 'millrace/mocha'

const after = (fx: Effect.Effect<unknown, unknown, unknown>) => Effect.andThen(fx)(Effect.yieldNow)

describe('failing', () => {
  it.effect('a typed failure', () => after(Effect.fail({ _tag: 'NotFound', id: 3 })))
  it.effect('chai in a generator', () =>
    Effect.gen(function* () {
      yield* Effect.sleep(1)
      expect({ a: 1, b: [2] }).to.deep.equal({ a: 1, b: [3] })
    })
  )
  it.virtual('node:assert in virtual time', () =>
    after(
      Effect.sync(() => {
        assert.equal(1, 2)
      })
    )
  )
  it.effect('an assertion as a typed failure', () =>
    Effect.tryCatch(
      () => {
        expect('left').to.equal('right')
      },
      (error) => error
    )
  )
  it.virtual('several', () =>
    Concurrent.all([after(Effect.fail('one')), Effect.ensuring(Effect.die('two'))(Effect.never)])
  )
  it.virtual('a deadlock', () => Effect.never)
  it.virtual('the order of a seed', () => {
    const words: Array<string> = []
    const word = (name: string) =>
      after(
        Effect.sync(() => {
          words.push(name)
        })
      )
    return Effect.andThen(Effect.suspend(() => Effect.failCause(Cause.fail(words.join('')))))(
      Concurrent.all(['a', 'b', 'c', 'd', 'e', 'f'].map(word))
    )
  })
})
