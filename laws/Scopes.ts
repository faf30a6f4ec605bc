/**
 * Laws of cancel scopes: cancellation is a state of a scope, seen by waits and by nothing else; and the algebra of scope
 * descriptions.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { CancelScope, Cause, Effect, Event, Exit, Lock, LowLevel, Scope, TaskGroup, Timeout } from 'millrace'
import {
  allOf,
  everywhere,
  expectExit,
  expectTrace,
  invariant,
  lines,
  noEquation,
  type Observation,
  observe,
  type Side,
  uncancelled
} from './Equality.js'
import { law, type Law, lawSet, type LawSet, wrong } from './LawSet.js'
import {
  concurrent,
  interpret as build,
  print,
  printInputs,
  type Program,
  sequential,
  short,
  straight,
  withStream
} from './Program.js'
import { sidesOf } from './Sides.js'
import { show } from './Show.js'
import type { Environment, Fx } from './World.js'

const { andThen, checkpoint, sleep } = Effect
const { shielded } = Timeout

const group = 'scopes'

const sides = sidesOf(group)

interface OneFx {
  readonly e: Program
}

type Body = (scope: CancelScope.CancelScope) => Fx

const open = (body: Body, options?: CancelScope.CancelScopeOptions): Fx => CancelScope.open(body, options)

/** A scope that is cancelled before its body goes on. */
const cancelled = (body: Body): Fx =>
  open((scope) => andThen(Effect.suspend(() => body(scope)))(scope.cancel()))

const some = (fx: Fx): Fx => Effect.map(O.some)(fx)

const nested = (depth: number, fx: Fx): Fx =>
  depth === 0
    ? fx
    : Effect.map((option: O.Option<unknown>) => (O.isSome(option) ? option.value : 'nothing'))(
        CancelScope.open(() => nested(depth - 1, fx))
      )

const flat = (fx: Effect.Effect<Environment, unknown, O.Option<O.Option<unknown>>>): Fx =>
  Effect.map((option: O.Option<O.Option<unknown>>) => O.flatten(option))(fx)

const e = concurrent

// -------------------------------------------------------------------------------------
// waits
// -------------------------------------------------------------------------------------

/** Everything that may wait; each would succeed or wait if it were not cancelled. */
const waits = {
  checkpoint: Effect.checkpoint,
  checkCancelled: Effect.checkCancelled,
  sleep: Effect.sleep(1),
  'sleep(0)': Effect.sleep(0),
  sleepUntil: Effect.sleepUntil(0),
  never: Effect.never,
  async: Effect.async((resume) => {
    resume(Exit.succeed(undefined))
  }),
  park: LowLevel.park('park', (resume) => {
    resume(Exit.succeed(undefined))
    return () => true
  }),
  lock: Effect.flatMap((lock: Lock.Lock) => lock.acquire)(Lock.make()),
  event: Effect.flatMap((event: Event.Event) => pipe(event.set, andThen(event.wait)))(Event.make()),
  send: withStream(1, ([send]) => send.send(1)),
  receive: withStream(1, ([send, receive]) => pipe(send.sendNow(1), andThen(receive.receive)))
} satisfies Record<string, Fx>

type WaitName = keyof typeof waits

const waitNames = fc.constantFrom(...(Object.keys(waits) as ReadonlyArray<WaitName>))

const never =
  (line: string) =>
  (observation: Observation): string | null =>
    lines(observation).includes(line) ? `${line} was reached` : null

const count =
  (line: string, times: number) =>
  (observation: Observation): string | null => {
    const found = lines(observation).filter((each) => each === line).length
    return found === times ? null : `expected ${line} ${times} times, not ${found}`
  }

// -------------------------------------------------------------------------------------
// levels
// -------------------------------------------------------------------------------------

/**
 * Cancellation as a level.
 *
 * @category law sets
 * @since 0.1.0
 */
