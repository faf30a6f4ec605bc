/**
 * Memory streams: what each operation does, that no item is lost, doubled or reordered whatever is cancelled or closed and
 * when, and that all of it is linear.
 */
import { expect } from 'chai'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import {
  CancelScope,
  Effect,
  Exit,
  MemoryStream,
  Resource,
  Runtime,
  Stream,
  type Task,
  TaskGroup
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { byHand, growth, heapUsed, start, turnsOf } from '../support/byHand.js'
import { sameAsModel, scenario } from '../support/channelModel.js'
import {
  afterTurns,
  type Bound,
  settle,
  sorted,
  type Trial,
  underAllSchedules
} from '../support/schedules.js'
import { defectOf, expectAll, type Fx, observe, outcomes, show } from '../support/seeds.js'

const { gen } = Effect

type Send<A = number> = MemoryStream.MemorySendStream<A>
type Receive<A = number> = MemoryStream.MemoryReceiveStream<A>

const make = (capacity?: number) => MemoryStream.make<number>(capacity)

/** A stream, and a group whose tasks may fail. */
const withStream = <A>(
  capacity: number,
  use: (send: Send, receive: Receive, group: TaskGroup.TaskGroup<unknown>) => Fx<A, unknown>
): Fx<A, unknown> =>
  Effect.flatMap(([send, receive]: readonly [Send, Receive]) =>
    Effect.ensuring(Effect.andThen(receive.close)(send.close))(
      TaskGroup.open<unknown>()((group) => use(send, receive, group))
    )
  )(make(capacity))

/** How an operation ends, in a word. */
const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(show)(Effect.exit(fx))

const inCancelledScope = (fx: Fx<unknown, unknown>): Fx<unknown, unknown> =>
  CancelScope.open((scope) => Effect.andThen(fx)(scope.cancel()))

describe('MemoryStream', () => {
  describe('make', () => {
    it('MS-01 without a capacity a send completes only when a receiver takes the item', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const [send, receive] = yield* make()
            yield* TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                yield* group.spawn(pipe(send.send(1), Effect.andThen(log('sent'))))
                yield* Effect.sleep(10)
                yield* log(`receives`)
                yield* log(`received ${yield* receive.receive}`)
              })
            )
          }),
        { lines: ['receives@10', 'received 1@10', 'sent@10'] }
      )
    })

    it('MS-02 the capacity is a whole number from 0, or Infinity; anything else is a defect', () => {
      for (const capacity of [0, 1, 7, Infinity]) {
        expect(show(TestRuntime.runExit(Effect.asUnit(make(capacity))))).to.equal('ok()')
      }
      for (const capacity of [-1, 1.5, NaN, -Infinity, '3' as unknown as number]) {
        expect(defectOf(TestRuntime.runExit(make(capacity)))).to.equal(
          `RangeError: The capacity of a MemoryStream is a whole number from 0, or Infinity, but was given ${String(capacity)}.`
        )
      }
    })

    it('each run of make gives a new stream', () => {
      const made = make(1)
      expectAll(
        () =>
          gen(function* () {
            const [send] = yield* made
            const [, receive] = yield* made
            yield* send.send(1)
            return yield* ending(receive.receiveNow)
          }),
        { exit: 'ok(Fail(WouldBlock))' }
      )
    })
  })

  describe('handing over', () => {
    it('MS-03 two receivers wait, two sendNow: each receiver gets exactly one item', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              for (const name of ['a', 'b']) {
                yield* group.spawn(Effect.flatMap((n: number) => log(`${name} ${n}`))(receive.receive))
                yield* Effect.sleep(1)
              }
              yield* send.sendNow(1)
              yield* send.sendNow(2)
              return yield* ending(send.sendNow(3))
            })
          ),
        { exit: 'ok(Fail(WouldBlock))', lines: ['a 1@2', 'b 2@2'] }
      )
    })

    it('MS-04 receiveNow takes the item of a waiting sender, and that sender goes on', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              yield* group.spawn(Effect.andThen(log('sent'))(send.send(7)))
              yield* Effect.sleep(5)
              return yield* receive.receiveNow
            })
          ),
        { exit: 'ok(7)', log: ['sent@5'] }
      )
    })

    it('MS-06 what is sent into free room is received in order', () => {
      expectAll(
        () =>
          withStream(3, (send, receive) =>
            gen(function* () {
              for (const n of [1, 2, 3]) yield* send.sendNow(n)
              const full = yield* ending(send.sendNow(4))
              const items = [yield* receive.receiveNow, yield* receive.receiveNow]
              yield* send.sendNow(5)
              return [full, ...items, yield* receive.receiveNow, yield* receive.receiveNow]
            })
          ),
        { exit: 'ok(["Fail(WouldBlock)",1,2,3,5])' }
      )
    })

    it('MS-07 a full stream without a receiver blocks sendNow, an empty one without a sender receiveNow', () => {
      for (const capacity of [0, 1, 2]) {
        expectAll(
          () =>
            withStream(capacity, (send, receive) =>
              gen(function* () {
                const empty = yield* ending(receive.receiveNow)
                for (let i = 0; i < capacity; i++) yield* send.sendNow(i)
                return [empty, yield* ending(send.sendNow(9)), (yield* send.statistics).buffered]
              })
            ),
          { exit: `ok(["Fail(WouldBlock)","Fail(WouldBlock)",${capacity}])` },
          1
        )
      }
    })

    it('MS-19 several consumers on clones: each item goes to exactly one, and together they have all', () => {
      for (const capacity of [0, 1, 4]) {
        const taken = new Set<string>()
        for (let seed = 0; seed < 30; seed++) {
          const { exit } = observe(
            () =>
              withStream(capacity, (send, receive, group) =>
                gen(function* () {
                  const tasks: Array<Task.Task<unknown, ReadonlyArray<number>>> = []
                  for (let i = 0; i < 3; i++) {
                    tasks.push(yield* group.spawn(Stream.collect(yield* receive.clone)))
                  }
                  for (let i = 0; i < 12; i++) yield* send.send(i)
                  yield* send.close
                  const all: Array<ReadonlyArray<number>> = []
                  for (const task of tasks) all.push(yield* task.join)
                  return all
                })
              ),
            seed
          )
          if (exit._tag === 'Left') expect.fail(show(exit))
          expect(sorted(exit.right.flat())).to.deep.equal(Array.from({ length: 12 }, (_, i) => i))
          for (const items of exit.right) expect(items).to.deep.equal(sorted(items))
          taken.add(exit.right.map((items) => items.length).join())
        }
        expect(taken.size).to.be.greaterThan(1)
      }
    })

    it('MS-23 a send in a cancelled scope delivers nothing, also when a receiver waits', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              yield* group.spawn(Effect.flatMap((n: number) => log(`received ${n}`))(receive.receive))
              yield* Effect.sleep(1)
              yield* inCancelledScope(send.send(1))
              yield* Effect.sleep(1)
              yield* send.send(2)
            })
          ),
        { log: ['received 2@2'] }
      )
    })

    it('a receive in a cancelled scope takes nothing, also when an item is there', () => {
      for (const take of [
        (receive: Receive) => receive.receive as Fx<unknown, unknown>,
        (receive: Receive) => receive.receiveMany(2),
        (receive: Receive) => Stream.select({ receive })
      ]) {
        expectAll(
          () =>
            withStream(1, (send, receive) =>
              gen(function* () {
                yield* send.send(1)
                yield* inCancelledScope(take(receive))
                return [(yield* receive.statistics).buffered, yield* receive.receive]
              })
            ),
          { exit: 'ok([1,1])' },
          1
        )
      }
    })

    it('sendNow and receiveNow are no checkpoints', () => {
      expectAll(
        () =>
          withStream(1, (send, receive) =>
            CancelScope.open((scope) =>
              gen(function* () {
                yield* scope.cancel()
                yield* send.sendNow(1)
                return yield* receive.receiveNow
              })
            )
          ),
        { exit: 'ok(Some(1))' }
      )
    })

    it('MS-28 senders that wait are served in the order of their arrival, and so are receivers', () => {
      expectAll(
        () =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              for (let i = 0; i < 5; i++) {
                yield* group.spawn(send.send(i))
                yield* Effect.sleep(1)
              }
              const items: Array<number> = []
              for (let i = 0; i < 5; i++) items.push(yield* receive.receive)
              return items
            })
          ),
        { exit: 'ok([0,1,2,3,4])' }
      )
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              for (let i = 0; i < 5; i++) {
                yield* group.spawn(Effect.flatMap((n: number) => log(`${i}: ${n}`))(receive.receive))
                yield* Effect.sleep(1)
              }
              for (let i = 0; i < 5; i++) yield* send.send(i)
            })
          ),
        { lines: ['0: 0@5', '1: 1@5', '2: 2@5', '3: 3@5', '4: 4@5'] }
      )
    })

    it('a sender that waits longer comes before one that comes when there is room again', () => {
      expectAll(
        () =>
          withStream(1, (send, receive, group) =>
            gen(function* () {
              yield* send.send(1)
              yield* group.spawn(send.send(2))
              yield* Effect.sleep(1)
              const first = yield* receive.receive
              const now = yield* ending(send.sendNow(3))
              return [first, now, yield* receive.receive]
            })
          ),
        { exit: 'ok([1,"Fail(WouldBlock)",2])' }
      )
    })

    it('MS-29 every send and receive sees a cancelled scope, also when it could complete at once, and does not yield', () => {
      expectAll(
        (log) =>
          withStream(4, (send, receive, group) =>
            gen(function* () {
              yield* group.spawn(log('other'))
              yield* send.send(1)
              yield* receive.receive
              yield* log('went on')
              yield* Effect.sleep(1)
              const ended = yield* CancelScope.open((scope) =>
                gen(function* () {
                  yield* scope.cancel()
                  yield* send.send(2)
                })
              )
              return [ended._tag, (yield* send.statistics).buffered]
            })
          ),
        { exit: 'ok(["None",0])', log: ['went on@0', 'other@0'] }
      )
    })
  })

  describe('receiveMany', () => {
    const many = (max: number) =>
      outcomes(
        () =>
          withStream(2, (send, receive, group) =>
            gen(function* () {
              for (let i = 0; i < 5; i++) {
                yield* group.spawn(send.send(i))
                yield* Effect.sleep(1)
              }
              const items = yield* receive.receiveMany(max)
              yield* group.cancelAll()
              return items
            })
          ),
        3
      )

    it('takes what is there up to max, buffered first, then from senders that wait', () => {
      expect(many(1)).to.deep.equal(['ok([0])'])
      expect(many(3)).to.deep.equal(['ok([0,1,2])'])
      expect(many(5)).to.deep.equal(['ok([0,1,2,3,4])'])
      expect(many(Infinity)).to.deep.equal(['ok([0,1,2,3,4])'])
    })

    it('a max that is no whole number from 1 is a defect, and nothing is received', () => {
      for (const max of [0, -1, 1.5, NaN]) {
        expectAll(
          () =>
            withStream(2, (send, receive) =>
              gen(function* () {
                yield* send.send(1)
                const ended = yield* ending(receive.receiveMany(max))
                return [ended.slice(0, 14), yield* receive.receiveNow]
              })
            ),
          { exit: 'ok(["Die(RangeError",1])' },
          1
        )
      }
    })

    it('takes no more through an end that was closed when the first item had been handed over', () => {
      expectAll(
        () =>
          withStream(4, (send, receive, group) =>
            gen(function* () {
              const spare = yield* receive.clone
              const task = yield* group.spawn(receive.receiveMany(4))
              yield* settle
              yield* send.sendNow(1)
              yield* send.sendNow(2)
              yield* receive.close
              return [yield* task.join, yield* spare.receiveNow]
            })
          ),
        { exit: 'ok([[1],2])' }
      )
    })
  })

  describe('ends', () => {
    it('MS-08 iterating gives the items in order and ends when every sender is closed', () => {
      expectAll(
        () =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              const other = yield* send.clone
              yield* group.spawn(
                gen(function* () {
                  for (const n of [1, 2]) yield* send.send(n)
                  yield* send.close
                  yield* Effect.sleep(5)
                  yield* other.send(3)
                  yield* other.close
                })
              )
              return yield* Stream.collect(receive)
            })
          ),
        { exit: 'ok([1,2,3])', took: 5 }
      )
    })

    it('MS-09 when all senders are closed what is buffered comes first, then the end, for ever', () => {
      expectAll(
        () =>
          withStream(2, (send, receive) =>
            gen(function* () {
              yield* send.send(1)
              yield* send.send(2)
              yield* send.close
              const ends: Array<string> = []
              for (let i = 0; i < 4; i++) ends.push(yield* ending(receive.receive))
              return [...ends, yield* ending(receive.receiveNow), yield* ending(receive.receiveMany(2))]
            })
          ),
        {
          exit: `ok(${JSON.stringify(['ok(1)', 'ok(2)', ...Array.from({ length: 4 }, () => 'Fail(EndOfStream)')])})`
        }
      )
    })

    it('MS-10 on an end that was closed each operation fails with ClosedResource', () => {
      expectAll(
        () =>
          withStream(2, (send, receive) =>
            gen(function* () {
              const [spareSend, spareReceive] = [yield* send.clone, yield* receive.clone]
              yield* spareSend.send(1)
              yield* send.close
              yield* receive.close
              const ends = [
                yield* ending(send.send(2)),
                yield* ending(send.sendNow(2)),
                yield* ending(send.clone),
                yield* ending(receive.receive),
                yield* ending(receive.receiveNow),
                yield* ending(receive.receiveMany(1)),
                yield* ending(Stream.select({ receive })),
                yield* ending(receive.clone)
              ]
              return [...new Set(ends), send.sendUnsafe(2), yield* spareReceive.receiveMany(9)]
            })
          ),
        { exit: 'ok(["Fail(ClosedResource)",false,[1]])' }
      )
    })

    it('MS-11 when all receivers are closed a send fails with BrokenResource', () => {
      expectAll(
        () =>
          withStream(2, (send, receive) =>
            gen(function* () {
              const other = yield* receive.clone
              yield* receive.close
              const before = yield* ending(send.send(1))
              yield* other.close
              return [
                before,
                yield* ending(send.send(2)),
                yield* ending(send.sendNow(2)),
                send.sendUnsafe(2),
                (yield* send.statistics).buffered
              ]
            })
          ),
        { exit: 'ok(["ok()","Fail(BrokenResource)","Fail(BrokenResource)",false,0])' }
      )
    })

    it('senders that wait find BrokenResource when the last receiver closes', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              for (let i = 0; i < 3; i++) yield* group.spawn(Effect.flatMap(log)(ending(send.send(i))))
              yield* Effect.sleep(1)
              yield* receive.close
            })
          ),
        { lines: Array.from({ length: 3 }, () => 'Fail(BrokenResource)@1') }
      )
    })

    it('MS-12 receivers that wait find the end when the last sender closes', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              const other = yield* send.clone
              yield* group.spawn(Effect.flatMap(log)(ending(receive.receive)))
              yield* group.spawn(Effect.flatMap(log)(ending(receive.receiveMany(2))))
              yield* group.spawn(Effect.flatMap(log)(ending(Stream.select({ receive }))))
              yield* Effect.sleep(1)
              yield* send.close
              yield* Effect.sleep(1)
              yield* other.close
            })
          ),
        { lines: Array.from({ length: 3 }, () => 'Fail(EndOfStream)@2') }
      )
    })

    it('two receivers that find the end have a failure each', () => {
      const { exit } = observe(() =>
        withStream(0, (send, receive, group) =>
          gen(function* () {
            const tasks = [yield* group.spawnOwned(receive.receive), yield* group.spawnOwned(receive.receive)]
            yield* settle
            yield* send.close
            const [a, b] = [yield* tasks[0]!.wait, yield* tasks[1]!.wait]
            return a._tag === 'Left' && b._tag === 'Left' && a.left !== b.left
          })
        )
      )
      expect(exit).to.deep.equal(Exit.succeed(true))
    })

    it('MS-15 clones go on when the originals are closed', () => {
      expectAll(
        () =>
          withStream(1, (send, receive) =>
            gen(function* () {
              const [otherSend, otherReceive] = [yield* send.clone, yield* receive.clone]
              yield* send.close
              yield* receive.close
              yield* otherSend.send(1)
              const item = yield* otherReceive.receive
              yield* otherSend.close
              return [item, yield* ending(otherReceive.receive)]
            })
          ),
        { exit: 'ok([1,"Fail(EndOfStream)"])' }
      )
    })

    it('MS-18 a closed end has no clone', () => {
      expectAll(
        () =>
          withStream(1, (send, receive) =>
            gen(function* () {
              const spare = yield* send.clone
              yield* send.close
              yield* receive.close
              const ends = [yield* ending(send.clone), yield* ending(receive.clone)]
              yield* spare.close
              return [...ends, (yield* send.statistics).openSendStreams]
            })
          ),
        { exit: 'ok(["Fail(ClosedResource)","Fail(ClosedResource)",0])' }
      )
    })

    it('MS-20 closing an end twice counts once', () => {
      expectAll(
        () =>
          withStream(1, (send, receive) =>
            gen(function* () {
              yield* send.clone
              yield* receive.clone
              for (let i = 0; i < 3; i++) {
                yield* send.close
                send.closeUnsafe()
                yield* receive.close
                receive.closeUnsafe()
              }
              const { openSendStreams, openReceiveStreams } = yield* send.statistics
              return [openSendStreams, openReceiveStreams]
            })
          ),
        { exit: 'ok([1,1])' }
      )
    })

    it('MS-21 Resource.closing closes both ends however it ends, also in a cancelled scope', () => {
      const both = (body: Fx<unknown, unknown>) =>
        gen(function* () {
          const [send, receive] = yield* make(1)
          const resource = Resource.par(Resource.closing(Effect.succeed(receive)))(
            Resource.closing(Effect.succeed(send))
          )
          const ended = yield* ending(
            CancelScope.open((scope) =>
              Effect.tap(() => scope.cancel())(Resource.use(() => body)(resource) as Fx<unknown, unknown>)
            )
          )
          const { openSendStreams, openReceiveStreams } = yield* send.statistics
          return [ended, openSendStreams, openReceiveStreams]
        })
      expectAll(() => both(Effect.unit), { exit: 'ok(["ok(Some())",0,0])' })
      expectAll(() => both(Effect.fail('no')), { exit: 'ok(["Fail(no)",0,0])' })
      expectAll(() => inCancelled(both), { exit: 'ok(["ok(None)",0,0])' })
      function inCancelled(f: typeof both) {
        return gen(function* () {
          const seen: Array<unknown> = []
          yield* CancelScope.open((scope) =>
            Effect.tap((ends: ReadonlyArray<unknown>) => Effect.sync(() => seen.push(...ends)))(
              f(Effect.andThen(Effect.checkpoint)(scope.cancel()))
            )
          )
          return ['ok(None)', ...seen.slice(1)]
        })
      }
    })

    it('MS-21 plain callbacks send and close; what is woken goes on by itself', async () => {
      const done = await Runtime.runPromise(
        withStream(2, (send, receive, group) =>
          gen(function* () {
            const items = yield* group.spawn(Stream.collect(receive))
            yield* Effect.async((resume) => {
              queueMicrotask(() => {
                const taken = [1, 2, 3, 4].map(send.sendUnsafe)
                send.closeUnsafe()
                expect(taken).to.deep.equal([true, true, true, false])
                expect(send.sendUnsafe(5)).to.equal(false)
                resume(Exit.succeed(undefined))
              })
            })
            return yield* items.join
          })
        )
      )
      // One went to the receiver, two into the buffer.
      expect(done).to.deep.equal([1, 2, 3])
    })

    it('MS-34 an end that another task closes wakes what waits on it, and nothing that waits on its clones', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              const other = yield* receive.clone
              yield* group.spawn(Effect.flatMap((e: string) => log(`a ${e}`))(ending(receive.receive)))
              yield* group.spawn(Effect.flatMap((e: string) => log(`b ${e}`))(ending(receive.receiveMany(2))))
              yield* group.spawn(
                Effect.flatMap((e: string) => log(`c ${e}`))(ending(Stream.select({ other, receive })))
              )
              yield* group.spawn(Effect.flatMap((e: string) => log(`d ${e}`))(ending(other.receive)))
              yield* Effect.sleep(1)
              yield* receive.close
              yield* Effect.sleep(1)
              const { tasksWaitingReceive } = yield* other.statistics
              yield* send.send(1)
              return tasksWaitingReceive
            })
          ),
        {
          exit: 'ok(1)',
          lines: [
            'a Fail(ClosedResource)@1',
            'b Fail(ClosedResource)@1',
            'c Fail(ClosedResource)@1',
            'd ok(1)@2'
          ]
        }
      )
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              const other = yield* send.clone
              yield* group.spawn(Effect.flatMap((e: string) => log(`a ${e}`))(ending(send.send(1))))
              yield* group.spawn(Effect.flatMap((e: string) => log(`b ${e}`))(ending(other.send(2))))
              yield* Effect.sleep(1)
              yield* send.close
              yield* Effect.sleep(1)
              return yield* receive.receive
            })
          ),
        { exit: 'ok(2)', lines: ['a Fail(ClosedResource)@1', 'b ok()@2'] }
      )
    })

    it('MS-32 an end that is collected without being closed gives a warning that names it', async function () {
      this.timeout(30_000)
      const warnings: Array<string> = []
      const { emitWarning } = process
      process.emitWarning = (warning: string | Error) => void warnings.push(String(warning))
      try {
        const keep: Array<unknown> = []
        const drop = (): void => {
          const [kept] = Runtime.runSync(MemoryStream.make<number>(1, { name: 'dropped' }))
          const [other, closed] = Runtime.runSync(MemoryStream.make<number>(1, { name: 'closed' }))
          closed.closeUnsafe()
          keep.push(kept, other)
        }
        drop()
        for (let i = 0; i < 200 && !warnings.some((text) => text.includes('"dropped"')); i++) {
          heapUsed()
          await new Promise((resolve) => setImmediate(resolve))
        }
        expect(warnings.filter((text) => /"(dropped|closed)"/.test(text))).to.deep.equal([
          'The receive end of a MemoryStream "dropped" was dropped without being closed. Close each end and each clone, for example with Resource.closing.'
        ])
        expect(keep.length).to.equal(2)
      } finally {
        process.emitWarning = emitWarning
      }
    })

    it('MS-33 a receiver of fewer is a receiver of more, and a sender of more a sender of fewer', () => {
      const narrower = (send: Send<number | string>): Send => send
      const wider = (receive: Receive): Receive<number | string> => receive
      // @ts-expect-error a sender of numbers takes no strings
      const wrongSend = (send: Send): Send<number | string> => send
      // @ts-expect-error a receiver of numbers or strings may give strings
      const wrongReceive = (receive: Receive<number | string>): Receive => receive
      expect([narrower, wider, wrongSend, wrongReceive]).to.have.length(4)
    })

    it('MS-30 the statistics say what is buffered, open and waiting, the same from all ends', () => {
      expectAll(
        () =>
          withStream(2, (send, receive, group) =>
            gen(function* () {
              const clones = [yield* send.clone, yield* receive.clone, yield* receive.clone] as const
              const tasks: Array<Task.Task<unknown, void>> = []
              for (let i = 0; i < 5; i++) tasks.push(yield* group.spawn(send.send(i)))
              yield* settle
              const full = yield* send.statistics
              for (const end of clones) expect(yield* end.statistics).to.deep.equal(full)
              expect(yield* receive.statistics).to.deep.equal(full)
              yield* receive.receiveMany(5)
              const task = yield* group.spawn(receive.receive)
              yield* settle
              const empty = yield* receive.statistics
              yield* task.cancel()
              const after = yield* receive.statistics
              expect(after).to.deep.equal({ ...empty, tasksWaitingReceive: 0 })
              return [full, empty]
            })
          ),
        {
          exit: `ok(${JSON.stringify([
            {
              buffered: 2,
              capacity: 2,
              openSendStreams: 2,
              openReceiveStreams: 3,
              tasksWaitingSend: 3,
              tasksWaitingReceive: 0,
              dropped: 0
            },
            {
              buffered: 0,
              capacity: 2,
              openSendStreams: 2,
              openReceiveStreams: 3,
              tasksWaitingSend: 0,
              tasksWaitingReceive: 1,
              dropped: 0
            }
          ])})`
        }
      )
    })

    it('has no attributes', () => {
      expectAll(
        () =>
          Effect.map(([send, receive]: readonly [Send, Receive]) => [send.attributes === receive.attributes])(
            make()
          ),
        { exit: 'ok([true])' },
        1
      )
    })
  })

  describe('overflow', () => {
    const sent = (capacity: number, overflow: 'dropOldest' | 'dropNewest') =>
      outcomes(
        () =>
          gen(function* () {
            const [send, receive] = yield* MemoryStream.make<number>(capacity, { overflow })
            for (let i = 0; i < 3; i++) yield* send.send(i)
            yield* send.sendNow(3)
            expect(send.sendUnsafe(4)).to.equal(true)
            const { dropped } = yield* send.statistics
            yield* send.close
            return [dropped, ...(yield* Stream.collect(receive))]
          }),
        1
      )

    it('dropOldest makes room by dropping what was buffered first, and counts it', () => {
      expect(sent(2, 'dropOldest')).to.deep.equal(['ok([3,3,4])'])
      expect(sent(9, 'dropOldest')).to.deep.equal(['ok([0,0,1,2,3,4])'])
    })

    it('dropNewest drops what comes, and counts it', () => {
      expect(sent(2, 'dropNewest')).to.deep.equal(['ok([3,0,1])'])
    })

    it('without a buffer both drop what nobody waits for', () => {
      for (const overflow of ['dropOldest', 'dropNewest'] as const) {
        expect(sent(0, overflow)).to.deep.equal(['ok([5])'])
        expectAll(
          () =>
            gen(function* () {
              const [send, receive] = yield* MemoryStream.make<number>(0, { overflow })
              return yield* TaskGroup.open<unknown>()((group) =>
                gen(function* () {
                  const task = yield* group.spawn(receive.receive)
                  yield* settle
                  yield* send.send(1)
                  yield* send.send(2)
                  return [yield* task.join, (yield* send.statistics).dropped]
                })
              )
            }),
          { exit: 'ok([1,1])' }
        )
      }
    })

    it('fail: a send never waits, and fails with WouldBlock when it would', () => {
      expectAll(
        () =>
          gen(function* () {
            const [send, receive] = yield* MemoryStream.make<number>(1, { overflow: 'fail' })
            const ends = [yield* ending(send.send(1)), yield* ending(send.send(2)), send.sendUnsafe(3)]
            const { dropped } = yield* send.statistics
            return [...ends, dropped, yield* receive.receive]
          }),
        { exit: 'ok(["ok()","Fail(WouldBlock)",false,0,1])' }
      )
    })
  })

  describe('conservation', () => {
    type Receiver = 'each' | 'many' | 'select' | 'now'

    interface Shape {
      readonly capacity: number
      readonly senders: ReadonlyArray<ReadonlyArray<number>>
      readonly receivers: ReadonlyArray<Receiver>
    }

    interface Cut {
      /** Numbers of participants: senders first. */
      readonly victims: ReadonlyArray<number>
      readonly how: 'cancel' | 'close'
      /** Turns before that. */
      readonly delay: number
    }

    const receiveAll = (kind: Receiver, end: Receive, take: (item: number) => void): Fx<unknown, unknown> => {
      switch (kind) {
        case 'each':
          return Effect.forever(Effect.map(take)(end.receive))
        case 'many':
          return Effect.forever(
            Effect.map((items: ReadonlyArray<number>) => items.forEach(take))(end.receiveMany(2))
          )
        case 'select':
          return Effect.forever(
            Effect.map(([, item]: readonly [string, number]) => take(item))(Stream.select({ end }))
          )
        case 'now': {
          const poll = Effect.orElse((error: { readonly _tag: string }) =>
            error._tag === 'WouldBlock' ? Effect.yieldNow : Effect.fail(error)
          )(Effect.map(take)(end.receiveNow))
          return Effect.forever(poll)
        }
      }
    }

    const trial =
      ({ capacity, senders, receivers }: Shape, { victims, how, delay }: Cut) =>
      (): Trial => {
        const sent: Array<number> = []
        const taken: Array<Array<number>> = receivers.map(() => [])
        let rest: ReadonlyArray<number> = []
        let left: MemoryStream.MemoryStreamStatistics | undefined
        const program = gen(function* () {
          const [send, receive] = yield* make(capacity)
          yield* TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              const tasks: Array<Task.Task<unknown, unknown>> = []
              const ends: Array<Send | Receive> = []
              const join = (end: Send | Receive, work: Fx<unknown, unknown>) =>
                gen(function* () {
                  ends.push(end)
                  const quiet = Effect.either(work)
                  tasks.push(yield* group.spawn(Effect.ensuring(end.close)(quiet)))
                })
              for (const items of senders) {
                const end = yield* send.clone
                const work = Effect.forEach((item: number) =>
                  Effect.map(() => sent.push(item))(end.send(item))
                )(items)
                yield* join(end, work)
              }
              for (const [i, kind] of receivers.entries()) {
                const end = yield* receive.clone
                yield* join(
                  end,
                  receiveAll(kind, end, (item) => taken[i]!.push(item))
                )
              }
              yield* send.close
              const cut = Effect.forEach((victim: number) =>
                how === 'cancel' ? tasks[victim]!.cancel() : ends[victim]!.close
              )(victims)
              yield* group.spawn(afterTurns(delay, cut))
              for (const task of tasks.slice(senders.length)) yield* task.wait
              rest = yield* Stream.collect(receive)
              for (const task of tasks) yield* task.wait
              left = yield* receive.statistics
            })
          )
        })
        const wrong = (): string | undefined => {
          const got = [...taken.flat(), ...rest]
          const said = JSON.stringify({ capacity, victims, how, delay, sent, taken, rest, left })
          if (sorted(got).join() !== sorted(sent).join()) return `sent is not received: ${said}`
          for (const [i, items] of senders.entries()) {
            for (const seen of [...taken, rest]) {
              const ofOne = seen.filter((item) => items.includes(item))
              if (ofOne.join() !== sorted(ofOne).join()) return `sender ${i} is reordered: ${said}`
            }
          }
          const { openSendStreams, openReceiveStreams, tasksWaitingSend, tasksWaitingReceive, buffered } =
            left!
          const still = [openSendStreams, openReceiveStreams, tasksWaitingSend, tasksWaitingReceive, buffered]
          if (still.join() !== '0,1,0,0,0') return `something is left: ${said}`
          return undefined
        }
        return { program, wrong }
      }

    const everywhere = (
      shape: Omit<Shape, 'capacity'>,
      bound: Bound,
      cuts: { readonly together: number; readonly delays: number; readonly how?: Cut['how'] }
    ): number => {
      const all = [...shape.senders, ...shape.receivers].map((_, i) => i)
      const chosen =
        cuts.together === 1 ? all.map((i) => [i]) : all.flatMap((i) => all.slice(i + 1).map((j) => [j, i]))
      let runs = 0
      for (const capacity of [0, 1, 2]) {
        for (const victims of [[], ...chosen]) {
          for (let delay = 0; delay < cuts.delays; delay++) {
            const cut: Cut = { victims, delay, how: cuts.how ?? 'cancel' }
            runs += underAllSchedules(bound, trial({ ...shape, capacity }, cut))
          }
        }
      }
      return runs
    }

    it('two senders, one receiver: cancelled at every turn, under every schedule', function () {
      this.timeout(60_000)
      const runs = everywhere(
        { senders: [[1, 2], [11]], receivers: ['each'] },
        { base: 3, length: 5 },
        { together: 1, delays: 5 }
      )
      expect(runs).to.equal(3 * 4 * 5 * 243)
    })

    it('two senders, two receivers: one or two cancelled at every turn, under every schedule', function () {
      this.timeout(60_000)
      const shape = { senders: [[1, 2], [11]], receivers: ['each', 'each'] } as const
      everywhere(shape, { base: 3, length: 4 }, { together: 1, delays: 5 })
      everywhere(shape, { base: 3, length: 3 }, { together: 2, delays: 5 })
    })

    it('receiveMany, select and receiveNow beside receive', function () {
      this.timeout(60_000)
      for (const kind of ['many', 'select', 'now'] as const) {
        everywhere(
          { senders: [[1, 2], [11]], receivers: [kind, 'each'] },
          { base: 3, length: 3 },
          { together: 1, delays: 5 }
        )
      }
    })

    it('ends that are closed by somebody else at every turn', function () {
      this.timeout(60_000)
      for (const kind of ['each', 'many', 'select'] as const) {
        everywhere(
          { senders: [[1, 2], [11]], receivers: [kind, 'each'] },
          { base: 3, length: 3 },
          { together: 1, delays: 5, how: 'close' }
        )
      }
    })

    it('three senders, two receivers, two cancelled', function () {
      this.timeout(60_000)
      everywhere(
        { senders: [[1], [11], [21]], receivers: ['each', 'each'] },
        { base: 4, length: 3 },
        { together: 2, delays: 4 }
      )
    })

    it('any sequence of operations, cancellations, clones and closings does what a naive model does', function () {
      this.timeout(60_000)
      fc.assert(
        fc.property(scenario, fc.nat(), (script, seed) => {
          const exit = TestRuntime.runExit(sameAsModel(script), { seed })
          if (exit._tag === 'Left') throw exit.left._tag === 'Die' ? exit.left.defect : new Error(show(exit))
        }),
        { numRuns: 600 }
      )
    })

    it('an item that was handed over is received, also when the receiver is cancelled in the same turn', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              const task = yield* group.spawn(
                gen(function* () {
                  const item = yield* receive.receive
                  yield* log(`received ${item}`)
                  yield* Effect.checkpoint
                  yield* log('never')
                })
              )
              yield* settle
              yield* send.sendNow(1)
              yield* task.cancel()
              yield* task.wait
              return yield* task.status
            })
          ),
        { exit: 'ok(cancelled)', log: ['received 1@1'] }
      )
    })

    it('an item that was taken is sent, also when the sender is cancelled in the same turn', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              const task = yield* group.spawn(Effect.andThen(log('sent'))(send.send(1)))
              yield* settle
              const item = yield* receive.receiveNow
              yield* task.cancel()
              yield* task.wait
              return item
            })
          ),
        { exit: 'ok(1)', log: ['sent@1'] }
      )
    })

    it('a receiver whose deadline comes leaves the queue; the next one gets the item', () => {
      expectAll(
        (log) =>
          withStream(0, (send, receive, group) =>
            gen(function* () {
              const first = yield* group.spawn(
                CancelScope.open((scope) =>
                  Effect.andThen(receive.receive)(
                    Effect.flatMap((now: number) => scope.setDeadline(now + 5))(Effect.currentTime)
                  )
                )
              )
              yield* Effect.sleep(1)
              yield* group.spawn(Effect.flatMap((n: number) => log(`second ${n}`))(receive.receive))
              yield* Effect.sleep(9)
              yield* send.sendNow(1)
              return (yield* first.join)._tag
            })
          ),
        { exit: 'ok(None)', log: ['second 1@10'] }
      )
    })
  })

  describe('two runs', () => {
    it('a stream carries items between fibers of two runs, and wakes each through its own scheduler', () => {
      const [one, two] = [byHand(), byHand()]
      const [send, receive] = Runtime.runSync(make(0))
      const sum = start(two, Stream.fold(0, (a: number, b: number) => a + b)(receive))
      const sent = start(one, Effect.ensuring(send.close)(Effect.forEach(send.send)([1, 2, 3])))
      two.settle()
      one.settle()
      // The receiver has been handed the first item, and waits for a turn of its own scheduler.
      expect(sum()).to.equal(undefined)
      expect(sent()).to.equal(undefined)
      for (let i = 0; i < 20; i++) {
        two.settle()
        one.settle()
      }
      expect(sum()).to.deep.equal(Exit.succeed(6))
      expect(sent()).to.deep.equal(Exit.succeed(undefined))
    })

    it('a run that is cancelled takes only its own waits back', () => {
      const hands = [byHand(), byHand()] as const
      const [send, receive] = Runtime.runSync(make(0))
      const seen: Array<string> = []
      const cancels = hands.map(({ runtime }, i) =>
        Runtime.runCallback(receive.receive, (exit) => void seen.push(`${i} ${show(exit)}`), { runtime })
      )
      hands.forEach(({ settle }) => settle())
      cancels[0]!('enough')
      expect(send.sendUnsafe(1)).to.equal(true)
      expect(send.sendUnsafe(2)).to.equal(false)
      hands.forEach(({ settle }) => settle())
      expect(seen).to.deep.equal(['0 Cancelled', '1 ok(1)'])
      send.closeUnsafe()
      receive.closeUnsafe()
    })
  })

  describe('scale', () => {
    const through = (count: number, capacity: number): Fx<number, unknown> =>
      withStream(capacity, (send, receive, group) =>
        gen(function* () {
          yield* group.spawn(
            gen(function* () {
              for (let i = 0; i < count; i++) yield* send.send(1)
              yield* send.close
            })
          )
          const sum = yield* Stream.fold(0, (a: number, b: number) => a + b)(receive)
          yield* receive.close
          return sum
        })
      )

    it('1,000,000 items go through one stream in constant memory', function () {
      this.timeout(120_000)
      for (const capacity of [0, 16]) {
        turnsOf(through(10_000, capacity))
        const before = heapUsed()
        const { value, turns } = turnsOf(through(1_000_000, capacity))
        const grown = heapUsed() - before
        expect(value).to.equal(1_000_000)
        expect(grown).to.be.lessThan(2_000_000)
        // A hand-over costs two turns at most, and with a buffer fewer.
        expect(turns).to.be.lessThan(capacity === 0 ? 2_100_000 : 200_000)
      }
    })

    it('a queue that was long does not keep its memory', function () {
      this.timeout(60_000)
      const [send, receive] = Runtime.runSync(make(Infinity))
      const fill = (count: number): void => {
        for (let i = 0; i < count; i++) send.sendUnsafe(i)
        for (let i = 0; i < count; i++) expect(Runtime.runSync(receive.receiveNow)).to.equal(i)
      }
      fill(10)
      const before = heapUsed()
      for (let i = 0; i < 300_000; i++) send.sendUnsafe(i)
      Runtime.runSync(receive.receiveMany(300_000))
      expect(heapUsed() - before).to.be.lessThan(200_000)
      fill(100)
      send.closeUnsafe()
      receive.closeUnsafe()
    })

    const waiting = (
      count: number,
      wait: (send: Send, receive: Receive) => Fx<unknown, unknown>,
      end: (send: Send, receive: Receive) => Fx<unknown>
    ) =>
      turnsOf(
        withStream(0, (send, receive, group) =>
          gen(function* () {
            for (let i = 0; i < count; i++) yield* group.spawn(Effect.either(wait(send, receive)))
            yield* Effect.yieldNow
            const before = yield* send.statistics
            expect(before.tasksWaitingSend + before.tasksWaitingReceive).to.equal(count)
            yield* end(send, receive)
            const after = yield* send.statistics
            expect(after.tasksWaitingSend + after.tasksWaitingReceive).to.equal(0)
            yield* send.close
            yield* receive.close
          })
        )
      )

    for (const [what, wait, end] of [
      [
        'the last sender wakes all receivers',
        (_: Send, receive: Receive) => receive.receive,
        (send: Send) => send.close
      ],
      [
        'the last receiver wakes all senders',
        (send: Send) => send.send(1),
        (_: Send, receive: Receive) => receive.close
      ],
      [
        'an end wakes all that wait on it',
        (_: Send, receive: Receive) => receive.receive,
        (_: Send, receive: Receive) => receive.close
      ]
    ] as const) {
      it(`closing ${what} in linear time`, function () {
        this.timeout(120_000)
        expect(growth(10_000, (n) => waiting(n, wait, end))).to.be.lessThan(50)
      })
    }

    interface Side {
      readonly wait: Fx<unknown, unknown>
      readonly close: Fx<void>
    }
    const sides: Record<string, (send: Send, receive: Receive) => Fx<Side, unknown>> = {
      receivers: (_: Send, receive: Receive) =>
        Effect.map((end: Receive) => ({ wait: end.receive, close: end.close }))(receive.clone),
      senders: (send: Send) =>
        Effect.map((end: Send) => ({ wait: end.send(1), close: end.close }))(send.clone)
    }

    for (const [side, clone] of Object.entries(sides)) {
      const crowd = (
        count: number,
        then: (
          send: Send,
          receive: Receive,
          tasks: ReadonlyArray<Task.Task<unknown, unknown>>
        ) => Fx<unknown, unknown>
      ) =>
        turnsOf(
          withStream(0, (send, receive, group) =>
            gen(function* () {
              const tasks: Array<Task.Task<unknown, unknown>> = []
              for (let i = 0; i < count; i++) {
                const { wait, close } = yield* clone(send, receive)
                tasks.push(yield* group.spawn(Effect.ensuring(close)(wait)))
              }
              yield* Effect.yieldNow
              yield* then(send, receive, tasks)
              yield* group.cancelAll()
            })
          )
        )

      it(`${side} that each close a clone are cancelled in linear time, 100,000 of them`, function () {
        this.timeout(120_000)
        const work = (n: number) => crowd(n, () => Effect.unit)
        expect(growth(10_000, work)).to.be.lessThan(50)
      })

      it(`${side} that are cancelled one after the other, and each close a clone, do so in linear time`, function () {
        this.timeout(120_000)
        const work = (n: number) =>
          crowd(n, (_send, _receive, tasks) =>
            gen(function* () {
              // The youngest first: those that came before still wait.
              for (let i = n - 1; i >= 0; i--) {
                yield* tasks[i]!.cancel()
                yield* Effect.yieldNow
              }
            })
          )
        expect(growth(5_000, work)).to.be.lessThan(50)
      })

      it(`${side} on clones that are served and leave one after the other do so in linear time`, function () {
        this.timeout(120_000)
        const work = (n: number) =>
          crowd(n, (send, receive) =>
            gen(function* () {
              for (let i = 0; i < n; i++) {
                yield* side === 'receivers' ? send.sendNow(i) : receive.receiveNow
                yield* Effect.yieldNow
              }
            })
          )
        expect(growth(5_000, work)).to.be.lessThan(50)
      })
    }
  })
})
