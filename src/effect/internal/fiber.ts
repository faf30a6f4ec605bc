/**
 * The interpreter. A fiber is the run of one effect: an explicit stack and one loop, no recursion, so that depth is
 * bounded by memory alone.
 *
 * The loop has three modes (evaluate an effect, return a value, raise) around one try/catch. Until a failure leaves the
 * fiber it is a mode and a value; causes are built on cold paths only.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import { hasCancelled, joinThen, mapLeaves, partitionFails, withoutCancelled } from './causes.js'
import { closeIterator, running } from './generator.js'
import type { Nursery } from './nursery.js'
import { Evaluate, Op, Raise, Signal, type Untyped } from './op.js'
import type { Child, Owner } from './owner.js'
import type { Arms, ArmsHost } from './parallel.js'
import type { Run, TurnTime } from './run.js'
import { type Cancellable, RoleScope, ScopeNode } from './scopeTree.js'
import type { Turn } from '../Scheduler.js'
import type { WaitList } from './waiting.js'
import { type Wait, type Waiter } from './waiting.js'

// ---- status

export const New = 0
/** In the queue of the scheduler, with a mode and a value to go on with. */
export const Ready = 1
export const Running = 2
export const Waiting = 3
export const Done = 4

// ---- flags

export const Service = 1
export const Owned = 2
export const Looked = 4
const SelfCancelled = 8
/** A task that is not ready yet: its failure belongs to whoever starts it. */
export const Held = 16

const unitOp = new Op(0, undefined, undefined, undefined)

/**
 * The stack of the fiber that runs; null while it is taken. A run inside a run (`runSync` in a callback) then makes one of
 * its own, and never sees the frames of the outer one.
 */
let sharedStack: Array<Op> | null = []

/** Frames that are copied on suspension; a deeper stack is given away whole, or each yield would copy all of it. */
const copied = 32

/** Values of fiber-locals by key; copied when one is set, so that children inherit by reference. */
export type Locals = ReadonlyMap<object, unknown>

export class Fiber implements Turn, Waiter, Cancellable, Child, ArmsHost {
  next: Turn | null
  status: number
  /** What happens next while ready; how it ended once done. */
  mode: number
  value: Untyped
  scope: ScopeNode
  scopePrevious: Cancellable | null
  scopeNext: Cancellable | null
  /** Finalizers that run; no cancellation from outside is seen while there are some. */
  mask: number
  readonly runOf: Run
  environment: Untyped
  locals: Locals | null
  readonly owner: Owner | null
  label: string | number | null
  readonly id: number
  flags: number
  frames: Op | Array<Op> | null
  wait: Wait | null
  /** Since when it waits. */
  since: TurnTime | null
  waitPrevious: Waiter | null
  waitNext: Waiter | null
  waitItem: Untyped
  /** Those that wait for the end of this fiber. */
  joiners: WaitList | null
  /** The scope of this task alone, made when somebody cancels it. */
  own: ScopeNode | null

  // Every field is set here: one that is added later would change the hidden class under the run loop.
  constructor(
    run: Run,
    scope: ScopeNode,
    owner: Owner | null,
    effect: Op,
    environment: Untyped,
    locals: Locals | null,
    label: string | number | null,
    flags: number
  ) {
    this.next = null
    this.status = New
    this.mode = Evaluate
    this.value = effect
    this.scope = scope
    this.scopePrevious = null
    this.scopeNext = null
    this.mask = 0
    this.runOf = run
    this.environment = environment
    this.locals = locals
    this.owner = owner
    this.label = label
    this.id = run.nextId()
    this.flags = flags
    this.frames = null
    this.wait = null
    this.since = null
    this.waitPrevious = null
    this.waitNext = null
    this.waitItem = undefined
    this.joiners = null
    this.own = null
    scope.addFiber(this)
  }

  // ---- for people

  get name(): string {
    const { label, owner } = this
    if (typeof label === 'string') return label
    if (owner === null) return 'main'
    return owner.childName(label ?? this.id)
  }

  // ---- cancellation

  /** What a checkpoint asks. */
  isCancelled(): boolean {
    return this.scope.effective && (this.mask === 0 || this.scope.cut >= 0)
  }

