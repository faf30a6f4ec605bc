/**
 * What a suite needs to know of types: how to generate, print and compare their values. And the kit of `Effect`, so that an
 * instance that is written over it needs one line.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import type { Eq } from 'fp-ts/lib/Eq.js'
import type { HKT, Kind, Kind2, Kind3, URIS, URIS2, URIS3 } from 'fp-ts/HKT'
import { Effect } from 'millrace'
import { equalBySeed, everywhere, type Side, within } from './Equality.js'
import { type Answer, type Params, quick, wrong } from './LawSet.js'
import { concurrent, interpret, print } from './Program.js'
import { show as showValue } from './Show.js'
import type { Environment, World } from './World.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Values of a type: how they are generated, when two are equal, and how they print.
 *
 * @category model
 * @since 0.1.0
 */
export interface Sample<A> {
  readonly arb: fc.Arbitrary<A>
  readonly eq: Eq<A>
  readonly show?: (a: A) => string
  /**
   * Compares in one of many surroundings, which the seed chooses, and says what differs. Where it is missing, `eq` decides;
   * for values that have to be run it is both quicker and more telling.
   */
  readonly compare?: (left: A, right: A, seed: number, params: Params) => Answer
}

/**
 * What a suite needs of a type constructor: samples of `F<A>` from samples of `A`. They should have all that the type can be:
 * for an effect that fails, waits and is cancelled, not `of(a)` alone.
 *
 * @category model
 * @since 0.1.0
 */
export interface Kit<F> {
  readonly lift: <A>(a: Sample<A>) => Sample<HKT<F, A>>
}

/** @category model */
export interface Kit1<F extends URIS> {
  readonly lift: <A>(a: Sample<A>) => Sample<Kind<F, A>>
}

/** @category model */
export interface Kit2<F extends URIS2, E> {
  readonly lift: <A>(a: Sample<A>) => Sample<Kind2<F, E, A>>
}

/** @category model */
export interface Kit3<F extends URIS3, R, E> {
  readonly lift: <A>(a: Sample<A>) => Sample<Kind3<F, R, E, A>>
}

// -------------------------------------------------------------------------------------
// samples
// -------------------------------------------------------------------------------------

/**
 * A sample of values that are compared by `===`.
 *
 * @category samples
 * @since 0.1.0
 */
export const plain = <A>(arb: fc.Arbitrary<A>): Sample<A> => ({
  arb,
  eq: { equals: (x, y) => x === y },
  show: showValue
})

/** Small whole numbers, so that ties occur. @category samples */
export const int: Sample<number> = plain(fc.integer({ min: -3, max: 9 }))

/** Short strings. @category samples */
export const str: Sample<string> = plain(fc.string({ maxLength: 4 }))

/**
 * The same values in another shape: samples of a newtype, or of a type that is an effect inside.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { kit } from 'millrace/laws'
 *
 * const box = kit.imap((value: number) => ({ value }), ({ value }) => value)(kit.int)
 * assert.equal(box.eq.equals({ value: 1 }, { value: 1 }), true)
 *
 * @category samples
 * @since 0.1.0
 */
export const imap =
  <A, B>(to: (a: A) => B, from: (b: B) => A) =>
  ({ arb, eq, show, compare }: Sample<A>): Sample<B> => ({
    arb: arb.map(to),
    eq: { equals: (x, y) => eq.equals(from(x), from(y)) },
    ...(show === undefined ? {} : { show: (b: B) => show(from(b)) }),
    ...(compare === undefined
      ? {}
      : { compare: (x: B, y: B, seed: number, params: Params) => compare(from(x), from(y), seed, params) })
  })

/** How a value prints. */
export const showOf = <A>({ show = showValue }: Sample<A>, a: A): string => show(a)

/** Whether two values differ, and how. */
export const compareBy = <A>(sample: Sample<A>, left: A, right: A, seed: number, params: Params): Answer => {
  if (sample.compare !== undefined) return sample.compare(left, right, seed, params)
  if (sample.eq.equals(left, right)) return null
  return wrong(`left:  ${showOf(sample, left)}\nright: ${showOf(sample, right)}`)
}

// -------------------------------------------------------------------------------------
// effects
// -------------------------------------------------------------------------------------

/**
 * What the effects of {@link effect} need: where they note what they do. The suites provide it.
 *
 * @category effects
 * @since 0.1.0
 */
export interface Surroundings extends Environment {
  readonly world: World
}

const texts = new WeakMap<object, string>()

const sideOf =
  <E, A>(fx: Effect.Effect<Surroundings, E, A>): Side =>
  (world) =>
    Effect.local((environment: Environment): Surroundings => ({ ...environment, world }))(fx)

const differ = <E, A>(
  left: Effect.Effect<Surroundings, E, A>,
  right: Effect.Effect<Surroundings, E, A>,
  seed: number,
  params: Params
): Answer => {
  const name = everywhere[seed % everywhere.length]!
  const context = { name, n: Math.floor(seed / everywhere.length) % 6 }
  const answer = equalBySeed(within(context)(sideOf(left)), within(context)(sideOf(right)), seed, params)
  if (answer?._tag !== 'Wrong') return answer
  return wrong(`in the context ${context.name}(${context.n})\n${answer.report}`)
}

/**
 * Effects that fail with strings, die, wait, are cancelled, spawn, race and end with a value of the sample; compared as the laws
 * of this library compare them: in contexts, under the same schedules, by all that can be seen of a run.
 *
 * @category effects
 * @since 0.1.0
 */
export const effect: Kit3<Effect.URI, Surroundings, string> & { readonly error: Sample<string> } = {
  error: str,
  lift: <A>(a: Sample<A>): Sample<Effect.Effect<Surroundings, string, A>> => ({
    arb: fc
      .record({ value: a.arb, program: concurrent, name: fc.constantFrom('p', 'q', 'r', 's', 't', 'u') })
      .map(({ value, program, name }) => {
        const fx = Effect.flatMap(
          ({ world }: Surroundings) =>
            Effect.as(value)(interpret(world, name, program)) as Effect.Effect<Surroundings, string, A>
        )(Effect.ask<Surroundings>())
        texts.set(fx, `as(${showOf(a, value)})(${print(program, name)})`)
        return fx
      }),
    show: (fx) => texts.get(fx) ?? 'an effect',
    compare: differ,
    eq: {
      equals: (x, y) =>
        everywhere.every((_name, i) => differ(x, y, i + 2 * everywhere.length, quick) === null)
    }
  })
}
