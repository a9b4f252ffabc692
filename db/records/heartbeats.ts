import type { Sql } from './bulk.ts'
import { instant } from './bulk.ts'

/** Job under which the pings of the outside check stand: no sign of life of the engine. */
export const outsideCheckJob = 'outside-check'

export interface RoundRow {
  readonly job: string
  /** Epoch ms. */
  readonly domainAt: number
  readonly wallAt: number
}

/** Says that jobs ended a round: what a stopped engine no longer says (invariant 8). */
export async function beatAll(sql: Sql, workspaceId: number, jobs: readonly string[], now: number): Promise<void> {
  await sql`insert into heartbeats (workspace_id, job, beat_at)
    select ${workspaceId}, job, ${instant(now)}::timestamptz from unnest(${[...jobs].sort()}::text[]) as job
    on conflict (workspace_id, job) do update set beat_at = greatest(heartbeats.beat_at, excluded.beat_at), wall_at = now()`
}

/** The last round of every job. */
export async function readRounds(sql: Sql, workspaceId: number): Promise<RoundRow[]> {
  return [
    ...(await sql<RoundRow[]>`
      select job, round(date_part('epoch', beat_at) * 1000) as "domainAt", round(date_part('epoch', wall_at) * 1000) as "wallAt"
      from heartbeats where workspace_id = ${workspaceId} and job <> ${outsideCheckJob}`),
  ]
}

/** Wall time of the latest sign of life of any job, epoch ms; null: none yet. */
export async function readLastBeat(sql: Sql, workspaceId: number): Promise<number | null> {
  const rounds = await readRounds(sql, workspaceId)
  return rounds.length === 0 ? null : Math.max(...rounds.map(({ wallAt }) => wallAt))
}

/** When a job, all parts of it, last ran to its end, domain time, epoch ms; null: it never has. */
export async function readJobBeat(sql: Sql, workspaceId: number, job: string): Promise<number | null> {
  const [row] = await sql<{ at: number | null }[]>`
    select round(date_part('epoch', min(beat_at)) * 1000) as at from heartbeats
    where workspace_id = ${workspaceId} and (job = ${job} or starts_with(job, ${`${job}:`}))`
  return row?.at ?? null
}

export interface OutsideCheckRow {
  /** Wall time, epoch ms. */
  readonly at: number
  readonly ok: boolean
  readonly message: string
}

export async function readOutsideCheck(sql: Sql, workspaceId: number): Promise<OutsideCheckRow | null> {
  const [row] = await sql<{ at: number; detail: { ok?: boolean; message?: string } }[]>`
    select round(date_part('epoch', wall_at) * 1000) as at, detail from heartbeats where workspace_id = ${workspaceId} and job = ${outsideCheckJob}`
  return row === undefined ? null : { at: row.at, ok: row.detail.ok === true, message: row.detail.message ?? '' }
}

/** True for the one process that is to ping now: the last ping is at least `everyMs` old. */
export async function takeOutsideCheck(sql: Sql, workspaceId: number, everyMs: number, now: number): Promise<boolean> {
  const rows = await sql`insert into heartbeats (workspace_id, job, beat_at, detail)
    values (${workspaceId}, ${outsideCheckJob}, ${instant(now)}::timestamptz, '{"ok": true, "message": "Under way."}')
    on conflict (workspace_id, job) do update set beat_at = excluded.beat_at, wall_at = now()
      where heartbeats.wall_at <= now() - make_interval(secs => ${everyMs / 1000})`
  return rows.count === 1
}

export async function noteOutsideCheck(
  sql: Sql,
  workspaceId: number,
  result: { readonly ok: boolean; readonly message: string },
): Promise<void> {
  await sql`update heartbeats set detail = ${sql.json(result)} where workspace_id = ${workspaceId} and job = ${outsideCheckJob}`
}
