/**
 * The board itself: posts in the order in which they were accepted. It knows nothing of connections.
 *
 * A follower is a position. Nothing is kept for anybody, so one that is slow costs no memory and holds up nobody, and none
 * can miss a post.
 */
import * as O from 'fp-ts/lib/Option.js'
import { Effect, Event, type ObjectStream, Stream } from 'millrace'
import type { Post } from './protocol.js'

export interface Closed {
  readonly _tag: 'Closed'
}

export interface Board {
  /** When this is over the post is accepted: every follower will see it. */
  readonly post: (from: string, text: string) => Effect.Effect<unknown, Closed, Post>
  readonly list: (after: number) => Effect.Effect<unknown, never, ReadonlyArray<Post>>
  /** As many posts at once as there are, up to a bound. It ends when the board is closed, after the last post. */
  readonly follow: (
    after: number
  ) => Effect.Effect<unknown, never, ObjectStream.ReceiveStream<ReadonlyArray<Post>>>
  /** No more posts. */
  readonly close: Effect.Effect<unknown, never, void>
  readonly size: Effect.Effect<unknown, never, number>
}

/** The most posts in one message. */
const atOnce = 100

export const makeBoard: Effect.Effect<unknown, never, Board> = Effect.gen(function* () {
  const posts: Array<Post> = []
  let isClosed = false
  let changed = yield* Event.make()
  const tell = Effect.gen(function* () {
    const before = changed
    changed = yield* Event.make()
    yield* before.set
  })

  const next = (
    after: number
  ): Effect.Effect<unknown, never, O.Option<readonly [ReadonlyArray<Post>, number]>> =>
    Effect.suspend(() => {
      if (after < posts.length) {
        const some = posts.slice(after, after + atOnce)
        return Effect.succeed(O.some([some, after + some.length] as const))
      }
      if (isClosed) return Effect.succeed(O.none)
      return Effect.flatMap(() => next(after))(changed.wait)
    })

  return {
    post: (from, text) =>
      Effect.gen(function* () {
        if (isClosed) return yield* Effect.fail<Closed>({ _tag: 'Closed' })
        const post: Post = { id: posts.length + 1, from, text }
        posts.push(post)
        yield* tell
        return post
      }),
    list: (after) => Effect.sync(() => posts.slice(Math.max(0, after)).slice(0, atOnce)),
    follow: (after) => Stream.unfold(Math.max(0, after), next),
    close: Effect.suspend(() => {
      isClosed = true
      return tell
    }),
    size: Effect.sync(() => posts.length)
  }
})
