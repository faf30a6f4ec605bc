/**
 * `Program`: effects as first-order data, which can be generated, printed, made smaller, and interpreted.
 *
 * A name (of a scope, a group, a task, a value) is an index modulo those that are in scope, so each part of a program is a
 * program as well, and any part can be left out. Ticks, failures and resources are labelled by their place.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Concurrent, Effect, Lock, MemoryStream, type Task, TaskGroup, Timeout } from 'millrace'
import { show } from './Show.js'
import type { Environment, Fx, World } from './World.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An instruction, a number (a time, an index, a value) and the programs inside.
 *
 * @category model
 * @since 0.1.0
 */
export interface Program {
  readonly op: Instruction
  readonly n: number
  readonly of: ReadonlyArray<Program>
}

/** How many programs an instruction holds. */
const arities = {
  succeed: 0,
  value: 0,
  fail: 0,
  die: 0,
  tick: 0,
  environment: 0,
  checkpoint: 0,
  checkCancelled: 0,
  yieldNow: 0,
  sleep: 0,
  never: 0,
  cancel: 0,
  join: 0,
  cancelTask: 0,
  cancelAll: 0,
  send: 0,
  receive: 0,
  map: 1,
  exit: 1,
  shielded: 1,
  moveOnAfter: 1,
  failAfter: 1,
  scope: 1,
  group: 1,
  local: 1,
  lock: 1,
  flatMap: 2,
  orElse: 2,
  catchCause: 2,
  ensuring: 2,
  onExit: 2,
  onCancel: 2,
  spawn: 2,
  spawnOwned: 2,
  both: 2,
  race: 2,
  bracket: 3
} as const

/** @category model */
export type Instruction = keyof typeof arities

/**
 * A function into programs: what it gives depends on whether its argument is even, and may use it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Arrow {
  readonly even: Program
  readonly odd: Program
}

/** @category constructors */
export const program = (op: Instruction, n = 0, of: ReadonlyArray<Program> = []): Program => ({ op, n, of })

// -------------------------------------------------------------------------------------
// printing
// -------------------------------------------------------------------------------------

const numbered = new Set<Instruction>([
  'succeed',
  'value',
  'sleep',
  'never',
  'cancel',
  'join',
  'cancelTask',
  'cancelAll',
  'send',
  'map',
  'moveOnAfter',
  'failAfter',
  'spawn',
  'spawnOwned',
  'local'
])

/** `flatMap(sleep(1), tick)`; ticks, failures and resources with the label of their place. */
export const print = (whole: Program, prefix = ''): string => {
  const at = (part: Program, place: number): string => {
    const labelled = part.op === 'tick' || part.op === 'fail' || part.op === 'die' || part.op === 'bracket'
    const head = labelled ? `${part.op}:${prefix}${place}` : part.op
    const inside: Array<string> = numbered.has(part.op) ? [String(part.n)] : []
    let next = place + 1
    for (const each of part.of) {
      inside.push(at(each, next))
      next += sizeOf(each)
    }
    return inside.length === 0 ? head : `${head}(${inside.join(', ')})`
  }
  return at(whole, 0)
}

export const printArrow = (arrow: Arrow, prefix = ''): string =>
  `even => ${print(arrow.even, `${prefix}e`)}, odd => ${print(arrow.odd, `${prefix}o`)}`

const sizes = new WeakMap<Program, number>()

/** How many instructions. */
export const sizeOf = (whole: Program): number => {
  if (whole.of.length === 0) return 1
  const known = sizes.get(whole)
  if (known !== undefined) return known
  const size = whole.of.reduce((sum, each) => sum + sizeOf(each), 1)
  sizes.set(whole, size)
  return size
}

/** Whether one of the instructions occurs. */
export const uses = (whole: Program, ...ops: ReadonlyArray<Instruction>): boolean =>
  ops.includes(whole.op) || whole.of.some((each) => uses(each, ...ops))

