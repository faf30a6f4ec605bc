/**
 * What an effect leaves on the stack while another one runs inside of it: how to go on after a value, and after a failure.
 *
 * The run loop itself knows the few frames that a program passes all the time. All others are brought along by the effects
 * that need them, so that the bundle of a program which uses none of these has nothing of them.
 *
 * @internal
 */
import type { Fiber } from './fiber.js'
import { Framed, Op, Opened, type Untyped } from './op.js'

/**
 * One class, and one hidden class, for all of them. What stands here is immutable: the data of one run is beside it on the
 * stack. What its functions give is a value, or `Signal` when they have put what comes next into the fiber: a failure, an
 * effect, a wait.
 */
export class Frame {
  /** Before the effect: gives the data. What it throws is raised outside of the frame. */
  readonly open: ((fiber: Fiber, options: Untyped) => Untyped) | null
  /** Null: the value goes on to the next frame. */
  readonly returned: ((fiber: Fiber, data: Untyped, value: Untyped) => Untyped) | null
  /** Null: it is raised in the next frame. */
  readonly raised: ((fiber: Fiber, data: Untyped, mode: number, value: Untyped) => Untyped) | null
  /** Of the function that made the effect. */
  readonly name: string | null

  constructor(
    open: Frame['open'],
    returned: Frame['returned'],
    raised: Frame['raised'],
    name: string | null = null
  ) {
    this.open = open
    this.returned = returned
    this.raised = raised
    this.name = name
  }
}

/** An effect inside of a frame. */
export const framed = (effect: Op, data: Untyped, frame: Frame): Op => new Op(Framed, effect, data, frame)

/** The same for a frame that is opened when its turn has come; the body is given what was opened, or is an effect as it is. */
export const opened = (frame: Frame, options: Untyped, body: Op | ((data: Untyped) => Op)): Op =>
  new Op(Opened, frame, options, body)
