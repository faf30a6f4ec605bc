/**
 * A suite for object streams of your own: what everybody who sends and receives relies on.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, type ObjectStream, TaskGroup } from 'millrace'
import { invariant, lines, type Observation, type Side } from './Equality.js'
import { groupFor, type Law, type LawSet, lawSet } from './LawSet.js'
import {
  acts,
  cancelled,
  type Cut,
  cuts,
  cutShort,
  expectWords,
  repeat,
  showCut,
  showWaits,
  waitFor
} from './Actors.js'
import { printInputs } from './Program.js'
import { show } from './Show.js'
import type { Fx, World } from './World.js'

const { andThen, sleep } = Effect

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A sending end, perhaps with clones.
 *
 * @category streams
 * @since 0.1.0
 */
export interface Sender extends Pick<ObjectStream.SendStream<number, unknown>, 'send' | 'close'> {
  readonly clone?: Effect.Effect<unknown, unknown, Sender>
}

/** @category streams */
export interface Receiver extends Pick<ObjectStream.ReceiveStream<number, unknown>, 'receive' | 'close'> {
  readonly clone?: Effect.Effect<unknown, unknown, Receiver>
}

/**
 * What a stream claims.
 *
 * @category streams
 * @since 0.1.0
 */
export interface ObjectStreamClaims {
  /** Two connected ends with room for so many items. */
  readonly make: (capacity: number) => Effect.Effect<unknown, never, readonly [Sender, Receiver]>
  readonly capacities: ReadonlyArray<number>
  /** Both ends have clones, and the stream is closed when all clones of an end are. */
  readonly clone?: boolean
  /** A send ends only when there is room or the item was taken, so that the capacity is a bound. */
  readonly rendezvous?: boolean
  /** Of the set. */
  readonly name?: string
}

/** What one task does. */
interface Actor {
  readonly role: 'send' | 'receive'
  readonly acts: ReadonlyArray<number>
  /** Whether and when it is cancelled. */
  readonly cut: Cut
}

interface Script {
  readonly capacity: number
  readonly actors: ReadonlyArray<Actor>
}

const showScript = ({ capacity, actors }: Script): string =>
  [
    `  capacity ${capacity}`,
    ...actors.map(({ role, acts, cut }) => `  ${role}, ${showWaits(acts)}${showCut(cut)}`)
  ].join('\n')

const actorsOf = (role: Actor['role']): fc.Arbitrary<Actor> =>
  fc.record({ role: fc.constant(role), acts, cut: cuts })

/** When all else is at rest: durations above are shorter. */
const late = 50

const cloneOf = <A>(end: {
  readonly clone?: Effect.Effect<unknown, unknown, A>
}): Effect.Effect<unknown, unknown, A> =>
  end.clone ?? Effect.die(new TypeError('The stream claims clones, but an end has none.'))

const noteEnd =
  (world: World, what: string) =>
  (exit: { readonly _tag: 'Left' | 'Right' }): Fx =>
    world.tick(`${what} ${show(exit)}`)

/** What was sent, and what came out, in order: `sent 1`, `got 1`, and `left 1` for what nobody had taken. */
const traffic =
  (make: ObjectStreamClaims['make'], clone: boolean, { capacity, actors }: Script): Side =>
  (world) =>
    Effect.gen(function* () {
      const [send, receive] = yield* make(capacity)
      yield* TaskGroup.open<unknown>()((group) =>
        Effect.gen(function* () {
          let item = 0
          for (const { role, acts, cut } of actors) {
            const items = acts.map((wait) => ({ wait, item: ++item }))
            if (role === 'send') {
              const end = clone ? yield* cloneOf(send) : send
              const body = items.reduce(
                (fx: Fx, { wait, item }) =>
                  pipe(
                    fx,
                    andThen(waitFor(wait)),
                    andThen(end.send(item)),
                    andThen(world.tick(`sent ${item}`))
                  ),
                Effect.unit
              )
              yield* group.spawn(Effect.ensuring(end.close)(cutShort(cut, body)))
            } else {
              const end = clone ? yield* cloneOf(receive) : receive
              const body = items.reduce(
                (fx: Fx, { wait }) =>
                  pipe(
                    fx,
                    andThen(waitFor(wait)),
                    andThen(world.tick('asks')),
                    andThen(Effect.flatMap((got: number) => world.tick(`got ${got}`))(end.receive))
                  ),
                Effect.unit
              )
              const ended = Effect.exit(cutShort(cut, body))
              yield* group.spawn(clone ? Effect.ensuring(end.close)(ended) : ended)
            }
          }
          if (clone || !actors.some(({ role }) => role === 'send')) yield* send.close
          yield* sleep(late)
          const next: Fx = Effect.flatMap((got: number) =>
            andThen(Effect.suspend(() => drain))(world.tick(`left ${got}`))
          )(receive.receive)
          const drain = andThen(next)(world.tick('asks'))
          yield* pipe(Effect.exit(drain), Effect.flatMap(noteEnd(world, 'then')))
          yield* receive.close
        })
      )
    })

