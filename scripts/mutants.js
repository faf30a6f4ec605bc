// Plants bugs, one at a time, and shows which laws notice.
//
//   npm run mutants                      all of them, and the table of laws and mutants
//   npm run mutants -- edge-delivery     those whose names contain one of the words
//
// --runs N    inputs of a law (40)
// --laws RE   only the laws whose names match
// --jobs N    processes (2)
// --short     no table: of each mutant, run the laws that have not killed any yet, and of the others as many as it takes
// --fresh     do not take over results of an earlier run on the same sources
// --list      the names of the mutants, and what each does
//
// A mutant is an edit of the source (`test/mutants`). It is applied to a copy of the compiled package, in which the laws then
// run; they import the package by its name, and get that copy. Results are kept, so a run that was cut short goes on.
// The exit code is 1 if a mutant survives, or, when all mutants and laws have run, if some law has killed none.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { clearTimeout, setTimeout } from 'node:timers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { edited, mutants } from '../build/test/mutants/mutants.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'build/mutants')

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '40' },
    laws: { type: 'string', default: '' },
    jobs: { type: 'string', default: '2' },
    fresh: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false }
  }
})

/** A law that takes longer does not end: the bug has made it wait for ever. */
const patience = 20_000

/** As many inputs as `npm test` has. */
const testRuns = 250

/** @typedef {{ name: string, does: string, edits: ReadonlyArray<{ file: string }> }} Mutant */
/** @typedef {{ verdict: string, report?: string, tags: ReadonlyArray<string> }} Result */

/** @param {string} file */
const read = (file) => readFileSync(join(root, file), 'utf8')

/** @param {string} file */
const compiled = (file) => join('dist', file.replace(/^src\//, '').replace(/\.ts$/, '.js'))

const compilerOptions = ts.parseConfigFileTextToJson('tsconfig.base.json', read('tsconfig.base.json')).config
  .compilerOptions
// A single file does not know that its package is one of modules.
const target = ts.convertCompilerOptionsFromJson(
  { ...compilerOptions, module: 'esnext', moduleResolution: 'bundler' },
  root
).options

/** @param {Mutant | null} mutant */
const copyOf = (mutant) => {
  const copy = join(folder, 'copies', mutant?.name ?? 'unchanged')
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy, { recursive: true })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  cpSync(join(root, 'scripts/mutantLaws.js'), join(copy, 'mutantLaws.js'))
  cpSync(join(root, 'dist'), join(copy, 'dist'), {
    recursive: true,
    filter: (path) => !/\.(map|d\.ts|tsbuildinfo)$/.test(path)
  })
  const files = new Set(mutant?.edits.map(({ file }) => file))
  for (const file of files) {
    const source = edited(mutant, file, read(file))
    const { outputText, diagnostics } = ts.transpileModule(source, {
      compilerOptions: target,
      fileName: file,
      reportDiagnostics: true
    })
    if (diagnostics?.length) throw new Error(`it is no TypeScript: ${diagnostics[0].messageText}`)
    writeFileSync(join(copy, compiled(file)), outputText)
  }
  return copy
}

const sources = createHash('sha256')
for (const of of ['src', 'laws']) {
  for (const file of readdirSync(join(root, of), { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.ts')) sources.update(read(join(of, file)))
  }
}
sources.update(options.laws)
const version = sources.digest('hex')

/** @param {Mutant | null} mutant @param {string} runs */
const keptFile = (mutant, runs) => join(folder, 'results', `${mutant?.name ?? 'unchanged'}.${runs}.json`)

/** @param {Mutant | null} mutant @param {string} runs */
const stamp = (mutant, runs) =>
  createHash('sha256')
    .update(`${version} ${runs} ${options.short && mutant !== null} ${JSON.stringify(mutant)}`)
    .digest('hex')

/** @param {Mutant | null} mutant @param {string} runs @returns {Map<string, Result> | null} */
const kept = (mutant, runs) => {
  const file = keptFile(mutant, runs)
  if (options.fresh || !existsSync(file)) return null
  const { of, results } = JSON.parse(readFileSync(file, 'utf8'))
  return of === stamp(mutant, runs) ? new Map(results) : null
}

/**
 * Runs the laws from the one with that number on; a law that does not end, or ends the process, is the last.
 *
 * @param {string} copy @param {number} first @param {Map<string, Result>} results @param {string} runs
 * @param {ReadonlyArray<string>} extra
 * @returns {Promise<number | null>} where to go on, or null
 */
const runFrom = (copy, first, results, runs, extra) =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--max-old-space-size=1024', 'mutantLaws.js', String(first), runs, options.laws, ...extra],
      { cwd: copy, stdio: ['ignore', 'pipe', 'ignore'] }
    )
    let at = first
    let law = ''
    /** @type {ReadonlyArray<string>} */
    let tags = []
    let done = false
    let why = 'the process ended'
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    const giveUp = () => {
      why = 'does not end'
      child.kill('SIGKILL')
    }
    timer = setTimeout(giveUp, patience)
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (text) => {
      const line = JSON.parse(text)
      clearTimeout(timer)
      timer = setTimeout(giveUp, patience)
      if (line.done) done = true
      else if (line.verdict === undefined) ({ at, law, tags } = line)
      else {
        results.set(law, { verdict: line.verdict, report: line.report, tags })
        law = ''
      }
    })
    lines.on('close', () => {
      clearTimeout(timer)
      if (done) resolve(null)
      else if (law !== '') {
        results.set(law, { verdict: 'Falsified', report: why, tags })
        resolve(at + 1)
      } else {
        reject(new Error('the laws cannot be loaded'))
      }
    })
  })

