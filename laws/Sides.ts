/**
 * Equations over generated programs: two ways to write something, the same in all contexts. What most laws of a group are.
 */
import fc from 'fast-check'
import { type ContextName, equation, everywhere, type Side } from './Equality.js'
import type { Law } from './LawSet.js'
import { printInputs } from './Program.js'

/** The two ways. */
export type Sides<T> = readonly [(input: T) => Side, (input: T) => Side]

/** For the laws of one group: a name, what is generated, and the two sides. */
export const sidesOf =
  (group: string) =>
  <T extends object>(
    name: string,
    inputs: { readonly [K in keyof T]: fc.Arbitrary<T[K]> },
    [left, right]: Sides<T>,
    contexts: ReadonlyArray<ContextName> = everywhere
  ): Law =>
    equation<T>({
      name,
      group,
      input: fc.record(inputs) as fc.Arbitrary<T>,
      show: printInputs,
      left,
      right,
      contexts
    })
