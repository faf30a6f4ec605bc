/** `docs/laws.md` names each law, under its set, and none that is not there. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { flatten, ours } from 'millrace/laws'
import { everywhere } from 'millrace/laws/Equality'

const text = readFileSync(fileURLToPath(new URL('../../../docs/laws.md', import.meta.url)), 'utf8')

describe('docs/laws.md', () => {
  it('has a line for each law, and no other', () => {
    const claimed = text.slice(0, text.indexOf('## Not claimed'))
    const found = [...claimed.matchAll(/^- `(.*)`$/gm)].map(([, name]) => name)
    // Several of our instances are checked by the same suites.
    expect(found).to.deep.equal([...new Set(flatten(ours).map(({ name }) => name))])
  })

  it('has a line for each context', () => {
    const table = text.slice(0, text.indexOf('## Type classes'))
    for (const name of everywhere) expect(table).to.contain(`\`${name}\``)
  })
})
