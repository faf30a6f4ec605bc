/**
 * The life of one of Node's streams that we own: what it broke with, and how it is closed. Both directions share one.
 *
 * @internal
 */
import type { Duplex, Readable, Writable } from 'node:stream'
import * as Effect from '../../../effect/Effect.js'
import * as LowLevel from '../../../effect/LowLevel.js'
import * as ParkingLot from '../../../effect/ParkingLot.js'
import type { BrokenResource, ClosedResource } from '../../../scope/ResourceError.js'

/** One direction. */
export interface Direction {
  /** Whether nothing more will come of it, as it should be. */
  isOver(): boolean
  /** No operation that waits can go on. */
  giveUp(failure: ClosedResource | BrokenResource): void
}

export type HostStream = Readable | Writable | Duplex

export class Lifetime {
  readonly stream: HostStream
  readonly closed: ClosedResource
  isClosed = false
  broken: BrokenResource | null = null
  readonly close: Effect.Effect<unknown, never, void>
  private readonly directions: Array<Direction> = []
  /** Whether the host has let go of the stream, so that nothing will be heard of it any more. */
  private gone = false
  private readonly announcesClose: boolean
  private closers: ParkingLot.ParkingLot<undefined, never, void> | null = null

  /** `announcesClose`: whether the stream emits `close` when it is really closed. */
  constructor(stream: HostStream, resource: string, announcesClose: boolean) {
    this.stream = stream
    this.closed = { _tag: 'ClosedResource', resource }
    this.announcesClose = announcesClose
    // A finalizer runs shielded, so that closing works in a cancelled scope too.
    this.close = Effect.ensuring(LowLevel.operation(closeStream, this))(Effect.unit)
    stream.on('error', this.onError)
    stream.on('close', this.onClose)
    // Streams of other makers may lack it.
    if ((stream.errored ?? null) !== null) this.onError(stream.errored)
    else if (stream.destroyed) this.breakWith(new Error(tooEarly))
  }

  add(direction: Direction): void {
    this.directions.push(direction)
  }

  breakWith(cause: unknown): void {
    if (this.isClosed || this.broken !== null) return
    this.broken = { _tag: 'BrokenResource', resource: this.closed.resource, cause }
    for (const direction of this.directions) direction.giveUp(this.broken)
  }

  closeUnsafe(): void {
    if (this.isClosed) return
    this.isClosed = true
    const before = this.stream.destroyed
    this.stream.destroy()
    // Who was destroyed by somebody else may have announced that before we listened.
    if (!this.announcesClose || (before && this.stream.closed)) this.gone = true
    for (const direction of this.directions) direction.giveUp(this.closed)
  }

  awaitGone(self: LowLevel.Self): undefined | LowLevel.Suspended {
    if (this.gone) return undefined
    return ParkingLot.parkSelf(self, (this.closers ??= ParkingLot.make('close')), undefined)
  }

  private readonly onError = (error: unknown): void => {
    this.breakWith(error)
  }

  private readonly onClose = (): void => {
    this.gone = true
    this.stream.off('close', this.onClose)
    this.stream.off('error', this.onError)
    if (!this.directions.every((direction) => direction.isOver())) this.breakWith(new Error(tooEarly))
    this.closers?.unparkAllUnsafe({ _tag: 'Right', right: undefined })
  }
}

const tooEarly = 'The stream was closed before its end.'

const closeStream = (self: LowLevel.Self, lifetime: Lifetime): undefined | LowLevel.Suspended => {
  lifetime.closeUnsafe()
  return lifetime.awaitGone(self)
}
