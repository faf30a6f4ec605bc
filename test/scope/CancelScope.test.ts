/**
 * Cancel scopes: levels, absorption, reasons, deadlines, shields, grace.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Cause, Effect, type Exit, Runtime, TaskGroup, Timeout } from 'millrace'
import { SeededScheduler, TestRuntime, VirtualClock } from 'millrace/testing'
import {
  at,
  cancellationsOf,
  defectOf,
  elapsed,
  expectAll,
  type Fx,
  observe,
  show
} from '../support/seeds.js'

const { sleep, sync, gen } = Effect

/** The state of a scope after it has been left. */
const left = (scope: CancelScope.CancelScope) =>
  Effect.gen(function* () {
    return { cancelled: yield* scope.isCancelled, caught: O.isSome(yield* scope.cancelledCaught) }
  })

/** Opens a scope and tells its state afterwards. */
const opened = <R, E, A>(
  body: (scope: CancelScope.CancelScope) => Effect.Effect<R, E, A>,
  options?: CancelScope.CancelScopeOptions
) =>
  Effect.suspend(() => {
    let handle: CancelScope.CancelScope | undefined
    return pipe(
      CancelScope.open((scope) => {
        handle = scope
        return body(scope)
      }, options),
      Effect.bindTo('value'),
      Effect.bind('state', () => left(handle as CancelScope.CancelScope))
    )
  })

/** A canceller in the background that acts after `ms`. */
const after = (ms: number, act: Fx<unknown>): Fx<void> => Effect.asUnit(Effect.andThen(act)(sleep(ms)))

