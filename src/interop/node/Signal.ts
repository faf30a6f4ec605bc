/**
 * Signals of the process as a stream, such as SIGHUP to read the configuration again.
 *
 * Under `Main`, SIGINT and SIGTERM also shut the program down; to do so softly see the option `drain` of `Main.run`.
 *
 * @since 0.1.0
 */
import * as Effect from '../../effect/Effect.js'
import * as Resource from '../../scope/Resource.js'
import type { ClosedResource } from '../../scope/ResourceError.js'
import * as MemoryStream from '../../stream/MemoryStream.js'
import type { ReceiveStream } from '../../stream/ObjectStream.js'

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/**
 * The signals of that name from now on, for as long as the resource is held. Several can listen at once, and each gets every
 * signal; one that is named twice is delivered once. Signals that come while nobody receives are kept. When the last one
 * stops to listen, Node does again what it did before.
 *
 * **Errors.** A name that cannot be listened to, such as SIGKILL, is a defect when the resource is acquired.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Resource, Runtime } from 'millrace'
 * import { Signal } from 'millrace/node'
 *
 * const program = pipe(
 *   Signal.receive(['SIGHUP', 'SIGUSR1']),
 *   Resource.use((signals) =>
 *     Effect.gen(function* () {
 *       yield* Effect.sync(() => process.kill(process.pid, 'SIGHUP'))
 *       return yield* signals.receive
 *     })
 *   )
 * )
 * assert.equal(await Runtime.runPromise(pipe(program, Effect.orDie)), 'SIGHUP')
 *
 * @category conversions
 * @since 0.1.0
 */
export const receive = <S extends string>(
  signals: ReadonlyArray<S>
): Resource.Resource<unknown, never, ReceiveStream<S, ClosedResource>> => {
  const names = [...new Set(signals)]
  const ends = Resource.make(MemoryStream.make<S>(Infinity, { name: names.join(' ') }), ([send, stream]) =>
    Effect.andThen(stream.close)(send.close)
  )
  /** Each listener is taken back even if a later one cannot be attached. */
  const listening = (
    name: S,
    send: MemoryStream.MemorySendStream<S>
  ): Resource.Resource<unknown, never, unknown> => {
    const listener = (): void => {
      send.sendUnsafe(name)
    }
    return Resource.make(
      Effect.sync(() => process.on(name, listener)),
      () => Effect.sync(() => process.off(name, listener))
    )
  }
  return Resource.gen(function* () {
    const [send, stream] = yield* ends
    for (const name of names) yield* listening(name, send)
    return stream
  })
}
