import { z } from 'zod'
import { alreadyDone, done, mustNot, toolAction, unlikeYes, withoutYes } from '../../act.ts'
import type { ActContext, EvidenceRef, LookUp, Preflight } from '../../connector.ts'
import { ToolError } from '../../connector.ts'
import type { CalcomConfig } from '../index.ts'
import { bookingEvidence, bookingIn, bookingUid, obstacle, readBooking, timeOf } from './booking.ts'

const input = z.strictObject({
  booking: bookingUid,
  start: z.iso.datetime({ offset: true }).describe('When the visit shall start: an ISO 8601 time with its offset.'),
})
type Input = z.output<typeof input>
type Context = ActContext<CalcomConfig>

/** How many times a booking may have been moved before we give up following it. */
const movesAtMost = 10

const isHeld = (status: string) => status === 'accepted' || status === 'pending'

/** The booking that this one was moved to, at that start; null: it stands, or was moved elsewhere. @throws ToolError */
async function movedTo(ctx: Context, { booking: uid, start }: Input): Promise<EvidenceRef | null> {
  let at: string | null = uid
  for (let move = 0; at !== null && move < movesAtMost; move++) {
    const booking = await readBooking(ctx, at)
    if (booking !== null && isHeld(booking.status) && booking.start === Date.parse(start)) return bookingEvidence(at)
    at = booking?.rescheduledToUid ?? null
  }
  return null
}

export const rebook = toolAction<CalcomConfig, typeof input>({
  name: 'rebook',
  title: 'Move a booking',
  does: 'Moves a booking to another start: Cal.com cancels it, makes a new one and tells its host and attendees. Ask the person first.',
  reach: 'record',
  repeat: { keyHours: null, lookUp: true },
  input,
  verifyBy: { stream: 'bookings', withinSeconds: 3600 },

  async preflight(ctx, given): Promise<Preflight> {
    const { booking: uid, start } = given
    const booking = await readBooking(ctx, uid)
    const why = obstacle(ctx, uid, booking)
    if (booking === null || why !== null) return mustNot(why ?? '')
    const there = await movedTo(ctx, given)
    if (there !== null) return { kind: 'already', message: `Booking ${there.externalId} stands at that start already.`, evidence: there }
    if (booking.rescheduledToUid) return mustNot(`It was moved to booking ${booking.rescheduledToUid} meanwhile. Move that one.`)
    if (!isHeld(booking.status)) return mustNot(`The booking is ${booking.status}: make a new one in Cal.com.`)
    if (Date.parse(start) <= ctx.now) return mustNot(`${timeOf(Date.parse(start))} is past. Choose a later start.`)
    if (booking.end <= ctx.now) return mustNot('The visit is over: make a new booking in Cal.com.')
    return {
      kind: 'ready',
      sends: [
        { label: 'Booking', value: uid },
        { label: 'New start', value: timeOf(Date.parse(start)) },
      ],
      sees: [
        { label: 'Status', value: booking.status },
        { label: 'Starts', value: timeOf(booking.start) },
      ],
      amount: null,
    }
  },

  async perform(ctx, given) {
    const sent = await ctx.http.send(`v2/bookings/${encodeURIComponent(given.booking)}/reschedule`, {
      method: 'POST',
      what: 'the move',
      signal: ctx.signal,
      body: { json: { start: timeOf(Date.parse(given.start)) } },
    })
    if (sent.kind === 'answered') {
      const made = bookingIn(sent.response.json)
      return made !== null && isHeld(made.status) && made.start === Date.parse(given.start)
        ? done(
            `Cal.com moved it: booking ${made.uid}${made.status === 'pending' ? ', which waits for its host' : ''}.`,
            bookingEvidence(made.uid),
          )
        : unlikeYes(ctx, 'the move')
    }
    if (sent.kind === 'not_done' && sent.status === 400) {
      const there = await movedTo(ctx, given).catch((error: unknown) => {
        if (error instanceof ToolError) return null
        throw error
      })
      if (there !== null) return alreadyDone(`Booking ${there.externalId} stood at that start already.`, there)
    }
    return withoutYes(sent, sent.kind === 'not_done' && sent.status === 400 ? 'Is that start still free?' : null)
  },

  async lookUp(ctx, given): Promise<LookUp> {
    const there = await movedTo(ctx, given)
    if (there !== null) return { isDone: true, evidence: there }
    const booking = await readBooking(ctx, given.booking)
    // Cancelled, and what it was moved to does not show: only a person can tell.
    return booking !== null && isHeld(booking.status) ? { isDone: false } : null
  },

  /** The new booking, which only the answer or the look-up names. */
  shows: ({ stream, externalId, status, ops, isDeleted }, { start }, evidence) =>
    stream === 'bookings' &&
    externalId === evidence?.externalId &&
    status === 'accepted' &&
    ops.startsAt === timeOf(Date.parse(start)) &&
    !isDeleted,
})
