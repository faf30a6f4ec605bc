/**
 * Values that a fiber carries along, and what its children inherit.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, FiberLocal, LowLevel, Runtime, TaskGroup } from 'millrace'
import { type Fx, run, value } from '../support/kernel.js'

const local = FiberLocal.make('initial')
const { get, set, locally } = local

describe('FiberLocal', () => {
  it('has its initial value until it is set', () => {
    expect(value(get)).to.equal('initial')
    expect(value(pipe(set('a'), Effect.andThen(get)))).to.equal('a')
  })

  it('can hold undefined', () => {
    const optional = FiberLocal.make<string | undefined>('initial')
    expect(value(pipe(optional.set(undefined), Effect.andThen(optional.get)))).to.equal(undefined)
    expect(value(pipe(optional.get, optional.locally(undefined)))).to.equal(undefined)
  })

  it('RT-11 is back at its initial value in the next run', () => {
    expect(value(pipe(set('a'), Effect.andThen(get)))).to.equal('a')
    expect(value(get)).to.equal('initial')
    Runtime.runSync(set('b'))
    expect(Runtime.runSync(get)).to.equal('initial')
  })

  it('RT-13 two of them are independent, also with the same initial value', () => {
    const one = FiberLocal.make('same')
    const two = FiberLocal.make('same')
    expect(value(pipe(one.set('1'), Effect.andThen(Effect.tuple([one.get, two.get]))))).to.deep.equal([
      '1',
      'same'
    ])
    const both = pipe(Effect.tuple([one.get, two.get]), one.locally('1'), two.locally('2'))
    expect(value(pipe(both, Effect.andThen(Effect.tuple([one.get, two.get]))))).to.deep.equal([
      'same',
      'same'
    ])
    expect(value(both)).to.deep.equal(['1', '2'])
  })

  describe('locally', () => {
    it('holds for its effect, and the value before is back however that ends', () => {
      for (const ending of [
        Effect.unit,
        Effect.fail('f'),
        Effect.die('x'),
        Effect.sync(() => {
          throw new Error()
        })
      ]) {
        const program = Effect.gen(function* () {
          yield* set('before')
          const seen: Array<string> = []
          const see = Effect.map((s: string) => {
            seen.push(s)
          })(get)
          yield* pipe(see, Effect.andThen(ending as Fx<unknown, string>), locally('inside'), Effect.exit)
          yield* see
          return seen
        })
        expect(value(program)).to.deep.equal(['inside', 'before'])
      }
    })

    it('is restored to the initial value when nothing was set', () => {
      expect(value(pipe(get, locally('inside'), Effect.andThen(get)))).to.equal('initial')
    })

    it('after a cancellation too', () => {
      const program = pipe(
        LowLevel.withinScope({ name: 's', after: 1 })(pipe(Effect.never, locally('inside'))),
        Effect.andThen(get)
      )
      expect(run(program)).to.equal('ok initial')
    })

    it('what is set inside ends with it, for this value alone', () => {
      const other = FiberLocal.make(0)
      const program = Effect.gen(function* () {
        const inside = yield* pipe(
          set('set inside'),
          Effect.andThen(other.set(1)),
          Effect.andThen(get),
          locally('inside')
        )
        return [inside, yield* get, yield* other.get]
      })
      expect(value(program)).to.deep.equal(['set inside', 'initial', 1])
    })

    it('nests, also over waits', () => {
      const program = pipe(
        Effect.sleep(1),
        Effect.andThen(get),
        locally('inner'),
        Effect.flatMap((inner) => Effect.map((outer: string) => [inner, outer])(get)),
        locally('outer')
      )
      expect(value(program)).to.deep.equal(['inner', 'outer'])
    })

    it('is seen by finalizers inside of it, and not by those outside', () => {
      const seen: Array<string> = []
      const see = Effect.map((s: string) => seen.push(s))(get)
      value(pipe(Effect.unit, Effect.ensuring(see), locally('inside'), Effect.ensuring(see)))
      expect(seen).to.deep.equal(['inside', 'initial'])
    })
  })

  describe('children', () => {
    it('start with what their spawner has at that moment', () => {
      const program = TaskGroup.open()((group) =>
        Effect.gen(function* () {
          const first = yield* group.spawn(get)
          yield* set('a')
          const second = yield* group.spawn(get)
          const third = yield* pipe(group.spawn(get), locally('b'))
          yield* set('c')
          return [
            yield* Effect.orDie(first.join),
            yield* Effect.orDie(second.join),
            yield* Effect.orDie(third.join)
          ]
        })
      )
      expect(value(program)).to.deep.equal(['initial', 'a', 'b'])
    })

    it('what they set is not seen by their spawner nor by their siblings', () => {
      const program = TaskGroup.open()((group) =>
        Effect.gen(function* () {
          yield* set('parent')
          const one = yield* group.spawn(
            pipe(set('one'), Effect.andThen(Effect.yieldNow), Effect.andThen(get))
          )
          const two = yield* group.spawn(pipe(Effect.yieldNow, Effect.andThen(get)))
          const values = [yield* Effect.orDie(one.join), yield* Effect.orDie(two.join)]
          return [...values, yield* get]
        })
      )
      for (let seed = 0; seed < 5; seed++)
        expect(value(program, seed)).to.deep.equal(['one', 'parent', 'parent'])
    })

    it('arms that start inline have copies of their own', () => {
      const program = Effect.gen(function* () {
        yield* set('parent')
        const arms = yield* Concurrent.all([
          pipe(set('one'), Effect.andThen(get)),
          get,
          pipe(get, locally('three'))
        ])
        yield* pipe(set('winner'), Concurrent.race(Effect.never))
        return [...arms, yield* get]
      })
      expect(value(program)).to.deep.equal(['one', 'parent', 'three', 'parent'])
    })
  })

  it('get, set and locally do nothing before they run', () => {
    set('never run')
    locally('never run')(get)
    expect(value(get)).to.equal('initial')
  })

  it('an effect of it may run twice at once', () => {
    const wait = pipe(set('x'), Effect.andThen(Effect.yieldNow), Effect.andThen(get), locally('y'))
    expect(value(Concurrent.all([wait, pipe(wait, Effect.andThen(get))]))).to.deep.equal(['x', 'initial'])
  })
})
