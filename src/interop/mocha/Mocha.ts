/**
 * Effects as mocha tests, imported from `millrace/mocha`. A test is an effect, on the host (`it.effect`) or in virtual time
 * (`it.virtual`), and a resource can be shared by the tests of a block (`withResource`).
 *
 * A failure is shown as mocha shows any other: the cause as its message, with the difference of what an assertion expected
 * and what it got, and the place in the test. A test that takes too long is cancelled: it fails with a list of
 * what it was waiting for, after its clean-up, so that nothing of it runs on beside the next test.
 *
 * `describe`, `it`, `before` and `after` are taken from where mocha puts them when it runs a file; mocha itself is no
 * dependency.
 *
 * @since 0.1.0
 */
import { type Cause, defects, isCancelledOnly, pretty, toError } from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as Runtime from '../../effect/Runtime.js'
import * as TestRuntime from '../../effect/testing/TestRuntime.js'
import * as Resource from '../../scope/Resource.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What mocha gives a test as `this`, as far as it is used here.
 *
 * @category model
 * @since 0.1.0
 */
export interface TestContext {
  /** Ms that the test may take; 0 for no bound. */
  timeout(): number
  timeout(ms: number | string): unknown
  /** Ends the test as skipped. */
  skip(): never
}

/**
 * What mocha's own `it` returns, as far as it is used here.
 *
 * @category model
 * @since 0.1.0
 */
export interface MochaTest {
  timeout(ms: number | string): this
  slow(ms: number | string): this
  retries(count: number): this
}

/**
 * How the effect of an `it.effect` is run.
 *
 * @category model
 * @since 0.1.0
 */
export interface EffectTestOptions {
  readonly runtime?: Runtime.Runtime
}

/**
 * What a test of an effect is made from. Called once a run of the test, with mocha's context as `this` when it is no arrow
 * function.
 *
 * @category model
 * @since 0.1.0
 */
export type EffectBody = (this: TestContext) => Effect.Effect<{}, unknown, unknown>

/**
 * Registers an effect as a test, which fails if the effect does; `Effect.sync(() => this.skip())` skips it.
 *
 * @category model
 * @since 0.1.0
 */
export interface EffectTest<O = EffectTestOptions> {
  (name: string, fx: EffectBody, options?: O): MochaTest
  /** Only this test and others marked so are run. */
  readonly only: (name: string, fx: EffectBody, options?: O) => MochaTest
  /** Is not run, and listed as pending. */
  readonly skip: (name: string, fx: EffectBody, options?: O) => MochaTest
}

/**
 * `it`, with effects.
 *
 * @category model
 * @since 0.1.0
 */
export interface TestRunner {
  /** As mocha's own. */
  (name: string, test?: (this: TestContext) => void | PromiseLike<unknown>): MochaTest
  readonly only: (name: string, test?: (this: TestContext) => void | PromiseLike<unknown>) => MochaTest
  readonly skip: (name: string, test?: (this: TestContext) => void | PromiseLike<unknown>) => MochaTest
  /** On the runtime of the host, in real time. */
  readonly effect: EffectTest
  /** On `TestRuntime`: virtual time, and a seed that is printed when the test fails. */
  readonly virtual: EffectTest<TestRuntime.TestOptions>
}

// -------------------------------------------------------------------------------------
// what mocha puts into the globals
// -------------------------------------------------------------------------------------

type Body = (this: TestContext) => unknown
type Register = (name: string, body?: Body) => MochaTest
interface RegisterTest extends Register {
  readonly only: Register
  readonly skip: Register
}

interface Globals {
  readonly it?: RegisterTest
  readonly describe?: (name: string, body: () => void) => unknown
  readonly before?: (name: string, body: Body) => void
  readonly after?: (name: string, body: Body) => void
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> }
}

const globals = (): Globals => globalThis as unknown as Globals

const fromMocha = <N extends 'it' | 'describe' | 'before' | 'after'>(name: N): NonNullable<Globals[N]> => {
  const found = globals()[name]
  if (typeof found === 'function') return found
  throw new TypeError(
    `millrace/mocha found no global function ${name}: tests are registered while mocha runs the file. Run it with ` +
      '`mocha file.js`, with the interface "bdd".'
  )
}

/** Kept, since tests may replace those of the host. */
const { setTimeout, clearTimeout } = globalThis

// -------------------------------------------------------------------------------------
// seeds
// -------------------------------------------------------------------------------------

const variable = 'MILLRACE_SEED'

let drawn: number | undefined

