import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { beatAll } from '../../db/records/heartbeats.ts'
import { rhythmsOf } from '../../jobs/rhythms.ts'
import { withDatabase } from '../support/database.ts'
import { headers, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
const clinic = await serveClinic(await main.another())
afterAll(() => clinic.close())
const { sql } = clinic.workspace.database
const minute = 60_000
const all = rhythmsOf(clinic.workspace.configuration, 1).map(({ job }) => job)

const status = async () => (await clinic.client.api.v1.status.$get()).json()
const get = (path: string) => clinic.app.request(path, { headers })
const still = async () => (await status()).engine.standstills.map(({ title }) => title)

/** Every job has just ended a round, but for these, which ended theirs that long before. */
async function rounds(late: Readonly<Record<string, number>> = {}, never: readonly string[] = []): Promise<void> {
  await sql`delete from heartbeats where workspace_id = ${clinic.workspace.id}`
  await beatAll(
    sql,
    clinic.workspace.id,
    all.filter((job) => !never.includes(job)),
    clinic.clock.at,
  )
  for (const [job, ms] of Object.entries(late))
    await sql`update heartbeats set wall_at = wall_at - make_interval(secs => ${ms / 1000}), beat_at = beat_at - make_interval(secs => ${ms / 1000})
      where job = ${job}`
  clinic.wall = Date.now()
}
beforeEach(() => rounds())

describe('the status', () => {
  it('is live while every job ends its rounds', async () => {
    expect(await status()).toMatchObject({ state: 'live', engine: { standstills: [], outsideCheck: null } })
    expect((await get('/readyz')).status).toBe(200)
  })

  it('is stale once the engine stopped, and says since when and what to do', async () => {
    clinic.wall += 11 * minute
    const { state, engine } = await status()
    expect(state).toBe('stale')
    expect(engine.standstills).toMatchObject([
      { title: 'The engine', isVital: true, whatToDo: expect.stringContaining('Start Throughline again') },
    ])
    expect(engine.standstills[0]?.since).toBe(new Date(clinic.clock.at).toISOString())
  })

  it('is stale where one job alone stands still while the others go on', async () => {
    await rounds({ 'judge:2': 5 * minute })
    expect(await still()).toEqual(['Judging'])
    await rounds({ tally: 5 * minute })
    expect(await still()).toEqual(['Counting'])
  })

  it('is stale where one connection was never polled', async () => {
    await rounds({}, ['poll:texts'])
    expect((await status()).engine.standstills).toMatchObject([{ title: 'Reading texts', since: null, isVital: false }])
  })

  it('is stale where the domain clock no longer goes on', async () => {
    await rounds({ clock: 5 * minute })
    expect(await still()).toEqual(['The clock'])
  })
})

describe('probes agree with it', () => {
  it('not ready, with the reason, and measured by job', async () => {
    await rounds({ 'judge:2': 5 * minute })
    const ready = await get('/readyz')
    expect(ready.status).toBe(503)
    expect(await ready.text()).toMatch(/^Judging stands still since .*Z\. What was read is not judged/)
    expect((await get('/livez')).status).toBe(200)
    const metrics = await (await get('/metrics')).text()
    expect(metrics).toContain('throughline_job_standing_still{job="judge:2"} 1')
    expect(metrics).toContain('throughline_job_standing_still{job="judge:1"} 0')
    expect(metrics).toMatch(/throughline_job_round_age_seconds\{job="judge:2"\} 30\d/)
  })
})
