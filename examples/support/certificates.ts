/**
 * Certificates on the spot, for examples and tests of TLS. They are signed by an authority that nobody trusts unless it is
 * told to: do not use this for anything that is reachable from outside.
 *
 * Node can sign and can read certificates, but not make them. What follows is the part of X.509 that is needed, written in
 * DER: a tag, a length, the content.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** In PEM, as `Tls` takes them. */
export interface Certified {
  readonly cert: string
  readonly key: string
}

export interface Issue {
  /** Host names and addresses that it is for. */
  readonly names?: ReadonlyArray<string>
  readonly commonName?: string
  readonly notBefore?: Date
  readonly notAfter?: Date
}

export interface Authority {
  /** What a peer has to trust. */
  readonly ca: string
  readonly issue: (options: Issue) => Certified
}

// ---- DER

type Der = Uint8Array

const element = (tag: number, ...content: ReadonlyArray<Der>): Der => {
  const body = Buffer.concat(content)
  const size: Array<number> = []
  for (let rest = body.length; rest > 0; rest >>>= 8) size.unshift(rest & 0xff)
  return Buffer.concat([
    Buffer.from(body.length < 0x80 ? [tag, body.length] : [tag, 0x80 | size.length, ...size]),
    body
  ])
}
const sequence = (...parts: ReadonlyArray<Der>): Der => element(0x30, ...parts)
const integer = (bytes: Uint8Array): Der => element(0x02, bytes)
const octets = (bytes: Uint8Array): Der => element(0x04, bytes)
const bits = (bytes: Uint8Array, unused = 0): Der => element(0x03, Buffer.from([unused]), bytes)
const text = (s: string): Der => element(0x0c, Buffer.from(s, 'utf8'))
const yes = element(0x01, Buffer.from([0xff]))
/** Inside of `[n] { … }`. */
const tagged = (n: number, ...parts: ReadonlyArray<Der>): Der => element(0xa0 | n, ...parts)

const objectId = (dotted: string): Der => {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number)
  const base128 = (n: number): ReadonlyArray<number> =>
    n < 0x80 ? [n] : [...base128(n >>> 7).map((byte) => byte | 0x80), n & 0x7f]
  return element(0x06, Buffer.from([a * 40 + b, ...rest.flatMap(base128)]))
}

/** `GeneralizedTime`, which has four digits for the year. */
const time = (date: Date): Der =>
  element(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, ''), 'ascii'))

// ---- X.509

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))
const nameOf = (commonName: string): Der =>
  sequence(element(0x31, sequence(objectId('2.5.4.3'), text(commonName))))
const extension = (id: string, value: Der, critical = false): Der =>
  sequence(objectId(id), ...(critical ? [yes] : []), octets(value))

/** An address as its bytes; addresses of version 6 are written out by `URL`. */
const addressBytes = (address: string): Uint8Array => {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (part: string): Array<number> =>
    part === '' ? [] : part.split(':').map((g) => parseInt(g, 16))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

const alternativeName = (name: string): Der =>
  isIP(name) === 0 ? element(0x82, Buffer.from(name, 'ascii')) : element(0x87, addressBytes(name))

const pem = (der: Der): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{64}/g, '$&\n')
    .trimEnd()}\n-----END CERTIFICATE-----\n`

interface Subject {
  readonly name: string
  readonly publicKey: KeyObject
  readonly extensions: ReadonlyArray<Der>
  readonly notBefore: Date
  readonly notAfter: Date
}

const certificate = (subject: Subject, issuer: string, issuerKey: KeyObject): string => {
  const serial = randomBytes(8)
  // A positive number without leading zeros.
  serial[0] = (serial.readUInt8(0) & 0x3f) | 0x40
  const content = sequence(
    tagged(0, integer(Uint8Array.of(2))),
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(subject.notBefore), time(subject.notAfter)),
    nameOf(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...subject.extensions))
  )
  return pem(sequence(content, ecdsaWithSha256, bits(sign('sha256', content, issuerKey))))
}

const day = 24 * 60 * 60 * 1000
const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const keyId = (publicKey: KeyObject): Uint8Array =>
  createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()

/** An authority of one's own. */
export const makeAuthority = (name = 'Millrace examples'): Authority => {
  const authority = keyPair()
  const ca = certificate(
    {
      name,
      publicKey: authority.publicKey,
      notBefore: new Date(Date.now() - 30 * day),
      notAfter: new Date(Date.now() + 30 * day),
      extensions: [
        extension('2.5.29.19', sequence(yes), true), // an authority
        extension('2.5.29.15', bits(Uint8Array.of(0x06), 1), true), // that may sign certificates and lists
        extension('2.5.29.14', octets(keyId(authority.publicKey)))
      ]
    },
    name,
    authority.privateKey
  )
  const issue = ({ names = [], commonName = names[0] ?? 'somebody', ...validity }: Issue): Certified => {
    const own = keyPair()
    const extensions = [
      extension('2.5.29.15', bits(Uint8Array.of(0x80), 7), true), // for signing
      extension('2.5.29.14', octets(keyId(own.publicKey))),
      ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names.map(alternativeName)))])
    ]
    const { notBefore = new Date(Date.now() - day), notAfter = new Date(Date.now() + day) } = validity
    return {
      cert: certificate(
        { name: commonName, publicKey: own.publicKey, extensions, notBefore, notAfter },
        name,
        authority.privateKey
      ),
      key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    }
  }
  return { ca, issue }
}
