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
import { ambientSignal as currentSignal } from './internal/ambient.js'
import {
  checkDuration,
  type Fiber as FiberOf,
  Held,
  Owned,
  type ScopeOptions as ScopeSpec,
  Service
} from './internal/fiber.js'
import type { Nursery as NurseryOf } from './internal/nursery.js'
import * as op from './internal/op.js'
import { Op, type Untyped } from './internal/op.js'
import { All, FirstSuccess, Race, type Strategy, Validate } from './internal/parallel.js'
import * as primitives from './internal/primitives.js'
import { primitive, type PrimitiveFunction } from './internal/primitives.js'
import { settlePromise } from './internal/promise.js'
import { toCancellation } from './internal/reasons.js'
import { ScopeHooks, type ScopeNode as ScopeNodeOf } from './internal/scopeTree.js'
import { describeRun } from './internal/tree.js'

const typed = <R, E, A>(instruction: Op): Effect<R, E, A> => instruction as Untyped
const untyped = (fx: Any): Op => fx as Untyped
const none: Option<never> = { _tag: 'None' }

// -------------------------------------------------------------------------------------
// waiting
// -------------------------------------------------------------------------------------

/**
 * What to do when the waiting fiber is cancelled. Take the wait back and return true: nothing happened, the fiber ends as
 * cancelled now. Return false to let the wait go on; then it must be resumed later. When `forced` (a grace has ended), let
 * go if that is possible at all.
 *
 * @category waiting
 * @since 0.1.0
 */
export type Abort = (forced: boolean) => boolean

/**
 * Waits until `resume` is called: the general form of `Effect.async`. `label` names the wait in the task tree.
 *
 * **Cancellation.** A cancelled scope is seen before `register` is called. Afterwards `abort` decides. Once `resume` was
 * called the operation has happened, and a cancellation is seen at the next checkpoint.
 *
 * @category waiting
 * @since 0.1.0
 */
export const park = <E = never, A = void>(
  label: string,
  register: (resume: (exit: Exit<E, A>) => void) => Abort
): Effect<unknown, E, A> => typed(primitive(parkPrimitive, label, register))

const parkPrimitive: PrimitiveFunction = (
  fiber: FiberOf,
  label: string,
  register: (resume: (exit: Exit<unknown, unknown>) => void) => Abort
) => {
  if (fiber.isCancelled()) return fiber.raiseCancelled()
  let abort: Abort | null = null
  const callback = new primitives.Callback(fiber, label, false, (forced) => abort === null || abort(forced))
  abort = register((exit) => {
    if (exit._tag === 'Right') callback.resume(op.Return, exit.right)
    else callback.resume(op.Fault, fiber.admit(exit.left))
  })
  return callback.registered(undefined)
}

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
 * Waits for a promise that is started by each run. The signal is made only for a function that declares the parameter.
 *
 * @category waiting
 * @since 0.1.0
 */
export const awaitPromise = <A, E = never>(
  start: (signal: AbortSignal) => PromiseLike<A>,
  options: PromiseWait<E>
): Effect<unknown, E, A> =>
  typed(settlePromise(options.label, start, options.onReject ?? null, null, options.abandonOnCancel === true))

/**
 * Calls back once when the signal aborts; the result stops listening. Any number of callbacks share one listener on the
 * signal. A signal that was aborted before calls nobody: look at `signal.aborted` first.
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

const node = (scope: ScopeNode): ScopeNodeOf => scope as Untyped

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

const scoped = <R, E, A>(options: ScopeOptions, body: Untyped, leave: Untyped): Effect<R, E, A> => {
  const spec: ScopeSpec = options
  return typed(new Op(op.Scoped, spec, body, leave))
}

/**
 * Opens a scope around an effect. `None`: the scope absorbed its own cancellation.
 *
 * @category scopes
 * @since 0.1.0
 */
export const openScope = <R, E, A>(
  options: ScopeOptions,
  body: (scope: ScopeNode) => Effect<R, E, A>
): Effect<R, E, Option<A>> => scoped(options, body, op.LeaveOption)

