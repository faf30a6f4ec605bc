/** Keeps account of what is acquired and released, and cancels programs at every point of their run. */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Effect, TaskGroup } from 'millrace'
import { observe, type Observed } from './seeds.js'

export class Ledger {
  private readonly counts = new Map<string, { acquired: number; released: number }>()
  private readonly order: Array<string> = []
  private running = 0
  readonly faults: Array<string> = []

  private entry(name: string): { acquired: number; released: number } {
    const entry = this.counts.get(name) ?? { acquired: 0, released: 0 }
    this.counts.set(name, entry)
    return entry
  }

  acquire(name: string): void {
    this.entry(name).acquired++
    this.order.push(name)
  }

  release(name: string): void {
    const entry = this.entry(name)
    entry.released++
    if (entry.released > entry.acquired) this.faults.push(`${name} was released more often than acquired`)
  }

  /** A fiber that is counted as alive until it has ended, its finalizers too. */
  alive<R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> {
    return Effect.bracket(
      Effect.sync(() => {
        this.running++
      }),
      () => fx,
      () =>
        Effect.sync(() => {
          this.running--
        })
    )
  }

  /** Holds something for as long as `fx` runs; waits in acquire and in release. */
  hold(name: string): <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A> {
    return (fx) =>
      Effect.bracket(
        Effect.andThen(Effect.sync(() => this.acquire(name)))(Effect.sleep(1)),
        () => fx,
        () => Effect.andThen(Effect.sync(() => this.release(name)))(Effect.sleep(1))
      )
  }

  get acquired(): number {
    return this.order.length
  }

  /** What is wrong now, when everything ought to be over. */
  balance(): ReadonlyArray<string> {
    const open = [...this.counts].filter(([, { acquired, released }]) => acquired !== released)
    return [
      ...this.faults,
      ...open.map(([name, { acquired, released }]) => `${name}: ${acquired} acquired, ${released} released`),
      ...(this.running === 0 ? [] : [`${this.running} fibers are alive`])
    ]
  }
}

export interface CancelledAt<E, A> extends Observed<E, O.Option<A>> {
  readonly point: string
  readonly ledger: Ledger
  /** Whether the cancellation came before the program had ended. */
  readonly inTime: boolean
}

/**
 * Cancels the program once at each virtual time and there once after each of some turns, as long as that is before its end,
 * under several seeds. The ledger must balance as soon as the scope around the program is left. Gives the number of runs.
 */
export const cancelEverywhere = <E, A>(
  program: (ledger: Ledger) => Effect.Effect<{}, E, A>,
  check: (run: CancelledAt<E, A>) => void = () => undefined,
  options: { readonly seeds?: number; readonly turns?: number; readonly maxTime?: number } = {}
): number => {
  const { seeds = 4, turns = 6, maxTime = 200 } = options
  let points = 0

  /** Whether the cancellation came before the program had ended. */
  const cancelAt = (time: number, turn: number, seed: number): boolean => {
    const point = `seed ${seed}, cancelled at ${time} after ${turn} turns`
    const ledger = new Ledger()
    let ended = false
    let inTime = false
    let faults: ReadonlyArray<string> = []
    const run = observe(
      () =>
        TaskGroup.open()((group) =>
          CancelScope.open((scope) =>
            Effect.gen(function* () {
              yield* group.spawn(
                pipe(
                  Effect.sleep(time),
                  Effect.andThen(Effect.repeatN(turn)(Effect.yieldNow)),
                  Effect.andThen(
                    Effect.sync(() => {
                      inTime = !ended
                      scope.cancelUnsafe('everywhere')
                    })
                  )
                ),
                { name: 'canceller' }
              )
              const fx: Effect.Effect<{}, E, A> = program(ledger)
              return yield* Effect.onExit(() =>
                Effect.sync(() => {
                  ended = true
                  faults = ledger.balance()
                })
              )(fx)
            })
          )
        ),
      seed
    )
    expect(faults, point).to.deep.equal([])
    expect(ledger.balance(), `${point}, later`).to.deep.equal([])
    if (!ended) throw new Error(`${point}: the program did not end`)
    points++
    check({ ...(run as Observed<E, O.Option<A>>), point, ledger, inTime })
    return inTime
  }

  for (let seed = 0; seed < seeds; seed++) {
    for (let time = 0; ; time += 0.5) {
      if (time > maxTime) throw new Error(`the program takes more than ${maxTime} ms`)
      let some = false
      for (let turn = 0; turn <= turns && cancelAt(time, turn, seed); turn++) some = true
      if (!some) break
    }
  }
  return points
}
