/**
 * `LowLevel` is what library authors build on: waiting with an abort function, live scopes, nurseries, and parallel
 * composition. Everything in `scope`, `stream` and `interop` is written with it, so nothing there has a back door that a
 * library of yours lacks.
 *
 * Programs do not need it: see `CancelScope`, `TaskGroup`, `Concurrent` and `Timeout`.
 *
 * @since 0.1.0
 */
import type { IO } from 'fp-ts/lib/IO.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Cancelled, CancelReason } from './Cause.js'
import type { Any, Effect, EnvOf, ErrorOf } from './Effect.js'
import type { Exit } from './Exit.js'
import { listen } from './internal/abortHub.js'
import { ambientSignal as currentSignal, makeController } from './internal/ambient.js'
import { drain, isDraining } from './internal/draining.js'
import { checkDuration } from './internal/durations.js'
import type { Fiber as FiberOf } from './internal/fiber.js'
import { type Frame, opened } from './internal/frame.js'
import type { Nursery as NurseryOf } from './internal/nursery.js'
import * as op from './internal/op.js'
import { Op, type Untyped } from './internal/op.js'
import { cancellableGroup, group } from './internal/opening.js'
import { insert, ownScope } from './internal/ownScope.js'
import { Held, Owned, Service } from './internal/owner.js'
import { All, type Arms, FirstSuccess, Race, Validate } from './internal/parallel.js'
import * as primitives from './internal/primitives.js'
import { primitive, type PrimitiveFunction } from './internal/primitives.js'
import { settlePromise } from './internal/promise.js'
import { toCancellation } from './internal/reasons.js'
import * as scopes from './internal/scoped.js'
import type { ScopeOptions as ScopeSpec } from './internal/scoped.js'
import {
  caughtBy,
  effectiveDeadline as effectiveDeadlineOf,
  hooksOf,
  type ScopeNode as ScopeNodeOf,
  setDeadline
} from './internal/scopeTree.js'
import { setShield } from './internal/shields.js'
import { describeRun, printTree, type TaskTreeData, treeOf } from './internal/tree.js'

// What an effect is to those who write it and to the run loop. These and their like below change the type alone, and are
// declarations because bundlers leave out the call of such a one.
function typed<R, E, A>(instruction: Op): Effect<R, E, A> {
  return instruction as Untyped
}
function untyped(fx: Any): Op {
  return fx as Untyped
}
/** `Op` as the constructor of effects, for the functions that operators give; see `Effect.ts`. */
const Instruction: new <R, E, A>(code: number, a: Untyped, b: Untyped, c: Untyped) => Effect<R, E, A> =
  Op as Untyped
const none: Option<never> = { _tag: 'None' }

// -------------------------------------------------------------------------------------
// waiting
// -------------------------------------------------------------------------------------

declare const SelfTypeId: unique symbol
declare const SuspendedTypeId: unique symbol

/**
 * The fiber that runs an {@link operation}. Opaque: it is compared, and handed to the functions below while the operation
 * runs.
 *
 * @category operations
 * @since 0.1.0
 */
export interface Self {
  readonly [SelfTypeId]: true
}

/**
 * What an operation returns when it has no value to give now: the fiber waits, or raises.
 *
 * @category operations
 * @since 0.1.0
 */
export interface Suspended {
  readonly [SuspendedTypeId]: true
}

/**
 * An effect from a function that is given the running fiber and two operands: the fastest form, since running it allocates
 * nothing. The function must not throw, and if it may wait it looks at {@link isSelfCancelled} first.
 *
 * @category operations
 * @since 0.1.0
 */
export const operation = <E = never, A = void, B = undefined, C = undefined>(
  f: (self: Self, b: B, c: C) => A | Suspended,
  b?: B,
  c?: C
): Effect<unknown, E, A> => typed(primitive(f as Untyped, b, c))

function selfOf(self: Self): FiberOf {
  return self as Untyped
}

/**
 * Whether a checkpoint would fail here.
 *
 * @category operations
 * @since 0.1.0
 */
export const isSelfCancelled = (self: Self): boolean => selfOf(self).isCancelled()

/**
 * Ends the operation as cancelled.
 *
 * @category operations
 * @since 0.1.0
 */
export const cancelSelf = (self: Self): Suspended => selfOf(self).raiseCancelled() as Untyped

/**
 * Ends the operation with a typed failure.
 *
 * @category operations
 * @since 0.1.0
 */
export const failSelf = (self: Self, error: unknown): Suspended =>
  selfOf(self).signal(op.Fail, error) as Untyped

/**
 * Ends the operation with a defect that tells how the operation is used rightly.
 *
 * @category operations
 * @since 0.1.0
 */
export const misuseSelf = (self: Self, message: string): Suspended =>
  primitives.misuse(selfOf(self), message) as Untyped

/**
 * Goes on with another effect: for an operation that has its value at once most of the time.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * let cached: number | null = null
 * const load = Effect.map((n: number) => (cached = n))(Effect.succeed(42))
 * const get = LowLevel.operation<never, number>((self) => cached ?? LowLevel.continueSelf(self, load))
 * assert.deepEqual([Runtime.runSync(get), cached, Runtime.runSync(get)], [42, 42, 42])
 *
 * @category operations
 * @since 0.1.0
 */
export const continueSelf = (self: Self, fx: Effect<unknown, unknown, unknown>): Suspended =>
  selfOf(self).signal(op.Evaluate, fx) as Untyped

/**
 * The name of the running fiber.
 *
 * @category operations
 * @since 0.1.0
 */
export const selfName = (self: Self): string => selfOf(self).name

/**
 * What to do when the waiting fiber is cancelled. Take the wait back and return true: nothing happened, the
 * fiber ends as cancelled now. Return false to let the wait go on, for an operation that cannot be taken
 * back; then it must be resumed later, and what it is resumed with counts. When `forced` (a grace has ended),
 * let go if that is possible at all.
 *
 * @category waiting
 * @since 0.1.0
 */
export type Abort = (forced: boolean) => boolean

