import type { OwnerRoute, Routing } from './finding.ts'
import type { Severity } from './program.ts'
import type { FoundSite } from './site.ts'

export interface RoutedThing {
  readonly kind: string
  readonly program: string | null
  readonly expectation: string
  readonly severity: Severity
  /** Connections the evidence comes from. */
  readonly connections: readonly string[]
  readonly site: FoundSite | null
  readonly expectationOwner: string | null
  readonly connectionOwner?: string | null
  readonly programOwner: string | null
}

/**
 * Who gets a finding, and the sentence that answers "why did this come to me?".
 * The first route of owners.yaml that fits wins; then whoever the promise, the connection or the program names; then the default.
 */
export function routeFinding(routing: Routing, thing: RoutedThing): { owner: string; reason: string } {
  const index = routing.routes.findIndex((route) => fits(route, thing))
  const route = routing.routes[index]
  if (route) return { owner: route.owner, reason: `Route ${index + 1} of owners.yaml: ${describe(route, thing)}.` }
  if (thing.expectationOwner) return { owner: thing.expectationOwner, reason: `The promise “${thing.expectation}” names its owner.` }
  if (thing.connectionOwner)
    return { owner: thing.connectionOwner, reason: `The connection “${thing.connections.join(', ')}” names its owner.` }
  if (thing.programOwner)
    return { owner: thing.programOwner, reason: `No route fits and the promise names nobody: the owner of program ${thing.program}.` }
  return { owner: routing.default, reason: 'No route fits: the default owner of owners.yaml.' }
}

function fits({ when }: OwnerRoute, thing: RoutedThing): boolean {
  return (
    (when.kind === undefined || when.kind === thing.kind) &&
    (when.program === undefined || when.program === thing.program) &&
    (when.expectation === undefined || when.expectation === thing.expectation) &&
    (when.severity === undefined || when.severity === thing.severity) &&
    (when.site === undefined || when.site === thing.site?.key) &&
    (when.connection === undefined || thing.connections.includes(when.connection))
  )
}

function describe(route: OwnerRoute, { site }: RoutedThing): string {
  const conditions = Object.entries(route.when).map(([field, value]) =>
    field === 'site' && site ? `site is ${value} (${site.why})` : `${field} is ${value}`,
  )
  return conditions.length === 0 ? 'everything' : conditions.join(' and ')
}
