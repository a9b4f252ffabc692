import { setTimeout as delay } from 'node:timers/promises'
import type { DeliveryChannel, Entered } from '../schema/reports.ts'
import type { FindingStatus } from '../schema/words.ts'
import type { Sql, Tx } from './bulk.ts'
import { instant } from './bulk.ts'
import type { Place } from './transitions.ts'

/** Where a closed day ends: it and the days before hold the transitions numbered below `beforeN` and recorded before `endsAt`. */
export interface Cut {
  readonly beforeN: number
  readonly endsAt: number
}

/** For numbers that are not final: beyond every transition there is. */
export const noNumber = Number.MAX_SAFE_INTEGER

const patienceMs = 20_000

/**
 * A number below which every transition is committed or never will be: it is taken from the sequence, then every transaction that runs is
 * waited for. (A transition's transaction has written the finding before it takes its number, so it is among them.)
 * Undefined: one of them did not end in time; try again later.
 */
export async function cutTransitions(sql: Sql): Promise<number | undefined> {
  const [taken] = await sql<{ n: number }[]>`select nextval(pg_get_serial_sequence('finding_transitions', 'n'))::float8 as n`
  const [running] = await sql<{ end: string }[]>`select pg_snapshot_xmax(pg_current_snapshot())::text as "end"`
  if (!taken || !running) return undefined
  for (const waitsUntil = performance.now() + patienceMs; ; ) {
    const [state] = await sql<{ over: boolean }[]>`select pg_snapshot_xmin(pg_current_snapshot()) >= ${running.end}::xid8 as over`
    if (state?.over) return taken.n
    if (performance.now() > waitsUntil) return undefined
    await delay(50)
  }
}

/** When the workspace began: its first transition or its first known stream, domain time; null: neither. */
export async function readBeginning(sql: Sql | Tx, workspaceId: number): Promise<number | null> {
  const [row] = await sql<{ at: number | null }[]>`
    select round(date_part('epoch', least(
      (select at from finding_transitions where workspace_id = ${workspaceId} order by at limit 1),
      (select min(known_since) from streams where workspace_id = ${workspaceId}))) * 1000) as at`
  return row?.at ?? null
}

export interface FlowRow {
  readonly wasOpen: boolean
  readonly entered: Entered | null
  readonly ended: FindingStatus | null
  readonly to: Place
  readonly from: Place | null
  /** A moment of the quarter hour of `about`, epoch ms; null: none, or not before `startsAt`. */
  readonly aboutAt: number | null
  readonly count: number
}

/** The transitions after one cut and up to another, alike ones counted. `after` null: from the beginning. */
export async function readFlows(
  sql: Sql | Tx,
  workspaceId: number,
  after: Cut | null,
  until: Cut,
  startsAt: number,
): Promise<readonly FlowRow[]> {
  const rows = await sql<(Omit<FlowRow, 'to' | 'from'> & Record<keyof Place | `from_${keyof Place}`, string>)[]>`
    select was_open as "wasOpen", entered, ended, program, owner, site, kind, from_program, from_owner, from_site, from_kind,
      case when about < ${instant(startsAt)}::timestamptz then floor(date_part('epoch', about) / 900) * 900000 end as "aboutAt", count(*)::int as count
    from finding_transitions
    where workspace_id = ${workspaceId} and n < ${until.beforeN} and at < ${instant(until.endsAt)}::timestamptz
      and (${after === null} or n >= ${after?.beforeN ?? 0} or at >= ${instant(after?.endsAt ?? 0)}::timestamptz)
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12`
  return rows.map(({ program, owner, site, kind, from_program, from_owner, from_site, from_kind, ...row }) => ({
    ...row,
    to: { program, owner, site, kind },
    from: from_owner === null ? null : { program: from_program, owner: from_owner, site: from_site, kind: from_kind },
  }))
}

export interface ReportRow extends Cut {
  readonly day: string
  readonly startsAt: number
  readonly closedAt: number
  readonly body: unknown
}

