/**
 * What library authors build on: waits with an abort function, live scopes, nurseries and their children, arms.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { getEventListeners } from 'node:events'
import { type Cause as Causes, Effect, Exit, LowLevel, ParkingLot, Runtime } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { byHand, defectOf, type Fx, inCancelled, run, shown, timed, trace, value } from '../support/kernel.js'

type Resume = (exit: Exit.Exit<string, number>) => void

const named = (name: string, options: Partial<LowLevel.ScopeOptions> = {}): LowLevel.ScopeOptions => ({
  name,
  ...options
})

describe('LowLevel', () => {
  describe('park', () => {
    /** A run that waits; its abort function answers as told. */
    const waiting = (abort: LowLevel.Abort, options: Runtime.RunOptions = {}) => {
      const { runtime, drive } = byHand()
      const log: Array<string> = []
      let resume: Resume = () => undefined
      const cancel = Runtime.runCallback(
        pipe(
          LowLevel.park<string, number>('test', (callback) => {
            resume = callback
            return (forced) => {
              log.push(forced ? 'forced' : 'asked')
              return abort(forced)
            }
          }),
          Effect.tap((n) => Effect.sync(() => log.push(`got ${n}`)))
        ),
        (exit) => log.push(shown(exit)),
        { runtime, ...options }
      )
      drive()
      return { log, drive, cancel, resume: (exit: Exit.Exit<string, number>) => resume(exit) }
    }

    it('waits until resume is called, and only the first call counts', () => {
      const { log, drive, resume } = waiting(() => true)
      resume(Exit.succeed(1))
      resume(Exit.fail('late'))
      drive()
      resume(Exit.succeed(2))
      drive()
      expect(log).to.deep.equal(['got 1', 'ok 1'])
    })

    it('abort that gives true takes the wait back', () => {
      const { log, drive, resume, cancel } = waiting(() => true)
      cancel()
      resume(Exit.succeed(1))
      drive()
      expect(log).to.deep.equal(['asked', 'Cancelled'])
    })

    it('abort that gives false lets the wait go on to its end, and is not asked again', () => {
      const { log, drive, resume, cancel } = waiting(() => false)
      cancel()
      cancel()
      drive()
      expect(log).to.deep.equal(['asked'])
      resume(Exit.succeed(1))
      drive()
      expect(log).to.deep.equal(['asked', 'got 1', 'ok 1'])
    })

    it('at the end of a grace abort is asked by force', () => {
      const { log, drive, cancel } = waiting((forced) => forced, { grace: 10 })
      cancel()
      drive()
      expect(log).to.deep.equal(['asked', 'forced', 'Cancelled'])
    })

    it('abort that throws is a defect that joins the cancellation', () => {
      const { log, drive, cancel, resume } = waiting(() => {
        throw new Error('bug')
      })
      cancel()
      drive()
      resume(Exit.succeed(1))
      drive()
      expect(log).to.deep.equal(['asked', 'Then(Cancelled, Die bug)'])
    })

    it('may be resumed while it registers', () => {
      expect(
        run(
          LowLevel.park<string, number>('test', (resume) => {
            resume(Exit.fail('a'))
            return () => true
          })
        )
      ).to.equal('Fail a')
    })
  })

  describe('operation', () => {
    it('gives its value, or what it asks of the fiber', () => {
      const add = LowLevel.operation<never, number, number, number>((_self, b, c) => b + c, 1, 2)
      expect(run(add)).to.equal('ok 3')
      expect(run(LowLevel.operation((self) => LowLevel.failSelf(self, 'a')))).to.equal('Fail a')
      expect(run(LowLevel.operation((self) => LowLevel.selfName(self)))).to.equal('ok main')
      expect(
        defectOf(TestRuntime.runExit(LowLevel.operation((self) => LowLevel.misuseSelf(self, 'no'))))
      ).to.be.instanceOf(TypeError)
      expect(
        run(
          LowLevel.operation(() => {
            throw new Error('bug')
          })
        )
      ).to.equal('Die bug')
    })

    it('is a checkpoint if it looks', () => {
      const look = LowLevel.operation((self) =>
        LowLevel.isSelfCancelled(self) ? LowLevel.cancelSelf(self) : 1
      )
      expect(run(look)).to.equal('ok 1')
      expect(shown(value(inCancelled(look)))).to.equal('Cancelled')
      expect(shown(value(inCancelled(LowLevel.shieldScope(look))))).to.equal('ok 1')
      expect(shown(value(inCancelled(LowLevel.operation(() => 1))))).to.equal('ok 1')
    })

    it('may wait in a lot', () => {
      const lot = ParkingLot.make<string, never, number>('test')
      const wait = LowLevel.operation<never, number>((self) => ParkingLot.parkSelf(self, lot, 'item'))
      const program = LowLevel.openNursery({}, (nursery) =>
        Effect.gen(function* () {
          const child = yield* LowLevel.fork(nursery, wait)
          yield* Effect.yieldNow
          expect(lot.firstUnsafe()).to.equal('item')
          lot.succeedUnsafe(1)
          return yield* LowLevel.join(child)
        })
      )
      expect(run(program)).to.equal('ok 1')
    })
  })

  describe('awaitPromise', () => {
    it('gives the value; a rejection is a defect, or what onReject makes of it', async () => {
      const label = 'test'
      expect(await Runtime.runPromise(LowLevel.awaitPromise(async () => 1, { label }))).to.equal(1)
      const rejected = () => Promise.reject(new Error('bug'))
      expect(shown(await Runtime.runExit(LowLevel.awaitPromise(rejected, { label })))).to.equal('Die bug')
      const mapped = LowLevel.awaitPromise(rejected, { label, onReject: (e) => (e as Error).message })
      expect(shown(await Runtime.runExit(mapped))).to.equal('Fail bug')
    })

    it('makes a signal only for a function that declares it', async () => {
      const seen: Array<number> = []
      await Runtime.runPromise(
        LowLevel.awaitPromise(
          async (...given: ReadonlyArray<unknown>) => {
            seen.push(given[0] === undefined ? 0 : 1)
          },
          { label: 'test' }
        )
      )
      await Runtime.runPromise(
        LowLevel.awaitPromise(
          async (signal) => {
            seen.push(signal instanceof AbortSignal ? 1 : 0)
          },
          { label: 'test' }
        )
      )
      expect(seen).to.deep.equal([0, 1])
    })
  })

  describe('onAbort', () => {
    it('calls back once, and leaves no listener', () => {
      const controller = new AbortController()
      const { signal } = controller
      let calls = 0
      const one = LowLevel.onAbort(signal, () => calls++)
      LowLevel.onAbort(signal, () => calls++)
      expect(getEventListeners(signal, 'abort')).to.have.length(1)
      one()
      one()
      controller.abort()
      expect([calls, getEventListeners(signal, 'abort').length]).to.deep.equal([1, 0])
    })

    it('the last one that is taken back takes the listener away', () => {
      const { signal } = new AbortController()
      const two = [LowLevel.onAbort(signal, () => undefined), LowLevel.onAbort(signal, () => undefined)]
      two.forEach((takeBack) => takeBack())
      expect(getEventListeners(signal, 'abort')).to.have.length(0)
    })
  })

  describe('scopes', () => {
    const { openScope, withinScope, withinScopeOrFail, shieldScope, cancelScope } = LowLevel

    it('openScope gives Some of the value, and None when it absorbed its own cancellation', () => {
      expect(value(openScope(named('s'), () => Effect.succeed(1)))).to.deep.equal(O.some(1))
      const cancelled = openScope(named('s'), (scope) =>
        pipe(cancelScope(scope), Effect.andThen(Effect.checkCancelled))
      )
      expect(value(cancelled)).to.deep.equal(O.none)
    })

    it('a scope that is cancelled from outside as well absorbs nothing, unless it is shielded', () => {
      const nested = (shield: boolean) =>
        openScope(named('outer'), (outer) =>
          openScope(named('inner', { shield }), (inner) =>
            pipe(
              cancelScope(inner),
              Effect.andThen(cancelScope(outer)),
              Effect.andThen(Effect.checkCancelled)
            )
          )
        )
      expect(value(nested(false))).to.deep.equal(O.none)
      expect(value(nested(true))).to.deep.equal(O.some(O.none))
    })

    it('cancelling is no checkpoint, and the first reason wins', () => {
      let leaf: Causes.Cancelled | undefined
      const program = openScope(named('s'), (scope) =>
        Effect.gen(function* () {
          yield* cancelScope(scope, 'first')
          yield* cancelScope(scope, 'second')
          expect(LowLevel.isScopeCancelled(scope)).to.equal(true)
          const seen = yield* Effect.exit(Effect.checkCancelled)
          if (seen._tag === 'Left' && seen.left._tag === 'Cancelled') leaf = seen.left
          expect(LowLevel.scopeCaught(scope)).to.deep.equal(O.none)
          return scope
        })
      )
      const left = value(program)
      expect([leaf?.scope, leaf?.reason, leaf?.by]).to.deep.equal([
        's',
        { _tag: 'Explicit', value: 'first' },
        O.some('main')
      ])
      // It ended with a value, so it has absorbed nothing.
      expect(left._tag === 'Some' && LowLevel.scopeCaught(left.value)).to.deep.equal(O.none)
    })

    it('scopeCaught says which cancellation was absorbed', () => {
      let scope: LowLevel.ScopeNode | undefined
      value(
        openScope(named('s', { after: 5 }), (node) => {
          scope = node
          return Effect.never
        })
      )
      const caught = scope === undefined ? O.none : LowLevel.scopeCaught(scope)
      expect(caught._tag === 'Some' && caught.value.reason._tag).to.equal('Deadline')
    })

    it('withinScope: its deadline, from entry or absolute', () => {
      expect(timed(withinScope(named('s', { after: 5 }))(Effect.never))).to.deep.equal(['ok None', 5])
      const absolute = pipe(
        Effect.currentTime,
        Effect.flatMap((now) => withinScope(named('s', { at: now + 7 }))(Effect.never))
      )
      expect(timed(absolute)).to.deep.equal(['ok None', 7])
      expect(timed(withinScope(named('s', { after: 5 }))(Effect.sleep(1)))).to.deep.equal(['ok Some', 1])
    })

    it('NaN is a defect, in every place', () => {
      for (const options of [{ after: NaN }, { at: NaN }, { grace: NaN }]) {
        expect(
          defectOf(TestRuntime.runExit(withinScope(named('s', options))(Effect.unit))).message
        ).to.contain('NaN')
      }
      const set = openScope(named('s'), (scope) => Effect.sync(() => LowLevel.setScopeDeadline(scope, NaN)))
      expect(defectOf(TestRuntime.runExit(set)).message).to.contain('NaN')
    })

    it('withinScopeOrFail: a failure when the deadline ended it, before what was left', () => {
      const late = () => 'late'
      expect(run(withinScopeOrFail(named('s', { after: 5 }), late)(Effect.never))).to.equal('Fail late')
      const failing = pipe(Effect.never, Effect.ensuring(Effect.fail('f')))
      expect(run(withinScopeOrFail(named('s', { after: 5 }), late)(failing))).to.equal(
        'Then(Fail late, Fail f)'
      )
      expect(run(withinScopeOrFail(named('s', { after: 5 }), late)(Effect.fail('own')))).to.equal('Fail own')
      expect(run(withinScopeOrFail(named('s', { after: 5 }), late)(Effect.succeed(1)))).to.equal('ok 1')
      const thrower = () => {
        throw new Error('bug')
      }
      expect(run(withinScopeOrFail(named('s', { after: 5 }), thrower)(Effect.never))).to.equal('Die bug')
      expect(run(withinScopeOrFail(named('s', { after: 5 }), thrower)(failing))).to.equal(
        'Then(Die bug, Fail f)'
      )
    })

    it('shieldScope holds cancellation from outside off, and the first checkpoint after it sees it', () => {
      const log = trace()
      const program = withinScope(named('s', { after: 5 }))(
        pipe(
          shieldScope(Effect.sleep(10)),
          Effect.andThen(log.at('shielded')),
          Effect.andThen(Effect.checkCancelled)
        )
      )
      expect(timed(pipe(log.at('start'), Effect.andThen(program)))).to.deep.equal(['ok None', 10])
      expect(log.lines).to.deep.equal(['start@0', 'shielded@10'])
    })

    it('setScopeShield lowers a shield: what it held off is delivered', () => {
      const program = openScope(named('outer'), (outer) =>
        openScope(named('inner', { shield: true }), (inner) =>
          Effect.gen(function* () {
            yield* cancelScope(outer)
            yield* Effect.checkCancelled
            LowLevel.setScopeShield(inner, false)
            return yield* Effect.exit(Effect.checkCancelled)
          })
        )
      )
      expect(
        run(
          pipe(
            program,
            Effect.map((o) => (o._tag === 'Some' && o.value._tag === 'Some' ? shown(o.value.value) : ''))
          )
        )
      ).to.equal('ok Cancelled')
    })

    it('scopeDeadline and setScopeDeadline: a deadline that has come cancels at once, Infinity takes it away', () => {
      const program = openScope(named('s', { after: 5 }), (scope) =>
        Effect.gen(function* () {
          const now = yield* Effect.currentTime
          const before = LowLevel.scopeDeadline(scope) - now
          LowLevel.setScopeDeadline(scope, Infinity)
          yield* Effect.sleep(100)
          LowLevel.setScopeDeadline(scope, 0)
          return [before, LowLevel.isScopeCancelled(scope)]
        })
      )
      expect(value(program)).to.deep.equal(O.some([5, true]))
      expect(
        value(openScope(named('s'), (scope) => Effect.sync(() => LowLevel.scopeDeadline(scope))))
      ).to.deep.equal(O.some(Infinity))
    })

    it('cancelScopeUnsafe cancels from a plain callback, by nobody', () => {
      const program = openScope(named('s'), (scope) =>
        pipe(
          Effect.sync(() => LowLevel.cancelScopeUnsafe(scope, 'enough')),
          Effect.andThen(Effect.exit(Effect.checkCancelled))
        )
      )
      const exit = value(program)
      const leaf = exit._tag === 'Some' && exit.value._tag === 'Left' ? exit.value.left : undefined
      expect(leaf?._tag === 'Cancelled' && leaf.by).to.deep.equal(O.none)
    })

    it('onScopeCancel calls back once, at once if it is cancelled, and can be taken back', () => {
      const log: Array<string> = []
      const note = (name: string) => (leaf: Causes.Cancelled) => {
        log.push(`${name}: ${leaf.reason._tag}`)
      }
      value(
        openScope(named('s'), (scope) =>
          Effect.gen(function* () {
            LowLevel.onScopeCancel(scope, note('before'))
            LowLevel.onScopeCancel(scope, note('taken back'))()
            yield* cancelScope(scope)
            yield* cancelScope(scope)
            LowLevel.onScopeCancel(scope, note('after'))
          })
        )
      )
      expect(log).to.deep.equal(['before: Explicit', 'after: Explicit'])
    })

    it('onScopeClose calls back when the scope is left, however that is', () => {
      const log: Array<string> = []
      for (const body of [Effect.unit, Effect.fail('a'), Effect.never] as ReadonlyArray<
        Fx<unknown, string>
      >) {
        run(
          openScope(named('s', { after: 5 }), (scope) =>
            pipe(
              Effect.sync(() => LowLevel.onScopeClose(scope, () => log.push('left'))),
              Effect.tap(() =>
                Effect.sync(() => LowLevel.onScopeClose(scope, () => log.push('taken back'))())
              ),
              Effect.andThen(body),
              Effect.ensuring(Effect.sync(() => log.push('inside')))
            )
          )
        )
      }
      expect(log).to.deep.equal(['inside', 'left', 'inside', 'left', 'inside', 'left'])
    })

    it('effectiveDeadline is the least that is visible through shields', () => {
      const relative = Effect.gen(function* () {
        return (yield* LowLevel.effectiveDeadline) - (yield* Effect.currentTime)
      })
      const within = (after: number, shield: boolean) => (fx: Fx<number>) =>
        pipe(withinScope(named('s', { after, shield }))(fx), Effect.map(O.getOrElse(() => -1)))
      expect(value(relative)).to.equal(Infinity)
      expect(value(pipe(relative, within(5, false), within(3, false)))).to.equal(3)
      expect(value(pipe(relative, within(3, false), within(5, false)))).to.equal(3)
      expect(value(pipe(relative, within(5, true), within(3, false)))).to.equal(5)
      expect(value(inCancelled(LowLevel.effectiveDeadline))).to.deep.equal(Exit.succeed(-Infinity))
      expect(value(inCancelled(shieldScope(LowLevel.effectiveDeadline)))).to.deep.equal(
        Exit.succeed(Infinity)
      )
    })
  })

  describe('nurseries', () => {
    const { openNursery, fork } = LowLevel

    it('end when the body and all children have', () => {
      const log = trace()
      const program = openNursery({}, (nursery) =>
        pipe(
          fork(nursery, pipe(Effect.sleep(10), Effect.andThen(log.at('child')))),
          Effect.andThen(log.at('body')),
          Effect.as(1)
        )
      )
      expect(timed(program)).to.deep.equal(['ok 1', 10])
      expect(log.lines).to.deep.equal(['body@0', 'child@10'])
    })

    it('fork starts on a later turn, and always, also in a cancelled nursery', () => {
      const log = trace()
      const program = openNursery({}, (nursery) =>
        Effect.gen(function* () {
          yield* LowLevel.cancelScope(LowLevel.childrenScope(nursery))
          yield* fork(
            nursery,
            pipe(
              log.add('child'),
              Effect.andThen(Effect.checkCancelled),
              Effect.andThen(log.add('not reached'))
            )
          )
          yield* log.add('body')
        })
      )
      expect(run(program)).to.equal('ok undefined')
      expect(log.lines).to.deep.equal(['body', 'child'])
    })

    it('a nursery that has ended takes no child: a defect that says what to do', () => {
      const program = pipe(
        openNursery({ name: 'early' }, Effect.succeed),
        Effect.flatMap((nursery) => fork(nursery, Effect.unit))
      )
      expect(defectOf(TestRuntime.runExit(program)).message).to.match(
        /"early" has ended.*open the group around it/
      )
    })

    it('something else than an effect is no child', () => {
      const program = openNursery({ name: 'n' }, (nursery) => fork(nursery, undefined as never))
      expect(defectOf(TestRuntime.runExit(program)).message).to.contain('no Effect')
    })

    it('names, numbers, children and status', () => {
      const program = openNursery({ name: 'workers' }, (nursery) =>
        Effect.gen(function* () {
          const a = yield* fork(nursery, Effect.sleep(1), { name: 'a' })
          const b = yield* fork(nursery, Effect.sleep(2))
          const before = LowLevel.fiberStatus(a)
          const children = LowLevel.childrenOf(nursery)
          yield* Effect.yieldNow
          yield* LowLevel.awaitExit(a)
          return [
            LowLevel.nurseryName(nursery),
            LowLevel.fiberName(a),
            LowLevel.fiberName(b),
            LowLevel.fiberId(b) > LowLevel.fiberId(a),
            children.length === 2 && children[0] === a && children[1] === b,
            before,
            LowLevel.fiberStatus(a),
            LowLevel.fiberStatus(b),
            LowLevel.childrenOf(nursery).length
          ]
        })
      )
      const [nursery, a, b, ...rest] = value(program)
      expect([nursery, a]).to.deep.equal(['workers', 'a'])
      expect(b).to.match(/^task-\d+$/)
      expect(rest).to.deep.equal([true, true, 'pending', 'finished', 'running', 1])
    })

    it('a service is cancelled when the body and the other children have ended', () => {
      const log = trace()
      const program = openNursery({}, (nursery) =>
        pipe(
          log.at('start'),
          Effect.andThen(
            fork(nursery, pipe(Effect.never, Effect.onCancel(log.at('service'))), { service: true })
          ),
          Effect.andThen(fork(nursery, Effect.sleep(7)))
        )
      )
      expect(timed(Effect.asUnit(program))).to.deep.equal(['ok undefined', 7])
      expect(log.lines).to.deep.equal(['start@0', 'service@7'])
    })

    it('a child that fails cancels the rest, and the failure is that of the nursery', () => {
      const log = trace()
      const program = openNursery({}, (nursery) =>
        pipe(
          fork(nursery, pipe(Effect.sleep(1), Effect.andThen(Effect.fail('a') as Fx<never>))),
          Effect.andThen(fork(nursery, pipe(Effect.never, Effect.onCancel(log.add('sibling'))))),
          Effect.andThen(pipe(Effect.never, Effect.onCancel(log.add('body'))))
        )
      )
      expect(run(program)).to.equal('Fail a')
      expect([...log.lines].sort()).to.deep.equal(['body', 'sibling'])
    })

    it('an owned failure belongs to whoever looks; one at which nobody looked is a defect', () => {
      const owned = (look: (fiber: LowLevel.Fiber<string, never>) => Fx<unknown, unknown>) =>
        openNursery({}, (nursery) =>
          pipe(
            fork(nursery, Effect.fail('a') as Fx<never, string>, { supervision: 'owned' }),
            Effect.flatMap(look)
          )
        )
      expect(run(owned(LowLevel.awaitExit))).to.equal('ok Left')
      expect(run(owned((fiber) => Effect.either(LowLevel.join(fiber))))).to.equal('ok Left')
      expect(run(owned((fiber) => pipe(Effect.sleep(1), Effect.andThen(LowLevel.poll(fiber)))))).to.equal(
        'ok Some'
      )
      expect(run(owned(() => Effect.unit))).to.equal('Die UnjoinedFailure')
      // It was asked for too early, and there was nothing to see.
      expect(run(owned(LowLevel.poll))).to.equal('Die UnjoinedFailure')
    })

    it('a held child is no concern of the nursery before it is supervised', () => {
      const held = (after: (fiber: LowLevel.Fiber<never, never>) => Fx<unknown>) =>
        openNursery({}, (nursery) =>
          pipe(
            fork(nursery, pipe(Effect.sleep(5), Effect.andThen(Effect.fail('a') as Fx<never>)), {
              supervision: 'held'
            }),
            Effect.flatMap(after)
          )
        )
      expect(run(held(() => Effect.succeed(1)))).to.equal('ok 1')
      expect(run(held((fiber) => Effect.sync(() => LowLevel.supervise(fiber))))).to.equal('Fail a')
    })

    it('cancelFiber cancels one child; join then fails with TaskCancelled', () => {
      const program = openNursery({}, (nursery) =>
        Effect.gen(function* () {
          const a = yield* fork(nursery, Effect.never, { name: 'a' })
          const b = yield* fork(nursery, pipe(Effect.sleep(5), Effect.as('b')))
          yield* Effect.yieldNow
          yield* LowLevel.cancelFiber(a, 'enough')
          const joined = yield* Effect.exit(LowLevel.join(a))
          return [joined, yield* LowLevel.join(b)] as const
        })
      )
      const [joined, b] = value(program)
      expect(joined).to.deep.equal(
        Exit.fail({ _tag: 'TaskCancelled', task: 'a', reason: { _tag: 'Explicit', value: 'enough' } })
      )
      expect(b).to.equal('b')
    })

    it('openCancellableNursery: None when it was cancelled before the body had a value', () => {
      const cancelled = LowLevel.openCancellableNursery({}, (nursery) =>
        pipe(LowLevel.cancelScope(LowLevel.nurseryScope(nursery)), Effect.andThen(Effect.never))
      )
      expect(value(cancelled)).to.deep.equal(O.none)
      const afterwards = LowLevel.openCancellableNursery({}, (nursery) =>
        pipe(
          fork(nursery, Effect.never),
          Effect.andThen(LowLevel.cancelScope(LowLevel.nurseryScope(nursery))),
          Effect.as(1)
        )
      )
      expect(value(afterwards)).to.deep.equal(O.some(1))
    })

    it('a cancellation of the children leaves the body alone', () => {
      const program = openNursery({}, (nursery) =>
        Effect.gen(function* () {
          const child = yield* fork(nursery, Effect.never)
          yield* Effect.yieldNow
          yield* LowLevel.cancelScope(LowLevel.childrenScope(nursery))
          const exit = yield* LowLevel.awaitExit(child)
          yield* Effect.checkpoint
          return shown(exit)
        })
      )
      expect(run(program)).to.equal('ok Cancelled')
    })

    it('forkUnsafe starts children from plain callbacks, and gives null when the nursery has ended', () => {
      const log = trace()
      let forkNow: LowLevel.ForkUnsafe<unknown> | undefined
      const program = openNursery({}, (nursery) =>
        Effect.gen(function* () {
          forkNow = yield* LowLevel.forkUnsafe(nursery)
          expect(forkNow(log.add('child'), { name: 'c' })).to.not.equal(null)
          yield* log.add('body')
        })
      )
      expect(run(program)).to.equal('ok undefined')
      expect(log.lines).to.deep.equal(['body', 'child'])
      expect(forkNow?.(log.add('late'))).to.equal(null)
    })
  })

  describe('arms', () => {
    const arms =
      (fxs: ReadonlyArray<Fx<unknown, string>>, options: Partial<LowLevel.ArmsOptions> = {}) =>
      (): LowLevel.ArmsOptions => ({ kind: 'test', arm: (index) => fxs[index] ?? null, ...options })

    const steps = (log: ReturnType<typeof trace>, count: number, ms = 10) =>
      Array.from({ length: count }, (_, i) =>
        pipe(log.at(`+${i}`), Effect.andThen(Effect.sleep(ms)), Effect.andThen(log.at(`-${i}`)), Effect.as(i))
      )

    it('all: the values in the order of the arms, which start inline and in order', () => {
      const log = trace()
      const program = LowLevel.all(arms([pipe(Effect.sleep(9), Effect.as('a')), log.add('b'), log.add('c')]))
      expect(run(program)).to.equal('ok ["a",null,null]')
      expect(log.lines).to.deep.equal(['b', 'c'])
      expect(run(LowLevel.all(arms([])))).to.equal('ok []')
    })

    it('all with a concurrency: no more at a time, and the next starts when one has ended', () => {
      const log = trace()
      expect(timed(LowLevel.all(arms(steps(log, 5), { concurrency: 2 })))).to.deep.equal([
        'ok [0,1,2,3,4]',
        30
      ])
      let running = 0
      for (const line of log.lines) {
        running += line.startsWith('+') ? 1 : -1
        expect(running).to.be.at.most(2)
      }
    })

    it('a concurrency that is not at least 1 is a defect', () => {
      for (const concurrency of [0, -1, NaN, 0.5]) {
        expect(defectOf(TestRuntime.runExit(LowLevel.all(arms([], { concurrency }))))).to.be.instanceOf(
          RangeError
        )
      }
    })

    it('all: the first failure cancels the others, and no arm starts any more', () => {
      const log = trace()
      const program = LowLevel.all(
        arms(
          [
            pipe(Effect.never, Effect.onCancel(log.add('cancelled'))),
            pipe(Effect.sleep(1), Effect.andThen(Effect.fail('a'))),
            log.add('not reached')
          ],
          { concurrency: 2 }
        )
      )
      expect(run(program)).to.equal('Fail a')
      expect(log.lines).to.deep.equal(['cancelled'])
    })

    it('all: an arm that fails inline lets the later ones not start', () => {
      const log = trace()
      expect(run(LowLevel.all(arms([Effect.fail('a'), log.add('not reached')])))).to.equal('Fail a')
      expect(log.lines).to.deep.equal([])
    })

    it('a source that throws is a defect; the arms that run are cancelled and awaited', () => {
      const log = trace()
      const program = LowLevel.all(() => ({
        kind: 'test',
        arm: (index) => {
          if (index === 1) throw new Error('bug')
          return pipe(
            Effect.never,
            Effect.ensuring(pipe(Effect.sleep(1), Effect.andThen(log.add('cleaned up'))))
          )
        }
      }))
      expect(run(program)).to.equal('Die bug')
      expect(log.lines).to.deep.equal(['cleaned up'])
    })

    it('each run asks for its arms anew', () => {
      let made = 0
      const program = LowLevel.all(() => {
        made++
        let left = 2
        return { kind: 'test', arm: () => (left-- > 0 ? Effect.succeed(made) : null) }
      })
      expect([value(program), value(program)]).to.deep.equal([
        [1, 1],
        [2, 2]
      ])
    })

    it('an arm that is no effect is a defect', () => {
      const program = LowLevel.all(() => ({
        kind: 'test',
        arm: (index) => (index === 0 ? (1 as never) : null)
      }))
      expect(run(program)).to.match(/^Die Expected an Effect, but got 1/)
    })

    it('validateAll: all the failures in the order of the arms; only a defect cancels the others', () => {
      const failing = (ms: number, name: string) => pipe(Effect.sleep(ms), Effect.andThen(Effect.fail(name)))
      const exit = TestRuntime.runExit(
        LowLevel.validateAll(arms([failing(9, 'a'), Effect.succeed(1), failing(1, 'b')]))
      )
      expect(exit).to.deep.equal(Exit.fail(['a', 'b'] as never))
      expect(run(LowLevel.validateAll(arms([Effect.succeed(1), Effect.succeed(2)])))).to.equal('ok [1,2]')
      const log = trace()
      const dying = LowLevel.validateAll(
        arms([
          pipe(Effect.never, Effect.onCancel(log.add('cancelled'))),
          pipe(Effect.sleep(1), Effect.andThen(Effect.die('x')))
        ])
      )
      expect(run(dying)).to.equal('Die x')
      expect(log.lines).to.deep.equal(['cancelled'])
    })

    it('firstToEnd: a value or a failure; the losers are cancelled and awaited', () => {
      const log = trace()
      const loser = pipe(
        Effect.never,
        Effect.ensuring(pipe(Effect.sleep(10), Effect.andThen(log.add('loser'))))
      )
      expect(timed(LowLevel.firstToEnd([loser, pipe(Effect.sleep(1), Effect.as(1))]))).to.deep.equal([
        'ok 1',
        11
      ])
      expect(
        run(LowLevel.firstToEnd([loser, pipe(Effect.sleep(1), Effect.andThen(Effect.fail('a')))]))
      ).to.equal('Fail a')
      expect(log.lines).to.deep.equal(['loser', 'loser'])
      const noisy = pipe(Effect.never, Effect.ensuring(Effect.fail('f')))
      expect(run(LowLevel.firstToEnd([noisy, pipe(Effect.sleep(1), Effect.as(1))]))).to.equal('Fail f')
      expect(
        run(LowLevel.firstToEnd([noisy, pipe(Effect.sleep(1), Effect.andThen(Effect.fail('a')))]))
      ).to.equal('Then(Fail a, Fail f)')
    })

    it('firstToEnd: an arm that ends at once ends it, and later ones never start', () => {
      const log = trace()
      expect(run(LowLevel.firstToEnd([Effect.succeed(1), log.add('not reached')]))).to.equal('ok 1')
      expect(log.lines).to.deep.equal([])
    })

    it('firstToSucceed: failures are kept until none can succeed', () => {
      const failing = (ms: number, name: string) => pipe(Effect.sleep(ms), Effect.andThen(Effect.fail(name)))
      expect(run(LowLevel.firstToSucceed([failing(1, 'a'), pipe(Effect.sleep(2), Effect.as(1))]))).to.equal(
        'ok 1'
      )
      expect(run(LowLevel.firstToSucceed([failing(2, 'a'), failing(1, 'b')]))).to.equal(
        'Both(Fail b, Fail a)'
      )
      expect(
        run(
          LowLevel.firstToSucceed([failing(2, 'a'), pipe(Effect.sleep(1), Effect.andThen(Effect.die('x')))])
        )
      ).to.equal('Die x')
    })

    it('a cancellation from outside reaches all arms, and they are awaited', () => {
      const log = trace()
      const arm = pipe(Effect.never, Effect.ensuring(pipe(Effect.sleep(3), Effect.andThen(log.add('ended')))))
      const program = LowLevel.withinScope(named('s', { after: 1 }))(LowLevel.all(arms([arm, arm])))
      expect(timed(program)).to.deep.equal(['ok None', 4])
      expect(log.lines).to.deep.equal(['ended', 'ended'])
    })

    it('a name that throws is that of the place', () => {
      const name = () => {
        throw new Error('bug')
      }
      expect(run(LowLevel.all(arms([Effect.never, Effect.fail('a')], { name })))).to.equal('Fail a')
      const self = LowLevel.operation((fiber) => LowLevel.selfName(fiber))
      expect(value(LowLevel.all(arms([self], { name })))).to.deep.equal(['test[0]'])
    })

    it('arms are named by their place, or as told', () => {
      const self = LowLevel.operation((fiber) => LowLevel.selfName(fiber))
      expect(value(LowLevel.all(arms([self, self])))).to.deep.equal(['test[0]', 'test[1]'])
      expect(value(LowLevel.all(arms([self, self], { name: (i) => `arm ${i}` })))).to.deep.equal([
        'arm 0',
        'arm 1'
      ])
    })
  })

  it('currentRun describes what is alive', () => {
    const program = LowLevel.openNursery({}, (nursery) =>
      Effect.gen(function* () {
        yield* LowLevel.fork(nursery, Effect.never, { name: 'child', service: true })
        yield* Effect.yieldNow
        return (yield* LowLevel.currentRun).describe()
      })
    )
    expect(value(program)).to.equal(
      'main running\n└─ group "group"\n   └─ child running, waits on never since 0 ms'
    )
  })
})
