/**
 * An applicative whose whole chain of applications runs at most `n` effects at a time.
 *
 * fp-ts's `traverse` builds `ap(map(ap(map(of(…), …), first), …), second)` and so on. A bound on each `ap` would bound
 * nothing, since the chain nests to the left; so the applicative remembers what it has built, and runs the leaves of the
 * whole as one composition.
 *
 * @internal
 */
import type { Applicative3 } from 'fp-ts/lib/Applicative.js'
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'

type Expression =
  | { readonly _tag: 'Pure'; readonly value: unknown }
  | { readonly _tag: 'Leaf'; readonly effect: Effect.Any }
  | { readonly _tag: 'Map'; readonly of: Expression; readonly f: (value: unknown) => unknown }
  | { readonly _tag: 'Apply'; readonly functions: Expression; readonly argument: Expression }

/** The effects of an expression from left to right. Loops, not recursion: a chain is as deep as the collection is long. */
const leaves = (expression: Expression): ReadonlyArray<Effect.Any> => {
  const found: Array<Effect.Any> = []
  const rest: Array<Expression> = [expression]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (next._tag === 'Leaf') found.push(next.effect)
    else if (next._tag === 'Map') rest.push(next.of)
    else if (next._tag === 'Apply') rest.push(next.argument, next.functions)
  }
  return found
}

/** The value of an expression, given those of its leaves. */
const evaluate = (expression: Expression, ofLeaves: ReadonlyArray<unknown>): unknown => {
  let used = 0
  const values: Array<unknown> = []
  type Step =
    | Expression
    | { readonly _tag: 'DoMap'; readonly f: (value: unknown) => unknown }
    | { readonly _tag: 'DoApply' }
  const rest: Array<Step> = [expression]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    switch (next._tag) {
      case 'Pure':
        values.push(next.value)
        break
      case 'Leaf':
        values.push(ofLeaves[used++])
        break
      case 'Map':
        rest.push({ _tag: 'DoMap', f: next.f }, next.of)
        break
      case 'Apply':
        rest.push({ _tag: 'DoApply' }, next.argument, next.functions)
        break
      case 'DoMap':
        values.push(next.f(values.pop()))
        break
      case 'DoApply': {
        const argument = values.pop()
        const f = values.pop() as (value: unknown) => unknown
        values.push(f(argument))
        break
      }
    }
  }
  return values.pop()
}

export const boundedApplicative = (concurrency: number): Applicative3<Effect.URI> => {
  const built = new WeakMap<object, Expression>()
  const expressionOf = (effect: Effect.Any): Expression => built.get(effect) ?? { _tag: 'Leaf', effect }
  const build = (expression: Expression): never => {
    const run = Effect.suspend(() => {
      const effects = leaves(expression)
      const values: Effect.Effect<unknown, unknown, ReadonlyArray<unknown>> = LowLevel.all(() => ({
        kind: 'getApplicativePar',
        concurrency,
        arm: (index) => effects[index] ?? null
      }))
      return Effect.map((of: ReadonlyArray<unknown>) => evaluate(expression, of))(values)
    })
    built.set(run, expression)
    // The signatures of the instance say what the expression means.
    return run as never
  }
  return {
    URI: Effect.URI,
    of: (value) => build({ _tag: 'Pure', value }),
    map: (fa, f) => build({ _tag: 'Map', of: expressionOf(fa), f: f as (value: unknown) => unknown }),
    ap: (fab, fa) => build({ _tag: 'Apply', functions: expressionOf(fab), argument: expressionOf(fa) })
  }
}
