/**
 * One user at a time; a second one fails instead of waiting.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, ResourceGuard, Timeout } from 'millrace'
import { cancelEverywhere } from '../support/ledger.js'
import { expectAll, type Fx, observe } from '../support/seeds.js'

const { sleep, gen } = Effect

describe('ResourceGuard', () => {
  it('gives what the user gives: value, failure, defect', () => {
    for (const [fx, exit] of [
      [Effect.succeed(1), 'ok(1)'],
      [Effect.fail('no'), 'Fail(no)'],
      [Effect.die('bug'), 'Die(bug)']
    ] as const) {
      expectAll(
        () => Effect.flatMap((guard: ResourceGuard.ResourceGuard) => guard.use(fx))(ResourceGuard.make()),
        {
          exit
        }
      )
    }
  })

  it('a second user fails with BusyResource, which says what the first is doing; its effect does not run', () => {
    const second = (action?: string) =>
      observe((log) =>
        gen(function* () {
          const guard = yield* ResourceGuard.make(action)
          return yield* Concurrent.both(Effect.either(guard.use(log('not reached'))))(guard.use(sleep(5)))
        })
      )
    expect(second('reading from').exit).to.have.deep.nested.property('right[1].left', {
      _tag: 'BusyResource',
      action: 'reading from'
    })
    expect(second().exit).to.have.nested.property('right[1].left.action', 'using')
    expect(second().log).to.deep.equal([])
  })

  it('a user who is refused does not disturb the one who is there', () => {
    expectAll(
      (log) =>
        gen(function* () {
          const guard = yield* ResourceGuard.make()
          yield* Concurrent.all([
            guard.use(Effect.andThen(log('first'))(sleep(5))),
            Effect.either(guard.use(log('not reached'))),
            Effect.andThen(Effect.either(guard.use(log('not reached'))))(sleep(2)),
            Effect.andThen(guard.use(log('after')))(sleep(6))
          ])
        }),
      { exit: 'ok()', log: ['first@5', 'after@6'] }
    )
  })

  it('is free again when the user has ended, however that was, its clean-up included', () => {
    const fxs: ReadonlyArray<Fx<unknown, string>> = [
      Effect.unit,
      Effect.fail('no'),
      Effect.die('bug'),
      Timeout.moveOnAfter(1)(Effect.never),
      Effect.ensuring(Effect.fail('clean-up'))(Effect.unit)
    ]
    for (const fx of fxs) {
      expectAll(
        () =>
          gen(function* () {
            const guard = yield* ResourceGuard.make()
            yield* Effect.exit(guard.use(fx))
            yield* pipe(guard.use(sleep(10)), Timeout.moveOnAfter(1))
            return yield* guard.use(Effect.succeed('free'))
          }),
        { exit: 'ok(free)' }
      )
    }
    expectAll(
      () =>
        gen(function* () {
          const guard = yield* ResourceGuard.make()
          return yield* Concurrent.all([
            pipe(guard.use(Effect.ensuring(sleep(5))(Effect.never)), Timeout.moveOnAfter(1)),
            pipe(
              sleep(3),
              Effect.andThen(guard.use(Effect.unit)),
              Effect.either,
              Effect.map((e) => e._tag)
            ),
            pipe(
              sleep(7),
              Effect.andThen(guard.use(Effect.unit)),
              Effect.either,
              Effect.map((e) => e._tag)
            )
          ])
        }),
      { exit: 'ok([{"_tag":"None"},"Left","Right"])' }
    )
  })

  it('two guards do not know each other, and each make makes one', () => {
    expectAll(
      () =>
        gen(function* () {
          const a = yield* ResourceGuard.make()
          const b = yield* ResourceGuard.make()
          return yield* a.use(b.use(Effect.succeed('both')))
        }),
      { exit: 'ok(both)' }
    )
  })

  it('cancelled at every point it is free afterwards', () => {
    cancelEverywhere((ledger) =>
      gen(function* () {
        const guard = yield* ResourceGuard.make()
        yield* Effect.ensuring(Effect.orDie(guard.use(ledger.alive(Effect.unit))))(
          guard.use(ledger.hold('guarded')(sleep(2)))
        )
      })
    )
  })
})
