import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { checkRouting } from './check-routing.ts'
import { filesOf, parseFile, readSource, readText } from './configuration-files.ts'
import { connectionsFrameSchema, ownersFileSchema } from './configuration-schema.ts'
import { type ConfiguredAudit, readAudit } from './configured-audit.ts'
import { readConnection } from './configured-connection.ts'
import type { ConfiguredConnection, Environment } from './configured-connection.ts'
import { type ConfiguredOutsideCheck, readOutsideCheck } from './configured-outside-check.ts'
import { type ConfiguredReports, readReports } from './configured-reports.ts'
import { type ConfiguredRunbook, declareRunbooks, readRunbooks } from './configured-runbooks.ts'
import { type ConfiguredSite, readSites } from './configured-sites.ts'
import type { Connector } from './connectors/connector.ts'
import { parseAllowList } from './connectors/guard.ts'
import { AppError } from './domain/errors.ts'
import type { Routing } from './domain/finding.ts'
import { parseProgram } from './domain/parse-program.ts'
import type { KnownStream } from './domain/parse-program.ts'
import type { Program } from './domain/program.ts'
import { isTimeZone } from './domain/time-zone.ts'
import { formatProblem, readYaml } from './domain/yaml-source.ts'
import type { Problem } from './domain/yaml-source.ts'

export type { ConfiguredConnection } from './configured-connection.ts'

export interface ConfiguredProgram {
  /** Relative to the configuration folder. */
  readonly file: string
  readonly source: string
  /** SHA-256 of the source, hex. */
  readonly sourceHash: string
  readonly program: Program
}

export interface Configuration {
  readonly directory: string
  readonly workspace: { readonly key: string; readonly title: string; readonly timeZone: string; readonly defaultCountry: string | null }
  readonly connections: readonly ConfiguredConnection[]
  readonly owners: readonly { readonly key: string; readonly title: string }[]
  readonly sites?: readonly ConfiguredSite[]
  readonly routing: Routing
  readonly programs: readonly ConfiguredProgram[]
  /** Those of runbooks/; none where there is no such folder. */
  readonly runbooks?: readonly ConfiguredRunbook[]
  /** `host:port` entries, as written; the guard parses them. */
  readonly egressAllow: readonly string[]
  /** Who outside is told that all goes on; null or absent: nobody. */
  readonly outsideCheck?: ConfiguredOutsideCheck | null
  /** reports.yaml; absent where there is none. */
  readonly reports?: ConfiguredReports
  /** audit.yaml; absent where there is none. */
  readonly audit?: ConfiguredAudit
}

export interface ReadConfiguration {
  /** Everything that could be read: what has a mistake is left out. Null when connections.yaml or owners.yaml cannot be read at all. */
  readonly configuration: Configuration | null
  readonly problems: readonly Problem[]
  /** Not mistakes, but to be told: a disabled connection, no program. */
  readonly notices: readonly string[]
}

