/**
 * Laws of attributes: a record of values by key that are computed when they are asked for, in which the wrapper wins.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import * as O from 'fp-ts/lib/Option.js'
import { Attribute, Attributes as Ours, Provider } from 'millrace'
import { groupFor, type Answer, law, type Law, type LawSet, lawSet, refuted, wrong } from './LawSet.js'

/**
 * The operations that the laws are about.
 *
 * @category model
 * @since 0.1.0
 */
export type AttributesOperations = Pick<
  typeof Ours,
  'empty' | 'of' | 'fromRecord' | 'extend' | 'get' | 'lookup' | 'keys' | 'Monoid'
>

/** A few keys, two of which have the same label and are two all the same. */
const known: ReadonlyArray<Attribute.Attribute<PropertyKey, number>> = [
  Attribute.attribute<number>()('plain'),
  Attribute.attribute<number>()('other'),
  Attribute.attribute<number>()(Symbol('twin')),
  Attribute.attribute<number>()(Symbol('twin'))
]

/** Puts, one after the other: which key, and what. */
type Puts = ReadonlyArray<readonly [number, number]>

const puts: fc.Arbitrary<Puts> = fc.array(fc.tuple(fc.nat(known.length - 1), fc.nat(5)), { maxLength: 4 })

const showPuts = (all: Puts): string =>
  `{ ${all.map(([key, value]) => `${String(known[key]!.key)}${key > 1 ? ` ${key}` : ''}: ${value}`).join(', ')} }`

/**
 * Laws of attributes.
 *
 * @category law sets
 * @since 0.1.0
 */
