/** Start-up: from starting the process to the end of hello world, beside an empty script. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as esbuild from 'esbuild'
import { type BundleSystem, bundles } from './bundles.js'
import { type Summary, summary } from './statistics.js'

const run = promisify(execFile)

/** Scripts stand inside of the package, so that it is found by its own name. */
const root = fileURLToPath(new URL('../..', import.meta.url))

interface Script {
  readonly title: string
  readonly system: BundleSystem | 'empty'
  readonly bundled: boolean
  readonly source: string
}

export interface Startup extends Omit<Script, 'source'> {
  /** Ms of the process, without those of the empty script. */
  readonly overFloor: Summary
  readonly target: number | undefined
  readonly met: boolean | undefined
}

export interface StartupReport {
  /** Ms of a process that runs an empty module. */
  readonly floor: Summary
  readonly scripts: ReadonlyArray<Startup>
}

const scripts: ReadonlyArray<Script> = bundles
  .filter(({ prints }) => prints === 'hello')
  .flatMap(({ title, sources }) =>
    (['millrace', 'effect', 'fp-ts'] as const).flatMap((system) => {
      // Node resolves the files of fp-ts that way; bundlers take the other build of it.
      const source = sources[system]?.replace('fp-ts/es6/', 'fp-ts/lib/')
      if (source === undefined) return []
      return [false, true].map((bundled): Script => ({ title, system, bundled, source }))
    })
  )

/** Ms that the import of the root may take over the floor. */
const target = 20

const write = async (folder: string, { source, bundled }: Script, index: number): Promise<string> => {
  const file = join(folder, `script-${String(index)}.mjs`)
  if (bundled) {
    await esbuild.build({
      stdin: { contents: source, resolveDir: folder, loader: 'js' },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
      outfile: file,
      tsconfigRaw: {},
      logLevel: 'silent'
    })
  } else await writeFile(file, source)
  return file
}

const timed = async (file: string): Promise<number> => {
  const start = performance.now()
  await run(process.execPath, [file])
  return performance.now() - start
}

export const measureStartup = async (
  rounds: number,
  progress: (text: string) => void
): Promise<StartupReport> => {
  const folder = await mkdtemp(join(root, 'build', 'startup-'))
  try {
    const empty: Script = { title: 'empty', system: 'empty', bundled: false, source: '' }
    const files: Array<string> = []
    for (const [index, script] of [empty, ...scripts].entries())
      files.push(await write(folder, script, index))
    const took: ReadonlyArray<Array<number>> = files.map(() => [])
    for (let round = -1; round < rounds; round++) {
      progress(`start-up: round ${String(round + 1)} of ${String(rounds)}`)
      for (const [index, file] of files.entries()) {
        const ms = await timed(file)
        if (round >= 0) took[index]?.push(ms)
      }
    }
    const [floor = [], ...others] = took
    return {
      floor: summary(floor),
      scripts: scripts.map(({ title, system, bundled }, index) => {
        // By the floor of the same round: what slows the machine down for a while slows both.
        const overFloor = summary((others[index] ?? []).map((ms, round) => ms - (floor[round] ?? NaN)))
        const judged = system === 'millrace' && !bundled
        return {
          title,
          system,
          bundled,
          overFloor,
          target: judged ? target : undefined,
          met: judged ? overFloor.median <= target * 1.05 : undefined
        }
      })
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
