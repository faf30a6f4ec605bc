/**
 * Laws of what tasks wait for each other by: locks, semaphores, limiters, events, futures and conditions. Each set takes how
 * such a thing is made, so one of your own, behind the same interface, can be held to them.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { CapacityLimiter, Condition, Effect, Event, Exit, Future, Lock, Semaphore, TaskGroup } from 'millrace'
import {
  acts,
  cancelled,
  type Cut,
  cuts,
  cutShort,
  expectWords,
  repeat,
  showCut,
  showWaits,
  waitFor
} from './Actors.js'
import { equation, invariant, lines, type Observation } from './Equality.js'
import { groupFor, type Law, type LawSet, lawSet } from './LawSet.js'
import { interpret, printInputs, type Program, sequential } from './Program.js'
import { show } from './Show.js'
import type { Fx, World } from './World.js'

const { andThen, gen, sleep } = Effect

/** How a thing is made. */
type Make<A> = Effect.Effect<unknown, never, A>

// -------------------------------------------------------------------------------------
// tasks that come, hold, and go
// -------------------------------------------------------------------------------------

interface Visitor {
  /** Waits before each visit; it stays for 1 ms. */
  readonly acts: ReadonlyArray<number>
  readonly cut: Cut
}

const visitors: fc.Arbitrary<ReadonlyArray<Visitor>> = fc.array(fc.record({ acts, cut: cuts }), {
  minLength: 2,
  maxLength: 3
})

const showVisitors = (all: ReadonlyArray<Visitor>): string =>
  all.map(({ acts, cut }) => `  comes ${showWaits(acts)}${showCut(cut)}`).join('\n')

/** Each visitor goes in and out as often as it says, and is noted inside. */
const visits =
  (all: ReadonlyArray<Visitor>, hold: (fx: Fx) => Fx) =>
  (world: World): Fx =>
    TaskGroup.open<unknown>()((group) =>
      gen(function* () {
        for (const [who, { acts, cut }] of all.entries()) {
          const inside = Effect.ensuring(world.tick(`out ${who}`))(andThen(sleep(1))(world.tick(`in ${who}`)))
          const body = acts.reduce(
            (fx: Fx, wait) => pipe(fx, andThen(waitFor(wait)), andThen(hold(inside))),
            Effect.unit
          )
          yield* group.spawn(cutShort(cut, body))
        }
      })
    )

/** At most so many are inside at a time, all who are not cancelled get in, and nobody waits for ever. */
const admits =
  (most: number, all: ReadonlyArray<Visitor>) =>
  (observation: Observation): string | null => {
    if (!observation.exit.startsWith('Right')) return 'somebody waits for ever, or fails'
    const inside = new Set<string>()
    const times = new Map<string, number>()
    for (const line of lines(observation)) {
      const [what, who] = line.split(' ') as [string, string]
      if (what === 'out') inside.delete(who)
      else {
        inside.add(who)
        times.set(who, (times.get(who) ?? 0) + 1)
      }
      if (inside.size > most) return `${inside.size} are inside`
    }
    const missing = all.findIndex(
      ({ acts, cut }, who) => cut === null && times.get(String(who)) !== acts.length
    )
    return missing < 0 ? null : `${missing} did not get in each time`
  }

/** How an operation ends, in a line. */
const noted = (world: World, what: string, fx: Effect.Effect<unknown, unknown, unknown>): Fx =>
  Effect.flatMap((exit: Exit.Exit<unknown, unknown>) => world.tick(`${what} ${endOf(exit)}`))(Effect.exit(fx))

const endOf = (exit: Exit.Exit<unknown, unknown>): string =>
  exit._tag === 'Right' ? 'ok' : exit.left._tag === 'Die' ? 'dies' : show(exit)

interface Parts<A> {
  readonly world: World
  readonly it: A
  readonly group: TaskGroup.TaskGroup<unknown>
  readonly n: number
}

