import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { findingGroupings, groupFindings } from '../../db/records/finding-groups.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { findingFilterShape, toFindingFilter } from '../finding-query.ts'
import { iso, isoTime, json, orProblem, severityShape } from '../shapes/common.ts'
import { refuseInvalid } from '../validate.ts'

const groupsAtMost = 100

const groups = createRoute({
  method: 'get',
  path: '/findings/groups',
  tags: ['findings'],
  summary: 'Findings that match, counted by one field; a finding of two connections stands under both',
  request: { query: findingFilterShape.extend({ by: z.enum(findingGroupings) }) },
  responses: {
    200: json(
      z.object({
        items: z.array(
          z
            .object({ value: z.string(), count: z.int(), worst: severityShape, overdue: z.int(), oldestOpenedAt: isoTime })
            .openapi('FindingGroup'),
        ),
        /** There are more groups than shown. */
        isCut: z.boolean(),
        asOf: isoTime,
      }),
      'The groups, largest first',
    ),
    ...orProblem(400),
  },
})

export function findingGroupRoutes(deps: AppDeps) {
  const { database, id: workspaceId, clock } = deps.workspace
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid }).openapi(groups, async (context) => {
    const { by, ...query } = context.req.valid('query')
    const now = clock.now()
    const filter = await toFindingFilter(deps, query, now)
    const rows = await groupFindings(database.db, workspaceId, filter, { by, now, limit: groupsAtMost + 1 })
    return context.json(
      {
        items: rows.slice(0, groupsAtMost).map(({ value, count, worst, overdue, oldestOpenedAt }) => ({
          value,
          count,
          worst,
          overdue,
          oldestOpenedAt: iso(Math.round(oldestOpenedAt)),
        })),
        isCut: rows.length > groupsAtMost,
        asOf: iso(now),
      },
      200,
    )
  })
}
