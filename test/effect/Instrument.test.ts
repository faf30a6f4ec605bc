/**
 * Hooks: when each is called, with whom, and that nothing is missing.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, type Instrument, Runtime, TaskGroup, Timeout } from 'millrace'
import { byHand, type Fx, shown } from '../support/kernel.js'

/** All that the hooks say of a run in virtual time. */
const reported = <E, A>(fx: Fx<A, E>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const instrument: Instrument.Instrument = {
    onSpawn: (fiber, parent) => lines.push(`${parent.name} spawns ${fiber.name}`),
    onPark: (fiber, waitsOn) => lines.push(`${fiber.name} waits on ${waitsOn}`),
    onResume: (fiber) => lines.push(`${fiber.name} runs`),
    onExit: (fiber, exit) => lines.push(`${fiber.name} ends: ${shown(exit)}`)
  }
  const { runtime, drive } = byHand({ instruments: [instrument] })
  Runtime.runCallback(fx, () => undefined, { runtime })
  drive()
  return lines
}

describe('Instrument', () => {
  it('reports turns, waits and the end of the main fiber', () => {
    expect(reported(pipe(Effect.sleep(1), Effect.as(1)))).to.deep.equal([
      'main runs',
      'main waits on sleep',
      'main runs',
      'main ends: ok 1'
    ])
  })

  it('a turn that was only given away is no wait', () => {
    expect(reported(Effect.yieldNow)).to.deep.equal(['main runs', 'main runs', 'main ends: ok undefined'])
  })

  it('reports tasks, and how each ended', () => {
    const program = TaskGroup.open()((group) => group.spawn(Effect.fail('a') as Fx<never>, { name: 'child' }))
    expect(reported(program)).to.deep.equal([
      'main runs',
      'main spawns child',
      'main waits on TaskGroup',
      'child runs',
      'child ends: Fail a',
      'main runs',
      'main ends: Fail a'
    ])
  })

  it('reports arms, which start inline', () => {
    expect(reported(Concurrent.all([Effect.sleep(1), Effect.succeed(1)]))).to.deep.equal([
      'main runs',
      'main spawns all[0]',
      'all[0] runs',
      'all[0] waits on sleep',
      'main spawns all[1]',
      'all[1] runs',
      'all[1] ends: ok 1',
      'main waits on all',
      'all[0] runs',
      'all[0] ends: ok undefined',
      'main runs',
      'main ends: ok [null,1]'
    ])
  })

  it('reports a cancellation as the end of a wait and of a fiber', () => {
    expect(
      reported(
        pipe(
          Effect.never,
          Timeout.failAfter(1, () => 'late')
        )
      )
    ).to.deep.equal(['main runs', 'main waits on never', 'main runs', 'main ends: Fail late'])
  })

  it('gives one object for one fiber, with numbers from 1', () => {
    const seen = new Map<number, Set<Instrument.FiberInfo>>()
    const see = (fiber: Instrument.FiberInfo) => {
      seen.set(fiber.id, (seen.get(fiber.id) ?? new Set()).add(fiber))
    }
    const instrument: Instrument.Instrument = { onSpawn: see, onPark: see, onResume: see, onExit: see }
    Runtime.runSync(
      TaskGroup.open()((group) =>
        pipe(group.spawn(Effect.yieldNow), Effect.andThen(group.spawn(Effect.yieldNow)))
      ),
      { runtime: Runtime.make({ instruments: [instrument] }) }
    )
    expect([...seen.keys()].sort()).to.deep.equal([1, 2, 3])
    expect([...seen.values()].map((set) => set.size)).to.deep.equal([1, 1, 1])
  })

  it('several instruments are called in order, and each may leave hooks out', () => {
    const lines: Array<string> = []
    const runtime = Runtime.make({
      instruments: [
        { onExit: (fiber) => lines.push(`1 ${fiber.name}`) },
        {},
        { onExit: (fiber) => lines.push(`2 ${fiber.name}`), onResume: () => lines.push('2 runs') }
      ]
    })
    Runtime.runSync(Effect.unit, { runtime, name: 'program' })
    expect(lines).to.deep.equal(['2 runs', '1 program', '2 program'])
  })

  it('every fiber that is spawned is also ended', () => {
    const alive = new Set<string>()
    const instrument: Instrument.Instrument = {
      onSpawn: (fiber) => alive.add(fiber.name),
      onExit: (fiber) => alive.delete(fiber.name)
    }
    const { runtime, drive } = byHand({ instruments: [instrument] })
    const program = TaskGroup.open()((group) =>
      pipe(
        group.spawn(Effect.never, { service: true }),
        Effect.andThen(group.spawn(pipe(Effect.sleep(5), Effect.ensuring(Effect.sleep(5))))),
        Effect.andThen(Concurrent.race(Effect.sleep(2))(Effect.never))
      )
    )
    Runtime.runCallback(pipe(program, Timeout.moveOnAfter(3)), () => undefined, { runtime })
    drive()
    expect([...alive]).to.deep.equal([])
  })
})
