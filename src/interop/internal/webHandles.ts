/**
 * Readers and writers of web streams, as what effects can wait on. Their promises cannot be taken back, so each is kept until
 * somebody has had what it gives.
 *
 * @internal
 */
import * as Effect from '../../effect/Effect.js'
import type { Exit } from '../../effect/Exit.js'
import * as LowLevel from '../../effect/LowLevel.js'
import type { BrokenResource, ClosedResource } from '../../scope/ResourceError.js'
import { type EndOfStream, endOfStream } from '../../stream/StreamError.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>
type Left<E> = Extract<Exit<E, never>, { readonly _tag: 'Left' }>

const fail = <E>(error: E): Left<E> => ({ _tag: 'Left', left: { _tag: 'Fail', error } })
const succeed = <A>(a: A): Exit<never, A> => ({ _tag: 'Right', right: a })
const end = fail<EndOfStream>(endOfStream)

const closedResource = (resource: string): Left<ClosedResource> => fail({ _tag: 'ClosedResource', resource })
const broken = (resource: string, cause: unknown): Left<BrokenResource> =>
  fail({ _tag: 'BrokenResource', resource, cause })

/** Those who wait until something holds. */
class Waiting {
  private readonly places = new Set<() => void>()

  /** When it has been waited for, `committed` waits cannot be cancelled: they end. */
  until(label: string, holds: () => boolean, begin: () => void, committed = false): Fx<never, void> {
    return LowLevel.park(label, (resume) => {
      const look = (): void => {
        if (!holds()) return
        this.places.delete(look)
        resume(succeed(undefined))
      }
      this.places.add(look)
      begin()
      look()
      return () => {
        this.places.delete(look)
        if (committed) resume(succeed(undefined))
        return !committed
      }
    })
  }

  wake(): void {
    // Whoever is woken may wait again at once.
    for (const look of [...this.places]) look()
  }
}

export type ReadFailure = EndOfStream | ClosedResource | BrokenResource

export class Reading<A> {
  private readonly reader: ReadableStreamDefaultReader<A>
  private readonly waiting = new Waiting()
  private reading = false
  /** What was read and that nobody has taken. */
  private kept: Exit<ReadFailure, A> | null = null
  private over: Left<ReadFailure> | null = null
  private isClosed = false

  constructor(stream: ReadableStream<A>) {
    this.reader = stream.getReader()
    this.reader.closed.catch((cause: unknown) => {
      this.over ??= broken('ReadableStream', cause)
    })
  }

  /** Whether a receive would not wait. */
  get isReady(): boolean {
    return this.isClosed || this.kept !== null || (this.over !== null && !this.reading)
  }

  /** Waits until there is something to receive, and takes nothing. */
  readonly ready: Fx<never, void> = Effect.suspend(() => {
    if (this.isReady) return Effect.checkCancelled
    return this.waiting.until('WebStreams.receive', () => this.isReady, this.read)
  })

  /** One receiver at a time. */
  readonly receive: Fx<ReadFailure, A> = Effect.flatMap((): Fx<ReadFailure, A> => {
    if (this.isClosed) return Effect.fromExit(closedResource('ReadableStream'))
    const { kept } = this
    this.kept = null
    return Effect.fromExit(kept ?? this.over ?? end)
  })(this.ready)

  private readonly read = (): void => {
    if (this.reading) return
    this.reading = true
    this.reader.read().then(
      ({ done, value }) => {
        if (done) this.over = end
        this.keep(done ? end : succeed(value))
      },
      (cause: unknown) => {
        // The failure is told once; then there is no more.
        this.over = end
        this.keep(broken('ReadableStream', cause))
      }
    )
  }

  private keep(exit: Exit<ReadFailure, A>): void {
    this.reading = false
    this.kept = exit
    this.waiting.wake()
  }

  /** Cancels what is not read to its end, and unlocks the stream. */
  readonly close: Fx<never, void> = Effect.suspend((): Fx<never, void> => {
    if (this.isClosed) return Effect.unit
    this.isClosed = true
    this.kept = null
    this.waiting.wake()
    const unlock = Effect.sync(() => {
      this.reader.releaseLock()
    })
    if (this.over !== null) return unlock
    const cancel = async (): Promise<void> => {
      try {
        await this.reader.cancel()
      } catch (thrown) {
        // A stream that had failed says so again, and by now nobody wants to know. What its `cancel` throws is a defect.
        if (this.over === null) throw thrown
      }
    }
    return Effect.ensuring(unlock)(LowLevel.awaitPromise(cancel, { label: 'WebStreams.close' }))
  })
}

