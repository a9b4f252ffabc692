import type { Sql, Tx } from './bulk.ts'
import { arrayOf, hexOf, instant, partOf, runOverRows } from './bulk.ts'

/** Names a journey's row as it stands: what its path depends on beside the facts, which do not change without it. */
const madeFrom = `hashtextextended(concat_ws('|', j.program, j.program_version, date_part('epoch', j.started_at), date_part('epoch', j.last_event_at),
  coalesce(date_part('epoch', j.ended_at)::text, '-'), coalesce(j.end_reason, '-'), j.events, j.stage, coalesce(j.subject_id::text, '-')), 0)`

export interface StalePath {
  readonly part: number
  readonly journeyId: string
  /** Null: the journey is gone. */
  readonly componentId: string | null
}

/** Journeys in a range of parts whose path was not made from their row as it is now. */
export async function readStalePaths(
  sql: Sql | Tx,
  workspaceId: number,
  parts: readonly [number, number],
  limit: number,
): Promise<StalePath[]> {
  const rows = await sql<{ part: number; journey: string; component: string | null }[]>`
    select coalesce(j.part, p.part) as part, coalesce(j.id, p.journey_id) as journey, j.component_id as component
    from (select part, id, component_id, ${sql.unsafe(madeFrom)} as made_from from journeys j
      where workspace_id = ${workspaceId} and part between ${parts[0]} and ${parts[1]}) j
    full join (select part, journey_id, made_from from journey_paths
      where workspace_id = ${workspaceId} and part between ${parts[0]} and ${parts[1]}) p on p.part = j.part and p.journey_id = j.id
    where j.made_from is distinct from p.made_from limit ${limit}`
  return rows.map(({ part, journey, component }) => ({
    part,
    journeyId: hexOf(journey),
    componentId: component === null ? null : hexOf(component),
  }))
}

export interface PathRow {
  readonly journeyId: string
  readonly componentId: string
  readonly steps: readonly string[]
  /** Whole seconds. */
  readonly gaps: readonly number[]
}

/**
 * Writes paths made from the journeys of this same snapshot, takes away those of journeys that are gone, and marks the days whose flows
 * they change. Call it in a transaction that reads repeatably.
 */
export async function writePaths(tx: Tx, workspaceId: number, rows: readonly PathRow[], gone: readonly StalePath[]): Promise<void> {
  const touched = [
    ...rows.map(({ componentId, journeyId }) => ({ part: partOf(componentId), journeyId })),
    ...gone.map(({ part, journeyId }) => ({ part, journeyId })),
  ]
  const keys = [arrayOf(touched.map(({ part }) => part)), arrayOf(touched.map(({ journeyId }) => journeyId))] as const
  const markDays = () => tx`
    insert into stale_flows (workspace_id, program, day)
    select distinct ${workspaceId}::int, p.program, (p.started_at at time zone 'UTC')::date
    from unnest(${keys[0]}::smallint[], ${keys[1]}::uuid[]) as k (part, id)
    cross join lateral (select program, started_at from journey_paths where workspace_id = ${workspaceId} and part = k.part and journey_id = k.id offset 0) p
    on conflict do nothing`
  await markDays()
  await tx`delete from journey_paths p
    using unnest(${arrayOf(gone.map(({ part }) => part))}::smallint[], ${arrayOf(gone.map(({ journeyId }) => journeyId))}::uuid[]) as k (part, id)
    where p.workspace_id = ${workspaceId} and p.part = k.part and p.journey_id = k.id`
  await runOverRows(
    tx,
    workspaceId,
    { part: 'smallint', journey_id: 'uuid', component_id: 'uuid', steps: 'text[]', gaps: 'integer[]' },
    rows.map((row) => [partOf(row.componentId), row.journeyId, row.componentId, textArray(row.steps), arrayOf(row.gaps)]),
    (
      from,
    ) => `insert into journey_paths as old (workspace_id, part, journey_id, component_id, program, version, started_at, steps, gaps, ending, made_from)
      select $1::int, s.part, s.journey_id, s.component_id, j.program, j.program_version, j.started_at, s.steps, s.gaps,
        coalesce(j.end_reason, 'open'), ${madeFrom}
      from ${from} cross join lateral (select * from journeys where workspace_id = $1::int and part = s.part and id = s.journey_id offset 0) j
      on conflict (workspace_id, part, journey_id) do update set component_id = excluded.component_id, program = excluded.program,
        version = excluded.version, started_at = excluded.started_at, steps = excluded.steps, gaps = excluded.gaps, ending = excluded.ending,
        made_from = excluded.made_from`,
  )
  await markDays()
}

