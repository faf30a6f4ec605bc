/**
 * Effects as mocha tests.
 *
 * @since 0.1.0
 */
export { it, withResource } from './interop/mocha/Mocha.js'
export type {
  EffectTest,
  EffectTestOptions,
  MochaTest,
  TestContext,
  TestRunner
} from './interop/mocha/Mocha.js'
