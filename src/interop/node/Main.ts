/**
 * `Main`: the entry of a program on Node. Signals cancel the root scope and wait for the clean-up; the exit gives the exit
 * code.
 *
 * @since 0.1.0
 */
import * as Cause from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as LowLevel from '../../effect/LowLevel.js'
import { type Runtime, runCallback } from '../../effect/Runtime.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What shuts a program down: the signals, and a standard output that nobody reads any more.
 *
 * @category model
 * @since 0.1.0
 */
export type ShutdownSignal = 'SIGINT' | 'SIGTERM' | 'SIGPIPE'

/**
 * How a program is run.
 *
 * @example
 * import { Effect } from 'millrace'
 * import { Main } from 'millrace/node'
 *
 * const problemsFound = Effect.succeed(3)
 *
 * Main.run(problemsFound, { exitCode: (exit) => (exit._tag === 'Right' ? exit.right : undefined) })
 *
 * // Output:
 * // (exit code 3)
 *
 * @category model
 * @since 0.1.0
 */
export interface MainOptions<E = unknown, A = unknown> {
  /** Milliseconds that clean-up may take after a signal; without it clean-up is never cut short. */
  readonly grace?: number
  /**
   * Milliseconds of the soft phase after a signal: sources that know about draining end, work that is under way goes on, and
   * only then the root scope is cancelled. Without it a signal cancels at once.
   */
  readonly drain?: number
  readonly runtime?: Runtime
  /** Name of the main task and of the root scope; `main` when absent. */
  readonly name?: string
  /**
   * The exit code of a program that says more by it than "it worked", given the exit and the signal that came, if one did.
   * `undefined` leaves it at the usual one.
   */
  readonly exitCode?: (exit: Exit<E, A>, signal: ShutdownSignal | undefined) => number | undefined
}

// -------------------------------------------------------------------------------------
// runs
// -------------------------------------------------------------------------------------

const codes: { readonly [S in ShutdownSignal]: number } = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 }

/** When to say what still waits after a signal. */
const patience = 5000

/**
 * A signal that comes again within so many ms is the same one: on Ctrl-C the terminal tells every process of its group, and
 * those that run others, as npm does, pass it on to them as well.
 */
const echo = 200

/** Timers of Node hold at most this many ms; it only has to be there. */
const aLongTime = 2 ** 30

const ignore = (): void => undefined

/** Whoever closed standard error, or filled its disk, gets no report; that is no reason to end without clean-up. */
const say = (text: string): void => {
  const { stderr } = process
  if (!stderr.listeners('error').includes(ignore)) stderr.on('error', ignore)
  try {
    stderr.write(`${text}\n`)
  } catch {
    // A file is written at once, and then this is how it says that it cannot be.
  }
}

/**
 * Runs a program and sets the exit code: 0 after a value, 1 after a failure, which is printed by
 * `Cause.pretty` on standard error, 128 + n after signal n.
 *
 * - SIGINT and SIGTERM cancel the root scope with the reason `Shutdown`, and the clean-up is waited for. What
 *   still waits after 5 s is named on standard error.
 * - A second signal prints what is alive and leaves at once. The same one within 200 ms is no second one: on Ctrl-C the
 *   terminal sends it, and npm passes it on.
 * - SIGUSR2 prints what is alive, and the program goes on.
 * - When nobody reads standard output any more (`| head`), the program is shut down as by SIGPIPE, with clean-up and without
 *   a word, unless it listens to the errors of `process.stdout` itself.
 * - The process stays until the exit is known, also when the program waits only in memory; then nothing of `Main` is left.
 *   Until a successful exit `process.exitCode` is 1.
 * - What was written is not thrown away: while somebody holds standard output and does not read it, Node keeps the process, also
 *   after the clean-up. A second signal ends it then as well.
 *
 * @example
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect } from 'millrace'
 * import { Main } from 'millrace/node'
 *
 * const log = (line: string) => Effect.sync(() => console.log(line))
 *
 * const program = pipe(
 *   log('working'),
 *   Effect.andThen(Effect.fail({ _tag: 'DiskFull', free: 0 })),
 *   Effect.ensuring(log('cleaned up'))
 * )
 * Main.run(program)
 *
 * // Output:
 * // working
 * // cleaned up
 * // Fail: DiskFull { free: 0 }
 * // (exit code 1)
 *
 * @category runs
 * @since 0.1.0
 */
export const run = <E, A>(fx: Effect.Effect<{}, E, A>, options: MainOptions<E, A> = {}): void => {
  const { exitCode, drain, ...runOptions } = options
  let received: ShutdownSignal | undefined
  let receivedAt = 0
  let ended = false
  let view: LowLevel.RunView | undefined
  let reminder: ReturnType<typeof setTimeout> | undefined

  process.exitCode = 1
  const alive = setInterval(() => undefined, aLongTime)

  const sayWhatIsAlive = (headline: string): void => {
    say(`${headline}\n${view?.describe() ?? ''}`)
  }

  const onSignal = (signal: ShutdownSignal): void => {
    if (signal === received && performance.now() - receivedAt < echo) return
    if (received !== undefined) {
      sayWhatIsAlive(`${signal} again: leaving at once. Still alive:`)
      process.exit(codes[signal])
    }
    shutDown(signal)
  }

  const shutDown = (signal: ShutdownSignal): void => {
    received = signal
    receivedAt = performance.now()
    reminder = setTimeout(() => {
      sayWhatIsAlive(`Clean-up after ${signal} takes longer than ${patience / 1000} s. Still alive:`)
    }, patience)
    reminder.unref()
    // Later, since the first steps of the program run before there is a `cancel`, and it may be they that signal.
    queueMicrotask(() => {
      const reason: Cause.CancelReason = { _tag: 'Shutdown', signal }
      if (drain === undefined || view === undefined) cancel(reason)
      else view.drain(reason, drain)
    })
  }

  /** Node turns SIGPIPE into this error, which comes with every write, also with those of the clean-up. */
  const onOutputError = (error: Error & { readonly code?: string }): void => {
    if (process.stdout.listenerCount('error') > 1) return
    // As if nobody listened.
    if (error.code !== 'EPIPE') throw error
    if (received !== undefined) return
    if (ended) process.exitCode = codes.SIGPIPE
    else shutDown('SIGPIPE')
  }

  const handlers: ReadonlyArray<readonly [ShutdownSignal | 'SIGUSR2', () => void]> = [
    ['SIGINT', () => onSignal('SIGINT')],
    ['SIGTERM', () => onSignal('SIGTERM')],
    ['SIGUSR2', () => sayWhatIsAlive('Alive:')]
  ]

  const onExit = (exit: Exit<E, A>): void => {
    ended = true
    clearInterval(alive)
    clearTimeout(reminder)
    for (const [signal, handler] of handlers) process.off(signal, handler)
    if (exit._tag === 'Left' && !isShutdown(exit.left)) say(Cause.pretty(exit.left))
    const usual = received !== undefined ? codes[received] : exit._tag === 'Right' ? 0 : 1
    process.exitCode = exitCode?.(exit, received) ?? usual
  }

  /** A shutdown that went well says nothing. */
  const isShutdown = (cause: Cause.Cause<unknown>): boolean =>
    received !== undefined && Cause.isCancelledOnly(cause)

  for (const [signal, handler] of handlers) process.on(signal, handler)
  // This one stays: what was written may reach nobody after the end.
  process.stdout.on('error', onOutputError)

  const program = Effect.flatMap((run: LowLevel.RunView) => {
    view = run
    return fx
  })(LowLevel.currentRun)
  const cancel = runCallback(program, onExit, runOptions)
}