  cancelDelivered(): void {
    if (this.status !== Waiting || !this.isCancelled()) return
    const wait = this.wait as Wait
    let withdrawn: boolean
    try {
      withdrawn = wait.abandon(this, this.scope.cut >= 0)
    } catch (defect) {
      this.resume(6, joinThen(this.causeOf(5, undefined), { _tag: 'Die', defect }))
      return
    }
    if (withdrawn) this.resume(5, undefined)
  }

  /** For a primitive: end as a cancelled wait. */
  raiseCancelled(): typeof Signal {
    return this.signal(5, undefined)
  }

  // ---- waiting

  /** For a primitive: go on with this mode and value. */
  signal(mode: number, value: Untyped): typeof Signal {
    this.mode = mode
    this.value = value
    return Signal
  }

  /** For a primitive: wait until somebody resumes. */
  park(wait: Wait): typeof Signal {
    this.status = Waiting
    this.wait = wait
    this.since = this.runOf.turnTime()
    if (this.scope.unarmed) this.scope.armDeadlines()
    return Signal
  }

  /** For a primitive: let the others run, then go on with this mode and value. */
  reschedule(mode: number, value: Untyped): typeof Signal {
    this.mode = mode
    this.value = value
    this.status = Ready
    if (this.scope.unarmed) this.scope.armDeadlines()
    this.runOf.scheduler.schedule(this)
    return Signal
  }

  /** Ends the wait. From now on the operation has happened: a cancellation is seen at the next checkpoint. */
  resume(mode: number, value: Untyped): void {
    this.continueWith(mode, value)
    this.runOf.scheduler.schedule(this)
  }

  /** The same by a call from outside, which may run the fiber at once. */
  wake(mode: number, value: Untyped): void {
    if (this.runOf.closed) return
    this.continueWith(mode, value)
    this.runOf.wake(this)
  }

  private continueWith(mode: number, value: Untyped): void {
    this.status = Ready
    this.wait = null
    this.mode = mode
    this.value = value
  }

  // ---- scopes

  enterScope(node: ScopeNode): void {
    node.opener = this
    this.scope.removeFiber(this)
    this.mask = 0
    this.scope = node
    node.addFiber(this)
  }

  leaveScope(node: ScopeNode): void {
    node.removeFiber(this)
    node.close()
    this.mask = node.mask
    const parent = node.parent as ScopeNode
    this.scope = parent
    parent.addFiber(this)
  }

  // ---- children

  /** A child that has not started; its owner accounts for it from now on. */
  fork(owner: Owner, scope: ScopeNode, effect: Op, label: string | number | null, flags: number): Fiber {
    const child = this.child(owner, scope, effect, label, flags)
    const { instruments } = this.runOf
    if (instruments !== null) for (const instrument of instruments) instrument.onSpawn?.(child, this)
    return child
  }

  /** Overridden where tests look into a fiber. */
  protected child(
    owner: Owner,
    scope: ScopeNode,
    effect: Op,
    label: string | number | null,
    flags: number
  ): Fiber {
    return new Fiber(this.runOf, scope, owner, effect, this.environment, this.locals, label, flags)
  }

  startArm(arms: Arms, arm: Op, index: number): void {
    this.runOf.scheduler.schedule(this.fork(arms, arms.scope, arm, index, 0))
  }

  // ---- how it ended

  get selfCancelled(): boolean {
    return (this.flags & SelfCancelled) !== 0
  }

  get service(): boolean {
    return (this.flags & Service) !== 0
  }

  get owned(): boolean {
    return (this.flags & Owned) !== 0
  }

  get held(): boolean {
    return (this.flags & Held) !== 0
  }

  get looked(): boolean {
    return (this.flags & Looked) !== 0
  }

  /** The cause of a raising mode. */
  causeOf(mode: number, value: Untyped): Cause<Untyped> {
    switch (mode) {
      case 3:
        return { _tag: 'Fail', error: value }
      case 4:
        return { _tag: 'Die', defect: value }
      case 5:
        return (this.scope.nearestCancelled() ?? this.runOf.root).cancelledLeaf()
      default:
        return value
    }
  }

  failure(): Cause<Untyped> | null {
    if (this.mode === 1) return null
    if (this.mode !== 6) {
      this.value = this.causeOf(this.mode, this.value)
      this.mode = 6
    }
    return this.value
  }

  exit(): Untyped {
    const cause = this.failure()
    return cause === null ? { _tag: 'Right', right: this.value } : { _tag: 'Left', left: cause }
  }