/** Laws about one small program each. */
const aboutA =
  <A>(group: string, make: Make<A>) =>
  (
    name: string,
    body: (parts: Parts<A>) => Fx,
    check: (observation: Observation, input: { readonly n: number }) => string | null,
    n: fc.Arbitrary<number> = fc.nat(3)
  ): Law =>
    invariant({
      name,
      group,
      effort: 0.1,
      input: fc.record({ n }),
      show: printInputs,
      run:
        ({ n }) =>
        (world) =>
          Effect.flatMap((it: A) => TaskGroup.open<unknown>()((group) => body({ world, it, group, n })))(
            make
          ),
      check
    })

/** Spawns tasks that come one ms after the other. */
const inTurn = (
  group: TaskGroup.TaskGroup<unknown>,
  n: number,
  fx: (i: number) => Effect.Effect<unknown, unknown, unknown>
) =>
  gen(function* () {
    const tasks = []
    for (let i = 0; i < n; i++) {
      tasks.push(yield* group.spawn(fx(i)))
      yield* sleep(1)
    }
    return tasks
  })

/**
 * The first `n` of three come before the line that says `no more`, and the others after it. Those who are let in at the same time
 * run in any order.
 */
const firstOfThree =
  (n: number, word: string) =>
  (observation: Observation): string | null => {
    if (!observation.exit.startsWith('Right')) return 'somebody waits for ever, or fails'
    const found = lines(observation).filter((line) => line.startsWith(word))
    const at = found.indexOf(`${word} no more`)
    const sorted = [...found.slice(0, at).sort(), ...found.slice(at + 1).sort()]
    return at === n && sorted.join(', ') === upTo(3, word) ? null : `found ${found.join(', ')}`
  }

const upTo = (n: number, word: string): string =>
  Array.from({ length: n }, (_, i) => `${word} ${i}`).join(', ')

// -------------------------------------------------------------------------------------
// locks
// -------------------------------------------------------------------------------------

/**
 * Laws of a lock.
 *
 * @example
 * import assert from 'node:assert/strict'
 * import { Effect, Lock } from 'millrace'
 * import { assertLaws, lock } from 'millrace/laws'
 *
 * assertLaws(lock(Lock.make()))
 *
 * const open = Effect.map((it: Lock.Lock): Lock.Lock => ({ ...it, withLock: (fx) => fx }))(Lock.make())
 * assert.throws(() => assertLaws(lock(open)), /J1 one at a time/)
 *
 * @category law sets
 * @since 0.1.0
 */
