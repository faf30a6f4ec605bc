/**
 * A receive stream as an async iterable for code outside of effects.
 *
 * @internal
 */
import type { Option } from 'fp-ts/lib/Option.js'
import * as Cause from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as LowLevel from '../../effect/LowLevel.js'
import * as Resource from '../../scope/Resource.js'
import type { ReceiveStream } from '../ObjectStream.js'

type Item<A, E> = Effect.Effect<unknown, E, Option<A>>

const over = { done: true, value: undefined } as const

/** One task a call, in a nursery that ends with the resource. */
class StreamIterator<A> implements AsyncIterableIterator<A, undefined> {
  private readonly fork: LowLevel.ForkUnsafe<unknown>
  private readonly item: Item<A, unknown>
  private readonly closeStream: Effect.Effect<unknown, never, void>
  /** Calls are answered one after the other: a stream may have room for one receiver only. */
  private last: Promise<unknown> = Promise.resolve()
  private state: 'open' | 'left' | 'released' = 'open'
  private closing: Promise<void> | null = null

  constructor(
    fork: LowLevel.ForkUnsafe<unknown>,
    item: Item<A, unknown>,
    close: Effect.Effect<unknown, never, void>
  ) {
    this.fork = fork
    this.item = item
    this.closeStream = close
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<A, undefined>> {
    const answer = this.last.then(() => this.pull())
    // Whoever called sees the failure; those in the queue behind it only wait.
    this.last = answer.catch(() => undefined)
    return answer
  }

  async return(): Promise<IteratorResult<A, undefined>> {
    await this.leave()
    return over
  }

  async throw(thrown: unknown): Promise<never> {
    await this.leave()
    throw thrown
  }

  private async pull(): Promise<IteratorResult<A, undefined>> {
    if (this.hasLeft()) return over
    const exit = await this.run(this.item)
    if (exit._tag === 'Right') {
      if (exit.right._tag === 'Some') return { done: false, value: exit.right.value }
      this.state = 'left'
      return over
    }
    // A receive that its own `return` has woken has not failed.
    if (this.hasLeft()) return over
    if (this.state === 'open') this.state = 'left'
    throw Cause.toError(exit.left)
  }

  private hasLeft(): boolean {
    return this.state === 'left'
  }

  private leave(): Promise<void> {
    this.state = 'left'
    return (this.closing ??= this.run(this.closeStream).then((exit) => {
      if (exit._tag === 'Left') throw Cause.toError(exit.left)
    }))
  }

  /** The stream is closed at the end of the resource at the latest, and by whoever comes first. */
  readonly release: Effect.Effect<unknown, never, void> = Effect.suspend(() => {
    if (this.state === 'open') this.state = 'released'
    if (this.closing !== null) return Effect.unit
    this.closing = Promise.resolve()
    return this.closeStream
  })

  private run<E, B>(fx: Effect.Effect<unknown, E, B>): Promise<Exit<E, B>> {
    return new Promise((resolve, reject) => {
      const task = Effect.map(resolve)(Effect.exit(fx))
      if (this.fork(task) === null) reject(new TypeError('The stream of this iterator has been released.'))
    })
  }
}

export const asyncIterable = <A, E>(
  stream: ReceiveStream<A, E>,
  next: Item<A, E>
): Resource.Resource<unknown, never, AsyncIterableIterator<A, undefined>> =>
  Resource.fromUse((use) =>
    LowLevel.openNursery({ name: 'Stream.toAsyncIterable' }, (nursery) =>
      Effect.flatMap((fork: LowLevel.ForkUnsafe<unknown>) => {
        const iterator = new StreamIterator<A>(fork, next, stream.close)
        const cancelAll = LowLevel.cancelScope(LowLevel.childrenScope(nursery), 'the iterator was released')
        return Effect.ensuring(Effect.andThen(iterator.release)(cancelAll))(use(iterator))
      })(LowLevel.forkUnsafe<unknown>(nursery))
    )
  )
