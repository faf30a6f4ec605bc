import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  CancelScope,
  Effect,
  Exit,
  Provider,
  Resource,
  SocketAttribute,
  Stream,
  TaskGroup,
  Timeout
} from 'millrace'
import { Tcp } from 'millrace/node'
import { defectOf } from '../../support/kernel.js'
import { turns } from '../../support/host.js'
import {
  awaiting,
  bytes,
  event,
  noise,
  nothingLeft,
  ours,
  pair,
  peerServer,
  run,
  tagOr,
  textOf
} from '../../support/sockets.js'

const rawOf = (stream: Tcp.TcpStream): Socket => Provider.extra(SocketAttribute.raw)(stream) as Socket

/** Receives until so many bytes are there. */
const receiveAll = (stream: Tcp.TcpStream, length: number) =>
  Effect.gen(function* () {
    const chunks: Array<Uint8Array> = []
    let received = 0
    while (received < length) {
      const chunk = yield* stream.receive
      chunks.push(chunk)
      received += chunk.length
    }
    return Buffer.concat(chunks)
  })

/** Sends until the peer's window is full: a send that then waits. */
const fill = (stream: Tcp.TcpStream) =>
  Effect.gen(function* () {
    const chunk = new Uint8Array(1 << 20)
    for (;;) {
      const sent = yield* pipe(stream.send(chunk), Timeout.moveOnAfter(30))
      if (sent._tag === 'None') return
    }
  })

/** Starts `fx` in the background, and goes on when it waits. */
const meanwhile = <E, A, E2, B>(
  fx: Effect.Effect<unknown, E, A>,
  body: (exit: Effect.Effect<unknown, never, Exit.Exit<E, A>>) => Effect.Effect<unknown, E2, B>
) =>
  TaskGroup.open<unknown>()((group) =>
    Effect.gen(function* () {
      const task = yield* group.spawnOwned(fx)
      yield* awaiting(turns)
      const before = yield* task.poll
      if (before._tag === 'Some') throw new Error('it does not wait')
      return yield* body(task.wait)
    })
  )

/** All that the peer is sent, up to the end. */
const collected = async (peer: Socket): Promise<Buffer> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of peer) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}

const tagOf = (exit: Exit.Exit<{ readonly _tag: string }, unknown>): string =>
  exit._tag === 'Right' ? 'ok' : exit.left._tag === 'Fail' ? exit.left.error._tag : exit.left._tag

