import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toByteStream, writeExport } from '../../server/finding-export.ts'
import { viewContext } from '../../server/view-context.ts'
import { withDatabase } from '../support/database.ts'
import { seedFindings } from '../support/seed-findings.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const many = 3_000
const streamed = process.env.THROUGHLINE_FULL ? 1_000_000 : 20_000
const phone = '+15551234567'
const hostile = ["=cmd|'/c calc'!A0", phone, '-1', '@SUM(A1)', '\t=1', '\r=1', 'say "hi", then; =1', "'quoted"]

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
  const { database, id } = clinic.workspace
  const list = hostile.map((_, index) => `when ${index + 1} then $hostile$${hostile[index]}$hostile$`).join(' ')
  await seedFindings(database.sql, id, many, { object_id: `case n ${list} else 'bk-' || n end` })
})
afterAll(() => clinic.close())

const get = (query: string) => clinic.app.request(`/api/v1/findings/export?${query}`, { headers })

/** RFC 4180, quotes included. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  const cell = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n|$)/gy
  for (let match = cell.exec(text); match && match.index < text.length; match = cell.exec(text)) {
    const [, raw = '', end] = match
    rows.at(-1)?.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw)
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

describe('S16: an export of findings', () => {
  it('is inert in spreadsheets, and what it guarded can be read back', async () => {
    const response = await get('format=csv&sort=-opened&q=&expectation=booking-confirmed')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/csv/)
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="findings-[\dT-]+\.csv"$/)
    const text = await response.text()
    const [names = [], ...rows] = parseCsv(text)
    expect(names[0]).toBe('id')
    expect(rows).toHaveLength(many + 1)
    expect(rows.every((row) => row.length === names.length)).toBe(true)
    expect(rows.flat().filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([])
    const ids = rows.slice(0, hostile.length + 1).map((row) => row[names.indexOf('object_id')])
    for (const value of hostile.filter((each) => /^[=+\-@\t\r]/.test(each))) expect(ids).toContain(`'${value.replace(/^(\t|\r)=/, "$1'=")}`)
    expect(ids).toContain(`'${phone}`)
  })

  it('is exact as JSON', async () => {
    const response = await get('format=json&expectation=booking-confirmed&sort=-opened')
    const { findings, asOf, filter } = (await response.json()) as {
      findings: { object: { id: string } | null; can?: unknown }[]
      asOf: string
      filter: string
    }
    expect(findings).toHaveLength(many + 1)
    expect(findings.map(({ object }) => object?.id)).toEqual(expect.arrayContaining(hostile))
    expect(findings[0]).not.toHaveProperty('can')
    expect([asOf, filter]).toEqual(['2026-03-02T09:30:00.000Z', 'format=json&expectation=booking-confirmed&sort=-opened'])
  })

  it('holds what the list with the same filters holds, in its order', async () => {
    const query = { severity: 'critical', sort: 'severity', limit: '200' } as const
    const list = await (await clinic.client.api.v1.findings.$get({ query })).json()
    const { findings } = (await (await get('format=json&severity=critical&sort=severity')).json()) as { findings: { id: string }[] }
    expect(findings).toHaveLength(list.total)
    expect(findings.slice(0, 200).map(({ id }) => id)).toEqual(list.items.map(({ id }) => id))
  })

  it('is audited before the first row leaves: who, what, how many', async () => {
    const { sql } = clinic.workspace.database
    const rows = async () => sql`select actor, after from audit where act = 'finding.export' order by recorded_at desc limit 1`
    const response = await get('format=csv&kind=late')
    expect([...(await rows())]).toEqual([{ actor: 'local-owner', after: { format: 'csv', filter: 'format=csv&kind=late', total: 0 } }])
    expect(parseCsv(await response.text())).toHaveLength(1)
  })

  it('refuses filters it does not understand, without a file', async () => {
    for (const query of ['format=xls', 'severity=terrible', 'due=soon']) {
      const response = await get(query)
      expect([query, response.status, response.headers.get('content-disposition')]).toEqual([query, 400, null])
    }
  })

  it('reads no further than it is read: memory holds a batch, however many rows there are', async () => {
    const [row] = await clinic.workspace.database.db
      .select()
      .from((await import('../../db/schema/findings.ts')).findings)
      .limit(1)
    let made = 0
    let isOver = false
    async function* endless() {
      try {
        for (;;) {
          made += 500
          yield Array.from({ length: 500 }, () => row!)
        }
      } finally {
        isOver = true
      }
    }
    let ends = 0
    const pieces = writeExport(endless(), 'csv', { asOf: '', filter: '' }, viewContext(clinic.deps))
    const reader = toByteStream(pieces, 60_000, () => ends++).getReader()
    let lines = 0
    while (lines < streamed) {
      const { value = new Uint8Array() } = await reader.read()
      for (const byte of value) if (byte === 10) lines++
      expect(value.length).toBeLessThan(1_000_000)
      expect(made - lines).toBeLessThanOrEqual(2 * 500)
    }
    await reader.cancel()
    expect([isOver, ends]).toEqual([true, 1])
  })

  it('gives its connection back when the reader goes, however often', async () => {
    for (let time = 0; time < 12; time++) {
      const response = await get('format=csv')
      expect(response.status).toBe(200)
      const reader = response.body!.getReader()
      await reader.read()
      await reader.cancel()
    }
    expect((await clinic.client.api.v1.findings.$get({ query: { limit: '1' } })).status).toBe(200)
  })
})
