/**
 * `Runtime` runs an effect, at the edge of a program only: inside, effects are composed. A run owns a root scope, starts at
 * once up to its first wait, and settles after all clean-up.
 *
 * For a whole process use `Main` of `millrace/node`, which also handles signals and the exit code; in tests use
 * `TestRuntime` of `millrace/testing`.
 *
 * @since 0.1.0
 */
import { type Cause, isCancelledOnly, toError } from './Cause.js'
import { type Clock, host as hostClock } from './Clock.js'
import type { Effect } from './Effect.js'
import type { Exit } from './Exit.js'
import type { Instrument } from './Instrument.js'
import { abandonRun } from './internal/abandon.js'
import { listen } from './internal/abortHub.js'
import { enableAmbient, isAmbient } from './internal/ambient.js'
import { emptyEnvironment, Done, Fiber } from './internal/fiber.js'
import { Die, type Op, raise, type Untyped } from './internal/op.js'
import type { Child, Owner } from './internal/owner.js'
import { Run } from './internal/run.js'
import { cancellation, type ScopeNode } from './internal/scopeTree.js'
import { borrowQueue, giveBackQueue, type SyncScheduler } from './internal/syncScheduler.js'
import { describeRun } from './internal/tree.js'
import { toCancellation } from './internal/reasons.js'
import { host as hostScheduler, type Scheduler } from './Scheduler.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

declare const RuntimeTypeId: unique symbol

/**
 * A clock, a scheduler and instruments. Opaque; see {@link make}.
 *
 * @category model
 * @since 0.1.0
 */
export interface Runtime {
  readonly [RuntimeTypeId]: true
}

/**
 * How a runtime is made. What is left out is that of the host.
 *
 * @category model
 * @since 0.1.0
 */
export interface RuntimeOptions {
  readonly clock?: Clock
  readonly scheduler?: Scheduler
  readonly instruments?: ReadonlyArray<Instrument>
  /**
   * Carry the signal of a wait through the host's async context, for `AbortSignals.current()`. It slows every `await` of the
   * process, so it is off unless a runtime asks for it.
   */
  readonly asyncContext?: boolean
}

/**
 * How an effect is run.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const controller = new AbortController()
 * const lines: Array<string> = []
 * const program = pipe(Effect.never, Effect.onCancel(Effect.sync(() => { lines.push('closed') })))
 *
 * const run = Runtime.runExit(program, { signal: controller.signal, name: 'server' })
 * controller.abort()
 * assert.ok(Exit.isCancelled(await run))
 * assert.deepEqual(lines, ['closed'])
 *
 * @category model
 * @since 0.1.0
 */
export interface RunOptions {
  /** Cancels the root scope when it aborts. A run never leaves a listener on it. */
  readonly signal?: AbortSignal
  readonly runtime?: Runtime
  /** Name of the main task and of the root scope; `main` when absent. */
  readonly name?: string
  /** Ms that clean-up may take once the run is cancelled; without it clean-up is never cut short. */
  readonly grace?: number
}

/**
 * The defect of `runSync` when the effect would wait.
 *
 * @category model
 * @since 0.1.0
 */
export interface WouldWait {
  readonly _tag: 'WouldWait'
  /** What is alive and what it waits on, a line each. */
  readonly tree: string
}

interface Services {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly instruments: ReadonlyArray<Instrument> | null
  readonly asyncContext: boolean
}

const servicesOf = (runtime: Runtime): Services => runtime as Untyped

