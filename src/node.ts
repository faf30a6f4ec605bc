/**
 * What needs Node: the entry of a program.
 *
 * @since 0.1.0
 */
export * as Main from './interop/node/Main.js'
