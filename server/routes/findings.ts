import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { FindingFilter, FindingSort } from '../../db/records/findings.ts'
import {
  countFindings,
  countFindingsBy,
  countFindingsByStatus,
  findingSorts,
  listFindings,
  readFinding,
} from '../../db/records/findings.ts'
import type { FindingStatus } from '../../db/schema/words.ts'
import { findingStatuses, severities } from '../../db/schema/words.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { isOpen } from '../../jobs/domain/finding-lifecycle.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { findingDetailShape, readFindingDetail } from '../finding-detail.ts'
import { idShape, iso, isoTime, json, limitShape, listOf, orProblem, wordList } from '../shapes/common.ts'
import { findingShape, toFindingView } from '../shapes/finding.ts'
import { spanOf, spanShape } from '../shapes/time-span.ts'
import { refuseInvalid } from '../validate.ts'
import { viewContext } from '../view-context.ts'

const facetNames = ['status', 'kind', 'severity', 'owner', 'expectation', 'connection'] as const
const listShape = z
  .object({
    items: z.array(findingShape),
    next: z.string().nullable(),
    asOf: isoTime,
    total: z.int(),
    facets: z.partialRecord(z.enum(facetNames), z.record(z.string(), z.int())),
  })
  .openapi('FindingList')

/** Without a status: what needs someone now, so what is snoozed is left out. */
const statusFilter = listOf([...findingStatuses, 'snoozed', 'all'])

const querySchema = z.object({
  status: statusFilter,
  kind: wordList,
  owner: wordList,
  severity: listOf(severities),
  program: wordList,
  expectation: wordList,
  connection: wordList,
  opened: spanShape,
  closed: spanShape,
  due: spanShape,
  endedby: z.enum(['person', 'itself']).optional(),
  subject: idShape.optional(),
  journey: idShape.optional(),
  q: z.string().max(200).optional(),
  sort: z.enum(findingSorts).default('due'),
  cursor: z.string().max(1000).optional(),
  limit: limitShape,
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

export function findingRoutes(deps: AppDeps) {
  const { database, id: workspaceId, clock } = deps.workspace
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const query = context.req.valid('query')
      const now = clock.now()
      const filter = toFilter(query, now)
      const page = await listFindings(database.db, workspaceId, filter, {
        sort: query.sort satisfies FindingSort,
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
          facets: query.cursor === undefined ? await countFacets(filter) : {},
        },
        200,
      )
    })
    .openapi(detail, async (context) => {
      const { id } = context.req.valid('param')
      const finding = await readFinding(database.db, workspaceId, id)
      if (!finding) throw new AppError('not_found', `There is no finding ${id}.`)
      return context.json(await readFindingDetail(deps, finding), 200)
    })

  /** Each facet counts what its values would show beside all other filters. */
  async function countFacets(filter: FindingFilter) {
    const { db } = database
    const count = async (facet: 'kind' | 'severity' | 'owner' | 'expectation' | 'connection', without: FindingFilter) =>
      Object.fromEntries((await countFindingsBy(db, workspaceId, without, facet)).map(({ value, count: found }) => [value, found]))
    const [kind, severity, owner, expectation, connection, statuses] = await Promise.all([
      count('kind', { ...filter, kinds: [] }),
      count('severity', { ...filter, severities: [] }),
      count('owner', { ...filter, owners: [] }),
      count('expectation', { ...filter, expectations: [] }),
      count('connection', { ...filter, connections: [] }),
      countFindingsByStatus(db, workspaceId, { ...filter, statuses: [], snooze: null }),
    ])
    return {
      kind,
      severity,
      owner,
      expectation,
      connection,
      status: Object.fromEntries(statuses.map(({ status, count: found }) => [status, found])),
    }
  }
}

function toFilter(query: z.output<typeof querySchema>, now: number): FindingFilter {
  const rest = {
    kinds: query.kind,
    owners: query.owner,
    severities: query.severity,
    programs: query.program,
    expectations: query.expectation,
    connections: query.connection,
    ...spanOf('opened', query.opened, now),
    ...spanOf('closed', query.closed, now),
    ...spanOf('due', query.due, now),
    ...(query.endedby === undefined ? {} : { endedBy: query.endedby }),
    ...(query.subject === undefined ? {} : { subject: query.subject }),
    ...(query.journey === undefined ? {} : { journey: query.journey }),
    ...(query.q ? { text: query.q } : {}),
  }
  const open = findingStatuses.filter(isOpen)
  if (query.status.length === 0) return { ...rest, statuses: open, snooze: { now, show: 'hide' } }
  if (query.status.includes('all')) return { ...rest, snooze: null }
  const named = query.status.filter((status): status is FindingStatus => status !== 'snoozed' && status !== 'all')
  if (named.length === 0) return { ...rest, statuses: open, snooze: { now, show: 'only' } }
  return { ...rest, statuses: named, snooze: null }
}
