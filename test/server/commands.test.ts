import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { minute, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
let ownerUrl: string
beforeAll(async () => {
  ownerUrl = await main.another()
  clinic = await serveClinic(ownerUrl)
})
afterAll(() => clinic.close())

type Act = 'acknowledge' | 'assign' | 'claim' | 'release' | 'snooze' | 'waive' | 'false-alarm' | 'comment'

async function gap() {
  const { sql } = clinic.workspace.database
  const [row] = await sql<{ id: string; revision: number; status: string }[]>`select id, revision, status from findings where kind = 'gap'`
  if (!row) throw new Error('There is no gap.')
  return row
}
const audited = async (act: string) =>
  clinic.workspace.database.sql<{ actor: string; reason: string | null; before: object; after: object }[]>`
    select actor, reason, before, after from audit where act = ${act} order by recorded_at`

async function act(name: Act, body: object, id?: string) {
  const response = await clinic.app.request(`/api/v1/findings/${id ?? (await gap()).id}/${name}`, {
    method: 'POST',
    headers: { host: 'localhost', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: await response.json() }
}
const now = (more: number) => new Date(clinic.clock.at + more * minute).toISOString()

describe('what a person can do with a finding', () => {
  it('acknowledge: one conditional update with one audit row and one word to the console', async () => {
    const before = await gap()
    const done = await act('acknowledge', { revision: before.revision })
    expect(done).toMatchObject({ status: 200, body: { status: 'acknowledged', revision: before.revision + 1 } })
    expect(await audited('finding.acknowledge')).toMatchObject([
      { actor: 'local-owner', before: { status: 'open' }, after: { status: 'acknowledged' } },
    ])
    expect((await act('acknowledge', { revision: before.revision + 1 })).body).toMatchObject({
      code: 'conflict',
      detail: 'It is already acknowledged.',
    })
  })

  it('refuses a revision someone has moved on from, and writes nothing', async () => {
    const { revision } = await gap()
    const refused = await act('snooze', { revision: revision - 1, until: now(60) })
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict', detail: expect.stringContaining('changed while you looked') } })
    expect(await audited('finding.snooze')).toEqual([])
  })

  it('lets one of ten who act at once through', async () => {
    const { revision } = await gap()
    const all = await Promise.all(Array.from({ length: 10 }, () => act('claim', { revision })))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(all.filter(({ status }) => status === 409)).toHaveLength(9)
    expect(await audited('finding.claim')).toHaveLength(1)
  })

  it('a claim holds others off until its lease on wall time ends', async () => {
    const { database, id } = clinic.workspace
    await database.sql`update findings set claimed_by = 'dana' where workspace_id = ${id} and kind = 'gap'`
    const { revision } = await gap()
    expect(await act('waive', { revision, until: now(60), reason: 'x' })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('dana has claimed it') },
    })
    expect((await act('release', { revision })).status).toBe(409)
    clinic.wall += 31 * minute
    expect((await act('claim', { revision })).status).toBe(200)
    expect((await act('release', { revision: revision + 1 })).body).toMatchObject({ claimedBy: null })
  })

  it('assign keeps the reason and refuses an owner nobody is', async () => {
    const { revision } = await gap()
    expect(await act('assign', { revision, owner: 'nobody' })).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('owners.yaml') },
    })
    expect((await act('assign', { revision, owner: 'care' })).status).toBe(409)
  })

  it('snooze takes it off the list until its time, and it stays open', async () => {
    const { revision } = await gap()
    expect((await act('snooze', { revision, until: now(-1) })).status).toBe(400)
    expect((await act('snooze', { revision, until: 'tomorrow' })).status).toBe(400)
    expect((await act('snooze', { revision, until: now(60) })).body).toMatchObject({ status: 'acknowledged', snoozedUntil: now(60) })
    const shown = async (query: object) =>
      (await (await clinic.client.api.v1.findings.$get({ query: { kind: 'gap', ...query } })).json()).items.length
    expect([await shown({}), await shown({ status: 'snoozed' })]).toEqual([0, 1])
    clinic.clock.at += 60 * minute
    await clinic.reconcile()
    expect([await shown({}), await shown({ status: 'snoozed' })]).toEqual([1, 0])
    expect(await audited('finding.wake')).toHaveLength(1)
  })

  it('comment is kept beside the activity, with its text out of the audit', async () => {
    const commented = await act('comment', { body: 'Called the messenger: it is down.' })
    expect(commented.status).toBe(200)
    const detail = await (await clinic.client.api.v1.findings[':id'].$get({ param: { id: (await gap()).id } })).json()
    expect(detail.activity.filter((one) => one.act === 'comment')).toMatchObject([
      { body: 'Called the messenger: it is down.', actor: 'local-owner' },
    ])
    const [row] = await audited('finding.comment')
    expect(JSON.stringify(row)).not.toContain('messenger')
  })

  it('waive needs a reason and an end; when it ends the finding is open again with its owner', async () => {
    const { revision } = await gap()
    expect((await act('waive', { revision, until: now(30) })).status).toBe(400)
    expect((await act('waive', { revision, until: now(30), reason: '  ' })).status).toBe(400)
    expect((await act('waive', { revision, until: now(30), reason: 'Known outage' })).body).toMatchObject({
      status: 'waived',
      waivedUntil: now(30),
    })
    expect((await act('acknowledge', { revision: revision + 1 })).body).toMatchObject({ detail: 'This finding is waived.' })
    clinic.clock.at += 31 * minute
    await clinic.reconcile()
    expect(await gap()).toMatchObject({ status: 'open' })
    expect(await audited('finding.reopen')).toMatchObject([{ actor: 'throughline', before: { status: 'waived' } }])
  })

  it('S13: when the audit refuses, the act has not happened', async () => {
    const before = await gap()
    const { sql } = (await import('../../db/client.ts')).openDatabase(ownerUrl, { max: 1 })
    await sql`revoke insert on audit from throughline_app`
    const failed = await act('false-alarm', { revision: before.revision, reason: 'x' })
    expect(failed.status).toBe(500)
    expect(JSON.stringify(failed.body)).not.toMatch(/audit|insert|permission/i)
    expect(await gap()).toEqual(before)
    await sql`grant insert on audit to throughline_app`
    await sql.end()
  })

  it('P18: a false alarm stays closed however often it is judged again', async () => {
    const { revision } = await gap()
    expect((await act('false-alarm', { revision, reason: 'Confirmed by phone' })).body).toMatchObject({
      status: 'false_alarm',
      closedReason: 'person',
    })
    clinic.clock.at += 24 * 60 * minute
    await clinic.reconcile()
    expect(await gap()).toMatchObject({ status: 'false_alarm' })
  })

  it('answers 404 for a finding nobody has', async () => {
    expect((await act('acknowledge', { revision: 1 }, '0'.repeat(32))).status).toBe(404)
  })
})
