import { describe, expect, it } from 'vitest'
import type { Flow } from '../../jobs/domain/report/balance.ts'
import { toOwnerMail } from '../../jobs/domain/report/owner-mail.ts'
import { makeReport, type Report } from '../../jobs/domain/report/report.ts'
import { boundsOf } from '../../jobs/domain/report/report-day.ts'
import { toReportHtml } from '../../jobs/domain/report/report-html.ts'
import { toReportJson, toReportJsonText } from '../../jobs/domain/report/report-json.ts'
import { toReportText } from '../../jobs/domain/report/report-text.ts'
import { toReportCsv } from '../../server/report-csv.ts'

const zone = 'America/New_York'
const day = '2026-03-08'
const gap = { program: 'care', owner: '+15551234567', site: null, kind: 'gap' }
const flows: Flow[] = [
  { wasOpen: false, entered: 'opened', ended: null, from: null, to: gap, about: '2026-03-07', count: 2 },
  { wasOpen: true, entered: null, ended: 'verified', from: gap, to: { ...gap, kind: 'late' }, about: null, count: 1 },
  { wasOpen: true, entered: null, ended: null, from: gap, to: { ...gap, owner: 'ben', site: 'north' }, about: null, count: 1 },
]
const bounds = boundsOf(day, zone)
const report: Report = makeReport(
  {
    day,
    zone,
    ...bounds,
    closedAt: bounds.endsAt + 900_000,
    workspace: '<Acme> & "sons"',
    consoleUrl: 'https://throughline.example.org',
    titles: {
      program: { care: '=cmd|"/c calc"!A0' },
      owner: { ben: "Ben's <script>alert(1)</script>" },
      site: {},
      kind: { gap: 'Missing step' },
    },
  },
  [{ ...gap, count: 3 }],
  flows,
  {
    streams: 4,
    unread: [
      {
        stream: 'texts.messages',
        title: 'Messaging: Messages',
        readTo: bounds.startsAt + 2 * 3_600_000,
        reason: 'The tool refused the key.',
        unknown: 14,
      },
      { stream: 'ehr.encounters', title: 'EHR: Encounters', readTo: null, reason: null, unknown: 0 },
    ],
  },
)

describe('the report as HTML', () => {
  const html = toReportHtml(report)
  it('stands alone: no script, no address to fetch, what tools and people named is text', () => {
    expect(html).not.toMatch(/<script|<link|<img|src=|url\(|@import|<a /)
    expect(html).toContain('&#60;Acme&#62; &#38; &#34;sons&#34;')
    expect(html).toContain('prefers-color-scheme: dark')
    expect(html).toContain('@media print')
  })
  it('names what was not read, and a day of 23 hours', () => {
    expect(html).toContain('Messaging: Messages was read to 03:00; 14 steps unknown.')
    expect(html).toContain('EHR: Encounters was not read.')
    expect(html).toContain('a day of 23 hours')
  })
})

describe('the report as JSON', () => {
  it('is exact and balances', () => {
    const json = JSON.parse(toReportJsonText(report))
    expect(json).toEqual(toReportJson(report))
    expect(json.total).toMatchObject({ opening: 3, opened: 2, verified: 1, ended: 1, closing: 4 })
    expect(json.owners).toMatchObject([
      { key: '+15551234567', transferredOut: 1, closing: 3 },
      { key: 'ben', transferredIn: 1, closing: 1 },
    ])
    expect(json.sites).toMatchObject([{ key: null, title: 'No site' }, { key: 'north' }])
  })
  it('is the same text whatever order the record keeps its fields in', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, inner]) => [key, reversed(inner)]),
            )
          : value
    const stored = reversed(report) as Report
    for (const format of [toReportJsonText, toReportHtml, toReportText, toReportCsv]) expect(format(stored)).toBe(format(report))
  })
})

describe('S16: the report as CSV', () => {
  const lines = toReportCsv(report).slice(1).split('\r\n')
  it('is one rectangle whose cells no spreadsheet runs, with phone-like keys recoverable', () => {
    expect(lines.find((line) => line.startsWith('2026-03-08,program'))).toContain(`"'=cmd|""/c calc""!A0"`)
    expect(lines.find((line) => line.startsWith('2026-03-08,owner') && line.includes('555'))).toContain(`"'+15551234567"`)
    for (const line of lines.filter(Boolean)) expect(line.split(',').length, line).toBe(lines[0]?.split(',').length)
  })
  it('has the total, every dimension, what is about earlier days and what was not read', () => {
    expect(lines.map((line) => line.split(',')[1])).toEqual([
      'row',
      'total',
      'program',
      'owner',
      'owner',
      'site',
      'site',
      'kind',
      'kind',
      'adjustment',
      'unread',
      'unread',
      undefined,
    ])
    expect(lines.at(-3)).toBe('2026-03-08,unread,texts.messages,Messaging: Messages,,,,,,,,,,,,,,,,2026-03-08T07:00:00.000Z,14')
  })
})

describe('the report as text', () => {
  it('shows the columns in which anything stands', () => {
    const shown = toReportText(report)
    expect(shown).toContain('4 findings open at the end of the day: 3 before, 2 new, 1 ended.')
    expect(shown).toContain('  About Saturday, 7 March 2026: 2 new.')
    expect(shown).not.toContain('False alarm')
    expect(shown).toMatch(/Total\s+3\s+2/)
  })
})

describe('the mail of an owner', () => {
  it('is about what is theirs', () => {
    const mail = toOwnerMail(report, 'ben')
    expect(mail?.subject).toBe("1 finding open for Ben's <script>alert(1)</script>, 2026-03-08")
    expect(mail?.html).not.toContain('<script')
    expect(mail?.html).toContain('href="https://throughline.example.org/findings?owner=ben"')
    expect(mail?.text).toContain('Missing step: 1 open')
  })
  it('is none where nothing is open', () => {
    expect(toOwnerMail(report, 'nobody')).toBeNull()
    expect(toOwnerMail(makeReport(report, [], [], { streams: 4, unread: [] }), 'ben')).toBeNull()
  })
})
