/**
 * A warning for ends that were collected as garbage without having been closed while the other side is open: those over there
 * may wait for ever.
 *
 * @internal
 */

/** What both ends share. Nothing here may refer to an end. */
export interface Watched {
  /** The name in quotes and a space before it, or nothing. */
  readonly title: string
  readonly openSend: number
  readonly openReceive: number
}

interface Forgotten {
  readonly side: 'send' | 'receive'
  readonly watched: Watched
}

interface WarningProcess {
  readonly emitWarning?: (message: string, options: { readonly type: string }) => void
}

/** Each is told once, and only so many: a leak that goes on is not told a thousand times. */
const told = new Set<string>()
const mostTold = 100

const registry = new FinalizationRegistry<Forgotten>(({ side, watched }) => {
  // Somebody on the other side may wait.
  if ((side === 'send' ? watched.openReceive : watched.openSend) === 0) return
  const warning =
    `The ${side} end of a MemoryStream${watched.title} was dropped without being closed. Close each end and each clone, for example ` +
    'with Resource.closing.'
  if (told.has(warning) || told.size >= mostTold) return
  told.add(warning)
  const { process } = globalThis as { readonly process?: WarningProcess }
  process?.emitWarning?.(warning, { type: 'ResourceWarning' })
})

/** Watches over an end until it is closed. */
export const warnWhenForgotten = (end: object, side: 'send' | 'receive', watched: Watched): void => {
  registry.register(end, { side, watched }, end)
}

/** The end was closed. */
export const closedInTime = (end: object): void => {
  registry.unregister(end)
}
