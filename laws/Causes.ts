/**
 * Laws of `Cause` and `Exit`, and of what handles a cause of several failures.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import type { Eq as EqOf } from 'fp-ts/lib/Eq.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as N from 'fp-ts/lib/number.js'
import { CancelScope, Cause, Effect, Exit } from 'millrace'
import { equation, everywhere, observe, type Side } from './Equality.js'
import { type Answer, law, type Law, lawSet, type LawSet, refuted, wrong } from './LawSet.js'
import { interpret as build, printInputs, type Program, sequential, short } from './Program.js'
import { show, showCause } from './Show.js'
import type { Fx } from './World.js'

const group = 'causes'

type C = Cause.Cause<number>

const Eq: EqOf<C> = Cause.getEq(N.Eq)
const then = Cause.SemigroupThen<number>().concat
const both = Cause.SemigroupBoth<number>().concat

// -------------------------------------------------------------------------------------
// inputs
// -------------------------------------------------------------------------------------

/** A cancellation cannot be made up, so it is taken from a run. */
const aCancellation = (): Cause.Cancelled => {
  const { result } = observe(
    () =>
      CancelScope.open((scope) =>
        Effect.catchCause((cause: Cause.Cause<unknown>) => Effect.of(cause))(
          Effect.andThen(Effect.checkCancelled)(scope.cancel())
        )
      ),
    () => 0
  )
  return (result as unknown as { readonly right: { readonly value: Cause.Cancelled } }).right.value
}

const leaves: fc.Arbitrary<C> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(3).map((error): C => Cause.fail(error)) },
  { weight: 2, arbitrary: fc.constantFrom('bug', 'other bug').map((defect): C => Cause.die(defect)) },
  { weight: 2, arbitrary: fc.constant(0).map((): C => aCancellation()) }
)

const { tree: causes } = fc.letrec<{ tree: C }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaves,
    fc.record({
      _tag: fc.constantFrom('Then', 'Both'),
      left: tie('tree'),
      right: tie('tree')
    }) as fc.Arbitrary<C>
  )
}))

/** Trees that take their leaves from one small pool, so that the same leaf comes again. */
const sharing: fc.Arbitrary<readonly [C, C, C]> = fc
  .tuple(
    fc.array(leaves, { minLength: 2, maxLength: 4 }),
    fc.array(fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }), { minLength: 3, maxLength: 3 })
  )
  .map(([pool, [a, b, c]]) => {
    const from = (places: ReadonlyArray<number>): C => {
      const [first, ...rest] = places.map((place) => pool[place % pool.length]!)
      return rest.reduce(
        (cause: C, leaf, i) => ((places[i] ?? 0) > 10 ? both(cause, leaf) : then(cause, leaf)),
        first!
      )
    }
    return [from(a!), from(b!), from(c!)]
  })

const distinct = fc.tuple(causes, causes, causes)

const showAll = (those: ReadonlyArray<C>): string => those.map((cause) => `  ${showCause(cause)}`).join('\n')

const same = (left: C, right: C): Answer =>
  Eq.equals(left, right) && showCause(left) === showCause(right)
    ? null
    : wrong(`left:  ${showCause(left)}\nright: ${showCause(right)}`)

const holds = (condition: boolean, report: string): Answer => (condition ? null : wrong(report))

const about = (
  name: string,
  input: fc.Arbitrary<readonly [C, C, C]>,
  check: (a: C, b: C, c: C) => Answer,
  effort = 2
): Law => law({ name, group, input, show: showAll, effort, holds: ([a, b, c]) => check(a, b, c) })

const sorted = (those: ReadonlyArray<unknown>): string => those.map(show).sort().join()