  /** The fiber has ended: tells those that wait for it, then its owner. */
  end(mode: number, value: Untyped): void {
    this.status = Done
    this.mode = mode
    this.value = value
    if (mode === 5) this.failure()
    this.scope.removeFiber(this)
    if (this.own !== null) {
      if (this.own.absorbs()) this.flags |= SelfCancelled
      this.own.close()
    }
    const { instruments } = this.runOf
    if (instruments !== null) for (const instrument of instruments) instrument.onExit?.(this, this.exit())
    if (this.joiners !== null) {
      for (let joiner = this.joiners.head; joiner !== null; joiner = this.joiners.head) {
        // What a joiner asked for: to be given the exit, or to end in the same way.
        const ask = joiner.waitItem as (child: Fiber) => { mode: number; value: Untyped }
        this.joiners.remove(joiner)
        const answer = ask(this)
        joiner.resume(answer.mode, answer.value)
      }
    }
    if (this.owner !== null) this.owner.childEnded(this)
  }

  // ---- running

  run(): void {
    execute(this)
  }

  private cutFinalizer(cause: Cause<Untyped>): Cause<Untyped> {
    const { cut } = this.scope
    if (cut < 0 || !hasCancelled(cause)) return cause
    const rest = withoutCancelled(cause)
    const defect = { _tag: 'CleanupOverran', task: this.name, grace: cut }
    return rest === null ? { _tag: 'Die', defect } : joinThen(rest, { _tag: 'Die', defect })
  }

  /** A finalizer has failed: its cause joins what came before. */
  afterFinalizer(savedMode: number, savedValue: Untyped, mode: number, value: Untyped): Cause<Untyped> {
    const cause = this.cutFinalizer(this.causeOf(mode, value))
    return savedMode === 1 ? cause : joinThen(this.causeOf(savedMode, savedValue), cause)
  }

  /** `Cancelled` may be raised again inside its scope, and nowhere else. */
  admit(cause: Cause<Untyped>): Cause<Untyped> {
    if (!hasCancelled(cause) || this.scope.nearestCancelled() !== null) return cause
    return { _tag: 'Die', defect: { _tag: 'CancelledElsewhere', cause } }
  }

  /** Leaving a scope by raising: absorbs what is its own. Gives the mode; the value is in `value`. */
  leaveRaising(node: ScopeNode, how: Untyped, mode: number, value: Untyped): number {
    let left: Untyped = value
    let absorbed = false
    if (node.absorbs()) {
      if (mode === 5) absorbed = true
      else if (mode === 6) {
        const rest = withoutCancelled(value)
        absorbed = rest !== value
        left = rest
      }
    }
    this.leaveScope(node)
    this.value = left
    if (!absorbed) return mode
    const caught = node.absorbed()
    const rest: Cause<Untyped> | null = mode === 5 ? null : left
    if (typeof how === 'function' && caught.reason._tag === 'Deadline') {
      const timeout = failureOf(how)
      this.value = rest === null ? timeout : joinThen(timeout, rest)
      return 6
    }
    if (rest !== null) return 6
    // A plain scope has no handle and no deadline, so nothing but its own option can be absorbed without a rest.
    this.value = { _tag: 'None' }
    return 1
  }
}

/** The failure of a timeout. What the user's function throws must not lose the rest of the cause. */
const failureOf = (onTimeout: () => unknown): Cause<unknown> => {
  try {
    return { _tag: 'Fail', error: onTimeout() }
  } catch (defect) {
    return { _tag: 'Die', defect }
  }
}

const provided = (environment: Untyped, services: Untyped): Untyped =>
  // Copying is what `provide` costs; at the root of a program there is nothing to copy.
  environment === emptyEnvironment && Object.getPrototypeOf(services) === Object.prototype
    ? services
    : { ...environment, ...services }

export const emptyEnvironment: Untyped = Object.freeze({})

/** What was evaluated is no effect: most often a forgotten star, or a promise. */
const notAnEffect = (thing: unknown): TypeError => {
  const what =
    thing === null || (typeof thing !== 'object' && typeof thing !== 'function')
      ? String(thing)
      : typeof (thing as { then?: unknown }).then === 'function'
        ? 'a promise (use Promises.fromPromise)'
        : typeof thing === 'function'
          ? 'a function (call it, or wrap it in Effect.sync)'
          : `an object with the keys ${Object.keys(thing).slice(0, 5).join(', ') || '(none)'}`
  return new TypeError(
    `Expected an Effect, but got ${what}. In a generator, every effect is yielded with a star: yield* effect.`
  )
}

