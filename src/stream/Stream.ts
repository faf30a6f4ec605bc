/**
 * Working with receive streams: sources, sinks, and operators.
 *
 * A stream that only has a position is made by an effect. What needs tasks of its own is a `Resource`, so that these end
 * with it. A stream that an operator was put on belongs to the operator. The end of a stream is the normal end of a sink.
 *
 * @since 0.1.0
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Predicate } from 'fp-ts/lib/Predicate.js'
import type { Refinement } from 'fp-ts/lib/Refinement.js'
import type * as Cause from '../effect/Cause.js'
import * as Effect from '../effect/Effect.js'
import type { Any, EnvOf, ErrorOf, ValueOf } from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'
import * as ParkingLot from '../effect/ParkingLot.js'
import * as CancelScope from '../scope/CancelScope.js'
import * as Resource from '../scope/Resource.js'
import * as Future from '../scope/sync/Future.js'
import * as Lock from '../scope/sync/Lock.js'
import * as Semaphore from '../scope/sync/Semaphore.js'
import * as TaskGroup from '../scope/TaskGroup.js'
import * as Timeout from '../scope/Timeout.js'
import { asyncIterable } from './internal/asyncIterable.js'
import { broadcastTo } from './internal/broadcast.js'
import { sameStream } from './internal/claims.js'
import { end, filled, handingOn, source } from './internal/filled.js'
import { claimed } from './internal/handles.js'
import { partitionTo } from './internal/partition.js'
import { Queue } from './internal/queue.js'
import { isSelectable, type Selectable } from './internal/selectable.js'
import { Decoding, Encoding, finish as finishSending } from './internal/transduced.js'
import * as MemoryStream from './MemoryStream.js'
import type { ReceiveStream, SendStream } from './ObjectStream.js'
import { type EndOfStream, endOfStream, type Lagged } from './StreamError.js'
import * as Transducer from './Transducer.js'

// -------------------------------------------------------------------------------------
// sources
// -------------------------------------------------------------------------------------

/**
 * The items of an iterable. Closing the stream ends the iteration.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * const program = pipe(Stream.fromIterable([1, 2, 3]), Effect.flatMap(Stream.collect))
 * assert.deepEqual(Runtime.runSync(program), [1, 2, 3])
 *
 * @category sources
 * @since 0.1.0
 */
export const fromIterable = <A>(as: Iterable<A>): Effect.Effect<unknown, never, ReceiveStream<A>> =>
  Effect.sync(() => {
    const items = as[Symbol.iterator]()
    let ended = false
    const receive = Effect.suspend((): Effect.Effect<unknown, EndOfStream, A> => {
      if (ended) return end
      const item = items.next()
      if (item.done !== true) return Effect.succeed(item.value)
      ended = true
      return end
    })
    const close = Effect.sync(() => {
      if (!ended) items.return?.()
      ended = true
    })
    return source<A, never>(Effect.andThen(receive)(Effect.checkCancelled), close)
  })

/**
 * The items of an async iterable, whose `return` is called and awaited at the end.
 *
 * **Errors.** What `onThrow` makes of a rejection.
 * **Cancellation.** A `next` that is under way goes on; the next receive takes what it gives, so nothing is lost.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Resource, Runtime, Stream } from 'millrace'
 *
 * async function* numbers() { yield 1; yield 2 }
 * const program = pipe(Stream.fromAsyncIterable(numbers(), String), Resource.use(Stream.collect))
 * assert.deepEqual(await Runtime.runPromise(program), [1, 2])
 *
 * @category sources
 * @since 0.1.0
 */
export const fromAsyncIterable = <A, E>(
  as: AsyncIterable<A>,
  onThrow: (thrown: unknown) => E
): Resource.Resource<unknown, never, ReceiveStream<A, E>> =>
  Resource.make(
    Effect.map((lock: Lock.Lock) => {
      const items = as[Symbol.asyncIterator]()
      let pending: Promise<IteratorResult<A>> | null = null
      let endWait = (): void => {}
      let ended = false
      const ask = (): Promise<IteratorResult<A>> =>
        (pending ??= new Promise((resolve, reject) => {
          endWait = () => {
            resolve({ done: true, value: undefined })
          }
          Promise.resolve(items.next()).then(resolve, reject)
        }))
      const next = Effect.flatMap((item: IteratorResult<A>): Effect.Effect<unknown, EndOfStream, A> => {
        pending = null
        if (item.done !== true) return Effect.succeed(item.value)
        ended = true
        return end
      })(
        LowLevel.awaitPromise(ask, {
          label: 'fromAsyncIterable',
          abandonOnCancel: true,
          onReject: (thrown) => {
            pending = null
            ended = true
            return onThrow(thrown)
          }
        })
      )
      const receive = lock.withLock(
        Effect.suspend((): Effect.Effect<unknown, E | EndOfStream, A> => (ended ? end : next))
      )
      const close = Effect.suspend(() => {
        if (ended) return Effect.unit
        ended = true
        endWait()
        return items.return === undefined
          ? Effect.unit
          : Effect.asUnit(LowLevel.awaitPromise(async () => items.return?.(), { label: 'fromAsyncIterable' }))
      })
      return source(receive, close)
    })(Lock.make()),
    (stream) => stream.close
  )

