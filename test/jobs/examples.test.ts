import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../jobs/configuration.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { frozenClock } from '../../jobs/domain/clock.ts'
import { openWorkspace } from '../../jobs/open-workspace.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../support/database.ts'

const main = await withDatabase()
const examples = fileURLToPath(new URL('../../docs/examples/', import.meta.url))
const eventLogs = fileURLToPath(new URL('../../../shared/data/event-logs/', import.meta.url))
const opened: Workspace[] = []
const folders: string[] = []
afterAll(async () => {
  for (const workspace of opened) await workspace.close()
  for (const folder of folders) await rm(folder, { recursive: true })
})

async function reconcileExample(directory: string, now: string): Promise<Workspace> {
  const configuration = await loadConfiguration(directory, {}, connectors)
  const clock = frozenClock(Date.parse(now))
  const workspace = await openWorkspace({
    configuration,
    connectors,
    ownerUrl: await main.another(),
    workspaceKey: Buffer.alloc(32, 7),
    clock,
    actor: 'test',
  })
  opened.push(workspace)
  const { outcomes } = await reconcile(workspace)
  expect(outcomes.filter((outcome) => outcome.kind !== 'complete')).toEqual([])
  return workspace
}

/** Activations, violations and journeys concerned, by expectation */
async function countsOf({ database, id }: Workspace): Promise<Record<string, readonly [number, number, number]>> {
  const rows = await database.sql<{ expectation: string; activations: number; violations: number; journeys: number }[]>`
    select expectation, sum(activations)::int as activations, sum(violations)::int as violations,
      count(distinct journey_id) filter (where violations > 0)::int as journeys
    from verdicts where workspace_id = ${id} group by expectation`
  return Object.fromEntries(rows.map((row) => [row.expectation, [row.activations, row.violations, row.journeys]]))
}

describe.runIf(existsSync(eventLogs))('the example configurations of real event logs', () => {
  it('help desk: exactly the four counts of the data page', { timeout: 240_000 }, async () => {
    const workspace = await reconcileExample(join(examples, 'helpdesk'), '2014-02-01T00:00:00Z')
    expect(await countsOf(workspace)).toEqual({
      'resolved-then-closed': [4983, 10, 10],
      'resolved-in-30-days': [5060, 239, 227],
      'closed-once': [4574, 15, 15],
      'seriousness-first': [5060, 91, 78],
    })
  })

  it('travel declarations: exactly the five counts of the data page', { timeout: 240_000 }, async () => {
    const workspace = await reconcileExample(join(examples, 'bpi2020'), '2019-07-01T00:00:00Z')
    expect(await countsOf(workspace)).toEqual({
      'paid-in-a-week': [10040, 397, 397],
      'paid-at-all': [10040, 3, 3],
      'approved-before-paid': [10044, 2, 2],
      'paid-once': [10044, 0, 0],
      'rejected-is-resubmitted': [1365, 284, 284],
    })
  })
})

describe('the clinic example', () => {
  const findingsOf = ({ database, id }: Workspace) => database.sql<{ kind: string; expectation: string; owner: string; status: string }[]>`
    select kind, expectation, owner, status from findings where workspace_id = ${id} order by kind`

  it('shows a gap, a duplicate with both culprits and a disorder', async () => {
    const workspace = await reconcileExample(join(examples, 'clinic-csv'), '2026-10-15T12:00:00Z')
    expect(await findingsOf(workspace)).toEqual([
      { kind: 'disorder', expectation: 'paid-before-visit', owner: 'front-desk', status: 'open' },
      { kind: 'duplicate', expectation: 'confirmed-once', owner: 'messaging', status: 'open' },
      { kind: 'gap', expectation: 'booked-in-two-days', owner: 'front-desk', status: 'open' },
    ])
    const [duplicate] = await workspace.database.sql<{ evidence: { externalId: string; actor: { id: string } | null }[] }[]>`
      select evidence from findings where workspace_id = ${workspace.id} and kind = 'duplicate'`
    expect(duplicate?.evidence.map((row) => row.actor?.id).sort()).toEqual(['wf-confirm', 'zap-7'])
  })

  it('keeps no name and no address', async () => {
    const workspace = opened.at(-1)!
    const rows = await workspace.database.sql`select to_jsonb(r) as row from records r where workspace_id = ${workspace.id}`
    const text = JSON.stringify(rows)
    for (const needle of ['example.org', 'Ada', 'Okafor', 'Kaya', 'Costa']) expect(text).not.toContain(needle)
  })

  it('closes the gap as a false alarm when the missing booking is exported later', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clinic csv '))
    folders.push(folder)
    await cp(join(examples, 'clinic-csv'), folder, { recursive: true })
    const workspace = await reconcileExample(folder, '2026-10-15T12:00:00Z')
    expect(await findingsOf(workspace)).toMatchObject([{ kind: 'disorder' }, { kind: 'duplicate' }, { kind: 'gap', status: 'open' }])
    await appendFile(
      join(folder, 'exports/bookings.csv'),
      'bk-299,grace.lind@example.org,confirmed,2026-10-07 09:00:00,2026-10-16 09:00:00,\n',
    )
    await reconcile(workspace)
    expect(await findingsOf(workspace)).toMatchObject([{ kind: 'disorder' }, { kind: 'duplicate' }, { kind: 'gap', status: 'false_alarm' }])
  })
})
