/**
 * All laws of this library, in the order in which they build on each other.
 *
 * @since 0.1.0
 */
import fc from 'fast-check'
import * as S from 'fp-ts/lib/string.js'
import { Effect, Resource, Scope } from 'millrace'
import { attributes } from './Attributes.js'
import { allCauses } from './Causes.js'
import { channels } from './Channels.js'
import { clock } from './Clock.js'
import { groups } from './Groups.js'
import { alt, bifunctor, eq, fromTask, monadThrow, monoid } from './Instances.js'
import { interop } from './Interop.js'
import { effect, type Sample, str, type Surroundings } from './Kit.js'
import { layers } from './Layers.js'
import { lawSet, type LawSet } from './LawSet.js'
import { model } from './Model.js'
import { resources } from './Resources.js'
import { resource } from './ResourceSuite.js'
import { schedule } from './Schedule.js'
import { scopes } from './Scopes.js'
import { sync } from './Sync.js'
import { typeClasses } from './TypeClasses.js'

const scopeSample: Sample<Scope.Scope> = {
  arb: fc
    .array(fc.oneof(fc.constant(Scope.shield), fc.constantFrom(0, 1, 2, 5).map(Scope.deadlineIn)), {
      maxLength: 3
    })
    .map((all) => all.reduce(Scope.Monoid.concat, Scope.empty)),
  eq: Scope.Eq
}

/**
 * Our instances and resources, by the suites for those of anybody.
 *
 * @category law sets
 * @since 0.1.0
 */
export const instances: LawSet = lawSet(
  'instances',
  [],
  [
    monadThrow(Effect.MonadThrow)(effect),
    alt(Effect.Alt)(effect),
    bifunctor(Effect.Bifunctor)(effect),
    fromTask(Effect.MonadTask)(effect),
    monoid(Effect.getMonoid<Surroundings, string, string>(S.Monoid))(effect.lift(str), 'effects'),
    monoid(Scope.Monoid)(scopeSample, 'scopes'),
    eq(Scope.Eq)(scopeSample, 'scopes'),
    resource((ledger) =>
      Resource.make(Effect.flatMap(() => Effect.sync(() => ledger.acquire('held')))(Effect.sleep(1)), () =>
        Effect.flatMap(() => Effect.sync(() => ledger.release('held')))(Effect.sleep(1))
      )
    )({ name: 'Resource.make' })
  ]
)

/**
 * All laws of this library.
 *
 * @category law sets
 * @since 0.1.0
 */
export const ours: LawSet = lawSet(
  'Millrace',
  [],
  [
    typeClasses,
    scopes,
    groups,
    allCauses,
    resources,
    channels,
    sync,
    attributes,
    schedule,
    clock,
    interop,
    layers,
    model,
    instances
  ]
)
