import { createHash } from 'node:crypto'
import type { z } from '@hono/zod-openapi'
import { readConfiguration } from '../jobs/configuration.ts'
import type { Configuration, ReadConfiguration } from '../jobs/configuration.ts'
import { filesOf, readText } from '../jobs/configuration-files.ts'
import { connectors } from '../jobs/connectors/index.ts'
import { readYaml } from '../jobs/domain/yaml-source.ts'
import type { Path, YamlSource } from '../jobs/domain/yaml-source.ts'
import type { settingsShape } from './shapes/settings.ts'

type Files = z.output<typeof settingsShape>['files']
type State = Files[number]['state']

export interface ConfigurationStatus {
  readonly files: Files
  /** Where something stands in a file of the folder now; null where it does not. */
  readonly placeOf: (file: string, path: Path) => { readonly file: string; readonly line: number } | null
  /** How the secrets of a connection are given: names of secrets only, never of variables. */
  readonly secretsOf: (connection: string) => ReadonlyMap<string, 'environment' | 'file'>
}

const holds: Readonly<Record<string, string>> = {
  'connections.yaml': 'the workspace and its connections',
  'owners.yaml': 'owners, routes and sites',
}

/**
 * The configuration folder as it is now, beside what this process judges by. Reads files, changes nothing. `shipped`: the
 * folder that came with the code and cannot differ (the demo's, whose working copy is gone once it was read).
 */
export async function readConfigurationStatus(
  inUse: Configuration,
  programHashes: ReadonlyMap<string, string>,
  shipped?: string,
): Promise<ConfigurationStatus> {
  const directory = shipped ?? inUse.directory
  const now: Pick<ReadConfiguration, 'configuration' | 'problems'> =
    shipped === undefined ? await readConfiguration(directory, {}, connectors) : { configuration: inUse, problems: [] }
  const files = async (folder: 'programs' | 'runbooks') => (await filesOf(directory, folder).catch(() => null)) ?? []
  const [programs, runbooks] = [await files('programs'), await files('runbooks')]
  const sources = new Map<string, YamlSource>()
  const hashes = new Map<string, string>()
  for (const file of ['connections.yaml', 'owners.yaml', ...programs, ...runbooks]) {
    const text = await readText(directory, file, [])
    if (text === null) continue
    sources.set(file, readYaml(text, file))
    hashes.set(file, createHash('sha256').update(text).digest('hex'))
  }
  const stateOf = (file: string): State => {
    if (!sources.has(file)) return 'missing'
    if (shipped !== undefined) return 'in_use'
    if (now.problems.some((problem) => problem.file === file)) return 'mistaken'
    if (file === 'connections.yaml') return now.configuration && wiringOf(now.configuration) === wiringOf(inUse) ? 'in_use' : 'changed'
    if (file === 'owners.yaml') return now.configuration && ownershipOf(now.configuration) === ownershipOf(inUse) ? 'in_use' : 'changed'
    if (file.startsWith('runbooks/'))
      return inUse.runbooks?.some(({ sourceHash }) => sourceHash === hashes.get(file)) ? 'in_use' : 'changed'
    return [...programHashes.values()].includes(hashes.get(file) ?? '') ? 'in_use' : 'changed'
  }
  const names = [
    ...new Set([
      'connections.yaml',
      'owners.yaml',
      ...[...inUse.programs, ...(inUse.runbooks ?? [])].map(({ file }) => file),
      ...programs,
      ...runbooks,
    ]),
  ]
  return {
    files: names.map((file) => ({
      file,
      holds: holds[file] ?? (file.startsWith('runbooks/') ? 'a runbook' : 'a program'),
      state: stateOf(file),
      problems: now.problems.filter((problem) => problem.file === file).map(({ line, column, message }) => ({ line, column, message })),
    })),
    placeOf: (file, path) => {
      const source = sources.get(file)
      return source === undefined || !has(source.value, path) ? null : { file, line: source.problem(path, '', 'key').line }
    },
    secretsOf: (connection) => {
      const given = at(sources.get('connections.yaml')?.value, ['connections', connection, 'secrets'])
      return new Map(
        Object.entries(isBlock(given) ? given : {}).map(
          ([name, from]) => [name, isBlock(from) && 'file' in from ? 'file' : 'environment'] as const,
        ),
      )
    },
  }
}

/** What connections.yaml declares, as text to compare; secrets are left out. */
const wiringOf = ({ workspace, connections, egressAllow }: Configuration): string =>
  JSON.stringify([workspace, connections.map(({ secrets: _, disabled: __, streams: ___, ...declared }) => declared), egressAllow])

const ownershipOf = ({ owners, routing, sites }: Configuration): string => JSON.stringify([owners, routing, sites ?? []])

const isBlock = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> => typeof value === 'object' && value !== null
const at = (value: unknown, path: Path): unknown => path.reduce<unknown>((inner, key) => (isBlock(inner) ? inner[key] : undefined), value)
const has = (value: unknown, path: Path): boolean => at(value, path) !== undefined
