import { recordLink } from '../jobs/record-link.ts'
import { type Names, namesFrom } from '../jobs/domain/finding-kinds/words.ts'
import type { Workspace } from '../jobs/open-workspace.ts'
import type { AppDeps } from './deps.ts'
import type { ViewContext } from './shapes/finding.ts'

export function viewContext(deps: AppDeps): ViewContext {
  return {
    ownerTitles: ownerTitles(deps),
    siteTitles: siteTitles(deps.workspace),
    actor: deps.me.id,
    wallNow: deps.wallNow(),
    names: namesOf(deps.workspace),
    linkOf: linksOf(deps.workspace),
  }
}

export function ownerTitles(deps: AppDeps): ReadonlyMap<string, string> {
  return new Map(deps.workspace.configuration.owners.map((owner) => [owner.key, owner.title]))
}

export function siteTitles({ configuration }: Pick<Workspace, 'configuration'>): ReadonlyMap<string, string> {
  return new Map((configuration.sites ?? []).map((site) => [site.key, site.title]))
}

export function connectionTitles({ configuration }: Pick<Workspace, 'configuration'>): ReadonlyMap<string, string> {
  return new Map(configuration.connections.map((connection) => [connection.id, connection.title]))
}

/** What things are called: the one dictionary of the API, the console and the command line. */
export function namesOf(workspace: Pick<Workspace, 'configuration' | 'judging'>): (program: string | null) => Names {
  const tools = connectionTitles(workspace)
  return (program) => namesFrom(workspace.judging.programs.find((one) => one.program.key === program)?.program.steps ?? new Map(), tools)
}

/** Where a person opens a record in its tool, by the record's stream and id; null where nothing says where. */
export function linksOf({ configuration }: Pick<Workspace, 'configuration'>): ViewContext['linkOf'] {
  const templates = new Map(
    configuration.connections.flatMap(({ id, links = {} }) =>
      Object.entries(links).map(([stream, template]) => [`${id}.${stream}`, template]),
    ),
  )
  return (stream, externalId) => recordLink(templates.get(stream), externalId)
}
