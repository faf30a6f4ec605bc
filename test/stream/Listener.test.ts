// Listeners: a set-up that stalls, failures, draining, several as one.
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  Attribute,
  Attributes,
  type ByteStream,
  CancelScope,
  Cause,
  Effect,
  Event,
  Layer,
  Listener,
  MemoryStream,
  Provider,
  Resource,
  Stapled,
  TaskGroup,
  Text
} from 'millrace'
import { MemoryByteStream, TestRuntime } from 'millrace/testing'
import { expectAll, show } from '../support/seeds.js'

const { gen } = Effect

type Socket = ByteStream.ByteStream

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A place in memory, and a way to connect to it. */
const place = gen(function* () {
  const [arrive, arrivals] = yield* MemoryStream.make<Socket>(100)
  const listener = Listener.make<Socket>({
    accept: Effect.mapError(() => ({ _tag: 'ClosedResource', resource: 'place' }) as const)(arrivals.receive),
    closeStream: (stream) => stream.close,
    close: arrivals.close
  })
  const connect = gen(function* () {
    const [here, there] = yield* MemoryByteStream.pair()
    yield* arrive.send(there)
    return here
  })
  return { listener, connect, arrive }
})

/** Waits for a word of the client before a connection is ready; another word is refused. */
const password = Layer.duplex((wire: Layer.Wire<string>) =>
  pipe(
    wire.receive,
    Effect.flatMap((word) => (word === 'sesame' ? Effect.succeed(wire) : Effect.fail({ _tag: 'Refused' }))),
    Effect.catchTag('EndOfStream', () => Effect.fail({ _tag: 'Refused' })),
    Resource.fromEffect
  )
)

