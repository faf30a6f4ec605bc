/**
 * Laws of the border to the world outside, as far as they are synchronous: callbacks, abort signals, and what of fp-ts does
 * not wait.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { AbortSignals, CancelScope, Effect, Exit, Runtime, TaskGroup, Timeout } from 'millrace'
import { allOf, expectExit, invariant, lines, observe } from './Equality.js'
import { law, lawSet, type LawSet, wrong } from './LawSet.js'
import { interpret as build, printInputs, type Program, sequential, straight } from './Program.js'
import { sidesOf } from './Sides.js'
import { show } from './Show.js'
import type { Fx, World } from './World.js'

const { andThen, sleep } = Effect

const group = 'interop'

const sides = sidesOf(group)

interface OneFx {
  readonly e: Program
}

/** A wait on a callback, and the callback. */
const callback = (w: World, name: string): readonly [Fx, (value: unknown) => void] => {
  let resume: (value: unknown) => void = () => {
    w.note(`${name} resumed before it waits`)
  }
  const wait = Effect.async<never, unknown>((callMe) => {
    w.note(`${name} registered`)
    resume = (value) => callMe(Exit.succeed(value))
    return () => {
      w.note(`${name} cleaned up`)
    }
  })
  return [wait, (value) => resume(value)]
}

/** How many listeners a signal has. */
const counting = (): { readonly controller: AbortController; readonly listeners: () => number } => {
  const controller = new AbortController()
  const { signal } = controller
  let count = 0
  const add = signal.addEventListener.bind(signal) as (...of: ReadonlyArray<unknown>) => void
  const remove = signal.removeEventListener.bind(signal) as (...of: ReadonlyArray<unknown>) => void
  Object.assign(signal, {
    addEventListener: (...of: ReadonlyArray<unknown>) => {
      count++
      add(...of)
    },
    removeEventListener: (...of: ReadonlyArray<unknown>) => {
      count--
      remove(...of)
    }
  })
  return { controller, listeners: () => count }
}

/**
 * Callbacks, signals and conversions.
 *
 * @category law sets
 * @since 0.1.0
 */
