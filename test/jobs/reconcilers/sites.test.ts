import { afterAll, expect, it } from 'vitest'
import type { Configuration } from '../../../jobs/configuration.ts'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { judge, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const ownerUrl = await main.another()
const now = Date.parse('2026-03-02T12:00:00Z')
const clock = movedClock(now)
const tool = await startPagedTool(now)
const minute = 60_000
tool.rows = [
  { id: 'b1', updatedAt: now - 60 * minute, at: now - 60 * minute, status: 'accepted', email: 'ada@example.org', ops: { place: 'LOC-2' } },
  { id: 'b2', updatedAt: now - 60 * minute, at: now - 60 * minute, status: 'accepted', email: 'ben@example.org', ops: { place: 'north' } },
  { id: 'b3', updatedAt: now - 60 * minute, at: now - 60 * minute, status: 'accepted', email: 'cy@example.org' },
]
const texts = await startPagedTool(now)

type Sites = NonNullable<Configuration['sites']>
const open = (sites: Sites, siteOfBooking: string | null = null): Promise<Workspace> =>
  openPagedWorkspace({
    ownerUrl,
    clock,
    tools: { booking: tool.url, texts: texts.url },
    configure: (configuration) => ({
      ...configuration,
      sites,
      connections: configuration.connections.map((connection) =>
        connection.id === 'booking' ? { ...connection, siteFrom: { rows: 'place' }, site: siteOfBooking } : connection,
      ),
      routing: { ...configuration.routing, routes: [{ when: { site: 'south' }, owner: 'southside' }] },
    }),
  })
const both: Sites = [
  { key: 'north', title: 'Northside', knownAs: [] },
  { key: 'south', title: 'Southside', knownAs: ['loc-2'] },
]
let workspace = await open(both)
afterAll(async () => {
  await workspace.close()
  await tool.close()
  await texts.close()
})
const findings = async () =>
  [
    ...(await workspace.database.sql<{ row: string }[]>`
      select concat_ws(' ', evidence->0->>'externalId', coalesce(site, '-'), owner) as row from findings
      where workspace_id = ${workspace.id} and kind = 'gap' order by 1`),
  ].map(({ row }) => row)

it('a finding has the site its record states, and is routed by it with the reason', async () => {
  await reconcile(workspace)
  expect(await findings()).toEqual(['b1 south southside', 'b2 north care', 'b3 - care'])
  const [first] = await workspace.database.sql`select owner_reason from findings where workspace_id = ${workspace.id} and site = 'south'`
  expect(first?.owner_reason).toBe('Route 1 of owners.yaml: site is south (as its record in booking.rows states).')
})

it('judging again changes nothing', async () => {
  const before = await workspace.database.sql`select count(*)::int as n from audit where workspace_id = ${workspace.id}`
  await workspace.database
    .sql`insert into dirty_components (workspace_id, part, component_id) select workspace_id, part, component_id from findings where program is not null`
  await judge(workspace)
  expect([...(await workspace.database.sql`select count(*)::int as n from audit where workspace_id = ${workspace.id}`)]).toEqual([
    ...before,
  ])
})

it('declaring the sites otherwise judges everything again: the site moves, its owner stays, and the audit tells', async () => {
  await workspace.close()
  workspace = await open([{ key: 'north', title: 'Northside', knownAs: ['loc-2'] }], 'north')
  await judge(workspace)
  expect(await findings()).toEqual(['b1 north southside', 'b2 north care', 'b3 north care'])
  const acts = await workspace.database.sql`select act, before->>'site' as was, after->>'site' as is from audit
    where workspace_id = ${workspace.id} and act = 'finding.update' order by 2`
  expect([...acts]).toEqual([
    { act: 'finding.update', was: 'south', is: 'north' },
    { act: 'finding.update', was: null, is: 'north' },
  ])
})

it('opening it again as it is marks nothing', async () => {
  await workspace.close()
  workspace = await open([{ key: 'north', title: 'Northside', knownAs: ['loc-2'] }], 'north')
  expect([...(await workspace.database.sql`select from dirty_components where workspace_id = ${workspace.id}`)]).toEqual([])
  expect(await workspace.database.sql`select key, title from sites`).toEqual([{ key: 'north', title: 'Northside' }])
})
