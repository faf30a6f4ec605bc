/**
 * What each instruction means: what happens when a fiber meets it, and when what is inside of it has ended with a value or
 * with a cause. Where a rule does not say, values and causes pass through.
 */
import { show } from '../Show.js'
import type { Instruction } from '../Program.js'
import {
  afterwards,
  type Cause,
  causeOf,
  type Exit,
  exitOf,
  failed,
  failing,
  hasCancelled,
  keep,
  leaves,
  succeeded
} from './Cause.js'
import {
  absorbs,
  cancel,
  close,
  die,
  enter,
  fail,
  fiberOf,
  finish,
  give,
  goOn,
  looking,
  naming,
  note,
  raise,
  ready,
  update,
  wait
} from './Kernel.js'
import { addTask, deliver, ended, hasEnded, openOwner, scopeOfTask, settle } from './Owners.js'
import { type Bound, type Code, type Frame, type Name, placeOf, type State } from './State.js'

/** Where a fiber is in its program. */
export interface Site {
  readonly code: Code
  readonly fiber: Name
  readonly place: number
  readonly bound: Bound
  /** The number of the instruction. */
  readonly n: number
  /** The name of the place. */
  readonly label: string
}

export interface Rule {
  readonly meets?: (state: State, site: Site) => State
  readonly value?: (state: State, site: Site, value: unknown, frame: Frame) => State
  readonly cause?: (state: State, site: Site, cause: Cause, frame: Frame) => State
}

// -------------------------------------------------------------------------------------
// how rules go on
// -------------------------------------------------------------------------------------

/** Runs a part, and comes back with its end to the rule of this name. */
const inside = (
  state: State,
  { code, fiber, place, bound }: Site,
  rule: string,
  part: number,
  more: Partial<Bound> = {},
  kept: Partial<Frame> = {}
): State => {
  const { frames, scope, depth } = fiberOf(state, fiber)
  const frame: Frame = { rule, place, bound, scope, depth, exit: null, owner: null, ...kept }
  const control = {
    does: 'evaluate',
    place: placeOf(code, place, part),
    bound: { ...bound, ...more }
  } as const
  return update(state, fiber, { frames: [...frames, frame], control })
}

/** Goes on with a part, whose end is the end of the instruction. */
const instead = (
  state: State,
  { code, fiber, place, bound }: Site,
  part: number,
  more: Partial<Bound> = {}
): State =>
  goOn(state, fiber, { does: 'evaluate', place: placeOf(code, place, part), bound: { ...bound, ...more } })

/** A part in a scope of its own. The frame has the scope around it, where the fiber is again when the part has ended. */
const scoped = (
  state: State,
  site: Site,
  rule: string,
  description: { readonly shield?: boolean; readonly after?: number },
  part: number,
  kept: Partial<Frame> = {}
): State => {
  const { scope } = fiberOf(state, site.fiber)
  return inside(enter(state, site.fiber, description), site, rule, part, {}, { scope, ...kept })
}

/**
 * A part as the finalizer of something that ended so: behind a shield, and afterwards that end stands; what the finalizer
 * fails with is joined to it.
 */
const finalize = (state: State, site: Site, part: number, exit: Exit): State =>
  scoped(state, site, 'finalizer', { shield: true }, part, { exit })

const withValue = ({ bound }: Site, value: unknown): Partial<Bound> => ({ values: [...bound.values, value] })

/** The index counts from the innermost, and starts again when there are no more. */
const pick = <A>(those: ReadonlyArray<A>, n: number): A | undefined =>
  those[those.length - 1 - (n % those.length)]

const some = (value: unknown): unknown => ({ _tag: 'Some', value })

const none: unknown = { _tag: 'None' }

/** The scope that the fiber is leaving. */
const leaving = (
  state: State,
  { fiber }: Site,
  frame: Frame,
  then: (absorbed: boolean, state: State) => State
): State => {
  const { scope } = fiberOf(state, fiber)
  return then(absorbs(state, scope), update(close(state, scope), fiber, { scope: frame.scope }))
}

/**
 * Handlers take out of a cause what they handle. If nothing is left, the handler decides how it ends; the rest is raised
 * again, before what the handler fails with.
 */
