// The arrows between the folders, as CONTRIBUTING.md says them. Type imports count too.

/** Folders of src, each with those it may import. */
const arrows = {
  attributes: [],
  effect: [],
  scope: ['effect'],
  stream: ['scope', 'effect', 'attributes'],
  interop: ['stream', 'scope', 'effect', 'attributes']
}

const folders = Object.entries(arrows).map(([folder, allowed]) => ({
  name: `${folder}-imports`,
  comment: `src/${folder} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^(src|dist)/', pathNot: [folder, ...allowed].map((name) => `^src/${name}/`) }
}))

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...folders,
    {
      name: 'internal-is-private',
      comment: 'internal/ is private to its own folder.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/([^/]+)/internal/', pathNot: '^src/$1/internal/' }
    },
    {
      name: 'internal-is-not-exported',
      comment: 'The entry points (src/*.ts) name public modules only.',
      severity: 'error',
      from: { path: '^src/[^/]+$' },
      to: { path: '/internal/' }
    },
    {
      name: 'public-modules-only',
      comment: 'laws, test, bench and examples see what users see.',
      severity: 'error',
      from: { path: '^(laws|test|bench|examples)/' },
      to: { path: '^src/.*/internal/' }
    },
    {
      name: 'by-name',
      comment: "laws, test, bench and examples import the package by its own name: 'millrace/…'.",
      severity: 'error',
      from: { path: '^(laws|test|bench|examples)/' },
      to: { path: '^(src|dist)/', dependencyTypesNot: ['aliased'] }
    },
    {
      name: 'laws-by-name',
      comment: "test, bench and examples import the laws by their name as well: 'millrace/laws'.",
      severity: 'error',
      from: { path: '^(test|bench|examples)/' },
      to: { path: '^laws/', dependencyTypesNot: ['aliased'] }
    },
    {
      name: 'laws-stand-alone',
      comment:
        'The laws are published: they know the library, and nothing of the folders beside it or of Node.',
      severity: 'error',
      from: { path: '^laws/' },
      to: { path: '^(test|bench|examples|scripts|dist|build)/|^src/(node\\.ts$|interop/(node|mocha)/)' }
    },
    {
      name: 'src-stands-alone',
      comment: 'Nothing that is published as src knows of the folders beside it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(laws|test|bench|examples|scripts|dist|build)/' }
    },
    {
      name: 'node-only-in-interop-node',
      comment:
        'Only src/interop/node touches node:*; all else runs in browsers, Deno and Bun, and so do the laws.',
      severity: 'error',
      // ambient.ts asks the host for its async context and does without where there is none; it imports nothing.
      from: { path: '^(src|laws)/', pathNot: '^src/(interop/node/|effect/internal/ambient\\.ts$)' },
      to: { dependencyTypes: ['core'] }
    },
    {
      name: 'portable-does-not-import-node',
      comment: 'No portable module imports one of src/interop/node.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(interop/node/|node\\.ts$)' },
      to: { path: '^src/(interop/node/|node\\.ts$)' }
    },
    {
      name: 'testing-is-not-production',
      comment: 'testing/ folders and interop/mocha are public, but no production file imports them.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/((testing|mocha)\\.ts$|.*/testing/|interop/mocha/)' },
      to: { path: '^src/((testing|mocha)\\.ts$|.*/testing/|interop/mocha/)' }
    },
    {
      name: 'no-entry-point-inside',
      comment: 'A module imports modules, never an entry point.',
      severity: 'error',
      from: { path: '^src/.+/' },
      to: { path: '^src/[^/]+\\.ts$' }
    },
    {
      name: 'no-cycles',
      comment: 'No cycle between files, type imports included: cycles are how modules grow together.',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'known-packages-only',
      comment: 'The published code may import its peers only.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-no-pkg', 'npm-unknown'],
        pathNot: ['node_modules/(fp-ts|io-ts)/', 'node_modules/(@types/)?mocha/']
      }
    },
    {
      name: 'laws-know-their-peers-only',
      comment: 'The laws may import fast-check and fp-ts, and no test runner.',
      severity: 'error',
      from: { path: '^laws/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-no-pkg', 'npm-unknown'],
        pathNot: ['node_modules/(fp-ts|fast-check)/']
      }
    },
    {
      name: 'resolvable',
      comment: 'Every import leads somewhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true }
    }
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/', '^build/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      mainFields: ['module', 'main', 'types']
    }
  }
}
