import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  Effect,
  Layer,
  MemoryStream,
  ObjectStream,
  Promises,
  Resource,
  Runtime,
  Stream,
  StreamError,
  TaskGroup,
  Timeout,
  WebStreams
} from 'millrace'
import { complaintsOf, deferred, turns } from '../support/host.js'
import { type Fx, shown } from '../support/kernel.js'

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(shown)(Effect.exit(fx))
const later = Promises.fromPromise(turns)

/** A readable stream of numbers that says what is done with it. */
const source = (items: number, failure?: unknown) => {
  const log: Array<string> = []
  let next = 0
  const stream = new ReadableStream<number>(
    {
      pull: (controller) => {
        log.push('pull')
        if (next < items) controller.enqueue(++next)
        else if (failure === undefined) controller.close()
        else controller.error(failure)
      },
      cancel: () => {
        log.push('cancel')
      }
    },
    { highWaterMark: 0 }
  )
  return { stream, log }
}

/** A writable stream whose writes are let through by hand, or at once. */
const sink = (manual = false) => {
  const log: Array<string> = []
  const writes: Array<() => void> = []
  const stream = new WritableStream<number>({
    write: (n) => {
      log.push(`write ${n}`)
      if (!manual) return undefined
      const written = deferred<void>()
      writes.push(() => written.resolve())
      return written.promise
    },
    close: () => {
      log.push('close')
    },
    abort: (reason) => {
      log.push(`abort ${(reason as Error).message}`)
    }
  })
  return { stream, log, writes }
}