/** All durations times a factor. */
export const scaled =
  (factor: number) =>
  (whole: Program): Program => {
    const timed = ['sleep', 'never', 'moveOnAfter', 'failAfter'].includes(whole.op)
    return program(whole.op, timed ? whole.n * factor : whole.n, whole.of.map(scaled(factor)))
  }

// -------------------------------------------------------------------------------------
// making smaller
// -------------------------------------------------------------------------------------

const smaller = function* (whole: Program): Generator<Program> {
  const nothing = program('succeed')
  if (whole.op === 'succeed' && whole.n === 0) return
  yield nothing
  yield* whole.of
  if (whole.of.length === 0) {
    if (whole.n > 0) yield program(whole.op, 0)
    if (whole.n > 1) yield program(whole.op, whole.n - 1)
    if (whole.op !== 'succeed' && whole.op !== 'tick') yield program('tick')
    return
  }
  if (whole.n > 0) yield program(whole.op, 0, whole.of)
  for (const [place, each] of whole.of.entries()) {
    for (const less of smaller(each)) yield program(whole.op, whole.n, whole.of.with(place, less))
  }
}

class Programs extends fc.Arbitrary<Program> {
  private readonly source: fc.Arbitrary<Program>

  constructor(source: fc.Arbitrary<Program>) {
    super()
    this.source = source
  }

  generate(random: fc.Random, bias: number | undefined): fc.Value<Program> {
    return new fc.Value(this.source.generate(random, bias).value, undefined)
  }

  canShrinkWithoutContext(value: unknown): value is Program {
    return typeof value === 'object' && value !== null && 'op' in value
  }

  shrink(value: Program): fc.Stream<fc.Value<Program>> {
    return new fc.Stream(smaller(value)).map((less) => new fc.Value(less, undefined))
  }
}

// -------------------------------------------------------------------------------------
// generating
// -------------------------------------------------------------------------------------

const durations = fc.constantFrom(0, 1, 1, 2, 2, 3, 5)
const indices = fc.nat(3)
const ignored = fc.constant(0)

type Weights = Partial<Record<Instruction, number>>

const numbersOf = (op: Instruction): fc.Arbitrary<number> => {
  switch (op) {
    case 'sleep':
    case 'never':
    case 'moveOnAfter':
    case 'failAfter':
      return durations
    case 'map':
      return fc.nat(9)
    default:
      return numbered.has(op) ? indices : ignored
  }
}

const isLeaf = ([op]: readonly [Instruction, number]): boolean => arities[op] === 0

const generated = (weights: Weights, maxDepth: number): fc.Arbitrary<Program> => {
  const entries = Object.entries(weights) as ReadonlyArray<readonly [Instruction, number]>
  const { whole } = fc.letrec<{ whole: Program; leaf: Program; pause: Program; task: Program }>((tie) => ({
    leaf: fc.oneof(
      ...entries.filter(isLeaf).map(([op, weight]) => ({
        weight,
        arbitrary: numbersOf(op).map((n) => program(op, n))
      }))
    ),
    pause: fc
      .tuple(
        fc.constantFrom<Instruction>('checkpoint', 'yieldNow', 'sleep'),
        fc.constantFrom(1, 1, 2, 3),
        fc.oneof(
          { weight: 3, arbitrary: fc.constant(program('tick')) },
          { weight: 1, arbitrary: tie('leaf') }
        )
      )
      .map(([op, n, then]) => program('flatMap', 0, [program(op, op === 'sleep' ? n : 0), then])),
    task:
      weights.yieldNow === undefined
        ? tie('whole')
        : fc.oneof({ weight: 1, arbitrary: tie('whole') }, { weight: 1, arbitrary: tie('pause') }),
    whole: fc.oneof(
      { maxDepth, depthSize: 'medium', depthIdentifier: fc.createDepthIdentifier() },
      { weight: 8, arbitrary: tie('leaf') },
      ...(weights.yieldNow === undefined ? [] : [{ weight: 7, arbitrary: tie('pause') }]),
      ...(weights.cancel === undefined
        ? []
        : [
            {
              weight: weights.cancel,
              arbitrary: tie('task').map((then) =>
                program('scope', 0, [program('flatMap', 0, [program('cancel'), then])])
              )
            }
          ]),
      ...(weights.spawn === undefined
        ? []
        : [
            {
              weight: weights.spawn,
              arbitrary: fc
                .tuple(tie('task'), tie('task'))
                .map((of) => program('group', 0, [program('spawn', 0, of)]))
            },
            {
              weight: weights.spawn,
              arbitrary: fc.tuple(tie('task'), tie('task')).map((of) => program('both', 0, of))
            }
          ]),
      ...entries
        .filter((entry) => !isLeaf(entry))
        .map(([op, weight]) => ({
          weight,
          arbitrary: fc
            .tuple(numbersOf(op), ...Array.from({ length: arities[op] }, () => tie('whole')))
            .map(([n, ...of]) => program(op, n, of))
        }))
    )
  }))
  return new Programs(whole)
}

