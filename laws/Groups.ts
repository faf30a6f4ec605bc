/**
 * Laws of task groups, tasks, and what is made of them: nothing outlives its group, failures cancel the others and are all
 * reported, cancellations that the group made itself are no failures.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Exit } from 'millrace'
import { CancelScope, Cause, Concurrent, Effect, Lock, TaskGroup, Timeout } from 'millrace'
import {
  allOf,
  chooseBy,
  equationOfSets,
  everywhere,
  expectExit,
  expectTrace,
  invariant,
  lines,
  type Observation,
  observe,
  unaccompanied
} from './Equality.js'
import { law, lawSet, type LawSet, wrong } from './LawSet.js'
import {
  concurrent,
  interpret as build,
  printInputs,
  type Program,
  sequential,
  short,
  small,
  straight,
  unfailing
} from './Program.js'
import { sidesOf } from './Sides.js'
import { show } from './Show.js'
import { type Fx, unmixed } from './World.js'

const { andThen, checkpoint, gen, sleep } = Effect
const { shielded } = Timeout

const group = 'groups'

const sides = sidesOf(group)

interface OneFx {
  readonly e: Program
}

type Group = TaskGroup.TaskGroup<unknown>

const open = (body: (group: Group) => Fx): Fx => TaskGroup.open<unknown>()(body)

const ms = fc.nat(4)

const before =
  (first: string, second: string) =>
  (observation: Observation): string | null => {
    const trace = lines(observation)
    const [i, j] = [trace.lastIndexOf(first), trace.indexOf(second)]
    return i >= 0 && (j < 0 || i < j) ? null : `expected ${first} before ${second}`
  }

const once =
  (line: string) =>
  (observation: Observation): string | null => {
    const found = lines(observation).filter((each) => each === line).length
    return found === 1 ? null : `expected ${line} once, not ${found} times`
  }

const without =
  (line: string) =>
  (observation: Observation): string | null =>
    lines(observation).includes(line) ? `${line} was reached` : null

/** Notes that it was cancelled, when it was. */
const victim = (w: { readonly tick: (line: string) => Fx }, name: string): Fx =>
  pipe(Effect.never, Effect.onCancel(w.tick(`${name} cancelled`)))

// -------------------------------------------------------------------------------------
// groups
// -------------------------------------------------------------------------------------

/**
 * Task groups.
 *
 * @category law sets
 * @since 0.1.0
 */
