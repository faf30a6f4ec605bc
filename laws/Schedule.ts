/**
 * Laws of `retry` and `repeat`: how often, when exactly, and what is never tried again.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import * as O from 'fp-ts/lib/Option.js'
import { pipe } from 'fp-ts/lib/function.js'
import { Cause, Effect, Timeout } from 'millrace'
import { allOf, equation, expectExit, expectTrace, invariant } from './Equality.js'
import { groupFor, type LawSet, lawSet } from './LawSet.js'
import { interpret, printInputs, type Program, sequential, short } from './Program.js'
import { show } from './Show.js'
import type { Fx, World } from './World.js'

const { andThen } = Effect

/**
 * The operations that the laws are about.
 *
 * @category model
 * @since 0.1.0
 */
export interface ScheduleOperations {
  readonly retry: (
    policy: Effect.RetryPolicy
  ) => <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>
  readonly repeat: (
    policy: Effect.RetryPolicy
  ) => <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E, A>
}

/** As long as there are delays. */
const policyOf =
  (delays: ReadonlyArray<number>): Effect.RetryPolicy =>
  ({ iterNumber }) =>
    iterNumber < delays.length ? O.some(delays[iterNumber]!) : O.none

const delays = fc.array(fc.constantFrom(0, 1, 2, 5), { maxLength: 3 })

/** When the turns begin, and one more for the end. */
const timesOf = (delays: ReadonlyArray<number>): ReadonlyArray<number> =>
  delays.reduce<ReadonlyArray<number>>((times, delay) => [...times, times.at(-1)! + delay], [0])

const waitFor = (delay: number): Fx => (delay > 0 ? Effect.sleep(delay) : Effect.checkCancelled)

interface Scheduled {
  readonly delays: ReadonlyArray<number>
  readonly e: Program
}

const inputs = fc.record({ delays, e: short })

