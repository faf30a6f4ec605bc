/**
 * A run: what all fibers of one call of a runner share.
 *
 * @internal
 */
import type { Clock } from '../Clock.js'
import type { Instrument } from '../Instrument.js'
import type { Scheduler, Turn } from '../Scheduler.js'
import { Timers } from './deadlines.js'
import { RoleRoot, ScopeNode } from './scopeTree.js'

/** A time that all fibers share which begin to wait in the same turn, so that none needs a number of its own on the heap. */
export interface TurnTime {
  readonly ms: number
}

export class Run {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly instruments: ReadonlyArray<Instrument> | null
  readonly root: ScopeNode
  /** Waits for promises carry their signal in the async context of the host. */
  readonly asyncContext: boolean
  /** A run that was given up (`runSync` of something that waits): what still calls back is ignored. */
  closed: boolean
  private ids: number
  private turn: number
  private timeOfTurn: TurnTime | null
  private lazyTimers: Timers | null

  constructor(
    clock: Clock,
    scheduler: Scheduler,
    instruments: ReadonlyArray<Instrument> | null,
    name: string,
    asyncContext: boolean
  ) {
    this.clock = clock
    this.scheduler = scheduler
    this.instruments = instruments
    this.asyncContext = asyncContext
    this.closed = false
    this.ids = 0
    this.lazyTimers = null
    this.root = new ScopeNode(this, null, name, 0, RoleRoot)
    this.turn = -1
    this.timeOfTurn = null
  }

  nextId(): number {
    return ++this.ids
  }

  /** Made when first asked for: most runs of `runSync` have none. */
  get timers(): Timers {
    if (this.lazyTimers === null) this.lazyTimers = new Timers(this.clock)
    return this.lazyTimers
  }

  /** How many timers are set. */
  pendingTimers(): number {
    return this.lazyTimers === null ? 0 : this.lazyTimers.length
  }

  now(): number {
    return this.clock.now()
  }

  /** The time, read once a turn of the host: waits are too many to read the clock for each. */
  turnTime(): TurnTime {
    const { turn } = this.scheduler
    if (turn === undefined) return { ms: this.clock.now() }
    if (this.timeOfTurn === null || turn !== this.turn) {
      this.turn = turn
      this.timeOfTurn = { ms: this.clock.now() }
    }
    return this.timeOfTurn
  }

  /** A turn became ready by a call from outside. */
  wake(turn: Turn): void {
    const { scheduler } = this
    if (scheduler.wake === undefined) scheduler.schedule(turn)
    else scheduler.wake(turn)
  }

  /** Nothing of the run may keep the host alive. */
  close(): void {
    this.closed = true
    if (this.lazyTimers !== null) this.lazyTimers.close()
  }
}
