// Ctrl-C cancels everything. Clean-up is shielded, but has one second; what overruns is cut off and reported.
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Resource } from 'millrace'
import { Main } from 'millrace/node'

const log = (line: string) => Effect.sync(() => console.log(line))

const flush = (name: string, ms: number) =>
  pipe(log(`${name}: flushing`), Effect.andThen(Effect.sleep(ms)), Effect.andThen(log(`${name}: flushed`)))

const journal = Resource.make(log('journal: open'), () => flush('journal', 200))
const metrics = Resource.make(log('metrics: open'), () => flush('metrics', 60_000))

const work = Effect.forever(Effect.sleep(100))

const program = Concurrent.all({
  journal: pipe(
    journal,
    Resource.use(() => work)
  ),
  metrics: pipe(
    metrics,
    Resource.use(() => work)
  )
})

Main.run(program, { grace: 1000 })

// Output, with Ctrl-C after a while:
// journal: open
// metrics: open
// ^C
// journal: flushing
// metrics: flushing
// journal: flushed
// Cancelled: scope "main", Shutdown SIGINT
// Die: CleanupOverran, task "metrics", grace 1000 ms
// (exit code 130, about one second after Ctrl-C)
