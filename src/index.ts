/**
 * All portable modules of Millrace. Each can also be imported by itself, as `millrace/effect/Effect`.
 *
 * @since 0.1.0
 */
export * as Cause from './effect/Cause.js'
export * as Clock from './effect/Clock.js'
export * as Effect from './effect/Effect.js'
export * as Exit from './effect/Exit.js'
export * as FiberLocal from './effect/FiberLocal.js'
export * as Instrument from './effect/Instrument.js'
export * as LowLevel from './effect/LowLevel.js'
export * as ParkingLot from './effect/ParkingLot.js'
export * as Runtime from './effect/Runtime.js'
export * as Scheduler from './effect/Scheduler.js'

export * as CancelScope from './scope/CancelScope.js'
export * as Concurrent from './scope/Concurrent.js'
export * as Resource from './scope/Resource.js'
export * as ResourceError from './scope/ResourceError.js'
export * as ResourceGuard from './scope/ResourceGuard.js'
export * as Scope from './scope/Scope.js'
export * as Task from './scope/Task.js'
export * as TaskGroup from './scope/TaskGroup.js'
export * as TaskTree from './scope/TaskTree.js'
export * as Timeout from './scope/Timeout.js'

export * as CapacityLimiter from './scope/sync/CapacityLimiter.js'
export * as Condition from './scope/sync/Condition.js'
export * as Event from './scope/sync/Event.js'
export * as Future from './scope/sync/Future.js'
export * as Lock from './scope/sync/Lock.js'
export * as Semaphore from './scope/sync/Semaphore.js'

export * as Attribute from './attributes/Attribute.js'
export * as Attributes from './attributes/Attributes.js'
export * as Provider from './attributes/Provider.js'

export * as ByteStream from './stream/ByteStream.js'
export * as Connectable from './stream/Connectable.js'
export * as Layer from './stream/Layer.js'
export * as Listener from './stream/Listener.js'
export * as MemoryStream from './stream/MemoryStream.js'
export * as ObjectStream from './stream/ObjectStream.js'
export * as SocketAttribute from './stream/SocketAttribute.js'
export * as Stream from './stream/Stream.js'
export * as StreamError from './stream/StreamError.js'
export * as Transducer from './stream/Transducer.js'

export * as Tls from './stream/layers/Tls.js'

export * as AbortSignals from './interop/AbortSignals.js'
export * as AsyncIterables from './interop/AsyncIterables.js'
export * as Events from './interop/Events.js'
export * as Dispatcher from './interop/Dispatcher.js'
export * as Promises from './interop/Promises.js'
export * as ReaderTaskEithers from './interop/ReaderTaskEithers.js'
export * as TaskEithers from './interop/TaskEithers.js'
export * as WebStreams from './interop/WebStreams.js'
