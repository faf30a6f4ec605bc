/**
 * Laws of time: it passes only while everything waits, exactly as much as asked for, and in the same way wherever it begins.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { Effect, TaskGroup, Timeout } from 'millrace'
import { chooseBy, everywhere, expectExit, invariant, lines, observe, type RunOptions } from './Equality.js'
import { type Answer, law, lawSet, type LawSet, wrong } from './LawSet.js'
import {
  concurrent,
  interpret as build,
  print,
  printInputs,
  type Program,
  scaled,
  sequential,
  straight
} from './Program.js'
import { sidesOf } from './Sides.js'
import type { Fx } from './World.js'

const { andThen, sleep } = Effect

const group = 'clock'

const sides = sidesOf(group)

const ms = fc.nat(6)

/** The same program run twice, each time observed as text. */
const twice = (left: Program, right: Program, seed: number, options: RunOptions, factor: number): Answer => {
  const first = observe((w) => build(w, 'e', left), chooseBy(seed))
  const second = observe((w) => build(w, 'e', right), chooseBy(seed), options)
  const times = (line: string): string => {
    const at = line.lastIndexOf('@')
    return `${line.slice(0, at)}@${Number(line.slice(at + 1)) * factor}`
  }
  const one = `${first.exit} after ${first.time * factor}: ${first.trace.map(times).join(', ')}`
  const two = `${second.exit} after ${second.time}: ${second.trace.join(', ')}`
  return one === two || first.exit === 'Deadlock' ? null : wrong(`${one}\n${two}`)
}

/**
 * Time.
 *
 * @category law sets
 * @since 0.1.0
 */