/** Never waits and never looks whether it is cancelled, except inside of a shield. */
const straightWeights: Weights = {
  succeed: 1,
  value: 2,
  tick: 5,
  fail: 3,
  die: 1,
  environment: 1,
  cancel: 1,
  map: 2,
  flatMap: 8,
  orElse: 2,
  catchCause: 2,
  exit: 1,
  ensuring: 2,
  onExit: 2,
  onCancel: 1,
  bracket: 3,
  shielded: 1,
  scope: 2,
  group: 1,
  moveOnAfter: 1,
  local: 1
}

const sequentialWeights: Weights = {
  ...straightWeights,
  checkpoint: 3,
  checkCancelled: 2,
  yieldNow: 1,
  sleep: 8,
  never: 2,
  cancel: 5,
  flatMap: 14,
  shielded: 16,
  moveOnAfter: 4,
  failAfter: 3,
  scope: 5
}

const concurrentWeights: Weights = {
  ...sequentialWeights,
  group: 6,
  spawn: 12,
  spawnOwned: 2,
  join: 3,
  cancelTask: 2,
  cancelAll: 1,
  both: 3,
  race: 2,
  lock: 2,
  send: 1,
  receive: 1
}

/** Programs without a single wait. */
export const straight: fc.Arbitrary<Program> = generated(straightWeights, 4)

/** Programs of one fiber. */
export const sequential: fc.Arbitrary<Program> = generated(sequentialWeights, 5)

/** Programs of several fibers, which may deadlock. */
export const concurrent: fc.Arbitrary<Program> = generated(concurrentWeights, 5)

/** Small ones of several fibers, whose schedules can all be tried. */
export const small: fc.Arbitrary<Program> = generated(concurrentWeights, 3)

/** Small ones of one fiber. */
export const short: fc.Arbitrary<Program> = generated(sequentialWeights, 3)

/** Small ones that end with a value, whatever happens but a cancellation. */
export const unfailing: fc.Arbitrary<Program> = generated(
  {
    succeed: 1,
    value: 2,
    tick: 4,
    checkpoint: 2,
    yieldNow: 2,
    sleep: 4,
    flatMap: 6,
    shielded: 1,
    ensuring: 1,
    group: 1
  },
  3
)

export const arrows = (programs: fc.Arbitrary<Program>): fc.Arbitrary<Arrow> =>
  fc.record({ even: programs, odd: programs })

// -------------------------------------------------------------------------------------
// interpreting
// -------------------------------------------------------------------------------------

/** The two ends of a memory stream. */
export type Ends = readonly [
  MemoryStream.MemorySendStream<unknown>,
  MemoryStream.MemoryReceiveStream<unknown>
]

/** What the names of a program stand for, the innermost last. */
export interface Names {
  readonly values: ReadonlyArray<unknown>
  readonly scopes: ReadonlyArray<CancelScope.CancelScope>
  readonly groups: ReadonlyArray<TaskGroup.TaskGroup<unknown>>
  readonly tasks: ReadonlyArray<Task.Task<unknown, unknown>>
  readonly lock: Lock.Lock | null
  readonly stream:
    readonly [MemoryStream.MemorySendStream<unknown>, MemoryStream.MemoryReceiveStream<unknown>] | null
}

