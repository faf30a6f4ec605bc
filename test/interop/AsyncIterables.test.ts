import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type { Exit } from 'millrace'
import {
  AsyncIterables,
  Effect,
  MemoryStream,
  ObjectStream,
  Promises,
  Resource,
  Runtime,
  Stream
} from 'millrace'
import { complaintsOf, deferred, turns } from '../support/host.js'
import { shown } from '../support/kernel.js'

/** A stream that says when it is asked, and when it is closed. */
const watched = (items: ReadonlyArray<number>, failure?: string) => {
  const log: Array<string> = []
  let at = 0
  const stream = ObjectStream.receiveStream({
    receive: Effect.suspend((): Effect.Effect<unknown, string | { readonly _tag: 'EndOfStream' }, number> => {
      const item = items[at++]
      log.push(`asked ${at}`)
      if (item !== undefined) return Effect.succeed(item)
      return failure === undefined ? Effect.fail({ _tag: 'EndOfStream' }) : Effect.fail(failure)
    }),
    close: Effect.sync(() => {
      log.push('closed')
    })
  })
  return { log, stream }
}

/** Runs code of the outside on a stream as an iterable. */
const outside = <A, E, B>(
  stream: ObjectStream.ReceiveStream<A, E>,
  use: (items: AsyncIterableIterator<A>) => Promise<B>
): Promise<B> =>
  Runtime.runPromise(
    pipe(
      AsyncIterables.to(stream),
      Resource.use((items) => Promises.fromPromise(() => use(items)))
    )
  )

describe('AsyncIterables', () => {
  describe('from and to', () => {
    for (const [name, items, failure] of [
      ['no items', [], undefined],
      ['some items', [1, 2, 3], undefined],
      ['a failure after items', [1, 2], 'broke'],
      ['a failure at once', [], 'broke']
    ] as const) {
      it(`give back the stream they were given: ${name}`, async () => {
        const seen: Array<number> = []
        const { stream, log } = watched(items, failure)
        const program = pipe(
          AsyncIterables.to(stream),
          Resource.flatMap((iterable) =>
            AsyncIterables.from(iterable, (thrown) => (thrown as Error).message)
          ),
          Resource.use(Stream.forEach((n: number) => Effect.sync(() => seen.push(n))))
        )
        const exit = await Runtime.runExit(program)
        expect(seen).to.deep.equal(items)
        if (failure === undefined) expect(shown(exit)).to.equal('ok undefined')
        else expect(shown(exit)).to.include(failure)
        expect(log.filter((line) => line === 'closed')).to.have.length(1)
      })
    }

    it('a generator runs through a stream and back, and both ends are closed once by an early break', async () => {
      const log: Array<string> = []
      async function* numbers() {
        try {
          for (let n = 1; ; n++) yield n
        } finally {
          log.push('returned')
        }
      }
      const program = pipe(
        AsyncIterables.from(numbers(), String),
        Resource.flatMap(AsyncIterables.to),
        Resource.use((items) =>
          Promises.fromPromise(async () => {
            for await (const n of items) if (n === 2) break
            log.push('left the loop')
          })
        )
      )
      await Runtime.runPromise(program)
      expect(log).to.deep.equal(['returned', 'left the loop'])
    })
  })

  describe('to', () => {
    it('asks for an item when next is called, and not before', async () => {
      const { stream, log } = watched([1, 2, 3])
      await outside(stream, async (items) => {
        await turns()
        expect(log).to.deep.equal([])
        await items.next()
        await turns()
        expect(log).to.deep.equal(['asked 1'])
      })
      expect(log).to.deep.equal(['asked 1', 'closed'])
    })

    it('concurrent nexts are queued, also on a stream that has room for one receiver', async () => {
      let inside = 0
      let most = 0
      let n = 0
      const stream: ObjectStream.ReceiveStream<number, unknown> = {
        ...watched([]).stream,
        receive: pipe(
          Effect.sync(() => {
            most = Math.max(most, ++inside)
          }),
          Effect.andThen(Effect.yieldNow),
          Effect.map(() => {
            inside--
            return ++n
          })
        )
      }
      const values = await outside(stream, (items) => Promise.all([items.next(), items.next(), items.next()]))
      expect(values.map(({ value }) => value as number)).to.deep.equal([1, 2, 3])
      expect(most).to.equal(1)
    })

    it('return wakes a next that waits, which is over, and closes once however often it is called', async () => {
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>())
      let closed = 0
      const stream: ObjectStream.ReceiveStream<number, unknown> = {
        ...watched([]).stream,
        receive: receive.receive,
        close: Effect.andThen(receive.close)(
          Effect.sync(() => {
            closed++
          })
        )
      }
      const ends = await outside(stream, async (items) => {
        const waiting = items.next()
        await turns()
        return Promise.all([waiting, items.return!(), items.return!(), items.next()])
      })
      expect(ends).to.deep.equal(Array.from({ length: 4 }, () => ({ done: true, value: undefined })))
      expect(closed).to.equal(1)
      send.closeUnsafe()
    })

    it('throw closes the stream and gives the error back', async () => {
      const { stream, log } = watched([1, 2])
      const reason = await outside(stream, (items) =>
        items.throw!(new Error('mine')).catch((e: unknown) => e)
      )
      expect(reason).to.be.instanceOf(Error).with.property('message', 'mine')
      expect(log).to.deep.equal(['closed'])
    })

    it('after a failure it is over, and closed once', async () => {
      const { stream, log } = watched([], 'broke')
      const ends = await outside(stream, async (items) => [
        await items.next().catch((e: unknown) => (e as Error).message),
        await items.next()
      ])
      expect(ends).to.deep.equal(['Fail: "broke"', { done: true, value: undefined }])
      expect(log.filter((line) => line === 'closed')).to.have.length(1)
    })

    it('cancelled, it closes the stream once and leaves nothing that nobody looks at', async () => {
      const closed: Array<string> = []
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>())
      const stream: ObjectStream.ReceiveStream<number, unknown> = {
        ...watched([]).stream,
        receive: receive.receive,
        close: Effect.andThen(receive.close)(Effect.sync(() => closed.push('closed')))
      }
      const complaints = await complaintsOf(async () => {
        const begun = deferred<void>()
        const loop = pipe(
          AsyncIterables.to(stream),
          Resource.use((items) =>
            Promises.fromPromise(
              async () => {
                const waiting = items.next().catch(() => undefined)
                begun.resolve()
                await waiting
              },
              { abandonOnCancel: true }
            )
          )
        )
        const ended = new Promise<Exit.Exit<unknown, unknown>>((resolve) => {
          const cancel = Runtime.runCallback(loop, resolve)
          void begun.promise.then(() => cancel('enough'))
        })
        expect(shown(await ended)).to.equal('Cancelled')
      })
      expect(complaints).to.deep.equal([])
      expect(closed).to.deep.equal(['closed'])
      expect(send.sendUnsafe(1)).to.equal(false)
      send.closeUnsafe()
    })
  })
})