/** Written out, not made by `make`, so that a bundle without `make` has no ambient signals to turn on. */
const hostServices: Services = {
  clock: hostClock,
  scheduler: hostScheduler,
  instruments: null,
  asyncContext: false
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A runtime with services of your own; what is left out is that of the host.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * const ended: Array<string> = []
 * const runtime = Runtime.make({ instruments: [{ onExit: (fiber) => ended.push(fiber.name) }] })
 *
 * Runtime.runSync(Effect.unit, { runtime, name: 'hello' })
 * assert.deepEqual(ended, ['hello'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: RuntimeOptions = {}): Runtime => {
  const asyncContext = options.asyncContext === true
  if (asyncContext) enableAmbient()
  const services: Services = {
    clock: options.clock ?? hostClock,
    scheduler: options.scheduler ?? hostScheduler,
    instruments:
      options.instruments === undefined || options.instruments.length === 0 ? null : options.instruments,
    asyncContext
  }
  return services as Untyped
}

/**
 * The runtime of the host: its clock, first ready first run, no instruments. Runs without a `runtime` option
 * use it until `setDefault` is called; name it where a run must not depend on that.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * assert.equal(Runtime.runSync(Effect.succeed(42), { runtime: Runtime.defaultRuntime }), 42)
 *
 * @category constructors
 * @since 0.1.0
 */
export const defaultRuntime: Runtime = hostServices as Untyped

let current: Runtime = defaultRuntime

/**
 * Makes a runtime the one that runs without a `runtime` option use from now on. To be called once, where the
 * program starts; a library has no business here, and a test gives its runtime to the run.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * let ended = 0
 * Runtime.setDefault(Runtime.make({ instruments: [{ onExit: () => { ended++ } }] }))
 *
 * Runtime.runSync(Effect.unit)
 * assert.equal(ended, 1)
 *
 * Runtime.setDefault(Runtime.defaultRuntime)
 *
 * @category constructors
 * @since 0.1.0
 */
export const setDefault = (runtime: Runtime): void => {
  current = runtime
}

// -------------------------------------------------------------------------------------
// runs
// -------------------------------------------------------------------------------------

/** Stands in the place of a group for the main fiber. */
class Edge implements Owner {
  readonly scope: ScopeNode
  private readonly name: string
  private readonly onEnd: () => void

  constructor(scope: ScopeNode, name: string, onEnd: () => void) {
    this.scope = scope
    this.name = name
    this.onEnd = onEnd
  }

  childName(): string {
    return this.name
  }

  childEnded(_child: Child): void {
    this.onEnd()
  }
}

const nothing = (): void => undefined

const noOptions: RunOptions = {}

/** What a run is asked to do; a mistake in the options is a defect of the run, since some runners never throw. */
const checked = (fx: Effect<never, unknown, unknown>, grace: number | undefined): Op =>
  grace !== undefined && Number.isNaN(grace)
    ? raise(Die, new TypeError('The grace of a run must be a number of milliseconds, but is NaN.'))
    : (fx as Untyped as Op)

interface Launched {
  readonly run: Run
  readonly main: Fiber
}

/** Starts a run: its root is cancelled first if the signal was aborted before, and the effect still starts. */
const launch = (
  fx: Effect<never, unknown, unknown>,
  options: RunOptions,
  onEnd: (main: Fiber) => void
): Launched => {
  const { clock, scheduler, instruments, asyncContext } = servicesOf(options.runtime ?? current)
  const { signal, grace } = options
  const name = options.name ?? 'main'
  // Started by code that has a signal around it: what that code is part of must reach the waits of this run as well.
  const run = new Run(clock, scheduler, instruments, name, asyncContext || isAmbient())
  if (grace !== undefined && !Number.isNaN(grace)) run.root.setGrace(grace)

  const abort = () => {
    run.root.cancel(cancellation({ _tag: 'Aborted', reason: (signal as AbortSignal).reason }))
  }
  let unlisten = nothing
  const edge = new Edge(run.root, name, () => {
    unlisten()
    run.close()
    onEnd(main)
  })
  const main: Fiber = new Fiber(run, run.root, edge, checked(fx, grace), emptyEnvironment, null, name, 0)
  if (signal !== undefined) {
    if (signal.aborted) abort()
    else unlisten = listen(signal, abort)
  }
  if (scheduler.start === undefined) scheduler.schedule(main)
  else scheduler.start(main)
  return { run, main }
}

/**
 * Runs the effect; the promise never rejects. For callers that treat failures, bugs and cancellations
 * differently; `runPromise` fits better where exceptions are the custom.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Cause, Effect, Runtime } from 'millrace'
 *
 * const exit = await Runtime.runExit(Effect.fail('no'))
 * assert.ok(exit._tag === 'Left')
 * assert.deepEqual(Cause.failures(exit.left), ['no'])
 *
 * @category runs
 * @since 0.1.0
 */
export const runExit = <E, A>(fx: Effect<{}, E, A>, options: RunOptions = {}): Promise<Exit<E, A>> =>
  new Promise((resolve) => {
    launch(fx, options, (main) => {
      resolve(main.exit())
    })
  })

/**
 * Runs the effect; the promise rejects with `Cause.toError` of the cause, or with `signal.reason` when the run was ended by
 * its own `signal` and nothing else went wrong.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * assert.equal(await Runtime.runPromise(Effect.succeed(42)), 42)
 * await assert.rejects(Runtime.runPromise(Effect.fail('no')), { name: 'CauseError' })
 *
 * @category runs
 * @since 0.1.0
 */
export const runPromise = <E, A>(fx: Effect<{}, E, A>, options: RunOptions = {}): Promise<A> =>
  new Promise((resolve, reject) => {
    launch(fx, options, (main) => {
      const cause = main.failure()
      if (cause === null) resolve(main.value)
      // The reason is the caller's own value, an error by custom only.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      else reject(endedBySignal(cause, options.signal) ? options.signal?.reason : toError(cause))
    })
  })

/** Nothing but its signal cancels the root of such a run, so a cancellation that leaves it comes from there. */
const endedBySignal = (cause: Cause<unknown>, signal: AbortSignal | undefined): boolean =>
  signal !== undefined && signal.aborted && isCancelledOnly(cause)

/**
 * Runs an effect that does not wait, and returns its exit. For effects made of `sync`, `gen` and services in
 * memory, called by code that cannot await; it also works inside of a fiber. Spawned tasks and `yieldNow` are
 * fine, what waits for time or for something outside is not.
 *
 * **Errors.** The defect {@link WouldWait} if the effect would wait: it is cancelled then, and its finalizers
 * run as far as they can without waiting.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Cause, Effect, Exit, Runtime } from 'millrace'
 *
 * assert.deepEqual(Runtime.runSyncExit(Effect.fail('no')), Exit.fail('no'))
 *
 * const exit = Runtime.runSyncExit(Effect.sleep(1), { name: 'nap' })
 * assert.ok(exit._tag === 'Left')
 * assert.deepEqual(Cause.defects(exit.left), [{ _tag: 'WouldWait', tree: 'nap running, waits on sleep since 0 ms' }])
 *
 * @category runs
 * @since 0.1.0
 */
export const runSyncExit = <E, A>(fx: Effect<{}, E, A>, options: RunOptions = noOptions): Exit<E, A> =>
  runNow(fx, options, exitOf)

const exitOf = (main: Fiber, stuck: Cause<never> | null): Exit<never, never> =>
  stuck === null ? main.exit() : { _tag: 'Left', left: stuck }

/**
 * Runs an effect that does not wait, and returns its value. Throws `Cause.toError` of the cause, which holds the defect
 * {@link WouldWait} if the effect would wait.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Runtime } from 'millrace'
 *
 * assert.equal(Runtime.runSync(Effect.succeed(42)), 42)
 * assert.throws(() => Runtime.runSync(Effect.sleep(1)), /WouldWait/)
 *
 * @category runs
 * @since 0.1.0
 */
export const runSync = <E, A>(fx: Effect<{}, E, A>, options: RunOptions = noOptions): A =>
  runNow(fx, options, valueOf)

const valueOf = (main: Fiber, stuck: Cause<never> | null): never => {
  const cause = stuck ?? main.failure()
  if (cause !== null) throw toError(cause)
  return main.value as never
}

/**
 * Drives a queue of its own, so that it also works inside of a fiber. Small programs are run in this way a million times, so
 * what most runs do not need stands in functions of its own.
 */
const runNow = <B>(
  fx: Effect<never, unknown, unknown>,
  options: RunOptions,
  result: (main: Fiber, stuck: Cause<never> | null) => B
): B => {
  const { clock, instruments, asyncContext } = servicesOf(options.runtime ?? current)
  const name = options.name ?? 'main'
  const queue = borrowQueue()
  const run = new Run(clock, queue, instruments, name, asyncContext)
  const main = new Fiber(run, run.root, null, fx as Untyped as Op, emptyEnvironment, null, name, 0)
  if (options !== noOptions) prepare(main, options)
  main.run()
  queue.drain()
  const stuck = main.status === Done ? null : giveUp(main, queue)
  run.close()
  giveBackQueue(queue)
  return result(main, stuck)
}

const prepare = (main: Fiber, { signal, grace }: RunOptions): void => {
  const { root } = main.runOf
  main.value = checked(main.value, grace)
  if (grace !== undefined && !Number.isNaN(grace)) root.setGrace(grace)
  if (signal?.aborted === true) root.cancel(cancellation({ _tag: 'Aborted', reason: signal.reason }))
}

/** Ends a run that would wait. Its finalizers run as far as they can. */
const giveUp = (main: Fiber, queue: SyncScheduler): Cause<never> => {
  const defect: WouldWait = { _tag: 'WouldWait', tree: describeRun(main.runOf) }
  return abandonRun(main, defect, 'runSync does not wait', () => {
    queue.drain()
  })
}

/**
 * Starts a run and calls back at its end. The result cancels the run, with a reason as in `CancelScope.cancel`; it does not
 * wait for the end.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, Runtime } from 'millrace'
 *
 * const exit = await new Promise<Exit.Exit<never, void>>((resolve) => {
 *   const cancel = Runtime.runCallback(Effect.sleep(60_000), resolve)
 *   cancel('not needed')
 * })
 * assert.ok(Exit.isCancelled(exit))
 *
 * @category runs
 * @since 0.1.0
 */
export const runCallback = <E, A>(
  fx: Effect<{}, E, A>,
  onExit: (exit: Exit<E, A>) => void,
  options: RunOptions = {}
): ((reason?: unknown) => void) => {
  const { run } = launch(fx, options, (main) => {
    try {
      onExit(main.exit())
    } catch (thrown) {
      // Not through the run loop, in whose last step this is: the host hears of it as of any callback that throws.
      queueMicrotask(() => {
        throw thrown
      })
    }
  })
  return (reason) => {
    if (!run.closed) run.root.cancel(toCancellation(reason, { _tag: 'None' }))
  }
}
