/**
 * The mocha helpers, seen by a mocha that runs as a child process.
 */
import { expect } from 'chai'
import { Effect, Resource } from 'millrace'
import { it as effects, withResource } from 'millrace/mocha'
import { runProgram } from '../../support/program.js'

interface Shown {
  readonly code: number | null
  /** What tests wrote themselves. */
  readonly said: ReadonlyArray<string>
  readonly passed: ReadonlyArray<string>
  readonly pending: ReadonlyArray<string>
  /** Title and what mocha prints of it. */
  readonly failed: Readonly<Record<string, string>>
  readonly all: string
}

const mocha = async (
  spec: string,
  env: Readonly<Record<string, string>> = {},
  args: ReadonlyArray<string> = []
): Promise<Shown> => {
  const { code, stdout, stderr } = await runProgram(
    'node_modules/mocha/bin/mocha.js',
    ['--no-config', '--no-color', '--reporter', 'spec', ...args, `build/test/interop/mocha/specs/${spec}.js`],
    { env: { MILLRACE_SEED: '', ...env } }
  )
  const all = stdout + stderr
  const lines = all.split('\n')
  const matching = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line)?.[1] ?? [])
  const failures = all
    .slice(all.search(/\d+ failing/))
    .split(/^ {2}\d+\) /m)
    .slice(1)
  return {
    code,
    said: matching(/^- (.*)$/),
    passed: matching(/^\s+✔ (.*?)(?: \(\d+ms\))?$/),
    pending: matching(/^\s{2,}- (.*)$/),
    failed: Object.fromEntries(
      failures.map((text) => {
        const [title, ...rest] = text.split(/:\n/)
        return [
          (title as string)
            .split('\n')
            .map((line) => line.trim())
            .join(' '),
          rest.join(':\n')
        ]
      })
    ),
    all
  }
}

