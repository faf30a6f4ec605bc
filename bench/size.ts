/**
 * What programs weigh in a browser: minified and gzipped, bundled by esbuild and by Rollup. Each bundle is run, so that one
 * that lost something does not count as small.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import * as esbuild from 'esbuild'
import { rollup } from 'rollup'
import { type Bundle, bundles, type BundleSystem } from './bundles.js'

/** Where packages are resolved from: this one is found by its own name. */
const root = fileURLToPath(new URL('../..', import.meta.url))

const byEsbuild = async (source: string): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: source, resolveDir: root, loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    // What users get is measured, not the sources that the paths of our own configuration lead to.
    tsconfigRaw: {},
    logLevel: 'silent'
  })
  return outputFiles[0]?.text ?? ''
}

const entry = join(root, 'entry.js')

/** Rollup leaves more out; the minifier is the same. */
const byRollup = async (source: string): Promise<string> => {
  const bundle = await rollup({
    input: entry,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? source : null)
      },
      nodeResolve({ browser: true, rootDir: root })
    ]
  })
  const { output } = await bundle.generate({ format: 'es', inlineDynamicImports: true })
  await bundle.close()
  const { code } = await esbuild.transform(output[0].code, { minify: true, format: 'esm', target: 'es2022' })
  return code
}

const bundlers = { esbuild: byEsbuild, rollup: byRollup }
export type Bundler = keyof typeof bundlers

export interface Size {
  readonly title: string
  readonly system: BundleSystem
  readonly bundler: Bundler
  readonly minified: number
  readonly gzipped: number
  readonly target: number | undefined
  readonly met: boolean | undefined
}

const run = promisify(execFile)

const check = async (folder: string, code: string, prints: string): Promise<void> => {
  const file = join(folder, 'bundle.mjs')
  await writeFile(file, code)
  const { stdout } = await run(process.execPath, [file])
  if (stdout.trim() !== prints) throw new Error(`printed ${JSON.stringify(stdout)} instead of ${prints}`)
}

const sizesOf = async (folder: string, { title, target, prints, sources }: Bundle) => {
  const sizes: Array<Size> = []
  for (const [system, source] of Object.entries(sources) as ReadonlyArray<[BundleSystem, string]>) {
    for (const [bundler, bundle] of Object.entries(bundlers) as ReadonlyArray<[Bundler, typeof byEsbuild]>) {
      const code = await bundle(source)
      await check(folder, code, prints)
      const gzipped = gzipSync(code, { level: 9 }).length
      const judged = system === 'millrace' && target !== undefined && bundler === 'esbuild'
      sizes.push({
        title,
        system,
        bundler,
        minified: Buffer.byteLength(code),
        gzipped,
        target: judged ? target : undefined,
        met: judged ? gzipped <= target * 1.05 : undefined
      })
    }
  }
  return sizes
}

export const measureSizes = async (progress: (text: string) => void): Promise<ReadonlyArray<Size>> => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-size-'))
  try {
    const sizes: Array<Size> = []
    for (const bundle of bundles) {
      progress(`size: ${bundle.title}`)
      sizes.push(...(await sizesOf(folder, bundle)))
    }
    return sizes
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
