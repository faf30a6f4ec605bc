/** Runs that are driven by hand, with their turns counted; how time and memory grow. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Effect } from 'millrace'
import { type Exit, Runtime, type Scheduler } from 'millrace'
import { show } from './seeds.js'

/** First in, first out, in turns that somebody asks for. */
export interface ByHand {
  readonly runtime: Runtime.Runtime
  /** Runs one turn; false when nothing is ready. */
  readonly turn: () => boolean
  /** Runs until nothing is ready. */
  readonly settle: () => void
  /** Turns so far. */
  readonly turns: () => number
}

export const byHand = (): ByHand => {
  let ready: Array<Scheduler.Turn> = []
  let head = 0
  let turns = 0
  const scheduler: Scheduler.Scheduler = {
    maxSteps: 2048,
    schedule: (turn) => void ready.push(turn)
  }
  const turn = (): boolean => {
    const next = ready[head]
    if (next === undefined) return false
    head++
    if (head > 1024 && head * 2 > ready.length) {
      ready = ready.slice(head)
      head = 0
    }
    turns++
    next.run()
    return true
  }
  return {
    runtime: Runtime.make({ scheduler }),
    turn,
    settle: () => {
      while (turn());
    },
    turns: () => turns
  }
}

/** Starts a run; the result gives its exit, once it has one. */
export const start = <E, A>(
  { runtime }: ByHand,
  fx: Effect.Effect<{}, E, A>
): (() => Exit.Exit<E, A> | undefined) => {
  let ended: Exit.Exit<E, A> | undefined
  Runtime.runCallback(
    fx,
    (exit) => {
      ended = exit
    },
    { runtime }
  )
  return () => ended
}

/** Runs an effect to its end; what it gives and the turns that it took. */
export const turnsOf = <E, A>(fx: Effect.Effect<{}, E, A>): { readonly value: A; readonly turns: number } => {
  const hand = byHand()
  const ended = start(hand, fx)
  hand.settle()
  const exit = ended()
  if (exit === undefined) throw new Error('it waits for ever')
  if (exit._tag === 'Left') throw new Error(show(exit))
  return { value: exit.right, turns: hand.turns() }
}

/**
 * By how much the time grows when `n` grows tenfold: about 10 when it is linear, and 100 when it is quadratic. The machine may
 * be busy, so the best of a few attempts counts, and less than 50 is fine.
 */
export const growth = (n: number, work: (n: number) => void): number => {
  const time = (size: number): number => {
    const before = performance.now()
    work(size)
    return performance.now() - before
  }
  work(n)
  let least = Infinity
  for (let attempt = 0; attempt < 4 && least >= 40; attempt++) {
    const small = (time(n) + time(n)) / 2
    least = Math.min(least, time(n * 10) / small)
  }
  return least
}

const collect: () => void = (() => {
  setFlagsFromString('--expose-gc')
  return (globalThis as { gc?: () => void }).gc ?? (runInNewContext('gc') as () => void)
})()

/** Bytes that are in use after a collection. */
export const heapUsed = (): number => {
  collect()
  return process.memoryUsage().heapUsed
}
