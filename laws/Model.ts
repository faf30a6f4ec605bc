/**
 * The interpreter against a model of it: the same programs run by a second, deliberately naive interpreter (`model/`), whose
 * text is a specification. What the first does the second must be able to do, and on tiny programs also the other way
 * round. What is compared is what {@link keyOf} writes: the exit up to the equality of causes, all that was noted and when,
 * the time of the end, timers and fibers that are left, and what was acquired and not released.
 *
 * And laws that are checked on the model alone: one that does not hold there is no law, whatever the interpreter does.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { chooseBy, explore, keyOf, observe } from './Equality.js'
import {
  type Answer,
  irrelevant,
  type Law,
  law,
  lawSet,
  type LawSet,
  type Params,
  unsure,
  wrong
} from './LawSet.js'
import { accepts, type Found, outcomes } from './model/Search.js'
import { around, type Code, codeOf } from './model/State.js'
import type { Grain } from './model/Step.js'
import {
  concurrent,
  interpret,
  print,
  printInputs,
  type Program,
  program,
  sequential,
  short,
  small,
  straight
} from './Program.js'
import type { Side } from './Equality.js'

// -------------------------------------------------------------------------------------
// programs in surroundings that are programs
// -------------------------------------------------------------------------------------

const p = (op: Program['op'], n: number, ...of: ReadonlyArray<Program>): Program => program(op, n, of)

const afterwards = (...all: ReadonlyArray<Program>): Program =>
  all.reduceRight((then, first) => p('flatMap', 0, first, then))

const cancelled = (e: Program): Program => p('scope', 0, afterwards(p('cancel', 0), e))

const surroundings: ReadonlyArray<(e: Program, n: number) => Program> = [
  (e) => e,
  cancelled,
  (e) => cancelled(afterwards(p('exit', 0, e), p('checkpoint', 0), p('tick', 0))),
  (e) => cancelled(afterwards(p('shielded', 0, e), p('tick', 0), p('checkpoint', 0))),
  (e) => cancelled(p('ensuring', 0, p('checkpoint', 0), e)),
  (e, n) => p('moveOnAfter', n, e),
  (e, n) => p('scope', 0, p('group', 0, p('spawn', 0, afterwards(p('sleep', n), p('cancel', 0)), e))),
  (e, n) => p('group', 0, p('spawn', 0, afterwards(p('sleep', n), p('fail', 0)), e)),
  (e, n) => p('group', 0, p('spawn', 0, e, afterwards(p('sleep', n), p('cancelTask', 0), p('join', 0)))),
  (e, n) => p('race', 0, p('sleep', n), e)
]

/** Programs on their own, and in what cancels them or fails beside them. */
const surrounded = (programs: fc.Arbitrary<Program>): fc.Arbitrary<Program> =>
  fc
    .tuple(programs, fc.nat(surroundings.length - 1), fc.nat(5))
    .map(([e, which, n]) => surroundings[which]!(e, n))

// -------------------------------------------------------------------------------------
// the interpreter against the model
// -------------------------------------------------------------------------------------

const group = 'model'

/** Steps of the model for one input; beyond that it is undecided. */
const stepsOf = ({ cap }: Params): number => Math.min(8 * cap, 20_000)

const tooMany = unsure('too many steps of the model')

const some = ({ outcomes: found }: Found): string =>
  [...found]
    .slice(0, 4)
    .map((outcome) => `model: ${outcome}`)
    .join('\n')

const refines = (
  name: string,
  programs: fc.Arbitrary<Program>,
  budgets: ReadonlyArray<number>,
  grain: Grain,
  effort: number
): Law =>
  law<{ readonly e: Program; readonly seed: number }>({
    name,
    group,
    tags: ['refines'],
    input: fc.record({ e: surrounded(programs), seed: fc.nat(1_000_000) }),
    show: ({ e, seed }) => `seed ${seed}\n  e = ${print(e, 'e')}`,
    effort,
    holds: ({ e, seed }, params) => {
      const code = codeOf(e, 'e')
      const maxSteps = stepsOf(params)
      for (let i = 0; i < params.schedules; i++) {
        for (const budget of budgets) {
          const run = observe(sideOf(e), chooseBy(seed + i), { maxSteps: budget })
          const accepted = accepts(code, grain, keyOf(run), run.trace, maxSteps)
          if (accepted === null) return tooMany
          if (!accepted) {
            const steps = budget < 512 ? ` with ${budget} steps a turn` : ''
            return wrong(`run${steps}: ${keyOf(run)}\n${some(outcomes(code, grain, maxSteps))}`)
          }
        }
      }
      return null
    }
  })

