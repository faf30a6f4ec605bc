/**
 * The interfaces of streams of objects. A stream is a live handle: what operates on it is a member, and each is an effect.
 *
 * `E` is what can go wrong in either direction, `EndOfStream` apart, which only `receive` can have.
 *
 * @since 0.1.0
 */
import type { Provider } from '../attributes/Provider.js'
import type { Effect } from '../effect/Effect.js'
import type { EndOfStream } from './StreamError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Gives items, each once and in order.
 *
 * @category model
 * @since 0.1.0
 */
export interface ReceiveStream<out A, out E = never, out Attrs extends object = {}> extends Provider<Attrs> {
  /**
   * The next item; `EndOfStream` when there will be none.
   *
   * **Cancellation.** Nothing was received.
   */
  readonly receive: Effect<unknown, E | EndOfStream, A>
  /** Closes this side. Closing twice does nothing; works in a cancelled scope too. */
  readonly close: Effect<unknown, never, void>
}

/**
 * Takes items, each once and in order.
 *
 * @category model
 * @since 0.1.0
 */
export interface SendStream<in A, out E = never, out Attrs extends object = {}> extends Provider<Attrs> {
  /**
   * Hands the item over.
   *
   * **Cancellation.** Nothing was sent.
   */
  readonly send: (a: A) => Effect<unknown, E, void>
  /** Closes this side: the receiver finds the end of the stream. Closing twice does nothing. */
  readonly close: Effect<unknown, never, void>
}

/**
 * Both directions.
 *
 * @category model
 * @since 0.1.0
 */
export interface DuplexStream<out In, in Out, out E = never, out Attrs extends object = {}>
  extends ReceiveStream<In, E, Attrs>, SendStream<Out, E, Attrs> {
  /** No more will be sent; receiving goes on. */
  readonly sendEof: Effect<unknown, E, void>
}
