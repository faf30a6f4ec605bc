// Checks laws of the copy of the package that it was put into, from the one with the number in argv on, and says how each
// came out, a line of JSON each. Run by mutants.js.
import { readFileSync, writeSync } from 'node:fs'
import { flatten, ours, quick } from 'millrace/laws'

// argv: the number, how many inputs, a pattern for names; then a file with the names of laws that go first (all of them run, the
// others only until one of all notices), and whether one has noticed already.
const [first, runs, pattern, ahead, noticed] = process.argv.slice(2)
const params = { ...quick, runs: Number(runs) }

const wanted = flatten(ours).filter(
  ({ name, tags }) => new RegExp(pattern).test(name) && !tags.some((tag) => tag.startsWith('not claimed'))
)

/** @param {{ group: string, name: string }} law */
const keyOf = ({ group, name }) => `${group}: ${name}`

const early = ahead === undefined ? null : new Set(JSON.parse(readFileSync(ahead, 'utf8')))
if (early !== null) wanted.sort((a, b) => Number(early.has(keyOf(b))) - Number(early.has(keyOf(a))))
let known = noticed === 'noticed'

/** @param {object} line */
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`)

for (let at = Number(first); at < wanted.length; at++) {
  const law = wanted[at]
  if (early !== null && known && !early.has(keyOf(law))) break
  // Some of our instances are checked by the same suites, so a name alone is not enough.
  say({ at, law: keyOf(law), tags: law.tags })
  // What must be refuted needs as many inputs as the tests have.
  const needed = law.tags.includes('refuted')
    ? { ...params, runs: Math.max(params.runs, quick.runs) }
    : params
  let verdict
  try {
    verdict = law.check(needed)
  } catch (thrown) {
    verdict = { _tag: 'Falsified', report: String(thrown) }
  }
  known ||= verdict._tag === 'Falsified'
  say({ at, verdict: verdict._tag, report: verdict.report ?? verdict.reason })
}
say({ done: true })
process.exit(0)
