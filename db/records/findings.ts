import type { SQL } from 'drizzle-orm'
import { and, asc, desc, eq, getTableColumns, gt, gte, inArray, isNotNull, isNull, lte, notInArray, or, sql } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import type { FindingRow } from '../schema/findings.ts'
import { findings } from '../schema/findings.ts'
import type { FindingStatus, Severity } from '../schema/words.ts'
import { writeActs } from './audit.ts'
import { arrayOf, hexOf, partOf, type Sql } from './bulk.ts'
import type { Cursor, Page, SortKey } from './page.ts'
import { keysetAfter, sortValue, toPage } from './page.ts'
import { toTransition, writeTransition } from './transitions.ts'

export interface TimeSpan {
  readonly from: number | null
  readonly to: number | null
}

export interface FindingFilter {
  /** Empty: every status. */
  readonly statuses?: readonly FindingStatus[]
  /** Domain time that decides what is snoozed. Null: snoozed ones are shown like others. */
  readonly snooze?: { readonly now: number; readonly show: 'only' | 'hide' } | null
  readonly kinds?: readonly string[]
  readonly owners?: readonly string[]
  readonly severities?: readonly Severity[]
  readonly programs?: readonly string[]
  readonly expectations?: readonly string[]
  readonly connections?: readonly string[]
  /** Keys of sites; null among them: those without one. */
  readonly sites?: readonly (string | null)[]
  /** Domain time, epoch ms: from that instant on, before that one. */
  readonly opened?: TimeSpan
  readonly closed?: TimeSpan
  readonly due?: TimeSpan
  /** When the violation came to be; where that is not known, when it was found. */
  readonly occurred?: TimeSpan
  /** Whose claim holds at `wallNow`; `anyone` and `nobody` ask whether there is one. */
  readonly claim?: { readonly wallNow: number; readonly by: 'anyone' | 'nobody' | { readonly actor: string } }
  /** Came back after it had been closed. */
  readonly regressed?: boolean
  /** Found by then: what came later is left out. */
  readonly foundBy?: number
  /** Ended because a person said so, or because the tools did. */
  readonly endedBy?: 'person' | 'itself'
  readonly subject?: string
  readonly journey?: string
  readonly text?: FindingText
}

/** Any of these fits. */
export interface FindingText {
  /** An id, or the beginning of one in hex: of the finding, its subject or its journey; the whole of one: of its object. */
  readonly id: string
  /** Groups of records in which the id is a record's. */
  readonly components: readonly string[]
  /** What the words say, in the language of the catalogue. */
  readonly expectations: readonly string[]
  readonly kinds: readonly string[]
}

export const findingSorts = ['due', 'opened', 'occurred', 'changed', 'closed', 'severity'] as const
export type FindingSort = (typeof findingSorts)[number]

const severityRank = sql<number>`array_position(array['critical', 'high', 'medium', 'low'], ${findings.severity})`
const since = sql`coalesce(${findings.occurredAt}, ${findings.openedAt})`
const instantKey = (by: SQL, order: SortKey['order']): SortKey => ({ by, order, cast: 'instant' })

/** The way one works: soonest due, newest, worst. */
const sortKeys: Readonly<Record<FindingSort, readonly SortKey[]>> = {
  due: [instantKey(sql`${findings.dueAt}`, 'asc')],
  opened: [instantKey(sql`${findings.openedAt}`, 'desc')],
  occurred: [instantKey(since, 'desc')],
  changed: [instantKey(sql`${findings.changedAt}`, 'desc')],
  closed: [instantKey(sql`coalesce(${findings.closedAt}, 'epoch')`, 'desc')],
  severity: [{ by: severityRank, order: 'asc', cast: 'int' }, instantKey(sql`${findings.dueAt}`, 'asc')],
}
const byId: SortKey = { by: sql`${findings.id}`, order: 'asc', cast: 'uuid' }

/** The keys of an order; turned around, all of them are. */
export function keysOf({ sort, isReversed = false }: FindingOrder): SortKey[] {
  const keys = [...sortKeys[sort], byId]
  return isReversed ? keys.map((key) => ({ ...key, order: key.order === 'asc' ? 'desc' : 'asc' })) : keys
}

export interface FindingOrder {
  readonly sort: FindingSort
  readonly isReversed?: boolean
}

