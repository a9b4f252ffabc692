import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { startEmbedded } from '../../../db/embedded.ts'
import { migrate } from '../../../db/migrate.ts'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const full = process.env.THROUGHLINE_FULL === '1'
const sweeps = full ? 10 : 2
const records = full ? 5_000 : 1_000
const stops = full ? 50 : 3

const dataDir = await mkdtemp(join(tmpdir(), 'throughline-outage-'))
afterAll(() => rm(dataDir, { recursive: true, force: true }))

const settle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

it('P1: PostgreSQL stopped again and again in the middle of sweeps loses nothing and doubles nothing', { timeout: 900_000 }, async () => {
  let cluster = await startEmbedded({ dataDir })
  const url = cluster.url()
  await migrate(url)
  const start = Date.parse('2026-03-02T09:00:00Z')
  const clock = movedClock(start + 3_600_000)
  const tool = await startPagedTool(clock.at)
  tool.rows = Array.from({ length: records }, (_, n) => ({
    id: `r${n}`,
    updatedAt: start + n,
    at: start + n,
    status: 'accepted',
    email: `p${n % 300}@example.org`,
    given: 'Ann',
  }))
  const workspace = await openPagedWorkspace({ ownerUrl: url, clock, tools: { booking: tool.url } })

  // The kill is `immediate`: no checkpoint, no goodbye. The next start replays the log.
  let interrupted = 0
  let done = false
  const outages = (async () => {
    for (let n = 0; n < stops && !done; n++) {
      await settle(200 + ((n * 137) % 700))
      const pid = Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0])
      process.kill(pid, 'SIGQUIT')
      await settle((n * 331) % 1_000)
      cluster = await startEmbedded({ dataDir })
      expect(cluster.url()).toBe(url)
    }
  })()
  for (let sweep = 0; sweep < sweeps || interrupted === 0; ) {
    try {
      clock.at += 25 * 3_600_000
      tool.now = clock.at
      const { outcomes } = await reconcile(workspace, { pageSize: 20 })
      if (outcomes.every((outcome) => outcome.kind === 'complete')) sweep++
      const [row] = await workspace.database.sql`select (cursor ->> 'offset')::int as offset, records::int as records,
        (select count(*)::int from records) as stored from streams`
      expect(row?.stored).toBe(row?.records)
    } catch (error) {
      if ((error as Error).name === 'AssertionError') throw error
      interrupted++
      await settle(100)
    }
  }
  done = true
  await outages
  await reconcile(workspace)
  const [count] = await workspace.database.sql`select count(*)::int as n, (select count(*)::int from events) as events,
    (select count(*)::int from records where deleted_at is not null) as deleted from records`
  expect(count).toEqual({ n: records, events: records, deleted: 0 })
  expect(interrupted).toBeGreaterThan(0)
  await workspace.close()
  await tool.close()
  await cluster.stop()
})
