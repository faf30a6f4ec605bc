// The compiler never deletes. This removes compiled files whose source has gone, so that no test of a renamed module
// keeps running and nothing old is packed.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} output @param {(path: string) => string | undefined} sourceOf */
const sweep = (output, sourceOf) => {
  const folder = join(root, output)
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const source = /\.(d\.ts|js)(\.map)?$/.test(file) ? sourceOf(relative(folder, file)) : undefined
    if (source !== undefined && !existsSync(join(root, source))) rmSync(file)
  }
}

/** @param {string} path */
const toSource = (path) => path.replace(/\.(d\.ts|js)(\.map)?$/, '.ts')

sweep('dist', (path) => (path.startsWith('laws') ? toSource(path) : join('src', toSource(path))))
sweep('build', (path) => (path.startsWith('docs') ? join('.generated', toSource(path)) : toSource(path)))
