/**
 * A suite for byte streams of your own: what every protocol on top relies on. `MemoryByteStream`, TCP and TLS pass it.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { type ByteStream, CancelScope, Effect, Resource, type Task, TaskGroup } from 'millrace'
import { type Check, type Draw, endOf, firstOf, lawsOf, same } from './Check.js'
import { type LawSet, lawSet } from './LawSet.js'

type Fx<A> = Effect.Effect<unknown, unknown, A>
type Stream = ByteStream.ByteStream<unknown, object>

/**
 * What a byte stream claims.
 *
 * @category model
 * @since 0.1.0
 */
export interface ByteStreamClaims {
  /** Of the set. */
  readonly name?: string
  /** Two connected ends, closed at the end. */
  readonly pair: Resource.Resource<unknown, unknown, readonly [Stream, Stream]>
  /** It has `sendEof`; true when absent. TLS before 1.3 has none. */
  readonly halfClose?: boolean
  /** How many bytes are sent at most; 3,000 when absent. More than the host buffers shows back-pressure. */
  readonly most?: number
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(chunks.reduce((n, { length }) => n + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

const hashOf = (bytes: Uint8Array): string => {
  let hash = 17
  for (const byte of bytes) hash = (hash * 31 + byte) | 0
  return `${bytes.length} bytes, ${hash}`
}

/** Receives to the end, by `receive` or by `receiveUpTo`. */
const receiveAll = (stream: Stream, sizes: ReadonlyArray<number>): Fx<ReadonlyArray<Uint8Array>> =>
  Effect.gen(function* () {
    const chunks: Array<Uint8Array> = []
    for (let i = 0; ; i++) {
      const size = sizes[i % sizes.length] ?? 0
      const got = yield* Effect.exit(size === 0 ? stream.receive : stream.receiveUpTo(size))
      if (got._tag === 'Left') {
        if (endOf(got) === 'EndOfStream') return chunks
        return yield* Effect.failCause(got.left)
      }
      if (got.right.length === 0) return yield* Effect.fail('a chunk is empty')
      if (size > 0 && got.right.length > size) return yield* Effect.fail(`more than ${size} bytes`)
      chunks.push(got.right)
    }
  })

const sendAll = (stream: Stream, chunks: ReadonlyArray<Uint8Array>): Fx<void> =>
  Effect.forEach((chunk: Uint8Array) => stream.send(chunk))(chunks)

const sizes = fc.array(fc.nat(5), { minLength: 1, maxLength: 3 })
const chunksUpTo = (most: number): fc.Arbitrary<ReadonlyArray<Uint8Array>> =>
  fc.array(fc.uint8Array({ minLength: 1, maxLength: Math.ceil(most / 5), size: 'max' }), { maxLength: 5 })

/** Runs beside each other; the first result counts once both are over. */
const beside = <A>(first: Fx<A>, second: Fx<unknown>): Fx<A> =>
  TaskGroup.open<unknown>()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(second)
      return yield* first
    })
  )

/** Waits in the background; it has begun to wait when this is over. */
const waiting = (
  group: TaskGroup.TaskGroup<unknown>,
  fx: Fx<unknown>
): Effect.Effect<unknown, never, Task.Task<never, string>> =>
  Effect.gen(function* () {
    const task = yield* group.spawn(Effect.map(endOf)(Effect.exit(fx)))
    for (let i = 0; i < 20; i++) yield* Effect.yieldNow
    return task
  })

const ends = (fx: Fx<unknown>): Effect.Effect<unknown, never, string> => Effect.map(endOf)(Effect.exit(fx))

/**
 * The checks by themselves, for streams that need real time.
 *
 * @category checks
 * @since 0.1.0
 */
