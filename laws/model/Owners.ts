/**
 * Whoever waits for fibers: groups and compositions. They do not end before all of their tasks have.
 */
import {
  afterwards,
  beside,
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
  fiberOf,
  finish,
  isCancelledFromOutside,
  naming,
  open,
  ready,
  update
} from './Kernel.js'
import type { Bound, Ended, Fiber, Name, Owner, State } from './State.js'

const setOwner = (state: State, name: Name, change: Partial<Owner>): State => ({
  ...state,
  owners: { ...state.owners, [name]: { ...state.owners[name]!, ...change } }
})

/**
 * The fiber is in the scope of a new owner. A group has a second scope inside for its tasks, so that they can be cancelled
 * without the body; the fiber of a composition stays where it is, and the arms are in the scope.
 */
export const openOwner = (
  state: State,
  fiber: Name,
  kind: Owner['kind'],
  then: (state: State, owner: Name) => State
): State =>
  naming(state, fiber, (named, name) => {
    const scoped = open(named, name, fiberOf(named, fiber).scope)
    const tasks = kind === 'group' ? `${name}.tasks` : name
    const opened = kind === 'group' ? open(scoped, tasks, name) : scoped
    const owner: Owner = { kind, fiber, scope: name, tasks, alive: 0, exits: [] }
    return then({ ...opened, owners: { ...opened.owners, [name]: owner } }, name)
  })

/** The scope of one task: what `task.cancel` cancels. */
export const scopeOfTask = (task: Name): Name => `${task}.task`

/**
 * A new task, which has not begun. It is in the scope of its owner wherever it was spawned, and has the environment of its
 * spawner.
 */
export const addTask = (
  state: State,
  spawner: Name,
  owner: Name,
  place: number,
  bound: Bound,
  owned: boolean,
  then: (state: State, task: Name) => State
): State =>
  naming(state, spawner, (named, name) => {
    const { tasks, alive } = named.owners[owner]!
    const opened = open(setOwner(named, owner, { alive: alive + 1 }), scopeOfTask(name), tasks)
    const task: Fiber = {
      name,
      status: 'ready',
      control: { does: 'evaluate', place, bound },
      wait: null,
      frames: [],
      scope: scopeOfTask(name),
      depth: fiberOf(named, spawner).depth,
      exit: null,
      owner,
      owned,
      looked: false,
      made: 0
    }
    return then({ ...opened, fibers: { ...opened.fibers, [name]: task } }, name)
  })

/** Whether the failure of a task belongs to whoever looks. */
const isOwned = (state: State, owner: Owner, who: Name): boolean =>
  who !== owner.fiber && fiberOf(state, who).owned

const isDie = (cause: Cause): boolean => leaves(cause).some(({ _tag }) => _tag === 'Die')

/**
 * What ends the others. Of a group: a failure or defect of its body or of a task, but only a defect of an owned one; a
 * cancellation is no failure. Of `both`: any end without a value, since there will be no pair. Of a race: any end.
 */
const isOver = (state: State, owner: Owner, who: Name, exit: Exit): boolean => {
  if (owner.kind === 'race') return true
  const cause = causeOf(exit)
  if (cause === null || owner.kind === 'both') return cause !== null
  return isOwned(state, owner, who) ? isDie(cause) : failing(cause) !== null
}

/** The owner hears of an end. */
export const ended = (state: State, name: Name, who: Name, exit: Exit): State => {
  const owner = state.owners[name]!
  const heard = setOwner(state, name, { exits: [...owner.exits, { who, exit }] })
  return isOver(state, owner, who, exit) ? cancel(heard, owner.scope) : heard
}

/** A group has ended when its body and all of its tasks have. */
export const hasEnded = ({ alive, exits, fiber }: Owner): boolean =>
  alive === 0 && exits.some(({ who }) => who === fiber)

/** Whether arms of a composition that have not started never will. */
export const isDecided = (state: State, name: Name): boolean => {
  const owner = state.owners[name]!
  return owner.exits.some(({ who, exit }) => isOver(state, owner, who, exit))
}

/**
 * A fiber has ended. Who joins it goes on, its owner hears of it, and the last task lets the owner go on.
 * A task that was cancelled on its own, or by `cancelAll`, is over: the cancellation is not for its group.
 */
export const endFiber = (state: State, name: Name, exit: Exit): State => {
  const fiber = fiberOf(state, name)
  const joined = Object.values(state.fibers).filter(({ wait }) => wait?.for === 'task' && wait.task === name)
  const over = joined.reduce(
    (next, { name: joiner }) => deliver(next, joiner, name, exit, ready),
    update({ ...state, turn: state.turn.filter((each) => each !== name) }, name, {
      status: 'ended',
      exit,
      frames: []
    })
  )
  if (fiber.owner === null) return close(over, fiber.scope)
  const { tasks, scope } = over.owners[fiber.owner]!
  const own = absorbs(over, fiber.scope) || (tasks !== scope && absorbs(over, tasks))
  const cause = causeOf(exit)
  const passed = own && cause !== null ? exitOf(failing(cause), undefined) : exit
  const heard = ended(close(over, fiber.scope), fiber.owner, name, passed)
  const alive = heard.owners[fiber.owner]!.alive - 1
  const counted = setOwner(heard, fiber.owner, { alive })
  const opener = heard.owners[fiber.owner]!.fiber
  const { wait } = fiberOf(counted, opener)
  return alive === 0 && wait?.for === 'tasks' && wait.owner === fiber.owner
    ? ready(counted, opener, { does: 'settle', owner: fiber.owner })
    : counted
}

