/**
 * Parallel composition: arms that start inline and in order, each as a fiber of its own in one scope. What the arms mean
 * together is a strategy: all of them, the first to end, the first to succeed, all failures.
 *
 * @internal
 */
import { failures, type Cancelled, type Cause } from '../Cause.js'
import { filterLeaves, isCancelledOnly, joinThen } from './causes.js'
import { Fault, Return, type Op, type Untyped } from './op.js'
import { Exits, type Child, type Owner } from './owner.js'
import { cancellation, type ScopeNode } from './scopeTree.js'
import type { Wait, Waiter } from './waiting.js'

/** The fiber that composes. */
export interface ArmsHost extends Waiter {
  startArm(arms: Arms, arm: Op, index: number): void
}

export interface Strategy {
  /** For people. */
  readonly kind: string
  /** How many arms may run at a time. */
  readonly limit: number
  /** The next arm, or null when there is none. Called once an index, in order. */
  arm(index: number): Op | null
  /** `arm` threw, since a mapper of the user did. */
  sourceFailed(defect: unknown): void
  name(index: number): string
  /** The scope was cancelled while arms still waited for their place. */
  cutShort(cause: Cancelled): void
  /** Called once an arm; true: the rest is cancelled and no arm starts any more. */
  ended(child: Child, arms: Arms): boolean
  outcome(arms: Arms): { readonly mode: number; readonly value: Untyped }
}

export class Arms implements Owner, Wait {
  readonly label: string
  readonly foreign: boolean
  readonly scope: ScopeNode
  readonly strategy: Strategy
  private readonly host: ArmsHost
  running: number
  private started: number
  private exhausted: boolean
  stopped: boolean
  /** An arm has observed a cancellation of a scope outside and raised it again behind a shield; it is not absorbed here. */
  private raisedAgain: boolean
  /** The host waits for the arms; until then the run loop starts them inline. */
  waiting: boolean

  constructor(host: ArmsHost, scope: ScopeNode, strategy: Strategy) {
    this.label = strategy.kind
    this.foreign = false
    this.scope = scope
    this.strategy = strategy
    this.host = host
    this.running = 0
    this.started = 0
    this.exhausted = false
    this.stopped = false
    this.raisedAgain = false
    this.waiting = false
  }

  childName(label: number): string {
    return this.strategy.name(label)
  }

  /** The index of the arm that `nextArm` gave last. */
  get index(): number {
    return this.started - 1
  }

  nextArm(): Op | null {
    if (this.stopped || this.exhausted || this.running >= this.strategy.limit) return null
    const arm = this.pull()
    if (arm === null) {
      this.exhausted = true
      return null
    }
    // An arm beyond the limit waits for its place, and that wait is cancelled as any other: the arm does not begin.
    if (this.started >= this.strategy.limit && this.scope.effective) {
      this.stopped = true
      this.strategy.cutShort((this.scope.nearestCancelled() as ScopeNode).cancelledLeaf())
      return null
    }
    this.started++
    this.running++
    return arm
  }

  private pull(): Op | null {
    try {
      return this.strategy.arm(this.started)
    } catch (defect) {
      this.strategy.sourceFailed(defect)
      this.stopped = true
      this.scope.cancel(cancellation({ _tag: 'Explicit', value: 'the next arm could not be made' }))
      return null
    }
  }

  childEnded(child: Child): void {
    this.running--
    if (this.strategy.ended(child, this) && !this.stopped) this.stop(child)
    if (!this.waiting) return
    const arm = this.nextArm()
    if (arm !== null) this.host.startArm(this, arm, this.index)
    else if (this.running === 0) {
      const { mode, value } = this.end()
      this.host.resume(mode, value)
    }
  }

  private stop(child: Child): void {
    this.stopped = true
    const cause = child.failure()
    if (cause !== null && isCancelledOnly(cause)) {
      // Cut short from outside: the others are too, and hear of that.
      if (this.scope.effective) return
      this.raisedAgain = true
    }
    if (this.running === 0) return
    const task = child.name
    this.scope.cancel({
      reason:
        cause === null
          ? { _tag: 'Explicit', value: `${task} was first` }
          : { _tag: 'SiblingFailed', task, cause },
      by: { _tag: 'Some', value: task },
      because: { _tag: 'None' }
    })
  }

  end(): { readonly mode: number; readonly value: Untyped } {
    const outcome = this.strategy.outcome(this)
    this.scope.close()
    return outcome
  }

  /** Cancellations of the arms were made here, and nothing outside of the scope is cancelled. */
  absorbs(): boolean {
    return !this.raisedAgain && this.scope.absorbs()
  }

  /** The arms are cancelled, not the wait for them. */
  abandon(): boolean {
    return false
  }
}

type Source = (index: number) => Op | null
type Names = (index: number) => string

abstract class Base implements Strategy {
  readonly kind: string
  readonly limit: number
  private kept: Exits | null

  constructor(kind: string, limit: number) {
    this.kind = kind
    this.limit = limit
    this.kept = null
  }

  /** Made when something went wrong. */
  protected get exits(): Exits {
    return (this.kept ??= new Exits())
  }

  /** What went wrong, all of it; null when nothing did. */
  protected cause(absorbed: boolean): Cause<unknown> | null {
    return this.kept === null ? null : this.kept.cause(absorbed)
  }

