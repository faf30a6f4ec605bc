/**
 * A step of the model: all states that can come next.
 *
 * One fiber has the turn at a time, and keeps it up to its next wait or yield. When nobody has it, any that is ready may get
 * it; only when nobody is ready does time pass.
 */
import type { Cause } from './Cause.js'
import { elapse, fiberOf, give, looking, ready, update, wait } from './Kernel.js'
import { addTask, endFiber, isDecided, settle } from './Owners.js'
import { continuations, rules, type Site } from './Rules.js'
import { type Code, type Fiber, type Frame, type Name, placeOf, type State } from './State.js'

const siteOf = (code: Code, fiber: Name, { place, bound }: Pick<Frame, 'place' | 'bound'>): Site => ({
  code,
  fiber,
  place,
  bound,
  n: code.parts[place]!.n,
  label: code.labels[place]!
})

/** A part has ended: the innermost frame says what is next, in the scope and environment of the frame. */
const pop = (
  state: State,
  fiber: Fiber,
  then: (state: State, frame: Frame) => State,
  otherwise: (state: State) => State
): State => {
  const frame = fiber.frames.at(-1)
  if (frame === undefined) return otherwise(state)
  return then(update(state, fiber.name, { frames: fiber.frames.slice(0, -1), depth: frame.depth }), frame)
}

const returned = (code: Code, state: State, fiber: Fiber, value: unknown): State =>
  pop(
    state,
    fiber,
    (next, frame) =>
      continuations[frame.rule]!.value?.(next, siteOf(code, fiber.name, frame), value, frame) ??
      give(next, fiber.name, value),
    (next) => endFiber(next, fiber.name, { _tag: 'Right', right: value })
  )

const raised = (code: Code, state: State, fiber: Fiber, cause: Cause): State =>
  pop(
    state,
    fiber,
    (next, frame) =>
      continuations[frame.rule]!.cause?.(next, siteOf(code, fiber.name, frame), cause, frame) ?? next,
    (next) => endFiber(next, fiber.name, { _tag: 'Left', left: cause })
  )

/**
 * Arms begin inline, in order. One that ends without waiting may decide the composition, and then the others never start.
 * Without any that waits the composition has not waited either.
 */
const compose = (code: Code, state: State, fiber: Fiber, owner: Name, next: number): State => {
  const { place, bound } = fiber.frames.at(-1)!
  if (next === 2 || isDecided(state, owner)) {
    return state.owners[owner]!.alive === 0
      ? settle(state, owner)
      : wait(state, fiber.name, { for: 'tasks', owner })
  }
  return addTask(state, fiber.name, owner, placeOf(code, place, next), bound, false, (added, arm) => {
    const begun = update(added, arm, { status: 'running' })
    const composing = update(begun, fiber.name, { control: { does: 'compose', owner, next: next + 1 } })
    return { ...composing, turn: [...composing.turn, arm] }
  })
}

/** What the fiber that has the turn does. */
const advance = (code: Code, state: State, fiber: Fiber): State => {
  const { control } = fiber
  switch (control.does) {
    case 'evaluate':
      return rules[code.parts[control.place]!.op].meets!(state, siteOf(code, fiber.name, control))
    case 'return':
      return returned(code, state, fiber, control.value)
    case 'raise':
      return raised(code, state, fiber, control.cause)
    case 'look':
      return looking(state, fiber.name, (fine) => give(fine, fiber.name, undefined))
    case 'compose':
      return compose(code, state, fiber, control.owner, control.next)
    case 'settle':
      return settle(state, control.owner)
  }
}

/**
 * All states that can come next; none when the run has ended, or nothing can go on.
 *
 * `turns`: a fiber has its turn up to its next wait or yield. `steps`: it may lose it at any step, as one does that has run
 * for long.
 */
export type Grain = 'turns' | 'steps'

export const step =
  (code: Code, grain: Grain) =>
  (state: State): ReadonlyArray<State> => {
    const running = state.turn.at(-1)
    const waiting = Object.values(state.fibers).filter(({ status }) => status === 'ready')
    if (running !== undefined) {
      const fiber = fiberOf(state, running)
      const next = advance(code, state, fiber)
      // That a fiber yields when it has run long is a point where others come in, and nothing else.
      const others = waiting.length > 0 || state.turn.length > 1
      return grain === 'steps' && others ? [next, ready(state, running, fiber.control)] : [next]
    }
    if (waiting.length > 0) {
      return waiting.map(({ name }) => ({ ...update(state, name, { status: 'running' }), turn: [name] }))
    }
    return state.timers.length > 0 ? [elapse(state)] : []
  }