/**
 * Waits until `resume` is called: the general form of `Effect.async`, for waits on what a library keeps
 * itself. `register` is called each time the effect runs; only the first `resume` counts, also one inside of
 * `register`. `label` names the wait in lists of what is alive, such as `Lock.acquire`. For a fair queue of
 * waiting fibers take `ParkingLot`, which is written once.
 *
 * In the deterministic runtime such a wait counts as one of ours: when nothing can end it any more, that is a
 * deadlock.
 *
 * **Errors.** The exit given to `resume`. What `register` throws is a defect.
 * **Cancellation.** A cancelled scope is seen before `register` is called. Afterwards `abort` decides. Once
 * `resume` was called the operation has happened, and a cancellation is seen at the next checkpoint.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel, Runtime, TaskGroup } from 'millrace'
 *
 * let open = () => {}
 * const gate = LowLevel.park('gate', (resume) => {
 *   open = () => resume(Exit.succeed(undefined))
 *   return () => {
 *     open = () => {}
 *     return true
 *   }
 * })
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     const task = yield* group.spawn(gate)
 *     yield* Effect.yieldNow
 *     const before = yield* task.status
 *     open()
 *     yield* task.wait
 *     return [before, yield* task.status]
 *   })
 * )
 * assert.deepEqual(await Runtime.runPromise(program), ['running', 'finished'])
 *
 * @category waiting
 * @since 0.1.0
 */
export const park = <E = never, A = void>(
  label: string,
  register: (resume: (exit: Exit<E, A>) => void) => Abort
): Effect<unknown, E, A> => typed(primitive(parkPrimitive, label, register))

class ParkedWait extends primitives.Callback {
  readonly label: string
  /** What `register` returned; it may be asked before. */
  onAbort: Abort | null

  constructor(fiber: FiberOf, label: string) {
    super(fiber)
    this.label = label
    this.onAbort = null
  }

  get foreign(): boolean {
    return false
  }

  protected letsGo(forced: boolean): boolean {
    return this.onAbort === null || (0, this.onAbort)(forced)
  }

  protected abort(): void {
    // Asking has told it.
  }
}

type RegisterPark = (resume: (exit: Exit<unknown, unknown>) => void) => Abort

const registerPark = (wait: ParkedWait, register: RegisterPark): void => {
  wait.onAbort = register(primitives.resumeOf(wait))
}

const parkPrimitive: PrimitiveFunction = (fiber: FiberOf, label: string, register: RegisterPark) =>
  fiber.isCancelled() ? fiber.raiseCancelled() : new ParkedWait(fiber, label).begin(registerPark, register)

/**
 * How to wait for a promise, see `Promises.fromPromise`.
 *
 * @category waiting
 * @since 0.1.0
 */
export interface PromiseWait<E> {
  /** Names the wait. */
  readonly label: string
  /** What a rejection means; without it a rejection is a defect. */
  readonly onReject?: (reason: unknown) => E
  /** Let go at once when cancelled. */
  readonly abandonOnCancel?: boolean
}

/**
 * Waits for a promise that is started by each run. The signal is made only for a function that declares the
 * parameter. Programs use `Promises.fromPromise` and `Promises.tryPromise`; this is for libraries that want
 * their own label in lists of what is alive.
 *
 * **Errors.** What `onReject` makes of a rejection; without it a rejection is a defect.
 * **Cancellation.** The signal aborts and the end of the promise is awaited, see the head of `Promises`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { LowLevel, Runtime } from 'millrace'
 *
 * const load = LowLevel.awaitPromise(() => Promise.resolve('page'), { label: 'Page.load' })
 * assert.equal(await Runtime.runPromise(load), 'page')
 *
 * @category waiting
 * @since 0.1.0
 */
export const awaitPromise = <A, E = never>(
  start: (signal: AbortSignal) => PromiseLike<A>,
  options: PromiseWait<E>
): Effect<unknown, E, A> => typed(settlePromise(start, options))

/**
 * Calls back once when the signal aborts; the result stops listening. Any number of callbacks share one
 * listener on the signal. A signal that was aborted before calls nobody: look at `signal.aborted` first.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { LowLevel } from 'millrace'
 *
 * const controller = new AbortController()
 * const calls: Array<string> = []
 * LowLevel.onAbort(controller.signal, () => { calls.push('kept') })
 * const stop = LowLevel.onAbort(controller.signal, () => { calls.push('stopped') })
 * stop()
 * controller.abort()
 * assert.deepEqual(calls, ['kept'])
 *
 * @category waiting
 * @since 0.1.0
 */
export const onAbort: (signal: AbortSignal, callback: () => void) => IO<void> = listen

/**
 * The signal of the wait around the running code, if there is one; see `AbortSignals.current`.
 *
 * @category waiting
 * @since 0.1.0
 */
export const ambientSignal: IO<AbortSignal | undefined> = currentSignal

/**
 * A controller whose signal may have any number of listeners. Node warns of a leak when there are more than ten, which is
 * wrong for a signal that many operations share.
 *
 * @category waiting
 * @since 0.1.0
 */
export const makeAbortController: IO<AbortController> = makeController

// -------------------------------------------------------------------------------------
// scopes
// -------------------------------------------------------------------------------------

declare const ScopeNodeTypeId: unique symbol

/**
 * A live scope, from its entry until it is left. Opaque; the functions below read and change it.
 *
 * @category scopes
 * @since 0.1.0
 */
export interface ScopeNode {
  readonly [ScopeNodeTypeId]: true
}

function node(scope: ScopeNode): ScopeNodeOf {
  return scope as Untyped
}

/**
 * How a scope is entered.
 *
 * @category scopes
 * @since 0.1.0
 */
export interface ScopeOptions {
  readonly name: string
  /** A deadline in ms from entry. */
  readonly after?: number | undefined
  /** A deadline as a time of the run's clock. */
  readonly at?: number | undefined
  /** Cancellation from outside does not come in. */
  readonly shield?: boolean | undefined
  /** Ms that clean-up may take once the scope is effectively cancelled. */
  readonly grace?: number | undefined
}

