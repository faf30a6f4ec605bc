/**
 * Streams with a transducer on them.
 *
 * A transducer on a stream that has one already, and that nobody has used yet, works on the stream below that: the two become
 * one, so a stack of layers costs one stream.
 *
 * @internal
 */
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { Attributes } from '../../attributes/Attributes.js'
import type { Cause } from '../../effect/Cause.js'
import * as Effect from '../../effect/Effect.js'
import * as LowLevel from '../../effect/LowLevel.js'
import type { DuplexStream, ReceiveStream, SendStream } from '../ObjectStream.js'
import type { EndOfStream } from '../StreamError.js'
import { compose, type Run, type Transducer, type Verdict } from '../Transducer.js'
import { claimSending, takenOver } from './claims.js'
import { badMax, isMax } from './many.js'
import { Output } from './output.js'
import { end, pending, Puller, type Request } from './puller.js'
import { Queue } from './queue.js'

type Fx<E, A> = Effect.Effect<unknown, E, A>

const failWith = (error: unknown): Fx<unknown, never> => Effect.failCause({ _tag: 'Fail', error })

// -------------------------------------------------------------------------------------
// receiving
// -------------------------------------------------------------------------------------

class One<O> implements Request {
  private readonly output: Output<O>

  constructor(output: Output<O>) {
    this.output = output
  }

  take(): unknown {
    return this.output.isEmpty ? pending : this.output.shift()
  }

  atEnd(over: Fx<unknown, never>): Fx<unknown, never> {
    return over
  }
}

class Many<O> implements Request {
  private readonly output: Output<O>
  readonly max: number

  constructor(output: Output<O>, max: number) {
    this.output = output
    this.max = max
  }

  take(): unknown {
    return this.output.isEmpty ? pending : this.output.take(this.max)
  }

  atEnd(over: Fx<unknown, never>): Fx<unknown, never> {
    return over
  }
}

/** What is received from `wire`, through a transducer. */
export class Decoding<I, O, E, Attrs extends object> extends Puller<I> implements ReceiveStream<O, E, Attrs> {
  readonly delivery = 'reliable'
  readonly attributes: Attributes<Attrs>
  readonly receive: Fx<E | EndOfStream, O>
  private transducer: Transducer<I, O, unknown>
  private run: Run<I, O, unknown> | null
  private readonly output: Output<O>
  /** A chunk of one, for the run. */
  private readonly box: [I | undefined]

  constructor(
    wire: ReceiveStream<I, unknown>,
    transducer: Transducer<I, O, unknown>,
    attributes: Attributes<Attrs>
  ) {
    super(wire)
    this.attributes = attributes
    this.transducer = transducer
    this.run = null
    this.output = new Output<O>()
    this.box = [undefined]
    this.receive = this.operation(new One(this.output))
  }

  readonly receiveMany = (max: number): Fx<E | EndOfStream, ReadonlyNonEmptyArray<O>> =>
    isMax(max) ? this.operation(new Many(this.output, max)) : badMax(max)

  protected override start(): void {
    for (;;) {
      const below: object = this.wire
      if (!(below instanceof Decoding) || !below.isUntouched) break
      const lower = below as Decoding<unknown, I, unknown, object>
      lower.takeOver()
      this.transducer = compose<I, O, unknown>(this.transducer)(lower.transducer)
      // What the lower one takes is what this one takes from now on.
      this.wire = lower.wire as ReceiveStream<I, unknown>
    }
    this.run = this.transducer.open()
    if (this.run.wants === 0) this.endRun(this.run)
  }

  protected override absorb(item: I): void {
    this.box[0] = item
    const verdict = (this.run as Run<I, O, unknown>).step(this.box as [I], 1, this.output)
    this.box[0] = undefined
    if (verdict !== 'more') this.judge(verdict)
  }

  protected override finish(): void {
    this.endRun(this.run as Run<I, O, unknown>)
  }

  private endRun(run: Run<I, O, unknown>): void {
    this.over = end
    this.judge(run.end(this.output))
  }

  private judge(verdict: Verdict<unknown>): void {
    this.over = typeof verdict === 'object' ? failWith(verdict.error) : end
  }

  protected override receiveFor(request: Request): Fx<unknown, ReadonlyArray<I>> | null {
    if (!(request instanceof Many)) return null
    const wants = Math.min(request.max, (this.run as Run<I, O, unknown>).wants ?? 1)
    return wants <= 1 ? null : this.wire.receiveMany(wants)
  }