/**
 * Opens a scope without a handle around an effect. `None`: its deadline ended it.
 *
 * @category scopes
 * @since 0.1.0
 */
export const withinScope = <R, E, A>(options: ScopeOptions, fx: Effect<R, E, A>): Effect<R, E, Option<A>> =>
  scoped(options, fx, op.LeaveOption)

/**
 * Opens a scope without a handle around an effect, which fails with `onDeadline()` when the deadline ended it. What was left
 * of the cause then comes after that failure.
 *
 * @category scopes
 * @since 0.1.0
 */
export const withinScopeOrFail = <R, E, A, E2>(
  options: ScopeOptions,
  onDeadline: () => E2,
  fx: Effect<R, E, A>
): Effect<R, E | E2, A> => scoped(options, fx, onDeadline)

/**
 * A scope that only shields.
 *
 * @category scopes
 * @since 0.1.0
 */
export const shieldScope = <R, E, A>(fx: Effect<R, E, A>): Effect<R, E, A> =>
  scoped({ name: 'shield', shield: true }, fx, op.LeavePlain)

const cancelPrimitive: PrimitiveFunction = (fiber: FiberOf, scope: ScopeNodeOf, reason: unknown): void => {
  scope.cancel(toCancellation(reason, { _tag: 'Some', value: fiber.name }))
}

/**
 * Cancels a scope. The first reason wins and travels with the name of the calling task. No checkpoint.
 *
 * @category scopes
 * @since 0.1.0
 */
export const cancelScope = (scope: ScopeNode, reason?: unknown): Effect<unknown, never, void> =>
  typed(primitive(cancelPrimitive, scope, reason))

/**
 * The same from a plain callback.
 *
 * @category scopes
 * @since 0.1.0
 */
export const cancelScopeUnsafe = (scope: ScopeNode, reason?: unknown): void => {
  node(scope).cancel(toCancellation(reason, none))
}

/**
 * Whether the scope itself was cancelled.
 *
 * @category scopes
 * @since 0.1.0
 */
export const isScopeCancelled = (scope: ScopeNode): boolean => node(scope).cancelled

/**
 * The cancellation that the scope absorbed when it was left.
 *
 * @category scopes
 * @since 0.1.0
 */
