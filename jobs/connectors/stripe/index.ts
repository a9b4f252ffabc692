import { z } from 'zod'
import type { Connector, PollContext, PollPage, ReadRecord, StreamSpec } from '../connector.ts'
import { ToolError } from '../connector.ts'
import type { ToolResponse } from '../http.ts'
import { metadataFieldsSchema, metadataMapSchema } from '../metadata.ts'
import { beginPass, checkStreams, countRows, coverageOf, passSchema, readCursor, streamNamed, sweepOf, turnPage } from '../pass.ts'
import type { Taken } from '../record.ts'
import { takeRows } from '../record.ts'
import { cancel } from './actions/cancel.ts'
import { refund } from './actions/refund.ts'
import type { Change, StripeStream } from './client.ts'
import { listChanges, listObjects, readObject } from './client.ts'
import { paymentIntentSchema, refundSchema, toPaymentIntent, toRefund } from './map.ts'

const apiVersion = '2026-07-29.dahlia'
/** The event log reaches back thirty days; one day is left as margin. */
const eventLogMs = 29 * 86_400_000

const vendorUrl = 'https://api.stripe.com'

const configSchema = z.strictObject({
  base_url: z.url().default(vendorUrl),
  metadata: metadataMapSchema.default({}),
  metadata_fields: metadataFieldsSchema.default({}),
  requests_per_second: z.number().positive().max(100).default(20),
})
export type StripeConfig = z.infer<typeof configSchema>

const cursorSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('rest'), since: z.number() }),
  z.object({ at: z.literal('list'), pass: passSchema, after: z.string() }),
  z.object({ at: z.literal('events'), pass: passSchema, after: z.string() }),
])

const paymentIntents: StreamSpec = {
  name: 'payment_intents',
  title: 'Payments',
  cursor: 'event-log',
  deletions: 'none',
  lagSeconds: 60,
  overlapSeconds: 900,
  fullSweepSeconds: 86_400,
  fields: {
    keys: [
      'id',
      'receipt_email',
      'latest_charge.billing_details.email',
      'latest_charge.billing_details.name',
      'latest_charge.billing_details.phone',
    ],
    ops: [
      ...['status', 'amount', 'currency', 'created', 'canceled_at', 'capture_method', 'metadata'],
      ...['latest_charge.created', 'latest_charge.amount_refunded', 'latest_charge.payment_method_details.type'],
      ...[
        'latest_charge.balance_transaction.created',
        'latest_charge.refunds.data[].amount',
        'latest_charge.refunds.data[].created',
        'latest_charge.refunds.data[].status',
      ],
    ],
    dropped: [
      ...[
        'allowed_payment_method_types',
        'amount_capturable',
        'amount_details',
        'amount_received',
        'application',
        'application_fee_amount',
      ],
      ...[
        'automatic_payment_methods',
        'cancellation_reason',
        'client_secret',
        'confirmation_method',
        'customer',
        'customer_account',
        'description',
      ],
      ...[
        'excluded_payment_method_types',
        'hooks',
        'invoice',
        'last_payment_error',
        'livemode',
        'managed_payments',
        'next_action',
        'object',
      ],
      ...[
        'on_behalf_of',
        'payment_details',
        'payment_method',
        'payment_method_configuration_details',
        'payment_method_options',
        'payment_method_types',
      ],
      ...[
        'payment_record',
        'presentment_details',
        'processing',
        'review',
        'setup_future_usage',
        'shipping',
        'source',
        'statement_descriptor',
      ],
      ...['statement_descriptor_suffix', 'transfer_data', 'transfer_group', 'latest_charge.*'],
    ],
  },
  shows: ['amount', 'currency', 'refund', 'amountRefunded'],
  // In the order a payment takes them: of two readings within one second the later state wins.
  statuses: [
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    'processing',
    'requires_capture',
    'canceled',
    'succeeded',
  ],
}

const refunds: StreamSpec = {
  name: 'refunds',
  title: 'Refunds',
  cursor: 'event-log',
  deletions: 'none',
  lagSeconds: 60,
  overlapSeconds: 900,
  fullSweepSeconds: 86_400,
  fields: {
    keys: ['id', 'payment_intent'],
    ops: ['status', 'amount', 'currency', 'created', 'reason'],
    dropped: [
      ...[
        'object',
        'balance_transaction',
        'charge',
        'customer',
        'customer_account',
        'description',
        'destination_details',
        'failure_balance_transaction',
      ],
      ...[
        'failure_reason',
        'instructions_email',
        'metadata',
        'next_action',
        'payment_method',
        'pending_reason',
        'presentment_details',
        'receipt_number',
      ],
      ...['source_transfer_reversal', 'transfer_reversal'],
    ],
  },
  shows: ['amount', 'currency', 'reason'],
  statuses: ['pending', 'requires_action', 'succeeded', 'failed', 'canceled'],
}

const streams = [paymentIntents, refunds]
type Context = PollContext<StripeConfig>

const actions = [refund, cancel]