  protected override absorbAll(items: ReadonlyArray<I>): void {
    const verdict = (this.run as Run<I, O, unknown>).step(items, items.length, this.output)
    if (verdict !== 'more') this.judge(verdict)
  }

  protected override clear(): void {
    this.output.clear()
  }
}

// -------------------------------------------------------------------------------------
// sending
// -------------------------------------------------------------------------------------

/** What is sent to `wire`, through a transducer. */
export class Encoding<I, O, E, Attrs extends object> implements SendStream<I, E, Attrs> {
  readonly delivery = 'reliable'
  readonly attributes: Attributes<Attrs>
  readonly sendEof: Fx<E, void>
  private wire: SendStream<O, unknown>
  private transducer: Transducer<I, O, unknown>
  private run: Run<I, O, unknown> | null = null
  private readonly output = new Output<O>()
  private readonly queue = new Queue('send')
  private state: 'untouched' | 'claimed' | 'takenOver' = 'untouched'
  private isClosed = false
  /** No more is encoded: a part of the end was sent. */
  private isOver = false
  /** All of the end was sent. */
  private isEnded = false
  /** The failure or defect that was final. */
  private failure: Fx<unknown, never> | null = null
  /** The encoder wants no more. */
  private isDone = false

  constructor(
    wire: SendStream<O, unknown>,
    transducer: Transducer<I, O, unknown>,
    attributes: Attributes<Attrs>
  ) {
    this.wire = wire
    this.transducer = transducer
    this.attributes = attributes
    this.sendEof = this.queue.use(Effect.suspend(() => this.finishNow())) as Fx<E, void>
  }

  readonly send = (item: I): Fx<E, void> =>
    this.queue.use(LowLevel.operation<E, undefined, Encodes<I>, I>(encode, this, item))

  readonly close: Fx<never, void> = Effect.suspend(() => {
    this.isClosed = true
    this.output.clear()
    return this.wire.close
  })

  private start(): void {
    for (;;) {
      const below: object = this.wire
      if (!(below instanceof Encoding) || below.state !== 'untouched' || below.isClosed) break
      const lower = below as Encoding<O, O, unknown, object>
      lower.state = 'takenOver'
      this.transducer = compose(lower.transducer)(this.transducer)
      this.wire = lower.wire
    }
    try {
      this.run = this.transducer.open()
    } catch (defect) {
      this.failure = Effect.die(defect)
    }
  }

  /** A message when this stream is not the owner of the sending side. */
  private claim(): string | null {
    if (this.state === 'untouched') {
      this.start()
      if (!claimSending(this.wire, this)) return takenOver('sending')
      this.state = 'claimed'
    }
    return this.state === 'takenOver' ? takenOver('sending') : null
  }

  encode(self: LowLevel.Self, item: I): undefined | LowLevel.Suspended {
    const misuse = this.claim()
    if (misuse !== null) return LowLevel.misuseSelf(self, misuse)
    if (this.isClosed || this.isOver) return LowLevel.continueSelf(self, this.afterEnd(item))
    if (this.failure !== null) return LowLevel.continueSelf(self, this.failure)
    if (this.isDone) return undefined
    const { output } = this
    // What is left of an item that was sent in part comes first.
    if (!output.isEmpty)
      return LowLevel.continueSelf(self, Effect.flatMap(() => this.again(item))(this.flush))
    const run = this.run as Run<I, O, unknown>
    run.save?.()
    const verdict = this.attempt((out) => run.step([item], 1, out))
    if (verdict === 'done') this.isDone = true
    else if (typeof verdict === 'object') {
      this.failure = verdict
      return LowLevel.continueSelf(self, output.isEmpty ? verdict : Effect.flatMap(() => verdict)(this.flush))
    }
    if (output.isEmpty) return undefined
    const first = output.shift()
    const takeBack = (cause: Cause<unknown>): Fx<unknown, never> => {
      // Nothing of the item was sent, so it has not been encoded either.
      output.clear()
      run.restore?.()
      if (verdict === 'done') this.isDone = false
      return Effect.failCause(cause)
    }
    const sent = Effect.catchCause(takeBack)(this.wire.send(first))
    return LowLevel.continueSelf(self, output.isEmpty ? sent : Effect.flatMap(() => this.flush)(sent))
  }