export const byteStreamChecks = ({
  pair,
  halfClose = true,
  most = 3000
}: ByteStreamClaims): ReadonlyArray<Check> => {
  const check = (name: string, on: (a: Stream, b: Stream, draw: Draw) => Fx<string | null>): Check => ({
    name,
    on: (draw) =>
      pipe(
        pair,
        Resource.use(([a, b]) => on(a, b, draw))
      )
  })
  /** Ends the sending side, by closing where there is no other way. */
  const end = (stream: Stream): Fx<void> => (halfClose ? stream.sendEof : stream.close)
  const checks = [
    check(
      'W1 what is sent is received, whole and in order, however it is cut; no chunk is empty',
      (a, b, draw) =>
        Effect.gen(function* () {
          const chunks = draw(chunksUpTo(most))
          const got = yield* beside(receiveAll(b, draw(sizes)), Effect.andThen(end(a))(sendAll(a, chunks)))
          return same(hashOf(joined(got)), hashOf(joined(chunks)))
        })
    ),
    check('W2 the end is found again and again', (a, b) =>
      Effect.gen(function* () {
        yield* end(a)
        return same(
          [yield* ends(b.receive), yield* ends(b.receiveUpTo(1)), yield* ends(b.receiveMany(3))],
          ['EndOfStream', 'EndOfStream', 'EndOfStream']
        )
      })
    ),
    check('W3 both directions go on at the same time', (a, b, draw) =>
      Effect.gen(function* () {
        const [there, back] = [draw(chunksUpTo(most)), draw(chunksUpTo(most))]
        const one = joined([...there, bytesOf('x')])
        const other = joined([...back, bytesOf('y')])
        const exactly = (stream: Stream, n: number): Fx<Uint8Array> =>
          Effect.gen(function* () {
            const got: Array<Uint8Array> = []
            for (let left = n; left > 0;) {
              const chunk = yield* stream.receiveUpTo(left)
              left -= chunk.length
              got.push(chunk)
            }
            return joined(got)
          })
        const [atB, atA] = yield* beside(
          beside(
            Effect.gen(function* () {
              return [yield* exactly(b, one.length), yield* exactly(a, other.length)] as const
            }),
            sendAll(a, [one])
          ),
          sendAll(b, [other])
        )
        return firstOf([same(hashOf(atB), hashOf(one)), same(hashOf(atA), hashOf(other))])
      })
    ),
    check('W4 a receive that is cancelled takes nothing', (a, b, draw) =>
      TaskGroup.open<unknown>()((group) =>
        Effect.gen(function* () {
          const task = yield* waiting(group, b.receive)
          yield* task.cancel()
          yield* task.wait
          const chunks = [bytesOf('first'), ...draw(chunksUpTo(most))]
          const got = yield* beside(receiveAll(b, [0]), Effect.andThen(end(a))(sendAll(a, chunks)))
          return same(hashOf(joined(got)), hashOf(joined(chunks)))
        })
      )
    ),
    check('W5 a second receive fails as busy, and does not disturb the first', (a, b) =>
      TaskGroup.open<unknown>()((group) =>
        Effect.gen(function* () {
          const first = yield* waiting(group, b.receive)
          const second = yield* ends(b.receive)
          yield* a.send(bytesOf('x'))
          return same([yield* first.join, second], ['value', 'BusyResource'])
        })
      )
    ),
    check('W6 receiveUpTo of less than one byte is a defect, and receives nothing', (a, b) =>
      Effect.gen(function* () {
        const problem = same(
          [yield* ends(b.receiveUpTo(0)), yield* ends(b.receiveUpTo(1.5))],
          ['defect', 'defect']
        )
        const got = yield* beside(b.receive, a.send(bytesOf('x')))
        return problem ?? same([...got], [120])
      })
    ),
    check('W7 after close every operation fails as closed, also after the end', (a, b, draw) =>
      Effect.gen(function* () {
        if (draw(fc.boolean())) {
          yield* end(b)
          yield* receiveAll(a, [0])
        }
        yield* a.close
        yield* a.close
        return same(
          [yield* ends(a.receive), yield* ends(a.receiveUpTo(1)), yield* ends(a.send(bytesOf('x')))],
          ['ClosedResource', 'ClosedResource', 'ClosedResource']
        )
      })
    ),
    check('W8 closing wakes who waits, with ClosedResource', (a) =>
      TaskGroup.open<unknown>()((group) =>
        Effect.gen(function* () {
          const task = yield* waiting(group, a.receive)
          yield* a.close
          return same(yield* task.join, 'ClosedResource')
        })
      )
    ),
    check('W9 closing works in a cancelled scope', (a) =>
      Effect.gen(function* () {
        yield* CancelScope.open((scope) => Effect.andThen(a.close)(scope.cancel()))
        return same(yield* ends(a.receive), 'ClosedResource')
      })
    ),
    check('W10 the peer of a closed end finds the end; sending to it fails as broken before long', (a, b) =>
      Effect.gen(function* () {
        yield* a.close
        const end = yield* ends(b.receive)
        let sent = 'value'
        for (let i = 0; i < 1000 && sent === 'value'; i++) {
          sent = yield* ends(b.send(new Uint8Array(10_000)))
          yield* Effect.sleep(0)
        }
        return firstOf([
          end === 'EndOfStream' || end === 'BrokenResource' ? null : `receiving ended with ${end}`,
          same(sent, 'BrokenResource')
        ])
      })
    )
  ]
  if (!halfClose) return checks
  return [
    ...checks,
    check('W11 half-close leaves the other direction open', (a, b, draw) =>
      Effect.gen(function* () {
        yield* a.sendEof
        const chunks = draw(chunksUpTo(most))
        const atB = yield* receiveAll(b, [0])
        const atA = yield* beside(receiveAll(a, draw(sizes)), Effect.andThen(b.sendEof)(sendAll(b, chunks)))
        return firstOf([same(atB.length, 0), same(hashOf(joined(atA)), hashOf(joined(chunks)))])
      })
    ),
    check('W12 sendEof twice does nothing; a send after it fails as closed', (a) =>
      Effect.gen(function* () {
        yield* a.sendEof
        yield* a.sendEof
        return same(yield* ends(a.send(bytesOf('x'))), 'ClosedResource')
      })
    )
  ]
}

/**
 * The suite as laws, for streams that live in virtual time.
 *
 * @category law sets
 * @since 0.1.0
 */
export const byteStream = (claims: ByteStreamClaims): LawSet => {
  const name = claims.name ?? 'byte stream'
  return lawSet(name, lawsOf(name, byteStreamChecks(claims)))
}
