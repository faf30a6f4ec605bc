/**
 * Shields that go up and down.
 *
 * @internal
 */
import { type ScopeNode, walk } from './scopeTree.js'

export const setShield = (scope: ScopeNode, shield: boolean): void => {
  if (scope.shield === shield || scope.closed) return
  scope.shield = shield
  const effective = scope.cancelled || scope.cancelledFromOutside()
  if (effective && !scope.effective) scope.spread()
  else if (!effective && scope.effective) withdraw(scope)
}

/** A shield was raised: what was only cancelled from outside is not any more. */
const withdraw = (scope: ScopeNode): void => {
  walk(scope, (node) => {
    if (node.cancelled || !node.effective) return false
    node.effective = false
    const { extras } = node
    if (extras === null) return true
    extras.cancelledAbove = null
    if (extras.graceEnd !== null) {
      node.host.timers.remove(extras.graceEnd)
      extras.graceEnd = null
    }
    return true
  })
}
