/**
 * A suite for resources of your own: what everybody who uses one relies on.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, Resource } from 'millrace'
import {
  chooseBy,
  everywhere,
  invariant,
  keyOf,
  lines,
  type Observation,
  observe,
  type Side
} from './Equality.js'
import { type Answer, groupFor, irrelevant, law, type LawSet, lawSet, wrong } from './LawSet.js'
import { concurrent, interpret, printInputs } from './Program.js'
import type { Fx, World } from './World.js'

const { andThen, sleep } = Effect

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where a resource that is checked keeps its books: what it holds, by label. Each label has to be released as often as it was
 * acquired when a run is over.
 *
 * @category resources
 * @since 0.1.0
 */
export interface Ledger {
  readonly acquire: (label: string) => void
  readonly release: (label: string) => void
}

/**
 * How a resource is used by the suite.
 *
 * @category resources
 * @since 0.1.0
 */
export interface ResourceOptions<A> {
  /** What is done with it, besides generated programs; it should wait at least once. By default it sleeps 1 ms. */
  readonly use?: (a: A) => Effect.Effect<unknown, unknown, unknown>
  /** Of the set. */
  readonly name?: string
}

const prefix = 'its '

/** Runs with a cancellation from outside before each turn, one after the other. */
const cancelledEverywhere = (side: Side, seed: number): Answer => {
  let turns = 0
  const whole = observe(side, chooseBy(seed), { beforeTurn: (turn) => (turns = turn) })
  const faultOf = (at: string, observation: Observation): Answer => {
    const { exit, leak } = observation
    if (exit === 'Deadlock' || exit === 'Livelock')
      return wrong(`${at} it ends in a ${exit}\n${keyOf(observation)}`)
    return leak === null ? null : wrong(`${at} ${leak}\n${keyOf(observation)}`)
  }
  const fault = faultOf('left alone', whole)
  if (fault !== null) return fault
  for (let cancelAt = 0; cancelAt <= turns; cancelAt++) {
    const controller = new AbortController()
    const cut = observe(side, chooseBy(seed), {
      signal: controller.signal,
      beforeTurn: (turn) => {
        if (turn === cancelAt) controller.abort()
      }
    })
    const found = faultOf(`cancelled before turn ${cancelAt} of ${turns}`, cut)
    if (found !== null) return found
  }
  return null
}

/**
 * Laws of a resource: whatever happens, and wherever it is cancelled, what it acquired is released once, after its use. It is
 * made for each run anew, with a ledger in which it writes what it holds.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Resource } from 'millrace'
 * import { assertLaws, resource } from 'millrace/laws'
 *
 * assertLaws(
 *   resource((ledger) =>
 *     Resource.make(
 *       Effect.sync(() => ledger.acquire('file')),
 *       () => Effect.sync(() => ledger.release('file'))
 *     )
 *   )()
 * )
 *
 * // Whoever is cancelled between the two steps of `acquire` has acquired, and has nothing to release.
 * assert.throws(() =>
 *   assertLaws(
 *     resource((ledger) =>
 *       Resource.make(
 *         Effect.andThen(Effect.sleep(1))(Effect.sync(() => ledger.acquire('file'))),
 *         () => Effect.sync(() => ledger.release('file'))
 *       )
 *     )()
 *   )
 * )
 *
 * @category resources
 * @since 0.1.0
 */
