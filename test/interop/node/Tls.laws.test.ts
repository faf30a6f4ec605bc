// The published suites on TLS: over streams in memory, and over sockets.
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  ByteStream,
  type Connectable,
  Effect,
  Layer,
  Listener,
  Resource,
  Runtime,
  Stream,
  TaskGroup
} from 'millrace'
import { Tls } from 'millrace/node'
import { MemoryByteStream } from 'millrace/testing'
import { makeAuthority } from '../../../examples/support/certificates.js'
import { byteStreamChecks } from 'millrace/laws/ByteStreamSuite'
import { type Check, runCheck } from 'millrace/laws/Check'
import { connectableChecks, listenerChecks, type Place } from 'millrace/laws/ListenerSuite'
import { nothingLeft, portOf } from '../../support/sockets.js'

const suite = (name: string, checks: ReadonlyArray<Check>): void => {
  describe(name, () => {
    afterEach(nothingLeft)
    for (const check of checks) {
      it(check.name, async () => {
        expect(await runCheck(check, (fx) => Runtime.runExit(fx), { runs: 3 })).to.equal(null)
      }).timeout(20_000)
    }
  })
}

const authority = makeAuthority()
const host = '127.0.0.1'
const identity = authority.issue({ names: [host] })
const serverLayer = Tls.layer({ side: 'server', ...identity })
const clientLayer = Tls.layer({ side: 'client', serverName: host, ca: authority.ca })

const inMemory = (options: MemoryByteStream.PairOptions) =>
  pipe(
    Resource.fromEffect(MemoryByteStream.pair(options)),
    Resource.flatMap(([here, there]) =>
      pipe(here, Layer.through(clientLayer), Resource.par(pipe(there, Layer.through(serverLayer))))
    ),
    Resource.map(
      ([client, server]) => [ByteStream.fromStream(client), ByteStream.fromStream(server)] as const
    )
  )

// `fromStream` lets a second receiver wait where TLS itself says that it is busy, see NET-11.
const withoutBusy = ({ name }: Check): boolean => !name.startsWith('W5')
suite(
  'ST-01 the suite for byte streams: TLS in memory',
  byteStreamChecks({ pair: inMemory({}), most: 1 << 17 }).filter(withoutBusy)
)

const listening = Tls.listen({ host, port: 0, ...identity })
const to = (listener: Parameters<typeof portOf>[0]) =>
  Tls.connect({ host, port: portOf(listener), ca: authority.ca })

suite(
  'ST-01 the suite for byte streams: TLS over TCP',
  byteStreamChecks({
    pair: pipe(
      listening,
      Resource.flatMap((listener) => pipe(to(listener), Resource.par(listener.accept)))
    ),
    most: 1 << 18
  })
)

suite(
  'the suite for listeners: TLS',
  listenerChecks({
    open: pipe(
      listening,
      Resource.map((listener): Place => ({ listener, connect: to(listener) }))
    )
  })
)

const echo = Resource.fromUse<unknown, never, Connectable.Connectable<Tls.TlsStream, unknown>>(
  (use) =>
    pipe(
      listening,
      Resource.use((listener) =>
        TaskGroup.open<unknown>()((group) =>
          Effect.gen(function* () {
            const handler = (stream: Tls.TlsStream) => Stream.pipeTo(stream)(stream)
            yield* group.spawn(Listener.serve(handler)(listener), { service: true })
            return yield* use(to(listener))
          })
        )
      )
    ) as never
)

suite('TLS-20 the suite for connectables: TLS', connectableChecks({ echo }))