const nothingToDo = (): void => undefined

export type WriteFailure = ClosedResource | BrokenResource

export class Writing<A> {
  private readonly writer: WritableStreamDefaultWriter<A>
  private readonly waiting = new Waiting()
  /** Writes that have not settled. */
  private pending = 0
  private over: Left<WriteFailure> | null = null
  private state: 'open' | 'ended' | 'closed' = 'open'

  constructor(stream: WritableStream<A>) {
    this.writer = stream.getWriter()
    this.writer.closed.catch(this.broke)
  }

  private readonly broke = (cause: unknown): void => {
    this.over ??= broken('WritableStream', cause)
    this.wake()
  }

  private readonly wake = (): void => {
    this.waiting.wake()
  }

  private get check(): Fx<WriteFailure, void> {
    if (this.state === 'closed') return Effect.fromExit(closedResource('WritableStream'))
    return this.over === null ? Effect.unit : Effect.fromExit(this.over)
  }

  /** Waits until there is room; nothing is written before. */
  readonly room: Fx<WriteFailure, void> = Effect.flatMap((): Fx<WriteFailure, void> =>
    this.state === 'ended' ? Effect.fromExit(closedResource('WritableStream')) : this.check
  )(
    Effect.suspend(() =>
      this.hasRoom
        ? Effect.checkCancelled
        : this.waiting.until(
            'WebStreams.send',
            () => this.hasRoom,
            () => {
              this.writer.ready.then(this.wake, this.broke)
            }
          )
    )
  )

  private get hasRoom(): boolean {
    return this.state !== 'open' || this.over !== null || (this.writer.desiredSize ?? 0) > 0
  }

  private get isSettled(): boolean {
    return this.pending === 0 || this.over !== null || this.state === 'closed'
  }

  /** Waits until all that was begun is written. */
  readonly settled: Fx<WriteFailure, void> = Effect.flatMap(() => this.check)(
    Effect.suspend(() => this.waiting.until('WebStreams.send', () => this.isSettled, nothingToDo))
  )

  private begin(write: Promise<void>): void {
    this.pending++
    write
      .catch(this.broke)
      .then(() => {
        if (--this.pending === 0) this.wake()
      })
      .catch(() => undefined)
  }

  /** Hands an item over, whether there is room or not. What becomes of it, {@link settled} tells. */
  readonly put = (a: A): Fx<never, void> =>
    Effect.sync(() => {
      if (this.state === 'open') this.begin(this.writer.write(a))
    })

  /** The same for the end. */
  readonly putEnd: Fx<never, void> = Effect.sync(() => {
    if (this.state !== 'open') return
    this.state = 'ended'
    this.begin(this.writer.close())
  })

  /** Over when the item is written. Who is cancelled before there was room has written nothing. */
  readonly send = (a: A): Fx<WriteFailure, void> =>
    Effect.flatMap(() => this.committed)(Effect.flatMap(() => this.put(a))(this.room))

  /** Over when all is written. */
  readonly sendEof: Fx<WriteFailure, void> = Effect.flatMap(() => this.committed)(
    Effect.flatMap(() => this.putEnd)(Effect.suspend(() => this.check))
  )

  /** What was handed over cannot be taken back: who is cancelled now has sent, and sees it at the next checkpoint. */
  private readonly committed: Fx<WriteFailure, void> = Effect.flatMap(() => this.check)(
    Effect.suspend(() =>
      this.isSettled
        ? Effect.unit
        : this.waiting.until('WebStreams.send', () => this.isSettled, nothingToDo, true)
    )
  )

  /** Ends the stream well, or tells it that it was cut short, and unlocks it. */
  readonly closeWith = (failure: unknown): Fx<never, void> =>
    Effect.suspend((): Fx<never, void> => {
      if (this.state === 'closed') return Effect.unit
      const wasOpen = this.state === 'open'
      this.state = 'closed'
      this.wake()
      const finish = async (): Promise<void> => {
        try {
          if (wasOpen && this.over === null) {
            await (failure === undefined ? this.writer.close() : this.writer.abort(failure))
          }
        } catch {
          // What goes wrong now goes wrong for nobody: whoever wants to know ends the stream by `sendEof`.
        }
        this.writer.releaseLock()
      }
      return LowLevel.awaitPromise(finish, { label: 'WebStreams.close' })
    })
}
