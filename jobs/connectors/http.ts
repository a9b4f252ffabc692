import { Agent, type Dispatcher, request } from 'undici'
import { BodyRefused, readBody } from './body.ts'
import { ToolError } from './connector.ts'
import { checkToolUrl } from './guard.ts'
import { guardedConnect, type Resolve } from './guarded-connect.ts'
import { parseJson } from './json.ts'
import { answerSentence, isSurelyNotDone, reasonOf, type SendOptions, type Sent } from './sent.ts'

/** How one connection is reached. Made by `Connector.open` from its configuration and secrets; it lives inside ToolHttp only. */
export interface ToolEndpoint {
  /** The one origin (and path prefix) requests may go to. */
  readonly baseUrl: string
  /** Sent with every request to that origin and nowhere else; credentials included. */
  readonly headers: Readonly<Record<string, string>>
  readonly requestsPerSecond: number
}

export interface ToolResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Read without loss: see `parseJson`. */
  readonly json: unknown
  /** The tool's clock when we sent the request, by its Date header; null where it gives none. Epoch ms, never later than the truth. */
  readonly toolTime: number | null
  /** Tool clock minus ours, ms. */
  readonly dateSkewMs: number | null
}

export interface GetOptions {
  /** Arrays repeat the key. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  /** What is read, in our words, for messages: `payment_intents`. */
  readonly what: string
  readonly signal?: AbortSignal
  /** Told of every try, also of those that are tried again. */
  readonly observe?: (seen: RequestSeen) => void
}

/** One try of one request. Times in milliseconds. */
export interface RequestSeen {
  readonly tookMs: number
  /** Null: it was answered well. */
  readonly reason: ToolError['reason'] | null
  readonly isRetry: boolean
  /** Until the next try; 0 where there is none. */
  readonly waitMs: number
}

export interface ToolHttp {
  /**
   * Reads `path` (below the base URL) or a URL of the same origin. Retries what is worth it.
   * @throws ToolError: every answer but a 2xx with a JSON body is one.
   */
  get(pathOrUrl: string, options: GetOptions): Promise<ToolResponse>
  /**
   * Writes once, within the same bounds as `get`, over a connection of its own, and never tries again: what came of it is told apart as
   * done, surely not done, or unclear. Never throws for what the tool answers or fails to.
   */
  send(pathOrUrl: string, options: SendOptions): Promise<Sent>
  /** Refuses a `next` link that leads elsewhere, without following it. @throws ToolError refused_address */
  sameOrigin(url: string): string
  close(): Promise<void>
}

export interface HttpLimits {
  /** Bytes of a body, before and after decompression. */
  readonly bodyBytes: number
  /** From sending to the last byte, milliseconds. */
  readonly deadlineMs: number
  readonly attempts: number
  /** A wait longer than this is left to the schedule. */
  readonly waitMs: number
  /** A Retry-After beyond this is not believed. */
  readonly retryAfterMs: number
}
export const defaultHttpLimits: HttpLimits = {
  bodyBytes: 16_777_216,
  deadlineMs: 30_000,
  attempts: 4,
  waitMs: 10_000,
  retryAfterMs: 3_600_000,
}

export interface HttpDeps {
  readonly connection: string
  /** From `parseAllowList`; file configuration only. */
  readonly allow: ReadonlySet<string>
  /** Domain time, epoch ms: what the tool's Date header is compared with. */
  readonly now: () => number
  /** Wall time for budgets, ms, only ever compared with itself. */
  readonly wallNow?: () => number
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
  /** 0 ≤ x < 1 */
  readonly random?: () => number
  readonly resolve?: Resolve
  readonly limits?: Partial<HttpLimits>
}

const refusalBytes = 65_536
const jsonType = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i