export const lock = (make: Make<Lock.Lock> = Lock.make(), name = 'locks'): LawSet => {
  const group = groupFor(name)
  const about = aboutA(group, make)
  return lawSet(name, [
    invariant({
      name: 'J1 one at a time is inside of a lock, and all get in who are not cancelled, whoever is and when',
      group,
      input: visitors,
      show: showVisitors,
      run: (all) => (world) => Effect.flatMap((it: Lock.Lock) => visits(all, it.withLock)(world))(make),
      check: (observation, all) => admits(1, all)(observation)
    }),
    equation<{ readonly e: Program }>({
      name: 'J2 withLock = acquire, and release however it ends',
      group,
      effort: 0.5,
      input: fc.record({ e: sequential }),
      show: printInputs,
      left:
        ({ e }) =>
        (w) =>
          Effect.flatMap((it: Lock.Lock) => it.withLock(interpret(w, 'e', e)))(make),
      right:
        ({ e }) =>
        (w) =>
          Effect.flatMap((it: Lock.Lock) =>
            Effect.bracket(
              it.acquire,
              () => interpret(w, 'e', e),
              () => it.release
            )
          )(make)
    }),
    about(
      'J3 those that wait get a lock in the order in which they came; who was cancelled is passed over',
      ({ world, it, group, n }) =>
        it.withLock(
          gen(function* () {
            yield* sleep(1)
            const tasks = yield* inTurn(group, 4, (i) => it.withLock(world.tick(`got it ${i}`)))
            yield* tasks[n]?.cancel() ?? Effect.unit
          })
        ),
      (observation, { n }) =>
        expectWords(
          [0, 1, 2, 3]
            .filter((i) => i !== n)
            .map((i) => `got it ${i}`)
            .join(', '),
          'got'
        )(observation),
      fc.nat(4)
    ),
    about(
      'J4 a lock that was handed over is owned, also by one that is cancelled in the same turn, who passes it on',
      ({ world, it, group }) =>
        gen(function* () {
          yield* it.acquire
          const first = yield* group.spawn(
            it.withLock(andThen(Effect.checkpoint)(world.tick('got it first')))
          )
          yield* sleep(1)
          yield* group.spawn(it.withLock(world.tick('got it second')))
          yield* sleep(1)
          yield* it.release
          yield* first.cancel()
        }),
      expectWords('got it first, got it second', 'got')
    ),
    about(
      'J5 acquireNow takes a lock that is free, and overtakes nobody, not even one that was just handed it',
      ({ world, it, group }) =>
        gen(function* () {
          yield* noted(world, 'now', it.acquireNow)
          yield* group.spawn(it.withLock(sleep(1)))
          yield* group.spawn(noted(world, 'now', it.acquireNow))
          yield* sleep(1)
          yield* it.release
          yield* noted(world, 'now', it.acquireNow)
        }),
      expectWords('now ok, now Left(Fail(WouldBlock)), now Left(Fail(WouldBlock))', 'now')
    ),
    about(
      'J6 who owns a lock does not wait for itself, and who does not own it cannot release it; it stays held',
      ({ world, it, group }) =>
        gen(function* () {
          yield* it.acquire
          yield* noted(world, 'again', it.acquire)
          yield* noted(world, 'again', it.acquireNow)
          const task = yield* group.spawn(noted(world, 'release', it.release))
          yield* task.wait
          const { owner } = yield* it.statistics
          yield* world.tick(`owned ${owner._tag}`)
          yield* it.release
          yield* noted(world, 'release', it.release)
        }),
      expectWords(
        'again dies, again dies, release dies, owned Some, release dies',
        'again',
        'release',
        'owned'
      )
    ),
    about(
      'J7 in a cancelled scope a lock is not taken, though it is free',
      ({ world, it }) =>
        gen(function* () {
          yield* cancelled(andThen(world.tick('taken'))(it.acquire))
          yield* noted(world, 'taken', it.acquireNow)
          yield* it.release
        }),
      expectWords('taken ok', 'taken')
    ),
    about(
      'J8 the statistics of a lock count who waits',
      ({ world, it, group, n }) =>
        gen(function* () {
          yield* it.acquire
          const tasks = yield* inTurn(group, n, () => it.withLock(Effect.unit))
          const { tasksWaiting } = yield* it.statistics
          yield* tasks[0]?.cancel() ?? Effect.unit
          yield* sleep(1)
          const after = yield* it.statistics
          yield* world.tick(`waiting ${tasksWaiting} then ${after.tasksWaiting}`)
          yield* it.release
        }),
      (observation, { n }) => expectWords(`waiting ${n} then ${Math.max(0, n - 1)}`, 'waiting')(observation)
    )
  ])
}

// -------------------------------------------------------------------------------------
// semaphores
// -------------------------------------------------------------------------------------

/**
 * Laws of a semaphore, which is made with a number of permits.
 *
 * @category law sets
 * @since 0.1.0
 */
