/** Handing 10,000 items from one task to another, through channels of several capacities. */
import { Effect as Peer, Fiber as PeerFiber, Queue } from 'effect'
import { Effect, MemoryStream, Runtime, TaskGroup } from 'millrace'
import { PromiseQueue } from './promises.js'
import { sumTo } from './results.js'
import type { Row } from './row.js'

const count = 10_000

// ---- one sends, the other receives

const millraceHanding = (capacity: number) =>
  Effect.gen(function* () {
    const [send, receive] = yield* MemoryStream.make<number>(capacity)
    const produce = Effect.gen(function* () {
      for (let i = 0; i < count; i++) yield* send.send(i)
      yield* send.close
    })
    const sum = yield* TaskGroup.open<unknown>()((group) =>
      Effect.gen(function* () {
        yield* group.spawn(produce)
        let sum = 0
        for (let i = 0; i < count; i++) sum += yield* receive.receive
        return sum
      })
    )
    yield* receive.close
    return sum
  })

const peerHanding = (capacity: number) =>
  Peer.gen(function* () {
    const queue =
      capacity === Infinity ? yield* Queue.unbounded<number>() : yield* Queue.bounded<number>(capacity)
    const fiber = yield* Peer.forkChild(
      Peer.gen(function* () {
        for (let i = 0; i < count; i++) yield* Queue.offer(queue, i)
      })
    )
    let sum = 0
    for (let i = 0; i < count; i++) sum += yield* Queue.take(queue)
    yield* PeerFiber.join(fiber)
    return sum
  })

const nativeHanding = async (capacity: number): Promise<number> => {
  const queue = new PromiseQueue<number>(capacity)
  const produce = async (): Promise<void> => {
    for (let i = 0; i < count; i++) await queue.send(i)
  }
  const consume = async (): Promise<number> => {
    let sum = 0
    for (let i = 0; i < count; i++) sum += await queue.receive()
    return sum
  }
  const [, sum] = await Promise.all([produce(), consume()])
  return sum
}

const handing = (id: string, title: string, capacity: number, target: number): Row => {
  const millrace = millraceHanding(capacity)
  const peer = peerHanding(capacity)
  return {
    id,
    title,
    operations: count,
    target,
    expected: sumTo(count),
    native: 'promise queue',
    systems: {
      millrace: () => Runtime.runPromise(millrace),
      effect: () => Peer.runPromise(peer),
      native: () => nativeHanding(capacity)
    }
  }
}

// ---- there and back

const millracePingPong = Effect.gen(function* () {
  const [askedSend, asked] = yield* MemoryStream.make<number>(1)
  const [answeredSend, answered] = yield* MemoryStream.make<number>(1)
  const answer = Effect.gen(function* () {
    for (let i = 0; i < count; i++) yield* answeredSend.send(yield* asked.receive)
  })
  const sum = yield* TaskGroup.open<unknown>()((group) =>
    Effect.gen(function* () {
      yield* group.spawn(answer)
      let sum = 0
      for (let i = 0; i < count; i++) {
        yield* askedSend.send(i)
        sum += yield* answered.receive
      }
      return sum
    })
  )
  for (const end of [askedSend, asked, answeredSend, answered]) yield* end.close
  return sum
})

const peerPingPong = Peer.gen(function* () {
  const asked = yield* Queue.bounded<number>(1)
  const answered = yield* Queue.bounded<number>(1)
  const fiber = yield* Peer.forkChild(
    Peer.gen(function* () {
      for (let i = 0; i < count; i++) yield* Queue.offer(answered, yield* Queue.take(asked))
    })
  )
  let sum = 0
  for (let i = 0; i < count; i++) {
    yield* Queue.offer(asked, i)
    sum += yield* Queue.take(answered)
  }
  yield* PeerFiber.join(fiber)
  return sum
})

const nativePingPong = async (): Promise<number> => {
  const asked = new PromiseQueue<number>(1)
  const answered = new PromiseQueue<number>(1)
  const answer = async (): Promise<void> => {
    for (let i = 0; i < count; i++) await answered.send(await asked.receive())
  }
  const ask = async (): Promise<number> => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      await asked.send(i)
      sum += await answered.receive()
    }
    return sum
  }
  const [, sum] = await Promise.all([answer(), ask()])
  return sum
}

export const rows: ReadonlyArray<Row> = [
  {
    id: '8P',
    title: 'ping-pong q1 10k',
    operations: count,
    target: 0.08,
    expected: sumTo(count),
    native: 'promise queue',
    systems: {
      millrace: () => Runtime.runPromise(millracePingPong),
      effect: () => Peer.runPromise(peerPingPong),
      native: nativePingPong
    }
  },
  handing('8Q', 'prod/cons q1 10k', 1, 0.25),
  handing('8B', 'prod/cons q128 10k', 128, 0.17),
  handing('8U', 'prod/cons unbounded 10k', Infinity, 0.38),
  handing('8R', 'rendezvous q0 10k', 0, 0.24)
]
