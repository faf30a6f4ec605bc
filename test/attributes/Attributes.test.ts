/** Attributes: typed, computed when asked for, and combined from the right. */
import { expect } from 'chai'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { Attribute, Attributes, Provider } from 'millrace'

const port = Attribute.attribute<number>()('acme/port')
const user = Attribute.attribute<string | null>()('acme/user')

describe('Attributes', () => {
  it('AT-01 the value is computed at each look, and not earlier', () => {
    let looks = 0
    const attributes = Attributes.of(port, () => ++looks)
    expect(looks).to.equal(0)
    expect([Attributes.get(port)(attributes), Attributes.get(port)(attributes)]).to.deep.equal([1, 2])
    expect(Attributes.lookup(port)(attributes)).to.deep.equal(O.some(3))
  })

  it('AT-02 what is not there is None, what is there is Some, null too; get of what is missing throws', () => {
    const attributes = Attributes.of(user, () => null)
    expect(Attributes.lookup(user)(attributes)).to.deep.equal(O.some(null))
    expect(Attributes.lookup(port)(attributes)).to.deep.equal(O.none)
    const lying = attributes as unknown as Attributes.Attributes<{ readonly 'acme/port': number }>
    expect(() => Attributes.get(port)(lying)).to.throw(
      'There is no attribute acme/port, although its type says so.'
    )
  })

  it('AT-06 the key carries the type, and what the row lacks does not compile', () => {
    const attributes = Attributes.of(port, () => 80)
    const value: number = Attributes.get(port)(attributes)
    // @ts-expect-error a number is no string
    const wrong: string = Attributes.get(port)(attributes)
    // @ts-expect-error the row has no user
    const missing = () => Attributes.get(user)(attributes)
    expect([value, wrong]).to.deep.equal([80, 80])
    expect(missing).to.throw('acme/user')
  })

  it('AT-07 symbols with equal names never collide; equal strings are the same attribute', () => {
    const [a, b] = [Symbol('port'), Symbol('port')]
    const one = Attribute.attribute<number>()(a)
    const two = Attribute.attribute<number>()(b)
    const both = pipe(
      Attributes.of(one, () => 1),
      Attributes.extend(Attributes.of(two, () => 2))
    )
    expect([Attributes.lookup(one)(both), Attributes.lookup(two)(both)]).to.deep.equal([O.some(1), O.some(2)])
    expect(Attributes.keys(both)).to.deep.equal([a, b])
    const again = Attribute.attribute<number>()('acme/port')
    expect(Attributes.lookup(again)(Attributes.of(port, () => 3))).to.deep.equal(O.some(3))
  })

  it('AT-08 an attribute without a type is unknown, so its value cannot be used as anything', () => {
    const untyped = Attribute.attribute<unknown>()('acme/raw')
    const value = Attributes.get(untyped)(Attributes.of(untyped, () => 1))
    // @ts-expect-error what it is has to be found out first
    const text: string = value
    expect(text).to.equal(1)
  })

  it('extend: the right one wins, and the left one is never computed', () => {
    let computed = false
    const left = Attributes.of(port, () => {
      computed = true
      return 80
    })
    const both = pipe(
      left,
      Attributes.extend(Attributes.of(port, () => 443)),
      Attributes.extend(Attributes.of(user, () => 'Ada'))
    )
    expect(Attributes.get(port)(both)).to.equal(443)
    expect(Attributes.get(user)(both)).to.equal('Ada')
    expect(computed).to.equal(false)
    expect(Attributes.get(port)(left)).to.equal(80)
  })

  it('is a monoid: empty changes nothing, and extending is associative', () => {
    const all = [
      Attributes.empty,
      Attributes.of(port, () => 1),
      Attributes.of(port, () => 2),
      Attributes.of(user, () => 'Ada')
    ]
    const seen = (attributes: Attributes.Attributes) => [
      [...Attributes.keys(attributes)].sort(),
      Attributes.lookup(port)(attributes),
      Attributes.lookup(user)(attributes)
    ]
    const { concat, empty } = Attributes.Monoid
    for (const a of all) {
      expect(seen(concat(a, empty))).to.deep.equal(seen(a))
      expect(seen(concat(empty, a))).to.deep.equal(seen(a))
      for (const b of all) {
        for (const c of all)
          expect(seen(concat(concat(a, b), c))).to.deep.equal(seen(concat(a, concat(b, c))))
      }
    }
  })

  it('fromRecord gives several under a named row', () => {
    interface Row {
      readonly 'acme/port': number
      readonly 'acme/user': string | null
    }
    const attributes = Attributes.fromRecord<Row>({ 'acme/port': () => 80, 'acme/user': () => null })
    expect(Attributes.get(port)(attributes)).to.equal(80)
    expect(Attributes.keys(attributes)).to.deep.equal(['acme/port', 'acme/user'])
  })

  it('decode checks a row from outside, reads only what the codec names, and computes each once', () => {
    let looks = 0
    const outside: Attributes.Attributes = pipe(
      Attributes.of(port, () => {
        looks++
        return 80
      }),
      Attributes.extend(
        Attributes.of(user, () => {
          throw new Error('nobody asked')
        })
      )
    )
    const decode = Attributes.decode(t.readonly(t.strict({ 'acme/port': t.number })))
    const checked = decode(outside)
    if (E.isLeft(checked)) expect.fail('it is a number')
    const before = looks
    expect([Attributes.get(port)(checked.right), Attributes.get(port)(checked.right)]).to.deep.equal([80, 80])
    expect(looks).to.equal(before)
    const wrong = Attributes.of(Attribute.attribute<string>()('acme/port'), () => 'eighty')
    expect(E.isLeft(decode(wrong))).to.equal(true)
    expect(E.isLeft(decode(Attributes.empty))).to.equal(true)
  })
})

describe('Provider', () => {
  const connection = { attributes: Attributes.of(port, () => 80) }

  it('AT-01 extra gives an attribute of something that has attributes', () => {
    expect(pipe(connection, Provider.extra(port))).to.equal(80)
  })

  it('AT-02 lookup gives it when it is there', () => {
    expect(pipe(connection, Provider.lookup(port))).to.deep.equal(O.some(80))
    expect(pipe(connection, Provider.lookup(user))).to.deep.equal(O.none)
  })

  it('AT-06 what the provider lacks does not compile', () => {
    // @ts-expect-error the row has no user
    expect(() => pipe(connection, Provider.extra(user))).to.throw('acme/user')
  })
})
