/**
 * The live tree of cancel scopes: pure synchronous data. It knows a fiber only as something that a cancellation is
 * delivered to, and imports neither the fiber nor `Effect`.
 *
 * Invariants, kept by every function here:
 * - `effective` is `cancelled || (visible && parent.effective)` for every node, so a checkpoint reads one field;
 * - `cut >= 0` for every node inside a scope whose grace has ended: shields inside it are over;
 * - walks are loops over the links of the tree, so depth costs no stack.
 *
 * @internal
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { Cancelled, CancelReason } from '../Cause.js'
import { cancelled as makeCancelled } from './causes.js'
import type { Timer, Timers } from './deadlines.js'

/** What lives in a scope. */
export interface Cancellable {
  scopePrevious: Cancellable | null
  scopeNext: Cancellable | null
  /** The scope became effectively cancelled, or its shields have ended. */
  cancelDelivered(): void
}

/** What goes from scope to scope. */
export interface Dweller extends Cancellable {
  scope: ScopeNode
  /** Finalizers that it is in. */
  mask: number
}

/** Why, by whom and because of what a scope was cancelled. */
export interface Cancellation {
  readonly reason: CancelReason
  readonly by: Option<string>
  readonly because: Option<Cancelled>
}

const none: Option<never> = { _tag: 'None' }

export const cancellation = (reason: CancelReason): Cancellation => ({ reason, by: none, because: none })

/** A timer of a scope. One class for all three, told apart by what they do when their time has come. */
export class ScopeTimer implements Timer {
  time: number
  readonly order: number
  index: number
  private readonly node: ScopeNode
  private readonly act: (node: ScopeNode, timer: ScopeTimer) => void

  constructor(
    node: ScopeNode,
    time: number,
    order: number,
    act: (node: ScopeNode, timer: ScopeTimer) => void
  ) {
    this.time = time
    this.order = order
    this.index = -1
    this.node = node
    this.act = act
  }

  fire(): void {
    ;(0, this.act)(this.node, this)
  }
}

const deadlineHasCome = (node: ScopeNode, { time }: ScopeTimer): void => {
  node.cancel(cancellation({ _tag: 'Deadline', time }))
}

const graceHasEnded = (node: ScopeNode): void => {
  node.endShields(node.grace)
}

// What a node of the tree is, for those who show it.
export const RoleScope = 0
/** Holds the body of a group. */
export const RoleGroup = 1
/** Holds the tasks of a group, inside of its `RoleGroup`. */
export const RoleTasks = 2
/** Holds the arms of a parallel composition. */
export const RoleArms = 3
/** The scope of one task, made when it was cancelled. */
export const RoleOwn = 4
export const RoleRoot = 5
/** It was left. */
const RoleLeft = 6

/** For what lives outside of fibers, such as an abort signal or a listener. */
export class ScopeHooks {
  /** Called once, when the scope becomes effectively cancelled. */
  readonly onCancel: Set<() => void>
  /** Called when the scope is left. */
  readonly onClose: Set<() => void>
  /** Called once, when the scope or one around it starts to drain. */
  readonly onDrain: Set<() => void>
  /** The soft phase of a shutdown: sources inside end, what is under way goes on. */
  draining: boolean
  /** When the soft phase is over and the scope is cancelled. */
  drainEnd: Timer | null

  constructor() {
    this.onCancel = new Set()
    this.onClose = new Set()
    this.onDrain = new Set()
    this.draining = false
    this.drainEnd = null
  }
}

/** What few scopes have: a grace, a cancellation, hooks. Made when there is one, so that a scope is small. */
export class ScopeExtras {
  /** In ms; -1 for none. */
  grace: number
  graceEnd: Timer | null
  why: Cancellation | null
  leaf: Cancelled | null
  /** The cancelled scope around that makes this one effective, once somebody has asked for it. */
  cancelledAbove: ScopeNode | null
  /** The cancellation that was absorbed on leaving. */
  caught: Cancelled | null
  /** The grace whose end is over the scope, in ms; -1 while shields hold. */
  cut: number
  hooks: ScopeHooks | null

