/**
 * `npm run bench -- [NAME …] [--json] [--rounds N] [--quick] [--systems A,B] [--alone]`
 *
 * Measures Millrace beside effect, plain async/await and fp-ts on the same work, in one process and interleaved.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type CompileTime, measureCompileTime } from './compile.js'
import { type Broken, type Effort, measure, type Measured, warm } from './measure.js'
import { measureMemory, type MemoryReport } from './memory.js'
import {
  compileTable,
  heading,
  memoryTable,
  rowLine,
  rowsSummary,
  sizeTable,
  startupTable
} from './report.js'
import { type Row, type SystemName, systemNames } from './row.js'
import { measureSizes, type Size } from './size.js'
import { measureStartup, type StartupReport } from './startup.js'
import { measureTcp, type TcpReport, tcpTable } from './tcp.js'

const usage = `npm run bench -- [NAME …] [options]

NAME          the id of a row (4N), the start of ids (11), a part of a title or the name of a file (bracket); several may
              be given, without any all rows run. memory, size, startup and compile measure what these say, and tcp echo
              servers over loopback, in processes of their own; "all" is all rows and all of these.
--json        print the figures as JSON
--rounds N    rounds that are counted (9)
--quick       3 rounds of short samples: to see whether it runs, not how fast
--systems A,B only these of ${systemNames.join(', ')}
--alone       warm up only the rows that are measured (for a profile; the figures come out too good)
--list        list the rows`

const operations = [
  'flatMap',
  'smallProgram',
  'map',
  'recursion',
  'generator',
  'failure',
  'spawn',
  'cancel',
  'race',
  'timeout',
  'promise',
  'callback',
  'yieldNow',
  'channel',
  'semaphore',
  'service',
  'bracket',
  'layers'
]

/** Measured by themselves, and only when they are asked for. */
const apart = ['memory', 'size', 'startup', 'compile', 'tcp']

interface Loaded {
  readonly operation: string
  readonly row: Row
}

const load = async (): Promise<{
  readonly loaded: ReadonlyArray<Loaded>
  readonly notes: ReadonlyArray<string>
}> => {
  const loaded: Array<Loaded> = []
  const notes: Array<string> = []
  for (const operation of operations) {
    try {
      const { rows } = (await import(`./${operation}.js`)) as { readonly rows: ReadonlyArray<Row> }
      for (const row of rows) loaded.push({ operation, row })
    } catch (e) {
      notes.push(`${operation} could not be loaded: ${e instanceof Error ? e.message : String(e)}`)
    }
  }
  return { loaded, notes }
}

/** An id names its row alone; anything else names what begins or contains it. */
const select = (loaded: ReadonlyArray<Loaded>, name: string): ReadonlyArray<Loaded> => {
  const exact = loaded.filter(({ row }) => row.id === name)
  if (exact.length > 0) return exact
  const wanted = name.toLowerCase()
  return loaded.filter(
    ({ operation, row }) =>
      row.id.startsWith(name) ||
      operation.toLowerCase() === wanted ||
      row.title.toLowerCase().includes(wanted)
  )
}

const progress = (text: string): void => {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`)
}

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        systems: { type: 'string' },
        alone: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false }
      }
    })
  } catch (e) {
    return fail(`${e instanceof Error ? e.message : String(e)}\n\n${usage}`)
  }
}

const main = async (): Promise<void> => {
  const { values, positionals } = readArguments()
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return
  }

  const rounds = Number(values.rounds ?? (values.quick ? 3 : 9))
  if (!Number.isInteger(rounds) || rounds < 1)
    fail(`--rounds needs a number from 1 on, not ${String(values.rounds)}`)
  const effort: Effort = { rounds, minimum: values.quick ? 4 : 15 }

  const asked = values.systems?.split(',') ?? systemNames
  const systems = new Set(systemNames.filter((name) => asked.includes(name)))
  const unknown = asked.filter((name) => !systems.has(name as SystemName))
  if (unknown.length > 0) fail(`no such system: ${unknown.join(', ')}; there are ${systemNames.join(', ')}`)

  const { loaded, notes } = await load()
  if (values.list) {
    for (const { operation, row } of loaded) {
      process.stdout.write(`${row.id.padEnd(4)} ${row.title.padEnd(36)} ${operation}\n`)
    }
    return
  }
  const everything = positionals.includes('all')
  const asks = (name: string): boolean => everything || positionals.includes(name)
  const names = positionals.filter((name) => name !== 'all' && !apart.includes(name))
  const chosen = new Set<Loaded>(positionals.length === 0 || everything ? loaded : [])
  for (const name of names) {
    const found = select(loaded, name)
    if (found.length === 0) fail(`nothing is called ${name}; --list shows the rows`)
    for (const one of found) chosen.add(one)
  }
  const rows = loaded.filter((one) => chosen.has(one)).map(({ row }) => row)

  const broken: Array<Broken> = []
  const measured: Array<Measured> = []
  let memory: MemoryReport | undefined
  let sizes: ReadonlyArray<Size> | undefined
  let startup: StartupReport | undefined
  let compile: ReadonlyArray<CompileTime> | undefined
  let tcp: TcpReport | undefined
  const print = (text: string): void => {
    progress('')
    if (!values.json) process.stdout.write(`${text}\n`)
  }

  if (rows.length > 0) {
    const all = loaded.map(({ row }) => row)
    const warmed = await warm(values.alone ? rows : all, systems, progress)
    broken.push(...warmed.broken)
    print(heading())
    for (const contest of warmed.contests) {
      if (!rows.includes(contest.row) || contest.subjects.length === 0) continue
      const result = await measure(contest, effort, progress)
      measured.push(result)
      print(rowLine(result))
    }
    print(rowsSummary(measured))
  }
  if (asks('memory')) {
    memory = await measureMemory(progress)
    print(memoryTable(memory))
  }
  if (asks('size')) {
    sizes = await measureSizes(progress)
    print(sizeTable(sizes))
  }
  if (asks('startup')) {
    startup = await measureStartup(rounds, progress)
    print(startupTable(startup))
  }
  if (asks('compile')) {
    compile = await measureCompileTime(values.quick ? 1 : 3, progress)
    print(compileTable(compile))
  }
  if (asks('tcp')) {
    tcp = await measureTcp(progress, { rounds, ms: values.quick ? 300 : 1000 })
    print(tcpTable(tcp))
  }

  const faults = [
    ...notes,
    ...broken.map(({ row, system, reason }) => `${row} ${system} was left out: ${reason}`),
    ...(memory?.broken ?? []),
    ...(tcp?.broken ?? [])
  ]
  if (values.json) {
    progress('')
    const machine = {
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length
    }
    const figures = measured.map(({ row, ...result }) => ({
      id: row.id,
      title: row.title,
      operations: row.operations,
      target: row.target,
      native: row.native,
      ...result
    }))
    process.stdout.write(
      `${JSON.stringify({ machine, effort, rows: figures, memory, sizes, startup, compile, tcp, faults }, null, 2)}\n`
    )
  } else {
    for (const fault of faults) process.stdout.write(`NOTE ${fault}\n`)
  }
  if (faults.length > 0) process.exitCode = 1
}

// Whoever reads the table may have seen enough.
process.stdout.on('error', () => process.exit())
await main()
