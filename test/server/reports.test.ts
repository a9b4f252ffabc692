import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { columns } from '../../jobs/domain/report/report-tables.ts'
import { closeDays } from '../../jobs/reports/close-days.ts'
import { withDatabase } from '../support/database.ts'
import { minute, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

const get = async (path: string) => {
  const response = await clinic.app.request(`/api/v1${path}`, { headers: { host: 'localhost' } })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
const read = async (path: string) => JSON.parse((await get(path)).text)
const goTo = (time: string) => {
  clinic.clock.at = Date.parse(time)
}

/** Every number of a day against the list behind it. */
async function everyNumber(day: string) {
  const { report } = await read(`/reports/${day}`)
  let checked = 0
  const check = async (line: Record<string, number>, query: string) => {
    for (const { key: column } of columns) {
      const { total, items } = await read(`/reports/${day}/findings?column=${column}${query}&limit=200`)
      expect([day, column, query, total]).toEqual([day, column, query, line[column]])
      expect([day, column, query, items.length]).toEqual([day, column, query, line[column]])
      checked++
    }
  }
  await check(report.total, '')
  for (const [dimension, rows] of [
    ['program', report.programs],
    ['owner', report.owners],
    ['kind', report.kinds],
  ])
    for (const row of rows) await check(row, `&dimension=${dimension}${row.key === null ? '' : `&key=${row.key}`}`)
  for (const { day: about, ...numbers } of report.adjustments)
    for (const [column, number] of Object.entries(numbers)) {
      const query = about === null ? '' : `&about=${about}`
      if (about !== null) expect((await read(`/reports/${day}/findings?column=${column}${query}`)).total).toBe(number)
    }
  return checked
}

describe('the reports of the API', () => {
  it('tell today so far before any day is closed', { timeout: 300_000 }, async () => {
    const list = await read('/reports')
    expect(list).toMatchObject({
      items: [],
      next: null,
      today: { day: '2026-03-02', final: false, total: { opening: 0, opened: 2, closing: 2 } },
    })
    expect(await everyNumber('2026-03-02')).toBeGreaterThan(40)
  })

  it('show exactly the findings behind each number, of closed days and of today, after all kinds of transitions', {
    timeout: 300_000,
  }, async () => {
    goTo('2026-03-03T00:20:00Z')
    await clinic.reconcile()
    await closeDays(clinic.workspace)
    const { sql } = clinic.workspace.database
    const [gap] = await sql<{ id: string; revision: number }[]>`select id, revision from findings where kind = 'gap'`
    goTo('2026-03-03T10:00:00Z')
    const post = (name: string, body: object) =>
      clinic.app.request(`/api/v1/findings/${gap?.id}/${name}`, {
        method: 'POST',
        headers: { host: 'localhost', 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, revision: gap?.revision }),
      })
    expect((await post('waive', { reason: 'known', until: '2026-03-04T08:00:00Z' })).status).toBe(200)
    clinic.booking.rows.push({
      id: 'b-dan',
      email: 'dan@example.org',
      status: 'accepted',
      at: clinic.clock.at - 60 * minute,
      updatedAt: clinic.clock.at,
    })
    await clinic.reconcile()
    goTo('2026-03-04T09:00:00Z')
    await clinic.reconcile()
    clinic.texts.rows.push({ id: 'm-dan', email: 'dan@example.org', status: 'delivered', at: clinic.clock.at, updatedAt: clinic.clock.at })
    goTo('2026-03-04T09:30:00Z')
    await clinic.reconcile()
    goTo('2026-03-05T00:20:00Z')
    await clinic.reconcile()
    expect(await closeDays(clinic.workspace)).toEqual(['2026-03-03', '2026-03-04'])
    const { report } = await read('/reports/2026-03-04')
    expect(report.total).toMatchObject({ waiver_expired: 1, verified: expect.any(Number) })
    expect(report.kinds.find(({ key }: { key: string }) => key === 'late')).toMatchObject({ transferredIn: 1, verified: 1, closing: 0 })
    for (const day of ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05']) await everyNumber(day)
    const { items } = await read('/reports/2026-03-04/findings?column=transferredIn&dimension=kind&key=late')
    expect(items).toMatchObject([{ finding: { kind: 'late' }, change: { fromKind: 'gap', kind: 'late', ended: 'verified' } }])
  })

  it('list the closed days newest first, page by page, and name the days beside one', async () => {
    const first = await read('/reports?limit=2')
    expect(first.items.map(({ day }: { day: string }) => day)).toEqual(['2026-03-04', '2026-03-03'])
    expect(first.next).toBe('2026-03-03')
    const second = await read(`/reports?limit=2&before=${first.next}`)
    expect(second).toMatchObject({ today: null, next: null, items: [{ day: '2026-03-02' }] })
    expect(await read('/reports/2026-03-02')).toMatchObject({ previous: null, next: '2026-03-03' })
    expect(await read('/reports/2026-03-05')).toMatchObject({ previous: '2026-03-04', next: null, report: { final: false } })
  })

  it('page through the findings behind a number', async () => {
    const seen: string[] = []
    let cursor = ''
    do {
      const page = await read(`/reports/2026-03-04/findings?column=closing&limit=1${cursor && `&cursor=${cursor}`}`)
      seen.push(...page.items.map(({ finding }: { finding: { id: string } }) => finding.id))
      cursor = page.next ?? ''
    } while (cursor !== '')
    const { total } = await read('/reports/2026-03-04/findings?column=closing')
    expect([seen.length, new Set(seen).size]).toEqual([total, total])
  })

  it('give a closed day as a file, in the same bytes each time', async () => {
    for (const [format, type] of [
      ['html', 'text/html'],
      ['csv', 'text/csv'],
      ['json', 'application/json'],
      ['text', 'text/plain'],
    ]) {
      const [once, twice] = [
        await get(`/reports/2026-03-03/download?format=${format}`),
        await get(`/reports/2026-03-03/download?format=${format}`),
      ]
      expect(once.headers.get('content-type')).toBe(`${type}; charset=utf-8`)
      expect(once.headers.get('content-disposition')).toContain('gap-report-2026-03-03.')
      expect(once.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(twice.text).toBe(once.text)
    }
  })

  it.each([
    ['/reports/2026-02-30', 400],
    ['/reports/2026-01-01', 404],
    ['/reports/2027-01-01/download', 404],
    ['/reports/2026-03-04/findings?column=everything', 400],
    ['/reports/2026-03-04/findings?column=opened&cursor=zz', 400],
  ])('%s is answered %i', async (path, status) => {
    expect((await get(path)).status).toBe(status)
  })
})
