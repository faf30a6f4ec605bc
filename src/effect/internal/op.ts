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

// Leaves come first: they are evaluated without a frame.
/** a: value */
export const Succeed = 0
/** a: () => value */
export const Sync = 1
/** a: (fiber, b, c) => value | Signal */
export const Primitive = 2
/** a: a raising mode, b: what is raised */
export const Raise = 3

// Frames that pass on what is raised come next, so that `op <= KeepFrame` finds them.
/** a: effect, b: value => effect */
export const FlatMap = 4
/** a: effect, b: value => value */
export const Map = 5
/** a: effect, b: value => effect whose value is dropped */
export const Tap = 6
/** A frame that is no effect. a: value to go on with */
export const KeepFrame = 7
/** a: () => effect */
export const Suspend = 8
/** a: (...b) => iterator of effects, b: arguments or undefined, c: a `Frame` that closes the iterator */
export const Generate = 9
/** a: effect, b: error => effect, c: a `Frame` for causes that are more than one failure */
export const Handle = 10
/** a: effect, b: what the frame needs to know, c: a `Frame` */
export const Framed = 11
/** a: a `Frame`, b: options of its opening, c: effect or (what was opened) => effect. On the stack what was opened lies below it. */
export const Opened = 12
/** a: (fiber, b, c) => arms, b and c: what they are made of; what opens them comes along, so that bundles may lack it */
export const Parallel = 13
/** a: acquire, b: value => use, c: how it releases */
export const Bracket = 14
/**
 * A frame that is no effect. a: `next` of the iterator, since each generator function has a prototype of its own and reading
 * it each time is slow; b: iterator, c: a `Frame` that closes it
 */
export const GeneratorFrame = 15
/** A frame that is no effect. b: resource, c: as in `Bracket` */
export const ReleaseFrame = 16

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
/** For the run loop: the fiber knows what happens next, see `Signal`. */
export const Signalled = 7

/** A primitive that returns this has put what happens next into the fiber: a mode and value, or a wait. */
export const Signal: unique symbol = Symbol('millrace/signal')

/** An effect that raises. */
export const raise = (mode: number, value: Untyped): Op => new Op(Raise, mode, value, undefined)
