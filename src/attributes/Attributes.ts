/**
 * `Attributes<Row>`: values by attribute, each computed when it is asked for.
 *
 * `Row` is a plain record type, such as `{ readonly 'tls/cipher': string }`. Rows intersect, as environments do. Since a key
 * has one type, `A & B` is the type of "below shines through" and of "above overrides" alike; which value wins is decided at
 * run time: that of the wrapper.
 *
 * @since 0.1.0
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Monoid as MonoidOf } from 'fp-ts/lib/Monoid.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Errors, Type } from 'io-ts'
import type { Attribute } from './Attribute.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

declare const AttributesTypeId: unique symbol

/**
 * Values by attribute.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attribute, Attributes } from 'millrace'
 *
 * const port = Attribute.attribute<number>()('acme/port')
 * const describe = (attributes: Attributes.Attributes<{ readonly 'acme/port': number }>): string =>
 *   `port ${Attributes.get(port)(attributes)}`
 * assert.equal(describe(Attributes.of(port, () => 80)), 'port 80')
 *
 * @category model
 * @since 0.1.0
 */
export interface Attributes<out Row extends object = {}> {
  readonly [AttributesTypeId]: () => Row
}

/** Inside, the getters by key. */
type Getters = ReadonlyMap<PropertyKey, () => unknown>

const typed = <Row extends object>(getters: Getters): Attributes<Row> => getters as unknown as Attributes<Row>
const untyped = (attributes: Attributes): Getters => attributes as unknown as Getters

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * None.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attributes } from 'millrace'
 *
 * assert.deepEqual(Attributes.keys(Attributes.empty), [])
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Attributes = typed(new Map())

/**
 * One attribute. `value` runs at each look, never earlier.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attribute, Attributes } from 'millrace'
 *
 * const uptime = Attribute.attribute<number>()('acme/uptime')
 * let seconds = 0
 * const attributes = Attributes.of(uptime, () => ++seconds)
 * assert.deepEqual([Attributes.get(uptime)(attributes), Attributes.get(uptime)(attributes)], [1, 2])
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = <K extends PropertyKey, A>(
  attribute: Attribute<K, A>,
  value: () => A
): Attributes<{ readonly [P in K]: A }> => typed(new Map([[attribute.key, value]]))

/**
 * Several under a named row.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes } from 'millrace'
 *
 * interface SessionRow { readonly 'acme/user': string }
 * const user = Attribute.attribute<string>()('acme/user')
 * const session = Attributes.fromRecord<SessionRow>({ 'acme/user': () => 'Ada' })
 * assert.equal(pipe(session, Attributes.get(user)), 'Ada')
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromRecord = <Row extends object>(values: {
  readonly [K in keyof Row]: () => Row[K]
}): Attributes<Row> => typed(new Map(Reflect.ownKeys(values).map((key) => [key, values[key as keyof Row]])))

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Both. Where both have a value the right one wins, and the left one is never computed.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes } from 'millrace'
 *
 * const port = Attribute.attribute<number>()('acme/port')
 * const both = pipe(Attributes.of(port, () => 80), Attributes.extend(Attributes.of(port, () => 443)))
 * assert.equal(pipe(both, Attributes.get(port)), 443)
 *
 * @category combinators
 * @since 0.1.0
 */
export const extend =
  <B extends object>(right: Attributes<B>) =>
  <A extends object>(left: Attributes<A>): Attributes<A & B> =>
    typed(new Map([...untyped(left), ...untyped(right)]))

// -------------------------------------------------------------------------------------
// inspection
// -------------------------------------------------------------------------------------

/**
 * The value of an attribute that the row has. Does not compile when it lacks it.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes } from 'millrace'
 *
 * const port = Attribute.attribute<number>()('acme/port')
 * assert.equal(pipe(Attributes.of(port, () => 80), Attributes.get(port)), 80)
 *
 * @category inspection
 * @since 0.1.0
 */
export const get =
  <K extends PropertyKey, A>(attribute: Attribute<K, A>) =>
  (attributes: Attributes<{ readonly [P in K]: A }>): A => {
    const getter = untyped(attributes).get(attribute.key)
    if (getter === undefined)
      throw new TypeError(`There is no attribute ${String(attribute.key)}, although its type says so.`)
    return getter() as A
  }

/**
 * The value of an attribute, where the row is not known. Trusts the key: for a name that others might use with another type,
 * use {@link decode}.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as O from 'fp-ts/lib/Option.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes } from 'millrace'
 *
 * const port = Attribute.attribute<number>()('acme/port')
 * assert.deepEqual(pipe(Attributes.of(port, () => 80), Attributes.lookup(port)), O.some(80))
 * assert.deepEqual(pipe(Attributes.empty, Attributes.lookup(port)), O.none)
 *
 * @category inspection
 * @since 0.1.0
 */
export const lookup =
  <K extends PropertyKey, A>(attribute: Attribute<K, A>) =>
  (attributes: Attributes): Option<A> => {
    const getter = untyped(attributes).get(attribute.key)
    return getter === undefined ? { _tag: 'None' } : { _tag: 'Some', value: getter() as A }
  }

/**
 * The keys of the attributes that are there.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attribute, Attributes } from 'millrace'
 *
 * const port = Attribute.attribute<number>()('acme/port')
 * assert.deepEqual(Attributes.keys(Attributes.of(port, () => 80)), ['acme/port'])
 *
 * @category inspection
 * @since 0.1.0
 */
export const keys = (attributes: Attributes): ReadonlyArray<PropertyKey> => [...untyped(attributes).keys()]

/**
 * The attributes that an io-ts codec names, checked: for a row from outside. Each value is computed once, here.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import * as t from 'io-ts'
 * import { Attribute, Attributes } from 'millrace'
 *
 * const port = Attribute.attribute<number>()('acme/port')
 * const checked = Attributes.decode(t.readonly(t.strict({ 'acme/port': t.number })))(Attributes.of(port, () => 80))
 * assert.ok(checked._tag === 'Right')
 * assert.equal(Attributes.get(port)(checked.right), 80)
 *
 * @category inspection
 * @since 0.1.0
 */
export const decode =
  <Row extends object>(codec: Type<Row, unknown>) =>
  (attributes: Attributes): Either<Errors, Attributes<Row>> => {
    // A codec reads only the fields that it names, and a getter runs only when it is read.
    const record = {}
    for (const [key, get] of untyped(attributes))
      Object.defineProperty(record, key, { get, enumerable: true })
    const decoded = codec.decode(record)
    if (decoded._tag === 'Left') return decoded
    const row = decoded.right
    const values = Reflect.ownKeys(row).map((key) => [key, () => row[key as keyof Row]] as const)
    return { _tag: 'Right', right: typed(new Map<PropertyKey, () => unknown>(values)) }
  }

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * Of rows of which nothing is known; {@link extend} is the same operation with the rows kept.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as M from 'fp-ts/lib/Monoid.js'
 * import { Attribute, Attributes } from 'millrace'
 *
 * const port = Attribute.attribute<number>()('acme/port')
 * const user = Attribute.attribute<string>()('acme/user')
 * const all = M.concatAll(Attributes.Monoid)([Attributes.of(port, () => 80), Attributes.of(user, () => 'Ada')])
 * assert.deepEqual(Attributes.keys(all), ['acme/port', 'acme/user'])
 *
 * @category instances
 * @since 0.1.0
 */
export const Monoid: MonoidOf<Attributes> = { concat: (left, right) => extend(right)(left), empty }
