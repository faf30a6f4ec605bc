/** The programs whose size and start-up are measured: what a user would write, with each system's own names. */

export type BundleSystem = 'millrace' | 'effect' | 'fp-ts'

export interface Bundle {
  /** For people. */
  readonly title: string
  /** The bar, in bytes after gzip by esbuild. */
  readonly target?: number
  /** What each program prints. */
  readonly prints: string
  readonly sources: Readonly<Partial<Record<BundleSystem, string>>>
}

const print = `(text) => { console.log(text) }`

const millraceHello = `Runtime.runPromise(Effect.sync(() => { console.log('hello') }))`
const effectHello = `Effect.runPromise(Effect.sync(() => { console.log('hello') }))`

// A scope around a group; one task sends through a channel what another part receives; an attempt that fails twice.
const millraceCore = `
const some = (value) => ({ _tag: 'Some', value })
const none = { _tag: 'None' }
let attempts = 0
const attempt = Effect.suspend(() => (++attempts < 3 ? Effect.fail('refused') : Effect.succeed(attempts)))
const program = CancelScope.open(() =>
  TaskGroup.open()((group) =>
    Effect.gen(function* () {
      const [send, receive] = yield* MemoryStream.make(4)
      yield* group.spawn(send.send('hello'))
      const count = yield* Effect.retry(({ iterNumber }) => (iterNumber < 3 ? some(1) : none))(attempt)
      return (yield* receive.receive) + count
    })
  )
)
Runtime.runPromise(Effect.map((option) => option.value)(program)).then(${print})`

const effectCore = `
let attempts = 0
const attempt = Effect.suspend(() => (++attempts < 3 ? Effect.fail('refused') : Effect.succeed(attempts)))
const program = Effect.scoped(
  Effect.gen(function* () {
    const group = yield* FiberSet.make()
    const queue = yield* Queue.bounded(4)
    yield* FiberSet.run(group, Queue.offer(queue, 'hello'))
    const count = yield* Effect.retry(attempt, Schedule.addDelay(Schedule.recurs(3), () => Effect.succeed(1)))
    return (yield* Queue.take(queue)) + count
  })
)
Effect.runPromise(program).then(${print})`

const imports = (names: ReadonlyArray<string>, path: (name: string) => string): string =>
  names.map((name) => `import * as ${name} from '${path(name)}'\n`).join('')

const folders: Readonly<Record<string, string>> = {
  Effect: 'effect',
  Runtime: 'effect',
  CancelScope: 'scope',
  TaskGroup: 'scope',
  MemoryStream: 'stream'
}
const fromMillrace = (...names: ReadonlyArray<string>): string =>
  imports(names, (name) => `millrace/${folders[name] ?? ''}/${name}`)
const fromEffect = (...names: ReadonlyArray<string>): string => imports(names, (name) => `effect/${name}`)

export const hello: Bundle = {
  title: 'hello world',
  target: 7_500,
  prints: 'hello',
  sources: {
    millrace: fromMillrace('Effect', 'Runtime') + millraceHello,
    effect: fromEffect('Effect') + effectHello,
    'fp-ts': `import * as TE from 'fp-ts/es6/TaskEither.js'\nTE.fromIO(() => { console.log('hello') })()`
  }
}

export const bundles: ReadonlyArray<Bundle> = [
  hello,
  {
    title: 'hello world, root import',
    prints: 'hello',
    sources: {
      millrace: `import { Effect, Runtime } from 'millrace'\n${millraceHello}`,
      effect: `import { Effect } from 'effect'\n${effectHello}`
    }
  },
  {
    title: 'scope, group, channel, retry',
    target: 11_000,
    prints: 'hello3',
    sources: {
      millrace: fromMillrace('Effect', 'Runtime', 'CancelScope', 'TaskGroup', 'MemoryStream') + millraceCore,
      effect: fromEffect('Effect', 'FiberSet', 'Queue', 'Schedule') + effectCore
    }
  },
  {
    title: 'the same, root import',
    prints: 'hello3',
    sources: {
      millrace: `import { CancelScope, Effect, MemoryStream, Runtime, TaskGroup } from 'millrace'\n${millraceCore}`,
      effect: `import { Effect, FiberSet, Queue, Schedule } from 'effect'\n${effectCore}`
    }
  },
  {
    title: 'everything',
    prints: 'object',
    sources: {
      millrace: `import * as everything from 'millrace'\nglobalThis.kept = everything\nconsole.log(typeof everything)`,
      effect: `import * as everything from 'effect'\nglobalThis.kept = everything\nconsole.log(typeof everything)`
    }
  }
]