/** @param {Map<string, Result>} results */
const noticed = (results) => [...results.values()].some(({ verdict }) => verdict === 'Falsified')

/** @param {Mutant | null} mutant @param {string} runs */
const resultsOf = async (mutant, runs = options.runs) => {
  const known = kept(mutant, runs)
  if (known !== null) return known
  const copy = copyOf(mutant)
  /** @type {ReadonlyArray<string>} */
  let ahead = []
  if (options.short && mutant !== null) {
    ahead = [join(copy, 'ahead.json')]
    writeFileSync(ahead[0], JSON.stringify(sound.filter((law) => !busy.has(law))))
  }
  /** @type {Map<string, Result>} */
  const results = new Map()
  for (let first = /** @type {number | null} */ (0); first !== null;) {
    first = await runFrom(
      copy,
      first,
      results,
      runs,
      ahead.length > 0 && noticed(results) ? [...ahead, 'noticed'] : ahead
    )
  }
  mkdirSync(join(folder, 'results'), { recursive: true })
  writeFileSync(keptFile(mutant, runs), JSON.stringify({ of: stamp(mutant, runs), results: [...results] }))
  rmSync(copy, { recursive: true, force: true })
  return results
}

const chosen = mutants.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
if (options.list) {
  for (const { name, does } of chosen) console.log(`${name.padEnd(28)} ${does}`)
  process.exit(0)
}
if (chosen.length === 0) {
  console.error(`No mutant has a name with ${words.join(' or ')} in it; --list shows them.`)
  process.exit(2)
}

/** The laws that have killed a mutant. */
const busy = new Set()
/** @type {ReadonlyArray<string>} */
let sound = []
const unchanged = await resultsOf(null)
sound = [...unchanged].filter(([, { verdict }]) => verdict === 'Proved').map(([law]) => law)
const unsound = [...unchanged].filter(([, { verdict }]) => verdict !== 'Proved')
for (const [law, { verdict, report }] of unsound) {
  console.log(`Without any mutant: ${verdict}: ${law}\n${report ?? ''}`)
}

/** @type {Map<string, ReadonlyArray<string>>} */
const killers = new Map()
/** @type {Map<string, string>} */
const reports = new Map()
/** @type {Array<string>} */
const broken = []
const queue = [...chosen]
const work = async () => {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    /** @type {Map<string, Result>} */
    let results
    try {
      results = await resultsOf(mutant)
      // What few inputs do not show, those of the tests may.
      if (!noticed(results) && Number(options.runs) < testRuns)
        results = await resultsOf(mutant, String(testRuns))
    } catch (thrown) {
      broken.push(`${mutant.name}: ${thrown.message}`)
      continue
    }
    const killed = (/** @type {string} */ law) => results.get(law)?.verdict === 'Falsified'
    const of = sound.filter(killed)
    killers.set(mutant.name, of)
    for (const law of of) busy.add(law)
    const best = of.map((law) => results.get(law)?.report ?? '').sort((a, b) => a.length - b.length)
    reports.set(mutant.name, best.find((text) => text.includes('\n')) ?? best[0] ?? '')
    const first = of.slice(0, 3).join(' · ')
    console.log(
      `${of.length === 0 ? 'SURVIVES' : `${of.length} laws`.padEnd(8)} ${mutant.name.padEnd(28)} ${first}`
    )
  }
}
await Promise.all(Array.from({ length: Math.max(1, Number(options.jobs)) }, work))

const columns = chosen.map(({ name }) => new Set(killers.get(name)))
if (!options.short) {
  console.log(`\nlaw × mutant (${chosen.length} columns, in this order:`)
  chosen.forEach(({ name, does }, index) =>
    console.log(`  ${String(index + 1).padStart(3)} ${name}: ${does}`)
  )
  console.log(')\n')
  for (const law of sound) {
    console.log(`${columns.map((of) => (of.has(law) ? '#' : '.')).join('')} ${law}`)
  }
}
if (chosen.length === 1) console.log(`\n${reports.get(chosen[0].name)}`)

const survivors = chosen.filter(({ name }) => killers.get(name)?.length === 0)
const idle = sound.filter((law) => !columns.some((of) => of.has(law)))
const whole = words.length === 0 && options.laws === ''
console.log(
  `\n${chosen.length - survivors.length} of ${chosen.length} mutants are killed, by ${sound.length - idle.length} of ${sound.length} laws.`
)
for (const text of broken) console.log(`broken: ${text}`)
for (const { name, does } of survivors) console.log(`survives: ${name}: ${does}`)
if (whole) for (const law of idle) console.log(`kills none: ${law}`)
process.exit(
  broken.length > 0 || survivors.length > 0 || unsound.length > 0 || (whole && idle.length > 0) ? 1 : 0
)
