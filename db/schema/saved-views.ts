import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'

/** Named filters of the findings list, shared in the workspace. */
export const savedViews = pgTable(
  'saved_views',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    name: text().notNull(),
    /** As in the address: filters, order, groups and columns. */
    query: text().notNull(),
    createdAt: instant('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    revision: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export type SavedViewRow = typeof savedViews.$inferSelect
