import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { FindingFilter } from '../../db/records/findings.ts'
import { countFindings, countFindingsBy, countFindingsByStatus, listFindings, readFinding } from '../../db/records/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { findingDetailShape, readFindingDetail } from '../finding-detail.ts'
import { findingRelatedShape, readFindingRelated } from '../finding-related.ts'
import { findingFilterShape, findingSortShape, toFindingFilter, toOrder } from '../finding-query.ts'
import { idShape, iso, isoTime, json, limitShape, listOf, orProblem } from '../shapes/common.ts'
import { findingShape, toFindingView } from '../shapes/finding.ts'
import { refuseInvalid } from '../validate.ts'
import { viewContext } from '../view-context.ts'

const facetNames = ['status', 'kind', 'severity', 'owner', 'expectation', 'connection', 'program', 'site'] as const
type FacetName = (typeof facetNames)[number]
const listShape = z
  .object({
    items: z.array(findingShape),
    next: z.string().nullable(),
    asOf: isoTime,
    total: z.int(),
    facets: z.partialRecord(z.enum(facetNames), z.record(z.string(), z.int())),
  })
  .openapi('FindingList')

const querySchema = findingFilterShape.extend({
  sort: findingSortShape,
  cursor: z.string().max(1000).optional(),
  limit: limitShape,
  /** Which facets to count: each costs a look at everything that matches. */
  facets: listOf(facetNames),
})

const list = createRoute({
  method: 'get',
  path: '/findings',
  tags: ['findings'],
  summary: 'Violated promises, filtered, in pages',
  request: { query: querySchema },
  responses: { 200: json(listShape, 'A page of findings'), ...orProblem(400) },
})

const detail = createRoute({
  method: 'get',
  path: '/findings/{id}',
  tags: ['findings'],
  summary: 'Everything a decision about one finding needs',
  request: { params: z.object({ id: idShape }) },
  responses: { 200: json(findingDetailShape, 'The finding'), ...orProblem(404) },
})

const related = createRoute({
  method: 'get',
  path: '/findings/{id}/related',
  tags: ['findings'],
  summary: 'What stands around one finding: others alike, who is on them, and how the same thing ended before',
  request: { params: z.object({ id: idShape }) },
  responses: { 200: json(findingRelatedShape, 'Counts, each with the filters of the list it counts'), ...orProblem(404) },
})

export function findingRoutes(deps: AppDeps) {
  const { database, id: workspaceId, clock } = deps.workspace
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const query = context.req.valid('query')
      const now = clock.now()
      const filter = await toFindingFilter(deps, query, now)
      const page = await listFindings(database.db, workspaceId, filter, {
        ...toOrder(query.sort),
        cursor: readCursor(query.sort, query.cursor),
        limit: query.limit,
      })
      const view = viewContext(deps)
      return context.json(
        {
          items: page.rows.map((row) => toFindingView(row, view)),
          next: writeCursor(query.sort, page.next),
          asOf: iso(now),
          total: await countFindings(database.db, workspaceId, filter),
          facets: Object.fromEntries(
            await Promise.all(query.facets.map(async (facet) => [facet, await countFacet(facet, filter)] as const)),
          ),
        },
        200,
      )
    })
    .openapi(detail, async (context) => context.json(await readFindingDetail(deps, await found(context.req.valid('param').id)), 200))
    .openapi(related, async (context) => context.json(await readFindingRelated(deps, await found(context.req.valid('param').id)), 200))

  async function found(id: string) {
    const finding = await readFinding(database.db, workspaceId, id)
    if (!finding) throw new AppError('not_found', `There is no finding ${id}.`)
    return finding
  }

  /** A facet counts what its values would show beside all other filters. */
  async function countFacet(facet: FacetName, filter: FindingFilter): Promise<Record<string, number>> {
    const { db } = database
    if (facet === 'status') {
      const statuses = await countFindingsByStatus(db, workspaceId, { ...filter, statuses: [], snooze: null })
      return Object.fromEntries(statuses.map(({ status, count }) => [status, count]))
    }
    const counts = await countFindingsBy(db, workspaceId, { ...filter, [facetFilters[facet]]: [] }, facet)
    return Object.fromEntries(counts.map(({ value, count }) => [value, count]))
  }
}

const facetFilters = {
  kind: 'kinds',
  severity: 'severities',
  owner: 'owners',
  expectation: 'expectations',
  connection: 'connections',
  program: 'programs',
  site: 'sites',
} as const satisfies Record<Exclude<FacetName, 'status'>, keyof FindingFilter>
