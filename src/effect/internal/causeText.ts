/**
 * A cause as text, for people. It never fails, whatever the values are that it shows: it calls no `toString` or `toJSON`,
 * which belong to the user and may throw, and property reads that throw are shown as such.
 *
 * @internal
 */
import type { Both, Cancelled, CancelReason, Cause, Leaf } from './causes.js'

/** Were the indent to grow with every level, the text would grow with the square of the depth. */
const deepestIndent = 16

// Limits of one line; all are about what a person reads.
const nameLength = 100
const valueLength = 200
const messageLength = 300
const chainLength = 4
const itemCount = 20
const valueDepth = 4

interface Pending {
  readonly part: Cause<unknown>
  /** Stands before the first line of the part. */
  readonly head: string
  /** Stands before its other lines. */
  readonly rest: string
  readonly level: number
}

/** A line a leaf, cut after so many lines or characters. */
export const causeText = (cause: Cause<unknown>, maxLines: number, maxLength: number): string => {
  const lines: Array<string> = []
  let length = 0
  let leavesCut = 0
  // The last in is the first out.
  const pending: Array<Pending> = [{ part: cause, head: '', rest: '', level: 0 }]
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    const { part, head, rest, level } = current
    const full = lines.length >= maxLines || length >= maxLength
    if (part._tag === 'Then' || (full && part._tag === 'Both')) {
      pending.push({ part: part.right, head: rest, rest, level }, { part: part.left, head, rest, level })
      continue
    }
    if (full) {
      leavesCut++
      continue
    }
    let line = head
    if (part._tag === 'Both') {
      const indents = level < deepestIndent
      const stem = indents ? rest : rest.slice(0, -3)
      const sides = fromTheLast(part)
      line += `Both, ${sides.length} side by side${indents ? '' : `, level ${level + 1}`}`
      for (const [i, side] of sides.entries()) {
        const [branch, below] = i === 0 ? ['└─ ', '   '] : ['├─ ', '│  ']
        pending.push({ part: side, head: stem + branch, rest: stem + below, level: level + 1 })
      }
    } else line += leafText(part)
    lines.push(line)
    length += line.length + 1
  }
  if (leavesCut > 0) lines.push(`… and ${leavesCut} more`)
  return lines.join('\n')
}

/** All that happened side by side, however it was joined. */
const fromTheLast = (both: Both<unknown>): ReadonlyArray<Cause<unknown>> => {
  const sides: Array<Cause<unknown>> = []
  const pending: Array<Cause<unknown>> = [both]
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part._tag === 'Both') pending.push(part.left, part.right)
    else sides.push(part)
  }
  return sides
}

// A message may hold line breaks and the escapes that colour a terminal; a leaf has one line.
const leafText = (leaf: Leaf<unknown>): string =>
  `${leaf._tag}: ${contentText(leaf).replace(/[\p{Cc}\u2028\u2029]+ */gu, ' ')}`

const contentText = (leaf: Leaf<unknown>): string =>
  leaf._tag === 'Fail'
    ? show(leaf.error)
    : leaf._tag === 'Die'
      ? defectText(leaf.defect)
      : cancelledText(leaf, 1)

/** A known defect in words: `CleanupOverran, task "metrics", grace 1000 ms`. */
const defectText = (defect: unknown): string => {
  const tag = isError(defect) ? '' : tagOf(defect)
  if (tag === '') return show(defect)
  let text = tag
  for (const [i, key] of fieldsOf(defect as object).entries()) {
    if (i === itemCount || text.length > messageLength) return `${text}, …`
    const field = read(defect, key)
    const shown = tag === 'CleanupOverran' && typeof field === 'number' ? milliseconds(field) : show(field)
    text += `, ${clipped(key)} ${shown}`
  }
  return text
}

const cancelledText = ({ scope, reason, by, because }: Cancelled, link: number): string =>
  `scope ${quoted(scope)}, ${reason._tag}${detailOf(reason)}` +
  (by._tag === 'Some' ? `, by task ${quoted(by.value)}` : '') +
  (because._tag === 'Some'
    ? `, because ${link < chainLength ? cancelledText(because.value, link + 1) : '…'}`
    : '')

const detailOf = (reason: CancelReason): string => {
  switch (reason._tag) {
    case 'Deadline':
      return ` ${milliseconds(reason.time)}`
    case 'SiblingFailed':
      return ` task ${quoted(reason.task)}`
    case 'Explicit':
      return given(reason.value)
    case 'Aborted':
      return given(reason.reason)
    case 'Shutdown':
      return ` ${clipped(reason.signal)}`
  }
}

