/**
 * The interpreter. A fiber is the run of one effect: an explicit stack and one loop, no recursion, so that depth is
 * bounded by memory alone.
 *
 * The loop evaluates an effect, returns a value, or raises, around one try/catch. Until a failure leaves the fiber it is a
 * mode and a value; causes are built on cold paths only.
 *
 * It knows the effects that programs pass all the time. All others are a `Frame` with the code that they bring along.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import { Evaluate, Op, Signal, type Untyped } from './op.js'
import { type Child, type Owner, SelfCancelled } from './owner.js'
import type { Arms, ArmsHost } from './parallel.js'
import type { Run, TurnTime } from './run.js'
import type { Dweller, Cancellable, ScopeNode } from './scopeTree.js'
import type { Turn } from '../Scheduler.js'
import type { Wait, Waiter, WaitList } from './waiting.js'

// ---- status

export const New = 0
/** In the queue of the scheduler, with a mode and a value to go on with. */
export const Ready = 1
export const Running = 2
export const Waiting = 3
export const Done = 4

const unitOp = new Op(0, undefined, undefined, undefined)

/**
 * The stack of the fiber that runs; null while it is taken. A run inside a run (`runSync` in a callback) then makes one of
 * its own, and never sees the frames of the outer one.
 */
let sharedStack: Array<Op> | null = []

/** Frames that are copied on suspension; a deeper stack is given away whole, or each yield would copy all of it. */
const copied = 32

/** Frames that a stack may keep for as long as each turn needs more than `copied`. */
const deepest = 0x4000

/** Values of fiber-locals by key; copied when one is set, so that children inherit by reference. */
export type Locals = ReadonlyMap<object, unknown>

export class Fiber implements Turn, Waiter, Dweller, Child, ArmsHost {
  /** In the queue of the scheduler while it is ready, in the list of what it waits for while it waits. */
  next: (Turn & Waiter) | null
  status: number
  /** What happens next while ready; how it ended once done. While it waits the value is since when. */
  mode: number
  value: Untyped
  scope: ScopeNode
  scopePrevious: Cancellable | null
  scopeNext: Cancellable | null
  /** Finalizers that run; no cancellation from outside is seen while there are some. */
  mask: number
  environment: Untyped
  locals: Locals | null
  readonly owner: Owner | null
  label: string | number | null
  readonly id: number
  flags: number
  frames: Op | Array<Op> | null
  wait: Wait | null
  waitPrevious: Waiter | null
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
    this.environment = environment
    this.locals = locals
    this.owner = owner
    this.label = label
    this.id = run.nextId()
    this.flags = flags
    this.frames = null
    this.wait = null
    this.waitPrevious = null
    this.waitItem = undefined
    this.joiners = null
    this.own = null
    scope.addFiber(this)
  }

  get runOf(): Run {
    return this.scope.host as Run
  }

  // ---- for people

  /** Since when it waits. */
  get since(): TurnTime | null {
    return this.status === Waiting ? this.value : null
  }

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
      // Two leaves, so there is nothing to join: what joins causes stays out of programs that never do.
      this.resume(6, { _tag: 'Then', left: this.causeOf(5, undefined), right: { _tag: 'Die', defect } })
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
    this.value = this.runOf.turnTime()
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
    this.frames = null
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
}

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

