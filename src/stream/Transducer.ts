/**
 * `Transducer<I, O, E>`: the pure half of a layer, a transformation of items one after the other, with memory.
 *
 * A transducer is a value. Each `open` gives a fresh {@link Run}, whose state nobody else sees, so that {@link run} is a pure
 * function although its inside is a loop over arrays. Composing fuses: no stream, no fiber, and no allocation an item in
 * between; one buffer a stage, which is used again for every chunk.
 *
 * `Stream.via` and `Stream.into` put one on a stream, `Layer.fromTransducers` makes a layer of two.
 *
 * @since 0.1.0
 */
import type { Category3 } from 'fp-ts/lib/Category.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { Eq } from 'fp-ts/lib/Eq.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Predicate } from 'fp-ts/lib/Predicate.js'
import type { Refinement } from 'fp-ts/lib/Refinement.js'
import { Output } from './internal/output.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where a run puts what it makes.
 *
 * @category model
 * @since 0.1.0
 */
export interface Emitter<in O> {
  readonly push: (o: O) => void
}

/**
 * How a run goes on: `more`, it takes further input; `done`, it wants none, and has emitted all it had; or it has failed. What
 * was emitted before counts in every case.
 *
 * @category model
 * @since 0.1.0
 */
export type Verdict<E> = 'more' | 'done' | { readonly _tag: 'failed'; readonly error: E }

/**
 * A transducer at work. After `done` or a failure nothing is called any more.
 *
 * @category model
 * @since 0.1.0
 */
export interface Run<in I, out O, out E = never> {
  /** Takes the first `count` of `input`; never keeps the array. */
  readonly step: (input: ArrayLike<I>, count: number, out: Emitter<O>) => Verdict<E>
  /** The input is over. Called once at most. */
  readonly end: (out: Emitter<O>) => Verdict<E>
  /**
   * How many items may be taken at once without reading ahead; 1 when absent. A run that says more emits one item for each at
   * most. With 0 it wants none at all, and is ended at once.
   */
  readonly wants?: number
  /** Remembers the state, for a step that may have to be taken back. Only one that remembers something needs the two. */
  readonly save?: () => void
  /** Goes back to the state at the last `save`. */
  readonly restore?: () => void
}

/**
 * A transformation of items: takes `I`, gives `O`, may fail with `E`.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * // One of one's own: numbers the lines.
 * const numbered: Transducer.Transducer<string, string> = {
 *   open: () => {
 *     let n = 0
 *     return {
 *       step: (lines, count, out) => {
 *         for (let i = 0; i < count; i++) out.push(`${++n}: ${lines[i]}`)
 *         return 'more'
 *       },
 *       end: () => 'more'
 *     }
 *   }
 * }
 * assert.deepEqual(Transducer.run(numbered)(['a', 'b']).outputs, ['1: a', '2: b'])
 *
 * @category model
 * @since 0.1.0
 */
