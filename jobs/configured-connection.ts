import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { z } from 'zod'
import { connectionSchema } from './configuration-schema.ts'
import type { Connector, StreamSpec } from './connectors/connector.ts'
import { didYouMean } from './domain/closest-word.ts'
import { parseDuration } from './domain/duration.ts'
import { zodProblems } from './domain/yaml-source.ts'
import type { Problem, YamlSource } from './domain/yaml-source.ts'
import { Secrets } from './secrets.ts'

export interface ConfiguredConnection {
  readonly id: string
  readonly connector: string
  readonly title: string
  /** Parsed by the connector's own schema, paths absolute. */
  readonly config: unknown
  readonly secrets: Secrets
  readonly streams: readonly StreamSpec[]
  readonly pollSeconds: number
  readonly blindAfterSeconds: number
  readonly owner: string | null
  /** The site of all its records that state none themselves. */
  readonly site?: string | null
  /** Stream to the operational field in which its records state their site. */
  readonly siteFrom?: Readonly<Record<string, string>>
  /** Stream to where a person opens a record of it, `{id}` standing for the external id. */
  readonly links?: Readonly<Record<string, string>>
  /** Null: it can be polled. Else why not and what to do; everything else goes on. */
  readonly disabled: string | null
}

export type Environment = Readonly<Record<string, string | undefined>>
type ConnectionForm = z.output<typeof connectionSchema>

export interface Surroundings {
  readonly environment: Environment
  readonly connectors: readonly Connector[]
  readonly ownerKeys: ReadonlySet<string>
  readonly siteKeys: ReadonlySet<string>
  readonly problems: Problem[]
}

/** One connection by its connector's own schema; null when it has a mistake (and it is reported). */
export async function readConnection(
  root: string,
  source: YamlSource,
  id: string,
  raw: unknown,
  { environment, connectors, ownerKeys, siteKeys, problems }: Surroundings,
): Promise<ConfiguredConnection | null> {
  const path = ['connections', id]
  const report = (where: readonly PropertyKey[], message: string, on: 'key' | 'value' = 'value') =>
    problems.push(source.problem([...path, ...where], message, on))
  const before = problems.length
  const form = connectionSchema.safeParse(raw)
  if (!form.success) {
    problems.push(...zodProblems(source, connectionSchema, form.error, path, false))
    return null
  }
  const given = form.data
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(id))
    report(
      [],
      `"${id}" is no name of a connection; expected letters, digits, \`-\` and \`_\`, since streams are written <connection>.<stream>`,
      'key',
    )
  if (given.owner !== undefined && !ownerKeys.has(given.owner))
    report(['owner'], `there is no owner "${given.owner}" in owners.yaml. ${didYouMean(given.owner, ownerKeys)}`.trim())
  if (given.site !== undefined && !siteKeys.has(given.site))
    report(['site'], `there is no site "${given.site}" in owners.yaml. ${didYouMean(given.site, siteKeys)}`.trim())
  const connector = connectors.find((candidate) => candidate.describe().id === given.connector)
  if (connector === undefined) {
    report(
      ['connector'],
      `there is no connector "${given.connector}". ${didYouMean(
        given.connector,
        connectors.map((known) => known.describe().id),
      )}`,
    )
    return null
  }
  const description = connector.describe()
  const config = description.configSchema.safeParse(given.config ?? {})
  if (!config.success) problems.push(...zodProblems(source, description.configSchema, config.error, [...path, 'config'], false))
  for (const name of Object.keys(given.secrets ?? {})) {
    if (!description.secrets.includes(name))
      report(['secrets', name], `${description.name} takes no secret "${name}". ${didYouMean(name, description.secrets)}`.trim(), 'key')
  }
  if (!config.success || problems.length > before) return null
  const { secrets, missing } = await readSecrets(root, id, description.secrets, given.secrets ?? {}, environment)
  const located = connector.resolvePaths?.(config.data, root) ?? config.data
  const streams = connector.streams?.(located) ?? description.streams
  for (const name of Object.keys(given.links ?? {})) {
    const known = streams.map((stream) => stream.name)
    if (!known.includes(name))
      report(['links', name], `connection "${id}" has no stream "${name}". ${didYouMean(name, known)}`.trim(), 'key')
  }
  for (const [name, field] of Object.entries(given.site_from ?? {})) {
    const stream = streams.find((one) => one.name === name)
    const fields = stream?.shows ?? stream?.fields.ops ?? []
    if (stream === undefined)
      report(
        ['site_from', name],
        `connection "${id}" has no stream "${name}". ${didYouMean(
          name,
          streams.map((one) => one.name),
        )}`.trim(),
        'key',
      )
    else if (!fields.includes(field))
      report(['site_from', name], `${id}.${name} keeps no field "${field}". ${didYouMean(field, fields)}`.trim())
  }
  if (problems.length > before) return null
  return {
    id,
    connector: given.connector,
    title: given.title ?? id,
    config: located,
    secrets,
    streams,
    pollSeconds: seconds(given.poll_every, 300),
    blindAfterSeconds: seconds(given.blind_after, 3600),
    owner: given.owner ?? null,
    site: given.site ?? null,
    siteFrom: given.site_from ?? {},
    links: given.links ?? knownLinks(streams, (stream) => connector.recordUrl?.(located, stream) ?? null),
    disabled: missing,
  }
}

function knownLinks(streams: readonly StreamSpec[], urlOf: (stream: string) => string | null): Readonly<Record<string, string>> {
  return Object.fromEntries(
    streams.flatMap(({ name }) => {
      const url = urlOf(name)
      return url === null ? [] : [[name, url]]
    }),
  )
}

async function readSecrets(
  root: string,
  connection: string,
  wanted: readonly string[],
  given: NonNullable<ConnectionForm['secrets']>,
  environment: Environment,
): Promise<{ secrets: Secrets; missing: string | null }> {
  const values = new Map<string, string>()
  const missing: string[] = []
  for (const name of wanted) {
    const from = given[name]
    if (from === undefined) {
      missing.push(`its secret "${name}" is not configured: add secrets: { ${name}: { env: NAME_OF_VARIABLE } } to it in connections.yaml`)
    } else if ('env' in from) {
      const value = environment[from.env]?.trim()
      if (value) values.set(name, value)
      else missing.push(`its secret "${name}" is missing: set the environment variable ${from.env}`)
    } else {
      const path = isAbsolute(from.file) ? from.file : join(root, from.file)
      const value = await readFile(path, 'utf8').then(
        (text) => text.trim(),
        () => null,
      )
      if (value) values.set(name, value)
      else
        missing.push(
          value === null
            ? `the file of its secret "${name}" cannot be read: ${path}`
            : `the file of its secret "${name}" is empty: ${path}`,
        )
    }
  }
  const secrets = new Secrets(values)
  return missing.length === 0
    ? { secrets, missing: null }
    : { secrets, missing: `Connection "${connection}" is not polled, the others go on: ${missing.join('; ')}, then start again.` }
}

function seconds(duration: string | undefined, otherwise: number): number {
  return duration === undefined ? otherwise : Math.max(1, parseDuration(duration)! / 1000)
}
