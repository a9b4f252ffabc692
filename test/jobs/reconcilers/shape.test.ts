import { afterAll, expect, it } from 'vitest'
import type { Connector, Drift } from '../../../jobs/connectors/connector.ts'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, pagedConnector, startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const hour = 3_600_000
const opened: Workspace[] = []
const tools: PagedTool[] = []
afterAll(async () => {
  for (const one of opened) await one.close()
  for (const tool of tools) await tool.close()
})

it('a change of shape stands while sweeps meet it, however early in them, and is over when one does not', async () => {
  const booking = await startPagedTool(0)
  const texts = await startPagedTool(0)
  tools.push(booking, texts)
  const clock = movedClock('2026-03-02T09:00:00Z')
  let drift: readonly Drift[] = [{ path: 'data[].refund', what: 'new' }]
  // Shown by the first page of each pass; every page takes the clock on a minute.
  const connector: Connector<{ url: string }> = {
    ...pagedConnector,
    poll: async (ctx, stream, cursor, budget) => {
      const isFirst = cursor === null
      const page = await pagedConnector.poll(ctx, stream, cursor, budget)
      clock.at += 60_000
      return { ...page, drift: isFirst && ctx.connection === 'booking' ? drift : [] }
    },
  }
  booking.rows = Array.from({ length: 35 }, (_, n) => ({
    id: `b${n}`,
    updatedAt: clock.at,
    at: clock.at,
    status: 'accepted',
    email: `p${n}@example.org`,
    given: 'Ann',
  }))
  const workspace = await openPagedWorkspace({
    ownerUrl: await main.another(),
    clock,
    tools: { booking: booking.url, texts: texts.url },
    connector,
  })
  opened.push(workspace)
  const sweep = async () => {
    clock.at += 25 * hour
    booking.now = texts.now = clock.at
    await reconcile(workspace, { pageSize: 10 })
    const rows = await workspace.database.sql<
      { status: string }[]
    >`select status from findings where workspace_id = ${workspace.id} and kind = 'schema_drift'`
    return rows.map(({ status }) => status)
  }
  expect(await sweep()).toEqual(['open'])
  expect(await sweep()).toEqual(['open'])
  drift = []
  expect(await sweep()).toEqual(['verified'])
  drift = [{ path: 'data[].refund', what: 'new' }]
  expect(await sweep()).toEqual(['open'])
})
