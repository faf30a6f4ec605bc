/** Runs programs as child processes, and reads what their comments promise. */
import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the checkout. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url))

export interface RunOptions {
  /** Send a signal after so many milliseconds, or when the output so far holds a text or matches. */
  readonly signalAfter?: number | string | RegExp
  /** Which signal; SIGINT if not given. */
  readonly signal?: NodeJS.Signals
  /** Let standard error flow into standard output, in the order in which a terminal would show both. */
  readonly terminal?: boolean
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** Of `stdout` and `stderr`; utf8 if not given. latin1 keeps every byte. */
  readonly encoding?: BufferEncoding
  /** Options of node itself. */
  readonly execArgv?: ReadonlyArray<string>
  /** The program is killed after so many milliseconds; 20000 if not given. */
  readonly timeout?: number
  /** Called with each new piece of output, for what the options above cannot say. */
  readonly onOutput?: (soFar: string, child: ChildProcess) => void
}

export interface Ran {
  /** `null` if a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a compiled program (a path relative to the checkout, or an absolute one) to its end. */
export const runProgram = (
  file: string,
  args: ReadonlyArray<string> = [],
  options: RunOptions = {}
): Promise<Ran> =>
  new Promise((done, failed) => {
    const { signalAfter, signal = 'SIGINT', timeout = 20_000, encoding = 'utf8' } = options
    const node = ['--enable-source-maps', ...(options.execArgv ?? []), resolve(root, file), ...args]
    const command: readonly [string, ReadonlyArray<string>] =
      options.terminal === true
        ? ['sh', ['-c', 'exec "$@" 2>&1', 'sh', process.execPath, ...node]]
        : [process.execPath, node]
    const child = spawn(command[0], command[1], {
      cwd: options.cwd ?? root,
      env: { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: undefined, NO_COLOR: '1', ...options.env },
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
    })
    const out: Array<Buffer> = []
    const err: Array<Buffer> = []
    const text = (pieces: ReadonlyArray<Buffer>) => Buffer.concat(pieces).toString(encoding)

    const killer = setTimeout(() => child.kill('SIGKILL'), timeout)
    const waker =
      typeof signalAfter === 'number' ? setTimeout(() => child.kill(signal), signalAfter) : undefined
    let signalled = false
    const take = (pieces: Array<Buffer>) => (piece: Buffer) => {
      pieces.push(piece)
      const soFar = text(out) + text(err)
      const seen =
        typeof signalAfter === 'string'
          ? soFar.includes(signalAfter)
          : signalAfter instanceof RegExp && signalAfter.test(soFar)
      if (seen && !signalled) {
        signalled = true
        child.kill(signal)
      }
      options.onOutput?.(soFar, child)
    }
    child.stdout?.on('data', take(out))
    child.stderr?.on('data', take(err))
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.stdin)
    child.on('error', failed)
    child.on('close', (code, signal) => {
      clearTimeout(killer)
      clearTimeout(waker)
      done({ code, signal, stdout: text(out), stderr: text(err) })
    })
  })

/** What a program says of itself in the comment lines that follow `// Output:`. */
export interface Expected {
  readonly lines: ReadonlyArray<string>
  /** A line `^C`: send SIGINT when this many of the lines have been seen. */
  readonly interruptAfter: number | undefined
  /** A remark `(exit code N …)`; 0 without one. */
  readonly code: number
}

/** `undefined` if the source has no such comment. A line in parentheses is a remark, not output. */
export const expectedOutput = (source: string): Expected | undefined => {
  const lines = source.split(/\r?\n/)
  const start = lines.findIndex((line) => /^\s*\/\/ Output\b.*:$/.test(line.trimEnd()))
  if (start === -1) return undefined
  const found: Array<string> = []
  let interruptAfter: number | undefined
  let code = 0
  for (const line of lines.slice(start + 1)) {
    const comment = /^\s*\/\/ ?(.*)$/.exec(line)
    if (comment === null) break
    const content = comment[1]?.trimEnd() ?? ''
    if (content === '^C') interruptAfter = found.length
    else if (/^\(.*\)$/.test(content)) code = Number(/^\(exit code (\d+)/.exec(content)?.[1] ?? code)
    else found.push(content)
  }
  return { lines: found, interruptAfter, code }
}

/**
 * Runs a compiled program and compares what a terminal would show, and the exit code, with what its source says.
 * A source without `// Output:` has to end with code 0.
 */
export const checkProgram = async (file: string, source: string, cwd: string = root): Promise<void> => {
  const expected = expectedOutput(source)
  const interruptAfter = expected?.interruptAfter
  let interrupted = false
  const ran = await runProgram(file, [], {
    terminal: true,
    cwd,
    ...(interruptAfter === 0 ? { signalAfter: 500 } : {}),
    onOutput: (soFar, child) => {
      if (interrupted || interruptAfter === undefined || interruptAfter === 0) return
      if (soFar.split('\n').length <= interruptAfter) return
      interrupted = true
      setTimeout(() => child.kill('SIGINT'), 100)
    }
  })
  const lines = ran.stdout.split('\n').map((line) => line.trimEnd())
  while (lines.at(-1) === '') lines.pop()
  const ended = ran.signal === null ? `exit code ${String(ran.code)}` : `ended by ${ran.signal}`
  const shown = [...lines, ended].join('\n')
  const promised = [...(expected?.lines ?? lines), `exit code ${String(expected?.code ?? 0)}`].join('\n')
  if (shown !== promised) throw new Mismatch(promised, shown)
}

/** The same for a file of tests: mocha runs it, and what counts is its list of tests. */
export const checkTests = async (file: string, source: string): Promise<void> => {
  const expected = expectedOutput(source)
  const ran = await runProgram('node_modules/mocha/bin/mocha.js', [
    '--no-config',
    '--reporter',
    'spec',
    resolve(root, file)
  ])
  const lines = (ran.stdout + ran.stderr)
    .split('\n')
    .map((line) => line.trimEnd().replace(/ \(\d+ms\)$/, ''))
    .filter((line) => line !== '')
  const end = lines.findIndex((line) => /^ {2}\d+ passing$/.test(line))
  const shown = [...lines.slice(0, end), ...lines.slice(end + 1), `exit code ${String(ran.code)}`].join('\n')
  const promised = [...(expected?.lines ?? []), 'exit code 0'].join('\n')
  if (end === -1 || shown !== promised) throw new Mismatch(promised, shown)
}

/** Mocha shows a diff of `expected` and `actual`. */
class Mismatch extends Error {
  readonly showDiff = true
  constructor(
    readonly expected: string,
    readonly actual: string
  ) {
    super('the program does not show what its comment says')
    this.name = 'Mismatch'
  }
}
