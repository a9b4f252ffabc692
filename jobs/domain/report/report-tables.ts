import type { Dimension, Line, Place } from './balance.ts'
import { dimensions, linesBy, totalOf } from './balance.ts'
import type { Report } from './report.ts'

export type Column = keyof Line

/** The columns in the order of the balance, with the sign they count with. `ended` is the sum of the five after it. */
export const columns: readonly { readonly key: Column; readonly title: string; readonly sign: '' | '+' | '−' | '=' }[] = [
  { key: 'opening', title: 'Open before', sign: '' },
  { key: 'opened', title: 'New', sign: '+' },
  { key: 'regressed', title: 'Regressed', sign: '+' },
  { key: 'reopened', title: 'Reopened', sign: '+' },
  { key: 'waiver_expired', title: 'Waiver expired', sign: '+' },
  { key: 'transferredIn', title: 'Transferred in', sign: '+' },
  { key: 'ended', title: 'Ended', sign: '−' },
  { key: 'verified', title: 'Verified', sign: '−' },
  { key: 'waived', title: 'Waived', sign: '−' },
  { key: 'false_alarm', title: 'False alarm', sign: '−' },
  { key: 'void', title: 'Void', sign: '−' },
  { key: 'withdrawn', title: 'Withdrawn', sign: '−' },
  { key: 'transferredOut', title: 'Transferred out', sign: '−' },
  { key: 'closing', title: 'Open after', sign: '=' },
]

export interface ReportTable {
  readonly dimension: Dimension
  readonly title: string
  /** `key` null: findings without a program or a site. */
  readonly rows: readonly { readonly key: string | null; readonly title: string; readonly line: Line }[]
}

const dimensionTitles: Readonly<Record<Dimension, string>> = { program: 'By program', owner: 'By owner', site: 'By site', kind: 'By kind' }
const without: Readonly<Record<Dimension, string>> = {
  program: 'Our own sight',
  owner: 'No owner',
  site: 'No site',
  kind: 'No kind',
}

/** The balance four times over; without sites three times. `within`: of these places only. */
export function tablesOf({ balance, titles }: Report, within: (place: Place) => boolean = () => true): readonly ReportTable[] {
  return dimensions
    .map((dimension) => ({
      dimension,
      title: dimensionTitles[dimension],
      rows: linesBy(balance, (place) => (within(place) ? JSON.stringify(place[dimension]) : null)).map(({ key: json, line }) => {
        const key = JSON.parse(json) as string | null
        return { key, title: key === null ? without[dimension] : (titles[dimension][key] ?? key), line }
      }),
    }))
    .filter(({ dimension, rows }) => dimension !== 'site' || rows.some(({ key }) => key !== null))
}

/** The columns in which anything stands; the balance's two ends, new and ended always. */
export function columnsIn(lines: readonly Line[]): typeof columns {
  const always: readonly Column[] = ['opening', 'opened', 'ended', 'closing']
  return columns.filter(({ key }) => always.includes(key) || lines.some((line) => line[key] !== 0))
}

/** One sentence: how many are open, and how that came. */
export function headlineOf(report: Report): string {
  const total = totalOf(report.balance)
  const isOver = report.closedAt >= report.endsAt
  const count = total.closing === 1 ? '1 finding' : `${total.closing === 0 ? 'No' : total.closing} findings`
  return `${count} ${isOver ? 'open at the end of the day' : 'open so far'}: ${wayOf(total)}.`
}

/** `3 before, 2 new, 1 came back, 4 ended`: what stands on the way from one count to the other. */
export function wayOf(line: Line): string {
  const parts = [
    [line.opened, 'new'],
    [line.regressed + line.reopened + line.waiver_expired, 'came back'],
    [line.transferredIn, 'transferred in'],
    [line.transferredOut, 'transferred out'],
    [line.ended, 'ended'],
  ] as const
  return [`${line.opening} before`, ...parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)].join(', ')
}

/** “Twilio Messages: Messages was read to 03:10; 14 steps unknown.” Empty: everything was read to the end of the day. */
export function unreadSentences(report: Report): readonly string[] {
  return report.unread.map(({ title, readTo, unknown }) => {
    const read = readTo === null ? 'was not read' : `was read to ${timeIn(report, readTo)}`
    const steps = unknown === 0 ? '' : `; ${unknown} ${unknown === 1 ? 'step' : 'steps'} unknown`
    return `${title} ${read}${steps}.`
  })
}

/** `03:10` of the report's day, with the date of any other day. */
export function timeIn({ zone, startsAt, endsAt }: Report, at: number): string {
  const isOfDay = at >= startsAt && at <= endsAt
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
    ...(isOfDay ? {} : { day: 'numeric', month: 'short', year: 'numeric' }),
  }).format(at)
}

/** `Monday, 2 March 2026` */
export function longDay(day: string): string {
  const at = Date.parse(`${day}T12:00:00Z`)
  return new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).format(at)
}
