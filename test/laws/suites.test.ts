/** Suites for resources and streams of one's own: honest ones pass, and each broken one fails a law that says what is wrong. */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Exit, MemoryStream, Resource } from 'millrace'
import {
  checkAll,
  flatten,
  type LawSet,
  type Ledger,
  Monoid,
  objectStream,
  type Receiver,
  resource,
  type Sender,
  type Params,
  quick
} from 'millrace/laws'

/** What is broken has to be found soon, and the same way each time. */
const few: Params = { ...quick, runs: 120 }

const { andThen, sleep, sync } = Effect

/** The laws that fail; what is undecided fails the test. */
const falsified = (rules: LawSet): ReadonlyArray<string> =>
  flatten(rules).flatMap((law) => {
    const verdict = law.check(few)
    expect(verdict._tag, law.name).to.not.equal('Undecided')
    return verdict._tag === 'Falsified' ? [law.name] : []
  })

// ---- resources

const connected = (ledger: Ledger) => sync(() => ledger.acquire('connection'))
const disconnected = (ledger: Ledger) => sync(() => ledger.release('connection'))

/** Takes a while to connect and to disconnect. */
const connection = (ledger: Ledger) =>
  Resource.make(pipe(sleep(2), andThen(connected(ledger))), () =>
    pipe(sleep(1), andThen(disconnected(ledger)))
  )

checkAll(resource(connection)({ name: 'a connection' }))
checkAll(
  resource((ledger) =>
    pipe(
      connection(ledger),
      Resource.flatMap(() =>
        Resource.ApplicativePar.ap(
          Resource.of(() => 1),
          connection(ledger)
        )
      )
    )
  )({ name: 'resources of resources', use: () => Effect.checkpoint })
)

const broken: Readonly<Record<string, (ledger: Ledger) => Resource.Resource<unknown, unknown, unknown>>> = {
  'counts before it may be cancelled': (ledger) =>
    Resource.make(pipe(connected(ledger), andThen(sleep(2))), () => disconnected(ledger)),
  'registers its release too late': (ledger) =>
    Resource.fromUse((use) =>
      pipe(
        connected(ledger),
        andThen(Effect.checkpoint),
        andThen(Effect.bracket(Effect.unit, use, () => disconnected(ledger)))
      )
    ),
  'is released only after a value': (ledger) =>
    Resource.fromUse((use) =>
      pipe(
        connected(ledger),
        Effect.flatMap(() => use(undefined)),
        Effect.tap(() => disconnected(ledger))
      )
    ),
  'is not released when it is cancelled': (ledger) =>
    Resource.make(connected(ledger), (_a, exit) => (isCancelled(exit) ? Effect.unit : disconnected(ledger))),
  'is released twice': (ledger) =>
    Resource.make(connected(ledger), () => andThen(disconnected(ledger))(disconnected(ledger))),
  'is released before its use': (ledger) =>
    Resource.fromEffect(andThen(disconnected(ledger))(connected(ledger))),
  'is released during its use': (ledger) =>
    Resource.map(() => andThen(sleep(1))(disconnected(ledger)))(Resource.fromEffect(connected(ledger))),
  'is acquired by being made': (ledger) => {
    ledger.acquire('connection')
    return Resource.make(Effect.unit, () => disconnected(ledger))
  },
  'serves once': (ledger) => {
    let open = true
    return Resource.make(
      Effect.suspend((): Effect.Effect<unknown, string, void> =>
        open ? connected(ledger) : Effect.fail('closed')
      ),
      () =>
        sync(() => {
          open = false
          ledger.release('connection')
        })
    )
  },
  'keeps no books': () => Resource.of(1)
}

const isCancelled = (exit: Exit.Exit<unknown, unknown>) =>
  exit._tag === 'Left' && exit.left._tag === 'Cancelled'

/** Runs what the resource gives, if it is something to run. */
const useOf = (a: unknown): Effect.Effect<unknown, unknown, unknown> =>
  typeof a === 'object' && a !== null ? (a as Effect.Effect<unknown, unknown, unknown>) : sleep(1)

// ---- streams

