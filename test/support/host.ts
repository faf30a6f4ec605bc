/** For tests of what the host does: promises that a test settles, turns of the host, work that looks at a signal or not. */
import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { AbortSignals, Runtime } from 'millrace'

export interface Deferred<A> {
  readonly promise: Promise<A>
  readonly resolve: (a: A) => void
  readonly reject: (reason: unknown) => void
}

export const deferred = <A>(): Deferred<A> => {
  let resolve!: (a: A) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<A>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** One turn of the host. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Enough turns for everything that is ready. */
export const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await turn()
}

/** Runs `body` with another default runtime. */
export const withDefault = async (
  options: Runtime.RuntimeOptions,
  body: () => Promise<void>
): Promise<void> => {
  Runtime.setDefault(Runtime.make(options))
  try {
    await body()
  } finally {
    Runtime.setDefault(Runtime.defaultRuntime)
  }
}

/** What the host complains of while `body` runs. */
export const complaintsOf = async (body: () => Promise<void>): Promise<ReadonlyArray<string>> => {
  const complaints: Array<string> = []
  const onWarning = (warning: Error) => {
    // Ends of streams of other tests may be collected in these turns; that says nothing about what is looked at here.
    if (warning.name !== 'ResourceWarning') complaints.push(`warning: ${warning.name}`)
  }
  const onRejection = (reason: unknown) => complaints.push(`unhandled rejection: ${String(reason)}`)
  const others = process.rawListeners('unhandledRejection') as Array<NodeJS.UnhandledRejectionListener>
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', onRejection)
  process.on('warning', onWarning)
  try {
    await body()
    await turns()
  } finally {
    process.off('warning', onWarning)
    process.off('unhandledRejection', onRejection)
    for (const other of others) process.on('unhandledRejection', other)
  }
  return complaints
}

/** What work does when its signal aborts; `goesOn` does not look. */
export type Manner = 'rejects' | 'leaves' | 'goesOn'

/** Work that a test ends, and that notes what happens to it: `a starts`, `a aborted`, `a stops`. */
export class Job {
  private settled = deferred<Either<string, number>>()

  constructor(
    readonly name: string,
    readonly log: Array<string>,
    readonly manner: Manner = 'rejects'
  ) {}

  readonly te: TaskEither<string, number> = () => {
    this.log.push(`${this.name} starts`)
    this.settled = deferred()
    const signal = AbortSignals.current()
    const abort = async () => {
      this.log.push(`${this.name} aborted`)
      // Stopping takes a while, and whoever asked for it has to wait.
      await turn()
      this.log.push(`${this.name} stops`)
      if (this.manner === 'rejects') this.settled.reject(signal.reason)
      else this.fail('stopped')
    }
    if (this.manner !== 'goesOn') signal.addEventListener('abort', () => void abort())
    return this.settled.promise
  }

  succeed(n: number): void {
    this.settled.resolve({ _tag: 'Right', right: n })
  }

  fail(message: string): void {
    this.settled.resolve({ _tag: 'Left', left: message })
  }

  reject(reason: unknown): void {
    this.settled.reject(reason)
  }
}
