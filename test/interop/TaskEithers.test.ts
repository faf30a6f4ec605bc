/** Drop-ins for code that stays in TaskEither. */
import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import fc from 'fast-check'
import { sequenceS, sequenceT } from 'fp-ts/lib/Apply.js'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as RR from 'fp-ts/lib/ReadonlyRecord.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Exit } from 'millrace'
import { AbortSignals, Cause, Effect, Runtime, TaskEithers } from 'millrace'
import { VirtualClock } from 'millrace/testing'
import { describeEndings, type DropIn } from '../support/endings.js'
import { complaintsOf, deferred, Job, turn, turns, withDefault } from '../support/host.js'
import { show } from '../support/seeds.js'

type Te<A = number> = TE.TaskEither<string, A>

const first = TE.map((all: ReadonlyArray<number>) => all[0] as number)
const nothing: Te<void> = TE.of(undefined)

const dropIns: Readonly<Record<string, DropIn>> = {
  bracket: (te) =>
    TaskEithers.bracket(
      TE.of(0),
      () => te,
      () => nothing
    ),
  bracketExit: (te) =>
    TaskEithers.bracketExit(
      TE.of(0),
      () => te,
      () => nothing
    ),
  sequenceArray: (te) => first(TaskEithers.sequenceArray([te])),
  traverseArray: (te) =>
    pipe(
      [te],
      TaskEithers.traverseArray((each) => each),
      first
    ),
  getApplicativePar: (te) => pipe([te], RA.sequence(TaskEithers.getApplicativePar(2)), first),
  withTimeout: (te) =>
    pipe(
      te,
      TaskEithers.withTimeout(1_000_000, () => 'late')
    ),
  to: (te) => TaskEithers.to(Effect.fromTaskEither(te))
}

/** Notes the arguments of a release. */
const noting =
  <A, B>(log: Array<unknown>, result: E.Either<string, void> = E.right(undefined)) =>
  (a: A, b: B): Te<void> => {
    log.push([a, b])
    return () => Promise.resolve(result)
  }

const either: fc.Arbitrary<E.Either<string, number>> = fc.oneof(
  fc.nat(9).map((n) => E.right(n)),
  fc.constantFrom('a', 'b', 'c').map((e) => E.left(e))
)

/** Settles after so many microtasks. */
const later =
  <A>(ticks: number, value: E.Either<string, A>): Te<A> =>
  async () => {
    for (let i = 0; i < ticks; i++) await Promise.resolve()
    return value
  }

