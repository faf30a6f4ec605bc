// The published suites on real sockets.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type { Connectable } from 'millrace'
import { Effect, type HappyEyeballs, Listener, Resource, Runtime, Stapled, Stream, TaskGroup } from 'millrace'
import { NodeStream, Tcp } from 'millrace/node'
import { byteStreamChecks } from 'millrace/laws/ByteStreamSuite'
import { type Check, runCheck } from 'millrace/laws/Check'
import { connectableChecks, listenerChecks, type Place } from 'millrace/laws/ListenerSuite'
import { awaiting, nothingLeft, orDie, ours, portOf } from '../../support/sockets.js'

const suite = (name: string, checks: ReadonlyArray<Check>): void => {
  describe(name, () => {
    afterEach(nothingLeft)
    for (const check of checks) {
      it(check.name, async () => {
        expect(await runCheck(check, (fx) => Runtime.runExit(fx), { runs: 5 })).to.equal(null)
      }).timeout(20_000)
    }
  })
}

suite('ST-01 the suite for byte streams: TCP', byteStreamChecks({ pair: ours, most: 1 << 18 }))

/** Two sockets of `node:net`, connected. */
const sockets = awaiting(async (): Promise<readonly [Socket, Socket]> => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const arriving = once(server, 'connection') as Promise<[Socket]>
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true
  })
  client.pause()
  await once(client, 'connect')
  const [accepted] = await arriving
  server.close()
  return [client, accepted]
})

suite(
  'ST-01 the suite for byte streams: NodeStream.fromDuplex',
  byteStreamChecks({
    pair: Resource.flatMap(([a, b]: readonly [Socket, Socket]) =>
      pipe(
        NodeStream.fromDuplex(() => a),
        Resource.par(NodeStream.fromDuplex(() => b))
      )
    )(Resource.fromEffect(sockets)),
    most: 1 << 17
  })
)

const listening = (
  options: Partial<Tcp.ListenOptions>,
  host: string
): Resource.Resource<unknown, never, Place> =>
  Resource.map((listener: Tcp.TcpListener) => ({
    listener,
    connect: Tcp.connect({ host, port: portOf(listener) })
  }))(orDie(Tcp.listen({ host: '127.0.0.1', port: 0, ...options })))

const both = (): Effect.Effect<unknown, never, ReadonlyArray<HappyEyeballs.Address>> =>
  Effect.succeed([
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 }
  ])

suite('the suite for listeners: TCP', listenerChecks({ open: listening({}, '127.0.0.1') }))
suite(
  'NET-28 the suite for listeners: TCP at two addresses',
  listenerChecks({ open: listening({ host: 'localhost', lookup: both }, '::1') })
)
suite(
  'NET-36 the suite for listeners: two of TCP as one',
  listenerChecks({
    open: Resource.map(([one, two]: readonly [Place, Place]): Place => ({
      listener: Stapled.listeners(one.listener, two.listener),
      connect: two.connect
    }))(pipe(listening({}, '127.0.0.1'), Resource.par(listening({}, '127.0.0.1'))))
  })
)

const echo = Resource.fromUse<unknown, never, Connectable.Connectable<Tcp.TcpStream>>(
  (use) =>
    pipe(
      Tcp.listen({ host: '127.0.0.1', port: 0 }),
      Resource.use((listener) =>
        TaskGroup.open<unknown>()((group) =>
          Effect.gen(function* () {
            const handler = (stream: Tcp.TcpStream) => Stream.pipeTo(stream)(stream)
            yield* group.spawn(Listener.serve(handler)(listener), { service: true })
            return yield* use(Tcp.connect({ host: '127.0.0.1', port: portOf(listener) }))
          })
        )
      )
    ) as never
)

suite('NET-49 NET-51 the suite for connectables: TCP', connectableChecks({ echo }))
