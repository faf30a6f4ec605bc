// Plain callbacks run effects through a dispatcher; SIGHUP is a stream like any other.
import { EventEmitter } from 'node:events'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Dispatcher, Effect, Resource } from 'millrace'
import { Main, Signal } from 'millrace/node'

interface HasLog {
  readonly log: (line: string) => Effect.Effect<unknown, never, void>
}
const log = (line: string) => Effect.flatMap((env: HasLog) => env.log(line))(Effect.ask<HasLog>())

const onJobs = (emitter: EventEmitter) =>
  pipe(
    Dispatcher.make<HasLog>(),
    Resource.flatMap((dispatcher) => {
      const listener = (id: number) => void dispatcher.runUnsafe(log(`job ${id}`))
      return Resource.make(
        Effect.sync(() => emitter.on('job', listener)),
        () => Effect.sync(() => emitter.off('job', listener))
      )
    })
  )

const program = Effect.suspend(() => {
  const emitter = new EventEmitter()
  const work = Effect.gen(function* () {
    yield* Effect.sync(() => emitter.emit('job', 1))
    yield* Effect.sync(() => process.kill(process.pid, 'SIGHUP'))
  })
  return pipe(
    onJobs(emitter),
    Resource.par(Signal.receive(['SIGHUP'])),
    Resource.use(([, signals]) => {
      const reload = pipe(
        signals.receive,
        Effect.flatMap((signal) => log(`reload on ${signal}`))
      )
      return pipe(work, Concurrent.both(reload))
    })
  )
})

Main.run(pipe(program, Effect.provide({ log: (line: string) => Effect.sync(() => console.log(line)) })))

// Output:
// job 1
// reload on SIGHUP
