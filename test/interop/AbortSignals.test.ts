/** Between cancel scopes and abort signals, both ways, and the ambient signal. */
import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  AbortSignals,
  CancelScope,
  Cause,
  Effect,
  Exit,
  Promises,
  Runtime,
  TaskEithers,
  TaskGroup
} from 'millrace'
import { complaintsOf, deferred, turn, turns, withDefault } from '../support/host.js'
import { at, observe, show } from '../support/seeds.js'

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

/** Runs an effect in this turn. */
const now = <A>(fx: Effect.Effect<unknown, never, A>): A => Runtime.runSync(fx)

/** A wait that ends when somebody opens it, by the queue of the scheduler. */
const latch = () => {
  let handle: CancelScope.CancelScope | undefined
  const wait = CancelScope.open((scope) => {
    handle = scope
    return Effect.never
  })
  return { wait, open: () => handle?.cancelUnsafe() }
}

/** A promise that rejects with the reason of the signal when that aborts. */
const obeying = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error)
    })
  })

describe('AbortSignals', () => {
  describe('fromScope', () => {
    it('is one signal for a scope, and another for another', () => {
      now(
        CancelScope.open((outer) =>
          CancelScope.open((inner) =>
            Effect.gen(function* () {
              const signal = yield* AbortSignals.fromScope(outer)
              expect(yield* AbortSignals.fromScope(outer)).to.equal(signal)
              expect(yield* AbortSignals.fromScope(inner)).not.to.equal(signal)
            })
          )
        )
      )
    })

    it('aborts when its scope is cancelled, at once and once, with a CauseError that holds the reason', () => {
      now(
        CancelScope.open(
          (scope) =>
            Effect.gen(function* () {
              const signal = yield* AbortSignals.fromScope(scope)
              let aborts = 0
              signal.addEventListener('abort', () => aborts++)
              expect([signal.aborted, aborts]).to.deep.equal([false, 0])
              yield* scope.cancel('enough')
              expect([signal.aborted, aborts]).to.deep.equal([true, 1])
              yield* scope.cancel('again')
              expect(aborts).to.equal(1)

              const reason = signal.reason as Cause.CauseError
              expect(reason).to.be.instanceOf(Cause.CauseError)
              const [cancelled] = Cause.cancellations(reason.source)
              expect(cancelled?.scope).to.equal('job')
              expect(cancelled?.reason).to.deep.equal({ _tag: 'Explicit', value: 'enough' })
            }),
          { name: 'job' }
        )
      )
    })

    it('of a scope that was cancelled before is aborted', () => {
      now(
        CancelScope.open((scope) =>
          Effect.gen(function* () {
            yield* scope.cancel('enough')
            expect((yield* AbortSignals.fromScope(scope)).aborted).to.equal(true)
          })
        )
      )
    })

    it('aborts when the cancellation comes from outside, but not through a shield', () => {
      now(
        CancelScope.open((outer) =>
          CancelScope.open((inner) =>
            CancelScope.open(
              (shielded) =>
                Effect.gen(function* () {
                  const [seen, hidden] = [
                    yield* AbortSignals.fromScope(inner),
                    yield* AbortSignals.fromScope(shielded)
                  ]
                  yield* outer.cancel('enough')
                  expect([seen.aborted, hidden.aborted]).to.deep.equal([true, false])
                  const [cancelled] = Cause.cancellations((seen.reason as Cause.CauseError).source)
                  expect(cancelled?.reason).to.deep.equal({ _tag: 'Explicit', value: 'enough' })
                  yield* shielded.setShield(false)
                  expect(hidden.aborted).to.equal(true)
                }),
              { shield: true }
            )
          )
        )
      )
    })

    it('aborts when the deadline of the scope passes', () => {
      const { exit, log } = observe((log) =>
        CancelScope.open(
          (scope) =>
            pipe(
              AbortSignals.fromScope(scope),
              Effect.flatMap((signal) =>
                pipe(Effect.never, Effect.ensuring(Effect.suspend(() => log(`aborted: ${signal.aborted}`))))
              )
            ),
          { deadline: at(10) }
        )
      )
      expect([show(exit), log]).to.deep.equal(['ok(None)', ['aborted: true@10']])
    })

    it('does not abort once the scope was left', () => {
      const kept: Array<AbortSignal> = []
      const outer = now(
        CancelScope.open((outer) =>
          Effect.gen(function* () {
            yield* CancelScope.open((scope) =>
              Effect.map((signal: AbortSignal) => {
                kept.push(signal)
              })(AbortSignals.fromScope(scope))
            )
            yield* outer.cancel('enough')
          })
        )
      )
      expect(O.isSome(outer)).to.equal(true)
      expect(kept.map(({ aborted }) => aborted)).to.deep.equal([false])
    })

    it('ends what was given the signal, which then is the cancellation', async () => {
      const log: Array<string> = []
      const program = TaskGroup.open<string>()((group) =>
        CancelScope.open((scope) =>
          Effect.gen(function* () {
            const signal = yield* AbortSignals.fromScope(scope)
            yield* group.spawn(Effect.andThen(scope.cancel('enough'))(Effect.checkpoint))
            yield* pipe(
              Promises.fromPromise(() => obeying(signal)),
              Effect.onExit((exit) => Effect.sync(() => log.push(show(exit))))
            )
          })
        )
      )
      expect(show(await Runtime.runExit(program))).to.equal('ok(None)')
      expect(log).to.deep.equal(['Cancelled'])
    })
  })

  describe('cancelOn', () => {
    const cancellable = (signal: AbortSignal, body: Effect.Effect<unknown, never, unknown>) => {
      let handle: CancelScope.CancelScope | undefined
      const fx = CancelScope.open((scope) => {
        handle = scope
        return pipe(AbortSignals.cancelOn(signal)(scope), Effect.andThen(body))
      })
      return { fx, scope: () => handle as CancelScope.CancelScope }
    }

    it('a signal that was aborted before cancels at once, and has no listener', () => {
      const signal = AbortSignal.abort('enough')
      const { fx, scope } = cancellable(signal, Effect.never)
      expect(now(fx)).to.deep.equal(O.none)
      const caught = now(scope().cancelledCaught)
      expect(O.isSome(caught) && caught.value.reason).to.deep.equal({ _tag: 'Aborted', reason: 'enough' })
      expect(listeners(signal)).to.equal(0)
    })

    it('a signal that aborts meanwhile cancels with its reason, and has no listener afterwards', async () => {
      const controller = new AbortController()
      const { fx, scope } = cancellable(controller.signal, Effect.never)
      const result = Runtime.runPromise(fx)
      await turns()
      expect(listeners(controller.signal)).to.equal(1)
      controller.abort('enough')
      expect(await result).to.deep.equal(O.none)
      const caught = now(scope().cancelledCaught)
      expect(O.isSome(caught) && caught.value.reason).to.deep.equal({ _tag: 'Aborted', reason: 'enough' })
      expect(listeners(controller.signal)).to.equal(0)
    })

    it('a signal that aborts after the scope was left cancels nothing, and has no listener', () => {
      const controller = new AbortController()
      const { fx, scope } = cancellable(controller.signal, Effect.unit)
      now(fx)
      expect(listeners(controller.signal)).to.equal(0)
      controller.abort('enough')
      expect(now(scope().isCancelled)).to.equal(false)
    })

    it('a scope that was left before does not listen', () => {
      let handle: CancelScope.CancelScope | undefined
      now(
        CancelScope.open((scope) => {
          handle = scope
          return Effect.unit
        })
      )
      const controller = new AbortController()
      now(AbortSignals.cancelOn(controller.signal)(handle as CancelScope.CancelScope))
      expect(listeners(controller.signal)).to.equal(0)
    })

    it('many scopes share one listener, which goes with the last of them', async () => {
      const controller = new AbortController()
      const gates = [deferred<void>(), deferred<void>()]
      const runs = gates.map(({ promise }) =>
        Runtime.runPromise(
          cancellable(
            controller.signal,
            Promises.fromPromise(() => promise)
          ).fx
        )
      )
      await turns()
      expect(listeners(controller.signal)).to.equal(1)
      gates[0]?.resolve()
      await turns()
      expect(listeners(controller.signal)).to.equal(1)
      gates[1]?.resolve()
      await Promise.all(runs)
      expect(listeners(controller.signal)).to.equal(0)
    })

    it('listens anew after everybody has left', async () => {
      const controller = new AbortController()
      now(cancellable(controller.signal, Effect.unit).fx)
      const result = Runtime.runPromise(cancellable(controller.signal, Effect.never).fx)
      await turns()
      controller.abort()
      expect(await result).to.deep.equal(O.none)
    })

    it('one scope listens to several signals: the first one wins', async () => {
      const [a, b] = [new AbortController(), new AbortController()]
      const { fx, scope } = cancellable(a.signal, Effect.never)
      const both = Effect.suspend(() => {
        const result = Runtime.runPromise(fx)
        now(AbortSignals.cancelOn(b.signal)(scope()))
        return Promises.fromPromise(() => result)
      })
      const result = Runtime.runPromise(both)
      await turns()
      b.abort('b')
      a.abort('a')
      expect(await result).to.deep.equal(O.none)
      const caught = now(scope().cancelledCaught)
      expect(O.isSome(caught) && caught.value.reason).to.deep.equal({ _tag: 'Aborted', reason: 'b' })
      expect([listeners(a.signal), listeners(b.signal)]).to.deep.equal([0, 0])
    })

    it('round trip: a scope that is cancelled on the signal of another one is cancelled with it', () => {
      now(
        CancelScope.open((outer) =>
          pipe(
            AbortSignals.fromScope(outer),
            Effect.flatMap((signal) =>
              CancelScope.open(
                (inner) =>
                  Effect.gen(function* () {
                    yield* AbortSignals.cancelOn(signal)(inner)
                    const back = yield* AbortSignals.fromScope(inner)
                    expect(back.aborted).to.equal(false)
                    yield* outer.cancel('enough')
                    expect(back.aborted).to.equal(true)
                  }),
                // Nothing comes through but what the signal carries.
                { shield: true }
              )
            )
          )
        )
      )
    })
  })

  describe('the signal of a run', () => {
    it('aborts ⇔ cancels, with its reason, and is left without a listener', async () => {
      const controller = new AbortController()
      const reason = new Error('enough')
      const result = Runtime.runPromise(Effect.never, { signal: controller.signal })
      await turns()
      expect(listeners(controller.signal)).to.equal(1)
      controller.abort(reason)
      expect(await result.catch((u: unknown) => u)).to.equal(reason)
      expect(listeners(controller.signal)).to.equal(0)
    })

    it('that was aborted before is a scope that was cancelled before: it runs up to the first checkpoint', async () => {
      const log: Array<string> = []
      const program = pipe(
        Effect.sync(() => log.push('begins')),
        Effect.andThen(Effect.checkCancelled),
        Effect.andThen(Effect.sync(() => log.push('goes on')))
      )
      const signal = AbortSignal.abort('enough')
      expect(show(await Runtime.runExit(program, { signal }))).to.equal('Cancelled')
      expect(log).to.deep.equal(['begins'])
      expect(listeners(signal)).to.equal(0)
    })

    it('the code in the promise hears of it before the finalizers of the fiber run outwards', async () => {
      const log: Array<string> = []
      const controller = new AbortController()
      const program = pipe(
        Promises.fromPromise((signal) => {
          signal.addEventListener('abort', () => log.push('promise'))
          return obeying(signal)
        }),
        Effect.onCancel(Effect.sync(() => log.push('inner'))),
        Effect.ensuring(Effect.sync(() => log.push('outer')))
      )
      const exit = Runtime.runExit(program, { signal: controller.signal })
      await turns()
      controller.abort()
      expect(show(await exit)).to.equal('Cancelled')
      expect(log).to.deep.equal(['promise', 'inner', 'outer'])
    })

    it('is the cancellation also when the promise was given that signal itself', async () => {
      const controller = new AbortController()
      const program = Promises.fromPromise(() => obeying(controller.signal))
      const exit = Runtime.runExit(program, { signal: controller.signal })
      await turns()
      controller.abort(new Error('enough'))
      expect(show(await exit)).to.equal('Cancelled')
    })

    it('aborted by the very function that starts the promise', async () => {
      const controller = new AbortController()
      const program = Promises.fromPromise((signal) => {
        const promise = obeying(signal)
        controller.abort('enough')
        return promise
      })
      expect(show(await Runtime.runExit(program, { signal: controller.signal }))).to.equal('Cancelled')
    })

    it('aborted by the very function that registers a callback', async () => {
      const controller = new AbortController()
      let cleaned = 0
      const program = Effect.async(() => {
        controller.abort('enough')
        return () => {
          cleaned++
        }
      })
      expect(show(await Runtime.runExit(program, { signal: controller.signal }))).to.equal('Cancelled')
      expect(cleaned).to.equal(1)
    })
  })

  describe('current', () => {
    const runtime = Runtime.make({ asyncContext: true })

    it('outside of a run is a signal that never aborts, and nothing piles up on it', async () => {
      const signal = AbortSignals.current()
      expect(signal.aborted).to.equal(false)
      signal.addEventListener('abort', () => undefined)
      expect(listeners(AbortSignals.current())).to.equal(0)
      await turn()
      expect(signal.aborted).to.equal(false)
    })

    it('without asyncContext never aborts', async () => {
      const controller = new AbortController()
      const gate = deferred<number>()
      let signal: AbortSignal | undefined
      const exit = Runtime.runExit(
        Promises.fromPromise(() => {
          signal = AbortSignals.current()
          return gate.promise
        }),
        { signal: controller.signal }
      )
      controller.abort()
      gate.resolve(1)
      expect(show(await exit)).to.equal('ok(1)')
      expect(signal?.aborted).to.equal(false)
    })

    /** The ways in which code of a promise or a callback comes to run. */
    const ways: Readonly<
      Record<string, (f: () => Promise<number>) => Effect.Effect<unknown, unknown, number>>
    > = {
      fromPromise: (f) => Promises.fromPromise(f),
      'fromPromise with a parameter': (f) => Promises.fromPromise((_signal) => f()),
      tryPromise: (f) => Promises.tryPromise(f, String),
      fromTask: (f) => Effect.fromTask(f),
      fromTaskEither: (f) => Effect.fromTaskEither(TaskEithers.tryCatch(f, String)),
      'to of an effect, inside of fromTaskEither': (f) =>
        Effect.fromTaskEither(TaskEithers.to(Promises.fromPromise(f))),
      async: (f) =>
        Effect.async<unknown, number>((resume) => {
          f().then(
            (n) => {
              resume(Exit.succeed(n))
            },
            (reason: unknown) => {
              resume(Exit.fail(reason))
            }
          )
        })
    }

    for (const [way, wait] of Object.entries(ways)) {
      it(`inside of ${way} it aborts with the wait, also deep inside of the promises that it started`, async () => {
        const controller = new AbortController()
        const seen: Array<AbortSignal> = []
        const aborted: Array<boolean> = []
        const program = wait(async () => {
          seen.push(AbortSignals.current())
          await turn()
          await Promise.all(
            [1, 2].map(async () => {
              await Promise.resolve()
              seen.push(AbortSignals.current())
            })
          )
          const signal = AbortSignals.current()
          return obeying(signal).finally(() => aborted.push(signal.aborted))
        })
        const exit = Runtime.runExit(program, { signal: controller.signal, runtime })
        await turns()
        expect([seen.length, new Set(seen).size, seen[0]?.aborted]).to.deep.equal([3, 1, false])
        controller.abort('enough')
        expect(show(await exit)).to.equal('Cancelled')
        await turns()
        expect(aborted).to.deep.equal([true])
        expect(seen[0]?.reason).to.be.instanceOf(Cause.CauseError)
      })
    }

    it('each wait has its own, which does not abort once the wait is over', async () => {
      const controller = new AbortController()
      const seen: Array<AbortSignal> = []
      const call = Promises.fromPromise(() => {
        seen.push(AbortSignals.current())
        return Promise.resolve()
      })
      const program = pipe(call, Effect.andThen(call), Effect.andThen(Effect.never))
      const exit = Runtime.runExit(program, { signal: controller.signal, runtime })
      await turns()
      controller.abort()
      await exit
      expect(new Set(seen).size).to.equal(2)
      expect(seen.map(({ aborted }) => aborted)).to.deep.equal([false, false])
    })

    it('siblings do not see each other’s', async () => {
      const seen: Array<AbortSignal> = []
      const program = TaskGroup.open()((group) =>
        Effect.gen(function* () {
          const started = latch()
          const one = yield* group.spawn(
            Promises.fromPromise(() => {
              seen.push(AbortSignals.current())
              return obeying(AbortSignals.current())
            })
          )
          yield* group.spawn(
            Promises.fromPromise(async () => {
              await turn()
              seen.push(AbortSignals.current())
              started.open()
              await turn()
            })
          )
          yield* started.wait
          yield* one.cancel('enough')
        })
      )
      expect(show(await Runtime.runExit(program, { runtime }))).to.equal('ok()')
      expect(seen.map(({ aborted }) => aborted)).to.deep.equal([true, false])
    })

    it('a resume by the listener of an abort comes too late, and does no harm', async () => {
      const controller = new AbortController()
      const log: Array<string> = []
      const program = pipe(
        Effect.async<never, number>((resume) => {
          AbortSignals.current().addEventListener('abort', () => {
            resume(Exit.succeed(1))
          })
          return () => {
            log.push('cleaned up')
          }
        }),
        Effect.onExit((exit) => Effect.sync(() => log.push(show(exit)))),
        Effect.exit
      )
      const exits = [1, 2].map(() => Runtime.runExit(program, { signal: controller.signal, runtime }))
      await turns()
      controller.abort()
      expect((await Promise.all(exits)).map(show)).to.deep.equal([
        'ok(Left(Cancelled))',
        'ok(Left(Cancelled))'
      ])
      expect(log).to.deep.equal(['cleaned up', 'cleaned up', 'Cancelled', 'Cancelled'])
    })

    describe('and fibers', () => {
      it('sync does not see it, whoever starts or wakes the fiber', async () => {
        const controller = new AbortController()
        const seen: Array<AbortSignal> = []
        const look = Effect.sync(() => {
          seen.push(AbortSignals.current())
        })
        const gate = deferred<void>()
        const waked = latch()
        const resumes: Array<() => void> = []
        // Waits outside of everything, and is woken from inside of another run's promise.
        const other = Runtime.runExit(
          pipe(
            waked.wait,
            Effect.andThen(look),
            Effect.andThen(
              Effect.async((resume) => {
                resumes.push(() => {
                  resume(Exit.succeed(undefined))
                })
              })
            ),
            Effect.andThen(look)
          )
        )
        const exit = Runtime.runExit(
          Promises.fromPromise(async () => {
            waked.open()
            await turn()
            resumes.forEach((resume) => {
              resume()
            })
            // A run that is started here, by itself no part of the wait.
            await Runtime.runPromise(pipe(look, Effect.andThen(Effect.checkpoint), Effect.andThen(look)))
            await gate.promise
          }),
          { signal: controller.signal, runtime }
        )
        await turns()
        controller.abort()
        gate.resolve()
        await Promise.all([exit, other])
        expect(seen.map(({ aborted }) => aborted)).to.deep.equal([false, false, false, false])
      })

      it('a run that was woken from inside of another wait is not cancelled with that', async () => {
        const controller = new AbortController()
        const waked = latch()
        const gate = deferred<void>()
        const inner = deferred<void>()
        const nested = TaskEithers.to(Promises.fromPromise(() => inner.promise))
        // Of the plain runtime: its waits do not carry a signal of their own.
        const other = Runtime.runExit(pipe(waked.wait, Effect.andThen(Effect.fromTaskEither(nested))))
        const exit = Runtime.runExit(
          Promises.fromPromise(async () => {
            waked.open()
            await gate.promise
          }),
          { signal: controller.signal, runtime }
        )
        await turns()
        controller.abort()
        await turns()
        inner.resolve()
        gate.resolve()
        expect(show(await other)).to.equal('ok()')
        await exit
      })
    })

    it('twenty listeners on one signal are no leak, and Node is not told that they are', async () => {
      const complaints = await complaintsOf(() =>
        withDefault({ asyncContext: true }, async () => {
          const many = (signal: AbortSignal) => {
            for (let i = 0; i < 20; i++) signal.addEventListener('abort', () => i)
            return Promise.resolve(1)
          }
          await Runtime.runPromise(Promises.fromPromise(many))
          await Runtime.runPromise(Promises.fromPromise(() => many(AbortSignals.current())))
          await TaskEithers.tryCatch(many, String)()
          await many(AbortSignals.current())
          await Runtime.runPromise(
            CancelScope.open((scope) =>
              pipe(
                AbortSignals.fromScope(scope),
                Effect.flatMap((signal) => Promises.fromPromise(() => many(signal)))
              )
            )
          )
        })
      )
      expect(complaints).to.deep.equal([])
    })
  })
})
