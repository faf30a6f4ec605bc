/**
 * Promises in and out. These need real turns of the host: promises are settled by hand, and a turn of `setImmediate` lets
 * what is ready run.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { ReaderTaskEither } from 'fp-ts/lib/ReaderTaskEither.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  CancelScope,
  Cause,
  Concurrent,
  Effect,
  Exit,
  LowLevel,
  Promises,
  Runtime,
  TaskGroup,
  Timeout
} from 'millrace'

// ---- tools

interface Deferred<A> {
  readonly promise: Promise<A>
  readonly resolve: (a: A) => void
  readonly reject: (reason: unknown) => void
}

const deferred = <A>(): Deferred<A> => {
  let resolve!: (a: A) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<A>((onValue, onReason) => {
    resolve = onValue
    reject = onReason
  })
  return { promise, resolve, reject }
}

interface Mapped {
  readonly _tag: 'Mapped'
  readonly reason: unknown
}

const mapped = (reason: unknown): Mapped => ({ _tag: 'Mapped', reason })

const abortError = (): Error => Object.assign(new Error('stopped'), { name: 'AbortError' })

/** A run that can be cancelled from outside, and whose exit can be looked at. */
const launch = <A, F>(fx: Effect.Effect<{}, F, A>, options: Runtime.RunOptions = {}) => {
  let exit: Exit.Exit<F, A> | undefined
  const ended = deferred<Exit.Exit<F, A>>()
  const cancel = Runtime.runCallback(
    fx,
    (e) => {
      exit = e
      ended.resolve(e)
    },
    options
  )
  return { cancel, ended: ended.promise, exit: () => exit }
}

/** What an instrument was told to be of no use any more. */
const watched = () => {
  const discarded: Array<unknown> = []
  const names: Array<string> = []
  const runtime = Runtime.make({
    instruments: [
      {
        onDiscard: (fiber, value) => {
          names.push(fiber.name)
          discarded.push(value)
        }
      }
    ]
  })
  return { runtime, discarded, names }
}

const shape = (cause: Cause.Cause<unknown>): unknown =>
  Cause.match<unknown, unknown>({
    onFail: (error) => error,
    onDie: (defect) => ({ die: defect }),
    onCancelled: () => 'Cancelled',
    onThen: (left, right) => ({ left, then: right }),
    onBoth: (left, right) => ({ left, both: right })
  })(cause)

const causeOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  exit._tag === 'Left' ? shape(exit.left) : expect.fail('expected a failure')

/** Unhandled rejections while `f` runs, without mocha's own guard. */
const unhandledDuring = async (f: () => Promise<void>): Promise<ReadonlyArray<unknown>> => {
  const seen: Array<unknown> = []
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map((event) => process.listeners(event as 'unhandledRejection'))
  for (const event of events) process.removeAllListeners(event)
  // In strict mode Node tells this one of rejections first, and the other if this one has a listener.
  process.on('uncaughtException', (error, origin) => {
    if (origin === 'uncaughtException') seen.push(error)
  })
  process.on('unhandledRejection', (reason) => seen.push(reason))
  try {
    await f()
    // Node reports them after the microtasks of a turn.
    await turn()
    await turn()
  } finally {
    events.forEach((event, i) => {
      process.removeAllListeners(event)
      for (const listener of before[i] ?? []) process.on(event as 'unhandledRejection', listener)
    })
  }
  return seen
}

const never = new Promise<never>(() => undefined)