export async function listFindings(
  db: Db,
  workspaceId: number,
  filter: FindingFilter,
  page: FindingOrder & { readonly cursor: Cursor | null; readonly limit: number },
): Promise<Page<FindingRow>> {
  const keys = spans(filter).some((span) => span !== page.sort) ? keysOf(page).map(unindexed) : keysOf(page)
  const rows = await db
    .select({
      ...getTableColumns(findings),
      sortValues: sql<unknown[]>`json_build_array(${sql.join(keys.map(sortValue), sql`, `)})`,
    })
    .from(findings)
    .where(and(whereFindings(workspaceId, filter), page.cursor ? keysetAfter(keys, page.cursor) : undefined))
    .orderBy(...keys.map((key) => (key.order === 'asc' ? asc(key.by) : desc(key.by))))
    .limit(page.limit + 1)
  return toPage(
    rows.map(({ sortValues, ...row }) => ({ row, sortValues })),
    page.limit,
  )
}

/** What a filter cuts a stretch of time out of. */
function spans(filter: FindingFilter): FindingSort[] {
  return (['opened', 'closed', 'due', 'occurred'] as const).filter((name) => filter[name] !== undefined)
}

/**
 * The same order, in which no index stands: times are so bound to each other that walking one index in search of a stretch of another
 * meets all of them first. The planner takes the stretch and sorts it.
 */
function unindexed(key: SortKey): SortKey {
  return key.cast === 'instant' ? { ...key, by: sql`(${key.by} + interval '0')` } : key
}

export async function countFindings(db: Db, workspaceId: number, filter: FindingFilter): Promise<number> {
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(findings).where(whereFindings(workspaceId, filter))
  return row?.count ?? 0
}

/** Counts no further than `limit`: enough for a tab, and bounded in cost. */
export async function countFindingsUpTo(db: Db, workspaceId: number, filter: FindingFilter, limit: number): Promise<number> {
  const some = db
    .select({ one: sql<number>`1`.as('one') })
    .from(findings)
    .where(whereFindings(workspaceId, filter))
    .limit(limit)
    .as('some')
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(some)
  return row?.count ?? 0
}

const facetColumns = {
  kind: findings.kind,
  owner: findings.owner,
  severity: findings.severity,
  program: findings.program,
  expectation: findings.expectation,
  site: findings.site,
}
export type FindingFacet = keyof typeof facetColumns | 'connection'

/** How many findings each value of a field would show, largest first. */
export async function countFindingsBy(
  db: Db,
  workspaceId: number,
  filter: FindingFilter,
  facet: FindingFacet,
): Promise<{ value: string; count: number }[]> {
  if (facet === 'connection') return countByConnection(db, workspaceId, filter)
  const column = facetColumns[facet]
  const rows = await db
    .select({ value: sql<string>`coalesce(${column}, '')`, count: sql<number>`count(*)::int` })
    .from(findings)
    .where(whereFindings(workspaceId, filter))
    .groupBy(column)
    .orderBy(sql`count(*) desc`, sql`1`)
  return rows.filter((row) => row.value !== '')
}

async function countByConnection(db: Db, workspaceId: number, filter: FindingFilter): Promise<{ value: string; count: number }[]> {
  const rows = await db
    .select({ streams: findings.streams, count: sql<number>`count(*)::int` })
    .from(findings)
    .where(whereFindings(workspaceId, filter))
    .groupBy(findings.streams)
  return perConnection(rows)
}

/** Few sets of streams occur, however many findings there are; one of a set counts once per connection. */
function perConnection(
  rows: readonly { readonly streams: readonly string[]; readonly count: number }[],
): { value: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const { streams, count } of rows) {
    for (const connection of new Set(streams.map((stream) => stream.split('.')[0] ?? stream)))
      counts.set(connection, (counts.get(connection) ?? 0) + count)
  }
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
}

export async function countFindingsByStatus(
  db: Db,
  workspaceId: number,
  filter: FindingFilter = {},
): Promise<{ status: FindingStatus; count: number }[]> {
  return db
    .select({ status: findings.status, count: sql<number>`count(*)::int` })
    .from(findings)
    .where(whereFindings(workspaceId, filter))
    .groupBy(findings.status)
}

