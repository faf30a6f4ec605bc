/** `docs/laws.md` names each law, under its set, and none that is not there. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { allCauses } from 'millrace/laws/Causes'
import { clock } from 'millrace/laws/Clock'
import { groups } from 'millrace/laws/Groups'
import { interop } from 'millrace/laws/Interop'
import { flatten } from 'millrace/laws/LawSet'
import { model } from 'millrace/laws/Model'
import { resources } from 'millrace/laws/Resources'
import { scopes } from 'millrace/laws/Scopes'
import { typeClasses } from 'millrace/laws/TypeClasses'

describe('docs/laws.md', () => {
  it('has a line for each law, and no other', () => {
    const text = readFileSync(fileURLToPath(new URL('../../../docs/laws.md', import.meta.url)), 'utf8')
    const claimed = text.slice(0, text.indexOf('## Not claimed'))
    const found = [...claimed.matchAll(/^- `(.*)`$/gm)].map(([, name]) => name)
    const sets = [typeClasses, scopes, groups, allCauses, resources, clock, interop, model]
    expect(found).to.deep.equal(sets.flatMap((set) => flatten(set).map(({ name }) => name)))
  })
})
