/**
 * Listening to abort signals. However many of us listen to one signal, it has one listener, and none when nobody is left:
 * a signal that outlives many operations does not fill up, and Node has nothing to warn of.
 *
 * @internal
 */

interface Hub {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

const hubs = new WeakMap<AbortSignal, Hub>()

/** Calls back once when the signal aborts; the result stops listening. The signal must not have been aborted before. */
export const listen = (signal: AbortSignal, callback: () => void): (() => void) => {
  let hub = hubs.get(signal)
  if (hub === undefined) {
    const callbacks = new Set<() => void>()
    const listener = () => {
      hubs.delete(signal)
      for (const each of callbacks) each()
    }
    hub = { callbacks, listener }
    hubs.set(signal, hub)
    signal.addEventListener('abort', listener, { once: true })
  }
  const { callbacks, listener } = hub
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return
    signal.removeEventListener('abort', listener)
    hubs.delete(signal)
  }
}
