/**
 * The soft phase of a shutdown. Functions over the tree of scopes and no methods of it, so that they stay out of a bundle
 * that does not drain.
 *
 * @internal
 */
import { type Cancellation, hooksOf, type ScopeNode, ScopeTimer, walk } from './scopeTree.js'

/**
 * Starts the soft phase: draining-aware sources inside end, also behind shields, and after `grace` ms the scope is
 * cancelled. Only the first call counts.
 */
export const drain = (scope: ScopeNode, why: Cancellation, grace: number): void => {
  if (scope.closed || scope.cancelled) return
  const hooks = hooksOf(scope)
  if (hooks.draining) return
  hooks.draining = true
  if (grace !== Infinity) {
    const { host } = scope
    const { timers } = host
    hooks.drainEnd = new ScopeTimer(scope, host.now() + grace, timers.nextOrder(), () => {
      scope.cancel(why)
    })
    timers.add(hooks.drainEnd)
  }
  const callbacks: Array<() => void> = []
  walk(scope, (node) => {
    if (node.hooks !== null) {
      callbacks.push(...node.hooks.onDrain)
      node.hooks.onDrain.clear()
    }
    return true
  })
  for (const callback of callbacks) callback()
}

/** Whether this scope or one around it drains. */
export const isDraining = (scope: ScopeNode): boolean => {
  for (let node: ScopeNode | null = scope; node !== null; node = node.parent) {
    if (node.hooks !== null && node.hooks.draining) return true
  }
  return false
}
