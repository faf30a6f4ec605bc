/**
 * Finalizers: exactly once, inner ones first, shielded, and nothing that goes wrong in them is lost.
 */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { Cause, Concurrent, Effect, type Exit, LowLevel } from 'millrace'
import { bothAll, type Fx, inCancelled, run, shown, thenAll, trace, value } from '../support/kernel.js'

const bug = new Error('bug')
const thrower = (): never => {
  throw bug
}

/** All the ways to attach a finalizer that always runs. */
const kinds: ReadonlyArray<{
  readonly name: string
  readonly attach: <A, E, E2>(finalizer: Fx<unknown, E2>) => (fx: Fx<A, E>) => Fx<A, E | E2>
}> = [
  { name: 'ensuring', attach: (finalizer) => Effect.ensuring(finalizer) },
  { name: 'onExit', attach: (finalizer) => Effect.onExit(() => finalizer) },
  {
    name: 'bracket',
    attach: (finalizer) => (fx) =>
      Effect.bracket(
        Effect.unit,
        () => fx,
        () => finalizer
      )
  },
  {
    name: 'finally of gen',
    attach: (finalizer) => (fx) =>
      Effect.gen(function* () {
        try {
          return yield* fx
        } finally {
          yield* finalizer
        }
      })
  }
]

