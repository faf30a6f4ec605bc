/** TLS over TCP, against ourselves, `node:tls`, and OpenSSL where it is on the machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import {
  type AddressInfo,
  connect as netConnect,
  createServer as createNetServer,
  type Socket
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tls from 'node:tls'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type { Exit } from 'millrace'
import {
  type Cause,
  Cause as Causes,
  Concurrent,
  Effect,
  Listener,
  Promises,
  Provider,
  Resource,
  Runtime,
  SocketAttribute,
  Stream,
  TaskGroup
} from 'millrace'
import { Tls } from 'millrace/node'
import { makeAuthority } from '../../../examples/support/certificates.js'
import { complaintsOf, deferred } from '../../support/host.js'
import type { Fx } from '../../support/kernel.js'

const authority = makeAuthority()
const identity = authority.issue({ names: ['localhost', '127.0.0.1'] })
const host = '127.0.0.1'

const text = (chunk: Uint8Array): string => Buffer.from(chunk).toString()
const bytes = (s: string): Uint8Array => Buffer.from(s)

const reasonOf = (error: unknown): string => {
  const { _tag, reason } = error as { readonly _tag: string; readonly reason?: string }
  return reason === undefined ? _tag : `${_tag} ${reason}`
}
const brief = (exit: Exit.Exit<unknown, unknown>): string =>
  exit._tag === 'Right' ? 'ok' : Causes.failures(exit.left).map(reasonOf).join()
const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(brief)(Effect.exit(fx))
const wait = <A>(promise: () => Promise<A>): Fx<A> => Promises.fromPromise(promise, { abandonOnCancel: true })

const collectText = (stream: Tls.TlsStream): Fx<string, unknown> =>
  Effect.map((chunks: ReadonlyArray<Uint8Array>) => Buffer.concat(chunks).toString())(Stream.collect(stream))

/** Sockets of this process that are open. */
const sockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS)/.test(name)).length

const eventually = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/** Our server with a handler, and what to do with its port. */
const served = <A>(
  handler: (stream: Tls.TlsStream) => Fx<unknown, unknown>,
  use: (port: number) => Fx<A, unknown>,
  options: Partial<Tls.TlsOptions> = {},
  onError: (cause: Cause.Cause<unknown>) => Fx<void> = () => Effect.unit
): Promise<A> =>
  Runtime.runPromise(
    pipe(
      Tls.listen({ host, port: 0, ...identity, ...options }),
      Resource.use((listener) =>
        TaskGroup.open<unknown>()((group) =>
          Effect.gen(function* () {
            yield* group.spawn(Listener.serve(handler, { onError })(listener), { service: true })
            return yield* use(Provider.extra(SocketAttribute.localPort)(listener))
          })
        )
      )
    )
  )

const calling = (port: number): Parameters<typeof Tls.connect>[0] => ({ host, port, ca: authority.ca })

/** A server of `node:tls`, closed at the end with all its connections. */
const nodeServer = <A>(
  options: tls.TlsOptions,
  onSocket: (socket: tls.TLSSocket) => void,
  use: (port: number) => Fx<A, unknown>
): Promise<A> =>
  Runtime.runPromise(
    pipe(
      Resource.make(
        wait(async () => {
          const open = new Set<Socket>()
          const server = tls.createServer({ ...identity, ...options }, (socket) => {
            socket.on('error', () => undefined)
            onSocket(socket)
          })
          server.on('connection', (socket: Socket) => {
            open.add(socket)
            socket.on('close', () => open.delete(socket))
          })
          server.listen(0, host)
          await once(server, 'listening')
          return { server, open }
        }),
        ({ server, open }) =>
          wait(async () => {
            for (const socket of open) socket.destroy()
            server.close()
            await once(server, 'close')
          })
      ),
      Resource.use(({ server }) => use((server.address() as AddressInfo).port))
    )
  )