/** One for all the tests of a process: from the environment, or else another one each time, so that runs try different orders. */
const seedOfProcess = (): number => {
  const given = globals().process?.env?.[variable]
  if (given === undefined || given === '') return (drawn ??= Math.floor(Math.random() * 2 ** 31))
  const seed = Number(given)
  if (Number.isSafeInteger(seed)) return seed
  throw new TypeError(`${variable} must be a whole number, but is ${JSON.stringify(given)}.`)
}

// -------------------------------------------------------------------------------------
// failures
// -------------------------------------------------------------------------------------

/** Where we stand ourselves: frames from there say nothing about a test. */
const ownFolder = (() => {
  const url = import.meta.url.replace(/(dist|src)\/interop\/mocha\/[^/]*$/, '')
  return { url, path: url.replace(/^file:\/\//, '') }
})()

const isOwn = (frame: string): boolean =>
  [ownFolder.url, ownFolder.path].some(
    (folder) => folder !== '' && (frame.includes(`${folder}dist/`) || frame.includes(`${folder}src/`))
  )

const isOfHost = (frame: string): boolean =>
  frame.includes('node:internal') || /at (new )?[\w.]+ \(<anonymous>\)$/.test(frame)

/** The lines of a stack that say where in the test, without ours and those of the host. */
const framesOf = (error: unknown): ReadonlyArray<string> => {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : ''
  return stack.split('\n').filter((line) => /^\s+at /.test(line) && !isOwn(line) && !isOfHost(line))
}

/** Where a test was registered: for failures that have no place of their own. */
const here = (): Error => new Error('registered here')

/** What mocha looks at to show a difference, and what was the reason of an error. */
const kept = ['actual', 'expected', 'showDiff', 'operator', 'generatedMessage', 'code', 'cause'] as const

/** Skipping is a thrown error of mocha's. */
const skipOf = (cause: Cause<unknown>): unknown =>
  defects(cause).find((defect) => defect instanceof Error && /^Pending(Error)?$/.test(defect.name))

/** The defect of a run that was stuck, which holds a tree of tasks. */
interface Stuck {
  readonly _tag: string
  readonly tree: string
}

const isStuck = (defect: unknown): defect is Stuck =>
  typeof defect === 'object' && defect !== null && '_tag' in defect && 'tree' in defect

/** A tree of tasks is there to be read, in lines of its own. */
const messageOf = (cause: Cause<unknown>): string => {
  const first = cause._tag === 'Then' ? cause.left : cause
  if (first._tag !== 'Die' || !isStuck(first.defect)) return toError(cause).message
  const { _tag, tree } = first.defect
  return [_tag, tree, ...(cause._tag === 'Then' ? ['and then', pretty(cause.right)] : [])].join('\n')
}

const errorOf = (cause: Cause<unknown>, place: Error, notes: ReadonlyArray<string>): unknown => {
  const skipped = skipOf(cause)
  if (skipped !== undefined) return skipped
  const primary = toError(cause).cause
  const error = new Error([messageOf(cause), ...notes].join('\n'))
  if (primary instanceof Error) {
    error.name = primary.name
    for (const key of kept) {
      if (key in primary) {
        const value = (primary as unknown as Record<string, unknown>)[key]
        Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true })
      }
    }
  }
  return placed(error, primary, place)
}

const timeoutOf = (ms: number, tree: string, cause: Cause<unknown> | null, place: Error): unknown => {
  const lines = [
    `Timeout of ${ms} ms exceeded, and cancelled. This is what was alive:`,
    tree,
    ...(cause === null || isCancelledOnly(cause) ? [] : ['and then', pretty(cause)])
  ]
  const error = new Error(lines.join('\n'))
  Object.defineProperty(error, 'code', { value: 'ERR_MOCHA_TIMEOUT', enumerable: true })
  return placed(error, null, place)
}

const placed = (error: Error, primary: unknown, place: Error): Error => {
  const frames = framesOf(primary)
  error.stack = [`${error.name}: ${error.message}`, ...(frames.length > 0 ? frames : framesOf(place))].join(
    '\n'
  )
  return error
}

// -------------------------------------------------------------------------------------
// running on the host
// -------------------------------------------------------------------------------------

/**
 * Watches the time in the place of mocha, which would begin with the next test while this one still runs: cancels instead, and
 * its end is awaited.
 */
class Watch {
  /** What was alive when the time was over. */
  late: string | null = null
  private readonly context: TestContext
  readonly ms: number
  private readonly timer: ReturnType<typeof setTimeout> | null

