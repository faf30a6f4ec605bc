/**
 * A stream belongs to what was put on it. The first operation of that claims the direction that it uses, and nobody else can
 * claim it then. Closing is never a claim.
 *
 * @internal
 */

/** Handles of the same stream, by handle. */
const originals = new WeakMap<object, object>()
const receivers = new WeakMap<object, object>()
const senders = new WeakMap<object, object>()

/** `handle` is another handle of `stream`. */
export const sameStream = (handle: object, stream: object): void => {
  originals.set(handle, originals.get(stream) ?? stream)
}

const claim = (claims: WeakMap<object, object>, stream: object, owner: object): boolean => {
  const original = originals.get(stream) ?? stream
  const first = claims.get(original)
  if (first !== undefined) return first === owner
  claims.set(original, owner)
  return true
}

/** Whether the receiving side belongs to `owner` now. */
export const claimReceiving = (stream: object, owner: object): boolean => claim(receivers, stream, owner)

/** Whether the sending side belongs to `owner` now. */
export const claimSending = (stream: object, owner: object): boolean => claim(senders, stream, owner)

export const takenOver = (direction: 'receiving' | 'sending'): string =>
  `The ${direction} side of this stream belongs to the layer, buffer or operator that was put on it first. Use the stream ` +
  'which that gave, or put both on top of each other.'
