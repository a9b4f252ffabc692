import { bigint, integer, jsonb, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'

/** Active ones first: at most one of a finding is in any of them. `verified` and those after it have ended. */
export const activeRunStates = ['waiting_approval', 'waiting_person', 'acting', 'outcome_unknown', 'verifying'] as const
export const endedRunStates = [
  'verified',
  'already_satisfied',
  'verification_failed',
  'refused',
  'failed',
  'rejected',
  'expired',
  'void',
  'cancelled',
] as const
export const runStates = [...activeRunStates, ...endedRunStates] as const
export type RunState = (typeof runStates)[number]

export const stepStates = ['pending', 'acting', 'waiting', 'done', 'already', 'refused', 'failed', 'unknown', 'skipped'] as const
export type StepState = (typeof stepStates)[number]

export const attemptOutcomes = ['done', 'already_done', 'refused', 'unknown', 'unreached'] as const
export type AttemptOutcome = (typeof attemptOutcomes)[number]

export interface RunEvidence {
  readonly connection: string
  readonly stream: string
  readonly externalId: string
}

/** `*At` is domain time, `*Wall` and leases wall time; epoch ms. */
export const runs = pgTable(
  'runs',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    part: smallint().notNull(),
    findingId: hash('finding_id').notNull(),
    runbook: text().notNull(),
    runbookVersion: integer('runbook_version').notNull(),
    state: text().$type<RunState>().notNull(),
    /** As jobs/domain/run.ts has it: steps with resolved inputs, and what the tools showed. */
    plan: jsonb().$type<unknown>().notNull(),
    hash: text().notNull(),
    reason: text(),
    requestedBy: text('requested_by').notNull(),
    requestedAt: instant('requested_at').notNull(),
    requestedWall: instant('requested_wall').notNull(),
    requestKey: text('request_key'),
    requestDigest: text('request_digest'),
    position: integer().notNull(),
    leaseToken: integer('lease_token').notNull(),
    leaseUntil: instant('lease_until'),
    nextWall: instant('next_wall'),
    verifyMs: bigint('verify_ms', { mode: 'number' }).notNull(),
    verifyUntil: instant('verify_until'),
    message: text(),
    endedAt: instant('ended_at'),
    revision: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export const runSteps = pgTable(
  'run_steps',
  {
    workspaceId: integer('workspace_id').notNull(),
    runId: hash('run_id').notNull(),
    position: integer().notNull(),
    key: text().notNull(),
    state: text().$type<StepState>().notNull(),
    idempotencyKey: text('idempotency_key'),
    since: instant(),
    attempts: integer().notNull(),
    lookUps: integer('look_ups').notNull(),
    message: text(),
    evidence: jsonb().$type<RunEvidence>(),
    shownAt: instant('shown_at'),
    amountMinor: bigint('amount_minor', { mode: 'number' }),
    currency: text(),
    runbook: text().notNull(),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.runId, table.position] })],
)

export const runAttempts = pgTable(
  'run_attempts',
  {
    workspaceId: integer('workspace_id').notNull(),
    runId: hash('run_id').notNull(),
    position: integer().notNull(),
    attempt: integer().notNull(),
    token: integer().notNull(),
    startedWall: instant('started_wall').notNull(),
    endedWall: instant('ended_wall'),
    outcome: text().$type<AttemptOutcome>(),
    message: text(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.runId, table.position, table.attempt] })],
)

export const approvals = pgTable(
  'approvals',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    runId: hash('run_id').notNull(),
    hash: text().notNull(),
    state: text().$type<'waiting' | 'granted' | 'rejected' | 'expired' | 'void'>().notNull(),
    requestedBy: text('requested_by').notNull(),
    requestedAt: instant('requested_at').notNull(),
    expiresWall: instant('expires_wall').notNull(),
    decidedBy: text('decided_by'),
    decidedAt: instant('decided_at'),
    reason: text(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export type RunRow = typeof runs.$inferSelect
export type RunStepRow = typeof runSteps.$inferSelect
export type RunAttemptRow = typeof runAttempts.$inferSelect
export type ApprovalRow = typeof approvals.$inferSelect
