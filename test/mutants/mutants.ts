/**
 * Bugs to plant: each an edit of the sources that makes some law false. `npm run mutants` shows which laws notice. An edit
 * names the text that it replaces, which must be there exactly once, so a mutant cannot rot unseen.
 */

/** A text of a file, and what stands there instead. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  /** The bug, in words. */
  readonly does: string
  readonly edits: ReadonlyArray<Edit>
}

/** The text of a file with the edits of the mutant in it. Throws when one does not fit any more. */
export const edited = (mutant: Mutant, file: string, text: string): string =>
  mutant.edits
    .filter((edit) => edit.file === file)
    .reduce((source, { find, replace }) => {
      const parts = source.split(find)
      if (parts.length !== 2) {
        const times = parts.length === 1 ? 'is gone' : `is there ${parts.length - 1} times`
        throw new Error(`Mutant ${mutant.name}: the text that it replaces in ${file} ${times}:\n${find}`)
      }
      return parts.join(replace)
    }, text)

const mutant = (name: string, does: string, ...edits: ReadonlyArray<Edit>): Mutant => ({ name, does, edits })

const editIn =
  (file: string) =>
  (find: string, replace: string): Edit => ({ file, find, replace })

const fiber = editIn('src/effect/internal/fiber.ts')
const tree = editIn('src/effect/internal/scopeTree.ts')
const shields = editIn('src/effect/internal/shields.ts')
const scoped = editIn('src/effect/internal/scoped.ts')
const ownScope = editIn('src/effect/internal/ownScope.ts')
const failures = editIn('src/effect/internal/failures.ts')
const finalizers = editIn('src/effect/internal/finalizers.ts')
const environments = editIn('src/effect/internal/environments.ts')
const generator = editIn('src/effect/internal/generator.ts')
const primitives = editIn('src/effect/internal/primitives.ts')
const nursery = editIn('src/effect/internal/nursery.ts')
const parallel = editIn('src/effect/internal/parallel.ts')
const owner = editIn('src/effect/internal/owner.ts')
const deadlines = editIn('src/effect/internal/deadlines.ts')
const lot = editIn('src/effect/ParkingLot.ts')
const lock = editIn('src/scope/sync/Lock.ts')
const stream = editIn('src/stream/MemoryStream.ts')

/** A finalizer that runs without a mask must not take one away when it ends. */
const withoutMask: ReadonlyArray<Edit> = [
  finalizers(
    `    fiber.mask--
    return before.mode`,
    `    if (fiber.mask > 0) fiber.mask--
    return before.mode`
  ),
  finalizers(
    `    fiber.mask--
    return fiber.signal(Fault, afterFinalizer`,
    `    if (fiber.mask > 0) fiber.mask--
    return fiber.signal(Fault, afterFinalizer`
  )
]

/** How scopes cancel. */
const scopes: ReadonlyArray<Mutant> = [
  mutant(
    'bind-is-checkpoint',
    'flatMap looks whether it is cancelled before it goes on',
    fiber(
      `case 4: // FlatMap
              current = (0, frame.b)(value)
              mode = 0`,
      `case 4: // FlatMap
              if (fiber.isCancelled()) {
                mode = 5
                break
              }
              current = (0, frame.b)(value)
              mode = 0`
    )
  ),
  mutant(
    'map-is-checkpoint',
    'map looks whether it is cancelled before it applies its function',
    fiber(
      `value = (0, frame.b)(value)
              break
            case 6: // Tap`,
      `if (fiber.isCancelled()) mode = 5
              else value = (0, frame.b)(value)
              break
            case 6: // Tap`
    )
  ),
  mutant(
    'edge-delivery',
    'a scope raises its cancellation only once',
    fiber(
      `return this.scope.effective && (this.mask === 0 || this.scope.cut >= 0)
  }`,
      `if (!this.scope.effective || !(this.mask === 0 || this.scope.cut >= 0)) return false
    if (this.status === Waiting) return true
    const node = this.scope.nearestCancelled() as ScopeNode & { raised?: boolean }
    const first = node.raised !== true
    node.raised = true
    return first
  }`
    )
  ),
  mutant(
    'sleep-does-not-look',
    'a sleep in a cancelled scope waits',
    primitives(
      `if (fiber.isCancelled()) return fiber.raiseCancelled()
  if (time === Infinity)`,
      `if (time === Infinity)`
    )
  ),
  mutant(
    'never-does-not-look',
    'never in a cancelled scope waits',
    primitives(
      `fiber.isCancelled() ? fiber.raiseCancelled() : fiber.park(neverEnds)`,
      `fiber.park(neverEnds)`
    )
  ),
  mutant(
    'join-does-not-look',
    'a join in a cancelled scope waits, or gives the exit',
    primitives(
      `if (fiber.isCancelled()) return fiber.raiseCancelled()
  if (child.status !== Done || child.mode !== Return)`,
      `if (child.status !== Done || child.mode !== Return)`
    )
  ),
  mutant(
    'checkpoint-does-not-look',
    'a checkpoint is a yield',
    primitives(`fiber.reschedule(Check, undefined)`, `fiber.reschedule(Return, undefined)`)
  ),
  mutant(
    'yield-looks',
    'a yield is a checkpoint',
    primitives(
      `export const yieldNow = /*#__PURE__*/ primitive((fiber) => fiber.reschedule(Return, undefined))`,
      `export const yieldNow = /*#__PURE__*/ primitive((fiber) => fiber.reschedule(Check, undefined))`
    )
  ),
  mutant(
    'check-does-not-look',
    'checkCancelled does nothing',
    primitives(
      `fiber.isCancelled() ? fiber.raiseCancelled() : undefined
)`,
      `fiber.isCancelled() ? undefined : undefined
)`
    )
  ),
  mutant(
    'async-does-not-look',
    'async in a cancelled scope registers and waits',
    primitives(
      `if (fiber.isCancelled()) return fiber.raiseCancelled()
  const ambient`,
      `const ambient`
    )
  ),
  mutant(
    'cancel-toggles',
    'cancelling a scope that is cancelled takes it back',
    tree(
      `if (this.cancelled || this.closed) return
    this.makeExtras().why = why`,
      `if (this.cancelled) {
      this.makeExtras().why = null
      walk(this, (node) => {
        node.effective = node.cancelled || node.cancelledFromOutside()
        return true
      })
      return
    }
    if (this.cancelled || this.closed) return
    this.makeExtras().why = why`
    )
  ),
  mutant(
    'deadline-takes-back',
    'a later deadline takes a cancellation back',
    tree(
      `if (node.deadline !== null) timers.remove(node.deadline)
  node.deadline = time`,
      `if (node.deadline !== null) timers.remove(node.deadline)
  if (time > node.host.now()) {
    node.cancelled = false
    walk(node, (each) => {
      each.effective = each.cancelled || each.cancelledFromOutside()
      return true
    })
  }
  node.deadline = time`
    )
  ),
  mutant(
    'shield-ignored',
    'a shield hides nothing',
    tree(`return (!this.shield && this.mask === 0) ||`, `return this.mask === 0 ||`)
  ),
  mutant(
    'shield-three-deep',
    'a shield hides through two scopes only',
    tree(
      `if (node !== this && (node.effective || !node.visible)) return false`,
      `if (node !== this && node.effective) return false
      if (node !== this && !node.visible && node.firstChild?.firstChild?.firstChild == null) return false`
    ),
    tree(
      `this.effective = parent.effective && (mask === 0 || parent.cut >= 0)`,
      `const shielded = parent.parent?.parent
      const far =
        shielded?.shield === true && !parent.shield && !parent.parent?.shield && shielded.parent?.effective === true
      this.effective = (parent.effective || far) && (mask === 0 || parent.cut >= 0)`
    )
  ),
  mutant(
    'shield-hides-itself',
    'a shield hides its own cancellation',
    fiber(
      `return this.scope.effective && (`,
      `return this.scope.effective && !(this.scope.shield && this.scope.cancelled) && (`
    )
  ),
  mutant(
    'shield-never-lowered',
    'a shield that was lowered still hides',
    shields(
      `if (scope.shield === shield || scope.closed) return`,
      `if (scope.shield === shield || scope.closed || !shield) return`
    )
  ),
  mutant(
    'shield-never-raised',
    'a shield that is raised later hides nothing',
    shields(
      `if (scope.shield === shield || scope.closed) return`,
      `if (scope.shield === shield || scope.closed || (shield && scope.effective)) return`
    )
  ),
  mutant(
    'cancel-overwrites',
    'a cancellation takes away what a fiber was given already',
    fiber(
      `if (this.status !== Waiting || !this.isCancelled()) return
    const wait`,
      `if (this.status === Ready && this.mode === 1 && this.isCancelled()) {
      this.mode = 5
      return
    }
    if (this.status !== Waiting || !this.isCancelled()) return
    const wait`
    )
  ),
  mutant(
    'newborn-killed',
    'a task whose scope is cancelled does not begin',
    fiber(
      `if (mode === 0) current = value
  else if (mode === 2)`,
      `if (mode === 0) {
    current = value
    if (fiber.status === Running && fiber.owner !== null && fiber.frames === null && sp === 0 && fiber.isCancelled()) mode = 5
  } else if (mode === 2)`
    )
  ),
  mutant(
    'scope-exit-is-checkpoint',
    'leaving a scope looks whether it is cancelled',
    scoped(
      `    leaveScope(fiber, node)
    return { _tag: 'Some', value }`,
      `    leaveScope(fiber, node)
    if (fiber.isCancelled()) return fiber.raiseCancelled()
    return { _tag: 'Some', value }`
    )
  ),
  mutant(
    'scope-entry-is-checkpoint',
    'entering a scope looks whether it is cancelled',
    fiber(
      `current = typeof current.c === 'function' ? (0, current.c)(value) : current.c
`,
      `current = typeof current.c === 'function' ? (0, current.c)(value) : current.c
              if (fiber.isCancelled()) mode = 5
`
    )
  ),
  mutant(
    'inner-absorbs-outer',
    'a cancelled scope absorbs also what comes from outside',
    tree(`return this.cancelled && !this.cancelledFromOutside()`, `return this.cancelled`)
  ),
  mutant(
    'any-scope-absorbs',
    'a scope absorbs any cancellation, cancelled or not',
    tree(`return this.cancelled && !this.cancelledFromOutside()`, `return this.cancelled || this.effective`),
    tree(
      `const extras = this.extras as ScopeExtras
    if (extras.leaf === null) {
      const { reason, by, because } = extras.why as Cancellation`,
      `const extras = this.makeExtras()
    if (extras.leaf === null) {
      const { reason, by, because } = extras.why ?? cancellation({ _tag: 'Explicit', value: undefined })`
    )
  ),
  mutant(
    'nothing-absorbed',
    'a scope does not absorb its own cancellation',
    tree(`return this.cancelled && !this.cancelledFromOutside()`, `return false`)
  ),
  mutant(
    'absorbing-drops-failures',
    'a scope that absorbs drops what failed beside the cancellation',
    scoped(
      `absorbed = rest !== value
`,
      `absorbed = rest !== value
      rest = null
`
    )
  ),
  mutant(
    'finalizer-skips-cancelled',
    'a finalizer does not run after a cancellation',
    finalizers(
      `export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, finalize)`,
      `export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, (fiber, finalizer: Op, mode, value) =>
  mode === Cancel ? fiber.signal(mode, value) : finalize(fiber, finalizer, mode, value)
)`
    )
  ),
  mutant(
    'finalizer-skips-defect',
    'a finalizer does not run after a defect',
    finalizers(
      `export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, finalize)`,
      `export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, (fiber, finalizer: Op, mode, value) =>
  mode === 4 ? fiber.signal(mode, value) : finalize(fiber, finalizer, mode, value)
)`
    )
  ),
  mutant(
    'finalizer-runs-twice',
    'a finalizer runs twice after a failure',
    finalizers(
      `export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, finalize)`,
      `export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, (fiber, finalizer: Op, mode, value) =>
  finalize(fiber, mode === 3 ? new Op(4, finalizer, () => finalizer, undefined) : finalizer, mode, value)
)`
    )
  ),
  mutant(
    'finalizer-not-shielded',
    'a finalizer after a cancellation is cancelled as well',
    finalizers(
      `export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, finalize)`,
      `export const ensuring = /*#__PURE__*/ new Frame(null, finalizeValue, (fiber, finalizer: Op, mode, value) => {
  const answer = finalize(fiber, finalizer, mode, value)
  fiber.mask--
  return answer
})`
    ),
    ...withoutMask
  ),
  mutant(
    'finalizer-masks',
    'what a finalizer fails with replaces what came before',
    finalizers(
      `return before.mode === Return ? cause : joinThen(fiber.causeOf(before.mode, before.value), cause)`,
      `return cause`
    )
  ),
  mutant(
    'finalizer-error-lost',
    'what a finalizer fails with after a failure is dropped',
    finalizers(
      `return before.mode === Return ? cause : joinThen(fiber.causeOf(before.mode, before.value), cause)`,
      `return before.mode === Return ? cause : fiber.causeOf(before.mode, before.value)`
    )
  ),
  mutant(
    'on-cancel-always',
    'onCancel runs for failures as well',
    finalizers(`mode === Cancel || (mode === Fault && hasCancelled(value as Cause<Untyped>))`, `mode >= 3`)
  ),
  mutant(
    'on-exit-blind',
    'onExit sees a failure as a defect',
    finalizers(
      `    const exit = exitOf(fiber, mode, value)
    return finalize(fiber, attempt(finalizer, exit)`,
      `    const exit = exitOf(fiber, mode === 3 ? 4 : mode, value)
    return finalize(fiber, attempt(finalizer, exit)`
    )
  ),
  mutant(
    'catch-sees-cancelled',
    'orElse runs its handler for a cancellation',
    fiber(
      `case 10: // Handle
              if (mode === 3) {`,
      `case 10: // Handle
              if (mode === 3 || mode === 5) {`
    )
  ),
  mutant(
    'catch-sees-defect',
    'orElse runs its handler for a defect',
    fiber(
      `case 10: // Handle
              if (mode === 3) {`,
      `case 10: // Handle
              if (mode === 3 || mode === 4) {`
    )
  ),
  mutant(
    'catch-clears-scope',
    'who catches a cancellation is not cancelled any more',
    failures(
      `  (fiber, f: (cause: Cause<Untyped>) => Op, mode, value) =>
    fiber.signal(Evaluate, f(fiber.causeOf(mode, value)))`,
      `  (fiber, f: (cause: Cause<Untyped>) => Op, mode, value) => {
    if (mode === 5) fiber.scope.effective = false
    return fiber.signal(Evaluate, f(fiber.causeOf(mode, value)))
  }`
    )
  ),
  mutant(
    'forged-cancellation',
    'a cancellation may be raised where nothing is cancelled',
    failures(
      `if (!hasCancelled(cause) || fiber.scope.nearestCancelled() !== null) return cause`,
      `if (!hasCancelled(cause) || fiber.id >= 0) return cause`
    )
  ),
  mutant(
    'yield-of-budget-looks',
    'the yield of a fiber that has run long is a checkpoint',
    fiber(
      `fiber.mode = mode
            fiber.value = mode === 0 ? current : value`,
      `if (fiber.isCancelled()) mode = 5
            fiber.mode = mode
            fiber.value = mode === 0 ? current : value`
    )
  ),
  mutant(
    'root-not-cancelled-before',
    'an effect in a scope whose deadline has passed is not cancelled',
    tree(
      `if (at <= now) node.deadline.fire()
  else`,
      `if (at < now) node.deadline.fire()
  else`
    )
  ),
  mutant(
    'parent-not-told',
    'a scope that is opened in a cancelled one is not',
    tree(`this.effective = parent.effective && (mask === 0 || parent.cut >= 0)`, `this.effective = false`)
  ),
  mutant(
    'spread-stops',
    'a cancellation reaches the fibers of its own scope only',
    tree(
      `if (node !== this && (node.effective || !node.visible)) return false`,
      `if (node !== this) return false`
    )
  ),
  mutant(
    'closed-scope-cancels',
    'the handle of a scope that was left still cancels',
    tree(
      `if (this.cancelled || this.closed) return
    this.makeExtras().why = why`,
      `if (this.cancelled) return
    if (this.closed) {
      this.parent?.cancel(why)
      return
    }
    this.makeExtras().why = why`
    )
  ),
  mutant(
    'effective-deadline-outermost',
    'the effective deadline looks through shields',
    tree(`node = node.visible ? node.parent : null) {`, `node = node.parent) {`)
  ),
  mutant(
    'effective-deadline-cancelled',
    'in a cancelled scope the effective deadline is infinite',
    editIn('src/effect/LowLevel.ts')(`fiber.isCancelled() ? -Infinity :`, `fiber.isCancelled() ? Infinity :`)
  )
]

