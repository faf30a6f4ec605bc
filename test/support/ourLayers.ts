import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { Framing, Json, Layer, Lines, Text } from 'millrace'
import { layer, type LawSet } from 'millrace/laws'

/** Characters of one to four bytes, and line ends. */
const characters = fc.constantFrom('a', 'é', '€', '😀', 'z', ' ', '"')
const texts = fc.array(characters, { maxLength: 8 }).map((all) => all.join(''))
const Message = t.type({ id: t.number, text: t.string })

/** The layers of this library, each held to the suite for layers. */
export const ourLayers: ReadonlyArray<LawSet> = [
  ...(['utf-8', 'utf-16le', 'utf-16be'] as const).flatMap((encoding) =>
    (['strict', 'replace'] as const).map((errors) =>
      layer({
        name: `Text in ${encoding}, ${errors}`,
        layer: Text.layer({ encoding, errors }),
        items: fc.array(texts, { maxLength: 5 }),
        join: (items) => items.join('')
      })
    )
  ),
  layer({
    name: 'Text in latin1',
    layer: Text.layer('latin1'),
    items: fc
      .array(fc.string({ unit: 'binary', maxLength: 5 }), { maxLength: 5 })
      .map((all) => all.filter((s) => /^[\0-\xff]*$/.test(s))),
    join: (items) => items.join('')
  }),
  layer({
    name: 'Lines over Text',
    layer: pipe(Text.layer({ errors: 'replace' }), Layer.compose(Lines.layer({ maxLength: 10 }))),
    items: fc.array(
      texts.filter(({ length }) => length <= 10),
      { maxLength: 5 }
    ),
    garbage: fc
      .array(fc.constantFrom(97, 10, 13, 0xe2, 0x82, 0xac), { maxLength: 40 })
      .map((all) => Uint8Array.from(all))
  }),
  layer({
    name: 'Framing.delimited',
    layer: Framing.delimited({ delimiter: new Uint8Array([13, 10]), maxBytes: 6 }),
    items: fc.array(
      fc.array(fc.constantFrom(1, 10, 97), { maxLength: 6 }).map((all) => Uint8Array.from(all)),
      { maxLength: 5 }
    ),
    garbage: fc.array(fc.constantFrom(1, 10, 13), { maxLength: 40 }).map((all) => Uint8Array.from(all))
  }),
  ...(['uint8', 'uint16be', 'uint32be', 'varint'] as const).map((header) =>
    layer({
      name: `Framing.lengthPrefixed by ${header}`,
      layer: Framing.lengthPrefixed({ maxBytes: 200, header }),
      items: fc.array(fc.uint8Array({ maxLength: 200, size: 'max' }), { maxLength: 4 })
    })
  ),
  layer({
    name: 'Json.lines',
    layer: Json.lines(Message),
    items: fc.array(fc.record({ id: fc.integer(), text: texts }, { noNullPrototype: true }), { maxLength: 5 })
  }),
  layer({
    name: 'five layers',
    layer: pipe(
      Framing.lengthPrefixed({ maxBytes: 50, header: 'varint' }),
      Layer.compose(Text.layer()),
      Layer.compose(Lines.layer()),
      Layer.compose(Json.layer(Message)),
      Layer.compose(Layer.identity<t.TypeOf<typeof Message>>())
    ),
    items: fc.array(
      fc.record({ id: fc.nat(99), text: fc.constantFrom('a', '€') }, { noNullPrototype: true }),
      { maxLength: 5 }
    )
  })
]
