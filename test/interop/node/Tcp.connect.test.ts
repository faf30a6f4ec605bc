import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  CancelScope,
  type Connectable,
  Effect,
  type HappyEyeballs,
  Provider,
  Resource,
  SocketAttribute,
  type StreamError,
  TaskGroup,
  Timeout
} from 'millrace'
import { Tcp } from 'millrace/node'
import { turns } from '../../support/host.js'
import {
  awaiting,
  bytes,
  event,
  nothingLeft,
  openHandles,
  peerServer,
  run,
  textOf
} from '../../support/sockets.js'

type Addresses = ReadonlyArray<HappyEyeballs.Address>

const four = (address: string): HappyEyeballs.Address => ({ address, family: 4 })
const six = (address: string): HappyEyeballs.Address => ({ address, family: 6 })

const lookup =
  (...addresses: Addresses) =>
  () =>
    Effect.succeed(addresses)

const remoteOf = Provider.extra(SocketAttribute.remoteAddress)

/** Connects, and gives the address that was taken. */
const taken = (options: Tcp.ConnectOptions) =>
  pipe(
    Tcp.connect(options),
    Resource.use((stream) => Effect.succeed(remoteOf(stream)))
  )

const failure = (options: Tcp.ConnectOptions): Effect.Effect<unknown, never, StreamError.ConnectionFailed> =>
  pipe(
    taken(options),
    Effect.match(
      (e) => e,
      (address) => {
        throw new Error(`connected to ${address}`)
      }
    )
  )

const codes = (failed: StreamError.ConnectionFailed): ReadonlyArray<unknown> =>
  failed.errors.map((e) => (e as NodeJS.ErrnoException).code ?? (e as Error).message)

/** A port at which nobody listens. */
const deadPort = awaiting(async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
})

/** Servers on 127.0.0.1 and ::1 at one port, as far as one is wanted. */
const onBoth = (wanted: { readonly four?: boolean; readonly six?: boolean }) =>
  Resource.gen(function* () {
    const ipv4 = yield* peerServer((socket) => socket.resume())
    const { port } = ipv4
    if (wanted.six === true) {
      yield* Resource.make(
        awaiting(async () => {
          const server = createServer((socket) =>
            socket
              .on('error', () => undefined)
              .resume()
              .on('end', () => socket.end())
          )
          server.listen({ port, host: '::1' })
          await once(server, 'listening')
          return server
        }),
        (server) =>
          awaiting(async () => {
            server.close()
            await once(server, 'close')
          })
      )
    }
    if (wanted.four !== true) yield* Resource.fromEffect(Effect.sync(() => ipv4.server.close()))
    return port
  })

