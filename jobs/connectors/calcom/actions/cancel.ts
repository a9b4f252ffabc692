import { z } from 'zod'
import { alreadyDone, done, mustNot, toolAction, unlikeYes, withoutYes } from '../../act.ts'
import type { Preflight } from '../../connector.ts'
import type { CalcomConfig } from '../index.ts'
import { afterwards, bookingEvidence, bookingIn, bookingUid, obstacle, readBooking, timeOf } from './booking.ts'

/** Cal.com puts the reason into its e-mail to the attendees: only sentences from here. */
const reasons = {
  cancelled_elsewhere: 'This visit was cancelled with us.',
  duplicate: 'This visit was booked twice.',
  requested: 'Cancelled on request.',
} as const

const input = z.strictObject({
  booking: bookingUid,
  reason: z
    .enum(['cancelled_elsewhere', 'duplicate', 'requested'])
    .optional()
    .describe('Which sentence the attendees read; absent: cancelled_elsewhere.'),
})

export const cancel = toolAction<CalcomConfig, typeof input>({
  name: 'cancel',
  title: 'Cancel a booking',
  does: 'Cancels a booking that has not begun; Cal.com tells its host and attendees.',
  reach: 'record',
  repeat: { keyHours: null, lookUp: true },
  input,
  verifyBy: { stream: 'bookings', withinSeconds: 3600 },

  async preflight(ctx, { booking: uid, reason = 'cancelled_elsewhere' }): Promise<Preflight> {
    const booking = await readBooking(ctx, uid)
    const why = obstacle(ctx, uid, booking)
    if (booking === null || why !== null) return mustNot(why ?? '')
    if (booking.status === 'cancelled')
      return {
        kind: 'already',
        message: booking.rescheduledToUid
          ? `It was moved to booking ${booking.rescheduledToUid} already, which stands.`
          : 'The booking is cancelled already.',
        evidence: bookingEvidence(uid),
      }
    if (booking.status !== 'accepted' && booking.status !== 'pending')
      return mustNot(`The booking is ${booking.status}: there is nothing to cancel.`)
    if (booking.start <= ctx.now) return mustNot('The visit has begun or is over. Mark who was absent instead.')
    return {
      kind: 'ready',
      sends: [
        { label: 'Booking', value: uid },
        { label: 'Cancel the visit of', value: timeOf(booking.start) },
        { label: 'The attendees read', value: reasons[reason] },
      ],
      sees: [
        { label: 'Status', value: booking.status },
        { label: 'Starts', value: timeOf(booking.start) },
      ],
      amount: null,
    }
  },

  async perform(ctx, { booking: uid, reason = 'cancelled_elsewhere' }) {
    const sent = await ctx.http.send(`v2/bookings/${encodeURIComponent(uid)}/cancel`, {
      method: 'POST',
      what: 'the cancellation',
      signal: ctx.signal,
      body: { json: { cancellationReason: reasons[reason] } },
    })
    if (sent.kind === 'answered') {
      const booking = bookingIn(sent.response.json)
      return booking?.uid === uid && booking.status === 'cancelled'
        ? done('Cal.com cancelled the booking.', bookingEvidence(uid))
        : unlikeYes(ctx, 'the cancellation')
    }
    if (sent.kind === 'not_done' && sent.status === 400 && (await afterwards(ctx, uid))?.status === 'cancelled')
      return alreadyDone('The booking was cancelled already.', bookingEvidence(uid))
    return withoutYes(sent)
  },

  async lookUp(ctx, { booking: uid }) {
    const booking = await readBooking(ctx, uid)
    if (booking === null) return null
    return booking.status === 'cancelled' ? { isDone: true, evidence: bookingEvidence(uid) } : { isDone: false }
  },

  shows: ({ stream, externalId, status, isDeleted }, { booking }) =>
    stream === 'bookings' && externalId === booking && status === 'cancelled' && !isDeleted,
})
