/** The service that reads directories and files: what it promises, and how Node keeps it. */
import { constants } from 'node:fs'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { getSystemErrorMap } from 'node:util'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Promises, Resource } from 'millrace'

/** One character for each byte (latin1), since a name need not be UTF-8. So `<` compares bytes. */
export type Path = string

export interface FileFailed {
  readonly _tag: 'FileFailed'
  readonly path: Path
  readonly reason: string
}

export interface Entry {
  readonly name: Path
  readonly kind: 'file' | 'directory' | 'other'
}

export interface OpenFile {
  /** The next bytes, good until the next read; none at the end of the file. */
  readonly read: Effect.Effect<unknown, FileFailed, Uint8Array>
}

export interface Files {
  readonly list: (directory: Path) => Effect.Effect<unknown, FileFailed, ReadonlyArray<Entry>>
  /** A regular file. Fails for anything else, without waiting for the writer of a fifo and without following a link. */
  readonly open: (path: Path) => Resource.Resource<unknown, FileFailed, OpenFile>
}

export interface HasFiles {
  readonly files: Files
}

const bytes = (path: Path): Buffer => Buffer.from(path, 'latin1')

const failed = (path: Path, reason: string): FileFailed => ({ _tag: 'FileFailed', path, reason })

/** The words of the system for an error of `node:fs`. */
const because =
  (path: Path) =>
  (error: unknown): FileFailed => {
    const { errno = 0, message } = error as NodeJS.ErrnoException
    return failed(path, getSystemErrorMap().get(errno)?.[1] ?? message)
  }

const chunkSize = 256 * 1024

/** Buffers that no file is using. */
const idle: Array<Uint8Array> = []
const buffer = Resource.make(
  Effect.sync(() => idle.pop() ?? new Uint8Array(chunkSize)),
  (used) => Effect.sync(() => idle.push(used))
)

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const handle = (path: Path): Resource.Resource<unknown, FileFailed, FileHandle> =>
  Resource.make(
    Promises.tryPromise(() => open(bytes(path), flags), because(path)),
    (file) => Promises.tryPromise(() => file.close(), because(path))
  )

export const nodeFiles: Files = {
  list: (directory) =>
    pipe(
      Promises.tryPromise(
        () => readdir(bytes(directory), { encoding: 'buffer', withFileTypes: true }),
        because(directory)
      ),
      Effect.map((entries) =>
        entries.map((entry) => ({
          name: entry.name.toString('latin1'),
          kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other'
        }))
      )
    ),

  open: (path) =>
    Resource.gen(function* () {
      const file = yield* handle(path)
      const stats = yield* Resource.fromEffect(Promises.tryPromise(() => file.stat(), because(path)))
      if (!stats.isFile()) yield* Resource.fromEffect(Effect.fail(failed(path, 'not a regular file')))
      const into = yield* buffer
      const read = pipe(
        Promises.tryPromise(() => file.read(into, 0, chunkSize, null), because(path)),
        Effect.map(({ bytesRead }) => into.subarray(0, bytesRead))
      )
      return { read }
    })
}
