/** Resources and `await using`, both ways. */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Cause, Effect, Resource, Runtime } from 'millrace'
import { complaintsOf, deferred, turns } from '../support/host.js'
import { show } from '../support/seeds.js'

/** A resource that notes when it is opened and closed; closing takes a turn. */
const noted = (log: Array<string>, name = 'file') =>
  Resource.make(
    Effect.sync(() => {
      log.push(`open ${name}`)
      return name
    }),
    (_, exit) =>
      pipe(Effect.checkpoint, Effect.andThen(Effect.sync(() => log.push(`close ${name}: ${show(exit)}`))))
  )

const bug = new Error('a bug')

class Connection implements AsyncDisposable {
  constructor(
    readonly log: Array<string>,
    readonly closes: () => Promise<void> = () => Promise.resolve()
  ) {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.log.push('disposing')
    await this.closes()
    this.log.push('disposed')
  }
}

describe('await using', () => {
  describe('toAsyncDisposable', () => {
    it('is acquired before the block and released after it, and awaited', async () => {
      const log: Array<string> = []
      const block = async () => {
        await using held = await Resource.toAsyncDisposable(noted(log))
        log.push(`use ${held.value}`)
      }
      await block()
      expect(log).to.deep.equal(['open file', 'use file', 'close file: ok()'])
    })

    it('is released as well when the block throws, and the error goes on', async () => {
      const log: Array<string> = []
      const block = async () => {
        await using _held = await Resource.toAsyncDisposable(noted(log))
        throw bug
      }
      expect(await block().catch((u: unknown) => u)).to.equal(bug)
      expect(log).to.deep.equal(['open file', 'close file: ok()'])
    })

    it('several are released in reverse order', async () => {
      const log: Array<string> = []
      const block = async () => {
        await using a = await Resource.toAsyncDisposable(noted(log, 'a'))
        await using b = await Resource.toAsyncDisposable(noted(log, 'b'))
        log.push(`use ${a.value}, ${b.value}`)
      }
      await block()
      expect(log).to.deep.equal(['open a', 'open b', 'use a, b', 'close b: ok()', 'close a: ok()'])
    })

    it('rejects when it cannot be acquired, and nothing is left to dispose of', async () => {
      const complaints = await complaintsOf(async () => {
        const broken = Resource.make(Effect.fail('no'), () => Effect.unit)
        const reason: unknown = await Resource.toAsyncDisposable(broken).catch((u: unknown) => u)
        expect(reason).to.be.instanceOf(Cause.CauseError)
        expect((reason as Cause.CauseError).source).to.deep.equal(Cause.fail('no'))
      })
      expect(complaints).to.deep.equal([])
    })

    it('disposing rejects when the release failed', async () => {
      const complaints = await complaintsOf(async () => {
        const held = await Resource.toAsyncDisposable(Resource.make(Effect.succeed(1), () => Effect.die(bug)))
        const reason: unknown = await Promise.resolve(held[Symbol.asyncDispose]()).catch((u: unknown) => u)
        expect((reason as Error).cause).to.equal(bug)
      })
      expect(complaints).to.deep.equal([])
    })

    it('disposing twice releases once, and both wait for it', async () => {
      const log: Array<string> = []
      const held = await Resource.toAsyncDisposable(noted(log))
      await Promise.all([held[Symbol.asyncDispose](), held[Symbol.asyncDispose]()])
      expect(log).to.deep.equal(['open file', 'close file: ok()'])
    })

    it('is released when its signal aborts; disposing then tells of it, and nobody complains if it is not asked', async () => {
      const complaints = await complaintsOf(async () => {
        const log: Array<string> = []
        const controller = new AbortController()
        const held = await Resource.toAsyncDisposable(noted(log), { signal: controller.signal })
        controller.abort('enough')
        await turns()
        expect(log).to.deep.equal(['open file', 'close file: Cancelled'])
        expect(await Promise.resolve(held[Symbol.asyncDispose]()).catch((u: unknown) => u)).to.equal('enough')
      })
      expect(complaints).to.deep.equal([])
    })

    it('a signal that aborts before it is acquired makes it reject', async () => {
      const log: Array<string> = []
      const slow = pipe(
        noted(log),
        Resource.flatMap(() => Resource.fromEffect(Effect.never))
      )
      const controller = new AbortController()
      const held = Resource.toAsyncDisposable(slow, { signal: controller.signal })
      await turns()
      controller.abort('enough')
      expect(await held.catch((u: unknown) => u)).to.equal('enough')
      expect(log).to.deep.equal(['open file', 'close file: Cancelled'])
    })
  })

  describe('fromAsyncDisposable', () => {
    it('is disposed of after its use, and that is awaited', async () => {
      const log: Array<string> = []
      const gate = deferred<void>()
      const resource = Resource.fromAsyncDisposable(
        Effect.sync(() => new Connection(log, () => gate.promise))
      )
      const exit = Runtime.runExit(
        pipe(
          resource,
          Resource.use((it) => Effect.sync(() => it.log.push('used')))
        )
      )
      await turns()
      expect(log).to.deep.equal(['used', 'disposing'])
      gate.resolve()
      expect(show(await exit)).to.equal('ok(1)')
      expect(log).to.deep.equal(['used', 'disposing', 'disposed'])
    })

    for (const [title, end, shown] of [
      ['a failure', Effect.fail('no'), 'Fail(no)'],
      ['a defect', Effect.die(bug), 'Die(Error: a bug)']
    ] as const) {
      it(`is disposed of as well after ${title}`, async () => {
        const log: Array<string> = []
        const program = pipe(
          Resource.fromAsyncDisposable(Effect.sync(() => new Connection(log))),
          Resource.use((): Effect.Effect<unknown, string, never> => end)
        )
        expect(show(await Runtime.runExit(program))).to.equal(shown)
        expect(log).to.deep.equal(['disposing', 'disposed'])
      })
    }

    it('is disposed of as well when it is cancelled, and that is not cut', async () => {
      const log: Array<string> = []
      const gate = deferred<void>()
      const controller = new AbortController()
      const program = pipe(
        Resource.fromAsyncDisposable(Effect.sync(() => new Connection(log, () => gate.promise))),
        Resource.use(() => Effect.never)
      )
      const exit = Runtime.runExit(program, { signal: controller.signal })
      await turns()
      controller.abort()
      await turns()
      expect(log).to.deep.equal(['disposing'])
      gate.resolve()
      expect(show(await exit)).to.equal('Cancelled')
      expect(log).to.deep.equal(['disposing', 'disposed'])
    })

    it('what goes wrong in it joins what came before', async () => {
      for (const broken of [
        { [Symbol.asyncDispose]: () => Promise.reject(bug) },
        {
          [Symbol.asyncDispose]: (): Promise<void> => {
            throw bug
          }
        }
      ]) {
        const program = pipe(
          Resource.fromAsyncDisposable(Effect.succeed(broken)),
          Resource.use(() => Effect.fail('no'))
        )
        expect(show(await Runtime.runExit(program))).to.equal('Then(Fail(no), Die(Error: a bug))')
      }
    })

    it('there and back: released once, in time', async () => {
      const log: Array<string> = []
      const there = Resource.fromAsyncDisposable(
        Effect.fromTask(() => Resource.toAsyncDisposable(noted(log)))
      )
      const program = pipe(
        there,
        Resource.use(({ value }) => Effect.sync(() => log.push(`use ${value}`)))
      )
      expect(show(await Runtime.runExit(program))).to.equal('ok(2)')
      expect(log).to.deep.equal(['open file', 'use file', 'close file: ok()'])
    })
  })
})
