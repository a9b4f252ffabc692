import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'

export const comments = pgTable(
  'comments',
  {
    workspaceId: integer('workspace_id').notNull(),
    id: hash().notNull(),
    findingId: hash('finding_id').notNull(),
    author: text().notNull(),
    body: text().notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
)

export type CommentRow = typeof comments.$inferSelect