const sideOf =
  (e: Program): Side =>
  (world) =>
    interpret(world, 'e', e)

/** Fibers that a program may have at most. */
const fibersOf = (e: Program): number =>
  e.of.reduce((sum, each) => sum + fibersOf(each) - 1, 1) +
  (e.op === 'spawn' || e.op === 'spawnOwned' ? 1 : e.op === 'both' || e.op === 'race' ? 2 : 0)

const nothingMissing = law<{ readonly e: Program }>({
  name: 'X4 what the model does, the interpreter does under some schedule, and the other way round: tiny programs',
  group,
  tags: ['refines'],
  input: fc.record({ e: surrounded(small) }),
  show: ({ e }) => `  e = ${print(e, 'e')}`,
  effort: 8,
  holds: ({ e }, params) => {
    const { cap } = params
    if (fibersOf(e) > 3) return irrelevant
    const runs = new Set<string>()
    const all = explore(sideOf(e), cap, (run) => runs.add(keyOf(run)))
    if (!all) return unsure(`more than ${cap} schedules`)
    return difference(
      'interpreter',
      { outcomes: runs, complete: true },
      'model',
      outcomes(codeOf(e, 'e'), 'turns', stepsOf(params))
    )
  }
})

const difference = (one: string, left: Found, other: string, right: Found): Answer => {
  if (!left.complete || !right.complete) return tooMany
  const only = (name: string, found: Found, known: Found): ReadonlyArray<string> =>
    [...found.outcomes]
      .filter((outcome) => !known.outcomes.has(outcome))
      .slice(0, 3)
      .map((outcome) => `only the ${name}: ${outcome}`)
  const lines = [...only(one, left, right), ...only(other, right, left)]
  return lines.length === 0 ? null : wrong(lines.join('\n'))
}

// -------------------------------------------------------------------------------------
// laws of the model
// -------------------------------------------------------------------------------------

/** The innermost value alone, so that it makes no difference how many there are. */
const innermost = (e: Program): Program => program(e.op, e.op === 'value' ? 0 : e.n, e.of.map(innermost))

const tick = codeOf(program('tick'), 'seen')

const nothing = codeOf(program('succeed'), 'nothing')

const checkpoint = codeOf(program('checkpoint'), 'look')

const cancel = codeOf(program('cancel'), 'cancel')

type Wrap = (code: Code, n: number) => Code

const inCancelled = (code: Code): Code => around('scope', 0, [around('flatMap', 0, [cancel, code])])

const contexts: Readonly<Record<string, Wrap>> = {
  alone: (code) => code,
  cancelled: inCancelled,
  swallowed: (code) =>
    inCancelled(around('flatMap', 0, [around('exit', 0, [code]), around('flatMap', 0, [checkpoint, tick])])),
  shielded: (code) =>
    inCancelled(
      around('flatMap', 0, [around('shielded', 0, [code]), around('flatMap', 0, [tick, checkpoint])])
    ),
  finalizer: (code) => inCancelled(around('ensuring', 0, [checkpoint, code])),
  deadline: (code, n) => around('moveOnAfter', n, [code]),
  cancelledAt: (code, n) =>
    around('scope', 0, [
      around('group', 0, [
        around('spawn', 0, [around('flatMap', 0, [codeOf(program('sleep', n), 'sleep'), cancel]), code])
      ])
    ])
}

/** A cancellation beside failures: where it stands tells how many owners it has passed. */
const isMixed = (outcome: string): boolean => outcome.includes('Cancelled') && /Fail|Die/.test(outcome)

interface Inputs {
  readonly x: Program
  readonly y: Program
  readonly z: Program
  readonly n: number
}