/**
 * Opens a scope around an effect, and gives its node to the effect. `None`: the scope absorbed its own
 * cancellation. Programs use `CancelScope.open`.
 *
 * **Errors.** `NaN` as a time is a defect.
 * **Cancellation.** From outside it passes through, unless the scope is shielded.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openScope({ name: 'request' }, (scope) =>
 *   pipe(LowLevel.cancelScope(scope, 'not needed'), Effect.andThen(Effect.sleep(1000)))
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 *
 * @category scopes
 * @since 0.1.0
 */
export const openScope = <R, E, A>(
  options: ScopeOptions,
  body: (scope: ScopeNode) => Effect<R, E, A>
): Effect<R, E, Option<A>> =>
  new Instruction(12 /* Opened */, scopes.optionScope, options satisfies ScopeSpec, body)

/**
 * Opens a scope without a handle around an effect. `None`: its deadline ended it. Programs use
 * `Timeout.moveOnAfter`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.withinScope({ name: 'poll', after: 10 })(Effect.sleep(50))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 *
 * @category scopes
 * @since 0.1.0
 */
export const withinScope =
  (options: ScopeOptions) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R, E, Option<A>> =>
    new Instruction(12 /* Opened */, scopes.optionScope, options, fx)

/**
 * Opens a scope without a handle around an effect, which fails with `onDeadline()` when the deadline ended
 * it. What was left of the cause then comes after that failure. Programs use `Timeout.failAfter`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.withinScopeOrFail({ name: 'poll', after: 10 }, () => 'too late')(Effect.sleep(50))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.fail('too late'))
 *
 * @category scopes
 * @since 0.1.0
 */
export const withinScopeOrFail = <E2>(
  options: ScopeOptions,
  onDeadline: () => E2
): (<R, E, A>(fx: Effect<R, E, A>) => Effect<R, E | E2, A>) => {
  const spec = { options, onTimeout: onDeadline }
  return (fx) => new Instruction(12 /* Opened */, scopes.failingScope, spec, fx)
}

const shield: ScopeSpec = { name: 'shield', shield: true }

/**
 * A scope that only shields. Programs use `Timeout.shielded`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, LowLevel, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = pipe(LowLevel.shieldScope(Effect.as('done')(Effect.sleep(50))), Timeout.moveOnAfter(10))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'Some', value: 'done' }))
 *
 * @category scopes
 * @since 0.1.0
 */
export const shieldScope = <R, E, A>(fx: Effect<R, E, A>): Effect<R, E, A> =>
  new Instruction(12 /* Opened */, scopes.plainScope, shield, fx)

const cancelPrimitive: PrimitiveFunction = (fiber: FiberOf, scope: ScopeNodeOf, reason: unknown): void => {
  scope.cancel(toCancellation(reason, { _tag: 'Some', value: fiber.name }))
}

/**
 * Cancels a scope. The first reason wins and travels with the name of the calling task. It is no checkpoint:
 * the caller goes on, also inside of the scope. A scope that was left is cancelled without effect.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Cause, Effect, LowLevel, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const program = LowLevel.openScope({ name: 'request' }, (scope) =>
 *   pipe(
 *     LowLevel.cancelScope(scope, 'not needed'),
 *     Effect.andThen(Effect.checkpoint),
 *     Effect.onExit((exit) =>
 *       Effect.sync(() => { if (exit._tag === 'Left') lines.push(Cause.pretty(exit.left)) })
 *     )
 *   )
 * )
 * await Runtime.runPromise(program)
 * assert.deepEqual(lines, ['Cancelled: scope "request", Explicit "not needed", by task "main"'])
 *
 * @category scopes
 * @since 0.1.0
 */
export const cancelScope = (scope: ScopeNode, reason?: unknown): Effect<unknown, never, void> =>
  typed(primitive(cancelPrimitive, scope, reason))

/**
 * Cancels a scope from a plain callback, at once.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * const program = LowLevel.openScope({ name: 'request' }, (scope) =>
 *   Effect.async(() => {
 *     const timer = setTimeout(() => LowLevel.cancelScopeUnsafe(scope, 'hung up'), 1)
 *     return () => clearTimeout(timer)
 *   })
 * )
 * assert.deepEqual(await Runtime.runPromise(program), { _tag: 'None' })
 *
 * @category scopes
 * @since 0.1.0
 */
export const cancelScopeUnsafe = (scope: ScopeNode, reason?: unknown): void => {
  node(scope).cancel(toCancellation(reason, none))
}

/**
 * Whether the scope itself was cancelled, by a call or by its deadline. A scope around it is not asked.
 *
 * @category scopes
 * @since 0.1.0
 */
export const isScopeCancelled = (scope: ScopeNode): boolean => node(scope).cancelled

/**
 * The cancellation that the scope absorbed when it was left; `None` before, and when there was none.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * const nodes: Array<LowLevel.ScopeNode> = []
 * const program = LowLevel.openScope({ name: 'request' }, (scope) => {
 *   nodes.push(scope)
 *   return pipe(LowLevel.cancelScope(scope, 'not needed'), Effect.andThen(Effect.checkCancelled))
 * })
 * Runtime.runSync(program)
 * const caught = nodes.map(LowLevel.scopeCaught)[0]
 * assert.ok(caught?._tag === 'Some')
 * assert.deepEqual(caught.value.reason, { _tag: 'Explicit', value: 'not needed' })
 *
 * @category scopes
 * @since 0.1.0
 */
export const scopeCaught = (scope: ScopeNode): Option<Cancelled> => {
  const caught = caughtBy(node(scope))
  return caught === null ? none : { _tag: 'Some', value: caught }
}

/**
 * The deadline of the scope as a time of the clock; `Infinity` when there is none.
 *
 * @category scopes
 * @since 0.1.0
 */
export const scopeDeadline = (scope: ScopeNode): number => node(scope).deadline?.time ?? Infinity

