import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sayOwnerReason } from '../../server/finding-owner-reason.ts'
import { withDatabase } from '../support/database.ts'
import { seedFindings } from '../support/seed-findings.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

const listed = async (query: string) =>
  (await (await clinic.app.request(`/api/v1/findings?${query}`, { headers })).json()) as { total: number; items: { id: string }[] }

describe('what stands around a finding', () => {
  it('counts others alike, who is on them and how the same ended; each number is its list', async () => {
    const { database, id } = clinic.workspace
    // 40 began within an hour of the clinic's own gap (9:15), 20 long before; some ended, some are claimed.
    await seedFindings(database.sql, id, 60, { opened_at: `'2026-03-02T09:00:00Z'::timestamptz - (n > 40)::int * interval '3 hours'` })
    await database.sql`update findings set status = 'verified', closed_at = opened_at + interval '90 minutes', closed_reason = 'came_late'
      where workspace_id = ${id} and object_id in ('bk-1', 'bk-2', 'bk-41')`
    await database.sql`update findings set status = 'waived', closed_at = opened_at + interval '1 day', closed_reason = 'waived'
      where workspace_id = ${id} and object_id = 'bk-42'`
    await database.sql`update findings set claimed_by = 'dana', claimed_until = '2030-01-01'
      where workspace_id = ${id} and object_id in ('bk-3', 'bk-4', 'bk-43')`
    const [gap] = await database.sql<{ id: string }[]>`select replace(id::text, '-', '') as id from findings
      where workspace_id = ${id} and kind = 'gap' and (object_id is null or object_id not like 'bk-%') limit 1`
    const response = await clinic.client.api.v1.findings[':id'].related.$get({ param: { id: gap?.id ?? '' } })
    expect(response.status).toBe(200)
    const related = await response.json()
    expect(related.alike).toMatchObject({ count: 39, from: '2026-03-02T08:15:00.000Z', to: '2026-03-02T10:15:00.000Z' })
    expect(related.alike.items).toHaveLength(5)
    expect(related.alike.items.map((one) => one.id)).not.toContain(gap?.id)
    expect(related.claims).toEqual([{ who: 'dana', count: 2 }])
    expect(related.endings.map(({ status, reason, count, medianMs }) => [status, reason, count, medianMs])).toEqual([
      ['verified', 'came_late', 3, 5_400_000],
      ['waived', 'waived', 1, 86_400_000],
    ])
    expect((await listed(related.alike.query)).total).toBe(39)
    expect((await listed(related.claimsQuery)).total).toBe(2)
    for (const ending of related.endings) expect((await listed(ending.query)).total).toBe(ending.count)
    expect(related.same).toMatchObject({ count: 1 })
    expect((await listed(related.same?.query ?? '')).total).toBe(1)
  })

  it('is not there for a finding nobody has', async () => {
    expect((await clinic.app.request(`/api/v1/findings/${'0'.repeat(32)}/related`, { headers })).status).toBe(404)
  })
})

describe('groups of findings', () => {
  it('count every finding once, but for the tools', async () => {
    for (const by of ['kind', 'owner', 'severity', 'expectation', 'status'] as const) {
      const { items } = await (await clinic.client.api.v1.findings.groups.$get({ query: { by, status: 'all' } })).json()
      expect(items.reduce((sum, group) => sum + group.count, 0)).toBe((await listed('status=all')).total)
      const others = by === 'status' ? '' : 'status=all&'
      for (const group of items.slice(0, 3)) expect((await listed(`${others}${by}=${group.value}`)).total).toBe(group.count)
    }
    const { items } = await (await clinic.client.api.v1.findings.groups.$get({ query: { by: 'connection' } })).json()
    for (const group of items) expect((await listed(`connection=${group.value}`)).total).toBe(group.count)
  })
})

describe('why it came to its owner', () => {
  const words = {
    expectation: () => 'Booking confirmed by text',
    program: () => 'Virtual care',
    tool: (key: string) => ({ texts: 'Twilio' })[key] ?? key,
  }
  it.each([
    ['The promise “booking-confirmed” names its owner.', 'The promise “Booking confirmed by text” names its owner.'],
    ['The connection “texts, ehr” names its owner.', 'The connection Twilio, ehr names its owner.'],
    [
      'No route fits and the promise names nobody: the owner of program virtual-care.',
      'No route fits and the promise names nobody: the owner of the program Virtual care.',
    ],
    [
      'Route 2 of owners.yaml: kind is gap and expectation is booking-confirmed and severity is high.',
      'Route 2 of owners.yaml: kind is Missing step and promise is “Booking confirmed by text” and severity is high.',
    ],
    ['Assigned by Local owner.', 'Assigned by Local owner.'],
  ])('%s', (stored, said) => {
    expect(sayOwnerReason(stored, words)).toBe(said)
  })
})
