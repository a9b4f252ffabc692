import type { SQL } from 'drizzle-orm'
import { and, asc, desc, eq, getTableColumns, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { audit } from '../schema/audit.ts'
import { partCount } from './bulk.ts'
import type { JourneyRow } from '../schema/journeys.ts'
import { journeys } from '../schema/journeys.ts'
import type { Cursor, Page, SortKey } from './page.ts'
import { keysetAfter, toPage } from './page.ts'

export interface JourneyFilter {
  readonly programs?: readonly string[]
  readonly stages?: readonly string[]
  readonly ended?: boolean
  /** Only journeys with an open finding. */
  readonly withFindings?: boolean
  readonly subject?: string
  /** An id or the beginning of one: of the journey, its subject or its object. */
  readonly text?: string
}

export interface JourneyListRow extends JourneyRow {
  readonly openFindings: number
}

// Columns are written out: drizzle leaves the table's name away where it selects from one table only, and findings have an id too.
const openFindings = sql<number>`(select count(*)::int from findings f where f.workspace_id = journeys.workspace_id
  and f.journey_id = journeys.id and f.status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed'))`

const keys: readonly SortKey[] = [
  { by: sql`round(date_part('epoch', ${journeys.lastEventAt}) * 1000)`, order: 'desc', cast: 'float8' },
  { by: sql`${journeys.id}`, order: 'asc', cast: 'uuid' },
]

/** Journeys, the latest movement first. */
export async function listJourneys(
  db: Db,
  workspaceId: number,
  filter: JourneyFilter,
  page: { readonly cursor: Cursor | null; readonly limit: number },
): Promise<Page<JourneyListRow>> {
  const rows = await db
    .select({
      ...getTableColumns(journeys),
      openFindings,
      sortValues: sql<unknown[]>`json_build_array(${sql.join(
        keys.map((key) => key.by),
        sql`, `,
      )})`,
    })
    .from(journeys)
    .where(and(where(workspaceId, filter), page.cursor ? keysetAfter(keys, page.cursor) : undefined))
    .orderBy(desc(journeys.lastEventAt), asc(journeys.id))
    .limit(page.limit + 1)
  return toPage(
    rows.map(({ sortValues, ...row }) => ({ row, sortValues })),
    page.limit,
  )
}

export async function countJourneys(db: Db, workspaceId: number, filter: JourneyFilter): Promise<number> {
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(journeys).where(where(workspaceId, filter))
  return row?.count ?? 0
}

/** The primary key begins with the part, which an address does not name. */
const everyPart = Array.from({ length: partCount }, (_, part) => part)

export async function readJourney(db: Db, workspaceId: number, id: string): Promise<JourneyRow | undefined> {
  const [row] = await db
    .select()
    .from(journeys)
    .where(and(eq(journeys.workspaceId, workspaceId), inArray(journeys.part, everyPart), eq(journeys.id, id)))
    .limit(1)
  return row
}

export interface JourneyExport {
  readonly journeyId: string
  readonly actor: string
  /** Domain time. */
  readonly at: number
  readonly format: string
  readonly events: number
}

/** Who took what out: written before the first event leaves. */
export async function noteJourneyExport(db: Db, workspaceId: number, { journeyId, actor, at, ...what }: JourneyExport): Promise<void> {
  await db.insert(audit).values({ workspaceId, targetKind: 'journey', targetId: journeyId, act: 'journey.export', actor, at, after: what })
}

function where(workspaceId: number, filter: JourneyFilter): SQL | undefined {
  const beginning = filter.text
    ? `${filter.text
        .replaceAll('-', '')
        .toLowerCase()
        .replace(/[\\%_]/g, '\\$&')}%`
    : undefined
  return and(
    eq(journeys.workspaceId, workspaceId),
    filter.programs?.length ? inArray(journeys.program, [...filter.programs]) : undefined,
    filter.stages?.length ? inArray(journeys.stage, [...filter.stages]) : undefined,
    filter.ended === undefined ? undefined : filter.ended ? isNotNull(journeys.endedAt) : isNull(journeys.endedAt),
    filter.withFindings ? sql`${openFindings} > 0` : undefined,
    filter.subject ? eq(journeys.subjectId, filter.subject) : undefined,
    beginning
      ? sql`(replace(${journeys.id}::text, '-', '') like ${beginning} or replace(${journeys.subjectId}::text, '-', '') like ${beginning}
          or ${journeys.objectId} = ${filter.text ?? ''})`
      : undefined,
  )
}
