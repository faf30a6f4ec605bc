/**
 * `Check`: a property of something that does input and output, as an effect. In virtual time it is a law; on real sockets it is
 * run by whoever has them.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { Cause, type Effect, type Exit } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { type Law, law, wrong } from './LawSet.js'
import { show } from './Show.js'

/**
 * @category model
 * @since 0.1.0
 */
export interface Check {
  readonly name: string
  /** Makes the effect from the numbers that a generator draws: `null` when the property holds, else what went wrong. */
  readonly on: (draw: Draw) => Effect.Effect<unknown, unknown, string | null>
}

/**
 * Chooses the inputs of a check.
 *
 * @category model
 * @since 0.1.0
 */
export type Draw = <T>(arbitrary: fc.Arbitrary<T>) => T

const drawBy = (seed: number): Draw => {
  let n = 0
  return (arbitrary) => {
    const [value] = fc.sample(arbitrary, { seed: seed + n++ * 7919, numRuns: 1 })
    return value as never
  }
}

const problemOf = (exit: Exit.Exit<unknown, string | null>): string | null =>
  exit._tag === 'Right' ? exit.right : Cause.pretty(exit.left)

/**
 * Each check as a law: in virtual time, under a schedule that the same seed chooses.
 *
 * @category combinators
 * @since 0.1.0
 */
export const lawsOf = (group: string, checks: ReadonlyArray<Check>): ReadonlyArray<Law> =>
  checks.map(({ name, on }) =>
    law({
      name,
      group,
      input: fc.nat(1_000_000),
      show: (seed) => `  seed ${seed}`,
      holds: (seed) => {
        const exit: Exit.Exit<unknown, string | null> = TestRuntime.runExit(on(drawBy(seed)), { seed })
        const problem = problemOf(exit)
        return problem === null ? null : wrong(problem)
      }
    })
  )

/**
 * Each check on the real thing, `runs` times: `run` is `Runtime.runExit`. Gives what went wrong first, or null.
 *
 * @category combinators
 * @since 0.1.0
 */
export const runCheck = async (
  { on }: Check,
  run: (fx: Effect.Effect<unknown, unknown, string | null>) => Promise<Exit.Exit<unknown, string | null>>,
  { runs = 5, seed = 1 }: { readonly runs?: number; readonly seed?: number } = {}
): Promise<string | null> => {
  for (let i = 0; i < runs; i++) {
    const problem = problemOf(await run(on(drawBy(seed + i))))
    if (problem !== null) return `seed ${seed + i}: ${problem}`
  }
  return null
}

/**
 * `null` when the two are the same.
 *
 * @category combinators
 * @since 0.1.0
 */
export const same = (got: unknown, expected: unknown, what = 'got'): string | null => {
  const [left, right] = [show(got), show(expected)]
  return left === right ? null : `${what} ${left} instead of ${right}`
}

/** The first that is not null. @category combinators */
export const firstOf = (problems: ReadonlyArray<string | null>): string | null =>
  problems.find((problem) => problem !== null) ?? null

/** The tag of the failure of an exit, or `value`, `defect`, `cancelled`. @category combinators */
export const endOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (exit._tag === 'Right') return 'value'
  const [failure] = Cause.failures(exit.left)
  if (failure !== undefined) return tagOf(failure)
  return Cause.defects(exit.left).length > 0 ? 'defect' : 'cancelled'
}

const tagOf = (failure: unknown): string =>
  typeof failure === 'object' && failure !== null && '_tag' in failure ? String(failure._tag) : show(failure)
