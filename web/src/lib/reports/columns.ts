import type { ReportLine } from '../api-types.ts'

export type ReportColumn = keyof ReportLine
/** What the API lists findings for: the columns, their sum of what came back, and endings that were corrected. */
export type ListedColumn = ReportColumn | 'returned' | 'amended'

interface ColumnWords {
  readonly key: ReportColumn
  readonly title: string
  /** How it counts in the balance. */
  readonly sign: '' | '+' | '−' | '='
  /** The page of the findings behind it: “New on 2 March”. */
  readonly list: string
}

/** In the order of the balance. `ended` is the sum of the five after it. */
export const reportColumns: readonly ColumnWords[] = [
  { key: 'opening', title: 'Open before', sign: '', list: 'Open at the beginning of' },
  { key: 'opened', title: 'New', sign: '+', list: 'New on' },
  { key: 'regressed', title: 'Regressed', sign: '+', list: 'Regressed on' },
  { key: 'reopened', title: 'Reopened', sign: '+', list: 'Reopened on' },
  { key: 'waiver_expired', title: 'Waiver expired', sign: '+', list: 'Waiver expired on' },
  { key: 'transferredIn', title: 'Transferred in', sign: '+', list: 'Transferred in on' },
  { key: 'ended', title: 'Ended', sign: '−', list: 'Ended on' },
  { key: 'verified', title: 'Verified', sign: '−', list: 'Verified on' },
  { key: 'waived', title: 'Waived', sign: '−', list: 'Waived on' },
  { key: 'false_alarm', title: 'False alarm', sign: '−', list: 'Ended as a false alarm on' },
  { key: 'void', title: 'Void', sign: '−', list: 'Ended as void on' },
  { key: 'withdrawn', title: 'Withdrawn', sign: '−', list: 'Withdrawn on' },
  { key: 'transferredOut', title: 'Transferred out', sign: '−', list: 'Transferred out on' },
  { key: 'closing', title: 'Open after', sign: '=', list: 'Open at the end of' },
]

const always: readonly ReportColumn[] = ['opening', 'opened', 'ended', 'closing']
/** The parts of `ended`, which is counted already. */
export const endingColumns: readonly ReportColumn[] = ['verified', 'waived', 'false_alarm', 'void', 'withdrawn']

/** Columns in which anything stands; the two ends of the balance, new and ended always. */
export function columnsIn(lines: readonly ReportLine[]): readonly ColumnWords[] {
  return reportColumns.filter(({ key }) => always.includes(key) || lines.some((line) => line[key] !== 0))
}

export function listTitle(column: string): string {
  if (column === 'returned') return 'Came back on'
  if (column === 'amended') return 'Ended in another way than reported, recorded on'
  return reportColumns.find(({ key }) => key === column)?.list ?? 'Findings of'
}

/** Regressed, reopened, or the waiver ran out. */
export const returnedOf = (line: ReportLine): number => line.regressed + line.reopened + line.waiver_expired

/** `Mon, 2 Mar 2026`; a report's day is a day of its own zone already. */
export function dayInWords(day: string, weekday: 'short' | 'long' = 'short'): string {
  const month = weekday === 'long' ? 'long' : 'short'
  return new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', weekday, day: 'numeric', month, year: 'numeric' }).format(
    Date.parse(`${day}T12:00:00Z`),
  )
}

export function shortDay(day: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' }).format(Date.parse(`${day}T12:00:00Z`))
}