  constructor(context: TestContext, cancel: () => string) {
    this.context = context
    this.ms = context.timeout()
    context.timeout(0)
    this.timer =
      this.ms > 0
        ? setTimeout(() => {
            this.late = cancel()
          }, this.ms)
        : null
  }

  end(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.context.timeout(this.ms)
  }
}

/** An effect that runs, can be looked at, and can be ended. */
class HostRun<E> {
  readonly ended: Promise<Exit<E, unknown>>
  private readonly controller = new AbortController()
  private describe: () => string = () => ''

  constructor(fx: Effect.Effect<{}, E, unknown>, name: string, grace: number, options: EffectTestOptions) {
    const seen = Effect.flatMap((view: LowLevel.RunView) => {
      this.describe = view.describe
      return fx
    })(LowLevel.currentRun)
    this.ended = Runtime.runExit(seen, {
      name,
      signal: this.controller.signal,
      ...(grace > 0 ? { grace } : {}),
      ...options
    })
  }

  readonly cancel = (): string => {
    const tree = this.describe()
    this.controller.abort(new Error('the time of the test is over'))
    return tree
  }
}

const runOnHost = async <E>(
  context: TestContext,
  fx: Effect.Effect<{}, E, unknown>,
  name: string,
  place: Error,
  options: EffectTestOptions
): Promise<void> => {
  // Clean-up may take as long again as the test.
  const run = new HostRun(fx, name, context.timeout(), options)
  const watch = new Watch(context, run.cancel)
  const exit = await run.ended
  watch.end()
  const cause = exit._tag === 'Left' ? exit.left : null
  if (cause !== null && skipOf(cause) !== undefined) throw skipOf(cause)
  if (watch.late !== null) throw timeoutOf(watch.ms, watch.late, cause, place)
  if (cause !== null) throw errorOf(cause, place, [])
}

// -------------------------------------------------------------------------------------
// tests
// -------------------------------------------------------------------------------------

type Run<O> = (
  context: TestContext,
  name: string,
  fx: EffectBody,
  place: Error,
  options: O | undefined
) => unknown

const effectTest = <O>(run: Run<O>): EffectTest<O> => {
  const register =
    (how: () => Register) =>
    (name: string, fx: EffectBody, options?: O): MochaTest => {
      const place = here()
      return how()(name, function () {
        return run(this, name, fx, place, options)
      })
    }
  return Object.assign(
    register(() => fromMocha('it')),
    { only: register(() => fromMocha('it').only), skip: register(() => fromMocha('it').skip) }
  )
}

/** A promise that has been settled would be no test in virtual time: all of it happens inside of this call. */
const runVirtual: Run<TestRuntime.TestOptions> = (context, name, fx, place, options) => {
  const seed = options?.seed ?? seedOfProcess()
  const settings = options?.schedule === undefined ? { name, ...options, seed } : { name, ...options }
  const exit = TestRuntime.runExit(
    Effect.suspend(() => fx.call(context)),
    settings
  )
  if (exit._tag === 'Right') return
  const note =
    settings.schedule !== undefined
      ? `with the schedule '${TestRuntime.showSchedule(settings.schedule)}'`
      : `with seed ${seed}; ${variable}=${seed} makes the same run again`
  throw errorOf(exit.left, place, ['', note])
}

/**
 * `it` with effects: `it.effect(name, () => effect)` runs one on the host, `it.virtual(name, () => effect)` in virtual time.
 * Each has `only` and `skip`, and takes options of the run. Called itself it is mocha's own.
 *
 * The seed of `it.virtual` is one for all tests of a process, another one each time; a failure prints it, and with the
 * variable `MILLRACE_SEED` in the environment the tests run with it again.
 *
 * **Cancellation.** A test of `it.effect` that takes longer than mocha's timeout is cancelled. Its clean-up may take as long again;
 * then its waits are let go. Mocha goes on when it has ended.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect } from 'millrace'
 * import { it } from 'millrace/mocha'
 *
 * it.virtual('an hour passes at once', () =>
 *   Effect.gen(function* () {
 *     const before = yield* Effect.currentTime
 *     yield* Effect.sleep(3_600_000)
 *     assert.equal((yield* Effect.currentTime) - before, 3_600_000)
 *   })
 * )
 *
 * it.effect('a timer of the host', () => Effect.sleep(1))
 *
 * // Output:
 * //   ✔ an hour passes at once
 * //   ✔ a timer of the host
 *
 * @category tests
 * @since 0.1.0
 */