const afterRest: Rule = {
  value: (state, { fiber }, value, frame) => finish(state, fiber, exitOf(causeOf(frame.exit!), value)),
  cause: (state, { fiber }, cause, frame) => raise(state, fiber, afterwards(causeOf(frame.exit!), cause)!)
}

const handle = (state: State, site: Site, rest: Cause | null, more: Partial<Bound> = {}): State =>
  rest === null ? instead(state, site, 1, more) : inside(state, site, 'rest', 1, more, { exit: failed(rest) })

/** A timeout, a scope with a handle: what it absorbed ends it as `None`, and a value is a value, cancelled or not. */
const optional: Rule = {
  value: (state, site, value, frame) =>
    leaving(state, site, frame, (_absorbed, left) => give(left, site.fiber, some(value))),
  cause: (state, site, cause, frame) =>
    leaving(state, site, frame, (absorbed, left) =>
      finish(left, site.fiber, exitOf(absorbed ? failing(cause) : cause, none))
    )
}

const transparent: Rule = {
  value: (state, site, value, frame) =>
    leaving(state, site, frame, (_absorbed, left) => give(left, site.fiber, value)),
  cause: (state, site, cause, frame) =>
    leaving(state, site, frame, (_absorbed, left) => raise(left, site.fiber, cause))
}

/** Arms begin in their composer's turn, in order; see the control `compose`. */
const composition = (kind: 'both' | 'race'): Rule => ({
  meets: (state, { fiber, place, bound }) =>
    openOwner(state, fiber, kind, (opened, owner) => {
      const { frames, scope, depth } = fiberOf(opened, fiber)
      const frame: Frame = { rule: 'composition', place, bound, scope, depth, exit: null, owner }
      return update(opened, fiber, {
        frames: [...frames, frame],
        control: { does: 'compose', owner, next: 0 }
      })
    })
})

/**
 * A task begins on a later turn, and always begins, also in a cancelled scope. A group that has ended takes none. Without a
 * group there is no task: the part runs where it is.
 */
const spawning = (owned: boolean): Rule => ({
  meets: (state, site) => {
    const { code, fiber, place, bound, n } = site
    const group = pick(bound.groups, n)
    if (group === undefined) return inside(state, site, 'sequence', 0)
    if (hasEnded(state.owners[group]!)) return die(state, fiber, { _tag: `TypeError: ${late}` })
    return addTask(state, fiber, group, placeOf(code, place, 0), bound, owned, (spawned, task) =>
      instead(spawned, site, 1, { tasks: [...bound.tasks, task] })
    )
  }
})

const late =
  'The task group "group" has ended, so no task can be spawned into it. Spawn while its body or one of its tasks ' +
  'runs; for tasks that outlive this block, open the group around it.'

/** A `sleep` of nothing and a `checkpoint` let the others go first, and then look. */
const checkpoint = (state: State, { fiber }: Site): State => ready(state, fiber, { does: 'look' })

// -------------------------------------------------------------------------------------
// the instructions
// -------------------------------------------------------------------------------------