describe('TaskEithers', () => {
  for (const [name, around] of Object.entries(dropIns)) {
    describe(`${name}, however it ends`, () => {
      describeEndings(around)
    })
  }

  describe('against fp-ts', () => {
    it('bracket gives the same and releases with the same, unless use and release both fail', () =>
      fc.assert(
        fc.asyncProperty(either, either, either, async (acquire, use, release) => {
          fc.pre(E.isRight(use) || E.isRight(release))
          const seen: Array<ReadonlyArray<unknown>> = []
          const results = []
          for (const bracket of [TE.bracket, TaskEithers.bracket]) {
            const log: Array<unknown> = []
            const te = bracket(
              () => Promise.resolve(acquire),
              (n): Te =>
                () =>
                  Promise.resolve(
                    pipe(
                      use,
                      E.map((m) => n + m)
                    )
                  ),
              noting<number, E.Either<string, number>>(
                log,
                pipe(
                  release,
                  E.map(() => undefined)
                )
              )
            )
            results.push(await te())
            seen.push(log)
          }
          expect(results[1]).to.deep.equal(results[0])
          expect(seen[1]).to.deep.equal(seen[0])
        })
      ))

    it('when use and release both fail, the failure of use is the one that is kept', async () => {
      const te = TaskEithers.bracket(
        TE.of<string, number>(1),
        () => TE.left('use'),
        () => TE.left('release')
      )
      expect(await te()).to.deep.equal(E.left('use'))
    })

    it('sequenceArray, traverseArray and getApplicativePar give the same', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(either, { maxLength: 8 }),
          fc.integer({ min: 1, max: 9 }),
          async (all, n) => {
            const tes = all.map((each) => later(1, each))
            const expected = await TE.sequenceArray(tes)()
            expect(await TaskEithers.sequenceArray(tes)()).to.deep.equal(expected)
            expect(await TaskEithers.traverseArray((te: Te) => te)(tes)()).to.deep.equal(expected)
            expect(await RA.sequence(TaskEithers.getApplicativePar(n))(tes)()).to.deep.equal(expected)
          }
        )
      ))

    it('results keep the order of the inputs, whichever is ready first', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat(12), { maxLength: 12 }),
          fc.integer({ min: 1, max: 4 }),
          async (delays, n) => {
            const te = (ticks: number, i: number) => later(ticks, E.right([ticks, i]))
            const tes = delays.map(te)
            const expected = await TE.sequenceArray(tes)()
            expect(await TaskEithers.sequenceArray(tes)()).to.deep.equal(expected)
            expect(await RA.sequence(TaskEithers.getApplicativePar(n))(tes)()).to.deep.equal(expected)
          }
        )
      ))

    it('withTimeout that does not fire changes nothing', () =>
      fc.assert(
        fc.asyncProperty(either, fc.nat(5), async (value, ticks) => {
          const te = pipe(
            later(ticks, value),
            TaskEithers.withTimeout(1_000_000, () => 'late')
          )
          expect(await te()).to.deep.equal(value)
        })
      ))

    it('tryCatch treats values, rejections, throws, and throws of the mapping alike', async () => {
      const works: ReadonlyArray<() => Promise<number>> = [
        () => Promise.resolve(1),
        () => Promise.reject(new Error('no')),
        () => {
          throw new Error('thrown')
        }
      ]
      const mappings: ReadonlyArray<(reason: unknown) => string> = [
        String,
        () => {
          throw new Error('mapping')
        }
      ]
      const end = (te: Te) => te().catch(String)
      for (const work of works) {
        for (const mapping of mappings) {
          expect(await end(TaskEithers.tryCatch(work, mapping))).to.deep.equal(
            await end(TE.tryCatch(work, mapping))
          )
        }
      }
    })
  })

  describe('to, and back', () => {
    const roundTrip = <A>(te: Te<A>): Te<A> => TaskEithers.to(Effect.fromTaskEither(te))

    it('to after from is the identity, on values, Lefts and order of effects', () =>
      fc.assert(
        fc.asyncProperty(either, either, async (a, b) => {
          const logs: Array<ReadonlyArray<string>> = []
          const results = []
          for (const through of [<A>(te: Te<A>) => te, roundTrip]) {
            const log: Array<string> = []
            const noted =
              (name: string, value: E.Either<string, number>): Te =>
              () => {
                log.push(name)
                return Promise.resolve(value)
              }
            results.push(
              await through(
                pipe(
                  through(noted('a', a)),
                  TE.flatMap(() => through(noted('b', b)))
                )
              )()
            )
            logs.push(log)
          }
          expect(results[1]).to.deep.equal(results[0])
          expect(logs[1]).to.deep.equal(logs[0])
        })
      ))

    it('from after to ends as the effect does, for values and failures', () =>
      fc.assert(
        fc.asyncProperty(either, async (value) => {
          const fx = Effect.fromEither(value)
          const back = Effect.fromTaskEither(TaskEithers.to(fx))
          expect(await Runtime.runExit(back)).to.deep.equal(await Runtime.runExit(fx))
        })
      ))

    it('from after to of a defect is that defect, in its CauseError', async () => {
      const bug = new Error('a bug')
      const exit = await Runtime.runExit(Effect.fromTaskEither(TaskEithers.to(Effect.die(bug))))
      expect(Cause.defects((exit as E.Left<Cause.Cause<never>>).left)).to.have.length(1)
      expect(exit._tag === 'Left' && Cause.toError(exit.left).cause).to.equal(bug)
    })

    it('is natural: map, flatMap and left pass through', () =>
      fc.assert(
        fc.asyncProperty(either, either, async (a, b) => {
          const fa = Effect.fromEither(a)
          const f = (n: number) => n * 2
          const k = (n: number) =>
            Effect.fromEither(
              pipe(
                b,
                E.map((m) => n + m)
              )
            )
          expect(await TaskEithers.to(pipe(fa, Effect.map(f)))()).to.deep.equal(
            await pipe(TaskEithers.to(fa), TE.map(f))()
          )
          expect(await TaskEithers.to(pipe(fa, Effect.flatMap(k)))()).to.deep.equal(
            await pipe(
              TaskEithers.to(fa),
              TE.flatMap((n) => TaskEithers.to(k(n)))
            )()
          )
          expect(await TaskEithers.to(Effect.fail('no'))()).to.deep.equal(await TE.left('no')())
        })
      ))

    it('gives the first of several failures', async () => {
      const both = Effect.failCause(Cause.SemigroupBoth<string>().concat(Cause.fail('a'), Cause.fail('b')))
      expect(await TaskEithers.to(both)()).to.deep.equal(E.left('a'))
    })

    it('rejects with the reason of its own signal, which has no listener afterwards', async () => {
      const controller = new AbortController()
      const reason = new Error('enough')
      const result = TaskEithers.to(Effect.never, { signal: controller.signal })()
      await turns()
      expect(getEventListeners(controller.signal, 'abort')).to.have.length(1)
      controller.abort(reason)
      expect(await result.catch((u: unknown) => u)).to.equal(reason)
      expect(getEventListeners(controller.signal, 'abort')).to.have.length(0)
    })

    for (const aborts of ['own', 'ambient'] as const) {
      it(`with a signal of its own inside of another wait: the ${aborts} one cancels it`, () =>
        withDefault({ asyncContext: true }, async () => {
          const own = new AbortController()
          const outer = new AbortController()
          const log: Array<string> = []
          const inner = TaskEithers.to(
            pipe(Effect.never, Effect.onCancel(Effect.sync(() => log.push('cancelled')))),
            { signal: own.signal }
          )
          const exit = Runtime.runExit(Effect.fromTaskEither(inner), { signal: outer.signal })
          await turns()
          const reason = new Error('enough')
          ;(aborts === 'own' ? own : outer).abort(reason)
          const shown = show(await exit)
          expect(log).to.deep.equal(['cancelled'])
          expect(shown).to.equal(aborts === 'own' ? 'Die(Error: enough)' : 'Cancelled')
        }))
    }
  })

  describe('bracket', () => {
    const bug = new Error('a bug')
    /** The ways in which `use` can go wrong without an `E`. */
    const faults: Readonly<Record<string, (n: number) => Te>> = {
      'use throws': () => {
        throw bug
      },
      'the TaskEither of use throws': () => () => {
        throw bug
      },
      'use rejects': () => () => Promise.reject(bug)
    }

    for (const [title, use] of Object.entries(faults)) {
      it(`releases once when ${title}, and tells of it as a Left with the CauseError`, async () => {
        const log: Array<[number, E.Either<string, number>]> = []
        const reason = await TaskEithers.bracket(TE.of<string, number>(1), use, noting(log))().catch(
          (u: unknown) => u
        )
        expect(log).to.have.length(1)
        const [[a, seen] = [0, E.right(0)]] = log
        expect(a).to.equal(1)
        expect(E.isLeft(seen) && seen.left).to.equal(reason)
        expect((reason as Error).cause).to.equal(bug)
      })

      it(`bracketExit: when ${title}, release sees the defect`, async () => {
        const log: Array<[number, Exit.Exit<string, number>]> = []
        await TaskEithers.bracketExit(TE.of<string, number>(1), use, noting(log))().catch(() => undefined)
        expect(log.map(([, exit]) => show(exit))).to.deep.equal(['Die(Error: a bug)'])
      })
    }

    it('bracketExit: release sees values and Lefts', async () => {
      for (const use of [E.right(2), E.left('no')]) {
        const log: Array<[number, Exit.Exit<string, number>]> = []
        const te = TaskEithers.bracketExit(
          TE.of<string, number>(1),
          (): Te => () => Promise.resolve(use),
          noting(log)
        )
        expect(await te()).to.deep.equal(use)
        expect(log.map(([, exit]) => show(exit))).to.deep.equal([E.isRight(use) ? 'ok(2)' : 'Fail(no)'])
      }
    })

    it('does not use or release what could not be acquired', async () => {
      const log: Array<unknown> = []
      const te = TaskEithers.bracket<string, number, number>(
        TE.left('closed'),
        (n) => {
          log.push('used')
          return TE.of(n)
        },
        noting(log)
      )
      expect(await te()).to.deep.equal(E.left('closed'))
      expect(log).to.deep.equal([])
    })

    it('the failure of release alone is a Left, its rejection a rejection', async () => {
      const te = (release: Te<void>) =>
        TaskEithers.bracket(
          TE.of<string, number>(1),
          (n) => TE.of(n),
          () => release
        )
      expect(await te(TE.left('release'))()).to.deep.equal(E.left('release'))
      const reason = await te(() => Promise.reject(bug))().catch((u: unknown) => u)
      expect((reason as Error).cause).to.equal(bug)
    })

    it('is released before it ends when a timeout cuts it, and release is not cut', async () => {
      const clock = VirtualClock.make()
      await withDefault({ clock, asyncContext: true }, async () => {
        const log: Array<string> = []
        const te = pipe(
          TaskEithers.bracket(
            TE.of<string, number>(1),
            () => new Job('use', log).te,
            () => async () => {
              log.push(`release starts, aborted: ${AbortSignals.current().aborted}`)
              await turn()
              // A drop-in inside of a release is not cancelled either.
              log.push(JSON.stringify(await TaskEithers.sequenceArray([later(3, E.right(1))])()))
              return E.right(undefined)
            }
          ),
          TaskEithers.withTimeout(5, () => 'too slow')
        )
        const result = te()
        await turns()
        clock.advance()
        expect(await result).to.deep.equal(E.left('too slow'))
        expect(log).to.deep.equal([
          'use starts',
          'use aborted',
          'use stops',
          'release starts, aborted: false',
          '{"_tag":"Right","right":[1]}'
        ])
      })
    })
  })

  describe('sequenceArray and traverseArray', () => {
    it('starts all at once', async () => {
      const log: Array<string> = []
      const jobs = ['a', 'b', 'c'].map((name) => new Job(name, log))
      const result = TaskEithers.sequenceArray(jobs.map(({ te }) => te))()
      await turns()
      expect(log).to.deep.equal(['a starts', 'b starts', 'c starts'])
      jobs.forEach((job, i) => job.succeed(i))
      expect(await result).to.deep.equal(E.right([0, 1, 2]))
    })

    it('a failure aborts the others through the ambient signal, and waits for them', () =>
      withDefault({ asyncContext: true }, async () => {
        const log: Array<string> = []
        const [a, b, c] = [new Job('a', log), new Job('b', log), new Job('c', log, 'leaves')]
        let ended = false
        const result = TaskEithers.traverseArray((job: Job) => job.te)([a, b, c])().finally(() => {
          ended = true
        })
        await turns()
        b.fail('no')
        await Promise.resolve()
        expect(ended).to.equal(false)
        expect(await result).to.deep.equal(E.left('no'))
        expect(log).to.deep.equal([
          'a starts',
          'b starts',
          'c starts',
          'a aborted',
          'c aborted',
          'a stops',
          'c stops'
        ])
      }))

    it('the reason says which sibling failed, and with what', () =>
      withDefault({ asyncContext: true }, async () => {
        let reason: unknown
        const waits: Te = () =>
          new Promise((_, reject) => {
            const signal = AbortSignals.current()
            signal.addEventListener('abort', () => {
              reason = signal.reason
              reject(signal.reason as Error)
            })
          })
        expect(await TaskEithers.sequenceArray([waits, later(2, E.left('no'))])()).to.deep.equal(E.left('no'))
        expect(reason).to.be.instanceOf(Cause.CauseError)
        const [cancelled] = Cause.cancellations((reason as Cause.CauseError).source)
        expect(cancelled?.reason._tag).to.equal('SiblingFailed')
      }))

    it('without asyncContext a failure waits for the others, which are not told', async () => {
      const log: Array<string> = []
      const [a, b] = [new Job('a', log), new Job('b', log)]
      let ended = false
      const result = TaskEithers.sequenceArray([a.te, b.te])().finally(() => {
        ended = true
      })
      await turns()
      a.fail('no')
      await turns()
      expect([ended, log]).to.deep.equal([false, ['a starts', 'b starts']])
      b.succeed(1)
      expect(await result).to.deep.equal(E.left('no'))
    })

    it('a rejection aborts the others as well, and joins what they end with', () =>
      withDefault({ asyncContext: true }, async () => {
        const log: Array<string> = []
        const [a, b] = [new Job('a', log), new Job('b', log)]
        const result = TaskEithers.sequenceArray([a.te, b.te])()
        await turns()
        const bug = new Error('a bug')
        a.reject(bug)
        const reason = await result.catch((u: unknown) => u)
        expect((reason as Error).cause).to.equal(bug)
        expect(log.slice(2)).to.deep.equal(['b aborted', 'b stops'])
      }))

    it('a failure deep inside stops the siblings of the outer one, and theirs', () =>
      withDefault({ asyncContext: true }, async () => {
        const log: Array<string> = []
        const jobs = ['a', 'b', 'c', 'd'].map((name) => new Job(name, log))
        const [a, b, c, d] = jobs as [Job, Job, Job, Job]
        const tree = TaskEithers.sequenceArray([
          TaskEithers.sequenceArray([a.te, b.te]),
          TaskEithers.sequenceArray([
            c.te,
            pipe(
              d.te,
              TaskEithers.withTimeout(1_000_000, () => 'late')
            )
          ])
        ])
        const result = tree()
        await turns()
        log.length = 0
        a.fail('no')
        expect(await result).to.deep.equal(E.left('no'))
        expect(log.filter((line) => line.endsWith('stops')).sort()).to.deep.equal([
          'b stops',
          'c stops',
          'd stops'
        ])
      }))

    it('an inner failure stops its own siblings also under a runtime that was given to the outer run only', async () => {
      const log: Array<string> = []
      const [a, b] = [new Job('a', log), new Job('b', log)]
      const inner = TaskEithers.sequenceArray([a.te, b.te])
      const exit = Runtime.runExit(Effect.fromTaskEither(inner), {
        runtime: Runtime.make({ asyncContext: true })
      })
      await turns()
      a.fail('no')
      expect(show(await exit)).to.equal('Fail(no)')
      expect(log.slice(2)).to.deep.equal(['b aborted', 'b stops'])
    })
  })

  describe('getApplicativePar', () => {
    /** Counts how many run at the same time. */
    const counting = () => {
      const counts = { running: 0, most: 0, started: 0 }
      const te =
        (n: number): Te =>
        async () => {
          counts.started++
          counts.most = Math.max(counts.most, ++counts.running)
          for (let i = 0; i <= n % 3; i++) await Promise.resolve()
          counts.running--
          return E.right(n)
        }
      return { counts, te }
    }

    it('holds its bound and reaches it, in traverse of arrays and records', () =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 0, max: 20 }),
          async (n, length) => {
            const items = RA.makeBy(length, (i) => i)
            const array = counting()
            expect(
              await pipe(items, RA.traverse(TaskEithers.getApplicativePar(n))(array.te))()
            ).to.deep.equal(E.right(items))
            expect(array.counts.most).to.equal(Math.min(n, length))

            const record = counting()
            const fields = Object.fromEntries(items.map((i) => [`k${i}`, i]))
            expect(
              await pipe(fields, RR.traverse(TaskEithers.getApplicativePar(n))(record.te))()
            ).to.deep.equal(E.right(fields))
            expect(record.counts.most).to.equal(Math.min(n, length))
          }
        ),
        { numRuns: 40 }
      ))

    it('works with sequenceS and sequenceT', async () => {
      const { counts, te } = counting()
      const A = TaskEithers.getApplicativePar(2)
      expect(await sequenceS(A)({ a: te(1), b: te(2), c: te(3) })()).to.deep.equal(
        E.right({ a: 1, b: 2, c: 3 })
      )
      expect(await sequenceT(A)(te(1), te(2), te(3))()).to.deep.equal(E.right([1, 2, 3]))
      expect(counts.most).to.equal(2)
    })

    it('takes 10,000 items', async () => {
      const { counts, te } = counting()
      const items = RA.makeBy(10_000, (i) => i)
      expect(await pipe(items, RA.traverse(TaskEithers.getApplicativePar(8))(te))()).to.deep.equal(
        E.right(items)
      )
      expect([counts.most, counts.started]).to.deep.equal([8, 10_000])
    })

    it('a failure starts nothing more, aborts what runs, and waits for it', () =>
      withDefault({ asyncContext: true }, async () => {
        const log: Array<string> = []
        const jobs = ['a', 'b', 'c', 'd'].map((name) => new Job(name, log))
        const result = pipe(
          jobs,
          RA.traverse(TaskEithers.getApplicativePar(2))(({ te }) => te)
        )()
        await turns()
        jobs[0]?.fail('no')
        expect(await result).to.deep.equal(E.left('no'))
        expect(log).to.deep.equal(['a starts', 'b starts', 'b aborted', 'b stops'])
      }))

    it('of, map and ap of one instance keep the laws of an applicative', () =>
      fc.assert(
        fc.asyncProperty(either, either, async (a, b) => {
          const A = TaskEithers.getApplicativePar(2)
          const [fa, fb] = [later(1, a), later(1, b)]
          const add = (x: number) => (y: number) => x + y
          expect(await A.map(fa, (n) => n)()).to.deep.equal(a)
          expect(await A.ap(A.map(fa, add), fb)()).to.deep.equal(
            await TE.ApplicativePar.ap(TE.ApplicativePar.map(fa, add), fb)()
          )
          expect(await A.ap(A.of(add(1)), A.of(2))()).to.deep.equal(E.right(3))
        })
      ))
  })

  describe('withTimeout', () => {
    const timed = async (
      manner: 'rejects' | 'leaves' | 'goesOn',
      options: TaskEithers.TaskEitherOptions | undefined,
      asyncContext: boolean
    ) => {
      const clock = VirtualClock.make()
      const log: Array<string> = []
      const job = new Job('job', log, manner)
      Runtime.setDefault(Runtime.make({ clock, asyncContext }))
      const state = { ended: false }
      const result = pipe(
        job.te,
        TaskEithers.withTimeout(10, () => ({ _tag: 'TooSlow' }), options)
      )().finally(() => {
        state.ended = true
      })
      result.catch(() => undefined)
      await turns()
      clock.advance()
      return { job, log, result, state }
    }
    const tooSlow = E.left({ _tag: 'TooSlow' })

    afterEach(() => {
      Runtime.setDefault(Runtime.defaultRuntime)
    })

    it('work that ended in time leaves no timer', async () => {
      const clock = VirtualClock.make()
      await withDefault({ clock }, async () => {
        expect(
          await pipe(
            later(3, E.right(1)),
            TaskEithers.withTimeout(10, () => 'late')
          )()
        ).to.deep.equal(E.right(1))
        expect(clock.pending()).to.equal(0)
      })
    })

    for (const asyncContext of [false, true]) {
      it(`abandonOnCancel lets go at once (asyncContext: ${asyncContext})`, async () => {
        const { result, job } = await timed('goesOn', { abandonOnCancel: true }, asyncContext)
        expect(await result).to.deep.equal(tooSlow)
        job.succeed(1)
      })

      for (const late of ['succeed', 'fail', 'reject'] as const) {
        it(`abandonOnCancel ignores that the work ${late}s later (asyncContext: ${asyncContext})`, async () => {
          const complaints = await complaintsOf(async () => {
            const { result, job } = await timed('goesOn', { abandonOnCancel: true }, asyncContext)
            expect(await result).to.deep.equal(tooSlow)
            job[late](1 as never)
          })
          expect(complaints).to.deep.equal([])
        })
      }
    }

    it('abandonOnCancel aborts the ambient signal all the same, and waits for nobody', async () => {
      const { result, log } = await timed('rejects', { abandonOnCancel: true }, true)
      expect(await result).to.deep.equal(tooSlow)
      expect(log).to.deep.equal(['job starts', 'job aborted'])
      await turns()
      expect(log).to.deep.equal(['job starts', 'job aborted', 'job stops'])
    })

    it('without abandonOnCancel a value that comes late is kept', async () => {
      const { result, job, state } = await timed('goesOn', undefined, false)
      await turns()
      expect(state.ended).to.equal(false)
      job.succeed(1)
      expect(await result).to.deep.equal(E.right(1))
    })

    it('without abandonOnCancel a rejection of another kind is not lost', async () => {
      const { result, job } = await timed('goesOn', undefined, true)
      const bug = new Error('a bug')
      job.reject(bug)
      const reason = await result.catch((u: unknown) => u)
      expect(Cause.defects((reason as Cause.CauseError).source)).to.deep.equal([bug])
    })

    it('the inner one of two ends first, and is none of the outer one', async () => {
      const clock = VirtualClock.make()
      await withDefault({ clock, asyncContext: true }, async () => {
        const te = pipe(
          new Job('job', []).te,
          TaskEithers.withTimeout(1, () => 'inner' as const),
          TaskEithers.withTimeout(2, () => 'outer' as const)
        )
        const result = te()
        await turns()
        clock.advance()
        expect(await result).to.deep.equal(E.left('inner'))
      })
    })
  })

  describe('tryCatch', () => {
    it('its signal aborts when the wait around it is cancelled, with the reason of that', () =>
      withDefault({ asyncContext: true }, async () => {
        const controller = new AbortController()
        const entered = deferred<AbortSignal>()
        const te = TaskEithers.tryCatch<string, number>(
          (signal) =>
            new Promise((_, reject) => {
              entered.resolve(signal)
              signal.addEventListener('abort', () => {
                reject(signal.reason as Error)
              })
            }),
          String
        )
        // Stock combinators on the way.
        const program = pipe(
          TE.of<string, number>(1),
          TE.flatMap(() => te),
          TE.map((n) => n + 1)
        )
        const exit = Runtime.runExit(Effect.fromTaskEither(program), { signal: controller.signal })
        const signal = await entered.promise
        expect(signal.aborted).to.equal(false)
        controller.abort('enough')
        expect(signal.reason).to.be.instanceOf(Cause.CauseError)
        expect(show(await exit)).to.equal('Cancelled')
      }))

    it('its signal is of this call alone, and does not abort once the call is over', () =>
      withDefault({ asyncContext: true }, async () => {
        const controller = new AbortController()
        const signals: Array<AbortSignal> = []
        const call = TaskEithers.tryCatch((signal) => {
          signals.push(signal)
          return Promise.resolve(1)
        }, String)
        const wait = new Job('wait', [])
        const program = pipe(
          call,
          TE.flatMap(() => call),
          TE.flatMap(() => wait.te)
        )
        const exit = Runtime.runExit(Effect.fromTaskEither(program), { signal: controller.signal })
        await turns()
        controller.abort()
        await exit
        expect(new Set(signals).size).to.equal(2)
        expect(signals.map(({ aborted }) => aborted)).to.deep.equal([false, false])
      }))

    it('in a wait that was cancelled before it begins, its signal is aborted', () =>
      withDefault({ asyncContext: true }, async () => {
        const controller = new AbortController()
        let aborted: boolean | undefined
        const program = pipe(
          new Job('first', [], 'leaves').te,
          TE.orElse(() =>
            TaskEithers.tryCatch((signal) => {
              aborted = signal.aborted
              return Promise.reject(new Error('stopped'))
            }, String)
          )
        )
        const exit = Runtime.runExit(Effect.fromTaskEither(program), { signal: controller.signal })
        await turns()
        controller.abort()
        expect(show(await exit)).to.equal('Cancelled')
        expect(aborted).to.equal(true)
      }))

    it('without a run, and without asyncContext, its signal never aborts', async () => {
      const signals: Array<AbortSignal> = []
      const call = TaskEithers.tryCatch((signal) => {
        signals.push(signal)
        return Promise.resolve(1)
      }, String)
      await call()
      const controller = new AbortController()
      const job = new Job('job', [], 'goesOn')
      const program = pipe(
        call,
        TE.flatMap(() => job.te)
      )
      const exit = Runtime.runExit(Effect.fromTaskEither(program), { signal: controller.signal })
      await turns()
      controller.abort()
      job.succeed(1)
      await exit
      expect(signals.map(({ aborted }) => aborted)).to.deep.equal([false, false])
    })
  })
})
