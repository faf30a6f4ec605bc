/**
 * 100,000 operations against what lives long: a signal, a scope, a promise that never settles. Listeners, waiters and heap
 * are afterwards where they were, and the host has nothing to complain of.
 */
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  AbortSignals,
  CancelScope,
  Concurrent,
  Dispatcher,
  Effect,
  LowLevel,
  Promises,
  Resource,
  Runtime,
  TaskEithers,
  TaskGroup,
  Timeout
} from 'millrace'
import { complaintsOf, turn, turns, withDefault } from '../support/host.js'

const operations = 100_000
/** What may be left for each operation, in bytes: less than the smallest object. */
const slack = 12

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heap = async (): Promise<number> => {
  // A weak reference may be held until the end of its turn, and what a finalizer frees until the next collection.
  for (let i = 0; i < 3; i++) {
    collect()
    await turn()
  }
  return process.memoryUsage().heapUsed
}

/**
 * Runs `some` many times, and tells what each time has left, in bytes. What the host allocates meanwhile for itself comes
 * once, a leak comes each time: so if there is something left, we look again.
 */
const leftBy = async (some: (times: number) => Promise<unknown>): Promise<number> => {
  // Code is compiled and caches are filled before we measure.
  await some(operations / 10)
  let least = Infinity
  for (let round = 0; round < 3 && least >= slack; round++) {
    const before = await heap()
    await some(operations)
    least = Math.min(least, ((await heap()) - before) / operations)
  }
  return least
}

/** The effect so many times, one after the other, in one run. */
const times = (n: number, fx: Effect.Effect<unknown, never, unknown>): Promise<unknown> =>
  Runtime.runPromise(Effect.repeatN(n)(Effect.suspend(() => fx)))

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

const never = new Promise<never>(() => undefined)

/** Checks heap and complaints; `settled` is looked at while all is still alive. */
const leavesNothing = async (
  some: (times: number) => Promise<unknown>,
  settled: () => void = () => undefined
): Promise<void> => {
  let left = NaN
  const complaints = await complaintsOf(async () => {
    left = await leftBy(some)
  })
  settled()
  expect(complaints).to.deep.equal([])
  expect(left).to.be.lessThan(slack)
}

