import { z } from 'zod'
import type { PollContext } from '../connector.ts'
import type { ToolResponse } from '../http.ts'
import { readEnvelope } from '../pass.ts'
import { unixTime } from '../record.ts'
import type { StripeConfig } from './index.ts'

type Context = PollContext<StripeConfig>

const listSchema = z.object({ object: z.literal('list'), has_more: z.boolean(), data: z.array(z.unknown()) })
const placedSchema = z.object({ id: z.string().min(1) })
const eventSchema = z.object({
  id: z.string().min(1),
  type: z.string(),
  created: unixTime,
  data: z.object({
    object: z.object({ object: z.string(), id: z.string().min(1), payment_intent: z.string().nullish(), status: z.string().nullish() }),
  }),
})

export interface StripePage {
  readonly response: ToolResponse
  readonly data: readonly unknown[]
  /** Position of the last row, for `starting_after`. */
  readonly after: string | null
  readonly ids: readonly string[]
  readonly hasMore: boolean
}

/** One entry of the event log: which record changed, to what, when. */
export interface Change {
  readonly id: string
  readonly type: string
  readonly at: number
  /** The status the entry shows, for entries about the record itself. */
  readonly status: string | null
}

const expansions = ['latest_charge', 'latest_charge.refunds', 'latest_charge.balance_transaction']
const expand = { payment_intents: expansions, refunds: [] } as const
export type StripeStream = keyof typeof expand

const refundTypes = ['refund.created', 'refund.updated', 'refund.failed', 'charge.refund.updated']
export const eventTypes: Record<StripeStream, readonly string[]> = {
  payment_intents: [
    'payment_intent.created',
    'payment_intent.succeeded',
    'payment_intent.canceled',
    'payment_intent.processing',
    'payment_intent.payment_failed',
    'payment_intent.requires_action',
    'payment_intent.amount_capturable_updated',
    'charge.refunded',
    ...refundTypes,
  ],
  refunds: refundTypes,
}

/** Objects newest first: https://docs.stripe.com/api/pagination */
export async function listObjects(
  ctx: Context,
  stream: StripeStream,
  from: number | null,
  after: string | null,
  limit: number,
): Promise<StripePage> {
  const response = await ctx.http.get(`/v1/${stream}`, {
    what: stream,
    signal: ctx.signal,
    query: {
      limit,
      starting_after: after ?? undefined,
      'created[gte]': from === null ? undefined : Math.floor(from / 1000),
      'expand[]': expand[stream].map((path) => `data.${path}`),
    },
  })
  return pageOf(ctx, response, stream)
}

/** The event log newest first, thirty days long: https://docs.stripe.com/api/events/list */
export async function listChanges(
  ctx: Context,
  stream: StripeStream,
  from: number,
  after: string | null,
  limit: number,
): Promise<StripePage & { changes: readonly Change[] }> {
  const response = await ctx.http.get('/v1/events', {
    what: 'events',
    signal: ctx.signal,
    query: { limit, starting_after: after ?? undefined, 'created[gte]': Math.floor(from / 1000), 'types[]': eventTypes[stream] },
  })
  const page = pageOf(ctx, response, 'events')
  const entries = readEnvelope(ctx, z.array(eventSchema), page.data, 'events')
  return { ...page, changes: entries.flatMap((entry) => changeOf(stream, entry)) }
}

export async function readObject(ctx: Context, stream: StripeStream, id: string): Promise<ToolResponse> {
  return ctx.http.get(`/v1/${stream}/${encodeURIComponent(id)}`, {
    what: stream,
    signal: ctx.signal,
    query: { 'expand[]': expand[stream] },
  })
}

function changeOf(stream: StripeStream, entry: z.infer<typeof eventSchema>): Change[] {
  const { object } = entry.data
  const own = stream === 'payment_intents' ? 'payment_intent' : 'refund'
  const id = object.object === own ? object.id : object.payment_intent
  if (!id || (stream === 'refunds' && object.object !== own)) return []
  return [{ id, type: entry.type, at: entry.created, status: object.object === own ? (object.status ?? null) : null }]
}

function pageOf(ctx: Context, response: ToolResponse, what: string): StripePage {
  const list = readEnvelope(ctx, listSchema, response.json, what)
  const ids = list.data.map((row) => placedSchema.safeParse(row).data?.id ?? '')
  return { response, data: list.data, ids, after: ids.at(-1) || null, hasMore: list.has_more }
}