  private again(item: I): Fx<unknown, void> {
    return LowLevel.operation<unknown, undefined, Encodes<I>, I>(encode, this, item)
  }

  private attempt(step: (out: Output<O>) => Verdict<unknown>): 'more' | 'done' | Fx<unknown, never> {
    try {
      const verdict = step(this.output)
      return typeof verdict === 'object' ? failWith(verdict.error) : verdict
    } catch (defect) {
      return Effect.die(defect)
    }
  }

  /** Sends what is encoded. What a cancellation leaves goes before the next item. */
  private readonly flush: Fx<unknown, void> = Effect.suspend((): Fx<unknown, void> => {
    const { output } = this
    if (output.isEmpty) return Effect.unit
    return Effect.flatMap(() => {
      if (!output.isEmpty) output.shift()
      return this.flush
    })(this.wire.send(output.peek()))
  })

  /** What a stream that is over says is known to the one below. */
  private afterEnd(item: I): Fx<unknown, void> {
    // An end that was begun comes first.
    if (!this.isClosed && !this.isEnded) return Effect.flatMap(() => this.afterEnd(item))(this.finishOver())
    const output = new Output<O>()
    try {
      this.transducer.open().step([item], 1, output)
    } catch (defect) {
      return Effect.die(defect)
    }
    return output.isEmpty ? Effect.unit : this.wire.send(output.shift())
  }

  private finishNow(): Fx<unknown, void> {
    const misuse = this.claim()
    if (misuse !== null)
      return LowLevel.operation<never, undefined>((self) => LowLevel.misuseSelf(self, misuse))
    if (this.failure !== null) return this.failure
    if (this.isClosed) return finish(this.wire)
    if (this.isOver) return this.finishOver()
    const { output } = this
    // What is left of an item that was sent in part is no part of the end.
    if (!output.isEmpty) return Effect.flatMap(() => Effect.suspend(() => this.finishNow()))(this.flush)
    const run = this.run as Run<I, O, unknown>
    if (!this.isDone) {
      run.save?.()
      const verdict = this.attempt((out) => run.end(out))
      if (typeof verdict === 'object') {
        this.failure = verdict
        return Effect.flatMap(() => verdict)(this.flush)
      }
    }
    this.isOver = true
    const { isDone } = this
    const takeBack = (cause: Cause<unknown>): Fx<unknown, never> => {
      // Nothing of the end was sent, so it has not come.
      output.clear()
      if (!isDone) run.restore?.()
      this.isOver = false
      return Effect.failCause(cause)
    }
    return output.isEmpty
      ? Effect.catchCause(takeBack)(this.finishOver())
      : Effect.flatMap(() => this.finishOver())(Effect.catchCause(takeBack)(this.wire.send(output.shift())))
  }

  /** The rest of an end of which a part was sent. */
  private finishOver(): Fx<unknown, void> {
    const ended = Effect.map(() => {
      this.isEnded = true
    })(Effect.suspend(() => finish(this.wire)))
    return Effect.flatMap(() => ended)(this.flush)
  }
}

interface Encodes<in I> {
  encode(self: LowLevel.Self, item: I): undefined | LowLevel.Suspended
}

const encode = <I>(self: LowLevel.Self, stream: Encodes<I>, item: I): undefined | LowLevel.Suspended =>
  stream.encode(self, item)

/** Ends the sending: by `sendEof` where there is one, otherwise by closing. */
export const finish = <E>(stream: SendStream<never, E>): Fx<E, void> =>
  'sendEof' in stream ? (stream as DuplexStream<unknown, never, E>).sendEof : stream.close

// -------------------------------------------------------------------------------------
// both
// -------------------------------------------------------------------------------------

/** Two halves on one wire. */
export const joined = <In, Out, E, Attrs extends object>(
  receiving: ReceiveStream<In, E>,
  sending: SendStream<Out, E>,
  close: Fx<never, void>,
  attributes: Attributes<Attrs>
): DuplexStream<In, Out, E, Attrs> => ({
  delivery: 'reliable',
  receive: receiving.receive,
  receiveMany: receiving.receiveMany,
  send: sending.send,
  sendEof: finish(sending as SendStream<never, E>),
  close,
  attributes
})
