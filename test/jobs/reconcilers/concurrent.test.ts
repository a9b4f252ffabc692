import { fork } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type Failpoint, failpoints } from '../../../jobs/failpoint.ts'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { judge, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { randomFrom } from '../../../jobs/simulator/random.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'
import { peopleNow, peopleRows, type PeopleTool, peopleTools } from '../../support/people-world.ts'

const main = await withDatabase()
const full = process.env.THROUGHLINE_FULL === '1'
const people = full ? 100_000 : 1_500
const pageSize = full ? 1_000 : 100
const pollers = 4
/** Deaths per process before it is left in peace. */
const deathsEach = full ? 5 : 2
const processFile = join(import.meta.dirname, '../../support/people-process.ts')

const tools = {} as Record<PeopleTool, PagedTool>
const urls = {} as Record<PeopleTool, string>
const rows = peopleRows(people)
for (const name of peopleTools) {
  tools[name] = await startPagedTool(peopleNow)
  tools[name].rows = rows[name]
  urls[name] = tools[name].url
}
afterAll(() => Promise.all(peopleTools.map((name) => tools[name].close())))

const open = (ownerUrl: string) => openPagedWorkspace({ ownerUrl, clock: movedClock(peopleNow), tools: urls })

/** What `readOutcome` lists, as counts and hashes made by the database. */
async function hashOutcome({ id, database }: Workspace) {
  return database.sql`
    select 'subjects' as what, count(*)::int as n, md5(string_agg(fingerprint::text, ',' order by fingerprint)) as hash from subjects where workspace_id = ${id}
    union all select 'journeys', count(*)::int, md5(string_agg(row, ',' order by row)) from (
      select concat_ws('|', id, program, object_id, started_at, last_event_at, ended_at, stage, events) as row from journeys where workspace_id = ${id}) j
    union all select 'verdicts', count(*)::int, md5(string_agg(row, ',' order by row)) from (
      select concat_ws('|', journey_id, expectation, activation, state, kind, violations, due_at, occurred_at) as row from verdicts where workspace_id = ${id}) v
    union all select 'violated', count(*)::int, md5(string_agg(row, ',' order by row)) from (
      select concat_ws('|', fingerprint, kind) as row from findings where workspace_id = ${id} and closed_at is null) f
    union all select 'records', count(*)::int, md5(string_agg(id::text, ',' order by id)) from records where workspace_id = ${id}
    union all select 'events', count(*)::int, md5(string_agg(record_id::text || occurred_at || type, ',' order by record_id, occurred_at, type)) from events where workspace_id = ${id}
    union all select 'counted', (select sum(records)::int from streams where workspace_id = ${id}), null
    order by 1`
}

/** Runs a process again and again until it ends by itself; it is killed a few times at points of the seed's choosing. */
async function runThrough(role: 'poll' | 'judge', ownerUrl: string, seed: number, until?: Promise<unknown>): Promise<number> {
  const random = randomFrom(seed, 'deaths')
  const own: readonly Failpoint[] = failpoints.filter((name) => name.startsWith(role))
  for (let deaths = 0; ; ) {
    const env = { ...process.env, THROUGHLINE_FAILPOINT: deaths < deathsEach ? `${random.pick(own)}:kill:${random.int(1, 6)}` : '' }
    const child = fork(processFile, [role, ownerUrl, JSON.stringify(urls), String(seed * 100 + deaths), String(pageSize)], { env })
    void until?.then(() => child.connected && child.send('stop', () => {}))
    const ended = await new Promise<number | NodeJS.Signals | null>((resolve) =>
      child.once('exit', (code, signal) => resolve(signal ?? code)),
    )
    if (ended === 'SIGKILL') deaths++
    else {
      expect(ended).toBe(0)
      return deaths
    }
  }
}

it(`P17: ${pollers} pollers and a judge, killed again and again over ${people} shared people, end as one calm run`, {
  timeout: full ? 3_600_000 : 300_000,
}, async () => {
  const calm = await open(await main.another())
  await reconcile(calm, { pageSize: 1_000 })
  const expected = await hashOutcome(calm)
  await calm.close()
  expect(Object.fromEntries(expected.map((row) => [row.what, row.n]))).toMatchObject({
    records: peopleTools.reduce((sum, name) => sum + rows[name].length, 0),
    events: peopleTools.reduce((sum, name) => sum + rows[name].length, 0),
    counted: peopleTools.reduce((sum, name) => sum + rows[name].length, 0),
  })

  const ownerUrl = await main.another()
  const polling = Promise.all(Array.from({ length: pollers }, (_, n) => runThrough('poll', ownerUrl, n + 1)))
  const judging = runThrough('judge', ownerUrl, 99, polling)
  const deaths = [...(await polling), await judging]
  expect(deaths.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(pollers)

  const workspace = await open(ownerUrl)
  await judge(workspace)
  expect(await hashOutcome(workspace)).toEqual(expected)
  const [left] = await workspace.database.sql`select (select count(*)::int from dirty_components) as dirty,
      (select count(*)::int from components where merged_into is not null) as absorbed`
  expect(left).toEqual({ dirty: 0, absorbed: 0 })
  await workspace.close()
})
