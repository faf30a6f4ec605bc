/**
 * What receives from a stream below into a buffer of its own: the core of `Buffered` and of layers.
 *
 * The buffer belongs to the stream and not to an operation: an operation takes from it in its last synchronous step only, when
 * nothing can come between any more. So one that is cancelled or fails leaves everything for the next one. Operations are
 * served one after the other.
 *
 * @internal
 */
import type { Cause } from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as ParkingLot from '../../effect/ParkingLot.js'
import type { ReceiveStream } from '../ObjectStream.js'
import { endOfStream } from '../StreamError.js'
import { claimReceiving, takenOver } from './claims.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

/** There is not enough in the buffer yet. */
export const pending: unique symbol = Symbol('millrace/pending')

/** What an operation fails with, because of what is in the buffer. */
export class Failing {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/** What an operation takes of the buffer. */
export interface Request {
  /** Its value, a {@link Failing}, or {@link pending}. */
  take(): unknown
  /** What it gives when `end` is all that is left. */
  atEnd(end: Fx<unknown, never>): Fx<unknown, unknown>
}

/** In place of an item: the stream below has ended. */
const ended: unique symbol = Symbol('millrace/ended')
const giveEnded = Effect.succeed(ended)

const isEnd = (cause: Cause<unknown>): boolean => {
  if (cause._tag !== 'Fail') return false
  const { error } = cause
  return typeof error === 'object' && error !== null && '_tag' in error && error._tag === 'EndOfStream'
}

export const end: Fx<never, never> = Effect.fail(endOfStream) as Fx<never, never>

export abstract class Puller<In> implements Serving {
  protected wire: ReceiveStream<In, unknown>
  /** What is left when the buffer does not have enough: the end, or the failure that was final. */
  protected over: Fx<unknown, never> | null
  protected isClosed: boolean
  private state: 'untouched' | 'claimed' | 'takenOver'
  /** The operation whose turn it is, while it waits for the stream below. */
  private current: Request | null
  private lot: ParkingLot.ParkingLot<undefined, never, void> | null
  private pullOne: Fx<unknown, unknown> | null

  constructor(wire: ReceiveStream<In, unknown>) {
    this.wire = wire
    this.over = null
    this.isClosed = false
    this.state = 'untouched'
    this.current = null
    this.lot = null
    this.pullOne = null
  }

  /** Puts what came into the buffer. May set `over`. */
  protected abstract absorb(item: In): void

  protected absorbAll(items: ReadonlyArray<In>): void {
    for (const item of items) this.absorb(item)
  }

  /** The stream below has ended: `over` is that, and may be set to something else. May still fill the buffer. */
  protected abstract finish(): void

  protected abstract clear(): void

  /** Before the first operation. */
  protected start(): void {}

  /** How to receive for this request, when it is not one item. */
  protected receiveFor(_request: Request): Fx<unknown, ReadonlyArray<In>> | null {
    return null
  }

  protected get isUntouched(): boolean {
    return this.state === 'untouched' && !this.isClosed
  }

  /** A layer on this one works on the stream below directly. */
  protected takeOver(): void {
    this.state = 'takenOver'
  }

  protected operation<E, A>(request: Request): Fx<E, A> {
    return LowLevel.operation<E, A, Serving, Request>(serve, this, request)
  }

  serve(self: LowLevel.Self, request: Request): unknown {
    if (LowLevel.isSelfCancelled(self)) {
      // It may have been woken for this turn.
      this.wakeNext()
      return LowLevel.cancelSelf(self)
    }
    if (this.isClosed) return LowLevel.continueSelf(self, this.whenClosed)
    if (this.state === 'untouched') {
      try {
        this.start()
      } catch (defect) {
        this.over = Effect.die(defect)
      }
      if (!claimReceiving(this.wire, this)) return LowLevel.misuseSelf(self, takenOver('receiving'))
      this.state = 'claimed'
    }
    if (this.state === 'takenOver') return LowLevel.misuseSelf(self, takenOver('receiving'))
    if (this.current !== null) return LowLevel.continueSelf(self, this.waitTurn(request))
    const taken = this.attempt(request)
    if (taken !== pending) {
      this.wakeNext()
      return taken instanceof Failing ? LowLevel.failSelf(self, taken.error) : taken
    }
    if (this.over !== null) {
      this.wakeNext()
      return LowLevel.continueSelf(self, request.atEnd(this.over))
    }
    this.current = request
    return LowLevel.continueSelf(self, this.pull(request))
  }

