/**
 * What is alive in a run, read from the live scope tree.
 *
 * @internal
 */
import { Fiber, Waiting } from './fiber.js'
import type { Run } from './run.js'
import { walk } from './scopeTree.js'

/** All fibers of a run that have not ended, in the order in which they were started. */
export const fibersOf = (run: Run): ReadonlyArray<Fiber> => {
  const fibers: Array<Fiber> = []
  walk(run.root, (node) => {
    for (let each = node.firstFiber; each !== null; each = each.scopeNext) {
      if (each instanceof Fiber) fibers.push(each)
    }
    return true
  })
  return fibers.sort((a, b) => a.id - b.id)
}

export const waitsOn = (fiber: Fiber): string | null =>
  fiber.status === Waiting && fiber.wait !== null ? fiber.wait.label : null

export const describeFiber = (fiber: Fiber): string => {
  const label = waitsOn(fiber)
  return label === null ? `${fiber.name} is ready` : `${fiber.name} waits on ${label}`
}

export const describeRun = (run: Run): string => fibersOf(run).map(describeFiber).join('\n')
