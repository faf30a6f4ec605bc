// What layers and buffers make of arguments that make no sense, and of peers that send what they should not. Each input is
// received in all the ways in which it can be cut into chunks, and the same comes of all of them.
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import {
  Buffered,
  type Cause,
  Effect,
  Framing,
  Json,
  Layer,
  Lines,
  type ObjectStream,
  Stream,
  Text
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { wrong } from '../support/kernel.js'

type Bytes = Uint8Array
type Fx<A, E = never> = Effect.Effect<unknown, E, A>
type Input = string | ReadonlyArray<number>
type Receives = Fx<ObjectStream.ReceiveStream<unknown, unknown>>

const bytesOf = (input: Input): Bytes =>
  typeof input === 'string' ? new TextEncoder().encode(input) : Uint8Array.from(input)

/** All the ways to cut it into chunks. */
const cuts = (whole: Bytes): ReadonlyArray<ReadonlyArray<Bytes>> =>
  Array.from({ length: 2 ** Math.max(0, whole.length - 1) }, (_, way) => {
    const chunks: Array<Bytes> = []
    let from = 0
    for (let at = 1; at < whole.length; at++) {
      if ((way & (1 << (at - 1))) === 0) continue
      chunks.push(whole.subarray(from, at))
      from = at
    }
    return [...chunks, whole.subarray(from)]
  })

/** A failure and its numbers. */
const failureOf = (cause: Cause.Cause<unknown>): string => {
  if (cause._tag !== 'Fail') return cause._tag === 'Die' ? `Die ${String(cause.defect)}` : cause._tag
  const error = cause.error as { readonly _tag: string; readonly [key: string]: unknown }
  const numbers = Object.entries(error).flatMap(([key, value]) =>
    typeof value === 'number' && key !== 'missing' ? [`${key} ${value}`] : []
  )
  return [error._tag, ...numbers].join(' ')
}

const shown = (item: unknown): string =>
  item instanceof Uint8Array
    ? new TextDecoder().decode(item)
    : typeof item === 'string'
      ? item
      : JSON.stringify(item)

/** What is received until it fails, and with what. */
const receivedOf = (stream: Receives): ReadonlyArray<string> => {
  const items: Array<string> = []
  const program = Effect.flatMap(({ receive }: ObjectStream.ReceiveStream<unknown, unknown>) =>
    Effect.forever(
      Effect.map((item: unknown) => {
        items.push(shown(item))
      })(receive)
    )
  )(stream)
  const exit = TestRuntime.runExit(program)
  return exit._tag === 'Left' ? [...items, failureOf(exit.left)] : items
}

const through =
  <A>(layer: Layer.SidedLayer<Bytes, unknown, A, never, unknown>) =>
  (chunks: ReadonlyArray<Bytes>): Receives =>
    Effect.map((wire: ObjectStream.ReceiveStream<Bytes>) => pipe(wire, Layer.through(layer)))(
      Stream.fromIterable(chunks)
    )

const receives = (
  name: string,
  open: (chunks: ReadonlyArray<Bytes>) => Receives,
  cases: ReadonlyArray<readonly [Input, ...ReadonlyArray<string>]>
) => {
  for (const [input, ...expected] of cases) {
    it(`${name} of ${JSON.stringify(input)}: ${JSON.stringify(expected).slice(1, -1)}`, () => {
      for (const chunks of cuts(bytesOf(input))) {
        expect({
          chunks: chunks.map((chunk) => chunk.length),
          received: receivedOf(open(chunks))
        }).to.deep.equal({
          chunks: chunks.map((chunk) => chunk.length),
          received: expected
        })
      }
    })
  }
}

const noBounds = [-1, 1.5, NaN, -Infinity]

describe('odd arguments are refused where they are written', () => {
  const refused: ReadonlyArray<readonly [string, () => unknown, RegExp]> = [
    ...noBounds.flatMap((n): ReadonlyArray<readonly [string, () => unknown, RegExp]> => [
      [
        `Framing.delimited, maxBytes ${n}`,
        () => Framing.delimited({ delimiter: '\n', maxBytes: n }),
        /^The maxBytes of Framing.delimited is a whole number from 0, or Infinity, but was given /
      ],
      [
        `Framing.lengthPrefixed, maxBytes ${n}`,
        () => Framing.lengthPrefixed({ maxBytes: n }),
        /^The maxBytes of Framing.lengthPrefixed is a whole number from 0, or Infinity, but was given /
      ],
      [
        `Lines, maxLength ${n}`,
        () => Lines.layer({ maxLength: n }),
        /^The maxLength of Lines is a whole number from 0, or Infinity, but was given /
      ],
      [
        `Json.lines, maxLength ${n}`,
        () => Json.lines(t.unknown, { maxLength: n }),
        /^The maxLength of Lines is a whole number from 0, or Infinity, but was given /
      ]
    ]),
    [
      'Framing.delimited, an empty text',
      () => Framing.delimited({ delimiter: '', maxBytes: 1 }),
      /^The delimiter of Framing.delimited has one byte at least\.$/
    ],
    [
      'Framing.delimited, no bytes',
      () => Framing.delimited({ delimiter: new Uint8Array(0), maxBytes: 1 }),
      /^The delimiter of Framing.delimited has one byte at least\.$/
    ],
    [
      'Framing.lengthPrefixed, a header that there is not',
      () => Framing.lengthPrefixed({ maxBytes: 1, header: wrong('uint64') }),
      /^The header of Framing.lengthPrefixed is uint8, uint16be, uint32be or varint, but was given uint64\.$/
    ]
  ]
  for (const [name, make, message] of refused) {
    it(name, () => {
      expect(make).to.throw(RangeError, message)
    })
  }

  it('Buffered: where they are used, before anything is received', () => {
    const program = Effect.gen(function* () {
      const stream = yield* Buffered.makeReceive(yield* Stream.fromIterable([bytesOf('a')]))
      const odd: ReadonlyArray<Fx<unknown, unknown>> = [
        ...noBounds.flatMap((n) => [
          stream.receiveUpTo(n),
          stream.receiveExactly(n),
          stream.receiveUntil('\n', n),
          stream.receiveMany(n)
        ]),
        stream.receiveUpTo(0),
        stream.receiveExactly(Infinity),
        stream.receiveUntil('', 1),
        stream.receiveUntil(new Uint8Array(0), 1)
      ]
      const seen: Array<string> = []
      for (const fx of odd) {
        const exit = yield* Effect.exit(fx)
        seen.push(exit._tag === 'Left' ? failureOf(exit.left) : 'received')
      }
      return [seen, shown(yield* stream.receive)] as const
    })
    const exit = TestRuntime.runExit(program)
    if (exit._tag === 'Left') throw new Error(failureOf(exit.left))
    const [seen, left] = exit.right
    for (const line of seen)
      expect(line).to.match(/^Die RangeError: receive(UpTo|Exactly|Until|Many) takes a /)
    expect(left).to.equal('a')
  })
})

describe('odd input', () => {
  const crlf = through(Framing.delimited({ delimiter: '\r\n', maxBytes: 3 }))
  receives('Framing.delimited by CRLF, at most 3', crlf, [
    ['abc\r\n', 'abc', 'EndOfStream'],
    ['abcd\r\n', 'DelimiterNotFound maxBytes 3'],
    ['a\r\nabcd\r\n', 'a', 'DelimiterNotFound maxBytes 3'],
    ['a\r\r\n\r\n', 'a\r', '', 'EndOfStream'],
    ['\r\n\n\r\n', '', '\n', 'EndOfStream'],
    ['a\r\nbc', 'a', 'IncompleteRead received 2'],
    ['abc\r', 'IncompleteRead received 4'],
    ['abcde', 'DelimiterNotFound maxBytes 3']
  ])
  receives(
    'Framing.delimited by a delimiter longer than the bound',
    through(Framing.delimited({ delimiter: 'END', maxBytes: 1 })),
    [
      ['aEND', 'a', 'EndOfStream'],
      ['ENDEND', '', '', 'EndOfStream'],
      ['EEND', 'E', 'EndOfStream'],
      ['abEND', 'DelimiterNotFound maxBytes 1']
    ]
  )
  receives('Framing.delimited of nothing', through(Framing.delimited({ delimiter: 'aa', maxBytes: 0 })), [
    ['aaaa', '', '', 'EndOfStream'],
    ['aaa', '', 'IncompleteRead received 1'],
    ['baa', 'DelimiterNotFound maxBytes 0']
  ])

  receives(
    'Framing.lengthPrefixed, at most 3',
    through(Framing.lengthPrefixed({ header: 'uint16be', maxBytes: 3 })),
    [
      [[0, 3, 97, 98, 99, 0, 0], 'abc', '', 'EndOfStream'],
      [[0, 4, 97], 'FrameTooLarge announced 4 maxBytes 3'],
      [[0, 1, 97, 0], 'a', 'IncompleteRead received 1'],
      [[0, 3, 97], 'IncompleteRead received 1 expected 3'],
      [[0, 3], 'IncompleteRead received 0 expected 3']
    ]
  )
  receives(
    'Framing.lengthPrefixed by a varint without a bound',
    through(Framing.lengthPrefixed({ header: 'varint', maxBytes: Infinity })),
    [
      [[0x81, 0, 97], 'a', 'EndOfStream'],
      [[0x80], 'IncompleteRead received 1'],
      [
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
        `IncompleteRead received 0 expected ${Number.MAX_SAFE_INTEGER}`
      ],
      // More than a number holds exactly.
      [
        [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
        `FrameTooLarge announced ${2 ** 53} maxBytes ${Number.MAX_SAFE_INTEGER}`
      ],
      [
        [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 97],
        `FrameTooLarge announced Infinity maxBytes ${Number.MAX_SAFE_INTEGER}`
      ]
    ]
  )

  const lines = through(pipe(Text.layer(), Layer.compose(Lines.layer({ maxLength: 3 }))))
  receives('Lines, at most 3', lines, [
    ['abc\r\n\n', 'abc', '', 'EndOfStream'],
    ['abc\n', 'abc', 'EndOfStream'],
    ['a\r\r\r\n', 'a\r\r', 'EndOfStream'],
    ['abcd\n', 'DelimiterNotFound maxBytes 3'],
    ['a\nabc\rd', 'a', 'DelimiterNotFound maxBytes 3'],
    ['ab\r', 'ab\r', 'EndOfStream'],
    ['abc\r', 'DelimiterNotFound maxBytes 3'],
    ['a\nbc', 'a', 'bc', 'EndOfStream'],
    [[97, 10, 0xc3], 'a', 'IncompleteRead received 1'],
    [[97, 10, 98, 0xff, 10], 'a', 'DecodeFailed']
  ])
  receives('Lines of nothing', through(pipe(Text.layer(), Layer.compose(Lines.layer({ maxLength: 0 })))), [
    ['\r\n\n', '', '', 'EndOfStream'],
    ['a\n', 'DelimiterNotFound maxBytes 0']
  ])

  // In lines, since the pieces of a text are as they come.
  const strict = through(pipe(Text.layer(), Layer.compose(Lines.layer())))
  const replacing = through(pipe(Text.layer({ errors: 'replace' }), Layer.compose(Lines.layer())))
  for (const [name, input, replaced] of [
    ['a character cut short', [97, 10, 0xe2, 0x82, 98, 10], '\uFFFDb'],
    ['a byte that begins none', [97, 10, 0xff, 0x80, 10], '\uFFFD\uFFFD'],
    ['a byte that goes on with none', [97, 10, 0x80, 98, 10], '\uFFFDb'],
    ['an overlong form', [97, 10, 0xc0, 0x80, 10], '\uFFFD\uFFFD'],
    ['a surrogate', [97, 10, 0xed, 0xa0, 0x80, 10], '\uFFFD\uFFFD\uFFFD'],
    ['more than Unicode has', [97, 10, 0xf4, 0x90, 0x80, 0x80, 10], '\uFFFD\uFFFD\uFFFD\uFFFD']
  ] as const) {
    receives(`Text, ${name}, strict`, strict, [[input, 'a', 'DecodeFailed']])
    receives(`Text, ${name}, replaced`, replacing, [[input, 'a', replaced, 'EndOfStream']])
  }
  receives('Text, that ends inside a character', strict, [
    [[97, 10, 0xf0, 0x9f, 0x98], 'a', 'IncompleteRead received 3']
  ])
  receives('Text, that ends inside a character, replaced', replacing, [
    [[97, 10, 0xf0, 0x9f, 0x98], 'a', '\uFFFD', 'EndOfStream']
  ])

  receives('Json.lines', through(Json.lines(t.array(t.number), { maxLength: 5 })), [
    ['[1]\r\n[2]', '[1]', '[2]', 'EndOfStream'],
    ['[1]\n[2', '[1]', 'DecodeFailed'],
    ['[1,2]\n', '[1,2]', 'EndOfStream'],
    ['[1,23]\n', 'DelimiterNotFound maxBytes 5'],
    ['[1]\n\n', '[1]', 'DecodeFailed'],
    ['[1]\n{}', '[1]', 'DecodeFailed']
  ])

  const until =
    (delimiter: string, maxBytes: number) =>
    (chunks: ReadonlyArray<Bytes>): Receives =>
      Effect.gen(function* () {
        const stream = yield* Buffered.makeReceive(yield* Stream.fromIterable(chunks))
        return { ...stream, receive: stream.receiveUntil(delimiter, maxBytes) }
      })
  receives('Buffered.receiveUntil CRLF, at most 3', until('\r\n', 3), [
    ['abc\r\n', 'abc', 'EndOfStream'],
    ['a\r\nabcd\r\n', 'a', 'DelimiterNotFound maxBytes 3'],
    ['a\r\nabc\r', 'a', 'IncompleteRead received 4'],
    ['abcd', 'IncompleteRead received 4'],
    ['abcde', 'DelimiterNotFound maxBytes 3']
  ])
  receives('Buffered.receiveUntil a delimiter longer than the bound', until('END', 0), [
    ['ENDEND', '', '', 'EndOfStream'],
    ['aEND', 'DelimiterNotFound maxBytes 0']
  ])
})