export const resource =
  <E, A>(make: (ledger: Ledger) => Resource.Resource<unknown, E, A>) =>
  ({ use = () => sleep(1), name = 'a resource' }: ResourceOptions<A> = {}): LawSet => {
    // Generated programs keep their books in the same world.
    const itsOwn = ({ ledger }: World) =>
      [...ledger].flatMap(([label, entry]) => (label.startsWith(prefix) ? [entry] : []))
    const held = (world: World): number =>
      itsOwn(world).reduce((sum, { acquired, released }) => sum + acquired - released, 0)
    const releases = (world: World): number => itsOwn(world).reduce((sum, { released }) => sum + released, 0)
    const makeIn = (world: World): Resource.Resource<unknown, E, A> =>
      make({
        acquire: (label) => world.acquire(`${prefix}${label}`),
        release: (label) => world.release(`${prefix}${label}`)
      })
    /** Uses it, and notes what it held and whether any of it was released meanwhile. */
    const used = (world: World, of: Resource.Resource<unknown, E, A>, inside: Fx): Fx =>
      pipe(
        of,
        Resource.use((a) =>
          Effect.suspend(() => {
            const before = releases(world)
            world.note(`holds ${held(world)}`)
            return Effect.ensuring(
              Effect.sync(() => {
                if (releases(world) !== before) world.note('released in the middle')
              })
            )(andThen(inside)(use(a)))
          })
        )
      )
    const inOrder = (observation: Observation): string | null => {
      if (observation.exit === 'Livelock') return 'it never ends'
      return lines(observation).includes('released in the middle')
        ? 'something is released during the use'
        : null
    }
    const group = groupFor(name)
    const seeds = fc.record({ seed: fc.nat(1_000_000) })
    return lawSet(name, [
      law({
        name: 'resource use: it is acquired and released, each time it is used, and not before',
        group,
        input: seeds,
        show: printInputs,
        effort: 0.1,
        holds: ({ seed }) => {
          const observation = observe((world) => {
            const of = makeIn(world)
            return pipe(
              Effect.sync(() => world.note(`built ${held(world)}`)),
              andThen(used(world, of, Effect.unit)),
              andThen(Effect.sync(() => world.note(`between ${held(world)}`))),
              andThen(used(world, of, Effect.unit)),
              andThen(Effect.sync(() => world.note(`after ${held(world)}`)))
            )
          }, chooseBy(seed))
          if (!observation.exit.startsWith('Right')) return wrong(`it cannot be used: ${keyOf(observation)}`)
          const fault = inOrder(observation) ?? observation.leak
          if (fault !== null) return wrong(`${fault}\n${keyOf(observation)}`)
          const [built, first, between, second, after] = lines(observation).filter((line) =>
            /^(built|holds|between|after) /.test(line)
          )
          if (first === 'holds 0')
            return wrong('it writes nothing into its ledger, so nothing can be said of it')
          if (built !== 'built 0') return wrong('it acquires something by being made')
          if (between !== 'between 0' || after !== 'after 0') return wrong('it holds something after its use')
          return first === second
            ? null
            : wrong(`the second use finds it otherwise: ${first}, then ${second}`)
        }
      }),
      law({
        name: 'resource cancellation: cancelled before any turn, it leaves nothing behind',
        group,
        input: fc.record({ seed: fc.nat(1_000_000), program: fc.oneof(fc.constant(null), concurrent) }),
        show: ({ program }) => (program === null ? '  used as given' : printInputs({ program })),
        effort: 0.2,
        holds: ({ seed, program }) => {
          const side: Side = (world) =>
            used(world, makeIn(world), program === null ? Effect.unit : interpret(world, 'program', program))
          // A generated program may wait for itself; then there is nothing to see.
          const alone: Side = (world) =>
            program === null ? Effect.unit : interpret(world, 'program', program)
          if (observe(alone, chooseBy(seed)).exit === 'Deadlock') return irrelevant
          return cancelledEverywhere(side, seed)
        }
      }),
      invariant({
        name: 'resource endings: whatever ends its use, in whatever surroundings, it is released once, after the use',
        group,
        contexts: everywhere,
        effort: 0.4,
        input: fc.record({ program: concurrent }),
        show: printInputs,
        run:
          ({ program }) =>
          (world) =>
            used(world, makeIn(world), interpret(world, 'program', program)),
        check: inOrder
      }),
      invariant({
        name: 'resource nesting: two at a time do not get into each other’s way',
        group,
        contexts: everywhere,
        effort: 0.2,
        input: fc.record({ program: concurrent }),
        show: printInputs,
        run:
          ({ program }) =>
          (world) => {
            const of = makeIn(world)
            return pipe(
              of,
              Resource.use(() => used(world, of, interpret(world, 'program', program)))
            )
          },
        check: inOrder
      })
    ])
  }
