import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { AppDeps, AppEnv } from '../deps.ts'
import { readExpectations } from '../read-expectations.ts'
import { iso, isoTime, json } from '../shapes/common.ts'

const expectationShape = z
  .object({
    program: z.string(),
    expectation: z.string(),
    title: z.string(),
    promise: z.string(),
    severity: z.string(),
    owner: z.string().nullable(),
    budget: z.number().nullable(),
    activations: z.int(),
    states: z.record(z.string(), z.int()),
    violations: z.int(),
    journeys: z.int(),
  })
  .openapi('Expectation')

const list = createRoute({
  method: 'get',
  path: '/expectations',
  tags: ['expectations'],
  summary: 'Each promise with its activations, states and violations',
  responses: { 200: json(z.object({ items: z.array(expectationShape), next: z.null(), asOf: isoTime, total: z.int() }), 'The promises') },
})

export function expectationRoutes(deps: AppDeps) {
  return new OpenAPIHono<AppEnv>().openapi(list, async (context) => {
    const items = await readExpectations(deps.workspace)
    return context.json({ items: [...items], next: null, asOf: iso(deps.workspace.clock.now()), total: items.length }, 200)
  })
}
