/**
 * The tasks of a group: who is alive, what went wrong, and when the group may end.
 *
 * A group has two scopes. `outer` holds the body and is cancelled when something fails; `scope`, inside it, holds the
 * tasks, so that they can be cancelled without the body.
 *
 * @internal
 */
import type { Cause } from '../Cause.js'
import { filterLeaves, withoutCancelled } from './causes.js'
import { Fault, Return, type Untyped } from './op.js'
import { type Child, Exits, Held, Looked, Owned, type Owner, SelfCancelled, Service } from './owner.js'
import {
  absorb,
  type Cancellable,
  cancellation,
  type Dweller,
  leaveScope,
  RoleTasks,
  ScopeNode,
  walk
} from './scopeTree.js'
import type { Wait, Waiter } from './waiting.js'

/** The fiber that opened the group. */
export interface Host extends Waiter, Dweller {
  readonly name: string
  causeOf(mode: number, value: Untyped): Cause<unknown>
}

const Open = 0
const Ending = 1
const Closed = 2

export class Nursery implements Owner, Wait {
  readonly label: string
  readonly foreign: boolean
  readonly name: string
  readonly outer: ScopeNode
  readonly scope: ScopeNode
  private readonly host: Host
  private readonly optional: boolean
  private state: number
  private running: number
  private services: number
  private readonly exits: Exits
  private readonly bodyExits: Exits
  /** The cancellation of `outer` ended the body or a task. */
  private absorbed: boolean
  private bodyReturned: boolean
  private bodyValue: Untyped
  /** Failed owned tasks, looked at or not. */
  private owned: Array<Child> | null

  constructor(host: Host, outer: ScopeNode, name: string, optional: boolean) {
    this.label = 'TaskGroup'
    this.foreign = false
    this.name = name
    this.outer = outer
    this.scope = new ScopeNode(outer.host, outer, name, 0, RoleTasks)
    this.host = host
    this.optional = optional
    this.state = Open
    this.running = 0
    this.services = 0
    this.exits = new Exits()
    this.bodyExits = new Exits()
    this.absorbed = false
    this.bodyReturned = false
    this.bodyValue = undefined
    this.owned = null
  }

  get closed(): boolean {
    return this.state === Closed
  }

  /** The children that have not ended, in the order in which they were started. */
  children(): ReadonlyArray<Child> {
    const children: Array<Child> = []
    walk(this.scope, (node) => {
      for (let each = node.firstFiber; each !== null; each = each.scopeNext) {
        const child = each as Cancellable & Partial<Child>
        if (child.owner === this) children.push(child as Child)
      }
      return true
    })
    return children.sort((a, b) => a.id - b.id)
  }

  childName(label: number): string {
    return `task-${label}`
  }

  childStarted(service: boolean): void {
    this.running++
    if (service) this.services++
  }

  childEnded(child: Child): void {
    this.running--
    if ((child.flags & Service) !== 0) this.services--
    const cause = (child.flags & Held) !== 0 ? null : child.failure()
    if (cause !== null) {
      // Judged now: what is cancelled outside later did not cut this task short.
      const own = (child.flags & SelfCancelled) !== 0 || this.cancelledHere()
      const rest = own ? withoutCancelled(cause) : cause
      if (rest !== cause && this.outer.cancelled) this.absorbed = true
      this.childFailed(child, rest)
    }
    if (this.state === Ending && this.proceed()) {
      const { mode, value } = this.outcome()
      this.host.resume(mode, value)
    }
  }

  /** The group was cancelled, its tasks at least, and nothing outside of it. */
  private cancelledHere(): boolean {
    return (this.outer.cancelled || this.scope.cancelled) && !this.outer.cancelledFromOutside()
  }

  private childFailed(child: Child, cause: Cause<unknown> | null): void {
    if (cause === null) return
    let counted: Cause<unknown> | null = cause
    if ((child.flags & Owned) !== 0) {
      counted = filterLeaves(cause, (leaf) => leaf._tag !== 'Fail')
      if (counted !== cause) (this.owned ??= []).push(child)
      if (counted === null) return
    }
    const rest = this.exits.add(counted)
    if (rest !== null) this.fail(child.name, rest)
  }

  private fail(task: string, cause: Cause<unknown>): void {
    if (this.outer.cancelled) return
    this.outer.cancel({
      reason: { _tag: 'SiblingFailed', task, cause },
      by: { _tag: 'Some', value: task },
      because: { _tag: 'None' }
    })
  }

  /**
   * The body has ended. The outcome when all tasks have, too; otherwise null, and the host is resumed with the outcome when
   * the last task has ended.
   */
  bodyEnded(mode: number, value: Untyped): { readonly mode: number; readonly value: Untyped } | null {
    if (mode === Return) {
      this.bodyReturned = true
      this.bodyValue = value
    } else {
      const cause = this.host.causeOf(mode, value)
      const rest = withoutCancelled(cause)
      if (rest !== cause) {
        this.bodyExits.add(cause)
        this.bodyExits.before += this.exits.failures.length
      }
      if (rest !== null) {
        // In the order in which the exits came, so among those of the tasks.
        this.exits.add(rest)
        this.fail(this.host.name, rest)
      } else if (!this.outer.effective) {
        // A cancellation that was observed and raised again behind a shield: without this the tasks would never hear of it.
        this.scope.cancel(cancellation({ _tag: 'Explicit', value: 'the body of the group was cancelled' }))
      }
    }
    this.state = Ending
    return this.proceed() ? this.outcome() : null
  }

  /** True when nothing is left to wait for. */
  private proceed(): boolean {
    if (this.running > 0 && this.running === this.services) {
      this.scope.cancel(
        cancellation({ _tag: 'Explicit', value: 'the work that the service is for has ended' })
      )
    }
    return this.running === 0
  }

  private outcome(): { readonly mode: number; readonly value: Untyped } {
    this.state = Closed
    for (const child of this.owned ?? []) {
      if ((child.flags & Looked) === 0) {
        const defect = { _tag: 'UnjoinedFailure', task: child.name, cause: child.failure() }
        this.exits.add({ _tag: 'Die', defect })
      }
    }
    const { outer, scope, exits, bodyExits } = this
    if (this.cancelledHere()) exits.cancelled = null
    if (outer.absorbs()) {
      if (this.absorbed || bodyExits.cancelled !== null) absorb(outer)
    } else if (
      bodyExits.cancelled !== null &&
      (exits.cancelled === null || bodyExits.before < exits.before)
    ) {
      // Of all cancellations the first stays.
      exits.cancelled = bodyExits.cancelled
      exits.before = bodyExits.before
    }
    scope.close()
    leaveScope(this.host, outer)

    const cause = exits.cause(false)
    if (cause !== null) return { mode: Fault, value: cause }
    const value = this.bodyValue
    if (!this.optional) return { mode: Return, value }
    return { mode: Return, value: this.bodyReturned ? { _tag: 'Some', value } : { _tag: 'None' } }
  }

  /** The wait at the end of a group is not cancelled: the tasks are. */
  abandon(): boolean {
    return false
  }
}
