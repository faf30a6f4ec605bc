// Policies of retry-ts fit as they are. Retry what is worth it, with a bound on the whole.
import { pipe } from 'fp-ts/lib/function.js'
import { capDelay, exponentialBackoff, limitRetries, Monoid } from 'retry-ts'
import { Effect, Timeout } from 'millrace'
import { Main } from 'millrace/node'

interface Busy {
  readonly _tag: 'Busy'
}
interface Refused {
  readonly _tag: 'Refused'
}
interface TooSlow {
  readonly _tag: 'TooSlow'
}

const policy = capDelay(200, Monoid.concat(exponentialBackoff(10), limitRetries(5)))

let calls = 0
const request: Effect.Effect<unknown, Busy | Refused, string> = Effect.suspend(() => {
  calls += 1
  return calls < 4 ? Effect.fail<Busy>({ _tag: 'Busy' }) : Effect.succeed(`answered call ${calls}`)
})

// Effect<unknown, Busy | Refused | TooSlow, string>
const program = pipe(
  request,
  Effect.tapError((e) => Effect.sync(() => console.log(e._tag))),
  Effect.retry(policy, { when: (e) => e._tag === 'Busy' }),
  Timeout.failAfter(1000, (): TooSlow => ({ _tag: 'TooSlow' })),
  Effect.tap((answer) => Effect.sync(() => console.log(answer)))
)

Main.run(program)

// Output:
// Busy
// Busy
// Busy
// answered call 4
