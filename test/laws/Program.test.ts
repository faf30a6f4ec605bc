/**
 * The inputs of the laws: that they exercise what the laws are about, print, and get smaller. And the laws as values.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { Effect } from 'millrace'
import { chooseBy, contexts, equalBySeed, everywhere, explore, observe, within } from 'millrace/laws/Equality'
import * as LawSet from 'millrace/laws/LawSet'
import {
  concurrent,
  interpret,
  print,
  program,
  type Program,
  sequential,
  sizeOf
} from 'millrace/laws/Program'
import { params } from './profile.js'

const runs = 2000

const shares = (programs: fc.Arbitrary<Program>): Readonly<Record<string, number>> => {
  const counts = { cancelled: 0, shielded: 0, tied: 0, failed: 0, succeeded: 0, deadlocked: 0, waited: 0 }
  const samples = fc.sample(fc.record({ e: programs, context: contexts(everywhere) }), {
    numRuns: runs,
    seed: params.seed
  })
  for (const { e, context } of samples) {
    const { facts, exit, time, leak } = observe(
      within(context)((w) => interpret(w, 'e', e)),
      chooseBy(params.seed),
      { watched: true }
    )
    expect(leak, print(e)).to.equal(null)
    if (facts.delivered) counts.cancelled++
    if (facts.shielded) counts.shielded++
    if (facts.tied) counts.tied++
    if (/Fail|Die/.test(exit)) counts.failed++
    if (exit.startsWith('Right')) counts.succeeded++
    if (exit === 'Deadlock') counts.deadlocked++
    if (time > 0) counts.waited++
  }
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, (100 * count) / runs]))
}

describe('the programs of the laws', () => {
  for (const [name, programs] of Object.entries({ sequential, concurrent })) {
    it(`${name} ones cancel, shield, tie, fail and wait often enough`, () => {
      const percent = shares(programs)
      expect(percent['cancelled']).to.be.at.least(30)
      expect(percent['shielded']).to.be.at.least(10)
      expect(percent['tied']).to.be.at.least(5)
      expect(percent['failed']).to.be.at.least(20)
      expect(percent['succeeded']).to.be.at.least(30)
      expect(percent['waited']).to.be.at.least(30)
      expect(percent['deadlocked']).to.be.below(10)
    })
  }

  it('concurrent ones can often run in more than one way', () => {
    const samples = fc.sample(concurrent, { numRuns: 500, seed: params.seed })
    let several = 0
    for (const e of samples) {
      const outcomes = new Set<string>()
      explore(
        (w) => interpret(w, 'e', e),
        50,
        ({ exit, trace }) => outcomes.add(`${exit} ${trace.join()}`)
      )
      if (outcomes.size > 1) several++
    }
    expect(several / 5).to.be.at.least(5)
  })

  it('print with the labels of their ticks', () => {
    const e = program('flatMap', 0, [
      program('sleep', 2),
      program('ensuring', 0, [program('tick'), program('fail')])
    ])
    expect(print(e, 'e')).to.equal('flatMap(sleep(2), ensuring(tick:e3, fail:e4))')
    const { exit, trace } = observe((w) => interpret(w, 'e', e), chooseBy(0))
    expect(exit).to.equal('Left(Fail("e4"))')
    expect(trace).to.deep.equal(['e3@2'])
  })

  it('get smaller by leaving parts out', () => {
    const details = fc.check(
      fc.property(concurrent, (e) => {
        const { exit } = observe((w) => interpret(w, 'e', e), chooseBy(0))
        expect(exit).not.to.match(/Fail/)
      }),
      { seed: params.seed }
    )
    expect(details.failed).to.equal(true)
    expect(sizeOf(details.counterexample![0])).to.be.at.most(3)
  })
})

describe('the equality of the laws', () => {
  const differ = (
    left: Effect.Effect<unknown, unknown, unknown>,
    right: typeof left,
    context: 'alone' | 'cancelled'
  ) =>
    equalBySeed(
      within({ name: context, n: 1 })(() => left),
      within({ name: context, n: 1 })(() => right),
      1,
      params
    ) !== null

  it('sees a checkpoint only where something is cancelled', () => {
    const checked = Effect.as(1)(Effect.checkCancelled)
    expect(differ(checked, Effect.of(1), 'alone')).to.equal(false)
    expect(differ(checked, Effect.of(1), 'cancelled')).to.equal(true)
  })

  it('sees time, values and causes', () => {
    expect(differ(Effect.sleep(1), Effect.sleep(2), 'alone')).to.equal(true)
    expect(differ(Effect.of(1), Effect.of(2), 'alone')).to.equal(true)
    expect(differ(Effect.fail(1), Effect.die(1), 'alone')).to.equal(true)
  })

  it('sees what was acquired and not released', () => {
    const answer = equalBySeed(
      (w) => Effect.sync(() => w.acquire('r')),
      (w) => Effect.sync(() => w.acquire('r')),
      1,
      params
    )
    expect(answer).to.have.property('_tag', 'Wrong')
  })

  it('tries all schedules', () => {
    const orders = new Set<string>()
    const all = explore(
      (w) => interpret(w, 'e', program('both', 0, [turn, turn])),
      100,
      ({ trace }) => orders.add(trace.join())
    )
    expect(all).to.equal(true)
    expect([...orders].sort()).to.deep.equal(['e3@0,e6@0', 'e6@0,e3@0'])
  })
  const turn = program('flatMap', 0, [program('yieldNow'), program('tick')])
})

describe('laws as values', () => {
  const { law, lawSet, flatten, Monoid, unsure, wrong } = LawSet
  const about = (name: string, holds: (n: number) => LawSet.Answer) =>
    law({ name, group: 'test', input: fc.nat(100), show: (n) => `n = ${n}`, holds })
  const truth = about('truth', () => null)
  const small = about('small numbers', (n) => (n < 10 ? null : wrong(`${n} is not small`)))
  const open = about('an open question', () => unsure('nobody knows'))

  it('end proved, falsified with the smallest input and its replay, or undecided', () => {
    expect(truth.check(params)).to.deep.equal({ _tag: 'Proved', runs: params.runs, undecided: 0 })
    const verdict = small.check(params)
    expect(verdict).to.have.property('_tag', 'Falsified')
    const { report, replay } = verdict as LawSet.Falsified
    expect(report).to.equal('small numbers\nn = 10\n10 is not small')
    expect(replay).to.match(/^LAWS_SEED=-?\d+ LAWS_PATH=[\d:]+ npx mocha -f "small numbers"$/)
    const [, seed, path] = /LAWS_SEED=(-?\d+) LAWS_PATH=([\d:]+)/.exec(replay)!
    const again = small.check({ ...params, seed: Number(seed), path: path! })
    expect(again).to.have.property('report', report)
    expect(open.check(params)).to.have.property('_tag', 'Undecided')
  })

  it('an equation that is meant to be refuted fails when it holds', () => {
    const question = { name: 'q', group: 'test', input: fc.nat(9), show: String }
    expect(LawSet.refuted({ ...question, holds: () => wrong('no') }).check(params)).to.have.property(
      '_tag',
      'Proved'
    )
    expect(LawSet.refuted({ ...question, holds: () => null }).check(params)).to.have.property(
      '_tag',
      'Falsified'
    )
  })

  it('a set has each law once, those of its parents first, and sets form a monoid', () => {
    const base = lawSet('base', [truth])
    const left = lawSet('left', [small], [base])
    const right = lawSet('right', [open], [base])
    expect(flatten(Monoid.concat(left, right))).to.deep.equal([truth, small, open])
    expect(flatten(Monoid.concat(Monoid.empty, left))).to.deep.equal(flatten(left))
    expect(flatten(LawSet.only(({ name }) => name === 'truth')(left))).to.deep.equal([truth])
  })

  it('the environment chooses how much is tried; what is no number is refused', () => {
    const from = (env: Readonly<Record<string, string>>) => LawSet.paramsFrom(env, () => 42)
    expect(from({})).to.deep.equal(LawSet.quick)
    expect(from({ LAWS: 'deep' })).to.deep.equal({ ...LawSet.deep, seed: 42 })
    expect(from({ LAWS_SEED: '-7', LAWS_RUNS: '9', LAWS_SCHEDULES: '3', LAWS_PATH: '1:2' })).to.deep.equal({
      ...LawSet.quick,
      seed: -7,
      runs: 9,
      schedules: 3,
      path: '1:2'
    })
    for (const wrong of ['many', '0', '-1', '1.5', 'NaN']) {
      expect(() => from({ LAWS_RUNS: wrong })).to.throw(
        `LAWS_RUNS is a whole number from 1, but was given ${wrong}.`
      )
    }
  })

  it('checkAll takes the runner of the globals, or teaches', () => {
    const { describe, it } = globalThis
    try {
      Object.assign(globalThis, { describe: undefined })
      expect(() => LawSet.checkAll(lawSet('fine', [truth]), params)).to.throw('Pass those of your runner')
    } finally {
      Object.assign(globalThis, { describe, it })
    }
  })

  it('no verdict but proved passes', () => {
    expect(() => LawSet.assertLaws(lawSet('fine', [truth]), params)).not.to.throw()
    expect(() => LawSet.assertLaws(lawSet('false', [small]), params)).to.throw(/10 is not small[^]*replay/)
    expect(() => LawSet.assertLaws(lawSet('open', [open]), params)).to.throw(/undecided/)
  })

  it('checkAll makes a test of each, and shows as pending what is not claimed', () => {
    const log: Array<string> = []
    const it = Object.assign((name: string, _body: () => void) => log.push(name), {
      skip: (name: string) => log.push(`skip ${name}`)
    })
    const rules = LawSet.except({ 'small numbers': 'there are others' })(lawSet('set', [truth, small]))
    LawSet.checkAll(rules, params, {
      describe: (name, body) => {
        log.push(name)
        body()
      },
      it
    })
    expect(log).to.deep.equal(['set', 'truth', 'skip small numbers (there are others)'])
  })
})
