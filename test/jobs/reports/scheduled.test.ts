import { expect, it } from 'vitest'
import { listDeliveries } from '../../../db/records/report-deliveries.ts'
import { listReports } from '../../../db/records/reports.ts'
import { startJobs } from '../../../jobs/main.ts'
import { withDatabase } from '../../support/database.ts'
import { openReportWorld, reportsTo, startHookServer } from '../../support/report-world.ts'

const main = await withDatabase()

it('the schedule closes the day by itself once its time has come, and sends the report', { timeout: 180_000 }, async () => {
  const url = await main.another()
  const hook = await startHookServer()
  const world = await openReportWorld(url, reportsTo({ hookUrl: hook.url }), [new URL(hook.url).host])
  await world.record('messaging', 2)
  const warned: string[] = []
  const log = { info: () => {}, warn: (line: string) => void warned.push(line), error: (line: string) => void warned.push(line) }
  const jobs = await startJobs(world.workspace, { ownerUrl: url, log })
  try {
    world.clock.at = Date.parse('2026-03-03T00:15:00Z')
    await expect.poll(() => hook.posts.length, { timeout: 120_000 }).toBe(1)
    const { sql } = world.workspace.database
    await expect
      .poll(async () => (await listDeliveries(sql, world.workspace.id, '2026-03-02')).map(({ state }) => state), { timeout: 60_000 })
      .toEqual(['sent'])
    expect((await listReports(sql, world.workspace.id, null, 10)).map(({ day }) => day)).toEqual(['2026-03-02'])
    expect(warned).toEqual([])
  } finally {
    await jobs.stop()
    await world.close()
    await hook.close()
  }
})
