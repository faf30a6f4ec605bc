/**
 * Where scopes and groups meet the world outside: abort signals of a run, and promises that cannot be cancelled.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Effect, Promises, Runtime, TaskGroup, Timeout } from 'millrace'
import { cancellationsOf, show } from '../support/seeds.js'

const { sync, gen } = Effect

describe('at the edge', () => {
  it('TG-45 a signal that aborts a run cancels the tasks of its groups, which are awaited', async () => {
    const lines: Array<string> = []
    const note = (line: string) => sync(() => lines.push(line))
    const controller = new AbortController()
    const exit = await Runtime.runExit(
      TaskGroup.open()((group) =>
        gen(function* () {
          for (const name of ['a', 'b']) {
            yield* group.spawn(
              Effect.ensuring(Effect.andThen(note(`${name} cleaned`))(Effect.checkpoint))(Effect.never)
            )
          }
          yield* group.spawn(sync(() => controller.abort('enough')))
          yield* Effect.never
        })
      ),
      { signal: controller.signal }
    )
    expect(show(exit)).to.equal('Cancelled')
    expect(cancellationsOf(exit)[0]!.reason).to.deep.equal({ _tag: 'Aborted', reason: 'enough' })
    expect([...lines].sort()).to.deep.equal(['a cleaned', 'b cleaned'])
  })

  it('TG-45 runPromise reports the abort to a caller who knows only promises: it rejects with the reason', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const ended = Runtime.runPromise(
      TaskGroup.open()((group) => group.spawn(Effect.never)),
      { signal: controller.signal }
    ).then(
      () => 'resolved',
      (rejected: unknown) => rejected
    )
    controller.abort(reason)
    expect(await ended).to.equal(reason)
  })

  it('CS-48 a promise without cancel support: with abandonOnCancel the task goes on at once', async () => {
    let reject: (reason: unknown) => void = () => undefined
    const promise = new Promise<string>((_, no) => {
      reject = no
    })
    const exit = await Runtime.runExit(
      CancelScope.open((scope) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            yield* group.spawn(sync(() => scope.cancelUnsafe('enough')))
            return yield* Promises.fromPromise(() => promise, { abandonOnCancel: true })
          })
        )
      )
    )
    expect(exit).to.deep.equal({ _tag: 'Right', right: O.none })
    // What comes later is observed: it must not be an unhandled rejection, which would fail this test run.
    reject(new Error('late'))
    await Promise.resolve()
    await new Promise((done) => setImmediate(done))
  })

  it('CS-48 without it the scope is left when the promise has settled', async () => {
    let resolve: (value: string) => void = () => undefined
    const promise = new Promise<string>((yes) => {
      resolve = yes
    })
    let left = false
    const ended = Runtime.runExit(
      pipe(
        CancelScope.open((scope) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(sync(() => scope.cancelUnsafe('enough')))
              return yield* Promises.fromPromise(() => promise)
            })
          )
        ),
        Effect.tap(() =>
          sync(() => {
            left = true
          })
        )
      )
    )
    await new Promise((done) => setImmediate(done))
    expect(left).to.equal(false)
    resolve('value')
    expect(show(await ended)).to.equal('ok(Some(value))')
  })

  it('CS-49 an abort that comes while an inner scope is open passes through it to the top', async () => {
    for (const inside of [
      (fx: Effect.Effect<unknown, never, unknown>) => CancelScope.open(() => fx),
      (fx: Effect.Effect<unknown, never, unknown>) =>
        CancelScope.open((scope) => Effect.andThen(fx)(scope.cancel('also cancelled inside'))),
      (fx: Effect.Effect<unknown, never, unknown>) => Timeout.moveOnAfter(1e9)(fx),
      (fx: Effect.Effect<unknown, never, unknown>) => TaskGroup.openCancellable()(() => fx)
    ]) {
      const controller = new AbortController()
      let swallowed = false
      const exit = await Runtime.runExit(
        gen(function* () {
          yield* inside(
            gen(function* () {
              yield* sync(() => controller.abort('outside'))
              yield* Effect.never
            })
          )
          // A scope that absorbed its own cancellation first goes on to here, and no further.
          yield* Effect.checkCancelled
          swallowed = true
        }),
        { signal: controller.signal }
      )
      expect(show(exit)).to.equal('Cancelled')
      expect(cancellationsOf(exit)[0]!.reason).to.deep.equal({ _tag: 'Aborted', reason: 'outside' })
      expect(swallowed).to.equal(false)
    }
  })

  it('an abort waits for the clean-up behind shields, and a grace bounds it', async () => {
    const controller = new AbortController()
    const lines: Array<string> = []
    const exit = await Runtime.runExit(
      TaskGroup.open()((group) =>
        gen(function* () {
          yield* group.spawn(
            Effect.ensuring(
              pipe(Effect.repeatN(50)(Effect.checkpoint), Effect.andThen(sync(() => lines.push('cleaned'))))
            )(Effect.never)
          )
          yield* group.spawn(sync(() => controller.abort()))
        })
      ),
      { signal: controller.signal }
    )
    expect(show(exit)).to.equal('Cancelled')
    expect(lines).to.deep.equal(['cleaned'])

    const again = new AbortController()
    const cut = await Runtime.runExit(
      Effect.andThen(Effect.ensuring(Effect.never)(Effect.never))(sync(() => again.abort())),
      { signal: again.signal, grace: 0 }
    )
    expect(show(cut)).to.equal('Then(Cancelled, Die(CleanupOverran))')
  })
})
