/**
 * Something that lets so many in, beside a naive model of it. Tasks enter with a weight, stay until they are told to leave, and
 * are cancelled at any moment, waiting or inside. After each command both agree on who is in, who waits and what is left.
 */
import { expect } from 'chai'
import * as fc from 'fast-check'
import { Effect, Event, type Task, TaskGroup } from 'millrace'
import { settle } from './schedules.js'
import type { Fx } from './seeds.js'

const kinds = [
  'enter',
  'enter',
  'enter',
  'leave',
  'leave',
  'cancel',
  'cancel',
  'now',
  'total',
  'settle'
] as const

interface Command {
  readonly kind: (typeof kinds)[number]
  readonly x: number
}

export interface Scenario {
  readonly total: number
  readonly commands: ReadonlyArray<Command>
}

export const scenario = (most: number): fc.Arbitrary<Scenario> =>
  fc.record({
    total: fc.integer({ min: 1, max: most }),
    commands: fc.array(fc.record({ kind: fc.constantFrom(...kinds), x: fc.nat(40) }), { maxLength: 80 })
  })

/** What is tested. `id` is who enters. */
export interface Subject {
  /** Weights that a task may ask for: from 1 to this. */
  readonly heaviest: number
  readonly within: (id: number, weight: number) => (fx: Fx<void>) => Fx<void>
  /** Enters and leaves at once if that needs no waiting; false otherwise. */
  readonly now: Fx<boolean>
  readonly setTotal?: (total: number) => Fx<void>
  /** What is left, and how many wait. */
  readonly statistics: Fx<readonly [left: number, waiting: number]>
}

export const sameAsModel =
  (make: (total: number) => Fx<Subject>) =>
  ({ total: initial, commands }: Scenario): Fx<void> =>
    TaskGroup.open()((group) =>
      Effect.gen(function* () {
        const subject = yield* make(initial)
        let total = initial
        const inside = new Map<number, number>()
        const leaving = new Set<number>()
        let queue: Array<readonly [id: number, weight: number]> = []
        const seenInside = new Set<number>()
        const tasks = new Map<number, { readonly task: Task.Task<never, void>; readonly go: Event.Event }>()

        const left = () => total - [...inside.values()].reduce((a, b) => a + b, 0)
        const serve = () => {
          for (let first = queue[0]; first !== undefined && first[1] <= left(); first = queue[0]) {
            inside.set(...first)
            queue = queue.slice(1)
          }
        }
        const agree = Effect.gen(function* () {
          expect(yield* subject.statistics).to.deep.equal([left(), queue.length])
        })
        const rest = Effect.gen(function* () {
          yield* settle
          for (const id of leaving) inside.delete(id)
          leaving.clear()
          serve()
          expect([...seenInside].sort()).to.deep.equal([...inside.keys()].sort())
          yield* agree
        })
        const pick = (from: Iterable<number>, x: number): number | undefined => {
          const ids = [...from]
          return ids[x % ids.length]
        }

        for (let id = 0; id < commands.length; id++) {
          const { kind, x } = commands[id]!
          switch (kind) {
            case 'enter': {
              yield* rest
              const weight = 1 + (x % subject.heaviest)
              const go = yield* Event.make()
              const stay = Effect.ensuring(Effect.sync(() => seenInside.delete(id)))(
                Effect.andThen(go.wait)(Effect.sync(() => seenInside.add(id)))
              )
              tasks.set(id, { go, task: yield* group.spawn(subject.within(id, weight)(stay)) })
              queue.push([id, weight])
              serve()
              yield* rest
              break
            }
            case 'leave': {
              const who = pick(inside.keys(), x)
              if (who === undefined) break
              leaving.add(who)
              yield* tasks.get(who)!.go.set
              break
            }
            case 'cancel': {
              const who = pick([...inside.keys(), ...queue.map(([waiting]) => waiting)], x)
              if (who === undefined) break
              if (inside.has(who)) leaving.add(who)
              queue = queue.filter(([waiting]) => waiting !== who)
              serve()
              yield* tasks.get(who)!.task.cancel()
              break
            }
            case 'now':
              expect(yield* subject.now).to.equal(queue.length === 0 && left() >= 1)
              break
            case 'total':
              if (subject.setTotal === undefined) break
              total = x % 6
              yield* subject.setTotal(total)
              serve()
              break
            case 'settle':
              yield* rest
          }
          yield* agree
        }

        yield* group.cancelAll()
        for (const { task } of tasks.values()) yield* task.wait
        expect(seenInside.size).to.equal(0)
        expect(yield* subject.statistics).to.deep.equal([total, 0])
      })
    )
