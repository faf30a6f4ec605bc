/**
 * Listening to event targets and emitters. However many of us listen to one event of one target, it has one listener, and
 * none when nobody is left: nothing piles up, and Node has nothing to warn of.
 *
 * @internal
 */

/** What a browser and Node call an event target. Methods, so that targets of particular events fit. */
export interface EventTargetLike {
  addEventListener(name: string, listener: (event: unknown) => void): void
  removeEventListener(name: string, listener: (event: unknown) => void): void
}

/** What Node calls an emitter. */
export interface EmitterLike {
  on(name: string | symbol, listener: (event: unknown) => void): unknown
  off(name: string | symbol, listener: (event: unknown) => void): unknown
}

export type Source = EventTargetLike | EmitterLike

type Callback = (event: unknown) => void

interface Hub {
  readonly callbacks: Set<Callback>
  readonly listener: Callback
}

const hubs = new WeakMap<object, Map<string | symbol, Hub>>()

const isTarget = (source: Source): source is EventTargetLike => 'addEventListener' in source

const attach = (source: Source, name: string | symbol, listener: Callback): void => {
  if (isTarget(source)) source.addEventListener(name as string, listener)
  else source.on(name, listener)
}

const detach = (source: Source, name: string | symbol, listener: Callback): void => {
  if (isTarget(source)) source.removeEventListener(name as string, listener)
  else source.off(name, listener)
}

/** Calls back for each event, with its first argument; the result stops that. */
export const listen = (source: Source, name: string | symbol, callback: Callback): (() => void) => {
  let ofSource = hubs.get(source)
  if (ofSource === undefined) hubs.set(source, (ofSource = new Map()))
  let hub = ofSource.get(name)
  if (hub === undefined) {
    const callbacks = new Set<Callback>()
    // A copy: who comes while an event is given out hears of the next one.
    hub = { callbacks, listener: (event) => [...callbacks].forEach((each) => each(event)) }
    ofSource.set(name, hub)
    attach(source, name, hub.listener)
  }
  const { callbacks, listener } = hub
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return
    hubs.get(source)?.delete(name)
    detach(source, name, listener)
  }
}
