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
const primitives = editIn('src/effect/internal/primitives.ts')
const nursery = editIn('src/effect/internal/nursery.ts')
const parallel = editIn('src/effect/internal/parallel.ts')
const owner = editIn('src/effect/internal/owner.ts')
const deadlines = editIn('src/effect/internal/deadlines.ts')
const lot = editIn('src/effect/ParkingLot.ts')
const lock = editIn('src/scope/sync/Lock.ts')
const stream = editIn('src/stream/MemoryStream.ts')

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
  if (child.status !== Done)`,
      `if (child.status !== Done)`
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
      `export const yieldNow = primitive((fiber) => fiber.reschedule(Return, undefined))`,
      `export const yieldNow = primitive((fiber) => fiber.reschedule(Check, undefined))`
    )
  ),
  mutant(
    'check-does-not-look',
    'checkCancelled does nothing',
    primitives(
      `(fiber.isCancelled() ? fiber.raiseCancelled() : undefined)`,
      `(fiber.isCancelled() ? undefined : undefined)`
    )
  ),
  mutant(
    'async-does-not-look',
    'async in a cancelled scope registers and waits',
    primitives(
      `if (fiber.isCancelled()) return fiber.raiseCancelled()
  const lazy`,
      `const lazy`
    )
  ),
  mutant(
    'cancel-toggles',
    'cancelling a scope that is cancelled takes it back',
    tree(
      `if (this.cancelled || this.closed) return
    this.cancelled = true`,
      `if (this.cancelled) {
      this.cancelled = false
      this.withdraw()
    }
    if (this.cancelled || this.closed) return
    this.cancelled = true`
    )
  ),
  mutant(
    'deadline-takes-back',
    'a later deadline takes a cancellation back',
    tree(
      `if (this.deadline !== null) timers.remove(this.deadline)
    this.deadline = time`,
      `if (this.deadline !== null) timers.remove(this.deadline)
    if (time > this.host.now()) {
      this.cancelled = false
      this.withdraw()
    }
    this.deadline = time`
    )
  ),
  mutant(
    'shield-ignored',
    'a shield hides nothing',
    tree(`return (!this.shield && !this.masked) ||`, `return !this.masked ||`)
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
      `this.effective = parent !== null && parent.effective && (!masked || this.cut >= 0)`,
      `const far = parent?.parent?.parent?.parent
      this.effective =
        parent !== null &&
        (parent.effective || (far?.effective === true && parent.shield === false && parent.parent?.shield === false && parent.parent.parent?.shield === true)) &&
        (!masked || this.cut >= 0)`
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
    tree(
      `if (this.shield === shield || this.closed) return`,
      `if (this.shield === shield || this.closed || !shield) return`
    )
  ),
  mutant(
    'shield-never-raised',
    'a shield that is raised later hides nothing',
    tree(
      `if (this.shield === shield || this.closed) return`,
      `if (this.shield === shield || this.closed || (shield && this.effective)) return`
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
    fiber(
      `if (frame.b === 0) value = { _tag: 'Some', value }
              break`,
      `if (frame.b === 0) value = { _tag: 'Some', value }
              if (fiber.isCancelled()) mode = 5
              break`
    )
  ),
  mutant(
    'scope-entry-is-checkpoint',
    'entering a scope looks whether it is cancelled',
    fiber(
      `current = typeof current.b === 'function' ? (0, current.b)(node) : current.b
              break`,
      `current = typeof current.b === 'function' ? (0, current.b)(node) : current.b
              if (fiber.isCancelled()) mode = 5
              break`
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
      `if (this.leaf === null) {
      const { reason, by, because } = this.why as Cancellation`,
      `if (this.leaf === null) {
      const { reason, by, because } = this.why ?? cancellation({ _tag: 'Explicit', value: undefined })`
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
    fiber(
      `const rest: Cause<Untyped> | null = mode === 5 ? null : left`,
      `const rest: Cause<Untyped> | null = null`
    )
  ),
  mutant(
    'finalizer-skips-cancelled',
    'a finalizer does not run after a cancellation',
    fiber(
      `case 17: // Ensuring
              stack[sp++] = new Op(37, mode, value, undefined)`,
      `case 17: // Ensuring
              if (mode === 5) break
              stack[sp++] = new Op(37, mode, value, undefined)`
    )
  ),
  mutant(
    'finalizer-skips-defect',
    'a finalizer does not run after a defect',
    fiber(
      `case 17: // Ensuring
              stack[sp++] = new Op(37, mode, value, undefined)`,
      `case 17: // Ensuring
              if (mode === 4) break
              stack[sp++] = new Op(37, mode, value, undefined)`
    )
  ),
  mutant(
    'finalizer-runs-twice',
    'a finalizer runs once more when it has failed',
    fiber(
      `case 17: // Ensuring
              stack[sp++] = new Op(37, mode, value, undefined)`,
      `case 17: // Ensuring
              stack[sp++] = new Op(37, mode, value, undefined)
              if (mode === 3) stack[sp++] = new Op(4, undefined, ((again: Op) => () => again)(frame.b), undefined)`
    )
  ),
  mutant(
    'finalizer-not-shielded',
    'a finalizer after a cancellation is cancelled as well',
    fiber(
      `fiber.mask++
              current = frame.b
              mode = 0
              break
            case 18: {`,
      `current = frame.b
              mode = 0
              break
            case 18: {`
    ),
    fiber(
      `fiber.mask--
              value = fiber.afterFinalizer(frame.a, frame.b, mode, value)`,
      `if (fiber.mask > 0) fiber.mask--
              value = fiber.afterFinalizer(frame.a, frame.b, mode, value)`
    ),
    fiber(
      `case 37: // FinalizingFrame
              fiber.mask--
              mode = frame.a`,
      `case 37: // FinalizingFrame
              if (fiber.mask > 0) fiber.mask--
              mode = frame.a`
    )
  ),
  mutant(
    'finalizer-masks',
    'what a finalizer fails with replaces what came before',
    fiber(
      `return savedMode === 1 ? cause : joinThen(this.causeOf(savedMode, savedValue), cause)`,
      `return cause`
    )
  ),
  mutant(
    'finalizer-error-lost',
    'what a finalizer fails with after a failure is dropped',
    fiber(
      `return savedMode === 1 ? cause : joinThen(this.causeOf(savedMode, savedValue), cause)`,
      `return savedMode === 1 ? cause : this.causeOf(savedMode, savedValue)`
    )
  ),
  mutant(
    'on-cancel-always',
    'onCancel runs for failures as well',
    fiber(`if (mode === 5 || (mode === 6 && hasCancelled(value))) {`, `if (mode >= 3) {`)
  ),
  mutant(
    'on-exit-blind',
    'onExit sees a failure as a defect',
    fiber(
      `// OnExit
              const exit = exitOf(fiber, mode, value)`,
      `// OnExit
              const exit = exitOf(fiber, mode === 3 ? 4 : mode, value)`
    )
  ),
  mutant(
    'catch-sees-cancelled',
    'orElse runs its handler for a cancellation',
    fiber(
      `case 10: // Handle
              if (mode === 3) {`,
      `case 10: // Handle
              if (mode === 3 || (mode === 5 && frame.c === null)) {`
    )
  ),
  mutant(
    'catch-sees-defect',
    'orElse runs its handler for a defect',
    fiber(
      `case 10: // Handle
              if (mode === 3) {`,
      `case 10: // Handle
              if (mode === 3 || (mode === 4 && frame.c === null)) {`
    )
  ),
  mutant(
    'catch-clears-scope',
    'who catches a cancellation is not cancelled any more',
    fiber(
      `case 15: // CatchCause
              value = fiber.causeOf(mode, value)`,
      `case 15: // CatchCause
              if (mode === 5) fiber.scope.effective = false
              value = fiber.causeOf(mode, value)`
    )
  ),
  mutant(
    'forged-cancellation',
    'a cancellation may be raised where nothing is cancelled',
    fiber(
      `if (!hasCancelled(cause) || this.scope.nearestCancelled() !== null) return cause`,
      `if (!hasCancelled(cause) || this.id >= 0) return cause`
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
      `if (at <= now) this.deadline.fire()
    else`,
      `if (at < now) this.deadline.fire()
    else`
    )
  ),
  mutant(
    'parent-not-told',
    'a scope that is opened in a cancelled one is not',
    tree(
      `this.effective = parent !== null && parent.effective && (!masked || this.cut >= 0)`,
      `this.effective = false`
    )
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
    this.cancelled = true`,
      `if (this.cancelled) return
    if (this.closed) {
      this.parent?.cancel(why)
      return
    }
    this.cancelled = true`
    )
  ),
  mutant(
    'effective-deadline-outermost',
    'the effective deadline looks through shields',
    tree(`node = node.visible ? node.parent : null) {`, `node = node.parent) {`)
  ),
  mutant(
    'effective-deadline-cancelled',
    'in a cancelled scope the effective deadline is that of the clock',
    tree(
      `if (this.effective) return -Infinity
`,
      ``
    )
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
    if (this.graceEnd`,
      `if (this.graceEnd`
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
      `this.deadline = new Deadline(this, at, this.host.timers.nextOrder())`,
      `this.deadline = new Deadline(this, at, Infinity)`
    )
  ),
  mutant(
    'waiter-leaks',
    'a wait in a queue that was cancelled keeps its place',
    lot(
      `override abandon(waiter: Waiter): boolean {
    this.leave(waiter)
    return true`,
      `override abandon(_waiter: Waiter): boolean {
    return true`
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
    )
  ),
  mutant(
    'callback-last-wins',
    'while it registers, the last call of an async wait counts',
    primitives(
      `resume(mode: number, value: Untyped): void {
    if (this.settled) return`,
      `resume(mode: number, value: Untyped): void {
    if (this.settled && !this.registering) return`
    )
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
    this.buffer.clear()
`
    )
  ),
  mutant(
    'end-wakes-nobody',
    'when the last sender is closed, receivers go on waiting',
    stream(
      `while (receivers.size() > 0) {
      receivers.firstUnsafe().waiting--`,
      `while (receivers.size() > 1e9) {
      receivers.firstUnsafe().waiting--`
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
    nursery(`const own = child.selfCancelled || this.cancelledHere()`, `const own = false`),
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
    fiber(`this.own = home.insert(this.armsIn(home), this.name)`, `this.own = home.insert(null, this.name)`)
  ),
  mutant(
    'unjoined-lost',
    'the failure of an owned task at which nobody looked is dropped',
    nursery(`if (!child.looked) {`, `if (child.looked && !child.looked) {`)
  ),
  mutant(
    'looked-is-unjoined',
    'the failure of an owned task fails the group, looked at or not',
    nursery(`if (!child.looked) {`, `if (child.mode > 0) {`)
  ),
  mutant(
    'owned-fails-group',
    'the failure of an owned task fails the group at once',
    nursery(`if (child.owned) {`, `if (child.owned && child.looked && !child.looked) {`)
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
  if (child.status !== Done) {`,
      `if (child.status !== Done && fiber.isCancelled()) return fiber.raiseCancelled()
  if (child.status !== Done) {`
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
      const { mode, value } = this.end()`,
      `else if (this.running === 0 || this.strategy.kind === 'race') {
      this.waiting = false
      const { mode, value } = this.end()`
    )
  ),
  mutant(
    'race-does-not-cancel',
    'the loser of a race is not cancelled',
    parallel(
      `if (this.running === 0) return
    const task = child.name`,
      `if (this.running === 0 || this.strategy.kind === 'race') return
    const task = child.name`
    )
  ),
  mutant(
    'loser-failure-lost',
    'what the loser of a race fails with is dropped',
    parallel(
      `const left = losers.failures.length === 0 ? null : joinAllBoth(losers.failures)`,
      `const left = losers.failures.length >= 0 ? null : joinAllBoth(losers.failures)`
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

  outcome(arms: Arms): { readonly mode: number; readonly value: Untyped } {
    const cause = this.exits.cause(arms.absorbs())
    if (cause !== null) return { mode: Fault, value: cause }
    return { mode: Return, value: this.values }
  }
}

/** The first arm`,
      `this.exits.add(child.failure() as Cause<unknown>)
    return false
  }

  outcome(arms: Arms): { readonly mode: number; readonly value: Untyped } {
    const cause = this.exits.cause(arms.absorbs())
    if (cause !== null) return { mode: Fault, value: cause }
    return { mode: Return, value: this.values }
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
    parallel(
      `this.running >= this.strategy.limit) return null`,
      `this.running > this.strategy.limit) return null`
    )
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

export const mutants: ReadonlyArray<Mutant> = [...scopes, ...waits, ...groups]
