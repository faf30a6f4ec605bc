/**
 * The causes of the model. Nothing that went wrong is dropped: a second error joins the first, one after another or side by
 * side. A leaf is made once and carries its own identity; where causes are joined the same leaf is kept once, where it came
 * first. Two leaves of equal errors are two leaves.
 */

/** @category model */
export type Cause = Leaf | Join

/** `id`: which leaf it is. All cancellations by one scope are one leaf. */
export type Leaf =
  | { readonly _tag: 'Fail'; readonly error: unknown; readonly id: string }
  | { readonly _tag: 'Die'; readonly defect: unknown; readonly id: string }
  | { readonly _tag: 'Cancelled'; readonly id: string }

export interface Join {
  readonly _tag: 'Then' | 'Both'
  readonly left: Cause
  readonly right: Cause
}

/** How an effect ended. */
export type Exit =
  { readonly _tag: 'Right'; readonly right: unknown } | { readonly _tag: 'Left'; readonly left: Cause }

const isJoin = (cause: Cause): cause is Join => cause._tag === 'Then' || cause._tag === 'Both'

export const leaves = (cause: Cause): ReadonlyArray<Leaf> =>
  isJoin(cause) ? [...leaves(cause.left), ...leaves(cause.right)] : [cause]

/** What is left of a cause when only some of its leaves are kept. */
export const keep = (cause: Cause | null, wanted: (leaf: Leaf) => boolean): Cause | null => {
  if (cause === null) return null
  if (!isJoin(cause)) return wanted(cause) ? cause : null
  const left = keep(cause.left, wanted)
  const right = keep(cause.right, wanted)
  if (left === null) return right
  return right === null ? left : { _tag: cause._tag, left, right }
}

const join = (_tag: 'Then' | 'Both', left: Cause | null, right: Cause | null): Cause | null => {
  if (left === null) return right
  const known = new Set(leaves(left).map(({ id }) => id))
  const more = keep(right, ({ id }) => !known.has(id))
  return more === null ? left : { _tag, left, right: more }
}

/** One after another. */
export const afterwards = (left: Cause | null, right: Cause | null): Cause | null => join('Then', left, right)

/** Side by side. */
export const beside = (left: Cause | null, right: Cause | null): Cause | null => join('Both', left, right)

export const isCancelled = (leaf: Leaf): boolean => leaf._tag === 'Cancelled'

/** What went wrong, without cancellations. */
export const failing = (cause: Cause | null): Cause | null => keep(cause, (leaf) => !isCancelled(leaf))

export const hasCancelled = (cause: Cause): boolean => leaves(cause).some(isCancelled)

export const succeeded = (right: unknown): Exit => ({ _tag: 'Right', right })

export const failed = (left: Cause): Exit => ({ _tag: 'Left', left })

/** The exit of what ends with a value unless something went wrong. */
export const exitOf = (cause: Cause | null, value: unknown): Exit =>
  cause === null ? succeeded(value) : failed(cause)

export const causeOf = (exit: Exit): Cause | null => (exit._tag === 'Left' ? exit.left : null)
