/**
 * `CancelScope`: a live scope with a handle, to cancel what runs inside, move its deadline, or change its shield.
 *
 * Cancellation is a level that belongs to the scope: once cancelled, a scope stays cancelled, and every checkpoint inside
 * fails until it is left. For a bare timeout use `Timeout`; to cancel one task, `task.cancel`.
 *
 * @since 0.1.0
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { Cancelled } from '../effect/Cause.js'
import * as Effect from '../effect/Effect.js'
import * as LowLevel from '../effect/LowLevel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The handle of a scope. It stays valid after the scope was left; then nothing can be cancelled by it any more.
 *
 * @category model
 * @since 0.1.0
 */
export interface CancelScope {
  readonly name: string
  /**
   * Cancels the scope. The first reason wins; a value that is no `CancelReason` becomes `Explicit(value)`,
   * and an observed `Cancelled` is kept as what led to this one. No checkpoint: the caller goes on, also
   * inside the scope, up to its next checkpoint. Does not wait for the end of what is inside.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { CancelScope, Effect, Exit } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * const program = CancelScope.open((scope) =>
   *   Effect.gen(function* () {
   *     yield* scope.cancel('enough')
   *     return 'no checkpoint came, so the value is kept'
   *   })
   * )
   * const value = 'no checkpoint came, so the value is kept'
   * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'Some', value }))
   */
  readonly cancel: (reason?: unknown) => Effect.Effect<unknown, never, void>
  /**
   * The same from a plain callback: cancels at once.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { EventEmitter } from 'node:events'
   * import { CancelScope, Effect, Runtime } from 'millrace'
   *
   * const socket = new EventEmitter()
   * const program = CancelScope.open((scope) => {
   *   socket.once('close', () => scope.cancelUnsafe('the peer hung up'))
   *   return Effect.never
   * })
   * const end = Runtime.runPromise(program)
   * socket.emit('close')
   * assert.deepEqual(await end, { _tag: 'None' })
   */
  readonly cancelUnsafe: (reason?: unknown) => void
  /**
   * The soft first phase of a shutdown: sources inside that know about draining (`accept` of listeners, {@link untilDrain})
   * end as if they had no more, work that is under way goes on, and after `grace` ms, if there is one, the scope is
   * cancelled. Only the first call counts.
   */
  readonly drain: (reason?: unknown, options?: DrainOptions) => Effect.Effect<unknown, never, void>
  /** Whether this scope, or one around it, drains. */
  readonly isDraining: Effect.Effect<unknown, never, boolean>
  /**
   * Whether this scope itself was cancelled, by a call or by its deadline. A cancellation from outside does
   * not show here; a checkpoint sees it.
   */
  readonly isCancelled: Effect.Effect<unknown, never, boolean>
  /**
   * The cancellation that this scope absorbed, once it has been left: it tells a timeout from an explicit
   * cancel.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { pipe } from 'fp-ts/lib/function.js'
   * import * as O from 'fp-ts/lib/Option.js'
   * import { CancelScope, Effect, Exit } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * const program = Effect.gen(function* () {
   *   const deadline = (yield* Effect.currentTime) + 10
   *   const open = CancelScope.open((scope) => Effect.as(scope)(Effect.checkpoint))
   *   const scope = yield* pipe(open, Effect.flatMap(Effect.fromOption(() => 'cancelled')), Effect.orDie)
   *   assert.ok(O.isNone(yield* scope.cancelledCaught))
   *
   *   let late: CancelScope.CancelScope | undefined
   *   yield* CancelScope.open((s) => { late = s; return Effect.sleep(1000) }, { deadline })
   *   return late === undefined ? O.none : yield* late.cancelledCaught
   * })
   * const exit = TestRuntime.runExit(pipe(program, Effect.map(O.map(({ reason }) => reason._tag))))
   * assert.deepEqual(exit, Exit.succeed(O.some('Deadline')))
   */
  readonly cancelledCaught: Effect.Effect<unknown, never, Option<Cancelled>>
  /** A time of the run's clock; `Infinity` when there is none. */
  readonly deadline: Effect.Effect<unknown, never, number>
  /**
   * Moves the deadline, to a time of the run's clock; `Infinity` removes it. A time that has come cancels at
   * once; a cancelled scope stays cancelled. `NaN` is a defect.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { CancelScope, Effect, Exit } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * // Each message moves the deadline: the scope ends after 100 ms of silence.
   * const listen = (messages: ReadonlyArray<number>) =>
   *   CancelScope.open((scope) =>
   *     Effect.gen(function* () {
   *       for (const ms of messages) {
   *         yield* scope.setDeadline((yield* Effect.currentTime) + 100)
   *         yield* Effect.sleep(ms)
   *       }
   *       return 'all'
   *     })
   *   )
   * assert.deepEqual(TestRuntime.runExit(listen([80, 80, 80])), Exit.succeed({ _tag: 'Some', value: 'all' }))
   * assert.deepEqual(TestRuntime.runExit(listen([80, 200])), Exit.succeed({ _tag: 'None' }))
   */
  readonly setDeadline: (time: number) => Effect.Effect<unknown, never, void>
  /**
   * Raises or lowers the shield. What it held off is delivered when it is lowered. Where the shield holds for
   * the whole of an effect, `Timeout.shielded` is shorter.
   *
   * @example
   * import assert from 'node:assert/strict'
   * import { pipe } from 'fp-ts/lib/function.js'
   * import { CancelScope, Effect, Timeout } from 'millrace'
   * import { TestRuntime } from 'millrace/testing'
   *
   * const lines: Array<string> = []
   * const work = CancelScope.open((scope) =>
   *   Effect.gen(function* () {
   *     yield* scope.setShield(true)
   *     yield* Effect.sleep(50)
   *     lines.push('committed')
   *     yield* scope.setShield(false)
   *     yield* Effect.checkpoint
   *     lines.push('never reached')
   *   })
   * )
   * TestRuntime.runExit(pipe(work, Timeout.moveOnAfter(10)))
   * assert.deepEqual(lines, ['committed'])
   */
  readonly setShield: (shield: boolean) => Effect.Effect<unknown, never, void>
}

