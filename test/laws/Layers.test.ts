// The laws of layers, our own layers in the suite for them, and what is broken.
import { expect } from 'chai'
import fc from 'fast-check'
import { Effect, Layer, ObjectStream, Transducer } from 'millrace'
import { flatten } from 'millrace/laws/LawSet'
import { layers } from 'millrace/laws/Layers'
import { layer } from 'millrace/laws/LayerSuite'
import { checkAll } from 'millrace/laws'
import { ourLayers } from '../support/ourLayers.js'
import { params } from './profile.js'

checkAll(layers)
for (const set of ourLayers) checkAll(set)

describe('layer: what is broken fails', () => {
  type Chunks = Layer.Symmetric<Uint8Array, string, unknown>
  const encode = Transducer.map((text: string) => new TextEncoder().encode(text))
  const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  const broken: Record<string, Chunks> = {
    'V2 decodes each chunk by itself': Layer.fromTransducers({ decode: Transducer.map(decoded), encode }),
    'V4 holds what it received in the receive': Layer.sided({
      receiving: (wire: ObjectStream.ReceiveStream<Uint8Array, Layer.Below>) =>
        ObjectStream.receiveStream({
          receive: Effect.map((bytes: Uint8Array) => decoded(bytes))(
            Effect.tap((_: Uint8Array) => Effect.sleep(3))(wire.receive)
          ),
          close: wire.close
        }),
      sending: (wire: ObjectStream.SendStream<Uint8Array, Layer.Below>) =>
        ObjectStream.sendStream({ send: (text: string) => wire.send(new TextEncoder().encode(text)) })
    }),
    'V7 does not close what is below': Layer.sided({
      receiving: (wire: ObjectStream.ReceiveStream<Uint8Array, Layer.Below>) =>
        ObjectStream.receiveStream({ receive: Effect.map(decoded)(wire.receive) }),
      sending: (wire: ObjectStream.SendStream<Uint8Array, Layer.Below>) =>
        ObjectStream.sendStream({ send: (text: string) => wire.send(new TextEncoder().encode(text)) })
    })
  }
  const items = fc.array(fc.constantFrom('a', '€', 'bc', '😀'), { maxLength: 6 })
  for (const [name, it_] of Object.entries(broken)) {
    it(name, () => {
      const laws = flatten(layer({ layer: it_, items, join: (all) => all.join('') }))
      const falsified = laws
        .filter(({ check }) => check(params)._tag === 'Falsified')
        .map((law) => law.name.split(' ')[0])
      expect(falsified).to.include(name.split(' ')[0])
    })
  }
})
