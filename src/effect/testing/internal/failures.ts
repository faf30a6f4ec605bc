/**
 * What is the same failure, and what is the same end.
 *
 * @internal
 */
import type { Cause } from '../../Cause.js'
import type { Exit } from '../../Exit.js'

const leavesOf = (cause: Cause<unknown>): ReadonlyArray<Cause<unknown>> => {
  const found: Array<Cause<unknown>> = []
  const rest: Array<Cause<unknown>> = [cause]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (next._tag === 'Then' || next._tag === 'Both') rest.push(next.right, next.left)
    else found.push(next)
  }
  return found
}

const kindOfValue = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return typeof value
  const { _tag, name } = value as { readonly _tag?: unknown; readonly name?: unknown }
  if (typeof _tag === 'string') return _tag
  return typeof name === 'string' ? name : 'object'
}

/**
 * Shrinking must not slide from one mistake into another, such as from a wrong sum into a deadlock. Messages may differ: they
 * often say what the schedule came to.
 */
export const kindOf = (exit: Exit<unknown, unknown>): string => {
  if (exit._tag === 'Right') return 'Right'
  const kinds = new Set<string>()
  for (const leaf of leavesOf(exit.left)) {
    if (leaf._tag === 'Fail') kinds.add(`Fail ${kindOfValue(leaf.error)}`)
    else if (leaf._tag === 'Die') kinds.add(`Die ${kindOfValue(leaf.defect)}`)
    else kinds.add(leaf._tag)
  }
  return [...kinds].sort().join(', ')
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/**
 * Whether two values of two runs may be the same. What is no data (a function, a handle) is made anew by each run, and is like
 * any other of its class.
 */
export const alike = (a: unknown, b: unknown, depth = 0): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a === 'function' && typeof b === 'function') return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (depth > 50) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((value, i) => alike(value, b[i], depth + 1))
  }
  if (a instanceof Error && b instanceof Error) return a.name === b.name && a.message === b.message
  if (!isPlain(a)) return Object.getPrototypeOf(a) === Object.getPrototypeOf(b)
  if (!isPlain(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) &&
        alike((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], depth + 1)
    )
  )
}

const sameLeaf = (a: Cause<unknown>, b: Cause<unknown>): boolean =>
  (a._tag === 'Fail' && b._tag === 'Fail' && alike(a.error, b.error)) ||
  (a._tag === 'Die' && b._tag === 'Die' && alike(a.defect, b.defect))

/** Whether a cancelled run ended as the uncancelled one does, or as cancelled, or as both. */
export const endsAsItShould = (
  uncancelled: Exit<unknown, unknown>,
  exit: Exit<unknown, unknown>
): boolean => {
  if (exit._tag === 'Right') return uncancelled._tag === 'Right' && alike(uncancelled.right, exit.right)
  const original = uncancelled._tag === 'Left' ? leavesOf(uncancelled.left) : []
  return leavesOf(exit.left).every(
    (leaf) => leaf._tag === 'Cancelled' || original.some((other) => sameLeaf(leaf, other))
  )
}

/** What went wrong with the run itself, whatever the program meant to do. */
export const isStuckOrLeaks = (exit: Exit<unknown, unknown>): boolean =>
  exit._tag === 'Left' &&
  leavesOf(exit.left).some(
    (leaf) =>
      leaf._tag === 'Die' &&
      ['Deadlock', 'ForeignWait', 'Livelock', 'Leak'].includes(kindOfValue(leaf.defect))
  )