/** Who waits for what, and time. */
const waits: ReadonlyArray<Mutant> = [
  mutant(
    'timer-not-disarmed',
    'a sleep that was cancelled keeps its timer',
    primitives(
      `this.fiber.runOf.timers.remove(this)
    return true`,
      `return true`
    )
  ),
  mutant(
    'deadline-not-disarmed',
    'a scope that was left keeps its deadline',
    tree(
      `if (this.deadline !== null) this.host.timers.remove(this.deadline)
    if (this.extras`,
      `if (this.extras`
    )
  ),
  mutant(
    'deadline-late',
    'a deadline takes effect one ms late',
    tree(
      `const at = relative ? now + time : time
  if (at`,
      `const at = (relative ? now + time : time) + (time > 0 ? 1 : 0)
  if (at`
    )
  ),
  mutant(
    'sleep-long',
    'a sleep takes one ms more',
    primitives(
      `: sleepUntilTime(fiber, fiber.runOf.now() + ms)`,
      `: sleepUntilTime(fiber, fiber.runOf.now() + ms + 1)`
    )
  ),
  mutant(
    'sleep-until-long',
    'sleepUntil takes one ms more',
    primitives(
      `: sleepUntilTime(fiber, time)
}`,
      `: sleepUntilTime(fiber, time + 1)
}`
    )
  ),
  mutant(
    'sleep-of-nothing-is-nothing',
    'a sleep of no time does not yield, and does not look',
    primitives(
      `return ms <= 0
    ? checkpointPrimitive(fiber, undefined, undefined)`,
      `return ms <= 0
    ? undefined`
    )
  ),
  mutant(
    'sleep-for-ever-ends',
    'a sleep of infinite length ends',
    primitives(
      `if (time === Infinity) return fiber.park(neverEnds)
`,
      `if (time === Infinity) return undefined
`
    )
  ),
  mutant(
    'nan-sleeps',
    'NaN is a time',
    primitives(
      `checkDuration('The duration of a sleep', ms)
`,
      ``
    )
  ),
  mutant(
    'timers-backwards',
    'timers of the same time fire in the reverse order',
    deadlines(
      `this.orders = 0
`,
      `this.orders = 1e9
`
    ),
    deadlines(`return ++this.orders`, `return --this.orders`)
  ),
  mutant(
    'sleep-wins-tie',
    'a sleep wins a tie with a deadline around it',
    tree(
      `node.deadline = new ScopeTimer(node, at, host.timers.nextOrder(), deadlineHasCome)`,
      `node.deadline = new ScopeTimer(node, at, Infinity, deadlineHasCome)`
    )
  ),
  mutant(
    'waiter-leaks',
    'a wait in a queue that was cancelled keeps its place',
    lot(
      `override abandon(waiter: Waiter): boolean {
    const { waitItem } = waiter
    this.remove(waiter)`,
      `override abandon(waiter: Waiter): boolean {
    const { waitItem } = waiter`
    )
  ),
  mutant(
    'waiters-backwards',
    'who waits shortest is served first',
    lot(
      `if (this.head === null) throw new Error(\`millrace: nobody waits for \${this.label}\`)
    return this.head`,
      `if (this.head === null) throw new Error(\`millrace: nobody waits for \${this.label}\`)
    let last = this.head
    while (last.waitNext !== null) last = last.waitNext
    return last`
    )
  ),
  mutant(
    'clean-up-skipped',
    'the clean-up of an async wait does not run when it is cancelled',
    primitives(
      `this.cleanUp = null
    if (cleanUp !== null) cleanUp()
    return true`,
      `return true`
    )
  ),
  mutant(
    'clean-up-twice',
    'the clean-up of an async wait runs twice when it is cancelled',
    primitives(
      `this.cleanUp = null
    if (cleanUp !== null) cleanUp()
    return true`,
      `if (cleanUp !== null) cleanUp()
    if (cleanUp !== null) cleanUp()
    return true`
    )
  ),
  mutant(
    'stale-callback',
    'a callback that comes too late ends whatever its fiber waits for',
    primitives(
      `resume(mode: number, value: Untyped): void {
    if (this.settled) return
    this.settled = true`,
      `resume(mode: number, value: Untyped): void {
    if (this.settled && this.fiber.status !== Waiting) return
    this.settled = true`
    ),
    primitives(`else if (fiber.wait === this) fiber.wake`, `else if (fiber.status === Waiting) fiber.wake`)
  ),
  mutant(
    'callback-last-wins',
    'while it registers, the last call of an async wait counts',
    primitives(`else if (!settled) {`, `else {`)
  ),
  mutant(
    'look-after-send',
    'a send looks whether it is cancelled after its item was taken',
    stream(
      `LowLevel.operation(sendItem, this, item)`,
      `Effect.tap(() => Effect.checkCancelled)(LowLevel.operation(sendItem, this, item))`
    )
  ),
  mutant(
    'look-after-receive',
    'a receive looks whether it is cancelled after it has got its item',
    stream(
      `this.receive = LowLevel.operation<ClosedResource | EndOfStream, A, ReceiveEnd<A>>(receiveItem, this)`,
      `this.receive = Effect.tap(() => Effect.checkCancelled)(
      LowLevel.operation<ClosedResource | EndOfStream, A, ReceiveEnd<A>>(receiveItem, this)
    )`
    )
  ),
  mutant(
    'receive-does-not-look',
    'a receive in a cancelled scope takes an item',
    stream(
      `if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  const { channel } = end
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (channel.ready)`,
      `const { channel } = end
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (channel.ready)`
    )
  ),
  mutant(
    'end-drops-buffer',
    'when the last sender is closed, what is buffered is lost',
    stream(
      `if (--this.openSend > 0) return
`,
      `if (--this.openSend > 0) return
    this.buffer = new Deque()
`
    )
  ),
  mutant(
    'end-wakes-nobody',
    'when the last sender is closed, receivers go on waiting',
    stream(
      `while (receivers.size() > 0) receivers.failUnsafe(endOfStream)`,
      `while (receivers.size() > 1e9) receivers.failUnsafe(endOfStream)`
    )
  ),
  mutant(
    'capacity-off-by-one',
    'one item more than the capacity is buffered',
    stream(
      `else if (buffer.length < this.capacity) buffer.push(item)`,
      `else if (buffer.length <= this.capacity) buffer.push(item)`
    )
  ),
  mutant(
    'clones-not-counted',
    'a clone of a sender is not counted',
    stream(`channel.openSend++`, `channel.openSend = 1`)
  ),
  mutant(
    'close-counts-twice',
    'closing a sender twice counts twice',
    stream(
      `readonly closeUnsafe = (): void => {
    if (this.isClosed) return
    this.isClosed = true
    closedInTime(this)
    this.channel.closeSend(this)`,
      `readonly closeUnsafe = (): void => {
    this.isClosed = true
    closedInTime(this)
    this.channel.closeSend(this)`
    )
  ),
  mutant(
    'buffer-before-waiting',
    'a receive that makes room lets the sender that waits go on without its item',
    stream(
      `if (this.senders.size() > 0) buffer.push(this.accept())`,
      `if (this.senders.size() > 0) this.accept()`
    )
  ),
  mutant(
    'statistics-swapped',
    'the statistics count senders that wait as receivers',
    stream(`tasksWaitingReceive: channel.receivers.size(),`, `tasksWaitingReceive: channel.senders.size(),`)
  ),
  mutant(
    'lock-shared',
    'a lock lets in who comes while it is owned',
    lock(
      `if (lock.owner === self) return reentered(self)
  return ParkingLot.parkSelf(self, lock.lot, self)`,
      `if (lock.owner === self) return reentered(self)
  lock.owner = self
  return self`
    )
  ),
  mutant(
    'lock-lost',
    'a lock that is released while somebody waits belongs to nobody',
    lock(
      `this.owner = lot.firstUnsafe()
      lot.succeedUnsafe(this.owner)`,
      `lot.succeedUnsafe(lot.firstUnsafe())
      this.owner = null`
    )
  )
]