export const noNames: Names = { values: [], scopes: [], groups: [], tasks: [], lock: null, stream: null }

/** A memory stream for the time of an effect. */
export const withStream = (capacity: number, use: (stream: Ends) => Fx): Fx =>
  Effect.bracket(MemoryStream.make<unknown>(capacity), use, ([send, receive]) =>
    Effect.sync(() => {
      send.closeUnsafe()
      receive.closeUnsafe()
    })
  )

const pick = <A>(those: ReadonlyArray<A>, n: number): A | undefined =>
  those[those.length - 1 - (n % those.length)]

/**
 * The effect that a program stands for.
 *
 * @category interpreting
 * @since 0.1.0
 */
export const interpret = (world: World, prefix: string, whole: Program, names: Partial<Names> = {}): Fx => {
  const given: Names = { ...noNames, ...names }
  if (given.lock === null && uses(whole, 'lock')) {
    return pipe(
      Lock.make(),
      Effect.flatMap((lock) => interpret(world, prefix, whole, { ...given, lock }))
    )
  }
  if (given.stream === null && uses(whole, 'send', 'receive')) {
    return withStream(1, (stream) => interpret(world, prefix, whole, { ...given, stream }))
  }
  return at(world, prefix, whole, 0, given)
}

/** The function that an arrow stands for. */
export const interpretArrow =
  (world: World, prefix: string, arrow: Arrow, names: Partial<Names> = {}) =>
  (value: unknown): Fx =>
    isEven(value)
      ? interpret(world, `${prefix}e`, arrow.even, { ...names, values: [value] })
      : interpret(world, `${prefix}o`, arrow.odd, { ...names, values: [value] })

const isEven = (value: unknown): boolean => typeof value !== 'number' || value % 2 === 0

const plus = (value: unknown, n: number): number => (typeof value === 'number' ? value : 0) + n