/**
 * Items made one after the other from a state; `None` is the end. Closing the stream cancels a step that is under way: who
 * waits for it finds the end.
 *
 * **Cancellation.** A step that is cancelled has made nothing; the next receive runs it again from the same state.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as O from 'fp-ts/lib/Option.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Pages that say which one is next.
 * const pages = [{ items: 'a', next: 1 }, { items: 'b', next: 2 }, { items: 'c', next: 3 }]
 * const load = (page: number) => Effect.as(pages[page])(Effect.sleep(10))
 *
 * const program = pipe(
 *   Stream.unfold(0, (page) =>
 *     Effect.map((loaded: (typeof pages)[number] | undefined) =>
 *       loaded === undefined ? O.none : O.some([loaded.items, loaded.next] as const)
 *     )(load(page))
 *   ),
 *   Effect.flatMap(Stream.collect)
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['a', 'b', 'c']))
 *
 * @category sources
 * @since 0.1.0
 */
export const unfold = <S, R, E, A>(
  initial: S,
  f: (s: S) => Effect.Effect<R, E, Option<readonly [A, S]>>
): Effect.Effect<R, never, ReceiveStream<A, E>> =>
  Effect.flatMap((env: R) =>
    Effect.map((lock: Lock.Lock) => {
      let state = initial
      let ended = false
      /** The scope of the last step. */
      let stepping: LowLevel.ScopeNode | null = null
      const inScope = Effect.local(() => env)(
        LowLevel.openScope({ name: 'Stream.unfold' }, (scope) => {
          stepping = scope
          return f(state)
        })
      )
      // A step that closing has cut short gives nothing.
      const made = Effect.flatMap(
        (step: Option<Option<readonly [A, S]>>): Effect.Effect<unknown, EndOfStream, A> => {
          if (step._tag === 'Some' && step.value._tag === 'Some') {
            state = step.value.value[1]
            return Effect.succeed(step.value.value[0])
          }
          ended = true
          return end
        }
      )(inScope)
      const step = Effect.suspend((): Effect.Effect<unknown, E | EndOfStream, A> => (ended ? end : made))
      const close = Effect.sync(() => {
        ended = true
        if (stepping !== null) LowLevel.cancelScopeUnsafe(stepping, 'the stream was closed')
      })
      return source(lock.withLock(step), close)
    })(Lock.make())
  )(Effect.ask<R>())

// -------------------------------------------------------------------------------------
// sinks
// -------------------------------------------------------------------------------------

/**
 * `f` for each item, one after the other. Does not close the stream.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * const lines: Array<string> = []
 * const print = (line: string) => Effect.sync(() => { lines.push(line) })
 * Runtime.runSync(pipe(Stream.fromIterable(['a', 'b']), Effect.flatMap(Stream.forEach(print))))
 * assert.deepEqual(lines, ['a', 'b'])
 *
 * @category sinks
 * @since 0.1.0
 */
export const forEach =
  <A, F extends Any>(f: (a: A) => F) =>
  <E>(stream: ReceiveStream<A, E>): Effect.Effect<EnvOf<F>, E | ErrorOf<F>, void> =>
    // What `f` fails with must not pass for the end of the stream.
    Effect.suspend(() => {
      const loop: Effect.Effect<EnvOf<F>, E | ErrorOf<F>, void> = Effect.matchEffect(
        endOrFailure<E>,
        (value: A): Effect.Effect<EnvOf<F>, E | ErrorOf<F>, void> =>
          goOn(f(value) as Effect.Effect<EnvOf<F>, ErrorOf<F>, unknown>)
      )(stream.receive)
      const goOn = Effect.flatMap(() => again)
      const again: Effect.Effect<EnvOf<F>, E | ErrorOf<F>, void> = Effect.flatMap(() => loop)(
        Effect.checkCancelled
      )
      return loop
    })

/** The next item, or `None` at the end of the stream. */
const next = <A, E>(stream: ReceiveStream<A, E>): Effect.Effect<unknown, E, Option<A>> =>
  Effect.matchEffect(
    (error: E | EndOfStream): Effect.Effect<unknown, E, Option<A>> =>
      isEnd(error) ? Effect.succeed({ _tag: 'None' }) : Effect.failCause<E>({ _tag: 'Fail', error: error }),
    (value: A): Effect.Effect<unknown, E, Option<A>> => Effect.succeed({ _tag: 'Some', value })
  )(stream.receive)

/** For loops: the end of the stream is theirs as well. */
const endOrFailure = <E>(error: E | EndOfStream): Effect.Effect<unknown, E, void> =>
  isEnd(error) ? Effect.unit : Effect.failCause<E>({ _tag: 'Fail', error })

const isEnd = (error: unknown): error is EndOfStream =>
  typeof error === 'object' && error !== null && '_tag' in error && error._tag === 'EndOfStream'

/**
 * All items, folded from the left.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * const sum = Stream.fold(0, (total: number, n: number) => total + n)
 * assert.equal(Runtime.runSync(pipe(Stream.fromIterable([1, 2, 3]), Effect.flatMap(sum))), 6)
 *
 * @category sinks
 * @since 0.1.0
 */
