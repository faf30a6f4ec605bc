// npm runs this after `npm ci` and `npm install` in a checkout: it leaves a built tree.
// Where the compiler is not installed (`--omit=dev`, a linked folder) there is nothing to do.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = fileURLToPath(new URL('../node_modules/@typescript/native/bin/tsc', import.meta.url))

if (existsSync(tsc)) {
  const { status } = spawnSync(process.execPath, [tsc, '-b', 'tsconfig.test.json'], {
    cwd: root,
    stdio: ['ignore', 2, 2]
  })
  if (status === 0) await import('./sweep.js')
  else process.exitCode = status ?? 1
}