export const semaphore = (
  make: (permits: number, options?: Semaphore.SemaphoreOptions) => Make<Semaphore.Semaphore> = Semaphore.make,
  name = 'semaphores'
): LawSet => {
  const group = groupFor(name)
  const of = (permits: number) => aboutA(group, make(permits))
  return lawSet(name, [
    invariant({
      name: 'J10 never more are inside than there are permits, and all get in who are not cancelled',
      group,
      input: fc.record({ permits: fc.integer({ min: 1, max: 2 }), all: visitors }),
      show: ({ permits, all }) => `  permits = ${permits}\n${showVisitors(all)}`,
      run:
        ({ permits, all }) =>
        (world) =>
          Effect.flatMap((it: Semaphore.Semaphore) => visits(all, it.withPermit)(world))(make(permits)),
      check: (observation, { permits, all }) => admits(permits, all)(observation)
    }),
    invariant({
      name: 'J11 permits are conserved: at the end there are as many as in the beginning, whoever was cancelled',
      group,
      input: fc.record({ permits: fc.integer({ min: 1, max: 3 }), all: visitors, weight: fc.nat(3) }),
      show: ({ permits, all, weight }) => `  permits = ${permits}, weight = ${weight}\n${showVisitors(all)}`,
      run:
        ({ permits, all, weight }) =>
        (world) =>
          gen(function* () {
            const it = yield* make(permits)
            const hold: (fx: Fx) => Fx =
              weight === 0 ? it.withPermit : it.withPermits(Math.min(weight, permits))
            yield* visits(all, hold)(world)
            const { available, tasksWaiting } = yield* it.statistics
            return [available, tasksWaiting]
          }),
      check: ({ exit }, { permits }) => (exit === `Right([${permits}, 0])` ? null : `there are ${exit}`)
    }),
    of(2)(
      'J12 while somebody waits for a permit there is none',
      ({ world, it, group, n }) =>
        gen(function* () {
          const tasks = yield* inTurn(group, n + 1, () => it.withPermit(sleep(10)))
          const { available, tasksWaiting } = yield* it.statistics
          yield* tasks[n]?.cancel() ?? Effect.unit
          const after = yield* it.statistics
          yield* world.tick(
            `there ${available === Math.max(0, 1 - n) && tasksWaiting === Math.max(0, n - 1)}`
          )
          yield* world.tick(`there ${after.available === 0 || after.tasksWaiting === 0}`)
        }),
      expectWords('there true, there true', 'there')
    ),
    of(3)(
      'J13 those that wait get permits in the order in which they came, many or one',
      ({ world, it, group }) =>
        gen(function* () {
          yield* it.acquire
          // When the three come back, two and one fit together; which of them goes on first is not claimed.
          const weights = [3, 2, 1, 3]
          yield* inTurn(group, 4, (i) =>
            it.withPermits(weights[i]!)(andThen(sleep(1))(i === 2 ? Effect.unit : world.tick(`got ${i}`)))
          )
          yield* it.release
          yield* sleep(1.5)
          const { available } = yield* it.statistics
          yield* world.tick(`got all but ${available}`)
        }),
      expectWords('got 0, got 1, got all but 0, got 3', 'got')
    ),
    of(2)(
      'J13 when one that waits for many leaves, those behind it get what is there',
      ({ world, it, group }) =>
        gen(function* () {
          yield* it.acquire
          const many = yield* group.spawn(it.withPermits(2)(world.tick('got many')))
          yield* sleep(1)
          yield* group.spawn(it.withPermit(world.tick('got one')))
          yield* sleep(1)
          yield* many.cancel()
          yield* sleep(1)
          yield* world.tick('got so far')
          yield* it.release
        }),
      expectWords('got one, got so far', 'got')
    ),
    of(1)(
      'J14 a permit that was handed over is owned, also by one that is cancelled in the same turn',
      ({ world, it, group }) =>
        gen(function* () {
          yield* it.acquire
          const first = yield* group.spawn(it.withPermit(andThen(Effect.checkpoint)(world.tick('got first'))))
          yield* sleep(1)
          yield* group.spawn(it.withPermit(world.tick('got second')))
          yield* sleep(1)
          yield* it.release
          yield* first.cancel()
        }),
      expectWords('got first, got second', 'got')
    ),
    of(1)(
      'J15 acquireNow takes a permit that is there, and overtakes nobody',
      ({ world, it, group }) =>
        gen(function* () {
          yield* noted(world, 'now', it.acquireNow)
          yield* noted(world, 'now', it.acquireNow)
          yield* group.spawn(it.withPermit(sleep(1)))
          yield* sleep(1)
          yield* it.release
          yield* noted(world, 'now', it.acquireNow)
        }),
      expectWords('now ok, now Left(Fail(WouldBlock)), now Left(Fail(WouldBlock))', 'now')
    ),
    of(1)(
      'J16 in a cancelled scope no permit is taken, though there is one',
      ({ world, it }) =>
        gen(function* () {
          yield* cancelled(andThen(world.tick('taken'))(it.acquire))
          yield* noted(world, 'taken', it.acquireNow)
        }),
      expectWords('taken ok', 'taken')
    ),
    aboutA(group, make(1, { max: 1 }))(
      'J17 more permits than the maximum are a defect, and so is waiting for what can never be',
      ({ world, it }) =>
        gen(function* () {
          yield* noted(world, 'release', it.release)
          yield* noted(world, 'two', it.withPermits(2)(Effect.unit))
          const { available } = yield* it.statistics
          yield* world.tick(`there ${available}`)
        }),
      expectWords('release dies, two dies, there 1', 'release', 'two', 'there')
    )
  ])
}