const textArray = (values: readonly string[]): string => `{${values.map((value) => `"${value.replaceAll(/(["\\])/g, '\\$1')}"`).join(',')}}`

/**
 * Counts the flows of some marked days anew, the latest days first. Answers how many days it counted.
 * @param timeBounds rising bounds of the buckets in seconds (jobs/domain/journey-path.ts)
 */
export async function countStaleFlows(sql: Sql, workspaceId: number, timeBounds: readonly number[], days: number): Promise<number> {
  return sql.begin(async (tx) => {
    const marked = await tx<{ program: string; day: string }[]>`
      delete from stale_flows s using (select program, day from stale_flows where workspace_id = ${workspaceId}
        order by day desc, program limit ${days} for update skip locked) m
      where s.workspace_id = ${workspaceId} and s.program = m.program and s.day = m.day
      returning s.program, s.day::text as day`
    if (marked.length === 0) return 0
    const programs = marked.map(({ program }) => program)
    const on = marked.map(({ day }) => day)
    await tx`delete from flows f using unnest(${programs}::text[], ${on}::date[]) as m (program, day)
      where f.workspace_id = ${workspaceId} and f.program = m.program and f.day = m.day`
    await tx`
      insert into flows (workspace_id, program, day, version, from_step, to_step, bucket, journeys)
      select ${workspaceId}::int, m.program, m.day, p.version, f.from_step, f.to_step, f.bucket, count(*)::int
      from unnest(${programs}::text[], ${on}::date[]) as m (program, day)
      cross join lateral (select * from journey_paths where workspace_id = ${workspaceId} and program = m.program
        and started_at >= m.day::timestamp at time zone 'UTC' and started_at < (m.day + 1)::timestamp at time zone 'UTC' offset 0) p
      join journeys j on j.workspace_id = ${workspaceId} and j.part = p.part and j.id = p.journey_id
      cross join lateral (
        select case when n = 1 then '' else p.steps[n - 1] end as from_step, step as to_step,
          case when n = 1 then 0 else width_bucket(gap::float8, ${`{${timeBounds.join(',')}}`}::float8[]) end as bucket
        from unnest(p.steps, p.gaps) with ordinality as u (step, gap, n)
        union all select j.stage, '@' || p.ending, 0) f
      group by 1, 2, 3, 4, 5, 6, 7`
    return marked.length
  }) as Promise<number>
}

/** Notes as of when (domain time, epoch ms) every path and flow was whole. */
export async function noteTraced(
  sql: Sql,
  workspaceId: number,
  { asOf, wallNow, tookMs }: { readonly asOf: number; readonly wallNow: number; readonly tookMs: number },
): Promise<void> {
  await sql`insert into tallies as t (workspace_id, name, counts, as_of, counted_at, took_ms)
    values (${workspaceId}, 'paths', '{}', ${instant(asOf)}::timestamptz, ${instant(wallNow)}::timestamptz, ${Math.round(tookMs)})
    on conflict (workspace_id, name) do update set as_of = excluded.as_of, counted_at = excluded.counted_at, took_ms = excluded.took_ms
      where t.as_of <= excluded.as_of`
}

