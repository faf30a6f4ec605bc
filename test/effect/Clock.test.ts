/**
 * The clock of the host, with the host's timers replaced: delays are split, early timers set again, taken back.
 */
import { expect } from 'chai'
import { Clock, Runtime, Effect } from 'millrace'

interface FakeTimer {
  readonly callback: () => void
  readonly delay: number
  cleared: boolean
}

/** Runs `body` with a host whose time is moved by hand. */
const withFakeHost = (body: (host: { now: number; readonly timers: Array<FakeTimer> }) => void): void => {
  const host = { now: 1000, timers: [] as Array<FakeTimer> }
  const { setTimeout, clearTimeout, performance } = globalThis
  Object.assign(globalThis, {
    setTimeout: (callback: () => void, delay: number) => {
      const timer: FakeTimer = { callback, delay, cleared: false }
      host.timers.push(timer)
      return timer
    },
    clearTimeout: (timer: FakeTimer) => {
      timer.cleared = true
    }
  })
  Object.defineProperty(globalThis, 'performance', {
    value: { now: () => host.now },
    configurable: true,
    writable: true
  })
  try {
    body(host)
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout })
    Object.defineProperty(globalThis, 'performance', {
      value: performance,
      configurable: true,
      writable: true
    })
  }
}

describe('Clock.host', () => {
  it('RT-07 is monotonic', () => {
    let last = Clock.host.now()
    for (let i = 0; i < 1000; i++) {
      const now = Clock.host.now()
      expect(now).to.be.at.least(last)
      last = now
    }
  })

  it('calls once, at the time or later', () => {
    withFakeHost((host) => {
      let calls = 0
      Clock.host.at(1010.5, () => calls++)
      expect(host.timers.map(({ delay }) => delay)).to.deep.equal([11])
      host.now = 1011
      host.timers[0]!.callback()
      expect([calls, host.timers.length]).to.deep.equal([1, 1])
    })
  })

  it('a time in the past is called as soon as can be, and not at once', () => {
    withFakeHost((host) => {
      let calls = 0
      Clock.host.at(0, () => calls++)
      expect([calls, host.timers[0]!.delay]).to.deep.equal([0, 0])
      host.timers[0]!.callback()
      expect(calls).to.equal(1)
    })
  })

  it('a timer that fires early is set again', () => {
    withFakeHost((host) => {
      let calls = 0
      Clock.host.at(1010, () => calls++)
      host.now = 1009.4
      host.timers[0]!.callback()
      expect([calls, host.timers[1]!.delay]).to.deep.equal([0, 1])
      host.now = 1010
      host.timers[1]!.callback()
      expect(calls).to.equal(1)
    })
  })

  it('a delay that a timer cannot hold is split', () => {
    const longest = 2 ** 31 - 1
    withFakeHost((host) => {
      let calls = 0
      Clock.host.at(1000 + 2 * longest + 5, () => calls++)
      for (const expected of [longest, longest, 5]) {
        const timer = host.timers.at(-1)!
        expect(timer.delay).to.equal(expected)
        host.now += timer.delay
        timer.callback()
      }
      expect([calls, host.timers.length]).to.deep.equal([1, 3])
    })
  })

  it('can be taken back, also when it was set again', () => {
    withFakeHost((host) => {
      const takeBack = Clock.host.at(1010, () => {
        throw new Error('called')
      })
      host.now = 1005
      host.timers[0]!.callback()
      takeBack()
      expect(host.timers.map(({ cleared }) => cleared)).to.deep.equal([false, true])
    })
  })

  it('RT-07 a run reads it', async () => {
    const before = Clock.host.now()
    const during = await Runtime.runPromise(Effect.currentTime)
    expect(during).to.be.within(before, Clock.host.now())
  })

  it('RT-06 a sleep on it ends not before its time', async () => {
    const before = Clock.host.now()
    await Runtime.runPromise(Effect.sleep(5))
    expect(Clock.host.now() - before).to.be.at.least(5)
  })
})