/**
 * Moves the deadline, a time of the run's clock; `Infinity` removes it. A time that has come cancels at once;
 * a scope that was cancelled stays cancelled. Throws on `NaN`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openScope({ name: 'request', after: 10 }, (scope) =>
 *   Effect.gen(function* () {
 *     LowLevel.setScopeDeadline(scope, LowLevel.scopeDeadline(scope) + 100)
 *     yield* Effect.sleep(50)
 *     return 'in time'
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'Some', value: 'in time' }))
 *
 * @category scopes
 * @since 0.1.0
 */
export const setScopeDeadline = (scope: ScopeNode, time: number): void => {
  checkDuration('A deadline', time)
  setDeadline(node(scope), time)
}

/**
 * Raises or lowers the shield. A cancellation that it held off is delivered when it is lowered.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Effect, Exit, LowLevel, Timeout } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * let committed = false
 * const work = LowLevel.openScope({ name: 'commit', shield: true }, (scope) =>
 *   Effect.gen(function* () {
 *     yield* Effect.sleep(50)
 *     committed = true
 *     LowLevel.setScopeShield(scope, false)
 *     yield* Effect.sleep(1000)
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(pipe(work, Timeout.moveOnAfter(10))), Exit.succeed({ _tag: 'None' }))
 * assert.equal(committed, true)
 *
 * @category scopes
 * @since 0.1.0
 */
export const setScopeShield = (scope: ScopeNode, shield: boolean): void => {
  setShield(node(scope), shield)
}

/**
 * Calls back once when the scope is effectively cancelled, by itself or from outside; at once if it is. The result takes
 * that back. For what lives outside of fibers, such as an abort signal. The callback must not throw.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * const reasons: Array<string> = []
 * const program = LowLevel.openScope({ name: 'request' }, (scope) =>
 *   Effect.gen(function* () {
 *     LowLevel.onScopeCancel(scope, ({ reason }) => { reasons.push(reason._tag) })
 *     yield* LowLevel.cancelScope(scope, 'not needed')
 *   })
 * )
 * await Runtime.runPromise(program)
 * assert.deepEqual(reasons, ['Explicit'])
 *
 * @category scopes
 * @since 0.1.0
 */
export const onScopeCancel = (scope: ScopeNode, callback: (cancelled: Cancelled) => void): IO<void> => {
  const target = node(scope)
  const listener = () => {
    callback((target.nearestCancelled() ?? target).cancelledLeaf())
  }
  if (target.effective) {
    listener()
    return () => undefined
  }
  const { onCancel } = hooksOf(target)
  onCancel.add(listener)
  return () => {
    onCancel.delete(listener)
  }
}

/**
 * Calls back when the scope is left, however that is, at once if it was; the result takes that back. For taking back what
 * was registered outside for as long as the scope lives. The callback must not throw.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const program = LowLevel.openScope({ name: 'request' }, (scope) =>
 *   Effect.sync(() => {
 *     LowLevel.onScopeClose(scope, () => { lines.push('left') })
 *     lines.push('inside')
 *   })
 * )
 * Runtime.runSync(program)
 * assert.deepEqual(lines, ['inside', 'left'])
 *
 * @category scopes
 * @since 0.1.0
 */
export const onScopeClose = (scope: ScopeNode, callback: IO<void>): IO<void> => {
  const target = node(scope)
  if (target.closed) {
    callback()
    return () => undefined
  }
  const { onClose } = hooksOf(target)
  onClose.add(callback)
  return () => {
    onClose.delete(callback)
  }
}

const drainPrimitive: PrimitiveFunction = (
  fiber: FiberOf,
  scope: ScopeNodeOf,
  options: { readonly reason: unknown; readonly grace: number }
): void => {
  checkDuration('The grace of a drain', options.grace)
  drain(scope, toCancellation(options.reason, { _tag: 'Some', value: fiber.name }), options.grace)
}

/**
 * Starts the soft phase of a shutdown: sources inside that know about draining end as if they had no more, what is under way
 * goes on, and after `grace` ms the scope is cancelled with the reason. `Infinity` never cancels. Only the first call counts.
 *
 * @category scopes
 * @since 0.1.0
 */
export const drainScope = (scope: ScopeNode, reason: unknown, grace: number): Effect<unknown, never, void> =>
  typed(primitive(drainPrimitive, scope, { reason, grace }))

/**
 * Whether the scope, or one around it, drains. Shields do not hide it.
 *
 * @category scopes
 * @since 0.1.0
 */
export const isScopeDraining = (scope: ScopeNode): boolean => isDraining(node(scope))

/**
 * Calls back once when the scope, or one around it, starts to drain; at once if it drains. The result takes that back. The
 * callback must not throw.
 *
 * @category scopes
 * @since 0.1.0
 */
export const onScopeDrain = (scope: ScopeNode, callback: IO<void>): IO<void> => {
  const target = node(scope)
  if (isDraining(target)) {
    callback()
    return () => undefined
  }
  const { onDrain } = hooksOf(target)
  onDrain.add(callback)
  return () => {
    onDrain.delete(callback)
  }
}

/**
 * The earliest deadline that is visible through shields; `-Infinity` in a cancelled scope, `Infinity` when
 * there is none. What `Timeout.currentEffectiveDeadline` gives.
 *
 * @category scopes
 * @since 0.1.0
 */
export const effectiveDeadline: Effect<unknown, never, number> = /*#__PURE__*/ typed(
  /*#__PURE__*/ primitive((fiber) =>
    fiber.isCancelled() ? -Infinity : fiber.mask > 0 ? Infinity : effectiveDeadlineOf(fiber.scope)
  )
)

// -------------------------------------------------------------------------------------
// nurseries
// -------------------------------------------------------------------------------------

declare const NurseryTypeId: unique symbol
declare const FiberTypeId: unique symbol

/**
 * What owns the child fibers of a group. Opaque.
 *
 * @category nurseries
 * @since 0.1.0
 */
export interface Nursery {
  readonly [NurseryTypeId]: true
}

/**
 * A child fiber. Opaque.
 *
 * @category nurseries
 * @since 0.1.0
 */
export interface Fiber<out E, out A> {
  readonly [FiberTypeId]: { readonly E: () => E; readonly A: () => A }
}

