import { z } from 'zod'
import { alreadyDone, done, mustNot, performing, refused, toolAction, unlikeYes, withoutYes } from '../../act.ts'
import type { ActContext, Preflight } from '../../connector.ts'
import type { CalcomConfig } from '../index.ts'
import type { Booking } from './booking.ts'
import { bookingEvidence, bookingIn, bookingUid, obstacle, readBooking, timeOf } from './booking.ts'

const input = z.strictObject({
  booking: bookingUid,
  who: z.enum(['attendee', 'host']).describe('Whoever booked, or the host.'),
})
type Input = z.output<typeof input>

const isMarked = (booking: Booking, who: Input['who']) => (who === 'host' ? booking.absentHost : booking.attendees[0]?.absent === true)

function inTheWay(ctx: ActContext<CalcomConfig>, uid: string, who: Input['who'], booking: Booking | null): string | null {
  const why = obstacle(ctx, uid, booking)
  if (booking === null || why !== null) return why ?? ''
  if (booking.status !== 'accepted') return `The booking is ${booking.status}: nobody was expected.`
  if (booking.start > ctx.now) return `The visit starts at ${timeOf(booking.start)}: nobody is absent before that.`
  if (who === 'attendee' && booking.attendees.length === 0) return 'The booking names no attendee.'
  // The stored record says only that someone was absent: it could not show whom this marked.
  if (booking.absentHost || booking.attendees.some((one) => one.absent))
    return 'Someone else of this booking is marked absent already. Mark the second one in Cal.com.'
  return null
}

export const markAbsent = toolAction<CalcomConfig, typeof input>({
  name: 'mark-absent',
  title: 'Mark someone absent',
  does: 'Notes on a booking that has begun that whoever booked, or the host, did not come.',
  reach: 'record',
  repeat: { keyHours: null, lookUp: true },
  input,
  verifyBy: { stream: 'bookings', withinSeconds: 3600 },

  async preflight(ctx, { booking: uid, who }): Promise<Preflight> {
    const booking = await readBooking(ctx, uid)
    if (booking && isMarked(booking, who))
      return { kind: 'already', message: `The ${who} is marked absent already.`, evidence: bookingEvidence(uid) }
    const why = inTheWay(ctx, uid, who, booking)
    if (booking === null || why !== null) return mustNot(why ?? '')
    return {
      kind: 'ready',
      sends: [
        { label: 'Booking', value: uid },
        { label: 'Mark absent', value: who === 'host' ? 'the host' : 'whoever booked (the address is read from Cal.com and withheld)' },
      ],
      sees: [
        { label: 'Status', value: booking.status },
        { label: 'Started', value: timeOf(booking.start) },
      ],
      amount: null,
    }
  },

  perform: (ctx, { booking: uid, who }) =>
    performing(async () => {
      const booking = await readBooking(ctx, uid)
      if (booking && isMarked(booking, who)) return alreadyDone(`The ${who} was marked absent already.`, bookingEvidence(uid))
      const why = inTheWay(ctx, uid, who, booking)
      const email = booking?.attendees[0]?.email
      if (booking === null || why !== null || (who === 'attendee' && email === undefined)) return refused(why ?? '')
      const sent = await ctx.http.send(`v2/bookings/${encodeURIComponent(uid)}/mark-absent`, {
        method: 'POST',
        what: 'the absence',
        signal: ctx.signal,
        body: { json: who === 'host' ? { host: true } : { attendees: [{ email, absent: true }] } },
      })
      if (sent.kind !== 'answered') return withoutYes(sent)
      const after = bookingIn(sent.response.json)
      return after?.uid === uid && isMarked(after, who)
        ? done(`Cal.com marked the ${who} absent.`, bookingEvidence(uid))
        : unlikeYes(ctx, 'the absence')
    }),

  async lookUp(ctx, { booking: uid, who }) {
    const booking = await readBooking(ctx, uid)
    if (booking === null) return null
    return isMarked(booking, who) ? { isDone: true, evidence: bookingEvidence(uid) } : { isDone: false }
  },

  shows: ({ stream, externalId, ops, isDeleted }, { booking }) =>
    stream === 'bookings' && externalId === booking && ops.absent === true && !isDeleted,
})
