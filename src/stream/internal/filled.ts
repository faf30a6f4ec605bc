/**
 * Streams that background tasks fill.
 *
 * @internal
 */
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import { type Attributes, empty as noAttributes } from '../../attributes/Attributes.js'
import * as Cause from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as Resource from '../../scope/Resource.js'
import * as TaskGroup from '../../scope/TaskGroup.js'
import * as MemoryStream from '../MemoryStream.js'
import type { ReceiveStream } from '../ObjectStream.js'
import { type ClosedResource, type EndOfStream, endOfStream } from '../StreamError.js'
import { manyFrom } from './many.js'
import { type Arrival, type Selectable, selectable } from './selectable.js'

export const end: Effect.Effect<unknown, EndOfStream, never> = /*#__PURE__*/ Effect.fail(endOfStream)

export const source = <A, E, Attrs extends object = {}>(
  receive: Effect.Effect<unknown, E | EndOfStream, A>,
  close: Effect.Effect<unknown, never, void> = Effect.unit,
  // Without attributes the row is the empty one.
  attributes: Attributes<Attrs> = noAttributes as Attributes<Attrs>
): ReceiveStream<A, E, Attrs> => ({
  delivery: 'reliable',
  receive,
  receiveMany: manyFrom(receive),
  close,
  attributes
})

/** What a task hands to the receiver: an item, or the failure that ends the stream. */
export type Handed<A, E> = Exit<E, A>

const handed = <A, E>(
  arrival: Arrival<Handed<A, E>, ClosedResource | EndOfStream>
): Arrival<A, E | EndOfStream> =>
  arrival._tag === 'Right'
    ? arrival.right
    : // Closing either end is the end of the stream.
      { _tag: 'Left', left: { _tag: 'Fail', error: endOfStream } }

/** Receives what was handed. It can be selected from, as the memory stream behind it. */
export class HandedStream<A, E, Attrs extends object>
  implements ReceiveStream<A, E, Attrs>, Selectable<A, E | EndOfStream>
{
  readonly delivery = 'reliable'
  readonly receive: Effect.Effect<unknown, E | EndOfStream, A>
  readonly receiveMany: (max: number) => Effect.Effect<unknown, E | EndOfStream, ReadonlyNonEmptyArray<A>>
  readonly close: Effect.Effect<unknown, never, void>
  readonly attributes: Attributes<Attrs>
  private readonly inner: Selectable<Handed<A, E>, ClosedResource | EndOfStream>

  constructor(
    stream: MemoryStream.MemoryReceiveStream<Handed<A, E>>,
    close: Effect.Effect<unknown, never, void>,
    attributes: Attributes<Attrs>
  ) {
    this.attributes = attributes
    const items = Effect.orElse(() => end)(stream.receive)
    this.receive = Effect.flatMap((exit: Handed<A, E>): Effect.Effect<unknown, E, A> =>
      Effect.fromExit(exit)
    )(items)
    this.receiveMany = manyFrom(this.receive)
    this.close = close
    this.inner = stream as typeof stream & Selectable<Handed<A, E>, ClosedResource | EndOfStream>
  }

  get [selectable](): this {
    return this
  }

  arrival(): Arrival<A, E | EndOfStream> | null {
    const arrival = this.inner.arrival()
    return arrival === null ? null : handed(arrival)
  }

  watch(watcher: (arrival: Arrival<A, E | EndOfStream>) => void): () => void {
    return this.inner.watch((arrival) => {
      watcher(handed(arrival))
    })
  }
}

/** Hands a typed failure on; a defect fails the task, and so whoever uses the stream. */
export const handingOn =
  <E>(hand: (failure: Exit<E, never>) => Effect.Effect<unknown, never, unknown>) =>
  <R>(work: Effect.Effect<R, E, unknown>): Effect.Effect<R, never, unknown> =>
    Effect.catchCause((cause: Cause.Cause<E>) =>
      Cause.failures(cause).length > 0
        ? hand({ _tag: 'Left', left: cause })
        : (Effect.failCause(cause) as Effect.Effect<unknown, never, never>)
    )(work)

/**
 * A stream that a task fills with `send` from what `sources` closes: these belong to it. What the task fails with is received
 * after the items before it, and is the end of the stream. The task is cancelled and awaited when the resource is released.
 */
export const filled = <R, E, A, Attrs extends object = {}>(
  name: string,
  capacity: number,
  sources: { readonly close: Effect.Effect<unknown, never, void>; readonly attributes: Attributes<Attrs> },
  fill: (send: (a: A) => Effect.Effect<unknown, never, void>) => Effect.Effect<R, E, unknown>
): Resource.Resource<R, never, ReceiveStream<A, E, Attrs>> =>
  Resource.fromUse(<R2, E2, B>(use: (stream: ReceiveStream<A, E, Attrs>) => Effect.Effect<R2, E2, B>) =>
    TaskGroup.open({ name })((group) =>
      Effect.gen(function* () {
        const [send, receive] = yield* MemoryStream.make<Handed<A, E>>(capacity, { name })
        // Closed means that nobody wants more: the task stops where it is, until it is cancelled.
        const hand = (exit: Handed<A, E>) => Effect.orElse(() => Effect.never)(send.send(exit))
        const work = handingOn<E>(hand)(Effect.suspend(() => fill((a) => hand({ _tag: 'Right', right: a }))))
        // After a defect there is no end: the group cancels whoever waits for one.
        yield* group.spawn(Effect.andThen(send.close)(work), { name, service: true })
        const close = Effect.andThen(sources.close)(receive.close)
        return yield* Effect.ensuring(close)(use(new HandedStream(receive, close, sources.attributes)))
      })
    )
  )
