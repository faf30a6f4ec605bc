/**
 * Async iterables in and out. `return()` is `close`, once, however it ends.
 *
 * @since 0.1.0
 */
import type { Resource } from '../scope/Resource.js'
import type { ReceiveStream } from '../stream/ObjectStream.js'
import { fromAsyncIterable, toAsyncIterable } from '../stream/Stream.js'

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/**
 * A stream of the items of an async iterable: a generator, a Node stream, the rows of a database driver. `next` is called when
 * an item is asked for, once at a time; `return` is called and awaited at the end, unless the iterable has ended by itself.
 *
 * **Errors.** What `onThrow` makes of what the iterable throws; it is the end of the stream then.
 * **Cancellation.** A `next` that is under way goes on; the next receive takes what it gives, so nothing is lost.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { AsyncIterables, Resource, Runtime, Stream } from 'millrace'
 *
 * const lines: Array<string> = []
 * async function* pages() {
 *   try {
 *     for (let page = 1; ; page++) yield `page ${page}`
 *   } finally {
 *     lines.push('the cursor is closed')
 *   }
 * }
 *
 * const program = pipe(AsyncIterables.from(pages(), String), Resource.use((stream) => stream.receive))
 * assert.equal(await Runtime.runPromise(program), 'page 1')
 * assert.deepEqual(lines, ['the cursor is closed'])
 *
 * @category conversions
 * @since 0.1.0
 */
export const from: <A, E>(
  iterable: AsyncIterable<A>,
  onThrow: (thrown: unknown) => E
) => Resource<unknown, never, ReceiveStream<A, E>> = fromAsyncIterable

/**
 * An async iterable of a stream, for code outside of effects. It takes the stream over: whoever leaves the loop early closes
 * it, and so does the release of the resource.
 *
 * **Errors.** A failure of the stream rejects the `next` that meets it, as `Runtime.runPromise` does, and is the end.
 * **Cancellation.** Usable while the resource is: a `next` that waits when it is released rejects.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { AsyncIterables, Effect, Promises, Resource, Runtime, Stream } from 'millrace'
 *
 * const join = async (items: AsyncIterable<string>): Promise<string> => {
 *   let all = ''
 *   for await (const item of items) all += item
 *   return all
 * }
 * const program = pipe(
 *   Resource.fromEffect(Stream.fromIterable(['mill', 'race'])),
 *   Resource.flatMap(AsyncIterables.to),
 *   Resource.use((items) => Promises.fromPromise(() => join(items)))
 * )
 * assert.equal(await Runtime.runPromise(program), 'millrace')
 *
 * @category conversions
 * @since 0.1.0
 */
export const to: <A, E>(
  stream: ReceiveStream<A, E>
) => Resource<unknown, never, AsyncIterableIterator<A, undefined>> = toAsyncIterable
