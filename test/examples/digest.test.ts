/** The main job: as a process on real trees, and in memory, cut short at every point. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Cause, Effect, Exit, Resource } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { digest, type Settings } from '../../examples/digest/digest.js'
import type { Entry, FileFailed, Files } from '../../examples/digest/files.js'
import type { Output, OutputClosed } from '../../examples/digest/output.js'
import { root, runProgram, type Ran, type RunOptions } from '../support/program.js'

// -------------------------------------------------------------------------------------
// in memory
// -------------------------------------------------------------------------------------

/** A content, or a failure to read it. */
type Tree = { readonly [path: string]: string | { readonly fails: string } }

const settings: Settings = {
  directory: 'top',
  skip: [],
  algorithm: 'sha256',
  concurrency: 3,
  deadline: Infinity
}

const sha256 = (content: string): string => createHash('sha256').update(content, 'latin1').digest('hex')

/** The services over a tree. Each operation takes a millisecond of virtual time; `onStep` is called when it begins. */
const inMemory = (tree: Tree, onStep: (step: number) => void = () => undefined) => {
  const seen = {
    steps: 0,
    opened: 0,
    closed: 0,
    most: 0,
    out: '',
    notes: [] as Array<string>,
    gone: Infinity
  }
  const step = (ms: number) =>
    Effect.suspend(() => {
      onStep(++seen.steps)
      return Effect.sleep(ms)
    })
  const failure = (path: string, reason: string) =>
    Effect.fail<FileFailed>({ _tag: 'FileFailed', path, reason })

  const files: Files = {
    list: (directory) =>
      Effect.gen(function* () {
        yield* step(1)
        const prefix = directory.endsWith('/') ? directory : `${directory}/`
        const entries = new Map<string, Entry>()
        for (const path of Object.keys(tree)) {
          if (!path.startsWith(prefix)) continue
          const [name = '', ...rest] = path.slice(prefix.length).split('/')
          entries.set(name, { name, kind: rest.length > 0 ? 'directory' : 'file' })
        }
        return entries.size === 0 ? yield* failure(directory, 'no such directory') : [...entries.values()]
      }),
    open: (path) =>
      pipe(
        Resource.make(
          Effect.map(() => {
            seen.opened++
            seen.most = Math.max(seen.most, seen.opened - seen.closed)
          })(step(1)),
          () => Effect.andThen(Effect.sync(() => seen.closed++))(step(1))
        ),
        Resource.map(() => {
          const file = tree[path]
          let at = 0
          const read = Effect.gen(function* () {
            // The larger the file, the slower: those behind it are done before.
            yield* step(typeof file === 'string' ? file.length : 1)
            if (typeof file !== 'string') return yield* failure(path, file?.fails ?? 'no such file')
            return Buffer.from(file.slice(at, (at += 4)), 'latin1')
          })
          return { read }
        })
      )
  }
  const closed: Effect.Effect<unknown, OutputClosed, never> = Effect.fail({ _tag: 'OutputClosed' })
  const waitForReader = Effect.suspend(() => (seen.out.length >= seen.gone ? closed : step(2)))
  const output: Output = {
    ready: waitForReader,
    flush: waitForReader,
    write: (bytes) =>
      Effect.sync(() => {
        seen.out += bytes
      }),
    note: (line) =>
      Effect.sync(() => {
        seen.notes.push(line)
      }),
    progress: () => Effect.unit
  }
  return { seen, services: { files, output } }
}

const tree: Tree = {
  'top/b/z': 'a file that takes long to read',
  'top/b/a': '',
  'top/b-c': 'before b/',
  'top/b.d/deep/er': 'x',
  'top/b0': 'after b/',
  'top/locked': { fails: 'permission denied' },
  'top/a\nb\\c\rd': 'odd',
  'top/\xff\xfe': 'not utf-8',
  'top/last': 'the last'
}

const inOrder = Object.keys(tree).sort()
const lineOf = (path: string): string => {
  const content = tree[path]
  if (typeof content !== 'string') return ''
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  return `${escaped === path ? '' : '\\'}${sha256(content)}  ${escaped}\n`
}
const expected = inOrder.map(lineOf).filter((line) => line !== '')

const linesOf = (text: string): ReadonlyArray<string> => text.split(/(?<=\n)/).filter((line) => line !== '')