export const levels: LawSet = lawSet('levels', [
  sides<OneFx>('L1 cancel; cancel = cancel', { e }, [
    ({ e }) =>
      (w) =>
        cancelled((scope) => andThen(build(w, 'e', e, { scopes: [scope] }))(scope.cancel())),
    ({ e }) =>
      (w) =>
        cancelled((scope) => build(w, 'e', e, { scopes: [scope] }))
  ]),
  sides<OneFx & { readonly ms: number }>(
    'L1 a later deadline takes no cancellation back',
    { e, ms: fc.constantFrom(1, 3, Infinity) },
    [
      ({ e, ms }) =>
        (w) =>
          cancelled((scope) =>
            pipe(
              Effect.currentTime,
              Effect.flatMap((now) => scope.setDeadline(now + ms)),
              andThen(build(w, 'e', e))
            )
          ),
      ({ e }) =>
        (w) =>
          cancelled(() => build(w, 'e', e))
    ]
  ),
  invariant({
    name: 'L2 every wait in a cancelled scope fails, however often the failure is caught',
    group,
    input: fc.record({ waits: fc.array(waitNames, { maxLength: 4 }), last: waitNames }),
    show: printInputs,
    contexts: everywhere,
    run:
      ({ waits: names, last }) =>
      (w) =>
        cancelled(() => {
          let body: Fx = Effect.unit
          for (const name of names)
            body = andThen(
              Effect.catchCause(() => w.tick('caught'))(andThen(w.tick('not reached before'))(waits[name]))
            )(body)
          return pipe(body, andThen(waits[last]), andThen(w.tick('not reached after')))
        }),
    check: (observation, { waits: names }) =>
      allOf(
        never('not reached before'),
        never('not reached after'),
        count('caught', names.length)
      )(observation)
  }),
  sides<OneFx>('L3 a request is no delivery: what does not wait is not cancelled', { e: straight }, [
    ({ e }) =>
      (w) =>
        cancelled((scope) => build(w, 'e', e, { scopes: [scope] })),
    ({ e }) =>
      (w) =>
        open((scope) => build(w, 'e', e, { scopes: [scope] }))
  ]),
  sides<OneFx>('L3 nothing that does not wait ends a scope', { e: straight }, [
    ({ e }) =>
      (w) =>
        cancelled(() => build(w, 'e', e)),
    ({ e }) =>
      (w) =>
        some(build(w, 'e', e))
  ]),
  sides<OneFx & { readonly ms: number }>(
    'L4 cancel = a deadline that has passed',
    { e, ms: fc.constantFrom(-Infinity, -1, 0) },
    [
      ({ e }) =>
        (w) =>
          cancelled(() => build(w, 'e', e)),
      ({ e, ms }) =>
        (w) =>
          Timeout.moveOnAfter(ms)(build(w, 'e', e))
    ]
  ),
  sides<OneFx & { readonly ms: number }>(
    'L4 cancel = a deadline that is moved into the past',
    { e, ms: fc.constantFrom(-Infinity, -1, 0) },
    [
      ({ e }) =>
        (w) =>
          cancelled((scope) => build(w, 'e', e, { scopes: [scope] })),
      ({ e, ms }) =>
        (w) =>
          open((scope) =>
            pipe(
              Effect.currentTime,
              Effect.flatMap((now) => scope.setDeadline(now + ms)),
              andThen(build(w, 'e', e, { scopes: [scope] }))
            )
          )
    ]
  ),
  sides<OneFx>('L5 a shield hides a cancelled scope', { e }, [
    ({ e }) =>
      (w) =>
        cancelled((scope) => shielded(build(w, 'e', e, { scopes: [scope] }))),
    ({ e }) =>
      (w) =>
        open((scope) => shielded(build(w, 'e', e, { scopes: [scope] })))
  ]),
  sides<OneFx>('L5 shield ∘ shield = shield', { e }, [
    ({ e }) =>
      (w) =>
        shielded(shielded(build(w, 'e', e))),
    ({ e }) =>
      (w) =>
        shielded(build(w, 'e', e))
  ]),
  sides<OneFx & { readonly above: number; readonly below: number }>(
    'L5 a shield hides through any number of scopes, above and below it',
    { e, above: fc.nat(3), below: fc.nat(3) },
    [
      ({ e, above, below }) =>
        (w) =>
          cancelled(() => nested(above, shielded(nested(below, build(w, 'e', e))))),
      ({ e }) =>
        (w) =>
          some(shielded(build(w, 'e', e)))
    ]
  ),
  sides<OneFx>('L5 a shield does not hide its own cancellation', { e }, [
    ({ e }) =>
      (w) =>
        open((scope) => andThen(build(w, 'e', e, { scopes: [scope] }))(scope.cancel()), { shield: true }),
    ({ e }) =>
      (w) =>
        shielded(cancelled((scope) => build(w, 'e', e, { scopes: [scope] })))
  ]),
  sides<OneFx & { readonly ms: number }>('L5 a shield does not hide its own deadline', { e, ms: fc.nat(5) }, [
    ({ e, ms }) =>
      (w) =>
        Timeout.shieldedFor(ms)(build(w, 'e', e)),
    ({ e, ms }) =>
      (w) =>
        shielded(Timeout.moveOnAfter(ms)(build(w, 'e', e)))
  ]),
  sides<OneFx>('L5 lowering a shield shows what is outside, raising it again hides it', { e }, [
    ({ e }) =>
      (w) =>
        cancelled(() =>
          open(
            (scope) =>
              pipe(
                scope.setShield(false),
                andThen(Effect.catchCause(() => w.tick('seen'))(checkpoint)),
                andThen(scope.setShield(true)),
                andThen(build(w, 'e', e))
              ),
            { shield: true }
          )
        ),
    ({ e }) =>
      (w) =>
        some(some(pipe(Effect.yieldNow, andThen(w.tick('seen')), andThen(shielded(build(w, 'e', e))))))
  ]),
  invariant({
    name: 'L6 a scope that is cancelled inside of a cancelled one does not absorb',
    group,
    input: fc.record({ e: sequential, order: fc.boolean(), late: fc.boolean() }),
    show: printInputs,
    contexts: everywhere,
    run:
      ({ e, order, late }) =>
      (w) =>
        open((outer) =>
          pipe(
            open((inner) => {
              const [first, second] = order ? [inner, outer] : [outer, inner]
              const body = pipe(Effect.exit(build(w, 'e', e)), andThen(checkpoint))
              return late
                ? pipe(inner.cancel(), andThen(Effect.ensuring(outer.cancel())(body)))
                : pipe(first.cancel(), andThen(second.cancel()), andThen(body))
            }),
            andThen(w.tick('between'))
          )
        ),
    check: never('between')
  }),
  sides<OneFx>('L6 behind a shield a cancelled scope absorbs, whatever is outside', { e }, [
    ({ e }) =>
      (w) =>
        cancelled(() =>
          pipe(
            shielded(cancelled(() => andThen(checkpoint)(Effect.exit(build(w, 'e', e))))),
            Effect.tap(() => w.tick('between'))
          )
        ),
    ({ e }) =>
      (w) =>
        open(() =>
          pipe(
            shielded(cancelled(() => andThen(checkpoint)(Effect.exit(build(w, 'e', e))))),
            Effect.tap(() => w.tick('between'))
          )
        )
  ]),
  sides<OneFx>('L7 a scope that is not cancelled absorbs nothing', { e }, [
    ({ e }) =>
      (w) =>
        cancelled((scope) => open(() => build(w, 'e', e, { scopes: [scope] }))),
    ({ e }) =>
      (w) =>
        cancelled((scope) => some(build(w, 'e', e, { scopes: [scope] })))
  ]),
  sides<OneFx>('L7 opening and leaving a scope that nobody uses is nothing', { e }, [
    ({ e }) =>
      (w) =>
        open(() => build(w, 'e', e)),
    ({ e }) =>
      (w) =>
        some(build(w, 'e', e))
  ]),
  law({
    name: 'L7 a cancellation that reaches the root ends the run as cancelled',
    group,
    input: fc.record({ e: sequential }),
    show: printInputs,
    holds: ({ e }) => {
      const side: Side = (w) => andThen(checkpoint)(Effect.exit(build(w, 'e', e)))
      const { exit } = observe(side, () => 0, { signal: AbortSignal.abort() })
      return exit === 'Left(Cancelled)' ? null : wrong(`the run ended ${exit}`)
    }
  }),
  sides<OneFx>(
    'L7 a cancellation is raised nowhere but inside of its scope',
    { e: straight },
    [
      () => () =>
        Effect.suspend(() => {
          let seen: Cause.Cause<unknown> | undefined
          return pipe(
            cancelled(() =>
              Effect.catchCause((cause: Cause.Cause<unknown>) => {
                seen = cause
                return Effect.unit
              })(checkpoint)
            ),
            Effect.flatMap(() => Effect.failCause(seen!)),
            Effect.exit,
            Effect.map((exit) => exit._tag === 'Left' && Cause.defects(exit.left).map(show))
          )
        }),
      () => () => andThen(Effect.of(['CancelledElsewhere(Cancelled)']))(Effect.yieldNow)
    ],
    ['alone']
  ),
  sides<{ readonly x: Program; readonly y: Program }>(
    'L8 what a scope absorbs is the cancellation, and failures stay',
    { x: sequential, y: straight },
    [
      ({ x, y }) =>
        (w) =>
          cancelled(() =>
            Effect.ensuring(build(w, 'y', y))(andThen(checkpoint)(Effect.exit(build(w, 'x', x))))
          ),
      ({ x, y }) =>
        (w) =>
          pipe(
            cancelled(() => andThen(checkpoint)(Effect.exit(build(w, 'x', x)))),
            andThen(Effect.as(O.none)(build(w, 'y', y)))
          )
    ],
    uncancelled
  ),
  invariant({
    name: 'L9 an item that was handed over is received, also if a cancellation comes before the receiver runs',
    group,
    input: fc.record({ turns: fc.nat(4), capacity: fc.nat(1) }),
    show: printInputs,
    run:
      ({ turns, capacity }) =>
      (w) =>
        withStream(capacity, ([send, receive]) =>
          Effect.gen(function* () {
            yield* TaskGroup.open<unknown>()((tasks) =>
              Effect.gen(function* () {
                const scope = yield* scopeOf(tasks, (inner) =>
                  pipe(
                    receive.receive,
                    Effect.flatMap((item) => w.tick(`received ${String(item)}`)),
                    Effect.tap(() => inner.isCancelled),
                    andThen(checkpoint),
                    andThen(w.tick('went on'))
                  )
                )
                for (let i = 0; i < turns; i++) yield* Effect.yieldNow
                const sent = yield* Effect.exit(send.sendNow(7))
                yield* scope.cancel()
                yield* Effect.yieldNow
                if (sent._tag === 'Right') yield* w.tick('sent')
              })
            )
            const left = yield* Effect.exit(receive.receiveNow)
            if (left._tag === 'Right') yield* w.tick('left')
          })
        ),
    check: (observation) => {
      const trace = lines(observation)
      if (trace.includes('went on')) return 'the receiver went on past its checkpoint'
      const there = trace.filter((line) => line === 'received 7' || line === 'left').length
      const sent = trace.filter((line) => line === 'sent').length
      return there === sent ? null : `${sent} items were sent, ${there} are there`
    }
  }),
  invariant({
    name: 'L9 a sleep that was over is over: the cancellation is seen at the next checkpoint',
    group,
    input: fc.record({ ms: fc.integer({ min: 1, max: 3 }), first: fc.boolean() }),
    show: printInputs,
    run:
      ({ ms, first }) =>
      (w) =>
        open((scope) =>
          TaskGroup.open<unknown>()((tasks) => {
            const sleeper = pipe(
              sleep(ms),
              andThen(w.tick('slept')),
              andThen(checkpoint),
              andThen(Effect.suspend(() => w.tick('went on')))
            )
            const canceller = pipe(sleep(ms), andThen(scope.cancel()))
            return first
              ? pipe(tasks.spawn(sleeper), andThen(tasks.spawn(canceller)))
              : pipe(tasks.spawn(canceller), andThen(tasks.spawn(sleeper)))
          })
        ),
    check: count('slept', 1)
  }),
  invariant({
    name: 'L9 a lock that was handed over is owned, and passed on',
    group,
    input: fc.record({ turns: fc.nat(3) }),
    show: printInputs,
    run:
      ({ turns }) =>
      (w) =>
        Effect.gen(function* () {
          const lock = yield* Lock.make()
          yield* lock.acquire
          yield* TaskGroup.open<unknown>()((tasks) =>
            Effect.gen(function* () {
              const scope = yield* scopeOf(tasks, () => lock.withLock(w.tick('first')))
              yield* tasks.spawn(Effect.andThen(lock.withLock(w.tick('second')))(sleep(1)))
              for (let i = 0; i < turns; i++) yield* Effect.yieldNow
              yield* lock.release
              yield* scope.cancel()
            })
          )
          return (yield* lock.statistics).owner
        }),
    check: allOf(expectExit('Right(None)'), count('second', 1))
  }),
  invariant({
    name: 'L10 a task that was spawned starts, and runs to its first checkpoint',
    group,
    input: fc.record({
      when: fc.constantFrom('before', 'after', 'in its turn'),
      how: fc.constantFrom('scope', 'task', 'all')
    }),
    show: printInputs,
    run:
      ({ when, how }) =>
      (w) =>
        open((scope) =>
          TaskGroup.open<unknown>()((tasks) =>
            Effect.gen(function* () {
              if (when === 'before') yield* how === 'all' ? tasks.cancelAll() : scope.cancel()
              const task = yield* tasks.spawn(
                pipe(
                  w.tick('started'),
                  andThen(Effect.ensuring(w.tick('cleaned up'))(checkpoint)),
                  andThen(w.tick('not reached'))
                )
              )
              if (when === 'in its turn') yield* Effect.exit(Effect.yieldNow)
              if (when !== 'before')
                yield* how === 'all' ? tasks.cancelAll() : how === 'task' ? task.cancel() : scope.cancel()
            })
          )
        ),
    check: (observation, { when }) =>
      allOf(
        count('started', 1),
        count('cleaned up', 1),
        when === 'in its turn' ? () => null : never('not reached')
      )(observation)
  }),
  invariant({
    name: 'L11 each waiting fiber is woken once, after its wait was undone',
    group,
    input: fc.record({ fibers: fc.integer({ min: 1, max: 3 }), again: fc.boolean() }),
    show: printInputs,
    run:
      ({ fibers, again }) =>
      (w) =>
        open((scope) =>
          TaskGroup.open<unknown>()((tasks) =>
            Effect.gen(function* () {
              for (let i = 0; i < fibers; i++) {
                const wait = LowLevel.park(`wait ${i}`, () => {
                  w.note(`${i} registered`)
                  return () => {
                    w.note(`${i} undone`)
                    return true
                  }
                })
                yield* tasks.spawn(Effect.onExit((exit) => w.tick(`${i} ended ${show(exit)}`))(wait))
              }
              yield* sleep(1)
              yield* scope.cancel()
              w.note('all undone')
              if (again) yield* scope.cancel()
            })
          )
        ),
    check: (observation, { fibers }) => {
      const trace = lines(observation)
      for (let i = 0; i < fibers; i++) {
        const steps = trace.filter((line) => line.startsWith(`${i} `)).join(', ')
        if (steps !== `${i} registered, ${i} undone, ${i} ended Left(Cancelled)`)
          return `fiber ${i}: ${steps}`
        if (trace.indexOf(`${i} undone`) > trace.indexOf('all undone')) return `fiber ${i} was undone later`
      }
      return null
    }
  }),
  sides<OneFx>('L12 ensuring(fin) = onExit(() => fin)', { e }, [
    ({ e }) =>
      (w) =>
        Effect.ensuring(w.tick('fin'))(build(w, 'e', e)),
    ({ e }) =>
      (w) =>
        Effect.onExit(() => w.tick('fin'))(build(w, 'e', e))
  ]),
  sides<OneFx>('L12 a finalizer that does nothing is nothing', { e }, [
    ({ e }) =>
      (w) =>
        Effect.onExit(() => Effect.unit)(build(w, 'e', e)),
    ({ e }) =>
      (w) =>
        build(w, 'e', e)
  ]),
  sides<{ readonly x: Program; readonly y: Program }>(
    'L12 ensuring = exit, then the finalizer behind a shield, with causes joined',
    { x: concurrent, y: sequential },
    [
      ({ x, y }) =>
        (w) =>
          Effect.ensuring(build(w, 'y', y))(build(w, 'x', x)),
      ({ x, y }) =>
        (w) =>
          Effect.flatMap((exit: Exit.Exit<unknown, unknown>) =>
            Effect.flatMap((after: Exit.Exit<unknown, unknown>) => {
              if (after._tag === 'Right') return Effect.fromExit(exit)
              return exit._tag === 'Right'
                ? Effect.fromExit(after)
                : Effect.failCause(Cause.SemigroupThen<unknown>().concat(exit.left, after.left))
            })(Effect.exit(shielded(build(w, 'y', y))))
          )(Effect.exit(build(w, 'x', x)))
    ]
  ),
  invariant({
    name: 'L12 finalizers run once, the inner first, whatever ends the body',
    group,
    input: fc.record({ e: concurrent, inner: sequential }),
    show: printInputs,
    contexts: everywhere.filter((name) => name !== 'swallowed'),
    run:
      ({ e, inner }) =>
      (w) =>
        pipe(
          build(w, 'e', e),
          Effect.ensuring(andThen(build(w, 'inner', inner))(w.tick('first'))),
          Effect.ensuring(w.tick('second'))
        ),
    check: (observation) => {
      if (observation.exit === 'Deadlock') return null
      const trace = lines(observation).filter((line) => line === 'first' || line === 'second')
      return trace.join() === 'first,second' ? null : `finalizers: ${trace.join()}`
    }
  }),
  sides<{ readonly a: number; readonly b: number }>(
    'L12 onExit(fail a, fail b) fails with both',
    { a: fc.nat(2), b: fc.nat(2) },
    [
      ({ a, b }) =>
        () =>
          Effect.onExit(() => Effect.fail(b))(Effect.fail(a)),
      ({ a, b }) =>
        () =>
          Effect.failCause({ _tag: 'Then', left: Cause.fail(a), right: Cause.fail(b) })
    ]
  ),
  invariant({
    name: 'L12 a finalizer is not cancelled from outside',
    group,
    input: fc.record({ last: waitNames, ms: fc.nat(3) }),
    show: printInputs,
    contexts: everywhere.filter((name) => name !== 'swallowed' && name !== 'raced'),
    run:
      ({ ms }) =>
      (w) =>
        Effect.ensuring(
          pipe(
            w.tick('begins'),
            andThen(checkpoint),
            andThen(sleep(ms)),
            andThen(Effect.checkCancelled),
            andThen(w.tick('ends'))
          )
        )(sleep(1)),
    check: (observation) => {
      const trace = lines(observation)
      return trace.includes('begins') === trace.includes('ends') ? null : 'the finalizer was cut short'
    }
  }),
  sides<OneFx>('L12 onCancel runs for a cancellation alone', { e }, [
    ({ e }) =>
      (w) =>
        Effect.onCancel(w.tick('cancelled'))(build(w, 'e', e)),
    ({ e }) =>
      (w) =>
        Effect.onExit((exit) =>
          exit._tag === 'Left' && Cause.cancellations(exit.left).length > 0
            ? w.tick('cancelled')
            : Effect.unit
        )(build(w, 'e', e))
  ]),
  sides<OneFx & { readonly ms: number; readonly shield: boolean }>(
    'L13 opening and leaving a scope is no checkpoint, also when its deadline has passed',
    { e: straight, ms: fc.constantFrom(-Infinity, -1, 0, 1, 5, Infinity), shield: fc.boolean() },
    [
      ({ e, ms, shield }) =>
        (w) =>
          Scope.within({ deadline: ms === Infinity ? O.none : O.some(ms), shield })(build(w, 'e', e)),
      ({ e }) =>
        (w) =>
          build(w, 'e', e)
    ]
  ),
  sides<OneFx & { readonly ms: number }>(
    'L14 a scope that was left has no deadline',
    { e: straight, ms: fc.nat(3) },
    [
      ({ e, ms }) =>
        (w) =>
          pipe(
            Timeout.moveOnAfter(ms)(build(w, 'e', e)),
            Effect.tap(() => sleep(ms + 1)),
            Effect.tap(() => w.tick('after'))
          ),
      ({ e, ms }) =>
        (w) =>
          pipe(
            some(build(w, 'e', e)),
            Effect.tap(() => sleep(ms + 1)),
            Effect.tap(() => w.tick('after'))
          )
    ]
  ),
  invariant({
    name: 'L14 scopes that were left wake nobody: of their timers the clock keeps one at most',
    group,
    input: fc.record({ deadlines: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }) }),
    show: printInputs,
    run:
      ({ deadlines }) =>
      () =>
        Effect.andThen(Effect.never)(
          Effect.forEach((ms: number) => Timeout.moveOnAfter(ms)(Effect.yieldNow))(deadlines)
        ),
    check: ({ exit, time }, { deadlines }) =>
      exit !== 'Deadlock'
        ? 'expected a deadlock'
        : time <= Math.min(...deadlines)
          ? null
          : `a timer fired at ${time}`
  }),
  sides<OneFx>('L14 a handle that outlives its scope does nothing', { e }, [
    ({ e }) =>
      (w) =>
        Effect.flatMap((option: O.Option<CancelScope.CancelScope>): Fx =>
          O.isSome(option) ? build(w, 'e', e, { scopes: [option.value] }) : Effect.unit
        )(CancelScope.open((scope) => Effect.of(scope))),
    ({ e }) =>
      (w) =>
        build(w, 'e', e, { scopes: [{ cancel: () => Effect.unit } as CancelScope.CancelScope] })
  ]),
  sides<OneFx>('L15 checkpoint = yieldNow; checkCancelled', { e: sequential }, [
    ({ e }) =>
      (w) =>
        pipe(checkpoint, andThen(build(w, 'e', e)), andThen(checkpoint)),
    ({ e }) =>
      (w) =>
        pipe(
          Effect.yieldNow,
          andThen(Effect.checkCancelled),
          andThen(build(w, 'e', e)),
          andThen(Effect.yieldNow),
          andThen(Effect.checkCancelled)
        )
  ]),
  sides<OneFx>('L15 yieldNow is no cancellation point', { e: straight }, [
    ({ e }) =>
      (w) =>
        cancelled(() => andThen(build(w, 'e', e))(Effect.yieldNow)),
    ({ e }) =>
      (w) =>
        andThen(some(build(w, 'e', e)))(Effect.yieldNow)
  ]),
  law({
    name: 'L15 the yield of a fiber that has run long is no cancellation point: the number of steps changes nothing',
    group,
    input: fc.record({ e: sequential, steps: fc.constantFrom(1, 2, 3), cancel: fc.boolean() }),
    show: ({ e, steps, cancel }) => `${steps} steps, cancelled ${cancel}\n${print(e, 'e')}`,
    holds: ({ e, steps, cancel }) => {
      const side: Side = (w) => (cancel ? cancelled(() => build(w, 'e', e)) : build(w, 'e', e))
      const few = observe(side, () => 0, { maxSteps: steps })
      const many = observe(side, () => 0, { maxSteps: 10_000 })
      const texts = [few, many].map(({ exit, trace, time }) => `${exit} after ${time}: ${trace.join(', ')}`)
      return texts[0] === texts[1] ? null : wrong(texts.join('\n'))
    }
  })
])

