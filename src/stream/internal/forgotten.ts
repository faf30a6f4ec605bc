/**
 * A warning for ends that were collected as garbage without having been closed while the other side is open: those over there
 * may wait for ever.
 *
 * @internal
 */

interface Forgotten {
  readonly side: 'send' | 'receive'
  readonly name: string | undefined
  /** Whether somebody on the other side may wait. */
  readonly awaited: () => boolean
}

interface WarningProcess {
  readonly emitWarning?: (message: string, options: { readonly type: string }) => void
}

const registry = new FinalizationRegistry<Forgotten>(({ side, name, awaited }) => {
  if (!awaited()) return
  const { process } = globalThis as { readonly process?: WarningProcess }
  const which = name === undefined ? '' : ` ${JSON.stringify(name)}`
  process?.emitWarning?.(
    `The ${side} end of a MemoryStream${which} was dropped without being closed. Close each end and each clone, for example ` +
      'with Resource.closing.',
    { type: 'ResourceWarning' }
  )
})

/** Watches over an end; the result says that it was closed. `awaited` must not refer to the end. */
export const warnWhenForgotten = (
  end: object,
  side: 'send' | 'receive',
  name: string | undefined,
  awaited: () => boolean
): (() => void) => {
  const token = {}
  registry.register(end, { side, name, awaited }, token)
  return () => {
    registry.unregister(token)
  }
}
