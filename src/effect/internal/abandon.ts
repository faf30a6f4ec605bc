/**
 * The end of a run that cannot go on, since it waits for what will not come.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import { joinThen, withoutCancelled } from './causes.js'
import { Done, type Fiber } from './fiber.js'
import { cancellation } from './scopeTree.js'

/**
 * Cancels the run and drives its finalizers; those that wait for ever are cut. Nothing of it is left waiting anywhere: a
 * fiber that stayed in the queue of a lock would be handed the lock later.
 */
export const abandonRun = (main: Fiber, defect: unknown, reason: string, drive: () => void): Cause<never> => {
  const { root } = main.runOf
  root.cancel(cancellation({ _tag: 'Explicit', value: reason }))
  drive()
  if (main.status !== Done) {
    root.endShields(0)
    drive()
  }
  const die: Cause<never> = { _tag: 'Die', defect }
  const cause = main.status === Done ? main.failure() : null
  const rest = cause === null ? null : withoutCancelled(cause)
  return rest === null ? die : joinThen(die, rest as Cause<never>)
}