export const fold =
  <B, A>(initial: B, f: (b: B, a: A) => B) =>
  <E>(stream: ReceiveStream<A, E>): Effect.Effect<unknown, E, B> =>
    Effect.suspend(() => {
      let result = initial
      return Effect.map(() => result)(
        forEachChunk((items: ReadonlyArray<A>) => {
          for (const item of items) result = f(result, item)
        })(stream)
      )
    })

/**
 * By the chunk: for what does nothing between two items, and so cannot be cancelled there. Each chunk is bounded, so that a
 * stream with much to give does not keep everybody else waiting.
 */
const forEachChunk =
  <A>(take: (items: ReadonlyArray<A>) => void) =>
  <E>(stream: ReceiveStream<A, E>): Effect.Effect<unknown, E, void> => {
    const loop: Effect.Effect<unknown, E, void> = Effect.matchEffect(
      endOrFailure<E>,
      (items: ReadonlyArray<A>): Effect.Effect<unknown, E, void> => {
        take(items)
        return again
      }
    )(stream.receiveMany(chunkSize))
    const again: Effect.Effect<unknown, E, void> = Effect.flatMap(() => loop)(Effect.checkCancelled)
    return loop
  }

const chunkSize = 1024

/**
 * All items, as an array.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * const program = pipe(Stream.fromIterable('abc'), Effect.flatMap(Stream.collect))
 * assert.deepEqual(Runtime.runSync(program), ['a', 'b', 'c'])
 *
 * @category sinks
 * @since 0.1.0
 */
export const collect = <A, E>(stream: ReceiveStream<A, E>): Effect.Effect<unknown, E, ReadonlyArray<A>> =>
  Effect.suspend(() => {
    const items: Array<A> = []
    return Effect.map(() => items)(
      forEachChunk((chunk: ReadonlyArray<A>) => {
        for (const item of chunk) items.push(item)
      })(stream)
    )
  })

/**
 * Receives all items and drops them.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * let seen = 0
 * function* numbers() { while (seen < 3) yield seen++ }
 * Runtime.runSync(pipe(Stream.fromIterable(numbers()), Effect.flatMap(Stream.drain)))
 * assert.equal(seen, 3)
 *
 * @category sinks
 * @since 0.1.0
 */
export const drain = <E>(stream: ReceiveStream<unknown, E>): Effect.Effect<unknown, E, void> =>
  forEachChunk(() => undefined)(stream)

/**
 * Sends all items on. Closes neither side.
 *
 * **Cancellation.** While the item that was received last waits to be sent, it is lost with this effect; nothing else is.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, MemoryStream, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<number>(10)
 *   yield* pipe(yield* Stream.fromIterable([1, 2]), Stream.pipeTo(send))
 *   yield* pipe(yield* Stream.fromIterable([3]), Stream.pipeTo(send))
 *   yield* send.close
 *   return yield* Stream.collect(receive)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([1, 2, 3]))
 *
 * @category sinks
 * @since 0.1.0
 */
export const pipeTo =
  <A, E2>(send: SendStream<A, E2>) =>
  <E>(stream: ReceiveStream<A, E>): Effect.Effect<unknown, E | E2, void> =>
    forEach(send.send)(stream)

/**
 * For code outside of effects: `for await (const item of iterable)`. It takes the stream over: leaving the loop early closes it,
 * and so does the release of the resource, once in all. Calls of `next` are answered one after the other, so that items are
 * received when they are asked for and no earlier. A failure of the stream rejects, as `Runtime.runPromise` does, and is the end.
 *
 * **Cancellation.** The iterator is usable while the resource is: a `next` that waits when it is released rejects.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Promises, Resource, Runtime, Stream } from 'millrace'
 *
 * const sum = async (numbers: AsyncIterable<number>): Promise<number> => {
 *   let total = 0
 *   for await (const n of numbers) total += n
 *   return total
 * }
 * const program = Effect.gen(function* () {
 *   const stream = yield* Stream.fromIterable([1, 2, 3])
 *   return yield* pipe(Stream.toAsyncIterable(stream), Resource.use((items) => Promises.fromPromise(() => sum(items))))
 * })
 * assert.equal(await Runtime.runPromise(program), 6)
 *
 * @category sinks
 * @since 0.1.0
 */
export const toAsyncIterable = <A, E>(
  stream: ReceiveStream<A, E>
): Resource.Resource<unknown, never, AsyncIterableIterator<A, undefined>> =>
  asyncIterable(stream, next(claimed(stream)))

// -------------------------------------------------------------------------------------
// item by item
// -------------------------------------------------------------------------------------

/**
 * A transducer on a receive stream: the one-way form of `Layer.through`, with the failures of this direction alone. Transducers
 * on each other become one. A failure of the transducer is final.
 *
 * **Cancellation.** Nothing was received: what was decoded stays for the next receive.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream, Transducer } from 'millrace'
 *
 * const program = pipe(
 *   Stream.fromIterable([1, 2, 3, 4, 5]),
 *   Effect.map(Stream.via(Transducer.chunksOf(2))),
 *   Effect.flatMap(Stream.collect)
 * )
 * assert.deepEqual(Runtime.runSync(program), [[1, 2], [3, 4], [5]])
 *
 * @category item by item
 * @since 0.1.0
 */
