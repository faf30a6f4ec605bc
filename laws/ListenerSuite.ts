/**
 * Suites for listeners and connectables of your own: what servers and clients rely on.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import {
  type ByteStream,
  CancelScope,
  type Connectable,
  Effect,
  Event,
  Listener,
  Resource,
  TaskGroup
} from 'millrace'
import { type Check, type Draw, endOf, firstOf, lawsOf, same } from './Check.js'
import { type LawSet, lawSet } from './LawSet.js'

type Fx<A> = Effect.Effect<unknown, unknown, A>
type Stream = ByteStream.ByteStream<unknown, object>
type AnyListener = Listener.Listener<Stream, unknown, object>

/**
 * A listener that is open, and what connects to it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Place {
  readonly listener: AnyListener
  readonly connect: Resource.Resource<unknown, unknown, Stream>
}

/**
 * What a listener claims.
 *
 * @category model
 * @since 0.1.0
 */
export interface ListenerClaims {
  /** Of the set. */
  readonly name?: string
  /** A listener of its own for each check, closed at the end. */
  readonly open: Resource.Resource<unknown, unknown, Place>
}

const hello = new TextEncoder().encode('hello')

/** Sends back one chunk after the other. */
const echo = (stream: Stream): Fx<void> =>
  Effect.catchCause(() => Effect.unit)(
    Effect.forever(Effect.flatMap((chunk: Uint8Array) => stream.send(chunk))(stream.receive))
  )

/** A round trip. */
const greets = (connect: Place['connect']): Fx<number> =>
  pipe(
    connect,
    Resource.use((stream) =>
      Effect.map((chunk: Uint8Array) => chunk.length)(Effect.andThen(stream.receive)(stream.send(hello)))
    )
  )

const ends = (fx: Fx<unknown>): Effect.Effect<unknown, never, string> => Effect.map(endOf)(Effect.exit(fx))

/** Serves while the rest goes on. */
const whileServing = <A>(serving: Fx<unknown>, body: Fx<A>): Fx<A> =>
  TaskGroup.open<unknown>()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(serving, { service: true })
      return yield* body
    })
  )

const ignore = { onError: () => Effect.unit }

/**
 * The checks by themselves, for listeners that need real time.
 *
 * @category checks
 * @since 0.1.0
 */
export const listenerChecks = ({ open }: ListenerClaims): ReadonlyArray<Check> => {
  const check = (name: string, on: (place: Place, draw: Draw) => Fx<string | null>): Check => ({
    name,
    on: (draw) =>
      pipe(
        open,
        Resource.use((place) => on(place, draw))
      )
  })
  return [
    check('N1 every connection is served, each by itself', ({ listener, connect }, draw) =>
      whileServing(
        Listener.serve(echo)(listener),
        Effect.gen(function* () {
          const clients = draw(fc.integer({ min: 1, max: 5 }))
          const sizes: Array<number> = []
          yield* TaskGroup.open<unknown>()((group) =>
            Effect.forEach(() =>
              group.spawn(
                Effect.map((size: number) => {
                  sizes.push(size)
                })(greets(connect))
              )
            )(Array.from({ length: clients }, (_, i) => i))
          )
          return same(
            sizes,
            Array.from({ length: clients }, () => hello.length)
          )
        })
      )
    ),
    check('N2 a handler that fails ends its connection alone, and is reported', ({ listener, connect }) =>
      Effect.gen(function* () {
        const reported: Array<string> = []
        let first = true
        const handler = (stream: Stream): Fx<void> => {
          if (!first) return echo(stream)
          first = false
          return Effect.fail('broken handler')
        }
        const onError = () =>
          Effect.sync(() => {
            reported.push('failed')
          })
        return yield* whileServing(
          Listener.serve(handler, { onError })(listener),
          Effect.gen(function* () {
            const end = yield* pipe(
              connect,
              Resource.use((stream) => ends(stream.receive))
            )
            const size = yield* greets(connect)
            return firstOf([
              end === 'EndOfStream' || end === 'BrokenResource' ? null : `its peer found ${end}`,
              same(size, hello.length),
              same(reported, ['failed'])
            ])
          })
        )
      })
    ),
    check("N3 with onError 'fail' it fails the server", ({ listener, connect }) =>
      TaskGroup.open<unknown>()((group) =>
        Effect.gen(function* () {
          const server = yield* group.spawn(
            ends(Listener.serve(() => Effect.fail({ _tag: 'Broken' }), { onError: 'fail' })(listener))
          )
          yield* pipe(
            connect,
            Resource.use((stream) => ends(stream.receive))
          )
          return same(yield* server.join, 'Broken')
        })
      )
    ),
    check(
      'N4 no more connections are served at once than asked for, and all are in the end',
      ({ listener, connect }, draw) =>
        Effect.gen(function* () {
          const concurrency = draw(fc.integer({ min: 1, max: 2 }))
          let active = 0
          let most = 0
          const handler = (stream: Stream): Fx<void> =>
            Effect.ensuring(
              Effect.sync(() => {
                active--
              })
            )(
              Effect.suspend(() => {
                most = Math.max(most, ++active)
                return echo(stream)
              })
            )
          return yield* whileServing(
            Listener.serve(handler, { concurrency, ...ignore })(listener),
            Effect.gen(function* () {
              let served = 0
              yield* TaskGroup.open<unknown>()((group) =>
                Effect.forEach(() =>
                  group.spawn(
                    Effect.map(() => {
                      served++
                    })(greets(connect))
                  )
                )([1, 2, 3, 4])
              )
              return firstOf([same(served, 4), most <= concurrency ? null : `${most} at once`])
            })
          )
        })
    ),
    check('N5 a server that is cancelled closes its connections', ({ listener, connect }) =>
      TaskGroup.open<unknown>()((group) =>
        Effect.gen(function* () {
          const accepted = yield* Event.make()
          const server = yield* group.spawn(
            Listener.serve(() => Effect.andThen(Effect.never)(accepted.set))(listener)
          )
          return yield* pipe(
            connect,
            Resource.use((stream) =>
              Effect.gen(function* () {
                yield* accepted.wait
                yield* server.cancel()
                yield* server.wait
                const end = yield* ends(stream.receive)
                return end === 'EndOfStream' || end === 'BrokenResource' ? null : `the peer found ${end}`
              })
            )
          )
        })
      )
    ),
    check(
      'N6 while a scope around it drains, a server takes no more and finishes what it has',
      ({ listener, connect }) =>
        Effect.map((result: Option<string | null>) =>
          result._tag === 'Some' ? result.value : 'it was cancelled'
        )(
          CancelScope.open((scope) =>
            TaskGroup.open<unknown>()((group) =>
              Effect.gen(function* () {
                const accepted = yield* Event.make()
                const server = yield* group.spawn(
                  Listener.serve((stream: Stream) => Effect.andThen(echo(stream))(accepted.set))(listener)
                )
                return yield* pipe(
                  connect,
                  Resource.use((stream) =>
                    Effect.gen(function* () {
                      yield* accepted.wait
                      yield* scope.drain('shutting down', { grace: 10_000 })
                      yield* stream.send(hello)
                      const size = (yield* stream.receive).length
                      yield* stream.close
                      const end = yield* server.wait
                      return firstOf([same(size, hello.length), same(endOf(end), 'value')])
                    })
                  )
                )
              })
            )
          )
        )
    ),
    check(
      'N7 closing wakes who accepts; accepting after it fails as closed; twice does nothing',
      ({ listener }) =>
        TaskGroup.open<unknown>()((group) =>
          Effect.gen(function* () {
            const accept = ends(
              pipe(
                listener.accept,
                Resource.use(() => Effect.unit)
              )
            )
            const waiting = yield* group.spawn(accept)
            for (let i = 0; i < 20; i++) yield* Effect.yieldNow
            yield* listener.close
            yield* listener.close
            return same([yield* waiting.join, yield* accept], ['ClosedResource', 'ClosedResource'])
          })
        )
    ),
    check('N8 an accept that is cancelled takes no connection', ({ listener, connect }) =>
      TaskGroup.open<unknown>()((group) =>
        Effect.gen(function* () {
          const accept = pipe(listener.accept, Resource.use(echo))
          const first = yield* group.spawn(accept)
          for (let i = 0; i < 20; i++) yield* Effect.yieldNow
          yield* first.cancel()
          yield* first.wait
          yield* group.spawn(accept, { service: true })
          return same(yield* greets(connect), hello.length)
        })
      )
    )
  ]
}