interface Bugs {
  readonly servesTheLast?: true
  readonly givesTheLast?: true
  readonly losesOnCancel?: true
  readonly leavesSendersInLine?: true
  readonly leavesReceiversInLine?: true
  readonly dropsBufferOnClose?: true
  readonly forgetsWaitingReceivers?: true
  readonly forgetsWaitingSenders?: true
  readonly sendsInCancelledScopes?: true
  readonly takesInCancelledScopes?: true
  readonly checksAfterCommit?: true
  readonly hasOneMore?: true
  readonly hasOneLess?: true
  readonly returnsEarly?: true
  readonly countsClosesTwice?: true
  readonly ignoresClones?: true
  readonly endsOnce?: true
  readonly sendsAfterClose?: true
  readonly repeats?: true
  readonly closesWhenNotCancelled?: true
}

interface Waiting<A> {
  readonly item: number
  readonly resume: (exit: Exit.Exit<unknown, A>) => void
}

/** A stream as one might write it, on callbacks. */
const naive =
  (bugs: Bugs) =>
  (room: number): Effect.Effect<unknown, never, readonly [Sender, Receiver]> =>
    sync(() => {
      const capacity =
        bugs.hasOneMore === true ? room + 1 : bugs.hasOneLess === true && room > 0 ? room - 1 : room
      let buffer: Array<number> = []
      const senders: Array<Waiting<void>> = []
      const receivers: Array<Waiting<number>> = []
      let open = 0
      let openReceivers = 0
      let saidTheEnd = false

      const next = <A>(line: Array<A>): A | undefined =>
        bugs.servesTheLast === true ? line.pop() : line.shift()
      const take = (): number | undefined => {
        const sender = next(senders)
        if (sender !== undefined) {
          buffer.push(sender.item)
          sender.resume(Exit.succeed(undefined))
        }
        return bugs.givesTheLast === true ? buffer.pop() : buffer.shift()
      }
      const look = (unless: true | undefined) => (unless === true ? Effect.unit : Effect.checkCancelled)
      const wait = <A>(line: Array<Waiting<A>>, item: number, stays: true | undefined) =>
        Effect.async<unknown, A>((resume) => {
          const me = { item, resume }
          line.push(me)
          return () => {
            if (stays !== true && line.includes(me)) line.splice(line.indexOf(me), 1)
          }
        })
      const committed = bugs.checksAfterCommit === true ? Effect.checkpoint : Effect.unit

      const sender = (): Sender => {
        let closed = false
        open++
        const close = sync(() => {
          if (closed && bugs.countsClosesTwice !== true) return
          closed = true
          open--
          if (bugs.ignoresClones === true) open = 0
          if (open > 0) return
          if (bugs.dropsBufferOnClose === true) buffer = []
          if (bugs.forgetsWaitingReceivers === true) return
          while (receivers.length > 0) next(receivers)?.resume(Exit.fail({ _tag: 'EndOfStream' }))
        })
        const send = (item: number): Effect.Effect<unknown, unknown, void> =>
          Effect.suspend((): Effect.Effect<unknown, unknown, void> => {
            if (closed && bugs.sendsAfterClose !== true) return Effect.fail('closed')
            if (openReceivers <= 0) return Effect.fail('broken')
            const receiver = next(receivers)
            if (receiver !== undefined) {
              receiver.resume(Exit.succeed(item))
              if (bugs.repeats === true) buffer.push(item)
              return committed
            }
            if (buffer.length < capacity || bugs.returnsEarly === true) {
              buffer.push(item)
              return committed
            }
            return andThen(committed)(wait(senders, item, bugs.leavesSendersInLine))
          })
        return {
          send: (item) => andThen(send(item))(look(bugs.sendsInCancelledScopes)),
          close: bugs.closesWhenNotCancelled === true ? andThen(close)(Effect.checkCancelled) : close,
          get clone() {
            return sync(sender)
          }
        }
      }

      const receiver = (): Receiver => {
        let closed = false
        openReceivers++
        const received = (item: number): Effect.Effect<unknown, unknown, number> =>
          bugs.losesOnCancel === true ? Effect.as(item)(Effect.checkpoint) : Effect.succeed(item)
        const take_ = Effect.suspend((): Effect.Effect<unknown, unknown, number> => {
          if (closed) return Effect.fail('closed')
          const item = take()
          if (item !== undefined) return received(item)
          if (open <= 0 && !(bugs.endsOnce === true && saidTheEnd)) {
            saidTheEnd = true
            return Effect.fail({ _tag: 'EndOfStream' })
          }
          return Effect.flatMap(received)(wait(receivers, 0, bugs.leavesReceiversInLine))
        })
        return {
          receive: andThen(take_)(look(bugs.takesInCancelledScopes)),
          close: sync(() => {
            if (closed) return
            closed = true
            openReceivers--
            if (openReceivers > 0 || bugs.forgetsWaitingSenders === true) return
            while (senders.length > 0) next(senders)?.resume(Exit.fail('broken'))
          }),
          get clone() {
            return sync(receiver)
          }
        }
      }
      return [sender(), receiver()] as const
    })

