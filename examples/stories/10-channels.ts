// Two producers, three consumers. Each owns a clone of its end, so the stream ends when the last producer has closed.
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { Effect, MemoryStream, Resource, Stream, TaskGroup } from 'millrace'
import type { StreamError, Task } from 'millrace'
import { Main } from 'millrace/node'

type Failure = StreamError.ClosedResource | StreamError.BrokenResource

const produce = (out: MemoryStream.MemorySendStream<number>, from: number) =>
  pipe(
    Resource.closing(Effect.succeed(out)),
    Resource.use((send) =>
      pipe(
        RA.makeBy(5, (i) => from + i),
        Effect.forEach(send.send)
      )
    )
  )

const consume = (source: MemoryStream.MemoryReceiveStream<number>) =>
  pipe(
    Resource.closing(Effect.succeed(source)),
    Resource.use(Stream.fold(0, (sum: number, n: number) => sum + n))
  )

const program = Effect.gen(function* () {
  const [send, receive] = yield* MemoryStream.make<number>(4)

  const total = yield* TaskGroup.open<Failure>()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(produce(yield* send.clone, 0), { name: 'low' })
      yield* group.spawn(produce(yield* send.clone, 100), { name: 'high' })
      yield* send.close

      const consumers: Array<Task.Task<Failure, number>> = []
      for (const name of ['a', 'b', 'c']) {
        consumers.push(yield* group.spawn(consume(yield* receive.clone), { name }))
      }
      yield* receive.close

      const sums = yield* pipe(
        consumers,
        Effect.traverseArray((task) => task.join)
      )
      return sums.reduce((a, b) => a + b, 0)
    })
  )
  yield* Effect.sync(() => console.log(total))
})

Main.run(program)

// Output:
// 520
