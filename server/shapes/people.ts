import { z } from '@hono/zod-openapi'
import { permissions, roles } from '../../jobs/domain/people/roles.ts'
import { isoTime } from './common.ts'

export const roleShape = z.enum(roles)
const roleWordShape = z.object({ role: roleShape, title: z.string(), may: z.string() })

export const signInShape = z
  .object({
    workspace: z.object({ title: z.string() }),
    /** machine: nobody signs in here, whoever reaches the server acts as this machine's owner. */
    by: z.enum(['password', 'demo', 'machine']),
    /** Nobody can sign in yet: the start of the server told a one-time link. */
    isUnused: z.boolean(),
    demoPeople: z.array(z.object({ id: z.string(), name: z.string(), roles: z.array(roleWordShape) })),
  })
  .openapi('SignIn')

export const signedInShape = z.object({ isIn: z.boolean(), needs: z.enum(['code']).nullable() }).openapi('SignedIn')

export const invitationShape = z
  .object({
    kind: z.enum(['first', 'invite', 'reset']),
    workspace: z.object({ title: z.string() }),
    email: z.string().nullable(),
    name: z.string().nullable(),
    roles: z.array(roleWordShape),
    expiresAt: isoTime,
  })
  .openapi('Invitation')

export const meShape = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    by: z.enum(['session', 'token', 'machine']),
    isDemo: z.boolean(),
    roles: z.array(roleWordShape),
    can: z.array(z.enum(permissions)),
    /** Codes of an authenticator are asked for at sign-in. */
    hasCodes: z.boolean(),
    emergencyUntil: isoTime.nullable(),
    mayOpenEmergency: z.boolean(),
    /** Wall time; null where it has no end. */
    endsAt: isoTime.nullable(),
  })
  .openapi('Me')

export const sessionShape = z.object({
  id: z.string(),
  isThis: z.boolean(),
  begunAt: isoTime,
  seenAt: isoTime,
  endsAt: isoTime,
})

export const personShape = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    state: z.enum(['active', 'disabled']),
    isDemo: z.boolean(),
    isMe: z.boolean(),
    roles: z.array(roleShape),
    hasCodes: z.boolean(),
    joinedAt: isoTime,
    lastSeenAt: isoTime.nullable(),
    revision: z.int(),
  })
  .openapi('Person')

export const inviteShape = z.object({
  id: z.string(),
  kind: z.enum(['first', 'invite', 'reset']),
  email: z.string().nullable(),
  name: z.string().nullable(),
  roles: z.array(roleShape),
  invitedAt: isoTime,
  invitedBy: z.string(),
  expiresAt: isoTime,
})

export const peopleShape = z
  .object({ asOf: isoTime, items: z.array(personShape), invites: z.array(inviteShape), roles: z.array(roleWordShape) })
  .openapi('People')

/** What stands here is told once. */
export const linkShape = z.object({ link: z.string(), expiresAt: isoTime }).openapi('OneTimeLink')

export const apiTokenShape = z
  .object({
    id: z.string(),
    name: z.string(),
    role: roleShape,
    madeAt: isoTime,
    madeBy: z.string(),
    expiresAt: isoTime,
    lastUsedAt: isoTime.nullable(),
    revokedAt: isoTime.nullable(),
    state: z.enum(['active', 'expired', 'revoked']),
  })
  .openapi('ApiToken')

export const apiTokensShape = z.object({ asOf: isoTime, items: z.array(apiTokenShape), roles: z.array(roleWordShape) }).openapi('ApiTokens')