  constructor() {
    this.grace = -1
    this.graceEnd = null
    this.why = null
    this.leaf = null
    this.cancelledAbove = null
    this.caught = null
    this.cut = -1
    this.hooks = null
  }
}

/** What scopes need of the run that they belong to. */
export interface ScopeHost {
  readonly timers: Timers
  now(): number
}

export class ScopeNode {
  readonly host: ScopeHost
  parent: ScopeNode | null
  firstChild: ScopeNode | null
  lastChild: ScopeNode | null
  previous: ScopeNode | null
  next: ScopeNode | null
  firstFiber: Cancellable | null
  lastFiber: Cancellable | null
  effective: boolean
  shield: boolean
  /** The finalizers that it was opened inside of: they shield it, whatever `shield` says. Given back on leaving. */
  readonly mask: number
  /** A deadline here or above is not queued yet; see `armDeadlines`. */
  unarmed: boolean
  deadline: Timer | null
  extras: ScopeExtras | null
  name: string
  /** One of `Role…`. */
  role: number
  /** The fiber that entered it. */
  opener: Cancellable | null

  constructor(host: ScopeHost, parent: ScopeNode | null, name: string, mask: number, role: number) {
    this.host = host
    this.parent = parent
    this.firstChild = null
    this.lastChild = null
    this.previous = null
    this.next = null
    this.firstFiber = null
    this.lastFiber = null
    this.shield = false
    this.mask = mask
    this.deadline = null
    this.extras = null
    this.name = name
    this.role = role
    this.opener = null
    if (parent === null) {
      this.effective = false
      this.unarmed = false
    } else {
      this.effective = parent.effective && (mask === 0 || parent.cut >= 0)
      this.unarmed = parent.unarmed
      if (parent.cut >= 0) this.makeExtras().cut = parent.cut
      parent.adopt(this)
    }
  }

  // ---- links

  adopt(child: ScopeNode): void {
    child.parent = this
    child.next = null
    child.previous = this.lastChild
    if (this.lastChild === null) this.firstChild = child
    else this.lastChild.next = child
    this.lastChild = child
  }

  disown(child: ScopeNode): void {
    if (child.previous === null) this.firstChild = child.next
    else child.previous.next = child.next
    if (child.next === null) this.lastChild = child.previous
    else child.next.previous = child.previous
    child.previous = null
    child.next = null
  }

  addFiber(fiber: Cancellable): void {
    fiber.scopeNext = null
    fiber.scopePrevious = this.lastFiber
    if (this.lastFiber === null) this.firstFiber = fiber
    else this.lastFiber.scopeNext = fiber
    this.lastFiber = fiber
  }

  removeFiber(fiber: Cancellable): void {
    if (fiber.scopePrevious === null) this.firstFiber = fiber.scopeNext
    else fiber.scopePrevious.scopeNext = fiber.scopeNext
    if (fiber.scopeNext === null) this.lastFiber = fiber.scopePrevious
    else fiber.scopeNext.scopePrevious = fiber.scopePrevious
    fiber.scopePrevious = null
    fiber.scopeNext = null
  }

  /** The scope was left: no timer of it may fire any more. */
  close(): void {
    this.role = RoleLeft
    if (this.parent !== null) this.parent.disown(this)
    if (this.deadline !== null) this.host.timers.remove(this.deadline)
    if (this.extras === null) return
    const { graceEnd, hooks } = this.extras
    if (graceEnd !== null) this.host.timers.remove(graceEnd)
    if (hooks === null) return
    if (hooks.drainEnd !== null) this.host.timers.remove(hooks.drainEnd)
    for (const callback of hooks.onClose) callback()
  }

  /** It was left: a handle that somebody kept does nothing any more. */
  get closed(): boolean {
    return this.role === RoleLeft
  }

  // ---- what few scopes have

  makeExtras(): ScopeExtras {
    return (this.extras ??= new ScopeExtras())
  }

