/**
 * What every TLS stream knows about itself, and how TLS fails. Portable: the layer itself is `Tls.layer` of `millrace/node`,
 * which has these names too.
 *
 * @since 0.1.0
 */
import { type Attribute, attribute } from '../../attributes/Attribute.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The certificate of the peer.
 *
 * @category model
 * @since 0.1.0
 */
export interface PeerCertificate {
  readonly subject: string
  readonly issuer: string
  readonly validFrom: Date
  readonly validTo: Date
  /** In DER. */
  readonly raw: Uint8Array
}

/**
 * The handshake failed, or the peer raised an alert. `reason` tells apart a certificate that is not trusted or expired, one
 * for another host name, a handshake that took too long, what is no TLS or no version and cipher that both have, and a
 * half-close that this version of TLS has not got.
 *
 * @category model
 * @since 0.1.0
 */
export interface TlsFailed {
  readonly _tag: 'TlsFailed'
  readonly reason: 'certificate' | 'hostName' | 'timeout' | 'protocol' | 'halfClose'
  /** What the host says, as it came. */
  readonly cause: unknown
}

/**
 * What a TLS stream knows, beside what the stream below it knows.
 *
 * @category model
 * @since 0.1.0
 */
export interface TlsRow {
  readonly 'tls/cipher': string
  readonly 'tls/protocolVersion': string
  readonly 'tls/peerCertificate': PeerCertificate | null
  readonly 'tls/alpnProtocol': string | null
  readonly 'tls/serverSide': boolean
  readonly 'tls/standardCompatible': boolean
}

// -------------------------------------------------------------------------------------
// attributes
// -------------------------------------------------------------------------------------

/**
 * The name of the cipher suite.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Attributes, Provider, Tls } from 'millrace'
 *
 * const stream = { attributes: Attributes.of(Tls.cipher, () => 'TLS_AES_128_GCM_SHA256') }
 * assert.equal(Provider.extra(Tls.cipher)(stream), 'TLS_AES_128_GCM_SHA256')
 *
 * @category attributes
 * @since 0.1.0
 */
export const cipher: Attribute<'tls/cipher', string> = attribute<string>()('tls/cipher')

/**
 * The version that both sides agreed on, such as `TLSv1.3`.
 *
 * @category attributes
 * @since 0.1.0
 */
export const protocolVersion: Attribute<'tls/protocolVersion', string> =
  attribute<string>()('tls/protocolVersion')

/**
 * The certificate that the peer has shown; null when it has shown none, as most clients do.
 *
 * @category attributes
 * @since 0.1.0
 */
export const peerCertificate: Attribute<'tls/peerCertificate', PeerCertificate | null> =
  attribute<PeerCertificate | null>()('tls/peerCertificate')

/**
 * The protocol that was agreed on by ALPN; null when there was none in common or none was asked for.
 *
 * @category attributes
 * @since 0.1.0
 */
export const alpnProtocol: Attribute<'tls/alpnProtocol', string | null> = attribute<string | null>()(
  'tls/alpnProtocol'
)

/**
 * Whether this end is the server.
 *
 * @category attributes
 * @since 0.1.0
 */
export const serverSide: Attribute<'tls/serverSide', boolean> = attribute<boolean>()('tls/serverSide')

/**
 * Whether a stream that ends without the closing alert is broken, as the standard wants, and not ended.
 *
 * @category attributes
 * @since 0.1.0
 */
export const standardCompatible: Attribute<'tls/standardCompatible', boolean> =
  attribute<boolean>()('tls/standardCompatible')