/** Every mistake of a configuration folder in one message; the values of secrets never stand in it. */
export class ConfigurationError extends AppError {
  readonly problems: readonly Problem[]
  constructor(directory: string, problems: readonly Problem[]) {
    const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`
    super(
      'invalid_configuration',
      `The configuration in ${directory} has ${count}:\n${problems.map((problem) => `  ${formatProblem(problem)}`).join('\n')}`,
    )
    this.name = 'ConfigurationError'
    this.problems = problems
  }
}

/** @throws ConfigurationError listing all mistakes. A missing secret is none: it disables its connection. */
export async function loadConfiguration(
  directory: string,
  environment: Environment,
  connectors: readonly Connector[],
): Promise<Configuration & { readonly notices: readonly string[] }> {
  const read = await readConfiguration(directory, environment, connectors)
  if (read.configuration === null || read.problems.length > 0) throw new ConfigurationError(directory, read.problems)
  return { ...read.configuration, notices: read.notices }
}

/** Reads as much as can be read and tells everything that cannot; the caller decides whether the rest goes on. */
export async function readConfiguration(
  directory: string,
  environment: Environment,
  connectors: readonly Connector[],
): Promise<ReadConfiguration> {
  const root = resolve(directory)
  const problems: Problem[] = []
  const notices: string[] = []
  const connectionsFile = await readSource(root, 'connections.yaml', 'workspace, connections', problems)
  const ownersFile = await readSource(root, 'owners.yaml', 'owners, routes, default', problems)
  const wiring = connectionsFile && parseFile(connectionsFile, connectionsFrameSchema, problems, false)
  const ownership = ownersFile && parseFile(ownersFile, ownersFileSchema, problems)
  const declared = block(block(connectionsFile?.value).connections)
  const ownerKeys = new Set(Object.keys(block(block(ownersFile?.value).owners)))
  const siteKeys = new Set(Object.keys(block(block(ownersFile?.value).sites)))

  // 1. Connections, each by its connector's own schema.
  const connections: ConfiguredConnection[] = []
  if (connectionsFile && wiring) {
    if (!isTimeZone(wiring.workspace.time_zone ?? 'UTC')) {
      problems.push(
        connectionsFile.problem(['workspace', 'time_zone'], 'this is no known time zone; expected one such as America/New_York or UTC'),
      )
    }
    for (const [index, entry] of (wiring.egress?.allow ?? []).entries()) {
      try {
        parseAllowList([entry])
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        problems.push(connectionsFile.problem(['egress', 'allow', index], error.message.replace(/^egress\.allow: /, '')))
      }
    }
    for (const [id, given] of Object.entries(wiring.connections)) {
      const connection = await readConnection(root, connectionsFile, id, given, { environment, connectors, ownerKeys, siteKeys, problems })
      if (connection === null) continue
      connections.push(connection)
      if (connection.disabled !== null) notices.push(connection.disabled)
    }
  }

  // 2. Programs, against the streams, owners and runbooks there are.
  const declaredRunbooks = await declareRunbooks(root, problems)
  const readIds = new Set(connections.map((connection) => connection.id))
  const known = {
    ...(connectionsFile === null ? {} : { streams: knownStreams(connections) }),
    ...(ownersFile === null ? {} : { owners: ownerKeys }),
    ...(declaredRunbooks === null ? {} : { runbooks: declaredRunbooks.keys }),
    unreadConnections: new Set(Object.keys(declared).filter((id) => !readIds.has(id))),
  }
  const programs: ConfiguredProgram[] = []
  const files = (await filesOf(root, 'programs')) ?? []
  for (const file of files) {
    const source = await readText(root, file, problems)
    if (source === null) continue
    const parsed = parseProgram(source, file, known)
    if (!parsed.ok) {
      problems.push(...parsed.problems)
      continue
    }
    const twin = programs.find((other) => other.program.key === parsed.program.key)
    if (twin !== undefined) {
      problems.push(
        readYaml(source, file).problem(
          ['program'],
          `the program "${parsed.program.key}" already stands in ${twin.file}; expected another key`,
        ),
      )
      continue
    }
    programs.push({ file, source, sourceHash: createHash('sha256').update(source).digest('hex'), program: parsed.program })
  }
  if (programs.length === 0 && problems.length === 0)
    notices.push('There is no program in programs/, so nothing is judged. Add a file such as programs/onboarding.yaml.')

  // 3. Runbooks, against the actions of the connections and the promises of the programs.
  const runbooks = readRunbooks(
    declaredRunbooks,
    { known, connections, connectors, programs, isWhole: programs.length === files.length },
    problems,
    notices,
  )

  // 4. Owners, sites and routes, against everything above.
  const sites = ownersFile && ownership ? readSites(ownersFile, ownership, problems) : []
  if (ownersFile && ownership) {
    const connectionIds = connectionsFile && new Set(Object.keys(declared))
    checkRouting(ownersFile, ownership, { ownerKeys, siteKeys, connections: connectionIds, programs }, problems)
  }

  const audit = await readAudit(root, { environment, egressAllow: wiring?.egress?.allow ?? [] }, problems, notices)
  const reports = await readReports(root, { environment, ownerKeys, egressAllow: wiring?.egress?.allow ?? [] }, problems, notices)

  if (!wiring || !ownership) return { configuration: null, problems, notices }
  const configuration: Configuration = {
    directory: root,
    workspace: {
      key: wiring.workspace.key ?? 'default',
      title: wiring.workspace.title,
      timeZone: wiring.workspace.time_zone ?? 'UTC',
      defaultCountry: wiring.workspace.default_country ?? null,
    },
    connections,
    owners: Object.entries(ownership.owners).map(([key, owner]) => ({ key, title: owner?.title ?? key })),
    sites,
    routing: { routes: ownership.routes ?? [], default: ownership.default },
    programs,
    runbooks,
    egressAllow: wiring.egress?.allow ?? [],
    reports,
    audit,
    outsideCheck: await readOutsideCheck(root, wiring.dead_man, environment, notices),
  }
  return { configuration, problems, notices }
}

function knownStreams(connections: readonly ConfiguredConnection[]): Map<string, KnownStream> {
  return new Map(
    connections.flatMap((connection) =>
      connection.streams.map(
        (stream) => [`${connection.id}.${stream.name}`, { fields: stream.shows ?? stream.fields.ops, statuses: stream.statuses }] as const,
      ),
    ),
  )
}

function block(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
