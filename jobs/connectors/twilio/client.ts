import { z } from 'zod'
import type { PollContext } from '../connector.ts'
import { ToolError } from '../connector.ts'
import type { ToolResponse } from '../http.ts'
import { readEnvelope } from '../pass.ts'
import type { Sent } from '../sent.ts'
import type { TwilioConfig } from './index.ts'

type Context = PollContext<TwilioConfig>

const listSchema = z.object({ messages: z.array(z.unknown()), next_page_uri: z.string().nullable() })
const placedSchema = z.object({ sid: z.string().min(1), status: z.string(), date_updated: z.string().nullish() })

export interface MessagePage {
  readonly response: ToolResponse
  readonly data: readonly unknown[]
  readonly ids: readonly string[]
  /** Path and query of the next page, same origin. */
  readonly next: string | null
}

const messagesPath = (config: TwilioConfig) => `/2010-04-01/Accounts/${config.account_sid}/Messages`

/** Messages by the time they were sent, newest first; what was never sent is found only without `sentFrom`. */
export async function listMessages(ctx: Context, sentFrom: number | null, next: string | null, pageSize: number): Promise<MessagePage> {
  const what = { what: 'messages', signal: ctx.signal }
  const since = sentFrom === null ? undefined : `${new Date(sentFrom).toISOString().slice(0, 19)}Z`
  const response = next
    ? await ctx.http.get(next, what)
    : await ctx.http.get(`${messagesPath(ctx.config)}.json`, { ...what, query: { PageSize: pageSize, 'DateSent>': since } })
  return pageOf(ctx, response)
}

function pageOf(ctx: Context, response: ToolResponse): MessagePage {
  const list = readEnvelope(ctx, listSchema, response.json, 'messages')
  const ids = list.messages.map((row) => {
    const placed = placedSchema.safeParse(row).data
    return placed ? `${placed.sid} ${placed.status} ${placed.date_updated ?? ''}` : ''
  })
  const after = list.next_page_uri ? new URL(ctx.http.sameOrigin(list.next_page_uri)) : null
  return { response, data: list.messages, ids, next: after ? after.pathname + after.search : null }
}

/** The newest messages with one number, whichever their state; `next` goes on. */
export async function listMessagesTo(ctx: Context, to: string, next: string | null): Promise<MessagePage> {
  const what = { what: 'messages', signal: ctx.signal }
  const response = next
    ? await ctx.http.get(next, what)
    : await ctx.http.get(`${messagesPath(ctx.config)}.json`, { ...what, query: { To: to, PageSize: 100 } })
  return pageOf(ctx, response)
}

/** Asks for a message to be sent. https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource */
export function postMessage(ctx: Context, form: Readonly<Record<string, string | undefined>>): Promise<Sent> {
  return ctx.http.send(`${messagesPath(ctx.config)}.json`, { method: 'POST', what: 'the message', signal: ctx.signal, body: { form } })
}

/** One message, or null when it was deleted at Twilio. */
export async function readMessage(ctx: Context, sid: string): Promise<ToolResponse | null> {
  try {
    return await ctx.http.get(`${messagesPath(ctx.config)}/${encodeURIComponent(sid)}.json`, { what: 'messages', signal: ctx.signal })
  } catch (error) {
    if (error instanceof ToolError && error.reason === 'not_found') return null
    throw error
  }
}
