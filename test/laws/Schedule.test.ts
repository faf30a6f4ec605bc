/** Laws of `retry` and `repeat`: ours keep them, and each of them finds something broken. */
import { expect } from 'chai'
import * as O from 'fp-ts/lib/Option.js'
import { type Cause, Effect, Timeout } from 'millrace'
import {
  checkAll,
  flatten,
  schedule,
  scheduleOf,
  type ScheduleOperations,
  type Params,
  quick
} from 'millrace/laws'

/** What is broken has to be found soon, and the same way each time. */
const few: Params = { ...quick, runs: 120 }

checkAll(schedule)

const { retry, repeat } = Effect

type ErrorOf<T> = T extends Effect.Effect<infer _R, infer E, infer _A> ? E : never
const ours: ScheduleOperations = { retry, repeat }

const withPolicy = (change: (policy: Effect.RetryPolicy) => Effect.RetryPolicy): ScheduleOperations => ({
  retry: (policy) => retry(change(policy)),
  repeat: (policy) => repeat(change(policy))
})

const broken: Readonly<Record<string, ScheduleOperations>> = {
  'run once more': withPolicy(
    (policy) => (status) =>
      status.iterNumber === 0 ? O.some(0) : policy({ ...status, iterNumber: status.iterNumber - 1 })
  ),
  'run once less': withPolicy(
    (policy) => (status) => policy({ ...status, iterNumber: status.iterNumber + 1 })
  ),
  'are late': withPolicy((policy) => (status) => O.map((delay: number) => delay + 1)(policy(status))),
  'do not count': withPolicy((policy) => (status) => policy({ ...status, cumulativeDelay: 0 })),
  'try a defect again': {
    ...ours,
    retry: (policy) => (fx) =>
      Effect.catchCause((cause: Cause.Cause<ErrorOf<typeof fx>>) =>
        O.isSome(policy(first)) ? fx : Effect.failCause(cause)
      )(fx)
  },
  'do not see a cancellation': {
    retry: (policy) => (fx) => Timeout.shielded(retry(policy)(fx)),
    repeat: (policy) => (fx) => Timeout.shielded(repeat(policy)(fx))
  },
  'look for a cancellation first': {
    retry: (policy) => (fx) => Effect.andThen(retry(policy)(fx))(Effect.checkCancelled),
    repeat: (policy) => (fx) => Effect.andThen(repeat(policy)(fx))(Effect.checkCancelled)
  },
  'do nothing': { retry: () => (fx) => fx, repeat: () => (fx) => fx }
}

const first: Effect.RetryStatus = { iterNumber: 0, cumulativeDelay: 0, previousDelay: O.none }

describe('laws of retry and repeat', () => {
  const found = new Set<string>()
  for (const [how, operations] of Object.entries(broken)) {
    it(`fail for some that ${how}`, () => {
      const failed = flatten(scheduleOf(operations)).filter((law) => law.check(few)._tag === 'Falsified')
      for (const { name } of failed) found.add(name)
      expect(failed).to.not.deep.equal([])
    })
  }

  it('each find something', () => {
    expect(
      flatten(schedule)
        .map(({ name }) => name)
        .filter((name) => !found.has(name))
    ).to.deep.equal([])
  })
})
