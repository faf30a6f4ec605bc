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
 * @category model
 * @since 0.1.0
 */
export interface EndOfStream {
  readonly _tag: 'EndOfStream'
}

/**
 * A subscriber was too slow, and that many items were dropped for it.
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
 * @category constructors
 * @since 0.1.0
 */
export const endOfStream: EndOfStream = { _tag: 'EndOfStream' }