describe('Promises', () => {
  describe('without a cancellation', () => {
    it('a value is the value', async () => {
      expect(await Runtime.runExit(Promises.fromPromise(() => Promise.resolve(1)))).to.deep.equal(
        Exit.succeed(1)
      )
      expect(await Runtime.runExit(Promises.tryPromise(() => Promise.resolve(1), mapped))).to.deep.equal(
        Exit.succeed(1)
      )
    })

    it('each run starts a promise of its own', async () => {
      let calls = 0
      const next = Promises.fromPromise(() => Promise.resolve(++calls))
      expect(calls).to.equal(0)
      expect(await Runtime.runPromise(Effect.tuple([next, next]))).to.deep.equal([1, 2])
    })

    it('a rejection without a mapping is a defect', async () => {
      const reason = new Error('no')
      expect(await Runtime.runExit(Promises.fromPromise(() => Promise.reject(reason)))).to.deep.equal(
        Exit.die(reason)
      )
      expect(await Runtime.runExit(Effect.fromTask(() => Promise.reject(reason)))).to.deep.equal(
        Exit.die(reason)
      )
      expect(await Runtime.runExit(Effect.fromTaskEither(() => Promise.reject(reason)))).to.deep.equal(
        Exit.die(reason)
      )
    })

    it('a rejection with a mapping is a failure, also one that is named AbortError', async () => {
      for (const reason of [new Error('no'), abortError(), undefined, null, 'text']) {
        const exit = await Runtime.runExit(Promises.tryPromise(() => Promise.reject(reason), mapped))
        expect(exit).to.deep.equal(Exit.fail(mapped(reason)))
      }
    })

    it('a mapping that throws is a defect', async () => {
      const bug = new Error('bug in the mapping')
      const exit = await Runtime.runExit(
        Promises.tryPromise(
          () => Promise.reject(new Error('no')),
          () => {
            throw bug
          }
        )
      )
      expect(exit).to.deep.equal(Exit.die(bug))
    })

    it('a function that throws is a defect, not a rejection', async () => {
      const bug = new Error('not even a promise')
      const throws = (): Promise<never> => {
        throw bug
      }
      expect(await Runtime.runExit(Promises.fromPromise(throws))).to.deep.equal(Exit.die(bug))
      expect(await Runtime.runExit(Promises.tryPromise(throws, mapped))).to.deep.equal(Exit.die(bug))
      expect(await Runtime.runExit(Effect.fromTask(throws))).to.deep.equal(Exit.die(bug))
      expect(await Runtime.runExit(Effect.fromTaskEither(throws))).to.deep.equal(Exit.die(bug))
    })

    it('a function that gives no promise is a defect that says so', async () => {
      for (const thing of [undefined, null, 1, {}, { then: 1 }]) {
        const exit = await Runtime.runExit(Promises.fromPromise(() => thing as unknown as Promise<number>))
        expect(exit._tag).to.equal('Left')
        if (exit._tag === 'Right') return
        const [defect] = Cause.defects(exit.left)
        expect(defect).to.be.instanceOf(TypeError)
        expect((defect as Error).message).to.match(/^fromPromise: expected a promise from the function/)
      }
    })

    it('takes any thenable, also one that calls back at once or twice', async () => {
      const atOnce = {
        then: (onValue: (n: number) => void) => {
          onValue(1)
          onValue(2)
        }
      } as PromiseLike<number>
      expect(await Runtime.runExit(Promises.fromPromise(() => atOnce))).to.deep.equal(Exit.succeed(1))
      expect(Runtime.runSync(Promises.fromPromise(() => atOnce))).to.equal(1)
    })

    it('the left of a TaskEither is a failure, its right the value', async () => {
      const no: TaskEither<string, number> = () => Promise.resolve(E.left('no'))
      const yes: TaskEither<string, number> = () => Promise.resolve(E.right(1))
      expect(await Runtime.runExit(Effect.fromTaskEither(no))).to.deep.equal(Exit.fail('no'))
      expect(await Runtime.runExit(Effect.fromTaskEither(yes))).to.deep.equal(Exit.succeed(1))
      const withEnv: ReaderTaskEither<{ readonly n: number }, string, number> = (env) => () =>
        Promise.resolve(env.n > 1 ? E.right(env.n) : E.left('small'))
      const run = (n: number) =>
        Runtime.runExit(pipe(Effect.fromReaderTaskEither(withEnv), Effect.provide({ n })))
      expect(await run(1)).to.deep.equal(Exit.fail('small'))
      expect(await run(2)).to.deep.equal(Exit.succeed(2))
    })

    it('a TaskEither that gives no Either is a defect', async () => {
      const liar = (() => Promise.resolve(undefined)) as unknown as TaskEither<string, number>
      const exit = await Runtime.runExit(Effect.fromTaskEither(liar))
      expect(exit._tag === 'Left' && Cause.isDie(exit.left)).to.equal(true)
    })
  })

  describe('the signal', () => {
    it('is given only to a function that declares the parameter', async () => {
      const given = async (f: (...args: ReadonlyArray<unknown>) => unknown): Promise<unknown> => {
        let args: ReadonlyArray<unknown> = []
        const spy = {
          apply: (target: typeof f, self: unknown, all: ReadonlyArray<unknown>) => {
            args = all
            return Reflect.apply(target, self, all)
          }
        }
        await Runtime.runPromise(Promises.fromPromise(new Proxy(f, spy) as () => Promise<unknown>))
        return args[0]
      }
      expect(await given((_signal) => Promise.resolve())).to.be.instanceOf(AbortSignal)
      expect(await given(() => Promise.resolve())).to.equal(undefined)
    })

    it('is made only for a function that declares the parameter', async () => {
      const Original = globalThis.AbortController
      let made = 0
      globalThis.AbortController = class extends Original {
        constructor() {
          super()
          made++
        }
      }
      try {
        const calls = [
          Promises.fromPromise(() => Promise.resolve(1)),
          Promises.tryPromise(() => Promise.resolve(1), mapped),
          Effect.fromTask(() => Promise.resolve(1)),
          Effect.fromTask(((_declared: unknown) => Promise.resolve(1)) as unknown as Task<number>),
          Effect.fromTaskEither(() => Promise.resolve(E.right(1)))
        ]
        for (const fx of calls) await Runtime.runPromise(fx)
        expect(made).to.equal(0)
        await Runtime.runPromise(Promises.fromPromise((_signal) => Promise.resolve(1)))
        expect(made).to.equal(1)
      } finally {
        globalThis.AbortController = Original
      }
    })

    it('does not abort when nothing is cancelled, and not after the end', async () => {
      let signal: AbortSignal | undefined
      const { cancel, ended } = launch(
        Promises.fromPromise((s) => {
          signal = s
          return Promise.resolve(1)
        })
      )
      expect(await ended).to.deep.equal(Exit.succeed(1))
      cancel('too late')
      expect(signal?.aborted).to.equal(false)
    })

    it('aborts once, with an error that says who cancelled and why', async () => {
      const work = deferred<number>()
      let aborts = 0
      let reason: unknown
      const { cancel, ended } = launch(
        Promises.fromPromise((signal) => {
          signal.addEventListener('abort', () => {
            aborts++
            reason = signal.reason
          })
          return work.promise
        }),
        { name: 'query' }
      )
      cancel('the user typed on')
      cancel('again')
      expect(aborts).to.equal(1)
      expect(reason).to.be.instanceOf(Error)
      expect((reason as Error).message).to.equal('Cancelled: scope "query", Explicit "the user typed on"')
      work.resolve(1)
      await ended
    })

    it('in a scope that is cancelled before, the function is not called', async () => {
      let calls = 0
      const call = () => {
        calls++
        return Promise.resolve(1)
      }
      const sources = [
        Promises.fromPromise(call),
        Promises.tryPromise(call, mapped),
        Effect.fromTask(call),
        Effect.fromTaskEither<never, number>(() => call().then(E.right))
      ]
      for (const source of sources) {
        const exit = await Runtime.runExit(source, { signal: AbortSignal.abort() })
        expect(causeOf(exit)).to.equal('Cancelled')
      }
      expect(calls).to.equal(0)
    })

    it('aborts also when the function itself cancels its scope', async () => {
      const work = deferred<number>()
      let aborted = false
      const { exit } = launch(
        CancelScope.open((scope) =>
          Promises.fromPromise((signal) => {
            signal.addEventListener('abort', () => (aborted = true))
            scope.cancelUnsafe('from inside')
            return work.promise
          })
        )
      )
      expect(aborted).to.equal(true)
      await turn()
      expect(exit(), 'it waits for the promise').to.equal(undefined)
      work.reject(abortError())
      await turn()
      expect(exit()).to.deep.equal(Exit.succeed(O.none))
    })
  })

  describe('a cancellation', () => {
    it('aborts, then waits until the promise has settled', async () => {
      const work = deferred<number>()
      const { cancel, exit } = launch(Promises.fromPromise((_signal) => work.promise))
      cancel('enough')
      for (let i = 0; i < 5; i++) await turn()
      expect(exit()).to.equal(undefined)
      work.reject(abortError())
      await turn()
      expect(causeOf(exit()!)).to.equal('Cancelled')
    })

    it('waits also for a promise that knows nothing of it', async () => {
      const work = deferred<number>()
      const { cancel, exit } = launch(Effect.fromTask(() => work.promise))
      cancel('enough')
      for (let i = 0; i < 5; i++) await turn()
      expect(exit()).to.equal(undefined)
      work.resolve(1)
      await turn()
      expect(exit()).to.deep.equal(Exit.succeed(1))
    })

    it('a value that comes late is kept, and the cancellation is seen at the next checkpoint', async () => {
      const work = deferred<number>()
      const seen: Array<number> = []
      const { cancel, ended } = launch(
        pipe(
          Promises.fromPromise((_signal) => work.promise),
          Effect.tap((n) => Effect.sync(() => seen.push(n))),
          Effect.tap(() => Effect.checkpoint),
          Effect.tap((n) => Effect.sync(() => seen.push(-n)))
        )
      )
      cancel('enough')
      work.resolve(7)
      expect(causeOf(await ended)).to.equal('Cancelled')
      expect(seen).to.deep.equal([7])
    })

    it('a value that has come before is kept', async () => {
      const work = deferred<number>()
      const { cancel, ended } = launch(Promises.fromPromise(() => work.promise))
      work.resolve(7)
      await work.promise
      cancel('a moment too late')
      expect(await ended).to.deep.equal(Exit.succeed(7))
    })

    const comesFromTheAbort: ReadonlyArray<readonly [string, (signal: AbortSignal) => unknown]> = [
      ['that is signal.reason', (signal) => signal.reason],
      ['that has signal.reason as its cause', (signal) => new Error('gave up', { cause: signal.reason })],
      ['that is named AbortError', abortError],
      ['that is a DOMException of an abort', () => new DOMException('stopped', 'AbortError')]
    ]
    for (const [what, rejection] of comesFromTheAbort) {
      it(`a rejection ${what} is Cancelled, and is not mapped`, async () => {
        let mappings = 0
        const onReject = (reason: unknown) => {
          mappings++
          return mapped(reason)
        }
        const rejects = (signal: AbortSignal): Promise<never> =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(rejection(signal)))
          })
        for (const fx of [Promises.fromPromise(rejects), Promises.tryPromise(rejects, onReject)]) {
          const { cancel, ended } = launch(fx)
          cancel('enough')
          expect(causeOf(await ended)).to.equal('Cancelled')
        }
        expect(mappings).to.equal(0)
      })
    }

    it('any other rejection follows the cancellation', async () => {
      const others = [
        new Error('disk full'),
        new DOMException('slow', 'TimeoutError'),
        new Error('other', { cause: new Error('not the reason') }),
        undefined,
        'text'
      ]
      for (const reason of others) {
        const work = deferred<never>()
        const typed = launch(Promises.tryPromise((_signal) => work.promise, mapped))
        const untyped = launch(Promises.fromPromise((_signal) => work.promise))
        const task = launch(Effect.fromTask(() => work.promise))
        for (const { cancel } of [typed, untyped, task]) cancel('enough')
        work.reject(reason)
        expect(causeOf(await typed.ended)).to.deep.equal({ left: 'Cancelled', then: mapped(reason) })
        expect(causeOf(await untyped.ended)).to.deep.equal({ left: 'Cancelled', then: { die: reason } })
        expect(causeOf(await task.ended)).to.deep.equal({ left: 'Cancelled', then: { die: reason } })
      }
    })

    it('without a signal only the name tells an abort', async () => {
      const work = deferred<never>()
      const { cancel, ended } = launch(Effect.fromTask(() => work.promise))
      cancel('enough')
      work.reject(abortError())
      expect(causeOf(await ended)).to.equal('Cancelled')
    })

    it('a rejection that refuses to be read is mapped like any other', async () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      const work = deferred<never>()
      const { cancel, ended } = launch(
        Promises.tryPromise(
          (_signal) => work.promise,
          () => 'unreadable'
        )
      )
      cancel('enough')
      work.reject(proxy)
      expect(causeOf(await ended)).to.deep.equal({ left: 'Cancelled', then: 'unreadable' })
    })

    it('a mapping that throws then is a defect that follows', async () => {
      const bug = new Error('bug in the mapping')
      const work = deferred<never>()
      const { cancel, ended } = launch(
        Promises.tryPromise(
          (_signal) => work.promise,
          () => {
            throw bug
          }
        )
      )
      cancel('enough')
      work.reject(new Error('no'))
      expect(causeOf(await ended)).to.deep.equal({ left: 'Cancelled', then: { die: bug } })
    })

    it('a Left that comes after it is Cancelled, and goes to the instruments', async () => {
      const { runtime, discarded, names } = watched()
      const left = E.left('the request was aborted')
      const work = deferred<E.Either<string, number>>()
      const { cancel, ended } = launch(
        Effect.fromTaskEither(() => work.promise),
        { runtime, name: 'request' }
      )
      cancel('enough')
      work.resolve(left)
      expect(causeOf(await ended)).to.equal('Cancelled')
      expect(discarded).to.deep.equal([left])
      expect(names).to.deep.equal(['request'])
    })

    it('a Left of a ReaderTaskEither too', async () => {
      const { runtime, discarded } = watched()
      const work = deferred<E.Either<string, number>>()
      const { cancel, ended } = launch(
        Effect.fromReaderTaskEither(() => () => work.promise),
        { runtime }
      )
      cancel('enough')
      work.resolve(E.left('no'))
      expect(causeOf(await ended)).to.equal('Cancelled')
      expect(discarded).to.deep.equal([E.left('no')])
    })

    it('a Left that came before it, and a Right that comes after it, are kept', async () => {
      const { runtime, discarded } = watched()
      const early = deferred<E.Either<string, number>>()
      const failing = launch(
        Effect.fromTaskEither(() => early.promise),
        { runtime }
      )
      early.resolve(E.left('no'))
      await early.promise
      failing.cancel('too late')
      expect(causeOf(await failing.ended)).to.equal('no')

      const late = deferred<E.Either<string, number>>()
      const succeeding = launch(
        Effect.fromTaskEither(() => late.promise),
        { runtime }
      )
      succeeding.cancel('too late')
      late.resolve(E.right(1))
      expect(await succeeding.ended).to.deep.equal(Exit.succeed(1))
      expect(discarded).to.deep.equal([])
    })

    it('of a finalizer does not come in: its promise is not aborted', async () => {
      const work = deferred<number>()
      let signal: AbortSignal | undefined
      const { cancel, exit } = launch(
        pipe(
          Effect.never,
          Effect.ensuring(
            Promises.fromPromise((s) => {
              signal = s
              return work.promise
            })
          )
        )
      )
      cancel('enough')
      await turn()
      cancel('again')
      expect(signal?.aborted).to.equal(false)
      work.resolve(1)
      await turn()
      expect(causeOf(exit()!)).to.equal('Cancelled')
    })
  })

  describe('abandonOnCancel', () => {
    const options = { abandonOnCancel: true }
    type From = (
      promise: Promise<E.Either<never, number>>,
      options?: Promises.PromiseOptions
    ) => Effect.Effect<unknown, unknown, unknown>
    const sources: ReadonlyArray<readonly [string, From]> = [
      ['fromPromise', (p, o) => Promises.fromPromise(() => p, o)],
      ['tryPromise', (p, o) => Promises.tryPromise(() => p, mapped, o)],
      ['fromTask', (p, o) => Effect.fromTask(() => p, o)],
      ['fromTaskEither', (p, o) => Effect.fromTaskEither(() => p, o)],
      ['fromReaderTaskEither', (p, o) => Effect.fromReaderTaskEither(() => () => p, o)],
      ['awaitPromise', (p, o) => LowLevel.awaitPromise(() => p, { label: 'wait', ...o })]
    ]
    for (const [name, from] of sources) {
      it(`CS-48 ${name} lets go at once, and a late rejection is ignored`, async () => {
        const { runtime, discarded } = watched()
        const work = deferred<E.Either<never, number>>()
        const reason = new Error('late')
        const unhandled = await unhandledDuring(async () => {
          const { cancel, ended } = launch(from(work.promise, options), { runtime })
          cancel('enough')
          expect(causeOf(await ended)).to.equal('Cancelled')
          work.reject(reason)
        })
        expect(unhandled).to.deep.equal([])
        expect(discarded).to.deep.equal([reason])
      })

      it(`${name} waits without it`, async () => {
        const work = deferred<E.Either<never, number>>()
        const { cancel, exit } = launch(from(work.promise))
        cancel('enough')
        await turn()
        expect(exit()).to.equal(undefined)
        work.resolve(E.right(1))
        await turn()
        expect(exit()?._tag).to.equal('Right')
      })
    }

    it('still aborts the signal', async () => {
      let signal: AbortSignal | undefined
      const { cancel, ended } = launch(
        Promises.fromPromise((s) => {
          signal = s
          return never
        }, options)
      )
      cancel('enough')
      expect(signal?.aborted).to.equal(true)
      expect(causeOf(await ended)).to.equal('Cancelled')
    })

    it('drops a value that comes late, and does not map a rejection that does', async () => {
      const { runtime, discarded } = watched()
      let mappings = 0
      const value = deferred<number>()
      const rejected = deferred<number>()
      for (const work of [value, rejected]) {
        const { cancel } = launch(
          Promises.tryPromise(
            () => work.promise,
            () => mappings++,
            options
          ),
          { runtime }
        )
        cancel('enough')
      }
      value.resolve(1)
      rejected.reject('late')
      await turn()
      expect(mappings).to.equal(0)
      expect(discarded).to.deep.equal([1, 'late'])
    })

    it('does not report a rejection that comes from the abort', async () => {
      const { runtime, discarded } = watched()
      const { cancel, exit } = launch(
        Promises.fromPromise(
          (signal) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason))
            }),
          options
        ),
        { runtime }
      )
      cancel('enough')
      await turn()
      expect(causeOf(exit()!)).to.equal('Cancelled')
      expect(discarded).to.deep.equal([])
    })

    it('a thenable that settles inside of the abort ends the wait once', async () => {
      const settlesAtOnce = (signal: AbortSignal): PromiseLike<number> =>
        ({
          then: (onValue: (n: number) => void) => {
            signal.addEventListener('abort', () => onValue(1))
          }
        }) as PromiseLike<number>
      const work = deferred<number>()
      // What they wait for next has nothing to do with that cancellation any more.
      const next = <A>(a: A) =>
        Timeout.shielded(Effect.map((n: number) => [a, n] as const)(Effect.fromTask(() => work.promise)))
      const waits = launch(pipe(Promises.fromPromise(settlesAtOnce), Effect.flatMap(next)))
      const letsGo = launch(
        pipe(
          Promises.fromPromise(settlesAtOnce, options),
          Effect.catchCause((cause) => next(shape(cause)))
        )
      )
      for (const { cancel } of [waits, letsGo]) cancel('enough')
      await turn()
      expect([waits.exit(), letsGo.exit()]).to.deep.equal([undefined, undefined])
      work.resolve(2)
      await turn()
      expect(waits.exit(), 'the value came in time').to.deep.equal(Exit.succeed([1, 2]))
      expect(letsGo.exit(), 'and here too late').to.deep.equal(Exit.succeed(['Cancelled', 2]))
    })
  })

  describe('a grace that ends', () => {
    it('lets go of a promise, in the body and in a finalizer', async () => {
      const bodyWork = deferred<number>()
      const finalizerWork = deferred<number>()
      let signal: AbortSignal | undefined
      const { runtime, discarded } = watched()
      const unhandled = await unhandledDuring(async () => {
        const { cancel, ended } = launch(
          Concurrent.both(Promises.fromPromise(() => bodyWork.promise))(
            pipe(
              Effect.never,
              Effect.ensuring(
                Promises.fromPromise((s) => {
                  signal = s
                  return finalizerWork.promise
                })
              )
            )
          ),
          { grace: 1, runtime }
        )
        cancel('enough')
        const exit = await ended
        expect(exit._tag).to.equal('Left')
        if (exit._tag === 'Right') return
        expect(Cause.cancellations(exit.left)).to.have.lengthOf(1)
        expect(Cause.defects(exit.left)).to.deep.equal([
          { _tag: 'CleanupOverran', task: 'both[0]', grace: 1 }
        ])
        expect(signal?.aborted).to.equal(true)
        bodyWork.reject(new Error('late'))
        finalizerWork.reject(new Error('later'))
      })
      expect(unhandled).to.deep.equal([])
      expect(discarded.map(String)).to.deep.equal(['Error: late', 'Error: later'])
    })
  })

  describe('late rejections', () => {
    it('are never unhandled, whatever ended the wait', async () => {
      const unhandled = await unhandledDuring(async () => {
        const works = Array.from({ length: 4 }, () => deferred<number>())
        const [a, b, c, d] = works as [Deferred<number>, Deferred<number>, Deferred<number>, Deferred<number>]
        const letGo = { abandonOnCancel: true }
        const race = launch(Concurrent.race(Effect.unit)(Promises.fromPromise(() => a.promise, letGo)))
        const timeout = launch(
          pipe(
            Promises.fromPromise(() => b.promise, letGo),
            Timeout.moveOnAfter(1)
          )
        )
        const sync = Runtime.runSyncExit(Promises.fromPromise(() => c.promise))
        const waits = launch(Promises.fromPromise(() => d.promise))
        waits.cancel('enough')
        await race.ended
        await timeout.ended
        expect(sync._tag).to.equal('Left')
        works.forEach((work, i) => work.reject(new Error(`late ${i}`)))
        await waits.ended
      })
      expect(unhandled).to.deep.equal([])
    })

    it('and a callback at the end of one run that throws keeps no other run from its end', async () => {
      const work = deferred<number>()
      const wait = Promises.fromPromise(() => work.promise, { abandonOnCancel: true })
      const bug = new Error('bug in the callback')
      let other: ReturnType<typeof launch<number, never>> | undefined
      const uncaught: Array<unknown> = []
      await unhandledDuring(async () => {
        process.on('uncaughtException', (thrown) => uncaught.push(thrown))
        Runtime.runCallback(wait, () => {
          throw bug
        })
        other = launch(wait)
        work.resolve(1)
      })
      expect(uncaught).to.deep.equal([bug])
      expect(other?.exit()).to.deep.equal(Exit.succeed(1))
    })

    it('the test sees one that is unhandled', async () => {
      const unhandled = await unhandledDuring(async () => {
        void Promise.reject('seen')
      })
      expect(unhandled).to.deep.equal(['seen'])
    })
  })

  describe('fetch', () => {
    let server: Server
    let url: string
    /** Ends when the client has gone. */
    let gone: Deferred<void>
    let asked: Deferred<void>

    before(async () => {
      server = createServer((request, response) => {
        if (request.url === '/hello') {
          response.end('hello')
          return
        }
        if (request.url === '/half') {
          response.write('half')
        }
        response.on('close', () => gone.resolve())
        asked.resolve()
      })
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })

    beforeEach(() => {
      gone = deferred()
      asked = deferred()
    })

    after(async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    })

    const get = (path: string) =>
      pipe(
        Promises.tryPromise((signal) => fetch(url + path, { signal }), mapped),
        Effect.flatMap((response) => Promises.tryPromise((_signal) => response.text(), mapped))
      )

    it('gives its response', async () => {
      expect(await Runtime.runPromise(get('/hello'))).to.equal('hello')
    })

    it('that is aborted is Cancelled, and the server sees it', async () => {
      const { cancel, ended } = launch(get('/slow'))
      await asked.promise
      cancel('enough')
      expect(causeOf(await ended)).to.equal('Cancelled')
      await gone.promise
    })

    it('that is aborted while the body comes is Cancelled, and the server sees it', async () => {
      const { cancel, ended } = launch(
        Promises.tryPromise(async (signal) => (await fetch(`${url}/half`, { signal })).text(), mapped)
      )
      await asked.promise
      await turn()
      cancel('enough')
      expect(causeOf(await ended)).to.equal('Cancelled')
      await gone.promise
    })

    it('that cannot connect is a failure, also while nothing is cancelled', async () => {
      const exit = await Runtime.runExit(
        Promises.tryPromise((signal) => fetch('http://127.0.0.1:1/', { signal }), mapped)
      )
      expect(exit._tag === 'Left' && Cause.failures(exit.left)[0]?._tag).to.equal('Mapped')
    })
  })

  describe('an AbortSignal from outside', () => {
    it('TG-45 aborts the run that hosts a group: its tasks are cancelled and awaited, the caller is told', async () => {
      const outer = new AbortController()
      const reason = new Error('the client went away')
      const lines: Array<string> = []
      const log = (line: string) => Effect.sync(() => lines.push(line))
      const flushed = deferred<void>()
      const worker = (name: string) =>
        pipe(
          Effect.never,
          Effect.ensuring(Promises.fromPromise(() => flushed.promise)),
          Effect.onCancel(log(`${name} has stopped`))
        )
      const run = Runtime.runPromise(
        TaskGroup.open()((group) =>
          Effect.gen(function* () {
            yield* group.spawn(worker('a'))
            yield* group.spawn(worker('b'))
          })
        ),
        { signal: outer.signal }
      )
      const outcome = run.then(
        () => 'a value',
        (rejection: unknown) => rejection
      )
      await turn()
      outer.abort(reason)
      await turn()
      expect(lines, 'both are still flushing').to.deep.equal([])
      flushed.resolve()
      expect(await outcome).to.equal(reason)
      expect(lines.sort()).to.deep.equal(['a has stopped', 'b has stopped'])
    })

    it('CS-49 is not swallowed by a scope inside', async () => {
      const outer = new AbortController()
      const reason = new Error('abort')
      const run = Runtime.runPromise(
        pipe(
          CancelScope.open(() => Effect.never, { name: 'inner' }),
          Timeout.moveOnAfter(60_000),
          Effect.as('swallowed')
        ),
        { signal: outer.signal }
      )
      outer.abort(reason)
      expect(
        await run.then(
          (value) => value,
          (rejection: unknown) => rejection
        )
      ).to.equal(reason)
    })

    it('CS-49 also not by one that was cancelled before', async () => {
      const outer = new AbortController()
      const reason = new Error('abort')
      const work = deferred<never>()
      const run = Runtime.runPromise(
        CancelScope.open((scope) =>
          pipe(
            scope.cancel('from inside'),
            Effect.andThen(Timeout.shielded(Promises.fromPromise(() => work.promise))),
            Effect.orElse(() => Effect.unit),
            Effect.ensuring(Effect.sync(() => outer.abort(reason)))
          )
        ),
        { signal: outer.signal }
      )
      work.reject(abortError())
      expect(await run.then(() => 'a value', String)).to.match(/^CauseError: Die: AbortError: stopped/)

      const other = new AbortController()
      const second = Runtime.runPromise(
        CancelScope.open((scope) =>
          pipe(
            scope.cancel('from inside'),
            Effect.andThen(Effect.checkpoint),
            Effect.onCancel(Effect.sync(() => other.abort(reason)))
          )
        ),
        { signal: other.signal }
      )
      expect(
        await second.then(
          () => 'a value',
          (rejection: unknown) => rejection
        )
      ).to.equal(reason)
    })

    it('reaches the signal of a promise inside', async () => {
      const outer = new AbortController()
      const reason = { why: 'anything can be a reason' }
      let inner: unknown
      const run = Runtime.runPromise(
        Promises.fromPromise(
          (signal) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                inner = signal.reason
                reject(signal.reason)
              })
            })
        ),
        { signal: outer.signal }
      )
      outer.abort(reason)
      expect(
        await run.then(
          () => 'a value',
          (rejection: unknown) => rejection
        )
      ).to.equal(reason)
      expect(String(inner)).to.match(/Aborted \{ why: "anything can be a reason" \}/)
    })

    it('that aborts when more went wrong rejects with everything', async () => {
      const outer = new AbortController()
      const work = deferred<never>()
      const run = Runtime.runPromise(
        Promises.fromPromise((_signal) => work.promise),
        {
          signal: outer.signal
        }
      )
      outer.abort(new Error('abort'))
      work.reject(new Error('disk full'))
      const message = await run.then(() => 'a value', String)
      expect(message).to.match(/Cancelled: scope "main", Aborted Error: abort\nDie: Error: disk full/)
    })

    it('of a run that has ended has no listener left', async () => {
      const counted = new AbortController()
      let listeners = 0
      const { signal } = counted
      const add = signal.addEventListener.bind(signal)
      const remove = signal.removeEventListener.bind(signal)
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners++
        add(...args)
      }
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners--
        remove(...args)
      }
      await Runtime.runPromise(
        Promises.fromPromise(() => turn()),
        { signal }
      )
      expect(listeners).to.equal(0)
    })
  })

  describe('toPromise', () => {
    it('is lazy, and runs the effect once a call', async () => {
      let runs = 0
      const task = Promises.toPromise(Effect.sync(() => ++runs))
      expect(runs).to.equal(0)
      expect([await task(), await task()]).to.deep.equal([1, 2])
    })

    it('rejects as runPromise does', async () => {
      const task = Promises.toPromise(Effect.fail('no'))
      expect(
        await task().then(
          () => 'a value',
          (rejection: unknown) => rejection
        )
      ).to.be.instanceOf(Cause.CauseError)
      const reason = new Error('abort')
      const aborted = Promises.toPromise(Effect.never, { signal: AbortSignal.abort(reason) })
      expect(
        await aborted().then(
          () => 'a value',
          (rejection: unknown) => rejection
        )
      ).to.equal(reason)
    })

    it('and back is the same effect', async () => {
      const there = Promises.fromPromise(Promises.toPromise(Effect.succeed(1)))
      expect(await Runtime.runPromise(there)).to.equal(1)
    })
  })
})
