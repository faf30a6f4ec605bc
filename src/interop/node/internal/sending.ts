/**
 * The sending side of one of Node's streams. A send is over when the host has taken the whole chunk, so that what waits in
 * memory is one chunk at most.
 *
 * @internal
 */
import type { Writable } from 'node:stream'
import * as Effect from '../../../effect/Effect.js'
import * as LowLevel from '../../../effect/LowLevel.js'
import * as ParkingLot from '../../../effect/ParkingLot.js'
import type {
  BrokenResource,
  BusyResource,
  ClosedResource,
  ResourceError
} from '../../../scope/ResourceError.js'
import type { Direction, Lifetime } from './lifetime.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

/** Written behind a chunk that the host has not taken at once, to hear when it has. */
const mark = new Uint8Array(0)

const destroyed = 'The stream was destroyed.'

const busy: BusyResource = { _tag: 'BusyResource', action: 'writing to' }

/** What the one that waits, waits for. */
type Waiting =
  /** The host takes what it was given. */
  | 'written'
  /** The host takes what an earlier send left, which was cancelled; then it is this one's turn. */
  | 'turn'
  /** The host has told the peer that there is no more. */
  | 'finished'

export class Sending implements Direction {
  private readonly target: Writable
  private readonly lifetime: Lifetime
  private readonly markable: boolean
  private readonly senders: ParkingLot.ParkingLot<Waiting, ResourceError, undefined>
  /** How many callbacks the host was given, and how many it has called. */
  private given = 0
  private taken = 0
  /** Whether the next chunk brings a callback along. */
  private asking = true
  /** The chunk of who waits for its turn. */
  private unsent: Uint8Array | null = null
  private ending = false
  private finished = false

  readonly sendEof: Fx<ResourceError, void>
  /** The same for who closes and has nobody to tell: only if nothing is under way, and whatever comes of it. */
  readonly finish: Fx<never, void>

  /** `markable`: nobody would notice an empty chunk. */
  constructor(target: Writable, lifetime: Lifetime, label: string, markable: boolean) {
    this.target = target
    this.lifetime = lifetime
    this.markable = markable
    this.senders = ParkingLot.make(label, {
      onWithdraw: () => {
        this.unsent = null
      }
    })
    this.sendEof = LowLevel.operation(sendEnd, this)
    this.finish = Effect.orElse(() => Effect.unit)(LowLevel.operation(finishQuietly, this))
    target.on('finish', this.onFinish)
    if (target.writableFinished) this.finished = true
    lifetime.add(this)
  }

  readonly send = (chunk: Uint8Array): Fx<ResourceError, void> => LowLevel.operation(sendChunk, this, chunk)

  sendUnsafe(self: LowLevel.Self, chunk: Uint8Array): undefined | LowLevel.Suspended {
    const refusal = this.refusal(self)
    if (refusal !== null) return refusal
    // The end was sent, by us or by whoever else has the stream.
    if (this.ending || this.target.writableEnded) return LowLevel.failSelf(self, this.lifetime.closed)
    if (chunk.length === 0) return undefined
    if (this.taken < this.given && this.target.writableLength > 0) {
      this.unsent = chunk
      return ParkingLot.parkSelf(self, this.senders, 'turn')
    }
    this.write(chunk)
    const { broken } = this.lifetime
    if (broken !== null) return LowLevel.failSelf(self, broken)
    // The host mostly takes it at once, and says so only later.
    return this.target.writableLength === 0 ? undefined : ParkingLot.parkSelf(self, this.senders, 'written')
  }

  sendEofUnsafe(self: LowLevel.Self): undefined | LowLevel.Suspended {
    const refusal = this.refusal(self)
    if (refusal !== null) return refusal
    if (this.finished) return undefined
    if (!this.ending) {
      this.ending = true
      this.target.end()
    }
    return ParkingLot.parkSelf(self, this.senders, 'finished')
  }

  finishUnsafe(self: LowLevel.Self): undefined | LowLevel.Suspended {
    const { isClosed, broken } = this.lifetime
    const underWay = this.senders.size() > 0 || (this.taken < this.given && this.target.writableLength > 0)
    return LowLevel.isSelfCancelled(self) || isClosed || broken !== null || underWay
      ? undefined
      : this.sendEofUnsafe(self)
  }

  isOver(): boolean {
    return this.finished
  }

  giveUp(failure: ClosedResource | BrokenResource): void {
    this.unsent = null
    if (failure._tag === 'ClosedResource') this.target.off('finish', this.onFinish)
    if (this.senders.size() > 0) this.senders.failUnsafe(failure)
  }

  private refusal(self: LowLevel.Self): LowLevel.Suspended | null {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    const { lifetime } = this
    if (lifetime.isClosed) return LowLevel.failSelf(self, lifetime.closed)
    if (this.senders.size() > 0) return LowLevel.failSelf(self, busy)
    if (this.finished) return null
    return lifetime.broken === null ? null : LowLevel.failSelf(self, lifetime.broken)
  }

  private write(chunk: Uint8Array): void {
    const { target, asking } = this
    if (asking) {
      this.given++
      target.write(chunk, this.onTaken)
    } else target.write(chunk)
    if (this.markable) {
      // A callback costs a tick, and a socket that has taken one chunk at once mostly takes the next one so too.
      this.asking = target.writableLength > 0
      if (this.asking && !asking) {
        this.given++
        target.write(mark, this.onTaken)
      }
    }
    // That comes as an event later, but who sends should hear of it now.
    if (target.errored !== null || target.destroyed) {
      this.lifetime.breakWith(target.errored ?? new Error(destroyed))
    }
  }

  private readonly onTaken = (error?: Error | null): void => {
    this.taken++
    const { target } = this
    // A host that was made to let go of the chunk may not call that an error.
    if ((error !== undefined && error !== null) || target.destroyed) {
      this.lifetime.breakWith(target.errored ?? error ?? new Error(destroyed))
      return
    }
    if (this.taken < this.given || this.senders.size() === 0) return
    const { unsent } = this
    if (unsent !== null) {
      this.unsent = null
      this.write(unsent)
      if (target.writableLength > 0) return
    } else if (this.senders.firstUnsafe() === 'finished') return
    if (this.senders.size() > 0) this.senders.succeedUnsafe(undefined)
  }

  private readonly onFinish = (): void => {
    this.finished = true
    this.target.off('finish', this.onFinish)
    if (this.senders.size() > 0) this.senders.succeedUnsafe(undefined)
  }
}

const sendChunk = (
  self: LowLevel.Self,
  sending: Sending,
  chunk: Uint8Array
): undefined | LowLevel.Suspended => sending.sendUnsafe(self, chunk)

const finishQuietly = (self: LowLevel.Self, sending: Sending): undefined | LowLevel.Suspended =>
  sending.finishUnsafe(self)

const sendEnd = (self: LowLevel.Self, sending: Sending): undefined | LowLevel.Suspended =>
  sending.sendEofUnsafe(self)
