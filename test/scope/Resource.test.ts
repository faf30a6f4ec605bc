/**
 * Resources: acquired in order, released in reverse, exactly once, whatever happens.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { sequenceS, sequenceT } from 'fp-ts/lib/Apply.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { CancelScope, Cause, Effect, Exit, FiberLocal, Resource, Runtime, TaskGroup, Timeout } from 'millrace'
import { cancelEverywhere, type Ledger } from '../support/ledger.js'
import {
  cancellationsOf,
  defectOf,
  expectAll,
  type Fx,
  type Log,
  observe,
  observeAll,
  outcomes,
  show
} from '../support/seeds.js'

const { sleep, sync, gen } = Effect

const after = <R, E, A>(ms: number, fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
  Effect.andThen(fx)(sleep(ms))

/** Notes its acquire and its release, and what the use ended with. */
const noted = (log: Log, name: string): Resource.Resource<unknown, never, string> =>
  Resource.make(Effect.as(name)(log(`+${name}`)), (a, exit) => log(`-${a} ${show(exit)}`))

/** The same, where both take a ms. */
const slow = (log: Log, name: string, ms = 1): Resource.Resource<unknown, never, string> =>
  Resource.make(after(ms, Effect.as(name)(log(`+${name}`))), (a) => after(ms, log(`-${a}`)))

const failing = (log: Log, name: string, ms = 0): Resource.Resource<unknown, string, string> =>
  Resource.make(after(ms, Effect.fail(`+${name}`)), () => log('not reached'))

const badly = (log: Log, name: string): Resource.Resource<unknown, string, string> =>
  Resource.make(Effect.as(name)(log(`+${name}`)), () =>
    Effect.andThen(Effect.fail(`-${name}`))(log(`-${name}`))
  )

const ends: ReadonlyArray<readonly [string, Fx<string, string>, string]> = [
  ['a value', Effect.succeed('used'), 'ok(used)'],
  ['a failure', Effect.fail('use'), 'Fail(use)'],
  ['a defect', Effect.die('use'), 'Die(use)']
]