/** As of when the flows are whole, domain time, epoch ms; null: they never were. */
export async function readTracedAt(sql: Sql, workspaceId: number): Promise<number | null> {
  const [row] = await sql<{ at: number }[]>`
    select round(date_part('epoch', as_of) * 1000) as at from tallies where workspace_id = ${workspaceId} and name = 'paths'`
  return row?.at ?? null
}

export interface FlowCount {
  /** Empty: the beginning. */
  readonly from: string
  /** `@` and why the journey ended (`@open`: it goes on), from the stage it stands at; each journey has one of these. */
  readonly to: string
  readonly bucket: number
  readonly journeys: number
}

/** Journeys by the moves they made. Days are UTC, `2026-03-02`, both included. */
export async function readFlows(
  sql: Sql,
  workspaceId: number,
  { program, version, from, to }: { readonly program: string; readonly version: number | null; readonly from: string; readonly to: string },
): Promise<FlowCount[]> {
  return [
    ...(await sql<FlowCount[]>`
      select from_step as "from", to_step as "to", bucket, sum(journeys)::int as journeys from flows
      where workspace_id = ${workspaceId} and program = ${program} and day between ${from}::date and ${to}::date
        and (${version}::int is null or version = ${version}::int)
      group by 1, 2, 3 order by 1, 2, 3`),
  ]
}

export interface PathFilter {
  readonly program: string
  readonly version: number | null
  /** When they began, epoch ms: from that instant on, before that one. */
  readonly from: number
  readonly to: number
  /** A step they passed, or a move they made; `to` may be `@` and an ending. */
  readonly passed: { readonly step: string } | { readonly from: string; readonly to: string } | null
}

export interface PathListRow {
  readonly journeyId: string
  readonly startedAt: number
  readonly steps: readonly string[]
  readonly ending: string
  readonly subjectId: string | null
  readonly objectType: string | null
  readonly objectId: string | null
  readonly stage: string | null
}

/** Journeys by what they passed, the latest first. `after`: the last one shown. */
export async function listPaths(
  sql: Sql,
  workspaceId: number,
  filter: PathFilter,
  { after, limit }: { readonly after: { readonly startedAt: number; readonly journeyId: string } | null; readonly limit: number },
): Promise<PathListRow[]> {
  const rows = await sql<PathListRow[]>`
    select p.journey_id as "journeyId", round(date_part('epoch', p.started_at) * 1000) as "startedAt", p.steps, p.ending,
      j.subject_id as "subjectId", j.object_type as "objectType", j.object_id as "objectId", j.stage
    from journey_paths p left join journeys j on j.workspace_id = p.workspace_id and j.part = p.part and j.id = p.journey_id
    where p.workspace_id = ${workspaceId} and p.program = ${filter.program}
      and p.started_at >= ${instant(filter.from)}::timestamptz and p.started_at < ${instant(filter.to)}::timestamptz
      ${filter.version === null ? sql`` : sql`and p.version = ${filter.version}`}
      ${after === null ? sql`` : sql`and (p.started_at < ${instant(after.startedAt)}::timestamptz or p.started_at = ${instant(after.startedAt)}::timestamptz and p.journey_id > ${after.journeyId}::uuid)`}
      ${wherePassed(sql, filter.passed)}
    order by p.started_at desc, p.journey_id limit ${limit}`
  return rows.map((row) => ({ ...row, journeyId: hexOf(row.journeyId), subjectId: row.subjectId === null ? null : hexOf(row.subjectId) }))
}

function wherePassed(sql: Sql, passed: PathFilter['passed']) {
  if (passed === null) return sql``
  if ('step' in passed) return sql`and array_position(p.steps, ${passed.step}) is not null`
  const { from, to } = passed
  if (to.startsWith('@')) {
    return sql`and p.ending = ${to.slice(1)} and j.stage = ${from}`
  }
  if (from === '') return sql`and p.steps[1] = ${to}`
  return sql`and array_position(p.steps, ${to}) = array_position(p.steps, ${from}) + 1`
}