describe('Tls over TCP', () => {
  it('TLS-01 connect and listen speak with each other, and know what TCP and TLS know', async () => {
    const seen: Array<unknown> = []
    const facts = (stream: Tls.TlsStream) => [
      Provider.extra(SocketAttribute.remoteAddress)(stream),
      Provider.extra(SocketAttribute.family)(stream),
      Provider.extra(Tls.protocolVersion)(stream),
      Provider.extra(Tls.serverSide)(stream)
    ]
    const answer = await served(
      (stream) => {
        seen.push(facts(stream))
        return Stream.pipeTo(stream)(stream)
      },
      (port) =>
        pipe(
          Tls.connect(calling(port)),
          Resource.use((stream) =>
            Effect.gen(function* () {
              seen.push(facts(stream))
              expect(Provider.extra(SocketAttribute.remotePort)(stream)).to.equal(port)
              yield* stream.send(bytes('hello'))
              const start = text(yield* stream.receiveUpTo(2))
              yield* stream.sendEof
              return start + '|' + (yield* collectText(stream))
            })
          )
        )
    )
    expect(answer).to.equal('he|llo')
    expect(seen).to.have.deep.members([
      [host, 'ipv4', 'TLSv1.3', true],
      [host, 'ipv4', 'TLSv1.3', false]
    ])
  })

  it('TLS-16 receiveUpTo and receiveMany below 1 are defects', async () => {
    const defects = await served(
      (stream) => stream.receive,
      (port) =>
        pipe(
          Tls.connect(calling(port)),
          Resource.use((stream) =>
            Effect.gen(function* () {
              const seen: Array<boolean> = []
              const bads: ReadonlyArray<Fx<unknown, unknown>> = [
                stream.receiveUpTo(0),
                stream.receiveUpTo(-1),
                stream.receiveMany(0)
              ]
              for (const bad of bads) {
                const exit = yield* Effect.exit(bad)
                seen.push(
                  exit._tag === 'Left' && exit.left._tag === 'Die' && exit.left.defect instanceof RangeError
                )
              }
              return seen
            })
          )
        )
    )
    expect(defects).to.deep.equal([true, true, true])
  })

  it('TLS-04 a failed handshake of connect closes the connection, and leaves no socket', async () => {
    const before = sockets()
    const complaints = await complaintsOf(async () => {
      for (const [options, reason] of [
        [{ ca: makeAuthority().ca }, 'TlsFailed certificate'],
        [{ serverName: 'elsewhere.test' }, 'TlsFailed hostName']
      ] as const) {
        const end = await nodeServer(
          {},
          () => undefined,
          (port) => ending(Resource.use(() => Effect.unit)(Tls.connect({ ...calling(port), ...options })))
        )
        expect(end).to.equal(reason)
      }
    })
    expect(complaints).to.deep.equal([])
    await eventually(() => sockets() <= before)
  })

  it('TLS-20 what cannot be connected to is ConnectionFailed, and bad options are refused at once', async () => {
    const server = createNetServer().listen(0, host)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const connectable = Tls.connect(calling(port))
    expect(connectable.endpoint).to.equal(`tls://${host}:${port}`)
    const end = await Runtime.runPromise(ending(Resource.use(() => Effect.unit)(connectable)))
    expect(end).to.equal('ConnectionFailed')
    expect(() => Tls.connect({ host, port: 0 })).to.throw(RangeError)
    expect(() => Tls.connect({ host, port, ca: 'x' })).to.throw(TypeError)
    expect(() => Tls.listen({ port: 0 })).to.throw(TypeError)
  })

  it('TLS-18 clients that stall in the handshake hold up nobody, and are closed after the timeout', async () => {
    const failures: Array<string> = []
    const stalled: Array<Socket> = []
    const answers = await served(
      (stream) => Stream.pipeTo(stream)(stream),
      (port) =>
        Effect.gen(function* () {
          for (let i = 0; i < 5; i++) {
            const socket = netConnect(port, host)
            socket.on('error', () => undefined)
            socket.resume()
            stalled.push(socket)
            yield* wait(() => once(socket, 'connect'))
          }
          const one = pipe(
            Tls.connect(calling(port)),
            Resource.use((stream) => Effect.flatMap(() => stream.receive)(stream.send(bytes('x'))))
          )
          const answer = text(yield* one)
          const open = stalled.filter((socket) => !socket.closed).length
          yield* wait(() =>
            Promise.all(stalled.filter((socket) => !socket.closed).map((socket) => once(socket, 'close')))
          )
          return [answer, open]
        }),
      // Long enough for one handshake on a busy machine.
      { handshakeTimeout: 1_000 },
      (cause) => Effect.sync(() => void failures.push(Causes.failures(cause).map(reasonOf).join()))
    )
    expect(answers).to.deep.equal(['x', 5])
    expect(failures).to.deep.equal(Array.from({ length: 5 }, () => 'TlsFailed timeout'))
  }).timeout(15_000)

  it('TLS-04 a handshake that fails is the failure of that connection, and the server goes on', async () => {
    const failures: Array<string> = []
    const answer = await served(
      (stream) => Stream.pipeTo(stream)(stream),
      (port) =>
        Effect.gen(function* () {
          const plain = netConnect(port, host)
          plain.on('error', () => undefined)
          plain.end('GET / HTTP/1.1\r\n\r\n')
          plain.resume()
          yield* wait(() => once(plain, 'close'))
          const cut = netConnect(port, host)
          yield* wait(() => once(cut, 'connect'))
          cut.resetAndDestroy()
          return text(
            yield* pipe(
              Tls.connect(calling(port)),
              Resource.use((stream) =>
                Effect.flatMap(() => stream.receive)(stream.send(bytes('still there')))
              )
            )
          )
        }),
      {},
      (cause) => Effect.sync(() => void failures.push(Causes.failures(cause).map(reasonOf).join()))
    )
    expect(answer).to.equal('still there')
    expect(failures[0]).to.equal('TlsFailed protocol')
  })

  it('many connections at once, and none is left', async () => {
    const before = sockets()
    const answers = await served(
      (stream) => Stream.pipeTo(stream)(stream),
      (port) =>
        pipe(
          Array.from({ length: 50 }, (_, i) => i),
          Concurrent.traverse((i: number) =>
            pipe(
              Tls.connect(calling(port)),
              Resource.use((stream) =>
                Effect.gen(function* () {
                  yield* stream.send(bytes(String(i)))
                  yield* stream.sendEof
                  return Number(yield* collectText(stream))
                })
              )
            )
          )
        )
    )
    expect(answers).to.deep.equal(Array.from({ length: 50 }, (_, i) => i))
    await eventually(() => sockets() <= before)
  })
})

