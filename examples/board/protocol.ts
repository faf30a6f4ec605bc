/** What goes over the wire: one JSON document a line, both ways, checked by io-ts on receipt. */
import * as t from 'io-ts'
import { Json, type ObjectStream, type ResourceError } from 'millrace'
import type { StreamError } from 'millrace'
import type { Tls } from 'millrace/node'

export const Post = t.type({ id: t.number, from: t.string, text: t.string }, 'Post')
export type Post = t.TypeOf<typeof Post>

/** `after`: posts with a higher number only; 0 for all. */
export const Request = t.union(
  [
    t.type({ type: t.literal('post'), from: t.string, text: t.string }),
    t.type({ type: t.literal('list'), after: t.number }),
    t.type({ type: t.literal('follow'), after: t.number })
  ],
  'Request'
)
export type Request = t.TypeOf<typeof Request>

export const Response = t.union(
  [
    /** The post is on the board, and everybody who follows will see it. */
    t.type({ type: t.literal('posted'), id: t.number }),
    t.type({ type: t.literal('listed'), posts: t.array(Post) }),
    /** Some more posts for a follower, each once and in order. */
    t.type({ type: t.literal('news'), posts: t.array(Post) }),
    t.type({ type: t.literal('refused'), reason: t.string })
  ],
  'Response'
)
export type Response = t.TypeOf<typeof Response>

/** Longer lines are refused before they are in memory. */
const maxLength = 64 * 1024

export const serverLayer = Json.lines({ receive: Request, send: Response }, { maxLength })
export const clientLayer = Json.lines({ receive: Response, send: Request }, { maxLength: 1024 * 1024 })

type WireFailure =
  | Tls.TlsFailed
  | ResourceError.ResourceError
  | StreamError.DecodeFailed
  | StreamError.DelimiterNotFound
  | StreamError.IncompleteRead

export type ServerEnd = ObjectStream.DuplexStream<Request, Response, WireFailure>
export type ClientEnd = ObjectStream.DuplexStream<Response, Request, WireFailure>
