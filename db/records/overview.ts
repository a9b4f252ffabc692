import { and, asc, eq, inArray, isNull, lte, or } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { type FindingRow, findings } from '../schema/findings.ts'
import type { FindingStatus, Severity } from '../schema/words.ts'
import type { Sql } from './bulk.ts'
import { arrayOf, hexOf, instant } from './bulk.ts'
import { personReasons } from './findings.ts'

// The words of `status in (…)` are those of the partial index `findings_standing`, or it is not used.
const isStanding = "status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed')"

export interface StandingCount {
  readonly severity: Severity
  readonly owner: string
  readonly snoozed: boolean
  /** Number of the age, as `ageBounds` cuts them: 0 is younger than the first. */
  readonly age: number
  readonly findings: number
  readonly overdue: number
  /** Due within the next 24 hours. */
  readonly soon: number
  readonly claimed: number
  /** Nobody has acknowledged them. */
  readonly untouched: number
  /** Epoch ms. */
  readonly nextDueAt: number | null
}

/**
 * What is open, in one look at an index: by severity, owner, snoozed or not, and age.
 * @param times `ageBounds`: lengths in ms, rising; `now`: domain clock; `wallNow`: leases follow wall time
 */
export async function countStanding(
  sql: Sql,
  workspaceId: number,
  { now, wallNow, ageBounds }: { readonly now: number; readonly wallNow: number; readonly ageBounds: readonly number[] },
): Promise<StandingCount[]> {
  // From the oldest to the youngest, as width_bucket wants it; turned round again below.
  const bounds = `{${ageBounds
    .toReversed()
    .map((age) => instant(now - age))
    .join(',')}}`
  const rows = await sql<StandingCount[]>`
    select severity, owner, coalesce(snoozed_until > ${instant(now)}::timestamptz, false) as snoozed,
      ${ageBounds.length}::int - width_bucket(opened_at, ${bounds}::timestamptz[]) as age, count(*)::int as findings,
      count(*) filter (where due_at < ${instant(now)}::timestamptz)::int as overdue,
      count(*) filter (where due_at >= ${instant(now)}::timestamptz and due_at < ${instant(now + 86_400_000)}::timestamptz)::int as soon,
      count(*) filter (where claimed_until > ${instant(wallNow)}::timestamptz)::int as claimed,
      count(*) filter (where status = 'open')::int as untouched,
      round(date_part('epoch', min(due_at)) * 1000) as "nextDueAt"
    from findings where workspace_id = ${workspaceId} and ${sql.unsafe(isStanding)} group by 1, 2, 3, 4`
  return [...rows]
}

/** What is open by severity, for the badge that every page asks for. */
export async function countOpenBySeverity(
  sql: Sql,
  workspaceId: number,
  now: number,
): Promise<{ severity: Severity; snoozed: boolean; findings: number }[]> {
  return [
    ...(await sql<{ severity: Severity; snoozed: boolean; findings: number }[]>`
      select severity, coalesce(snoozed_until > ${instant(now)}::timestamptz, false) as snoozed, count(*)::int as findings
      from findings where workspace_id = ${workspaceId} and ${sql.unsafe(isStanding)} group by 1, 2 order by 1, 2`),
  ]
}

/** How many different subjects the open findings are about; snoozed ones left out. */
export async function countStandingSubjects(sql: Sql, workspaceId: number, now: number): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(distinct subject_id)::int as n from findings
    where workspace_id = ${workspaceId} and ${sql.unsafe(isStanding)} and (snoozed_until is null or snoozed_until <= ${instant(now)}::timestamptz)`
  return row?.n ?? 0
}

export interface ClosedCount {
  readonly bucket: number
  readonly status: FindingStatus
  readonly byPerson: boolean
  readonly findings: number
}

const boundsOf = (bounds: readonly number[]) => `{${bounds.map((at) => instant(at)).join(',')}}`

/** How many opened in each stretch between two bounds (epoch ms, rising), by its number from 0. */
export async function countOpened(
  sql: Sql,
  workspaceId: number,
  bounds: readonly number[],
): Promise<{ bucket: number; findings: number }[]> {
  return [
    ...(await sql<{ bucket: number; findings: number }[]>`
      select width_bucket(opened_at, ${boundsOf(bounds)}::timestamptz[]) - 1 as bucket, count(*)::int as findings from findings
      where workspace_id = ${workspaceId} and opened_at >= ${instant(bounds[0] ?? 0)}::timestamptz and opened_at < ${instant(bounds.at(-1) ?? 0)}::timestamptz
      group by 1`),
  ]
}

/** How many stand closed since each stretch, by how they ended and whether a person said so. */
export async function countClosed(sql: Sql, workspaceId: number, bounds: readonly number[]): Promise<ClosedCount[]> {
  return [
    ...(await sql<ClosedCount[]>`
      select width_bucket(closed_at, ${boundsOf(bounds)}::timestamptz[]) - 1 as bucket, status,
        coalesce(closed_reason = any(${personReasons}), false) as "byPerson", count(*)::int as findings
      from findings where workspace_id = ${workspaceId} and coalesce(closed_at, 'epoch') >= ${instant(bounds[0] ?? 0)}::timestamptz
        and coalesce(closed_at, 'epoch') < ${instant(bounds.at(-1) ?? 0)}::timestamptz
      group by 1, 2, 3`),
  ]
}

/** Open findings whose due time fell into a stretch; snoozed ones left out. */
export async function countFallenDue(
  sql: Sql,
  workspaceId: number,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from findings
    where workspace_id = ${workspaceId} and ${sql.unsafe(isStanding)}
      and due_at >= ${instant(from)}::timestamptz and due_at < ${instant(to)}::timestamptz
      and (snoozed_until is null or snoozed_until <= ${instant(now)}::timestamptz)`
  return row?.n ?? 0
}

