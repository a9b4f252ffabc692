import { integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** Counts over tables too large to count on every request, as of a time that is always shown with them. */
export const tallies = pgTable(
  'tallies',
  {
    workspaceId: integer('workspace_id').notNull(),
    name: text().notNull(),
    counts: jsonb().$type<unknown>().notNull(),
    /** Domain time. */
    asOf: instant('as_of').notNull(),
    /** Wall time. */
    countedAt: instant('counted_at').notNull(),
    tookMs: integer('took_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.name] })],
)
