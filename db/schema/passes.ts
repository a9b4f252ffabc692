import { bigint, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** One row per pass over a stream: the freshness strip, and which windows were read completely. */
export const passes = pgTable(
  'passes',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    streamId: integer('stream_id').notNull(),
    mode: text().notNull(),
    startedAt: instant('started_at').notNull(),
    endedAt: instant('ended_at'),
    outcome: text().notNull(),
    message: text(),
    pages: integer().notNull(),
    read: integer().notNull(),
    changed: integer().notNull(),
    quarantined: integer().notNull(),
    /** What it asked of its tool; null: nothing over HTTP. */
    requests: integer(),
    retries: integer(),
    rateLimited: integer('rate_limited'),
    waitedMs: bigint('waited_ms', { mode: 'number' }),
    p50Ms: integer('p50_ms'),
    p95Ms: integer('p95_ms'),
    coveredFrom: instant('covered_from'),
    coveredTo: instant('covered_to'),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export type PassRow = typeof passes.$inferSelect
