import { sql } from 'drizzle-orm'
import { bigint, customType, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** Bytes as lower-case hex. */
const hex = customType<{ data: string; driverData: Buffer }>({
  dataType: () => 'bytea',
  fromDriver: (value) => value.toString('hex'),
  toDriver: (value) => Buffer.from(value, 'hex'),
})

/** One row per act, written in the act's own transaction. The application may insert and read, nothing else. */
export const audit = pgTable(
  'audit',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: uuid().notNull().defaultRandom(),
    /** Domain time of the act. */
    at: instant().notNull(),
    /** Wall time of the row. */
    recordedAt: instant('recorded_at').notNull().default(sql`clock_timestamp()`),
    actor: text().notNull(),
    act: text().notNull(),
    targetKind: text('target_kind').notNull(),
    targetId: text('target_id').notNull(),
    reason: text(),
    before: jsonb().$type<Readonly<Record<string, unknown>>>(),
    after: jsonb().$type<Readonly<Record<string, unknown>>>(),
    /** The order in which rows were written. */
    n: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    /** The transaction's, the same in its entry of the chain. */
    ticket: bigint({ mode: 'number' }).notNull().default(sql`audit_ticket()`),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export type AuditRow = typeof audit.$inferSelect

/** One entry per transaction that wrote audit rows. Only `seal_audit()` of the database writes here. */
export const auditChain = pgTable(
  'audit_chain',
  {
    workspaceId: integer('workspace_id').notNull(),
    /** From 1, without gaps. */
    seq: bigint({ mode: 'number' }).notNull(),
    ticket: bigint({ mode: 'number' }).notNull(),
    /** Wall time. */
    sealedAt: instant('sealed_at').notNull(),
    /** The SHA-256 of each row, one after the other. */
    rowHashes: hex('row_hashes').notNull(),
    previous: hex().notNull(),
    hash: hex().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.seq] })],
)

/** What was last written outside, per target: `file`, or `webhook:` and its name. */
export const auditCheckpoints = pgTable(
  'audit_checkpoints',
  {
    workspaceId: integer('workspace_id').notNull(),
    target: text().notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    hash: hex().notNull(),
    /** Wall time; null: nothing was taken yet. */
    writtenAt: instant('written_at'),
    attempts: integer().notNull().default(0),
    nextAt: instant('next_at'),
    reason: text(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.target] })],
)

export interface StoredChainProblem {
  readonly kind: string
  readonly seq: number | null
  readonly row: string | null
  readonly what: string
}

/** A look at the chain, from entry `fromSeq` to `toSeq`. */
export const auditVerifications = pgTable(
  'audit_verifications',
  {
    workspaceId: integer('workspace_id').notNull(),
    n: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    /** Wall time. */
    verifiedAt: instant('verified_at').notNull().default(sql`clock_timestamp()`),
    by: text().notNull(),
    fromSeq: bigint('from_seq', { mode: 'number' }).notNull(),
    toSeq: bigint('to_seq', { mode: 'number' }).notNull(),
    rows: bigint({ mode: 'number' }).notNull(),
    checkpointSeq: bigint('checkpoint_seq', { mode: 'number' }),
    /** Null: all of it held. */
    problem: jsonb().$type<StoredChainProblem>(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.n] })],
)

export type AuditCheckpointRow = typeof auditCheckpoints.$inferSelect
export type AuditVerificationRow = typeof auditVerifications.$inferSelect
