import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stageCounts } from '../../db/records/journey-counts.ts'
import { readCounts, refreshTallies, type Tally } from '../../db/records/tallies.ts'
import { verdictCounts } from '../../db/records/verdict-counts.ts'
import { withDatabase } from '../support/database.ts'
import { headers, minute, morning, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

async function read<T>(path: string): Promise<T> {
  const response = await clinic.app.request(path, { headers })
  expect([path, response.status]).toEqual([path, 200])
  return (await response.json()) as T
}
const overview = async (since?: string) => {
  const response = await clinic.client.api.v1.overview.$get({ query: since === undefined ? {} : { since } })
  return response.json()
}
const trends = async (query: { from?: string; to?: string } = {}) =>
  (await clinic.client.api.v1.overview.trends.$get({ query })).json() as Promise<
    Awaited<ReturnType<Awaited<ReturnType<typeof clinic.client.api.v1.overview.trends.$get>>['json']>>
  >
const listed = async (query: Record<string, string>) =>
  (await read<{ total: number }>(`/api/v1/findings?${new URLSearchParams(query)}`)).total

describe('the overview', () => {
  it('counts what is open by severity and owner, and each number is what its list holds', async () => {
    const { open, today, connections } = await overview()
    expect(open).toMatchObject({ findings: 2, snoozed: 0, overdue: 0, claimed: 0, untouched: 2, subjects: 2 })
    expect(open.findings).toBe(await listed({}))
    for (const [severity, count] of Object.entries(open.bySeverity)) expect(count).toBe(await listed({ severity }))
    for (const { owner, findings } of open.byOwner) expect(findings).toBe(await listed({ owner: owner.key }))
    expect(open.byOwner.reduce((sum, { findings }) => sum + findings, 0)).toBe(2)
    expect(open.soon).toBe(await listed({ due: 'now..now+24h' }))
    expect(today.opened).toBe(await listed({ status: 'all', opened: `${today.from}..` }))
    expect(today).toMatchObject({ from: '2026-03-02T00:00:00.000Z', opened: 2, verified: 0, before: { opened: 0, verified: 0 } })
    expect(connections).toEqual({ total: 2, notFresh: [] })
  })

  it('names what is most urgent and unclaimed, with what one may do about it', async () => {
    const { urgent } = await overview()
    expect(urgent).toHaveLength(2)
    expect(urgent[0]?.can.claim).toEqual({ ok: true })
    expect(Date.parse(urgent[0]?.dueAt ?? '')).toBeLessThanOrEqual(Date.parse(urgent[1]?.dueAt ?? ''))
  })

  it('says what changed since the reader last looked', async () => {
    expect((await overview()).changes).toBeNull()
    const { changes } = await overview(new Date(morning).toISOString())
    expect(changes).toEqual({ since: '2026-03-02T09:00:00.000Z', opened: 2, endedByItself: 0, endedByPeople: 0, fellDue: 0 })
    expect(changes?.opened).toBe(await listed({ status: 'all', opened: `${changes?.since}..` }))
    expect((await overview(new Date(clinic.clock.at + minute).toISOString())).changes).toMatchObject({ opened: 2 })
    expect((await overview(new Date(clinic.clock.at + 1).toISOString())).changes).toMatchObject({ since: '2026-03-02T09:30:00.000Z' })
    expect((await clinic.app.request('/api/v1/overview?since=yesterday', { headers })).status).toBe(400)
  })

  it('does not count snoozed findings as open', async () => {
    const [first] = (await overview()).urgent
    const until = new Date(clinic.clock.at + 60 * minute).toISOString()
    await clinic.client.api.v1.findings[':id'].snooze.$post({
      param: { id: first?.id ?? '' },
      json: { revision: first?.revision ?? 0, until },
    })
    const { open, urgent } = await overview()
    expect(open).toMatchObject({ findings: 1, snoozed: 1, subjects: 1 })
    expect(urgent.map(({ id }) => id)).not.toContain(first?.id)
    expect(open.snoozed).toBe(await listed({ status: 'snoozed' }))
  })

  it('names connections that are not fresh, and why', async () => {
    const before = clinic.clock.at
    clinic.clock.at = before + 120 * minute
    const { connections } = await overview()
    expect(connections.notFresh.map(({ id, state }) => [id, state])).toEqual([
      ['booking', 'blind'],
      ['texts', 'blind'],
    ])
    expect(connections.notFresh[0]?.message).toMatch(/Not read completely since/)
    clinic.clock.at = before
  })
})

describe('trends', () => {
  it('count each bucket as the lists do, against the stretch before', async () => {
    const answer = await trends({ from: '2026-02-27T12:00:00.000Z', to: '2026-03-02T12:00:00.000Z' })
    expect(answer.unit).toBe('day')
    expect(answer.buckets.map(({ opened }) => opened)).toEqual([0, 0, 0, 2])
    for (const { from, to, opened, verified } of answer.buckets) {
      expect(opened).toBe(await listed({ status: 'all', opened: `${from}..${to}` }))
      expect(verified).toBe(await listed({ status: 'verified', closed: `${from}..${to}` }))
    }
    expect(answer.period).toMatchObject({ opened: 2, verified: 0, endedOtherwise: 0 })
    expect(answer.period.opened).toBe(answer.buckets.reduce((sum, { opened }) => sum + opened, 0))
    expect(answer.previous).toMatchObject({ from: '2026-02-23T12:00:00.000Z', to: '2026-02-27T00:00:00.000Z', opened: 0 })
  })

  it('spread what is open by age, and journeys by stage', async () => {
    const { ages, stages } = await trends()
    for (const { from, to, findings } of ages) {
      const opened = { opened: `${from ?? ''}..${to ?? ''}` }
      expect(findings).toBe(await listed(from === null && to === null ? {} : opened))
    }
    expect(ages.reduce((sum, { findings }) => sum + findings, 0)).toBe((await overview()).open.findings)
    expect(stages.programs).toMatchObject([
      {
        ended: 0,
        stages: [
          { stage: 'booked', journeys: 1 },
          { stage: 'confirmed', journeys: 1 },
        ],
      },
    ])
  })

  it('refuse a range that ends before it begins', async () => {
    const query = 'from=2026-03-02T12:00:00Z&to=2026-03-01T12:00:00Z'
    expect((await clinic.app.request(`/api/v1/overview/trends?${query}`, { headers })).status).toBe(400)
  })
})

it('shows a day of each connection in cells of five minutes, the running one last', async () => {
  const response = await clinic.client.api.v1.overview.freshness.$get()
  const { items, cellMs, from } = await response.json()
  expect(cellMs).toBe(300_000)
  expect(from).toBe('2026-03-01T09:35:00.000Z')
  expect(items.map(({ id }) => id)).toEqual(['booking', 'texts'])
  for (const { cells } of items) expect(cells).toMatch(/^n{287}o$/)
})

describe('tallies', () => {
  const sql = () => clinic.workspace.database.sql

  it('are counted anew when their time has come, and safe to count twice', async () => {
    const at = (wallNow: number) => ({ now: clinic.clock.at, wallNow })
    const tallies = [verdictCounts, stageCounts]
    expect(await refreshTallies(sql(), clinic.workspace.id, tallies, at(1_000_000))).toBe(2)
    expect(await refreshTallies(sql(), clinic.workspace.id, tallies, at(1_010_000))).toBe(0)
    expect(await refreshTallies(sql(), clinic.workspace.id, tallies, at(9_000_000))).toBe(2)
  })

  it('are exact where counting is quick, and as of their time where it is slow', async () => {
    const rows = [1]
    const tally: Tally<number> = { name: 'test', count: async () => rows.length }
    await refreshTallies(sql(), clinic.workspace.id, [tally], { now: morning, wallNow: 1_000 })
    rows.push(2)
    await sql()`update tallies set took_ms = 1 where name = 'test'`
    expect(await readCounts(sql(), clinic.workspace.id, tally, morning + minute)).toEqual({ counts: 2, asOf: morning + minute })
    await sql()`update tallies set took_ms = 400 where name = 'test'`
    expect(await readCounts(sql(), clinic.workspace.id, tally, morning + minute)).toEqual({ counts: 1, asOf: morning })
    expect(await refreshTallies(sql(), clinic.workspace.id, [tally], { now: morning, wallNow: 8_000 })).toBe(0)
    expect(await refreshTallies(sql(), clinic.workspace.id, [tally], { now: morning + minute, wallNow: 17_000 })).toBe(1)
  })
})