describe('Tcp.connect', () => {
  afterEach(nothingLeft)

  it('NET-49 NET-01 a Connectable that names its endpoint; each use is a connection of its own', () =>
    run(
      pipe(
        peerServer((socket) => socket.pipe(socket)),
        Resource.use(({ port }) =>
          Effect.gen(function* () {
            const server = Tcp.connect({ host: '127.0.0.1', port })
            expect(server.endpoint).to.equal(`tcp://127.0.0.1:${port}`)
            expect(Tcp.connect({ host: '::1', port: 1 }).endpoint).to.equal('tcp://[::1]:1')
            const ports = new Set<number>()
            for (const each of [server, server.connect, server]) {
              yield* pipe(
                each,
                Resource.use((stream) =>
                  Effect.gen(function* () {
                    ports.add(Provider.extra(SocketAttribute.localPort)(stream))
                    yield* stream.send(bytes('hello'))
                    expect(textOf(yield* stream.receive)).to.equal('hello')
                  })
                )
              )
            }
            expect(ports.size).to.equal(3)
          })
        )
      )
    ))

  it('NET-51 code that is written against a connectable takes this one', () =>
    run(
      pipe(
        peerServer((socket) => socket.end('12:30')),
        Resource.use(({ port }) => {
          const time = (server: Connectable.Connectable<Tcp.TcpStream>) =>
            pipe(
              server,
              Resource.use((stream) => stream.receive),
              Effect.map((chunk) => textOf(chunk))
            )
          return Effect.map((text: string) => expect(text).to.equal('12:30'))(
            time(Tcp.connect({ host: '127.0.0.1', port }))
          )
        })
      )
    ))

  it('NET-49 a port outside of 1 to 65535 is refused at once', () => {
    for (const port of [0, -1, 65_536, 1.5, NaN]) {
      expect(() => Tcp.connect({ host: 'localhost', port })).to.throw(RangeError, /port to connect to/)
    }
    expect(() => Tcp.connect({ host: 'x', port: 1, localPort: 65_536 })).to.throw(RangeError, /local port/)
    for (const happyEyeballsDelay of [-1, NaN]) {
      expect(() => Tcp.connect({ host: 'x', port: 1, happyEyeballsDelay })).to.throw(
        RangeError,
        /happyEyeballsDelay/
      )
    }
  })

  it('NET-09 small chunks go out at once, unless asked otherwise', () =>
    run(
      pipe(
        peerServer((socket) => socket.resume()),
        Resource.use(({ port }) =>
          Effect.gen(function* () {
            const calls: Array<boolean> = []
            for (const noDelay of [undefined, false]) {
              yield* pipe(
                Tcp.connect({ host: '127.0.0.1', port, ...(noDelay === undefined ? {} : { noDelay }) }),
                Resource.use((stream) =>
                  Effect.sync(() => {
                    const raw = Provider.extra(SocketAttribute.raw)(stream) as Socket
                    // Node remembers what it has told the kernel.
                    const symbol = Object.getOwnPropertySymbols(raw).find(
                      (s) => s.description === 'kSetNoDelay'
                    )
                    calls.push((raw as unknown as Record<symbol, boolean>)[symbol as symbol] ?? false)
                  })
                )
              )
            }
            expect(calls).to.deep.equal([true, false])
          })
        )
      )
    ))

  it('NET-20 IPv6 is tried first, in whichever order the addresses were found', () =>
    run(
      pipe(
        onBoth({ four: true, six: true }),
        Resource.use((port) =>
          Effect.gen(function* () {
            for (const found of [
              [four('127.0.0.1'), six('::1')],
              [six('::1'), four('127.0.0.1')]
            ]) {
              expect(yield* taken({ host: 'example', port, lookup: lookup(...found) })).to.equal('::1')
            }
          })
        )
      )
    ))

  it('an address that refuses makes room for the next one at once', () =>
    run(
      pipe(
        onBoth({ four: true }),
        Resource.use((port) =>
          Effect.gen(function* () {
            const options = { host: 'example', port, lookup: lookup(six('::1'), four('127.0.0.1')) }
            // Without end: the delay is not what makes it go on.
            expect(yield* taken({ ...options, happyEyeballsDelay: Infinity })).to.equal('127.0.0.1')
          })
        )
      )
    ))

  it('NET-22 all addresses refuse: ConnectionFailed with an error each', () =>
    run(
      Effect.gen(function* () {
        const port = yield* deadPort
        const two = yield* failure({ host: 'example', port, lookup: lookup(four('127.0.0.1'), six('::1')) })
        expect(two).to.deep.include({ _tag: 'ConnectionFailed', endpoint: `tcp://example:${port}` })
        expect(two.errors.map((e) => (e as { address: string }).address)).to.deep.equal(['::1', '127.0.0.1'])
        expect(codes(two)).to.deep.equal(['ECONNREFUSED', 'ECONNREFUSED'])
        expect(codes(yield* failure({ host: '127.0.0.1', port }))).to.deep.equal(['ECONNREFUSED'])
      })
    ))

  it('NET-23 a name that is not known: ConnectionFailed with the error of the resolver alone', () =>
    run(
      Effect.gen(function* () {
        const unknown = yield* failure({ host: 'no-such-host.invalid', port: 1 })
        expect(unknown.errors.length).to.equal(1)
        expect(codes(unknown)[0]).to.be.oneOf(['ENOTFOUND', 'EAI_AGAIN'])
        const own = { _tag: 'Mine' }
        const failed = yield* failure({ host: 'example', port: 1, lookup: () => Effect.fail(own) })
        expect(failed.errors).to.deep.equal([own])
        expect(codes(yield* failure({ host: 'example', port: 1, lookup: lookup() }))).to.deep.equal([
          'example has no address.'
        ])
      })
    ))

  it('NET-25 an IP address is not looked up', () =>
    run(
      pipe(
        onBoth({ four: true, six: true }),
        Resource.use((port) =>
          Effect.gen(function* () {
            const asked: Array<string> = []
            const lookup = (host: string) =>
              Effect.sync((): Addresses => {
                asked.push(host)
                return [four('127.0.0.1')]
              })
            expect(yield* taken({ host: '127.0.0.1', port, lookup })).to.equal('127.0.0.1')
            expect(yield* taken({ host: '::1', port, lookup })).to.equal('::1')
            expect(asked).to.deep.equal([])
            expect(yield* taken({ host: 'example', port, lookup })).to.equal('127.0.0.1')
            expect(asked).to.deep.equal(['example'])
          })
        )
      )
    ))

  it('NET-24 goes out from the address and the port that were asked for', () =>
    run(
      pipe(
        onBoth({ four: true, six: true }),
        Resource.use((port) =>
          Effect.gen(function* () {
            const localPort = yield* deadPort
            const found = lookup(six('::1'), four('127.0.0.1'))
            const from = (options: Partial<Tcp.ConnectOptions>) =>
              pipe(
                Tcp.connect({ host: 'example', port, lookup: found, ...options }),
                Resource.use((stream) =>
                  Effect.succeed([
                    Provider.extra(SocketAttribute.localAddress)(stream),
                    Provider.extra(SocketAttribute.localPort)(stream)
                  ])
                )
              )
            // Only the family of the local address is tried.
            expect(yield* from({ localHost: '127.0.0.1', localPort })).to.deep.equal(['127.0.0.1', localPort])
            expect((yield* from({ localHost: '::1' }))[0]).to.equal('::1')
            const none = yield* failure({
              host: '::1',
              port,
              localHost: '127.0.0.1'
            })
            expect(codes(none)).to.deep.equal(['::1 has no address that can be reached from 127.0.0.1.'])
            const foreign = yield* failure({ host: '127.0.0.1', port, localHost: '192.0.2.77' })
            expect(codes(foreign)).to.deep.equal(['EADDRNOTAVAIL'])
          })
        )
      )
    ))

  it('NET-27 NET-52 cancelled while the name is looked up', () =>
    run(
      Effect.gen(function* () {
        let gone = false
        const lookup = () =>
          Effect.onCancel(
            Effect.sync(() => {
              gone = true
            })
          )(Effect.never)
        const got = yield* pipe(taken({ host: 'example', port: 1, lookup }), Timeout.moveOnAfter(1))
        expect([got._tag, gone]).to.deep.equal(['None', true])
        // The machine cannot be told to stop, and is not waited for.
        const real = yield* pipe(taken({ host: 'localhost', port: 1 }), cancelledAfter(Effect.unit))
        expect(real._tag).to.equal('None')
      })
    ))

  it('NET-27 cancelled while an attempt is under way, and while two are: no socket is left', () =>
    run(
      pipe(
        // A full backlog answers nobody.
        fullServer,
        Resource.use((port) =>
          Effect.gen(function* () {
            for (const found of [[four('127.0.0.1')], [four('127.0.0.1'), four('127.0.0.2')]]) {
              yield* awaiting(turns)
              const before = openHandles().length
              const got = yield* pipe(
                taken({ host: 'example', port, happyEyeballsDelay: 1, lookup: lookup(...found) }),
                cancelledAfter(untilConnecting(found.length))
              )
              expect(got._tag).to.equal('None')
              expect(openHandles().length).to.equal(before)
            }
          })
        )
      )
    ))

  it('NET-27 cancelled after any number of turns of the host: connected and released, or nothing', () =>
    run(
      pipe(
        peerServer((socket) => socket.resume().on('end', () => socket.end())),
        Resource.use(({ port, server }) =>
          Effect.gen(function* () {
            const before = openHandles().length
            let connected = 0
            for (let wait = 0; wait < 200; wait++) {
              const got = yield* pipe(
                taken({
                  host: 'example',
                  port,
                  happyEyeballsDelay: 0,
                  lookup: lookup(six('::1'), four('127.0.0.1'))
                }),
                cancelledAfter(
                  Effect.repeatN(wait % 20)(wait % 2 === 0 ? Effect.yieldNow : awaiting(turnOnce))
                )
              )
              if (got._tag === 'Some') connected++
            }
            // Those that were accepted meanwhile have been told.
            yield* awaiting(
              () =>
                new Promise<void>((done) => {
                  const look = (): void => {
                    server.getConnections((_, n) => (n === 0 ? done() : setImmediate(look)))
                  }
                  look()
                })
            )
            yield* awaiting(turns)
            expect(openHandles().length).to.equal(before)
            expect(connected).to.be.greaterThan(0)
          })
        )
      )
    )).timeout(20_000)

  it('the socket is closed when the use has ended', () =>
    run(
      pipe(
        peerServer(),
        Resource.use(({ port, server }) =>
          Effect.gen(function* () {
            const arrival = event(server, 'connection')
            yield* taken({ host: '127.0.0.1', port })
            const socket = (yield* arrival) as Socket
            const ended = event(socket, 'end')
            socket.resume()
            yield* ended
          })
        )
      )
    ))
})

