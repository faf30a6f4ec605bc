/**
 * Causes: joining, folding, comparing, printing; whatever their depth.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import type { Eq } from 'fp-ts/lib/Eq.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as N from 'fp-ts/lib/number.js'
import * as O from 'fp-ts/lib/Option.js'
import * as S from 'fp-ts/lib/string.js'
import { Cause } from 'millrace'

type Leaf = Cause.Fail<number> | Cause.Die | Cause.Cancelled

// ---- helpers

/** Only the runtime makes cancellations, and this test is about what is done with them. */
const cancelled = (
  scope: string,
  reason: Cause.CancelReason,
  by: O.Option<string> = O.none,
  because: O.Option<Cause.Cancelled> = O.none
): Cause.Cancelled => ({ _tag: 'Cancelled', scope, reason, by, because }) as Cause.Cancelled

const node = <E>(tag: 'Then' | 'Both', left: Cause.Cause<E>, right: Cause.Cause<E>): Cause.Cause<E> => ({
  _tag: tag,
  left,
  right
})

const then = Cause.SemigroupThen<unknown>().concat
const both = Cause.SemigroupBoth<unknown>().concat

const isLeaf = <E>(cause: Cause.Cause<E>): cause is Cause.Fail<E> | Cause.Die | Cause.Cancelled =>
  !Cause.isThen(cause) && !Cause.isBoth(cause)

const leaves = <E>(cause: Cause.Cause<E>): ReadonlyArray<Cause.Cause<E>> =>
  isLeaf(cause) ? [cause] : [...leaves(cause.left), ...leaves(cause.right)]

const deadline: Cause.CancelReason = { _tag: 'Deadline', time: 1500 }

const explicit = (value: unknown): Cause.CancelReason => ({ _tag: 'Explicit', value })

/** Few leaves, so that generated causes share some. */
const pool: ReadonlyArray<Leaf> = [
  Cause.fail(0) as Leaf,
  Cause.fail(0) as Leaf,
  Cause.fail(1) as Leaf,
  Cause.fail(2) as Leaf,
  Cause.die('bug') as Leaf,
  Cause.die(new Error('bug')) as Leaf,
  Cause.die(new Error('bug')) as Leaf,
  cancelled('a', deadline),
  cancelled('b', deadline)
]

type Shape = Leaf | { readonly tag: 'Then' | 'Both'; readonly left: Shape; readonly right: Shape }

const shape = (leaf: fc.Arbitrary<Leaf>): fc.Arbitrary<Shape> =>
  fc.letrec<{ shape: Shape }>((tie) => ({
    shape: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.record({ tag: fc.constantFrom('Then', 'Both'), left: tie('shape'), right: tie('shape') })
    )
  })).shape

const build = (of: Shape): Cause.Cause<number> => {
  if ('_tag' in of) return of
  const semigroup = of.tag === 'Then' ? Cause.SemigroupThen<number>() : Cause.SemigroupBoth<number>()
  return semigroup.concat(build(of.left), build(of.right))
}

/** Causes as the runtime joins them; two of them may share leaves. */
const sharing: fc.Arbitrary<Cause.Cause<number>> = shape(fc.constantFrom(...pool)).map(build)

/** Causes of which no two share a leaf. */
const disjoint: fc.Arbitrary<Cause.Cause<number>> = shape(
  fc.constantFrom(...pool).map((leaf): Leaf => ({ ...leaf }))
).map(build)

const eq = Cause.getEq(N.Eq)

/** The same cause in another association, and with the members of its `Both` in another order. */
const disguised = (cause: Cause.Cause<number>): fc.Arbitrary<Cause.Cause<number>> => {
  if (isLeaf(cause)) return fc.constant(cause)
  const { _tag } = cause
  const run = (part: Cause.Cause<number>): ReadonlyArray<Cause.Cause<number>> =>
    part._tag === _tag ? [...run(part.left), ...run(part.right)] : [part]
  const members = run(cause)
  return fc
    .tuple(
      fc.tuple(...members.map(disguised)),
      _tag === 'Both'
        ? fc.shuffledSubarray([...members.keys()], { minLength: members.length })
        : fc.constant([...members.keys()]),
      fc.array(fc.nat(), { minLength: members.length, maxLength: members.length })
    )
    .map(([parts, order, cuts]) => {
      const joined = (from: number, to: number): Cause.Cause<number> => {
        if (to - from === 1) return parts[order[from]!]!
        const cut = from + 1 + (cuts[from]! % (to - from - 1))
        return node(_tag, joined(from, cut), joined(cut, to))
      }
      return joined(0, parts.length)
    })
}

/** The equality of causes in its simplest words: equal normal forms. */
const normalForm = (cause: Cause.Cause<number>): string => {
  switch (cause._tag) {
    case 'Fail':
      return `F${cause.error}`
    case 'Die':
      return cause.defect instanceof Error ? `E${cause.defect.message}` : `D${String(cause.defect)}`
    case 'Cancelled':
      return 'C'
    default: {
      const run = (part: Cause.Cause<number>): ReadonlyArray<string> =>
        part._tag === cause._tag ? [...run(part.left), ...run(part.right)] : [normalForm(part)]
      const members = run(cause)
      return `${cause._tag}(${(cause._tag === 'Both' ? [...members].sort() : members).join()})`
    }
  }
}

