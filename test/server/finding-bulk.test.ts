import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { beginInBulk, runInBulk } from '../../server/commands/act-in-bulk.ts'
import { withDatabase } from '../support/database.ts'
import { seedFindings } from '../support/seed-findings.ts'
import { headers, minute, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
const many = 230
let clinic: ServedClinic
let ownerUrl: string
beforeAll(async () => {
  ownerUrl = await main.another()
  clinic = await serveClinic(ownerUrl)
})
beforeEach(async () => {
  const { database, id } = clinic.workspace
  await database.sql`delete from findings where workspace_id = ${id} and object_id like 'bk-%'`
  await seedFindings(database.sql, id, many)
})
afterAll(() => clinic.close())

const query = 'expectation=booking-confirmed&connection=texts&kind=gap&q='
const now = (more = 0) => new Date(clinic.clock.at + more * minute).toISOString()
interface Answer {
  status: number
  body: {
    id: string
    state: string
    total: number
    handled: number
    done: number
    skipped: { why: string; count: number }[]
    detail?: string
  }
}
async function send(path: string, body?: object): Promise<Answer> {
  const response = await clinic.app.request(`/api/v1/findings/bulk${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}
async function finished({ body }: Answer): Promise<Answer['body']> {
  for (let current = body; ; current = (await send(`/${body.id}`)).body) if (current.state !== 'running') return current
}
/** The clinic's own gap is one more. */
const matching = (expected = many + 1) => ({ query, expected, asOf: now() })
const waive = () => ({ act: 'waive', until: now(60 * 24 * 30), reason: 'Known outage of the messenger' })
const audited = async (act: string) => {
  const [row] = await clinic.workspace.database.sql<{ count: number }[]>`select count(*)::int from audit where act = ${act}`
  return row?.count ?? 0
}

describe('an act on many findings', () => {
  it('is done to all that match, with one audit row each, and totals that add up', async () => {
    const before = await audited('finding.acknowledge')
    const { database, id } = clinic.workspace
    await database.sql`update findings set claimed_by = 'dana', claimed_until = '2030-01-01' where workspace_id = ${id} and object_id in ('bk-1', 'bk-2')`
    const end = await finished(await send('', { asked: { act: 'acknowledge' }, matching: matching() }))
    expect(end).toMatchObject({ state: 'finished', total: many + 1, handled: many + 1, done: many - 1 })
    expect(end.skipped).toEqual([{ why: 'dana has claimed it.', count: 2 }])
    expect(await audited('finding.acknowledge')).toBe(before + many - 1)
    expect([await audited('bulk.start'), await audited('bulk.end')]).toEqual([1, 1])
    const again = await finished(await send('', { asked: { act: 'acknowledge' }, matching: matching() }))
    expect(again.done + again.skipped.reduce((sum, { count }) => sum + count, 0)).toBe(again.total)
    expect(again).toMatchObject({ done: 0, skipped: [{ count: many - 1 }, { count: 2 }] })
  })

  it('changes nothing when the number differs from what the person confirmed', async () => {
    const refused = await send('', { asked: waive(), matching: matching(many) })
    expect(refused).toMatchObject({
      status: 409,
      body: { detail: `You confirmed ${many}; ${many + 1} match now. Nothing was changed: look at the list again and confirm anew.` },
    })
    expect(await audited('finding.waive')).toBe(0)
  })

  it('leaves out what was found after the count', async () => {
    const seen = matching()
    clinic.clock.at += minute
    const { database, id } = clinic.workspace
    await database.sql`update findings set opened_at = ${now()} where workspace_id = ${id} and object_id = 'bk-3'`
    expect((await send('', { asked: waive(), matching: seen })).status).toBe(409)
    expect((await finished(await send('', { asked: { act: 'release' }, matching: { ...seen, expected: many } }))).total).toBe(many)
  })

  it('needs a reason for what takes findings away, an owner who exists, and a time to come', async () => {
    for (const asked of [
      { act: 'waive', until: now(60) },
      { act: 'false_alarm', reason: ' ' },
      { act: 'assign', owner: 'care' },
      { act: 'assign', owner: 'nobody', reason: 'x' },
      { act: 'snooze', until: now(-1) },
      { act: 'explode' },
    ])
      expect([asked.act, (await send('', { asked, matching: matching() })).status]).toEqual([asked.act, 400])
    expect((await send('', { asked: waive() })).status).toBe(400)
    expect((await send('', { asked: waive(), matching: { ...matching(), query: 'severity=terrible' } })).status).toBe(400)
  })

  it('is done to the findings named, as the person saw them', async () => {
    const list = await (await clinic.client.api.v1.findings.$get({ query: { q: 'bk-5' } })).json()
    const other = await (await clinic.client.api.v1.findings.$get({ query: { q: 'bk-6' } })).json()
    const findings = [...list.items, ...other.items].map(({ id, revision }, index) => ({ id, revision: revision + index }))
    const end = await finished(
      await send('', { asked: { act: 'snooze', until: now(60) }, findings: [...findings, { id: '0'.repeat(32), revision: 1 }] }),
    )
    expect(end).toMatchObject({ total: 3, handled: 3, done: 1 })
    expect(end.skipped.map(({ why }) => why).sort()).toEqual(['It changed meanwhile. Nothing was overwritten.', 'It is no more.'])
  })

  it('R12: one runs at a time; what halted goes on where it stood and repeats nothing', async () => {
    const { deps } = clinic
    const before = await audited('finding.claim')
    const filter = { kinds: ['gap'], statuses: ['open' as const] }
    const scope = { address: query, filter, asOf: clinic.clock.at, expected: many + 1 }
    const { database, id: workspaceId } = clinic.workspace
    await database.sql`update findings set status = 'open' where workspace_id = ${workspaceId}`
    const bulk = await beginInBulk(deps, { act: 'claim', minutes: 30 }, scope)
    expect(await send('', { asked: waive(), matching: matching() })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('is running (0 of') },
    })
    let batches = 0
    const database_ = {
      ...database,
      db: new Proxy(database.db, {
        get: (target, name) => {
          if (name === 'transaction' && ++batches > 1) return () => Promise.reject(new Error('The server stopped.'))
          const value = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    }
    await expect(runInBulk({ ...deps, workspace: { ...deps.workspace, database: database_ } }, bulk.id)).rejects.toThrow(
      'The server stopped',
    )
    expect((await send(`/${bulk.id}`)).body).toMatchObject({ state: 'running', total: many + 1, handled: 100, done: 100 })
    await Promise.all([runInBulk(deps, bulk.id), runInBulk(deps, bulk.id)])
    expect((await send(`/${bulk.id}`)).body).toMatchObject({ state: 'finished', handled: many + 1, done: many + 1 })
    expect(await audited('finding.claim')).toBe(before + many + 1)
  })

  it('R12: stops within a batch, and what is done stays done', async () => {
    const filter = { kinds: ['gap'] }
    const bulk = await beginInBulk(clinic.deps, { act: 'release' }, { address: query, filter, asOf: clinic.clock.at, expected: many + 1 })
    expect((await send(`/${bulk.id}/stop`, {})).body).toMatchObject({ state: 'stopped', handled: 0, total: many + 1 })
    await runInBulk(clinic.deps, bulk.id)
    expect((await send(`/${bulk.id}`)).body).toMatchObject({ state: 'stopped', handled: 0 })
    expect((await send(`/${'0'.repeat(32)}/stop`, {})).status).toBe(404)
  })

  it('S13: when the audit refuses, no finding of the batch has changed', async () => {
    const { database, id } = clinic.workspace
    const scope = { address: query, filter: { kinds: ['gap'] }, asOf: clinic.clock.at, expected: many + 1 }
    const bulk = await beginInBulk(clinic.deps, { act: 'claim', minutes: 30 }, scope)
    const owner = openDatabase(ownerUrl, { max: 1 })
    await owner.sql`revoke insert on audit from throughline_app`
    await expect(runInBulk(clinic.deps, bulk.id)).rejects.toThrow()
    await owner.sql`grant insert on audit to throughline_app`
    await owner.close()
    const claimed =
      await database.sql`select 1 from findings where workspace_id = ${id} and claimed_by is not null and object_id like 'bk-%'`
    expect(claimed).toHaveLength(0)
    expect((await send(`/${bulk.id}`)).body).toMatchObject({ state: 'running', handled: 0, done: 0 })
    expect((await send(`/${bulk.id}/continue`, {})).status).toBe(200)
  })
})
