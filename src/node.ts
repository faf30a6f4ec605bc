/**
 * What needs Node: the entry of a program, its signals, and sockets and streams.
 *
 * @since 0.1.0
 */
export * as Compression from './interop/node/Compression.js'
export * as Main from './interop/node/Main.js'
export * as NodeStream from './interop/node/NodeStream.js'
export * as Signal from './interop/node/Signal.js'
export * as Tcp from './interop/node/Tcp.js'
export * as Tls from './interop/node/Tls.js'