function fiberOf(fiber: Fiber<unknown, unknown>): FiberOf {
  return fiber as Untyped
}
function nurseryOf(nursery: Nursery): NurseryOf {
  return nursery as Untyped
}

/**
 * How a nursery is opened.
 *
 * @category nurseries
 * @since 0.1.0
 */
export interface NurseryOptions {
  readonly name?: string
  readonly grace?: number
}

/**
 * Opens a nursery around a body, and ends when the body and all children have ended. A child or a body that
 * fails cancels the rest. Programs use `TaskGroup.open`.
 *
 * **Errors.** All failures joined, in the order in which they came. Those of children are not in the type of
 * the body: whoever wraps this adds them, as `TaskGroup` does by its parameter.
 * **Cancellation.** From outside it reaches body and children. The wait at the end is not cancelled itself:
 * the children are.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openNursery({ name: 'workers' }, (nursery) =>
 *   Effect.gen(function* () {
 *     const fiber = yield* LowLevel.fork(nursery, Effect.as(42)(Effect.sleep(10)), { name: 'worker' })
 *     return yield* LowLevel.join(fiber)
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(42))
 *
 * @category nurseries
 * @since 0.1.0
 */
export const openNursery = <R, E, A>(
  options: NurseryOptions,
  body: (nursery: Nursery) => Effect<R, E, A>
): Effect<R, E, A> => typed(opened(group, options, body as Untyped))

/**
 * The same for a nursery whose body is cancelled with its children, by `nurseryScope`: `None` when that was
 * before it had a value.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openCancellableNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const giveUp = LowLevel.cancelScope(LowLevel.nurseryScope(nursery), 'too slow')
 *     yield* LowLevel.fork(nursery, Effect.andThen(giveUp)(Effect.sleep(10)))
 *     yield* Effect.sleep(1000)
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed({ _tag: 'None' }))
 *
 * @category nurseries
 * @since 0.1.0
 */
export const openCancellableNursery = <R, E, A>(
  options: NurseryOptions,
  body: (nursery: Nursery) => Effect<R, E, A>
): Effect<R, E, Option<A>> => typed(opened(cancellableGroup, options, body as Untyped))

/**
 * The scope that holds the body and the children. Cancel it to end the whole, in a nursery that was opened
 * with {@link openCancellableNursery}.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const nurseryScope = (nursery: Nursery): ScopeNode => nurseryOf(nursery).outer as Untyped

/**
 * The scope that holds the children only: cancelled, the body goes on, and the nursery still has its value.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     yield* LowLevel.fork(nursery, Effect.never)
 *     yield* LowLevel.cancelScope(LowLevel.childrenScope(nursery))
 *     return 'the body has its value'
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('the body has its value'))
 *
 * @category nurseries
 * @since 0.1.0
 */
export const childrenScope = (nursery: Nursery): ScopeNode => nurseryOf(nursery).scope as Untyped

/**
 * The name of the nursery; `group` when it was given none.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const nurseryName = (nursery: Nursery): string => nurseryOf(nursery).name

/**
 * What becomes of a child's exit.
 *
 * - `supervised`: its failure fails the group;
 * - `owned`: its `Fail` belongs to whoever looks at the exit; one that nobody looked at fails the group as a
 *   defect;
 * - `held`: its failure is not the group's until {@link supervise} is called. Such a child has a scope of its
 *   own from the beginning.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = (supervision: LowLevel.Supervision) =>
 *   LowLevel.openNursery({}, (nursery) =>
 *     Effect.flatMap((fiber: LowLevel.Fiber<string, never>) => LowLevel.awaitExit(fiber))(
 *       LowLevel.fork(nursery, Effect.fail('no'), { supervision })
 *     )
 *   )
 * assert.deepEqual(TestRuntime.runExit(program('supervised')), Exit.fail('no'))
 * assert.deepEqual(TestRuntime.runExit(program('owned')), Exit.succeed(Exit.fail('no')))
 *
 * @category nurseries
 * @since 0.1.0
 */
export type Supervision = 'supervised' | 'owned' | 'held'

/**
 * How a child is started.
 *
 * @category nurseries
 * @since 0.1.0
 */
export interface ForkOptions {
  readonly name?: string
  /** Cancelled when the body and all children that are no services have ended. */
  readonly service?: boolean
  readonly supervision?: Supervision
}

const flagsOf = (options: ForkOptions): number =>
  (options.service === true ? Service : 0) |
  (options.supervision === 'owned' ? Owned : options.supervision === 'held' ? Held : 0)

/** The name that an effect of `Effect.fn` brings along. */
const nameOf = (effect: Op): string | null => (effect.op === op.Generate ? (effect.c as Frame).name : null)

/**
 * The name that an effect of `Effect.fn` brings along, for what wraps an effect and starts it as a child: the wrapper has
 * none. Undefined for all others.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const effectName = (fx: Any): string | undefined => {
  const effect = untyped(fx)
  return effect instanceof Op ? (nameOf(effect) ?? undefined) : undefined
}

interface ForkSpec {
  readonly nursery: NurseryOf
  readonly label: string | null
  readonly flags: number
  /** What the caller is given in the place of the fiber. */
  readonly handle: ((child: Untyped) => unknown) | null
}

const forkPrimitive: PrimitiveFunction = (
  fiber: FiberOf,
  { nursery, label, flags, handle }: ForkSpec,
  effect: Op
): Untyped => {
  if (nursery.closed) {
    return primitives.misuse(
      fiber,
      `The task group "${nursery.name}" has ended, so no task can be spawned into it. Spawn while its body or one of its ` +
        'tasks runs; for tasks that outlive this block, open the group around it.'
    )
  }
  if (!(effect instanceof Op)) {
    return primitives.misuse(
      fiber,
      `The task group "${nursery.name}" was given something to spawn that is no Effect.`
    )
  }
  const child = startChild(fiber, nursery, effect, label, flags)
  return handle === null ? child : handle(child)
}