export const taskGroups: LawSet = lawSet('task groups', [
  invariant({
    name: 'G1 when a group has ended its tasks have, and their clean-up',
    group,
    input: fc.record({ e: concurrent, task: concurrent }),
    show: printInputs,
    contexts: everywhere,
    run:
      ({ e, task }) =>
      (w) => {
        let alive = 0
        const counted = pipe(
          Effect.suspend(() => {
            alive++
            return build(w, 'task', task)
          }),
          Effect.ensuring(
            Effect.sync(() => {
              alive--
            })
          )
        )
        let spawned = 0
        let begun = 0
        return pipe(
          open((tasks) =>
            gen(function* () {
              spawned++
              yield* tasks.spawn(
                Effect.suspend(() => {
                  begun++
                  return counted
                })
              )
              return yield* build(w, 'e', e, { groups: [tasks] })
            })
          ),
          Effect.onExit(() =>
            Effect.sync(() => {
              if (alive > 0) w.note(`alive: ${alive}`)
              if (spawned !== begun) w.note(`never begun: ${spawned - begun}`)
            })
          )
        )
      },
    check: (observation) =>
      observation.exit === 'Deadlock'
        ? null
        : (lines(observation).find((line) => line.startsWith('alive') || line.startsWith('never begun')) ??
          null)
  }),
  invariant({
    name: 'G2 a task that fails cancels the others and the body; the group fails with it alone',
    group,
    input: fc.record({ wait: ms, dies: fc.boolean(), others: fc.nat(2) }),
    show: printInputs,
    run:
      ({ wait, dies, others }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            for (let i = 0; i < others; i++) yield* tasks.spawn(victim(w, 'task'))
            yield* tasks.spawn(andThen(dies ? Effect.die('broke') : Effect.fail('broke'))(sleep(wait)))
            return yield* victim(w, 'body')
          })
        ),
    check: (observation, { dies, others, wait }) => {
      const cancelled = lines(observation).filter((line) => line === 'task cancelled').length
      if (cancelled !== others) return `${cancelled} of ${others} tasks were cancelled`
      if (observation.time !== wait) return `it took ${observation.time} ms`
      return allOf(once('body cancelled'), expectExit(`Left(${dies ? 'Die' : 'Fail'}("broke"))`))(observation)
    }
  }),
  invariant({
    name: 'G3 a body that fails cancels the tasks',
    group,
    input: fc.record({ wait: ms, dies: fc.boolean(), tasks: fc.nat(3) }),
    show: printInputs,
    run:
      ({ wait, dies, tasks: n }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            for (let i = 0; i < n; i++) yield* tasks.spawn(victim(w, 'task'))
            yield* sleep(wait)
            yield* dies ? Effect.die('broke') : Effect.fail('broke')
          })
        ),
    check: (observation, { wait, dies, tasks }) => {
      const cancelled = lines(observation).filter((line) => line.startsWith('task cancelled')).length
      // Before the first wait of the body no task has begun; it begins, and sees the cancellation at once.
      if (cancelled !== tasks) return `${cancelled} of ${tasks} tasks were cancelled`
      if (observation.time !== wait) return `it took ${observation.time} ms`
      return expectExit(`Left(${dies ? 'Die' : 'Fail'}("broke"))`)(observation)
    }
  }),
  invariant({
    name: 'G4 all that fails is in the cause, each once, one failure as it is',
    group,
    input: fc.record({
      body: fc.option(ms, { nil: null }),
      tasks: fc.array(ms, { maxLength: 3 }),
      how: fc.constantFrom('shielded', 'finalizer')
    }),
    show: printInputs,
    run:
      ({ body, tasks: waits, how }) =>
      () => {
        const failing = (wait: number, name: string): Fx =>
          how === 'shielded'
            ? shielded(andThen(Effect.fail(name))(sleep(wait)))
            : Effect.ensuring(andThen(Effect.fail(name))(sleep(wait)))(wait === 0 ? Effect.unit : checkpoint)
        return open((tasks) =>
          gen(function* () {
            for (const [i, wait] of waits.entries()) yield* tasks.spawn(failing(wait, `task ${i}`))
            if (body !== null) yield* failing(body, 'body')
          })
        )
      },
    check: ({ result, exit }, { body, tasks }) => {
      const expected = [...tasks.map((_, i) => `task ${i}`), ...(body === null ? [] : ['body'])].sort()
      if (result === null || result._tag === 'Right')
        return expected.length === 0 ? null : 'expected failures'
      const found = [...Cause.failures(result.left as Cause.Cause<string>)].sort()
      if (found.join() !== expected.join()) return `expected ${expected.join()}`
      if (Cause.cancellations(result.left).length > 0)
        return 'a cancellation of the group itself is in the cause'
      return expected.length !== 1 || exit === `Left(Fail("${expected[0]!}"))`
        ? null
        : 'one failure was wrapped'
    }
  }),
  invariant({
    name: 'G5 a task that was cancelled is no failure of its group',
    group,
    input: fc.record({ how: fc.constantFrom('all', 'task', 'scope'), wait: ms }),
    show: printInputs,
    run:
      ({ how, wait }) =>
      (w) =>
        Effect.map((option: O.Option<number>) => O.getOrElse(() => -1)(option))(
          TaskGroup.openCancellable<unknown>()((tasks) =>
            gen(function* () {
              const task = yield* tasks.spawn(victim(w, 'task'))
              yield* sleep(wait)
              yield* how === 'all' ? tasks.cancelAll() : how === 'task' ? task.cancel() : tasks.cancel()
              return 3
            })
          )
        ),
    check: allOf(expectExit('Right(3)'), once('task cancelled'))
  }),
  invariant({
    name: 'G5 cancelAll cancels the tasks, also later ones, and not the body',
    group,
    input: fc.record({ e: unfailing, later: fc.boolean() }),
    show: printInputs,
    run:
      ({ e, later }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            if (!later) yield* tasks.spawn(victim(w, 'task'))
            yield* tasks.cancelAll()
            if (later) yield* tasks.spawn(andThen(victim(w, 'task'))(w.tick('begun')))
            yield* build(w, 'e', e)
            yield* checkpoint
            return 'value'
          })
        ),
    check: allOf(expectExit('Right("value")'), once('task cancelled'))
  }),
  invariant({
    name: 'G6 a task is in the scope of its group, wherever it was spawned',
    group,
    input: fc.record({ inner: fc.constantFrom('shield', 'cancelled', 'deadline', 'finalizer') }),
    show: printInputs,
    run:
      ({ inner }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            const spawn = tasks.spawn(
              pipe(
                sleep(2),
                andThen(w.tick('not cancelled inside')),
                andThen(sleep(5)),
                andThen(w.tick('not reached')),
                Effect.onCancel(w.tick('cancelled'))
              )
            )
            yield* inner === 'shield'
              ? shielded(spawn)
              : inner === 'cancelled'
                ? CancelScope.open((scope) => andThen(spawn)(scope.cancel()))
                : inner === 'deadline'
                  ? Timeout.moveOnAfter(1)(andThen(Effect.never)(spawn))
                  : Effect.ensuring(spawn)(Effect.unit)
            yield* sleep(3)
            yield* tasks.cancelAll()
          })
        ),
    check: allOf(once('not cancelled inside'), once('cancelled'), without('not reached'))
  }),
  invariant({
    name: 'G6 a shield around the group protects its tasks',
    group,
    input: fc.record({ e: unfailing }),
    show: printInputs,
    run:
      ({ e }) =>
      (w) =>
        CancelScope.open((scope) =>
          pipe(
            scope.cancel(),
            andThen(
              shielded(
                open((tasks) =>
                  tasks.spawn(pipe(build(w, 'e', e), andThen(checkpoint), andThen(w.tick('done'))))
                )
              )
            )
          )
        ),
    check: once('done')
  }),
  invariant({
    name: 'G7 a task that is spawned into a cancelled group begins, and ends at its first checkpoint',
    group,
    input: fc.record({ e: straight, how: fc.constantFrom('group', 'outside', 'failed') }),
    show: printInputs,
    run:
      ({ e, how }) =>
      (w) =>
        CancelScope.open((scope) =>
          TaskGroup.openCancellable<unknown>()((tasks) =>
            gen(function* () {
              yield* how === 'group'
                ? tasks.cancel()
                : how === 'outside'
                  ? scope.cancel()
                  : Effect.asUnit(tasks.spawn(Effect.fail('other')))
              if (how === 'failed') yield* Effect.exit(checkpoint)
              yield* tasks.spawn(
                pipe(
                  w.tick('begun'),
                  andThen(Effect.exit(build(w, 'e', e))),
                  andThen(checkpoint),
                  andThen(w.tick('not reached'))
                )
              )
            })
          )
        ),
    check: (observation, { how }) =>
      allOf(once('begun'), how === 'failed' ? () => null : without('not reached'))(observation)
  }),
  invariant({
    name: 'G7 nothing can be spawned into a group that has ended',
    group,
    input: fc.record({ e: short }),
    show: printInputs,
    run:
      ({ e }) =>
      (w) =>
        gen(function* () {
          const tasks = (yield* open((tasks) => Effect.of(tasks))) as Group
          yield* tasks.spawn(andThen(build(w, 'e', e))(w.tick('begun')))
        }),
    check: (observation) =>
      observation.exit.startsWith('Left(Die(TypeError: The task group')
        ? without('begun')(observation)
        : 'expected a defect'
  }),
  sides<OneFx>(
    'G8 a group without tasks is nothing, up to where a cancellation stands in a cause',
    { e: concurrent },
    [
      ({ e }) =>
        (w) =>
          open(() => unmixed(w)(build(w, 'e', e))),
      ({ e }) =>
        (w) =>
          unmixed(w)(build(w, 'e', e))
    ]
  ),
  sides<{ readonly e: Program; readonly task: Program }>(
    'G9 a group around a group is nothing',
    { e: concurrent, task: concurrent },
    [
      ({ e, task }) =>
        (w) =>
          open(() =>
            unmixed(w)(
              open((tasks) =>
                andThen(build(w, 'e', e, { groups: [tasks] }))(tasks.spawn(build(w, 'task', task)))
              )
            )
          ),
      ({ e, task }) =>
        (w) =>
          unmixed(w)(
            open((tasks) =>
              andThen(build(w, 'e', e, { groups: [tasks] }))(tasks.spawn(build(w, 'task', task)))
            )
          )
    ]
  ),
  invariant({
    name: 'G9 a failure leaves an inner group as its exit, and cancels the outer one by that',
    group,
    input: fc.record({ wait: ms, caught: fc.boolean() }),
    show: printInputs,
    run:
      ({ wait, caught }) =>
      (w) =>
        open((outer) =>
          gen(function* () {
            yield* outer.spawn(caught ? pipe(sleep(5), andThen(w.tick('went on'))) : victim(w, 'outer'))
            const inner = open((tasks) =>
              gen(function* () {
                yield* tasks.spawn(victim(w, 'inner'))
                yield* tasks.spawn(andThen(Effect.fail('broke'))(sleep(wait)))
              })
            )
            yield* caught ? Effect.orElse(() => Effect.unit)(inner) : inner
          })
        ),
    check: (observation, { caught }) =>
      caught
        ? allOf(once('inner cancelled'), once('went on'), expectExit('Right(undefined)'))(observation)
        : allOf(
            before('inner cancelled', 'outer cancelled'),
            once('outer cancelled'),
            expectExit('Left(Fail("broke"))')
          )(observation)
  }),
  sides<OneFx>(
    'G13 open = openCancellable that nobody cancels',
    { e: concurrent },
    [
      ({ e }) =>
        (w) =>
          Effect.map(O.some)(open((tasks) => build(w, 'e', e, { groups: [tasks] }))),
      ({ e }) =>
        (w) =>
          TaskGroup.openCancellable<unknown>()((tasks) => build(w, 'e', e, { groups: [tasks] }))
    ],
    ['alone']
  ),
  invariant({
    name: 'G14 a service ends when the body and all other tasks have',
    group,
    input: fc.record({ e: unfailing, task: unfailing }),
    show: printInputs,
    run:
      ({ e, task }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            yield* tasks.spawn(victim(w, 'service'), { service: true })
            yield* tasks.spawn(andThen(w.tick('task ended'))(build(w, 'task', task)))
            yield* build(w, 'e', e)
            yield* w.tick('body ended')
            return 'value'
          })
        ),
    check: allOf(
      expectExit('Right("value")'),
      before('task ended', 'service cancelled'),
      before('body ended', 'service cancelled'),
      once('service cancelled')
    )
  }),
  invariant({
    name: 'G15 the failure of an owned task belongs to whoever looks; one that nobody looked at fails the group',
    group,
    input: fc.record({ wait: ms, look: fc.constantFrom('wait', 'join', 'poll', 'nobody') }),
    show: printInputs,
    run:
      ({ wait, look }) =>
      () =>
        open((tasks) =>
          gen(function* () {
            const task = yield* tasks.spawnOwned(andThen(Effect.fail('own'))(sleep(wait)))
            yield* sleep(5)
            if (look === 'wait') return show(yield* task.wait)
            if (look === 'poll') return show(yield* task.poll)
            if (look === 'join') return show(yield* Effect.exit(task.join))
            return 'nobody looked'
          })
        ),
    check: (observation, { look }) =>
      expectExit(
        look === 'nobody'
          ? 'Left(Die(UnjoinedFailure(Fail("own"))))'
          : look === 'poll'
            ? 'Right("Some(Left(Fail(\\"own\\")))")'
            : 'Right("Left(Fail(\\"own\\"))")'
      )(observation)
  }),
  invariant({
    name: 'G16 cut short from outside, a group ends cancelled, with one cancellation, and waits for its tasks',
    group,
    input: fc.record({ tasks: fc.integer({ min: 1, max: 3 }), wait: ms, cleanUp: ms }),
    show: printInputs,
    run:
      ({ tasks: n, wait, cleanUp }) =>
      (w) =>
        CancelScope.open((scope) =>
          pipe(
            open((tasks) =>
              gen(function* () {
                for (let i = 0; i < n; i++) {
                  yield* tasks.spawn(
                    Effect.ensuring(andThen(w.tick('cleaned up'))(sleep(cleanUp)))(Effect.never)
                  )
                }
                yield* tasks.spawn(andThen(scope.cancel())(sleep(wait)))
                return 'value'
              })
            ),
            Effect.onExit((exit) =>
              w.tick(
                exit._tag === 'Left' ? `${Cause.cancellations(exit.left).length} cancellations` : 'a value'
              )
            )
          )
        ),
    check: (observation, { tasks, wait, cleanUp }) => {
      const cleaned = lines(observation).filter((line) => line === 'cleaned up').length
      if (cleaned !== tasks) return `${cleaned} of ${tasks} tasks were cleaned up`
      if (observation.time !== wait + cleanUp) return `it took ${observation.time} ms`
      return allOf(expectExit('Right(None)'), once('1 cancellations'))(observation)
    }
  })
])

