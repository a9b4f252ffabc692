import { afterAll, expect, it } from 'vitest'
import { partCount, partOf, type Tx } from '../../../db/records/bulk.ts'
import { mergeComponents } from '../../../db/records/components.ts'
import { markDirty } from '../../../db/records/marks.ts'
import { countDirty } from '../../../db/records/marks.ts'
import { judge, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const now = Date.parse('2026-03-02T12:00:00Z')
const tool = await startPagedTool(now)
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

it('P17: judges what one range of parts marks in another that had ended already', async () => {
  tool.rows = 'abcdefgh'
    .split('')
    .map((id) => ({ id, updatedAt: now - 60_000, at: now - 60_000, status: 'accepted', email: `${id}@example.org` }))
  await reconcile(workspace)
  const components = (
    await sql<{ id: string }[]>`select replace(id::text, '-', '') as id from components where workspace_id = ${workspace.id}`
  ).map(({ id }) => id)
  const lower = components.filter((id) => partOf(id) < partCount / 2)
  const upper = components.filter((id) => partOf(id) >= partCount / 2)
  for (const [from, to] of [
    [lower[0], upper[0]],
    [upper[1], lower[1]],
  ]) {
    if (from === undefined || to === undefined) throw new Error('The rows must spread over both halves.')
    await sql.begin(async (tx: Tx) => {
      await mergeComponents(tx, workspace.id, [{ survivor: to, absorbed: [from] }])
      await markDirty(tx, workspace.id, [from])
    })
    await judge(workspace)
    expect(await countDirty(sql, workspace.id)).toBe(0)
    const [subjects] =
      await sql`select count(*)::int as n from subjects where workspace_id = ${workspace.id} and component_id = ${from}::uuid`
    expect(subjects).toEqual({ n: 0 })
  }
})
