/** Text, lines and JSON over 100 MB, and six stages of map and filter: the layers beside the same work in one loop. */
import * as Either from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { type ByteStream, Effect, Json, Layer, Lines, Runtime, Stream, Text, Transducer } from 'millrace'
import type { Row } from './row.js'

const MB = 1024 * 1024
const chunkSize = 65_536
const times = 25

const Message = t.type({ id: t.number, user: t.string, text: t.string, n: t.number, tags: t.array(t.string) })

interface Data {
  /** 4 MB in chunks that cut lines and characters anywhere; received 25 times over. */
  readonly chunks: ReadonlyArray<ByteStream.Bytes>
  readonly lines: number
}

let made: Data | null = null

const data = (): Data => {
  if (made !== null) return made
  const parts: Array<string> = []
  for (let i = 0, size = 0; size < 4 * MB; i++) {
    const line = `${JSON.stringify({
      id: i,
      user: `user${i % 997}`,
      text: i % 7 === 0 ? 'grüße aus köln €' : 'hello from the other side',
      n: i % 10,
      tags: ['a', 'b']
    })}\n`
    parts.push(line)
    size += line.length
  }
  const bytes = new TextEncoder().encode(parts.join(''))
  const chunks: Array<ByteStream.Bytes> = []
  for (let at = 0; at < bytes.length; at += chunkSize) chunks.push(bytes.subarray(at, at + chunkSize))
  made = { chunks, lines: parts.length }
  return made
}

function* manyChunks(): Generator<ByteStream.Bytes> {
  const { chunks } = data()
  for (let i = 0; i < times; i++) yield* chunks
}

/** Decodes chunk by chunk, and never cuts a character. */
class Utf8 {
  private rest: ByteStream.Bytes | null = null
  private readonly decoder = new TextDecoder('utf-8', { fatal: true })

  next(chunk: ByteStream.Bytes): string {
    let bytes = chunk
    if (this.rest !== null) {
      bytes = new Uint8Array(this.rest.length + chunk.length)
      bytes.set(this.rest)
      bytes.set(chunk, this.rest.length)
      this.rest = null
    }
    const { length } = bytes
    let cut = length
    for (let k = 1; k <= 3 && k <= length; k++) {
      const byte = bytes[length - k] as number
      if (byte < 0x80) break
      if (byte < 0xc0) continue
      if ((byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > k) {
        cut = length - k
        this.rest = bytes.slice(cut)
      }
      break
    }
    return this.decoder.decode(cut === length ? bytes : bytes.subarray(0, cut))
  }
}

const eachLine = (each: (line: string) => void): void => {
  const utf8 = new Utf8()
  let rest = ''
  for (const chunk of manyChunks()) {
    const text = rest + utf8.next(chunk)
    let from = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      each(text.slice(from, at))
      from = at + 1
    }
    rest = text.slice(from)
  }
  if (rest !== '') each(rest)
}

const received = <A>(
  layer: Layer.SidedLayer<ByteStream.Bytes, ByteStream.Bytes, A, never, unknown>,
  count: (a: A) => number
): number =>
  Runtime.runSync(
    pipe(
      Stream.fromIterable(manyChunks()),
      Effect.map((chunks) => layer.receiving(chunks)),
      Effect.flatMap(Stream.fold(0, (sum, a: A) => sum + count(a))),
      Effect.orDie
    )
  )

const sumOfDigits = (): number => {
  let sum = 0
  for (let i = 0; i < data().lines; i++) sum += i % 10
  return sum * times
}

const numbers = 5_000_000
const step = 5_000

function* manyNumbers(): Generator<ReadonlyArray<number>> {
  for (let from = 0; from < numbers; from += step) yield Array.from({ length: step }, (_, i) => from + i)
}

const six = pipe(
  Transducer.map((n: number) => n + 1),
  Transducer.compose(Transducer.filter((n: number) => n % 3 !== 0)),
  Transducer.compose(Transducer.map((n: number) => n * 2)),
  Transducer.compose(Transducer.filter((n: number) => n % 5 !== 0)),
  Transducer.compose(Transducer.map((n: number) => n ^ 7)),
  Transducer.compose(Transducer.map((n: number) => n - 1))
)

const sixByHand = (): number => {
  let sum = 0
  for (const chunk of manyNumbers()) {
    for (const n of chunk) {
      let x = n + 1
      if (x % 3 === 0) continue
      x *= 2
      if (x % 5 === 0) continue
      x ^= 7
      sum += (x - 1) & 7
    }
  }
  return sum
}

const flattened: Transducer.Transducer<ReadonlyArray<number>, number> = {
  open: () => ({
    step: (chunks, count, out) => {
      for (let i = 0; i < count; i++) for (const n of chunks[i] ?? []) out.push(n)
      return 'more'
    },
    end: () => 'more'
  })
}

export const rows: ReadonlyArray<Row> = [
  {
    id: 'LJ',
    title: 'text, lines and JSON checked by io-ts, 100 MB',
    operations: 1,
    get expected() {
      return sumOfDigits()
    },
    native: 'one loop over the chunks',
    systems: {
      millrace: () => received(Json.lines(Message), ({ n }) => n),
      native: () => {
        let sum = 0
        eachLine((line) => {
          const message = Message.decode(JSON.parse(line))
          if (Either.isLeft(message)) throw new Error('not a message')
          sum += message.right.n
        })
        return sum
      }
    }
  },
  {
    id: 'LL',
    title: 'text and lines, 100 MB',
    operations: 1,
    get expected() {
      return data().lines * times
    },
    native: 'one loop over the chunks',
    systems: {
      millrace: () => received(pipe(Text.layer(), Layer.compose(Lines.layer())), () => 1),
      native: () => {
        let count = 0
        eachLine(() => {
          count++
        })
        return count
      }
    }
  },
  {
    id: 'LS',
    title: 'six stages of map and filter, 5 M numbers in chunks',
    operations: numbers,
    get expected() {
      return sixByHand()
    },
    native: 'one loop',
    systems: {
      millrace: () =>
        Runtime.runSync(
          pipe(
            Stream.fromIterable(manyNumbers()),
            Effect.map(Stream.via(pipe(flattened, Transducer.compose(six)))),
            Effect.flatMap(Stream.fold(0, (sum, n: number) => sum + (n & 7)))
          )
        ),
      native: sixByHand
    }
  }
]