export const attributesOf = (operations: AttributesOperations, name = 'attributes'): LawSet => {
  const group = groupFor(name)
  const { empty, extend, fromRecord, get, keys, lookup, Monoid, of } = operations
  type Row = Ours.Attributes

  const built = (all: Puts, asked: (key: number) => void = () => {}): Row =>
    all.reduce(
      (row: Row, [key, value]) =>
        extend(
          of(known[key]!, () => {
            asked(key)
            return value
          })
        )(row),
      empty
    )
  const seen = (row: Row): string =>
    known
      .map((key) => O.match(() => '-', String)(lookup(key)(row)))
      .concat(`of ${[...new Set(keys(row))].length}`)
      .join(' ')

  const question = <T extends object>(
    title: string,
    inputs: { readonly [K in keyof T]: fc.Arbitrary<T[K]> },
    holds: (input: T) => Answer
  ) => ({
    name: title,
    group,
    input: fc.record(inputs) as fc.Arbitrary<T>,
    show: (input: T) =>
      Object.entries(input)
        .map(
          ([each, of]: readonly [string, unknown]) =>
            `  ${each} = ${Array.isArray(of) ? showPuts(of as Puts) : String(of)}`
        )
        .join('\n'),
    holds
  })
  const about = <T extends object>(...of: Parameters<typeof question<T>>): Law => law(question(...of))
  const same = (left: Row, right: Row): Answer =>
    seen(left) === seen(right) ? null : wrong(`left:  ${seen(left)}\nright: ${seen(right)}`)
  const claim = (holds: boolean, fault: string): Answer => (holds ? null : wrong(fault))

  interface One {
    readonly a: Puts
  }
  interface Two extends One {
    readonly b: Puts
  }
  interface Three extends Two {
    readonly c: Puts
  }
  interface Put extends One {
    readonly k: number
    readonly v: number
    readonly w: number
  }
  const put = { a: puts, k: fc.nat(known.length - 1), v: fc.nat(5), w: fc.nat(5) }
  const with_ = (k: number, v: number, row: Row): Ours.Attributes<Readonly<Record<PropertyKey, number>>> =>
    extend(of(known[k]!, () => v))(row)

  return lawSet(name, [
    about<Put>('At1 get(k)(put(k, v)(a)) = v', put, ({ a, k, v }) => {
      const found = get(known[k]!)(with_(k, v, a.length === 0 ? empty : built(a)))
      return claim(found === v, `it is ${found}`)
    }),
    about<Put>('At2 put(k, w)(put(k, v)(a)) = put(k, w)(a)', put, ({ a, k, v, w }) =>
      same(with_(k, w, with_(k, v, built(a))), with_(k, w, built(a)))
    ),
    about<Put>('At3 put(k, get(k)(a))(a) = a, where a has k', put, ({ a, k, v }) => {
      const row = with_(k, v, built(a))
      return same(with_(k, get(known[k]!)(row), row), row)
    }),
    about<Put>('At4 puts of different keys commute', put, ({ a, k, v, w }) => {
      const other = (k + 1) % known.length
      return same(with_(k, v, with_(other, w, built(a))), with_(other, w, with_(k, v, built(a))))
    }),
    about<Two>(
      'At5 extend(b)(a) has the keys of both, and the values of b where both have one',
      { a: puts, b: puts },
      ({ a, b }) => {
        const [left, right] = [built(a), built(b)]
        const whole = extend(right)(left)
        const lost = known.find(
          (key) =>
            !O.getEq<number>({ equals: (x, y) => x === y }).equals(
              lookup(key)(whole),
              O.alt(() => lookup(key)(left))(lookup(key)(right))
            )
        )
        return claim(lost === undefined, `of ${String(lost?.key)}: ${seen(whole)}`)
      }
    ),
    about<Three>('At6 extending is associative', { a: puts, b: puts, c: puts }, ({ a, b, c }) =>
      same(
        Monoid.concat(Monoid.concat(built(a), built(b)), built(c)),
        Monoid.concat(built(a), Monoid.concat(built(b), built(c)))
      )
    ),
    about<One>('At7 empty is the unit of extending', { a: puts }, ({ a }) => {
      const row = built(a)
      return same(Monoid.concat(Monoid.empty, row), row) ?? same(Monoid.concat(row, Monoid.empty), row)
    }),
    about<Two>('At8 a ∘ b ∘ a = b ∘ a, so twice the same is once', { a: puts, b: puts }, ({ a, b }) => {
      const [x, y] = [built(a), built(b)]
      return same(Monoid.concat(Monoid.concat(x, y), x), Monoid.concat(y, x))
    }),
    refuted(
      question<Two>('At9 extending is not commutative', { a: puts, b: puts }, ({ a, b }) =>
        same(Monoid.concat(built(a), built(b)), Monoid.concat(built(b), built(a)))
      )
    ),
    about<Two>(
      'At10 nothing is computed before it is asked for, then each time, and what is hidden never',
      { a: puts, b: puts },
      ({ a, b }) => {
        const asked: Array<string> = []
        const row = extend(built(b, (key) => asked.push(`b${key}`)))(built(a, (key) => asked.push(`a${key}`)))
        keys(row)
        if (asked.length > 0) return wrong(`computed by extending: ${asked.join(', ')}`)
        const expected: Array<string> = []
        for (const [key, attribute] of known.entries()) {
          const from = b.some(([k]) => k === key) ? 'b' : a.some(([k]) => k === key) ? 'a' : null
          for (let times = 0; times < 2; times++) {
            lookup(attribute)(row)
            if (from !== null) expected.push(`${from}${key}`)
          }
        }
        return claim(
          asked.join() === expected.join(),
          `computed ${asked.join(', ')}, expected ${expected.join(', ')}`
        )
      }
    ),
    about<One>(
      'At11 lookup of what is not there is None, and get is a defect that names it',
      { a: puts },
      ({ a }) => {
        for (const [key, attribute] of known.entries()) {
          if (a.some(([k]) => k === key)) continue
          const row = built(a) as Ours.Attributes<Readonly<Record<PropertyKey, number>>>
          if (O.isSome(lookup(attribute)(row))) return wrong(`${String(attribute.key)} is there`)
          try {
            return wrong(`get gives ${get(attribute)(row)}`)
          } catch (error) {
            if (!String(error).includes(String(attribute.key))) return wrong(`it says ${String(error)}`)
          }
        }
        return null
      }
    ),
    about<One>('At12 fromRecord = puts of its fields', { a: puts }, ({ a }) =>
      same(
        fromRecord<object>(Object.fromEntries(a.map(([key, value]) => [known[key]!.key, () => value]))),
        built(a)
      )
    ),
    about<Put>(
      'At13 extra of a provider = get of its attributes, and lookup = lookup',
      put,
      ({ a, k, v }) => {
        const attributes = with_(k, v, built(a))
        const key = known[k]!
        const found = Provider.lookup(key)({ attributes })
        return claim(
          Provider.extra(key)({ attributes }) === v && O.isSome(found) && found.value === v,
          'the provider says otherwise'
        )
      }
    )
  ])
}

/**
 * Laws of our attributes.
 *
 * @category law sets
 * @since 0.1.0
 */
export const attributes: LawSet = attributesOf(Ours)
