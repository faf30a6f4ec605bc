/** Effects from plain callbacks. */
import { EventEmitter } from 'node:events'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  CancelScope,
  Cause,
  Dispatcher,
  Effect,
  Exit,
  FiberLocal,
  Promises,
  Resource,
  Runtime,
  TaskGroup,
  Timeout
} from 'millrace'
import { complaintsOf, deferred, turns } from '../support/host.js'
import { show } from '../support/seeds.js'

/** Acquires a dispatcher, hands it out, and holds it until told otherwise. */
const held = async <R extends object = {}>(services: R = {} as R) => {
  const given = deferred<Dispatcher.Dispatcher<R>>()
  const gate = deferred<void>()
  const controller = new AbortController()
  const hold = pipe(
    Dispatcher.make<R>(),
    Resource.use((dispatcher) => {
      given.resolve(dispatcher)
      return Promises.fromPromise(() => gate.promise, { abandonOnCancel: true })
    }),
    Effect.local((_: unknown) => services)
  )
  const log: Array<string> = []
  const exit = Runtime.runExit(hold, { signal: controller.signal }).finally(() => log.push('released'))
  return { dispatcher: await given.promise, gate, controller, exit, log }
}

describe('Dispatcher', () => {
  it('gives the exit of the effect: value, failure, defect', async () => {
    const { dispatcher, gate, exit } = await held()
    expect(await dispatcher.runUnsafe(Effect.succeed(42))).to.deep.equal(Exit.succeed(42))
    expect(await dispatcher.runUnsafe(Effect.fail('no'))).to.deep.equal(Exit.fail('no'))
    expect(await dispatcher.runUnsafe(Effect.die('bug'))).to.deep.equal(Exit.die('bug'))
    gate.resolve()
    // What failed belongs to whoever ran it, and not to the dispatcher.
    expect(show(await exit)).to.equal('ok()')
  })

  it('starts on a later turn, never inside of the call', async () => {
    const { dispatcher, gate, exit } = await held()
    const log: Array<string> = []
    const result = dispatcher.runUnsafe(Effect.sync(() => log.push('runs')))
    log.push('called')
    await result
    expect(log).to.deep.equal(['called', 'runs'])
    gate.resolve()
    await exit
  })

  it('has the services and the fiber-locals of where it was acquired', async () => {
    const request = FiberLocal.make('none')
    const runs: Array<() => Promise<Exit.Exit<never, string>>> = []
    interface HasName {
      readonly name: string
    }
    const program = pipe(
      Dispatcher.make<HasName>(),
      Resource.use((dispatcher) => {
        const both = Effect.gen(function* () {
          return `${(yield* Effect.ask<HasName>()).name} ${yield* request.get}`
        })
        runs.push(() => dispatcher.runUnsafe(both))
        return pipe(
          // Set here, inside of the use: not where it was acquired.
          Promises.fromPromise(() => dispatcher.runUnsafe(both)),
          request.locally('later')
        )
      }),
      request.locally('r-1'),
      Effect.provide({ name: 'Ada' })
    )
    expect(await Runtime.runPromise(program)).to.deep.equal(Exit.succeed('Ada r-1'))
  })

  it('keeps what tasks set to themselves', async () => {
    const counter = FiberLocal.make(0)
    const { dispatcher, gate, exit } = await held()
    const bump = pipe(counter.set(1), Effect.andThen(Effect.checkpoint), Effect.andThen(counter.get))
    await dispatcher.runUnsafe(bump)
    expect(await dispatcher.runUnsafe(counter.get)).to.deep.equal(Exit.succeed(0))
    gate.resolve()
    await exit
  })

  it('on release what it runs is cancelled and awaited, clean-up included', async () => {
    const { dispatcher, gate, exit, log } = await held()
    const work = pipe(
      Effect.never,
      Effect.ensuring(pipe(Effect.checkpoint, Effect.andThen(Effect.sync(() => log.push('cleaned up')))))
    )
    const result = dispatcher.runUnsafe(work).then((it) => {
      log.push(show(it))
      return it
    })
    await turns()
    gate.resolve()
    expect(show(await exit)).to.equal('ok()')
    await result
    expect(log).to.have.members(['cleaned up', 'Cancelled', 'released'])
    expect(log.indexOf('cleaned up')).to.equal(0)
    const cause = await result
    expect(cause._tag === 'Left' && Cause.cancellations(cause.left)[0]?.reason).to.deep.equal({
      _tag: 'Explicit',
      value: 'the dispatcher was released'
    })
  })

  it('on release, what has just been asked for still begins, and runs to its first checkpoint', async () => {
    const log: Array<string> = []
    const work = pipe(
      Effect.sync(() => log.push('begins')),
      Effect.andThen(Effect.checkpoint),
      Effect.andThen(Effect.sync(() => log.push('goes on')))
    )
    let result: Promise<Exit.Exit<never, number>> | undefined
    const program = pipe(
      Dispatcher.make(),
      Resource.use((dispatcher) =>
        Effect.sync(() => {
          result = dispatcher.runUnsafe(work)
        })
      )
    )
    await Runtime.runPromise(program)
    expect(show((await result) as Exit.Exit<never, number>)).to.equal('Cancelled')
    expect(log).to.deep.equal(['begins'])
  })

  it('is released as well when its holder is cancelled', async () => {
    const { dispatcher, controller, exit } = await held()
    const result = dispatcher.runUnsafe(Effect.never)
    await turns()
    controller.abort()
    expect(show(await exit)).to.equal('Cancelled')
    expect(show(await result)).to.equal('Cancelled')
  })

  it('is released as well when its holder fails', async () => {
    let result: Promise<Exit.Exit<never, never>> | undefined
    const program = pipe(
      Dispatcher.make(),
      Resource.use((dispatcher) => {
        result = dispatcher.runUnsafe(Effect.never)
        return Effect.fail('no')
      })
    )
    expect(show(await Runtime.runExit(program))).to.equal('Fail(no)')
    expect(show((await result) as Exit.Exit<never, never>)).to.equal('Cancelled')
  })

  it('runUnsafe after the release is a defect that says what to do, and runs nothing', async () => {
    const { dispatcher, gate, exit } = await held()
    gate.resolve()
    await exit
    let runs = 0
    const late = await dispatcher.runUnsafe(Effect.sync(() => ++runs))
    expect(late._tag === 'Left' && String(Cause.defects(late.left)[0])).to.match(
      /has been released.*Remove the callback/
    )
    expect(runs).to.equal(0)
  })

  it('a callback that calls during the release gets that defect, and the release goes on', async () => {
    const { dispatcher, gate, exit } = await held()
    const late: Array<string> = []
    const work = pipe(
      Effect.never,
      Effect.ensuring(
        Promises.fromPromise(() =>
          dispatcher.runUnsafe(Effect.succeed(1)).then((exit) => late.push(show(exit)))
        )
      )
    )
    void dispatcher.runUnsafe(work)
    await turns()
    gate.resolve()
    expect(show(await exit)).to.equal('ok()')
    expect(late).to.have.length(1)
    expect(late[0]).to.match(/^Die\(TypeError: The Dispatcher has been released/)
  })

  it('many at once, each with its own exit', async () => {
    const { dispatcher, gate, exit } = await held()
    const exits = await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        dispatcher.runUnsafe(
          pipe(Effect.checkpoint, Effect.andThen(i % 3 === 0 ? Effect.fail(i) : Effect.succeed(i)))
        )
      )
    )
    exits.forEach((each, i) => {
      expect(each).to.deep.equal(i % 3 === 0 ? Exit.fail(i) : Exit.succeed(i))
    })
    gate.resolve()
    await exit
  })

  it('many at once are all cancelled by the release', async () => {
    const { dispatcher, gate, exit } = await held()
    let cleaned = 0
    const results = Array.from({ length: 1000 }, () =>
      dispatcher.runUnsafe(pipe(Effect.never, Effect.onCancel(Effect.sync(() => cleaned++))))
    )
    await turns()
    gate.resolve()
    expect(show(await exit)).to.equal('ok()')
    expect(cleaned).to.equal(1000)
    expect(new Set((await Promise.all(results)).map(show))).to.deep.equal(new Set(['Cancelled']))
  })

  it('what it runs can run more through it', async () => {
    const { dispatcher, gate, exit } = await held()
    const nested = (depth: number): Effect.Effect<unknown, never, number> =>
      depth === 0
        ? Effect.succeed(0)
        : pipe(
            Promises.fromPromise(() => dispatcher.runUnsafe(nested(depth - 1))),
            Effect.flatMap((exit) => Effect.fromExit(exit)),
            Effect.map((n) => n + 1)
          )
    expect(await dispatcher.runUnsafe(nested(5))).to.deep.equal(Exit.succeed(5))
    gate.resolve()
    await exit
  })

  it('scopes and timeouts of what it runs are its own', async () => {
    const { dispatcher, gate, exit } = await held()
    const timed = await dispatcher.runUnsafe(
      pipe(
        Effect.never,
        Timeout.failAfter(0, () => 'slow')
      )
    )
    expect(show(timed)).to.equal('Fail(slow)')
    const own = await dispatcher.runUnsafe(
      CancelScope.open((scope) => Effect.andThen(Effect.checkpoint)(scope.cancel('enough')))
    )
    expect(show(own)).to.equal('ok(None)')
    gate.resolve()
    await exit
  })

  it('two dispatchers are released in reverse order, each with its own tasks', async () => {
    const log: Array<string> = []
    const gate = deferred<void>()
    const program = pipe(
      Resource.gen(function* () {
        return [yield* Dispatcher.make(), yield* Dispatcher.make()] as const
      }),
      Resource.use((both) => {
        both.forEach((dispatcher, i) => {
          void dispatcher.runUnsafe(
            pipe(Effect.never, Effect.onCancel(Effect.sync(() => log.push(`task ${i}`))))
          )
        })
        return Promises.fromPromise(() => gate.promise)
      })
    )
    const exit = Runtime.runExit(program)
    await turns()
    gate.resolve()
    expect(show(await exit)).to.equal('ok()')
    expect(log).to.deep.equal(['task 1', 'task 0'])
  })

  it('serves an emitter, and nobody complains', async () => {
    const complaints = await complaintsOf(async () => {
      const emitter = new EventEmitter()
      const seen: Array<number> = []
      const program = pipe(
        Dispatcher.make(),
        Resource.flatMap((dispatcher) =>
          Resource.make(
            Effect.sync(() => {
              const listener = (n: number) => void dispatcher.runUnsafe(Effect.sync(() => seen.push(n)))
              return emitter.on('n', listener)
            }),
            () => Effect.sync(() => emitter.removeAllListeners())
          )
        ),
        Resource.use(() =>
          TaskGroup.open()(() =>
            pipe(
              Effect.sync(() => {
                emitter.emit('n', 1)
                emitter.emit('n', 2)
              }),
              Effect.andThen(Effect.checkpoint)
            )
          )
        )
      )
      expect(show(await Runtime.runExit(program))).to.equal('ok()')
      expect(seen).to.deep.equal([1, 2])
      expect(emitter.listenerCount('n')).to.equal(0)
    })
    expect(complaints).to.deep.equal([])
  })
})