/**
 * The suite as laws, for listeners that live in virtual time.
 *
 * @category law sets
 * @since 0.1.0
 */
export const listener = (claims: ListenerClaims): LawSet => {
  const name = claims.name ?? 'listener'
  return lawSet(name, lawsOf(name, listenerChecks(claims)))
}

/**
 * What a connectable claims.
 *
 * @category model
 * @since 0.1.0
 */
export interface ConnectableClaims {
  /** Of the set. */
  readonly name?: string
  /** Where somebody sends back what comes. */
  readonly echo: Resource.Resource<unknown, unknown, Connectable.Connectable<Stream, unknown>>
}

/**
 * The checks by themselves, for connectables that need real time.
 *
 * @category checks
 * @since 0.1.0
 */
export const connectableChecks = ({ echo }: ConnectableClaims): ReadonlyArray<Check> => {
  const check = (
    name: string,
    on: (there: Connectable.Connectable<Stream, unknown>) => Fx<string | null>
  ): Check => ({
    name,
    on: () => pipe(echo, Resource.use(on))
  })
  return [
    check('E1 each use is a connection of its own', (there) =>
      pipe(
        there,
        Resource.par(there.connect),
        Resource.use(([one, two]) =>
          Effect.gen(function* () {
            yield* one.send(new Uint8Array([1]))
            yield* two.send(new Uint8Array([2]))
            // The second one first, or a connection that both share would pass.
            return same([[...(yield* two.receive)], [...(yield* one.receive)]], [[2], [1]])
          })
        )
      )
    ),
    check('E2 at the end of a use its connection is closed', (there) =>
      Effect.gen(function* () {
        const stream = yield* pipe(
          there,
          Resource.use((it: Stream) => Effect.succeed(it))
        )
        return same(yield* ends(stream.receive), 'ClosedResource')
      })
    ),
    check('E3 it has a name', (there) =>
      Effect.succeed(there.endpoint.length > 0 ? null : 'the endpoint is empty')
    )
  ]
}

/**
 * The suite as laws, for connectables that live in virtual time.
 *
 * @category law sets
 * @since 0.1.0
 */
export const connectable = (claims: ConnectableClaims): LawSet => {
  const name = claims.name ?? 'connectable'
  return lawSet(name, lawsOf(name, connectableChecks(claims)))
}
