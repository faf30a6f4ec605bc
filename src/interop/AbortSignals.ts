/**
 * Between cancel scopes and abort signals, both ways, without leaving listeners behind.
 *
 * @since 0.1.0
 */
import { toError } from '../effect/Cause.js'
import * as Effect from '../effect/Effect.js'
import * as LowLevel from '../effect/LowLevel.js'
import { type CancelScope, toNode } from '../scope/CancelScope.js'

// -------------------------------------------------------------------------------------
// conversions
// -------------------------------------------------------------------------------------

/** One signal for each scope, however often it is asked for. */
const signals = new WeakMap<LowLevel.ScopeNode, AbortSignal>()

/**
 * A signal that aborts when the scope is cancelled, by itself or from outside; its `reason` is `Cause.toError`. Give it to
 * what lives as long as the scope; for a single call use the signal of `Promises.fromPromise`, which lives no longer than
 * the call.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { AbortSignals, CancelScope, Effect, Runtime } from 'millrace'
 *
 * const program = CancelScope.open((scope) =>
 *   Effect.gen(function* () {
 *     const signal = yield* AbortSignals.fromScope(scope)
 *     yield* scope.cancel('enough')
 *     assert.equal(signal.aborted, true)
 *   })
 * )
 * Runtime.runSync(program)
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromScope = (scope: CancelScope): Effect.Effect<unknown, never, AbortSignal> =>
  Effect.sync(() => {
    const node = toNode(scope)
    const known = signals.get(node)
    if (known !== undefined) return known
    const controller = LowLevel.makeAbortController()
    signals.set(node, controller.signal)
    LowLevel.onScopeCancel(node, (cancelled) => {
      controller.abort(toError(cancelled))
    })
    return controller.signal
  })

/** The signals that a scope listens to: doing so twice is doing so once. */
const heard = new WeakMap<LowLevel.ScopeNode, Set<AbortSignal>>()

/**
 * Cancels the scope with the reason `Aborted` when the signal aborts, at once if it was aborted before; stops listening when
 * the scope is left. Any number of scopes share one listener on the signal. For a scope that was left it does nothing.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { AbortSignals, CancelScope, Effect, Runtime } from 'millrace'
 *
 * const controller = new AbortController()
 * const program = CancelScope.open((scope) =>
 *   pipe(
 *     AbortSignals.cancelOn(controller.signal)(scope),
 *     Effect.andThen(Effect.sync(() => { controller.abort('enough') })),
 *     Effect.andThen(Effect.sleep(60_000))
 *   )
 * )
 * assert.deepEqual(await Runtime.runPromise(program), { _tag: 'None' })
 *
 * @category conversions
 * @since 0.1.0
 */
export const cancelOn =
  (signal: AbortSignal) =>
  (scope: CancelScope): Effect.Effect<unknown, never, void> =>
    Effect.sync(() => {
      const cancel = () => {
        scope.cancelUnsafe({ _tag: 'Aborted', reason: signal.reason as unknown })
      }
      if (signal.aborted) cancel()
      else listen(toNode(scope), signal, cancel)
    })

const listen = (node: LowLevel.ScopeNode, signal: AbortSignal, cancel: () => void): void => {
  let those = heard.get(node)
  if (those === undefined) {
    those = new Set()
    heard.set(node, those)
  }
  if (those.has(signal)) return
  those.add(signal)
  LowLevel.onScopeClose(node, LowLevel.onAbort(signal, cancel))
}

// -------------------------------------------------------------------------------------
// ambient
// -------------------------------------------------------------------------------------

/**
 * The signal of the wait around the running code: inside a function given to `Promises.fromPromise`, `Effect.fromTask`,
 * `Effect.fromTaskEither`, `Effect.async` or to the drop-ins of `TaskEithers`, also deep inside promises that it started.
 * Elsewhere (in `Effect.sync`, say), and in runtimes without `asyncContext`, it is a signal that never aborts.
 *
 * Switch it on once, where the program starts: `Runtime.setDefault(Runtime.make({ asyncContext: true }))`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { AbortSignals, Effect, Runtime } from 'millrace'
 *
 * const runtime = Runtime.make({ asyncContext: true })
 * const controller = new AbortController()
 * const aborted = Effect.fromTask(
 *   () =>
 *     new Promise<boolean>((resolve) => {
 *       const signal = AbortSignals.current()
 *       signal.addEventListener('abort', () => { resolve(signal.aborted) })
 *       controller.abort()
 *     })
 * )
 * assert.equal(await Runtime.runPromise(aborted, { runtime, signal: controller.signal }), true)
 * assert.equal(AbortSignals.current().aborted, false)
 *
 * @category ambient
 * @since 0.1.0
 */
export const current = (): AbortSignal =>
  // A new one each time: what listens to it and forgets to stop would pile up on a signal that all share.
  LowLevel.ambientSignal() ?? LowLevel.makeAbortController().signal