describe(`after ${operations} operations nothing is left`, () => {
  describe('on one signal', () => {
    const { signal } = new AbortController()
    const unheard = () => {
      expect(listeners(signal)).to.equal(0)
    }

    it('that runs were given', () =>
      leavesNothing(async (n) => {
        for (let i = 0; i < n; i++) await Runtime.runPromise(Effect.checkpoint, { signal })
      }, unheard)).timeout(30_000)

    const wait = Promises.fromPromise(() => Promise.resolve(1))

    it('that many runs at the same time were given', () =>
      leavesNothing(async (n) => {
        for (let i = 0; i < n; i += 1000) {
          const runs = Array.from({ length: 1000 }, () => Runtime.runPromise(wait, { signal }))
          expect(listeners(signal)).to.equal(1)
          await Promise.all(runs)
        }
      }, unheard)).timeout(30_000)

    it('that scopes are cancelled on', () =>
      leavesNothing(
        (n) =>
          times(
            n,
            CancelScope.open((scope) => AbortSignals.cancelOn(signal)(scope))
          ),
        unheard
      )).timeout(30_000)

    it('that one scope is cancelled on, again and again', () =>
      leavesNothing(
        (n) =>
          Runtime.runPromise(
            CancelScope.open((scope) => Effect.repeatN(n)(AbortSignals.cancelOn(signal)(scope)))
          ),
        unheard
      )).timeout(30_000)

    it('that is the signal of the wait around TaskEithers', () =>
      withDefault({ asyncContext: true }, () =>
        leavesNothing(async (n) => {
          let ambient: AbortSignal | undefined
          const work: TaskEither<string, number> = async () => {
            ambient = AbortSignals.current()
            const call = TaskEithers.tryCatch((given) => {
              // As careless code does.
              given.addEventListener('abort', () => undefined)
              return Promise.resolve(1)
            }, String)
            for (let i = 0; i < n / 2; i++) {
              await call()
              await TaskEithers.sequenceArray([call])()
            }
            expect(listeners(ambient)).to.equal(0)
            return E.right(1)
          }
          await Runtime.runPromise(Effect.fromTaskEither(work), { signal })
        }, unheard)
      )).timeout(60_000)

    it('that never aborts, outside of a run', () =>
      leavesNothing(async (n) => {
        for (let i = 0; i < n; i++) AbortSignals.current().addEventListener('abort', () => undefined)
        await turn()
      })).timeout(30_000)
  })

  describe('in one scope', () => {
    /** One scope that lives until the end, and its node. */
    const inOneScope = (
      body: (scope: CancelScope.CancelScope) => Effect.Effect<unknown, never, unknown>
    ): Promise<void> =>
      Runtime.runPromise(
        Effect.asUnit(
          CancelScope.open((scope) => Promises.fromPromise(() => leavesNothing((n) => times(n, body(scope)))))
        )
      )

    it('that is asked for its signal', () => inOneScope((scope) => AbortSignals.fromScope(scope))).timeout(
      30_000
    )

    const many: Readonly<Record<string, Effect.Effect<unknown, never, unknown>>> = {
      scopes: CancelScope.open(() => Effect.checkpoint),
      'timeouts that do not fire': pipe(Effect.checkpoint, Timeout.moveOnAfter(1_000_000)),
      'scopes that are cancelled': CancelScope.open((scope) =>
        Effect.andThen(Effect.checkpoint)(scope.cancel())
      ),
      'waits for promises': Promises.fromPromise(() => Promise.resolve(1)),
      'waits for promises that take a signal': Promises.fromPromise((_signal) => Promise.resolve(1)),
      groups: TaskGroup.open()((group) => group.spawn(Effect.checkpoint)),
      races: Concurrent.race(Effect.never)(Effect.checkpoint),
      dispatchers: pipe(
        Dispatcher.make(),
        Resource.use((dispatcher) => Promises.fromPromise(() => dispatcher.runUnsafe(Effect.checkpoint)))
      )
    }
    for (const [what, fx] of Object.entries(many)) {
      it(`with ${what}`, () =>
        leavesNothing((n) =>
          Runtime.runPromise(CancelScope.open(() => Effect.repeatN(n)(Effect.suspend(() => fx))))
        )).timeout(60_000)
    }

    it('with callbacks on its cancellation that are taken back', () =>
      leavesNothing((n) =>
        Runtime.runPromise(
          LowLevel.openScope({ name: 'long' }, (node) =>
            Effect.repeatN(n)(
              Effect.sync(() => {
                LowLevel.onScopeCancel(node, () => undefined)()
                LowLevel.onScopeClose(node, () => undefined)()
              })
            )
          )
        )
      )).timeout(30_000)

    it('with a dispatcher that runs them all', () =>
      leavesNothing((n) =>
        Runtime.runPromise(
          pipe(
            Dispatcher.make(),
            Resource.use((dispatcher) =>
              Promises.fromPromise(async () => {
                for (let i = 0; i < n; i++) await dispatcher.runUnsafe(Effect.checkpoint)
              })
            )
          )
        )
      )).timeout(30_000)
  })

  describe('on one promise that never settles', () => {
    const wait = Promises.fromPromise(() => never, { abandonOnCancel: true })

    it('that is let go by its scope', () =>
      leavesNothing((n) =>
        times(
          n,
          CancelScope.open((scope) =>
            TaskGroup.open()((group) =>
              pipe(group.spawn(wait), Effect.andThen(Effect.checkpoint), Effect.andThen(scope.cancel()))
            )
          )
        )
      )).timeout(60_000)

    it('that loses races', () =>
      leavesNothing((n) => times(n, pipe(wait, Concurrent.race(Effect.checkpoint))))).timeout(60_000)

    it('under the eyes of an instrument, which is told of the late value', async () => {
      let told: Array<unknown> = []
      const runtime = Runtime.make({ instruments: [{ onDiscard: (_, value) => told.push(value) }] })
      let resolve!: (n: number) => void
      const late = new Promise<number>((yes) => {
        resolve = yes
      })
      const watched = Promises.fromPromise(() => late, { abandonOnCancel: true })
      await leavesNothing((n) =>
        Runtime.runPromise(Effect.repeatN(n)(pipe(watched, Concurrent.race(Effect.checkpoint))), { runtime })
      )
      told = []
      resolve(42)
      await turns()
      expect(told).to.deep.equal([42])
    }).timeout(60_000)

    it('that is let go by signals', () =>
      leavesNothing(async (n) => {
        for (let i = 0; i < n / 10; i++) {
          const controller = new AbortController()
          const exit = Runtime.runExit(wait, { signal: controller.signal })
          controller.abort()
          await exit
        }
      })).timeout(60_000)

    it('and that TaskEithers are let go of', () =>
      leavesNothing((n) => {
        const te: TaskEither<never, never> = () => never
        return times(
          n,
          pipe(Effect.fromTaskEither(te, { abandonOnCancel: true }), Concurrent.race(Effect.checkpoint))
        )
      })).timeout(60_000)

    it('with a signal that careless code listens to', () =>
      leavesNothing(async (n) => {
        const careless = Promises.fromPromise(
          (signal) => {
            signal.addEventListener('abort', () => undefined)
            return never
          },
          { abandonOnCancel: true }
        )
        await times(n / 10, pipe(careless, Concurrent.race(Effect.checkpoint)))
      })).timeout(60_000)

    it('and it is still observed: a late rejection is nobody’s unhandled one', async () => {
      const complaints = await complaintsOf(async () => {
        let reject!: (reason: unknown) => void
        const promise = new Promise<never>((_, no) => {
          reject = no
        })
        await times(
          1000,
          pipe(
            Promises.fromPromise(() => promise, { abandonOnCancel: true }),
            Concurrent.race(Effect.checkpoint)
          )
        )
        reject(new Error('late'))
        await turns()
      })
      expect(complaints).to.deep.equal([])
    })
  })
})
