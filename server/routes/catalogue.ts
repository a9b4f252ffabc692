import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { findingStatuses, severities, verdictStates } from '../../db/schema/words.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { findingKinds } from '../../jobs/domain/finding-kinds/index.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { titleOf } from '../journey-view.ts'
import { json } from '../shapes/common.ts'
import { namesOf } from '../view-context.ts'

const titled = z.object({ key: z.string(), title: z.string() })

const catalogue = createRoute({
  method: 'get',
  path: '/catalogue',
  tags: ['status'],
  summary: 'Words the console shows: kinds, connectors, owners, programs and their promises',
  responses: {
    200: json(
      z
        .object({
          kinds: z.array(z.object({ kind: z.string(), title: z.string(), meaning: z.string(), icon: z.string() })),
          statuses: z.array(z.string()),
          severities: z.array(z.string()),
          verdictStates: z.array(z.string()),
          connectors: z.array(
            z.object({
              id: z.string(),
              title: z.string(),
              verified: z.string(),
              verifiedOn: z.string(),
              configSchema: z.record(z.string(), z.unknown()),
            }),
          ),
          connections: z.array(z.object({ id: z.string(), title: z.string(), connector: z.string() })),
          owners: z.array(titled),
          sites: z.array(titled),
          programs: z.array(titled),
          expectations: z.array(titled.extend({ program: z.string() })),
        })
        .openapi('Catalogue'),
      'The words',
    ),
  },
})

export function catalogueRoutes(deps: AppDeps) {
  const { configuration, judging } = deps.workspace
  const names = namesOf(deps.workspace)
  return new OpenAPIHono<AppEnv>().openapi(catalogue, (context) =>
    context.json(
      {
        kinds: findingKinds.map(({ kind, title, meaning, icon }) => ({ kind, title, meaning, icon })),
        statuses: [...findingStatuses],
        severities: [...severities],
        verdictStates: [...verdictStates],
        connectors: connectors.map((connector) => {
          const { id, name, verified, verifiedOn, configSchema } = connector.describe()
          return { id, title: name, verified, verifiedOn, configSchema: toJsonSchema(configSchema) }
        }),
        connections: configuration.connections.map(({ id, title, connector }) => ({ id, title, connector })),
        owners: configuration.owners.map(({ key, title }) => ({ key, title })),
        sites: (configuration.sites ?? []).map(({ key, title }) => ({ key, title })),
        programs: judging.programs.map(({ program }) => ({ key: program.key, title: program.title })),
        expectations: judging.programs.flatMap(({ program }) =>
          program.expectations.map(({ name }) => ({ program: program.key, key: name, title: titleOf(program, name, names(program.key)) })),
        ),
      },
      200,
    ),
  )
}

function toJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }) as Record<string, unknown>
}
