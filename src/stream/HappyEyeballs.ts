/**
 * Which of several addresses to connect to, as RFC 8305 ("Happy Eyeballs") describes it: they are tried one after the other,
 * but an attempt that takes its time is joined by the next one, and the first connection that comes about is taken. The
 * algorithm alone, for transports of one's own; `Tcp.connect` stands on it.
 *
 * @since 0.1.0
 */
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'
import * as ParkingLot from '../effect/ParkingLot.js'
import * as TaskGroup from '../scope/TaskGroup.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An address of a name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Address {
  /** As text, such as `127.0.0.1` or `::1`. */
  readonly address: string
  readonly family: 4 | 6
}

/**
 * What is to be tried, and how.
 *
 * @category model
 * @since 0.1.0
 */
export interface Attempts<in out A, in out T, out E = unknown> {
  /** Where to, in the order in which they are tried. */
  readonly targets: ReadonlyArray<T>
  /** Ms that an attempt has before the next one joins it. */
  readonly delay: number
  /** Connects. Cancelled or failed, it leaves nothing behind. */
  readonly attempt: (target: T) => Effect.Effect<unknown, E, A>
  /** Closes a connection that nobody wants, because another one was first. */
  readonly discard: (connection: A) => Effect.Effect<unknown, never, unknown>
}

// -------------------------------------------------------------------------------------
// ordering
// -------------------------------------------------------------------------------------

/**
 * The addresses in the order in which they are tried: the families take turns, IPv6 begins, and within a family they stand as
 * they were given. One that is there twice is tried once.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { HappyEyeballs } from 'millrace'
 *
 * const addresses = HappyEyeballs.interleave([
 *   { address: '192.0.2.1', family: 4 },
 *   { address: '192.0.2.2', family: 4 },
 *   { address: '2001:db8::1', family: 6 }
 * ])
 * assert.deepEqual(addresses.map(({ address }) => address), ['2001:db8::1', '192.0.2.1', '192.0.2.2'])
 *
 * @category ordering
 * @since 0.1.0
 */
export const interleave = <A extends Address>(addresses: ReadonlyArray<A>): ReadonlyArray<A> => {
  const different = addresses.filter(
    ({ address }, i) => addresses.findIndex((other) => other.address === address) === i
  )
  const six = different.filter(({ family }) => family === 6)
  const four = different.filter(({ family }) => family === 4)
  const ordered: Array<A> = []
  for (let i = 0; i < Math.max(six.length, four.length); i++) {
    ordered.push(...six.slice(i, i + 1), ...four.slice(i, i + 1))
  }
  return ordered
}

// -------------------------------------------------------------------------------------
// connecting
// -------------------------------------------------------------------------------------

/**
 * The first connection that comes about. An attempt that fails makes room for the next one at once, and one that takes longer
 * than the delay is joined by it. The others are cancelled, and what they had is discarded, before this ends.
 *
 * **Errors.** The failures of all attempts, in the order of the targets, when each has failed.
 * **Cancellation.** At any moment; no connection is left. What an attempt dies of ends the others, and is raised.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, HappyEyeballs } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // The first one does not answer, the second one takes 100 ms.
 * const program = HappyEyeballs.first({
 *   targets: ['silent', 'slow', 'never asked'],
 *   delay: 250,
 *   attempt: (name) => (name === 'slow' ? Effect.as(name)(Effect.sleep(100)) : Effect.never),
 *   discard: () => Effect.unit
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('slow'))
 *
 * @category connecting
 * @since 0.1.0
 */
export const first = <A, T, E>({
  targets,
  delay,
  attempt,
  discard
}: Attempts<A, T, E>): Effect.Effect<unknown, ReadonlyArray<E>, A> =>
  Effect.suspend(() => {
    let winner = null as { readonly connection: A } | null
    const failures: Array<{ readonly index: number; readonly error: E }> = []
    const news = ParkingLot.make<undefined, never, undefined>('HappyEyeballs.first')
    let unread = 0
    const tell = (): void => {
      if (news.size() > 0) news.succeedUnsafe(undefined)
      else unread++
    }
    /** Waits until an attempt ends, unless one has since the last time. */
    const hear = LowLevel.operation((self): undefined | LowLevel.Suspended => {
      if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
      if (unread === 0) return ParkingLot.parkSelf(self, news, undefined)
      unread--
      return undefined
    })
    const patience = LowLevel.withinScope({ name: 'connection attempt delay', after: delay })(hear)

    const run = (target: T, index: number): Fx<never, unknown> =>
      Effect.matchEffect(
        (error: E) =>
          Effect.sync(() => {
            failures.push({ index, error })
            tell()
          }),
        (connection: A): Fx<never, unknown> => {
          // Two may have come about in the same turn. A finalizer cannot be cut short.
          if (winner !== null) return Effect.ensuring(discard(connection))(Effect.unit)
          winner = { connection }
          return Effect.sync(tell)
        }
      )(attempt(target))

    const trying = TaskGroup.open({ name: 'HappyEyeballs.first' })((group) =>
      Effect.gen(function* () {
        for (const [index, target] of targets.entries()) {
          yield* group.spawn(run(target, index), { name: `attempt ${String(index + 1)}` })
          if (index < targets.length - 1) yield* patience
          if (winner !== null) break
        }
        while (winner === null && failures.length < targets.length) yield* hear
        yield* group.cancelAll('another one was first')
      })
    )
    // The group may be cut short, or die, after one has won.
    const kept = Effect.onExit((exit: Exit<never, unknown>) =>
      exit._tag === 'Left' && winner !== null ? discard(winner.connection) : Effect.unit
    )(trying)
    return Effect.flatMap((): Fx<ReadonlyArray<E>, A> =>
      winner !== null
        ? Effect.succeed(winner.connection)
        : Effect.fail(failures.sort((a, b) => a.index - b.index).map(({ error }) => error))
    )(kept)
  })
