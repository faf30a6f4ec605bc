// Makes modules of the examples in the documentation, so that test/docs runs them:
//
// - the code after `@example` in the doc comments of src and laws, up to the next tag, with or without a fence;
// - the ```ts fences of README.md, CONTRIBUTING.md and docs. "```ts ignore: why" leaves one out, and has to say why.
//
// Each becomes .generated/docs/<file>/<n>.ts, compiled against the package by its own name into build/docs. A line of a
// module has the number that it has in its file, so that errors and stack traces point at the documentation.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const generated = '.generated/docs'
const output = 'build/docs'

/**
 * @typedef {{ number: number, text: string }} Line a line of a file, and its number there
 * @typedef {{ file: string, lines: ReadonlyArray<Line> }} Example
 */

/** @type {Array<string>} */
const problems = []

/** @param {string} folder @param {string} extension @returns {ReadonlyArray<string>} */
const filesIn = (folder, extension) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith(extension))
        .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
        .sort()
    : []

/** @param {string} file @returns {ReadonlyArray<Line>} */
const read = (file) =>
  readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((text, index) => ({ number: index + 1, text }))

/**
 * The fences among some lines that hold TypeScript.
 *
 * @param {string} file @param {ReadonlyArray<Line>} lines @returns {ReadonlyArray<Example>}
 */
const fences = (file, lines) => {
  /** @type {Array<Example>} */
  const found = []
  for (let i = 0; i < lines.length; i++) {
    const open = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/.exec(lines[i].text)
    if (open === null) continue
    const [, indent, fence, info] = open
    const start = i + 1
    do i++
    while (i < lines.length && !lines[i].text.trim().startsWith(fence))
    if (i === lines.length) problems.push(`${file}:${lines[start - 1].number}: this fence is never closed`)
    const [language, ...rest] = info.split(/\s+/)
    if (language !== 'ts' && language !== 'typescript') continue
    if (/^ignore\b/.test(rest[0] ?? '')) {
      if (rest.length > 1) continue
      problems.push(
        `${file}:${lines[start - 1].number}: "ts ignore" has to say why: "\`\`\`ts ignore: the reason"`
      )
      continue
    }
    const code = lines.slice(start, i).map(({ number, text }) => ({
      number,
      text: text.startsWith(indent) ? text.slice(indent.length) : text.trimStart()
    }))
    found.push({ file, lines: code })
  }
  return found
}

/** @param {string} file @returns {ReadonlyArray<Example>} */
const examplesOf = (file) => {
  /** @type {Array<Example>} */
  const found = []
  /** @type {Array<Line> | undefined} */
  let example
  let comment = false
  const close = () => {
    if (example === undefined) return
    const hasFence = example.some(({ text }) => /^\s*(`{3,}|~{3,})/.test(text))
    if (hasFence) found.push(...fences(file, example))
    else if (example.some(({ text }) => text.trim() !== '')) found.push({ file, lines: example })
    else problems.push(`${file}:${example[0]?.number ?? '?'}: this @example is empty`)
    example = undefined
  }
  for (const { number, text } of read(file)) {
    if (!comment) {
      if (!/^\s*\/\*\*/.test(text) || text.includes('*/')) continue
      comment = true
    }
    const end = text.includes('*/')
    const content = text
      .replace(/\*\/.*$/, '')
      .replace(/^\s*\/\*\*/, '')
      .replace(/^\s*\* ?/, '')
    const tag = /^@(\w+)(.*)$/.exec(content)
    if (tag !== null) {
      close()
      if (tag[1] === 'example') example = [{ number, text: tag[2] }]
    } else if (example !== undefined) {
      example.push({ number, text: content })
    }
    if (end) {
      close()
      comment = false
    }
  }
  return found
}

/** One example as a module whose lines have the numbers of the file. @param {Example} example */
const moduleOf = ({ lines }) => {
  /** @type {Array<string>} */
  const text = []
  for (const line of lines) text[line.number - 1] = line.text.trimEnd()
  return `${Array.from(text, (line) => line ?? '')
    .join('\n')
    .trimEnd()}\n\nexport {}\n`
}

const examples = [
  ...filesIn('src', '.ts').flatMap(examplesOf),
  ...filesIn('laws', '.ts').flatMap(examplesOf),
  ...['README.md', 'CONTRIBUTING.md', ...filesIn('docs', '.md')]
    .filter((file) => existsSync(file))
    .flatMap((file) => fences(file, read(file)))
]

/** @type {Map<string, number>} */
const counts = new Map()
const manifest = examples.map((example) => {
  const n = (counts.get(example.file) ?? 0) + 1
  counts.set(example.file, n)
  const module = `${example.file.replace(/\.\w+$/, '')}/${n}`
  const line = example.lines.find(({ text }) => text.trim() !== '')?.number ?? example.lines[0]?.number ?? 0
  return { file: example.file, line, module, source: `${generated}/${module}.ts` }
})

// Only what has changed is written, and only what has gone is removed: the compiler works incrementally.
const wanted = new Set(manifest.map(({ source }) => source))
for (const file of filesIn(generated, '.ts')) if (!wanted.has(file)) rmSync(file)
for (const file of filesIn(output, '.js')) {
  if (!wanted.has(file.replace(output, generated).replace(/\.js$/, '.ts'))) rmSync(file)
}
examples.forEach((example, index) => {
  const { source } = manifest[index]
  const text = moduleOf(example)
  if (existsSync(source) && readFileSync(source, 'utf8') === text) return
  mkdirSync(dirname(source), { recursive: true })
  writeFileSync(source, text)
})
mkdirSync(output, { recursive: true })
writeFileSync(`${output}/manifest.json`, `${JSON.stringify(manifest, undefined, 2)}\n`)

if (problems.length === 0 && examples.length > 0) {
  const tsc = 'node_modules/@typescript/native/bin/tsc'
  const compiler = spawnSync(process.execPath, [tsc, '-b', '--pretty', 'false', 'tsconfig.docs.json'], {
    encoding: 'utf8'
  })
  if (compiler.status !== 0) {
    const files = new Map(manifest.map(({ source, file }) => [source, file]))
    const text = `${compiler.stdout}${compiler.stderr}`.replace(
      /^(\S+\.ts)\((\d+),(\d+)\)/gm,
      (whole, source, line) => (files.has(source) ? `${files.get(source)}:${line}` : whole)
    )
    problems.push(`Examples in the documentation do not compile:\n${text.trimEnd()}`)
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exitCode = 1
}
