import type { SQL } from 'drizzle-orm'
import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import type { Entered } from '../schema/reports.ts'
import type { FindingStatus } from '../schema/words.ts'
import { hexOf, instant } from './bulk.ts'
import type { Cut } from './reports.ts'
import type { Place } from './transitions.ts'

/** One transition behind a number of a report; of what stood at a cut, the finding alone. */
export interface ReportedChange {
  readonly findingId: string
  readonly n: number
  /** Epoch ms of the domain clock. */
  readonly at: number
  readonly entered: Entered | null
  readonly ended: FindingStatus | null
  readonly to: Place
  readonly from: Place | null
}

export interface Window {
  /** Null: from the beginning. */
  readonly after: Cut | null
  readonly until: Cut
}

export interface Within {
  readonly dimension: keyof Place
  /** Null: findings without a program or a site. */
  readonly key: string | null
}

export type TransitionColumn = Entered | FindingStatus | 'returned' | 'ended' | 'amended' | 'transferredIn' | 'transferredOut'

interface Asked {
  readonly column: TransitionColumn
  readonly within: Within | null
  /** Only what is about this span, epoch ms. */
  readonly about: { readonly from: number; readonly to: number } | null
}

const enteredWords: readonly string[] = ['opened', 'regressed', 'reopened', 'waiver_expired']

function wanted(workspaceId: number, { after, until }: Window, { column, within, about }: Asked): SQL {
  const isAfter = after === null ? sql`true` : sql`(n >= ${after.beforeN} or at >= ${instant(after.endsAt)}::timestamptz)`
  const isAbout =
    about === null ? sql`true` : sql`about >= ${instant(about.from)}::timestamptz and about < ${instant(about.to)}::timestamptz`
  return sql`workspace_id = ${workspaceId} and n < ${until.beforeN} and at < ${instant(until.endsAt)}::timestamptz and ${isAfter}
    and ${isAbout} and ${columnCondition(column, within)}`
}

function columnCondition(column: TransitionColumn, within: Within | null): SQL {
  const counts = sql`ended is not null and (was_open or entered is not null)`
  if (column === 'transferredIn' || column === 'transferredOut') {
    if (within === null) return sql`false`
    const [to, from] = [sql.identifier(within.dimension), sql.identifier(`from_${within.dimension}`)]
    return sql`was_open and ${from} is distinct from ${to} and ${column === 'transferredIn' ? to : from} is not distinct from ${within.key}::text`
  }
  const isWithin = within === null ? sql`true` : sql`${sql.identifier(within.dimension)} is not distinct from ${within.key}::text`
  if (enteredWords.includes(column)) return sql`entered = ${column} and ${isWithin}`
  if (column === 'returned') return sql`entered is not null and entered <> 'opened' and ${isWithin}`
  if (column === 'amended') return sql`ended is not null and not was_open and entered is null and ${isWithin}`
  if (column === 'ended') return sql`${counts} and ${isWithin}`
  return sql`${counts} and ended = ${column} and ${isWithin}`
}

export async function countChanges(db: Db, workspaceId: number, window: Window, asked: Asked): Promise<number> {
  const rows = (await db.execute(
    sql`select count(*)::int as count from finding_transitions where ${wanted(workspaceId, window, asked)}`,
  )) as unknown as { count: number }[]
  return rows[0]?.count ?? 0
}

/** In the order they were written, from one number on. */
export async function listChanges(
  db: Db,
  workspaceId: number,
  window: Window,
  asked: Asked,
  page: { readonly afterN: number; readonly limit: number },
): Promise<readonly ReportedChange[]> {
  const rows = (await db.execute(sql`select finding_id, n::float8 as n, round(date_part('epoch', at) * 1000) as at, entered, ended,
      program, owner, site, kind, from_program, from_owner, from_site, from_kind
    from finding_transitions where ${wanted(workspaceId, window, asked)} and n > ${page.afterN} order by n limit ${page.limit}`)) as unknown as (Place & {
    finding_id: string
    n: number
    at: number
    entered: Entered | null
    ended: FindingStatus | null
    from_program: string | null
    from_owner: string | null
    from_site: string | null
    from_kind: string | null
  })[]
  return rows.map(({ finding_id, n, at, entered, ended, program, owner, site, kind, from_program, from_owner, from_site, from_kind }) => ({
    findingId: hexOf(finding_id),
    n,
    at,
    entered,
    ended,
    to: { program, owner, site, kind },
    from: from_owner === null || from_kind === null ? null : { program: from_program, owner: from_owner, site: from_site, kind: from_kind },
  }))
}

/**
 * The findings that were open at a cut, from the nearer side: those that did not change since and are open, and those whose first change
 * since says they were; or, of a cut nearer to the beginning, those whose last change until then left them open.
 */
async function standing(db: Db, workspaceId: number, cut: Cut, within: Within | null): Promise<SQL> {
  const isThere = (prefix: string) =>
    within === null ? sql`true` : sql`${sql.identifier(`${prefix}${within.dimension}`)} is not distinct from ${within.key}::text`
  const [last] = (await db.execute(
    sql`select coalesce(max(n), 0)::float8 as n from finding_transitions where workspace_id = ${workspaceId}`,
  )) as unknown as { n: number }[]
  if (cut.beforeN * 2 < (last?.n ?? 0)) {
    return sql`with stood as (select finding_id as id from (
        select distinct on (finding_id) finding_id, is_open, program, owner, site, kind from finding_transitions
        where workspace_id = ${workspaceId} and n < ${cut.beforeN} and at < ${instant(cut.endsAt)}::timestamptz
        order by finding_id, n desc) as until
      where is_open and ${isThere('')})`
  }
  return sql`with later as (
      select distinct on (finding_id) finding_id, was_open, from_program, from_owner, from_site, from_kind from finding_transitions
      where workspace_id = ${workspaceId} and (n >= ${cut.beforeN} or at >= ${instant(cut.endsAt)}::timestamptz) order by finding_id, n),
    stood as (
      select finding_id as id from later where was_open and ${isThere('from_')}
      union all
      select id from findings f where workspace_id = ${workspaceId} and ${isThere('')}
        and status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed')
        and not exists (select from later where later.finding_id = f.id))`
}

export async function countStanding(db: Db, workspaceId: number, cut: Cut, within: Within | null): Promise<number> {
  const rows = (await db.execute(
    sql`${await standing(db, workspaceId, cut, within)} select count(*)::int as count from stood`,
  )) as unknown as {
    count: number
  }[]
  return rows[0]?.count ?? 0
}

/** Ids in order, from one on. */
export async function listStanding(
  db: Db,
  workspaceId: number,
  cut: Cut,
  within: Within | null,
  page: { readonly afterId: string | null; readonly limit: number },
): Promise<readonly string[]> {
  const rows = (await db.execute(sql`${await standing(db, workspaceId, cut, within)}
    select id from stood where ${page.afterId === null ? sql`true` : sql`id > ${page.afterId}::uuid`} order by id limit ${page.limit}`)) as unknown as {
    id: string
  }[]
  return rows.map(({ id }) => hexOf(id))
}
