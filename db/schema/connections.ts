import { boolean, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

export const connections = pgTable(
  'connections',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: text().notNull(),
    connector: text().notNull(),
    title: text().notNull(),
    config: jsonb().$type<Readonly<Record<string, unknown>>>().notNull(),
    enabled: boolean().notNull(),
    pollSeconds: integer('poll_seconds').notNull(),
    blindAfterSeconds: integer('blind_after_seconds').notNull(),
    owner: text(),
    /** Of all its records, where they state no other. */
    site: text(),
    /** Since when, domain time, a person stopped reading it. */
    pausedAt: instant('paused_at'),
    pausedBy: text('paused_by'),
    pausedReason: text('paused_reason'),
    checkedAt: instant('checked_at'),
    checkResult: jsonb('check_result').$type<Readonly<Record<string, unknown>>>(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export type ConnectionRow = typeof connections.$inferSelect