const matches =
  (tag: string | null) =>
  (error: Untyped): boolean =>
    tag === null || (error !== null && error !== undefined && error._tag === tag)

const exitOf = (fiber: Fiber, mode: number, value: Untyped): Untyped =>
  mode === 1 ? { _tag: 'Right', right: value } : { _tag: 'Left', left: fiber.causeOf(mode, value) }

const mapFails = (cause: Cause<Untyped>, f: (error: Untyped) => Cause<Untyped>): Cause<Untyped> =>
  mapLeaves(cause, (leaf) => {
    if (leaf._tag !== 'Fail') return leaf
    try {
      return f(leaf.error)
    } catch (defect) {
      // The mapper of one failure must not lose the others.
      return { _tag: 'Die', defect }
    }
  })

/**
 * The run loop makes its frames, scopes and groups by functions: V8 does not inline a constructor into it where the loop
 * passes rarely, and a function that makes the object costs a third of a constructor that is called.
 */
const frameOf = (op: number, a: Untyped, b: Untyped, c: Untyped): Op => new Op(op, a, b, c)

/**
 * Runs a fiber up to its next wait, the end of its slice, or its end.
 *
 * The cases carry the numbers of `op.ts` as literals: V8 makes a jump table of literal cases only, and this switch is the
 * hottest branch of the library.
 */
