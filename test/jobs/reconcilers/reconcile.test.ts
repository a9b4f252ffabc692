import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { acceptShrink } from '../../../db/records/streams.ts'
import { poll, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, startPagedTool } from '../../support/paged-tool.ts'
import { type MovedClock, movedClock, openPagedWorkspace, readOutcome } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const day = '2026-03-02T'
const at = (time: string) => Date.parse(`${day}${time}Z`)

let booking: PagedTool
let texts: PagedTool
let clock: MovedClock
let workspace: Workspace
const opened: Workspace[] = []
const tools: PagedTool[] = []

beforeEach(async () => {
  booking = await startPagedTool(0)
  texts = await startPagedTool(0)
  tools.push(booking, texts)
  clock = movedClock(at('09:00:00'))
  workspace = await openPagedWorkspace({
    ownerUrl: await main.another(),
    clock,
    tools: { booking: booking.url, texts: texts.url },
  })
  opened.push(workspace)
})
afterAll(async () => {
  for (const one of opened) await one.close()
  for (const tool of tools) await tool.close()
})

/** Polls with each tool read to a time of its own. */
async function readTo(bookingAt: string, textsAt: string, now: string) {
  booking.now = at(bookingAt)
  texts.now = at(textsAt)
  clock.at = at(now)
  return reconcile(workspace, { pageSize: 10 })
}

const findings = () =>
  workspace.database.sql<
    { kind: string; status: string; closed_reason: string | null; violations: number; regressions: number }[]
  >`select kind, status, closed_reason, violations, regressions from findings where workspace_id = ${workspace.id} order by opened_at, id`
const verdicts = () =>
  workspace.database.sql<
    { expectation: string; state: number; read_to: Date | null }[]
  >`select expectation, state, read_to from verdicts where workspace_id = ${workspace.id} and expectation = 'booking-confirmed' order by due_at`

const booked = (id: string, time: string, person = id) => ({
  id,
  updatedAt: at(time),
  at: at(time),
  status: 'accepted',
  email: `${person}@example.org`,
  given: 'Ann',
})
const delivered = (id: string, time: string, person: string) => ({
  id,
  updatedAt: at(time),
  at: at(time),
  status: 'delivered',
  email: `${person}@example.org`,
  given: 'Ann',
})

describe('capability 1: clock and watermark, through the whole pipeline', () => {
  beforeEach(() => {
    booking.rows = [booked('b1', '09:00:00', 'p1')]
  })

  it('finds nothing while messaging is read only to 09:10, and says so', async () => {
    await readTo('09:30:00', '09:10:00', '09:30:00')
    expect(await findings()).toEqual([])
    const [verdict] = await verdicts()
    expect(verdict?.state).toBe(4)
    expect(verdict?.read_to?.toISOString()).toBe('2026-03-02T09:10:00.000Z')
  })

  it('finds exactly one gap once messaging is read past the deadline', async () => {
    await readTo('09:30:00', '09:10:00', '09:30:00')
    await readTo('09:30:00', '09:20:00', '09:31:00')
    expect(await findings()).toMatchObject([{ kind: 'gap', status: 'open', violations: 1 }])
  })

  it('closes as a false alarm when a message that came in time is read later', async () => {
    await readTo('09:30:00', '09:20:00', '09:31:00')
    texts.rows = [{ ...delivered('m1', '09:12:00', 'p1'), updatedAt: at('09:32:00') }]
    await readTo('09:35:00', '09:35:00', '09:35:00')
    expect(await findings()).toMatchObject([{ kind: 'gap', status: 'false_alarm' }])
  })

  it('turns into late, closed by itself, when the message comes after the deadline', async () => {
    await readTo('09:30:00', '09:20:00', '09:31:00')
    texts.rows = [delivered('m1', '09:40:00', 'p1')]
    await readTo('09:45:00', '09:45:00', '09:45:00')
    expect(await findings()).toMatchObject([{ kind: 'late', status: 'verified', closed_reason: 'came_late', violations: 1 }])
    expect((await verdicts())[0]?.state).toBe(3)
  })
})

