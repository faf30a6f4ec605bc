/**
 * The ambient signal: how code deep inside a promise asks for the signal of the wait that it runs in. It travels in the
 * async context of the host, which slows every `await` of the process, and so exists only when a runtime asked for it.
 *
 * @internal
 */

/** A signal that is made when somebody asks for it. */
export class LazySignal {
  private controller: AbortController | null = null
  private aborted = false
  private reason: unknown = undefined

  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController()
      if (this.aborted) this.controller.abort(this.reason)
    }
    return this.controller.signal
  }

  /** The signal if somebody has asked for it. */
  get made(): AbortSignal | null {
    return this.controller === null ? null : this.controller.signal
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.controller?.abort(reason)
  }
}

interface AsyncContext {
  run<A>(store: LazySignal, f: () => A): A
  getStore(): LazySignal | undefined
}

interface ProcessWithModules {
  readonly getBuiltinModule?: (
    name: string
  ) => { readonly AsyncLocalStorage: new () => AsyncContext } | undefined
}

let context: AsyncContext | null = null

/** Throws where the host has no async context. */
export const enableAmbient = (): void => {
  if (context !== null) return
  // Not imported: this file also runs where there is no such module.
  const { process } = globalThis as { readonly process?: ProcessWithModules }
  const hooks = process?.getBuiltinModule?.('node:async_hooks')
  if (hooks === undefined) {
    throw new TypeError(
      'Runtime.make({ asyncContext: true }) needs AsyncLocalStorage, which this host does not have. Pass the signal by hand: ' +
        'Promises.fromPromise((signal) => …).'
    )
  }
  context = new hooks.AsyncLocalStorage()
}

/** Runs `f`, and all that goes on from it, with this signal around it. */
export const withAmbient = <A>(signal: LazySignal, f: () => A): A =>
  context === null ? f() : context.run(signal, f)

/** The signal around the running promise, when there is one. */
export const ambientSignal = (): AbortSignal | undefined => context?.getStore()?.signal
