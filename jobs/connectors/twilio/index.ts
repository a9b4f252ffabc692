import { z } from 'zod'
import type { Connector, Drift, PollPage, Quarantined, ReadRecord, StreamSpec } from '../connector.ts'
import { beginPass, checkStreams, countRows, coverageOf, passSchema, readCursor, streamNamed, sweepOf, turnPage } from '../pass.ts'
import { readRecord, uniqueDrift } from '../record.ts'
import { resend } from './actions/resend.ts'
import { send } from './actions/send.ts'
import { listMessages, readMessage } from './client.ts'
import type { Message } from './map.ts'
import { finalStatuses, messageSchema, toMessage } from './map.ts'

/** Messages still on their way are read again one by one; more than this at once hold the watermark back instead. */
const openLimit = 800
const openPerPage = 50

const pattern = z.string().refine(compiles, { error: 'is not a regular expression' })

const vendorUrl = 'https://api.twilio.com'

/** What of Twilio's Content API sends this template; without it the template is only known when it is seen. */
const contentSchema = z.strictObject({
  sid: z.string().regex(/^HX[0-9a-fA-F]{32}$/),
  /** Object types whose ids fill {{1}}, {{2}}, … */
  variables: z.array(z.string().min(1)).default([]),
  messaging_service: z.string().regex(/^MG[0-9a-fA-F]{32}$/),
})

const configSchema = z.strictObject({
  base_url: z.url().default(vendorUrl),
  account_sid: z.string().regex(/^AC[0-9a-fA-F]{32}$/),
  /** First fitting pattern names the template; matched in memory, without case, against the first 1,600 characters. */
  templates: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        pattern,
        direction: z.enum(['inbound', 'outbound']).optional(),
        content: contentSchema.optional(),
      }),
    )
    .default([]),
  /** Object type to a pattern whose first group is the id, such as a booking link. */
  objects: z.record(z.string(), pattern).default({}),
  reference_pattern: pattern.optional(),
  /** Messaging service SID, or sending number, to the automation behind it. */
  producers: z.record(z.string(), z.string()).default({}),
  /** A message that is not final after this long is read no more. */
  open_hours: z.number().positive().max(240).default(72),
  requests_per_second: z.number().positive().max(100).default(10),
})
export type TwilioConfig = z.infer<typeof configSchema>

/** Messages not final yet: SID, when they were made, and whether this pass has read them. */
const openSchema = z.array(z.tuple([z.string(), z.number(), z.boolean()]))
type Open = z.infer<typeof openSchema>

const cursorSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('rest'), since: z.number(), open: openSchema }),
  z.object({ at: z.literal('list'), pass: passSchema, next: z.string(), open: openSchema, heldAt: z.number().nullable() }),
  z.object({ at: z.literal('open'), pass: passSchema, open: openSchema, heldAt: z.number().nullable() }),
])

const messages: StreamSpec = {
  name: 'messages',
  title: 'Messages',
  cursor: 'window',
  deletions: 'invisible',
  lagSeconds: 120,
  overlapSeconds: 900,
  fullSweepSeconds: 86_400,
  fields: {
    keys: ['sid', 'to', 'from'],
    ops: ['status', 'direction', 'date_created', 'date_sent', 'date_updated', 'error_code', 'messaging_service_sid', 'body'],
    dropped: [
      'account_sid',
      'api_version',
      'error_message',
      'num_media',
      'num_segments',
      'price',
      'price_unit',
      'subresource_uris',
      'uri',
      'tags',
    ],
  },
  shows: ['direction', 'template', 'errorCode'],
  // In the order a message takes them: of two readings within one second the later state wins.
  statuses: [
    ...['scheduled', 'accepted', 'queued', 'sending', 'receiving', 'sent', 'partially_delivered'],
    ...['received', 'delivered', 'undelivered', 'failed', 'canceled', 'read'],
  ],
}
const streams = [messages]

const actions = [resend, send]

