/**
 * `ResourceGuard`: one user at a time. A second one fails with `BusyResource` instead of waiting, which finds the mistake; to
 * wait for one's turn use `Lock`.
 *
 * @since 0.1.0
 */
import * as Effect from '../effect/Effect.js'
import type { BusyResource } from './ResourceError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A guard.
 *
 * @category model
 * @since 0.1.0
 */
export interface ResourceGuard {
  /**
   * Runs `fx` as the one user. The guard is free again when `fx` has ended, however that was.
   *
   * **Errors.** `BusyResource` when there is a user already; `fx` does not run.
   */
  readonly use: <R, E, A>(fx: Effect.Effect<R, E, A>) => Effect.Effect<R, E | BusyResource, A>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A free guard. `action` says what the user does, as in "already reading from this resource"; `using` when absent.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Exit, ResourceGuard } from 'millrace'
 * import { TestRuntime } from 'millrace/testing'
 *
 * const program = Effect.gen(function* () {
 *   const guard = yield* ResourceGuard.make('reading from')
 *   return yield* guard.use(guard.use(Effect.unit))
 * })
 * assert.deepEqual(TestRuntime.runExit(program), Exit.fail({ _tag: 'BusyResource', action: 'reading from' }))
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (action = 'using'): Effect.Effect<unknown, never, ResourceGuard> =>
  Effect.sync(() => {
    let busy = false
    const enter: Effect.Effect<unknown, BusyResource, void> = Effect.suspend(() => {
      if (busy) return Effect.fail<BusyResource>({ _tag: 'BusyResource', action })
      busy = true
      return Effect.unit
    })
    const leave = Effect.sync(() => {
      busy = false
    })
    return {
      use: (fx) =>
        Effect.bracket(
          enter,
          () => fx,
          () => leave
        )
    }
  })
