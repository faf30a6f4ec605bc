// The programs of examples/stories and examples/streams: each shows what its comment says.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkProgram, checkTests, expectedOutput, root } from '../support/program.js'

for (const folder of ['examples/stories', 'examples/streams']) {
  const path = join(root, folder)
  const stories = existsSync(path) ? readdirSync(path).filter((file) => file.endsWith('.ts')) : []

  describe(folder, () => {
    for (const story of stories.sort()) {
      it(story, async () => {
        const source = readFileSync(join(path, story), 'utf8')
        if (expectedOutput(source) === undefined)
          throw new Error(`${story} does not say what it shows: // Output:`)
        const check = source.includes("from 'millrace/mocha'") ? checkTests : checkProgram
        await check(join('build', folder, story.replace(/\.ts$/, '.js')), source)
      }).timeout(20_000)
    }
  })
}