/** Groups, tasks and compositions. */
const groups: ReadonlyArray<Mutant> = [
  mutant(
    'group-does-not-wait',
    'a group ends with its body',
    nursery(
      `return this.running === 0
  }

  private outcome`,
      `return true
  }

  private outcome`
    )
  ),
  mutant(
    'child-failure-lost',
    'what a task fails with cancels the group and is dropped',
    nursery(
      `const rest = this.exits.add(counted)
    if (rest !== null) this.fail`,
      `const rest = withoutCancelled(counted)
    if (rest !== null) this.fail`
    )
  ),
  mutant(
    'siblings-not-cancelled',
    'a task that fails cancels nobody',
    nursery(
      `if (this.outer.cancelled) return
    this.outer.cancel({`,
      `if (this.outer.cancelled || task !== this.host.name) return
    this.outer.cancel({`
    )
  ),
  mutant(
    'body-not-cancelled',
    'a task that fails cancels the tasks and not the body',
    nursery(
      `if (this.outer.cancelled) return
    this.outer.cancel({`,
      `if (this.outer.cancelled) return
    this.scope.cancel({`
    )
  ),
  mutant(
    'tasks-not-cancelled',
    'a body that fails does not cancel the tasks',
    nursery(
      `this.exits.add(rest)
        this.fail(this.host.name, rest)`,
      `this.exits.add(rest)`
    )
  ),
  mutant(
    'cancelled-task-fails-group',
    'a task that was cancelled on its own fails its group',
    nursery(
      `const own = (child.flags & SelfCancelled) !== 0 || this.cancelledHere()`,
      `const own = (child.flags & SelfCancelled) < 0`
    ),
    nursery(
      `if (this.cancelledHere()) exits.cancelled = null
`,
      ``
    )
  ),
  mutant(
    'cut-short-with-a-value',
    'a group whose task was cancelled from outside ends with the value of its body',
    nursery(`const cause = exits.cause(false)`, `const cause = exits.cause(this.bodyReturned)`)
  ),
  mutant(
    'child-in-scope-of-spawner',
    'a task is in the scope in which spawn was called',
    editIn('src/effect/LowLevel.ts')(
      `const scope = (flags & Held) === 0 ? nursery.scope :`,
      `const scope = (flags & Held) === 0 ? fiber.scope :`
    )
  ),
  mutant(
    'task-scope-misses-arms',
    'cancelling a task does not reach the arms that it waits for',
    ownScope(
      `fiber.own = insert(home, armsIn(home, fiber), fiber.name)`,
      `fiber.own = insert(home, null, fiber.name)`
    )
  ),
  mutant(
    'unjoined-lost',
    'the failure of an owned task at which nobody looked is dropped',
    nursery(`if ((child.flags & Looked) === 0) {`, `if ((child.flags & Looked) < 0) {`)
  ),
  mutant(
    'looked-is-unjoined',
    'the failure of an owned task fails the group, looked at or not',
    nursery(`if ((child.flags & Looked) === 0) {`, `if ((child.flags & Looked) >= 0) {`)
  ),
  mutant(
    'owned-fails-group',
    'the failure of an owned task fails the group at once',
    nursery(`if ((child.flags & Owned) !== 0) {`, `if ((child.flags & Owned) < 0) {`)
  ),
  mutant(
    'join-raises-cancelled',
    'a join of a cancelled task is cancelled itself',
    primitives(
      `const rest = withoutCancelled(cause)
  if (rest !== null) return { mode: Fault, value: rest }`,
      `const rest = cause
  if (rest !== null) return { mode: Fault, value: rest }`
    )
  ),
  mutant(
    'join-is-no-checkpoint-when-done',
    'joining a task that has ended is no checkpoint',
    primitives(
      `if (fiber.isCancelled()) return fiber.raiseCancelled()
  if (child.status !== Done || child.mode !== Return)`,
      `if (child.status !== Done && fiber.isCancelled()) return fiber.raiseCancelled()
  if (child.status !== Done || child.mode !== Return)`
    )
  ),
  mutant(
    'first-joiner-only',
    'only the first who joins a task hears of its end',
    fiber(
      `for (let joiner = this.joiners.head; joiner !== null; joiner = this.joiners.head) {`,
      `for (let joiner = this.joiners.head; joiner !== null; joiner = null) {`
    )
  ),
  mutant(
    'race-does-not-wait',
    'a race ends with its first arm, and does not wait for the clean-up of the other',
    parallel(
      `else if (this.running === 0) {
      this.end()`,
      `else if (this.running === 0 || this.label === 'race') {
      this.waiting = false
      this.end()`
    )
  ),
  mutant(
    'race-does-not-cancel',
    'the loser of a race is not cancelled',
    parallel(
      `if (this.running === 0) return
    const task = child.name`,
      `if (this.running === 0 || this.label === 'race') return
    const task = child.name`
    )
  ),
  mutant(
    'loser-failure-lost',
    'what the loser of a race fails with is dropped',
    parallel(
      `if (left === null) {
    host.signal(winner.mode, winner.value)`,
      `if (left !== undefined) {
    host.signal(winner.mode, winner.value)`
    )
  ),
  mutant(
    'second-arm-wins',
    'the last arm of a race wins',
    parallel(
      `if (this.winner === null) {
      this.winner = child
      return true
    }
    if (child.mode !== Return)`,
      `const first = this.winner === null
    this.winner = child
    if (first) return true
    if (child.mode !== Return)`
    )
  ),
  mutant(
    'arms-all-start',
    'arms start also after the first has decided',
    parallel(`if (this.stopped || this.exhausted ||`, `if (this.exhausted ||`)
  ),
  mutant(
    'both-does-not-cancel',
    'an arm of both that fails does not cancel the other',
    parallel(
      `this.exits.add(child.failure() as Cause<unknown>)
    return true
  }

  protected outcome(): void {
    const cause = this.cause(this.absorbs())
    if (cause === null) this.host.signal(Return, this.values)
    else this.host.signal(Fault, cause)
  }
}

/** The first arm`,
      `this.exits.add(child.failure() as Cause<unknown>)
    return false
  }

  protected outcome(): void {
    const cause = this.cause(this.absorbs())
    if (cause === null) this.host.signal(Return, this.values)
    else this.host.signal(Fault, cause)
  }
}

/** The first arm`
    )
  ),
  mutant(
    'values-in-order-of-ends',
    'the values of arms are in the order in which they ended',
    parallel(
      `if (child.mode === Return) {
      this.values[child.label as number] = child.value
      return false
    }
    this.exits.add(child.failure() as Cause<unknown>)`,
      `if (child.mode === Return) {
      this.values.push(child.value)
      return false
    }
    this.exits.add(child.failure() as Cause<unknown>)`
    )
  ),
  mutant(
    'limit-off-by-one',
    'one arm more than the limit runs',
    parallel(`this.running >= this.limit) return null`, `this.running > this.limit) return null`)
  ),
  mutant(
    'later-failure-first',
    'what comes in after a cancellation stands before it',
    owner(`joinThen(cancelled, later)`, `joinThen(later, cancelled)`)
  ),
  mutant(
    'two-cancellations',
    'a group that was cut short keeps no cancellation',
    owner(`if (cancelled === null || absorbed)`, `if (cancelled === null || absorbed || failures.length > 0)`)
  )
]