export async function readFinding(db: Db | DbTransaction, workspaceId: number, id: string): Promise<FindingRow | undefined> {
  const [row] = await db
    .select()
    .from(findings)
    .where(and(eq(findings.workspaceId, workspaceId), eq(findings.id, id)))
    .limit(1)
  return row
}

export async function readJourneyFindings(db: Db, workspaceId: number, journeyId: string): Promise<FindingRow[]> {
  return db
    .select()
    .from(findings)
    .where(and(eq(findings.workspaceId, workspaceId), eq(findings.journeyId, journeyId)))
    .orderBy(asc(findings.openedAt), asc(findings.id))
}

export interface FindingAct {
  readonly act: string
  readonly actor: string
  /** Domain time. */
  readonly at: number
  readonly reason: string | null
  readonly before: Readonly<Record<string, unknown>>
  readonly after: Readonly<Record<string, unknown>>
}

type Settable = Pick<
  FindingRow,
  | 'status'
  | 'owner'
  | 'ownerReason'
  | 'changedAt'
  | 'closedAt'
  | 'closedReason'
  | 'closingEvidenceAt'
  | 'waivedUntil'
  | 'snoozedUntil'
  | 'claimedBy'
  | 'claimedUntil'
>

/**
 * Changes a finding if its revision still holds, with the audit row and a word to the console in the same transaction.
 * Undefined: someone was first. Should the audit refuse, nothing has happened.
 */
export async function changeFinding(
  tx: DbTransaction,
  workspaceId: number,
  found: FindingRow,
  set: Partial<Settable>,
  act: FindingAct,
): Promise<FindingRow | undefined> {
  const [row] = await tx
    .update(findings)
    .set({ ...set, revision: found.revision + 1 })
    .where(
      and(
        eq(findings.workspaceId, workspaceId),
        eq(findings.part, found.part),
        eq(findings.id, found.id),
        eq(findings.revision, found.revision),
      ),
    )
    .returning()
  if (!row) return undefined
  await writeTransition(tx, workspaceId, toTransition(found, row, act.at))
  await noteAct(tx, workspaceId, found.id, act)
  return row
}

/** The audit row of an act on a finding, and a word to the console; the transaction it is given seals it. */
export async function noteAct(tx: DbTransaction, workspaceId: number, findingId: string, act: FindingAct): Promise<void> {
  await writeActs(tx, workspaceId, [{ targetKind: 'finding', targetId: findingId, ...act }])
  await tx.execute(sql`insert into feed (workspace_id, topic, ref, at)
    values (${workspaceId}, 'finding', ${findingId}, ${new Date(act.at).toISOString()}::timestamptz)`)
}

export function whereFindings(workspaceId: number, filter: FindingFilter): SQL | undefined {
  const any = <T extends string>(column: Parameters<typeof inArray>[0], values: readonly T[] | undefined) =>
    values && values.length > 0 ? inArray(column, [...values]) : undefined
  return and(
    eq(findings.workspaceId, workspaceId),
    any(findings.status, filter.statuses),
    filter.snooze ? snoozed(filter.snooze) : undefined,
    any(findings.kind, filter.kinds),
    any(findings.owner, filter.owners),
    any(findings.severity, filter.severities),
    any(findings.program, filter.programs),
    any(findings.expectation, filter.expectations),
    filter.connections && filter.connections.length > 0
      ? sql`exists (select from unnest(${findings.streams}) as stream where split_part(stream, '.', 1) in (${sql.join(
          filter.connections.map((connection) => sql`${connection}`),
          sql`, `,
        )}))`
      : undefined,
    filter.sites && filter.sites.length > 0 ? atSites(filter.sites) : undefined,
    within(findings.openedAt, filter.opened),
    within(findings.closedAt, filter.closed),
    within(findings.dueAt, filter.due),
    within(since, filter.occurred),
    filter.foundBy === undefined ? undefined : lte(findings.openedAt, filter.foundBy),
    filter.claim ? claimed(filter.claim) : undefined,
    filter.regressed === undefined ? undefined : filter.regressed ? gt(findings.regressions, 0) : eq(findings.regressions, 0),
    filter.endedBy === undefined ? undefined : (filter.endedBy === 'person' ? inArray : notInArray)(findings.closedReason, personReasons),
    filter.subject ? eq(findings.subjectId, filter.subject) : undefined,
    filter.journey ? eq(findings.journeyId, filter.journey) : undefined,
    filter.text ? matches(filter.text) : undefined,
  )
}

