/**
 * The one wait queue: fair, cancellable, and nothing is handed over twice or lost.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Cause, Concurrent, Effect, Exit, ParkingLot, Runtime, TaskGroup } from 'millrace'
import { byHand, defectOf, type Fx, inCancelled, run, shown, trace, value } from '../support/kernel.js'
import { TestRuntime } from 'millrace/testing'

type Lot = ParkingLot.ParkingLot<string, string, number>

const make = (): Lot => ParkingLot.make('test')

/** So many fibers wait, in order; what each was resumed with goes to the log. `use` runs when all wait. */
const withWaiting = (
  names: ReadonlyArray<string>,
  use: (lot: Lot) => void,
  lot: Lot = make()
): ReadonlyArray<string> => {
  const { runtime, drive } = byHand()
  const log: Array<string> = []
  Runtime.runCallback(
    Concurrent.all(
      names.map((name) =>
        pipe(
          Effect.exit(ParkingLot.park(lot, name)),
          Effect.map((exit) => log.push(`${name}: ${shown(exit)}`))
        )
      )
    ),
    () => undefined,
    { runtime }
  )
  drive()
  use(lot)
  drive()
  return log
}

describe('ParkingLot', () => {
  it('counts who waits, and shows what they brought in order', () => {
    const lot = make()
    expect([lot.size(), lot.items()]).to.deep.equal([0, []])
    withWaiting(
      ['a', 'b', 'c'],
      () => {
        expect([lot.size(), lot.items(), lot.firstUnsafe()]).to.deep.equal([3, ['a', 'b', 'c'], 'a'])
      },
      lot
    )
  })

  it('resumes the first one with a value, a failure or an exit', () => {
    const log = withWaiting(['a', 'b', 'c', 'd'], (lot) => {
      lot.succeedUnsafe(1)
      lot.failUnsafe('no')
      lot.unparkUnsafe(Exit.succeed(3))
      lot.unparkUnsafe(Exit.failCause(Cause.die('x')))
      expect(lot.size()).to.equal(0)
    })
    expect([...log].sort()).to.deep.equal(['a: ok 1', 'b: Fail no', 'c: ok 3', 'd: Die x'])
  })

  it('woken by a callback, it runs inside of that; by a fiber that runs, when its turn comes', async () => {
    const log: Array<string> = []
    const lot = make()
    const program = Effect.gen(function* () {
      for (let i = 0; i < 2; i++) log.push(`has ${yield* ParkingLot.park(lot, 'waits')}`)
    })
    const ended = Runtime.runPromise(program)
    lot.wakeUnsafe(1)
    log.push('the callback goes on')
    await Runtime.runPromise(
      Effect.sync(() => {
        lot.wakeUnsafe(2)
        log.push('the fiber goes on')
      })
    )
    await ended
    expect(log).to.deep.equal(['has 1', 'the callback goes on', 'the fiber goes on', 'has 2'])
  })

  it('wakes what stands in for fibers, and in a runtime that wakes nobody at once schedules the fiber', () => {
    const got: Array<string> = []
    const lot = make()
    lot.standInUnsafe('stand-in', (exit) => got.push(shown(exit)))
    const log = withWaiting(
      ['a'],
      () => {
        lot.wakeUnsafe(1)
        lot.wakeUnsafe(2)
        expect([lot.size(), got]).to.deep.equal([0, ['ok 1']])
      },
      lot
    )
    expect(log).to.deep.equal(['a: ok 2'])
  })

  it('resumes all, in order', () => {
    const order: Array<string> = []
    const lot = make()
    const program = Concurrent.all([
      ...['a', 'b', 'c'].map((name) =>
        pipe(
          ParkingLot.park(lot, name),
          Effect.map(() => order.push(name))
        )
      ),
      Effect.sync(() => lot.unparkAllUnsafe(Exit.succeed(1)))
    ])
    // The queue of runSync is first ready, first run.
    Runtime.runSync(program)
    expect(order).to.deep.equal(['a', 'b', 'c'])
    expect(lot.size()).to.equal(0)
  })

  it('resumes those that fit, in order', () => {
    const log = withWaiting(['a1', 'b1', 'a2', 'b2'], (lot) => {
      expect(lot.unparkWhereUnsafe((item) => item.startsWith('a'), Exit.succeed(1))).to.equal(2)
      expect(lot.items()).to.deep.equal(['b1', 'b2'])
      expect(lot.unparkWhereUnsafe(() => false, Exit.succeed(1))).to.equal(0)
    })
    expect([...log].sort()).to.deep.equal(['a1: ok 1', 'a2: ok 1'])
  })

  it('throws when there is nobody to look at or to resume', () => {
    const lot = make()
    for (const f of [
      () => lot.firstUnsafe(),
      () => lot.succeedUnsafe(1),
      () => lot.failUnsafe('a'),
      () => lot.unparkUnsafe(Exit.succeed(1))
    ]) {
      expect(f).to.throw('nobody waits for test')
    }
    lot.unparkAllUnsafe(Exit.succeed(1))
  })

  it('a cancelled scope is seen first, and nobody stands in the queue', () => {
    const lot = make()
    expect(shown(value(inCancelled(ParkingLot.park(lot, 'a'))))).to.equal('Cancelled')
    expect(lot.size()).to.equal(0)
  })

  it('who is cancelled while waiting leaves the queue from any place; the others stay in order', () => {
    for (const index of [0, 1, 2]) {
      const names = ['a', 'b', 'c']
      const lot = make()
      const program = TaskGroup.open<string>()((group) =>
        Effect.gen(function* () {
          const spawned = []
          for (const name of names) {
            spawned.push(yield* group.spawn(ParkingLot.park(lot, name)))
            yield* Effect.sleep(1)
          }
          yield* spawned[index]!.cancel()
          const left = lot.items()
          lot.unparkAllUnsafe(Exit.succeed(1))
          return left
        })
      )
      expect(value(program)).to.deep.equal(names.filter((_, i) => i !== index))
    }
  })

  it('tells when somebody has left', () => {
    let left = 0
    const lot = ParkingLot.make<string, never, number>('test', { onWithdraw: () => left++ })
    const program = CancelScope.open((scope) =>
      Concurrent.all([ParkingLot.park(lot, 'a'), pipe(Effect.yieldNow, Effect.andThen(scope.cancel()))])
    )
    expect(run(program)).to.equal('ok None')
    expect(left).to.equal(1)
    run(Concurrent.all([ParkingLot.park(lot, 'a'), Effect.sync(() => lot.succeedUnsafe(1))]))
    expect(left).to.equal(1)
  })

  it('who was resumed keeps the value, though it is cancelled before its turn', () => {
    const log = trace()
    const lot = make()
    const program = CancelScope.open((scope) =>
      Concurrent.all([
        pipe(
          ParkingLot.park(lot, 'a'),
          Effect.tap((n) => log.add(`got ${n}`)),
          Effect.tap(() => Effect.checkCancelled),
          Effect.tap(() => log.add('not reached'))
        ),
        pipe(
          Effect.sync(() => lot.succeedUnsafe(1)),
          Effect.andThen(scope.cancel())
        )
      ])
    )
    for (let seed = 0; seed < 5; seed++) {
      log.lines.length = 0
      expect(run(program, seed)).to.equal('ok None')
      expect(log.lines).to.deep.equal(['got 1'])
    }
  })

  it('a Cancelled that it is resumed with, where nothing is cancelled, is Die(CancelledElsewhere)', () => {
    const forged = value(inCancelled(Effect.checkCancelled)) as Exit.Exit<never, never>
    const lot = make()
    const program = Concurrent.all([ParkingLot.park(lot, 'a'), Effect.sync(() => lot.unparkUnsafe(forged))])
    expect(defectOf(TestRuntime.runExit(program))._tag).to.equal('CancelledElsewhere')
    const where = Concurrent.all([
      ParkingLot.park(lot, 'a'),
      Effect.sync(() => lot.unparkWhereUnsafe(() => true, forged))
    ])
    expect(defectOf(TestRuntime.runExit(where))._tag).to.equal('CancelledElsewhere')
  })

  it('a stand-in has a place like a fiber, is called back with the exit, and can leave', () => {
    const lot = make()
    const log: Array<string> = []
    const leaveFirst = lot.standInUnsafe('first', (exit) => log.push(`first: ${shown(exit)}`))
    const leaveSecond = lot.standInUnsafe('second', (exit) => log.push(`second: ${shown(exit)}`))
    lot.standInUnsafe('third', (exit) => log.push(`third: ${shown(exit)}`))
    lot.standInUnsafe('fourth', (exit) => log.push(`fourth: ${shown(exit)}`))
    leaveSecond()
    leaveSecond()
    expect(lot.items()).to.deep.equal(['first', 'third', 'fourth'])
    lot.succeedUnsafe(1)
    leaveFirst()
    expect(lot.items()).to.deep.equal(['third', 'fourth'])
    lot.unparkUnsafe(Exit.die('x'))
    lot.failUnsafe('no')
    expect(log).to.deep.equal(['first: ok 1', 'third: Die x', 'fourth: Fail no'])
  })

  it('names the wait', () => {
    const lot = make()
    const exit = Runtime.runSyncExit(ParkingLot.park(lot, 'a'))
    expect(defectOf(exit).tree).to.match(/^main running, waits on test since/)
    expect(lot.size()).to.equal(0)
  })

  it('whatever is parked, resumed and cancelled: each is resumed or cancelled once, those resumed in order of arrival', () => {
    type Action = 'park' | 'unpark' | 'cancel'
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<Action>('park', 'park', 'unpark', 'cancel'), { maxLength: 30 }),
        fc.nat({ max: 5 }),
        (actions, seed) => {
          const lot = ParkingLot.make<number, never, string>('test')
          const outcomes = new Map<number, Array<string>>()
          const resumed: Array<number> = []
          const program = TaskGroup.open()((group) =>
            Effect.gen(function* () {
              const tasks = []
              let arrived = 0
              for (const action of actions) {
                if (action === 'park') {
                  const n = arrived++
                  const wait: Fx<void> = pipe(
                    Effect.exit(ParkingLot.park(lot, n)),
                    Effect.map((exit) => {
                      outcomes.set(n, [...(outcomes.get(n) ?? []), shown(exit)])
                    })
                  )
                  tasks.push(yield* group.spawn(wait))
                  yield* Effect.sleep(1)
                } else if (action === 'unpark') {
                  if (lot.size() > 0) {
                    resumed.push(lot.firstUnsafe())
                    lot.succeedUnsafe('item')
                  }
                } else yield* tasks[Math.floor(tasks.length / 2)]?.cancel() ?? Effect.unit
              }
              yield* group.cancelAll()
            })
          )
          expect(run(program, seed)).to.equal('ok undefined')
          expect([...resumed].sort((x, y) => x - y)).to.deep.equal(resumed)
          for (const [n, of] of outcomes) {
            expect(of, `waiter ${n}`).to.deep.equal([resumed.includes(n) ? 'ok item' : 'Cancelled'])
          }
          expect(lot.size()).to.equal(0)
        }
      )
    )
  })
})