  get cancelled(): boolean {
    return this.extras !== null && this.extras.why !== null
  }

  /** The grace whose end is over us, in ms; -1 while shields hold. */
  get cut(): number {
    return this.extras === null ? -1 : this.extras.cut
  }

  get hooks(): ScopeHooks | null {
    return this.extras === null ? null : this.extras.hooks
  }

  // ---- what a checkpoint asks

  /** Whether the scope sees what is outside of it. The end of its own grace is that of the shields inside, not of its own. */
  get visible(): boolean {
    return (!this.shield && this.mask === 0) || (this.parent !== null && this.parent.cut >= 0)
  }

  /** A cancellation from outside goes through this scope; if not, a cancelled scope absorbs its own. */
  cancelledFromOutside(): boolean {
    return this.parent !== null && this.parent.effective && this.visible
  }

  absorbs(): boolean {
    return this.cancelled && !this.cancelledFromOutside()
  }

  /**
   * The nearest cancelled scope, shields ignored. Where it is effective, what was found is kept on the way, so that all
   * scopes of a deep tree find theirs in one walk.
   */
  nearestCancelled(): ScopeNode | null {
    let node: ScopeNode | null = this
    let found: ScopeNode | null = null
    while (node !== null) {
      found = node.cancelled ? node : node.extras === null ? null : node.extras.cancelledAbove
      if (found !== null) break
      node = node.parent
    }
    if (found === null) return null
    for (let each: ScopeNode = this; each !== node; each = each.parent as ScopeNode) {
      if (each.effective) each.makeExtras().cancelledAbove = found
    }
    return found
  }

  /** In ms; -1 for none. */
  get grace(): number {
    return this.extras === null ? -1 : this.extras.grace
  }

  /** Why it was cancelled. */
  get why(): Cancellation | null {
    return this.extras === null ? null : this.extras.why
  }

  /** The leaf of this scope's cancellation, made once. */
  cancelledLeaf(): Cancelled {
    const extras = this.extras as ScopeExtras
    if (extras.leaf === null) {
      const { reason, by, because } = extras.why as Cancellation
      extras.leaf = makeCancelled(this.name, reason, by, because)
    }
    return extras.leaf
  }

  // ---- what changes it

  cancel(why: Cancellation): void {
    if (this.cancelled || this.closed) return
    this.makeExtras().why = why
    if (!this.effective) this.spread()
  }

  /** Called before a fiber waits or yields in a scope that is `unarmed`. */
  armDeadlines(): void {
    for (let node: ScopeNode | null = this; node !== null && node.unarmed; node = node.parent) {
      node.unarmed = false
      if (node.deadline !== null && node.deadline.index === -1 && !node.cancelled)
        this.host.timers.add(node.deadline)
    }
  }

  /** In ms; Infinity for none. */
  setGrace(grace: number): void {
    if (grace === Infinity) return
    this.makeExtras().grace = Math.max(grace, 0)
    if (this.effective) this.startGrace()
  }

  /** Makes this node and all that see it effective, then delivers. Marking comes first: a delivery may run user code. */
  spread(): void {
    const reached: Array<Cancellable> = []
    const hooked: Array<ScopeHooks> = []
    walk(this, (node) => {
      if (node !== this && (node.effective || !node.visible)) return false
      node.effective = true
      if (node.hooks !== null) hooked.push(node.hooks)
      node.startGrace()
      for (let fiber = node.firstFiber; fiber !== null; fiber = fiber.scopeNext) reached.push(fiber)
      return true
    })
    deliver(reached, hooked)
  }

  private startGrace(): void {
    const { extras } = this
    if (extras === null || extras.grace < 0 || extras.graceEnd !== null) return
    const { timers } = this.host
    extras.graceEnd = new ScopeTimer(this, this.host.now() + extras.grace, timers.nextOrder(), graceHasEnded)
    timers.add(extras.graceEnd)
  }

