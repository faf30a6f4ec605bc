/**
 * Listening to abort signals. However many of us listen to one signal, it has one listener, and none when nobody is left:
 * a signal that outlives many operations does not fill up, and Node has nothing to warn of.
 *
 * @internal
 */

const listeners = new WeakMap<AbortSignal, Set<() => void>>()

const aborted = ({ target }: Event): void => {
  const signal = target as AbortSignal
  const callbacks = listeners.get(signal) ?? []
  listeners.delete(signal)
  for (const each of callbacks) each()
}

/** Calls back once when the signal aborts; the result stops listening. The signal must not have been aborted before. */
export const listen = (signal: AbortSignal, callback: () => void): (() => void) => {
  let callbacks = listeners.get(signal)
  if (callbacks === undefined) {
    callbacks = new Set()
    listeners.set(signal, callbacks)
    signal.addEventListener('abort', aborted, { once: true })
  }
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return
    signal.removeEventListener('abort', aborted)
    listeners.delete(signal)
  }
}
