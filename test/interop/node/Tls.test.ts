/** TLS over streams in memory. Over TCP, and with other implementations at the other end: TlsPeers.test.ts. */
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  ByteStream,
  Cause,
  Concurrent,
  Effect,
  Event,
  Exit,
  Layer,
  type ObjectStream,
  Provider,
  Resource,
  type ResourceError,
  Runtime,
  SocketAttribute,
  Stream,
  TaskGroup,
  Timeout
} from 'millrace'
import { Tls } from 'millrace/node'
import { TestRuntime } from 'millrace/testing'
import { makeAuthority } from '../../../examples/support/certificates.js'
import { complaintsOf, turns } from '../../support/host.js'
import { type Fx, shown } from '../../support/kernel.js'
import { makeWires, oneByOne, type Wire, type WireOptions, type Wires } from '../../support/wires.js'

type Bytes = ByteStream.Bytes
type TlsError = Tls.TlsFailed | ResourceError.ResourceError
type Secure = ObjectStream.DuplexStream<
  Bytes,
  Bytes,
  TlsError,
  Pick<SocketAttribute.SocketRow, 'socket/remoteAddress'> & Tls.TlsRow
>

const authority = makeAuthority()
const stranger = makeAuthority('somebody else')
const identity = authority.issue({ names: ['localhost', '127.0.0.1', '::1'] })
const day = 24 * 60 * 60 * 1000

const serving: Tls.TlsOptions = { side: 'server', ...identity }
const calling: Tls.TlsOptions = { side: 'client', serverName: 'localhost', ca: authority.ca }

const bytes = (text: string): Bytes => Buffer.from(text)
const text = (chunk: Bytes): string => Buffer.from(chunk).toString()

const secure = (options: Tls.TlsOptions, wire: Wire): Resource.Resource<unknown, TlsError, Secure> =>
  pipe(wire, Layer.through(Tls.layer(options)))

/** Both sides on two wires; each ends with what its use ended with. */
const between = <A, B>(
  wires: Wires,
  client: (stream: Secure) => Fx<A, unknown>,
  server: (stream: Secure) => Fx<B, unknown>,
  { on = calling, at = serving }: { readonly on?: Tls.TlsOptions; readonly at?: Tls.TlsOptions } = {}
): Fx<readonly [Exit.Exit<unknown, A>, Exit.Exit<unknown, B>]> =>
  pipe(
    Effect.exit(Resource.use(client)(secure(on, wires.client.wire))),
    Concurrent.both(Effect.exit(Resource.use(server)(secure(at, wires.server.wire))))
  )

const run = <A, E>(fx: Effect.Effect<unknown, E, A>): Promise<A> => Runtime.runPromise(fx)

/** The exits of both sides in short. */
const both = (
  client: (stream: Secure, wires: Wires) => Fx<unknown, unknown>,
  server: (stream: Secure, wires: Wires) => Fx<unknown, unknown>,
  options: {
    readonly on?: Tls.TlsOptions
    readonly at?: Tls.TlsOptions
    readonly wires?: WireOptions
    readonly then?: (wires: Wires) => void
  } = {}
): Promise<readonly [string, string]> =>
  run(
    Effect.gen(function* () {
      const wires = yield* makeWires(options.wires)
      const [a, b] = yield* between(
        wires,
        (s) => client(s, wires),
        (s) => server(s, wires),
        options
      )
      // Whatever happened: nobody leaves a wire open, or closes it twice.
      expect([wires.client.closed, wires.server.closed]).to.deep.equal([1, 1])
      options.then?.(wires)
      return [brief(a), brief(b)] as const
    })
  )

/** `ok`, or the failures with their reasons. */
const brief = (exit: Exit.Exit<unknown, unknown>): string => {
  if (exit._tag === 'Right') return exit.right === undefined ? 'ok' : shown(exit)
  const failures = Cause.failures(exit.left) as ReadonlyArray<{
    readonly _tag: string
    readonly reason?: string
  }>
  if (failures.length === 0 || failures.some((f) => typeof f !== 'object')) return shown(exit)
  return failures.map(({ _tag, reason }) => (reason === undefined ? _tag : `${_tag} ${reason}`)).join(', ')
}

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(brief)(Effect.exit(fx))

const receiveAll = (stream: Secure): Fx<Bytes, unknown> =>
  Effect.map((chunks: ReadonlyArray<Bytes>) => Buffer.concat(chunks))(Stream.collect(stream))

const echo = (stream: Secure): Fx<void, unknown> => Stream.pipeTo(stream)(stream)

const receiveText = (stream: Secure): Fx<string, unknown> => Effect.map(text)(stream.receive)

const untilClosed = (wires: Wires): Fx<void> =>
  Effect.whilst(Effect.sync(() => wires.client.closed === 0))(
    Effect.async((resume) => {
      setImmediate(() => resume(Exit.succeed(undefined)))
    })
  )

