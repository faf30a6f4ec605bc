/** Which address is taken, in virtual time. */
import { expect } from 'chai'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import type { Exit } from 'millrace'
import { CancelScope, Effect, HappyEyeballs, TaskGroup, Timeout } from 'millrace'
import { TestRuntime } from 'millrace/testing'
import { type Fx, short } from '../support/kernel.js'

/** An address that connects or fails after so many ms, or does neither. */
interface Peer {
  readonly name: string
  readonly after: number
  readonly answers: boolean
}

const connects = (name: string, after: number): Peer => ({ name, after, answers: true })
const fails = (name: string, after: number): Peer => ({ name, after, answers: false })
const silent = (name: string): Peer => connects(name, Infinity)

/** What happened, with the time, and which connections are open. */
const network = () => {
  const log: Array<string> = []
  const open = new Set<string>()
  let zero: number | undefined
  const note = (line: string): Fx<void> =>
    Effect.map((now: number) => {
      zero ??= now
      log.push(`${Math.round(now - zero)} ${line}`)
    })(Effect.currentTime)
  const attempt = ({ name, after, answers }: Peer): Effect.Effect<unknown, string, string> =>
    Effect.gen(function* () {
      yield* note(`try ${name}`)
      yield* pipe(Effect.sleep(after), Effect.onCancel(note(`give up ${name}`)))
      if (!answers) return yield* Effect.fail(name)
      open.add(name)
      return name
    })
  const discard = (name: string): Fx<void> =>
    Effect.sync(() => {
      if (!open.delete(name)) throw new Error(`${name} is not open`)
    })
  const first = (targets: ReadonlyArray<Peer>, delay = 250) =>
    HappyEyeballs.first({ targets, delay, attempt, discard })
  return { log, open, note, first }
}

const tried = (...targets: ReadonlyArray<Peer>) => {
  const { log, open, first } = network()
  const exit = TestRuntime.runExit(first(targets))
  return { log, open: [...open], got: exit._tag === 'Right' ? exit.right : exit.left }
}