/** Spawns a task that runs in a scope of its own, and gives that scope. */
const scopeOf = (
  tasks: TaskGroup.TaskGroup<unknown>,
  body: Body
): Effect.Effect<Environment, never, CancelScope.CancelScope> =>
  Effect.map(({ startValue }: { readonly startValue: CancelScope.CancelScope }) => startValue)(
    Effect.orDie(
      tasks.start((started: TaskGroup.Started<CancelScope.CancelScope>) =>
        open((scope) => pipe(started(scope), andThen(body(scope))))
      )
    )
  )

// -------------------------------------------------------------------------------------
// what cats-effect says of cancellation, restated
// -------------------------------------------------------------------------------------

const through =
  (then: Fx) =>
  (fx: Fx): Fx =>
    Effect.flatMap((exit: Exit.Exit<unknown, unknown>) =>
      exit._tag === 'Left' && Cause.cancellations(exit.left).length > 0 ? Effect.failCause(exit.left) : then
    )(Effect.exit(fx))

/**
 * The laws of cats-effect's `MonadCancel` as far as they make sense where cancellation is a level.
 *
 * @category law sets
 * @since 0.1.0
 */
export const masking: LawSet = lawSet('masking', [
  sides<OneFx>('K1 inside of a shield onCancel never runs', { e }, [
    ({ e }) =>
      (w) =>
        shielded(Effect.onCancel(w.tick('cancelled'))(build(w, 'e', e))),
    ({ e }) =>
      (w) =>
        shielded(build(w, 'e', e))
  ]),
  sides<OneFx>('K2 onCancel associates over the border of a shield', { e }, [
    ({ e }) =>
      (w) =>
        Effect.onCancel(w.tick('g'))(shielded(Effect.onCancel(w.tick('f'))(build(w, 'e', e)))),
    ({ e }) =>
      (w) =>
        shielded(Effect.onCancel(w.tick('g'))(Effect.onCancel(w.tick('f'))(build(w, 'e', e))))
  ]),
  sides<OneFx>('K3 what follows a checkpoint in a cancelled scope does not run', { e }, [
    ({ e }) =>
      (w) =>
        cancelled(() => pipe(checkpoint, andThen(build(w, 'e', e)))),
    () => () => cancelled(() => checkpoint)
  ]),
  sides<{ readonly x: Program; readonly y: Program }>(
    'K4 finalizers of a cancellation run in order, and join',
    { x: short, y: short },
    [
      ({ x, y }) =>
        (w) =>
          cancelled(() =>
            pipe(checkpoint, Effect.onCancel(build(w, 'x', x)), Effect.onCancel(build(w, 'y', y)))
          ),
      ({ x, y }) =>
        (w) =>
          cancelled(() =>
            pipe(checkpoint, Effect.ensuring(build(w, 'x', x)), Effect.ensuring(build(w, 'y', y)))
          )
    ]
  ),
  sides<OneFx>('K5 a request behind a shield is seen at the first checkpoint after it', { e: sequential }, [
    ({ e }) =>
      (w) =>
        open((scope) =>
          pipe(
            Effect.exit(shielded(andThen(build(w, 'e', e))(scope.cancel()))),
            Effect.tap(() => checkpoint),
            Effect.tap(() => w.tick('not reached'))
          )
        ),
    ({ e }) =>
      (w) =>
        open((scope) =>
          pipe(
            Effect.exit(shielded(build(w, 'e', e))),
            Effect.tap(() => scope.cancel()),
            Effect.tap(() => checkpoint)
          )
        )
  ]),
  sides<{ readonly x: Program; readonly y: Program; readonly z: Program }>(
    'K6 going on after failures, but not after a cancellation, is associative',
    { x: sequential, y: sequential, z: sequential },
    [
      ({ x, y, z }) =>
        (w) =>
          through(build(w, 'z', z))(through(build(w, 'y', y))(build(w, 'x', x))),
      ({ x, y, z }) =>
        (w) =>
          through(through(build(w, 'z', z))(build(w, 'y', y)))(build(w, 'x', x))
    ]
  ),
  sides<OneFx & { readonly fails: boolean }>(
    'K6 going on after a value or a failure is going on',
    { e, fails: fc.boolean() },
    [
      ({ e, fails }) =>
        (w) =>
          through(build(w, 'e', e))(fails ? Effect.fail('ε') : Effect.of(1)),
      ({ e }) =>
        (w) =>
          build(w, 'e', e)
    ]
  ),
  sides<OneFx>(
    'K7 where nothing outside is cancelled a shield is nothing',
    { e },
    [
      ({ e }) =>
        (w) =>
          shielded(build(w, 'e', e)),
      ({ e }) =>
        (w) =>
          build(w, 'e', e)
    ],
    ['alone']
  ),
  noEquation<OneFx>({
    name: 'K8 elsewhere a shield is something',
    group,
    input: fc.record({ e: sequential }),
    show: printInputs,
    left:
      ({ e }) =>
      (w) =>
        shielded(build(w, 'e', e)),
    right:
      ({ e }) =>
      (w) =>
        build(w, 'e', e)
  })
])

