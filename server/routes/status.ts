import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { readLastBeat } from '../../db/records/heartbeats.ts'
import { countOpenBySeverity } from '../../db/records/overview.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { readConnectionViews } from '../read-connections.ts'
import { outsideCheckShape, readOutsideCheckView, readStandstills, standstillShape, toStandstillView } from '../read-standstills.ts'
import { iso, isoTime, json, severityShape } from '../shapes/common.ts'

const status = createRoute({
  method: 'get',
  path: '/status',
  tags: ['status'],
  summary: 'Is anything falling through, and can we see?',
  responses: {
    200: json(
      z
        .object({
          asOf: isoTime,
          wallNow: isoTime,
          demo: z.object({ speed: z.number() }).nullable(),
          workspace: z.object({ title: z.string(), timeZone: z.string() }),
          /** stale: a job of the engine stands still, so what is shown may be old. */
          state: z.enum(['live', 'stale']),
          findings: z.object({ open: z.int(), snoozed: z.int(), bySeverity: z.partialRecord(severityShape, z.int()) }),
          connections: z.object({ total: z.int(), notFresh: z.int() }),
          me: z.object({ id: z.string(), title: z.string() }),
          engine: z.object({
            /** Wall time. */
            lastBeat: isoTime.nullable(),
            standstills: z.array(standstillShape),
            outsideCheck: outsideCheckShape.nullable(),
          }),
        })
        .openapi('Status'),
      'As of now',
    ),
  },
})

export function statusRoutes(deps: AppDeps) {
  const { workspace } = deps
  const { sql } = workspace.database
  return new OpenAPIHono<AppEnv>().openapi(status, async (context) => {
    const now = workspace.clock.now()
    const [severities, connections, lastBeat, standstills, outsideCheck] = await Promise.all([
      countOpenBySeverity(sql, workspace.id, now),
      readConnectionViews(deps, { passes: 0, findings: false }),
      readLastBeat(sql, workspace.id),
      readStandstills(deps),
      readOutsideCheckView(deps),
    ])
    const awake = severities.filter(({ snoozed }) => !snoozed)
    const sumOf = (rows: typeof severities) => rows.reduce((sum, { findings }) => sum + findings, 0)
    return context.json(
      {
        asOf: iso(now),
        wallNow: iso(deps.wallNow()),
        demo: deps.demo(),
        workspace: { title: workspace.title, timeZone: workspace.timeZone },
        state: standstills.length === 0 ? ('live' as const) : ('stale' as const),
        findings: {
          open: sumOf(awake),
          snoozed: sumOf(severities) - sumOf(awake),
          bySeverity: Object.fromEntries(awake.map(({ severity, findings }) => [severity, findings])),
        },
        connections: {
          total: connections.length,
          notFresh: connections.filter((connection) => connection.state !== 'ok' && connection.state !== 'removed').length,
        },
        me: deps.me,
        engine: { lastBeat: iso(lastBeat), standstills: standstills.map(toStandstillView), outsideCheck },
      },
      200,
    )
  })
}
