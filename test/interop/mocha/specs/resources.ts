// Run by mocha as a child process, see Mocha.test.ts.
import { Effect, Resource, TaskGroup } from 'millrace'
import { it, withResource } from 'millrace/mocha'

const say = (line: string) =>
  Effect.sync(() => {
    console.log(`- ${line}`)
  })

let early: unknown
withResource('cannot be acquired', Resource.fromEffect(Effect.fail('no such host')), (get) => {
  try {
    get()
  } catch (error) {
    early = error
  }
  it('is not run', () => {
    console.log('- run without it')
  })
})

withResource(
  'cannot be released',
  Resource.make(Effect.succeed(1), () => Effect.die('still busy')),
  (get) => {
    it('has it', () => {
      console.log(`- value ${get()}, early: ${(early as Error).message}`)
    })
  }
)

const failsLater = Resource.fromUse<unknown, never, string>((use) =>
  TaskGroup.open()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(Effect.andThen(Effect.die('lost the connection'))(Effect.sleep(1)))
      return yield* use('here')
    })
  )
)
withResource('fails while it is used', failsLater, (get) => {
  it.effect('is told when it asks for it', () =>
    Effect.gen(function* () {
      for (;;) {
        try {
          get()
        } catch (error) {
          console.log(`- ${(error as Error).message}`)
          return
        }
        yield* Effect.sleep(1)
      }
    })
  )
})

withResource(
  'released after a failure',
  Resource.make(say('opened'), () => say('closed')),
  () => {
    it.virtual('fails', () => Effect.fail('no'))
  }
)