describe('millrace/mocha', function () {
  this.timeout(30_000)

  describe('tests that pass', () => {
    let shown: Shown
    before(async () => {
      shown = await mocha('passing')
    })

    it('TST-01: an effect is a test, on the host and in virtual time; others are left as they are', () => {
      expect([shown.code, shown.failed]).to.deep.equal([0, {}])
      expect(shown.passed).to.include.members(['mocha’s own', 'on the host', 'an hour passes at once'])
      expect(shown.said).to.include('answer 42')
    })

    it('TST-10: a skip inside of an effect is a skip', () => {
      expect(shown.pending).to.deep.equal([
        'mocha’s own, pending',
        'is skipped',
        'is skipped too',
        'skips itself',
        'skips itself in virtual time',
        'also where a test skips itself'
      ])
    })

    it('TST-03 TST-07: a resource is acquired before the first test of a block and released after the last', () => {
      expect(shown.passed).to.include.members([
        'is there for a test without effects',
        'and works in the background'
      ])
      expect(shown.said.filter((line) => /^(acquired|released)/.test(line))).to.deep.equal([
        'acquired 1',
        'released'
      ])
    })

    it('TST-06: a test without effects has the value of a resource', () => {
      expect(shown.passed).to.include('is there for a test without effects')
    })

    it('TST-04: what a fixture around an effect sets is seen in it, and in no other test', () => {
      expect(shown.said.filter((line) => /^(in|after|beside):/.test(line))).to.deep.equal([
        'in: Ada',
        'after: nobody',
        'beside: nobody'
      ])
    })

    it('TST-14: properties are checked run by run', () => {
      expect(shown.passed).to.include('of effects are checked by fast-check, synchronously')
    })

    it('TST-15: a test takes options of its run, and mocha’s own', () => {
      expect(shown.said).to.include.members(['with a runtime', 'ended: takes a runtime', 'with a schedule'])
      expect(shown.passed).to.include('takes its time')
    })
  })

  it('TST-02: only and skip mark effects as mocha’s do tests', async () => {
    const { code, passed, pending } = await mocha('only')
    expect([code, passed, pending]).to.deep.equal([
      0,
      ['this one', 'and this one', 'and this one without effects'],
      []
    ])
  })

  describe('tests that fail', () => {
    let shown: Shown
    before(async () => {
      shown = await mocha('failing', { MILLRACE_SEED: '5' })
    })

    const failure = (title: string): string => {
      const text = shown.failed[`failing ${title}`]
      if (text === undefined) throw new Error(`${title} did not fail: ${shown.all}`)
      return text
    }

    it('a typed failure: what, and where the test is', () => {
      expect(failure('a typed failure')).to.match(/Fail: NotFound, id 3|Fail: NotFound \{ id: 3 \}/)
      expect(failure('a typed failure')).to.match(/at .*specs\/failing\.[tj]s:\d+/)
    })

    it('an assertion: the difference, and its place', () => {
      const text = failure('chai in a generator')
      expect(text).to.contain('Die: AssertionError')
      expect(text).to.match(/\+ expected - actual/)
      expect(text).to.match(/-\s+2\n\s+\+\s+3/)
      expect(text.split('\n').find((line) => /^\s+at /.test(line))).to.match(/specs\/failing\.[tj]s:\d+/)
      expect(text).not.to.match(/dist\/|effect\/internal|Caused by|node:internal/)
    })

    it('an assertion that is a typed failure', () => {
      expect(failure('an assertion as a typed failure')).to.match(/-left\n\s+\+right/)
    })

    it('several failures: all of them', () => {
      expect(failure('several')).to.contain('Fail: "one"').and.to.contain('Die: "two"')
    })

    it('a deadlock: who waits on what', () => {
      expect(failure('a deadlock')).to.contain(
        'Error: Deadlock\na deadlock running, waits on never since 0 ms\n'
      )
    })

    it('the seed is printed, and read from the environment', async () => {
      expect(failure('node:assert in virtual time')).to.contain(
        'with seed 5; MILLRACE_SEED=5 makes the same run again'
      )
      expect(failure('node:assert in virtual time')).to.match(/-1\n\s+\+2/)
      const order = 'the order of a seed'
      const orders = await Promise.all(
        [5, 6, 7].map(async (seed) => {
          const { failed } = await mocha('failing', { MILLRACE_SEED: `${seed}` }, ['--fgrep', order])
          return /Fail: "(\w+)"/.exec(failed[`failing ${order}`] ?? '')?.[1]
        })
      )
      expect(orders[0]).to.equal(/Fail: "(\w+)"/.exec(failure(order))?.[1])
      expect(new Set(orders).size).to.be.above(1)
    })

    it('without one in the environment a seed is drawn, and printed', async () => {
      const args = ['--fgrep', 'the order of a seed']
      const first = await mocha('failing', {}, args)
      const seed = /MILLRACE_SEED=(\d+)/.exec(first.all)?.[1]
      const order = /Fail: "(\w+)"/.exec(first.all)?.[1]
      const again = await mocha('failing', { MILLRACE_SEED: `${seed}` }, args)
      expect(/Fail: "(\w+)"/.exec(again.all)?.[1]).to.equal(order)
    })

    it('a seed that is none is refused', async () => {
      const { all } = await mocha('failing', { MILLRACE_SEED: 'abc' }, ['--fgrep', 'a deadlock'])
      expect(all).to.contain('MILLRACE_SEED must be a whole number, but is "abc".')
    })
  })

  describe('tests that take too long', () => {
    let shown: Shown
    before(async () => {
      shown = await mocha('late')
    })

    it('are cancelled, and say what they were waiting for', () => {
      const text = shown.failed['late waits for ever']
      expect(text).to.contain('Timeout of 60 ms exceeded')
      expect(text).to.contain('worker running, waits on never')
      expect(text).to.match(/at .*specs\/late\.[tj]s:\d+/)
    })

    it('TST-18: nothing of them runs on beside the next test', () => {
      expect(shown.said).to.include('running 0')
    })

    it('what fails in their clean-up is told', () => {
      expect(shown.failed['late fails in its clean-up']).to.contain('no clean end')
    })

    it('clean-up that does not end is cut, and so is a wait for a promise', () => {
      expect(shown.said).to.include('cut')
      expect(shown.failed['late waits for a promise that never settles']).to.contain('waits on fromTask')
    })

    it('unless they take the time themselves', () => {
      expect(shown.passed).to.include('has the time that it sets itself')
    })

    it('an acquire that takes too long is cancelled, and a failed hook', () => {
      expect(shown.said).to.include('acquire was cancelled').and.not.to.include('run without it')
      const hook = Object.entries(shown.failed).find(([title]) => /"before all" hook: acquire/.test(title))
      expect(hook?.[1]).to.contain('Timeout of')
    })
  })

  describe('resources that fail', () => {
    let shown: Shown
    before(async () => {
      shown = await mocha('resources')
    })

    const hookOf = (title: string): string | undefined =>
      Object.entries(shown.failed).find(([name]) => name.startsWith(title))?.[1]

    it('a failing acquire is a failed hook, and the tests are not run', () => {
      expect(hookOf('cannot be acquired')).to.contain('Fail: "no such host"')
      expect(shown.said).not.to.include('run without it')
    })

    it('a failing release is a failed hook', () => {
      expect(hookOf('cannot be released')).to.contain('Die: "still busy"')
    })

    it('so is what fails in the background, and who asks for it is told', () => {
      expect(hookOf('fails while it is used')).to.contain('Die: "lost the connection"')
      expect(shown.said).to.include(
        'The resource of "fails while it is used" is not there: it has ended: Die: "lost the connection".'
      )
    })

    it('asking for it outside of a test is refused', () => {
      expect(shown.said).to.include(
        'value 1, early: The resource of "cannot be acquired" is not there: it is acquired before the first test: ' +
          'call get() inside of a test, not beside it.'
      )
    })

    it('TST-03: it is released after a test that failed', () => {
      expect(shown.said.slice(-2)).to.deep.equal(['opened', 'closed'])
      expect(hookOf('released after a failure fails')).to.contain('Fail: "no"')
    })
  })

  it('without mocha there is an error that says what to do', () => {
    const host = globalThis as { it?: unknown; describe?: unknown }
    const { it: itOfMocha, describe: describeOfMocha } = host
    delete host.it
    delete host.describe
    try {
      for (const register of [
        () => effects.effect('a', () => Effect.unit),
        () => effects('a'),
        () => withResource('a', Resource.of(1), () => undefined)
      ]) {
        expect(register).to.throw(
          TypeError,
          /millrace\/mocha found no global function (it|describe): .*`mocha file.js`/
        )
      }
    } finally {
      host.it = itOfMocha
      host.describe = describeOfMocha
    }
  })
})
