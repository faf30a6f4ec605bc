// A code base in TaskEither: change the imports of `bracket`, `sequenceArray`; add a timeout. The types stay.
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { AbortSignals, Runtime, TaskEithers } from 'millrace'

// opt in, once: code inside a TaskEither can then ask for the signal of its scope
Runtime.setDefault(Runtime.make({ asyncContext: true }))

interface HttpError {
  readonly _tag: 'HttpError'
  readonly message: string
}
interface TooSlow {
  readonly _tag: 'TooSlow'
}

const toHttpError = (u: unknown): HttpError => ({ _tag: 'HttpError', message: String(u) })

// was: TE.tryCatch(() => fetch(url), toHttpError)
const get = (url: string): TE.TaskEither<HttpError, string> =>
  pipe(
    TE.tryCatch(() => fetch(url, { signal: AbortSignals.current() }), toHttpError),
    TE.flatMap((response) => TE.tryCatch(() => response.text(), toHttpError))
  )

interface Session {
  readonly token: string
}
const login: TE.TaskEither<HttpError, Session> = TE.of({ token: 'secret' })
const logout = (session: Session): TE.TaskEither<HttpError, void> =>
  TE.fromIO(() => console.log(`logout ${session.token}`))

// was: TE.bracket(login, …, logout) and TE.sequenceArray
const pages: TE.TaskEither<HttpError, ReadonlyArray<string>> = TaskEithers.bracket(
  login,
  (session) =>
    TaskEithers.sequenceArray(['/a', '/b'].map((path) => get(`http://localhost:1${path}?${session.token}`))),
  logout
)

const main: TE.TaskEither<HttpError | TooSlow, ReadonlyArray<string>> = pipe(
  pages,
  TaskEithers.withTimeout(1000, (): TooSlow => ({ _tag: 'TooSlow' }))
)

void main().then(
  E.match(
    (e) => console.log(e._tag),
    (all) => console.log(all.length)
  )
)

// Output (nothing listens on port 1; the second request is aborted and awaited before the logout):
// logout secret
// HttpError