const execute = (first: Fiber): void => {
  let fiber = first
  let stack: Array<Op>
  let base = 0
  let sp = 0
  const shared = sharedStack
  sharedStack = null
  if (Array.isArray(fiber.frames) && fiber.frames.length > copied) {
    // A stack that was given away comes back as it is.
    stack = fiber.frames
    sp = stack.length
  } else {
    stack = shared ?? []
    if (fiber.frames !== null) {
      if (Array.isArray(fiber.frames)) for (const frame of fiber.frames) stack[sp++] = frame
      else stack[sp++] = fiber.frames
    }
  }
  fiber.frames = null
  fiber.status = Running
  let budget = fiber.runOf.scheduler.maxSteps
  let mode = fiber.mode
  let value: Untyped = fiber.value
  let current: Op = unitOp
  fiber.value = undefined
  if (mode === 0) current = value
  else if (mode === 2) mode = fiber.isCancelled() ? 5 : 1
  if (fiber.runOf.instruments !== null) resumed(fiber)

  for (;;) {
    try {
      // Left by `break` when the fiber waits, has used up its steps, or has ended.
      run: for (;;) {
        if (mode === 0) {
          switch (current.op) {
            case 0: // Succeed
              value = current.a
              mode = 1
              break
            case 1: // Sync
              value = (0, current.a)()
              mode = 1
              break
            case 2: // Primitive
              value = (0, current.a)(fiber, current.b, current.c)
              mode = 1
              if (value === Signal) {
                if (fiber.status !== Running) break run
                mode = fiber.mode
                value = fiber.value
                fiber.value = undefined
                if (mode === 0) current = value
              }
              break
            case 3: // Raise
              mode = current.a
              value = mode === 6 ? fiber.admit(current.b) : current.b
              break
            case 4: {
              // FlatMap: a leaf is evaluated here, without a frame
              const inner: Op = current.a
              if (inner.op === 0) {
                if (--budget < 0) break run
                current = (0, current.b)(inner.a)
              } else if (inner.op === 1) {
                if (--budget < 0) break run
                value = (0, inner.a)()
                current = (0, current.b)(value)
              } else if (inner.op === 2) {
                if (--budget < 0) break run
                value = (0, inner.a)(fiber, inner.b, inner.c)
                if (value === Signal) {
                  stack[sp++] = current
                  if (fiber.status !== Running) break run
                  mode = fiber.mode
                  value = fiber.value
                  fiber.value = undefined
                  if (mode === 0) current = value
                } else current = (0, current.b)(value)
              } else {
                stack[sp++] = current
                current = inner
              }
              break
            }
            case 5: // Map
              stack[sp++] = current
              current = current.a
              break
            case 6: // Tap
            case 10: // Handle
            case 11: // Match
            case 12: // MapError
            case 13: // TapError
            case 14: // OrDie
            case 15: // CatchCause
            case 16: // ToExit
            case 17: // Ensuring
            case 18: // OnExit
            case 19: // OnCancel
            case 20: // Bracket
              stack[sp++] = current
              current = current.a
              break
            case 7: // Suspend
              if (--budget < 0) break run
              current = (0, current.a)()
              break
            case 8: // Generate
              value = (0, current.a)()
              stack[sp++] = frameOf(33, value, value.next, undefined)
              value = undefined
              mode = 1
              break
            case 9: // GenerateWith
              value = (0, current.a)(...current.b)
              stack[sp++] = frameOf(33, value, value.next, undefined)
              value = undefined
              mode = 1
              break
            case 21: // Provide
              stack[sp++] = frameOf(39, fiber.environment, undefined, undefined)
              fiber.environment = provided(fiber.environment, current.b)
              current = current.a
              break
            case 22: {
              // Local
              const environment = (0, current.b)(fiber.environment)
              stack[sp++] = frameOf(39, fiber.environment, undefined, undefined)
              fiber.environment = environment
              current = current.a
              break
            }
            case 23: {
              // Locally
              const before = fiber.locals
              stack[sp++] = frameOf(
                40,
                current.b,
                before?.get(current.b),
                before !== null && before.has(current.b)
              )
              setLocal(fiber, current.b, current.c)
              current = current.a
              break
            }
            case 24: {
              // Scoped
              const node = openScope(fiber, current.a)
              stack[sp++] = frameOf(41, node, current.c, undefined)
              current = typeof current.b === 'function' ? (0, current.b)(node) : current.b
              break
            }
            case 25: {
              // Grouped
              const nursery = (0, current.a)(fiber, current.b)
              stack[sp++] = frameOf(42, nursery, undefined, undefined)
              current = (0, current.c)(nursery)
              break
            }
            case 26: {
              // Parallel
              // Before the frame: what makes the arms may throw.
              const arms = (0, current.a)(fiber, current.b, current.c)
              stack[sp++] = frameOf(43, fiber, base, arms)
              base = sp
              // Falls out to where an arm has ended or waits: the same steps start the first one.
              break run
            }
            default:
              throw notAnEffect(current)
          }
        } else if (mode === 1) {
          if (sp === base) break
          const frame = stack[--sp] as Op
          switch (frame.op) {
            case 4: // FlatMap
              current = (0, frame.b)(value)
              mode = 0
              if (--budget < 0) break run
              break
            case 5: // Map
              value = (0, frame.b)(value)
              break
            case 6: // Tap
              stack[sp++] = frameOf(32, value, undefined, undefined)
              current = (0, frame.b)(value)
              mode = 0
              if (--budget < 0) break run
              break
            case 11: // Match
              current = (0, frame.c)(value)
              mode = 0
              if (--budget < 0) break run
              break
            case 10: // Handle
            case 12: // MapError
            case 13: // TapError
            case 14: // OrDie
            case 15: // CatchCause
            case 19: // OnCancel
              break
            case 16: // ToExit
              value = { _tag: 'Right', right: value }
              break
            case 17: // Ensuring
              current = frame.b
              if (current.op <= 1) {
                // After a value, a finalizer that cannot wait needs no frame: what it throws is all there is to raise.
                if (current.op === 1) (0, current.a)()
                break
              }
              stack[sp++] = frameOf(37, 1, value, undefined)
              fiber.mask++
              mode = 0
              break
            case 18: // OnExit
              current = (0, frame.b)({ _tag: 'Right', right: value })
              if (current.op <= 1) {
                if (current.op === 1) (0, current.a)()
                break
              }
              stack[sp++] = frameOf(37, 1, value, undefined)
              fiber.mask++
              mode = 0
              break
            case 20: // Bracket: no checkpoint between the value of acquire and this frame
              stack[sp++] = frameOf(38, value, frame.c, undefined)
              current = (0, frame.b)(value)
              mode = 0
              break
            case 38: // ReleaseFrame
              current = (0, frame.b)(frame.a, { _tag: 'Right', right: value })
              if (current.op <= 1) {
                if (current.op === 1) (0, current.a)()
                break
              }
              stack[sp++] = frameOf(37, 1, value, undefined)
              fiber.mask++
              mode = 0
              break
            case 32: // KeepFrame
              value = frame.a
              break
            case 33: {
              // GeneratorFrame: stays while the generator runs; leaves are evaluated here
              sp++
              const iterator = frame.a
              const next = frame.b
              for (;;) {
                const result = next.call(iterator, value)
                if (result.done) {
                  sp--
                  value = result.value
                  break
                }
                current = result.value
                if (--budget < 0) {
                  mode = 0
                  break run
                }
                const { op } = current
                if (op === 0) value = current.a
                else if (op === 1) value = (0, current.a)()
                else if (op === 2) {
                  value = (0, current.a)(fiber, current.b, current.c)
                  if (value === Signal) {
                    if (fiber.status !== Running) break run
                    mode = fiber.mode
                    value = fiber.value
                    fiber.value = undefined
                    if (mode === 0) current = value
                    break
                  }
                } else {
                  mode = 0
                  break
                }
              }
              break
            }
            case 34: {
              // UnwindFrame: a finally block goes on. The frame stays while it runs, since it may throw.
              sp++
              const iterator = frame.a
              frame.a = running
              const result = iterator.next(value)
              if (result.done) {
                sp--
                fiber.mask--
                mode = frame.b
                value = frame.c
              } else {
                frame.a = iterator
                current = result.value
                mode = 0
              }
              break
            }
            case 35: // RestFrame
              mode = 6
              value = frame.a
              break
            case 36: // AgainFrame
              mode = frame.a
              value = frame.b
              break
            case 37: // FinalizingFrame
              fiber.mask--
              mode = frame.a
              value = frame.b
              break
            case 39: // EnvironmentFrame
              fiber.environment = frame.a
              break
            case 40: // LocalFrame
              restoreLocal(fiber, frame)
              break
            case 41: // ScopeFrame
              fiber.leaveScope(frame.a)
              if (frame.b === 0) value = { _tag: 'Some', value }
              break
            case 42: {
              // GroupFrame
              const outcome = (frame.a as Nursery).bodyEnded(1, value)
              if (outcome === null) {
                fiber.park(frame.a)
                break run
              }
              mode = outcome.mode
              value = outcome.value
              break
            }
            default:
              throw new Error(`millrace: frame ${frame.op} cannot return`)
          }
        } else {
          if (sp === base) break
          const frame = stack[--sp] as Op
          switch (frame.op) {
            case 4: // FlatMap
            case 5: // Map
            case 6: // Tap
            case 20: // Bracket: acquire has failed, there is nothing to release
            case 32: // KeepFrame
              break
            case 10: // Handle
              if (mode === 3) {
                if (frame.c === null || matches(frame.c)(value)) {
                  current = (0, frame.b)(value)
                  mode = 0
                  if (--budget < 0) break run
                }
              } else if (mode === 6) {
                const split = partitionFails(value as Cause<Untyped>, matches(frame.c))
                if (split !== null) {
                  if (split.rest !== null) stack[sp++] = frameOf(35, split.rest, undefined, undefined)
                  current = (0, frame.b)(split.first)
                  mode = 0
                  if (--budget < 0) break run
                }
              }
              break
            case 11: // Match
              if (mode === 3) {
                current = (0, frame.b)(value)
                mode = 0
                if (--budget < 0) break run
              } else if (mode === 6) {
                const split = partitionFails(value as Cause<Untyped>, matches(null))
                if (split !== null) {
                  if (split.rest !== null) stack[sp++] = frameOf(35, split.rest, undefined, undefined)
                  current = (0, frame.b)(split.first)
                  mode = 0
                  if (--budget < 0) break run
                }
              }
              break
            case 12: // MapError
              if (mode === 3) value = (0, frame.b)(value)
              else if (mode === 6) {
                value = mapFails(value, (error) => ({ _tag: 'Fail', error: (0, frame.b)(error) }))
              }
              break
            case 13: {
              // TapError
              const split =
                mode === 3
                  ? { first: value as unknown }
                  : mode === 6
                    ? partitionFails(value as Cause<Untyped>, matches(null))
                    : null
              if (split !== null) {
                stack[sp++] = frameOf(36, mode, value, undefined)
                current = (0, frame.b)(split.first)
                mode = 0
              }
              break
            }
            case 14: // OrDie
              if (mode === 3) mode = 4
              else if (mode === 6) value = mapFails(value, (defect) => ({ _tag: 'Die', defect }))
              break
            case 15: // CatchCause
              value = fiber.causeOf(mode, value)
              mode = 0
              current = (0, frame.b)(value)
              if (--budget < 0) break run
              break
            case 16: // ToExit
              value = exitOf(fiber, mode, value)
              mode = 1
              break
            case 17: // Ensuring
              stack[sp++] = frameOf(37, mode, value, undefined)
              fiber.mask++
              current = frame.b
              mode = 0
              break
            case 18: {
              // OnExit
              const exit = exitOf(fiber, mode, value)
              stack[sp++] = frameOf(37, 6, exit.left, undefined)
              fiber.mask++
              current = (0, frame.b)(exit)
              mode = 0
              break
            }
            case 19: // OnCancel
              if (mode === 5 || (mode === 6 && hasCancelled(value))) {
                stack[sp++] = frameOf(37, mode, value, undefined)
                fiber.mask++
                current = frame.b
                mode = 0
              }
              break
            case 38: {
              // ReleaseFrame
              const exit = exitOf(fiber, mode, value)
              stack[sp++] = frameOf(37, 6, exit.left, undefined)
              fiber.mask++
              current = (0, frame.b)(frame.a, exit)
              mode = 0
              break
            }
            case 33: {
              // GeneratorFrame: its finally blocks run as finalizers
              const unwind = frameOf(34, running, mode, value)
              stack[sp++] = unwind
              fiber.mask++
              const result = closeIterator(frame.a)
              if (result.done) {
                sp--
                fiber.mask--
              } else {
                unwind.a = frame.a
                current = result.value
                mode = 0
              }
              break
            }
            case 34: {
              // UnwindFrame: a finally block has failed; the ones around it still run
              frame.c = fiber.afterFinalizer(frame.b, frame.c, mode, value)
              frame.b = 6
              sp++
              const iterator = frame.a
              frame.a = running
              const result = closeIterator(iterator)
              if (result.done) {
                sp--
                fiber.mask--
                mode = 6
                value = frame.c
              } else {
                frame.a = iterator
                current = result.value
                mode = 0
              }
              break
            }
            case 35: // RestFrame
              value = joinThen(frame.a, fiber.causeOf(mode, value))
              mode = 6
              break
            case 36: // AgainFrame
              value = joinThen(fiber.causeOf(frame.a, frame.b), fiber.causeOf(mode, value))
              mode = 6
              break
            case 37: // FinalizingFrame
              fiber.mask--
              value = fiber.afterFinalizer(frame.a, frame.b, mode, value)
              mode = 6
              break
            case 39: // EnvironmentFrame
              fiber.environment = frame.a
              break
            case 40: // LocalFrame
              restoreLocal(fiber, frame)
              break
            case 41: // ScopeFrame
              mode = fiber.leaveRaising(frame.a, frame.b, mode, value)
              value = fiber.value
              fiber.value = undefined
              break
            case 42: {
              // GroupFrame
              const outcome = (frame.a as Nursery).bodyEnded(mode, value)
              if (outcome === null) {
                fiber.park(frame.a)
                break run
              }
              mode = outcome.mode
              value = outcome.value
              break
            }
            default:
              throw new Error(`millrace: frame ${frame.op} cannot raise`)
          }
        }
      }
    } catch (thrown) {
      mode = 4
      value = current instanceof Op ? thrown : notAnEffect(current)
      current = unitOp
      continue
    }

    // The fiber waits, yields or has ended, or arms are about to start.
    for (;;) {
      // The frame below belongs to a fiber that started this one inline.
      const inline = base > 0 ? (stack[base - 1] as Op) : null
      if (inline === null || inline.a !== fiber) {
        // Otherwise the composing fiber itself is here to start its first arm.
        if (fiber.status === Running) {
          if (budget < 0) {
            fiber.mode = mode
            fiber.value = mode === 0 ? current : value
            fiber.status = Ready
            if (fiber.scope.unarmed) fiber.scope.armDeadlines()
            save(fiber, stack, base, sp)
            exhausted(fiber)
            budget = fiber.runOf.scheduler.maxSteps
          } else {
            sp = base
            fiber.end(mode, value)
          }
        } else {
          if (fiber.runOf.instruments !== null) parked(fiber)
          save(fiber, stack, base, sp)
        }
        sp = base
      }
      if (inline === null) {
        releaseStack(fiber, shared)
        return
      }
      const arms = inline.c as Arms
      fiber = inline.a
      const arm = arms.nextArm()
      if (arm !== null) {
        fiber = fiber.fork(arms, arms.scope, arm, arms.index, 0)
        fiber.status = Running
        fiber.value = undefined
        if (fiber.runOf.instruments !== null) resumed(fiber)
        current = arm
        mode = 0
        break
      }
      sp = base - 1
      base = inline.b
      if (arms.running === 0) {
        const outcome = arms.end()
        mode = outcome.mode
        value = outcome.value
        break
      }
      arms.waiting = true
      fiber.park(arms)
    }
  }
}

