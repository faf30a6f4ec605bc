/** Sources, sinks and operators: what they give, what they hold back, and that nothing is lost on the way. */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  CancelScope,
  Concurrent,
  Effect,
  MemoryStream,
  ObjectStream,
  Promises,
  Resource,
  Runtime,
  type Scheduler,
  Stream,
  type Task,
  TaskGroup,
  Timeout
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { heapUsed, turnsOf } from '../support/byHand.js'
import { afterTurns, settle, sorted, type Trial, underAllSchedules } from '../support/schedules.js'
import { defectOf, expectAll, type Fx, type Log, observe, outcomes, show } from '../support/seeds.js'

const { gen } = Effect

type Source<A, E = never> = ObjectStream.ReceiveStream<A, E>
type Send<A = number> = MemoryStream.MemorySendStream<A>
type Receive<A = number> = MemoryStream.MemoryReceiveStream<A>

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(show)(Effect.exit(fx))

/** A stream whose items need some time, that logs when it is closed, and may fail at its end. */
const slow = (
  log: Log,
  items: ReadonlyArray<readonly [ms: number, item: number]>,
  failure?: string,
  name = 'source'
): Fx<Source<number, string>> =>
  Effect.map((stream: Source<number, string>) => ({
    ...stream,
    close: Effect.andThen(log(`closes ${name}`))(stream.close)
  }))(
    Stream.unfold(0, (i) => {
      const next = items[i]
      if (next !== undefined) return Effect.as(O.some([next[1], i + 1] as const))(Effect.sleep(next[0]))
      return failure === undefined ? Effect.succeed(O.none) : Effect.fail(failure)
    })
  )

/** A sink on a source that is made first. */
const into =
  <A, E, B, E3>(sink: (stream: Source<A, E>) => Fx<B, E3>) =>
  <E2>(source: Fx<Source<A, E>, E2>): Fx<B, E2 | E3> =>
    pipe(source, Effect.flatMap(sink))

const within = <A, E, B>(
  resource: Resource.Resource<unknown, E, A>,
  use: (a: A) => Fx<B, unknown>
): Fx<B, unknown> => Resource.use(use)(resource)

