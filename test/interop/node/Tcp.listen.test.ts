import { connect, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type { Cause } from 'millrace'
import {
  CancelScope,
  Effect,
  Exit,
  type HappyEyeballs,
  Listener,
  Provider,
  Resource,
  SocketAttribute,
  Stream,
  TaskGroup
} from 'millrace'
import { Tcp } from 'millrace/node'
import { turns } from '../../support/host.js'
import { runProgram } from '../../support/program.js'
import {
  awaiting,
  bytes,
  event,
  nothingLeft,
  openHandles,
  peerSocket,
  portOf,
  run,
  serving,
  tagOr,
  textOf
} from '../../support/sockets.js'

const both: ReadonlyArray<HappyEyeballs.Address> = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 }
]

/** A listener on the loopback interface. */
const listening = <E, A>(
  body: (
    listener: Listener.Listener<Tcp.TcpStream, never, SocketAttribute.LocalRow>,
    port: number
  ) => Effect.Effect<unknown, E, A>,
  options: Partial<Tcp.ListenOptions> = {}
) =>
  pipe(
    Tcp.listen({ host: '127.0.0.1', port: 0, ...options }),
    Resource.use((listener) => body(listener, portOf(listener)))
  )

const clientOf = (port: number, host = '127.0.0.1') => Tcp.connect({ host, port })

/** Whether somebody accepts there. */
const answers = (port: number, host = '127.0.0.1') =>
  pipe(
    clientOf(port, host),
    Resource.use(() => Effect.unit),
    Effect.match(
      () => false,
      () => true
    )
  )

const echo = (stream: Tcp.TcpStream) => pipe(stream, Stream.pipeTo(stream))

const roundTrip = (port: number, text: string, host = '127.0.0.1') =>
  pipe(
    clientOf(port, host),
    Resource.use((stream) =>
      Effect.gen(function* () {
        yield* stream.send(bytes(text))
        yield* stream.sendEof
        return textOf(...(yield* Stream.collect(stream)))
      })
    )
  )