export interface Transducer<in I, out O, out E = never> {
  readonly open: () => Run<I, O, E>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const failed = <E>(error: E): Verdict<E> => ({ _tag: 'failed', error })

/**
 * From an immutable state. Slower than a run of one's own, since it makes a record an item, and short to write.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Transducer } from 'millrace'
 *
 * const pairs = Transducer.fromMealy({
 *   initial: null as string | null,
 *   step: (first, item: string) => E.right(first === null ? [item, []] : [null, [[first, item] as const]]),
 *   end: (first) => (first === null ? E.right([]) : E.left(`${first} is alone`))
 * })
 * assert.deepEqual(Transducer.run(pairs)(['a', 'b', 'c']), { outputs: [['a', 'b']], end: E.left('c is alone') })
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromMealy = <S, I, O, E = never>(machine: {
  readonly initial: S
  readonly step: (state: S, input: I) => Either<E, readonly [S, ReadonlyArray<O>]>
  readonly end: (state: S) => Either<E, ReadonlyArray<O>>
}): Transducer<I, O, E> => ({
  open: () => {
    let state = machine.initial
    let saved = state
    return {
      step: (input, count, out) => {
        for (let i = 0; i < count; i++) {
          const next = machine.step(state, input[i] as I)
          if (next._tag === 'Left') return failed(next.left)
          state = next.right[0]
          for (const o of next.right[1]) out.push(o)
        }
        return 'more'
      },
      end: (out) => {
        const last = machine.end(state)
        if (last._tag === 'Left') return failed(last.left)
        for (const o of last.right) out.push(o)
        return 'more'
      },
      save: () => {
        saved = state
      },
      restore: () => {
        state = saved
      }
    }
  }
})

const more = (): 'more' => 'more'

/** A stage that looks at each item by itself. */
const itemwise = <I, O, E>(step: Run<I, O, E>['step']): Transducer<I, O, E> => {
  const only: Run<I, O, E> = { step, end: more, wants: Infinity }
  return { open: () => only }
}

/**
 * What comes in goes out.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.identity<number>())([1, 2]).outputs, [1, 2])
 *
 * @category constructors
 * @since 0.1.0
 */
export const identity = <A>(): Transducer<A, A> => map((a: A) => a)

/**
 * `f` of each item.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.map((n: number) => n + 1))([1, 2]).outputs, [2, 3])
 *
 * @category constructors
 * @since 0.1.0
 */
export const map = <A, B>(f: (a: A) => B): Transducer<A, B> =>
  itemwise((input, count, out) => {
    for (let i = 0; i < count; i++) out.push(f(input[i] as A))
    return 'more'
  })

/**
 * `f` of each item, up to the first `Left`, with which it fails.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Transducer } from 'millrace'
 *
 * const positive = Transducer.mapEither((n: number) => (n > 0 ? E.right(n) : E.left(`${n} is not positive`)))
 * assert.deepEqual(Transducer.run(positive)([2, 0, 1]), { outputs: [2], end: E.left('0 is not positive') })
 *
 * @category constructors
 * @since 0.1.0
 */
export const mapEither = <A, E, B>(f: (a: A) => Either<E, B>): Transducer<A, B, E> =>
  itemwise((input, count, out) => {
    for (let i = 0; i < count; i++) {
      const result = f(input[i] as A)
      if (result._tag === 'Left') return failed(result.left)
      out.push(result.right)
    }
    return 'more'
  })

/**
 * The items that fit.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.filter((n: number) => n % 2 === 0))([1, 2, 4]).outputs, [2, 4])
 *
 * @category constructors
 * @since 0.1.0
 */
export const filter: {
  <A, B extends A>(p: Refinement<A, B>): Transducer<A, B>
  <A>(p: Predicate<A>): Transducer<A, A>
} = <A>(p: Predicate<A>): Transducer<A, A> =>
  itemwise((input, count, out) => {
    for (let i = 0; i < count; i++) {
      const a = input[i] as A
      if (p(a)) out.push(a)
    }
    return 'more'
  })

/**
 * `f` of each item, without the `None`s.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as O from 'fp-ts/lib/Option.js'
 * import { Transducer } from 'millrace'
 *
 * const numbers = Transducer.filterMap((s: string) => (s === '' ? O.none : O.some(Number(s))))
 * assert.deepEqual(Transducer.run(numbers)(['1', '', '2']).outputs, [1, 2])
 *
 * @category constructors
 * @since 0.1.0
 */
export const filterMap = <A, B>(f: (a: A) => Option<B>): Transducer<A, B> =>
  itemwise((input, count, out) => {
    for (let i = 0; i < count; i++) {
      const result = f(input[i] as A)
      if (result._tag === 'Some') out.push(result.value)
    }
    return 'more'
  })

const checkCount = (what: string, least: number, n: number): void => {
  if (n !== Infinity && (!Number.isInteger(n) || n < least))
    throw new RangeError(
      `${what} takes a whole number from ${least}, or Infinity, but was given ${String(n)}.`
    )
}

class Take<A> implements Run<A, A> {
  private left: number
  private saved: number

  constructor(n: number) {
    this.left = n
    this.saved = n
  }

  get wants(): number {
    return this.left
  }

  step(input: ArrayLike<A>, count: number, out: Emitter<A>): Verdict<never> {
    const taken = Math.min(count, this.left)
    for (let i = 0; i < taken; i++) out.push(input[i] as A)
    this.left -= taken
    return this.left === 0 ? 'done' : 'more'
  }

