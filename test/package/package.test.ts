// What users install: the packed tarball, in a plain ESM and in a plain CommonJS consumer.
import { expect } from 'chai'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { root, runProgram } from '../support/program.js'

const exec = promisify(execFile)

const bin = (path: string) => join(root, 'node_modules', path)

/** npm as a program of its own: no network, no scripts, and nothing of the npm that runs this test. */
const npm = (cwd: string, ...args: ReadonlyArray<string>) => {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$/i.test(name))
  )
  return exec(
    'npm',
    [...args, '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd, env }
  )
}

const program = `
const program = pipe(
  Effect.succeed(41),
  Effect.map((n) => n + 1)
)
Promise.all([Runtime.runPromise(program), Runtime.runPromise(Effect.succeed(Id.name))]).then(console.log)
`

/** A runner of one's own. A law of `Effect` fails if the laws run on another copy of the library than the one that is broken here. */
const laws = `
const tests = []
const it = Object.assign((name, body) => tests.push([name, body]), { skip: () => {} })
checkAll(functor, { ...deep, runs: 20 }, { describe: (_name, body) => body(), it })
for (const [name, body] of tests) body.call({}), console.log(name)
const { map } = Effect.Functor
Effect.Functor.map = (fx, f) => Effect.andThen(map(fx, f))(Effect.sleep(1))
console.log(flatten(typeClasses).find(({ name }) => name.startsWith('F1')).check({ ...deep, runs: 20 })._tag)
`

const programs = {
  esm: {
    'main.mjs': `
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Runtime } from 'millrace'
import * as Same from 'millrace/effect/Effect'
import { Main } from 'millrace/node'
import { it } from 'millrace/mocha'
import { TestRuntime } from 'millrace/testing'
const ours = [typeof Main.run, typeof TestRuntime.runExit, typeof it.effect]
const Id = { name: [Same.succeed === Effect.succeed, ...ours].join() }
${program}`,
    'laws.mjs': `
import { Effect } from 'millrace'
import { checkAll, deep, flatten, typeClasses } from 'millrace/laws'
import { functor } from 'millrace/laws/TypeClasses'
${laws}`,
    'internal.mjs': `
import('millrace/effect/internal/fiber').then(() => console.log('imported'), (e) => console.log(e.code))`
  },
  cjs: {
    'main.cjs': `
const { pipe } = require('fp-ts/lib/function')
const { Effect, Runtime } = require('millrace')
const Same = require('millrace/effect/Effect')
const { Main } = require('millrace/node')
const { it } = require('millrace/mocha')
const { TestRuntime } = require('millrace/testing')
const ours = [typeof Main.run, typeof TestRuntime.runExit, typeof it.effect]
const Id = { name: [Same.succeed === Effect.succeed, ...ours].join() }
${program}`,
    'laws.cjs': `
const { Effect } = require('millrace')
const { checkAll, deep, flatten, typeClasses } = require('millrace/laws')
const { functor } = require('millrace/laws/TypeClasses')
${laws}`,
    'internal.cjs': `
try { require('millrace/effect/internal/fiber'); console.log('required') } catch (e) { console.log(e.code) }`
  }
}

/** A consumer in TypeScript, without the types of Node: the portable modules must not need them. */
const typed = {
  'main.ts': `
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Runtime } from 'millrace'
import * as Same from 'millrace/effect/Effect'
import { it } from 'millrace/mocha'
import { Main } from 'millrace/node'
export const test: typeof it.effect = it.effect
const program: Effect.Effect<unknown, never, number> = pipe(Same.succeed(41), Effect.map((n) => n + 1))
export const result: Promise<number> = Runtime.runPromise(program)
export const run: typeof Main.run = Main.run
`,
  'laws.ts': `
import { assertLaws, type LawSet, typeClasses } from 'millrace/laws'
const mine: LawSet = typeClasses
assertLaws(mine)
`,
  'internal.ts': `
// @ts-expect-error: internal modules have no path
export type * from 'millrace/effect/internal/fiber'
`
}

const compilerOptions = {
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable'],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true
}

const lawsHold = {
  code: 0,
  stdout: [
    'F1 map(e, identity) = e',
    'F2 map(map(e, f), g) = map(e, g ∘ f), also where one throws',
    'Falsified',
    ''
  ].join('\n')
}