const startChild = (
  fiber: FiberOf,
  nursery: NurseryOf,
  effect: Op,
  label: string | null,
  flags: number
): FiberOf => {
  const name = label ?? nameOf(effect)
  const scope = (flags & Held) === 0 ? nursery.scope : insert(nursery.scope, null, name ?? 'task')
  const child = fiber.fork(nursery, scope, effect, name, flags)
  if (scope !== nursery.scope) child.own = scope
  nursery.childStarted((flags & Service) !== 0)
  fiber.runOf.scheduler.schedule(child)
  return child
}

/**
 * Starts a child in a nursery. It begins on a later turn, and always begins, also when the nursery is
 * cancelled. It inherits the environment and the fiber-locals of the caller. No checkpoint. Programs use
 * `group.spawn`.
 *
 * **Errors.** A defect when the nursery has ended.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const fiber = yield* LowLevel.fork(nursery, Effect.unit, { name: 'hello' })
 *     const before = LowLevel.fiberStatus(fiber)
 *     yield* LowLevel.awaitExit(fiber)
 *     return [LowLevel.fiberName(fiber), before, LowLevel.fiberStatus(fiber)]
 *   })
 * )
 * assert.deepEqual(await Runtime.runPromise(program), ['hello', 'pending', 'finished'])
 *
 * @category nurseries
 * @since 0.1.0
 */
export const fork = <R, E, A>(
  nursery: Nursery,
  fx: Effect<R, E, A>,
  options: ForkOptions = noOptions
): Effect<R, never, Fiber<E, A>> => typed(primitive(forkPrimitive, forkSpec(nursery, options, null), fx))

const noOptions: ForkOptions = {}

const forkSpec = (nursery: Nursery, options: ForkOptions, handle: ForkSpec['handle']): ForkSpec => ({
  nursery: nurseryOf(nursery),
  label: options.name ?? null,
  flags: options === noOptions ? 0 : flagsOf(options),
  handle
})

/**
 * The same as {@link fork} for many children that start alike, each of which is given to the caller as a handle made by
 * `handle`. What they share is prepared once, so that starting one costs its fiber and little else.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * const program = LowLevel.openNursery({}, (nursery) => {
 *   const start = LowLevel.forkAs(nursery, LowLevel.fiberName, { name: 'worker' })
 *   return Effect.traverseArray(start)([Effect.unit, Effect.sleep(1)])
 * })
 * assert.deepEqual(await Runtime.runPromise(program), ['worker', 'worker'])
 *
 * @category nurseries
 * @since 0.1.0
 */
export const forkAs = <H>(
  nursery: Nursery,
  handle: <E, A>(child: Fiber<E, A>) => H,
  options: ForkOptions = noOptions
): (<R>(fx: Effect<R, unknown, unknown>) => Effect<R, never, H>) => {
  const spec = forkSpec(nursery, options, handle)
  return (fx) => typed(primitive(forkPrimitive, spec, fx))
}

/**
 * Starts a child, which begins on a later turn; null when its nursery has ended.
 *
 * @category nurseries
 * @since 0.1.0
 */
export type ForkUnsafe<R> = <E, A>(fx: Effect<R, E, A>, options?: ForkOptions) => Fiber<E, A> | null

/**
 * Starts children from plain callbacks, with the environment and the fiber-locals of the fiber that asked for
 * it. Gives null when the nursery has ended. Programs use `Dispatcher`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * const lines: Array<string> = []
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const fork = yield* LowLevel.forkUnsafe(nursery)
 *     const onEvent = (name: string) => { fork(Effect.sync(() => { lines.push(name) })) }
 *     onEvent('click')
 *     lines.push('forked')
 *   })
 * )
 * await Runtime.runPromise(program)
 * assert.deepEqual(lines, ['forked', 'click'])
 *
 * @category nurseries
 * @since 0.1.0
 */
export const forkUnsafe = <R>(nursery: Nursery): Effect<R, never, ForkUnsafe<R>> =>
  typed(
    primitive((fiber) => {
      const owner = nurseryOf(nursery)
      const { environment, locals } = fiber
      return (fx: Any, options: ForkOptions = noOptions): Untyped => {
        if (owner.closed) return null
        const child = startChild(fiber, owner, untyped(fx), options.name ?? null, flagsOf(options))
        child.environment = environment
        child.locals = locals
        return child
      }
    })
  )

/**
 * From now on a `held` child is supervised. For protocols in which a child first says that it is ready:
 * before, its failure belongs to whoever starts it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const fiber = yield* LowLevel.fork(nursery, Effect.fail('no'), { supervision: 'held' })
 *     LowLevel.supervise(fiber)
 *     yield* Effect.sleep(1000)
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.fail('no'))
 *
 * @category nurseries
 * @since 0.1.0
 */
export const supervise = (fiber: Fiber<unknown, unknown>): void => {
  fiberOf(fiber).flags &= ~Held
}

/**
 * The children that have not ended, in the order in which they were started.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime } from 'millrace'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     yield* LowLevel.fork(nursery, Effect.unit, { name: 'a' })
 *     yield* LowLevel.fork(nursery, Effect.unit)
 *     return LowLevel.childrenOf(nursery).map(LowLevel.fiberName)
 *   })
 * )
 * assert.deepEqual(await Runtime.runPromise(program), ['a', 'task-3'])
 *
 * @category nurseries
 * @since 0.1.0
 */
export const childrenOf = (nursery: Nursery): ReadonlyArray<Fiber<unknown, unknown>> =>
  nurseryOf(nursery).children() as Untyped

// -------------------------------------------------------------------------------------
// children
// -------------------------------------------------------------------------------------

/**
 * Waits for the end, whatever it is. Whoever asks has looked at the exit: that of an owned child is theirs
 * then.
 *
 * **Cancellation.** Ends the wait; the child goes on.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const fiber = yield* LowLevel.fork(nursery, Effect.fail('no'), { supervision: 'owned' })
 *     return yield* LowLevel.awaitExit(fiber)
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(Exit.fail('no')))
 *
 * @category children
 * @since 0.1.0
 */
export const awaitExit = <E, A>(fiber: Fiber<E, A>): Effect<unknown, never, Exit<E, A>> =>
  typed(primitive(primitives.waitPrimitive, fiber))

