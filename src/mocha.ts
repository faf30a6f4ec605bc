/**
 * Effects as mocha tests.
 *
 * @since 0.1.0
 */
export { it, withResource } from './interop/mocha/Mocha.js'
export type {
  EffectBody,
  EffectTest,
  EffectTestOptions,
  MochaTest,
  TestContext,
  TestRunner
} from './interop/mocha/Mocha.js'
