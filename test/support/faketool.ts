import { once } from 'node:events'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Connector, PollBudget, PollContext, PollPage, ReadRecord } from '../../jobs/connectors/connector.ts'
import { parseAllowList } from '../../jobs/connectors/guard.ts'
import type { HttpDeps, ToolHttp } from '../../jobs/connectors/http.ts'
import { openToolHttp } from '../../jobs/connectors/http.ts'

/** H1: a scripted HTTP server on loopback with a ledger of what it was asked. */
export interface FakeTool {
  readonly url: string
  /** `host:port`, for the allow list. */
  readonly endpoint: string
  /** The tool's clock, epoch ms: its Date header. Null sends none. */
  now: number | null
  readonly ledger: readonly FakeRequest[]
  /** Answers in order of registration, the latest first; a list is a page script whose last answer repeats. */
  on(path: string | RegExp, answer: Answer | readonly Answer[] | ((request: FakeRequest, nth: number) => Answer)): void
  close(): Promise<void>
}

export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Of what was written; empty for a read. */
  readonly body: string
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Sent as it is, instead of `json`. */
  readonly body?: string | Uint8Array
  /** Written one after the other, each after its wait. */
  readonly chunks?: Iterable<{ readonly bytes: string | Uint8Array; readonly afterMs?: number }>
  readonly delayMs?: number
  /** After what was sent: the connection is cut. */
  readonly cut?: boolean
}

export async function startFakeTool(now: number | null = Date.parse('2026-03-02T12:00:00Z')): Promise<FakeTool> {
  const ledger: FakeRequest[] = []
  const routes: { path: string | RegExp; answer: (request: FakeRequest, nth: number) => Answer; asked: number }[] = []
  const server = createServer(async (message, response) => {
    const url = new URL(message.url ?? '/', 'http://tool')
    let body = ''
    if (message.method !== 'GET') for await (const chunk of message) body += String(chunk)
    const request = { method: message.method ?? 'GET', path: url.pathname, query: url.searchParams, headers: message.headers, body }
    ledger.push(request)
    const route = routes.find(({ path }) => (typeof path === 'string' ? path === url.pathname : path.test(url.pathname)))
    const answer = route ? route.answer(request, route.asked++) : { status: 404, json: { error: 'no such route' } }
    send(response, answer, tool.now).catch(() => response.destroy())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const tool: FakeTool = {
    url: `http://${endpoint}`,
    endpoint,
    now,
    ledger,
    on(path, answer) {
      const script = Array.isArray(answer) ? (answer as readonly Answer[]) : null
      const answerer =
        typeof answer === 'function'
          ? answer
          : script
            ? (_: FakeRequest, nth: number) => script[Math.min(nth, script.length - 1)] ?? {}
            : () => answer as Answer
      routes.unshift({ path, answer: answerer, asked: 0 })
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
  return tool
}

async function send(response: ServerResponse, answer: Answer, now: number | null): Promise<void> {
  if (answer.delayMs) await wait(answer.delayMs)
  response.sendDate = false
  const body = answer.body ?? (answer.chunks ? '' : answer.json === undefined ? '' : JSON.stringify(answer.json))
  response.writeHead(answer.status ?? 200, {
    'content-type': 'application/json',
    ...(now === null ? {} : { date: new Date(now).toUTCString() }),
    ...answer.headers,
  })
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  for (const chunk of answer.chunks ?? []) {
    if (chunk.afterMs) await wait(chunk.afterMs)
    if (response.destroyed) return
    if (!response.write(chunk.bytes)) await once(response, 'drain', { signal: gone.signal }).catch(() => {})
  }
  if (!answer.cut) return void response.end(body)
  response.write(body || ' ')
  await wait(5)
  response.destroy()
}

/** A connector wired to a fake tool as the engine would, with a clock that stands and sleeps that take no time. */
export interface Session {
  readonly http: ToolHttp
  /** Our clock, epoch ms. */
  now: number
  readonly slept: number[]
  poll(stream: string, cursor: unknown, budget?: Partial<PollBudget>): Promise<PollPage>
  /** One whole pass: its pages, and the cursor after them. */
  pass(
    stream: string,
    cursor: unknown,
    budget?: Partial<PollBudget>,
  ): Promise<{ pages: PollPage[]; records: ReadRecord[]; cursor: unknown; last: PollPage }>
  context(): PollContext<unknown>
}

export function openSession<C>(
  connector: Connector<C>,
  tool: FakeTool,
  config: unknown,
  secrets: Record<string, string>,
  deps: Partial<HttpDeps> = {},
): Session {
  const parsed = connector.describe().configSchema.parse({ base_url: tool.url, ...(config as object) }) as C
  const slept: number[] = []
  const http = openToolHttp(
    { ...(connector.endpoint?.(parsed, secrets) ?? { baseUrl: tool.url, headers: {} }), requestsPerSecond: 1_000_000 },
    {
      connection: 'fake',
      allow: parseAllowList([tool.endpoint]),
      now: () => session.now,
      random: () => 0.5,
      sleep: async (ms) => void slept.push(ms),
      ...deps,
    },
  )
  const session: Session = {
    http,
    now: tool.now ?? Date.parse('2026-03-02T12:00:00Z'),
    slept,
    context: () => ({ connection: 'fake', config: parsed, http, now: session.now, signal: new AbortController().signal }),
    poll: (stream, cursor, budget) =>
      connector.poll(session.context() as PollContext<C>, stream, stored(cursor), { pageSize: 100, mode: 'incremental', ...budget }),
    async pass(stream, from, budget) {
      const pages: PollPage[] = []
      let cursor = from
      for (;;) {
        const page = await session.poll(stream, cursor, budget)
        pages.push(page)
        cursor = page.cursor
        if (page.coverage.complete) return { pages, records: pages.flatMap((one) => one.records), cursor, last: page }
      }
    },
  }
  return session
}

/** As the database gives it back. */
const stored = (cursor: unknown): unknown => (cursor === null ? null : JSON.parse(JSON.stringify(cursor)))
