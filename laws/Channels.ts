/**
 * Laws of memory streams: those of every object stream, and of what only they have.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, MemoryStream, Stream, TaskGroup } from 'millrace'
import { expectExit, invariant, lines, type Observation } from './Equality.js'
import { type LawSet, lawSet } from './LawSet.js'
import { objectStream } from './ObjectStreamSuite.js'
import { printInputs } from './Program.js'
import { show } from './Show.js'
import type { Fx, World } from './World.js'

const { andThen } = Effect

const group = 'memory streams'

/**
 * What every object stream promises, of memory streams.
 *
 * @category law sets
 * @since 0.1.0
 */
export const memoryStreamsAsStreams: LawSet = objectStream({
  make: (capacity) => MemoryStream.make<number>(capacity),
  capacities: [0, 1, 3, Infinity],
  clone: true,
  rendezvous: true,
  name: 'memory streams as object streams'
})

// -------------------------------------------------------------------------------------
// beside a queue
// -------------------------------------------------------------------------------------

interface Commands {
  readonly capacity: number
  /** Even: send without waiting; odd: receive without waiting. 8 closes the sending end, 9 the receiving one. */
  readonly commands: ReadonlyArray<number>
}

const commands: fc.Arbitrary<Commands> = fc.record({
  capacity: fc.constantFrom(0, 1, 2, 3, Infinity),
  commands: fc.array(fc.oneof({ weight: 9, arbitrary: fc.nat(7) }, { weight: 1, arbitrary: fc.nat(9) }), {
    maxLength: 20
  })
})

/** A plain queue: what each command has to say, and what is to be seen after it. */
const modelled = ({ capacity, commands }: Commands): ReadonlyArray<string> => {
  let queue: Array<number> = []
  const open = { send: true, receive: true }
  const lines: Array<string> = []
  const refused = (why: string): string => `Left(Fail(${why}))`
  commands.forEach((command, i) => {
    if (command === 8) open.send = false
    else if (command === 9) {
      open.receive = false
      queue = []
    } else if (command % 2 === 0) {
      const full = queue.length >= capacity
      const line = !open.send
        ? refused('ClosedResource')
        : !open.receive
          ? refused('BrokenResource')
          : full
            ? refused('WouldBlock')
            : 'Right(undefined)'
      if (line.startsWith('Right')) queue.push(i)
      lines.push(line)
    } else {
      const item = open.receive ? queue.shift() : undefined
      lines.push(
        !open.receive
          ? refused('ClosedResource')
          : item !== undefined
            ? `Right(${item})`
            : refused(open.send ? 'WouldBlock' : 'EndOfStream')
      )
    }
    lines.push(`${queue.length} of ${capacity}, ${open.send ? 1 : 0} and ${open.receive ? 1 : 0} open`)
  })
  return lines
}

const commanded =
  ({ capacity, commands }: Commands) =>
  (world: World): Fx =>
    Effect.gen(function* () {
      const [send, receive] = yield* MemoryStream.make<number>(capacity)
      for (const [i, command] of commands.entries()) {
        if (command === 8) yield* send.close
        else if (command === 9) yield* receive.close
        else if (command % 2 === 0) yield* world.tick(show(yield* Effect.exit(send.sendNow(i))))
        else yield* world.tick(show(yield* Effect.exit(receive.receiveNow)))
        const { buffered, capacity, openSendStreams, openReceiveStreams } = yield* send.statistics
        yield* world.tick(`${buffered} of ${capacity}, ${openSendStreams} and ${openReceiveStreams} open`)
      }
      yield* send.close
      yield* receive.close
    })

const isSame =
  (expected: ReadonlyArray<string>) =>
  (observation: Observation): string | null =>
    lines(observation).join('; ') === expected.join('; ') ? null : `expected ${expected.join('; ')}`

type Ends = readonly [MemoryStream.MemorySendStream<number>, MemoryStream.MemoryReceiveStream<number>]

const closing = <R, E, A>(
  capacity: number,
  use: (ends: Ends) => Effect.Effect<R, E, A>
): Effect.Effect<R, E, A> =>
  Effect.bracket(MemoryStream.make<number>(capacity), use, ([send, receive]) =>
    andThen(receive.close)(send.close)
  )

/** An operation that gives up where another would wait. */
const orWait = (fx: Effect.Effect<unknown, unknown, unknown>): Fx =>
  pipe(
    fx,
    Effect.orElse((): Fx => Effect.never)
  )

/**
 * What only memory streams have.
 *
 * @category law sets
 * @since 0.1.0
 */
