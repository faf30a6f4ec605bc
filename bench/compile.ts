/**
 * Compile time: what the type checker pays for a program of 200 lines in the style of `gen`, with services, typed failures
 * and handlers, over a program that only imports the library.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Summary, summary } from './statistics.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the two libraries say differently; everything else is the same text. */
interface Dialect {
  readonly head: string
  readonly service: (name: string, members: string) => string
  readonly effect: (error: string, value: string) => string
  readonly access: (name: string) => string
  readonly all: (effects: string) => string
  readonly main: (services: ReadonlyArray<string>) => string
}

const dialects: Readonly<Record<'millrace' | 'effect', Dialect>> = {
  millrace: {
    head: `import { pipe } from 'fp-ts/lib/function.js'\nimport { Concurrent, Effect, Runtime } from 'millrace'\n`,
    service: (name, members) =>
      `interface ${name} { ${members} }\ninterface Has${name} { readonly ${name}: ${name} }`,
    effect: (error, value) => `Effect.Effect<unknown, ${error}, ${value}>`,
    access: (name) => `Effect.asks((env: Has${name}) => env.${name})`,
    all: (effects) => `Concurrent.all([${effects}])`,
    main: (services) =>
      `void Runtime.runPromise(pipe(program, Effect.provide({ ${services.map((name) => `${name}: make${name}`).join(', ')} })))`
  },
  effect: {
    head: `import { Context, Effect, pipe } from 'effect'\n`,
    service: (name, members) =>
      `class ${name} extends Context.Service<${name}, { ${members} }>()('${name}') {}`,
    effect: (error, value) => `Effect.Effect<${value}, ${error}>`,
    access: (name) => name,
    all: (effects) => `Effect.all([${effects}], { concurrency: 'unbounded' })`,
    main: (services) =>
      `void Effect.runPromise(pipe(program, ${services.map((name) => `Effect.provideService(${name}, make${name})`).join(', ')}))`
  }
}

const sections = 9

/** A repository, something that reads from it and checks, and something that handles what can go wrong. */
const section = (d: Dialect, k: string): string => `
interface Row${k} { readonly id: number; readonly name: string; readonly tags: ReadonlyArray<string> }
interface Missing${k} { readonly _tag: 'Missing${k}'; readonly id: number }
interface Invalid${k} { readonly _tag: 'Invalid${k}'; readonly reason: string }
${d.service(`Store${k}`, `readonly find: (id: number) => ${d.effect(`Missing${k}`, `Row${k}`)}`)}
const missing${k} = (id: number): Missing${k} => ({ _tag: 'Missing${k}', id })
const makeStore${k} = {
  find: (id: number) => id < 0 ? Effect.fail(missing${k}(id)) : Effect.succeed({ id, name: 'row', tags: ['a'] })
}
const check${k} = (row: Row${k}): ${d.effect(`Invalid${k}`, `Row${k}`)} =>
  row.name === '' ? Effect.fail({ _tag: 'Invalid${k}', reason: 'no name' } as const) : Effect.succeed(row)
const load${k} = (id: number) => Effect.gen(function* () {
  const store = yield* ${d.access(`Store${k}`)}
  const row = yield* store.find(id)
  const checked = yield* check${k}(row)
  const [other, next] = yield* ${d.all(`store.find(id + 1), Effect.succeed(id + 2)`)}
  const size = yield* pipe(Effect.succeed(checked.tags), Effect.map((tags) => tags.length))
  const upper = yield* pipe(store.find(next), Effect.flatMap(check${k}), Effect.map((r) => r.name.toUpperCase()))
  return { size, upper, other: other.id }
})
const safe${k} = (id: number) => pipe(load${k}(id), Effect.catchTag('Missing${k}', ({ id }) => Effect.succeed({ size: 0, upper: '', other: id })))`

const programOf = (d: Dialect): string => {
  const names = Array.from({ length: sections }, (_, i) => String.fromCharCode(65 + i))
  const calls = names.map((k) => `  const ${k.toLowerCase()} = yield* safe${k}(1)`).join('\n')
  const sum = names.map((k) => `${k.toLowerCase()}.size`).join(' + ')
  const services = names.map((k) => `Store${k}`)
  return `${d.head}${names.map((k) => section(d, k)).join('\n')}
const program = Effect.gen(function* () {
${calls}
  return ${sum}
})
${d.main(services)}
`
}

export interface Checked {
  readonly instantiations: number
  readonly types: number
  /** Seconds of the check. */
  readonly check: Summary
  /** Seconds of the whole. */
  readonly total: Summary
}

export interface CompileTime {
  readonly system: 'millrace' | 'effect'
  readonly lines: number
  readonly program: Checked
  /** Only the import. */
  readonly importOnly: Checked
}

const figure = (output: string, name: string): number => {
  const found = new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(output)
  if (found === null) throw new Error(`tsc said nothing about ${name}: ${output.slice(0, 500)}`)
  return Number(found[1])
}

const checked = async (folder: string, source: string, rounds: number): Promise<Checked> => {
  await mkdir(folder)
  await writeFile(join(folder, 'program.ts'), source)
  const options = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: []
  }
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['program.ts'] })
  )
  const check: Array<number> = []
  const total: Array<number> = []
  let output = ''
  for (let i = 0; i < rounds; i++) {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc6')
    ;({ stdout: output } = await run(process.execPath, [compiler, '-p', folder, '--extendedDiagnostics']))
    check.push(figure(output, 'Check time'))
    total.push(figure(output, 'Total time'))
  }
  return {
    instantiations: figure(output, 'Instantiations'),
    types: figure(output, 'Types'),
    check: summary(check),
    total: summary(total)
  }
}

export const measureCompileTime = async (
  rounds: number,
  progress: (text: string) => void
): Promise<ReadonlyArray<CompileTime>> => {
  // Inside of the package, so that it is found by its own name.
  const folder = await mkdtemp(join(root, 'build', 'compile-'))
  try {
    const times: Array<CompileTime> = []
    for (const system of ['millrace', 'effect'] as const) {
      progress(`compile time: ${system}`)
      const dialect = dialects[system]
      const source = programOf(dialect)
      times.push({
        system,
        lines: source.split('\n').length - 1,
        program: await checked(join(folder, system), source, rounds),
        importOnly: await checked(
          join(folder, `${system}-import`),
          `${dialect.head}export const used = Effect.succeed(1)\n`,
          rounds
        )
      })
    }
    return times
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
