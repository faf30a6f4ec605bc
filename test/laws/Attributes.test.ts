/** Laws of attributes: ours keep them, and each of them finds something broken. */
import { expect } from 'chai'
import * as O from 'fp-ts/lib/Option.js'
import { Attributes } from 'millrace'
import {
  attributes,
  attributesOf,
  type AttributesOperations,
  checkAll,
  flatten,
  type Params,
  quick
} from 'millrace/laws'

/** What is broken has to be found soon, and the same way each time. */
const few: Params = { ...quick, runs: 120 }

checkAll(attributes)

const ours: AttributesOperations = Attributes
type Row = Attributes.Attributes

/** With another way to extend, also in the monoid. */
const extending = (concat: (left: Row, right: Row) => Row): AttributesOperations => ({
  ...ours,
  extend: (right) => (left) => concat(left, right) as never,
  Monoid: { ...ours.Monoid, concat }
})

const broken: Readonly<Record<string, AttributesOperations>> = {
  'the wrapped wins': extending((left, right) => ours.extend(left)(right)),
  'the wrapper is all': extending((_left, right) => right),
  'the wrapper is nothing': extending((left) => left),
  'values are computed at once': {
    ...ours,
    of: (key, value) => {
      const a = value()
      return ours.of(key, () => a)
    }
  },
  'values are computed once': {
    ...ours,
    of: (key, value) => {
      const seen: Array<ReturnType<typeof value>> = []
      return ours.of(key, () => (seen[0] ??= value()))
    }
  },
  'keys are labels': {
    ...ours,
    of: (key, value) => ours.of({ ...key, key: label(key.key) }, value) as never,
    lookup: (key) => ours.lookup({ ...key, key: label(key.key) }),
    get: (key) => ours.get({ ...key, key: label(key.key) })
  },
  'what is missing is there': {
    ...ours,
    lookup: (key) => (row) => O.some(O.toUndefined(ours.lookup(key)(row)) as never)
  },
  'it depends on how many there are': extending((left, right) =>
    ours.keys(left).length > 1 ? ours.extend(left)(right) : ours.extend(right)(left)
  ),
  'what is missing is undefined': {
    ...ours,
    get: (key) => (row) => O.toUndefined(ours.lookup(key)(row)) as never
  },
  'empty is not empty': {
    ...ours,
    Monoid: { ...ours.Monoid, empty: ours.of({ key: 'plain' } as never, () => 7) }
  },
  'records are read backwards': { ...ours, fromRecord: () => ours.empty as never }
}

const label = (key: PropertyKey): string => (typeof key === 'symbol' ? (key.description ?? '') : String(key))

describe('laws of attributes', () => {
  const found = new Set<string>()
  for (const [how, operations] of Object.entries(broken)) {
    it(`fail where ${how}`, () => {
      const failed = flatten(attributesOf(operations)).filter((law) => law.check(few)._tag === 'Falsified')
      for (const { name } of failed) found.add(name)
      expect(failed).to.not.deep.equal([])
    })
  }

  it('each find something', () => {
    expect(
      flatten(attributes)
        .map(({ name }) => name)
        .filter((name) => !found.has(name))
    ).to.deep.equal([])
  })
})
