/** `npm run laws`, as a program. */
import { expect } from 'chai'
import { join } from 'node:path'
import { root, runProgram } from '../support/program.js'

const laws = (...args: ReadonlyArray<string>) =>
  runProgram(join(root, 'scripts/laws.js'), args, { cwd: root })

describe('npm run laws', () => {
  it('prints the verdict of each law with the number of runs', async () => {
    const { code, stdout } = await laws('Q1')
    expect(code).to.equal(0)
    expect(stdout).to.match(
      /^\nresources\n {2}proved {5}Q1 use\(of a, k\) = k\(a\) \(\d+ runs\)\n\n1 proved, 0 falsified, 0 undecided; \d+ runs in [\d.]+ s, seed -?\d+\n$/
    )
  })

  it('fails when there is no such law', async () => {
    const { code, stdout } = await laws('nonsense')
    expect(code).to.equal(1)
    expect(stdout).to.contain('No law is called nonsense.')
  })
})
