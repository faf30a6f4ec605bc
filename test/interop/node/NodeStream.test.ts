import { once } from 'node:events'
import type { Transform } from 'node:stream'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { createGunzip, createGzip } from 'node:zlib'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type { Exit, StreamError } from 'millrace'
import {
  CancelScope,
  Effect,
  MemoryStream,
  ObjectStream,
  Resource,
  Stream,
  TaskGroup,
  Timeout
} from 'millrace'
import { NodeStream } from 'millrace/node'
import { defectOf } from '../../support/kernel.js'
import { turns } from '../../support/host.js'
import { awaiting, bytes, event, noise, run, tagOr, textOf } from '../../support/sockets.js'

/** What listens to a stream, Node itself apart. */
const listeners = (stream: NodeJS.EventEmitter, fresh: NodeJS.EventEmitter): ReadonlyArray<string> =>
  ['data', 'end', 'error', 'close', 'finish', 'drain', 'readable', 'pause', 'resume'].filter(
    (name) => stream.listenerCount(name) > fresh.listenerCount(name)
  )

const causeOf = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (exit._tag === 'Left' && exit.left._tag === 'Fail')
    return (exit.left.error as StreamError.BrokenResource).cause
  throw new Error('not a failure')
}

/** A readable that counts what was asked of it: each read gives one chunk. */
const counting = (chunk: Uint8Array, count = Infinity) => {
  const source = {
    given: 0,
    readable: new Readable({
      highWaterMark: 1,
      read() {
        if (source.given === count) this.push(null)
        else {
          source.given++
          this.push(Buffer.from(chunk))
        }
      }
    })
  }
  return source
}

/** A writable that takes a chunk only when it is told to. */
const slow = () => {
  const taken: Array<string> = []
  let go: ((error?: Error) => void) | undefined
  const writable = new Writable({
    write(chunk, _, done) {
      go = (error) => {
        go = undefined
        if (error === undefined) taken.push(String(chunk))
        done(error)
      }
    }
  })
  return { taken, writable, take: (error?: Error) => go?.(error), waiting: () => go !== undefined }
}

