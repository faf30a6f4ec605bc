import { randomBytes } from 'node:crypto'
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync
} from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import {
  type ByteStream,
  Effect,
  Layer,
  MemoryStream,
  type ObjectStream,
  Runtime,
  type Scheduler,
  Stream,
  TaskGroup,
  Timeout
} from 'millrace'
import { Compression } from 'millrace/node'
import { runCheck } from 'millrace/laws/Check'
import { layerChecks } from 'millrace/laws/LayerSuite'
import { complaintsOf } from '../../support/host.js'
import { type Fx, shown } from '../../support/kernel.js'

type Bytes = ByteStream.Bytes

const formats = {
  gzip: { layer: Compression.gzip, pack: gzipSync, unpack: gunzipSync },
  deflate: { layer: Compression.deflate, pack: deflateSync, unpack: inflateSync },
  brotli: { layer: Compression.brotli, pack: brotliCompressSync, unpack: brotliDecompressSync }
}

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(shown)(Effect.exit(fx))
const oneByOne = (all: Uint8Array): Array<Bytes> => Array.from(all, (byte) => Uint8Array.of(byte))
const run = <A, E>(fx: Effect.Effect<unknown, E, A>): Promise<A> => Runtime.runPromise(fx)

/** What is unpacked of these chunks, and how it ended. */
const unpacked = (
  layer: Compression.Compression,
  chunks: ReadonlyArray<Bytes>
): Fx<readonly [string, string]> =>
  Effect.gen(function* () {
    const stream = pipe(yield* Stream.fromIterable(chunks), Layer.through(layer))
    const all: Array<Bytes> = []
    for (;;) {
      const item = yield* Effect.either(stream.receive)
      if (item._tag === 'Left') {
        yield* stream.close
        return [Buffer.concat(all).toString(), item.left._tag] as const
      }
      all.push(item.right)
    }
  })

/** Sends all of these, and gives what came out below. */
const packed = (
  layer: Compression.Compression,
  chunks: ReadonlyArray<Bytes>,
  end: (s: ObjectStream.SendStream<Bytes, unknown>) => Fx<void, unknown> = (s) => s.close
): Fx<Array<Bytes>, unknown> =>
  Effect.gen(function* () {
    const [send, receive] = yield* MemoryStream.make<Bytes>(Infinity)
    const stream = pipe(send, Layer.through(layer))
    for (const chunk of chunks) yield* stream.send(chunk)
    yield* end(stream)
    yield* send.close
    return [...(yield* Stream.collect(receive))]
  })

const content = 'grüße aus der mühle\n'.repeat(2_000)

const items = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 })
const join = (chunks: ReadonlyArray<Bytes>): string => Buffer.concat(chunks).toString('hex')

for (const [name, { layer }] of Object.entries(formats)) {
  for (const flush of ['eachSend', 'atEnd'] as const) {
    describe(`the suite for layers: Compression.${name}, ${flush}`, () => {
      for (const check of layerChecks({ layer: layer({ flush }), items, join })) {
        it(check.name, async () => {
          expect(await runCheck(check, (fx) => Runtime.runExit(fx), { runs: 3 })).to.equal(null)
        })
      }
    })
  }
}

