import { hash } from 'node:crypto'
import type { Context } from 'hono'
import { useApiToken } from '../db/records/api-tokens.ts'
import { findSession } from '../db/records/sessions.ts'
import { type Role, roles } from '../jobs/domain/people/roles.ts'
import { sessionState } from '../jobs/domain/people/session-life.ts'
import { type Actor, machineActor } from './acting.ts'
import type { AppDeps } from './deps.ts'
import { readSessionCookie } from './session-cookie.ts'

export const tokenPrefix = 'tl_'

export function hashToken(token: string): string {
  return hash('sha256', token, 'hex')
}

/** What a request brings to prove who it is; read again and again by an open stream. */
export type Credential = { readonly kind: 'machine' } | { readonly kind: 'token' | 'session'; readonly hash: string } | null

/** A bearer token speaks alone: a cookie beside it is not looked at. */
export function credentialOf(context: Context, { signIn }: Pick<AppDeps, 'signIn'>): Credential {
  if (signIn === undefined) return { kind: 'machine' }
  const authorization = context.req.header('authorization')
  if (authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    return token?.startsWith(tokenPrefix) ? { kind: 'token', hash: hashToken(token) } : null
  }
  const cookie = readSessionCookie(context, signIn)
  return cookie ? { kind: 'session', hash: hashToken(cookie) } : null
}

/** Who that is now, from the database; null: nobody, or no longer. */
export async function whoActs(deps: AppDeps, credential: Credential): Promise<Actor | null> {
  const { id: workspaceId, database } = deps.workspace
  const now = deps.wallNow()
  if (credential === null) return null
  if (credential.kind === 'machine') return machineActor(deps.me)
  if (credential.kind === 'token') {
    const token = await useApiToken(database.db, workspaceId, credential.hash, now)
    if (!token) return null
    const own = { sessionId: null, emergencyUntil: null, confirmedAt: null }
    return { id: `token:${token.id}`, title: token.name, roles: knownRoles([token.role]), by: 'token', ...own }
  }
  const session = await findSession(database.sql, workspaceId, credential.hash)
  if (!session?.isActive || sessionState(session, now) !== 'holds') return null
  const isEmergency = session.emergencyUntil !== null && session.emergencyUntil > now
  return {
    id: session.personId,
    title: session.name,
    roles: knownRoles(session.roles),
    by: 'session',
    sessionId: session.id,
    emergencyUntil: isEmergency ? session.emergencyUntil : null,
    confirmedAt: session.confirmedAt,
  }
}

/** A role this version does not know gives nothing. */
function knownRoles(held: readonly string[]): Role[] {
  return roles.filter((role) => held.includes(role))
}
