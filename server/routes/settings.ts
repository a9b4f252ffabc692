import { readFile } from 'node:fs/promises'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { readMigrations } from '../../db/migrate.ts'
import { readLastBeat } from '../../db/records/heartbeats.ts'
import { countDirty } from '../../db/records/marks.ts'
import { countParked } from '../../db/records/parked.ts'
import { readProgramsInForce } from '../../db/records/programs.ts'
import { readStreams } from '../../db/records/streams.ts'
import { hasFindingTakenOn, readDatabaseState, readHeartbeats, readParked } from '../../db/records/system.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { demoDirectory } from '../../jobs/simulator/demo-configuration.ts'
import { readConfigurationStatus } from '../configuration-status.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { routeInWords } from '../route-words.ts'
import { iso, json } from '../shapes/common.ts'
import { connectorsShape, firstStepsShape, settingsShape, systemShape } from '../shapes/settings.ts'

const aliveWithinMs = 60_000
const parkedShown = 5

const settings = createRoute({
  method: 'get',
  path: '/settings',
  tags: ['settings'],
  summary: 'The configuration as it stands in files, and whether it is what is judged by',
  responses: { 200: json(settingsShape, 'The configuration; never a secret') },
})

const system = createRoute({
  method: 'get',
  path: '/system',
  tags: ['settings'],
  summary: 'How Throughline itself is: versions, database, engine, what waits',
  responses: { 200: json(systemShape, 'As of now') },
})

const firstSteps = createRoute({
  method: 'get',
  path: '/first-steps',
  tags: ['settings'],
  summary: 'What a new workspace has done of its first steps',
  responses: { 200: json(firstStepsShape, 'As of now') },
})

const connectorList = createRoute({
  method: 'get',
  path: '/connectors',
  tags: ['settings'],
  summary: 'The tools a connection can name: what each needs, keeps, hashes and drops',
  responses: { 200: json(connectorsShape, 'Every connector') },
})

const startedAt = Date.now() - process.uptime() * 1000