// -------------------------------------------------------------------------------------
// limiters
// -------------------------------------------------------------------------------------

/**
 * Laws of a capacity limiter, which is made with a total.
 *
 * @category law sets
 * @since 0.1.0
 */
export const limiter = (
  make: (total: number) => Make<CapacityLimiter.CapacityLimiter> = CapacityLimiter.make,
  name = 'limiters'
): LawSet => {
  const group = groupFor(name)
  const of = (total: number) => aboutA(group, make(total))
  return lawSet(name, [
    invariant({
      name: 'J20 never more is borrowed than the total, and all get a token who are not cancelled',
      group,
      input: fc.record({ total: fc.integer({ min: 1, max: 2 }), all: visitors }),
      show: ({ total, all }) => `  total = ${total}\n${showVisitors(all)}`,
      run:
        ({ total, all }) =>
        (world) =>
          gen(function* () {
            const it = yield* make(total)
            yield* visits(all, it.withToken)(world)
            const { borrowed, borrowers, tasksWaiting } = yield* it.statistics
            yield* borrowed + borrowers.length + tasksWaiting === 0
              ? Effect.unit
              : Effect.die('something is borrowed at the end')
          }),
      check: (observation, { total, all }) => admits(total, all)(observation)
    }),
    of(0)(
      'J21 raising the total lets in as many as it is raised by, in the order in which they came',
      ({ world, it, group, n }) =>
        gen(function* () {
          yield* inTurn(group, 3, (i) => it.withTokenFor(i)(andThen(sleep(10))(world.tick(`got ${i}`))))
          yield* it.setTotal(n)
          yield* sleep(1)
          yield* world.tick('got no more')
          yield* it.setTotal(3)
        }),
      (observation, { n }) => firstOfThree(n, 'got')(observation)
    ),
    of(3)(
      'J22 lowering the total takes no token away, and lets nobody in before enough came back',
      ({ world, it, group }) =>
        gen(function* () {
          for (const who of ['a', 'b', 'c']) yield* it.acquireFor(who)
          yield* it.setTotal(1)
          const { borrowed } = yield* it.statistics
          yield* world.tick(`there ${borrowed}`)
          yield* group.spawn(it.withTokenFor('d')(world.tick('there d')))
          for (const who of ['a', 'b', 'c']) {
            yield* sleep(1)
            yield* world.tick(`there without ${who}`)
            yield* it.releaseFor(who)
          }
        }),
      expectWords('there 3, there without a, there without b, there without c, there d', 'there')
    ),
    of(3)(
      'J23 a borrower has one token at most, and gives back only what it has',
      ({ world, it }) =>
        gen(function* () {
          yield* it.acquireFor('a')
          yield* noted(world, 'again', it.acquireFor('a'))
          yield* noted(world, 'other', it.releaseFor('b'))
          yield* it.releaseFor('a')
          yield* noted(world, 'twice', it.releaseFor('a'))
          yield* noted(world, 'again', it.acquireFor('a'))
        }),
      expectWords('again dies, other dies, twice dies, again ok', 'again', 'other', 'twice')
    ),
    of(1)(
      'J24 a token that was handed over is had, also by one that is cancelled in the same turn',
      ({ world, it, group }) =>
        gen(function* () {
          yield* it.acquire
          const first = yield* group.spawn(it.withToken(andThen(Effect.checkpoint)(world.tick('got first'))))
          yield* sleep(1)
          yield* group.spawn(it.withToken(world.tick('got second')))
          yield* sleep(1)
          yield* it.release
          yield* first.cancel()
        }),
      expectWords('got first, got second', 'got')
    ),
    of(1)(
      'J25 in a cancelled scope no token is taken, though there is one; acquireNow overtakes nobody',
      ({ world, it, group }) =>
        gen(function* () {
          yield* cancelled(andThen(world.tick('now taken'))(it.acquire))
          yield* noted(world, 'now', it.acquireNow)
          yield* group.spawn(it.withToken(sleep(1)))
          yield* sleep(1)
          yield* it.release
          yield* noted(world, 'now', it.acquireNow)
        }),
      expectWords('now ok, now Left(Fail(WouldBlock))', 'now')
    )
  ])
}

