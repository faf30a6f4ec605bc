/** The board as a process, and talked to by hand: what it promises to those who do not use its own client. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as tls from 'node:tls'
import { expect } from 'chai'
import { pipe } from 'fp-ts/lib/function.js'
import {
  CancelScope,
  Effect,
  Promises,
  Provider,
  Resource,
  Runtime,
  SocketAttribute,
  TaskGroup
} from 'millrace'
import { makeBoard } from '../../examples/board/board.js'
import { connect } from '../../examples/board/client.js'
import { mistakes } from '../../examples/board/load.js'
import { type Figures, listen, serve } from '../../examples/board/server.js'
import { makeAuthority } from '../../examples/support/certificates.js'
import type { Fx } from '../support/kernel.js'
import { runProgram } from '../support/program.js'

const program = 'build/examples/board/main.js'
const host = 'localhost'
const authority = makeAuthority()

interface Served {
  readonly port: number
  readonly drain: Fx<void>
  readonly log: ReadonlyArray<string>
}

/** A server, until `use` is over; `drain` shuts it down as Ctrl-C does. */
const served = <A>(use: (server: Served) => Fx<A, unknown>): Promise<A> =>
  Runtime.runPromise(
    Effect.gen(function* () {
      const board = yield* makeBoard
      const figures: Figures = { connections: 0, delivered: 0 }
      const log: Array<string> = []
      const listening = listen({ host, port: 0, ...authority.issue({ names: [host] }) })
      const result = yield* pipe(
        listening,
        Resource.use((listener) =>
          CancelScope.open((scope) =>
            TaskGroup.open<unknown>()((group) =>
              Effect.gen(function* () {
                yield* group.spawn(serve(board, figures, (line) => log.push(line))(listener), {
                  service: true
                })
                const port = Provider.extra(SocketAttribute.localPort)(listener)
                return yield* use({ port, log, drain: scope.drain('enough', { grace: 10_000 }) })
              })
            )
          )
        )
      )
      return (result as { readonly value: A }).value
    })
  )

/** A connection by hand, line by line. */
class ByHand {
  private text = ''
  readonly socket: tls.TLSSocket

  constructor(port: number) {
    this.socket = tls.connect({ host, port, ca: authority.ca, servername: host })
    this.socket.on('error', () => undefined)
    this.socket.on('data', (chunk) => (this.text += String(chunk)))
  }

  say(line: unknown): void {
    this.socket.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
  }

  lines(): ReadonlyArray<unknown> {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown)
  }

  async until(count: number): Promise<ReadonlyArray<unknown>> {
    while (this.lines().length < count && !this.socket.readableEnded) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    return this.lines()
  }

  ended(): Promise<unknown> {
    return this.socket.readableEnded ? Promise.resolve() : once(this.socket, 'end')
  }
}

const outside = <A>(f: () => Promise<A>): Fx<A> => Promises.fromPromise(f, { abandonOnCancel: true })

