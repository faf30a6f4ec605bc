/**
 * Laws of `Resource` and `bracket`: what was acquired is released once, in reverse order, whatever happens; and the monad of
 * resources, seen through `use`, in which acquiring and releasing count.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { identity, pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Cause, Effect, Resource, Timeout } from 'millrace'
import {
  allOf,
  type ContextName,
  equation,
  equationOfSets,
  everywhere,
  expectExit,
  expectTrace,
  invariant,
  lines,
  unaccompanied
} from './Equality.js'
import { type Law, lawSet, type LawSet } from './LawSet.js'
import {
  type Arrow,
  arrows,
  concurrent,
  interpret as build,
  interpretArrow as buildArrow,
  printInputs,
  type Program,
  pure,
  sequential,
  short,
  straight
} from './Program.js'
import { type Sides, sidesOf } from './Sides.js'
import { show } from './Show.js'
import type { Environment, Fx, World } from './World.js'

const { andThen, sleep } = Effect

const group = 'resources'

const sides = sidesOf(group)

type Res = Resource.Resource<Environment, unknown, unknown>

/** What a resource of a law is made of. */
interface Parts {
  readonly acquire: Program
  readonly release: Program
}

const parts: fc.Arbitrary<Parts> = fc.record({ acquire: short, release: short })

/** A resource that keeps the books: it counts as acquired in the step in which its acquisition succeeds. */
const resource = (w: World, name: string, { acquire, release }: Parts): Res =>
  Resource.make(
    Effect.map((value: unknown) => {
      w.acquire(name)
      return value
    })(build(w, `${name}.acquire`, acquire)),
    (_value, exit) =>
      andThen(build(w, `${name}.release`, release))(
        Effect.sync(() => {
          w.release(name)
          w.note(`${name} released after ${show(exit)}`)
        })
      )
  )

const showParts = (inputs: object): string =>
  printInputs(
    Object.fromEntries(
      Object.entries(inputs).flatMap(([name, value]: readonly [string, unknown]) =>
        typeof value === 'object' && value !== null && 'acquire' in value
          ? Object.entries(value).map(([part, of]: readonly [string, unknown]) => [`${name}.${part}`, of])
          : [[name, value]]
      )
    )
  )

const use =
  (w: World, f: Arrow) =>
  (of: Res): Fx =>
    Resource.use(buildArrow(w, 'k', f))(of)

interface Used {
  readonly r: Parts
  readonly k: Arrow
}

const k = arrows(sequential)

const law = <T extends object>(
  name: string,
  inputs: { readonly [K in keyof T]: fc.Arbitrary<T[K]> },
  [left, right]: Sides<T>,
  contexts: ReadonlyArray<ContextName> = everywhere
): Law =>
  equation<T>({
    name,
    group,
    input: fc.record(inputs) as fc.Arbitrary<T>,
    show: showParts,
    left,
    right,
    contexts
  })

// -------------------------------------------------------------------------------------
// the monad
// -------------------------------------------------------------------------------------

