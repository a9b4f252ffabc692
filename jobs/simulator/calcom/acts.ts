import type { Deed, Made } from '../acts.ts'
import { canary } from '../canary.ts'
import { alphanumerics, randomFrom } from '../random.ts'
import { iso, minute, second } from '../times.ts'
import type { World } from '../world.ts'
import type { Resource, Write } from '../writes.ts'

const error: Resource = {
  status: 'error',
  timestamp: '',
  path: '/v2/bookings',
  error: { code: 'INTERNAL', message: canary('calcom.error', 'act'), details: {} },
}

const written = (at: number, body: Resource): Write => ({
  visibleAt: at,
  updatedAt: at,
  collection: 'calcom.bookings',
  id: String(body.uid),
  body,
})
const success = (data: Resource): Resource => ({ status: 'success', data })

/** A booking that changes in place: `change` gives what is other afterwards, `part` what a tool that does half of it changes. */
function changed(uid: string, booking: Resource, status: number, change: (at: number) => Resource, part: Resource): Deed {
  return {
    target: uid,
    key: null,
    status,
    error,
    make(at, { isPart }): Made {
      const whole: Resource = { ...booking, ...change(at), updatedAt: iso(at) }
      return {
        id: uid,
        body: success(whole),
        writes: [written(at, isPart ? { ...booking, ...part, updatedAt: iso(at) } : whole)],
        undo: (then) => [written(then, { ...booking, updatedAt: iso(then) })],
      }
    },
  }
}

export function cancellationOf(uid: string, booking: Resource): Deed {
  const reason = { cancellationReason: canary('calcom.cancellationReason', uid), cancelledByEmail: 'desk@northwind.example' }
  return changed(uid, booking, 200, () => ({ ...reason, status: 'cancelled' }), reason)
}

/** Half of it: another one is marked than was meant, which shows in nothing but a later change. */
export function absenceOf(uid: string, booking: Resource, absent: { readonly host: boolean; readonly emails: readonly string[] }): Deed {
  const attendees = (Array.isArray(booking.attendees) ? booking.attendees : []) as readonly Resource[]
  const marked = {
    absentHost: absent.host || booking.absentHost === true,
    attendees: attendees.map((one) => (absent.emails.includes(String(one.email)) ? { ...one, absent: true } : one)),
  }
  return changed(uid, booking, 200, () => marked, {})
}

/** Cal.com cancels the old booking and makes a new one that names it. Half of it: only the old one goes. */
export function moveOf(world: World, uid: string, booking: Resource, start: number): Deed {
  return {
    target: uid,
    key: null,
    status: 201,
    error,
    make(at, { nth, isPart }): Made {
      const random = randomFrom(world.seed, 'rebook', uid, nth)
      const next = random.text(22, alphanumerics)
      const { cancellationReason: _, rescheduledToUid: __, ...kept } = booking
      const made: Resource = {
        ...kept,
        id: random.int(100_000, 99_999_999),
        uid: next,
        icsUid: `${next}@cal.example`,
        status: 'accepted',
        start: iso(start),
        end: iso(start + Number(booking.duration) * minute),
        createdAt: iso(at + second),
        updatedAt: iso(at + second),
        rescheduledFromUid: uid,
      }
      const old: Resource = { ...booking, status: 'cancelled', rescheduledToUid: next, updatedAt: iso(at) }
      return {
        id: next,
        body: success(made),
        writes: [
          written(at, isPart ? { ...booking, status: 'cancelled', updatedAt: iso(at) } : old),
          ...(isPart ? [] : [{ ...written(at, made), updatedAt: at + second }]),
        ],
        undo: (then) => [
          written(then, { ...booking, updatedAt: iso(then) }),
          written(then, { ...made, status: 'cancelled', updatedAt: iso(then) }),
        ],
      }
    },
  }
}