describe('Tls with node:tls at the other end', () => {
  const use = <A>(port: number, f: (stream: Tls.TlsStream) => Fx<A, unknown>, options = {}) =>
    Resource.use(f)(Tls.connect({ ...calling(port), ...options }))

  it('TLS-13 a peer that ends is the end; one that cuts the connection has broken it', async () => {
    // Inside of its own event Node cannot say goodbye yet, and leaves without it.
    for (const [leave, expected, resets] of [
      [(socket: tls.TLSSocket) => setImmediate(() => socket.end('last')), 'last,EndOfStream', false],
      [(socket: tls.TLSSocket) => socket.write('last', () => socket.destroy()), 'last,BrokenResource', false],
      [
        (socket: tls.TLSSocket) => {
          const raw = (socket as unknown as { readonly _parent: Socket })._parent
          socket.write('last', () => socket.once('data', () => raw.resetAndDestroy()))
        },
        'last,BrokenResource',
        true
      ]
    ] as const) {
      const seen = await nodeServer({}, leave, (port) =>
        use(port, (stream) =>
          Effect.gen(function* () {
            const first = text(yield* stream.receive)
            if (resets) yield* stream.send(bytes('got it'))
            return `${first},${yield* ending(stream.receive)}`
          })
        )
      )
      expect(seen).to.equal(expected)
    }
  })

  it('TLS-13 a peer that cuts the connection: the end, where the standard is not asked for', async () => {
    const seen = await nodeServer(
      {},
      (socket) => socket.write('last', () => socket.destroy()),
      (port) =>
        use(port, (stream) => Effect.flatMap(() => ending(stream.receive))(stream.receive), {
          standardCompatible: false
        })
    )
    expect(seen).to.equal('EndOfStream')
  })

  it('TLS-15 half-close in TLS 1.3: a peer that can goes on sending', async () => {
    const seen = await nodeServer(
      { allowHalfOpen: true },
      (socket) => {
        let question = ''
        socket.on('data', (chunk) => (question += String(chunk)))
        socket.on('end', () => socket.end(`${question}: yes`))
      },
      (port) =>
        use(port, (stream) =>
          pipe(
            stream.send(bytes('question')),
            Effect.andThen(stream.sendEof),
            Effect.andThen(Effect.flatMap((s: string) => Effect.succeed(s))(collectText(stream)))
          )
        )
    )
    expect(seen).to.equal('question: yes')
  })

  it('TLS-15 half-close in TLS 1.2 is impossible, and says so; the stream goes on', async () => {
    const seen = await nodeServer(
      { maxVersion: 'TLSv1.2' },
      (socket) => socket.pipe(socket),
      (port) =>
        use(port, (stream) =>
          Effect.gen(function* () {
            const version = Provider.extra(Tls.protocolVersion)(stream)
            const end = yield* ending(stream.sendEof)
            yield* stream.send(bytes('still here'))
            return [version, end, text(yield* stream.receive)]
          })
        )
    )
    expect(seen).to.deep.equal(['TLSv1.2', 'TlsFailed halfClose', 'still here'])
  })

  it('TLS-13 in TLS 1.2 a cut is told from the end as well', async () => {
    for (const [leave, expected] of [
      [(socket: tls.TLSSocket) => socket.end('last'), 'EndOfStream'],
      [(socket: tls.TLSSocket) => socket.write('last', () => socket.destroy()), 'BrokenResource']
    ] as const) {
      const seen = await nodeServer({ maxVersion: 'TLSv1.2' }, leave, (port) =>
        use(port, (stream) => Effect.flatMap(() => ending(stream.receive))(stream.receive))
      )
      expect(seen).to.equal(expected)
    }
  })

  it('versions with nothing in common are a failure of the protocol', async () => {
    const seen = await nodeServer(
      { maxVersion: 'TLSv1.2' },
      () => undefined,
      (port) => ending(use(port, () => Effect.unit, { minVersion: 'TLSv1.3' }))
    )
    expect(seen).to.equal('TlsFailed protocol')
  })

  it('it sends the name of the server (SNI), and no address', async () => {
    const names: Array<unknown> = []
    for (const serverName of ['localhost', '127.0.0.1']) {
      await nodeServer(
        {},
        (socket) => {
          names.push((socket as unknown as { servername: unknown }).servername)
          socket.end()
        },
        (port) => use(port, (stream) => ending(stream.receive), { serverName })
      )
    }
    expect(names).to.deep.equal(['localhost', false])
  })

  const client = async (port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> => {
    const socket = tls.connect({ host, port, ca: authority.ca, ...options })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    return socket
  }

  it('a client that sends one byte at a time', async () => {
    const echoed = await served(
      (stream) => Stream.pipeTo(stream)(stream),
      (port) =>
        wait(async () => {
          const socket = await client(port)
          let all = ''
          socket.on('data', (chunk) => (all += String(chunk)))
          for (const char of 'one byte at a time') socket.write(char)
          await eventually(() => all.length === 18)
          socket.end()
          await once(socket, 'close')
          return all
        })
    )
    expect(echoed).to.equal('one byte at a time')
  })

  it('NET-04 a client that reads slowly holds the server back, and gets every byte', async () => {
    const size = 20_000_000
    let accepted = 0
    const got = await served(
      (stream) =>
        Effect.gen(function* () {
          const chunk = Buffer.alloc(100_000)
          for (let i = 0; i < size; i += chunk.length) {
            yield* stream.send(chunk)
            accepted += chunk.length
          }
          yield* stream.sendEof
          yield* Effect.exit(stream.receive)
        }),
      (port) =>
        wait(async () => {
          const socket = await client(port)
          socket.pause()
          // It goes on until all buffers between are full.
          let last = -1
          while (accepted !== last) {
            last = accepted
            for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
          }
          expect(accepted).to.be.lessThan(size)
          let received = 0
          socket.on('data', (chunk: Buffer) => (received += chunk.length))
          socket.resume()
          await once(socket, 'end')
          socket.destroy()
          return received
        })
    )
    expect(got).to.equal(size)
  })

  it('a client that resets the connection breaks it, for receiving and for sending', async () => {
    const ends = deferred<ReadonlyArray<string>>()
    await served(
      (stream) =>
        Effect.gen(function* () {
          yield* stream.receive
          yield* stream.send(bytes('x'))
          const received = yield* ending(stream.receive)
          const sent = yield* ending(Effect.forever(stream.send(Buffer.alloc(100_000))))
          ends.resolve([received, sent])
        }),
      (port) =>
        wait(async () => {
          const raw = netConnect(port, host)
          const socket = tls.connect({ socket: raw, ca: authority.ca, servername: 'localhost' })
          socket.on('error', () => undefined)
          raw.on('error', () => undefined)
          await once(socket, 'secureConnect')
          socket.write('x')
          await once(socket, 'data')
          raw.resetAndDestroy()
          await ends.promise
        })
    )
    expect(await ends.promise).to.deep.equal(['BrokenResource', 'BrokenResource'])
  })

  it('a reset while nobody receives is found by the next receive, and is no end', async () => {
    for (const standardCompatible of [true, false]) {
      const seen = await nodeServer(
        {},
        (socket) => {
          const raw = (socket as unknown as { readonly _parent: Socket })._parent
          socket.write('half', () => socket.once('data', () => raw.resetAndDestroy()))
        },
        (port) =>
          use(
            port,
            (stream) =>
              Effect.gen(function* () {
                const raw = Provider.extra(SocketAttribute.raw)(stream) as Socket
                const half = text(yield* stream.receive)
                const gone = once(raw, 'close').catch(() => undefined)
                yield* stream.send(bytes('got it'))
                yield* wait(() => gone)
                return [half, yield* ending(stream.receive), yield* ending(stream.receive)].join()
              }),
            { standardCompatible }
          )
      )
      expect(seen).to.equal('half,BrokenResource,BrokenResource')
    }
  })

  it('TLS-19 a client certificate is in the attributes', async () => {
    const subject = deferred<string | undefined>()
    const ann = authority.issue({ commonName: 'ann' })
    await served(
      (stream) => Effect.sync(() => subject.resolve(Provider.extra(Tls.peerCertificate)(stream)?.subject)),
      (port) =>
        wait(async () => {
          const socket = await client(port, ann)
          await subject.promise
          socket.destroy()
        }),
      { requestCert: true, ca: authority.ca }
    )
    expect(await subject.promise).to.equal('CN=ann')
  })
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe('Tls with OpenSSL at the other end', () => {
  if (!hasOpenssl) {
    it('is not tried, because there is no openssl on this machine', () => {
      expect(spawnSync('openssl', ['version']).error).to.have.property('code', 'ENOENT')
    })
    return
  }

  let directory = ''
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
    writeFileSync(join(directory, 'ca.pem'), authority.ca)
    writeFileSync(join(directory, 'cert.pem'), identity.cert)
    writeFileSync(join(directory, 'key.pem'), identity.key)
  })
  after(() => {
    rmSync(directory, { recursive: true })
  })

  const openssl = (args: ReadonlyArray<string>): { child: ChildProcess; output: () => string } => {
    const child = spawn('openssl', args, { cwd: directory })
    let all = ''
    child.stdout.on('data', (chunk) => (all += String(chunk)))
    child.stderr.on('data', (chunk) => (all += String(chunk)))
    return { child, output: () => all }
  }

  for (const version of ['-tls1_3', '-tls1_2']) {
    it(`TLS-01 s_client ${version} trusts our server, and is answered`, async () => {
      const ends = deferred<string>()
      const output = await served(
        (stream) =>
          Effect.gen(function* () {
            const line = text(yield* stream.receive)
            yield* stream.send(bytes(`you said ${line}`))
            ends.resolve(yield* ending(stream.receive))
          }),
        (port) =>
          wait(async () => {
            const { child, output } = openssl([
              's_client',
              '-connect',
              `${host}:${port}`,
              '-CAfile',
              'ca.pem',
              '-verify_return_error',
              '-verify_hostname',
              'localhost',
              '-servername',
              'localhost',
              '-quiet',
              '-no_ign_eof',
              version
            ])
            child.stdin?.write('hello\n')
            await eventually(() => output().includes('you said hello') || child.exitCode !== null)
            child.stdin?.end()
            await once(child, 'close')
            return output()
          })
      )
      expect(output).to.include('you said hello')
      expect(await ends.promise).to.equal('EndOfStream')
    }).timeout(15_000)

    it(`TLS-01 s_server ${version} is trusted, and answers`, async () => {
      // It takes a port of its own choice and prints it.
      const { child, output } = openssl([
        's_server',
        '-accept',
        `${host}:0`,
        '-cert',
        'cert.pem',
        '-key',
        'key.pem',
        '-rev',
        version
      ])
      try {
        await eventually(() => /ACCEPT \S+:(\d+)/.test(output()) || child.exitCode !== null)
        const port = Number(/ACCEPT \S+:(\d+)/.exec(output())?.[1])
        const program = pipe(
          Tls.connect({ ...calling(port), serverName: 'localhost' }),
          Resource.use((stream) =>
            Effect.gen(function* () {
              const seen = Provider.extra(Tls.protocolVersion)(stream)
              yield* stream.send(bytes('hello\n'))
              return [seen, text(yield* stream.receive)]
            })
          )
        )
        expect(await Runtime.runPromise(program)).to.deep.equal([
          version === '-tls1_3' ? 'TLSv1.3' : 'TLSv1.2',
          'olleh\n'
        ])
      } finally {
        child.kill()
        if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
      }
    }).timeout(15_000)
  }
})
