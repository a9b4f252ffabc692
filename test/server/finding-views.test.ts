import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtInViews, toViewAddress } from '../../server/finding-views.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

async function send(method: string, path: string, body?: object) {
  const response = await clinic.app.request(`/api/v1/findings/views${path}`, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: (await response.json()) as { id: string; code?: string } }
}
const listed = async () => (await (await clinic.client.api.v1.findings.views.$get()).json()).items
const audited = async () => {
  const { sql } = clinic.workspace.database
  return (await sql<{ act: string }[]>`select act from audit where target_kind = 'view' order by recorded_at`).map(({ act }) => act)
}

describe('saved views', () => {
  it('begin with the built-in ones, counted', async () => {
    expect((await listed()).map(({ id, count, revision }) => [id, count, revision])).toEqual([
      ['open', 2, null],
      ['mine', 0, null],
      ['critical-overdue', 0, null],
      ['snoozed', 0, null],
      ['ended-today', 0, null],
    ])
  })

  it('are kept, renamed and deleted, each with one audit row', async () => {
    const saved = await send('POST', '', { name: ' Gaps ', query: '?sort=opened&kind=gap' })
    expect(saved).toMatchObject({
      status: 200,
      body: { name: 'Gaps', query: 'kind=gap&sort=opened', revision: 1, createdBy: 'local-owner' },
    })
    const { id } = saved.body
    expect((await listed()).at(-1)).toMatchObject({ id, count: 1, isCapped: false })
    expect(await send('PUT', `/${id}`, { revision: 1, name: 'Missing' })).toMatchObject({
      status: 200,
      body: { name: 'Missing', revision: 2 },
    })
    expect((await send('PUT', `/${id}`, { revision: 1, query: 'kind=late' })).status).toBe(409)
    expect((await send('DELETE', `/${id}?revision=1`)).status).toBe(409)
    expect((await send('DELETE', `/${id}?revision=2`)).status).toBe(200)
    expect((await send('DELETE', `/${id}?revision=2`)).status).toBe(404)
    expect(await audited()).toEqual(['view.save', 'view.change', 'view.delete'])
  })

  it('have names of their own, whatever the capitals, and filters that are understood', async () => {
    expect((await send('POST', '', { name: 'One', query: '' })).status).toBe(200)
    for (const name of ['ONE', 'mine', '', ' ', 'x'.repeat(61)]) expect((await send('POST', '', { name, query: '' })).status).not.toBe(200)
    for (const query of ['severity=terrible', 'nonsense=1', 'due=soon']) {
      const refused = await send('POST', '', { name: query, query })
      expect([query, refused.status, refused.body.code]).toEqual([query, 400, 'invalid_input'])
    }
    const both = await Promise.all([send('POST', '', { name: 'Two', query: '' }), send('POST', '', { name: 'two', query: '' })])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  it('show no count, and no error, when their filters are not understood any more', async () => {
    const { database, id } = clinic.workspace
    await database.sql`update saved_views set query = 'severity=bygone' where workspace_id = ${id} and name = 'One'`
    expect((await listed()).find(({ name }) => name === 'One')).toMatchObject({ count: null })
  })

  it('are addresses the API understands, the built-in ones too', () => {
    for (const view of builtInViews) expect(toViewAddress(view.query)).toBe(view.query)
  })
})