export const stripe: Connector<StripeConfig> = {
  describe: () => ({
    id: 'stripe',
    name: 'Stripe',
    version: '0.1.0',
    apiVersion,
    verified: 'spec-only',
    verifiedOn: '2026-11-21',
    configSchema,
    secrets: ['api_key'],
    streams,
    actions,
  }),
  actions,

  streams: (config) => [{ ...paymentIntents, shows: [...(paymentIntents.shows ?? []), ...Object.keys(config.metadata_fields)] }, refunds],

  // A simulator or a proxy has no dashboard that we know of.
  recordUrl: (config, stream) =>
    config.base_url !== vendorUrl ? null : `https://dashboard.stripe.com/${stream === refunds.name ? 'refunds' : 'payments'}/{id}`,

  endpoint: (config, secrets) => ({
    baseUrl: config.base_url,
    headers: { authorization: `Bearer ${secrets.api_key ?? ''}`, 'stripe-version': apiVersion },
    requestsPerSecond: config.requests_per_second,
  }),

  check: (ctx) =>
    checkStreams(ctx, [
      {
        stream: 'payment_intents',
        read: () => ctx.http.get('/v1/payment_intents', { what: 'payment_intents', signal: ctx.signal, query: { limit: 1 } }),
      },
      { stream: 'refunds', read: () => ctx.http.get('/v1/refunds', { what: 'refunds', signal: ctx.signal, query: { limit: 1 } }) },
      { stream: 'events', read: () => ctx.http.get('/v1/events', { what: 'events', signal: ctx.signal, query: { limit: 1 } }) },
    ]),

  /** First everything by object list; then what the event log says changed, each object read again whole. */
  async poll(ctx, streamName, rawCursor, budget): Promise<PollPage> {
    const spec = streamNamed(streams, streamName, ctx)
    const stream = spec.name as StripeStream
    const limit = Math.max(1, Math.min(100, budget.pageSize))
    const cursor = readCursor(cursorSchema, rawCursor)
    const resumed = cursor !== null && cursor.at !== 'rest' && (cursor.pass.sweep !== null) === (budget.mode === 'full') ? cursor : null
    const since = cursor?.at === 'rest' && budget.mode === 'incremental' ? cursor.since - spec.overlapSeconds * 1000 : null
    const byEvents = resumed ? resumed.at === 'events' : since !== null && ctx.now - since < eventLogMs

    const from = resumed ? resumed.pass.from : byEvents ? since : null
    const after = resumed?.after ?? null
    const page = byEvents
      ? await listChanges(ctx, stream, from ?? 0, after, limit)
      : { ...(await listObjects(ctx, stream, from, after, limit)), changes: [] }
    const begun = resumed?.pass ?? beginPass(ctx, page.response, from, budget)
    const turned = turnPage(ctx, spec.name, begun, page.ids, page.hasMore, budget)
    if (page.hasMore && page.after === null)
      throw new ToolError('bad_response', `Connection ${ctx.connection}: ${spec.name} promised more after a row without an id.`)

    const read = byEvents
      ? await readChanged(ctx, stream, page.changes)
      : { rows: page.data.map((row) => ({ row, changes: [] })), gone: [] }
    const taken = take(spec, stream, read.rows, ctx.config)
    const pass = countRows(turned, taken)
    return {
      records: [...taken.records, ...read.gone.map(tombstone)],
      quarantined: taken.quarantined,
      drift: taken.drift,
      cursor:
        page.hasMore && page.after !== null
          ? { at: byEvents ? 'events' : 'list', pass, after: page.after }
          : { at: 'rest', since: pass.startedAt },
      coverage: coverageOf(pass, !page.hasMore),
      ...sweepOf(pass, !page.hasMore),
      clockSkewMs: page.response.dateSkewMs,
    }
  },
}

type Row = { readonly row: unknown; readonly changes: readonly Change[] }

async function readChanged(
  ctx: Context,
  stream: StripeStream,
  changes: readonly Change[],
): Promise<{ rows: Row[]; gone: { id: string; at: number }[] }> {
  const byId = Map.groupBy(changes, (change) => change.id)
  const rows: Row[] = []
  const gone: { id: string; at: number }[] = []
  const waiting = [...byId]
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [id, of] = next
      const response = await readObject(ctx, stream, id).catch((error: unknown): ToolResponse | null => {
        if (error instanceof ToolError && error.reason === 'not_found') return null
        throw error
      })
      if (response) rows.push({ row: response.json, changes: of })
      else gone.push({ id, at: Math.max(...of.map((change) => change.at)) })
    }
  }
  await Promise.all([work(), work(), work(), work()])
  return { rows, gone }
}

function take(spec: StreamSpec, stream: StripeStream, rows: readonly Row[], config: StripeConfig): Taken {
  const bare = rows.map(({ row }) => row)
  const changesAt = (index: number) => rows[index]?.changes ?? []
  return stream === 'payment_intents'
    ? takeRows(spec, paymentIntentSchema, 'id', bare, (payment, index) => toPaymentIntent(payment, changesAt(index), config, spec))
    : takeRows(spec, refundSchema, 'id', bare, (refund, index) => toRefund(refund, changesAt(index), spec))
}

function tombstone({ id, at }: { id: string; at: number }): ReadRecord {
  return { externalId: id, updatedAt: at, version: null, status: null, ops: {}, objects: [], person: null, events: [], deleted: true }
}
