/** Every drop-in, in all the ways in which what it is around can end. */
import { expect } from 'chai'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { Cause, Effect, Runtime, TaskEithers } from 'millrace'
import { VirtualClock } from 'millrace/testing'
import { Job, turns, withDefault } from './host.js'
import { show } from './seeds.js'

/** A drop-in around one `TaskEither`, whose value it gives. */
export type DropIn = (te: TaskEither<string, number>) => TaskEither<string, number>

const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (reason) {
    return reason
  }
  throw new Error('it did not reject')
}

const bug = new Error('a bug')

/** Endings that do not depend on the async context. */
const plain = (around: DropIn): void => {
  it('gives the value', async () => {
    expect(await around(() => Promise.resolve(E.right(42)))()).to.deep.equal(E.right(42))
  })

  it('gives the Left', async () => {
    expect(await around(() => Promise.resolve(E.left('no')))()).to.deep.equal(E.left('no'))
  })

  it('rejects with the CauseError of what it throws', async () => {
    const te = around(() => {
      throw bug
    })
    const reason = await rejection(te())
    expect(reason).to.be.instanceOf(Cause.CauseError)
    expect((reason as Error).cause).to.equal(bug)
  })

  it('rejects with the CauseError of its rejection', async () => {
    const reason = await rejection(around(() => Promise.reject(bug))())
    expect(reason).to.be.instanceOf(Cause.CauseError)
    expect((reason as Error).cause).to.equal(bug)
  })

  it('runs again when it is called again', async () => {
    let runs = 0
    const te = around(() => Promise.resolve(E.right(++runs)))
    expect([await te(), await te()]).to.deep.equal([E.right(1), E.right(2)])
  })

  it('is lazy', async () => {
    let runs = 0
    around(() => Promise.resolve(E.right(++runs)))
    await turns()
    expect(runs).to.equal(0)
  })
}

/** A run around the drop-in that is cancelled while the work goes on. */
const cancelled = async (te: TaskEither<string, number>, runtime?: Runtime.Runtime) => {
  const controller = new AbortController()
  const exit = Runtime.runExit(Effect.fromTaskEither(te), {
    signal: controller.signal,
    ...(runtime === undefined ? {} : { runtime })
  })
  await turns()
  controller.abort('enough')
  await turns()
  return { exit }
}

export const describeEndings = (around: DropIn): void => {
  describe('without asyncContext', () => {
    plain(around)

    it('cancelled from outside: the work is not told, its end is awaited, and a value is kept', async () => {
      const log: Array<string> = []
      const job = new Job('job', log)
      const { exit } = await cancelled(around(job.te))
      expect(log).to.deep.equal(['job starts'])
      job.succeed(42)
      expect(show(await exit)).to.equal('ok(42)')
    })

    it('cancelled from outside: a Left afterwards is the cancellation', async () => {
      const job = new Job('job', [])
      const { exit } = await cancelled(around(job.te))
      job.fail('no')
      expect(show(await exit)).to.equal('Cancelled')
    })

    it('timed out: the work is not told, and its end is awaited', async () => {
      const clock = VirtualClock.make()
      await withDefault({ clock }, async () => {
        const log: Array<string> = []
        const job = new Job('job', log)
        let ended = false
        const te = pipe(
          around(job.te),
          TaskEithers.withTimeout(10, () => 'too slow' as const)
        )
        const result = te().finally(() => {
          ended = true
        })
        await turns()
        expect(clock.advance()).to.equal(true)
        await turns()
        expect([ended, log]).to.deep.equal([false, ['job starts']])
        job.fail('no')
        expect(await result).to.deep.equal(E.left('too slow'))
      })
    })
  })

  const withContext = (
    title: string,
    scoped: (body: (runtime?: Runtime.Runtime) => Promise<void>) => Promise<void>
  ) => {
    describe(title, () => {
      it('cancelled from outside: the work is aborted and awaited', () =>
        scoped(async (runtime) => {
          const log: Array<string> = []
          const { exit } = await cancelled(around(new Job('job', log).te), runtime)
          expect(show(await exit)).to.equal('Cancelled')
          expect(log).to.deep.equal(['job starts', 'job aborted', 'job stops'])
        }))

      it('cancelled from outside: a Left of the aborted work is the cancellation', () =>
        scoped(async (runtime) => {
          const { exit } = await cancelled(around(new Job('job', [], 'leaves').te), runtime)
          expect(show(await exit)).to.equal('Cancelled')
        }))

      it('cancelled from outside: work that does not look at its signal is awaited, and its value kept', () =>
        scoped(async (runtime) => {
          const job = new Job('job', [], 'goesOn')
          const { exit } = await cancelled(around(job.te), runtime)
          job.succeed(42)
          expect(show(await exit)).to.equal('ok(42)')
        }))

      it('cancelled from outside: a rejection of another kind joins the cancellation', () =>
        scoped(async (runtime) => {
          const job = new Job('job', [], 'goesOn')
          const { exit } = await cancelled(around(job.te), runtime)
          job.reject(bug)
          expect(show(await exit)).to.match(/^Then\(Cancelled, Die\(CauseError: /)
        }))
    })
  }

  withContext('with asyncContext in the default runtime', (body) =>
    withDefault({ asyncContext: true }, () => body())
  )
  withContext('with asyncContext in the runtime of the outer run only', (body) =>
    body(Runtime.make({ asyncContext: true }))
  )

  describe('with asyncContext', () => {
    const inContext = (body: () => Promise<void>) => () => withDefault({ asyncContext: true }, body)

    describe('when nothing is cancelled', () => {
      before(() => {
        Runtime.setDefault(Runtime.make({ asyncContext: true }))
      })
      after(() => {
        Runtime.setDefault(Runtime.defaultRuntime)
      })
      plain(around)
    })

    for (const manner of ['rejects', 'leaves'] as const) {
      it(`timed out: work that ${manner} is aborted and awaited`, async () => {
        const clock = VirtualClock.make()
        await withDefault({ clock, asyncContext: true }, async () => {
          const log: Array<string> = []
          const te = pipe(
            around(new Job('job', log, manner).te),
            TaskEithers.withTimeout(10, () => 'too slow' as const)
          )
          const result = te()
          await turns()
          clock.advance()
          expect(await result).to.deep.equal(E.left('too slow'))
          expect(log).to.deep.equal(['job starts', 'job aborted', 'job stops'])
        })
      })
    }

    it(
      'nested in itself and in the others, it is cancelled with the outer one',
      inContext(async () => {
        const log: Array<string> = []
        const nested = around(
          TaskEithers.bracketExit(
            () => Promise.resolve(E.right(0)),
            () => around(new Job('job', log).te),
            (_, exit) => {
              log.push(`released: ${show(exit)}`)
              return () => Promise.resolve(E.right(undefined))
            }
          )
        )
        const { exit } = await cancelled(nested)
        expect(show(await exit)).to.equal('Cancelled')
        expect(log).to.deep.equal(['job starts', 'job aborted', 'job stops', 'released: Cancelled'])
      })
    )
  })
}
