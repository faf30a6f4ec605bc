import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  CancelScope,
  Concurrent,
  Effect,
  Event,
  Exit,
  MemoryStream,
  TaskGroup,
  TaskTree,
  Timeout
} from 'millrace'
import { TestRuntime } from 'millrace/testing'

const run = <E, A>(fx: Effect.Effect<{}, E, A>): A => {
  const exit = TestRuntime.runExit(fx, { name: 'app' })
  if (exit._tag === 'Left') throw new Error(JSON.stringify(exit.left))
  return exit.right
}

describe('TaskTree', () => {
  it('DBG-03 shows the unfinished tasks of this run, each below the group that owns it', () => {
    const text = run(
      TaskGroup.open({ name: 'jobs' })((group) =>
        Effect.gen(function* () {
          yield* group.spawn(Effect.sleep(50), { name: 'poll', service: true })
          yield* group.spawn(Effect.unit, { name: 'done' })
          yield* TaskTree.waitAllTasksBlocked
          return TaskTree.pretty(yield* TaskTree.current)
        })
      )
    )
    expect(text.split('\n')).to.deep.equal([
      'app running',
      '└─ group "jobs"',
      '   └─ poll running, waits on sleep since 0 ms'
    ])
  })

  it('DBG-01 DBG-02 gives tasks as data: numbers, names, status, what they wait on and since when', () => {
    const { root, time } = run(
      TaskGroup.open({ name: 'jobs' })((group) =>
        Effect.gen(function* () {
          const go = yield* Event.make({ name: 'go' })
          yield* group.spawn(go.wait, { name: 'report' })
          yield* Effect.sleep(30)
          const tree = yield* TaskTree.current
          yield* go.set
          return tree
        })
      )
    )
    expect(root).to.include({ _tag: 'TaskNode', id: 1, name: 'app', status: 'running' })
    const group = root.children[0]
    if (group?._tag !== 'GroupNode') throw new Error('no group')
    expect(group.name).to.equal('jobs')
    expect(group.tasks).to.have.length(1)
    expect(group.tasks[0]).to.include({ id: 2, name: 'report', status: 'running' })
    expect(group.tasks[0]?.waitsOn).to.deep.equal({ _tag: 'Some', value: 'Event.wait "go"' })
    expect(group.tasks[0]?.since).to.deep.equal({ _tag: 'Some', value: time - 30 })
  })

  it('DBG-04 a task stands in its group, also when another task has spawned it', () => {
    const text = run(
      TaskGroup.open({ name: 'outer' })((outer) =>
        Effect.gen(function* () {
          const inner = TaskGroup.open({ name: 'inner' })((group) =>
            Effect.gen(function* () {
              yield* group.spawn(Effect.never, { name: 'own', service: true })
              yield* outer.spawn(Effect.never, { name: 'adopted', service: true })
              yield* Effect.sleep(5)
            })
          )
          yield* outer.spawn(inner, { name: 'spawner' })
          yield* TaskTree.waitAllTasksBlocked
          return TaskTree.pretty(yield* TaskTree.current)
        })
      )
    )
    expect(text.split('\n')).to.deep.equal([
      'app running',
      '└─ group "outer"',
      '   ├─ spawner running, waits on sleep since 0 ms',
      '   │  └─ group "inner"',
      '   │     └─ own running, waits on never since 0 ms',
      '   └─ adopted running, waits on never since 0 ms'
    ])
  })

  it('DBG-09 shows scopes, shields, deadlines and cancellations on the way to a task', () => {
    const text = run(
      CancelScope.open(
        (scope) =>
          TaskGroup.open({ name: 'jobs' })((group) =>
            Effect.gen(function* () {
              const work = pipe(Effect.never, Timeout.moveOnAfter(100, { name: 'slow' }), Timeout.shielded)
              yield* group.spawn(work, { name: 'worker' })
              yield* Effect.sleep(40)
              yield* scope.cancel('enough')
              return TaskTree.pretty(yield* TaskTree.current)
            })
          ),
        { name: 'request' }
      )
    )
    expect((text._tag === 'Some' ? text.value : '').split('\n')).to.deep.equal([
      'app running',
      '└─ scope "request", cancelled: Explicit',
      '   └─ group "jobs"',
      '      └─ worker cancelling, waits on never since 40 ms',
      '         └─ scope "shield", shielded',
      '            └─ scope "slow", deadline in 60 ms'
    ])
  })

  it('shows the arms of a composition by their names', () => {
    const text = run(
      Effect.map(([, drawn]: readonly [unknown, string]) => drawn)(
        Concurrent.both(
          Effect.gen(function* () {
            yield* TaskTree.waitAllTasksBlocked
            return TaskTree.pretty(yield* TaskTree.current)
          })
        )(Concurrent.all({ journal: Effect.sleep(1), metrics: Effect.sleep(2) }))
      )
    )
    expect(text.split('\n')).to.deep.equal([
      'app running, waits on both since 0 ms',
      '└─ group "both"',
      '   ├─ both[0] running, waits on all since 0 ms',
      '   │  └─ group "all"',
      '   │     ├─ journal running, waits on sleep since 0 ms',
      '   │     └─ metrics running, waits on sleep since 0 ms',
      '   └─ both[1] running'
    ])
  })

  it('shows a task that is not ready yet as starting, and one that was cancelled below its group', () => {
    const texts = run(
      TaskGroup.open({ name: 'jobs' })((group) =>
        Effect.gen(function* () {
          yield* group.spawn(
            Effect.exit(group.start<unknown, never, void>(() => Effect.never, { name: 'server' })),
            { name: 'caller' }
          )
          const stubborn = yield* group.spawn(Effect.ensuring(Effect.sleep(10))(Effect.never), {
            name: 'stubborn'
          })
          yield* TaskTree.waitAllTasksBlocked
          const before = TaskTree.pretty(yield* TaskTree.current)
          yield* stubborn.cancel()
          yield* TaskTree.waitAllTasksBlocked
          const after = TaskTree.pretty(yield* TaskTree.current)
          yield* group.cancelAll()
          return [before, after]
        })
      )
    )
    expect(texts[0]?.split('\n')).to.deep.equal([
      'app running',
      '└─ group "jobs"',
      '   ├─ caller running, waits on TaskGroup.start since 0 ms',
      '   ├─ stubborn running, waits on never since 0 ms',
      '   └─ server starting, waits on never since 0 ms'
    ])
    expect(texts[1]).to.contain('├─ stubborn cancelling, waits on sleep since 0 ms')
  })

  it('a forgotten clone is found by the name of the stream that is waited on', () => {
    const exit = TestRuntime.runExit(
      Effect.gen(function* () {
        const [send, receive] = yield* MemoryStream.make<number>(0, { name: 'jobs' })
        yield* send.clone
        yield* send.close
        yield* receive.receive
      })
    )
    expect(JSON.stringify(exit)).to.contain(String.raw`main running, waits on MemoryStream.receive \"jobs\"`)
  })

  it('draws a tree of 20,000 scopes without recursion, in a size that grows with their number', () => {
    let fx: Effect.Effect<unknown, never, string> = Effect.map(TaskTree.pretty)(TaskTree.current)
    for (let i = 0; i < 20_000; i++) fx = Timeout.shielded(fx)
    const text = run(fx)
    expect(text.split('\n')).to.have.length(20_001)
    expect(text.length).to.be.lessThan(20_001 * 300)
  })

  describe('waitAllTasksBlocked', () => {
    it('DBG-06 returns when every other task waits for something other than a yield', () => {
      const trace: Array<string> = []
      run(
        TaskGroup.open()((group) =>
          Effect.gen(function* () {
            yield* group.spawn(
              Effect.gen(function* () {
                for (let i = 0; i < 5; i++) yield* Effect.yieldNow
                trace.push('busy no more')
                yield* Effect.sleep(10)
              })
            )
            yield* TaskTree.waitAllTasksBlocked
            trace.push('all blocked')
          })
        )
      )
      expect(trace).to.deep.equal(['busy no more', 'all blocked'])
    })

    it('answers in the same turn when all wait already', () => {
      let turns = 0
      run(
        TaskGroup.open()((group) =>
          Effect.gen(function* () {
            yield* group.spawn(Effect.never, { service: true })
            yield* Effect.sleep(1)
            yield* group.spawn(Effect.sync(() => turns++))
            yield* Effect.yieldNow
            yield* Effect.yieldNow
            const before = turns
            yield* TaskTree.waitAllTasksBlocked
            expect(turns).to.equal(before)
          })
        )
      )
    })

    it('several tasks may wait for it at a time', () => {
      const wait = Effect.as('done')(TaskTree.waitAllTasksBlocked)
      expect(run(Concurrent.all([wait, wait, Effect.as('slept')(Effect.sleep(5))]))).to.deep.equal([
        'done',
        'done',
        'slept'
      ])
    })

    it('is a checkpoint', () => {
      const program = CancelScope.open((scope) =>
        Effect.andThen(TaskTree.waitAllTasksBlocked)(scope.cancel())
      )
      expect(TestRuntime.runExit(program)).to.deep.equal(Exit.succeed({ _tag: 'None' }))
    })
  })
})
