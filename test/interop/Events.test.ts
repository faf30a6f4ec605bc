import { EventEmitter } from 'node:events'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Events, Exit, Resource, Runtime, Stream } from 'millrace'

/** The same events from a target and from an emitter. */
const sources = {
  emitter: () => {
    const emitter = new EventEmitter()
    return {
      source: emitter,
      send: (n: number) => void emitter.emit('job', n),
      listeners: () => emitter.listenerCount('job')
    }
  },
  target: () => {
    const attached = new Set<unknown>()
    const target = new EventTarget()
    const source: Events.Source = {
      addEventListener: (name, listener) => {
        attached.add(listener)
        target.addEventListener(name, listener)
      },
      removeEventListener: (name, listener) => {
        attached.delete(listener)
        target.removeEventListener(name, listener)
      }
    }
    return {
      source,
      send: (n: number) => void target.dispatchEvent(Object.assign(new Event('job'), { n })),
      listeners: () => attached.size
    }
  }
}

const numberOf = (event: unknown): number => (typeof event === 'number' ? event : (event as { n: number }).n)

describe('Events', () => {
  for (const [kind, make] of Object.entries(sources)) {
    describe(`of kind ${kind}`, () => {
      it('once gives the next event, and leaves no listener', async () => {
        const { source, send, listeners } = make()
        send(0)
        const next = Runtime.runPromise(Events.once(source, 'job'))
        expect(listeners()).to.equal(1)
        send(1)
        send(2)
        expect(numberOf(await next)).to.equal(1)
        expect(listeners()).to.equal(0)
      })

      it('once that is cancelled leaves no listener', async () => {
        const { source, listeners } = make()
        const ended = new Promise<Exit.Exit<never, unknown>>((resolve) => {
          Runtime.runCallback(Events.once(source, 'job'), resolve)('enough')
        })
        expect(Exit.isCancelled(await ended)).to.equal(true)
        expect(listeners()).to.equal(0)
      })

      it('any number of waits share one listener', async () => {
        const { source, send, listeners } = make()
        const many = Array.from({ length: 50 }, () => Events.once(source, 'job'))
        const all = Runtime.runPromise(Concurrent.all(many))
        expect(listeners()).to.equal(1)
        send(7)
        expect((await all).map(numberOf)).to.deep.equal(Array.from({ length: 50 }, () => 7))
        expect(listeners()).to.equal(0)
      })

      it('receive misses none while it is held, and leaves no listener', async () => {
        const { source, send, listeners } = make()
        const program = pipe(
          Events.receive(source, 'job'),
          Resource.use((events) =>
            Effect.gen(function* () {
              for (let i = 0; i < 3; i++) send(i)
              const got: Array<number> = []
              for (let i = 0; i < 3; i++) got.push(numberOf(yield* events.receive))
              expect(listeners()).to.equal(1)
              return got
            })
          )
        )
        expect(await Runtime.runPromise(program)).to.deep.equal([0, 1, 2])
        expect(listeners()).to.equal(0)
        send(3)
      })

      it('receive keeps as many as it is told to, the newest or the oldest', () => {
        const kept = (overflow: 'dropOldest' | 'dropNewest') => {
          const { source, send } = make()
          return Runtime.runSync(
            pipe(
              Events.receive(source, 'job', { capacity: 2, overflow }),
              Resource.use((events) =>
                Effect.gen(function* () {
                  for (let i = 0; i < 4; i++) send(i)
                  return [numberOf(yield* events.receive), numberOf(yield* events.receive)]
                })
              )
            )
          )
        }
        expect(kept('dropOldest')).to.deep.equal([2, 3])
        expect(kept('dropNewest')).to.deep.equal([0, 1])
      })

      it('100,000 waits on one target leave nothing behind, and Node does not warn', async () => {
        const { source, send, listeners } = make()
        const warnings: Array<Error> = []
        const onWarning = (warning: Error): void => {
          if (warning.name === 'MaxListenersExceededWarning') warnings.push(warning)
        }
        process.on('warning', onWarning)
        const wait = Events.once(source, 'job')
        const turns = pipe(
          Effect.sync(() => queueMicrotask(() => send(1))),
          Effect.andThen(wait),
          Effect.repeatN(50_000)
        )
        const cancelled = pipe(wait, Concurrent.race(Effect.unit), Effect.repeatN(50_000))
        await Runtime.runPromise(Effect.andThen(cancelled)(turns))
        await new Promise(setImmediate)
        process.off('warning', onWarning)
        expect(listeners()).to.equal(0)
        expect(warnings).to.deep.equal([])
      })
    })
  }

  it('who starts to listen while an event is given out hears of the next one', async () => {
    const { source, send } = sources.emitter()
    const heard: Array<string> = []
    const again = pipe(
      Events.once(source, 'job'),
      Effect.tap((n) => Effect.sync(() => heard.push(`a${numberOf(n)}`))),
      Effect.andThen(Events.once(source, 'job')),
      Effect.tap((n) => Effect.sync(() => heard.push(`b${numberOf(n)}`)))
    )
    const ended = Runtime.runPromise(again)
    send(1)
    send(2)
    await ended
    expect(heard).to.deep.equal(['a1', 'b2'])
  })

  it('is a stream like any other', async () => {
    const { source, send } = sources.emitter()
    const program = pipe(
      Events.receive<number>(source, 'job'),
      Resource.flatMap(Stream.mapEffect((n: number) => Effect.succeed(n * 10))),
      Resource.use((tens) =>
        Effect.gen(function* () {
          send(4)
          return yield* tens.receive
        })
      )
    )
    expect(await Runtime.runPromise(program)).to.equal(40)
  })
})
