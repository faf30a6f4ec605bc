// Run by mocha as a child process, see Mocha.test.ts.
import { expect } from 'chai'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { Concurrent, Effect, Exit, FiberLocal, Resource, Runtime, TaskGroup } from 'millrace'
import { it, withResource } from 'millrace/mocha'
import { TestRuntime } from 'millrace/testing'

const say = (line: string) =>
  Effect.sync(() => {
    console.log(`- ${line}`)
  })

describe('effects', () => {
  it('mocha’s own', () => undefined)
  it('mocha’s own, pending')
  it.effect('on the host', () =>
    Effect.flatMap((n: number) => say(`answer ${n}`))(Effect.fromTask(() => Promise.resolve(42)))
  )
  it.virtual('an hour passes at once', () =>
    Effect.gen(function* () {
      const before = yield* Effect.currentTime
      yield* Effect.sleep(3_600_000)
      expect((yield* Effect.currentTime) - before).to.equal(3_600_000)
    })
  )
  it.effect.skip('is skipped', () => Effect.die('never run'))
  it.virtual.skip('is skipped too', () => Effect.die('never run'))
  it.effect('skips itself', function () {
    return Effect.sync(() => this.skip())
  })
  it.virtual('skips itself in virtual time', function () {
    return Effect.sync(() => this.skip())
  })
  it.effect('takes a runtime', () => say('with a runtime'), {
    runtime: Runtime.make({ instruments: [{ onExit: (fiber) => console.log(`- ended: ${fiber.name}`) }] })
  })
  it.virtual('takes a schedule', () => say('with a schedule'), { schedule: TestRuntime.schedule('0:1') })
  it.effect('takes its time', () => Effect.sleep(20)).timeout(5_000)
})

const user = FiberLocal.make('nobody')
const withUser = <R, E, A>(fx: Effect.Effect<R, E, A>) =>
  pipe(
    fx,
    user.locally('Ada'),
    Effect.ensuring(Effect.flatMap((name: string) => say(`after: ${name}`))(user.get))
  )

describe('what a fixture around a test sets', () => {
  it.virtual('is seen in the test', () =>
    withUser(Effect.flatMap((name: string) => say(`in: ${name}`))(user.get))
  )
  it.virtual('and in no other', () => Effect.flatMap((name: string) => say(`beside: ${name}`))(user.get))
})

let acquired = 0
const shared = Resource.fromUse<unknown, never, ReadonlyArray<string>>((use) =>
  TaskGroup.open()((group) =>
    Effect.gen(function* () {
      acquired++
      const lines: Array<string> = []
      yield* group.spawn(
        Effect.forever(
          Effect.andThen(
            Effect.sync(() => {
              lines.push('tick')
            })
          )(Effect.sleep(1))
        ),
        { service: true }
      )
      yield* say(`acquired ${acquired}`)
      const value = yield* use(lines)
      yield* say('released')
      return value
    })
  )
)

withResource('a shared resource', shared, (get) => {
  it('is there for a test without effects', () => {
    expect(get()).to.be.an('array')
  })
  it.effect('and works in the background', () =>
    Effect.gen(function* () {
      const before = get().length
      while (get().length === before) yield* Effect.sleep(1)
    })
  )
  it.effect('also where a test skips itself', function () {
    return Effect.sync(() => this.skip())
  })
})

describe('properties', () => {
  it('of effects are checked by fast-check, synchronously', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.integer(), (delays, seed) => {
        const program = Concurrent.traverse((ms: number) => Effect.as(ms)(Effect.sleep(ms)))(delays)
        expect(TestRuntime.runExit(program, { seed })).to.deep.equal(Exit.succeed(delays))
      })
    )
  })
})
