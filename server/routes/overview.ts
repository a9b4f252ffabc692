import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { readFreshness } from '../read-freshness.ts'
import { readOverview, readTrends } from '../read-overview.ts'
import { isoTime, json, orProblem } from '../shapes/common.ts'
import { freshnessShape, overviewShape, trendsShape } from '../shapes/overview.ts'
import { refuseInvalid } from '../validate.ts'

const dayMs = 86_400_000
const longestMs = 2 * 366 * dayMs

const overview = createRoute({
  method: 'get',
  path: '/overview',
  tags: ['overview'],
  summary: 'Is anything falling through, who has it, and what comes next',
  request: { query: z.object({ since: isoTime.optional() }) },
  responses: { 200: json(overviewShape, 'As of now'), ...orProblem(400) },
})
const trends = createRoute({
  method: 'get',
  path: '/overview/trends',
  tags: ['overview'],
  summary: 'Opened against ended over a range, and how what is open is spread',
  request: { query: z.object({ from: isoTime.optional(), to: isoTime.optional() }) },
  responses: { 200: json(trendsShape, 'The last seven days, or the range asked for'), ...orProblem(400) },
})
const freshness = createRoute({
  method: 'get',
  path: '/overview/freshness',
  tags: ['overview'],
  summary: 'How each connection was read over the last day, in cells of five minutes',
  responses: { 200: json(freshnessShape, 'One strip per connection') },
})

export function overviewRoutes(deps: AppDeps) {
  const { clock } = deps.workspace
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(overview, async (context) => {
      const { since } = context.req.valid('query')
      return context.json(await readOverview(deps, since === undefined ? null : Date.parse(since)), 200)
    })
    .openapi(trends, async (context) => {
      const asked = context.req.valid('query')
      const to = asked.to === undefined ? clock.now() : Date.parse(asked.to)
      const from = asked.from === undefined ? to - 7 * dayMs : Date.parse(asked.from)
      if (from >= to || to - from > longestMs) throw new AppError('invalid_input', 'The range must end after it begins, within two years.')
      return context.json(await readTrends(deps, from, to), 200)
    })
    .openapi(freshness, async (context) => context.json(await readFreshness(deps), 200))
}
