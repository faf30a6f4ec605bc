/** The service that shows things: what it promises, and how Node keeps it. */
import { SingleBar } from 'cli-progress'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Exit, Resource, Timeout } from 'millrace'

/** Whoever read standard output has gone. */
export interface OutputClosed {
  readonly _tag: 'OutputClosed'
}

export interface OutputFailed {
  readonly _tag: 'OutputFailed'
  readonly reason: string
}

export type OutputError = OutputClosed | OutputFailed

export interface Output {
  /** Waits while the reader is behind. */
  readonly ready: Effect.Effect<unknown, OutputError, void>
  /** Hands over bytes, as latin1. Never waits: they are written once and whole, also when the program is cancelled. */
  readonly write: (bytes: string) => Effect.Effect<unknown, never, void>
  /** Waits until everything has been written. */
  readonly flush: Effect.Effect<unknown, OutputError, void>
  /** A line for the user, beside the output. */
  readonly note: (line: string) => Effect.Effect<unknown, never, void>
  readonly progress: (done: number, total: number) => Effect.Effect<unknown, never, void>
}

export interface HasOutput {
  readonly output: Output
}

type Stream = NodeJS.WriteStream

/** How long a reader that does not read can hold up a Ctrl-C. */
const patience = 500

/** Waits until a stream has written what it was given, or has said why it cannot. */
const written = (stream: Stream) =>
  Effect.async((resume) => {
    // Node calls back, and only then emits the error.
    stream.write('', () => setImmediate(() => resume(Exit.succeed(undefined))))
  })

/** A standard stream, without the crash that an unobserved error of it is. In the end it has been written out. */
const observed = (stream: Stream, onError: (error: NodeJS.ErrnoException) => void) =>
  Resource.make(
    Effect.sync(() => stream.on('error', onError)),
    (_, exit) =>
      pipe(
        written(stream),
        Timeout.moveOnAfter(Exit.isCancelled(exit) ? patience : Infinity),
        // Node would stay until the reader takes what is pending.
        Effect.tap((done) => Effect.sync(() => done._tag === 'None' && setTimeout(() => process.exit(), 50))),
        Effect.ensuring(Effect.sync(() => stream.off('error', onError)))
      )
  )

/** Shows nothing where there is no terminal. */
const progressBar = (erase: () => void) =>
  Resource.make(
    Effect.sync(() => {
      const bar = new SingleBar({
        format: '{bar} {percentage}% | {value} of {total} files',
        clearOnComplete: true
      })
      bar.start(0, 0)
      return bar
    }),
    (bar) =>
      Effect.sync(() => {
        if (bar.isActive) erase()
        bar.stop()
      })
  )

export const nodeOutput: Resource.Resource<unknown, never, HasOutput> = Resource.gen(function* () {
  let failure: OutputError | undefined
  const stdout = yield* observed(process.stdout, ({ code, message }) => {
    failure ??= code === 'EPIPE' ? { _tag: 'OutputClosed' } : { _tag: 'OutputFailed', reason: message }
  })
  const stderr = yield* observed(process.stderr, () => undefined)
  /** The line that the bar is on; the place of the cursor is saved, since the bar goes back there when it stops. */
  const erase = () => stderr.write('\r\x1b[K\x1b7')
  const bar = yield* progressBar(erase)

  const flush = pipe(
    written(stdout),
    Effect.flatMap(() => (failure === undefined ? Effect.unit : Effect.fail(failure)))
  )
  const output: Output = {
    ready: Effect.suspend(() => (failure === undefined && !stdout.writableNeedDrain ? Effect.unit : flush)),
    write: (bytes) =>
      Effect.sync(() => {
        if (bar.isActive && stdout.isTTY) erase()
        stdout.write(bytes, 'latin1')
      }),
    flush,
    note: (line) =>
      Effect.sync(() => {
        if (bar.isActive) erase()
        stderr.write(`${line}\n`, 'latin1')
      }),
    progress: (done, total) =>
      Effect.sync(() => {
        bar.setTotal(total)
        bar.update(done)
      })
  }
  return { output }
})