/**
 * What `join` fails with when the child was cancelled.
 *
 * @category children
 * @since 0.1.0
 */
export interface TaskCancelled {
  readonly _tag: 'TaskCancelled'
  readonly task: string
  readonly reason: CancelReason
}

/**
 * Waits for the end and ends in the same way, its cancellations left out.
 *
 * **Errors.** Those of the child. `TaskCancelled` when it was cancelled and nothing else happened.
 * **Cancellation.** Of the caller: ends the wait; the child goes on.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const fiber = yield* LowLevel.fork(nursery, Effect.never, { name: 'server' })
 *     yield* LowLevel.cancelFiber(fiber, 'done')
 *     return yield* LowLevel.join(fiber)
 *   })
 * )
 * const reason = { _tag: 'Explicit', value: 'done' }
 * const cancelled = { _tag: 'TaskCancelled', task: 'server', reason }
 * assert.deepEqual(TestRuntime.runExit(program), Exit.fail(cancelled))
 *
 * @category children
 * @since 0.1.0
 */
export const join = <E, A>(fiber: Fiber<E, A>): Effect<unknown, E | TaskCancelled, A> =>
  typed(primitive(primitives.joinPrimitive, fiber))

/**
 * The exit, once there is one. Never waits. Whoever was given an exit has looked at it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const fiber = yield* LowLevel.fork(nursery, Effect.succeed(42))
 *     const before = yield* LowLevel.poll(fiber)
 *     yield* Effect.sleep(1)
 *     return [before, yield* LowLevel.poll(fiber)]
 *   })
 * )
 * const after = { _tag: 'Some', value: Exit.succeed(42) }
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([{ _tag: 'None' }, after]))
 *
 * @category children
 * @since 0.1.0
 */
export const poll = <E, A>(fiber: Fiber<E, A>): Effect<unknown, never, Option<Exit<E, A>>> =>
  typed(primitive(primitives.pollPrimitive, fiber))

/**
 * What a child is doing, from its real state.
 *
 * @category children
 * @since 0.1.0
 */
export type FiberStatus = primitives.Status

/**
 * What a child is doing now.
 *
 * @category children
 * @since 0.1.0
 */
export const fiberStatus = (fiber: Fiber<unknown, unknown>): FiberStatus =>
  primitives.statusOf(fiberOf(fiber))

/**
 * The number of a child, unique in its run.
 *
 * @category children
 * @since 0.1.0
 */
export const fiberId = (fiber: Fiber<unknown, unknown>): number => fiberOf(fiber).id

/**
 * The name of a child: that it was started with, that of `Effect.fn`, or a number of its nursery.
 *
 * @category children
 * @since 0.1.0
 */
export const fiberName = (fiber: Fiber<unknown, unknown>): string => fiberOf(fiber).name

const cancelFiberPrimitive: PrimitiveFunction = (fiber: FiberOf, target: FiberOf, reason: unknown): void => {
  if (primitives.isDone(target)) return
  ownScope(target).cancel(toCancellation(reason, { _tag: 'Some', value: fiber.name }))
}

/**
 * Cancels one child and nothing else, by a scope that holds it alone and is made when first needed. Does not
 * wait for its end; nothing happens when it has ended. No checkpoint.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.openNursery({}, (nursery) =>
 *   Effect.gen(function* () {
 *     const one = yield* LowLevel.fork(nursery, Effect.never)
 *     const other = yield* LowLevel.fork(nursery, Effect.sleep(10))
 *     yield* LowLevel.cancelFiber(one)
 *     yield* LowLevel.awaitExit(one)
 *     yield* LowLevel.awaitExit(other)
 *     return [LowLevel.fiberStatus(one), LowLevel.fiberStatus(other)]
 *   })
 * )
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed(['cancelled', 'finished']))
 *
 * @category children
 * @since 0.1.0
 */
export const cancelFiber = (fiber: Fiber<unknown, unknown>, reason?: unknown): Effect<unknown, never, void> =>
  typed(primitive(cancelFiberPrimitive, fiber, reason))

// -------------------------------------------------------------------------------------
// parallel composition
// -------------------------------------------------------------------------------------

/**
 * Effects to run side by side. They start inline and in order, each as a fiber of its own: an arm that ends
 * without waiting has ended before the next one starts.
 *
 * @category parallel
 * @since 0.1.0
 */
export interface ArmsOptions {
  /** For people. */
  readonly kind: string
  /** How many may run at a time; all when absent. */
  readonly concurrency?: number
  /** The next effect, or null at the end. Called once an index, in order, when there is room for it. */
  readonly arm: (index: number) => Any | null
  readonly name?: (index: number) => string
}

/** `open` is called by each run, with `arms`. */
const parallel = <R, E, A, B>(open: (fiber: FiberOf, arms: B) => Arms, arms: B): Effect<R, E, A> =>
  typed(new Op(op.Parallel, open, arms, undefined))

const limitOf = (options: ArmsOptions): number => {
  const limit = options.concurrency ?? Infinity
  if (!(limit >= 1)) {
    throw new RangeError(`The concurrency of ${options.kind} must be at least 1, but is ${String(limit)}.`)
  }
  return limit
}

const sourceOf = (options: ArmsOptions): ((index: number) => Op | null) => options.arm as Untyped

/**
 * All the values, in the order of the arms. The first failure cancels the others. Programs use
 * `Concurrent.all` and `Concurrent.traverse`.
 *
 * `arms` is called by each run, so that its source may keep state.
 *
 * **Errors.** All failures of the arms joined, cancellations that come from here left out. What `arm` throws
 * is a defect. A `concurrency` below 1 is a defect.
 * **Cancellation.** From outside it reaches all arms, and their ends are awaited.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.all(() => ({
 *   kind: 'squares',
 *   concurrency: 2,
 *   arm: (index) => (index < 3 ? Effect.as(index * index)(Effect.sleep(10)) : null)
 * }))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed([0, 1, 4]))
 *
 * @category parallel
 * @since 0.1.0
 */