/** The same cause with the sides of `Both` exchanged and everything nested to the other side. */
const rearranged = (cause: C): C => {
  if (cause._tag !== 'Then' && cause._tag !== 'Both') return cause
  const { _tag, left, right } = cause
  if (left._tag === _tag)
    return rearranged({ _tag, left: left.left, right: { _tag, left: left.right, right } })
  return _tag === 'Both'
    ? { _tag, left: rearranged(right), right: rearranged(left) }
    : { _tag, left: rearranged(left), right: rearranged(right) }
}

/** The cause with another first failure, or defect; null when it has none. */
const withAnother = (tag: 'Fail' | 'Die', cause: C): C | null => {
  if (cause._tag === tag) return tag === 'Fail' ? Cause.fail(-1) : Cause.die('another')
  if (cause._tag !== 'Then' && cause._tag !== 'Both') return null
  const left = withAnother(tag, cause.left)
  if (left !== null) return { ...cause, left }
  const right = withAnother(tag, cause.right)
  return right === null ? null : { ...cause, right }
}

const strip = (cause: C): C | null => Cause.withoutCancelled(cause)

const joined = (join: (a: C, b: C) => C, a: C | null, b: C | null): C | null =>
  a === null ? b : b === null ? a : join(a, b)

const sameOrNull = (left: C | null, right: C | null): Answer =>
  left === null || right === null
    ? holds(left === right, `left: ${show(left)}, right: ${show(right)}`)
    : same(left, right)

const long = (tag: 'Then' | 'Both', toLeft: boolean): C => {
  let cause: C = Cause.fail(0)
  for (let i = 0; i < 20_000; i++) {
    const leaf: C = Cause.fail(i)
    cause = toLeft ? { _tag: tag, left: cause, right: leaf } : { _tag: tag, left: leaf, right: cause }
  }
  return cause
}

// -------------------------------------------------------------------------------------
// causes
// -------------------------------------------------------------------------------------

/**
 * `Cause`.
 *
 * @category law sets
 * @since 0.1.0
 */
