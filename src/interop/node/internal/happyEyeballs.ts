/**
 * Which address to connect to when a name has several, as RFC 8305 describes it. An algorithm alone: how an attempt is made
 * is given to it.
 *
 * @internal
 */
import * as Effect from '../../../effect/Effect.js'
import type { Exit } from '../../../effect/Exit.js'
import * as LowLevel from '../../../effect/LowLevel.js'
import * as ParkingLot from '../../../effect/ParkingLot.js'
import * as TaskGroup from '../../../scope/TaskGroup.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

/**
 * The addresses in the order in which they are tried: the families take turns, IPv6 begins, and within a family they stand as
 * they were given. An address that is there twice is tried once.
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

export interface Attempts<A, T> {
  /** Where to, in the order in which they are tried. */
  readonly targets: ReadonlyArray<T>
  /** Ms that an attempt has before the next one joins it. */
  readonly delay: number
  /** Connects. When it is cancelled, nothing of it is left. */
  readonly attempt: (target: T) => Fx<unknown, A>
  /** Closes a connection that nobody wants. */
  readonly discard: (connection: A) => Fx<never, unknown>
}

/**
 * The first connection that comes about. An attempt that fails starts the next one at once, and so does one that takes longer
 * than the delay. The others are cancelled, and what they had is closed, before this ends.
 *
 * Fails with the errors of the attempts, in the order of the targets. Cancelled, it leaves no connection.
 */
export const firstConnection = <A, T>({
  targets,
  delay,
  attempt,
  discard
}: Attempts<A, T>): Fx<ReadonlyArray<unknown>, A> =>
  Effect.suspend(() => {
    let winner = null as { readonly connection: A } | null
    const errors: Array<{ readonly index: number; readonly error: unknown }> = []
    const news = ParkingLot.make<undefined, never, void>('happyEyeballs')
    let unread = 0
    const tell = (): void => {
      if (news.size() > 0) news.succeedUnsafe(undefined)
      else unread++
    }
    /** Waits for an attempt to end. */
    const hear = LowLevel.operation((self): undefined | LowLevel.Suspended => {
      if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
      if (unread === 0) return ParkingLot.parkSelf(self, news, undefined)
      unread--
      return undefined
    })
    const patience = LowLevel.withinScope({ name: 'connectionAttemptDelay', after: delay }, hear)

    const run = (target: T, index: number): Fx<never, unknown> =>
      Effect.matchEffect(
        (error: unknown) =>
          Effect.sync(() => {
            errors.push({ index, error })
            tell()
          }),
        (connection: A): Fx<never, unknown> => {
          if (winner !== null) return Effect.ensuring(discard(connection))(Effect.unit)
          winner = { connection }
          return Effect.sync(tell)
        }
      )(attempt(target))

    const trying = TaskGroup.open({ name: 'connect' })((group) =>
      Effect.gen(function* () {
        for (const [index, target] of targets.entries()) {
          yield* group.spawn(run(target, index), { name: `attempt ${String(index + 1)}` })
          if (index < targets.length - 1) yield* patience
          if (winner !== null) break
        }
        while (winner === null && errors.length < targets.length) yield* hear
        yield* group.cancelAll('another address has answered')
      })
    )
    // The group may be cut short after an attempt has won.
    const kept = Effect.onExit((exit: Exit<never, unknown>) =>
      exit._tag === 'Left' && winner !== null ? discard(winner.connection) : Effect.unit
    )(trying)
    return Effect.flatMap((): Fx<ReadonlyArray<unknown>, A> =>
      winner !== null
        ? Effect.succeed(winner.connection)
        : Effect.fail(errors.sort((a, b) => a.index - b.index).map(({ error }) => error))
    )(kept)
  })
