// Code written against fp-ts's Applicative gets a limit by changing one argument.
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as RR from 'fp-ts/lib/ReadonlyRecord.js'
import { Concurrent, Effect } from 'millrace'
import { Main } from 'millrace/node'

interface HttpError {
  readonly _tag: 'HttpError'
  readonly status: number
}

let running = 0
let most = 0

const size = (path: string): Effect.Effect<unknown, HttpError, number> =>
  pipe(
    Effect.sync(() => {
      most = Math.max(most, ++running)
    }),
    Effect.andThen(Effect.sleep(path.length)),
    Effect.ensuring(Effect.sync(() => running--)),
    Effect.as(path.length)
  )

const paths = ['/a', '/bb', '/ccc', '/dddd', '/eeeee']

const program = Effect.gen(function* () {
  const ofArray = yield* pipe(paths, RA.traverse(Concurrent.getApplicativePar(2))(size))
  yield* Effect.sync(() => console.log(ofArray.join(' '), '- at most', most))

  const ofRecord = yield* pipe(
    { home: '/', about: '/about' },
    RR.traverse(Concurrent.getApplicativePar(8))(size)
  )
  yield* Effect.sync(() => console.log(ofRecord))

  // The same without fp-ts's type class
  const direct = yield* pipe(paths, Concurrent.traverse(size, { concurrency: 2 }))
  yield* Effect.sync(() => console.log(direct.length))
})

Main.run(program)

// Output:
// 2 3 4 5 6 - at most 2
// { about: 6, home: 1 }
// 5