export const interop: LawSet = lawSet('interop', [
  sides<{ readonly e: Program; readonly n: number }>(
    'I1 async that resumes at once is a value, and a look whether it is cancelled',
    { e: straight, n: fc.nat(3) },
    [
      ({ e, n }) =>
        (w) =>
          andThen(build(w, 'e', e))(
            Effect.async<never, number>((resume) => {
              resume(Exit.succeed(n))
              resume(Exit.succeed(n + 1))
            })
          ),
      ({ e, n }) =>
        (w) =>
          pipe(Effect.checkCancelled, Effect.as(n), andThen(build(w, 'e', e)))
    ]
  ),
  invariant({
    name: 'I2 only the first call of resume counts, and the clean-up runs once',
    group,
    input: fc.record({ calls: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }) }),
    show: printInputs,
    run:
      ({ calls }) =>
      (w) => {
        const [wait, resume] = callback(w, 'wait')
        return TaskGroup.open<unknown>()((tasks) =>
          pipe(tasks.spawn(Effect.sync(() => calls.forEach(resume))), andThen(wait))
        )
      },
    check: (observation, { calls }) => {
      const trace = lines(observation)
      if (trace.includes('wait resumed before it waits')) return null
      return allOf(expectExit(`Right(${calls[0]!})`), (o) =>
        lines(o).join() === 'wait registered,wait cleaned up' ? null : 'the clean-up did not run once'
      )(observation)
    }
  }),
  invariant({
    name: 'I3 a callback of a wait that is over never ends a later one',
    group,
    input: fc.record({ first: fc.constantFrom('cancelled', 'resumed'), stale: fc.nat(3) }),
    show: printInputs,
    run:
      ({ first, stale }) =>
      (w) => {
        const [wait, resume] = callback(w, 'first')
        let late: (value: unknown) => void = () => undefined
        return TaskGroup.open<unknown>()((tasks) =>
          Effect.gen(function* () {
            if (first === 'resumed') yield* tasks.spawn(andThen(Effect.sync(() => resume('early')))(sleep(1)))
            yield* tasks.spawn(
              pipe(
                sleep(2),
                andThen(
                  Effect.sync(() => {
                    for (let i = 0; i < stale; i++) resume('stale')
                  })
                ),
                andThen(sleep(1)),
                andThen(Effect.sync(() => late('late')))
              )
            )
            yield* Timeout.moveOnAfter(first === 'cancelled' ? 1 : 9)(wait)
            return yield* Effect.async<never, unknown>((callMe) => {
              late = (value) => callMe(Exit.succeed(value))
            })
          })
        )
      },
    check: allOf(expectExit('Right("late")'), ({ time }) => (time === 3 ? null : 'it ended early'))
  }),
  invariant({
    name: 'I4 a wait that was cancelled has cleaned up, and later calls are ignored',
    group,
    input: fc.record({ wait: fc.nat(3) }),
    show: printInputs,
    run:
      ({ wait }) =>
      (w) => {
        const [foreign, resume] = callback(w, 'wait')
        return pipe(
          Timeout.moveOnAfter(wait)(foreign),
          Effect.tap(() => Effect.sync(() => resume('late'))),
          Effect.tap(() => sleep(1))
        )
      },
    check: (observation, { wait }) =>
      allOf(expectExit('Right(None)'), (o) =>
        lines(o).join() === (wait === 0 ? 'wait resumed before it waits' : 'wait registered,wait cleaned up')
          ? null
          : 'the clean-up did not run once'
      )(observation)
  }),
  law({
    name: 'I5 a run with a signal that was aborted before = the effect in a cancelled scope',
    group,
    input: fc.record({ e: sequential }),
    show: printInputs,
    holds: ({ e }) => {
      const left = observe(
        (w) => build(w, 'e', e),
        () => 0,
        { signal: AbortSignal.abort() }
      )
      const right = observe(
        (w) =>
          Timeout.shielded(CancelScope.open((scope) => andThen(seen(w, build(w, 'e', e)))(scope.cancel()))),
        () => 0
      )
      const exit = lines(right)
        .find((line) => line.startsWith('ended '))
        ?.slice('ended '.length)
      const trace = right.trace.filter((line) => !line.startsWith('ended '))
      return left.exit === exit && left.trace.join() === trace.join()
        ? null
        : wrong(`run:   ${left.exit}: ${left.trace.join()}\nscope: ${String(exit)}: ${trace.join()}`)
    }
  }),
  invariant({
    name: 'I6 a scope that listens to a signal is cancelled by it, once, and listens no longer when it was left',
    group,
    input: fc.record({ when: fc.constantFrom('before', 'while', 'after'), nested: fc.boolean() }),
    show: printInputs,
    run:
      ({ when, nested }) =>
      (w) => {
        const { controller, listeners } = counting()
        const abort = Effect.sync(() => controller.abort('why'))
        const inside: Fx = nested ? Timeout.moveOnAfter(5)(sleep(2)) : sleep(2)
        return Effect.gen(function* () {
          if (when === 'before') yield* abort
          const option = yield* TaskGroup.open<unknown>()((tasks) =>
            Effect.gen(function* () {
              yield* tasks.spawn(when === 'while' ? andThen(abort)(sleep(1)) : Effect.unit)
              return yield* CancelScope.open((scope) =>
                pipe(
                  AbortSignals.cancelOn(controller.signal)(scope),
                  andThen(AbortSignals.cancelOn(controller.signal)(scope)),
                  andThen(inside),
                  Effect.onCancel(w.tick('cancelled'))
                )
              )
            })
          )
          if (when === 'after') yield* abort
          yield* sleep(1)
          return [option._tag, listeners()]
        })
      },
    check: (observation, { when }) =>
      allOf(expectExit(`Right(["${when === 'after' ? 'Some' : 'None'}", 0])`), (o) =>
        lines(o).length === (when === 'after' ? 0 : 1) ? null : 'it was not cancelled once'
      )(observation)
  }),
  invariant({
    name: 'I7 the signal of a scope is aborted when the scope is cancelled, once, before anything inside goes on',
    group,
    input: fc.record({ how: fc.constantFrom('own', 'outside', 'deadline', 'nothing') }),
    show: printInputs,
    run:
      ({ how }) =>
      (w) =>
        Effect.gen(function* () {
          yield* CancelScope.open((outer) =>
            Timeout.moveOnAfter(how === 'deadline' ? 2 : Infinity)(
              CancelScope.open((scope) =>
                TaskGroup.open<unknown>()((tasks) =>
                  Effect.gen(function* () {
                    const signal = yield* AbortSignals.fromScope(scope)
                    signal.addEventListener('abort', () => w.note('aborted'))
                    if (signal !== (yield* AbortSignals.fromScope(scope))) yield* w.tick('another signal')
                    yield* tasks.spawn(
                      pipe(
                        sleep(1),
                        andThen(
                          how === 'own' ? scope.cancel() : how === 'outside' ? outer.cancel() : Effect.unit
                        )
                      )
                    )
                    yield* Effect.ensuring(w.tick('over'))(sleep(4))
                  })
                )
              )
            )
          )
        }),
    check: (observation, { how }) => {
      const trace = lines(observation)
      const aborted = trace.filter((line) => line === 'aborted').length
      if (how === 'nothing') return aborted === 0 ? null : 'it was aborted'
      return aborted === 1 && trace[0] === 'aborted' ? null : 'it was not aborted once, and first'
    }
  }),
  sides<{ readonly n: number }>('I8 fromEither, fromIOEither and tryCatch agree', { n: fc.nat(3) }, [
    ({ n }) =>
      () =>
        Effect.tuple([
          Effect.exit(Effect.fromEither(either(n))),
          Effect.exit(Effect.fromIOEither(() => either(n)))
        ]),
    ({ n }) =>
      () =>
        Effect.tuple([
          Effect.exit(
            Effect.tryCatch(
              () => {
                if (n % 2 === 0) throw n
                return n
              },
              (thrown) => thrown
            )
          ),
          Effect.exit(Effect.suspend((): Fx => (n % 2 === 0 ? Effect.fail(n) : Effect.of(n))))
        ])
  ]),
  sides<OneFx>(
    'I9 either ∘ fromEither = identity, and fromEither ∘ either for failures alone',
    { e: straight },
    [
      ({ e }) =>
        (w) =>
          Effect.flatMap((of: E.Either<unknown, unknown>): Fx => Effect.fromEither(of))(
            Effect.either(single(w, build(w, 'e', e)))
          ),
      ({ e }) =>
        (w) =>
          single(w, build(w, 'e', e))
    ]
  ),
  law({
    name: 'I10 runSyncExit = the exit of a run, for what does not wait',
    group,
    input: fc.record({ e: straight }),
    show: printInputs,
    holds: ({ e }) => {
      let sync: unknown
      const { exit } = observe(
        (w) => {
          sync = Runtime.runSyncExit(build(w, 'e', e))
          return build(w, 'e', e)
        },
        () => 0
      )
      return show(sync) === exit ? null : wrong(`runSyncExit: ${show(sync)}\nrun: ${exit}`)
    }
  })
])

function either(n: number): E.Either<number, number> {
  return n % 2 === 0 ? E.left(n) : E.right(n)
}

/** Notes how it ended. */
function seen(w: World, fx: Fx): Fx {
  return Effect.onExit((exit) => w.tick(`ended ${show(exit)}`))(fx)
}

/** The law says nothing about causes of more than one leaf. */
function single(w: World, fx: Fx): Fx {
  return Effect.onExit((exit) =>
    Effect.sync(() => {
      if (exit._tag === 'Left' && (exit.left._tag === 'Then' || exit.left._tag === 'Both')) w.outside = true
    })
  )(fx)
}