export function openToolHttp(endpoint: ToolEndpoint, deps: HttpDeps): ToolHttp {
  const limits = { ...defaultHttpLimits, ...deps.limits }
  const wallNow = deps.wallNow ?? (() => performance.now())
  const sleep = deps.sleep ?? sleepFor
  const random = deps.random ?? Math.random
  const base = checkedUrl(endpoint.baseUrl)
  const connect = guardedConnect(
    { allow: deps.allow, fail, ...(deps.resolve === undefined ? {} : { resolve: deps.resolve }) },
    Math.min(10_000, limits.deadlineMs),
  )
  const perConnection = { pipelining: 1, headersTimeout: limits.deadlineMs, bodyTimeout: limits.deadlineMs }
  const dispatcher = new Agent({ ...perConnection, connect, connections: 4 })
  const gapMs = 1000 / endpoint.requestsPerSecond
  let freeAt = 0

  function fail(reason: ToolError['reason'], what: string, retryAfterMs?: number): ToolError {
    return new ToolError(reason, `Connection ${deps.connection}: ${what}`, retryAfterMs === undefined ? {} : { retryAfterMs })
  }

  function checkedUrl(raw: string): URL {
    const verdict = checkToolUrl(raw, deps.allow)
    if (verdict.ok) return new URL(raw)
    throw fail(
      'refused_address',
      `its address ${verdict.why}. Tools inside your network are listed as host:port under egress.allow in the file configuration.`,
    )
  }

  function target(pathOrUrl: string): URL {
    if (/^[a-z][a-z0-9+.-]*:/i.test(pathOrUrl) || pathOrUrl.startsWith('//') || pathOrUrl.includes('\\'))
      return new URL(sameOrigin(pathOrUrl))
    const url = new URL(base.href)
    const mark = pathOrUrl.indexOf('?')
    const path = mark < 0 ? pathOrUrl : pathOrUrl.slice(0, mark)
    url.pathname = path.startsWith('/') ? path : `${base.pathname.replace(/\/$/, '')}/${path}`
    url.search = mark < 0 ? '' : pathOrUrl.slice(mark)
    return url
  }

  function sameOrigin(raw: string): string {
    const url = URL.canParse(raw, base.href) ? new URL(raw, base.href) : null
    if (url && url.origin === base.origin && !url.username && !url.password) return url.href
    throw fail('refused_address', 'the tool answered with a link to another address. It was not followed.')
  }

  /** One slot per request, evenly spaced, so a burst never exceeds the budget. */
  async function takeSlot(signal?: AbortSignal): Promise<void> {
    const now = wallNow()
    const at = Math.max(now, freeAt)
    freeAt = at + gapMs
    if (at > now) await sleep(at - now, signal)
  }

  function withQuery(pathOrUrl: string, query: GetOptions['query']): URL {
    const url = target(pathOrUrl)
    for (const [key, value] of Object.entries(query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) url.searchParams.append(key, String(one))
    }
    return url
  }

  async function get(pathOrUrl: string, options: GetOptions): Promise<ToolResponse> {
    const url = withQuery(pathOrUrl, options.query)
    for (let attempt = 1; ; attempt++) {
      await takeSlot(options.signal)
      const askedAt = wallNow()
      const see = (reason: RequestSeen['reason'], waitMs: number) =>
        options.observe?.({ tookMs: Math.max(0, wallNow() - askedAt), reason, isRetry: attempt > 1, waitMs })
      try {
        const response = await attemptOnce(url, options)
        see(null, 0)
        return response
      } catch (error) {
        if (!(error instanceof ToolError)) throw error
        const backoffMs = Math.min(limits.waitMs, 500 * 2 ** (attempt - 1))
        const waitMs = error.retryAfterMs === null ? backoffMs * (0.5 + random() / 2) : error.retryAfterMs + random() * 250
        const isLast = options.signal?.aborted || attempt >= limits.attempts || !isPassing(error) || waitMs > limits.waitMs + 250
        see(error.reason, isLast ? 0 : waitMs)
        if (isLast) throw error
        await sleep(waitMs, options.signal)
      }
    }
  }

  async function attemptOnce(url: URL, options: GetOptions): Promise<ToolResponse> {
    const verdict = checkToolUrl(url, deps.allow)
    if (!verdict.ok) throw fail('refused_address', `its address ${verdict.why}.`)
    const deadline = AbortSignal.timeout(limits.deadlineMs)
    const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
    const sentAt = deps.now()
    try {
      const response = await request(url, {
        method: 'GET',
        dispatcher,
        signal,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'gzip',
          'user-agent': 'throughline/0.1',
          ...endpoint.headers,
          ...options.headers,
        },
      })
      // Letting a body go makes it emit an error nobody waits for any more.
      response.body.on('error', () => {})
      if (response.statusCode !== 200) {
        const headers = flat(response.headers)
        await response.body.dump({ limit: refusalBytes, signal }).catch(() => {})
        throw refusal(response.statusCode, headers, dateOf(headers), options.what)
      }
      return await readJson(response, options.what, sentAt)
    } catch (error) {
      throw asToolError(error, options, deadline)
    }
  }

  async function readJson(response: Dispatcher.ResponseData, what: string, sentAt: number): Promise<ToolResponse> {
    const headers = flat(response.headers)
    const date = dateOf(headers)
    const tookMs = Math.max(0, deps.now() - sentAt)
    if (!jsonType.test(headers['content-type'] ?? '')) {
      response.body.destroy()
      throw fail(
        'bad_response',
        `reading ${what}, the tool answered with ${mediaType(headers)} instead of JSON. Nothing was taken from it; is the base URL right, or a sign-in page in the way?`,
      )
    }
    const charset = /charset\s*=\s*"?([\w-]+)/i.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase() ?? 'utf-8'
    if (charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') {
      response.body.destroy()
      throw fail('bad_response', `reading ${what}, the tool answered in another encoding than UTF-8.`)
    }
    const bytes = await readBody(response.body, headers['content-encoding'], limits.bodyBytes)
    return {
      status: response.statusCode,
      headers,
      json: parsed(bytes, what),
      toolTime: Number.isNaN(date) ? null : date - tookMs,
      dateSkewMs: Number.isNaN(date) ? null : date - (sentAt + tookMs),
    }
  }

  async function send(pathOrUrl: string, options: SendOptions): Promise<Sent> {
    const { what } = options
    const notDone = (reason: ToolError['reason'], status: number | null, message: string): Sent => ({
      kind: 'not_done',
      reason,
      status,
      json: undefined,
      message,
      retryAfterMs: null,
    })
    const words = (text: string) => fail('network', text).message
    let url: URL
    try {
      url = withQuery(pathOrUrl, options.query)
      const verdict = checkToolUrl(url, deps.allow)
      if (!verdict.ok) return notDone('refused_address', null, words(`its address ${verdict.why}. Nothing was sent.`))
    } catch (error) {
      if (error instanceof ToolError) return notDone(error.reason, null, error.message)
      return notDone('refused_address', null, words('its address cannot be read. Nothing was sent.'))
    }
    await takeSlot(options.signal)
    if (options.signal?.aborted) return notDone('timeout', null, words(`${what} was stopped before it was sent.`))

    // A connection of its own: one that was kept alive may be cut as it is used, which would leave unclear what was never sent.
    let isReached = false
    const line = new Agent({
      ...perConnection,
      connect: (target, callback) =>
        connect(target, (...[error, socket]) => {
          isReached ||= error === null
          if (error === null) callback(null, socket)
          else callback(error, null)
        }),
    })
    const deadline = AbortSignal.timeout(limits.deadlineMs)
    const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
    const askedAt = wallNow()
    const sentAt = deps.now()
    let status: number | null = null
    const answer = async (): Promise<Sent> => {
      const response = await request(url, { method: options.method, dispatcher: line, signal, ...written(options) })
      response.body.on('error', () => {})
      status = response.statusCode
      if (status >= 200 && status < 300) return { kind: 'answered', response: await readJson(response, what, sentAt) }
      const headers = flat(response.headers)
      const reason = reasonOf(status)
      if (!isSurelyNotDone(status)) {
        await response.body.dump({ limit: refusalBytes, signal }).catch(() => {})
        return {
          kind: 'unclear',
          reason,
          status,
          isReplay: headers['idempotent-replayed'] === 'true',
          message: words(answerSentence(status, what)),
        }
      }
      const json = jsonType.test(headers['content-type'] ?? '')
        ? await readBody(response.body, headers['content-encoding'], refusalBytes)
            .then(parseJson)
            .catch(() => undefined)
        : void response.body.destroy()
      return {
        kind: 'not_done',
        reason,
        status,
        json,
        message: words(answerSentence(status, what)),
        retryAfterMs: retryAfterOf(headers, dateOf(headers), limits.retryAfterMs),
      }
    }
    try {
      const sent = await answer().catch((error: unknown): Sent => {
        const { reason, message } = asToolError(error, { what, ...(options.signal ? { signal: options.signal } : {}) }, deadline, 'sending')
        if (!isReached) return notDone(reason, null, `${message} Nothing was sent.`)
        return {
          kind: 'unclear',
          reason,
          status,
          isReplay: false,
          message: `${message} It may have been done: look before it is repeated.`,
        }
      })
      const reason = sent.kind === 'answered' ? null : sent.reason
      options.observe?.({ tookMs: Math.max(0, wallNow() - askedAt), reason, isRetry: false, waitMs: 0 })
      return sent
    } finally {
      void line.destroy().catch(() => {})
    }
  }

  function written({ body, headers }: SendOptions): { headers: Record<string, string>; body?: string } {
    const common = {
      accept: 'application/json',
      'accept-encoding': 'gzip',
      'user-agent': 'throughline/0.1',
      ...endpoint.headers,
      ...headers,
    }
    if (body === undefined) return { headers: common }
    if ('json' in body) return { headers: { 'content-type': body.type ?? 'application/json', ...common }, body: JSON.stringify(body.json) }
    const form = new URLSearchParams()
    for (const [key, value] of Object.entries(body.form)) if (value !== undefined) form.append(key, String(value))
    return { headers: { 'content-type': 'application/x-www-form-urlencoded', ...common }, body: form.toString() }
  }

  function refusal(status: number, headers: Readonly<Record<string, string>>, date: number, what: string): ToolError {
    if (status === 401 || status === 403)
      return fail(
        'auth',
        `the tool refused the credentials while reading ${what} (${status}). Replace the secret, or widen its scope, to resume.`,
      )
    if (status === 404 || status === 410) return fail('not_found', `the tool does not know ${what} (${status}).`)
    if (status === 429)
      return fail(
        'rate_limited',
        `the tool asked to slow down while reading ${what} (429).`,
        retryAfterOf(headers, date, limits.retryAfterMs) ?? undefined,
      )
    if (status >= 500)
      return fail(
        'network',
        `the tool failed while reading ${what} (${status}).`,
        retryAfterOf(headers, date, limits.retryAfterMs) ?? undefined,
      )
    if (status >= 300 && status < 400)
      return fail('bad_response', `reading ${what}, the tool redirected (${status}). Redirects are not followed: correct the base URL.`)
    return fail('bad_response', `reading ${what}, the tool answered ${status}.`)
  }

  function parsed(bytes: Uint8Array, what: string): unknown {
    try {
      return parseJson(bytes)
    } catch (error) {
      if (error instanceof SyntaxError)
        throw fail('bad_response', `reading ${what}, the answer was ${error.message}. Nothing was taken from it.`)
      throw fail('bad_response', `reading ${what}, the answer could not be read as JSON.`)
    }
  }

  function asToolError(error: unknown, options: Pick<GetOptions, 'what' | 'signal'>, deadline: AbortSignal, verb = 'reading'): ToolError {
    const cause = error instanceof Error && error.cause instanceof ToolError ? error.cause : error
    if (cause instanceof ToolError) return cause
    if (cause instanceof BodyRefused) return fail('bad_response', `${verb} ${options.what}, ${cause.message}`)
    if (options.signal?.aborted) return fail('timeout', `${verb} ${options.what} was stopped.`)
    if (deadline.aborted) return fail('timeout', `${verb} ${options.what} took longer than ${limits.deadlineMs} ms.`)
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[A-Z0-9_]{3,40}$/.test(error.code)
        ? error.code
        : 'no connection'
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
      return fail('timeout', `${verb} ${options.what} took longer than ${limits.deadlineMs} ms.`)
    return fail(
      'network',
      verb === 'reading' ? `${options.what} could not be read (${code}).` : `no answer to ${options.what} came (${code}).`,
    )
  }

  return { get, send, sameOrigin, close: () => dispatcher.close() }
}

const dateOf = (headers: Readonly<Record<string, string>>) => (headers.date ? Date.parse(headers.date) : Number.NaN)
const isPassing = (error: ToolError) => error.reason === 'network' || error.reason === 'rate_limited'

/** Retry-After in milliseconds: seconds, or a date measured against the tool's own clock; null when absent or unreadable. */
export function retryAfterOf(headers: Readonly<Record<string, string>>, toolDate: number, capMs: number): number | null {
  const raw = headers['retry-after']?.trim()
  if (!raw) return null
  const at = /^\d+$/.test(raw) ? Number(raw) * 1000 : Date.parse(raw) - toolDate
  return Number.isNaN(at) ? null : Math.min(Math.max(at, 0), capMs)
}

function mediaType(headers: Readonly<Record<string, string>>): string {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'something untyped'
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) out[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  return out
}

function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms)
    const stop = () => {
      clearTimeout(timer)
      done()
    }
    signal?.addEventListener('abort', stop, { once: true })
  })
}
