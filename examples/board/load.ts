/** Clients that post and follow, and remember what they were told, so that it can be checked. */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Concurrent, Effect, Event, Resource, Stream } from 'millrace'
import { type Client, connect, type Gone, type Options } from './client.js'
import type { Post } from './protocol.js'

/** What one client knows in the end. */
export interface Record {
  readonly name: string
  /** What it posted, by the number that the board gave to it. */
  readonly accepted: Map<number, string>
  readonly seen: Array<Post>
}

export interface Load {
  readonly clients: number
  /** Milliseconds between two posts of a client. */
  readonly pause: number
  /** For how long they post, in milliseconds. */
  readonly duration: number
}

/** Posts until the time is over, or a shutdown has begun. */
const write = (
  client: Client,
  record: Record,
  { pause, duration }: Load
): Effect.Effect<unknown, Gone, void> =>
  Effect.gen(function* () {
    const end = (yield* Effect.currentTime) + duration
    for (let n = 1; ; n++) {
      const left = end - (yield* Effect.currentTime)
      // Not all in step.
      const rest = yield* CancelScope.untilDrain(Effect.sleep(Math.min(left, pause * (0.5 + Math.random()))))
      if (rest._tag === 'None' || (yield* Effect.currentTime) >= end) return
      const text = `${record.name} says ${n}`
      const posted = yield* Effect.either(client.post(record.name, text))
      if (posted._tag === 'Left')
        return posted.left._tag === 'Refused' ? undefined : yield* Effect.fail(posted.left)
      record.accepted.set(posted.right, text)
    }
  })

const read = (client: Client, record: Record): Effect.Effect<unknown, unknown, void> =>
  pipe(
    client.news,
    Stream.forEach((posts) => Effect.sync(() => void record.seen.push(...posts)))
  )

/** Whether a shutdown has begun. */
const isShuttingDown = Effect.map(O.isNone)(CancelScope.untilDrain(Effect.unit))

/** Done when as many have come as there are clients. */
const countdown = (clients: number): Effect.Effect<unknown, never, Countdown> =>
  Effect.map((zero: Event.Event): Countdown => {
    let left = clients
    return { arrive: Effect.suspend(() => (--left === 0 ? zero.set : Effect.unit)), wait: zero.wait }
  })(Event.make())

interface Countdown {
  readonly arrive: Effect.Effect<unknown, never, void>
  readonly wait: Effect.Effect<unknown, never, void>
}

/** All of them side by side: they connect, then post at the same time, and `whenWritten` runs when all have done so. */
export const run = (
  options: Options,
  load: Load,
  records: Array<Record>,
  whenWritten: Effect.Effect<unknown, never, void>
): Effect.Effect<unknown, unknown, void> =>
  Effect.gen(function* () {
    const connected = yield* countdown(load.clients)
    const written = yield* countdown(load.clients)

    /** One client, from its connection until the server has closed it. */
    const oneClient = (name: string) => (client: Client) =>
      Effect.gen(function* () {
        const record: Record = { name, accepted: new Map(), seen: [] }
        records.push(record)
        yield* client.follow(0)
        const writing = pipe(
          // Its answer comes after the server has read that this client follows.
          client.list(0),
          Effect.andThen(connected.arrive),
          Effect.andThen(CancelScope.untilDrain(connected.wait)),
          Effect.andThen(write(client, record, load)),
          // The server may leave while an answer is awaited; what has no answer was not accepted.
          Effect.catchTag('Gone', () => Effect.unit),
          Effect.catchTag('Refused', () => Effect.unit),
          Effect.andThen(written.arrive)
        )
        yield* pipe(writing, Concurrent.both(read(client, record)))
      })
    const all = Concurrent.forEach((i: number) => {
      const client = Resource.use(oneClient(`client ${i + 1}`))(connect(options))
      // Who has not got in before the server leaves is not served.
      return Effect.orElse((error: unknown) =>
        Effect.flatMap((leaving: boolean) => (leaving ? Effect.unit : Effect.fail(error)))(isShuttingDown)
      )(client)
    })(Array.from({ length: load.clients }, (_, i) => i))
    const end = Effect.andThen(whenWritten)(CancelScope.untilDrain(written.wait))
    yield* pipe(all, Concurrent.both(end))
  })

/** What is wrong with what the clients were told, a line each; none when all is right. */
export const mistakes = (records: ReadonlyArray<Record>, posts: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const { name, accepted, seen } of records) {
    if (seen.length !== posts) found.push(`${name} saw ${seen.length} of ${posts} posts`)
    seen.forEach(({ id }, i) => {
      if (id !== i + 1) found.push(`${name} saw post ${id} in place ${i + 1}`)
    })
    for (const [id, text] of accepted) {
      if (seen[id - 1]?.text !== text) found.push(`${name} does not find its own post ${id}`)
    }
  }
  const accepted = records.reduce((sum, record) => sum + record.accepted.size, 0)
  // A post may be accepted and its author gone before it heard of that; the other way round it would be lost.
  if (accepted > posts) found.push(`${accepted} posts were accepted, and ${posts} are on the board`)
  return found
}
