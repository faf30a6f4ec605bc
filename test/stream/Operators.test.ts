/** `partition`, `debounce`, `throttle`, and that a stream belongs to the operator that was put on it. */
import { expect } from 'chai'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  CancelScope,
  Concurrent,
  Effect,
  MemoryStream,
  type ObjectStream,
  Resource,
  Stream,
  TaskGroup,
  Timeout,
  type Transducer
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { settle } from '../support/schedules.js'
import { elapsed, expectAll, type Fx, show } from '../support/seeds.js'

const { gen } = Effect

type Source<A, E = never> = ObjectStream.ReceiveStream<A, E>

const ending = (fx: Fx<unknown, unknown>): Fx<string> => Effect.map(show)(Effect.exit(fx))

const within = <A, B>(resource: Resource.Resource<unknown, never, A>, use: (a: A) => Fx<B, unknown>) =>
  Resource.use(use)(resource)

/** Items that come so long after the one before, then a failure, if there is one. */
const timed = (
  items: ReadonlyArray<readonly [ms: number, item: number]>,
  failure?: string
): Fx<Source<number, string>> =>
  Stream.unfold(0, (i) => {
    const next = items[i]
    if (next !== undefined) return Effect.as(O.some([next[1], i + 1] as const))(Effect.sleep(next[0]))
    return failure === undefined ? Effect.succeed(O.none) : Effect.fail(failure)
  })

/** What it gives, each with the time, and how it ends. */
const timeline = (stream: Source<unknown, unknown>): Fx<ReadonlyArray<string>> =>
  gen(function* () {
    const seen: Array<string> = []
    for (;;) {
      const end = yield* ending(stream.receive)
      seen.push(`${end}@${yield* elapsed}`)
      if (!end.startsWith('ok')) return seen
    }
  })

const parity = (n: number): E.Either<number, number> => (n % 2 === 0 ? E.right(n) : E.left(n))

/** Wherever it is cancelled nothing runs on, and its source is closed. */
const cancelled = (make: (source: Source<number, string>) => Fx<unknown, unknown>): void => {
  let open = 0
  const program = gen(function* () {
    const stream = yield* timed([
      [1, 1],
      [5, 2],
      [1, 3],
      [30, 4]
    ])
    let isOpen = true
    open++
    const close = Effect.andThen(
      Effect.sync(() => {
        if (isOpen) open--
        isOpen = false
      })
    )(stream.close)
    return yield* make({ ...stream, close })
  })
  const found = TestRuntime.everyCancelPoint(program, {
    check: () => {
      expect(open).to.equal(0)
    }
  })
  expect(found._tag, TestRuntime.pretty(found)).to.equal('Passed')
}