/** Keeps the frames of a fiber that goes off the stack. */
const save = (fiber: Fiber, stack: Array<Op>, base: number, sp: number): void => {
  const depth = sp - base
  if (depth === 0) fiber.frames = null
  else if (depth === 1) fiber.frames = stack[base] as Op
  else if (depth <= copied || base > 0) fiber.frames = stack.slice(base, sp)
  else {
    stack.length = sp
    fiber.frames = stack
  }
}

/** Puts the shared stack back for the next turn, unless the fiber took it along or a run below us has it. */
const releaseStack = (fiber: Fiber, shared: Array<Op> | null): void => {
  if (shared === null) return
  sharedStack = fiber.frames === shared ? [] : shared
  // A deep program must not keep its memory for good.
  if (sharedStack.length > copied) sharedStack.length = copied
  // What has ended must not be held by frames that nothing has written over yet.
  if (fiber.runOf.closed || (fiber.owner === null && fiber.status === Done)) {
    for (let at = 0; at < sharedStack.length && sharedStack[at] !== unitOp; at++) sharedStack[at] = unitOp
  }
}

export const setLocal = (fiber: Fiber, key: object, value: unknown): void => {
  fiber.locals = new Map(fiber.locals).set(key, value)
}

const restoreLocal = (fiber: Fiber, frame: Op): void => {
  const locals = new Map(fiber.locals)
  if (frame.c) locals.set(frame.a, frame.b)
  else locals.delete(frame.a)
  fiber.locals = locals
}

