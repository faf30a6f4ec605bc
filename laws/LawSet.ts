/**
 * `Law` and `LawSet`: an equation as a named value that says whether it holds, and sets of them, which form a monoid.
 *
 * A law is checked on generated inputs. It ends `Proved` (on so many of them), `Falsified` with a report and a way to run
 * the same inputs again, or `Undecided`, which never counts as a success. `checkAll` makes a test of each law; it and
 * `assertLaws` are the only functions here that do anything.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import type { Monoid as MonoidOf } from 'fp-ts/lib/Monoid.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a law came out.
 *
 * @category model
 * @since 0.1.0
 */
export type Verdict = Proved | Falsified | Undecided

/**
 * It held on all inputs that were tried.
 *
 * @category model
 * @since 0.1.0
 */
export interface Proved {
  readonly _tag: 'Proved'
  /** The inputs on which it was decided. */
  readonly runs: number
  /** Those on which it was not; with too many of them a law is undecided. */
  readonly undecided: number
}

/**
 * An input on which it does not hold, the smallest that was found.
 *
 * @category model
 * @since 0.1.0
 */
export interface Falsified {
  readonly _tag: 'Falsified'
  readonly report: string
  /** A command line that runs the same inputs again. */
  readonly replay: string
}

/**
 * Too few inputs could be decided, for example since they have too many schedules to try them all.
 *
 * @category model
 * @since 0.1.0
 */
export interface Undecided {
  readonly _tag: 'Undecided'
  readonly reason: string
}

/**
 * How much is tried.
 *
 * @category model
 * @since 0.1.0
 */
export interface Params {
  /** Inputs for each law. */
  readonly runs: number
  /** Schedules for each input, where they are sampled. */
  readonly schedules: number
  /** Schedules for each input, where all of them are tried; beyond it the input is undecided. */
  readonly cap: number
  /** Decides the inputs. */
  readonly seed: number
  /** The place of one input among those of the seed, as a falsified law prints it. */
  readonly path?: string
}

/**
 * A named equation.
 *
 * @category model
 * @since 0.1.0
 */
export interface Law {
  readonly name: string
  /** The set that it belongs to. */
  readonly group: string
  readonly tags: ReadonlyArray<string>
  readonly check: (params: Params) => Verdict
}

/**
 * Laws, and the sets that they build on. A law that is reached on several ways counts once.
 *
 * @category model
 * @since 0.1.0
 */
export interface LawSet {
  readonly name: string
  readonly parents: ReadonlyArray<LawSet>
  readonly laws: ReadonlyArray<Law>
}

// -------------------------------------------------------------------------------------
// answers for one input
// -------------------------------------------------------------------------------------

/**
 * What a law says about one input: `null` when it holds.
 *
 * @category model
 * @since 0.1.0
 */
export type Answer = null | Wrong | Unsure | Irrelevant

/** @category model */
export interface Wrong {
  readonly _tag: 'Wrong'
  readonly report: string
}

/** @category model */
export interface Unsure {
  readonly _tag: 'Unsure'
  readonly reason: string
}

/** The law says nothing about this input. */
export interface Irrelevant {
  readonly _tag: 'Irrelevant'
}

/** @category constructors */
export const wrong = (report: string): Answer => ({ _tag: 'Wrong', report })

/** @category constructors */
export const unsure = (reason: string): Answer => ({ _tag: 'Unsure', reason })

/** @category constructors */
export const irrelevant: Answer = { _tag: 'Irrelevant' }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * How a law is made: what it is asked about, and the answer.
 *
 * @category model
 * @since 0.1.0
 */
export interface Question<T> {
  readonly name: string
  readonly group: string
  readonly tags?: ReadonlyArray<string>
  readonly input: fc.Arbitrary<T>
  readonly show: (input: T) => string
  readonly holds: (input: T, params: Params) => Answer
  /** Multiplies the number of runs: below 1 for what is slow, above 1 for what seldom shows. */
  readonly effort?: number
}