  end(): 'more' {
    return 'more'
  }

  save(): void {
    this.saved = this.left
  }

  restore(): void {
    this.left = this.saved
  }
}

/**
 * The first `n` items; then it is done, and wants no more. `n` is a whole number from 0; else it throws.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.take<string>(2))('abcd').outputs, ['a', 'b'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const take = <A>(n: number): Transducer<A, A> => {
  checkCount('take', 0, n)
  return { open: () => new Take<A>(n) }
}

/**
 * All but the first `n` items. `n` is a whole number from 0; else it throws.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.drop<string>(2))('abcd').outputs, ['c', 'd'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const drop = <A>(n: number): Transducer<A, A> => {
  checkCount('drop', 0, n)
  return scanning<number, A, A>(
    () => n,
    (left, a, out) => {
      if (left > 0) return left - 1
      out.push(a)
      return 0
    }
  )
}

/** A stage with a state that is not changed in place. */
const scanning = <S, I, O>(
  initial: () => S,
  step: (state: S, input: I, out: Emitter<O>) => S,
  end: (state: S, out: Emitter<O>) => void = () => undefined,
  wants = Infinity
): Transducer<I, O> => ({
  open: () => {
    let state = initial()
    let saved = state
    return {
      wants,
      step: (input, count, out) => {
        for (let i = 0; i < count; i++) state = step(state, input[i] as I, out)
        return 'more'
      },
      end: (out) => {
        end(state, out)
        return 'more'
      },
      save: () => {
        saved = state
      },
      restore: () => {
        state = saved
      }
    }
  }
})

/**
 * The items up to the first that does not fit; then it is done.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.takeWhile((n: number) => n < 3))([1, 2, 3, 1]).outputs, [1, 2])
 *
 * @category constructors
 * @since 0.1.0
 */
export const takeWhile = <A>(p: Predicate<A>): Transducer<A, A> => ({
  open: () => ({
    step: (input, count, out) => {
      for (let i = 0; i < count; i++) {
        const a = input[i] as A
        if (!p(a)) return 'done'
        out.push(a)
      }
      return 'more'
    },
    end: more
  })
})

/**
 * All results of folding from the left; `initial` itself is not among them.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.scan(0, (sum, n: number) => sum + n))([1, 2, 3]).outputs, [1, 3, 6])
 *
 * @category constructors
 * @since 0.1.0
 */
export const scan = <S, A>(initial: S, f: (s: S, a: A) => S): Transducer<A, S> =>
  scanning<S, A, S>(
    () => initial,
    (state, a, out) => {
      const next = f(state, a)
      out.push(next)
      return next
    }
  )

/**
 * Arrays of `n` items; the last one may have fewer. `n` is a whole number from 1; else it throws.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.chunksOf<number>(2))([1, 2, 3]).outputs, [[1, 2], [3]])
 *
 * @category constructors
 * @since 0.1.0
 */
export const chunksOf = <A>(n: number): Transducer<A, ReadonlyArray<A>> => {
  checkCount('chunksOf', 1, n)
  return {
    open: () => {
      let chunk: Array<A> = []
      let saved: Array<A> = []
      return {
        wants: Infinity,
        step: (input, count, out) => {
          for (let i = 0; i < count; i++) {
            chunk.push(input[i] as A)
            if (chunk.length < n) continue
            out.push(chunk)
            chunk = []
          }
          return 'more'
        },
        end: (out) => {
          if (chunk.length > 0) out.push(chunk)
          return 'more'
        },
        save: () => {
          saved = [...chunk]
        },
        restore: () => {
          chunk = [...saved]
        }
      }
    }
  }
}

/**
 * A window of the last `n` items for each item, once there are `n`. `n` is a whole number from 1; else it throws.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.sliding<number>(2))([1, 2, 3]).outputs, [[1, 2], [2, 3]])
 *
 * @category constructors
 * @since 0.1.0
 */
export const sliding = <A>(n: number): Transducer<A, ReadonlyArray<A>> => {
  checkCount('sliding', 1, n)
  return scanning<ReadonlyArray<A>, A, ReadonlyArray<A>>(
    () => [],
    (window, a, out) => {
      const next = window.length < n ? [...window, a] : [...window.slice(1), a]
      if (next.length === n) out.push(next)
      return next
    }
  )
}

/**
 * Drops an item that equals the one before it.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as N from 'fp-ts/lib/number.js'
 * import { Transducer } from 'millrace'
 *
 * assert.deepEqual(Transducer.run(Transducer.dedupe(N.Eq))([1, 1, 2, 1]).outputs, [1, 2, 1])
 *
 * @category constructors
 * @since 0.1.0
 */
export const dedupe = <A>(eq: Eq<A>): Transducer<A, A> =>
  scanning<{ readonly last: A } | null, A, A>(
    () => null,
    (previous, a, out) => {
      if (previous !== null && eq.equals(previous.last, a)) return previous
      out.push(a)
      return { last: a }
    }
  )

/**
 * A state, what each item makes of it, and what is left of it at the end: for stages that gather.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * // Paragraphs of lines.
 * const paragraphs = Transducer.flush(
 *   '',
 *   (text, line: string): readonly [string, ReadonlyArray<string>] => (line === '' ? ['', [text]] : [`${text}${line} `, []]),
 *   (text) => (text === '' ? [] : [text])
 * )
 * assert.deepEqual(Transducer.run(paragraphs)(['a', 'b', '', 'c']).outputs, ['a b ', 'c '])
 *
 * @category constructors
 * @since 0.1.0
 */
export const flush = <S, A, O>(
  initial: S,
  f: (s: S, a: A) => readonly [S, ReadonlyArray<O>],
  rest: (s: S) => ReadonlyArray<O>
): Transducer<A, O> =>
  scanning<S, A, O>(
    () => initial,
    (state, a, out) => {
      const [next, outputs] = f(state, a)
      for (const o of outputs) out.push(o)
      return next
    },
    (state, out) => {
      for (const o of rest(state)) out.push(o)
    },
    1
  )

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

class Composed<A, B, C, E> implements Run<A, C, E> {
  private readonly first: Run<A, B, E>
  private readonly second: Run<B, C, E>
  private readonly between = new Output<B>()