// -------------------------------------------------------------------------------------
// events and futures
// -------------------------------------------------------------------------------------

/** Whether something yields is seen by a task that is ready. */
const besideOne = (world: World, first: Fx, fx: Fx): Fx =>
  TaskGroup.open<unknown>()((group) =>
    pipe(first, andThen(group.spawn(world.tick('other'))), andThen(fx), andThen(world.tick('on')))
  )

/**
 * Laws of an event.
 *
 * @category law sets
 * @since 0.1.0
 */
export const event = (make: Make<Event.Event> = Event.make(), name = 'events'): LawSet => {
  const group = groupFor(name)
  const about = aboutA(group, make)
  return lawSet(name, [
    about(
      'J30 setting an event wakes all that wait, each once, and it stays set',
      ({ world, it, group, n }) =>
        gen(function* () {
          yield* inTurn(group, n, (i) => andThen(world.tick(`woken ${i}`))(it.wait))
          yield* world.tick(`woken by ${yield* it.isSet}`)
          yield* it.set
          yield* it.set
          yield* sleep(1)
          yield* it.wait
          yield* world.tick(`woken ${yield* it.isSet}`)
        }),
      (observation, { n }) => {
        const found = lines(observation).filter((line) => line.startsWith('woken'))
        const rest = found.slice(1, -1).sort().join(', ')
        if (!observation.exit.startsWith('Right')) return 'somebody waits for ever'
        return found[0] === 'woken by false' && found.at(-1) === 'woken true' && rest === upTo(n, 'woken')
          ? null
          : `found ${found.join(', ')}`
      }
    ),
    equation<object>({
      name: 'J31 waiting for an event that is set = looking whether it is cancelled',
      group,
      effort: 0.3,
      input: fc.constant({}),
      show: printInputs,
      left: () => (w) => Effect.flatMap((it: Event.Event) => besideOne(w, it.set, it.wait))(make),
      right: () => (w) =>
        Effect.flatMap((it: Event.Event) => besideOne(w, it.set, Effect.checkCancelled))(make)
    }),
    about(
      'J32 one that is cancelled while it waits for an event leaves, and the others stay',
      ({ world, it, group, n }) =>
        gen(function* () {
          const tasks = yield* inTurn(group, 3, (i) => andThen(world.tick(`woken ${i}`))(it.wait))
          yield* tasks[n]?.cancel() ?? Effect.unit
          yield* sleep(1)
          const { tasksWaiting } = yield* it.statistics
          yield* world.tick(`waiting ${tasksWaiting}`)
          yield* it.set
        }),
      (observation, { n }) => {
        const found = lines(observation)
        if (!observation.exit.startsWith('Right')) return 'somebody waits for ever'
        const woken = [0, 1, 2].filter((i) => i !== n).map((i) => `woken ${i}`)
        return found[0] === `waiting ${woken.length}` && found.slice(1).sort().join() === woken.join()
          ? null
          : `found ${found.join(', ')}`
      }
    )
  ])
}

