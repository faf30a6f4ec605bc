/**
 * Programs of many parts, cancelled at every point: whatever was acquired is released once, and nobody is left alive.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Cause, Concurrent, Effect, Resource, TaskGroup, Timeout } from 'millrace'
import { cancelEverywhere, type Ledger } from '../support/ledger.js'
import type { Fx } from '../support/seeds.js'

const { sleep, gen } = Effect
type Started<S = void> = TaskGroup.Started<S>

const held = (ledger: Ledger, name: string) =>
  Resource.fromUse<unknown, never, string>((use) => ledger.hold(name)(Effect.suspend(() => use(name))))

/** Holds something while it sleeps. */
const work = (ledger: Ledger, name: string, ms = 2) => ledger.hold(name)(ledger.alive(sleep(ms)))

const programs: ReadonlyArray<readonly [string, (ledger: Ledger) => Fx<unknown, string>]> = [
  [
    'a group whose tasks spawn tasks',
    (ledger) =>
      TaskGroup.open()((group) =>
        gen(function* () {
          yield* group.spawn(
            gen(function* () {
              yield* work(ledger, 'a', 1)
              yield* group.spawn(work(ledger, 'b'))
            })
          )
          yield* group.spawn(work(ledger, 'c'))
          yield* work(ledger, 'body')
        })
      )
  ],
  [
    'nested groups, one of which fails',
    (ledger) =>
      pipe(
        TaskGroup.open<string>()((outer) =>
          gen(function* () {
            yield* outer.spawn(work(ledger, 'sibling', 5))
            yield* TaskGroup.open<string>()((inner) =>
              gen(function* () {
                yield* inner.spawn(ledger.hold('failing')(Effect.andThen(Effect.fail('no'))(sleep(2))))
                yield* inner.spawn(work(ledger, 'cousin', 5))
              })
            )
          })
        ),
        Effect.either
      )
  ],
  [
    'start: ready, failing, and cancelled in between',
    (ledger) =>
      TaskGroup.open()((group) =>
        gen(function* () {
          yield* Effect.either(
            group.start((started: Started<number>) =>
              ledger.hold('server')(
                gen(function* () {
                  yield* sleep(1)
                  yield* started(80)
                  yield* work(ledger, 'serving', 3)
                })
              )
            )
          )
          yield* Effect.exit(
            group.start((_: Started) => Effect.orDie(ledger.hold('broken')(Effect.fail('not ready'))))
          )
          yield* Timeout.moveOnAfter(2)(
            Effect.either(group.start((_: Started) => ledger.hold('slow to start')(sleep(50))))
          )
        })
      )
  ],
  [
    'services and tasks that are cancelled one by one',
    (ledger) =>
      TaskGroup.open()((group) =>
        gen(function* () {
          yield* group.spawn(ledger.hold('service')(ledger.alive(Effect.never)), { service: true })
          const task = yield* group.spawn(work(ledger, 'task', 50))
          yield* sleep(2)
          yield* task.cancel()
          yield* task.wait
          const owned = yield* group.spawnOwned(ledger.hold('owned')(Effect.fail('owned')))
          yield* Timeout.shielded(owned.wait)
        })
      )
  ],
  [
    'a race of resources under a timeout, in a bounded traverse',
    (ledger) =>
      pipe(
        [1, 2, 3, 4],
        Concurrent.traverse(
          (n) =>
            pipe(
              work(ledger, `slow ${n}`, 4),
              Concurrent.race(work(ledger, `fast ${n}`, n)),
              Timeout.failAfter(3, () => 'late'),
              Effect.either
            ),
          { concurrency: 2 }
        )
      )
  ],
  [
    'resources: in each other, side by side, with a background task',
    (ledger) => {
      const background = Resource.fromUse<unknown, never, string>((use) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            yield* group.spawn(ledger.hold('background')(ledger.alive(Effect.never)), { service: true })
            return yield* use('background')
          })
        )
      )
      return pipe(
        held(ledger, 'a'),
        Resource.flatMap(() => pipe(held(ledger, 'b'), Resource.par(background))),
        Resource.use(() => work(ledger, 'use'))
      )
    }
  ],
  [
    'clean-up that opens groups, races and timeouts',
    (ledger) =>
      pipe(
        work(ledger, 'main'),
        Effect.ensuring(
          gen(function* () {
            yield* TaskGroup.open()((group) => group.spawn(work(ledger, 'in a finalizer')))
            yield* Concurrent.race(work(ledger, 'fast', 1))(work(ledger, 'slow', 3))
            yield* Timeout.moveOnAfter(2)(work(ledger, 'bounded', 9))
          })
        )
      )
  ],
  [
    'a generator with finally blocks that wait',
    (ledger) =>
      gen(function* () {
        try {
          yield* work(ledger, 'try')
          yield* work(ledger, 'try again', 1)
        } finally {
          yield* work(ledger, 'finally')
        }
      })
  ],
  [
    'asCompleted, firstSuccess and validate',
    (ledger) =>
      gen(function* () {
        yield* pipe(
          [3, 1].map((ms) => work(ledger, `completed ${ms}`, ms)),
          Concurrent.asCompleted(() => work(ledger, 'handler', 1))
        )
        yield* Effect.either(
          Concurrent.firstSuccess([
            ledger.hold('x')(Effect.andThen(Effect.fail('no'))(sleep(1))),
            work(ledger, 'y', 2),
            work(ledger, 'z', 3)
          ])
        )
        yield* pipe(
          [1, 2],
          Concurrent.validate((n) => ledger.hold(`v${n}`)(Effect.andThen(Effect.fail('no'))(sleep(n)))),
          Effect.either
        )
      })
  ],
  [
    'scopes in which everything happens: shields, deadlines, cancellations',
    (ledger) =>
      CancelScope.open((outer) =>
        gen(function* () {
          yield* Timeout.shielded(work(ledger, 'shielded'))
          yield* CancelScope.open((inner) =>
            gen(function* () {
              yield* ledger.hold('inner')(
                gen(function* () {
                  yield* sleep(1)
                  yield* inner.cancel()
                  yield* Effect.exit(work(ledger, 'swallowed'))
                  yield* work(ledger, 'again')
                })
              )
            })
          )
          yield* Timeout.moveOnAfter(2)(work(ledger, 'timeout', 5))
          yield* outer.cancel()
          yield* work(ledger, 'not reached')
        })
      )
  ]
]

describe('cancelled at every point', () => {
  for (const [name, program] of programs) {
    it(name, () => {
      let inTime = 0
      let caught = 0
      const points = cancelEverywhere(program, (run) => {
        if (run.inTime) inTime++
        // Cancelled, or ended by itself with a value; a defect or a failure would be a bug of the library.
        expect(run.shown, run.point).to.match(/^ok/)
        if (run.shown === 'ok(None)') caught++
        expect(run.exit._tag === 'Right' ? [] : Cause.defects(run.exit.left)).to.deep.equal([])
      })
      // It says something only if the cancellations hit.
      expect(points).to.be.above(100)
      expect(inTime).to.be.above(80)
      expect(caught).to.be.above(40)
    }).timeout(20_000)
  }
})
