import { randomUUID } from 'node:crypto'
import { type Database, openDatabase } from '../db/client.ts'
import { declareSites } from '../db/records/sites.ts'
import { refreshStatistics } from '../db/records/statistics.ts'
import { declareConnections, declareOwners, ensureWorkspace, findWorkspace, noteEgress, readDecisions } from '../db/records/workspaces.ts'
import { bringIntoForce, type OpeningPrograms } from './apply-programs.ts'
import { bringRunbooksIntoForce } from './apply-runbooks.ts'
import type { Configuration, ConfiguredConnection } from './configuration.ts'
import { sitesOf } from './configured-sites.ts'
import { type Connector, ToolError } from './connectors/connector.ts'
import { parseAllowList } from './connectors/guard.ts'
import { openToolHttp, type ToolHttp } from './connectors/http.ts'
import type { Clock } from './domain/clock.ts'
import type { JudgeContext } from './domain/expectations/expectation.ts'
import { makeTokeniser } from './edge.ts'
import type { Sites } from './domain/site.ts'
import { ProgramsInForce } from './programs-in-force.ts'
import type { JudgeDeps } from './reconcilers/judge.ts'
import type { Tokenise } from './reconcilers/observed.ts'
import type { LiveConnection } from './reconcilers/poll.ts'

/** One organisation's data, its configured tools and its programs, ready to be read, judged and served. */
export interface Workspace {
  readonly id: number
  readonly key: string
  readonly title: string
  readonly timeZone: string
  readonly configuration: Configuration
  readonly database: Database
  readonly clock: Clock
  readonly tokenise: Tokenise
  /** Connections that can be polled; one without its secret is not among them. */
  readonly connections: ReadonlyMap<string, LiveConnection>
  /** Its `programs` are always those in force that this process knows. */
  readonly judging: JudgeDeps
  readonly programs: ProgramsInForce
  /** To be called while much is read: keeps the planner informed. */
  refreshStatistics(): Promise<void>
  close(): Promise<void>
}

export interface OpenWorkspaceOptions {
  readonly configuration: Configuration
  readonly connectors: readonly Connector[]
  /** URL of the database's owner; migrations have run. */
  readonly ownerUrl: string
  readonly workspaceKey: Buffer
  readonly clock: Clock
  /** Who applies the configuration, for the audit. */
  readonly actor: string
  readonly without?: JudgeContext['without']
  /** What opening does with the programs and runbooks of the folder; `apply` unless told. */
  readonly programs?: OpeningPrograms
  /** Nothing is written; a workspace that was never opened is an empty one. */
  readonly isReadOnly?: boolean
  /** Told what goes on differently than one would expect. */
  readonly warn?: (line: string) => void
}

/** Brings the database to what the configuration declares and opens the tools it names. A changed program marks every journey to be judged again. */
export async function openWorkspace(options: OpenWorkspaceOptions): Promise<Workspace> {
  const { configuration, clock } = options
  const owner = openDatabase(options.ownerUrl, { max: 1 })
  const row = await findOrMake(owner, options).catch(async (error: unknown) => {
    await owner.close()
    throw error
  })
  const database = openDatabase(options.ownerUrl, { workspaceId: row.id })
  const { sql } = database
  const sites = sitesOf(configuration.sites ?? [], configuration.connections)
  const programs = await declareAll(sql, row.id, sites, options).catch(async (error: unknown) => {
    await Promise.all([database.close(), owner.close()])
    throw error
  })
  const https: ToolHttp[] = []
  const connections = new Map<string, LiveConnection>()
  for (const connection of configuration.connections) {
    if (connection.disabled !== null) continue
    const connector = options.connectors.find((one) => one.describe().id === connection.connector)
    if (connector === undefined) continue
    const http = openHttp(connection, connector, configuration, clock)
    https.push(http)
    connections.set(connection.id, { id: connection.id, connector, config: connection.config, http })
  }
  return {
    ...row,
    configuration,
    database,
    clock,
    tokenise: makeTokeniser({ workspaceKey: options.workspaceKey, defaultCountry: configuration.workspace.defaultCountry ?? 'US' }),
    connections,
    judging: {
      workspaceId: row.id,
      workspaceKey: row.key,
      get programs() {
        return programs.programs
      },
      routing: configuration.routing,
      sites,
      decisions: await readDecisions(sql, row.id),
      now: () => clock.now(),
      randomId: () => randomUUID().replaceAll('-', ''),
      linkedBy: new Map(
        configuration.connections.flatMap(({ id, streams }) =>
          streams.map((stream): [string, string[]] => [`${id}.${stream.name}`, (stream.linkedBy ?? []).map((name) => `${id}.${name}`)]),
        ),
      ),
      ...(options.without === undefined ? {} : { without: options.without }),
      ...(options.warn === undefined ? {} : { warn: options.warn }),
    },
    programs,
    refreshStatistics: () => refreshStatistics(owner.sql),
    close: async () => {
      await Promise.all(https.map((http) => http.close()))
      await Promise.all([database.close(), owner.close()])
    },
  }
}

