import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'

export const owners = pgTable(
  'owners',
  { workspaceId: integer('workspace_id').notNull(), key: text().notNull(), title: text().notNull() },
  (table) => [primaryKey({ columns: [table.workspaceId, table.key] })],
)
