/**
 * Options of TLS, checked where they are written and not when the first connection comes.
 *
 * @internal
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, connect, createSecureContext, createServer, type TLSSocket } from 'node:tls'
import type { Handshake } from './tlsSession.js'

/**
 * How to speak TLS. Certificates and keys are PEM text, the content of the files.
 *
 * @category model
 * @since 0.1.0
 */
export interface TlsOptions {
  readonly side: 'client' | 'server'
  /** Of a client: the host that it means, by name or address. The certificate must be for it, and a name is sent (SNI). */
  readonly serverName?: string
  /** Authorities to trust: of servers in place of those that Node comes with, of clients with `requestCert`. */
  readonly ca?: string | ReadonlyArray<string>
  /** A server needs both; of a client, what it shows when it is asked. */
  readonly cert?: string
  readonly key?: string
  /** Protocols for the one above, best first (ALPN). */
  readonly alpn?: ReadonlyArray<string>
  /** Of a server: a client has to show a certificate. */
  readonly requestCert?: boolean
  /** `TLSv1.2` when absent. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /**
   * `full`, the default: the certificate of the peer leads to an authority that is trusted, and that of a server is for
   * `serverName`. `chain`: the same without the name. `none`: any certificate will do; anybody can listen in then.
   */
  readonly verify?: 'full' | 'chain' | 'none'
  /** Milliseconds, 30000 when absent; `Infinity` for no bound. */
  readonly handshakeTimeout?: number
  /** False: neither sends the closing alert nor wants it. */
  readonly standardCompatible?: boolean
}

export interface Checked {
  readonly side: 'client' | 'server'
  readonly standardCompatible: boolean
  readonly handshakeTimeout: number
  readonly handshake: Handshake
}

const mistake = (message: string, cause?: unknown): never => {
  throw new TypeError(`Tls: ${message}`, cause === undefined ? undefined : { cause })
}

const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

const listOf = (pem: string | ReadonlyArray<string> | undefined): Array<string> =>
  pem === undefined ? [] : typeof pem === 'string' ? [pem] : [...pem]

/** Node passes over what it cannot read in some of these, and would then trust nobody. */
const checkPem = (options: TlsOptions): void => {
  for (const name of ['ca', 'cert'] as const) {
    for (const text of listOf(options[name])) {
      try {
        new X509Certificate(text)
      } catch (e) {
        mistake(
          `\`${name}\` is not a certificate as PEM text: ${reasonOf(e)}. It takes the content of the file, not its name.`,
          e
        )
      }
    }
  }
  if (options.key === undefined) return
  try {
    createPrivateKey(options.key)
  } catch (e) {
    mistake(
      `\`key\` is not a private key as PEM text: ${reasonOf(e)}. It takes the content of the file, not its name.`,
      e
    )
  }
}

const checkAlpn = (protocols: ReadonlyArray<string>): void => {
  for (const protocol of protocols) {
    const size = Buffer.byteLength(protocol)
    if (size === 0 || size > 255) mistake(`a name in \`alpn\` has 1 to 255 bytes, but one has ${size}.`)
  }
}

const contextOf = ({ ca, cert, key, minVersion }: TlsOptions) => ({
  ...(ca === undefined ? {} : { ca: listOf(ca) }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
  ...(minVersion === undefined ? {} : { minVersion })
})

const clientHandshake = (options: TlsOptions): Handshake => {
  const { serverName = '', verify = 'full', alpn } = options
  const secureContext = createSecureContext(contextOf(options))
  const address = isIP(serverName) !== 0
  return (ciphertext, done, failed) => {
    const socket = connect({
      socket: ciphertext,
      secureContext,
      rejectUnauthorized: verify !== 'none',
      checkServerIdentity: (host, certificate) =>
        verify === 'full' ? checkServerIdentity(host, certificate) : undefined,
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      // An address is checked as a name is, and is not sent as one.
      ...(serverName === '' ? {} : address ? { host: serverName } : { servername: serverName })
    })
    // It stays: a socket whose handshake was given up may still say what went wrong.
    socket.on('error', failed)
    socket.once('secureConnect', () => {
      done(socket)
    })
  }
}

/** A timeout of its own that Node insists on; ours is that of the clock of the run. */
const never = 2 ** 31 - 1

const serverHandshake = (options: TlsOptions): Handshake => {
  const { verify = 'full', alpn, requestCert = false } = options
  // It listens nowhere. One for all connections, so that they share the keys of session tickets.
  const server = createServer({
    ...contextOf(options),
    requestCert,
    rejectUnauthorized: verify !== 'none',
    handshakeTimeout: never,
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] })
  })
  return (ciphertext, done, failed) => {
    // The server as this one connection sees it: what it tells about the connection comes here, and to nobody else.
    const emit = (event: string, ...args: ReadonlyArray<unknown>): boolean => {
      if (event === 'secureConnection') done(args[0] as TLSSocket)
      else if (event === 'tlsClientError') {
        const { authorizationError } = args[1] as TLSSocket
        // Node cuts the connection of a client whose certificate it does not accept, and then tells of the cut alone.
        failed(authorizationError ?? args[0])
      }
      return true
    }
    const view = Object.create(server, { emit: { value: emit } }) as typeof server
    const arrive = server.emit.bind(view) as (event: string, connection: Duplex) => boolean
    arrive('connection', ciphertext)
  }
}

export const checkOptions = (options: TlsOptions): Checked => {
  const {
    side,
    serverName,
    verify,
    cert,
    key,
    alpn = [],
    handshakeTimeout = 30_000,
    standardCompatible = true
  } = options
  if (side === 'client') {
    if ((serverName === undefined || serverName === '') && (verify ?? 'full') === 'full') {
      mistake(
        'a client says whom it means to talk to by `serverName`. Where the server has no name to be checked, say ' +
          '`verify: "chain"`, which still wants a certificate that is trusted.'
      )
    }
  } else if (side === 'server') {
    if (cert === undefined || key === undefined) mistake('a server needs `cert` and `key`.')
    if (serverName !== undefined) mistake('`serverName` is whom a client means; a server has none.')
  } else mistake(`\`side\` is 'client' or 'server', but was given ${String(side)}.`)
  if (verify !== undefined && !['full', 'chain', 'none'].includes(verify)) {
    mistake(`\`verify\` is 'full', 'chain' or 'none', but was given ${verify}.`)
  }
  if ((cert === undefined) !== (key === undefined)) mistake('`cert` and `key` come together.')
  if (!(handshakeTimeout > 0)) {
    mistake(
      `\`handshakeTimeout\` is in milliseconds, more than 0, but was given ${String(handshakeTimeout)}.`
    )
  }
  checkPem(options)
  checkAlpn(alpn)
  try {
    const handshake = side === 'client' ? clientHandshake(options) : serverHandshake(options)
    return { side, standardCompatible, handshakeTimeout, handshake }
  } catch (e) {
    return mistake(`these options do not work together: ${reasonOf(e)}.`, e)
  }
}