/**
 * Laws of a future.
 *
 * @category law sets
 * @since 0.1.0
 */
export const future = (
  make: Make<Future.Future<string, number>> = Future.make<string, number>(),
  name = 'futures'
): LawSet => {
  const group = groupFor(name)
  const about = aboutA(group, make)
  const ends = fc.constantFrom(0, 1, 2)
  const exitOf = (n: number): Exit.Exit<string, number> =>
    n === 0 ? Exit.succeed(1) : n === 1 ? Exit.fail('ε') : Exit.die('bug')
  return lawSet(name, [
    about(
      'J35 the first completion of a future counts, and all who wait see it, before and after',
      ({ world, it, group, n }) =>
        gen(function* () {
          yield* inTurn(group, 2, () =>
            Effect.flatMap((exit: Exit.Exit<string, number>) => world.tick(`saw ${show(exit)}`))(
              Effect.exit(it.wait)
            )
          )
          yield* world.tick(`first ${yield* it.complete(exitOf(n))}`)
          yield* world.tick(`second ${yield* it.succeed(2)}, ${yield* it.fail('late')}`)
          yield* sleep(1)
          yield* pipe(
            Effect.exit(it.wait),
            Effect.flatMap((exit) => world.tick(`saw ${show(exit)}`))
          )
          const polled = yield* it.poll
          yield* world.tick(`polled ${polled._tag === 'Some' ? show(polled.value) : 'nothing'}`)
        }),
      (observation, { n }) => {
        const exit = show(exitOf(n))
        return expectWords(
          `first true, second false, false, saw ${exit}, saw ${exit}, saw ${exit}, polled ${exit}`,
          'first',
          'second',
          'saw',
          'polled'
        )(observation)
      },
      ends
    ),
    equation<{ readonly n: number }>({
      name: 'J36 waiting for a future that is complete = looking whether it is cancelled, then its end',
      group,
      effort: 0.3,
      input: fc.record({ n: ends }),
      show: printInputs,
      left:
        ({ n }) =>
        (w) =>
          Effect.flatMap((it: Future.Future<string, number>) =>
            besideOne(w, it.complete(exitOf(n)), it.wait)
          )(make),
      right:
        ({ n }) =>
        (w) =>
          besideOne(w, Effect.unit, andThen(Effect.fromExit(exitOf(n)))(Effect.checkCancelled))
    }),
    about(
      'J37 one that is cancelled while it waits for a future leaves it as it was',
      ({ world, it, group }) =>
        gen(function* () {
          const task = yield* group.spawn(it.wait)
          yield* sleep(1)
          yield* task.cancel()
          yield* sleep(1)
          const { isDone, tasksWaiting } = yield* it.statistics
          yield* world.tick(`done ${isDone}, ${tasksWaiting} wait`)
          yield* world.tick(`done ${yield* it.succeed(1)}`)
        }),
      expectWords('done false, 0 wait, done true', 'done')
    )
  ])
}

