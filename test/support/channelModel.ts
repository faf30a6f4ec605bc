/**
 * A memory stream beside a naive model of one: arrays instead of rings, lists that are searched, and no fibers. A command does
 * the same to both; after each the statistics agree, and whenever nothing can go on, so do the outcomes of all operations.
 */
import { expect } from 'chai'
import * as fc from 'fast-check'
import { Effect, type Exit, MemoryStream, Stream, type Task, TaskGroup } from 'millrace'
import { settle } from './schedules.js'
import { type Fx, show } from './seeds.js'

// ---- commands

const kinds = [
  'send',
  'send',
  'send',
  'receive',
  'receive',
  'receive',
  'receiveMany',
  'select',
  'sendNow',
  'sendUnsafe',
  'receiveNow',
  'cancel',
  'cancel',
  'cloneSend',
  'cloneReceive',
  'closeSend',
  'closeReceive',
  'settle'
] as const

interface Command {
  readonly kind: (typeof kinds)[number]
  /** Which end, which operation, how many: whatever is there, counted round. */
  readonly x: number
  readonly y: number
}

export interface Scenario {
  readonly capacity: number
  readonly overflow: MemoryStream.Overflow
  readonly commands: ReadonlyArray<Command>
}

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  capacity: fc.constantFrom(0, 0, 1, 2, 3, Infinity),
  overflow: fc.constantFrom('wait', 'wait', 'wait', 'fail', 'dropOldest', 'dropNewest'),
  commands: fc.array(fc.record({ kind: fc.constantFrom(...kinds), x: fc.nat(30), y: fc.nat(30) }), {
    maxLength: 80
  })
})

// ---- the model

interface WaitingSend {
  readonly id: number
  readonly end: number
  readonly item: number
}

interface WaitingReceive {
  readonly id: number
  readonly ends: ReadonlyArray<number>
  readonly say: (item: number) => string
}

const cancelled = 'Cancelled'
const closed = 'Fail(ClosedResource)'
const broken = 'Fail(BrokenResource)'
const ended = 'Fail(EndOfStream)'
const full = 'Fail(WouldBlock)'

class Model {
  readonly outcomes = new Map<number, string>()
  private readonly buffer: Array<number> = []
  private senders: Array<WaitingSend> = []
  private receivers: Array<WaitingReceive> = []
  readonly sendEnds: Array<boolean> = [true]
  readonly receiveEnds: Array<boolean> = [true]
  private dropped = 0

  constructor(
    private readonly capacity: number,
    private readonly overflow: MemoryStream.Overflow
  ) {}

  private get openSend(): number {
    return this.sendEnds.filter((open) => open).length
  }

  private get openReceive(): number {
    return this.receiveEnds.filter((open) => open).length
  }

  get statistics(): MemoryStream.MemoryStreamStatistics {
    return {
      buffered: this.buffer.length,
      capacity: this.capacity,
      openSendStreams: this.openSend,
      openReceiveStreams: this.openReceive,
      tasksWaitingSend: this.senders.length,
      tasksWaitingReceive: this.receivers.reduce((n, { ends }) => n + ends.length, 0),
      dropped: this.dropped
    }
  }

  private put(item: number): boolean {
    const receiver = this.receivers.shift()
    if (receiver !== undefined) this.outcomes.set(receiver.id, receiver.say(item))
    else if (this.buffer.length < this.capacity) this.buffer.push(item)
    else if (this.overflow === 'wait' || this.overflow === 'fail') return false
    else {
      this.dropped++
      if (this.overflow === 'dropOldest' && this.capacity > 0) {
        this.buffer.shift()
        this.buffer.push(item)
      }
    }
    return true
  }

  private take(): number | undefined {
    const sender = this.senders.shift()
    if (sender !== undefined) {
      this.outcomes.set(sender.id, 'ok()')
      this.buffer.push(sender.item)
    }
    return this.buffer.shift()
  }

  /** Undefined: it waits. */
  send(id: number, end: number, now: boolean): string | undefined {
    if (this.sendEnds[end] !== true) return closed
    if (this.openReceive === 0) return broken
    if (this.put(id)) return 'ok()'
    if (now || this.overflow === 'fail') return full
    this.senders.push({ id, end, item: id })
    return undefined
  }

  receive(
    id: number,
    ends: ReadonlyArray<number>,
    say: (item: number) => string,
    now = false
  ): string | undefined {
    if (ends.some((end) => this.receiveEnds[end] !== true)) return closed
    const item = this.take()
    if (item !== undefined) return say(item)
    if (this.openSend === 0) return ended
    if (now) return full
    this.receivers.push({ id, ends, say })
    return undefined
  }

  receiveMany(id: number, end: number, max: number): string | undefined {
    const first = this.receive(id, [end], (item) => `ok([${item}])`)
    if (first?.startsWith('ok') !== true) return first
    const items = [first.slice(4, -2)]
    while (items.length < max) {
      const item = this.take()
      if (item === undefined) break
      items.push(String(item))
    }
    return `ok([${items.join(',')}])`
  }

  /** The first stream is asked first; only when it has nothing now does it matter that the second is closed. */
  select(id: number, first: number, second: number, say: (item: number) => string): string | undefined {
    if (this.receiveEnds[first] !== true || this.receiveEnds[second] === true) {
      return this.receive(id, [first, second], say)
    }
    const item = this.take()
    return item === undefined ? closed : say(item)
  }

