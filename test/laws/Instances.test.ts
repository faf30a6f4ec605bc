/** Suites for instances: ours and those of fp-ts pass them, and broken ones do not. */
import { expect } from 'chai'
import fc from 'fast-check'
import type { Applicative2C } from 'fp-ts/lib/Applicative.js'
import * as E from 'fp-ts/lib/Either.js'
import type { Eq } from 'fp-ts/lib/Eq.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Functor1 } from 'fp-ts/lib/Functor.js'
import * as IO from 'fp-ts/lib/IO.js'
import type { Monad2, Monad3 } from 'fp-ts/lib/Monad.js'
import * as N from 'fp-ts/lib/number.js'
import * as O from 'fp-ts/lib/Option.js'
import * as R from 'fp-ts/lib/Reader.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as S from 'fp-ts/lib/string.js'
import { Cause, Concurrent, Effect, Exit, Resource } from 'millrace'
import { checkAll, flatten, kit, type LawSet, type Verdict, type Params, quick } from 'millrace/laws'
import * as instances from 'millrace/laws/Instances'
import { instances as ours } from 'millrace/laws/Ours'

/** What is broken has to be found soon, and the same way each time. */
const few: Params = { ...quick, runs: 120 }

const { int, str } = kit

/** How the laws of a set came out, by the part of their names before the colon. */
const verdicts = (rules: LawSet): ReadonlyMap<string, Verdict['_tag']> =>
  new Map(flatten(rules).map((law) => [law.name.replace(/:.*/, ''), law.check(few)._tag]))

const falsified = (rules: LawSet): ReadonlyArray<string> =>
  [...verdicts(rules)].flatMap(([name, tag]) => (tag === 'Falsified' ? [name] : []))

// ---- kits

const option = {
  error: int,
  lift: <A>(a: kit.Sample<A>): kit.Sample<O.Option<A>> => ({
    arb: fc.oneof(fc.constant(O.none), a.arb.map(O.some)),
    eq: O.getEq(a.eq)
  })
}

const either = {
  error: str,
  lift: <A>(a: kit.Sample<A>): kit.Sample<E.Either<string, A>> => ({
    arb: fc.oneof(
      str.arb.map((e) => E.left(e)),
      a.arb.map((a) => E.right(a))
    ),
    eq: E.getEq(str.eq, a.eq)
  })
}

const array = {
  lift: <A>(a: kit.Sample<A>): kit.Sample<ReadonlyArray<A>> => ({
    arb: fc.array(a.arb, { maxLength: 3 }),
    eq: RA.getEq(a.eq)
  })
}

const io = {
  lift: <A>(a: kit.Sample<A>): kit.Sample<IO.IO<A>> => ({
    arb: a.arb.map(IO.of),
    eq: { equals: (x, y) => a.eq.equals(x(), y()) },
    show: (x) => kit.showOf(a, x())
  })
}

const reader = {
  lift: <A>(a: kit.Sample<A>): kit.Sample<R.Reader<number, A>> => ({
    arb: fc.tuple(a.arb, a.arb).map(
      ([even, odd]) =>
        (n: number) =>
          n % 2 === 0 ? even : odd
    ),
    eq: { equals: (x, y) => [0, 1].every((n) => a.eq.equals(x(n), y(n))) }
  })
}

/** Resources over the effects of the kit, each with a release that can be seen; compared by what it is to use them. */
const resource: kit.Kit3<Resource.URI, kit.Surroundings, string> = {
  lift: (a) => {
    const { arb, show, compare } = kit.effect.lift(a)
    type Res = Resource.Resource<kit.Surroundings, string, Parameters<typeof a.eq.equals>[0]>
    const used = (of: Res) =>
      pipe(
        of,
        Resource.use((value) => Effect.as(value)(tick('used')))
      )
    const differ = (x: Res, y: Res, seed: number) => compare!(used(x), used(y), seed, few)
    return {
      arb: arb.map((fx) => Resource.make(fx, () => tick(`released ${show!(fx)}`))),
      eq: { equals: (x, y) => differ(x, y, 0) === null },
      compare: differ
    }
  }
}

const tick = (label: string) =>
  Effect.flatMap(({ world }: kit.Surroundings) => world.tick(label))(Effect.ask<kit.Surroundings>())

const cause: kit.Sample<Cause.Cause<number>> = (() => {
  const { tree } = fc.letrec<{ tree: Cause.Cause<number> }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      int.arb.map((e) => Cause.fail(e)),
      int.arb.map((e) => Cause.die(e)),
      fc.tuple(tie('tree'), tie('tree')).map(([x, y]) => Cause.SemigroupThen<number>().concat(x, y)),
      fc.tuple(tie('tree'), tie('tree')).map(([x, y]) => Cause.SemigroupBoth<number>().concat(x, y))
    )
  }))
  return { arb: tree, eq: Cause.getEq(N.Eq) }
})()

