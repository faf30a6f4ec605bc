/**
 * The scheduler of the host: first ready, first run; new runs and calls from outside run at once; the host has its turns.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Exit, Promises, Runtime, Scheduler } from 'millrace'
import { turn, turns } from '../support/host.js'
import { trace } from '../support/kernel.js'

const { host } = Scheduler

const turnOf = (run: () => void): Scheduler.Turn => ({ next: null, run })

describe('Scheduler.host', () => {
  it('runs what is scheduled later, in order, within the same turn of the host', async () => {
    const log: Array<string> = []
    host.schedule(turnOf(() => log.push('a')))
    host.schedule(
      turnOf(() => {
        log.push('b')
        host.schedule(turnOf(() => log.push('d')))
      })
    )
    host.schedule(turnOf(() => log.push('c')))
    expect(log).to.deep.equal([])
    await Promise.resolve()
    await Promise.resolve()
    expect(log).to.deep.equal(['a', 'b', 'c', 'd'])
  })

  it('wake runs at once, and what became ready by it; inside of a turn it waits for its place', () => {
    const log: Array<string> = []
    host.wake?.(
      turnOf(() => {
        log.push('a')
        host.schedule(turnOf(() => log.push('c')))
        host.wake?.(turnOf(() => log.push('d')))
        log.push('b')
      })
    )
    expect(log).to.deep.equal(['a', 'b', 'c', 'd'])
  })

  it('start runs at once, also inside of a turn', () => {
    const log: Array<string> = []
    host.start?.(
      turnOf(() => {
        log.push('a')
        host.start?.(turnOf(() => log.push('b')))
        log.push('c')
      })
    )
    expect(log).to.deep.equal(['a', 'b', 'c'])
  })

  it('after about 2 ms of turns the host has its own', async () => {
    const log: Array<string> = []
    let busy = true
    const spin = turnOf(() => {
      if (busy) host.exhausted?.(spin)
    })
    host.schedule(spin)
    setImmediate(() => {
      log.push('immediate')
      busy = false
    })
    await turns()
    expect(log).to.deep.equal(['immediate'])
  })

  it('a turn that throws does not stop the others', async () => {
    const log: Array<string> = []
    expect(() =>
      host.wake?.(
        turnOf(() => {
          host.schedule(turnOf(() => log.push('other')))
          throw new Error('bug')
        })
      )
    ).to.throw('bug')
    await turns()
    host.schedule(turnOf(() => log.push('later')))
    await turns()
    expect(log).to.deep.equal(['other', 'later'])
  })

  it('fibers of several runs share it, first ready first run', async () => {
    const log = trace()
    const steps = (name: string) =>
      Effect.forEach((i: number) => pipe(log.add(`${name}${i}`), Effect.andThen(Effect.yieldNow)))([1, 2, 3])
    // Both start at once; from then on they take turns.
    await Runtime.runPromise(
      Concurrent.all([
        steps('a'),
        Effect.async((resume) => {
          void Runtime.runExit(steps('b')).then(() => resume(Exit.succeed(undefined)))
        })
      ])
    )
    expect(log.lines).to.deep.equal(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
  })

  it('a resume from outside runs the fiber before it returns', async () => {
    const log = trace()
    let resume: (exit: Exit.Exit<never, void>) => void = () => undefined
    const promise = Runtime.runExit(
      pipe(
        Effect.async((callback) => {
          resume = callback
        }),
        Effect.andThen(log.add('resumed'))
      )
    )
    await turn()
    resume(Exit.succeed(undefined))
    log.lines.push('returned')
    await promise
    expect(log.lines).to.deep.equal(['resumed', 'returned'])
  })
})

describe('a turn that has used up its steps', () => {
  /** Steps without a wait until `done`; -1 when that never came. */
  const spin = (done: () => boolean, steps = 1_000_000) =>
    Effect.gen(function* () {
      for (let i = 0; i < steps; i++) {
        if (done()) return i
        yield* Effect.unit
      }
      return -1
    })

  it('goes on at once when nobody else is ready, and instruments see a turn all the same', async () => {
    let resumed = 0
    const instruments = [{ onResume: () => resumed++ }]
    const never = spin(() => false, 100 * host.maxSteps)
    expect(Runtime.runSync(never, { runtime: Runtime.make({ instruments }) })).to.equal(-1)
    expect(resumed).to.equal(100)
    await Runtime.runPromise(never, { runtime: Runtime.make({ instruments }) })
    expect(resumed).to.equal(200)
  })

  it('lets the others run, and arms that come after it start', async () => {
    for (const run of [Runtime.runSync, Runtime.runPromise]) {
      let set = false
      const other = Effect.sync(() => {
        set = true
        return 0
      })
      const program = Concurrent.all([spin(() => set), other] as const)
      const [steps] = await run(program)
      expect(steps).to.be.within(host.maxSteps - 1, 2 * host.maxSteps)
    }
  })

  it('lets the host have its turns', async () => {
    let served = false
    setImmediate(() => {
      served = true
    })
    expect(await Runtime.runPromise(spin(() => served, 100_000_000))).to.be.greaterThan(0)
  })

  it('leaves a run that was started inside of another turn', async () => {
    const program = Effect.suspend(() => {
      let returned = false
      const inner = Runtime.runPromise(spin(() => returned))
      returned = true
      return Promises.fromPromise(() => inner)
    })
    const steps = await Runtime.runPromise(pipe(Effect.yieldNow, Effect.andThen(program)))
    expect(steps).to.be.within(host.maxSteps - 1, 2 * host.maxSteps)
  })
})