const causes = editIn('src/effect/internal/causes.ts')
const cause = editIn('src/effect/Cause.ts')
const effect = editIn('src/effect/Effect.ts')
const resource = editIn('src/scope/Resource.ts')
const scope = editIn('src/scope/Scope.ts')

/** Causes as data, and their handlers. */
const ofCauses: ReadonlyArray<Mutant> = [
  mutant(
    'leaves-counted-twice',
    'a leaf that is joined again counts again',
    causes(`const fresh = shared ? filterLeaves`, `const fresh = shared && left === whole ? filterLeaves`),
    causes(
      `if (left === whole) return left
`,
      ``
    )
  ),
  mutant(
    'then-is-both',
    'what comes one after another is joined side by side',
    causes(`=> join('Then', left, right)`, `=> join('Both', left, right)`)
  ),
  mutant(
    'both-is-then',
    'what comes side by side is joined one after another',
    causes(`=> join('Both', left, right)`, `=> join('Then', left, right)`)
  ),
  mutant(
    'join-keeps-the-right',
    'a join of causes turns them round',
    causes(
      `const joined: Cause<E | E2> = { _tag: tag, left, right: fresh }`,
      `const joined: Cause<E | E2> = { _tag: tag, left: fresh, right: left }`
    )
  ),
  mutant(
    'equal-in-order',
    'equality of causes sees the order of what came side by side',
    cause(
      `current.candidate = left._tag === 'Both' ? candidate + 1 : right.members.length`,
      `current.candidate = right.members.length`
    )
  ),
  mutant(
    'equal-in-no-order',
    'equality of causes does not see the order of what came one after another',
    cause(
      `current.candidate = left._tag === 'Both' ? candidate + 1 : right.members.length`,
      `current.candidate = candidate + 1`
    )
  ),
  mutant(
    'equal-sees-arrangement',
    'equality of causes sees how joins are nested',
    causes(
      `if (part._tag !== into._tag) {`,
      `if (part._tag !== into._tag || (part !== cause && into !== root)) {`
    )
  ),
  mutant(
    'equal-defects',
    'all defects are equal',
    cause(
      `if (x._tag === 'Die') return y._tag === 'Die' && equalDefects(x.defect, y.defect)`,
      `if (x._tag === 'Die') return y._tag === 'Die'`
    )
  ),
  mutant(
    'equal-fail-and-die',
    'a failure equals any leaf',
    cause(
      `if (x._tag === 'Fail') return y._tag === 'Fail' && E.equals(x.error, y.error)`,
      `if (x._tag === 'Fail') return y._tag !== 'Fail' || E.equals(x.error, y.error)`
    )
  ),
  mutant(
    'equal-never',
    'no two causes are equal that are not the same object',
    cause(
      `return { equals: (x, y) => x === y || equalParts(`,
      `return { equals: (x, y) => x === y || (x === y && equalParts)(`
    )
  ),
  mutant(
    'map-maps-defects',
    'map of a cause maps its defects too',
    cause(
      `(leaf._tag === 'Fail' ? fail(f(leaf.error)) : leaf))`,
      `(leaf._tag === 'Fail' ? fail(f(leaf.error)) : leaf._tag === 'Die' ? fail(f(leaf.defect as never)) : leaf))`
    )
  ),
  mutant(
    'map-drops-the-right',
    'changing the leaves of a cause loses the right side of a Both',
    causes(
      `left === node.left && right === node.right ? (node as Cause<E>) : { _tag: node._tag, left, right }`,
      `node._tag === 'Both' ? left : { _tag: node._tag, left, right }`
    )
  ),
  mutant(
    'map-of-cause-twice',
    'map of a cause applies its function twice',
    cause(`fail(f(leaf.error)) : leaf)`, `fail(f(f(leaf.error) as never)) : leaf)`)
  ),
  mutant(
    'without-cancelled-only',
    'leaving out cancellations of nothing else leaves one',
    causes(
      `cause._tag === 'Cancelled' ? null : filterLeaves(cause, notCancelled)`,
      `(cause._tag === 'Cancelled' ? null : filterLeaves(cause, notCancelled)) ?? cause`
    )
  ),
  mutant(
    'without-cancelled-shallow',
    'leaving out cancellations does not look into Both',
    causes(
      `(node, left, right) => (left === null ? right : right === null ? left : rebuilt(node, left, right))`,
      `(node, left, right) => (node._tag === 'Both' ? node : left === null ? right : right === null ? left : rebuilt(node, left, right))`
    )
  ),
  mutant(
    'fold-turned-round',
    'a fold of a cause takes the right side first',
    causes(`results.push(onNode(current, left, right))`, `results.push(onNode(current, right, left))`)
  ),
  mutant(
    'fold-recursive',
    'walks over causes need stack',
    causes(
      `if (isLeaf(cause)) return onLeaf(cause)
`,
      `if (isLeaf(cause)) return onLeaf(cause)
  if (onLeaf !== undefined) return onNode(cause, fold(cause.left, onLeaf, onNode), fold(cause.right, onLeaf, onNode))
`
    )
  ),
  mutant(
    'failures-reversed',
    'the failures of a cause come from right to left',
    cause(
      `if (leaf._tag === 'Fail') found.push(leaf.error)`,
      `if (leaf._tag === 'Fail') found.unshift(leaf.error)`
    )
  ),
  mutant(
    'pretty-loses-the-last',
    'the printed cause has no line for the last of what came side by side',
    editIn('src/effect/internal/causeText.ts')(
      `pending.push({ part: side, head: `,
      `if (i > 0) pending.push({ part: side, head: `
    )
  ),
  mutant(
    'to-error-anew',
    'an error of a cause is made anew each time',
    cause(`asErrors.get(cause) ?? new CauseError(cause)`, `new CauseError(cause)`)
  ),
  mutant(
    'to-error-loses-cause',
    'an error of a cause does not keep it',
    cause(`{ source: { value: source }, `, `{ source: { value: null }, `)
  ),
  mutant(
    'handler-takes-all',
    'a handler takes everything out of a cause that has a failure',
    failures(`if (split.rest === null) return`, `if (split.rest === null || handles === every) return`)
  ),
  mutant(
    'handler-gets-the-last',
    'a handler is given the last failure',
    causes(
      `first ??= leaf
`,
      `first = leaf
`
    )
  ),
  mutant(
    'tag-ignored',
    'catchTag takes any failure',
    failures(`error !== null && error !== undefined && error._tag === tag`, `error !== tag`)
  ),
  mutant(
    'map-error-maps-first',
    'mapError leaves the failures of a joined cause alone',
    failures(
      `mapFails(value, (error) => ({ _tag: 'Fail', error: f(error) }))`,
      `mapFails(value, (error) => ({ _tag: 'Fail', error }))`
    )
  ),
  mutant(
    'map-error-maps-defects',
    'mapError maps a defect',
    failures(
      `if (mode === Fail) return fiber.signal(Fail, f(value))`,
      `if (mode === Fail || mode === Die) return fiber.signal(mode, f(value))`
    )
  ),
  mutant(
    'or-die-does-nothing',
    'orDie leaves a failure a failure',
    failures(
      `if (mode === Fail) return fiber.signal(Die, value)`,
      `if (mode === Fail) return fiber.signal(Fail, value)`
    )
  ),
  mutant(
    'or-die-of-joins',
    'orDie leaves the failures of a joined cause',
    failures(`mapFails(value, (defect) => ({ _tag: 'Die', defect }))`, `value`)
  ),
  mutant(
    'tap-error-loses',
    'after tapError the failure is what its handler gave',
    failures(
      `return fiber.signal(Evaluate, framed(attempt(f, split.first), saved, again))`,
      `return fiber.signal(Evaluate, saved.mode === 0 ? framed(unset, saved, again) : attempt(f, split.first))`
    )
  ),
  mutant(
    'match-of-joins',
    'match does not see the failures of a joined cause',
    failures(
      `(fiber, { onFailure }: Matching, mode, value) => handle(fiber, onFailure, mode, value, every)`,
      `(fiber, { onFailure }: Matching, mode, value) =>
    mode === Fault ? fiber.signal(mode, value) : handle(fiber, onFailure, mode, value, every)`
    )
  ),
  mutant(
    'exit-lets-through',
    'exit does not see a cancellation',
    failures(
      `(fiber, _data, mode, value) => exitOf(fiber, mode, value)`,
      `(fiber, _data, mode, value) => (mode === 5 ? fiber.signal(mode, value) : exitOf(fiber, mode, value))`
    )
  ),
  mutant(
    'handler-rest-after',
    'what a handler leaves, or only looks at, stands behind what the handler fails with',
    failures(
      `fiber.signal(Fault, joinThen(fiber.causeOf(saved.mode, saved.value), fiber.causeOf(mode, value)))`,
      `fiber.signal(Fault, joinThen(fiber.causeOf(mode, value), fiber.causeOf(saved.mode, saved.value)))`
    )
  )
]