/** What holds however a run ended: whole lines, each once, in order, and none of what was finished is missing. */
const checkOutput = ({ seen }: ReturnType<typeof inMemory>) => {
  const lines = linesOf(seen.out)
  expect(lines).to.deep.equal(expected.filter((line) => lines.includes(line)))
  expect(seen.opened, 'every opened file is closed').to.equal(seen.closed)
  expect(seen.most).to.be.at.most(settings.concurrency)
  return lines
}

const checkSummary = (world: ReturnType<typeof inMemory>) => {
  const lines = checkOutput(world)
  const { notes } = world.seen
  const summary = notes.at(-1) ?? ''
  const [, files, failures, missing = '0'] =
    /^digest: (\d+) files?, \d+ bytes?, [\d.]+ seconds, (\d+) failures?(?:, (?:more than )?(\d+) missing)?$/.exec(
      summary
    ) ?? expect.fail(`no summary: ${summary}`)
  expect(Number(files), 'what is finished is printed').to.equal(lines.length)
  expect(Number(failures), 'failures are reported').to.equal(notes.length - 1)
  if (!summary.includes('more than'))
    expect(Number(files) + Number(failures) + Number(missing)).to.equal(inOrder.length)
  return Number(missing)
}

describe('digest, in memory', () => {
  it('prints a line for each file in the order of the paths, and reports what cannot be read', () => {
    const world = inMemory(tree)
    const exit = TestRuntime.runExit(pipe(digest(settings), Effect.provide(world.services)))
    expect(exit).to.deep.equal(Exit.succeed(1))
    expect(world.seen.out).to.equal(expected.join(''))
    expect(world.seen.notes[0]).to.equal('digest: top/locked: permission denied')
    expect(checkSummary(world)).to.equal(0)
    expect(world.seen.most).to.equal(settings.concurrency)
  })

  it('leaves out the names that it is told to', () => {
    const world = inMemory(tree)
    TestRuntime.runExit(pipe(digest({ ...settings, skip: ['b', 'locked'] }), Effect.provide(world.services)))
    expect(world.seen.out).to.equal(
      inOrder
        .filter((path) => !path.startsWith('top/b/'))
        .map(lineOf)
        .join('')
    )
  })

  it('cancelled at any point, closes every file, prints what is finished in whole lines, and sums up', () => {
    for (const seed of [0, 1, 2]) {
      let point = 0
      for (let more = true; more;) {
        point++
        let cancel: () => void = () => undefined
        const world = inMemory(tree, (step) => {
          if (step === point) cancel()
        })
        const program = CancelScope.open((scope) => {
          cancel = () => scope.cancelUnsafe('the test')
          return pipe(digest(settings), Effect.provide(world.services))
        })
        const exit = TestRuntime.runExit(program, { seed })
        more = world.seen.steps >= point
        // In the last releases nothing is left to cancel, so the value may be there.
        expect(E.isRight(exit), `cancelled at step ${point}`).to.equal(true)
        checkSummary(world)
      }
      expect(point).to.be.greaterThan(50)
    }
  })

  it('stopped by its deadline at any time, says how many are missing', () => {
    const codes = new Set<number>()
    for (let deadline = 0; !codes.has(1); deadline += 0.5) {
      const world = inMemory(tree)
      const exit = TestRuntime.runExit(
        pipe(digest({ ...settings, deadline }), Effect.provide(world.services))
      )
      codes.add(E.isRight(exit) ? exit.right : expect.fail(Cause.pretty(exit.left)))
      checkSummary(world)
    }
    expect([...codes]).to.deep.equal([124, 1])
  })

  it('ends when nobody reads any more, without a summary', () => {
    for (let gone = 0; gone < expected.join('').length; gone += 40) {
      const world = inMemory(tree)
      world.seen.gone = gone
      const exit = TestRuntime.runExit(pipe(digest(settings), Effect.provide(world.services)))
      expect(exit).to.deep.equal(Exit.fail({ _tag: 'OutputClosed' }))
      checkOutput(world)
      expect(world.seen.notes.filter((note) => note.includes('seconds'))).to.deep.equal([])
    }
  })
})

// -------------------------------------------------------------------------------------
// as a process
// -------------------------------------------------------------------------------------

const run = (args: ReadonlyArray<string>, options?: RunOptions): Promise<Ran> =>
  runProgram('build/examples/digest/main.js', args, { encoding: 'latin1', ...options })

const folders: Array<string> = []