// ---- tests

describe('Cause', () => {
  describe('constructors and guards', () => {
    it('each guard holds for its kind alone', () => {
      const samples: ReadonlyArray<Cause.Cause<number>> = [
        Cause.fail(1),
        Cause.die('bug'),
        cancelled('s', deadline),
        node<number>('Then', Cause.fail(1), Cause.fail(2)),
        node<number>('Both', Cause.fail(1), Cause.fail(2))
      ]
      const guards = [Cause.isFail, Cause.isDie, Cause.isCancelled, Cause.isThen, Cause.isBoth]
      for (const [i, sample] of samples.entries()) {
        expect(guards.map((guard) => guard(sample))).to.deep.equal(guards.map((_guard, j) => i === j))
      }
    })

    it('fail keeps the literal types of its error', () => {
      const cause = Cause.fail({ _tag: 'NotFound', id: 3 })
      const tag: 'NotFound' | undefined = Cause.isFail(cause) ? cause.error._tag : undefined
      expect(tag).to.equal('NotFound')
    })

    it('isCancelledOnly demands that all leaves are cancellations', () => {
      const a = cancelled('a', deadline)
      const b = cancelled('b', deadline)
      expect(Cause.isCancelledOnly(a)).to.equal(true)
      expect(Cause.isCancelledOnly(then(a, both(b, cancelled('c', deadline))))).to.equal(true)
      expect(Cause.isCancelledOnly(then(a, both(b, Cause.die('bug'))))).to.equal(false)
      expect(Cause.isCancelledOnly(Cause.fail(1))).to.equal(false)
    })

    it('a cancellation cannot be written down', () => {
      // @ts-expect-error the brand is missing
      const forged: Cause.Cancelled = {
        _tag: 'Cancelled',
        scope: 's',
        reason: deadline,
        by: O.none,
        because: O.none
      }
      expect(forged.scope).to.equal('s')
    })
  })

  describe('failures, defects, cancellations', () => {
    it('go from left to right', () => {
      const a = cancelled('a', deadline)
      const b = cancelled('b', deadline)
      const cause = both(
        then(Cause.fail(1), then(a, Cause.die('x'))),
        both(then(Cause.fail(2), Cause.die('y')), then(b, Cause.fail(3)))
      )
      expect(Cause.failures(cause)).to.deep.equal([1, 2, 3])
      expect(Cause.defects(cause)).to.deep.equal(['x', 'y'])
      expect(Cause.cancellations(cause)).to.deep.equal([a, b])
    })

    it('are equal for equal causes, up to the order of what happened side by side', () => {
      fc.assert(
        fc.property(
          sharing.chain((cause) => fc.tuple(fc.constant(cause), disguised(cause))),
          ([x, y]) => {
            expect(Cause.failures(x)).to.have.members(Cause.failures(y))
            expect(Cause.defects(x)).to.have.members(Cause.defects(y))
            expect(Cause.cancellations(x)).to.have.members(Cause.cancellations(y))
          }
        )
      )
    })
  })

  describe('match', () => {
    const text = Cause.match<unknown, string>({
      onFail: (error) => `F${String(error)}`,
      onDie: (defect) => `D${String(defect)}`,
      onCancelled: (leaf) => `C${leaf.scope}`,
      onThen: (left, right) => `(${left};${right})`,
      onBoth: (left, right) => `(${left}|${right})`
    })

    it('gives each kind to its case', () => {
      const cause = both(then(Cause.fail(1), cancelled('s', deadline)), then(Cause.die('x'), Cause.fail(2)))
      expect(text(cause)).to.equal('((F1;Cs)|(Dx;F2))')
    })

    it('folds the left side before the right side', () => {
      const seen: Array<string> = []
      const note = (what: string): string => {
        seen.push(what)
        return what
      }
      pipe(
        both(then(Cause.fail(1), Cause.fail(2)), Cause.fail(3)),
        Cause.match<unknown, string>({
          onFail: (error) => note(String(error)),
          onDie: note as (defect: unknown) => string,
          onCancelled: () => note('cancelled'),
          onThen: (left, right) => note(`${left};${right}`),
          onBoth: (left, right) => note(`${left}|${right}`)
        })
      )
      expect(seen).to.deep.equal(['1', '2', '1;2', '3', '1;2|3'])
    })

    it('with the constructors is the identity', () => {
      const again = Cause.match<number, Cause.Cause<number>>({
        onFail: Cause.fail,
        onDie: Cause.die,
        onCancelled: (leaf) => leaf,
        onThen: (left, right) => node('Then', left, right),
        onBoth: (left, right) => node('Both', left, right)
      })
      fc.assert(
        fc.property(sharing, (cause) => {
          expect(again(cause)).to.deep.equal(cause)
        })
      )
    })
  })

  describe('map and Functor', () => {
    it('identity', () => {
      fc.assert(
        fc.property(sharing, (cause) =>
          eq.equals(
            Cause.Functor.map(cause, (n) => n),
            cause
          )
        )
      )
    })

    it('composition', () => {
      const f = (n: number) => n * 2
      const g = (n: number) => n + 1
      fc.assert(
        fc.property(sharing, (cause) =>
          eq.equals(
            pipe(cause, Cause.map(f), Cause.map(g)),
            pipe(
              cause,
              Cause.map((n) => g(f(n)))
            )
          )
        )
      )
    })

    it('maps the failures, and keeps all other leaves the same', () => {
      fc.assert(
        fc.property(sharing, (cause) => {
          const mapped = pipe(cause, Cause.map(String))
          expect(Cause.failures(mapped)).to.deep.equal(Cause.failures(cause).map(String))
          const before = leaves(cause)
          for (const [i, leaf] of leaves(mapped).entries()) {
            if (!Cause.isFail(leaf)) expect(leaf).to.equal(before[i])
          }
        })
      )
    })

    it('a part without failures stays the same object', () => {
      const stopped = both(Cause.die('x'), cancelled('s', deadline))
      expect(pipe(stopped, Cause.map(String))).to.equal(stopped)
      const mapped = pipe(then(Cause.fail(1), stopped), Cause.map(String))
      expect(Cause.isThen(mapped) && mapped.right).to.equal(stopped)
    })

    it('a mapped failure is a new leaf, even with the same error', () => {
      const leaf = Cause.fail(1)
      const mapped = pipe(
        leaf,
        Cause.map((n) => n)
      )
      expect(mapped).not.to.equal(leaf)
      expect(Cause.failures(both(leaf, mapped))).to.deep.equal([1, 1])
    })
  })

  describe('SemigroupThen and SemigroupBoth', () => {
    for (const [name, semigroup] of [
      ['SemigroupThen', Cause.SemigroupThen<number>()],
      ['SemigroupBoth', Cause.SemigroupBoth<number>()]
    ] as const) {
      const { concat } = semigroup

      it(`${name} is associative, also for causes that share leaves`, () => {
        fc.assert(
          fc.property(sharing, sharing, sharing, (x, y, z) => {
            const leftFirst = concat(concat(x, y), z)
            const rightFirst = concat(x, concat(y, z))
            return eq.equals(leftFirst, rightFirst) && normalForm(leftFirst) === normalForm(rightFirst)
          })
        )
      })

      it(`${name} keeps each leaf once, at its first place`, () => {
        fc.assert(
          fc.property(sharing, sharing, (x, y) => {
            const before = leaves(x)
            const expected = [...before, ...leaves(y).filter((leaf) => !before.includes(leaf))]
            const found = leaves(concat(x, y))
            expect(found).to.have.lengthOf(expected.length)
            expect(found.every((leaf, i) => leaf === expected[i])).to.equal(true)
          })
        )
      })

      it(`${name} gives the left cause when the right one adds nothing`, () => {
        fc.assert(
          fc.property(sharing, sharing, (x, y) => {
            const joined = concat(x, y)
            expect(concat(joined, x)).to.equal(joined)
            expect(concat(joined, y)).to.equal(joined)
            expect(concat(joined, joined)).to.equal(joined)
          })
        )
      })

      it(`${name} tells leaves apart by reference, not by their errors`, () => {
        expect(Cause.failures(concat(Cause.fail(1), Cause.fail(1)))).to.deep.equal([1, 1])
      })

      it(`${name} leaves its arguments as they are, however they are used again`, () => {
        // large causes share what is remembered about them: grow several from one, and join them crosswise
        fc.assert(
          fc.property(
            fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 40, maxLength: 120 }),
            (steps) => {
              const causes: Array<Cause.Cause<number>> = Array.from({ length: 40 }, (_value, i) =>
                Cause.fail(i)
              )
              const model: Array<ReadonlyArray<Cause.Cause<number>>> = causes.map((cause) => [cause])
              causes.push(causes.reduce((joined, leaf) => concat(joined, leaf)))
              model.push(causes.slice(0, 40))
              for (const [a, b, fresh] of steps) {
                // the newest ones more often than others, so that they grow
                const i = a % 3 === 0 ? a % causes.length : causes.length - 1 - (a % 2)
                if (fresh) {
                  causes.push(Cause.fail(b))
                  model.push([causes.at(-1)!])
                }
                const j = fresh ? causes.length - 1 : b % causes.length
                causes.push(concat(causes[i]!, causes[j]!))
                model.push([...new Set([...model[i]!, ...model[j]!])])
              }
              for (const [i, cause] of causes.entries()) {
                const found = leaves(cause)
                expect(found).to.have.lengthOf(model[i]!.length)
                expect(found.every((leaf, k) => leaf === model[i]![k])).to.equal(true)
              }
            }
          ),
          { numRuns: 200 }
        )
      })

      it(`${name} keeps apart what grew from the same large cause`, () => {
        const some: ReadonlyArray<Cause.Cause<number>> = Array.from({ length: 40 }, (_value, i) =>
          Cause.fail(i)
        )
        const trunk = some.reduce((joined, leaf) => concat(joined, leaf))
        const [x, y, z] = [Cause.fail(-1), Cause.fail(-2), Cause.fail(-3)]
        const wider = Array.from({ length: 50 }).reduce<Cause.Cause<number>>(
          (joined) => concat(joined, Cause.fail(0)),
          z
        )
        const withX = concat(trunk, x)
        const withY = concat(trunk, y)
        const sizes = [
          trunk,
          withX,
          withY,
          concat(withY, x),
          concat(withY, withX),
          concat(trunk, withX),
          concat(concat(withX, z), concat(withY, z)),
          concat(x, trunk),
          concat(trunk, x),
          concat(concat(wider, trunk), x)
        ].map((cause) => new Set(leaves(cause)).size)
        expect(sizes).to.deep.equal([40, 41, 41, 42, 42, 41, 43, 41, 41, 92])
      })

      it(`${name} is linear for a cause that grows by one leaf at a time, on either side`, function () {
        this.timeout(20_000)
        const some = Array.from({ length: 100_000 }, (_value, i) => Cause.fail(i))
        let toTheRight: Cause.Cause<number> = some[0]!
        let toTheLeft: Cause.Cause<number> = some[0]!
        const began = performance.now()
        for (const leaf of some) {
          toTheRight = concat(toTheRight, leaf)
          toTheLeft = concat(leaf, toTheLeft)
        }
        // about a tenth of a second; what is quadratic takes minutes
        expect(performance.now() - began).to.be.below(5000)
        expect(Cause.failures(toTheRight)).to.deep.equal(some.map((_leaf, i) => i))
        expect(Cause.failures(toTheLeft)).to.have.lengthOf(some.length)
        // what is joined twice is recognised in a large cause too
        expect(concat(toTheRight, some[500]!)).to.equal(toTheRight)
      })

      it(`${name} is linear when one large cause is joined with many small ones`, function () {
        this.timeout(20_000)
        const some: ReadonlyArray<Cause.Cause<number>> = Array.from({ length: 20_000 }, (_value, i) =>
          Cause.fail(i)
        )
        const large = some.reduce((joined, leaf) => concat(joined, leaf))
        const began = performance.now()
        for (let i = 0; i < 20_000; i++) concat(large, Cause.fail(i))
        expect(performance.now() - began).to.be.below(5000)
      })
    }

    it('SemigroupThen keeps the order', () => {
      const cause = then(Cause.fail('first'), Cause.fail('second'))
      expect(Cause.isThen(cause) && cause.left).to.deep.equal(Cause.fail('first'))
      expect(Cause.isThen(cause) && cause.right).to.deep.equal(Cause.fail('second'))
    })

    it('SemigroupBoth is commutative for causes that share no leaf', () => {
      const { concat } = Cause.SemigroupBoth<number>()
      fc.assert(fc.property(disjoint, disjoint, (x, y) => eq.equals(concat(x, y), concat(y, x))))
    })

    it('a join drops shared leaves at any depth, and keeps the structure of what is left', () => {
      const a = Cause.fail('a')
      const b = Cause.fail('b')
      const c = Cause.fail('c')
      const d = Cause.fail('d')
      expect(both(then(a, b), both(then(a, c), then(b, d)))).to.deep.equal(both(then(a, b), both(c, d)))
      expect(then(a, both(a, then(b, c)))).to.deep.equal(then(a, then(b, c)))
    })
  })

  describe('getEq', () => {
    it('is reflexive', () => {
      fc.assert(fc.property(sharing, (x) => eq.equals(x, x) && eq.equals(x, structuredCopy(x))))
    })

    it('is symmetric', () => {
      fc.assert(fc.property(disjoint, disjoint, (x, y) => eq.equals(x, y) === eq.equals(y, x)))
    })

    it('is transitive', () => {
      fc.assert(
        fc.property(
          sharing
            .chain((x) => fc.tuple(fc.constant(x), disguised(x)))
            .chain(([x, y]) => fc.tuple(fc.constant(x), fc.constant(y), disguised(y))),
          ([x, y, z]) => eq.equals(x, y) && eq.equals(y, z) && eq.equals(x, z)
        )
      )
    })

    it('agrees with the comparison of normal forms', () => {
      const few = shape(fc.constantFrom(...pool.slice(1, 5)).map((leaf): Leaf => ({ ...leaf }))).map(build)
      fc.assert(
        fc.property(few, few, (x, y) => eq.equals(x, y) === (normalForm(x) === normalForm(y))),
        { numRuns: 2000 }
      )
    })

    it('finds a single leaf that differs', () => {
      fc.assert(
        fc.property(
          sharing
            .chain((x) => fc.tuple(fc.constant(x), disguised(x)))
            .chain(([x, y]) =>
              fc.tuple(fc.constant(x), fc.constant(y), fc.nat({ max: leaves(x).length - 1 }))
            ),
          ([x, y, at]) => {
            let i = 0
            const spoilt = Cause.match<number, Cause.Cause<number>>({
              onFail: (error) => Cause.fail(i++ === at ? 99 : error),
              onDie: (defect) => (i++ === at ? Cause.fail(99) : Cause.die(defect)),
              onCancelled: (leaf) => (i++ === at ? Cause.fail(99) : leaf),
              onThen: (left, right) => node('Then', left, right),
              onBoth: (left, right) => node('Both', left, right)
            })(y)
            return !eq.equals(x, spoilt) && !eq.equals(spoilt, x)
          }
        )
      )
    })

    it('tells Then from Both, and the order of Then', () => {
      const a = Cause.fail(1)
      const b = Cause.fail(2)
      expect(eq.equals(node<number>('Then', a, b), node<number>('Then', b, a))).to.equal(false)
      expect(eq.equals(node<number>('Both', a, b), node<number>('Both', b, a))).to.equal(true)
      expect(eq.equals(node<number>('Then', a, b), node<number>('Both', a, b))).to.equal(false)
    })

    it('counts what happened side by side', () => {
      const one = Cause.fail(1)
      const two = Cause.fail(2)
      const b3 = (x: Cause.Cause<number>, y: Cause.Cause<number>, z: Cause.Cause<number>) =>
        node('Both', x, node('Both', y, z))
      expect(eq.equals(b3(one, one, two), b3(two, one, one))).to.equal(true)
      expect(eq.equals(b3(one, one, two), b3(two, two, one))).to.equal(false)
      expect(eq.equals(b3(one, one, two), node<number>('Both', one, two))).to.equal(false)
    })

    it('finds partners again after a comparison that failed', () => {
      const t = (x: number, y: number, last: number) =>
        node<number>('Then', node<number>('Both', Cause.fail(x), Cause.fail(y)), Cause.fail(last))
      expect(eq.equals(node('Both', t(1, 2, 3), t(1, 2, 4)), node('Both', t(2, 1, 4), t(2, 1, 3)))).to.equal(
        true
      )
      expect(eq.equals(node('Both', t(1, 2, 3), t(1, 2, 4)), node('Both', t(2, 2, 4), t(2, 1, 3)))).to.equal(
        false
      )
    })

    it('compares failures by the given equality', () => {
      const ignoringCase: Eq<string> = { equals: (x, y) => x.toLowerCase() === y.toLowerCase() }
      expect(Cause.getEq(ignoringCase).equals(Cause.fail('A'), Cause.fail('a'))).to.equal(true)
      expect(Cause.getEq(S.Eq).equals(Cause.fail('A'), Cause.fail('a'))).to.equal(false)
    })

    it('compares defects by identity, and errors by name and message', () => {
      const equal = (x: unknown, y: unknown) => eq.equals(Cause.die(x), Cause.die(y))
      expect(equal(NaN, NaN)).to.equal(true)
      expect(equal(0, -0)).to.equal(false)
      expect(equal({}, {})).to.equal(false)
      expect(equal(new Error('a'), new Error('a'))).to.equal(true)
      expect(equal(new Error('a'), new Error('b'))).to.equal(false)
      expect(equal(new Error('a'), new TypeError('a'))).to.equal(false)
      expect(equal(new Error('a'), 'a')).to.equal(false)
    })

    it('takes all cancellations for equal', () => {
      expect(eq.equals(cancelled('a', deadline), cancelled('b', explicit('stop'), O.some('main')))).to.equal(
        true
      )
    })
  })

  describe('toError', () => {
    it('gives the first failure as cause, all others as errors, and the whole cause', () => {
      const stopped = cancelled('s', deadline)
      const cause = both(then(stopped, Cause.die('bug')), both(Cause.fail(1), Cause.fail(2)))
      const error = Cause.toError(cause)
      expect(error).to.be.instanceOf(Error).and.instanceOf(Cause.CauseError)
      expect(error.name).to.equal('CauseError')
      expect(error.cause).to.equal(1)
      expect(error.errors).to.deep.equal([stopped, 'bug', 2])
      expect(error.source).to.equal(cause)
    })

    it('prefers failures to bugs, and bugs to cancellations', () => {
      const stopped = cancelled('s', deadline)
      const bug = new TypeError('bug')
      expect(Cause.toError(then(stopped, Cause.die(bug))).cause).to.equal(bug)
      expect(Cause.toError(then(stopped, Cause.die(bug))).errors).to.deep.equal([stopped])
      expect(Cause.toError(stopped).cause).to.equal(stopped)
      expect(Cause.toError(stopped).errors).to.deep.equal([])
      expect(Cause.toError(Cause.fail(undefined)).cause).to.equal(undefined)
    })

    it('says what pretty says, and its stack begins with it', () => {
      const cause = both(Cause.fail('a'), Cause.die(new Error('bug')))
      const error = Cause.toError(cause)
      expect(error.message).to.equal(Cause.pretty(cause))
      expect(error.stack).to.match(/^CauseError: Both, 2 side by side/)
    })

    it('has a bounded message', () => {
      const some: ReadonlyArray<Cause.Cause<unknown>> = Array.from({ length: 50 }, (_value, i) =>
        Cause.fail(`${i}`.padStart(1000, '-'))
      )
      const { message } = Cause.toError(some.reduce((joined, leaf) => then(joined, leaf)))
      expect(message.split('\n').at(-1)).to.equal('… and 40 more')
      expect(message.length).to.be.below(5000)
    })

    it('gives the same error for the same cause', () => {
      const cause = Cause.fail('a')
      expect(Cause.toError(cause)).to.equal(Cause.toError(cause))
      expect(Cause.toError(Cause.fail('a'))).not.to.equal(Cause.toError(cause))
    })

    it('does not wrap an error that it made before', () => {
      const error = Cause.toError(Cause.fail('a'))
      expect(Cause.toError(Cause.die(error))).to.equal(error)
      expect(Cause.toError(then(Cause.die(error), Cause.die('b'))).cause).to.equal(error)
    })

    it('adds no enumerable fields, which hosts would print', () => {
      expect(Object.keys(Cause.toError(Cause.fail('a')))).to.deep.equal([])
    })
  })

  describe('pretty', () => {
    const bug = (message: string) => Cause.die(new Error(message))
    const text = (...lines: ReadonlyArray<string>) => lines.join('\n')

    it('a single leaf is its line', () => {
      expect(Cause.pretty(Cause.fail('a'))).to.equal('Fail: "a"')
      expect(Cause.pretty(bug('oops'))).to.equal('Die: Error: oops')
    })

    it('what came after another stands below it', () => {
      const cause = then(
        cancelled('main', { _tag: 'Shutdown', signal: 'SIGINT' }),
        Cause.die({ _tag: 'CleanupOverran', task: 'metrics', grace: 1000 })
      )
      expect(Cause.pretty(cause)).to.equal(
        text('Cancelled: scope "main", Shutdown SIGINT', 'Die: CleanupOverran, task "metrics", grace 1000 ms')
      )
    })

    it('what happened side by side is a tree', () => {
      const cause = both(
        both(Cause.fail(1), then(Cause.fail(2), both(bug('a'), then(bug('b'), bug('c'))))),
        then(both(Cause.fail(3), Cause.fail(4)), bug('d'))
      )
      expect(Cause.pretty(cause)).to.equal(
        text(
          'Both, 3 side by side',
          '├─ Fail: 1',
          '├─ Fail: 2',
          '│  Both, 2 side by side',
          '│  ├─ Die: Error: a',
          '│  └─ Die: Error: b',
          '│     Die: Error: c',
          '└─ Both, 2 side by side',
          '   ├─ Fail: 3',
          '   └─ Fail: 4',
          '   Die: Error: d'
        )
      )
      expect(Cause.pretty(then(then(bug('a'), both(bug('b'), bug('c'))), bug('d')))).to.equal(
        text('Die: Error: a', 'Both, 2 side by side', '├─ Die: Error: b', '└─ Die: Error: c', 'Die: Error: d')
      )
    })

    it('does not depend on association', () => {
      const [a, b, c] = [bug('a'), bug('b'), bug('c')]
      expect(Cause.pretty(both(both(a, b), c))).to.equal(Cause.pretty(both(a, both(b, c))))
      expect(Cause.pretty(then(then(a, b), c))).to.equal(Cause.pretty(then(a, then(b, c))))
    })

    it('has one line a leaf, and one line for what happened side by side', () => {
      fc.assert(
        fc.property(sharing, (cause) => {
          const lines = Cause.pretty(cause).split('\n')
          expect(lines.filter((line) => !line.includes('side by side'))).to.have.lengthOf(
            leaves(cause).length
          )
        })
      )
    })

    it('a cancellation shows scope, reason, task, and what it came from', () => {
      const line = (
        reason: Cause.CancelReason,
        by?: string,
        because: O.Option<Cause.Cancelled> = O.none
      ): string => Cause.pretty(cancelled('query', reason, O.fromNullable(by), because))
      expect(line(explicit('the user typed on'), 'app')).to.equal(
        'Cancelled: scope "query", Explicit "the user typed on", by task "app"'
      )
      expect(line(deadline)).to.equal('Cancelled: scope "query", Deadline 1500 ms')
      expect(line({ _tag: 'Deadline', time: 1500.123456 })).to.equal(
        'Cancelled: scope "query", Deadline 1500.123 ms'
      )
      expect(line({ _tag: 'SiblingFailed', task: 'reader', cause: Cause.fail(1) })).to.equal(
        'Cancelled: scope "query", SiblingFailed task "reader"'
      )
      expect(line({ _tag: 'Aborted', reason: new Error('gone') })).to.equal(
        'Cancelled: scope "query", Aborted Error: gone'
      )
      expect(line(explicit(undefined))).to.equal('Cancelled: scope "query", Explicit')
      expect(line(deadline, undefined, O.some(cancelled('outer', explicit(1), O.some('app'))))).to.equal(
        'Cancelled: scope "query", Deadline 1500 ms, because scope "outer", Explicit 1, by task "app"'
      )
    })

    it('a long chain of cancellations is cut', () => {
      const chain = Array.from({ length: 100_000 }).reduce<Cause.Cancelled>(
        (inner, _value, i) => cancelled(`s${i}`, deadline, O.none, O.some(inner)),
        cancelled('first', deadline)
      )
      expect(Cause.pretty(chain)).to.match(
        /^Cancelled: scope "s99999".*because scope "s99996", Deadline 1500 ms, because …$/
      )
    })

    it('shows values like JSON, the tag first', () => {
      const line = (error: unknown) => Cause.pretty(Cause.fail(error)).slice('Fail: '.length)
      class Point {
        constructor(
          readonly x: number,
          readonly y: number
        ) {}
      }
      class Refused extends Error {
        readonly _tag = 'Refused'
      }
      expect(line({ id: 3, _tag: 'NotFound' })).to.equal('NotFound { id: 3 }')
      expect(line({ _tag: 'Empty' })).to.equal('Empty')
      expect(line({ a: [1, 'b', null, undefined, true], 'two words': {} })).to.equal(
        '{ a: [1, "b", null, undefined, true], "two words": {} }'
      )
      expect(line(O.some(1))).to.equal('Some { value: 1 }')
      expect(line(10n)).to.equal('10n')
      expect(line(-0)).to.equal('-0')
      expect(line(Symbol('s'))).to.equal('Symbol(s)')
      expect(line(() => 1)).to.equal('<function>')
      expect(line(new Point(1, 2))).to.equal('Point { x: 1, y: 2 }')
      expect(line(new Map([[1, 2]]))).to.equal('Map(1)')
      expect(line(new Uint8Array(100_000))).to.equal('Uint8Array(100000 bytes)')
      expect(line(new Date(0))).to.equal('1970-01-01T00:00:00.000Z')
      expect(line(new Date(NaN))).to.equal('Invalid Date')
      expect(line(new RangeError('too far'))).to.equal('RangeError: too far')
      expect(line(new Error())).to.equal('Error')
      expect(line(new Refused('no'))).to.equal('Refused: no')
      expect(line({ cause: new Error('inner') })).to.equal('{ cause: Error: inner }')
      expect(line(Object.create(null))).to.equal('{}')
    })

    it('shows known defects in words', () => {
      expect(
        Cause.pretty(Cause.die({ task: 'a', cause: Cause.fail('b'), _tag: 'UnjoinedFailure' }))
      ).to.equal('Die: UnjoinedFailure, task "a", cause Fail { error: "b" }')
      expect(Cause.pretty(Cause.die({ _tag: 'Deadlock' }))).to.equal('Die: Deadlock')
      expect(Cause.pretty(Cause.die({ grace: 1 }))).to.equal('Die: { grace: 1 }')
    })

    it('keeps a leaf on one line, and harmless for a terminal', () => {
      expect(Cause.pretty(Cause.die(new Error('expected:\n  1\u001b[31m')))).to.equal(
        'Die: Error: expected: 1 [31m'
      )
      expect(Cause.pretty(cancelled('a\nb', { _tag: 'Shutdown', signal: 'X\nY' }))).to.equal(
        'Cancelled: scope "a\\nb", Shutdown X Y'
      )
    })

    it('survives whatever was thrown', () => {
      const circular: { self?: unknown } = {}
      circular.self = circular
      const revoked = Proxy.revocable({}, {})
      revoked.revoke()
      const hostile: object = {
        _tag: 'Hostile',
        get a(): unknown {
          throw new Error('no')
        },
        toString: () => {
          throw new Error('no')
        },
        toJSON: () => {
          throw new Error('no')
        },
        [Symbol.toPrimitive]: () => {
          throw new Error('no')
        }
      }
      const mute = Object.defineProperty(new Error('x'), 'message', {
        get: () => {
          throw new Error('no')
        }
      })
      expect(Cause.pretty(Cause.fail(circular))).to.equal('Fail: { self: <circular> }')
      expect(Cause.pretty(Cause.fail(revoked.proxy))).to.equal('Fail: <unreadable>')
      expect(Cause.toError(Cause.die(revoked.proxy)).message).to.equal('Die: <unreadable>')
      expect(Cause.pretty(Cause.fail(hostile))).to.equal(
        'Fail: Hostile { a: <unreadable>, toString: <function>, toJSON: <function> }'
      )
      expect(Cause.pretty(Cause.die(hostile))).to.match(/^Die: Hostile, a <unreadable>, /)
      expect(Cause.pretty(Cause.die(mute))).to.equal('Die: Error')
    })

    it('gives one bounded line for any value', () => {
      const anything = fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withNullPrototype: true,
        withObjectString: true,
        withSparseArray: true,
        withTypedArray: true
      })
      fc.assert(
        fc.property(anything, (value) => {
          for (const cause of [Cause.fail(value), Cause.die(value), cancelled('s', explicit(value))]) {
            const line = Cause.pretty(cause)
            expect(line).not.to.match(/[\n\r]/)
            expect(line.length).to.be.below(2000)
            expect(Cause.toError(cause).message).to.equal(line)
          }
        })
      )
      const nested = Array.from({ length: 100_000 }).reduce<unknown>((inner) => ({ inner }), 1)
      const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_value, i) => [`key${i}`, i]))
      for (const value of [
        nested,
        wide,
        'x'.repeat(1_000_000),
        [wide, wide],
        new Error('y'.repeat(1_000_000))
      ]) {
        expect(Cause.pretty(Cause.fail(value)).length).to.be.below(2000)
        expect(Cause.pretty(Cause.die(value)).length).to.be.below(2000)
      }
    })

    it('numbers the levels of a very deep tree, and indents them no further', () => {
      const deep = Array.from({ length: 40 }).reduce<Cause.Cause<unknown>>(
        (inner, _value, i) => node(i % 2 === 0 ? 'Then' : 'Both', Cause.fail(i), inner),
        Cause.fail('innermost')
      )
      const lines = Cause.pretty(deep).split('\n')
      expect(lines.at(-1)).to.match(/^ +└─ Fail: 0$|^ +Fail: "innermost"$/)
      expect(lines.some((line) => line.endsWith('Both, 2 side by side, level 20'))).to.equal(true)
      expect(Math.max(...lines.map((line) => line.search(/[FB]/)))).to.equal(16 * 3)
    })
  })

  describe('a hundred thousand nested nodes', function () {
    this.timeout(60_000)

    const depth = 100_000
    const shapes: Readonly<Record<string, (i: number, inner: Cause.Cause<number>) => Cause.Cause<number>>> = {
      'Then, nested to the left': (i, inner) => node('Then', inner, Cause.fail(i)),
      'Both, nested to the right': (i, inner) => node('Both', Cause.fail(i), inner),
      'Then and Both by turns, nested to both sides': (i, inner) => {
        const leaf = Cause.fail(i)
        const tag = i % 2 === 0 ? 'Then' : 'Both'
        return i % 4 < 2 ? node<number>(tag, leaf, inner) : node<number>(tag, inner, leaf)
      }
    }

    for (const [name, wrap] of Object.entries(shapes)) {
      describe(name, () => {
        const deep = (innermost: Cause.Cause<number>): Cause.Cause<number> => {
          let cause = innermost
          for (let i = 0; i < depth; i++) cause = wrap(i, cause)
          return cause
        }
        let cause: Cause.Cause<number>
        before(() => {
          cause = deep(cancelled('s', deadline))
        })
        after(() => {
          // so many nodes are not to stay with mocha until the end
          cause = Cause.fail(0)
        })

        it('failures, defects, cancellations, isCancelledOnly', () => {
          expect(Cause.failures(cause)).to.have.lengthOf(depth)
          expect(Cause.defects(cause)).to.have.lengthOf(0)
          expect(Cause.cancellations(cause)).to.have.lengthOf(1)
          expect(Cause.isCancelledOnly(cause)).to.equal(false)
        })

        it('match and map', () => {
          const plus = (left: number, right: number) => left + right
          const size = Cause.match<unknown, number>({
            onFail: () => 1,
            onDie: () => 1,
            onCancelled: () => 1,
            onThen: plus,
            onBoth: plus
          })
          expect(size(pipe(cause, Cause.map(String)))).to.equal(depth + 1)
        })

        it('getEq', () => {
          expect(eq.equals(cause, deep(cancelled('t', deadline)))).to.equal(true)
          expect(eq.equals(cause, deep(Cause.die('bug')))).to.equal(false)
        })

        it('pretty and toError', () => {
          let lines = 1
          const text = Cause.pretty(cause)
          for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++
          expect(lines).to.be.within(depth + 1, 2 * depth)
          expect(Cause.toError(cause).errors).to.have.lengthOf(depth)
        })

        it('joins', () => {
          const joined = Cause.SemigroupBoth<number>().concat(cause, Cause.die('late'))
          expect(Cause.defects(joined)).to.deep.equal(['late'])
          expect(Cause.SemigroupThen<number>().concat(joined, cause)).to.equal(joined)
        })
      })
    }
  })
})

const structuredCopy = (cause: Cause.Cause<number>): Cause.Cause<number> =>
  isLeaf(cause)
    ? { ...cause }
    : { ...cause, left: structuredCopy(cause.left), right: structuredCopy(cause.right) }