it('changes nothing when everything is read again', async () => {
  booking.rows = Array.from({ length: 35 }, (_, n) => booked(`b${n}`, `09:00:${String(n).padStart(2, '0')}`, `p${n}`))
  texts.rows = Array.from({ length: 20 }, (_, n) => delivered(`m${n}`, '09:10:00', `p${n}`))
  await readTo('10:00:00', '10:00:00', '10:00:00')
  const before = await readOutcome(workspace)
  const revisions = await workspace.database.sql`select id, revision from findings order by id`
  expect(before.violated).toHaveLength(15)
  await readTo('10:00:00', '10:00:00', '10:00:00')
  const again = await readTo('10:00:00', '10:00:00', '10:00:00')
  expect(again.outcomes.map((outcome) => outcome.kind === 'complete' && outcome.changed)).toEqual([0, 0])
  expect(await readOutcome(workspace)).toEqual(before)
  expect(await workspace.database.sql`select id, revision from findings order by id`).toEqual(revisions)
})

it('P9: a sweep that fails on page 3 is incomplete: no watermark, no deletion, no finding', async () => {
  booking.rows = Array.from({ length: 60 }, (_, n) => booked(`b${n}`, `09:00:${String(n % 60).padStart(2, '0')}`, `p${n}`))
  const start = texts.requests
  texts.rows = Array.from({ length: 60 }, (_, n) => delivered(`m${n}`, '09:10:00', `p${n}`))
  texts.onRequest = (request) => (request - start === 3 ? 500 : undefined)
  const result = await readTo('12:00:00', '12:00:00', '12:00:00')
  expect(result.outcomes.find((outcome) => outcome.connection === 'texts')).toMatchObject({ kind: 'failed', state: 'bad_response' })
  expect(await findings()).toMatchObject([{ kind: 'blind', status: 'open' }])
  const [stream] = await workspace.database.sql`select watermark, cursor from streams where connection = 'texts'`
  expect(stream?.watermark).toBeNull()
  texts.onRequest = () => undefined
  await readTo('12:01:00', '12:01:00', '12:01:00')
  expect(await findings()).toMatchObject([{ kind: 'blind', status: 'verified' }])
  const [count] = await workspace.database.sql`select count(*)::int as n from records`
  expect(count?.n).toBe(120)
})

it('P9: a sweep that sees half of what was there asks a person instead of deleting', async () => {
  booking.rows = Array.from({ length: 100 }, (_, n) => booked(`b${n}`, '09:00:00', `p${n}`))
  texts.rows = Array.from({ length: 100 }, (_, n) => delivered(`m${n}`, '09:05:00', `p${n}`))
  await readTo('09:30:00', '09:30:00', '09:30:00')
  expect(await findings()).toEqual([])
  texts.rows = texts.rows.slice(0, 50)
  clock.at += 25 * 3_600_000
  texts.now = clock.at
  booking.now = clock.at
  const result = await reconcile(workspace, { pageSize: 10 })
  expect(result.outcomes.find((outcome) => outcome.connection === 'texts')).toMatchObject({ kind: 'failed', state: 'suspicious_shrink' })
  expect(await findings()).toMatchObject([{ kind: 'blind', status: 'open' }])
  const live = async () => (await workspace.database.sql`select count(*)::int as n from records where deleted_at is null`)[0]?.n
  expect(await live()).toBe(200)

  // A person says that they are gone: once, audited.
  const { sql } = workspace.database
  expect(await acceptShrink(sql, workspace.id, 'texts', 'ada', clock.at)).toEqual(['rows'])
  expect(await acceptShrink(sql, workspace.id, 'texts', 'ada', clock.at)).toEqual([])
  expect(await acceptShrink(sql, workspace.id, 'booking', 'ada', clock.at)).toEqual([])
  expect((await poll(workspace, 'texts')).map((outcome) => outcome.kind)).toEqual(['complete'])
  expect(await live()).toBe(150)
  expect([...(await sql`select actor, target_id from audit where act = 'stream.accept_shrink'`)]).toEqual([
    { actor: 'ada', target_id: 'texts.rows' },
  ])
  expect([...(await sql`select distinct shrink_allowed as allowed from streams`)]).toEqual([{ allowed: false }])
})

it('finds a deletion by a complete sweep, and the promise it undoes', async () => {
  booking.rows = Array.from({ length: 40 }, (_, n) => booked(`b${n}`, '09:00:00', `p${n}`))
  texts.rows = []
  await readTo('09:30:00', '09:30:00', '09:30:00')
  expect(await findings()).toHaveLength(40)
  booking.rows = booking.rows.slice(1)
  clock.at += 25 * 3_600_000
  texts.now = clock.at
  booking.now = clock.at
  await reconcile(workspace, { pageSize: 10 })
  const byStatus = Object.groupBy(await findings(), (finding) => finding.status)
  expect(byStatus.void).toHaveLength(1)
  expect(byStatus.open).toHaveLength(39)
})
