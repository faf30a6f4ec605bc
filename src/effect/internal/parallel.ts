/**
 * Parallel composition: arms that start inline and in order, each as a fiber of its own in one scope. What the arms mean
 * together is a strategy: all of them, the first to end, the first to succeed, all failures.
 *
 * @internal
 */
import { failures, type Cause } from '../Cause.js'
import { filterLeaves, isCancelledOnly, joinThen } from './causes.js'
import { Fault, Return, type Op, type Signal, type Untyped } from './op.js'
import { Exits, type Child, type Owner } from './owner.js'
import { cancellation, type Dweller, RoleArms, type ScopeHost, ScopeNode } from './scopeTree.js'
import type { Wait, Waiter } from './waiting.js'

/** The fiber that composes. */
export interface ArmsHost extends Waiter, Dweller {
  readonly runOf: ScopeHost
  /** How it goes on, for whoever it has asked; see `signal`. */
  readonly mode: number
  readonly value: Untyped
  signal(mode: number, value: Untyped): typeof Signal
  startArm(arms: Arms, arm: Op, index: number): void
}

/** What all strategies have in common. One object a composition, since races are made by the million. */
export abstract class Arms implements Owner, Wait {
  readonly scope: ScopeNode
  running: number
  private started: number
  private exhausted: boolean
  stopped: boolean
  /** An arm has observed a cancellation of a scope outside and raised it again behind a shield; it is not absorbed here. */
  private raisedAgain: boolean
  /** The host waits for the arms; until then the run loop starts them inline. */
  waiting: boolean
  private kept: Exits | null

  /** `kind` is for people. */
  constructor(host: ArmsHost, kind: string) {
    this.scope = new ScopeNode(host.runOf, host.scope, kind, host.mask, RoleArms)
    this.scope.opener = host
    this.running = 0
    this.started = 0
    this.exhausted = false
    this.stopped = false
    this.raisedAgain = false
    this.waiting = false
    this.kept = null
  }

  protected get host(): ArmsHost {
    return this.scope.opener as ArmsHost
  }

  // ---- what strategies differ in

  /** How many arms may run at a time. */
  protected abstract get limit(): number
  /** The next arm, or null when there is none. Called once an index, in order. May throw: it may be a mapper of the user. */
  protected abstract arm(index: number): Op | null
  /** Called once an arm; true: the rest is cancelled and no arm starts any more. */
  protected abstract ended(child: Child): boolean
  /** Tells the host how it goes on. */
  protected abstract outcome(): void

  // ---- for people

  get label(): string {
    return this.scope.name
  }

  get foreign(): boolean {
    return false
  }

  childName(index: number): string {
    return `${this.scope.name}[${index}]`
  }

  // ---- what went wrong

  /** Made when something did. */
  protected get exits(): Exits {
    return (this.kept ??= new Exits())
  }

  /** All of it; null when nothing did. */
  protected cause(absorbed: boolean): Cause<unknown> | null {
    return this.kept === null ? null : this.kept.cause(absorbed)
  }

  /** Cancellations of the arms were made here, and nothing outside of the scope is cancelled. */
  protected absorbs(): boolean {
    return !this.raisedAgain && this.scope.absorbs()
  }

  // ---- running

  /** The index of the arm that `nextArm` gave last. */
  get index(): number {
    return this.started - 1
  }

  nextArm(): Op | null {
    if (this.stopped || this.exhausted || this.running >= this.limit) return null
    const arm = this.pull()
    if (arm === null) {
      this.exhausted = true
      return null
    }
    // An arm beyond the limit waits for its place, and that wait is cancelled as any other: the arm does not begin.
    if (this.started >= this.limit && this.scope.effective) {
      this.stopped = true
      this.exits.add((this.scope.nearestCancelled() as ScopeNode).cancelledLeaf())
      return null
    }
    this.started++
    this.running++
    return arm
  }

  private pull(): Op | null {
    try {
      return this.arm(this.started)
    } catch (defect) {
      this.exits.add({ _tag: 'Die', defect })
      this.stopped = true
      this.scope.cancel(cancellation({ _tag: 'Explicit', value: 'the next arm could not be made' }))
      return null
    }
  }