describe('Effect: finalizers', () => {
  for (const { name, attach } of kinds) {
    describe(name, () => {
      const endings: ReadonlyArray<readonly [string, Fx<unknown, string>]> = [
        ['ok 1', Effect.succeed(1)],
        ['ok 1', pipe(Effect.sleep(1), Effect.as(1))],
        ['Fail a', Effect.fail('a')],
        ['Die bug', Effect.sync(thrower)],
        ['Both(Fail a, Die x)', Effect.failCause(bothAll<string>(Cause.fail('a'), Cause.die('x')))]
      ]

      it('runs exactly once, whatever came before, and changes nothing', () => {
        for (const [expected, fx] of endings) {
          const log = trace()
          expect(run(attach(log.add('finalizer'))(fx))).to.equal(expected)
          expect(log.lines, expected).to.deep.equal(['finalizer'])
        }
      })

      it('runs exactly once after a cancellation', () => {
        const log = trace()
        const program = LowLevel.withinScope({ name: 's', after: 5 })(
          attach(log.at('finalizer'))(Effect.never)
        )
        expect(run(pipe(log.at('start'), Effect.andThen(program)))).to.equal('ok None')
        expect(log.lines).to.deep.equal(['start@0', 'finalizer@5'])
      })

      it('is shielded: its checkpoints are not cancelled', () => {
        const log = trace()
        const slow = pipe(
          log.at('begin'),
          Effect.andThen(Effect.checkCancelled),
          Effect.andThen(Effect.sleep(10)),
          Effect.andThen(log.at('end'))
        )
        expect(run(LowLevel.withinScope({ name: 's', after: 5 })(attach(slow)(Effect.never)))).to.equal(
          'ok None'
        )
        expect(log.lines).to.deep.equal(['begin@0', 'end@10'])
      })

      it('what fails in it comes after what came before', () => {
        for (const [expected, fx] of endings) {
          const joined = expected.startsWith('ok') ? 'Fail f' : `Then(${expected}, Fail f)`
          expect(run(attach(Effect.fail('f'))(fx))).to.equal(joined)
          expect(run(attach(Effect.sync(thrower))(fx))).to.equal(joined.replace('Fail f', 'Die bug'))
        }
        const program = attach(Effect.fail('f'))(Effect.checkCancelled)
        expect(shown(value(inCancelled(program)))).to.equal('Then(Cancelled, Fail f)')
      })

      it('inner ones run first, and each failure is kept', () => {
        const log = trace()
        const finalizer = (n: number) => pipe(log.add(`${n}`), Effect.andThen(Effect.fail(`f${n}`)))
        const program = pipe(
          Effect.fail('a') as Fx<unknown, string>,
          attach(finalizer(1)),
          attach(finalizer(2)),
          attach(finalizer(3))
        )
        expect(run(program)).to.equal('Then(Fail a, Fail f1, Fail f2, Fail f3)')
        expect(log.lines).to.deep.equal(['1', '2', '3'])
      })

      it('one inside of a finalizer runs with it', () => {
        const log = trace()
        const inner = attach(log.add('inner'))(pipe(log.add('outer'), Effect.andThen(Effect.fail('o'))))
        expect(run(attach(inner)(Effect.fail('a') as Fx<unknown, string>))).to.equal('Then(Fail a, Fail o)')
        expect(log.lines).to.deep.equal(['outer', 'inner'])
      })

      it('the shield ends with it, however it ends', () => {
        for (const finalizer of [Effect.unit, Effect.fail('f'), Effect.sync(thrower), Effect.sleep(1)]) {
          const program = pipe(
            attach(finalizer as Fx<unknown, string>)(Effect.unit),
            Effect.exit,
            Effect.andThen(Effect.checkCancelled)
          )
          expect(shown(value(inCancelled(program)))).to.equal('Cancelled')
        }
      })

      it('a scope in it works as anywhere: its own deadline ends what is inside', () => {
        const log = trace()
        const finalizer = pipe(
          LowLevel.withinScope({ name: 'inner', after: 3 })(Effect.never),
          Effect.andThen(log.at('after the inner scope'))
        )
        const program = LowLevel.withinScope({ name: 's', after: 5 })(attach(finalizer)(Effect.never))
        expect(run(pipe(log.at('start'), Effect.andThen(program)))).to.equal('ok None')
        expect(log.lines).to.deep.equal(['start@0', 'after the inner scope@8'])
      })

      it('groups, tasks and parallel arms in it are shielded like itself', () => {
        const log = trace()
        const slow = (name: string) => pipe(Effect.sleep(10), Effect.andThen(log.add(name)))
        const finalizer = pipe(
          LowLevel.openNursery({}, (nursery) =>
            pipe(LowLevel.fork(nursery, slow('task')), Effect.andThen(slow('body of the group')))
          ),
          Effect.andThen(Concurrent.all([slow('arm'), slow('arm')])),
          Effect.andThen(pipe(slow('in a race'), Concurrent.race(Effect.never)))
        )
        const program = LowLevel.withinScope({ name: 's', after: 5 })(attach(finalizer)(Effect.never))
        expect(run(program)).to.equal('ok None')
        expect([...log.lines].sort()).to.deep.equal(['arm', 'arm', 'body of the group', 'in a race', 'task'])
      })

      it('a scope in it does not see the cancellation around', () => {
        const finalizer = LowLevel.withinScope({ name: 'inner' })(Effect.checkCancelled)
        const program = pipe(attach(finalizer)(Effect.fail('a') as Fx<unknown, string>))
        expect(shown(value(inCancelled(program)))).to.equal('Fail a')
      })
    })
  }

  describe('onExit', () => {
    it('sees how the effect ended', () => {
      const seen: Array<string> = []
      const see = Effect.onExit((exit: Exit.Exit<unknown, unknown>) =>
        Effect.sync(() => seen.push(shown(exit)))
      )
      run(see(Effect.succeed(1)))
      run(see(Effect.fail('a')))
      run(see(Effect.die('x')))
      run(see(Effect.failCause(thenAll<string>(Cause.fail('a'), Cause.die('x')))))
      run(inCancelled(see(Effect.checkCancelled)))
      expect(seen).to.deep.equal(['ok 1', 'Fail a', 'Die x', 'Then(Fail a, Die x)', 'Cancelled'])
    })

    it('that throws is a finalizer that failed', () => {
      expect(run(pipe(Effect.fail('a'), Effect.onExit(thrower)))).to.equal('Then(Fail a, Die bug)')
      expect(run(pipe(Effect.succeed(1), Effect.onExit(thrower)))).to.equal('Die bug')
      const program = pipe(
        Effect.succeed(1),
        Effect.onExit(thrower),
        Effect.exit,
        Effect.andThen(Effect.checkCancelled)
      )
      expect(shown(value(inCancelled(program)))).to.equal('Cancelled')
    })
  })

  describe('onCancel', () => {
    it('runs when any leaf is a cancellation, and only then', () => {
      const log = trace()
      const watch = <A, E>(name: string, fx: Fx<A, E>) => pipe(fx, Effect.onCancel(log.add(name)))
      run(watch('value', Effect.succeed(1)))
      run(watch('failure', Effect.fail('a')))
      run(watch('defect', Effect.die('x')))
      run(inCancelled(watch('value in a cancelled scope', Effect.succeed(1))))
      run(inCancelled(watch('failure in a cancelled scope', Effect.fail('a'))))
      expect(log.lines).to.deep.equal([])
      run(inCancelled(watch('cancelled', Effect.checkCancelled)))
      run(inCancelled(watch('joined', pipe(Effect.checkCancelled, Effect.ensuring(Effect.fail('f'))))))
      expect(log.lines).to.deep.equal(['cancelled', 'joined'])
    })

    it('is shielded, and what it fails with comes after', () => {
      const program = pipe(
        Effect.checkCancelled,
        Effect.onCancel(pipe(Effect.sleep(1), Effect.andThen(Effect.fail('f'))))
      )
      expect(shown(value(inCancelled(program)))).to.equal('Then(Cancelled, Fail f)')
    })
  })

  describe('bracket', () => {
    const leave = (log: ReturnType<typeof trace>) => (a: string, exit: Exit.Exit<unknown, unknown>) =>
      log.add(`release ${a}: ${shown(exit)}`)

    it('gives the value of use; release sees the resource and the exit', () => {
      const log = trace()
      const program = Effect.bracket(
        pipe(log.add('acquire'), Effect.as('r')),
        (r) => Effect.succeed(`used ${r}`),
        leave(log)
      )
      expect(run(program)).to.equal('ok used r')
      expect(log.lines).to.deep.equal(['acquire', 'release r: ok used r'])
    })

    it('an acquire that fails releases nothing', () => {
      const log = trace()
      expect(run(Effect.bracket(Effect.fail('a'), thrower, leave(log)))).to.equal('Fail a')
      expect(
        run(
          Effect.bracket(
            Effect.sync((): string => thrower()),
            () => Effect.unit,
            leave(log)
          )
        )
      ).to.equal('Die bug')
      expect(log.lines).to.deep.equal([])
    })

    it('a use or a release that throws is a defect, and the resource is released', () => {
      const log = trace()
      expect(run(Effect.bracket(Effect.succeed('r'), thrower, leave(log)))).to.equal('Die bug')
      expect(log.lines).to.deep.equal(['release r: Die bug'])
      expect(run(Effect.bracket(Effect.succeed('r'), () => Effect.fail('u'), thrower))).to.equal(
        'Then(Fail u, Die bug)'
      )
    })

    it('there is no cancel point between the value of acquire and the registration of release', () => {
      const log = trace()
      const program = Effect.bracket(
        Effect.succeed('r'),
        () => Effect.checkCancelled,
        (_, exit) => log.add(`released: ${shown(exit)}`)
      )
      expect(shown(value(inCancelled(program)))).to.equal('Cancelled')
      expect(log.lines).to.deep.equal(['released: Cancelled'])
    })

    it('at every cancel point: released exactly once and completely if it was acquired, else never', () => {
      /** Cancels the scope just before the point with this number. */
      const cancelledAt = (
        number: number
      ): { readonly log: ReadonlyArray<string>; readonly points: number } => {
        const log = trace()
        let points = 0
        const program = LowLevel.openScope({ name: 's' }, (scope) => {
          const point = pipe(
            Effect.suspend(() => (points++ === number ? LowLevel.cancelScope(scope) : Effect.unit)),
            Effect.andThen(Effect.sleep(1))
          )
          return Effect.bracket(
            pipe(point, Effect.andThen(point), Effect.andThen(log.add('acquired')), Effect.as('r')),
            () =>
              pipe(
                point,
                Effect.andThen(log.add('using')),
                Effect.andThen(point),
                Effect.andThen(log.add('used'))
              ),
            () =>
              pipe(
                point,
                Effect.andThen(log.add('releasing')),
                Effect.andThen(point),
                Effect.andThen(log.add('released'))
              )
          )
        })
        run(program)
        return { log: log.lines, points }
      }
      const whole = cancelledAt(-1)
      expect(whole).to.deep.equal({ log: ['acquired', 'using', 'used', 'releasing', 'released'], points: 6 })
      const expected = [
        [],
        [],
        ['acquired', 'releasing', 'released'],
        ['acquired', 'using', 'releasing', 'released'],
        ['acquired', 'using', 'used', 'releasing', 'released'],
        ['acquired', 'using', 'used', 'releasing', 'released']
      ]
      expect(expected.map((_, i) => cancelledAt(i).log)).to.deep.equal(expected)
    })

    it('at every moment of virtual time: the same', () => {
      const cancelledAfter = (ms: number) => {
        const log = trace()
        const step = (name: string) => pipe(Effect.sleep(10), Effect.andThen(log.add(name)))
        const program = LowLevel.withinScope({ name: 's', after: ms })(
          Effect.bracket(
            step('acquired'),
            () => step('used'),
            () => step('released')
          )
        )
        return [run(program), log.lines]
      }
      expect(cancelledAfter(0)).to.deep.equal(['ok None', []])
      expect(cancelledAfter(9)).to.deep.equal(['ok None', []])
      // The deadline was set first, so it wins the tie.
      expect(cancelledAfter(10)).to.deep.equal(['ok None', []])
      expect(cancelledAfter(11)).to.deep.equal(['ok None', ['acquired', 'released']])
      expect(cancelledAfter(20)).to.deep.equal(['ok None', ['acquired', 'released']])
      // In release: it is shielded, and the value of use is kept.
      expect(cancelledAfter(21)).to.deep.equal(['ok Some', ['acquired', 'used', 'released']])
      expect(cancelledAfter(31)).to.deep.equal(['ok Some', ['acquired', 'used', 'released']])
    })

    it('nested ones are released in reverse order, and all their failures are kept', () => {
      const log = trace()
      const resource = (name: string, use: Fx<unknown, string>) =>
        Effect.bracket(
          log.add(`+${name}`),
          () => use,
          () => pipe(log.add(`-${name}`), Effect.andThen(Effect.fail(`f${name}`)))
        )
      expect(run(resource('1', resource('2', resource('3', Effect.fail('u')))))).to.equal(
        'Then(Fail u, Fail f3, Fail f2, Fail f1)'
      )
      expect(log.lines).to.deep.equal(['+1', '+2', '+3', '-3', '-2', '-1'])
    })
  })
})