  /** The grace has ended: no shield inside holds any more, not of finalizers either. */
  endShields(grace: number): void {
    const reached: Array<Cancellable> = []
    const hooked: Array<ScopeHooks> = []
    walk(this, (node) => {
      const before = node.effective
      const effective = node === this ? before : node.cancelled || (node.parent as ScopeNode).effective
      if (node.cut >= 0 && before === effective) return false
      if (node.cut < 0) node.makeExtras().cut = grace
      node.effective = effective
      if (effective && !before && node.hooks !== null) hooked.push(node.hooks)
      if (node.effective) node.startGrace()
      for (let fiber = node.firstFiber; fiber !== null; fiber = fiber.scopeNext) reached.push(fiber)
      return true
    })
    deliver(reached, hooked)
  }
}

// Functions and no methods, so that they stay out of a bundle that does not use them.

export const enterScope = (dweller: Dweller, node: ScopeNode): void => {
  node.opener = dweller
  dweller.scope.removeFiber(dweller)
  dweller.mask = 0
  dweller.scope = node
  node.addFiber(dweller)
}

export const leaveScope = (dweller: Dweller, node: ScopeNode): void => {
  node.removeFiber(dweller)
  node.close()
  dweller.mask = node.mask
  const parent = node.parent as ScopeNode
  dweller.scope = parent
  parent.addFiber(dweller)
}

/** The scope has absorbed its own cancellation on leaving. */
export const absorb = (node: ScopeNode): Cancelled => {
  const leaf = node.cancelledLeaf()
  node.makeExtras().caught = leaf
  return leaf
}

/** The cancellation that was absorbed on leaving. */
export const caughtBy = (node: ScopeNode): Cancelled | null =>
  node.extras === null ? null : node.extras.caught

export const hooksOf = (node: ScopeNode): ScopeHooks => (node.makeExtras().hooks ??= new ScopeHooks())

/**
 * A deadline on entry takes its number now and is queued at the first wait inside: what never waits pays for no timer.
 * Relative to now when `relative`.
 */
export const enterDeadline = (node: ScopeNode, time: number, relative: boolean): void => {
  const { host } = node
  const now = host.now()
  const at = relative ? now + time : time
  if (at === Infinity) return
  node.deadline = new ScopeTimer(node, at, host.timers.nextOrder(), deadlineHasCome)
  if (at <= now) node.deadline.fire()
  else node.unarmed = true
}

/**
 * Absolute; Infinity for none. A time that has come cancels at once. A deadline that was moved also wins a tie with all
 * sleeps inside, so it takes no number of its own.
 */
export const setDeadline = (node: ScopeNode, time: number): void => {
  if (node.closed) return
  const { timers } = node.host
  if (node.deadline !== null) timers.remove(node.deadline)
  node.deadline = time === Infinity ? null : new ScopeTimer(node, time, 0, deadlineHasCome)
  if (node.deadline === null) return
  if (time <= node.host.now()) node.deadline.fire()
  else timers.add(node.deadline)
}

/** The earliest that is visible through shields. */
export const effectiveDeadline = (scope: ScopeNode): number => {
  if (scope.effective) return -Infinity
  let least = Infinity
  for (let node: ScopeNode | null = scope; node !== null; node = node.visible ? node.parent : null) {
    if (node.deadline !== null && node.deadline.time < least) least = node.deadline.time
  }
  return least
}

const deliver = (fibers: ReadonlyArray<Cancellable>, hooked: ReadonlyArray<ScopeHooks>): void => {
  for (const fiber of fibers) fiber.cancelDelivered()
  for (const { onCancel } of hooked) {
    const callbacks = [...onCancel]
    onCancel.clear()
    for (const callback of callbacks) callback()
  }
}

/** Parents first, children in order; `visit` says whether to go below. */
export const walk = (root: ScopeNode, visit: (node: ScopeNode) => boolean): void => {
  let node = root
  for (;;) {
    if (visit(node) && node.firstChild !== null) {
      node = node.firstChild
      continue
    }
    while (node !== root && node.next === null) node = node.parent as ScopeNode
    if (node === root) return
    node = node.next as ScopeNode
  }
}