const reportColumns = (sql: Sql | Tx) => sql`day::text as day, round(date_part('epoch', starts_at) * 1000) as "startsAt",
  round(date_part('epoch', ends_at) * 1000) as "endsAt", round(date_part('epoch', closed_at) * 1000) as "closedAt", before_n::float8 as "beforeN"`

export async function readReport(sql: Sql | Tx, workspaceId: number, day: string): Promise<ReportRow | undefined> {
  const [row] = await sql<ReportRow[]>`
    select ${reportColumns(sql)}, body from reports where workspace_id = ${workspaceId} and day = ${day}::text::date`
  return row
}

/** The day closed last, or last before a day. */
export async function readLastReport(sql: Sql | Tx, workspaceId: number, before = 'infinity'): Promise<ReportRow | undefined> {
  const [row] = await sql<ReportRow[]>`
    select ${reportColumns(sql)}, body from reports where workspace_id = ${workspaceId} and day < ${before}::text::date order by day desc limit 1`
  return row
}

export interface ReportHead extends Omit<ReportRow, 'body'> {
  readonly summary: unknown
}

/** Closed days, newest first. */
export async function listReports(sql: Sql, workspaceId: number, before: string | null, limit: number): Promise<readonly ReportHead[]> {
  return sql<ReportHead[]>`
    select ${reportColumns(sql)}, summary from reports
    where workspace_id = ${workspaceId} and day < ${before ?? 'infinity'}::text::date order by day desc limit ${limit}`
}

/** One process at a time closes days of a workspace; held until the transaction ends. */
export async function lockReports(tx: Tx, workspaceId: number): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended('throughline.reports', ${workspaceId}::bigint))`
}

export async function insertReport(
  tx: Tx,
  workspaceId: number,
  report: ReportRow & { readonly summary: unknown },
  deliveries: readonly {
    readonly channel: DeliveryChannel
    readonly target: string
    readonly messageId: string
    readonly hasAddress: boolean
  }[],
  wallNow: number,
): Promise<void> {
  await tx`insert into reports (workspace_id, day, starts_at, ends_at, closed_at, before_n, summary, body)
    values (${workspaceId}, ${report.day}::text::date, ${instant(report.startsAt)}::timestamptz, ${instant(report.endsAt)}::timestamptz,
      ${instant(report.closedAt)}::timestamptz, ${report.beforeN}, ${tx.json(report.summary as never)}, ${tx.json(report.body as never)})`
  for (const { channel, target, messageId, hasAddress } of deliveries) {
    await tx`insert into report_deliveries (workspace_id, day, channel, target, state, message_id, next_at)
      values (${workspaceId}, ${report.day}::text::date, ${channel}, ${target}, ${hasAddress ? 'waiting' : 'no_address'}, ${messageId},
        ${hasAddress ? instant(wallNow) : null}::timestamptz)`
  }
  await tx`insert into feed (workspace_id, topic, ref, at) values (${workspaceId}, 'report', ${report.day}, ${instant(report.closedAt)}::timestamptz)`
}

/** Steps whose verdict is unknown because a stream was not read, of those that fell due before `until`; by stream. */
export async function countUnknownSteps(
  sql: Sql | Tx,
  workspaceId: number,
  promises: readonly { readonly program: string; readonly expectation: string }[],
  unknownState: number,
  until: number,
): Promise<ReadonlyMap<string, number>> {
  if (promises.length === 0) return new Map()
  const rows = await sql<{ stream: string; count: number }[]>`
    select v.unread_stream as stream, sum(v.activations)::int as count
    from unnest(${promises.map(({ program }) => program)}::text[], ${promises.map(({ expectation }) => expectation)}::text[]) as k (program, expectation)
    cross join lateral (select unread_stream, activations, due_at from verdicts
      where workspace_id = ${workspaceId} and program = k.program and expectation = k.expectation and state = ${unknownState} offset 0) v
    where v.unread_stream is not null and coalesce(v.due_at < ${instant(until)}::timestamptz, true)
    group by 1`
  return new Map(rows.map(({ stream, count }) => [stream, count]))
}
