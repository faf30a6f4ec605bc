/** Keeps account of what is acquired and released, and cancels programs at every point of their run. */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import type * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Effect, TaskGroup } from 'millrace'
import { type Fx, observe, type Observed } from './seeds.js'

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
 * Cancels the program once at each virtual time and once at each turn, as long as that is before its end, under several
 * seeds. The ledger must balance as soon as the scope around the program has been left.
 */
export const cancelEverywhere = <E, A>(
  program: (ledger: Ledger) => Effect.Effect<{}, E, A>,
  check: (run: CancelledAt<E, A>) => void = () => undefined,
  options: { readonly seeds?: number; readonly maxPoints?: number } = {}
): number => {
  const { seeds = 4, maxPoints = 400 } = options
  let points = 0
  const sweep = (kind: string, wait: (n: number) => Fx<void>, seed: number): void => {
    for (let n = 0; n < maxPoints; n++) {
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
                  Effect.andThen(
                    Effect.sync(() => {
                      inTime = !ended
                      scope.cancelUnsafe('everywhere')
                    })
                  )(wait(n)),
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
      expect(faults, `seed ${seed}, cancelled at ${kind} ${n}`).to.deep.equal([])
      expect(ledger.balance(), `seed ${seed}, cancelled at ${kind} ${n}, later`).to.deep.equal([])
      if (!ended) throw new Error('the program did not end')
      points++
      check({ ...(run as Observed<E, O.Option<A>>), point: `${kind} ${n}`, ledger, inTime })
      if (!inTime) return
    }
    throw new Error(`the program has more than ${maxPoints} points`)
  }
  for (let seed = 0; seed < seeds; seed++) {
    sweep('time', (n) => Effect.sleep(n / 2), seed)
    sweep('turn', (n) => pipe(Effect.yieldNow, Effect.repeatN(n)), seed)
  }
  return points
}
