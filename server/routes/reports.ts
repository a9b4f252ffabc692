import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { readFindingsById } from '../../db/records/findings-by-id.ts'
import { countChanges, countStanding, listChanges, listStanding } from '../../db/records/report-findings.ts'
import { countDeliveries, listDeliveries } from '../../db/records/report-deliveries.ts'
import { listReports } from '../../db/records/reports.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { dimensions } from '../../jobs/domain/report/balance.ts'
import { type Report, type ReportSummary, summaryOf } from '../../jobs/domain/report/report.ts'
import { boundsOf, dayOf, nextDay, previousDay } from '../../jobs/domain/report/report-day.ts'
import { toReportJson } from '../../jobs/domain/report/report-json.ts'
import { columns } from '../../jobs/domain/report/report-tables.ts'
import { readDayReport, readDayWindow } from '../../jobs/reports/close-days.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { formatReport, reportFormats } from '../report-formats.ts'
import { iso, isoTime, json, limitShape, orProblem } from '../shapes/common.ts'
import { type FindingView, toFindingView } from '../shapes/finding.ts'
import { changeShape, dayShape, deliveryShape, reportHeadShape, reportShape } from '../shapes/report.ts'
import { refuseInvalid } from '../validate.ts'
import { ownerTitles, viewContext } from '../view-context.ts'

const listShape = z
  .object({ items: z.array(reportHeadShape), today: reportHeadShape.nullable(), next: dayShape.nullable(), asOf: isoTime })
  .openapi('ReportList')
const detailShape = z
  .object({
    report: reportShape,
    deliveries: z.array(deliveryShape),
    previous: dayShape.nullable(),
    next: dayShape.nullable(),
    asOf: isoTime,
  })
  .openapi('ReportDetail')
/** `returned`: regressed, reopened or its waiver expired. `amended`: ended in another way than reported. */
const columnNames = [...columns.map(({ key }) => key), 'returned', 'amended'] as const
const changesShape = z
  .object({ items: z.array(changeShape), total: z.int(), next: z.string().nullable(), asOf: isoTime, final: z.boolean() })
  .openapi('ReportedChanges')

const list = createRoute({
  method: 'get',
  path: '/reports',
  tags: ['reports'],
  summary: 'The closed days, newest first, and today so far',
  request: { query: z.object({ before: dayShape.optional(), limit: limitShape }) },
  responses: { 200: json(listShape, 'Days'), ...orProblem(400) },
})
const detail = createRoute({
  method: 'get',
  path: '/reports/{day}',
  tags: ['reports'],
  summary: 'The balance of one day per program, owner, site and kind, with what was not read',
  request: { params: z.object({ day: dayShape }) },
  responses: { 200: json(detailShape, 'The report'), ...orProblem(400, 404) },
})
const download = createRoute({
  method: 'get',
  path: '/reports/{day}/download',
  tags: ['reports'],
  summary: 'The same report as a file; a closed day always gives the same bytes',
  request: { params: z.object({ day: dayShape }), query: z.object({ format: z.enum(reportFormats).default('html') }) },
  responses: { 200: { description: 'The file', content: { 'text/html': { schema: z.string() } } }, ...orProblem(400, 404) },
})
const changes = createRoute({
  method: 'get',
  path: '/reports/{day}/findings',
  tags: ['reports'],
  summary: 'The findings behind one number of a report, in pages',
  request: {
    params: z.object({ day: dayShape }),
    query: z.object({
      column: z.enum(columnNames),
      dimension: z.enum(dimensions).optional(),
      /** Absent with a dimension: findings without a program or a site. */
      key: z.string().max(200).optional(),
      about: dayShape.optional(),
      cursor: z.string().max(200).optional(),
      limit: limitShape,
    }),
  },
  responses: { 200: json(changesShape, 'A page of findings'), ...orProblem(400, 404) },
})

const types = { html: 'text/html', csv: 'text/csv', json: 'application/json', text: 'text/plain' } as const
const extensions = { html: 'html', csv: 'csv', json: 'json', text: 'txt' } as const

