/**
 * The failures of things that can be closed, broken or busy.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Used after it was closed on this side.
 *
 * @category model
 * @since 0.1.0
 */
export interface ClosedResource {
  readonly _tag: 'ClosedResource'
  readonly resource: string
}

/**
 * The other side is gone, or the thing has become unusable.
 *
 * @category model
 * @since 0.1.0
 */
export interface BrokenResource {
  readonly _tag: 'BrokenResource'
  readonly resource: string
  readonly cause?: unknown
}

/**
 * Somebody else is at it, and there is room for one.
 *
 * @category model
 * @since 0.1.0
 */
export interface BusyResource {
  readonly _tag: 'BusyResource'
  /** What the other one is doing, such as `reading from`. */
  readonly action: string
}

/**
 * What never waits would have had to wait.
 *
 * @category model
 * @since 0.1.0
 */
export interface WouldBlock {
  readonly _tag: 'WouldBlock'
}