class Refuted extends Error {}

const replayOf = (name: string, seed: number, path: string | null): string =>
  `LAWS_SEED=${seed}${path === null ? '' : ` LAWS_PATH=${path}`} npx mocha -f ${JSON.stringify(name)}`

/**
 * A law that must hold for every input.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import fc from 'fast-check'
 * import { law, quick, wrong } from 'millrace/laws'
 *
 * const small = law({
 *   name: 'all numbers are small',
 *   group: 'numbers',
 *   input: fc.nat(),
 *   show: (n) => `n = ${n}`,
 *   holds: (n) => (n < 10 ? null : wrong(`${n} is not small`))
 * })
 * const verdict = small.check(quick)
 * assert.equal(verdict._tag === 'Falsified' && verdict.report, 'all numbers are small\nn = 10\n10 is not small')
 *
 * @category constructors
 * @since 0.1.0
 */
export const law = <T>({ name, group, tags = [], input, show, holds, effort = 1 }: Question<T>): Law => ({
  name,
  group,
  tags,
  check: (params) => {
    let decided = 0
    const reasons: Array<string> = []
    const details = fc.check(
      fc.property(input, (value) => {
        const answer = holds(value, params)
        if (answer === null) decided++
        else if (answer._tag === 'Unsure') reasons.push(answer.reason)
        else if (answer._tag === 'Irrelevant') fc.pre(false)
        else throw new Refuted(answer.report)
      }),
      {
        seed: params.seed,
        numRuns: Math.max(1, Math.ceil(params.runs * effort)),
        ...(params.path === undefined ? {} : { path: params.path })
      }
    )
    if (details.failed && details.counterexample !== null) {
      const [value] = details.counterexample
      const thrown: unknown = details.errorInstance
      const report =
        thrown instanceof Refuted
          ? thrown.message
          : thrown instanceof Error
            ? (thrown.stack ?? thrown.message)
            : String(thrown)
      return {
        _tag: 'Falsified',
        report: `${name}\n${show(value)}\n${report}`,
        replay: replayOf(name, details.seed, details.counterexamplePath)
      }
    }
    if (details.failed) return { _tag: 'Undecided', reason: 'hardly any input meets the conditions' }
    if (reasons.length * 4 > decided) {
      const of = `${reasons.length} of ${reasons.length + decided} inputs`
      return { _tag: 'Undecided', reason: `${of} could not be decided: ${reasons[0] ?? ''}` }
    }
    return { _tag: 'Proved', runs: decided, undecided: reasons.length }
  }
})