/** The type classes, and the environment. */
const classes: ReadonlyArray<Mutant> = [
  mutant(
    'map-twice',
    'map applies its function twice',
    fiber(
      `case 5: // Map
              value = (0, frame.b)(value)`,
      `case 5: // Map
              value = (0, frame.b)((0, frame.b)(value))`
    )
  ),
  mutant(
    'succeed-yields-nothing',
    'flatMap of a value goes on with nothing',
    fiber(`current = (0, current.b)(inner.a)`, `current = (0, current.b)(undefined)`)
  ),
  mutant(
    'ap-argument-first',
    'ap runs its argument before its function',
    effect(
      `new Instruction(4 /* FlatMap */, fab, (f: (a: A) => B) => new Op(op.Map, fa, f, undefined), undefined)`,
      `new Instruction(4, fa, (a: A) => new Op(op.Map, fab, (f: (a: A) => B) => f(a), undefined), undefined)`
    )
  ),
  mutant(
    'chain-runs-twice',
    'chain runs its first part again when that has failed',
    effect(
      `const chain_: Chain3<URI>['chain'] = (fa, f) => flatMap(f)(fa)`,
      `const chain_: Chain3<URI>['chain'] = (fa, f) => orElse(() => flatMap(f)(fa))(flatMap(f)(fa)) as never`
    )
  ),
  mutant(
    'and-then-first',
    'andThen gives the value of its first part',
    effect(
      `new Instruction(4 /* FlatMap */, fx, () => that, undefined)`,
      `new Instruction(6 /* Tap */, fx, () => that, undefined)`
    )
  ),
  mutant(
    'tap-gives-second',
    'tap gives the value of its second part',
    effect(`new Instruction(6 /* Tap */, fx, f, undefined)`, `new Instruction(4, fx, f, undefined)`)
  ),
  mutant(
    'bind-forgets',
    'bind forgets the names before it',
    effect(
      `new Op(op.Map, f(a), (b: unknown) => ({ ...a, [name]: b }), undefined)`,
      `new Op(op.Map, f(a), (b: unknown) => ({ [name]: b }), undefined)`
    )
  ),
  mutant(
    'traverse-reversed',
    'the values of sequenceArray come in reverse',
    effect(
      `> = /*#__PURE__*/ traverseArray(identity)`,
      `> = (fxs) => map((as: ReadonlyArray<never>) => as.toReversed())(traverseArray(identity)(fxs)) as never`
    )
  ),
  mutant(
    'generator-restarts',
    'a generator is made once, not for each run',
    fiber(
      `const iterator = current.b === undefined ? (0, current.a)() :`,
      `const iterator = current.b === undefined ? ((current.a as { made?: Untyped }).made ??= (0, current.a)()) :`
    )
  ),
  mutant(
    'generator-catches',
    'a generator goes on after a failure that it yields',
    generator(
      `  fiber.mask++
  return unwind`,
      `  if (mode === 3) return fiber.signal(0, new Op(15, iterator.next, iterator, anonymous))
  fiber.mask++
  return unwind`
    )
  ),
  mutant(
    'stack-recursion',
    'a map needs stack for what it maps',
    fiber(
      `              do {
                stack[sp++] = current
`,
      `              do {
                if (sp > 5000) throw new RangeError('Maximum call stack size exceeded')
                stack[sp++] = current
`
    )
  ),
  mutant(
    'raise-goes-on',
    'chain goes on after a failure',
    fiber(
      `            frame = stack[--sp] as Op
          } while (frame.op <= 7)
          switch (frame.op) {
`,
      `            frame = stack[--sp] as Op
          } while (frame.op <= 7 && !(frame.op === 4 && mode === 3 && (value === undefined || sp % 2 !== 0)))
          switch (frame.op) {
            case 4:
              mode = 1
              sp++
              break
`
    )
  ),
  mutant(
    'from-either-swapped',
    'fromEither takes a Left for a value',
    effect(
      `succeed(fa.right) : new Instruction(3 /* Raise */, op.Fail, fa.left, undefined)`,
      `succeed(fa.right) : succeed(fa.left as never)`
    )
  ),
  mutant(
    'from-option-swapped',
    'fromOption gives a None as a value',
    effect(
      `succeed(fa.value) : suspend(() => fail(onNone()))`,
      `succeed(fa.value) : suspend(() => succeed(onNone() as never))`
    )
  ),
  mutant(
    'filter-inverted',
    'filterOrElse fails for what it should keep',
    effect(
      `Effect<unknown, E2, A> => (predicate(a) ? succeed(a) : fail(onFalse(a)))`,
      `Effect<unknown, E2, A> => (predicate(a) ? fail(onFalse(a)) : succeed(a))`
    )
  ),
  mutant(
    'try-catch-lets-through',
    'what a tryCatch throws is a defect',
    effect(
      `return new Instruction<unknown, E, never>(3 /* Raise */, op.Fail, onThrow(thrown), undefined)`,
      `return new Instruction<unknown, E, never>(3 /* Raise */, op.Die, onThrow(thrown), undefined)`
    )
  ),
  mutant(
    'alt-eager',
    'alt evaluates its second part also when it is not needed',
    effect(
      `alt: (fa, that) => orElse(() => that())(fa) }`,
      `alt: (fa, that) => ((second) => orElse(() => second)(fa))(that()) }`
    )
  ),
  mutant(
    'alt-second-first',
    'alt tries its second part first',
    effect(
      `alt: (fa, that) => orElse(() => that())(fa) }`,
      `alt: (fa, that) => suspend(() => orElse(() => fa)(that())) }`
    )
  ),
  mutant(
    'either-sees-defects',
    'either swallows a defect',
    effect(
      `match(
    (left: E): Either<E, A> => ({ _tag: 'Left', left }),
    (right: A): Either<E, A> => ({ _tag: 'Right', right })
  )(fx)`,
      `catchCause((left: unknown): Effect<unknown, never, Either<E, A>> => succeed({ _tag: 'Left', left: left as E }))(
    map((right: A): Either<E, A> => ({ _tag: 'Right', right }))(fx)
  )`
    )
  ),
  mutant(
    'match-effect-handles-handler',
    'matchEffect handles what its other branch fails with',
    effect(
      `new Instruction(11 /* Framed */, fx, { onFailure, onSuccess }, failures.match)`,
      `new Instruction(10, new Op(op.FlatMap, fx, onSuccess, undefined), onFailure, failures.orElse)`
    )
  ),
  mutant(
    'bimap-one-side',
    'bimap leaves the failure alone',
    effect(`mapError(f)(map(g)(fx))`, `((_unused: typeof f) => map(g)(fx) as never)(f)`)
  ),
  mutant(
    'bimap-maps-what-map-throws',
    'bimap swallows values',
    effect(
      `mapError(f)(map(g)(fx))`,
      `mapError(f)(map((a: A) => (a === undefined ? g(a) : (a as never)))(fx))`
    )
  ),
  mutant(
    'local-leaks',
    'a changed environment stays when its effect has ended with a value',
    environments(
      `const restored = (fiber: Fiber, before: Untyped, value: Untyped): Untyped => {
  fiber.environment = before
`,
      `const restored = (fiber: Fiber, before: Untyped, value: Untyped): Untyped => {
  if (fiber.id < 0) fiber.environment = before
`
    )
  ),
  mutant(
    'local-ignored',
    'local changes nothing',
    environments(
      `    fiber.environment = f(before)
`,
      `    f(before)
`
    )
  ),
  mutant(
    'local-twice',
    'local changes the environment twice',
    environments(`fiber.environment = f(before)`, `fiber.environment = f(f(before))`)
  ),
  mutant(
    'local-not-inherited',
    'a fiber begins with an empty environment',
    fiber(
      `new Fiber(this.runOf, scope, owner, effect, this.environment,`,
      `new Fiber(this.runOf, scope, owner, effect, emptyEnvironment,`
    )
  ),
  mutant(
    'local-lost-in-scopes',
    'a scope begins with an empty environment',
    scoped(
      `  enterScope(fiber, node)
`,
      `  enterScope(fiber, node)
  fiber.environment = {}
`
    )
  ),
  mutant(
    'local-lost-in-finalizers',
    'a finalizer runs with an empty environment',
    finalizers(
      `const finalize = (fiber: Fiber, finalizer: Op, mode: number, value: Untyped): typeof Signal => {
`,
      `const finalize = (fiber: Fiber, finalizer: Op, mode: number, value: Untyped): typeof Signal => {
  fiber.environment = {}
`
    )
  ),
  mutant(
    'asks-twice',
    'asks applies its function to what its function gave',
    primitives(
      `  f(fiber.environment)
`,
      `  f(f(fiber.environment))
`
    )
  ),
  mutant(
    'sync-at-build',
    'what fromIO is given runs when the effect is built',
    effect(
      `<A>(fa: IO<A>) => Effect<unknown, never, A> = sync`,
      `<A>(fa: IO<A>) => Effect<unknown, never, A> = (fa) => succeed(fa())`
    )
  ),
  mutant(
    'sync-remembered',
    'what fromIO is given runs once',
    effect(
      `<A>(fa: IO<A>) => Effect<unknown, never, A> = sync`,
      `<A>(fa: IO<A>) => Effect<unknown, never, A> = (fa) => {
  let known: { readonly a: ReturnType<typeof fa> } | undefined
  return sync(() => (known ??= { a: fa() }).a)
}`
    )
  ),
  mutant(
    'throw-is-failure',
    'what a function throws is a failure',
    fiber(
      `} catch (thrown) {
      mode = 4`,
      `} catch (thrown) {
      mode = 3`
    )
  ),
  mutant(
    'semigroup-turned-round',
    'getSemigroup concatenates the other way round',
    effect(`map((b: A) => S.concat(a, b))(y))(x)`, `map((b: A) => S.concat(b, a))(y))(x)`)
  ),
  mutant(
    'semigroup-first-only',
    'getSemigroup runs its first part alone',
    effect(`map((b: A) => S.concat(a, b))(y))(x)`, `map((b: A) => S.concat(b, b))(y))(x)`)
  ),
  mutant(
    'par-is-sequence',
    'the parallel applicative is that of the monad',
    effect(
      `return new Instruction(5 /* Map */, both, applyFirst, undefined)
}`,
      `return both === null ? new Instruction(5, both, applyFirst, undefined) : ap_(fab, fa)
}`
    )
  ),
  mutant(
    'par-drops-failures',
    'of several arms that fail only the first failure is kept',
    owner(
      `if (cancelled === null || absorbed) return joinAllBoth(failures)`,
      `if (cancelled === null || absorbed) return failures[0] ?? null`
    )
  )
]