for (const [name, { layer, pack, unpack }] of Object.entries(formats)) {
  describe(`Compression.${name}`, () => {
    it('unpacks what others have packed, whatever the chunks', async () => {
      const whole = pack(content)
      for (const chunks of [
        [whole],
        oneByOne(whole),
        [whole.subarray(0, 7), new Uint8Array(0), whole.subarray(7)]
      ]) {
        const [text, end] = await run(unpacked(layer(), chunks))
        expect(text === content).to.equal(true)
        expect(end).to.equal('EndOfStream')
      }
    })

    it('others can unpack what it has packed; a lone stream brings out what is left when it closes', async () => {
      const chunks = await run(packed(layer({ level: 3 }), oneByOne(Buffer.from(content.slice(0, 500)))))
      expect(unpack(Buffer.concat(chunks)).toString()).to.equal(content.slice(0, 500))
    })

    it('at the end: little is sent before; with each send: all of it', async () => {
      const parts = ['one', 'two', 'three'].map((part) => Buffer.from(part))
      const late = await run(packed(layer(), parts))
      const early = await run(packed(layer({ flush: 'eachSend' }), parts))
      expect(late.length).to.be.lessThan(early.length)
      const program = Effect.gen(function* () {
        const [one, other] = yield* MemoryStream.pair<Bytes, Bytes>(4)
        const [a, b] = [one, other].map(Layer.through(layer({ flush: 'eachSend' }))) as [
          typeof one,
          typeof one
        ]
        const seen: Array<string> = []
        for (const word of ['ping', 'pong']) {
          yield* a.send(Buffer.from(word))
          seen.push(Buffer.from(yield* b.receive).toString())
        }
        return seen
      })
      expect(await run(program)).to.deep.equal(['ping', 'pong'])
    })

    it('sendEof brings out what is left, and receiving goes on', async () => {
      const program = Effect.gen(function* () {
        const [one, other] = yield* MemoryStream.pair<Bytes, Bytes>(4)
        const [a, b] = [one, other].map(Layer.through(layer())) as [typeof one, typeof one]
        yield* a.send(Buffer.from('question'))
        yield* a.sendEof
        const question = Buffer.concat(yield* Stream.collect(b)).toString()
        yield* b.send(Buffer.from(`${question}: yes`))
        yield* b.sendEof
        const answer = Buffer.concat(yield* Stream.collect(a)).toString()
        return [answer, yield* ending(a.send(Buffer.from('more')))]
      })
      expect(await run(program)).to.deep.equal(['question: yes', 'Fail ClosedResource'])
    })

    it('an input that is cut is IncompleteRead, after what could be unpacked; nothing at all is the end', async () => {
      const whole = pack(randomBytes(1_000).toString('hex'))
      for (const size of [1, 5, 500, whole.length - 1]) {
        const [, end] = await run(unpacked(layer(), [whole.subarray(0, size)]))
        expect(end, `${size} bytes`).to.equal('IncompleteRead')
      }
      expect(await run(unpacked(layer(), []))).to.deep.equal(['', 'EndOfStream'])
    })

    it('what is in another format, or damaged, is DecodeFailed, and nothing complains', async () => {
      const complaints = await complaintsOf(async () => {
        expect(
          await run(unpacked(layer(), [Buffer.from('this is plain text, and long enough')]))
        ).to.deep.equal(['', 'DecodeFailed'])
        // Brotli has no checksum.
        if (name === 'brotli') return
        const damaged = Buffer.from(pack(randomBytes(10_000).toString('hex')))
        damaged.fill(0xff, 200, 400)
        expect((await run(unpacked(layer(), [damaged])))[1]).to.equal('DecodeFailed')
      })
      expect(complaints).to.deep.equal([])
    })

    it('a small input that unpacks to very much is unpacked as it is taken', async () => {
      const size = 100_000_000
      const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
      const bomb =
        name === 'brotli' ? brotliCompressSync(Buffer.alloc(size), quality) : pack(Buffer.alloc(size))
      expect(bomb.length).to.be.lessThan(size / 500)
      const program = Effect.gen(function* () {
        const stream = pipe(yield* Stream.fromIterable([bomb]), Layer.through(layer()))
        const before = process.memoryUsage().rss
        let received = 0
        for (let i = 0; i < 20; i++) received += (yield* stream.receive).length
        const grown = process.memoryUsage().rss - before
        yield* stream.close
        return { received, grown }
      })
      const { received, grown } = await run(program)
      expect(received).to.be.greaterThan(0)
      expect(grown).to.be.lessThan(size / 4)
    })

    it('goes on wherever the host gets its turn', async () => {
      for (let maxSteps = 1; maxSteps <= 12; maxSteps++) {
        const schedule = (turn: Scheduler.Turn): void => void setImmediate(() => turn.run())
        const runtime = Runtime.make({ scheduler: { schedule, maxSteps } })
        const program = Effect.gen(function* () {
          const [send, receive] = yield* MemoryStream.make<Bytes>(Infinity)
          const packing = pipe(send, Layer.through(layer({ flush: 'eachSend' })))
          const unpacking = pipe(receive, Layer.through(layer()))
          for (const text of ['one', 'two', 'three']) {
            yield* packing.send(Buffer.from(text))
            expect(Buffer.from(yield* unpacking.receive).toString()).to.equal(text)
          }
          yield* packing.close
          yield* unpacking.close
        })
        await Runtime.runPromise(program, { runtime })
      }
    })

    it('a receive that is cancelled loses nothing', async () => {
      const whole = pack(content)
      const program = Effect.gen(function* () {
        const [send, receive] = yield* MemoryStream.make<Bytes>(0)
        const stream = pipe(receive, Layer.through(layer()))
        return yield* TaskGroup.open<unknown>()((group) =>
          Effect.gen(function* () {
            yield* group.spawn(
              Effect.gen(function* () {
                for (let i = 0; i < whole.length; i += 10) {
                  yield* send.send(whole.subarray(i, i + 10))
                  if (i % 50 === 0) yield* Effect.sleep(0.1)
                }
                yield* send.close
              })
            )
            let text = ''
            for (let i = 0; ; i++) {
              const item = yield* Timeout.moveOnAfter(0.02 * (i % 7))(Effect.either(stream.receive))
              if (item._tag === 'None') continue
              if (item.value._tag === 'Left') return text
              text += Buffer.from(item.value.right).toString('latin1')
            }
          })
        )
      })
      const text = await run(program)
      expect(Buffer.from(text, 'latin1').toString() === content).to.equal(true)
    })

    it('after close all is closed, and its state is freed', async () => {
      const program = Effect.gen(function* () {
        const [one] = yield* MemoryStream.pair<Bytes, Bytes>(4)
        const stream = pipe(one, Layer.through(layer()))
        yield* stream.send(Buffer.from('x'))
        yield* stream.close
        yield* stream.close
        return [yield* ending(stream.receive), yield* ending(stream.send(Buffer.from('x')))]
      })
      expect(await run(program)).to.deep.equal(['Fail ClosedResource', 'Fail ClosedResource'])
    })

    it('a level that there is not is refused at once', () => {
      for (const level of [-1, 12, 1.5, NaN]) expect(() => layer({ level })).to.throw(RangeError, /level/)
    })
  })
}