describe('board', () => {
  it('every client sees every post, once and in order', async () => {
    const ran = await runProgram(program, ['--clients', '5', '--seconds', '1'])
    expect(ran.stderr).to.equal('')
    expect(ran.stdout).to.match(/^The board is at localhost:\d+\./)
    expect(ran.stdout).to.match(/\n5 clients, [1-9]\d* posts, [1-9]\d* deliveries\.\n/)
    expect(ran.stdout).to.match(/\nEvery client saw every post, once and in order\.\n$/)
    expect(ran.code).to.equal(0)
  }).timeout(30_000)

  it('Ctrl-C shuts it down, and loses no post that was accepted', async () => {
    const ran = await runProgram(program, ['--clients', '5', '--seconds', '1000'], {
      signalAfter: /[1-9]\d* deliveries\/s/
    })
    expect(ran.stdout).to.match(/\n5 clients, [1-9]\d* posts, [1-9]\d* deliveries\.\n/)
    expect(ran.stdout).to.match(/\nEvery client saw every post, once and in order\.\n$/)
    expect(ran.code).to.equal(130)
  }).timeout(30_000)

  it('Ctrl-C while the clients connect is no failure', async () => {
    const ran = await runProgram(program, ['--clients', '200', '--seconds', '1000'], {
      signalAfter: /The board is at/
    })
    expect(ran.stderr).to.equal('')
    expect(ran.stdout).to.match(/\n\d+ clients, 0 posts, 0 deliveries\.\nNobody had posted yet\.\n$/)
    expect(ran.code).to.equal(130)
  }).timeout(30_000)

  it('wrong arguments are told apart', async () => {
    for (const args of [['--clients', '0'], ['--seconds', 'x'], ['--nonsense']]) {
      const ran = await runProgram(program, args)
      expect(ran.code).to.equal(2)
      expect(ran.stderr).to.include('Usage: board')
    }
  }).timeout(30_000)

  it('lines by hand are answered, and who follows gets all posts', async () => {
    const seen = await served(({ port }) =>
      outside(async () => {
        const [writer, reader] = [new ByHand(port), new ByHand(port)]
        writer.say({ type: 'post', from: 'ann', text: 'one' })
        await writer.until(1)
        reader.say({ type: 'follow', after: 0 })
        await reader.until(1)
        writer.say({ type: 'post', from: 'ann', text: 'two' })
        writer.say({ type: 'list', after: 1 })
        const answers = await writer.until(3)
        const news = await reader.until(2)
        for (const { socket } of [writer, reader]) socket.end()
        await Promise.all([writer.ended(), reader.ended()])
        return { answers, news }
      })
    )
    const [one, two] = [
      { id: 1, from: 'ann', text: 'one' },
      { id: 2, from: 'ann', text: 'two' }
    ]
    expect(seen.answers).to.deep.equal([
      { type: 'posted', id: 1 },
      { type: 'posted', id: 2 },
      { type: 'listed', posts: [two] }
    ])
    expect(seen.news).to.deep.equal([
      { type: 'news', posts: [one] },
      { type: 'news', posts: [two] }
    ])
  })

  it('what is no request is refused with the reason, and that connection is closed; others go on', async () => {
    const seen = await served(({ port, log }) =>
      outside(async () => {
        const other = new ByHand(port)
        const refusals: Array<unknown> = []
        for (const line of ['no JSON', '{"type":"post","from":1,"text":"x"}', '{"type":"delete"}']) {
          const client = new ByHand(port)
          client.say(line)
          await client.ended()
          refusals.push(client.lines().map((answer) => (answer as { readonly type: string }).type))
          client.socket.destroy()
        }
        other.say({ type: 'post', from: 'ann', text: 'x' })
        const answers = await other.until(1)
        other.socket.destroy()
        return { refusals, answers, log }
      })
    )
    expect(seen.refusals).to.deep.equal([['refused'], ['refused'], ['refused']])
    expect(seen.answers).to.deep.equal([{ type: 'posted', id: 1 }])
  })

  it('when it drains, who follows gets what was accepted and then the end; nothing more is accepted', async () => {
    const seen = await served(({ port, drain }) =>
      Effect.gen(function* () {
        const client = yield* outside(async () => {
          const it = new ByHand(port)
          it.say({ type: 'follow', after: 0 })
          for (let i = 1; i <= 20; i++) it.say({ type: 'post', from: 'ann', text: String(i) })
          while (it.lines().filter((line) => (line as { type: string }).type === 'posted').length < 20) {
            await new Promise((resolve) => setImmediate(resolve))
          }
          return it
        })
        yield* drain
        return yield* outside(async () => {
          await client.ended()
          client.socket.destroy()
          return client
            .lines()
            .flatMap((line) =>
              'posts' in (line as object) ? (line as { posts: Array<{ id: number }> }).posts : []
            )
            .map(({ id }) => id)
        })
      })
    )
    expect(seen).to.deep.equal(Array.from({ length: 20 }, (_, i) => i + 1))
  })

  it('its own client posts and lists', async () => {
    const seen = await served(({ port }) =>
      pipe(
        connect({ host, port, ca: authority.ca }),
        Resource.use((client) =>
          Effect.gen(function* () {
            const id = yield* client.post('ann', 'hello')
            return [id, yield* client.list(0)]
          })
        )
      )
    )
    expect(seen).to.deep.equal([1, [{ id: 1, from: 'ann', text: 'hello' }]])
  })

  it('what clients saw is checked: a post that is missing, twice, or not as it was sent', () => {
    const post = (id: number, text = `a${id}`) => ({ id, from: 'a', text })
    const record = (seen: ReadonlyArray<ReturnType<typeof post>>) => ({
      name: 'a',
      accepted: new Map([
        [1, 'a1'],
        [2, 'a2']
      ]),
      seen: [...seen]
    })
    expect(mistakes([record([post(1), post(2)])], 2)).to.deep.equal([])
    for (const seen of [[post(1)], [post(1), post(1)], [post(2), post(1)], [post(1), post(2, 'other')]]) {
      expect(mistakes([record(seen)], 2)).to.not.deep.equal([])
    }
    expect(mistakes([record([post(1)])], 1)).to.include('2 posts were accepted, and 1 are on the board')
  })

  const hasOpenssl = spawnSync('openssl', ['version']).status === 0
  it(
    hasOpenssl ? 'openssl s_client can post' : 'there is no openssl on this machine to post with',
    async () => {
      if (!hasOpenssl) return
      const output = await served(({ port }) =>
        outside(async () => {
          const child = spawn('openssl', ['s_client', '-quiet', '-no_ign_eof', '-connect', `${host}:${port}`])
          let all = ''
          child.stdout.on('data', (chunk) => (all += String(chunk)))
          child.stdin.write('{"type":"post","from":"me","text":"hello"}\n')
          while (!all.includes('\n') && child.exitCode === null)
            await new Promise((resolve) => setImmediate(resolve))
          child.stdin.end()
          await once(child, 'close')
          return all
        })
      )
      expect(output).to.equal('{"type":"posted","id":1}\n')
    }
  ).timeout(15_000)
})
