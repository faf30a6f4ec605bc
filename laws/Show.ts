/**
 * `show`: a text for values, exits and causes that is equal for what counts as equal: `Then` and `Both` are associative, `Both`
 * is commutative, and all `Cancelled` leaves are the same.
 *
 * @since 0.1.0
 */
import type { Cause } from 'millrace'

const causes = new Set<unknown>(['Fail', 'Die', 'Cancelled', 'Then', 'Both'])

const members = (tag: 'Then' | 'Both', cause: Cause.Cause<unknown>): ReadonlyArray<string> =>
  cause._tag === tag ? [...members(tag, cause.left), ...members(tag, cause.right)] : [showCause(cause)]

/** The normal form of a cause. */
export const showCause = (cause: Cause.Cause<unknown>): string => {
  switch (cause._tag) {
    case 'Fail':
      return `Fail(${show(cause.error)})`
    case 'Die':
      return `Die(${show(cause.defect)})`
    case 'Cancelled':
      return 'Cancelled'
    case 'Then':
      return `Then(${members('Then', cause).join(', ')})`
    case 'Both':
      return `Both(${[...members('Both', cause)].sort().join(', ')})`
  }
}

/** Any value. Of tagged objects only what does not depend on numbers that the run gave. */
export const show = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'function':
      return 'a function'
    case 'object': {
      if (value === null) return 'null'
      if (value instanceof Error) return `${value.name}: ${value.message}`
      if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
      if (!('_tag' in value)) {
        const plain = Object.getPrototypeOf(value) === Object.prototype
        return plain
          ? `{${Object.entries(value)
              .map(([key, of]) => `${key}: ${show(of)}`)
              .join(', ')}}`
          : 'an object'
      }
      const { _tag } = value
      if (causes.has(_tag)) return showCause(value as Cause.Cause<unknown>)
      const of = value as { readonly [key: string]: unknown }
      switch (_tag) {
        case 'Some':
          return `Some(${show(of['value'])})`
        case 'Right':
          return `Right(${show(of['right'])})`
        case 'Left':
          return `Left(${show(of['left'])})`
        default:
          return 'cause' in value ? `${String(_tag)}(${show(of['cause'])})` : String(_tag)
      }
    }
    default:
      return String(value)
  }
}
