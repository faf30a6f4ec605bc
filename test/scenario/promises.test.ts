/** Promises in and out: round trips, and every order in which an abort, a settlement and letting go can come. */
import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import type { Exit } from 'millrace'
import { AbortSignals, CancelScope, Cause, Effect, Promises, Runtime } from 'millrace'
import { VirtualClock } from 'millrace/testing'
import { complaintsOf, deferred, turns, withDefault } from '../support/host.js'
import { show } from '../support/seeds.js'

const bug = new Error('a bug')

class Stopped extends Error {
  override readonly name = 'AbortError'
}

describe('Promises', () => {
  describe('round trips', () => {
    it('a value comes back as it is, also one that is a promise’s own business', () =>
      fc.assert(
        fc.asyncProperty(fc.anything(), async (value) => {
          fc.pre(typeof (value as { then?: unknown } | null | undefined)?.then !== 'function')
          const there = Promises.fromPromise(() => Promise.resolve(value))
          const back = Promises.fromPromise(Promises.toPromise(Effect.succeed(value)))
          const came = [
            await Runtime.runPromise(there),
            await Promises.toPromise(there)(),
            await Runtime.runPromise(back)
          ]
          expect(came.map((each) => Object.is(each, value))).to.deep.equal([true, true, true])
        })
      ))

    it('a rejection comes back as the cause of the error', async () => {
      const reason: unknown = await Promises.toPromise(
        Promises.fromPromise(() => Promise.reject(bug))
      )().catch((u: unknown) => u)
      expect(reason).to.be.instanceOf(Cause.CauseError)
      expect((reason as Error).cause).to.equal(bug)
    })

    it('a failure goes out as a CauseError, and comes back as one, not wrapped again', async () => {
      const reason: unknown = await Runtime.runPromise(
        Promises.fromPromise(Promises.toPromise(Effect.fail('no')))
      ).catch((u: unknown) => u)
      expect(reason).to.be.instanceOf(Cause.CauseError)
      expect((reason as Cause.CauseError).source).to.deep.equal(Cause.fail('no'))
    })

    it('the function is called by each run, and not before', async () => {
      let calls = 0
      const fx = Promises.fromPromise(() => Promise.resolve(++calls))
      expect(calls).to.equal(0)
      expect([await Runtime.runPromise(fx), await Runtime.runPromise(fx)]).to.deep.equal([1, 2])
    })

    it('is not called in a scope that was cancelled before', async () => {
      let calls = 0
      const exit = await Runtime.runExit(
        Promises.fromPromise(() => Promise.resolve(++calls)),
        { signal: AbortSignal.abort() }
      )
      expect([show(exit), calls]).to.deep.equal(['Cancelled', 0])
    })

    it('tryPromise maps rejections, not what the function throws, and not what comes from the abort', async () => {
      const mapped = (f: () => Promise<never>) => Promises.tryPromise(f, (u) => `mapped ${String(u)}`)
      expect(show(await Runtime.runExit(mapped(() => Promise.reject(bug))))).to.equal(
        'Fail(mapped Error: a bug)'
      )
      const thrown = mapped(() => {
        throw bug
      })
      expect(show(await Runtime.runExit(thrown))).to.equal('Die(Error: a bug)')
    })

    it('a mapping that throws is a defect', async () => {
      const fx = Promises.tryPromise(
        () => Promise.reject(bug),
        () => {
          throw new Error('mapping')
        }
      )
      expect(show(await Runtime.runExit(fx))).to.equal('Die(Error: mapping)')
    })

    it('something that is no promise is a defect that says so', async () => {
      const fx = Promises.fromPromise(() => 42 as unknown as Promise<number>)
      expect(show(await Runtime.runExit(fx))).to.match(/^Die\(TypeError: fromPromise: expected a promise/)
    })

    it('a thenable that calls back at once, and more than once, counts once', async () => {
      const thenable = {
        then: (onValue: (n: number) => void, onReason: (u: unknown) => void) => {
          onValue(1)
          onReason(bug)
          onValue(2)
        }
      } as unknown as PromiseLike<number>
      for (const abandonOnCancel of [false, true]) {
        const fx = Promises.fromPromise(() => thenable, { abandonOnCancel })
        expect(show(await Runtime.runExit(fx))).to.equal('ok(1)')
      }
    })

    it('toPromise inside of another wait is cancelled with it', () =>
      withDefault({ asyncContext: true }, async () => {
        const controller = new AbortController()
        const nested = Promises.toPromise(Effect.never)
        const exit = Runtime.runExit(Effect.fromTask(nested), { signal: controller.signal })
        await turns()
        controller.abort()
        expect(show(await exit)).to.equal('Cancelled')
      }))
  })

  describe('abandonOnCancel and one promise that many wait for', () => {
    const waiting = (promise: Promise<number>) =>
      Promises.fromPromise(() => promise, { abandonOnCancel: true })

    it('all get its value, in the order in which they came', async () => {
      const { promise, resolve } = deferred<number>()
      const order: Array<number> = []
      const runs = [0, 1, 2].map((i) =>
        Runtime.runPromise(
          Effect.map((n: number) => {
            order.push(i)
            return n
          })(waiting(promise))
        )
      )
      resolve(42)
      expect(await Promise.all(runs)).to.deep.equal([42, 42, 42])
      expect(order).to.deep.equal([0, 1, 2])
    })

    it('all get its rejection', async () => {
      const { promise, reject } = deferred<number>()
      const runs = [0, 1].map(() => Runtime.runExit(waiting(promise)))
      reject(bug)
      expect((await Promise.all(runs)).map(show)).to.deep.equal(['Die(Error: a bug)', 'Die(Error: a bug)'])
    })

    it('who was let go gets nothing, the others do', async () => {
      const { promise, resolve } = deferred<number>()
      const controller = new AbortController()
      const gone = Runtime.runExit(waiting(promise), { signal: controller.signal })
      const stays = Runtime.runExit(waiting(promise))
      await turns()
      controller.abort()
      expect(show(await gone)).to.equal('Cancelled')
      resolve(42)
      expect(show(await stays)).to.equal('ok(42)')
    })

    it('who comes after it has settled gets its value as well', async () => {
      const promise = Promise.resolve(42)
      expect(await Runtime.runPromise(waiting(promise))).to.equal(42)
      expect(await Runtime.runPromise(waiting(promise))).to.equal(42)
      const again = pipe(
        waiting(promise),
        Effect.flatMap((n) => Effect.map((m: number) => n + m)(waiting(promise)))
      )
      expect(await Runtime.runPromise(again)).to.equal(84)
    })

    it('one who is cancelled by another one in the very turn of the settlement has not received it', async () => {
      const { promise, resolve } = deferred<number>()
      const controller = new AbortController()
      const canceller = Runtime.runExit(
        Effect.tap(() =>
          Effect.sync(() => {
            controller.abort()
          })
        )(waiting(promise))
      )
      const cancelled = Runtime.runExit(waiting(promise), { signal: controller.signal })
      resolve(42)
      expect(show(await canceller)).to.equal('ok(42)')
      expect(show(await cancelled)).to.equal('Cancelled')
    })

    it('a thenable that does its work in then does it for each', async () => {
      let queries = 0
      const query = {
        then: (onValue: (n: number) => void) => {
          onValue(++queries)
        }
      } as unknown as PromiseLike<number>
      const fx = Promises.fromPromise(() => query, { abandonOnCancel: true })
      expect([await Runtime.runPromise(fx), await Runtime.runPromise(fx)]).to.deep.equal([1, 2])
    })
  })

  describe('every order of abort, settlement and the end of a grace', () => {
    type Step = 'abort' | 'settle' | 'grace'
    const orders: ReadonlyArray<ReadonlyArray<Step>> = [
      ['settle'],
      ['settle', 'abort'],
      ['abort', 'settle'],
      ['abort', 'grace', 'settle'],
      ['abort', 'settle', 'grace']
    ]
    const settlements = {
      value: (it: { resolve: (n: number) => void }) => {
        it.resolve(42)
      },
      rejection: (it: { reject: (u: unknown) => void }) => {
        it.reject(bug)
      },
      'the reason of the signal': (it: { reject: (u: unknown) => void }, signal: AbortSignal) => {
        it.reject(signal.aborted ? signal.reason : bug)
      },
      'an error with that as its cause': (it: { reject: (u: unknown) => void }, signal: AbortSignal) => {
        it.reject(signal.aborted ? new Error('wrapped', { cause: signal.reason }) : bug)
      },
      AbortError: (it: { reject: (u: unknown) => void }, signal: AbortSignal) => {
        it.reject(signal.aborted ? new Stopped('stopped') : bug)
      },
      'a rejection by something that is no error': (it: { reject: (u: unknown) => void }) => {
        it.reject(undefined)
      }
    }

    /** What must come of it: by the steps before the end, and what the promise did. */
    const expected = (
      order: ReadonlyArray<Step>,
      settlement: string,
      abandon: boolean,
      mapped: boolean
    ): string => {
      const aborted = order.indexOf('abort') !== -1 && order.indexOf('abort') < order.indexOf('settle')
      const letGo =
        aborted && (abandon || (order.includes('grace') && order.indexOf('grace') < order.indexOf('settle')))
      if (letGo) return 'Cancelled'
      if (settlement === 'value') return 'ok(42)'
      const reason = settlement === 'a rejection by something that is no error' ? '' : 'Error: a bug'
      const failed = mapped ? `Fail(mapped ${reason === '' ? 'undefined' : reason})` : `Die(${reason})`
      if (!aborted) return failed
      return settlement === 'rejection' || reason === '' ? `Then(Cancelled, ${failed})` : 'Cancelled'
    }

    for (const together of [false, true]) {
      for (const order of orders) {
        for (const [settlement, settle] of Object.entries(settlements)) {
          for (const abandonOnCancel of [false, true]) {
            for (const mapped of [false, true]) {
              const title = [
                order.join(', '),
                `with ${settlement}`,
                ...(together ? ['in one turn'] : []),
                ...(abandonOnCancel ? ['abandonOnCancel'] : []),
                ...(mapped ? ['tryPromise'] : [])
              ].join('; ')
              // The end of a grace is a timer, which is no matter of one turn.
              if (together && order.includes('grace')) continue
              it(title, async () => {
                const clock = VirtualClock.make()
                const runtime = Runtime.make({ clock })
                const controller = new AbortController()
                let exit: Promise<Exit.Exit<string, number>> | undefined
                const complaints = await complaintsOf(async () => {
                  const work = deferred<number>()
                  let signal!: AbortSignal
                  const start = (given: AbortSignal) => {
                    signal = given
                    return work.promise
                  }
                  const fx: Effect.Effect<unknown, string, number> = mapped
                    ? Promises.tryPromise(start, (u) => `mapped ${String(u)}`, { abandonOnCancel })
                    : Promises.fromPromise(start, { abandonOnCancel })
                  exit = Runtime.runExit(fx, {
                    signal: controller.signal,
                    runtime,
                    ...(order.includes('grace') ? { grace: 5 } : {})
                  })
                  for (const step of order) {
                    if (!together) await turns()
                    if (step === 'abort') controller.abort('enough')
                    else if (step === 'grace') clock.advance()
                    else settle(work, signal)
                  }
                })
                // In one turn, the settlement is on its way when the abort comes: that wins, or joins.
                const shown = show((await exit) as Exit.Exit<string, number>)
                const inOrder =
                  together && order[0] === 'settle' && order.length > 1
                    ? (['abort', 'settle'] as const)
                    : order
                expect(shown).to.equal(expectedOf(inOrder, settlement, abandonOnCancel, mapped, order))
                expect(complaints).to.deep.equal([])
                expect(getEventListeners(controller.signal, 'abort')).to.have.length(0)
              })
            }
          }
        }
      }
    }

    /** Settled with `bug` since the signal had not aborted yet, and then aborted in the same turn. */
    const expectedOf = (
      inOrder: ReadonlyArray<Step>,
      settlement: string,
      abandon: boolean,
      mapped: boolean,
      order: ReadonlyArray<Step>
    ): string => {
      const late =
        inOrder !== order && !['value', 'a rejection by something that is no error'].includes(settlement)
      return expected(inOrder, late ? 'rejection' : settlement, abandon, mapped)
    }
  })

  it('a scope that is left by abandoning leaves the promise behind, and nobody complains of its end', async () => {
    const complaints = await complaintsOf(async () => {
      const { promise, reject } = deferred<number>()
      const controller = new AbortController()
      const fx = CancelScope.open((scope) =>
        pipe(
          AbortSignals.cancelOn(controller.signal)(scope),
          Effect.andThen(Promises.fromPromise(() => promise, { abandonOnCancel: true }))
        )
      )
      const exit = Runtime.runExit(fx)
      await turns()
      controller.abort()
      expect(show(await exit)).to.equal('ok(None)')
      reject(bug)
    })
    expect(complaints).to.deep.equal([])
  })

  it('who was let go by the end of a grace has no use for a late rejection, and does not map it', async () => {
    const clock = VirtualClock.make()
    const { promise, reject } = deferred<number>()
    let mapped = 0
    const complaints = await complaintsOf(async () => {
      const fx = pipe(
        CancelScope.open(
          () =>
            Promises.tryPromise(
              () => promise,
              () => ++mapped
            ),
          { deadline: clock.now() + 1, grace: 5 }
        ),
        // Nothing around it is cancelled, and it goes on.
        Effect.flatMap((left) => Effect.as(left)(Effect.sleep(100)))
      )
      const exit = Runtime.runExit(fx, { runtime: Runtime.make({ clock }) })
      await turns()
      clock.advance()
      clock.advance()
      await turns()
      reject(bug)
      await turns()
      clock.advance()
      expect(show(await exit)).to.equal('ok(None)')
    })
    expect(complaints).to.deep.equal([])
    expect(mapped).to.equal(0)
  })

  it('a promise is awaited to its end before the scope around it is left', async () => {
    const { promise, resolve } = deferred<number>()
    const log: Array<string> = []
    const fx = CancelScope.open((scope) =>
      pipe(
        Promises.fromPromise(() => {
          scope.cancelUnsafe('enough')
          return promise
        }),
        Effect.tap((n) => Effect.sync(() => log.push(`got ${n}`)))
      )
    )
    const exit = Runtime.runExit(fx).finally(() => log.push('left'))
    await turns()
    expect(log).to.deep.equal([])
    resolve(42)
    expect(show(await exit)).to.equal('ok(Some(42))')
    expect(log).to.deep.equal(['got 42', 'left'])
  })
})