/**
 * How a scope is opened. Without options it ends only by its handle or from outside.
 *
 * @category model
 * @since 0.1.0
 */
export interface CancelScopeOptions {
  /** A time of the run's clock. For "from now on" use `Timeout.moveOnAfter`. */
  readonly deadline?: number
  /** Cancellation from outside does not come in; that of this scope still works. */
  readonly shield?: boolean
  /** Ms that clean-up inside may take once the scope is effectively cancelled; then its shields end. */
  readonly grace?: number
  readonly name?: string
}

/**
 * How a scope is drained.
 *
 * @category model
 * @since 0.1.0
 */
export interface DrainOptions {
  /** Ms after which the scope is cancelled; never when absent. */
  readonly grace?: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** Opening a scope is cheap, so the handle makes its members when they are asked for. */
class NodeScope implements CancelScope {
  readonly name: string
  readonly node: LowLevel.ScopeNode

  constructor(name: string, node: LowLevel.ScopeNode) {
    this.name = name
    this.node = node
  }

  get cancel(): (reason?: unknown) => Effect.Effect<unknown, never, void> {
    return (reason) => LowLevel.cancelScope(this.node, reason)
  }

  get cancelUnsafe(): (reason?: unknown) => void {
    return (reason) => {
      LowLevel.cancelScopeUnsafe(this.node, reason)
    }
  }

  get drain(): (reason?: unknown, options?: DrainOptions) => Effect.Effect<unknown, never, void> {
    return (reason, options) => LowLevel.drainScope(this.node, reason, options?.grace ?? Infinity)
  }

  get isDraining(): Effect.Effect<unknown, never, boolean> {
    return Effect.sync(() => LowLevel.isScopeDraining(this.node))
  }

  get isCancelled(): Effect.Effect<unknown, never, boolean> {
    return Effect.sync(() => LowLevel.isScopeCancelled(this.node))
  }

  get cancelledCaught(): Effect.Effect<unknown, never, Option<Cancelled>> {
    return Effect.sync(() => LowLevel.scopeCaught(this.node))
  }

  get deadline(): Effect.Effect<unknown, never, number> {
    return Effect.sync(() => LowLevel.scopeDeadline(this.node))
  }

  get setDeadline(): (time: number) => Effect.Effect<unknown, never, void> {
    return (time) =>
      Effect.sync(() => {
        LowLevel.setScopeDeadline(this.node, time)
      })
  }

  get setShield(): (shield: boolean) => Effect.Effect<unknown, never, void> {
    return (shield) =>
      Effect.sync(() => {
        LowLevel.setScopeShield(this.node, shield)
      })
  }
}

/**
 * The handle of a scope that was opened with `LowLevel`. For libraries that give a scope of their own to
 * their users.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { CancelScope, Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openScope({ name: 'request' }, (node) => {
 *   const scope = CancelScope.fromNode('request', node)
 *   return Effect.andThen(Effect.checkpoint)(scope.cancel())
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromNode = (name: string, node: LowLevel.ScopeNode): CancelScope => new NodeScope(name, node)

/**
 * The live scope behind a handle, for `LowLevel`. Throws for a handle that no scope has made.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toNode = (scope: CancelScope): LowLevel.ScopeNode => {
  if (!(scope instanceof NodeScope)) throw new TypeError('This CancelScope was not made by CancelScope.open.')
  return scope.node
}

/**
 * Opens a scope around `body`. `None`: the scope caught its own cancellation. A value is kept, also in a cancelled scope.
 *
 * **Cancellation.** From outside it passes through, unless the scope is shielded.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { CancelScope, Effect, Exit } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = CancelScope.open((scope) => pipe(scope.cancel('enough'), Effect.andThen(Effect.sleep(1000))))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = <R, E, A>(
  body: (scope: CancelScope) => Effect.Effect<R, E, A>,
  options: CancelScopeOptions = {}
): Effect.Effect<R, E, Option<A>> => {
  const { name = 'scope', deadline, shield, grace } = options
  return LowLevel.openScope({ name, after: undefined, at: deadline, shield, grace }, (node) =>
    body(fromNode(name, node))
  )
}

// -------------------------------------------------------------------------------------
// draining
// -------------------------------------------------------------------------------------

/**
 * Runs `fx` until a scope around it drains: `None` then, and at once if it drains already. For what waits for new work, such
 * as a receive or an accept. `fx` is ended by a cancellation, so what it was handed is not lost: it keeps its value.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { CancelScope, Effect, Exit, TaskGroup } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = CancelScope.open((scope) =>
 *   TaskGroup.open()((group) =>
 *     Effect.gen(function* () {
 *       yield* group.spawn(CancelScope.untilDrain(Effect.never))
 *       yield* Effect.sleep(10)
 *       yield* scope.drain('shutting down', { grace: 1000 })
 *     })
 *   )
 * )
 * assert.deepEqual(TestRuntime.runExit(pipe(program, Effect.map((o) => o._tag))), Exit.succeed('Some'))
 *
 * @category draining
 * @since 0.1.0
 */
export const untilDrain = <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, Option<A>> =>
  LowLevel.openScope({ name: 'untilDrain' }, (node) => {
    LowLevel.onScopeDrain(node, () => {
      LowLevel.cancelScopeUnsafe(node, 'the scope around it drains')
    })
    return Effect.andThen(fx)(Effect.checkCancelled)
  })
