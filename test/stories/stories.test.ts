// The programs of examples/stories: each shows what its comment says.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkProgram, checkTests, expectedOutput, root } from '../support/program.js'

const folder = join(root, 'examples/stories')
const stories = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.ts')) : []

describe('stories', () => {
  for (const story of stories.sort()) {
    it(story, async () => {
      const source = readFileSync(join(folder, story), 'utf8')
      if (expectedOutput(source) === undefined)
        throw new Error(`${story} does not say what it shows: // Output:`)
      const check = source.includes("from 'millrace/mocha'") ? checkTests : checkProgram
      await check(join('build/examples/stories', story.replace(/\.ts$/, '.js')), source)
    }).timeout(20_000)
  }
})
