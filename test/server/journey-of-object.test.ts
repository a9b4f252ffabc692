import { expect, it } from 'vitest'
import { listJourneys } from '../../db/records/journeys.ts'
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { judgeJourneyAnew } from '../../server/judged-journey.ts'
import { withDatabase } from '../support/database.ts'
import { startPagedTool, type ToolRow } from '../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../support/paged-workspace.ts'

const main = await withDatabase()
const at = (time: string) => Date.parse(`2026-03-02T${time}:00Z`)
const program = `
program: visits
title: Visits
owner: care
journey: { per: appointment, starts: booked, abandon_after: 90d }
steps:
  booked:    { stream: booking.rows, when: { status: accepted } }
  confirmed: { stream: texts.rows, when: { status: delivered } }
expectations:
  booking-confirmed: { after: booked, expect: confirmed, within: 15m }
`

it('a journey of an object shows the messages that time gave to it, and what nothing ties to any', async () => {
  const clock = movedClock(at('12:00'))
  const booking = await startPagedTool(clock.at)
  const texts = await startPagedTool(clock.at)
  const row = (id: string, time: string, status: string, more: Partial<ToolRow> = {}): ToolRow => ({
    id,
    email: 'ann@example.org',
    status,
    at: at(time),
    updatedAt: at(time),
    ...more,
  })
  booking.rows = [row('b-1', '09:00', 'accepted', { appointment: 'a-1' }), row('b-2', '10:00', 'accepted', { appointment: 'a-2' })]
  texts.rows = [row('m-1', '09:05', 'delivered'), row('m-2', '10:05', 'delivered'), row('m-3', '11:00', 'received')]
  const workspace = await openPagedWorkspace({
    ownerUrl: await main.another(),
    clock,
    tools: { booking: booking.url, texts: texts.url },
    program,
  })
  try {
    await reconcile(workspace)
    const { rows } = await listJourneys(workspace.database.db, workspace.id, {}, { cursor: null, limit: 10 })
    const shown = await Promise.all(
      rows.map(async (journey) => {
        const judged = await judgeJourneyAnew({ workspace }, journey)
        return [journey.objectId, judged?.events.map(({ record }) => record.externalId)]
      }),
    )
    expect(Object.fromEntries(shown)).toEqual({ 'a-1': ['b-1', 'm-1', 'm-3'], 'a-2': ['b-2', 'm-2', 'm-3'] })
  } finally {
    await workspace.close()
    await Promise.all([booking.close(), texts.close()])
  }
})
