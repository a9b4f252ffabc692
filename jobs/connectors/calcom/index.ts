import { z } from 'zod'
import type { Connector, PollPage, StreamSpec } from '../connector.ts'
import { metadataFieldsSchema, metadataMapSchema } from '../metadata.ts'
import {
  beginPass,
  checkStreams,
  countRows,
  coverageOf,
  nextByChange,
  passSchema,
  readCursor,
  streamNamed,
  sweepOf,
  turnPage,
} from '../pass.ts'
import { takeRows } from '../record.ts'
import { cancel } from './actions/cancel.ts'
import { markAbsent } from './actions/mark-absent.ts'
import { rebook } from './actions/rebook.ts'
import { listBookings } from './client.ts'
import { bookingSchema, toBooking } from './map.ts'

const apiVersion = '2024-08-13'

const vendorUrl = 'https://api.cal.com'

const configSchema = z.strictObject({
  base_url: z.url().default(vendorUrl),
  metadata: metadataMapSchema.default({}),
  metadata_fields: metadataFieldsSchema.default({}),
  /** Slugs of event types whose bookings wait for the host. */
  confirmed_by_host: z.array(z.string()).default([]),
  requests_per_second: z.number().positive().max(100).default(2),
})
export type CalcomConfig = z.infer<typeof configSchema>

const cursorSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('rest'), since: z.number() }),
  z.object({ at: z.literal('list'), pass: passSchema, changedAfter: z.number().nullable(), skip: z.int() }),
])

const bookings: StreamSpec = {
  name: 'bookings',
  title: 'Bookings',
  cursor: 'updated-since',
  deletions: 'invisible',
  lagSeconds: 120,
  overlapSeconds: 900,
  fullSweepSeconds: 86_400,
  fields: {
    keys: ['uid', 'rescheduledFromUid', 'rescheduledToUid', 'attendees[].name', 'attendees[].email', 'attendees[].phoneNumber'],
    ops: ['status', 'start', 'end', 'createdAt', 'updatedAt', 'eventType.slug', 'absentHost', 'attendees[].absent', 'metadata'],
    dropped: [
      ...[
        'id',
        'title',
        'description',
        'hosts',
        'cancellationReason',
        'cancelledByEmail',
        'reschedulingReason',
        'rescheduledByEmail',
        'duration',
      ],
      ...[
        'eventTypeId',
        'eventType.id',
        'meetingUrl',
        'location',
        'rating',
        'icsUid',
        'guests',
        'bookingFieldsResponses',
        'recurringBookingUid',
      ],
      ...['attendees[].displayEmail', 'attendees[].timeZone', 'attendees[].language', 'attendees[].seatUid', 'attendees[].metadata'],
      ...['attendees[].bookingFieldsResponses', 'attendees[].id', 'seatUid'],
    ],
  },
  shows: ['startsAt', 'endsAt', 'service', 'rescheduled', 'absent'],
  statuses: ['accepted', 'pending', 'cancelled', 'rejected'],
}
const streams = [bookings]

const actions = [cancel, markAbsent, rebook]

export const calcom: Connector<CalcomConfig> = {
  describe: () => ({
    id: 'calcom',
    name: 'Cal.com',
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

  streams: (config) => [{ ...bookings, shows: [...(bookings.shows ?? []), ...Object.keys(config.metadata_fields)] }],

  // One that is self-hosted shows its bookings at an address of its own.
  recordUrl: (config) => (config.base_url === vendorUrl ? 'https://app.cal.com/booking/{id}' : null),

  endpoint: (config, secrets) => ({
    baseUrl: config.base_url,
    headers: { authorization: `Bearer ${secrets.api_key ?? ''}`, 'cal-api-version': apiVersion },
    requestsPerSecond: config.requests_per_second,
  }),

  check: (ctx) => checkStreams(ctx, [{ stream: 'bookings', read: async () => (await listBookings(ctx, null, 0, 1)).response }]),

  async poll(ctx, streamName, rawCursor, budget): Promise<PollPage> {
    const spec = streamNamed(streams, streamName, ctx)
    const take = Math.max(1, Math.min(100, budget.pageSize))
    const cursor = readCursor(cursorSchema, rawCursor)
    const resumed = cursor?.at === 'list' && (cursor.pass.sweep !== null) === (budget.mode === 'full') ? cursor : null
    const from = cursor?.at === 'rest' && budget.mode === 'incremental' ? cursor.since - spec.overlapSeconds * 1000 : null
    const position = resumed ?? { changedAfter: from, skip: 0 }

    const page = await listBookings(ctx, position.changedAfter, position.skip, take)
    const begun = resumed?.pass ?? beginPass(ctx, page.response, from, budget)
    const turned = turnPage(ctx, spec.name, begun, page.ids, page.hasMore, budget)

    const taken = takeRows(spec, bookingSchema, 'uid', page.data, (booking) => toBooking(booking, ctx.config, spec))
    const pass = countRows(turned, taken)
    return {
      ...taken,
      cursor: page.hasMore
        ? { at: 'list', pass, ...nextByChange(position, page, page.data.length) }
        : { at: 'rest', since: pass.startedAt },
      coverage: coverageOf(pass, !page.hasMore),
      ...sweepOf(pass, !page.hasMore),
      clockSkewMs: page.response.dateSkewMs,
    }
  },
}
