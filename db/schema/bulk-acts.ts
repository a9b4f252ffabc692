import { integer, jsonb, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'

/** One act on many findings. `handled` of `total` were looked at: each is counted in `done` or, under its reason, in `skipped`. */
export const bulkActs = pgTable(
  'bulk_acts',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    act: text().notNull(),
    asked: jsonb().$type<Readonly<Record<string, unknown>>>().notNull(),
    filter: text().notNull(),
    /** Domain time for which the person saw the count. */
    asOf: instant('as_of').notNull(),
    actor: text().notNull(),
    state: text().$type<'running' | 'finished' | 'stopped'>().notNull(),
    total: integer().notNull(),
    handled: integer().notNull(),
    done: integer().notNull(),
    skipped: jsonb().$type<Readonly<Record<string, number>>>().notNull(),
    startedAt: instant('started_at').notNull(),
    /** Wall time of its last batch. */
    beatAt: instant('beat_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

/** The findings of a bulk act, as they were when it began. */
export const bulkTargets = pgTable(
  'bulk_targets',
  {
    workspaceId: integer('workspace_id').notNull(),
    bulkId: hash('bulk_id').notNull(),
    n: integer().notNull(),
    part: smallint().notNull(),
    findingId: hash('finding_id').notNull(),
    revision: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.bulkId, table.n] })],
)

export type BulkActRow = typeof bulkActs.$inferSelect
