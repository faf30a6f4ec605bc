/**
 * A fiber that says when it looks whether it is cancelled: that is where a cancellation can come in while it runs.
 *
 * @internal
 */
import type { Op, Untyped } from '../../internal/op.js'
import type { Owner } from '../../internal/owner.js'
import { Fiber, type Locals, Running } from '../../internal/fiber.js'
import type { Run } from '../../internal/run.js'
import type { ScopeNode } from '../../internal/scopeTree.js'

export class ProbedFiber extends Fiber {
  private readonly looks: (fiber: Fiber) => void

  constructor(
    looks: (fiber: Fiber) => void,
    run: Run,
    scope: ScopeNode,
    owner: Owner | null,
    effect: Op,
    environment: Untyped,
    locals: Locals | null,
    label: string | number | null,
    flags: number
  ) {
    super(run, scope, owner, effect, environment, locals, label, flags)
    this.looks = looks
  }

  override isCancelled(): boolean {
    // A waiting fiber is asked when a cancellation is delivered; only a running one asks for itself.
    if (this.status === Running) this.looks(this)
    return super.isCancelled()
  }

  protected override child(
    owner: Owner,
    scope: ScopeNode,
    effect: Op,
    label: string | number | null,
    flags: number
  ): Fiber {
    const { looks, runOf, environment, locals } = this
    return new ProbedFiber(looks, runOf, scope, owner, effect, environment, locals, label, flags)
  }
}
