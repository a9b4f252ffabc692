import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'

/** A location, brand or team inside the workspace. */
export const sites = pgTable(
  'sites',
  {
    workspaceId: integer('workspace_id').notNull(),
    key: text().notNull(),
    title: text().notNull(),
    /** What the tools call it, beside its key. */
    knownAs: text('known_as').array().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.key] })],
)