// -------------------------------------------------------------------------------------
// starting and joining
// -------------------------------------------------------------------------------------

/**
 * `start`, `join`, and the list of tasks.
 *
 * @category law sets
 * @since 0.1.0
 */
export const tasks: LawSet = lawSet('tasks', [
  invariant({
    name: 'G10 start returns when the task is ready, also when it fails right after',
    group,
    input: fc.record({ wait: ms, fails: fc.boolean() }),
    show: printInputs,
    run:
      ({ wait, fails }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            const task = yield* tasks.start((started: TaskGroup.Started<number>) =>
              gen(function* () {
                yield* sleep(wait)
                yield* started(7)
                if (fails) yield* Effect.fail('after')
                yield* sleep(1)
              })
            )
            yield* w.tick(`started ${task.startValue}`)
          })
        ),
    check: (observation, { fails, wait }) =>
      allOf(
        (o) => (o.trace.includes(`started 7@${wait}`) ? null : 'it was not ready in time'),
        expectExit(fails ? 'Left(Fail("after"))' : 'Right(undefined)')
      )(observation)
  }),
  invariant({
    name: 'G10 a failure before it is ready is for the caller, and spares the group',
    group,
    input: fc.record({ wait: ms, how: fc.constantFrom('fails', 'dies', 'ends') }),
    show: printInputs,
    run:
      ({ wait, how }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            yield* tasks.spawn(andThen(w.tick('other ended'))(sleep(5)))
            const exit = yield* Effect.exit(
              tasks.start(() =>
                pipe(
                  sleep(wait),
                  andThen(
                    how === 'fails'
                      ? Effect.fail('early')
                      : how === 'dies'
                        ? Effect.die('early')
                        : Effect.unit
                  )
                )
              )
            )
            yield* w.tick(exit._tag === 'Left' ? exit.left._tag : 'started')
          })
        ),
    check: (observation, { how }) =>
      allOf(
        once(how === 'fails' ? 'Fail' : 'Die'),
        once('other ended'),
        expectExit('Right(undefined)')
      )(observation)
  }),
  invariant({
    name: 'G10 to say twice that it has started is a defect of the task',
    group,
    input: fc.constant({}),
    show: printInputs,
    run: () => () =>
      open((tasks) => tasks.start((started: TaskGroup.Started) => andThen(started())(started()))),
    check: (observation) => (observation.exit.startsWith('Left(Die(TypeError') ? null : 'expected a defect')
  }),
  invariant({
    name: 'G10 cancelling the caller before the task is ready cancels the task, and spares the group; afterwards it does not',
    group,
    input: fc.record({ ready: fc.boolean(), cleanUp: ms }),
    show: printInputs,
    run:
      ({ ready, cleanUp }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            yield* tasks.spawn(andThen(w.tick('other ended'))(sleep(9)))
            yield* Timeout.moveOnAfter(2)(
              gen(function* () {
                yield* tasks.start((started: TaskGroup.Started) =>
                  pipe(
                    gen(function* () {
                      if (ready) yield* started()
                      yield* sleep(5)
                      yield* w.tick('task ended')
                    }),
                    Effect.onCancel(andThen(w.tick('task cancelled'))(sleep(cleanUp)))
                  )
                )
                yield* Effect.never
              })
            )
            yield* w.tick('caller over')
          })
        ),
    check: (observation, { ready, cleanUp }) =>
      ready
        ? allOf(once('task ended'), once('other ended'), expectExit('Right(undefined)'))(observation)
        : allOf(
            expectTrace(`task cancelled@${2 + cleanUp}`, `caller over@${2 + cleanUp}`, 'other ended@9'),
            expectExit('Right(undefined)')
          )(observation)
  }),
  equationOfSets<OneFx>({
    name: 'G11 join raises what the task raised, without its cancellations',
    group,
    contexts: ['alone'],
    input: fc.record({ e: small }),
    show: printInputs,
    left:
      ({ e }) =>
      (w) =>
        open((tasks) =>
          Effect.flatMap((task: { readonly join: Fx }) => Effect.exit(task.join))(
            tasks.spawnOwned(build(w, 'e', e))
          )
        ),
    right:
      ({ e }) =>
      (w) =>
        Effect.flatMap((exit: Exit.Exit<unknown, unknown>): Fx => {
          // A defect of an owned task fails the group as well; to compare, it is raised here.
          if (exit._tag === 'Left' && Cause.defects(exit.left).length > 0) {
            w.outside = true
            return Effect.unit
          }
          return Effect.of(exit)
        })(Effect.exit(build(w, 'e', e)))
  }),
  invariant({
    name: 'G11 all who join see the same end, as often as they ask; cancelling one of them leaves the task alone',
    group,
    input: fc.record({ e: small, joiners: fc.nat(3), late: fc.boolean() }),
    show: printInputs,
    run:
      ({ e, joiners, late }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            const ends: Array<string> = []
            const task = yield* tasks.spawnOwned(Effect.exit(andThen(build(w, 'e', e))(checkpoint)))
            const hasty = yield* tasks.spawn(task.wait)
            yield* hasty.cancel()
            if (late) yield* task.wait
            yield* open((others) =>
              gen(function* () {
                for (let i = 0; i < joiners; i++)
                  yield* others.spawn(Effect.map((exit: unknown) => ends.push(show(exit)))(task.wait))
              })
            )
            const own = show(yield* task.wait)
            return ends.length === joiners && ends.every((end) => end === own)
          })
        ),
    check: (observation) => (observation.exit === 'Deadlock' ? null : expectExit('Right(true)')(observation))
  }),
  invariant({
    name: 'G11 joining a task that has ended is a checkpoint still',
    group,
    input: fc.record({ how: fc.constantFrom('wait', 'join') }),
    show: printInputs,
    run:
      ({ how }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            const task = yield* tasks.spawn(Effect.of(1))
            yield* task.wait
            yield* CancelScope.open((scope) =>
              pipe(
                scope.cancel(),
                andThen(how === 'wait' ? Effect.asUnit(task.wait) : Effect.asUnit(task.join)),
                andThen(w.tick('not reached'))
              )
            )
          })
        ),
    check: without('not reached')
  }),
  invariant({
    name: 'G11 task.cancel ends that task alone; wait shows the cancellation, join fails with TaskCancelled',
    group,
    input: fc.record({ wait: ms }),
    show: printInputs,
    run:
      ({ wait }) =>
      (w) =>
        open((tasks) =>
          gen(function* () {
            const task = yield* tasks.spawn(Effect.never)
            yield* tasks.spawn(andThen(w.tick('other ended'))(sleep(5)))
            yield* sleep(wait)
            yield* task.cancel()
            return [show(yield* task.wait), show(yield* Effect.exit(task.join))]
          })
        ),
    check: allOf(expectExit('Right(["Left(Cancelled)", "Left(Fail(TaskCancelled))"])'), once('other ended'))
  }),
  invariant({
    name: 'G12 the list of tasks is those that were spawned and have not ended',
    group,
    input: fc.record({ waits: fc.array(ms, { maxLength: 4 }) }),
    show: printInputs,
    run:
      ({ waits }) =>
      () =>
        open((tasks) =>
          gen(function* () {
            let ended = 0
            for (const wait of waits) {
              yield* tasks.spawn(
                Effect.map(() => {
                  ended++
                })(sleep(wait))
              )
            }
            for (let i = 0; i < 6; i++) {
              const listed = yield* tasks.tasks
              const live = waits.length - ended
              if (listed.length !== live) return `${listed.length} tasks listed, ${live} alive`
              yield* sleep(1)
            }
            return (yield* tasks.tasks).length
          })
        ),
    check: expectExit('Right(0)')
  })
])

