import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { readExpectations } from '../../../server/read-expectations.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, startPagedTool } from '../../support/paged-tool.ts'
import { type MovedClock, movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const at = (time: string) => Date.parse(`2026-03-02T${time}Z`)

const write = (expectations: string) => `
program: visits
title: Visits
owner: care
journey: { per: subject, starts: booked, ends: seen, abandon_after: 90d }
steps:
  booked:    { stream: booking.rows, when: { status: accepted } }
  confirmed: { stream: texts.rows, when: { status: delivered } }
  seen:      { stream: booking.rows, when: { status: seen } }
expectations:
  ${expectations}
`
const strict = write('told: { after: booked, expect: confirmed, within: 15m }')
const lenient = write('told: { after: booked, expect: confirmed, within: 12h }')
const renamed = write('confirmed-soon: { after: booked, expect: confirmed, within: 15m, renamed_from: told }')

let booking: PagedTool
let texts: PagedTool
let clock: MovedClock
let ownerUrl: string
let workspace: Workspace
const opened: Workspace[] = []
const tools: PagedTool[] = []

const row = (id: string, time: string, status: string, person: string) => ({
  id,
  updatedAt: at(time),
  at: at(time),
  status,
  email: `${person}@example.org`,
  given: 'Ann',
})

async function apply(program: string, now: string): Promise<void> {
  clock.at = booking.now = texts.now = at(now)
  workspace = await openPagedWorkspace({ ownerUrl, clock, tools: { booking: booking.url, texts: texts.url }, program })
  opened.push(workspace)
  await reconcile(workspace)
}
const findings = () =>
  workspace.database.sql<
    { expectation: string; status: string; closed_reason: string | null; program_version: number }[]
  >`select expectation, status, closed_reason, program_version from findings where workspace_id = ${workspace.id} order by occurred_at`
const versions = async () =>
  (
    await workspace.database.sql<
      { program_version: number }[]
    >`select program_version from journeys where workspace_id = ${workspace.id} order by started_at`
  ).map((one) => one.program_version)

beforeEach(async () => {
  booking = await startPagedTool(0)
  texts = await startPagedTool(0)
  tools.push(booking, texts)
  clock = movedClock(at('09:00:00'))
  ownerUrl = await main.another()
  // Ada was seen, Ben was not yet; nobody was told.
  booking.rows = [row('b1', '09:00:00', 'accepted', 'ada'), row('b2', '09:30:00', 'accepted', 'ben'), row('v1', '10:00:00', 'seen', 'ada')]
})
afterAll(async () => {
  for (const one of opened) await one.close()
  for (const tool of tools) await tool.close()
})

describe('semantics 22: versions of a program', () => {
  it('judge journeys that have not ended anew, and leave those that had their own', async () => {
    await apply(strict, '11:00:00')
    expect(await findings()).toMatchObject([{ status: 'open' }, { status: 'open' }])
    await apply(lenient, '11:30:00')
    expect(await versions()).toEqual([1, 2])
    expect(await findings()).toEqual([
      { expectation: 'told', status: 'open', closed_reason: null, program_version: 1 },
      { expectation: 'told', status: 'withdrawn', closed_reason: 'program_changed', program_version: 1 },
    ])
    // Open once more when the promise is made strict again; ended meanwhile, it keeps the version it ended under.
    await apply(strict, '12:00:00')
    expect(await findings()).toMatchObject([
      { status: 'open', program_version: 1 },
      { status: 'open', program_version: 3 },
    ])
    booking.rows.push(row('v2', '12:30:00', 'seen', 'ben'))
    await apply(lenient, '13:00:00')
    expect(await versions()).toEqual([1, 3])
    expect(await findings()).toMatchObject([
      { status: 'open', program_version: 1 },
      { status: 'open', program_version: 3 },
    ])
  })

  it('renamed_from keeps the finding; an ended journey keeps the name it was judged by', async () => {
    await apply(strict, '11:00:00')
    const before = await workspace.database.sql`select id from findings where workspace_id = ${workspace.id} order by occurred_at`
    await apply(renamed, '11:30:00')
    expect(await findings()).toMatchObject([
      { expectation: 'told', status: 'open', program_version: 1 },
      { expectation: 'confirmed-soon', status: 'open', program_version: 2 },
    ])
    expect(await workspace.database.sql`select id from findings where workspace_id = ${workspace.id} order by occurred_at`).toEqual(before)
    expect(await readExpectations(workspace)).toMatchObject([{ expectation: 'confirmed-soon', activations: 2, violations: 2, journeys: 2 }])
  })

  it('a promise that is taken out withdraws the findings of journeys that go on, and still counts for those that had ended', async () => {
    await apply(strict, '11:00:00')
    await apply(write('once: { at_most: 1, of: booked }'), '11:30:00')
    expect(await findings()).toMatchObject([
      { expectation: 'told', status: 'open', program_version: 1 },
      { expectation: 'told', status: 'withdrawn', closed_reason: 'promise_removed' },
    ])
    expect(await readExpectations(workspace)).toMatchObject([
      { expectation: 'once', activations: 1, violations: 0 },
      { expectation: 'told', activations: 1, violations: 1 },
    ])
  })

  it('a program that is taken away withdraws its open findings; brought back, it counts on and opens them again', async () => {
    await apply(strict, '11:00:00')
    await apply(lenient.replace('program: visits', 'program: other'), '11:30:00')
    const own = () =>
      workspace.database.sql`select status, closed_reason from findings where workspace_id = ${workspace.id} and program = 'visits'`
    expect(await own()).toEqual([
      { status: 'withdrawn', closed_reason: 'promise_removed' },
      { status: 'withdrawn', closed_reason: 'promise_removed' },
    ])
    await apply(strict, '12:00:00')
    expect(await own()).toMatchObject([{ status: 'open' }, { status: 'open' }])
    expect(await versions()).toEqual([1, 2])
  })

  it('a version nobody understands any more is said, and the next one judges in its place', async () => {
    await apply(strict, '11:00:00')
    await workspace.database.sql`update program_versions set source = 'program: [' where workspace_id = ${workspace.id}`
    await apply(lenient, '11:30:00')
    expect(await versions()).toEqual([2, 2])
  })
})