describe('HappyEyeballs', () => {
  describe('interleave', () => {
    const of = (...addresses: ReadonlyArray<string>): ReadonlyArray<HappyEyeballs.Address> =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

    it('NET-20 IPv6 comes first, then the families take turns, each in the order that was given', () => {
      const ordered = HappyEyeballs.interleave(of('1.1.1.1', '2.2.2.2', '::1', '3.3.3.3', '::2'))
      expect(ordered).to.deep.equal(of('::1', '1.1.1.1', '::2', '2.2.2.2', '3.3.3.3'))
    })

    it('an address that was given twice is there once, where it was first', () => {
      expect(HappyEyeballs.interleave(of('1.1.1.1', '2.2.2.2', '1.1.1.1'))).to.deep.equal(
        of('1.1.1.1', '2.2.2.2')
      )
      expect(HappyEyeballs.interleave([])).to.deep.equal([])
    })
  })

  describe('first', () => {
    it('the first address answers in time: no other is tried', () => {
      expect(tried(connects('a', 249), connects('b', 0))).to.deep.equal({
        log: ['0 try a'],
        open: ['a'],
        got: 'a'
      })
    })

    it('after the delay the next one joins; the first answer counts, and the others are given up', () => {
      expect(tried(silent('a'), connects('b', 100), silent('c'))).to.deep.equal({
        log: ['0 try a', '250 try b', '350 give up a'],
        open: ['b'],
        got: 'b'
      })
    })

    it('an earlier one may still win', () => {
      expect(tried(connects('a', 300), silent('b'))).to.deep.equal({
        log: ['0 try a', '250 try b', '300 give up b'],
        open: ['a'],
        got: 'a'
      })
    })

    it('one that fails makes room for the next one at once, whichever it is', () => {
      expect(tried(fails('a', 10), fails('b', 5), connects('c', 0)).log).to.deep.equal([
        '0 try a',
        '10 try b',
        '15 try c'
      ])
      expect(tried(fails('a', 260), silent('b'), connects('c', 1)).log).to.deep.equal([
        '0 try a',
        '250 try b',
        '260 try c',
        '261 give up b'
      ])
    })

    it('NET-22 all fail: the errors, in the order of the addresses', () => {
      const { got, open } = tried(fails('a', 300), fails('b', 10), fails('c', 20))
      expect(got).to.deep.equal({ _tag: 'Fail', error: ['a', 'b', 'c'] })
      expect(open).to.deep.equal([])
      expect(tried(fails('a', 5)).got).to.deep.equal({ _tag: 'Fail', error: ['a'] })
      expect(tried().got).to.deep.equal({ _tag: 'Fail', error: [] })
    })

    it('the last one has all the time that it needs', () => {
      expect(tried(fails('a', 0), connects('b', 100_000)).got).to.equal('b')
    })

    it('a delay of 0 tries all at once; without end one after the other', () => {
      const at = (delay: number) => {
        const { log, first } = network()
        TestRuntime.runExit(first([fails('a', 500), connects('b', 500)], delay))
        return log
      }
      expect(at(0)).to.deep.equal(['0 try a', '0 try b'])
      expect(at(Infinity)).to.deep.equal(['0 try a', '500 try b'])
    })

    it('what an attempt dies of is raised, and no connection is left', () => {
      const open = new Set<string>()
      const exit = TestRuntime.runExit(
        HappyEyeballs.first({
          targets: ['a', 'b'],
          delay: 1,
          attempt: (name) =>
            name === 'a'
              ? Effect.andThen(Effect.die('bug'))(Effect.sleep(5))
              : Effect.andThen(Effect.sync(() => (open.add(name), name)))(Effect.sleep(4)),
          discard: (name) => Effect.sync(() => open.delete(name))
        })
      )
      // Both at 5 ms: whichever came first, nothing is open.
      if (exit._tag === 'Left') {
        expect(short(exit.left)).to.equal('Die bug')
        expect([...open]).to.deep.equal([])
      } else expect([...open]).to.deep.equal(['b'])
    })

    const peers = fc.array(fc.record({ after: fc.integer({ min: 0, max: 12 }), answers: fc.boolean() }), {
      minLength: 1,
      maxLength: 5
    })

    it('NET-27 cancelled at any moment, and with any order of the tasks: nothing is left open', () => {
      fc.assert(
        fc.property(
          peers,
          fc.integer({ min: 0, max: 5 }),
          fc.integer({ min: 0, max: 40 }),
          fc.integer(),
          (some, delay, until, seed) => {
            const { open, log, first } = network()
            const targets = some.map((peer, i) => ({ ...peer, name: `p${i}` }))
            const exit = TestRuntime.runExit(pipe(first(targets, delay), Timeout.moveOnAfter(until)), {
              seed
            })
            if (exit._tag === 'Right') {
              const got = exit.right._tag === 'Some' ? [exit.right.value] : []
              expect([...open], log.join()).to.deep.equal(got)
            } else {
              expect([...open]).to.deep.equal([])
              expect(some.every(({ answers }) => !answers)).to.equal(true)
            }
          }
        ),
        { numRuns: 500 }
      )
    })

    it('NET-27 cancelled in the turn in which an attempt has won: nothing is left open', () => {
      for (let seed = 0; seed < 50; seed++) {
        const { open, first } = network()
        const program = TaskGroup.open<unknown>()((group) =>
          Effect.gen(function* () {
            const task = yield* group.spawnOwned(
              CancelScope.open((scope) =>
                TaskGroup.open<unknown>()((inner) =>
                  Effect.gen(function* () {
                    yield* inner.spawn(Effect.andThen(scope.cancel())(Effect.sleep(5)))
                    return yield* first([connects('a', 5), connects('b', 5)], 0)
                  })
                )
              )
            )
            return yield* task.join
          })
        )
        const exit = TestRuntime.runExit(program, { seed })
        if (exit._tag === 'Left') throw new Error(short(exit.left))
        const got = exit.right as
          Exit.Exit<never, string> | { readonly _tag: string; readonly value?: string }
        expect([...open].length, `seed ${seed}`).to.equal(got._tag === 'Some' ? 1 : 0)
      }
    })
  })
})