describe('Stream operators', () => {
  describe('partition', () => {
    it('keeps the order on each side, and both end with the source', () => {
      expectAll(
        () =>
          gen(function* () {
            const numbers = yield* timed([
              [1, 1],
              [1, 3],
              [1, 2],
              [1, 4],
              [1, 5]
            ])
            return yield* within(Stream.partition(parity)(numbers), ({ left, right }) =>
              Concurrent.all([timeline(left), timeline(right)])
            )
          }),
        {
          exit: 'ok([["ok(1)@1","ok(3)@2","ok(5)@5","Fail(EndOfStream)@5"],["ok(2)@3","ok(4)@4","Fail(EndOfStream)@5"]])'
        }
      )
    })

    it('a side that nobody receives from holds the other one back once lag items wait there', () => {
      for (const lag of [0, 2]) {
        expectAll(
          () => {
            let made = 0
            return gen(function* () {
              const odd = yield* Stream.unfold(0, (n) =>
                Effect.sync(() => (made++, O.some([2 * n + 1, n + 1] as const)))
              )
              return yield* within(Stream.partition(parity, { lag })(odd), ({ left }) =>
                gen(function* () {
                  yield* settle
                  const ahead = made
                  yield* left.receive
                  yield* settle
                  return [ahead, made]
                })
              )
            })
          },
          { exit: `ok([${lag + 1},${lag + 2}])` }
        )
      }
    })

    it('a side that was closed drops its items, and the other one goes on', () => {
      expectAll(
        () =>
          gen(function* () {
            const numbers = yield* Stream.fromIterable([1, 2, 3, 4, 5])
            return yield* within(Stream.partition(parity)(numbers), ({ left, right }) =>
              gen(function* () {
                yield* left.close
                yield* left.close
                return [yield* Stream.collect(right), yield* ending(left.receive)]
              })
            )
          }),
        { exit: 'ok([[2,4],"Fail(EndOfStream)"])' }
      )
    })

    it('when both sides were closed it takes no more, and the source is closed', () => {
      expectAll(
        () =>
          gen(function* () {
            const [send, numbers] = yield* MemoryStream.make<number>(0)
            return yield* within(Stream.partition(parity)(numbers), ({ left, right }) =>
              gen(function* () {
                yield* send.send(1)
                yield* settle
                yield* left.close
                yield* right.close
                yield* settle
                return yield* ending(send.send(2))
              })
            )
          }),
        { exit: 'ok(Fail(BrokenResource))' }
      )
    })

    it('a failure reaches both sides after their items; each finds its end then, whatever the other does', () => {
      expectAll(
        () =>
          gen(function* () {
            const numbers = yield* timed([[1, 1]], 'broke')
            return yield* within(Stream.partition(parity)(numbers), ({ left, right }) =>
              gen(function* () {
                const one: Array<string> = []
                for (let i = 0; i < 4; i++) one.push(yield* ending(left.receive))
                const two: Array<string> = []
                for (let i = 0; i < 3; i++) two.push(yield* ending(right.receive))
                return [one, two]
              })
            )
          }),
        {
          exit:
            'ok([["ok(1)","Fail(broke)","Fail(EndOfStream)","Fail(EndOfStream)"],' +
            '["Fail(broke)","Fail(EndOfStream)","Fail(EndOfStream)"]])'
        }
      )
    })

    it('a function that throws is a defect of whoever uses it, and so is a bad lag', () => {
      expectAll(
        () =>
          gen(function* () {
            const bad = Stream.partition((): E.Either<number, number> => {
              throw new Error('bug')
            })
            return yield* within(bad(yield* Stream.fromIterable([1])), ({ left }) => left.receive)
          }),
        { exit: 'Die(Error: bug)' }
      )
      for (const lag of [-1, NaN]) {
        const program = gen(function* () {
          return yield* within(
            Stream.partition(parity, { lag })(yield* Stream.fromIterable([1])),
            () => Effect.unit
          )
        })
        expect(show(TestRuntime.runExit(program))).to.match(/^Die\(/)
      }
    })

    it('is cancelled anywhere and leaves nothing', () => {
      cancelled((source) =>
        within(Stream.partition(parity)(source), ({ left, right }) =>
          Concurrent.all([Stream.collect(left), Stream.collect(right)])
        )
      )
    })
  })

  describe('debounce', () => {
    it('gives an item after its pause, and the last one at once at the end', () => {
      expectAll(
        () =>
          gen(function* () {
            const items = yield* timed([
              [0, 1],
              [5, 2],
              [20, 3],
              [9, 4],
              [3, 5]
            ])
            return yield* within(Stream.debounce(10)(items), timeline)
          }),
        // The step that the pause has cancelled begins again, at 15.
        { exit: 'ok(["ok(2)@15","ok(5)@47","Fail(EndOfStream)@47"])' }
      )
    })

    it('an empty stream ends; a failure comes after the item that waits, then the end', () => {
      expectAll(
        () =>
          gen(function* () {
            const empty = yield* within(Stream.debounce(10)(yield* timed([])), timeline)
            const failing = yield* within(Stream.debounce(10)(yield* timed([[1, 1]], 'broke')), (stream) =>
              gen(function* () {
                return [
                  yield* ending(stream.receive),
                  yield* ending(stream.receive),
                  yield* ending(stream.receive)
                ]
              })
            )
            return [empty, failing]
          }),
        { exit: 'ok([["Fail(EndOfStream)@0"],["ok(1)","Fail(broke)","Fail(EndOfStream)"]])' }
      )
    })

    it('an item that waits for its receiver holds the source back', () => {
      expectAll(
        () => {
          let made = 0
          return gen(function* () {
            const items = yield* Stream.unfold(0, (n) =>
              Effect.map(() => (made++, O.some([n, n + 1] as const)))(Effect.sleep(20))
            )
            return yield* within(Stream.debounce(10)(items), (stream) =>
              gen(function* () {
                yield* Effect.sleep(1000)
                return [made, yield* stream.receive, yield* stream.receive]
              })
            )
          })
        },
        { exit: 'ok([1,0,1])' }
      )
    })

    it('zero gives every item; what is no number from 0 is a defect, also on an empty stream', () => {
      expectAll(
        () =>
          gen(function* () {
            const items = yield* timed([
              [1, 1],
              [1, 2]
            ])
            return yield* within(Stream.debounce(0)(items), Stream.collect)
          }),
        { exit: 'ok([1,2])' }
      )
      for (const ms of [-1, NaN]) {
        expectAll(
          () =>
            gen(function* () {
              return yield* within(Stream.debounce(ms)(yield* timed([])), Stream.collect)
            }),
          {
            exit: `Die(RangeError: debounce takes a number of milliseconds from 0, but was given ${ms}.)`
          },
          1
        )
      }
    })

    it('is cancelled anywhere and leaves nothing', () => {
      cancelled((source) => within(Stream.debounce(4)(source), Stream.collect))
    })
  })

  describe('throttle', () => {
    it('no window of perMs has more than items, however they come', () => {
      expectAll(
        () =>
          gen(function* () {
            const items = yield* timed([
              [0, 1],
              [90, 2],
              [0, 3],
              [0, 4],
              [500, 5]
            ])
            return yield* timeline(Stream.throttle({ items: 2, perMs: 100 })(items))
          }),
        {
          exit: 'ok(["ok(1)@0","ok(2)@90","ok(3)@100","ok(4)@190","ok(5)@700","Fail(EndOfStream)@700"])'
        }
      )
    })

    it('receives nothing before its turn, and a receive that is cancelled there takes nothing', () => {
      expectAll(
        () => {
          let made = 0
          return gen(function* () {
            const items = yield* Stream.unfold(0, (n) =>
              Effect.sync(() => (made++, O.some([n, n + 1] as const)))
            )
            const slow = Stream.throttle(100)(items)
            yield* slow.receive
            yield* CancelScope.open((scope) =>
              gen(function* () {
                yield* scope.setDeadline((yield* Effect.currentTime) + 50)
                yield* slow.receive
              })
            )
            return [made, yield* slow.receive, yield* elapsed]
          })
        },
        { exit: 'ok([1,1,100])' }
      )
    })

    it('two receivers wait in line', () => {
      expectAll(
        () =>
          gen(function* () {
            const slow = Stream.throttle(100)(yield* Stream.fromIterable([1, 2, 3]))
            const take = Effect.flatMap((n: number) => Effect.map((at: number) => [n, at] as const)(elapsed))(
              slow.receive
            )
            return yield* Concurrent.all([take, take, take])
          }),
        { exit: 'ok([[1,0],[2,100],[3,200]])' },
        1
      )
    })

    it('closing wakes who waits for a turn, with what the stream below says', () => {
      expectAll(
        () =>
          gen(function* () {
            const [send, numbers] = yield* MemoryStream.make<number>(5)
            yield* send.send(1)
            yield* send.send(2)
            const slow = Stream.throttle(1000)(numbers)
            yield* slow.receive
            return yield* TaskGroup.open()((group) =>
              gen(function* () {
                const waiting = yield* group.spawn(ending(slow.receive))
                const inLine = yield* group.spawn(ending(slow.receive))
                yield* Effect.sleep(10)
                yield* slow.close
                return [yield* waiting.join, yield* inLine.join, yield* elapsed]
              })
            )
          }),
        { exit: 'ok(["Fail(ClosedResource)","Fail(ClosedResource)",10])' }
      )
    })

    it('a failure of the stream below is its own', () => {
      expectAll(
        () =>
          gen(function* () {
            const stream = Stream.throttle(0)(yield* timed([[1, 1]], 'broke'))
            return [yield* ending(stream.receive), yield* ending(stream.receive)]
          }),
        { exit: 'ok(["ok(1)","Fail(broke)"])' }
      )
    })

    it('bad figures are thrown where they are written', () => {
      for (const rate of [
        -1,
        NaN,
        { items: 0, perMs: 1 },
        { items: 1.5, perMs: 1 },
        { items: 1, perMs: NaN }
      ])
        expect(() => Stream.throttle(rate)).to.throw(RangeError, /throttle takes a whole number of items/)
    })

    it('is cancelled anywhere and leaves nothing', () => {
      cancelled((source) =>
        Resource.use((stream: Source<number, string>) => Stream.collect(Stream.throttle(10)(stream)))(
          Resource.closing(Effect.succeed(source))
        )
      )
    })
  })

  describe('into: an end that was cancelled', () => {
    const cut = (fx: Fx<unknown, unknown>): Fx<unknown, unknown> =>
      Effect.andThen(Effect.checkpoint)(Timeout.moveOnAfter(1)(fx))
    /** Gives each item twice, and what it was opened with at the end. */
    const twice: Transducer.Transducer<string, string> = {
      open: () => ({
        step: (input, count, out) => {
          for (let i = 0; i < count; i++) {
            out.push(`${String(input[i])}1`)
            out.push(`${String(input[i])}2`)
          }
          return 'more'
        },
        end: (out) => {
          out.push('end1')
          out.push('end2')
          return 'more'
        },
        save: () => undefined,
        restore: () => undefined
      })
    }
    const program = (taken: number) =>
      gen(function* () {
        const [send, wire] = yield* MemoryStream.make<string>(0)
        const encoded = Stream.into(twice)(send)
        return yield* TaskGroup.open<unknown>()((group) =>
          gen(function* () {
            const got: Array<string> = []
            const take = Effect.map((item: string) => void got.push(item))(wire.receive)
            const reader = yield* group.spawn(Effect.repeatN(taken)(take))
            yield* cut(encoded.send('a'))
            yield* cut(Stream.finish(encoded))
            yield* reader.wait
            yield* group.spawn(
              Effect.either(Stream.forEach((item: string) => Effect.sync(() => void got.push(item)))(wire))
            )
            const after = yield* ending(encoded.send('b'))
            yield* ending(Stream.finish(encoded))
            return [got, after]
          })
        )
      })
    for (const [taken, expected] of [
      [1, '[["a1","a2","b1","b2","end1","end2"],"ok()"]'],
      [2, '[["a1","a2","b1","b2","end1","end2"],"ok()"]'],
      [3, '[["a1","a2","end1","end2"],"Fail(ClosedResource)"]']
    ] as const) {
      it(`before it, ${taken} of the pieces went out: nothing is sent out of order`, () => {
        expectAll(() => program(taken), { exit: `ok(${expected})` }, 1)
      })
    }
  })

  describe('a stream belongs to the operator that was put on it', () => {
    const one = <A>(stream: Source<A, unknown>): Fx<unknown, unknown> => stream.receive
    const users: Record<string, (stream: Source<number>) => Fx<unknown, unknown>> = {
      map: (stream) => one(Stream.map((n: number) => n)(stream)),
      merge: (stream) => within(Stream.merge(Stream.map((n: number) => n)(stream))(stream), Stream.collect),
      zip: (stream) => one(Stream.zip(stream)(stream)),
      buffer: (stream) => within(Stream.buffer(1)(stream), one),
      mapEffect: (stream) => within(Stream.mapEffect((n: number) => Effect.succeed(n))(stream), one),
      broadcast: (stream) =>
        within(Stream.broadcast()(stream), (hub) => Effect.andThen(settle)(within(hub.subscribe, one))),
      partition: (stream) => within(Stream.partition(parity)(stream), ({ left }) => one(left)),
      debounce: (stream) => within(Stream.debounce(1)(stream), one),
      throttle: (stream) => one(Stream.throttle(1)(stream)),
      'untilDrain, below a map': (stream) => one(Stream.map((n: number) => n)(Stream.untilDrain(stream)))
    }
    for (const [name, use] of Object.entries(users)) {
      it(`${name} on a stream that belongs to a map is a defect`, () => {
        expectAll(
          () =>
            gen(function* () {
              const numbers = yield* Stream.fromIterable([1, 2, 3, 4, 5])
              yield* one(Stream.map((n: number) => n)(numbers))
              return yield* use(numbers)
            }),
          {
            exit:
              'Die(TypeError: The receiving side of this stream belongs to the layer, buffer or operator that was put on it ' +
              'first. Use the stream which that gave, or put both on top of each other.)'
          },
          1
        )
      })
    }

    it('operators on top of each other are one owner after the other', () => {
      expectAll(
        () =>
          gen(function* () {
            const numbers = yield* Stream.fromIterable([1, 2, 3, 4])
            const odd = Stream.filter((n: number) => n % 2 === 1)(Stream.untilDrain(numbers))
            return yield* within(Stream.buffer(2)(Stream.throttle(5)(odd)), (buffered) =>
              within(Stream.debounce(1)(Stream.map((n: number) => n * 10)(buffered)), Stream.collect)
            )
          }),
        { exit: 'ok([10,30])' }
      )
    })

    it('untilDrain keeps nothing, so a stream may be received from by it and without it', () => {
      expectAll(
        () =>
          gen(function* () {
            const numbers = yield* Stream.fromIterable([1, 2, 3])
            const [one, two] = [Stream.untilDrain(numbers), Stream.untilDrain(numbers)]
            return [yield* one.receive, yield* two.receive, yield* numbers.receive]
          }),
        { exit: 'ok([1,2,3])' }
      )
    })
  })
})