// -------------------------------------------------------------------------------------
// the algebra
// -------------------------------------------------------------------------------------

const descriptions: fc.Arbitrary<Scope.Scope> = fc.record({
  deadline: fc.oneof(
    { weight: 1, arbitrary: fc.constant<O.Option<number>>(O.none) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(-Infinity, -1, 0, 1, 2, 3, 5, 8).map((ms): O.Option<number> => O.some(ms))
    }
  ),
  shield: fc.boolean()
})

interface Descriptions {
  readonly a: Scope.Scope
  readonly b: Scope.Scope
}

const { concat, empty } = Scope.Monoid

const sameScopes = (
  name: string,
  equal: (a: Scope.Scope, b: Scope.Scope, c: Scope.Scope) => readonly [Scope.Scope, Scope.Scope]
): Law =>
  law({
    name,
    group,
    input: fc.record({ a: descriptions, b: descriptions, c: descriptions }),
    show: printInputs,
    holds: ({ a, b, c }) => {
      const [left, right] = equal(a, b, c)
      return Scope.Eq.equals(left, right) ? null : wrong(`left: ${show(left)}\nright: ${show(right)}`)
    }
  })

/** What a description makes of a deadline outside of it, relative to now. */
const deadlineWithin = (scope: Scope.Scope, outside: number): number => {
  const own = O.isSome(scope.deadline) ? scope.deadline.value : Infinity
  return scope.shield ? own : Math.min(outside, own)
}