/**
 * The run loop makes its frames by a function: V8 does not inline a constructor into it where the loop passes rarely, and a
 * function that makes the object costs a third of a constructor that is called.
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
  const { frames } = fiber
  if (Array.isArray(frames)) {
    if (frames.length > copied) {
      // A stack that was given away comes back as it is.
      stack = frames
      sp = stack.length
      fiber.frames = null
    } else {
      stack = shared ?? []
      // The array stays for the next wait, which mostly is as deep.
      for (; sp < frames.length; sp++) stack[sp] = frames[sp] as Op
    }
  } else {
    stack = shared ?? []
    if (frames !== null) stack[sp++] = frames
    fiber.frames = null
  }
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
              mode = value === Signal ? 7 : 1
              break
            case 3: // Raise
              mode = current.a
              value = current.b
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
                  mode = 7
                } else current = (0, current.b)(value)
              } else {
                stack[sp++] = current
                current = inner
              }
              break
            }
            case 5: // Map
            case 6: // Tap
            case 10: // Handle
            case 11: // Framed
            case 14: // Bracket
              // Maps in maps are common, and one turn of this loop costs half of one of the big loop.
              do {
                stack[sp++] = current
                current = current.a
              } while (current.op === 5)
              break
            case 8: // Suspend
              if (--budget < 0) break run
              current = (0, current.a)()
              break
            case 9: {
              // Generate
              const iterator = current.b === undefined ? (0, current.a)() : (0, current.a)(...current.b)
              stack[sp++] = frameOf(15, iterator.next, iterator, current.c)
              value = undefined
              mode = 1
              break
            }
            case 12: {
              // Opened
              const { open } = current.a
              value = open(fiber, current.b)
              // The effect itself is the frame; what was opened lies below it.
              stack[sp++] = value
              stack[sp++] = current
              current = typeof current.c === 'function' ? (0, current.c)(value) : current.c
              break
            }
            case 13: {
              // Parallel
              const arms = (0, current.a)(fiber, current.b, current.c)
              // The frames of an arm begin above what its end needs to know.
              stack[sp++] = arms
              stack[sp++] = base as Untyped
              stack[sp++] = fiber as Untyped
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
              stack[sp++] = frameOf(7, value, undefined, undefined)
              current = (0, frame.b)(value)
              mode = 0
              if (--budget < 0) break run
              break
            case 11: {
              // Framed
              const { returned } = frame.c
              if (returned !== null) {
                value = returned(fiber, frame.b, value)
                if (value === Signal) mode = 7
              }
              break
            }
            case 12: {
              // Opened
              const { returned } = frame.a
              const data: Untyped = stack[--sp]
              if (returned !== null) {
                value = returned(fiber, data, value)
                if (value === Signal) mode = 7
              }
              break
            }
            case 7: // KeepFrame
              value = frame.a
              break
            case 14: // Bracket: no checkpoint between the value of acquire and the frame that releases it
              stack[sp++] = frameOf(16, undefined, value, frame.c)
              current = (0, frame.b)(value)
              mode = 0
              if (--budget < 0) break run
              break
            case 15: {
              // GeneratorFrame: stays while the generator runs; leaves are evaluated here
              sp++
              const next = frame.a
              const iterator = frame.b
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
                    mode = 7
                    break
                  }
                } else {
                  mode = 0
                  break
                }
              }
              break
            }
            case 16: // ReleaseFrame: most often a release waits for nothing
              current = (0, frame.c.release)(frame.b, { _tag: 'Right', right: value })
              if (current.op <= 1) {
                if (current.op === 1) (0, current.a)()
                break
              }
              value = frame.c.returned(fiber, current, value)
              mode = 7
              break
            // Handle passes a value on.
          }
        } else if (mode !== 7) {
          let frame: Op
          do {
            if (sp === base) break run
            frame = stack[--sp] as Op
          } while (frame.op <= 7)
          switch (frame.op) {
            case 10: // Handle
              if (mode === 3) {
                current = (0, frame.b)(value)
                mode = 0
                if (--budget < 0) break run
                break
              }
            // falls through: what is more than one failure
            case 11: // Framed
            case 15: {
              // GeneratorFrame
              const { raised } = frame.c
              if (raised !== null) {
                value = raised(fiber, frame.b, mode, value)
                mode = value === Signal ? 7 : 1
              }
              break
            }
            case 12: {
              // Opened
              const { raised } = frame.a
              const data: Untyped = stack[--sp]
              if (raised !== null) {
                value = raised(fiber, data, mode, value)
                mode = value === Signal ? 7 : 1
              }
              break
            }
            case 16: // ReleaseFrame
              value = frame.c.raised(fiber, frame, mode, value)
              mode = 7
              break
            // Bracket passes it on: there is nothing to release.
          }
        } else {
          // Signalled: what a primitive or a frame has put into the fiber
          if (fiber.status !== Running) break
          mode = fiber.mode
          value = fiber.value
          fiber.value = undefined
          if (mode === 0) {
            current = value
            if (--budget < 0) break
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
      // Below the base is the fiber that started this one inline, if one did.
      const host: Untyped = base > 0 ? stack[base - 1] : null
      if (host !== fiber) {
        // Otherwise the composing fiber itself is here to start its first arm.
        if (fiber.status === Running) {
          if (budget < 0) {
            if (fiber.scope.unarmed) fiber.scope.armDeadlines()
            // Who started this one inline has others to start.
            if (host === null && goesOn(fiber)) {
              budget = fiber.runOf.scheduler.maxSteps
              break
            }
            fiber.mode = mode
            fiber.value = mode === 0 ? current : value
            fiber.status = Ready
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
      if (host === null) {
        releaseStack(fiber, shared)
        return
      }
      const arms: Arms = stack[base - 3] as Untyped
      fiber = host
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
      sp = base - 3
      base = stack[base - 2] as Untyped
      if (arms.running === 0) {
        arms.end()
        mode = fiber.mode
        value = fiber.value
        fiber.value = undefined
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
  else if (depth <= copied || base > 0) {
    const { frames } = fiber
    if (Array.isArray(frames) && frames.length === depth) {
      for (let at = 0; at < depth; at++) frames[at] = stack[base + at] as Op
    } else fiber.frames = stack.slice(base, sp)
  } else {
    stack.length = sp
    fiber.frames = stack
  }
}

/** Puts the shared stack back for the next turn, unless the fiber took it along or a run below us has it. */
const releaseStack = (fiber: Fiber, shared: Array<Op> | null): void => {
  if (shared === null) return
  sharedStack = fiber.frames === shared ? [] : shared
  // A deep program must not keep its memory for good; the next one may be as deep, and growing costs a tenth of it.
  const { length } = sharedStack
  if (length > copied && (length > deepest || sharedStack[copied] === unitOp)) sharedStack.length = copied
  // What has ended must not be held by frames that nothing has written over yet.
  const ended = fiber.runOf.closed || (fiber.owner === null && fiber.status === Done)
  for (let at = ended ? 0 : copied; at < sharedStack.length && sharedStack[at] !== unitOp; at++) {
    sharedStack[at] = unitOp
  }
}

/** Nobody waits for its place: a deep stack need not be given away, and a shallow one not be copied. */
const goesOn = (fiber: Fiber): boolean => {
  const { scheduler, instruments } = fiber.runOf
  if (scheduler.alone === undefined || !scheduler.alone()) return false
  if (instruments !== null) resumed(fiber)
  return true
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