interface Line {
  readonly what: string
  readonly item: number
  readonly time: number
}

const parsed = ({ trace }: Observation): ReadonlyArray<Line> =>
  trace.flatMap((line) => {
    const [, what, item, time] = /^(sent|got|left) (\d+)@([\d.]+)$/.exec(line) ?? []
    return what === undefined ? [] : [{ what, item: Number(item), time: Number(time) }]
  })

/** When receives began. What they took they may give later. */
const asked = ({ trace }: Observation): ReadonlyArray<number> =>
  trace.flatMap((line) => (line.startsWith('asks@') ? [Number(line.slice('asks@'.length))] : []))

const conserved = (observation: Observation): string | null => {
  if (!observation.exit.startsWith('Right')) return 'somebody waits for ever, or fails'
  const found = parsed(observation)
  const sent = found.filter(({ what }) => what === 'sent').map(({ item }) => item)
  const out = found.filter(({ what }) => what !== 'sent').map(({ item }) => item)
  const twice = out.find((item, i) => out.indexOf(item) !== i)
  if (twice !== undefined) return `${twice} came out twice`
  const lost = sent.find((item) => !out.includes(item))
  if (lost !== undefined) return `${lost} was sent, and never came out`
  const phantom = out.find((item) => !sent.includes(item))
  return phantom === undefined ? null : `${phantom} came out, but its send did not happen`
}

const isFailure = ({ exit }: { readonly exit: string }): boolean => exit.startsWith('Left(Fail(')

/** Whether each of the noted ends is a failure, and neither a defect nor a cancellation. */
const allFail =
  (count: number, word: string) =>
  (observation: Observation): string | null => {
    if (!observation.exit.startsWith('Right')) return 'somebody waits for ever, or fails'
    const ends = lines(observation).filter((line) => line.startsWith(word))
    if (ends.length !== count) return `expected ${count} of ${word}, found ${ends.join(', ')}`
    return ends.every((line) => isFailure({ exit: line.slice(word.length + 1) }))
      ? null
      : `not all fail: ${ends.join(', ')}`
  }

const ended = 'Left(Fail(EndOfStream))'

/**
 * Laws of a pair of connected object streams: items are conserved and keep their order, whoever is cancelled and whenever;
 * closing says that this is all. `clone` and `rendezvous` claim more.
 *
 * @example
 * import { MemoryStream } from 'millrace'
 * import { assertLaws, objectStream } from 'millrace/laws'
 *
 * assertLaws(
 *   objectStream({
 *     make: (capacity) => MemoryStream.make<number>(capacity),
 *     capacities: [0, 1],
 *     clone: true,
 *     rendezvous: true
 *   })
 * )
 *
 * @category streams
 * @since 0.1.0
 */
