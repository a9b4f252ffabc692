import type { SQL } from 'drizzle-orm'
import { and, asc, desc, eq, getTableColumns, gt, inArray, isNotNull, isNull, lte, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import type { JourneyRow } from '../schema/journeys.ts'
import { journeys } from '../schema/journeys.ts'
import { sealing, writeActs } from './audit.ts'
import { partCount } from './bulk.ts'
import type { Cursor, Page, SortKey } from './page.ts'
import { keysetAfter, sortValue, toPage } from './page.ts'

export interface JourneyFilter {
  readonly programs?: readonly string[]
  readonly stages?: readonly string[]
  readonly ended?: boolean
  /** Only journeys with an open finding. */
  readonly withFindings?: boolean
  /** Nothing happened after `from`, and something did after it, up to `to`: epoch ms of the last event. */
  readonly lastEvent?: { readonly after: number | null; readonly upTo: number | null }
  /** The person is known in one of these streams. */
  readonly inStreams?: readonly number[]
  /** The person is known in none of these. */
  readonly notInStreams?: readonly number[]
  readonly subject?: string
  /** An id or the beginning of one: of the journey, its subject or its object. */
  readonly text?: string
}

export const journeySorts = ['activity', '-activity'] as const
export type JourneySort = (typeof journeySorts)[number]

export interface JourneyListRow extends JourneyRow {
  readonly openFindings: number
}

const isOpen = sql`f.status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed')`
// Columns are written out: drizzle leaves the table's name away where it selects from one table only, and findings have an id too.
const openFindings = sql<number>`(select count(*)::int from findings f where f.workspace_id = journeys.workspace_id
  and f.journey_id = journeys.id and ${isOpen})`

const keysOf: Readonly<Record<JourneySort, readonly SortKey[]>> = {
  activity: [
    { by: sql`${journeys.lastEventAt}`, order: 'desc', cast: 'instant' },
    { by: sql`${journeys.id}`, order: 'asc', cast: 'uuid' },
  ],
  '-activity': [
    { by: sql`${journeys.lastEventAt}`, order: 'asc', cast: 'instant' },
    { by: sql`${journeys.id}`, order: 'desc', cast: 'uuid' },
  ],
}

/** How many journeys a page looks through at most for what no index knows. */
const scannedAtMost = 20_000

export interface JourneyPage extends Page<JourneyListRow> {
  /** Not all that might fit was looked at: going on from `next` looks at more, even where the page is short or empty. */
  readonly isPartial: boolean
}

/** Journeys, the latest movement first, or the one that stood still longest. */
export async function listJourneys(
  db: Db,
  workspaceId: number,
  filter: JourneyFilter,
  page: { readonly cursor: Cursor | null; readonly limit: number; readonly sort?: JourneySort },
): Promise<JourneyPage> {
  const keys = keysOf[page.sort ?? 'activity']
  const byTool = toolFilter(filter)
  const after = page.cursor ? keysetAfter(keys, page.cursor) : undefined
  const cheap = and(where(workspaceId, filter), await findingFilter(db, workspaceId, filter), after)
  const sortValues = sql<unknown[]>`json_build_array(${sql.join(keys.map(sortValue), sql`, `)})`
  const order = page.sort === '-activity' ? [asc(journeys.lastEventAt), desc(journeys.id)] : [desc(journeys.lastEventAt), asc(journeys.id)]
  if (byTool === undefined) {
    const rows = await db
      .select({ ...getTableColumns(journeys), openFindings, sortValues })
      .from(journeys)
      .where(cheap)
      .orderBy(...order)
      .limit(page.limit + 1)
    return {
      ...toPage(
        rows.map(({ sortValues: values, ...row }) => ({ row, sortValues: values })),
        page.limit,
      ),
      isPartial: false,
    }
  }
  // 1. A bounded stretch in order, of which each is looked at. 2. What fits of it.
  const stretch = db
    .select({ ...getTableColumns(journeys), sortValues: sortValues.as('sort_values') })
    .from(journeys)
    .where(cheap)
    .orderBy(...order)
    .limit(scannedAtMost)
    .as('journeys')
  const rows = await db
    .select({ ...getTableColumns(journeys), openFindings, sortValues: stretch.sortValues })
    .from(stretch)
    .where(byTool)
    .orderBy(...order)
    .limit(page.limit + 1)
  const found = toPage(
    rows.map(({ sortValues: values, ...row }) => ({ row, sortValues: values })),
    page.limit,
  )
  if (found.next !== null) return { ...found, isPartial: false }
  const [last] = await db
    .select({ values: stretch.sortValues, seen: sql<number>`count(*) over ()::int` })
    .from(stretch)
    .orderBy(...(page.sort === '-activity' ? [desc(stretch.lastEventAt), asc(stretch.id)] : [asc(stretch.lastEventAt), desc(stretch.id)]))
    .limit(1)
  const isPartial = last !== undefined && last.seen === scannedAtMost
  return { rows: found.rows, next: isPartial ? (last.values as (string | number)[]) : null, isPartial }
}

/** Counting ends here: beyond it nobody reads a list to its end. */
export const countedAtMost = 10_000

/** How many journeys match; `countedAtMost` + 1 where there are more. Tools are not counted by: see `isPartial`. */
export async function countJourneys(db: Db, workspaceId: number, filter: JourneyFilter): Promise<number> {
  const counted = db
    .select({ one: sql`1`.as('one') })
    .from(journeys)
    .where(and(where(workspaceId, filter), await findingFilter(db, workspaceId, filter)))
    .limit(countedAtMost + 1)
    .as('counted')
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(counted)
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

/** In which streams the person of each journey is known; of a journey about an object alone, its group of records. */
export async function readJourneyStreams(db: Db, workspaceId: number, rows: readonly JourneyRow[]): Promise<ReadonlyMap<string, number[]>> {
  if (rows.length === 0) return new Map()
  const found = await db.execute<{ id: string; streams: number[] }>(sql`
    select j.id, array_agg(distinct r.stream_id order by r.stream_id) as streams
    from journeys j cross join lateral (${recordsOf} offset 0) r
    where j.workspace_id = ${workspaceId} and j.part in ${everyPart} and j.id in ${rows.map((row) => row.id)} group by j.id`)
  return new Map([...found].map(({ id, streams }) => [id.replaceAll('-', ''), streams]))
}

const recordsOf = sql`select r.stream_id from records r where r.workspace_id = j.workspace_id and r.component_id = j.component_id and r.deleted_at is null
  and (j.subject_id is null or exists (select from subjects s cross join lateral jsonb_array_elements(s.links::jsonb) l
    where s.workspace_id = j.workspace_id and s.part = j.part and s.id = j.subject_id and (l ->> 0)::uuid = r.id))`

function toolFilter({ inStreams, notInStreams }: JourneyFilter): SQL | undefined {
  const known = (
    streams: readonly number[],
  ) => sql`exists (select from (select ${journeys.workspaceId} as workspace_id, ${journeys.part} as part,
    ${journeys.componentId} as component_id, ${journeys.subjectId} as subject_id) j cross join lateral (${recordsOf}) r
    where r.stream_id in ${streams})`
  return and(
    inStreams === undefined ? undefined : inStreams.length === 0 ? sql`false` : known(inStreams),
    notInStreams?.length ? sql`not ${known(notInStreams)}` : undefined,
  )
}

/** Up to here the journeys with an open finding are named; beyond, most pages meet enough of them on their way. */
const namedAtMost = 2_000

async function findingFilter(db: Db, workspaceId: number, { withFindings }: JourneyFilter): Promise<SQL | undefined> {
  if (!withFindings) return undefined
  const open = await db.execute<{ part: number; journey_id: string }>(sql`select distinct f.part, f.journey_id from findings f
    where f.workspace_id = ${workspaceId} and f.journey_id is not null and ${isOpen} limit ${namedAtMost + 1}`)
  if (open.length > namedAtMost)
    return sql`exists (select from findings f where f.workspace_id = ${journeys.workspaceId} and f.part = ${journeys.part}
      and f.journey_id = ${journeys.id} and ${isOpen})`
  if (open.length === 0) return sql`false`
  const named = sql.join(
    [...open].map((row) => sql`(${row.part}::smallint, ${row.journey_id}::uuid)`),
    sql`, `,
  )
  return sql`(${journeys.part}, ${journeys.id}) in (values ${named})`
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
  await sealing(db, (tx) =>
    writeActs(tx, workspaceId, [{ targetKind: 'journey', targetId: journeyId, act: 'journey.export', actor, at, after: what }]),
  )
}

function where(workspaceId: number, filter: JourneyFilter): SQL | undefined {
  const { after, upTo } = filter.lastEvent ?? { after: null, upTo: null }
  return and(
    eq(journeys.workspaceId, workspaceId),
    filter.programs?.length ? inArray(journeys.program, [...filter.programs]) : undefined,
    filter.stages?.length ? inArray(journeys.stage, [...filter.stages]) : undefined,
    filter.ended === undefined ? undefined : filter.ended ? isNotNull(journeys.endedAt) : isNull(journeys.endedAt),
    after === null ? undefined : gt(journeys.lastEventAt, after),
    upTo === null ? undefined : lte(journeys.lastEventAt, upTo),
    filter.subject ? eq(journeys.subjectId, filter.subject) : undefined,
    filter.text ? textFilter(filter.text) : undefined,
  )
}

/** The beginning of an id is a range of ids, in which an index can look. */
function textFilter(text: string): SQL {
  const hex = text.replaceAll('-', '').toLowerCase()
  const isHex = /^[0-9a-f]{1,32}$/.test(hex)
  const between = (column: SQL) => sql`${column} between ${hex.padEnd(32, '0')}::uuid and ${hex.padEnd(32, 'f')}::uuid`
  const ids = isHex
    ? [sql`(${journeys.part} in ${everyPart} and ${between(sql`${journeys.id}`)})`, between(sql`${journeys.subjectId}`)]
    : []
  return sql`(${sql.join([...ids, sql`${journeys.objectId} = ${text}`], sql` or `)})`
}
