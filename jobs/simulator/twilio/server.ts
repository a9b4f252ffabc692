import type { Acts } from '../acts.ts'
import { canary } from '../canary.ts'
import { unix } from '../times.ts'
import type { ToolDefinition, ToolRequest, ToolResponse } from '../tool-server.ts'
import { rateWindow } from '../tool-server.ts'
import type { Stored, World } from '../world.ts'
import { bodyOf, sendingOf } from './acts.ts'
import { accountSid, clinicNumber, senders } from './records.ts'

export interface TwilioOptions {
  readonly world: World
  readonly acts: Acts
  readonly authToken: string
  readonly requestsPerSecond: number
  readonly wall: () => number
}

const base = `/2010-04-01/Accounts/${accountSid}/Messages`
const known = new Set(['To', 'From', 'DateSent', 'DateSent<', 'DateSent>', 'PageSize', 'Page', 'PageToken'])
const sendFields = new Set(['To', 'From', 'Body', 'MessagingServiceSid', 'ContentSid', 'ContentVariables'])
const maxPageSize = 1000

const fail = (status: number, code: number, message: string): ToolResponse => ({
  status,
  body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
})
const sentAt = ({ body }: Stored) => Date.parse(String(body.date_sent ?? body.date_created))

/** Twilio's message list: newest first, filtered by the sent date only, relative page links, statuses that change later; and sending. */
export function twilio({ world, acts, authToken, requestsPerSecond, wall }: TwilioOptions): ToolDefinition {
  const limit = rateWindow(requestsPerSecond, 1000, wall)
  const expected = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`

  const list = (url: URL): ToolResponse => {
    const query = url.searchParams
    for (const key of query.keys()) if (!known.has(key)) return fail(400, 20001, `Unknown parameter ${key}`)
    const size = Number(query.get('PageSize') ?? 50)
    if (!Number.isInteger(size) || size < 1 || size > maxPageSize) return fail(400, 20007, 'Page size must be between 1 and 1000')
    const bound = (name: string) => (query.has(name) ? Date.parse(query.get(name) ?? '') : null)
    const [since, until, on] = [bound('DateSent>'), bound('DateSent<'), bound('DateSent')]
    if ([since, until, on].some((at) => at !== null && Number.isNaN(at))) return fail(400, 21603, 'DateSent is not a valid date')
    const items = [...world.all('twilio.messages').values()]
      .filter((message) => {
        const at = sentAt(message)
        if (since !== null && at < since) return false
        if (until !== null && at > until) return false
        if (on !== null && Math.floor(at / 86_400_000) !== Math.floor(on / 86_400_000)) return false
        return (!query.has('To') || query.get('To') === message.body.to) && (!query.has('From') || query.get('From') === message.body.from)
      })
      .sort((a, b) => sentAt(b) - sentAt(a) || (a.id < b.id ? 1 : -1))
    const page = Number(query.get('Page') ?? 0)
    const from = resumeAt(items, query.get('PageToken'))
    const messages = items.slice(from, from + size)
    const lastShown = messages.at(-1)
    const link = (number: number, token: string | null) => {
      const next = new URLSearchParams([...query.entries()].filter(([key]) => key !== 'Page' && key !== 'PageToken' && key !== 'PageSize'))
      next.set('PageSize', String(size))
      next.set('Page', String(number))
      if (token !== null) next.set('PageToken', token)
      return `${base}.json?${next.toString()}`
    }
    return {
      status: 200,
      body: {
        end: from + messages.length - (messages.length === 0 ? 0 : 1),
        first_page_uri: link(0, null),
        next_page_uri:
          lastShown !== undefined && from + messages.length < items.length
            ? link(page + 1, `PA${unix(sentAt(lastShown))}.${lastShown.id}`)
            : null,
        page,
        page_size: size,
        previous_page_uri: page > 0 ? link(page - 1, null) : null,
        start: from,
        uri: `${base}.json${url.search}`,
        messages: messages.map(({ body }) => body),
      },
    }
  }

  const hasOptedOut = (to: string | null) =>
    [...world.all('twilio.messages').values()].some(
      ({ body }) => body.direction === 'inbound' && body.from === to && /^\s*stop\b/i.test(String(body.body)),
    )

  const send = (request: ToolRequest): ToolResponse => {
    const form = new URLSearchParams(request.body)
    for (const key of form.keys()) if (!sendFields.has(key)) return fail(400, 20001, `Unknown parameter ${key}`)
    const to = form.get('To')
    if (to === null || !/^\+\d{8,15}$/.test(to)) return fail(400, 21211, `Invalid 'To' Phone Number: ${to ?? ''}`)
    const service = form.get('MessagingServiceSid')
    if (service === null ? !form.has('From') : !Object.values<string>(senders).includes(service))
      return fail(400, 21603, "A 'From' phone number is required.")
    const body = bodyOf(form)
    if (!body) return fail(400, 21619, 'A text message body or media urls must be specified.')
    if (hasOptedOut(to)) return fail(400, 21610, `Attempt to send to unsubscribed recipient ${canary('twilio.error', 'opted-out')}`)
    return acts.run(
      form.has('ContentSid') ? 'twilio.send' : 'twilio.resend',
      request,
      sendingOf(world, form, body, form.get('From') ?? clinicNumber),
    )
  }

  return {
    name: 'twilio',
    contentType: 'application/json;charset=utf-8',
    error: (status, code, message) => ({
      code: code === 'rate_limited' ? 20429 : 20500,
      message,
      more_info: 'https://www.twilio.com/docs/errors/20500',
      status,
    }),
    headers: () => ({ 'twilio-request-id': 'RQsimulated', 'twilio-concurrent-requests': '1' }),
    handle(request) {
      if (request.headers.authorization !== expected) return fail(401, 20003, 'Authenticate')
      if (!limit.take().allowed) return { ...fail(429, 20429, 'Too Many Requests'), headers: { 'retry-after': '1' } }
      const path = request.url.pathname
      if (request.method === 'POST' && path === `${base}.json`) return send(request)
      if (request.method !== 'GET') return fail(405, 20004, 'Method not allowed')
      if (path === `${base}.json`) return list(request.url)
      const sid = path.startsWith(`${base}/`) && path.endsWith('.json') ? path.slice(base.length + 1, -'.json'.length) : null
      const found = sid === null ? undefined : world.all('twilio.messages').get(sid)
      return found === undefined ? fail(404, 20404, `The requested resource ${path} was not found`) : { status: 200, body: found.body }
    },
  }
}

/** A page token names the last message shown, so messages sent meanwhile shift nothing. */
function resumeAt(items: readonly Stored[], token: string | null): number {
  if (token === null) return 0
  const [at, id] = token.replace(/^PA/, '').split('.')
  const sent = Number(at) * 1000
  const next = items.findIndex((item) => sentAt(item) < sent || (sentAt(item) === sent && item.id < String(id)))
  return next === -1 ? items.length : next
}