  private attempt(request: Request): unknown {
    try {
      return request.take()
    } catch (defect) {
      this.over = Effect.die(defect)
      return pending
    }
  }

  private waitTurn(request: Request): Fx<unknown, unknown> {
    const again = this.operation<unknown, unknown>(request)
    return Effect.flatMap(() => again)(LowLevel.operation(waitTurn, this))
  }

  waitTurnUnsafe(self: LowLevel.Self): undefined | LowLevel.Suspended {
    if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    // Between the step that saw the other operation and this one others may have run, and it may be over.
    if (this.current === null) return undefined
    return ParkingLot.parkSelf(self, (this.lot ??= ParkingLot.make('receive')), undefined)
  }

  private wakeNext(): void {
    const { lot } = this
    if (lot !== null && this.current === null && lot.size() > 0) lot.succeedUnsafe(undefined)
  }

  private leave(): void {
    this.current = null
    this.wakeNext()
  }

  private pull(request: Request): Fx<unknown, unknown> {
    const several = this.receiveFor(request)
    return several === null
      ? (this.pullOne ??= Effect.flatMap(this.received)(Effect.catchCause(this.failed)(this.wire.receive)))
      : Effect.flatMap(this.receivedSeveral)(Effect.catchCause(this.failed)(several))
  }

  private readonly failed = (cause: Cause<unknown>): Fx<unknown, typeof ended> => {
    if (isEnd(cause)) return giveEnded
    // Whether another failure is final, the stream below knows.
    this.leave()
    return Effect.failCause(cause)
  }

  private readonly received = (item: In | typeof ended): Fx<unknown, unknown> => this.deliver(item, false)

  private readonly receivedSeveral = (items: ReadonlyArray<In> | typeof ended): Fx<unknown, unknown> =>
    this.deliver(items, true)

  private deliver(came: unknown, several: boolean): Fx<unknown, unknown> {
    const request = this.current as Request
    if (this.isClosed) {
      this.leave()
      return this.whenClosed
    }
    try {
      if (came === ended) {
        this.over = end
        this.finish()
      } else if (several) this.absorbAll(came as ReadonlyArray<In>)
      else this.absorb(came as In)
    } catch (defect) {
      this.over = Effect.die(defect)
    }
    const taken = this.attempt(request)
    if (taken !== pending) {
      this.leave()
      return taken instanceof Failing
        ? Effect.failCause({ _tag: 'Fail', error: taken.error })
        : Effect.succeed(taken)
    }
    const { over } = this
    if (over === null) return this.pull(request)
    this.leave()
    return request.atEnd(over)
  }

  /** What a closed stream fails with is known to the one below, which is closed too. */
  private get whenClosed(): Fx<unknown, never> {
    return Effect.flatMap(() => end)(this.wire.receive)
  }

  readonly close: Fx<never, void> = Effect.suspend(() => {
    this.isClosed = true
    this.clear()
    return this.wire.close
  })
}

interface Serving {
  serve(self: LowLevel.Self, request: Request): unknown
  waitTurnUnsafe(self: LowLevel.Self): undefined | LowLevel.Suspended
}

const serve = (self: LowLevel.Self, stream: Serving, request: Request): LowLevel.Suspended =>
  stream.serve(self, request) as LowLevel.Suspended

const waitTurn = (self: LowLevel.Self, stream: Serving): undefined | LowLevel.Suspended =>
  stream.waitTurnUnsafe(self)
