import { z } from 'zod'
import { unlessMissing } from '../../act.ts'
import type { ActContext, EvidenceRef } from '../../connector.ts'
import { ToolError } from '../../connector.ts'
import { readEnvelope } from '../../pass.ts'
import { isoTime, text, textOrNull } from '../../record.ts'
import type { CalcomConfig } from '../index.ts'

type Context = ActContext<CalcomConfig>

const bookingSchema = z.object({
  uid: text,
  status: text,
  start: isoTime,
  end: isoTime,
  absentHost: z.boolean(),
  rescheduledToUid: textOrNull.optional(),
  attendees: z.array(z.object({ email: text, absent: z.boolean().optional(), seatUid: text.nullish() })),
})
/** Holds the attendees' addresses: it never leaves the action. */
export type Booking = z.infer<typeof bookingSchema>

const answerSchema = z.object({ status: z.literal('success'), data: z.unknown() })

export const bookingUid = z
  .string()
  .regex(/^[A-Za-z0-9-]{3,100}$/)
  .describe('The booking, by the uid Cal.com gave it')

/** The booking as Cal.com shows it now; null: it knows none. @throws ToolError also for a recurring series, which has another shape. */
export async function readBooking(ctx: Context, uid: string): Promise<Booking | null> {
  const response = await unlessMissing(ctx.http.get(`v2/bookings/${encodeURIComponent(uid)}`, { what: 'the booking', signal: ctx.signal }))
  if (response === null) return null
  const { data } = readEnvelope(ctx, answerSchema, response.json, 'the booking')
  if (Array.isArray(data))
    throw new ToolError(
      'bad_response',
      `Connection ${ctx.connection}: ${uid} is a recurring series, not one booking. Change it in Cal.com.`,
    )
  return readEnvelope(ctx, bookingSchema, data, 'the booking')
}

/** What stands in the way of any change to it; null: nothing. */
export function obstacle(ctx: Context, uid: string, booking: Booking | null): string | null {
  if (booking === null) return `Cal.com (${ctx.connection}) knows no booking ${uid}. Was it deleted, or is it of another connection?`
  if (booking.attendees.some(({ seatUid }) => seatUid)) return 'The booking has seats, each of another person. Change the seat in Cal.com.'
  return null
}

/** The booking an answer to a write shows; null: it shows none. */
export function bookingIn(json: unknown): Booking | null {
  const answer = answerSchema.safeParse(json)
  return answer.success ? (bookingSchema.safeParse(answer.data.data).data ?? null) : null
}

export const bookingEvidence = (uid: string): EvidenceRef => ({ stream: 'bookings', externalId: uid })
export const timeOf = (at: number) => new Date(at).toISOString()

/** After a no: what the booking is now, to tell a deed that was done before from a refusal. Never throws for the tool. */
export async function afterwards(ctx: Context, uid: string): Promise<Booking | null> {
  return readBooking(ctx, uid).catch((error: unknown) => {
    if (error instanceof ToolError) return null
    throw error
  })
}
