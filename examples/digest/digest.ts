/** The program, written against its services: `main.ts` runs it on Node, the tests run it in memory. */
import { createHash } from 'node:crypto'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Resource, Timeout } from 'millrace'
import type { FileFailed, HasFiles, Path } from './files.js'
import type { HasOutput } from './output.js'

export interface Settings {
  readonly directory: Path
  /** Names that the walk leaves out. */
  readonly skip: ReadonlyArray<string>
  readonly algorithm: string
  /** How many files are read at a time. */
  readonly concurrency: number
  /** Milliseconds; `Infinity` for none. */
  readonly deadline: number
}

const escapes: { readonly [character: string]: string } = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' }
const escape = (path: Path): string => path.replace(/[\\\n\r]/g, (character) => escapes[character] ?? '')

/** As GNU coreutils write it: a backslash in front says that the path is escaped. */
const lineOf = (path: Path, hash: string): string => {
  const escaped = escape(path)
  return `${escaped === path ? '' : '\\'}${hash}  ${escaped}\n`
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

/** What is known so far. Plain data: nothing here waits, so no cancellation finds it half done. */
class Report {
  readonly paths: Array<Path> = []
  /** Of the paths that are done, by index; empty for a file that could not be read. */
  private readonly lines: Array<string> = []
  private taken = 0
  /** Whether `paths` are all. */
  complete = false
  done = 0
  hashed = 0
  bytes = 0
  failures = 0

  add(index: number, line: string): void {
    this.lines[index] = line
    this.done++
  }

  /** The lines that were not taken before, up to the first path that is not done; `all` passes over such paths. */
  take(all: boolean): string {
    let text = ''
    for (; this.taken < this.lines.length; this.taken++) {
      const line = this.lines[this.taken]
      if (line === undefined && !all) break
      text += line ?? ''
      this.lines[this.taken] = ''
    }
    return text
  }

  summary(ms: number): string {
    const counts = [
      count(this.hashed, 'file'),
      count(this.bytes, 'byte'),
      `${(ms / 1000).toFixed(2)} seconds`,
      count(this.failures, 'failure')
    ]
    const missing = this.paths.length - this.done
    if (!this.complete) counts.push(`more than ${missing} missing`)
    else if (missing > 0) counts.push(`${missing} missing`)
    return `digest: ${counts.join(', ')}`
  }
}

/** Calls back for each regular file, in the order of whole paths: `a-b`, then `a/b`, then `ab`. */
const walk = (
  directory: Path,
  skip: ReadonlyArray<string>,
  found: (path: Path) => void,
  failed: (failure: FileFailed) => Effect.Effect<unknown, never, void>
): Effect.Effect<HasFiles, never, void> =>
  Effect.gen(function* () {
    const { files } = yield* Effect.ask<HasFiles>()
    const entries = yield* pipe(
      files.list(directory),
      Effect.catchTag('FileFailed', (failure) => Effect.as([])(failed(failure)))
    )
    const paths = entries
      .filter(({ name, kind }) => kind !== 'other' && !skip.includes(name))
      .map(
        ({ name, kind }) =>
          `${directory}${directory.endsWith('/') ? '' : '/'}${name}${kind === 'directory' ? '/' : ''}`
      )
    for (const path of paths.sort()) {
      if (path.endsWith('/')) yield* walk(path, skip, found, failed)
      else found(path)
    }
  })

const hashFile = Effect.fn('hashFile')(function* (path: Path, algorithm: string) {
  const { files } = yield* Effect.ask<HasFiles>()
  return yield* pipe(
    files.open(path),
    Resource.use((file) =>
      Effect.gen(function* () {
        const hash = createHash(algorithm)
        let size = 0
        for (let chunk = yield* file.read; chunk.length > 0; chunk = yield* file.read) {
          hash.update(chunk)
          size += chunk.length
        }
        return { hash: hash.digest('hex'), size }
      })
    )
  )
})

/**
 * Prints a line for each regular file in a directory, and then a summary, also when it was cut short. Gives the exit code: 1
 * if a file could not be read, 124 if the time was over.
 */
export const digest = Effect.fn('digest')(function* (settings: Settings) {
  const { algorithm, concurrency, deadline, directory, skip } = settings
  const { output } = yield* Effect.ask<HasOutput>()
  const begin = yield* Effect.currentTime
  const report = new Report()

  const failed = (failure: FileFailed) =>
    Effect.suspend(() => {
      report.failures++
      return output.note(`digest: ${escape(failure.path)}: ${failure.reason}`)
    })

  const print = (all: boolean) =>
    Effect.suspend(() => {
      const lines = report.take(all)
      return lines === '' ? Effect.unit : output.write(lines)
    })

  const hashOne = Effect.fn('hashOne')(function* ([index, path]: readonly [number, Path]) {
    const hashed = yield* Effect.either(hashFile(path, algorithm))
    if (hashed._tag === 'Left') {
      yield* failed(hashed.left)
      report.add(index, '')
    } else {
      report.hashed++
      report.bytes += hashed.right.size
      report.add(index, lineOf(path, hashed.right.hash))
    }
    yield* output.progress(report.done, report.paths.length)
    yield* output.ready
    yield* print(false)
  })

  const hashAll = Effect.gen(function* () {
    yield* walk(directory, skip, (path) => report.paths.push(path), failed)
    report.complete = true
    yield* pipe(report.paths.entries(), Concurrent.forEach(hashOne, { concurrency }))
  })

  const summarise = Effect.gen(function* () {
    yield* output.note(report.summary((yield* Effect.currentTime) - begin))
  })

  const inTime = yield* pipe(
    hashAll,
    Timeout.moveOnAfter(deadline),
    // What is finished may stand behind a file that is not.
    Effect.tap(() => Effect.andThen(output.flush)(print(true))),
    Effect.onCancel(Effect.andThen(summarise)(print(true)))
  )
  yield* summarise
  return inTime._tag === 'None' ? 124 : report.failures > 0 ? 1 : 0
})
