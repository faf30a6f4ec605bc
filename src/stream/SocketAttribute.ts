/**
 * Attributes of sockets. A listener has those of its own end; a connection has those of both.
 *
 * @since 0.1.0
 */
import { type Attribute, attribute } from '../attributes/Attribute.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What kind of address a socket has.
 *
 * @category model
 * @since 0.1.0
 */
export type Family = 'ipv4' | 'ipv6' | 'unix'

/**
 * What every internet socket knows of its own end.
 *
 * @category model
 * @since 0.1.0
 */
export interface LocalRow {
  readonly 'socket/family': Family
  readonly 'socket/localAddress': string
  readonly 'socket/localPort': number
  readonly 'socket/raw': unknown
}

/**
 * What a connected internet socket knows. The addresses are those at the time of the connection, so they stay when it ends.
 *
 * @category model
 * @since 0.1.0
 */
export interface SocketRow extends LocalRow {
  readonly 'socket/remoteAddress': string
  readonly 'socket/remotePort': number
}

/**
 * What a UNIX socket knows, which has paths and no ports.
 *
 * @category model
 * @since 0.1.0
 */
export interface UnixRow {
  readonly 'socket/family': Family
  readonly 'socket/localAddress': string
  readonly 'socket/remoteAddress': string
  readonly 'socket/raw': unknown
}

// -------------------------------------------------------------------------------------
// attributes
// -------------------------------------------------------------------------------------

/**
 * The kind of address.
 *
 * @category attributes
 * @since 0.1.0
 */
export const family: Attribute<'socket/family', Family> = attribute<Family>()('socket/family')

/**
 * The address of this end: an IP address, or the path of a UNIX socket.
 *
 * @category attributes
 * @since 0.1.0
 */
export const localAddress: Attribute<'socket/localAddress', string> =
  attribute<string>()('socket/localAddress')

/**
 * The port of this end, the one that was chosen when port 0 was asked for.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attributes, Provider, SocketAttribute } from 'millrace'
 *
 * const listener = { attributes: Attributes.of(SocketAttribute.localPort, () => 4000) }
 * assert.equal(Provider.extra(SocketAttribute.localPort)(listener), 4000)
 *
 * @category attributes
 * @since 0.1.0
 */
export const localPort: Attribute<'socket/localPort', number> = attribute<number>()('socket/localPort')

/**
 * The address of the peer: an IP address, or the path of a UNIX socket.
 *
 * @category attributes
 * @since 0.1.0
 */
export const remoteAddress: Attribute<'socket/remoteAddress', string> =
  attribute<string>()('socket/remoteAddress')

/**
 * The port of the peer.
 *
 * @category attributes
 * @since 0.1.0
 */
export const remotePort: Attribute<'socket/remotePort', number> = attribute<number>()('socket/remotePort')

/**
 * The socket of the host, such as a `net.Socket`, for what this library does not offer.
 *
 * @category attributes
 * @since 0.1.0
 */
export const raw: Attribute<'socket/raw', unknown> = attribute<unknown>()('socket/raw')