describe('Resource', () => {
  describe('make', () => {
    it('CM-01 acquires up to the hand-over, runs the use, and releases; each once', () => {
      for (const [, use, exit] of ends) {
        expectAll(
          (log) =>
            pipe(
              noted(log, 'a'),
              Resource.use((name) => Effect.andThen(use)(log(`use ${name}`)))
            ),
          { exit, log: ['+a@0', 'use a@0', `-a ${exit}@0`] }
        )
      }
    })

    it('CM-03 release sees how the use ended, also by a cancellation; the clean-up runs in all cases', () => {
      expectAll(
        (log) =>
          pipe(
            noted(log, 'a'),
            Resource.use(() => Effect.never),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: ['+a@0', '-a Cancelled@5'] }
      )
    })

    it('CM-10 what the release fails with joins what the use ended with, by Then', () => {
      const exits = ['Fail(-a)', 'Then(Fail(use), Fail(-a))', 'Then(Die(use), Fail(-a))']
      for (const [i, [, use]] of ends.entries()) {
        expectAll(
          (log) =>
            pipe(
              badly(log, 'a'),
              Resource.use(() => use)
            ),
          { exit: exits[i]! }
        )
      }
      expectAll(
        (log) =>
          pipe(
            badly(log, 'a'),
            Resource.use(() => Effect.never),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'Fail(-a)' }
      )
      expectAll(
        () =>
          pipe(
            Resource.make(Effect.succeed(1), () => {
              throw new Error('release')
            }),
            Resource.use(() => Effect.fail('use'))
          ),
        { exit: 'Then(Fail(use), Die(Error: release))' }
      )
    })

    it('a use that throws, or is no effect, is a defect, and the release runs', () => {
      expectAll(
        (log) =>
          pipe(
            noted(log, 'a'),
            Resource.use((): Fx<void> => {
              throw new Error('use')
            })
          ),
        { exit: 'Die(Error: use)', log: ['+a@0', '-a Die(Error: use)@0'] }
      )
      const { exit, log } = observe((note) =>
        pipe(
          slow(note, 'a'),
          Resource.use(() => 42 as never)
        )
      )
      expect(defectOf(exit)).to.match(/^TypeError: Expected an Effect/)
      expect(log).to.deep.equal(['+a@1', '-a@2'])
    })

    it('an acquire that fails, dies or is cancelled while it waits leaves nothing to release', () => {
      expectAll(
        (log) =>
          pipe(
            failing(log, 'a'),
            Resource.use(() => log('not reached'))
          ),
        {
          exit: 'Fail(+a)',
          log: []
        }
      )
      expectAll(
        (log) =>
          pipe(
            slow(log, 'a', 10),
            Resource.use(() => log('not reached')),
            Timeout.moveOnAfter(5)
          ),
        {
          exit: 'ok(None)',
          log: []
        }
      )
    })

    it('an acquire that has happened is released, also when the cancellation came with it', () => {
      // The wait for the acquire is over when the cancellation comes, so the use begins and ends at its first checkpoint.
      expectAll(
        (log) =>
          TaskGroup.open()((group) =>
            CancelScope.open((scope) =>
              gen(function* () {
                yield* group.spawn(sync(() => scope.cancelUnsafe()))
                yield* pipe(
                  Resource.make(
                    Effect.async<never, string>((resume) => {
                      scope.cancelUnsafe()
                      resume(Exit.succeed('got'))
                    }),
                    (a) => log(`release ${a}`)
                  ),
                  Resource.use((a) => Effect.andThen(sleep(1))(log(`use ${a}`)))
                )
              })
            )
          ),
        { exit: 'ok(None)', log: ['use got@0', 'release got@0'] }
      )
    })

    it('the release is shielded: it completes in a cancelled scope', () => {
      expectAll(
        (log) =>
          pipe(
            Resource.make(Effect.unit, () => after(50, log('released'))),
            Resource.use(() => Effect.never),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: ['released@55'] }
      )
    })

    it('the grace of a scope bounds it', () => {
      expectAll(
        (log) =>
          pipe(
            Resource.make(Effect.unit, () => after(50, log('not reached'))),
            Resource.use(() => Effect.never),
            Timeout.moveOnAfter(5, { grace: 3 })
          ),
        { exit: 'Die(CleanupOverran)', log: [], took: 8 }
      )
    })

    it('is a description: building one acquires nothing, and each use acquires anew', () => {
      let count = 0
      const counted = Resource.make(
        sync(() => ++count),
        () => Effect.unit
      )
      const program = pipe(counted, Resource.use(Effect.succeed))
      expect(count).to.equal(0)
      expectAll(
        () => Effect.flatMap((a: number) => Effect.map((b: number) => [a, b])(program))(program),
        {
          exit: 'ok([1,2])'
        },
        1
      )
    })
  })

  describe('composition', () => {
    const three: ReadonlyArray<readonly [string, (log: Log) => Resource.Resource<unknown, never, string>]> = [
      [
        'flatMap',
        (log) =>
          pipe(
            noted(log, 'a'),
            Resource.flatMap((a) =>
              pipe(
                noted(log, 'b'),
                Resource.flatMap((b) =>
                  pipe(
                    noted(log, 'c'),
                    Resource.map((c) => a + b + c)
                  )
                )
              )
            )
          )
      ],
      [
        'gen',
        (log) =>
          Resource.gen(function* () {
            const a = yield* noted(log, 'a')
            const b = yield* noted(log, 'b')
            const c = yield* noted(log, 'c')
            return a + b + c
          })
      ],
      [
        'Do',
        (log) =>
          pipe(
            Resource.Do,
            Resource.bind('a', () => noted(log, 'a')),
            Resource.bind('b', () => noted(log, 'b')),
            Resource.apS('c', noted(log, 'c')),
            Resource.map(({ a, b, c }) => a + b + c)
          )
      ],
      [
        'bindTo',
        (log) =>
          pipe(
            noted(log, 'a'),
            Resource.bindTo('a'),
            Resource.bind('b', ({ a }) =>
              pipe(
                noted(log, 'b'),
                Resource.map((b) => a + b)
              )
            ),
            Resource.bind('c', () => noted(log, 'c')),
            Resource.map(({ b, c }) => b + c)
          )
      ],
      [
        'ap',
        (log) =>
          pipe(
            noted(log, 'a'),
            Resource.map((a: string) => (b: string) => (c: string) => a + b + c),
            Resource.ap(noted(log, 'b')),
            Resource.ap(noted(log, 'c'))
          )
      ],
      [
        'Chain',
        (log) =>
          Resource.Monad.chain(noted(log, 'a'), (a) =>
            Resource.Monad.chain(noted(log, 'b'), (b) =>
              Resource.Monad.map(noted(log, 'c'), (c) => a + b + c)
            )
          )
      ],
      [
        'traverse',
        (log) =>
          pipe(
            ['a', 'b', 'c'],
            RA.traverse(Resource.Applicative)((name) => noted(log, name)),
            Resource.map((names) => names.join(''))
          )
      ],
      [
        'fromUse',
        (log) =>
          Resource.fromUse((use) =>
            pipe(
              noted(log, 'a'),
              Resource.use((a) =>
                pipe(
                  noted(log, 'b'),
                  Resource.use((b) =>
                    pipe(
                      noted(log, 'c'),
                      Resource.use((c) => use(a + b + c))
                    )
                  )
                )
              )
            )
          )
      ]
    ]

    it('CM-05 acquires from the outside in and releases from the inside out, however it is written', () => {
      for (const [name, resource] of three) {
        for (const [, use, exit] of ends) {
          expectAll(
            (log) =>
              pipe(
                resource(log),
                Resource.use((abc) => Effect.andThen(use)(log(`${name} ${abc}`)))
              ),
            {
              exit,
              log: ['+a@0', '+b@0', '+c@0', `${name} abc@0`, `-c ${exit}@0`, `-b ${exit}@0`, `-a ${exit}@0`]
            },
            1
          )
        }
      }
    })

    it('an acquire that fails at each step releases those before it, and no more are acquired', () => {
      for (const at of [0, 1, 2]) {
        expectAll(
          (log) => {
            const step = (name: string, i: number) => (i === at ? failing(log, name) : noted(log, name))
            return pipe(
              Resource.gen(function* () {
                yield* step('a', 0)
                yield* step('b', 1)
                yield* step('c', 2)
              }),
              Resource.use(() => log('not reached'))
            )
          },
          {
            exit: `Fail(+${'abc'[at]})`,
            log: [
              ...['a', 'b', 'c'].slice(0, at).map((name) => `+${name}@0`),
              ...['a', 'b', 'c']
                .slice(0, at)
                .reverse()
                .map((name) => `-${name} Fail(+${'abc'[at]})@0`)
            ]
          }
        )
      }
    })

    it('all releases run, and all that fails in them joins by Then', () => {
      expectAll(
        (log) =>
          pipe(
            Resource.gen(function* () {
              yield* badly(log, 'a')
              yield* noted(log, 'b')
              yield* badly(log, 'c')
            }),
            Resource.use(() => Effect.fail('use'))
          ),
        {
          exit: 'Then(Then(Fail(use), Fail(-c)), Fail(-a))',
          log: ['+a@0', '+b@0', '+c@0', '-c@0', '-b Then(Fail(use), Fail(-c))@0', '-a@0']
        }
      )
    })

    it('a function that throws between two acquires is a defect, and what is there is released', () => {
      expectAll(
        (log) =>
          pipe(
            noted(log, 'a'),
            Resource.flatMap((): Resource.Resource<unknown, never, string> => {
              throw new Error('flatMap')
            }),
            Resource.use(() => log('not reached'))
          ),
        { exit: 'Die(Error: flatMap)', log: ['+a@0', '-a Die(Error: flatMap)@0'] }
      )
      expectAll(
        (log) =>
          pipe(
            Resource.gen(function* () {
              yield* noted(log, 'a')
              throw new Error('gen')
            }),
            Resource.use(() => log('not reached'))
          ),
        { exit: 'Die(Error: gen)', log: ['+a@0', '-a Die(Error: gen)@0'] }
      )
      expectAll(
        (log) =>
          pipe(
            noted(log, 'a'),
            Resource.map((): string => {
              throw new Error('map')
            }),
            Resource.use(() => log('not reached'))
          ),
        { exit: 'Die(Error: map)', log: ['+a@0', '-a Die(Error: map)@0'] }
      )
    })

    it('gen: finally blocks run when it is left early; a value without a star is a defect that teaches', () => {
      const blocks: Array<string> = []
      expectAll(
        (log) =>
          pipe(
            Resource.gen(function* () {
              try {
                yield* noted(log, 'a')
                yield* failing(log, 'b')
              } finally {
                blocks.push('finally')
              }
            }),
            Resource.use(() => Effect.unit)
          ),
        { exit: 'Fail(+b)' },
        1
      )
      expect(blocks).to.deep.equal(['finally'])
      const { exit } = observe(() =>
        pipe(
          Resource.gen(function* () {
            yield Effect.unit as never
          }),
          Resource.use(() => Effect.unit)
        )
      )
      expect(defectOf(exit)).to.match(/^TypeError: In Resource.gen every resource is yielded with a star/)
    })

    it('gen: each use makes a fresh generator', () => {
      let runs = 0
      const resource = Resource.gen(function* () {
        runs++
        return yield* Resource.of(runs)
      })
      const use = pipe(resource, Resource.use(Effect.succeed))
      expectAll(() => Effect.andThen(use)(use), { exit: 'ok(2)' }, 1)
    })

    it('fromEffect and of need no release, and the effect can be cancelled', () => {
      expectAll(() => pipe(Resource.of(1), Resource.use(Effect.succeed)), { exit: 'ok(1)' })
      expectAll(() => pipe(Resource.fromEffect(Effect.fail('no')), Resource.use(Effect.succeed)), {
        exit: 'Fail(no)'
      })
      expectAll(
        () => pipe(Resource.fromEffect(sleep(50)), Resource.use(Effect.succeed), Timeout.moveOnAfter(5)),
        { exit: 'ok(None)', took: 5 }
      )
    })

    it('closing closes what has a close', () => {
      expectAll(
        (log) =>
          pipe(
            Resource.closing(Effect.succeed({ name: 'x', close: log('closed') })),
            Resource.use(({ name }) => log(name))
          ),
        { log: ['x@0', 'closed@0'] }
      )
    })

    it('100,000 resources in each other need no stack', () => {
      let open = 0
      const one = Resource.make(
        sync(() => ++open),
        () =>
          sync(() => {
            open--
          })
      )
      const chain = (n: number): Resource.Resource<unknown, never, number> =>
        pipe(
          one,
          Resource.flatMap((k) => (k < n ? chain(n) : Resource.of(k)))
        )
      const many = Array.from({ length: 2_000 }, () => one).reduce(
        (all, next) =>
          pipe(
            all,
            Resource.flatMap(() => next)
          ),
        one
      )
      expectAll(() => pipe(chain(1000), Resource.use(Effect.succeed)), { exit: 'ok(1000)' }, 1)
      expectAll(() => pipe(many, Resource.use(Effect.succeed)), { exit: 'ok(2001)' }, 1)
      expect(open).to.equal(0)
    })
  })

  describe('the monad of brackets', () => {
    type Tree =
      | { readonly op: 'of' | 'make' | 'failing' | 'badly' | 'waiting' }
      | { readonly op: 'chain' | 'par'; readonly first: Tree; readonly second: Tree }

    const trees: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.record({ op: fc.constantFrom('of', 'make', 'make', 'failing', 'badly', 'waiting') }),
        fc.record({ op: fc.constantFrom('chain', 'chain', 'par'), first: tie('tree'), second: tie('tree') })
      )
    })).tree

    const build = (log: Log, tree: Tree, name: string): Resource.Resource<unknown, string, string> => {
      switch (tree.op) {
        case 'of':
          return Resource.of(name)
        case 'make':
          return noted(log, name)
        case 'failing':
          return failing(log, name, 1)
        case 'badly':
          return badly(log, name)
        case 'waiting':
          return slow(log, name)
        case 'chain':
          return pipe(
            build(log, tree.first, `${name}0`),
            Resource.flatMap((a) =>
              pipe(
                build(log, tree.second, `${name}1`),
                Resource.map((b) => `${a}${b}`)
              )
            )
          )
        case 'par':
          return pipe(
            build(log, tree.first, `${name}0`),
            Resource.par(build(log, tree.second, `${name}1`)),
            Resource.map(([a, b]) => `${a}${b}`)
          )
      }
    }

    const uses: ReadonlyArray<(log: Log) => (a: string) => Fx<unknown, string>> = [
      (log) => (a) => log(a),
      () => (a) => Effect.fail(a),
      () => (a) => Effect.die(a),
      (log) => (a) => Effect.andThen(log(a))(sleep(5)),
      () => () => Effect.never
    ]

    type R = Resource.Resource<unknown, string, string>

    /** Everything that shows of a resource: under two seeds, with every use, also when it is cut short at each ms. */
    const shows = (resource: (log: Log) => R) =>
      uses.flatMap((use) =>
        [Infinity, 1, 2, 3].flatMap((deadline) =>
          [0, 1].map((seed) => {
            const { shown, log } = observe(
              (note) => pipe(resource(note), Resource.use(use(note)), Timeout.moveOnAfter(deadline)),
              seed
            )
            return { shown: shown.includes('Deadlock') ? 'Deadlock' : shown, log }
          })
        )
      )

    const same = (a: (log: Log) => R, b: (log: Log) => R) => expect(shows(a)).to.deep.equal(shows(b))

    it('H4 left and right unit, associativity; map is by flatMap', () => {
      fc.assert(
        fc.property(trees, trees, trees, (x, y, z) => {
          const [a, b, c] = [x, y, z].map((tree, i) => (log: Log) => build(log, tree, 'xyz'[i]!)) as [
            (log: Log) => R,
            (log: Log) => R,
            (log: Log) => R
          ]
          same(
            (log) =>
              pipe(
                Resource.of('v'),
                Resource.flatMap(() => a(log))
              ),
            a
          )
          same((log) => pipe(a(log), Resource.flatMap(Resource.of)), a)
          same(
            (log) =>
              pipe(
                a(log),
                Resource.flatMap(() => b(log)),
                Resource.flatMap(() => c(log))
              ),
            (log) =>
              pipe(
                a(log),
                Resource.flatMap(() =>
                  pipe(
                    b(log),
                    Resource.flatMap(() => c(log))
                  )
                )
              )
          )
          same(
            (log) =>
              pipe(
                a(log),
                Resource.map((v) => `f ${v}`)
              ),
            (log) =>
              pipe(
                a(log),
                Resource.flatMap((v) => Resource.of(`f ${v}`))
              )
          )
        }),
        { numRuns: 30 }
      )
    })

    it('make derives from fromUse; use of make is a bracket; onExit is a resource without acquire (H8)', () => {
      for (const [, use] of ends) {
        const bracket = (log: Log) =>
          Effect.bracket(
            Effect.as('a')(log('+a')),
            () => use,
            (a, exit) => log(`-${a} ${show(exit)}`)
          )
        const byUse = (log: Log) =>
          pipe(
            noted(log, 'a'),
            Resource.use(() => use)
          )
        const strip = ({ shown, log }: { readonly shown: string; readonly log: ReadonlyArray<string> }) => [
          shown,
          log
        ]
        expect(strip(observe(byUse))).to.deep.equal(strip(observe(bracket)))
        const onExit = (log: Log) => Effect.onExit((exit) => log(show(exit)))(use)
        const asResource = (log: Log) =>
          pipe(
            Resource.make(Effect.unit, (_, exit) => log(show(exit))),
            Resource.use(() => use)
          )
        expect(strip(observe(asResource))).to.deep.equal(strip(observe(onExit)))
      }
    })

    it('H1 whatever the tree, the use and the moment of a cancellation: released as often as acquired', () => {
      const check = (tree: Tree) =>
        cancelEverywhere(
          (ledger) => {
            const of = (t: Tree, name: string): Resource.Resource<unknown, string, string> => {
              switch (t.op) {
                case 'of':
                  return Resource.of(name)
                case 'failing':
                  return Resource.fromEffect(after(2, Effect.fail(name)))
                case 'chain':
                  return pipe(
                    of(t.first, `${name}0`),
                    Resource.flatMap(() => of(t.second, `${name}1`))
                  )
                case 'par':
                  return pipe(
                    of(t.first, `${name}0`),
                    Resource.par(of(t.second, `${name}1`)),
                    Resource.map(() => name)
                  )
                default:
                  return Resource.fromUse((use) => ledger.hold(name)(Effect.suspend(() => use(name))))
              }
            }
            return pipe(
              of(tree, 'r'),
              Resource.use(() => ledger.alive(sleep(2))),
              Effect.either
            )
          },
          undefined,
          { seeds: 2, turns: 3 }
        )
      fc.assert(
        fc.property(trees, (tree) => {
          check(tree)
        }),
        { numRuns: 60 }
      )
    }).timeout(30_000)
  })

  describe('fromUse', () => {
    it('owns background tasks that live as long as the use', () => {
      const ticker = (log: Log) =>
        Resource.fromUse<unknown, never, string>((use) =>
          TaskGroup.open()((group) =>
            gen(function* () {
              yield* group.spawn(Effect.onCancel(log('stopped'))(Effect.forever(sleep(3))), { service: true })
              return yield* use('ticker')
            })
          )
        )
      for (const [, use, exit] of ends) {
        expectAll(
          (log) =>
            pipe(
              ticker(log),
              Resource.use(() => after(10, use))
            ),
          {
            exit,
            log: ['stopped@10'],
            took: 10
          }
        )
      }
    })

    it('a background task that fails cancels the use, and the failure is that of the whole', () => {
      const broken = Resource.fromUse<unknown, string, string>((use) =>
        TaskGroup.open<string>()((group) =>
          gen(function* () {
            yield* group.spawn(after(5, Effect.fail('background')))
            return yield* use('x')
          })
        )
      )
      expectAll(
        (log) =>
          pipe(
            broken,
            Resource.use(() => Effect.onCancel(log('use'))(Effect.never))
          ),
        {
          exit: 'Fail(background)',
          log: ['use@5']
        }
      )
    })

    it('may hold the use in a scope or give up before it', () => {
      expectAll(
        (log) =>
          pipe(
            Resource.fromUse<unknown, string, number>((use) => Timeout.failAfter(5, () => 'late')(use(1))),
            Resource.use(() => Effect.onCancel(log('use'))(Effect.never))
          ),
        { exit: 'Fail(late)', log: ['use@5'] }
      )
      expectAll(
        (log) =>
          pipe(
            Resource.fromUse<unknown, string, number>(() => Effect.fail('no')),
            Resource.use(() => log('x'))
          ),
        {
          exit: 'Fail(no)',
          log: []
        }
      )
    })

    it('CM-03 may swallow the failure of the use or put another in its place', () => {
      expectAll(
        (log) =>
          pipe(
            Resource.fromUse<unknown, string, number>((use) =>
              pipe(
                use(1),
                Effect.ensuring(log('cleaned')),
                Effect.catchCause(() => Effect.fail('replaced'))
              )
            ),
            Resource.use(() => Effect.fail('use'))
          ),
        { exit: 'Fail(replaced)', log: ['cleaned@0'] }
      )
    })

    it('a run that throws is a defect of the run, not of whoever composes', () => {
      const broken = Resource.fromUse<unknown, never, number>(() => {
        throw new Error('run')
      })
      const program = pipe(broken, Resource.use(Effect.succeed))
      expectAll(() => program, { exit: 'Die(Error: run)' })
    })
  })

  describe('par', () => {
    const both = (
      a: Resource.Resource<unknown, string, string>,
      b: Resource.Resource<unknown, string, string>
    ) => pipe(a, Resource.par(b))

    it('acquires and releases side by side, and gives both values in order', () => {
      expectAll(
        (log) =>
          pipe(
            both(slow(log, 'a', 3), slow(log, 'b', 5)),
            Resource.use(([a, b]) => log(`use ${a}${b}`))
          ),
        { log: ['+a@3', '+b@5', 'use ab@5', '-a@8', '-b@10'], took: 10 }
      )
    })

    it('both releases see how the use ended', () => {
      for (const [, use, exit] of ends) {
        expectAll(
          (log) =>
            pipe(
              both(noted(log, 'a'), noted(log, 'b')),
              Resource.use(() => use)
            ),
          {
            exit,
            lines: ['+a@0', '+b@0', `-a ${exit}@0`, `-b ${exit}@0`]
          }
        )
      }
      expectAll(
        (log) =>
          pipe(
            both(noted(log, 'a'), noted(log, 'b')),
            Resource.use(() => Effect.never),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', lines: ['+a@0', '+b@0', '-a Cancelled@5', '-b Cancelled@5'] }
      )
    })

    it('no side is released before the use has ended, clean-up included, whatever ends it', () => {
      expectAll(
        (log) =>
          pipe(
            both(slow(log, 'a'), slow(log, 'b')),
            Resource.use(() => Effect.ensuring(after(10, log('use cleaned')))(Effect.never)),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', lines: ['+a@1', '+b@1', 'use cleaned@15', '-a@16', '-b@16'] }
      )
    })

    it('a failed acquire cancels the other acquire, or releases what it got; the use never begins', () => {
      expectAll(
        (log) =>
          pipe(
            both(
              failing(log, 'a', 5),
              Resource.make(Effect.onCancel(log('b cancelled'))(sleep(50)), () => log('no')) as never
            ),
            Resource.use(() => log('not reached'))
          ),
        { exit: 'Fail(+a)', log: ['b cancelled@5'], took: 5 }
      )
      expectAll(
        (log) =>
          pipe(
            both(failing(log, 'a', 5), slow(log, 'b', 2)),
            Resource.use(() => log('not reached'))
          ),
        {
          exit: 'Fail(+a)',
          log: ['+b@2', '-b@7']
        }
      )
      expectAll(
        (log) =>
          pipe(
            both(slow(log, 'a', 2), failing(log, 'b', 5)),
            Resource.use(() => log('not reached'))
          ),
        {
          exit: 'Fail(+b)',
          log: ['+a@2', '-a@7']
        }
      )
      for (const { shown, log } of observeAll((note) =>
        pipe(
          both(failing(note, 'a', 5), failing(note, 'b', 5)),
          Resource.use(() => note('not reached'))
        )
      )) {
        expect(shown).to.match(/^(Fail\(\+[ab]\)|Both\(Fail\(\+[ab]\), Fail\(\+[ab]\)\))$/)
        expect(log).to.deep.equal([])
      }
    })

    it('an acquire that dies is the same', () => {
      expectAll(
        (log) =>
          pipe(
            both(Resource.fromEffect(after(5, Effect.die('bug'))), slow(log, 'b', 2)),
            Resource.use(() => log('not reached'))
          ),
        { exit: 'Die(bug)', log: ['+b@2', '-b@7'] }
      )
    })

    it('cancelled while one or both are being acquired', () => {
      expectAll(
        (log) =>
          pipe(
            both(slow(log, 'a', 2), slow(log, 'b', 50)),
            Resource.use(() => log('x')),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: ['+a@2', '-a@7'], took: 7 }
      )
      expectAll(
        (log) =>
          pipe(
            both(slow(log, 'a', 9), slow(log, 'b', 9)),
            Resource.use(() => log('x')),
            Timeout.moveOnAfter(5)
          ),
        { exit: 'ok(None)', log: [], took: 5 }
      )
    })

    it('a release that fails joins; both are awaited; each leaf once', () => {
      expectAll(
        (log) =>
          pipe(
            both(badly(log, 'a'), slow(log, 'b', 5)),
            Resource.use(() => Effect.unit)
          ),
        {
          exit: 'Fail(-a)',
          took: 10
        }
      )
      for (const { exit, log } of observeAll((note) =>
        pipe(
          both(badly(note, 'a'), badly(note, 'b')),
          Resource.use(() => Effect.fail('use'))
        )
      )) {
        if (exit._tag === 'Right') throw new Error('it ought to fail')
        expect([...Cause.failures(exit.left)].sort()).to.deep.equal(['-a', '-b', 'use'])
        expect(Cause.failures(exit.left)[0]).to.equal('use')
        expect(log).to.have.length(4)
      }
      for (const { exit } of observeAll((note) =>
        pipe(
          both(badly(note, 'a'), badly(note, 'b')),
          Resource.use(() => Effect.unit)
        )
      )) {
        expect(exit._tag === 'Left' && [...Cause.failures(exit.left)].sort()).to.deep.equal(['-a', '-b'])
      }
    })

    it('exactly one Cancelled leaves it when it is cut short', () => {
      for (const { exit } of observeAll((log) =>
        CancelScope.open((scope) =>
          pipe(
            both(badly(log, 'a'), slow(log, 'b')),
            Resource.use(() => Effect.andThen(Effect.never)(scope.cancel())),
            Effect.exit
          )
        )
      )) {
        if (exit._tag === 'Left' || O.isNone(exit.right)) throw new Error(show(exit))
        expect(cancellationsOf(exit.right.value)).to.have.length(1)
        expect(exit.right.value._tag === 'Left' && Cause.failures(exit.right.value.left)).to.deep.equal([
          '-a'
        ])
      }
    })

    it('a resource whose background fails cancels the use; the other is released after it', () => {
      const broken = Resource.fromUse<unknown, string, string>((use) =>
        TaskGroup.open<string>()((group) =>
          Effect.andThen(use('x'))(group.spawn(after(5, Effect.fail('background'))))
        )
      )
      expectAll(
        (log) =>
          pipe(
            both(broken, slow(log, 'b')),
            Resource.use(() => Effect.ensuring(after(3, log('use cleaned')))(Effect.never))
          ),
        { exit: 'Fail(background)', log: ['+b@1', 'use cleaned@8', '-b@9'] }
      )
    })

    it('a resource that breaks before the use has begun: it never begins, and what the other got is released', () => {
      const broken = Resource.fromUse<unknown, string, string>((use) =>
        TaskGroup.open<string>()((group) =>
          pipe(
            group.spawn(after(5, Effect.fail('background'))),
            Effect.andThen(Effect.ensuring(sleep(10))(use('x')))
          )
        )
      )
      for (const [a, b] of [
        [true, false],
        [false, true]
      ]) {
        expectAll(
          (log) =>
            pipe(
              both(a ? broken : slow(log, 'b', 7), b ? broken : slow(log, 'b', 7)),
              Resource.use(() => log('not reached'))
            ),
          { exit: 'Fail(background)', log: ['+b@7', '-b@22'] }
        )
      }
    })

    it('a use that fails while it is cancelled by such a resource: nothing is lost', () => {
      const broken = Resource.fromUse<unknown, string, string>((use) =>
        TaskGroup.open<string>()((group) =>
          Effect.andThen(use('x'))(group.spawn(after(5, Effect.fail('background'))))
        )
      )
      const { exit } = observe((log) =>
        pipe(
          both(broken, badly(log, 'b')),
          Resource.use(() => Effect.ensuring(Effect.fail('use clean-up'))(Effect.never))
        )
      )
      expect(exit._tag === 'Left' && [...Cause.failures(exit.left)].sort()).to.deep.equal([
        '-b',
        'background',
        'use clean-up'
      ])
    })

    it('a resource that ends by itself without a failure while it is in use is a defect', () => {
      const gone = Resource.fromUse<unknown, never, string>(
        (use) => Timeout.moveOnAfter(5)(use('x')) as never
      )
      const { exit, log } = observe((note) =>
        pipe(
          both(gone, slow(note, 'b')),
          Resource.use(() => Effect.onCancel(note('use'))(Effect.never))
        )
      )
      expect(defectOf(exit)).to.match(/^TypeError: A resource ended without a failure/)
      expect(log).to.deep.equal(['+b@1', 'use@5', '-b@6'])
    })

    it('in a scope that is cancelled already both begin, and nothing is kept', () => {
      expectAll(
        (log) =>
          CancelScope.open((scope) =>
            pipe(
              scope.cancel(),
              Effect.andThen(
                pipe(
                  both(noted(log, 'a'), noted(log, 'b')),
                  Resource.use(() => Effect.checkpoint)
                )
              )
            )
          ),
        { exit: 'ok(None)' }
      )
    })

    it('many side by side: nested par, and stock functions of fp-ts over ApplicativePar', () => {
      expectAll(
        (log) =>
          pipe(
            ['a', 'b', 'c', 'd'],
            RA.traverse(Resource.ApplicativePar)((name) => slow(log, name, 5)),
            Resource.use((names) => log(names.join('')))
          ),
        {
          lines: ['+a@5', '+b@5', '+c@5', '+d@5', 'abcd@5', '-a@10', '-b@10', '-c@10', '-d@10'],
          took: 10
        }
      )
    })

    it('fiber-locals and the environment are those of the user', () => {
      const local = FiberLocal.make('none')
      expectAll(
        () =>
          local.locally('user')(
            pipe(
              both(
                Resource.fromEffect(local.get),
                Resource.fromEffect(Effect.as('set')(local.set('changed by b')))
              ),
              Resource.use(([a]) => Effect.map((here: string) => [a, here])(local.get))
            )
          ),
        { exit: 'ok(["user","user"])' }
      )
    })

    it('cancelled at every point: balanced', () => {
      const points = cancelEverywhere((ledger: Ledger) => {
        const held = (name: string) =>
          Resource.fromUse<unknown, never, string>((use) =>
            ledger.hold(name)(Effect.suspend(() => use(name)))
          )
        return pipe(
          held('a'),
          Resource.par(pipe(held('b'), Resource.par(held('c')))),
          Resource.use(() => ledger.hold('use')(ledger.alive(sleep(2))))
        )
      })
      expect(points).to.be.above(60)
    })
  })

  describe('services', () => {
    interface HasLog {
      readonly log: Log
    }
    interface HasDb {
      readonly db: string
    }
    interface HasUser {
      readonly user: string
    }
    const db: Resource.Resource<HasLog, never, HasDb> = Resource.make(
      Effect.flatMap(({ log }: HasLog) => Effect.as<HasDb>({ db: 'db' })(log('+db')))(Effect.ask<HasLog>()),
      () => Effect.flatMap(({ log }: HasLog) => log('-db'))(Effect.ask<HasLog>())
    )
    const user: Resource.Resource<HasDb & HasLog, never, HasUser> = pipe(
      Resource.fromEffect(Effect.ask<HasDb & HasLog>()),
      Resource.flatMap(({ db, log }) =>
        Resource.make(Effect.as<HasUser>({ user: `user of ${db}` })(log('+user')), () =>
          Effect.flatMap((env: HasDb & HasLog) => env.log(`-user with ${env.db}`))(
            Effect.ask<HasDb & HasLog>()
          )
        )
      )
    )

    it('provide builds services, gives them to an effect, and releases them after it', () => {
      expectAll(
        (log) =>
          pipe(
            Effect.flatMap(({ db, log }: HasDb & HasLog) => log(`use ${db}`))(Effect.ask<HasDb & HasLog>()),
            Resource.provide(db),
            Effect.provide({ log })
          ),
        { log: ['+db@0', 'use db@0', '-db@0'] }
      )
    })

    it('provideTo gives services to a resource; they last as long as it does, and the use does not see them', () => {
      expectAll(
        (log) =>
          pipe(
            user,
            Resource.provideTo(db),
            Resource.use(({ user }) =>
              Effect.flatMap((env: HasLog) => log(`use ${user} with ${Object.keys(env).join()}`))(
                Effect.ask<HasLog>()
              )
            ),
            Effect.provide({ log })
          ),
        { log: ['+db@0', '+user@0', 'use user of db with log@0', '-user with db@0', '-db@0'] }
      )
    })

    it('a service that cannot be built is the failure of the whole, and the effect does not run', () => {
      expectAll(
        (log) =>
          pipe(
            Effect.flatMap(({ db }: HasDb) => log(`not reached ${db}`))(Effect.ask<HasDb>()),
            Resource.provide(Resource.fromEffect(Effect.fail('no db') as Fx<HasDb, string>))
          ),
        { exit: 'Fail(no db)', log: [] }
      )
    })

    it('tasks that the effect spawns inherit the services', () => {
      expectAll(
        (log) =>
          pipe(
            TaskGroup.open()((group) =>
              Effect.flatMap((task: { readonly wait: Fx<Exit.Exit<never, string>> }) => task.wait)(
                group.spawn(Effect.asks((env: HasDb) => env.db))
              )
            ),
            Effect.map(show),
            Resource.provide(db),
            Effect.provide({ log })
          ),
        { exit: 'ok(ok(db))' }
      )
    })
  })

  describe('CM-09 disposables of the language', () => {
    it('fromAsyncDisposable disposes at the end; what it rejects with joins as a defect', async () => {
      const lines: Array<string> = []
      const disposable = (fails: boolean) => ({
        [Symbol.asyncDispose]: async () => {
          await Promise.resolve()
          lines.push('disposed')
          if (fails) throw new Error('dispose')
        }
      })
      const run = (fails: boolean, use: Fx<unknown, string>) =>
        Runtime.runExit(
          pipe(
            Resource.fromAsyncDisposable(sync(() => disposable(fails))),
            Resource.use(() => use)
          )
        )
      expect(show(await run(false, Effect.succeed('v')))).to.equal('ok(v)')
      expect(show(await run(false, Effect.fail('use')))).to.equal('Fail(use)')
      expect(show(await run(true, Effect.fail('use')))).to.equal('Then(Fail(use), Die(Error: dispose))')
      expect(lines).to.deep.equal(['disposed', 'disposed', 'disposed'])
    })

    it('a dispose that throws at once is the same', async () => {
      const exit = await Runtime.runExit(
        pipe(
          Resource.fromAsyncDisposable(
            Effect.succeed({
              [Symbol.asyncDispose]: (): Promise<void> => {
                throw new Error('dispose')
              }
            })
          ),
          Resource.use(() => Effect.unit)
        )
      )
      expect(show(exit)).to.equal('Die(Error: dispose)')
    })

    it('toAsyncDisposable holds a resource for code outside, and releases it once, when disposed of', async () => {
      const lines: Array<string> = []
      const resource = Resource.make(
        sync(() => {
          lines.push('+')
          return 'value'
        }),
        () => Effect.andThen(sync(() => lines.push('-')))(Effect.checkpoint)
      )
      const held = await Resource.toAsyncDisposable(resource)
      expect(held.value).to.equal('value')
      expect(lines).to.deep.equal(['+'])
      await held[Symbol.asyncDispose]()
      await held[Symbol.asyncDispose]()
      expect(lines).to.deep.equal(['+', '-'])
    })

    it('toAsyncDisposable rejects when the acquire fails, and disposing when the release does', async () => {
      const caught = (promise: PromiseLike<unknown>) => Promise.resolve(promise).then(String, String)
      expect(await caught(Resource.toAsyncDisposable(Resource.fromEffect(Effect.fail('no'))))).to.match(/no/)
      const held = await Resource.toAsyncDisposable(Resource.make(Effect.unit, () => Effect.fail('release')))
      expect(await caught(held[Symbol.asyncDispose]())).to.match(/release/)
    })
  })

  it('the instances work with the stock functions of fp-ts', () => {
    expectAll(
      (log) =>
        pipe(sequenceT(Resource.Apply)(noted(log, 'a'), noted(log, 'b')), Resource.use(Effect.succeed)),
      { exit: 'ok(["a","b"])', log: ['+a@0', '+b@0', '-b ok(["a","b"])@0', '-a ok(["a","b"])@0'] }
    )
    expectAll(
      (log) =>
        pipe(
          sequenceS(Resource.ApplicativePar)({ x: slow(log, 'a'), y: slow(log, 'b') }),
          Resource.use(Effect.succeed)
        ),
      { exit: 'ok({"x":"a","y":"b"})', took: 2 }
    )
    expectAll(
      () =>
        pipe(
          Resource.Pointed.of(1),
          (r) => Resource.Functor.map(r, (n) => n + 1),
          Resource.use(Effect.succeed)
        ),
      {
        exit: 'ok(2)'
      }
    )
  })

  it('outcomes do not depend on the seed where nothing runs side by side', () => {
    expect(
      outcomes((log) =>
        pipe(
          Resource.gen(function* () {
            return (yield* slow(log, 'a')) + (yield* slow(log, 'b'))
          }),
          Resource.use(Effect.succeed)
        )
      )
    ).to.deep.equal(['ok(ab)'])
  })
})