const turnOnce = (): Promise<void> => new Promise((done) => setImmediate(done))

/** Looks, turn by turn, until so many attempts are under way. */
const untilConnecting = (count: number): Effect.Effect<unknown, never, unknown> =>
  awaiting(async () => {
    while (process.getActiveResourcesInfo().filter((name) => name.endsWith('ConnectWrap')).length < count) {
      await turnOnce()
    }
  })

/** Cancels `fx` when `when` has ended. */
const cancelledAfter =
  (when: Effect.Effect<unknown, never, unknown>) =>
  <E, A>(fx: Effect.Effect<unknown, E, A>) =>
    CancelScope.open((scope) =>
      TaskGroup.open()((group) =>
        Effect.andThen(fx)(group.spawn(Effect.andThen(scope.cancel())(when), { service: true }))
      )
    )

/**
 * The port of a server whose backlog is full, so that the kernel leaves whoever comes next without an answer. It is in a
 * thread that sleeps, and accepts nobody.
 */
const fullServer: Resource.Resource<unknown, never, number> = Resource.map(
  ({ port }: { readonly port: number }) => port
)(
  Resource.make(
    awaiting(async () => {
      const wake = new Int32Array(new SharedArrayBuffer(4))
      const thread = new Worker(
        `const { parentPort, workerData } = require('node:worker_threads')
         const server = require('node:net').createServer().listen({ port: 0, host: '0.0.0.0', backlog: 1 }, () => {
           parentPort.postMessage(server.address().port)
           Atomics.wait(workerData, 0, 0)
           process.exit()
         })`,
        { eval: true, workerData: wake }
      )
      const [port] = (await once(thread, 'message')) as [number]
      const waiting: Array<Socket> = []
      for (let i = 0; i < 2; i++) {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined)
        waiting.push(socket)
        await once(socket, 'connect')
      }
      return { thread, port, wake, waiting }
    }),
    ({ thread, wake, waiting }) =>
      awaiting(async () => {
        for (const socket of waiting) socket.destroy()
        Atomics.store(wake, 0, 1)
        Atomics.notify(wake, 0)
        await once(thread, 'exit')
      })
  )
)
