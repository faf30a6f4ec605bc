/**
 * What `Stream.select` needs of a stream: to take an item only if it can be had now, and to be told when to look again.
 * A stream that only has `receive` cannot be selected from, since a receive that loses would have to give its item back.
 *
 * @internal
 */
import type { Exit } from '../../effect/Exit.js'

export const selectable: unique symbol = Symbol('millrace/selectable')

export type Arrival<A, E> = Exit<E, A>

export interface Selectable<out A, out E> {
  readonly [selectable]: Selectable<A, E>
  /** Takes what can be had now: an item, or the failure that a receive would give. Null: it would wait. */
  arrival(): Arrival<A, E> | null
  /**
   * Waits among the receivers, in the order of arrival. The item or failure that it is given is taken: whoever watches gives
   * up its other places before anything else happens. The result gives this place up.
   */
  watch(watcher: (arrival: Arrival<A, E>) => void): () => void
}

export const isSelectable = (stream: object): stream is Selectable<unknown, unknown> => selectable in stream
