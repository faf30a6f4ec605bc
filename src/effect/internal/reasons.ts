/**
 * From what users give as a reason to a cancellation.
 *
 * @internal
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { Cancelled, CancelReason } from '../Cause.js'
import type { Cancellation } from './scopeTree.js'

const none: Option<never> = { _tag: 'None' }

/**
 * A `CancelReason` is taken as it is, a `Cancelled` as its reason and what led to this cancellation; anything else is
 * `Explicit`.
 */
export const toCancellation = (reason: unknown, by: Option<string>): Cancellation => {
  if (typeof reason === 'object' && reason !== null && '_tag' in reason) {
    switch (reason._tag) {
      case 'Cancelled': {
        const because = reason as Cancelled
        return { reason: because.reason, by, because: { _tag: 'Some', value: because } }
      }
      case 'Deadline':
      case 'SiblingFailed':
      case 'Explicit':
      case 'Aborted':
      case 'Shutdown':
        return { reason: reason as CancelReason, by, because: none }
    }
  }
  return { reason: { _tag: 'Explicit', value: reason }, by, because: none }
}