export const twilio: Connector<TwilioConfig> = {
  describe: () => ({
    id: 'twilio',
    name: 'Twilio Messages',
    version: '0.1.0',
    apiVersion: '2010-04-01',
    verified: 'spec-only',
    verifiedOn: '2026-11-21',
    configSchema,
    secrets: ['auth_token'],
    streams,
    actions,
  }),
  actions,

  // A simulator has no console.
  recordUrl: (config) => (config.base_url === vendorUrl ? 'https://www.twilio.com/console/sms/logs/{id}' : null),

  endpoint: (config, secrets) => ({
    baseUrl: config.base_url,
    headers: { authorization: `Basic ${Buffer.from(`${config.account_sid}:${secrets.auth_token ?? ''}`).toString('base64')}` },
    requestsPerSecond: config.requests_per_second,
  }),

  check: (ctx) => checkStreams(ctx, [{ stream: 'messages', read: async () => (await listMessages(ctx, null, null, 1)).response }]),

  /** First what was sent since the last pass, then each message still on its way: the list knows sent dates only. */
  async poll(ctx, streamName, rawCursor, budget): Promise<PollPage> {
    const spec = streamNamed(streams, streamName, ctx)
    const cursor = readCursor(cursorSchema, rawCursor)
    const resumed = cursor !== null && cursor.at !== 'rest' && (cursor.pass.sweep !== null) === (budget.mode === 'full') ? cursor : null
    const openMs = ctx.config.open_hours * 3_600_000
    const carried: Open =
      resumed?.open ?? (cursor?.open ?? []).filter(([, at]) => ctx.now - at < openMs).map(([sid, at]) => [sid, at, false])
    const taken = { records: [] as ReadRecord[], quarantined: [] as Quarantined[], drift: [] as Drift[] }
    const open = new Map(carried.map(([sid, at, read]) => [sid, { at, read }]))
    let heldAt = resumed?.heldAt ?? null

    const take = (row: unknown, index: number) => {
      const reading = readRecord(messageSchema, row, spec.fields, { id: 'sid', index })
      taken.drift.push(...reading.drift)
      if (!reading.ok) return void taken.quarantined.push(reading.quarantined)
      const mapped = toMessage(reading.value, ctx.config, spec)
      taken.drift.push(...mapped.drift)
      taken.records.push(mapped.record)
      follow(reading.value)
    }
    const follow = (message: Message) => {
      const isOpen = !finalStatuses.has(message.status) && ctx.now - (message.date_sent ?? message.date_created) < openMs
      if (!isOpen) return void open.delete(message.sid)
      if (open.has(message.sid) || open.size < openLimit)
        return void open.set(message.sid, { at: message.date_sent ?? message.date_created, read: true })
      const from = message.date_sent ?? message.date_created
      heldAt = heldAt === null ? from : Math.min(heldAt, from)
    }
    const state = () => [...open].map(([sid, { at, read }]): [string, number, boolean] => [sid, at, read])
    const finish = (turned: ReturnType<typeof beginPass>, cursorThen: unknown, complete: boolean, clockSkewMs: number | null): PollPage => {
      const pass = countRows(turned, taken)
      const to = heldAt ?? pass.startedAt
      return {
        ...taken,
        drift: uniqueDrift(taken.drift),
        cursor: complete
          ? { at: 'rest', since: Math.min(to, pass.startedAt), open: state() }
          : { ...(cursorThen as object), pass, open: state(), heldAt },
        coverage: coverageOf(pass, complete, to),
        ...sweepOf(pass, complete),
        clockSkewMs,
      }
    }

    if (resumed?.at === 'open') {
      const { rows, skewMs } = await readOpen(ctx, open)
      rows.forEach(take)
      const left = [...open.values()].some((one) => !one.read)
      return finish({ ...resumed.pass, pages: resumed.pass.pages + 1 }, { at: 'open' }, !left, skewMs)
    }

    const from = resumed
      ? resumed.pass.from
      : cursor?.at === 'rest' && budget.mode === 'incremental'
        ? cursor.since - spec.overlapSeconds * 1000
        : null
    const pageSize = Math.max(1, Math.min(1000, budget.pageSize))
    const page = await listMessages(ctx, from, resumed?.next ?? null, pageSize)
    const begun = resumed?.pass ?? beginPass(ctx, page.response, from, budget)
    const turned = turnPage(ctx, spec.name, begun, page.ids, page.next !== null, budget)
    page.data.forEach(take)
    const left = page.next !== null || [...open.values()].some((one) => !one.read)
    return finish(turned, page.next === null ? { at: 'open' } : { at: 'list', next: page.next }, !left, page.response.dateSkewMs)

    async function readOpen(context: typeof ctx, set: typeof open) {
      const due = [...set].filter(([, one]) => !one.read).slice(0, openPerPage)
      const rows: unknown[] = []
      let skewMs: number | null = null
      for (const [sid, one] of due) {
        const response = await readMessage(context, sid)
        if (response) {
          set.set(sid, { ...one, read: true })
          rows.push(response.json)
          skewMs = response.dateSkewMs
        } else {
          set.delete(sid)
          taken.records.push({
            externalId: sid,
            updatedAt: context.now,
            version: null,
            status: null,
            ops: {},
            objects: [],
            person: null,
            events: [],
            deleted: true,
          })
        }
      }
      return { rows, skewMs }
    }
  },
}

function compiles(source: string): boolean {
  try {
    new RegExp(source, 'iu')
    return true
  } catch {
    return false
  }
}
