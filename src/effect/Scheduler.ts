/**
 * `Scheduler` decides which ready fiber runs next and how long it may run. The runtime of the host uses {@link host};
 * tests use a seeded one, which makes every run reproducible.
 *
 * @since 0.1.0
 */
import { runOutside } from './internal/ambient.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Something that is ready to run: a fiber is its own turn, so that scheduling allocates nothing.
 *
 * @category model
 * @since 0.1.0
 */
export interface Turn {
  /** Runs up to the next wait or the end of the slice. Never throws. */
  readonly run: () => void
  /** For the queue of the scheduler that holds the turn; nobody else touches it. */
  next: Turn | null
}

/**
 * Runs turns. The members that may be absent let a scheduler be quicker or fairer; a correct one needs only
 * `schedule` and `maxSteps`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime, Scheduler } from 'millrace'
 *
 * let turns = 0
 * const counting: Scheduler.Scheduler = {
 *   maxSteps: 100,
 *   schedule: (turn) => {
 *     turns++
 *     Scheduler.host.schedule(turn)
 *   }
 * }
 * await Runtime.runPromise(Effect.yieldNow, { runtime: Runtime.make({ scheduler: counting }) })
 * assert.equal(turns, 2)
 *
 * @category model
 * @since 0.1.0
 */
export interface Scheduler {
  /** Runs the turn later, never inside this call. */
  readonly schedule: (turn: Turn) => void
  /**
   * A turn that became ready by a call from outside (a callback, a timer, a new run). A scheduler that has this may run it
   * at once; without it the turn is scheduled.
   */
  readonly wake?: (turn: Turn) => void
  /**
   * The first turn of a new run, which runs at once, also inside of another turn; without this it is scheduled.
   */
  readonly start?: (turn: Turn) => void
  /** A turn that has used up its steps and wants to go on; without this it is scheduled. */
  readonly exhausted?: (turn: Turn) => void
  /**
   * Asked when a turn has used up its steps: true lets it take as many again without leaving, since nobody else is ready and
   * the host can wait. Without this it always leaves.
   */
  readonly alone?: () => boolean
  /** Steps that a fiber may take before it yields to the others. */
  readonly maxSteps: number
  /** Changes whenever the host has had its turn; by it the time of a turn is read once. */
  readonly turn?: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** After this many ms of turns the host gets its own turn of I/O and timers. */
const slice = 2

/** Reading the clock costs as much as a short turn, so it is read once in so many. */
const turnsPerLook = 64

/**
 * Reading the clock for each turn from outside costs a third of a wait for a promise that is there. After so many of them
 * they are taken for one turn of the host, until it has had the next one.
 */
const burst = 64

const settled = Promise.resolve()

/** Lets the host serve I/O and timers, then calls back. */
const afterHost: (callback: () => void) => void = (() => {
  if (typeof setImmediate === 'function') return (callback: () => void) => void setImmediate(callback)
  return (callback: () => void) => {
    // A browser has no setImmediate, and clamps nested timers to 4 ms; a message does not wait.
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      callback()
    }
    port2.postMessage(undefined)
  }
})()

class HostScheduler implements Scheduler {
  readonly maxSteps: number
  turn: number
  private head: Turn | null
  private tail: Turn | null
  private running: boolean
  private requested: boolean
  private untilLook: number
  private wakes: number
  private sameTurn: boolean
  /** When the turns that run now must end; 0 when they were called from outside, or are inside of another one. */
  private until: number

  constructor() {
    this.maxSteps = 512
    this.turn = 0
    this.head = null
    this.tail = null
    this.running = false
    this.requested = false
    this.untilLook = turnsPerLook
    this.wakes = 0
    this.sameTurn = false
    this.until = 0
  }

  readonly schedule = (turn: Turn): void => {
    turn.next = null
    if (this.tail === null) this.head = turn
    else this.tail.next = turn
    this.tail = turn
    if (this.running || this.requested) return
    this.requested = true
    // A then on a settled promise costs less than half of queueMicrotask on Node 20.
    void settled.then(this.drain)
  }

  readonly wake = (turn: Turn): void => {
    if (this.running) {
      this.schedule(turn)
      return
    }
    this.running = true
    if (!this.sameTurn) {
      this.turn++
      if (++this.wakes >= burst) {
        this.wakes = 0
        this.sameTurn = true
        afterHost(this.nextTurn)
      }
    }
    try {
      runOutside(turn)
    } finally {
      this.running = false
    }
    if (this.head !== null) this.drain()
  }

  private readonly nextTurn = (): void => {
    this.sameTurn = false
  }

  readonly start = (turn: Turn): void => {
    if (!this.running) {
      this.wake(turn)
      return
    }
    const { until } = this
    this.until = 0
    runOutside(turn)
    this.until = until
  }

  readonly exhausted = (turn: Turn): void => {
    // Its steps may each have taken long.
    this.untilLook = 0
    this.schedule(turn)
  }

  readonly alone = (): boolean => this.head === null && performance.now() < this.until

  private readonly drain = (): void => {
    runOutside(this)
  }

  run(): void {
    this.requested = false
    this.running = true
    this.turn++
    const end = performance.now() + slice
    this.until = end
    this.untilLook = turnsPerLook
    try {
      for (let turn = this.head; turn !== null; turn = this.head) {
        this.head = turn.next
        if (this.head === null) this.tail = null
        turn.next = null
        turn.run()
        if (--this.untilLook <= 0) {
          if (performance.now() >= end) break
          this.untilLook = turnsPerLook
        }
      }
    } finally {
      this.running = false
      this.until = 0
      if (this.head !== null) {
        this.requested = true
        afterHost(this.drain)
      }
    }
  }
}

/**
 * The scheduler of the host: first ready, first run, in a microtask. After about 2 ms of turns the host gets
 * its own turn of I/O and timers, so a busy program does not keep it from them.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Scheduler } from 'millrace'
 *
 * // Fibers that take turns more often than usual.
 * let turns = 0
 * const runtime = Runtime.make({
 *   scheduler: { ...Scheduler.host, maxSteps: 10 },
 *   instruments: [{ onResume: () => { turns++ } }]
 * })
 * await Runtime.runPromise(pipe(Effect.unit, Effect.repeatN(100)), { runtime })
 * assert.ok(turns > 5)
 *
 * @category constructors
 * @since 0.1.0
 */
export const host: Scheduler = new HostScheduler()
