// A failing task cancels its siblings; the group waits for them, and its failures are a typed union.
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, TaskGroup } from 'millrace'
import { Main } from 'millrace/node'

interface RateLimited {
  readonly _tag: 'RateLimited'
  readonly retryAfter: number
}
interface DiskFull {
  readonly _tag: 'DiskFull'
  readonly free: number
}

const log = (line: string) => Effect.sync(() => console.log(line))

const download = pipe(
  Effect.sleep(10),
  Effect.andThen(Effect.fail<RateLimited>({ _tag: 'RateLimited', retryAfter: 5 }))
)

const writeIndex = pipe(
  Effect.sleep(5000),
  Effect.andThen(Effect.fail<DiskFull>({ _tag: 'DiskFull', free: 0 })),
  Effect.onCancel(log('index: removed the temporary file'))
)

// Effect<unknown, RateLimited | DiskFull, string>
const sync = TaskGroup.open<RateLimited | DiskFull>({ name: 'sync' })((group) =>
  Effect.gen(function* () {
    yield* group.spawn(download, { name: 'download' })
    yield* group.spawn(writeIndex, { name: 'index' })
    yield* Effect.sleep(1000)
    return 'never reached'
  })
)

// Effect<unknown, DiskFull, string>: what was handled is gone from the type
const program = pipe(
  sync,
  Effect.catchTag('RateLimited', (e) => Effect.succeed(`try again in ${e.retryAfter} s`)),
  Effect.tap(log)
)

Main.run(program)

// Output:
// index: removed the temporary file
// try again in 5 s
