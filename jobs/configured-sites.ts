import type { z } from 'zod'
import type { ownersFileSchema } from './configuration-schema.ts'
import type { ConfiguredConnection } from './configured-connection.ts'
import { type Sites, withoutSite } from './domain/site.ts'
import type { Problem, YamlSource } from './domain/yaml-source.ts'

export interface ConfiguredSite {
  readonly key: string
  readonly title: string
  /** What the tools call it, beside its key. */
  readonly knownAs: readonly string[]
}

/** The sites of owners.yaml; two that answer to one name are reported. */
export function readSites(source: YamlSource, owners: z.output<typeof ownersFileSchema>, problems: Problem[]): readonly ConfiguredSite[] {
  const sites = Object.entries(owners.sites ?? {}).map(([key, site]) => ({
    key,
    title: site?.title ?? key,
    knownAs: site?.known_as ?? [],
  }))
  const taken = new Map<string, string>()
  for (const { key, knownAs } of sites) {
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(key) || key === withoutSite)
      problems.push(
        source.problem(
          ['sites', key],
          `"${key}" is no key of a site; expected lower-case letters, digits, \`-\` and \`_\`, starting with a letter, and not "${withoutSite}", which means no site`,
          'key',
        ),
      )
    for (const name of [key, ...knownAs].map(spoken)) {
      const other = taken.get(name)
      if (other !== undefined && other !== key)
        problems.push(source.problem(['sites', key], `"${name}" already stands for the site "${other}"; expected a name of its own`))
      else taken.set(name, key)
    }
  }
  return sites
}

/** What the rules need to tell the site of a record. */
export function sitesOf(sites: readonly ConfiguredSite[], connections: readonly ConfiguredConnection[]): Sites {
  return {
    keyOf: new Map(sites.flatMap(({ key, knownAs }) => [key, ...knownAs].map((name): [string, string] => [spoken(name), key]))),
    byConnection: new Map(connections.flatMap(({ id, site }) => (site ? [[id, site] as const] : []))),
    fieldOf: new Map(
      connections.flatMap(({ id, siteFrom = {} }) =>
        Object.entries(siteFrom).map(([stream, field]): [string, string] => [`${id}.${stream}`, field]),
      ),
    ),
  }
}

const spoken = (name: string) => name.trim().toLowerCase()
