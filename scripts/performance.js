// Puts figures into docs/performance.md, so that the page is refreshed by two commands on a quiet machine:
//   npm run -s bench -- all --json > figures.json && node scripts/performance.js figures.json
// Several files are medians of several runs; the first has everything, the others may have rows alone.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'

const page = fileURLToPath(new URL('../docs/performance.md', import.meta.url))
const files = process.argv.slice(2)
if (files.length === 0) {
  process.stderr.write('usage: node scripts/performance.js FIGURES.json …\n')
  process.exit(2)
}
const runs = files.map((file) => JSON.parse(readFileSync(file, 'utf8')))
const [first] = runs

/** @param {Array<number | undefined>} values */
const median = (values) => {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b)
  return sorted.length === 0 ? undefined : sorted[(sorted.length - 1) >> 1]
}

/** The same figure of every run. @param {(run: any) => number | undefined} of */
const over = (of) => median(runs.map(of))

/** @param {number | undefined} value @param {number} digits */
const number = (value, digits) => (value === undefined ? '–' : value.toFixed(digits))

/** A row this close to its target counts as met. */
const tolerance = 1.05

/** @param {ReadonlyArray<string>} head @param {ReadonlyArray<ReadonlyArray<string>>} body @param {number} texts */
const table = (head, body, texts) =>
  [head, head.map((_, i) => (i < texts ? '---' : '---:')), ...body]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

/** @type {Record<string, () => string>} */
const parts = {
  machine: () =>
    `${first.machine.cpu}, ${first.machine.cores} cores, ${first.machine.platform}, Node ${first.machine.node.slice(1)}; ` +
    `${runs.length === 1 ? 'one run' : `medians of ${runs.length} runs`}, ${first.effort.rounds} rounds each.`,

  rows: () =>
    table(
      [
        '',
        'work',
        'Millrace ns',
        'effect ns',
        'native ns',
        'fp-ts ns',
        '/ effect',
        'target',
        '/ native',
        '/ fp-ts'
      ],
      first.rows.map((/** @type {any} */ row) => {
        /** @param {any} run */
        const same = (run) => run.rows.find((/** @type {any} */ each) => each.id === row.id)
        /** @param {string} system */
        const ns = (system) => {
          const value = over((run) => same(run)?.systems[system]?.median)
          return number(value, value !== undefined && value < 100 ? 1 : 0)
        }
        const toEffect = over((run) => same(run)?.toEffect?.median)
        const spread = over((run) => same(run)?.toEffect?.spread)
        const met = toEffect === undefined || row.target === undefined || toEffect <= row.target * tolerance
        return [
          row.id,
          row.native === undefined ? row.title : `${row.title} (${row.native})`,
          ns('millrace'),
          ns('effect'),
          ns('native'),
          ns('fpts'),
          toEffect === undefined ? '–' : `${toEffect.toFixed(2)} ±${((spread ?? 0) * 100).toFixed(0)} %`,
          row.target === undefined ? '–' : `${row.target.toFixed(2)}${met ? '' : ' **missed**'}`,
          number(
            over((run) => same(run)?.toNative?.median),
            2
          ),
          number(
            over((run) => same(run)?.toFpts?.median),
            2
          )
        ]
      }),
      2
    ),

  memory: () =>
    table(
      [
        'system',
        'a waiting fiber, B',
        'in a generator, B',
        'in a scope, B',
        'spawn and start, ns',
        'heap after a million steps, KB'
      ],
      first.memory.systems.map((/** @type {any} */ { system }) => {
        /** @param {any} run */
        const same = (run) => run.memory?.systems.find((/** @type {any} */ each) => each.system === system)
        return [
          system,
          number(
            over((run) => same(run)?.never?.bytes),
            0
          ),
          number(
            over((run) => same(run)?.gen?.bytes),
            0
          ),
          number(
            over((run) => same(run)?.scope?.bytes),
            0
          ),
          number(
            over((run) => same(run)?.never?.spawn),
            0
          ),
          number(
            over((run) => (same(run)?.growth === undefined ? undefined : same(run).growth / 1024)),
            0
          )
        ]
      }),
      1
    ),

  size: () =>
    table(
      ['program', 'system', 'esbuild', 'gzipped', 'Rollup', 'gzipped', 'target'],
      first.sizes
        .filter((/** @type {any} */ { bundler }) => bundler === 'esbuild')
        .map((/** @type {any} */ size) => {
          const other = first.sizes.find(
            (/** @type {any} */ each) =>
              each.title === size.title && each.system === size.system && each.bundler === 'rollup'
          )
          return [
            size.title,
            size.system,
            String(size.minified),
            String(size.gzipped),
            String(other.minified),
            String(other.gzipped),
            size.target === undefined
              ? '–'
              : `${String(size.target)}${size.met === false ? ' **missed**' : ''}`
          ]
        }),
      2
    ),

  startup: () =>
    [
      `An empty module takes ${number(
        over((run) => run.startup?.floor.median),
        0
      )} ms; the figures are what comes on top.`,
      '',
      table(
        ['program', 'system', 'from', 'median ms', 'least ms'],
        first.startup.scripts.map((/** @type {any} */ script, /** @type {number} */ i) => [
          script.title,
          script.system,
          script.bundled ? 'a bundle' : 'modules',
          number(
            over((run) => run.startup?.scripts[i].overFloor.median),
            1
          ),
          number(
            over((run) => run.startup?.scripts[i].overFloor.min),
            1
          )
        ]),
        3
      )
    ].join('\n'),

  compile: () =>
    table(
      ['system', 'lines', 'instantiations', 'types', 'check, s', 'whole, s'],
      first.compile.map(
        (/** @type {any} */ { system, lines, program, importOnly }, /** @type {number} */ i) => [
          system,
          String(lines),
          String(program.instantiations - importOnly.instantiations),
          String(program.types - importOnly.types),
          number(
            over(
              (run) => run.compile && run.compile[i].program.check.min - run.compile[i].importOnly.check.min
            ),
            2
          ),
          number(
            over((run) => run.compile?.[i].program.total.min),
            2
          )
        ]
      ),
      1
    )
}

let text = readFileSync(page, 'utf8')
for (const [name, render] of Object.entries(parts)) {
  const marked = new RegExp(`(<!-- figures: ${name} -->\n)[^]*?(<!-- end -->)`)
  if (!marked.test(text)) throw new Error(`docs/performance.md has no place for ${name}`)
  if (name !== 'machine' && name !== 'rows' && first[name === 'size' ? 'sizes' : name] === undefined) continue
  text = text.replace(marked, (_, begin, end) => `${begin}\n${render()}\n\n${end}`)
}
writeFileSync(page, await format(text, { ...(await resolveConfig(page)), filepath: page }))