describe('package', function () {
  this.timeout(120_000)

  let folder: string
  let tarball: string
  let files: ReadonlyArray<string>

  /** A new project with the tarball and copies of the peers installed. */
  const consumer = async (
    name: string,
    sources: Readonly<Record<string, string>>,
    { type = 'commonjs', withLaws = true }: { readonly type?: string; readonly withLaws?: boolean } = {}
  ) => {
    const path = join(folder, name)
    await mkdir(path)
    const dependencies = {
      millrace: `file:${tarball}`,
      'fp-ts': `file:${bin('fp-ts')}`,
      'io-ts': `file:${bin('io-ts')}`,
      ...(withLaws
        ? { 'fast-check': `file:${bin('fast-check')}`, 'pure-rand': `file:${bin('pure-rand')}` }
        : {})
    }
    await writeFile(
      join(path, 'package.json'),
      JSON.stringify({ name, version: '1.0.0', private: true, type, dependencies })
    )
    for (const [file, text] of Object.entries(sources)) await writeFile(join(path, file), text)
    await npm(path, 'install', '--install-links', '--no-package-lock')
    return path
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-package-'))
    const { stdout } = await npm(root, 'pack', '--json', '--pack-destination', folder)
    const [packed] = JSON.parse(stdout) as [
      { readonly filename: string; readonly files: ReadonlyArray<{ readonly path: string }> }
    ]
    tarball = join(folder, packed.filename)
    files = packed.files.map(({ path }) => path)
  })

  after(() => rm(folder, { recursive: true, force: true }))

  it('holds the compiled library, its sources, README and LICENSE, and nothing else', () => {
    expect(files).to.include.members([
      'package.json',
      'README.md',
      'LICENSE',
      'dist/index.js',
      'dist/index.d.ts',
      'src/index.ts',
      'dist/laws/index.js',
      'dist/laws/index.d.ts',
      'laws/index.ts'
    ])
    expect(files.filter((path) => !/^(dist|src|laws)\//.test(path)).sort()).to.deep.equal([
      'LICENSE',
      'README.md',
      'package.json'
    ])
    expect(files.filter((path) => !/\.(ts|js|d\.ts\.map|js\.map)$/.test(path)).sort()).to.deep.equal([
      'LICENSE',
      'README.md',
      'package.json'
    ])
  })

  it('runs in a plain ESM consumer', async () => {
    const path = await consumer('esm', programs.esm)
    expect(await runProgram(join(path, 'main.mjs'), [], { cwd: path })).to.deep.include({
      code: 0,
      stdout: "[ 42, 'true,function,function,function' ]\n",
      stderr: ''
    })
    expect((await runProgram(join(path, 'internal.mjs'), [], { cwd: path })).stdout).to.equal(
      'ERR_PACKAGE_PATH_NOT_EXPORTED\n'
    )
    expect(await runProgram(join(path, 'laws.mjs'), [], { cwd: path })).to.deep.include(lawsHold)
  })

  it('runs in a plain CommonJS consumer', async () => {
    const path = await consumer('cjs', programs.cjs)
    // Node 20 says once that require(esm) is experimental; the program's own output is what counts.
    expect(await runProgram(join(path, 'main.cjs'), [], { cwd: path })).to.deep.include({
      code: 0,
      stdout: "[ 42, 'true,function,function,function' ]\n"
    })
    expect((await runProgram(join(path, 'internal.cjs'), [], { cwd: path })).stdout).to.equal(
      'ERR_PACKAGE_PATH_NOT_EXPORTED\n'
    )
    expect(await runProgram(join(path, 'laws.cjs'), [], { cwd: path })).to.deep.include(lawsHold)
  })

  it('does not need fast-check, except for the laws', async () => {
    const path = await consumer('bare', programs.esm, { withLaws: false })
    expect((await runProgram(join(path, 'main.mjs'), [], { cwd: path })).code).to.equal(0)
    const { code, stderr } = await runProgram(join(path, 'laws.mjs'), [], { cwd: path })
    expect(code).to.equal(1)
    expect(stderr).to.contain("Cannot find package 'fast-check'")
  })

  it('type-checks in a consumer, under nodenext and under bundler, with TypeScript 7 and 6', async () => {
    const path = await consumer('typed', typed, { type: 'module' })
    const modules = {
      nodenext: { module: 'nodenext' },
      bundler: { module: 'esnext', moduleResolution: 'bundler' }
    }
    for (const [name, options] of Object.entries(modules)) {
      const config = { compilerOptions: { ...compilerOptions, ...options }, include: ['*.ts'] }
      await writeFile(join(path, `tsconfig.${name}.json`), JSON.stringify(config))
    }
    const [seven, six] = [bin('@typescript/native/bin/tsc'), bin('typescript/bin/tsc6')]
    for (const [compiler, name] of [
      [seven, 'nodenext'],
      [seven, 'bundler'],
      [six, 'nodenext']
    ] as const) {
      const checked = await runProgram(compiler, ['-p', `tsconfig.${name}.json`], {
        cwd: path,
        timeout: 60_000
      })
      expect(checked, `${basename(compiler)}, ${name}`).to.deep.include({ code: 0, stdout: '' })
    }
  })

  it('publint finds nothing', async () => {
    const data = await readFile(tarball)
    const pack = { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) }
    const { messages, pkg } = await publint({ strict: true, pack })
    const found = messages.filter(({ code, path }) => {
      // The map already names folders that are still to come.
      const folder = /^\.\/(.*)\/\*$/.exec(path[1] ?? '')?.[1]
      return !(
        code === 'EXPORTS_GLOB_NO_MATCHED_FILES' &&
        folder !== undefined &&
        !existsSync(join(root, 'src', folder))
      )
    })
    expect(found.map((message) => formatMessage(message, pkg))).to.deep.equal([])
  })

  it('attw finds nothing', async () => {
    const args = [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji', '--format', 'ascii']
    // The laws import the library by its name, which node10, not supported, cannot resolve; attw counts that whatever the
    // profile. Under nodenext and bundler the typed consumer above sees it, with skipLibCheck off.
    args.push('--ignore-rules', 'internal-resolution-error')
    const checked = await runProgram(bin('@arethetypeswrong/cli/dist/index.js'), args, {
      terminal: true,
      timeout: 60_000
    })
    expect(checked.code, checked.stdout).to.equal(0)
  })
})
