import { totalOf } from './balance.ts'
import { isFinal, type Report } from './report.ts'
import { type Column, columnsIn, headlineOf, longDay, type ReportTable, tablesOf, timeIn, unreadSentences } from './report-tables.ts'

/** The report for a terminal: one table per dimension. */
export function toReportText(report: Report): string {
  const tables = tablesOf(report)
  const total = totalOf(report.balance)
  const shown = columnsIn([total, ...tables.flatMap(({ rows }) => rows.map(({ line }) => line))])
  const asOf = `${isFinal(report) ? 'closed' : 'not closed yet, as of'} ${timeIn(report, report.closedAt)} ${report.zone}`
  return [
    `${report.workspace}: gap report of ${longDay(report.day)} (${asOf})`,
    headlineOf(report),
    ...unreadPart(report),
    '',
    ...tables.flatMap(({ title, rows }) => [
      ...columnar([
        [title, ...shown.map((column) => column.title)],
        ...rows.map((row) => [row.title, ...shown.map(({ key }) => String(row.line[key]))]),
        ['Total', ...shown.map(({ key }) => String(sumOf(rows, key)))],
      ]),
      '',
    ]),
    ...(report.adjustments.length === 0 ? [] : ['Recorded on this day about earlier ones, within the numbers above:']),
    ...adjustmentSentences(report).map((sentence) => `  ${sentence}`),
  ]
    .join('\n')
    .replace(/\n*$/, '\n')
}

function unreadPart(report: Report): string[] {
  if (report.unread.length === 0) return isFinal(report) ? [`All ${report.streams} streams were read to the end of the day.`] : []
  return ['Not everything was read, so more may be open:', ...unreadSentences(report).map((sentence) => `  ${sentence}`)]
}

const daysNamed = 7

/** What was recorded on this day about earlier ones; it stands in the numbers above. Days long past are told together. */
export function adjustmentSentences(report: Report): string[] {
  const named = report.adjustments.filter(({ day }) => day !== null).slice(0, daysNamed)
  const rest = report.adjustments.filter((one) => !named.includes(one))
  const sentences = named.map((one) => `About ${longDay(one.day ?? '')}: ${numbersOf([one])}.`)
  if (rest.length === 0) return sentences
  return [...sentences, `About ${named.length === 0 ? 'earlier days' : 'days before'}: ${numbersOf(rest)}.`]
}

function numbersOf(adjustments: Report['adjustments']): string {
  const sum = (column: Exclude<keyof Report['adjustments'][number], 'day'>) => adjustments.reduce((all, one) => all + one[column], 0)
  const parts = [
    [sum('opened'), 'new'],
    [sum('regressed'), 'regressed'],
    [sum('reopened'), 'reopened'],
    [sum('waiver_expired'), 'waiver expired'],
    [sum('ended'), 'ended'],
    [sum('amended'), 'ended in another way than reported'],
  ] as const
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ')
}

export function sumOf(rows: ReportTable['rows'], column: Column): number {
  return rows.reduce((sum, { line }) => sum + line[column], 0)
}

function columnar(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