describe('Listener', () => {
  it('a peer that stalls in the set-up holds up nobody else; one that fails in it is closed and reported alone', () => {
    expectAll(
      () =>
        gen(function* () {
          const { listener, connect } = yield* place
          const failures: Array<string> = []
          const guarded = pipe(listener, Layer.through(Text.layer()), Layer.through(password))
          return yield* TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              yield* group.spawn(
                pipe(
                  guarded,
                  Listener.serve((stream) => stream.send('welcome'), {
                    onError: (cause) =>
                      Effect.sync(() => {
                        failures.push(show({ _tag: 'Left', left: cause }))
                      })
                  })
                ),
                { service: true }
              )
              const stalled = yield* connect
              const [wrong, right] = [yield* connect, yield* connect]
              yield* wrong.send(bytes('open'))
              yield* right.send(bytes('sesame'))
              const welcome = new TextDecoder().decode(yield* right.receive)
              const refused = show(yield* Effect.exit(wrong.receive))
              yield* stalled.close
              yield* Effect.sleep(1)
              return [welcome, refused, ...failures].join(' ')
            })
          )
        }),
      { exit: 'ok(welcome Fail(EndOfStream) Fail(Refused) Fail(Refused))' }
    )
  })

  it('accept is a resource: the set-up is part of it, and what it fails with closes that connection', () => {
    const program = gen(function* () {
      const { listener, connect } = yield* place
      const guarded = pipe(listener, Layer.through(Text.layer()), Layer.through(password))
      const client = yield* connect
      yield* client.send(bytes('no'))
      const exit = yield* Effect.exit(
        pipe(
          guarded.accept,
          Resource.use(() => Effect.unit)
        )
      )
      return [show(exit), show(yield* Effect.exit(client.receive))]
    })
    expect(TestRuntime.runExit(program)).to.deep.equal({
      _tag: 'Right',
      right: ['Fail(Refused)', 'Fail(EndOfStream)']
    })
  })

  it('while a scope drains, accept ends as if the listener was closed, and a server with a full house ends as well', () => {
    const program = CancelScope.open((scope) =>
      TaskGroup.open<unknown>()((group) =>
        gen(function* () {
          const { listener, connect } = yield* place
          const busy = yield* Event.make()
          const release = yield* Event.make()
          const server = yield* group.spawn(
            Listener.serve(() => Effect.andThen(release.wait)(busy.set), { concurrency: 1 })(listener)
          )
          const client = yield* connect
          yield* busy.wait
          const waiting = yield* connect
          yield* scope.drain('enough', { grace: 1000 })
          const accept = yield* Effect.exit(
            pipe(
              listener.accept,
              Resource.use(() => Effect.unit)
            )
          )
          yield* release.set
          const end = yield* server.wait
          yield* Effect.andThen(waiting.close)(client.close)
          return [show(accept), show(end)]
        })
      )
    )
    const exit = TestRuntime.runExit(program)
    expect(show(exit)).to.equal('ok(Some(["Fail(ClosedResource)","ok()"]))')
  })

  it('without onError a failed connection is told on the console', () => {
    const told: Array<string> = []
    const { error } = console
    console.error = (line: string) => {
      told.push(line)
    }
    try {
      const program = gen(function* () {
        const { listener, connect, arrive } = yield* place
        yield* connect
        yield* arrive.close
        return yield* Effect.exit(
          pipe(
            listener,
            Listener.serve(() => Effect.fail('oops'))
          )
        )
      })
      expect(show(TestRuntime.runExit(program))).to.equal('ok(Left(Fail(ClosedResource)))')
    } finally {
      console.error = error
    }
    expect(told).to.have.length(1)
    expect(told[0]).to.include('oops')
  })

  it("a connection that fails after the listener was closed reaches the server's cause with onError 'fail'", () => {
    expectAll(
      () =>
        gen(function* () {
          const { listener, connect } = yield* place
          return yield* TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              const handler = () => Effect.andThen(Effect.fail('late'))(Effect.sleep(10))
              const server = yield* group.spawn(
                Effect.exit(pipe(listener, Listener.serve(handler, { onError: 'fail' })))
              )
              yield* connect
              yield* Effect.sleep(1)
              yield* listener.close
              return show(yield* server.join)
            })
          )
        }),
      { exit: 'ok(Both(Fail(ClosedResource), Fail(late)))' },
      1
    )
  })

  it("several failures at once with onError 'fail' all reach the server's cause", () => {
    const program = gen(function* () {
      const { listener, connect } = yield* place
      const gate = yield* Event.make()
      yield* connect
      yield* connect
      return yield* TaskGroup.open<unknown>()((group) =>
        gen(function* () {
          let n = 0
          const server = yield* group.spawn(
            Effect.exit(
              pipe(
                listener,
                Listener.serve(
                  () => Effect.suspend(() => Effect.andThen(Effect.fail(`failure ${++n}`))(gate.wait)),
                  {
                    onError: 'fail'
                  }
                )
              )
            )
          )
          yield* Effect.sleep(1)
          yield* gate.set
          const exit = yield* server.join
          return exit._tag === 'Left' ? [...Cause.failures(exit.left)].sort() : []
        })
      )
    })
    const exit = TestRuntime.runExit(program)
    expect(show(exit)).to.match(/^ok\(\["failure 1"/)
  })

  it('a limit that is none is a defect', () => {
    const program = gen(function* () {
      const { listener } = yield* place
      return yield* pipe(
        listener,
        Listener.serve(() => Effect.unit, { concurrency: 0 })
      )
    })
    expect(show(TestRuntime.runExit(program))).to.match(/^Die\(RangeError: The concurrency/)
  })

  it('NET-36: several listeners as one: attributes merge, the later ones win; nested ones work; close closes all', () => {
    const name = Attribute.attribute<string>()('test/name')
    const first = Attribute.attribute<number>()('test/first')
    const program = gen(function* () {
      const [one, two, three] = [yield* place, yield* place, yield* place]
      const all = Stapled.listeners(
        Stapled.listeners(
          pipe(
            one.listener,
            Listener.withAttributes(
              pipe(
                Attributes.of(name, () => 'one'),
                Attributes.extend(Attributes.of(first, () => 1))
              )
            )
          ),
          two.listener
        ),
        pipe(three.listener, Listener.withAttributes(Attributes.of(name, () => 'three')))
      )
      // Two arrive at the same moment: none is lost.
      const clients = [yield* one.connect, yield* three.connect]
      const hello = pipe(
        all.accept,
        Resource.use((stream) => stream.send(bytes('hello')))
      )
      yield* hello
      yield* hello
      for (const client of clients) yield* client.receive
      yield* all.close
      const ends = []
      for (const { listener } of [one, two, three]) {
        ends.push(
          show(
            yield* Effect.exit(
              pipe(
                listener.accept,
                Resource.use(() => Effect.unit)
              )
            )
          )
        )
      }
      return [Provider.extra(name)(all), Provider.extra(first)(all), ...ends]
    })
    const exit = TestRuntime.runExit(program)
    expect(show(exit)).to.equal(
      'ok(["three",1,"Fail(ClosedResource)","Fail(ClosedResource)","Fail(ClosedResource)"])'
    )
  })

  it('of two that come at the same moment one waits for the next accept, or is closed with the listener', () => {
    for (const next of ['accept', 'close'] as const) {
      const program = TaskGroup.open<unknown>()((group) =>
        gen(function* () {
          const [one, two] = [yield* place, yield* place]
          const all = Stapled.listeners(one.listener, two.listener)
          const hello = pipe(
            all.accept,
            Resource.use((stream) => stream.send(bytes('hello')))
          )
          const first = yield* group.spawn(hello)
          yield* Effect.sleep(1)
          const clients = [yield* one.connect, yield* two.connect]
          yield* first.join
          yield* next === 'accept' ? hello : all.close
          const got: Array<string> = []
          for (const client of clients) {
            const exit = yield* Effect.exit(client.receive)
            got.push(exit._tag === 'Right' ? new TextDecoder().decode(exit.right) : show(exit))
          }
          return got.sort()
        })
      )
      const expected = next === 'accept' ? ['hello', 'hello'] : ['Fail(EndOfStream)', 'hello']
      for (let seed = 0; seed < 10; seed++) {
        expect(TestRuntime.runExit(program, { seed })).to.deep.equal({ _tag: 'Right', right: expected })
      }
    }
  })
})