describe('WebStreams', () => {
  describe('fromReadable', () => {
    it('gives the items when they are asked for, then the end, and unlocks the stream', async () => {
      const { stream, log } = source(2)
      const program = pipe(
        WebStreams.fromReadable(() => stream),
        Resource.use((s) =>
          Effect.gen(function* () {
            yield* later
            const before = log.length
            expect(stream.locked).to.equal(true)
            return [
              before,
              yield* s.receive,
              yield* s.receive,
              yield* ending(s.receive),
              yield* ending(s.receive)
            ]
          })
        )
      )
      expect(await Runtime.runPromise(program)).to.deep.equal([
        0,
        1,
        2,
        'Fail EndOfStream',
        'Fail EndOfStream'
      ])
      expect(log).to.deep.equal(['pull', 'pull', 'pull'])
      expect(stream.locked).to.equal(false)
    })

    it('what is not read to its end is cancelled once and unlocked', async () => {
      const { stream, log } = source(5)
      const program = pipe(
        WebStreams.fromReadable(() => stream),
        Resource.use((s) =>
          Effect.gen(function* () {
            yield* s.receive
            yield* s.close
            yield* s.close
            return yield* ending(s.receive)
          })
        )
      )
      expect(await Runtime.runPromise(program)).to.equal('Fail ClosedResource')
      expect(log).to.deep.equal(['pull', 'cancel'])
      expect(stream.locked).to.equal(false)
    })

    it('a failure that comes when nobody receives any more fails nobody', async () => {
      let controller!: ReadableStreamDefaultController<number>
      const stream = new ReadableStream<number>({ start: (its) => void (controller = its) })
      const program = pipe(
        WebStreams.fromReadable(() => stream),
        Resource.use(() =>
          Effect.sync(() => {
            controller.error(new Error('broke'))
          })
        )
      )
      expect(await Runtime.runPromise(program)).to.equal(undefined)
      expect(stream.locked).to.equal(false)
    })

    it('a failure is BrokenResource with its cause, once; nothing else complains', async () => {
      const bug = new Error('broke')
      const complaints = await complaintsOf(async () => {
        const { stream, log } = source(1, bug)
        const program = pipe(
          WebStreams.fromReadable(() => stream),
          Resource.use((s) =>
            Effect.gen(function* () {
              const first = yield* s.receive
              const failure = yield* Effect.either(s.receive)
              return [first, failure, yield* ending(s.receive)]
            })
          )
        )
        expect(await Runtime.runPromise(program)).to.deep.equal([
          1,
          { _tag: 'Left', left: { _tag: 'BrokenResource', resource: 'ReadableStream', cause: bug } },
          'Fail EndOfStream'
        ])
        expect(log).to.deep.equal(['pull', 'pull'])
        expect(stream.locked).to.equal(false)
      })
      expect(complaints).to.deep.equal([])
    })

    it('a receive that is cancelled loses nothing', async () => {
      let give!: (n: number) => void
      const stream = new ReadableStream<number>({
        start: (controller) => {
          give = (n) => {
            controller.enqueue(n)
          }
        }
      })
      const program = pipe(
        WebStreams.fromReadable(() => stream),
        Resource.use((s) =>
          Effect.gen(function* () {
            const first = yield* Timeout.moveOnAfter(1)(s.receive)
            give(1)
            yield* later
            give(2)
            return [first._tag, yield* s.receive, yield* s.receive]
          })
        )
      )
      expect(await Runtime.runPromise(program)).to.deep.equal(['None', 1, 2])
    })

    it('closing wakes a receive that waits', async () => {
      const stream = new ReadableStream<number>()
      const program = pipe(
        WebStreams.fromReadable(() => stream),
        Resource.use((s) =>
          TaskGroup.open()((group) =>
            Effect.gen(function* () {
              const waiting = yield* group.spawn(ending(s.receive))
              yield* later
              yield* s.close
              return yield* Effect.orDie(waiting.join)
            })
          )
        )
      )
      expect(await Runtime.runPromise(program)).to.equal('Fail ClosedResource')
    })

    it('a stream that is locked is a defect', async () => {
      const { stream } = source(1)
      stream.getReader()
      const exit = await Runtime.runExit(
        Resource.use(() => Effect.unit)(WebStreams.fromReadable(() => stream))
      )
      expect(shown(exit)).to.match(/^Die .*locked/)
    })
  })

  describe('fromWritable', () => {
    it('sends with back-pressure, and closes after all that was sent', async () => {
      const { stream, log, writes } = sink(true)
      const program = pipe(
        WebStreams.fromWritable(() => stream),
        Resource.use((s) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const first = yield* group.spawn(s.send(1))
              const second = yield* group.spawn(s.send(2))
              yield* later
              const before = [...log]
              writes[0]!()
              yield* first.join
              yield* later
              writes[1]!()
              yield* second.join
              return before
            })
          )
        )
      )
      expect(await Runtime.runPromise(program)).to.deep.equal(['write 1'])
      expect(log).to.deep.equal(['write 1', 'write 2', 'close'])
      expect(stream.locked).to.equal(false)
    })

    it('a use that fails aborts it, so that a part is not taken for the whole', async () => {
      const { stream, log } = sink()
      const exit = await Runtime.runExit(
        pipe(
          WebStreams.fromWritable(() => stream),
          Resource.use((s) => Effect.flatMap(() => Effect.fail('no'))(s.send(1)))
        )
      )
      expect(shown(exit)).to.equal('Fail no')
      expect(log[0]).to.equal('write 1')
      expect(log[1]).to.match(/^abort .*no/)
      expect(stream.locked).to.equal(false)
    })

    it('a failure of the stream is BrokenResource with its cause, for this and all later sends', async () => {
      const bug = new Error('broke')
      const complaints = await complaintsOf(async () => {
        const stream = new WritableStream<number>({ write: () => Promise.reject(bug) })
        const program = pipe(
          WebStreams.fromWritable(() => stream),
          Resource.use((s) =>
            Effect.gen(function* () {
              return [yield* Effect.either(s.send(1)), yield* ending(s.send(2))]
            })
          )
        )
        expect(await Runtime.runPromise(program)).to.deep.equal([
          { _tag: 'Left', left: { _tag: 'BrokenResource', resource: 'WritableStream', cause: bug } },
          'Fail BrokenResource'
        ])
      })
      expect(complaints).to.deep.equal([])
    })

    it('a send that is cancelled while there is no room has sent nothing; one that was handed over has', async () => {
      const { stream, log, writes } = sink(true)
      const program = pipe(
        WebStreams.fromWritable(() => stream),
        Resource.use((s) =>
          Effect.gen(function* () {
            // Handed over: it has happened, and the cancellation is seen after it.
            const first = yield* Timeout.moveOnAfter(1)(Effect.as('sent')(s.send(1)))
            const second = yield* Timeout.moveOnAfter(1)(Effect.as('sent')(s.send(2)))
            yield* later
            writes[0]!()
            yield* later
            return [first, second]
          })
        )
      )
      expect(await Runtime.runPromise(program)).to.deep.equal([
        { _tag: 'Some', value: 'sent' },
        { _tag: 'None' }
      ])
      expect(log).to.deep.equal(['write 1', 'close'])
    })
  })

  describe('fromPair', () => {
    it('sendEof ends one direction, and receiving goes on', async () => {
      const program = pipe(
        WebStreams.fromPair(
          () => new TransformStream<string, string>(undefined, { highWaterMark: 4 }, { highWaterMark: 4 })
        ),
        Resource.use((s) =>
          Effect.gen(function* () {
            yield* s.send('a')
            yield* s.send('b')
            yield* s.sendEof
            return [yield* Stream.collect(s), yield* ending(s.send('c')), yield* ending(s.sendEof)]
          })
        )
      )
      expect(await Runtime.runPromise(program)).to.deep.equal([
        ['a', 'b'],
        'Fail ClosedResource',
        'ok undefined'
      ])
    })
  })

  describe('toReadable', () => {
    const watched = (failure?: string) => {
      const log: Array<string> = []
      let n = 0
      const stream = ObjectStream.receiveStream({
        receive: Effect.suspend((): Fx<number, string | StreamError.EndOfStream> => {
          log.push(`asked ${n}`)
          if (n < 2) return Effect.succeed(n++)
          return failure === undefined ? Effect.fail(StreamError.endOfStream) : Effect.fail(failure)
        }),
        close: Effect.sync(() => void log.push('closed'))
      })
      return { log, stream }
    }
    const read = <A, B>(
      stream: ObjectStream.ReceiveStream<A, unknown>,
      use: (readable: ReadableStream<A>) => Promise<B>
    ) =>
      Runtime.runPromise(
        pipe(
          WebStreams.toReadable(stream),
          Resource.use((readable) => Promises.fromPromise(() => use(readable)))
        )
      )

    it('receives when it is read, and no earlier; the end is the end', async () => {
      const { stream, log } = watched()
      const seen = await read(stream, async (readable) => {
        await turns()
        expect(log).to.deep.equal([])
        const all: Array<number> = []
        for await (const n of readable as unknown as AsyncIterable<number>) all.push(n)
        return all
      })
      expect(seen).to.deep.equal([0, 1])
      expect(log).to.deep.equal(['asked 0', 'asked 1', 'asked 2', 'closed'])
    })

    it('whoever cancels it closes the stream, once', async () => {
      const { stream, log } = watched()
      await read(stream, async (readable) => {
        for await (const n of readable as unknown as AsyncIterable<number>) return n
        return undefined
      })
      expect(log).to.deep.equal(['asked 0', 'closed'])
    })

    it('a failure is an error of the readable stream', async () => {
      const { stream } = watched('broke')
      const reason = await read(stream, async (readable) => {
        const reader = readable.getReader()
        await reader.read()
        await reader.read()
        return reader.read().catch((e: unknown) => e)
      })
      expect(String(reason)).to.include('broke')
    })

    it('released before its end it is an error, and not an end', async () => {
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>())
      const complaints = await complaintsOf(async () => {
        const ends: Array<Promise<unknown>> = []
        await Runtime.runPromise(
          pipe(
            WebStreams.toReadable(receive),
            Resource.use((readable) =>
              Effect.flatMap(() => later)(
                Effect.sync(() => {
                  ends.push(
                    readable
                      .getReader()
                      .read()
                      .catch((e: unknown) => String(e))
                  )
                })
              )
            )
          )
        )
        expect(await ends[0]).to.include('released')
      })
      expect(complaints).to.deep.equal([])
      expect(send.sendUnsafe(1)).to.equal(false)
      send.closeUnsafe()
    })
  })

  describe('toWritable', () => {
    it('writes are sends, with their back-pressure; close is the end', async () => {
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>())
      const program = pipe(
        WebStreams.toWritable(send),
        Resource.use((writable) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const writing = yield* group.spawn(
                Promises.fromPromise(() => source(3).stream.pipeTo(writable))
              )
              const all = yield* Stream.collect(receive)
              yield* writing.join
              return all
            })
          )
        )
      )
      expect(await Runtime.runPromise(program)).to.deep.equal([1, 2, 3])
    })

    it('abort closes the stream', async () => {
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>())
      await Runtime.runPromise(
        pipe(
          WebStreams.toWritable(send),
          Resource.use((writable) => Promises.fromPromise(() => writable.abort('enough')))
        )
      )
      expect(shown(Runtime.runSyncExit(receive.receive))).to.equal('Fail EndOfStream')
      receive.closeUnsafe()
    })

    it('a failure of the stream is an error of the writable one', async () => {
      const broken = ObjectStream.sendStream<number, string>({ send: () => Effect.fail('broke') })
      const reason = await Runtime.runPromise(
        pipe(
          WebStreams.toWritable(broken),
          Resource.use((writable) =>
            Promises.fromPromise(() =>
              writable
                .getWriter()
                .write(1)
                .catch((e: unknown) => e)
            )
          )
        )
      )
      expect(String(reason)).to.include('broke')
    })
  })

  describe('layer', () => {
    const deflate = WebStreams.layer({
      receiving: () => new DecompressionStream('deflate'),
      sending: () => new CompressionStream('deflate')
    })
    const text = (chunks: ReadonlyArray<Uint8Array>) => Buffer.concat(chunks).toString()
    const packed = (content: string) =>
      Promises.fromPromise(async () => {
        const stream = new Blob([content]).stream().pipeThrough(new CompressionStream('deflate'))
        return Buffer.from(await new Response(stream).arrayBuffer())
      })

    it('goes on a lone receive stream, whatever the chunks', async () => {
      const content = 'millrace '.repeat(5_000)
      const program = Effect.gen(function* () {
        const whole = yield* packed(content)
        const parts = Array.from({ length: whole.length }, (_, i) => whole.subarray(i, i + 1))
        return text(yield* pipe(yield* Stream.fromIterable(parts), Layer.through(deflate), Stream.collect))
      })
      expect((await Runtime.runPromise(program)) === content).to.equal(true)
    })

    it('goes on both directions; sendEof brings out what was held back', async () => {
      const program = Effect.gen(function* () {
        const [one, other] = yield* MemoryStream.pair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(4)
        const [a, b] = [pipe(one, Layer.through(deflate)), pipe(other, Layer.through(deflate))]
        return yield* TaskGroup.open<unknown>()((group) =>
          Effect.gen(function* () {
            yield* group.spawn(
              Effect.gen(function* () {
                for (let i = 0; i < 100; i++) yield* a.send(Buffer.from(`line ${i}\n`))
                yield* a.sendEof
              })
            )
            return text(yield* Stream.collect(b)).split('\n').length
          })
        )
      })
      expect(await Runtime.runPromise(program)).to.equal(101)
    })

    it('an answer comes although the question has not ended', async () => {
      // A transformation may give its output long after it took the input.
      const slowly = WebStreams.layer({
        receiving: () =>
          new TransformStream<number, number>({
            transform: (n, controller) => {
              setTimeout(() => {
                controller.enqueue(n * 2)
              }, 1)
            }
          }),
        sending: () => new TransformStream<number, number>()
      })
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>(1))
      const program = Effect.gen(function* () {
        yield* send.send(21)
        return yield* pipe(receive, Layer.through(slowly)).receive
      })
      expect(await Runtime.runPromise(program)).to.equal(42)
      send.closeUnsafe()
      receive.closeUnsafe()
    })

    it('what the transformation cannot take is BrokenResource, and nothing complains', async () => {
      const complaints = await complaintsOf(async () => {
        const program = Effect.gen(function* () {
          const garbage = yield* Stream.fromIterable([
            Buffer.from('no deflate at all') as Uint8Array<ArrayBuffer>
          ])
          const stream = pipe(garbage, Layer.through(deflate))
          const end = yield* ending(stream.receive)
          yield* stream.close
          return end
        })
        expect(await Runtime.runPromise(program)).to.equal('Fail BrokenResource')
      })
      expect(complaints).to.deep.equal([])
    })

    it('a receive that is cancelled loses nothing', async () => {
      const double = WebStreams.layer({
        receiving: () => new TransformStream<number, number>(),
        sending: () => new TransformStream<number, number>()
      })
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>(100))
      const program = Effect.gen(function* () {
        const stream = pipe(receive, Layer.through(double))
        const seen: Array<number> = []
        for (let i = 0; i < 20; i++) {
          const item = yield* Timeout.moveOnAfter(0.05 * (i % 5))(stream.receive)
          if (item._tag === 'Some') seen.push(item.value)
          yield* send.send(i)
        }
        yield* send.close
        return [...seen, ...(yield* Stream.collect(stream))]
      })
      expect(await Runtime.runPromise(program)).to.deep.equal(Array.from({ length: 20 }, (_, i) => i))
    })
  })
})
