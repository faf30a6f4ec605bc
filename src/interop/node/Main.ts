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
  readonly runtime?: Runtime
  /** Name of the main task and of the root scope; `main` when absent. */
  readonly name?: string
  /**
   * The exit code of a program that says more by it than "it worked", given the exit and the signal that came, if one did.
   * `undefined` leaves it at the usual one.
   */
  readonly exitCode?: (exit: Exit<E, A>, signal: NodeJS.Signals | undefined) => number | undefined
}

// -------------------------------------------------------------------------------------
// runs
// -------------------------------------------------------------------------------------

const codes: { readonly [S in NodeJS.Signals]?: number } = { SIGINT: 130, SIGTERM: 143 }

/** When to say what still waits after a signal. */
const patience = 5000

/** Timers of Node hold at most this many ms; it only has to be there. */
const aLongTime = 2 ** 30

/**
 * Runs a program and sets the exit code: 0 after a value, 1 after a failure, which is printed by
 * `Cause.pretty` on standard error, 128 + n after signal n.
 *
 * - SIGINT and SIGTERM cancel the root scope with the reason `Shutdown`, and the clean-up is waited for. What
 *   still waits after 5 s is named on standard error.
 * - A second signal prints what is alive and leaves at once.
 * - SIGUSR2 prints what is alive, and the program goes on.
 * - The process stays until the exit is known, also when the program waits only in memory; then nothing of
 *   `Main` is left. Until a successful exit `process.exitCode` is 1.
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
  const { exitCode, ...runOptions } = options
  let received: NodeJS.Signals | undefined
  let describe: () => string = () => ''
  let reminder: ReturnType<typeof setTimeout> | undefined

  process.exitCode = 1
  const alive = setInterval(() => undefined, aLongTime)

  const say = (headline: string): void => {
    process.stderr.write(`${headline}\n${describe()}\n`)
  }

  const onSignal = (signal: NodeJS.Signals): void => {
    if (received !== undefined) {
      say(`${signal} again: leaving at once. Still alive:`)
      process.exit(codes[signal] ?? 1)
    }
    received = signal
    reminder = setTimeout(() => {
      say(`Clean-up after ${signal} takes longer than ${patience / 1000} s. Still alive:`)
    }, patience)
    reminder.unref()
    cancel({ _tag: 'Shutdown', signal })
  }

  const onUsr2 = (): void => {
    say('Alive:')
  }

  const onExit = (exit: Exit<E, A>): void => {
    clearInterval(alive)
    clearTimeout(reminder)
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    process.off('SIGUSR2', onUsr2)
    if (exit._tag === 'Left' && !isShutdown(exit.left)) process.stderr.write(`${Cause.pretty(exit.left)}\n`)
    const usual = received !== undefined ? (codes[received] ?? 1) : exit._tag === 'Right' ? 0 : 1
    process.exitCode = exitCode?.(exit, received) ?? usual
  }

  /** A shutdown that went well says nothing. */
  const isShutdown = (cause: Cause.Cause<unknown>): boolean =>
    received !== undefined && Cause.isCancelledOnly(cause)

  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGUSR2', onUsr2)

  const program = Effect.flatMap((view: LowLevel.RunView) => {
    describe = view.describe
    return fx
  })(LowLevel.currentRun)
  const cancel = runCallback(program, onExit, runOptions)
}
