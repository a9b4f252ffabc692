import type { Permission } from '../jobs/domain/people/roles.ts'

/** `anyone`: without signing in; nothing of a workspace is in the answer. `person`: whoever is signed in, for what is their own. */
export type Needs = Permission | 'anyone' | 'person'

/**
 * The route × role matrix: what each route needs. Which role has it stands in `jobs/domain/people/roles.ts`. A route that is not here is
 * refused to everybody; `test/server/permissions.test.ts` compares both ways and says which line to add.
 */
export const routePermissions: Readonly<Record<string, Needs>> = {
  'GET /livez': 'anyone',
  'GET /readyz': 'anyone',
  'GET /metrics': 'see',
  'GET /api/v1/openapi.json': 'anyone',
  /** The built console: a page without data. */
  'GET /*': 'anyone',

  'GET /api/v1/sign-in': 'anyone',
  'POST /api/v1/sign-in': 'anyone',
  'POST /api/v1/sign-in/demo': 'anyone',
  'POST /api/v1/join/look': 'anyone',
  'POST /api/v1/join': 'anyone',
  'GET /api/v1/me': 'person',
  'POST /api/v1/me/seen': 'person',
  'POST /api/v1/me/confirm': 'person',
  'POST /api/v1/me/password': 'person',
  'POST /api/v1/me/totp': 'person',
  'POST /api/v1/me/totp/confirm': 'person',
  'POST /api/v1/me/totp/remove': 'person',
  'GET /api/v1/me/sessions': 'person',
  'POST /api/v1/me/sessions/{id}/end': 'person',
  'POST /api/v1/me/emergency': 'person',
  'POST /api/v1/me/emergency/close': 'person',
  'POST /api/v1/sign-out': 'person',

  'GET /api/v1/people/names': 'see',
  'GET /api/v1/people': 'people.manage',
  'POST /api/v1/people/invites': 'people.manage',
  'POST /api/v1/people/invites/{id}/withdraw': 'people.manage',
  'PUT /api/v1/people/{id}/roles': 'people.manage',
  'POST /api/v1/people/{id}/disable': 'people.manage',
  'POST /api/v1/people/{id}/enable': 'people.manage',
  'POST /api/v1/people/{id}/reset': 'people.manage',
  'GET /api/v1/tokens': 'people.manage',
  'POST /api/v1/tokens': 'people.manage',
  'POST /api/v1/tokens/{id}/revoke': 'people.manage',

  'GET /api/v1/status': 'see',
  'GET /api/v1/feed': 'see',
  'GET /api/v1/catalogue': 'see',
  'GET /api/v1/overview': 'see',
  'GET /api/v1/overview/trends': 'see',
  'GET /api/v1/overview/freshness': 'see',

  'GET /api/v1/findings': 'see',
  'GET /api/v1/findings/{id}': 'see',
  'GET /api/v1/findings/{id}/related': 'see',
  'GET /api/v1/findings/groups': 'see',
  'GET /api/v1/findings/export': 'export',
  'GET /api/v1/findings/views': 'see',
  'POST /api/v1/findings/views': 'findings.handle',
  'PUT /api/v1/findings/views/{id}': 'findings.handle',
  'DELETE /api/v1/findings/views/{id}': 'findings.handle',
  'POST /api/v1/findings/bulk': 'findings.bulk',
  'GET /api/v1/findings/bulk/{id}': 'see',
  'POST /api/v1/findings/bulk/{id}/stop': 'findings.bulk',
  'POST /api/v1/findings/bulk/{id}/continue': 'findings.bulk',
  'POST /api/v1/findings/{id}/acknowledge': 'findings.handle',
  'POST /api/v1/findings/{id}/assign': 'findings.handle',
  'POST /api/v1/findings/{id}/claim': 'findings.handle',
  'POST /api/v1/findings/{id}/release': 'findings.handle',
  'POST /api/v1/findings/{id}/snooze': 'findings.handle',
  'POST /api/v1/findings/{id}/unsnooze': 'findings.handle',
  'POST /api/v1/findings/{id}/comment': 'findings.handle',
  'POST /api/v1/findings/{id}/waive': 'findings.waive',
  'POST /api/v1/findings/{id}/false-alarm': 'findings.waive',

  'GET /api/v1/findings/{id}/runbooks': 'see',
  'POST /api/v1/findings/{id}/runs/preview': 'runs.start',
  'POST /api/v1/findings/{id}/runs': 'runs.start',
  'GET /api/v1/runs': 'see',
  'GET /api/v1/runs/{id}': 'see',
  'POST /api/v1/runs/{id}/approve': 'runs.approve',
  'POST /api/v1/runs/{id}/reject': 'runs.approve',
  'POST /api/v1/runs/{id}/cancel': 'runs.start',
  'POST /api/v1/runs/{id}/answer': 'runs.start',

  'GET /api/v1/journeys': 'see',
  'GET /api/v1/journeys/stages': 'see',
  'GET /api/v1/journeys/{id}': 'see',
  'GET /api/v1/journeys/{id}/events': 'see',
  'GET /api/v1/journeys/{id}/export.ocel.json': 'export',

  'GET /api/v1/expectations': 'see',
  'GET /api/v1/expectations/{program}/{key}': 'see',
  'GET /api/v1/expectations/{program}/{key}/activations': 'see',
  'GET /api/v1/map/{program}': 'see',
  'GET /api/v1/map/{program}/journeys': 'see',

  'GET /api/v1/reports': 'see',
  'GET /api/v1/reports/{day}': 'see',
  'GET /api/v1/reports/{day}/findings': 'see',
  'GET /api/v1/reports/{day}/download': 'export',

  'GET /api/v1/connections': 'see',
  'GET /api/v1/connections/{id}': 'see',
  'POST /api/v1/connections/{id}/check': 'connections.operate',
  'POST /api/v1/connections/{id}/poll': 'connections.operate',
  'POST /api/v1/connections/{id}/pause': 'connections.operate',
  'POST /api/v1/connections/{id}/resume': 'connections.operate',
  'GET /api/v1/connections/{id}/quarantine': 'see',
  'POST /api/v1/connections/{id}/quarantine/accept': 'connections.operate',

  'GET /api/v1/programs': 'see',
  'GET /api/v1/program-words': 'see',
  'GET /api/v1/programs/{key}': 'see',
  'GET /api/v1/programs/{key}/diff': 'see',
  'POST /api/v1/program-drafts': 'programs.plan',
  'POST /api/v1/programs/{key}/check': 'programs.plan',
  'POST /api/v1/programs/{key}/plan': 'programs.plan',
  'POST /api/v1/programs/{key}/apply': 'programs.apply',

  'GET /api/v1/audit': 'audit.see',
  'GET /api/v1/audit/chain': 'audit.see',
  'GET /api/v1/audit/export': 'audit.see',

  'GET /api/v1/runbooks': 'see',
  'GET /api/v1/runbooks/{key}': 'see',
  'GET /api/v1/runbooks/{key}/diff': 'see',

  'GET /api/v1/settings': 'see',
  'GET /api/v1/system': 'see',
  'GET /api/v1/first-steps': 'see',
  'GET /api/v1/connectors': 'see',
}

/** `POST /api/v1/findings/:id/claim`, as the router has it, in the words of the matrix. */
export function routeName(method: string, path: string): string {
  return `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`
}

export function needsOf(route: string): Needs | undefined {
  return Object.hasOwn(routePermissions, route) ? routePermissions[route] : undefined
}