describe('NodeStream', () => {
  describe('fromReadable', () => {
    it('ST-02 gives the bytes, then EndOfStream, now and later', () =>
      run(
        pipe(
          NodeStream.fromReadable(() =>
            Readable.from([Buffer.from('one, '), Buffer.from(''), Buffer.from('two')])
          ),
          Resource.use((stream) =>
            Effect.gen(function* () {
              expect(textOf(...(yield* Stream.collect(stream)))).to.equal('one, two')
              for (let i = 0; i < 2; i++) expect(yield* tagOr(stream.receive)).to.equal('EndOfStream')
            })
          )
        )
      ))

    it('text is bytes again, in the encoding that it was given in', () =>
      run(
        Effect.gen(function* () {
          const all = (readable: () => Readable) =>
            pipe(NodeStream.fromReadable(readable), Resource.use(Stream.collect))
          expect(textOf(...(yield* all(() => Readable.from(['grüße']))))).to.equal('grüße')
          const hex = new PassThrough({ encoding: 'hex' })
          hex.end('grüße')
          expect(textOf(...(yield* all(() => hex)))).to.equal('grüße')
        })
      ))

    it('nothing is read before somebody receives, and then a little ahead', () =>
      run(
        Effect.suspend(() => {
          const source = counting(new Uint8Array(1000))
          return pipe(
            NodeStream.fromReadable(() => source.readable),
            Resource.use((stream) =>
              Effect.gen(function* () {
                yield* awaiting(turns)
                expect(source.given).to.equal(0)
                yield* stream.receive
                yield* awaiting(turns)
                expect(source.given).to.be.within(2, 20)
                for (let i = 0; i < 1000; i++) yield* stream.receive
                yield* awaiting(turns)
                expect(source.given).to.be.within(1001, 1020)
              })
            )
          )
        })
      ))

    it('its error is the cause of a BrokenResource, after what came before', () =>
      run(
        Effect.gen(function* () {
          const error = new Error('disk')
          const readable = new Readable({ read: () => undefined })
          yield* pipe(
            NodeStream.fromReadable(() => readable),
            Resource.use((stream) =>
              Effect.gen(function* () {
                readable.push('a')
                expect(textOf(yield* stream.receive)).to.equal('a')
                const heard = event(readable, 'data')
                readable.push('b')
                yield* heard
                readable.destroy(error)
                yield* awaiting(turns)
                expect(textOf(yield* stream.receive)).to.equal('b')
                expect(causeOf(yield* Effect.exit(stream.receive))).to.equal(error)
                expect(yield* tagOr(stream.receive)).to.equal('BrokenResource')
              })
            )
          )
        })
      ))

    it('destroyed before its end, also by somebody else and beforehand, is BrokenResource', () =>
      run(
        Effect.gen(function* () {
          const readable = new Readable({ read: () => undefined })
          yield* pipe(
            NodeStream.fromReadable(() => readable),
            Resource.use((stream) =>
              TaskGroup.open<unknown>()((group) =>
                Effect.gen(function* () {
                  const waiting = yield* group.spawn(tagOr(stream.receive))
                  yield* awaiting(turns)
                  readable.destroy()
                  expect(yield* waiting.join).to.equal('BrokenResource')
                })
              )
            )
          )
          const again = yield* pipe(
            NodeStream.fromReadable(() => readable),
            Resource.use((stream) => tagOr(stream.receive))
          )
          expect(again).to.equal('BrokenResource')
        })
      ))

    it('one that has ended is at its end', () =>
      run(
        Effect.gen(function* () {
          const readable = Readable.from([])
          readable.resume()
          yield* event(readable, 'close')
          const got = yield* pipe(
            NodeStream.fromReadable(() => readable),
            Resource.use((stream) => tagOr(stream.receive))
          )
          expect(got).to.equal('EndOfStream')
        })
      ))

    it('ST-04 it is destroyed on release, and nothing of ours listens any more', () =>
      run(
        Effect.gen(function* () {
          const uses: ReadonlyArray<
            (stream: ObjectStream.ReceiveStream<unknown, unknown>) => Effect.Effect<unknown, unknown, unknown>
          > = [
            () => Effect.unit,
            (stream) => stream.receive,
            (stream) => Stream.collect(stream),
            () => Effect.fail('no'),
            (stream) => stream.close,
            (stream) => Timeout.moveOnAfter(0)(Effect.repeatN(100)(stream.receive))
          ]
          for (const use of uses) {
            const { readable } = counting(bytes('x'), 5)
            yield* Effect.exit(Resource.use(use)(NodeStream.fromReadable(() => readable)))
            expect(readable.destroyed).to.equal(true)
            yield* awaiting(turns)
            expect(listeners(readable, new Readable())).to.deep.equal([])
          }
        })
      ))

    it('a Readable that never says that it is closed does not hold up the release', () =>
      run(
        Effect.gen(function* () {
          for (const options of [{ emitClose: false }, { autoDestroy: false }]) {
            const readable = new Readable({ ...options, read: () => undefined })
            yield* Resource.use(() => Effect.unit)(NodeStream.fromReadable(() => readable))
            expect(readable.destroyed).to.equal(true)
          }
        })
      ))

    it('objects in their place are BrokenResource with a cause that tells', () =>
      run(
        pipe(
          NodeStream.fromReadable(() => Readable.from([{ no: 'bytes' }])),
          Resource.use((stream) =>
            Effect.gen(function* () {
              expect(String(causeOf(yield* Effect.exit(stream.receive)))).to.match(/objectsFromReadable/)
            })
          )
        )
      ))

    it('ST-05 receiveUpTo of less than a byte is a defect', () =>
      run(
        pipe(
          NodeStream.fromReadable(() => Readable.from(['abc'])),
          Resource.use((stream) =>
            Effect.gen(function* () {
              expect(String(defectOf(yield* Effect.exit(stream.receiveUpTo(0))))).to.match(/RangeError/)
              expect(textOf(yield* stream.receiveUpTo(2))).to.equal('ab')
              expect(textOf(yield* stream.receiveUpTo(2))).to.equal('c')
            })
          )
        )
      ))
  })

  describe('objectsFromReadable', () => {
    it('gives the items, also empty and false ones', () =>
      run(
        pipe(
          NodeStream.objectsFromReadable(() => Readable.from([1, 0, '', false, { a: 1 }, []])),
          Resource.use(Stream.collect),
          Effect.map((all) => expect(all).to.deep.equal([1, 0, '', false, { a: 1 }, []]))
        )
      ))

    it('receiveMany gives those that are there', () =>
      run(
        pipe(
          NodeStream.objectsFromReadable<number>(() => Readable.from([1, 2, 3, 4])),
          Resource.use((stream) =>
            Effect.gen(function* () {
              expect(yield* stream.receive).to.equal(1)
              yield* awaiting(turns)
              expect(yield* stream.receiveMany(2)).to.deep.equal([2, 3])
              expect(yield* stream.receiveMany(Infinity)).to.deep.equal([4])
            })
          )
        )
      ))
  })

  describe('fromWritable', () => {
    it('send is over when the chunk was taken; a second sender is busy', () =>
      run(
        Effect.suspend(() => {
          const { taken, writable, take } = slow()
          return pipe(
            NodeStream.fromWritable(() => writable),
            Resource.use((stream) =>
              TaskGroup.open<unknown>()((group) =>
                Effect.gen(function* () {
                  const sending = yield* group.spawn(stream.send(bytes('a')))
                  yield* awaiting(turns)
                  expect((yield* sending.poll)._tag).to.equal('None')
                  expect(yield* tagOr(stream.send(bytes('b')))).to.equal('BusyResource')
                  take()
                  yield* sending.join
                  expect(taken).to.deep.equal(['a'])
                })
              )
            )
          )
        })
      ))

    it('a send that is cancelled is taken all the same; the next one waits for it', () =>
      run(
        Effect.suspend(() => {
          const { taken, writable, take } = slow()
          return pipe(
            NodeStream.fromWritable(() => writable),
            Resource.use((stream) =>
              TaskGroup.open<unknown>()((group) =>
                Effect.gen(function* () {
                  expect((yield* Timeout.moveOnAfter(1)(stream.send(bytes('a'))))._tag).to.equal('None')
                  // Not even given to the host: gone without a trace.
                  expect((yield* Timeout.moveOnAfter(1)(stream.send(bytes('lost'))))._tag).to.equal('None')
                  const sending = yield* group.spawn(stream.send(bytes('b')))
                  yield* awaiting(turns)
                  take()
                  yield* awaiting(turns)
                  expect([taken, (yield* sending.poll)._tag]).to.deep.equal([['a'], 'None'])
                  take()
                  yield* sending.join
                  expect(taken).to.deep.equal(['a', 'b'])
                })
              )
            )
          )
        })
      ))

    it('its error is the cause of a BrokenResource, for the send that waits and for later ones', () =>
      run(
        Effect.suspend(() => {
          const { writable, take } = slow()
          const error = new Error('disk full')
          return pipe(
            NodeStream.fromWritable(() => writable),
            Resource.use((stream) =>
              TaskGroup.open<unknown>()((group) =>
                Effect.gen(function* () {
                  const sending = yield* group.spawn(Effect.exit(stream.send(bytes('a'))))
                  yield* awaiting(turns)
                  take(error)
                  expect(causeOf(yield* sending.join)).to.equal(error)
                  expect(causeOf(yield* Effect.exit(stream.send(bytes('b'))))).to.equal(error)
                  expect(causeOf(yield* Effect.exit(stream.sendEof))).to.equal(error)
                })
              )
            )
          )
        })
      ))

    it('nobody is given an empty chunk, whether chunks are taken at once or later', () =>
      run(
        Effect.suspend(() => {
          const given: Array<string> = []
          const writable = new Writable({
            write(chunk, _, done) {
              given.push(String(chunk))
              if (given.length % 2 === 0) setImmediate(done)
              else done()
            }
          })
          return pipe(
            NodeStream.fromWritable(() => writable),
            Resource.use((stream) =>
              Effect.gen(function* () {
                for (const text of ['a', 'b', 'c', 'd']) {
                  yield* stream.send(bytes(text))
                  expect(writable.writableLength).to.equal(0)
                }
                expect(given).to.deep.equal(['a', 'b', 'c', 'd'])
              })
            )
          )
        })
      ))

    it('an error at once is the failure of that very send', () =>
      run(
        Effect.suspend(() => {
          const error = new Error('no')
          const writable = new Writable({ write: (_chunk, _encoding, done) => done(error) })
          return pipe(
            NodeStream.fromWritable(() => writable),
            Resource.use((stream) =>
              Effect.gen(function* () {
                expect(causeOf(yield* Effect.exit(stream.send(bytes('a'))))).to.equal(error)
              })
            )
          )
        })
      ))

    it('after a use that succeeds it has ended; after one that does not it was destroyed', () =>
      run(
        Effect.gen(function* () {
          const ended = (use: Effect.Effect<unknown, string, unknown>) =>
            Effect.gen(function* () {
              const writable = new PassThrough()
              yield* Effect.exit(
                pipe(
                  NodeStream.fromWritable(() => writable),
                  Resource.use((stream) => Effect.andThen(use)(Effect.orDie(stream.send(bytes('a')))))
                )
              )
              yield* awaiting(turns)
              expect(writable.destroyed).to.equal(true)
              return writable.writableFinished
            })
          expect(yield* ended(Effect.unit)).to.equal(true)
          expect(yield* ended(Effect.fail('no'))).to.equal(false)
          expect(yield* ended(Effect.die('bug'))).to.equal(false)
          const cut = yield* CancelScope.open((scope) => ended(Effect.andThen(Effect.never)(scope.cancel())))
          expect(cut._tag).to.equal('None')
        })
      ))

    it('waiting for it to finish can be cancelled, and it is destroyed then', () =>
      run(
        Effect.gen(function* () {
          const writable = new Writable({ write: (_c, _e, done) => done(), final: () => undefined })
          const got = yield* pipe(
            NodeStream.fromWritable(() => writable),
            Resource.use((stream) => stream.send(bytes('a'))),
            Timeout.moveOnAfter(5)
          )
          expect([got._tag, writable.destroyed, writable.writableFinished]).to.deep.equal([
            'None',
            true,
            false
          ])
        })
      ))

    it('sendEof ends it, twice is once, and nothing of ours listens after the release', () =>
      run(
        Effect.gen(function* () {
          const writable = new Writable({ write: (_c, _e, done) => done() })
          yield* pipe(
            NodeStream.fromWritable(() => writable),
            Resource.use((stream) =>
              Effect.gen(function* () {
                yield* stream.send(bytes('a'))
                yield* stream.sendEof
                yield* stream.sendEof
                expect(writable.writableFinished).to.equal(true)
                expect(yield* tagOr(stream.send(bytes('b')))).to.equal('ClosedResource')
              })
            )
          )
          yield* awaiting(turns)
          expect(listeners(writable, new Writable())).to.deep.equal([])
        })
      ))
  })

  describe('fromDuplex', () => {
    it('ST-17 both directions: what a compressor makes of 1 MiB, and back', () =>
      run(
        Effect.gen(function* () {
          const data = noise(1 << 20)
          const through = (duplex: () => Transform, input: Uint8Array) =>
            pipe(
              NodeStream.fromDuplex(duplex),
              Resource.use((stream) =>
                TaskGroup.open<unknown>()((group) =>
                  Effect.gen(function* () {
                    yield* group.spawn(Effect.andThen(stream.sendEof)(stream.send(input)))
                    return Buffer.concat(yield* Stream.collect(stream))
                  })
                )
              )
            )
          const packed = yield* through(createGzip, data)
          expect(packed.subarray(0, 2)).to.deep.equal(Buffer.from([0x1f, 0x8b]))
          expect((yield* through(createGunzip, packed)).equals(data)).to.equal(true)
          const broken = yield* Effect.exit(through(createGunzip, packed.subarray(0, 1000)))
          expect(broken._tag).to.equal('Left')
        })
      ))
  })

  describe('toReadable', () => {
    it('gives what is received, and ends with it; the stream is closed then', () =>
      run(
        Effect.gen(function* () {
          const [send, receive] = yield* MemoryStream.make<Uint8Array>(10)
          for (const word of ['one, ', 'two']) yield* send.send(bytes(word))
          yield* send.close
          yield* pipe(
            NodeStream.toReadable(receive),
            Resource.use((readable) =>
              Effect.gen(function* () {
                expect(yield* awaiting(() => text(readable))).to.equal('one, two')
                yield* awaiting(turns)
                expect(yield* tagOr(receive.receive)).to.equal('ClosedResource')
              })
            )
          )
        })
      ))

    it('receives only when it is read', () =>
      run(
        Effect.gen(function* () {
          let received = 0
          const stream = ObjectStream.receiveStream({
            receive: Effect.sync(() => (received++, new Uint8Array(65_536)))
          })
          yield* pipe(
            NodeStream.toReadable(stream),
            Resource.use((readable) =>
              Effect.gen(function* () {
                yield* awaiting(turns)
                expect(received).to.equal(0)
                const paused = readable.on('data', () => readable.pause())
                yield* awaiting(turns)
                expect(received).to.be.within(1, 3)
                paused.resume()
                yield* awaiting(turns)
                expect(received).to.be.within(2, 5)
              })
            )
          )
        })
      ))

    it('the failure of the stream destroys it, with an Error that has it', () =>
      run(
        Effect.gen(function* () {
          const failure = { _tag: 'Mine' as const }
          const stream = ObjectStream.receiveStream({ receive: Effect.fail(failure) })
          const error = yield* pipe(
            NodeStream.toReadable(stream as ObjectStream.ReceiveStream<Uint8Array, unknown>),
            Resource.use((readable) =>
              awaiting(() =>
                text(readable).then(
                  () => null,
                  (e: unknown) => e
                )
              )
            )
          )
          expect(error).to.be.instanceOf(Error)
          expect(String(error)).to.match(/Mine/)
        })
      ))

    it('destroyed by who reads it: the stream is closed, and what waited on it is over', () =>
      run(
        Effect.gen(function* () {
          const [send, receive] = yield* MemoryStream.make<Uint8Array>(0)
          yield* pipe(
            NodeStream.toReadable(receive),
            Resource.use((readable) =>
              Effect.gen(function* () {
                readable.resume()
                yield* awaiting(turns)
                expect((yield* send.statistics).tasksWaitingReceive).to.equal(1)
                const closed = event(readable, 'close')
                readable.destroy()
                yield* closed
                expect(yield* tagOr(send.send(bytes('x')))).to.equal('BrokenResource')
              })
            )
          )
        })
      ))

    it('a stream that nothing wakes is cancelled, so that the release does not wait for it', () =>
      run(
        pipe(
          NodeStream.toReadable(ObjectStream.receiveStream({ receive: Effect.never })),
          Resource.use((readable) =>
            Effect.andThen(awaiting(turns))(
              Effect.sync(() => {
                readable.resume()
              })
            )
          )
        )
      ))

    it('released or cancelled while it is read, it is destroyed without an error', () =>
      run(
        Effect.gen(function* () {
          for (const cancel of [false, true]) {
            const [send, receive] = yield* MemoryStream.make<Uint8Array>(0)
            const errors: Array<unknown> = []
            let kept!: Readable
            yield* CancelScope.open((scope) =>
              pipe(
                NodeStream.toReadable(receive),
                Resource.use((readable) =>
                  Effect.gen(function* () {
                    kept = readable.on('error', (e) => errors.push(e)).resume()
                    yield* awaiting(turns)
                    if (cancel) yield* Effect.andThen(Effect.never)(scope.cancel())
                  })
                )
              )
            )
            expect([kept.destroyed, errors]).to.deep.equal([true, []])
            expect(yield* tagOr(send.send(bytes('x')))).to.equal('BrokenResource')
          }
        })
      ))
  })

  describe('toWritable', () => {
    it('sends what is written, and holds back who writes while nobody receives', () =>
      run(
        Effect.gen(function* () {
          const [send, receive] = yield* MemoryStream.make<Uint8Array>(0)
          yield* pipe(
            NodeStream.toWritable(send),
            Resource.use((writable) =>
              TaskGroup.open<unknown>()((group) =>
                Effect.gen(function* () {
                  const chunk = Buffer.alloc(40_000, 'x')
                  expect(writable.write(chunk)).to.equal(false)
                  yield* awaiting(turns)
                  expect(writable.writableLength).to.equal(40_000)
                  const drained = event(writable, 'drain')
                  expect((yield* receive.receive).length).to.equal(40_000)
                  yield* drained
                  const rest = yield* group.spawn(Stream.collect(receive))
                  yield* awaiting(() => pipeline(Readable.from(['one, ', 'two']), writable))
                  expect(textOf(...(yield* rest.join))).to.equal('one, two')
                })
              )
            )
          )
        })
      ))

    it('the failure of the stream destroys it', () =>
      run(
        Effect.gen(function* () {
          const [send, receive] = yield* MemoryStream.make<Uint8Array>(0)
          yield* receive.close
          const error = yield* pipe(
            NodeStream.toWritable(send),
            Resource.use((writable) =>
              awaiting(() =>
                pipeline(Readable.from(['x']), writable).then(
                  () => null,
                  (e: unknown) => e
                )
              )
            )
          )
          expect(String(error)).to.match(/BrokenResource/)
        })
      ))

    it('a stream with sendEof is ended by it, and closed when the writable is', () =>
      run(
        Effect.gen(function* () {
          const calls: Array<string> = []
          const note = (name: string) => Effect.sync(() => void calls.push(name))
          const stream = ObjectStream.duplexStream({
            receive: Effect.never,
            send: (chunk: Uint8Array) => note(`send ${textOf(chunk)}`),
            sendEof: note('sendEof'),
            close: note('close')
          })
          yield* pipe(
            NodeStream.toWritable(stream),
            Resource.use((writable) =>
              Effect.gen(function* () {
                writable.end('a')
                yield* awaiting(() => once(writable, 'close'))
                expect(calls).to.deep.equal(['send a', 'sendEof', 'close'])
              })
            )
          )
          expect(calls).to.deep.equal(['send a', 'sendEof', 'close'])
        })
      ))

    it('destroyed while a send waits: that is cancelled, and the stream is closed', () =>
      run(
        Effect.gen(function* () {
          const [send, receive] = yield* MemoryStream.make<Uint8Array>(0)
          yield* pipe(
            NodeStream.toWritable(send),
            Resource.use((writable) =>
              Effect.gen(function* () {
                writable.on('error', () => undefined)
                writable.write('a')
                yield* awaiting(turns)
                expect((yield* send.statistics).tasksWaitingSend).to.equal(1)
                const closed = event(writable, 'close')
                writable.destroy()
                yield* closed
                expect(yield* tagOr(receive.receive)).to.equal('EndOfStream')
              })
            )
          )
        })
      ))
  })

  it('there and back through Node: a pipeline of ours and of Node, 4 MiB', () =>
    run(
      Effect.gen(function* () {
        const data = noise(1 << 22)
        const chunks: Array<Uint8Array> = []
        for (let i = 0; i < data.length; i += 70_000) chunks.push(data.subarray(i, i + 70_000))
        const source = yield* Stream.fromIterable(chunks)
        const [send, receive] = yield* MemoryStream.make<Uint8Array>(4)
        const got = yield* TaskGroup.open<unknown>()((group) =>
          Effect.gen(function* () {
            const all = yield* group.spawn(Stream.collect(receive))
            yield* pipe(
              NodeStream.toReadable(source),
              Resource.par(NodeStream.toWritable(send)),
              Resource.use(([readable, writable]) =>
                awaiting(() => pipeline(readable, createGzip({ level: 1 }), createGunzip(), writable))
              )
            )
            return Buffer.concat(yield* all.join)
          })
        )
        expect(got.equals(data)).to.equal(true)
      })
    ))
})
