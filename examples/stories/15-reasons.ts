// Who cancelled, and why? The first reason wins, travels in the cause and is read as data or printed.
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Cause, Effect, TaskGroup } from 'millrace'
import { Main } from 'millrace/node'

const log = (line: string) => Effect.sync(() => console.log(line))

const explain = (reason: Cause.CancelReason): string => {
  switch (reason._tag) {
    case 'Deadline':
      return `too late at ${reason.time}`
    case 'SiblingFailed':
      return `because ${reason.task} failed`
    case 'Explicit':
      return `asked for: ${String(reason.value)}`
    case 'Aborted':
      return 'by a signal'
    case 'Shutdown':
      return reason.signal
  }
}

const search = pipe(
  Effect.sleep(1000),
  Effect.onExit((exit) =>
    E.isLeft(exit)
      ? pipe(
          Cause.cancellations(exit.left),
          Effect.forEach((c) => log(explain(c.reason))),
          Effect.andThen(log(Cause.pretty(exit.left)))
        )
      : Effect.unit
  )
)

const program = CancelScope.open(
  (scope) =>
    TaskGroup.open()((group) =>
      Effect.gen(function* () {
        yield* group.spawn(search, { name: 'search' })
        yield* Effect.sleep(10)
        yield* scope.cancel('the user typed on')
        yield* scope.cancel('a second reason, ignored')
      })
    ),
  { name: 'query' }
)

Main.run(program, { name: 'app' })

// Output:
// asked for: the user typed on
// Cancelled: scope "query", Explicit "the user typed on", by task "app"