/** Resources, scopes as descriptions, and what is written on groups. */
const libraries: ReadonlyArray<Mutant> = [
  mutant(
    'acquire-not-registered',
    'between acquire and the registration of the release a fiber looks whether it is cancelled',
    fiber(
      `stack[sp++] = frameOf(16, undefined, value, frame.c)
`,
      `if (fiber.isCancelled()) {
                mode = 5
                break
              }
              stack[sp++] = frameOf(16, undefined, value, frame.c)
`
    )
  ),
  mutant(
    'use-is-checkpoint',
    'between acquire and use a fiber looks whether it is cancelled',
    fiber(
      `stack[sp++] = frameOf(16, undefined, value, frame.c)
              current = (0, frame.b)(value)
              mode = 0
`,
      `stack[sp++] = frameOf(16, undefined, value, frame.c)
              current = (0, frame.b)(value)
              mode = fiber.isCancelled() ? 5 : 0
`
    )
  ),
  mutant(
    'release-skips-cancelled',
    'nothing is released after a cancellation',
    finalizers(
      `  const exit = exitOf(fiber, mode, value)
  const finalizer`,
      `  if (mode === 5) return fiber.signal(mode, value)
  const exit = exitOf(fiber, mode, value)
  const finalizer`
    )
  ),
  mutant(
    'release-not-shielded',
    'a release after a failure is cancelled with what is around it',
    finalizers(
      `  return finalize(fiber, finalizer, Fault, exit.left)
}`,
      `  const answer = finalize(fiber, finalizer, Fault, exit.left)
  fiber.mask--
  return answer
}`
    ),
    ...withoutMask
  ),
  mutant(
    'release-after-value-not-shielded',
    'a release after a value is cancelled with what is around it',
    fiber(
      `              value = frame.c.returned(fiber, current, value)
              mode = 7
`,
      `              stack[sp++] = frameOf(7, value, undefined, undefined)
              mode = 0
`
    )
  ),
  mutant(
    'release-sees-a-value',
    'a release sees a value whatever use ended with',
    finalizers(
      `(c as Releasing).release(resource, each), exit)`,
      `(c as Releasing).release(resource, { _tag: 'Right', right: each }), exit)`
    )
  ),
  mutant(
    'acquire-failed-releases',
    'what could not be acquired is released, and the failure is lost',
    fiber(
      `            // Bracket passes it on: there is nothing to release.
`,
      `            case 14:
              current = (0, frame.c.release)(undefined, { _tag: 'Left', left: fiber.causeOf(mode, value) })
              mode = 0
              break
`
    )
  ),
  mutant(
    'resource-map-acquires-twice',
    'map of a resource acquires once more',
    resource(
      `typed((use) => untyped(resource).run((a: A) => use(f(a) as never)))`,
      `typed((use) => untyped(resource).run((_first: A) => untyped(resource).run((a: A) => use(f(a) as never))))`
    )
  ),
  mutant(
    'resource-flat-map-releases-early',
    'flatMap of resources releases the first before the second is used',
    resource(
      `typed((use) => untyped(resource).run((a: A) => untyped(f(a)).run(use)))`,
      `typed((use) => Effect.flatMap((a: A) => untyped(f(a)).run(use))(untyped(resource).run((a: A) => Effect.succeed(a)) as never))`
    )
  ),
  mutant(
    'resource-of-effect-shields',
    'an effect as a resource runs behind a shield',
    resource(
      `fromUse((use) => Effect.flatMap(use)(fx))`,
      `fromUse((use) => Effect.flatMap(use)(LowLevel.shieldScope(fx)))`
    )
  ),
  mutant(
    'resource-ap-argument-first',
    'ap of resources acquires its argument first',
    resource(
      `flatMap((f: (a: A) => B) => map(f)(fa))(fab)`,
      `flatMap((a: A) => map((f: (a: A) => B) => f(a))(fab))(fa)`
    )
  ),
  mutant(
    'resource-par-in-turn',
    'resources side by side are acquired one after the other',
    resource(
      `sideBySide(
        [untyped(resource).run, untyped(that).run],
        use as (values: ReadonlyArray<unknown>) => Effect.Any
      )`,
      `sideBySide === null ? Effect.unit : untyped(resource).run(((a: never) =>
        untyped(that).run(((b: never) => use([a, b] as never)) as never)) as never)`
    )
  ),
  mutant(
    'resource-make-loses-exit',
    'make gives its release no exit',
    resource(
      `Effect.bracket(acquire, use, release))`,
      `Effect.bracket(acquire, use, (a) => release(a, Exit.succeed(undefined))))`
    )
  ),
  mutant(
    'scope-concat-ignores-shield',
    'a shield inside does not hide the deadline outside',
    scope(
      `if (inner.shield) return inner
`,
      `if (inner.shield) return { ...deadlineIn(Math.min(milliseconds(outer), milliseconds(inner))), shield: true }
`
    )
  ),
  mutant(
    'scope-concat-forgets-shield',
    'a shield outside is lost',
    scope(
      `return { ...deadlineIn(least), shield: outer.shield }`,
      `return { ...deadlineIn(least), shield: false }`
    )
  ),
  mutant(
    'scope-concat-longest',
    'of two deadlines the later counts',
    scope(
      `Math.min(milliseconds(outer), milliseconds(inner))`,
      `Math.max(milliseconds(outer), milliseconds(inner))`
    )
  ),
  mutant(
    'scope-concat-adds',
    'deadlines are added',
    scope(`Math.min(milliseconds(outer), milliseconds(inner))`, `milliseconds(outer) + milliseconds(inner)`)
  ),
  mutant(
    'scope-within-none',
    'within opens a scope for the empty description that has a deadline',
    scope(
      `return scope.shield ? LowLevel.shieldScope(fx) : fx`,
      `return scope.shield ? LowLevel.shieldScope(fx) : LowLevel.withinScopeOrFail({ name: 'Scope.within', after: 4, shield: false }, timedOut)(fx)`
    )
  ),
  mutant(
    'within-timeout-lost',
    'the failure of a timeout is dropped when a clean-up has failed as well',
    scoped(`rest === null ? timeout : joinThen(timeout, rest)`, `rest === null ? timeout : rest`)
  ),
  mutant(
    'timeout-after-rest',
    'the failure of a timeout stands behind what the clean-up failed with',
    scoped(`joinThen(timeout, rest)`, `joinThen(rest, timeout)`)
  ),
  mutant(
    'value-of-cancelled-lost',
    'a scope that is cancelled loses the value of its body',
    scoped(
      `    leaveScope(fiber, node)
    return { _tag: 'Some', value }`,
      `    leaveScope(fiber, node)
    return node.cancelled ? { _tag: 'None' } : { _tag: 'Some', value }`
    )
  ),
  mutant(
    'service-keeps-group',
    'a group waits for its services',
    nursery(
      `if (this.running > 0 && this.running === this.services) {`,
      `if (this.running < 0 && this.running === this.services) {`
    )
  ),
  mutant(
    'cancel-all-forgets',
    'cancelAll cancels only the tasks that are there',
    fiber(
      `const child = this.child(owner, scope, effect, label, flags)
`,
      `if (scope.effective && scope.why?.reason._tag === 'Explicit') scope.effective = false
    const child = this.child(owner, scope, effect, label, flags)
`
    )
  )
]

const semaphore = editIn('src/scope/sync/Semaphore.ts')
const limiter = editIn('src/scope/sync/CapacityLimiter.ts')
const event = editIn('src/scope/sync/Event.ts')
const future = editIn('src/scope/sync/Future.ts')
const condition = editIn('src/scope/sync/Condition.ts')
const attributes = editIn('src/attributes/Attributes.ts')