export const via =
  <A, B, E2>(transducer: Transducer.Transducer<A, B, E2>) =>
  <E, Attrs extends object>(stream: ReceiveStream<A, E, Attrs>): ReceiveStream<B, E | E2, Attrs> =>
    new Decoding(stream, transducer, stream.attributes)

/**
 * A transducer before a send stream. What it holds at the end is sent by {@link finish}; a plain `close` drops it.
 *
 * **Cancellation.** Of a send: nothing was sent. When an item becomes several and the first one was sent, the rest goes before
 * the next item.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, MemoryStream, Stream, Transducer } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<ReadonlyArray<number>>(10)
 *   const pairs = pipe(send, Stream.into(Transducer.chunksOf<number>(2)))
 *   for (const n of [1, 2, 3]) yield* pairs.send(n)
 *   yield* Stream.finish(pairs)
 *   return yield* Stream.collect(receive)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([[1, 2], [3]]))
 *
 * @category item by item
 * @since 0.1.0
 */
export const into =
  <A, B, E2>(transducer: Transducer.Transducer<A, B, E2>) =>
  <E, Attrs extends object>(stream: SendStream<B, E, Attrs>): SendStream<A, E | E2, Attrs> =>
    new Encoding(stream, transducer, stream.attributes)

/**
 * Ends the sending: sends what the layers of the stream hold, then `sendEof`, or `close` for a stream that has no other end.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Effect, Exit, MemoryStream, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, receive] = yield* MemoryStream.make<number>(1)
 *   yield* Stream.finish(send)
 *   return yield* Stream.collect(receive)
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([]))
 *
 * @category item by item
 * @since 0.1.0
 */
export const finish: <E>(stream: SendStream<never, E>) => Effect.Effect<unknown, E, void> = finishSending

/**
 * `f` of each item.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * const program = pipe(
 *   Stream.fromIterable([1, 2]),
 *   Effect.map(Stream.map((n: number) => n * 10)),
 *   Effect.flatMap(Stream.collect)
 * )
 * assert.deepEqual(Runtime.runSync(program), [10, 20])
 *
 * @category item by item
 * @since 0.1.0
 */
export const map = <A, B>(
  f: (a: A) => B
): (<E, Attrs extends object>(stream: ReceiveStream<A, E, Attrs>) => ReceiveStream<B, E, Attrs>) =>
  via(Transducer.map(f))

/**
 * The items that fit.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * const program = pipe(
 *   Stream.fromIterable([1, 2, 3]),
 *   Effect.map(Stream.filter((n: number) => n !== 2)),
 *   Effect.flatMap(Stream.collect)
 * )
 * assert.deepEqual(Runtime.runSync(program), [1, 3])
 *
 * @category item by item
 * @since 0.1.0
 */
export const filter: {
  <A, B extends A>(
    p: Refinement<A, B>
  ): <E, Attrs extends object>(stream: ReceiveStream<A, E, Attrs>) => ReceiveStream<B, E, Attrs>
  <A>(
    p: Predicate<A>
  ): <E, Attrs extends object>(stream: ReceiveStream<A, E, Attrs>) => ReceiveStream<A, E, Attrs>
} = <A>(p: Predicate<A>) => via(Transducer.filter(p)) as never

/**
 * The first `n` items; then the stream has ended, and no more is received from the one below. `n` is a whole number from 0; else
 * it throws.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * const program = pipe(Stream.fromIterable('abcd'), Effect.map(Stream.take(2)), Effect.flatMap(Stream.collect))
 * assert.deepEqual(Runtime.runSync(program), ['a', 'b'])
 *
 * @category item by item
 * @since 0.1.0
 */
export const take =
  (n: number) =>
  <A, E, Attrs extends object>(stream: ReceiveStream<A, E, Attrs>): ReceiveStream<A, E, Attrs> =>
    via(Transducer.take<A>(n))(stream)

// -------------------------------------------------------------------------------------
// operators
// -------------------------------------------------------------------------------------

/**
 * The items of both, in the order in which they come. Ends when both have ended.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as O from 'fp-ts/lib/Option.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const every = (ms: number, name: string) =>
 *   Stream.unfold(1, (n) => Effect.as(n > 2 ? O.none : O.some([`${name}${n}`, n + 1] as const))(Effect.sleep(ms)))
 *
 * const program = Effect.gen(function* () {
 *   const [fast, slow] = [yield* every(10, 'fast'), yield* every(15, 'slow')]
 *   return yield* pipe(fast, Stream.merge(slow), Resource.use(Stream.collect))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['fast1', 'slow1', 'fast2', 'slow2']))
 *
 * @category operators
 * @since 0.1.0
 */
export const merge =
  <B, E2>(that: ReceiveStream<B, E2>) =>
  <A, E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ): Resource.Resource<unknown, never, ReceiveStream<A | B, E | E2, Attrs>> =>
    filled(
      'Stream.merge',
      0,
      { close: Effect.andThen(that.close)(stream.close), attributes: stream.attributes },
      (send) =>
        TaskGroup.open<E | E2>({ name: 'Stream.merge' })((group) =>
          Effect.andThen(group.spawn(forEach(send)(claimed(that))))(
            group.spawn(forEach(send)(claimed(stream)))
          )
        )
    )