const suite = (bugs: Bugs, clone = true) =>
  objectStream({ make: naive(bugs), capacities: [0, 1, 3], clone, rendezvous: true, name: 'a naive stream' })

checkAll(suite({}))
checkAll(suite({}, false))
checkAll(
  objectStream({
    make: (n) => MemoryStream.make<number>(n),
    capacities: [Infinity],
    name: 'an unbounded stream'
  })
)

const mutants: ReadonlyArray<readonly [keyof Bugs, string]> = [
  ['servesTheLast', 'C2 senders that wait'],
  ['givesTheLast', 'C2 order'],
  ['losesOnCancel', 'C1 conservation'],
  ['leavesSendersInLine', 'C5 a waiting send'],
  ['leavesReceiversInLine', 'C5 an item'],
  ['dropsBufferOnClose', 'C6 what was sent'],
  ['forgetsWaitingReceivers', 'C6 closing wakes'],
  ['forgetsWaitingSenders', 'C6 when the receiver'],
  ['sendsInCancelledScopes', 'C4 a send'],
  ['takesInCancelledScopes', 'C4 a receive'],
  ['checksAfterCommit', 'C1 conservation'],
  ['hasOneMore', 'C3 a send'],
  ['hasOneLess', 'C8 as many'],
  ['returnsEarly', 'C3 bound'],
  ['countsClosesTwice', 'C6 the stream ends'],
  ['ignoresClones', 'C6 the stream ends'],
  ['endsOnce', 'C6 what was sent'],
  ['sendsAfterClose', 'C6 an end that was closed'],
  ['repeats', 'C1 conservation'],
  ['closesWhenNotCancelled', 'C6 closing wakes']
]

describe('the suite for resources', () => {
  for (const [what, make] of Object.entries(broken)) {
    it(`fails for one that ${what}`, () => {
      expect(falsified(resource(make)({ use: useOf }))).to.not.deep.equal([])
    })
  }

  it('says at which turn it was cancelled, and what is left', () => {
    const make = broken['counts before it may be cancelled']!
    const law = flatten(resource(make)()).find(({ name }) => name.startsWith('resource cancellation'))!
    const verdict = law.check(few)
    expect(verdict).to.have.property('_tag', 'Falsified')
    expect(verdict)
      .to.have.property('report')
      .that.matches(/cancelled before turn \d+ of \d+ its connection was acquired 1 and released 0 times/)
  })
})

describe('the suite for object streams', () => {
  const found = new Map<string, ReadonlyArray<string>>()
  for (const [bug, law] of mutants) {
    it(`fails for one that ${bug}`, () => {
      const failed = falsified(suite({ [bug]: true }))
      found.set(bug, failed)
      expect(failed.map((name) => name.slice(0, law.length))).to.include(law)
    })
  }

  it('laws of two streams do not hide each other', () => {
    const one = flatten(suite({})).length
    expect(flatten(Monoid.concat(suite({}), suite({ repeats: true })))).to.have.length(2 * one)
  })

  it('has no law that no broken stream fails', () => {
    const killing = new Set([...found.values()].flat())
    expect(
      flatten(suite({}))
        .map(({ name }) => name)
        .filter((name) => !killing.has(name))
    ).to.deep.equal([])
  })
})
