/**
 * A process of its own that takes one figure for `memory.ts`:
 * `node --expose-gc memoryProbe.js SYSTEM never|gen|scope|growth FIBERS`.
 */
import type { Effect as PeerEffect } from 'effect'
import type { Effect as OurEffect } from 'millrace'
import { summary } from './statistics.js'

export type MemorySystem = 'millrace' | 'effect' | 'native'
export type BlockedCase = 'never' | 'gen' | 'scope'

export interface Parked {
  /** What the heap holds more, by the number of fibers. */
  readonly bytes: number
  /** Nanoseconds to spawn and start one. */
  readonly spawn: number
}

/** Called by a system around its spawning. */
interface Probe {
  readonly begin: () => void
  /** Counts a fiber that has started. */
  readonly started: () => void
  readonly running: () => number
  readonly end: () => void
}

interface System {
  /** Spawns the fibers, waits until all are blocked, and lets go of them. */
  readonly park: (what: BlockedCase, fibers: number, probe: Probe) => Promise<void>
  /** A million steps of several kinds in one fiber, between the two calls. */
  readonly churn?: (turns: number, before: () => void, after: () => void) => Promise<void>
}

const { gc } = globalThis as { gc?: () => void }
const heap = (): number => {
  if (gc === undefined) throw new Error('run this with --expose-gc')
  for (let i = 0; i < 4; i++) gc()
  return process.memoryUsage().heapUsed
}

const millrace = async (): Promise<System> => {
  const { CancelScope, Effect, Runtime, TaskGroup, Timeout } = await import('millrace')
  const { pipe } = await import('fp-ts/lib/function.js')
  return {
    park: (what, fibers, probe) => {
      const never = Effect.suspend(() => {
        probe.started()
        return Effect.never
      })
      const gen = Effect.gen(function* () {
        probe.started()
        yield* Effect.never
      })
      const scope = CancelScope.open(() => never)
      const fx: OurEffect.Effect<unknown, never, unknown> =
        what === 'never' ? never : what === 'gen' ? gen : scope
      return Runtime.runPromise(
        TaskGroup.open()((group) =>
          Effect.gen(function* () {
            probe.begin()
            for (let i = 0; i < fibers; i++) yield* group.spawn(fx)
            while (probe.running() < fibers) yield* Effect.yieldNow
            probe.end()
            yield* group.cancelAll()
          })
        )
      )
    },
    churn: (turns, before, after) =>
      Runtime.runPromise(
        TaskGroup.open()((group) =>
          Effect.gen(function* () {
            before()
            for (let i = 0; i < turns; i++) {
              const a = yield* Effect.succeed(i)
              const b = yield* pipe(
                Effect.fail(a),
                Effect.orElse((e) => Effect.succeed(e + 1))
              )
              yield* pipe(Effect.succeed(b), Timeout.moveOnAfter(1_000))
              const task = yield* group.spawn(Effect.succeed(b))
              yield* task.wait
            }
            after()
          })
        )
      )
  }
}

const effect = async (): Promise<System> => {
  const { Effect, Fiber } = await import('effect')
  return {
    park: (what, fibers, probe) => {
      const never = Effect.suspend(() => {
        probe.started()
        return Effect.never
      })
      const gen = Effect.gen(function* () {
        probe.started()
        yield* Effect.never
      })
      const scope = Effect.scoped(never)
      const fx: PeerEffect.Effect<unknown> = what === 'never' ? never : what === 'gen' ? gen : scope
      return Effect.runPromise(
        Effect.gen(function* () {
          probe.begin()
          // Its children are interrupted when this fiber ends.
          for (let i = 0; i < fibers; i++) yield* Effect.forkChild(fx)
          while (probe.running() < fibers) yield* Effect.yieldNow
          probe.end()
        })
      )
    },
    churn: (turns, before, after) =>
      Effect.runPromise(
        Effect.gen(function* () {
          before()
          for (let i = 0; i < turns; i++) {
            const a = yield* Effect.succeed(i)
            const b = yield* Effect.catch(Effect.fail(a), (e) => Effect.succeed(e + 1))
            yield* Effect.timeoutOption(Effect.succeed(b), 1_000)
            const fiber = yield* Effect.forkChild(Effect.succeed(b))
            yield* Fiber.await(fiber)
          }
          after()
        })
      )
  }
}

const native: System = {
  park: async (_, fibers, probe) => {
    let letGo: () => void = () => undefined
    const never = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const fiber = async (): Promise<void> => {
      probe.started()
      await never
    }
    probe.begin()
    for (let i = 0; i < fibers; i++) void fiber()
    probe.end()
    letGo()
    await never
  }
}

const systems: Readonly<Record<string, () => Promise<System>>> = {
  millrace,
  effect,
  native: () => Promise.resolve(native)
}

const rounds = 5

const parked = async (system: System, what: BlockedCase, fibers: number): Promise<Parked> => {
  const bytes: Array<number> = []
  const spawn: Array<number> = []
  const round = async (count: number, counted: boolean): Promise<void> => {
    let before = 0
    let start = 0
    let running = 0
    await system.park(what, count, {
      begin: () => {
        before = heap()
        start = performance.now()
      },
      started: () => {
        running++
      },
      running: () => running,
      end: () => {
        const took = performance.now() - start
        if (running !== count) throw new Error(`${String(running)} of ${String(count)} fibers have started`)
        if (!counted) return
        spawn.push((took * 1e6) / count)
        bytes.push((heap() - before) / count)
      }
    })
  }
  for (let i = 0; i < 3; i++) await round(10_000, false)
  for (let i = 0; i < rounds; i++) await round(fibers, true)
  return { bytes: summary(bytes).median, spawn: summary(spawn).median }
}

/** Four steps each. */
const churnTurns = 250_000

const growth = async (system: System): Promise<number> => {
  if (system.churn === undefined) throw new Error('has no such case')
  let before = 0
  let after = 0
  const mark = {
    before: () => {
      before = heap()
    },
    after: () => {
      after = heap()
    }
  }
  await system.churn(10_000, mark.before, mark.after)
  await system.churn(churnTurns, mark.before, mark.after)
  return after - before
}

const [name = '', what = '', fibers = ''] = process.argv.slice(2)
const system = await systems[name]?.()
if (system === undefined) throw new Error(`no such system: ${name}`)
const answer =
  what === 'growth' ? await growth(system) : await parked(system, what as BlockedCase, Number(fibers))
process.stdout.write(JSON.stringify(answer))
