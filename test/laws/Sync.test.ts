/** Laws of what tasks wait by: ours keep them, and each of them finds something broken. */
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import { CapacityLimiter, Condition, Effect, Event, Exit, Future, Lock, Semaphore, Timeout } from 'millrace'
import {
  checkAll,
  condition,
  event,
  flatten,
  future,
  type LawSet,
  limiter,
  lock,
  semaphore,
  sync,
  type Params,
  quick
} from 'millrace/laws'

/** What is broken has to be found soon, and the same way each time. */
const few: Params = { ...quick, runs: 120 }

checkAll(sync)

const { andThen } = Effect

type Fx<A = unknown> = Effect.Effect<unknown, never, A>

/** What is a getter of its class is replaced as well. */
const withOwn = <A extends object>(it: A, own: object): A =>
  Object.create(it, Object.getOwnPropertyDescriptors(own)) as A

/** With some operations in other words, and the others as they are. */
const changed = <A extends object>(make: Fx<A>, change: (it: A) => Partial<A>): Fx<A> =>
  Effect.map((it: A): A => withOwn(it, change(it)))(make)

/** What is taken and given back in some order, as one might write it on callbacks: the last comes first, or nobody is in line. */
const pool = (permits: number, { stays = false, overtakes = false, last = false }) => {
  let available = permits
  const line: Array<{ readonly n: number; readonly resume: (exit: Exit.Exit<never, void>) => void }> = []
  const serve = () => {
    while (line.length > 0) {
      const next = last ? line.at(-1)! : line[0]!
      if (next.n > available) return
      available -= next.n
      line.splice(line.indexOf(next), 1)
      next.resume(Exit.succeed(undefined))
    }
  }
  const take = (n: number): Fx<void> =>
    andThen(
      Effect.suspend(() => {
        if (available >= n && (overtakes || line.length === 0)) {
          available -= n
          return Effect.unit
        }
        return Effect.async((resume) => {
          const me = { n, resume }
          line.push(me)
          return () => {
            if (!stays && line.includes(me)) line.splice(line.indexOf(me), 1)
          }
        })
      })
    )(Effect.checkCancelled)
  const give = (n: number): Fx<void> =>
    Effect.sync(() => {
      available += n
      serve()
    })
  const hold =
    (n: number) =>
    <R, E, A>(fx: Effect.Effect<R, E, A>) =>
      Effect.bracket(
        take(n),
        () => fx,
        () => give(n)
      )
  return { take, give, hold, available: () => available, waiting: () => line.length }
}

type PoolBugs = Parameters<typeof pool>[1]

const pooledLock = (bugs: PoolBugs): Fx<Lock.Lock> =>
  Effect.flatMap(() => {
    const of = pool(1, bugs)
    return changed(Lock.make(), () => ({ withLock: of.hold(1), acquire: of.take(1), release: of.give(1) }))
  })(Effect.unit)

const pooledSemaphore =
  (bugs: PoolBugs) =>
  (permits: number): Fx<Semaphore.Semaphore> =>
    Effect.flatMap(() => {
      const of = pool(permits, bugs)
      return changed(Semaphore.make(permits), (it) => ({
        withPermit: of.hold(1),
        withPermits: of.hold,
        acquire: of.take(1),
        release: of.give(1),
        statistics: Effect.map((statistics: Semaphore.SemaphoreStatistics) => ({
          ...statistics,
          available: of.available(),
          tasksWaiting: of.waiting()
        }))(it.statistics)
      }))
    })(Effect.unit)

const open = <R, E, A>(fx: Effect.Effect<R, E, A>) => fx
/** Looks once more, when it has what it waited for. */
const hasty =
  (acquire: Fx<void>, release: Fx<void>) =>
  <R, E, A>(fx: Effect.Effect<R, E, A>): Effect.Effect<R, E, A> =>
    pipe(
      acquire,
      andThen(Effect.checkCancelled),
      Effect.flatMap(() => Effect.ensuring(release)(fx))
    )

