import { z } from 'zod'
import type { PollContext } from '../connector.ts'
import type { ToolResponse } from '../http.ts'
import { ascending, readEnvelope } from '../pass.ts'

const listSchema = z.object({
  status: z.literal('success'),
  data: z.array(z.unknown()),
  pagination: z.object({ hasNextPage: z.boolean() }),
})
const placedSchema = z.object({ uid: z.string().min(1), updatedAt: z.iso.datetime({ offset: true }) })

export interface BookingPage {
  readonly response: ToolResponse
  readonly data: readonly unknown[]
  /** `uid@updatedAt` of each row. */
  readonly ids: readonly string[]
  /** Change times of the first and last row we can place; null when none can be. */
  readonly first: number | null
  readonly last: number | null
  readonly hasMore: boolean
}

/** Bookings by change time, oldest first. `changedAfter` is read as inclusive or not: the caller overlaps by a millisecond. */
export async function listBookings(ctx: PollContext, changedAfter: number | null, skip: number, take: number): Promise<BookingPage> {
  const response = await ctx.http.get('v2/bookings', {
    what: 'bookings',
    signal: ctx.signal,
    query: { take, skip, sortUpdatedAt: 'asc', afterUpdatedAt: changedAfter === null ? undefined : new Date(changedAfter).toISOString() },
  })
  const list = readEnvelope(ctx, listSchema, response.json, 'bookings')
  const placed = list.data.map((row) => placedSchema.safeParse(row).data)
  const times = ascending(placed.flatMap((row) => (row ? [Date.parse(row.updatedAt)] : [])))
  return {
    response,
    data: list.data,
    ids: placed.map((row) => (row ? `${row.uid}@${row.updatedAt}` : '')),
    first: times[0] ?? null,
    last: times.at(-1) ?? null,
    hasMore: list.pagination.hasNextPage,
  }
}
