import { sql } from 'drizzle-orm'
import { integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

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
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export type AuditRow = typeof audit.$inferSelect
