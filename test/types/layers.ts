// Attributes, streams and layers: what is inferred, and what must not compile. Compiling it is the test.
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import type { ObjectStream } from 'millrace'
import {
  Attribute,
  Attributes,
  Buffered,
  type ByteStream,
  Codec,
  type Connectable,
  Effect,
  Framing,
  Json,
  Layer,
  Lines,
  Listener,
  MemoryStream,
  Provider,
  Resource,
  type ResourceError,
  SocketAttribute,
  Stapled,
  Stream,
  type StreamError,
  Text,
  Tls,
  Transducer
} from 'millrace'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <_T extends true>(): void => undefined

interface FileRow {
  readonly 'file/path': string
}
interface FileFailed {
  readonly _tag: 'FileFailed'
}
type FileError = FileFailed | ResourceError.ResourceError
type Socket = ByteStream.ByteStream<ResourceError.ResourceError, SocketAttribute.SocketRow>
type TlsLayer = Layer.Layer<
  ByteStream.Bytes,
  ByteStream.Bytes,
  ByteStream.Bytes,
  ByteStream.Bytes,
  Tls.TlsFailed,
  Tls.TlsRow
>

declare const socket: Socket
declare const unix: ByteStream.ByteStream<ResourceError.ResourceError, SocketAttribute.UnixRow>
declare const file: ByteStream.ByteReceiveStream<FileError, FileRow>
declare const out: ByteStream.ByteSendStream<FileError, FileRow>
declare const udp: ObjectStream.UnreliableDuplexStream<ByteStream.Bytes, ByteStream.Bytes>
declare const server: Listener.Listener<Socket, never, SocketAttribute.LocalRow>
declare const connectable: Connectable.Connectable<Socket>
declare const tls: TlsLayer
const Req = t.type({ q: t.string })
type Req = t.TypeOf<typeof Req>
const Res = t.type({ a: t.number })
type Res = t.TypeOf<typeof Res>
const json = Json.lines(Req)

// ---------------------------------------------------------------- attributes

const session = Attribute.attribute<string>()('acme/session')
declare const sym1: unique symbol
declare const sym2: unique symbol
const one = Attribute.attribute<string>()(sym1)
const two = Attribute.attribute<number>()(sym2)
const both = pipe(
  Attributes.of(one, () => 'a'),
  Attributes.extend(Attributes.of(two, () => 1))
)
is<
  Equal<
    Attribute.RowOf<typeof session> & Attribute.RowOf<typeof one>,
    { readonly 'acme/session': string } & { readonly [sym1]: string }
  >
>()
export const first: string = Attributes.get(one)(both)
export const second: number = Attributes.get(two)(both)
is<Equal<ReturnType<ReturnType<typeof Attributes.lookup<'acme/session', string>>>, Option<string>>>()
Attributes.lookup(session)(socket.attributes)
// @ts-expect-error a socket has no cipher
Provider.extra(Tls.cipher)(socket)
// @ts-expect-error nothing is known of an empty row
Attributes.get(session)(Attributes.empty)
// @ts-expect-error the value has the type of the key
Attributes.of(session, () => 1)
// @ts-expect-error a thunk and not a value: values are computed when they are asked for
Attributes.of(session, 'abc')
// @ts-expect-error the same key with another type: the row says string
Attributes.get(Attribute.attribute<number>()('acme/session'))(Attributes.of(session, () => 'x'))
// @ts-expect-error a UNIX socket has no port
Provider.extra(SocketAttribute.remotePort)(unix)
// @ts-expect-error an attribute of string is none of unknown: it is read and written
export const widened: Attribute.Attribute<'acme/session', unknown> = session
// @ts-expect-error what a listener has are not the attributes of its connections
Provider.extra(SocketAttribute.remoteAddress)(server)
// A provider with more serves where less is asked for.
export const few: Provider.Provider<SocketAttribute.LocalRow> = socket