export const all = <R, E, A>(arms: () => ArmsOptions): Effect<R, E, ReadonlyArray<A>> => parallel(allOf, arms)

const allOf = (fiber: FiberOf, arms: () => ArmsOptions): Arms => {
  const options = arms()
  return new All(fiber, options.kind, limitOf(options), sourceOf(options), options.name ?? null)
}

/**
 * All the values, or all the typed failures as one array, in the order of the arms. Only a defect cancels the
 * others. Programs use `Concurrent.validate`.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const arms = [Effect.fail('a'), Effect.succeed(1), Effect.fail('b')]
 * const program = LowLevel.validateAll(() => ({ kind: 'fields', arm: (index) => arms[index] ?? null }))
 * assert.deepEqual(TestRuntime.runExit(program), Exit.fail(['a', 'b']))
 *
 * @category parallel
 * @since 0.1.0
 */
export const validateAll = <R, E, A>(arms: () => ArmsOptions): Effect<R, E, ReadonlyArray<A>> =>
  parallel(validationOf, arms)

const validationOf = (fiber: FiberOf, arms: () => ArmsOptions): Arms => {
  const options = arms()
  return new Validate(fiber, options.kind, limitOf(options), sourceOf(options), options.name ?? null)
}

/**
 * The first of at least one effect to end, in a value or a failure. The others are cancelled and awaited.
 * Programs use `Concurrent.race`, which says what not to race.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const slow = Effect.as('slow')(Effect.sleep(20))
 * const fast = Effect.as('fast')(Effect.sleep(10))
 * const program = LowLevel.firstToEnd([slow, fast])
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('fast'))
 *
 * @category parallel
 * @since 0.1.0
 */
export const firstToEnd = <F extends Any, A>(fxs: ReadonlyArray<F>): Effect<EnvOf<F>, ErrorOf<F>, A> =>
  parallel(raceOf, fxs as Untyped)

const raceOf = (fiber: FiberOf, arms: ReadonlyArray<Op>): Arms => new Race(fiber, arms)

/**
 * The first of two to end, `fx` before `that`; see {@link firstToEnd}. Programs use `Concurrent.race`, which is the same.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const slow = Effect.as('slow')(Effect.sleep(20))
 * const fast = Effect.as('fast')(Effect.sleep(10))
 * assert.deepEqual(TestRuntime.runExit(LowLevel.race(slow)(fast)), Exit.succeed('fast'))
 *
 * @category parallel
 * @since 0.1.0
 */
export const race =
  <R2, E2, B>(that: Effect<R2, E2, B>) =>
  <R, E, A>(fx: Effect<R, E, A>): Effect<R & R2, E | E2, A | B> =>
    new Instruction(13 /* Parallel */, raceOfTwo, fx, that)

const raceOfTwo = (fiber: FiberOf, fx: Op, that: Op): Arms => new Race(fiber, [fx, that])

/**
 * The first of at least one effect to succeed. The others are cancelled and awaited. Programs use
 * `Concurrent.firstSuccess`.
 *
 * **Errors.** When none succeeds, all the failures joined. A defect of one ends it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, LowLevel } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = LowLevel.firstToSucceed([Effect.fail('no'), Effect.as('yes')(Effect.sleep(10))])
 * assert.deepEqual(TestRuntime.runExit(program), Exit.succeed('yes'))
 *
 * @category parallel
 * @since 0.1.0
 */
export const firstToSucceed = <F extends Any, A>(fxs: ReadonlyArray<F>): Effect<EnvOf<F>, ErrorOf<F>, A> =>
  parallel(firstSuccessOf, fxs as Untyped)

const firstSuccessOf = (fiber: FiberOf, arms: ReadonlyArray<Op>): Arms => new FirstSuccess(fiber, arms)

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

/**
 * The run that a fiber belongs to, to be looked at and drained from outside.
 *
 * @category run
 * @since 0.1.0
 */
export interface RunView {
  /** What is alive, as data. */
  readonly tree: IO<TaskTreeData>
  /** What is alive and what it waits on, a line each. */
  readonly describe: IO<string>
  /** Drains the root scope, see {@link drainScope}. */
  readonly drain: (reason: unknown, grace: number) => void
}

/**
 * The tree of tasks, groups and scopes; see `TaskTree`.
 *
 * @category run
 * @since 0.1.0
 */
export type { TaskTreeData, TaskTreeGroup, TaskTreeScope, TaskTreeTask } from './internal/tree.js'

/**
 * The run of this fiber, to be looked at: for reports of what is alive, on a signal or when something takes
 * too long.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, LowLevel, Runtime, TaskGroup } from 'millrace'
 *
 * const program = TaskGroup.open()((group) =>
 *   Effect.gen(function* () {
 *     yield* group.spawn(Effect.sleep(60_000), { name: 'poller' })
 *     yield* Effect.yieldNow
 *     const { describe } = yield* LowLevel.currentRun
 *     yield* group.cancelAll()
 *     return describe()
 *   })
 * )
 * assert.match(await Runtime.runPromise(program), /^main running\n.*poller/s)
 *
 * @category run
 * @since 0.1.0
 */
export const currentRun: Effect<unknown, never, RunView> = /*#__PURE__*/ typed(
  /*#__PURE__*/ primitive(({ runOf }): RunView => ({
    // In the time of the turn, as waits are: what waits since this turn has waited for no time.
    tree: () => treeOf(runOf, runOf.turnTime().ms),
    describe: () => describeRun(runOf),
    drain: (reason, grace) => {
      drain(runOf.root, toCancellation(reason, none), grace)
    }
  }))
)

/**
 * The tree as text, a line a node.
 *
 * @category run
 * @since 0.1.0
 */
export const printTaskTree: (tree: TaskTreeData) => string = printTree

/**
 * Waits until every other fiber of the run waits for something other than this; see `TaskTree.waitAllTasksBlocked`.
 *
 * @category run
 * @since 0.1.0
 */
export const waitAllBlocked: Effect<unknown, never, void> = /*#__PURE__*/ typed(primitives.waitAllBlocked)