// -------------------------------------------------------------------------------------
// conditions
// -------------------------------------------------------------------------------------

/**
 * Laws of a condition.
 *
 * @category law sets
 * @since 0.1.0
 */
export const condition = (
  make: Make<Condition.Condition> = Condition.make(),
  name = 'conditions'
): LawSet => {
  const group = groupFor(name)
  const about = aboutA(group, make)
  return lawSet(name, [
    about(
      'J40 notify wakes as many as it says, in the order in which they came, and no others',
      ({ world, it, group, n }) =>
        gen(function* () {
          yield* inTurn(group, 3, (i) => it.withLock(andThen(world.tick(`woken ${i}`))(it.wait)))
          yield* it.withLock(it.notify(n))
          yield* sleep(1)
          yield* world.tick('woken no more')
          yield* it.withLock(it.notifyAll)
        }),
      (observation, { n }) => firstOfThree(n, 'woken')(observation)
    ),
    about(
      'J41 while a task waits for a condition the lock is free; when the wait ends, however it does, it is held again',
      ({ world, it, group, n }) =>
        gen(function* () {
          const task = yield* group.spawn(
            it.withLock(
              Effect.ensuring(
                Effect.flatMap((owned: boolean) => world.tick(`owned ${owned}`))(it.lock.isOwned)
              )(it.wait)
            )
          )
          yield* sleep(1)
          yield* noted(world, 'owned free', it.lock.acquireNow)
          yield* n % 2 === 0 ? it.notify(1) : task.cancel()
          yield* sleep(1)
          yield* world.tick('owned by me')
          yield* it.lock.release
        }),
      expectWords('owned free ok, owned by me, owned true', 'owned')
    ),
    about(
      'J42 a notification is not lost with one that is cancelled: before it, another gets it; after it, the wait has happened',
      ({ world, it, group, n }) =>
        gen(function* () {
          const tasks = yield* inTurn(group, 2, (i) =>
            it.withLock(andThen(world.tick(`woken ${i}`))(it.wait))
          )
          yield* it.lock.acquire
          if (n % 2 === 0) yield* tasks[0]?.cancel() ?? Effect.unit
          yield* it.notify(1)
          if (n % 2 === 1) yield* tasks[0]?.cancel() ?? Effect.unit
          yield* it.lock.release
          yield* sleep(1)
          yield* world.tick('woken no more')
          yield* it.withLock(it.notifyAll)
        }),
      (observation, { n }) =>
        expectWords(
          n % 2 === 0 ? 'woken 1, woken no more' : 'woken 0, woken no more, woken 1',
          'woken'
        )(observation)
    ),
    about(
      'J43 waiting and notifying without the lock are defects',
      ({ world, it }) => andThen(noted(world, 'notify', it.notify(1)))(noted(world, 'wait', it.wait)),
      expectWords('wait dies, notify dies', 'wait', 'notify')
    ),
    about(
      'J44 waitFor goes on only when its predicate holds, and does not wait when it does',
      ({ world, it, group, n }) =>
        gen(function* () {
          let count = 0
          yield* group.spawn(
            it.withLock(
              Effect.flatMap((at: number) => world.tick(`woken at ${at}`))(
                it.waitFor(() => (count >= n ? count + 1 : 0))
              )
            )
          )
          yield* repeat(4, () =>
            pipe(
              sleep(1),
              andThen(
                it.withLock(
                  Effect.suspend(() => {
                    count++
                    return it.notify(1)
                  })
                )
              )
            )
          )
        }),
      (observation, { n }) => expectWords(`woken at ${n + 1}`, 'woken')(observation)
    )
  ])
}

/**
 * All laws of what tasks wait for each other by, of ours.
 *
 * @category law sets
 * @since 0.1.0
 */
export const sync: LawSet = lawSet(
  'synchronisation',
  [],
  [lock(), semaphore(), limiter(), event(), future(), condition()]
)