describe('Stream', () => {
  it('two that receive on a layer are both served, wherever their turns end', async () => {
    for (let maxSteps = 1; maxSteps <= 6; maxSteps++) {
      const schedule = (turn: Scheduler.Turn): void => {
        queueMicrotask(() => {
          turn.run()
        })
      }
      const runtime = Runtime.make({ scheduler: { schedule, maxSteps } })
      for (let n = 0; n < 25 * 8; n++) {
        const [late, later] = [Math.floor(n / 8), 3 * (n % 8)]
        const wait = (steps: number): Fx<void> => Effect.repeatN(steps)(Effect.unit)
        const program = gen(function* () {
          const [send, receive] = yield* MemoryStream.make<number>(0)
          const stream = pipe(
            receive,
            Stream.map((i) => i + 1)
          )
          const sending = pipe(wait(later), Effect.andThen(send.send(1)), Effect.andThen(send.send(2)))
          const [got] = yield* pipe(
            stream.receive,
            Concurrent.both(Effect.andThen(stream.receive)(wait(late))),
            Concurrent.both(sending)
          )
          yield* send.close
          yield* stream.close
          return sorted(got)
        })
        expect(await Runtime.runPromise(program, { runtime })).to.deep.equal([2, 3])
      }
    }
  })

  describe('fromIterable', () => {
    it('gives the items in order, then the end, for ever', () => {
      expectAll(
        () =>
          gen(function* () {
            const stream = yield* Stream.fromIterable([1, 2])
            const ends: Array<string> = []
            for (let i = 0; i < 4; i++) ends.push(yield* ending(stream.receive))
            return ends
          }),
        { exit: 'ok(["ok(1)","ok(2)","Fail(EndOfStream)","Fail(EndOfStream)"])' }
      )
    })

    it('iterates lazily, and closing ends the iteration once', () => {
      const log: Array<string> = []
      function* numbers() {
        try {
          for (let i = 0; ; i++) {
            log.push(`gives ${i}`)
            yield i
          }
        } finally {
          log.push('returned')
        }
      }
      expectAll(
        () =>
          gen(function* () {
            const stream = yield* Stream.fromIterable(numbers())
            yield* stream.receive
            yield* stream.close
            yield* stream.close
            return yield* ending(stream.receive)
          }),
        { exit: 'ok(Fail(EndOfStream))' },
        1
      )
      expect(log).to.deep.equal(['gives 0', 'returned'])
    })

    it('an iterator that throws is a defect', () => {
      const broken = {
        [Symbol.iterator]: () => ({
          next: () => {
            throw new Error('broken')
          }
        })
      } as Iterable<number>
      expectAll(() => into(Stream.collect)(Stream.fromIterable(broken)), { exit: 'Die(Error: broken)' }, 1)
    })

    it('a receive in a cancelled scope takes nothing', () => {
      expectAll(
        () =>
          gen(function* () {
            const stream = yield* Stream.fromIterable([1])
            yield* CancelScope.open((scope) => Effect.andThen(stream.receive)(scope.cancel()))
            return yield* stream.receive
          }),
        { exit: 'ok(1)' },
        1
      )
    })
  })

  describe('unfold', () => {
    it('makes items from a state until None', () => {
      expectAll(
        () =>
          into(Stream.collect)(
            Stream.unfold(1, (n) => Effect.succeed(n > 8 ? O.none : O.some([n, n * 2] as const)))
          ),
        { exit: 'ok([1,2,4,8])' },
        1
      )
    })

    it('a step that is cancelled is run again with the same state, and a failure changes nothing', () => {
      expectAll(
        (log) =>
          gen(function* () {
            let failures = 1
            const stream = yield* Stream.unfold(0, (n) =>
              gen(function* () {
                yield* log(`step ${n}`)
                yield* Effect.sleep(10)
                if (n === 1 && failures-- > 0) return yield* Effect.fail('once')
                return O.some([n, n + 1] as const)
              })
            )
            const seen: Array<unknown> = []
            yield* CancelScope.open((scope) =>
              Effect.andThen(stream.receive)(
                Effect.flatMap((now: number) => scope.setDeadline(now + 5))(Effect.currentTime)
              )
            )
            for (let i = 0; i < 3; i++) seen.push(yield* ending(stream.receive))
            yield* stream.close
            seen.push(yield* ending(stream.receive))
            return seen
          }),
        {
          exit: 'ok(["ok(0)","Fail(once)","ok(1)","Fail(EndOfStream)"])',
          log: ['step 0@0', 'step 0@5', 'step 1@15', 'step 1@25']
        },
        1
      )
    })

    it('keeps the environment that it was made in', () => {
      interface Step {
        readonly step: number
      }
      const program = pipe(
        Stream.unfold(0, (n) =>
          Effect.asks(({ step }: Step) => (n > 4 ? O.none : O.some([n, n + step] as const)))
        ),
        Effect.provide({ step: 2 }),
        into(Stream.collect)
      )
      expectAll(() => program, { exit: 'ok([0,2,4])' }, 1)
    })

    it('closing wakes the receivers that wait: the step is cancelled and cleans up, and no other begins', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const stream = yield* Stream.unfold(0, (n) =>
                pipe(
                  log(`step ${n}`),
                  Effect.andThen(Effect.never),
                  Effect.as(O.some([n, n + 1] as const)),
                  Effect.ensuring(Effect.andThen(log('cleaned'))(Effect.sleep(5)))
                )
              )
              const receivers = [
                yield* group.spawn(ending(stream.receive)),
                yield* group.spawn(ending(stream.receive))
              ]
              yield* Effect.sleep(10)
              yield* stream.close
              yield* log('closed')
              const seen: Array<string> = []
              for (const receiver of receivers) seen.push(yield* Effect.orDie(receiver.join))
              return [...seen, yield* ending(stream.receive)]
            })
          ),
        {
          exit: 'ok(["Fail(EndOfStream)","Fail(EndOfStream)","Fail(EndOfStream)"])',
          log: ['step 0@0', 'closed@10', 'cleaned@15']
        }
      )
    })

    it('what goes wrong in a step that closing has cancelled is not lost, and an item that it gives neither', () => {
      const closedIn = (
        clean: (
          item: Fx<O.Option<readonly [number, number]>>
        ) => Fx<O.Option<readonly [number, number]>, string>
      ) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const stream = yield* Stream.unfold(0, () =>
              clean(Effect.as(O.some([7, 0] as const))(Effect.sleep(100)))
            )
            const receiver = yield* group.spawn(ending(stream.receive))
            yield* Effect.sleep(10)
            yield* stream.close
            return [yield* Effect.orDie(receiver.join), yield* ending(stream.receive)]
          })
        )
      expectAll(() => closedIn(Effect.ensuring(Effect.die('stuck'))), {
        exit: 'ok(["Die(stuck)","Fail(EndOfStream)"])',
        took: 10
      })
      expectAll(() => closedIn(Timeout.shielded), { exit: 'ok(["ok(7)","Fail(EndOfStream)"])', took: 100 })
    })

    it('has ended for ever after None, also when a step would give more', () => {
      let steps = 0
      expectAll(
        () =>
          gen(function* () {
            const stream = yield* Stream.unfold(0, () =>
              Effect.sync(() => (steps++ === 0 ? O.none : O.some([steps, 0] as const)))
            )
            return [yield* ending(stream.receive), yield* ending(stream.receive)]
          }),
        { exit: 'ok(["Fail(EndOfStream)","Fail(EndOfStream)"])' },
        1
      )
    })

    it('two receivers get different items', () => {
      expectAll(
        () =>
          TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              const stream = yield* Stream.unfold(0, (n) =>
                Effect.as(n < 4 ? O.some([n, n + 1] as const) : O.none)(Effect.sleep(1))
              )
              const tasks = [
                yield* group.spawn(Stream.collect(stream)),
                yield* group.spawn(Stream.collect(stream))
              ]
              const all: Array<number> = []
              for (const task of tasks) all.push(...(yield* task.join))
              return sorted(all)
            })
          ),
        { exit: 'ok([0,1,2,3])' }
      )
    })
  })

  describe('sinks', () => {
    const numbers = Stream.fromIterable([1, 2, 3])

    it('forEach, fold, collect, drain', () => {
      expectAll(
        (log) =>
          gen(function* () {
            yield* Stream.forEach((n: number) => log(String(n)))(yield* numbers)
            const sum = yield* Stream.fold(0, (a: number, b: number) => a + b)(yield* numbers)
            const all = yield* Stream.collect(yield* numbers)
            return [sum, all, yield* Stream.drain(yield* numbers)]
          }),
        { exit: 'ok([6,[1,2,3],null])', log: ['1@0', '2@0', '3@0'] },
        1
      )
    })

    it('fold and collect begin anew in each run', () => {
      const folded = pipe(numbers, Effect.flatMap(Stream.fold(0, (a: number, b: number) => a + b)))
      const collected = into(Stream.collect)(numbers)
      expectAll(
        () => Effect.tuple([folded, folded, collected, collected]),
        { exit: 'ok([6,6,[1,2,3],[1,2,3]])' },
        1
      )
    })

    it('an EndOfStream of the function is a failure, and not the end of the stream', () => {
      expectAll(
        () => into(Stream.forEach(() => Effect.fail({ _tag: 'EndOfStream' })))(numbers),
        { exit: 'Fail(EndOfStream)' },
        1
      )
    })

    it('a failure of the stream is a failure of the sink, after the items before it', () => {
      expectAll(
        (log) =>
          into((stream: Source<number, string>) => Stream.forEach((n: number) => log(String(n)))(stream))(
            slow(
              log,
              [
                [1, 1],
                [1, 2]
              ],
              'broke'
            )
          ),
        { exit: 'Fail(broke)', log: ['1@1', '2@2'] }
      )
    })

    it('sinks do not close the stream', () => {
      expectAll(
        (log) => Effect.asUnit(into(Stream.collect)(slow(log, [[1, 1]]))),
        { exit: 'ok()', log: [] },
        1
      )
    })

    it('sees a cancellation between items that are there', () => {
      expectAll(
        () =>
          gen(function* () {
            let seen = 0
            const ended = yield* CancelScope.open((scope) =>
              gen(function* () {
                const work = Stream.forEach(() => (++seen === 2 ? scope.cancel() : Effect.unit))
                yield* work(yield* Stream.fromIterable([1, 2, 3]))
              })
            )
            return [ended._tag, seen]
          }),
        { exit: 'ok(["None",2])' },
        1
      )
    })

    it('pipeTo sends all on, and closes neither side', () => {
      expectAll(
        () =>
          TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              const [send, receive] = yield* MemoryStream.make<number>()
              yield* group.spawn(Stream.pipeTo(send)(yield* numbers))
              const got = [yield* receive.receive, yield* receive.receive, yield* receive.receive]
              yield* settle
              const { openSendStreams } = yield* receive.statistics
              return [got, openSendStreams]
            })
          ),
        { exit: 'ok([[1,2,3],1])' }
      )
    })

    it('runs over a million items in constant stack and memory', function () {
      this.timeout(60_000)
      function* many(count: number) {
        for (let i = 0; i < count; i++) yield 1
      }
      const sum = (count: number) =>
        turnsOf(
          pipe(
            Effect.suspend(() => Stream.fromIterable(many(count))),
            Effect.flatMap(Stream.fold(0, (a: number, b: number) => a + b))
          )
        )
      sum(10_000)
      const before = heapUsed()
      expect(sum(1_000_000).value).to.equal(1_000_000)
      expect(heapUsed() - before).to.be.lessThan(1_000_000)
    })
  })

  describe('fromAsyncIterable', () => {
    it('gives the items; its return is called and awaited at the end', async () => {
      const log: Array<string> = []
      async function* numbers() {
        try {
          yield 1
          yield 2
          yield 3
        } finally {
          await Promise.resolve()
          log.push('returned')
        }
      }
      const program = within(Stream.fromAsyncIterable(numbers(), String), (stream) =>
        gen(function* () {
          return [yield* stream.receive, yield* stream.receive]
        })
      )
      expect(await Runtime.runPromise(program)).to.deep.equal([1, 2])
      expect(log).to.deep.equal(['returned'])
    })

    it('a rejection is a typed failure, then the stream has ended', async () => {
      async function* numbers() {
        yield 1
        await Promise.reject(new Error('broke'))
      }
      const program = within(
        Stream.fromAsyncIterable(numbers(), (e) => (e as Error).message),
        (stream) =>
          gen(function* () {
            const ends: Array<string> = []
            for (let i = 0; i < 3; i++) ends.push(yield* ending(stream.receive))
            return ends
          })
      )
      expect(await Runtime.runPromise(program)).to.deep.equal(['ok(1)', 'Fail(broke)', 'Fail(EndOfStream)'])
    })

    it('an iterator whose next throws gives a typed failure as well', async () => {
      const broken: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            throw new Error('broke')
          }
        })
      }
      const program = within(
        Stream.fromAsyncIterable(broken, (e) => (e as Error).message),
        (s) => ending(s.receive)
      )
      expect(await Runtime.runPromise(program)).to.equal('Fail(broke)')
    })

    /** An iterator whose items are given by hand. */
    const manual = () => {
      const asked: Array<(item: IteratorResult<number>) => void> = []
      let returned = 0
      const iterable: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: () =>
            new Promise((resolve) => {
              asked.push(resolve)
            }),
          return: () => {
            returned++
            return Promise.resolve({ done: true, value: undefined })
          }
        })
      }
      return { iterable, asked, returned: () => returned }
    }

    it('a receive that is cancelled loses nothing: the next takes what the pending next gives', async () => {
      const { iterable, asked, returned } = manual()
      const program = within(Stream.fromAsyncIterable(iterable, String), (stream) =>
        gen(function* () {
          const first = yield* TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              const task = yield* group.spawn(stream.receive)
              yield* Effect.yieldNow
              yield* task.cancel()
              return yield* task.wait
            })
          )
          asked[0]!({ done: false, value: 1 })
          const item = yield* stream.receive
          return [show(first), item, asked.length]
        })
      )
      expect(await Runtime.runPromise(program)).to.deep.equal(['Cancelled', 1, 1])
      expect(returned()).to.equal(1)
    })

    it('two receives at once ask one after the other', async () => {
      const { iterable, asked } = manual()
      const program = within(Stream.fromAsyncIterable(iterable, String), (stream) =>
        TaskGroup.open<unknown>()((group) =>
          gen(function* () {
            const tasks = [yield* group.spawn(stream.receive), yield* group.spawn(stream.receive)]
            yield* Effect.yieldNow
            const before = asked.length
            asked[0]!({ done: false, value: 1 })
            while (asked.length < 2) yield* Promises.fromPromise(() => Promise.resolve())
            asked[1]!({ done: false, value: 2 })
            return [before, yield* tasks[0]!.join, yield* tasks[1]!.join]
          })
        )
      )
      expect(await Runtime.runPromise(program)).to.deep.equal([1, 1, 2])
    })

    it('closing wakes a receive that waits, and calls return once', async () => {
      const { iterable, returned } = manual()
      const program = within(Stream.fromAsyncIterable(iterable, String), (stream) =>
        TaskGroup.open<unknown>()((group) =>
          gen(function* () {
            const task = yield* group.spawn(ending(stream.receive))
            yield* Effect.yieldNow
            yield* stream.close
            yield* stream.close
            return [yield* task.join, yield* ending(stream.receive)]
          })
        )
      )
      expect(await Runtime.runPromise(program)).to.deep.equal(['Fail(EndOfStream)', 'Fail(EndOfStream)'])
      expect(returned()).to.equal(1)
    })

    it('an iterator without return is left alone, and is over when it is closed', async () => {
      const iterable: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: false, value: 1 }) })
      }
      const program = within(Stream.fromAsyncIterable(iterable, String), (stream) =>
        gen(function* () {
          const item = yield* stream.receive
          yield* stream.close
          return [item, yield* ending(stream.receive)]
        })
      )
      expect(await Runtime.runPromise(program)).to.deep.equal([1, 'Fail(EndOfStream)'])
    })
  })

  describe('toAsyncIterable', () => {
    const iterate = <A, B>(stream: Fx<Source<A, unknown>>, use: (items: AsyncIterable<A>) => Promise<B>) =>
      Runtime.runPromise(
        gen(function* () {
          return yield* within(Stream.toAsyncIterable(yield* stream), (items) =>
            Promises.fromPromise(() => use(items))
          )
        })
      )

    it('for await gives all items, and ends', async () => {
      const all = await iterate(Stream.fromIterable([1, 2, 3]), async (items) => {
        const seen: Array<number> = []
        for await (const item of items) seen.push(item)
        return seen
      })
      expect(all).to.deep.equal([1, 2, 3])
    })

    it('leaving the loop early closes the stream', async () => {
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>(3))
      for (const n of [1, 2, 3]) send.sendUnsafe(n)
      const first = await iterate(Effect.succeed(receive), async (items) => {
        for await (const item of items) return item
        return undefined
      })
      expect(first).to.equal(1)
      expect(Runtime.runSync(send.statistics).openReceiveStreams).to.equal(0)
    })

    it('after return the iterator is over', async () => {
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>(2))
      for (const n of [1, 2]) send.sendUnsafe(n)
      const ends = await iterate(Effect.succeed(receive), async (items) => {
        const iterator = items[Symbol.asyncIterator]()
        return [await iterator.next(), await iterator.return?.(), await iterator.next()]
      })
      expect(ends).to.deep.equal([
        { done: false, value: 1 },
        { done: true, value: undefined },
        { done: true, value: undefined }
      ])
      send.closeUnsafe()
    })

    it('several nexts at once are answered in order', async () => {
      const all = await iterate(Stream.fromIterable([1, 2]), async (items) => {
        const iterator = items[Symbol.asyncIterator]()
        return Promise.all([iterator.next(), iterator.next(), iterator.next()])
      })
      expect(all.map(({ value }) => value as unknown)).to.deep.equal([1, 2, undefined])
    })

    it('a failure of the stream rejects', async () => {
      const stream = Stream.unfold(0, () => Effect.fail('broke'))
      const reason: unknown = await iterate(stream, async (items) => {
        try {
          for await (const item of items) return item
        } catch (e) {
          return e
        }
        return undefined
      })
      expect(reason).to.be.instanceOf(Error)
      expect(String(reason)).to.include('broke')
    })

    it('a next that is pending when the resource is released rejects, and so does a later one', async () => {
      const ends: Array<Promise<unknown>> = []
      const [send, receive] = Runtime.runSync(MemoryStream.make<number>())
      const iterator = await Runtime.runPromise(
        within(Stream.toAsyncIterable(receive), (items) =>
          Effect.sync(() => {
            const it = items[Symbol.asyncIterator]()
            ends.push(it.next())
            return it
          })
        )
      )
      ends.push(iterator.next())
      const settled = await Promise.allSettled(ends)
      expect(settled.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
      expect(send.sendUnsafe(1)).to.equal(false)
      send.closeUnsafe()
      receive.closeUnsafe()
    })
  })

  describe('merge', () => {
    it('gives the items of both as they come, and ends when both have ended', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const a = yield* slow(
              log,
              [
                [10, 1],
                [20, 2]
              ],
              undefined,
              'a'
            )
            const b = yield* slow(
              log,
              [
                [15, 11],
                [30, 12]
              ],
              undefined,
              'b'
            )
            return yield* within(Stream.merge(b)(a), Stream.collect)
          }),
        { exit: 'ok([1,11,2,12])', took: 45, lines: ['closes a@45', 'closes b@45'] }
      )
    })

    it('a failure of either ends it, after the items before it', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const seen: Array<number> = []
            const a = yield* slow(log, [[10, 1]], 'broke', 'a')
            const b = yield* slow(
              log,
              [
                [5, 11],
                [50, 12]
              ],
              undefined,
              'b'
            )
            const ended = yield* ending(
              within(
                Stream.merge(b)(a),
                Stream.forEach((n: number) => Effect.sync(() => seen.push(n)))
              )
            )
            return [ended, ...seen]
          }),
        { exit: 'ok(["Fail(broke)",11,1])', took: 10 }
      )
    })

    it('is closed early: the tasks are cancelled and the sources closed', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const a = yield* slow(
              log,
              [
                [10, 1],
                [1000, 2]
              ],
              undefined,
              'a'
            )
            const b = yield* slow(log, [[1000, 11]], undefined, 'b')
            return yield* within(Stream.merge(b)(a), (merged) => merged.receive)
          }),
        { exit: 'ok(1)', took: 10, log: ['closes a@10', 'closes b@10'] }
      )
    })

    it('when its stream is closed nothing more is taken from the sources', () => {
      let made = 0
      const endless = Stream.unfold(0, (n) => Effect.sync(() => (made++, O.some([n, n + 1] as const))))
      expectAll(
        () =>
          gen(function* () {
            // Sources that do not end when they are closed.
            const [a, b] = [yield* endless, yield* endless]
            const merging = Stream.merge({ ...b, close: Effect.unit })({ ...a, close: Effect.unit })
            return yield* within(merging, (merged) =>
              gen(function* () {
                yield* merged.receive
                yield* merged.close
                yield* Effect.sleep(10)
                return yield* ending(merged.receive)
              })
            )
          }),
        { exit: 'ok(Fail(EndOfStream))' },
        1
      )
      expect(made).to.be.lessThan(5)
    })
  })

  describe('zip', () => {
    it('gives pairs as long as both have items', () => {
      expectAll(
        () =>
          gen(function* () {
            const [a, b] = [yield* Stream.fromIterable([1, 2, 3]), yield* Stream.fromIterable(['a', 'b'])]
            return yield* Stream.collect(Stream.zip(b)(a))
          }),
        { exit: 'ok([[1,"a"],[2,"b"]])' },
        1
      )
    })

    it('an item whose partner has not come is kept when the receive is cancelled', () => {
      expectAll(
        () =>
          gen(function* () {
            const [send, receive] = yield* MemoryStream.make<string>(2)
            const zipped = Stream.zip(receive)(yield* Stream.fromIterable([1, 2]))
            yield* CancelScope.open((scope) =>
              Effect.andThen(zipped.receive)(
                Effect.flatMap((now: number) => scope.setDeadline(now + 5))(Effect.currentTime)
              )
            )
            yield* send.send('a')
            yield* send.send('b')
            return [yield* zipped.receive, yield* zipped.receive]
          }),
        { exit: 'ok([[1,"a"],[2,"b"]])' }
      )
    })

    it('two receivers get different pairs', () => {
      expectAll(
        () =>
          TaskGroup.open<unknown>()((group) =>
            gen(function* () {
              const [a, endA] = yield* MemoryStream.make<number>(2)
              const [b, endB] = yield* MemoryStream.make<number>(2)
              const zipped = Stream.zip(endB)(endA)
              const tasks = [yield* group.spawn(zipped.receive)]
              yield* settle
              yield* a.send(1)
              yield* settle
              // The first has its left half and waits for the right one.
              tasks.push(yield* group.spawn(zipped.receive))
              yield* settle
              yield* a.send(2)
              yield* settle
              for (const n of [11, 12]) {
                yield* b.send(n)
                yield* settle
              }
              const pairs = [yield* tasks[0]!.join, yield* tasks[1]!.join]
              return pairs.sort(([x], [y]) => x - y)
            })
          ),
        { exit: 'ok([[1,11],[2,12]])' }
      )
    })

    it('closing closes both', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const a = yield* slow(log, [], undefined, 'a')
            const b = yield* slow(log, [], undefined, 'b')
            yield* Stream.zip(b)(a).close
          }),
        { log: ['closes a@0', 'closes b@0'] },
        1
      )
    })
  })

  describe('buffer', () => {
    it('receives ahead, up to its capacity', () => {
      expectAll(
        () => {
          let made = 0
          const endless = Stream.unfold(0, (n) => Effect.sync(() => (made++, O.some([n, n + 1] as const))))
          return gen(function* () {
            return yield* within(Stream.buffer(3)(yield* endless), (buffered) =>
              gen(function* () {
                yield* settle
                const ahead = made
                const items = [yield* buffered.receive, yield* buffered.receive]
                yield* settle
                return [ahead, items, made]
              })
            )
          })
        },
        // Three in the buffer, and one that waits to get in.
        { exit: 'ok([4,[0,1],6])' }
      )
    })

    it('hands over what is buffered before a failure', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const stream = yield* slow(
              log,
              [
                [1, 1],
                [1, 2]
              ],
              'broke'
            )
            return yield* within(Stream.buffer(5)(stream), (buffered) =>
              gen(function* () {
                yield* Effect.sleep(10)
                const ends: Array<string> = []
                for (let i = 0; i < 4; i++) ends.push(yield* ending(buffered.receive))
                return ends
              })
            )
          }),
        { exit: 'ok(["ok(1)","ok(2)","Fail(broke)","Fail(EndOfStream)"])', log: ['closes source@10'] }
      )
    })

    it('a defect of the source fails whoever uses the stream', () => {
      expectAll(
        () =>
          gen(function* () {
            const stream = yield* Stream.unfold(
              0,
              () => Effect.die('bug') as Fx<O.Option<readonly [number, number]>>
            )
            return yield* within(Stream.buffer(1)(stream), (buffered) => buffered.receive)
          }),
        { exit: 'Die(bug)' }
      )
    })
  })

  describe('mapEffect', () => {
    /** Maps n to n after n ms, and counts how many run at once. */
    const work = (items: ReadonlyArray<number>, options: Stream.MapEffectOptions): Fx<string> =>
      Effect.suspend(() => {
        const worked = { running: 0, most: 0 }
        const f = (n: number) =>
          Effect.ensuring(
            Effect.sync(() => {
              worked.running--
            })
          )(
            Effect.suspend(() => {
              worked.most = Math.max(worked.most, ++worked.running)
              return Effect.as(n)(Effect.sleep(n))
            })
          )
        return Effect.map((result: unknown) => `${String(result)} ${worked.most}`)(
          gen(function* () {
            const mapped = Stream.mapEffect(f, options)(yield* Stream.fromIterable(items))
            return yield* Effect.orDie(within(mapped, Stream.collect))
          })
        )
      })

    it('one at a time when nothing is said', () => {
      expectAll(() => work([3, 1, 2], {}), { exit: 'ok(3,1,2 1)', took: 6 })
    })

    it('in order: several at a time, the results in the order of the items', () => {
      expectAll(() => work([30, 10, 20, 5], { concurrency: 2 }), { exit: 'ok(30,10,20,5 2)', took: 50 })
      expectAll(() => work([30, 10, 20, 5], { concurrency: 4 }), { exit: 'ok(30,10,20,5 4)', took: 30 })
      expectAll(() => work([30, 10, 20, 5], { concurrency: Infinity }), {
        exit: 'ok(30,10,20,5 4)',
        took: 30
      })
    })

    it('not in order: the results as they come', () => {
      expectAll(
        () => work([30, 10, 20, 5], { concurrency: 2, ordered: false }),
        { exit: 'ok(10,30,20,5 2)' },
        1
      )
      expectAll(() => work([31, 10, 20, 5], { concurrency: 4, ordered: false }), {
        exit: 'ok(5,10,20,31 4)',
        took: 31
      })
    })

    it('a concurrency that is no whole number from 1 is a defect', () => {
      for (const concurrency of [0, -1, 1.5, NaN]) {
        expectAll(
          () => Effect.map((s: string) => s.slice(0, 14))(ending(work([1], { concurrency }))),
          { exit: 'ok(Die(RangeError)' },
          1
        )
      }
    })

    it('a slow receiver holds the source back, in order and not', () => {
      for (const ordered of [true, false]) {
        expectAll(
          () => {
            let made = 0
            const endless = Stream.unfold(0, (n) => Effect.sync(() => (made++, O.some([n, n + 1] as const))))
            return gen(function* () {
              const mapped = Stream.mapEffect((n: number) => Effect.succeed(n), { concurrency: 3, ordered })
              return yield* within(mapped(yield* endless), (stream) =>
                gen(function* () {
                  yield* settle
                  const ahead = made
                  yield* stream.receive
                  yield* settle
                  return [ahead, made]
                })
              )
            })
          },
          { exit: 'ok([3,4])' }
        )
      }
    })

    const failing =
      (ordered: boolean, use: (stream: Source<number, string>) => Fx<unknown, unknown>) => (log: Log) =>
        gen(function* () {
          const source = yield* slow(log, [
            [0, 1],
            [0, 2],
            [0, 3],
            [0, 4]
          ])
          const f = (n: number): Fx<number, string> =>
            n === 2
              ? Effect.andThen(Effect.fail('broke'))(Effect.sleep(5))
              : Effect.onCancel(log(`cancels ${n}`))(Effect.as(n)(Effect.sleep(10)))
          return yield* within(Stream.mapEffect(f, { concurrency: 3, ordered })(source), use)
        })

    it('in order a failure comes after the results before it, cancels the rest, and is the end', () => {
      expectAll(
        failing(true, (stream) =>
          gen(function* () {
            const ends: Array<string> = []
            for (let i = 0; i < 3; i++) ends.push(yield* ending(stream.receive))
            return ends
          })
        ),
        { exit: 'ok(["ok(1)","Fail(broke)","Fail(EndOfStream)"])' }
      )
    })

    it('in order with one at a time no result is lost to a failure, however slow the receiver is', () => {
      expectAll(
        () =>
          gen(function* () {
            const f = (n: number) => (n === 3 ? Effect.fail('broke') : Effect.succeed(n))
            const source = yield* Stream.fromIterable([1, 2, 3, 4])
            return yield* within(Stream.mapEffect(f)(source), (stream) =>
              gen(function* () {
                const ends: Array<string> = []
                for (let i = 0; i < 4; i++) {
                  yield* Effect.sleep(10)
                  ends.push(yield* ending(stream.receive))
                }
                return ends
              })
            )
          }),
        { exit: 'ok(["ok(1)","ok(2)","Fail(broke)","Fail(EndOfStream)"])' }
      )
    })

    it('not in order a failure ends it at once', () => {
      expectAll(
        failing(false, (stream) => ending(stream.receive)),
        { exit: 'ok(Fail(broke))', took: 5, lines: ['cancels 1@5', 'cancels 3@5', 'closes source@5'] }
      )
    })

    it('a defect fails whoever uses the stream', () => {
      expectAll(
        () =>
          gen(function* () {
            const f = (n: number) => (n === 2 ? Effect.die('bug') : Effect.succeed(n))
            return yield* within(Stream.mapEffect(f)(yield* Stream.fromIterable([1, 2, 3])), Stream.collect)
          }),
        { exit: 'Die(bug)' }
      )
    })

    it('released early: what runs is cancelled and awaited, and the source closed', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const source = yield* slow(log, [
              [0, 1],
              [0, 2],
              [0, 3]
            ])
            const f = (n: number) => Effect.onCancel(log(`cancels ${n}`))(Effect.as(n)(Effect.sleep(n * 10)))
            return yield* within(Stream.mapEffect(f, { concurrency: 3 })(source), (stream) => stream.receive)
          }),
        { exit: 'ok(1)', took: 10, lines: ['cancels 2@10', 'cancels 3@10', 'closes source@10'] }
      )
    })

    it('needs the environment of its function', () => {
      interface Factor {
        readonly factor: number
      }
      const program = pipe(
        Stream.fromIterable([1, 2]),
        Effect.flatMap((stream) =>
          pipe(
            stream,
            Stream.mapEffect((n: number) => Effect.asks(({ factor }: Factor) => n * factor)),
            Resource.use(Stream.collect)
          )
        ),
        Effect.provide({ factor: 10 })
      )
      expectAll(() => program, { exit: 'ok([10,20])' })
    })
  })

  describe('broadcast', () => {
    it('each subscription sees every item; without lag the slowest holds the others back', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const source = yield* slow(log, [
              [1, 1],
              [1, 2],
              [1, 3],
              [1, 4]
            ])
            return yield* within(Stream.broadcast()(source), (hub) =>
              TaskGroup.open<unknown>()((group) =>
                gen(function* () {
                  const reader = (ms: number) =>
                    within(hub.subscribe, (stream) =>
                      gen(function* () {
                        const all: Array<number> = []
                        yield* Stream.forEach((n: number) =>
                          Effect.andThen(Effect.sync(() => all.push(n)))(Effect.sleep(ms))
                        )(stream)
                        return all
                      })
                    )
                  const tasks = [yield* group.spawn(reader(0)), yield* group.spawn(reader(20))]
                  return [yield* tasks[0]!.join, yield* tasks[1]!.join]
                })
              )
            )
          }),
        { exit: 'ok([[1,2,3,4],[1,2,3,4]])' }
      )
    })

    it('a subscription sees what is received after it, and one that comes after the end finds the end', () => {
      expectAll(
        () =>
          gen(function* () {
            const [send, receive] = yield* MemoryStream.make<number>()
            return yield* within(Stream.broadcast()(receive), (hub) =>
              gen(function* () {
                yield* send.send(1)
                yield* settle
                const seen = yield* within(hub.subscribe, (stream) =>
                  gen(function* () {
                    yield* send.send(2)
                    yield* send.close
                    return [yield* ending(stream.receive), yield* ending(stream.receive)]
                  })
                )
                yield* settle
                return [...seen, yield* within(hub.subscribe, (stream) => ending(stream.receive))]
              })
            )
          }),
        { exit: 'ok(["ok(2)","Fail(EndOfStream)","Fail(EndOfStream)"])' }
      )
    })

    it('with lag a slow subscriber is told how many it has missed, and goes on with the newest', () => {
      for (const [lag, expected] of [
        [2, ['Fail(Lagged)', 'ok(4)', 'ok(5)', 'Fail(EndOfStream)']],
        [5, ['ok(1)', 'ok(2)', 'ok(3)', 'ok(4)']],
        [0, ['Fail(Lagged)', 'Fail(EndOfStream)', 'Fail(EndOfStream)', 'Fail(EndOfStream)']]
      ] as const) {
        expectAll(
          () =>
            gen(function* () {
              const source = yield* Stream.fromIterable([1, 2, 3, 4, 5])
              return yield* within(Stream.broadcast({ lag })(source), (hub) =>
                within(hub.subscribe, (stream) =>
                  gen(function* () {
                    yield* settle
                    const ends: Array<string> = []
                    for (let i = 0; i < 4; i++) ends.push(yield* ending(stream.receive))
                    return ends
                  })
                )
              )
            }),
          { exit: `ok(${JSON.stringify(expected)})` }
        )
      }
    })

    it('Lagged counts what was dropped since the last time', () => {
      expectAll(
        () =>
          gen(function* () {
            const [send, receive] = yield* MemoryStream.make<number>()
            return yield* within(Stream.broadcast({ lag: 1 })(receive), (hub) =>
              within(hub.subscribe, (stream) =>
                gen(function* () {
                  const seen: Array<unknown> = []
                  for (const many of [3, 1, 5]) {
                    for (let i = 0; i < many; i++) yield* send.send(i)
                    yield* settle
                    const first = yield* Effect.either(stream.receive)
                    seen.push(
                      first._tag === 'Left' ? (first.left as { readonly dropped: number }).dropped : 0
                    )
                    if (first._tag === 'Left') yield* stream.receive
                  }
                  return seen
                })
              )
            )
          }),
        { exit: 'ok([2,0,4])' }
      )
    })

    it('every subscriber finds the failure of the stream once, after its items; later ones at once', () => {
      for (const lag of [undefined, 0, 3]) {
        expectAll(
          (log) =>
            gen(function* () {
              const source = yield* slow(log, [[10, 1]], 'broke')
              const hubs = lag === undefined ? Stream.broadcast()(source) : Stream.broadcast({ lag })(source)
              return yield* within(hubs as ReturnType<ReturnType<typeof Stream.broadcast>>, (hub) =>
                gen(function* () {
                  const read = (stream: Source<unknown, unknown>) =>
                    gen(function* () {
                      const ends: Array<string> = []
                      for (let i = 0; i < 3; i++) ends.push(yield* ending(stream.receive))
                      return ends.join()
                    })
                  const early = yield* within(hub.subscribe, read)
                  const late = yield* within(hub.subscribe, read)
                  return [early, late]
                })
              )
            }),
          {
            exit: `ok(${JSON.stringify([
              'ok(1),Fail(broke),Fail(EndOfStream)',
              'Fail(broke),Fail(EndOfStream),Fail(EndOfStream)'
            ])})`
          }
        )
      }
    })

    it('a subscriber that leaves does not hold the others back any more', () => {
      expectAll(
        () =>
          gen(function* () {
            const source = yield* Stream.fromIterable([1, 2, 3, 4, 5])
            return yield* within(Stream.broadcast()(source), (hub) =>
              within(hub.subscribe, (stream) =>
                gen(function* () {
                  yield* within(hub.subscribe, (other) => other.receive)
                  return yield* Stream.collect(stream)
                })
              )
            )
          }),
        { exit: 'ok([1,2,3,4,5])' }
      )
    })

    it('keeps nothing of subscribers that have left', function () {
      this.timeout(60_000)
      const come = (count: number) =>
        gen(function* () {
          const [send, receive] = yield* MemoryStream.make<number>()
          const grown = yield* within(Stream.broadcast()(receive), (hub) =>
            gen(function* () {
              const before = heapUsed()
              for (let i = 0; i < count; i++) yield* within(hub.subscribe, () => Effect.unit)
              return heapUsed() - before
            })
          )
          yield* send.close
          return grown
        })
      turnsOf(come(1_000))
      expect(turnsOf(come(20_000)).value).to.be.lessThan(2_000_000)
    })

    it('closes its source at the end', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const source = yield* slow(log, [[1000, 1]])
            yield* within(Stream.broadcast()(source), () => Effect.sleep(10))
          }),
        { took: 10, log: ['closes source@10'] }
      )
    })
  })

  describe('select', () => {
    const two = <A>(
      use: (a: readonly [Send, Receive], b: readonly [Send<string>, Receive<string>]) => Fx<A, unknown>
    ) =>
      gen(function* () {
        const a = yield* MemoryStream.make<number>(2)
        const b = yield* MemoryStream.make<string>(2)
        return yield* Effect.ensuring(
          Effect.sync(() => {
            for (const end of [...a, ...b]) end.closeUnsafe()
          })
        )(use(a, b))
      })

    it('takes from the one that can go on, and nothing from the others', () => {
      expectAll(
        () =>
          two(([sendA, a], [sendB, b]) =>
            gen(function* () {
              yield* sendB.send('x')
              const first = yield* Stream.select({ a, b })
              yield* sendA.send(1)
              yield* sendB.send('y')
              const second = yield* Stream.select({ a, b })
              return [first, second, yield* b.receiveNow]
            })
          ),
        { exit: 'ok([["b","x"],["a",1],"y"])' }
      )
    })

    it('waits for the first that comes, and takes its places back everywhere', () => {
      expectAll(
        () =>
          two(([sendA, a], [sendB, b]) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                const task = yield* group.spawn(Stream.select({ a, b }))
                yield* settle
                const waiting = [
                  (yield* a.statistics).tasksWaitingReceive,
                  (yield* b.statistics).tasksWaitingReceive
                ]
                yield* sendB.sendNow('x')
                yield* sendA.sendNow(1)
                const rest = [
                  (yield* a.statistics).tasksWaitingReceive,
                  (yield* b.statistics).tasksWaitingReceive
                ]
                return [waiting, yield* task.join, rest, yield* a.receiveNow]
              })
            )
          ),
        { exit: 'ok([[1,1],["b","x"],[0,0],1])' }
      )
    })

    it('is served among the receivers, in the order of arrival', () => {
      expectAll(
        (log) =>
          two(([sendA, a], [, b]) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                const note = (name: string) => (item: unknown) => log(`${name} ${JSON.stringify(item)}`)
                yield* group.spawn(Effect.flatMap(note('first'))(a.receive))
                yield* settle
                yield* group.spawn(Effect.flatMap(note('second'))(Stream.select({ a, b })))
                yield* settle
                yield* group.spawn(Effect.flatMap(note('third'))(a.receive))
                yield* settle
                for (const n of [1, 2, 3]) yield* sendA.sendNow(n)
              })
            )
          ),
        { lines: ['first 1@3', 'second ["a",2]@3', 'third 3@3'] }
      )
    })

    it('passes over streams that have ended; EndOfStream when all have', () => {
      expectAll(
        () =>
          two(([sendA, a], [sendB, b]) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                yield* sendA.close
                yield* sendB.send('x')
                const first = yield* Stream.select({ a, b })
                const task = yield* group.spawn(Stream.select({ a, b }))
                yield* settle
                yield* sendB.send('y')
                const second = yield* task.join
                yield* sendB.close
                return [
                  first,
                  second,
                  yield* ending(Stream.select({ a, b })),
                  yield* ending(Stream.select({}))
                ]
              })
            )
          ),
        { exit: 'ok([["b","x"],["b","y"],"Fail(EndOfStream)","Fail(EndOfStream)"])' }
      )
    })

    it('while it waits: one that ends is passed over, the last one that ends is the end', () => {
      expectAll(
        (log) =>
          two(([sendA, a], [sendB, b]) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                yield* group.spawn(Effect.flatMap(log)(ending(Stream.select({ a, b }))))
                yield* Effect.sleep(1)
                yield* sendA.close
                yield* Effect.sleep(1)
                yield* sendB.close
              })
            )
          ),
        { log: ['Fail(EndOfStream)@2'] }
      )
    })

    it('a cancelled select takes nothing, and leaves no place behind', () => {
      expectAll(
        () =>
          two(([sendA, a], [, b]) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                const task = yield* group.spawn(Stream.select({ a, b }))
                yield* settle
                yield* task.cancel()
                const waiting = [
                  (yield* a.statistics).tasksWaitingReceive,
                  (yield* b.statistics).tasksWaitingReceive
                ]
                yield* sendA.sendNow(1)
                return [show(yield* task.wait), waiting, yield* a.receiveNow]
              })
            )
          ),
        { exit: 'ok(["Cancelled",[0,0],1])' }
      )
    })

    it('the same stream twice is one stream', () => {
      expectAll(
        () =>
          two(([sendA, a]) =>
            TaskGroup.open<unknown>()((group) =>
              gen(function* () {
                const other = yield* a.clone
                const selected = yield* group.spawn(Stream.select({ x: a, y: a }))
                yield* settle
                const behind = yield* group.spawn(other.receive)
                yield* settle
                yield* sendA.sendNow(1)
                yield* sendA.sendNow(2)
                const served = [yield* selected.join, yield* behind.join]
                const again = yield* group.spawn(ending(Stream.select({ x: a, y: a })))
                yield* settle
                const last = yield* group.spawn(other.receive)
                yield* settle
                yield* a.close
                yield* sendA.sendNow(3)
                return [...served, yield* again.join, yield* last.join]
              })
            )
          ),
        { exit: 'ok([["x",1],2,"Fail(ClosedResource)",3])' }
      )
    })

    it('a stream that is no memory stream cannot be selected from, which is a defect that says what to do', () => {
      const exit = TestRuntime.runExit(
        gen(function* () {
          const numbers = yield* Stream.fromIterable([1])
          return yield* Stream.select({ numbers })
        })
      )
      expect(defectOf(exit)).to.match(
        /^TypeError: The stream "numbers" cannot be selected from.*Stream.buffer\(1\)/
      )
    })

    it('a stream with a buffer on it can be selected from', () => {
      const seen = outcomes(
        () =>
          gen(function* () {
            return yield* within(Stream.buffer(1)(yield* Stream.fromIterable([1])), (buffered) =>
              ending(Stream.select({ buffered }))
            )
          }),
        3
      )
      expect(seen).to.deep.equal(['ok(ok(["buffered",1]))'])
    })

    it('loses nothing, with a cancellation at every turn and under every schedule', function () {
      this.timeout(60_000)
      const trial = (victims: ReadonlyArray<number>, delay: number, capacity: number) => (): Trial => {
        const sent: Array<number> = []
        const taken: Array<number> = []
        const program = TaskGroup.open<unknown>()((group) =>
          gen(function* () {
            const [sendA, a] = yield* MemoryStream.make<number>(capacity)
            const [sendB, b] = yield* MemoryStream.make<number>(capacity)
            const produce = (end: Send, items: ReadonlyArray<number>) =>
              Effect.ensuring(end.close)(
                Effect.forEach((item: number) => Effect.map(() => void sent.push(item))(end.send(item)))(
                  items
                )
              )
            const select = Effect.either(
              Effect.forever(
                Effect.map(([, item]: readonly [string, number]) => void taken.push(item))(
                  Stream.select({ a, b })
                )
              )
            )
            const tasks: Array<Task.Task<unknown, unknown>> = []
            const all: ReadonlyArray<Fx<unknown, unknown>> = [
              produce(sendA, [1, 2]),
              produce(sendB, [11]),
              select,
              select
            ]
            for (const work of all) {
              tasks.push(yield* group.spawn(work))
            }
            yield* group.spawn(afterTurns(delay, Effect.forEach((v: number) => tasks[v]!.cancel())(victims)))
            yield* tasks[2]!.wait
            yield* tasks[3]!.wait
            taken.push(...(yield* Stream.collect(a)), ...(yield* Stream.collect(b)))
          })
        )
        const wrong = (): string | undefined =>
          sorted(taken).join() === sorted(sent).join()
            ? undefined
            : JSON.stringify({ victims, delay, capacity, sent, taken })
        return { program, wrong }
      }
      for (const capacity of [0, 1]) {
        for (const victims of [[], [0], [1], [2], [3], [2, 3], [3, 0]]) {
          for (let delay = 0; delay < 5; delay++) {
            underAllSchedules({ base: 3, length: 4 }, trial(victims, delay, capacity))
          }
        }
      }
    })
  })

  it('the tasks of an operator end with its resource, also when its user fails or is cancelled', () => {
    const { exit } = observe(() =>
      gen(function* () {
        const ends: Array<string> = []
        for (const use of [Effect.fail('no') as Fx<never, string>, Effect.never]) {
          const operators: ReadonlyArray<
            (stream: Source<number, unknown>) => Resource.Resource<unknown, never, Source<unknown, unknown>>
          > = [
            Stream.buffer(1),
            Stream.merge(ObjectStream.receiveStream({ receive: Effect.never })),
            Stream.mapEffect((n: number) => Effect.succeed(n), { concurrency: 2 }),
            Stream.mapEffect((n: number) => Effect.succeed(n), { concurrency: 2, ordered: false })
          ]
          for (const operator of operators) {
            const [send, receive] = yield* MemoryStream.make<number>()
            yield* CancelScope.open((scope) =>
              gen(function* () {
                const now = yield* Effect.currentTime
                yield* scope.setDeadline(now + 10)
                yield* Effect.either(within(operator(receive), () => use))
              })
            )
            ends.push(yield* ending(send.send(1)))
          }
        }
        return [...new Set(ends)]
      })
    )
    expect(show(exit)).to.equal('ok(["Fail(BrokenResource)"])')
  })
})
