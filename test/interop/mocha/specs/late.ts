// Run by mocha as a child process, see Mocha.test.ts.
import { Effect, Resource, TaskGroup, Timeout } from 'millrace'
import { it, withResource } from 'millrace/mocha'

const say = (line: string) =>
  Effect.sync(() => {
    console.log(`- ${line}`)
  })

let running = 0
const counted = Effect.bracket(
  Effect.sync(() => {
    running++
  }),
  () => Effect.never,
  () =>
    Effect.andThen(
      Effect.sync(() => {
        running--
      })
    )(Effect.sleep(5))
)

describe('late', function () {
  this.timeout(60)

  it.effect('waits for ever', () =>
    TaskGroup.open({ name: 'workers' })((group) => group.spawn(counted, { name: 'worker' }))
  )
  it('nothing of it is left when the next begins', () => {
    console.log(`- running ${running}`)
  })
  it.effect('fails in its clean-up', () => Effect.ensuring(Effect.die('no clean end'))(Effect.never))
  it.effect('never ends its clean-up', () => Effect.ensuring(say('cut'))(Timeout.shielded(Effect.never)))
  it.effect('waits for a promise that never settles', () =>
    Effect.fromTask(() => new Promise<void>(() => undefined))
  )
  it.effect('has the time that it sets itself', function () {
    this.timeout(5_000)
    return Effect.sleep(100)
  })
})

describe('late', function () {
  this.timeout(60)
  withResource(
    'a resource that takes too long',
    Resource.make(Effect.onCancel(say('acquire was cancelled'))(Effect.never), () => Effect.unit),
    () => {
      it('is not run', () => {
        console.log('- run without it')
      })
    }
  )
})