/**
 * Laws of `retry` and `repeat`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const scheduleOf = ({ retry, repeat }: ScheduleOperations, name = 'retry and repeat'): LawSet => {
  const group = groupFor(name)
  /** Notes each turn by its number. */
  const counted = (world: World, end: (turn: number) => Fx): Fx => {
    let turn = 0
    return Effect.suspend(() => {
      turn++
      return andThen(end(turn))(world.tick(`turn ${turn}`))
    })
  }
  const turns = (delays: ReadonlyArray<number>): ReadonlyArray<string> =>
    timesOf(delays).map((time, i) => `turn ${i + 1}@${time}`)

  return lawSet(name, [
    invariant({
      name: 'Re1 retry runs once more for each delay, exactly then, and fails with the last failure',
      group,
      input: fc.record({ delays }),
      show: printInputs,
      run:
        ({ delays }) =>
        (world) =>
          retry(policyOf(delays))(counted(world, (turn) => Effect.fail(turn))),
      check: (observation, { delays }) =>
        allOf(expectExit(`Left(Fail(${delays.length + 1}))`), expectTrace(...turns(delays)))(observation)
    }),
    invariant({
      name: 'Re2 repeat runs once more for each delay, exactly then, and gives the last value',
      group,
      input: fc.record({ delays }),
      show: printInputs,
      run:
        ({ delays }) =>
        (world) =>
          repeat(policyOf(delays))(counted(world, (turn) => Effect.of(turn))),
      check: (observation, { delays }) =>
        allOf(expectExit(`Right(${delays.length + 1})`), expectTrace(...turns(delays)))(observation)
    }),
    invariant({
      name: 'Re3 retry ends with the first value, repeat with the first failure',
      group,
      input: fc.record({
        delays,
        at: fc.integer({ min: 1, max: 4 }),
        how: fc.constantFrom('retry', 'repeat')
      }),
      show: printInputs,
      run:
        ({ delays, at, how }) =>
        (world) =>
          how === 'retry'
            ? retry(policyOf(delays))(
                counted(world, (turn): Fx => (turn === at ? Effect.of(turn) : Effect.fail(turn)))
              )
            : repeat(policyOf(delays))(
                counted(world, (turn): Fx => (turn === at ? Effect.fail(turn) : Effect.of(turn)))
              ),
      check: (observation, { delays, at, how }) => {
        const runs = Math.min(at, delays.length + 1)
        const value = (how === 'retry') === (runs === at)
        return allOf(
          expectExit(value ? `Right(${runs})` : `Left(Fail(${runs}))`),
          expectTrace(...turns(delays.slice(0, runs - 1)))
        )(observation)
      }
    }),
    equation<Scheduled>({
      name: 'Re4 retry(p)(e) = e for what has no typed failure: neither a defect nor a cancellation is tried again',
      group,
      input: fc.record({ delays, e: sequential }),
      show: printInputs,
      left:
        ({ delays, e }) =>
        (w) =>
          retry(policyOf(delays))(Effect.orDie(interpret(w, 'e', e))),
      right:
        ({ e }) =>
        (w) =>
          Effect.orDie(interpret(w, 'e', e))
    }),
    equation<Scheduled>({
      name: 'Re5 retry, unfolded: after failures alone it waits, then goes on with the rest of the delays',
      group,
      input: inputs,
      show: printInputs,
      left:
        ({ delays, e }) =>
        (w) =>
          retry(policyOf([2, ...delays]))(interpret(w, 'e', e)),
      right:
        ({ delays, e }) =>
        (w) =>
          Effect.catchCause((cause: Cause.Cause<unknown>): Fx =>
            Cause.cancellations(cause).length + Cause.defects(cause).length > 0
              ? Effect.failCause(cause)
              : pipe(waitFor(2), andThen(retry(policyOf(delays))(interpret(w, 'e', e))))
          )(interpret(w, 'e', e))
    }),
    equation<Scheduled>({
      name: 'Re6 repeat, unfolded: after a value it waits, then goes on with the rest of the delays',
      group,
      input: inputs,
      show: printInputs,
      left:
        ({ delays, e }) =>
        (w) =>
          repeat(policyOf([2, ...delays]))(interpret(w, 'e', e)),
      right:
        ({ delays, e }) =>
        (w) =>
          pipe(
            interpret(w, 'e', e),
            andThen(waitFor(2)),
            andThen(repeat(policyOf(delays))(interpret(w, 'e', e)))
          )
    }),
    equation<Scheduled>({
      name: 'Re7 a policy that stops at once: retry(p) = identity = repeat(p)',
      group,
      input: inputs,
      show: printInputs,
      left:
        ({ e, delays }) =>
        (w) =>
          (delays.length % 2 === 0 ? retry : repeat)(policyOf([]))(interpret(w, 'e', e)),
      right:
        ({ e }) =>
        (w) =>
          interpret(w, 'e', e)
    }),
    invariant({
      name: 'Re8 a cancellation ends a delay, and no turn follows',
      group,
      input: fc.record({
        after: fc.constantFrom(1, 3, 5),
        delay: fc.constantFrom(2, 7),
        how: fc.constantFrom('retry', 'repeat')
      }),
      show: printInputs,
      run:
        ({ after, delay, how }) =>
        (world) => {
          const policy = policyOf([delay, delay, delay])
          return Timeout.moveOnAfter(after)(
            how === 'retry'
              ? retry(policy)(counted(world, () => Effect.fail('again')))
              : repeat(policy)(counted(world, () => Effect.unit))
          )
        },
      check: (observation, { after, delay }) => {
        const times = [0, delay, 2 * delay, 3 * delay].filter((time) => time < after)
        if (observation.time !== after) return `it ends after ${observation.time} ms`
        return expectTrace(...times.map((time, i) => `turn ${i + 1}@${time}`))(observation)
      }
    }),
    invariant({
      name: 'Re9 the policy is told how many turns there were, the delay before and all delays, anew in each run',
      group,
      input: fc.record({ delays }),
      show: printInputs,
      run:
        ({ delays }) =>
        (world) => {
          const policy: Effect.RetryPolicy = (status) => {
            const { iterNumber, cumulativeDelay, previousDelay } = status
            world.note(`${iterNumber} ${cumulativeDelay} ${show(previousDelay)}`)
            return policyOf(delays)(status)
          }
          const retried = Effect.exit(retry(policy)(Effect.fail('ε')))
          return pipe(retried, andThen(retried), andThen(repeat(policy)(Effect.unit)))
        },
      check: ({ trace }, { delays }) => {
        const told = timesOf(delays).map(
          (sum, i) => `${i} ${sum} ${i === 0 ? 'None' : `Some(${delays[i - 1]})`}`
        )
        const found = trace.map((line) => line.slice(0, line.lastIndexOf('@')))
        return found.join() === [...told, ...told, ...told].join()
          ? null
          : `expected three times ${told.join()}`
      }
    })
  ])
}

/**
 * Laws of our `retry` and `repeat`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const schedule: LawSet = scheduleOf({ retry: Effect.retry, repeat: Effect.repeat })
