/** `npm run board`: a message board over TLS, and clients that check that it keeps its promises. See `help` below. */
import { parseArgs } from 'node:util'
import { pipe } from 'fp-ts/lib/function.js'
import { CancelScope, Effect, Provider, Resource, SocketAttribute, TaskGroup } from 'millrace'
import { Main } from 'millrace/node'
import { makeAuthority } from '../support/certificates.js'
import { makeBoard } from './board.js'
import { mistakes, type Record, run as runLoad } from './load.js'
import { type Figures, listen, serve } from './server.js'

const help = `Usage: board [--clients N] [--seconds N] [--port N]

Serves a message board over TLS on localhost, with a certificate that is made on the spot, and lets clients post and follow
for some seconds. Then it shuts down, and prints whether every client saw every post, once and in order. Ctrl-C shuts down at
once, and no post that was accepted is lost.

  --clients N   how many clients (200)
  --seconds N   for how long they post (5)
  --port N      0 takes one that is free (0)
`

const host = 'localhost'

interface Settings {
  readonly clients: number
  readonly seconds: number
  readonly port: number
}

const number = (text: string): string => Number(text).toLocaleString('en')
const print = (line: string) => {
  console.log(line)
}

/** A line a second, as long as it is not cancelled. */
const showFigures = (figures: Figures, size: Effect.Effect<unknown, never, number>) =>
  Effect.gen(function* () {
    let [posts, delivered] = [0, 0]
    for (;;) {
      yield* Effect.sleep(1_000)
      const now = yield* size
      print(
        `${number(String(figures.connections))} connections, ${number(String(now - posts))} posts/s, ` +
          `${number(String(figures.delivered - delivered))} deliveries/s`
      )
      posts = now
      ;({ delivered } = figures)
    }
  })

const program = ({ clients, seconds, port }: Settings): Effect.Effect<unknown, unknown, boolean> =>
  Effect.gen(function* () {
    const authority = makeAuthority()
    const board = yield* makeBoard
    const figures: Figures = { connections: 0, delivered: 0 }
    const records: Array<Record> = []
    const server = listen({ host, port, ...authority.issue({ names: [host] }) })

    yield* pipe(
      server,
      Resource.use((listener) =>
        CancelScope.open((serving) =>
          TaskGroup.open<unknown>()((group) =>
            Effect.gen(function* () {
              const at = Provider.extra(SocketAttribute.localPort)(listener)
              print(
                `The board is at ${host}:${at}. To talk to it: openssl s_client -quiet -connect ${host}:${at}`
              )
              print('and then: {"type":"post","from":"me","text":"hello"}, or {"type":"list","after":0}')
              yield* group.spawn(serve(board, figures, print)(listener), { name: 'server' })
              yield* group.spawn(showFigures(figures, board.size), { name: 'figures', service: true })

              // When all have posted what they had to, the server shuts down as it does on Ctrl-C.
              const shutDown = serving.drain('the time is over', { grace: 30_000 })
              const load = { clients, pause: Math.max(200, clients * 10), duration: seconds * 1_000 }
              yield* runLoad({ host, port: at, ca: authority.ca }, load, records, shutDown)
            })
          )
        )
      )
    )

    const posts = yield* board.size
    const wrong = mistakes(records, posts)
    const seen = records.reduce((sum, record) => sum + record.seen.length, 0)
    print(`${records.length} clients, ${number(String(posts))} posts, ${number(String(seen))} deliveries.`)
    for (const line of wrong.slice(0, 10)) print(line)
    if (wrong.length > 0) print('What some clients saw was wrong.')
    else print(posts === 0 ? 'Nobody had posted yet.' : 'Every client saw every post, once and in order.')
    return wrong.length === 0
  })

const wholeNumber = (name: string, text: string, least: number, most: number): number => {
  if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
  throw new Error(`--${name} takes a whole number from ${least} to ${most}, not '${text}'.`)
}

const settings = (): Settings | 'help' => {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '5' },
      port: { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  if (values.help) return 'help'
  return {
    clients: wholeNumber('clients', values.clients, 1, 10_000),
    seconds: wholeNumber('seconds', values.seconds, 1, 3_600),
    port: wholeNumber('port', values.port, 0, 65_535)
  }
}

const start = (): void => {
  let given: Settings | 'help'
  try {
    given = settings()
  } catch (e) {
    console.error(`${(e as Error).message}\n\n${help}`)
    process.exitCode = 2
    return
  }
  if (given === 'help') console.log(help)
  else {
    Main.run(program(given), {
      drain: 30_000,
      exitCode: (exit, signal) =>
        exit._tag === 'Right' ? (exit.right ? (signal === undefined ? 0 : 130) : 1) : 1
    })
  }
}

start()
