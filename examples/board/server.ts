/** The board on a listener: a task a connection, in which its requests are answered one after the other. */
import { pipe } from 'fp-ts/lib/function.js'
import {
  CancelScope,
  Cause,
  Effect,
  Layer,
  Listener,
  Resource,
  type SocketAttribute,
  Stream,
  TaskGroup
} from 'millrace'
import { Tls } from 'millrace/node'
import type { Board } from './board.js'
import { type Post, type Request, type Response, type ServerEnd, serverLayer } from './protocol.js'

export interface Certified {
  readonly cert: string
  readonly key: string
}

/** What the server counts, for whoever wants to look. */
export interface Figures {
  connections: number
  delivered: number
}

const news = (posts: ReadonlyArray<Post>): Response => ({ type: 'news', posts: [...posts] })

/**
 * Answers until the client has no more questions, or the server is shutting down. Then the board takes no more posts, and
 * whoever follows still gets all that were accepted: only `receive` is cut short, never an answer.
 */
const converse = (board: Board, figures: Figures) => (client: ServerEnd) =>
  TaskGroup.open<Effect.ErrorOf<ReturnType<ServerEnd['send']>>>()((group) =>
    Effect.gen(function* () {
      const feeds: Array<Effect.Effect<unknown, never, unknown>> = []
      const deliver = (posts: ReadonlyArray<Post>) =>
        pipe(
          client.send(news(posts)),
          Effect.map(() => {
            figures.delivered += posts.length
          })
        )
      const answer = (request: Request) =>
        Effect.gen(function* () {
          switch (request.type) {
            case 'post': {
              const posted = yield* Effect.either(board.post(request.from, request.text))
              return yield* client.send(
                posted._tag === 'Right'
                  ? { type: 'posted', id: posted.right.id }
                  : { type: 'refused', reason: 'The board is closed.' }
              )
            }
            case 'list':
              return yield* client.send({ type: 'listed', posts: [...(yield* board.list(request.after))] })
            case 'follow': {
              const feed = yield* board.follow(request.after)
              // A service: it ends with the conversation.
              const task = yield* group.spawn(Stream.forEach(deliver)(feed), { service: true })
              feeds.push(task.wait)
            }
          }
        })
      for (;;) {
        const request = yield* CancelScope.untilDrain(client.receive)
        if (request._tag === 'None') break
        yield* answer(request.value)
      }
      yield* board.close
      for (const over of feeds) yield* over
      yield* client.sendEof
    })
  )

/** A client that has left is no failure; one that speaks something else is told so. */
const conversation = (board: Board, figures: Figures) => (client: ServerEnd) =>
  pipe(
    Effect.sync(() => {
      figures.connections++
    }),
    Effect.andThen(converse(board, figures)(client)),
    Effect.catchTag('EndOfStream', () => Effect.unit),
    Effect.catchTag('DecodeFailed', (e) =>
      client.send({ type: 'refused', reason: e.errors[0]?.message ?? `This is no ${e.layer}.` })
    ),
    Effect.ensuring(
      Effect.sync(() => {
        figures.connections--
      })
    )
  )

export interface Options extends Certified {
  readonly host: string
  /** 0 for one that is free. */
  readonly port: number
}

export type BoardListener = Listener.Listener<ServerEnd, unknown, SocketAttribute.LocalRow>

export const listen = (options: Options): Resource.Resource<unknown, unknown, BoardListener> =>
  pipe(Tls.listen(options), Resource.map(Layer.through(serverLayer)))

/** Until it is cancelled, or a scope around it drains: then it has ended when all clients have what was accepted. */
export const serve =
  (board: Board, figures: Figures, log: (line: string) => void) => (listener: BoardListener) =>
    pipe(
      listener,
      Listener.serve(conversation(board, figures), {
        onError: (cause) =>
          Effect.sync(() => {
            log(`a connection has failed: ${Cause.pretty(cause)}`)
          })
      })
    )
