/**
 * What tasks of small scripts have in common: they wait between what they do, and are cancelled at some moment.
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Effect, TaskGroup } from 'millrace'
import { lines, type Observation } from './Equality.js'
import type { Fx } from './World.js'

const { andThen, sleep } = Effect

/** Cancelled after so many turns, or ms; or never. */
export type Cut = { readonly after: 'turns' | 'ms'; readonly n: number } | null

/** Waits before what a task does: ms, or below 0 one turn. */
export const acts: fc.Arbitrary<ReadonlyArray<number>> = fc.array(fc.constantFrom(-1, 0, 1, 2, 3), {
  minLength: 1,
  maxLength: 3
})
export const cuts: fc.Arbitrary<Cut> = fc.option(
  fc.record({ after: fc.constantFrom('turns' as const, 'ms' as const), n: fc.nat(4) }),
  {
    freq: 3
  }
)

export const showWaits = (acts: ReadonlyArray<number>): string =>
  `after ${acts.map((n) => (n < 0 ? 'a turn' : `${n} ms`)).join(', then ')}`

export const showCut = (cut: Cut): string => (cut === null ? '' : `; cancelled after ${cut.n} ${cut.after}`)

export const waitFor = (n: number): Fx => (n < 0 ? Effect.yieldNow : n === 0 ? Effect.unit : sleep(n))

export const cutShort = (cut: Cut, fx: Fx): Fx => {
  if (cut === null) return fx
  const wait =
    cut.after === 'ms'
      ? sleep(cut.n)
      : Array.from({ length: cut.n }).reduce<Fx>((all: Fx) => andThen(Effect.yieldNow)(all), Effect.unit)
  return CancelScope.open((scope) =>
    TaskGroup.open<unknown>()((group) =>
      pipe(group.spawn(andThen(scope.cancel())(wait), { service: true }), andThen(fx))
    )
  )
}

/** In a scope that is cancelled. */
export const cancelled = (fx: Fx): Fx => CancelScope.open((scope) => andThen(fx)(scope.cancel()))

/** One after another. */
export const repeat = (n: number, fx: (i: number) => Fx): Fx =>
  Array.from({ length: n }, (_, i) => fx(i)).reduce<Fx>((all, next) => andThen(next)(all), Effect.unit)

/** The lines of the trace, in order, that begin with one of these words. */
export const words = (observation: Observation, ...of: ReadonlyArray<string>): string =>
  lines(observation)
    .filter((line) => of.some((word) => line.startsWith(word)))
    .join(', ')

export const expectWords =
  (expected: string, ...of: ReadonlyArray<string>) =>
  (observation: Observation): string | null => {
    if (!observation.exit.startsWith('Right')) return 'somebody waits for ever, or fails'
    const found = words(observation, ...of)
    return found === expected ? null : `expected ${expected}, found ${found}`
  }