  childEnded(child: Child): void {
    this.running--
    if (this.ended(child) && !this.stopped) this.stop(child)
    if (!this.waiting) return
    const arm = this.nextArm()
    if (arm !== null) this.host.startArm(this, arm, this.index)
    else if (this.running === 0) {
      this.end()
      this.host.resume(this.host.mode, this.host.value)
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

  /** All have ended: tells the host how it goes on. */
  end(): void {
    this.outcome()
    this.scope.close()
  }

  /** The arms are cancelled, not the wait for them. */
  abandon(): boolean {
    return false
  }
}

type Source = (index: number) => Op | null
type Names = (index: number) => string

/** Arms that are made when their turn has come, and may have names of their own. */
abstract class Sourced extends Arms {
  protected readonly limit: number
  private readonly source: Source
  private readonly names: Names | null

  constructor(host: ArmsHost, kind: string, limit: number, source: Source, names: Names | null) {
    super(host, kind)
    this.limit = limit
    this.source = source
    this.names = names
  }

  protected arm(index: number): Op | null {
    return this.source(index)
  }

  override childName(index: number): string {
    try {
      if (this.names !== null) return this.names(index)
    } catch {
      // Names are for people, and asked for where nothing may throw.
    }
    return super.childName(index)
  }
}

/** Arms that are there already. */
abstract class Listed extends Arms {
  private readonly arms: ReadonlyArray<Op>

  constructor(host: ArmsHost, kind: string, arms: ReadonlyArray<Op>) {
    super(host, kind)
    this.arms = arms
  }

  protected get limit(): number {
    return Infinity
  }

  protected arm(index: number): Op | null {
    return index < this.arms.length ? (this.arms[index] as Op) : null
  }
}

/** All the values, in the order of the arms; the first failure cancels the rest, and after a cancellation none starts. */
export class All extends Sourced {
  private readonly values: Array<Untyped>

  constructor(host: ArmsHost, kind: string, limit: number, source: Source, names: Names | null) {
    super(host, kind, limit, source, names)
    this.values = []
  }

  protected ended(child: Child): boolean {
    if (child.mode === Return) {
      this.values[child.label as number] = child.value
      return false
    }
    this.exits.add(child.failure() as Cause<unknown>)
    return true
  }

  protected outcome(): void {
    const cause = this.cause(this.absorbs())
    if (cause === null) this.host.signal(Return, this.values)
    else this.host.signal(Fault, cause)
  }
}

/** The first arm to end, in whatever way; what fails in the clean-up of the others joins. */
export class Race extends Listed {
  private winner: Child | null

  constructor(host: ArmsHost, arms: ReadonlyArray<Op>) {
    super(host, 'race', arms)
    this.winner = null
  }

  protected ended(child: Child): boolean {
    if (this.winner === null) {
      this.winner = child
      return true
    }
    if (child.mode !== Return) this.exits.add(child.failure() as Cause<unknown>)
    return false
  }

  protected outcome(): void {
    // A race has at least one arm, see `Concurrent.raceAll`, and ends when all its arms have.
    endAsWinner(this.host, this.winner as Child, this.cause(true))
  }
}

/** `left` is what went wrong in the clean-up of the losers; that they were cancelled is no fault. */
const endAsWinner = (host: ArmsHost, winner: Child, left: Cause<unknown> | null): void => {
  if (left === null) {
    host.signal(winner.mode, winner.value)
    return
  }
  const cause = winner.failure()
  host.signal(Fault, cause === null ? left : joinThen(cause, left))
}

/** The first value; failures are kept until none can come, then raised together. Defects and cancellations end it. */
export class FirstSuccess extends Listed {
  private winner: Child | null
  private readonly losers: Exits

  constructor(host: ArmsHost, arms: ReadonlyArray<Op>) {
    super(host, 'firstSuccess', arms)
    this.winner = null
    this.losers = new Exits()
  }

  protected ended(child: Child): boolean {
    const cause = child.failure()
    if (this.stopped) {
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

  protected outcome(): void {
    if (this.winner === null) this.host.signal(Fault, this.cause(this.absorbs()))
    else endAsWinner(this.host, this.winner, this.losers.cause(true))
  }
}

/** All the values, or all the typed failures in the order of the arms. Only a defect or a cancellation stops the others. */
export class Validate extends Sourced {
  private readonly values: Array<Untyped>
  private readonly errors: Array<ReadonlyArray<unknown> | undefined>

  constructor(host: ArmsHost, kind: string, limit: number, source: Source, names: Names | null) {
    super(host, kind, limit, source, names)
    this.values = []
    this.errors = []
  }

  protected ended(child: Child): boolean {
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

  protected outcome(): void {
    const errors = this.errors.flatMap((of) => of ?? [])
    if (errors.length > 0) this.exits.add({ _tag: 'Fail', error: errors })
    const cause = this.cause(this.absorbs())
    if (cause === null) this.host.signal(Return, this.values)
    else this.host.signal(Fault, cause)
  }
}
