/**
 * `Main`, looked at from outside: programs run as child processes.
 */
import { expect } from 'chai'
import { type Ran, type RunOptions, runProgram } from '../../support/program.js'

const run = (program: string, options: RunOptions = {}, ...args: ReadonlyArray<string>): Promise<Ran> =>
  runProgram('build/test/interop/node/fixtures/programs.js', [program, ...args], options)

/** Sends one signal after the other, each when the output so far holds its text. */
const signals = (
  ...steps: ReadonlyArray<readonly [string, NodeJS.Signals]>
): Pick<RunOptions, 'onOutput'> => {
  let next = 0
  return {
    onOutput: (soFar, child) => {
      const step = steps[next]
      if (step === undefined || !soFar.includes(step[0])) return
      next++
      child.kill(step[1])
    }
  }
}

const text = (...lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\n`).join('')

const ended = (code: number, stdout: string, stderr = ''): Ran => ({ code, signal: null, stdout, stderr })

describe('Main', () => {
  describe('exit codes, and what is printed', () => {
    it('0 after a value, and nothing is printed', async () => {
      expect(await run('value')).to.deep.equal(ended(0, text('done')))
    })

    it('1 after a failure, which is printed on standard error', async () => {
      expect(await run('fail')).to.deep.equal(ended(1, '', text('Fail: NotFound { id: 3 }')))
    })

    it('1 after a defect, also of a program that throws at once', async () => {
      expect(await run('die')).to.deep.equal(ended(1, '', text('Die: Error: bug')))
    })

    it('1 for something that is no effect', async () => {
      const { code, stderr } = await run('no effect')
      expect(code).to.equal(1)
      expect(stderr).to.match(/^Die: TypeError: Expected an Effect, but got undefined\./)
    })

    it('all that went wrong is printed', async () => {
      expect(await run('two failures')).to.deep.equal(
        ended(1, '', text('Fail: "a"', 'Fail: NotFound { id: 3 }'))
      )
    })

    it('process.exitCode is 1 until the program has succeeded', async () => {
      expect(await run('exit code on the way')).to.deep.equal(ended(0, text('at first 1', 'later 1')))
    })

    it('a program that leaves by itself has not succeeded', async () => {
      expect(await run('process.exit')).to.deep.equal(ended(1, ''))
    })

    it('the option exitCode decides by exit and signal, and may leave it at the usual one', async () => {
      const code = async (what: string, options?: RunOptions) => (await run('exitCode', options, what)).code
      expect(await code('value')).to.equal(17)
      expect(await code('failure')).to.equal(42)
      expect(await code('defect')).to.equal(1)
      expect(await code('signal', { signalAfter: 'ready' })).to.equal(99)
    })

    it('a failure is printed whatever the option exitCode says', async () => {
      expect((await run('exitCode', {}, 'failure')).stderr).to.equal(text('Fail: "no"'))
    })
  })

  describe('signals', () => {
    it('SIGINT runs the clean-up, prints nothing and gives 130', async () => {
      expect(await run('cleanUp', { signalAfter: 'ready' })).to.deep.equal(
        ended(130, text('ready', 'cleaning', 'cleaned'))
      )
    })

    it('SIGTERM runs the clean-up, prints nothing and gives 143', async () => {
      expect(await run('cleanUp', { signalAfter: 'ready', signal: 'SIGTERM' })).to.deep.equal(
        ended(143, text('ready', 'cleaning', 'cleaned'))
      )
    })

    it('a clean-up that fails is printed, with the name of the program and the signal', async () => {
      expect(await run('clean-up fails', { signalAfter: 'ready' })).to.deep.equal(
        ended(
          130,
          text('ready', 'cleaning'),
          text('Cancelled: scope "app", Shutdown SIGINT', 'Die: Error: the disk is full')
        )
      )
    })

    it('a clean-up that overruns its grace is cut, and named', async () => {
      expect(await run('grace', { signalAfter: 'ready' })).to.deep.equal(
        ended(
          130,
          text('ready', 'cleaning'),
          text('Cancelled: scope "main", Shutdown SIGINT', 'Die: CleanupOverran, task "main", grace 50 ms')
        )
      )
    })

    it('a program that has its value in spite of a signal gives the code of the signal', async () => {
      expect(await run('value in spite of a signal', { signalAfter: 'ready' })).to.deep.equal(
        ended(130, text('ready', 'done'))
      )
    })

    /** How long something waits is the host's business. */
    const timeless = (tree: string) => tree.replace(/ since \d+ ms/g, '')
    const stubbornTree = [
      'main cancelling, waits on TaskGroup',
      '└─ group "group"',
      '   └─ flusher cancelling, waits on never'
    ]

    it('a second signal prints what is alive, and leaves at once', async () => {
      const exit = await run('stubborn', signals(['ready', 'SIGINT'], ['still cleaning', 'SIGINT']))
      expect({ ...exit, stderr: timeless(exit.stderr) }).to.deep.equal(
        ended(
          130,
          text('ready', 'cleaning', 'still cleaning'),
          text('SIGINT again: leaving at once. Still alive:', ...stubbornTree)
        )
      )
    })

    it('a signal that comes twice at once, from the terminal and from npm, is one', async () => {
      expect(await run('signals that are passed on')).to.deep.equal(
        ended(130, text('ready', 'cleaning', 'cleaned'))
      )
    })

    it('a second signal may be another one, whose code it is then', async () => {
      const { code, stderr } = await run('stubborn', signals(['ready', 'SIGINT'], ['cleaning', 'SIGTERM']))
      expect(code).to.equal(143)
      expect(stderr).to.match(/^SIGTERM again: leaving at once/)
    })

    it('what still waits 5 s after a signal is named, once', async () => {
      const before = performance.now()
      const { code, stderr } = await run(
        'stubborn',
        signals(['ready', 'SIGTERM'], ['longer than 5 s', 'SIGTERM'])
      )
      expect(performance.now() - before).to.be.within(5000, 9000)
      expect(code).to.equal(143)
      expect(timeless(stderr)).to.equal(
        text(
          'Clean-up after SIGTERM takes longer than 5 s. Still alive:',
          ...stubbornTree,
          'SIGTERM again: leaving at once. Still alive:',
          ...stubbornTree
        )
      )
    }).timeout(15_000)

    it('SIGUSR2 prints what is alive, and the program goes on', async () => {
      const { code, stdout, stderr } = await run(
        'tree',
        signals(['ready', 'SIGUSR2'], ['Alive', 'SIGUSR2'], ['Alive', 'SIGINT'])
      )
      expect(code).to.equal(130)
      expect(stdout).to.equal(text('ready', 'reader has stopped'))
      const tree = text(
        'Alive:',
        'main running, waits on all',
        '└─ group "all"',
        '   ├─ reader running, waits on never',
        '   └─ timer running, waits on sleep'
      )
      expect(timeless(stderr).startsWith(tree)).to.equal(true)
    })

    it('that comes from the first steps of the program is not lost', async () => {
      expect(await run('signal in the first steps')).to.deep.equal(
        ended(143, text('still before the first checkpoint', 'cancelled'))
      )
    })

    it('that comes before the first turn lets the program run to its first checkpoint', async () => {
      expect(await run('signal before the first turn')).to.deep.equal(ended(130, text('started')))
    })

    it('handlers that were there before still run, and stay', async () => {
      expect(await run('own handlers', { signalAfter: 'ready' })).to.deep.equal(
        ended(130, text('ready', 'own handler', 'cleaning', 'cleaned', 'handlers 1 0 0'))
      )
    })
  })

  describe('the process', () => {
    it('stays while the program waits in memory only', async () => {
      // Without anything to wait for at the host it would end at once, before there is a signal.
      let waiting = false
      const onOutput: RunOptions['onOutput'] = (_, child) => {
        if (!waiting) setTimeout(() => child.kill('SIGINT'), 300)
        waiting = true
      }
      expect(await run('memory', { onOutput })).to.deep.equal(ended(130, text('ready')))
    })

    it('ends by itself when the program has: no timer, no handler is left', async () => {
      const before = performance.now()
      expect(await run('nothing left')).to.deep.equal(ended(0, text('done', 'handlers 0 0 0')))
      expect(performance.now() - before).to.be.below(5000)
    })

    const closeOutput: Pick<RunOptions, 'onOutput'> = { onOutput: (_soFar, child) => child.stdout?.destroy() }

    it('ends as by SIGPIPE when nobody reads its standard output: with clean-up, without a word', async () => {
      const { code, stderr } = await run('standard output closed', closeOutput)
      expect([code, stderr]).to.deep.equal([141, text('cleaned')])
    })

    it('keeps the code of a signal when nobody reads what the clean-up says', async () => {
      const { code, stderr } = await run('cleanUp', {
        onOutput: (_soFar, child) => {
          child.stdout?.destroy()
          child.kill('SIGINT')
        }
      })
      expect([code, stderr]).to.deep.equal([130, ''])
    })

    it('goes on when it sees to a closed standard output itself', async () => {
      const { code, stderr } = await run('standard output watched', closeOutput)
      expect(code).to.equal(0)
      expect(stderr).to.match(/^(seen\n)+done\n$/)
    })

    it('says by its code when nobody has read all of its standard output', async () => {
      const { code, stderr } = await run('standard output closed at the end', closeOutput)
      expect([code, stderr]).to.deep.equal([141, ''])
    })

    describe('whose standard output somebody holds, and does not read', () => {
      const stalled = (again: string): Pick<RunOptions, 'onOutput'> => {
        const { onOutput } = signals(['ready', 'SIGINT'], [again, 'SIGINT'])
        let isHeld = false
        return {
          onOutput: (soFar, child) => {
            if (!isHeld) {
              isHeld = true
              child.stdout?.pause()
              child.once('exit', () => child.stdout?.resume())
            }
            onOutput?.(soFar, child)
          }
        }
      }

      it('is kept by it after the clean-up, and ended by a second signal at once', async () => {
        const { signal, stderr } = await run('standard output stalled', stalled('ended'))
        expect([signal, stderr]).to.deep.equal(['SIGINT', text('ready', 'cleaned', 'ended')])
      })

      it('is left at once by a second signal during the clean-up', async () => {
        const { code, stderr } = await run('standard output stalled', stalled('still cleaning'), 'for ever')
        expect(code).to.equal(130)
        expect(stderr).to.include(text('still cleaning', 'SIGINT again: leaving at once. Still alive:'))
      })
    })

    it('other errors of standard output are uncaught, as everywhere in Node', async () => {
      const { code, stderr } = await run('standard output broken')
      expect(code).to.equal(1)
      expect(stderr).to.include('disk full')
    })

    it('goes on, and cleans up, when nobody reads its standard error', async () => {
      let closed = false
      const ran = await run('standard error closed', {
        onOutput: (soFar, child) => {
          if (closed || !soFar.includes('close me')) return
          closed = true
          child.stderr?.destroy()
          child.kill('SIGUSR2')
          setTimeout(() => child.kill('SIGINT'), 200)
        }
      })
      expect(ran).to.deep.equal(ended(130, text('cleaned'), text('close me')))
    })
  })
})
