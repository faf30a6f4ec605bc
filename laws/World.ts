/**
 * `World`: the surroundings of one observed run, which effects write to.
 *
 * @since 0.1.0
 */
import { Cause, Effect, Timeout } from 'millrace'
import type { VirtualClock } from 'millrace/testing'

/** What the environment of a generated program holds. */
export interface Environment {
  readonly depth?: number
}

/** An effect about whose types nothing else is known: any effect that needs no other environment is one. */
export type Fx = Effect.Effect<Environment, unknown, unknown>

/** What happened in a run that tells how much it exercised. */
export interface Facts {
  /** A cancellation ended a wait or a look. */
  delivered: boolean
  /** A shield was entered in a cancelled scope. */
  shielded: boolean
  /** Two timers were due at the same time. */
  tied: boolean
}

/**
 * The surroundings of one run.
 *
 * @category model
 * @since 0.1.0
 */
export class World {
  /** What was noted, each line with the virtual time since the start. */
  readonly trace: Array<string> = []
  /** Resources by label: how often acquired and released. */
  readonly ledger = new Map<string, { acquired: number; released: number }>()
  readonly facts: Facts = { delivered: false, shielded: false, tied: false }
  /** Set by a law that finds out in the middle of a run that it says nothing about it. */
  outside = false
  private readonly clock: VirtualClock.VirtualClock
  private readonly start: number
  private readonly watched: boolean
  private readonly due = new Set<number>()

  constructor(clock: VirtualClock.VirtualClock, watched: boolean) {
    this.clock = clock
    this.start = clock.now()
    this.watched = watched
  }

  /** Virtual ms since the start of the run. */
  readonly elapsed = (): number => this.clock.now() - this.start

  readonly note = (line: string): void => {
    this.trace.push(`${line}@${this.elapsed()}`)
  }

  readonly tick = (label: string): Effect.Effect<unknown, never, void> =>
    Effect.sync(() => {
      this.note(label)
    })

  readonly acquire = (label: string): void => {
    const entry = this.ledger.get(label)
    if (entry === undefined) this.ledger.set(label, { acquired: 1, released: 0 })
    else entry.acquired++
    this.note(`${label} acquired`)
  }

  readonly release = (label: string): void => {
    const entry = this.ledger.get(label)
    if (entry === undefined) this.ledger.set(label, { acquired: 0, released: 1 })
    else entry.released++
  }

  readonly watchWait = (fx: Fx): Fx =>
    this.watched
      ? Effect.onCancel(
          Effect.sync(() => {
            this.facts.delivered = true
          })
        )(fx)
      : fx

  readonly watchShield = (fx: Fx): Fx =>
    this.watched
      ? Effect.flatMap((deadline: number) => {
          if (deadline === -Infinity) this.facts.shielded = true
          return fx
        })(Timeout.currentEffectiveDeadline)
      : fx

  readonly timed = (ms: number, fx: Fx): Fx =>
    this.watched
      ? Effect.suspend(() => {
          const due = this.elapsed() + ms
          if (ms > 0 && this.due.has(due)) this.facts.tied = true
          this.due.add(due)
          return fx
        })
      : fx
}

const isMixed = (cause: Cause.Cause<unknown>): boolean =>
  (cause._tag === 'Both' && Cause.cancellations(cause).length > 0) ||
  ((cause._tag === 'Then' || cause._tag === 'Both') && (isMixed(cause.left) || isMixed(cause.right)))

/**
 * Leaves the law alone where the effect ends with a cancellation side by side with failures: whoever waits for fibers keeps one
 * cancellation of all that reach it, and puts what came later behind it, so the place of that leaf tells how often it passed.
 */
export const unmixed =
  (world: World) =>
  (fx: Fx): Fx =>
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (exit._tag === 'Left' && isMixed(exit.left)) world.outside = true
      })
    )(fx)