// Rows shine through five layers, also in code that is generic in the row.
const five = pipe(
  tls,
  Layer.compose(Framing.lengthPrefixed({ maxBytes: 100 })),
  Layer.compose(Text.layer()),
  Layer.compose(Lines.layer()),
  Layer.compose(Json.layer(Req))
)
type Decoding =
  | StreamError.DecodeFailed
  | StreamError.DelimiterNotFound
  | StreamError.IncompleteRead
  | StreamError.FrameTooLarge
is<
  Equal<
    typeof five,
    Layer.Layer<ByteStream.Bytes, ByteStream.Bytes, Req, Req, Tls.TlsFailed | Decoding, Tls.TlsRow>
  >
>()
export const throughFive = <E, Row extends Attribute.RowOf<typeof SocketAttribute.remoteAddress>>(
  stream: ObjectStream.DuplexStream<Uint8Array, Uint8Array, E, Row>
) =>
  pipe(
    stream,
    Layer.through(five),
    Resource.map(
      (above) =>
        [Provider.extra(Tls.cipher)(above), Provider.extra(SocketAttribute.remoteAddress)(above)] as const
    )
  )
throughFive(socket)
// @ts-expect-error what is below has no remote address
throughFive({} as ObjectStream.DuplexStream<Uint8Array, Uint8Array>)

// ---------------------------------------------------------------- layers

type Lined = StreamError.DecodeFailed | StreamError.DelimiterNotFound | StreamError.IncompleteRead
const onFile = pipe(file, Layer.through(json))
is<Equal<typeof onFile, ObjectStream.ReceiveStream<Req, Lined | FileError, FileRow>>>()
const onOut = pipe(out, Layer.through(json))
is<Equal<typeof onOut, ObjectStream.SendStream<Req, Lined | FileError, FileRow>>>()
const onSocket = pipe(socket, Layer.through(json))
is<
  Equal<
    typeof onSocket,
    ObjectStream.DuplexStream<Req, Req, Lined | ResourceError.ResourceError, SocketAttribute.SocketRow>
  >
>()
const secured = pipe(tls, Layer.compose(json))
const onServer = pipe(server, Layer.through(secured))
is<
  Equal<
    typeof onServer,
    Listener.Listener<
      ObjectStream.DuplexStream<
        Req,
        Req,
        Lined | Tls.TlsFailed | ResourceError.ResourceError,
        SocketAttribute.SocketRow & Tls.TlsRow
      >,
      Lined | Tls.TlsFailed | ResourceError.ResourceError,
      SocketAttribute.LocalRow
    >
  >
>()
const client = pipe(connectable, Layer.through(Json.lines({ receive: Res, send: Req })))
is<
  Equal<
    typeof client,
    Connectable.Connectable<
      ObjectStream.DuplexStream<Res, Req, Lined | ResourceError.ResourceError, SocketAttribute.SocketRow>
    >
  >
>()
const stacked = pipe(socket, Layer.through(Text.layer()), Layer.through(Lines.layer()))
const composed = pipe(socket, Layer.through(pipe(Text.layer(), Layer.compose(Lines.layer()))))
is<Equal<typeof stacked, typeof composed>>()
// @ts-expect-error TLS needs both directions: not on a file
pipe(file, Layer.through(tls))
// @ts-expect-error nor on a send stream
pipe(out, Layer.through(tls))
// @ts-expect-error a stack with TLS in it is no sided layer
pipe(file, Layer.through(secured))
// @ts-expect-error lines are over text, not over bytes
pipe(socket, Layer.through(Lines.layer()))
// @ts-expect-error in a stack as well
pipe(Lines.layer(), Layer.compose(Text.layer()))
// @ts-expect-error text is over bytes, and this one sends numbers
pipe({} as ObjectStream.DuplexStream<Uint8Array, number>, Layer.through(Text.layer()))
// @ts-expect-error framing relies on order and completeness: not on datagrams
pipe(udp, Layer.through(Framing.lengthPrefixed({ maxBytes: 100 })))
pipe(
  client,
  // @ts-expect-error the client sends requests, not responses
  Resource.use((stream) => stream.send({ a: 1 }))
)
// @ts-expect-error a layer with a set-up gives a resource, not a stream
export const early = pipe(socket, Layer.through(tls)).receive
// @ts-expect-error the codec must start from what is on the wire: this one wants a number
pipe(socket, Layer.through(Text.layer()), Layer.through(Codec.layer({} as t.Type<Date, string, number>)))
// A layer that reads more and writes less stands in.
export const narrow: Layer.Layer<Uint8Array, Uint8Array, Req | Res, Req, Lined> = json
// @ts-expect-error one that can fail is not one that cannot
export const infallible: Layer.Layer<Uint8Array, Uint8Array, Req, Req> = json
const renamed = pipe(
  json,
  Layer.mapError((e: Lined) => ({ _tag: 'Rejected' as const, e }))
)
is<
  Equal<
    typeof renamed,
    Layer.SidedLayer<ByteStream.Bytes, ByteStream.Bytes, Req, Req, { _tag: 'Rejected'; e: Lined }>
  >