const brokenLocks: Readonly<Record<string, Fx<Lock.Lock>>> = {
  'excludes nobody': changed(Lock.make(), () => ({ withLock: open })),
  'serves the last': pooledLock({ last: true }),
  'waits for those who have gone': pooledLock({ stays: true }),
  'is lost with a task that is cancelled': changed(Lock.make(), (it) => ({
    withLock: hasty(it.acquire, it.release)
  })),
  'is overtaken': changed(Lock.make(), () => ({ acquireNow: Effect.unit })),
  'is re-entrant': changed(Lock.make(), (it) => ({
    acquire: Effect.flatMap((owned: boolean) => (owned ? Effect.unit : it.acquire))(it.isOwned)
  })),
  'is taken in cancelled scopes': changed(Lock.make(), (it) => ({ acquire: Timeout.shielded(it.acquire) })),
  'counts nobody': changed(Lock.make(), (it) => ({
    statistics: Effect.map((all: Lock.LockStatistics) => ({ ...all, tasksWaiting: 0 }))(it.statistics)
  })),
  'is not released after a failure': changed(Lock.make(), (it) => ({
    withLock: (fx) =>
      pipe(
        it.acquire,
        Effect.flatMap(() => fx),
        Effect.tap(() => it.release)
      )
  }))
}

const brokenSemaphores: Readonly<Record<string, typeof Semaphore.make>> = {
  'excludes nobody': (n, options) =>
    changed(Semaphore.make(n, options), () => ({ withPermit: open, withPermits: () => open })),
  'serves the last': pooledSemaphore({ last: true }),
  'lets small ones overtake': pooledSemaphore({ overtakes: true }),
  'waits for those who have gone': pooledSemaphore({ stays: true }),
  'loses permits': (n, options) =>
    changed(Semaphore.make(n, options), (it) => ({ withPermit: hasty(it.acquire, it.release) })),
  'is overtaken': (n, options) => changed(Semaphore.make(n, options), () => ({ acquireNow: Effect.unit })),
  'is taken in cancelled scopes': (n, options) =>
    changed(Semaphore.make(n, options), (it) => ({ acquire: Timeout.shielded(it.acquire) })),
  'has no maximum': (n) => Semaphore.make(n),
  'shows permits that are promised': (n, options) =>
    changed(Semaphore.make(n, options), (it) => ({
      statistics: Effect.map((all: Semaphore.SemaphoreStatistics) => ({
        ...all,
        available: all.available + all.tasksWaiting
      }))(it.statistics)
    }))
}

const brokenLimiters: Readonly<Record<string, typeof CapacityLimiter.make>> = {
  'excludes nobody': (n) => changed(CapacityLimiter.make(n), () => ({ withToken: open })),
  'is never raised': (n) => changed(CapacityLimiter.make(n), () => ({ setTotal: () => Effect.unit })),
  'is raised by one more': (n) =>
    changed(CapacityLimiter.make(n), (it) => ({ setTotal: (total) => it.setTotal(total + 1) })),
  'lends twice': (n) =>
    changed(CapacityLimiter.make(n), (it) => ({
      acquireFor: (who) =>
        Effect.flatMap(({ borrowers }: CapacityLimiter.CapacityLimiterStatistics) =>
          borrowers.includes(who) ? Effect.unit : it.acquireFor(who)
        )(it.statistics)
    })),
  'loses tokens': (n) =>
    changed(CapacityLimiter.make(n), (it) => ({ withToken: hasty(it.acquire, it.release) })),
  'is overtaken': (n) => changed(CapacityLimiter.make(n), () => ({ acquireNow: Effect.unit })),
  'is not lowered': (n) =>
    changed(CapacityLimiter.make(n), (it) => ({ setTotal: (total) => it.setTotal(Math.max(total, 3)) }))
}

const brokenEvents: Readonly<Record<string, Fx<Event.Event>>> = {
  'is reset': Effect.map(() => {
    let waiting: Array<(exit: Exit.Exit<never, void>) => void> = []
    const wait = Effect.async((resume) => {
      waiting.push(resume)
    })
    const set = Effect.sync(() => {
      const woken = waiting
      waiting = []
      for (const resume of woken) resume(Exit.succeed(undefined))
    })
    return {
      wait,
      set,
      setUnsafe: () => {},
      isSet: Effect.succeed(false),
      statistics: Effect.succeed({ isSet: false, tasksWaiting: 0 })
    }
  })(Effect.unit),
  'yields though it is set': changed(Event.make(), (it) => ({ wait: andThen(it.wait)(Effect.checkpoint) })),
  'counts those who have gone': changed(Event.make(), (it) => ({
    statistics: Effect.succeed({ isSet: false, tasksWaiting: 3 }),
    wait: it.wait
  }))
}

