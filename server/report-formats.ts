import type { Report } from '../jobs/domain/report/report.ts'
import { toReportHtml } from '../jobs/domain/report/report-html.ts'
import { toReportJsonText } from '../jobs/domain/report/report-json.ts'
import { toReportText } from '../jobs/domain/report/report-text.ts'
import { toReportCsv } from './report-csv.ts'

export const reportFormats = ['html', 'csv', 'json', 'text'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** The same report gives the same bytes. */
export function formatReport(report: Report, format: ReportFormat): string {
  return { html: toReportHtml, csv: toReportCsv, json: toReportJsonText, text: toReportText }[format](report)
}
