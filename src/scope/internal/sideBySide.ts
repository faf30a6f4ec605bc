/**
 * Several brackets around one use, acquired and released side by side.
 *
 * Each side is a task that runs its bracket; what it brackets is a wait for the end of the use, which runs in the body of
 * the group. The use must end before any side is released, so a side that is cancelled meanwhile (from outside, or because
 * something in the background of its resource failed) cancels the use and goes on waiting for it.
 *
 * @internal
 */
import type { Option } from 'fp-ts/lib/Option.js'
import * as Cause from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as LowLevel from '../../effect/LowLevel.js'

type Bracket = (use: (a: never) => Effect.Any) => Effect.Any
type Anything = Effect.Effect<unknown, unknown, unknown>
type AnyExit = Exit<unknown, unknown>

class Rendezvous {
  readonly values: Array<unknown> = []
  private acquired = 0
  private phase: 'acquiring' | 'using' | 'ended' = 'acquiring'
  /** A side was released before the use began. */
  private broken = false
  private startUse: () => void = () => undefined
  private readonly endSides: Array<(exit: AnyExit) => void> = []
  private useScope: LowLevel.ScopeNode | null = null
  private readonly sides: number

  constructor(sides: number) {
    this.sides = sides
  }

  /** What a side does while its resource is in use. */
  side(index: number, value: unknown): Anything {
    return LowLevel.park<unknown, unknown>('Resource.par', (resume) => {
      this.values[index] = value
      this.endSides.push(resume)
      this.acquired++
      if (this.acquired === this.sides) this.startUse()
      return () => {
        if (this.phase === 'acquiring') {
          this.broken = true
          return true
        }
        if (this.useScope !== null)
          LowLevel.cancelScopeUnsafe(this.useScope, 'a resource that is used has ended')
        return false
      }
    })
  }

  /** The body: waits for all sides, then uses. */
  use(
    use: (values: ReadonlyArray<unknown>) => Effect.Any,
    nursery: LowLevel.Nursery,
    sides: ReadonlyArray<LowLevel.Fiber<unknown, unknown>>
  ): Anything {
    const allAcquired = LowLevel.park('Resource.par', (resume) => {
      this.startUse = () => {
        resume({ _tag: 'Right', right: undefined })
      }
      if (this.acquired === this.sides) this.startUse()
      return () => {
        this.startUse = () => undefined
        return true
      }
    })
    const inUse = LowLevel.openScope({ name: 'Resource.par' }, (scope) => {
      this.useScope = scope
      this.phase = 'using'
      return use(this.values) as Anything
    })

    const endSides = (exit: Exit<unknown, Option<unknown>>): Anything => {
      this.phase = 'ended'
      const ofUse = this.exitOfUse(exit)
      const cancelled = ofUse._tag === 'Left' ? Cause.cancellations(ofUse.left)[0] : undefined
      // Only in a cancelled scope may a side end as cancelled.
      const cancelSides =
        cancelled === undefined
          ? Effect.unit
          : LowLevel.cancelScope(LowLevel.childrenScope(nursery), cancelled)
      const resumeSides = Effect.sync(() => {
        for (const end of this.endSides) end(ofUse)
      })
      return Effect.andThen(resumeSides)(cancelSides)
    }

    /** A side has ended by itself; its failure ends the group, and this wait. */
    const interrupted: Anything = Effect.andThen(
      Effect.die(
        new TypeError('A resource ended without a failure while it was in use, so the use has no value.')
      )
    )(Effect.forEach((fiber: LowLevel.Fiber<unknown, unknown>) => LowLevel.awaitExit(fiber))(sides))

    const used = Effect.flatMap((value: Option<unknown>) =>
      value._tag === 'Some' ? Effect.succeed(value.value) : interrupted
    )(Effect.onExit(endSides)(inUse))
    return Effect.flatMap((): Anything => (this.broken ? interrupted : used))(allAcquired)
  }

  private exitOfUse(exit: Exit<unknown, Option<unknown>>): AnyExit {
    if (exit._tag === 'Left') return exit
    if (exit.right._tag === 'Some') return { _tag: 'Right', right: exit.right.value }
    const caught = LowLevel.scopeCaught(this.useScope as LowLevel.ScopeNode)
    return caught._tag === 'Some' ? { _tag: 'Left', left: caught.value } : { _tag: 'Right', right: undefined }
  }
}

export const sideBySide = (
  brackets: ReadonlyArray<Bracket>,
  use: (values: ReadonlyArray<unknown>) => Effect.Any
): Effect.Any =>
  LowLevel.openNursery({ name: 'Resource.par' }, (nursery) => {
    const meeting = new Rendezvous(brackets.length)
    const fork = Effect.traverseArray(([index, bracket]: readonly [number, Bracket]) =>
      LowLevel.fork(nursery, Effect.suspend(() => bracket((a) => meeting.side(index, a))) as Anything)
    )
    return Effect.flatMap((sides: ReadonlyArray<LowLevel.Fiber<unknown, unknown>>) =>
      meeting.use(use, nursery, sides)
    )(fork([...brackets.entries()]))
  })