/**
 * What a join gives: the value of the task, or what it failed with, without its cancellations; a task that was only
 * cancelled fails the join. Whoever gets it has looked.
 */
export const deliver = (state: State, joiner: Name, task: Name, exit: Exit, go: typeof ready): State => {
  const looked = update(state, task, { looked: true })
  if (exit._tag === 'Right') return go(looked, joiner, { does: 'return', value: exit.right })
  const cause = failing(exit.left)
  if (cause !== null) return go(looked, joiner, { does: 'raise', cause })
  return naming(looked, joiner, (named, id) =>
    go(named, joiner, { does: 'raise', cause: { _tag: 'Fail', error: { _tag: 'TaskCancelled' }, id } })
  )
}

/** A cause by its place in time: what stands beside its cancellation, the cancellation, and what came after that. */
type Apart = readonly [before: Cause | null, cut: Cause | null, after: Cause | null]

const apart = (cause: Cause): Apart => {
  if (!hasCancelled(cause)) return [cause, null, null]
  if (cause._tag === 'Both') {
    const [left, right] = [apart(cause.left), apart(cause.right)]
    return [beside(left[0], right[0]), beside(left[1], right[1]), beside(left[2], right[2])]
  }
  if (cause._tag === 'Then' && hasCancelled(cause.left)) {
    const [before, cut, after] = apart(cause.left)
    return [before, cut, afterwards(after, failing(cause.right))]
  }
  return [null, cause, null]
}

/**
 * All that went wrong, side by side, in the order in which the ends came. Of the cancellations from outside one is left,
 * where the first came, and what came later stands behind it; those of the owner itself are absorbed.
 */
const joined = (exits: ReadonlyArray<Exit>, own: boolean): Cause | null => {
  const [before, cut, after] = exits.reduce<Apart>(
    ([before, cut, after], exit) => {
      const cause = own ? failing(causeOf(exit)) : causeOf(exit)
      if (cause === null) return [before, cut, after]
      if (cut !== null) return [before, cut, beside(after, failing(cause))]
      const [early, cancelled, late] = apart(cause)
      return [beside(before, early), cancelled, late]
    },
    [null, null, null]
  )
  return beside(before, afterwards(cut, after))
}

/** An owned task that failed while nobody looked: a defect, found when all have ended. */
const unjoined = (state: State, owner: Owner, { who, exit }: Ended): Cause | null => {
  const cause = causeOf(exit)
  if (cause === null || !isOwned(state, owner, who) || fiberOf(state, who).looked) return null
  if (keep(cause, ({ _tag }) => _tag === 'Fail') === null) return null
  const defect = { _tag: 'UnjoinedFailure', cause: causeOf(fiberOf(state, who).exit!) }
  return { _tag: 'Die', defect, id: `${who}.unjoined` }
}

/** How a group ends: with the value of its body, unless something failed or it was cut short from outside. */
const settleGroup = (state: State, owner: Owner): Exit => {
  const seen = owner.exits.map(({ who, exit }) => {
    const cause = causeOf(exit)
    return cause !== null && isOwned(state, owner, who)
      ? exitOf(
          keep(cause, ({ _tag }) => _tag !== 'Fail'),
          undefined
        )
      : exit
  })
  const late = owner.exits.reduce<Cause | null>(
    (all, each) => beside(all, unjoined(state, owner, each)),
    null
  )
  const body = owner.exits.find(({ who }) => who === owner.fiber)!.exit
  const cause = beside(joined(seen, !isCancelledFromOutside(state, owner.scope)), late)
  return exitOf(cause, body._tag === 'Right' ? body.right : undefined)
}

/** How two side by side end: with both values, in the order of the arms, or with what failed. */
const settleBoth = (state: State, owner: Owner): Exit => {
  const cause = joined(
    owner.exits.map(({ exit }) => exit),
    !isCancelledFromOutside(state, owner.scope)
  )
  if (cause !== null) return failed(cause)
  const values = [...owner.exits]
    .sort((a, b) => armOf(a.who) - armOf(b.who))
    .map(({ exit }) => (exit._tag === 'Right' ? exit.right : undefined))
  return succeeded(values)
}

const armOf = (name: Name): number => Number(name.slice(name.lastIndexOf('.') + 1))

/** How a race ends: as the first arm did, and with what failed in the clean-up of the other. */
const settleRace = (state: State, owner: Owner): Exit => {
  const [winner, ...losers] = owner.exits
  const cleanUp = losers.reduce<Cause | null>((all, { exit }) => beside(all, failing(causeOf(exit))), null)
  const first = winner!.exit
  if (first._tag === 'Right') return cleanUp === null ? first : failed(cleanUp)
  const own = !isCancelledFromOutside(state, owner.scope)
  return exitOf(afterwards(own ? failing(first.left) : first.left, cleanUp), undefined)
}

/** All tasks have ended: so does the owner. It leaves no scope behind. */
export const settle = (state: State, name: Name): State => {
  const owner = state.owners[name]!
  const how = { group: settleGroup, both: settleBoth, race: settleRace }[owner.kind]
  const exit = how(state, owner)
  const scope = state.scopes[owner.scope]!.parent!
  const left = update(close(close(state, owner.tasks), owner.scope), owner.fiber, { scope })
  return finish(left, owner.fiber, exit)
}
