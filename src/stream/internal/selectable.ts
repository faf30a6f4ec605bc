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
   * Is given the next item or failure that comes when no receiver waits for it; it must take it, and then take back its
   * place, here and everywhere else. The result does that.
   */
  watch(watcher: (arrival: Arrival<A, E>) => void): () => void
}

export const isSelectable = (stream: object): stream is Selectable<unknown, unknown> => selectable in stream
