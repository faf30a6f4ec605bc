/** What the tests of the kernel share: causes in short, effects that leave a trace, and runs in virtual time. */
import { Cause, Effect, type Exit, LowLevel, Runtime } from 'millrace'
import { SeededScheduler, TestRuntime, VirtualClock } from 'millrace/testing'

export type Fx<A, E = never> = Effect.Effect<unknown, E, A>

// ---- causes

export const thenAll = <E>(first: Cause.Cause<E>, ...rest: ReadonlyArray<Cause.Cause<E>>): Cause.Cause<E> =>
  rest.reduce(Cause.SemigroupThen<E>().concat, first)

export const bothAll = <E>(first: Cause.Cause<E>, ...rest: ReadonlyArray<Cause.Cause<E>>): Cause.Cause<E> =>
  rest.reduce(Cause.SemigroupBoth<E>().concat, first)

const text = (value: unknown): string => {
  if (value instanceof Error) return value.message
  if (typeof value === 'object' && value !== null && '_tag' in value) return String(value._tag)
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}

/** The parts of a run of the same kind, flat: causes are equal up to associativity. */
const parts = (kind: 'Then' | 'Both', cause: Cause.Cause<unknown>): ReadonlyArray<string> =>
  cause._tag === kind ? [...parts(kind, cause.left), ...parts(kind, cause.right)] : [short(cause)]

/** `Then(Fail a, Die bug, Cancelled)`. Not for deep causes. */
export const short = (cause: Cause.Cause<unknown>): string => {
  switch (cause._tag) {
    case 'Fail':
      return `Fail ${text(cause.error)}`
    case 'Die':
      return `Die ${text(cause.defect)}`
    case 'Cancelled':
      return 'Cancelled'
    default:
      return `${cause._tag}(${parts(cause._tag, cause).join(', ')})`
  }
}

/** `ok 1`, or the cause in short. */
export const shown = (exit: Exit.Exit<unknown, unknown>): string =>
  exit._tag === 'Right' ? `ok ${text(exit.right)}` : short(exit.left)

/** The only defect of a run. */
export const defectOf = (exit: Exit.Exit<unknown, unknown>): any => {
  if (exit._tag !== 'Left' || exit.left._tag !== 'Die') throw new Error(`not a defect alone: ${shown(exit)}`)
  return exit.left.defect
}

/** What a value of the wrong type looks like to the compiler. */
export const wrong = (value: unknown): never => value as never

// ---- runs

/** The exit of a run in virtual time, in short. */
export const run = <E, A>(fx: Effect.Effect<{}, E, A>, seed = 0): string =>
  shown(TestRuntime.runExit(fx, { seed }))

/** The value of a run in virtual time. */
export const value = <E, A>(fx: Effect.Effect<{}, E, A>, seed = 0): A => {
  const exit = TestRuntime.runExit(fx, { seed })
  if (exit._tag === 'Left') throw Cause.toError(exit.left)
  return exit.right
}

/** Runs in a scope that is cancelled; the exit inside of it. */
export const inCancelled = <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, never, Exit.Exit<E, A>> =>
  cancelledBy(() => fx)

/** The same for an effect that is made of the scope's own `Cancelled`. */
export const cancelledBy = <R, E, A>(
  body: (leaf: Cause.Cancelled) => Effect.Effect<R, E, A>
): Effect.Effect<R, never, Exit.Exit<E, A>> =>
  Effect.map((exit: { readonly _tag: string; readonly value?: Exit.Exit<E, A> }) => {
    if (exit.value === undefined) throw new Error('the scope was left without a value')
    return exit.value
  })(
    LowLevel.openScope({ name: 'cancelled' }, (scope) =>
      Effect.gen(function* () {
        yield* LowLevel.cancelScope(scope, 'test')
        const seen = yield* Effect.exit(Effect.checkCancelled)
        if (seen._tag === 'Right' || seen.left._tag !== 'Cancelled') throw new Error('nothing was cancelled')
        return yield* Effect.exit(body(seen.left))
      })
    )
  )

// ---- traces

export interface Trace {
  readonly lines: Array<string>
  readonly add: (line: string) => Fx<void>
  /** With the virtual time since the trace was made, as in `a@10`. */
  readonly at: (line: string) => Fx<void>
}

export const trace = (): Trace => {
  const lines: Array<string> = []
  let start: number | undefined
  return {
    lines,
    add: (line) =>
      Effect.sync(() => {
        lines.push(line)
      }),
    at: (line) =>
      Effect.map((now: number) => {
        start ??= now
        lines.push(`${line}@${now - start}`)
      })(Effect.currentTime)
  }
}

/** Ms of virtual time that an effect takes, and how it ended. */
export const timed = <E, A>(fx: Effect.Effect<{}, E, A>): readonly [string, number] =>
  value(
    Effect.gen(function* () {
      const before = yield* Effect.currentTime
      const exit = yield* Effect.exit(fx)
      return [shown(exit), (yield* Effect.currentTime) - before] as const
    })
  )

// ---- a runtime that is driven by hand

/** Virtual time and seeded choices for the runners of `Runtime`. `drive` runs until nothing is left to do. */
export const byHand = (
  options: Parameters<typeof Runtime.make>[0] = {},
  seed = 0
): {
  readonly runtime: Runtime.Runtime
  readonly clock: VirtualClock.VirtualClock
  readonly scheduler: SeededScheduler.SeededScheduler
  readonly drive: () => void
} => {
  const clock = VirtualClock.make()
  const scheduler = SeededScheduler.make(seed)
  return {
    runtime: Runtime.make({ clock, scheduler, ...options }),
    clock,
    scheduler,
    drive: () => {
      while (scheduler.advance() || clock.advance());
    }
  }
}