/** What `closed_reason` says where a person ended it. */
export const personReasons = ['person', 'waived']

function within(by: SQL | typeof findings.openedAt | typeof findings.closedAt | typeof findings.dueAt, span: TimeSpan | undefined) {
  const at = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`
  if (!span) return undefined
  return and(span.from === null ? undefined : sql`${by} >= ${at(span.from)}`, span.to === null ? undefined : sql`${by} < ${at(span.to)}`)
}

function atSites(sites: readonly (string | null)[]): SQL | undefined {
  const named = sites.filter((site) => site !== null)
  return or(named.length > 0 ? inArray(findings.site, named) : undefined, sites.includes(null) ? isNull(findings.site) : undefined)
}

function claimed({ wallNow, by }: NonNullable<FindingFilter['claim']>): SQL | undefined {
  if (by === 'nobody') return or(isNull(findings.claimedBy), isNull(findings.claimedUntil), lte(findings.claimedUntil, wallNow))
  return and(by === 'anyone' ? isNotNull(findings.claimedBy) : eq(findings.claimedBy, by.actor), gt(findings.claimedUntil, wallNow))
}

function snoozed({ now, show }: { readonly now: number; readonly show: 'only' | 'hide' }): SQL | undefined {
  return show === 'only' ? gt(findings.snoozedUntil, now) : or(isNull(findings.snoozedUntil), lte(findings.snoozedUntil, now))
}

function matches({ id, components, expectations, kinds }: FindingText): SQL | undefined {
  const hex = id.replaceAll('-', '').toLowerCase()
  const begins = (column: typeof findings.id | typeof findings.subjectId | typeof findings.journeyId) =>
    and(gte(column, hex.padEnd(32, '0')), lte(column, hex.padEnd(32, 'f')))
  const isHex = /^[0-9a-f]{4,32}$/.test(hex)
  return or(
    ...(isHex ? [begins(findings.id), begins(findings.subjectId), begins(findings.journeyId)] : []),
    sql`(md5(${findings.objectId}) = md5(${id}) and ${findings.objectId} = ${id})`,
    components.length > 0
      ? and(inArray(findings.componentId, [...components]), sql`${findings.evidence} @> ${JSON.stringify([{ externalId: id }])}::jsonb`)
      : undefined,
    expectations.length > 0 ? inArray(findings.expectation, [...expectations]) : undefined,
    kinds.length > 0 ? inArray(findings.kind, [...kinds]) : undefined,
  )
}

/** The worst severity among the open findings of each of these journeys. */
export async function readWorstSeverities(
  db: Db,
  workspaceId: number,
  journeyIds: readonly string[],
): Promise<ReadonlyMap<string, Severity>> {
  if (journeyIds.length === 0) return new Map()
  const rows = await db
    .select({ journeyId: findings.journeyId, worst: sql<Severity>`(array['critical', 'high', 'medium', 'low'])[min(${severityRank})]` })
    .from(findings)
    .where(
      and(
        eq(findings.workspaceId, workspaceId),
        inArray(findings.journeyId, [...journeyIds]),
        inArray(findings.status, ['open', 'acknowledged', 'acting', 'verifying', 'verification_failed']),
      ),
    )
    .groupBy(findings.journeyId)
  return new Map(rows.flatMap((row) => (row.journeyId === null ? [] : [[row.journeyId, row.worst] as const])))
}

/** Open findings whose evidence comes from each connection. */
export async function countOpenByConnection(db: Db, workspaceId: number): Promise<{ connection: string; count: number }[]> {
  const open: FindingStatus[] = ['open', 'acknowledged', 'acting', 'verifying', 'verification_failed']
  return (await countByConnection(db, workspaceId, { statuses: open })).map(({ value, count }) => ({ connection: value, count }))
}

/** The groups of records these records belong to. */
export async function recordsComponents(sql: Sql, workspaceId: number, recordIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ component: string }[]>`
    select distinct r.component_id as component from unnest(${arrayOf(recordIds.map(partOf))}::smallint[], ${arrayOf(recordIds)}::uuid[]) as k (part, id)
    cross join lateral (select component_id from records where workspace_id = ${workspaceId} and part = k.part and id = k.id offset 0) r`
  return rows.map(({ component }) => hexOf(component))
}
