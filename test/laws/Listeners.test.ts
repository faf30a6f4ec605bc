// The suites for listeners and connectables: ours pass them, and they find what is broken.
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  type ByteStream,
  Connectable,
  Effect,
  Listener,
  MemoryStream,
  Resource,
  Stapled,
  Stream,
  TaskGroup
} from 'millrace'
import { MemoryByteStream } from 'millrace/testing'
import { flatten } from 'millrace/laws/LawSet'
import { connectable, listener, type Place } from 'millrace/laws/ListenerSuite'
import { checkAll } from 'millrace/laws'
import { params } from './profile.js'

type Fx<A, E = never> = Effect.Effect<unknown, E, A>
type Socket = ByteStream.ByteStream

/** A host in memory: connections are pairs, and wait in a backlog. */
const host: Fx<{
  readonly listener: Listener.Listener<Socket>
  readonly connect: Resource.Resource<unknown, unknown, Socket>
}> = Effect.map(
  ([arrive, arrivals]: readonly [
    MemoryStream.MemorySendStream<Socket>,
    MemoryStream.MemoryReceiveStream<Socket>
  ]) => ({
    listener: Listener.make<Socket>({
      accept: Effect.mapError(() => ({ _tag: 'ClosedResource', resource: 'host' }) as const)(
        arrivals.receive
      ),
      closeStream: (stream) => stream.close,
      close: arrivals.close
    }),
    connect: Resource.closing(
      Effect.gen(function* () {
        const [here, there] = yield* MemoryByteStream.pair()
        yield* arrive.send(there)
        return here
      })
    )
  })
)(MemoryStream.make<Socket>(100))

const open = Resource.make(host, ({ listener }) => listener.close)

const stapled: Resource.Resource<unknown, never, Place> = Resource.make(
  Effect.gen(function* () {
    const [one, two] = [yield* host, yield* host]
    let turn = 0
    return {
      listener: Stapled.listeners(one.listener, two.listener),
      connect: Resource.flatMap(() => (turn++ % 2 === 0 ? one.connect : two.connect))(Resource.of(0))
    }
  }),
  ({ listener }) => listener.close
)

checkAll(listener({ name: 'a listener of Listener.make', open }))
checkAll(listener({ name: 'several listeners as one', open: stapled }))

/** Somebody who sends back what comes. */
const echo = Resource.fromUse<unknown, never, Connectable.Connectable<Socket, unknown>>(
  (use) =>
    TaskGroup.open<unknown>()((group) =>
      Effect.gen(function* () {
        const { listener, connect } = yield* host
        yield* group.spawn(Listener.serve((stream: Socket) => Stream.pipeTo(stream)(stream))(listener), {
          service: true
        })
        return yield* use(Connectable.make('memory://echo', connect))
      })
    ) as never
)

checkAll(connectable({ name: 'a connectable in memory', echo }))

describe('listener: what is broken fails', () => {
  type Spoil = (place: Place) => Place
  const broken: Record<string, Spoil> = {
    'N2 one failure ends the server': (place) => ({
      ...place,
      listener: {
        ...place.listener,
        serveWith: (handler) =>
          Effect.orDie(
            Effect.flatMap((stream: ByteStream.ByteStream<unknown, object>) =>
              Effect.asUnit(handler(stream))
            )(pipe(place.listener.accept, Resource.use(Effect.succeed)))
          )
      }
    }),
    'N4 no limit': (place) => ({
      ...place,
      listener: {
        ...place.listener,
        serveWith: (handler, options) =>
          place.listener.serveWith(handler, options.onError === undefined ? {} : { onError: options.onError })
      }
    }),
    'N7 closing does nothing': (place) => ({ ...place, listener: { ...place.listener, close: Effect.unit } })
  }
  for (const [name, spoil] of Object.entries(broken)) {
    it(name, () => {
      const laws = flatten(listener({ open: Resource.map(spoil)(open) }))
      const falsified = laws
        .filter(({ check }) => check(params)._tag === 'Falsified')
        .map(({ name }) => name.split(' ')[0])
      expect(falsified).to.include(name.split(' ')[0])
    })
  }
})

describe('connectable: what is broken fails', () => {
  type Wire = ByteStream.ByteStream<unknown, object>
  type There = Connectable.Connectable<Wire, unknown>
  const changed =
    (change: (stream: Wire) => Wire) =>
    (there: There): There =>
      Connectable.make(there.endpoint, Resource.map(change)(there.connect))
  const broken: Record<string, (there: There) => There> = {
    'E1 all uses share the connection that was made last': (there) => {
      let last: Wire | null = null
      return changed((stream) => {
        last = stream
        return {
          ...stream,
          send: (chunk) => Effect.suspend(() => (last ?? stream).send(chunk)),
          receive: Effect.suspend(() => (last ?? stream).receive)
        }
      })(there)
    },
    'E2 a connection outlives its use': changed((stream) => ({
      ...stream,
      receive: Effect.orElse(() => Effect.succeed(new Uint8Array(1)))(stream.receive)
    })),
    'E2 a closed connection is at its end': changed((stream) => ({
      ...stream,
      receive: Effect.mapError(() => ({ _tag: 'EndOfStream' }) as const)(stream.receive)
    })),
    'E3 it has no name': (there) => Connectable.make('', there.connect)
  }
  for (const [name, spoil] of Object.entries(broken)) {
    it(name, () => {
      const falsified = flatten(connectable({ echo: Resource.map(spoil)(echo) }))
        .filter(({ check }) => check(params)._tag === 'Falsified')
        .map((law) => law.name.split(' ')[0])
      expect(falsified).to.deep.equal([name.split(' ')[0]])
    })
  }
})
