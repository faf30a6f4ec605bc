/**
 * The ambient signal: how code deep inside a promise asks for the signal of the wait that it runs in. It travels in the
 * async context of the host, which slows every `await` of the process, and so exists only when a runtime asked for it.
 *
 * @internal
 */

interface ProcessWithModules {
  readonly getBuiltinModule?: (name: string) =>
    | {
        readonly AsyncLocalStorage: new () => AsyncContext
        readonly setMaxListeners: (n: number, target: EventTarget) => void
      }
    | undefined
}

/** A module of the host. Not imported: this file also runs where there is no such module. */
const builtin = (name: string) =>
  (globalThis as { readonly process?: ProcessWithModules }).process?.getBuiltinModule?.(name)

let limits: ReturnType<typeof builtin> | null = null

/**
 * For a signal that is given to code which adds a listener for each of its operations: Node takes the eleventh for a leak
 * and warns, though ten requests under one signal are nothing special.
 */
export const makeController = (): AbortController => {
  const controller = new AbortController()
  if (limits === null) limits = builtin('node:events')
  limits?.setMaxListeners(0, controller.signal)
  return controller
}

/** A signal that is made when somebody asks for it. */
export class LazySignal {
  private controller: AbortController | null = null
  private aborted = false
  private reason: unknown = undefined

  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = makeController()
      if (this.aborted) this.controller.abort(this.reason)
    }
    return this.controller.signal
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
  run<A>(store: undefined, f: (turn: Runs) => A, turn: Runs): A
  getStore(): LazySignal | undefined
}

let context: AsyncContext | null = null

/** Throws where the host has no async context. */
export const enableAmbient = (): void => {
  if (context !== null) return
  const hooks = builtin('node:async_hooks')
  if (hooks === undefined) {
    throw new TypeError(
      'Runtime.make({ asyncContext: true }) needs AsyncLocalStorage, which this host does not have. Pass the signal by hand: ' +
        'Promises.fromPromise((signal) => …).'
    )
  }
  context = new hooks.AsyncLocalStorage()
}

/** Whether code around us runs with a signal. */
export const isAmbient = (): boolean => context !== null && context.getStore() !== undefined

interface Runs {
  run(): void
}

const run = (turn: Runs): void => {
  turn.run()
}

/**
 * Fibers run without a signal around them, wherever they are woken: otherwise the callback that wakes one would hand it,
 * and all that run after it, the signal of somebody else's wait.
 */
export const runOutside = (turn: Runs): void => {
  if (context === null || context.getStore() === undefined) turn.run()
  else context.run(undefined, run, turn)
}

/** Runs `f`, and all that goes on from it, with this signal around it. */
export const withAmbient = <A>(signal: LazySignal, f: () => A): A =>
  context === null ? f() : context.run(signal, f)

/** The signal around the running promise, when there is one. */
export const ambientSignal = (): AbortSignal | undefined => context?.getStore()?.signal
