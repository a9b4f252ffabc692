import { afterAll, expect, it } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { countDirty } from '../../../db/records/marks.ts'
import { countParked } from '../../../db/records/parked.ts'
import { recordId } from '../../../jobs/reconcilers/observed.ts'
import { drainJudging } from '../../../jobs/reconcilers/judge.ts'
import { poll } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const start = Date.parse('2026-03-02T09:00:00Z')
const tool = await startPagedTool(start)
const texts = await startPagedTool(start)
const ownerUrl = await main.another()
const clock = movedClock(start)
const workspace = await openPagedWorkspace({ ownerUrl, clock, tools: { booking: tool.url, texts: texts.url } })
const owner = openDatabase(ownerUrl, { max: 1 })
afterAll(async () => {
  await workspace.close()
  await owner.close()
  await tool.close()
  await texts.close()
})
const { sql } = workspace.database
const warnings: string[] = []
const judging = { ...workspace.judging, warn: (line: string) => void warnings.push(line) }
const broken = recordId('booking.rows', 'b17')
const judged = async () => (await sql`select distinct component_id from journeys where workspace_id = ${workspace.id}`).count

it('sets a component apart that cannot be judged, judges all others, and tries it again later and later until it can be', async () => {
  tool.rows = Array.from({ length: 40 }, (_, n) => ({
    id: `b${n}`,
    updatedAt: start,
    at: start,
    status: 'accepted',
    email: `p${n}@example.org`,
    given: 'Ann',
  }))
  await poll(workspace, 'booking')
  const [row] = await owner.sql<{ objects: string | null }[]>`select objects from records where id = ${broken}::uuid`
  await owner.sql`update records set objects = '[null]' where id = ${broken}::uuid`

  await drainJudging(sql, judging)
  expect(await judged()).toBe(39)
  expect(await countParked(sql, workspace.id)).toBe(1)
  expect(await countDirty(sql, workspace.id)).toBe(0)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('TypeError at jobs/')

  // Not before its time, then again, for twice as long.
  await drainJudging(sql, judging)
  expect(warnings).toHaveLength(1)
  const parkedFor = async () => {
    const [one] = await sql<{ tries: number; minutes: number }[]>`
      select tries, round(date_part('epoch', retry_at - now()) / 60)::int as minutes from parked_components`
    return one
  }
  expect(await parkedFor()).toEqual({ tries: 1, minutes: 1 })
  await owner.sql`update parked_components set retry_at = now()`
  await drainJudging(sql, judging)
  expect(await parkedFor()).toEqual({ tries: 2, minutes: 2 })

  await owner.sql`update records set objects = ${row?.objects ?? null} where id = ${broken}::uuid`
  await owner.sql`update parked_components set retry_at = now()`
  await drainJudging(sql, judging)
  expect(await judged()).toBe(40)
  expect(await countParked(sql, workspace.id)).toBe(0)
})

it('passes on what the database itself refuses, and sets nothing apart', async () => {
  await sql`insert into dirty_components (workspace_id, part, component_id)
    select workspace_id, part, id from components where workspace_id = ${workspace.id} limit 3`
  await owner.sql`alter table verdicts rename to verdicts_gone`
  await expect(drainJudging(sql, judging)).rejects.toThrow(/verdicts/)
  await owner.sql`alter table verdicts_gone rename to verdicts`
  expect(await countParked(sql, workspace.id)).toBe(0)
  expect(await countDirty(sql, workspace.id)).toBe(3)
})
