/**
 * The instruction set: what an effect is made of. Plain untyped data, read by the run loop in `fiber.ts`.
 * Types are attached once, in `Effect.ts` and `LowLevel.ts`; nothing here knows the interpreter.
 *
 * @internal
 */

/**
 * The contents of an instruction. The type of an effect is known where it is built and where it is run; in between
 * values travel without one, and this is the only place that says so.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Untyped = any

/**
 * One class for every effect and for every frame of the stack, with the same four fields always set in the same order:
 * the run loop then reads `op`, `a`, `b` and `c` through a single hidden class. A class for each instruction makes those
 * loads megamorphic, which costs a factor of 1.4 to 1.9 on chains.
 */
export class Op {
  readonly op: number
  a: Untyped
  b: Untyped
  c: Untyped

  constructor(op: number, a: Untyped, b: Untyped, c: Untyped) {
    this.op = op
    this.a = a
    this.b = b
    this.c = c
  }

  [Symbol.iterator](): OpIterator {
    return new OpIterator(this)
  }
}

/**
 * What `yield*` walks over: gives the effect once, then returns what the run loop sent. It is its own result object, so
 * that a `yield*` allocates one object and not three.
 */
export class OpIterator implements Iterator<Untyped> {
  done: boolean
  value: Untyped

  constructor(op: Op) {
    this.done = true
    this.value = op
  }

  next(sent: Untyped): this {
    // The first call turns `done` from true to false and leaves the effect in `value`.
    if ((this.done = !this.done)) this.value = sent
    return this
  }
}

// Leaves come first, so that `op <= LastLeaf` finds what can be evaluated without a frame.
/** a: value */
export const Succeed = 0
/** a: () => value */
export const Sync = 1
/** a: (fiber, b, c) => value | Signal */
export const Primitive = 2
/** a: a raising mode, b: what is raised */
export const Raise = 3
export const LastLeaf = 3

/** a: effect, b: value => effect */
export const FlatMap = 4
/** a: effect, b: value => value */
export const Map = 5
/** a: effect, b: value => effect whose value is dropped */
export const Tap = 6
/** a: () => effect */
export const Suspend = 7
/** a: () => iterator of effects */
export const Generate = 8
/** a: (...b) => iterator of effects, b: arguments, c: name */
export const GenerateWith = 9
/** a: effect, b: error => effect, c: the tag that is handled, or null for every failure */
export const Handle = 10
/** a: effect, b: error => effect, c: value => effect */
export const Match = 11
/** a: effect, b: error => error */
export const MapError = 12
/** a: effect, b: error => effect whose value is dropped */
export const TapError = 13
/** a: effect */
export const OrDie = 14
/** a: effect, b: cause => effect */
export const CatchCause = 15
/** a: effect */
export const ToExit = 16
/** a: effect, b: finalizer */
export const Ensuring = 17
/** a: effect, b: exit => finalizer */
export const OnExit = 18
/** a: effect, b: finalizer */
export const OnCancel = 19
/** a: acquire, b: value => use, c: (value, exit) => release */
export const Bracket = 20
/** a: effect, b: services */
export const Provide = 21
/** a: effect, b: environment => environment */
export const Local = 22
/** a: effect, b: key, c: value */
export const Locally = 23
/** a: scope options, b: effect or (scope node) => effect, c: how to leave, see `Leave…` */
export const Scoped = 24
/** a: (fiber, b) => nursery, b: group options, c: nursery => effect; what opens it comes along, so that bundles may lack it */
export const Grouped = 25
/** a: (fiber, b, c) => arms, b: c => strategy of arms, c: arms; the same */
export const Parallel = 26

// Frames that are no effects.
/** a: value to go on with */
export const KeepFrame = 32
/** a: iterator, b: its `next`; each generator function has a prototype of its own, so reading it each time is slow */
export const GeneratorFrame = 33
/** a: iterator, b: mode, c: value; a generator that was left, whose finally blocks run */
export const UnwindFrame = 34
/** a: cause that was not handled */
export const RestFrame = 35
/** a: mode, b: value; raised again after `tapError` */
export const AgainFrame = 36
/** a: mode, b: value; goes on after a finalizer */
export const FinalizingFrame = 37
/** a: resource, b: release */
export const ReleaseFrame = 38
/** a: environment */
export const EnvironmentFrame = 39
/** a: key, b: value, c: whether it was set */
export const LocalFrame = 40
/** a: scope node, b: how to leave */
export const ScopeFrame = 41
/** a: nursery */
export const GroupFrame = 42
/** a: parent fiber, b: base of the parent's frames, c: arms */
export const InlineFrame = 43

// How a scope is left: the third slot of `Scoped`; a function makes the failure of a timeout.
export const LeaveOption = 0
export const LeavePlain = 1

// Modes: what a fiber does next. From `Fail` on it raises.
export const Evaluate = 0
export const Return = 1
/** Look whether the scope is cancelled, then return. */
export const Check = 2
/** The value is a typed error. */
export const Fail = 3
/** The value is a defect. */
export const Die = 4
/** No value: the cancelled scope is found when a cause is made of it. */
export const Cancel = 5
/** The value is a cause. */
export const Fault = 6

/** A primitive that returns this has put what happens next into the fiber: a mode and value, or a wait. */
export const Signal: unique symbol = Symbol('millrace/signal')
