/**
 * `Provider<Row>`: anything that has attributes, such as a stream or a listener.
 *
 * @since 0.1.0
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { Attribute } from './Attribute.js'
import * as Attributes from './Attributes.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Something with attributes.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attribute, Attributes, Provider } from 'millrace'
 *
 * const user = Attribute.attribute<string>()('acme/user')
 * const greet = (connection: Provider.Provider<{ readonly 'acme/user': string }>): string =>
 *   `Hello, ${Provider.extra(user)(connection)}`
 * assert.equal(greet({ attributes: Attributes.of(user, () => 'Ada') }), 'Hello, Ada')
 *
 * @category model
 * @since 0.1.0
 */
export interface Provider<out Row extends object = {}> {
  readonly attributes: Attributes.Attributes<Row>
}

// -------------------------------------------------------------------------------------
// inspection
// -------------------------------------------------------------------------------------

/**
 * The value of an attribute that the provider has. Does not compile when it lacks it.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes, Provider } from 'millrace'
 *
 * const user = Attribute.attribute<string>()('acme/user')
 * const connection = { attributes: Attributes.of(user, () => 'Ada') }
 * assert.equal(pipe(connection, Provider.extra(user)), 'Ada')
 *
 * @category inspection
 * @since 0.1.0
 */
export const extra =
  <K extends PropertyKey, A>(attribute: Attribute<K, A>) =>
  (provider: Provider<{ readonly [P in K]: A }>): A =>
    Attributes.get(attribute)(provider.attributes)

/**
 * The value of an attribute that the provider may have.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as O from 'fp-ts/lib/Option.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Attribute, Attributes, Provider } from 'millrace'
 *
 * const user = Attribute.attribute<string>()('acme/user')
 * assert.deepEqual(pipe({ attributes: Attributes.empty }, Provider.lookup(user)), O.none)
 *
 * @category inspection
 * @since 0.1.0
 */
export const lookup =
  <K extends PropertyKey, A>(attribute: Attribute<K, A>) =>
  (provider: Provider): Option<A> =>
    Attributes.lookup(attribute)(provider.attributes)
