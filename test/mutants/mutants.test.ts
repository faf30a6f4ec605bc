/** The bugs of `npm run mutants` can all still be planted. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { edited, mutants } from './mutants.js'

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8')

describe('mutants', () => {
  it('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).to.equal(mutants.length)
  })

  for (const mutant of mutants) {
    it(`${mutant.name}: the text that it replaces is there`, () => {
      for (const { file } of mutant.edits) expect(edited(mutant, file, read(file))).not.to.equal(read(file))
    })
  }

  it('say so when the text is gone, or there twice', () => {
    const gone = { name: 'gone', does: 'nothing', edits: [{ file: 'a.ts', find: 'x', replace: 'y' }] }
    expect(() => edited(gone, 'a.ts', 'z')).to.throw(/gone: the text that it replaces in a.ts is gone/)
    expect(() => edited(gone, 'a.ts', 'x + x')).to.throw(/is there 2 times/)
    expect(edited(gone, 'a.ts', 'x + z')).to.equal('y + z')
    expect(edited(gone, 'b.ts', 'z')).to.equal('z')
  })
})
