/**
 * `Attribute<K, A>`: a typed key for something that a stream or a connection knows about itself, such as its peer or its
 * cipher.
 *
 * The key is the identity. A string key is a global, namespaced name: the same string is the same attribute, also across two
 * copies of a package. A `unique symbol` never collides with anything. One key has one type.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

declare const AttributeTypeId: unique symbol

/**
 * A typed, named key.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attribute } from 'millrace'
 *
 * const port: Attribute.Attribute<'acme/port', number> = Attribute.attribute<number>()('acme/port')
 * assert.equal(port.key, 'acme/port')
 *
 * @category model
 * @since 0.1.0
 */
export interface Attribute<out K extends PropertyKey, in out A> {
  readonly key: K
  readonly [AttributeTypeId]: (a: A) => A
}

/**
 * The row of one attribute. Rows of several combine with `&`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attribute, Attributes } from 'millrace'
 *
 * const port = Attribute.attribute<number>()('acme/port')
 * const user = Attribute.attribute<string>()('acme/user')
 * type Session = Attribute.RowOf<typeof port> & Attribute.RowOf<typeof user>
 *
 * const session = Attributes.fromRecord<Session>({ 'acme/port': () => 80, 'acme/user': () => 'Ada' })
 * assert.equal(Attributes.get(user)(session), 'Ada')
 *
 * @category type helpers
 * @since 0.1.0
 */
export type RowOf<T> = T extends Attribute<infer K, infer A> ? { readonly [P in K]: A } : never

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A key. The type of its values comes first, since it cannot be inferred.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Attribute } from 'millrace'
 *
 * const user = Attribute.attribute<string>()('acme/user')
 * assert.equal(user.key, 'acme/user')
 *
 * @category constructors
 * @since 0.1.0
 */
export const attribute =
  <A>() =>
  <const K extends string | symbol>(key: K): Attribute<K, A> =>
    // The type of the values exists for the compiler only.
    ({ key }) as Attribute<K, A>
