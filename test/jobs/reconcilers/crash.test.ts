import { spawn } from 'node:child_process'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { failpoints } from '../../../jobs/failpoint.ts'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace, readOutcome } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const full = process.env.THROUGHLINE_FULL === '1'
const rounds = full ? 50 : 1
const start = Date.parse('2026-03-02T09:00:00Z')
const now = start + 86_400_000

let tool: PagedTool
let expected: Awaited<ReturnType<typeof readOutcome>>

beforeAll(async () => {
  tool = await startPagedTool(now)
  tool.rows = Array.from({ length: 400 }, (_, n) => ({
    id: `r${n}`,
    updatedAt: start + Math.floor(n / 3) * 1000,
    at: start + Math.floor(n / 3) * 1000,
    status: n % 4 === 0 ? 'accepted' : n % 4 === 1 ? 'seen' : 'other',
    email: `p${n % 90}@example.org`,
    given: 'Ann',
  }))
  const calm = await openPagedWorkspace({ ownerUrl: await main.another(), clock: movedClock(now), tools: { booking: tool.url } })
  await reconcile(calm, { pageSize: 50 })
  expected = await readOutcome(calm)
  await calm.close()
  expect(expected.violated.length).toBeGreaterThan(10)
})
afterAll(() => tool.close())

function runProcess(ownerUrl: string, failpoint: string): Promise<number | NodeJS.Signals | null> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../support/poll-process.ts'), ownerUrl, tool.url, String(now)], {
    env: { ...process.env, THROUGHLINE_FAILPOINT: failpoint },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
}

it.each(failpoints)(
  'P2: killed at %s, nothing is lost or doubled and the cursor is never ahead',
  { timeout: 1_800_000 },
  async (failpoint) => {
    const url = await main.another()
    const owner = postgres(url, { max: 1 })
    let kills = 0
    for (let round = 0; round < rounds; round++) {
      // Every round finds another page to die at; the tool also changes a row, so that there is something to read again.
      const row = tool.rows[(round * 7) % tool.rows.length]
      if (round > 0 && row !== undefined) tool.rows[(round * 7) % tool.rows.length] = { ...row, updatedAt: now - 30_000 }
      if ((await runProcess(url, `${failpoint}:kill:${(round % 3) + 1}`)) === 'SIGKILL') kills++
      const [stream] = await owner<{ offset: number | null; records: number; stored: number }[]>`
      select (s.cursor ->> 'offset')::int as offset, s.records::int as records, (select count(*)::int from records) as stored
      from streams s where s.connection = 'booking'`
      expect(stream?.stored).toBe(stream?.records)
      expect(stream?.offset ?? 0).toBeLessThanOrEqual(stream?.stored ?? 0)
    }
    expect(kills).toBeGreaterThan(0)
    expect(await runProcess(url, '')).toBe(0)
    const workspace = await openPagedWorkspace({ ownerUrl: url, clock: movedClock(now), tools: { booking: tool.url } })
    expect(await readOutcome(workspace)).toEqual(expected)
    const [count] = await workspace.database.sql`select count(*)::int as n, (select count(*)::int from events) as events from records`
    expect(count).toEqual({ n: 400, events: 400 })
    await workspace.close()
    await owner.end()
  },
)