export const causesAsData: LawSet = lawSet('causes as data', [
  about('D1 equality is reflexive, and sees no arrangement', distinct, (a) => same(a, rearranged(a))),
  about('D1 equality is symmetric and transitive', distinct, (a, b) => {
    const [ab, ba] = [Eq.equals(a, b), Eq.equals(b, a)]
    return holds(ab === ba && ab === (showCause(a) === showCause(b)), `a = b is ${ab}, b = a is ${ba}`)
  }),
  about('D1 what is equal has the same failures, defects and cancellations', distinct, (a) => {
    const b = rearranged(a)
    return holds(
      sorted(Cause.failures(a)) === sorted(Cause.failures(b)) &&
        sorted(Cause.defects(a)) === sorted(Cause.defects(b)) &&
        Cause.cancellations(a).length === Cause.cancellations(b).length &&
        Cause.isCancelledOnly(a) === Cause.isCancelledOnly(b) &&
        !Eq.equals(a, withAnother('Fail', a) ?? then(a, Cause.fail(-1))) &&
        !Eq.equals(a, withAnother('Die', a) ?? then(a, Cause.die('another'))),
      showCause(b)
    )
  }),
  about('D2 Then is associative', distinct, (a, b, c) => same(then(then(a, b), c), then(a, then(b, c)))),
  about('D2 Then is associative also where leaves come again', sharing, (a, b, c) =>
    same(then(then(a, b), c), then(a, then(b, c)))
  ),
  about('D3 Both is associative', distinct, (a, b, c) => same(both(both(a, b), c), both(a, both(b, c)))),
  about('D3 Both is associative also where leaves come again', sharing, (a, b, c) =>
    same(both(both(a, b), c), both(a, both(b, c)))
  ),
  about('D3 Both is commutative', distinct, (a, b) => same(both(a, b), both(b, a))),
  refuted({
    name: 'D4 Then is not commutative',
    group,
    input: distinct,
    show: showAll,
    holds: ([a, b]) => same(then(a, b), then(b, a))
  }),
  refuted({
    name: 'D4 Then does not distribute over Both: causes are no semiring',
    group,
    input: distinct,
    show: showAll,
    holds: ([a, b, c]) => same(then(a, both(b, c)), both(then(a, b), then(a, c)))
  }),
  refuted({
    name: 'D4 two failures of the same kind are two',
    group,
    input: distinct,
    show: showAll,
    holds: ([a]) => same(both(a, rearranged(Cause.map((n: number) => n)(a))), a)
  }),
  about('D5 the same leaf counts once, however often it is joined', sharing, (a, b) => {
    const whole = then(both(a, b), a)
    const found = new Set<unknown>()
    const count = Cause.match<number, number>({
      onFail: () => 1,
      onDie: () => 1,
      onCancelled: () => 1,
      onThen: (left, right) => left + right,
      onBoth: (left, right) => left + right
    })
    const collect = (cause: C): void => {
      if (cause._tag === 'Then' || cause._tag === 'Both') {
        collect(cause.left)
        collect(cause.right)
      } else found.add(cause)
    }
    collect(whole)
    return holds(count(whole) === found.size, `${count(whole)} leaves, ${found.size} of them different`)
  }),
  about('D6 map is a functor', distinct, (a) => {
    const f = (n: number): number => n + 1
    const g = (n: number): number => n * 2
    const composed = same(Cause.map(g)(Cause.map(f)(a)), Cause.map((n: number) => g(f(n)))(a))
    return composed ?? same(Cause.map((n: number) => n)(a), a)
  }),
  about('D6 map goes into joins', distinct, (a, b) => {
    const f = Cause.map((n: number) => n + 1)
    return same(f(then(a, b)), then(f(a), f(b))) ?? same(f(both(a, b)), both(f(a), f(b)))
  }),
  about(
    'D7 leaving out cancellations: once is enough, nothing is left exactly of those alone',
    distinct,
    (a) => {
      const left = strip(a)
      return (
        holds((left === null) === Cause.isCancelledOnly(a), `left: ${show(left)}`) ??
        (left === null ? null : sameOrNull(strip(left), left))
      )
    }
  ),
  about('D7 leaving out cancellations goes into joins and through map', distinct, (a, b) => {
    const f = Cause.map((n: number) => n + 1)
    const left = strip(a)
    return (
      sameOrNull(strip(then(a, b)), joined(then, strip(a), strip(b))) ??
      sameOrNull(strip(both(a, b)), joined(both, strip(a), strip(b))) ??
      sameOrNull(strip(f(a)), left === null ? null : f(left))
    )
  }),
  about('D8 match with the constructors is the identity', distinct, (a) =>
    same(
      Cause.match<number, C>({
        onFail: (error) => Cause.fail(error),
        onDie: (defect) => Cause.die(defect),
        onCancelled: (cancelled) => cancelled,
        onThen: (left, right) => ({ _tag: 'Then', left, right }),
        onBoth: (left, right) => ({ _tag: 'Both', left, right })
      })(a),
      a
    )
  ),
  about('D9 the printed cause has a line for each leaf', distinct, (a) => {
    const text = Cause.pretty(a)
    const expected = Cause.failures(a).length + Cause.defects(a).length + Cause.cancellations(a).length
    const found = text.split('\n').filter((line) => /(Fail|Die|Cancelled): /.test(line)).length
    return holds(expected === found, text)
  }),
  about('D9 toError is made once, and keeps the cause', distinct, (a) =>
    holds(Cause.toError(a) === Cause.toError(a) && Cause.toError(a).source === a, Cause.toError(a).message)
  ),
  about(
    'D10 twenty thousand leaves need no stack, nested to either side',
    fc.constant([Cause.fail(0), Cause.fail(0), Cause.fail(0)] as const),
    () => {
      for (const tag of ['Then', 'Both'] as const) {
        const [left, right] = [long(tag, true), long(tag, false)]
        if (Cause.failures(left).length !== 20_001) return wrong('leaves are missing')
        if (Cause.pretty(left).length === 0 || Cause.toError(right).message === '')
          return wrong('nothing printed')
        if (tag === 'Then' && Eq.equals(left, right)) return wrong('another order is equal')
        if (strip(Cause.map((n: number) => n)(left)) === null) return wrong('nothing is left')
      }
      return null
    },
    0.01
  )
])

