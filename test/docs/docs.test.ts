// The examples in doc comments, README.md and docs/, one test each. scripts/extract-docs.js has compiled them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
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
  for (const [file, examples] of byFile) {
    describe(file, () => {
      for (const { line, module, source } of examples) {
        it(`${file}:${line}`, async () => {
          const compiled = join(root, 'build/docs', `${module}.js`)
          const text = readFileSync(join(root, source), 'utf8')
          if (text.includes("from 'millrace/mocha'") && expectedOutput(text) !== undefined)
            return checkTests(compiled, text)
          if (text.includes('Main.run(') || expectedOutput(text) !== undefined)
            return checkProgram(compiled, text)
          await import(pathToFileURL(compiled).href)
          await settle()
        })
      }
    })
  }
})
