import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SimulatedClock } from './clock.ts'
import { canary } from './canary.ts'
import type { World } from './world.ts'

export interface ToolRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Domain time of this request, epoch ms. */
  readonly now: number
}

export interface ToolResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
  /** The connection is cut instead of answering. */
  readonly isCut?: boolean
}

/** What can be wrong with a tool as a whole. `null` values mean: in order. */
export interface Switches {
  /** Refuses connections after accepting them: the tool is down. */
  down: boolean
  /** Answers 500 in the tool's own error shape. */
  failing: boolean
  /** Answers 200 with a login page. */
  html: boolean
  /** The next so many requests are answered 429. */
  throttleNext: number
  retryAfterSeconds: number
  /** Wall milliseconds every answer takes. */
  slowMs: number
}

export interface ToolDefinition {
  readonly name: string
  readonly contentType: string
  handle(request: ToolRequest): ToolResponse
  error(status: number, code: string, message: string): unknown
  /** Sent with every answer, e.g. rate headers. */
  headers?(request: ToolRequest): Readonly<Record<string, string>>
}

export interface RunningTool {
  readonly name: string
  readonly url: string
  readonly switches: Switches
  readonly requests: { readonly method: string; readonly url: string; readonly status: number }[]
  stop(): Promise<void>
}

export interface ToolServerOptions {
  readonly world: World
  readonly clock: SimulatedClock
  readonly port: number
  readonly isDown?: (now: number, url: string) => boolean
  /** Sees every exchange; the tests hold it against the vendor's own description. */
  readonly observe?: (
    tool: string,
    request: { method: string; url: string; headers: IncomingMessage['headers']; body: string },
    response: ToolResponse,
  ) => void
}

const maxBodyBytes = 1_000_000
const keptRequests = 1000

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBodyBytes) throw new Error('body too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** One vendor's API on loopback. Its Date header tells the simulated time; its faults are switches. */
export async function serveTool(tool: ToolDefinition, options: ToolServerOptions): Promise<RunningTool> {
  const switches: Switches = { down: false, failing: false, html: false, throttleNext: 0, retryAfterSeconds: 1, slowMs: 0 }
  const requests: RunningTool['requests'] = []

  const answer = (request: ToolRequest): ToolResponse => {
    if (switches.html)
      return {
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: `<html><body>Sign in. ${canary('html', tool.name)}</body></html>`,
      }
    if (switches.failing)
      return { status: 500, body: tool.error(500, 'internal', `An unexpected error occurred. ${canary('error', tool.name)}`) }
    if (switches.throttleNext > 0) {
      switches.throttleNext--
      return {
        status: 429,
        headers: { 'retry-after': String(switches.retryAfterSeconds) },
        body: tool.error(429, 'rate_limited', 'Too many requests.'),
      }
    }
    return tool.handle(request)
  }

  const server = createServer((message, response) => {
    void (async () => {
      const now = options.clock.now()
      if (switches.down || options.isDown?.(now, message.url ?? '')) return message.destroy()
      options.world.advance(now)
      const body = await readBody(message)
      const url = new URL(message.url ?? '/', `http://${message.headers.host ?? '127.0.0.1'}`)
      const request: ToolRequest = { method: message.method ?? 'GET', url, headers: message.headers, body, now }
      let answered: ToolResponse
      try {
        answered = answer(request)
      } catch (error) {
        process.stderr.write(`simulator ${tool.name}: ${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`)
        answered = { status: 500, body: tool.error(500, 'internal', 'The simulator failed.') }
      }
      if (requests.length >= keptRequests) requests.shift()
      requests.push({ method: request.method, url: message.url ?? '', status: answered.status })
      options.observe?.(tool.name, { method: request.method, url: message.url ?? '', headers: message.headers, body }, answered)
      if (switches.slowMs > 0) await new Promise((done) => setTimeout(done, switches.slowMs))
      if (answered.isCut) return message.socket.destroy()
      response.sendDate = false
      response.writeHead(answered.status, {
        'content-type': tool.contentType,
        date: new Date(now).toUTCString(),
        ...tool.headers?.(request),
        ...answered.headers,
      })
      response.end(typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body))
    })().catch(() => message.destroy())
  })
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    server.listen(options.port, '127.0.0.1', done)
  })
  const { port } = server.address() as AddressInfo
  return {
    name: tool.name,
    url: `http://127.0.0.1:${port}`,
    switches,
    requests,
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

/** Allows `limit` requests per window of wall time; says how many are left. */
export function rateWindow(limit: number, windowMs: number, wall: () => number) {
  let windowStart = Number.NEGATIVE_INFINITY
  let used = 0
  return {
    take(): { readonly allowed: boolean; readonly remaining: number; readonly resetSeconds: number } {
      const at = wall()
      if (at - windowStart >= windowMs || at < windowStart) [windowStart, used] = [at, 0]
      used++
      return {
        allowed: used <= limit,
        remaining: Math.max(0, limit - used),
        resetSeconds: Math.max(1, Math.ceil((windowStart + windowMs - at) / 1000)),
      }
    },
  }
}
