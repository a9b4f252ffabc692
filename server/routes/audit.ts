import { randomUUID } from 'node:crypto'
import { createRoute, OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import { sealing, writeActs } from '../../db/records/audit.ts'
import { actsCountedAtMost, countActs, type ListedAct, listActs, readAuditWords, streamActs } from '../../db/records/audit-list.ts'
import { listApiTokens } from '../../db/records/api-tokens.ts'
import { listPeople } from '../../db/records/people.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { auditFilterShape, toAuditFilter } from '../audit-query.ts'
import { csvLine, csvMark } from '../csv.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { toByteStream } from '../finding-export.ts'
import { readChain } from '../read-chain.ts'
import { type ActView, actListShape, chainShape } from '../shapes/audit.ts'
import { iso, json, limitShape, orProblem } from '../shapes/common.ts'
import { refuseInvalid } from '../validate.ts'

const list = createRoute({
  method: 'get',
  path: '/audit',
  tags: ['audit'],
  summary: 'Who did what to what, newest first',
  request: { query: auditFilterShape.extend({ cursor: z.string().max(1000).optional(), limit: limitShape }) },
  responses: { 200: json(actListShape, 'A page of acts'), ...orProblem(400) },
})
const chain = createRoute({
  method: 'get',
  path: '/audit/chain',
  tags: ['audit'],
  summary: 'The chain over the acts: its head, its checkpoints outside, and when it was last verified',
  responses: { 200: json(chainShape, 'How the chain stands') },
})
const exporting: RouteConfig = {
  method: 'get',
  path: '/audit/export',
  tags: ['audit'],
  summary: 'Every act that matches as a file, in pieces; who took it is in the audit',
  request: { query: auditFilterShape },
  responses: { 200: { description: 'The file', content: { 'text/csv': { schema: z.string() } } }, ...orProblem(400) },
}

const atOnce = 500
const exportIdleMs = 60_000
const exportsAtMost = 2
const order = 'recorded'
const columns = ['recorded_at', 'at', 'actor', 'act', 'target_kind', 'target_id', 'reason', 'before', 'after', 'entry', 'id']

export function auditRoutes(deps: AppDeps) {
  const { database, id: workspaceId, clock } = deps.workspace
  let running = 0
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
  app.openAPIRegistry.registerPath(exporting)
  return app
    .openapi(list, async (context) => {
      const { cursor, limit, ...query } = context.req.valid('query')
      const wallNow = deps.wallNow()
      const filter = toAuditFilter(query, wallNow)
      const [page, counted, words, titleOf] = await Promise.all([
        listActs(database.db, workspaceId, filter, { cursor: readCursor(order, cursor), limit }),
        countActs(database.db, workspaceId, filter),
        readAuditWords(database.sql, workspaceId),
        actorTitles(),
      ])
      return context.json(
        {
          asOf: iso(wallNow),
          items: page.rows.map((row) => toActView(row, titleOf)),
          next: writeCursor(order, page.next),
          total: Math.min(counted, actsCountedAtMost),
          isMore: counted > actsCountedAtMost,
          words: {
            actors: words.actors.map((id) => ({ id, title: titleOf(id) })),
            acts: [...words.acts],
            targets: [...words.targetKinds],
          },
        },
        200,
      )
    })
    .openapi(chain, async (context) => context.json(await readChain(deps), 200))
    .get('/audit/export', async (context) => {
      const parsed = auditFilterShape.safeParse(context.req.query())
      refuseInvalid(parsed.success ? parsed : { ...parsed, target: 'query' })
      const filter = toAuditFilter(auditFilterShape.parse(context.req.query()), deps.wallNow())
      if (running >= exportsAtMost) throw new AppError('unavailable', `${exportsAtMost} exports are running. Try again when one is done.`)
      running++
      let isReading = false
      try {
        const titleOf = await actorTitles()
        // Written before the first row leaves, and so among them.
        await sealing(database.db, (tx) =>
          writeActs(tx, workspaceId, [
            {
              at: clock.now(),
              actor: deps.me.id,
              act: 'audit.export',
              targetKind: 'export',
              targetId: randomUUID().replaceAll('-', ''),
              after: { format: 'csv', filter: new URL(context.req.url).search.slice(1) },
            },
          ]),
        )
        const pieces = writeCsv(streamActs(database.db, workspaceId, filter, atOnce), titleOf)
        const stream = toByteStream(pieces, exportIdleMs, () => running--)
        isReading = true
        return context.body(stream, 200, {
          'content-type': 'text/csv; charset=utf-8; header=present',
          'content-disposition': `attachment; filename="audit-${iso(deps.wallNow()).slice(0, 16).replaceAll(':', '')}.csv"`,
          'cache-control': 'no-store',
        })
      } finally {
        if (!isReading) running--
      }
    })

  async function actorTitles(): Promise<(id: string) => string> {
    const [people, tokens] = await Promise.all([listPeople(database.db, workspaceId), listApiTokens(database.db, workspaceId)])
    const titles = new Map([
      ['throughline', 'Throughline'],
      ['local-owner', 'Local owner'],
      ...people.map(({ id, name }): [string, string] => [id, name]),
      ...tokens.map(({ id, name }): [string, string] => [`token:${id}`, `${name} (token)`]),
    ])
    return (id) => titles.get(id) ?? id
  }
}

function toActView(row: ListedAct, titleOf: (id: string) => string): ActView {
  return {
    id: row.id.replaceAll('-', ''),
    at: iso(row.at),
    recordedAt: iso(row.recordedAt),
    actor: { id: row.actor, title: titleOf(row.actor) },
    act: row.act,
    target: { kind: row.targetKind, id: row.targetId },
    reason: row.reason,
    before: row.before,
    after: row.after,
    entry: row.seq,
  }
}

async function* writeCsv(batches: AsyncIterable<readonly ListedAct[]>, titleOf: (id: string) => string): AsyncGenerator<string> {
  yield csvMark + csvLine(columns)
  const text = (value: unknown) => (value === null ? null : JSON.stringify(value))
  for await (const batch of batches)
    yield batch
      .map((row) =>
        csvLine([
          iso(row.recordedAt),
          iso(row.at),
          titleOf(row.actor),
          row.act,
          row.targetKind,
          row.targetId,
          row.reason,
          text(row.before),
          text(row.after),
          row.seq,
          row.id.replaceAll('-', ''),
        ]),
      )
      .join('')
}