/** A folder with these files, each holding its own name. Names are latin1: one character a byte. */
const folderOf = (names: Iterable<string>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'digest-'))
  folders.push(folder)
  for (const name of names) {
    mkdirSync(Buffer.from(join(folder, dirname(name)), 'latin1'), { recursive: true })
    writeFileSync(Buffer.from(join(folder, name), 'latin1'), Buffer.from(name, 'latin1'))
  }
  return folder
}

const many = (n: number): ReadonlyArray<string> => Array.from({ length: n }, (_, i) => `${i % 30}/${i}`)

/** A file that is found, and that nobody can open, not even root: its path is too long. */
const addUnreadable = (folder: string): void => {
  let path = folder
  while (path.length < 3850) path = join(path, 'z'.repeat(200))
  mkdirSync(path, { recursive: true })
  execFileSync('sh', ['-c', 'echo >"$1"', 'sh', 'z'.repeat(250)], { cwd: path })
}

const sumsOf = (folder: string): string =>
  execFileSync(
    'sh',
    ['-c', 'find "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum', 'sh', folder],
    {
      encoding: 'latin1'
    }
  )

/** Beginning with the first, in order, whole. */
const expectLinesOf = (folder: string, stdout: string) => {
  const lines = linesOf(stdout)
  const all = linesOf(sumsOf(folder))
  expect(lines).to.deep.equal(all.filter((line) => lines.includes(line)))
  return { lines: lines.length, all: all.length }
}

const summaryOf = (stderr: string): { readonly files: number; readonly missing: number } => {
  const [, files, missing = '0'] = /^digest: (\d+) files?, .*?(?:(\d+) missing)?$/m.exec(stderr) ?? []
  return { files: Number(files), missing: Number(missing) }
}

