import eslint from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

/** fp-ts and io-ts have no exports map: in Node's ESM only these paths exist at run time. Types may come from anywhere. */
const fpPaths = [
  {
    regex: '^fp-ts(/(?!lib/.+\\.js$).*)?$',
    allowTypeImports: true,
    message: "Node cannot load this path: import values from 'fp-ts/lib/Module.js'."
  },
  {
    regex: '^io-ts/(?!lib/.+\\.js$)',
    allowTypeImports: true,
    message: "Node cannot load this path: import values from 'io-ts' or 'io-ts/lib/Module.js'."
  }
]

const portable = {
  regex: '^node:',
  message: 'src runs in browsers, Deno and Bun too; only src/interop/node/ touches node:* modules.'
}

const nodeGlobals = [
  'process',
  'Buffer',
  'require',
  'module',
  '__dirname',
  '__filename',
  'setImmediate',
  'global'
]

/** The services whose default implementations ask the host. */
const hostServices = ['src/effect/Clock.ts', 'src/effect/Scheduler.ts']

/** @param {string} name */
const hostOnly = (name) => ({ name, message: `${name} is Node's; only src/interop/node/ may use it.` })

export default defineConfig(
  { ignores: ['dist/', 'build/', '.generated/', 'coverage/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: fpPaths }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }
      ],

      // The library's own idioms.
      'require-yield': 'off', // `gen` without a yield is pure
      '@typescript-eslint/no-confusing-void-expression': 'off', // `() => sideEffect()` is how callbacks are written
      '@typescript-eslint/no-invalid-void-type': 'off', // `IO<void> | void`: a callback may return a clean-up
      '@typescript-eslint/no-unnecessary-type-parameters': 'off', // data-last signatures need them
      '@typescript-eslint/unified-signatures': 'off', // overloads are documented one by one
      '@typescript-eslint/no-non-null-assertion': 'off', // with noUncheckedIndexedAccess a checked index needs it
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-empty-object-type': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true }
      ],
      // Mutable state that a callback changes looks constant to this rule.
      '@typescript-eslint/no-unnecessary-condition': 'off'
    }
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/interop/node/**', 'src/node.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [...fpPaths, portable] }],
      'no-restricted-globals': ['error', ...nodeGlobals.map(hostOnly)]
    }
  },
  {
    files: hostServices,
    rules: {
      'no-restricted-globals': [
        'error',
        ...nodeGlobals.filter((name) => name !== 'setImmediate').map(hostOnly)
      ]
    }
  },
  {
    // Time and chance are services of the runtime; only their default implementations ask the host.
    files: ['src/**/*.ts'],
    ignores: [...hostServices, 'src/interop/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Ask the Clock of the run.' },
        { object: 'performance', property: 'now', message: 'Ask the Clock of the run.' },
        { object: 'Math', property: 'random', message: 'Take a seed.' }
      ]
    }
  },
  {
    // The run loop works on untyped ops; types are attached at the border, in src/effect. An `any` is still written
    // with a comment that says why.
    files: ['src/*/internal/**/*.ts', 'src/effect/**/*.ts'],
    rules: {
      'no-constant-condition': 'off',
      'no-fallthrough': 'off',
      'no-useless-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-this-alias': 'off',
      '@typescript-eslint/only-throw-error': 'off'
    }
  },
  {
    // Tests feed wrong values on purpose; benchmarks hold other libraries to the same work.
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: {
      'no-empty-pattern': 'off',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': false }],
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unused-expressions': 'off', // chai's `expect(x).to.be.true`
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off'
    }
  },
  {
    // Laws are about programs that throw anything.
    files: ['laws/**/*.ts'],
    rules: { '@typescript-eslint/only-throw-error': 'off' }
  },
  {
    // Type tests declare things only to look at their types.
    files: ['test/types/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off'
    }
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly' }
    }
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { module: 'writable', require: 'readonly', __dirname: 'readonly' }
    }
  }
)