const at = (world: World, prefix: string, part: Program, place: number, names: Names): Fx => {
  const label = `${prefix}${place}`
  const { n } = part
  const inside = (index: number, more?: Partial<Names>): Fx => {
    let start = place + 1
    for (let i = 0; i < index; i++) start += sizeOf(part.of[i]!)
    return at(world, prefix, part.of[index]!, start, more === undefined ? names : { ...names, ...more })
  }
  const waits = (fx: Fx): Fx => world.watchWait(fx)
  switch (part.op) {
    case 'succeed':
      return Effect.succeed(n)
    case 'value':
      return Effect.succeed(pick(names.values, n))
    case 'fail':
      return Effect.fail(label)
    case 'die':
      return Effect.die(`defect ${label}`)
    case 'tick':
      return world.tick(label)
    case 'environment':
      return pipe(
        Effect.asks((environment: Environment) => environment.depth ?? 0),
        Effect.tap((depth) => world.tick(`${label}=${depth}`))
      )
    case 'checkpoint':
      return waits(Effect.checkpoint)
    case 'checkCancelled':
      return waits(Effect.checkCancelled)
    case 'yieldNow':
      return Effect.yieldNow
    case 'sleep':
      return waits(world.timed(n, Effect.sleep(n)))
    case 'never':
      return world.timed(n, Timeout.moveOnAfter(n)(waits(Effect.never)))
    case 'cancel':
      return pick(names.scopes, n)?.cancel() ?? Effect.unit
    case 'join':
      return waits(pick(names.tasks, n)?.join ?? Effect.unit)
    case 'cancelTask':
      return pick(names.tasks, n)?.cancel() ?? Effect.unit
    case 'cancelAll':
      return pick(names.groups, n)?.cancelAll() ?? Effect.unit
    case 'send':
      return waits(names.stream?.[0].send(n) ?? Effect.unit)
    case 'receive':
      return waits(names.stream?.[1].receive ?? Effect.unit)
    case 'map':
      return Effect.map((value: unknown) => {
        if (n === 9) throw new Error(`thrown ${label}`)
        return plus(value, n)
      })(inside(0))
    case 'exit':
      return Effect.exit(inside(0))
    case 'shielded':
      return world.watchShield(Timeout.shielded(inside(0)))
    case 'moveOnAfter':
      return world.timed(n, Timeout.moveOnAfter(n)(inside(0)))
    case 'failAfter':
      return world.timed(n, Timeout.failAfter(n, () => `late ${label}`)(inside(0)))
    case 'scope':
      return CancelScope.open((scope) => inside(0, { scopes: [...names.scopes, scope] }))
    case 'group':
      return TaskGroup.open<unknown>()((group) => inside(0, { groups: [...names.groups, group] }))
    case 'local':
      return Effect.local((environment: Environment) => ({
        ...environment,
        depth: (environment.depth ?? 0) * 2 + n
      }))(inside(0))
    case 'lock':
      return (names.lock as Lock.Lock).withLock(inside(0))
    case 'flatMap':
      return Effect.flatMap((value: unknown) => inside(1, { values: [...names.values, value] }))(inside(0))
    case 'orElse':
      return Effect.orElse((error: unknown) => inside(1, { values: [...names.values, error] }))(inside(0))
    case 'catchCause':
      return Effect.catchCause((cause: unknown) =>
        pipe(world.tick(`${label} caught ${show(cause)}`), Effect.andThen(inside(1)))
      )(inside(0))
    case 'ensuring':
      return Effect.ensuring(inside(1))(inside(0))
    case 'onExit':
      return Effect.onExit((exit) =>
        pipe(world.tick(`${label} saw ${show(exit)}`), Effect.andThen(inside(1)))
      )(inside(0))
    case 'onCancel':
      return Effect.onCancel(inside(1))(inside(0))
    case 'spawn':
    case 'spawnOwned': {
      const group = pick(names.groups, n)
      if (group === undefined) return Effect.flatMap(() => inside(1))(inside(0))
      const spawned = part.op === 'spawn' ? group.spawn(inside(0)) : group.spawnOwned(inside(0))
      return Effect.flatMap((task: Task.Task<unknown, unknown>) =>
        inside(1, { tasks: [...names.tasks, task] })
      )(spawned)
    }
    case 'both':
      return Concurrent.both(inside(1))(inside(0))
    case 'race':
      return Concurrent.race(inside(1))(inside(0))
    case 'bracket':
      return Effect.bracket(
        Effect.map((value: unknown) => {
          world.acquire(label)
          return value
        })(inside(0)),
        (value) => inside(1, { values: [...names.values, value] }),
        (_value, exit) =>
          pipe(
            Effect.sync(() => {
              world.release(label)
              world.note(`${label} released after ${show(exit)}`)
            }),
            Effect.andThen(inside(2))
          )
      )
  }
}

// -------------------------------------------------------------------------------------
// inputs of laws
// -------------------------------------------------------------------------------------

const isProgram = (value: object): value is Program => 'op' in value && 'of' in value

const isArrow = (value: object): value is Arrow => 'even' in value && 'odd' in value

/** The inputs of a law, a line each; labels of programs begin with the name of the input. */
export const printInputs = (inputs: object): string =>
  Object.entries(inputs)
    .map(([name, value]: readonly [string, unknown]) => {
      const text =
        typeof value !== 'object' || value === null
          ? String(value)
          : isProgram(value)
            ? print(value, name)
            : isArrow(value)
              ? printArrow(value, name)
              : show(value)
      return `  ${name} = ${text}`
    })
    .join('\n')

/** A function on numbers, one in ten of which throws. */
export const pure =
  (n: number, name: string) =>
  (value: unknown): number => {
    if (n === 9) throw new Error(`thrown by ${name}`)
    return plus(value, n)
  }

export const pures: fc.Arbitrary<number> = fc.nat(9)
