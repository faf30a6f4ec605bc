/** Measuring rows: warming up, samples, rounds that interleave the systems. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Row, type SystemName, systemNames, type Watch, type Workload } from './row.js'
import { ratio, type Summary, summary } from './statistics.js'

/**
 * Empties the young generation between samples, so that no system pays for the garbage of another. A full collection would
 * also throw away type feedback and optimized code, which slows down the next sample of an interpreter by a factor of ten.
 */
const collectGarbage: () => void = (() => {
  type Collect = (options: { readonly type: 'minor' }) => void
  setFlagsFromString('--expose-gc')
  const collect = (globalThis as { gc?: Collect }).gc ?? (runInNewContext('gc') as Collect)
  return () => {
    collect({ type: 'minor' })
  }
})()

/** Runs shorter than this, in ms, are so many between two collections that these fall anywhere by themselves. */
const short = 0.1

/**
 * Leaves up to a megabyte of garbage. The young generation is emptied each time it is full, and what lives then is copied:
 * without this, a workload that allocates the same each time would always be met at the same place, at its start if it is
 * lucky, with all of its data in hand if it is not.
 */
const leaveGarbage = (): void => {
  for (let left = Math.random() * 1024; left > 0; left--) new Array(128).fill(0)
}

// ---- one sample

class Stopwatch implements Watch {
  used = false
  spent = 0
  private since = 0

  readonly start = (): void => {
    this.used = true
    this.since = performance.now()
  }

  readonly stop = (): void => {
    this.spent += performance.now() - this.since
  }
}

class WrongResult extends Error {
  override readonly name = 'WrongResult'
}

interface Subject {
  readonly name: SystemName
  readonly workload: Workload
  readonly operations: number
  readonly expected: number
}

/** A workload whose watched part is short must not run for ever to fill a sample. */
const wallFactor = 20

/** Runs the workload until that has taken `minimum` ms; nanoseconds an operation. */
const sample = async (subject: Subject, minimum: number): Promise<number> => {
  const { workload, operations, expected } = subject
  let runs = 0
  let spent = 0
  let wall = 0
  do {
    const watch = new Stopwatch()
    const start = performance.now()
    const outcome = workload(watch)
    const value = typeof outcome === 'number' ? outcome : await outcome
    const took = performance.now() - start
    if (value !== expected) throw new WrongResult(`gave ${String(value)} instead of ${String(expected)}`)
    spent += watch.used ? watch.spent : took
    wall += took
    runs++
    if (took > short) leaveGarbage()
  } while (spent < minimum && wall < minimum * wallFactor)
  return (spent * 1e6) / (runs * operations)
}

// ---- the subjects of a row

export interface Broken {
  readonly row: string
  readonly system: SystemName
  readonly reason: string
}

export interface Contest {
  readonly row: Row
  readonly subjects: ReadonlyArray<Subject>
}

const subjectsOf = (row: Row, systems: ReadonlySet<SystemName>): ReadonlyArray<Subject> =>
  systemNames.flatMap((name) => {
    const workload = row.systems[name]
    if (workload === undefined || !systems.has(name)) return []
    const { operations, expected } = row.fewer?.[name] ?? row
    return [{ name, workload, operations, expected }]
  })

const reasonOf = (thrown: unknown): string =>
  thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)

/**
 * Runs every workload twice, all of them before any is measured, so that no inline cache of a library is monomorphic by
 * luck. A workload that throws or gives a wrong result is left out and reported.
 */
export const warm = async (
  rows: ReadonlyArray<Row>,
  systems: ReadonlySet<SystemName>,
  progress: (text: string) => void
): Promise<{ readonly contests: ReadonlyArray<Contest>; readonly broken: ReadonlyArray<Broken> }> => {
  const broken: Array<Broken> = []
  let contests: ReadonlyArray<Contest> = rows.map((row) => ({ row, subjects: subjectsOf(row, systems) }))
  for (const pass of [1, 2]) {
    const next: Array<Contest> = []
    for (const { row, subjects } of contests) {
      const sound: Array<Subject> = []
      for (const subject of subjects) {
        progress(`warming up, pass ${String(pass)} of 2: ${row.id} ${subject.name}`)
        try {
          await sample(subject, 0)
          sound.push(subject)
        } catch (e) {
          broken.push({ row: row.id, system: subject.name, reason: reasonOf(e) })
        }
      }
      next.push({ row, subjects: sound })
    }
    contests = next
  }
  return { contests, broken }
}

// ---- a row

export interface Measured {
  readonly row: Row
  /** Nanoseconds an operation. */
  readonly systems: Readonly<Partial<Record<SystemName, Summary>>>
  readonly toEffect: Summary | undefined
  /** The same of the fastest samples: less disturbed by what else the machine does. */
  readonly bestToEffect: number | undefined
  readonly toNative: Summary | undefined
  readonly toFpts: Summary | undefined
  /** Undefined without a target, or without the two systems. */
  readonly met: boolean | undefined
}

/** A row this close to its target counts as met. */
export const tolerance = 1.05

export interface Effort {
  readonly rounds: number
  /** The least length of a sample, in ms. */
  readonly minimum: number
}

/** The systems take turns in every round, and every round another one begins. */
export const measure = async (
  { row, subjects }: Contest,
  effort: Effort,
  progress: (text: string) => void
): Promise<Measured> => {
  const samples = new Map(subjects.map(({ name }) => [name, [] as Array<number>]))
  // The first round is not counted: since the warming up, collections may have thrown code away.
  for (let round = -1; round < effort.rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const subject = subjects[(turn + round + 1) % subjects.length]
      if (subject === undefined) continue
      progress(
        `${row.id} ${row.title}: round ${String(round + 1)} of ${String(effort.rounds)}, ${subject.name}`
      )
      collectGarbage()
      const took = await sample(subject, effort.minimum)
      if (round >= 0) samples.get(subject.name)?.push(took)
    }
  }
  const best = (name: SystemName): number => Math.min(...(samples.get(name) ?? []))
  const compare = (peer: SystemName): Summary | undefined => {
    const ours = samples.get('millrace')
    const theirs = samples.get(peer)
    return ours === undefined || theirs === undefined ? undefined : ratio(ours, theirs)
  }
  const toEffect = compare('effect')
  return {
    row,
    systems: Object.fromEntries([...samples].map(([name, values]) => [name, summary(values)])),
    toEffect,
    bestToEffect: toEffect === undefined ? undefined : best('millrace') / best('effect'),
    toNative: compare('native'),
    toFpts: compare('fpts'),
    met:
      toEffect === undefined || row.target === undefined
        ? undefined
        : toEffect.median <= row.target * tolerance
  }
}