export function reportRoutes(deps: AppDeps) {
  const { workspace } = deps
  const { db, sql } = workspace.database
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const { before, limit } = context.req.valid('query')
      const now = workspace.clock.now()
      const [heads, today] = await Promise.all([
        listReports(sql, workspace.id, before ?? null, limit + 1),
        before === undefined ? readDayReport(workspace, dayOf(now, workspace.timeZone)) : undefined,
      ])
      const shown = heads.slice(0, limit)
      const sent = await countDeliveries(
        sql,
        workspace.id,
        shown.map(({ day }) => day),
      )
      return context.json(
        {
          items: shown.map(({ day, summary, closedAt }) => toHead(day, summary as ReportSummary, closedAt, true, sent.get(day) ?? {})),
          today: today === undefined ? null : toHead(today.day, summaryOf(today), today.closedAt, false, {}),
          next: heads.length > limit ? (shown.at(-1)?.day ?? null) : null,
          asOf: iso(now),
        },
        200,
      )
    })
    .openapi(detail, async (context) => {
      const { day } = context.req.valid('param')
      const titles = ownerTitles(deps)
      const [report, deliveries, before, after] = await Promise.all([
        reportOf(day),
        listDeliveries(sql, workspace.id, day),
        readDayWindow(workspace, previousDay(day)),
        readDayWindow(workspace, nextDay(day)),
      ])
      return context.json(
        {
          report: toReportJson(report),
          deliveries: deliveries.map(({ nextAt, sentAt, ...delivery }) => ({
            ...delivery,
            title: delivery.channel === 'mail' ? (titles.get(delivery.target) ?? delivery.target) : delivery.target,
            nextAt: iso(nextAt),
            sentAt: iso(sentAt),
          })),
          previous: before === undefined ? null : previousDay(day),
          next: after === undefined ? null : nextDay(day),
          asOf: iso(workspace.clock.now()),
        },
        200,
      )
    })
    .openapi(download, async (context) => {
      const { day } = context.req.valid('param')
      const { format } = context.req.valid('query')
      const body = formatReport(await reportOf(day), format)
      return context.body(body, 200, {
        'content-type': `${types[format]}; charset=utf-8`,
        'content-disposition': `attachment; filename="gap-report-${day}.${extensions[format]}"`,
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      }) as never
    })
    .openapi(changes, async (context) => {
      const { day } = context.req.valid('param')
      const { column, dimension, key, about, cursor, limit } = context.req.valid('query')
      const window = await readDayWindow(workspace, day)
      if (window === undefined) throw noReport(day)
      const order = `${day} ${column} ${dimension ?? ''} ${key ?? ''} ${about ?? ''}`
      const from = readCursor(order, cursor)?.[0]
      const within = dimension === undefined ? null : { dimension, key: key ?? null }
      const page =
        column === 'opening' || column === 'closing'
          ? await standingPage(column === 'opening' ? window.after : window.until, within, typeof from === 'string' ? from : null, limit)
          : await changesPage(window, { column, within, about: about === undefined ? null : span(about) }, Number(from ?? -1), limit)
      return context.json(
        {
          items: page.items,
          total: page.total,
          next: writeCursor(order, page.next === null ? null : [page.next]),
          asOf: iso(workspace.clock.now()),
          final: window.stored !== undefined,
        },
        200,
      )
    })

  async function reportOf(day: string): Promise<Report> {
    const report = await readDayReport(workspace, day)
    if (report === undefined) throw noReport(day)
    return report
  }

  function span(day: string) {
    const { startsAt, endsAt } = boundsOf(day, workspace.timeZone)
    return { from: startsAt, to: endsAt }
  }

  async function changesPage(
    window: Parameters<typeof listChanges>[2],
    asked: Parameters<typeof listChanges>[3],
    afterN: number,
    limit: number,
  ) {
    const rows = await listChanges(db, workspace.id, window, asked, { afterN, limit: limit + 1 })
    const shown = rows.slice(0, limit)
    const views = await viewsOf(shown.map(({ findingId }) => findingId))
    return {
      total: await countChanges(db, workspace.id, window, asked),
      next: rows.length > limit ? (shown.at(-1)?.n ?? null) : null,
      items: shown.flatMap(({ findingId, at, entered, ended, to, from }) => {
        const finding = views.get(findingId)
        if (finding === undefined) return []
        const change = {
          at: iso(at),
          entered,
          ended,
          owner: to.owner,
          kind: to.kind,
          fromOwner: from?.owner ?? null,
          fromKind: from?.kind ?? null,
        }
        return [{ finding, change }]
      }),
    }
  }

  async function standingPage(
    cut: Parameters<typeof listStanding>[2],
    within: Parameters<typeof listStanding>[3],
    afterId: string | null,
    limit: number,
  ) {
    const ids = await listStanding(db, workspace.id, cut, within, { afterId, limit: limit + 1 })
    const shown = ids.slice(0, limit)
    const views = await viewsOf(shown)
    return {
      total: await countStanding(db, workspace.id, cut, within),
      next: ids.length > limit ? (shown.at(-1) ?? null) : null,
      items: shown.flatMap((id) => {
        const finding = views.get(id)
        return finding === undefined ? [] : [{ finding, change: null }]
      }),
    }
  }

  async function viewsOf(ids: readonly string[]): Promise<ReadonlyMap<string, FindingView>> {
    const view = viewContext(deps)
    return new Map((await readFindingsById(db, workspace.id, ids)).map((row) => [row.id, toFindingView(row, view)]))
  }

  function noReport(day: string): AppError {
    return new AppError(
      'not_found',
      `There is no report of ${day}: the day has not begun in ${workspace.timeZone}, or nothing had been read by then.`,
    )
  }
}

function toHead(
  day: string,
  { total, unread, unknown }: ReportSummary,
  closedAt: number,
  final: boolean,
  deliveries: z.output<typeof reportHeadShape>['deliveries'],
): z.output<typeof reportHeadShape> {
  return { day, final, closedAt: iso(closedAt), total, unread, unknown, deliveries }
}
