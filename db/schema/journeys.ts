import { integer, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'

export const journeys = pgTable(
  'journeys',
  {
    workspaceId: integer('workspace_id').notNull(),
    part: smallint().notNull(),
    id: hash().notNull(),
    componentId: hash('component_id').notNull(),
    program: text().notNull(),
    programVersion: integer('program_version').notNull(),
    subjectId: hash('subject_id'),
    objectType: text('object_type'),
    objectId: text('object_id'),
    startedAt: instant('started_at').notNull(),
    lastEventAt: instant('last_event_at').notNull(),
    endedAt: instant('ended_at'),
    endReason: text('end_reason'),
    stage: text().notNull(),
    events: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.part, table.id] })],
)

export type JourneyRow = typeof journeys.$inferSelect