/**
 * Pairs, as long as both have items. What the longer one has more is not received.
 *
 * **Cancellation.** An item of the first stream whose partner has not come is kept for the next receive.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Runtime, Stream } from 'millrace'
 *
 * const program = Effect.gen(function* () {
 *   const names = yield* Stream.fromIterable(['a', 'b', 'c'])
 *   const numbers = yield* Stream.fromIterable([1, 2])
 *   return yield* pipe(names, Stream.zip(numbers), Stream.collect)
 * })
 * assert.deepEqual(Runtime.runSync(program), [['a', 1], ['b', 2]])
 *
 * @category operators
 * @since 0.1.0
 */
export const zip =
  <B, E2>(that: ReceiveStream<B, E2>) =>
  <A, E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ): ReceiveStream<readonly [A, B], E | E2, Attrs> => {
    let kept: { readonly value: A } | null = null
    const [left, right] = [claimed(stream), claimed(that)]
    const first = Effect.suspend((): Effect.Effect<unknown, E | EndOfStream, A> =>
      kept !== null
        ? Effect.succeed(kept.value)
        : Effect.map((value: A) => {
            kept = { value }
            return value
          })(left.receive)
    )
    const pair = Effect.flatMap((a: A) =>
      Effect.map((b: B) => {
        kept = null
        return [a, b] as const
      })(right.receive)
    )(first)
    // One pair after the other, or two receivers would take the same partner. Made with the first one: `zip` is no effect.
    let shared: Lock.Lock | null = null
    const receive = Effect.flatMap((lock: Lock.Lock) => (shared ??= lock).withLock(pair))(
      Effect.suspend(() => (shared === null ? Lock.make({ name: 'Stream.zip' }) : Effect.succeed(shared)))
    )
    return source<readonly [A, B], E | E2, Attrs>(
      receive,
      Effect.andThen(that.close)(stream.close),
      stream.attributes
    )
  }

/**
 * Receives ahead, up to `capacity` items.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as O from 'fp-ts/lib/Option.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Making an item takes 10 ms, and using it as well. With a buffer both go on at the same time.
 * const slow = Stream.unfold(1, (n) => Effect.as(n > 3 ? O.none : O.some([n, n + 1] as const))(Effect.sleep(10)))
 * const program = Effect.gen(function* () {
 *   const before = yield* Effect.currentTime
 *   yield* pipe(yield* slow, Stream.buffer(2), Resource.use(Stream.forEach(() => Effect.sleep(10))))
 *   return (yield* Effect.currentTime) - before
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(40))
 *
 * @category operators
 * @since 0.1.0
 */
export const buffer =
  (capacity: number) =>
  <A, E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ): Resource.Resource<unknown, never, ReceiveStream<A, E, Attrs>> =>
    filled('Stream.buffer', capacity, stream, (send) => forEach(send)(claimed(stream)))

/**
 * The same stream, which ends when a scope around the receiver drains; see `CancelScope.untilDrain`. What was received before
 * goes on, so a consumer finishes its item and leaves.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { CancelScope, Effect, Exit, MemoryStream, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [send, jobs] = yield* MemoryStream.make<string>(9)
 *   for (const job of ['a', 'b', 'c']) yield* send.send(job)
 *   const done: Array<string> = []
 *   yield* CancelScope.open((scope) =>
 *     pipe(
 *       Stream.untilDrain(jobs),
 *       Stream.forEach((job) =>
 *         Effect.gen(function* () {
 *           if (job === 'b') yield* scope.drain('shutting down')
 *           yield* Effect.sleep(10)
 *           done.push(job)
 *         })
 *       )
 *     )
 *   )
 *   return done
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['a', 'b']))
 *
 * @category operators
 * @since 0.1.0
 */
export const untilDrain = <A, E, Attrs extends object>(
  stream: ReceiveStream<A, E, Attrs>
): ReceiveStream<A, E, Attrs> => {
  const handle = source<A, E, Attrs>(
    Effect.flatMap((item: Option<A>): Effect.Effect<unknown, EndOfStream, A> =>
      item._tag === 'Some' ? Effect.succeed(item.value) : end
    )(CancelScope.untilDrain(stream.receive)),
    stream.close,
    stream.attributes
  )
  // It keeps nothing, so the stream may be used by either.
  sameStream(handle, stream)
  return handle
}

/**
 * How {@link mapEffect} works on several items.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const asTheyCome: Stream.MapEffectOptions = { concurrency: 3, ordered: false }
 * const slow = (n: number) => Effect.as(n)(Effect.sleep(n))
 * const program = Effect.gen(function* () {
 *   const numbers = yield* Stream.fromIterable([30, 10, 20])
 *   return yield* pipe(numbers, Stream.mapEffect(slow, asTheyCome), Resource.use(Stream.collect))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([10, 20, 30]))
 *
 * @category model
 * @since 0.1.0
 */
