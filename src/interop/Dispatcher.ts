/**
 * `Dispatcher` runs effects from plain callbacks, inside a scope: what it runs is cancelled and awaited when it is released,
 * so that a callback can start work and nothing is left behind.
 *
 * @since 0.1.0
 */
import * as Effect from '../effect/Effect.js'
import type { Exit } from '../effect/Exit.js'
import * as LowLevel from '../effect/LowLevel.js'
import * as Resource from '../scope/Resource.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A dispatcher: the way from a callback of the host back into the program. Where a callback only resumes one
 * wait, `Effect.async` is enough.
 *
 * @category model
 * @since 0.1.0
 */
export interface Dispatcher<out R> {
  /**
   * Starts a task that runs the effect, on a later turn. The promise never rejects, and gives the exit of the effect: a
   * cancelled one when the dispatcher is released meanwhile, a defect when it was released before.
   */
  readonly runUnsafe: <E, A>(fx: Effect.Effect<R, E, A>) => Promise<Exit<E, A>>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const released: Exit<never, never> = {
  _tag: 'Left',
  left: {
    _tag: 'Die',
    defect: new TypeError(
      'The Dispatcher has been released. Remove the callback that uses it before releasing it.'
    )
  }
}

/**
 * A dispatcher with the services and fiber-locals of where it is acquired. It lives as long as the use of the
 * resource.
 *
 * **Cancellation.** On release, all that it still runs is cancelled, and its end awaited.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { EventEmitter } from 'node:events'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Dispatcher, Effect, Exit, Promises, Resource, Runtime } from 'millrace'
 *
 * const emitter = new EventEmitter()
 * const program = pipe(
 *   Dispatcher.make(),
 *   Resource.use((dispatcher) =>
 *     Effect.gen(function* () {
 *       const answers: Array<Promise<Exit.Exit<never, number>>> = []
 *       emitter.on('question', (n: number) => answers.push(dispatcher.runUnsafe(Effect.succeed(n * 2))))
 *       emitter.emit('question', 21)
 *       return yield* Promises.fromPromise(() => Promise.all(answers))
 *     })
 *   )
 * )
 * assert.deepEqual(await Runtime.runPromise(program), [Exit.succeed(42)])
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <R = unknown>(): Resource.Resource<R, never, Dispatcher<R>> =>
  Resource.fromUse((use) =>
    LowLevel.openNursery({ name: 'Dispatcher' }, (nursery) =>
      Effect.flatMap((fork: LowLevel.ForkUnsafe<R>) => {
        let open = true
        const dispatcher: Dispatcher<R> = {
          runUnsafe: <E, A>(fx: Effect.Effect<R, E, A>) =>
            new Promise<Exit<E, A>>((resolve) => {
              const task = Effect.map((exit: Exit<E, A>) => {
                resolve(exit)
              })(Effect.exit(fx))
              if (!open || fork(task) === null) resolve(released)
            })
        }
        const release = Effect.suspend(() => {
          open = false
          return LowLevel.cancelScope(LowLevel.childrenScope(nursery), 'the dispatcher was released')
        })
        return Effect.ensuring(release)(use(dispatcher))
      })(LowLevel.forkUnsafe<R>(nursery))
    )
  )