export const objectStream = ({
  make,
  capacities,
  clone = false,
  rendezvous = false,
  name = 'an object stream'
}: ObjectStreamClaims): LawSet => {
  const group = groupFor(name)
  const capacity = fc.constantFrom(...capacities)
  const several = { minLength: 1, maxLength: clone ? 3 : 1 }
  const script: fc.Arbitrary<Script> = fc
    .record({
      capacity,
      senders: fc.array(actorsOf('send'), several),
      receivers: fc.array(actorsOf('receive'), several)
    })
    .map(({ capacity, senders, receivers }) => ({ capacity, actors: [...senders, ...receivers] }))
  const run = (script: Script): Side => traffic(make, clone, script)

  /** A law about one small program, for each capacity and a number of items. */
  const aboutSome = (
    some: ReadonlyArray<number>,
    name: string,
    body: (parts: {
      readonly world: World
      readonly send: Sender
      readonly receive: Receiver
      readonly group: TaskGroup.TaskGroup<unknown>
      readonly capacity: number
      readonly n: number
    }) => Fx,
    check: (
      observation: Observation,
      input: { readonly capacity: number; readonly n: number }
    ) => string | null,
    more: fc.Arbitrary<number> = fc.nat(3)
  ): Law =>
    invariant({
      name,
      group,
      effort: 0.1,
      input: fc.record({ capacity: fc.constantFrom(...some), n: more }),
      show: printInputs,
      run:
        ({ capacity, n }) =>
        (world) =>
          Effect.flatMap(([send, receive]: readonly [Sender, Receiver]) =>
            Effect.ensuring(andThen(receive.close)(send.close))(
              TaskGroup.open<unknown>()((group) => body({ world, send, receive, group, capacity, n }))
            )
          )(make(capacity)),
      check
    })

  type About = Parameters<typeof aboutSome> extends readonly [unknown, ...infer Rest] ? Rest : never
  const about = (...rest: About): Law => aboutSome(capacities, ...rest)
  /** About streams that can be full. */
  const limits = capacities.filter(Number.isFinite)
  const aboutFull = (...rest: About): ReadonlyArray<Law> =>
    limits.length === 0 ? [] : [aboutSome(limits, ...rest)]

  const got = (world: World, receive: Receiver, who = ''): Fx =>
    Effect.flatMap((item: number) => world.tick(`got ${who}${item}`))(receive.receive)

  const always: ReadonlyArray<Law> = [
    invariant({
      name: 'C1 conservation: what was sent comes out once or is still inside, and nothing else, whoever is cancelled and when',
      group,
      effort: 0.6,
      input: script,
      show: showScript,
      run,
      check: conserved
    }),
    invariant({
      name: 'C2 order: items of one sender come out in their order',
      group,
      effort: 0.2,
      input: script,
      show: showScript,
      run,
      check: (observation, { actors }) => {
        // With several receivers the order of the notes is not that of the items.
        if (actors.filter(({ role }) => role === 'receive').length > 1) return null
        const out = parsed(observation).filter(({ what }) => what !== 'sent')
        let start = 0
        for (const { role, acts } of actors) {
          const mine = out
            .map(({ item }) => item)
            .filter((item) => item > start && item <= start + acts.length)
          if (role === 'send' && mine.some((item, i) => i > 0 && item < mine[i - 1]!))
            return `order: ${mine.join(', ')}`
          start += acts.length
        }
        return null
      }
    }),
    about(
      'C4 a send that is cancelled before it began sends nothing, also where it could at once',
      ({ world, send, receive, group }) =>
        Effect.gen(function* () {
          yield* group.spawn(got(world, receive))
          yield* sleep(1)
          yield* cancelled(send.send(1))
          yield* sleep(1)
          yield* send.send(2)
        }),
      expectWords('got 2', 'got')
    ),
    about(
      'C4 a receive that is cancelled before it began takes nothing, also where it could at once',
      ({ world, send, receive, group }) =>
        Effect.gen(function* () {
          yield* group.spawn(send.send(1))
          yield* sleep(1)
          yield* cancelled(got(world, receive))
          yield* got(world, receive)
        }),
      expectWords('got 1', 'got')
    ),
    about(
      'C5 an item does not go to a receiver that was cancelled, also in the same turn',
      ({ world, send, receive, group }) =>
        Effect.gen(function* () {
          const task = yield* group.spawn(got(world, receive, 'wrongly '))
          yield* sleep(1)
          yield* task.cancel()
          yield* group.spawn(send.send(1))
          yield* got(world, receive)
        }),
      expectWords('got 1', 'got')
    ),
    about(
      'C5 a waiting send that is cancelled sends nothing, also in the same turn',
      ({ world, send, receive, group, n }) =>
        Effect.gen(function* () {
          const filler = yield* group.spawn(repeat(n, (i) => andThen(world.tick('sent'))(send.send(i))))
          yield* sleep(1)
          const task = yield* group.spawn(andThen(world.tick('sent'))(send.send(100)))
          yield* sleep(1)
          yield* task.cancel()
          yield* filler.cancel()
          yield* group.spawn(send.close)
          const drain: Fx = Effect.flatMap((item: number) =>
            andThen(Effect.suspend(() => drain))(world.tick(`got ${item}`))
          )(receive.receive)
          yield* Effect.exit(drain)
        }),
      (observation) => {
        if (!observation.exit.startsWith('Right')) return 'somebody waits for ever, or fails'
        const count = (word: string) => lines(observation).filter((line) => line.startsWith(word)).length
        return count('sent') === count('got') ? null : `${count('sent')} were sent, ${count('got')} came out`
      },
      fc.nat(4)
    ),
    about(
      'C6 what was sent before the end comes out before the end, and the end stays',
      ({ world, send, receive, group, n }) =>
        Effect.gen(function* () {
          yield* group.spawn(andThen(send.close)(repeat(n, (i) => send.send(i))))
          yield* sleep(1)
          yield* repeat(n, () => got(world, receive))
          for (let i = 0; i < 3; i++)
            yield* pipe(Effect.exit(receive.receive), Effect.flatMap(noteEnd(world, 'then')))
        }),
      (observation, { n }) =>
        expectWords(
          [
            ...Array.from({ length: n }, (_, i) => `got ${i}`),
            ...Array.from({ length: 3 }, () => `then ${ended}`)
          ].join(', '),
          'got',
          'then'
        )(observation)
    ),
    about(
      'C6 closing wakes a receiver that waits, in a cancelled scope too, and closing twice is closing once',
      ({ world, send, receive, group, n }) =>
        Effect.gen(function* () {
          yield* group.spawn(pipe(Effect.exit(receive.receive), Effect.flatMap(noteEnd(world, 'then'))))
          yield* sleep(1)
          yield* n % 2 === 0 ? send.close : cancelled(send.close)
          yield* sleep(1)
          yield* world.tick('then again')
          yield* send.close
        }),
      expectWords(`then ${ended}, then again`, 'then')
    ),
    ...aboutFull(
      'C6 when the receiver has closed, sends fail, those that wait too',
      ({ world, send, receive, group, n, capacity }) =>
        Effect.gen(function* () {
          yield* group.spawn(
            pipe(
              Effect.exit(repeat(capacity + 1, (i) => send.send(i))),
              Effect.flatMap(noteEnd(world, 'send'))
            )
          )
          yield* sleep(1)
          yield* n % 2 === 0 ? receive.close : cancelled(receive.close)
          yield* pipe(Effect.exit(send.send(7)), Effect.flatMap(noteEnd(world, 'send')))
        }),
      allFail(2, 'send')
    ),
    about(
      'C6 an end that was closed neither sends nor receives',
      ({ world, send, receive }) =>
        Effect.gen(function* () {
          yield* send.close
          yield* pipe(Effect.exit(send.send(1)), Effect.flatMap(noteEnd(world, 'closed')))
          yield* receive.close
          yield* pipe(Effect.exit(receive.receive), Effect.flatMap(noteEnd(world, 'closed')))
        }),
      allFail(2, 'closed')
    ),
    about(
      'C8 as many sends as there is room for do not wait',
      ({ world, send, capacity, n }) =>
        andThen(world.tick('sent all'))(repeat(Math.min(capacity, n), (i) => send.send(i))),
      expectWords('sent all', 'sent')
    )
  ]

  const bounded: ReadonlyArray<Law> = [
    invariant({
      name: 'C3 bound: whenever all wait, no more was sent than was asked for and there is room for',
      group,
      effort: 0.3,
      input: script,
      show: showScript,
      run,
      check: (observation, { capacity }) => {
        const sent = parsed(observation).filter(({ what }) => what === 'sent')
        const begun = asked(observation)
        for (const [i, { time }] of sent.entries()) {
          const until = begun.filter((at) => at <= time).length
          if (i + 1 - until > capacity) return `after ${time} ms ${i + 1} were sent, and ${until} asked for`
        }
        return null
      }
    }),
    ...aboutFull(
      'C3 a send into a full stream waits for a receiver',
      ({ world, send, receive, group, capacity }) =>
        Effect.gen(function* () {
          yield* repeat(capacity, (i) => send.send(i))
          yield* group.spawn(andThen(world.tick('sent'))(send.send(capacity)))
          yield* sleep(5)
          yield* world.tick('received')
          yield* receive.receive
          yield* sleep(1)
        }),
      expectWords('received, sent', 'received', 'sent')
    )
  ]

  const cloned: ReadonlyArray<Law> = [
    ...aboutFull(
      'C2 senders that wait are served in the order in which they came',
      ({ world, send, receive, group, capacity }) =>
        Effect.gen(function* () {
          yield* repeat(capacity, (i) => send.send(i))
          for (let i = 0; i < 3; i++) {
            const end = yield* cloneOf(send)
            yield* group.spawn(Effect.ensuring(end.close)(end.send(capacity + i)))
            yield* sleep(1)
          }
          yield* repeat(capacity + 3, () => got(world, receive))
        }),
      (observation, { capacity }) =>
        expectWords(Array.from({ length: capacity + 3 }, (_, i) => `got ${i}`).join(', '), 'got')(observation)
    ),
    about(
      'C2 receivers that wait are served in the order in which they came',
      ({ world, send, receive, group }) =>
        Effect.gen(function* () {
          for (let i = 0; i < 3; i++) {
            const end = yield* cloneOf(receive)
            yield* group.spawn(Effect.ensuring(end.close)(got(world, end, `at ${i} `)))
            yield* sleep(1)
          }
          for (let i = 0; i < 3; i++) {
            yield* send.send(i)
            yield* sleep(1)
          }
        }),
      expectWords('got at 0 0, got at 1 1, got at 2 2', 'got')
    ),
    about(
      'C6 the stream ends when the last clone closes, and not before; closing a clone twice closes it once',
      ({ world, send, receive, group, n }) =>
        Effect.gen(function* () {
          const ends: Array<Sender> = []
          for (let i = 0; i < n; i++) ends.push(yield* cloneOf(send))
          yield* group.spawn(pipe(Effect.exit(receive.receive), Effect.flatMap(noteEnd(world, 'then'))))
          for (const end of ends) {
            yield* end.close
            yield* end.close
          }
          yield* sleep(1)
          yield* world.tick('then the last')
          yield* send.close
        }),
      expectWords(`then the last, then ${ended}`, 'then')
    ),
    ...aboutFull(
      'C6 senders fail when the last receiving clone closes, and not before',
      ({ world, send, receive, group, n, capacity }) =>
        Effect.gen(function* () {
          const ends: Array<Receiver> = []
          for (let i = 0; i < n; i++) ends.push(yield* cloneOf(receive))
          yield* group.spawn(
            pipe(
              Effect.exit(repeat(capacity + 1, (i) => send.send(i))),
              Effect.flatMap(noteEnd(world, 'send'))
            )
          )
          yield* sleep(1)
          for (const end of ends) {
            yield* end.close
            yield* end.close
          }
          yield* sleep(1)
          yield* world.tick('send the last')
          yield* receive.close
        }),
      (observation) => {
        const [first, second] = lines(observation).filter((line) => line.startsWith('send'))
        if (first !== 'send the last') return `too early: ${first ?? 'nothing'}`
        return second !== undefined && isFailure({ exit: second.slice(5) })
          ? null
          : `then ${second ?? 'nothing'}`
      }
    )
  ]

  return lawSet(name, [...always, ...(rendezvous ? bounded : []), ...(clone ? cloned : [])])
}