/** The open findings that fall due first and that nobody holds. `wallNow`: leases follow wall time. */
export async function readMostUrgent(
  db: Db,
  workspaceId: number,
  { now, wallNow, limit }: { readonly now: number; readonly wallNow: number; readonly limit: number },
): Promise<FindingRow[]> {
  return db
    .select()
    .from(findings)
    .where(
      and(
        eq(findings.workspaceId, workspaceId),
        inArray(findings.status, ['open', 'acknowledged', 'acting', 'verifying', 'verification_failed']),
        or(isNull(findings.snoozedUntil), lte(findings.snoozedUntil, now)),
        or(isNull(findings.claimedUntil), lte(findings.claimedUntil, wallNow)),
      ),
    )
    .orderBy(asc(findings.dueAt), asc(findings.id))
    .limit(limit)
}

export interface WaitingPromise {
  readonly journeyId: string
  readonly program: string
  readonly expectation: string
  /** Epoch ms. */
  readonly dueAt: number
}

/**
 * The running promises whose deadline comes first. Found through what the judge waits for (`due`), a few components per gate, so that
 * nothing that is stored makes it slower.
 */
export async function readNextPromises(sql: Sql, workspaceId: number, now: number, limit: number): Promise<WaitingPromise[]> {
  const rows = await sql<WaitingPromise[]>`
    with gates as (select 0 as gate union all select id from streams where workspace_id = ${workspaceId}),
    next as (
      select distinct d.part, d.component_id from gates g
      cross join lateral (
        select part, component_id from due
        where workspace_id = ${workspaceId} and gate = g.gate and due_at > ${instant(now)}::timestamptz - interval '1 second'
        order by due_at limit ${limit * 4}) d)
    select v.journey_id as "journeyId", v.program, v.expectation, round(date_part('epoch', v.due_at) * 1000) as "dueAt"
    from next n
    cross join lateral (
      select journey_id, program, expectation, due_at from verdicts
      where workspace_id = ${workspaceId} and part = n.part and component_id = n.component_id
        and state in (0, 1) and journey_id is not null and due_at > ${instant(now)}::timestamptz offset 0) v
    order by v.due_at, v.journey_id, v.expectation limit ${limit}`
  return rows.map((row) => ({ ...row, journeyId: hexOf(row.journeyId) }))
}

export interface PassCellRow {
  readonly streamId: number
  readonly cell: number
  readonly complete: number
  readonly failed: number
  readonly endedFailed: boolean
}

/** Passes by stream and cell of a strip that begins at `from` (domain time); cells before 0 tell how it stood when it began. */
export async function readPassCells(
  sql: Sql,
  workspaceId: number,
  streamIds: readonly number[],
  { from, cellMs, before }: { readonly from: number; readonly cellMs: number; readonly before: number },
): Promise<PassCellRow[]> {
  return [
    ...(await sql<PassCellRow[]>`
      select p.stream_id as "streamId", floor((date_part('epoch', p.started_at) * 1000 - ${from}::float8) / ${cellMs}::float8)::int as cell,
        count(*) filter (where p.outcome = 'complete')::int as complete,
        count(*) filter (where p.outcome not in ('complete', 'running'))::int as failed,
        coalesce(max(p.id) filter (where p.outcome not in ('complete', 'running')) > coalesce(max(p.id) filter (where p.outcome = 'complete'), 0),
          false) as "endedFailed"
      from unnest(${arrayOf(streamIds)}::int[]) as s (id)
      join passes p on p.workspace_id = ${workspaceId} and p.stream_id = s.id and p.started_at >= ${instant(from - before)}::timestamptz
      group by 1, 2 order by 1, 2`),
  ]
}
