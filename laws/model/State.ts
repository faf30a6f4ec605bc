/**
 * The state of the model: plain data, never changed. Names of fibers, scopes and leaves are the fiber that made them and a
 * count, so states that are reached on several ways are equal.
 */
import { type Instruction, program, type Program, sizeOf } from '../Program.js'
import type { Cause, Exit } from './Cause.js'

/** The name of a fiber, a scope, or an owner. */
export type Name = string

/** What the indices of a program stand for, the innermost last. */
export interface Bound {
  readonly values: ReadonlyArray<unknown>
  readonly scopes: ReadonlyArray<Name>
  readonly groups: ReadonlyArray<Name>
  readonly tasks: ReadonlyArray<Name>
}

/** What a fiber does next. */
export type Control =
  | { readonly does: 'evaluate'; readonly place: number; readonly bound: Bound }
  | { readonly does: 'return'; readonly value: unknown }
  | { readonly does: 'raise'; readonly cause: Cause }
  /** Looks whether it is cancelled. */
  | { readonly does: 'look' }
  /** Starts the arms of a composition, from `next` on, and then waits for them. */
  | { readonly does: 'compose'; readonly owner: Name; readonly next: number }
  /** All tasks of an owner have ended. */
  | { readonly does: 'settle'; readonly owner: Name }

/** What a waiting fiber waits for. */
export type Wait =
  | { readonly for: 'time' }
  | { readonly for: 'nothing' }
  | { readonly for: 'task'; readonly task: Name }
  | { readonly for: 'lock' }
  | { readonly for: 'send'; readonly item: unknown }
  | { readonly for: 'receive' }
  /** The end of all tasks; the one wait that is not cancelled, since the tasks are. */
  | { readonly for: 'tasks'; readonly owner: Name }

/** What is to be done when something inside has ended. */
export interface Frame {
  readonly rule: string
  readonly place: number
  readonly bound: Bound
  /** Scope and environment of what is around it. */
  readonly scope: Name
  readonly depth: number
  /** How the part ended that a finalizer follows. */
  readonly exit: Exit | null
  readonly owner: Name | null
}

export interface Fiber {
  readonly name: Name
  readonly status: 'running' | 'ready' | 'waiting' | 'ended'
  readonly control: Control
  readonly wait: Wait | null
  readonly frames: ReadonlyArray<Frame>
  /** Its innermost scope. */
  readonly scope: Name
  /** What its environment holds. */
  readonly depth: number
  readonly exit: Exit | null
  /** Whose task or arm it is; only the fiber of the run is nobody's. */
  readonly owner: Name | null
  readonly owned: boolean
  /** Somebody got its exit. */
  readonly looked: boolean
  /** How many names it has made. */
  readonly made: number
}

export interface Scope {
  readonly parent: Name | null
  readonly shield: boolean
  readonly cancelled: boolean
}

/** At `due` it cancels a scope or wakes a fiber. The list is in the order in which timers were set. */
export interface Timer {
  readonly due: number
  readonly scope: Name | null
  readonly fiber: Name | null
}

/** How something ended that an owner waits for: its body or one of its tasks. */
export interface Ended {
  readonly who: Name
  readonly exit: Exit
}

/** A group or a composition: whoever waits for fibers. */
export interface Owner {
  readonly kind: 'group' | 'both' | 'race'
  /** The fiber that opened it. */
  readonly fiber: Name
  /** Cancelled when something fails. */
  readonly scope: Name
  /** Where tasks start. That of a composition is the scope above. */
  readonly tasks: Name
  readonly alive: number
  readonly exits: ReadonlyArray<Ended>
}

export interface State {
  readonly now: number
  readonly fibers: { readonly [name: Name]: Fiber }
  /** Those that were entered and not left. */
  readonly scopes: { readonly [name: Name]: Scope }
  readonly owners: { readonly [name: Name]: Owner }
  readonly timers: ReadonlyArray<Timer>
  readonly lock: { readonly owner: Name | null; readonly queue: ReadonlyArray<Name> }
  readonly channel: {
    readonly buffer: ReadonlyArray<unknown>
    readonly senders: ReadonlyArray<Name>
    readonly receivers: ReadonlyArray<Name>
  }
  /** Whose turn it is. An arm that begins has the turn of its composer, so there can be several: the last one runs. */
  readonly turn: ReadonlyArray<Name>
  readonly trace: ReadonlyArray<string>
  readonly ledger: { readonly [label: string]: { readonly acquired: number; readonly released: number } }
}

/** A program by places: the parts in the order in which they are written, and what each place is called. */
export interface Code {
  readonly parts: ReadonlyArray<Program>
  readonly labels: ReadonlyArray<string>
}

export const codeOf = (whole: Program, prefix: string): Code => {
  const parts: Array<Program> = []
  const visit = (part: Program): void => {
    parts.push(part)
    part.of.forEach(visit)
  }
  visit(whole)
  return { parts, labels: parts.map((_part, place) => `${prefix}${place}`) }
}

/** An instruction around programs that keep their labels. */
export const around = (op: Instruction, n: number, codes: ReadonlyArray<Code>): Code => ({
  parts: [
    program(
      op,
      n,
      codes.map(({ parts }) => parts[0]!)
    ),
    ...codes.flatMap(({ parts }) => parts)
  ],
  labels: [op, ...codes.flatMap(({ labels }) => labels)]
})

/** The place of a part of the instruction at `place`. */
export const placeOf = ({ parts }: Code, place: number, index: number): number =>
  parts[place]!.of.slice(0, index).reduce((sum, each) => sum + sizeOf(each), place + 1)

const root = 'main'

/** A run that has not begun: one fiber, which is ready. */
export const initial: State = {
  now: 0,
  fibers: {
    [root]: {
      name: root,
      status: 'ready',
      control: { does: 'evaluate', place: 0, bound: { values: [], scopes: [], groups: [], tasks: [] } },
      wait: null,
      frames: [],
      scope: root,
      depth: 0,
      exit: null,
      owner: null,
      owned: false,
      looked: false,
      made: 0
    }
  },
  scopes: { [root]: { parent: null, shield: false, cancelled: false } },
  owners: {},
  timers: [],
  lock: { owner: null, queue: [] },
  channel: { buffer: [], senders: [], receivers: [] },
  turn: [],
  trace: [],
  ledger: {}
}

/** How the run ended, or null. */
export const exitOfRun = (state: State): Exit | null => state.fibers[root]!.exit

const sorted = (_key: string, value: unknown): unknown => {
  if (value === undefined) return 'nothing'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Equal for equal states. */
export const keyOfState = (state: State): string => JSON.stringify(state, sorted)