interface Placed extends Inputs {
  readonly context: string
  readonly at: number
}

const onModel = (
  name: string,
  programs: fc.Arbitrary<Program>,
  sides: (x: Code, y: Code, z: Code, n: number) => readonly [Code, Code],
  among: ReadonlyArray<string> = Object.keys(contexts)
): Law =>
  law<Placed>({
    name,
    group,
    tags: ['model'],
    input: fc.record({
      x: programs,
      y: programs,
      z: programs,
      n: fc.nat(3),
      context: fc.constantFrom(...among),
      at: fc.nat(4)
    }),
    show: ({ context, at, ...inputs }) => `in the context ${context}(${at})\n${printInputs(inputs)}`,
    effort: 1,
    holds: ({ x, y, z, n, context, at }, params) => {
      const maxSteps = stepsOf(params)
      const [left, right] = sides(
        codeOf(innermost(x), 'x'),
        codeOf(innermost(y), 'y'),
        codeOf(innermost(z), 'z'),
        n
      )
      const wrap = contexts[context]!
      const l = outcomes(wrap(left, at), 'turns', maxSteps)
      const r = outcomes(wrap(right, at), 'turns', maxSteps)
      if ([...l.outcomes, ...r.outcomes].some(isMixed)) return irrelevant
      return difference('left', l, 'right', r)
    }
  })

const value = codeOf(program('value'), 'value')

// -------------------------------------------------------------------------------------
// the set
// -------------------------------------------------------------------------------------

/**
 * The interpreter and its model.
 *
 * @category sets
 * @since 0.1.0
 */
export const model: LawSet = lawSet('Model', [
  refines(
    'X1 what the interpreter does, the model does: programs without waits',
    straight,
    [512],
    'turns',
    2
  ),
  refines(
    'X2 what the interpreter does, the model does: programs of one fiber',
    sequential,
    [512],
    'turns',
    4
  ),
  refines('X3 what the interpreter does, the model does: programs of several', concurrent, [512], 'turns', 3),
  nothingMissing,
  refines(
    'X5 what the interpreter does with one or two steps a turn, the model does that yields anywhere',
    small,
    [1, 2],
    'steps',
    0.6
  ),
  onModel('Y1 chain(e, of) = e', small, (x) => [around('flatMap', 0, [x, value]), x]),
  onModel('Y2 chain(chain(x, y), z) = chain(x, chain(y, z))', short, (x, y, z) => [
    around('flatMap', 0, [around('flatMap', 0, [x, y]), z]),
    around('flatMap', 0, [x, around('flatMap', 0, [y, z])])
  ]),
  onModel('Y3 orElse(orElse(x, y), z) = orElse(x, orElse(y, z))', short, (x, y, z) => [
    around('orElse', 0, [around('orElse', 0, [x, y]), z]),
    around('orElse', 0, [x, around('orElse', 0, [y, z])])
  ]),
  onModel('Y4 shielded ∘ shielded = shielded', small, (x) => [
    around('shielded', 0, [around('shielded', 0, [x])]),
    around('shielded', 0, [x])
  ]),
  onModel('Y5 inside of a shield onCancel never runs', small, (x) => [
    around('shielded', 0, [around('onCancel', 0, [x, tick])]),
    around('shielded', 0, [x])
  ]),
  onModel('Y6 a finalizer that does nothing is nothing', small, (x) => [
    around('ensuring', 0, [x, nothing]),
    x
  ]),
  onModel(
    'Y7 behind a shield nothing outside counts, also for what a scope absorbs',
    small,
    (x, _y, _z, n) => {
      const late = around('shielded', 0, [around('moveOnAfter', n, [x])])
      return [around('map', 0, [around('moveOnAfter', 0, [late])]), around('map', 0, [late])]
    }
  ),
  onModel('Y8 nested timeouts are one, of the smaller', small, (x, _y, _z, n) => [
    around('map', 0, [around('moveOnAfter', n, [around('moveOnAfter', 2, [x])])]),
    around('map', 0, [around('moveOnAfter', Math.min(n, 2), [x])])
  ]),
  onModel('Y9 a group without tasks is nothing', short, (x) => [around('group', 0, [x]), x])
])
