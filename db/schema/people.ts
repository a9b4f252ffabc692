import { bigint, boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'

/** Who may use a workspace. Every time in this file is wall time. */
export const people = pgTable(
  'people',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    email: text().notNull(),
    name: text().notNull(),
    /** active or disabled. */
    state: text().$type<'active' | 'disabled'>().notNull(),
    isDemo: boolean('is_demo').notNull().default(false),
    /** argon2id in PHC form; null: none was chosen yet. */
    password: text(),
    /** Sealed by the vault. */
    totpSecret: text('totp_secret'),
    totpConfirmedAt: instant('totp_confirmed_at'),
    totpLastStep: bigint('totp_last_step', { mode: 'number' }),
    createdAt: instant('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    revision: integer().notNull().default(1),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export const memberships = pgTable(
  'memberships',
  {
    workspaceId: integer('workspace_id').notNull(),
    personId: hash('person_id').notNull(),
    role: text().notNull(),
    grantedAt: instant('granted_at').notNull(),
    grantedBy: text('granted_by').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.personId, table.role] })],
)

export const sessions = pgTable(
  'sessions',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    /** SHA-256 of the 32 random bytes in the cookie, hex. */
    tokenHash: text('token_hash').notNull(),
    personId: hash('person_id').notNull(),
    createdAt: instant('created_at').notNull(),
    /** When its person last did something. */
    seenAt: instant('seen_at').notNull(),
    idleMs: bigint('idle_ms', { mode: 'number' }).notNull(),
    endsAt: instant('ends_at').notNull(),
    endedAt: instant('ended_at'),
    /** When the password was last given. */
    confirmedAt: instant('confirmed_at'),
    emergencyUntil: instant('emergency_until'),
    emergencyReason: text('emergency_reason'),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export const inviteKinds = ['first', 'invite', 'reset'] as const

export const invites = pgTable(
  'invites',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    tokenHash: text('token_hash').notNull(),
    kind: text().$type<(typeof inviteKinds)[number]>().notNull(),
    email: text(),
    name: text(),
    roles: text().array().notNull(),
    /** Whose password is set anew. */
    personId: hash('person_id'),
    createdAt: instant('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    expiresAt: instant('expires_at').notNull(),
    endedAt: instant('ended_at'),
    /** used or withdrawn. */
    endedAs: text('ended_as').$type<'used' | 'withdrawn'>(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export const apiTokens = pgTable(
  'api_tokens',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    tokenHash: text('token_hash').notNull(),
    name: text().notNull(),
    role: text().notNull(),
    createdAt: instant('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    expiresAt: instant('expires_at').notNull(),
    lastUsedAt: instant('last_used_at'),
    revokedAt: instant('revoked_at'),
    revokedBy: text('revoked_by'),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export const guesses = pgTable(
  'guesses',
  {
    workspaceId: integer('workspace_id').notNull(),
    key: text().notNull(),
    since: instant().notNull(),
    times: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.key] })],
)

export type PersonRow = typeof people.$inferSelect
export type SessionRow = typeof sessions.$inferSelect
export type InviteRow = typeof invites.$inferSelect
export type ApiTokenRow = typeof apiTokens.$inferSelect
