import { bigint, date, integer, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'

/** The steps each journey passed, in order. */
export const journeyPaths = pgTable(
  'journey_paths',
  {
    workspaceId: integer('workspace_id').notNull(),
    part: smallint().notNull(),
    journeyId: hash('journey_id').notNull(),
    componentId: hash('component_id').notNull(),
    program: text().notNull(),
    version: integer().notNull(),
    startedAt: instant('started_at').notNull(),
    /** Each step once, by its first standing occurrence. */
    steps: text().array().notNull(),
    /** Seconds since the step before; of the first, since the journey began. */
    gaps: integer().array().notNull(),
    /** Why it ended, or `open`. */
    ending: text().notNull(),
    madeFrom: bigint('made_from', { mode: 'bigint' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.part, table.journeyId] })],
)

/** How many journeys that began on a day (UTC) went from one step to the next, by how long that took. */
export const flows = pgTable(
  'flows',
  {
    workspaceId: integer('workspace_id').notNull(),
    program: text().notNull(),
    day: date().notNull(),
    version: integer().notNull(),
    /** Empty: the beginning. */
    fromStep: text('from_step').notNull(),
    /** `@` and why the journey ended, where it went no further. */
    toStep: text('to_step').notNull(),
    bucket: smallint().notNull(),
    journeys: integer().notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.workspaceId, table.program, table.day, table.version, table.fromStep, table.toStep, table.bucket],
    }),
  ],
)

/** Days whose flows have still to be counted anew. */
export const staleFlows = pgTable(
  'stale_flows',
  { workspaceId: integer('workspace_id').notNull(), program: text().notNull(), day: date().notNull() },
  (table) => [primaryKey({ columns: [table.workspaceId, table.program, table.day] })],
)