export const rules: Readonly<Record<Instruction, Rule>> = {
  // What does not wait is no checkpoint: a cancellation of the scope makes no difference to it.
  succeed: { meets: (state, { fiber, n }) => give(state, fiber, n) },
  value: { meets: (state, { fiber, bound, n }) => give(state, fiber, pick(bound.values, n)) },
  fail: { meets: (state, { fiber, label }) => fail(state, fiber, label) },
  die: { meets: (state, { fiber, label }) => die(state, fiber, `defect ${label}`) },
  tick: { meets: (state, { fiber, label }) => give(note(state, label), fiber, undefined) },
  environment: {
    meets: (state, { fiber, label }) => {
      const { depth } = fiberOf(state, fiber)
      return give(note(state, `${label}=${depth}`), fiber, depth)
    }
  },

  // Checkpoints, and the yield, which is none.
  checkpoint: { meets: checkpoint },
  checkCancelled: {
    meets: (state, { fiber }) => looking(state, fiber, (fine) => give(fine, fiber, undefined))
  },
  yieldNow: { meets: (state, { fiber }) => ready(state, fiber, { does: 'return', value: undefined }) },
  sleep: {
    meets: (state, site) =>
      site.n <= 0
        ? checkpoint(state, site)
        : looking(state, site.fiber, (fine) =>
            wait(
              {
                ...fine,
                timers: [...fine.timers, { due: fine.now + site.n, scope: null, fiber: site.fiber }]
              },
              site.fiber,
              { for: 'time' }
            )
          )
  },
  never: {
    // For the length of a timeout, so that programs end.
    meets: (state, site) => {
      const { fiber, place, bound, n } = site
      const { frames, scope, depth } = fiberOf(state, fiber)
      const frame: Frame = { rule: 'never', place, bound, scope, depth, exit: null, owner: null }
      const entered = update(enter(state, fiber, { after: n }), fiber, { frames: [...frames, frame] })
      return looking(entered, fiber, (fine) => wait(fine, fiber, { for: 'nothing' }))
    },
    ...optional
  },
  join: {
    meets: (state, { fiber, bound, n }) => {
      const task = pick(bound.tasks, n)
      if (task === undefined) return give(state, fiber, undefined)
      return looking(state, fiber, (fine) => {
        const { exit } = fiberOf(fine, task)
        return exit === null
          ? wait(fine, fiber, { for: 'task', task })
          : deliver(fine, fiber, task, exit, goOn)
      })
    }
  },
  send: {
    // Hands the item to the receiver that waits longest, or puts it into the buffer, which has room for one; else it waits.
    meets: (state, { fiber, n }) =>
      looking(state, fiber, (fine) => {
        const { buffer, senders, receivers } = fine.channel
        const [receiver, ...others] = receivers
        if (receiver !== undefined) {
          const taken: State = { ...fine, channel: { buffer, senders, receivers: others } }
          return give(ready(taken, receiver, { does: 'return', value: n }), fiber, undefined)
        }
        if (buffer.length === 0) {
          return give({ ...fine, channel: { buffer: [n], senders, receivers } }, fiber, undefined)
        }
        const queued: State = { ...fine, channel: { buffer, senders: [...senders, fiber], receivers } }
        return wait(queued, fiber, { for: 'send', item: n })
      })
  },
  receive: {
    // Takes the oldest item, and the sender that waits longest has room for its own.
    meets: (state, { fiber }) =>
      looking(state, fiber, (fine) => {
        const { buffer, senders, receivers } = fine.channel
        if (buffer.length === 0) {
          const queued: State = { ...fine, channel: { buffer, senders, receivers: [...receivers, fiber] } }
          return wait(queued, fiber, { for: 'receive' })
        }
        const [item, ...rest] = buffer
        const [sender, ...others] = senders
        if (sender === undefined) {
          return give({ ...fine, channel: { buffer: rest, senders, receivers } }, fiber, item)
        }
        const waited = fiberOf(fine, sender).wait
        const next = waited?.for === 'send' ? waited.item : undefined
        const moved: State = { ...fine, channel: { buffer: [...rest, next], senders: others, receivers } }
        return give(ready(moved, sender, { does: 'return', value: undefined }), fiber, item)
      })
  },

  // Requests. They are no checkpoints, also for who cancels itself.
  cancel: {
    meets: (state, { fiber, bound, n }) => {
      const scope = pick(bound.scopes, n)
      return give(scope === undefined ? state : cancel(state, scope), fiber, undefined)
    }
  },
  cancelTask: {
    meets: (state, { fiber, bound, n }) => {
      const task = pick(bound.tasks, n)
      return give(task === undefined ? state : cancel(state, scopeOfTask(task)), fiber, undefined)
    }
  },
  cancelAll: {
    // The tasks, those that come later too, and not the body.
    meets: (state, { fiber, bound, n }) => {
      const group = pick(bound.groups, n)
      return give(group === undefined ? state : cancel(state, state.owners[group]!.tasks), fiber, undefined)
    }
  },

  // One after another.
  map: {
    meets: (state, site) => inside(state, site, 'map', 0),
    // What a function throws is a defect.
    value: (state, { fiber, n, label }, value) =>
      n === 9
        ? die(state, fiber, { _tag: `Error: thrown ${label}` })
        : give(state, fiber, (typeof value === 'number' ? value : 0) + n)
  },
  flatMap: {
    meets: (state, site) => inside(state, site, 'flatMap', 0),
    value: (state, site, value) => instead(state, site, 1, withValue(site, value))
  },
  local: {
    meets: (state, site) => {
      const { depth } = fiberOf(state, site.fiber)
      return update(inside(state, site, 'local', 0), site.fiber, { depth: depth * 2 + site.n })
    }
  },

  // Handlers. `E` has no cancellations and no defects in it: `orElse` does not see them.
  orElse: {
    meets: (state, site) => inside(state, site, 'orElse', 0),
    cause: (state, site, cause) => {
      const first = leaves(cause).find((leaf) => leaf._tag === 'Fail')
      if (first === undefined) return raise(state, site.fiber, cause)
      const rest = keep(cause, ({ _tag }) => _tag !== 'Fail')
      return handle(state, site, rest, withValue(site, first.error))
    }
  },
  catchCause: {
    meets: (state, site) => inside(state, site, 'catchCause', 0),
    // It sees a cancellation and takes it out of the cause, not off the scope.
    cause: (state, site, cause) => instead(note(state, `${site.label} caught ${show(cause)}`), site, 1)
  },
  exit: {
    meets: (state, site) => inside(state, site, 'exit', 0),
    value: (state, { fiber }, value) => give(state, fiber, succeeded(value)),
    cause: (state, { fiber }, cause) => give(state, fiber, failed(cause))
  },

  // Finalizers. They run whatever the end was, once, behind a shield.
  ensuring: {
    meets: (state, site) => inside(state, site, 'ensuring', 0),
    value: (state, site, value) => finalize(state, site, 1, succeeded(value)),
    cause: (state, site, cause) => finalize(state, site, 1, failed(cause))
  },
  onExit: {
    meets: (state, site) => inside(state, site, 'onExit', 0),
    value: (state, site, value) => {
      const exit = succeeded(value)
      return finalize(note(state, `${site.label} saw ${show(exit)}`), site, 1, exit)
    },
    cause: (state, site, cause) => {
      const exit = failed(cause)
      return finalize(note(state, `${site.label} saw ${show(exit)}`), site, 1, exit)
    }
  },
  onCancel: {
    meets: (state, site) => inside(state, site, 'onCancel', 0),
    cause: (state, site, cause) =>
      hasCancelled(cause) ? finalize(state, site, 1, failed(cause)) : raise(state, site.fiber, cause)
  },

  // Scopes. Entering and leaving them is no checkpoint.
  shielded: { meets: (state, site) => scoped(state, site, 'shielded', { shield: true }, 0), ...transparent },
  moveOnAfter: {
    meets: (state, site) => scoped(state, site, 'moveOnAfter', { after: site.n }, 0),
    ...optional
  },
  failAfter: {
    meets: (state, site) => scoped(state, site, 'failAfter', { after: site.n }, 0),
    value: (state, site, value, frame) =>
      leaving(state, site, frame, (_absorbed, left) => give(left, site.fiber, value)),
    // If its own deadline ended the body it fails with the timeout, and then with what is left.
    cause: (state, site, cause, frame) =>
      leaving(state, site, frame, (absorbed, left) =>
        absorbed && hasCancelled(cause)
          ? naming(left, site.fiber, (named, id) => {
              const late: Cause = { _tag: 'Fail', error: `late ${site.label}`, id }
              return raise(named, site.fiber, afterwards(late, failing(cause))!)
            })
          : raise(left, site.fiber, cause)
      )
  },
  scope: {
    meets: (state, site) => {
      const { scope } = fiberOf(state, site.fiber)
      const entered = enter(state, site.fiber, {})
      const opened = fiberOf(entered, site.fiber).scope
      return inside(entered, site, 'scope', 0, { scopes: [...site.bound.scopes, opened] }, { scope })
    },
    ...optional
  },

  // Groups. They end when the body and all tasks have; that wait is not cancelled, since the tasks are.
  group: {
    meets: (state, site) =>
      openOwner(state, site.fiber, 'group', (opened, owner) => {
        const { scope } = fiberOf(opened, site.fiber)
        const body = update(opened, site.fiber, { scope: owner })
        return inside(body, site, 'group', 0, { groups: [...site.bound.groups, owner] }, { scope, owner })
      }),
    value: (state, site, value, frame) => endOfBody(state, site, succeeded(value), frame.owner!),
    cause: (state, site, cause, frame) => endOfBody(state, site, failed(cause), frame.owner!)
  },
  spawn: spawning(false),
  spawnOwned: spawning(true),
  both: composition('both'),
  race: composition('race'),

  // Resources. Between the end of `acquire` and the registration of its release there is no checkpoint.
  lock: {
    meets: (state, site) =>
      looking(state, site.fiber, (fine) => {
        const { owner, queue } = fine.lock
        if (owner === site.fiber) {
          return die(fine, site.fiber, { _tag: `TypeError: ${reentered}` })
        }
        if (owner === null) {
          const entered: State = { ...fine, lock: { owner: site.fiber, queue } }
          return inside(entered, site, 'locked', 0)
        }
        const { frames, scope, depth } = fiberOf(fine, site.fiber)
        const { place, bound } = site
        const frame: Frame = { rule: 'lock', place, bound, scope, depth, exit: null, owner: null }
        const queued: State = { ...fine, lock: { owner, queue: [...queue, site.fiber] } }
        return wait(update(queued, site.fiber, { frames: [...frames, frame] }), site.fiber, { for: 'lock' })
      }),
    // It was handed over: it is owned.
    value: (state, site) => inside(state, site, 'locked', 0)
  },
  bracket: {
    meets: (state, site) => inside(state, site, 'bracket', 0),
    value: (state, site, value) => {
      const entry = state.ledger[site.label] ?? { acquired: 0, released: 0 }
      const acquired = { ...entry, acquired: entry.acquired + 1 }
      const noted = note(
        { ...state, ledger: { ...state.ledger, [site.label]: acquired } },
        `${site.label} acquired`
      )
      return inside(noted, site, 'acquired', 1, withValue(site, value))
    }
  }
}

