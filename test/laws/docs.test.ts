/** `docs/laws.md` names each law, under its set, and none that is not there. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { allCauses } from '../../laws/Causes.js'
import { clock } from '../../laws/Clock.js'
import { groups } from '../../laws/Groups.js'
import { interop } from '../../laws/Interop.js'
import { flatten } from '../../laws/LawSet.js'
import { layers } from '../../laws/Layers.js'
import { resources } from '../../laws/Resources.js'
import { scopes } from '../../laws/Scopes.js'
import { typeClasses } from '../../laws/TypeClasses.js'

describe('docs/laws.md', () => {
  it('has a line for each law, and no other', () => {
    const text = readFileSync(fileURLToPath(new URL('../../../docs/laws.md', import.meta.url)), 'utf8')
    const claimed = text.slice(0, text.indexOf('## Not claimed'))
    const found = [...claimed.matchAll(/^- `(.*)`$/gm)].map(([, name]) => name)
    const sets = [typeClasses, scopes, groups, allCauses, resources, clock, interop, layers]
    expect(found).to.deep.equal(sets.flatMap((set) => flatten(set).map(({ name }) => name)))
  })
})