/**
 * Scope descriptions: a monoid, and `within` as a homomorphism into effects.
 *
 * @category law sets
 * @since 0.1.0
 */
export const descriptionsOfScopes: LawSet = lawSet('scope descriptions', [
  sameScopes('S1 concat is associative', (a, b, c) => [concat(concat(a, b), c), concat(a, concat(b, c))]),
  sameScopes('S2 empty is the unit', (a) => [concat(empty, concat(a, empty)), a]),
  sameScopes('S3 twice the same is once', (a) => [concat(a, a), a]),
  sameScopes('S4 a ∘ b ∘ a = b ∘ a', (a, b) => [concat(concat(a, b), a), concat(b, a)]),
  sameScopes('S5 nothing outside of a shield counts', (a, b) => [
    concat(a, { ...b, shield: true }),
    { ...b, shield: true }
  ]),
  sides<Descriptions & OneFx>(
    'S6 within(a ∘ b) = within(a) ∘ within(b)',
    { a: descriptions, b: descriptions, e },
    [
      ({ a, b, e }) =>
        (w) =>
          Scope.within(concat(a, b))(build(w, 'e', e)),
      ({ a, b, e }) =>
        (w) =>
          Scope.within(a)(Scope.within(b)(build(w, 'e', e)))
    ]
  ),
  sides<Descriptions & OneFx>(
    'S6 within(a ∘ b) = within(a) ∘ within(b), also where the effect cancels a scope outside',
    { a: descriptions, b: descriptions, e },
    [
      ({ a, b, e }) =>
        (w) =>
          open((scope) => Scope.within(concat(a, b))(build(w, 'e', e, { scopes: [scope] }))),
      ({ a, b, e }) =>
        (w) =>
          open((scope) => Scope.within(a)(Scope.within(b)(build(w, 'e', e, { scopes: [scope] }))))
    ]
  ),
  sides<OneFx>('S7 within(empty) = identity', { e }, [
    ({ e }) =>
      (w) =>
        Scope.within(empty)(build(w, 'e', e)),
    ({ e }) =>
      (w) =>
        build(w, 'e', e)
  ]),
  invariant({
    name: 'S8 the effective deadline is the one of the descriptions, and a scope is cancelled when it has come',
    group,
    input: fc.record({ scopes: fc.array(descriptions, { maxLength: 4 }) }),
    show: printInputs,
    run:
      ({ scopes }) =>
      (w) => {
        const inside = Effect.gen(function* () {
          const deadline = yield* Timeout.currentEffectiveDeadline
          const now = yield* Effect.currentTime
          const look = yield* Effect.exit(Effect.checkCancelled)
          yield* w.tick(`${deadline - now} ${show(look)}`)
        })
        return scopes.reduceRight((fx: Fx, scope) => Scope.within(scope)(fx), inside)
      },
    check: ({ trace }, { scopes }) => {
      const deadline = scopes.reduce((outside, scope) => deadlineWithin(scope, outside), Infinity)
      const expected = deadline <= 0 ? '-Infinity Left(Cancelled)@0' : `${deadline} Right(undefined)@0`
      return trace.join() === expected ? null : `expected ${expected}`
    }
  }),
  noEquation<{ readonly a: Scope.Scope; readonly x: Program; readonly y: Program }>({
    name: 'S9 within(s)(x; y) is not within(s)(x); within(s)(y)',
    group,
    input: fc.record({ a: descriptions, x: short, y: short }),
    show: printInputs,
    left:
      ({ a, x, y }) =>
      (w) =>
        Scope.within(a)(andThen(build(w, 'y', y))(build(w, 'x', x))),
    right:
      ({ a, x, y }) =>
      (w) =>
        andThen(Scope.within(a)(build(w, 'y', y)))(Scope.within(a)(build(w, 'x', x)))
  }),
  law({
    name: 'S10 the order matters: the monoid is not commutative',
    group,
    tags: ['refuted'],
    input: fc.constant({}),
    show: printInputs,
    effort: 0.01,
    holds: () => {
      const deadline = Scope.deadlineIn(3)
      return Scope.Eq.equals(concat(deadline, Scope.shield), concat(Scope.shield, deadline))
        ? wrong('a deadline outside of a shield counted inside')
        : null
    }
  })
])

