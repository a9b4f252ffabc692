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
    ...adjustmentSentences(report),
  ]
    .join('\n')
    .replace(/\n*$/, '\n')
}

function unreadPart(report: Report): string[] {
  if (report.unread.length === 0) return [`All ${report.streams} streams were read to the end of the day.`]
  return ['Not everything was read, so more may be open:', ...unreadSentences(report).map((sentence) => `  ${sentence}`)]
}

/** What was recorded on this day about earlier ones; it stands in the numbers above. */
export function adjustmentSentences(report: Report): string[] {
  return report.adjustments.map(({ day, ended, amended, ...entered }) => {
    const parts = [
      [entered.opened, 'new'],
      [entered.regressed, 'regressed'],
      [entered.reopened, 'reopened'],
      [entered.waiver_expired, 'waiver expired'],
      [ended, 'ended'],
      [amended, 'ended in another way than reported'],
    ] as const
    const words = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)
    return `Of these, about ${day === null ? 'an earlier day' : longDay(day)}: ${words.join(', ')}.`
  })
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