  constructor(first: Run<A, B, E>, second: Run<B, C, E>) {
    this.first = first
    this.second = second
  }

  get wants(): number {
    return Math.min(this.first.wants ?? 1, this.second.wants ?? 1)
  }

  step(input: ArrayLike<A>, count: number, out: Emitter<C>): Verdict<E> {
    return this.pass(this.first.step(input, count, this.between), out, false)
  }

  end(out: Emitter<C>): Verdict<E> {
    return this.pass(this.first.end(this.between), out, true)
  }

  /** Hands on what the first one made, and, when it makes no more, that. Its outputs count before its failure. */
  private pass(verdict: Verdict<E>, out: Emitter<C>, isEnd: boolean): Verdict<E> {
    const { between } = this
    if (between.size > 0) {
      const next = this.second.step(between.items as Array<B>, between.size, out)
      between.clear()
      if (next !== 'more') return next
    }
    if (verdict === 'more' && !isEnd) return 'more'
    if (typeof verdict === 'object') return verdict
    const last = this.second.end(out)
    return last === 'more' && !isEnd ? 'done' : last
  }

  save(): void {
    this.first.save?.()
    this.second.save?.()
  }

  restore(): void {
    this.first.restore?.()
    this.second.restore?.()
  }
}

/**
 * One after the other: `second` takes what `first` gives.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Transducer } from 'millrace'
 *
 * const firstEven = pipe(
 *   Transducer.filter((n: number) => n % 2 === 0),
 *   Transducer.compose(Transducer.take(1))
 * )
 * assert.deepEqual(Transducer.run(firstEven)([1, 2, 3, 4]).outputs, [2])
 *
 * @category combinators
 * @since 0.1.0
 */
export const compose =
  <B, C, E2>(second: Transducer<B, C, E2>) =>
  <A, E>(first: Transducer<A, B, E>): Transducer<A, C, E | E2> => ({
    open: () => new Composed<A, B, C, E | E2>(first.open(), second.open())
  })

/**
 * Another failure.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as E from 'fp-ts/lib/Either.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Transducer } from 'millrace'
 *
 * const never = pipe(
 *   Transducer.mapEither((n: number) => E.left(n)),
 *   Transducer.mapError((n) => `no ${n}`)
 * )
 * assert.deepEqual(Transducer.run(never)([1]), { outputs: [], end: E.left('no 1') })
 *
 * @category combinators
 * @since 0.1.0
 */
export const mapError =
  <E, E2>(f: (e: E) => E2) =>
  <I, O>(transducer: Transducer<I, O, E>): Transducer<I, O, E2> => ({
    open: () => {
      const inner = transducer.open()
      const mapped = (verdict: Verdict<E>): Verdict<E2> =>
        typeof verdict === 'object' ? failed(f(verdict.error)) : verdict
      return {
        step: (input, count, out) => mapped(inner.step(input, count, out)),
        end: (out) => mapped(inner.end(out)),
        get wants() {
          return inner.wants ?? 1
        },
        save: () => inner.save?.(),
        restore: () => inner.restore?.()
      }
    }
  })

/**
 * A function before and one after.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { Transducer } from 'millrace'
 *
 * const lengths = pipe(Transducer.scan(0, (sum, n: number) => sum + n), Transducer.dimap((s: string) => s.length, String))
 * assert.deepEqual(Transducer.run(lengths)(['a', 'bc']).outputs, ['1', '3'])
 *
 * @category combinators
 * @since 0.1.0
 */
export const dimap =
  <A2, A, B, B2>(before: (a: A2) => A, after: (b: B) => B2) =>
  <E>(transducer: Transducer<A, B, E>): Transducer<A2, B2, E> =>
    compose(map(after))(compose(transducer)(map(before)))

// -------------------------------------------------------------------------------------
// running
// -------------------------------------------------------------------------------------

/**
 * What comes out for these inputs, up to the end or the failure, and which of the two it was. Takes no more of the inputs than
 * the transducer wants.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import * as E from 'fp-ts/lib/Either.js'
 * import { Transducer } from 'millrace'
 *
 * const result = Transducer.run(Transducer.chunksOf<string>(2))('abc')
 * assert.deepEqual(result, { outputs: [['a', 'b'], ['c']], end: E.right(undefined) })
 *
 * @category running
 * @since 0.1.0
 */
export const run =
  <I, O, E>(transducer: Transducer<I, O, E>) =>
  (inputs: Iterable<I>): { readonly outputs: ReadonlyArray<O>; readonly end: Either<E, void> } => {
    const opened = transducer.open()
    const outputs: Array<O> = []
    const out: Emitter<O> = { push: (o) => outputs.push(o) }
    let verdict: Verdict<E> = 'more'
    if (opened.wants !== 0) {
      for (const input of inputs) {
        verdict = opened.step([input], 1, out)
        if (verdict !== 'more') break
      }
    }
    if (verdict === 'more') verdict = opened.end(out)
    return {
      outputs,
      end:
        typeof verdict === 'object'
          ? { _tag: 'Left', left: verdict.error }
          : { _tag: 'Right', right: undefined }
    }
  }

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * @category instances
 * @since 0.1.0
 */
export const URI = 'millrace/Transducer'

/**
 * @category instances
 * @since 0.1.0
 */
export type URI = typeof URI

declare module 'fp-ts/HKT' {
  interface URItoKind3<R, E, A> {
    readonly [URI]: Transducer<E, A, R>
  }
}

/**
 * The transducers of one failure; {@link compose} is the same operation, and joins the failures.
 *
 * @example
 * import assert from 'node:assert/strict'
 *
 * import { Transducer } from 'millrace'
 *
 * const evens = Transducer.Category.compose(
 *   Transducer.take<number>(2),
 *   Transducer.filter((n: number) => n % 2 === 0)
 * )
 * assert.deepEqual(Transducer.run(evens)([1, 2, 3, 4, 5, 6]).outputs, [2, 4])
 *
 * @category instances
 * @since 0.1.0
 */
export const Category: Category3<URI> = {
  URI,
  id: () => identity(),
  compose: (second, first) => compose(second)(first)
}