/**
 * The instances of `Resource`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const resourceMonad: LawSet = lawSet('the monad of resources', [
  sides<{ readonly a: number; readonly k: Arrow }>(
    'Q1 use(of a, k) = k(a)',
    { a: fc.nat(3), k: arrows(concurrent) },
    [
      ({ a, k }) =>
        (w) =>
          use(w, k)(Resource.of(a)),
      ({ a, k }) =>
        (w) =>
          buildArrow(w, 'k', k)(a)
    ]
  ),
  law<Used & { readonly s: Parts }>(
    'Q2 use(flatMap(r, f), k) = use(r, a => use(f(a), k))',
    { r: parts, s: parts, k },
    [
      ({ r, s, k }) =>
        (w) =>
          pipe(
            resource(w, 'r', r),
            Resource.flatMap((a: unknown) => Resource.map((b: unknown) => [a, b])(resource(w, 's', s))),
            use(w, k)
          ),
      ({ r, s, k }) =>
        (w) =>
          Resource.use((a: unknown) => use(w, k)(Resource.map((b: unknown) => [a, b])(resource(w, 's', s))))(
            resource(w, 'r', r)
          )
    ]
  ),
  law<Used & { readonly n: number }>('Q3 use(map(r, f), k) = use(r, k ∘ f)', { r: parts, k, n: fc.nat(9) }, [
    ({ r, k, n }) =>
      (w) =>
        use(w, k)(Resource.map(pure(n, 'f'))(resource(w, 'r', r))),
    ({ r, k, n }) =>
      (w) =>
        Resource.use((a: unknown) => buildArrow(w, 'k', k)(pure(n, 'f')(a)))(resource(w, 'r', r))
  ]),
  law<Used>('Q4 map(r, identity) = r, flatMap(r, of) = r', { r: parts, k }, [
    ({ r, k }) =>
      (w) =>
        use(w, k)(Resource.flatMap(Resource.of)(Resource.map(identity)(resource(w, 'r', r)))),
    ({ r, k }) =>
      (w) =>
        use(w, k)(resource(w, 'r', r))
  ]),
  law<Used & { readonly s: Parts; readonly t: Parts }>(
    'Q5 flatMap is associative',
    { r: parts, s: parts, t: parts, k },
    [
      ({ r, s, t, k }) =>
        (w) =>
          pipe(
            resource(w, 'r', r),
            Resource.flatMap(() => resource(w, 's', s)),
            Resource.flatMap(() => resource(w, 't', t)),
            use(w, k)
          ),
      ({ r, s, t, k }) =>
        (w) =>
          pipe(
            resource(w, 'r', r),
            Resource.flatMap(() => Resource.flatMap(() => resource(w, 't', t))(resource(w, 's', s))),
            use(w, k)
          )
    ]
  ),
  law<Used & { readonly s: Parts }>('Q6 ap, bind and gen are flatMap', { r: parts, s: parts, k }, [
    ({ r, s, k }) =>
      (w) => {
        const written = Resource.gen(function* () {
          const a: unknown = yield* resource(w, 'r', r)
          const b: unknown = yield* resource(w, 's', s)
          return { a, b }
        })
        return Effect.andThen(use(w, k)(written))(use(w, k)(written))
      },
    ({ r, s, k }) =>
      (w) => {
        const bound = pipe(
          Resource.Do,
          Resource.bind('a', () => resource(w, 'r', r)),
          Resource.bind('b', () => resource(w, 's', s))
        )
        const applied = pipe(
          resource(w, 'r', r),
          Resource.map((a: unknown) => (b: unknown) => ({ a, b })),
          Resource.ap(resource(w, 's', s))
        )
        return Effect.andThen(use(w, k)(applied))(use(w, k)(bound))
      }
  ]),
  sides<{ readonly e: Program; readonly k: Arrow }>(
    'Q7 use(fromEffect(e), k) = chain(e, k)',
    { e: sequential, k },
    [
      ({ e, k }) =>
        (w) =>
          use(w, k)(Resource.fromEffect(build(w, 'e', e))),
      ({ e, k }) =>
        (w) =>
          Effect.flatMap(buildArrow(w, 'k', k))(build(w, 'e', e))
    ]
  ),
  sides<{ readonly e: Program; readonly fin: Program }>(
    'Q8 onExit = use of a resource that acquires nothing',
    { e: concurrent, fin: sequential },
    [
      ({ e, fin }) =>
        (w) =>
          Effect.onExit((exit) => andThen(build(w, 'fin', fin))(w.tick(show(exit))))(build(w, 'e', e)),
      ({ e, fin }) =>
        (w) =>
          Resource.use(() => build(w, 'e', e))(
            Resource.make(Effect.unit, (_, exit) => andThen(build(w, 'fin', fin))(w.tick(show(exit))))
          )
    ]
  ),
  law<Used>('Q9 make = fromUse of a bracket', { r: parts, k }, [
    ({ r, k }) =>
      (w) =>
        use(w, k)(resource(w, 'r', r)),
    ({ r, k }) =>
      (w) =>
        Effect.bracket(
          Effect.map((value: unknown) => {
            w.acquire('r')
            return value
          })(build(w, 'r.acquire', r.acquire)),
          buildArrow(w, 'k', k),
          (_value, exit) =>
            andThen(build(w, 'r.release', r.release))(
              Effect.sync(() => {
                w.release('r')
                w.note(`r released after ${show(exit)}`)
              })
            )
        )
  ])
])

// -------------------------------------------------------------------------------------
// brackets
// -------------------------------------------------------------------------------------

/**
 * `bracket`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const brackets: LawSet = lawSet('brackets', [
  law<Used>('H1 bracket = acquire, then use with the release as its finalizer', { r: parts, k }, [
    ({ r, k }) =>
      (w) =>
        use(w, k)(resource(w, 'r', r)),
    ({ r, k }) =>
      (w) =>
        Effect.flatMap((value: unknown) => {
          w.acquire('r')
          return Effect.onExit((exit) =>
            andThen(build(w, 'r.release', r.release))(
              Effect.sync(() => {
                w.release('r')
                w.note(`r released after ${show(exit)}`)
              })
            )
          )(Effect.suspend(() => buildArrow(w, 'k', k)(value)))
        })(build(w, 'r.acquire', r.acquire))
  ]),
  invariant({
    name: 'H1 what was acquired is released once, in reverse order, whatever happens',
    group,
    input: fc.record({
      acquire: short,
      use: sequential,
      releases: fc.array(short, { minLength: 1, maxLength: 3 })
    }),
    show: (inputs) => printInputs({ ...inputs, releases: inputs.releases.length }),
    contexts: everywhere,
    effort: 1,
    run:
      ({ acquire, use: used, releases }) =>
      (w) =>
        releases.reduceRight(
          (fx: Fx, release, i) => Resource.use(() => fx)(resource(w, `r${i}`, { acquire, release })),
          build(w, 'use', used)
        ),
    check: (observation) => {
      const open: Array<string> = []
      for (const line of lines(observation)) {
        const acquired = /^(r\d) acquired$/.exec(line)
        const released = /^(r\d) released/.exec(line)
        if (acquired !== null) open.push(acquired[1]!)
        if (released !== null && open.pop() !== released[1]) return `${line} out of order`
      }
      return observation.exit === 'Deadlock' || open.length === 0 ? null : `${open.join()} not released`
    }
  }),
  invariant({
    name: 'H2 between the end of acquire and the registration of release nothing is cancelled',
    group,
    input: fc.record({
      wait: fc.nat(3),
      how: fc.constantFrom('sleep', 'cancels itself', 'yields', 'shielded')
    }),
    show: printInputs,
    contexts: everywhere,
    effort: 1,
    run:
      ({ wait, how }) =>
      (w) =>
        CancelScope.open((scope) => {
          const got = Effect.sync(() => {
            w.acquire('r')
          })
          const acquire: Record<typeof how, Fx> = {
            sleep: andThen(got)(sleep(wait)),
            'cancels itself': andThen(got)(scope.cancel()),
            yields: andThen(got)(Effect.yieldNow),
            shielded: Timeout.shielded(andThen(got)(sleep(wait)))
          }
          return Effect.bracket(
            acquire[how],
            () => w.tick('used'),
            () =>
              Effect.sync(() => {
                w.release('r')
              })
          )
        }),
    check: (observation) => {
      const trace = lines(observation)
      return trace.includes('r acquired') === trace.includes('used') ? null : 'it was acquired, but not used'
    }
  }),
  invariant({
    name: 'H2 a failing acquire releases nothing but what was acquired before',
    group,
    input: fc.record({ how: fc.constantFrom('fails', 'dies', 'is cancelled') }),
    show: printInputs,
    run:
      ({ how }) =>
      (w) => {
        const broken: Fx =
          how === 'fails'
            ? Effect.fail('ε')
            : how === 'dies'
              ? Effect.die('ε')
              : CancelScope.open(() => Effect.flatMap(() => Effect.never)(Effect.unit))
        return Timeout.moveOnAfter(3)(
          pipe(
            resource(w, 'first', { acquire: nothing, release: nothing }),
            Resource.flatMap(() => Resource.make(broken, () => w.tick('not reached'))),
            Resource.use(() => w.tick('not reached'))
          )
        )
      },
    check: (observation, { how }) => {
      const cause = how === 'fails' ? 'Fail("ε")' : how === 'dies' ? 'Die("ε")' : 'Cancelled'
      const time = how === 'is cancelled' ? 3 : 0
      return expectTrace('first acquired@0', `first released after Left(${cause})@${time}`)(observation)
    }
  }),
  invariant({
    name: 'H5 what fails in a release joins, and all other releases still run',
    group,
    input: fc.record({
      used: fc.constantFrom('value', 'fails', 'cancelled'),
      broken: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 })
    }),
    show: printInputs,
    run:
      ({ used, broken }) =>
      (w) =>
        CancelScope.open((scope) => {
          const body: Fx =
            used === 'value'
              ? Effect.of(1)
              : used === 'fails'
                ? Effect.fail('use')
                : andThen(Effect.checkpoint)(scope.cancel())
          return broken.reduceRight(
            (fx: Fx, fails, i) =>
              Effect.bracket(
                w.tick(`acquired ${i}`),
                () => fx,
                () => andThen(fails ? Effect.fail(`release ${i}`) : Effect.unit)(w.tick(`released ${i}`))
              ),
            body
          )
        }),
    check: (observation, { used, broken }) => {
      const released = lines(observation).filter((line) => line.startsWith('released'))
      const order = broken.map((_, i) => `released ${broken.length - 1 - i}`)
      if (released.join() !== order.join()) return `releases: ${released.join()}`
      const failures = [
        ...(used === 'fails' ? ['use'] : []),
        ...broken.map((fails, i) => (fails ? `release ${i}` : null)).reverse()
      ].filter((each) => each !== null)
      const { result } = observation
      const found =
        result !== null && result._tag === 'Left' ? Cause.failures(result.left as Cause.Cause<string>) : []
      return found.join() === failures.join() ? null : `expected the failures ${failures.join()}`
    }
  }),
  invariant({
    name: 'H5 release sees how use ended',
    group,
    input: fc.record({ e: sequential }),
    show: printInputs,
    contexts: everywhere.filter((name) => name !== 'raced'),
    run:
      ({ e }) =>
      (w) =>
        Effect.bracket(
          Effect.unit,
          () => Effect.onExit((exit) => w.tick(`use ${show(exit)}`))(build(w, 'e', e)),
          (_, exit) => w.tick(`release ${show(exit)}`)
        ),
    check: (observation) => {
      const trace = lines(observation)
      const used = trace.find((line) => line.startsWith('use '))?.slice(4)
      const released = trace.find((line) => line.startsWith('release '))?.slice(8)
      return used === released ? null : `use ended ${String(used)}, release saw ${String(released)}`
    }
  }),
  sides<{ readonly a: Program; readonly k: Program; readonly rel: Program }>(
    'H10 without waits a cancelled scope makes no difference to a bracket',
    { a: straight, k: straight, rel: straight },
    [
      ({ a, k, rel }) =>
        (w) =>
          CancelScope.open((scope) =>
            andThen(
              Effect.bracket(
                build(w, 'a', a),
                () => build(w, 'k', k),
                () => build(w, 'rel', rel)
              )
            )(scope.cancel())
          ),
      ({ a, k, rel }) =>
        (w) =>
          CancelScope.open(() =>
            Effect.bracket(
              build(w, 'a', a),
              () => build(w, 'k', k),
              () => build(w, 'rel', rel)
            )
          )
    ]
  )
])

// -------------------------------------------------------------------------------------
// side by side
// -------------------------------------------------------------------------------------

const nothing: Program = { op: 'succeed', n: 0, of: [] }

const timed = (w: World, name: string, { acquire, release }: Waits): Res =>
  Resource.make(
    Effect.map(() => {
      w.acquire(name)
      return name
    })(sleep(acquire)),
    () =>
      pipe(
        Effect.sync(() => {
          w.release(name)
        }),
        andThen(w.tick(`${name} releasing`)),
        andThen(sleep(release)),
        andThen(w.tick(`${name} released`))
      )
  )

interface Waits {
  readonly acquire: number
  readonly release: number
}

const waits: fc.Arbitrary<Waits> = fc.record({ acquire: fc.nat(3), release: fc.nat(3) })

/**
 * `Resource.par`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const resourcesInParallel: LawSet = lawSet('resources side by side', [
  invariant({
    name: 'H6 resources side by side are acquired at the same time, and released at the same time',
    group,
    input: fc.record({ x: waits, y: waits }),
    show: showParts,
    run:
      ({ x, y }) =>
      (w) =>
        pipe(
          timed(w, 'x', x),
          Resource.par(timed(w, 'y', y)),
          Resource.use((both: unknown) => w.tick(`use ${show(both)}`))
        ),
    check: (observation, { x, y }) => {
      const acquired = Math.max(x.acquire, y.acquire)
      const time = acquired + Math.max(x.release, y.release)
      if (observation.time !== time) return `expected it to take ${time} ms`
      return observation.trace.includes(`use ["x", "y"]@${acquired}`) ? null : 'it was not used in time'
    }
  }),
  invariant({
    name: 'H6 whatever ends resources side by side, both are released once',
    group,
    input: fc.record({ x: parts, y: parts, k }),
    show: showParts,
    contexts: everywhere,
    run:
      ({ x, y, k }) =>
      (w) =>
        use(w, k)(Resource.par(resource(w, 'y', y))(resource(w, 'x', x))),
    check: () => null
  }),
  invariant({
    name: 'H6 a failed acquire cancels the other, or releases what it got',
    group,
    input: fc.record({ x: waits, fails: fc.nat(3) }),
    show: showParts,
    run:
      ({ x, fails }) =>
      (w) =>
        pipe(
          timed(w, 'x', x),
          Resource.par(Resource.make(andThen(Effect.fail('ε'))(sleep(fails)), () => Effect.unit)),
          Resource.use(() => w.tick('used'))
        ),
    check: (observation, { x, fails }) => {
      const trace = lines(observation)
      if (trace.includes('used')) return 'it was used'
      if (x.acquire > fails && trace.includes('x acquired')) return 'the other acquire was not cancelled'
      return allOf(expectExit('Left(Fail("ε"))'), (o) =>
        lines(o).includes('x acquired') === lines(o).includes('x released') ? null : 'not released'
      )(observation)
    }
  }),
  equationOfSets<Used>({
    name: 'H6 a resource beside one that is there already is as alone, where nothing else runs and nothing is cancelled',
    group,
    contexts: unaccompanied.filter((name) => name === 'alone'),
    input: fc.record({ r: fc.record({ acquire: sequentialValue(), release: sequentialValue() }), k }),
    show: showParts,
    left:
      ({ r, k }) =>
      (w) =>
        use(
          w,
          k
        )(
          Resource.map(([a]: readonly [unknown, unknown]) => a)(
            Resource.par(Resource.of(0))(resource(w, 'r', r))
          )
        ),
    right:
      ({ r, k }) =>
      (w) =>
        use(w, k)(resource(w, 'r', r))
  })
])

function sequentialValue(): fc.Arbitrary<Program> {
  return fc.constantFrom<Program>(nothing, { op: 'tick', n: 0, of: [] }, { op: 'sleep', n: 2, of: [] })
}

/**
 * All of them.
 *
 * @category law sets
 * @since 0.1.0
 */
export const resources: LawSet = lawSet('resources', [], [resourceMonad, brackets, resourcesInParallel])