export const clock: LawSet = lawSet('clock', [
  invariant({
    name: 'Z1 a sleep takes exactly what it says, and the clock shows it',
    group,
    input: fc.record({ waits: fc.array(ms, { maxLength: 4 }) }),
    show: printInputs,
    run:
      ({ waits }) =>
      () =>
        Effect.gen(function* () {
          for (const wait of waits) {
            const before = yield* Effect.currentTime
            yield* sleep(wait)
            const after = yield* Effect.currentTime
            if (after - before !== wait) return `${after - before} ms instead of ${wait}`
          }
          return 'exact'
        }),
    check: expectExit('Right("exact")')
  }),
  invariant({
    name: 'Z1 the clock never goes back',
    group,
    input: fc.record({ e: concurrent }),
    show: printInputs,
    contexts: everywhere,
    run:
      ({ e }) =>
      (w) =>
        build(w, 'e', e),
    check: ({ trace }) => {
      const times = trace.map((line) => Number(line.slice(line.lastIndexOf('@') + 1)))
      return times.every((time, i) => i === 0 || time >= times[i - 1]!) ? null : 'it went back'
    }
  }),
  sides<{ readonly x: number; readonly y: number }>(
    'Z2 sleep(x); sleep(y) = sleep(x + y), where nothing else runs',
    { x: fc.integer({ min: 1, max: 5 }), y: fc.integer({ min: 1, max: 5 }) },
    [
      ({ x, y }) =>
        () =>
          andThen(sleep(y))(sleep(x)),
      ({ x, y }) =>
        () =>
          sleep(x + y)
    ],
    ['alone', 'cancelled', 'swallowed', 'shielded', 'finalizer', 'deadline']
  ),
  sides<{ readonly x: number; readonly e: Program }>(
    'Z3 sleep(x) = checkpoint, for x ≤ 0',
    { x: fc.constantFrom(0, -0, -1, -Infinity), e: sequential },
    [
      ({ x, e }) =>
        (w) =>
          andThen(build(w, 'e', e))(sleep(x)),
      ({ e }) =>
        (w) =>
          andThen(build(w, 'e', e))(Effect.checkpoint)
    ]
  ),
  sides<{ readonly d: number }>('Z3 sleep(∞) = never', { d: ms }, [
    ({ d }) =>
      () =>
        Timeout.moveOnAfter(d)(sleep(Infinity)),
    ({ d }) =>
      () =>
        Timeout.moveOnAfter(d)(Effect.never)
  ]),
  sides<{ readonly x: number; readonly e: Program }>(
    'Z3 sleepUntil(now + x) = sleep(x)',
    { x: fc.integer({ min: -1, max: 5 }), e: sequential },
    [
      ({ x, e }) =>
        (w) =>
          pipe(
            Effect.currentTime,
            Effect.flatMap((now) => Effect.sleepUntil(now + x)),
            andThen(build(w, 'e', e))
          ),
      ({ x, e }) =>
        (w) =>
          andThen(build(w, 'e', e))(sleep(x))
    ]
  ),
  invariant({
    name: 'Z3 a sleep or a timeout of NaN is a defect',
    group,
    input: fc.record({ how: fc.constantFrom('sleep', 'timeout') }),
    show: printInputs,
    run:
      ({ how }) =>
      () =>
        how === 'sleep' ? sleep(NaN) : Timeout.moveOnAfter(NaN)(Effect.unit),
    check: ({ exit }) => (exit.startsWith('Left(Die(TypeError') ? null : 'expected a defect')
  }),
  invariant({
    name: 'Z4 what does not wait takes no time',
    group,
    input: fc.record({ e: straight }),
    show: printInputs,
    run:
      ({ e }) =>
      (w) =>
        build(w, 'e', e),
    check: ({ time }) => (time === 0 ? null : `it took ${time} ms`)
  }),
  invariant({
    name: 'Z4 no time passes while a fiber is ready',
    group,
    input: fc.record({ turns: fc.nat(5), wait: fc.integer({ min: 1, max: 3 }) }),
    show: printInputs,
    run:
      ({ turns, wait }) =>
      (w) =>
        TaskGroup.open<unknown>()((tasks) => {
          let busy: Fx = Effect.unit
          for (let i = 0; i < turns; i++) busy = andThen(Effect.yieldNow)(busy)
          return pipe(
            tasks.spawn(andThen(w.tick('slept'))(sleep(wait))),
            andThen(busy),
            andThen(w.tick('idle'))
          )
        }),
    check: ({ trace }, { wait }) => (trace.join() === `idle@0,slept@${wait}` ? null : 'time passed')
  }),
  invariant({
    name: 'Z5 a deadline takes effect exactly when it says',
    group,
    input: fc.record({ d: ms, moved: fc.option(ms, { nil: null }) }),
    show: printInputs,
    run:
      ({ d, moved }) =>
      (w) =>
        pipe(
          moved === null ? Effect.never : andThen(Effect.never)(sleep(moved)),
          Effect.onCancel(w.tick('cancelled')),
          Timeout.moveOnAfter(d)
        ),
    check: ({ trace }, { d }) => (trace.join() === `cancelled@${d}` ? null : `expected it at ${d}`)
  }),
  invariant({
    name: 'Z6 timers of the same time wake in the order in which they were set, before any of those fibers runs',
    group,
    input: fc.record({ fibers: fc.integer({ min: 2, max: 3 }), wait: fc.integer({ min: 1, max: 3 }) }),
    show: printInputs,
    run:
      ({ fibers, wait }) =>
      (w) =>
        TaskGroup.open<unknown>()((tasks) =>
          Effect.gen(function* () {
            let awake = 0
            for (let i = 0; i < fibers; i++) {
              yield* tasks.spawn(
                Effect.flatMap(() => {
                  awake++
                  return w.tick(`${awake} awake`)
                })(sleep(wait))
              )
            }
          })
        ),
    check: (observation, { fibers, wait }) =>
      lines(observation).length === fibers && observation.time === wait ? null : 'they did not wake together'
  }),
  law({
    name: 'Z7 when a run begins makes no difference',
    group,
    input: fc.record({ e: concurrent, seed: fc.nat(), start: fc.constantFrom(0, 1, 1000, 2 ** 33) }),
    show: ({ e, start }) => `start ${start}\n${print(e, 'e')}`,
    holds: ({ e, seed, start }) => twice(e, e, seed, { start }, 1)
  }),
  law({
    name: 'Z8 with all durations times k, all happens at k times the time',
    group,
    input: fc.record({ e: concurrent, seed: fc.nat(), factor: fc.constantFrom(2, 10, 1024) }),
    show: ({ e, factor }) => `factor ${factor}\n${print(e, 'e')}`,
    holds: ({ e, seed, factor }) => twice(e, scaled(factor)(e), seed, {}, factor)
  })
])