export function settingsRoutes(deps: AppDeps) {
  const { workspace } = deps
  const { sql } = workspace.database
  const owner = (key: string) => ({ key, title: workspace.configuration.owners.find((each) => each.key === key)?.title ?? key })
  return new OpenAPIHono<AppEnv>()
    .openapi(settings, async (context) => {
      const { configuration } = workspace
      const inForce = await readProgramsInForce(sql, workspace.id)
      const isDemo = deps.demo() !== null
      const hashes = new Map(inForce.map((each) => [each.program, each.sourceHash]))
      const status = await readConfigurationStatus(configuration, hashes, isDemo ? demoDirectory : undefined)
      const fileOf = (program: string) => configuration.programs.find((each) => each.program.key === program)?.file ?? ''
      return context.json(
        {
          asOf: iso(workspace.clock.now()),
          demo: isDemo,
          workspace: { ...configuration.workspace },
          directory: isDemo ? demoDirectory : configuration.directory,
          files: status.files,
          owners: configuration.owners.map(({ key, title }) => ({ key, title, at: status.placeOf('owners.yaml', ['owners', key]) })),
          routes: configuration.routing.routes.map((route, index) => ({
            words: routeInWords(route, configuration),
            owner: owner(route.owner),
            at: status.placeOf('owners.yaml', ['routes', index]),
          })),
          otherwise: { owner: owner(configuration.routing.default), at: status.placeOf('owners.yaml', ['default']) },
          sites: (configuration.sites ?? []).map(({ key, title, knownAs }) => ({
            key,
            title,
            knownAs: [...knownAs],
            at: status.placeOf('owners.yaml', ['sites', key]),
          })),
          programs: workspace.judging.programs.map(({ program }) => {
            const stored = inForce.find((each) => each.program === program.key)
            return {
              key: program.key,
              title: program.title,
              version: stored?.version ?? null,
              appliedAt: iso(stored?.appliedAt ?? null),
              promises: program.expectations.length,
              at: status.placeOf(fileOf(program.key), ['program']),
            }
          }),
          connections: configuration.connections.map((connection) => {
            const description = connectors.find((each) => each.describe().id === connection.connector)?.describe()
            const given = status.secretsOf(connection.id)
            return {
              id: connection.id,
              title: connection.title,
              connector: connection.connector,
              connectorTitle: description?.name ?? connection.connector,
              owner: connection.owner === null ? null : owner(connection.owner),
              pollSeconds: connection.pollSeconds,
              blindAfterSeconds: connection.blindAfterSeconds,
              secrets: (description?.secrets ?? []).map((name) => ({
                name,
                from: given.get(name) ?? ('nowhere' as const),
                isSet: connection.secrets.get(name) !== undefined,
              })),
              disabled: connection.disabled === null ? null : 'It is not polled: a secret is missing. The log of the start says which.',
              at: status.placeOf('connections.yaml', ['connections', connection.id]),
            }
          }),
          egressAllow: [...configuration.egressAllow],
        },
        200,
      )
    })
    .openapi(system, async (context) => {
      const [database, lastBeat, jobs, queues, dirty, parkedCount, parked, migrations, version] = await Promise.all([
        readDatabaseState(sql),
        readLastBeat(sql, workspace.id),
        readHeartbeats(sql, workspace.id),
        deps.queueDepths(),
        countDirty(sql, workspace.id),
        countParked(sql, workspace.id),
        readParked(sql, workspace.id, parkedShown),
        readMigrations(),
        ownVersion(),
      ])
      return context.json(
        {
          asOf: iso(workspace.clock.now()),
          wallNow: iso(deps.wallNow()),
          versions: {
            throughline: version,
            node: process.versions.node,
            database: database.version,
            // The start refuses a database of another version than the code's.
            schema: migrations.at(-1)?.name.replace(/\.sql$/, '') ?? '',
          },
          process: { startedAt: iso(startedAt), memoryBytes: process.memoryUsage.rss() },
          database: { bytes: database.bytes, tables: database.tables.map((table) => ({ ...table })) },
          engine: {
            lastBeat: iso(lastBeat),
            isAlive: lastBeat !== null && deps.wallNow() - lastBeat < aliveWithinMs,
            jobs: jobs.map(({ job, beatAt, wallAt }) => ({ job, lastRun: iso(beatAt), wall: iso(wallAt) })),
            queues: queues.map((queue) => ({ ...queue })),
          },
          dirty,
          parked: {
            count: parkedCount,
            first: parked.map(({ since, retryAt, ...row }) => ({ ...row, since: iso(since), retryAt: iso(retryAt) })),
          },
        },
        200,
      )
    })
    .openapi(connectorList, (context) =>
      context.json(
        {
          items: connectors.map((connector) => {
            const { id, name, apiVersion, verified, verifiedOn, secrets, streams, configSchema } = connector.describe()
            return {
              id,
              title: name,
              apiVersion,
              verified,
              verifiedOn,
              secrets: [...secrets],
              streams: streams.map(({ name, title, fields }) => ({
                name,
                title,
                kept: [...fields.ops],
                hashed: [...fields.keys],
                dropped: [...fields.dropped],
              })),
              configSchema: z.toJSONSchema(configSchema, { unrepresentable: 'any', io: 'input' }) as Record<string, unknown>,
            }
          }),
        },
        200,
      ),
    )
    .openapi(firstSteps, async (context) => {
      const isDemo = deps.demo() !== null
      const [streams, taken] = await Promise.all([readStreams(sql, workspace.id), hasFindingTakenOn(sql, workspace.id)])
      return context.json(
        {
          asOf: iso(workspace.clock.now()),
          demo: isDemo,
          toolRead: !isDemo && streams.some((stream) => stream.watermark !== null),
          program: !isDemo && workspace.judging.programs.length > 0,
          route: !isDemo && workspace.configuration.routing.routes.length > 0,
          taken,
        },
        200,
      )
    })
}

async function ownVersion(): Promise<string> {
  const parsed: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  const version = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'version') : undefined
  return typeof version === 'string' ? version : 'unknown'
}
