import { integer, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'

export const verdicts = pgTable(
  'verdicts',
  {
    workspaceId: integer('workspace_id').notNull(),
    part: smallint().notNull(),
    componentId: hash('component_id').notNull(),
    journeyId: hash('journey_id'),
    program: text().notNull(),
    expectation: text().notNull(),
    activation: hash().notNull(),
    /** Index in `verdictStates`. */
    state: smallint().notNull(),
    kind: text(),
    activations: integer().notNull(),
    violations: integer().notNull(),
    dueAt: instant('due_at'),
    occurredAt: instant('occurred_at'),
    evidenceAt: instant('evidence_at'),
    unreadStream: text('unread_stream'),
    readTo: instant('read_to'),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.part, table.componentId, table.program, table.expectation, table.activation] }),
  ],
)