/** `cancel()` gives no reason, and then there is nothing to show. */
const given = (reason: unknown): string => (reason === undefined ? '' : ` ${show(reason)}`)

// Clocks give fractions of a millisecond with more digits than anybody reads.
const milliseconds = (time: number): string => `${Math.round(time * 1000) / 1000} ms`

const quoted = (text: string, length?: number): string => JSON.stringify(clipped(text, length))

const clipped = (text: string, length = nameLength): string =>
  // Half of a surrogate pair is no character.
  text.length <= length ? text : `${text.slice(0, length).replace(/[\ud800-\udbff]$/, '')}…`

// -------------------------------------------------------------------------------------
// values
// -------------------------------------------------------------------------------------

/** Proxies and getters may refuse anything. */
const attempt = <A>(f: () => A, otherwise: A): A => {
  try {
    return f()
  } catch {
    return otherwise
  }
}

const unreadable = Symbol('unreadable')

const read = (value: unknown, key: string): unknown =>
  attempt(() => (value as Readonly<Record<string, unknown>>)[key], unreadable)

const readText = (value: unknown, key: string): string => {
  const text = read(value, key)
  return typeof text === 'string' ? text : ''
}

// Also true of errors that come from another realm, such as a `vm` context or a frame.
export const isError = (value: unknown): value is Error =>
  attempt(() => value instanceof Error || Object.prototype.toString.call(value) === '[object Error]', false)

const tagOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? clipped(readText(value, '_tag')) : ''

const fieldsOf = (value: object): ReadonlyArray<string> =>
  attempt(() => Object.keys(value).filter((key) => key !== '_tag'), [])

export const errorName = (error: object): string => readText(error, 'name') || 'Error'

export const errorMessage = (error: object): string => readText(error, 'message')

const errorText = (error: object): string => {
  const name = errorName(error)
  // A subclass that has a tag need not have set its name as well.
  const shown = (name === 'Error' && tagOf(error)) || clipped(name)
  const message = errorMessage(error)
  return message === '' ? shown : `${shown}: ${clipped(message, messageLength)}`
}

/** The name of its class; nothing for a plain object. */
const classOf = (value: object): string => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return ''
  const constructor = read(value, 'constructor')
  const name = typeof constructor === 'function' ? readText(constructor, 'name') : ''
  return name === 'Object' ? '' : clipped(name)
}

/** A value like JSON. Depth is bounded, hence the recursion. */
const show = (value: unknown): string => {
  let text = ''
  const ancestors: Array<object> = []

  const write = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) {
      text += plainText(part)
      return
    }
    if (ancestors.includes(part)) {
      text += '<circular>'
      return
    }
    ancestors.push(part)
    try {
      writeObject(part)
    } catch {
      text += '<unreadable>'
    }
    ancestors.pop()
  }

  const writeObject = (part: object): void => {
    if (isError(part)) text += errorText(part)
    else if (part instanceof Date) text += Number.isNaN(part.getTime()) ? 'Invalid Date' : part.toISOString()
    else if (ArrayBuffer.isView(part)) text += `${classOf(part)}(${part.byteLength} bytes)`
    else if (part instanceof Map || part instanceof Set) text += `${classOf(part)}(${part.size})`
    else if (Array.isArray(part)) {
      writeItems('[', part.length, ']', (i) => {
        write(part[i])
      })
    } else writeFields(part)
  }

  const writeFields = (part: object): void => {
    const name = tagOf(part) || classOf(part)
    const keys = fieldsOf(part)
    if (keys.length === 0) {
      text += name || '{}'
      return
    }
    if (name !== '') text += `${name} `
    writeItems('{ ', keys.length, ' }', (i) => {
      const key = keys[i]!
      text += `${/^[\w$]+$/.test(key) ? clipped(key) : quoted(key)}: `
      write(read(part, key))
    })
  }

  const writeItems = (
    opening: string,
    count: number,
    closing: string,
    writeItem: (i: number) => void
  ): void => {
    text += opening
    for (let i = 0; i < count; i++) {
      if (i > 0) text += ', '
      if (ancestors.length > valueDepth || i === itemCount || text.length > valueLength) {
        text += '…'
        break
      }
      writeItem(i)
    }
    text += closing
  }

  write(value)
  return text
}

/** What is no object. */
const plainText = (value: unknown): string => {
  if (typeof value === 'string') return quoted(value, valueLength)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return '<function>'
  if (value === unreadable) return '<unreadable>'
  return Object.is(value, -0) ? '-0' : String(value)
}
