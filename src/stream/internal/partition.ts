/**
 * One stream split into two.
 *
 * @internal
 */
import type { Either } from 'fp-ts/lib/Either.js'
import * as Effect from '../../effect/Effect.js'
import * as Resource from '../../scope/Resource.js'
import * as TaskGroup from '../../scope/TaskGroup.js'
import * as MemoryStream from '../MemoryStream.js'
import type { ReceiveStream } from '../ObjectStream.js'
import { type Handed, HandedStream, handingOn } from './filled.js'

export interface Sides<B, C, E, Attrs extends object> {
  readonly left: ReceiveStream<B, E, Attrs>
  readonly right: ReceiveStream<C, E, Attrs>
}

export const partitionTo = <A, B, C, E, Attrs extends object>(
  stream: ReceiveStream<A, E, Attrs>,
  lag: number,
  f: (a: A) => Either<B, C>,
  forEach: (f: (a: A) => Effect.Effect<unknown, never, void>) => Effect.Effect<unknown, E, void>
): Resource.Resource<unknown, never, Sides<B, C, E, Attrs>> =>
  Resource.fromUse(<R, E2, D>(use: (sides: Sides<B, C, E, Attrs>) => Effect.Effect<R, E2, D>) =>
    TaskGroup.open({ name: 'Stream.partition' })((group) =>
      Effect.gen(function* () {
        const [toLeft, left] = yield* MemoryStream.make<Handed<B, E>>(lag, { name: 'Stream.partition left' })
        const [toRight, right] = yield* MemoryStream.make<Handed<C, E>>(lag, {
          name: 'Stream.partition right'
        })
        let closedSides = 0
        // A side that was closed wants no more; the other one goes on. When both were, the task stops where it is, until it
        // is cancelled.
        const hand = <D2>(side: MemoryStream.MemorySendStream<Handed<D2, E>>, exit: Handed<D2, E>) =>
          Effect.orElse(() => (closedSides < 2 ? Effect.unit : Effect.never))(side.send(exit))
        const give = (a: A) =>
          Effect.suspend(() => {
            const which = f(a)
            return which._tag === 'Left'
              ? hand(toLeft, { _tag: 'Right', right: which.left })
              : hand(toRight, { _tag: 'Right', right: which.right })
          })
        // The failure must reach both, also when nobody receives from the one; after it comes the end.
        const fail = (exit: Handed<never, E>) =>
          TaskGroup.open()((both) =>
            Effect.andThen(both.spawn(Effect.andThen(toRight.close)(hand(toRight, exit))))(
              both.spawn(Effect.andThen(toLeft.close)(hand(toLeft, exit)))
            )
          )
        const work = handingOn<E>(fail)(forEach(give))
        const end = Effect.andThen(toRight.close)(toLeft.close)
        yield* group.spawn(Effect.andThen(end)(work), { name: 'Stream.partition', service: true })
        // Whoever closes the last side closes the stream below, which wakes the task where it receives.
        const closing = (side: Effect.Effect<unknown, never, void>) => {
          let isClosed = false
          return Effect.andThen(
            Effect.suspend(() => {
              if (isClosed) return Effect.unit
              isClosed = true
              closedSides++
              return closedSides === 2 ? stream.close : Effect.unit
            })
          )(side)
        }
        const sides = {
          left: new HandedStream<B, E, Attrs>(left, closing(left.close), stream.attributes),
          right: new HandedStream<C, E, Attrs>(right, closing(right.close), stream.attributes)
        }
        const close = Effect.ensuring(stream.close)(Effect.andThen(right.close)(left.close))
        return yield* Effect.ensuring(close)(use(sides))
      })
    )
  )