const reentered = 'The task owns this Lock already, and would wait for itself. A Lock is not re-entrant.'

const endOfBody = (state: State, { fiber }: Site, exit: Exit, owner: Name): State => {
  const heard = ended(state, owner, fiber, exit)
  return heard.owners[owner]!.alive === 0 ? settle(heard, owner) : wait(heard, fiber, { for: 'tasks', owner })
}

const release = (state: State, site: Site, exit: Exit): State => {
  const entry = state.ledger[site.label]!
  const released = { ...entry, released: entry.released + 1 }
  const noted = note(
    { ...state, ledger: { ...state.ledger, [site.label]: released } },
    `${site.label} released after ${show(exit)}`
  )
  return finalize(noted, site, 2, exit)
}

/** The lock is free, or belongs to the one that waits longest. */
const unlock = (state: State, site: Site, exit: Exit): State => {
  const [next, ...others] = state.lock.queue
  const released: State = { ...state, lock: { owner: next ?? null, queue: others } }
  const passed = next === undefined ? released : ready(released, next, { does: 'return', value: undefined })
  return finish(passed, site.fiber, exit)
}

/** What comes after the end of a part, where that is not the rule of the instruction. */
export const continuations: Readonly<Record<string, Rule>> = {
  ...rules,
  sequence: { value: (state, site) => instead(state, site, 1) },
  rest: afterRest,
  composition: {},
  acquired: {
    value: (state, site, value) => release(state, site, succeeded(value)),
    cause: (state, site, cause) => release(state, site, failed(cause))
  },
  locked: {
    value: (state, site, value) => unlock(state, site, succeeded(value)),
    cause: (state, site, cause) => unlock(state, site, failed(cause))
  },
  finalizer: {
    value: (state, site, _value, frame) =>
      leaving(state, site, frame, (_absorbed, left) => finish(left, site.fiber, frame.exit!)),
    cause: (state, site, cause, frame) =>
      leaving(state, site, frame, (_absorbed, left) =>
        raise(left, site.fiber, afterwards(causeOf(frame.exit!), cause)!)
      )
  }
}