describe('Tls', () => {
  describe('over any stream of bytes', () => {
    for (const [name, wires] of [
      ['as it comes', {}],
      ['one byte at a time', { split: oneByOne, capacity: 1 }],
      ['without room', { capacity: 0 }]
    ] as const) {
      it(`TLS-01 data goes both ways and is encrypted: ${name}`, async () => {
        const size = name === 'one byte at a time' ? 3_000 : 300_000
        const [up, down] = [randomBytes(size), randomBytes(size)]
        const exchange = (out: Bytes) => (stream: Secure) =>
          pipe(
            Effect.andThen(stream.sendEof)(stream.send(out)),
            Concurrent.both(receiveAll(stream)),
            Effect.map(([, all]) => all)
          )
        await run(
          Effect.gen(function* () {
            const ends = yield* makeWires(wires)
            const [a, b] = yield* between(ends, exchange(up), exchange(down))
            expect(a._tag === 'Right' && Buffer.compare(a.right, down)).to.equal(0)
            expect(b._tag === 'Right' && Buffer.compare(b.right, up)).to.equal(0)
            expect(ends.client.sent).to.be.greaterThan(size)
          })
        )
      })
    }

    it('TLS-01 what passes below is not what was sent', async () => {
      const seen: Array<Bytes> = []
      const secret = 'a secret that nobody below should see'
      const split = (chunk: Bytes) => {
        seen.push(chunk)
        return [chunk]
      }
      await both(
        (s) => s.send(bytes(secret)),
        (s) => Effect.asUnit(s.receive),
        { wires: { split } }
      )
      expect(Buffer.concat(seen).includes(secret)).to.equal(false)
      // A record of the handshake, of version 3.
      expect([...(seen[0] as Bytes).subarray(0, 2)]).to.deep.equal([22, 3])
    })

    it('TLS-06 attributes of the connection, and those of the stream below unchanged', async () => {
      const facts = (stream: Secure) => {
        const get = Provider.extra
        const certificate = get(Tls.peerCertificate)(stream)
        return {
          below: get(SocketAttribute.remoteAddress)(stream),
          version: get(Tls.protocolVersion)(stream),
          cipher: get(Tls.cipher)(stream),
          alpn: get(Tls.alpnProtocol)(stream),
          server: get(Tls.serverSide)(stream),
          standard: get(Tls.standardCompatible)(stream),
          subject: certificate?.subject,
          issuer: certificate?.issuer,
          bytes: certificate?.raw[0],
          valid:
            certificate !== null &&
            certificate.validFrom.getTime() < Date.now() &&
            certificate.validTo.getTime() > Date.now()
        }
      }
      const common = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', alpn: null, standard: true }
      await both(
        (s) =>
          Effect.sync(() => {
            expect(facts(s)).to.deep.equal({
              ...common,
              below: 'the server',
              server: false,
              subject: 'CN=localhost',
              issuer: 'CN=Millrace examples',
              bytes: 0x30,
              valid: true
            })
          }),
        (s) =>
          pipe(
            Effect.exit(s.receive),
            Effect.map(() => {
              // Also when the connection is over.
              expect(facts(s)).to.deep.equal({
                ...common,
                below: 'the client',
                server: true,
                subject: undefined,
                issuer: undefined,
                bytes: undefined,
                valid: false
              })
            })
          )
      ).then((ends) => {
        expect(ends).to.deep.equal(['ok', 'ok'])
      })
    })

    it('TLS-08 ALPN: both sides report what they have in common', async () => {
      const alpn = (stream: Secure) => Effect.succeed(Provider.extra(Tls.alpnProtocol)(stream))
      const ends = await both(alpn, alpn, {
        on: { ...calling, alpn: ['board/2', 'board/1'] },
        at: { ...serving, alpn: ['board/1'] }
      })
      expect(ends).to.deep.equal(['ok board/1', 'ok board/1'])
    })

    it('TLS-08 ALPN: nothing in common is a failed handshake on both sides', async () => {
      const ends = await both(
        () => Effect.unit,
        () => Effect.unit,
        { on: { ...calling, alpn: ['a'] }, at: { ...serving, alpn: ['b'] } }
      )
      expect(ends).to.deep.equal(['TlsFailed protocol', 'TlsFailed protocol'])
    })

    it('TLS-20 a layer on a connectable and on a listener gives streams that are encrypted', async () => {
      const program = Effect.gen(function* () {
        const wires = yield* makeWires()
        const client = pipe(Resource.of(wires.client.wire), Layer.through(Tls.layer(calling)))
        const server = pipe(Resource.of(wires.server.wire), Layer.through(Tls.layer(serving)))
        return yield* pipe(
          client,
          Resource.use((s) => Effect.flatMap(() => s.receive)(s.send(bytes('hello')))),
          Concurrent.both(
            pipe(
              server,
              Resource.use((s) => Effect.flatMap((b: Bytes) => s.send(b))(s.receive))
            )
          )
        )
      })
      expect(text((await run(program))[0])).to.equal('hello')
    })

    it('TLS in TLS', async () => {
      const program = Effect.gen(function* () {
        const wires = yield* makeWires()
        const twice = (options: Tls.TlsOptions) => pipe(Tls.layer(options), Layer.compose(Tls.layer(options)))
        const client = pipe(
          wires.client.wire,
          Layer.through(twice(calling)),
          Resource.use((s) =>
            Effect.gen(function* () {
              yield* s.send(bytes('hello'))
              yield* s.sendEof
              return yield* Stream.collect(s)
            })
          )
        )
        const server = pipe(
          wires.server.wire,
          Layer.through(twice(serving)),
          Resource.use((s) => Stream.pipeTo(s)(s))
        )
        const [chunks] = yield* pipe(client, Concurrent.both(server))
        expect([wires.client.closed, wires.server.closed]).to.deep.equal([1, 1])
        return Buffer.concat(chunks).toString()
      })
      expect(await run(program)).to.equal('hello')
    })
  })

  describe('trust', () => {
    const refuses = (name: string, reason: string, on: Tls.TlsOptions, at: Tls.TlsOptions) =>
      it(`TLS-04 ${name}`, async () => {
        const [client, server] = await both(
          () => Effect.die('the handshake was over'),
          (s) => Effect.asUnit(s.receive),
          { on, at }
        )
        expect(client).to.equal(`TlsFailed ${reason}`)
        // In TLS 1.3 the server is done before the client has looked.
        expect(server).to.be.oneOf(['BrokenResource', 'TlsFailed certificate', 'TlsFailed protocol'])
      })
    const at = (certified: { readonly cert: string; readonly key: string }): Tls.TlsOptions => ({
      side: 'server',
      ...certified
    })

    refuses(
      'a certificate of an authority that nobody trusts',
      'certificate',
      calling,
      at(stranger.issue({ names: ['localhost'] }))
    )
    refuses(
      'the authorities of the world do not know ours',
      'certificate',
      { side: 'client', serverName: 'localhost' },
      serving
    )
    refuses(
      'a certificate that has expired',
      'certificate',
      calling,
      at(
        authority.issue({
          names: ['localhost'],
          notBefore: new Date(Date.now() - 2 * day),
          notAfter: new Date(Date.now() - day)
        })
      )
    )
    refuses(
      'a certificate that is not valid yet',
      'certificate',
      calling,
      at(
        authority.issue({
          names: ['localhost'],
          notBefore: new Date(Date.now() + day),
          notAfter: new Date(Date.now() + 2 * day)
        })
      )
    )
    refuses(
      'a certificate for another name',
      'hostName',
      calling,
      at(authority.issue({ names: ['elsewhere.test'] }))
    )
    refuses(
      'a certificate without names, of somebody else',
      'hostName',
      calling,
      at(authority.issue({ commonName: 'elsewhere.test' }))
    )
    refuses('a certificate for another address', 'hostName', { ...calling, serverName: '127.0.0.2' }, serving)

    for (const serverName of ['127.0.0.1', '::1', 'localhost']) {
      it(`TLS-01 a certificate for ${serverName}`, async () => {
        const complaints = await complaintsOf(async () => {
          const ends = await both(
            (s) => s.send(bytes('x')),
            (s) => Effect.asUnit(s.receive),
            { on: { ...calling, serverName } }
          )
          expect(ends).to.deep.equal(['ok', 'ok'])
        })
        expect(complaints).to.deep.equal([])
      })
    }

    it('verify: chain wants no name, and still an authority that is trusted', async () => {
      const on: Tls.TlsOptions = { side: 'client', verify: 'chain', ca: authority.ca }
      const use = (s: Secure) => Effect.asUnit(s.send(bytes('x')))
      const other = at(authority.issue({ names: ['elsewhere.test'] }))
      expect(await both(use, (s) => Effect.asUnit(s.receive), { on, at: other })).to.deep.equal(['ok', 'ok'])
      const [client] = await both(use, (s) => Effect.exit(s.receive), { on, at: at(stranger.issue({})) })
      expect(client).to.equal('TlsFailed certificate')
    })

    it('verify: none takes any certificate', async () => {
      const on: Tls.TlsOptions = { side: 'client', verify: 'none' }
      const ends = await both(
        (s) => s.send(bytes('x')),
        (s) => Effect.asUnit(s.receive),
        { on, at: at(stranger.issue({})) }
      )
      expect(ends).to.deep.equal(['ok', 'ok'])
    })

    it('the environment of the process does not switch verification off', async () => {
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      try {
        const [client] = await both(
          () => Effect.unit,
          (s) => Effect.exit(s.receive),
          { at: at(stranger.issue({ names: ['localhost'] })) }
        )
        expect(client).to.equal('TlsFailed certificate')
      } finally {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
      }
    })

    it('TLS-19 a server that wants a certificate sees that of the client', async () => {
      const ends = await both(
        (s) => s.send(bytes('x')),
        (s) => Effect.as(Provider.extra(Tls.peerCertificate)(s)?.subject)(s.receive),
        {
          on: { ...calling, ...authority.issue({ commonName: 'ann' }) },
          at: { ...serving, requestCert: true, ca: authority.ca }
        }
      )
      expect(ends).to.deep.equal(['ok', 'ok CN=ann'])
    })

    for (const [name, shows] of [
      ['none', {}],
      ['one of a stranger', stranger.issue({ commonName: 'eve' })]
    ] as const) {
      it(`TLS-19 a server that wants a certificate refuses a client that shows ${name}`, async () => {
        const [client, server] = await both(
          (s) => s.receive,
          () => Effect.die('the handshake was over'),
          { on: { ...calling, ...shows }, at: { ...serving, requestCert: true, ca: authority.ca } }
        )
        expect(server).to.equal('TlsFailed certificate')
        // In TLS 1.3 the client is done before the server has looked.
        expect(client).to.be.oneOf(['TlsFailed certificate', 'BrokenResource'])
      })
    }
  })

  describe('the end', () => {
    it('TLS-13 the closing handshake is the end of the stream, for ever, and the stream can still be closed', async () => {
      const ends = await both(
        (s) => s.send(bytes('last')),
        (s) =>
          Effect.gen(function* () {
            const seen = [yield* receiveText(s), yield* ending(s.receive), yield* ending(s.receive)]
            yield* s.close
            yield* s.close
            return seen.join()
          })
      )
      expect(ends).to.deep.equal(['ok', 'ok last,EndOfStream,EndOfStream'])
    })

    it('TLS-13 a stream that is cut is broken, after what was there', async () => {
      const ends = await both(
        (s, wires) => Effect.flatMap(() => wires.cut)(s.send(bytes('last'))),
        (s) =>
          Effect.gen(function* () {
            return [yield* receiveText(s), yield* ending(s.receive), yield* ending(s.receive)].join()
          })
      )
      expect(ends).to.deep.equal(['ok', 'ok last,BrokenResource,BrokenResource'])
    })

    it('a closing alert that is followed at once by the end of the connection is no cut', async () => {
      for (let i = 0; i < 20; i++) {
        const ends = await both(
          (s, wires) => pipe(s.send(bytes('last')), Effect.andThen(s.close), Effect.andThen(wires.cut)),
          (s) =>
            Effect.gen(function* () {
              // It comes while nobody receives.
              for (let turn = 0; turn < i; turn++) yield* Effect.yieldNow
              return [yield* receiveText(s), yield* ending(s.receive)].join()
            })
        )
        expect(ends).to.deep.equal(['ok', 'ok last,EndOfStream'])
      }
    })

    for (const closes of [true, false]) {
      for (const requires of [true, false]) {
        const broken = !closes && requires
        it(`TLS-12 a peer that ${closes ? 'says' : 'skips'} goodbye, to one that ${
          requires ? 'requires it: ' : 'does not care: '
        }${broken ? 'broken' : 'the end'}`, async () => {
          const ends = await both(
            (s) => s.send(bytes('x')),
            (s) => Effect.flatMap(() => ending(s.receive))(s.receive),
            {
              on: { ...calling, standardCompatible: closes },
              at: { ...serving, standardCompatible: requires }
            }
          )
          expect(ends).to.deep.equal(['ok', broken ? 'ok BrokenResource' : 'ok EndOfStream'])
        })
      }
    }

    it('TLS-15 half-close: no more is sent, and receiving goes on', async () => {
      const ends = await both(
        (s) =>
          Effect.gen(function* () {
            yield* s.send(bytes('question'))
            yield* s.sendEof
            yield* s.sendEof
            const after = yield* ending(s.send(bytes('more')))
            return [after, text(yield* receiveAll(s))].join()
          }),
        (s) =>
          Effect.gen(function* () {
            const question = text(yield* receiveAll(s))
            for (let i = 0; i < 3; i++) {
              yield* Effect.yieldNow
              yield* s.send(bytes(`${question} ${i} `))
            }
          })
      )
      expect(ends).to.deep.equal(['ok ClosedResource,question 0 question 1 question 2 ', 'ok'])
    })

    it('TLS-15 after a half-close, what came before the end is received however late', async () => {
      const sent = randomBytes(50_000)
      const ends = await both(
        (s) =>
          Effect.gen(function* () {
            yield* s.sendEof
            const received: Array<Bytes> = []
            for (;;) {
              const next = yield* Effect.either(s.receive)
              if (next._tag === 'Left')
                return [Buffer.concat(received).equals(sent), shown(Exit.fail(next.left))].join()
              received.push(next.right)
              // What is left arrives meanwhile, and the end too.
              yield* Effect.fromTask(turns)
            }
          }),
        (s) =>
          Effect.gen(function* () {
            yield* receiveAll(s)
            yield* s.send(sent)
            yield* s.sendEof
          })
      )
      expect(ends).to.deep.equal(['ok true,Fail EndOfStream', 'ok'])
    })

    it('TLS-15 a sendEof after one that was cancelled waits for the end that is on its way', async () => {
      const program = Effect.gen(function* () {
        const wires = yield* makeWires()
        const gate = yield* Event.make()
        const gated: Wire = {
          ...wires.client.wire,
          sendEof: Effect.andThen(wires.client.wire.sendEof)(gate.wait)
        }
        return yield* between(
          { ...wires, client: { ...wires.client, wire: gated } },
          (s) =>
            TaskGroup.open<unknown>()((group) =>
              Effect.gen(function* () {
                const seen: Array<string> = []
                for (let i = 0; i < 2; i++) {
                  const cancelled = yield* group.spawn(s.sendEof)
                  yield* Effect.repeatN(3)(Effect.yieldNow)
                  seen.push((yield* cancelled.poll)._tag)
                  yield* cancelled.cancel()
                  yield* cancelled.wait
                }
                const last = yield* group.spawn(s.sendEof)
                yield* Effect.repeatN(3)(Effect.yieldNow)
                seen.push((yield* last.poll)._tag)
                yield* gate.set
                yield* last.join
                yield* s.sendEof
                return seen.join()
              })
            ),
          (s) => Effect.asUnit(receiveAll(s))
        )
      })
      expect((await run(program)).map(brief)).to.deep.equal(['ok None,None,None', 'ok'])
    })

    it('a sendEof after one that was cancelled fails with what kept the end from leaving', async () => {
      const program = Effect.gen(function* () {
        const wires = yield* makeWires()
        const broken: ResourceError.BrokenResource = { _tag: 'BrokenResource', resource: 'cable' }
        const gate = yield* Event.make()
        let isStalled = false
        const stalled: Wire = {
          ...wires.client.wire,
          send: (chunk) =>
            Effect.suspend(() =>
              isStalled ? Effect.andThen(Effect.fail(broken))(gate.wait) : wires.client.wire.send(chunk)
            )
        }
        return yield* between(
          { ...wires, client: { ...wires.client, wire: stalled } },
          (s) =>
            TaskGroup.open<unknown>()((group) =>
              Effect.gen(function* () {
                isStalled = true
                const cancelled = yield* group.spawn(s.sendEof)
                yield* Effect.yieldNow
                yield* cancelled.cancel()
                yield* cancelled.wait
                const waiting = yield* group.spawn(ending(s.sendEof))
                yield* Effect.yieldNow
                yield* gate.set
                return [yield* waiting.join, yield* ending(s.sendEof)].join()
              })
            ),
          (s) => Effect.exit(receiveAll(s))
        )
      })
      const [client] = await run(program)
      expect(brief(client)).to.equal('ok BrokenResource,BrokenResource')
    })

    it('what breaks below is passed on as it is, after what was decrypted', async () => {
      const program = Effect.gen(function* () {
        const wires = yield* makeWires()
        const mine = { _tag: 'BrokenResource', resource: 'cable', cause: 'pulled out' } as const
        let broken = false
        const cable: Wire = {
          ...wires.client.wire,
          receive: Effect.suspend(() => (broken ? Effect.fail(mine) : wires.client.wire.receive)),
          send: (chunk) => (broken ? Effect.fail(mine) : wires.client.wire.send(chunk))
        }
        return yield* between(
          { ...wires, client: { ...wires.client, wire: cable } },
          (s) =>
            Effect.gen(function* () {
              const first = yield* receiveText(s)
              broken = true
              const sent = yield* Effect.either(s.send(bytes('x')))
              const again = yield* Effect.either(s.send(bytes('x')))
              // What was asked for before the cable broke still comes.
              const received = yield* Effect.either(s.receive)
              return {
                first,
                same:
                  sent._tag === 'Left' && again._tag === 'Left' && sent.left === mine && again.left === mine,
                received
              }
            }),
          (s) => Effect.flatMap(() => Effect.exit(s.receive))(s.send(bytes('hello')))
        )
      })
      const [client] = await run(program)
      expect(client).to.deep.include({ _tag: 'Right' })
      if (client._tag === 'Right') {
        expect(client.right.first).to.equal('hello')
        expect(client.right.same).to.equal(true)
      }
    })

    for (const hasEnded of [false, true]) {
      for (const standardCompatible of [true, false]) {
        it(`what breaks below while nobody receives is no end: ${hasEnded ? 'after a sendEof' : 'both directions open'}${
          standardCompatible ? '' : ', goodbye not asked for'
        }`, async () => {
          const program = Effect.gen(function* () {
            const wires = yield* makeWires()
            const reset: ResourceError.BrokenResource = { _tag: 'BrokenResource', resource: 'cable' }
            let heard = false
            const cable: Wire = {
              ...wires.client.wire,
              receive: Effect.orElse(() =>
                Effect.suspend(() => {
                  heard = true
                  return Effect.fail(reset)
                })
              )(wires.client.wire.receive)
            }
            return yield* between(
              { ...wires, client: { ...wires.client, wire: cable } },
              (s) =>
                Effect.gen(function* () {
                  if (hasEnded) yield* s.sendEof
                  const seen = [yield* receiveText(s)]
                  yield* Effect.whilst(Effect.sync(() => !heard))(Effect.fromTask(turns))
                  yield* Effect.fromTask(turns)
                  for (let i = 0; i < 2; i++) {
                    const received = yield* Effect.either(s.receive)
                    seen.push(received._tag === 'Left' && received.left === reset ? 'reset' : 'another end')
                  }
                  return seen.join()
                }),
              (s) => Effect.andThen(wires.cut)(s.send(bytes('half'))),
              { on: { ...calling, standardCompatible } }
            )
          })
          expect(shown((await run(program))[0])).to.equal('ok half,reset,reset')
        })
      }
    }

    it('garbage after the handshake is a failure of the protocol, after what came before it', async () => {
      const ends = await both(
        (s) =>
          Effect.gen(function* () {
            const first = yield* receiveText(s)
            return [first, yield* ending(s.receive), yield* ending(s.send(bytes('x')))].join()
          }),
        (s, wires) =>
          pipe(
            s.send(bytes('hello')),
            Effect.andThen(wires.toClient(bytes('GET / HTTP/1.1\r\n\r\n and more that is no TLS'))),
            Effect.andThen(Effect.exit(s.receive))
          )
      )
      expect(ends[0]).to.equal('ok hello,TlsFailed protocol,TlsFailed protocol')
    })
  })

  describe('a failure of TLS while bytes are leaving', () => {
    const failing = (leaving: (s: Secure) => Fx<unknown, unknown>) =>
      both(
        (s, wires) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const sent = yield* group.spawn(ending(leaving(s)))
              yield* Effect.yieldNow
              yield* wires.toClient(bytes('GET / HTTP/1.1\r\n\r\n and more that is no TLS'))
              const received = yield* ending(s.receive)
              return [received, yield* sent.join, yield* ending(s.sendEof)].join()
            })
          ),
        // Reads nothing.
        (_, wires) => untilClosed(wires),
        { wires: { capacity: 1 } }
      )

    const failed = `ok ${Array.from({ length: 3 }, () => 'TlsFailed protocol').join()}`

    it('the send fails with it, and a sendEof later', async () => {
      expect((await failing((s) => s.send(Buffer.alloc(10_000_000))))[0]).to.equal(failed)
    })

    it('sendEof fails with it, now and later', async () => {
      expect((await failing((s) => s.sendEof))[0]).to.equal(failed)
    })
  })

  describe('the handshake', () => {
    it('garbage in place of it is a failure of the protocol', async () => {
      for (const side of [calling, serving]) {
        const program = Effect.gen(function* () {
          const wires = yield* makeWires()
          yield* wires.toClient(bytes('HTTP/1.1 400 Bad Request\r\n\r\n'))
          const end = yield* ending(Resource.use(() => Effect.unit)(secure(side, wires.client.wire)))
          return [end, wires.client.closed]
        })
        expect(await run(program)).to.deep.equal(['TlsFailed protocol', 1])
      }
    })

    it('the end in place of it is a failure of the protocol', async () => {
      for (const side of [calling, serving]) {
        const program = Effect.gen(function* () {
          const wires = yield* makeWires()
          yield* wires.cut
          const end = yield* ending(Resource.use(() => Effect.unit)(secure(side, wires.client.wire)))
          return [end, wires.client.closed]
        })
        expect(await run(program)).to.deep.equal(['TlsFailed protocol', 1])
      }
    })

    for (const side of [calling, serving]) {
      it(`TLS-18 a peer that stalls is waited for 30 s, as a ${side.side}, in the time of the run`, () => {
        let closed = 0
        const program = Effect.gen(function* () {
          const wires = yield* makeWires()
          const begun = yield* Effect.currentTime
          const end = yield* ending(Resource.use(() => Effect.unit)(secure(side, wires.client.wire)))
          closed = wires.client.closed
          return [end, (yield* Effect.currentTime) - begun]
        })
        expect(shown(TestRuntime.runExit(program))).to.equal(
          shown(Exit.succeed(['TlsFailed timeout', 30_000]))
        )
        expect(closed).to.equal(1)
      })
    }

    it('TLS-18 handshakeTimeout bounds it', () => {
      const program = Effect.gen(function* () {
        const wires = yield* makeWires()
        const options = { ...calling, handshakeTimeout: 250 }
        const begun = yield* Effect.currentTime
        yield* ending(Resource.use(() => Effect.unit)(secure(options, wires.client.wire)))
        return (yield* Effect.currentTime) - begun
      })
      expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed(250))
    })

    it('cancelled after any number of turns, it closes both wires once and leaves nothing', async () => {
      const complaints = await complaintsOf(async () => {
        for (let steps = 0; steps < 40; steps++) {
          await run(
            Effect.gen(function* () {
              const wires = yield* makeWires()
              yield* TaskGroup.open()((group) =>
                Effect.gen(function* () {
                  const task = yield* group.spawn(
                    between(
                      wires,
                      (s) => Effect.flatMap(() => s.receive)(s.send(bytes('x'))),
                      (s) => echo(s)
                    )
                  )
                  for (let i = 0; i < steps; i++)
                    yield* Effect.async((resume) => {
                      const turn = setImmediate(() => resume(Exit.succeed(undefined)))
                      return () => clearImmediate(turn)
                    })
                  yield* task.cancel()
                })
              )
              const opened = steps === 0 ? 0 : 1
              expect(wires.client.closed).to.be.within(opened, 1)
              expect(wires.server.closed).to.be.within(opened, 1)
            })
          )
        }
        await turns()
      })
      expect(complaints).to.deep.equal([])
    })
  })

  describe('as a stream', () => {
    it('NET-11 a second receive or send at once is busy, and the first goes on', async () => {
      const ends = await both(
        (s) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const receiving = yield* group.spawn(receiveText(s))
              const big = Buffer.alloc(1_000_000)
              const sending = yield* group.spawn(s.send(big))
              yield* Effect.yieldNow
              const second = [yield* Effect.either(s.receive), yield* Effect.either(s.send(bytes('x')))]
              yield* sending.join
              return [
                ...second.map((e) => (e._tag === 'Left' ? (e.left as { action?: string }).action : 'ok')),
                yield* receiving.join
              ].join()
            })
          ),
        (s) =>
          Effect.gen(function* () {
            let size = 0
            while (size < 1_000_000) size += (yield* s.receive).length
            yield* s.send(bytes(String(size)))
          }),
        { wires: { capacity: 1 } }
      )
      expect(ends).to.deep.equal(['ok reading from,writing to,1000000', 'ok'])
    })

    it('NET-14 closing wakes who waits with ClosedResource, and so ends all later ones', async () => {
      const ends = await both(
        (s) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const receiving = yield* group.spawn(ending(s.receive))
              const sending = yield* group.spawn(ending(s.send(Buffer.alloc(10_000_000))))
              yield* Effect.yieldNow
              yield* s.close
              return [
                yield* receiving.join,
                yield* sending.join,
                yield* ending(s.receive),
                yield* ending(s.send(bytes('x'))),
                yield* ending(s.sendEof)
              ].join()
            })
          ),
        (s) => Effect.exit(receiveAll(s)),
        { wires: { capacity: 1 } }
      )
      expect(ends[0]).to.equal(`ok ${Array.from({ length: 5 }, () => 'ClosedResource').join()}`)
    })

    it('close never waits for a peer that does not read', async () => {
      const program = Effect.gen(function* () {
        const wires = yield* makeWires({ capacity: 1 })
        const [client] = yield* between(
          wires,
          (s) =>
            TaskGroup.open<unknown>()((group) =>
              Effect.gen(function* () {
                const sending = yield* group.spawn(ending(s.send(Buffer.alloc(10_000_000))))
                yield* Effect.yieldNow
                yield* s.close
                return yield* sending.join
              })
            ),
          // Reads nothing until the client has closed.
          (s) => Effect.exit(Effect.flatMap(() => receiveAll(s))(untilClosed(wires)))
        )
        return brief(client)
      })
      expect(await run(program)).to.equal('ok ClosedResource')
    })

    it('who does not receive holds the sender back, and memory is bounded', async () => {
      let most = 0
      const ends = await both(
        (s, wires) =>
          Effect.gen(function* () {
            const chunk = Buffer.alloc(64 * 1024)
            const sent = yield* Timeout.moveOnAfter(30)(
              Effect.forever(Effect.flatMap(() => Effect.checkpoint)(s.send(chunk)))
            )
            most = wires.client.sent
            return sent._tag
          }),
        (s, wires) => Effect.andThen(Effect.exit(receiveAll(s)))(untilClosed(wires)),
        { wires: { capacity: 1 } }
      )
      expect(ends[0]).to.equal('ok None')
      expect(most).to.be.lessThan(1_000_000)
    })

    it('TLS-16 receiveUpTo gives at most so many bytes; below 1 is a defect before anything is received', async () => {
      const ends = await both(
        (s) => s.send(bytes('abcdef')),
        (stream) =>
          Effect.gen(function* () {
            const s = ByteStream.fromStream<TlsError, {}>(stream)
            const bad = [0, -1, 1.5, NaN].map((n) => ending(s.receiveUpTo(n)))
            const seen = []
            for (const each of bad) seen.push(yield* each)
            seen.push(yield* ending(s.receiveMany(0)))
            seen.push(text(yield* s.receiveUpTo(2)), text(yield* s.receiveUpTo(3)), text(yield* s.receive))
            return seen.map((line) => line.replace(/^Die.*/, 'Die')).join()
          })
      )
      expect(ends).to.deep.equal(['ok', 'ok Die,Die,Die,Die,Die,ab,cde,f'])
    })

    it('NET-10 a receive that is cancelled loses nothing', async () => {
      const ends = await both(
        (s) =>
          Effect.gen(function* () {
            for (let i = 0; i < 30; i++) yield* s.send(bytes(`${i} `))
          }),
        (s) =>
          Effect.gen(function* () {
            let all = ''
            for (;;) {
              const item = yield* Timeout.moveOnAfter(0.01)(Effect.either(s.receive))
              if (item._tag === 'None') continue
              if (item.value._tag === 'Left') return all
              all += text(item.value.right)
            }
          })
      )
      expect(ends).to.deep.equal(['ok', `ok ${Array.from({ length: 30 }, (_, i) => `${i} `).join('')}`])
    })

    it('a send that is cancelled leaves the stream whole: later ones arrive after it', async () => {
      const ends = await both(
        (s) =>
          Effect.gen(function* () {
            yield* Timeout.moveOnAfter(1)(s.send(Buffer.alloc(2_000_000, 'a')))
            yield* s.send(bytes('the end'))
            yield* s.sendEof
            yield* ending(s.receive)
          }),
        (s) =>
          Effect.map((all: Bytes) => text(all).replace(/a+/, 'a'))(
            Effect.flatMap(() => receiveAll(s))(Effect.sleep(5))
          ),
        { wires: { capacity: 1 } }
      )
      expect(ends).to.deep.equal(['ok', 'ok athe end'])
    })

    it('who is cancelled can still have a last word in a finalizer', async () => {
      const ends = await both(
        (s) =>
          pipe(s.receive, Effect.onCancel(Effect.orDie(s.send(bytes('goodbye')))), Timeout.moveOnAfter(5)),
        (s) => Effect.map(text)(receiveAll(s))
      )
      expect(ends[1]).to.equal('ok goodbye')
    })

    it('a cancellation from outside closes with the closing alert', async () => {
      const program = Effect.gen(function* () {
        const wires = yield* makeWires()
        const client = pipe(
          secure(calling, wires.client.wire),
          Resource.use((s) => pipe(s.send(bytes('x')), Effect.andThen(Effect.never))),
          Timeout.moveOnAfter(20)
        )
        const server = Resource.use((s: Secure) => Effect.flatMap(() => ending(s.receive))(s.receive))(
          secure(serving, wires.server.wire)
        )
        return (yield* pipe(client, Concurrent.both(server)))[1]
      })
      expect(await run(program)).to.equal('EndOfStream')
    })

    it('an empty chunk is nothing', async () => {
      const ends = await both(
        (s) => Effect.flatMap(() => s.send(bytes('x')))(s.send(new Uint8Array(0))),
        (s) => receiveText(s)
      )
      expect(ends).to.deep.equal(['ok', 'ok x'])
    })
  })

  describe('options that cannot work are refused where they are written', () => {
    const refused: ReadonlyArray<readonly [string, unknown, RegExp]> = [
      ['no side', {}, /`side` is 'client' or 'server'/],
      ['a client without a name', { side: 'client' }, /serverName.*verify: "chain"/s],
      ['a server without a certificate', { side: 'server' }, /needs `cert` and `key`/],
      ['a server with serverName', { ...serving, serverName: 'x' }, /serverName/],
      ['a certificate without its key', { ...calling, cert: identity.cert }, /come together/],
      [
        'a certificate that is garbage',
        { ...serving, cert: 'garbage' },
        /`cert` is not a certificate as PEM text/
      ],
      ['the name of a file', { ...calling, ca: './ca.pem' }, /`ca` is not a certificate.*not its name/s],
      ['one of several authorities is garbage', { ...calling, ca: [authority.ca, 'x'] }, /`ca` is not/],
      ['a key that is garbage', { ...serving, key: 'garbage' }, /`key` is not a private key as PEM text/],
      ['the key of another', { ...serving, key: stranger.issue({}).key }, /do not work together/],
      ['a timeout of 0', { ...calling, handshakeTimeout: 0 }, /handshakeTimeout/],
      ['a timeout that is no number', { ...calling, handshakeTimeout: NaN }, /handshakeTimeout/],
      ['a way to verify that there is not', { ...calling, verify: 'no' }, /`verify` is/],
      ['an empty protocol', { ...calling, alpn: [''] }, /alpn/],
      ['a version that there is not', { ...calling, minVersion: 'SSLv2' }, /do not work together/]
    ]
    for (const [name, options, message] of refused) {
      it(`TLS-20 ${name}`, () => {
        expect(() => Tls.layer(options as Tls.TlsOptions)).to.throw(TypeError, message)
      })
    }
  })
})