export interface MapEffectOptions {
  /** How many at a time, 1 when absent. */
  readonly concurrency?: number
  /** Results in the order of the items, which is the default, or as they come. */
  readonly ordered?: boolean
}

/**
 * `f` for each item, several at a time. An item counts until its result was received, so a slow receiver holds the stream
 * back.
 *
 * **Errors.** The first failure ends the stream. In order, it comes after the results of the items before it; otherwise at
 * once, and results that nobody has received yet are dropped.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const numbers = yield* Stream.fromIterable([3, 1, 2])
 *   const slow = (n: number) => Effect.as(n * 10)(Effect.sleep(n))
 *   return yield* pipe(numbers, Stream.mapEffect(slow, { concurrency: 3 }), Resource.use(Stream.collect))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([30, 10, 20]))
 *
 * @category operators
 * @since 0.1.0
 */
export const mapEffect =
  <A, F extends Any>(f: (a: A) => F, options: MapEffectOptions = {}) =>
  <E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ): Resource.Resource<EnvOf<F>, never, ReceiveStream<ValueOf<F>, E | ErrorOf<F>, Attrs>> => {
    const { concurrency = 1, ordered = true } = options
    type Mapped = Future.Future<ErrorOf<F>, ValueOf<F>>
    const apply = (a: A): Effect.Effect<EnvOf<F>, ErrorOf<F>, ValueOf<F>> => Effect.suspend(() => f(a))
    return filled<EnvOf<F>, E | ErrorOf<F>, ValueOf<F>, Attrs>('Stream.mapEffect', 0, stream, (send) =>
      Effect.flatMap((room: Semaphore.Semaphore) =>
        TaskGroup.open<E | ErrorOf<F>>({ name: 'Stream.mapEffect' })((group) => {
          // An item is received only when there is room for it. It takes up room until its result was received, so that a
          // slow receiver holds the stream back.
          const startEach = (start: (a: A) => Effect.Effect<EnvOf<F>, never, unknown>) =>
            Effect.andThen(forEach((a: A) => Effect.andThen(room.acquire)(start(a)))(claimed(stream)))(
              room.acquire
            )
          if (!ordered) {
            return startEach((a) => group.spawn(Effect.andThen(room.release)(Effect.flatMap(send)(apply(a)))))
          }
          return Effect.flatMap(
            ([queue, results]: readonly [
              MemoryStream.MemorySendStream<Mapped>,
              MemoryStream.MemoryReceiveStream<Mapped>
            ]) => {
              const sendInOrder = forEach((mapped: Mapped) =>
                Effect.andThen(room.release)(Effect.flatMap(send)(mapped.wait))
              )(source<Mapped, never>(Effect.orElse(() => end)(results.receive)))
              // A failure waits for its turn as well.
              const startInOrder = startEach((a) =>
                Effect.flatMap((mapped: Mapped) =>
                  Effect.andThen(
                    group.spawn(
                      handingOn<ErrorOf<F>>(mapped.complete)(Effect.flatMap(mapped.succeed)(apply(a)))
                    )
                  )(Effect.orDie(queue.send(mapped)))
                )(Future.make<ErrorOf<F>, ValueOf<F>>())
              )
              return Effect.andThen(Effect.ensuring(queue.close)(startInOrder))(
                group.spawn(Effect.ensuring(results.close)(sendInOrder))
              )
            }
          )(MemoryStream.make<Mapped>(Infinity))
        })
      )(roomFor(concurrency))
    )
  }

/** Permits for that many at a time. */
const roomFor = (concurrency: number): Effect.Effect<unknown, never, Semaphore.Semaphore> =>
  concurrency === Infinity || (Number.isInteger(concurrency) && concurrency >= 1)
    ? Semaphore.make(Math.min(concurrency, Number.MAX_SAFE_INTEGER))
    : Effect.die(
        new RangeError(
          `The concurrency of mapEffect is a whole number from 1, or Infinity, but was given ${String(concurrency)}.`
        )
      )

/**
 * What can be subscribed to.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const first = <E>(hub: Stream.Broadcast<number, E>) => pipe(hub.subscribe, Resource.use((stream) => stream.receive))
 * const program = Effect.gen(function* () {
 *   return yield* pipe(yield* Stream.fromIterable([1, 2, 3]), Stream.broadcast(), Resource.use(first))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(1))
 *
 * @category model
 * @since 0.1.0
 */
export interface Broadcast<out A, out E, out Attrs extends object = {}> {
  /** Sees what is sent after it was acquired. */
  readonly subscribe: Resource.Resource<unknown, never, ReceiveStream<A, E, Attrs>>
}

/**
 * Each subscription sees every item that is received after it.
 *
 * Without `lag` the slowest subscriber holds all others back. With `lag`, up to that many items are kept for a slow one; then
 * the oldest are dropped, and its next receive fails with `Lagged`, which says how many. It can go on receiving after that.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Concurrent, Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const numbers = yield* Stream.fromIterable([1, 2, 3])
 *   return yield* pipe(
 *     numbers,
 *     Stream.broadcast(),
 *     Resource.use((hub) =>
 *       Concurrent.all([
 *         pipe(hub.subscribe, Resource.use(Stream.collect)),
 *         pipe(hub.subscribe, Resource.use(Stream.fold(0, (sum: number, n: number) => sum + n)))
 *       ])
 *     )
 *   )
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([[1, 2, 3], 6]))
 *
 * @category operators
 * @since 0.1.0
 */
