import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Cause, Effect, Resource, Runtime } from 'millrace'
import { Signal } from 'millrace/node'

const raise = (...names: ReadonlyArray<NodeJS.Signals>) =>
  Effect.sync(() => {
    // As when the process is sent one; a real one comes in a turn of its own, which the example shows.
    for (const name of names) process.emit(name, name)
  })

const run = <A>(fx: Effect.Effect<{}, unknown, A>): Promise<A> => Runtime.runPromise(fx)

describe('Signal', () => {
  it('SIG-01 SIG-04 gives the signals in order, also those that came while nobody received', async () => {
    const program = pipe(
      Signal.receive(['SIGHUP', 'SIGUSR1']),
      Resource.use((signals) =>
        Effect.gen(function* () {
          yield* raise('SIGUSR1', 'SIGHUP', 'SIGUSR1')
          return [yield* signals.receive, yield* signals.receive, yield* signals.receive]
        })
      )
    )
    expect(await run(program)).to.deep.equal(['SIGUSR1', 'SIGHUP', 'SIGUSR1'])
  })

  it('SIG-08 a name that is given twice is delivered once', async () => {
    const program = pipe(
      Signal.receive(['SIGHUP', 'SIGHUP', 'SIGUSR1']),
      Resource.use((signals) =>
        Effect.gen(function* () {
          yield* raise('SIGHUP', 'SIGUSR1')
          return [yield* signals.receive, yield* signals.receive]
        })
      )
    )
    expect(await run(program)).to.deep.equal(['SIGHUP', 'SIGUSR1'])
  })

  it('several listen at once; the handlers that were there stay, and ours are gone at the end', async () => {
    let seen = 0
    const other = (): void => {
      seen++
    }
    process.on('SIGHUP', other)
    const program = pipe(
      Signal.receive(['SIGHUP']),
      Resource.par(Signal.receive(['SIGHUP'])),
      Resource.use(([one, two]) =>
        Effect.gen(function* () {
          expect(process.listenerCount('SIGHUP')).to.equal(3)
          yield* raise('SIGHUP')
          return [yield* one.receive, yield* two.receive]
        })
      )
    )
    expect(await run(program)).to.deep.equal(['SIGHUP', 'SIGHUP'])
    expect(process.listeners('SIGHUP')).to.deep.equal([other])
    expect(seen).to.equal(1)
    process.off('SIGHUP', other)
  })

  it('SIG-05 SIG-06 a receive that is cancelled passes the cancellation on, and the next one goes on', async () => {
    const program = pipe(
      Signal.receive(['SIGHUP']),
      Resource.use((signals) =>
        Effect.gen(function* () {
          const cut = yield* CancelScope.open((scope) => Effect.andThen(signals.receive)(scope.cancel()))
          yield* raise('SIGHUP')
          return [cut._tag, yield* signals.receive]
        })
      )
    )
    expect(await run(program)).to.deep.equal(['None', 'SIGHUP'])
  })

  it('SIG-09 a signal that cannot be listened to is a defect, and nothing is left', async () => {
    const exit = await Runtime.runExit(
      pipe(
        Signal.receive(['SIGHUP', 'SIGKILL']),
        Resource.use(() => Effect.unit)
      )
    )
    expect(exit._tag === 'Left' && Cause.defects(exit.left).length).to.equal(1)
    expect(process.listenerCount('SIGHUP')).to.equal(0)
  })
})