/** What tasks wait by, and what a stream knows of itself. */
const sync: ReadonlyArray<Mutant> = [
  mutant(
    'lock-does-not-look',
    'a lock that is free is taken in a cancelled scope',
    lock(
      `if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  if (lock.owner === null)`,
      `if (lock.owner === null)`
    )
  ),
  mutant(
    'lock-reentrant',
    'who owns a lock gets it again',
    lock(
      `if (lock.owner === self) return reentered(self)
  return ParkingLot`,
      `if (lock.owner === self) return self
  return ParkingLot`
    )
  ),
  mutant(
    'lock-released-by-anybody',
    'who does not own a lock can release it',
    lock(
      `if (lock.owner !== self) return LowLevel.misuseSelf(self, notOwned)
`,
      ``
    )
  ),
  mutant(
    'lock-now-overtakes',
    'acquireNow takes a lock that is owned',
    lock(
      `if (lock.owner !== null) return LowLevel.failSelf(self, wouldBlock)
`,
      ``
    )
  ),
  mutant(
    'lock-kept',
    'withLock does not release after a failure',
    lock(
      `Effect.bracket(this.enter, () => fx, this.leave)`,
      `Effect.flatMap((owner: LowLevel.Self) => Effect.tap(() => this.leave(owner))(fx))(this.enter)`
    )
  ),
  mutant(
    'lock-look-after',
    'who was handed a lock looks whether it is cancelled, and forgets the lock',
    lock(
      `Effect.bracket(this.enter, () => fx, this.leave)`,
      `Effect.bracket(Effect.tap(() => Effect.checkCancelled)(this.enter), () => fx, this.leave)`
    )
  ),
  mutant(
    'lock-counts-wrong',
    'the statistics of a lock count its owner',
    lock(`tasksWaiting: this.lot.size()`, `tasksWaiting: this.lot.size() + (this.owner === null ? 0 : 1)`)
  ),
  mutant(
    'permits-overtake',
    'who comes takes a permit before those that wait',
    semaphore(
      `if (semaphore.available >= n && semaphore.lot.size() === 0) {`,
      `if (semaphore.available >= n) {`
    )
  ),
  mutant(
    'permits-do-not-look',
    'a permit is taken in a cancelled scope',
    semaphore(
      `if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  // Nobody`,
      `// Nobody`
    )
  ),
  mutant(
    'permit-too-many',
    'one permit more than there are is given',
    semaphore(
      `if (semaphore.available >= n && semaphore.lot.size() === 0) {`,
      `if (semaphore.available + 1 >= n && semaphore.lot.size() === 0) {`
    )
  ),
  mutant(
    'permits-lost',
    'a permit that comes back serves nobody',
    semaphore(
      `this.available++
      this.serve()`,
      `this.available++`
    )
  ),
  mutant(
    'permits-served-once',
    'permits that come back serve one that waits',
    semaphore(
      `while (lot.size() > 0 && lot.firstUnsafe() <= this.available) {`,
      `if (lot.size() > 0 && lot.firstUnsafe() <= this.available) {`
    )
  ),
  mutant(
    'permits-stuck',
    'who leaves the queue lets nobody behind it in',
    semaphore(
      `onWithdraw: () => {
        this.serve()
      }`,
      `onWithdraw: () => undefined`
    )
  ),
  mutant(
    'permit-now-overtakes',
    'acquireNow takes a permit before those that wait',
    semaphore(
      `if (semaphore.available < 1 || semaphore.lot.size() > 0) return`,
      `if (semaphore.available < 0) return`
    )
  ),
  mutant(
    'permits-without-maximum',
    'more permits come back than there can be',
    semaphore(
      `if (semaphore.available + n > semaphore.max) return LowLevel.misuseSelf(self, tooMany(semaphore))
`,
      ``
    )
  ),
  mutant(
    'permit-look-after',
    'who was handed a permit looks whether it is cancelled, and forgets the permit',
    semaphore(
      `Effect.bracket(this.acquire, () => fx, this.leave)`,
      `Effect.bracket(Effect.tap(() => Effect.checkCancelled)(this.acquire), () => fx, this.leave)`
    )
  ),
  mutant(
    'tokens-do-not-look',
    'a token is taken in a cancelled scope',
    limiter(
      `if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
    if (this.loans`,
      `if (this.loans`
    )
  ),
  mutant(
    'token-too-many',
    'one token more than the total is lent',
    limiter(
      `if (this.lot.size() === 0 && this.loans.size < this.total) {`,
      `if (this.lot.size() === 0 && this.loans.size <= this.total) {`
    )
  ),
  mutant(
    'tokens-twice',
    'a borrower gets a second token',
    limiter(
      `if (this.loans.has(loan.borrower) || this.waiting.has(loan.borrower)) return this.borrowedTwice(self)
`,
      ``
    )
  ),
  mutant(
    'total-raised-by-one',
    'raising the total lets in one',
    limiter(
      `this.total = total
      this.serve()
    })
}`,
      `this.total = Math.min(total, this.total + 1)
      this.serve()
    })
}`
    )
  ),
  mutant(
    'total-lowered-takes-away',
    'lowering the total forgets tokens that are lent',
    limiter(
      `this.total = total
      this.serve()
    })
}`,
      `this.total = total
      if (this.loans.size > total) this.loans.clear()
      this.serve()
    })
}`
    )
  ),
  mutant(
    'tokens-lost',
    'a token that comes back serves nobody',
    limiter(
      `    this.serve()
    return undefined
  }

  private borrowedTwice`,
      `    return undefined
  }

  private borrowedTwice`
    )
  ),
  mutant(
    'token-look-after',
    'who was handed a token looks whether it is cancelled, and forgets the token',
    limiter(
      `Effect.bracket(
      this.acquire,`,
      `Effect.bracket(
      Effect.tap(() => Effect.checkCancelled)(this.acquire),`
    )
  ),
  mutant(
    'event-wakes-one',
    'setting an event wakes the first that waits',
    event(`this.lot.unparkAllUnsafe(done)`, `if (this.lot.size() > 0) this.lot.unparkUnsafe(done)`)
  ),
  mutant(
    'event-does-not-stay',
    'an event that was set is not set for those that come later',
    event(
      `this.isUp = true
`,
      ``
    )
  ),
  mutant(
    'event-does-not-look',
    'a wait for an event that is set does not look whether it is cancelled',
    event(
      `if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
      return this.isUp`,
      `return this.isUp`
    )
  ),
  mutant(
    'future-last-wins',
    'the last completion of a future counts',
    future(
      `if (this.exit !== null) return false
`,
      ``
    )
  ),
  mutant(
    'future-does-not-look',
    'a wait for a future that is complete does not look whether it is cancelled',
    future(
      `if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
      return this.exit`,
      `return this.exit`
    )
  ),
  mutant(
    'future-wakes-one',
    'completing a future wakes the first that waits',
    future(
      `this.lot.unparkAllUnsafe(Exit.succeed(undefined))`,
      `if (this.lot.size() > 0) this.lot.unparkUnsafe(Exit.succeed(undefined))`
    )
  ),
  mutant(
    'condition-wakes-one-more',
    'notify wakes one more than it says',
    condition(`for (let left = n; left > 0 &&`, `for (let left = n; left >= 0 &&`)
  ),
  mutant(
    'condition-keeps-lock',
    'a wait for a condition keeps the lock',
    condition(
      `LowLevel.operation((self): undefined | LowLevel.Suspended => ParkingLot.parkSelf(self, lot, undefined))
  )(lock.release)`,
      `LowLevel.operation((self): undefined | LowLevel.Suspended => ParkingLot.parkSelf(self, lot, undefined))
  )(Effect.unit)`
    )
  ),
  mutant(
    'condition-without-lock',
    'a wait for a condition that was cancelled does not take the lock again',
    condition(
      `Effect.ensuring(lock.acquire)(releaseAndPark)`,
      `Effect.tap(() => lock.acquire)(releaseAndPark)`
    )
  ),
  mutant(
    'condition-used-by-anybody',
    'a condition is used without its lock',
    condition(
      `    owned
      ? fx`,
      `    owned || !owned
      ? fx`
    )
  ),
  mutant(
    'condition-once',
    'waitFor goes on after the first notification',
    condition(
      `const again = Effect.flatMap(() => turn)(wait)`,
      `const again = Effect.map(() => predicate() as Truthy<A>)(wait)`
    )
  ),
  mutant(
    'condition-waits-always',
    'waitFor waits though its predicate holds',
    condition(
      `return seen ? Effect.succeed(seen as Truthy<A>) : again
    })
    const`,
      `return again ?? seen
    })
    const`
    )
  ),
  mutant(
    'attributes-left-wins',
    'where two have an attribute the left one counts',
    attributes(
      `typed(new Map([...untyped(left), ...untyped(right)]))`,
      `typed(new Map([...untyped(right), ...untyped(left)]))`
    )
  ),
  mutant(
    'attributes-computed-when-put',
    'an attribute is computed when it is wrapped',
    attributes(
      `typed(new Map([...untyped(left), ...untyped(right)]))`,
      `typed(new Map([...[...untyped(left), ...untyped(right)].map(([key, get]) => [key, ((value) => () => value)(get())] as const)]))`
    )
  ),
  mutant(
    'attributes-forget',
    'extending forgets what was there',
    attributes(
      `typed(new Map([...untyped(left), ...untyped(right)]))`,
      `typed(new Map([...(untyped(right).size === 0 ? untyped(left) : untyped(right))]))`
    )
  ),
  mutant(
    'attributes-empty-is-not',
    'extending by nothing leaves nothing',
    attributes(
      `typed(new Map([...untyped(left), ...untyped(right)]))`,
      `typed(untyped(right).size === 0 ? new Map() : new Map([...untyped(left), ...untyped(right)]))`
    )
  ),
  mutant(
    'attributes-get-nothing',
    'an attribute that is not there is undefined',
    attributes(
      `if (getter === undefined)
      throw`,
      `if (getter === undefined) return undefined as never
    if (attribute === null)
      throw`
    )
  ),
  mutant(
    'attributes-lookup-some',
    'lookup finds what is not there',
    attributes(
      `return getter === undefined ? { _tag: 'None' } : { _tag: 'Some', value: getter() as A }`,
      `return { _tag: 'Some', value: getter?.() as A }`
    )
  ),
  mutant(
    'attributes-from-record-strings',
    'fromRecord loses keys that are symbols, and computes the rest',
    attributes(
      `typed(new Map(Reflect.ownKeys(values).map((key) => [key, values[key as keyof Row]])))`,
      `typed(new Map(Object.keys(values).slice(1).map((key) => [key, values[key as keyof Row]])))`
    )
  ),
  mutant(
    'retry-tries-defects',
    'retry tries again after anything',
    effect(
      `return split === null || split.rest !== null ? null : { first: split.first }`,
      `return split === null ? { first: undefined as E } : { first: split.first }`
    )
  ),
  mutant(
    'retry-does-not-wait',
    'retry waits one ms less',
    effect(
      `(delay > 0 || Number.isNaN(delay) ? sleep(delay) : checkCancelled)`,
      `(delay > 1 || Number.isNaN(delay) ? sleep(delay - 1) : checkCancelled)`
    )
  ),
  mutant(
    'retry-delay-shielded',
    'the delay of a retry is not cancelled',
    effect(
      `(delay > 0 || Number.isNaN(delay) ? sleep(delay) : checkCancelled)`,
      `(delay > 0 || Number.isNaN(delay) ? ensuring(sleep(delay))(yieldNow) : unit)`
    )
  ),
  mutant(
    'retry-does-not-count',
    'a policy is told that each turn is the first',
    effect(`iterNumber: status.iterNumber + 1,`, `iterNumber: status.iterNumber,`)
  ),
  mutant(
    'retry-loses-failure',
    'a retry that gives up fails with another failure',
    effect(
      `const stop: Effect<R, E, A> = failCause(cause)`,
      `const stop: Effect<R, E, A> = mapError((e: E) => [e] as never)(failCause(cause))`
    )
  ),
  mutant(
    'repeat-stops-late',
    'a repeat that its policy stops runs once more',
    effect(
      `nextTurn(policy, status, turn, succeed(a)))(fx)`,
      `nextTurn(policy, status, turn, as(a)(fx)))(fx)`
    )
  ),
  mutant(
    'close-wakes-no-senders',
    'when the last receiver is closed, senders go on waiting',
    stream(
      `while (senders.size() > 0) senders.failUnsafe(broken)`,
      `while (senders.size() > 1e9) senders.failUnsafe(broken)`
    )
  ),
  mutant(
    'closed-end-sends',
    'an end that was closed still sends',
    stream(
      `const { channel } = end
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (channel.openReceive === 0)`,
      `const { channel } = end
  if (channel.openReceive === 0)`
    )
  ),
  mutant(
    'send-does-not-look',
    'a send in a cancelled scope sends',
    stream(
      `if (LowLevel.isSelfCancelled(self)) return LowLevel.cancelSelf(self)
  const { channel } = end
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (channel.openReceive`,
      `const { channel } = end
  if (end.isClosed) return LowLevel.failSelf(self, closed)
  if (channel.openReceive`
    )
  ),
  mutant(
    'send-now-waits',
    'sendNow puts an item into a full stream',
    stream(
      `return end.channel.offer(item) ? undefined : LowLevel.failSelf(self, wouldBlock)`,
      `if (!end.channel.offer(item)) end.channel.buffer.push(item)
  return undefined`
    )
  ),
  mutant(
    'receive-takes-last',
    'a receive takes the last of the items that are buffered',
    editIn('src/stream/internal/deque.ts')(
      `shift(): A {`,
      `shift(): A {
    if (this.length > 1) this.push(this.shiftFirst())
    return this.shiftFirst()
  }

  private shiftFirst(): A {`
    )
  ),
  mutant(
    'clones-not-counted-receiving',
    'a clone of a receiver is not counted',
    stream(`channel.openReceive++`, `channel.openReceive = 1`)
  )
]

const layer = editIn('src/stream/Layer.ts')
const encodings = editIn('src/stream/internal/encodings.ts')
const abortHub = editIn('src/effect/internal/abortHub.ts')