  sourceFailed(defect: unknown): void {
    this.exits.add({ _tag: 'Die', defect })
  }

  cutShort(cause: Cancelled): void {
    this.exits.add(cause)
  }

  name(index: number): string {
    return `${this.kind}[${index}]`
  }

  abstract arm(index: number): Op | null
  abstract ended(child: Child, arms: Arms): boolean
  abstract outcome(arms: Arms): { readonly mode: number; readonly value: Untyped }
}

/** Arms that are made when their turn has come, and may have names of their own. */
abstract class Sourced extends Base {
  private readonly source: Source
  private readonly names: Names | null

  constructor(kind: string, limit: number, source: Source, names: Names | null) {
    super(kind, limit)
    this.source = source
    this.names = names
  }

  arm(index: number): Op | null {
    return this.source(index)
  }

  override name(index: number): string {
    try {
      if (this.names !== null) return this.names(index)
    } catch {
      // Names are for people, and asked for where nothing may throw.
    }
    return super.name(index)
  }
}

/** Arms that are there already. */
abstract class Listed extends Base {
  private readonly arms: ReadonlyArray<Op>

  constructor(kind: string, arms: ReadonlyArray<Op>) {
    super(kind, Infinity)
    this.arms = arms
  }

  arm(index: number): Op | null {
    return index < this.arms.length ? (this.arms[index] as Op) : null
  }
}

/** All the values, in the order of the arms; the first failure cancels the rest, and after a cancellation none starts. */
export class All extends Sourced {
  private readonly values: Array<Untyped>

  constructor(kind: string, limit: number, source: Source, names: Names | null) {
    super(kind, limit, source, names)
    this.values = []
  }

  ended(child: Child): boolean {
    if (child.mode === Return) {
      this.values[child.label as number] = child.value
      return false
    }
    this.exits.add(child.failure() as Cause<unknown>)
    return true
  }

  outcome(arms: Arms): { readonly mode: number; readonly value: Untyped } {
    const cause = this.cause(arms.absorbs())
    if (cause !== null) return { mode: Fault, value: cause }
    return { mode: Return, value: this.values }
  }
}

/** The first arm to end, in whatever way; what fails in the clean-up of the others joins. */
export class Race extends Listed {
  private winner: Child | null

  constructor(arms: ReadonlyArray<Op>) {
    super('race', arms)
    this.winner = null
  }

  ended(child: Child): boolean {
    if (this.winner === null) {
      this.winner = child
      return true
    }
    if (child.mode !== Return) this.exits.add(child.failure() as Cause<unknown>)
    return false
  }

  outcome(): { readonly mode: number; readonly value: Untyped } {
    // A race has at least one arm, see `Concurrent.raceAll`, and ends when all its arms have.
    return withLosers(this.winner as Child, this.cause(true))
  }
}

/** `left` is what went wrong in the clean-up of the losers; that they were cancelled is no fault. */
const withLosers = (
  winner: Child,
  left: Cause<unknown> | null
): { readonly mode: number; readonly value: Untyped } => {
  if (left === null) return { mode: winner.mode, value: winner.value }
  const cause = winner.failure()
  return { mode: Fault, value: cause === null ? left : joinThen(cause, left) }
}

/** The first value; failures are kept until none can come, then raised together. Defects and cancellations end it. */
export class FirstSuccess extends Listed {
  private winner: Child | null
  private readonly losers: Exits

  constructor(arms: ReadonlyArray<Op>) {
    super('firstSuccess', arms)
    this.winner = null
    this.losers = new Exits()
  }

  ended(child: Child, arms: Arms): boolean {
    const cause = child.failure()
    if (arms.stopped) {
      // Losers: what they fail with now, they fail with in their clean-up.
      if (cause !== null) (this.winner === null ? this.exits : this.losers).add(cause)
      return false
    }
    if (cause === null) {
      this.winner = child
      return true
    }
    this.exits.add(cause)
    return filterLeaves(cause, (leaf) => leaf._tag !== 'Fail') !== null
  }

  outcome(arms: Arms): { readonly mode: number; readonly value: Untyped } {
    if (this.winner !== null) return withLosers(this.winner, this.losers.cause(true))
    return { mode: Fault, value: this.cause(arms.absorbs()) }
  }
}

/** All the values, or all the typed failures in the order of the arms. Only a defect or a cancellation stops the others. */
export class Validate extends Sourced {
  private readonly values: Array<Untyped>
  private readonly errors: Array<ReadonlyArray<unknown> | undefined>

  constructor(kind: string, limit: number, source: Source, names: Names | null) {
    super(kind, limit, source, names)
    this.values = []
    this.errors = []
  }

  ended(child: Child): boolean {
    if (child.mode === Return) {
      this.values[child.label as number] = child.value
      return false
    }
    const cause = child.failure() as Cause<unknown>
    this.errors[child.label as number] = failures(cause)
    const rest = filterLeaves(cause, (leaf) => leaf._tag !== 'Fail')
    if (rest === null) return false
    this.exits.add(rest)
    return true
  }

  outcome(arms: Arms): { readonly mode: number; readonly value: Untyped } {
    const errors = this.errors.flatMap((of) => of ?? [])
    if (errors.length > 0) this.exits.add({ _tag: 'Fail', error: errors })
    const cause = this.cause(arms.absorbs())
    if (cause !== null) return { mode: Fault, value: cause }
    return { mode: Return, value: this.values }
  }
}
