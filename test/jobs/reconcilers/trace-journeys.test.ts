import { afterAll, beforeAll, expect, it } from 'vitest'
import { listPaths, readFlows } from '../../../db/records/journey-paths.ts'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { traceJourneys } from '../../../jobs/reconcilers/trace-journeys.ts'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const morning = Date.parse('2026-03-02T09:00:00Z')

const main = await withDatabase()
const clock = movedClock(morning + 3 * hour)
let booking: PagedTool
let texts: PagedTool
let workspace: Workspace
const row = (id: string, email: string, status: string, at: number) => ({ id, email, status, at, updatedAt: at })

beforeAll(async () => {
  booking = await startPagedTool(clock.at)
  texts = await startPagedTool(clock.at)
  booking.rows = [
    row('b-ann', 'ann@example.org', 'accepted', morning),
    row('b-bob', 'bob@example.org', 'accepted', morning),
    row('v-bob', 'bob@example.org', 'seen', morning + 2 * hour),
    row('b-cid', 'cid@example.org', 'accepted', morning - day),
  ]
  texts.rows = [
    row('m-1', 'bob@example.org', 'delivered', morning + 5 * minute),
    row('m-2', 'bob@example.org', 'delivered', morning + 6 * minute),
  ]
  workspace = await openPagedWorkspace({ ownerUrl: await main.another(), clock, tools: { booking: booking.url, texts: texts.url } })
  await readAll()
})
afterAll(async () => {
  await workspace.close()
  await booking.close()
  await texts.close()
})

async function readAll(): Promise<void> {
  booking.now = clock.at
  texts.now = clock.at
  await reconcile(workspace)
}
const trace = () => traceJourneys(workspace.database.sql, workspace.judging)
async function flows(from: string, to = from): Promise<Record<string, number>> {
  const counts = await readFlows(workspace.database.sql, workspace.id, { program: 'visits', version: null, from, to })
  const moves: Record<string, number> = {}
  for (const count of counts) moves[`${count.from} > ${count.to}`] = (moves[`${count.from} > ${count.to}`] ?? 0) + count.journeys
  return moves
}
const passed = async (filter: { step: string } | { from: string; to: string }) =>
  (
    await listPaths(
      workspace.database.sql,
      workspace.id,
      { program: 'visits', version: null, from: morning - 9 * day, to: morning + 9 * day, passed: filter },
      { after: null, limit: 50 },
    )
  ).map(({ steps }) => steps.join(' '))

it('counts the moves of all journeys by the day they began, and again nothing', async () => {
  expect(await trace()).toEqual({ journeys: 3, days: 2, complete: true })
  expect(await flows('2026-03-02')).toEqual({
    ' > booked': 2,
    'booked > confirmed': 1,
    'confirmed > seen': 1,
    'booked > @open': 1,
    'seen > @open': 1,
  })
  expect(await flows('2026-03-01')).toEqual({ ' > booked': 1, 'booked > @open': 1 })
  expect((await flows('2026-03-01', '2026-03-02'))[' > booked']).toBe(3)
  expect(await trace()).toEqual({ journeys: 0, days: 0, complete: true })
})

it('lists the journeys behind each number', async () => {
  expect(await passed({ from: 'booked', to: 'confirmed' })).toEqual(['booked confirmed seen'])
  expect(await passed({ from: 'booked', to: 'seen' })).toEqual([])
  expect(await passed({ from: 'booked', to: '@open' })).toEqual(['booked', 'booked'])
  expect(await passed({ from: '', to: 'booked' })).toHaveLength(3)
  expect(await passed({ step: 'seen' })).toEqual(['booked confirmed seen'])
})

it('follows what is read later: only what changed is traced anew', async () => {
  clock.at += hour
  texts.rows = [...texts.rows, row('m-3', 'ann@example.org', 'delivered', clock.at - minute)]
  await readAll()
  expect(await trace()).toEqual({ journeys: 1, days: 1, complete: true })
  expect(await flows('2026-03-02')).toEqual({
    ' > booked': 2,
    'booked > confirmed': 2,
    'confirmed > seen': 1,
    'confirmed > @open': 1,
    'seen > @open': 1,
  })
})

it('lets go of journeys that are gone', async () => {
  await workspace.database.sql`delete from journeys where workspace_id = ${workspace.id} and started_at < ${new Date(morning - hour)}`
  expect(await trace()).toEqual({ journeys: 1, days: 1, complete: true })
  expect(await flows('2026-03-01')).toEqual({})
})

it('stops between batches when asked to, and goes on where it was', async () => {
  await workspace.database.sql`delete from journey_paths where workspace_id = ${workspace.id}`
  let rounds = 0
  let over = await traceJourneys(workspace.database.sql, workspace.judging, () => true)
  expect(over.complete).toBe(false)
  while (!over.complete && rounds++ < 50) over = await traceJourneys(workspace.database.sql, workspace.judging)
  expect((await flows('2026-03-02'))[' > booked']).toBe(2)
})