describe('Tcp streams', () => {
  afterEach(nothingLeft)

  describe('receiving', () => {
    it('NET-01 bytes go to the peer and come from it', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              peer.write('hello')
              expect(textOf(yield* stream.receive)).to.equal('hello')
              yield* stream.send(bytes('and hello'))
              peer.resume()
              expect(String(yield* event(peer, 'data'))).to.equal('and hello')
            })
          )
        )
      ))

    it('NET-15 ST-02 the end of the peer is EndOfStream, now and later', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              peer.end('bye')
              expect(textOf(yield* stream.receive)).to.equal('bye')
              for (let i = 0; i < 3; i++) expect(yield* tagOr(stream.receive)).to.equal('EndOfStream')
              expect(yield* tagOr(stream.receiveMany(2))).to.equal('EndOfStream')
              expect(yield* tagOr(stream.receiveUpTo(2))).to.equal('EndOfStream')
            })
          )
        )
      ))

    it('NET-08 ST-03 running through it gives the chunks, and ends with the peer', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              peer.write('one, ')
              peer.end('two')
              expect(textOf(...(yield* Stream.collect(stream)))).to.equal('one, two')
            })
          )
        )
      ))

    it('a peer that sends one byte at a time', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              const sent = noise(500)
              const sending = awaiting(async () => {
                peer.setNoDelay()
                for (const byte of sent) await new Promise((done) => peer.write(Uint8Array.of(byte), done))
                peer.end()
              })
              const all = yield* meanwhileBoth(sending, Stream.collect(stream))
              expect(Buffer.concat(all).equals(sent)).to.equal(true)
              expect(all.every((chunk) => chunk.length > 0)).to.equal(true)
            })
          )
        )
      ))

    it('receiveUpTo gives a part, and keeps the rest', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              peer.end('abcdef')
              const first = yield* stream.receiveUpTo(2)
              const second = yield* stream.receiveUpTo(3)
              expect([textOf(first), textOf(second), textOf(yield* stream.receive)]).to.deep.equal([
                'ab',
                'cde',
                'f'
              ])
              // Views of one chunk: nothing was copied.
              expect(first.buffer).to.equal(second.buffer)
            })
          )
        )
      ))

    it('ST-05 receiveUpTo of less than a byte is a defect, also when there is one to receive', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              peer.end('a')
              for (const max of [0, -1, 1.5, NaN]) {
                const exit = yield* Effect.exit(stream.receiveUpTo(max))
                expect(String(defectOf(exit))).to.match(/RangeError: receiveUpTo/)
                expect(String(defectOf(yield* Effect.exit(stream.receiveMany(max))))).to.match(
                  /RangeError: receiveMany/
                )
              }
              expect(textOf(yield* stream.receiveUpTo(Infinity))).to.equal('a')
            })
          )
        )
      ))

    it('receiveMany gives the chunks that are there', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              peer.write('a')
              expect(textOf(yield* stream.receive)).to.equal('a')
              // Read ahead one by one, since each comes in a packet of its own.
              for (const letter of ['b', 'c', 'd']) {
                const heard = event(rawOf(stream), 'data')
                peer.write(letter)
                yield* heard
              }
              expect((yield* stream.receiveMany(2)).map((chunk) => textOf(chunk))).to.deep.equal(['b', 'c'])
              expect((yield* stream.receiveMany(2)).map((chunk) => textOf(chunk))).to.deep.equal(['d'])
            })
          )
        )
      ))

    it('NET-10 a receive that times out loses nothing', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              const sent = noise(20_000)
              const chunks: Array<Uint8Array> = []
              const timed = pipe(stream.receive, Timeout.moveOnAfter(0.1))
              for (let i = 0; i < sent.length; i += 1000) {
                expect((yield* timed)._tag).to.equal('None')
                peer.write(sent.subarray(i, i + 1000))
                // It arrives before, while or after one of these gives up.
                for (let left = 1000; left > 0;) {
                  const chunk = yield* timed
                  if (chunk._tag === 'None') continue
                  chunks.push(chunk.value)
                  left -= chunk.value.length
                }
              }
              expect(Buffer.concat(chunks).equals(sent)).to.equal(true)
            })
          )
        )
      ))

    it('NET-11 a second receiver or sender is busy, the first goes on, and one of each is fine', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            meanwhile(stream.receive, (received) =>
              Effect.gen(function* () {
                const busy = yield* Effect.either(stream.receive)
                expect(busy).to.deep.equal(
                  Exit.failCause({ _tag: 'BusyResource', action: 'reading from' } as never)
                )
                expect(yield* tagOr(stream.receiveUpTo(1))).to.equal('BusyResource')
                yield* fill(stream)
                yield* meanwhile(stream.send(bytes('x')), (sent) =>
                  Effect.gen(function* () {
                    const busyToo = yield* Effect.either(stream.send(bytes('y')))
                    expect(busyToo).to.deep.equal({
                      _tag: 'Left',
                      left: { _tag: 'BusyResource', action: 'writing to' }
                    })
                    expect(yield* tagOr(stream.sendEof)).to.equal('BusyResource')
                    peer.resume()
                    expect((yield* sent)._tag).to.equal('Right')
                  })
                )
                peer.write('late')
                const exit = yield* received
                expect(exit._tag === 'Right' && textOf(exit.right)).to.equal('late')
              })
            )
          )
        )
      ))

    it('a slow reader holds the peer back: what is read ahead is bounded', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              const raw = rawOf(stream)
              const block = noise(1 << 20)
              const total = 100 * block.length
              let sent = 0
              const feed = (): void => {
                while (sent < total) {
                  sent += block.length
                  if (!peer.write(block)) {
                    peer.once('drain', feed)
                    return
                  }
                }
                peer.end()
              }
              // Nothing is read before the first receive.
              feed()
              yield* awaiting(turns)
              expect(raw.bytesRead).to.equal(0)
              let received = 0
              let ahead = 0
              for (let turn = 0; ; turn++) {
                const chunk = yield* tagOr(stream.receive)
                if (chunk === 'EndOfStream') break
                received += (chunk as Uint8Array).length
                // A pause now and then, in which the peer sends what it can.
                if (turn % 64 === 0) yield* awaiting(turns)
                ahead = Math.max(ahead, raw.bytesRead - received)
              }
              expect(received).to.equal(total)
              expect(ahead).to.be.at.most(4 * 65_536)
            })
          )
        )
      )).timeout(30_000)
  })

  describe('sending', () => {
    for (const [name, size] of [
      ['1 MiB', 1 << 20],
      ['16 MiB', 1 << 24]
    ] as const) {
      it(`NET-04 ${name} in both directions at once`, () =>
        run(
          pipe(
            ours,
            Resource.use(([a, b]) =>
              Effect.gen(function* () {
                const data = noise(size)
                const there = meanwhileBoth(a.send(data), receiveAll(b, size))
                const back = meanwhileBoth(b.send(data), receiveAll(a, size))
                const [one, two] = yield* both(there, back)
                expect(one.equals(data) && two.equals(data)).to.equal(true)
              })
            )
          )
        )).timeout(20_000)
    }

    it('NET-04 a peer that does not receive keeps send waiting, and no memory fills', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              const raw = rawOf(stream)
              yield* fill(stream)
              const waiting = raw.writableLength
              expect(waiting)
                .to.be.greaterThan(0)
                .and.at.most(1 << 20)
              // Those that are given up have sent nothing: the chunk before them was not taken yet.
              for (let i = 0; i < 10; i++) {
                const sent = yield* pipe(stream.send(new Uint8Array(1 << 20)), Timeout.moveOnAfter(1))
                expect(sent._tag).to.equal('None')
              }
              expect(raw.writableLength).to.equal(waiting)
              const before = raw.bytesWritten
              peer.resume()
              yield* stream.send(bytes('end'))
              expect(raw.writableLength).to.equal(0)
              expect(raw.bytesWritten).to.equal(before + 3)
            })
          )
        )
      ))

    it('a send that was cancelled with its chunk under way leaves the stream in order', () =>
      run(
        pipe(
          ours,
          Resource.use(([a, b]) =>
            Effect.gen(function* () {
              const big = noise(1 << 23)
              const cut = yield* pipe(a.send(big), Timeout.moveOnAfter(5))
              expect(cut._tag).to.equal('None')
              const all = yield* meanwhileBoth(a.send(bytes('next')), receiveAll(b, big.length + 4))
              expect(all.subarray(0, big.length).equals(big)).to.equal(true)
              expect(textOf(all.subarray(big.length))).to.equal('next')
            })
          )
        )
      ))

    describe('a chunk that does not fit, after one that was taken at once', () => {
      const big = noise(1 << 24)

      const afterOne = <E, A>(
        body: (
          stream: Tcp.TcpStream,
          peer: Socket,
          sent: Effect.Effect<unknown, never, string>
        ) => Effect.Effect<unknown, E, A>
      ) =>
        run(
          pipe(
            pair,
            Resource.use(([stream, peer]) =>
              Effect.gen(function* () {
                yield* stream.send(bytes('one'))
                expect(rawOf(stream).writableLength).to.equal(0)
                return yield* meanwhile(stream.send(big), (sent) =>
                  body(stream, peer, Effect.map(tagOf)(sent))
                )
              })
            )
          )
        )

      it('waits until it was taken', () =>
        afterOne((stream, peer, sent) =>
          Effect.gen(function* () {
            const arrived = collected(peer)
            expect(yield* sent).to.equal('ok')
            expect(rawOf(stream).writableLength).to.equal(0)
            yield* stream.send(bytes('two'))
            yield* stream.sendEof
            const all = yield* awaiting(() => arrived)
            expect(all.equals(Buffer.concat([bytes('one'), big, bytes('two')]))).to.equal(true)
          })
        ))

      it('is BrokenResource after a reset, with the error of the host', () =>
        afterOne((stream, peer, sent) =>
          Effect.gen(function* () {
            peer.resetAndDestroy()
            expect(yield* sent).to.equal('BrokenResource')
            const again = yield* Effect.either(stream.send(bytes('two')))
            const { code } = (again as { left: { cause: NodeJS.ErrnoException } }).left.cause
            expect(code).to.be.oneOf(['ECONNRESET', 'EPIPE'])
          })
        ))

      it('is BrokenResource when somebody else destroys the socket', () =>
        afterOne((stream, _peer, sent) =>
          Effect.gen(function* () {
            rawOf(stream).destroy()
            expect(yield* sent).to.equal('BrokenResource')
          })
        ))

      it('is ClosedResource when the stream is closed', () =>
        afterOne((stream, _peer, sent) =>
          Effect.gen(function* () {
            yield* stream.close
            expect(yield* sent).to.equal('ClosedResource')
          })
        ))

      it('given up, it is sent all the same, and the next one waits for it', () =>
        run(
          pipe(
            pair,
            Resource.use(([stream, peer]) =>
              Effect.gen(function* () {
                yield* stream.send(bytes('one'))
                expect((yield* pipe(stream.send(big), Timeout.moveOnAfter(1)))._tag).to.equal('None')
                yield* meanwhile(stream.send(bytes('two')), (sent) =>
                  Effect.gen(function* () {
                    const arrived = collected(peer)
                    expect(tagOf(yield* sent)).to.equal('ok')
                    yield* stream.sendEof
                    const all = yield* awaiting(() => arrived)
                    expect(all.equals(Buffer.concat([bytes('one'), big, bytes('two')]))).to.equal(true)
                  })
                )
              })
            )
          )
        ))
    })

    it('an empty chunk is nothing', () =>
      run(
        pipe(
          ours,
          Resource.use(([a, b]) =>
            Effect.gen(function* () {
              yield* a.send(new Uint8Array(0))
              yield* a.send(bytes('x'))
              expect(textOf(yield* b.receive)).to.equal('x')
            })
          )
        )
      ))

    it('NET-07 sendEof twice is one end; a send afterwards is ClosedResource; receiving goes on', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              const ended = once(peer, 'end')
              peer.resume()
              yield* stream.sendEof
              yield* stream.sendEof
              yield* awaiting(() => ended)
              expect(yield* tagOr(stream.send(bytes('x')))).to.equal('ClosedResource')
              expect(yield* tagOr(stream.send(new Uint8Array(0)))).to.equal('ClosedResource')
              peer.end('answer')
              expect(textOf(...(yield* Stream.collect(stream)))).to.equal('answer')
              // Both directions have ended, and Node has closed the socket by itself.
              yield* awaiting(turns)
              expect(yield* tagOr(stream.receive)).to.equal('EndOfStream')
              yield* stream.sendEof
            })
          )
        )
      ))

    it('the peer has ended its direction: sending goes on', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              peer.end()
              expect(yield* tagOr(stream.receive)).to.equal('EndOfStream')
              yield* awaiting(turns)
              const got: Array<Buffer> = []
              peer.on('data', (chunk: Buffer) => got.push(chunk)).resume()
              const ended = once(peer, 'end')
              yield* stream.send(bytes('still '))
              yield* stream.send(bytes('here'))
              yield* stream.sendEof
              yield* awaiting(() => ended)
              expect(Buffer.concat(got).toString()).to.equal('still here')
            })
          )
        )
      ))
  })

  describe('breaking', () => {
    it('a reset wakes a receiver with BrokenResource and the error of the host', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            meanwhile(stream.receive, (received) =>
              Effect.gen(function* () {
                peer.resetAndDestroy()
                const exit = yield* received
                expect(tagOf(exit)).to.equal('BrokenResource')
                const { error } = (exit as { left: { error: { cause: NodeJS.ErrnoException } } }).left
                expect(error.cause.code).to.equal('ECONNRESET')
                for (let i = 0; i < 2; i++) expect(yield* tagOr(stream.receive)).to.equal('BrokenResource')
                expect(yield* tagOr(stream.send(bytes('x')))).to.equal('BrokenResource')
                expect(yield* tagOr(stream.sendEof)).to.equal('BrokenResource')
              })
            )
          )
        )
      ))

    it('a reset wakes a sender that waits', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              yield* fill(stream)
              yield* meanwhile(stream.send(bytes('x')), (sent) =>
                Effect.gen(function* () {
                  peer.resetAndDestroy()
                  expect(tagOf(yield* sent)).to.equal('BrokenResource')
                })
              )
            })
          )
        )
      ))

    it('the socket was destroyed by somebody else while a send waits', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream]) =>
            meanwhile(stream.send(noise(1 << 24)), (sent) =>
              Effect.gen(function* () {
                rawOf(stream).destroy()
                expect(tagOf(yield* sent)).to.equal('BrokenResource')
              })
            )
          )
        )
      ))

    it('what arrived before the reset is received first', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              peer.write('a')
              expect(textOf(yield* stream.receive)).to.equal('a')
              const heard = event(rawOf(stream), 'data')
              peer.write('b')
              yield* heard
              const gone = event(rawOf(stream), 'close')
              peer.resetAndDestroy()
              yield* gone
              expect(textOf(yield* stream.receive)).to.equal('b')
              expect(yield* tagOr(stream.receive)).to.equal('BrokenResource')
            })
          )
        )
      ))

    for (const isReading of [false, true]) {
      it(`a reset while nobody receives is no end, ${isReading ? 'once the stream is read' : 'before it was read'}`, () =>
        run(
          pipe(
            pair,
            Resource.use(([stream, peer]) =>
              Effect.gen(function* () {
                if (isReading) {
                  peer.write('a')
                  yield* stream.receive
                }
                const gone = event(isReading ? rawOf(stream) : peer, 'close')
                peer.resetAndDestroy()
                yield* gone
                for (let i = 0; i < 2; i++) {
                  const exit = yield* Effect.exit(stream.receive)
                  expect(tagOf(exit)).to.equal('BrokenResource')
                  const { error } = (exit as { left: { error: { cause: NodeJS.ErrnoException } } }).left
                  expect(error.cause.code).to.equal('ECONNRESET')
                }
              })
            )
          )
        ))
    }

    it('NET-16 the peer is gone: sending fails in the end', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            Effect.gen(function* () {
              const gone = event(peer, 'close')
              peer.destroy()
              yield* gone
              const chunk = new Uint8Array(65_536)
              let failure: string | void = undefined
              for (let i = 0; i < 1000 && failure === undefined; i++)
                failure = yield* tagOr(stream.send(chunk))
              expect(failure).to.equal('BrokenResource')
            })
          )
        )
      ))

    it('the socket was destroyed by somebody else', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream]) =>
            meanwhile(stream.receive, (received) =>
              Effect.gen(function* () {
                rawOf(stream).destroy()
                expect(yield* tagOr(stream.send(bytes('x')))).to.equal('BrokenResource')
                expect(tagOf(yield* received)).to.equal('BrokenResource')
              })
            )
          )
        )
      ))
  })

  describe('closing', () => {
    it('NET-14 afterwards everything is ClosedResource, also on a stream that had ended or was broken', () =>
      run(
        Effect.gen(function* () {
          const check = (stream: Tcp.TcpStream) =>
            Effect.gen(function* () {
              yield* stream.close
              yield* stream.close
              expect(yield* tagOr(stream.receive)).to.equal('ClosedResource')
              expect(yield* tagOr(stream.receiveMany(1))).to.equal('ClosedResource')
              expect(yield* tagOr(stream.receiveUpTo(1))).to.equal('ClosedResource')
              expect(yield* tagOr(stream.send(bytes('x')))).to.equal('ClosedResource')
              expect(yield* tagOr(stream.sendEof)).to.equal('ClosedResource')
            })
          const states: ReadonlyArray<
            (stream: Tcp.TcpStream, peer: Socket) => Effect.Effect<unknown, never, unknown>
          > = [
            () => Effect.unit,
            (stream, peer) => Effect.andThen(tagOr(stream.receive))(Effect.sync(() => peer.end())),
            (stream, peer) =>
              Effect.andThen(tagOr(stream.receive))(Effect.sync(() => peer.resetAndDestroy())),
            (stream, peer) => Effect.andThen(tagOr(stream.receive))(Effect.sync(() => peer.write('some'))),
            (stream) => tagOr(stream.sendEof)
          ]
          for (const bring of states) {
            yield* pipe(
              pair,
              Resource.use(([stream, peer]) => Effect.andThen(check(stream))(bring(stream, peer)))
            )
          }
        })
      ))

    it('wakes who waits, waits for nobody, and the peer finds the end', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream, peer]) =>
            meanwhile(stream.receive, (received) =>
              Effect.gen(function* () {
                const ended = once(peer, 'end')
                peer.resume()
                yield* stream.close
                expect(tagOf(yield* received)).to.equal('ClosedResource')
                yield* awaiting(() => ended)
              })
            )
          )
        )
      ))

    it('wakes a sender that waits for a peer that does not receive', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream]) =>
            Effect.gen(function* () {
              yield* fill(stream)
              yield* meanwhile(stream.send(bytes('x')), (sent) =>
                Effect.gen(function* () {
                  yield* stream.close
                  expect(tagOf(yield* sent)).to.equal('ClosedResource')
                })
              )
            })
          )
        )
      ))

    it('ST-04 works in a cancelled scope, and is over when the host has let go', () =>
      run(
        pipe(
          pair,
          Resource.use(([stream]) =>
            Effect.gen(function* () {
              const raw = rawOf(stream)
              let gone = false
              raw.on('close', () => {
                gone = true
              })
              yield* CancelScope.open((scope) => Effect.andThen(stream.close)(scope.cancel()))
              expect(gone).to.equal(true)
              // Node has some of its own.
              const fresh = new Socket()
              for (const name of ['data', 'end', 'error', 'close', 'finish']) {
                expect(raw.listenerCount(name), name).to.equal(
                  fresh.listenerCount(name) + (name === 'close' ? 1 : 0)
                )
              }
            })
          )
        )
      ))

    it('ST-04 a stream is closed when its use fails or is cancelled', () =>
      run(
        Effect.gen(function* () {
          let closed = 0
          const use = (body: Effect.Effect<unknown, string, never>) =>
            pipe(
              peerServer((socket) => socket.resume()),
              Resource.use(({ port }) =>
                pipe(
                  Tcp.connect({ host: '127.0.0.1', port }),
                  Resource.use((stream) => {
                    rawOf(stream).on('close', () => closed++)
                    return body
                  }),
                  Effect.exit
                )
              )
            )
          yield* use(Effect.fail('no'))
          yield* use(Effect.die('bug'))
          yield* CancelScope.open((scope) => use(Effect.andThen(Effect.never)(scope.cancel())))
          expect(closed).to.equal(3)
        })
      ))
  })

  describe('attributes', () => {
    it('NET-02 both ends know both addresses, also when the connection is over', () =>
      run(
        pipe(
          ours,
          Resource.use(([a, b]) =>
            Effect.gen(function* () {
              const of = (stream: Tcp.TcpStream) => [
                Provider.extra(SocketAttribute.family)(stream),
                Provider.extra(SocketAttribute.localAddress)(stream),
                Provider.extra(SocketAttribute.localPort)(stream),
                Provider.extra(SocketAttribute.remoteAddress)(stream),
                Provider.extra(SocketAttribute.remotePort)(stream)
              ]
              const [family, address, port, , remote] = of(a)
              expect(of(a)).to.deep.equal(['ipv4', '127.0.0.1', port, '127.0.0.1', remote])
              expect(of(b)).to.deep.equal([family, address, remote, '127.0.0.1', port])
              yield* a.close
              expect(of(a)).to.deep.equal(['ipv4', '127.0.0.1', port, '127.0.0.1', remote])
              expect(rawOf(a)).to.be.instanceOf(Socket)
            })
          )
        )
      ))

    it('NET-02 of IPv6', () =>
      run(
        pipe(
          Tcp.listen({ host: '::1', port: 0 }),
          Resource.use((listener) =>
            pipe(
              Tcp.connect({ host: '::1', port: Provider.extra(SocketAttribute.localPort)(listener) }),
              Resource.use((stream) =>
                Effect.sync(() => {
                  expect(Provider.extra(SocketAttribute.family)(listener)).to.equal('ipv6')
                  expect(Provider.extra(SocketAttribute.family)(stream)).to.equal('ipv6')
                  expect(Provider.extra(SocketAttribute.remoteAddress)(stream)).to.equal('::1')
                })
              )
            )
          )
        )
      ))
  })

  describe('fromSocket', () => {
    const connected = (port: number) =>
      awaiting(async () => {
        const socket = connect(port, '127.0.0.1')
        await once(socket, 'connect')
        return socket
      })

    it('NET-41 takes over a socket, with what it has buffered', () =>
      run(
        pipe(
          peerServer((socket) => socket.end('hello')),
          Resource.use(({ port }) =>
            Effect.gen(function* () {
              const socket = yield* connected(port)
              const some = event(socket, 'readable')
              yield* some
              expect(socket.readableLength).to.be.greaterThan(0)
              const stream = Tcp.fromSocket(() => socket)
              const text = yield* pipe(
                stream,
                Resource.use((stream) =>
                  Effect.gen(function* () {
                    const all = textOf(...(yield* Stream.collect(stream)))
                    // The peer has ended; our direction is open all the same.
                    yield* stream.send(bytes('thanks'))
                    return all
                  })
                )
              )
              expect(text).to.equal('hello')
              expect(socket.destroyed).to.equal(true)
            })
          )
        )
      ))

    it('NET-41 what is no connected socket is a defect, and is left alone', () =>
      run(
        pipe(
          peerServer((socket) => socket.resume()),
          Resource.use(({ port }) =>
            Effect.gen(function* () {
              const refused = (socket: unknown) =>
                Effect.map((exit: Exit.Exit<unknown, unknown>) => String(defectOf(exit)))(
                  Effect.exit(Resource.use(() => Effect.unit)(Tcp.fromSocket(() => socket as Socket)))
                )
              expect(yield* refused({})).to.match(/takes a Socket of node:net/)
              expect(yield* refused(new Socket())).to.match(/takes a socket that is connected/)
              const text = yield* connected(port)
              text.setEncoding('utf8')
              expect(yield* refused(text)).to.match(/setEncoding/)
              expect(text.destroyed).to.equal(false)
              const gone = event(text, 'close')
              text.destroy()
              yield* gone
            })
          )
        )
      ))

    it('NET-41 a socket that was destroyed gives a stream that is broken, and closes', () =>
      run(
        pipe(
          peerServer((socket) => socket.resume()),
          Resource.use(({ port }) =>
            Effect.gen(function* () {
              const socket = yield* connected(port)
              const gone = event(socket, 'close')
              socket.destroy()
              yield* gone
              const tags = yield* pipe(
                Tcp.fromSocket(() => socket),
                Resource.use((stream) =>
                  Effect.gen(function* () {
                    return [yield* tagOr(stream.receive), yield* tagOr(stream.send(bytes('x')))]
                  })
                )
              )
              expect(tags).to.deep.equal(['BrokenResource', 'BrokenResource'])
            })
          )
        )
      ))
  })

  it('operations look at the cancellation first, and do nothing then', () =>
    run(
      pipe(
        pair,
        Resource.use(([stream, peer]) =>
          Effect.gen(function* () {
            peer.write('a')
            expect(textOf(yield* stream.receive)).to.equal('a')
            const heard = event(rawOf(stream), 'data')
            peer.write('b')
            yield* heard
            for (const fx of [
              stream.receive,
              stream.receiveMany(1),
              stream.send(bytes('x')),
              stream.sendEof
            ]) {
              const exit = yield* CancelScope.open((scope) =>
                Effect.andThen(fx as Effect.Effect<unknown, unknown, unknown>)(scope.cancel())
              )
              expect(exit._tag).to.equal('None')
            }
            expect(rawOf(stream).bytesWritten).to.equal(0)
            expect(textOf(yield* stream.receive)).to.equal('b')
            yield* stream.send(bytes('still open'))
          })
        )
      )
    ))
})

const both = <E, A, E2, B>(a: Effect.Effect<unknown, E, A>, b: Effect.Effect<unknown, E2, B>) =>
  TaskGroup.open<unknown>()((group) =>
    Effect.gen(function* () {
      const one = yield* group.spawn(a)
      const two = yield* group.spawn(b)
      return [yield* one.join, yield* two.join] as const
    })
  )

const meanwhileBoth = <E, A, E2, B>(a: Effect.Effect<unknown, E, A>, b: Effect.Effect<unknown, E2, B>) =>
  Effect.map(([, second]: readonly [A, B]) => second)(both(a, b))
