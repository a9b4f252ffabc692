import { randomUUID } from 'node:crypto'
import type { RouteConfig } from '@hono/zod-openapi'
import { OpenAPIHono, z } from '@hono/zod-openapi'
import { noteExport, streamFindings } from '../../db/records/finding-export.ts'
import { countFindings } from '../../db/records/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { exportFormats, toByteStream, writeExport } from '../finding-export.ts'
import { findingFilterShape, findingSortShape, toFindingFilter, toOrder } from '../finding-query.ts'
import { iso, orProblem } from '../shapes/common.ts'
import { refuseInvalid } from '../validate.ts'
import { viewContext } from '../view-context.ts'

const batchSize = 500
const idleMs = 60_000
/** Each holds a connection to the database. */
const exportsAtMost = 3

const querySchema = findingFilterShape.extend({ sort: findingSortShape, format: z.enum(exportFormats).default('csv') })

const description: RouteConfig = {
  method: 'get',
  path: '/findings/export',
  tags: ['findings'],
  summary: 'Everything that matches as a file, in pieces; who took what is in the audit',
  request: { query: querySchema },
  responses: {
    200: { description: 'The file', content: { 'text/csv': { schema: z.string() }, 'application/json': { schema: z.unknown() } } },
    ...orProblem(400),
  },
}

export function findingExportRoutes(deps: AppDeps) {
  const { database, id: workspaceId, clock } = deps.workspace
  let running = 0
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(description)
  return app.get('/findings/export', async (context) => {
    const parsed = querySchema.safeParse(context.req.query())
    refuseInvalid(parsed.success ? parsed : { ...parsed, target: 'query' })
    const { format, sort, ...query } = querySchema.parse(context.req.query())
    if (running >= exportsAtMost) throw new AppError('unavailable', `${exportsAtMost} exports are running. Try again when one is done.`)
    running++
    let isReading = false
    try {
      const now = clock.now()
      const filter = await toFindingFilter(deps, query, now)
      const address = new URL(context.req.url).search.slice(1)
      const total = await countFindings(database.db, workspaceId, filter)
      await noteExport(database.db, workspaceId, {
        id: randomUUID().replaceAll('-', ''),
        actor: deps.me.id,
        at: now,
        format,
        filter: address,
        total,
      })
      const batches = streamFindings(database, workspaceId, filter, toOrder(sort), batchSize)
      const pieces = writeExport(batches, format, { asOf: iso(now), filter: address }, viewContext(deps))
      const stream = toByteStream(pieces, idleMs, () => running--)
      isReading = true
      return context.body(stream, 200, {
        'content-type': format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/json',
        'content-disposition': `attachment; filename="findings-${iso(now).slice(0, 16).replaceAll(':', '')}.${format}"`,
        'cache-control': 'no-store',
      })
    } finally {
      if (!isReading) running--
    }
  })
}
