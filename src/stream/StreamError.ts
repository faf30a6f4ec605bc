/**
 * The typed failures of streams.
 *
 * @since 0.1.0
 */
export type { BrokenResource, BusyResource, ClosedResource, WouldBlock } from '../scope/ResourceError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * There is nothing more to come, and never will be. The normal end of a stream.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = pipe(
 *   Stream.fromIterable<number>([]),
 *   Effect.flatMap((stream) => stream.receive),
 *   Effect.catchTag('EndOfStream', () => Effect.succeed('nothing left'))
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('nothing left'))
 *
 * @category model
 * @since 0.1.0
 */
export interface EndOfStream {
  readonly _tag: 'EndOfStream'
}

/**
 * A subscriber was too slow, and that many items were dropped for it.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, Resource, Stream } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   return yield* pipe(
 *     yield* Stream.fromIterable([1, 2, 3, 4, 5]),
 *     Stream.broadcast({ lag: 2 }),
 *     Resource.flatMap((hub) => hub.subscribe),
 *     Resource.use((slow) => pipe(Effect.sleep(10), Effect.andThen(Effect.either(slow.receive))))
 *   )
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'Left', left: { _tag: 'Lagged', dropped: 3 } }))
 *
 * @category model
 * @since 0.1.0
 */
export interface Lagged {
  readonly _tag: 'Lagged'
  readonly dropped: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The end of a stream.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attributes, Effect, Exit, Stream, StreamError } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const nothing = { receive: Effect.fail(StreamError.endOfStream), close: Effect.unit, attributes: Attributes.empty }
 * assert.deepEqual(TestRuntime.runExit(Stream.collect(nothing)), Exit.succeed([]))
 *
 * @category constructors
 * @since 0.1.0
 */
export const endOfStream: EndOfStream = { _tag: 'EndOfStream' }