// -------------------------------------------------------------------------------------
// handlers
// -------------------------------------------------------------------------------------

const noCancelled = causes.map((cause): C => strip(cause) ?? Cause.fail(0))

interface Handled {
  readonly cause: C
  readonly k: Program
}

const handling = (
  name: string,
  [left, right]: readonly [(input: Handled) => Side, (input: Handled) => Side]
): Law =>
  equation<Handled>({
    name,
    group,
    input: fc.record({ cause: noCancelled, k: short }),
    show: printInputs,
    left,
    right,
    contexts: everywhere
  })

const isFail = (cause: C): boolean => Cause.failures(cause).length > 0

const onlyDefects = (cause: C): C | null => {
  if (cause._tag === 'Then' || cause._tag === 'Both') {
    const [left, right] = [onlyDefects(cause.left), onlyDefects(cause.right)]
    return left === null ? right : right === null ? left : { _tag: cause._tag, left, right }
  }
  return cause._tag === 'Fail' ? null : cause
}

/** The rest of a cause after what a handler did about its failures. */
const afterwards =
  (rest: Cause.Cause<unknown> | null) =>
  (fx: Fx): Fx => {
    if (rest === null) return fx
    return Effect.flatMap((exit: Exit.Exit<unknown, unknown>) =>
      Effect.failCause(exit._tag === 'Right' ? rest : Cause.SemigroupThen<unknown>().concat(rest, exit.left))
    )(Effect.exit(fx))
  }

const raise = (cause: C): Fx => Effect.failCause(cause)

type Tagged = { readonly _tag: 'Odd' } | { readonly _tag: 'Even' }

const withTags = (cause: C): Cause.Cause<Tagged> =>
  Cause.map((n: number): Tagged => ({ _tag: n % 2 === 0 ? 'Even' : 'Odd' }))(cause)

const withoutOdd = (cause: Cause.Cause<Tagged>): Cause.Cause<Tagged> | null => {
  if (cause._tag === 'Then' || cause._tag === 'Both') {
    const [left, right] = [withoutOdd(cause.left), withoutOdd(cause.right)]
    if (left === cause.left && right === cause.right) return cause
    return left === null ? right : right === null ? left : { _tag: cause._tag, left, right }
  }
  return cause._tag === 'Fail' && cause.error._tag === 'Odd' ? null : cause
}

/**
 * What handles failures, on causes of several.
 *
 * @category law sets
 * @since 0.1.0
 */