describe('CancelScope', () => {
  describe('levels', () => {
    it('CS-01 cancelling a scope wakes the task that waits in it, and leaving the scope absorbs it', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            opened((scope) =>
              Effect.gen(function* () {
                yield* group.spawn(after(5, scope.cancel('stop')))
                yield* sleep(1000)
                yield* log('not reached')
              })
            )
          ),
        { exit: 'ok({"value":{"_tag":"None"},"state":{"cancelled":true,"caught":true}})', log: [], took: 5 }
      )
    })

    it('CS-02 cancelling the scope of one task leaves the host and its siblings alone', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            Effect.gen(function* () {
              const task = yield* group.spawn(
                CancelScope.open((scope) =>
                  Effect.gen(function* () {
                    yield* group.spawn(after(5, scope.cancel()))
                    yield* sleep(1000)
                    yield* log('not reached')
                  })
                )
              )
              yield* group.spawn(Effect.andThen(log('sibling'))(sleep(10)))
              yield* sleep(8)
              yield* log('host')
              return yield* task.join
            })
          ),
        { exit: 'ok(None)', log: ['host@8', 'sibling@10'] }
      )
    })

    it('CS-03 every wait in a cancelled scope fails again, until the scope is left', () => {
      const waits: ReadonlyArray<readonly [string, Fx<unknown>]> = [
        ['sleep', sleep(5)],
        ['never', Effect.never],
        ['checkpoint', Effect.checkpoint],
        ['checkCancelled', Effect.checkCancelled],
        ['sleep(0)', sleep(0)],
        ['async', Effect.async(() => undefined)],
        ['sleepUntil', Effect.sleepUntil(Infinity)]
      ]
      for (const [name, wait] of waits) {
        expectAll(
          (log) =>
            CancelScope.open((scope) =>
              Effect.gen(function* () {
                yield* scope.cancel()
                for (let i = 0; i < 3; i++) {
                  yield* pipe(
                    wait,
                    Effect.catchCause((cause) => log(`${name} ${cause._tag}`))
                  )
                }
                yield* wait
                yield* log('not reached')
              })
            ),
          {
            exit: 'ok(None)',
            log: [`${name} Cancelled@0`, `${name} Cancelled@0`, `${name} Cancelled@0`],
            took: 0
          }
        )
      }
    })

    it('CS-03 what catches typed failures does not see a cancellation, and a forever loop ends', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            Effect.gen(function* () {
              yield* scope.cancel()
              yield* pipe(
                sleep(1),
                Effect.orElse(() => log('not reached')),
                Effect.tapError(() => log('not reached')),
                Effect.catchCause(() => Effect.unit),
                Effect.forever
              )
            })
          ),
        { exit: 'ok(None)', log: [] }
      )
    })

    it('CS-04 a scope that was cancelled before its body starts ends the body at its first checkpoint', () => {
      expectAll(
        (log) =>
          CancelScope.open(
            () =>
              Effect.gen(function* () {
                yield* log('runs')
                yield* sleep(1)
                yield* log('not reached')
              }),
            { deadline: -Infinity }
          ),
        { exit: 'ok(None)', log: ['runs@0'] }
      )
    })

    it('CS-05 a body that ends without a further checkpoint keeps its value in a cancelled scope', () => {
      expectAll(() => opened((scope) => Effect.as('value')(scope.cancel())), {
        exit: 'ok({"value":{"_tag":"Some","value":"value"},"state":{"cancelled":true,"caught":false}})'
      })
    })

    it('CS-05 cancelling is no checkpoint, and neither are handlers, scopes, groups and brackets', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            Effect.gen(function* () {
              yield* scope.cancel()
              yield* pipe(
                Effect.unit,
                Effect.flatMap(() => log('flatMap')),
                Effect.map(() => 1),
                Effect.exit,
                Effect.ensuring(log('finalizer'))
              )
              yield* CancelScope.open(() => log('scope'))
              yield* TaskGroup.open()(() => log('group'))
              yield* Effect.bracket(
                log('acquire'),
                () => log('use'),
                () => log('release')
              )
              yield* Effect.yieldNow
              yield* log('yieldNow')
              return 1
            })
          ),
        {
          exit: 'ok(Some(1))',
          log: ['flatMap', 'finalizer', 'scope', 'group', 'acquire', 'use', 'release', 'yieldNow'].map(
            (line) => `${line}@0`
          )
        }
      )
    })

    it('a typed failure and a defect leave a cancelled scope as they are', () => {
      expectAll(() => CancelScope.open((scope) => pipe(scope.cancel(), Effect.andThen(Effect.fail('no')))), {
        exit: 'Fail(no)'
      })
      expectAll(() => CancelScope.open((scope) => pipe(scope.cancel(), Effect.andThen(Effect.die('bug')))), {
        exit: 'Die(bug)'
      })
    })

    it('CS-50 handlers of typed failures do not see a cancellation; finalizers, onCancel and exit do', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            pipe(
              scope.cancel(),
              Effect.andThen(sleep(1)),
              Effect.mapError(() => 'mapped'),
              Effect.orElse(() => log('orElse')),
              Effect.tapError(() => log('tapError')),
              Effect.match(
                () => 'failure',
                () => 'success'
              ),
              Effect.either,
              Effect.option,
              Effect.orDie,
              Effect.onExit((exit) => log(`onExit ${show(exit)}`)),
              Effect.onCancel(log('onCancel')),
              Effect.ensuring(log('ensuring')),
              Effect.exit,
              Effect.tap((exit) => log(`exit ${show(exit)}`)),
              Effect.as(1)
            )
          ),
        {
          exit: 'ok(Some(1))',
          log: ['onExit Cancelled@0', 'onCancel@0', 'ensuring@0', 'exit Cancelled@0']
        }
      )
    })

    it('cancelUnsafe cancels at once from a plain callback, which has no name', () => {
      const { exit } = observe(() =>
        Effect.gen(function* () {
          let scope: CancelScope.CancelScope | undefined
          const value = yield* CancelScope.open((handle) => {
            scope = handle
            return pipe(
              sync(() => handle.cancelUnsafe('callback')),
              Effect.andThen(Effect.checkpoint)
            )
          })
          return [value, yield* scope!.cancelledCaught] as const
        })
      )
      expect(exit).to.have.nested.property('right[0]._tag', 'None')
      expect(exit).to.have.deep.nested.property('right[1].value.reason', {
        _tag: 'Explicit',
        value: 'callback'
      })
      expect(exit).to.have.deep.nested.property('right[1].value.by', O.none)
    })

    it('a handle that is used after its scope was left cancels nothing and leaves no timer', () => {
      const clock = VirtualClock.make()
      const scheduler = SeededScheduler.make(0)
      const runtime = Runtime.make({ clock, scheduler })
      let ended: Exit.Exit<never, unknown> | undefined
      let pending = -1
      Runtime.runCallback(
        Effect.gen(function* () {
          let handle: CancelScope.CancelScope | undefined
          yield* CancelScope.open(
            (scope) => {
              handle = scope
              return Effect.unit
            },
            { grace: 7 }
          )
          yield* handle!.setDeadline((yield* Effect.currentTime) + 50)
          yield* handle!.cancel('too late')
          yield* handle!.setShield(true)
          yield* Effect.checkpoint
          pending = clock.pending()
          return yield* handle!.cancelledCaught
        }),
        (exit) => {
          ended = exit
        },
        { runtime }
      )
      while (scheduler.advance() || clock.advance());
      expect(ended).to.deep.equal({ _tag: 'Right', right: O.none })
      expect(pending).to.equal(0)
    })
  })

  describe('who absorbs', () => {
    /** An outer and an inner scope, each cancelled or not, the inner one with or without a shield. */
    const nested =
      (cancelOuter: boolean, cancelInner: boolean, shield: boolean) => (log: (l: string) => Fx<void>) =>
        CancelScope.open((outer) =>
          Effect.gen(function* () {
            const value = yield* CancelScope.open(
              (inner) =>
                Effect.gen(function* () {
                  if (cancelOuter) yield* outer.cancel('outer')
                  if (cancelInner) yield* inner.cancel('inner')
                  yield* sleep(1)
                  return 'slept'
                }),
              { shield }
            )
            yield* log(`inner ${value._tag}`)
            yield* sleep(1)
            return 'outer slept'
          })
        )

    it('own cancellation is absorbed, that from outside passes, and so does both', () => {
      expectAll(nested(false, false, false), { exit: 'ok(Some(outer slept))', log: ['inner Some@1'] })
      expectAll(nested(false, true, false), { exit: 'ok(Some(outer slept))', log: ['inner None@0'] })
      expectAll(nested(true, false, false), { exit: 'ok(None)', log: [] })
      expectAll(nested(true, true, false), { exit: 'ok(None)', log: [] })
    })

    it('behind a shield only the own cancellation counts', () => {
      expectAll(nested(false, true, true), { exit: 'ok(Some(outer slept))', log: ['inner None@0'] })
      expectAll(nested(true, false, true), { exit: 'ok(None)', log: ['inner Some@1'] })
      expectAll(nested(true, true, true), { exit: 'ok(None)', log: ['inner None@0'] })
    })

    it('what is left of a cause without its cancellations goes on', () => {
      expectAll(
        () =>
          CancelScope.open((scope) =>
            pipe(scope.cancel(), Effect.andThen(sleep(1)), Effect.ensuring(Effect.fail('clean-up')))
          ),
        { exit: 'Fail(clean-up)' }
      )
      expectAll(
        () =>
          CancelScope.open((scope) =>
            pipe(
              scope.cancel(),
              Effect.andThen(sleep(1)),
              Effect.ensuring(Effect.fail('one')),
              Effect.ensuring(Effect.die('two'))
            )
          ),
        { exit: 'Then(Fail(one), Die(two))' }
      )
    })

    it('CS-41 a cancellation that is observed and raised again, alone or joined, is absorbed completely', () => {
      expectAll(
        () =>
          CancelScope.open((scope) =>
            pipe(
              scope.cancel(),
              Effect.andThen(sleep(1)),
              Effect.catchCause((cause) => Effect.failCause(cause))
            )
          ),
        { exit: 'ok(None)' }
      )
      expectAll(
        () =>
          CancelScope.open((scope) =>
            pipe(
              scope.cancel(),
              Effect.andThen(sleep(1)),
              Effect.catchCause((cause) =>
                Effect.failCause(
                  Cause.SemigroupBoth<string>().concat(
                    cause,
                    Cause.SemigroupThen<string>().concat(cause, Cause.fail('user'))
                  )
                )
              )
            )
          ),
        { exit: 'Fail(user)' }
      )
    })

    it('an observed cancellation that is raised outside of its scope is a defect', () => {
      expectAll(
        () =>
          Effect.gen(function* () {
            let seen: Cause.Cause<never> | undefined
            yield* CancelScope.open((scope) =>
              pipe(
                scope.cancel(),
                Effect.andThen(Effect.checkpoint),
                Effect.onExit((exit) =>
                  sync(() => {
                    if (exit._tag === 'Left') seen = exit.left
                  })
                )
              )
            )
            return yield* Effect.failCause(seen!)
          }),
        { exit: 'Die(CancelledElsewhere)' }
      )
    })

    it('CS-21 an outer deadline that comes first belongs to the outer scope alone', () => {
      expectAll(
        () =>
          Effect.gen(function* () {
            let inner: CancelScope.CancelScope | undefined
            const outer = yield* opened(
              () =>
                CancelScope.open(
                  (scope) => {
                    inner = scope
                    return sleep(2000)
                  },
                  { deadline: at(1000) }
                ),
              { deadline: at(100) }
            )
            return [outer.state, yield* left(inner!)]
          }),
        { exit: 'ok([{"cancelled":true,"caught":true},{"cancelled":false,"caught":false}])', took: 100 }
      )
    })

    it('CS-22 an inner deadline that comes first is absorbed inside, and the outer one can still come', () => {
      expectAll(
        (log) =>
          pipe(
            Effect.gen(function* () {
              const inner = yield* Timeout.moveOnAfter(10)(sleep(1000))
              yield* log(`inner ${inner._tag}`)
              yield* sleep(1000)
            }),
            Timeout.moveOnAfter(30)
          ),
        { exit: 'ok(None)', log: ['inner None@10'], took: 30 }
      )
    })

    it('cancelledCaught tells which cancellation a scope has absorbed, after it was left', () => {
      expectAll(
        () =>
          Effect.gen(function* () {
            const reasons: Array<string> = []
            const note = (scope: CancelScope.CancelScope) =>
              Effect.map((caught: O.Option<Cause.Cancelled>) => {
                reasons.push(O.isSome(caught) ? caught.value.reason._tag : 'none')
              })(scope.cancelledCaught)
            for (const [deadline, cancelAt] of [
              [5, 50],
              [50, 5]
            ] as const) {
              yield* TaskGroup.open()((group) =>
                Effect.gen(function* () {
                  let handle: CancelScope.CancelScope | undefined
                  const now = yield* Effect.currentTime
                  yield* CancelScope.open(
                    (scope) =>
                      Effect.gen(function* () {
                        handle = scope
                        yield* note(scope)
                        yield* group.spawn(after(cancelAt, scope.cancel()), { service: true })
                        yield* sleep(100)
                      }),
                    { deadline: now + deadline }
                  )
                  yield* note(handle!)
                })
              )
            }
            return reasons
          }),
        { exit: 'ok(["none","Deadline","none","Explicit"])' }
      )
    })
  })

  describe('reasons', () => {
    /** How the cancellation looks that a scope caught. */
    const caught = (
      use: (scope: CancelScope.CancelScope) => Fx<unknown>,
      options?: CancelScope.CancelScopeOptions
    ): Cause.Cancelled => {
      const { exit } = observe(() =>
        Effect.gen(function* () {
          let handle: CancelScope.CancelScope | undefined
          yield* CancelScope.open((scope) => {
            handle = scope
            return Effect.andThen(Effect.never)(use(scope))
          }, options)
          return yield* handle!.cancelledCaught
        })
      )
      if (exit._tag === 'Left' || exit.right._tag === 'None') throw new Error(show(exit))
      return exit.right.value
    }

    it('CS-06 the first reason wins', () => {
      const { reason } = caught((scope) => Effect.andThen(scope.cancel('second'))(scope.cancel('first')))
      expect(reason).to.deep.equal({ _tag: 'Explicit', value: 'first' })
    })

    it('CS-06 a deadline that passes later changes nothing', () => {
      const { reason } = caught(
        (scope) => Effect.andThen(Timeout.shielded(sleep(10)))(scope.cancel('first')),
        { deadline: at(5) }
      )
      expect(reason).to.deep.equal({ _tag: 'Explicit', value: 'first' })
    })

    it('CS-07 a cancellation carries the reason, the name of the scope, and the task that cancelled', () => {
      const seen: Array<unknown> = []
      const { exit } = observe(() =>
        TaskGroup.open()((group) =>
          CancelScope.open(
            (scope) =>
              Effect.gen(function* () {
                yield* group.spawn(after(1, scope.cancel('enough')), { name: 'watchdog' })
                yield* pipe(
                  sleep(10),
                  Effect.catchCause((cause) => {
                    seen.push(...Cause.cancellations(cause))
                    return Effect.failCause(cause)
                  })
                )
              }),
            { name: 'upload' }
          )
        )
      )
      expect(show(exit)).to.equal('ok(None)')
      expect(seen).to.deep.equal([
        {
          _tag: 'Cancelled',
          scope: 'upload',
          reason: { _tag: 'Explicit', value: 'enough' },
          by: O.some('watchdog'),
          because: O.none
        }
      ])
    })

    it('CS-08 a deadline says that and when it passed, and pretty prints it', () => {
      const leaf = caught(() => Effect.unit, { deadline: at(25), name: 'poll' })
      expect(leaf).to.deep.include({ scope: 'poll', reason: { _tag: 'Deadline', time: at(25) } })
      expect(leaf.by).to.deep.equal(O.none)
      expect(Cause.pretty(leaf))
        .to.match(/poll/)
        .and.to.match(/deadline/i)
    })

    it('reasons of the open union are kept as they are', () => {
      const reasons: ReadonlyArray<Cause.CancelReason> = [
        { _tag: 'Deadline', time: 3 },
        { _tag: 'SiblingFailed', task: 't', cause: Cause.fail('x') },
        { _tag: 'Explicit', value: 1 },
        { _tag: 'Aborted', reason: 'gone' },
        { _tag: 'Shutdown', signal: 'SIGTERM' }
      ]
      for (const reason of reasons) expect(caught((scope) => scope.cancel(reason)).reason).to.equal(reason)
      expect(caught((scope) => scope.cancel({ _tag: 'Other' })).reason).to.deep.equal({
        _tag: 'Explicit',
        value: { _tag: 'Other' }
      })
      expect(caught((scope) => scope.cancel()).reason).to.deep.equal({ _tag: 'Explicit', value: undefined })
    })

    it('a cancellation that was observed becomes the chain of the next one', () => {
      const { exit } = observe(() =>
        Effect.gen(function* () {
          let second: CancelScope.CancelScope | undefined
          yield* CancelScope.open(
            (outer) => {
              second = outer
              return pipe(
                CancelScope.open((inner) => pipe(inner.cancel('root cause'), Effect.andThen(Effect.never)), {
                  name: 'inner'
                }),
                Effect.andThen(Effect.unit),
                Effect.andThen(
                  CancelScope.open(
                    (inner) =>
                      pipe(
                        inner.cancel('root cause'),
                        Effect.andThen(Effect.never),
                        Effect.onExit((exit) => outer.cancel(cancellationsOf(exit)[0]))
                      ),
                    { name: 'inner' }
                  )
                ),
                Effect.andThen(Effect.never)
              )
            },
            { name: 'outer' }
          )
          return yield* second!.cancelledCaught
        })
      )
      expect(exit).to.have.nested.property('right.value.scope', 'outer')
      expect(exit).to.have.deep.nested.property('right.value.reason', {
        _tag: 'Explicit',
        value: 'root cause'
      })
      expect(exit).to.have.nested.property('right.value.because.value.scope', 'inner')
    })

    it('all tasks of a scope see one and the same leaf', () => {
      const { exit } = observe(() =>
        Effect.gen(function* () {
          const seen: Array<Cause.Cancelled> = []
          const note = Effect.onExit((exit: Exit.Exit<never, void>) =>
            sync(() => seen.push(...cancellationsOf(exit)))
          )
          yield* CancelScope.open((scope) =>
            TaskGroup.open()((group) =>
              Effect.gen(function* () {
                yield* group.spawn(note(sleep(10)))
                yield* group.spawn(note(sleep(10)))
                yield* sleep(1)
                yield* scope.cancel()
              })
            )
          )
          return new Set(seen).size === 1 && seen.length === 2
        })
      )
      expect(show(exit)).to.equal('ok(true)')
    })
  })

  describe('time', () => {
    it('CS-16 a deadline is a time of the clock of the run', () => {
      expectAll(() => CancelScope.open(() => sleep(1000), { deadline: at(40) }), {
        exit: 'ok(None)',
        took: 40
      })
    })

    it('a deadline that has come on entry cancels at once, and the body runs to its first checkpoint', () => {
      for (const deadline of [at(0), at(-1), -Infinity]) {
        expectAll(
          (log) =>
            opened(
              (scope) =>
                Effect.gen(function* () {
                  yield* log(`cancelled: ${yield* scope.isCancelled}`)
                  yield* sleep(1)
                }),
              { deadline }
            ),
          {
            exit: 'ok({"value":{"_tag":"None"},"state":{"cancelled":true,"caught":true}})',
            log: ['cancelled: true@0'],
            took: 0
          }
        )
      }
    })

    it('a deadline wins a tie with a sleep inside of it, also when it was moved there', () => {
      expectAll(() => CancelScope.open(() => sleep(10), { deadline: at(10) }), { exit: 'ok(None)' })
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            CancelScope.open((scope) =>
              Effect.gen(function* () {
                yield* group.spawn(after(5, scope.setDeadline(at(10))))
                yield* sleep(10)
              })
            )
          ),
        { exit: 'ok(None)' }
      )
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            CancelScope.open(
              (scope) =>
                Effect.gen(function* () {
                  yield* group.spawn(after(5, scope.setDeadline(at(10))))
                  yield* sleep(10)
                }),
              { deadline: at(20) }
            )
          ),
        { exit: 'ok(None)' }
      )
    })

    it('a sleep that ends before the deadline keeps its value, one ms makes the difference', () => {
      expectAll(() => CancelScope.open(() => Effect.as(1)(sleep(9)), { deadline: at(10) }), {
        exit: 'ok(Some(1))'
      })
    })

    it('CS-23 a deadline that is moved later or earlier counts at its new time only', () => {
      const moved = (first: number, when: number, second: number) => () =>
        TaskGroup.open()((group) =>
          CancelScope.open(
            (scope) =>
              Effect.gen(function* () {
                yield* group.spawn(after(when, scope.setDeadline(at(second))))
                yield* Effect.never
              }),
            { deadline: at(first) }
          )
        )
      expectAll(moved(10, 5, 30), { exit: 'ok(None)', took: 30 })
      expectAll(moved(100, 5, 20), { exit: 'ok(None)', took: 20 })
      expectAll(moved(100, 50, 20), { exit: 'ok(None)', took: 50 })
      expectAll(moved(Infinity, 5, 20), { exit: 'ok(None)', took: 20 })
    })

    it('CS-23 a deadline that is taken back does not count', () => {
      expectAll(
        () =>
          CancelScope.open(
            (scope) =>
              Effect.gen(function* () {
                yield* sleep(5)
                yield* scope.setDeadline(Infinity)
                yield* sleep(50)
                return yield* scope.deadline
              }),
            { deadline: at(10) }
          ),
        { exit: 'ok(Some(Infinity))', took: 55 }
      )
    })

    it('CS-24 a deadline that is moved after it has passed changes nothing', () => {
      expectAll(
        (log) =>
          CancelScope.open(
            (scope) =>
              Effect.gen(function* () {
                yield* Effect.exit(sleep(100))
                yield* scope.setDeadline(at(1000))
                yield* log(`cancelled: ${yield* scope.isCancelled}`)
                yield* sleep(1)
                yield* log('not reached')
              }),
            { deadline: at(10) }
          ),
        { exit: 'ok(None)', log: ['cancelled: true@10'] }
      )
    })

    it('setDeadline into the past cancels at once, without a checkpoint of the caller', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            Effect.gen(function* () {
              yield* scope.setDeadline(at(0))
              yield* log(`cancelled: ${yield* scope.isCancelled}`)
              yield* Effect.checkCancelled
              yield* log('not reached')
            })
          ),
        { exit: 'ok(None)', log: ['cancelled: true@0'] }
      )
    })

    it('the deadline can be read, and is Infinity when there is none', () => {
      expectAll(
        () =>
          CancelScope.open(
            (a) =>
              CancelScope.open((b) =>
                Effect.gen(function* () {
                  const first = (yield* a.deadline) - at(0)
                  yield* a.setDeadline(at(7))
                  return [first, (yield* a.deadline) - at(0), String(yield* b.deadline)]
                })
              ),
            { deadline: at(70) }
          ),
        { exit: 'ok(Some(Some([70,7,"Infinity"])))' }
      )
    })

    it('a checkpoint does not read the clock: a deadline counts when timers are served', () => {
      let now = 0
      const clock = VirtualClock.make({ start: 0 })
      const scheduler = SeededScheduler.make(0)
      const runtime = Runtime.make({ clock: { now: () => now, at: clock.at }, scheduler })
      let seen: string | undefined
      Runtime.runCallback(
        CancelScope.open(
          () =>
            Effect.gen(function* () {
              yield* sync(() => {
                now = 1000
              })
              yield* Effect.checkpoint
              yield* Effect.checkCancelled
              seen = 'the deadline is over, the timer has not been served'
            }),
          { deadline: 10 }
        ),
        () => undefined,
        { runtime }
      )
      while (scheduler.advance());
      expect(seen).to.equal('the deadline is over, the timer has not been served')
    })

    it('NaN is a defect that says what was wrong: as deadline, as grace, in setDeadline', () => {
      const programs: ReadonlyArray<() => Fx<unknown>> = [
        () => CancelScope.open(() => Effect.unit, { deadline: NaN }),
        () => CancelScope.open(() => Effect.unit, { grace: NaN }),
        () => CancelScope.open((scope) => scope.setDeadline(NaN)),
        () => TaskGroup.open({ grace: NaN })(() => Effect.unit)
      ]
      for (const program of programs) {
        expect(defectOf(observe(program).exit)).to.match(/^TypeError: .*NaN/)
      }
    })

    it('leaving a scope removes its timers', () => {
      const clock = VirtualClock.make()
      const scheduler = SeededScheduler.make(0)
      const runtime = Runtime.make({ clock, scheduler })
      const before = clock.now()
      Runtime.runCallback(
        gen(function* () {
          for (const ms of [100, 200, 300]) yield* Timeout.moveOnAfter(ms)(Effect.checkpoint)
          yield* CancelScope.open((scope) => Effect.andThen(Effect.exit(Effect.checkpoint))(scope.cancel()), {
            grace: 400
          })
          yield* Effect.never
        }),
        () => undefined,
        { runtime }
      )
      while (scheduler.advance() || clock.advance());
      // The clock may be woken once for nothing; then no timer is left.
      expect(clock.pending()).to.equal(0)
      expect(clock.now() - before).to.equal(100)
    })
  })

  describe('currentEffectiveDeadline', () => {
    const { currentEffectiveDeadline } = Timeout
    const relative = Effect.map((time: number) => (Number.isFinite(time) ? time - at(0) : String(time)))(
      currentEffectiveDeadline
    )

    it('CS-25 is the least deadline of the enclosing scopes, Infinity without any', () => {
      expectAll(
        () =>
          Effect.gen(function* () {
            const seen = [yield* relative]
            yield* Timeout.moveOnAfter(50)(
              Effect.gen(function* () {
                seen.push(yield* relative)
                yield* Timeout.moveOnAfter(100)(Effect.map((x: number | string) => seen.push(x))(relative))
                yield* Timeout.moveOnAfter(20)(
                  CancelScope.open(() => Effect.map((x: number | string) => seen.push(x))(relative))
                )
              })
            )
            return seen
          }),
        { exit: 'ok(["Infinity",50,50,20])' }
      )
    })

    it('CS-25 is -Infinity in a scope that is effectively cancelled', () => {
      expectAll(
        () =>
          CancelScope.open((outer) =>
            pipe(
              outer.cancel(),
              Effect.andThen(Timeout.moveOnAfter(20)(relative)),
              Effect.map((x) => (O.isSome(x) ? x.value : 'none'))
            )
          ),
        { exit: 'ok(Some(-Infinity))' }
      )
    })

    it('CS-26 does not look through a shield', () => {
      expectAll(() => pipe(relative, Timeout.moveOnAfter(1000), Timeout.shielded, Timeout.moveOnAfter(10)), {
        exit: 'ok(Some(Some(1000)))'
      })
      expectAll(() => pipe(relative, Timeout.shielded, Timeout.moveOnAfter(10)), {
        exit: 'ok(Some(Infinity))'
      })
      expectAll(() => pipe(relative, Timeout.moveOnAfter(30, { shield: true }), Timeout.moveOnAfter(10)), {
        exit: 'ok(Some(Some(30)))'
      })
    })

    it('is Infinity in a finalizer, which is shielded, and that of a scope inside of it', () => {
      expectAll(
        () =>
          Effect.gen(function* () {
            const seen: Array<number | string> = []
            yield* pipe(
              Effect.never,
              Effect.ensuring(
                Effect.gen(function* () {
                  seen.push(yield* relative)
                  yield* Timeout.moveOnAfter(5)(Effect.map((x: number | string) => seen.push(x))(relative))
                })
              ),
              Timeout.moveOnAfter(10)
            )
            return seen
          }),
        { exit: 'ok(["Infinity",15])' }
      )
    })
  })

  describe('shields', () => {
    it('CS-27 inside a shield waits finish, and the first one after it is cancelled', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            Effect.gen(function* () {
              yield* scope.cancel()
              yield* Timeout.shielded(Effect.andThen(log('slept'))(sleep(10)))
              yield* log('after')
              yield* Effect.checkCancelled
              yield* log('not reached')
            })
          ),
        { exit: 'ok(None)', log: ['slept@10', 'after@10'] }
      )
    })

    it('CS-28 the own cancel and the own deadline of a shielded scope work', () => {
      expectAll(
        () => CancelScope.open((scope) => Effect.andThen(sleep(10))(scope.cancel()), { shield: true }),
        { exit: 'ok(None)', took: 0 }
      )
      expectAll(() => CancelScope.open(() => sleep(10), { shield: true, deadline: at(5) }), {
        exit: 'ok(None)',
        took: 5
      })
    })

    it('a shield holds through any number of scopes between', () => {
      const deep = (n: number, fx: Fx<unknown>): Fx<unknown> =>
        n === 0 ? fx : CancelScope.open(() => deep(n - 1, fx))
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            Effect.gen(function* () {
              yield* scope.cancel()
              yield* Timeout.shielded(deep(20, Effect.andThen(log('slept'))(sleep(5))))
            })
          ),
        { log: ['slept@5'] }
      )
    })

    it('CS-30 finalizers are shielded by themselves: what waits in one completes', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            pipe(
              scope.cancel(),
              Effect.andThen(sleep(1)),
              Effect.ensuring(Effect.andThen(log('cleaned'))(sleep(10)))
            )
          ),
        { exit: 'ok(None)', log: ['cleaned@10'] }
      )
    })

    it('CS-36 a shield that is raised holds a cancellation off, and lowering it delivers what came', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            CancelScope.open((outer) =>
              CancelScope.open((inner) =>
                Effect.gen(function* () {
                  yield* inner.setShield(true)
                  yield* group.spawn(after(5, outer.cancel()))
                  yield* sleep(10)
                  yield* log('held off')
                  yield* inner.setShield(false)
                  yield* log('lowered')
                  yield* sleep(10)
                  yield* log('not reached')
                })
              )
            )
          ),
        { exit: 'ok(None)', log: ['held off@10', 'lowered@10'] }
      )
    })

    it('CS-36 a shield that is raised after the cancellation holds it off from then on', () => {
      expectAll(
        (log) =>
          CancelScope.open((outer) =>
            CancelScope.open((inner) =>
              Effect.gen(function* () {
                yield* outer.cancel()
                yield* Effect.exit(sleep(1))
                yield* inner.setShield(true)
                yield* sleep(10)
                yield* log('held off')
                return 1
              })
            )
          ),
        { exit: 'ok(Some(Some(1)))', log: ['held off@10'] }
      )
    })

    it('a shield that is lowered while a task waits behind it cancels that wait', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            CancelScope.open((outer) =>
              CancelScope.open(
                (inner) =>
                  Effect.gen(function* () {
                    yield* outer.cancel()
                    yield* group.spawn(after(5, inner.setShield(false)))
                    yield* Effect.onCancel(log('cancelled'))(Effect.never)
                  }),
                { shield: true }
              )
            )
          ),
        { exit: 'ok(None)', log: ['cancelled@5'] }
      )
    })

    it('raising a shield does not hold off what is cancelled further inside', () => {
      expectAll(
        (log) =>
          CancelScope.open((outer) =>
            CancelScope.open((middle) =>
              Effect.gen(function* () {
                const inner = yield* CancelScope.open((inner) =>
                  Effect.gen(function* () {
                    yield* outer.cancel()
                    yield* inner.cancel()
                    yield* middle.setShield(true)
                    yield* sleep(10)
                  })
                )
                yield* log(`inner ${inner._tag}`)
                yield* sleep(1)
                return 1
              })
            )
          ),
        { exit: 'ok(Some(Some(1)))', log: ['inner None@0'] }
      )
    })

    it('CS-38 a shielded section runs in the same task: its failure propagates, and nothing outlives it', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            pipe(
              scope.cancel(),
              Effect.andThen(
                Timeout.shielded(
                  Effect.gen(function* () {
                    yield* sleep(5)
                    yield* log('inside')
                    return yield* Effect.fail('no')
                  })
                )
              ),
              Effect.orElse((e: string) => log(`caught ${e}`))
            )
          ),
        { exit: 'ok(Some())', log: ['inside@5', 'caught no@5'] }
      )
    })

    it('CS-42 a cancelled outermost scope skips everything inside, and no timeout is reported', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            pipe(
              scope.cancel(),
              Effect.andThen(
                CancelScope.open(() =>
                  CancelScope.open(() =>
                    pipe(
                      sleep(1),
                      Effect.andThen(log('not reached')),
                      Timeout.failAfter(10, () => 'timeout')
                    )
                  )
                )
              ),
              Effect.andThen(log('not reached'))
            )
          ),
        { exit: 'ok(None)', log: [] }
      )
    })
  })

  describe('inside a finalizer', () => {
    /** Runs `finalizer` in a scope that is cancelled at 10. */
    const cleaning = (finalizer: Fx<unknown, string>, grace?: number) =>
      CancelScope.open(() => Effect.ensuring(finalizer)(Effect.never), {
        deadline: at(10),
        ...(grace === undefined ? {} : { grace })
      })

    it('deadlines work', () => {
      expectAll(
        (log) =>
          cleaning(
            Effect.gen(function* () {
              const value = yield* Timeout.moveOnAfter(5)(sleep(100))
              yield* log(`moved on: ${value._tag}`)
              yield* sleep(5)
              yield* log('goes on')
            })
          ),
        { exit: 'ok(None)', log: ['moved on: None@15', 'goes on@20'] }
      )
      expectAll(() => cleaning(Timeout.failAfter(5, () => 'slow clean-up')(sleep(100))), {
        exit: 'Fail(slow clean-up)',
        took: 15
      })
    })

    it('scopes can be cancelled', () => {
      expectAll(
        (log) =>
          cleaning(
            Effect.gen(function* () {
              const value = yield* CancelScope.open((scope) => Effect.andThen(sleep(1))(scope.cancel()))
              yield* log(`absorbed: ${value._tag}`)
              yield* sleep(1)
              yield* log('goes on')
            })
          ),
        { exit: 'ok(None)', log: ['absorbed: None@10', 'goes on@11'] }
      )
    })

    it('groups run their tasks, and fail as anywhere else', () => {
      expectAll(
        (log) =>
          cleaning(
            TaskGroup.open()((group) =>
              Effect.gen(function* () {
                yield* group.spawn(Effect.andThen(log('task'))(sleep(5)))
                yield* sleep(3)
                yield* log('body')
              })
            )
          ),
        { exit: 'ok(None)', log: ['body@13', 'task@15'] }
      )
      expectAll(
        (log) =>
          cleaning(
            TaskGroup.open<string>()((group) =>
              Effect.gen(function* () {
                yield* group.spawn(Effect.andThen(Effect.fail('task'))(sleep(5)))
                yield* Effect.onCancel(log('body cancelled'))(sleep(30))
              })
            )
          ),
        { exit: 'Fail(task)', log: ['body cancelled@15'] }
      )
    })

    it('a finalizer inside of a finalizer is shielded against the scope in it', () => {
      expectAll(
        (log) =>
          cleaning(
            Timeout.moveOnAfter(5)(
              Effect.ensuring(Effect.andThen(log('inner clean-up'))(sleep(5)))(sleep(100))
            )
          ),
        { exit: 'ok(None)', log: ['inner clean-up@20'] }
      )
    })
  })

  describe('grace', () => {
    it('without a grace clean-up is never cut short', () => {
      expectAll(
        (log) =>
          CancelScope.open(() => Effect.ensuring(Effect.andThen(log('done'))(sleep(1e9)))(Effect.never), {
            deadline: at(10)
          }),
        { exit: 'ok(None)', log: ['done@1000000010'] }
      )
    })

    it('clean-up that ends within the grace is not touched', () => {
      expectAll(
        (log) =>
          CancelScope.open(() => Effect.ensuring(Effect.andThen(log('done'))(sleep(5)))(Effect.never), {
            deadline: at(10),
            grace: 6
          }),
        { exit: 'ok(None)', log: ['done@15'] }
      )
    })

    it('a finalizer that outlasts the grace is cut, and reported with the name of its task', () => {
      const { exit, took } = observe(() =>
        CancelScope.open(
          () =>
            TaskGroup.open()((group) =>
              group.spawn(Effect.ensuring(sleep(100))(Effect.never), { name: 'worker' })
            ),
          { deadline: at(10), grace: 5 }
        )
      )
      expect(took).to.equal(15)
      expect(exit._tag === 'Left' && Cause.defects(exit.left)).to.deep.equal([
        { _tag: 'CleanupOverran', task: 'worker', grace: 5 }
      ])
      expect(cancellationsOf(exit)).to.deep.equal([])
    })

    it('each finalizer that was cut is reported; one that begins later runs to its first checkpoint', () => {
      expectAll(
        (log) =>
          CancelScope.open(
            () =>
              pipe(
                Effect.never,
                Effect.ensuring(Effect.andThen(log('not reached'))(sleep(100))),
                Effect.ensuring(log('runs without waiting')),
                Effect.ensuring(
                  Effect.gen(function* () {
                    yield* log('begins')
                    yield* sleep(1)
                    yield* log('not reached')
                  })
                )
              ),
            { deadline: at(10), grace: 5 }
          ),
        {
          exit: 'Then(Die(CleanupOverran), Die(CleanupOverran))',
          log: ['runs without waiting@15', 'begins@15'],
          took: 15
        }
      )
    })

    it('explicit shields end with the grace, and are no clean-up', () => {
      expectAll(
        (log) =>
          CancelScope.open(() => Effect.onCancel(log('cut'))(Timeout.shielded(sleep(100))), {
            deadline: at(10),
            grace: 5
          }),
        { exit: 'ok(None)', log: ['cut@15'], took: 15 }
      )
      expectAll(
        () =>
          CancelScope.open(() => CancelScope.open(() => sleep(100), { shield: true }), {
            deadline: at(10),
            grace: 5
          }),
        { exit: 'ok(None)', took: 15 }
      )
    })

    it('a shield that is raised after the end of the grace does not hold', () => {
      expectAll(
        () =>
          CancelScope.open(
            () =>
              pipe(Effect.exit(Timeout.shielded(sleep(100))), Effect.andThen(Timeout.shielded(sleep(100)))),
            { deadline: at(10), grace: 5 }
          ),
        { exit: 'ok(None)', took: 15 }
      )
    })

    it('the grace counts from the moment the scope is effectively cancelled, also from outside', () => {
      expectAll(
        () =>
          Timeout.moveOnAfter(10)(
            CancelScope.open(() => Effect.ensuring(sleep(100))(Effect.never), { grace: 5 })
          ),
        { exit: 'Die(CleanupOverran)', took: 15 }
      )
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            Timeout.moveOnAfter(10)(
              CancelScope.open(
                (scope) =>
                  Effect.gen(function* () {
                    yield* group.spawn(after(30, scope.setShield(false)))
                    yield* Effect.ensuring(sleep(100))(Effect.never)
                  }),
                { shield: true, grace: 5 }
              )
            )
          ),
        { exit: 'Die(CleanupOverran)', took: 35 }
      )
    })

    it('of several graces the earliest counts', () => {
      const graces = (outer: number, inner: number) => () =>
        CancelScope.open(
          () => CancelScope.open(() => Effect.ensuring(sleep(100))(Effect.never), { grace: inner }),
          { deadline: at(10), grace: outer }
        )
      expectAll(graces(5, 20), { exit: 'Die(CleanupOverran)', took: 15 })
      expectAll(graces(20, 5), { exit: 'Die(CleanupOverran)', took: 15 })
      expectAll(graces(0, 5), { exit: 'Die(CleanupOverran)', took: 10 })
      expect(observe(graces(20, 5)).exit).to.have.nested.property('left.defect.grace', 5)
      expect(observe(graces(5, 20)).exit).to.have.nested.property('left.defect.grace', 5)
    })

    it('a grace of Infinity is none', () => {
      expectAll(
        (log) =>
          CancelScope.open(() => Effect.ensuring(Effect.andThen(log('done'))(sleep(50)))(Effect.never), {
            deadline: at(10),
            grace: Infinity
          }),
        { exit: 'ok(None)', log: ['done@60'], took: 60 }
      )
      // And there is no time at which it would end.
      const stuck = (options: CancelScope.CancelScopeOptions) =>
        observe(() => CancelScope.open(() => Effect.ensuring(Effect.never)(Effect.never), options))
      const { shown, took } = stuck({ deadline: at(10), grace: Infinity })
      expect(shown).to.match(/Deadlock/)
      expect([shown, took]).to.deep.equal([stuck({ deadline: at(10) }).shown, 10])
    })

    it('a grace that is not positive ends shields at once', () => {
      for (const grace of [0, -1]) {
        expectAll(
          () => CancelScope.open(() => Effect.ensuring(sleep(50))(Effect.never), { deadline: at(10), grace }),
          { exit: 'Die(CleanupOverran)', took: 10 }
        )
      }
    })

    it('the end of a grace lets go of waits that a cancellation does not end', () => {
      expectAll(
        () =>
          CancelScope.open(() => Effect.ensuring(Effect.async(() => undefined))(Effect.never), {
            deadline: at(10),
            grace: 5
          }),
        { exit: 'Die(CleanupOverran)', took: 15 }
      )
    })

    it('the grace ends the shields inside of the scope, not its own', () => {
      // The scope absorbs its own deadline, although a cancellation waits outside of its shield.
      expectAll(
        (log) =>
          CancelScope.open((outer) =>
            Effect.gen(function* () {
              yield* outer.cancel()
              const value = yield* Timeout.moveOnAfter(10, { shield: true, grace: 5 })(
                Timeout.shielded(sleep(100))
              )
              yield* log(`left ${value._tag}`)
            })
          ),
        { exit: 'ok(Some())', log: ['left None@15'] }
      )
    })

    it('a grace inside of a finalizer ends no more than what is in its scope', () => {
      expectAll(
        (log) =>
          CancelScope.open(
            () =>
              Effect.ensuring(
                Effect.gen(function* () {
                  const value = yield* Timeout.moveOnAfter(5, { grace: 2 })(Timeout.shielded(sleep(100)))
                  yield* log(`left ${value._tag}`)
                  yield* sleep(10)
                  yield* log('the finalizer goes on')
                })
              )(Effect.never),
            { deadline: at(10) }
          ),
        { exit: 'ok(None)', log: ['left None@17', 'the finalizer goes on@27'] }
      )
    })

    it('an outer grace that ends later still ends the shield of a scope whose own grace is over', () => {
      expectAll(
        (log) =>
          CancelScope.open(
            () =>
              CancelScope.open(
                (inner) =>
                  gen(function* () {
                    yield* Effect.exit(Timeout.shielded(sleep(100)))
                    yield* log('cut by the inner grace')
                    yield* inner.setShield(true)
                    yield* Effect.exit(sleep(100))
                    yield* log('cut by the outer grace')
                    yield* sleep(1)
                    yield* log('not reached')
                  }),
                { grace: 2 }
              ),
            { deadline: at(10), grace: 10 }
          ),
        { exit: 'ok(None)', log: ['cut by the inner grace@12', 'cut by the outer grace@20'], took: 20 }
      )
    })

    it('a grace on a group cuts the clean-up of its tasks and of its body', () => {
      expectAll(
        () =>
          Timeout.moveOnAfter(10)(
            TaskGroup.open({ grace: 5 })((group) =>
              Effect.gen(function* () {
                yield* group.spawn(Effect.ensuring(sleep(100))(Effect.never), { name: 'a' })
                yield* Effect.ensuring(sleep(100))(Effect.never)
              })
            )
          ),
        { exit: 'Both(Die(CleanupOverran), Die(CleanupOverran))', took: 15 }
      )
      // Also when the group cancels itself.
      expectAll(
        () =>
          TaskGroup.open<string>({ grace: 5 })((group) =>
            Effect.gen(function* () {
              yield* group.spawn(Effect.ensuring(sleep(100))(Effect.never))
              yield* Effect.andThen(Effect.fail('body'))(sleep(1))
            })
          ),
        { exit: 'Both(Fail(body), Die(CleanupOverran))', took: 6 }
      )
    })

    it('a grace on the root of a run, as Main sets it, cuts its clean-up', () => {
      const clock = VirtualClock.make({ start: 0 })
      const scheduler = SeededScheduler.make(0)
      const runtime = Runtime.make({ clock, scheduler })
      let ended: Exit.Exit<never, unknown> | undefined
      const cancel = Runtime.runCallback(
        Effect.ensuring(sleep(100))(Effect.never),
        (exit) => {
          ended = exit
        },
        { runtime, grace: 5 }
      )
      while (scheduler.advance());
      cancel({ _tag: 'Shutdown', signal: 'SIGTERM' })
      while (scheduler.advance() || clock.advance());
      expect(clock.now()).to.equal(5)
      expect(show(ended!)).to.equal('Then(Cancelled, Die(CleanupOverran))')
      expect(cancellationsOf(ended!)[0]!.reason).to.deep.equal({ _tag: 'Shutdown', signal: 'SIGTERM' })
    })
  })

  it('CS-20 a timeout around a group in which everything waits gives one failure', () => {
    expectAll(
      () =>
        pipe(
          TaskGroup.open()((group) => Effect.andThen(sleep(100))(group.spawn(sleep(100)))),
          Timeout.failAfter(10, () => 'timeout')
        ),
      { exit: 'Fail(timeout)', took: 10 }
    )
  })

  it('a body that throws is a defect, and the scope is left', () => {
    expectAll(
      () =>
        Effect.exit(
          CancelScope.open((): Fx<void> => {
            throw new Error('body')
          })
        ),
      { exit: 'ok(Left(Die(Error: body)))' }
    )
  })

  it('virtual time is that of the run: nothing here slept', () => {
    expect(show(TestRuntime.runExit(Effect.andThen(elapsed)(sleep(1e12))))).to.equal('ok(1000000000000)')
  })
})