/** No workspace has this id: what was never opened has no rows. */
const neverOpened = 0

async function findOrMake(owner: Database, { configuration, isReadOnly }: OpenWorkspaceOptions) {
  if (isReadOnly !== true) return ensureWorkspace(owner.sql, configuration.workspace)
  return (await findWorkspace(owner.sql, configuration.workspace.key)) ?? { ...configuration.workspace, id: neverOpened }
}

async function declareAll(
  sql: Database['sql'],
  workspaceId: number,
  sites: Sites,
  { configuration, clock, actor, isReadOnly, programs = 'apply', warn = () => {} }: OpenWorkspaceOptions,
): Promise<ProgramsInForce> {
  if (isReadOnly !== true) {
    await declareConnections(sql, workspaceId, configuration.connections.map(toDeclared), clock.now())
    await declareOwners(sql, workspaceId, configuration.owners)
    await declareSites(sql, workspaceId, { sites: configuration.sites ?? [], ...sites })
    await noteEgress(sql, workspaceId, configuration.egressAllow, actor, clock.now())
    const sources = configuration.programs.map((one) => ({ ...one, key: one.program.key }))
    const act = { by: actor, now: clock.now() }
    await bringIntoForce(sql, workspaceId, programs, sources, act, warn)
    const runbooks = (configuration.runbooks ?? []).map((one) => ({ ...one, key: one.runbook.key }))
    await bringRunbooksIntoForce(sql, workspaceId, programs, runbooks, act, warn)
  }
  return ProgramsInForce.open(sql, workspaceId, warn)
}

function toDeclared(connection: ConfiguredConnection) {
  return {
    id: connection.id,
    connector: connection.connector,
    title: connection.title,
    config: connection.config,
    pollSeconds: connection.pollSeconds,
    blindAfterSeconds: connection.blindAfterSeconds,
    owner: connection.owner,
    problem: connection.disabled === null ? null : { state: 'missing_secret' as const, reason: connection.disabled },
    streams: connection.streams.map((stream) => ({
      name: stream.name,
      title: stream.title,
      lagSeconds: stream.lagSeconds,
      fullSweepSeconds: stream.fullSweepSeconds,
      final: stream.final ?? false,
    })),
  }
}

function openHttp(connection: ConfiguredConnection, connector: Connector, configuration: Configuration, clock: Clock): ToolHttp {
  if (connector.endpoint === undefined) return notReached(connection.id)
  const secrets = Object.fromEntries(connection.secrets.names().map((name) => [name, connection.secrets.get(name) ?? '']))
  return openToolHttp(connector.endpoint(connection.config, secrets), {
    connection: connection.id,
    allow: parseAllowList(configuration.egressAllow),
    now: () => clock.now(),
  })
}

/** For connectors that read no network, such as file drop. */
function notReached(connection: string): ToolHttp {
  const refuse = (): never => {
    throw new ToolError('refused_address', `Connection ${connection}: its connector reaches nothing over HTTP.`)
  }
  return { get: async () => refuse(), send: async () => refuse(), sameOrigin: refuse, close: async () => {} }
}
