/**
 * Laws as named values, for mocha or any runner like it: those of this library, and suites for instances of your own.
 *
 * @since 0.1.0
 */
export { allCauses as causes } from './Causes.js'
export { clock } from './Clock.js'
export { groups } from './Groups.js'
export { interop } from './Interop.js'
export {
  type Answer,
  assertLaw,
  assertLaws,
  checkAll,
  deep,
  except,
  type Falsified,
  flatten,
  irrelevant,
  type Law,
  law,
  LawFailed,
  type LawSet,
  lawSet,
  Monoid,
  only,
  type Params,
  paramsFrom,
  paramsOfHost,
  type Proved,
  type Question,
  quick,
  refuted,
  type Runner,
  type Undecided,
  unsure,
  type Verdict,
  wrong
} from './LawSet.js'
export { model } from './Model.js'
export { resources } from './Resources.js'
export { scopes } from './Scopes.js'
export { typeClasses } from './TypeClasses.js'
export {
  alt,
  applicative,
  apply,
  bifunctor,
  chain,
  eq,
  fromIO,
  fromTask,
  functor,
  monad,
  monadThrow,
  monoid,
  semigroup
} from './Instances.js'
export * as kit from './Kit.js'
export { channels } from './Channels.js'
export { objectStream, type ObjectStreamClaims, type Receiver, type Sender } from './ObjectStreamSuite.js'
export { type Ledger, resource, type ResourceOptions } from './ResourceSuite.js'
export { condition, event, future, limiter, lock, semaphore, sync } from './Sync.js'
export { attributes, attributesOf, type AttributesOperations } from './Attributes.js'
export { schedule, scheduleOf, type ScheduleOperations } from './Schedule.js'
export { instances, ours } from './Ours.js'
export { type Check, type Draw, lawsOf, runCheck } from './Check.js'
export { byteStream, byteStreamChecks, type ByteStreamClaims } from './ByteStreamSuite.js'
export {
  connectable,
  connectableChecks,
  type ConnectableClaims,
  listener,
  listenerChecks,
  type ListenerClaims,
  type Place
} from './ListenerSuite.js'
export { layer, layerChecks, type LayerClaims } from './LayerSuite.js'
export { layers } from './Layers.js'
