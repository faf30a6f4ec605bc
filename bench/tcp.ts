/**
 * TCP over loopback: echo servers, each in a process of its own, and one client of `node:net` for all of them. The systems
 * take turns within a round, and the ratios compare figures of the same round; higher is better here.
 *
 * `npm run bench -- tcp`, or `node build/bench/tcp.js [--rounds N] [--ms N] [--systems A,B]`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { summary } from './statistics.js'
import type { TcpSystem } from './tcpServer.js'

const systemNames: ReadonlyArray<TcpSystem> = ['millrace', 'effect', 'callbacks', 'for await']

interface Server {
  readonly system: TcpSystem
  readonly port: number
  readonly process: ChildProcess
}

const startServer = async (system: TcpSystem): Promise<Server> => {
  const file = fileURLToPath(new URL('./tcpServer.js', import.meta.url))
  const child = spawn(process.execPath, [file, system], { stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const ready = new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += String(chunk)
      if (output.endsWith('\n')) resolve(Number(output))
    })
    child.on('exit', () => reject(new Error(/Error.*/.exec(errors)?.[0] ?? errors)))
  })
  return { system, port: await ready, process: child }
}

const open = async (port: number, count: number): Promise<ReadonlyArray<Socket>> => {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', noDelay: true }))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

const close = async (sockets: ReadonlyArray<Socket>): Promise<void> => {
  const closed = sockets.map((socket) => once(socket, 'close'))
  for (const socket of sockets) socket.destroy()
  await Promise.all(closed)
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** 64 bytes there and back, over and over: messages a second. */
const pingPong =
  (connections: number) =>
  async (port: number, ms: number): Promise<number> => {
    const sockets = await open(port, connections)
    const message = Buffer.alloc(64, 'x')
    let count = 0
    for (const socket of sockets) {
      let received = 0
      socket.on('data', (chunk) => {
        received += chunk.length
        if (received < message.length) return
        received = 0
        count++
        socket.write(message)
      })
      socket.write(message)
    }
    // The server has to find its feet too.
    await wait(ms / 4)
    const before = count
    const start = performance.now()
    await wait(ms)
    const rate = ((count - before) * 1000) / (performance.now() - start)
    await close(sockets)
    return rate
  }

/** 64 KiB chunks as fast as the server takes them: MB a second that came back. */
const bulk = async (port: number, ms: number): Promise<number> => {
  const sockets = await open(port, 1)
  const socket = sockets[0] as Socket
  const chunk = Buffer.alloc(65_536, 'x')
  let received = 0
  let running = true
  socket.on('data', (data) => {
    received += data.length
  })
  const feed = (): void => {
    while (running && socket.write(chunk));
  }
  socket.on('drain', feed)
  feed()
  await wait(ms / 4)
  const before = received
  const start = performance.now()
  await wait(ms)
  const rate = (received - before) / 1000 / (performance.now() - start)
  running = false
  await close(sockets)
  return rate
}

interface Workload {
  readonly title: string
  readonly unit: string
  readonly run: (port: number, ms: number) => Promise<number>
  /** At least so many times the figure of that system. */
  readonly targets: Readonly<Partial<Record<TcpSystem, number>>>
}

const workloads: ReadonlyArray<Workload> = [
  {
    title: '64 B ping-pong, 1 connection',
    unit: 'msg/s',
    run: pingPong(1),
    targets: { effect: 0.95, callbacks: 0.8 }
  },
  {
    title: '64 B ping-pong, 64 connections',
    unit: 'msg/s',
    run: pingPong(64),
    targets: { effect: 1.2, callbacks: 0.8 }
  },
  { title: 'bulk, 64 KiB chunks', unit: 'MB/s', run: bulk, targets: { effect: 1.15, callbacks: 0.8 } }
]

export interface TcpFigure {
  readonly title: string
  readonly unit: string
  readonly systems: Readonly<Partial<Record<TcpSystem, number>>>
  /** Ours by theirs, in the median of the rounds. */
  readonly ratios: Readonly<Partial<Record<TcpSystem, number>>>
  readonly targets: Workload['targets']
  readonly met: boolean
}

export interface TcpReport {
  readonly figures: ReadonlyArray<TcpFigure>
  /** What is not installed. */
  readonly absent: ReadonlyArray<TcpSystem>
  readonly broken: ReadonlyArray<string>
}

export const measureTcp = async (
  progress: (text: string) => void,
  {
    rounds = 7,
    ms = 1000,
    systems = systemNames
  }: { rounds?: number; ms?: number; systems?: ReadonlyArray<TcpSystem> } = {}
): Promise<TcpReport> => {
  const broken: Array<string> = []
  const absent: Array<TcpSystem> = []
  const servers: Array<Server> = []
  for (const system of systems) {
    try {
      servers.push(await startServer(system))
    } catch (e) {
      const message = e instanceof Error ? e.message : String(e)
      if (system === 'effect' && message.includes('ERR_MODULE_NOT_FOUND')) absent.push(system)
      else broken.push(`tcp ${system} was left out: ${message}`)
    }
  }
  const figures: Array<TcpFigure> = []
  for (const { title, unit, run, targets } of workloads) {
    const rates: Partial<Record<TcpSystem, Array<number>>> = {}
    for (let round = -1; round < rounds; round++) {
      for (const { system, port } of servers) {
        progress(`${title}: ${system}, round ${String(round + 1)}`)
        const rate = await run(port, ms)
        // The first round only warms up.
        if (round >= 0) (rates[system] ??= []).push(rate)
      }
    }
    const ours = rates.millrace ?? []
    const figure: Partial<Record<TcpSystem, number>> = {}
    const ratios: Partial<Record<TcpSystem, number>> = {}
    for (const { system } of servers) {
      const theirs = rates[system] ?? []
      figure[system] = summary(theirs).median
      if (ours.length > 0 && system !== 'millrace') {
        ratios[system] = summary(ours.map((rate, i) => rate / (theirs[i] ?? NaN))).median
      }
    }
    // Within 5 % of the target counts as met: the figures of one connection are the kernel's.
    const met = systemNames.every((system) => (ratios[system] ?? Infinity) >= (targets[system] ?? 0) * 0.95)
    figures.push({ title, unit, systems: figure, ratios, targets, met })
  }
  for (const server of servers) server.process.stdin?.end()
  return { figures, absent, broken }
}

export const tcpTable = ({ figures, absent }: TcpReport): string => {
  const line = (title: string, cells: ReadonlyArray<string>): string =>
    title.padEnd(34) + cells.map((cell) => cell.padStart(22)).join('')
  const number = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(0))
  return [
    'TCP echo over loopback, a process for each server; in brackets: Millrace by that system, and the target.',
    line('', systemNames),
    ...figures.map(({ title, unit, systems, ratios, targets, met }) =>
      line(`${title}, ${unit}`, [
        ...systemNames.map((system) => {
          const ratio = ratios[system]
          const target = targets[system]
          const compared =
            ratio === undefined
              ? ''
              : ` (${ratio.toFixed(2)}${target === undefined ? '' : ` >= ${target.toFixed(2)}`})`
          return number(systems[system]) + compared
        }),
        ...(met ? [] : ['MISSED'])
      ])
    ),
    ...(absent.includes('effect')
      ? ['For effect install @effect/platform-node-shared, which has its socket server.']
      : [])
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string' }, ms: { type: 'string' }, systems: { type: 'string' } }
  })
  const report = await measureTcp(() => undefined, {
    rounds: Number(values.rounds ?? 7),
    ms: Number(values.ms ?? 1000),
    ...(values.systems === undefined ? {} : { systems: values.systems.split(',') as Array<TcpSystem> })
  })
  process.stdout.write(`${tcpTable(report)}\n`)
  for (const fault of report.broken) process.stdout.write(`NOTE ${fault}\n`)
}
