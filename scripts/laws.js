// Checks all laws and says of each how it came out, and on how many inputs. Fails unless all are proved.
//
//   npm run laws                  a few hundred inputs a law, the same each time
//   LAWS=deep npm run laws        thousands, others each time
//   npm run laws -- L3 C1         those whose names begin so, or whose set is called so
//   LAWS_SEED=7 LAWS_RUNS=5000 LAWS_SCHEDULES=8 npm run laws
import { performance } from 'node:perf_hooks'
import { flatten, ours, paramsOfHost } from 'millrace/laws'

const wanted = process.argv.slice(2)
const params = paramsOfHost()
const began = performance.now()
const counts = { Proved: 0, Falsified: 0, Undecided: 0 }
let runs = 0

/** @type {Set<import('millrace/laws').Law>} */
const seen = new Set()

for (const set of ours.parents) {
  const laws = flatten(set).filter(
    (law) =>
      !seen.has(law) &&
      (wanted.length === 0 || wanted.some((name) => law.name.startsWith(name) || set.name === name))
  )
  if (laws.length > 0) console.log(`\n${set.name}`)
  for (const law of laws) {
    seen.add(law)
    const notClaimed = law.tags.find((tag) => tag.startsWith('not claimed'))
    if (notClaimed !== undefined) {
      console.log(`  ${law.name} (${notClaimed})`)
      continue
    }
    const verdict = law.check(params)
    counts[verdict._tag]++
    switch (verdict._tag) {
      case 'Proved': {
        runs += verdict.runs
        const open = verdict.undecided === 0 ? '' : `, ${verdict.undecided} undecided`
        const how = law.tags.includes('refuted') ? 'refuted, as it has to be' : `${verdict.runs} runs${open}`
        console.log(`  proved     ${law.name} (${how})`)
        break
      }
      case 'Falsified':
        console.log(
          `  FALSIFIED  ${verdict.report.replaceAll('\n', '\n    ')}\n    replay: ${verdict.replay}`
        )
        break
      case 'Undecided':
        console.log(`  UNDECIDED  ${law.name}: ${verdict.reason}`)
    }
  }
}

const seconds = ((performance.now() - began) / 1000).toFixed(1)
console.log(
  `\n${counts.Proved} proved, ${counts.Falsified} falsified, ${counts.Undecided} undecided; ${runs} runs in ${seconds} s, seed ${params.seed}`
)
if (seen.size === 0) console.log(`No law is called ${wanted.join(' or ')}.`)
if (counts.Proved === 0 || counts.Falsified + counts.Undecided > 0) process.exitCode = 1