// -------------------------------------------------------------------------------------
// side by side
// -------------------------------------------------------------------------------------

/**
 * `race`, `both`, `traverse` and their kin.
 *
 * @category law sets
 * @since 0.1.0
 */
export const sideBySide: LawSet = lawSet('side by side', [
  invariant({
    name: 'R1 a race has the value of the first, and the loser is cancelled and awaited',
    group,
    input: fc.record({ x: fc.integer({ min: 1, max: 5 }), y: fc.integer({ min: 1, max: 5 }), cleanUp: ms }),
    show: printInputs,
    run:
      ({ x, y, cleanUp }) =>
      (w) => {
        const arm = (name: string, wait: number): Fx =>
          pipe(
            sleep(wait),
            Effect.as(name),
            Effect.onCancel(andThen(w.tick(`${name} cleaned up`))(sleep(cleanUp)))
          )
        return Effect.tap((name: unknown) => w.tick(`winner ${show(name)}`))(
          Concurrent.race(arm('y', y))(arm('x', x))
        )
      },
    check: (observation, { x, y, cleanUp }) => {
      const winner = x <= y && x < y ? 'x' : y < x ? 'y' : null
      if (winner === null)
        return lines(observation).some((line) => line.startsWith('winner')) ? null : 'no winner'
      const time = Math.min(x, y) + cleanUp
      return expectTrace(
        `${winner === 'x' ? 'y' : 'x'} cleaned up@${time}`,
        `winner "${winner}"@${time}`
      )(observation)
    }
  }),
  sides<OneFx>(
    'R1 an arm that ends without waiting ends the race, and the next does not begin',
    { e: straight },
    [
      ({ e }) =>
        (w) =>
          Concurrent.race(w.tick('not reached'))(build(w, 'e', e)),
      ({ e }) =>
        (w) =>
          build(w, 'e', e)
    ]
  ),
  invariant({
    name: 'R1 what fails in the clean-up of the loser fails the race',
    group,
    input: fc.record({ wait: fc.integer({ min: 1, max: 3 }), fails: fc.boolean() }),
    show: printInputs,
    run:
      ({ wait, fails }) =>
      () =>
        Concurrent.race(Effect.ensuring(Effect.fail('loser'))(Effect.never))(
          andThen(fails ? Effect.fail('winner') : Effect.of(1))(sleep(wait))
        ),
    check: (observation, { fails }) =>
      expectExit(fails ? 'Left(Then(Fail("winner"), Fail("loser")))' : 'Left(Fail("loser"))')(observation)
  }),
  invariant({
    name: 'R2 what a loser holds is given back',
    group,
    input: fc.record({ x: ms, y: ms }),
    show: printInputs,
    run:
      ({ x, y }) =>
      () =>
        gen(function* () {
          const lock = yield* Lock.make()
          yield* Concurrent.race(lock.withLock(sleep(y)))(lock.withLock(sleep(x)))
          return (yield* lock.statistics).owner
        }),
    check: expectExit('Right(None)')
  }),
  invariant({
    name: 'B1 both have a value iff both succeed; a failure cancels the other; the time is the longer one',
    group,
    input: fc.record({
      x: fc.integer({ min: 1, max: 4 }),
      y: fc.integer({ min: 1, max: 4 }),
      fails: fc.constantFrom('none', 'x', 'y')
    }),
    show: printInputs,
    run:
      ({ x, y, fails }) =>
      (w) => {
        const arm = (name: string, wait: number): Fx =>
          pipe(
            sleep(wait),
            andThen(fails === name ? Effect.fail(name) : Effect.of(name)),
            Effect.onCancel(w.tick(`${name} cancelled`))
          )
        return Concurrent.both(arm('y', y))(arm('x', x))
      },
    check: (observation, { x, y, fails }) => {
      const [exit, time] =
        fails === 'none'
          ? ['Right(["x", "y"])', Math.max(x, y)]
          : [`Left(Fail("${fails}"))`, fails === 'x' ? x : y]
      return observation.time === time ? expectExit(exit)(observation) : `expected it to take ${time} ms`
    }
  }),
  equationOfSets<OneFx>({
    name: 'B1 both(e, of b) = map(e), where nothing else runs, up to where a cancellation stands in a cause',
    group,
    contexts: unaccompanied,
    input: fc.record({ e: small }),
    show: printInputs,
    left:
      ({ e }) =>
      (w) =>
        Concurrent.both(Effect.of('b'))(unmixed(w)(build(w, 'e', e))),
    right:
      ({ e }) =>
      (w) =>
        Effect.map((a: unknown) => [a, 'b'])(unmixed(w)(build(w, 'e', e)))
  }),
  equationOfSets<{ readonly x: Program; readonly y: Program }>({
    name: 'B2 all and traverse of two are both',
    group,
    input: fc.record({ x: short, y: short }),
    show: printInputs,
    left:
      ({ x, y }) =>
      (w) =>
        Concurrent.traverse(([name, program]: readonly [string, Program]) => build(w, name, program))([
          ['x', x],
          ['y', y]
        ]),
    right:
      ({ x, y }) =>
      (w) =>
        Concurrent.both(build(w, 'y', y))(build(w, 'x', x))
  }),
  equationOfSets<{ readonly x: Program; readonly y: Program }>({
    name: 'B3 one at a time is one after another, where nothing else runs and nothing is cancelled',
    group,
    contexts: ['alone'],
    input: fc.record({ x: sequential, y: sequential }),
    show: printInputs,
    left:
      ({ x, y }) =>
      (w) =>
        Concurrent.all([build(w, 'x', x), build(w, 'y', y)], { concurrency: 1 }),
    right:
      ({ x, y }) =>
      (w) =>
        Effect.tuple([build(w, 'x', x), build(w, 'y', y)])
  }),
  invariant({
    name: 'B4 never more arms at a time than asked for, and all of them run',
    group,
    input: fc.record({ waits: fc.array(ms, { maxLength: 5 }), concurrency: fc.integer({ min: 1, max: 4 }) }),
    show: printInputs,
    run:
      ({ waits, concurrency }) =>
      () =>
        gen(function* () {
          let running = 0
          let most = 0
          const values = yield* Concurrent.traverse(
            (wait: number) =>
              pipe(
                Effect.sync(() => {
                  most = Math.max(most, ++running)
                }),
                andThen(sleep(wait)),
                Effect.map(() => {
                  running--
                  return wait
                })
              ),
            { concurrency }
          )(waits)
          return show(values) === show(waits) && most <= concurrency
        }),
    check: expectExit('Right(true)')
  }),
  law({
    name: 'B5 the same schedule gives the same run',
    group,
    input: fc.record({ e: concurrent, seed: fc.nat() }),
    show: printInputs,
    holds: ({ e, seed }) => {
      const [first, second] = [0, 1].map(() => {
        const { exit, trace, time } = observe((w) => build(w, 'e', e), chooseBy(seed))
        return `${exit} after ${time}: ${trace.join(', ')}`
      })
      return first === second ? null : wrong(`${first ?? ''}\n${second ?? ''}`)
    }
  })
])

/**
 * All of them.
 *
 * @category law sets
 * @since 0.1.0
 */
export const groups: LawSet = lawSet('groups', [], [taskGroups, tasks, sideBySide])
