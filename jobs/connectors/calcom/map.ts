import { z } from 'zod'
import type { Actor } from '../../domain/facts.ts'
import { seal } from '../../domain/plain.ts'
import type { Drift, PersonClaim, ReadEvent, ReadRecord, StreamSpec } from '../connector.ts'
import { readMetadata } from '../metadata.ts'
import { id, isoTime, knownStatus, text, textOrNull } from '../record.ts'
import type { CalcomConfig } from './index.ts'

const attendee = z.object({ name: text, email: text, phoneNumber: textOrNull.optional(), absent: z.boolean().optional() })

export const bookingSchema = z.object({
  uid: id,
  status: text,
  start: isoTime,
  end: isoTime,
  createdAt: isoTime,
  updatedAt: isoTime,
  eventType: z.object({ slug: text }),
  absentHost: z.boolean(),
  rescheduledFromUid: textOrNull.optional(),
  rescheduledToUid: textOrNull.optional(),
  attendees: z.array(attendee),
  metadata: z.record(z.string(), z.unknown()).nullish(),
})
type Booking = z.infer<typeof bookingSchema>

export function toBooking(booking: Booking, config: CalcomConfig, spec: StreamSpec): { record: ReadRecord; drift: readonly Drift[] } {
  const { status, drift } = knownStatus(booking.status, spec.statuses, 'status')
  const labels = readMetadata(booking.metadata, config.metadata, config.metadata_fields)
  const actor: Actor = labels.producer === null ? { kind: 'unknown', id: null } : { kind: 'automation', id: labels.producer }
  // Cal.com accepts a booking as it is made, unless its event type asks the host first.
  const askedFirst = status === 'pending' || status === 'rejected' || config.confirmed_by_host.includes(booking.eventType.slug)
  const statusThen = askedFirst ? 'pending' : 'accepted'
  const events: ReadEvent[] = [{ type: 'booking.created', occurredAt: booking.createdAt, status: statusThen, actor }]
  if (booking.updatedAt > booking.createdAt || status !== statusThen) {
    events.push({ type: `booking.${status}`, occurredAt: booking.updatedAt, status, actor: { kind: 'unknown', id: null } })
  }
  const root = booking.rescheduledFromUid
  return {
    drift,
    record: {
      externalId: booking.uid,
      updatedAt: booking.updatedAt,
      version: null,
      status,
      ops: {
        ...labels.ops,
        startsAt: new Date(booking.start).toISOString(),
        endsAt: new Date(booking.end).toISOString(),
        service: booking.eventType.slug,
        rescheduled: Boolean(booking.rescheduledToUid),
        absent: booking.absentHost || booking.attendees.some((one) => one.absent === true),
      },
      objects: [{ type: 'appointment', id: booking.uid, ...(root ? { root } : {}) }, ...labels.objects],
      person: seal(personOf(booking, labels.reference)),
      events,
    },
  }
}

/** The first attendee is whoever booked; further ones are guests. */
function personOf(booking: Booking, reference: string | null): PersonClaim {
  const [first] = booking.attendees
  return { role: 'self', reference, emails: [first?.email], phones: [first?.phoneNumber], name: first ? { full: first.name } : null }
}