type Numbers = Future.Future<string, number>

const brokenFutures: Readonly<Record<string, Fx<Numbers>>> = {
  'is complete twice': Effect.flatMap((first: Numbers) =>
    Effect.map((second: Numbers): Numbers => {
      let it = first
      return withOwn(first, {
        wait: Effect.suspend(() => it.wait),
        succeed: (n: number) => {
          it = second
          return Effect.andThen(second.succeed(n))(first.succeed(n))
        }
      })
    })(Future.make<string, number>())
  )(Future.make<string, number>()),
  'cannot be cancelled': changed(Future.make<string, number>(), (it) => ({
    wait: Timeout.shielded(it.wait)
  })),
  'fails when one who waits is cancelled': changed(Future.make<string, number>(), (it) => ({
    wait: Effect.onCancel(it.fail('gone'))(it.wait)
  }))
}

const brokenConditions: Readonly<Record<string, Fx<Condition.Condition>>> = {
  'wakes all': changed(Condition.make(), (it) => ({ notify: () => it.notifyAll })),
  'keeps the lock': changed(Condition.make(), (it) => ({
    wait: Effect.asUnit(Timeout.moveOnAfter(1)(Effect.never)),
    notify: it.notify
  })),
  'comes back without the lock': changed(Condition.make(), (it) => ({
    wait: Effect.ensuring(it.lock.release)(it.wait)
  })),
  'loses a notification': changed(Condition.make(), (it) => ({
    wait: andThen(Effect.checkCancelled)(it.wait)
  })),
  'needs no lock': changed(Condition.make(), (it) => ({
    notify: (n) => Effect.flatMap((owned: boolean) => (owned ? it.notify(n) : Effect.unit))(it.lock.isOwned)
  })),
  'does not look again': changed(Condition.make(), (it) => ({
    waitFor: (predicate) => Effect.map(() => predicate() as never)(it.wait)
  }))
}

const suites: ReadonlyArray<readonly [string, LawSet, ReadonlyArray<readonly [string, LawSet]>]> = [
  ['lock', lock(), Object.entries(brokenLocks).map(([what, make]) => [what, lock(make)])],
  ['semaphore', semaphore(), Object.entries(brokenSemaphores).map(([what, make]) => [what, semaphore(make)])],
  ['limiter', limiter(), Object.entries(brokenLimiters).map(([what, make]) => [what, limiter(make)])],
  ['event', event(), Object.entries(brokenEvents).map(([what, make]) => [what, event(make)])],
  ['future', future(), Object.entries(brokenFutures).map(([what, make]) => [what, future(make)])],
  ['condition', condition(), Object.entries(brokenConditions).map(([what, make]) => [what, condition(make)])]
]

const unchanged: Readonly<Record<string, LawSet>> = {
  lock: lock(changed(Lock.make(), () => ({}))),
  semaphore: semaphore((n, options) => changed(Semaphore.make(n, options), () => ({}))),
  limiter: limiter((n) => changed(CapacityLimiter.make(n), () => ({}))),
  event: event(changed(Event.make(), () => ({}))),
  future: future(changed(Future.make<string, number>(), () => ({}))),
  condition: condition(changed(Condition.make(), () => ({})))
}

describe('the suites for what tasks wait by', () => {
  for (const [what, honest, broken] of suites) {
    const found = new Set<string>()
    for (const [how, rules] of broken) {
      it(`fail for a ${what} that ${how}`, () => {
        const failed = flatten(rules).filter((law) => law.check(few)._tag === 'Falsified')
        for (const { name } of failed) found.add(name)
        expect(failed).to.not.deep.equal([])
      })
    }

    it(`hold for a ${what} that is changed in nothing`, () => {
      for (const law of flatten(unchanged[what]!)) expect(law.check(few)._tag, law.name).to.equal('Proved')
    })

    it(`have no law of a ${what} that finds nothing`, () => {
      expect(
        flatten(honest)
          .map(({ name }) => name)
          .filter((name) => !found.has(name))
      ).to.deep.equal([])
    })
  }
})
