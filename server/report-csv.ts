import { totalOf } from '../jobs/domain/report/balance.ts'
import type { Report } from '../jobs/domain/report/report.ts'
import { columns, tablesOf } from '../jobs/domain/report/report-tables.ts'
import { csvLine, csvMark, type CsvValue } from './csv.ts'

/** One rectangle (docs/reports.md): a row for the total, one per line of each dimension, one per adjustment and one per unread stream. */
export function toReportCsv(report: Report): string {
  const head = ['day', 'row', 'key', 'title', ...columns.map(({ key }) => key), 'amended', 'read_to', 'unknown_steps']
  const row = (
    what: string,
    key: string | null,
    title: string,
    numbers: Partial<Record<string, number>>,
    readTo: string | null = null,
  ): CsvValue[] => [
    report.day,
    what,
    key,
    title,
    ...columns.map((column) => numbers[column.key] ?? null),
    numbers.amended ?? null,
    readTo,
    numbers.unknown ?? null,
  ]
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  const rows = [
    row('total', null, 'Total', { ...totalOf(report.balance) }),
    ...tablesOf(report).flatMap(({ dimension, rows: lines }) =>
      lines.map(({ key, title, line }) => row(dimension, key, title, { ...line })),
    ),
    ...report.adjustments.map(({ day, ...numbers }) => row('adjustment', day, 'Recorded now about an earlier day', numbers)),
    ...report.unread.map(({ stream, title, readTo, unknown }) => row('unread', stream, title, { unknown }, iso(readTo))),
  ]
  return csvMark + [head, ...rows].map(csvLine).join('')
}
