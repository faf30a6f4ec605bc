// The entry points name every public module, and every public module has a path of its own.
import { expect } from 'chai'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from '../support/program.js'

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.replaceAll('\\', '/').replace(/\.ts$/, ''))

const isInternal = (path: string) => path.includes('/internal/')
const isEntry = (path: string) => !path.includes('/')
const modules = sources.filter((path) => !isInternal(path) && !isEntry(path)).sort()

/** Which entry point names a module; the mocha helpers are reached by their path only. */
const entryOf = (path: string): string | undefined =>
  path.startsWith('interop/mocha/')
    ? undefined
    : path.startsWith('interop/node/')
      ? 'millrace/node'
      : path.includes('/testing/')
        ? 'millrace/testing'
        : 'millrace'

describe('entry points', () => {
  it('src: what is not internal/ is a public module, with a capital', () => {
    expect(modules.filter((path) => !/^[A-Z]/.test(basename(path)))).to.deep.equal([])
  })

  for (const entry of ['millrace', 'millrace/node', 'millrace/testing']) {
    it(`${entry} names all of its modules and nothing else`, async () => {
      const expected = modules.filter((path) => entryOf(path) === entry).map((path) => basename(path))
      const named = Object.keys((await import(entry)) as Record<string, unknown>)
      expect(named.sort()).to.deep.equal(expected.sort())
    })
  }

  it('millrace/mocha is what its module exports', async () => {
    const entry = (await import('millrace/mocha')) as Record<string, unknown>
    const module = (await import('millrace/interop/mocha/Mocha')) as Record<string, unknown>
    expect({ ...entry }).to.deep.equal({ ...module })
  })

  for (const path of modules) {
    it(`millrace/${path} is importable, and is what its entry point names`, async () => {
      const module = (await import(`millrace/${path}`)) as unknown
      const entry = entryOf(path)
      if (entry === undefined) return
      const namespaces = (await import(entry)) as Record<string, unknown>
      expect(namespaces[basename(path)]).to.equal(module)
    })
  }

  const laws = readdirSync(join(root, 'laws'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'index.ts')
    .map((path) => path.replaceAll('\\', '/').replace(/\.ts$/, ''))

  for (const path of laws) {
    it(`millrace/laws/${path} is importable`, async () => {
      await import(`millrace/laws/${path}`)
    })
  }

  it('millrace/laws names the laws, the suites, the kits, and how they are checked', async () => {
    expect(Object.keys(await import('millrace/laws')).sort()).to.deep.equal(
      [
        // laws of ours
        ...['ours', 'typeClasses', 'scopes', 'groups', 'causes', 'resources', 'channels', 'sync'],
        ...['attributes', 'schedule', 'clock', 'interop', 'instances', 'model', 'layers'],
        // suites
        ...['functor', 'apply', 'applicative', 'chain', 'monad', 'monadThrow', 'alt', 'bifunctor'],
        ...['fromIO', 'fromTask', 'semigroup', 'monoid', 'eq', 'resource', 'objectStream'],
        ...['lock', 'semaphore', 'limiter', 'event', 'future', 'condition', 'attributesOf', 'scheduleOf'],
        ...['byteStream', 'listener', 'connectable', 'layer'],
        ...['byteStreamChecks', 'listenerChecks', 'connectableChecks', 'layerChecks', 'lawsOf', 'runCheck'],
        // what they need, and how laws are made and checked
        ...['kit', 'law', 'refuted', 'lawSet', 'wrong', 'unsure', 'irrelevant', 'flatten', 'only', 'except'],
        ...['Monoid', 'checkAll', 'assertLaw', 'assertLaws', 'LawFailed', 'quick', 'deep', 'paramsFrom'],
        'paramsOfHost'
      ].sort()
    )
  })

  for (const path of sources.filter(isInternal)) {
    it(`millrace/${path} is not importable`, async () => {
      const error = await import(`millrace/${path}`).then(
        () => undefined,
        (reason: unknown) => reason as { readonly code?: string }
      )
      expect(error?.code).to.equal('ERR_PACKAGE_PATH_NOT_EXPORTED')
    })
  }
})