// ---- ours

checkAll(ours)
checkAll(instances.monad(Resource.Monad)(resource))
checkAll(instances.eq(Cause.getEq(N.Eq))(cause, 'causes'))
checkAll(
  instances.eq(Exit.getEq(N.Eq, N.Eq))(
    {
      arb: fc.oneof(
        int.arb.map((a) => Exit.succeed(a)),
        cause.arb.map((c) => Exit.failCause(c))
      )
    },
    'exits'
  )
)

// ---- theirs

checkAll(instances.monadThrow(O.MonadThrow)(option))
checkAll(instances.alt(O.Alt)(option))
checkAll(instances.monadThrow(E.MonadThrow)(either))
checkAll(instances.alt(E.Alt)(either))
checkAll(instances.bifunctor(E.Bifunctor)(either))
checkAll(instances.applicative(E.getApplicativeValidation(S.Semigroup))(either))
checkAll(instances.monad(RA.Monad)(array))
checkAll(instances.alt(RA.Alt)(array))
checkAll(instances.fromIO(IO.MonadIO)(io))
checkAll(instances.monad(R.Monad)(reader))
checkAll(instances.monoid(N.MonoidSum)(int, 'sums'))
checkAll(instances.eq(S.Eq)(str, 'strings'))

// ---- broken

