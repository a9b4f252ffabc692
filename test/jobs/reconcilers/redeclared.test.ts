import { afterAll, expect, it } from 'vitest'
import { readSights } from '../../../db/records/sights.ts'
import { declareConnections, declarePrograms, noteEgress } from '../../../db/records/workspaces.ts'
import { poll, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const now = Date.parse('2026-03-02T12:00:00Z')
const tool = await startPagedTool(now)
tool.rows = [{ id: 'b1', updatedAt: now - 60_000, at: now - 60_000, status: 'accepted', email: 'ada@example.org' }]
const workspace = await openPagedWorkspace({
  ownerUrl: await main.another(),
  clock: movedClock(now),
  tools: { booking: tool.url, texts: tool.url },
})
afterAll(async () => {
  await workspace.close()
  await tool.close()
})
const { sql } = workspace.database
await reconcile(workspace)

it('marks everything in the transaction that notes a new version, so that no crash between them loses it', async () => {
  const marks = async () => (await sql`select from dirty_components where workspace_id = ${workspace.id}`).length
  const visits = { key: 'visits', source: 'program: visits', sourceHash: 'another' }
  expect(await marks()).toBe(0)
  await declarePrograms(sql, workspace.id, [visits], 'test', now)
  const first = await marks()
  expect(first).toBeGreaterThan(0)
  await declarePrograms(sql, workspace.id, [visits], 'test', now)
  expect(await marks()).toBe(first)
  await declarePrograms(sql, workspace.id, [], 'test', now)
  expect(await marks()).toBe(first * 2)
  const acts =
    await sql`select act, target_id from audit where workspace_id = ${workspace.id} and target_kind = 'program' order by recorded_at`
  expect(acts.map((row) => row.act)).toEqual(['program.apply', 'program.apply', 'program.withdraw'])
})

it('no longer reads a stream the configuration dropped, nor calls it blind, and reads it on when it is back', async () => {
  const declared = (name: string) => ({
    id: 'booking',
    connector: 'paged',
    title: 'Booking',
    config: { url: tool.url },
    pollSeconds: 60,
    blindAfterSeconds: 3600,
    owner: null,
    problem: null,
    streams: [{ name, title: name, lagSeconds: 0, fullSweepSeconds: null, final: false }],
  })
  const read = async () => (await poll(workspace, 'booking')).map((outcome) => [outcome.stream, outcome.kind])
  const exempt = async () =>
    (await readSights(sql, workspace.id)).filter((sight) => sight.connection === 'booking').map((sight) => [sight.stream, sight.exempt])

  await declareConnections(sql, workspace.id, [declared('visits')], now)
  expect(await read()).toEqual([['visits', 'complete']])
  expect(await exempt()).toEqual([
    ['booking.rows', true],
    ['booking.visits', false],
  ])
  await declareConnections(sql, workspace.id, [declared('rows')], now)
  expect(await read()).toEqual([['rows', 'complete']])
  expect(await exempt()).toEqual([
    ['booking.rows', false],
    ['booking.visits', true],
  ])
})

it('S9: every change of the addresses inside that may be reached is audited, once', async () => {
  const acts = () =>
    sql`select actor, before, after from audit where workspace_id = ${workspace.id} and act = 'egress.allow' order by recorded_at`
  const list = ['10.0.0.7:8443', '127.0.0.1:4411']
  for (const allow of [[], list, list.toReversed(), ['127.0.0.1:4411']]) await noteEgress(sql, workspace.id, allow, 'ada', now)
  expect([...(await acts())]).toEqual([
    { actor: 'ada', before: { allow: [] }, after: { allow: list } },
    { actor: 'ada', before: { allow: list }, after: { allow: ['127.0.0.1:4411'] } },
  ])
})
