/** `digest`: the checksums of all files of a directory, for `sha256sum -c`. See `help` below. */
import { getHashes } from 'node:crypto'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Resource } from 'millrace'
import { Main } from 'millrace/node'
import { digest, type Settings } from './digest.js'
import { nodeFiles } from './files.js'
import { nodeOutput, type HasOutput } from './output.js'

const help = `Usage: digest [DIR] [--algorithm NAME] [--concurrency N] [--deadline MS]

Prints the checksum of every regular file in DIR, in the order of the paths, as \`sha256sum -c\` reads it. Links are not
followed. Without DIR: this project, without node_modules and .git.

  --algorithm NAME   any hash of node:crypto (sha256)
  --concurrency N    how many files are read at a time, 1 to 512 (16)
  --deadline MS      stop after so many milliseconds, with what is finished
  -h, --help         show this text

Exit code: 0 all files, 1 some could not be read, 2 wrong arguments, 124 the deadline came first, 130 Ctrl-C.
`

interface WrongArguments {
  readonly _tag: 'WrongArguments'
  readonly message: string
}

/** Where `build/examples/digest/main.js` is of. */
const project = fileURLToPath(new URL('../../..', import.meta.url))

const options = {
  algorithm: { type: 'string', default: 'sha256' },
  concurrency: { type: 'string', default: '16' },
  deadline: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false }
} as const

const wholeNumber = (name: string, text: string, least: number, most: number): number => {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new Error(`--${name} takes a whole number from ${least} to ${most}, not '${text}'.`)
}

const parse = (args: Array<string>): Settings | 'help' => {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  if (values.help) return 'help'
  const [directory, another] = positionals
  if (another !== undefined) throw new Error(`One directory at a time: what is '${another}'?`)
  if (directory === '') throw new Error('The name of the directory is empty.')
  if (!getHashes().includes(values.algorithm))
    throw new Error(`There is no algorithm '${values.algorithm}'; sha256, sha512, sha1 and md5 are some.`)
  return {
    // The rest of a path may be anything, but Node has decoded the arguments.
    directory: Buffer.from(directory ?? (relative('', project) || '.')).toString('latin1'),
    skip: directory === undefined ? ['node_modules', '.git'] : [],
    algorithm: values.algorithm,
    concurrency: wholeNumber('concurrency', values.concurrency, 1, 512),
    deadline: values.deadline === undefined ? Infinity : wholeNumber('deadline', values.deadline, 0, 1e12)
  }
}

const settings = Effect.tryCatch(
  () => parse(process.argv.slice(2)),
  (thrown): WrongArguments => ({ _tag: 'WrongArguments', message: (thrown as Error).message })
)

// Effect<HasFiles & HasOutput, WrongArguments | OutputClosed | OutputFailed, number>
const program = Effect.gen(function* () {
  const { output } = yield* Effect.ask<HasOutput>()
  const given = yield* settings
  if (given !== 'help') return yield* digest(given)
  yield* output.write(help)
  yield* output.flush
  return 0
})

const complain = (message: string, exitCode: number) =>
  Effect.gen(function* () {
    const { output } = yield* Effect.ask<HasOutput>()
    yield* output.note(`digest: ${message}`)
    return exitCode
  })

Main.run(
  pipe(
    program,
    Effect.catchTag('WrongArguments', ({ message }) => complain(`${message} See digest --help.`, 2)),
    Effect.catchTag('OutputFailed', ({ reason }) => complain(`standard output: ${reason}`, 1)),
    // Somebody has read enough, as in `digest | head`.
    Effect.catchTag('OutputClosed', () => Effect.succeed(0)),
    Resource.provide(nodeOutput),
    Effect.provide({ files: nodeFiles })
  ),
  { name: 'digest', exitCode: (exit, signal) => (exit._tag === 'Right' && !signal ? exit.right : undefined) }
)
