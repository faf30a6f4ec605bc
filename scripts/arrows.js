// Checks the arrows between the folders (.dependency-cruiser.cjs). Says nothing when they hold.
// It fails when it saw no module: without a usable TypeScript, dependency-cruiser sees none and finds nothing wrong.
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { cruise } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

const { options, ...ruleSet } = createRequire(import.meta.url)('../.dependency-cruiser.cjs')
const roots = ['src', 'laws', 'test', 'bench', 'examples'].filter((folder) => existsSync(folder))

const { output } = await cruise(roots, { ...options, ruleSet, validate: true }, undefined, {
  tsConfig: extractTSConfig('tsconfig.json')
})

const seen = new Set(output.modules.map((module) => module.source))
const sources = roots.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
)
const missed = sources.filter((path) => !seen.has(path))

if (sources.length === 0) fail('arrows: no source file to look at')
else if (missed.length > 0) fail(`arrows: saw ${seen.size} modules, but not ${missed.join(', ')}`)
else if (!output.modules.some((module) => module.dependencies.length > 0))
  fail('arrows: saw no import at all')

const violations = output.summary.violations.filter((violation) => violation.rule.severity === 'error')
for (const { rule, from, to, cycle } of violations) {
  const comment = ruleSet.forbidden.find(({ name }) => name === rule.name)?.comment ?? ''
  const path = cycle === undefined ? to : cycle.map((step) => step.name ?? step).join(' → ')
  fail(`${rule.name}: ${from} → ${path}\n    ${comment}`)
}

/** @param {string} message */
function fail(message) {
  console.error(message)
  process.exitCode = 1
}
