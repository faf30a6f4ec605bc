import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Effect, Exit, MemoryStream, Stream, TaskGroup, Timeout } from 'millrace'
import { TestRuntime } from 'millrace/testing'

const some = <A>(value: A) => ({ _tag: 'Some', value })
const none = { _tag: 'None' }

/** What `fx` gives, with a trace. */
const traced = <E, A>(
  program: (log: (line: string) => Effect.Effect<unknown, never, void>) => Effect.Effect<{}, E, A>
) => {
  const trace: Array<string> = []
  const log = (line: string) =>
    Effect.map((time: number) => {
      trace.push(`${Math.round(time - start)} ${line}`)
    })(Effect.currentTime)
  let start = 0
  const exit = TestRuntime.runExit(
    Effect.flatMap((time: number) => {
      start = time
      return program(log)
    })(Effect.currentTime)
  )
  return { exit, trace }
}

/** A server: takes jobs until it drains, each of which takes 50 ms. */
const server = (
  jobs: MemoryStream.MemoryReceiveStream<number>,
  log: (line: string) => Effect.Effect<unknown, never, void>
) =>
  pipe(
    Stream.untilDrain(jobs),
    Stream.forEach((job) =>
      pipe(log(`begin ${job}`), Effect.andThen(Effect.sleep(50)), Effect.andThen(log(`end ${job}`)))
    ),
    Effect.andThen(log('no more')),
    Effect.onCancel(log('cancelled')),
    Effect.orDie
  )

describe('drain', () => {
  it('sources that know about it end, work that is under way goes on', () => {
    const { exit, trace } = traced((log) =>
      CancelScope.open((scope) =>
        Effect.gen(function* () {
          const [send, receive] = yield* MemoryStream.make<number>(10)
          yield* pipe([1, 2, 3], Effect.forEach(send.sendNow), Effect.orDie)
          yield* TaskGroup.open()((group) =>
            Effect.gen(function* () {
              yield* group.spawn(server(receive, log))
              yield* Effect.sleep(70)
              yield* scope.drain('shutdown', { grace: 1000 })
              yield* log('draining')
            })
          )
          return (yield* receive.statistics).buffered
        })
      )
    )
    expect(trace).to.deep.equal([
      '0 begin 1',
      '50 end 1',
      '50 begin 2',
      '70 draining',
      '100 end 2',
      '100 no more'
    ])
    expect(exit).to.deep.equal(Exit.succeed(some(1)))
  })

  it('after its grace the scope is cancelled with the reason of the drain', () => {
    const { exit, trace } = traced((log) =>
      CancelScope.open((scope) =>
        pipe(
          Effect.sleep(1000),
          Effect.onExit((end) =>
            log(JSON.stringify(end._tag === 'Left' && end.left._tag === 'Cancelled' ? end.left.reason : end))
          ),
          (work) => Effect.andThen(work)(scope.drain('enough', { grace: 30 }))
        )
      )
    )
    expect(trace).to.deep.equal(['30 {"_tag":"Explicit","value":"enough"}'])
    expect(exit).to.deep.equal(Exit.succeed(none))
  })

  it('without a grace nothing is cancelled, and a scope that is left in time leaves no timer', () => {
    const open = (options: { readonly grace?: number }) =>
      TestRuntime.runExit(
        Effect.gen(function* () {
          yield* CancelScope.open((scope) => Effect.andThen(Effect.sleep(20))(scope.drain('x', options)))
          const before = yield* Effect.currentTime
          yield* Effect.sleep(5000)
          return (yield* Effect.currentTime) - before
        })
      )
    expect(open({})).to.deep.equal(Exit.succeed(5000))
    expect(open({ grace: 100 })).to.deep.equal(Exit.succeed(5000))
  })

  it('only the first call counts', () => {
    const { exit } = traced(() =>
      CancelScope.open((scope) =>
        Effect.gen(function* () {
          yield* scope.drain('first', { grace: 100 })
          yield* scope.drain('second', { grace: 1 })
          yield* Effect.sleep(50)
          return yield* scope.isDraining
        })
      )
    )
    expect(exit).to.deep.equal(Exit.succeed(some(true)))
  })

  it('reaches sources behind shields and in scopes that are opened later', () => {
    const { exit } = traced(() =>
      CancelScope.open((scope) =>
        TaskGroup.open()((group) =>
          Effect.gen(function* () {
            const behind = yield* group.spawn(Timeout.shielded(CancelScope.untilDrain(Effect.never)))
            yield* Effect.sleep(1)
            yield* scope.drain()
            const later = yield* Timeout.shielded(
              CancelScope.untilDrain(Effect.as('not waited')(Effect.unit))
            )
            return [yield* behind.join, later]
          })
        )
      )
    )
    expect(exit).to.deep.equal(Exit.succeed(some([none, none])))
  })

  it('a scope outside of the drained one goes on', () => {
    const { exit } = traced(() =>
      Effect.gen(function* () {
        yield* CancelScope.open((scope) => scope.drain())
        return yield* CancelScope.untilDrain(Effect.as(1)(Effect.sleep(1)))
      })
    )
    expect(exit).to.deep.equal(Exit.succeed(some(1)))
  })

  it('an item that was handed over in the turn of the drain is received', () => {
    for (let seed = 0; seed < 20; seed++) {
      const exit = TestRuntime.runExit(
        CancelScope.open((scope) =>
          Effect.gen(function* () {
            const [send, receive] = yield* MemoryStream.make<number>()
            return yield* TaskGroup.open()((group) =>
              Effect.gen(function* () {
                const receiver = yield* group.spawn(Effect.exit(Stream.untilDrain(receive).receive))
                yield* Effect.sleep(1)
                const sent = yield* Effect.either(send.sendNow(7))
                yield* scope.drain()
                return [sent._tag, (yield* receiver.join)._tag]
              })
            )
          })
        ),
        { seed }
      )
      expect(exit).to.deep.equal(Exit.succeed(some(['Right', 'Right'])))
    }
  })

  it('NaN as its grace is a defect', () => {
    const exit = TestRuntime.runExit(CancelScope.open((scope) => scope.drain('x', { grace: NaN })))
    expect(JSON.stringify(exit)).to.contain('"_tag":"Die"')
  })
})