export const scopeCaught = (scope: ScopeNode): Option<Cancelled> => {
  const { caught } = node(scope)
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
 * Moves the deadline. A time that has come cancels at once; a scope that was cancelled stays cancelled. Throws on `NaN`.
 *
 * @category scopes
 * @since 0.1.0
 */
export const setScopeDeadline = (scope: ScopeNode, time: number): void => {
  checkDuration('A deadline', time)
  node(scope).setDeadline(time)
}

/**
 * Raises or lowers the shield. A cancellation that it held off is delivered when it is lowered.
 *
 * @category scopes
 * @since 0.1.0
 */
export const setScopeShield = (scope: ScopeNode, shield: boolean): void => {
  node(scope).setShield(shield)
}

/**
 * Calls back once when the scope is effectively cancelled, by itself or from outside; at once if it is. The result takes
 * that back. The callback must not throw.
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
  const { onCancel } = (target.hooks ??= new ScopeHooks())
  onCancel.add(listener)
  return () => {
    onCancel.delete(listener)
  }
}

/**
 * Calls back when the scope is left. The callback must not throw.
 *
 * @category scopes
 * @since 0.1.0
 */
export const onScopeClose = (scope: ScopeNode, callback: IO<void>): void => {
  ;(node(scope).hooks ??= new ScopeHooks()).onClose.add(callback)
}

/**
 * The earliest deadline that is visible through shields; `-Infinity` in a cancelled scope, `Infinity` when there is none.
 *
 * @category scopes
 * @since 0.1.0
 */
export const effectiveDeadline: Effect<unknown, never, number> = typed(
  primitive((fiber) =>
    fiber.isCancelled() ? -Infinity : fiber.mask > 0 ? Infinity : fiber.scope.effectiveDeadline()
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

const fiberOf = (fiber: Fiber<unknown, unknown>): FiberOf => fiber as Untyped
const nurseryOf = (nursery: Nursery): NurseryOf => nursery as Untyped

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
 * Opens a nursery around a body, and ends when the body and all children have ended. A child or a body that fails cancels
 * the rest; all failures are joined.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const openNursery = <R, E, A>(
  options: NurseryOptions,
  body: (nursery: Nursery) => Effect<R, E, A>
): Effect<R, E, A> => typed(new Op(op.Grouped, options, body, false))

/**
 * The same for a nursery whose body is cancelled with its children, by `nurseryScope`: `None` when that was before it had a
 * value.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const openCancellableNursery = <R, E, A>(
  options: NurseryOptions,
  body: (nursery: Nursery) => Effect<R, E, A>
): Effect<R, E, Option<A>> => typed(new Op(op.Grouped, options, body, true))

/**
 * The scope that holds the body and the children.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const nurseryScope = (nursery: Nursery): ScopeNode => nurseryOf(nursery).outer as Untyped

/**
 * The scope that holds the children only.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const childrenScope = (nursery: Nursery): ScopeNode => nurseryOf(nursery).scope as Untyped

/**
 * The name of the nursery.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const nurseryName = (nursery: Nursery): string => nurseryOf(nursery).name

/**
 * What becomes of a child's exit.
 *
 * - `supervised`: its failure fails the group;
 * - `owned`: its `Fail` belongs to whoever looks at the exit; one that nobody looked at fails the group as a defect;
 * - `held`: its failure is not the group's until {@link supervise} is called. Such a child has a scope of its own from the
 *   beginning.
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
const nameOf = (effect: Op): string | null => (effect.op === op.GenerateWith ? (effect.c as string) : null)

interface ForkSpec {
  readonly nursery: NurseryOf
  readonly label: string | null
  readonly flags: number
}

const forkPrimitive: PrimitiveFunction = (
  fiber: FiberOf,
  { nursery, label, flags }: ForkSpec,
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
  return startChild(fiber, nursery, effect, label, flags)
}

const startChild = (
  fiber: FiberOf,
  nursery: NurseryOf,
  effect: Op,
  label: string | null,
  flags: number
): FiberOf => {
  const name = label ?? nameOf(effect)
  const scope = (flags & Held) === 0 ? nursery.scope : nursery.scope.insert(null, name ?? 'task')
  const child = fiber.fork(nursery, scope, effect, name, flags)
  if (scope !== nursery.scope) child.own = scope
  nursery.childStarted((flags & Service) !== 0)
  fiber.runOf.scheduler.schedule(child)
  return child
}

/**
 * Starts a child in a nursery. It begins on a later turn, and always begins, also when the nursery is cancelled. A defect
 * when the nursery has ended.
 *
 * @category nurseries
 * @since 0.1.0
 */
export const fork = <R, E, A>(
  nursery: Nursery,
  fx: Effect<R, E, A>,
  options: ForkOptions = noOptions
): Effect<R, never, Fiber<E, A>> =>
  typed(
    primitive(
      forkPrimitive,
      {
        nursery: nurseryOf(nursery),
        label: options.name ?? null,
        flags: options === noOptions ? 0 : flagsOf(options)
      },
      fx
    )
  )

const noOptions: ForkOptions = {}

/**
 * Starts a child at once; null when its nursery has ended.
 *
 * @category nurseries
 * @since 0.1.0
 */
export type ForkUnsafe<R> = <E, A>(fx: Effect<R, E, A>, options?: ForkOptions) => Fiber<E, A> | null

/**
 * Starts children from plain callbacks, with the environment and the fiber-locals of the fiber that asked for it. Gives null
 * once the nursery has ended. The child begins on a later turn.
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
 * From now on a `held` child is supervised.
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
 * @category nurseries
 * @since 0.1.0
 */
export const childrenOf = (nursery: Nursery): ReadonlyArray<Fiber<unknown, unknown>> =>
  nurseryOf(nursery).children() as Untyped

// -------------------------------------------------------------------------------------
// children
// -------------------------------------------------------------------------------------

/**
 * Waits for the end, whatever it is.
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
 * @category children
 * @since 0.1.0
 */
export const join = <E, A>(fiber: Fiber<E, A>): Effect<unknown, E | TaskCancelled, A> =>
  typed(primitive(primitives.joinPrimitive, fiber))

/**
 * The exit, once there is one.
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
 * The name of a child.
 *
 * @category children
 * @since 0.1.0
 */
export const fiberName = (fiber: Fiber<unknown, unknown>): string => fiberOf(fiber).name

const cancelFiberPrimitive: PrimitiveFunction = (fiber: FiberOf, target: FiberOf, reason: unknown): void => {
  if (primitives.isDone(target)) return
  target.ownScope().cancel(toCancellation(reason, { _tag: 'Some', value: fiber.name }))
}

/**
 * Cancels one child and nothing else. Does not wait for its end; nothing happens when it has ended.
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
 * Effects to run side by side. They start inline and in order, each as a fiber of its own.
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

const parallel = <R, E, A>(strategy: () => Strategy): Effect<R, E, A> =>
  typed(new Op(op.Parallel, strategy, undefined, undefined))

const limitOf = (options: ArmsOptions): number => {
  const limit = options.concurrency ?? Infinity
  if (!(limit >= 1)) {
    throw new RangeError(`The concurrency of ${options.kind} must be at least 1, but is ${String(limit)}.`)
  }
  return limit
}

const sourceOf = (options: ArmsOptions): ((index: number) => Op | null) => options.arm as Untyped

/**
 * All the values, in the order of the arms. The first failure cancels the others.
 *
 * `arms` is called by each run, so that its source may keep state.
 *
 * @category parallel
 * @since 0.1.0
 */
export const all = <R, E, A>(arms: () => ArmsOptions): Effect<R, E, ReadonlyArray<A>> =>
  parallel(() => {
    const options = arms()
    return new All(options.kind, limitOf(options), sourceOf(options), options.name ?? null)
  })

/**
 * All the values, or all the typed failures. Only a defect cancels the others.
 *
 * @category parallel
 * @since 0.1.0
 */
export const validateAll = <R, E, A>(arms: () => ArmsOptions): Effect<R, E, ReadonlyArray<A>> =>
  parallel(() => {
    const options = arms()
    return new Validate(options.kind, limitOf(options), sourceOf(options), options.name ?? null)
  })

/**
 * The first of at least one effect to end, in a value or a failure.
 *
 * @category parallel
 * @since 0.1.0
 */
export const firstToEnd = <F extends Any, A>(fxs: ReadonlyArray<F>): Effect<EnvOf<F>, ErrorOf<F>, A> =>
  parallel(() => new Race((index) => (index < fxs.length ? untyped(fxs[index] as F) : null), null))

/**
 * The first of at least one effect to succeed.
 *
 * @category parallel
 * @since 0.1.0
 */
export const firstToSucceed = <F extends Any, A>(fxs: ReadonlyArray<F>): Effect<EnvOf<F>, ErrorOf<F>, A> =>
  parallel(() => new FirstSuccess((index) => (index < fxs.length ? untyped(fxs[index] as F) : null), null))

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

/**
 * The run that a fiber belongs to, to be looked at from outside.
 *
 * @category run
 * @since 0.1.0
 */
export interface RunView {
  /** What is alive and what it waits on, a line each. */
  readonly describe: IO<string>
}

/**
 * The run of this fiber.
 *
 * @category run
 * @since 0.1.0
 */
export const currentRun: Effect<unknown, never, RunView> = typed(
  primitive((fiber): RunView => ({ describe: () => describeRun(fiber.runOf) }))
)