describe('digest, as a process', function () {
  // Names that are not UTF-8, fifos and sha256sum.
  if (process.platform !== 'linux') return
  this.timeout(30_000)

  after(() => {
    execFileSync('rm', ['-rf', ...folders])
  })

  it('agrees with sha256sum, whatever the names are', async () => {
    const odd = [
      'new\nline',
      'back\\slash',
      'car\rriage',
      '\xff\xfe',
      '\xc3\xbc',
      'sp ace',
      ' lead',
      '*',
      '-',
      '\x1b[31m'
    ]
    const folder = folderOf([
      ...odd,
      ...odd.map((name) => `dir ${name}/${name}`),
      'a-b',
      'a/b',
      'a0',
      'a.',
      'a/\\n'
    ])
    writeFileSync(join(folder, 'empty'), '')
    mkdirSync(join(folder, 'nothing in it'))
    symlinkSync('..', join(folder, 'loop'))
    symlinkSync('a0', join(folder, 'link'))
    symlinkSync('nowhere', join(folder, 'dangling'))
    execFileSync('mkfifo', [join(folder, 'fifo')])

    const ran = await run([folder])
    expect(ran.code).to.equal(0)
    expect(ran.stdout).to.equal(sumsOf(folder))
    expect(ran.stderr).to.match(/^digest: 26 files, \d+ bytes, \d+\.\d\d seconds, 0 failures\n$/)
    const check = spawnSync('sha256sum', ['--check', '--strict', '--quiet'], {
      input: Buffer.from(ran.stdout, 'latin1')
    })
    expect(check.status).to.equal(0)
  })

  it('takes another algorithm', async () => {
    const folder = folderOf(['a', 'b'])
    const ran = await run(['--algorithm', 'sha512', folder])
    const check = spawnSync('sha512sum', ['--check', '--strict', '--quiet'], { input: ran.stdout })
    expect([ran.code, check.status]).to.deep.equal([0, 0])
  })

  it('reads a file of several chunks', async () => {
    const folder = folderOf([])
    writeFileSync(join(folder, 'large'), Buffer.alloc(3_000_001, 'millrace'))
    expect((await run([folder])).stdout).to.equal(sumsOf(folder))
  })

  it('hashes a folder without files', async () => {
    const ran = await run([folderOf([])])
    expect([ran.code, ran.stdout]).to.deep.equal([0, ''])
    expect(ran.stderr).to.match(/^digest: 0 files, 0 bytes, .* 0 failures\n$/)
  })

  it('reports what cannot be read, and goes on', async () => {
    const folder = folderOf(['a', 'z'])
    addUnreadable(folder)
    const ran = await run([folder])
    expect(ran.code).to.equal(1)
    expect(linesOf(ran.stdout)).to.have.length(2)
    expect(ran.stderr).to.match(/^digest: \S+zzz: name too long\ndigest: 2 files, .* 1 failure\n$/)
  })

  it('fails for a folder that is not there', async () => {
    const ran = await run([join(folderOf([]), 'nowhere')])
    expect([ran.code, ran.stdout]).to.deep.equal([1, ''])
    expect(ran.stderr).to.match(/^digest: \S+nowhere: no such file or directory\n/)
  })

  it('stops at its deadline with what is finished', async () => {
    const folder = folderOf(many(3000))
    for (const deadline of [0, 30, 60]) {
      const ran = await run([folder, '--concurrency', '1', '--deadline', String(deadline)])
      expect(ran.code).to.equal(124)
      const { lines, all } = expectLinesOf(folder, ran.stdout)
      const { files, missing } = summaryOf(ran.stderr)
      expect(files).to.equal(lines)
      if (!ran.stderr.includes('more than')) expect(files + missing).to.equal(all)
    }
  })

  it('stops at once at a Ctrl-C, at any moment', async () => {
    const folder = folderOf(many(3000))
    for (const moment of [1, 2, 20, 200, 500]) {
      const ran = await run([folder, '--concurrency', '1'], {
        onOutput: (soFar, child) => {
          if (soFar.split('\n').length > moment && !child.killed) child.kill('SIGINT')
        }
      })
      expect([ran.code, ran.signal]).to.deep.equal([130, null])
      const { lines, all } = expectLinesOf(folder, ran.stdout)
      const { files, missing } = summaryOf(ran.stderr)
      expect([files, files + missing]).to.deep.equal([lines, all])
      expect(lines).to.be.at.least(moment)
    }
  })

  it('ends at a Ctrl-C although nobody reads', async () => {
    const folder = folderOf(['a', 'b'])
    addUnreadable(folder)
    const pipe = join(folderOf([]), 'pipe')
    execFileSync('mkfifo', [pipe])
    const full = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      for (;;) writeSync(full, 'x'.repeat(4096))
    } catch {
      // EAGAIN
    }
    const args = [join(root, 'build/examples/digest/main.js'), folder, '--concurrency', '1']
    const child = spawn(process.execPath, args, { stdio: ['ignore', full, 'pipe'] })
    // With one file at a time, the lines of the files before are pending.
    child.stderr?.once('data', () => child.kill('SIGINT'))
    const code = await new Promise((resolve) => child.on('exit', resolve))
    closeSync(full)
    expect(code).to.equal(130)
  })

  it('ends quietly when standard output is closed', async () => {
    const ran = await run([folderOf(many(3000))], { onOutput: (_, child) => child.stdout?.destroy() })
    expect([ran.code, ran.stderr]).to.deep.equal([0, ''])
  })

  it('says that standard output is full', () => {
    const command = 'exec "$1" build/examples/digest/main.js "$2" >/dev/full'
    const ran = spawnSync('sh', ['-c', command, 'sh', process.execPath, folderOf(['a'])], {
      encoding: 'utf8'
    })
    expect(ran.status).to.equal(1)
    expect(ran.stderr).to.match(/^digest: standard output: ENOSPC.*\n$/)
  })

  for (const [args, complaint] of [
    [['--nonsense'], /^digest: Unknown option '--nonsense'/],
    [['a', 'b'], /^digest: One directory at a time: what is 'b'\?/],
    [['--concurrency', '0'], /^digest: --concurrency takes a whole number from 1 to 512, not '0'/],
    [['--deadline', '1s'], /^digest: --deadline takes a whole number .*, not '1s'/],
    [['--deadline='], /^digest: --deadline takes a whole number .*, not ''/],
    [['--algorithm', 'sha257'], /^digest: There is no algorithm 'sha257'/]
  ] as const) {
    it(`does not take ${args.join(' ')}`, async () => {
      const ran = await run(args)
      expect([ran.code, ran.stdout]).to.deep.equal([2, ''])
      expect(ran.stderr)
        .to.match(complaint)
        .and.to.match(/--help/)
    })
  }

  it('explains itself', async () => {
    const ran = await run(['--help'])
    expect([ran.code, ran.stderr]).to.deep.equal([0, ''])
    expect(ran.stdout).to.match(/^Usage: digest \[DIR\]/)
  })

  it('takes the project when no folder is given', async () => {
    const ran = await run([])
    expect(ran.code).to.equal(0)
    expect(ran.stdout).to.include('  ./package.json\n').and.not.to.include('/node_modules/')
  })
})
