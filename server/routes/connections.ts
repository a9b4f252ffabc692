import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { acceptQuarantinedRecord } from '../commands/accept-quarantined.ts'
import { checkConnection } from '../commands/check-connection.ts'
import { pauseConnection, resumeConnection } from '../commands/pause-connection.ts'
import { pollConnectionNow } from '../commands/poll-connection.ts'
import { readConnectionDetail, readQuarantine } from '../connection-detail.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { readConnectionViews } from '../read-connections.ts'
import { iso, isoTime, json, orProblem } from '../shapes/common.ts'
import { connectionDetailShape, connectionShape, quarantineShape } from '../shapes/connection.ts'
import { refuseInvalid } from '../validate.ts'

const params = z.object({ id: z.string().max(63) })
const reason = z.string().trim().min(1, 'a reason is needed: others will read it later').max(1000)
/** In the list; the page of a connection shows more. */
const passesListed = 12

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
const bodyOf = <S extends z.ZodType>(schema: S) => ({ content: { 'application/json': { schema } }, required: true })
const pause = createRoute({
  method: 'post',
  path: '/connections/{id}/pause',
  tags: ['connections'],
  summary: 'Stop reading it, for a reason, until it is resumed; what happens in it meanwhile is unknown',
  request: { params, body: bodyOf(z.strictObject({ reason })) },
  responses: { 200: json(connectionDetailShape, 'The connection'), ...orProblem(400, 404, 409) },
})
const resume = createRoute({
  method: 'post',
  path: '/connections/{id}/resume',
  tags: ['connections'],
  summary: 'Read a paused connection again, at once and then on its schedule',
  request: { params },
  responses: { 200: json(connectionDetailShape, 'The connection'), ...orProblem(404, 409) },
})
const quarantine = createRoute({
  method: 'get',
  path: '/connections/{id}/quarantine',
  tags: ['connections'],
  summary: 'Records that could not be read: where they stand and why, never what they hold',
  request: { params },
  responses: { 200: json(quarantineShape, 'The latest 200'), ...orProblem(404) },
})
const accept = createRoute({
  method: 'post',
  path: '/connections/{id}/quarantine/accept',
  tags: ['connections'],
  summary: 'Accept that a record cannot be read: from the next pass on absence in its stream counts again',
  request: {
    params,
    body: bodyOf(
      z.strictObject({
        stream: z.string().min(1).max(200),
        rawHash: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
        reason,
      }),
    ),
  },
  responses: { 200: json(quarantineShape, 'What stands set aside'), ...orProblem(400, 404, 409) },
})

export function connectionRoutes(deps: AppDeps) {
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const items = await readConnectionViews(deps, { passes: passesListed })
      return context.json({ items, next: null, asOf: iso(deps.workspace.clock.now()), total: items.length }, 200)
    })
    .openapi(detail, async (context) => context.json(await readConnectionDetail(deps, context.req.valid('param').id), 200))
    .openapi(check, async (context) => context.json(await checkConnection(deps, context.req.valid('param').id), 200))
    .openapi(poll, async (context) => {
      await pollConnectionNow(deps, context.req.valid('param').id)
      return context.json({ accepted: true as const }, 202)
    })
    .openapi(pause, async (context) => {
      const { id } = context.req.valid('param')
      await pauseConnection(deps, id, context.req.valid('json').reason)
      return context.json(await readConnectionDetail(deps, id), 200)
    })
    .openapi(resume, async (context) => {
      const { id } = context.req.valid('param')
      await resumeConnection(deps, id)
      return context.json(await readConnectionDetail(deps, id), 200)
    })
    .openapi(quarantine, async (context) => context.json(await readQuarantine(deps, context.req.valid('param').id), 200))
    .openapi(accept, async (context) => {
      const { id } = context.req.valid('param')
      await acceptQuarantinedRecord(deps, id, context.req.valid('json'))
      return context.json(await readQuarantine(deps, id), 200)
    })
}