export const broadcast: {
  (options?: {}): <A, E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ) => Resource.Resource<unknown, never, Broadcast<A, E, Attrs>>
  (options: {
    readonly lag: number
  }): <A, E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ) => Resource.Resource<unknown, never, Broadcast<A, E | Lagged, Attrs>>
} =
  (options: { readonly lag?: number } = {}) =>
  <A, E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ): Resource.Resource<unknown, never, Broadcast<A, never, Attrs>> =>
    // The overloads say whether a subscriber may lag.
    broadcastTo(stream, options.lag, (f) => forEach(f)(claimed(stream))) as never

/**
 * The `Left`s and the `Right`s apart. A side that nobody receives from holds the other one back, once `lag` items wait there; a
 * side that was closed drops its items.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as E from 'fp-ts/lib/Either.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const byParity = (n: number) => (n % 2 === 0 ? E.right(n) : E.left(n))
 * const program = Effect.gen(function* () {
 *   const numbers = yield* Stream.fromIterable([1, 2, 3, 4])
 *   return yield* pipe(
 *     numbers,
 *     Stream.partition(byParity, { lag: 10 }),
 *     Resource.use(({ left, right }) => Effect.tuple([Stream.collect(left), Stream.collect(right)]))
 *   )
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([[1, 3], [2, 4]]))
 *
 * @category operators
 * @since 0.1.0
 */
export const partition =
  <A, B, C>(f: (a: A) => Either<B, C>, { lag = 0 }: { readonly lag?: number } = {}) =>
  <E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ): Resource.Resource<
    unknown,
    never,
    { readonly left: ReceiveStream<B, E, Attrs>; readonly right: ReceiveStream<C, E, Attrs> }
  > =>
    partitionTo(stream, lag, f, (give) => forEach(give)(claimed(stream)))

/**
 * An item only when no other one has come for `ms` milliseconds after it; the last one at the end at once.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as O from 'fp-ts/lib/Option.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * // Keys that are typed, with the time since the one before.
 * const keys = [[0, 'h'], [10, 'he'], [10, 'hel'], [500, 'help']] as const
 * const typing = Stream.unfold(0, (i) => {
 *   const key = keys[i]
 *   return key === undefined ? Effect.succeed(O.none) : Effect.as(O.some([key[1], i + 1] as const))(Effect.sleep(key[0]))
 * })
 * const program = Effect.gen(function* () {
 *   return yield* pipe(yield* typing, Stream.debounce(100), Resource.use(Stream.collect))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['hel', 'help']))
 *
 * @category operators
 * @since 0.1.0
 */
export const debounce =
  (ms: number) =>
  <A, E, Attrs extends object>(
    stream: ReceiveStream<A, E, Attrs>
  ): Resource.Resource<unknown, never, ReceiveStream<A, E, Attrs>> =>
    filled('Stream.debounce', 0, stream, (send) => {
      if (!(ms >= 0))
        return Effect.die(
          new RangeError(`debounce takes a number of milliseconds from 0, but was given ${String(ms)}.`)
        )
      const below = next(claimed(stream))
      const came = Timeout.moveOnAfter(ms)(Effect.either(below))
      const settle = (last: A): Effect.Effect<unknown, E, void> =>
        Effect.flatMap((within: Option<Either<E, Option<A>>>): Effect.Effect<unknown, E, void> => {
          if (within._tag === 'None') return Effect.flatMap(() => wait)(send(last))
          const received = within.value
          // What the stream fails with comes after the item that waits.
          if (received._tag === 'Left')
            return Effect.flatMap(() => Effect.fromEither(received))(send(last)) as Effect.Effect<
              unknown,
              E,
              never
            >
          return received.right._tag === 'None' ? send(last) : settle(received.right.value)
        })(came)
      const wait: Effect.Effect<unknown, E, void> = Effect.flatMap(
        (item: Option<A>): Effect.Effect<unknown, E, void> =>
          item._tag === 'None' ? Effect.unit : settle(item.value)
      )(below)
      return wait
    })

/**
 * At most `items` in every `perMs` milliseconds; a number is short for one item in so many. A receive waits for its turn before
 * it receives, so nothing is dropped, and the stream below is held back.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [numbers, before] = [yield* Stream.fromIterable([1, 2, 3, 4, 5]), yield* Effect.currentTime]
 *   const times: Array<number> = []
 *   const note = () => Effect.map((now: number) => { times.push(now - before) })(Effect.currentTime)
 *   yield* pipe(numbers, Stream.throttle({ items: 2, perMs: 100 }), Stream.forEach(note))
 *   return times
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([0, 0, 100, 100, 200]))
 *
 * @category operators
 * @since 0.1.0
 */
