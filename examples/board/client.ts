/** A client: questions have answers, and the posts that it follows are a stream. */
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Layer, Lock, MemoryStream, type ObjectStream, Resource, TaskGroup } from 'millrace'
import { Tls } from 'millrace/node'
import { type ClientEnd, clientLayer, type Post, type Request, type Response } from './protocol.js'

export interface Refused {
  readonly _tag: 'Refused'
  readonly reason: string
}

/** The server has left, or the connection is broken. */
export interface Gone {
  readonly _tag: 'Gone'
  readonly cause: unknown
}

export interface Client {
  /** The number of the post, once it is accepted. */
  readonly post: (from: string, text: string) => Effect.Effect<unknown, Refused | Gone, number>
  readonly list: (after: number) => Effect.Effect<unknown, Refused | Gone, ReadonlyArray<Post>>
  /** From now on {@link news} has all posts after that one. */
  readonly follow: (after: number) => Effect.Effect<unknown, Gone, void>
  /** Ends when the server has left. To be received all the time: answers come behind it. */
  readonly news: ObjectStream.ReceiveStream<ReadonlyArray<Post>, unknown>
}

export interface Options {
  readonly host: string
  readonly port: number
  readonly ca: string
}

type Answer = Exclude<Response, { readonly type: 'news' }>

const gone = (cause: unknown): Gone => ({ _tag: 'Gone', cause })

const over = (wire: ClientEnd): Resource.Resource<unknown, never, Client> =>
  Resource.fromUse((use) =>
    TaskGroup.open()((group) =>
      Effect.gen(function* () {
        const lock = yield* Lock.make()
        const [answers, answered] = yield* MemoryStream.make<Answer>(1)
        const [feed, news] = yield* MemoryStream.make<ReadonlyArray<Post>>(1)
        const closeAll = pipe(
          answers.close,
          Effect.andThen(feed.close),
          Effect.andThen(answered.close),
          Effect.andThen(news.close)
        )
        const sort = Effect.flatMap((response: Response) =>
          response.type === 'news' ? feed.send(response.posts) : answers.send(response)
        )(wire.receive)
        // Ends with the connection; who waits for an answer then finds the end of the answers.
        const reader = pipe(
          Effect.forever(sort),
          Effect.either,
          Effect.andThen(answers.close),
          Effect.andThen(feed.close)
        )
        yield* group.spawn(reader, { service: true, name: 'reader' })

        const send = (request: Request) => Effect.mapError(gone)(wire.send(request))
        // One question after the other: answers come in their order.
        const ask = (request: Request): Effect.Effect<unknown, Refused | Gone, Answer> =>
          lock.withLock(
            Effect.gen(function* () {
              yield* send(request)
              const answer = yield* Effect.mapError(gone)(answered.receive)
              if (answer.type === 'refused')
                return yield* Effect.fail<Refused>({ _tag: 'Refused', reason: answer.reason })
              return answer
            })
          )
        const client: Client = {
          post: (from, text) =>
            Effect.map((answer: Answer) => (answer.type === 'posted' ? answer.id : NaN))(
              ask({ type: 'post', from, text })
            ),
          list: (after) =>
            Effect.map((answer: Answer) => (answer.type === 'listed' ? answer.posts : []))(
              ask({ type: 'list', after })
            ),
          follow: (after) => send({ type: 'follow', after }),
          news
        }
        return yield* Effect.ensuring(closeAll)(use(client))
      })
    )
  )

export const connect = (options: Options): Resource.Resource<unknown, unknown, Client> =>
  pipe(Tls.connect(options), Layer.through(clientLayer), Resource.flatMap(over))