describe('suites for instances', () => {
  it('a functor that forgets or repeats', () => {
    const forgets: Functor1<O.URI> = { ...O.Functor, map: () => O.none }
    expect(falsified(instances.functor(forgets)(option))).to.deep.equal(['functor identity'])
    const repeats: Functor1<RA.URI> = { ...RA.Functor, map: (as, f) => [...as, ...as].map((a) => f(a)) }
    expect(falsified(instances.functor(repeats)(array))).to.deep.equal([
      'functor identity',
      'functor composition'
    ])
  })

  it('an applicative that turns the order of effects round between map and ap', () => {
    const backwards: typeof RA.Applicative = {
      ...RA.Applicative,
      ap: (fs, as) => [...as].reverse().flatMap((a) => fs.map((f) => f(a)))
    }
    expect(falsified(instances.applicative(backwards)(array))).to.include('applicative identity')
  })

  it('an applicative that is not the one of the monad', () => {
    const validation: Applicative2C<E.URI, string> = E.getApplicativeValidation(S.Semigroup)
    const mixed = { ...E.Monad, ap: validation.ap } as Monad2<E.URI>
    expect(falsified(instances.monad(mixed)(either))).to.deep.equal(['chain coherence'])
    const parallel: Monad3<Effect.URI> = { ...Effect.Monad, ap: Effect.ApplicativePar.ap }
    expect(falsified(instances.monad(parallel)(kit.effect))).to.include('chain coherence')
  })

  it('a monad whose chain is a cancellation point', () => {
    const eager: Monad3<Effect.URI> = {
      ...Effect.Monad,
      chain: (fx, f) => Effect.Monad.chain(fx, (a) => Effect.Monad.chain(Effect.checkCancelled, () => f(a)))
    }
    expect(falsified(instances.monad(eager)(kit.effect))).to.include.members([
      'chain coherence',
      'monad left identity',
      'monad right identity',
      'monad coherence'
    ])
  })

  it('a monad whose of waits', () => {
    const slow: Monad3<Effect.URI> = { ...Effect.Monad, of: (a) => Effect.as(a)(Effect.sleep(1)) }
    expect(falsified(instances.monad(slow)(kit.effect))).to.include('monad left identity')
  })

  it('a resource whose chain releases too early, though its values are right', () => {
    const early: Monad3<Resource.URI> = {
      ...Resource.Monad,
      chain: (r, f) => Resource.flatMap(f)(Resource.fromEffect(Resource.use(Effect.of)(r) as never))
    }
    expect(falsified(instances.monad(early)(resource))).to.include('monad right identity')
  })

  it('a failure that does not end the rest', () => {
    const lenient: typeof O.MonadThrow = {
      ...O.MonadThrow,
      chain: (x, f) => (O.isSome(x) ? f(x.value) : f(0 as never))
    }
    expect(falsified(instances.monadThrow(lenient)(option))).to.include('monadThrow left zero')
  })

  it('an alt that takes the last, or maps one side only', () => {
    const last: typeof O.Alt = { ...O.Alt, alt: (x, y) => (O.isNone(x) ? y() : O.isSome(y()) ? O.none : x) }
    expect(falsified(instances.alt(last)(option))).to.include('alt associativity')
    let calls = 0
    const counting: typeof RA.Alt = { ...RA.Alt, alt: (x, y) => (calls++ % 2 === 0 ? [...x, ...y()] : x) }
    expect(falsified(instances.alt(counting)(array))).to.not.deep.equal([])
  })

  it('a bifunctor that maps the left twice', () => {
    const twice: typeof E.Bifunctor = {
      ...E.Bifunctor,
      mapLeft: (x, f) => E.mapLeft((e: Parameters<typeof f>[0]) => f(f(e) as never))(x)
    }
    expect(falsified(instances.bifunctor(twice)(either))).to.deep.equal(['bifunctor coherence'])
  })

  it('effects that run when they are built, or once only', () => {
    const eager: typeof IO.MonadIO = {
      ...IO.MonadIO,
      fromIO: (io) => {
        const a = io()
        return () => a
      }
    }
    expect(falsified(instances.fromIO(eager)(io))).to.include.members(['fromIO laziness', 'fromIO order'])
    const once: typeof IO.MonadIO = {
      ...IO.MonadIO,
      fromIO: (io) => {
        const known: Array<ReturnType<typeof io>> = []
        return () => (known[0] = known.length === 0 ? io() : known[0]!)
      }
    }
    expect(falsified(instances.fromIO(once)(io))).to.deep.equal(['fromIO order'])
    const forgetful: typeof Effect.MonadIO = {
      ...Effect.MonadIO,
      fromIO: (io) => {
        let run = false
        return Effect.sync(() => {
          if (run) return undefined as never
          run = true
          return io()
        })
      }
    }
    expect(falsified(instances.fromIO(forgetful)(kit.effect))).to.include('fromIO order')
    const started: typeof Effect.MonadTask = {
      ...Effect.MonadTask,
      fromTask: (task) => {
        const promise = task()
        return Effect.fromTask(() => promise)
      }
    }
    expect(falsified(instances.fromTask(started)(kit.effect))).to.deep.equal(['fromTask laziness'])
  })

  it('an Eq that is no equality', () => {
    const near: Eq<number> = { equals: (x, y) => Math.abs(x - y) <= 1 }
    expect(falsified(instances.eq(near)(int))).to.deep.equal(['eq transitivity'])
    const less: Eq<number> = { equals: (x, y) => x <= y }
    expect(falsified(instances.eq(less)(int))).to.deep.equal(['eq symmetry'])
    const same: Eq<ReadonlyArray<number>> = { equals: (x, y) => x === y }
    expect(falsified(instances.eq(same)({ arb: fc.array(int.arb) }))).to.deep.equal(['eq copies'])
    const never: Eq<number> = { equals: () => false }
    expect(falsified(instances.eq(never)(int))).to.include('eq reflexivity')
  })

  it('a semigroup that is not associative, a unit that is none', () => {
    expect(falsified(instances.semigroup({ concat: (x: number, y: number) => x - y })(int))).to.deep.equal([
      'semigroup associativity'
    ])
    expect(falsified(instances.monoid({ ...N.MonoidSum, empty: 1 })(int))).to.deep.equal([
      'monoid left identity',
      'monoid right identity'
    ])
    const race = Concurrent.getRaceMonoid<kit.Surroundings, string, string>()
    expect(falsified(instances.monoid(race)(kit.effect.lift(str)))).to.not.deep.equal([])
  })

  it('the counterexample is small, and says where and how the sides differ', () => {
    const eager: Monad3<Effect.URI> = { ...Effect.Monad, of: (a) => Effect.as(a)(Effect.checkpoint) }
    const law = flatten(instances.monad(eager)(kit.effect)).find(({ name }) => name.startsWith('monad left'))!
    const verdict = law.check(few)
    expect(verdict).to.have.property('_tag', 'Falsified')
    const { report } = verdict as Extract<Verdict, { readonly _tag: 'Falsified' }>
    expect(report.split('\n')).to.have.length.at.most(7)
    expect(report).to.match(/in the context cancelled\(\d\)/)
    expect(report).to.match(/left: {2}.*\nright: /)
  })

  it('laws of two instances of one class do not hide each other', () => {
    const both = [instances.functor(O.Functor)(option), instances.functor(RA.Functor)(array)]
    const again = instances.functor(O.Functor)({ ...option })
    expect(flatten({ name: '', parents: [...both, again], laws: [] })).to.have.length(6)
    expect(flatten(instances.monad(O.Monad)(option))).to.have.length(12)
  })
})
