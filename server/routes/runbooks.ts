import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { AppDeps, AppEnv } from '../deps.ts'
import { compareRunbookVersions, readRunbook, readRunbooks } from '../read-runbooks.ts'
import { iso, json, orProblem } from '../shapes/common.ts'
import { runbookDetailShape, runbookListShape, runbookVersionDiffShape } from '../shapes/runbook.ts'
import { refuseInvalid } from '../validate.ts'

const key = z.object({ key: z.string().min(1).max(63) })
const version = z.coerce.number().int().min(1)

const list = createRoute({
  method: 'get',
  path: '/runbooks',
  tags: ['runbooks'],
  summary: 'Every runbook there is or was, with who may run it and who approves it',
  responses: { 200: json(runbookListShape, 'The runbooks, those in force first') },
})
const detail = createRoute({
  method: 'get',
  path: '/runbooks/{key}',
  tags: ['runbooks'],
  summary: 'A runbook: its text, what it does step by step in words, its limits, its versions with who applied them',
  request: { params: key },
  responses: { 200: json(runbookDetailShape, 'The runbook'), ...orProblem(404) },
})
const diff = createRoute({
  method: 'get',
  path: '/runbooks/{key}/diff',
  tags: ['runbooks'],
  summary: 'What differs between two versions, line by line',
  request: { params: key, query: z.object({ from: version, to: version }) },
  responses: { 200: json(runbookVersionDiffShape, 'The differences'), ...orProblem(400, 404) },
})

export function runbookRoutes(deps: AppDeps) {
  const { workspace } = deps
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const items = await readRunbooks(deps)
      return context.json({ items, next: null, total: items.length, asOf: iso(workspace.clock.now()) }, 200)
    })
    .openapi(detail, async (context) => context.json(await readRunbook(deps, context.req.valid('param').key), 200))
    .openapi(diff, async (context) => {
      const { from, to } = context.req.valid('query')
      return context.json(await compareRunbookVersions(deps, context.req.valid('param').key, from, to), 200)
    })
}
