import { totalOf } from './balance.ts'
import { hoursOf, isFinal, type Report } from './report.ts'
import { tablesOf } from './report-tables.ts'

export const reportFormat = 'throughline.gap-report/1'

/** The report as the API, the webhook and the download give it. Times are ISO 8601 in UTC. */
export function toReportJson(report: Report) {
  const tables = new Map(
    tablesOf(report).map(({ dimension, rows }) => [dimension, rows.map(({ key, title, line }) => ({ key, title, ...line }))]),
  )
  return {
    format: reportFormat,
    workspace: report.workspace,
    day: report.day,
    zone: report.zone,
    startsAt: iso(report.startsAt),
    endsAt: iso(report.endsAt),
    hours: hoursOf(report),
    closedAt: iso(report.closedAt),
    final: isFinal(report),
    total: totalOf(report.balance),
    programs: tables.get('program') ?? [],
    owners: tables.get('owner') ?? [],
    sites: tables.get('site') ?? [],
    kinds: tables.get('kind') ?? [],
    adjustments: report.adjustments.map(({ day, opened, regressed, reopened, waiver_expired, ended, amended }) => ({
      day,
      opened,
      regressed,
      reopened,
      waiver_expired,
      ended,
      amended,
    })),
    streams: report.streams,
    unread: report.unread.map(({ stream, title, readTo, reason, unknown }) => ({
      stream,
      title,
      readTo: readTo === null ? null : iso(readTo),
      reason,
      unknown,
    })),
  }
}

export function toReportJsonText(report: Report): string {
  return `${JSON.stringify(inOrder(toReportJson(report)), null, 2)}\n`
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

/** Lines come from the record with their fields in any order; the text has one. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inOrder(inner)]))
}
