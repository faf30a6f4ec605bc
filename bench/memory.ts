/**
 * Memory: what a blocked fiber holds, what it costs to spawn one, and what stays after a million steps. Every figure
 * comes from a process of its own, because the garbage of one system slows down the others.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BlockedCase, MemorySystem, Parked } from './memoryProbe.js'

const run = promisify(execFile)

/** As many as in the table of the targets. */
const fibers = 100_000

export interface MemoryOfSystem {
  readonly system: MemorySystem
  readonly never: Parked | undefined
  readonly gen: Parked | undefined
  readonly scope: Parked | undefined
  /** Bytes that the heap has grown by after a million steps. */
  readonly growth: number | undefined
}

export interface MemoryReport {
  readonly fibers: number
  readonly systems: ReadonlyArray<MemoryOfSystem>
  readonly targets: ReadonlyArray<{
    readonly what: string
    readonly value: number
    readonly target: number
    readonly met: boolean
  }>
  readonly broken: ReadonlyArray<string>
}

const probe = async (system: MemorySystem, what: BlockedCase | 'growth'): Promise<unknown> => {
  const file = fileURLToPath(new URL('./memoryProbe.js', import.meta.url))
  const { stdout } = await run(process.execPath, ['--expose-gc', file, system, what, String(fibers)])
  return JSON.parse(stdout)
}

const cases: Readonly<Record<MemorySystem, ReadonlyArray<BlockedCase | 'growth'>>> = {
  millrace: ['never', 'gen', 'scope', 'growth'],
  effect: ['never', 'gen', 'scope', 'growth'],
  native: ['never']
}

export const measureMemory = async (progress: (text: string) => void): Promise<MemoryReport> => {
  const broken: Array<string> = []
  const systems: Array<MemoryOfSystem> = []
  for (const system of ['millrace', 'effect', 'native'] as const) {
    const found: Partial<Record<BlockedCase, Parked>> & { growth?: number } = {}
    for (const what of cases[system]) {
      progress(`memory: ${system}, ${what}`)
      try {
        const answer = await probe(system, what)
        if (what === 'growth') found.growth = answer as number
        else found[what] = answer as Parked
      } catch (e) {
        const text = e instanceof Error ? ((e as Error & { stderr?: string }).stderr ?? e.message) : String(e)
        const reason = /^\w*(?:Error|Exception).*$/m.exec(text)?.[0] ?? text.trim().split('\n')[0] ?? ''
        broken.push(`memory, ${system} ${what}: ${reason}`)
      }
    }
    systems.push({
      system,
      never: found.never,
      gen: found.gen,
      scope: found.scope,
      growth: found.growth
    })
  }
  const of = (name: MemorySystem) => systems.find(({ system }) => system === name)
  const ours = of('millrace')
  const theirs = of('effect')
  const judge = (what: string, value: number | undefined, target: number) =>
    value === undefined ? [] : [{ what, value, target, met: value <= target * 1.05 }]
  return {
    fibers,
    systems,
    targets: [
      ...judge('bytes of a fiber blocked on never', ours?.never?.bytes, 260),
      ...judge('bytes of a fiber blocked inside gen', ours?.gen?.bytes, 520),
      ...judge(
        'spawn and start, by that of effect',
        ours?.never !== undefined && theirs?.never !== undefined
          ? ours.never.spawn / theirs.never.spawn
          : undefined,
        0.7
      )
    ],
    broken
  }
}
