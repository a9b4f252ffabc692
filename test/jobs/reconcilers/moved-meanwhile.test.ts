import { afterAll, expect, it } from 'vitest'
import type { Tx } from '../../../db/records/bulk.ts'
import { lockGrouping, mergeComponents } from '../../../db/records/components.ts'
import { forgetAbsorbed } from '../../../db/records/components.ts'
import { readStreams } from '../../../db/records/streams.ts'
import { openDatabase } from '../../../db/client.ts'
import type { ReadRecord } from '../../../jobs/connectors/connector.ts'
import { seal } from '../../../jobs/domain/plain.ts'
import { commitPage } from '../../../jobs/reconcilers/observe.ts'
import { recordId } from '../../../jobs/reconcilers/observed.ts'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const now = Date.parse('2026-03-02T12:00:00Z')
const tool = await startPagedTool(now)
const ownerUrl = await main.another()
const workspace = await openPagedWorkspace({ ownerUrl, clock: movedClock(now), tools: { booking: tool.url, texts: tool.url } })
const owner = openDatabase(ownerUrl, { max: 1 })
afterAll(async () => {
  await workspace.close()
  await owner.close()
  await tool.close()
})

const { sql } = workspace.database
const row = (id: string, at: number): ReadRecord => ({
  externalId: id,
  updatedAt: at,
  version: null,
  status: 'accepted',
  ops: {},
  objects: [],
  person: seal({ role: 'self', emails: [`${id}@example.org`] }),
  events: [{ type: 'accepted', occurredAt: at, status: 'accepted', actor: { kind: 'unknown', id: null } }],
})

it('marks the component an older version stands in now, though a merge moved it while the page waited', async () => {
  tool.rows = ['x', 'z'].map((id) => ({ id, updatedAt: now - 60_000, at: now - 60_000, status: 'accepted', email: `${id}@example.org` }))
  await reconcile(workspace)
  const componentOf = async (id: string) => {
    const [found] = await sql<{ id: string }[]>`select replace(component_id::text, '-', '') as id from records
      where workspace_id = ${workspace.id} and id = ${recordId('booking.rows', id)}::uuid`
    return found?.id ?? ''
  }
  const [from, to] = [await componentOf('x'), await componentOf('z')]
  const stream = (await readStreams(sql, workspace.id, 'booking'))[0]!

  // The page brings an event of an older version of x, and something new that makes it wait for its turn to group.
  let committed: ReturnType<typeof commitPage> | undefined
  await sql.begin(async (tx: Tx) => {
    await lockGrouping(tx, workspace.id)
    const page = {
      records: [row('x', now - 120_000), row('y', now - 60_000)],
      quarantined: [],
      drift: [],
      cursor: null,
      coverage: { from: null, to: now, complete: true },
    }
    committed = commitPage(sql, workspace.id, stream, page, { tokenise: workspace.tokenise, now })
    for (let waiting = false; !waiting; ) {
      const found = await owner.sql`select from pg_locks where locktype = 'advisory' and not granted`
      waiting = found.length > 0
    }
    await mergeComponents(tx, workspace.id, [{ survivor: to, absorbed: [from] }])
    await forgetAbsorbed(tx, workspace.id, [from])
  })
  expect(await committed).toMatchObject({ kind: 'committed' })
  const marked = await sql<
    { id: string }[]
  >`select replace(component_id::text, '-', '') as id from dirty_components where workspace_id = ${workspace.id}`
  expect(marked.map(({ id }) => id)).toContain(to)
  expect(marked.map(({ id }) => id)).not.toContain(from)
})
