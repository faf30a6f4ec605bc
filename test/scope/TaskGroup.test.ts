/**
 * Task groups: nothing outlives them, and nothing that goes wrong in them is lost.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  CancelScope,
  Cause,
  Concurrent,
  Effect,
  type Exit,
  FiberLocal,
  type Task,
  TaskGroup,
  Timeout
} from 'millrace'
import { TestRuntime } from 'millrace/testing'
import {
  cancellationsOf,
  defectOf,
  expectAll,
  type Fx,
  type Log,
  observe,
  observeAll,
  outcomes,
  show
} from '../support/seeds.js'

const { sleep, sync, gen } = Effect
type Started<S = void> = TaskGroup.Started<S>

/** Waits, then acts. */
const after = <R, E, A>(ms: number, fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
  Effect.andThen(fx)(sleep(ms))

describe('TaskGroup', () => {
  describe('the end of a group', () => {
    it('TG-01 a group ends after its body and all of its tasks', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const value = yield* TaskGroup.open()((group) =>
              gen(function* () {
                yield* group.spawn(after(10, log('a')))
                yield* group.spawn(after(20, log('b')))
                yield* log('body')
                return 'value'
              })
            )
            yield* log('ended')
            return value
          }),
        { exit: 'ok(value)', log: ['body@0', 'a@10', 'b@20', 'ended@20'] }
      )
    })

    it('TG-02 tasks may spawn into their group, also when its body has ended; all are awaited', () => {
      expectAll(
        (log) =>
          gen(function* () {
            yield* TaskGroup.open()((group) => {
              const chain = (n: number): Fx<void> =>
                gen(function* () {
                  yield* sleep(1)
                  yield* log(`task ${n}`)
                  if (n > 0) yield* group.spawn(chain(n - 1))
                })
              return group.spawn(chain(3))
            })
            yield* log('ended')
          }),
        { log: ['task 3@1', 'task 2@2', 'task 1@3', 'task 0@4', 'ended@4'] }
      )
    })

    it('TG-03 spawning into a group that has ended is a defect that teaches, and the work never runs', () => {
      const late = (end: (group: TaskGroup.TaskGroup<string>) => Fx<unknown, string>) =>
        observeAll((log) =>
          gen(function* () {
            let kept: TaskGroup.TaskGroup<string> | undefined
            yield* pipe(
              TaskGroup.open<string>({ name: 'workers' })((group) => {
                kept = group
                return end(group)
              }),
              Effect.either
            )
            const spawned = yield* Effect.exit(kept!.spawn(log('never')))
            const owned = yield* Effect.exit(kept!.spawnOwned(log('never')))
            const started = yield* Effect.exit(kept!.start(() => log('never')))
            return [spawned, owned, started].map(defectOf)
          })
        )
      for (const end of [() => Effect.unit, () => Effect.fail('no')]) {
        for (const { exit, log } of late(end)) {
          expect(log).to.deep.equal([])
          for (const message of exit._tag === 'Right' ? exit.right : ['']) {
            expect(message).to.match(
              /^TypeError: The task group "workers" has ended.*open the group around it/
            )
          }
        }
      }
    })

    it('TG-06 a task does not run inside of spawn, but on a later turn', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(log('task'))
              yield* log('spawned')
              yield* Effect.checkCancelled
              yield* log('still the same turn')
              yield* Effect.yieldNow
            })
          ),
        { log: ['spawned@0', 'still the same turn@0', 'task@0'] }
      )
    })

    it('TG-07 the function that makes the effect is called by the spawner; only the effect runs as the task', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) => {
            const make = (name: string) => {
              made.push(name)
              return log(`runs ${name}`)
            }
            const made: Array<string> = []
            return gen(function* () {
              yield* group.spawn(make('a'))
              yield* group.spawn(make('b'))
              return made
            })
          }),
        { exit: 'ok(["a","b"])', lines: ['runs a@0', 'runs b@0'] }
      )
    })

    it('TG-07 so it is for start: its function is called by the caller, each time that it runs', () => {
      expectAll(
        (log) =>
          TaskGroup.open<Task.TaskCancelled>()((group) => {
            let calls = 0
            return gen(function* () {
              const start = group.start((started: Started) => {
                calls++
                return Effect.andThen(log('task'))(started())
              })
              yield* log(`${calls} calls`)
              yield* Effect.andThen(sync(() => calls))(start)
              yield* log(`${calls} calls`)
              yield* start
              return calls
            })
          }),
        { exit: 'ok(2)', lines: ['0 calls@0', '1 calls@0', 'task@0', 'task@0'] }
      )
      // One that throws starts nothing.
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const exit = yield* Effect.exit(
                group.start((_: Started): Fx<void> => {
                  throw new Error('body')
                })
              )
              return [show(exit), (yield* group.tasks).length]
            })
          ),
        { exit: 'ok(["Die(Error: body)",0])' }
      )
    })

    it('TG-08 what is no effect is a defect at the spawn that names the group', () => {
      for (const wrong of [undefined, 42, () => Effect.unit, Promise.resolve(1)]) {
        const { exit } = observe((log) =>
          TaskGroup.open({ name: 'workers' })((group) =>
            pipe(group.spawn(wrong as never), Effect.andThen(log('not reached')))
          )
        )
        expect(defectOf(exit)).to.match(/^TypeError: The task group "workers" was given .* no Effect/)
      }
      expect(
        defectOf(observe(() => TaskGroup.open()((group) => group.start(() => null as never))).exit)
      ).to.match(/^TypeError: Expected an Effect, but got null/)
      // What is made by a function for `start` is found out in the task, and given to the caller.
      const { exit } = observe(() => TaskGroup.open()((group) => group.start(() => 42 as never)))
      expect(defectOf(exit)).to.match(/^TypeError: Expected an Effect, but got 42/)
    })

    it('G8 a group without a live task adds neither a yield nor a cancellation point', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((outer) =>
            gen(function* () {
              yield* outer.spawn(log('other'))
              yield* TaskGroup.open()(() => log('inner'))
              yield* log('after')
            })
          ),
        { log: ['inner@0', 'after@0', 'other@0'] }
      )
    })

    it('the name of a group is its own, or says that it is one', () => {
      expectAll(
        () =>
          TaskGroup.open({ name: 'crawl' })((a) => TaskGroup.open()((b) => Effect.succeed([a.name, b.name]))),
        { exit: 'ok(["crawl","group"])' }
      )
    })

    it('a body that throws is a defect like any other, and its tasks are awaited', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.onCancel(log('cancelled'))(Effect.never))
              yield* sleep(1)
              throw new Error('body')
            })
          ),
        { exit: 'Die(Error: body)', log: ['cancelled@1'] }
      )
    })
  })

  describe('failures', () => {
    it('TG-09 a task that fails cancels the waiting body, and the group ends with that failure', () => {
      expectAll(
        (log) =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(after(5, Effect.fail('task')))
              yield* Effect.onCancel(log('body cancelled'))(Effect.never)
              yield* log('not reached')
            })
          ),
        { exit: 'Fail(task)', log: ['body cancelled@5'] }
      )
    })

    it('TG-10 a body that fails cancels the tasks, and they are awaited', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              for (const name of ['a', 'b']) {
                yield* group.spawn(Effect.ensuring(after(7, log(`${name} cleaned`)))(Effect.never))
              }
              yield* sleep(1)
              return yield* Effect.fail('body')
            })
          ),
        { exit: 'Fail(body)', lines: ['a cleaned@8', 'b cleaned@8'], took: 8 }
      )
    })

    it('TG-11 a task that fails cancels its siblings before the group ends', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const exit = yield* Effect.exit(
              TaskGroup.open<string>()((group) =>
                gen(function* () {
                  yield* group.spawn(Effect.onCancel(log('sibling'))(Effect.never))
                  yield* group.spawn(after(5, Effect.fail('task')))
                })
              )
            )
            yield* log(`ended ${show(exit)}`)
          }),
        { log: ['sibling@5', 'ended Fail(task)@5'] }
      )
    })

    it('TG-12 one failure stays one failure; several are joined by Both, each once, in the order they came', () => {
      const failing =
        (...times: ReadonlyArray<number>) =>
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              for (const time of times)
                yield* group.spawn(Timeout.shielded(after(time, Effect.fail(`${time}`))))
              yield* Effect.never
            })
          )
      expectAll(failing(5), { exit: 'Fail(5)' })
      expectAll(failing(7, 5), { exit: 'Both(Fail(5), Fail(7))' })
      expectAll(failing(7, 5, 6), { exit: 'Both(Both(Fail(5), Fail(6)), Fail(7))' })
    })

    it('the body has no privilege in the order of the causes', () => {
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(after(5, Effect.fail('task')))
              yield* Timeout.shielded(sleep(10))
              return yield* Effect.fail('body')
            })
          ),
        { exit: 'Both(Fail(task), Fail(body))' }
      )
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(Timeout.shielded(after(5, Effect.fail('task'))))
              return yield* after(1, Effect.fail('body'))
            })
          ),
        { exit: 'Both(Fail(body), Fail(task))' }
      )
    })

    it('a defect of a task fails the group in the same way', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(after(5, Effect.die('bug')))
              yield* Effect.onCancel(log('body cancelled'))(Effect.never)
            })
          ),
        { exit: 'Die(bug)', log: ['body cancelled@5'] }
      )
    })

    it('a leaf is joined once when the body joins the task that fails', () => {
      expectAll(
        () =>
          TaskGroup.open<string | Task.TaskCancelled>()((group) =>
            gen(function* () {
              const task = yield* group.spawn(after(5, Effect.fail('task')))
              return yield* Timeout.shielded(task.join)
            })
          ),
        { exit: 'Fail(task)' }
      )
      // Failures that are equal, but two, stay two.
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(Timeout.shielded(after(5, Effect.fail('same'))))
              yield* group.spawn(Timeout.shielded(after(6, Effect.fail('same'))))
            })
          ),
        { exit: 'Both(Fail(same), Fail(same))' }
      )
    })

    it('a leaf that is mapped while it is raised again is a new one', () => {
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              const task = yield* group.spawn(after(5, Effect.fail('task')))
              return yield* pipe(
                Timeout.shielded(task.join),
                Effect.mapError(() => 'mapped')
              )
            })
          ),
        { exit: 'Both(Fail(task), Fail(mapped))' }
      )
    })

    it('what fails in the clean-up of what was cancelled joins', () => {
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.ensuring(Effect.fail('clean-up'))(Effect.never))
              yield* group.spawn(after(5, Effect.fail('task')))
              yield* Effect.ensuring(Effect.die('body clean-up'))(Effect.never)
            })
          ),
        {},
        1
      )
      expect(
        outcomes(() =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.ensuring(Effect.fail('clean-up'))(Effect.never))
              yield* group.spawn(after(5, Effect.fail('task')))
              yield* Effect.ensuring(Effect.die('body'))(Effect.never)
            })
          )
        )
      ).to.deep.equal([
        'Both(Both(Fail(task), Die(body)), Fail(clean-up))',
        'Both(Both(Fail(task), Fail(clean-up)), Die(body))'
      ])
    })

    it('a failure carries to the siblings as the reason SiblingFailed, with the task and its cause', () => {
      let seen: Cause.Cancelled | undefined
      observe(() =>
        TaskGroup.open<string>()((group) =>
          gen(function* () {
            yield* group.spawn(after(5, Effect.fail('no')), { name: 'culprit' })
            yield* Effect.onExit((exit: Exit.Exit<never, never>) =>
              sync(() => {
                seen = cancellationsOf(exit)[0]
              })
            )(Effect.never)
          })
        )
      )
      expect(seen?.by).to.deep.equal(O.some('culprit'))
      expect(seen?.reason).to.deep.equal({ _tag: 'SiblingFailed', task: 'culprit', cause: Cause.fail('no') })
    })

    it('TG-19 of a cause with cancellations of the group only the rest survives', () => {
      expectAll(
        () =>
          TaskGroup.openCancellable()((group) =>
            gen(function* () {
              yield* group.cancel()
              return yield* pipe(
                sleep(1),
                Effect.catchCause((cause) =>
                  Effect.failCause(Cause.SemigroupBoth<string>().concat(cause, Cause.fail('user')))
                )
              )
            })
          ),
        { exit: 'Fail(user)' }
      )
    })

    it('G9 a failure in an inner group reaches the outer one through the inner group only', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((outer) =>
            gen(function* () {
              yield* outer.spawn(Effect.onCancel(log('outer task'))(Effect.never))
              yield* TaskGroup.open<string>()((inner) =>
                gen(function* () {
                  yield* inner.spawn(after(5, Effect.fail('inner')))
                  yield* Effect.ensuring(after(10, log('inner body')))(Effect.never)
                })
              )
            })
          ),
        { exit: 'Fail(inner)', log: ['inner body@15', 'outer task@15'] }
      )
    })

    it('TG-46 a failure through three levels of groups stays one leaf, and several print in linear size', () => {
      const nested = (depth: number): Fx<void, string> =>
        TaskGroup.open<string>()((group) =>
          gen(function* () {
            yield* group.spawn(Timeout.shielded(after(depth, Effect.fail(`level ${depth}`))))
            if (depth < 100) yield* nested(depth + 1)
          })
        )
      expectAll(
        () =>
          TaskGroup.open<string>()((a) =>
            a.spawn(TaskGroup.open<string>()((b) => b.spawn(Effect.fail('x'))))
          ),
        { exit: 'Fail(x)' }
      )
      const { exit } = observe(() => nested(1))
      if (exit._tag === 'Right') throw new Error('it ought to fail')
      expect(Cause.failures(exit.left)).to.have.length(100)
      expect(Cause.pretty(exit.left).length).to.be.below(100 * 40)
    })
  })

  describe('cancellation', () => {
    it('TG-16 a group that is cancelled ends without an error', () => {
      expectAll(
        (log) =>
          gen(function* () {
            const value = yield* TaskGroup.openCancellable()((group) =>
              gen(function* () {
                yield* group.spawn(Effect.onCancel(log('task'))(Effect.never))
                yield* group.spawn(after(5, group.cancel()))
                yield* Effect.never
              })
            )
            yield* log(`ended ${value._tag}`)
          }),
        { exit: 'ok()', log: ['task@5', 'ended None@5'] }
      )
    })

    it('openCancellable keeps the value of a body that had one when the group was cancelled', () => {
      expectAll(
        (log) =>
          TaskGroup.openCancellable()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.onCancel(log('task'))(Effect.never))
              yield* group.spawn(after(5, group.cancel()))
              return 'value'
            })
          ),
        { exit: 'ok(Some(value))', log: ['task@5'] }
      )
    })

    it('the scope of a group says which cancellation it absorbed, whoever of body and tasks was cancelled', () => {
      const caught = (body: Fx<unknown>, task: Fx<unknown>) =>
        outcomes(() =>
          gen(function* () {
            let scope: CancelScope.CancelScope | undefined
            yield* TaskGroup.openCancellable()((group) =>
              gen(function* () {
                scope = group.scope
                yield* group.spawn(task)
                yield* group.spawn(after(5, group.cancel('stop')))
                yield* body
              })
            )
            const leaf = yield* scope!.cancelledCaught
            return O.isSome(leaf) ? leaf.value.reason : 'nothing'
          })
        )
      expect(caught(Effect.never, Effect.never)).to.deep.equal(['ok(Explicit)'])
      expect(caught(Effect.never, Effect.unit)).to.deep.equal(['ok(Explicit)'])
      expect(caught(Effect.unit, Effect.never)).to.deep.equal(['ok(Explicit)'])
      expect(caught(Effect.unit, Timeout.shielded(sleep(10)))).to.deep.equal(['ok(nothing)'])
    })

    it('TG-30 group.cancel is the cancel of its scope: reason and canceller are seen in body and tasks', () => {
      for (const by of ['group', 'scope'] as const) {
        const seen: Array<Cause.Cancelled> = []
        const note = Effect.onExit((exit: Exit.Exit<never, unknown>) =>
          sync(() => seen.push(...cancellationsOf(exit)))
        )
        const { shown } = observe(() =>
          TaskGroup.openCancellable({ name: 'pool' })((group) =>
            gen(function* () {
              yield* group.spawn(note(Effect.never))
              yield* group.spawn(
                after(5, by === 'group' ? group.cancel('enough') : group.scope.cancel('enough')),
                { name: 'boss' }
              )
              yield* note(Effect.never)
            })
          )
        )
        expect(shown).to.equal('ok(None)')
        expect(seen).to.have.length(2)
        for (const leaf of seen) {
          expect(leaf).to.deep.equal({
            _tag: 'Cancelled',
            scope: 'pool',
            reason: { _tag: 'Explicit', value: 'enough' },
            by: O.some('boss'),
            because: O.none
          })
        }
      }
    })

    it('TG-20 a task whose group is cancelled right after the spawn still runs up to its first checkpoint', () => {
      expectAll(
        (log) =>
          TaskGroup.openCancellable()((group) =>
            gen(function* () {
              yield* group.spawn(
                gen(function* () {
                  yield* log('begins')
                  yield* log('and goes on')
                  yield* sleep(1)
                  yield* log('not reached')
                })
              )
              yield* group.cancel()
            })
          ),
        { exit: 'ok(Some())', log: ['begins@0', 'and goes on@0'] }
      )
    })

    it('tasks that are spawned after the cancellation begin, and are subject to it at once', () => {
      expectAll(
        (log) =>
          TaskGroup.openCancellable()((group) =>
            gen(function* () {
              yield* group.cancel()
              const task = yield* group.spawn(
                Effect.andThen(Effect.andThen(log('not reached'))(sleep(1)))(log('begins'))
              )
              return yield* Timeout.shielded(task.wait)
            })
          ),
        { exit: 'ok(Some(Left(Cancelled)))', log: ['begins@0'] }
      )
    })

    it('TG-23 a group that only waits for its tasks when it is cancelled cancels them and goes on waiting', () => {
      expectAll(
        (log) =>
          TaskGroup.openCancellable()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.ensuring(after(10, log('cleaned')))(Effect.never))
              yield* group.spawn(after(5, group.cancel()))
              return 1
            })
          ),
        { exit: 'ok(Some(1))', log: ['cleaned@15'], took: 15 }
      )
    })

    it('TG-25 the cancellation of an outer group reaches every level, and code after inner groups is not run', () => {
      expectAll(
        (log) =>
          TaskGroup.openCancellable()((outer) =>
            gen(function* () {
              yield* outer.spawn(
                gen(function* () {
                  yield* TaskGroup.open()((inner) =>
                    inner.spawn(
                      gen(function* () {
                        yield* TaskGroup.open()((innermost) =>
                          innermost.spawn(Effect.onCancel(log('grandchild'))(Effect.never))
                        )
                        yield* log('not reached')
                      })
                    )
                  )
                  yield* log('not reached')
                })
              )
              yield* after(5, outer.cancel())
            })
          ),
        { exit: 'ok(Some())', log: ['grandchild@5'] }
      )
    })

    it('TG-26 a task that has finished when the group is cancelled in the same turn changes nothing', () => {
      expectAll(
        () =>
          TaskGroup.openCancellable()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.succeed(1))
              yield* Effect.yieldNow
              yield* group.cancel()
              return 2
            })
          ),
        { exit: 'ok(Some(2))' }
      )
      expectAll(
        () =>
          TaskGroup.openCancellable()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.andThen(group.cancel())(Effect.unit))
              return 2
            })
          ),
        { exit: 'ok(Some(2))' }
      )
    })

    it('TG-27 two groups one after the other, each cancelled by a task, do not affect each other', () => {
      expectAll(
        (log) =>
          gen(function* () {
            for (const name of ['first', 'second']) {
              const value = yield* TaskGroup.openCancellable()((group) =>
                gen(function* () {
                  yield* group.spawn(after(5, group.cancel()))
                  yield* Effect.never
                })
              )
              yield* log(`${name} ${value._tag}`)
            }
            yield* sleep(1)
            yield* log('not cancelled')
          }),
        { log: ['first None@5', 'second None@10', 'not cancelled@11'] }
      )
    })

    it('TG-44 whoever holds the group can cancel it, and all tasks of it are, whoever spawned them', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((outer) =>
            TaskGroup.openCancellable()((group) =>
              gen(function* () {
                yield* group.spawn(Effect.onCancel(log('of the host'))(Effect.never))
                yield* outer.spawn(
                  gen(function* () {
                    yield* group.spawn(Effect.onCancel(log('of another task'))(Effect.never))
                    yield* sleep(5)
                    yield* group.cancel()
                    yield* sleep(1)
                    yield* log('the other task goes on')
                  })
                )
                yield* Effect.never
              })
            )
          ),
        {
          exit: 'ok(None)',
          lines: ['of the host@5', 'of another task@5', 'the other task goes on@6']
        }
      )
    })

    it('cancelAll cancels the tasks, later ones too, and not the body, so the value is there', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.onCancel(log('first'))(Effect.never))
              yield* sleep(1)
              yield* group.cancelAll('stop')
              yield* group.spawn(Effect.onCancel(log('second'))(Effect.never))
              yield* sleep(5)
              yield* log('body')
              return 'value'
            })
          ),
        { exit: 'ok(value)', lines: ['first@1', 'second@1', 'body@6'] }
      )
      const { exit } = observe(() =>
        TaskGroup.open({ name: 'pool' })((group) =>
          gen(function* () {
            const task = yield* group.spawn(Effect.never)
            yield* sleep(1)
            yield* group.cancelAll('stop')
            return yield* Effect.exit(task.wait)
          })
        )
      )
      expect(exit).to.have.nested.property('right.right.left.reason.value', 'stop')
      expect(exit).to.have.nested.property('right.right.left.scope', 'pool')
    })

    it('a task that was cancelled by cancelAll does not end the group as cancelled when outside is, later', () => {
      expectAll(
        () =>
          CancelScope.open((outer) =>
            TaskGroup.open()((group) =>
              gen(function* () {
                const task = yield* group.spawn(Effect.never)
                yield* sleep(1)
                yield* group.cancelAll()
                yield* task.wait
                yield* outer.cancel()
                return 'kept'
              })
            )
          ),
        { exit: 'ok(Some(kept))' }
      )
    })

    it('cut short from outside: the group ends as cancelled, also when its body had finished', () => {
      for (const body of [Effect.never, Effect.succeed('value')]) {
        const runs = observeAll((log) =>
          pipe(
            TaskGroup.open()((group) =>
              gen(function* () {
                yield* group.spawn(Effect.onCancel(log('a'))(Effect.never))
                yield* group.spawn(Effect.onCancel(log('b'))(Effect.never))
                return yield* body
              })
            ),
            Effect.onExit((exit) => log(`${show(exit)} of ${cancellationsOf(exit).length}`)),
            Timeout.moveOnAfter(5)
          )
        )
        for (const { shown, log } of runs) {
          expect(shown).to.equal('ok(None)')
          expect([...log].sort()).to.deep.equal(['Cancelled of 1@5', 'a@5', 'b@5'])
        }
      }
    })

    it('a group whose body and tasks all end with values keeps its value in a cancelled scope', () => {
      expectAll(
        () =>
          CancelScope.open((outer) =>
            TaskGroup.open()((group) =>
              gen(function* () {
                yield* group.spawn(Timeout.shielded(sleep(10)))
                yield* Effect.yieldNow
                yield* outer.cancel()
                return 'value'
              })
            )
          ),
        { exit: 'ok(Some(value))', took: 10 }
      )
    })

    it('exactly one Cancelled leaves a group, beside what went wrong', () => {
      const runs = observeAll(() =>
        CancelScope.open((outer) =>
          pipe(
            TaskGroup.open<string>()((group) =>
              gen(function* () {
                for (let i = 0; i < 3; i++) yield* group.spawn(Effect.never)
                yield* group.spawn(Effect.ensuring(Effect.fail('clean-up'))(Effect.never))
                yield* after(5, outer.cancel())
                yield* Effect.never
              })
            ),
            Effect.exit
          )
        )
      )
      for (const { exit } of runs) {
        if (exit._tag === 'Left' || O.isNone(exit.right)) throw new Error('unexpected')
        const inner = exit.right.value
        expect(cancellationsOf(inner)).to.have.length(1)
        expect(inner._tag === 'Left' && Cause.failures(inner.left)).to.deep.equal(['clean-up'])
      }
    })

    it('the wait at the end of a group is not cancelled itself: tasks that shield themselves are awaited', () => {
      expectAll(
        (log) =>
          gen(function* () {
            yield* pipe(
              TaskGroup.open()((group) => group.spawn(Timeout.shielded(after(50, log('shielded task'))))),
              Timeout.moveOnAfter(5)
            )
            yield* log('ended')
          }),
        { log: ['shielded task@50', 'ended@50'] }
      )
    })

    it('G6 a shield or a scope inside of the body does not hold for the tasks spawned in it', () => {
      expectAll(
        (log) =>
          pipe(
            TaskGroup.open()((group) =>
              Timeout.shielded(
                gen(function* () {
                  yield* group.spawn(Effect.onCancel(log('task'))(Effect.never))
                  yield* sleep(10)
                  yield* log('body')
                })
              )
            ),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: ['task@5', 'body@10'] }
      )
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* Timeout.moveOnAfter(5)(
                gen(function* () {
                  yield* group.spawn(after(10, log('task')))
                  yield* Effect.never
                })
              )
              yield* log('left')
            })
          ),
        { log: ['left@5', 'task@10'] }
      )
    })

    it('a shield around the group protects its tasks', () => {
      expectAll(
        (log) =>
          pipe(
            TaskGroup.open()((group) => group.spawn(after(10, log('task')))),
            Timeout.shielded,
            Effect.andThen(Effect.checkCancelled),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: ['task@10'] }
      )
    })

    it('spawning from a task that is in a finalizer does not shield what is spawned', () => {
      expectAll(
        (log) =>
          pipe(
            TaskGroup.open()((group) =>
              Effect.ensuring(group.spawn(Effect.andThen(log('not reached'))(sleep(1))))(Effect.never)
            ),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: [], took: 5 }
      )
    })

    it('a cancellation that the body observed and raises again, behind a shield, cancels the tasks too', () => {
      expectAll(
        (log) =>
          CancelScope.open((outer) =>
            gen(function* () {
              yield* outer.cancel()
              const exit = yield* Effect.exit(Effect.checkpoint)
              yield* Timeout.shielded(
                TaskGroup.open()((group) =>
                  gen(function* () {
                    yield* group.spawn(Effect.onCancel(log('task'))(Effect.never))
                    yield* sleep(5)
                    yield* Effect.fromExit(exit)
                  })
                )
              )
            })
          ),
        { exit: 'ok(None)', log: ['task@5'] }
      )
    })
  })

  describe('owned tasks', () => {
    const owned = (look: (task: Task.Task<string, never>) => Fx<unknown, unknown>) => () =>
      TaskGroup.open()((group) =>
        gen(function* () {
          const task = yield* group.spawnOwned(after(5, Effect.fail('no')), { name: 'owned' })
          yield* Effect.either(look(task))
          yield* sleep(10)
          return 'value'
        })
      )

    it('a failure belongs to whoever looks at it: by wait, join or poll', () => {
      expectAll(
        owned((task) => task.wait),
        { exit: 'ok(value)' }
      )
      expectAll(
        owned((task) => task.join),
        { exit: 'ok(value)' }
      )
      expectAll(
        owned((task) => Effect.andThen(task.poll)(sleep(7))),
        { exit: 'ok(value)' }
      )
    })

    it('one at which nobody looked is a defect of the group, judged at the end, and cancels nobody', () => {
      expectAll(
        owned(() => Effect.unit),
        { exit: 'Die(UnjoinedFailure)', took: 10 }
      )
      // A poll that came too early saw nothing.
      expectAll(
        owned((task) => task.poll),
        { exit: 'Die(UnjoinedFailure)', took: 10 }
      )
      // A join that was cancelled before the end saw nothing.
      expectAll(
        owned((task) => Timeout.moveOnAfter(2)(task.join)),
        { exit: 'Die(UnjoinedFailure)' }
      )
      expect(observe(owned(() => Effect.unit)).exit).to.have.deep.nested.property('left.defect', {
        _tag: 'UnjoinedFailure',
        task: 'owned',
        cause: Cause.fail('no')
      })
    })

    it('a look that comes after the failure, from another task, after the body, counts', () => {
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawnOwned(after(5, Effect.fail('no')))
              yield* group.spawn(after(20, task.wait))
              return 'value'
            })
          ),
        { exit: 'ok(value)', took: 20 }
      )
    })

    it('the value of an owned task that succeeds, and its cancellation, need no look', () => {
      expectAll(() => TaskGroup.open()((group) => group.spawnOwned(Effect.succeed(1))), {})
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawnOwned(Effect.never)
              yield* task.cancel()
              return 'value'
            })
          ),
        { exit: 'ok(value)' }
      )
    })

    it('a defect of an owned task fails the group at once, looked at or not', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawnOwned(after(5, Effect.die('bug')))
              yield* group.spawn(Effect.asUnit(Effect.exit(task.wait)))
              yield* Effect.onCancel(log('body'))(Effect.never)
            })
          ),
        { exit: 'Die(bug)', log: ['body@5'] }
      )
    })
  })

  describe('services', () => {
    it('a service is cancelled when the body and all other tasks have ended', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.ensuring(after(2, log('service')))(Effect.never), { service: true })
              yield* group.spawn(after(10, log('task')))
              yield* after(5, log('body'))
              return 'value'
            })
          ),
        { exit: 'ok(value)', log: ['body@5', 'task@10', 'service@12'] }
      )
    })

    it('several services go together, and one that ends by itself is no matter', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.onCancel(log('a'))(Effect.never), { service: true })
              yield* group.spawn(Effect.onCancel(log('b'))(Effect.never), { service: true })
              yield* group.spawn(after(1, log('c')), { service: true })
              yield* sleep(5)
            })
          ),
        { lines: ['a@5', 'b@5', 'c@1'] }
      )
    })

    it('what a service spawns while the group is open keeps it open', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            group.spawn(
              gen(function* () {
                yield* group.spawn(after(10, log('task')))
                yield* Effect.onCancel(log('service'))(Effect.never)
              }),
              { service: true }
            )
          ),
        {}
      )
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(
                gen(function* () {
                  yield* group.spawn(after(10, log('task')))
                  yield* Effect.onCancel(log('service'))(Effect.never)
                }),
                { service: true }
              )
              yield* sleep(1)
            })
          ),
        { log: ['task@10', 'service@10'] }
      )
    })

    it('a service that fails fails the group, also in its clean-up at the end', () => {
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(after(5, Effect.fail('service')), { service: true })
              yield* Effect.never
            })
          ),
        { exit: 'Fail(service)', took: 5 }
      )
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            group.spawn(Effect.ensuring(Effect.fail('clean-up'))(Effect.never), { service: true })
          ),
        {}
      )
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.ensuring(Effect.fail('clean-up'))(Effect.never), { service: true })
              yield* sleep(1)
            })
          ),
        { exit: 'Fail(clean-up)' }
      )
    })

    it('a service that was started is cancelled at the end, and keeps its start value', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const service = yield* group.start(
                (started: Started<number>) =>
                  pipe(started(80), Effect.andThen(Effect.onCancel(log('closed'))(Effect.never))),
                { service: true }
              )
              yield* sleep(5)
              return service.startValue
            })
          ),
        { exit: 'ok(80)', log: ['closed@5'] }
      )
    })
  })

  describe('start', () => {
    it('TG-31 start returns what the task was ready with, and the task goes on', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.start((started: Started<string>) =>
                gen(function* () {
                  yield* sleep(5)
                  yield* started('ready')
                  yield* sleep(5)
                  yield* log('task')
                  return 'result'
                })
              )
              yield* log(`started ${task.startValue}`)
              return yield* task.join
            })
          ),
        { exit: 'ok(result)', log: ['started ready@5', 'task@10'] }
      )
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.start((started) => Effect.andThen(sleep(5))(started()))
              return String(task.startValue)
            })
          ),
        { exit: 'ok(undefined)' }
      )
    })

    it('TG-32 a failure before that is given to the caller as it is, and spares the group', () => {
      expectAll(
        (log) =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              yield* group.spawn(after(20, log('sibling')))
              const exit = yield* Effect.exit(
                group.start((_started: Started<number>) => after(5, Effect.fail('no')))
              )
              yield* log(show(exit))
              return 'value'
            })
          ),
        { exit: 'ok(value)', log: ['Fail(no)@5', 'sibling@20'] }
      )
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            pipe(
              group.start((_: Started) => after(5, Effect.die('bug'))),
              Effect.exit,
              Effect.map(show)
            )
          ),
        { exit: 'ok(Die(bug))' }
      )
    })

    it('a failure right after it is ready fails the group, and start still returns', () => {
      expectAll(
        (log) =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              const task = yield* group.start((started: Started<number>) =>
                Effect.andThen(Effect.fail('after'))(started(7))
              )
              yield* log(`started ${task.startValue}`)
              yield* Effect.never
            })
          ),
        { exit: 'Fail(after)', log: ['started 7@0'] }
      )
    })

    it('TG-34 ending without being ready is a defect that teaches', () => {
      const { exit } = observe(() =>
        TaskGroup.open()((group) => group.start((_: Started) => sleep(5), { name: 'server' }))
      )
      expect(defectOf(exit)).to.match(/^TypeError: The task "server" ended without having started.*`spawn`/)
    })

    it('TG-35 being ready twice is a defect in the task; the first value stands', () => {
      for (const { exit, log } of observeAll((note) =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const task = yield* group.start((started: Started<number>) =>
              Effect.andThen(started(2))(started(1))
            )
            yield* note(`started ${task.startValue}`)
            yield* Effect.never
          })
        )
      )) {
        expect(log).to.deep.equal(['started 1@0'])
        expect(defectOf(exit)).to.match(/^TypeError: A task said twice that it has started/)
      }
    })

    it('a task that was cancelled before it was ready is TaskCancelled for the caller', () => {
      const { exit } = observe(() =>
        TaskGroup.open()((group) =>
          gen(function* () {
            yield* group.spawn(after(5, group.cancelAll('stop')))
            return yield* Effect.either(group.start((_: Started) => Effect.never, { name: 'server' }))
          })
        )
      )
      expect(exit).to.have.deep.nested.property('right.left', {
        _tag: 'TaskCancelled',
        task: 'server',
        reason: { _tag: 'Explicit', value: 'stop' }
      })
    })

    it('a task can be cancelled by itself while it is not ready: its scope is its own', () => {
      expectAll(
        (log) =>
          TaskGroup.open<Task.TaskCancelled>()((group) =>
            gen(function* () {
              yield* group.spawn(after(10, log('sibling')))
              yield* group.spawn(
                gen(function* () {
                  yield* sleep(5)
                  for (const task of yield* group.tasks) if (task.name === 'server') yield* task.cancel('why')
                })
              )
              const started = yield* Effect.either(
                group.start((_: Started) => Effect.never, { name: 'server' })
              )
              return started._tag === 'Left' ? started.left.reason : 'started'
            })
          ),
        { exit: 'ok(Explicit)', log: ['sibling@10'] }
      )
    })

    it('cancelling the waiting caller cancels the task and awaits its end, and spares the group', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(after(20, log('sibling')))
              const value = yield* Timeout.moveOnAfter(5)(
                group.start((_: Started) => Effect.ensuring(after(5, log('task cleaned')))(Effect.never))
              )
              yield* log(`caller ${value._tag}`)
            })
          ),
        { exit: 'ok()', log: ['task cleaned@10', 'caller None@10', 'sibling@20'] }
      )
    })

    it('what such a task fails with in its clean-up belongs to the caller', () => {
      expectAll(
        (log) =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              const exit = yield* Effect.exit(
                Timeout.moveOnAfter(5)(
                  group.start((_: Started) => Effect.ensuring(Effect.fail('clean-up'))(Effect.never))
                )
              )
              yield* log(show(exit))
              yield* sleep(5)
              return 'value'
            })
          ),
        { exit: 'ok(value)', log: ['Fail(clean-up)@5'] }
      )
    })

    it('a task that becomes ready only after its caller was cancelled is not kept', () => {
      // Whichever of the two runs first.
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const value = yield* Timeout.moveOnAfter(5)(
                group.start((started: Started) =>
                  gen(function* () {
                    yield* Effect.exit(sleep(5))
                    yield* started()
                    yield* Effect.never
                  })
                )
              )
              return value._tag
            })
          ),
        { exit: 'ok(None)', took: 5 },
        40
      )
    })

    it('being ready too late does not make it a task of the group: its failure is the caller’s alone', () => {
      expectAll(
        (log) =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              const exit = yield* pipe(
                group.start((started: Started) =>
                  gen(function* () {
                    yield* Effect.exit(sleep(5))
                    yield* started()
                    return yield* Effect.fail('late')
                  })
                ),
                Timeout.moveOnAfter(5),
                Effect.exit
              )
              yield* log(show(exit))
              yield* sleep(5)
              return 'spared'
            })
          ),
        { exit: 'ok(spared)', log: ['Fail(late)@5'] },
        40
      )
    })

    it('cancelling in the same instant in which the task is ready: started and running, or neither', () => {
      const seen = outcomes(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              let alive = false
              const value = yield* CancelScope.open((scope) =>
                gen(function* () {
                  yield* group.spawn(Effect.andThen(sync(() => scope.cancelUnsafe()))(Effect.yieldNow))
                  return yield* group.start((started: Started) =>
                    gen(function* () {
                      yield* Effect.yieldNow
                      yield* started()
                      alive = true
                      yield* Effect.ensuring(
                        sync(() => {
                          alive = false
                        })
                      )(sleep(100))
                    })
                  )
                })
              )
              yield* sleep(1)
              const result = `${value._tag} ${alive ? 'alive' : 'gone'}`
              yield* group.cancelAll()
              return result
            })
          ),
        200
      )
      expect(seen).to.deep.equal(['ok(None gone)', 'ok(Some alive)'])
    })

    it('a failure before being ready is not lost when the caller is cancelled in the same instant', () => {
      const seen = outcomes(
        () =>
          TaskGroup.open<string>()((group) =>
            CancelScope.open((scope) =>
              gen(function* () {
                yield* group.spawn(Effect.andThen(sync(() => scope.cancelUnsafe()))(Effect.yieldNow))
                return yield* group.start((_: Started) => Effect.andThen(Effect.fail('no'))(Effect.yieldNow))
              })
            )
          ),
        200
      )
      expect(seen).to.deep.equal(['Fail(no)'])
    })

    it('a caller whose grace ends while it waits for the end of the task: the failure goes to the group', () => {
      expectAll(
        (log) =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              const exit = yield* pipe(
                group.start((_: Started) =>
                  Effect.ensuring(after(50, Effect.fail('clean-up')))(Effect.never)
                ),
                Timeout.moveOnAfter(5, { grace: 1 }),
                Effect.exit
              )
              yield* log(show(exit))
              yield* Effect.never
            })
          ),
        { exit: 'Fail(clean-up)', log: ['Die(CleanupOverran)@6'], took: 55 }
      )
    })

    it('the task begins also when the caller is cancelled already', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            CancelScope.open((scope) =>
              gen(function* () {
                yield* scope.cancel()
                yield* group.start((started: Started) =>
                  gen(function* () {
                    yield* log('begins')
                    yield* sleep(1)
                    yield* log('not reached')
                    yield* started()
                  })
                )
                yield* log('not reached')
              })
            )
          ),
        { exit: 'ok(None)', log: ['begins@0'] }
      )
    })

    it('the cancellation of a task says that it was because of its caller', () => {
      let seen: Cause.Cancelled | undefined
      observe(() =>
        TaskGroup.open()((group) =>
          Timeout.moveOnAfter(5, { name: 'dial' })(
            group.start((_: Started) =>
              Effect.onExit((exit: Exit.Exit<never, never>) =>
                sync(() => {
                  seen = cancellationsOf(exit)[0]
                })
              )(Effect.never)
            )
          )
        )
      )
      expect(seen?.reason).to.have.property('_tag', 'Deadline')
      expect(seen?.because).to.have.nested.property('value.scope', 'dial')
    })

    it('TG-41 a task for start that is run directly takes a started that does nothing', () => {
      expectAll(
        (log) =>
          pipe(
            (started: Started<number>) => Effect.andThen(log('ran'))(started(1)),
            (task) => Effect.andThen(task(TaskGroup.ignoreStarted))(task(TaskGroup.ignoreStarted))
          ),
        { exit: 'ok()', log: ['ran@0', 'ran@0'] }
      )
    })

    it('a body of start that throws fails the caller as a defect', () => {
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            pipe(
              group.start((_: Started): Fx<void> => {
                throw new Error('body')
              }),
              Effect.exit,
              Effect.map(show)
            )
          ),
        { exit: 'ok(Die(Error: body))' }
      )
    })
  })

  describe('what a task inherits', () => {
    it('TG-42 the fiber-locals of its spawner, as they are at the spawn; later changes do not leak', () => {
      const local = FiberLocal.make('initial')
      const read = (log: Log, who: string) => Effect.flatMap((v: string) => log(`${who} ${v}`))(local.get)
      expectAll(
        (log) =>
          local.locally('host')(
            TaskGroup.open()((group) =>
              gen(function* () {
                yield* group.spawn(
                  gen(function* () {
                    yield* local.set('spawner')
                    yield* group.spawn(after(2, read(log, 'of a task')))
                    yield* Effect.exit(
                      group.start((started) => after(3, Effect.andThen(read(log, 'started'))(started())))
                    )
                    yield* local.set('changed later')
                    yield* sleep(5)
                    yield* read(log, 'spawner')
                  })
                )
                yield* sleep(1)
                yield* read(log, 'host')
              })
            )
          ),
        {
          log: ['host host@1', 'of a task spawner@2', 'started spawner@3', 'spawner changed later@8']
        }
      )
    })

    it('TG-43 other fiber-locals are given by wrapping the effect', () => {
      const local = FiberLocal.make('initial')
      expectAll(
        () =>
          local.locally('host')(
            TaskGroup.open()((group) =>
              gen(function* () {
                const task = yield* group.spawn(local.locally('given')(local.get))
                return [yield* Effect.flatMap(() => local.get)(Effect.unit), yield* Effect.orDie(task.join)]
              })
            )
          ),
        { exit: 'ok(["host","given"])' }
      )
    })

    it('the environment of its spawner', () => {
      interface HasName {
        readonly name: string
      }
      const name = Effect.asks((env: HasName) => env.name)
      const program = TaskGroup.open()((group) =>
        gen(function* () {
          const outer = yield* group.spawn(name)
          const inner = yield* Effect.provide({ name: 'inner' })(group.spawn(name))
          return [yield* outer.wait, yield* inner.wait].map((exit) => show(exit))
        })
      )
      expectAll(() => Effect.provide({ name: 'outer' })(program), { exit: 'ok(["ok(outer)","ok(inner)"])' })
    })
  })

  it('G12 tasks lists those that have not ended, in the order in which they were started', () => {
    expectAll(
      (log) =>
        TaskGroup.open()((group) => {
          const list = Effect.flatMap((tasks: ReadonlyArray<Task.Task<unknown, unknown>>) =>
            log(tasks.map((task) => task.name).join(' '))
          )(group.tasks)
          return gen(function* () {
            yield* list
            for (const [name, ms] of [
              ['a', 10],
              ['b', 5],
              ['c', 20]
            ] as const) {
              yield* group.spawn(
                CancelScope.open(() => sleep(ms)),
                { name }
              )
            }
            yield* TaskGroup.open()((other) => other.spawn(Effect.unit, { name: 'not mine' }))
            yield* list
            yield* after(7, list)
            yield* after(7, list)
            yield* after(7, list)
          })
        }),
      { log: ['@0', 'a b c@0', 'a c@7', 'c@14', '@21'] }
    )
  })

  it('G1 100 random groups: whatever happens, each task that began has ended when its group has', () => {
    for (let seed = 0; seed < 100; seed++) {
      let random = seed + 1
      const next = (below: number): number => {
        random = (random * 1103515245 + 12345) % 2147483648
        return random % below
      }
      let began = 0
      let ended = 0
      const task = (depth: number): Fx<unknown, string> =>
        Effect.bracket(
          sync(() => began++),
          () => {
            const [a, b] = [next(5), next(5)]
            switch (next(depth > 0 ? 8 : 5)) {
              case 0:
                return sleep(a)
              case 1:
                return after(a, Effect.fail('f'))
              case 2:
                return after(a, Effect.die('d'))
              case 3:
                return Timeout.moveOnAfter(a)(sleep(b))
              case 4:
                return Timeout.shielded(sleep(a))
              case 5:
                return Concurrent.race(task(depth - 1))(task(depth - 1))
              default:
                return group(depth - 1)
            }
          },
          () => Effect.andThen(sync(() => ended++))(sleep(next(3)))
        )
      const group = (depth: number): Fx<unknown, string> =>
        Effect.suspend(() => {
          const before = { began, ended }
          return pipe(
            TaskGroup.openCancellable<string>()((g) =>
              gen(function* () {
                for (let i = next(4); i >= 0; i--) yield* g.spawn(task(depth))
                if (next(4) === 0) yield* g.spawn(after(next(4), g.cancel()))
                yield* sleep(next(4))
                if (next(4) === 0) yield* g.cancelAll()
              })
            ),
            Effect.onExit(() =>
              sync(() => {
                // Only the outermost group can know, since others run beside it.
                if (depth === 3) expect(began - before.began).to.equal(ended - before.ended)
              })
            )
          )
        })
      const exit = TestRuntime.runExit(group(3), { seed })
      expect(show(exit)).not.to.match(/Assertion/)
      expect(began).to.equal(ended)
    }
  })

  it('a failure and a cancellation stay in the order in which they came, from the body as from tasks', () => {
    const failing = Concurrent.both(Effect.fail('e'))(Effect.checkpoint)
    const exitOf = (fx: Fx<unknown, unknown>): string => {
      let seen = ''
      const watched = Effect.onExit((exit: Exit.Exit<unknown, unknown>) =>
        sync(() => {
          seen = show(exit)
        })
      )(fx)
      TestRuntime.runExit(CancelScope.open((scope) => Effect.andThen(watched)(scope.cancel())))
      return seen
    }
    // The failure of the body was there before its cancellation.
    expect(exitOf(TaskGroup.open()(() => failing))).to.equal(exitOf(failing))
    // The body is cancelled first, and then the task fails.
    const late = TaskGroup.open<string>()((group) => Effect.andThen(sleep(1))(group.spawn(failing)))
    expect(exitOf(late)).to.match(/^Then\(Cancelled, /)
  })
})
