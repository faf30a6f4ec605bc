/**
 * Handles of tasks: what they give, when, and what cancelling one does.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Cause, Concurrent, Effect, type Task, TaskGroup, Timeout } from 'millrace'
import { defectOf, expectAll, type Fx, observe, observeAll, outcomes, show } from '../support/seeds.js'

const { sleep, sync, gen } = Effect
type Started<S = void> = TaskGroup.Started<S>

const after = <R, E, A>(ms: number, fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
  Effect.andThen(fx)(sleep(ms))

const print = (thing: unknown): string => String(thing)

/** A task of a group, and what one does with it in the body. Its failure belongs to whoever looks. */
const withTask = <E, A, B>(
  fx: Fx<A, E>,
  use: (task: Task.Task<E, A>) => Fx<B, unknown>,
  options?: TaskGroup.SpawnOptions
): Fx<B, unknown> => TaskGroup.open()((group) => Effect.flatMap(use)(group.spawnOwned(fx, options)))

describe('Task', () => {
  describe('outcomes', () => {
    it('TH-01 every way to spawn gives a handle whose value can be awaited before the group ends', () => {
      expectAll(
        () =>
          TaskGroup.open<Task.TaskCancelled>()((group) =>
            gen(function* () {
              const spawned = yield* group.spawn(after(5, Effect.succeed(1)))
              const owned = yield* group.spawnOwned(after(10, Effect.succeed(2)))
              const started = yield* group.start((ready) => Effect.andThen(Effect.succeed(3))(ready()))
              return [yield* spawned.join, yield* owned.join, yield* started.join]
            })
          ),
        { exit: 'ok([1,2,3])', took: 10 }
      )
    })

    it('TH-02 poll gives nothing before the end and the exit after it, also when the group has ended', () => {
      expectAll(
        () =>
          gen(function* () {
            let task: Task.Task<never, number> | undefined
            const early = yield* TaskGroup.open()((group) =>
              gen(function* () {
                task = yield* group.spawn(after(5, Effect.succeed(1)))
                return yield* task.poll
              })
            )
            const late = yield* task!.poll
            return [early._tag, O.isSome(late) ? show(late.value) : 'None', yield* Effect.orDie(task!.join)]
          }),
        { exit: 'ok(["None","ok(1)",1])' }
      )
    })

    it('poll is no checkpoint', () => {
      expectAll(
        () =>
          withTask(Effect.succeed(1), (task) =>
            CancelScope.open((scope) =>
              gen(function* () {
                yield* sleep(1)
                yield* scope.cancel()
                return (yield* task.poll)._tag
              })
            )
          ),
        { exit: 'ok(Some(Some))' }
      )
    })

    it('TH-03 joining a task that failed raises its failure; the group still reports the same one', () => {
      expectAll(
        (log) =>
          TaskGroup.open<string | Task.TaskCancelled>()((group) =>
            gen(function* () {
              const task = yield* group.spawn(after(5, Effect.fail('no')))
              yield* pipe(
                Timeout.shielded(task.join),
                Effect.tapError((e) => log(`joined ${JSON.stringify(e)}`))
              )
            })
          ),
        { exit: 'Fail(no)', log: ['joined "no"@5'] }
      )
    })

    it('TH-04 the exit says how it ended: not yet, value, the original failure, defect, cancellation', () => {
      const original = new Error('original')
      const polled = <E, A>(fx: Fx<A, E>) =>
        observe(() => withTask(fx, (task) => Effect.andThen(task.poll)(task.wait))).exit
      expect(polled(Effect.succeed(7))).to.have.nested.property('right.value.right', 7)
      expect(polled(Effect.fail(original))).to.have.nested.property('right.value.left.error', original)
      expect(polled(Effect.andThen(Effect.fail(original))(sleep(1)))).to.have.nested.property(
        'right.value.left.error',
        original
      )
      expect(
        observe(() =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(Effect.never)
              yield* task.cancel('why')
              return [yield* task.poll, yield* task.wait] as const
            })
          )
        ).exit
      )
        .to.have.nested.property('right[1].left.reason.value', 'why')
        .and.to.equal('why')
    })

    it('TH-09 joining a cancelled task fails with TaskCancelled, which names the task and the reason', () => {
      const { exit } = observe(() =>
        withTask(
          Effect.never,
          (task) =>
            gen(function* () {
              yield* task.cancel('enough')
              return yield* Effect.either(task.join)
            }),
          { name: 'poller' }
        )
      )
      expect(exit).to.have.deep.nested.property('right.left', {
        _tag: 'TaskCancelled',
        task: 'poller',
        reason: { _tag: 'Explicit', value: 'enough' }
      })
    })

    it('join raises the cause of the task without its cancellations', () => {
      expectAll(
        () =>
          withTask(Effect.ensuring(Effect.fail('clean-up'))(Effect.never), (task) =>
            gen(function* () {
              yield* Effect.yieldNow
              yield* task.cancel()
              const joined = yield* Effect.exit(task.join)
              return [show(joined), show(yield* task.wait)]
            })
          ),
        {},
        1
      )
      for (const { exit } of observeAll(() =>
        withTask(Effect.ensuring(Effect.fail('clean-up'))(sleep(100)), (task) =>
          gen(function* () {
            yield* sleep(5)
            yield* task.cancel()
            const joined = yield* Effect.exit(task.join)
            return `${show(joined)} | ${show(yield* task.wait)}`
          })
        )
      )) {
        expect(show(exit)).to.equal('ok(Fail(clean-up) | Then(Cancelled, Fail(clean-up)))')
      }
    })

    it('a defect of the task is a defect of the join', () => {
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(after(1, Effect.die('bug')))
              return yield* Timeout.shielded(Effect.orDie(task.join))
            })
          ),
        { exit: 'Die(bug)' }
      )
    })

    it('TH-10 wait gives the exit whatever it is, at once when the task has ended', () => {
      const waited = <E, A>(fx: Fx<A, E>) =>
        outcomes(() =>
          withTask(fx, (task) =>
            gen(function* () {
              const first = yield* task.wait
              const again = yield* task.wait
              return `${show(first)} ${show(again)}`
            })
          )
        )
      expect(waited(after(5, Effect.succeed(1)))).to.deep.equal(['ok(ok(1) ok(1))'])
      expect(waited(after(5, Effect.fail('no')))).to.deep.equal(['ok(Fail(no) Fail(no))'])
    })

    it('TH-10 cancelling a task that has ended changes nothing', () => {
      expectAll(
        () =>
          withTask(Effect.succeed(1), (task) =>
            gen(function* () {
              yield* task.wait
              yield* task.cancel()
              return [yield* task.status, yield* task.join]
            })
          ),
        { exit: 'ok(["finished",1])' }
      )
    })

    it('TH-11 several that wait for one task get the same outcome', () => {
      const { exit } = observe(() =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const task = yield* group.spawnOwned(after(5, Effect.fail('no')))
            const waiters = []
            for (let i = 0; i < 5; i++) waiters.push(yield* group.spawn(task.wait))
            const exits = []
            for (const waiter of waiters) exits.push(yield* Effect.orDie(waiter.join))
            return new Set(exits.map((e) => (e._tag === 'Left' ? e.left : 'ok'))).size
          })
        )
      )
      expect(show(exit)).to.equal('ok(1)')
    })

    it('waiting and joining are checkpoints, also when the task has ended', () => {
      for (const how of ['wait', 'join'] as const) {
        expectAll(
          (log) =>
            withTask(Effect.succeed(1), (task) =>
              CancelScope.open((scope) =>
                gen(function* () {
                  yield* task.wait
                  yield* scope.cancel()
                  yield* task[how]
                  yield* log('not reached')
                })
              )
            ),
          { exit: 'ok(None)', log: [] }
        )
      }
    })

    it('waiting for a task that has ended does not yield', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(Effect.succeed(1))
              yield* task.wait
              yield* group.spawn(log('other'))
              yield* task.wait
              yield* log('host')
            })
          ),
        { log: ['host@0', 'other@0'] }
      )
    })

    it('cancelling one that joins does not touch the task', () => {
      expectAll(
        (log) =>
          withTask(after(10, Effect.succeed('value')), (task) =>
            gen(function* () {
              const first = yield* Timeout.moveOnAfter(5)(task.join)
              yield* log(first._tag)
              return yield* task.join
            })
          ),
        { exit: 'ok(value)', log: ['None@5'], took: 10 }
      )
    })

    it('a task that joins itself waits for itself: a deadlock that is reported', () => {
      const { exit } = observe(() =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const self: Task.Task<never, void> = yield* group.spawn(
              Effect.suspend(() => Effect.asUnit(self.wait)),
              { name: 'self' }
            )
          })
        )
      )
      expect(exit).to.have.nested.property('left.defect._tag', 'Deadlock')
      expect(exit)
        .to.have.nested.property('left.defect.tree')
        .that.matches(/self .*waits on Task.wait/)
    })

    it('the end of a task: those that wait for it hear of it before its group ends', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((outer) =>
            gen(function* () {
              let task: Task.Task<never, void> | undefined
              yield* TaskGroup.open()((group) =>
                gen(function* () {
                  task = yield* group.spawn(Effect.ensuring(after(5, log('cleaned')))(sleep(5)))
                  yield* outer.spawn(Effect.andThen(log('waited'))(task.wait))
                })
              )
            })
          ),
        { log: ['cleaned@10', 'waited@10'] }
      )
    })
  })

  describe('cancelling one task', () => {
    const compositions: ReadonlyArray<readonly [string, (fx: Fx<unknown>) => Fx<unknown>]> = [
      ['both', Concurrent.both(Effect.unit)],
      ['race', Concurrent.race(Effect.never)],
      ['traverse', (fx) => Concurrent.traverse(() => fx)([1, 2])]
    ]
    for (const [name, composed] of compositions) {
      it(`reaches the arms that it waits for: ${name}`, () => {
        expectAll(
          () =>
            withTask(composed(Effect.never), (task) =>
              gen(function* () {
                yield* sleep(1)
                yield* task.cancel()
                return show(yield* task.wait)
              })
            ),
          { exit: 'ok(Cancelled)', took: 1 }
        )
      })

      it(`reaches the arms that it is starting: ${name}`, () => {
        expectAll(
          () =>
            TaskGroup.open()((group) =>
              gen(function* () {
                let cancel: Fx<void> = Effect.unit
                const arm = pipe(
                  Effect.suspend(() => cancel),
                  Effect.andThen(Effect.never)
                )
                const task = yield* group.spawn(composed(arm))
                cancel = task.cancel()
                return show(yield* task.wait)
              })
            ),
          { exit: 'ok(Cancelled)', took: 0 }
        )
      })
    }

    it('TH-05 cancels that task alone; the group and its siblings go on, and nothing is an error', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(Effect.onCancel(log('cancelled'))(Effect.never))
              yield* group.spawn(after(10, log('sibling')))
              yield* sleep(5)
              yield* task.cancel()
              yield* task.wait
              yield* sleep(1)
              yield* log('body')
              return 'value'
            })
          ),
        { exit: 'ok(value)', log: ['cancelled@5', 'body@6', 'sibling@10'] }
      )
    })

    it('cancel does not wait for the end of the task', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(Effect.ensuring(after(10, log('cleaned')))(Effect.never))
              yield* sleep(1)
              yield* task.cancel()
              yield* log('cancel returned')
            })
          ),
        { log: ['cancel returned@1', 'cleaned@11'] }
      )
    })

    it('before its first turn: it begins, and ends at its first checkpoint', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(
                gen(function* () {
                  yield* log('begins')
                  yield* sleep(1)
                  yield* log('not reached')
                })
              )
              yield* task.cancel()
              const exit = yield* task.wait
              return show(exit)
            })
          ),
        { exit: 'ok(Cancelled)', log: ['begins@0'] }
      )
    })

    it('while it is inside of its own scopes, groups and races: all of them are left', () => {
      const insides: ReadonlyArray<readonly [string, (fx: Fx<unknown>) => Fx<unknown>]> = [
        ['scope', (fx) => CancelScope.open(() => fx)],
        ['scopes', (fx) => CancelScope.open(() => Timeout.moveOnAfter(50)(CancelScope.open(() => fx)))],
        ['body of a group', (fx) => TaskGroup.open()(() => fx)],
        ['task of a group', (fx) => TaskGroup.open()((group) => group.spawn(fx))],
        ['cancelled group', (fx) => TaskGroup.openCancellable()((group) => group.spawn(fx))],
        [
          'bracket',
          (fx) =>
            Effect.bracket(
              Effect.unit,
              () => fx,
              () => sleep(1)
            )
        ]
      ]
      for (const [name, inside] of insides) {
        expectAll(
          (log) =>
            TaskGroup.open()((group) =>
              gen(function* () {
                const task = yield* group.spawn(
                  gen(function* () {
                    yield* inside(Effect.onCancel(log(name))(sleep(100)))
                    yield* Effect.checkCancelled
                    yield* log('not reached')
                  })
                )
                yield* sleep(5)
                yield* task.cancel()
                return show(yield* task.wait)
              })
            ),
          { exit: 'ok(Cancelled)', log: [`${name}@5`] }
        )
      }
    })

    it('a shield inside of the task holds it off, and so does a finalizer that runs', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(
                gen(function* () {
                  yield* Timeout.shielded(after(10, log('shielded')))
                  yield* Effect.ensuring(after(10, log('finalizer')))(Effect.unit)
                  yield* Effect.checkCancelled
                  yield* log('not reached')
                })
              )
              yield* sleep(5)
              yield* task.cancel()
              return show(yield* task.wait)
            })
          ),
        { exit: 'ok(Cancelled)', log: ['shielded@10', 'finalizer@20'] }
      )
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(Effect.ensuring(after(10, log('finalizer')))(Effect.unit))
              yield* sleep(5)
              yield* task.cancel()
              return show(yield* task.wait)
            })
          ),
        { exit: 'ok(ok())', log: ['finalizer@10'] }
      )
    })

    it('is a level: what the task catches comes again at its next checkpoint', () => {
      expectAll(
        (log) =>
          withTask(
            gen(function* () {
              for (let i = 0; i < 2; i++)
                yield* pipe(
                  sleep(100),
                  Effect.exit,
                  Effect.tap(() => log(`${i}`))
                )
              yield* sleep(1)
              yield* log('not reached')
            }),
            (task) =>
              gen(function* () {
                yield* sleep(5)
                yield* task.cancel()
                yield* task.cancel('again')
                return show(yield* task.wait)
              })
          ),
        { exit: 'ok(Cancelled)', log: ['0@5', '1@5'] }
      )
    })

    it('a task that ends with a value in spite of it has that value', () => {
      expectAll(
        () =>
          withTask(Effect.as('value')(Effect.exit(sleep(100))), (task) =>
            gen(function* () {
              yield* sleep(5)
              yield* task.cancel()
              return yield* task.join
            })
          ),
        { exit: 'ok(value)' }
      )
    })

    it('what fails in the clean-up of a supervised task fails the group', () => {
      expectAll(
        () =>
          TaskGroup.open<string>()((group) =>
            gen(function* () {
              const task = yield* group.spawn(Effect.ensuring(Effect.fail('clean-up'))(Effect.never))
              yield* sleep(1)
              yield* task.cancel()
              yield* Effect.never
            })
          ),
        { exit: 'Fail(clean-up)' }
      )
    })

    it('a task can cancel itself', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const self: Task.Task<never, void> = yield* group.spawn(
                gen(function* () {
                  yield* self.cancel()
                  yield* log('goes on to a checkpoint')
                  yield* sleep(1)
                  yield* log('not reached')
                })
              )
              return show(yield* self.wait)
            })
          ),
        { exit: 'ok(Cancelled)', log: ['goes on to a checkpoint@0'] }
      )
    })

    it('a task of another group, from anywhere', () => {
      expectAll(
        (log) =>
          TaskGroup.open()((a) =>
            TaskGroup.open()((b) =>
              gen(function* () {
                const task = yield* a.spawn(Effect.onCancel(log('cancelled'))(Effect.never))
                yield* b.spawn(after(5, task.cancel()))
              })
            )
          ),
        { exit: 'ok()', log: ['cancelled@5'] }
      )
    })

    it('cancelling from outside later passes through the task to its group', () => {
      expectAll(
        () =>
          Timeout.moveOnAfter(8)(
            TaskGroup.open()((group) =>
              gen(function* () {
                const task = yield* group.spawn(Effect.ensuring(sleep(10))(Effect.never))
                yield* sleep(5)
                yield* task.cancel()
              })
            )
          ),
        { took: 15 }
      )
    })
  })

  describe('status', () => {
    const during = (fx: Fx<unknown, string>, act: (task: Task.Task<string, unknown>) => Fx<unknown>) =>
      withTask(fx, (task) =>
        gen(function* () {
          const seen = [yield* task.status]
          yield* sleep(1)
          seen.push(yield* task.status)
          yield* act(task)
          seen.push(yield* task.status)
          yield* task.wait
          seen.push(yield* task.status)
          return seen
        })
      )

    it('TH-17 goes from pending over running to how the task ended', () => {
      expectAll(() => during(sleep(5), () => Effect.unit), {
        exit: 'ok(["pending","running","running","finished"])'
      })
      expectAll(() => during(after(5, Effect.fail('no')), () => Effect.unit), {
        exit: 'ok(["pending","running","running","failed"])'
      })
      expectAll(() => during(Effect.ensuring(sleep(5))(Effect.never), (task) => task.cancel()), {
        exit: 'ok(["pending","running","cancelling","cancelled"])'
      })
      expectAll(
        () => during(Effect.ensuring(Effect.fail('clean-up'))(Effect.never), (task) => task.cancel()),
        { exit: 'ok(["pending","running","cancelling","failed"])' }
      )
    })

    it('is cancelling also while the task shields itself, and when the whole group was cancelled', () => {
      expectAll(
        () => during(Effect.andThen(Effect.checkpoint)(Timeout.shielded(sleep(5))), (task) => task.cancel()),
        {
          exit: 'ok(["pending","running","cancelling","cancelled"])'
        }
      )
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const task = yield* group.spawn(Timeout.shielded(sleep(5)))
              yield* sleep(1)
              yield* group.cancelAll()
              return yield* task.status
            })
          ),
        { exit: 'ok(cancelling)' }
      )
    })

    it('is running while only a scope inside of the task is cancelled', () => {
      expectAll(
        () =>
          withTask(Effect.as(1)(Timeout.moveOnAfter(5)(Effect.ensuring(sleep(10))(Effect.never))), (task) =>
            Effect.andThen(task.status)(sleep(7))
          ),
        { exit: 'ok(running)' }
      )
    })

    it('TH-17 printing a handle shows the name and the status', () => {
      expectAll(
        () =>
          withTask(
            Effect.never,
            (task) =>
              gen(function* () {
                const seen = [print(task)]
                yield* sleep(1)
                seen.push(print(task))
                yield* task.cancel()
                seen.push(print(task))
                yield* task.wait
                seen.push(print(task), JSON.stringify(task).replace(/"id":\d+/, 'id'))
                return seen.join(' ')
              }),
            { name: 'poller' }
          ),
        {
          exit:
            'ok(Task(poller, pending) Task(poller, running) Task(poller, cancelling) ' +
            'Task(poller, cancelled) {"_tag":"Task",id,"name":"poller","status":"cancelled"})'
        }
      )
    })
  })

  describe('names', () => {
    it('TH-16 the name is that of Effect.fn for all ways to spawn alike, and a given one wins', () => {
      const fetchUser = Effect.fn('fetchUser')(function* (_id: number) {
        yield* Effect.checkpoint
      })
      expectAll(
        () =>
          TaskGroup.open()((group) =>
            gen(function* () {
              const tasks = [
                yield* group.spawn(fetchUser(1)),
                yield* group.spawnOwned(fetchUser(2)),
                yield* group.spawn(fetchUser(3), { name: 'mine' }),
                yield* group.spawnOwned(fetchUser(4), { name: 'mine' })
              ]
              return tasks.map((task) => task.name)
            })
          ),
        { exit: 'ok(["fetchUser","fetchUser","mine","mine"])' }
      )
    })

    it('TH-16 a task without a name has a numbered one, and ids differ', () => {
      const { exit } = observe(() =>
        TaskGroup.open()((group) =>
          gen(function* () {
            const a = yield* group.spawn(Effect.unit)
            const b = yield* group.spawn(Effect.unit)
            return [a.name, b.name, a.id === b.id]
          })
        )
      )
      expect(show(exit)).to.match(/^ok\(\["task-\d+","task-\d+",false\]\)$/)
    })

    it('TH-16 start names its task in the same way', () => {
      const serve = (started: Started<number>) =>
        Effect.fn('serve')(function* () {
          yield* started(1)
        })()
      expectAll(
        () =>
          TaskGroup.open<Task.TaskCancelled>()((group) =>
            gen(function* () {
              const named = yield* group.start(serve, { name: 'server' })
              const fromFn = yield* group.start(serve)
              return [named.name, fromFn.name]
            })
          ),
        { exit: 'ok(["server","serve"])' }
      )
    })
  })

  describe('started tasks', () => {
    it('TH-13 a started task has its start value and can be awaited for its value', () => {
      expectAll(
        () =>
          TaskGroup.open<Task.TaskCancelled>()((group) =>
            gen(function* () {
              const task = yield* group.start((started: Started<string>) =>
                pipe(started('port'), Effect.andThen(after(5, Effect.succeed('result'))))
              )
              return [task.startValue, yield* task.join]
            })
          ),
        { exit: 'ok(["port","result"])' }
      )
    })

    it('TH-14 the start value stays when the task is cancelled later', () => {
      expectAll(
        () =>
          TaskGroup.open<Task.TaskCancelled>()((group) =>
            gen(function* () {
              const task = yield* group.start((started: Started<string>) =>
                Effect.andThen(Effect.never)(started('port'))
              )
              yield* task.cancel()
              return [show(yield* task.wait), task.startValue, yield* task.status]
            })
          ),
        { exit: 'ok(["Cancelled","port","cancelled"])' }
      )
    })
  })

  it('the leaf of a failure is made once: all exits and joins of a task hold the same one', () => {
    const { exit } = observe(() =>
      withTask(after(1, Effect.fail('no')), (task) =>
        gen(function* () {
          const first = yield* task.wait
          const second = yield* Effect.exit(task.join)
          const polled = yield* task.poll
          const leaves = [first, second, O.isSome(polled) ? polled.value : first].map((each) =>
            each._tag === 'Left' ? each.left : 'ok'
          )
          return new Set(leaves).size === 1 && Cause.isFail(leaves[0] as Cause.Cause<unknown>)
        })
      )
    )
    expect(show(exit)).to.equal('ok(true)')
    expect(defectOf(exit)).to.equal('no defect')
  })

  it('reading a task needs no wait and changes nothing: sync(name), sync(id)', () => {
    expectAll(() => withTask(Effect.unit, (task) => sync(() => [task.name, typeof task.id]), { name: 'n' }), {
      exit: 'ok(["n","number"])'
    })
  })
})