/** A duration of a scope, checked where it is used. */
export const checkDuration = (what: string, ms: number): void => {
  if (typeof ms !== 'number' || Number.isNaN(ms)) {
    throw new TypeError(`${what} must be a number of milliseconds, but is ${String(ms)}.`)
  }
}

export interface ScopeOptions {
  readonly name: string
  /** Milliseconds from entry. */
  readonly after?: number | undefined
  /** A time of the clock. */
  readonly at?: number | undefined
  readonly shield?: boolean | undefined
  readonly grace?: number | undefined
}

const openScope = (fiber: Fiber, options: ScopeOptions): ScopeNode => {
  const { after, at, grace } = options
  if (after !== undefined) checkDuration('A timeout', after)
  if (at !== undefined) checkDuration('A deadline', at)
  if (grace !== undefined) checkDuration('A grace', grace)
  const node = new ScopeNode(fiber.runOf, fiber.scope, options.name, fiber.mask, RoleScope)
  fiber.enterScope(node)
  if (options.shield === true) node.setShield(true)
  if (grace !== undefined) node.setGrace(grace)
  if (after !== undefined) node.enterDeadline(after, true)
  if (at !== undefined) node.enterDeadline(at, false)
  return node
}

const exhausted = (fiber: Fiber): void => {
  const { scheduler } = fiber.runOf
  if (scheduler.exhausted === undefined) scheduler.schedule(fiber)
  else scheduler.exhausted(fiber)
}

const resumed = (fiber: Fiber): void => {
  for (const instrument of fiber.runOf.instruments ?? []) instrument.onResume?.(fiber)
}

const parked = (fiber: Fiber): void => {
  if (fiber.wait === null) return
  for (const instrument of fiber.runOf.instruments ?? []) instrument.onPark?.(fiber, fiber.wait.label)
}

/** An effect that raises. */
export const raise = (mode: number, value: Untyped): Op => new Op(Raise, mode, value, undefined)