// -------------------------------------------------------------------------------------
// timeouts
// -------------------------------------------------------------------------------------

/**
 * `moveOnAfter`, `failAfter` and their kin.
 *
 * @category law sets
 * @since 0.1.0
 */
export const timeouts: LawSet = lawSet('timeouts', [
  sides<OneFx>('T1 moveOnAfter(∞) = map(some)', { e }, [
    ({ e }) =>
      (w) =>
        Timeout.moveOnAfter(Infinity)(build(w, 'e', e)),
    ({ e }) =>
      (w) =>
        some(build(w, 'e', e))
  ]),
  invariant({
    name: 'T1 moveOnAfter(d)(sleep(x)) takes the smaller, and the deadline wins a tie',
    group,
    input: fc.record({ d: fc.nat(5), x: fc.integer({ min: 1, max: 5 }) }),
    show: printInputs,
    run:
      ({ d, x }) =>
      () =>
        Timeout.moveOnAfter(d)(sleep(x)),
    check: (observation, { d, x }) =>
      observation.time !== Math.min(d, x)
        ? `expected it to take ${Math.min(d, x)} ms`
        : expectExit(d <= x ? 'Right(None)' : 'Right(Some(undefined))')(observation)
  }),
  invariant({
    name: 'T1 the deadline wins a tie also against what is nested, in tasks, or slept in parts',
    group,
    input: fc.record({
      d: fc.integer({ min: 1, max: 4 }),
      how: fc.constantFrom('nested', 'task', 'in parts', 'inner deadline')
    }),
    show: printInputs,
    run:
      ({ d, how }) =>
      (w) => {
        const nap = andThen(w.tick('woke'))(sleep(d))
        const body: Record<typeof how, Fx> = {
          nested: open(() => nap),
          task: TaskGroup.open<unknown>()((tasks) => tasks.spawn(nap)),
          'in parts': pipe(sleep(d / 2), andThen(sleep(d / 2)), andThen(w.tick('woke'))),
          'inner deadline': andThen(w.tick('woke'))(Timeout.moveOnAfter(d)(Effect.never))
        }
        return Timeout.moveOnAfter(d)(body[how])
      },
    check: (observation, { d }) =>
      allOf(expectTrace(), expectExit('Right(None)'))(observation) ?? (observation.time === d ? null : 'late')
  }),
  sides<OneFx & { readonly d: number; readonly d2: number }>(
    'T2 nested timeouts are one, of the smaller',
    { e, d: fc.nat(5), d2: fc.nat(5) },
    [
      ({ e, d, d2 }) =>
        (w) =>
          flat(Timeout.moveOnAfter(d)(Timeout.moveOnAfter(d2)(build(w, 'e', e)))),
      ({ e, d, d2 }) =>
        (w) =>
          Timeout.moveOnAfter(Math.min(d, d2))(build(w, 'e', e))
    ]
  ),
  invariant({
    name: 'T3 the clean-up of what timed out is finished, and waited for',
    group,
    input: fc.record({ d: fc.nat(3), cleanUp: fc.nat(5) }),
    show: printInputs,
    run:
      ({ d, cleanUp }) =>
      (w) =>
        pipe(
          Effect.never,
          Effect.ensuring(andThen(w.tick('cleaned up'))(sleep(cleanUp))),
          Timeout.moveOnAfter(d),
          Effect.tap(() => w.tick('over'))
        ),
    check: (observation, { d, cleanUp }) =>
      expectTrace(`cleaned up@${d + cleanUp}`, `over@${d + cleanUp}`)(observation)
  }),
  sides<OneFx & { readonly d: number }>(
    'T4 failAfter = moveOnAfter, with None as the failure',
    { e: sequential, d: fc.nat(5) },
    [
      ({ e, d }) =>
        (w) =>
          Timeout.failAfter(d, () => 'late')(quietly(build(w, 'e', e))),
      ({ e, d }) =>
        (w) =>
          Effect.flatMap((option: O.Option<unknown>): Fx =>
            O.isSome(option) ? Effect.of(option.value) : Effect.fail('late')
          )(Timeout.moveOnAfter(d)(quietly(build(w, 'e', e))))
    ]
  ),
  sides<OneFx & { readonly d: number }>('T5 relative = absolute', { e, d: fc.integer({ min: -1, max: 5 }) }, [
    ({ e, d }) =>
      (w) =>
        Timeout.moveOnAfter(d)(build(w, 'e', e)),
    ({ e, d }) =>
      (w) =>
        Effect.flatMap((now: number) => Timeout.moveOnAt(now + d)(build(w, 'e', e)))(Effect.currentTime)
  ]),
  sides<OneFx & { readonly d: number }>(
    'T6 moveOnAfter = a scope with a deadline',
    { e, d: fc.integer({ min: -1, max: 5 }) },
    [
      ({ e, d }) =>
        (w) =>
          Timeout.moveOnAfter(d)(build(w, 'e', e)),
      ({ e, d }) =>
        (w) =>
          Effect.flatMap((now: number) => open(() => build(w, 'e', e), { deadline: now + d }))(
            Effect.currentTime
          )
    ]
  )
])

/** Without failures, so that nothing is left when a timeout ends it. */
function quietly(fx: Fx): Fx {
  return Effect.catchCause((cause: Cause.Cause<unknown>) =>
    Cause.isCancelledOnly(cause) ? Effect.failCause(cause) : Effect.of('failed')
  )(fx)
}

/**
 * All of them.
 *
 * @category law sets
 * @since 0.1.0
 */
export const scopes: LawSet = lawSet('scopes', [], [levels, masking, descriptionsOfScopes, timeouts])