/** Layers of streams, and a listener on a signal. */
const layers: ReadonlyArray<Mutant> = [
  mutant(
    'text-cut-at-chunks',
    'a character whose bytes come in two chunks is lost',
    encodings(`this.rest = cut === bytes.length ? null : bytes.slice(cut)`, `this.rest = null`)
  ),
  mutant(
    'abort-listener-stays',
    'the listener on a signal stays when nobody waits any more',
    abortHub(`signal.removeEventListener('abort', aborted)\n`, ``)
  ),
  mutant(
    'layer-identity-ends',
    'the identity of layers ends after two items',
    layer(`decode: Transducer.identity<In>(),`, `decode: Transducer.take<In>(2),`)
  ),
  mutant(
    'layer-compose-swapped',
    'layers that are composed are put on in the wrong order',
    layer(
      `(wire) => above.receiving(below.receiving(wire)),`,
      `(wire) => below.receiving(above.receiving(wire)),`
    )
  ),
  mutant(
    'layer-compose-twice',
    'the sending half of the upper layer is put on twice',
    layer(
      `(wire) => above.sending(below.sending(wire))`,
      `(wire) => above.sending(above.sending(below.sending(wire)))`
    )
  ),
  mutant(
    'layer-both-sends-twice',
    'on a stream of two directions the sending half is put on twice',
    layer(`const above = sending(wire)`, `const above = sending(sending(wire) as typeof wire)`)
  ),
  mutant(
    'layer-fused-swapped',
    'layers on each other are run as one in the wrong order',
    editIn('src/stream/internal/transduced.ts')(
      `this.transducer = compose<I, O, unknown>(this.transducer)(lower.transducer)`,
      `this.transducer = (compose as (second: object) => (first: object) => never)(lower.transducer)(this.transducer)`
    )
  ),
  mutant(
    'stapled-does-not-finish',
    'what is stapled does not say that no more is sent',
    editIn('src/stream/Stapled.ts')(
      `send: send.send,
  sendEof: finish(send),
  close: Effect.ensuring(receive.close)(send.close),
  attributes: extend(receive.attributes)(send.attributes)
})

/**
 * The same for bytes.`,
      `send: send.send,
  sendEof: Effect.unit,
  close: Effect.ensuring(receive.close)(send.close),
  attributes: extend(receive.attributes)(send.attributes)
})

/**
 * The same for bytes.`
    )
  ),
  mutant(
    'layer-connects-twice',
    'a layer on what can be connected is put on twice',
    layer(
      `Connectable.make(endpoint, onResource(layer, connect))`,
      `Connectable.make(endpoint, onResource(layer, onResource(layer, connect)))`
    )
  )
]

/** What the laws are about that hardly anything else breaks. */
const few: ReadonlyArray<Mutant> = [
  mutant(
    'within-ignored',
    'within does nothing',
    scope(
      `if (scope.deadline._tag === 'None') return`,
      `if (scope.shield || !scope.shield) return fx
    if (scope.deadline._tag === 'None') return`
    )
  ),
  mutant(
    'spawn-into-ended',
    'a group that has ended takes tasks',
    editIn('src/effect/LowLevel.ts')(`if (nursery.closed) {`, `if (nursery.closed && flags < 0) {`)
  ),
  mutant(
    'equal-failures-are-one',
    'two failures with the same error are one',
    causes(
      `if (left === whole) return left
`,
      `if (left === whole || (left._tag === 'Fail' && whole._tag === 'Fail' && Object.is(left.error, whole.error))) return left
`
    ),
    causes(
      `return position !== undefined && position < members.size`,
      `const alike = [...members.index.keys()].some((each) => each._tag === 'Fail' && leaf._tag === 'Fail' && Object.is(each.error, leaf.error))
  return alike || (position !== undefined && position < members.size)`
    )
  ),
  mutant(
    'capacity-smaller',
    'one item less than the capacity is buffered',
    stream(
      `else if (buffer.length < this.capacity) buffer.push(item)`,
      `else if (buffer.length + 1 < this.capacity) buffer.push(item)`
    )
  ),
  mutant(
    'clone-sends-nothing',
    'what a clone of a sender sends is lost',
    stream(
      `Effect.succeed(new SendEnd(this.channel))`,
      `Effect.succeed(Object.assign(new SendEnd(this.channel), { send: () => Effect.unit }))`
    )
  ),
  mutant(
    'attributes-get-first',
    'get gives the attribute that was put first',
    attributes(
      `(attributes: Attributes<{ readonly [P in K]: A }>): A => {
    const getter = untyped(attributes).get(attribute.key)`,
      `(attributes: Attributes<{ readonly [P in K]: A }>): A => {
    const getter = untyped(attributes).has(attribute.key) ? [...untyped(attributes).values()][0] : undefined`
    )
  ),
  mutant(
    'attributes-clash',
    'what two have is in neither of them put together',
    attributes(
      `typed(new Map([...untyped(left), ...untyped(right)]))`,
      `typed(
      new Map(
        [...untyped(left), ...untyped(right)].filter(([key]) => !(untyped(left).has(key) && untyped(right).has(key)))
      )
    )`
    )
  ),
  mutant(
    'run-sync-dies',
    'runSyncExit gives a failure as a defect',
    editIn('src/effect/Runtime.ts')(
      `stuck === null ? main.exit() : { _tag: 'Left', left: stuck }`,
      `stuck === null
    ? main.exit()._tag === 'Right'
      ? main.exit()
      : { _tag: 'Left', left: { _tag: 'Die', defect: main.exit() } }
    : { _tag: 'Left', left: stuck }`
    )
  ),
  mutant(
    'from-task-eager',
    'a task is started when an effect is built of it',
    effect(
      `typed(settlePromise(() => fa(), { label: 'fromTask', abandon`,
      `typed(settlePromise(((begun) => () => begun)(fa()), { label: 'fromTask', abandon`
    )
  ),
  mutant(
    'scope-empty-shields',
    'what is inside of the empty description is a shield',
    scope(
      `if (inner.shield) return inner
`,
      `if (inner.shield) return inner
    if (outer === empty) return { ...inner, shield: true }
`
    )
  ),
  mutant(
    'scope-eq-by-reference',
    'two descriptions are equal only if they are the same object',
    scope(
      `equals: (x, y) => x.shield === y.shield &&`,
      `equals: (x, y) => x === y && x.shield === y.shield &&`
    )
  ),
  mutant(
    'scope-eq-irreflexive',
    'descriptions with a shield are not equal to themselves',
    scope(
      `equals: (x, y) => x.shield === y.shield &&`,
      `equals: (x, y) => !x.shield && x.shield === y.shield &&`
    )
  ),
  mutant(
    'scope-eq-one-sided',
    'a description equals all with a later deadline',
    scope(`Object.is(milliseconds(x), milliseconds(y))`, `milliseconds(x) <= milliseconds(y)`)
  ),
  mutant(
    'scope-eq-about',
    'descriptions are equal whose deadlines are close',
    scope(
      `Object.is(milliseconds(x), milliseconds(y))`,
      `(milliseconds(x) === milliseconds(y) || Math.abs(milliseconds(x) - milliseconds(y)) <= 1)`
    )
  ),
  mutant(
    'resource-acquired-once',
    'a resource that is used again is not acquired again',
    resource(
      `fromUse((use) => Effect.bracket(acquire, use, release))`,
      `((known: { a?: A }) =>
    fromUse<R & R2, E | E2, A>((use) =>
      Effect.bracket(
        Effect.suspend(() =>
          'a' in known
            ? Effect.succeed(known.a as A)
            : Effect.map((a: A) => {
                known.a = a
                return a
              })(acquire)
        ) as never,
        use,
        release
      )
    ))({})`
    )
  )
]

/** The model: laws that are checked on it alone must notice when it is wrong. */
const rules = editIn('laws/model/Rules.ts')
const modelKernel = editIn('laws/model/Kernel.ts')
const modelOwners = editIn('laws/model/Owners.ts')
const modelStep = editIn('laws/model/Step.ts')

const ofModel: ReadonlyArray<Mutant> = [
  mutant(
    'model-bind-is-checkpoint',
    'in the model flatMap is a checkpoint',
    rules(
      `value: (state, site, value) => instead(state, site, 1, withValue(site, value))`,
      `value: (state, site, value) => looking(state, site.fiber, (fine) => instead(fine, site, 1, withValue(site, value)))`
    )
  ),
  mutant(
    'model-bind-shows',
    'in the model flatMap is noted',
    rules(
      `value: (state, site, value) => instead(state, site, 1, withValue(site, value))`,
      `value: (state, site, value) => instead(note(state, 'bind'), site, 1, withValue(site, value))`
    )
  ),
  mutant(
    'model-bind-shows-depth',
    'in the model it is noted how deep a flatMap is inside of others',
    rules(
      `value: (state, site, value) => instead(state, site, 1, withValue(site, value))`,
      `value: (state, site, value) =>
      instead(note(state, String(fiberOf(state, site.fiber).frames.length)), site, 1, withValue(site, value))`
    )
  ),
  mutant(
    'model-shield-shows',
    'in the model a shield is noted',
    rules(
      `scoped(state, site, 'shielded', { shield: true }, 0)`,
      `scoped(note(state, 'shield'), site, 'shielded', { shield: true }, 0)`
    )
  ),
  mutant(
    'model-finalizer-shows',
    'in the model a finalizer is noted',
    rules(
      `scoped(state, site, 'finalizer', { shield: true }, part, { exit })`,
      `scoped(note(state, 'finalizer'), site, 'finalizer', { shield: true }, part, { exit })`
    )
  ),
  mutant(
    'model-group-loses-value',
    'in the model a group has no value',
    modelOwners(
      `return exitOf(cause, body._tag === 'Right' ? body.right : undefined)`,
      `return exitOf(cause, undefined)`
    )
  ),
  mutant(
    'model-orelse-sees-cancelled',
    'in the model orElse handles a cancellation',
    rules(
      `leaves(cause).find((leaf) => leaf._tag === 'Fail')`,
      `leaves(cause).find((leaf) => leaf._tag !== 'Die') as { readonly error: unknown } | undefined`
    )
  ),
  mutant(
    'model-on-cancel-always',
    'in the model onCancel runs for anything that is raised',
    rules(`hasCancelled(cause) ? finalize`, `leaves(cause).length > 0 ? finalize`)
  ),
  mutant(
    'model-absorbs-always',
    'in the model any cancelled scope absorbs',
    modelKernel(
      `isCancelled(state, name) && !isCancelledFromOutside(state, name)`,
      `isCancelled(state, name) || isCancelledFromOutside(state, name)`
    )
  ),
  mutant(
    'model-shield-leaks',
    'in the model a shield hides nothing',
    modelKernel(`return !shield && parent !== null &&`, `return parent !== null &&`)
  ),
  mutant(
    'model-deadline-late',
    'in the model a deadline of nothing takes effect one ms late',
    modelKernel(
      `if (after <= 0) return cancel(inside, name)
`,
      ``
    )
  ),
  mutant(
    'model-timers-backwards',
    'in the model timers of the same time fire in the reverse order',
    modelKernel(`next.timers.findIndex(`, `next.timers.findLastIndex(`)
  ),
  mutant(
    'model-one-order',
    'in the model the first of several ready fibers has the turn',
    modelStep(`return waiting.map(`, `return waiting.slice(0, 1).map(`)
  ),
  mutant(
    'model-any-order',
    'in the model time may pass while fibers are ready',
    modelStep(
      `return waiting.map(`,
      `return [...(state.timers.length > 0 ? [elapse(state)] : []), ...waiting.map(`
    ),
    modelStep(
      `turn: [name] }))
`,
      `turn: [name] }))]
`
    )
  )
]

export const mutants: ReadonlyArray<Mutant> = [
  ...scopes,
  ...waits,
  ...groups,
  ...ofCauses,
  ...classes,
  ...libraries,
  ...sync,
  ...few,
  ...layers,
  ...ofModel
]
