/**
 * What tests use: virtual time, seeded scheduling, synchronous runs.
 *
 * @since 0.1.0
 */
export * as SeededScheduler from './effect/testing/SeededScheduler.js'
export * as TestRuntime from './effect/testing/TestRuntime.js'
export * as VirtualClock from './effect/testing/VirtualClock.js'

export * as MemoryByteStream from './stream/testing/MemoryByteStream.js'