export const memoryStreams: LawSet = lawSet('memory streams', [
  invariant({
    name: 'C7 sendNow and receiveNow do what a plain queue does, and never wait',
    group,
    input: commands,
    show: printInputs,
    run: commanded,
    check: (observation, input) => isSame(modelled(input))(observation)
  }),
  invariant({
    name: 'C7 sendNow succeeds exactly where send would not wait, and so for receive',
    group,
    input: fc.record({ capacity: fc.constantFrom(0, 1, 2), filled: fc.nat(2), waiting: fc.boolean() }),
    show: printInputs,
    effort: 0.2,
    run:
      ({ capacity, filled, waiting }) =>
      (world) => {
        /** Whether an operation takes no time, beside somebody who waits. */
        const ends = (of: (...ends: Ends) => Fx) =>
          closing(capacity, ([send, receive]) =>
            TaskGroup.open<unknown>()((tasks) =>
              Effect.gen(function* () {
                for (let i = 0; i < Math.min(capacity, filled); i++) yield* send.send(i)
                if (waiting) {
                  const fx: Effect.Effect<unknown, unknown, unknown> =
                    filled > 0 ? send.send(9) : receive.receive
                  yield* tasks.spawn(fx, { service: true })
                }
                yield* Effect.sleep(1)
                const task = yield* tasks.spawn(Effect.exit(of(send, receive)))
                yield* Effect.sleep(1)
                const end = yield* task.poll
                yield* task.cancel()
                return end._tag === 'Some'
              })
            )
          )
        return Effect.gen(function* () {
          const sends = yield* ends((send) => send.send(7))
          const sendsNow = yield* ends((send) => orWait(send.sendNow(7)))
          const receives = yield* ends((_send, receive) => receive.receive)
          const receivesNow = yield* ends((_send, receive) => orWait(receive.receiveNow))
          yield* world.tick(`send ${show(sends === sendsNow)}, receive ${show(receives === receivesNow)}`)
        })
      },
    check: (observation) => isSame(['send true, receive true'])(observation)
  }),
  invariant({
    name: 'C9 the statistics count what waits, also when it was cancelled',
    group,
    input: fc.record({ senders: fc.nat(3), receivers: fc.nat(3), cancelled: fc.nat(3) }),
    show: printInputs,
    effort: 0.1,
    run:
      ({ senders, receivers, cancelled }) =>
      (world) =>
        closing(0, ([send, receive]) =>
          TaskGroup.open<unknown>()((tasks) =>
            Effect.gen(function* () {
              const all = []
              const waiting: Effect.Effect<unknown, unknown, unknown> =
                senders > 0 ? send.send(1) : receive.receive
              const count = senders > 0 ? senders : receivers
              for (let i = 0; i < count; i++) all.push(yield* tasks.spawn(waiting, { service: true }))
              yield* Effect.sleep(1)
              for (const task of all.slice(0, cancelled)) yield* task.cancel()
              yield* Effect.sleep(1)
              const { tasksWaitingSend, tasksWaitingReceive } = yield* receive.statistics
              yield* world.tick(`${tasksWaitingSend} and ${tasksWaitingReceive}`)
            })
          )
        ),
    check: (observation, { senders, receivers, cancelled }) => {
      const left = Math.max(0, (senders > 0 ? senders : receivers) - cancelled)
      return isSame([senders > 0 ? `${left} and 0` : `0 and ${left}`])(observation)
    }
  }),
  invariant({
    name: 'C10 clones are exchangeable: which of them sends and receives makes no difference',
    group,
    input: fc.record({
      capacity: fc.constantFrom(1, 3, Infinity),
      by: fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 6 })
    }),
    show: printInputs,
    effort: 0.2,
    run:
      ({ capacity, by }) =>
      (world) =>
        closing(capacity, ([send, receive]) =>
          Effect.gen(function* () {
            const senders = [send, yield* send.clone, yield* send.clone]
            const receivers = [receive, yield* receive.clone, yield* receive.clone]
            for (const [i, [from, to]] of by.entries()) {
              yield* senders[from]!.send(i)
              yield* world.tick(String(yield* receivers[to]!.receive))
            }
            for (const end of [...senders, ...receivers]) yield* end.close
          })
        ),
    check: (observation, { by }) => isSame(by.map((_, i) => String(i)))(observation)
  }),
  invariant({
    name: 'C11 forEach and iteration visit what was sent, in order, and end with the stream',
    group,
    input: fc.record({
      capacity: fc.constantFrom(0, 1, Infinity),
      n: fc.nat(4),
      how: fc.constantFrom('forEach', 'fold')
    }),
    show: printInputs,
    effort: 0.2,
    run:
      ({ capacity, n, how }) =>
      (world) =>
        closing(capacity, ([send, receive]) =>
          TaskGroup.open<unknown>()((tasks) =>
            Effect.gen(function* () {
              const items = Array.from({ length: n }, (_, i) => i)
              yield* tasks.spawn(
                Effect.ensuring(send.close)(Effect.forEach((i: number) => send.send(i))(items))
              )
              if (how === 'forEach') yield* Stream.forEach((i: number) => world.tick(String(i)))(receive)
              else {
                const all = yield* Stream.fold([] as ReadonlyArray<number>, (seen, i: number) => [
                  ...seen,
                  i
                ])(receive)
                for (const i of all) yield* world.tick(String(i))
              }
              return 'ended'
            })
          )
        ),
    check: (observation, { n }) =>
      expectExit('Right("ended")')(observation) ??
      isSame(Array.from({ length: n }, (_, i) => String(i)))(observation)
  })
])

/**
 * All laws of memory streams.
 *
 * @category law sets
 * @since 0.1.0
 */
export const channels: LawSet = lawSet('channels', [], [memoryStreamsAsStreams, memoryStreams])
