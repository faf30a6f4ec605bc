/** Runs programs in virtual time under several seeds, and shows how they ended in one line. */
import { expect } from 'chai'
import { Cause, Effect, type Exit } from 'millrace'
import { TestRuntime } from 'millrace/testing'

/** When the virtual clock of a test run starts, so that logs can show times from 0. */
const start = ((): number => {
  const exit = TestRuntime.runExit(Effect.currentTime)
  if (exit._tag === 'Left') throw new Error('the clock cannot be read')
  return exit.right
})()

export type Fx<A, E = never> = Effect.Effect<unknown, E, A>
/** Notes a line with the time since the start of the run: `line@10`. */
export type Log = (line: string) => Fx<void>

export interface Observed<E, A> {
  readonly seed: number
  readonly exit: Exit.Exit<E, A>
  /** The exit in one line, see `show`. */
  readonly shown: string
  readonly log: ReadonlyArray<string>
  /** Virtual ms that the run took. */
  readonly took: number
}

const showValue = (value: unknown): string => {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (typeof value === 'object' && value !== null && '_tag' in value) {
    const { _tag, ...rest } = value as { readonly _tag: string; readonly [key: string]: unknown }
    if (_tag === 'None') return 'None'
    if (_tag === 'Some' || _tag === 'Right' || _tag === 'Left') {
      const inner = rest['value'] ?? rest['right'] ?? rest['left']
      return `${_tag}(${isCause(inner) ? showCause(inner) : showValue(inner)})`
    }
    return _tag
  }
  if (value === undefined) return ''
  if (value === Infinity || value === -Infinity) return String(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const isCause = (value: unknown): value is Cause.Cause<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  '_tag' in value &&
  ['Fail', 'Die', 'Cancelled', 'Then', 'Both'].includes(value._tag as string)

/** `Then(Fail(a), Both(Die(b), Cancelled))`. */
export const showCause = (cause: Cause.Cause<unknown>): string => {
  switch (cause._tag) {
    case 'Fail':
      return `Fail(${showValue(cause.error)})`
    case 'Die':
      return `Die(${showValue(cause.defect)})`
    case 'Cancelled':
      return 'Cancelled'
    default:
      return `${cause._tag}(${showCause(cause.left)}, ${showCause(cause.right)})`
  }
}

/** `ok(1)` or the cause. */
export const show = (exit: Exit.Exit<unknown, unknown>): string =>
  exit._tag === 'Right' ? `ok(${showValue(exit.right)})` : showCause(exit.left)

/** Time since the start of the run. */
export const elapsed: Fx<number> = Effect.map((now: number) => now - start)(Effect.currentTime)

/** A time of the run's clock, `ms` after its start. */
export const at = (ms: number): number => start + ms

export const observe = <E, A>(
  program: (log: Log) => Effect.Effect<{}, E, A>,
  seed = 0,
  options: TestRuntime.TestOptions = {}
): Observed<E, A> => {
  const lines: Array<string> = []
  let took = 0
  const log: Log = (line) =>
    Effect.map((now: number) => {
      lines.push(`${line}@${now}`)
    })(elapsed)
  const timed = Effect.onExit(() =>
    Effect.map((now: number) => {
      took = now
    })(elapsed)
  )(Effect.suspend(() => program(log)))
  const exit = TestRuntime.runExit(timed as Effect.Effect<{}, E, A>, { ...options, seed })
  return { seed, exit, shown: show(exit), log: lines, took }
}

/** One observation for each of the seeds `0 … seeds - 1`. */
export const observeAll = <E, A>(
  program: (log: Log) => Effect.Effect<{}, E, A>,
  seeds = 12
): ReadonlyArray<Observed<E, A>> => Array.from({ length: seeds }, (_, seed) => observe(program, seed))

export interface Expected {
  readonly exit?: string
  /** The lines in this order. */
  readonly log?: ReadonlyArray<string>
  /** The lines in any order. */
  readonly lines?: ReadonlyArray<string>
  readonly took?: number
}

/** Under every seed the program ends so. */
export const expectAll = <E, A>(
  program: (log: Log) => Effect.Effect<{}, E, A>,
  expected: Expected,
  seeds = 12
): void => {
  for (const { seed, shown, log, took } of observeAll(program, seeds)) {
    const seen: Record<string, unknown> = { seed }
    if (expected.exit !== undefined) seen['exit'] = shown
    if (expected.log !== undefined) seen['log'] = log
    if (expected.lines !== undefined) seen['lines'] = [...log].sort()
    if (expected.took !== undefined) seen['took'] = took
    const { lines } = expected
    expect(seen).to.deep.equal({
      seed,
      ...expected,
      ...(lines === undefined ? {} : { lines: [...lines].sort() })
    })
  }
}

/** The different outcomes of a program under the seeds, sorted. */
export const outcomes = <E, A>(
  program: (log: Log) => Effect.Effect<{}, E, A>,
  seeds = 40
): ReadonlyArray<string> => [...new Set(observeAll(program, seeds).map(({ shown }) => shown))].sort()

/** The cancellations in the cause of an exit. */
export const cancellationsOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<Cause.Cancelled> =>
  exit._tag === 'Left' ? Cause.cancellations(exit.left) : []

/** The first defect in the cause of an exit, as text. */
export const defectOf = (exit: Exit.Exit<unknown, unknown>): string =>
  exit._tag === 'Left' ? showValue(Cause.defects(exit.left)[0]) : 'no defect'
