// The examples in doc comments, README.md and docs/, one test each. scripts/extract-docs.js has compiled them.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeAuthority } from '../../examples/support/certificates.js'
import { checkProgram, checkTests, expectedOutput, root } from '../support/program.js'

interface Entry {
  readonly file: string
  readonly line: number
  readonly module: string
  readonly source: string
}

const manifest = join(root, 'build/docs/manifest.json')
if (!existsSync(manifest)) throw new Error('The examples are not extracted: run `npm run docs` first.')
const entries = JSON.parse(readFileSync(manifest, 'utf8')) as ReadonlyArray<Entry>

const byFile = new Map<string, Array<Entry>>()
for (const entry of entries) {
  const those = byFile.get(entry.file)
  if (those === undefined) byFile.set(entry.file, [entry])
  else those.push(entry)
}

/** A promise that an example leaves behind rejects in one of the next turns: it should fail this test, not the next one. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('documentation', () => {
  // Examples of TLS read these from where they are run.
  const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
  before(() => {
    const authority = makeAuthority()
    const { cert, key } = authority.issue({ names: ['localhost'] })
    const files = { 'ca.pem': authority.ca, 'server.pem': cert, 'server.key': key }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    process.chdir(folder)
  })
  after(() => {
    process.chdir(root)
    rmSync(folder, { recursive: true })
  })

  for (const [file, examples] of byFile) {
    describe(file, () => {
      for (const { line, module, source } of examples) {
        it(`${file}:${line}`, async () => {
          const compiled = join(root, 'build/docs', `${module}.js`)
          const text = readFileSync(join(root, source), 'utf8')
          if (text.includes("from 'millrace/mocha'") && expectedOutput(text) !== undefined)
            return checkTests(compiled, text)
          if (text.includes('Main.run(') || expectedOutput(text) !== undefined)
            return checkProgram(compiled, text, folder)
          await import(pathToFileURL(compiled).href)
          await settle()
        })
      }
    })
  }
})