export const throttle = (
  rate: number | { readonly items: number; readonly perMs: number }
): (<A, E, Attrs extends object>(stream: ReceiveStream<A, E, Attrs>) => ReceiveStream<A, E, Attrs>) => {
  const { items, perMs } = typeof rate === 'number' ? { items: 1, perMs: rate } : rate
  if (!Number.isInteger(items) || items < 1 || !(perMs >= 0))
    throw new RangeError(
      'throttle takes a whole number of items from 1 and a number of milliseconds from 0, but was given ' +
        `${String(items)} and ${String(perMs)}.`
    )
  return <A, E, Attrs extends object>(stream: ReceiveStream<A, E, Attrs>) => {
    // When the last ones were given.
    const given: Array<number> = []
    const queue = new Queue('Stream.throttle')
    const below = claimed(stream)
    let isClosed = false
    const asleep = ParkingLot.make<undefined, never, void>('Stream.throttle')
    // Closing wakes who waits for a turn; what a closed stream gives, the one below knows.
    const turn = Effect.suspend((): Effect.Effect<unknown, never, unknown> => {
      const first = given[0]
      return isClosed || given.length < items || first === undefined
        ? Effect.checkCancelled
        : Timeout.moveOnAt(first + perMs)(ParkingLot.park(asleep, undefined))
    })
    const note = Effect.map((now: number) => {
      given.push(now)
      if (given.length > items) given.shift()
    })(Effect.currentTime)
    const received = Effect.tap((_: A) => note)(Effect.andThen(below.receive)(turn))
    const close = Effect.suspend(() => {
      isClosed = true
      while (asleep.size() > 0) asleep.succeedUnsafe(undefined)
      return stream.close
    })
    return source<A, E, Attrs>(queue.use(received), close, stream.attributes)
  }
}

type SelectError<S> = S extends { readonly receive: Effect.Effect<infer _R, infer E, infer _A> } ? E : never
type Received<S> = S extends { readonly receive: Effect.Effect<infer _R, infer _E, infer A> } ? A : never

/**
 * The first of several receives that can go on, under its name; the others take nothing. When several can, the one that
 * stands first is taken. Streams that have ended are passed over; `EndOfStream` when all have. While it waits it stands
 * among the receivers of each stream, and is served in the order of arrival.
 *
 * The streams must be memory streams, or made by `buffer`, `merge` or `mapEffect`; on others, put a `buffer` first.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, MemoryStream, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const [, jobs] = yield* MemoryStream.make<number>(1)
 *   const [stop, stops] = yield* MemoryStream.make<string>(1)
 *   yield* stop.send('enough')
 *   return yield* Stream.select({ jobs, stops })
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['stops', 'enough']))
 *
 * @category operators
 * @since 0.1.0
 */
export const select = <T extends { readonly [key: string]: ReceiveStream<unknown, unknown> }>(
  streams: T
): Effect.Effect<
  unknown,
  SelectError<T[keyof T]>,
  { readonly [K in keyof T]: readonly [K, Received<T[K]>] }[keyof T]
> =>
  Effect.flatMap((exit: Exit<unknown, readonly [string, unknown]>) => Effect.fromExit(exit))(
    LowLevel.operation(selectNow, streams)
  ) as never

type Selected = Exit<unknown, readonly [string, unknown]>

/** Takes what can be had now, or stands in all queues at once: what one of them gives ends the wait in the others. */
const selectNow = (
  self: LowLevel.Self,
  streams: { readonly [key: string]: ReceiveStream<unknown, unknown> }
): Selected | LowLevel.Suspended => {
  if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  const open: Array<readonly [string, Selectable<unknown, unknown>]> = []
  for (const [key, stream] of Object.entries(streams)) {
    if (!isSelectable(stream)) return { _tag: 'Left', left: { _tag: 'Die', defect: notSelectable(key) } }
    open.push([key, stream])
  }
  const places: Array<readonly [string, Selectable<unknown, unknown>]> = []
  for (const [key, stream] of open) {
    const arrival = stream.arrival()
    if (arrival === null) places.push([key, stream])
    else if (arrival._tag === 'Right') return { _tag: 'Right', right: [key, arrival.right] }
    else if (!isEndOf(arrival.left)) return arrival
  }
  let waiting = places.length
  if (waiting === 0) return { _tag: 'Left', left: { _tag: 'Fail', error: endOfStream } }

  const leave: Array<() => void> = []
  const leaveAll = () => {
    for (const each of leave) each()
  }
  const lot = ParkingLot.make<undefined, never, Selected>('Stream.select', { onWithdraw: leaveAll })
  for (const [key, stream] of places) {
    leave.push(
      stream.watch((arrival) => {
        // Served already: the same stream was given twice, and both places have found it closed.
        if (lot.size() === 0) return
        if (arrival._tag === 'Left' && isEndOf(arrival.left) && --waiting > 0) return
        leaveAll()
        lot.succeedUnsafe(arrival._tag === 'Right' ? { _tag: 'Right', right: [key, arrival.right] } : arrival)
      })
    )
  }
  return ParkingLot.parkSelf(self, lot, undefined)
}

const isEndOf = (cause: Cause.Cause<unknown>): boolean => cause._tag === 'Fail' && isEnd(cause.error)

const notSelectable = (key: string): TypeError =>
  new TypeError(
    `The stream "${key}" cannot be selected from: a receive of it that loses could not give its item back. Put ` +
      'Stream.buffer(1) on it and select from that.'
  )
