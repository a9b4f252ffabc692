import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { countFindingsUpTo } from '../../db/records/findings.ts'
import { listSavedViews } from '../../db/records/saved-views.ts'
import type { SavedViewRow } from '../../db/schema/saved-views.ts'
import { changeView, deleteView, saveView } from '../commands/saved-views.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { parseFindingAddress, toFindingFilter } from '../finding-query.ts'
import { builtInViews } from '../finding-views.ts'
import { idShape, iso, isoTime, json, orProblem } from '../shapes/common.ts'
import { refuseInvalid } from '../validate.ts'

const countAtMost = 10_000

const viewShape = z
  .object({
    id: z.string(),
    name: z.string(),
    /** As in the address of the list; times relative to now stay relative. */
    query: z.string(),
    /** Null: built in, cannot be changed. */
    revision: z.int().nullable(),
    createdBy: z.string().nullable(),
  })
  .openapi('View')
const countedShape = viewShape
  .extend({
    /** Findings in it; null where its filters fit nothing any more. */
    count: z.int().nullable(),
    /** There are more than `count`. */
    isCapped: z.boolean(),
  })
  .openapi('CountedView')

const name = z.string().trim().min(1, 'a view needs a name').max(60)
const query = z.string().max(2000)
const path = z.object({ id: idShape })

const list = createRoute({
  method: 'get',
  path: '/findings/views',
  tags: ['views'],
  summary: 'Named filters of the findings list, with how many findings each shows',
  responses: { 200: json(z.object({ items: z.array(countedShape), asOf: isoTime }), 'The views') },
})
const save = createRoute({
  method: 'post',
  path: '/findings/views',
  tags: ['views'],
  summary: 'Keep filters under a name, for the whole workspace',
  request: { body: { required: true, content: { 'application/json': { schema: z.strictObject({ name, query }) } } } },
  responses: { 200: json(viewShape, 'The view'), ...orProblem(400, 409) },
})
const change = createRoute({
  method: 'put',
  path: '/findings/views/{id}',
  tags: ['views'],
  summary: 'Give a view another name or other filters',
  request: {
    params: path,
    body: {
      required: true,
      content: {
        'application/json': { schema: z.strictObject({ revision: z.int().min(1), name: name.optional(), query: query.optional() }) },
      },
    },
  },
  responses: { 200: json(viewShape, 'The view as it is now'), ...orProblem(400, 404, 409) },
})
const remove = createRoute({
  method: 'delete',
  path: '/findings/views/{id}',
  tags: ['views'],
  summary: 'Delete a view; the findings stay',
  request: { params: path, query: z.object({ revision: z.coerce.number().int().min(1) }) },
  responses: { 200: json(viewShape, 'What was deleted'), ...orProblem(400, 404, 409) },
})

export function findingViewRoutes(deps: AppDeps) {
  const { database, id: workspaceId, clock } = deps.workspace
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const saved = await listSavedViews(database.db, workspaceId)
      const views = [...builtInViews.map((view) => ({ ...view, revision: null, createdBy: null })), ...saved.map(toView)]
      const items = await Promise.all(views.map(async (view) => ({ ...view, ...(await countOf(view.query)) })))
      return context.json({ items, asOf: iso(clock.now()) }, 200)
    })
    .openapi(save, async (context) => context.json(toView(await saveView(deps, context.req.valid('json'))), 200))
    .openapi(change, async (context) =>
      context.json(toView(await changeView(deps, { ...context.req.valid('param'), ...context.req.valid('json') })), 200),
    )
    .openapi(remove, async (context) =>
      context.json(toView(await deleteView(deps, { ...context.req.valid('param'), ...context.req.valid('query') })), 200),
    )

  async function countOf(address: string): Promise<{ count: number | null; isCapped: boolean }> {
    const parsed = parseFindingAddress(address)
    if (parsed === null) return { count: null, isCapped: false }
    const count = await countFindingsUpTo(database.db, workspaceId, await toFindingFilter(deps, parsed), countAtMost + 1)
    return { count: Math.min(count, countAtMost), isCapped: count > countAtMost }
  }
}

const toView = ({ id, name: title, query: address, revision, createdBy }: SavedViewRow) => ({
  id,
  name: title,
  query: address,
  revision,
  createdBy,
})
