/**
 * What needs Node: the entry of a program, and its signals.
 *
 * @since 0.1.0
 */
export * as Main from './interop/node/Main.js'
export * as Signal from './interop/node/Signal.js'
export * as Tls from './interop/node/Tls.js'