describe('Tcp.listen', () => {
  afterEach(nothingLeft)

  describe('binding', () => {
    it('port 0 takes a free one, which the attributes tell', () =>
      run(
        listening((listener, port) =>
          Effect.gen(function* () {
            expect(port).to.be.within(1, 65_535)
            expect(Provider.extra(SocketAttribute.localAddress)(listener)).to.equal('127.0.0.1')
            expect(Provider.extra(SocketAttribute.family)(listener)).to.equal('ipv4')
            expect((Provider.extra(SocketAttribute.raw)(listener) as Server).listening).to.equal(true)
            expect(yield* answers(port)).to.equal(true)
          })
        )
      ))

    it('NET-30 without a host it listens on all interfaces of both families', () =>
      run(
        pipe(
          Tcp.listen({ port: 0 }),
          Resource.use((listener) =>
            Effect.gen(function* () {
              expect(yield* answers(portOf(listener), '127.0.0.1')).to.equal(true)
              expect(yield* answers(portOf(listener), '::1')).to.equal(true)
            })
          )
        )
      ))

    it('NET-28 a name with two addresses is listened on at both, at one port, also when that was chosen', () =>
      run(
        Effect.gen(function* () {
          const lookup = () => Effect.succeed(both)
          const chosen = yield* pipe(
            Tcp.listen({ host: 'localhost', port: 0, lookup }),
            Resource.use((listener) =>
              Effect.gen(function* () {
                const port = portOf(listener)
                const tasks = yield* TaskGroup.open<unknown>()((group) =>
                  Effect.gen(function* () {
                    yield* group.spawn(pipe(listener, Listener.serve(echo)), { service: true })
                    return [yield* roundTrip(port, 'four'), yield* roundTrip(port, 'six', '::1')]
                  })
                )
                expect(tasks).to.deep.equal(['four', 'six'])
                return port
              })
            )
          )
          expect(yield* answers(chosen, '::1')).to.equal(false)
          yield* pipe(
            Tcp.listen({ host: 'localhost', port: chosen, lookup }),
            Resource.use((listener) =>
              Effect.gen(function* () {
                expect(portOf(listener)).to.equal(chosen)
                yield* listener.close
                expect(yield* answers(chosen)).to.equal(false)
                expect(yield* answers(chosen, '::1')).to.equal(false)
              })
            )
          )
        })
      ))

    it('a port that is in use, an address of somebody else, an unknown name: BindFailed, and nothing listens', () =>
      run(
        listening((_, port) =>
          Effect.gen(function* () {
            const failure = (options: Tcp.ListenOptions) =>
              pipe(
                Tcp.listen(options),
                Resource.use(() => Effect.succeed('listens')),
                Effect.match(
                  (e) => [e._tag, e.endpoint, (e.cause as NodeJS.ErrnoException).code],
                  (a) => a
                )
              )
            const endpoint = (host: string) => `tcp://${host}:${port}`
            expect(yield* failure({ host: '127.0.0.1', port })).to.deep.equal([
              'BindFailed',
              endpoint('127.0.0.1'),
              'EADDRINUSE'
            ])
            expect(yield* failure({ host: '192.0.2.77', port })).to.deep.equal([
              'BindFailed',
              endpoint('192.0.2.77'),
              'EADDRNOTAVAIL'
            ])
            const own = Object.assign(new Error('no'), { code: 'MINE' })
            expect(yield* failure({ host: 'x', port, lookup: () => Effect.fail(own) })).to.deep.equal([
              'BindFailed',
              endpoint('x'),
              'MINE'
            ])
            // The second of two addresses is in use: the first one is let go.
            const lookup = () => Effect.succeed(both)
            expect((yield* failure({ host: 'localhost', port, lookup }))[2]).to.equal('EADDRINUSE')
            expect(yield* answers(port, '::1')).to.equal(false)
          })
        )
      ))

    it('a port or a backlog that cannot be is refused at once', () => {
      for (const port of [-1, 65_536, 1.5, NaN]) {
        expect(() => Tcp.listen({ port })).to.throw(RangeError, /port to listen on/)
      }
      for (const backlog of [0, -1, 1.5, NaN]) {
        expect(() => Tcp.listen({ port: 0, backlog })).to.throw(RangeError, /backlog/)
      }
    })

    it('NET-32 reusePort: two listeners at one port, or a failure that says what it needs', () =>
      run(
        pipe(
          Tcp.listen({ host: '127.0.0.1', port: 0, reusePort: true }),
          Resource.use((listener) =>
            pipe(
              Tcp.listen({ host: '127.0.0.1', port: portOf(listener), reusePort: true }),
              Resource.use((second) => Effect.succeed(portOf(second) === portOf(listener)))
            )
          ),
          Effect.match(
            (e) => String((e as { readonly cause: unknown }).cause),
            (same) => String(same)
          ),
          Effect.map((result) => {
            const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
            if (major > 22 || (major === 22 && minor >= 12)) expect(result).to.equal('true')
            else expect(result).to.match(/reusePort needs Node 22.12/)
          })
        )
      ))

    it('NET-09 a port can be taken again as soon as its listener is closed, while its connections go on', () =>
      run(
        Effect.gen(function* () {
          const stream = yield* pipe(
            Tcp.listen({ host: '127.0.0.1', port: 0 }),
            Resource.use((listener) =>
              pipe(
                clientOf(portOf(listener)),
                Resource.use((client) =>
                  pipe(
                    listener.accept,
                    Resource.use((accepted) =>
                      Effect.gen(function* () {
                        yield* listener.close
                        const again = yield* pipe(
                          Tcp.listen({ host: '127.0.0.1', port: portOf(listener) }),
                          Resource.use(() => Effect.succeed('taken'))
                        )
                        yield* client.send(bytes('still here'))
                        return [again, textOf(yield* accepted.receive)]
                      })
                    )
                  )
                )
              )
            )
          )
          expect(stream).to.deep.equal(['taken', 'still here'])
        })
      ))

    it('cancelled at any moment of binding, nothing listens', () =>
      run(
        Effect.gen(function* () {
          const lookup = () => Effect.succeed(both)
          for (let wait = 0; wait < 20; wait++) {
            yield* CancelScope.open((scope) =>
              TaskGroup.open<unknown>()((group) =>
                Effect.gen(function* () {
                  const pause = Effect.repeatN(wait)(wait % 2 === 0 ? Effect.yieldNow : awaiting(turns))
                  yield* group.spawn(Effect.andThen(scope.cancel())(pause))
                  yield* pipe(
                    Tcp.listen({ host: 'localhost', port: 0, lookup }),
                    Resource.use(() => Effect.never)
                  )
                })
              )
            )
          }
          yield* awaiting(turns)
          expect(openHandles()).to.deep.equal([])
        })
      ))
  })

  describe('accepting', () => {
    it('NET-31 NET-09 accept gives a stream, without delay, which is closed when it is released', () =>
      run(
        listening((listener, port) =>
          pipe(
            peerSocket(port),
            Resource.use((peer) =>
              Effect.gen(function* () {
                const ended = event(peer, 'end')
                peer.write('hello')
                peer.resume()
                yield* pipe(
                  listener.accept,
                  Resource.use((stream) =>
                    Effect.gen(function* () {
                      expect(textOf(yield* stream.receive)).to.equal('hello')
                      expect(Provider.extra(SocketAttribute.localPort)(stream)).to.equal(port)
                      expect(Provider.extra(SocketAttribute.remotePort)(stream)).to.equal(peer.localPort)
                      const raw = Provider.extra(SocketAttribute.raw)(stream) as Socket
                      const symbol = Object.getOwnPropertySymbols(raw).find(
                        (s) => s.description === 'kSetNoDelay'
                      )
                      expect((raw as unknown as Record<symbol, boolean>)[symbol as symbol]).to.equal(true)
                    })
                  )
                )
                yield* ended
              })
            )
          )
        )
      ))

    it('NET-31 after close, and while it waits, accept is ClosedResource', () =>
      run(
        listening((listener) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const accepting = tagOr(Resource.use(() => Effect.succeed('accepted'))(listener.accept))
              const waiting = yield* group.spawn(accepting)
              yield* awaiting(turns)
              yield* listener.close
              expect(yield* waiting.join).to.equal('ClosedResource')
              yield* listener.close
              expect(yield* accepting).to.equal('ClosedResource')
            })
          )
        )
      ))

    it('connections that come while nobody accepts wait, unread, in order', () =>
      run(
        listening((listener, port) =>
          Effect.gen(function* () {
            const names = ['a', 'b', 'c']
            const got: Array<string> = []
            const peers: Array<Socket> = []
            for (const name of names) {
              const arrived = event(Provider.extra(SocketAttribute.raw)(listener) as Server, 'connection')
              const peer = connect(port, '127.0.0.1')
              peer.on('error', () => undefined).end(name)
              peers.push(peer)
              const socket = (yield* arrived) as Socket
              yield* awaiting(turns)
              expect(socket.bytesRead).to.equal(0)
            }
            for (const _ of names) {
              yield* pipe(
                listener.accept,
                Resource.use((stream) => Effect.map((c: Uint8Array) => got.push(textOf(c)))(stream.receive))
              )
            }
            expect(got).to.deep.equal(names)
            for (const peer of peers) peer.destroy()
          })
        )
      ))

    it('more than the backlog are reset at once, and so is who still waits when it closes', () =>
      run(
        listening(
          (listener, port) =>
            Effect.gen(function* () {
              const server = Provider.extra(SocketAttribute.raw)(listener) as Server
              const ends: Array<Promise<unknown>> = []
              for (let i = 0; i < 3; i++) {
                const arrived = event(server, 'connection')
                const peer = connect(port, '127.0.0.1')
                ends.push(
                  new Promise((done) => {
                    peer.resume()
                    peer.on('error', (e: NodeJS.ErrnoException) => done(e.code)).on('end', () => done('end'))
                  })
                )
                yield* arrived
              }
              expect(yield* awaiting(() => ends[2] as Promise<unknown>)).to.equal('ECONNRESET')
              yield* listener.close
              expect(yield* awaiting(() => Promise.all(ends))).to.deep.equal(Array(3).fill('ECONNRESET'))
            }),
          { backlog: 2 }
        )
      ))

    it('a failure to accept that passes is got over; any other is BrokenResource, and closes', () =>
      run(
        listening((listener, port) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const server = Provider.extra(SocketAttribute.raw)(listener) as Server
              const accepting = tagOr(Resource.use(() => Effect.succeed('accepted'))(listener.accept))
              const fail = (code: string) => server.emit('error', Object.assign(new Error(code), { code }))
              const waiting = yield* group.spawn(accepting)
              yield* awaiting(turns)
              // As Node tells it when it has no descriptor in reserve.
              for (const code of ['EMFILE', 'ENFILE', 'ECONNABORTED']) fail(code)
              expect(yield* answers(port)).to.equal(true)
              expect(yield* waiting.join).to.equal('accepted')
              const again = yield* group.spawn(accepting)
              yield* awaiting(turns)
              fail('EBADF')
              expect(yield* again.join).to.equal('BrokenResource')
              expect(yield* accepting).to.equal('BrokenResource')
              expect(yield* answers(port)).to.equal(false)
              yield* listener.close
              expect(yield* accepting).to.equal('ClosedResource')
            })
          )
        )
      ))

    it('cancelled, accept has taken nobody', () =>
      run(
        listening((listener, port) =>
          Effect.gen(function* () {
            const cut = yield* CancelScope.open((scope) =>
              TaskGroup.open<unknown>()((group) =>
                Effect.gen(function* () {
                  yield* group.spawn(Effect.andThen(scope.cancel())(awaiting(turns)))
                  yield* Resource.use(() => Effect.unit)(listener.accept)
                })
              )
            )
            expect(cut._tag).to.equal('None')
            yield* pipe(
              peerSocket(port),
              Resource.use(() => Resource.use(() => Effect.unit)(listener.accept))
            )
          })
        )
      ))
  })

  describe('serving', () => {
    it('NET-33 a task a connection: many at once, and one that is slow keeps nobody waiting', () =>
      run(
        serving(echo, (port) =>
          pipe(
            clientOf(port),
            Resource.use(() =>
              Effect.gen(function* () {
                for (let i = 0; i < 20; i++)
                  expect(yield* roundTrip(port, `hello ${i}`)).to.equal(`hello ${i}`)
              })
            )
          )
        )
      ))

    it('2,000 connections at once', () => {
      const count = 2000
      return run(
        serving(echo, (port) =>
          Effect.gen(function* () {
            let open = 0
            let most = 0
            let allThere!: () => void
            const all = new Promise<void>((done) => {
              allThere = done
            })
            const client = (i: number) =>
              pipe(
                clientOf(port),
                Resource.use((stream) =>
                  Effect.gen(function* () {
                    most = Math.max(most, ++open)
                    if (open === count) allThere()
                    yield* awaiting(() => all)
                    yield* stream.send(bytes(`hello ${i}`))
                    const text = textOf(yield* stream.receive)
                    expect(text).to.equal(`hello ${i}`)
                    open--
                  })
                )
              )
            yield* TaskGroup.open<unknown>()((group) =>
              Effect.gen(function* () {
                for (let i = 0; i < count; i++) yield* group.spawn(client(i))
              })
            )
            expect([most, open]).to.deep.equal([count, 0])
          })
        )
      )
    }).timeout(30_000)

    it('2,000 connections at once, of which 100 are served at a time', () => {
      const count = 2000
      let most = 0
      let now = 0
      let full!: () => void
      const all = new Promise<void>((done) => {
        full = done
      })
      const handler = (stream: Tcp.TcpStream) =>
        Effect.gen(function* () {
          most = Math.max(most, ++now)
          if (most === 100) full()
          yield* awaiting(() => all)
          yield* echo(stream)
          now--
        })
      return run(
        Effect.map(() => expect(most).to.equal(100))(
          serving(
            handler,
            (port) =>
              TaskGroup.open<unknown>()((group) =>
                Effect.gen(function* () {
                  for (let i = 0; i < count; i++) {
                    const text = `hello ${i}`
                    yield* group.spawn(
                      Effect.map((got: string) => expect(got).to.equal(text))(roundTrip(port, text))
                    )
                  }
                })
              ),
            { concurrency: 100 }
          )
        )
      )
    }).timeout(30_000)

    it('NET-35 a handler that fails or dies is reported, and the others go on', () => {
      const causes: Array<string> = []
      return run(
        Effect.map(() => expect(causes.sort()).to.deep.equal(['Die', 'Fail']))(
          serving(
            (stream) =>
              Effect.gen(function* () {
                const text = textOf(yield* stream.receive)
                if (text === 'fail') return yield* Effect.fail('no')
                if (text === 'die') return yield* Effect.die('bug')
                yield* stream.send(bytes(text))
              }),
            (port) =>
              pipe(
                clientOf(port),
                Resource.use((other) =>
                  Effect.gen(function* () {
                    expect(yield* roundTrip(port, 'fail')).to.equal('')
                    expect(yield* roundTrip(port, 'die')).to.equal('')
                    yield* other.send(bytes('still here'))
                    expect(textOf(yield* other.receive)).to.equal('still here')
                  })
                )
              ),
            {
              onError: (cause: Cause.Cause<unknown>) =>
                Effect.sync(() => {
                  causes.push(cause._tag)
                })
            }
          )
        )
      )
    })

    it('NET-35 with onError: fail it ends the server', () =>
      run(
        listening((listener, port) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const server = yield* group.spawnOwned(
                pipe(
                  listener,
                  Listener.serve(() => Effect.fail({ _tag: 'Mine' as const }), { onError: 'fail' })
                )
              )
              yield* answers(port)
              const exit = yield* server.wait
              expect(exit).to.deep.equal(Exit.fail({ _tag: 'Mine' }))
            })
          )
        )
      ))

    it('NET-33 cancelled, it cancels and closes every connection before it ends', () =>
      run(
        listening((listener, port) =>
          Effect.gen(function* () {
            const ends: Array<string> = []
            const handler = (stream: Tcp.TcpStream) =>
              Effect.onExit((exit: Exit.Exit<unknown, unknown>) =>
                Effect.sync(() => ends.push(exit._tag === 'Left' ? exit.left._tag : 'ok'))
              )(stream.receive)
            yield* pipe(
              peerSocket(port),
              Resource.par(peerSocket(port)),
              Resource.use(([one, two]) =>
                Effect.gen(function* () {
                  const closed = [event(one.resume(), 'end'), event(two.resume(), 'end')]
                  yield* CancelScope.open((scope) =>
                    TaskGroup.open<unknown>()((group) =>
                      Effect.gen(function* () {
                        yield* group.spawn(pipe(listener, Listener.serve(handler)))
                        yield* awaiting(turns)
                        yield* scope.cancel()
                      })
                    )
                  )
                  expect(ends).to.deep.equal(['Cancelled', 'Cancelled'])
                  for (const each of closed) yield* each
                })
              )
            )
          })
        )
      ))

    it('when it drains, nobody can connect any more, those that are there are served to their end', () =>
      run(
        Effect.gen(function* () {
          let port = 0
          const done = yield* CancelScope.open((scope) =>
            pipe(
              Tcp.listen({ host: '127.0.0.1', port: 0 }),
              Resource.use((listener) =>
                TaskGroup.open<unknown>()((group) =>
                  Effect.gen(function* () {
                    port = portOf(listener)
                    const server = yield* group.spawn(pipe(listener, Listener.serve(echo)))
                    const text = yield* pipe(
                      clientOf(port),
                      Resource.use((client) =>
                        Effect.gen(function* () {
                          yield* client.send(bytes('before'))
                          const before = textOf(yield* client.receive)
                          yield* scope.drain('shutting down')
                          expect(yield* answers(port)).to.equal(false)
                          yield* client.send(bytes('after'))
                          return [before, textOf(yield* client.receive)]
                        })
                      )
                    )
                    yield* server.join
                    return text
                  })
                )
              )
            )
          )
          expect(done).to.deep.equal({ _tag: 'Some', value: ['before', 'after'] })
        })
      ))

    it('closed while clients connect: each is served or refused, and serve ends with ClosedResource', () =>
      run(
        listening((listener, port) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              let served = 0
              const server = yield* group.spawnOwned(
                pipe(
                  listener,
                  Listener.serve(() => Effect.sync(() => ++served))
                )
              )
              const outcomes: Array<Promise<string>> = []
              for (let i = 0; i < 300; i++) {
                const peer = connect(port, '127.0.0.1').resume()
                outcomes.push(
                  new Promise((done) => {
                    peer
                      .on('error', (e: NodeJS.ErrnoException) => done(e.code ?? ''))
                      .on('end', () => done('end'))
                  })
                )
              }
              while (served < 50) yield* awaiting(() => new Promise((done) => setImmediate(done)))
              yield* listener.close
              const all = yield* awaiting(() => Promise.all(outcomes))
              expect(new Set(all)).to.satisfy((set: Set<string>) =>
                [...set].every((each) => ['end', 'ECONNRESET', 'ECONNREFUSED'].includes(each))
              )
              const exit = yield* server.wait
              expect(exit).to.deep.equal(Exit.fail({ _tag: 'ClosedResource', resource: 'TcpListener' }))
              expect(all.filter((each) => each === 'end').length).to.be.at.most(served)
            })
          )
        )
      )).timeout(20_000)
  })

  it('no file descriptors left: connections are dropped meanwhile, and accepted again afterwards', async () => {
    const ran = await runProgram('build/test/interop/node/fixtures/descriptors.js')
    expect(ran.stderr).to.equal('')
    expect(ran.stdout.split('\n').slice(0, 4)).to.deep.equal([
      'served before',
      'short of descriptors',
      'served after',
      'ended'
    ])
  }).timeout(30_000)
})
