/**
 * What happened in a run, a line a turn: when, who, what it did, what it waits on now.
 *
 * @internal
 */
import type { Exit } from '../../Exit.js'
import { Done, type Fiber, New, Waiting } from '../../internal/fiber.js'
import { Cancel } from '../../internal/op.js'
import type { FiberInfo } from '../../Instrument.js'
import type { Observer } from './driver.js'

interface Line {
  readonly time: number
  readonly who: string
  readonly did: Array<string>
  /** Said behind: what else could have been next. */
  note: string
}

/** A long run is shown by its beginning and its end. */
const firstLines = 60
const lastLines = 140

/** One word of a list: several of a kind are said together. */
const said = (did: ReadonlyArray<string>): string => {
  const groups: Array<{ verb: string; objects: Array<string> }> = []
  for (const act of did) {
    const [verb, object] = act.split('\u0000') as [string, string | undefined]
    const last = groups[groups.length - 1]
    if (last !== undefined && object !== undefined && last.verb === verb) last.objects.push(object)
    else groups.push({ verb, objects: object === undefined ? [] : [object] })
  }
  return groups
    .map(({ verb, objects }) =>
      objects.length === 0
        ? verb
        : objects.length > 5
          ? `${verb} ${objects.slice(0, 4).join(', ')} and ${objects.length - 4} more`
          : `${verb} ${objects.join(', ')}`
    )
    .join('; ')
}

export class Timeline implements Observer {
  private readonly first: Array<Line> = []
  private readonly last: Array<Line> = []
  private left = 0
  private elapsed: () => number = () => 0
  /** What acts are added to; null between turns. */
  private line: Line | null = null
  /** Who acts; arms of a composition run inside the turn of their parent. */
  private current: FiberInfo | null = null
  private readonly started = new Set<number>()

  // ---- lines

  private add(who: string): Line {
    const line: Line = { time: this.elapsed(), who, did: [], note: '' }
    if (this.first.length < firstLines) this.first.push(line)
    else {
      this.last.push(line)
      if (this.last.length > lastLines) {
        this.last.shift()
        this.left++
      }
    }
    this.line = line
    return line
  }

  private act(verb: string, object?: string): void {
    const line = this.line ?? this.add('')
    line.did.push(object === undefined ? verb : `${verb}\u0000${object}`)
  }

  private by(fiber: FiberInfo): void {
    if (fiber === this.current) return
    this.current = fiber
    this.add(fiber.name)
  }

  // ---- what happens

  readonly onBegin = (elapsed: () => number): void => {
    this.elapsed = elapsed
  }

  readonly onTurn = (fiber: Fiber, choice: number, width: number, place: number): void => {
    this.line = null
    this.by(fiber)
    if (width > 1 && this.line !== null) {
      const line: Line = this.line
      line.note = `${ordinal(choice + 1)} of ${width} that are ready, choice ${place}`
    }
    if (fiber.status === New) this.start(fiber)
    else if (fiber.mode === Cancel) this.act('is cancelled')
  }

  readonly onTurnEnd = (fiber: Fiber): void => {
    if (fiber === this.current && fiber.status !== Done && fiber.status !== Waiting) this.act('yields')
    this.current = null
    this.line = null
  }

  readonly onReady = (fiber: Fiber): void => {
    if (fiber === this.current || fiber.status === New) return
    this.act(fiber.mode === Cancel ? 'cancels' : 'wakes', fiber.name)
  }

  readonly onSpawn = (fiber: FiberInfo, parent: FiberInfo): void => {
    this.by(parent)
    this.act('spawns', fiber.name)
  }

  private start(fiber: FiberInfo): void {
    this.started.add(fiber.id)
    this.act('starts')
  }

  readonly onResume = (fiber: FiberInfo): void => {
    if (fiber === this.current) return
    this.by(fiber)
    if (!this.started.has(fiber.id)) this.start(fiber)
  }

  readonly onPark = (fiber: FiberInfo, waitsOn: string): void => {
    this.by(fiber)
    this.act(`waits on ${waitsOn}`)
  }

  readonly onExit = (fiber: FiberInfo, exit: Exit<unknown, unknown>): void => {
    this.by(fiber)
    this.act(exit._tag === 'Right' ? 'ends' : `ends with ${leaves(exit)}`)
  }

  readonly onCancelPoint = (point: number, fiber: Fiber | null): void => {
    const where = fiber === null ? '' : `, where ${fiber.name} looks whether it is`
    this.add('').did.push(`cancelled from outside${where} (point ${point})`)
    this.current = null
  }

  readonly onStuck = (why: string): void => {
    this.line = null
    this.act(`${why}: the run is given up`)
  }

  // ---- as text

  lines(): ReadonlyArray<string> {
    const all = [...this.first, ...this.last]
    const times = all.map((line) => `${Math.round(line.time * 1000) / 1000} ms`)
    const timeWidth = Math.max(0, ...times.map((time) => time.length))
    const nameWidth = Math.min(24, Math.max(0, ...all.map((line) => line.who.length)))
    const shown = all.map(({ who, did, note }, i) =>
      [(times[i] as string).padStart(timeWidth), who.padEnd(nameWidth), said(did), note && `[${note}]`]
        .join('  ')
        .trimEnd()
    )
    if (this.left > 0) shown.splice(firstLines, 0, `… ${this.left} lines left out …`)
    return shown
  }
}

const ordinal = (n: number): string =>
  n % 100 >= 11 && n % 100 <= 13 ? `${n}th` : `${n}${['th', 'st', 'nd', 'rd'][n % 10] ?? 'th'}`

const leaves = (exit: Exit<unknown, unknown>): string => {
  if (exit._tag === 'Right') return 'a value'
  const kinds = new Set<string>()
  const rest = [exit.left]
  for (let next = rest.pop(); next !== undefined && kinds.size < 4; next = rest.pop()) {
    if (next._tag === 'Then' || next._tag === 'Both') rest.push(next.right, next.left)
    else kinds.add(next._tag)
  }
  return [...kinds].join(' and ')
}