>()
const labelled = pipe(tls, Layer.withAttributes(Attributes.of(session, () => 's')))
is<
  Equal<
    typeof labelled extends Layer.Layer<never, unknown, unknown, never, unknown, infer Row> ? Row : never,
    Tls.TlsRow & { readonly 'acme/session': string }
  >
>()

// ---------------------------------------------------------------- streams and failures

is<Equal<Effect.ErrorOf<typeof socket.receive>, ResourceError.ResourceError | StreamError.EndOfStream>>()
is<Equal<Effect.ErrorOf<ReturnType<typeof socket.send>>, ResourceError.ResourceError>>()
const buffered = pipe(
  socket,
  Buffered.make,
  Effect.flatMap((stream) =>
    pipe(
      stream.receiveUntil('\n', 100),
      Effect.catchTag('DelimiterNotFound', (e) => Effect.succeed(e.maxBytes))
    )
  )
)
is<
  Equal<
    Effect.ErrorOf<typeof buffered>,
    ResourceError.ResourceError | StreamError.EndOfStream | StreamError.IncompleteRead
  >
>()
const drained = pipe(
  onFile,
  Stream.forEach(() => Effect.unit)
)
is<Equal<Effect.ErrorOf<typeof drained>, Lined | FileError>>()
const precise = pipe(out, Stream.into(Text.encode()))
is<Equal<typeof precise, ObjectStream.SendStream<string, FileError | StreamError.DecodeFailed, FileRow>>>()
pipe(
  socket.send(new Uint8Array(1)),
  // @ts-expect-error sending never meets the end of a stream
  Effect.catchTag('EndOfStream', () => Effect.unit)
)
// @ts-expect-error a receive stream cannot send
export const noSend = onFile.send
pipe(
  onSocket,
  // @ts-expect-error a stream gives what its codec says
  Stream.forEach((_: Res) => Effect.unit)
)
// @ts-expect-error datagrams are not accepted where order matters
Stream.forEach(() => Effect.unit)(udp)
pipe(
  Transducer.map((n: number) => n + 1),
  // @ts-expect-error the types of the two stages do not meet
  Transducer.compose(Lines.decode())
)
pipe(
  MemoryStream.make<number>(1),
  // @ts-expect-error a memory stream of numbers takes numbers
  Effect.flatMap(([send]) => send.send('1'))
)
// @ts-expect-error under TLS a connection can fail to be set up, which `onError: 'fail'` shows
export const silent: Effect.Effect<unknown, ResourceError.ResourceError, void> = pipe(
  onServer,
  Listener.serve(() => Effect.unit, { onError: 'fail' })
)
export const reported: Effect.Effect<unknown, ResourceError.ResourceError, void> = pipe(
  onServer,
  Listener.serve(() => Effect.fail('handler'))
)
const stapled = Stapled.objects(onFile, onOut)
is<Equal<typeof stapled, ObjectStream.DuplexStream<Req, Req, Lined | FileError, FileRow>>>()
const several = Stapled.listeners(server, onServer)
is<
  Equal<
    typeof several extends Listener.Listener<infer S, infer _E> ? S : never,
    Socket | (typeof onServer extends Listener.Listener<infer S, infer _E> ? S : never)
  >
>()
