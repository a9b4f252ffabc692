import { canary } from '../canary.ts'
import type { Person } from '../people.ts'
import { clinicOf } from '../people.ts'
import type { Random } from '../random.ts'
import { alphanumerics } from '../random.ts'
import { iso, minute } from '../times.ts'
import type { Resource, Script } from '../writes.ts'

export const services = ['first-visit', 'therapy', 'nutrition'] as const
export type Service = (typeof services)[number]

export interface Booking {
  readonly uid: string
  readonly at: number
  readonly start: number
  readonly service: Service
  readonly body: Resource
}

const durationMs = 50 * minute
const hosts = [
  { id: 11, username: 'host-one', email: 'host.one@northwind.example', name: 'Northwind Host One' },
  { id: 12, username: 'host-two', email: 'host.two@northwind.example', name: 'Northwind Host Two' },
]

export function book(
  script: Script,
  random: Random,
  person: Person,
  at: number,
  options: { start: number; service: Service; from?: string; extra?: Resource },
): Booking {
  const uid = random.text(22, alphanumerics)
  const host = random.pick(hosts)
  const name = `${person.given} ${person.family}`
  const body: Resource = {
    id: random.int(100_000, 99_999_999),
    uid,
    title: `${options.service} between ${host.name} and ${name}`,
    description: canary('calcom.description', uid),
    hosts: [{ ...host, displayEmail: host.email, timeZone: 'America/New_York' }],
    status: 'accepted',
    start: iso(options.start),
    end: iso(options.start + durationMs),
    duration: durationMs / minute,
    eventTypeId: 50 + services.indexOf(options.service),
    eventType: { id: 50 + services.indexOf(options.service), slug: options.service },
    location: `https://meet.example.com/${uid}?guest=${encodeURIComponent(person.email)}`,
    absentHost: false,
    createdAt: iso(at),
    updatedAt: iso(at),
    metadata: { ...(person.ref === null ? {} : { tl_ref: person.ref }), clinic: clinicOf(person), note: canary('calcom.metadata', uid) },
    icsUid: `${uid}@cal.example`,
    attendees: [
      {
        name,
        email: person.email,
        displayEmail: person.email,
        timeZone: 'America/New_York',
        language: 'en',
        absent: false,
        ...(random.chance(0.8) ? { phoneNumber: person.phone } : {}),
      },
    ],
    guests: [],
    bookingFieldsResponses: { name, email: person.email, notes: canary('calcom.notes', uid) },
    ...(options.from === undefined ? {} : { rescheduledFromUid: options.from }),
    ...options.extra,
  }
  script.write('calcom.bookings', uid, at, body)
  return { uid, at, start: options.start, service: options.service, body }
}

export function cancel(script: Script, person: Person, booking: Booking, at: number): void {
  script.write('calcom.bookings', booking.uid, at, {
    ...booking.body,
    status: 'cancelled',
    cancellationReason: canary('calcom.cancellationReason', booking.uid),
    cancelledByEmail: person.email,
    updatedAt: iso(at),
  })
}

/** Cal.com cancels the old booking and creates a new one that names it. */
export function reschedule(
  script: Script,
  random: Random,
  person: Person,
  booking: Booking,
  at: number,
  start: number,
  extra?: Resource,
): Booking {
  const createdAt = at + 1000
  const next = book(script, random, person, createdAt, {
    start,
    service: booking.service,
    from: booking.uid,
    ...(extra === undefined ? {} : { extra }),
  })
  script.write('calcom.bookings', booking.uid, at, {
    ...booking.body,
    status: 'cancelled',
    cancellationReason: canary('calcom.cancellationReason', booking.uid),
    reschedulingReason: canary('calcom.reschedulingReason', booking.uid),
    rescheduledByEmail: person.email,
    rescheduledToUid: next.uid,
    updatedAt: iso(at),
  })
  return next
}
