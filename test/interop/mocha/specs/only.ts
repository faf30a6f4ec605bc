// Run by mocha as a child process, see Mocha.test.ts.
import { Effect } from 'millrace'
import { it } from 'millrace/mocha'

it.effect('not this one', () => Effect.die('never run'))
it.effect.only('this one', () => Effect.unit)
it.virtual.only('and this one', () => Effect.unit)
it.only('and this one without effects', () => undefined)
it.skip('and not this one', () => undefined)