  cancel(id: number): void {
    if (this.outcomes.has(id)) return
    this.outcomes.set(id, cancelled)
    this.senders = this.senders.filter((sender) => sender.id !== id)
    this.receivers = this.receivers.filter((receiver) => receiver.id !== id)
  }

  closeSend(end: number): void {
    if (this.sendEnds[end] !== true) return
    this.sendEnds[end] = false
    for (const { id } of this.senders.filter((sender) => sender.end === end)) this.outcomes.set(id, closed)
    this.senders = this.senders.filter((sender) => sender.end !== end)
    if (this.openSend > 0) return
    for (const { id } of this.receivers) this.outcomes.set(id, ended)
    this.receivers = []
  }

  closeReceive(end: number): void {
    if (this.receiveEnds[end] !== true) return
    this.receiveEnds[end] = false
    for (const { id } of this.receivers.filter(({ ends }) => ends.includes(end))) {
      this.outcomes.set(id, closed)
    }
    this.receivers = this.receivers.filter(({ ends }) => !ends.includes(end))
    if (this.openReceive > 0) return
    for (const { id } of this.senders) this.outcomes.set(id, broken)
    this.senders = []
    this.buffer.length = 0
  }
}

// ---- both

const pick = <A>(as: ReadonlyArray<A>, n: number): A => as[n % as.length]!

/** Runs the commands; what differs fails the program. */
export const sameAsModel = ({ capacity, overflow, commands }: Scenario): Fx<void> =>
  TaskGroup.open()((group) =>
    Effect.gen(function* () {
      const model = new Model(capacity, overflow)
      // The overload is chosen by a literal; here the policy is data.
      const [send, receive] = yield* MemoryStream.make<number>(capacity, { overflow: overflow as 'wait' })
      const sendEnds = [send]
      const receiveEnds = [receive]
      const seen = new Map<number, string>()
      const tasks: Array<Task.Task<never, void>> = []
      const ids: Array<number> = []
      let manyWait = false

      const note = (id: number) => (exit: Exit.Exit<unknown, unknown>) => {
        seen.set(id, show(exit))
      }
      /** Starts what may wait, and lets it go as far as it can. */
      const begin = (id: number, fx: Fx<unknown, unknown>, outcome: string | undefined) =>
        Effect.gen(function* () {
          if (outcome !== undefined) model.outcomes.set(id, outcome)
          const observed = Effect.map(note(id))(Effect.exit(fx))
          tasks.push(yield* group.spawn(observed))
          ids.push(id)
          yield* settle
        })
      const compare = Effect.sync(() => {
        expect([...seen].sort(([a], [b]) => a - b)).to.deep.equal(
          [...model.outcomes].sort(([a], [b]) => a - b)
        )
      })

      for (let id = 0; id < commands.length; id++) {
        const { kind, x, y } = commands[id]!
        const s = x % sendEnds.length
        const r = x % receiveEnds.length
        const sending = sendEnds[s]!
        const receiving = receiveEnds[r]!
        const one = (item: number) => `ok(${item})`
        switch (kind) {
          case 'send':
            yield* begin(id, sending.send(id), model.send(id, s, false))
            break
          case 'receive':
            yield* begin(id, receiving.receive, model.receive(id, [r], one))
            break
          case 'receiveMany': {
            const max = 1 + (y % 4)
            yield* begin(id, receiving.receiveMany(max), model.receiveMany(id, r, max))
            manyWait = true
            break
          }
          case 'select': {
            const other = y % receiveEnds.length
            const both = Stream.select({ a: receiving, b: receiveEnds[other]! })
            const value = Effect.map(([, item]: readonly [string, number]) => item)(both)
            yield* begin(id, value, model.select(id, r, other, one))
            break
          }
          case 'sendNow':
            model.outcomes.set(id, model.send(id, s, true)!)
            note(id)(yield* Effect.exit(sending.sendNow(id)))
            break
          case 'sendUnsafe': {
            const outcome = model.send(id, s, true)
            expect(sending.sendUnsafe(id)).to.equal(outcome === 'ok()')
            break
          }
          case 'receiveNow':
            model.outcomes.set(id, model.receive(id, [r], one, true)!)
            note(id)(yield* Effect.exit(receiving.receiveNow))
            break
          case 'cancel':
            if (tasks.length === 0) break
            model.cancel(pick(ids, x))
            yield* pick(tasks, x).cancel()
            break
          case 'cloneSend':
            if (model.sendEnds[s] !== true) break
            model.sendEnds.push(true)
            sendEnds.push(yield* Effect.orDie(sending.clone))
            break
          case 'cloneReceive':
            if (model.receiveEnds[r] !== true) break
            model.receiveEnds.push(true)
            receiveEnds.push(yield* Effect.orDie(receiving.clone))
            break
          case 'closeSend':
            model.closeSend(s)
            sending.closeUnsafe()
            break
          case 'closeReceive':
            model.closeReceive(r)
            yield* receiving.close
            break
          case 'settle':
            yield* settle
            yield* compare
        }
        // What a task takes besides its item it takes when it goes on, so the next command waits for it.
        if (manyWait) yield* settle
        expect(yield* pick(sendEnds, y).statistics).to.deep.equal(model.statistics)
        expect(yield* pick(receiveEnds, y).statistics).to.deep.equal(model.statistics)
      }

      sendEnds.forEach((end, i) => {
        model.closeSend(i)
        end.closeUnsafe()
      })
      receiveEnds.forEach((end, i) => {
        model.closeReceive(i)
        end.closeUnsafe()
      })
      yield* settle
      yield* compare
      expect(yield* send.statistics).to.deep.equal(model.statistics)
    })
  )
