import { bigint, boolean, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

export const streams = pgTable(
  'streams',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: integer().generatedAlwaysAsIdentity().notNull(),
    connection: text().notNull(),
    name: text().notNull(),
    title: text().notNull(),
    lagSeconds: integer('lag_seconds').notNull(),
    fullSweepSeconds: integer('full_sweep_seconds'),
    final: boolean().notNull(),
    /** The operational field in which its records state their site. */
    siteFrom: text('site_from'),
    cursor: jsonb().$type<unknown>(),
    epoch: bigint({ mode: 'number' }).notNull(),
    watermark: instant(),
    passMode: text('pass_mode'),
    passStartedAt: instant('pass_started_at'),
    lastCompleteAt: instant('last_complete_at'),
    lastSweepAt: instant('last_sweep_at'),
    state: text().notNull(),
    stateReason: text('state_reason'),
    stateSince: instant('state_since'),
    retryAt: instant('retry_at'),
    clockSkewMs: bigint('clock_skew_ms', { mode: 'number' }),
    records: bigint({ mode: 'number' }).notNull(),
    setAside: integer('set_aside'),
    setAsideReason: text('set_aside_reason'),
    setAsideSince: instant('set_aside_since'),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export type StreamRow = typeof streams.$inferSelect
