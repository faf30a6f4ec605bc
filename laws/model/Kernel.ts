/**
 * What all rules of the model are made of: fibers that wait and go on, scopes that are cancelled, time.
 */
import type { Cause, Exit } from './Cause.js'
import type { Control, Fiber, Name, State, Wait } from './State.js'

// -------------------------------------------------------------------------------------
// fibers
// -------------------------------------------------------------------------------------

export const fiberOf = (state: State, name: Name): Fiber => state.fibers[name]!

export const update = (state: State, name: Name, change: Partial<Fiber>): State => ({
  ...state,
  fibers: { ...state.fibers, [name]: { ...fiberOf(state, name), ...change } }
})

/** What a fiber that has the turn does next. */
export const goOn = (state: State, name: Name, control: Control): State => update(state, name, { control })

export const give = (state: State, name: Name, value: unknown): State =>
  goOn(state, name, { does: 'return', value })

export const raise = (state: State, name: Name, cause: Cause): State =>
  goOn(state, name, { does: 'raise', cause })

export const finish = (state: State, name: Name, exit: Exit): State =>
  exit._tag === 'Right' ? give(state, name, exit.right) : raise(state, name, exit.left)

/** A name for something that the fiber makes. */
export const naming = (state: State, fiber: Name, use: (state: State, name: Name) => State): State => {
  const { made } = fiberOf(state, fiber)
  return use(update(state, fiber, { made: made + 1 }), `${fiber}.${made}`)
}

export const note = (state: State, line: string): State => ({
  ...state,
  trace: [...state.trace, `${line}@${state.now}`]
})

const endTurn = (state: State, name: Name): State => ({
  ...state,
  turn: state.turn.filter((each) => each !== name)
})

/** The fiber waits; the turn is over. */
export const wait = (state: State, name: Name, wait: Wait): State =>
  endTurn(update(state, name, { status: 'waiting', wait }), name)

/** The fiber is ready to go on, on a later turn. A wait that was satisfied is over: what comes later does not undo it. */
export const ready = (state: State, name: Name, control: Control): State =>
  endTurn(update(state, name, { status: 'ready', wait: null, control }), name)

export const fail = (state: State, name: Name, error: unknown): State =>
  naming(state, name, (next, id) => raise(next, name, { _tag: 'Fail', error, id }))

export const die = (state: State, name: Name, defect: unknown): State =>
  naming(state, name, (next, id) => raise(next, name, { _tag: 'Die', defect, id }))

// -------------------------------------------------------------------------------------
// scopes
// -------------------------------------------------------------------------------------

/** A scope that was left is not cancelled, and cannot be. */
export const isCancelled = (state: State, name: Name): boolean => state.scopes[name]?.cancelled === true

/** Whether a checkpoint in the scope fails: it is cancelled, or one around it is and no shield is in between. */
export const isEffectivelyCancelled = (state: State, name: Name): boolean => {
  const scope = state.scopes[name]!
  return scope.cancelled || isCancelledFromOutside(state, name)
}

export const isCancelledFromOutside = (state: State, name: Name): boolean => {
  const { shield, parent } = state.scopes[name]!
  return !shield && parent !== null && isEffectivelyCancelled(state, parent)
}

/** A scope absorbs when it is itself cancelled, and nothing from outside is visible. */
export const absorbs = (state: State, name: Name): boolean =>
  isCancelled(state, name) && !isCancelledFromOutside(state, name)

/** The cancellation that a checkpoint raises: that of the nearest cancelled scope. */
export const cancellation = (state: State, scope: Name): Cause => {
  const { cancelled, parent } = state.scopes[scope]!
  return cancelled || parent === null ? { _tag: 'Cancelled', id: scope } : cancellation(state, parent)
}

/** What a checkpoint does first: in a cancelled scope it fails, and nothing else happens. */
export const looking = (state: State, name: Name, otherwise: (state: State) => State): State => {
  const { scope } = fiberOf(state, name)
  return isEffectivelyCancelled(state, scope)
    ? raise(state, name, cancellation(state, scope))
    : otherwise(state)
}

/** No trace is left of a wait that has ended: no timer, no place in a queue. */
const withdraw = (state: State, name: Name): State => {
  const others = (queue: ReadonlyArray<Name>): ReadonlyArray<Name> => queue.filter((each) => each !== name)
  return {
    ...state,
    timers: state.timers.filter(({ fiber }) => fiber !== name),
    lock: { ...state.lock, queue: others(state.lock.queue) },
    channel: {
      ...state.channel,
      senders: others(state.channel.senders),
      receivers: others(state.channel.receivers)
    }
  }
}

/**
 * Cancels a scope, for good. Whoever waits inside and sees it goes on with the cancellation; who is ready to go on, or
 * waits for tasks that are cancelled themselves, does not.
 */
export const cancel = (state: State, name: Name): State => {
  const scope = state.scopes[name]
  if (scope === undefined || scope.cancelled) return state
  const marked: State = { ...state, scopes: { ...state.scopes, [name]: { ...scope, cancelled: true } } }
  return Object.values(marked.fibers).reduce(
    (next, fiber) =>
      fiber.status === 'waiting' && fiber.wait!.for !== 'tasks' && isEffectivelyCancelled(marked, fiber.scope)
        ? ready(withdraw(next, fiber.name), fiber.name, {
            does: 'raise',
            cause: cancellation(marked, fiber.scope)
          })
        : next,
    marked
  )
}

/**
 * The fiber is in a new scope. Its deadline counts from here, and has its place among the timers from here; one that has
 * come already cancels the scope, which ends nothing yet: entering is no checkpoint.
 */
export const enter = (
  state: State,
  fiber: Name,
  description: { readonly shield?: boolean; readonly after?: number }
): State =>
  naming(state, fiber, (named, name) => {
    const { shield = false, after } = description
    const opened = open(named, name, fiberOf(named, fiber).scope, shield)
    const inside = update(opened, fiber, { scope: name })
    if (after === undefined) return inside
    if (after <= 0) return cancel(inside, name)
    return { ...inside, timers: [...inside.timers, { due: inside.now + after, scope: name, fiber: null }] }
  })

export const open = (state: State, name: Name, parent: Name, shield = false): State => ({
  ...state,
  scopes: { ...state.scopes, [name]: { parent, shield, cancelled: false } }
})

/** The scope is gone, and its deadline; leaving is no checkpoint. */
export const close = (state: State, name: Name): State => {
  const { [name]: _left, ...scopes } = state.scopes
  return { ...state, scopes, timers: state.timers.filter(({ scope }) => scope !== name) }
}

// -------------------------------------------------------------------------------------
// time
// -------------------------------------------------------------------------------------

/**
 * Nobody is ready, so time passes, up to the next timer. All timers of that time take effect, in the order in which they
 * were set, before any fiber goes on: a deadline wins a tie with a sleep inside of it.
 */
export const elapse = (state: State): State => {
  const now = Math.min(...state.timers.map(({ due }) => due))
  const serve = (next: State): State => {
    const index = next.timers.findIndex(({ due }) => due === now)
    if (index < 0) return next
    const timer = next.timers[index]!
    const rest: State = { ...next, timers: next.timers.toSpliced(index, 1) }
    return serve(
      timer.scope !== null
        ? cancel(rest, timer.scope)
        : ready(rest, timer.fiber!, { does: 'return', value: undefined })
    )
  }
  return serve({ ...state, now })
}
