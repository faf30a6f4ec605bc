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

/**
 * What any stream or connection to the outside may fail with: closed on this side, broken over there, or used by two at once.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import type { ResourceError } from 'millrace'
 *
 * const inWords = (error: ResourceError.ResourceError): string => {
 *   switch (error._tag) {
 *     case 'ClosedResource': return `${error.resource} was closed`
 *     case 'BrokenResource': return `${error.resource} is gone`
 *     case 'BusyResource': return `somebody else is ${error.action} it`
 *   }
 * }
 * assert.equal(inWords({ _tag: 'BrokenResource', resource: 'the printer' }), 'the printer is gone')
 *
 * @category model
 * @since 0.1.0
 */
export type ResourceError = ClosedResource | BrokenResource | BusyResource