export const it: TestRunner = Object.assign(
  (name: string, test?: Body): MochaTest => fromMocha('it')(name, test),
  {
    only: (name: string, test?: Body): MochaTest => fromMocha('it').only(name, test),
    skip: (name: string, test?: Body): MochaTest => fromMocha('it').skip(name, test),
    effect: effectTest<EffectTestOptions>((context, name, fx, place, options = {}) =>
      runOnHost(
        context,
        Effect.suspend(() => fx.call(context)),
        name,
        place,
        options
      )
    ),
    virtual: effectTest<TestRuntime.TestOptions>(runVirtual)
  }
)

// -------------------------------------------------------------------------------------
// resources
// -------------------------------------------------------------------------------------

/** A resource that is held from one hook to another, by one fiber. */
class Held<E, A> {
  private readonly name: string
  private readonly resource: Resource.Resource<{}, E, A>
  private readonly place: Error
  private run: HostRun<E> | null = null
  private value: { readonly of: A } | null = null
  private exit: Exit<E, unknown> | null = null
  private letGo: () => void = () => undefined

  constructor(name: string, resource: Resource.Resource<{}, E, A>, place: Error) {
    this.name = name
    this.resource = resource
    this.place = place
  }

  readonly get = (): A => {
    if (this.value !== null) return this.value.of
    const why =
      this.run === null
        ? 'it is acquired before the first test: call get() inside of a test, not beside it'
        : `it has ended${this.exit?._tag === 'Left' ? `: ${pretty(this.exit.left)}` : ''}`
    throw new Error(`The resource of ${JSON.stringify(this.name)} is not there: ${why}.`)
  }

  async acquire(context: TestContext): Promise<void> {
    this.exit = null
    let ready: () => void = () => undefined
    const isReady = new Promise<void>((resolve) => {
      ready = resolve
    })
    const program = Resource.use((value: A) =>
      Effect.async((resume) => {
        this.value = { of: value }
        this.letGo = () => {
          resume({ _tag: 'Right', right: undefined })
        }
        ready()
      })
    )(this.resource)
    const run = new HostRun<E>(program, this.name, context.timeout(), {})
    this.run = run
    const watch = new Watch(context, run.cancel)
    const ended = run.ended.then((exit) => {
      this.exit = exit
      this.value = null
    })
    await Promise.race([isReady, ended])
    // Cancelled at the last moment: its end is awaited all the same.
    if (watch.late !== null) await ended
    watch.end()
    const exit = this.exit as Exit<E, unknown> | null
    if (exit === null) return
    // It has ended before it was there, so there is nothing to release.
    this.run = null
    this.fail(exit, watch)
  }

  async release(context: TestContext): Promise<void> {
    const { run } = this
    if (run === null) return
    const watch = new Watch(context, run.cancel)
    this.letGo()
    const exit = await run.ended
    watch.end()
    this.run = null
    this.fail(exit, watch)
  }

  private fail(exit: Exit<E, unknown>, watch: Watch): void {
    const cause = exit._tag === 'Left' ? exit.left : null
    if (watch.late !== null) throw timeoutOf(watch.ms, watch.late, cause, this.place)
    if (cause !== null) throw errorOf(cause, this.place, [])
  }
}

/**
 * A `describe` around tests that share a resource. It is acquired before the first of them and released after the last, in one
 * fiber, so it may own scopes, groups and background tasks. `get` gives its value inside of the tests.
 *
 * **Errors.** A failing acquire or release, and a failure of something that the resource runs in the background, is a
 * failed hook of the block; without the resource its tests are not run.
 * **Cancellation.** A hook that takes longer than mocha's timeout cancels the resource and fails after its clean-up.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Resource } from 'millrace'
 * import { it, withResource } from 'millrace/mocha'
 *
 * withResource('a shared list', Resource.of<Array<number>>([]), (get) => {
 *   it.effect('is empty', () => Effect.sync(() => { assert.deepEqual(get(), []) }))
 *   it('is there for tests without effects', () => { get().push(1) })
 * })
 *
 * // Output:
 * //   a shared list
 * //     ✔ is empty
 * //     ✔ is there for tests without effects
 *
 * @category resources
 * @since 0.1.0
 */
export const withResource = <E, A>(
  name: string,
  resource: Resource.Resource<{}, E, A>,
  tests: (get: () => A) => void
): void => {
  const held = new Held(name, resource, here())
  fromMocha('describe')(name, () => {
    fromMocha('before')('acquire', function () {
      return held.acquire(this)
    })
    fromMocha('after')('release', function () {
      return held.release(this)
    })
    tests(held.get)
  })
}
