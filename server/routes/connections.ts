import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { AppError } from '../../jobs/domain/errors.ts'
import { checkConnection } from '../commands/check-connection.ts'
import { pollConnectionNow } from '../commands/poll-connection.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { readConnectionViews } from '../read-connections.ts'
import { iso, isoTime, json, orProblem } from '../shapes/common.ts'
import { connectionDetailShape, connectionShape } from '../shapes/connection.ts'
import { refuseInvalid } from '../validate.ts'

const params = z.object({ id: z.string().max(63) })

const list = createRoute({
  method: 'get',
  path: '/connections',
  tags: ['connections'],
  summary: 'Every configured tool and how far it was read',
  responses: { 200: json(z.object({ items: z.array(connectionShape), next: z.null(), asOf: isoTime, total: z.int() }), 'The connections') },
})
const detail = createRoute({
  method: 'get',
  path: '/connections/{id}',
  tags: ['connections'],
  summary: 'One connection with its streams and passes',
  request: { params },
  responses: { 200: json(connectionDetailShape, 'The connection'), ...orProblem(404) },
})
const check = createRoute({
  method: 'post',
  path: '/connections/{id}/check',
  tags: ['connections'],
  summary: 'Ask the tool whether it answers',
  request: { params },
  responses: {
    200: json(z.object({ ok: z.boolean(), message: z.string(), whatToDo: z.string().nullable() }), 'What it said'),
    ...orProblem(404),
  },
})
const poll = createRoute({
  method: 'post',
  path: '/connections/{id}/poll',
  tags: ['connections'],
  summary: 'Read it now, ahead of its schedule',
  request: { params },
  responses: { 202: json(z.object({ accepted: z.literal(true) }), 'It will be read'), ...orProblem(404, 409) },
})

export function connectionRoutes(deps: AppDeps) {
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const items = await readConnectionViews(deps, { passes: true })
      return context.json({ items, next: null, asOf: iso(deps.workspace.clock.now()), total: items.length }, 200)
    })
    .openapi(detail, async (context) => {
      const { id } = context.req.valid('param')
      const view = (await readConnectionViews(deps, { passes: true })).find((connection) => connection.id === id)
      if (!view) throw new AppError('not_found', `There is no connection ${id}.`)
      const can =
        view.state === 'paused' ? { ok: false as const, why: 'The configuration no longer names this connection.' } : { ok: true as const }
      return context.json({ ...view, asOf: iso(deps.workspace.clock.now()), can: { check: can, poll: can } }, 200)
    })
    .openapi(check, async (context) => context.json(await checkConnection(deps, context.req.valid('param').id), 200))
    .openapi(poll, async (context) => {
      await pollConnectionNow(deps, context.req.valid('param').id)
      return context.json({ accepted: true as const }, 202)
    })
}