/**
 * An equation that must not hold: some input has to tell the sides apart. It shows that the equality sees what the
 * laws beside it are about.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuted = <T>(question: Question<T>): Law => ({
  name: question.name,
  group: question.group,
  tags: [...(question.tags ?? []), 'refuted'],
  check: (params) => {
    const verdict = law(question).check(params)
    if (verdict._tag === 'Falsified') return { _tag: 'Proved', runs: 1, undecided: 0 }
    if (verdict._tag === 'Undecided') return verdict
    return {
      _tag: 'Falsified',
      report: `${question.name}\nexpected to be refuted, but it held on ${verdict.runs} inputs`,
      replay: replayOf(question.name, params.seed, null)
    }
  }
})

/**
 * A set of laws.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lawSet = (
  name: string,
  laws: ReadonlyArray<Law>,
  parents: ReadonlyArray<LawSet> = []
): LawSet => ({ name, parents, laws })

const taken = new Map<string, number>()

/** A group of its own for each call of a suite, so that laws about two things do not count as one. */
export const groupFor = (name: string): string => {
  const count = (taken.get(name) ?? 0) + 1
  taken.set(name, count)
  return count === 1 ? name : `${name} ${count}`
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * All laws of a set, those of its parents first, each once.
 *
 * @category combinators
 * @since 0.1.0
 */
export const flatten = (rules: LawSet): ReadonlyArray<Law> => {
  const found = new Map<string, Law>()
  const visit = (set: LawSet): void => {
    set.parents.forEach(visit)
    for (const each of set.laws) {
      const key = `${each.group}/${each.name}`
      if (!found.has(key)) found.set(key, each)
    }
  }
  visit(rules)
  return [...found.values()]
}

/**
 * The laws of which the predicate holds.
 *
 * @category combinators
 * @since 0.1.0
 */
export const only =
  (predicate: (law: Law) => boolean) =>
  (rules: LawSet): LawSet =>
    lawSet(rules.name, flatten(rules).filter(predicate))

/**
 * Without some laws, each with the reason why it is not claimed; `checkAll` shows them as pending.
 *
 * @example
 * import * as N from 'fp-ts/lib/number.js'
 * import { assertLaws, except, kit, semigroup } from 'millrace/laws'
 *
 * // `checkAll` shows it as pending, with the reason.
 * const differences = semigroup({ concat: (x: number, y: number) => x - y })(kit.int)
 * assertLaws(
 *   except({ 'semigroup associativity: (x <> y) <> z = x <> (y <> z)': 'differences have an order' })(differences)
 * )
 * assertLaws(semigroup(N.SemigroupSum)(kit.int))
 *
 * @category combinators
 * @since 0.1.0
 */
export const except =
  (reasons: Readonly<Record<string, string>>) =>
  (rules: LawSet): LawSet =>
    lawSet(
      rules.name,
      flatten(rules).map((each) => {
        const reason = reasons[each.name]
        return reason === undefined ? each : { ...each, tags: [...each.tags, `not claimed: ${reason}`] }
      })
    )

const notClaimed = (each: Law): string | undefined => each.tags.find((tag) => tag.startsWith('not claimed: '))

/**
 * Law sets side by side; two are the same when they flatten to the same laws.
 *
 * @category instances
 * @since 0.1.0
 */
export const Monoid: MonoidOf<LawSet> = {
  concat: (x, y) => lawSet([x.name, y.name].filter((name) => name !== '').join(', '), [], [x, y]),
  empty: lawSet('', [])
}

// -------------------------------------------------------------------------------------
// profiles
// -------------------------------------------------------------------------------------

/** A second or so for each set, and the same inputs each time. */
export const quick: Params = { runs: 250, schedules: 2, cap: 300, seed: 1 }

/** For the night: other inputs each time. */
export const deep: Params = { runs: 4000, schedules: 4, cap: 5000, seed: 1 }

/**
 * The profile that the environment asks for: `LAWS=deep`, `LAWS_SEED`, `LAWS_RUNS`, `LAWS_SCHEDULES`, `LAWS_PATH`.
 *
 * @category profiles
 * @since 0.1.0
 */
export const paramsFrom = (
  env: Readonly<Record<string, string | undefined>>,
  fresh: () => number
): Params => {
  const isDeep = env['LAWS'] === 'deep'
  const profile = isDeep ? { ...deep, seed: fresh() } : quick
  const number = (name: string, otherwise: number, least: number): number => {
    const text = env[name]
    if (text === undefined || text === '') return otherwise
    const given = Number(text)
    if (Number.isInteger(given) && given >= least) return given
    throw new RangeError(
      `${name} is a whole number${least > 0 ? ` from ${least}` : ''}, but was given ${text}.`
    )
  }
  const path = env['LAWS_PATH']
  return {
    runs: number('LAWS_RUNS', profile.runs, 1),
    schedules: number('LAWS_SCHEDULES', profile.schedules, 1),
    cap: profile.cap,
    seed: number('LAWS_SEED', profile.seed, -Infinity),
    ...(path === undefined ? {} : { path })
  }
}

// -------------------------------------------------------------------------------------
// running
// -------------------------------------------------------------------------------------

/** What `checkAll` needs of a test runner: mocha, vitest, jest and `node:test` have it. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: ((name: string, body: (this: unknown) => void) => unknown) & {
    readonly skip: (name: string) => unknown
  }
}

interface Host {
  readonly describe?: Runner['describe']
  readonly it?: Runner['it']
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> }
}

const host = globalThis as Host

const runnerOfHost = (): Runner => {
  const { describe, it } = host
  if (describe === undefined || it === undefined) {
    throw new Error(
      'checkAll found no `describe` and `it` among the globals. Pass those of your runner, or use assertLaws.'
    )
  }
  return { describe, it }
}

interface Timed {
  readonly timeout: (ms: number) => unknown
}

const isTimed = (test: unknown): test is Timed =>
  typeof test === 'object' && test !== null && 'timeout' in test && typeof test.timeout === 'function'

/** A law takes as long as its runs take: the time limit of a test says nothing about it. */
const withoutTimeLimit = (test: unknown): void => {
  if (isTimed(test)) test.timeout(0)
}

let chosen: Params | undefined

/** The profile that the environment asks for, the same one during a process. */
export const paramsOfHost = (): Params =>
  (chosen ??= paramsFrom(host.process?.env ?? {}, () => Date.now() % 2 ** 31))

/** Thrown for a law that did not end `Proved`. */
export class LawFailed extends Error {
  override readonly name = 'LawFailed'
  readonly verdict: Verdict

  constructor(law: Law, verdict: Falsified | Undecided, params: Params) {
    super(
      verdict._tag === 'Falsified'
        ? `${verdict.report}\nreplay: ${verdict.replay}`
        : `${law.name}: undecided (seed ${params.seed}): ${verdict.reason}`
    )
    this.verdict = verdict
  }
}

/**
 * Checks a law; throws unless it is proved.
 *
 * @category running
 * @since 0.1.0
 */
export const assertLaw = (each: Law, params: Params = paramsOfHost()): void => {
  const verdict = each.check(params)
  if (verdict._tag !== 'Proved') throw new LawFailed(each, verdict, params)
}

/**
 * Checks all laws of a set, for any runner; throws at the first that is not proved.
 *
 * @example
 * import { assertLaws, typeClasses } from 'millrace/laws'
 *
 * assertLaws(typeClasses, { runs: 10, schedules: 1, cap: 100, seed: 7 })
 *
 * @category running
 * @since 0.1.0
 */
export const assertLaws = (rules: LawSet, params: Params = paramsOfHost()): void => {
  for (const each of flatten(rules)) if (notClaimed(each) === undefined) assertLaw(each, params)
}

/**
 * Makes a test of each law. The runner is the one whose `describe` and `it` are globals, or the one that is passed; how much is
 * tried is decided by the environment (`paramsFrom`), or by what is passed.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as N from 'fp-ts/lib/number.js'
 * import { checkAll, kit, quick, semigroup } from 'millrace/laws'
 *
 * // Under mocha, vitest or jest `checkAll(rules)` is enough. Here is a runner that only writes down what it is told.
 * const told: Array<string> = []
 * const it = Object.assign((name: string, _body: () => void) => told.push(name), { skip: () => {} })
 * checkAll(semigroup(N.SemigroupSum)(kit.int), quick, { describe: (_name, body) => body(), it })
 *
 * assert.deepEqual(told, ['semigroup associativity: (x <> y) <> z = x <> (y <> z)'])
 *
 * @category running
 * @since 0.1.0
 */
export const checkAll = (
  rules: LawSet,
  params: Params = paramsOfHost(),
  { describe, it }: Runner = runnerOfHost()
): void => {
  describe(rules.name, () => {
    for (const each of flatten(rules)) {
      const reason = notClaimed(each)
      if (reason === undefined) {
        it(each.name, function () {
          withoutTimeLimit(this)
          assertLaw(each, params)
        })
      } else it.skip(`${each.name} (${reason.slice('not claimed: '.length)})`)
    }
  })
}