export const handlers: LawSet = lawSet('handlers of causes', [
  handling('D11 orElse takes the failures out, runs once, with the first, and what is left stays', [
    ({ cause, k }) =>
      (w) =>
        Effect.orElse((error: unknown) => Effect.andThen(build(w, 'k', k))(w.tick(show(error))))(
          raise(cause)
        ),
    ({ cause, k }) =>
      (w) =>
        isFail(cause)
          ? afterwards(onlyDefects(cause))(
              Effect.andThen(build(w, 'k', k))(w.tick(show(Cause.failures(cause)[0])))
            )
          : raise(cause)
  ]),
  handling('D12 match handles as orElse does', [
    ({ cause }) =>
      () =>
        Effect.match(
          (error: unknown) => ['failed', error],
          (value: unknown) => value
        )(raise(cause)),
    ({ cause }) =>
      () =>
        isFail(cause)
          ? afterwards(onlyDefects(cause))(Effect.of(['failed', Cause.failures(cause)[0]]))
          : raise(cause)
  ]),
  handling('D13 mapError and orDie act on every failure of the cause', [
    ({ cause }) =>
      () =>
        Effect.tuple([
          Effect.exit(Effect.mapError((n: unknown) => [n])(raise(cause))),
          Effect.exit(Effect.orDie(raise(cause))),
          Effect.exit(Effect.orDie(Effect.fail('alone')))
        ]),
    ({ cause }) =>
      () =>
        Effect.of([
          Exit.failCause(Cause.map((n: number) => [n])(cause)),
          Exit.failCause(
            Cause.match<number, C>({
              onFail: (error) => Cause.die(error),
              onDie: (defect) => Cause.die(defect),
              onCancelled: (cancelled) => cancelled,
              onThen: (left, right) => ({ _tag: 'Then', left, right }),
              onBoth: (left, right) => ({ _tag: 'Both', left, right })
            })(cause)
          ),
          Exit.failCause(Cause.die('alone'))
        ])
  ]),
  handling('D14 tapError runs once, with the first failure, and the cause stays', [
    ({ cause, k }) =>
      (w) =>
        Effect.tapError((error: unknown) => Effect.andThen(build(w, 'k', k))(w.tick(show(error))))(
          raise(cause)
        ),
    ({ cause, k }) =>
      (w) =>
        isFail(cause)
          ? Effect.flatMap((exit: Exit.Exit<unknown, unknown>): Fx =>
              exit._tag === 'Right'
                ? raise(cause)
                : Effect.failCause(Cause.SemigroupThen<unknown>().concat(cause, exit.left))
            )(Effect.exit(Effect.andThen(build(w, 'k', k))(w.tick(show(Cause.failures(cause)[0])))))
          : raise(cause)
  ]),
  handling('D15 catchTag takes only its own', [
    ({ cause, k }) =>
      (w) => {
        const tagged: Effect.Effect<unknown, Tagged, never> = Effect.failCause(withTags(cause))
        return pipe(
          tagged,
          Effect.catchTag('Odd', () => build(w, 'k', k))
        )
      },
    ({ cause, k }) =>
      (w) => {
        const tagged = withTags(cause)
        const rest = withoutOdd(tagged)
        return rest === tagged ? Effect.failCause(tagged) : afterwards(rest)(build(w, 'k', k))
      }
  ]),
  equation<{ readonly e: Program }>({
    name: 'D16 exit never fails, whatever is inside',
    group,
    input: fc.record({ e: sequential }),
    show: printInputs,
    left:
      ({ e }) =>
      (w) =>
        Effect.orElse(() => Effect.of('failed'))(Effect.exit(build(w, 'e', e))),
    right:
      ({ e }) =>
      (w) =>
        Effect.exit(build(w, 'e', e))
  }),
  handling('D17 exit(fromExit(x)) = of(x), without cancellations', [
    ({ cause }) =>
      () =>
        Effect.exit(raise(cause)),
    ({ cause }) =>
      () =>
        Effect.of(Exit.failCause(cause))
  ]),
  law({
    name: 'D18 equality of exits is that of causes and of values',
    group,
    input: fc.tuple(causes, causes, fc.nat(1), fc.nat(1)),
    show: ([a, b]) => showAll([a, b]),
    holds: ([a, b, n, m]) => {
      const { equals } = Exit.getEq<number, number>(N.Eq, N.Eq)
      return holds(
        equals(Exit.failCause(a), Exit.failCause(b)) === Eq.equals(a, b) &&
          equals(Exit.succeed(n), Exit.succeed(m)) === (n === m) &&
          !equals(Exit.succeed(n), Exit.failCause(a)) &&
          !equals(Exit.failCause(a), Exit.succeed(n)) &&
          Exit.isCancelled(Exit.failCause(a)) === Cause.isCancelledOnly(a) &&
          !Exit.isCancelled(Exit.succeed(n)),
        'exits and causes disagree'
      )
    }
  })
])

/**
 * All of them.
 *
 * @category law sets
 * @since 0.1.0
 */
export const allCauses: LawSet = lawSet('causes', [], [causesAsData, handlers])
