/**
 * One user after the other, in the order of arrival: for streams that nobody else guards.
 *
 * @internal
 */
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as ParkingLot from '../../effect/ParkingLot.js'

export class Queue {
  private busy = false
  private lot: ParkingLot.ParkingLot<undefined, never, void> | null = null
  private readonly label: string
  private readonly enter: Effect.Effect<unknown, never, void>
  private readonly leave: Effect.Effect<unknown, never, void>

  constructor(label: string) {
    this.label = label
    this.enter = LowLevel.operation(enterQueue, this)
    this.leave = Effect.sync(() => {
      // The place goes to the next one directly, so that nobody overtakes.
      if (this.lot !== null && this.lot.size() > 0) this.lot.succeedUnsafe(undefined)
      else this.busy = false
    })
  }

  /** Runs `fx` when everybody before has left. */
  readonly use = <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
    Effect.bracket(
      this.enter,
      () => fx,
      () => this.leave
    )

  enterUnsafe(self: LowLevel.Self): undefined | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.busy) return ParkingLot.parkSelf(self, (this.lot ??= ParkingLot.make(this.label)), undefined)
    this.busy = true
    return undefined
  }
}

const enterQueue = (self: LowLevel.Self, queue: Queue): undefined | LowLevel.Suspended =>
  queue.enterUnsafe(self)

/** Runs `fx` the first time only. Whoever comes while it runs waits for it; it is not cut short. */
export const once = (fx: Effect.Effect<unknown, never, unknown>): Effect.Effect<unknown, never, void> => {
  let begun = false
  const queue = new Queue('close')
  const first = Effect.suspend(() => {
    if (begun) return Effect.unit
    begun = true
    return fx
  })
  // A finalizer runs shielded, so that closing works in a cancelled scope too.
  return Effect.ensuring(queue.use(first))(Effect.unit)
}
